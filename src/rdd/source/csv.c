/* SPDX-License-Identifier: Apache-2.0 */
/* CSV files as an RDD of structs. A task reads one split, by the header of its file, whose columns may
 * stand in another order than those of the next one. Where no type was given, it is found at the call:
 * names in the first file, types by a job over all of them. */
#include <stdlib.h>

#include <spark/csv.h>

#include "exec/bad.h"
#include "format/csv.h"
#include "io/lines.h"
#include "io/output.h"
#include "io/tree.h"
#include "rdd/action.h"
#include "rdd/source/files_rdd.h"
#include "rdd/source/partitioned.h"

typedef struct csv_rdd {
    spk_files_rdd head;
    spk_splits splits;
    spk_csv csv;
    char *base; /* directories below it that are named key=value are columns; NULL: none are */
    spk_partitioned keys;
} csv_rdd;

static const spk_split *split_of(const spark_rdd *rdd, int partition)
{
    return &SPK_NODE(csv_rdd, rdd)->splits.at[partition];
}

/* find_files: and the columns that are named by the directories they are in. */
static spark_status find_files(csv_rdd *c, spk_failure *failure)
{
    if (c->head.spec && !c->head.files.at
        && spk_partitioned_expand(&c->head.spec, &c->base, failure) != SPARK_OK)
        return failure->code;
    if (spk_files_rdd_list(&c->head.rdd, true, failure) != SPARK_OK)
        return failure->code;
    spk_partitioned_free(&c->keys);
    if (spk_partitioned_find(&c->keys, &c->head.files, c->base, failure) != SPARK_OK)
        return failure->code;
    if (c->keys.n == 0)
        return SPARK_OK;
    return spk_partitioned_split(&c->keys, c->head.rdd.layout->type, failure);
}

static spark_status csv_prepare(spark_rdd *rdd, spk_failure *failure)
{
    csv_rdd *c = SPK_NODE(csv_rdd, rdd);
    if (find_files(c, failure) != SPARK_OK)
        return failure->code;
    const spark_status status = c->csv.multi_line
        ? spk_splits_whole(&c->head.files, &c->splits, failure)
        : spk_splits_make(&c->head.files, c->head.asked, &c->splits, failure);
    if (status == SPARK_OK)
        spk_rdd_partitions_set(rdd, (int)c->splits.n);
    return status;
}

/* plan_for: for the file of a split; *empty: it has a header to have, and has none. */
static spark_status plan_for(spk_csv_plan *plan, spk_heap *heap, const csv_rdd *c,
    const spk_split *split, bool *empty, spk_failure *failure)
{
    const spk_file *file = split->file;
    const spark_type *type = c->keys.n ? &c->keys.rest : c->head.rdd.layout->type;
    const spk_split whole = { file, 0, file->size, split->watch };
    const spark_str *names = NULL;
    spk_csv_reader *reader;
    *empty = false;
    if (!c->csv.header)
        return spk_csv_plan_make(plan, &c->csv, type, file->path, NULL, 0, failure);
    if (spk_csv_open(&reader, heap, &c->csv, NULL, &whole, failure) != SPARK_OK)
        return failure->code;
    failure->code = SPARK_OK;
    const size_t n = spk_csv_names(reader, &names, failure);
    *empty = n == 0;
    if (c->csv.enforce == SPARK_ON)
        names = NULL;
    if (n > 0 && spk_csv_plan_make(plan, &c->csv, type, file->path, names, n, failure) == SPARK_OK) {
        failure->code = SPARK_OK;
        plan->header_at = spk_csv_row_at(reader, 0);
    }
    spk_csv_close(reader);
    return failure->code;
}

/* quarantine: where malformed records of an attempt go. */
typedef struct quarantine {
    spark_task *task;
    const spark_rdd *rdd;
    spk_bad_part *part;
} quarantine;

static bool put_aside(void *to, uint64_t offset, spark_str record, const char *reason)
{
    quarantine *q = to;
    return q->rdd->bad->put(q->task, q->part, offset, record, reason);
}

/* push_rows: key_row has the columns of `keys`. *n_rows: how many there were; false: not all. */
static bool push_rows(spk_pipe *pipe, spk_csv_reader *reader, const spk_csv_plan *plan,
    const spk_csv_plan *keys, const char *key_row, uint64_t *n_rows, spk_failure *failure)
{
    spark_task *task = pipe->task;
    const size_t size = plan->row_size;
    char *rows = spk_arena_alloc(spk_keep_of(task), spk_task_fit(task, size) * size, 64);
    *n_rows = 0;
    if (!rows) {
        spk_failure_nomem(failure, NULL, NULL);
        return false;
    }
    for (;;) {
        const size_t most = spk_pipe_rows(pipe, size);
        const size_t n = spk_csv_next(reader, rows, most, failure);
        *n_rows += n;
        if (n == 0)
            return failure->code == SPARK_OK;
        spk_partitioned_fill(keys, key_row, rows, n);
        if (!spk_push(pipe, rows, n))
            return false;
    }
}

/* make_key_row: a row with the columns that are named by the directories of a split; NULL: *failure is
 * filled. */
static char *make_key_row(spark_task *task, const csv_rdd *c, int partition, spk_csv_plan *keys,
    spk_failure *failure)
{
    const size_t size = c->head.rdd.layout->size, file = (size_t)(c->splits.at[partition].file - c->head.files.at);
    char *row = spk_arena_alloc(spk_keep_of(task), size, 64);
    if (!row) {
        spk_failure_nomem(failure, NULL, NULL);
        return NULL;
    }
    memset(row, 0, size);
    if (spk_partitioned_plan(&c->keys, keys, &c->head.files, file, row, failure) == SPARK_OK) {
        failure->code = SPARK_OK;
        return row;
    }
    spk_csv_plan_free(keys);
    return NULL;
}

/* read_rows: with a policy for bad records, where there is one. */
static void read_rows(spk_pipe *pipe, spark_rdd *rdd, int partition, spk_csv_reader *reader,
    const spk_csv_plan *plan, spk_failure *failure)
{
    const csv_rdd *c = SPK_NODE(csv_rdd, rdd);
    quarantine q = { pipe->task, rdd, NULL };
    spk_csv_plan keys = { .n = 0 };
    char *key_row = NULL;
    const spk_csv_aside aside = { put_aside, &q };
    uint64_t n;
    if (rdd->bad) {
        if (!(q.part = rdd->bad->begin(pipe->task, rdd->bad, partition)))
            return;
        spk_csv_put_aside(reader, &aside);
    }
    if (c->keys.n && !(key_row = make_key_row(pipe->task, c, partition, &keys, failure)))
        return;
    if (push_rows(pipe, reader, plan, &keys, key_row, &n, failure) && q.part && !spk_task_over(pipe->task))
        rdd->bad->finish(pipe->task, q.part, n);
    spk_csv_plan_free(&keys);
}

static void csv_produce(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    const csv_rdd *c = SPK_NODE(csv_rdd, rdd);
    spark_task *task = pipe->task;
    const spk_watch watch = spk_watch_of(task);
    spk_split split = *split_of(rdd, partition);
    split.watch = &watch;
    spk_failure failure = { .code = SPARK_OK };
    spk_csv_plan plan = { .columns = NULL };
    spk_csv_reader *reader;
    bool empty;
    if (plan_for(&plan, task->heap, c, &split, &empty, &failure) == SPARK_OK && !empty
        && spk_csv_open(&reader, task->heap, &c->csv, &plan, &split, &failure) == SPARK_OK) {
        failure.code = SPARK_OK;
        read_rows(pipe, rdd, partition, reader, &plan, &failure);
        spk_csv_close(reader);
    }
    spk_csv_plan_free(&plan);
    if (failure.code != SPARK_OK && !spk_task_failed(task))
        spk_task_fail_with(task, &failure);
}

static int64_t csv_reads(const spark_rdd *rdd, int partition, const char **path)
{
    const spk_split *split = split_of(rdd, partition);
    *path = split->file->path;
    return spk_split_reads(split);
}

/* offset_of: of the record of a row; UINT64_MAX: it cannot be told any more. */
static uint64_t offset_of(spk_heap *heap, const csv_rdd *c, const spk_split *split, uint64_t row)
{
    spk_failure failure = { .code = SPARK_OK };
    spk_csv_plan plan = { .columns = NULL };
    spk_csv_reader *reader;
    uint64_t found = UINT64_MAX;
    size_t capacity;
    bool empty;
    const size_t size = c->head.rdd.layout->size, most = 64 * 1024 / size + 1;
    char *rows = spk_heap_alloc(heap, most * size, &capacity);
    if (rows && plan_for(&plan, heap, c, split, &empty, &failure) == SPARK_OK && !empty
        && spk_csv_open(&reader, heap, &c->csv, &plan, split, &failure) == SPARK_OK) {
        const spk_csv_aside nowhere = { NULL, NULL };
        uint64_t before = 0;
        size_t n;
        failure.code = SPARK_OK;
        if (c->head.rdd.bad)
            spk_csv_put_aside(reader, &nowhere);
        while ((n = spk_csv_next(reader, rows, most, &failure)) > 0 && before + n <= row)
            before += n;
        if (n > 0)
            found = spk_csv_row_at(reader, (size_t)(row - before));
        spk_csv_close(reader);
    }
    spk_csv_plan_free(&plan);
    if (rows)
        spk_heap_free(heap, rows, capacity);
    return found;
}

static void csv_where(
    spk_heap *heap, const spark_rdd *rdd, int partition, int64_t row, spk_failure *failure)
{
    const spk_split *split = split_of(rdd, partition);
    const uint64_t offset = row < 0
        ? UINT64_MAX
        : offset_of(heap, SPK_NODE(csv_rdd, rdd), split, (uint64_t)row);
    spk_failure_in(failure, split->file->path,
        offset == UINT64_MAX ? -1 : spk_line_at(heap, split->file, offset));
}

static void csv_places(spk_heap *heap, const spark_rdd *rdd, int partition, size_t n,
    const int64_t *offsets, int64_t *lines, const char **path)
{
    const spk_split *split = split_of(rdd, partition);
    *path = split->file->path;
    spk_lines_at(heap, split->file, n, offsets, lines);
}

static void csv_release(spark_rdd *rdd)
{
    csv_rdd *c = SPK_NODE(csv_rdd, rdd);
    spk_splits_free(&c->splits);
    spk_csv_free(&c->csv);
    spk_partitioned_free(&c->keys);
    free(c->base);
    spk_files_rdd_release(rdd);
}

/* new_csv: takes the options over. */
static spark_rdd *new_csv(
    spk_verb *v, const char *path, const spark_type *type, spk_csv *csv, bool *made)
{
    static const spk_class class = { .name = "FileScanRDD",
        .prepare = csv_prepare,
        .produce = csv_produce,
        .reads = csv_reads,
        .where = csv_where,
        .places = csv_places,
        .release = csv_release };
    spark_rdd *rdd = spk_files_rdd_make(v, &class, sizeof(csv_rdd), spk_verb_layout(v, type), path,
        csv->min_partitions, made);
    if (*made && csv->mode == SPARK_DROPMALFORMED && !spk_bad_imply(rdd)) {
        spk_failure failure;
        spk_failure_nomem(&failure, NULL, NULL);
        rdd = spk_verb_undo(v, rdd, &failure);
        *made = false;
    }
    if (*made)
        SPK_NODE(csv_rdd, rdd)->csv = *csv;
    else
        spk_csv_free(csv);
    *csv = (spk_csv) { .texts = NULL };
    return rdd;
}

/* ---- the type, where none was given ---- */

/* guesses: the state of the job that looks at values: a guess for each column. */
typedef struct guesses {
    spk_state head;
    spk_csv_guess *of;
    uint64_t seen;
} guesses;

/* looking: what the job is told. */
typedef struct looking {
    const spk_csv *csv;
    const spark_type *type; /* of optional strings */
} looking;

static bool guesses_begin(spk_state *state)
{
    guesses *g = (guesses *)state;
    const looking *l = state->action->arg;
    g->of = calloc(l->type->count + 1u, sizeof *g->of);
    if (!g->of)
        spk_task_nomem(state->task);
    return g->of != NULL;
}

static void guesses_discard(spk_state *state)
{
    guesses *g = (guesses *)state;
    free(g->of);
    g->of = NULL;
}

/* is_sampled: chosen by the place of the row alone. */
static bool is_sampled(const guesses *g, double share)
{
    uint64_t x = g->seen ^ (uint64_t)g->head.task->partition << 40;
    x = (x ^ x >> 33) * UINT64_C(0xff51afd7ed558ccd);
    x = (x ^ x >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return (double)((x ^ x >> 33) >> 11) * 0x1p-53 < share;
}

static void guess_row(guesses *g, const looking *l, const char *row)
{
    enum { SHORT = 64 };
    char copy[SHORT + SPK_CSV_SLACK];
    for (uint32_t i = 0; i < l->type->count; i++) {
        spark_str cell;
        if (g->of[i] == SPK_GUESS_STR || !spark_row_str(row, &l->type->fields[i], &cell))
            continue;
        if (cell.len <= SHORT) { /* digits are read eight at a time */
            memcpy(copy, cell.ptr, cell.len);
            cell.ptr = copy;
        }
        g->of[i] = spk_csv_guess_of(l->csv, g->of[i], cell);
    }
}

static bool guesses_take(void *state, spk_batch batch)
{
    guesses *g = state;
    const looking *l = g->head.action->arg;
    for (size_t i = 0; i < batch.n; i++, g->seen++)
        if (l->csv->sampling >= 1 || is_sampled(g, l->csv->sampling))
            guess_row(g, l, batch.rows + i * l->type->size);
    return true;
}

/* guess: types of all columns, by a job over rdd, whose type is one of optional strings. */
static spark_status guess(
    spark_site at, spark_rdd *rdd, const spk_csv *csv, spk_csv_guess *of, spk_failure *failure)
{
    const looking l = { csv, rdd->layout->type };
    const spk_action action = { .name = "inferSchema",
        .site = at,
        .state_size = sizeof(guesses),
        .arg = &l,
        .begin = guesses_begin,
        .take = guesses_take,
        .discard = guesses_discard };
    if (spk_job_check(rdd, action.name, at, failure) != SPARK_OK)
        return failure->code;
    const int n = spk_rdd_partitions(rdd);
    guesses *parts = calloc((size_t)n + 1, sizeof *parts);
    if (!parts)
        return spk_failure_nomem(failure, action.name, at);
    const spark_status status = spk_job_run(rdd, &action, NULL, n, parts, failure);
    for (int p = 0; status == SPARK_OK && p < n; p++) {
        for (uint32_t i = 0; i < l.type->count; i++)
            of[i] = spk_csv_guess_both(csv, of[i], parts[p].of[i]);
        free(parts[p].of);
    }
    free(parts);
    return status;
}

/* column_name: a name that is to be told apart from the others. */
typedef struct column_name {
    char *text;
    size_t at;
} column_name;

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : (unsigned char)c;
}

/* compare_names: without regard to ASCII case. */
static int compare_names(const char *p, const char *q)
{
    for (; *p && lower(*p) == lower(*q); p++)
        q++;
    return lower(*p) - lower(*q);
}

static int by_name(const void *a, const void *b)
{
    const column_name *x = a, *y = b;
    const int order = compare_names(x->text, y->text);
    return order ? order : x->at < y->at ? -1 : x->at > y->at;
}

/* name_columns: as CSVUtils.makeSafeHeader does; names NULL: by position. Each is an allocation. */
static bool name_columns(const spk_csv *csv, const spark_str *cells, size_t n, column_name *names)
{
    enum { DIGITS = 24 };
    for (size_t i = 0; i < n; i++) {
        const spark_str cell = csv->header ? cells[i] : (spark_str) { NULL, 0 };
        names[i] = (column_name) { malloc(cell.len + DIGITS), i };
        if (!names[i].text)
            return false;
        if (cell.len == 0)
            snprintf(names[i].text, DIGITS, "_c%zu", i);
        else
            memcpy(names[i].text, cell.ptr, cell.len);
        if (cell.len > 0)
            names[i].text[cell.len] = '\0';
    }
    qsort(names, n, sizeof *names, by_name);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && compare_names(names[i].text, names[end].text) == 0; end++)
            ;
        for (size_t k = i; end - i > 1 && k < end; k++)
            snprintf(names[k].text + strlen(names[k].text), DIGITS, "%zu", names[k].at);
    }
    return true;
}

/* struct_of: a struct of optionals; of NULL: of strings. */
static const spark_type *struct_of(spark_context *sc, const column_name *names, size_t n,
    const spk_csv_guess *of, spk_failure *failure)
{
    const spark_type **members = calloc(n + 1, sizeof *members);
    const char **texts = calloc(n + 1, sizeof *texts);
    const spark_type *type = NULL;
    bool good = members && texts;
    for (size_t i = 0; good && i < n; i++) {
        const size_t at = names[i].at;
        texts[at] = names[i].text;
        members[at] = spk_types_optional(
            sc->types, of ? spk_csv_guess_type(of[at]) : SPARK_TYPE(spark_str));
        good = members[at] != NULL;
    }
    if (good)
        type = spk_types_struct(sc->types, n, members, texts);
    if (!type)
        spk_failure_nomem(failure, NULL, NULL);
    free(members);
    free(texts);
    return type;
}

/* read_names: the first record there is; false: *failure is filled. The names are the caller's. */
static bool read_names(spark_context *sc, const spk_csv *csv, const spk_files *files,
    column_name **names, size_t *n, spk_failure *failure)
{
    *n = 0;
    *names = NULL;
    for (size_t i = 0; i < files->n && *n == 0; i++) {
        const spk_split whole = { &files->at[i], 0, files->at[i].size, NULL };
        const spark_str *cells;
        spk_csv_reader *reader;
        if (spk_csv_open(&reader, &sc->heap, csv, NULL, &whole, failure) != SPARK_OK)
            return false;
        failure->code = SPARK_OK;
        *n = spk_csv_names(reader, &cells, failure);
        if (*n > 0 && (!(*names = calloc(*n, sizeof **names)) || !name_columns(csv, cells, *n, *names)))
            spk_failure_nomem(failure, NULL, NULL);
        spk_csv_close(reader);
        if (failure->code != SPARK_OK)
            return false;
    }
    if (*n == 0)
        spk_failure_set(failure, SPARK_EIO, NULL, NULL,
            "there is no line to find columns in; give the type of the rows");
    return *n > 0;
}

static void free_names(column_name *names, size_t n)
{
    for (size_t i = 0; names && i < n; i++)
        free(names[i].text);
    free(names);
}

/* guess_type: the struct of the types that the values have. The files are lent to an RDD of strings. */
static const spark_type *guess_type(spark_site at, spark_context *sc, const spark_csv_options *o,
    const column_name *names, size_t n, const spark_type *strings, spk_files *files,
    spk_failure *failure)
{
    spark_scope *scope = spark_scope_begin(sc);
    spk_csv_guess *of = calloc(n + 1, sizeof *of);
    spk_csv csv = { .texts = NULL };
    const spark_type *type = NULL;
    bool made = false;
    spk_verb v;
    spk_verb_source(&v, at, "csv", sc);
    if (!of || spk_csv_compile(&csv, o, false, failure) != SPARK_OK)
        spk_verb_fail(&v, SPARK_ENOMEM, "out of memory");
    csv.enforce = SPARK_ON;
    spark_rdd *rdd = new_csv(&v, "the same files", strings, &csv, &made);
    if (made) {
        csv_rdd *c = SPK_NODE(csv_rdd, rdd);
        c->head.files = *files;
        if (guess(at, rdd, &c->csv, of, failure) == SPARK_OK)
            type = struct_of(sc, names, n, of, failure);
        c->head.files = (spk_files) { NULL, 0 };
    } else {
        *failure = *rdd->error;
    }
    free(of);
    spark_scope_end(scope);
    return type;
}

/* with_keys: the struct with the columns that are named by directories behind its own. */
static const spark_type *with_keys(spark_context *sc, const spark_type *type,
    const spk_partitioned *keys, size_t n_files, spk_failure *failure)
{
    const uint32_t own = type->count, n = own + keys->n;
    const spark_type **members = calloc(n, sizeof *members);
    const char **texts = calloc(n, sizeof *texts);
    const spark_type *both = NULL;
    bool good = members && texts;
    for (uint32_t i = 0; good && i < n; i++) {
        texts[i] = i < own ? type->fields[i].name : keys->names[i - own].ptr;
        members[i] = i < own ? type->fields[i].type
                             : spk_types_optional(
                                 sc->types, spk_partitioned_type(keys, n_files, i - own));
        good = members[i] != NULL;
    }
    failure->code = SPARK_OK;
    for (uint32_t k = 0; good && k < keys->n; k++)
        if (spark_field_find(type, texts[own + k]))
            spk_failure_set(failure, SPARK_EIO, NULL, NULL,
                "column \"%s\" is in the files and in the names of their directories", texts[own + k]);
    if (good && failure->code == SPARK_OK)
        both = spk_types_struct(sc->types, n, members, texts);
    if (!both && failure->code == SPARK_OK)
        spk_failure_nomem(failure, NULL, NULL);
    free(members);
    free(texts);
    return both;
}

/* list: the files, by a spec that is taken over. */
static spark_status list(spark_context *sc, char *spec, char **base, spk_files *files, spk_failure *failure)
{
    char local[SPK_PATH];
    spark_status status = spec ? spk_partitioned_expand(&spec, base, failure)
                               : spk_failure_nomem(failure, NULL, NULL);
    if (status == SPARK_OK)
        status = spk_files_list(spec, sc->elsewhere, files, failure);
    if (status == SPARK_OK)
        status = spk_files_spool(files, spk_writable_directory(sc->local_dir, local), failure);
    free(spec);
    return status;
}

/* find_type: NULL: *failure is filled; the files are those that were read. */
static const spark_type *find_type(spark_site at, spark_context *sc, const char *path,
    const spark_csv_options *o, const spk_csv *csv, char **base, spk_files *files,
    spk_failure *failure)
{
    spk_partitioned keys = { .n = 0 };
    const spark_type *type = NULL;
    column_name *names;
    size_t n;
    if (list(sc, spk_tree_copy(path), base, files, failure) != SPARK_OK)
        return NULL;
    if (read_names(sc, csv, files, &names, &n, failure))
        type = struct_of(sc, names, n, NULL, failure);
    if (type && csv->infer)
        type = guess_type(at, sc, o, names, n, type, files, failure);
    free_names(names, n);
    if (type && spk_partitioned_find(&keys, files, *base, failure) != SPARK_OK)
        type = NULL;
    if (type && keys.n > 0)
        type = with_keys(sc, type, &keys, files->n, failure);
    spk_partitioned_free(&keys);
    if (!type)
        spk_files_free(files);
    return type;
}

spark_rdd *spark_read_csv(spark_site at, spark_context *sc, const char *path, const spark_type *type,
    const spark_csv_options *options)
{
    spk_verb v;
    bool made;
    spk_csv csv = { .texts = NULL };
    spk_files files = { NULL, 0 };
    spk_failure failure = { .code = SPARK_OK };
    char *base = NULL;
    spk_verb_source(&v, at, "csv", sc);
    spk_files_rdd_check(&v, path, 0);
    if (!v.bad && options && options->base_path
        && !(base = spk_output_path(options->base_path, &failure)))
        spk_verb_fail(&v, failure.code, "option base_path: %s", failure.message);
    if (!v.bad && spk_csv_compile(&csv, options, false, &failure) != SPARK_OK)
        spk_verb_fail(&v, failure.code, "%s", failure.message);
    if (!v.bad && type && spk_csv_fits(type, &failure) != SPARK_OK)
        spk_verb_fail(&v, failure.code, "%s", failure.message);
    if (!v.bad && !type) {
        type = find_type(at, sc, path, options, &csv, &base, &files, &failure);
        csv.enforce = SPARK_ON;
        if (!type)
            spk_verb_fail(&v, failure.code, "%s", failure.message);
    }
    spark_rdd *rdd = new_csv(&v, path, type, &csv, &made);
    if (made) {
        SPK_NODE(csv_rdd, rdd)->head.files = files;
        SPK_NODE(csv_rdd, rdd)->base = base;
    } else {
        spk_files_free(&files);
        free(base);
    }
    return rdd;
}
