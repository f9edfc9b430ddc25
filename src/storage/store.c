/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/store.h"

void spk_store_init(spk_store *store, spk_heap *heap, const char *directory)
{
    store->heap = heap;
    spk_spill_init(&store->spill, directory);
}

void spk_store_fini(spk_store *store)
{
    spk_spill_fini(&store->spill);
}
