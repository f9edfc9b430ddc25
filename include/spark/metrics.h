/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers in the program: jobs, stages and executors, while they run and afterwards; quantiles
 * of what the tasks of a stage have measured; the partitions and keys of a shuffle that hold most.
 * Mirrors Spark's AppStatusStore, which its web UI and its REST interface read: JobData, StageData,
 * ExecutorSummary, TaskMetricDistributions. It is a listener: nothing is kept that was not asked
 * for, and programs that name none of this have none of it.
 *
 * What has happened before a question is part of the answer: whoever asks waits, as a rule for some
 * microseconds, until it has been told. Any thread may ask, functions of tasks and callbacks as
 * well. Texts are cut to the arrays they stand in. Times are nanoseconds since 1970, as those of
 * events; 0: not yet. */
#ifndef SPARK_METRICS_H
#define SPARK_METRICS_H

#include <spark/executor.h>
#include <spark/listener.h>

SPARK_BEGIN_DECLS

/* spark_metrics_options: every field may be zero; zero means what stands beside it. */
typedef struct spark_metrics_options {
    int retained_jobs;      /* 1000: jobs that have ended; older ones go. spark.ui.retainedJobs */
    int retained_stages;    /* 1000: the same of attempts of stages. spark.ui.retainedStages */
    int retained_tasks;     /* 100,000: tasks whose figures are kept, over all stages, for
                               quantiles; beyond that the figures of the stage that ended first
                               go, or of a stage that has them all, those of every second task.
                               Each takes 8 bytes for each figure that is not 0 in all tasks of
                               the stage. Spark: spark.ui.retainedTasks, of a stage */
    int retained_executors; /* 100: that were lost. spark.ui.retainedDeadExecutors */
} spark_metrics_options;

/* spark_keep_metrics: from now on, until the context is freed; options may be NULL. Tasks wait
 * where they end faster than they can be counted; memory is bounded by the options, but for what
 * runs. SPARK_EINVAL: a negative number, no context, or metrics are kept already; SPARK_ENOMEM.
 * Without memory for something later on, that is left out: spark_metrics_missed counts it. */
spark_status spark_keep_metrics(
    spark_context *sc, const spark_metrics_options *options) SPARK_USE_RESULT_;
int64_t spark_metrics_missed(spark_context *sc);

/* spark_run_state: of a job or of an attempt of a stage. Spark: JobExecutionStatus, StageStatus. */
typedef enum spark_run_state {
    SPARK_RUN_ACTIVE = 0,
    SPARK_RUN_SUCCEEDED,
    SPARK_RUN_FAILED
} spark_run_state;

/* spark_attempt_totals: attempts of tasks, by what has become of them; Spark's numFailedTasks are
 * failed, fetch_failed and executor_lost. retries: those that have ended and were not the first of
 * their task, without copies. Localities are of those that have ended. sum: of what all of these
 * have measured, whatever their end; but peak_memory_bytes is the most of one (Spark's is a sum as
 * well). */
typedef struct spark_attempt_totals {
    int64_t running, succeeded, failed, fetch_failed, executor_lost, killed;
    int64_t retries, speculative;
    int64_t process_local, node_local, no_pref, any;
    spark_task_metrics sum;
} spark_attempt_totals;

/* spark_job_metrics: name: "collect at wc.c:17". stages: that it has, as far as is known;
 * skipped_stages: those that were not run, once it has ended; stage_attempts: that were submitted;
 * failed_stages: of those. tasks: of its stages, as was known when it began. failure: "": there was
 * none. */
typedef struct spark_job_metrics {
    int id;
    spark_run_state state;
    spark_status status;
    char name[128], group[64], description[128], failure[256];
    int64_t submission_time, completion_time;
    int stages, skipped_stages, active_stages, stage_attempts, failed_stages;
    int64_t tasks;
    spark_attempt_totals attempts;
} spark_job_metrics;

/* spark_stage_metrics: an attempt of a stage. tasks: of this attempt; rdd: its last one; shuffle:
 * that it writes, or -1. quantile_tasks: how many of its tasks, all of which succeeded, quantiles
 * are made of; quantile_each: of how many that succeeded one is among these: 1: of each, so that
 * quantiles are exact. */
typedef struct spark_stage_metrics {
    int id, attempt, job, rdd, shuffle;
    spark_run_state state;
    bool is_result;
    char name[128], failure[256];
    int tasks;
    int64_t submission_time, first_launch_time, completion_time;
    int64_t quantile_tasks, quantile_each;
    spark_attempt_totals attempts;
} spark_stage_metrics;

/* spark_executor_metrics: spark_executors tells of blocks and memory. removed_time 0: it is there.
 */
typedef struct spark_executor_metrics {
    char id[16], reason[128];
    int threads;
    uint64_t memory;
    int64_t added_time, removed_time;
    spark_attempt_totals attempts;
} spark_executor_metrics;

/* spark_metrics_of_job: job SPARK_ANY: that began last. spark_metrics_of_stage: attempt SPARK_ANY:
 * the last. SPARK_EINVAL: none of that id is known (any more), or metrics are not kept; that raises
 * no error in spark_last_error. Spark: statusStore.job, stageAttempt; /jobs/<id>,
 * /stages/<id>/<attempt>. */
spark_status spark_metrics_of_job(spark_context *sc, int job, spark_job_metrics *metrics);
spark_status spark_metrics_of_stage(
    spark_context *sc, int stage, int attempt, spark_stage_metrics *metrics);

/* spark_metrics_jobs: the ids of the jobs that are known, ascending, as many as there is room for;
 * returns how many there are. spark_metrics_stages: attempts of the stages of a job (SPARK_ANY: of
 * all) that were submitted, in the order of their ids and numbers. spark_metrics_executors: those
 * that are there, then those that were lost, the last one first. NULL: there is no room. Spark:
 * /jobs, /stages, /allexecutors. */
typedef struct spark_stage_attempt {
    int stage, attempt;
} spark_stage_attempt;
size_t spark_metrics_jobs(spark_context *sc, int *ids, size_t room);
size_t spark_metrics_stages(spark_context *sc, int job, spark_stage_attempt *ids, size_t room);
size_t spark_metrics_executors(spark_context *sc, spark_executor_metrics *metrics, size_t room);

/* spark_metrics_quantiles: of each figure by itself, over the tasks of an attempt of a stage
 * (SPARK_ANY: the last) that succeeded: the figures of values[i] are those below which the part
 * at[i] of the tasks lies: of m tasks in order the one with the index at[i] * m, rounded down, at
 * most m - 1. SPARK_EINVAL: at[i] is not from 0 to 1, or there is no such stage, or no task of it
 * (any more); SPARK_ENOMEM. Spark: /stages/<id>/<attempt>/taskSummary?quantiles=..., with the same
 * rule. */
spark_status spark_metrics_quantiles(spark_context *sc, int stage, int attempt, const double *at,
    size_t n, spark_task_metrics *values);

/* spark_profile_shuffles: from now on it is counted what the partitions and keys of shuffles hold,
 * and told when a stage that writes one has ended: to listeners (spark_shuffle_profile in
 * spark/listener.h), and so to these metrics and the report: of each the first so many, up to 1000.
 * A partition is counted for nothing; a row's key takes some 20 ns, and up to 2 * keys of them, or
 * 128, are held for each task that runs. What a text in rows takes is added up again. Functions of
 * a type (equal, compare, print) are called with locks held, and may not call the library.
 * SPARK_EINVAL: both are 0, or too many. Spark: its UI shows the distribution of partitions only.
 */
spark_status spark_profile_shuffles(spark_context *sc, int partitions, int keys) SPARK_USE_RESULT_;

/* spark_metrics_of_shuffle: what a stage has written, of its last attempt that has ended; its lists
 * are NULL: spark_metrics_hot_partitions, spark_metrics_hot_keys: fill them, with as many as there
 * is room for; return how many there are. SPARK_EINVAL, 0: there is no such stage, or it was not
 * profiled. */
spark_status spark_metrics_of_shuffle(spark_context *sc, int stage, spark_shuffle_profile *profile);
size_t spark_metrics_hot_partitions(
    spark_context *sc, int stage, spark_hot_partition *hot, size_t room);
size_t spark_metrics_hot_keys(spark_context *sc, int stage, spark_hot_key *hot, size_t room);

/* spark_count_hardware: from now on tasks count what their threads do: cycles, instructions, misses
 * of the last cache, and page faults, as figures of spark_task_metrics and, by name and stage, in
 * the event log. Where the system does not allow some or all of them (perf_event_open; many virtual
 * machines have no cycles), these are 0 and not told. *counted (may be NULL) gets which there are.
 * Of an attempt that goes on on the stack of another thread, what that one does is not counted. A
 * task costs one call of the system more. At most 1024 threads are counted. SPARK_EINVAL: no
 * context; SPARK_ENOMEM. */
enum {
    SPARK_COUNTS_CYCLES = 1,
    SPARK_COUNTS_INSTRUCTIONS = 2,
    SPARK_COUNTS_CACHE_MISSES = 4,
    SPARK_COUNTS_PAGE_FAULTS = 8
};
spark_status spark_count_hardware(spark_context *sc, unsigned *counted) SPARK_USE_RESULT_;

SPARK_END_DECLS

#endif
