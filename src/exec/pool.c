/* SPDX-License-Identifier: Apache-2.0 */
/* Workers claim single indexes with one atomic addition, several at once from large sets; the lock
 * is taken only to choose a set. Whoever is woken wakes the next one while tasks remain. `epoch`
 * changes with the queue, so that a worker in the middle of a set notices work that goes before.
 *
 * Lock order: the scheduler's lock may be held when the pool's is taken, never the other way
 * round. */
#include "exec/pool.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/deadline.h"
#include "plan/listening.h"

struct spk_pool {
    pthread_mutex_t lock;
    pthread_cond_t work, left;
    spk_queue queue; /* of all sets, unless shares have them */
    int idle, waiting;
    bool stop;
    atomic_uint epoch;
    atomic_int n; /* workers of the living */
    spark_context *sc;
    spk_executor *living, *lost;
    int n_lost; /* in the list */
    int threads; /* of each executor, as asked for */
    int next_number;
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
    *index = set->n_retries > 0 ? set->retries[--set->n_retries] : -1;
    *more = *more || (*index < 0 ? set->n > 1 && has_work(set) : has_work(set));
    return set;
}

/* is_shared: by several executors. */
static bool is_shared(const spk_pool *pool)
{
    return pool->sc->executors > 1;
}

/* try_queue: the first set that has something for the executor now. */
static spk_task_set *try_queue(
    spk_queue *queue, const spk_executor *executor, int *index, int64_t *more_in)
{
    for (spk_task_set *set = front(queue), *next; set; set = next) {
        next = set->next;
        if (!has_work(set))
            take_out(queue, set);
        else if (!set->claim)
            *index = set->n_retries > 0 ? set->retries[--set->n_retries]
                                        : atomic_fetch_add(&set->cursor, 1);
        else if ((*index = set->claim(set, executor, more_in)) < 0)
            continue;
        if (*index >= 0)
            return set;
    }
    return NULL;
}

/* choose_for: of several executors one: the set it claims from, and the task, one at a time. Of shares
 * the fairest one that has something for it. */
static spk_task_set *choose_for(
    spk_pool *pool, const spk_executor *executor, int *index, int64_t *more_in)
{
    spk_task_set *set = try_queue(&pool->queue, executor, index, more_in);
    const size_t n = pool->sc->fair ? pool->sc->n_shares : 0;
    for (size_t i = 0; i < n; i++)
        pool->sc->shares[i]->tried = false;
    for (size_t tried = 0; tried < n && !set; tried++) {
        spk_share *best = NULL;
        for (size_t i = 0; i < n; i++) {
            spk_share *share = pool->sc->shares[i];
            if (!share->tried && (!best || fairer(share, best)))
                best = share;
        }
        best->tried = true;
        set = try_queue(&best->queue, executor, index, more_in);
    }
    return set;
}

/* call_passed: workers that have left a task to another executor look again, now that one was claimed. */
static void call_passed(spk_pool *pool, spk_task_set *set)
{
    if (set->passed && pool->idle > 0)
        pthread_cond_broadcast(&pool->work);
    set->passed = false;
}

static bool is_lost(const spk_executor *executor)
{
    return atomic_load_explicit(&executor->lost, memory_order_relaxed);
}

/* run_some: claims from the set until it is exhausted or the queue has changed. What it has claimed when
 * the executor is lost, it gives back. */
static void run_some(spk_pool *pool, const spk_worker *w, spk_task_set *set, unsigned epoch)
{
    int step = pool->sc->fair ? 1 : set->n / (pool->n * 16);
    step = step < 1 ? 1 : step > 16 ? 16 : step;
    do {
        const int from = atomic_fetch_add_explicit(&set->cursor, step, memory_order_relaxed);
        if (from >= set->n)
            return;
        const int to = set->n - from < step ? set->n : from + step;
        int i = from;
        while (i < to && !is_lost(w->executor))
            set->run(set, w->task, i++);
        while (i < to)
            spk_pool_retry(pool, set, i++);
    } while (!pool->sc->fair && !is_lost(w->executor)
        && atomic_load_explicit(&pool->epoch, memory_order_relaxed) == epoch);
}

/* leave_set: with the lock held. */
static void leave_set(spk_pool *pool, spk_task_set *set)
{
    if (set->share)
        set->share->running--;
    if (--set->users == 0 && pool->waiting > 0)
        pthread_cond_broadcast(&pool->left);
}

/* sleep_until_work: with the lock held. more_in: nanoseconds, or INT64_MAX. */
static void sleep_until_work(spk_pool *pool, spk_executor *executor, int64_t more_in)
{
    pool->idle++;
    executor->idle++;
    if (more_in == INT64_MAX) {
        pthread_cond_wait(&pool->work, &pool->lock);
    } else {
        const struct timespec until = spk_deadline(more_in / 1000000 + 1);
        pthread_cond_timedwait(&pool->work, &pool->lock, &until);
    }
    executor->idle--;
    pool->idle--;
}

/* rest: a worker that sleeps while memory is short holds nothing. */
static void rest(const spk_executor *executor, spark_task *task)
{
    if (executor->most < executor->n && task)
        spk_task_trim(task);
}

/* reap_lost: what nobody is in any more, or points to; of many that are told about, the oldest go. With the
 * lock held; the threads that are joined have given it up for good. */
SPK_COLD static void reap_lost(spk_pool *pool, int oldest)
{
    int n = 0;
    for (spk_executor **link = &pool->lost, *executor; (executor = *link); n++) {
        const bool left = executor->swept && executor->running == 0 && !executor->lent;
        if (left && executor->n > 0)
            spk_executor_stop(executor);
        if (left && !executor->gone)
            executor->gone = spk_executor_empty(executor);
        if (executor->gone && n >= SPK_REMEMBERED_EXECUTORS && executor->last_job < oldest) {
            *link = executor->next;
            pool->n_lost--;
            spk_executor_free(executor);
        } else {
            link = &executor->next;
        }
    }
}

SPK_COLD static void *work(void *argument)
{
    spk_worker *w = argument;
    spk_executor *executor = w->executor;
    spk_pool *pool = executor->pool;
    pthread_mutex_lock(&pool->lock);
    while (!pool->stop && !is_lost(executor)) {
        int index = -1;
        bool more;
        int64_t more_in = INT64_MAX;
        const unsigned epoch = atomic_load(&pool->epoch);
        spk_task_set *set = NULL;
        if (executor->busy + executor->lent < executor->most)
            set = is_shared(pool) ? choose_for(pool, executor, &index, &more_in)
                                  : choose(pool, &index, &more);
        if (!set) {
            rest(executor, w->task);
            sleep_until_work(pool, executor, more_in);
            continue;
        }
        set->users++;
        if (set->share)
            set->share->running++;
        executor->busy++;
        if (is_shared(pool))
            call_passed(pool, set);
        else if (more && pool->idle > 0)
            pthread_cond_signal(&pool->work);
        pthread_mutex_unlock(&pool->lock);
        if (index >= 0)
            set->run(set, w->task, index);
        else
            run_some(pool, w, set, epoch);
        pthread_mutex_lock(&pool->lock);
        executor->busy--;
        leave_set(pool, set);
    }
    if (!pool->stop)
        reap_lost(pool, 0); /* others: the last to leave waits for the next */
    executor->running--;
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* add_executor: to the living; with the lock held. */
static spk_executor *add_executor(spk_pool *pool)
{
    const spk_executor_spec spec = { pool, pool->sc, pool->next_number, pool->threads, work };
    spk_executor *executor = spk_executor_new(&spec);
    spk_executor **last = &pool->living;
    if (!executor)
        return NULL;
    pool->next_number++;
    while (*last)
        last = &(*last)->next;
    *last = executor;
    pool->n += executor->n;
    const spk_listening *heard = spk_heard_by(pool->sc);
    if (heard)
        heard->executor_added(executor);
    return executor;
}

spk_pool *spk_pool_new(spark_context *sc, int threads)
{
    spk_pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return NULL;
    pthread_mutex_init(&pool->lock, NULL);
    spk_deadline_cond_init(&pool->work);
    spk_deadline_cond_init(&pool->left);
    pthread_mutex_lock(&pool->lock);
    pool->sc = sc;
    pool->next_number = sc->executors > 0 ? 0 : -1;
    pool->threads = threads;
    bool some = false;
    for (int i = 0; i < (sc->executors > 0 ? sc->executors : 1) && add_executor(pool); i++)
        some = true;
    pthread_mutex_unlock(&pool->lock);
    if (some)
        return pool;
    spk_pool_free(pool);
    return NULL;
}

static void free_executors(spk_executor *list)
{
    for (spk_executor *next; list; list = next) {
        next = list->next;
        spk_executor_free(list);
    }
}

void spk_pool_free(spk_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stop = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    free_executors(pool->living);
    free_executors(pool->lost);
    pthread_cond_destroy(&pool->work);
    pthread_cond_destroy(&pool->left);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

int spk_pool_threads(const spk_pool *pool)
{
    return atomic_load(&pool->n);
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
    if (pool->sc->check || is_shared(pool) || !has_stack(pool->sc->stack_bytes))
        return NULL;
    if (pthread_mutex_trylock(&pool->lock) != 0)
        return NULL; /* it is not idle; or never will be, in a child of fork */
    spk_executor *executor = pool->living;
    const bool free = executor->busy == 0 && !executor->lent && !is_queued(pool);
    spark_task *task = free ? spk_executor_spare(executor, pool->sc) : NULL;
    if (task) {
        executor->lent = 1;
        set->share = pool->sc->fair ? share_of(pool, set->pool) : NULL;
        if (set->share)
            set->share->running++;
    }
    pthread_mutex_unlock(&pool->lock);
    return task;
}

void spk_pool_lent(spk_pool *pool, spk_task_set *set, spark_task *task)
{
    pthread_mutex_lock(&pool->lock);
    task->executor->lent = 0;
    rest(task->executor, task);
    if (set->share)
        set->share->running--;
    if (is_queued(pool))
        pthread_cond_signal(&pool->work);
    pthread_mutex_unlock(&pool->lock);
}

/* call: a worker, of whichever executor the work may be for. */
static void call(spk_pool *pool)
{
    atomic_fetch_add(&pool->epoch, 1);
    if (is_shared(pool))
        pthread_cond_broadcast(&pool->work);
    else
        pthread_cond_signal(&pool->work);
}

void spk_pool_submit(spk_pool *pool, spk_task_set *set)
{
    pthread_mutex_lock(&pool->lock);
    set->share = pool->sc->fair ? share_of(pool, set->pool) : NULL;
    put(queue_of(pool, set), set);
    call(pool);
    pthread_mutex_unlock(&pool->lock);
}

void spk_pool_retry(spk_pool *pool, spk_task_set *set, int index)
{
    pthread_mutex_lock(&pool->lock);
    set->retries[set->n_retries++] = index;
    put(queue_of(pool, set), set);
    call(pool);
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

/* ---- losing executors */

/* find: the link to the living one of that name, or to the end. */
static spk_executor **find(spk_pool *pool, const char *name)
{
    spk_executor **link = &pool->living;
    while (*link && strcmp((*link)->name, name) != 0)
        link = &(*link)->next;
    return link;
}

const spk_executor *spk_pool_living(const spk_pool *pool)
{
    return pool->living;
}

void spk_pool_visit_and(spk_pool *pool, spk_pool_visitor *visit, void (*after)(void *arg), void *arg)
{
    pthread_mutex_lock(&pool->lock);
    for (const spk_executor *executor = pool->living; executor; executor = executor->next)
        visit(arg, executor);
    for (const spk_executor *executor = pool->lost; executor; executor = executor->next)
        visit(arg, executor);
    if (after)
        after(arg);
    pthread_mutex_unlock(&pool->lock);
}

void spk_pool_visit(spk_pool *pool, spk_pool_visitor *visit, void *arg)
{
    spk_pool_visit_and(pool, visit, NULL, arg);
}

/* lose: with the lock held. */
static spk_executor *lose(spk_pool *pool, const char *name, const char *reason, spk_failure *failure)
{
    spk_executor **link = find(pool, name), *executor = *link;
    if (!executor) {
        spk_failure_set(failure, SPARK_EINVAL, "killExecutor", NULL, "no executor \"%s\" is alive", name);
        return NULL;
    }
    if (pool->n_lost >= SPK_MOST_LOST) {
        spk_failure_set(failure, SPARK_ENOMEM, "killExecutor", NULL,
            "%d executors were lost while a job runs that may still refer to them: no more can be lost until "
            "it has ended",
            pool->n_lost);
        return NULL;
    }
    if (!add_executor(pool) && pool->living == executor && !executor->next) {
        spk_failure_set(failure, SPARK_ENOMEM, "killExecutor", NULL,
            "executor %s is the only one, and no other could be started in its place", name);
        return NULL;
    }
    *link = executor->next;
    executor->next = pool->lost;
    pool->lost = executor;
    pool->n_lost++;
    atomic_fetch_sub(&pool->n, executor->n);
    snprintf(executor->reason, sizeof executor->reason, "%s", reason);
    atomic_store(&executor->store.lost, true);
    atomic_store(&executor->lost, true);
    executor->last_job = INT_MAX;
    pthread_cond_broadcast(&pool->work);
    const spk_listening *heard = spk_heard_by(pool->sc);
    if (heard)
        heard->executor_removed(executor);
    return executor;
}

spk_executor *spk_pool_lose(
    spk_pool *pool, const char *name, const char *reason, spk_failure *failure)
{
    pthread_mutex_lock(&pool->lock);
    spk_executor *executor = lose(pool, name, reason, failure);
    pthread_mutex_unlock(&pool->lock);
    return executor;
}

static bool commits(const spk_executor *executor)
{
    bool some = false;
    for (int i = -1; i < executor->n && !some; i++) {
        const spark_task *task = spk_executor_task(executor, i);
        some = task && spk_task_phase(task) == SPK_COMMITTING;
    }
    return some;
}

void spk_pool_await_commits(spk_pool *pool, spk_executor *executor)
{
    pthread_mutex_lock(&pool->lock);
    while (commits(executor)) { /* what has just ended may not have seen that somebody waits */
        const struct timespec soon = spk_deadline(1);
        pthread_cond_timedwait(&pool->left, &pool->lock, &soon);
    }
    pthread_mutex_unlock(&pool->lock);
}

void spk_pool_committed(const spk_executor *executor)
{
    if (!atomic_load_explicit(&executor->lost, memory_order_relaxed))
        return;
    pthread_mutex_lock(&executor->pool->lock);
    pthread_cond_broadcast(&executor->pool->left);
    pthread_mutex_unlock(&executor->pool->lock);
}

void spk_pool_swept(spk_pool *pool, spk_executor *executor, int last_job)
{
    spk_heap_trim(executor->store.heap);
    pthread_mutex_lock(&pool->lock);
    executor->last_job = last_job;
    executor->swept = true;
    pthread_cond_broadcast(&pool->left);
    reap_lost(pool, 0);
    pthread_mutex_unlock(&pool->lock);
}

void spk_pool_await_disowner(spk_pool *pool, const spk_executor *executor)
{
    pthread_mutex_lock(&pool->lock); /* who visits is done */
    while (is_lost(executor) && !executor->swept)
        pthread_cond_wait(&pool->left, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

bool spk_pool_thin(spk_executor *executor, unsigned since)
{
    spk_pool *pool = executor->pool;
    pthread_mutex_lock(&pool->lock);
    const int running = executor->busy + executor->lent;
    const bool others_ran = atomic_load(&executor->thinned) != since;
    const bool thin = !others_ran && running > 1 && executor->most > 1;
    if (thin) {
        executor->most = running / 2;
        atomic_fetch_add(&executor->thinned, 1);
        atomic_fetch_add(&pool->epoch, 1); /* workers that claim one task after the other look up */
    }
    pthread_mutex_unlock(&pool->lock);
    return others_ran || thin;
}

void spk_pool_settle(spk_pool *pool, int oldest)
{
    spk_heap_settle(&pool->sc->heap);
    pthread_mutex_lock(&pool->lock);
    for (spk_executor *executor = pool->living; executor; executor = executor->next) {
        if (executor->store.heap == &executor->heap)
            spk_heap_settle(&executor->heap);
        if (executor->busy + executor->lent == 0)
            spk_executor_share(executor);
    }
    reap_lost(pool, oldest);
    pthread_mutex_unlock(&pool->lock);
}
