/* SPDX-License-Identifier: Apache-2.0 */
/* The transitive closure of a file of edges, a line "FROM TO" each: who needs whom, directly or
 * not. Prints the closure in the same form, sorted, and how it grew on stderr.
 *   usage: transitive_closure [--event-log DIR] [--report FILE] [--trace FILE] [--progress] [FILE] */
#include <inttypes.h>
#include <spark.h>

#include "watch.h"

enum { PARTITIONS = 4 };

SPARK_PAIR(edge, spark_str, spark_str);

SPARK_MAP(parse_edge, spark_str, edge)
{
    spark_str line = *in, more;
    if (!spark_str_next_word(&line, &out->key) || !spark_str_next_word(&line, &out->value)
        || spark_str_next_word(&line, &more))
        spark_fail(task, "not an edge: " SPARK_STR_FMT, SPARK_STR_ARG(*in));
}

SPARK_MAP(turn, edge, edge)
{
    *out = (edge) { in->value, in->key };
}

/* An edge that ends at `key` and a path that starts there make a path one longer. */
SPARK_JOIN(lengthen, spark_str, spark_str, spark_str, edge)
{
    spark_emit(out, (edge) { *left, *right });
}

/* grow: adds the paths that are one edge longer; *n is then how many paths there are. */
static spark_status grow(spark_context *sc, spark_rdd *turned, spark_rdd **paths, int64_t *n)
{
    SPARK_SCOPED(sc);
    spark_rdd *longer = spark_join_map(turned, *paths, SPARK_INNER, lengthen, NULL, PARTITIONS);
    spark_rdd *all = spark_cache(spark_distinct(spark_union(*paths, longer), PARTITIONS));
    const spark_status status = spark_count(all, n);
    if (status == SPARK_OK) {
        spark_unpersist(*paths); /* all that is needed from now on is in the new blocks */
        spark_rdd_replace(paths, all);
    }
    return status;
}

int main(int argc, char **argv)
{
    const watch_options watch = watch_arguments(&argc, argv);
    if (argc > 2)
        return fputs("usage: transitive_closure [--event-log DIR] [--report FILE] [--trace FILE] [--progress] "
            "[FILE]\n", stderr), 2;
    const char *file = argc == 2 ? argv[1] : SPARK_EXAMPLES_DATA "/needs.txt";

    spark_context *sc = watched_context(&(spark_conf) { .app_name = "transitive_closure" }, &watch);
    spark_rdd *edges = spark_map(spark_text_file(sc, file, PARTITIONS), parse_edge, NULL);
    spark_rdd *paths = spark_cache(spark_distinct(edges, PARTITIONS));
    /* Placed once; only the paths are shuffled in each round. */
    spark_rdd *turned = spark_cache(
        spark_partition_by(spark_map(paths, turn, NULL), spark_hash_partitioner(sc, PARTITIONS)));

    int64_t n, before;
    spark_status status = spark_count(paths, &n);
    do {
        before = n;
        if (status == SPARK_OK)
            status = grow(sc, turned, &paths, &n);
        if (status == SPARK_OK)
            fprintf(stderr, "%" PRId64 " paths\n", n);
    } while (status == SPARK_OK && n > before);

    spark_array all = { 0 };
    if (status == SPARK_OK)
        status = spark_collect(spark_sort_by(paths, NULL, 0), SPARK_TYPE(edge), &all);
    const edge *e = SPARK_ITEMS(edge, &all);
    for (size_t i = 0; i < all.n; i++)
        printf(SPARK_STR_FMT " " SPARK_STR_FMT "\n", SPARK_STR_ARG(e[i].key),
            SPARK_STR_ARG(e[i].value));
    const int failed = status == SPARK_OK ? 0 : spark_complain("transitive_closure");
    spark_array_free(&all);
    spark_context_free(sc);
    return failed;
}
