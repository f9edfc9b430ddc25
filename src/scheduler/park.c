/* SPDX-License-Identifier: Apache-2.0 */
/* Spark lets the second thread that needs a block wait for the first one (BlockInfoManager). Here a
 * worker never waits: the task is put aside, and the worker takes another. Who claims holds no claim
 * while it waits, for it gives all back before it is parked, so that nobody waits in a circle; who
 * holds claims runs, and gives them back at its end.
 *
 * Claims are for the chain that an attempt begins with. Blocks that chains inside it lack (zip,
 * coalesce, cartesian), and those that were evicted meanwhile, may be computed twice: the first one is
 * kept. So does a task for which there is no memory to be parked.
 *
 * A parked task is remembered by the numbers of its job and stage: it may be gone when its turn comes. */
#include "scheduler/park.h"

#include <stdlib.h>

typedef struct spk_claim {
    struct spk_claim *next;
    spk_block_set *blocks;
    int partition;
} spk_claim;

/* resume: the task is claimed again, if its job still runs. */
static void resume(struct spk_scheduler *scheduler, const spk_parked *parked)
{
    pthread_mutex_lock(&scheduler->lock);
    spk_job *job = scheduler->active;
    while (job && job->id != parked->job)
        job = job->next;
    for (size_t i = 0; job && i < job->n_stages; i++)
        if (job->stages[i]->id == parked->stage && job->stages[i]->submitted)
            spk_pool_retry(scheduler->pool, &job->stages[i]->set, parked->index);
    pthread_mutex_unlock(&scheduler->lock);
}

/* give_back: one claim, and who waits for it. */
static void give_back(struct spk_scheduler *scheduler, const spk_claim *claim)
{
    spk_parked *waiting = spk_blocks_unclaim(claim->blocks, claim->partition), *next;
    for (; waiting; waiting = next) {
        next = waiting->next;
        resume(scheduler, waiting);
        free(waiting);
    }
}

static void release(struct spk_scheduler *scheduler, spark_task *task)
{
    while (task->claims) {
        const spk_claim *claim = task->claims;
        task->claims = claim->next;
        give_back(scheduler, claim);
    }
}

/* park: false: it goes on: the block is there, or free, or there is no memory for waiting. */
static bool park(spk_stage *stage, const spark_rdd *rdd, int partition, int index)
{
    spk_parked *parked = malloc(sizeof *parked);
    if (!parked)
        return false;
    *parked = (spk_parked) { NULL, partition, stage->job->id, stage->id, index };
    if (spk_blocks_await(rdd->blocks, partition, parked))
        return true;
    free(parked);
    return false;
}

/* claim_block: false: the task is parked. *there: the walk ends. */
static bool claim_block(
    spk_stage *stage, spark_task *task, spark_rdd *rdd, int partition, int index, bool *there)
{
    spk_claim *claim = spk_arena_alloc(&task->base.keep, sizeof *claim, 16);
    const spk_claimed said = claim
        ? spk_blocks_claim(rdd->blocks, partition, spk_rdd_partitions(rdd))
        : SPK_CLAIM_NONE;
    *there = said == SPK_CLAIM_THERE;
    if (said == SPK_CLAIMED) {
        *claim = (spk_claim) { task->claims, rdd->blocks, partition };
        task->claims = claim;
    } else if (said == SPK_CLAIM_TAKEN) {
        release(stage->job->scheduler, task);
        return !park(stage, rdd, partition, index);
    }
    return true;
}

static bool claim(spk_stage *stage, spark_task *task, int index)
{
    spark_rdd *rdd = stage->rdd;
    int partition = task->partition;
    bool there = false;
    for (;;) {
        spark_rdd *stored = spk_rdd_stored(rdd);
        int above = partition;
        if (atomic_load_explicit(&rdd->level, memory_order_acquire) != 0
            && !claim_block(stage, task, rdd, partition, index, &there))
            return false;
        if (there)
            return true;
        if (stored)
            rdd = stored;
        else if (rdd->class->choose)
            rdd = rdd->class->choose(rdd, partition, &above);
        else if (rdd->class->run)
            rdd = rdd->deps[0].rdd;
        else
            return true;
        partition = above;
    }
}

/* ---- what nobody will read */

/* unread: returns how many sets there are in all. Without memory for the list, the next sweep sees to the
 * rest. */
static size_t unread(const spark_context *sc, uint64_t mark, spk_list *sets)
{
    size_t n = 0;
    bool good = true;
    for (spk_block_set *blocks = sc->persisted; blocks; blocks = blocks->next, n++)
        if (good && blocks->rdd->mark != mark && spk_blocks_present(blocks) > 0) {
            good = spk_list_add(sets, blocks);
            if (good)
                spk_block_set_ref(blocks);
        }
    return n;
}

static void forget(spk_list *sets)
{
    while (sets->n > 0) {
        spk_block_set *blocks = sets->at[--sets->n];
        spk_blocks_empty(blocks);
        spk_block_set_unref(blocks);
    }
    free(sets->at);
}

const spk_parking spk_parked_tasks
    = { .claim = claim, .release = release, .unread = unread, .forget = forget };
