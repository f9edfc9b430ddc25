/* SPDX-License-Identifier: Apache-2.0 */
/* Leaves: the walk over a description that both compiles layouts and serves spark_hash and its kin,
 * which have no context to intern a layout in.
 *
 * run: a leaf of a scalar kind that stands for size / width equal members side by side; custom: of
 * a type that overrides hash, equal or compare; brief: a layout on the stack whose leaves are
 * walked when they are needed. */
#ifndef SPK_TYPE_LEAF_H
#define SPK_TYPE_LEAF_H

#include "base/hash.h"
#include "type/layout.h"

enum { SPK_TYPE_DEPTH = 120 };

/* spk_kind_width: bytes of one value of a kind, 0 for kinds without a fixed width. Blobs are
 * bytes. */
uint32_t spk_kind_width(spark_kind kind);

/* spk_type_custom: whether the type brings its own hash, equality or order. */
static inline bool spk_type_custom(const spark_type *type)
{
    return type->ops && (type->ops->hash || type->ops->equal || type->ops->compare);
}

/* spk_optional_offset: where the value of an optional of such values lies. */
static inline uint32_t spk_optional_offset(uint32_t align)
{
    return align;
}

/* spk_optional_hash, .._same: of optionals of 8-byte integers, or of 4. */
#define SPK_ABSENT_HASH UINT64_C(0x1d8e4e27c47d124f)
static inline uint64_t spk_optional_hash(const char *p, const bool wide)
{
    return *p ? spk_hash_combine(SPK_HASH_SEED, spk_hash_u64(wide ? spk_load64(p + 8) : spk_load32(p + 4)))
              : SPK_ABSENT_HASH;
}
static inline bool spk_optional_same(const char *a, const char *b, const bool wide)
{
    const bool same = wide ? spk_load64(a + 8) == spk_load64(b + 8) : spk_load32(a + 4) == spk_load32(b + 4);
    return *a ? *b && same : !*b;
}

/* spk_text_same: whether two texts of n bytes are equal; of short ones, which most are, without a call. */
static inline bool spk_text_same(const char *a, const char *b, size_t n)
{
    if (n > 64)
        return memcmp(a, b, n) == 0;
    if (n >= 8) {
        for (size_t i = 0; i + 8 <= n; i += 8)
            if (spk_load64(a + i) != spk_load64(b + i))
                return false;
        return spk_load64(a + n - 8) == spk_load64(b + n - 8);
    }
    if (n >= 4)
        return spk_load32(a) == spk_load32(b) && spk_load32(a + n - 4) == spk_load32(b + n - 4);
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

typedef bool spk_leaf_visit(void *arg, const spk_leaf *leaf);

/* spk_leaf_each: the leaves of a description, in order, until visit returns false. leaf->of is a
 * brief that is valid during the call. A custom member is one leaf of kind STRUCT whose `of` is its
 * own layout. */
bool spk_leaf_each(const spark_type *type, spk_leaf_visit *visit, void *arg);

/* spk_leaf_each_view: the leaves that hold views, inside custom members too. */
bool spk_leaf_each_view(const spark_type *type, spk_leaf_visit *visit, void *arg);

/* spk_type_views: whether a value points to other memory. */
bool spk_type_views(const spark_type *type);

typedef struct spk_brief {
    spk_layout layout; /* leaves NULL unless there is just one, without `of`; nothing about views */
    spk_leaf only;
} spk_brief;

const spk_layout *spk_brief_make(spk_brief *brief, const spark_type *type);

/* spk_layout_each_leaf: over the compiled leaves, or by walking for a brief. */
static inline bool spk_layout_each_leaf(const spk_layout *layout, spk_leaf_visit *visit, void *arg)
{
    if (!layout->leaves && layout->n_leaves > 0)
        return spk_leaf_each(layout->type, visit, arg);
    for (uint32_t i = 0; i < layout->n_leaves; i++)
        if (!visit(arg, &layout->leaves[i]))
            return false;
    return true;
}

/* spk_layout_run: the elements side by side are one long run of this kind; 0 when they are not. */
static inline spark_kind spk_layout_run(const spk_layout *layout)
{
    if (layout->n_leaves != 1 || !layout->leaves || spk_type_custom(layout->type))
        return (spark_kind)0;
    const spk_leaf *leaf = layout->leaves;
    return leaf->size == layout->size ? leaf->kind : (spark_kind)0;
}

/* spk_description_check: SPARK_OK, or SPARK_EINVAL with the reason in text. */
spark_status spk_description_check(const spark_type *type, char *text, size_t text_size);

/* spk_types_array: the type of `count` values in place: a struct without a name of one such
 * member. */
const spark_type *spk_types_array(spk_types *types, const spark_type *of, size_t count);

/* spk_float_bits, spk_double_bits: equal for equal numbers: one zero, one NaN. */
static inline uint32_t spk_float_bits(float x)
{
    uint32_t bits;
    if (x != x)
        return UINT32_C(0x7fc00000);
    x += 0.0f;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline uint64_t spk_double_bits(double x)
{
    uint64_t bits;
    if (x != x)
        return UINT64_C(0x7ff8000000000000);
    x += 0.0;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

#endif
