/* SPDX-License-Identifier: Apache-2.0 */
/* Outputs are looked up once, when the attempt starts: all must be there, or the attempt ends and
 * the scheduler makes the missing ones. While readers are counted, a dropped output is only set
 * aside. */
#include "shuffle/input.h"

#include <stdlib.h>

#include "shuffle/writer.h"
#include "storage/spill.h"

enum { WRITTEN_AT_ONCE = 1024 };

static bool look_up(spk_input *in)
{
    spk_shuffle *shuffle = in->shuffle;
    in->n_outputs = shuffle->maps;
    in->outputs = spk_arena_alloc(
        spk_keep_of(in->task), ((size_t)shuffle->maps + 1) * sizeof *in->outputs, 16);
    if (!in->outputs) {
        spk_task_nomem(in->task);
        return false;
    }
    atomic_fetch_add(&shuffle->readers, 1);
    in->reading = true;
    for (int m = 0; m < shuffle->maps; m++) {
        in->outputs[m] = atomic_load(&shuffle->outputs[m]);
        if (!in->outputs[m]) {
            in->task->lost = shuffle;
            spk_task_fail(in->task, SPARK_ETASK, "shuffle %d lacks the output of map partition %d",
                shuffle->id, m);
            return false;
        }
    }
    return true;
}

/* on_disk: whether a run of any output is. */
static bool on_disk(const spk_input *in)
{
    for (int m = 0; m < in->n_outputs; m++)
        for (const spk_run *run = in->outputs[m]->runs; run; run = run->next)
            if (run->spill)
                return true;
    return false;
}

/* write_block: rows of a block go to the writer, where they may be as they are. */
static void write_block(spk_input *in, spk_writer *writer)
{
    const spk_sink sink = spk_writer_sink(writer);
    const size_t size = in->shuffle->row->size;
    writer->borrow = !in->shuffle->aggregator;
    for (const spk_run *run = in->block->rows.first; run; run = run->next)
        for (uint64_t i = 0, n; i < run->n && !spk_task_unwanted(in->task); i += n) {
            n = run->n - i < WRITTEN_AT_ONCE ? run->n - i : WRITTEN_AT_ONCE;
            if (!sink.take(sink.state, (spk_batch) { run->rows + i * size, (size_t)n }))
                return;
        }
}

/* write_private: the partition, for this task alone. A block that is in memory is not copied but for
 * its rows: it stays until the input is closed. */
static bool write_private(spk_input *in, spark_rdd *rdd, int partition)
{
    spk_writer writer;
    const int64_t rows = in->task->shuffle_rows, bytes = in->task->shuffle_bytes;
    spark_task *task = in->task;
    const spark_rdd *owner = in->shuffle->owner;
    const char *operation = task->end_operation, *function = task->end_function;
    const spark_site site = task->end_site;
    if (!spk_writer_open(&writer, task, in->shuffle, true))
        return false;
    spk_task_end_is(task, owner->operation, owner->function, owner->site);
    if (spk_chain_block(task, rdd, partition, &in->block)) {
        if (in->block)
            write_block(in, &writer);
        else
            spk_chain_run(task, rdd, partition, spk_writer_sink(&writer));
    }
    in->private = spk_writer_close(&writer);
    spk_task_end_is(task, operation, function, site);
    in->outputs = &in->private;
    in->n_outputs = 1;
    in->task->shuffle_rows = rows;
    in->task->shuffle_bytes = bytes;
    return in->private != NULL;
}

bool spk_input_open(
    spk_input *in, spark_task *task, const spk_dep *dep, spk_shuffle *as, int partition)
{
    *in = (spk_input) { .task = task, .shuffle = dep->shuffle ? dep->shuffle : as };
    in->slices = in->shuffle->slices;
    in->first = dep->shuffle ? (uint32_t)partition * in->slices : 0;
    if (dep->shuffle ? look_up(in) : write_private(in, dep->rdd, partition)) {
        in->spilled = task->sc->spill && on_disk(in);
        return true;
    }
    spk_input_close(in);
    return false;
}

void spk_input_close(spk_input *in)
{
    spk_map_output *unused = NULL;
    spk_map_output_free(in->private);
    in->private = NULL;
    spk_block_unpin(in->block);
    in->block = NULL;
    if (!in->reading)
        return;
    in->reading = false;
    if (atomic_fetch_sub(&in->shuffle->readers, 1) == 1) {
        pthread_mutex_lock(&in->shuffle->lock);
        if (atomic_load(&in->shuffle->readers) == 0) {
            unused = in->shuffle->dropped;
            in->shuffle->dropped = NULL;
        }
        pthread_mutex_unlock(&in->shuffle->lock);
    }
    spk_map_output_free(unused);
}

static bool add_segment(
    spk_shard *shard, const spk_run *run, uint32_t slice, int output, size_t size)
{
    const uint32_t from = run->offsets[slice], to = run->offsets[slice + 1];
    if (shard->n_segments == shard->max_segments) {
        const size_t most = shard->max_segments ? shard->max_segments * 2 : 32;
        spk_segment *segments = realloc(shard->segments, most * sizeof *segments);
        if (!segments)
            return false;
        shard->segments = segments;
        shard->max_segments = most;
    }
    shard->segments[shard->n_segments++] = (spk_segment) {
        .rows = run->spill ? NULL : run->rows + from * size,
        .hashes = run->hashes ? run->hashes + from : NULL,
        .n = to - from,
        .run = run->spill ? run : NULL,
        .slice = slice,
        .output = output,
    };
    shard->n += to - from;
    shard->bytes += run->bytes / run->n * (to - from);
    return true;
}

/* unload: blocks that were read from disk. */
static void unload(spk_heap *heap, spk_segment *segment)
{
    if (!segment->run || !segment->rows)
        return;
    spk_heap_free(heap, segment->rows, segment->capacity);
    segment->rows = NULL;
    segment->hashes = NULL;
}

static void unload_all(spk_shard *shard)
{
    for (size_t i = 0; i < shard->n_segments; i++)
        unload(shard->heap, &shard->segments[i]);
    shard->n_segments = 0;
}

bool spk_input_shard(const spk_input *in, uint32_t slice, spk_shard *shard)
{
    const size_t size = in->shuffle->row->size;
    const uint32_t s = in->first + slice;
    unload_all(shard);
    shard->heap = in->task->heap;
    shard->n = shard->bytes = 0;
    for (int m = 0; m < in->n_outputs; m++)
        for (const spk_run *run = in->outputs[m]->runs; run; run = run->next)
            if (run->offsets[s] < run->offsets[s + 1] && !add_segment(shard, run, s, m, size)) {
                spk_task_nomem(in->task);
                return false;
            }
    return true;
}

bool spk_segment_load(const spk_input *in, spk_segment *segment)
{
    spk_failure failure;
    uint64_t *hashes;
    if (segment->rows)
        return true;
    if (spk_run_load(segment->run, segment->slice, in->task->heap, in->shuffle->row, &segment->rows,
            &segment->capacity, &hashes, &failure)
        == SPARK_OK) {
        segment->hashes = hashes;
        return true;
    }
    if (failure.code == SPARK_EIO && in->reading) { /* made again from lineage */
        in->task->lost = in->shuffle;
        spk_shuffle_drop(in->shuffle, segment->output);
    }
    spk_task_fail_with(in->task, &failure);
    return false;
}

void spk_segment_unload(const spk_input *in, spk_segment *segment)
{
    unload(in->task->heap, segment);
}

bool spk_shard_load(const spk_input *in, spk_shard *shard)
{
    for (size_t i = 0; i < shard->n_segments; i++)
        if (!spk_segment_load(in, &shard->segments[i]))
            return false;
    return true;
}

void spk_shard_fini(spk_shard *shard)
{
    unload_all(shard);
    free(shard->segments);
    *shard = (spk_shard) { .segments = NULL };
}

bool spk_shard_copy(
    const spk_shard *shard, spark_task *task, size_t row_size, bool hashes, spk_shard_rows *rows)
{
    const size_t row_bytes = (shard->n * row_size + 63) / 64 * 64;
    *rows = (spk_shard_rows) { .n = shard->n };
    rows->rows
        = spk_heap_alloc(task->heap, row_bytes + (hashes ? shard->n * 8 : 0) + 64, &rows->capacity);
    if (!rows->rows) {
        spk_task_nomem(task);
        return false;
    }
    if (hashes)
        rows->hashes = (uint64_t *)(void *)(rows->rows + row_bytes);
    size_t at = 0;
    for (size_t i = 0; i < shard->n_segments; i++) {
        const spk_segment *segment = &shard->segments[i];
        memcpy(rows->rows + at * row_size, segment->rows, segment->n * row_size);
        if (hashes && segment->hashes)
            memcpy(rows->hashes + at, segment->hashes, segment->n * 8);
        at += segment->n;
    }
    return true;
}
