/* SPDX-License-Identifier: Apache-2.0 */
/* Loops of a thousand rounds, as the README teaches them: PageRank, whose ranks come from those of the round before
 * (a scope, a cached RDD and a job a round, no checkpoint), and k-means, whose centres do. Says what memory there is
 * in round 20, 40, 80, ... and in the last one; exits 1 when the last round's is more than round 20's, but for
 * SLACK, or when the ranks or the centres are not those of a plain loop.
 *   usage: bench_long_loop [-n vertices] [-i rounds] */
#include <math.h>
#include <string.h>

#include "../support/slow.h"
#include "graph.h"
#include "kmeans.h"

enum { PARTITIONS = 8, EARLY = 20, MIB = 1 << 20, SLACK = 8 * MIB, POINTS = 20000 };

typedef struct memory {
    int64_t context, resident;
} memory;

static memory now(spark_context *sc)
{
    return (memory) { (int64_t)spark_memory_bytes(sc, NULL), bench_resident() };
}

static void say(const char *loop, int round, memory m, double since)
{
    printf("%s round %5d: %8.1f MB of the context, %8.1f MB resident, %9.3f s\n", loop, round,
        (double)m.context / 1e6, (double)m.resident / 1e6, since);
}

/* watch: says of some rounds what there is, and keeps the early one. */
static void watch(const char *loop, spark_context *sc, int round, int rounds, double began, memory *early)
{
    static int next;
    next = round == 1 ? EARLY : next;
    if (round != next && round != rounds)
        return;
    const memory m = now(sc);
    say(loop, round, m, bench_now() - began);
    *early = round == EARLY ? m : *early;
    next *= round == next ? 2 : 1;
    const bool grown = !TESTS_ARE_SLOW && m.resident > early->resident + SLACK; /* a sanitizer keeps what was freed */
    if (round == rounds && round > EARLY && (m.context > early->context + SLACK || grown))
        bench_die("%s: the last round has more memory than round %d", loop, EARLY);
}

static void pagerank(spark_context *sc, int64_t size, int rounds)
{
    SPARK_SCOPED(sc);
    const int64_t vertices = graph_size(size);
    int64_t made, found;
    memory early = { 0, 0 };
    link *links = graph_make(vertices, &made);
    spark_rdd *rows = spark_parallelize(sc, SPARK_DATA(link, (size_t)made, links), PARTITIONS);
    spark_rdd *grouped = spark_cache(spark_group_by_key(rows, PARTITIONS));
    spark_rdd *ranks = spark_cache(graph_first(grouped));
    const double began = bench_now();
    for (int round = 1; round <= rounds; round++) {
        SPARK_SCOPED(sc);
        spark_rdd *sent = graph_sent(grouped, ranks, PARTITIONS);
        spark_rdd *sums = spark_reduce_by_key(sent, spark_op_sum, NULL, PARTITIONS);
        spark_rdd *next = spark_cache(graph_damped(sums));
        bench_ok(spark_count(next, &found));
        spark_unpersist(ranks);
        spark_rdd_replace(&ranks, next);
        watch("pagerank", sc, round, rounds, began, &early);
    }
    spark_array all;
    bench_ok(spark_collect(ranks, SPARK_TYPE(vertex_rank), &all));
    double *right = graph_ranks(vertices, rounds);
    for (size_t i = 0; i < all.n; i++) {
        const vertex_rank *r = &SPARK_ITEMS(vertex_rank, &all)[i];
        if (!(fabs(r->value - right[r->key]) <= 1e-6 * right[r->key]))
            bench_die("pagerank: vertex %lld has %.17g, not %.17g", (long long)r->key, r->value, right[r->key]);
    }
    spark_array_free(&all);
    free(right);
    free(links);
}

static void kmeans(spark_context *sc, int rounds)
{
    SPARK_SCOPED(sc);
    memory early = { 0, 0 };
    centres at, right;
    spark_rdd *points = bench_cached(sc, 0, POINTS, PARTITIONS, make_point, NULL);
    start(&at);
    start(&right);
    const double began = bench_now();
    for (int round = 1; round <= rounds; round++) {
        SPARK_SCOPED(sc);
        spark_array found;
        clusters sum;
        bench_ok(spark_aggregate(
            points, SPARK_TYPE(clusters), NULL, add_point, add_clusters, SPARK_COPY(at), &found));
        move(&at, found.items);
        spark_array_free(&found);
        watch("k-means ", sc, round, rounds, began, &early);
        memset(&sum, 0, sizeof sum);
        for (int64_t i = 0; i < POINTS; i++) {
            const point p = point_at(i);
            add(&sum, &p, &right);
        }
        move(&right, &sum);
    }
    for (int k = 0; k < K; k++) /* whole numbers are added: no order changes a sum */
        if (memcmp(&at.at[k], &right.at[k], sizeof at.at[k]) != 0)
            bench_die("k-means: centre %d is not that of a plain loop", k);
}

int main(int argc, char **argv)
{
    int64_t n = 1 << 14;
    int rounds = 1000;
    for (int i = 1; i + 1 < argc; i += 2) {
        n = strcmp(argv[i], "-n") == 0 ? atoll(argv[i + 1]) : n;
        rounds = strcmp(argv[i], "-i") == 0 ? atoi(argv[i + 1]) : rounds;
    }
    spark_context *sc = spark_context_new(NULL);
    pagerank(sc, n, rounds);
    kmeans(sc, rounds);
    spark_context_free(sc);
    return 0;
}
