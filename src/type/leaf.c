/* SPDX-License-Identifier: Apache-2.0 */
/* The walk over a description. Structs, pairs and fixed arrays are opened in place; neighbouring
 * members of one scalar kind without padding between them become one run, so that a `double x[8]`
 * or four counters side by side cost the engine one step, not many.
 *
 * Why it is a walk and not only a compiled list: spark_hash, spark_equal and spark_compare take a
 * bare description, may be called anywhere and cannot fail, so they cannot allocate. They use the
 * same code as the engine, which falls back to walking where a layout has no list: results agree by
 * construction. */
#include "type/leaf.h"

uint32_t spk_kind_width(spark_kind kind)
{
    switch (kind) {
    case SPARK_KIND_BOOL:
    case SPARK_KIND_CHAR:
    case SPARK_KIND_I8:
    case SPARK_KIND_U8:
    case SPARK_KIND_BLOB:
        return 1;
    case SPARK_KIND_I16:
    case SPARK_KIND_U16:
        return 2;
    case SPARK_KIND_I32:
    case SPARK_KIND_U32:
    case SPARK_KIND_F32:
    case SPARK_KIND_DATE:
        return 4;
    case SPARK_KIND_I64:
    case SPARK_KIND_U64:
    case SPARK_KIND_F64:
    case SPARK_KIND_DECIMAL:
    case SPARK_KIND_TIME:
        return 8;
    case SPARK_KIND_STR:
    case SPARK_KIND_BYTES:
    case SPARK_KIND_LIST:
    case SPARK_KIND_OPTIONAL:
    case SPARK_KIND_PAIR:
    case SPARK_KIND_STRUCT:
        break;
    }
    return 0;
}

typedef struct walk {
    spk_leaf_visit *visit;
    void *arg;
    bool views_only, with_of;
    spk_leaf pending;     /* kind 0: none; held back because its neighbour may extend it */
    const spark_type *of; /* of the pending leaf, or NULL */
} walk;

static bool flush(walk *w)
{
    spk_leaf leaf = w->pending;
    spk_brief brief;
    w->pending.kind = (spark_kind)0;
    if (leaf.kind == 0)
        return true;
    if (w->of && w->with_of)
        leaf.of = spk_brief_make(&brief, w->of);
    return w->visit(w->arg, &leaf);
}

static bool put(walk *w, spark_kind kind, uint32_t offset, uint32_t size, const spark_type *of)
{
    spk_leaf *last = &w->pending;
    if (last->kind == kind && spk_kind_width(kind) > 0 && last->offset + last->size == offset) {
        last->size += size;
        return true;
    }
    if (!flush(w))
        return false;
    *last = (spk_leaf) { kind, offset, size, NULL };
    w->of = of;
    return true;
}

SPK_COLD static bool walk_type(walk *w, const spark_type *type, uint32_t offset);

static bool walk_field(walk *w, const spark_field *field, uint32_t base)
{
    const spark_type *type = field->type;
    const uint32_t offset = base + (uint32_t)field->offset;
    const uint32_t n = field->count > 0 ? (uint32_t)field->count : 1;
    const bool custom = spk_type_custom(type);
    if (!custom && spk_kind_width(type->kind) > 0)
        return w->views_only || put(w, type->kind, offset, n * type->size, NULL);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t at = offset + i * type->size;
        if (custom && !w->views_only) {
            if (!put(w, SPARK_KIND_STRUCT, at, type->size, type))
                return false;
        } else if (!walk_type(w, type, at)) {
            return false;
        }
    }
    return true;
}

static SPK_COLD bool walk_type(walk *w, const spark_type *type, uint32_t offset)
{
    switch (type->kind) {
    case SPARK_KIND_STRUCT:
    case SPARK_KIND_PAIR:
        for (uint32_t i = 0; i < type->count; i++)
            if (!walk_field(w, &type->fields[i], offset))
                return false;
        return true;
    case SPARK_KIND_OPTIONAL:
        if (w->views_only && !spk_type_views(type->of))
            return true;
        return put(w, type->kind, offset, type->size, type->of);
    case SPARK_KIND_LIST:
        return put(w, type->kind, offset, type->size, type->of);
    case SPARK_KIND_STR:
    case SPARK_KIND_BYTES:
        return put(w, type->kind, offset, type->size, NULL);
    default:
        return w->views_only || put(w, type->kind, offset, type->size, NULL);
    }
}

bool spk_leaf_each(const spark_type *type, spk_leaf_visit *visit, void *arg)
{
    walk w = { .visit = visit, .arg = arg, .with_of = true };
    return walk_type(&w, type, 0) && flush(&w);
}

bool spk_leaf_each_view(const spark_type *type, spk_leaf_visit *visit, void *arg)
{
    walk w = { .visit = visit, .arg = arg, .with_of = true, .views_only = true };
    return walk_type(&w, type, 0) && flush(&w);
}

bool spk_type_views(const spark_type *type)
{
    switch (type->kind) {
    case SPARK_KIND_STR:
    case SPARK_KIND_BYTES:
    case SPARK_KIND_LIST:
        return true;
    case SPARK_KIND_OPTIONAL:
        return spk_type_views(type->of);
    case SPARK_KIND_STRUCT:
    case SPARK_KIND_PAIR:
        for (uint32_t i = 0; i < type->count; i++)
            if (spk_type_views(type->fields[i].type))
                return true;
        return false;
    default:
        return false;
    }
}

typedef struct survey {
    spk_brief *brief;
    uint32_t end; /* of the leaf before */
    bool gap;
} survey;

static bool survey_leaf(void *arg, const spk_leaf *leaf)
{
    survey *s = arg;
    const bool integers = spk_kind_width(leaf->kind) > 0 && leaf->kind != SPARK_KIND_F32
        && leaf->kind != SPARK_KIND_F64;
    s->gap |= leaf->offset != s->end || !integers;
    s->end = leaf->offset + leaf->size;
    s->brief->only = *leaf;
    s->brief->layout.n_leaves++;
    return true;
}

static spk_key_class key_class(const spk_layout *layout, const spk_leaf *leaf)
{
    if (layout->n_leaves != 1 || leaf->size != layout->size || spk_type_custom(layout->type))
        return SPK_KEY_GENERIC;
    switch (leaf->kind) {
    case SPARK_KIND_STR:
    case SPARK_KIND_BYTES:
        return SPK_KEY_STR;
    case SPARK_KIND_I64:
    case SPARK_KIND_U64:
    case SPARK_KIND_DECIMAL:
    case SPARK_KIND_TIME:
        return leaf->size == 8 ? SPK_KEY_8 : SPK_KEY_GENERIC;
    case SPARK_KIND_I32:
    case SPARK_KIND_U32:
    case SPARK_KIND_DATE:
        return leaf->size == 4 ? SPK_KEY_4 : SPK_KEY_GENERIC;
    default:
        return SPK_KEY_GENERIC;
    }
}

/* has_of: whether a leaf of the kind needs `of`, which a brief has no room for. */
static bool has_of(spark_kind kind)
{
    return kind == SPARK_KIND_LIST || kind == SPARK_KIND_OPTIONAL || kind == SPARK_KIND_STRUCT;
}

const spk_layout *spk_brief_make(spk_brief *brief, const spark_type *type)
{
    spk_layout *layout = &brief->layout;
    survey s = { .brief = brief };
    walk w = { .visit = survey_leaf, .arg = &s };
    memset(brief, 0, sizeof *brief);
    layout->type = type;
    layout->size = type->size;
    layout->align = type->align;
    walk_type(&w, type, 0);
    flush(&w);
    layout->flat = !s.gap && s.end == type->size && !spk_type_custom(type);
    layout->key_class = key_class(layout, &brief->only);
    if (layout->n_leaves == 1 && !has_of(brief->only.kind))
        layout->leaves = &brief->only;
    return layout;
}
