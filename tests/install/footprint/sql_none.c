/* SPDX-License-Identifier: Apache-2.0 */
/* What sql_one.c does, by verbs: files in and out, a join, sums by key, a sort. */
#include <spark.h>

SPARK_STRUCT(sale, (spark_str, city), (int64_t, n));
SPARK_PAIR(by_city, spark_str, int64_t);
SPARK_MAP(to_pair, sale, by_city)
{
    *out = (by_city) { in->city, in->n };
}
SPARK_PAIR(two, int64_t, int64_t);
SPARK_PAIR(joined, spark_str, two);
SPARK_MAP(start, int64_t, int64_t)
{
    *out = *in;
}
SPARK_MERGE(add, int64_t, int64_t)
{
    *acc += *in;
}
SPARK_ORDER(by_name, by_city, (asc, key));

int main(int argc, char **argv)
{
    spark_context *sc = spark_context_new(NULL);
    const char *path = argc > 1 ? argv[1] : "sales.csv";
    spark_rdd *csv = spark_read_csv(sc, path, NULL, &(spark_csv_options) { .header = true, .infer_schema = true });
    spark_rdd *json = spark_read_json(sc, path, SPARK_TYPE(sale), NULL);
    spark_rdd *pairs = spark_map(spark_union(spark_as(csv, SPARK_TYPE(sale)), json), to_pair, NULL);
    spark_rdd *sums = spark_combine_by_key(pairs, start, add, add, NULL, 0);
    spark_rdd *sorted = spark_sort_by(sums, by_name, 0);
    int64_t n = 0;
    spark_status status = spark_count(spark_left_outer_join(sums, spark_distinct(pairs, 0), 0), &n);
    if (status == SPARK_OK)
        status = spark_show(spark_cache(sorted), 20);
    if (status == SPARK_OK)
        status = spark_write_csv(sorted, "out.csv", NULL);
    if (status == SPARK_OK)
        status = spark_write_json(sorted, "out.json", NULL);
    if (status == SPARK_OK)
        status = spark_write_text(spark_text_file(sc, path, 0), "out.txt", NULL);
    spark_context_free(sc);
    return status == SPARK_OK ? 0 : 1;
}
