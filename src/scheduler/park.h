/* SPDX-License-Identifier: Apache-2.0 */
/* What the scheduler does about cached blocks: those that several tasks need at once are computed
 * once, and those that nobody will read go.
 *
 * claim: an attempt's word that it computes a block; parked: a task that waits for one, on no
 * worker. */
#ifndef SPK_SCHEDULER_PARK_H
#define SPK_SCHEDULER_PARK_H

#include "scheduler/stage.h"

/* spk_parking: contexts have it from the first spark_persist on (context.h). claim: before any
 * function of the user runs: claims all blocks that the chain of the attempt lacks, or none; false:
 * the task is parked, and this attempt has not begun. release: what an attempt claimed (a list that
 * was taken from it) is free, and the tasks parked there go first in their sets; not with a lock held.
 * A copy of a slow attempt claims nothing, and waits for nothing. impatient: nor do, from then on, tasks that
 * have waited for very long, of those that wait for one block one at a time; with the scheduler's lock held.
 * leave: drops all blocks that lie in a store that is lost; how many they were. visit: each block of
 * the context, with locks held.
 * unread: the block sets whose RDDs a walk of this mark did not come by, with the scheduler's and
 * the scopes' lock held; forget: drops their blocks, without. */
typedef struct spk_parking {
    bool (*claim)(spk_stage *stage, spark_task *task, int index);
    void (*release)(struct spk_scheduler *scheduler, struct spk_claim *claims);
    void (*impatient)(struct spk_scheduler *scheduler);
    int64_t (*leave)(spark_context *sc, const spk_store *store);
    void (*visit)(spark_context *sc, void (*visit)(void *arg, const spk_block *block), void *arg);
    size_t (*unread)(const spark_context *sc, uint64_t mark, spk_list *sets);
    void (*forget)(spk_list *sets);
} spk_parking;

/* spk_release: at the end of an attempt, or when it is disowned, for then it may never end. */
static inline void spk_release(struct spk_scheduler *scheduler, spark_task *task)
{
    if (!atomic_load_explicit(&task->blocks.claims, memory_order_relaxed))
        return; /* it made none, or whoever has disowned it sees to them */
    struct spk_claim *claims = atomic_exchange(&task->blocks.claims, NULL);
    if (claims)
        atomic_load(&scheduler->sc->parking)->release(scheduler, claims);
}

/* spk_parked_tasks: the only one. */
extern const spk_parking spk_parked_tasks;

#endif
