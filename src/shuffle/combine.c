/* SPDX-License-Identifier: Apache-2.0 */
/* A batch is combined in passes: hash, find or make rows, merge the hits. Sums of int64_t, counts
 * above all, are added while probing. Accumulators that point to memory go one element at a time:
 * after each merge, what the accumulator points to is copied into the table, and its size is known
 * exactly, so that a window ends at the same element whatever the batches are. */
#include "shuffle/combine.h"

#include <assert.h>

#include "shuffle/growing.h"
#include "shuffle/merge.h"

enum { SCRATCH_BYTES = 64 * 1024 };

/* make_arrays: for a batch, in this order: values that are gathered (of any alignment, and no more of
 * them than make a batch of bytes), accumulators, and what the table finds. */
static bool make_arrays(spk_combiner *c)
{
    const size_t n = spk_task_batch(c->task);
    const size_t value = c->value ? c->value->size : 1, acc = c->value ? c->aggregator->acc->size : 1;
    c->gathered_max = spk_task_fit(c->task, value);
    const size_t least = c->gathered_max * value > acc ? c->gathered_max * value : acc;
    const size_t gathered = (least + 15) / 16 * 16;
    const size_t each = sizeof *c->accs + sizeof *c->found.hashes + 2 * sizeof *c->found.rows;
    char *at = spk_heap_alloc(c->task->heap, gathered + n * each, &c->block_capacity);
    if (!at)
        return false;
    c->block = c->gathered = at;
    c->accs = (void **)(void *)(at + gathered);
    c->found.hashes = (uint64_t *)(void *)(c->accs + n);
    c->found.rows = (uint32_t *)(void *)(c->found.hashes + n);
    c->found.hits = c->found.rows + n;
    return true;
}

/* set_sides: what comes in, and how it moves into a new row. */
static void set_sides(spk_combiner *c, spk_phase phase)
{
    const spk_aggregator *a = c->aggregator;
    const bool add = phase == SPK_ADD;
    c->row = add ? a->in : a->out;
    c->start = add || a->start == SPK_START_NONE ? a->start : SPK_START_VALUE;
    if (c->start == SPK_START_NONE)
        return;
    c->value = add ? a->value : a->acc;
    c->merging = add ? &a->add : &a->combine;
    c->move = (spk_value_move) { .from = c->row->value_offset,
        .to = a->out->value_offset,
        .size = a->acc->size,
        .zero = c->start == SPK_START_VALUE ? NULL : a->zero,
        .views = a->acc->views ? a->acc : NULL };
    if (c->start == SPK_START_VALUE && spk_merging_is_sum_i64(c->merging))
        c->fused = SPK_SUM_I64;
    else if (c->start == SPK_START_VALUE && a->key->key_class == SPK_KEY_8
        && c->merging->def.op == SPARK_OP_SUM && a->acc->type->kind == SPARK_KIND_F64)
        c->fused = SPK_SUM_F64;
    assert(c->start != SPK_START_VALUE || c->value->size == a->acc->size);
    assert(c->start == SPK_START_VALUE || a->zero);
}

bool spk_combiner_open(spk_combiner *c, spark_task *task, const spk_aggregator *aggregator,
    spk_phase phase, bool borrow)
{
    *c = (spk_combiner) { .task = task, .aggregator = aggregator };
    spk_arena_init(&c->scratch, task->heap);
    set_sides(c, phase);
    if (!make_arrays(c)) {
        spk_task_nomem(task);
        return false;
    }
    if (spk_table_init(&c->table, task->heap, aggregator->key, aggregator->out->size, 0, borrow))
        return true;
    spk_heap_free(task->heap, c->block, c->block_capacity);
    spk_task_nomem(task);
    return false;
}

void spk_combiner_close(spk_combiner *c)
{
    spk_table_fini(&c->table);
    spk_arena_fini(&c->scratch);
    spk_heap_free(c->task->heap, c->block, c->block_capacity);
}

static char *acc_of(const spk_combiner *c, uint32_t row)
{
    return spk_table_row(&c->table, row) + c->move.to;
}

static const char *value_of(const spk_combiner *c, const char *rows, size_t i)
{
    return rows + i * c->row->size + c->row->value_offset;
}

static void merge(spk_combiner *c, size_t n, const char *values, size_t step)
{
    c->merging->def.run(c->task, n, c->accs, values, step, c->merging->env);
}

/* merge_all: every element, new rows started from zero. */
static void merge_all(spk_combiner *c, const char *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        c->accs[i] = acc_of(c, c->found.rows[i]);
    merge(c, n, value_of(c, rows, 0), c->row->size);
}

/* merge_hits: a row's first value is in it already. */
static void merge_hits(spk_combiner *c, const char *rows, size_t n)
{
    const size_t hits = c->found.n_hits, size = c->value->size;
    if (hits == n) {
        merge_all(c, rows, n);
        return;
    }
    for (size_t i = 0, some; i < hits; i += some) {
        some = hits - i < c->gathered_max ? hits - i : c->gathered_max;
        for (size_t j = 0; j < some; j++) {
            const uint32_t element = c->found.hits[i + j];
            c->accs[j] = acc_of(c, c->found.rows[element]);
            memcpy(c->gathered + j * size, value_of(c, rows, element), size);
        }
        merge(c, some, c->gathered, size);
    }
}

/* create: the accumulators of new rows, which are blank; their elements are those that are no
 * hits. */
static void create(spk_combiner *c, const char *rows, size_t n)
{
    const spk_aggregator *a = c->aggregator;
    c->task->sums.role = SPK_CREATE;
    for (size_t i = 0, hit = 0; i < n; i++)
        if (hit < c->found.n_hits && c->found.hits[hit] == i)
            hit++;
        else
            a->create.run(c->task, 1, value_of(c, rows, i), c->row->size,
                acc_of(c, c->found.rows[i]), a->acc->size, a->create_env);
    c->task->sums.role = SPK_MAIN;
}

/* compact: accumulators have left more dead bytes than live ones behind. */
static bool compact(spk_combiner *c)
{
    const bool done = spk_table_compact(&c->table, c->move.to, c->move.views);
    if (!done)
        spk_task_nomem(c->task);
    return done;
}

/* own: what the accumulator points to now becomes the table's. `before`: its bytes before the
 * merge. */
static bool own(spk_combiner *c, char *acc, size_t before)
{
    spk_table *t = &c->table;
    const size_t bytes = spk_value_bytes(c->move.views, acc);
    char *room = bytes ? spk_arena_alloc(&t->strings, bytes, 8) : NULL;
    if (bytes && !room) {
        spk_task_nomem(c->task);
        return false;
    }
    if (room)
        spk_value_pack(c->move.views, acc, room);
    t->string_bytes += bytes;
    t->string_bytes -= before;
    return t->strings.bytes <= 2 * t->string_bytes + 1024 * 1024 || compact(c);
}

/* add_one: an element whose accumulator has views. */
static size_t add_one(
    spk_combiner *c, const char *row, const uint64_t *hash, uint32_t limit, uint64_t bytes_limit)
{
    const size_t done = spk_table_find(
        &c->table, row, c->row->size, 1, hash, &c->move, limit, bytes_limit, &c->found);
    const bool started = done == 1 && c->found.n_hits == 0;
    if (done != 1 || (started && c->start == SPK_START_VALUE))
        return done;
    char *acc = acc_of(c, c->found.rows[0]);
    if (started && c->start == SPK_START_CREATE) {
        create(c, row, 1);
        return !spk_task_failed(c->task) && own(c, acc, 0) ? 1 : SIZE_MAX;
    }
    const size_t size = c->aggregator->acc->size, before = spk_value_bytes(c->move.views, acc);
    memcpy(c->gathered, acc, size);
    c->accs[0] = acc;
    merge(c, 1, value_of(c, row, 0), c->row->size);
    if (memcmp(c->gathered, acc, size) != 0 && !own(c, acc, before))
        return SIZE_MAX;
    return spk_task_failed(c->task) ? SIZE_MAX : 1;
}

/* add_each: one by one. What a merge has allocated is dead once the accumulator's own copy is made. */
static size_t add_each(spk_combiner *c, spk_combine_one *one, const char *rows, size_t n,
    const uint64_t *hashes, uint32_t limit, uint64_t bytes_limit)
{
    spk_arena *outer = c->task->scratch;
    size_t i = 0, done = 1;
    c->task->scratch = &c->scratch;
    while (i < n && done == 1) {
        done = one(c, rows + i * c->row->size, hashes ? hashes + i : NULL, limit, bytes_limit);
        i += done == 1;
        if (c->scratch.bytes > SCRATCH_BYTES)
            spk_arena_reset(&c->scratch);
    }
    spk_arena_reset(&c->scratch);
    c->task->scratch = outer;
    return done <= 1 ? i : done;
}

static size_t add(spk_combiner *c, const char *rows, size_t n, const uint64_t *hashes,
    uint32_t limit, uint64_t bytes_limit)
{
    if (c->aggregator->growing)
        return add_each(c, c->aggregator->growing->add, rows, n, hashes, limit, bytes_limit);
    if (c->move.views)
        return add_each(c, add_one, rows, n, hashes, limit, bytes_limit);
    if (c->fused)
        return spk_table_sum(&c->table, c->fused, rows, c->row->size, n, hashes, &c->move, limit,
            bytes_limit, &c->found);
    const size_t done = spk_table_find(
        &c->table, rows, c->row->size, n, hashes, &c->move, limit, bytes_limit, &c->found);
    if (done == SIZE_MAX || c->start == SPK_START_NONE)
        return done;
    if (c->start == SPK_START_CREATE)
        create(c, rows, done);
    if (c->start == SPK_START_ZERO)
        merge_all(c, rows, done);
    else
        merge_hits(c, rows, done);
    return done;
}

size_t spk_combiner_add(spk_combiner *c, const char *rows, size_t n, const uint64_t *hashes,
    uint32_t limit, uint64_t bytes_limit)
{
    const size_t done = add(c, rows, n, hashes, limit, bytes_limit);
    if (done == SIZE_MAX && !spk_task_failed(c->task))
        spk_task_nomem(c->task);
    return spk_task_failed(c->task) ? SIZE_MAX : done;
}

/* start: the accumulator of one value. */
static void start(const spk_aggregator *a, spark_task *task, const char *value, char *acc)
{
    void *accs[1] = { acc };
    memcpy(acc, a->zero, a->acc->size);
    if (a->start == SPK_START_ZERO) {
        a->add.def.run(task, 1, accs, value, a->in->size, a->add.env);
        return;
    }
    task->sums.role = SPK_CREATE;
    a->create.run(task, 1, value, a->in->size, acc, a->acc->size, a->create_env);
    task->sums.role = SPK_MAIN;
}

void spk_aggregator_create(
    const spk_aggregator *a, spark_task *task, const char *in, size_t n, char *out)
{
    const bool made = a->start == SPK_START_ZERO || a->start == SPK_START_CREATE;
    assert(made || a->in == a->out || a->start == SPK_START_NONE);
    if (!made && a->in == a->out) {
        memcpy(out, in, n * a->out->size);
        return;
    }
    for (size_t i = 0; i < n; i++, in += a->in->size, out += a->out->size) {
        memcpy(out, in, a->key->size);
        if (made)
            start(a, task, in + a->in->value_offset, out + a->out->value_offset);
    }
}
