/* SPDX-License-Identifier: Apache-2.0 */
/* Keys 0 to k - 1: a shard holds a range of them, so its rows are an array indexed by the key. */
#include <assert.h>

#include "base/hash.h"
#include "shuffle/combine.h"
#include "shuffle/merge.h"
#include "shuffle/reduce.h"

typedef struct dense {
    spk_pipe *pipe;
    const spk_aggregator *a;
    uint64_t first; /* key of the shard */
    size_t n;       /* keys of the shard */
    char *rows;
    uint8_t *present;
    size_t capacity;
    void **accs; /* of what is gathered */
    char *gathered;
    size_t gathered_max;
} dense;

static bool start_shard(dense *d, uint64_t first, uint64_t end)
{
    const size_t n = (size_t)(end - first), row_bytes = n * d->a->out->size;
    if (row_bytes + n + 64 > d->capacity) {
        spk_heap_free(d->pipe->task->heap, d->rows, d->capacity);
        d->rows = spk_heap_alloc(d->pipe->task->heap, row_bytes + n + 64, &d->capacity);
        if (!d->rows) {
            d->capacity = 0;
            spk_task_nomem(d->pipe->task);
            return false;
        }
    }
    d->first = first;
    d->n = n;
    d->present = (uint8_t *)d->rows + row_bytes;
    memset(d->present, 0, n);
    return true;
}

static void merge(dense *d, size_t hits)
{
    const spk_merging *m = &d->a->combine;
    m->def.run(d->pipe->task, hits, d->accs, d->gathered, d->a->acc->size, m->env);
}

/* add: n rows, merged by the function; the first of a key becomes its accumulator. */
static void add(dense *d, const char *rows, size_t n)
{
    const spk_layout *out = d->a->out;
    const size_t acc_size = d->a->acc->size;
    size_t hits = 0;
    for (size_t i = 0; i < n; i++, rows += out->size) {
        const uint64_t k = spk_dense_key(d->a->key, rows) - d->first;
        char *row = d->rows + k * out->size;
        if (!d->present[k]) {
            d->present[k] = 1;
            memcpy(row, rows, out->size);
            continue;
        }
        d->accs[hits] = row + out->value_offset;
        memcpy(d->gathered + hits++ * acc_size, rows + out->value_offset, acc_size);
        if (hits == d->gathered_max) {
            merge(d, hits);
            hits = 0;
        }
    }
    if (hits)
        merge(d, hits);
}

/* add_i64, add_f64: sums of 8-byte keys and values. */
static void add_i64(dense *d, const char *rows, size_t n)
{
    for (size_t i = 0; i < n; i++, rows += 16) {
        const uint64_t k = spk_load64(rows) - d->first;
        uint64_t *row = (uint64_t *)(void *)(d->rows + k * 16);
        row[1] = spk_load64(rows + 8) + (d->present[k] ? row[1] : 0);
        d->present[k] = 1;
    }
}

static void add_f64(dense *d, const char *rows, size_t n)
{
    for (size_t i = 0; i < n; i++, rows += 16) {
        const uint64_t k = spk_load64(rows) - d->first;
        double *sum = (double *)(void *)(d->rows + k * 16 + 8), value;
        memcpy(&value, rows + 8, sizeof value);
        *sum = d->present[k] ? *sum + value : value;
        d->present[k] = 1;
    }
}

typedef void adder(dense *d, const char *rows, size_t n);

static adder *adder_of(const spk_aggregator *a)
{
    const bool plain = a->key->size == 8 && a->out->size == 16 && a->out->value_offset == 8
        && a->combine.def.op == SPARK_OP_SUM;
    if (plain && a->acc->type->kind == SPARK_KIND_F64)
        return add_f64;
    return plain && spk_merging_is_sum_i64(&a->combine) ? add_i64 : add;
}

/* finish_shard: the rows that are there, in order, side by side. */
static bool finish_shard(dense *d)
{
    const size_t size = d->a->out->size;
    size_t kept = 0;
    const bool keys = adder_of(d->a) != add; /* sums leave the key out */
    for (size_t k = 0; k < d->n; k++) {
        if (!d->present[k])
            continue;
        char *row = d->rows + kept++ * size;
        if (row != d->rows + k * size)
            memcpy(row, d->rows + k * size, size);
        if (keys) {
            const uint64_t key = d->first + k;
            memcpy(row, &key, sizeof key);
        }
    }
    return spk_push_rows(d->pipe, d->rows, kept, size);
}

static bool reduce_shard(dense *d, spk_shard *shard, adder *adds)
{
    const size_t batch = spk_task_batch(d->pipe->task), size = d->a->out->size;
    for (size_t s = 0; s < shard->n_segments; s++) {
        if (!spk_segment_load(shard, &shard->segments[s]))
            return false;
        for (size_t i = 0; i < shard->segments[s].n; i += batch) {
            const size_t left = shard->segments[s].n - i;
            adds(d, shard->segments[s].rows + i * size, left < batch ? left : batch);
            if (spk_task_unwanted(d->pipe->task))
                return false;
        }
        spk_segment_unload(shard, &shard->segments[s]);
    }
    return finish_shard(d);
}

/* reduce_views: accumulators that point to memory are combined in a table, which then is put in
 * order. */
static bool reduce_views(dense *d, spk_combiner *c, spk_shard *shard)
{
    const size_t batch = spk_task_batch(d->pipe->task), size = d->a->out->size;
    spk_table_clear(&c->table);
    for (size_t s = 0; s < shard->n_segments; s++) {
        if (!spk_segment_load(shard, &shard->segments[s]))
            return false;
        for (size_t i = 0; i < shard->segments[s].n; i += batch) {
            const size_t left = shard->segments[s].n - i;
            if (spk_combiner_add(c, shard->segments[s].rows + i * size, left < batch ? left : batch,
                    NULL, UINT32_MAX, UINT64_MAX)
                == SIZE_MAX)
                return false;
        }
        spk_segment_unload(shard, &shard->segments[s]);
    }
    for (uint32_t row = 0; row < c->table.n; row++) {
        const char *from = spk_table_row(&c->table, row);
        const uint64_t k = spk_dense_key(d->a->key, from) - d->first;
        memcpy(d->rows + k * size, from, size);
        d->present[k] = 1;
    }
    return finish_shard(d);
}

/* make_gathered: room for the values of a batch, or for as many as make a batch of bytes. */
static bool make_gathered(dense *d)
{
    spark_task *task = d->pipe->task;
    const size_t size = d->a->acc->size;
    d->gathered_max = spk_task_fit(task, size);
    d->gathered = spk_arena_alloc(spk_keep_of(task), d->gathered_max * size, 64);
    d->accs = spk_arena_alloc(spk_keep_of(task), d->gathered_max * sizeof *d->accs, 16);
    if (d->gathered && d->accs)
        return true;
    spk_task_nomem(task);
    return false;
}

void spk_reduce_dense(spk_pipe *pipe, spk_input *in, const spk_aggregator *a,
    const spark_partitioner *p, int partition)
{
    spark_task *task = pipe->task;
    dense d = { .pipe = pipe, .a = a };
    spk_shard shard = { .segments = NULL };
    spk_combiner c;
    const bool views = a->acc->views;
    assert(a->start == SPK_START_VALUE); /* rows come in as they go out */
    if (!(views ? spk_combiner_open(&c, task, a, SPK_COMBINE, !in->spilled) : make_gathered(&d)))
        return;
    for (uint32_t s = 0; s < in->slices; s++) {
        const uint64_t slice = (uint64_t)partition * in->slices + s;
        if (!spk_input_shard(in, s, &shard))
            break;
        if (shard.n == 0)
            continue;
        if (!start_shard(&d, spk_dense_first(p, slice), spk_dense_first(p, slice + 1))
            || !(views ? reduce_views(&d, &c, &shard)
                       : reduce_shard(&d, &shard, adder_of(a))))
            break;
    }
    if (views)
        spk_combiner_close(&c);
    spk_heap_free(task->heap, d.rows, d.capacity);
    spk_shard_fini(&shard);
}
