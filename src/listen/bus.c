/* SPDX-License-Identifier: Apache-2.0 */
/* Adding listeners, and the end of all of them. The bus comes with the first one, and stays until the
 * context is freed; so whoever sees the table of hooks sees the bus. */
#include "listen/bus.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "exec/pool.h"
#include "listen/parcel.h"
#include "plan/listening.h"

#define DRIVER "driver" /* the executor where there is but one */
#define FORKED "the context belongs to a process that this one is a fork of"

/* mark_here: a page that the system wipes in a child of fork. */
static const int *mark_here(void)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    int *mark = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mark == MAP_FAILED)
        return NULL;
    madvise(mark, page, MADV_WIPEONFORK); /* where it cannot, children of fork run no jobs */
    *mark = 1;
    return mark;
}

static int64_t clock_of(clockid_t id)
{
    struct timespec at;
    clock_gettime(id, &at);
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

spk_bus *spk_bus_new(spark_context *sc)
{
    spk_bus *bus = aligned_alloc(64, sizeof *bus);
    if (!bus)
        return NULL;
    memset(bus, 0, sizeof *bus);
    bus->sc = sc;
    bus->here = mark_here();
    bus->pad = spk_pad_new();
    pthread_mutex_init(&bus->sql_lock, NULL);
    pthread_mutex_init(&bus->parcel_lock, NULL);
    bus->since = clock_of(CLOCK_REALTIME) - spk_now();
    if (bus->pad && bus->here)
        spk_bus_describe(bus);
    if (bus->pad && bus->here && spk_pad_whole(bus->pad))
        return bus;
    spk_bus_free(bus);
    return NULL;
}

void spk_bus_free(spk_bus *bus)
{
    void *mark;
    if (!bus)
        return;
    memcpy(&mark, &bus->here, sizeof mark);
    if (mark)
        munmap(mark, (size_t)sysconf(_SC_PAGESIZE));
    spk_notes_free(atomic_load(&bus->notes));
    spk_lanes_free(bus);
    spk_parcels_free(bus);
    spk_pad_unref(bus->pad);
    pthread_mutex_destroy(&bus->sql_lock);
    pthread_mutex_destroy(&bus->parcel_lock);
    free(bus);
}

void spk_bus_post(spk_bus *bus, const spk_event *event, bool must)
{
    if (must)
        spk_lanes_flush(bus);
    for (spk_listener_queue *q = atomic_load_explicit(&bus->queues, memory_order_acquire); q; q = q->next)
        if (spk_queue_wants(q, event->kind))
            spk_queue_put(q, event, must || q->listener.whole);
}

static void left_out(spk_listener_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->missed++;
    pthread_mutex_unlock(&q->lock);
}

void spk_bus_left_out(spk_bus *bus)
{
    for (spk_listener_queue *q = atomic_load(&bus->queues); q; q = q->next)
        left_out(q);
}

/* ---- adding */

typedef struct joining {
    spk_bus *bus;
    spk_listener_queue *queue;
} joining;

static void put_if(spk_listener_queue *queue, const spk_event *event)
{
    if (spk_queue_wants(queue, event->kind))
        spk_queue_put(queue, event, true);
}

/* join: with the pool's lock held, so that no executor comes or goes meanwhile. */
static void join(void *arg)
{
    const joining *j = arg;
    j->queue->next = atomic_load(&j->bus->queues);
    atomic_store_explicit(&j->bus->queues, j->queue, memory_order_release);
    spk_queue_begin(j->queue);
}

/* tell_of: the new listener, of an executor that is alive: before it joins, so that it knows where tasks run. */
static void tell_of(void *arg, const spk_executor *executor)
{
    const joining *j = arg;
    spk_bus *bus = j->bus;
    if (atomic_load(&executor->lost))
        return;
    spk_event event = { .kind = SPK_EXECUTOR_ADDED, .pads = { bus->pad } };
    const bool alone = strcmp(executor->name, DRIVER) == 0; /* which wants no memory for its name */
    spk_pad *pad = alone ? NULL : spk_pad_new();
    event.u.executor = spk_executor_event_of(bus, executor);
    event.u.executor.id = alone ? DRIVER : pad ? spk_pad_text(pad, executor->name) : "";
    event.pads[1] = pad;
    if (alone || (pad && spk_pad_whole(pad)))
        put_if(j->queue, &event);
    else
        left_out(j->queue);
    spk_pad_unref(pad);
}

/* have_bus: with the scope's lock held: two might want the first one at once. */
static spk_bus *have_bus(spark_context *sc)
{
    if (sc->bus || !(sc->bus = spk_bus_new(sc)))
        return sc->bus;
    atomic_store_explicit(&sc->listening, &spk_hooks, memory_order_release);
    return sc->bus;
}

spark_status spk_bus_of(spark_context *sc, const char *operation, spk_bus **bus)
{
    *bus = NULL;
    if (!sc)
        return spk_raisef(SPARK_EINVAL, operation, NULL, "%s: no context", operation);
    if (sc->error)
        return spk_raise(sc->error);
    if (getpid() != sc->process)
        return spk_raisef(SPARK_EINVAL, operation, NULL, "%s: %s", operation, FORKED);
    pthread_mutex_lock(&sc->scope_lock);
    *bus = have_bus(sc);
    pthread_mutex_unlock(&sc->scope_lock);
    return *bus ? SPARK_OK : spk_raisef(SPARK_ENOMEM, operation, NULL, "%s: out of memory", operation);
}

/* make_queue: with the scope's lock held. */
static spk_listener_queue *make_queue(spark_context *sc, const spark_listener *listener)
{
    spk_bus *bus = have_bus(sc);
    spk_listener_queue *queue = NULL;
    if (bus && bus->n_queues < SPK_MOST_LISTENERS)
        queue = spk_queue_new(listener, bus->n_queues, bus);
    if (queue) {
        bus->n_queues++;
        atomic_fetch_or(&bus->wants, queue->wants);
    }
    return queue;
}

static spark_status add(spark_context *sc, const spark_listener *listener)
{
    pthread_mutex_lock(&sc->scope_lock);
    spk_listener_queue *queue = make_queue(sc, listener);
    pthread_mutex_unlock(&sc->scope_lock);
    if (!queue)
        return SPARK_ENOMEM;
    joining j = { sc->bus, queue };
    spk_event event = { .kind = SPK_APPLICATION_START, .pads = { j.bus->pad } };
    event.u.application = j.bus->application;
    put_if(queue, &event);
    event = (spk_event) { .kind = SPK_ENVIRONMENT, .pads = { j.bus->pad } };
    event.u.environment = j.bus->environment;
    put_if(queue, &event);
    spk_lanes_flush(j.bus); /* what has begun already is not told to it */
    spk_pool_visit_and(sc->scheduler->pool, tell_of, join, &j);
    return SPARK_OK;
}

static bool is_full(spark_context *sc)
{
    pthread_mutex_lock(&sc->scope_lock);
    const bool full = sc->bus && sc->bus->n_queues == SPK_MOST_LISTENERS;
    pthread_mutex_unlock(&sc->scope_lock);
    return full;
}

static spark_status refuse(
    const spark_listener *listener, spark_status status, const char *complaint)
{
    if (listener && listener->close)
        listener->close(listener->env);
    return spk_raisef(status, "addSparkListener", NULL, "addSparkListener: %s", complaint);
}

spark_status spark_add_listener(spark_context *sc, const spark_listener *listener)
{
    if (!listener || !sc)
        return refuse(listener, SPARK_EINVAL, listener ? "no context" : "no listener");
    if (sc->error) {
        if (listener->close)
            listener->close(listener->env);
        return spk_raise(sc->error);
    }
    if (getpid() != sc->process)
        return refuse(listener, SPARK_EINVAL, FORKED);
    const spark_status status = add(sc, listener);
    return status == SPARK_OK ? status
                              : refuse(listener, status,
                                    is_full(sc) ? "a context has at most 64 listeners"
                                                        : "out of memory, or of threads");
}

/* ---- waiting */

static spk_bus *bus_of(const spark_context *sc)
{
    return sc && !sc->error && spk_heard_by(sc) ? sc->bus : NULL;
}

bool spk_bus_tells_here(const spark_context *sc)
{
    for (const spk_listener_queue *q = atomic_load(&sc->bus->queues); q; q = q->next)
        if (pthread_equal(pthread_self(), q->thread))
            return true;
    return false;
}

void spark_listeners_wait(spark_context *sc)
{
    const spk_bus *bus = bus_of(sc);
    if (!bus || !*bus->here || spk_bus_tells_here(sc))
        return;
    for (spk_listener_queue *q = atomic_load(&bus->queues); q; q = q->next)
        spk_queue_await_told(q);
}

int64_t spark_listeners_missed(spark_context *sc)
{
    const spk_bus *bus = bus_of(sc);
    int64_t missed = 0;
    if (bus)
        for (spk_listener_queue *q = atomic_load(&bus->queues); q; q = q->next)
            missed += spk_queue_missed(q);
    return missed;
}
