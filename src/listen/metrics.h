/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of jobs, attempts of stages and executors, for whoever asks. Bounded: what has ended
 * stands in a list, the first that ended first, and goes from there.
 *
 * sampled: an attempt of a stage of which figures of tasks are kept. */
#ifndef SPK_LISTEN_METRICS_H
#define SPK_LISTEN_METRICS_H

#include <pthread.h>

#include <spark/metrics.h>

#include "listen/samples.h"

enum { SPK_KEPT_BUCKETS = 1024 };

/* spk_kept_stage: next: of the same bucket, the newest first; later: the one that ended after it. */
typedef struct spk_kept_stage {
    struct spk_kept_stage *next, *later;
    bool ended;
    spark_stage_metrics m;
    spk_samples samples;
    spark_rdd_rows *rows; /* of RDDs, when it has ended */
    size_t n_rows;
    int64_t end_ns; /* as in spark_stage_info */
    spark_shuffle_profile *written; /* one allocation, with its lists; NULL: it was not profiled */
} spk_kept_stage;

/* spk_kept_job: newest_stage: the highest id of those that it began with; run: stages that were submitted. */
typedef struct spk_kept_job {
    struct spk_kept_job *next, *later;
    int newest_stage, run;
    spark_job_metrics m;
} spk_kept_job;

/* spk_kept_executor: more: what its tasks have added to its sums, and to those of an attempt of a stage and of a job,
 * since that was looked at: as a rule many tasks of one executor are of one stage. */
typedef struct spk_kept_executor {
    struct spk_kept_executor *next; /* of those that are there, as they came; of lost ones the newest is first */
    spark_executor_metrics m;
    struct {
        int stage, attempt, job; /* ids; stage -1: there is nothing */
        spk_kept_stage *of_stage; /* NULL: it is not known; so is: */
        spk_kept_job *of_job;
        spark_attempt_totals totals;
    } more;
} spk_kept_executor;

typedef struct spk_metrics {
    pthread_mutex_t lock;
    spark_metrics_options most;
    spk_kept_stage *stages[SPK_KEPT_BUCKETS], *first_stage, *last_stage; /* first, last: of those that have ended */
    spk_kept_stage *sampled; /* none before it in that list is */
    spk_kept_job *jobs[SPK_KEPT_BUCKETS], *first_job, *last_job;
    spk_kept_executor *executors, *lost, other; /* other: of tasks whose executor is not known */
    bool locked; /* by the listener's thread, which alone looks at this, and at: */
    int told;    /* tasks since it has the lock */
    int n_stages, n_jobs; /* that have ended */
    int newest_job;       /* -1: none has begun */
    int64_t n_samples, missed;
} spk_metrics;

/* spk_metrics_enter: what is kept for the context, once all that has happened was told, with its lock held;
 * NULL: metrics are not kept. spk_metrics_leave. */
SPK_COLD spk_metrics *spk_metrics_enter(spark_context *sc);
SPK_COLD void spk_metrics_leave(spk_metrics *metrics);

/* spk_metrics_stage: attempt SPARK_ANY: the last. NULL: it is not known. spk_metrics_job. */
spk_kept_stage *spk_metrics_stage(const spk_metrics *metrics, int id, int attempt);
spk_kept_job *spk_metrics_job(const spk_metrics *metrics, int id);

/* spk_metrics_listener: one whose env they are; without close. spk_metrics_fini: frees all that is kept. */
SPK_COLD spark_listener spk_metrics_listener(spk_metrics *metrics);
SPK_COLD void spk_metrics_fini(spk_metrics *metrics);

/* spk_metrics_lock, _unlock: of the listener's thread, which keeps the lock for as many events of tasks as come at
 * once, for it is quick. */
void spk_metrics_lock(spk_metrics *metrics);
void spk_metrics_unlock(spk_metrics *metrics);

/* spk_metrics_task_start, _end: what becomes of a task. spk_metrics_settle: what the tasks of an executor, or of all
 * (NULL), have added goes where it belongs; before any of these sums is looked at, or what has them goes. */
void spk_metrics_task_start(spk_metrics *metrics, const spark_task_info *task);
void spk_metrics_task_end(spk_metrics *metrics, const spark_task_info *task);
void spk_metrics_settle(spk_metrics *metrics, spk_kept_executor *executor);

#endif
