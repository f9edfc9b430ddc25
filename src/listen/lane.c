/* SPDX-License-Identifier: Apache-2.0 */
#include "listen/lane.h"

#include <stdlib.h>
#include <string.h>

#include "listen/bus.h"
#include "listen/parcel.h"

enum { MERGED = 32 }; /* lanes whose events are put in order; of more they go on lane by lane */

spk_lane *spk_lane_new(spk_bus *bus)
{
    spk_lane *lane = malloc(sizeof *lane);
    if (!lane)
        return NULL;
    atomic_init(&lane->put, 0);
    lane->gone = 0;
    lane->told = 0;
    lane->begun = false;
    pthread_mutex_init(&lane->lock, NULL);
    lane->next = atomic_load(&bus->lanes);
    while (!atomic_compare_exchange_weak(&bus->lanes, &lane->next, lane))
        ;
    return lane;
}

void spk_lanes_free(spk_bus *bus)
{
    for (spk_lane *lane = atomic_load(&bus->lanes), *next; lane; lane = next) {
        next = lane->next;
        pthread_mutex_destroy(&lane->lock);
        free(lane);
    }
}

static int64_t time_of(const spk_event *e)
{
    return e->kind == SPK_TASK_START ? e->u.task.info.launch_time : e->u.task.info.finish_time;
}

/* gathered: events of lanes whose locks are held, on their way into a parcel. */
typedef struct gathered {
    spk_event *events[SPK_LANE];
    spk_lane *from[SPK_LANE];
    size_t n;
} gathered;

/* lose: there was no memory for a parcel: of none of its attempts the end is told. */
SPK_COLD static void lose(spk_bus *bus, const gathered *g)
{
    for (size_t i = 0; i < g->n; i++) {
        g->from[i]->told = 0;
        spk_pad_unref(g->events[i]->kind == SPK_TASK_END ? g->events[i]->pads[0] : NULL);
        spk_bus_left_out(bus);
    }
}

/* deal: a parcel to all queues. sure: those that had the starts of all the attempts whose ends are in it; most have,
 * and have room for all: of these nothing is done for each event. */
static void deal(spk_bus *bus, spk_parcel *parcel)
{
    uint64_t sure = UINT64_MAX, all = 0, some = 0;
    for (int i = 0; i < parcel->n; i++) {
        spk_lane *lane = parcel->from[i];
        if (parcel->starts >> i & 1)
            lane->begun = true;
        else if (!lane->begun)
            sure &= lane->told;
    }
    for (spk_listener_queue *q = atomic_load_explicit(&bus->queues, memory_order_acquire); q; q = q->next) {
        const uint64_t bit = UINT64_C(1) << q->number;
        if ((sure & bit) && spk_queue_pass(q, parcel)) {
            all |= bit;
        } else {
            spk_queue_pick(q, parcel);
            some |= bit;
        }
    }
    for (int i = 0; i < parcel->n; i++) {
        spk_lane *lane = parcel->from[i];
        if (lane->begun)
            lane->told = (lane->told & some) | all;
        lane->begun = false;
    }
}

static void pass(spk_bus *bus, gathered *g)
{
    spk_parcel *parcel = g->n > 0 ? spk_parcel_new(bus, g->events, g->from, g->n) : NULL;
    if (parcel) {
        deal(bus, parcel);
        spk_parcel_unref(parcel);
    } else if (g->n > 0) {
        lose(bus, g);
    }
    g->n = 0;
}

static void gather(gathered *g, spk_lane *lane)
{
    g->events[g->n] = &lane->events[lane->gone++ % SPK_LANE];
    g->from[g->n++] = lane;
}

/* flush: one lane; with its lock held. */
static void flush(spk_bus *bus, spk_lane *lane)
{
    const size_t put = atomic_load(&lane->put);
    gathered g = { .n = 0 };
    while (lane->gone < put)
        gather(&g, lane);
    pass(bus, &g);
}

/* is_due: what is in it is to go on: somebody sleeps who is to be woken by it, or there is no room for more. */
static bool is_due(const spk_bus *bus, size_t put)
{
    return put % SPK_LANE == 0 || atomic_load(&bus->sleepers) > 0;
}

void spk_lane_end(spk_bus *bus, spk_lane *lane, bool at_once)
{
    const size_t put = atomic_load_explicit(&lane->put, memory_order_relaxed) + 1;
    atomic_store(&lane->put, put);
    if (!at_once && !is_due(bus, put))
        return;
    pthread_mutex_lock(&lane->lock);
    flush(bus, lane);
    pthread_mutex_unlock(&lane->lock);
}

bool spk_lane_start(spk_bus *bus, spk_lane *lane, const atomic_int *open, int round)
{
    const size_t put = atomic_load_explicit(&lane->put, memory_order_relaxed) + 1;
    pthread_mutex_lock(&lane->lock);
    const bool good = atomic_load(open) == round;
    if (good) {
        atomic_store(&lane->put, put);
        if (is_due(bus, put))
            flush(bus, lane);
    }
    pthread_mutex_unlock(&lane->lock);
    return good;
}

/* merge: the events of some lanes, by their times; with their locks held. */
static void merge(spk_bus *bus, spk_lane *const *lanes, size_t n)
{
    gathered g = { .n = 0 };
    size_t put[MERGED];
    for (size_t i = 0; i < n; i++)
        put[i] = atomic_load(&lanes[i]->put);
    for (;;) {
        spk_lane *first = NULL;
        int64_t at = 0;
        for (size_t i = 0; i < n; i++) {
            if (lanes[i]->gone == put[i])
                continue;
            const int64_t time = time_of(&lanes[i]->events[lanes[i]->gone % SPK_LANE]);
            if (!first || time < at) {
                first = lanes[i];
                at = time;
            }
        }
        if (!first || g.n == SPK_LANE)
            pass(bus, &g);
        if (!first)
            return;
        gather(&g, first);
    }
}

void spk_lanes_flush(spk_bus *bus)
{
    spk_lane *lanes[MERGED], *lane = atomic_load(&bus->lanes);
    while (lane) {
        size_t n = 0;
        for (; lane && n < MERGED; lane = lane->next) {
            pthread_mutex_lock(&lane->lock);
            lanes[n++] = lane;
        }
        merge(bus, lanes, n);
        while (n > 0)
            pthread_mutex_unlock(&lanes[--n]->lock);
    }
}
