/* SPDX-License-Identifier: Apache-2.0 */
/* CSV files as an RDD of structs. A task reads one split, by the header of its file, whose columns may
 * stand in another order than those of the next one. Where no type was given, it is found at the call:
 * names in the first file, types by a job over all of them. */
#include <stdlib.h>

#include <spark/csv.h>

#include "exec/bad.h"
#include "format/csv.h"
#include "io/lines.h"
#include "rdd/action.h"
#include "rdd/narrowed.h"
#include "rdd/source/scan.h"

typedef struct csv_rdd {
    spk_scan scan;
    spk_csv csv;
} csv_rdd;

static spark_status csv_prepare(spark_rdd *rdd, spk_failure *failure)
{
    csv_rdd *c = SPK_NODE(csv_rdd, rdd);
    if (spk_partitioned_prepare(&c->scan.keys, &c->scan.head, c->csv.charset, &c->scan.base, failure) != SPARK_OK)
        return failure->code;
    return spk_scan_split(rdd, spk_csv_is_whole(&c->csv), failure);
}

/* plan_for: for the file of a split; *empty: it has a header to have, and has none. */
static spark_status plan_for(spk_csv_plan *plan, spk_heap *heap, const csv_rdd *c,
    const spk_split *split, bool *empty, spk_failure *failure)
{
    const spk_file *file = split->file;
    const spark_type *type = c->scan.keys.n ? &c->scan.keys.rest : c->scan.head.rdd.layout->type;
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

static size_t next_rows(void *reader, char *rows, size_t max, spk_failure *failure)
{
    return spk_csv_next(reader, rows, max, failure);
}

static uint64_t byte_of(const void *reader)
{
    return spk_csv_row_at(reader, 0);
}

static void put_aside(void *reader, const spk_csv_aside *aside)
{
    spk_csv_put_aside(reader, aside);
}

static const spk_scan_format format = { next_rows, byte_of, put_aside };

static void csv_produce(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    const csv_rdd *c = SPK_NODE(csv_rdd, rdd);
    spark_task *task = pipe->task;
    const spk_watch watch = spk_watch_of(task);
    spk_split split = *spk_scan_at(rdd, partition);
    split.watch = &watch;
    spk_failure failure = { .code = SPARK_OK };
    spk_csv_plan plan = { .columns = NULL };
    spk_csv_reader *reader;
    bool empty;
    if (plan_for(&plan, task->heap, c, &split, &empty, &failure) == SPARK_OK && !empty
        && spk_csv_open(&reader, task->heap, &c->csv, &plan, &split, &failure) == SPARK_OK) {
        failure.code = SPARK_OK;
        spk_scan_read(
            pipe, rdd, partition, &(spk_scan_reader) { &format, reader, split.file, plan.row_size }, &failure);
        spk_csv_close(reader);
    }
    spk_csv_plan_free(&plan);
    if (failure.code != SPARK_OK && !spk_task_failed(task))
        spk_task_fail_with(task, &failure);
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
    const size_t size = c->scan.head.rdd.layout->size, most = 64 * 1024 / size + 1;
    char *rows = spk_heap_alloc(heap, most * size, &capacity);
    if (rows && plan_for(&plan, heap, c, split, &empty, &failure) == SPARK_OK && !empty
        && spk_csv_open(&reader, heap, &c->csv, &plan, split, &failure) == SPARK_OK) {
        const spk_csv_aside nowhere = { NULL, NULL };
        uint64_t before = 0;
        size_t n;
        failure.code = SPARK_OK;
        if (c->scan.head.rdd.bad)
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
    const spk_split *split = spk_scan_at(rdd, partition);
    const uint64_t offset = row < 0
        ? UINT64_MAX
        : offset_of(heap, SPK_NODE(csv_rdd, rdd), split, (uint64_t)row);
    spk_failure_in(failure, split->file->path,
        offset == UINT64_MAX ? -1 : spk_line_at(heap, split->file, offset));
}

static void csv_release(spark_rdd *rdd)
{
    spk_csv_free(&SPK_NODE(csv_rdd, rdd)->csv);
    spk_scan_release(rdd);
}

static const spk_class csv_class = { .name = "FileScanRDD",
    .prepare = csv_prepare,
    .produce = csv_produce,
    .reads = spk_scan_reads,
    .where = csv_where,
    .places = spk_scan_places,
    .release = csv_release };

/* new_csv: takes the options over. */
static spark_rdd *new_csv(
    spk_verb *v, const char *path, const spark_type *type, spk_csv *csv, bool *made)
{
    spark_rdd *rdd = spk_files_rdd_make(v, &csv_class, sizeof(csv_rdd), spk_verb_layout(v, type), path,
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
        if (l->csv->sampling >= 1 || spk_scan_samples(l->csv->sampling, g->head.task->partition, g->seen))
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
    bool made; /* of the position alone */
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
        names[i] = (column_name) { malloc(cell.len + DIGITS), i, cell.len == 0 };
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
        size_t same = !names[i].made;
        for (end = i + 1; end < n && compare_names(names[i].text, names[end].text) == 0; end++)
            same += !names[end].made;
        for (size_t k = i; same > 1 && k < end; k++)
            snprintf(names[k].text + strlen(names[k].text), names[k].made ? 1 : DIGITS, "%zu", names[k].at);
    }
    return true;
}

/* twice: a name that two columns have all the same, as a,a,a0 makes a0,a1,a0; NULL: none. */
static const char *twice(column_name *names, size_t n)
{
    qsort(names, n, sizeof *names, by_name);
    for (size_t i = 1; i < n; i++)
        if (compare_names(names[i - 1].text, names[i].text) == 0)
            return names[i].text;
    return NULL;
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
        const char *name = failure->code == SPARK_OK && *n > 0 ? twice(*names, *n) : NULL;
        if (name)
            spk_failure_set(failure, SPARK_EIO, NULL, NULL,
                "two columns of %s are named \"%.100s\"; give the type of the rows",
                files->at[i].path, name);
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

/* are_small: all files together are what Spark would not split. What type a column has may depend on the order of its
 * values within a partition: of times, then a number, the number is a year. */
static bool are_small(const spk_files *files)
{
    uint64_t left = 4u << 20;
    for (size_t i = 0; i < files->n; i++) {
        if (files->at[i].size >= left)
            return false;
        left -= files->at[i].size;
    }
    return true;
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
    csv.mode = SPARK_PERMISSIVE; /* values of rows that are too short or too long count as well */
    if (are_small(files))
        csv.min_partitions = 1;
    spark_rdd *rdd = new_csv(&v, "the same files", strings, &csv, &made);
    if (made) {
        csv_rdd *c = SPK_NODE(csv_rdd, rdd);
        c->scan.head.files = *files;
        if (guess(at, rdd, &c->csv, of, failure) == SPARK_OK)
            type = struct_of(sc, names, n, of, failure);
        c->scan.head.files = (spk_files) { NULL, 0 };
    } else {
        *failure = *rdd->error;
    }
    free(of);
    spark_scope_end(scope);
    return type;
}

/* find_type: NULL: *failure is filled; the files are those that were read. */
static const spark_type *find_type(spark_site at, spark_context *sc, const char *path,
    const spark_csv_options *o, const spk_csv *csv, char **base, spk_files *files,
    spk_failure *failure)
{
    const spark_type *type = NULL;
    column_name *names;
    size_t n;
    if (spk_partitioned_list(sc, path, csv->charset, base, files, failure) != SPARK_OK)
        return NULL;
    if (read_names(sc, csv, files, &names, &n, failure))
        type = struct_of(sc, names, n, NULL, failure);
    if (type && csv->infer)
        type = guess_type(at, sc, o, names, n, type, files, failure);
    free_names(names, n);
    if (type)
        type = spk_partitioned_with(sc, type, files, *base, failure);
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
    if (!v.bad && spk_partitioned_base(options ? options->base_path : NULL, &base, &failure) != SPARK_OK)
        spk_verb_fail(&v, failure.code, "option base_path: %s", failure.message);
    if (!v.bad && spk_csv_compile(&csv, options, false, &failure) != SPARK_OK)
        spk_verb_fail(&v, failure.code, "%s", failure.message);
    if (!v.bad && type && spk_csv_fits(type, &failure) != SPARK_OK)
        spk_verb_fail(&v, failure.code, "%s", failure.message);
    if (!v.bad && !type) {
        type = find_type(at, sc, path, options, &csv, &base, &files, &failure);
        csv.enforce = SPARK_ON;
        if (!type)
            spk_verb_fail_as(&v, &failure);
    }
    spark_rdd *rdd = new_csv(&v, path, type, &csv, &made);
    if (made) {
        SPK_NODE(csv_rdd, rdd)->scan.head.files = files;
        SPK_NODE(csv_rdd, rdd)->scan.base = base;
    } else {
        spk_files_free(&files);
        free(base);
    }
    return rdd;
}

/* ---- some of the members ---- */

typedef struct csv_part {
    spk_narrowed head;
    size_t n;
    uint32_t members[]; /* of the whole, ascending */
} csv_part;

/* narrow: the plan for the whole row as one for the row of the part. */
static void narrow(spk_csv_plan *plan, const csv_part *part)
{
    const spark_type *whole = part->head.whole->layout->type, *type = part->head.rdd.layout->type;
    size_t kept = 0;
    for (size_t c = 0; c < plan->n; c++) {
        spk_csv_column column = plan->columns[c];
        for (size_t i = 0; i < part->n; i++) {
            const spark_field *from = &whole->fields[part->members[i]], *to = &type->fields[i];
            if (column.field != from)
                continue;
            column.offset = column.offset - (uint32_t)from->offset + (uint32_t)to->offset;
            if (column.present >= 0)
                column.present = column.present - (int32_t)from->offset + (int32_t)to->offset;
            plan->columns[kept++] = column;
            break;
        }
    }
    plan->n = kept;
    plan->row_size = (uint32_t)type->size;
}

static void part_produce(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    const csv_part *part = SPK_NODE(csv_part, rdd);
    const csv_rdd *c = SPK_NODE(csv_rdd, part->head.whole);
    spark_task *task = pipe->task;
    const spk_watch watch = spk_watch_of(task);
    spk_split split = *spk_scan_at(part->head.whole, partition);
    split.watch = &watch;
    spk_failure failure = { .code = SPARK_OK };
    spk_csv_plan plan = { .columns = NULL };
    spk_csv_reader *reader;
    bool empty;
    if (plan_for(&plan, task->heap, c, &split, &empty, &failure) == SPARK_OK && !empty) {
        narrow(&plan, part);
        if (spk_csv_open(&reader, task->heap, &c->csv, &plan, &split, &failure) == SPARK_OK) {
            failure.code = SPARK_OK;
            spk_scan_push(pipe, &(spk_scan_reader) { &format, reader, split.file, plan.row_size }, &failure);
            spk_csv_close(reader);
        }
    }
    spk_csv_plan_free(&plan);
    if (failure.code != SPARK_OK && !spk_task_failed(task))
        spk_task_fail_with(task, &failure);
}

static bool has_corrupt(const csv_rdd *c)
{
    const spark_type *type = c->scan.head.rdd.layout->type;
    for (uint32_t i = 0; i < type->count; i++)
        if (strcmp(type->fields[i].name, c->csv.corrupt.ptr) == 0)
            return true;
    return false;
}

spark_rdd *spk_csv_narrowed(spark_site at, spark_rdd *rdd, size_t n, const uint32_t *members)
{
    static const spk_class class = { .name = "FileScanRDD",
        .prepare = spk_narrowed_prepare,
        .produce = part_produce,
        .reads = spk_narrowed_reads,
        .where = spk_narrowed_where,
        .release = spk_narrowed_release };
    if (rdd->class != &csv_class || !spk_may_narrow(rdd) || SPK_NODE(csv_rdd, rdd)->scan.keys.n > 0
        || has_corrupt(SPK_NODE(csv_rdd, rdd)))
        return NULL;
    spark_rdd *made = spk_narrowed_make(at, &class, sizeof(csv_part) + n * sizeof *members, rdd, n, members);
    if (made) {
        SPK_NODE(csv_part, made)->n = n;
        memcpy(SPK_NODE(csv_part, made)->members, members, n * sizeof *members);
    }
    return made;
}
