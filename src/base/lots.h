/* SPDX-License-Identifier: Apache-2.0 */
/* Lots: a number at random for each row of a stream, of which only the small ones are looked at, so
 * that rows cost nothing. The rows with the smallest lots are a uniform sample; since a lot depends on
 * the seed, the stream and the row's position alone, samples of parts merge to that of the whole,
 * whoever draws when. */
#ifndef SPK_BASE_LOTS_H
#define SPK_BASE_LOTS_H

#include "base/random.h"

enum { SPK_LOTS_LEVELS = 48 };

/* spk_lots: level: chance of half of the one before. */
typedef struct spk_lots {
    spk_random random[SPK_LOTS_LEVELS];
    uint64_t next[SPK_LOTS_LEVELS]; /* the position each level hits next */
    unsigned first;                 /* levels before it have lots that are too large */
    uint64_t soonest;               /* the position that is hit next; others have no lot so small */
} spk_lots;

void spk_lots_init(spk_lots *lots, uint64_t seed, uint64_t stream);

/* spk_lots_draw: the lot of the row at `soonest`, which moves on to the next row that may have one of
 * `bound` or less. bound must never grow. */
uint64_t spk_lots_draw(spk_lots *lots, uint64_t bound);

#endif
