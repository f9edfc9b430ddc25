/* SPDX-License-Identifier: Apache-2.0 */
/* The bus of a context: its listeners, and what is told to all of them. */
#ifndef SPK_LISTEN_BUS_H
#define SPK_LISTEN_BUS_H

#include "listen/queue.h"
#include "scheduler/stage.h"

enum { SPK_MOST_LISTENERS = 64 };

typedef struct spk_bus {
    spark_context *sc;
    _Atomic(spk_listener_queue *) queues; /* newest first */
    int n_queues; /* ever made; under the context's scope_lock */
    atomic_bool quiet;
    _Atomic int64_t next_task;
    int64_t since; /* what is to be added to spk_now for the time since 1970 */
    const int *here; /* 1; 0 in a child of fork, which has none of the threads */
    spk_pad *pad;
    spark_application application;
    spark_environment environment;
} spk_bus;

/* spk_bus_now: nanoseconds since 1970. */
static inline int64_t spk_bus_now(const spk_bus *bus)
{
    return spk_now() + bus->since;
}

/* spk_bus_post: to all that want it; must as in spk_queue_put. Returns who has not missed it, by number. */
uint64_t spk_bus_post(spk_bus *bus, const spk_event *event, bool must);

/* spk_bus_new: NULL: no memory. spk_bus_describe: fills the environment. */
SPK_COLD spk_bus *spk_bus_new(spark_context *sc);
SPK_COLD void spk_bus_free(spk_bus *bus);
SPK_COLD void spk_bus_describe(spk_bus *bus);

/* spk_hooks: the table that contexts with listeners have. */
extern const struct spk_listening spk_hooks;

/* spk_executor_event_of: as it is when it comes; the texts are the executor's and the bus's. */
SPK_COLD spark_executor_event spk_executor_event_of(const spk_bus *bus, const spk_executor *executor);

/* spk_heard_sum: what a stage has added to an accumulator. */
typedef struct spk_heard_sum {
    int64_t id, i64;
    double f64;
    bool is_whole; /* the first of the two counts */
    char *name;
} spk_heard_sum;

/* spk_heard_stage: what is told of a stage again and again. pad: of info, whose times and tasks are those
 * of the last attempt; submitted: on spk_now. spk_stage_hear: made when a stage is told of first; with the
 * scheduler's lock held. NULL: no memory. */
typedef struct spk_heard_stage {
    spk_pad *pad;
    spark_stage_info info;
    _Atomic int64_t submitted;
    pthread_mutex_t lock; /* guards what follows: */
    spk_heard_sum *sums;
    size_t n_sums;
} spk_heard_stage;
SPK_COLD spk_heard_stage *spk_stage_hear(spk_stage *stage);
SPK_COLD void spk_heard_stage_free(void *heard);
/* spk_stage_sum: adds to one; without memory it is left out. spk_stage_sums: all of them, in a pad. */
SPK_COLD void spk_stage_sum(spk_heard_stage *heard, const spk_heard_sum *more);
SPK_COLD void spk_stage_sums(spk_heard_stage *heard, spk_pad *pad, spark_stage_info *info);

#endif
