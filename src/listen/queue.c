/* SPDX-License-Identifier: Apache-2.0 */
/* Events wait in chunks, which the thread of the listener takes all at once; so those who put some in meet
 * it seldom. While they come it looks again every millisecond, and is woken only from a longer sleep: to
 * wake a thread costs more than most tasks. */
#include "listen/queue.h"

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
    SPARE = 256,  /* chunks that are kept */
    ROUNDS = 20,  /* looks, a millisecond each, before it sleeps until it is woken */
    PAD = 4096
};

/* ---- pads */

typedef struct pad_piece {
    struct pad_piece *next;
    size_t used, size;
    _Alignas(16) char bytes[];
} pad_piece;

struct spk_pad {
    atomic_int refs;
    bool failed;
    pad_piece *pieces;
};

spk_pad *spk_pad_new(void)
{
    spk_pad *pad = calloc(1, sizeof *pad);
    if (pad)
        atomic_init(&pad->refs, 1);
    return pad;
}

void spk_pad_ref(spk_pad *pad)
{
    atomic_fetch_add_explicit(&pad->refs, 1, memory_order_relaxed);
}

void spk_pad_unref(spk_pad *pad)
{
    if (!pad || atomic_fetch_sub_explicit(&pad->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (pad_piece *piece = pad->pieces, *next; piece; piece = next) {
        next = piece->next;
        free(piece);
    }
    free(pad);
}

void *spk_pad_alloc(spk_pad *pad, size_t size)
{
    const size_t wanted = (size + 15) & ~(size_t)15;
    pad_piece *piece = pad->pieces;
    if (pad->failed)
        return NULL;
    if (!piece || piece->size - piece->used < wanted) {
        const size_t room = wanted > PAD ? wanted : PAD;
        piece = malloc(sizeof *piece + room);
        if (!piece) {
            pad->failed = true;
            return NULL;
        }
        piece->used = 0;
        piece->size = room;
        piece->next = pad->pieces;
        pad->pieces = piece;
    }
    char *at = piece->bytes + piece->used;
    piece->used += wanted;
    return memset(at, 0, wanted);
}

const char *spk_pad_text(spk_pad *pad, const char *text)
{
    if (!text || !*text)
        return "";
    const size_t size = strlen(text) + 1;
    char *copy = spk_pad_alloc(pad, size);
    return copy ? memcpy(copy, text, size) : "";
}

bool spk_pad_whole(const spk_pad *pad)
{
    return !pad->failed;
}

/* ---- putting in */

struct spk_queue_chunk {
    spk_queue_chunk *next;
    size_t n;
    spk_event events[CHUNK];
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
    chunk->n = 0;
    *(q->last ? &q->last->next : &q->first) = chunk;
    q->last = chunk;
    return true;
}

bool spk_queue_put(spk_listener_queue *q, const spk_event *event, bool must)
{
    for (int i = 0; i < 2; i++)
        if (event->pads[i])
            spk_pad_ref(event->pads[i]);
    pthread_mutex_lock(&q->lock);
    bool good = must || q->waiting < q->capacity;
    good = good && ((q->last && q->last->n < CHUNK) || add_chunk(q));
    if (good) {
        const spk_event *end = &q->last->events[q->last->n++];
        memcpy(&q->last->events[end - q->last->events], event, sizeof *event);
        q->waiting++;
        q->posted++;
    } else {
        q->missed++;
    }
    if (q->sleeps) {
        q->sleeps = false;
        pthread_cond_signal(&q->work);
    }
    pthread_mutex_unlock(&q->lock);
    for (int i = 0; i < 2 && !good; i++)
        spk_pad_unref(event->pads[i]);
    return good;
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

static void tell(const spark_listener *l, spk_event *e)
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
    case SPK_TASK_START: TELL(task_start, &e->u.task.info); break;
    case SPK_TASK_END:
        e->u.task.info.metrics = &e->u.task.metrics;
        TELL(task_end, &e->u.task.info);
        break;
    case SPK_BLOCK: TELL(block_updated, &e->u.block); break;
    case SPK_UNPERSIST: TELL(unpersist_rdd, e->u.rdd); break;
    }
}

/* tell_chunk: frees what its events had. */
static void tell_chunk(spk_listener_queue *q, spk_queue_chunk *chunk)
{
    for (size_t i = 0; i < chunk->n; i++) {
        spk_event *e = &chunk->events[i];
        tell(&q->listener, e);
        spk_pad_unref(e->pads[0]);
        spk_pad_unref(e->pads[1]);
    }
}

/* told: a chunk was; with the lock held. */
static void told(spk_listener_queue *q, spk_queue_chunk *chunk)
{
    q->waiting -= chunk->n;
    q->told += chunk->n;
    if (q->n_wait > 0)
        pthread_cond_broadcast(&q->room);
    if (q->n_spare < SPARE) {
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

/* sleep_a_while: until there is something, a millisecond, or a tick. With the lock held. */
static void sleep_a_while(spk_listener_queue *q, int round)
{
    if (round < ROUNDS) {
        const struct timespec soon = spk_deadline(1);
        if (!q->hurries)
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
}

static void *listen(void *argument)
{
    spk_listener_queue *q = argument;
    int round = ROUNDS;
    pthread_mutex_lock(&q->lock);
    for (;;) {
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
    pthread_mutex_unlock(&q->lock);
    if (q->listener.close)
        q->listener.close(q->listener.env);
    return NULL;
}

/* ---- life */

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
        | (unsigned)(l->unpersist_rdd != NULL) << SPK_UNPERSIST;
}

spk_listener_queue *spk_queue_new(const spark_listener *listener, int number)
{
    spk_listener_queue *q = calloc(1, sizeof *q);
    sigset_t before;
    if (!q)
        return NULL;
    q->listener = *listener;
    q->capacity = listener->capacity ? listener->capacity : CAPACITY;
    q->number = number;
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

void spk_queue_end(spk_listener_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->ends = true;
    q->sleeps = false;
    pthread_cond_signal(&q->work);
    pthread_cond_broadcast(&q->room);
    pthread_mutex_unlock(&q->lock);
    pthread_join(q->thread, NULL);
    free_queue(q);
}

void spk_queue_await_told(spk_listener_queue *q)
{
    if (pthread_equal(pthread_self(), q->thread))
        return;
    pthread_mutex_lock(&q->lock);
    const uint64_t until = q->posted;
    q->hurries++;
    pthread_cond_signal(&q->work);
    while (q->told < until && !q->ends) {
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
