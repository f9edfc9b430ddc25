/* SPDX-License-Identifier: Apache-2.0 */
/* Shards that are too large to be worked on at once, split further.
 *
 * leaf: a shard, or a part of one, that is worked on at once: of several inputs that are placed alike, the
 * rows of the same keys; its order is (map partition, run, position). Whether a shard is split must
 * depend on its rows alone, since leaves are what outputs are ordered by; sorts alone may look at
 * memory. */
#ifndef SPK_SHUFFLE_SPLIT_H
#define SPK_SHUFFLE_SPLIT_H

#include "plan/ranges.h"
#include "shuffle/input.h"

/* SPK_LEAF_BYTES: what a leaf should hold at most: rows and what they point to. */
enum { SPK_SIDES = 4, SPK_SPLITS = 4, SPK_LEAF_BYTES = 4 * 1024 * 1024 };

/* spk_split_level: the inputs whose shards are read: those of the task, or what a shard was split into. */
typedef struct spk_split_level {
    spk_input *inputs[SPK_SIDES];
    spk_input own[SPK_SIDES];
    uint32_t next, slices;
    uint64_t bytes; /* of what was split */
    bool bounds;    /* by an order: odd slices hold equals */
} spk_split_level;

typedef struct spk_leaves {
    spark_task *task;
    size_t n; /* inputs */
    spk_shard *shards[SPK_SIDES];
    spk_split_level *levels[SPK_SPLITS + 1];
    unsigned depth;
    bool spilled; /* some of the leaf may be on disk: what it points to goes as it is read */
    bool equal;   /* by the order that it was split by, its rows are */
} spk_leaves;

/* spk_leaves_open: of n inputs; leaves come in the shards given. False: the task has failed. */
bool spk_leaves_open(spk_leaves *leaves, spark_task *task, size_t n, spk_input *const *inputs,
    spk_shard *const *shards);
/* spk_leaves_next: false: there are no more, or the task has failed. */
bool spk_leaves_next(spk_leaves *leaves);
void spk_leaves_close(spk_leaves *leaves); /* the shards, too */

/* spk_leaves_split: instead of working on the leaf: its parts come next. False: it cannot become smaller
 * (most of it has one key), or the task has failed. */
bool spk_leaves_split(spk_leaves *leaves);
/* spk_leaves_sort: the same by an order, in which the parts come. keys: see spk_ranges. */
bool spk_leaves_sort(
    spk_leaves *leaves, const spk_ordering *ordering, const spk_ordering *keys);

#endif
