/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs and keys of several shapes, for the tests of operations by key. */
#ifndef KEYS_H
#define KEYS_H

#include "oracle.h"

SPARK_STRUCT(place, (int16_t, zone), (spark_str, name), (char, code, 3));
SPARK_PAIR(i32_i64, int32_t, int64_t);
SPARK_PAIR(i64_i64, int64_t, int64_t);
SPARK_PAIR(i32_str, int32_t, spark_str);
SPARK_PAIR(str_i64, spark_str, int64_t);

/* word: one of 23, that begin alike or are of lengths at which strings are kept in other ways. */
static inline spark_str word(size_t i)
{
    static const char *const words[] = { "", "a", "b", "ab", "aaaaaaaa", "aaaaaaab", "aaaaaaaaa",
        "a string longer than any inline form of strings could be", "a string longer than any",
        "a string longer than any inline form of strings could be!", "\xc3\xa9", "zzz", "A", "-",
        "twelve bytes", "thirteen byte", "q", "w", "e", "r", "t", "y", "u" };
    const char *text = words[i % LENGTH(words)];
    return (spark_str) { text, strlen(text) };
}

static inline place place_of(size_t k)
{
    return (
        place) { (int16_t)(k % 3), word(k), { (char)('a' + k % 2), (char)(k % 5 ? 'x' : 0), 0 } };
}

/* hundred_keys: 10000 pairs, the value is 1, in 4 partitions that have each of the keys 0 to 99;
 * `make` is for_hundred, or for_hundred_wide. */
SPARK_MAP(for_hundred, int64_t, i32_i64)
{
    *out = (i32_i64) { (int32_t)(*in / 25 % 100), 1 };
}
SPARK_MAP(for_hundred_wide, int64_t, i64_i64)
{
    *out = (i64_i64) { *in / 25 % 100, 1 };
}
static inline spark_rdd *hundred_keys(spark_context *sc, const spark_map_def *make)
{
    return spark_map(spark_range(sc, 0, 10000, 1, 4), make, NULL);
}

SPARK_MERGE(keep_last, int64_t, int64_t)
{
    *acc = *in;
}

#endif
