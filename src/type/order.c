/* SPDX-License-Identifier: Apache-2.0 */
/* Orders: a list of members to compare, and a 64-bit prefix that sorts as the first of them do,
 * so that sorts can move integers and look at elements only where prefixes meet (normalised keys,
 * as in Graefe, "Implementing Sorting in Database Systems", 2006).
 *
 * Narrow values stand at the top of the prefix, so that an optional or a list can shift one bit for
 * presence in and lose nothing of them. */
#include "type/order.h"

#include <endian.h>

#include "base/hash.h"
#include "type/leaf.h"

static const spark_order_key whole_desc[] = { { NULL, 0, true } };
const spark_order spark_order_desc[1] = { { "spark_order_desc", NULL, 1, whole_desc } };

/* ---- finding the member a key names ---- */

typedef struct place {
    const spark_type *type;
    size_t offset;
    size_t count; /* 0: one value */
} place;

static bool enter_member(place *p, const char *name, size_t length)
{
    const spark_type *type = p->type;
    if (p->count > 0 || (type->kind != SPARK_KIND_STRUCT && type->kind != SPARK_KIND_PAIR))
        return false;
    for (uint32_t i = 0; i < type->count; i++) {
        const spark_field *f = &type->fields[i];
        if (f->name && strlen(f->name) == length && memcmp(f->name, name, length) == 0) {
            *p = (place) { f->type, p->offset + f->offset, f->count };
            return true;
        }
    }
    return false;
}

/* enter_index: reads "[3]" at *name. The offset of the key says in the end whether it was right. */
static bool enter_index(place *p, const char **name)
{
    size_t i = 0;
    const char *at = *name + 1;
    for (; *at >= '0' && *at <= '9' && i < UINT32_MAX; at++)
        i = i * 10 + (size_t)(*at - '0');
    if (*at != ']' || i >= p->count)
        return false;
    p->offset += i * p->type->size;
    p->count = 0;
    *name = at + 1;
    return true;
}

/* find_member: name is what stood in SPARK_ORDER: "amount", also "value.amount" and "x[2]". */
static bool find_member(place *p, const char *name)
{
    for (;;) {
        const size_t length = strcspn(name, ".[");
        if (!enter_member(p, name, length))
            return false;
        name += length;
        if (*name == '[' && !enter_index(p, &name))
            return false;
        if (*name == '\0')
            return true;
        if (*name++ != '.')
            return false;
    }
}

/* ---- making ---- */

/* deciding_bits: how many of a part's prefix decide it; 0: all of them do not. One scalar of at most 8 bytes can be
 * decided, an optional one needs a bit more. */
static uint8_t deciding_bits(const spk_layout *layout)
{
    const spk_leaf *leaf = layout->leaves;
    if (layout->n_leaves != 1 || spk_type_custom(layout->type))
        return 0;
    if (leaf->kind == SPARK_KIND_OPTIONAL) {
        const uint8_t bits = deciding_bits(leaf->of);
        return bits > 0 && bits < 64 ? bits + 1 : 0;
    }
    const bool scalar = spk_kind_width(leaf->kind) == leaf->size
        || (spk_kind_width(leaf->kind) == 1 && leaf->kind != SPARK_KIND_I8);
    return scalar && leaf->size <= 8 ? (uint8_t)(leaf->size * 8) : 0;
}

static spark_status add_part(
    spk_ordering *ordering, spk_types *types, const place *p, bool descending, spk_failure *failure)
{
    const spark_type *type = p->count > 0 ? spk_types_array(types, p->type, p->count) : p->type;
    if (!type)
        return spk_failure_nomem(failure, NULL, NULL);
    const spk_layout *layout = spk_layout_of(types, type, failure);
    if (!layout)
        return failure->code;
    ordering->parts[ordering->n++]
        = (spk_order_part) { layout, (uint32_t)p->offset, descending, deciding_bits(layout) };
    return SPARK_OK;
}

/* add_natural: the members one by one, so that the first one's prefix is as good as it can be. */
static spark_status add_natural(spk_ordering *ordering, spk_types *types, const spark_type *type,
    bool descending, spk_failure *failure)
{
    const size_t room = sizeof ordering->parts / sizeof ordering->parts[0];
    const bool open = (type->kind == SPARK_KIND_STRUCT || type->kind == SPARK_KIND_PAIR)
        && !spk_type_custom(type) && type->count > 0 && type->count <= room;
    if (!open)
        return add_part(ordering, types, &(place) { type, 0, 0 }, descending, failure);
    for (uint32_t i = 0; i < type->count; i++) {
        const spark_field *f = &type->fields[i];
        const place p = { f->type, f->offset, f->count };
        const spark_status status = add_part(ordering, types, &p, descending, failure);
        if (status != SPARK_OK)
            return status;
    }
    return SPARK_OK;
}

static spark_status add_key(spk_ordering *ordering, spk_types *types, const spark_order *order,
    const spark_order_key *key, spk_failure *failure)
{
    char name[128];
    const spark_type *in = order->in ? order->in : ordering->layout->type;
    place p = { in, 0, 0 };
    if (key->name && (!find_member(&p, key->name) || p.offset != key->offset))
        return spk_failure_set(failure, SPARK_ETYPE, NULL, NULL,
            "order %s: %s has no member %s at offset %zu", order->name ? order->name : "?",
            spk_type_name(in, name, sizeof name), key->name, key->offset);
    return add_part(ordering, types, &p, key->descending, failure);
}

/* begins_here: whether a part's prefix is found without looking at what the element points to. */
static bool begins_here(const spk_layout *layout)
{
    return !layout->views && !spk_type_custom(layout->type);
}

/* settle: how many parts the prefix is made of, and how many it decides. What lies elsewhere is asked for the
 * first part alone, for others it is seldom wanted. */
static void settle(spk_ordering *ordering)
{
    uint32_t used = 0;
    bool decides = true;
    ordering->n_decided = ordering->n_prefix = 0;
    for (uint32_t i = 0; i < ordering->n && used < 64; i++) {
        const spk_order_part *part = &ordering->parts[i];
        if (i > 0 && !begins_here(part->layout))
            break;
        ordering->n_prefix++;
        decides = decides && part->bits && used + part->bits <= 64;
        ordering->n_decided += decides;
        used += part->bits ? part->bits : 64;
    }
    ordering->exact = ordering->n_decided == ordering->n;
}

static spark_status add_keys(
    spk_ordering *ordering, spk_types *types, const spark_order *order, spk_failure *failure)
{
    const size_t room = sizeof ordering->parts / sizeof ordering->parts[0];
    if (!order)
        return add_natural(ordering, types, ordering->layout->type, false, failure);
    if (order->n == 1 && !order->keys[0].name && !order->in)
        return add_natural(
            ordering, types, ordering->layout->type, order->keys[0].descending, failure);
    if (order->n == 0 || order->n > room)
        return spk_failure_set(failure, SPARK_ETYPE, NULL, NULL, "order %s: 1 to %zu keys, not %zu",
            order->name ? order->name : "?", room, order->n);
    for (size_t i = 0; i < order->n; i++) {
        const spark_status status = add_key(ordering, types, order, &order->keys[i], failure);
        if (status != SPARK_OK)
            return status;
    }
    return SPARK_OK;
}

SPK_COLD spark_status spk_ordering_make(spk_ordering *ordering, spk_types *types, const spk_layout *layout,
    const spark_order *order, spk_failure *failure)
{
    char difference[512];
    memset(ordering, 0, sizeof *ordering);
    ordering->layout = layout;
    if (order
        && spk_type_differ(order->in, layout->type, difference, sizeof difference) != SPARK_OK)
        return spk_failure_set(failure, SPARK_ETYPE, NULL, NULL, "order %s: %s",
            order->name ? order->name : "?", difference);
    const spark_status status = add_keys(ordering, types, order, failure);
    if (status == SPARK_OK)
        settle(ordering);
    return status;
}

void spk_ordering_after(const spk_ordering *ordering, uint32_t n, spk_ordering *rest)
{
    rest->layout = ordering->layout;
    rest->n = ordering->n - n;
    memcpy(rest->parts, ordering->parts + n, rest->n * sizeof *rest->parts);
    settle(rest);
}

void spk_ordering_reverse(spk_ordering *ordering)
{
    for (uint32_t i = 0; i < ordering->n; i++)
        ordering->parts[i].descending = !ordering->parts[i].descending;
}

int spk_ordering_compare_key(
    const spk_ordering *keys, const void *key, const spk_ordering *ordering, const void *value)
{
    for (uint32_t i = 0; i < ordering->n; i++) {
        const spk_order_part *part = &ordering->parts[i];
        const char *p = (const char *)key + keys->parts[i].offset;
        const int c = spk_value_compare(part->layout, p, (const char *)value + part->offset);
        if (c != 0)
            return (c > 0) == part->descending ? -1 : 1;
    }
    return 0;
}

int spk_ordering_compare(const spk_ordering *ordering, const void *a, const void *b)
{
    return spk_ordering_compare_key(ordering, a, ordering, b);
}

int spk_ordering_compare_first(const spk_ordering *ordering, const void *a, const void *b)
{
    const spk_order_part *part = &ordering->parts[0];
    const int c = spk_value_compare(part->layout, (const char *)a + part->offset, (const char *)b + part->offset);
    return c == 0 ? 0 : (c > 0) == part->descending ? -1 : 1;
}

/* ---- keys ---- */

void spk_ordering_keys(const spk_ordering *ordering, spk_types *types, spk_ordering *keys)
{
    const spark_type *members[SPK_ORDER_PARTS];
    const char *names[SPK_ORDER_PARTS];
    spk_failure ignored;
    for (uint32_t i = 0; i < ordering->n; i++) {
        members[i] = ordering->parts[i].layout->type;
        names[i] = "key";
    }
    const bool one = ordering->n == 1;
    const spark_type *type
        = one ? members[0] : spk_types_struct(types, ordering->n, members, names);
    const spk_layout *layout = type ? spk_layout_of(types, type, &ignored) : NULL;
    *keys = *ordering;
    if (!layout)
        return;
    keys->layout = layout;
    for (uint32_t i = 0; i < ordering->n; i++)
        keys->parts[i].offset = one ? 0 : (uint32_t)type->fields[i].offset;
}

void spk_ordering_key(
    const spk_ordering *ordering, const spk_ordering *keys, const void *value, void *key)
{
    if (keys->layout == ordering->layout) {
        memcpy(key, value, keys->layout->size);
        return;
    }
    for (uint32_t i = 0; i < ordering->n; i++)
        memcpy((char *)key + keys->parts[i].offset,
            (const char *)value + ordering->parts[i].offset, keys->parts[i].layout->size);
}

/* ---- prefixes ---- */

#define TOP (UINT64_C(1) << 63)

/* big_endian: the first 8 bytes, zeros behind the end. */
static uint64_t big_endian(const char *p, size_t n)
{
    uint64_t x = 0;
    if (n >= 8)
        return be64toh(spk_load64(p));
    for (size_t i = 0; i < n; i++)
        x |= (uint64_t)(unsigned char)p[i] << (56 - 8 * i);
    return x;
}

/* double_prefix: IEEE numbers sort as their bits once negative ones are turned over. */
static uint64_t double_prefix(const char *p)
{
    double x;
    memcpy(&x, p, sizeof x);
    if (x != x)
        return UINT64_MAX;
    const uint64_t bits = spk_double_bits(x);
    return bits & TOP ? ~bits : bits | TOP;
}

static uint64_t float_prefix(const char *p)
{
    float x;
    memcpy(&x, p, sizeof x);
    if (x != x)
        return UINT64_MAX;
    const uint64_t bits = (uint64_t)spk_float_bits(x) << 32;
    return bits & TOP ? ~bits & UINT64_C(0xffffffff00000000) : bits | TOP;
}

static uint64_t run_prefix(const spk_leaf *leaf, const char *p)
{
    uint16_t u16;
    switch (leaf->kind) {
    case SPARK_KIND_I8:
        return ((uint64_t)(unsigned char)*p << 56) ^ TOP;
    case SPARK_KIND_I16:
        memcpy(&u16, p, sizeof u16);
        return ((uint64_t)u16 << 48) ^ TOP;
    case SPARK_KIND_U16:
        memcpy(&u16, p, sizeof u16);
        return (uint64_t)u16 << 48;
    case SPARK_KIND_I32:
    case SPARK_KIND_DATE:
        return (spk_load32(p) << 32) ^ TOP;
    case SPARK_KIND_U32:
        return spk_load32(p) << 32;
    case SPARK_KIND_I64:
    case SPARK_KIND_DECIMAL:
    case SPARK_KIND_TIME:
        return spk_load64(p) ^ TOP;
    case SPARK_KIND_U64:
        return spk_load64(p);
    case SPARK_KIND_F32:
        return float_prefix(p);
    case SPARK_KIND_F64:
        return double_prefix(p);
    default:
        return big_endian(p, leaf->size);
    }
}

/* value_prefix: of the first leaf. Where an override decides, all prefixes are equal: 0. */
static uint64_t value_prefix(const spk_layout *layout, const char *value)
{
    if (layout->n_leaves == 0 || (layout->type->ops && layout->type->ops->compare))
        return 0;
    const spk_leaf *leaf = &layout->leaves[0];
    const spk_layout *of = leaf->of;
    const char *p = value + leaf->offset;
    spark_str view;
    switch (leaf->kind) {
    case SPARK_KIND_STR:
    case SPARK_KIND_BYTES:
        memcpy(&view, p, sizeof view);
        return big_endian(view.ptr, view.len);
    case SPARK_KIND_LIST:
        memcpy(&view, p, sizeof view);
        return view.len > 0 ? TOP | value_prefix(of, view.ptr) >> 1 : 0;
    case SPARK_KIND_OPTIONAL:
        return *p ? TOP | value_prefix(of, p + spk_optional_offset(of->align)) >> 1 : 0;
    case SPARK_KIND_STRUCT:
        return value_prefix(of, p);
    default:
        return run_prefix(leaf, p);
    }
}

static uint64_t part_prefix(const spk_order_part *part, const void *value)
{
    const uint64_t prefix = value_prefix(part->layout, (const char *)value + part->offset);
    return part->descending ? ~prefix : prefix;
}

/* The bits that decide a part stand in front of those of the next one. */
uint64_t spk_ordering_prefix(const spk_ordering *ordering, const void *value)
{
    const spk_order_part *part = ordering->parts;
    uint32_t used = part->bits;
    if (ordering->n_prefix == 0)
        return 0;
    uint64_t prefix = part_prefix(part, value);
    for (uint32_t i = 1; i < ordering->n_prefix; i++, used += part->bits) {
        part = &ordering->parts[i];
        prefix = (prefix & ~(UINT64_MAX >> used)) | part_prefix(part, value) >> used;
    }
    return prefix;
}

void spk_ordering_prefixes(
    const spk_ordering *ordering, const void *values, size_t step, size_t n, uint64_t *prefixes)
{
    const spk_order_part *part = &ordering->parts[0];
    const char *at = (const char *)values + part->offset;
    if (part->layout->key_class != SPK_KEY_8) {
        for (size_t i = 0; i < n; i++)
            prefixes[i] = spk_ordering_prefix(ordering, (const char *)values + i * step);
        return;
    }
    const bool is_signed = part->layout->type->kind != SPARK_KIND_U64;
    const uint64_t flip = (is_signed ? UINT64_C(1) << 63 : 0) ^ (part->descending ? UINT64_MAX : 0);
    for (size_t i = 0; i < n; i++)
        prefixes[i] = spk_load64(at + i * step) ^ flip;
}
