/* SPDX-License-Identifier: Apache-2.0 */
/* PageRank over a file of edges, a line "FROM TO" each: the ten pages of the highest rank.
 *   usage: pagerank [--event-log DIR] [--report FILE] [--trace FILE] [--progress] [FILE [ITERATIONS]] */
#include <inttypes.h>
#include <spark.h>

#include "watch.h"

enum { PARTITIONS = 4, TOP = 10 };

SPARK_PAIR(edge, int64_t, int64_t);
SPARK_PAIR(page_rank, int64_t, double);
SPARK_ORDER(highest, page_rank, (desc, value), (asc, key));

SPARK_MAP(parse_edge, spark_str, edge)
{
    spark_str line = *in;
    if (!spark_str_next_i64(&line, &out->key) || !spark_str_next_i64(&line, &out->value))
        spark_fail(task, "not an edge: " SPARK_STR_FMT, SPARK_STR_ARG(*in));
}

SPARK_MAP(one, spark_i64_list, double)
{
    (void)in;
    *out = 1.0;
}

SPARK_JOIN(share, int64_t, spark_i64_list, double, page_rank)
{
    for (size_t i = 0; i < left->n; i++)
        spark_emit(out, (page_rank) { left->at[i], *right / (double)left->n });
}

SPARK_MAP(damp, double, double, double)
{
    *out = (1 - *env) + *env * *in;
}

int main(int argc, char **argv)
{
    const watch_options watch = watch_arguments(&argc, argv);
    const char *file = argc > 1 ? argv[1] : SPARK_EXAMPLES_DATA "/edges.txt";
    int64_t iterations = 10;
    if (argc > 3
        || (argc == 3 && !spark_str_to_i64((spark_str) { argv[2], strlen(argv[2]) }, &iterations)))
        return fputs("usage: pagerank [--event-log DIR] [--report FILE] [--trace FILE] [--progress] [FILE "
            "[ITERATIONS]]\n", stderr), 2;
    const double damping = 0.85;

    spark_context *sc = watched_context(&(spark_conf) { .app_name = "pagerank" }, &watch);
    spark_rdd *edges = spark_map(spark_text_file(sc, file, PARTITIONS), parse_edge, NULL);
    spark_rdd *links = spark_cache(spark_group_by_key(edges, PARTITIONS));
    spark_rdd *ranks = spark_map_values(links, one, NULL);
    for (int64_t i = 0; i < iterations; i++) {
        SPARK_SCOPED(sc);
        /* links and ranks are placed alike: the join does not shuffle. */
        spark_rdd *shares = spark_join_map(links, ranks, SPARK_INNER, share, NULL, 0);
        spark_rdd *sums = spark_reduce_by_key(shares, spark_op_sum, NULL, PARTITIONS);
        spark_rdd_replace(&ranks, spark_map_values(sums, damp, SPARK_COPY(damping)));
    }

    spark_array top;
    if (spark_take_ordered(ranks, TOP, highest, SPARK_TYPE(page_rank), &top) != SPARK_OK)
        return spark_complain("pagerank");
    const page_rank *r = SPARK_ITEMS(page_rank, &top);
    for (size_t i = 0; i < top.n; i++)
        printf("%" PRId64 "\t%.6f\n", r[i].key, r[i].value);
    spark_array_free(&top);
    spark_context_free(sc);
    return 0;
}
