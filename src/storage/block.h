/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks: cached partitions of persisted RDDs, in memory, on disk, or both.
 *
 * block set: the slots of one RDD; tenant: what one set has in one store; pin: a reference of a
 * reader, which keeps a dropped block alive and one in memory there; to promote: to bring a block
 * on disk back into memory. A block is built by one task, then put into its slot, and does not
 * change any more. */
#ifndef SPK_STORAGE_BLOCK_H
#define SPK_STORAGE_BLOCK_H

#include <spark/storage.h>

#include "base/cold.h"
#include "plan/rdd.h"
#include "storage/disk_rows.h"
#include "storage/store.h"

typedef struct spk_block spk_block;

typedef struct spk_tenant {
    struct spk_tenant *next; /* of the set */
    spk_block_set *set;
    spk_store *store;
    uint64_t idle;   /* bytes, of the store's idle ones */
    spk_block *skip; /* the idle blocks up to this one are all of this tenant */
} spk_tenant;

struct spk_block {
    spk_block *older, *newer; /* among the idle ones of the store */
    void (*unpin)(spk_block *block);
    spk_tenant *tenant;
    int partition;
    /* Under the store's lock: */
    int refs, pins;
    bool idle, building, put, leaving, promoting;
    bool disk;           /* it is in disk_rows */
    atomic_bool memory;  /* it is in rows; while pinned, this does not become false */
    uint64_t held;       /* of the heap, by rows */
    const spk_run *seen; /* by held; while it is built */
    spk_rows rows;
    spk_disk_rows disk_rows;
};

struct spk_block_set {
    spk_held held; /* first */
    spark_rdd *rdd;
    spark_context *sc; /* of the RDD; NULL: of none */
    int id;            /* likewise */
    spk_block_set *next, **link; /* in the context's list, under its scope_lock */
    atomic_int level;
    atomic_int refs; /* the RDD, and blocks that are there */
    pthread_mutex_t lock;
    int n;
    spk_block **slots;
    uint8_t *marks;
    spk_tenant *tenants;
    const spk_store *left;     /* the last lost store whose blocks went; under scope_lock */
    struct spk_parked *parked; /* tasks that wait for blocks others compute */
    /* Of blocks in slots; bytes: rows and what they point to. */
    atomic_int present, in_memory, on_disk;
    _Atomic uint64_t memory_bytes, disk_bytes;
};

/* spk_level_has: what a level uses. */
static inline bool spk_level_has_disk(int level)
{
    return level != SPARK_MEMORY_ONLY && level != SPARK_MEMORY_ONLY_SER;
}
static inline bool spk_level_has_memory(int level)
{
    return level != SPARK_DISK_ONLY;
}
static inline bool spk_level_is_exact(int level)
{
    return level == SPARK_MEMORY_ONLY_SER || level == SPARK_MEMORY_AND_DISK_SER;
}

/* spk_blocks_new: of an RDD, listed in its context; rdd NULL: of none. NULL: no memory. */
SPK_COLD spk_block_set *spk_blocks_new(spark_rdd *rdd, spark_level level);
/* spk_blocks_free: NULL does nothing. */
SPK_COLD void spk_blocks_free(spk_block_set *blocks);

/* spk_block_set_ref: the set stays, but not its RDD. */
static inline void spk_block_set_ref(spk_block_set *blocks)
{
    atomic_fetch_add_explicit(&blocks->refs, 1, memory_order_relaxed);
}
SPK_COLD void spk_block_set_unref(spk_block_set *blocks);

/* spk_blocks_get: the block of a partition, pinned; NULL: there is none. */
SPK_COLD spk_block *spk_blocks_get(spk_block_set *blocks, int partition);
static inline void spk_block_unpin(spk_block *block)
{
    if (block)
        block->unpin(block);
}
static inline bool spk_block_in_memory(const spk_block *block)
{
    return atomic_load_explicit(&block->memory, memory_order_acquire);
}

/* Building. spk_block_new: an empty block, pinned, whose rows the caller fills; they take free
 * memory only. NULL: no memory. spk_block_hold: after rows were appended: they may stay in memory,
 * others having been evicted for them where need be; false: there is no room. spk_block_write: the
 * rows go behind what is on disk, and their memory is given back; from then on rows may reclaim
 * memory. spk_block_finish: no more rows come; a block that has been on disk goes there whole.
 * spk_block_take: its rows become the caller's. evicted (may be NULL) is added to. */
typedef struct spk_evicted {
    int64_t blocks, written; /* bytes */
} spk_evicted;
SPK_COLD spk_block *spk_block_new(
    spk_block_set *blocks, spk_store *store, const spk_layout *layout, int partition);
SPK_COLD bool spk_block_hold(spk_block *block, spk_evicted *evicted);
SPK_COLD spark_status spk_block_write(spk_block *block, spk_failure *failure);
SPK_COLD spark_status spk_block_finish(spk_block *block, spk_failure *failure);
SPK_COLD void spk_block_take(spk_block *block, spk_rows *rows);

/* spk_blocks_put: puts a finished block if its slot is empty, and returns the block that is there,
 * pinned; *first: none of this partition was put before; *won: this one was put. Where there is no
 * memory for slots, the set is not persisted any more, or the store is lost: the block itself, with
 * put false. */
SPK_COLD spk_block *spk_blocks_put(
    spk_block_set *blocks, int partitions, spk_block *block, bool *won, bool *first);

/* Promoting. begin: whether there is room for it, without evicting; who asks reads disk_rows and
 * hands the rows over with end, or with whole false what there is of them. */
SPK_COLD bool spk_block_promote_begin(spk_block *block);
SPK_COLD void spk_block_promote_end(spk_block *block, spk_rows *rows, bool whole);

/* spk_store_evict: frees at least that many bytes of idle blocks that are not own's (NULL: any's),
 * the oldest first; where there are not so many, none: false. Blocks of a level with disk are
 * written, if they are not there; others, and those that cannot be written, are dropped. */
SPK_COLD bool spk_store_evict(
    spk_store *store, spk_tenant *own, uint64_t bytes, spk_evicted *evicted);

/* spk_blocks_count_once: whether accumulator updates of this partition still are to be counted;
 * from now on they are. */
SPK_COLD bool spk_blocks_count_once(spk_block_set *blocks, int partition, int partitions);

/* spk_blocks_claim: SPK_CLAIMED: the block is not there, and is the caller's to compute until
 * spk_blocks_unclaim, which returns those that wait for it; SPK_CLAIM_TAKEN: it is somebody else's;
 * SPK_CLAIM_NONE: no memory. spk_blocks_await: it waits, if the claim is still taken.
 * spk_blocks_impatient: of those whose time is up at `now` one for each partition goes into *some, the others
 * get twice as much. */
typedef struct spk_parked {
    struct spk_parked *next;
    int partition;
    int job, stage, index; /* the scheduler's, as are: */
    int64_t patience, until; /* in nanoseconds; 0: for ever */
} spk_parked;
typedef enum spk_claimed {
    SPK_CLAIM_NONE,
    SPK_CLAIM_THERE,
    SPK_CLAIMED,
    SPK_CLAIM_TAKEN
} spk_claimed;
SPK_COLD spk_claimed spk_blocks_claim(spk_block_set *blocks, int partition, int partitions);
SPK_COLD spk_parked *spk_blocks_unclaim(spk_block_set *blocks, int partition);
SPK_COLD bool spk_blocks_await(spk_block_set *blocks, int partition, spk_parked *parked);
SPK_COLD void spk_blocks_impatient(spk_block_set *blocks, int64_t now, spk_parked **some);

/* spk_blocks_drop: false: there was none. spk_blocks_lose: this block, if it is there still.
 * spk_blocks_empty: all. spk_blocks_clear: all, and what is known of them. spk_blocks_leave: all
 * that lie in a store. Returns how many. */
SPK_COLD bool spk_blocks_drop(spk_block_set *blocks, int partition);
SPK_COLD void spk_blocks_lose(spk_block *block);
SPK_COLD void spk_blocks_clear(spk_block_set *blocks);
SPK_COLD void spk_blocks_empty(spk_block_set *blocks);
SPK_COLD int spk_blocks_leave(spk_block_set *blocks, const spk_store *store);

/* spk_blocks_store: where the block of a partition lies; NULL: there is none. */
static inline const spk_store *spk_blocks_store(spk_block_set *blocks, int partition)
{
    pthread_mutex_lock(&blocks->lock);
    const spk_block *block = blocks->slots ? blocks->slots[partition] : NULL;
    const spk_store *store = block ? block->tenant->store : NULL;
    pthread_mutex_unlock(&blocks->lock);
    return store;
}

static inline int spk_blocks_present(const spk_block_set *blocks)
{
    return atomic_load_explicit(&blocks->present, memory_order_acquire);
}

#endif
