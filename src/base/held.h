/* SPDX-License-Identifier: Apache-2.0 */
/* What a room holds for those below it, without knowing what it is. */
#ifndef SPK_BASE_HELD_H
#define SPK_BASE_HELD_H

#include <stddef.h>

/* spk_held: the head of such a thing: whoever made it knows how it is freed.
 * spk_held_free: the list of it; NULL does nothing. */
typedef struct spk_held {
    struct spk_held *next;
    void (*free)(struct spk_held *held);
} spk_held;
static inline void spk_held_free(spk_held *list)
{
    for (spk_held *next; list; list = next) {
        next = list->next;
        list->free(list);
    }
}

#endif
