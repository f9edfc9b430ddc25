/* SPDX-License-Identifier: Apache-2.0 */
/* Logistic regression: ten rounds of gradient descent over n samples of ten doubles in memory. rows
 * is the number of samples, extra how many the last model but one gets right, the checksum one of
 * the weights in millionths: sums of floating point depend on their order, but not that much.
 *
 * By hand: one loop over the samples; the same function that libspark's aggregate calls. */
#include "bench.h"

#include <math.h>
#include <string.h>

enum { FEATURES = 10, ROUNDS = 10 };

SPARK_STRUCT(sample, (double, label), (double, x, FEATURES));
SPARK_STRUCT(model, (double, weight, FEATURES));
SPARK_STRUCT(sums, (double, gradient, FEATURES), (int64_t, right), (int64_t, n));

/* sample_at: sample i of a sequence: features from -1 to 1, the label by a plane and some noise. */
static inline sample sample_at(int64_t i)
{
    sample s;
    uint64_t x = bench_mix((uint64_t)i);
    double z = (double)(x >> 40) / (1 << 24) - 0.5;
    for (int f = 0; f < FEATURES; f++) {
        x = bench_mix(x);
        s.x[f] = (double)(int64_t)(x >> 32) / (INT64_C(1) << 31) - 1;
        z += f % 2 ? s.x[f] : -s.x[f];
    }
    s.label = z > 0;
    return s;
}

static inline void add(sums *all, const sample *s, const model *m)
{
    double z = 0;
    for (int f = 0; f < FEATURES; f++)
        z += m->weight[f] * s->x[f];
    const double error = 1 / (1 + exp(-z)) - s->label;
    for (int f = 0; f < FEATURES; f++)
        all->gradient[f] += error * s->x[f];
    all->right += (z > 0) == (s->label > 0);
    all->n++;
}

static void descend(model *m, const sums *all)
{
    for (int f = 0; f < FEATURES && all->n; f++)
        m->weight[f] -= 4 * all->gradient[f] / (double)all->n;
}

static bench_answer answer_of(const model *m, const sums *last)
{
    bench_answer answer = { (uint64_t)last->n, 0, (uint64_t)last->right, 0 };
    for (int f = 0; f < FEATURES; f++)
        answer.checksum += (uint64_t)(f + 1) * (uint64_t)llround(1e6 * m->weight[f]);
    return answer;
}

/* With libspark. */

SPARK_MAP(make_sample, int64_t, sample)
{
    *out = sample_at(*in);
}

SPARK_MERGE(add_sample, sums, sample, model)
{
    add(acc, in, env);
}

SPARK_MERGE(add_sums, sums, sums, model)
{
    for (int f = 0; f < FEATURES; f++)
        acc->gradient[f] += in->gradient[f];
    acc->right += in->right;
    acc->n += in->n;
}

typedef struct with_spark {
    spark_context *sc;
    spark_rdd *samples;
    model m;
    sums last;
} with_spark;

static void *spark_open(const bench_options *o)
{
    with_spark *s = (with_spark *)bench_alloc(1, sizeof *s);
    *s = (with_spark) { .sc = bench_context(o) };
    spark_rdd *range = spark_range(s->sc, 0, o->size, 1, o->partitions);
    s->samples = spark_cache(spark_map(range, make_sample, NULL));
    int64_t n;
    bench_ok(spark_count(s->samples, &n));
    return s;
}

static void spark_run(void *state)
{
    with_spark *s = (with_spark *)state;
    memset(&s->m, 0, sizeof s->m);
    for (int round = 0; round < ROUNDS; round++) {
        SPARK_SCOPED(s->sc);
        spark_broadcast *now = spark_broadcast_new(s->sc, SPARK_VALUE(model, &s->m));
        spark_array found;
        bench_ok(spark_aggregate(
            s->samples, SPARK_ZERO(sums), add_sample, add_sums, SPARK_SHARED(now), &found));
        s->last = *SPARK_ITEMS(sums, &found);
        spark_array_free(&found);
        descend(&s->m, &s->last);
    }
}

static bench_answer spark_answer(void *state)
{
    const with_spark *s = (const with_spark *)state;
    return answer_of(&s->m, &s->last);
}

static void spark_close(void *state)
{
    with_spark *s = (with_spark *)state;
    spark_context_free(s->sc);
    free(s);
}

/* By hand. */

typedef struct by_hand {
    size_t n;
    sample *samples;
    model m;
    sums last;
} by_hand;

static void *plain_open(const bench_options *o)
{
    by_hand *h = (by_hand *)bench_alloc(1, sizeof *h);
    *h = (by_hand) { .n = (size_t)o->size };
    h->samples = (sample *)bench_alloc(h->n, sizeof *h->samples);
    for (size_t i = 0; i < h->n; i++)
        h->samples[i] = sample_at((int64_t)i);
    return h;
}

static void plain_run(void *state)
{
    by_hand *h = (by_hand *)state;
    memset(&h->m, 0, sizeof h->m);
    for (int round = 0; round < ROUNDS; round++) {
        const model m = h->m;
        sums all = { { 0 }, 0, 0 };
        for (size_t i = 0; i < h->n; i++)
            add(&all, &h->samples[i], &m);
        h->last = all;
        descend(&h->m, &all);
    }
}

static bench_answer plain_answer(void *state)
{
    const by_hand *h = (const by_hand *)state;
    return answer_of(&h->m, &h->last);
}

static void plain_close(void *state)
{
    by_hand *h = (by_hand *)state;
    free(h->samples);
    free(h);
}

/* From the last sample to the first, with the other form of the logistic function. */
static bench_answer expect(const bench_options *o)
{
    model m = { { 0 } };
    sums all = { { 0 }, 0, 0 };
    for (int round = 0; round < ROUNDS; round++) {
        memset(&all, 0, sizeof all);
        for (int64_t i = o->size - 1; i >= 0; i--) {
            const sample s = sample_at(i);
            double z = 0;
            for (int f = FEATURES - 1; f >= 0; f--)
                z += m.weight[f] * s.x[f];
            for (int f = 0; f < FEATURES; f++)
                all.gradient[f] += (0.5 + 0.5 * tanh(z / 2) - s.label) * s.x[f];
            all.right += s.label > 0 ? z > 0 : z <= 0;
            all.n++;
        }
        descend(&m, &all);
    }
    return answer_of(&m, &all);
}

int main(int argc, char **argv)
{
    static const bench_work work = { .name = "logistic",
        .size = 2000000,
        .spark = { spark_open, spark_run, spark_answer, spark_close },
        .plain = { plain_open, plain_run, plain_answer, plain_close },
        .expect = expect };
    return bench_main(&work, argc, argv);
}
