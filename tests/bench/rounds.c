/* SPDX-License-Identifier: Apache-2.0 */
/* The rounds with libspark, where the model is broadcast; by hand; and in the way all is compared
 * with. */
#include "rounds.h"

#include <string.h>

typedef struct rounds {
    spark_context *sc;
    const rounds_way *way;
    void *model, *sum;
    spark_rdd *cached; /* with libspark */
    char *rows;        /* by hand */
    size_t n;
} rounds;

static rounds *rounds_new(const bench_options *o)
{
    rounds *r = (rounds *)bench_alloc(1, sizeof *r);
    *r = (rounds) { .way = (const rounds_way *)o->way, .n = (size_t)o->size };
    r->model = bench_alloc(1, r->way->model->size);
    r->sum = bench_alloc(1, r->way->sum->size);
    return r;
}

static bench_answer rounds_answer(void *state)
{
    const rounds *r = (const rounds *)state;
    return r->way->answer(r->model, r->sum);
}

static void rounds_close(void *state)
{
    rounds *r = (rounds *)state;
    free(r->model);
    free(r->sum);
    free(r->rows);
    bench_close(r);
}

static void run_rounds(rounds *r, void (*add_all)(rounds *r))
{
    r->way->start(r->model);
    for (int round = 0; round < ROUNDS; round++) {
        memset(r->sum, 0, r->way->sum->size);
        add_all(r);
        r->way->move(r->model, r->sum);
    }
}

/* With libspark. */

static void *spark_open(const bench_options *o)
{
    rounds *r = rounds_new(o);
    r->sc = bench_context(o);
    r->cached = bench_cached(r->sc, 0, o->size, o->partitions, r->way->make, NULL);
    return r;
}

static void spark_add_all(rounds *r)
{
    SPARK_SCOPED(r->sc);
    const rounds_way *way = r->way;
    spark_broadcast *now = spark_broadcast_new(r->sc, way->model, r->model);
    spark_array found;
    bench_ok(spark_aggregate(
        r->cached, way->sum, NULL, way->add, way->combine, SPARK_SHARED(now), &found));
    memcpy(r->sum, found.items, way->sum->size);
    spark_array_free(&found);
}

static void spark_run(void *state)
{
    run_rounds((rounds *)state, spark_add_all);
}

const bench_impl rounds_with_spark = { spark_open, spark_run, rounds_answer, rounds_close };

/* By hand. */

static void *plain_open(const bench_options *o)
{
    rounds *r = rounds_new(o);
    const size_t size = r->way->row->size;
    r->rows = (char *)bench_alloc(r->n, size);
    for (size_t i = 0; i < r->n; i++)
        r->way->row_at((int64_t)i, r->rows + i * size);
    return r;
}

static void plain_add_all(rounds *r)
{
    r->way->by_hand(r->sum, r->rows, r->n, r->model);
}

static void plain_run(void *state)
{
    run_rounds((rounds *)state, plain_add_all);
}

const bench_impl rounds_by_hand = { plain_open, plain_run, rounds_answer, rounds_close };

/* In another way. */

static void add_all_otherwise(rounds *r)
{
    r->way->another_way(r->sum, (int64_t)r->n, r->model);
}

bench_answer rounds_expect(const bench_options *o)
{
    rounds *r = rounds_new(o);
    run_rounds(r, add_all_otherwise);
    const bench_answer expected = rounds_answer(r);
    rounds_close(r);
    return expected;
}
