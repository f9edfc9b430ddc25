/* SPDX-License-Identifier: Apache-2.0 */
/* k-means as the benchmarks have it: points of eight whole numbers in ten clouds, and one round. */
#ifndef BENCH_KMEANS_H
#define BENCH_KMEANS_H

#include "bench.h"

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

static inline void start(void *model)
{
    centres *c = (centres *)model;
    for (int k = 0; k < K; k++)
        c->at[k] = point_at(k);
}

static inline void move(void *model, const void *sum)
{
    centres *c = (centres *)model;
    const clusters *found = (const clusters *)sum;
    for (int k = 0; k < K; k++)
        for (int d = 0; d < DIMENSIONS && found->of[k].n; d++)
            c->at[k].x[d] = found->of[k].sum.x[d] / (double)found->of[k].n;
}

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

#endif
