/* SPDX-License-Identifier: Apache-2.0 */
/* The bus of a context: its listeners, and what is told to all of them. */
#ifndef SPK_LISTEN_BUS_H
#define SPK_LISTEN_BUS_H

#include "listen/counters.h"
#include "listen/lane.h"
#include "listen/notes.h"
#include "listen/profile.h"
#include "plan/listening.h"
#include "scheduler/stage.h"

enum { SPK_MOST_LISTENERS = 64 };

typedef struct spk_execution spk_execution;

typedef struct spk_bus {
    spark_context *sc;
    _Atomic(spk_listener_queue *) queues; /* newest first */
    int n_queues; /* ever made; under the context's scope_lock */
    atomic_bool quiet;
    atomic_uint wants; /* kinds of events that some listener wants, as bits */
    atomic_int sleepers; /* listeners that are to be woken when a task begins or ends */
    _Atomic(spk_lane *) lanes; /* newest first */
    atomic_bool counts_rows; /* of RDDs */
    atomic_bool times; /* what making those takes */
    _Atomic(const spk_profiling *) profiling; /* NULL: shuffles are not profiled */
    atomic_int hot_partitions, hot_keys, counted_keys; /* how many are told of each; and counted */
    _Atomic(const spk_counting *) counting;   /* NULL: nothing is counted; else with: */
    _Atomic(spk_counters *) counters;
    _Atomic(spk_notes *) notes; /* of all workers */
    int64_t since; /* what is to be added to spk_now for the time since 1970 */
    const int *here; /* 1; 0 in a child of fork, which has none of the threads */
    spk_pad *pad;
    spark_application application;
    spark_environment environment;
    _Alignas(64) _Atomic int64_t next_task; /* all workers write it: it stands apart from what they only read */
    _Alignas(64) _Atomic int64_t next_execution, next_metric;
    pthread_mutex_t sql_lock, parcel_lock;
    spk_execution *executions; /* that run; under sql_lock */
    struct spk_parcel *parcels; /* spare ones; under parcel_lock */
    int n_parcels;
} spk_bus;

/* spk_bus_wants: whether some listener has a callback for those. */
static inline bool spk_bus_wants(const spk_bus *bus, spk_event_kind kind)
{
    return atomic_load_explicit(&bus->wants, memory_order_relaxed) >> kind & 1;
}

/* spk_bus_now: nanoseconds since 1970. */
static inline int64_t spk_bus_now(const spk_bus *bus)
{
    return spk_now() + bus->since;
}

/* spk_bus_here: NULL: in a child of fork, where nobody listens. */
static inline spk_bus *spk_bus_here(const spark_context *sc)
{
    spk_bus *bus = sc->bus;
    return *bus->here ? bus : NULL;
}

/* spk_bus_post: to all that want it; must as in spk_queue_put. What must be told is told behind all that has
 * happened to tasks before. */
void spk_bus_post(spk_bus *bus, const spk_event *event, bool must);

/* spk_bus_tells_here: whether the calling thread is that of a listener of the context, which has some. */
SPK_COLD bool spk_bus_tells_here(const spark_context *sc);

/* spk_bus_left_out: an event for which there was no memory. */
SPK_COLD void spk_bus_left_out(spk_bus *bus);

/* spk_bus_new: NULL: no memory. spk_bus_describe: fills the environment. spk_bus_of: of a context, made where there
 * is none, for an operation of that name, which must fail where it does. */
SPK_COLD spark_status spk_bus_of(spark_context *sc, const char *operation, spk_bus **bus);
SPK_COLD spk_bus *spk_bus_new(spark_context *sc);
SPK_COLD void spk_bus_free(spk_bus *bus);
SPK_COLD void spk_bus_describe(spk_bus *bus);

/* spk_hooks: the table that contexts with listeners have. spk_hooks_task_start, _task_end: of it. */
extern const struct spk_listening spk_hooks;
void spk_hooks_task_start(spk_stage *stage, spark_task *task, int index, int round);
void spk_hooks_task_end(spk_stage *stage, spark_task *task, spk_ending how);

/* Executions of SQL. spk_sql_states, _stated, _acts, _acted: hooks. spk_sql_job: of a job that begins on this thread: the
 * execution it belongs to, which is told of first; NULL: to none. Its number goes into *info.
 * spk_sql_job_over: the job has ended; then its execution may have. spk_sql_end: of all. */
SPK_COLD void spk_sql_states(
    spark_context *sc, const void *statement, const char *text, const char *command, spark_site site);
SPK_COLD void spk_sql_stated(spark_context *sc, const spk_failure *failure);
SPK_COLD void spk_sql_acts(spark_rdd *rdd, const char *action, spark_site site);
SPK_COLD void spk_sql_acted(spark_rdd *rdd, bool over, const spk_failure *failure);
SPK_COLD spk_execution *spk_sql_job(spk_bus *bus, spark_job_info *info);
SPK_COLD void spk_sql_job_over(spk_bus *bus, spk_execution *execution, const spk_job *job);
SPK_COLD void spk_sql_end(spk_bus *bus);

/* spk_executor_event_of: as it is when it comes; the texts are the executor's and the bus's. */
SPK_COLD spark_executor_event spk_executor_event_of(const spk_bus *bus, const spk_executor *executor);

/* spk_heard_stage: what is told of a stage again and again. pad: of info, whose times and tasks are those
 * of the last attempt; submitted: on spk_now; open: the attempt whose submission was told, and whose end was not;
 * -1: there is none: no start of a task is told then. spk_stage_hear: made when a stage is told of first; with the
 * scheduler's lock held. NULL: no memory. */
typedef struct spk_heard_stage {
    spk_pad *pad;
    spark_stage_info info;
    _Atomic int64_t submitted;
    atomic_int open;
    pthread_mutex_t lock; /* guards what follows: */
    spk_heard_sums sums;
    spk_rows_table rows;
    spk_profile *profile; /* what its attempts have written for a shuffle; NULL: not known */
    const spk_profiling *profiling;
} spk_heard_stage;
SPK_COLD spk_heard_stage *spk_stage_hear(spk_stage *stage);
SPK_COLD void spk_heard_stage_free(void *heard);
/* spk_stage_takes: what was noted of an attempt of it that has ended, well or not, if anything was; info is told of
 * it, in a pad (or NULL). spk_stage_tells: what was added up so far. */
SPK_COLD void spk_stage_takes(const spk_bus *bus, const spk_stage *stage, const spark_task *task, bool well,
    spk_pad *pad, spark_task_info *info);
SPK_COLD void spk_stage_tells(const spk_bus *bus, spk_heard_stage *heard, spk_pad *pad, spark_stage_info *info);

/* In attempt_notes.c: of an attempt that was told of. _counts: it begins; _counted: it ends: what the processor has
 * counted, where that is asked for. _watches: it begins: what its steps take, likewise. _tells: adds what was noted to the
 * stage, and to the event; well: it has succeeded. _forgets: what was noted. The others are hooks. */
void spk_attempt_counts(const spk_bus *bus, spark_task *task);
void spk_attempt_watches(spk_bus *bus, spark_task *task);
void spk_attempt_counted(spk_bus *bus, spark_task *task, spark_task_metrics *metrics);
void spk_attempt_tells(
    const spk_bus *bus, const spk_stage *stage, const spark_task *task, bool well, spk_event *event);
void spk_attempt_forgets(const spk_bus *bus, spark_task *task);
SPK_COLD void spk_attempt_accumulated(spark_task *task, const spark_accumulator *a, int64_t i64, double f64);
void spk_attempt_piped(const spk_pipe *pipe);
SPK_COLD void spk_attempt_took(spark_task *task, const spark_rdd *rdd, uint64_t rows);
SPK_COLD void spk_attempt_sealed(spark_task *task, const spk_shuffle *shuffle, const spk_run *run);

#endif
