/* SPDX-License-Identifier: Apache-2.0 */
/* JSON files as an RDD of structs: lines, or whole files, each read into a row or rows. Where no type was given,
 * it is found at the call, by a job over the texts of all records. */
#include <stdlib.h>

#include <spark/json.h>

#include "exec/bad.h"
#include "format/json_infer.h"
#include "io/lines.h"
#include "rdd/action.h"
#include "rdd/narrowed.h"
#include "rdd/source/scan.h"

typedef struct json_rdd {
    spk_scan scan;
    spk_json json;
    spk_json_plan plan;
    bool texts; /* the rows are the texts of the records */
} json_rdd;

/* find_files: and the columns that are named by the directories they are in, which are no members of objects. */
static spark_status find_files(json_rdd *j, spk_failure *failure)
{
    const spark_status status = spk_partitioned_prepare(
        &j->scan.keys, &j->scan.head, j->json.charset, &j->scan.base, failure);
    if (status != SPARK_OK || j->scan.keys.n == 0)
        return status;
    spk_json_plan_free(&j->plan);
    return spk_json_plan_make(&j->plan, &j->json.formats, j->json.rules, &j->scan.keys.rest, failure);
}

static spark_status json_prepare(spark_rdd *rdd, spk_failure *failure)
{
    json_rdd *j = SPK_NODE(json_rdd, rdd);
    if (find_files(j, failure) != SPARK_OK)
        return failure->code;
    return spk_scan_split(rdd, j->json.whole, failure);
}

static spark_status open_split(spk_json_reader **reader, spk_heap *heap, const json_rdd *j,
    const spk_json_plan *plan, const spk_split *split, spk_failure *failure)
{
    const spark_status status = spk_json_open(reader, heap, &j->json, plan, split, failure);
    if (status == SPARK_OK)
        failure->code = SPARK_OK;
    return status;
}

static size_t next_rows(void *reader, char *rows, size_t max, spk_failure *failure)
{
    return spk_json_next(reader, rows, max, failure);
}

static uint64_t byte_of(const void *reader)
{
    return spk_json_byte(reader);
}

static void put_aside(void *reader, const spk_csv_aside *aside)
{
    spk_json_put_aside(reader, aside);
}

/* produce_with: rows of `size`, of rdd or of some of its members. */
static void produce_with(
    spk_pipe *pipe, spark_rdd *rdd, const spk_json_plan *plan, size_t size, int partition)
{
    static const spk_scan_format format = { next_rows, byte_of, put_aside };
    const json_rdd *j = SPK_NODE(json_rdd, rdd);
    spark_task *task = pipe->task;
    const spk_watch watch = spk_watch_of(task);
    spk_split split = *spk_scan_at(rdd, partition);
    split.watch = &watch;
    spk_failure failure = { .code = SPARK_OK };
    spk_json_reader *reader;
    if (open_split(&reader, task->heap, j, plan, &split, &failure) == SPARK_OK) {
        spk_scan_read(pipe, rdd, partition, &(spk_scan_reader) { &format, reader, split.file, size }, &failure);
        spk_json_close(reader);
    }
    if (failure.code != SPARK_OK && !spk_task_failed(task))
        spk_task_fail_with(task, &failure);
}

static void json_produce(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    const json_rdd *j = SPK_NODE(json_rdd, rdd);
    produce_with(pipe, rdd, j->texts ? NULL : &j->plan, rdd->layout->size, partition);
}

/* line_of: the line of the file that a row was made of; -1: it cannot be told any more. */
static int64_t line_of(spk_heap *heap, const json_rdd *j, const spk_split *split, int64_t row)
{
    spk_failure failure = { .code = SPARK_OK };
    spk_json_reader *reader;
    size_t capacity;
    int64_t found = -1;
    char *one = spk_heap_alloc(heap, j->scan.head.rdd.layout->size, &capacity);
    if (one && open_split(&reader, heap, j, j->texts ? NULL : &j->plan, split, &failure) == SPARK_OK) {
        const spk_csv_aside nowhere = { NULL, NULL };
        if (j->scan.head.rdd.bad)
            spk_json_put_aside(reader, &nowhere);
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
    const spk_split *split = spk_scan_at(rdd, partition);
    const json_rdd *j = SPK_NODE(json_rdd, rdd);
    spk_failure_in(failure, split->file->path, row < 0 ? -1 : line_of(heap, j, split, row));
}

static void json_release(spark_rdd *rdd)
{
    json_rdd *j = SPK_NODE(json_rdd, rdd);
    spk_json_plan_free(&j->plan);
    spk_json_options_free(&j->json);
    spk_scan_release(rdd);
}

static const spk_class json_class = { .name = "FileScanRDD",
    .prepare = json_prepare,
    .produce = json_produce,
    .reads = spk_scan_reads,
    .where = json_where,
    .places = spk_scan_places,
    .release = json_release };

/* new_json: takes the options over. type NULL: of the texts of the records. */
static spark_rdd *new_json(
    spk_verb *v, const char *path, const spark_type *type, spk_json *json, bool *made)
{
    spk_failure failure;
    const spk_layout *layout = v->bad ? NULL : spk_verb_layout(v, type ? type : SPARK_TYPE(spark_str));
    spark_rdd *rdd
        = spk_files_rdd_make(v, &json_class, sizeof(json_rdd), layout, path, json->min_partitions, made);
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
    if (type && j->json.formats.mode == SPARK_DROPMALFORMED && !spk_bad_imply(rdd)) {
        spk_failure_nomem(&failure, NULL, NULL);
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

/* looking: what the job is told. */
typedef struct looking {
    const spk_json *json;
    const spark_rdd *rdd;
} looking;

static bool finding_take(void *state, spk_batch batch)
{
    finding *f = state;
    const looking *l = f->head.action->arg;
    const spk_json *json = l->json;
    const spark_str *records = (const spark_str *)(const void *)batch.rows;
    for (size_t i = 0; i < batch.n; i++, f->seen++) {
        spk_failure failure;
        if (json->sampling < 1 && !spk_scan_samples(json->sampling, f->head.task->partition, f->seen))
            continue;
        if (spk_json_infer(&f->schema, json, records[i], &failure) == SPARK_OK)
            continue;
        json_where(f->head.task->heap, l->rdd, f->head.task->partition, (int64_t)f->seen, &failure);
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
    const looking l = { json, rdd };
    const spk_action action = { .name = "inferSchema",
        .site = at,
        .state_size = sizeof(finding),
        .arg = &l,
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
    const spark_json_options *o, spk_charset charset, char **base, spk_files *files, spk_failure *failure)
{
    const spark_type *type = NULL;
    spk_json json = { .rules = 0 };
    bool made;
    spk_verb v;
    if (spk_partitioned_list(sc, path, charset, base, files, failure) != SPARK_OK)
        return NULL;
    spark_scope *scope = spark_scope_begin(sc);
    spk_verb_source(&v, at, "json", sc);
    if (spk_json_compile(&json, o, failure) != SPARK_OK)
        spk_verb_fail_with(&v, failure);
    spark_rdd *rdd = new_json(&v, "the same files", NULL, &json, &made);
    if (made) {
        json_rdd *j = SPK_NODE(json_rdd, rdd);
        j->scan.head.files = *files;
        type = files->n > 0 ? find(at, rdd, &j->json, failure)
                            : spk_json_schema_type(&(spk_json_schema) { .corrupt = false }, &j->json,
                                sc->types, failure);
        j->scan.head.files = (spk_files) { NULL, 0 };
    } else {
        *failure = *rdd->error;
    }
    spark_scope_end(scope);
    if (type)
        type = spk_partitioned_with(sc, type, files, *base, failure);
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
    char *base = NULL;
    spk_verb_source(&v, at, "json", sc);
    spk_files_rdd_check(&v, path, options ? options->min_partitions : 0);
    if (!v.bad && spk_partitioned_base(options ? options->base_path : NULL, &base, &failure) != SPARK_OK)
        spk_verb_fail(&v, failure.code, "option base_path: %s", failure.message);
    if (!v.bad && spk_json_compile(&json, options, &failure) != SPARK_OK)
        spk_verb_fail(&v, failure.code, "%s", failure.message);
    if (!v.bad && type && spk_json_fits(type, &failure) != SPARK_OK)
        spk_verb_fail(&v, failure.code, "%s", failure.message);
    if (!v.bad && !type
        && !(type = find_type(at, sc, path, options, json.charset, &base, &files, &failure)))
        spk_verb_fail_as(&v, &failure);
    spark_rdd *rdd = new_json(&v, path, type, &json, &made);
    if (made) {
        SPK_NODE(json_rdd, rdd)->scan.head.files = files;
        SPK_NODE(json_rdd, rdd)->scan.base = base;
    } else {
        spk_files_free(&files);
        free(base);
    }
    return rdd;
}

/* ---- some of the members ---- */

typedef struct json_part {
    spk_narrowed head;
    spk_json_plan plan;
} json_part;

static void part_produce(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    const json_part *part = SPK_NODE(json_part, rdd);
    produce_with(pipe, part->head.whole, &part->plan, rdd->layout->size, partition);
}

static void part_release(spark_rdd *rdd)
{
    spk_json_plan_free(&SPK_NODE(json_part, rdd)->plan);
    spk_narrowed_release(rdd);
}

spark_rdd *spk_json_narrowed(spark_site at, spark_rdd *rdd, size_t n, const uint32_t *members)
{
    static const spk_class class = { .name = "FileScanRDD",
        .prepare = spk_narrowed_prepare,
        .produce = part_produce,
        .reads = spk_narrowed_reads,
        .where = spk_narrowed_where,
        .release = part_release };
    spk_failure failure;
    if (rdd->class != &json_class || !spk_may_narrow(rdd))
        return NULL;
    const json_rdd *j = SPK_NODE(json_rdd, rdd);
    if (j->texts || j->scan.keys.n > 0)
        return NULL;
    spark_rdd *made = spk_narrowed_make(at, &class, sizeof(json_part), rdd, n, members);
    if (made
        && spk_json_plan_make(&SPK_NODE(json_part, made)->plan, &j->json.formats, j->json.rules, made->layout->type,
               &failure)
            != SPARK_OK)
        return NULL; /* it goes with its scope */
    return made;
}
