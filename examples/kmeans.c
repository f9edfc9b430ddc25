/* SPDX-License-Identifier: Apache-2.0 */
/* k-means over a file of points, a line "X Y" each: four centres, which start at the first four
 * points and move until they rest.
 *   usage: kmeans [--event-log DIR] [--report FILE] [--trace FILE] [--progress] [FILE] */
#include <inttypes.h>
#include <spark.h>

#include "watch.h"

enum { K = 4, MAX_ROUNDS = 100 };

SPARK_STRUCT(point, (double, x), (double, y));
SPARK_STRUCT(centres, (point, at, K));
SPARK_STRUCT(group, (point, sum), (int64_t, n));
SPARK_PAIR(member, int32_t, group);

SPARK_MAP(parse_point, spark_str, point)
{
    spark_str line = *in;
    if (!spark_str_next_f64(&line, &out->x) || !spark_str_next_f64(&line, &out->y))
        spark_fail(task, "not a point: " SPARK_STR_FMT, SPARK_STR_ARG(*in));
}

static double distance(point a, point b)
{
    return (a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y);
}

SPARK_MAP(nearest, point, member, centres)
{
    int32_t best = 0;
    for (int32_t k = 1; k < K; k++)
        if (distance(*in, env->at[k]) < distance(*in, env->at[best]))
            best = k;
    *out = (member) { best, { *in, 1 } };
}

SPARK_MERGE(add, group, group)
{
    acc->sum.x += in->sum.x;
    acc->sum.y += in->sum.y;
    acc->n += in->n;
}

/* move: each centre to the mean of the points nearest to it. False: it failed. */
static bool move(spark_context *sc, spark_rdd *points, centres *c, int64_t sizes[K])
{
    SPARK_SCOPED(sc);
    spark_broadcast *now = spark_broadcast_new(sc, SPARK_VALUE(centres, c));
    spark_rdd *members = spark_map(points, nearest, SPARK_SHARED(now));
    spark_array result;
    if (spark_collect(spark_reduce_by_key(members, add, NULL, 0), SPARK_TYPE(member), &result)
        != SPARK_OK)
        return false;
    const member *m = SPARK_ITEMS(member, &result);
    for (size_t i = 0; i < result.n; i++) {
        const group g = m[i].value;
        c->at[m[i].key] = (point) { g.sum.x / (double)g.n, g.sum.y / (double)g.n };
        sizes[m[i].key] = g.n;
    }
    spark_array_free(&result);
    return true;
}

int main(int argc, char **argv)
{
    const watch_options watch = watch_arguments(&argc, argv);
    if (argc > 2)
        return fputs("usage: kmeans [--event-log DIR] [--report FILE] [--trace FILE] [--progress] [FILE]\n", stderr), 2;
    spark_context *sc = watched_context(&(spark_conf) { .app_name = "kmeans" }, &watch);
    spark_rdd *lines
        = spark_text_file(sc, argc == 2 ? argv[1] : SPARK_EXAMPLES_DATA "/points.txt", 4);
    spark_rdd *points = spark_cache(spark_map(lines, parse_point, NULL));

    spark_array first;
    if (spark_take(points, K, SPARK_TYPE(point), &first) != SPARK_OK)
        return spark_complain("kmeans");
    if (first.n < K)
        return fputs("kmeans: too few points\n", stderr), 1;
    centres c, before = { 0 };
    memcpy(c.at, SPARK_ITEMS(point, &first), sizeof c.at);
    spark_array_free(&first);

    int rounds = 0;
    int64_t sizes[K] = { 0 };
    for (; rounds < MAX_ROUNDS && !spark_equal(SPARK_TYPE(centres), &c, &before); rounds++) {
        before = c;
        if (!move(sc, points, &c, sizes))
            return spark_complain("kmeans");
    }

    printf("after %d rounds:\n", rounds);
    for (int k = 0; k < K; k++)
        printf("%8.4f %8.4f   %" PRId64 " points\n", c.at[k].x, c.at[k].y, sizes[k]);
    spark_context_free(sc);
    return 0;
}
