/* SPDX-License-Identifier: Apache-2.0 */
/* Accumulators that grow: lists above all. Where a combiner copies what an accumulator points to
 * after each merge, these keep it in memory of the table, with room for more, so that n values take
 * time for n. */
#ifndef SPK_SHUFFLE_GROWING_H
#define SPK_SHUFFLE_GROWING_H

#include "shuffle/combine.h"

typedef enum spk_growth { SPK_GROW_CREATE, SPK_GROW_ADD, SPK_GROW_COMBINE } spk_growth;

/* spk_growing: what an aggregator has in place of its functions, which must do the same. take: one
 * value into an accumulator; what this points to afterwards is in `arena`, none of it in the value.
 * seal: there is no room behind what the accumulator points to. env is that of `create`. */
struct spk_growing {
    spk_combine_one *add; /* spk_growing_add */
    void (*take)(spark_task *task, const void *env, spk_growth how, char *acc, const char *value,
        size_t step, spk_arena *arena);
    void (*seal)(const void *env, char *acc);
};

/* spk_growing_add: one row for such an aggregator. Room counts among the table's bytes. */
spk_combine_one spk_growing_add;

#endif
