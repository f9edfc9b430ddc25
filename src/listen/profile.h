/* SPDX-License-Identifier: Apache-2.0 */
/* What the partitions and keys of a shuffle hold, as its outputs are written. A bus has a table of these functions
 * once a program has asked for it, so that others have none of them.
 *
 * profile: of what one attempt has written, or of all of a stage, in which each output counts once. */
#ifndef SPK_LISTEN_PROFILE_H
#define SPK_LISTEN_PROFILE_H

#include "listen/queue.h"
#include "listen/sketch.h"
#include "plan/shuffle.h"
#include "storage/run.h"

struct spk_bus;

/* spk_profile: keys: of an attempt; NULL: they are not counted. nodes: of a stage: sketches of 2^level outputs from
 * the one with that index on: they are merged in pairs, so that the order in which outputs come does not show. */
typedef struct spk_profile {
    int partitions, maps;
    int64_t *rows, *bytes; /* by partition */
    spk_sketch *keys;
    uint8_t *counted;      /* outputs */
    spk_sketch **nodes;
    uint8_t *levels;
} spk_profile;

/* spk_profiling: hot, keys: how many are told. sealed: a run of an output, which lies in memory; *profile is made
 * when there is none. take: adds that of an attempt, which has written output m, to that of its stage; moves from it.
 * tell: of a stage. Without memory things are left out. */
typedef struct spk_profiling {
    void (*sealed)(const struct spk_bus *bus, spk_profile **profile, const spk_shuffle *shuffle, const spk_run *run);
    void (*take)(const struct spk_bus *bus, spk_profile **stage, spk_profile *profile, int m, int maps);
    const spark_shuffle_profile *(*tell)(const struct spk_bus *bus, const spk_profile *profile, spk_pad *pad);
    void (*free)(spk_profile *profile);
} spk_profiling;

#endif
