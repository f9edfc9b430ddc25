/* SPDX-License-Identifier: Apache-2.0 */
/* Making pairs, and the radix split of the programs by hand: parts are filled through buffers of a
 * few cache lines, so that each part's memory is touched once for several pairs (Balkesen et al.,
 * "Main-Memory Hash Joins on Multi-Core CPUs", ICDE 2013). */
#include "pairs.h"

#include <inttypes.h>
#include <string.h>

pair *pairs_make(int64_t first, int64_t n, const bench_options *o)
{
    pair *pairs = (pair *)bench_alloc((size_t)n, sizeof *pairs);
    for (int64_t i = 0; i < n; i++)
        pairs[i] = pair_at(first + i, o);
    return pairs;
}

SPARK_MAP(make_pair, int64_t, pair, bench_options)
{
    *out = pair_at(*in, env);
}

spark_rdd *pairs_cached(spark_context *sc, int64_t first, int64_t n, const bench_options *o)
{
    spark_rdd *pairs = bench_cached(sc, first, n, o->partitions, make_pair, SPARK_COPY(*o));
    if (o->memory == 0 && spark_rdd_cached_partitions(pairs) != spark_rdd_partitions(pairs))
        bench_die("%d of %d partitions of pairs are cached", spark_rdd_cached_partitions(pairs),
            spark_rdd_partitions(pairs));
    return pairs;
}

static void write_first(int64_t n, const bench_options *o, FILE *out)
{
    for (int64_t i = 0; i < n; i++) {
        const pair p = pair_at(i, o);
        fprintf(out, "%" PRId64 ",%" PRId64 "\n", p.key, p.value);
    }
}

void pairs_write(const bench_options *o, FILE *out)
{
    write_first(o->size, o, out);
}

void pairs_write_sides(const bench_options *o, FILE *out)
{
    write_first(2 * o->size, o, out);
}

static void count_parts(const pair *in, size_t n, size_t start[PAIRS_PARTS + 1])
{
    memset(start, 0, (PAIRS_PARTS + 1) * sizeof *start);
    for (size_t i = 0; i < n; i++)
        start[(pairs_hash(in[i].key) >> (64 - PAIRS_BITS)) + 1]++;
    for (size_t p = 0; p < PAIRS_PARTS; p++)
        start[p + 1] += start[p];
}

void pairs_split(const pair *in, size_t n, pair *out, size_t start[PAIRS_PARTS + 1])
{
    enum { LINE = 16 };
    static _Alignas(64) pair buffers[PAIRS_PARTS][LINE];
    size_t next[PAIRS_PARTS];
    unsigned char fill[PAIRS_PARTS] = { 0 };
    count_parts(in, n, start);
    memcpy(next, start, sizeof next);
    for (size_t i = 0; i < n; i++) {
        const size_t p = pairs_hash(in[i].key) >> (64 - PAIRS_BITS);
        buffers[p][fill[p]++] = in[i];
        if (fill[p] == LINE) {
            memcpy(&out[next[p]], buffers[p], sizeof buffers[p]);
            next[p] += LINE;
            fill[p] = 0;
        }
    }
    for (size_t p = 0; p < PAIRS_PARTS; p++)
        memcpy(&out[next[p]], buffers[p], fill[p] * sizeof(pair));
}
