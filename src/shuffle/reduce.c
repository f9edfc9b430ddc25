/* SPDX-License-Identifier: Apache-2.0 */
/* Shards into tables. A shard's table borrows the keys from the runs, which stay while the task
 * reads; its rows stand side by side in the order of first occurrence and are the batches that go
 * on. */
#include "shuffle/reduce.h"

#include "shuffle/combine.h"
#include "shuffle/split.h"

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

bool spk_push_shard(spk_pipe *pipe, spk_shard *shard)
{
    const size_t size = shard->input->shuffle->row->size;
    bool more = true;
    for (size_t i = 0; i < shard->n_segments && more; i++) {
        spk_segment *segment = &shard->segments[i];
        more = spk_segment_load(shard, segment)
            && spk_push_rows(pipe, segment->rows, segment->n, size);
        spk_segment_unload(shard, segment);
    }
    return more;
}

void spk_reduce_pass(spk_pipe *pipe, spk_input *in)
{
    spk_shard shard = { .segments = NULL };
    for (uint32_t s = 0; s < in->slices; s++)
        if (!spk_input_shard(in, s, &shard) || !spk_push_shard(pipe, &shard))
            break;
    spk_shard_fini(&shard);
}

/* combine_segment: *full: the table has come to hold `most` bytes, and the rest was left. */
static bool combine_segment(spk_combiner *c, const spk_segment *segment, uint64_t most, bool *full)
{
    const size_t batch = spk_task_batch(c->task);
    for (size_t i = 0; i < segment->n; i += batch) {
        const size_t n = segment->n - i < batch ? segment->n - i : batch;
        const size_t done = spk_combiner_add(c, segment->rows + i * c->row->size, n,
            segment->hashes ? segment->hashes + i : NULL, UINT32_MAX, most);
        *full = done < n;
        if (done != n)
            return done != SIZE_MAX;
    }
    return true;
}

/* combine_leaf: *full: its keys are too many for one table. After an eighth of the rows that is guessed,
 * from what depends on them alone. */
static bool combine_leaf(spk_combiner *c, spk_shard *shard, uint64_t most, bool *full)
{
    uint64_t rows = 0;
    *full = false;
    spk_table_clear(&c->table);
    for (size_t i = 0; i < shard->n_segments && !*full; i++) {
        spk_segment *segment = &shard->segments[i];
        const bool good = spk_segment_load(shard, segment) && combine_segment(c, segment, most, full);
        spk_segment_unload(shard, segment);
        if (!good)
            return false;
        const bool early = rows < shard->n / 8;
        rows += segment->n;
        const uint64_t held = (uint64_t)c->table.n * c->table.row_size + c->table.string_bytes;
        if (early && rows >= shard->n / 8 && rows < shard->n && held / rows * shard->n > most)
            *full = most < UINT64_MAX;
    }
    return true;
}

/* combine_or_split: the leaf is in the table, or split. A function of the user may count what it does, so
 * it is not called for rows twice: then the leaf's bytes decide. */
static bool combine_or_split(spk_combiner *c, spk_leaves *leaves, spk_shard *shard)
{
    const bool users = c->merging && c->merging->def.op == SPARK_OP_USER;
    const bool large = shard->bytes > SPK_LEAF_BYTES;
    bool full = large;
    c->table.borrow = !leaves->spilled && !large; /* what is borrowed is not counted */
    if (large && !users && !combine_leaf(c, shard, SPK_LEAF_BYTES, &full))
        return false;
    if (large && !full)
        return true;
    if (large) {
        spk_table_clear(&c->table); /* splitting may want its memory */
        if (spk_leaves_split(leaves))
            return true;
    }
    return !spk_task_failed(c->task) && combine_leaf(c, shard, UINT64_MAX, &full);
}

void spk_reduce_combine(spk_pipe *pipe, spk_input *in, const spk_aggregator *aggregator)
{
    spark_task *task = pipe->task;
    spk_shard shard = { .segments = NULL }, *shards = &shard;
    spk_leaves leaves;
    spk_combiner c;
    bool open = false, more = true;
    if (!spk_leaves_open(&leaves, task, 1, &in, &shards))
        return;
    while (more && spk_leaves_next(&leaves)) {
        if (shard.n == 0)
            continue;
        if (!open && !(open = spk_combiner_open(&c, task, aggregator, SPK_COMBINE, false)))
            break;
        more = combine_or_split(&c, &leaves, &shard)
            && spk_push_rows(pipe, c.table.rows, c.table.n, aggregator->out->size);
    }
    if (open)
        spk_combiner_close(&c);
    spk_leaves_close(&leaves);
}
