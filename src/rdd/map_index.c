/* SPDX-License-Identifier: Apache-2.0 */
/* Maps: pairs and, beside them, an open-addressing table of their numbers. */
#include "rdd/map_index.h"

#include <spark/index.h>

/* slot_of: where the key is, or would be. */
static size_t slot_of(const spark_index *index, const void *key)
{
    const spk_layout *layout = index->key;
    const size_t mask = index->n_slots - 1;
    size_t slot = spk_value_hash(layout, key) & mask;
    while (index->slots[slot]
        && !spk_value_equal(layout, key,
            (const char *)index->items + (index->slots[slot] - 1) * (size_t)index->type->size))
        slot = (slot + 1) & mask;
    return slot;
}

const void *spark_find_(const spark_index *index, const spark_type *want, const void *key)
{
    char text[8];
    if (!index || !key || index->n_slots == 0
        || (want != index->type && spk_type_differ(want, index->type, text, sizeof text)))
        return NULL;
    const uint32_t found = index->slots[slot_of(index, key)];
    return found ? (const char *)index->items + (found - 1) * (size_t)index->type->size : NULL;
}

int64_t spk_index_find(const spark_index *index, const void *key)
{
    return (int64_t)index->slots[slot_of(index, key)] - 1;
}

size_t spk_index_slots(size_t n)
{
    size_t slots = 16;
    while (slots < n * 2)
        slots *= 2;
    return slots;
}

void spk_index_make(
    spark_index *index, const spk_layout *pair, char *items, size_t n, uint32_t *slots)
{
    const size_t size = pair->size;
    *index = (spark_index) { pair->type, items, 0, slots, spk_index_slots(n), pair->key };
    memset(slots, 0, index->n_slots * sizeof *slots);
    for (size_t i = 0; i < n; i++) {
        const char *from = items + i * size;
        const size_t slot = slot_of(index, from);
        if (!slots[slot])
            slots[slot] = (uint32_t)++index->n;
        char *to = items + (slots[slot] - 1) * size;
        if (to != from)
            memcpy(to, from, size);
    }
}
