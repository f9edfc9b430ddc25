/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that read files of records, split by split, into rows of a type. */
#include <stdlib.h>

#include "exec/bad.h"
#include "io/lines.h"
#include "rdd/source/scan.h"

spark_status spk_scan_split(spark_rdd *rdd, bool whole, spk_failure *failure)
{
    spk_scan *scan = SPK_NODE(spk_scan, rdd);
    const spark_status status = whole
        ? spk_splits_whole(&scan->head.files, &scan->splits, failure)
        : spk_splits_make(&scan->head.files, scan->head.asked, &scan->splits, failure);
    if (status == SPARK_OK)
        spk_rdd_partitions_set(rdd, (int)scan->splits.n);
    return status;
}

int64_t spk_scan_reads(const spark_rdd *rdd, int partition, const char **path)
{
    const spk_split *split = spk_scan_at(rdd, partition);
    *path = split->file->path;
    return spk_split_reads(split);
}

void spk_scan_places(spk_heap *heap, const spark_rdd *rdd, int partition, size_t n, const int64_t *offsets,
    int64_t *lines, const char **path)
{
    const spk_split *split = spk_scan_at(rdd, partition);
    *path = split->file->path;
    spk_lines_at(heap, split->file, n, offsets, lines);
}

void spk_scan_release(spark_rdd *rdd)
{
    spk_scan *scan = SPK_NODE(spk_scan, rdd);
    spk_splits_free(&scan->splits);
    spk_partitioned_free(&scan->keys);
    free(scan->base);
    spk_files_rdd_release(rdd);
}

bool spk_scan_samples(double share, int partition, uint64_t index)
{
    uint64_t x = index ^ (uint64_t)partition << 40;
    x = (x ^ x >> 33) * UINT64_C(0xff51afd7ed558ccd);
    x = (x ^ x >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return (double)((x ^ x >> 33) >> 11) * 0x1p-53 < share;
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
static bool push_rows(spk_pipe *pipe, const spk_scan_reader *r, const spk_csv_plan *keys, const char *key_row,
    uint64_t *n_rows, spk_failure *failure)
{
    spark_task *task = pipe->task;
    char *rows = spk_arena_alloc(spk_keep_of(task), spk_task_fit(task, r->size) * r->size, 64);
    *n_rows = 0;
    if (!rows) {
        spk_failure_nomem(failure, NULL, NULL);
        return false;
    }
    for (;;) {
        const size_t n = r->format->next(r->of, rows, spk_pipe_rows(pipe, r->size), failure);
        *n_rows += n;
        if (n == 0)
            return failure->code == SPARK_OK;
        spk_partitioned_fill(keys, key_row, rows, n);
        if (task->at.single)
            spk_task_reads(task, r->file, r->format->byte(r->of));
        if (!spk_push(pipe, rows, n))
            return false;
    }
}

void spk_scan_push(spk_pipe *pipe, const spk_scan_reader *reader, spk_failure *failure)
{
    const spk_csv_plan none = { .n = 0 };
    uint64_t n;
    (void)push_rows(pipe, reader, &none, NULL, &n, failure);
}

void spk_scan_read(spk_pipe *pipe, const spark_rdd *rdd, int partition, const spk_scan_reader *reader,
    spk_failure *failure)
{
    const spk_scan *scan = SPK_NODE(spk_scan, rdd);
    quarantine q = { pipe->task, rdd, NULL };
    const spk_csv_aside aside = { put_aside, &q };
    spk_csv_plan keys = { .n = 0 };
    char *key_row = NULL;
    uint64_t n;
    if (rdd->bad) {
        if (!(q.part = rdd->bad->begin(pipe->task, rdd->bad, partition)))
            return;
        reader->format->put_aside(reader->of, &aside);
    }
    if (scan->keys.n
        && !(key_row = spk_partitioned_row(pipe->task, &scan->keys, &keys, &scan->head.files, reader->file,
                 rdd->layout->size, failure)))
        return;
    if (push_rows(pipe, reader, &keys, key_row, &n, failure) && q.part && !spk_task_over(pipe->task))
        rdd->bad->finish(pipe->task, q.part, n);
    spk_csv_plan_free(&keys);
}
