/* SPDX-License-Identifier: Apache-2.0 */
/* What block sets and stores tell each other of a block. */
#ifndef SPK_STORAGE_EVICT_H
#define SPK_STORAGE_EVICT_H

#include "storage/block.h"

/* spk_block_pin, spk_block_is_put (which adds the slot's reference): with the set's lock held.
 * spk_block_is_dropped: it is not in its slot any more; without locks. */
void spk_block_pin(spk_block *block);
void spk_block_is_put(spk_block *block);
void spk_block_is_dropped(spk_block *block);

/* spk_slot_empty: with the set's lock held. */
static inline void spk_slot_empty(spk_block_set *blocks, int partition)
{
    blocks->slots[partition] = NULL;
    atomic_fetch_sub_explicit(&blocks->present, 1, memory_order_release);
}

/* spk_tenant_of: made if need be; NULL: no memory. */
spk_tenant *spk_tenant_of(spk_block_set *blocks, spk_store *store);

#endif
