/* SPDX-License-Identifier: Apache-2.0 */
/* Counts the triangles of an undirected graph: a file of edges, a line "A B" each, in either
 * direction, any number of times; loops do not count. Prints the number of triangles and the five
 * vertices that are in most of them.
 *   usage: triangle_count [--event-log DIR] [--report FILE] [--trace FILE] [--progress] [FILE] */
#include <inttypes.h>
#include <spark.h>

#include "watch.h"

enum { PARTITIONS = 4, TOP = 5 };

SPARK_PAIR(edge, int64_t, int64_t); /* key < value */
SPARK_PAIR(wedge, edge, int64_t);   /* the edge that would close it, and the corner it hangs on */
SPARK_PAIR(closing, edge, char);
SPARK_PAIR(vertex_count, int64_t, int64_t);
SPARK_ORDER(most, vertex_count, (desc, value), (asc, key));

/* parse_edge: emits the edge with its smaller end first; nothing for a loop. */
SPARK_FLAT_MAP(parse_edge, spark_str, edge)
{
    spark_str line = *in;
    int64_t a, b;
    if (!spark_str_next_i64(&line, &a) || !spark_str_next_i64(&line, &b))
        spark_fail(task, "not an edge: " SPARK_STR_FMT, SPARK_STR_ARG(*in));
    else if (a != b)
        spark_emit(out, (edge) { a < b ? a : b, a < b ? b : a });
}

/* Two edges with the same smaller end; each triangle has exactly one such corner. */
SPARK_JOIN(fold_out, int64_t, int64_t, int64_t, wedge)
{
    if (*left < *right)
        spark_emit(out, (wedge) { { *left, *right }, *key });
}

SPARK_MAP(as_closing, edge, closing)
{
    *out = (closing) { *in, 0 };
}

/* The corners of a triangle, each with 1. */
SPARK_JOIN(corners, edge, int64_t, char, vertex_count)
{
    spark_emit(out, (vertex_count) { *left, 1 });
    spark_emit(out, (vertex_count) { key->key, 1 });
    spark_emit(out, (vertex_count) { key->value, 1 });
}

int main(int argc, char **argv)
{
    const watch_options watch = watch_arguments(&argc, argv);
    if (argc > 2)
        return fputs("usage: triangle_count [--event-log DIR] [--report FILE] [--trace FILE] [--progress] [FILE]\n",
            stderr), 2;
    spark_context *sc = watched_context(&(spark_conf) { .app_name = "triangle_count" }, &watch);
    spark_rdd *lines
        = spark_text_file(sc, argc == 2 ? argv[1] : SPARK_EXAMPLES_DATA "/edges.txt", PARTITIONS);
    spark_rdd *edges
        = spark_cache(spark_distinct(spark_flat_map(lines, parse_edge, NULL), PARTITIONS));
    spark_rdd *wedges = spark_join_map(edges, edges, SPARK_INNER, fold_out, NULL, PARTITIONS);
    spark_rdd *closed = spark_join_map(
        wedges, spark_map(edges, as_closing, NULL), SPARK_INNER, corners, NULL, PARTITIONS);
    spark_rdd *counts = spark_cache(spark_reduce_by_key(closed, spark_op_sum, NULL, PARTITIONS));

    double total;
    spark_array top = { 0 };
    spark_status status = spark_sum(spark_values(counts), &total);
    if (status == SPARK_OK)
        status = spark_take_ordered(counts, TOP, most, SPARK_TYPE(vertex_count), &top);
    if (status == SPARK_OK)
        printf("%.0f triangles\n", total / 3);
    const vertex_count *v = SPARK_ITEMS(vertex_count, &top);
    for (size_t i = 0; i < top.n; i++)
        printf("%" PRId64 "\t%" PRId64 "\n", v[i].key, v[i].value);
    const int failed = status == SPARK_OK ? 0 : spark_complain("triangle_count");
    spark_array_free(&top);
    spark_context_free(sc);
    return failed;
}
