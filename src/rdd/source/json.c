/* SPDX-License-Identifier: Apache-2.0 */
/* JSON files as an RDD of structs: lines, or whole files, each read into a row or rows. Where no type was given,
 * it is found at the call, by a job over the texts of all records. */
#include <stdlib.h>

#include <spark/json.h>

#include "format/json_infer.h"
#include "io/lines.h"
#include "rdd/action.h"
#include "rdd/source/files_rdd.h"

typedef struct json_rdd {
    spk_files_rdd head;
    spk_splits splits;
    spk_json json;
    spk_json_plan plan;
    bool texts; /* the rows are the texts of the records */
} json_rdd;

static const spk_split *split_of(const spark_rdd *rdd, int partition)
{
    return &SPK_NODE(json_rdd, rdd)->splits.at[partition];
}

static spark_status json_prepare(spark_rdd *rdd, spk_failure *failure)
{
    json_rdd *j = SPK_NODE(json_rdd, rdd);
    if (spk_files_rdd_list(rdd, true, failure) != SPARK_OK)
        return failure->code;
    const spark_status status = j->json.whole
        ? spk_splits_whole(&j->head.files, &j->splits, failure)
        : spk_splits_make(&j->head.files, j->head.asked, &j->splits, failure);
    if (status == SPARK_OK)
        spk_rdd_partitions_set(rdd, (int)j->splits.n);
    return status;
}

static spark_status open_split(spk_json_reader **reader, spk_heap *heap, const json_rdd *j,
    const spk_split *split, spk_failure *failure)
{
    const spark_status status
        = spk_json_open(reader, heap, &j->json, j->texts ? NULL : &j->plan, split, failure);
    if (status == SPARK_OK)
        failure->code = SPARK_OK;
    return status;
}

static void json_produce(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    const json_rdd *j = SPK_NODE(json_rdd, rdd);
    const size_t size = rdd->layout->size;
    spark_task *task = pipe->task;
    spk_failure failure = { .code = SPARK_OK };
    spk_json_reader *reader;
    char *rows = spk_arena_alloc(spk_keep_of(task), spk_task_fit(task, size) * size, 64);
    if (!rows) {
        spk_task_nomem(task);
        return;
    }
    const spk_watch watch = spk_watch_of(task);
    spk_split split = *split_of(rdd, partition);
    split.watch = &watch;
    if (open_split(&reader, task->heap, j, &split, &failure) == SPARK_OK) {
        for (;;) {
            const size_t n = spk_json_next(reader, rows, spk_pipe_rows(pipe, size), &failure);
            if (n == 0 || !spk_push(pipe, rows, n))
                break;
        }
        spk_json_close(reader);
    }
    if (failure.code != SPARK_OK)
        spk_task_fail_with(task, &failure);
}

static int64_t json_reads(const spark_rdd *rdd, int partition, const char **path)
{
    const spk_split *split = split_of(rdd, partition);
    *path = split->file->path;
    return spk_split_reads(split);
}

/* line_of: the line of the file that a row was made of; -1: it cannot be told any more. */
static int64_t line_of(spk_heap *heap, const json_rdd *j, const spk_split *split, int64_t row)
{
    spk_failure failure = { .code = SPARK_OK };
    spk_json_reader *reader;
    size_t capacity;
    int64_t found = -1;
    char *one = spk_heap_alloc(heap, j->head.rdd.layout->size, &capacity);
    if (one && open_split(&reader, heap, j, split, &failure) == SPARK_OK) {
        while (row >= 0 && spk_json_next(reader, one, 1, &failure) == 1)
            row--;
        found = row < 0 ? spk_json_line(reader) : -1;
        spk_json_close(reader);
    }
    if (one)
        spk_heap_free(heap, one, capacity);
    return found;
}

static void json_where(
    spk_heap *heap, const spark_rdd *rdd, int partition, int64_t row, spk_failure *failure)
{
    const spk_split *split = split_of(rdd, partition);
    const json_rdd *j = SPK_NODE(json_rdd, rdd);
    spk_failure_in(failure, split->file->path, row < 0 ? -1 : line_of(heap, j, split, row));
}

static void json_release(spark_rdd *rdd)
{
    json_rdd *j = SPK_NODE(json_rdd, rdd);
    spk_splits_free(&j->splits);
    spk_json_plan_free(&j->plan);
    spk_json_options_free(&j->json);
    spk_files_rdd_release(rdd);
}

/* new_json: takes the options over. type NULL: of the texts of the records. */
static spark_rdd *new_json(
    spk_verb *v, const char *path, const spark_type *type, spk_json *json, bool *made)
{
    static const spk_class class = { .name = "FileScanRDD",
        .prepare = json_prepare,
        .produce = json_produce,
        .reads = json_reads,
        .where = json_where,
        .release = json_release };
    spk_failure failure;
    const spk_layout *layout = v->bad ? NULL : spk_verb_layout(v, type ? type : SPARK_TYPE(spark_str));
    spark_rdd *rdd
        = spk_files_rdd_make(v, &class, sizeof(json_rdd), layout, path, json->min_partitions, made);
    if (!*made) {
        spk_json_options_free(json);
        return rdd;
    }
    json_rdd *j = SPK_NODE(json_rdd, rdd);
    j->json = *json;
    j->texts = !type;
    *json = (spk_json) { .rules = 0 };
    if (type
        && spk_json_plan_make(&j->plan, &j->json.formats, j->json.rules, layout->type, &failure) != SPARK_OK) {
        *made = false;
        return spk_verb_undo(v, rdd, &failure);
    }
    return rdd;
}

/* ---- the type, where none was given ---- */

/* finding: the state of the job that looks at records. */
typedef struct finding {
    spk_state head;
    spk_json_schema schema;
    uint64_t seen;
} finding;

/* is_sampled: chosen by the place of the record alone. */
static bool is_sampled(const finding *f, double share)
{
    uint64_t x = f->seen ^ (uint64_t)f->head.task->partition << 40;
    x = (x ^ x >> 33) * UINT64_C(0xff51afd7ed558ccd);
    x = (x ^ x >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return (double)((x ^ x >> 33) >> 11) * 0x1p-53 < share;
}

static bool finding_take(void *state, spk_batch batch)
{
    finding *f = state;
    const spk_json *json = f->head.action->arg;
    const spark_str *records = (const spark_str *)(const void *)batch.rows;
    for (size_t i = 0; i < batch.n; i++, f->seen++) {
        spk_failure failure;
        if (json->sampling < 1 && !is_sampled(f, json->sampling))
            continue;
        if (spk_json_infer(&f->schema, json, records[i], &failure) == SPARK_OK)
            continue;
        spk_task_fail_with(f->head.task, &failure);
        return false;
    }
    return true;
}

static void finding_discard(spk_state *state)
{
    spk_json_schema_free(&((finding *)state)->schema);
}

/* find: the type of all records, by a job over rdd, whose rows are their texts. */
static const spark_type *find(
    spark_site at, spark_rdd *rdd, const spk_json *json, spk_failure *failure)
{
    const spk_action action = { .name = "inferSchema",
        .site = at,
        .state_size = sizeof(finding),
        .arg = json,
        .take = finding_take,
        .discard = finding_discard };
    spk_json_schema all = { .corrupt = false };
    const spark_type *type = NULL;
    if (spk_job_check(rdd, action.name, at, failure) != SPARK_OK)
        return NULL;
    const int n = spk_rdd_partitions(rdd);
    finding *parts = calloc((size_t)n + 1, sizeof *parts);
    if (!parts) {
        spk_failure_nomem(failure, action.name, at);
        return NULL;
    }
    if (spk_job_run(rdd, &action, NULL, n, parts, failure) == SPARK_OK) {
        failure->code = SPARK_OK;
        for (int p = 0; p < n; p++) {
            if (failure->code == SPARK_OK)
                spk_json_schema_add(&all, &parts[p].schema, failure);
            spk_json_schema_free(&parts[p].schema);
        }
        if (failure->code == SPARK_OK)
            type = spk_json_schema_type(&all, json, rdd->sc->types, failure);
    }
    spk_json_schema_free(&all);
    free(parts);
    return type;
}

/* find_type: NULL: *failure is filled; the files are those that were read, and are lent to the RDD of texts. */
static const spark_type *find_type(spark_site at, spark_context *sc, const char *path,
    const spark_json_options *o, spk_files *files, spk_failure *failure)
{
    const spark_type *type = NULL;
    char local[SPK_PATH];
    spk_json json = { .rules = 0 };
    bool made;
    spk_verb v;
    if (spk_files_list(path, sc->elsewhere, files, failure) != SPARK_OK
        || spk_files_spool(files, spk_writable_directory(sc->local_dir, local), failure) != SPARK_OK)
        return NULL;
    spark_scope *scope = spark_scope_begin(sc);
    spk_verb_source(&v, at, "json", sc);
    if (spk_json_compile(&json, o, failure) != SPARK_OK)
        spk_verb_fail_with(&v, failure);
    spark_rdd *rdd = new_json(&v, "the same files", NULL, &json, &made);
    if (made) {
        json_rdd *j = SPK_NODE(json_rdd, rdd);
        j->head.files = *files;
        type = find(at, rdd, &j->json, failure);
        j->head.files = (spk_files) { NULL, 0 };
    } else {
        *failure = *rdd->error;
    }
    spark_scope_end(scope);
    if (!type)
        spk_files_free(files);
    return type;
}

spark_rdd *spark_read_json(spark_site at, spark_context *sc, const char *path,
    const spark_type *type, const spark_json_options *options)
{
    spk_verb v;
    bool made;
    spk_json json = { .rules = 0 };
    spk_files files = { NULL, 0 };
    spk_failure failure = { .code = SPARK_OK };
    spk_verb_source(&v, at, "json", sc);
    spk_files_rdd_check(&v, path, options ? options->min_partitions : 0);
    if (!v.bad && spk_json_compile(&json, options, &failure) != SPARK_OK)
        spk_verb_fail(&v, failure.code, "%s", failure.message);
    if (!v.bad && type && spk_json_fits(type, &failure) != SPARK_OK)
        spk_verb_fail(&v, failure.code, "%s", failure.message);
    if (!v.bad && !type && !(type = find_type(at, sc, path, options, &files, &failure)))
        spk_verb_fail(&v, failure.code, "%s", failure.message);
    spark_rdd *rdd = new_json(&v, path, type, &json, &made);
    if (made)
        SPK_NODE(json_rdd, rdd)->head.files = files;
    else
        spk_files_free(&files);
    return rdd;
}
