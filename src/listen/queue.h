/* SPDX-License-Identifier: Apache-2.0 */
/* One listener: its thread, and the events that wait for it.
 *
 * event: one callback and what it is given, by value; what that points to lies in a pad, which all queues
 * share: small allocations that are freed together with the last event that has them. Those of tasks, which are many,
 * come in parcels (listen/parcel.h), which queues share as well. */
#ifndef SPK_LISTEN_QUEUE_H
#define SPK_LISTEN_QUEUE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include <spark/listener.h>

#include "base/cold.h"

/* spk_pad: NULL: no memory. _alloc: zeroed; _text: a copy, "" of NULL. Once an allocation has failed all
 * of them fail, and spk_pad_whole is false: who fills a pad asks once, at the end. */
typedef struct spk_pad spk_pad;
SPK_COLD spk_pad *spk_pad_new(void);
void spk_pad_ref(spk_pad *pad);
void spk_pad_unref(spk_pad *pad); /* NULL does nothing */
SPK_COLD void *spk_pad_alloc(spk_pad *pad, size_t size);
SPK_COLD const char *spk_pad_text(spk_pad *pad, const char *text);
bool spk_pad_whole(const spk_pad *pad);

typedef enum spk_event_kind {
    SPK_APPLICATION_START,
    SPK_APPLICATION_END,
    SPK_ENVIRONMENT,
    SPK_EXECUTOR_ADDED,
    SPK_EXECUTOR_REMOVED,
    SPK_JOB_START,
    SPK_JOB_END,
    SPK_STAGE_SUBMITTED,
    SPK_STAGE_COMPLETED,
    SPK_TASK_START,
    SPK_TASK_END,
    SPK_BLOCK,
    SPK_UNPERSIST,
    SPK_SQL_START,
    SPK_SQL_END,
    SPK_TASK_FAILED, /* never an event of its own: what a listener wants of SPK_TASK_END */
    SPK_PARCEL       /* in queues alone: events of tasks */
} spk_event_kind;

struct spk_parcel;

typedef struct spk_event {
    spk_event_kind kind;
    spk_pad *pads[2]; /* that it points into; NULL: none */
    union {
        spark_application application;
        spark_environment environment;
        spark_executor_event executor;
        spark_job_info job;
        struct {
            spark_stage_info info;
            const spark_job_info *job;
        } stage;
        struct {
            spark_task_info info;
            spark_task_metrics metrics;
        } task;
        spark_block_event block;
        int rdd;
        spark_sql_execution sql;
        struct {
            struct spk_parcel *parcel;
            uint64_t which; /* of its events, as bits */
        } some;
    } u;
} spk_event;

typedef struct spk_queue_chunk spk_queue_chunk;

typedef struct spk_listener_queue {
    struct spk_listener_queue *next;
    spark_listener listener;
    size_t capacity;
    struct spk_bus *bus;
    atomic_bool full; /* as many wait as there is room for */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work, room;
    spk_queue_chunk *first, *last, *spare;
    size_t waiting, n_spare; /* waiting: events, those that are told now included */
    uint64_t posted, told;   /* events, ever */
    int64_t missed, missed_told;
    bool begins; /* telling; no sooner than the bus knows it, or its callbacks would not be known for such */
    bool sleeps, ends, over, closes; /* ends: nothing comes any more; over: and all was told; closes: it may go */
    int n_wait; /* threads for room, or until all was told: */
    int hurries;
    int number; /* among those of the context */
    unsigned wants; /* kinds of events that it has a callback for, as bits */
} spk_listener_queue;

/* spk_queue_wants: whether it has a callback for those. */
static inline bool spk_queue_wants(const spk_listener_queue *queue, spk_event_kind kind)
{
    return queue->wants >> kind & 1;
}

/* spk_queue_new: with its thread; NULL: no memory, or no thread. spk_queue_begin: from now on it tells what waits.
 * spk_queue_finish: what waits is told.
 * spk_queue_end: then the listener is closed; frees it: when all others have finished as well, which may ask it.
 *
 * spk_queue_put: the event, whose pads are referred to. must: it is never left out. False: it was.
 * spk_queue_pass: of the events of a parcel all that it wants; false: there is no room for that, and nothing was done.
 * spk_queue_pick: those for which there is room; where a start is left out, so is the end. Lanes, whose locks are held,
 * say whether it had the start.
 * spk_queue_await_room: of a listener that is whole: until there is some.
 * spk_queue_await_told: until all was told that had been put before. */
SPK_COLD spk_listener_queue *spk_queue_new(
    const spark_listener *listener, int number, struct spk_bus *bus);
SPK_COLD void spk_queue_begin(spk_listener_queue *queue);
SPK_COLD void spk_queue_finish(spk_listener_queue *queue);
SPK_COLD void spk_queue_end(spk_listener_queue *queue);
bool spk_queue_put(spk_listener_queue *queue, const spk_event *event, bool must);
bool spk_queue_pass(spk_listener_queue *queue, struct spk_parcel *parcel);
void spk_queue_pick(spk_listener_queue *queue, struct spk_parcel *parcel);
void spk_queue_await_room(spk_listener_queue *queue);
SPK_COLD void spk_queue_await_told(spk_listener_queue *queue);
SPK_COLD int64_t spk_queue_missed(spk_listener_queue *queue);

#endif
