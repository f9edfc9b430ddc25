/* SPDX-License-Identifier: Apache-2.0 */
/* Estimates pi by throwing darts at a square: the part that hits the inscribed circle is pi / 4.
 * Each player draws from a generator of its own, started from its number, so that the answer is the
 * same on any machine and with any number of threads.
 *   usage: pi [--event-log DIR] [--report FILE] [--trace FILE] [--progress] [MILLIONS]     of darts, default 16 */
#include <inttypes.h>
#include <spark.h>

#include "watch.h"

enum { PLAYERS = 64, MILLION = 1000000 };

/* splitmix64, public domain, by Sebastiano Vigna. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

SPARK_MAP(hits, int64_t, int64_t, int64_t)
{
    uint64_t state = (uint64_t)*in << 32;
    int64_t inside = 0;
    for (int64_t i = 0; i < *env; i++) {
        const uint64_t r = next(&state), x = r >> 33, y = r & 0x7fffffff;
        inside += x * x + y * y < (uint64_t)1 << 62;
    }
    *out = inside;
}

int main(int argc, char **argv)
{
    const watch_options watch = watch_arguments(&argc, argv);
    int64_t millions = 16;
    if (argc > 2
        || (argc == 2 && !spark_str_to_i64((spark_str) { argv[1], strlen(argv[1]) }, &millions))
        || millions < 1 || millions > 1000000)
        return fputs("usage: pi [--event-log DIR] [--report FILE] [--trace FILE] [--progress] [MILLIONS of darts]\n",
            stderr), 2;
    const int64_t darts = millions * MILLION / PLAYERS;

    spark_context *sc = watched_context(&(spark_conf) { .app_name = "pi" }, &watch);
    spark_rdd *players = spark_range(sc, 0, PLAYERS, 1, PLAYERS);
    spark_rdd *inside = spark_map(players, hits, SPARK_COPY(darts));
    spark_array sum;
    if (spark_reduce(inside, spark_op_sum, NULL, SPARK_TYPE(int64_t), &sum) != SPARK_OK)
        return spark_complain("pi");
    const int64_t total = *SPARK_ITEMS(int64_t, &sum);
    printf("%" PRId64 " of %" PRId64 " darts hit: pi is roughly %.6f\n", total, darts * PLAYERS,
        4.0 * (double)total / (double)(darts * PLAYERS));
    spark_array_free(&sum);
    spark_context_free(sc);
    return 0;
}
