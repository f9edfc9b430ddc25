/* SPDX-License-Identifier: Apache-2.0 */
/* Cached blocks as block events tell of them, so that it is known how much is cached at any time. */
#ifndef SPK_LISTEN_BLOCK_TABLE_H
#define SPK_LISTEN_BLOCK_TABLE_H

#include <spark/listener.h>

#include "base/cold.h"

typedef struct spk_cached_block {
    int rdd, partition; /* rdd -1: an empty slot */
    char executor[16];
    uint64_t memory, disk;
} spk_cached_block;

/* spk_block_table: memory, disk: sums over all. Zeroed it is empty. */
typedef struct spk_block_table {
    spk_cached_block *slots;
    size_t n, max;
    uint64_t memory, disk;
} spk_block_table;

/* spk_block_table_set: what the event says is so; false: no memory. _drop: all blocks of an RDD (-1: of any)
 * on an executor (NULL: on any). */
SPK_COLD bool spk_block_table_set(spk_block_table *table, const spark_block_event *block);
SPK_COLD void spk_block_table_drop(spk_block_table *table, int rdd, const char *executor);
SPK_COLD void spk_block_table_fini(spk_block_table *table);

#endif
