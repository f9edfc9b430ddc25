/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs of two 64-bit integers, for the works that group and join them: how they are made, and what
 * the programs by hand share. */
#ifndef BENCH_PAIRS_H
#define BENCH_PAIRS_H

#include "bench.h"

SPARK_PAIR(pair, int64_t, int64_t);

/* pair_at: pair i of a sequence: a random key below `keys`, a random value below 1024. The sequence
 * is chosen by -k, -s and -u: where it is skewed, every second key is 0. */
static inline pair pair_at(int64_t i, const bench_options *o)
{
    const uint64_t x = bench_mix((uint64_t)i);
    if (o->distinct) /* in turn, shuffled by a prime */
        return (pair) { (int64_t)((uint64_t)i * UINT64_C(2654435761) % (uint64_t)o->keys),
            (int64_t)(bench_mix(x) & 1023) };
    const int64_t key = o->skewed && i % 2 ? 0 : (int64_t)(x % (uint64_t)o->keys);
    return (pair) { key, (int64_t)(bench_mix(x) & 1023) };
}

/* pairs_make: pairs first to first + n - 1 of the sequence; free them. */
pair *pairs_make(int64_t first, int64_t n, const bench_options *o);

/* pairs_cached: the same as an RDD that has been computed and is held in memory. */
spark_rdd *pairs_cached(spark_context *sc, int64_t first, int64_t n, const bench_options *o);

/* For -w: lines "key,value". pairs_write: the first -n pairs. pairs_write_sides: those and, as the
 * right side, as many more. */
void pairs_write(const bench_options *o, FILE *out);
void pairs_write_sides(const bench_options *o, FILE *out);

/* pairs_hash: a multiplicative hash; its high bits are the good ones. */
static inline uint64_t pairs_hash(int64_t key)
{
    return (uint64_t)key * UINT64_C(0x9e3779b97f4a7c15);
}

/* pairs_split: the n pairs stably scattered into PAIRS_PARTS parts by the top bits of the hash of
 * their key: part p is out[start[p]] up to out[start[p + 1]]. */
enum { PAIRS_BITS = 8, PAIRS_PARTS = 1 << PAIRS_BITS };
void pairs_split(const pair *in, size_t n, pair *out, size_t start[PAIRS_PARTS + 1]);

#endif
