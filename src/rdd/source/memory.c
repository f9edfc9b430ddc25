/* SPDX-License-Identifier: Apache-2.0 */
/* RDDs from memory: parallelize keeps a deep copy (or borrows), range computes its numbers. */
#include <stdlib.h>

#include <spark/source.h>

#include "rdd/memory.h"
#include "rdd/verb.h"

static int partitions_or_default(const spark_context *sc, int asked)
{
    return asked                  ? asked
        : sc->default_parallelism ? sc->default_parallelism
                                  : SPK_DEFAULT_PARTITIONS;
}

/* slice_start: of slice i of n over `length` elements: floor(i * length / n), which may not fit. */
static uint64_t slice_start(uint64_t length, int i, int n)
{
    const uint64_t slices = (uint64_t)n, slice = (uint64_t)i;
    return length / slices * slice + length % slices * slice / slices;
}

/* ---- parallelize */

typedef struct parallel_rdd {
    spark_rdd rdd;
    const char *rows; /* all of them, side by side */
    uint64_t n;
    char *copy;
    size_t capacity;
} parallel_rdd;

static void produce_rows(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    const parallel_rdd *p = SPK_NODE(parallel_rdd, rdd);
    const size_t size = rdd->layout->size;
    const uint64_t to = slice_start(p->n, partition + 1, spk_rdd_partitions(rdd));
    size_t batch;
    for (uint64_t i = slice_start(p->n, partition, spk_rdd_partitions(rdd)); i < to; i += batch) {
        char *rows;
        batch = spk_pipe_rows(pipe, size);
        const char *from = p->rows + i * size;
        memcpy(&rows, &from, sizeof rows);
        if (!spk_push(pipe, rows, to - i < batch ? (size_t)(to - i) : batch))
            return;
    }
}

static void release_rows(spark_rdd *rdd)
{
    parallel_rdd *p = SPK_NODE(parallel_rdd, rdd);
    if (p->copy)
        spk_heap_free(&rdd->sc->heap, p->copy, p->capacity);
}

static const spk_class parallel_class
    = { .name = "ParallelCollectionRDD", .produce = produce_rows, .release = release_rows };

static bool copy_rows(parallel_rdd *p, const char *data, size_t *bytes)
{
    const spk_layout *layout = p->rdd.layout;
    const size_t size = layout->size, row_bytes = (p->n * size + 63) / 64 * 64;
    *bytes = row_bytes + 1;
    for (uint64_t i = 0; layout->views && i < p->n; i++)
        *bytes += spk_value_bytes(layout, data + i * size);
    p->copy = spk_heap_alloc(&p->rdd.sc->heap, *bytes, &p->capacity);
    if (!p->copy)
        return false;
    if (p->n)
        memcpy(p->copy, data, p->n * size);
    char *tail = p->copy + row_bytes;
    for (uint64_t i = 0; layout->views && i < p->n; i++)
        tail = spk_value_pack(layout, p->copy + i * size, tail);
    p->rows = p->copy;
    return true;
}

spark_rdd *spark_parallelize_with(spark_site at, spark_context *sc, const spark_type *type,
    size_t n, const void *data, const spark_parallelize_options *options)
{
    spk_verb v;
    bool made;
    const spark_parallelize_options none = { 0, false }, *o = options ? options : &none;
    spk_verb_source(&v, at, "parallelize", sc);
    if (o->partitions < 0)
        spk_verb_fail(&v, SPARK_EINVAL,
            "%d partitions; there must be at least one, or 0 for the default", o->partitions);
    if (n > 0 && !data)
        spk_verb_fail(&v, SPARK_EINVAL, "%zu elements, but no data", n);
    const spk_layout *layout = spk_verb_layout(&v, type);
    spark_rdd *rdd = spk_verb_make(&v, &parallel_class, sizeof(parallel_rdd), layout, &made);
    if (!made)
        return rdd;
    parallel_rdd *p = SPK_NODE(parallel_rdd, rdd);
    p->n = n;
    p->rows = data;
    rdd->planned = partitions_or_default(v.sc, o->partitions);
    spk_rdd_partitions_set(rdd, rdd->planned);
    size_t bytes;
    if (o->borrow || copy_rows(p, data, &bytes))
        return rdd;
    spk_failure failure;
    char text[300];
    spk_failure_set(&failure, SPARK_ENOMEM, NULL, NULL, "%s",
        spk_heap_refusal(&rdd->sc->heap, "a copy of the elements", bytes, text, sizeof text));
    return spk_verb_undo(&v, rdd, &failure);
}

spark_rdd *spark_parallelize(spark_site at, spark_context *sc, const spark_type *type, size_t n,
    const void *data, int partitions)
{
    const spark_parallelize_options options = { partitions, false };
    return spark_parallelize_with(at, sc, type, n, data, &options);
}

spark_rdd *spark_empty_rdd(spark_site at, spark_context *sc, const spark_type *type)
{
    static const spk_class class = { .name = "EmptyRDD", .produce = produce_rows };
    spk_verb v;
    bool made;
    spk_verb_source(&v, at, "emptyRDD", sc);
    const spk_layout *layout = spk_verb_layout(&v, type);
    spark_rdd *rdd = spk_verb_make(&v, &class, sizeof(parallel_rdd), layout, &made);
    if (made) {
        rdd->planned = 0;
        spk_rdd_partitions_set(rdd, 0);
    }
    return rdd;
}

/* ---- range */

typedef struct range_rdd {
    spark_rdd rdd;
    int64_t start, step;
    uint64_t n;
} range_rdd;

/* count_up: eight at once, none of which waits for another: two in each of four registers. */
static void count_up(uint64_t *rows, size_t n, uint64_t first, uint64_t step)
{
    typedef uint64_t two __attribute__((vector_size(16)));
    const two twice = { 2 * step, 2 * step }, all = 4 * twice;
    two a = { first, first + step }, b = a + twice, c = b + twice, d = c + twice;
    size_t k = 0;
    for (; k + 8 <= n; k += 8, a += all, b += all, c += all, d += all) {
        memcpy(rows + k, &a, 16);
        memcpy(rows + k + 2, &b, 16);
        memcpy(rows + k + 4, &c, 16);
        memcpy(rows + k + 6, &d, 16);
    }
    for (first += k * step; k < n; k++, first += step)
        rows[k] = first;
}

static void produce_range(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    const range_rdd *r = SPK_NODE(range_rdd, rdd);
    size_t batch = spk_task_batch(pipe->task);
    uint64_t *rows = spk_arena_alloc(spk_keep_of(pipe->task), batch * sizeof *rows, 64);
    if (!rows) {
        spk_task_nomem(pipe->task);
        return;
    }
    const uint64_t to = slice_start(r->n, partition + 1, spk_rdd_partitions(rdd));
    for (uint64_t i = slice_start(r->n, partition, spk_rdd_partitions(rdd)); i < to; i += batch) {
        batch = spk_pipe_rows(pipe, sizeof(int64_t));
        const size_t n = to - i < batch ? (size_t)(to - i) : batch;
        const uint64_t first = (uint64_t)r->start + i * (uint64_t)r->step;
        count_up(rows, n, first, (uint64_t)r->step);
        if (!spk_push(pipe, (char *)rows, n))
            return;
    }
}

static const spk_class range_class = { .name = "ParallelCollectionRDD", .produce = produce_range };

/* count_of: how many steps fit, computed without overflow. */
static uint64_t count_of(int64_t start, int64_t end, int64_t step)
{
    const uint64_t width
        = step > 0 ? (uint64_t)end - (uint64_t)start : (uint64_t)start - (uint64_t)end;
    const uint64_t stride = step > 0 ? (uint64_t)step : 0 - (uint64_t)step;
    if (step > 0 ? start >= end : start <= end)
        return 0;
    return (width - 1) / stride + 1;
}

spark_rdd *spark_range(
    spark_site at, spark_context *sc, int64_t start, int64_t end, int64_t step, int partitions)
{
    spk_verb v;
    bool made;
    spk_verb_source(&v, at, "range", sc);
    if (step == 0)
        spk_verb_fail(&v, SPARK_EINVAL, "the step is 0");
    if (partitions < 0)
        spk_verb_fail(&v, SPARK_EINVAL,
            "%d partitions; there must be at least one, or 0 for the default", partitions);
    const spk_layout *layout = spk_verb_layout(&v, SPARK_TYPE(int64_t));
    spark_rdd *rdd = spk_verb_make(&v, &range_class, sizeof(range_rdd), layout, &made);
    if (made) {
        range_rdd *r = SPK_NODE(range_rdd, rdd);
        r->start = start;
        r->step = step;
        r->n = count_of(start, end, step);
        rdd->planned = partitions_or_default(v.sc, partitions);
        spk_rdd_partitions_set(rdd, rdd->planned);
    }
    return rdd;
}

/* ---- */

bool spk_memory_count(const spark_rdd *rdd, uint64_t *n)
{
    const bool range = rdd->class == &range_class;
    if (!range && rdd->class != &parallel_class)
        return false;
    *n = range ? SPK_NODE(range_rdd, rdd)->n : SPK_NODE(parallel_rdd, rdd)->n;
    return true;
}
