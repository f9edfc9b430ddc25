/* SPDX-License-Identifier: Apache-2.0 */
/* Executors: failure domains within the process. Each has workers, and a store for what their tasks
 * leave behind.
 *
 * alone: the executor of `local`, whose store has the context's heap; the others have a heap of their
 * own. lost: it takes no new task, and its attempts that had not begun to commit are disowned; swept:
 * what lay in it is dropped as well. Threads of a lost executor, and what they worked in, stay until the
 * last of them has returned from the user's function; memory and files of its store as long as results
 * of jobs lie there, or somebody reads what was dropped; the executor itself as long as a job of its time
 * runs, whose stages may point to it. */
#ifndef SPK_EXEC_EXECUTOR_H
#define SPK_EXEC_EXECUTOR_H

#include "exec/task.h"

typedef struct spk_pool spk_pool;
typedef struct spk_executor spk_executor;

typedef struct spk_worker {
    spk_executor *executor;
    spark_task *task;
    pthread_t thread;
    char padding[128]; /* no two workers on a cache line */
} spk_worker;

enum { SPK_REASON = 128, SPK_EXECUTOR_NAME = 16 };

/* spk_failed: an attempt of a task that failed on an executor, for the scheduler, which excludes executors. */
typedef struct spk_failed {
    struct spk_failed *next;
    spk_executor *executor;
    int index;  /* of the task in its stage */
    int64_t at; /* spk_now */
} spk_failed;

struct spk_executor {
    spk_executor *next; /* in the order of their numbers; the pool's lists */
    spk_pool *pool;
    char name[SPK_EXECUTOR_NAME]; /* "driver", or its number */
    int threads;                /* that it was started with */
    int most; /* tasks at once, for which there is memory: by spk_executor_share, or fewer since it was thinned */
    atomic_uint thinned; /* how often */
    int n, busy, idle, running; /* workers: there, in a set, waiting, not yet gone; the pool's */
    spk_worker *workers;
    spark_task *spare; /* of a calling thread that lends itself; made when first needed */
    int lent;          /* 1: such a thread runs a task: one worker less may */
    atomic_bool lost;
    bool swept, gone; /* gone: it has no thread, memory or file any more */
    int last_job;     /* this one and older ones may point to it; of one that is lost */
    char reason[SPK_REASON];
    spk_store store;
    spk_heap heap; /* unless it is alone */
    int64_t done, failed;      /* attempts, of tasks that are gone */
    spk_failed *failed_tasks;  /* of stages that ended well; the scheduler's, as is the next one */
    int64_t excluded_until;
};

/* spk_executor_stop: joins its threads, which are to end, and frees what they worked with. spk_executor_empty:
 * after that, of one that is lost: gives up its memory and its files, unless something lies there still: false.
 * spk_executor_new: with the pool's lock held, which its threads begin by taking; they are fewer than
 * asked for when the system refuses. spk_executor_share: `most` is what its memory allows. NULL: no memory, or no thread at all. spk_executor_free: stops it, if that has
 * not been done. */
typedef struct spk_executor_spec {
    spk_pool *pool;
    spark_context *sc;
    int number, threads;
    void *(*work)(void *worker);
} spk_executor_spec;
SPK_COLD spk_executor *spk_executor_new(const spk_executor_spec *spec);
SPK_COLD void spk_executor_stop(spk_executor *executor);
SPK_COLD void spk_executor_share(spk_executor *executor);
SPK_COLD bool spk_executor_empty(spk_executor *executor);
/* spk_executor_count: attempts that succeeded, and that failed. */
SPK_COLD void spk_executor_count(const spk_executor *executor, int64_t *done, int64_t *failed);
SPK_COLD void spk_executor_free(spk_executor *executor);

/* spk_executor_spare: the task of a thread that lends itself; NULL: no memory. spk_executor_task: of the worker i; -1: that of the thread that lends itself, or NULL. */
SPK_COLD spark_task *spk_executor_spare(spk_executor *executor, spark_context *sc);
static inline spark_task *spk_executor_task(const spk_executor *executor, int i)
{
    return i < 0 ? executor->spare : executor->workers[i].task;
}

#endif
