/* SPDX-License-Identifier: Apache-2.0 */
/* Level l hits a row with a chance of 2^-l, by geometric gaps, and gives it a lot between 2^(63-l) and
 * twice that; a row's lot is the smallest it gets. So lots are independent and of one distribution,
 * and who only wants those up to a bound visits the levels that have such: as many
 * rows as there are hits. (The steps of Vitter's reservoirs, whose gaps depend on what was chosen
 * before, cannot be merged so.) */
#include "base/lots.h"

/* least: the smallest lot of a level. */
static uint64_t least(unsigned level)
{
    return UINT64_C(1) << (63 - level);
}

static void find_soonest(spk_lots *lots)
{
    lots->soonest = UINT64_MAX;
    for (unsigned l = lots->first; l < SPK_LOTS_LEVELS; l++)
        if (lots->next[l] < lots->soonest)
            lots->soonest = lots->next[l];
}

static uint64_t gap(spk_lots *lots, unsigned level)
{
    return level ? spk_random_gap(&lots->random[level], ldexp(1, -(int)level)) : 0;
}

void spk_lots_init(spk_lots *lots, uint64_t seed, uint64_t stream)
{
    lots->first = 0;
    for (unsigned l = 0; l < SPK_LOTS_LEVELS; l++) {
        lots->random[l] = spk_random_of(seed, stream * SPK_LOTS_LEVELS + l);
        lots->next[l] = gap(lots, l);
    }
    find_soonest(lots);
}

uint64_t spk_lots_draw(spk_lots *lots, uint64_t bound)
{
    uint64_t lot = UINT64_MAX;
    for (unsigned l = lots->first; l < SPK_LOTS_LEVELS; l++)
        if (lots->next[l] == lots->soonest) {
            const uint64_t drawn = least(l) + (spk_random_u64(&lots->random[l]) >> (l + 1));
            lot = drawn < lot ? drawn : lot;
            lots->next[l] += gap(lots, l) + 1;
        }
    while (lots->first + 1 < SPK_LOTS_LEVELS && least(lots->first) > bound)
        lots->first++;
    find_soonest(lots);
    return lot;
}
