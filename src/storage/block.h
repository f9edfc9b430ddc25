/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks: cached partitions of persisted RDDs.
 *
 * block set: the slots of one RDD; pin: a reference of a reader, which keeps a dropped block
 * alive. */
#ifndef SPK_STORAGE_BLOCK_H
#define SPK_STORAGE_BLOCK_H

#include "plan/rdd.h"
#include "storage/run.h"

typedef struct spk_block {
    atomic_int refs;
    spk_rows rows;
} spk_block;

spk_block_set *spk_blocks_new(void);
/* spk_blocks_free: NULL does nothing. */
void spk_blocks_free(spk_block_set *blocks);

/* spk_blocks_get: the block of a partition, pinned; NULL: there is none. */
spk_block *spk_blocks_get(spk_block_set *blocks, int partition);
void spk_block_unpin(spk_block *block);

/* spk_blocks_put: puts rows (which are taken over) if the slot is empty, and returns the block
 * that is there, pinned. *first: no block of this partition was put before; *won: this one was
 * put. NULL: no memory, rows untouched. */
spk_block *spk_blocks_put(
    spk_block_set *blocks, int partition, int partitions, spk_rows *rows, bool *won, bool *first);

/* spk_blocks_count_once: whether accumulator updates of this partition still are to be counted;
 * from now on they are. */
bool spk_blocks_count_once(spk_block_set *blocks, int partition, int partitions);

bool spk_blocks_drop(spk_block_set *blocks, int partition);
void spk_blocks_clear(spk_block_set *blocks);
int spk_blocks_present(spk_block_set *blocks);
uint64_t spk_blocks_bytes(spk_block_set *blocks);

#endif
