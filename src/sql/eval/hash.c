/* SPDX-License-Identifier: Apache-2.0 */
/* Spark's Murmur3_x86_32 takes the bytes at the end of a string one by one, as signed ints; its
 * XXH64 is
 * the usual one. Both take booleans and small integers as ints. */
#include "sql/eval/hash.h"

#include "base/hash.h"
#include "sql/eval/compare.h"
#include "sql/eval/kernel.h"
#include "type/leaf.h"

uint64_t spk_sql_value_hash(const spk_sql_type *type, const void *value)
{
    const spark_str *s = value;
    uint64_t h = SPK_HASH_SEED;
    switch (type->kind) {
    case SPK_SQL_STRING:
    case SPK_SQL_BINARY:
        return spk_hash_bytes(s->ptr, s->len);
    case SPK_SQL_FLOAT:
        return spk_hash_bytes(&(uint32_t) { spk_float_bits(*(const float *)value) }, 4);
    case SPK_SQL_DOUBLE:
        return spk_hash_bytes(&(uint64_t) { spk_double_bits(*(const double *)value) }, 8);
    case SPK_SQL_ARRAY:
    case SPK_SQL_MAP: {
        const spk_sql_array a = *(const spk_sql_array *)value;
        for (size_t i = 0; i < a.n; i++) {
            const void *x;
            if (type->kind == SPK_SQL_MAP)
                h = spk_hash_combine(
                    h, spk_sql_value_hash(type->key, spk_sql_entry(type, a, i, &x)));
            else
                x = spk_sql_slot(type, a, i);
            h = spk_hash_combine(h, x ? spk_sql_value_hash(type->of, x) : 0);
        }
        return h;
    }
    case SPK_SQL_STRUCT:
        for (uint32_t i = 0; i < type->n; i++) {
            const void *x = spk_sql_member(type, value, i);
            h = spk_hash_combine(h, x ? spk_sql_value_hash(type->fields[i].type, x) : 0);
        }
        return h;
    default:
        return spk_hash_bytes(value, type->size);
    }
}

/* ---- Murmur3 ---- */

static uint32_t rotate32(uint32_t x, int by)
{
    return x << by | x >> (32 - by);
}

static uint32_t mix(uint32_t h, uint32_t k)
{
    k = rotate32(k * UINT32_C(0xcc9e2d51), 15) * UINT32_C(0x1b873593);
    return rotate32(h ^ k, 13) * 5 + UINT32_C(0xe6546b64);
}

static uint32_t finish(uint32_t h, uint32_t n)
{
    h ^= n;
    h = (h ^ h >> 16) * UINT32_C(0x85ebca6b);
    h = (h ^ h >> 13) * UINT32_C(0xc2b2ae35);
    return h ^ h >> 16;
}

static uint32_t murmur_int(uint32_t x, uint32_t seed)
{
    return finish(mix(seed, x), 4);
}

static uint32_t murmur_long(uint64_t x, uint32_t seed)
{
    return finish(mix(mix(seed, (uint32_t)x), (uint32_t)(x >> 32)), 8);
}

static uint32_t murmur_bytes(const char *p, size_t n, uint32_t seed)
{
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        seed = mix(seed, (uint32_t)spk_load32(p + i));
    for (; i < n; i++)
        seed = mix(seed, (uint32_t)(signed char)p[i]);
    return finish(seed, (uint32_t)n);
}

/* big_bytes: a wide decimal as BigInteger.toByteArray has it. */
static size_t big_bytes(spk_i128 x, char bytes[16])
{
    char all[16];
    size_t skip = 0;
    for (int i = 0; i < 16; i++)
        all[15 - i] = (char)(uint8_t)((spk_u128)x >> (8 * i));
    while (skip < 15
        && ((all[skip] == 0 && all[skip + 1] >= 0) || (all[skip] == -1 && all[skip + 1] < 0)))
        skip++;
    memcpy(bytes, all + skip, 16 - skip);
    return 16 - skip;
}

/* java_bits: one zero, one NaN, as Spark hashes them. */
static uint32_t float_bits(float x)
{
    return x == 0 ? 0 : spk_float_bits(x);
}

static uint64_t double_bits(double x)
{
    return x == 0 ? 0 : spk_double_bits(x);
}

/* flat: values that are hashed as one int, one long, or bytes. 4, 8, or 0 with bytes. */
static int flat(const spk_sql_type *type, const void *value, uint64_t *x, const char **p, size_t *n,
    char own[16])
{
    const spark_str *s = value;
    const spk_sql_vector v = { value, 0, NULL };
    switch (type->kind) {
    case SPK_SQL_BOOLEAN:
        *x = *(const bool *)value;
        return 4;
    case SPK_SQL_TINYINT:
    case SPK_SQL_SMALLINT:
    case SPK_SQL_INT:
    case SPK_SQL_DATE:
    case SPK_SQL_INTERVAL_MONTHS:
        *x = (uint64_t)spk_sql_integer(type, &v, 0);
        return 4;
    case SPK_SQL_FLOAT:
        *x = float_bits(*(const float *)value);
        return 4;
    case SPK_SQL_DOUBLE:
        *x = double_bits(*(const double *)value);
        return 8;
    case SPK_SQL_STRING:
    case SPK_SQL_BINARY:
        *p = s->ptr;
        *n = s->len;
        return 0;
    case SPK_SQL_DECIMAL:
        if (type->size == 16) {
            *n = big_bytes(spk_sql_units(type, value), own);
            *p = own;
            return 0;
        }
        *x = (uint64_t) * (const int64_t *)value;
        return 8;
    default:
        *x = (uint64_t) * (const int64_t *)value;
        return 8;
    }
}

uint32_t spk_sql_murmur3(const spk_sql_type *type, const void *value, uint32_t seed)
{
    if (type->kind == SPK_SQL_ARRAY || type->kind == SPK_SQL_MAP) {
        const spk_sql_array a = *(const spk_sql_array *)value;
        for (size_t i = 0; i < a.n; i++) {
            const void *x;
            if (type->kind == SPK_SQL_MAP)
                seed = spk_sql_murmur3(type->key, spk_sql_entry(type, a, i, &x), seed);
            else
                x = spk_sql_slot(type, a, i);
            seed = x ? spk_sql_murmur3(type->of, x, seed) : seed;
        }
        return seed;
    }
    if (type->kind == SPK_SQL_STRUCT) {
        for (uint32_t i = 0; i < type->n; i++) {
            const void *x = spk_sql_member(type, value, i);
            seed = x ? spk_sql_murmur3(type->fields[i].type, x, seed) : seed;
        }
        return seed;
    }
    uint64_t x = 0;
    const char *p = NULL;
    size_t n = 0;
    char own[16];
    const int size = flat(type, value, &x, &p, &n, own);
    return size == 4 ? murmur_int((uint32_t)x, seed)
        : size == 8  ? murmur_long(x, seed)
                     : murmur_bytes(p, n, seed);
}

/* ---- XXH64 ---- */

#define P1 UINT64_C(0x9e3779b185ebca87)
#define P2 UINT64_C(0xc2b2ae3d27d4eb4f)
#define P3 UINT64_C(0x165667b19e3779f9)
#define P4 UINT64_C(0x85ebca77c2b2ae63)
#define P5 UINT64_C(0x27d4eb2f165667c5)

static uint64_t rotate64(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static uint64_t xx_round(uint64_t h, uint64_t x)
{
    return rotate64(h + x * P2, 31) * P1;
}

static uint64_t xx_finish(uint64_t h)
{
    h = (h ^ h >> 33) * P2;
    h = (h ^ h >> 29) * P3;
    return h ^ h >> 32;
}

static uint64_t xx_long(uint64_t h, uint64_t x)
{
    return rotate64(h ^ xx_round(0, x), 27) * P1 + P4;
}

static uint64_t xx_int(uint64_t h, uint32_t x)
{
    return rotate64(h ^ x * P1, 23) * P2 + P3;
}

static uint64_t xx_bytes(const char *p, size_t n, uint64_t seed)
{
    size_t i = 0;
    uint64_t h = seed + P5;
    if (n >= 32) {
        uint64_t v[4] = { seed + P1 + P2, seed + P2, seed, seed - P1 };
        for (; i + 32 <= n; i += 32)
            for (size_t k = 0; k < 4; k++)
                v[k] = xx_round(v[k], spk_load64(p + i + 8 * k));
        h = rotate64(v[0], 1) + rotate64(v[1], 7) + rotate64(v[2], 12) + rotate64(v[3], 18);
        for (int k = 0; k < 4; k++)
            h = (h ^ xx_round(0, v[k])) * P1 + P4;
    }
    h += n;
    for (; i + 8 <= n; i += 8)
        h = xx_long(h, spk_load64(p + i));
    if (i + 4 <= n) {
        h = xx_int(h, (uint32_t)spk_load32(p + i));
        i += 4;
    }
    for (; i < n; i++)
        h = rotate64(h ^ (unsigned char)p[i] * P5, 11) * P1;
    return xx_finish(h);
}

uint64_t spk_sql_xxhash64(const spk_sql_type *type, const void *value, uint64_t seed)
{
    if (type->kind == SPK_SQL_ARRAY || type->kind == SPK_SQL_MAP) {
        const spk_sql_array a = *(const spk_sql_array *)value;
        for (size_t i = 0; i < a.n; i++) {
            const void *x;
            if (type->kind == SPK_SQL_MAP)
                seed = spk_sql_xxhash64(type->key, spk_sql_entry(type, a, i, &x), seed);
            else
                x = spk_sql_slot(type, a, i);
            seed = x ? spk_sql_xxhash64(type->of, x, seed) : seed;
        }
        return seed;
    }
    if (type->kind == SPK_SQL_STRUCT) {
        for (uint32_t i = 0; i < type->n; i++) {
            const void *x = spk_sql_member(type, value, i);
            seed = x ? spk_sql_xxhash64(type->fields[i].type, x, seed) : seed;
        }
        return seed;
    }
    uint64_t x = 0;
    const char *p = NULL;
    size_t n = 0;
    char own[16];
    const int size = flat(type, value, &x, &p, &n, own);
    return size == 4 ? xx_finish(xx_int(seed + P5 + 4, (uint32_t)x))
        : size == 8  ? xx_finish(xx_long(seed + P5 + 8, x))
                     : xx_bytes(p, n, seed);
}
