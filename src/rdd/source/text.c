/* SPDX-License-Identifier: Apache-2.0 */
/* Text files: which files and splits there are is found when the RDD is prepared; a task reads one
 * split through a buffer, and its lines are views of that buffer. */
#include <stdlib.h>

#include <spark/source.h>

#include "io/files.h"
#include "io/lines.h"
#include "rdd/verb.h"

typedef struct text_rdd {
    spark_rdd rdd;
    char *path;
    int min_splits;
    spk_files files;
    spk_splits splits;
} text_rdd;

static spark_status text_prepare(spark_rdd *rdd, spk_failure *failure)
{
    text_rdd *t = SPK_NODE(text_rdd, rdd);
    spark_status status = spk_files_list(t->path, &t->files, failure);
    if (status == SPARK_OK) {
        status = spk_splits_make(&t->files, t->min_splits, &t->splits, failure);
        if (status != SPARK_OK)
            spk_files_free(&t->files);
    }
    if (status != SPARK_OK) {
        spk_rdd_blame(rdd, failure);
        return status;
    }
    __atomic_store_n(&rdd->partitions, (int)t->splits.n, __ATOMIC_RELEASE);
    return SPARK_OK;
}

static void text_produce(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    const text_rdd *t = SPK_NODE(text_rdd, rdd);
    const spk_split *split = &t->splits.at[partition];
    spark_task *task = pipe->task;
    spark_str *rows = spk_arena_alloc(spk_keep_of(task), spk_task_batch(task) * sizeof *rows, 64);
    spk_failure failure = { .code = SPARK_OK };
    spk_lines lines;
    if (!rows) {
        spk_task_nomem(task);
        return;
    }
    if (spk_lines_open(&lines, task->heap, split->file->path, split->start, split->end, &failure)
        != SPARK_OK) {
        spk_task_fail_with(task, &failure);
        return;
    }
    for (;;) {
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
    const text_rdd *t = SPK_NODE(text_rdd, rdd);
    const spk_split *split = &t->splits.at[partition];
    *path = split->file->path;
    return (int64_t)(split->end - split->start);
}

static void text_where(
    spk_heap *heap, const spark_rdd *rdd, int partition, int64_t row, spk_failure *failure)
{
    const text_rdd *t = (const text_rdd *)(const void *)rdd;
    const spk_split *s = &t->splits.at[partition];
    spk_failure_in(failure, s->file->path,
        row < 0 ? -1 : spk_lines_number(heap, s->file->path, s->start, s->end, (uint64_t)row));
}

static void text_release(spark_rdd *rdd)
{
    text_rdd *t = SPK_NODE(text_rdd, rdd);
    spk_splits_free(&t->splits);
    spk_files_free(&t->files);
    free(t->path);
}

spark_rdd *spark_text_file(spark_site at, spark_context *sc, const char *path, int min_partitions)
{
    static const spk_class class = { .name = "HadoopRDD",
        .prepare = text_prepare,
        .produce = text_produce,
        .reads = text_reads,
        .where = text_where,
        .release = text_release };
    spk_verb v;
    bool made;
    spk_verb_source(&v, at, "textFile", sc);
    if (!path || !*path)
        spk_verb_fail(&v, SPARK_EINVAL, "the path is empty");
    if (min_partitions < 0)
        spk_verb_fail(&v, SPARK_EINVAL,
            "%d partitions; there must be at least one, or 0 for the default", min_partitions);
    const spk_layout *layout = spk_verb_layout(&v, SPARK_TYPE(spark_str));
    spark_rdd *rdd = spk_verb_make(&v, &class, sizeof(text_rdd), layout, &made);
    if (!made)
        return rdd;
    text_rdd *t = SPK_NODE(text_rdd, rdd);
    t->min_splits = min_partitions ? min_partitions : 2;
    return spk_verb_path(&v, rdd, &t->path, path);
}
