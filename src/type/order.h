/* SPDX-License-Identifier: Apache-2.0 */
/* Orders, compiled: comparison by a list of members, and a 64-bit prefix that sorts like it. */
#ifndef SPK_TYPE_ORDER_H
#define SPK_TYPE_ORDER_H

#include <spark/function.h>

#include "type/layout.h"

enum { SPK_ORDER_PARTS = 256 };

typedef struct spk_order_part {
    const spk_layout *layout;
    uint32_t offset;
    bool descending;
    uint8_t bits; /* of the prefix, that decide the part; 0: none do */
} spk_order_part;

typedef struct spk_ordering {
    const spk_layout *layout; /* of the elements compared */
    uint32_t n;
    bool exact; /* the prefix decides: equal prefixes mean equal elements */
    uint32_t n_decided; /* so many parts are equal where prefixes are */
    uint32_t n_prefix;  /* so many are looked at for it */
    spk_order_part parts[SPK_ORDER_PARTS];
} spk_ordering;

/* spk_ordering_make: order NULL: natural; an order whose in is NULL (spark_order_desc) fits every
 * type. SPARK_ETYPE with *failure filled where the order is one of another type or names an
 * unknown member. */
SPK_COLD spark_status spk_ordering_make(spk_ordering *ordering, spk_types *types,
    const spk_layout *layout, const spark_order *order, spk_failure *failure);

/* spk_ordering_reverse: the same, other way round. */
void spk_ordering_reverse(spk_ordering *ordering);

int spk_ordering_compare(const spk_ordering *ordering, const void *a, const void *b);

/* spk_ordering_prefix: a < b implies prefix(a) <= prefix(b). */
uint64_t spk_ordering_prefix(const spk_ordering *ordering, const void *value);

/* spk_ordering_prefixes: of n values, `step` apart. */
void spk_ordering_prefixes(
    const spk_ordering *ordering, const void *values, size_t step, size_t n, uint64_t *prefixes);

/* spk_ordering_keys: the same order of keys: what it looks at of an element, alone, as one value of
 * keys->layout; where no such type can be made, the whole element. spk_ordering_key: a shallow copy of
 * an element's. spk_ordering_compare_key: of a key with an element. */
void spk_ordering_keys(const spk_ordering *ordering, spk_types *types, spk_ordering *keys);
void spk_ordering_key(
    const spk_ordering *ordering, const spk_ordering *keys, const void *value, void *key);
int spk_ordering_compare_key(const spk_ordering *keys, const void *key,
    const spk_ordering *ordering, const void *value);

/* spk_ordering_compare_first: by the first part alone. spk_ordering_after: what is left of an order behind its first
 * n parts, which are fewer than it has. */
int spk_ordering_compare_first(const spk_ordering *ordering, const void *a, const void *b);
void spk_ordering_after(const spk_ordering *ordering, uint32_t n, spk_ordering *rest);

#endif
