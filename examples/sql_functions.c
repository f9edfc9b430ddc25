/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of one's own in SQL: a map computes the great-circle distance of two places, merges a weighted
 * mean; a third one fails where a latitude is none.
 *   usage: sql_functions */
#include <math.h>
#include <spark.h>

SPARK_OPTIONAL(opt_f64, double);
SPARK_STRUCT(place, (spark_str, name), (double, north), (double, east), (opt_f64, people));
SPARK_STRUCT(ends, (double, north), (double, east), (double, to_north), (double, to_east));
SPARK_STRUCT(weighted, (double, x), (opt_f64, weight));
SPARK_STRUCT(sums, (double, weights), (double, products));

/* distance(north, east, to_north, to_east): kilometres, rounded. */
SPARK_MAP(distance, ends, int64_t)
{
    const double degree = 3.14159265358979323846 / 180, a = in->north * degree, b = in->to_north * degree;
    if (fabs(in->north) > 90 || fabs(in->to_north) > 90)
        spark_fail(task, "no latitude");
    const double x = sin((b - a) / 2), y = sin((in->to_east - in->east) * degree / 2);
    *out = (int64_t)floor(2 * 6371 * asin(sqrt(x * x + cos(a) * cos(b) * y * y)) + 0.5);
}

/* weighted_mean(x, weight): a weight that is NULL counts as 1. */
SPARK_MERGE(add_value, sums, weighted)
{
    const double weight = in->weight.present ? in->weight.value : 1;
    acc->weights += weight;
    acc->products += weight * in->x;
}
SPARK_MERGE(add_sums, sums, sums)
{
    acc->weights += in->weights;
    acc->products += in->products;
}
SPARK_MAP(to_mean, sums, opt_f64)
{
    if (in->weights > 0)
        *out = (opt_f64) { true, floor(in->products / in->weights * 100 + 0.5) / 100 };
}

int main(void)
{
    const place places[] = { { SPARK_STR("Oslo"), 59.9, 10.7, { true, 709 } },
        { SPARK_STR("Rome"), 41.9, 12.5, { true, 2756 } }, { SPARK_STR("Bonn"), 50.7, 7.1, { true, 336 } },
        { SPARK_STR("Utopia"), 91, 0, { false, 0 } } };
    spark_context *sc = spark_context_new(&(spark_conf) { .app_name = "sql functions" });
    spark_status status = spark_create_temp_view(sc, "places", spark_parallelize(sc, SPARK_DATA_OF(place, places), 2));
    if (status == SPARK_OK)
        status = spark_register_function(sc, "distance", distance, NULL);
    if (status == SPARK_OK)
        status = spark_register_aggregate(sc, "weighted_mean", SPARK_ZERO(sums), add_value, add_sums, to_mean, NULL);
    if (status == SPARK_OK)
        status = spark_sql_show(spark_sql(sc,
            "SELECT a.name, b.name AS other, distance(a.north, a.east, b.north, b.east) AS km "
            "FROM places a JOIN places b ON a.name < b.name "
            "WHERE a.north <= 90 AND b.north <= 90 ORDER BY km"), 20);
    if (status == SPARK_OK)
        status = spark_sql_show(spark_sql(sc,
            "SELECT weighted_mean(north, people) AS middle, weighted_mean(north, NULL) AS plain FROM places "
            "WHERE north <= 90"), 20);
    if (status != SPARK_OK)
        return spark_complain("sql_functions");
    if (spark_sql_show(spark_sql(sc, "SELECT name, distance(north, east, 0, 0) AS km FROM places"), 20) != SPARK_OK)
        puts("Utopia has no distance");
    spark_context_free(sc);
    return 0;
}
