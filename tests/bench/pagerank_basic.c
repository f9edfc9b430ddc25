/* SPDX-License-Identifier: Apache-2.0 */
/* PageRank as pagerank.c does it, without any care: the links in memory are not known to be placed,
 * so that each round shuffles them for the join, and the sums go by hash. */
#include "graph.h"

SPARK_MAP(as_it_is, vertex_links, vertex_links)
{
    *out = *in;
}

static spark_rdd *group(graph_run *g, spark_rdd *links)
{
    return spark_map(spark_group_by_key(links, g->partitions), as_it_is, NULL);
}

static spark_rdd *sum(graph_run *g, spark_rdd *ranks)
{
    spark_rdd *sent = graph_sent(g->links, ranks, g->partitions);
    return spark_reduce_by_key(sent, spark_op_sum, NULL, g->partitions);
}

int main(int argc, char **argv)
{
    static const graph_way way = { group, sum };
    const bench_work work = { .name = "pagerank_basic",
        .size = 1 << 20,
        .spark = graph_with_spark,
        .plain = graph_by_hand,
        .expect = graph_expect,
        .way = &way };
    return bench_main(&work, argc, argv);
}
