/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of an order: where a sort puts its rows. Each partition's range is cut further into
 * slices, so that what is sorted at once fits a cache. */
#ifndef SPK_SHUFFLE_RANGES_H
#define SPK_SHUFFLE_RANGES_H

#include "plan/ranges.h"
#include "storage/run.h"

/* spk_ranges_make: at most `partitions` ranges with `slices` each, all of equal parts of n sampled
 * keys, which it sorts, as Spark's RangePartitioner chooses bounds. ranges->ordering and keys must be
 * set. False: no memory. */
SPK_COLD bool spk_ranges_make(spk_ranges *ranges, spk_heap *heap, char *sample, size_t n,
    int partitions, uint32_t slices);

/* spk_ranges_find: the slice of each of n rows, `step` apart, which have at their front what the
 * ordering looks at. Equal rows share one. */
void spk_ranges_find(
    const spk_ranges *ranges, const char *rows, size_t step, size_t n, uint32_t *slices);

/* spk_sort_entries: by prefix, stably; the result is in the returned one of the two arrays of n. */
typedef struct spk_sort_entry {
    uint64_t prefix, row;
} spk_sort_entry;
spk_sort_entry *spk_sort_entries(spk_sort_entry *entries, spk_sort_entry *spare, size_t n);

/* spk_sort_rows: sorts n rows in place, stably. False: no memory. */
bool spk_sort_rows(spk_heap *heap, const spk_ordering *ordering, char *rows, size_t n);

#endif
