/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/store.h"

void spk_store_init(spk_store *store, spk_heap *heap, const char *directory)
{
    *store = (spk_store) { .heap = heap };
    spk_spill_init(&store->spill, directory);
    pthread_mutex_init(&store->lock, NULL);
}

void spk_store_fini(spk_store *store)
{
    spk_spill_fini(&store->spill);
    pthread_mutex_destroy(&store->lock);
}
