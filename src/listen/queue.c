/* SPDX-License-Identifier: Apache-2.0 */
/* Events wait in chunks, which the thread of the listener takes all at once; so those who put some in meet
 * it seldom. While they come it looks again every millisecond, and is woken only from a longer sleep: to
 * wake a thread costs more than most tasks. */
#include "listen/bus.h"
#include "listen/parcel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/deadline.h"
#include "base/signals.h"
#include "base/sys.h"

enum {
    CAPACITY = 10000,
    CHUNK = 64,   /* events */
    TASKS = 1 << SPK_TASK_START | 1 << SPK_TASK_END,
    ROUNDS = 20   /* looks, a millisecond each, before it sleeps until it is woken */
};

/* ---- putting in */

/* waiting: what waits: an event, all of it but for metrics, which only the ends of tasks have; or events of a parcel. */
typedef struct waiting {
    _Alignas(16) char event[offsetof(spk_event, u.task.metrics)];
} waiting;
_Static_assert(offsetof(spk_event, u.stage) + sizeof(((spk_event *)0)->u.stage) <= sizeof(waiting), "a stage");
_Static_assert(offsetof(spk_event, u.job) + sizeof(spark_job_info) <= sizeof(waiting), "a job");
_Static_assert(offsetof(spk_event, u.sql) + sizeof(spark_sql_execution) <= sizeof(waiting), "an execution");
_Static_assert(offsetof(spk_event, u.block) + sizeof(spark_block_event) <= sizeof(waiting), "a block");

struct spk_queue_chunk {
    spk_queue_chunk *next;
    size_t n, n_events;
    waiting at[CHUNK];
};

/* add_chunk: with the lock held. */
static bool add_chunk(spk_listener_queue *q)
{
    spk_queue_chunk *chunk = q->spare;
    if (chunk) {
        q->spare = chunk->next;
        q->n_spare--;
    } else if (!(chunk = malloc(sizeof *chunk))) {
        return false;
    }
    chunk->next = NULL;
    chunk->n = chunk->n_events = 0;
    *(q->last ? &q->last->next : &q->first) = chunk;
    q->last = chunk;
    return true;
}

/* add: what holds so many events; with the lock held. */
static bool add(spk_listener_queue *q, const spk_event *event, size_t n_events)
{
    if (!(q->last && q->last->n < CHUNK) && !add_chunk(q))
        return false;
    memcpy(&q->last->at[q->last->n++], event, sizeof(waiting));
    q->last->n_events += n_events;
    q->waiting += n_events;
    q->posted += n_events;
    return true;
}

/* unlock: and wakes it, if it is to be. */
static void unlock(spk_listener_queue *q)
{
    if (q->waiting >= q->capacity)
        atomic_store_explicit(&q->full, true, memory_order_relaxed);
    if (q->sleeps && (q->first || q->missed > q->missed_told)) {
        q->sleeps = false;
        pthread_cond_signal(&q->work);
    }
    pthread_mutex_unlock(&q->lock);
}

bool spk_queue_put(spk_listener_queue *q, const spk_event *event, bool must)
{
    pthread_mutex_lock(&q->lock);
    const bool good = (must || q->waiting < q->capacity) && add(q, event, 1);
    for (int i = 0; i < 2 && good; i++)
        if (event->pads[i])
            spk_pad_ref(event->pads[i]);
    q->missed += !good;
    unlock(q);
    return good;
}

static uint64_t wanted(const spk_listener_queue *q, const spk_parcel *parcel)
{
    return (spk_queue_wants(q, SPK_TASK_START) ? parcel->starts : 0)
        | (spk_queue_wants(q, SPK_TASK_END)          ? parcel->ends
                : spk_queue_wants(q, SPK_TASK_FAILED) ? parcel->bad
                                                      : 0);
}

/* add_some: of the events of a parcel, so many; with the lock held. */
static bool add_some(spk_listener_queue *q, spk_parcel *parcel, uint64_t which, size_t n)
{
    spk_event event;
    event.kind = SPK_PARCEL;
    event.pads[0] = event.pads[1] = NULL;
    event.u.some.parcel = parcel;
    event.u.some.which = which;
    if (!add(q, &event, n))
        return false;
    atomic_fetch_add_explicit(&parcel->refs, 1, memory_order_relaxed);
    return true;
}

static size_t count(uint64_t bits)
{
    return (size_t)__builtin_popcountll(bits);
}

bool spk_queue_pass(spk_listener_queue *q, spk_parcel *parcel)
{
    const uint64_t which = wanted(q, parcel);
    const size_t n = count(which);
    if (n == 0)
        return true;
    pthread_mutex_lock(&q->lock);
    const bool good = (q->listener.whole || q->waiting + n <= q->capacity) && add_some(q, parcel, which, n);
    unlock(q);
    return good;
}

/* choose: as long as there is room for a start; an end is told where the start was. */
static uint64_t choose(spk_listener_queue *q, const spk_parcel *parcel)
{
    const uint64_t bit = UINT64_C(1) << q->number, wants = wanted(q, parcel);
    const bool starts = spk_queue_wants(q, SPK_TASK_START);
    uint64_t which = 0;
    size_t n = 0;
    for (int i = 0; i < parcel->n; i++) {
        spk_lane *lane = parcel->from[i];
        const bool start = parcel->starts >> i & 1;
        const bool good = !start ? lane->told & bit : !starts || q->listener.whole || q->waiting + n < q->capacity;
        q->missed += !good && start;
        if (start)
            lane->told = good ? lane->told | bit : lane->told & ~bit;
        if (good && (wants >> i & 1)) {
            which |= UINT64_C(1) << i;
            n++;
        }
    }
    return which;
}

void spk_queue_pick(spk_listener_queue *q, spk_parcel *parcel)
{
    pthread_mutex_lock(&q->lock);
    const uint64_t which = choose(q, parcel);
    if (which && !add_some(q, parcel, which, count(which))) {
        q->missed += (int64_t)count(which);
        for (int i = 0; i < parcel->n; i++)
            parcel->from[i]->told &= ~(UINT64_C(1) << q->number);
    }
    unlock(q);
}

void spk_queue_await_room(spk_listener_queue *q)
{
    pthread_mutex_lock(&q->lock);
    while (q->waiting >= q->capacity && !q->ends) {
        q->n_wait++;
        pthread_cond_wait(&q->room, &q->lock);
        q->n_wait--;
    }
    pthread_mutex_unlock(&q->lock);
}

/* ---- telling */

#define TELL(callback, value)                                                                      \
    do {                                                                                           \
        if (l->callback)                                                                           \
            l->callback(l->env, value);                                                            \
    } while (0)

/* tell_end: brief: without what was measured. */
static void tell_end(const spark_listener *l, const spark_task_info *info)
{
    spark_task_info less;
    if (l->brief) {
        less = *info;
        less.metrics = NULL;
        info = &less;
    }
    if (l->task_end)
        l->task_end(l->env, info);
    else
        TELL(task_failed, info);
}

/* tell_some: of a parcel. */
static void tell_some(const spark_listener *l, const spk_parcel *parcel, uint64_t which)
{
    for (; which; which &= which - 1) {
        const int i = __builtin_ctzll(which);
        const spk_event *e = spk_parcel_event(parcel, i);
        if (parcel->starts >> i & 1)
            l->task_start(l->env, &e->u.task.info);
        else
            tell_end(l, &e->u.task.info);
    }
}

static void tell(const spark_listener *l, const spk_event *e)
{
    switch (e->kind) {
    case SPK_APPLICATION_START: TELL(application_start, &e->u.application); break;
    case SPK_APPLICATION_END: TELL(application_end, &e->u.application); break;
    case SPK_ENVIRONMENT: TELL(environment_update, &e->u.environment); break;
    case SPK_EXECUTOR_ADDED: TELL(executor_added, &e->u.executor); break;
    case SPK_EXECUTOR_REMOVED: TELL(executor_removed, &e->u.executor); break;
    case SPK_JOB_START: TELL(job_start, &e->u.job); break;
    case SPK_JOB_END: TELL(job_end, &e->u.job); break;
    case SPK_STAGE_SUBMITTED:
        if (l->stage_submitted)
            l->stage_submitted(l->env, &e->u.stage.info, e->u.stage.job);
        break;
    case SPK_STAGE_COMPLETED: TELL(stage_completed, &e->u.stage.info); break;
    case SPK_BLOCK: TELL(block_updated, &e->u.block); break;
    case SPK_UNPERSIST: TELL(unpersist_rdd, e->u.rdd); break;
    case SPK_SQL_START: TELL(sql_start, &e->u.sql); break;
    case SPK_SQL_END: TELL(sql_end, &e->u.sql); break;
    case SPK_PARCEL: tell_some(l, e->u.some.parcel, e->u.some.which); break;
    case SPK_TASK_START:
    case SPK_TASK_END:
    case SPK_TASK_FAILED: break; /* they come in parcels */
    }
}

/* tell_chunk: frees what its events had. */
static void tell_chunk(spk_listener_queue *q, spk_queue_chunk *chunk)
{
    for (size_t i = 0; i < chunk->n; i++) {
        spk_event *e = (spk_event *)(void *)&chunk->at[i];
        tell(&q->listener, e);
        spk_pad_unref(e->pads[0]);
        spk_pad_unref(e->pads[1]);
        if (e->kind == SPK_PARCEL)
            spk_parcel_unref(e->u.some.parcel);
    }
}

/* told: a chunk was; with the lock held. */
static void told(spk_listener_queue *q, spk_queue_chunk *chunk)
{
    q->waiting -= chunk->n_events;
    q->told += chunk->n_events;
    if (q->waiting < q->capacity)
        atomic_store_explicit(&q->full, false, memory_order_relaxed);
    if (q->n_wait > 0)
        pthread_cond_broadcast(&q->room);
    if (q->n_spare * CHUNK < q->capacity) {
        chunk->next = q->spare;
        q->spare = chunk;
        q->n_spare++;
    } else {
        free(chunk);
    }
}

/* say_missed: with the lock held, which is given up meanwhile. */
static void say_missed(spk_listener_queue *q)
{
    const int64_t n = q->missed - q->missed_told;
    q->missed_told = q->missed;
    if (n == 0 || !q->listener.missed)
        return;
    pthread_mutex_unlock(&q->lock);
    q->listener.missed(q->listener.env, n);
    pthread_mutex_lock(&q->lock);
}

/* tell_all: what is there; with the lock held, which is given up meanwhile. */
static void tell_all(spk_listener_queue *q)
{
    spk_queue_chunk *chunk = q->first;
    q->first = q->last = NULL;
    say_missed(q);
    while (chunk) {
        spk_queue_chunk *next = chunk->next;
        pthread_mutex_unlock(&q->lock);
        tell_chunk(q, chunk);
        pthread_mutex_lock(&q->lock);
        told(q, chunk);
        chunk = next;
    }
}

static void idle(spk_listener_queue *q)
{
    if (!q->listener.idle)
        return;
    pthread_mutex_unlock(&q->lock);
    q->listener.idle(q->listener.env);
    pthread_mutex_lock(&q->lock);
}

/* look: for what waits in lanes; with the lock held, which is given up meanwhile. */
static void look(spk_listener_queue *q)
{
    if (!(q->wants & TASKS))
        return;
    pthread_mutex_unlock(&q->lock);
    spk_lanes_flush(q->bus);
    pthread_mutex_lock(&q->lock);
}

/* may_sleep: until it is woken: whoever puts something into a lane sees from now on that somebody sleeps, and
 * what was there before has been looked for. */
static bool may_sleep(spk_listener_queue *q)
{
    if (!(q->wants & TASKS))
        return true;
    atomic_fetch_add(&q->bus->sleepers, 1);
    look(q);
    if (!q->first && !q->ends && !q->hurries)
        return true;
    atomic_fetch_sub(&q->bus->sleepers, 1);
    return false;
}

/* sleep_a_while: until there is something, a millisecond, or a tick. With the lock held. */
static void sleep_a_while(spk_listener_queue *q, int round)
{
    const struct timespec soon = spk_deadline(1);
    if (round < ROUNDS) {
        if (!q->hurries)
            pthread_cond_timedwait(&q->work, &q->lock, &soon);
        return;
    }
    if (!may_sleep(q)) {
        if (!q->first && !q->ends) /* who waits has been told all, and is to get the CPU */
            pthread_cond_timedwait(&q->work, &q->lock, &soon);
        return;
    }
    q->sleeps = true;
    if (q->listener.tick_ms > 0) {
        const struct timespec until = spk_deadline(q->listener.tick_ms);
        pthread_cond_timedwait(&q->work, &q->lock, &until);
    } else {
        pthread_cond_wait(&q->work, &q->lock);
    }
    q->sleeps = false;
    if (q->wants & TASKS)
        atomic_fetch_sub(&q->bus->sleepers, 1);
}

static void *listen(void *argument)
{
    spk_listener_queue *q = argument;
    int round = ROUNDS;
    pthread_mutex_lock(&q->lock);
    while (!q->begins)
        pthread_cond_wait(&q->work, &q->lock);
    for (;;) {
        look(q);
        if (q->first || q->missed > q->missed_told) {
            tell_all(q);
            round = 0;
            continue;
        }
        if (round == 0 || round == ROUNDS)
            idle(q);
        if (q->first)
            continue;
        if (q->ends)
            break;
        sleep_a_while(q, round);
        round += round < ROUNDS;
    }
    q->over = true;
    pthread_cond_broadcast(&q->room);
    while (!q->closes)
        pthread_cond_wait(&q->work, &q->lock);
    pthread_mutex_unlock(&q->lock);
    if (q->listener.close)
        q->listener.close(q->listener.env);
    return NULL;
}

/* ---- life */

void spk_queue_begin(spk_listener_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->begins = true;
    pthread_cond_signal(&q->work);
    pthread_mutex_unlock(&q->lock);
}

static void free_queue(spk_listener_queue *q)
{
    for (spk_queue_chunk *chunk = q->spare, *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    pthread_mutex_destroy(&q->lock);
    pthread_cond_destroy(&q->work);
    pthread_cond_destroy(&q->room);
    free(q);
}

static void init_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
#ifdef PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP
    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ADAPTIVE_NP); /* it is held for some 20 ns */
#endif
    pthread_mutex_init(lock, &kind);
    pthread_mutexattr_destroy(&kind);
}

static unsigned wants_of(const spark_listener *l)
{
    return (unsigned)(l->application_start != NULL) << SPK_APPLICATION_START
        | (unsigned)(l->application_end != NULL) << SPK_APPLICATION_END
        | (unsigned)(l->environment_update != NULL) << SPK_ENVIRONMENT
        | (unsigned)(l->executor_added != NULL) << SPK_EXECUTOR_ADDED
        | (unsigned)(l->executor_removed != NULL) << SPK_EXECUTOR_REMOVED
        | (unsigned)(l->job_start != NULL) << SPK_JOB_START
        | (unsigned)(l->job_end != NULL) << SPK_JOB_END
        | (unsigned)(l->stage_submitted != NULL) << SPK_STAGE_SUBMITTED
        | (unsigned)(l->stage_completed != NULL) << SPK_STAGE_COMPLETED
        | (unsigned)(l->task_start != NULL) << SPK_TASK_START
        | (unsigned)(l->task_end != NULL) << SPK_TASK_END
        | (unsigned)(l->block_updated != NULL) << SPK_BLOCK
        | (unsigned)(l->unpersist_rdd != NULL) << SPK_UNPERSIST
        | (unsigned)(l->sql_start != NULL) << SPK_SQL_START
        | (unsigned)(l->sql_end != NULL) << SPK_SQL_END
        | (unsigned)(l->task_failed != NULL) << SPK_TASK_FAILED;
}

spk_listener_queue *spk_queue_new(const spark_listener *listener, int number, spk_bus *bus)
{
    spk_listener_queue *q = calloc(1, sizeof *q);
    sigset_t before;
    if (!q)
        return NULL;
    q->listener = *listener;
    q->capacity = listener->capacity ? listener->capacity : CAPACITY;
    q->number = number;
    q->bus = bus;
    q->wants = wants_of(listener);
    init_lock(&q->lock);
    spk_deadline_cond_init(&q->work);
    pthread_cond_init(&q->room, NULL);
    spk_signals_block(&before);
    const int refused = spk_thread_start(NULL, &q->thread, NULL, listen, q);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!refused)
        return q;
    free_queue(q);
    return NULL;
}

void spk_queue_finish(spk_listener_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->ends = true;
    q->sleeps = false;
    pthread_cond_signal(&q->work);
    pthread_cond_broadcast(&q->room);
    while (!q->over)
        pthread_cond_wait(&q->room, &q->lock);
    pthread_mutex_unlock(&q->lock);
}

void spk_queue_end(spk_listener_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closes = true;
    pthread_cond_signal(&q->work);
    pthread_mutex_unlock(&q->lock);
    pthread_join(q->thread, NULL);
    free_queue(q);
}

void spk_queue_await_told(spk_listener_queue *q)
{
    if (pthread_equal(pthread_self(), q->thread))
        return;
    spk_lanes_flush(q->bus);
    pthread_mutex_lock(&q->lock);
    const uint64_t until = q->posted;
    q->hurries++;
    pthread_cond_signal(&q->work);
    while (q->told < until && !q->over) {
        q->n_wait++;
        pthread_cond_wait(&q->room, &q->lock);
        q->n_wait--;
    }
    q->hurries--;
    pthread_mutex_unlock(&q->lock);
}

int64_t spk_queue_missed(spk_listener_queue *q)
{
    pthread_mutex_lock(&q->lock);
    const int64_t missed = q->missed;
    pthread_mutex_unlock(&q->lock);
    return missed;
}
