/* SPDX-License-Identifier: Apache-2.0 */
/* JSON sum: a file of lines, an object of 16 flat members each (orders: numbers, names, dates); for each zone
 * the sum of the prices (zones.h). -w writes a file of n rows, some 270 bytes each: 3,700,000 make a gigabyte.
 * FILE may be compressed by gzip.
 *
 * By hand: the members are looked for by their names with the C library, as one does who knows the file. */
#include "zones.h"

#include <inttypes.h>

/* With libspark. */

/* A query names the members it wants; so does a struct. */
SPARK_STRUCT(sale, (int32_t, zone), (double, price));

SPARK_MAP(to_price, sale, zone_amount)
{
    *out = (zone_amount) { in->zone, in->price };
}

static void spark_run(void *state)
{
    with_spark *s = (with_spark *)state;
    spark_scope *scope = spark_scope_begin(s->sc);
    spark_rdd *sales = spark_read_json(s->sc, s->options->file, SPARK_TYPE(sale),
        &(spark_json_options) { .min_partitions = s->options->partitions });
    spark_rdd *prices = spark_map(sales, to_price, NULL);
    s->found = sum_by_zone(prices);
    spark_scope_end(scope);
}

/* By hand. */

static const char *behind(const char *line, const char *name)
{
    const char *at = strstr(line, name);
    if (!at)
        bench_die("no sale: %s", line);
    return at + strlen(name);
}

static void plain_run(void *state)
{
    by_hand *h = (by_hand *)state;
    FILE *in = fopen(h->path, "r");
    char line[1024];
    if (!in)
        bench_die("cannot open %s", h->path);
    memset(h->quarters, 0, sizeof h->quarters);
    while (fgets(line, sizeof line, in)) {
        const long zone = strtol(behind(line, "\"zone\":"), NULL, 10);
        h->quarters[zone] += (int64_t)(strtod(behind(line, "\"price\":"), NULL) * 4);
        h->seen[zone] = true;
    }
    fclose(in);
}

/* expect: from the numbers that the lines were made of, which begin with their index. */
static uint32_t zone_of(uint64_t x)
{
    return (uint32_t)(x % ZONES);
}

static uint32_t quarters_of(uint64_t x)
{
    return (uint32_t)(x >> 24 & 4095) + 4;
}

static bench_answer expect(const bench_options *o)
{
    by_hand h = { .path = o->file };
    char line[1024];
    FILE *in = open_plain(o);
    for (uint64_t i = 0; fgets(line, sizeof line, in); i++) {
        const uint64_t x = bench_mix(i);
        h.quarters[zone_of(x)] += quarters_of(x);
        h.seen[zone_of(x)] = true;
    }
    fclose(in);
    return plain_answer(&h);
}

static void write_sales(const bench_options *o, FILE *out)
{
    static const char *const cities[] = { "Amsterdam", "Berlin", "Rome", "Oslo", "New York" };
    static const char *const modes[] = { "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB", "REG AIR" };
    static const char *const notes[] = { "carefully final packages haggle", "quickly express asymptotes",
        "slyly ironic deposits are furiously", "even requests boost", "blithely regular ideas sleep along the" };
    for (int64_t i = 0; i < o->size; i++) {
        const uint64_t x = bench_mix((uint64_t)i), y = bench_mix(x);
        fprintf(out,
            "{\"id\":%" PRId64 ",\"part\":%u,\"supplier\":%u,\"line\":%u,\"quantity\":%u,\"price\":%.2f,"
            "\"discount\":%.2f,\"tax\":%.2f,\"flag\":\"%c\",\"open\":%s,\"zone\":%u,\"city\":\"%s\","
            "\"shipped\":\"2024-%02u-%02u\",\"received\":\"2024-%02u-%02u\",\"mode\":\"%s\",\"note\":\"%s %u\"}\n",
            1000000000 + i, (unsigned)(y >> 40 & 0xfffff), (unsigned)(y >> 20 & 0xffff), (unsigned)(x >> 60) % 7 + 1,
            (unsigned)(y & 63) + 1, quarters_of(x) / 4.0, (double)(x >> 36 & 15) / 100, (double)(x >> 40 & 7) / 100,
            "ANR"[(x >> 44) % 3], x >> 50 & 1 ? "true" : "false", zone_of(x), cities[(x >> 20) % 5],
            (unsigned)(x >> 10) % 12 + 1, (unsigned)(x >> 14) % 28 + 1, (unsigned)(y >> 10) % 12 + 1,
            (unsigned)(y >> 14) % 28 + 1, modes[(y >> 8) % 7], notes[(y >> 30) % 5], (unsigned)(y >> 44));
    }
}

int main(int argc, char **argv)
{
    static const bench_work work = { .name = "json_sum",
        .size = 3700000,
        .needs_file = true,
        .spark = { spark_open, spark_run, spark_answer, bench_close },
        .plain = { plain_open, plain_run, plain_answer, free },
        .expect = expect,
        .write = write_sales };
    return bench_main(&work, argc, argv);
}
