/* SPDX-License-Identifier: Apache-2.0 */
/* Random values of any description, and a slow comparison written without the library's walk: the
 * oracle of the tests of hash, equality, order and copies. Values come from small domains, so that
 * equal ones are common; padding and absent payloads are filled with noise. */
#ifndef RANDOM_VALUE_H
#define RANDOM_VALUE_H

#include <math.h>
#include <stdlib.h>

#include "support/spark_test.h"
#include "type/leaf.h"

/* ---- types of every shape ---- */

static inline uint64_t mod_hash(const void *v)
{
    return (uint64_t)(*(const uint32_t *)v % 4) * UINT64_C(0x9e3779b97f4a7c15);
}
static inline bool mod_equal(const void *a, const void *b)
{
    return *(const uint32_t *)a % 4 == *(const uint32_t *)b % 4;
}
static inline int mod_compare(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a % 4, y = *(const uint32_t *)b % 4;
    return x > y ? -1 : x < y; /* the other way round */
}
static inline size_t mod_print(const void *v, char *buffer, size_t size)
{
    return (size_t)snprintf(buffer, size, "<%u>", *(const uint32_t *)v % 4);
}
static const spark_type_ops mod_ops = { mod_hash, mod_equal, mod_compare, mod_print };
static const spark_type_ops mod_compare_ops = { NULL, NULL, mod_compare, NULL };

typedef struct modulo {
    uint32_t x;
    char noise;
} modulo;
SPARK_DESCRIBE_WITH(modulo, &mod_ops, (uint32_t, x), (char, noise));

typedef struct backwards {
    uint32_t x;
} backwards;
SPARK_DESCRIBE_WITH(backwards, NULL, (uint32_t, x));

SPARK_DECIMAL(money, 18, 2);
SPARK_STRUCT(holes, (int8_t, a), (int64_t, b), (int16_t, c), (uint32_t, d));
SPARK_STRUCT(dense, (int32_t, a), (uint32_t, b), (int64_t, c));
SPARK_STRUCT(point, (double, x, 3), (float, y, 2), (char, code, 5));
SPARK_STRUCT(scalars, (bool, a), (char, b), (int8_t, c), (uint8_t, d), (uint16_t, e), (uint64_t, f),
    (spark_date, g), (spark_time, h), (money, i), (float, j));
SPARK_PAIR(word_count, spark_str, int64_t);
SPARK_PAIR(count_word, int64_t, spark_str);
SPARK_STRUCT(wrapped, (int64_t, id));
SPARK_STRUCT(invoice, (int64_t, id), (spark_str, name), (holes, inner, 2), (double, amount));
SPARK_LIST(invoice_list, invoice);
SPARK_LIST(list_list, spark_str_list);
SPARK_LIST(modulo_list, modulo);
SPARK_LIST(dense_list, dense);
SPARK_LIST(byte_list, uint8_t);
SPARK_LIST(opt_list, spark_opt_str);
SPARK_OPTIONAL(opt_invoice, invoice);
SPARK_OPTIONAL(opt_modulo, modulo);
SPARK_OPTIONAL(opt_opt, spark_opt_f64);
SPARK_PAIR(modulo_pair, modulo, word_count);
SPARK_STRUCT(nested, (modulo, m, 2), (opt_invoice, o), (invoice_list, l), (opt_opt, oo),
    (spark_bytes, tail));
typedef struct blob12 {
    uint32_t x[3];
} blob12;
SPARK_BLOB(blob12);
SPARK_STRUCT(with_blob, (blob12, a), (uint8_t, b, 4), (spark_f64_list, c));

SPARK_STRUCT(several, (spark_opt_i64, a), (spark_opt_str, b), (spark_opt_i32, c), (spark_str, d), (spark_opt_f64, e));

static const spark_type *const all_types[] = { &spark_type_of_bool, SPARK_TYPE(char),
    SPARK_TYPE(int8_t), SPARK_TYPE(int16_t), SPARK_TYPE(int32_t), SPARK_TYPE(int64_t),
    SPARK_TYPE(uint8_t), SPARK_TYPE(uint16_t), SPARK_TYPE(uint32_t), SPARK_TYPE(uint64_t),
    SPARK_TYPE(float), SPARK_TYPE(double), SPARK_TYPE(spark_str), SPARK_TYPE(spark_bytes),
    SPARK_TYPE(spark_date), SPARK_TYPE(spark_time), SPARK_TYPE(money), SPARK_TYPE(modulo),
    SPARK_TYPE(holes), SPARK_TYPE(dense), SPARK_TYPE(point), SPARK_TYPE(scalars),
    SPARK_TYPE(word_count), SPARK_TYPE(count_word), SPARK_TYPE(wrapped), SPARK_TYPE(invoice),
    SPARK_TYPE(invoice_list), SPARK_TYPE(list_list), SPARK_TYPE(modulo_list),
    SPARK_TYPE(dense_list), SPARK_TYPE(byte_list), SPARK_TYPE(opt_list), SPARK_TYPE(opt_invoice),
    SPARK_TYPE(opt_modulo), SPARK_TYPE(opt_opt), SPARK_TYPE(modulo_pair), SPARK_TYPE(nested),
    SPARK_TYPE(blob12), SPARK_TYPE(with_blob), SPARK_TYPE(spark_f64_list),
    SPARK_TYPE(spark_opt_str), SPARK_TYPE(spark_opt_i64), SPARK_TYPE(spark_opt_i32), SPARK_TYPE(several) };
enum { N_TYPES = sizeof all_types / sizeof all_types[0], MAX_SIZE = 512 };

/* ---- random ---- */

static uint64_t random_state = 88172645463325252u;

static inline uint64_t random_u64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * UINT64_C(0x2545f4914f6cdd1d);
}

static inline size_t random_below(size_t n)
{
    return (size_t)(random_u64() >> 33) % n;
}

static inline void random_bytes(void *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((unsigned char *)p)[i] = (unsigned char)(random_u64() >> 40);
}

/* pool: what values point to, freed together. */
typedef struct value_pool {
    void *blocks[8192];
    size_t n;
} value_pool;

static inline void *pool_alloc(value_pool *pool, size_t size)
{
    assert_true(pool->n < 8192);
    void *p = malloc(size > 0 ? size : 1);
    assert_non_null(p);
    return pool->blocks[pool->n++] = p;
}

static inline void pool_free(value_pool *pool)
{
    while (pool->n > 0)
        free(pool->blocks[--pool->n]);
}

static inline double random_double(void)
{
    static const double few[] = { 0.0, -0.0, 1.5, -1.5, NAN, -NAN, INFINITY, -INFINITY, 1e-310 };
    return few[random_below(sizeof few / sizeof few[0])];
}

static inline int64_t random_integer(void)
{
    static const int64_t few[] = { 0, 1, -1, 127, -128, 255, INT64_MAX, INT64_MIN, 65536 };
    return few[random_below(sizeof few / sizeof few[0])];
}

static inline void random_str(value_pool *pool, void *p)
{
    static const char *const few[]
        = { "", "a", "b", "\xff", "abcdefg", "abcdefgh", "abcdefghi", "abcdefghj", "ab" };
    const char *s = few[random_below(sizeof few / sizeof few[0])];
    const size_t n = strlen(s);
    char *copy = pool_alloc(pool, n);
    memcpy(copy, s, n);
    const spark_str str = { n == 0 && random_below(2) ? NULL : copy, n };
    memcpy(p, &str, sizeof str);
}

static inline void random_value(const spark_type *type, void *out, value_pool *pool)
{
    char *p = out;
    if (type->kind == SPARK_KIND_STR || type->kind == SPARK_KIND_BYTES) {
        random_str(pool, p);
    } else if (type->kind == SPARK_KIND_F32) {
        const float x = (float)random_double();
        memcpy(p, &x, sizeof x);
    } else if (type->kind == SPARK_KIND_F64) {
        const double x = random_double();
        memcpy(p, &x, sizeof x);
    } else if (type->kind == SPARK_KIND_LIST) {
        spark_str list = { NULL, random_below(4) };
        char *items = pool_alloc(pool, list.len * type->of->size);
        random_bytes(items, list.len * type->of->size);
        for (size_t i = 0; i < list.len; i++)
            random_value(type->of, items + i * type->of->size, pool);
        list.ptr = list.len > 0 || random_below(2) ? items : NULL;
        memcpy(p, &list, sizeof list);
    } else if (type->kind == SPARK_KIND_OPTIONAL) {
        *(bool *)p = random_below(3) > 0;
        if (*p)
            random_value(type->of, p + type->of->align, pool);
    } else if (type->kind == SPARK_KIND_STRUCT || type->kind == SPARK_KIND_PAIR) {
        for (uint32_t i = 0; i < type->count; i++) {
            const spark_field *f = &type->fields[i];
            for (size_t j = 0; j < (f->count ? f->count : 1); j++)
                random_value(f->type, p + f->offset + j * f->type->size, pool);
        }
    } else if (type->kind == SPARK_KIND_BOOL) {
        *(bool *)p = random_below(2);
    } else if (type->kind == SPARK_KIND_BLOB) {
        memset(p, (int)random_below(3) * 100, type->size);
    } else {
        const int64_t x = random_integer();
        memcpy(p, &x, type->size);
    }
}

static inline void random_row(const spark_type *type, void *out, value_pool *pool)
{
    random_bytes(out, type->size);
    random_value(type, out, pool);
}

/* ---- the oracle ---- */

static inline int naive_bytes(const unsigned char *a, size_t n, const unsigned char *b, size_t m)
{
    for (size_t i = 0; i < n && i < m; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return n < m ? -1 : n > m;
}

static inline int naive_double(double x, double y)
{
    if (isnan(x) || isnan(y))
        return !!isnan(x) - !!isnan(y);
    return x < y ? -1 : x > y;
}

static inline int64_t naive_integer(const spark_type *type, const void *p)
{
    switch (type->kind) {
    case SPARK_KIND_BOOL:
    case SPARK_KIND_CHAR:
    case SPARK_KIND_U8: return *(const uint8_t *)p;
    case SPARK_KIND_I8: return *(const int8_t *)p;
    case SPARK_KIND_I16: return *(const int16_t *)p;
    case SPARK_KIND_U16: return *(const uint16_t *)p;
    case SPARK_KIND_I32:
    case SPARK_KIND_DATE: return *(const int32_t *)p;
    case SPARK_KIND_U32: return *(const uint32_t *)p;
    case SPARK_KIND_U64: return (int64_t)(*(const uint64_t *)p ^ UINT64_C(1) << 63);
    default: return *(const int64_t *)p;
    }
}

static inline int naive_compare(const spark_type *type, const void *va, const void *vb)
{
    const char *a = va, *b = vb;
    if (type->ops && type->ops->compare)
        return type->ops->compare(a, b);
    if (type->kind == SPARK_KIND_STR || type->kind == SPARK_KIND_BYTES) {
        const spark_str *s = va, *t = vb;
        return naive_bytes((const void *)s->ptr, s->len, (const void *)t->ptr, t->len);
    }
    if (type->kind == SPARK_KIND_LIST) {
        const spark_str *s = va, *t = vb;
        int c = 0;
        for (size_t i = 0; c == 0 && i < s->len && i < t->len; i++)
            c = naive_compare(type->of, s->ptr + i * type->of->size, t->ptr + i * type->of->size);
        return c ? c : s->len < t->len ? -1 : s->len > t->len;
    }
    if (type->kind == SPARK_KIND_OPTIONAL) {
        if (!*a || !*b)
            return !!*a - !!*b;
        return naive_compare(type->of, a + type->of->align, b + type->of->align);
    }
    if (type->kind == SPARK_KIND_STRUCT || type->kind == SPARK_KIND_PAIR) {
        int c = 0;
        for (uint32_t i = 0; c == 0 && i < type->count; i++) {
            const spark_field *f = &type->fields[i];
            for (size_t j = 0; c == 0 && j < (f->count ? f->count : 1); j++)
                c = naive_compare(f->type, a + f->offset + j * f->type->size,
                    b + f->offset + j * f->type->size);
        }
        return c;
    }
    if (type->kind == SPARK_KIND_F32)
        return naive_double((double)*(const float *)va, (double)*(const float *)vb);
    if (type->kind == SPARK_KIND_F64)
        return naive_double(*(const double *)va, *(const double *)vb);
    if (type->kind == SPARK_KIND_BLOB)
        return naive_bytes(va, type->size, vb, type->size);
    const int64_t x = naive_integer(type, a), y = naive_integer(type, b);
    return x < y ? -1 : x > y;
}

static inline int sign(int c)
{
    return (c > 0) - (c < 0);
}

/* layout_of: or the test fails. */
static inline const spk_layout *layout_of(spk_types *types, const spark_type *type)
{
    spk_failure failure;
    const spk_layout *layout = spk_layout_of(types, type, &failure);
    assert_non_null(layout);
    return layout;
}

static inline int make_types(void **state)
{
    *state = spk_types_new();
    return *state ? 0 : -1;
}

static inline int free_types(void **state)
{
    spk_types_free(*state);
    return 0;
}

#endif
