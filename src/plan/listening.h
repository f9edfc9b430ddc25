/* SPDX-License-Identifier: Apache-2.0 */
/* Where the rooms tell what happens: a table that the first listener of a context sets (listen/), so that
 * only programs with listeners have what is behind it, and all others pay for a look at a pointer. */
#ifndef SPK_PLAN_LISTENING_H
#define SPK_PLAN_LISTENING_H

#include <spark/storage.h>

#include "plan/context.h"

struct spk_executor;
struct spk_job;
struct spk_pipe;
struct spk_run;
struct spk_shuffle;
struct spk_stage;
struct spk_store;

/* spk_block_now: where a block is by now; neither: nowhere. */
typedef struct spk_block_now {
    int rdd, partition;
    const struct spk_store *store;
    bool in_memory, on_disk;
    int level;
    uint64_t memory_bytes, disk_bytes;
} spk_block_now;

/* spk_queries: what SQL says of its results, in whose contexts it sets this table. is: whether the RDD is one;
 * text: of its statement. operators: of its plan, a node before those below it; rdd: the one whose rows are
 * the node's, or -1; planned: those of a statement that runs, as far as it has a plan. unwritten: a column of a result that files of the format have not, however its type looks
 * here: SPARK_ETYPE, with what to do about it. */
struct spk_failure;
typedef void spk_tell_operator(void *to, int depth, const char *name, const char *text, int rdd);
typedef struct spk_queries {
    bool (*is)(const struct spark_rdd *rdd);
    const char *(*text)(const struct spark_rdd *rdd);
    void (*operators)(const struct spark_rdd *rdd, void *to, spk_tell_operator *tell);
    void (*planned)(const void *statement, void *to, spk_tell_operator *tell);
    spark_status (*unwritten)(const struct spark_rdd *rdd, bool json, struct spk_failure *failure);
} spk_queries;

/* spk_ending: how an attempt has ended, where its task does not say so. */
typedef enum spk_ending { SPK_END_TOLD, SPK_END_DONE, SPK_END_OUTRUN, SPK_END_DISOWNED } spk_ending;

/* states: a statement of SQL is run, which may run jobs at once: command: what it is, in Spark's words; stated: it is
 * over. On its thread, without a lock.
 *
 * acts: an action looks at its RDD, which it then prepares; acted: it has done so, or is over: of one that has
 * failed, or that runs more than a job. On the thread of the action, without a lock.
 *
 * With the scheduler's lock held: job_start, stage_submitted, stage_completed. Whatever locks are held:
 * executor_added, executor_removed, block_updated, unpersisted. No lock at all: job_end, task_start, which
 * may wait, accumulated, of what counts, piped, of a pipe that has come to its end, took, of a cached block that is
 * read where it lies, sealed, of a run of a map output while it lies in memory, and task_end, in attempts that were
 * told of. stage_freed, job_freed: what was kept of it goes.
 *
 * stage_completed: why: of an attempt that did not end well; NULL: it did. task_start: round: the attempt
 * of the stage; task_end: of an attempt that was told of. quiet: the context ends: what goes now goes with
 * it. end: nothing happens any more. telling: whether the calling thread is that of a listener. */
typedef struct spk_listening {
    void (*states)(spark_context *sc, const void *statement, const char *text, const char *command, spark_site site);
    void (*stated)(spark_context *sc, const spk_failure *failure);
    void (*acts)(struct spark_rdd *rdd, const char *action, spark_site site);
    void (*acted)(struct spark_rdd *rdd, bool over, const spk_failure *failure);
    void (*job_start)(struct spk_job *job);
    void (*job_end)(struct spk_job *job);
    void (*stage_submitted)(struct spk_stage *stage, int tasks);
    void (*stage_completed)(struct spk_stage *stage, const char *why);
    void (*stage_freed)(void *heard);
    void (*task_start)(struct spk_stage *stage, spark_task *task, int index, int round);
    void (*task_end)(struct spk_stage *stage, spark_task *task, spk_ending how);
    void (*accumulated)(spark_task *task, const spark_accumulator *a, int64_t i64, double f64);
    void (*piped)(const struct spk_pipe *pipe);
    void (*took)(spark_task *task, const struct spark_rdd *rdd, uint64_t rows);
    void (*sealed)(spark_task *task, const struct spk_shuffle *shuffle, const struct spk_run *run);
    void (*executor_added)(const struct spk_executor *executor);
    void (*executor_removed)(const struct spk_executor *executor);
    void (*block_updated)(spark_context *sc, const spk_block_now *block);
    void (*unpersisted)(const struct spark_rdd *rdd);
    void (*quiet)(spark_context *sc);
    void (*end)(spark_context *sc);
    bool (*telling)(const spark_context *sc);
} spk_listening;

/* spk_heard_by: NULL: nobody listens. */
static inline const spk_listening *spk_heard_by(const spark_context *sc)
{
    return atomic_load_explicit(&sc->listening, memory_order_acquire);
}

/* spk_told_here: whether this is a callback of a listener, which the end of the context waits for when its RDDs have
 * gone: it may make none, and run no jobs. */
static inline bool spk_told_here(const spark_context *sc)
{
    const spk_listening *heard = spk_heard_by(sc);
    return heard && heard->telling(sc);
}

#endif
