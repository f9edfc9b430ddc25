/* SPDX-License-Identifier: Apache-2.0 */
/* A Kronecker graph and the PageRank by hand, for the two forms of PageRank with libspark. */
#ifndef BENCH_GRAPH_H
#define BENCH_GRAPH_H

#include "bench.h"

enum { GRAPH_DEGREE = 16, GRAPH_ROUNDS = 10 };

SPARK_PAIR(link, int64_t, int32_t);
SPARK_LIST(targets, int32_t);
SPARK_PAIR(vertex_links, int64_t, targets);
SPARK_PAIR(vertex_rank, int64_t, double);

/* graph_size: the largest power of two up to n; so many vertices a graph has. */
int64_t graph_size(int64_t n);

/* graph_make: the links of an undirected graph, each in both directions and once, ordered; *n of
 * them; free them. Made of GRAPH_DEGREE edges a vertex as the GAP Benchmark Suite makes them (Beamer,
 * Asanovic, Patterson, "The GAP Benchmark Suite", 2015): the quarters have Graph500's probabilities,
 * A 0.57, B 0.19, C 0.19; the numbers of the vertices are permuted at random; edges from a vertex to
 * itself and those that come again are left out. */
link *graph_make(int64_t vertices, int64_t *n);

/* graph_ranks: the ranks of all vertices after so many rounds, in another, slower way; 0: none. Free them. */
double *graph_ranks(int64_t vertices, int rounds);

/* graph_answer: of n ranks, each vertex at most once: rows is n, the checksum their sum, rounded;
 * extra counts the ranks that are not those of graph_ranks. */
bench_answer graph_answer(int64_t vertices, const vertex_rank *ranks, size_t n);

/* graph_expect: what graph_answer finds for the right ranks. */
bench_answer graph_expect(const bench_options *options);

/* graph_by_hand: rows of links one after the other, ranks and sums as arrays. */
extern const bench_impl graph_by_hand;

/* graph_run: the ranks with libspark. */
typedef struct graph_run {
    spark_context *sc;
    const struct graph_way *way;
    int64_t vertices;
    int partitions;
    spark_partitioner *dense; /* for the way, if it has one */
    spark_rdd *links;         /* vertex_links, in memory */
    spark_array ranks;
} graph_run;

/* graph_way: the `way` of such a work. group: the links as vertex_links. sum: what each
 * vertex is sent in a round, summed up. */
typedef struct graph_way {
    spark_rdd *(*group)(graph_run *run, spark_rdd *links);
    spark_rdd *(*sum)(graph_run *run, spark_rdd *ranks);
} graph_way;

extern const bench_impl graph_with_spark;

/* graph_first: the ranks that vertex_links begin with. graph_sent: what each vertex is sent, by a join of them and
 * of ranks; partitions as in spark_join_map. graph_damped: the ranks that sums of that make. */
spark_rdd *graph_first(spark_rdd *links);
spark_rdd *graph_sent(spark_rdd *links, spark_rdd *ranks, int partitions);
spark_rdd *graph_damped(spark_rdd *sums);

#endif
