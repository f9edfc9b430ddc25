/* SPDX-License-Identifier: Apache-2.0 */
/* The types a context knows, and their layouts. One hash table by structure holds both descriptions
 * that programs brought (whose memory outlives the context) and those made at run time (owned
 * here); a node gets its layout when somebody first asks. Nodes never move or go before the context
 * does, so pointers to layouts and types may be kept without a lock.
 *
 * Two descriptions are one node when nothing tells them apart: names and overrides included,
 * because layout->type is what error messages and overrides are taken from. */
#include "type/intern.h"

#include <stdlib.h>

#include "base/hash.h"

/* ---- structure ---- */

SPK_COLD static uint64_t hash_name(const char *name)
{
    return name ? spk_hash_bytes(name, strlen(name)) : 0;
}

SPK_COLD static uint64_t hash_structure(const spark_type *type)
{
    uint64_t h = spk_hash_combine(hash_name(type->name), (uint64_t)type->kind);
    h = spk_hash_combine(h, (uint64_t)type->size << 32 | type->align);
    h = spk_hash_combine(h, (uint64_t)(uint16_t)type->precision << 16 | (uint16_t)type->scale);
    h = spk_hash_combine(h, (uintptr_t)type->ops);
    if (type->kind == SPARK_KIND_LIST || type->kind == SPARK_KIND_OPTIONAL)
        return spk_hash_combine(h, hash_structure(type->of));
    if (type->kind != SPARK_KIND_STRUCT && type->kind != SPARK_KIND_PAIR)
        return h;
    for (uint32_t i = 0; i < type->count; i++) {
        const spark_field *field = &type->fields[i];
        h = spk_hash_combine(h, hash_name(field->name));
        h = spk_hash_combine(h, (uint64_t)field->offset << 32 ^ field->count);
        h = spk_hash_combine(h, hash_structure(field->type));
    }
    return h;
}

static bool same_name(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_structure(const spark_type *a, const spark_type *b)
{
    if (a == b)
        return true;
    if (a->kind != b->kind || a->size != b->size || a->align != b->align || a->ops != b->ops
        || a->precision != b->precision || a->scale != b->scale || !same_name(a->name, b->name))
        return false;
    if (a->kind == SPARK_KIND_LIST || a->kind == SPARK_KIND_OPTIONAL)
        return same_structure(a->of, b->of);
    if (a->kind != SPARK_KIND_STRUCT && a->kind != SPARK_KIND_PAIR)
        return true;
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++) {
        const spark_field *f = &a->fields[i], *g = &b->fields[i];
        if (f->offset != g->offset || f->count != g->count || !same_name(f->name, g->name)
            || !same_structure(f->type, g->type))
            return false;
    }
    return true;
}

/* ---- the table ---- */

struct spk_types {
    pthread_mutex_t lock;
    spk_type_node **buckets;
    size_t n, mask;
};

spk_types *spk_types_new(void)
{
    enum { FIRST = 64 };
    spk_types *types = malloc(sizeof *types);
    if (!types)
        return NULL;
    types->buckets = calloc(FIRST, sizeof(spk_type_node *));
    types->n = 0;
    types->mask = FIRST - 1;
    if (!types->buckets || pthread_mutex_init(&types->lock, NULL) != 0) {
        free(types->buckets);
        free(types);
        return NULL;
    }
    return types;
}

void spk_types_free(spk_types *types)
{
    if (!types)
        return;
    for (size_t i = 0; i <= types->mask; i++) {
        for (spk_type_node *node = types->buckets[i], *next; node; node = next) {
            next = node->next;
            free(node->layout);
            free(node);
        }
    }
    free(types->buckets);
    pthread_mutex_destroy(&types->lock);
    free(types);
}

static spk_type_node *find(const spk_types *types, const spark_type *type, uint64_t hash)
{
    spk_type_node *node = types->buckets[hash & types->mask];
    while (node && (node->hash != hash || !same_structure(node->type, type)))
        node = node->next;
    return node;
}

/* grow: without memory the chains just get longer. */
static void grow(spk_types *types)
{
    const size_t mask = types->mask * 2 + 1;
    spk_type_node **buckets = calloc(mask + 1, sizeof(spk_type_node *));
    if (!buckets)
        return;
    for (size_t i = 0; i <= types->mask; i++) {
        for (spk_type_node *node = types->buckets[i], *next; node; node = next) {
            next = node->next;
            node->next = buckets[node->hash & mask];
            buckets[node->hash & mask] = node;
        }
    }
    free(types->buckets);
    types->buckets = buckets;
    types->mask = mask;
}

static spk_type_node *insert(spk_types *types, spk_type_node *node, uint64_t hash)
{
    if (types->n++ > types->mask)
        grow(types);
    spk_type_node **bucket = &types->buckets[hash & types->mask];
    node->hash = hash;
    node->layout = NULL;
    node->next = *bucket;
    *bucket = node;
    return node;
}

const spark_type *spk_types_intern(spk_types *types, spk_type_node *fresh)
{
    const uint64_t hash = hash_structure(fresh->type);
    pthread_mutex_lock(&types->lock);
    spk_type_node *node = find(types, fresh->type, hash);
    if (node)
        free(fresh);
    else
        node = insert(types, fresh, hash);
    pthread_mutex_unlock(&types->lock);
    return node->type;
}

static spk_type_node *node_of(spk_types *types, const spark_type *type)
{
    const uint64_t hash = hash_structure(type);
    spk_type_node *node = find(types, type, hash);
    if (node)
        return node;
    node = malloc(sizeof *node);
    if (!node)
        return NULL;
    node->type = type;
    return insert(types, node, hash);
}

/* ---- compiling ---- */

typedef struct compiling {
    spk_types *types;
    spk_leaf *at;
    bool failed;
} compiling;

SPK_COLD static const spk_layout *layout_of(spk_types *types, const spark_type *type);

static bool count_leaf(void *arg, const spk_leaf *leaf)
{
    (void)leaf;
    ++*(uint32_t *)arg;
    return true;
}

static bool add_leaf(void *arg, const spk_leaf *leaf)
{
    compiling *c = arg;
    *c->at = *leaf;
    if (leaf->of && !(c->at->of = layout_of(c->types, leaf->of->type)))
        c->failed = true;
    c->at++;
    return !c->failed;
}

static bool compile_pair(spk_types *types, spk_layout *layout)
{
    const spark_field *fields = layout->type->fields;
    layout->key = layout_of(types, fields[0].type);
    layout->value = layout_of(types, fields[1].type);
    layout->value_offset = (uint32_t)fields[1].offset;
    return layout->key && layout->value;
}

/* optional_class: of a layout whose leaves are there. */
static spk_key_class optional_class(const spk_layout *layout)
{
    const spk_leaf *leaf = layout->leaves;
    if (layout->n_leaves != 1 || leaf->kind != SPARK_KIND_OPTIONAL || leaf->size != layout->size
        || spk_type_custom(layout->type))
        return layout->key_class;
    if (leaf->of->key_class == SPK_KEY_8 && leaf->of->align == 8)
        return SPK_KEY_OPTIONAL_8;
    if (leaf->of->key_class == SPK_KEY_STR)
        return SPK_KEY_OPTIONAL_STR;
    return leaf->of->key_class == SPK_KEY_4 && leaf->of->align == 4 ? SPK_KEY_OPTIONAL_4 : layout->key_class;
}

/* compile: the layout and its two lists of leaves in one block. */
static spk_layout *compile(spk_types *types, const spark_type *type)
{
    spk_brief brief;
    uint32_t n_views = 0;
    spk_brief_make(&brief, type);
    const uint32_t n_leaves = brief.layout.n_leaves;
    spk_leaf_each_view(type, count_leaf, &n_views);
    spk_layout *layout = malloc(sizeof *layout + ((size_t)n_leaves + n_views) * sizeof(spk_leaf));
    if (!layout)
        return NULL;
    spk_leaf *leaves = (spk_leaf *)(void *)(layout + 1);
    *layout = brief.layout;
    layout->leaves = leaves;
    layout->n_views = n_views;
    layout->view_leaves = leaves + n_leaves;
    layout->views = n_views > 0;
    compiling c = { types, leaves, false };
    spk_leaf_each(type, add_leaf, &c);
    if (!c.failed)
        layout->key_class = optional_class(layout);
    if (!c.failed)
        spk_leaf_each_view(type, add_leaf, &c);
    if (c.failed || (type->kind == SPARK_KIND_PAIR && !compile_pair(types, layout))) {
        free(layout);
        return NULL;
    }
    return layout;
}

static const spk_layout *layout_of(spk_types *types, const spark_type *type)
{
    spk_type_node *node = node_of(types, type);
    if (node && !node->layout)
        node->layout = compile(types, node->type);
    return node ? node->layout : NULL;
}

const spk_layout *spk_layout_of(spk_types *types, const spark_type *type, spk_failure *failure)
{
    char text[256];
    if (spk_description_check(type, text, sizeof text) != SPARK_OK) {
        spk_failure_set(failure, SPARK_EINVAL, NULL, NULL, "%s", text);
        return NULL;
    }
    pthread_mutex_lock(&types->lock);
    const spk_layout *layout = layout_of(types, type);
    pthread_mutex_unlock(&types->lock);
    if (!layout)
        spk_failure_nomem(failure, NULL, NULL);
    return layout;
}
