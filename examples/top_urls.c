/* SPDX-License-Identifier: Apache-2.0 */
/* The ten most wanted URLs of a web server's log (common log format), with hits, errors and bytes:
 * 192.0.2.7 - - [10/Oct/2024:13:55:36 +0000] "GET /index.html?x=1 HTTP/1.1" 200 2326
 * is a row of columns between blanks, some of them quoted. Lines that are no requests are counted, not fatal.
 *   usage: top_urls [--event-log DIR] [--report FILE] [--trace FILE] [--progress] [FILE] */
#include <inttypes.h>
#include <spark.h>

#include "watch.h"

enum { TOP = 10 };

SPARK_STRUCT(request, (spark_str, host), (spark_opt_str, ident), (spark_opt_str, user), (spark_str, day),
    (spark_str, zone), (spark_str, what), (int32_t, status), (spark_opt_i64, bytes));
SPARK_STRUCT(traffic, (int64_t, hits), (int64_t, errors), (int64_t, bytes));
SPARK_PAIR(url_traffic, spark_str, traffic);

SPARK_MAP(to_traffic, request, url_traffic)
{
    spark_str what = in->what, method, url;
    if (!spark_str_next_word(&what, &method) || !spark_str_next_word(&what, &url))
        spark_bad_record(task, "no URL");
    else
        spark_str_split(&url, '?', &out->key);
    out->value = (traffic) { 1, in->status >= 400, in->bytes.present ? in->bytes.value : 0 };
}

SPARK_MERGE(add, traffic, traffic)
{
    acc->hits += in->hits;
    acc->errors += in->errors;
    acc->bytes += in->bytes;
}

/* An order is by members of the element, so the hits go in front. */
SPARK_STRUCT(line, (int64_t, hits), (spark_str, url), (traffic, all));
SPARK_ORDER(most_hits, line, (desc, hits), (asc, url));
SPARK_MAP(hits_first, url_traffic, line)
{
    *out = (line) { in->value.hits, in->key, in->value };
}

int main(int argc, char **argv)
{
    const watch_options watch = watch_arguments(&argc, argv);
    if (argc > 2)
        return fputs("usage: top_urls [--event-log DIR] [--report FILE] [--trace FILE] [--progress] [FILE]\n",
            stderr), 2;
    static const spark_bad_policy skip = { .mode = SPARK_BAD_SKIP };
    spark_context *sc = watched_context(&(spark_conf) { .app_name = "top_urls" }, &watch);
    spark_rdd *log = spark_on_bad_records(
        spark_read_csv(sc, argc == 2 ? argv[1] : SPARK_EXAMPLES_DATA "/access.log", SPARK_TYPE(request),
            &(spark_csv_options) { .sep = " ", .null_value = "-", .min_partitions = 4 }),
        &skip);
    spark_rdd *hits = spark_on_bad_records(spark_map(log, to_traffic, NULL), &skip);
    spark_rdd *urls = spark_reduce_by_key(hits, add, NULL, 0);

    spark_array top;
    if (spark_take_ordered(
            spark_map(urls, hits_first, NULL), TOP, most_hits, SPARK_TYPE(line), &top)
        != SPARK_OK)
        return spark_complain("top_urls");
    const line *l = SPARK_ITEMS(line, &top);
    puts("  hits  errors     bytes  url");
    for (size_t i = 0; i < top.n; i++)
        printf("%6" PRId64 "  %6" PRId64 "  %8" PRId64 "  " SPARK_STR_FMT "\n", l[i].hits,
            l[i].all.errors, l[i].all.bytes, SPARK_STR_ARG(l[i].url));
    printf("%" PRId64 " lines were no requests\n",
        spark_bad_count(log, NULL) + spark_bad_count(hits, NULL));
    spark_array_free(&top);
    spark_context_free(sc);
    return 0;
}
