/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes of values, from their description alone. Equal values hash equally, whatever their
 * padding, the payload of absent optionals or the sign of their zeros. One leaf hashes as itself,
 * so that a struct around an int64_t is as good a key as the int64_t; several are combined in
 * order; values that are integers without padding are hashed as the bytes they are. */
#include "base/hash.h"
#include "type/leaf.h"

static uint64_t hash_floats(const char *p, size_t n)
{
    uint64_t h = SPK_HASH_SEED ^ n;
    float x;
    if (n == 1) {
        memcpy(&x, p, sizeof x);
        return spk_hash_u64(spk_float_bits(x));
    }
    for (size_t i = 0; i < n; i++) {
        memcpy(&x, p + i * sizeof x, sizeof x);
        h = spk_hash_combine(h, spk_float_bits(x));
    }
    return spk_hash_u64(h);
}

static uint64_t hash_doubles(const char *p, size_t n)
{
    uint64_t h = SPK_HASH_SEED ^ n;
    double x;
    if (n == 1) {
        memcpy(&x, p, sizeof x);
        return spk_hash_u64(spk_double_bits(x));
    }
    for (size_t i = 0; i < n; i++) {
        memcpy(&x, p + i * sizeof x, sizeof x);
        h = spk_hash_combine(h, spk_double_bits(x));
    }
    return spk_hash_u64(h);
}

/* hash_integers: a single value of up to 8 bytes by its value, anything longer by its bytes. */
static uint64_t hash_integers(const char *p, size_t size, uint32_t width)
{
    if (size != width)
        return spk_hash_bytes(p, size);
    switch (width) {
    case 1:
        return spk_hash_u64((unsigned char)*p);
    case 2:
        return spk_hash_u64((uint64_t)(unsigned char)p[0] | (uint64_t)(unsigned char)p[1] << 8);
    case 4:
        return spk_hash_u64(spk_load32(p));
    default:
        return spk_hash_u64(spk_load64(p));
    }
}

static uint64_t hash_view(const char *p)
{
    spark_str s;
    memcpy(&s, p, sizeof s);
    return spk_hash_bytes(s.ptr, s.len);
}

static inline uint64_t hash_optional_view(const char *p)
{
    const uint32_t at = spk_optional_offset(_Alignof(spark_str));
    return *p ? spk_hash_combine(SPK_HASH_SEED, hash_view(p + at)) : SPK_ABSENT_HASH;
}

static uint64_t hash_list(const spk_layout *of, const char *p)
{
    spark_i64_list list;
    memcpy(&list, p, sizeof list);
    const char *at = (const char *)list.at;
    const spark_kind run = spk_layout_run(of);
    uint64_t h = SPK_HASH_SEED ^ list.n;
    if (of->flat)
        return spk_hash_bytes(at, list.n * of->size);
    if (run == SPARK_KIND_F64 && of->size == sizeof(double))
        return hash_doubles(at, list.n) ^ SPK_HASH_SEED;
    for (size_t i = 0; i < list.n; i++)
        h = spk_hash_combine(h, spk_value_hash(of, at + i * of->size));
    return spk_hash_u64(h);
}

static uint64_t hash_optional(const spk_layout *of, const char *p)
{
    if (!*p)
        return SPK_ABSENT_HASH;
    return spk_hash_combine(SPK_HASH_SEED, spk_value_hash(of, p + spk_optional_offset(of->align)));
}

static uint64_t hash_leaf(const spk_leaf *leaf, const char *p)
{
    switch (leaf->kind) {
    case SPARK_KIND_STR:
    case SPARK_KIND_BYTES:
        return hash_view(p);
    case SPARK_KIND_F32:
        return hash_floats(p, leaf->size / sizeof(float));
    case SPARK_KIND_F64:
        return hash_doubles(p, leaf->size / sizeof(double));
    case SPARK_KIND_LIST:
        return hash_list(leaf->of, p);
    case SPARK_KIND_OPTIONAL:
        return hash_optional(leaf->of, p);
    case SPARK_KIND_STRUCT:
        return spk_value_hash(leaf->of, p);
    default:
        return hash_integers(p, leaf->size, spk_kind_width(leaf->kind));
    }
}

typedef struct hashing {
    const char *value;
    uint64_t h;
} hashing;

static bool add_leaf(void *arg, const spk_leaf *leaf)
{
    hashing *s = arg;
    s->h = spk_hash_combine(s->h, hash_leaf(leaf, s->value + leaf->offset));
    return true;
}

static bool only_leaf(void *arg, const spk_leaf *leaf)
{
    hashing *s = arg;
    s->h = hash_leaf(leaf, s->value + leaf->offset);
    return true;
}

static uint64_t hash_generic(const spk_layout *layout, const void *value)
{
    hashing s = { value, SPK_HASH_SEED };
    const spark_type_ops *ops = layout->type->ops;
    if (ops && ops->hash) /* a user's: an identity perhaps, or different in a few bits only */
        return spk_hash_u64(ops->hash(value));
    if (layout->n_leaves == 1) {
        spk_layout_each_leaf(layout, only_leaf, &s);
        return s.h;
    }
    if (layout->flat)
        return spk_hash_bytes(value, layout->size);
    spk_layout_each_leaf(layout, add_leaf, &s);
    return s.h;
}

uint64_t spk_value_hash(const spk_layout *layout, const void *value)
{
    switch (layout->key_class) {
    case SPK_KEY_8:
        return spk_hash_u64(spk_load64(value));
    case SPK_KEY_4:
        return spk_hash_u64(spk_load32(value));
    case SPK_KEY_STR:
        return hash_view(value);
    case SPK_KEY_OPTIONAL_4:
        return spk_optional_hash(value, false);
    case SPK_KEY_OPTIONAL_8:
        return spk_optional_hash(value, true);
    case SPK_KEY_OPTIONAL_STR:
        return hash_optional_view(value);
    case SPK_KEY_GENERIC:
        break;
    }
    return hash_generic(layout, value);
}

/* HASHES: of n values, each by an expression of where it is. */
#define HASHES(expression)                                                                         \
    for (size_t i = 0; i < n; i++) {                                                               \
        const char *p = values + i * step;                                                         \
        hashes[i] = expression;                                                                    \
    }

/* leaf_hashes: of a leaf of n values: what kind it is is asked once. */
static void leaf_hashes(const spk_leaf *leaf, const char *values, size_t step, size_t n, uint64_t *hashes)
{
    const bool optional = leaf->kind == SPARK_KIND_OPTIONAL;
    values += leaf->offset;
    if (leaf->kind == SPARK_KIND_STR || leaf->kind == SPARK_KIND_BYTES) {
        HASHES(hash_view(p))
    } else if (optional && leaf->of->key_class == SPK_KEY_8) {
        HASHES(spk_optional_hash(p, true))
    } else if (optional && leaf->of->key_class == SPK_KEY_4) {
        HASHES(spk_optional_hash(p, false))
    } else if (optional && leaf->of->key_class == SPK_KEY_STR) {
        HASHES(hash_optional_view(p))
    } else if (optional && leaf->of->size == 2 && spk_layout_run(leaf->of) == SPARK_KIND_I16) {
        HASHES(*p ? spk_hash_combine(SPK_HASH_SEED, hash_integers(p + 2, 2, 2)) : SPK_ABSENT_HASH)
    } else {
        HASHES(hash_leaf(leaf, p))
    }
}

void spk_values_hash(const spk_layout *layout, const char *values, size_t step, size_t n, uint64_t *hashes)
{
    enum { PIECE = 64 };
    const spark_type_ops *ops = layout->type->ops;
    const bool leaves = layout->leaves && !(ops && ops->hash);
    uint64_t own[PIECE];
    if (layout->key_class == SPK_KEY_8) {
        HASHES(spk_hash_u64(spk_load64(p)))
    } else if (layout->key_class == SPK_KEY_4) {
        HASHES(spk_hash_u64(spk_load32(p)))
    } else if (layout->n_leaves == 1 && leaves) {
        leaf_hashes(layout->leaves, values, step, n, hashes);
    } else if (layout->n_leaves < 2 || !leaves || layout->flat) {
        HASHES(hash_generic(layout, p))
    } else {
        for (size_t from = 0, some; from < n; from += some) {
            some = n - from < PIECE ? n - from : PIECE;
            for (size_t i = from; i < from + some; i++)
                hashes[i] = SPK_HASH_SEED;
            for (uint32_t k = 0; k < layout->n_leaves; k++) {
                leaf_hashes(&layout->leaves[k], values + from * step, step, some, own);
                for (size_t i = 0; i < some; i++)
                    hashes[from + i] = spk_hash_combine(hashes[from + i], own[i]);
            }
        }
    }
}

uint64_t spark_hash(const spark_type *type, const void *value)
{
    spk_brief brief;
    return spk_value_hash(spk_brief_make(&brief, type), value);
}
