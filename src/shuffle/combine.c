/* SPDX-License-Identifier: Apache-2.0 */
/* A batch is combined in passes: hash, find or make rows, merge the hits. Sums of int64_t, counts
 * above all, are added while probing. Accumulators that point to memory go one element at a time:
 * after each merge, what the accumulator points to is copied into the table, and its size is known
 * exactly, so that a window ends at the same element whatever the batches are. */
#include "shuffle/combine.h"

#include "shuffle/merge.h"

enum { SCRATCH_BYTES = 64 * 1024 };

static const int64_t one = 1;

static bool make_arrays(spk_combiner *c)
{
    const size_t n = spk_task_batch(c->task);
    const size_t value = c->aggregator->acc ? (c->aggregator->in_size + 15) / 16 * 16 : 16;
    const size_t bytes = n * (8 + 4 + 4 + sizeof(void *) + value) + 64;
    char *at = spk_heap_alloc(c->task->heap, bytes, &c->block_capacity);
    if (!at)
        return false;
    c->block = at;
    c->found.hashes = (uint64_t *)(void *)at;
    c->accs = (void **)(void *)(at + n * 8);
    c->gathered = at + n * 8 + n * sizeof(void *);
    c->found.rows = (uint32_t *)(void *)(c->gathered + n * value);
    c->found.hits = c->found.rows + n;
    return true;
}

/* direct: how values move on the side and phase. */
static void set_move(spk_combiner *c)
{
    const spk_aggregator *a = c->aggregator;
    const bool add = c->phase == SPK_ADD;
    c->in_size = add ? a->in_size : a->out->size;
    if (!a->acc)
        return;
    c->in_offset = add ? a->in_offset : a->acc_offset;
    c->move = (spk_value_move) { .from = c->in_offset, .to = a->acc_offset, .size = a->acc->size };
    if (add && a->count)
        c->move.zero = &one;
    else if (add && a->zero)
        c->move.zero = a->zero;
    c->move.views = a->acc->views ? a->acc : NULL;
    c->merging = add ? &a->add : &a->combine;
    c->fused = !c->move.zero && spk_merging_is_sum_i64(c->merging);
}

bool spk_combiner_open(spk_combiner *c, spark_task *task, const spk_aggregator *aggregator,
    spk_phase phase, bool borrow)
{
    *c = (spk_combiner) { .task = task, .aggregator = aggregator, .phase = phase };
    spk_arena_init(&c->scratch, task->heap);
    set_move(c);
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

static void merge(spk_combiner *c, size_t n, const char *values, size_t step)
{
    c->merging->def.run(c->task, n, c->accs, values, step, c->merging->env);
}

/* merge_all: every element, new rows started from zero. */
static void merge_all(spk_combiner *c, const char *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        c->accs[i] = acc_of(c, c->found.rows[i]);
    merge(c, n, rows + c->in_offset, c->in_size);
}

/* merge_hits: a row's first value is in it already. */
static void merge_hits(spk_combiner *c, const char *rows, size_t n)
{
    const size_t hits = c->found.n_hits, size = c->aggregator->acc->size;
    if (hits == n) {
        merge_all(c, rows, n);
        return;
    }
    for (size_t i = 0; i < hits; i++) {
        const uint32_t element = c->found.hits[i];
        c->accs[i] = acc_of(c, c->found.rows[element]);
        memcpy(c->gathered + i * size, rows + element * c->in_size + c->in_offset, size);
    }
    if (hits)
        merge(c, hits, c->gathered, size);
}

/* create: the accumulators of new rows, which are blank; their elements are those that are no
 * hits. */
static void create(spk_combiner *c, const char *rows, size_t n)
{
    const spk_aggregator *a = c->aggregator;
    c->task->role = SPK_CREATE;
    for (size_t i = 0, hit = 0; i < n; i++)
        if (hit < c->found.n_hits && c->found.hits[hit] == i)
            hit++;
        else
            a->create.run(c->task, 1, rows + i * c->in_size + c->in_offset, c->in_size,
                acc_of(c, c->found.rows[i]), a->acc->size, a->create_env);
    c->task->role = SPK_MAIN;
}

static void count_hits(spk_combiner *c)
{
    for (size_t i = 0; i < c->found.n_hits; i++)
        ++*(int64_t *)(void *)acc_of(c, c->found.rows[c->found.hits[i]]);
}

/* compact: accumulators have left more dead bytes than live ones behind. */
static bool compact(spk_combiner *c)
{
    spk_table *t = &c->table;
    spk_arena old = t->strings;
    bool done = true;
    spk_arena_init(&t->strings, t->heap);
    for (uint32_t row = 0; row < t->n && done; row++) {
        const spk_layout *parts[2] = { t->borrow ? NULL : t->key, c->move.views };
        char *places[2] = { spk_table_row(t, row), acc_of(c, row) };
        for (int i = 0; i < 2 && done; i++) {
            const size_t bytes = parts[i] ? spk_value_bytes(parts[i], places[i]) : 0;
            char *room = bytes ? spk_arena_alloc(&t->strings, bytes, 8) : NULL;
            done = room || !bytes;
            if (room)
                spk_value_pack(parts[i], places[i], room);
        }
    }
    if (done) {
        spk_arena_fini(&old);
        return true;
    }
    spk_task_nomem(c->task); /* both arenas are needed until the table goes */
    spk_arena_fini(&old);
    t->n = 0;
    return false;
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
        &c->table, row, c->in_size, 1, hash, &c->move, limit, bytes_limit, &c->found);
    const bool created = c->phase == SPK_ADD && c->aggregator->create.run;
    if (done != 1 || (!c->move.zero && c->found.n_hits == 0))
        return done;
    char *acc = acc_of(c, c->found.rows[0]);
    if (created && c->found.n_hits == 0) {
        create(c, row, 1);
        return !spk_task_failed(c->task) && own(c, acc, 0) ? 1 : SIZE_MAX;
    }
    const size_t size = c->aggregator->acc->size, before = spk_value_bytes(c->move.views, acc);
    memcpy(c->gathered, acc, size);
    c->accs[0] = acc;
    merge(c, 1, row + c->in_offset, c->in_size);
    if (memcmp(c->gathered, acc, size) != 0 && !own(c, acc, before))
        return SIZE_MAX;
    return spk_task_failed(c->task) ? SIZE_MAX : 1;
}

/* add_with_views: what a merge has allocated is dead once the accumulator's own copy is made. */
static size_t add_with_views(spk_combiner *c, const char *rows, size_t n, const uint64_t *hashes,
    uint32_t limit, uint64_t bytes_limit)
{
    spk_arena *outer = c->task->scratch;
    size_t i = 0, done = 1;
    c->task->scratch = &c->scratch;
    while (i < n && done == 1) {
        done = add_one(c, rows + i * c->in_size, hashes ? hashes + i : NULL, limit, bytes_limit);
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
    const spk_aggregator *a = c->aggregator;
    if (c->move.views)
        return add_with_views(c, rows, n, hashes, limit, bytes_limit);
    if (c->fused)
        return spk_table_sum(
            &c->table, rows, c->in_size, n, hashes, &c->move, limit, bytes_limit, &c->found);
    const size_t done = spk_table_find(
        &c->table, rows, c->in_size, n, hashes, &c->move, limit, bytes_limit, &c->found);
    if (done == SIZE_MAX || !a->acc)
        return done;
    if (c->phase == SPK_ADD && a->count) {
        count_hits(c);
    } else if (c->phase == SPK_ADD && a->create.run) {
        create(c, rows, done);
        merge_hits(c, rows, done);
    } else if (c->move.zero)
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

void spk_aggregator_create(
    const spk_aggregator *a, spark_task *task, const char *in, size_t n, char *out)
{
    const size_t size = a->out->size;
    if (!a->count && !a->zero && a->in == a->out) { /* the first value is the accumulator */
        memcpy(out, in, n * size);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        char *row = out + i * size;
        const char *from = in + i * a->in_size;
        memcpy(row, from, a->key->size);
        if (!a->acc)
            continue;
        char *acc = row + a->acc_offset;
        if (a->count) {
            memcpy(acc, &one, sizeof one);
        } else if (a->create.run) {
            memset(acc, 0, a->acc->size);
            task->role = SPK_CREATE;
            a->create.run(
                task, 1, from + a->in_offset, a->in_size, acc, a->acc->size, a->create_env);
            task->role = SPK_MAIN;
        } else if (a->zero) {
            void *accs[1] = { acc };
            memcpy(acc, a->zero, a->acc->size);
            a->add.def.run(task, 1, accs, from + a->in_offset, a->in_size, a->add.env);
        } else {
            memcpy(acc, from + a->in_offset, a->acc->size);
        }
    }
}
