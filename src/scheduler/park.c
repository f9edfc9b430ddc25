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
 * comes.
 *
 * Who computes a block may hang, and its copy may never be started, for too few of its stage are done: they
 * are parked. So, with speculation, a task does not wait for ever; one after the other goes on, and computes
 * the block as well. */
#include "scheduler/park.h"

#include <stdlib.h>

typedef struct spk_claim {
    struct spk_claim *next;
    spk_block_set *blocks;
    int partition;
} spk_claim;

enum { PATIENCE = 10 }; /* times the least time of what is slow */

/* resume: the task is claimed again, if its job still runs; with the lock held. */
static void resume(struct spk_scheduler *scheduler, const spk_parked *parked, bool impatient)
{
    spk_job *job = scheduler->active;
    while (job && job->id != parked->job)
        job = job->next;
    for (size_t i = 0; job && i < job->n_stages; i++) {
        spk_stage *stage = job->stages[i];
        if (stage->id != parked->stage || !stage->submitted)
            continue;
        if (impatient && stage->pace.times)
            atomic_fetch_or(&stage->pace.copied[parked->index], SPK_IMPATIENT);
        spk_pool_retry(scheduler->pool, &stage->set, parked->index);
    }
}

static void resume_all(struct spk_scheduler *scheduler, spk_parked *waiting, bool impatient)
{
    for (spk_parked *next; waiting; waiting = next) {
        next = waiting->next;
        resume(scheduler, waiting, impatient);
        free(waiting);
    }
}

/* give_back: one claim, and who waits for it. */
static void give_back(struct spk_scheduler *scheduler, const spk_claim *claim)
{
    spk_parked *waiting = spk_blocks_unclaim(claim->blocks, claim->partition);
    if (!waiting)
        return;
    pthread_mutex_lock(&scheduler->lock);
    resume_all(scheduler, waiting, false);
    pthread_mutex_unlock(&scheduler->lock);
}

static void release(struct spk_scheduler *scheduler, spk_claim *claims)
{
    while (claims) {
        spk_claim *claim = claims;
        claims = claim->next;
        give_back(scheduler, claim);
        free(claim);
    }
}

/* has_put: who waits for the block need not wait for the rest, whoever has claimed it. Whoever disowns the
 * attempt takes its claims: they are out of his sight here for a moment, so that this is seen to again. */
static void has_put(spark_task *task, spk_block_set *blocks, int partition)
{
    struct spk_scheduler *scheduler = task->sc->scheduler;
    spk_claim *claims = atomic_exchange(&task->blocks.claims, NULL), **link = &claims;
    while (*link && ((*link)->blocks != blocks || (*link)->partition != partition))
        link = &(*link)->next;
    spk_claim *claim = *link;
    if (claim)
        *link = claim->next;
    atomic_store(&task->blocks.claims, claims);
    if (spk_task_phase(task) == SPK_DISOWNED)
        spk_release(scheduler, task);
    give_back(scheduler, &(spk_claim) { NULL, blocks, partition });
    free(claim);
}

/* park: false: it goes on: the block is there, or free, or there is no memory for waiting. */
static bool park(spk_stage *stage, const spark_rdd *rdd, int partition, int index)
{
    spk_parked *parked = malloc(sizeof *parked);
    if (!parked)
        return false;
    const spark_speculation *speculation = &stage->job->scheduler->sc->speculation;
    *parked = (spk_parked) {
        .partition = partition, .job = stage->job->id, .stage = stage->id, .index = index
    };
    if (speculation->on) {
        parked->patience = (int64_t)speculation->min_runtime_ms * 1000000 * PATIENCE;
        parked->until = spk_now() + parked->patience;
    }
    if (spk_blocks_await(rdd->blocks, partition, parked))
        return true;
    free(parked);
    return false;
}

static bool is_mine(const spark_task *task, const spk_block_set *blocks, int partition)
{
    const spk_claim *c = atomic_load(&task->blocks.claims);
    while (c && (c->blocks != blocks || c->partition != partition))
        c = c->next;
    return c != NULL;
}

/* claim_block: false: the task is parked. *there: nothing above it is needed. */
static bool claim_block(
    spk_stage *stage, spark_task *task, spark_rdd *rdd, int partition, int index, bool *there)
{
    *there = is_mine(task, rdd->blocks, partition);
    spk_claim *claim = *there ? NULL : malloc(sizeof *claim);
    const spk_claimed said = claim
        ? spk_blocks_claim(rdd->blocks, partition, spk_rdd_partitions(rdd))
        : SPK_CLAIM_NONE;
    *there = *there || said == SPK_CLAIM_THERE;
    if (said == SPK_CLAIMED) {
        *claim = (spk_claim) { atomic_load(&task->blocks.claims), rdd->blocks, partition };
        atomic_store(&task->blocks.claims, claim);
        return true;
    }
    free(claim);
    if (said == SPK_CLAIM_TAKEN) {
        spk_release(stage->job->scheduler, task);
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
    task->blocks.has_put = has_put;
    if (stage->pace.times && atomic_load(&stage->pace.copied[index]))
        return true;
    bool goes_on = claim_chain(stage, task, (place) { stage->rdd, task->partition }, index, &more);
    while (goes_on && more.n > 0) {
        const place next = more.at[--more.n];
        goes_on = claim_chain(stage, task, next, index, &more);
    }
    free(more.at);
    return goes_on;
}

static void impatient(struct spk_scheduler *scheduler)
{
    spk_parked *some = NULL;
    const int64_t now = spk_now();
    pthread_mutex_lock(&scheduler->sc->scope_lock);
    for (spk_block_set *blocks = scheduler->sc->persisted; blocks; blocks = blocks->next)
        spk_blocks_impatient(blocks, now, &some);
    pthread_mutex_unlock(&scheduler->sc->scope_lock);
    resume_all(scheduler, some, true);
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

/* ---- what is lost, and what there is */

/* some_of: sets of the context that were not swept for the store yet; their blocks can only become
 * fewer. Returns how many. */
static size_t some_of(
    spark_context *sc, const spk_store *store, spk_block_set **some, size_t most)
{
    size_t n = 0;
    pthread_mutex_lock(&sc->scope_lock);
    for (spk_block_set *blocks = sc->persisted; blocks && n < most; blocks = blocks->next)
        if (blocks->left != store) {
            blocks->left = store;
            spk_block_set_ref(blocks);
            some[n++] = blocks;
        }
    pthread_mutex_unlock(&sc->scope_lock);
    return n;
}

static int64_t leave(spark_context *sc, const spk_store *store)
{
    enum { AT_ONCE = 256 };
    spk_block_set *some[AT_ONCE];
    int64_t left = 0;
    for (size_t n = AT_ONCE; n == AT_ONCE;) {
        n = some_of(sc, store, some, AT_ONCE);
        for (size_t i = 0; i < n; i++) {
            left += spk_blocks_leave(some[i], store);
            spk_block_set_unref(some[i]);
        }
    }
    pthread_mutex_lock(&sc->scope_lock);
    for (spk_block_set *blocks = sc->persisted; blocks; blocks = blocks->next)
        if (blocks->left == store)
            blocks->left = NULL; /* another store may have its address one day */
    pthread_mutex_unlock(&sc->scope_lock);
    return left;
}

static void visit_all(spark_context *sc, void (*visit)(void *, const spk_block *), void *arg)
{
    pthread_mutex_lock(&sc->scope_lock);
    for (spk_block_set *blocks = sc->persisted; blocks; blocks = blocks->next) {
        pthread_mutex_lock(&blocks->lock);
        for (int i = 0; i < blocks->n; i++)
            if (blocks->slots[i])
                visit(arg, blocks->slots[i]);
        pthread_mutex_unlock(&blocks->lock);
    }
    pthread_mutex_unlock(&sc->scope_lock);
}

const spk_parking spk_parked_tasks = { .claim = claim,
    .release = release,
    .impatient = impatient,
    .unread = unread,
    .forget = forget,
    .leave = leave,
    .visit = visit_all };
