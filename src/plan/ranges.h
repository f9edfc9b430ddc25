/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of an order: where a sort puts its rows, what a range partitioner is. Each partition's range is
 * cut further into slices, so that what is sorted at once fits a cache. How they are found in a sample,
 * and a row's in them, is the shuffle room's. */
#ifndef SPK_PLAN_RANGES_H
#define SPK_PLAN_RANGES_H

#include "base/heap.h"
#include "type/order.h"

enum { SPK_RANGE_CELLS = 2048 };

typedef struct spk_ranges {
    spk_ordering ordering, keys; /* of rows, and of what it looks at of them: of the bounds */
    uint32_t n;         /* slices, over all partitions */
    uint32_t slices;    /* of a partition */
    uint32_t n_bounds;  /* n - 1 at most; bound i is the last of slice i */
    uint64_t *prefixes; /* of the bounds */
    uint32_t
        *starts; /* of SPK_RANGE_CELLS + 1 equal cells of the prefixes between the first bound and
                         the last: how many bounds lie below each */
    unsigned shift; /* a cell is 1 << shift wide */
    char *bounds;   /* keys, side by side; what they point to follows */
    spk_heap *heap;
    size_t capacity;
} spk_ranges;

/* spk_ranges_fini: frees the bounds. spk_ranges_free: ranges of malloc; NULL does nothing. */
void spk_ranges_fini(spk_ranges *ranges);
void spk_ranges_free(spk_ranges *ranges);

/* spk_ranges_same_order: whether their orders are the same. */
bool spk_ranges_same_order(const spk_ranges *a, const spk_ranges *b);
/* spk_ranges_equal: whether they place all rows alike: orders and bounds of partitions are the same. */
bool spk_ranges_equal(const spk_ranges *a, const spk_ranges *b);

#endif
