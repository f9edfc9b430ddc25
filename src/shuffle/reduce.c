/* SPDX-License-Identifier: Apache-2.0 */
/* Shards into tables. A shard's table borrows the keys from the runs, which stay while the task
 * reads; its rows stand side by side in the order of first occurrence and are the batches that go
 * on. */
#include "shuffle/reduce.h"

#include "shuffle/combine.h"

/* push_rows: rows that stand side by side, in batches. */
static bool push_rows(spk_pipe *pipe, char *rows, size_t n, size_t size)
{
    const size_t batch = spk_pipe_rows(pipe, size);
    for (size_t i = 0; i < n; i += batch)
        if (!spk_push(pipe, rows + i * size, n - i < batch ? n - i : batch))
            return false;
    return true;
}

void spk_reduce_pass(spk_pipe *pipe, spk_input *in)
{
    const size_t size = in->shuffle->row->size;
    spk_shard shard = { NULL, 0, 0, 0, 0 };
    bool more = true;
    for (uint32_t s = 0; s < in->slices && more; s++) {
        more = spk_input_shard(in, s, &shard);
        for (size_t i = 0; i < shard.n_segments && more; i++)
            more = push_rows(pipe, shard.segments[i].rows, shard.segments[i].n, size);
    }
    spk_shard_fini(&shard);
}

static bool combine_segment(spk_combiner *c, const spk_segment *segment, size_t batch)
{
    for (size_t i = 0; i < segment->n; i += batch) {
        const size_t n = segment->n - i < batch ? segment->n - i : batch;
        if (spk_combiner_add(c, segment->rows + i * c->in_size, n,
                segment->hashes ? segment->hashes + i : NULL, UINT32_MAX, UINT64_MAX)
            == SIZE_MAX)
            return false;
    }
    return true;
}

void spk_reduce_combine(spk_pipe *pipe, spk_input *in, const spk_aggregator *aggregator)
{
    spark_task *task = pipe->task;
    spk_shard shard = { NULL, 0, 0, 0, 0 };
    spk_combiner c;
    bool open = false, more = true;
    for (uint32_t s = 0; s < in->slices && more; s++) {
        more = spk_input_shard(in, s, &shard);
        if (!more || shard.n == 0)
            continue;
        if (!open && !(open = spk_combiner_open(&c, task, aggregator, SPK_COMBINE, 0)))
            break;
        spk_table_clear(&c.table);
        for (size_t i = 0; i < shard.n_segments && more; i++)
            more = combine_segment(&c, &shard.segments[i], spk_task_batch(task));
        more = more && push_rows(pipe, c.table.rows, c.table.n, aggregator->out->size);
    }
    if (open)
        spk_combiner_close(&c);
    spk_shard_fini(&shard);
}

/* ---- groups */

typedef struct grouping {
    spk_pipe *pipe;
    const spk_layout *row, *out;
    spk_table table; /* rows: key, then the number of values */
    uint32_t count_at;
    uint32_t *groups; /* of each row of the shard */
    char *values, *lists;
    size_t groups_capacity, values_capacity, lists_capacity;
} grouping;

static const uint64_t first_count = 1;

static bool reserve(grouping *g, void *slot, size_t *capacity, size_t want)
{
    void *old, *block;
    if (want <= *capacity)
        return true;
    memcpy(&old, slot, sizeof old);
    spk_heap_free(g->pipe->task->heap, old, *capacity);
    *capacity = 0;
    block = spk_heap_alloc(g->pipe->task->heap, want, capacity);
    if (!block)
        *capacity = 0;
    memcpy(slot, &block, sizeof block);
    return block != NULL;
}

/* number_rows: the group of each row, and how many rows each group has. */
static bool number_rows(grouping *g, const spk_shard *shard, spk_found *found)
{
    const size_t batch = spk_task_batch(g->pipe->task);
    const spk_value_move move = { .to = g->count_at, .size = 8, .zero = &first_count };
    size_t at = 0;
    for (size_t k = 0; k < shard->n_segments; k++) {
        const spk_segment *segment = &shard->segments[k];
        for (size_t i = 0; i < segment->n; i += batch) {
            const size_t n = segment->n - i < batch ? segment->n - i : batch;
            if (spk_table_find(&g->table, segment->rows + i * g->row->size, g->row->size, n,
                    segment->hashes ? segment->hashes + i : NULL, &move, UINT32_MAX, UINT64_MAX,
                    found)
                == SIZE_MAX)
                return false;
            for (size_t h = 0; h < found->n_hits; h++)
                ++*(uint64_t *)(void *)(spk_table_row(&g->table, found->rows[found->hits[h]])
                    + g->count_at);
            memcpy(g->groups + at, found->rows, n * sizeof *g->groups);
            at += n;
        }
    }
    return true;
}

/* lay_out: a list for each group, then the values into them, in order. */
static void lay_out(grouping *g, const spk_shard *shard)
{
    const size_t size = g->row->value->size, out_size = g->out->size;
    size_t at = 0, row = 0;
    for (uint32_t k = 0; k < g->table.n; k++) {
        char *key = spk_table_row(&g->table, k), *to = g->lists + k * out_size;
        const spark_bytes list = { g->values + at * size, 0 };
        memset(to, 0, out_size);
        memcpy(to, key, g->row->key->size);
        memcpy(to + g->out->value_offset, &list, sizeof list);
        at += *(uint64_t *)(void *)(key + g->count_at);
    }
    for (size_t s = 0; s < shard->n_segments; s++)
        for (size_t i = 0; i < shard->segments[s].n; i++, row++) {
            spark_bytes *list = (spark_bytes *)(void *)(g->lists + g->groups[row] * out_size
                + g->out->value_offset);
            char *values;
            memcpy(&values, &list->ptr, sizeof values);
            memcpy(values + list->len++ * size,
                shard->segments[s].rows + i * g->row->size + g->row->value_offset, size);
        }
}

static bool group_shard(grouping *g, const spk_shard *shard, spk_found *found)
{
    spk_table_clear(&g->table);
    if (!reserve(g, &g->groups, &g->groups_capacity, shard->n * sizeof *g->groups)
        || !number_rows(g, shard, found)
        || !reserve(g, &g->values, &g->values_capacity, shard->n * g->row->value->size + 16)
        || !reserve(g, &g->lists, &g->lists_capacity, (size_t)g->table.n * g->out->size + 16)) {
        spk_task_nomem(g->pipe->task);
        return false;
    }
    lay_out(g, shard);
    return push_rows(g->pipe, g->lists, g->table.n, g->out->size);
}

static bool found_open(spark_task *task, spk_found *found)
{
    const size_t n = spk_task_batch(task);
    char *at = spk_arena_alloc(&task->keep, n * 16, 16);
    if (!at) {
        spk_task_nomem(task);
        return false;
    }
    *found = (spk_found) { .hashes = (uint64_t *)(void *)at };
    found->rows = (uint32_t *)(void *)(at + n * 8);
    found->hits = found->rows + n;
    return true;
}

void spk_reduce_group(spk_pipe *pipe, spk_input *in, const spk_layout *out)
{
    spark_task *task = pipe->task;
    const spk_layout *key = in->shuffle->key;
    grouping g = { .pipe = pipe, .row = in->shuffle->row, .out = out };
    spk_shard shard = { NULL, 0, 0, 0, 0 };
    spk_found found;
    g.count_at = (uint32_t)((key->size + 7) / 8 * 8);
    if (!found_open(task, &found))
        return;
    if (!spk_table_init(&g.table, task->heap, key, g.count_at + 8, 0, true)) {
        spk_task_nomem(task);
        return;
    }
    for (uint32_t s = 0; s < in->slices; s++)
        if (!spk_input_shard(in, s, &shard) || (shard.n > 0 && !group_shard(&g, &shard, &found)))
            break;
    spk_table_fini(&g.table);
    spk_heap_free(task->heap, g.groups, g.groups_capacity);
    spk_heap_free(task->heap, g.values, g.values_capacity);
    spk_heap_free(task->heap, g.lists, g.lists_capacity);
    spk_shard_fini(&shard);
}
