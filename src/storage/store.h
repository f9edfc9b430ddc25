/* SPDX-License-Identifier: Apache-2.0 */
/* A store: where one executor keeps its data: its account of memory, and the files that take what
 * does not fit. Tasks work in the store of the executor they run on; what they leave behind
 * (outputs, cached blocks) stays in it, whoever reads it.
 *
 * idle block: one in memory that nobody reads; idle blocks go when memory is wanted, the one that
 * was read longest ago first. */
#ifndef SPK_STORAGE_STORE_H
#define SPK_STORAGE_STORE_H

#include <stdatomic.h>

#include "base/cold.h"
#include "storage/spill.h"

typedef struct spk_store {
    atomic_bool lost; /* its executor is: nothing new is kept in it */
    spk_heap *heap;
    spk_spill spill;
    pthread_mutex_t lock; /* guards the state of the blocks that lie here; after a block set's */
    struct spk_block *oldest, *newest; /* idle blocks */
    uint64_t idle;                     /* bytes they hold */
    uint64_t building;                 /* bytes that blocks hold which are not finished */
} spk_store;

/* spk_store_init: directory: spark_conf.local_dir, or NULL. */
SPK_COLD void spk_store_init(spk_store *store, spk_heap *heap, const char *directory);
SPK_COLD void spk_store_fini(spk_store *store);

#endif
