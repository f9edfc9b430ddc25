/* SPDX-License-Identifier: Apache-2.0 */
/* A store: where one executor keeps its data: its account of memory, and the files that take what does
 * not fit. Tasks work in the store of the executor they run on; what they leave behind (outputs, cached
 * blocks) stays in it, whoever reads it. */
#ifndef SPK_STORAGE_STORE_H
#define SPK_STORAGE_STORE_H

#include <stdatomic.h>

#include "storage/spill.h"

typedef struct spk_store {
    atomic_bool lost; /* its executor is: nothing new is kept in it */
    spk_heap *heap;
    spk_spill spill;
} spk_store;

/* spk_store_init: directory: spark_conf.local_dir, or NULL. */
void spk_store_init(spk_store *store, spk_heap *heap, const char *directory);
void spk_store_fini(spk_store *store);

#endif
