/* SPDX-License-Identifier: Apache-2.0 */
/* PageRank over a Kronecker graph: -n vertices (2^20), 16 times as many links, ten rounds. The
 * links are in memory, (vertex, list of targets), placed by ranges of vertices as the ranks are:
 * the join shuffles nothing, the sums go into arrays. */
#include "graph.h"

static spark_rdd *group(graph_run *g, spark_rdd *links)
{
    g->dense = spark_dense_partitioner(g->sc, (uint64_t)g->vertices, g->partitions);
    const spark_keyed_options placed = { .partitioner = g->dense };
    return spark_group_by_key_with(links, &placed);
}

static spark_rdd *sum(graph_run *g, spark_rdd *ranks)
{
    return spark_reduce_by_key_dense(graph_sent(g->links, ranks, 0), spark_op_sum, NULL, g->dense);
}

int main(int argc, char **argv)
{
    static const graph_way way = { group, sum };
    const bench_work work = { .name = "pagerank",
        .size = 1 << 20,
        .spark = graph_with_spark,
        .plain = graph_by_hand,
        .expect = graph_expect,
        .way = &way };
    return bench_main(&work, argc, argv);
}
