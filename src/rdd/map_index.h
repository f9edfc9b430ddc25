/* SPDX-License-Identifier: Apache-2.0 */
/* Maps: pairs and, beside them, an open-addressing table of their numbers. */
#ifndef SPK_RDD_MAP_INDEX_H
#define SPK_RDD_MAP_INDEX_H

#include <spark/index.h>

#include "type/layout.h"

/* spk_index_make: a map of n pairs, which it moves together: of equal keys the last value stays, at
 * the place of the first. slots: room for spk_index_slots(n). spk_index_find: the number of the pair,
 * -1: none. */
size_t spk_index_slots(size_t n);
void spk_index_make(
    spark_index *index, const spk_layout *pair, char *items, size_t n, uint32_t *slots);
int64_t spk_index_find(const spark_index *index, const void *key);

#endif
