/* SPDX-License-Identifier: Apache-2.0 */
/* CSV sum: a file of trips (id, zone, day, city, fare, tip, note) with a header; for each zone the sum of
 * the fares (zones.h). -w writes a file of n rows, some 60 bytes each: 17,000,000 make a gigabyte. FILE may be
 * compressed by gzip.
 *
 * By hand: lines by memchr, numbers by a loop over digits, one table by zone. */
#include "zones.h"

#include <inttypes.h>

enum { BUFFER = 1 << 20 };

/* With libspark. */

/* A query names the columns it wants; so does a struct. */
SPARK_STRUCT(trip, (int32_t, zone), (double, fare));

SPARK_MAP(to_fare, trip, zone_amount)
{
    *out = (zone_amount) { in->zone, in->fare };
}

static void spark_run(void *state)
{
    with_spark *s = (with_spark *)state;
    spark_scope *scope = spark_scope_begin(s->sc);
    spark_rdd *trips = spark_read_csv(s->sc, s->options->file, SPARK_TYPE(trip),
        &(spark_csv_options) { .header = true, .min_partitions = s->options->partitions });
    spark_rdd *fares = spark_map(trips, to_fare, NULL);
    s->found = sum_by_zone(fares);
    spark_scope_end(scope);
}

/* By hand. */

/* fields: where each of the first n columns of a line begins, and the last one ends. */
static void fields(const char *line, const char *end, const char **at, int n)
{
    at[0] = line;
    for (int i = 1; i <= n; i++) {
        const char *sep = (const char *)memchr(at[i - 1], ',', (size_t)(end - at[i - 1]));
        at[i] = sep ? sep + 1 : end + 1;
    }
}

static int64_t digits(const char *p, const char *end)
{
    int64_t x = 0;
    for (; p < end; p++)
        x = *p == '.' ? x : x * 10 + (*p - '0');
    return x;
}

static void plain_line(by_hand *h, const char *line, const char *end)
{
    const char *at[6];
    fields(line, end, at, 5);
    const int64_t zone = digits(at[1], at[2] - 1);
    h->quarters[zone] += digits(at[4], at[5] - 1) / 25;
    h->seen[zone] = true;
}

static void plain_run(void *state)
{
    by_hand *h = (by_hand *)state;
    FILE *in = fopen(h->path, "r");
    char *buffer = (char *)bench_alloc(BUFFER, 1);
    size_t have = 0, got;
    bool header = true;
    if (!in)
        bench_die("cannot open %s", h->path);
    memset(h->quarters, 0, sizeof h->quarters);
    while ((got = fread(buffer + have, 1, BUFFER - have, in)) > 0) {
        const char *line = buffer, *end, *stop = buffer + have + got;
        for (; (end = (const char *)memchr(line, '\n', (size_t)(stop - line))); line = end + 1) {
            if (!header)
                plain_line(h, line, end);
            header = false;
        }
        have = (size_t)(stop - line);
        memmove(buffer, line, have);
    }
    free(buffer);
    fclose(in);
}

/* expect: with the C library, which takes its time; of a compressed file: of the plain one beside it. */
static bench_answer expect(const bench_options *o)
{
    by_hand h = { .path = o->file };
    FILE *in = open_plain(o);
    char line[256];
    if (!fgets(line, sizeof line, in))
        bench_die("cannot read %s", o->file);
    while (fgets(line, sizeof line, in)) {
        long long id;
        int zone;
        double fare;
        if (sscanf(line, "%lld,%d,%*[^,],%*[^,],%lf", &id, &zone, &fare) != 3)
            bench_die("no trip: %s", line);
        h.quarters[zone] += (int64_t)(fare * 4);
        h.seen[zone] = true;
    }
    fclose(in);
    return plain_answer(&h);
}

static void write_trips(const bench_options *o, FILE *out)
{
    static const char *const cities[] = { "Amsterdam", "Berlin", "Rome", "Oslo", "New York" };
    fputs("id,zone,day,city,fare,tip,note\n", out);
    for (int64_t i = 0; i < o->size; i++) {
        const uint64_t x = bench_mix((uint64_t)i);
        fprintf(out, "%" PRId64 ",%u,2024-%02u-%02u,%s,%.2f,%.2f,trip %u\n", 1000000000 + i,
            (unsigned)(x % ZONES), (unsigned)(x >> 10) % 12 + 1, (unsigned)(x >> 14) % 28 + 1,
            cities[(x >> 20) % 5], (double)(x >> 24 & 1023) / 4 + 1, (double)(x >> 34 & 255) / 100,
            (unsigned)(x >> 44));
    }
}

int main(int argc, char **argv)
{
    static const bench_work work = { .name = "csv_sum",
        .size = 17000000,
        .needs_file = true,
        .spark = { spark_open, spark_run, spark_answer, bench_close },
        .plain = { plain_open, plain_run, plain_answer, free },
        .expect = expect,
        .write = write_trips };
    return bench_main(&work, argc, argv);
}
