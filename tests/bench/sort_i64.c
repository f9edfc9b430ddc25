/* SPDX-License-Identifier: Apache-2.0 */
/* Sort: n random i64 in memory; the result is read once in order, which is timed, to see that it is
 * sorted and to sum x * (31 x + 1) over it, modulo 2^64, as the checksum; extra is 1 if all is in
 * order. Sampling for the ranges of a libspark sort is part of what is timed.
 *
 * By hand: a radix sort of eight passes, from the least significant byte. */
#include "bench.h"

#include <inttypes.h>
#include <string.h>

static inline uint64_t term(int64_t x)
{
    return (uint64_t)x * (31 * (uint64_t)x + 1);
}

/* stretch: what was seen of a part of the result. */
SPARK_STRUCT(stretch, (int64_t, n), (int64_t, first), (int64_t, last), (uint64_t, disorder),
    (uint64_t, checksum));

static inline void stretch_add(stretch *s, int64_t x)
{
    if (s->n++ == 0)
        s->first = s->last = x;
    s->disorder += s->last > x;
    s->last = x;
    s->checksum += term(x);
}

/* With libspark. */

SPARK_MAP(random_number, int64_t, int64_t)
{
    *out = (int64_t)bench_mix((uint64_t)*in);
}

SPARK_STEP(inspect, stretch, int64_t, stretch)
{
    stretch_add(state, *in);
}
SPARK_FINISH(inspect, stretch, int64_t, stretch)
{
    if (state->n)
        spark_emit(out, *state);
}

typedef struct with_spark {
    spark_context *sc;
    spark_rdd *numbers;
    int partitions;
    stretch found;
} with_spark;

static void *spark_open(const bench_options *o)
{
    with_spark *s = (with_spark *)bench_alloc(1, sizeof *s);
    *s = (with_spark) { .sc = bench_context(o), .partitions = o->partitions };
    s->numbers = bench_cached(s->sc, 0, o->size, o->partitions, random_number, NULL);
    return s;
}

static void spark_run(void *state)
{
    with_spark *s = (with_spark *)state;
    SPARK_SCOPED(s->sc);
    spark_rdd *sorted = spark_sort_by(s->numbers, NULL, s->partitions);
    spark_array parts;
    bench_ok(spark_collect(spark_map_stateful(sorted, inspect, NULL), SPARK_TYPE(stretch), &parts));
    s->found = (stretch) { 0, INT64_MIN, INT64_MIN, 0, 0 };
    const stretch *part = SPARK_ITEMS(stretch, &parts);
    for (size_t i = 0; i < parts.n; i++) {
        s->found.n += part[i].n;
        s->found.disorder += part[i].disorder + (s->found.last > part[i].first);
        s->found.last = part[i].last;
        s->found.checksum += part[i].checksum;
    }
    spark_array_free(&parts);
}

static bench_answer answer_of(const stretch *found)
{
    return (bench_answer) { (uint64_t)found->n, found->checksum, found->disorder == 0, 0 };
}

static bench_answer spark_answer(void *state)
{
    return answer_of(&((const with_spark *)state)->found);
}

/* By hand. */

typedef struct by_hand {
    size_t n;
    int64_t *numbers, *ping, *pong;
    stretch found;
} by_hand;

static void *plain_open(const bench_options *o)
{
    by_hand *h = (by_hand *)bench_alloc(1, sizeof *h);
    *h = (by_hand) { .n = (size_t)o->size };
    h->numbers = (int64_t *)bench_alloc(h->n, sizeof(int64_t));
    h->ping = (int64_t *)bench_alloc(h->n, sizeof(int64_t));
    h->pong = (int64_t *)bench_alloc(h->n, sizeof(int64_t));
    for (size_t i = 0; i < h->n; i++)
        h->numbers[i] = (int64_t)bench_mix(i);
    return h;
}

enum { PASSES = 8, RADIX = 256 };

/* The sign bit is turned over, so that negative numbers come first. */
static inline size_t digit(int64_t x, int pass)
{
    return ((uint64_t)x ^ (UINT64_C(1) << 63)) >> (8 * pass) & (RADIX - 1);
}

static const int64_t *radix_sort(by_hand *h)
{
    size_t count[PASSES][RADIX];
    memset(count, 0, sizeof count);
    for (size_t i = 0; i < h->n; i++)
        for (int pass = 0; pass < PASSES; pass++)
            count[pass][digit(h->numbers[i], pass)]++;
    const int64_t *from = h->numbers;
    for (int pass = 0; pass < PASSES; pass++) {
        size_t next[RADIX], total = 0;
        for (size_t d = 0; d < RADIX; d++) {
            next[d] = total;
            total += count[pass][d];
        }
        int64_t *to = pass % 2 ? h->pong : h->ping;
        for (size_t i = 0; i < h->n; i++)
            to[next[digit(from[i], pass)]++] = from[i];
        from = to;
    }
    return from;
}

static void plain_run(void *state)
{
    by_hand *h = (by_hand *)state;
    const int64_t *sorted = radix_sort(h);
    stretch found = { 0, 0, 0, 0, 0 };
    for (size_t i = 0; i < h->n; i++)
        stretch_add(&found, sorted[i]);
    h->found = found;
}

static bench_answer plain_answer(void *state)
{
    return answer_of(&((const by_hand *)state)->found);
}

static void plain_close(void *state)
{
    by_hand *h = (by_hand *)state;
    free(h->numbers);
    free(h->ping);
    free(h->pong);
    free(h);
}

static bench_answer expect(const bench_options *o)
{
    bench_answer answer = { (uint64_t)o->size, 0, 1, 0 };
    for (int64_t i = 0; i < o->size; i++)
        answer.checksum += term((int64_t)bench_mix((uint64_t)i));
    return answer;
}

static void write_input(const bench_options *o, FILE *out)
{
    for (int64_t i = 0; i < o->size; i++)
        fprintf(out, "%" PRId64 "\n", (int64_t)bench_mix((uint64_t)i));
}

int main(int argc, char **argv)
{
    static const bench_work work = { .name = "sort_i64",
        .size = 50000000,
        .spark = { spark_open, spark_run, spark_answer, bench_close },
        .plain = { plain_open, plain_run, plain_answer, plain_close },
        .expect = expect,
        .write = write_input };
    return bench_main(&work, argc, argv);
}
