/* SPDX-License-Identifier: Apache-2.0 */
/* Gates hold tasks and threads where a test wants them, so that no test depends on time; and what
 * errors of actions must name. A test that fails before it opens its gate ends all the same: nobody
 * stands at a gate for more than half a minute. */
#ifndef GATE_H
#define GATE_H

#include "oracle.h"

/* gate_state: outlives a test that fails, since its tasks may still stand there. */
typedef struct gate_state {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool open;
    int arrived, inside; /* ever; now */
} gate_state;
typedef gate_state *gate_ref; /* what tasks get */

typedef struct gate {
    gate_ref state;
} gate;

enum { GATE_SECONDS = 30 };

static inline void gate_init(gate *g)
{
    g->state = calloc(1, sizeof *g->state);
    if (g->state == NULL)
        abort();
    pthread_mutex_init(&g->state->lock, NULL);
    pthread_cond_init(&g->state->changed, NULL);
}

static inline void gate_fini(gate *g)
{
    pthread_mutex_destroy(&g->state->lock);
    pthread_cond_destroy(&g->state->changed);
    free(g->state);
}

static inline struct timespec gate_deadline(long nanoseconds)
{
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_nsec += nanoseconds;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

/* gate_wait: until the gate is open; until the task is unwanted, where one is given. */
static inline void gate_wait(gate_ref g, const spark_task *task)
{
    struct timespec end = gate_deadline(0);
    end.tv_sec += GATE_SECONDS;
    pthread_mutex_lock(&g->lock);
    g->arrived++;
    g->inside++;
    pthread_cond_broadcast(&g->changed);
    for (;;) {
        const struct timespec soon = gate_deadline(1000000);
        const bool late = soon.tv_sec > end.tv_sec;
        if (g->open || late || (task && spark_cancelled(task)))
            break;
        pthread_cond_timedwait(&g->changed, &g->lock, task ? &soon : &end);
    }
    g->inside--;
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
}

static inline void gate_open(gate *at)
{
    gate_ref g = at->state;
    pthread_mutex_lock(&g->lock);
    g->open = true;
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
}

/* gate_await: until so many have come to the gate. False: they did not, in that time. */
static inline bool gate_await(gate *at, int arrived)
{
    gate_ref g = at->state;
    struct timespec end = gate_deadline(0);
    end.tv_sec += GATE_SECONDS;
    pthread_mutex_lock(&g->lock);
    int status = 0;
    while (g->arrived < arrived && status == 0)
        status = pthread_cond_timedwait(&g->changed, &g->lock, &end);
    const bool good = g->arrived >= arrived;
    pthread_mutex_unlock(&g->lock);
    return good;
}

static inline int gate_arrived(gate *at)
{
    gate_ref g = at->state;
    pthread_mutex_lock(&g->lock);
    const int arrived = g->arrived;
    pthread_mutex_unlock(&g->lock);
    return arrived;
}

/* Functions that stop at a gate: `held` until it opens, `held_or_cancelled` also until nobody wants
 * the task any more. */
SPARK_FILTER(held, int64_t, gate_ref)
{
    (void)in;
    gate_wait(*env, NULL);
    return true;
}
SPARK_FILTER(held_or_cancelled, int64_t, gate_ref)
{
    (void)in;
    gate_wait(*env, task);
    return true;
}

#endif
