/* SPDX-License-Identifier: Apache-2.0 */
/* Logistic regression: ten rounds of gradient descent over n samples of ten doubles in memory. rows
 * is the number of samples, extra how many the last model but one gets right, the checksum one of
 * the weights in millionths: sums of floating point depend on their order, but not that much.
 *
 * By hand: one loop over the samples; the same function that libspark's aggregate calls. */
#include "rounds.h"

#include <math.h>
#include <string.h>

enum { FEATURES = 10 };

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

static void row_at(int64_t i, void *row)
{
    *(sample *)row = sample_at(i);
}

static void start(void *m)
{
    memset(m, 0, sizeof(model));
}

static void descend(void *of, const void *sum)
{
    model *m = (model *)of;
    const sums *all = (const sums *)sum;
    for (int f = 0; f < FEATURES && all->n; f++)
        m->weight[f] -= 4 * all->gradient[f] / (double)all->n;
}

static bench_answer answer_of(const void *of, const void *sum)
{
    const model *m = (const model *)of;
    const sums *last = (const sums *)sum;
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

/* By hand. */

static void by_hand(void *sum, const void *rows, size_t n, const void *of)
{
    const sample *samples = (const sample *)rows;
    const model m = *(const model *)of;
    sums all = { { 0 }, 0, 0 };
    for (size_t i = 0; i < n; i++)
        add(&all, &samples[i], &m);
    *(sums *)sum = all;
}

/* From the last sample to the first, with the other form of the logistic function. */
static void another_way(void *sum, int64_t n, const void *of)
{
    const model *m = (const model *)of;
    sums *all = (sums *)sum;
    for (int64_t i = n - 1; i >= 0; i--) {
        const sample s = sample_at(i);
        double z = 0;
        for (int f = FEATURES - 1; f >= 0; f--)
            z += m->weight[f] * s.x[f];
        for (int f = 0; f < FEATURES; f++)
            all->gradient[f] += (0.5 + 0.5 * tanh(z / 2) - s.label) * s.x[f];
        all->right += s.label > 0 ? z > 0 : z <= 0;
        all->n++;
    }
}

int main(int argc, char **argv)
{
    static const rounds_way way = { .row = SPARK_TYPE(sample),
        .model = SPARK_TYPE(model),
        .sum = SPARK_TYPE(sums),
        .row_at = row_at,
        .start = start,
        .move = descend,
        .answer = answer_of,
        .make = make_sample,
        .add = add_sample,
        .combine = add_sums,
        .by_hand = by_hand,
        .another_way = another_way };
    const bench_work work = { .name = "logistic",
        .size = 2000000,
        .spark = rounds_with_spark,
        .plain = rounds_by_hand,
        .expect = rounds_expect,
        .way = &way };
    return bench_main(&work, argc, argv);
}
