/* SPDX-License-Identifier: Apache-2.0 */
/* Equality and order of values, from their description alone. Both go leaf by leaf and stop at the
 * first difference. Numbers form a total order: zeros are one value, NaN one value after all
 * others. */
#include "base/hash.h"
#include "type/leaf.h"

/* ---- runs of scalars ---- */

#define COMPARE_RUN(name, T)                                                                       \
    static int name(const char *a, const char *b, size_t n)                                        \
    {                                                                                              \
        for (size_t i = 0; i < n; i++) {                                                           \
            T x, y;                                                                                \
            memcpy(&x, a + i * sizeof x, sizeof x);                                                \
            memcpy(&y, b + i * sizeof y, sizeof y);                                                \
            if (x != y)                                                                            \
                return x < y ? -1 : 1;                                                             \
        }                                                                                          \
        return 0;                                                                                  \
    }
COMPARE_RUN(compare_i8, int8_t)
COMPARE_RUN(compare_i16, int16_t)
COMPARE_RUN(compare_i32, int32_t)
COMPARE_RUN(compare_i64, int64_t)
COMPARE_RUN(compare_u16, uint16_t)
COMPARE_RUN(compare_u32, uint32_t)
COMPARE_RUN(compare_u64, uint64_t)

/* x != x where only x is NaN: then x comes last. */
#define COMPARE_FLOATS(name, T)                                                                    \
    static int name(const char *a, const char *b, size_t n)                                        \
    {                                                                                              \
        for (size_t i = 0; i < n; i++) {                                                           \
            T x, y;                                                                                \
            memcpy(&x, a + i * sizeof x, sizeof x);                                                \
            memcpy(&y, b + i * sizeof y, sizeof y);                                                \
            if (x < y)                                                                             \
                return -1;                                                                         \
            if (x > y)                                                                             \
                return 1;                                                                          \
            if (x != y && (x == x) != (y == y))                                                    \
                return x != x ? 1 : -1;                                                            \
        }                                                                                          \
        return 0;                                                                                  \
    }
COMPARE_FLOATS(compare_f32, float)
COMPARE_FLOATS(compare_f64, double)

static int compare_bytes(const void *a, const void *b, size_t n)
{
    const int c = n > 0 ? memcmp(a, b, n) : 0;
    return (c > 0) - (c < 0);
}

static int compare_run(spark_kind kind, const char *a, const char *b, size_t size)
{
    switch (kind) {
    case SPARK_KIND_I8:
        return compare_i8(a, b, size);
    case SPARK_KIND_I16:
        return compare_i16(a, b, size / 2);
    case SPARK_KIND_I32:
    case SPARK_KIND_DATE:
        return compare_i32(a, b, size / 4);
    case SPARK_KIND_I64:
    case SPARK_KIND_DECIMAL:
    case SPARK_KIND_TIME:
        return compare_i64(a, b, size / 8);
    case SPARK_KIND_U16:
        return compare_u16(a, b, size / 2);
    case SPARK_KIND_U32:
        return compare_u32(a, b, size / 4);
    case SPARK_KIND_U64:
        return compare_u64(a, b, size / 8);
    case SPARK_KIND_F32:
        return compare_f32(a, b, size / 4);
    case SPARK_KIND_F64:
        return compare_f64(a, b, size / 8);
    default:
        return compare_bytes(a, b, size);
    }
}

static bool equal_run(spark_kind kind, const char *a, const char *b, size_t size)
{
    if (kind == SPARK_KIND_F32 || kind == SPARK_KIND_F64)
        return compare_run(kind, a, b, size) == 0;
    if (size == 8)
        return spk_load64(a) == spk_load64(b);
    if (size == 4)
        return spk_load32(a) == spk_load32(b);
    if (size == 2)
        return a[0] == b[0] && a[1] == b[1];
    return size == 0 || memcmp(a, b, size) == 0;
}

/* ---- views ---- */

static bool equal_view(const char *a, const char *b)
{
    spark_str s, t;
    memcpy(&s, a, sizeof s);
    memcpy(&t, b, sizeof t);
    return s.len == t.len && spk_text_same(s.ptr, t.ptr, s.len);
}

static int compare_view(const char *a, const char *b)
{
    spark_str s, t;
    memcpy(&s, a, sizeof s);
    memcpy(&t, b, sizeof t);
    const int c = compare_bytes(s.ptr, t.ptr, s.len < t.len ? s.len : t.len);
    return c ? c : (s.len > t.len) - (s.len < t.len);
}

static bool equal_list(const spk_layout *of, const char *a, const char *b)
{
    spark_i64_list s, t;
    memcpy(&s, a, sizeof s);
    memcpy(&t, b, sizeof t);
    if (s.n != t.n)
        return false;
    const char *p = (const char *)s.at, *q = (const char *)t.at;
    const spark_kind run = spk_layout_run(of);
    if (of->flat || spk_kind_width(run) > 0)
        return equal_run(of->flat ? SPARK_KIND_BLOB : run, p, q, s.n * of->size);
    for (size_t i = 0; i < s.n; i++)
        if (!spk_value_equal(of, p + i * of->size, q + i * of->size))
            return false;
    return true;
}

static int compare_list(const spk_layout *of, const char *a, const char *b)
{
    spark_i64_list s, t;
    memcpy(&s, a, sizeof s);
    memcpy(&t, b, sizeof t);
    const char *p = (const char *)s.at, *q = (const char *)t.at;
    const size_t n = s.n < t.n ? s.n : t.n;
    const spark_kind run = spk_layout_run(of);
    int c = 0;
    if (spk_kind_width(run) > 0)
        c = compare_run(run, p, q, n * of->size);
    else
        for (size_t i = 0; i < n && c == 0; i++)
            c = spk_value_compare(of, p + i * of->size, q + i * of->size);
    return c ? c : (s.n > t.n) - (s.n < t.n);
}

static int compare_optional(const spk_layout *of, const char *a, const char *b)
{
    const uint32_t at = spk_optional_offset(of->align);
    if (!*a || !*b)
        return (*a != 0) - (*b != 0);
    return spk_value_compare(of, a + at, b + at);
}

static bool equal_optional_view(const char *a, const char *b)
{
    const uint32_t at = spk_optional_offset(_Alignof(spark_str));
    return *a ? *b && equal_view(a + at, b + at) : !*b;
}

static bool equal_optional(const spk_layout *of, const char *a, const char *b)
{
    const uint32_t at = spk_optional_offset(of->align);
    if (of->key_class == SPK_KEY_STR)
        return equal_optional_view(a, b);
    if (of->key_class == SPK_KEY_8)
        return *a ? *b && spk_load64(a + at) == spk_load64(b + at) : !*b;
    if (of->key_class == SPK_KEY_4)
        return *a ? *b && spk_load32(a + at) == spk_load32(b + at) : !*b;
    if (!*a || !*b)
        return !*a && !*b;
    if (of->flat)
        return equal_run(SPARK_KIND_BLOB, a + at, b + at, of->size);
    return spk_value_equal(of, a + at, b + at);
}

/* ---- leaves and values ---- */

static bool equal_leaf(const spk_leaf *leaf, const char *a, const char *b)
{
    switch (leaf->kind) {
    case SPARK_KIND_STR:
    case SPARK_KIND_BYTES:
        return equal_view(a, b);
    case SPARK_KIND_LIST:
        return equal_list(leaf->of, a, b);
    case SPARK_KIND_OPTIONAL:
        return equal_optional(leaf->of, a, b);
    case SPARK_KIND_STRUCT:
        return spk_value_equal(leaf->of, a, b);
    default:
        return equal_run(leaf->kind, a, b, leaf->size);
    }
}

static int compare_leaf(const spk_leaf *leaf, const char *a, const char *b)
{
    switch (leaf->kind) {
    case SPARK_KIND_STR:
    case SPARK_KIND_BYTES:
        return compare_view(a, b);
    case SPARK_KIND_LIST:
        return compare_list(leaf->of, a, b);
    case SPARK_KIND_OPTIONAL:
        return compare_optional(leaf->of, a, b);
    case SPARK_KIND_STRUCT:
        return spk_value_compare(leaf->of, a, b);
    default:
        return compare_run(leaf->kind, a, b, leaf->size);
    }
}

typedef struct comparing {
    const char *a, *b;
    int c;
} comparing;

static bool equal_step(void *arg, const spk_leaf *leaf)
{
    const comparing *s = arg;
    return equal_leaf(leaf, s->a + leaf->offset, s->b + leaf->offset);
}

static bool compare_step(void *arg, const spk_leaf *leaf)
{
    comparing *s = arg;
    s->c = compare_leaf(leaf, s->a + leaf->offset, s->b + leaf->offset);
    return s->c == 0;
}

static bool equal_generic(const spk_layout *layout, const void *a, const void *b)
{
    const spark_type_ops *ops = layout->type->ops;
    comparing s = { a, b, 0 };
    if (ops && ops->equal)
        return ops->equal(a, b);
    if (layout->flat)
        return equal_run(SPARK_KIND_BLOB, a, b, layout->size);
    if (!layout->leaves)
        return spk_layout_each_leaf(layout, equal_step, &s);
    for (uint32_t i = 0; i < layout->n_leaves; i++) {
        const spk_leaf *leaf = &layout->leaves[i];
        const char *p = s.a + leaf->offset, *q = s.b + leaf->offset;
        const spk_key_class class = leaf->kind == SPARK_KIND_OPTIONAL ? leaf->of->key_class : SPK_KEY_GENERIC;
        if (!(class == SPK_KEY_8         ? spk_optional_same(p, q, true)
                    : class == SPK_KEY_4 ? spk_optional_same(p, q, false)
                                         : equal_leaf(leaf, p, q)))
            return false;
    }
    return true;
}

bool spk_value_equal(const spk_layout *layout, const void *a, const void *b)
{
    switch (layout->key_class) {
    case SPK_KEY_8:
        return spk_load64(a) == spk_load64(b);
    case SPK_KEY_4:
        return spk_load32(a) == spk_load32(b);
    case SPK_KEY_STR:
        return equal_view(a, b);
    case SPK_KEY_OPTIONAL_4:
        return spk_optional_same(a, b, false);
    case SPK_KEY_OPTIONAL_8:
        return spk_optional_same(a, b, true);
    case SPK_KEY_OPTIONAL_STR:
        return equal_optional_view(a, b);
    case SPK_KEY_GENERIC:
        break;
    }
    return equal_generic(layout, a, b);
}

int spk_value_compare(const spk_layout *layout, const void *a, const void *b)
{
    const spark_type_ops *ops = layout->type->ops;
    comparing s = { a, b, 0 };
    if (layout->key_class == SPK_KEY_STR)
        return compare_view(a, b);
    if (ops && ops->compare)
        return ops->compare(a, b);
    spk_layout_each_leaf(layout, compare_step, &s);
    return s.c;
}

bool spark_equal(const spark_type *type, const void *a, const void *b)
{
    spk_brief brief;
    return spk_value_equal(spk_brief_make(&brief, type), a, b);
}

int spark_compare(const spark_type *type, const void *a, const void *b)
{
    spk_brief brief;
    return spk_value_compare(spk_brief_make(&brief, type), a, b);
}
