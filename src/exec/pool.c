/* SPDX-License-Identifier: Apache-2.0 */
/* Workers claim single indexes with one atomic addition, several at once from large sets; the lock
 * is taken only to choose a set. Whoever is woken wakes the next one while tasks remain. `epoch`
 * changes with the queue, so that a worker in the middle of a set notices work that goes before.
 *
 * Lock order: the scheduler's lock may be held when the pool's is taken, never the other way
 * round. */
#include "exec/pool.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/signals.h"
#include "base/sys.h"

typedef struct worker {
    spk_pool *pool;
    spark_task *task;
    pthread_t thread;
    char padding[128]; /* no two workers on a cache line */
} worker;

struct spk_pool {
    pthread_mutex_t lock;
    pthread_cond_t work, left;
    spk_queue queue; /* of all sets, unless shares have them */
    int idle, waiting;
    bool stop;
    atomic_uint epoch;
    int n;
    int most; /* tasks at once, for which there is memory */
    worker *workers;
    spark_context *sc;
    int busy;          /* workers in a set */
    spark_task *spare; /* of a calling thread that lends itself; made when first needed */
    int lent;          /* 1: such a thread runs a task: one worker less may */
};

static bool has_work(spk_task_set *set)
{
    return set->n_retries > 0 || atomic_load_explicit(&set->cursor, memory_order_relaxed) < set->n;
}

/* fairer: Spark's rule: a share below its minimum first; of two such the one that has less of it,
 * else the one that has less for its weight; then by name. */
static bool fairer(const spk_share *a, const spk_share *b)
{
    const bool a_needs = a->running < a->min_share, b_needs = b->running < b->min_share;
    int64_t left, right;
    if (a_needs != b_needs)
        return a_needs;
    if (a_needs) {
        left = (int64_t)a->running * b->min_share;
        right = (int64_t)b->running * a->min_share;
    } else {
        left = (int64_t)a->running * b->weight;
        right = (int64_t)b->running * a->weight;
    }
    return left != right ? left < right : strcmp(a->name, b->name) < 0;
}

/* ---- queues: mostly, what is put in goes last */

static void put(spk_queue *queue, spk_task_set *set)
{
    if (set->queued)
        return;
    spk_task_set *before = queue->last;
    while (before && before->order > set->order)
        before = before->prev;
    set->prev = before;
    set->next = before ? before->next : queue->first;
    *(set->next ? &set->next->prev : &queue->last) = set;
    *(before ? &before->next : &queue->first) = set;
    set->queued = true;
}

static void take_out(spk_queue *queue, spk_task_set *set)
{
    if (!set->queued)
        return;
    *(set->next ? &set->next->prev : &queue->last) = set->prev;
    *(set->prev ? &set->prev->next : &queue->first) = set->next;
    set->queued = false;
}

static spk_queue *queue_of(spk_pool *pool, const spk_task_set *set)
{
    return set->share ? &set->share->queue : &pool->queue;
}

/* front: the first set that has work. */
static spk_task_set *front(spk_queue *queue)
{
    while (queue->first && !has_work(queue->first))
        take_out(queue, queue->first);
    return queue->first;
}

/* next_set: the one to claim from: with shares, the first of the one that has least. *more: another
 * has work as well. With the lock held. */
SPK_COLD static spk_task_set *next_set(spk_pool *pool, bool *more)
{
    spk_task_set *best = front(&pool->queue);
    *more = best && best->next;
    for (size_t i = 0; pool->sc->fair && i < pool->sc->n_shares; i++) {
        spk_share *share = pool->sc->shares[i];
        spk_task_set *set = front(&share->queue);
        if (!set)
            continue;
        *more = *more || best || set->next;
        if (!best || !best->share || fairer(share, best->share))
            best = set;
    }
    return best;
}

/* choose: the set to claim from. *more: whether there is work for others. */
static spk_task_set *choose(spk_pool *pool, int *index, bool *more)
{
    spk_task_set *set = next_set(pool, more);
    if (!set)
        return NULL;
    if (set->share)
        set->share->running++;
    *index = set->n_retries > 0 ? set->retries[--set->n_retries] : -1;
    set->users++;
    *more = *more || (*index < 0 ? set->n > 1 && has_work(set) : has_work(set));
    return set;
}

/* run_some: claims from the set until it is exhausted or the queue has changed. */
static void run_some(spk_pool *pool, spark_task *task, spk_task_set *set, unsigned epoch)
{
    int step = pool->sc->fair ? 1 : set->n / (pool->n * 16);
    step = step < 1 ? 1 : step > 16 ? 16 : step;
    do {
        const int from = atomic_fetch_add_explicit(&set->cursor, step, memory_order_relaxed);
        if (from >= set->n)
            return;
        const int to = set->n - from < step ? set->n : from + step;
        for (int i = from; i < to; i++)
            set->run(set, task, i);
    } while (!pool->sc->fair && atomic_load_explicit(&pool->epoch, memory_order_relaxed) == epoch);
}

enum { FLOOR = 16 * 1024 * 1024 };

/* tasks_at_once: how many attempts find the memory that each may need to get on (windows, a shard, the
 * buffers of a chain, all of them twice while they grow) in the half of the limit that is not for what
 * they leave behind. Less memory means fewer tasks at once; one may always run. */
static int tasks_at_once(const spark_context *sc, int workers)
{
    const uint64_t fit = sc->heap.limit / 2 / FLOOR;
    return sc->heap.limit == 0 || fit >= (uint64_t)workers ? workers : fit > 0 ? (int)fit : 1;
}

/* rest: a worker that sleeps while memory is short holds nothing. */
static void rest(const spk_pool *pool, spark_task *task)
{
    if (pool->most < pool->n && task)
        spk_task_rest(task);
}

SPK_COLD static void *work(void *argument)
{
    worker *w = argument;
    spk_pool *pool = w->pool;
    pthread_mutex_lock(&pool->lock);
    while (!pool->stop) {
        int index;
        bool more;
        const unsigned epoch = atomic_load(&pool->epoch);
        spk_task_set *set = pool->busy + pool->lent < pool->most ? choose(pool, &index, &more) : NULL;
        if (!set) {
            rest(pool, w->task);
            pool->idle++;
            pthread_cond_wait(&pool->work, &pool->lock);
            pool->idle--;
            continue;
        }
        pool->busy++;
        if (more && pool->idle > 0)
            pthread_cond_signal(&pool->work);
        pthread_mutex_unlock(&pool->lock);
        if (index >= 0)
            set->run(set, w->task, index);
        else
            run_some(pool, w->task, set, epoch);
        pthread_mutex_lock(&pool->lock);
        pool->busy--;
        if (set->share)
            set->share->running--;
        if (--set->users == 0 && pool->waiting > 0)
            pthread_cond_broadcast(&pool->left);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* start: one worker, with all signals blocked: they are the application's. */
static bool start(spk_pool *pool, worker *w, spark_context *sc)
{
    pthread_attr_t attributes;
    sigset_t before;
    w->pool = pool;
    w->task = spk_task_new(sc);
    if (!w->task || pthread_attr_init(&attributes) != 0) {
        spk_task_free(w->task);
        return false;
    }
    pthread_attr_setstacksize(&attributes, sc->stack_bytes);
    spk_signals_block(&before);
    const int refused = spk_thread_start(sc->place, &w->thread, &attributes, work, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (refused)
        spk_task_free(w->task);
    return !refused;
}

spk_pool *spk_pool_new(spark_context *sc, int threads)
{
    spk_pool *pool = calloc(1, sizeof *pool);
    if (pool)
        pool->workers = calloc((size_t)threads, sizeof *pool->workers);
    if (!pool || !pool->workers) {
        free(pool);
        return NULL;
    }
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->left, NULL);
    int started = 0;
    pthread_mutex_lock(&pool->lock);
    while (started < threads && start(pool, &pool->workers[started], sc))
        started++;
    pool->n = started;
    pool->most = tasks_at_once(sc, started);
    sc->heap.floor = (uint64_t)pool->most * FLOOR;
    if (sc->heap.floor > sc->heap.limit / 2)
        sc->heap.floor = sc->heap.limit / 2;
    pool->sc = sc;
    pthread_mutex_unlock(&pool->lock);
    if (started > 0)
        return pool;
    spk_pool_free(pool);
    return NULL;
}

void spk_pool_free(spk_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stop = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->n; i++) {
        pthread_join(pool->workers[i].thread, NULL);
        spk_task_free(pool->workers[i].task);
    }
    spk_task_free(pool->spare);
    pthread_cond_destroy(&pool->work);
    pthread_cond_destroy(&pool->left);
    pthread_mutex_destroy(&pool->lock);
    free(pool->workers);
    free(pool);
}

int spk_pool_threads(const spk_pool *pool)
{
    return pool->n;
}

/* share_of: by name; a new one has weight 1 and no minimum (Spark's rule for unknown pools). Without
 * memory the first one. */
static spk_share *share_of(const spk_pool *pool, const char *name)
{
    spark_context *sc = pool->sc;
    if (!name)
        name = "default";
    for (size_t i = 0; i < sc->n_shares; i++)
        if (strcmp(sc->shares[i]->name, name) == 0)
            return sc->shares[i];
    spk_share *share = spk_share_add(sc, name, 1, 0);
    return share ? share : sc->n_shares ? sc->shares[0] : NULL;
}

spk_share *spk_share_add(spark_context *sc, const char *name, int weight, int min_share)
{
    spk_share **shares = realloc(sc->shares, (sc->n_shares + 1) * sizeof *shares);
    spk_share *share = calloc(1, sizeof *share);
    if (shares)
        sc->shares = shares;
    if (share)
        share->name = strdup(name);
    if (!shares || !share || !share->name) {
        free(share);
        return NULL;
    }
    share->weight = weight;
    share->min_share = min_share;
    return sc->shares[sc->n_shares++] = share;
}

void spk_shares_free(spark_context *sc)
{
    while (sc->n_shares > 0) {
        spk_share *share = sc->shares[--sc->n_shares];
        free(share->name);
        free(share);
    }
    free(sc->shares);
    sc->shares = NULL;
}

/* has_stack: whether the calling thread has as much left as a worker has. Asking takes the system
 * long, so that what it says is kept. */
static bool has_stack(size_t wanted)
{
    static _Thread_local const char *lowest;
    const char here = 0;
    if (!lowest) {
        pthread_attr_t attributes;
        void *address;
        size_t size, guard = 0;
        if (pthread_getattr_np(pthread_self(), &attributes) != 0)
            return false;
        if (pthread_attr_getstack(&attributes, &address, &size) == 0
            && pthread_attr_getguardsize(&attributes, &guard) == 0)
            lowest = (const char *)address + guard;
        pthread_attr_destroy(&attributes);
    }
    return lowest && &here > lowest && (size_t)(&here - lowest) >= wanted;
}

/* is_queued: whether a worker would find something to do. */
static bool is_queued(spk_pool *pool)
{
    bool more;
    return (pool->sc->fair || pool->queue.first) && next_set(pool, &more);
}

spark_task *spk_pool_lend(spk_pool *pool, spk_task_set *set)
{
    if (pool->sc->check || !has_stack(pool->sc->stack_bytes))
        return NULL;
    if (pthread_mutex_trylock(&pool->lock) != 0)
        return NULL; /* it is not idle; or never will be, in a child of fork */
    const bool free = pool->busy == 0 && !pool->lent && !is_queued(pool);
    if (free && !pool->spare)
        pool->spare = spk_task_new(pool->sc);
    spark_task *task = free ? pool->spare : NULL;
    if (task) {
        pool->lent = 1;
        set->share = pool->sc->fair ? share_of(pool, set->pool) : NULL;
        if (set->share)
            set->share->running++;
    }
    pthread_mutex_unlock(&pool->lock);
    return task;
}

void spk_pool_lent(spk_pool *pool, spk_task_set *set)
{
    pthread_mutex_lock(&pool->lock);
    pool->lent = 0;
    rest(pool, pool->spare);
    if (set->share)
        set->share->running--;
    if (is_queued(pool))
        pthread_cond_signal(&pool->work);
    pthread_mutex_unlock(&pool->lock);
}

void spk_pool_submit(spk_pool *pool, spk_task_set *set)
{
    pthread_mutex_lock(&pool->lock);
    set->share = pool->sc->fair ? share_of(pool, set->pool) : NULL;
    put(queue_of(pool, set), set);
    atomic_fetch_add(&pool->epoch, 1);
    pthread_cond_signal(&pool->work);
    pthread_mutex_unlock(&pool->lock);
}

void spk_pool_retry(spk_pool *pool, spk_task_set *set, int index)
{
    pthread_mutex_lock(&pool->lock);
    set->retries[set->n_retries++] = index;
    put(queue_of(pool, set), set);
    atomic_fetch_add(&pool->epoch, 1);
    pthread_cond_signal(&pool->work);
    pthread_mutex_unlock(&pool->lock);
}

/* wait_left: a worker that has done the last task leaves at once: to sleep would cost more. */
static void wait_left(spk_pool *pool, const spk_task_set *set)
{
    enum { SPINS = 64 };
    for (int i = 0; i < SPINS && set->users > 0; i++) {
        pthread_mutex_unlock(&pool->lock);
        sched_yield();
        pthread_mutex_lock(&pool->lock);
    }
    pool->waiting++;
    while (set->users > 0)
        pthread_cond_wait(&pool->left, &pool->lock);
    pool->waiting--;
}

void spk_pool_remove(spk_pool *pool, spk_task_set *set)
{
    pthread_mutex_lock(&pool->lock);
    take_out(queue_of(pool, set), set);
    wait_left(pool, set);
    take_out(queue_of(pool, set), set); /* where an attempt has asked for another meanwhile */
    pthread_mutex_unlock(&pool->lock);
}
