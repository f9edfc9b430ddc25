/* SPDX-License-Identifier: Apache-2.0 */
/* What this process may take of the machine: its RAM and the limits of its control groups. */
#ifndef SPK_BASE_LIMITS_H
#define SPK_BASE_LIMITS_H

#include "base/cold.h"
#include <stdint.h>

typedef struct spk_limits {
    uint64_t memory_bytes; /* the RAM, or what a group limits it to; 0: not known */
    double cpus;           /* that the groups grant; 0: no limit */
} spk_limits;

/* spk_limits_read: ram: of the machine; root: what stands before /proc and the mount points, "" but in
 * tests. */
SPK_COLD spk_limits spk_limits_read(const char *root, uint64_t ram);

/* spk_limits_share: how much of memory_bytes a context may take that was not told. */
SPK_COLD uint64_t spk_limits_share(uint64_t memory_bytes);

#endif
