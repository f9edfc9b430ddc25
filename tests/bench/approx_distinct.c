/* SPDX-License-Identifier: Apache-2.0 */
/* Approximate count of distinct values: n i64 in memory, drawn from k, at a relative standard
 * deviation of 0.02. The estimate itself is not comparable: rows is 1 when it is at most five
 * standard deviations off.
 *
 * By hand: HyperLogLog with 4096 registers of the splitmix hash (Flajolet et al., 2007). */
#include "bench.h"

#include <math.h>

#define RELATIVE_SD 0.02

static inline int64_t number_at(int64_t i, int64_t keys)
{
    return (int64_t)(bench_mix((uint64_t)i) % (uint64_t)keys);
}

/* right: how many different numbers there are. */
static int64_t right(const bench_options *o)
{
    unsigned char *seen = (unsigned char *)bench_zeroed((size_t)o->keys, 1);
    int64_t n = 0;
    for (int64_t i = 0; i < o->size; i++) {
        unsigned char *s = &seen[number_at(i, o->keys)];
        n += !*s;
        *s = 1;
    }
    free(seen);
    return n;
}

static bench_answer answer_of(int64_t right, int64_t found)
{
    const double off = fabs((double)(found - right)) / (double)right;
    return (bench_answer) { off <= 5 * RELATIVE_SD, 0, 0, 0 };
}

/* With libspark. */

SPARK_MAP(make_number, int64_t, int64_t, int64_t)
{
    *out = number_at(*in, *env);
}

typedef struct with_spark {
    spark_context *sc;
    spark_rdd *numbers;
    int64_t right, found;
} with_spark;

static void *spark_open(const bench_options *o)
{
    with_spark *s = (with_spark *)bench_alloc(1, sizeof *s);
    *s = (with_spark) { .sc = bench_context(o), .right = right(o) };
    s->numbers = bench_cached(s->sc, 0, o->size, o->partitions, make_number, SPARK_COPY(o->keys));
    return s;
}

static void spark_run(void *state)
{
    with_spark *s = (with_spark *)state;
    bench_ok(spark_count_approx_distinct(s->numbers, RELATIVE_SD, &s->found));
}

static bench_answer spark_answer(void *state)
{
    const with_spark *s = (const with_spark *)state;
    return answer_of(s->right, s->found);
}

/* By hand. */

enum { BITS = 12, REGISTERS = 1 << BITS };

typedef struct by_hand {
    size_t n;
    int64_t *numbers, right, found;
} by_hand;

static void *plain_open(const bench_options *o)
{
    by_hand *h = (by_hand *)bench_alloc(1, sizeof *h);
    *h = (by_hand) { .n = (size_t)o->size, .right = right(o) };
    h->numbers = (int64_t *)bench_alloc(h->n, sizeof *h->numbers);
    for (size_t i = 0; i < h->n; i++)
        h->numbers[i] = number_at((int64_t)i, o->keys);
    return h;
}

static void plain_run(void *state)
{
    by_hand *h = (by_hand *)state;
    unsigned char most[REGISTERS] = { 0 };
    for (size_t i = 0; i < h->n; i++) {
        const uint64_t hash = bench_mix((uint64_t)h->numbers[i]);
        const uint64_t rest = hash << BITS | (uint64_t)1 << (BITS - 1);
        const unsigned char rank = (unsigned char)(__builtin_clzll(rest) + 1);
        if (rank > most[hash >> (64 - BITS)])
            most[hash >> (64 - BITS)] = rank;
    }
    double sum = 0;
    int zero = 0;
    for (int r = 0; r < REGISTERS; r++) {
        sum += ldexp(1, -most[r]);
        zero += most[r] == 0;
    }
    const double m = REGISTERS;
    double estimate = 0.7213 / (1 + 1.079 / m) * m * m / sum;
    if (estimate <= 2.5 * m && zero)
        estimate = m * log(m / zero);
    h->found = llround(estimate);
}

static bench_answer plain_answer(void *state)
{
    const by_hand *h = (const by_hand *)state;
    return answer_of(h->right, h->found);
}

static void plain_close(void *state)
{
    by_hand *h = (by_hand *)state;
    free(h->numbers);
    free(h);
}

static bench_answer expect(const bench_options *o)
{
    (void)o;
    return (bench_answer) { 1, 0, 0, 0 };
}

static void write_input(const bench_options *o, FILE *out)
{
    for (int64_t i = 0; i < o->size; i++)
        fprintf(out, "%lld\n", (long long)number_at(i, o->keys));
}

int main(int argc, char **argv)
{
    static const bench_work work = { .name = "approx_distinct",
        .size = 100000000,
        .keys = 10000000,
        .spark = { spark_open, spark_run, spark_answer, bench_close },
        .plain = { plain_open, plain_run, plain_answer, plain_close },
        .expect = expect,
        .write = write_input };
    return bench_main(&work, argc, argv);
}
