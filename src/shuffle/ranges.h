/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of an order: where a sort puts its rows. Each partition's range is cut further into
 * slices, so that what is sorted at once fits a cache. */
#ifndef SPK_SHUFFLE_RANGES_H
#define SPK_SHUFFLE_RANGES_H

#include "plan/ranges.h"
#include "storage/run.h"

/* spk_candidate: a sampled row, and how many rows it stands for. */
typedef struct spk_candidate {
    const char *row;
    double weight;
} spk_candidate;

/* spk_ranges_make: at most `partitions` ranges of equal weight with `slices` each, as Spark's
 * RangePartitioner chooses bounds; reorders the candidates. ranges->ordering must be set. False: no
 * memory. */
bool spk_ranges_make(spk_ranges *ranges, spk_heap *heap, spk_candidate *candidates, size_t n,
    int partitions, uint32_t slices);

/* spk_ranges_find: the slice of each of n rows, `step` apart, which have at their front what the
 * ordering looks at. Equal rows share one. */
void spk_ranges_find(
    const spk_ranges *ranges, const char *rows, size_t step, size_t n, uint32_t *slices);

/* spk_sort_rows: sorts n rows in place, stably. False: no memory. */
bool spk_sort_rows(spk_heap *heap, const spk_ordering *ordering, char *rows, size_t n);

#endif
