/* SPDX-License-Identifier: Apache-2.0 */
/* Lanes: where the events of tasks wait on their way into the queues. Each spark_task has one, so that workers
 * do not meet in a lock for each event: a lane goes on when it is full, when anything else is told, and when
 * a listener looks for something to do, which is every millisecond while tasks run. */
#ifndef SPK_LISTEN_LANE_H
#define SPK_LISTEN_LANE_H

#include "listen/queue.h"

struct spk_bus;

enum { SPK_LANE = 64 };

/* spk_lane: a ring: of events that were put in, those that have gone on already; the attempt's thread alone puts some
 * in, and builds each where it is to stand. told: by number, the queues that the start of the attempt which runs has
 * gone into, or that do not want starts; these get its end. */
typedef struct spk_lane {
    struct spk_lane *next; /* of the same bus */
    _Atomic size_t put;
    pthread_mutex_t lock; /* guards what follows; queues' locks are taken inside it */
    size_t gone;
    uint64_t told;
    bool begun; /* an attempt of it, in the parcel that is dealt */
    spk_event events[SPK_LANE];
} spk_lane;

/* spk_lane_new: NULL: no memory. It is the bus's. spk_lanes_free: of a bus to which nothing happens any more.
 *
 * spk_lane_next: where the next event is to be built: the start or the end of an attempt. spk_lane_last: what was put in
 * last, of which nothing may be changed any more.
 * spk_lane_end: it is an end, and was built; a reference to its pad becomes the lane's. at_once: it is not to wait.
 * spk_lane_start: a start, where *open is `round` still: false: it is not, and nothing was put in. Who changes
 * *open before it flushes the lanes finds all that came before, and nothing comes after.
 * spk_lanes_flush: all that wait go on, in the order of their times. */
SPK_COLD spk_lane *spk_lane_new(struct spk_bus *bus);
SPK_COLD void spk_lanes_free(struct spk_bus *bus);
static inline spk_event *spk_lane_next(spk_lane *lane)
{
    return &lane->events[atomic_load_explicit(&lane->put, memory_order_relaxed) % SPK_LANE];
}
static inline const spk_event *spk_lane_last(const spk_lane *lane)
{
    return &lane->events[(atomic_load_explicit(&lane->put, memory_order_relaxed) - 1) % SPK_LANE];
}
void spk_lane_end(struct spk_bus *bus, spk_lane *lane, bool at_once);
bool spk_lane_start(struct spk_bus *bus, spk_lane *lane, const atomic_int *open, int round);
void spk_lanes_flush(struct spk_bus *bus);

#endif
