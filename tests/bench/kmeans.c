/* SPDX-License-Identifier: Apache-2.0 */
/* k-means: ten rounds over n points of eight doubles in memory, ten centres, which start at the
 * first ten points. Coordinates are whole numbers, so that sums are exact in any order and all ways
 * to compute them agree to the bit. rows is the number of points, the checksum one of the sizes and
 * the bits of the centres.
 *
 * By hand: one loop over the points that adds each to the sums of its nearest centre; the same
 * function that libspark's aggregate calls. */
#include <string.h>

#include "kmeans.h"
#include "rounds.h"

static void row_at(int64_t i, void *row)
{
    *(point *)row = point_at(i);
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
