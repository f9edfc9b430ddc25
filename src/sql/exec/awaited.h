/* SPDX-License-Identifier: Apache-2.0 */
/* Groups that are not known yet, in an array of those of a batch's rows: instead of the group stands the how manieth of
 * the rows that were missed has the same key. */
#ifndef SPK_SQL_EXEC_AWAITED_H
#define SPK_SQL_EXEC_AWAITED_H

#include <stdint.h>

#define SPK_GROUP_AWAITED ((uint32_t)1 << 31)

/* spk_groups_settle: the rows at positions from..n get the groups that those that were missed have. Returns how many
 * had theirs before. */
static inline uint32_t spk_groups_settle(uint32_t *groups, const uint32_t *found, uint32_t from, uint32_t n)
{
    uint32_t known = 0;
    for (uint32_t i = from; i < n; i++) {
        if (groups[i] & SPK_GROUP_AWAITED)
            groups[i] = found[groups[i] & ~SPK_GROUP_AWAITED];
        else
            known++;
    }
    return known;
}

#endif
