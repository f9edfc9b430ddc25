/* SPDX-License-Identifier: Apache-2.0 */
/* Files as elements: whole, each with its path, or cut into records of equal length. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <spark/source.h>

#include "io/files.h"
#include "rdd/verb.h"

typedef struct files_rdd {
    spark_rdd rdd;
    char *path;
    spk_files files;
    int asked;
    size_t record; /* bytes of a record; 0: whole files */
} files_rdd;

static spark_status odd_size(const files_rdd *f, const spk_file *file, spk_failure *failure)
{
    return spk_failure_set(failure, SPARK_EIO, NULL, NULL,
        "%s has %llu bytes, which is no multiple of %zu", file->path,
        (unsigned long long)file->size, f->record);
}

static spark_status whole_files_prepare(spark_rdd *rdd, spk_failure *failure)
{
    files_rdd *f = SPK_NODE(files_rdd, rdd);
    spark_status status = spk_files_list(f->path, &f->files, failure);
    for (size_t i = 0; status == SPARK_OK && f->record && i < f->files.n; i++)
        if (f->files.at[i].size % f->record != 0) {
            status = odd_size(f, &f->files.at[i], failure);
            spk_files_free(&f->files);
        }
    if (status != SPARK_OK) {
        spk_failure_at(failure, rdd->operation, rdd->site);
        return status;
    }
    const int n = (int)f->files.n;
    __atomic_store_n(&rdd->partitions, n < f->asked ? n : f->asked, __ATOMIC_RELEASE);
    return SPARK_OK;
}

/* read_file: all of it, behind a byte 0 or not at all. */
static bool read_file(spark_task *task, const spk_file *file, char *to, size_t n)
{
    spk_failure failure;
    const int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    size_t got = 0;
    ssize_t some = 0;
    while (fd >= 0 && got < n && ((some = read(fd, to + got, n - got)) > 0 || errno == EINTR))
        got += some > 0 ? (size_t)some : 0;
    const int error = errno;
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && got == n)
        return true;
    spk_io_failure(&failure, fd < 0 ? "cannot open" : "cannot read", file->path,
        fd < 0 || some < 0 ? error : EIO);
    spk_task_fail_with(task, &failure);
    return false;
}

/* push_whole: the pair (path, content). */
static bool push_whole(spk_pipe *pipe, const spk_layout *pair, const spk_file *file, char *content)
{
    char *row = spk_arena_alloc(spk_keep_of(pipe->task), pair->size, 16);
    const spark_str path = { file->path, strlen(file->path) };
    const spark_str text = { content, (size_t)file->size };
    if (!row) {
        spk_task_nomem(pipe->task);
        return false;
    }
    memset(row, 0, pair->size);
    memcpy(row, &path, sizeof path);
    memcpy(row + pair->value_offset, &text, sizeof text);
    return spk_push(pipe, row, 1);
}

static bool push_records(spk_pipe *pipe, const files_rdd *f, const spk_file *file, char *content)
{
    const size_t n = (size_t)file->size / f->record;
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
            rows[k] = (spark_bytes) { content + (i + k) * f->record, f->record };
        if (!spk_push(pipe, (char *)rows, some))
            return false;
    }
    return true;
}

static bool push_file(spk_pipe *pipe, const files_rdd *f, const spk_file *file)
{
    spark_task *task = pipe->task;
    size_t capacity;
    char *content = spk_heap_alloc(task->heap, (size_t)file->size + 1, &capacity);
    if (!content) {
        spk_task_nomem(task);
        return false;
    }
    const bool more = read_file(task, file, content, (size_t)file->size)
        && (f->record ? push_records(pipe, f, file, content)
                      : push_whole(pipe, f->rdd.layout, file, content));
    spk_heap_free(task->heap, content, capacity);
    return more;
}

static void whole_files_produce(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    const files_rdd *f = SPK_NODE(files_rdd, rdd);
    const uint64_t files = f->files.n, n = (uint64_t)rdd->partitions, p = (uint64_t)partition;
    for (uint64_t i = p * files / n; i < (p + 1) * files / n; i++)
        if (!push_file(pipe, f, &f->files.at[i]))
            return;
}

static int64_t whole_files_reads(const spark_rdd *rdd, int partition, const char **path)
{
    const files_rdd *f = SPK_NODE(files_rdd, rdd);
    const uint64_t files = f->files.n, n = (uint64_t)rdd->partitions, p = (uint64_t)partition;
    int64_t sum = 0;
    const uint64_t from = p * files / n, to = (p + 1) * files / n;
    for (uint64_t i = from; i < to; i++)
        sum += (int64_t)f->files.at[i].size;
    if (to - from == 1)
        *path = f->files.at[from].path;
    return sum;
}

static void whole_files_release(spark_rdd *rdd)
{
    files_rdd *f = SPK_NODE(files_rdd, rdd);
    spk_files_free(&f->files);
    free(f->path);
}

static spark_rdd *new_files(
    spk_verb *v, const char *path, const spk_layout *layout, int partitions, size_t record)
{
    static const spk_class class = { .name = "BinaryFileRDD",
        .prepare = whole_files_prepare,
        .produce = whole_files_produce,
        .reads = whole_files_reads,
        .release = whole_files_release };
    bool made;
    if (!path || !*path)
        spk_verb_fail(v, SPARK_EINVAL, "the path is empty");
    if (partitions < 0)
        spk_verb_fail(v, SPARK_EINVAL,
            "%d partitions; there must be at least one, or 0 for the default", partitions);
    spark_rdd *rdd = spk_verb_make(v, &class, sizeof(files_rdd), layout, &made);
    if (!made)
        return rdd;
    files_rdd *f = SPK_NODE(files_rdd, rdd);
    f->asked = partitions ? partitions : 2;
    f->record = record;
    return spk_verb_path(v, rdd, &f->path, path);
}

static spark_rdd *whole(const char *operation, spark_site at, spark_context *sc, const char *path,
    const spark_type *content, int partitions)
{
    spk_verb v;
    spk_verb_source(&v, at, operation, sc);
    const spk_layout *name = spk_verb_layout(&v, SPARK_TYPE(spark_str));
    const spk_layout *text = spk_verb_layout(&v, content);
    return new_files(&v, path, spk_verb_pair(&v, name, text), partitions, 0);
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
        &v, path, spk_verb_layout(&v, SPARK_TYPE(spark_bytes)), 0, (size_t)record_bytes);
}
