/* SPDX-License-Identifier: Apache-2.0 */
/* Groups: a table numbers the keys of a shard in the order they come, then a counting sort brings
 * the values of each key together: copied side by side for lists; as pointers to where they lie for
 * functions that read them one by one, which costs 12 bytes a value however large values are. */
#include "exec/iterator.h"
#include "shuffle/reduce.h"
#include "shuffle/table.h"

enum { MOST = 4 };

typedef struct side {
    spk_input *input;
    const spk_layout *row;
    spk_shard shard;
    uint32_t *groups; /* of each row of the shard */
    char *values;     /* lists: side by side; functions: pointers to them */
    size_t groups_capacity, values_capacity;
} side;

typedef struct grouping {
    spk_pipe *pipe;
    const spk_layout *key;
    size_t n;
    side sides[MOST];
    spk_found found;
    spk_table table;   /* rows: key, then for each side the number of values */
    uint32_t count_at; /* of these */
    char *lists;
    size_t lists_capacity;
} grouping;

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

static uint64_t *counts_of(const grouping *g, uint32_t group)
{
    return (uint64_t *)(void *)(spk_table_row(&g->table, group) + g->count_at);
}

/* number_rows: the group of each row of a side, and how many rows each group has. */
static bool number_rows(grouping *g, size_t which)
{
    static const uint64_t none[MOST];
    side *s = &g->sides[which];
    const size_t batch = spk_task_batch(g->pipe->task), size = s->row->size;
    const spk_value_move move = { .to = g->count_at, .size = (uint32_t)(8 * g->n), .zero = none };
    size_t at = 0;
    for (size_t k = 0; k < s->shard.n_segments; k++) {
        const spk_segment *segment = &s->shard.segments[k];
        for (size_t i = 0; i < segment->n; i += batch) {
            const size_t n = segment->n - i < batch ? segment->n - i : batch;
            if (spk_table_find(&g->table, segment->rows + i * size, size, n,
                    segment->hashes ? segment->hashes + i : NULL, &move, UINT32_MAX, UINT64_MAX,
                    &g->found)
                == SIZE_MAX)
                return false;
            for (size_t h = 0; h < n; h++)
                counts_of(g, g->found.rows[h])[which]++;
            memcpy(s->groups + at, g->found.rows, n * sizeof *s->groups);
            at += n;
        }
    }
    return true;
}

/* number_shard: all sides; `value_bytes` are reserved for each value of a side, 0: its size. */
static bool number_shard(grouping *g, uint32_t slice, size_t value_bytes, bool *empty)
{
    *empty = true;
    spk_table_clear(&g->table);
    for (size_t i = 0; i < g->n; i++) {
        side *s = &g->sides[i];
        if (!spk_input_shard(s->input, slice, &s->shard))
            return false;
        *empty = *empty && s->shard.n == 0;
        const size_t bytes = value_bytes ? value_bytes : s->row->value->size;
        if (!reserve(g, &s->groups, &s->groups_capacity, s->shard.n * sizeof *s->groups)
            || !number_rows(g, i)
            || !reserve(g, &s->values, &s->values_capacity, s->shard.n * bytes + 16)) {
            spk_task_nomem(g->pipe->task);
            return false;
        }
    }
    return true;
}

static bool open_grouping(grouping *g, spk_pipe *pipe, spk_input *inputs, size_t n)
{
    *g = (grouping) { .pipe = pipe, .key = inputs[0].shuffle->key, .n = n };
    for (size_t i = 0; i < n; i++) {
        g->sides[i].input = &inputs[i];
        g->sides[i].row = inputs[i].shuffle->row;
    }
    g->count_at = (uint32_t)((g->key->size + 7) / 8 * 8);
    if (!spk_found_open(pipe->task, &g->found))
        return false;
    if (spk_table_init(&g->table, pipe->task->heap, g->key, g->count_at + 8 * n, 0, true))
        return true;
    spk_task_nomem(pipe->task);
    return false;
}

static void close_grouping(grouping *g)
{
    spk_heap *heap = g->pipe->task->heap;
    spk_table_fini(&g->table);
    spk_heap_free(heap, g->lists, g->lists_capacity);
    for (size_t i = 0; i < g->n; i++) {
        spk_shard_fini(&g->sides[i].shard);
        spk_heap_free(heap, g->sides[i].groups, g->sides[i].groups_capacity);
        spk_heap_free(heap, g->sides[i].values, g->sides[i].values_capacity);
    }
}

/* ---- lists */

/* start_lists: a row for each group, with lists that are still empty but stand where they will. */
static void start_lists(grouping *g, const spk_layout *out)
{
    size_t at[MOST] = { 0 };
    for (uint32_t k = 0; k < g->table.n; k++) {
        char *to = g->lists + k * (size_t)out->size;
        memset(to, 0, out->size);
        memcpy(to, spk_table_row(&g->table, k), g->key->size);
        for (size_t i = 0; i < g->n; i++) {
            const spark_bytes list
                = { g->sides[i].values + at[i] * g->sides[i].row->value->size, 0 };
            memcpy(to + out->value_offset + i * sizeof list, &list, sizeof list);
            at[i] += counts_of(g, k)[i];
        }
    }
}

static void fill_lists(grouping *g, const spk_layout *out, size_t which)
{
    const side *s = &g->sides[which];
    const size_t size = s->row->value->size, offset = s->row->value_offset;
    char *lists = g->lists + out->value_offset + which * sizeof(spark_bytes);
    size_t row = 0;
    for (size_t k = 0; k < s->shard.n_segments; k++) {
        const char *from = s->shard.segments[k].rows + offset;
        for (size_t i = 0; i < s->shard.segments[k].n; i++, row++, from += s->row->size) {
            spark_bytes *list = (spark_bytes *)(void *)(lists + s->groups[row] * (size_t)out->size);
            char *values;
            memcpy(&values, &list->ptr, sizeof values);
            memcpy(values + list->len++ * size, from, size);
        }
    }
}

static bool group_shard(grouping *g, uint32_t slice, const spk_layout *out)
{
    bool empty;
    if (!number_shard(g, slice, 0, &empty))
        return false;
    if (empty)
        return true;
    if (!reserve(g, &g->lists, &g->lists_capacity, (size_t)g->table.n * out->size + 16)) {
        spk_task_nomem(g->pipe->task);
        return false;
    }
    start_lists(g, out);
    for (size_t i = 0; i < g->n; i++)
        fill_lists(g, out, i);
    return spk_push_rows(g->pipe, g->lists, g->table.n, out->size);
}

void spk_reduce_group(spk_pipe *pipe, spk_input *inputs, size_t n, const spk_layout *out)
{
    grouping g;
    if (!open_grouping(&g, pipe, inputs, n))
        return;
    for (uint32_t s = 0; s < inputs[0].slices; s++)
        if (!group_shard(&g, s, out))
            break;
    close_grouping(&g);
}

/* ---- functions of groups */

typedef struct cursor {
    const char *const *next, *const *end;
    size_t size;
} cursor;

static bool next_value(spark_iterator *in)
{
    cursor *c;
    memcpy(&c, &in->source, sizeof c);
    if (c->next == c->end)
        return false;
    in->at = *c->next++;
    in->end = in->at + c->size;
    return true;
}

/* sort_pointers: to the values, group after group. */
static void sort_pointers(grouping *g)
{
    side *s = &g->sides[0];
    const char **pointers = (const char **)(void *)s->values;
    size_t sum = 0, row = 0;
    for (uint32_t k = 0; k < g->table.n; k++) {
        const size_t n = counts_of(g, k)[0];
        counts_of(g, k)[0] = sum;
        sum += n;
    }
    for (size_t k = 0; k < s->shard.n_segments; k++) {
        const char *from = s->shard.segments[k].rows + s->row->value_offset;
        for (size_t i = 0; i < s->shard.segments[k].n; i++, row++, from += s->row->size)
            pointers[counts_of(g, s->groups[row])[0]++] = from;
    }
}

static bool call_groups(grouping *g, const spark_group_def *f, const void *env,
    const spk_layout *out, spk_arena *arenas)
{
    spark_task *task = g->pipe->task;
    const side *s = &g->sides[0];
    const char *const *pointers = (const char *const *)(const void *)s->values;
    spk_out to;
    size_t from = 0;
    sort_pointers(g);
    if (!spk_source_open(&to, g->pipe, out->size, arenas))
        return false;
    for (uint32_t k = 0; k < g->table.n && !to.head.closed; k++) {
        const size_t end = counts_of(g, k)[0];
        cursor c = { pointers + from, pointers + end, s->row->value->size };
        spark_iterator in
            = { .size = c.size, .refill = next_value, .source = &c, .out = &to.head, .task = task };
        to.head.rows++;
        f->run(task, spk_table_row(&g->table, k), &in, &to.head, env);
        from = end;
    }
    return spk_source_close(&to);
}

void spk_reduce_group_map(spk_pipe *pipe, spk_input *input, const spark_group_def *f,
    const void *env, const spk_layout *out)
{
    grouping g;
    bool empty;
    spk_arena *arenas = spk_step_arenas(pipe->task);
    if (!arenas || !open_grouping(&g, pipe, input, 1))
        return;
    for (uint32_t s = 0; s < input->slices; s++)
        if (!number_shard(&g, s, sizeof(char *), &empty)
            || (!empty && !call_groups(&g, f, env, out, arenas)))
            break;
    close_grouping(&g);
}
