/* SPDX-License-Identifier: Apache-2.0 */
/* PageRank as pagerank.c does it, without any care: the links in memory are not known to be placed,
 * so that each round shuffles them for the join, and the sums go by hash. */
#include "graph.h"

#include <string.h>

enum { PARTITIONS = 16 };

SPARK_MAP(one, targets, double)
{
    *out = 1;
}

SPARK_JOIN(shares, int64_t, targets, double, vertex_rank)
{
    const double share = *right / (double)left->n;
    for (size_t i = 0; i < left->n; i++)
        spark_emit(out, (vertex_rank) { left->at[i], share });
}

SPARK_MAP(damp, double, double)
{
    *out = graph_damp(*in);
}

SPARK_MAP(as_it_is, vertex_links, vertex_links)
{
    *out = *in;
}

typedef struct with_spark {
    spark_context *sc;
    int64_t vertices;
    int partitions;
    spark_rdd *links;
    spark_array ranks;
} with_spark;

static void *spark_open(const bench_options *o)
{
    with_spark *s = (with_spark *)bench_alloc(1, sizeof *s);
    *s = (with_spark) { .sc = bench_context(o), .vertices = graph_size(o->size) };
    s->partitions = o->partitions ? o->partitions : PARTITIONS;
    int64_t links_made;
    link *made = graph_make(s->vertices, &links_made);
    const size_t n = (size_t)links_made;
    spark_rdd *links = spark_parallelize(s->sc, SPARK_DATA(link, n, made), s->partitions);
    spark_rdd *grouped = spark_group_by_key(links, s->partitions);
    s->links = spark_cache(spark_map(grouped, as_it_is, NULL));
    int64_t found;
    bench_ok(spark_count(s->links, &found));
    spark_rdd_release(links);
    free(made);
    return s;
}

static void spark_run(void *state)
{
    with_spark *s = (with_spark *)state;
    SPARK_SCOPED(s->sc);
    spark_rdd *ranks = spark_map_values(s->links, one, NULL);
    for (int round = 0; round < GRAPH_ROUNDS; round++) {
        spark_rdd *sent = spark_join_map(s->links, ranks, SPARK_INNER, shares, NULL, s->partitions);
        spark_rdd *sums = spark_reduce_by_key(sent, spark_op_sum, NULL, s->partitions);
        ranks = spark_map_values(sums, damp, NULL);
    }
    bench_ok(spark_collect(ranks, SPARK_TYPE(vertex_rank), &s->ranks));
}

static bench_answer spark_answer(void *state)
{
    with_spark *s = (with_spark *)state;
    const bench_answer answer
        = graph_answer(s->vertices, SPARK_ITEMS(vertex_rank, &s->ranks), s->ranks.n);
    spark_array_free(&s->ranks);
    return answer;
}

static void spark_close(void *state)
{
    with_spark *s = (with_spark *)state;
    spark_context_free(s->sc);
    free(s);
}

int main(int argc, char **argv)
{
    const bench_work work = { .name = "pagerank_basic",
        .size = 1 << 20,
        .spark = { spark_open, spark_run, spark_answer, spark_close },
        .plain = graph_by_hand,
        .expect = graph_expect };
    return bench_main(&work, argc, argv);
}
