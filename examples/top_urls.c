/* SPDX-License-Identifier: Apache-2.0 */
/* The ten most wanted URLs of a web server's log (common log format), with hits, errors and bytes.
 * Lines that are no requests are counted, not fatal.
 *   usage: top_urls [--event-log DIR] [--progress] [FILE] */
#include <inttypes.h>
#include <spark.h>

#include "watch.h"

enum { TOP = 10 };

SPARK_STRUCT(traffic, (int64_t, hits), (int64_t, errors), (int64_t, bytes));
SPARK_PAIR(url_traffic, spark_str, traffic);
typedef const spark_accumulator *counter;

/* between: what stands between the next two marks of *rest, which moves behind it. */
static bool between(spark_str *rest, char mark, spark_str *text)
{
    spark_str before;
    return spark_str_split(rest, mark, &before) && rest->ptr && spark_str_split(rest, mark, text)
        && rest->ptr;
}

/* 192.0.2.7 - - [10/Oct/2024:13:55:36 +0000] "GET /index.html?x=1 HTTP/1.1" 200 2326 */
static bool parse(spark_str line, url_traffic *request)
{
    spark_str text, method, url;
    int64_t status, bytes;
    if (!between(&line, '"', &text) || !spark_str_next_word(&text, &method)
        || !spark_str_next_word(&text, &url) || !spark_str_next_i64(&line, &status))
        return false;
    if (!spark_str_next_i64(&line, &bytes))
        bytes = 0; /* "-" */
    spark_str_split(&url, '?', &request->key);
    request->value = (traffic) { 1, status >= 400, bytes };
    return true;
}

SPARK_FLAT_MAP(requests, spark_str, url_traffic, counter)
{
    url_traffic request;
    if (parse(*in, &request))
        spark_emit(out, request);
    else
        spark_accumulate(task, *env, 1);
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
        return fputs("usage: top_urls [--event-log DIR] [--progress] [FILE]\n", stderr), 2;
    spark_context *sc = watched_context(&(spark_conf) { .app_name = "top_urls" }, &watch);
    const counter bad = spark_counter(sc, "bad lines");
    spark_rdd *log
        = spark_text_file(sc, argc == 2 ? argv[1] : SPARK_EXAMPLES_DATA "/access.log", 4);
    spark_rdd *urls
        = spark_reduce_by_key(spark_flat_map(log, requests, SPARK_COPY(bad)), add, NULL, 0);

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
    printf("%" PRId64 " lines were no requests\n", spark_accumulator_value(bad));
    spark_array_free(&top);
    spark_context_free(sc);
    return 0;
}
