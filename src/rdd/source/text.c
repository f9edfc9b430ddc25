/* SPDX-License-Identifier: Apache-2.0 */
/* Text files: which files and splits there are is found when the RDD is prepared; a task reads one
 * split through a buffer, and its lines are views of that buffer. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <spark/source.h>

#include "io/lines.h"
#include "rdd/source/text.h"

typedef struct text_rdd {
    spk_files_rdd head;
    spk_splits splits;
    spk_line_memo memo;
} text_rdd;

static const spk_split *split_of(const spark_rdd *rdd, int partition)
{
    return &SPK_NODE(text_rdd, rdd)->splits.at[partition];
}

static spark_status text_prepare(spark_rdd *rdd, spk_failure *failure)
{
    text_rdd *t = SPK_NODE(text_rdd, rdd);
    if (spk_files_rdd_list(rdd, true, failure) != SPARK_OK)
        return failure->code;
    if (spk_splits_make(&t->head.files, t->head.asked, &t->splits, failure) != SPARK_OK)
        return failure->code;
    spk_rdd_partitions_set(rdd, (int)t->splits.n);
    return SPARK_OK;
}

static void text_produce(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    spark_task *task = pipe->task;
    spark_str *rows = spk_arena_alloc(spk_keep_of(task), spk_task_batch(task) * sizeof *rows, 64);
    spk_failure failure = { .code = SPARK_OK };
    spk_lines lines;
    if (!rows) {
        spk_task_nomem(task);
        return;
    }
    const spk_watch watch = spk_watch_of(task);
    spk_split split = *split_of(rdd, partition);
    split.watch = &watch;
    if (spk_lines_open(&lines, task->heap, &split, &failure) != SPARK_OK) {
        spk_task_fail_with(task, &failure);
        return;
    }
    for (;;) {
        spk_task_reads(task, split.file, lines.position);
        const size_t n = spk_lines_next(&lines, rows, spk_pipe_rows(pipe, sizeof *rows), &failure);
        if (n == 0 || !spk_push(pipe, (char *)rows, n))
            break;
    }
    spk_lines_close(&lines);
    if (failure.code != SPARK_OK)
        spk_task_fail_with(task, &failure);
}

static int64_t text_reads(const spark_rdd *rdd, int partition, const char **path)
{
    const spk_split *split = split_of(rdd, partition);
    *path = split->file->path;
    return spk_split_reads(split);
}

static void text_where(
    spk_heap *heap, const spark_rdd *rdd, int partition, int64_t row, spk_failure *failure)
{
    const spk_split *split = split_of(rdd, partition);
    text_rdd *t;
    memcpy(&t, &rdd, sizeof t);
    spk_failure_in(failure, split->file->path,
        row < 0 ? -1 : spk_lines_number(heap, split, (uint64_t)row, &t->memo));
}

static void text_release(spark_rdd *rdd)
{
    pthread_mutex_destroy(&SPK_NODE(text_rdd, rdd)->memo.lock);
    spk_splits_free(&SPK_NODE(text_rdd, rdd)->splits);
    spk_files_rdd_release(rdd);
}

spark_rdd *spk_text_rdd(spk_verb *v, const char *path, int partitions, bool *made)
{
    static const spk_class class = { .name = "HadoopRDD",
        .prepare = text_prepare,
        .produce = text_produce,
        .reads = text_reads,
        .where = text_where,
        .release = text_release };
    const spk_layout *layout = spk_verb_layout(v, SPARK_TYPE(spark_str));
    spark_rdd *rdd = spk_files_rdd_make(
        v, &class, sizeof(text_rdd), layout, path, partitions, made);
    if (*made)
        pthread_mutex_init(&SPK_NODE(text_rdd, rdd)->memo.lock, NULL);
    return rdd;
}

spark_rdd *spark_text_file(spark_site at, spark_context *sc, const char *path, int min_partitions)
{
    spk_verb v;
    bool made;
    spk_verb_source(&v, at, "textFile", sc);
    spk_files_rdd_check(&v, path, min_partitions);
    return spk_text_rdd(&v, path, min_partitions, &made);
}

/* spell: the pattern that names exactly these paths. NULL: no memory. */
static char *spell(size_t n, const char *const *paths)
{
    char *spec = NULL;
    size_t length = 0, capacity = 0;
    for (size_t i = 0; i < n; i++) {
        char *path = spark_path_literal(paths[i]);
        const size_t more = path ? strlen(path) : 0;
        if (path && length + more + 2 > capacity) {
            capacity = 2 * capacity + more + 2;
            char *longer = realloc(spec, capacity);
            if (!longer) {
                free(path);
                path = NULL;
            } else {
                spec = longer;
            }
        }
        if (!path) {
            free(spec);
            return NULL;
        }
        if (i > 0)
            spec[length++] = ',';
        memcpy(spec + length, path, more + 1);
        length += more;
        free(path);
    }
    return spec;
}

spark_rdd *spark_text_files(spark_site at, spark_context *sc, size_t n, const char *const *paths,
    int min_partitions)
{
    spk_verb v;
    bool made;
    spk_verb_source(&v, at, "textFiles", sc);
    if (n > 0 && !paths)
        spk_verb_fail(&v, SPARK_EINVAL, "%zu paths, but they are NULL", n);
    for (size_t i = 0; paths && i < n; i++)
        if (!paths[i] || !*paths[i])
            spk_verb_fail(&v, SPARK_EINVAL, "path %zu is empty", i);
    spk_files_rdd_check(&v, "none", min_partitions);
    char *spec = v.bad || n == 0 ? NULL : spell(n, paths);
    if (!v.bad && n > 0 && !spec)
        spk_verb_fail(&v, SPARK_ENOMEM, "out of memory");
    spark_rdd *rdd = spk_text_rdd(&v, spec, min_partitions, &made);
    free(spec);
    return made && n > 0 ? spark_rdd_set_name(rdd, paths[0]) : rdd;
}

spark_rdd *spark_text_fd(spark_site at, spark_context *sc, int fd, int min_partitions)
{
    spk_verb v;
    bool made;
    char name[48];
    spk_verb_source(&v, at, "textFd", sc);
    spk_files_rdd_check(&v, "none", min_partitions);
    const int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (own < 0)
        spk_verb_fail(&v, SPARK_EIO, "cannot use file descriptor %d: %s", fd, strerror(errno));
    spark_rdd *rdd = spk_text_rdd(&v, NULL, min_partitions, &made);
    if (!made) {
        if (own >= 0)
            close(own);
        return rdd;
    }
    SPK_NODE(spk_files_rdd, rdd)->fd = own;
    SPK_NODE(spk_files_rdd, rdd)->given = fd;
    return spark_rdd_set_name(rdd, spk_fd_name(fd, name, sizeof name));
}
