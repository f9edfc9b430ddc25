/* SPDX-License-Identifier: Apache-2.0 */
/* The thread pool and its queue.
 *
 * task set: the tasks of one stage, claimed by index; the queue holds task sets in the order of
 * their jobs, and workers always claim from the first one that has unclaimed tasks, failed ones
 * first. Fair: the sets belong to shares (Spark's pools); workers claim from the share that has least
 * of what is due to it, one task at a time.
 *
 * Workers belong to executors (exec/executor.h), which may be lost and are replaced. Where there are
 * several, whoever made a set may say which executor a task is for; then each is claimed on its own. */
#ifndef SPK_EXEC_POOL_H
#define SPK_EXEC_POOL_H

#include "base/cold.h"
#include "exec/executor.h"
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
    int running;     /* workers in it; the pool's, as is what follows */
    bool tried;
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
    bool passed;      /* an executor has left a task to another: when one is claimed, it looks again */
    const char *pool; /* name of the share; NULL: "default" */
    spk_share *share; /* the pool's */
    /* run: one attempt of task `index`. */
    void (*run)(spk_task_set *set, spark_task *task, int index);
    /* claim: which unclaimed task, among them retries, the executor is to run now; -1: none yet: *more_in
     * nanoseconds from now there may be one, where it is made smaller. With the pool's lock held. NULL:
     * the next one, on whichever executor. */
    int (*claim)(spk_task_set *set, const spk_executor *executor, int64_t *more_in);
};

/* spk_share_add: to those of the context, under the pool's lock once there is a pool. NULL: no
 * memory. */
SPK_COLD spk_share *spk_share_add(spark_context *sc, const char *name, int weight, int min_share);
SPK_COLD void spk_shares_free(spark_context *sc);

/* spk_pool_new: as many executors as the context wants, with `threads` workers each, fewer when the
 * system refuses; NULL: none could be made. */
SPK_COLD spk_pool *spk_pool_new(spark_context *sc, int threads);
SPK_COLD void spk_pool_free(spk_pool *pool); /* no set may be queued */
SPK_COLD int spk_pool_threads(const spk_pool *pool);

/* spk_pool_lend: what the calling thread, which would only wait, runs a task of the set with, in the
 * place of a worker, which does nothing meanwhile. NULL: nobody would have taken the task at once, or
 * the thread has less stack than a worker, or check mode is on, which must tell a function's locals
 * from the caller's. spk_pool_lent gives it back. */
SPK_COLD spark_task *spk_pool_lend(spk_pool *pool, spk_task_set *set);
SPK_COLD void spk_pool_lent(spk_pool *pool, spk_task_set *set, spark_task *task);

/* Sets are the pool's until removed; remove waits until no worker is inside. retry: claims an index
 * again; never fails, since a set has room for all its tasks. */
SPK_COLD void spk_pool_submit(spk_pool *pool, spk_task_set *set);
SPK_COLD void spk_pool_retry(spk_pool *pool, spk_task_set *set, int index);
SPK_COLD void spk_pool_remove(spk_pool *pool, spk_task_set *set);

/* spk_pool_living: the first of those that are not lost, with the pool's lock held. */
const spk_executor *spk_pool_living(const spk_pool *pool);

/* spk_pool_visit: every executor, the lost ones as well, with the pool's lock held. _and: then, with the lock held
 * still, after; NULL: nothing. */
typedef void spk_pool_visitor(void *arg, const spk_executor *executor);
SPK_COLD void spk_pool_visit(spk_pool *pool, spk_pool_visitor *visit, void *arg);
SPK_COLD void spk_pool_visit_and(spk_pool *pool, spk_pool_visitor *visit, void (*after)(void *arg), void *arg);

/* Losing an executor. spk_pool_lose: it takes no task any more, and another one, with a new number, does
 * in its place. NULL, with *failure filled: there is none of that name; or it is the only one, and no
 * other could be made. After that its attempts are to be disowned (spk_task_disown).
 * spk_pool_await_commits: until none of them commits; spk_pool_committed: an attempt does no longer.
 * spk_pool_swept: nothing is left in it but what jobs up to last_job hold; spk_pool_await_disowner: waits for
 * that. spk_pool_settle: after each job: heaps settle. Of executors that are lost threads, memory and files
 * go as others are lost, or leave, and after each job; the rest when no job before `oldest` runs: until then
 * SPK_MOST_LOST are kept at most, and no more can be lost. */
enum { SPK_REMEMBERED_EXECUTORS = 100, SPK_MOST_LOST = 10000 };
SPK_COLD spk_executor *spk_pool_lose(
    spk_pool *pool, const char *name, const char *reason, spk_failure *failure);
SPK_COLD void spk_pool_await_commits(spk_pool *pool, spk_executor *executor);
void spk_pool_committed(const spk_executor *executor);
SPK_COLD void spk_pool_swept(spk_pool *pool, spk_executor *executor, int last_job);
SPK_COLD void spk_pool_await_disowner(spk_pool *pool, const spk_executor *executor);
SPK_COLD void spk_pool_settle(spk_pool *pool, int oldest);

/* spk_pool_thin: memory was refused to an attempt that began when its executor had been thinned `since` times:
 * half as many attempts run at once from now on, until a job has ended and the executor is idle. False: it ran alone. */
SPK_COLD bool spk_pool_thin(spk_executor *executor, unsigned since);

#endif
