/* SPDX-License-Identifier: Apache-2.0 */
/* JSON lines as an RDD of structs: the lines of a text, each read into a row. */
#include <stdlib.h>

#include <spark/json.h>

#include "format/json_row.h"
#include "io/lines.h"
#include "rdd/source/files_rdd.h"

typedef struct json_rdd {
    spk_files_rdd head;
    spk_splits splits;
    spk_csv formats; /* of dates and times; mode and the member for malformed texts */
} json_rdd;

/* json_reader: rows of a split. */
typedef struct json_reader {
    const json_rdd *rdd;
    const spk_split *split;
    spk_heap *heap;
    spk_lines lines;
    spk_arena texts;
    uint64_t line; /* of the split, next */
} json_reader;

static const spk_split *split_of(const spark_rdd *rdd, int partition)
{
    return &SPK_NODE(json_rdd, rdd)->splits.at[partition];
}

static spark_status json_prepare(spark_rdd *rdd, spk_failure *failure)
{
    json_rdd *j = SPK_NODE(json_rdd, rdd);
    if (spk_files_rdd_list(rdd, true, failure) != SPARK_OK
        || spk_splits_make(&j->head.files, j->head.asked, &j->splits, failure) != SPARK_OK)
        return failure->code;
    spk_rdd_partitions_set(rdd, (int)j->splits.n);
    return SPARK_OK;
}

static spark_status json_open(json_reader *r, spk_heap *heap, const json_rdd *rdd,
    const spk_split *split, spk_failure *failure)
{
    *r = (json_reader) { .rdd = rdd, .split = split, .heap = heap };
    if (spk_lines_open(&r->lines, heap, split, failure) != SPARK_OK)
        return failure->code;
    spk_arena_init(&r->texts, heap);
    failure->code = SPARK_OK;
    return SPARK_OK;
}

static void json_close(json_reader *r)
{
    spk_arena_fini(&r->texts);
    spk_lines_close(&r->lines);
}

/* blame: what is wrong with a line, and where. */
static void blame(const json_reader *r, const spk_json_outcome *o, spk_failure *failure)
{
    char why[200], member[150] = "", name[100];
    const long long line = spk_lines_number(r->heap, r->split, r->line, NULL);
    const int most = o->value.len < 60 ? (int)o->value.len : 60;
    if (o->why)
        snprintf(why, sizeof why, "%s", o->why);
    else if (o->null)
        snprintf(why, sizeof why, "null where a %s must be",
            spk_type_name(o->type, name, sizeof name));
    else
        snprintf(why, sizeof why, "cannot read %.*s%s as %s", most, o->value.ptr,
            (size_t)most < o->value.len ? "..." : "", spk_type_name(o->type, name, sizeof name));
    if (o->field)
        snprintf(member, sizeof member, ", member \"%.100s\"", o->field->name);
    for (char *p = why; *p; p++)
        *p = (unsigned char)*p < ' ' ? ' ' : *p;
    spk_failure_set(failure, SPARK_EIO, NULL, NULL, "%s: %s:%lld:%zu%s", why, r->split->file->path,
        line, o->at + 1, member);
    spk_failure_in(failure, r->split->file->path, line);
}

static bool is_empty(spark_str line)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.ptr[i] != ' ' && line.ptr[i] != '\t')
            return false;
    return true;
}

/* read_line: false: no row, or *failure is filled. */
static bool read_line(json_reader *r, spark_str line, char *row, spk_failure *failure)
{
    const spk_csv *formats = &r->rdd->formats;
    const spk_layout *layout = r->rdd->head.rdd.layout;
    spk_json_outcome outcome;
    if (is_empty(line))
        return false;
    memset(row, 0, layout->size);
    spk_json_read(formats, layout->type, line, row, &r->texts, &outcome);
    if (outcome.nomem) {
        spk_failure_nomem(failure, NULL, NULL);
        return false;
    }
    if (!outcome.bad && !outcome.lost)
        return true;
    if (formats->mode == SPARK_DROPMALFORMED)
        return false;
    if (outcome.lost || formats->mode == SPARK_FAILFAST)
        blame(r, &outcome, failure);
    return failure->code == SPARK_OK;
}

/* json_next: up to max rows; the number in the split of the line of the last one is r->line - 1 then. */
static size_t json_next(json_reader *r, char *rows, size_t max, spk_failure *failure)
{
    enum { AT_ONCE = 256 };
    const size_t size = r->rdd->head.rdd.layout->size;
    spark_str lines[AT_ONCE];
    size_t n = 0, got;
    spk_arena_reset(&r->texts);
    do {
        got = spk_lines_next(&r->lines, lines, max < AT_ONCE ? max : AT_ONCE, failure);
        for (size_t i = 0; i < got && failure->code == SPARK_OK; i++) {
            n += read_line(r, lines[i], rows + n * size, failure);
            r->line += failure->code == SPARK_OK;
        }
    } while (n == 0 && got > 0 && failure->code == SPARK_OK);
    return failure->code == SPARK_OK ? n : 0;
}

static void json_produce(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    const json_rdd *j = SPK_NODE(json_rdd, rdd);
    const size_t size = rdd->layout->size;
    spark_task *task = pipe->task;
    spk_failure failure = { .code = SPARK_OK };
    json_reader reader;
    char *rows = spk_arena_alloc(spk_keep_of(task), spk_task_fit(task, size) * size, 64);
    if (!rows) {
        spk_task_nomem(task);
        return;
    }
    const spk_watch watch = spk_watch_of(task);
    spk_split split = *split_of(rdd, partition);
    split.watch = &watch;
    if (json_open(&reader, task->heap, j, &split, &failure) == SPARK_OK) {
        for (;;) {
            const size_t n = json_next(&reader, rows, spk_pipe_rows(pipe, size), &failure);
            if (n == 0 || !spk_push(pipe, rows, n))
                break;
        }
        json_close(&reader);
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

/* line_of: the line of the split that a row was made of; -1: it cannot be told any more. */
static int64_t line_of(spk_heap *heap, const json_rdd *j, const spk_split *split, int64_t row)
{
    spk_failure failure;
    json_reader reader;
    size_t capacity;
    int64_t found = -1;
    char *one = spk_heap_alloc(heap, j->head.rdd.layout->size, &capacity);
    if (one && json_open(&reader, heap, j, split, &failure) == SPARK_OK) {
        while (row >= 0 && json_next(&reader, one, 1, &failure) == 1)
            row--;
        found = row < 0 ? (int64_t)reader.line - 1 : -1;
        json_close(&reader);
    }
    if (one)
        spk_heap_free(heap, one, capacity);
    return found;
}

static void json_where(
    spk_heap *heap, const spark_rdd *rdd, int partition, int64_t row, spk_failure *failure)
{
    const spk_split *split = split_of(rdd, partition);
    const int64_t line
        = row < 0 ? -1 : line_of(heap, SPK_NODE(json_rdd, rdd), split, row);
    spk_failure_in(failure, split->file->path,
        line < 0 ? -1 : spk_lines_number(heap, split, (uint64_t)line, NULL));
}

static void json_release(spark_rdd *rdd)
{
    json_rdd *j = SPK_NODE(json_rdd, rdd);
    spk_splits_free(&j->splits);
    spk_csv_free(&j->formats);
    spk_files_rdd_release(rdd);
}

spark_rdd *spark_read_json(spark_site at, spark_context *sc, const char *path,
    const spark_type *type, const spark_json_options *options)
{
    static const spk_class class = { .name = "FileScanRDD",
        .prepare = json_prepare,
        .produce = json_produce,
        .reads = json_reads,
        .where = json_where,
        .release = json_release };
    static const spark_json_options defaults = { .min_partitions = 0 };
    const spark_json_options *o = options ? options : &defaults;
    const spark_csv_options as_csv = { .mode = o->mode,
        .column_name_of_corrupt_record = o->column_name_of_corrupt_record,
        .date_format = o->date_format,
        .timestamp_format = o->timestamp_format };
    spk_csv formats = { .texts = NULL };
    spk_failure failure;
    spk_verb v;
    bool made;
    spk_verb_source(&v, at, "json", sc);
    spk_files_rdd_check(&v, path, o->min_partitions);
    if (!type)
        spk_verb_fail(&v, SPARK_EINVAL, "the type of the rows is NULL");
    if (!v.bad
        && (spk_json_fits(type, &failure) != SPARK_OK
            || spk_csv_compile(&formats, &as_csv, false, &failure) != SPARK_OK))
        spk_verb_fail(&v, failure.code, "%s", failure.message);
    const spk_layout *layout = v.bad ? NULL : spk_verb_layout(&v, type);
    spark_rdd *rdd
        = spk_files_rdd_make(&v, &class, sizeof(json_rdd), layout, path, o->min_partitions, &made);
    if (made)
        SPK_NODE(json_rdd, rdd)->formats = formats;
    else
        spk_csv_free(&formats);
    return rdd;
}
