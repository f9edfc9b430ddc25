/* SPDX-License-Identifier: Apache-2.0 */
/* k-means: ten rounds over n points of eight doubles in memory, ten centres, which start at the
 * first ten points. Coordinates are whole numbers, so that sums are exact in any order and all ways
 * to compute them agree to the bit. rows is the number of points, the checksum one of the sizes and
 * the bits of the centres.
 *
 * By hand: one loop over the points that adds each to the sums of its nearest centre; the same
 * function that libspark's aggregate calls. */
#include "bench.h"

#include <string.h>

enum { K = 10, DIMENSIONS = 8, ROUNDS = 10 };

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

static void start(centres *c)
{
    for (int k = 0; k < K; k++)
        c->at[k] = point_at(k);
}

static void move(centres *c, const clusters *found)
{
    for (int k = 0; k < K; k++)
        for (int d = 0; d < DIMENSIONS && found->of[k].n; d++)
            c->at[k].x[d] = found->of[k].sum.x[d] / (double)found->of[k].n;
}

static bench_answer answer_of(const centres *c, const clusters *last)
{
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

typedef struct with_spark {
    spark_context *sc;
    spark_rdd *points;
    centres c;
    clusters last;
} with_spark;

static void *spark_open(const bench_options *o)
{
    with_spark *s = (with_spark *)bench_alloc(1, sizeof *s);
    *s = (with_spark) { .sc = bench_context(o) };
    spark_rdd *range = spark_range(s->sc, 0, o->size, 1, o->partitions);
    s->points = spark_cache(spark_map(range, make_point, NULL));
    int64_t n;
    bench_ok(spark_count(s->points, &n));
    return s;
}

static void spark_run(void *state)
{
    with_spark *s = (with_spark *)state;
    start(&s->c);
    for (int round = 0; round < ROUNDS; round++) {
        SPARK_SCOPED(s->sc);
        spark_broadcast *now = spark_broadcast_new(s->sc, SPARK_VALUE(centres, &s->c));
        spark_array found;
        bench_ok(spark_aggregate(
            s->points, SPARK_ZERO(clusters), add_point, add_clusters, SPARK_SHARED(now), &found));
        s->last = *SPARK_ITEMS(clusters, &found);
        spark_array_free(&found);
        move(&s->c, &s->last);
    }
}

static bench_answer spark_answer(void *state)
{
    const with_spark *s = (const with_spark *)state;
    return answer_of(&s->c, &s->last);
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
    point *points;
    centres c;
    clusters last;
} by_hand;

static void *plain_open(const bench_options *o)
{
    by_hand *h = (by_hand *)bench_alloc(1, sizeof *h);
    *h = (by_hand) { .n = (size_t)o->size };
    h->points = (point *)bench_alloc(h->n, sizeof *h->points);
    for (size_t i = 0; i < h->n; i++)
        h->points[i] = point_at((int64_t)i);
    return h;
}

static void plain_run(void *state)
{
    by_hand *h = (by_hand *)state;
    start(&h->c);
    for (int round = 0; round < ROUNDS; round++) {
        memset(&h->last, 0, sizeof h->last);
        const centres c = h->c;
        for (size_t i = 0; i < h->n; i++)
            add(&h->last, &h->points[i], &c);
        move(&h->c, &h->last);
    }
}

static bench_answer plain_answer(void *state)
{
    const by_hand *h = (const by_hand *)state;
    return answer_of(&h->c, &h->last);
}

static void plain_close(void *state)
{
    by_hand *h = (by_hand *)state;
    free(h->points);
    free(h);
}

/* Another way to the nearest centre: the one with the least |c|^2 - 2 c x. */
static bench_answer expect(const bench_options *o)
{
    centres c;
    clusters found;
    start(&c);
    for (int round = 0; round < ROUNDS; round++) {
        double offset[K] = { 0 };
        for (int k = 0; k < K; k++)
            for (int d = 0; d < DIMENSIONS; d++)
                offset[k] += c.at[k].x[d] * c.at[k].x[d];
        memset(&found, 0, sizeof found);
        for (int64_t i = 0; i < o->size; i++) {
            const point p = point_at(i);
            double score[K];
            int best = 0;
            for (int k = 0; k < K; k++) {
                double product = 0;
                for (int d = 0; d < DIMENSIONS; d++)
                    product += p.x[d] * c.at[k].x[d];
                score[k] = offset[k] - 2 * product;
                if (score[k] < score[best])
                    best = k;
            }
            for (int d = 0; d < DIMENSIONS; d++)
                found.of[best].sum.x[d] += p.x[d];
            found.of[best].n++;
        }
        move(&c, &found);
    }
    return answer_of(&c, &found);
}

int main(int argc, char **argv)
{
    static const bench_work work = { .name = "kmeans",
        .size = 1000000,
        .spark = { spark_open, spark_run, spark_answer, spark_close },
        .plain = { plain_open, plain_run, plain_answer, plain_close },
        .expect = expect };
    return bench_main(&work, argc, argv);
}
