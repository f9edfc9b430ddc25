/* SPDX-License-Identifier: Apache-2.0 */
/* JSON sum: a file of lines, an object of 16 flat members each (orders: numbers, names, dates); for each zone
 * the sum of the prices, which are multiples of a quarter, so that sums are exact. rows is the number of zones,
 * the checksum the sum of (zone + 1) * 4 * sum over the zones, extra four times the sum of all prices. -w writes a
 * file of n rows, some 270 bytes each: 3,700,000 make a gigabyte.
 *
 * By hand: the members are looked for by their names with the C library, as one does who knows the file. */
#include "bench.h"

#include <inttypes.h>
#include <string.h>

enum { ZONES = 1000 };

/* With libspark. */

/* A query names the members it wants; so does a struct. */
SPARK_STRUCT(sale, (int32_t, zone), (double, price));
SPARK_PAIR(zone_price, int32_t, double);

SPARK_MAP(to_price, sale, zone_price)
{
    *out = (zone_price) { in->zone, in->price };
}

SPARK_MERGE(add_price, bench_tally, zone_price)
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

static void spark_run(void *state)
{
    with_spark *s = (with_spark *)state;
    spark_scope *scope = spark_scope_begin(s->sc);
    spark_rdd *sales = spark_read_json(s->sc, s->options->file, SPARK_TYPE(sale),
        &(spark_json_options) { .min_partitions = s->options->partitions });
    spark_rdd *prices = spark_map(sales, to_price, NULL);
    s->found = bench_tally_of(spark_reduce_by_key(prices, spark_op_sum, NULL, 0), add_price);
    spark_scope_end(scope);
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
    FILE *in = fopen(o->file, "r");
    char line[1024];
    if (!in)
        bench_die("cannot read %s", o->file);
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
