/* SPDX-License-Identifier: Apache-2.0 */
/* Maps: pairs and, beside them, an open-addressing table of their numbers. No pair lies more than
 * MOST_AWAY slots from its place; where chosen keys would, places go by a hash with a secret instead. */
#include "rdd/map_index.h"

#include <spark/index.h>

enum { MOST_AWAY = 128 };

static bool guarded(const spark_index *index)
{
    return (index->secret[0] | index->secret[1]) != 0;
}

static uint64_t place_of(const spark_index *index, const void *key)
{
    const spk_secret secret = { { index->secret[0], index->secret[1] } };
    return guarded(index) ? spk_value_secret_hash(index->key, key, &secret)
                          : spk_value_hash(index->key, key);
}

/* slot_of: where the key is, or would be; SIZE_MAX: it is not, and would be too far away. */
static size_t slot_of(const spark_index *index, const void *key)
{
    const size_t mask = index->n_slots - 1, home = place_of(index, key) & mask;
    const size_t most = guarded(index) ? index->n_slots : MOST_AWAY;
    for (size_t away = 0; away < most; away++) {
        const size_t slot = (home + away) & mask, item = index->slots[slot];
        if (item == 0
            || spk_value_equal(index->key, key,
                (const char *)index->items + (item - 1) * (size_t)index->type->size))
            return slot;
    }
    return SIZE_MAX;
}

static int64_t item_of(const spark_index *index, const void *key)
{
    const size_t slot = slot_of(index, key);
    return slot == SIZE_MAX ? -1 : (int64_t)index->slots[slot] - 1;
}

const void *spark_find_(const spark_index *index, const spark_type *want, const void *key)
{
    char text[8];
    if (!index || !key || index->n_slots == 0
        || (want != index->type && spk_type_differ(want, index->type, text, sizeof text)))
        return NULL;
    const int64_t found = item_of(index, key);
    return found < 0 ? NULL : (const char *)index->items + (size_t)found * index->type->size;
}

int64_t spk_index_find(const spark_index *index, const void *key)
{
    return item_of(index, key);
}

size_t spk_index_slots(size_t n)
{
    size_t slots = 16;
    while (slots < n * 2)
        slots *= 2;
    return slots;
}

/* guard: the pairs that are there, by a secret. */
static void guard(spark_index *index, uint32_t *slots)
{
    const spk_secret secret = spk_secret_draw();
    index->secret[0] = secret.k[0] | 1; /* never none */
    index->secret[1] = secret.k[1];
    memset(slots, 0, index->n_slots * sizeof *slots);
    for (size_t i = 0; i < index->n; i++)
        slots[slot_of(index, (const char *)index->items + i * index->type->size)] = (uint32_t)i + 1;
}

void spk_index_make(
    spark_index *index, const spk_layout *pair, char *items, size_t n, uint32_t *slots)
{
    const size_t size = pair->size;
    *index = (spark_index) { .type = pair->type,
        .items = items,
        .slots = slots,
        .n_slots = spk_index_slots(n),
        .key = pair->key };
    memset(slots, 0, index->n_slots * sizeof *slots);
    for (size_t i = 0; i < n; i++) {
        const char *from = items + i * size;
        size_t slot = slot_of(index, from);
        if (slot == SIZE_MAX) {
            guard(index, slots);
            slot = slot_of(index, from);
        }
        if (!slots[slot])
            slots[slot] = (uint32_t)++index->n;
        char *to = items + (slots[slot] - 1) * size;
        if (to != from)
            memcpy(to, from, size);
    }
}
