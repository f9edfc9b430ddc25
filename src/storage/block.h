/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks: cached partitions of persisted RDDs.
 *
 * block set: the slots of one RDD; pin: a reference of a reader, which keeps a dropped block
 * alive. */
#ifndef SPK_STORAGE_BLOCK_H
#define SPK_STORAGE_BLOCK_H

#include "plan/rdd.h"
#include "storage/run.h"
#include "storage/store.h"

typedef struct spk_block {
    atomic_int refs;
    struct spk_block *next_lost;
    const spk_store *store; /* it lies in */
    spk_rows rows;
} spk_block;

spk_block_set *spk_blocks_new(spark_context *sc);
/* spk_blocks_free: NULL does nothing. */
void spk_blocks_free(spk_block_set *blocks);

/* spk_blocks_get: the block of a partition, pinned; NULL: there is none. */
spk_block *spk_blocks_get(spk_block_set *blocks, int partition);
void spk_block_unpin(spk_block *block);

/* spk_blocks_put: puts rows (which are taken over, and lie in the store) if the slot is empty, and returns the block
 * that is there, pinned. *first: no block of this partition was put before; *won: this one was
 * put. NULL: no memory, or the store is lost; rows untouched. */
spk_block *spk_blocks_put(spk_block_set *blocks, int partition, int partitions,
    const spk_store *store, spk_rows *rows, bool *won, bool *first);

/* spk_blocks_count_once: whether accumulator updates of this partition still are to be counted;
 * from now on they are. */
bool spk_blocks_count_once(spk_block_set *blocks, int partition, int partitions);

bool spk_blocks_drop(spk_block_set *blocks, int partition);
void spk_blocks_clear(spk_block_set *blocks);
/* spk_blocks_lose: drops all blocks of the context that lie in a store that is lost; how many they were.
 * spk_blocks_visit: each block of the context, with locks held. */
int64_t spk_blocks_lose(spark_context *sc, const spk_store *store);
typedef void spk_blocks_visitor(void *arg, const spk_block *block);
void spk_blocks_visit(spark_context *sc, spk_blocks_visitor *visit, void *arg);
/* spk_blocks_store: where the block of a partition lies; NULL: there is none. */
const spk_store *spk_blocks_store(spk_block_set *blocks, int partition);
int spk_blocks_present(spk_block_set *blocks);
uint64_t spk_blocks_bytes(spk_block_set *blocks);

#endif
