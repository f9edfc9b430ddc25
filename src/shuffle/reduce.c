/* SPDX-License-Identifier: Apache-2.0 */
/* Shards into tables. A shard's table borrows the keys from the runs, which stay while the task
 * reads; its rows stand side by side in the order of first occurrence and are the batches that go
 * on. */
#include "shuffle/reduce.h"

#include "shuffle/combine.h"
#include "shuffle/ranges.h"

bool spk_push_rows(spk_pipe *pipe, char *rows, size_t n, size_t size)
{
    for (size_t i = 0, some; i < n; i += some) {
        const size_t batch = spk_pipe_rows(pipe, size);
        some = n - i < batch ? n - i : batch;
        if (!spk_push(pipe, rows + i * size, some))
            return false;
    }
    return true;
}

void spk_reduce_pass(spk_pipe *pipe, spk_input *in)
{
    const size_t size = in->shuffle->row->size;
    spk_shard shard = { .segments = NULL };
    bool more = true;
    for (uint32_t s = 0; s < in->slices && more; s++) {
        more = spk_input_shard(in, s, &shard);
        for (size_t i = 0; i < shard.n_segments && more; i++) {
            spk_segment *segment = &shard.segments[i];
            more = spk_segment_load(in, &shard, segment)
                && spk_push_rows(pipe, segment->rows, segment->n, size);
            spk_segment_unload(&shard, segment);
        }
    }
    spk_shard_fini(&shard);
}

static bool combine_segment(spk_combiner *c, const spk_segment *segment, size_t batch)
{
    for (size_t i = 0; i < segment->n; i += batch) {
        const size_t n = segment->n - i < batch ? segment->n - i : batch;
        if (spk_combiner_add(c, segment->rows + i * c->row->size, n,
                segment->hashes ? segment->hashes + i : NULL, UINT32_MAX, UINT64_MAX)
            == SIZE_MAX)
            return false;
    }
    return true;
}

static bool combine_loaded(spk_combiner *c, const spk_input *in, spk_shard *shard,
    spk_segment *segment, size_t batch)
{
    const bool good = spk_segment_load(in, shard, segment) && combine_segment(c, segment, batch);
    spk_segment_unload(shard, segment);
    return good;
}

void spk_reduce_combine(spk_pipe *pipe, spk_input *in, const spk_aggregator *aggregator)
{
    spark_task *task = pipe->task;
    spk_shard shard = { .segments = NULL };
    spk_combiner c;
    bool open = false, more = true;
    for (uint32_t s = 0; s < in->slices && more; s++) {
        more = spk_input_shard(in, s, &shard);
        if (!more || shard.n == 0)
            continue;
        if (!open && !(open = spk_combiner_open(&c, task, aggregator, SPK_COMBINE, !in->spilled)))
            break;
        spk_table_clear(&c.table);
        for (size_t i = 0; i < shard.n_segments && more; i++)
            more = combine_loaded(&c, in, &shard, &shard.segments[i], spk_task_batch(task));
        more = more && spk_push_rows(pipe, c.table.rows, c.table.n, aggregator->out->size);
    }
    if (open)
        spk_combiner_close(&c);
    spk_shard_fini(&shard);
}

void spk_reduce_sort_by(spk_pipe *pipe, spk_input *in, const spk_ordering *ordering)
{
    const size_t size = in->shuffle->row->size;
    spk_heap *heap = pipe->task->heap;
    spk_shard shard = { .segments = NULL };
    spk_shard_rows rows;
    if (spk_input_shard(in, 0, &shard) && spk_shard_load(in, &shard)
        && spk_shard_copy(&shard, pipe->task, size, false, &rows)) {
        if (spk_sort_rows(heap, ordering, rows.rows, rows.n))
            spk_push_rows(pipe, rows.rows, rows.n, size);
        else
            spk_task_nomem(pipe->task);
        spk_heap_free(heap, rows.rows, rows.capacity);
    }
    spk_shard_fini(&shard);
}
