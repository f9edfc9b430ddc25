/* SPDX-License-Identifier: Apache-2.0 */
/* Workers claim single indexes with one atomic addition, several at once from large sets; the lock
 * is taken only to choose a set. Whoever is woken wakes the next one while tasks remain. `epoch`
 * changes with the queue, so that a worker in the middle of a set notices work that goes before.
 *
 * Lock order: the scheduler's lock may be held when the pool's is taken, never the other way
 * round. */
#include "exec/pool.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>

typedef struct worker {
    spk_pool *pool;
    spark_task *task;
    pthread_t thread;
    char padding[128]; /* no two workers on a cache line */
} worker;

struct spk_pool {
    pthread_mutex_t lock;
    pthread_cond_t work, left;
    spk_task_set *first;
    int idle, waiting;
    bool stop;
    atomic_uint epoch;
    int n;
    worker *workers;
    spark_context *sc;
    spark_task *spare; /* of a calling thread that lends itself; made when first needed */
    bool lent;
};

static bool has_work(spk_task_set *set)
{
    return set->n_retries > 0 || atomic_load_explicit(&set->cursor, memory_order_relaxed) < set->n;
}

/* choose: the first set with work; with the lock held. *more: whether there is work for others. */
static spk_task_set *choose(spk_pool *pool, int *index, bool *more)
{
    spk_task_set *set = pool->first;
    while (set && !has_work(set))
        set = set->next;
    if (!set)
        return NULL;
    *index = set->n_retries > 0 ? set->retries[--set->n_retries] : -1;
    set->users++;
    spk_task_set *other = set;
    while (other && !(other == set && *index < 0 ? set->n > 1 && has_work(set) : has_work(other)))
        other = other->next;
    *more = other != NULL;
    return set;
}

/* run_some: claims from the set until it is exhausted or the queue has changed. */
static void run_some(spk_pool *pool, spark_task *task, spk_task_set *set, unsigned epoch)
{
    int step = set->n / (pool->n * 16);
    step = step < 1 ? 1 : step > 16 ? 16 : step;
    do {
        const int from = atomic_fetch_add_explicit(&set->cursor, step, memory_order_relaxed);
        if (from >= set->n)
            return;
        const int to = set->n - from < step ? set->n : from + step;
        for (int i = from; i < to; i++)
            set->run(set, task, i);
    } while (atomic_load_explicit(&pool->epoch, memory_order_relaxed) == epoch);
}

static void *work(void *argument)
{
    worker *w = argument;
    spk_pool *pool = w->pool;
    pthread_mutex_lock(&pool->lock);
    while (!pool->stop) {
        int index;
        bool more;
        const unsigned epoch = atomic_load(&pool->epoch);
        spk_task_set *set = choose(pool, &index, &more);
        if (!set) {
            pool->idle++;
            pthread_cond_wait(&pool->work, &pool->lock);
            pool->idle--;
            continue;
        }
        if (more && pool->idle > 0)
            pthread_cond_signal(&pool->work);
        pthread_mutex_unlock(&pool->lock);
        if (index >= 0)
            set->run(set, w->task, index);
        else
            run_some(pool, w->task, set, epoch);
        pthread_mutex_lock(&pool->lock);
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
    sigset_t all, before;
    w->pool = pool;
    w->task = spk_task_new(sc);
    if (!w->task || pthread_attr_init(&attributes) != 0) {
        spk_task_free(w->task);
        return false;
    }
    pthread_attr_setstacksize(&attributes, sc->stack_bytes);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int refused = pthread_create(&w->thread, &attributes, work, w);
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

bool spk_pool_lend(spk_pool *pool, spark_task **task)
{
    pthread_mutex_lock(&pool->lock);
    const bool free = !pool->first && pool->idle == pool->n && !pool->lent && !pool->sc->check;
    if (free && !pool->spare)
        pool->spare = spk_task_new(pool->sc);
    const bool good = free && pool->spare;
    if (good) {
        pool->lent = true;
        *task = pool->spare;
    }
    pthread_mutex_unlock(&pool->lock);
    return good;
}

void spk_pool_lent(spk_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->lent = false;
    pthread_mutex_unlock(&pool->lock);
}

void spk_pool_submit(spk_pool *pool, spk_task_set *set)
{
    pthread_mutex_lock(&pool->lock);
    spk_task_set **link = &pool->first;
    while (*link && (*link)->order <= set->order)
        link = &(*link)->next;
    set->next = *link;
    *link = set;
    atomic_fetch_add(&pool->epoch, 1);
    pthread_cond_signal(&pool->work);
    pthread_mutex_unlock(&pool->lock);
}

void spk_pool_retry(spk_pool *pool, spk_task_set *set, int index)
{
    pthread_mutex_lock(&pool->lock);
    set->retries[set->n_retries++] = index;
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
    for (spk_task_set **link = &pool->first; *link; link = &(*link)->next)
        if (*link == set) {
            *link = set->next;
            break;
        }
    wait_left(pool, set);
    pthread_mutex_unlock(&pool->lock);
}
