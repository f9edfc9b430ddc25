/* SPDX-License-Identifier: Apache-2.0 */
/* Cartesian: n random i64 with n others, all pairs; those are counted whose low ten bits differ
 * by less than ten, as an exclusive or. rows is how many.
 *
 * By hand: two loops. */
#include "bench.h"

SPARK_PAIR(both, int64_t, int64_t);

enum { LOW = 1024, NEAR = 10 };

static inline int64_t number_at(int64_t i)
{
    return (int64_t)(bench_mix((uint64_t)i) >> 1);
}

static inline bool near(int64_t a, int64_t b)
{
    return ((a ^ b) & (LOW - 1)) < NEAR;
}

/* With libspark. */

SPARK_MAP(make_number, int64_t, int64_t)
{
    *out = number_at(*in);
}

SPARK_FILTER(are_near, both)
{
    return near(in->key, in->value);
}

typedef struct with_spark {
    spark_context *sc;
    spark_rdd *left, *right;
    int64_t found;
} with_spark;

static void *spark_open(const bench_options *o)
{
    with_spark *s = (with_spark *)bench_alloc(1, sizeof *s);
    *s = (with_spark) { .sc = bench_context(o) };
    const int partitions = o->partitions ? o->partitions : 4;
    s->left = bench_cached(s->sc, 0, o->size, partitions, make_number, NULL);
    s->right = bench_cached(s->sc, o->size, o->size, partitions, make_number, NULL);
    return s;
}

static void spark_run(void *state)
{
    with_spark *s = (with_spark *)state;
    SPARK_SCOPED(s->sc);
    spark_rdd *all = spark_cartesian(s->left, s->right);
    bench_ok(spark_count(spark_filter(all, are_near, NULL), &s->found));
}

static bench_answer spark_answer(void *state)
{
    return (bench_answer) { (uint64_t)((const with_spark *)state)->found, 0, 0, 0 };
}

/* By hand. */

typedef struct by_hand {
    size_t n;
    int64_t *left, *right;
    uint64_t found;
} by_hand;

static void *plain_open(const bench_options *o)
{
    by_hand *h = (by_hand *)bench_alloc(1, sizeof *h);
    *h = (by_hand) { .n = (size_t)o->size };
    h->left = (int64_t *)bench_alloc(h->n, sizeof *h->left);
    h->right = (int64_t *)bench_alloc(h->n, sizeof *h->right);
    for (size_t i = 0; i < h->n; i++) {
        h->left[i] = number_at((int64_t)i);
        h->right[i] = number_at((int64_t)(h->n + i));
    }
    return h;
}

static void plain_run(void *state)
{
    by_hand *h = (by_hand *)state;
    h->found = 0;
    for (size_t i = 0; i < h->n; i++)
        for (size_t j = 0; j < h->n; j++)
            h->found += near(h->left[i], h->right[j]);
}

static bench_answer plain_answer(void *state)
{
    return (bench_answer) { ((const by_hand *)state)->found, 0, 0, 0 };
}

static void plain_close(void *state)
{
    by_hand *h = (by_hand *)state;
    free(h->left);
    free(h->right);
    free(h);
}

/* Only the low bits matter. */
static bench_answer expect(const bench_options *o)
{
    uint64_t left[LOW] = { 0 }, right[LOW] = { 0 };
    bench_answer answer = { 0, 0, 0, 0 };
    for (int64_t i = 0; i < o->size; i++) {
        left[number_at(i) & (LOW - 1)]++;
        right[number_at(o->size + i) & (LOW - 1)]++;
    }
    for (size_t a = 0; a < LOW; a++)
        for (size_t difference = 0; difference < NEAR; difference++)
            answer.rows += left[a] * right[a ^ difference];
    return answer;
}

/* -w: the left side, then the right side. */
static void write_input(const bench_options *o, FILE *out)
{
    for (int64_t i = 0; i < 2 * o->size; i++)
        fprintf(out, "%lld\n", (long long)number_at(i));
}

int main(int argc, char **argv)
{
    static const bench_work work = { .name = "cartesian",
        .size = 10000,
        .spark = { spark_open, spark_run, spark_answer, bench_close },
        .plain = { plain_open, plain_run, plain_answer, plain_close },
        .expect = expect,
        .write = write_input };
    return bench_main(&work, argc, argv);
}
