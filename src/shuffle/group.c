/* SPDX-License-Identifier: Apache-2.0 */
/* Groups: a table numbers the keys of a shard in the order they come, then a counting sort brings
 * the values of each key together: copied side by side for lists; as pointers to where they lie for
 * functions that read them one by one, which costs 12 bytes a value however large values are. */
#include <stdio.h>

#include "exec/iterator.h"
#include "shuffle/reduce.h"
#include "shuffle/split.h"
#include "shuffle/table.h"

enum { MOST = 4 };

typedef struct side {
    const spk_layout *row;
    spk_shard shard;
    bool stays;       /* the shard, once its rows are numbered */
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
    spk_leaves leaves;
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

/* number: the groups of some rows of a side, in g->found.rows. */
static bool number(grouping *g, const side *s, const spk_segment *segment, size_t i, size_t n)
{
    static const uint64_t none[MOST];
    const spk_value_move move = { .to = g->count_at, .size = (uint32_t)(8 * g->n), .zero = none };
    const size_t size = s->row->size;
    if (spk_table_find(&g->table, segment->rows + i * size, size, n,
            segment->hashes ? segment->hashes + i : NULL, &move, UINT32_MAX, UINT64_MAX, &g->found)
        != SIZE_MAX)
        return true;
    spk_task_nomem(g->pipe->task);
    return false;
}

/* number_rows: the group of each row of a side, and how many rows each group has. */
static bool number_rows(grouping *g, size_t which)
{
    side *s = &g->sides[which];
    const size_t batch = spk_task_batch(g->pipe->task);
    size_t at = 0;
    for (size_t k = 0; k < s->shard.n_segments; k++) {
        spk_segment *segment = &s->shard.segments[k];
        if (!spk_segment_load(&s->shard, segment))
            return false;
        for (size_t i = 0; i < segment->n; i += batch) {
            const size_t n = segment->n - i < batch ? segment->n - i : batch;
            if (!number(g, s, segment, i, n))
                return false;
            for (size_t h = 0; h < n; h++)
                counts_of(g, g->found.rows[h])[which]++;
            memcpy(s->groups + at, g->found.rows, n * sizeof *s->groups);
            at += n;
        }
        if (!s->stays)
            spk_segment_unload(&s->shard, segment);
    }
    return true;
}

/* refuse: there is no memory for the values of a side. A leaf that could not be split has hardly more
 * than one key. */
static bool refuse(grouping *g, size_t which, size_t bytes)
{
    spark_task *task = g->pipe->task;
    const uint64_t most = g->sides[which].shard.n;
    char what[100], text[300];
    snprintf(what, sizeof what, "a list of up to %llu values of one key", (unsigned long long)most);
    spk_task_fail(task, SPARK_ENOMEM, "%s",
        spk_heap_refusal(task->heap, what, most * bytes, text, sizeof text));
    return false;
}

/* number_shard: all sides. lists: the values will be copied side by side, else pointed to. */
static bool number_shard(grouping *g, bool lists, bool *empty)
{
    *empty = true;
    for (size_t i = 0; i < g->n; i++) {
        side *s = &g->sides[i];
        const size_t bytes = lists ? s->row->value->size : sizeof(char *);
        s->stays = !lists || s->row->views;
        *empty = *empty && s->shard.n == 0;
        if (!reserve(g, &s->groups, &s->groups_capacity, s->shard.n * sizeof *s->groups))
            return refuse(g, i, bytes);
        if (!number_rows(g, i))
            return false;
        if (!reserve(g, &s->values, &s->values_capacity, s->shard.n * bytes + 16))
            return refuse(g, i, bytes);
    }
    return true;
}

static bool open_grouping(grouping *g, spk_pipe *pipe, spk_input *inputs, size_t n)
{
    spk_input *all[MOST];
    spk_shard *shards[MOST];
    *g = (grouping) { .pipe = pipe, .key = inputs[0].shuffle->key, .n = n };
    for (size_t i = 0; i < n; i++) {
        all[i] = &inputs[i];
        shards[i] = &g->sides[i].shard;
        g->sides[i].row = inputs[i].shuffle->row;
    }
    g->count_at = spk_table_room(g->key->size, 8);
    if (!spk_found_open(pipe->task, &g->found)
        || !spk_leaves_open(&g->leaves, pipe->task, n, all, shards))
        return false;
    const size_t row_size = spk_table_room(g->count_at + 8 * n, g->key->align);
    if (spk_table_init(&g->table, pipe->task->heap, g->key, row_size, 0, false))
        return true;
    spk_task_nomem(pipe->task);
    return false;
}

static void close_grouping(grouping *g)
{
    spk_heap *heap = g->pipe->task->heap;
    spk_table_fini(&g->table);
    spk_leaves_close(&g->leaves);
    spk_heap_free(heap, g->lists, g->lists_capacity);
    for (size_t i = 0; i < g->n; i++) {
        spk_heap_free(heap, g->sides[i].groups, g->sides[i].groups_capacity);
        spk_heap_free(heap, g->sides[i].values, g->sides[i].values_capacity);
    }
}

/* next_leaf: small enough, where it can be; false: there is none. */
static bool next_leaf(grouping *g)
{
    while (spk_leaves_next(&g->leaves)) {
        uint64_t bytes = 0;
        for (size_t i = 0; i < g->n; i++)
            bytes += g->sides[i].shard.bytes;
        if (bytes > SPK_LEAF_BYTES && spk_leaves_split(&g->leaves))
            continue;
        spk_table_clear(&g->table);
        g->table.borrow = !g->leaves.spilled;
        return !spk_task_failed(g->pipe->task);
    }
    return false;
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

static bool fill_lists(grouping *g, const spk_layout *out, size_t which)
{
    side *s = &g->sides[which];
    const size_t size = s->row->value->size, offset = s->row->value_offset;
    char *lists = g->lists + out->value_offset + which * sizeof(spark_bytes);
    size_t row = 0;
    for (size_t k = 0; k < s->shard.n_segments; k++) {
        spk_segment *segment = &s->shard.segments[k];
        if (!spk_segment_load(&s->shard, segment))
            return false;
        const char *from = segment->rows + offset;
        for (size_t i = 0; i < segment->n; i++, row++, from += s->row->size) {
            spark_bytes *list = (spark_bytes *)(void *)(lists + s->groups[row] * (size_t)out->size);
            char *values;
            memcpy(&values, &list->ptr, sizeof values);
            memcpy(values + list->len++ * size, from, size);
        }
        if (!s->stays)
            spk_segment_unload(&s->shard, segment);
    }
    return true;
}

static bool group_leaf(grouping *g, const spk_layout *out)
{
    bool empty;
    if (!number_shard(g, true, &empty))
        return false;
    if (empty)
        return true;
    if (!reserve(g, &g->lists, &g->lists_capacity, (size_t)g->table.n * out->size + 16)) {
        spk_task_nomem(g->pipe->task);
        return false;
    }
    start_lists(g, out);
    for (size_t i = 0; i < g->n; i++)
        if (!fill_lists(g, out, i))
            return false;
    return spk_push_rows(g->pipe, g->lists, g->table.n, out->size);
}

void spk_reduce_group(spk_pipe *pipe, spk_input *inputs, size_t n, const spk_layout *out)
{
    grouping g;
    if (!open_grouping(&g, pipe, inputs, n))
        return;
    while (next_leaf(&g) && group_leaf(&g, out))
        continue;
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

/* ---- shards larger than memory
 *
 * What is on disk is read again and again: once to number the keys and count their values, then once
 * for each range of groups whose values fit, which are gathered; a group that does not fit alone is
 * read from the disk while its function runs. */

typedef struct piecewise {
    grouping *g;
    size_t segment, row;   /* where reading stands */
    size_t batch_n, batch; /* of the numbered batch: its rows, the next one */
    uint32_t group;        /* that is read alone */
    bool failed;
} piecewise;

/* next_batch: numbers the next rows of the shard; false: there are none. */
static bool next_batch(piecewise *p)
{
    grouping *g = p->g;
    side *s = &g->sides[0];
    const size_t most = spk_task_batch(g->pipe->task);
    p->row += p->batch_n;
    p->batch = p->batch_n = 0;
    while (p->segment < s->shard.n_segments && p->row == s->shard.segments[p->segment].n) {
        spk_segment_unload(&s->shard, &s->shard.segments[p->segment++]);
        p->row = 0;
    }
    if (p->segment == s->shard.n_segments || spk_task_unwanted(g->pipe->task))
        return false;
    spk_segment *segment = &s->shard.segments[p->segment];
    const size_t n = segment->n - p->row < most ? segment->n - p->row : most;
    p->failed = !spk_segment_load(&s->shard, segment) || !number(g, s, segment, p->row, n);
    p->batch_n = p->failed ? 0 : n;
    return !p->failed;
}

static const char *value_at(const piecewise *p, size_t i)
{
    const side *s = &p->g->sides[0];
    return s->shard.segments[p->segment].rows + (p->row + i) * s->row->size + s->row->value_offset;
}

static void stop_reading(piecewise *p)
{
    side *s = &p->g->sides[0];
    if (p->segment < s->shard.n_segments)
        spk_segment_unload(&s->shard, &s->shard.segments[p->segment]);
}

static bool count_piecewise(grouping *g)
{
    piecewise p = { .g = g };
    while (next_batch(&p))
        for (size_t i = 0; i < p.batch_n; i++)
            counts_of(g, g->found.rows[i])[0]++;
    stop_reading(&p);
    return !p.failed && !spk_task_unwanted(g->pipe->task);
}

static bool next_of_group(spark_iterator *in)
{
    piecewise *p;
    memcpy(&p, &in->source, sizeof p);
    for (;;) {
        while (p->batch < p->batch_n && p->g->found.rows[p->batch] != p->group)
            p->batch++;
        if (p->batch < p->batch_n)
            break;
        if (!next_batch(p))
            return false;
    }
    in->at = value_at(p, p->batch++);
    in->end = in->at + in->size;
    return true;
}

/* call_alone: one group, read while the function runs. */
static bool call_alone(grouping *g, uint32_t group, const spark_group_def *f, const void *env,
    const spk_layout *out, spk_arena *arenas)
{
    piecewise p = { .g = g, .group = group };
    spk_out to;
    if (!spk_source_open(&to, g->pipe, out->size, arenas))
        return false;
    spark_iterator in = { .size = g->sides[0].row->value->size,
        .refill = next_of_group,
        .source = &p,
        .out = &to.head,
        .task = g->pipe->task };
    to.head.rows++;
    f->run(g->pipe->task, spk_table_row(&g->table, group), &in, &to.head, env);
    const bool more = spk_source_close(&to) && !p.failed;
    stop_reading(&p);
    return more;
}

/* gather: copies of the values of groups [from, to), and pointers to them, group after group;
 * ends[k] becomes the end of group from + k. */
static bool gather(grouping *g, uint32_t from, uint32_t to, spk_rows *values, uint64_t *ends)
{
    piecewise p = { .g = g };
    const char **pointers = (const char **)(void *)g->sides[0].values;
    bool good = true;
    for (uint64_t k = from, sum = 0; k < to; k++) {
        ends[k - from] = sum;
        sum += counts_of(g, (uint32_t)k)[0];
    }
    while (good && next_batch(&p))
        for (size_t i = 0; good && i < p.batch_n; i++) {
            const uint32_t group = g->found.rows[i];
            if (group < from || group >= to)
                continue;
            good = spk_rows_append(values, value_at(&p, i), 1);
            pointers[ends[group - from]++] = values->row_end - values->layout->size;
        }
    stop_reading(&p);
    if (!good)
        spk_task_nomem(g->pipe->task);
    return good && !p.failed && !spk_task_unwanted(g->pipe->task);
}

static bool call_gathered(grouping *g, uint32_t from, uint32_t to, uint64_t rows,
    const spark_group_def *f, const void *env, const spk_layout *out, spk_arena *arenas)
{
    spark_task *task = g->pipe->task;
    side *s = &g->sides[0];
    spk_rows values;
    spk_out emit;
    const size_t pointer_bytes = rows * sizeof(char *);
    spk_rows_init(&values, task->heap, s->row->value);
    if (!reserve(g, &s->values, &s->values_capacity, pointer_bytes + (to - from) * 8 + 64)) {
        spk_task_nomem(task);
        return false;
    }
    uint64_t *ends = (uint64_t *)(void *)(s->values + pointer_bytes);
    bool more
        = gather(g, from, to, &values, ends) && spk_source_open(&emit, g->pipe, out->size, arenas);
    if (more) {
        const char *const *at = (const char *const *)(const void *)s->values, *const *all = at;
        for (uint32_t k = from; k < to && !emit.head.closed; k++) {
            cursor c = { at, all + ends[k - from], s->row->value->size };
            spark_iterator in = {
                .size = c.size, .refill = next_value, .source = &c, .out = &emit.head, .task = task
            };
            emit.head.rows++;
            f->run(task, spk_table_row(&g->table, k), &in, &emit.head, env);
            at = all + ends[k - from];
        }
        more = spk_source_close(&emit);
    }
    spk_rows_fini(&values);
    return more;
}

static bool call_piecewise(grouping *g, const spark_group_def *f, const void *env,
    const spk_layout *out, spk_arena *arenas)
{
    const side *s = &g->sides[0];
    const uint64_t each = s->shard.bytes / s->shard.n + 2 * sizeof(char *);
    const uint64_t fits = g->pipe->task->heap->limit / 16 / each + 1;
    bool more = count_piecewise(g);
    for (uint32_t from = 0, to; more && from < g->table.n; from = to) {
        uint64_t rows = counts_of(g, from)[0];
        for (to = from + 1; to < g->table.n && rows + counts_of(g, to)[0] <= fits; to++)
            rows += counts_of(g, to)[0];
        more = rows > fits ? call_alone(g, from, f, env, out, arenas)
                           : call_gathered(g, from, to, rows, f, env, out, arenas);
    }
    return more;
}

/* group_map_leaf: in memory where it fits. */
static bool group_map_leaf(grouping *g, const spark_group_def *f, const void *env,
    const spk_layout *out, spk_arena *arenas)
{
    bool empty;
    if (g->leaves.spilled && g->sides[0].shard.bytes > g->pipe->task->heap->limit / 16)
        return call_piecewise(g, f, env, out, arenas);
    return number_shard(g, false, &empty)
        && (empty || call_groups(g, f, env, out, arenas));
}

void spk_reduce_group_map(spk_pipe *pipe, spk_input *input, const spark_group_def *f,
    const void *env, const spk_layout *out)
{
    grouping g;
    spk_arena *arenas = spk_step_arenas(pipe->task);
    if (!arenas || !open_grouping(&g, pipe, input, 1))
        return;
    while (next_leaf(&g) && group_map_leaf(&g, f, env, out, arenas))
        continue;
    close_grouping(&g);
}
