/* SPDX-License-Identifier: Apache-2.0 */
/* Spark lets the second thread that needs a block wait for the first one (BlockInfoManager). Here a
 * worker never waits: the task is put aside, and the worker takes another. Who claims holds no
 * claim while it waits, for it gives all back before it is parked, so that nobody waits in a
 * circle; who holds claims runs, and gives them back at its end.
 *
 * Claims are for the chain that an attempt begins with and for those inside it (zip, coalesce,
 * cartesian), as far as they are known before it runs. Blocks that were evicted meanwhile may be
 * computed twice: the first one is kept. So it is where there is no memory to be parked.
 *
 * A parked task is remembered by the numbers of its job and stage: it may be gone when its turn
 * comes. */
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

/* has_put: who waits for the block need not wait for the rest. */
static void has_put(spark_task *task, spk_block_set *blocks, int partition)
{
    for (spk_claim **link = &task->claims; *link; link = &(*link)->next) {
        const spk_claim *claim = *link;
        if (claim->blocks == blocks && claim->partition == partition) {
            *link = claim->next;
            give_back(task->sc->scheduler, claim);
            return;
        }
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

static bool is_mine(const spark_task *task, const spk_block_set *blocks, int partition)
{
    const spk_claim *c = task->claims;
    while (c && (c->blocks != blocks || c->partition != partition))
        c = c->next;
    return c != NULL;
}

/* claim_block: false: the task is parked. *there: nothing above it is needed. */
static bool claim_block(
    spk_stage *stage, spark_task *task, spark_rdd *rdd, int partition, int index, bool *there)
{
    *there = is_mine(task, rdd->blocks, partition);
    spk_claim *claim = *there ? NULL : spk_arena_alloc(&task->base.keep, sizeof *claim, 16);
    const spk_claimed said = claim
        ? spk_blocks_claim(rdd->blocks, partition, spk_rdd_partitions(rdd))
        : SPK_CLAIM_NONE;
    *there = *there || said == SPK_CLAIM_THERE;
    if (said == SPK_CLAIMED) {
        task->has_put = has_put;
        *claim = (spk_claim) { task->claims, rdd->blocks, partition };
        task->claims = claim;
    } else if (said == SPK_CLAIM_TAKEN) {
        release(stage->job->scheduler, task);
        return !park(stage, rdd, partition, index);
    }
    return true;
}

/* place: a node and a partition where a chain begins. */
typedef struct place {
    spark_rdd *rdd;
    int partition;
} place;

typedef struct places {
    place *at;
    size_t n, max;
    int seen;
} places;

/* add: nodes may be reached in exponentially many ways: what is beyond the first few is left out,
 * as is what there is no memory for. */
static void add(places *p, spark_rdd *rdd, int partition)
{
    enum { MOST_CHAINS = 1024 };
    if (p->n == p->max) {
        const size_t max = p->max ? p->max * 2 : 16;
        place *at = p->seen < MOST_CHAINS ? realloc(p->at, max * sizeof *at) : NULL;
        if (!at)
            return;
        p->at = at;
        p->max = max;
    }
    if (p->seen++ < MOST_CHAINS)
        p->at[p->n++] = (place) { rdd, partition };
}

/* add_inner: the chains inside a source. */
static void add_inner(places *p, const spark_rdd *rdd, int partition)
{
    spark_rdd *parent;
    int above;
    if (rdd->class->inner) {
        for (int i = 0; rdd->class->inner(rdd, partition, i, &parent, &above); i++)
            add(p, parent, above);
        return;
    }
    for (uint32_t i = 0; i < rdd->n_deps; i++)
        if (!rdd->deps[i].shuffle
            && spk_rdd_partitions(rdd->deps[i].rdd) == spk_rdd_partitions(rdd))
            add(p, rdd->deps[i].rdd, partition);
}

/* claim_chain: from a node up to its source. False: the task is parked. */
static bool claim_chain(spk_stage *stage, spark_task *task, place at, int index, places *more)
{
    spark_rdd *rdd = at.rdd;
    int partition = at.partition;
    bool there = false;
    for (;;) {
        spark_rdd *stored = spk_rdd_stored(rdd);
        int above = partition;
        if (atomic_load_explicit(&rdd->level, memory_order_acquire) != 0
            && !claim_block(stage, task, rdd, partition, index, &there))
            return false;
        if (there)
            return true;
        if (stored) {
            rdd = stored;
        } else if (rdd->class->choose) {
            rdd = rdd->class->choose(rdd, partition, &above);
        } else if (rdd->class->run) {
            rdd = rdd->deps[0].rdd;
        } else {
            add_inner(more, rdd, partition);
            return true;
        }
        partition = above;
    }
}

static bool claim(spk_stage *stage, spark_task *task, int index)
{
    places more = { NULL, 0, 0, 0 };
    bool goes_on = claim_chain(stage, task, (place) { stage->rdd, task->partition }, index, &more);
    while (goes_on && more.n > 0) {
        const place next = more.at[--more.n];
        goes_on = claim_chain(stage, task, next, index, &more);
    }
    free(more.at);
    return goes_on;
}

/* ---- what nobody will read */

/* unread: returns how many sets there are in all. Without memory for the list, the next sweep sees
 * to the rest. */
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
