/* SPDX-License-Identifier: Apache-2.0 */
/* k-means: ten rounds over n points of eight doubles in memory, ten centres, which start at the
 * first ten points. Coordinates are whole numbers, so that sums are exact in any order and all ways
 * to compute them agree to the bit. rows is the number of points, the checksum one of the sizes and
 * the bits of the centres.
 *
 * By hand: one loop over the points that adds each to the sums of its nearest centre; the same
 * function that libspark's aggregate calls. */
#include "rounds.h"

#include <string.h>

enum { K = 10, DIMENSIONS = 8 };

SPARK_STRUCT(point, (double, x, DIMENSIONS));
SPARK_STRUCT(centres, (point, at, K));
SPARK_STRUCT(cluster, (point, sum), (int64_t, n));
SPARK_STRUCT(clusters, (cluster, of, K));

/* point_at: point i of a sequence of K clouds around made-up middles. */
static inline point point_at(int64_t i)
{
    point p;
    uint64_t x = bench_mix((uint64_t)i);
    const uint64_t cloud = x % K;
    for (int d = 0; d < DIMENSIONS; d++) {
        x = bench_mix(x);
        const uint64_t middle = bench_mix(cloud * DIMENSIONS + (uint64_t)d) & 4095;
        p.x[d] = (double)(middle + (x & 1023) + (x >> 10 & 1023) + (x >> 20 & 1023));
    }
    return p;
}

static inline void add(clusters *all, const point *p, const centres *c)
{
    int best = 0;
    double least = 0;
    for (int k = 0; k < K; k++) {
        double distance = 0;
        for (int d = 0; d < DIMENSIONS; d++)
            distance += (p->x[d] - c->at[k].x[d]) * (p->x[d] - c->at[k].x[d]);
        if (k == 0 || distance < least) {
            least = distance;
            best = k;
        }
    }
    for (int d = 0; d < DIMENSIONS; d++)
        all->of[best].sum.x[d] += p->x[d];
    all->of[best].n++;
}

static void row_at(int64_t i, void *row)
{
    *(point *)row = point_at(i);
}

static void start(void *model)
{
    centres *c = (centres *)model;
    for (int k = 0; k < K; k++)
        c->at[k] = point_at(k);
}

static void move(void *model, const void *sum)
{
    centres *c = (centres *)model;
    const clusters *found = (const clusters *)sum;
    for (int k = 0; k < K; k++)
        for (int d = 0; d < DIMENSIONS && found->of[k].n; d++)
            c->at[k].x[d] = found->of[k].sum.x[d] / (double)found->of[k].n;
}

static bench_answer answer_of(const void *model, const void *sum)
{
    const centres *c = (const centres *)model;
    const clusters *last = (const clusters *)sum;
    bench_answer answer = { 0, 0, 0, 0 };
    for (int k = 0; k < K; k++) {
        answer.rows += (uint64_t)last->of[k].n;
        answer.checksum = bench_mix(answer.checksum ^ (uint64_t)last->of[k].n);
        for (int d = 0; d < DIMENSIONS; d++) {
            uint64_t bits;
            memcpy(&bits, &c->at[k].x[d], sizeof bits);
            answer.checksum = bench_mix(answer.checksum ^ bits);
        }
    }
    return answer;
}

/* With libspark. */

SPARK_MAP(make_point, int64_t, point)
{
    *out = point_at(*in);
}

SPARK_MERGE(add_point, clusters, point, centres)
{
    add(acc, in, env);
}

SPARK_MERGE(add_clusters, clusters, clusters, centres)
{
    for (int k = 0; k < K; k++) {
        for (int d = 0; d < DIMENSIONS; d++)
            acc->of[k].sum.x[d] += in->of[k].sum.x[d];
        acc->of[k].n += in->of[k].n;
    }
}

/* By hand. */

static void by_hand(void *sum, const void *rows, size_t n, const void *model)
{
    const point *points = (const point *)rows;
    const centres c = *(const centres *)model;
    for (size_t i = 0; i < n; i++)
        add((clusters *)sum, &points[i], &c);
}

/* Another way to the nearest centre: the one with the least |c|^2 - 2 c x. */
static void another_way(void *sum, int64_t n, const void *model)
{
    const centres *c = (const centres *)model;
    clusters *found = (clusters *)sum;
    double offset[K] = { 0 };
    for (int k = 0; k < K; k++)
        for (int d = 0; d < DIMENSIONS; d++)
            offset[k] += c->at[k].x[d] * c->at[k].x[d];
    for (int64_t i = 0; i < n; i++) {
        const point p = point_at(i);
        double score[K];
        int best = 0;
        for (int k = 0; k < K; k++) {
            double product = 0;
            for (int d = 0; d < DIMENSIONS; d++)
                product += p.x[d] * c->at[k].x[d];
            score[k] = offset[k] - 2 * product;
            if (score[k] < score[best])
                best = k;
        }
        for (int d = 0; d < DIMENSIONS; d++)
            found->of[best].sum.x[d] += p.x[d];
        found->of[best].n++;
    }
}

int main(int argc, char **argv)
{
    static const rounds_way way = { .row = SPARK_TYPE(point),
        .model = SPARK_TYPE(centres),
        .sum = SPARK_TYPE(clusters),
        .row_at = row_at,
        .start = start,
        .move = move,
        .answer = answer_of,
        .make = make_point,
        .add = add_point,
        .combine = add_clusters,
        .by_hand = by_hand,
        .another_way = another_way };
    const bench_work work = { .name = "kmeans",
        .size = 1000000,
        .spark = rounds_with_spark,
        .plain = rounds_by_hand,
        .expect = rounds_expect,
        .way = &way };
    return bench_main(&work, argc, argv);
}
