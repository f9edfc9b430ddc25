/* SPDX-License-Identifier: Apache-2.0 */
/* The thread pool and its queue.
 *
 * task set: the tasks of one stage, claimed by index; the queue holds task sets in the order of
 * their jobs, and workers always claim from the first one that has unclaimed tasks, failed ones
 * first. Fair: the sets belong to shares (Spark's pools); workers claim from the share that has least
 * of what is due to it, one task at a time. */
#ifndef SPK_EXEC_POOL_H
#define SPK_EXEC_POOL_H

#include "exec/step.h"

typedef struct spk_task_set spk_task_set;

/* spk_queue: of sets that have unclaimed tasks, in their order; sets that have none are taken out as
 * they come to the front. */
typedef struct spk_queue {
    spk_task_set *first, *last;
} spk_queue;

typedef struct spk_share {
    char *name;
    int weight, min_share;
    int running;     /* workers in it; the pool's, as is the queue */
    spk_queue queue;
} spk_share;

struct spk_task_set {
    spk_task_set *next, *prev; /* in the queue */
    bool queued;
    uint64_t order;    /* job, then stage */
    int n;             /* tasks */
    atomic_int cursor; /* the next unclaimed one */
    int *retries;      /* claimed again first; room for n */
    int n_retries;
    int users;        /* workers inside */
    const char *pool; /* name of the share; NULL: "default" */
    spk_share *share; /* the pool's */
    /* run: one attempt of task `index`. */
    void (*run)(spk_task_set *set, spark_task *task, int index);
};

/* spk_share_add: to those of the context, under the pool's lock once there is a pool. NULL: no
 * memory. */
SPK_COLD spk_share *spk_share_add(spark_context *sc, const char *name, int weight, int min_share);
void spk_shares_free(spark_context *sc);

typedef struct spk_pool spk_pool;

/* spk_pool_new: `threads` workers, fewer when the system refuses; NULL: none could be made. */
SPK_COLD spk_pool *spk_pool_new(spark_context *sc, int threads);
SPK_COLD void spk_pool_free(spk_pool *pool); /* no set may be queued */
int spk_pool_threads(const spk_pool *pool);

/* spk_pool_lend: what the calling thread, which would only wait, runs a task of the set with, in the
 * place of a worker, which does nothing meanwhile. NULL: nobody would have taken the task at once, or
 * the thread has less stack than a worker, or check mode is on, which must tell a function's locals
 * from the caller's. spk_pool_lent gives it back. */
SPK_COLD spark_task *spk_pool_lend(spk_pool *pool, spk_task_set *set);
void spk_pool_lent(spk_pool *pool, spk_task_set *set);

/* Sets are the pool's until removed; remove waits until no worker is inside. retry: claims an index
 * again; never fails, since a set has room for all its tasks. */
void spk_pool_submit(spk_pool *pool, spk_task_set *set);
void spk_pool_retry(spk_pool *pool, spk_task_set *set, int index);
SPK_COLD void spk_pool_remove(spk_pool *pool, spk_task_set *set);

#endif
