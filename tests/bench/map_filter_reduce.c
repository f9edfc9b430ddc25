/* SPDX-License-Identifier: Apache-2.0 */
/* Map, filter, reduce: the sum of 10 x over the numbers below n that 3 divides, by functions of the
 * user. By hand: a loop. */
#include "bench.h"

/* With libspark. */

SPARK_FILTER(divides_by_3, int64_t)
{
    return *in % 3 == 0;
}

SPARK_MAP(ten_times, int64_t, int64_t)
{
    *out = *in * 10;
}

SPARK_MERGE(add, int64_t, int64_t)
{
    *acc += *in;
}

typedef struct with_spark {
    spark_context *sc;
    const bench_options *options;
    uint64_t found;
} with_spark;

static void *spark_open(const bench_options *o)
{
    with_spark *s = (with_spark *)bench_alloc(1, sizeof *s);
    *s = (with_spark) { .options = o, .sc = bench_context(o) };
    return s;
}

static void spark_run(void *state)
{
    with_spark *s = (with_spark *)state;
    SPARK_SCOPED(s->sc);
    spark_rdd *numbers = spark_range(s->sc, 0, s->options->size, 1, s->options->partitions);
    spark_rdd *tens = spark_map(spark_filter(numbers, divides_by_3, NULL), ten_times, NULL);
    spark_array sum;
    bench_ok(spark_reduce(tens, add, NULL, SPARK_TYPE(int64_t), &sum));
    s->found = (uint64_t)*SPARK_ITEMS(int64_t, &sum);
    spark_array_free(&sum);
}

static bench_answer spark_answer(void *state)
{
    return (bench_answer) { 1, ((const with_spark *)state)->found, 0, 0 };
}

/* By hand. */

typedef struct by_hand {
    int64_t n, found;
} by_hand;

static void *plain_open(const bench_options *o)
{
    by_hand *h = (by_hand *)bench_alloc(1, sizeof *h);
    *h = (by_hand) { o->size, 0 };
    return h;
}

static void plain_run(void *state)
{
    by_hand *h = (by_hand *)state;
    int64_t sum = 0;
    for (int64_t i = 0; i < h->n; i++)
        if (i % 3 == 0)
            sum += i * 10;
    h->found = sum;
}

static bench_answer plain_answer(void *state)
{
    return (bench_answer) { 1, (uint64_t)((const by_hand *)state)->found, 0, 0 };
}

static bench_answer expect(const bench_options *o)
{
    const uint64_t last = o->size ? (uint64_t)(o->size - 1) / 3 : 0;
    return (bench_answer) { 1, 10 * 3 * (last * (last + 1) / 2), 0, 0 };
}

int main(int argc, char **argv)
{
    static const bench_work work = { .name = "map_filter_reduce",
        .size = 500000000,
        .spark = { spark_open, spark_run, spark_answer, bench_close },
        .plain = { plain_open, plain_run, plain_answer, free },
        .expect = expect };
    return bench_main(&work, argc, argv);
}
