/* SPDX-License-Identifier: Apache-2.0 */
/* Files as elements: whole, each with its path, or cut into records of equal length. */
#include <stdlib.h>

#include <spark/source.h>

#include "io/codec.h"
#include "io/form.h"
#include "rdd/source/files_rdd.h"

typedef struct whole_rdd {
    spk_files_rdd head;
    size_t record; /* bytes of a record; 0: whole files */
    bool text;     /* whole texts */
} whole_rdd;

static spark_status odd_size(
    const whole_rdd *w, const spk_file *file, uint64_t size, spk_failure *failure)
{
    return spk_failure_set(failure, SPARK_EIO, NULL, NULL,
        "%s has %llu bytes, which is no multiple of %zu", file->path, (unsigned long long)size,
        w->record);
}

static spark_status whole_files_prepare(spark_rdd *rdd, spk_failure *failure)
{
    const whole_rdd *w = SPK_NODE(whole_rdd, rdd);
    if (spk_files_rdd_list(rdd, true, failure) != SPARK_OK)
        return failure->code;
    for (size_t i = 0; w->record && i < w->head.files.n; i++) {
        const spk_file *file = &w->head.files.at[i];
        if (file->source == &spk_codec_source) {
            spk_failure_set(failure, SPARK_EIO, NULL, NULL,
                "%s is compressed; binary_records reads files as they are", file->path);
            spk_files_free(&SPK_NODE(spk_files_rdd, rdd)->files);
            return failure->code;
        }
        if (file->size == SPK_TO_END || file->size % w->record == 0)
            continue;
        odd_size(w, file, file->size, failure);
        spk_files_free(&SPK_NODE(spk_files_rdd, rdd)->files);
        return failure->code;
    }
    if (!w->text)
        spk_files_raw(&SPK_NODE(spk_files_rdd, rdd)->files);
    const int n = (int)w->head.files.n;
    spk_rdd_partitions_set(rdd, n < w->head.asked ? n : w->head.asked);
    return SPARK_OK;
}

/* files_of: which files a partition reads. */
static size_t files_of(const spark_rdd *rdd, int partition, size_t *to)
{
    const uint64_t files = SPK_NODE(whole_rdd, rdd)->head.files.n;
    const uint64_t n = (uint64_t)spk_rdd_partitions(rdd);
    *to = (size_t)(((uint64_t)partition + 1) * files / n);
    return (size_t)((uint64_t)partition * files / n);
}

/* push_whole: the pair (path, content). */
static bool push_whole(
    spk_pipe *pipe, const spk_layout *pair, const spk_file *file, char *content, size_t n)
{
    char *row = spk_arena_alloc(spk_keep_of(pipe->task), pair->size, 16);
    const spark_str path = { file->path, strlen(file->path) };
    const spark_str text = { content, n };
    if (!row) {
        spk_task_nomem(pipe->task);
        return false;
    }
    memset(row, 0, pair->size);
    memcpy(row, &path, sizeof path);
    memcpy(row + pair->value_offset, &text, sizeof text);
    return spk_push(pipe, row, 1);
}

static bool push_records(spk_pipe *pipe, const whole_rdd *w, char *content, size_t bytes)
{
    const size_t n = bytes / w->record;
    spark_bytes *rows
        = spk_arena_alloc(spk_keep_of(pipe->task), spk_task_batch(pipe->task) * sizeof *rows, 16);
    if (!rows) {
        spk_task_nomem(pipe->task);
        return false;
    }
    for (size_t i = 0, some; i < n; i += some) {
        const size_t most = spk_pipe_rows(pipe, sizeof *rows);
        some = n - i < most ? n - i : most;
        for (size_t k = 0; k < some; k++)
            rows[k] = (spark_bytes) { content + (i + k) * w->record, w->record };
        if (!spk_push(pipe, (char *)rows, some))
            return false;
    }
    return true;
}

static bool push_content(
    spk_pipe *pipe, const whole_rdd *w, const spk_file *file, char *content, size_t n)
{
    spk_failure failure = { .code = SPARK_OK };
    if (w->record && n % w->record != 0)
        odd_size(w, file, n, &failure);
    else if (w->text)
        spk_form_check(file->path, content, n, &failure);
    if (failure.code != SPARK_OK) {
        spk_task_fail_with(pipe->task, &failure);
        return false;
    }
    return w->record ? push_records(pipe, w, content, n)
                     : push_whole(pipe, w->head.rdd.layout, file, content, n);
}

static bool push_file(spk_pipe *pipe, const whole_rdd *w, const spk_file *file)
{
    spark_task *task = pipe->task;
    spk_failure failure;
    char *content;
    size_t n, capacity;
    const spk_watch watch = spk_watch_of(task);
    if (spk_file_content(file, &watch, task->heap, &content, &n, &capacity, &failure) != SPARK_OK) {
        spk_task_fail_with(task, &failure);
        return false;
    }
    spk_task_reads(task, file, SPK_UNKNOWN_BYTE);
    const bool more = push_content(pipe, w, file, content, n);
    spk_heap_free(task->heap, content, capacity);
    return more;
}

static void whole_files_produce(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    const whole_rdd *w = SPK_NODE(whole_rdd, rdd);
    size_t to;
    for (size_t i = files_of(rdd, partition, &to); i < to; i++)
        if (!push_file(pipe, w, &w->head.files.at[i]))
            return;
}

static int64_t whole_files_reads(const spark_rdd *rdd, int partition, const char **path)
{
    const spk_file *files = SPK_NODE(whole_rdd, rdd)->head.files.at;
    size_t to;
    const size_t from = files_of(rdd, partition, &to);
    int64_t sum = 0;
    for (size_t i = from; i < to; i++)
        sum += (int64_t)(files[i].size == SPK_TO_END ? files[i].packed : files[i].size);
    if (to - from == 1)
        *path = files[from].path;
    return sum;
}

static void whole_files_where(
    spk_heap *heap, const spark_rdd *rdd, int partition, int64_t row, spk_failure *failure)
{
    const whole_rdd *w = SPK_NODE(whole_rdd, rdd);
    size_t to;
    const size_t from = files_of(rdd, partition, &to);
    (void)heap;
    if (!w->record && row >= 0)
        spk_failure_in(failure, w->head.files.at[from + (size_t)row].path, -1);
    else if (to - from == 1)
        spk_failure_in(failure, w->head.files.at[from].path, -1);
}

static spark_rdd *new_files(spk_verb *v, const char *path, const spk_layout *layout,
    int partitions, size_t record, bool text)
{
    static const spk_class class = { .name = "BinaryFileRDD",
        .prepare = whole_files_prepare,
        .produce = whole_files_produce,
        .reads = whole_files_reads,
        .where = whole_files_where,
        .release = spk_files_rdd_release };
    bool made;
    spk_files_rdd_check(v, path, partitions);
    spark_rdd *rdd
        = spk_files_rdd_make(v, &class, sizeof(whole_rdd), layout, path, partitions, &made);
    if (made) {
        SPK_NODE(whole_rdd, rdd)->record = record;
        SPK_NODE(whole_rdd, rdd)->text = text;
    }
    return rdd;
}

static spark_rdd *whole(const char *operation, spark_site at, spark_context *sc, const char *path,
    const spark_type *content, int partitions)
{
    spk_verb v;
    spk_verb_source(&v, at, operation, sc);
    const spk_layout *name = spk_verb_layout(&v, SPARK_TYPE(spark_str));
    const spk_layout *text = spk_verb_layout(&v, content);
    return new_files(&v, path, spk_verb_pair(&v, name, text), partitions, 0,
        content == SPARK_TYPE(spark_str));
}

spark_rdd *spark_whole_text_files(
    spark_site at, spark_context *sc, const char *path, int min_partitions)
{
    return whole("wholeTextFiles", at, sc, path, SPARK_TYPE(spark_str), min_partitions);
}

spark_rdd *spark_binary_files(
    spark_site at, spark_context *sc, const char *path, int min_partitions)
{
    return whole("binaryFiles", at, sc, path, SPARK_TYPE(spark_bytes), min_partitions);
}

spark_rdd *spark_binary_records(
    spark_site at, spark_context *sc, const char *path, int64_t record_bytes)
{
    spk_verb v;
    spk_verb_source(&v, at, "binaryRecords", sc);
    if (record_bytes < 1 || record_bytes > INT32_MAX)
        spk_verb_fail(&v, SPARK_EINVAL, "records of %lld bytes; there must be 1 to 2147483647",
            (long long)record_bytes);
    return new_files(
        &v, path, spk_verb_layout(&v, SPARK_TYPE(spark_bytes)), 0, (size_t)record_bytes, false);
}
