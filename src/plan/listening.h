/* SPDX-License-Identifier: Apache-2.0 */
/* Where the rooms tell what happens: a table that the first listener of a context sets (listen/), so that
 * only programs with listeners have what is behind it, and all others pay for a look at a pointer. */
#ifndef SPK_PLAN_LISTENING_H
#define SPK_PLAN_LISTENING_H

#include <spark/storage.h>

#include "plan/context.h"

struct spk_executor;
struct spk_job;
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

/* spk_ending: how an attempt has ended, where its task does not say so. */
typedef enum spk_ending { SPK_END_TOLD, SPK_END_DONE, SPK_END_OUTRUN, SPK_END_DISOWNED } spk_ending;

/* With the scheduler's lock held: job_start, stage_submitted, stage_completed. Whatever locks are held:
 * executor_added, executor_removed, block_updated, unpersisted. No lock at all: job_end, task_start, which
 * may wait, accumulated, of what counts, and task_end. stage_freed, job_freed: what was kept of it goes.
 *
 * stage_completed: why: of an attempt that did not end well; NULL: it did. task_start: round: the attempt
 * of the stage; task_end: of an attempt that was told of. quiet: the context ends: what goes now goes with
 * it. end: nothing happens any more. */
typedef struct spk_listening {
    void (*job_start)(struct spk_job *job);
    void (*job_end)(struct spk_job *job);
    void (*stage_submitted)(struct spk_stage *stage, int tasks);
    void (*stage_completed)(struct spk_stage *stage, const char *why);
    void (*stage_freed)(void *heard);
    void (*task_start)(struct spk_stage *stage, spark_task *task, int index, int round);
    void (*task_end)(struct spk_stage *stage, spark_task *task, spk_ending how);
    void (*accumulated)(spark_task *task, const spark_accumulator *a, int64_t i64, double f64);
    void (*executor_added)(const struct spk_executor *executor);
    void (*executor_removed)(const struct spk_executor *executor);
    void (*block_updated)(spark_context *sc, const spk_block_now *block);
    void (*unpersisted)(const struct spark_rdd *rdd);
    void (*quiet)(spark_context *sc);
    void (*end)(spark_context *sc);
} spk_listening;

/* spk_heard_by: NULL: nobody listens. */
static inline const spk_listening *spk_heard_by(const spark_context *sc)
{
    return atomic_load_explicit(&sc->listening, memory_order_acquire);
}

#endif
