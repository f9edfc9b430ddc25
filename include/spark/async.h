/* SPDX-License-Identifier: Apache-2.0 */
/* Actions in the background, what jobs carry with them, and how they are cancelled. */
#ifndef SPARK_ASYNC_H
#define SPARK_ASYNC_H

#include <spark/action.h>

SPARK_BEGIN_DECLS

/* spark_future: an action that runs while its caller goes on. Belongs to the scope it was started
 * in; when that ends, it is waited for (cancel it first where that takes too long). Never NULL:
 * what went wrong at the start comes back from wait and get. Several threads may use one future.
 * Spark: AsyncRDDActions, FutureAction. */
typedef struct spark_future spark_future;
spark_future *spark_collect_async(
    spark_site at, spark_rdd *rdd, const spark_type *want) SPARK_USE_RESULT_;
spark_future *spark_count_async(spark_site at, spark_rdd *rdd) SPARK_USE_RESULT_;
spark_future *spark_take_async(
    spark_site at, spark_rdd *rdd, size_t n, const spark_type *want) SPARK_USE_RESULT_;
spark_future *spark_foreach_async(spark_site at, spark_rdd *rdd, const spark_foreach_def *f,
    const spark_env *env) SPARK_USE_RESULT_;
spark_future *spark_foreach_partition_async(spark_site at, spark_rdd *rdd,
    const spark_foreach_partition_def *f, const spark_env *env) SPARK_USE_RESULT_;

/* spark_future_wait: until the action has ended, at most timeout_ms (negative: for ever). The
 * status of the action, whose error becomes this thread's last one; SPARK_ETIMEOUT: it still runs.
 * spark_future_get: waits, then hands the elements of collect or take over, once (SPARK_EINVAL
 * the second time): *result is yours, and zeroed on failure.
 * spark_future_count: waits, then the number of count. spark_future_is_completed: does not wait. */
spark_status spark_future_wait(spark_future *future, int64_t timeout_ms);
spark_status spark_future_get(spark_future *future, spark_array *result) SPARK_USE_RESULT_;
spark_status spark_future_count(spark_future *future, int64_t *n) SPARK_USE_RESULT_;
bool spark_future_is_completed(spark_future *future);

/* spark_future_job: the id of the job that it runs now, or ran last; -1: none has begun, which is
 * no id to ask for (to spark_job_stats_get it is SPARK_ANY). A take runs several, one after the
 * other. Spark: FutureAction.jobIds. */
int spark_future_job(const spark_future *future);

/* spark_future_cancel: ends its jobs with SPARK_ECANCELLED; does not wait for that. */
void spark_future_cancel(spark_future *future);

/* spark_future_on_complete: calls f(future, data) once, when the action has ended: on the thread
 * that ran it, or at once on this one when it has already. At most one for each future; false when
 * there is one. f may not wait for futures. */
bool spark_future_on_complete(
    spark_future *future, void (*f)(spark_future *future, void *data), void *data);

/* What jobs carry with them. It is set for the innermost scope that the calling thread has open on
 * the context, and holds for jobs the thread starts until that scope ends. Without an open scope it
 * is set on the context: for jobs of all threads, until it is set anew or the context ends (Spark:
 * for the thread and its children); what a thread's own scopes set goes before. So a thread that
 * wants a group of its own begins with a scope:
 *
 *   SPARK_SCOPED(sc);
 *   if (spark_set_job_group(sc, "nightly", "sums of the day") == SPARK_OK) ...
 *
 * Inner scopes inherit it; removing and clearing tags is
 * for those that were added in the same scope. Texts are copied.
 *
 * spark_set_job_group: a name to cancel by, and a description (may be NULL) that goes with its
 * jobs; NULL for the group: none. spark_add_job_tag: one more name to cancel by; SPARK_EINVAL for
 * NULL, "" or a text with a comma. spark_set_scheduler_pool: the pool of jobs in fair scheduling;
 * NULL: "default". All are SPARK_ENOMEM without memory. Spark: setJobGroup, clearJobGroup,
 * setJobDescription, addJobTag, removeJobTag, clearJobTags, spark.scheduler.pool. */
spark_status spark_set_job_group(spark_context *sc, const char *group, const char *description);
spark_status spark_clear_job_group(spark_context *sc);
spark_status spark_set_job_description(spark_context *sc, const char *description);
spark_status spark_add_job_tag(spark_context *sc, const char *tag);
spark_status spark_remove_job_tag(spark_context *sc, const char *tag);
spark_status spark_clear_job_tags(spark_context *sc);
spark_status spark_set_scheduler_pool(spark_context *sc, const char *pool);

/* Time limits, in milliseconds, of jobs that start from now on; for scopes, as groups are. They go
 * before those of spark_conf; 0: no limit; SPARK_EINVAL for less. Like cancelling, a limit is noticed at
 * the next batch, or where a function asks spark_cancelled or emits; no function is cut short, and an
 * action does not return before those that run have.
 *
 * spark_set_task_timeout: an attempt of a task that takes longer fails, and is tried again as after
 * any failure; the error names the function that ran when the time was up. One whose rows are all
 * computed is not asked for the time any more. spark_set_job_timeout: a job that takes longer
 * fails; the error says which tasks ran, and in what. An action may run several jobs (take,
 * checkpoints, what finds out how many partitions there are), each with the whole time; a timed action
 * (spark_count_approx) that is due before ends as ever. Both errors are SPARK_EDEADLINE, so that
 * SPARK_ETIMEOUT of spark_future_wait means one thing. Spark: neither, for batch jobs. */
spark_status spark_set_task_timeout(spark_context *sc, int64_t ms);
spark_status spark_set_job_timeout(spark_context *sc, int64_t ms);

/* Cancelling: the jobs that run now, and by group, tag or all those that a future has yet to start,
 * end with SPARK_ECANCELLED; tasks notice at the next batch (which
 * is small where functions are slow), or where their function asks spark_cancelled. reason goes on where
 * "Job 7 cancelled " ends ("because it is late"), and may be NULL. Unknown numbers and names do nothing. Jobs and stages are numbered as in spark_error, over
 * the whole context. spark_cancel_job_group_and_future_jobs: later jobs of the group end at once as
 * well; the last 256 such groups are remembered. Spark: cancelJob, cancelStage, cancelJobGroup,
 * cancelJobGroupAndFutureJobs, cancelJobsWithTag, cancelAllJobs. */
void spark_cancel_job(spark_context *sc, int job, const char *reason);
void spark_cancel_stage(spark_context *sc, int stage, const char *reason);
void spark_cancel_job_group(spark_context *sc, const char *group, const char *reason);
void spark_cancel_job_group_and_future_jobs(
    spark_context *sc, const char *group, const char *reason);
void spark_cancel_jobs_with_tag(spark_context *sc, const char *tag, const char *reason);
void spark_cancel_all_jobs(spark_context *sc);

/* spark_cancel_on_signal: from now on the signal (SIGINT: Ctrl-C) cancels the jobs of this context:
 * those that run and those of futures; when there are none, the job that starts next (a moment
 * later: a thread of the library's does it). They end with SPARK_ECANCELLED, "... cancelled by
 * signal 2 (SIGINT)", and what happens then is the program's; spark_text_fd reads its stream to the
 * end first. A second signal before another job has begun does what the signal did before (as a
 * rule it ends the process), and so do later ones. Several contexts may want one signal, one
 * context several signals, a process eight different ones. What was there before comes back with
 * the last context that wants it.
 *
 * Nothing else of libspark may be called from a signal handler: this is the one way to cancel from
 * one. SPARK_EINVAL for a signal that cannot be handled; SPARK_ENOMEM where the thread that waits
 * for signals could not be started. */
spark_status spark_cancel_on_signal(spark_context *sc, int signal);

/* What runs now. spark_active_jobs: the ids of the jobs of a group (NULL: of all), ascending, as
 * many as there is room for; returns how many there are. spark_active_stages: the same for the
 * stages of a job (SPARK_ANY: of all) whose tasks run or wait for threads. Spark:
 * SparkStatusTracker's getActiveJobIds, getJobIdsForGroup, getActiveStageIds. */
size_t spark_active_jobs(spark_context *sc, const char *group, int *ids, size_t room);
size_t spark_active_stages(spark_context *sc, int job, int *ids, size_t room);

/* What jobs that this thread starts would carry: NULL: nothing. Tags with commas between. The texts
 * belong to the innermost open scope. Spark: getLocalProperty, getJobTags. */
const char *spark_job_group(spark_context *sc);
const char *spark_job_description(spark_context *sc);
const char *spark_job_tags(spark_context *sc);
const char *spark_scheduler_pool(spark_context *sc);

SPARK_END_DECLS

#ifndef SPARK_EXPLICIT_SITES
/* The verbs fill in their call site. */
#define spark_collect_async(...) spark_collect_async(SPARK_HERE, __VA_ARGS__)
#define spark_count_async(...) spark_count_async(SPARK_HERE, __VA_ARGS__)
#define spark_take_async(...) spark_take_async(SPARK_HERE, __VA_ARGS__)
#define spark_foreach_async(...) spark_foreach_async(SPARK_HERE, __VA_ARGS__)
#define spark_foreach_partition_async(...) spark_foreach_partition_async(SPARK_HERE, __VA_ARGS__)
#endif

#endif
