/* SPDX-License-Identifier: Apache-2.0 */
/* Sums of amounts by zone, of a file: what those of CSV and of JSON share. Amounts are multiples of
 * a quarter, so that sums are exact. rows is the number of zones, the checksum the sum of
 * (zone + 1) * 4 * sum over the zones, extra four times the sum of all amounts. */
#ifndef BENCH_ZONES_H
#define BENCH_ZONES_H

#include "bench.h"

#include <string.h>

enum { ZONES = 1000 };

/* With libspark. */

SPARK_PAIR(zone_amount, int32_t, double);

SPARK_MERGE(add_amount, bench_tally, zone_amount)
{
    const uint64_t quarters = (uint64_t)(int64_t)(in->value * 4);
    acc->rows++;
    acc->checksum += (uint64_t)(in->key + 1) * quarters;
    acc->extra += quarters;
}

typedef struct with_spark {
    spark_context *sc;
    const bench_options *options;
    bench_tally found;
} with_spark;

static void *spark_open(const bench_options *options)
{
    with_spark *s = (with_spark *)bench_alloc(1, sizeof *s);
    *s = (with_spark) { .sc = bench_context(options), .options = options };
    return s;
}

static bench_tally sum_by_zone(spark_rdd *amounts)
{
    return bench_tally_of(spark_reduce_by_key(amounts, spark_op_sum, NULL, 0), add_amount);
}

static bench_answer spark_answer(void *state)
{
    const with_spark *s = (const with_spark *)state;
    return (bench_answer) { s->found.rows, s->found.checksum, s->found.extra, 0 };
}

/* By hand. */

typedef struct by_hand {
    const char *path;
    int64_t quarters[ZONES];
    bool seen[ZONES];
} by_hand;

static void *plain_open(const bench_options *options)
{
    by_hand *h = (by_hand *)bench_alloc(1, sizeof *h);
    *h = (by_hand) { .path = options->file };
    return h;
}

static bench_answer plain_answer(void *state)
{
    const by_hand *h = (const by_hand *)state;
    bench_answer answer = { 0, 0, 0, 0 };
    for (int i = 0; i < ZONES; i++) {
        answer.rows += h->seen[i];
        answer.checksum += (uint64_t)(i + 1) * (uint64_t)h->quarters[i];
        answer.extra += (uint64_t)h->quarters[i];
    }
    return answer;
}

/* open_plain: the file; of a compressed one the plain one beside it. */
static FILE *open_plain(const bench_options *o)
{
    char path[1024];
    snprintf(path, sizeof path, "%s", o->file);
    if (strlen(path) > 3 && strcmp(path + strlen(path) - 3, ".gz") == 0)
        path[strlen(path) - 3] = '\0';
    FILE *in = fopen(path, "r");
    if (!in)
        bench_die("cannot read %s", path);
    return in;
}

#endif
