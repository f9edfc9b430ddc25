/* SPDX-License-Identifier: Apache-2.0 */
/* Listeners: what happens in a context, told as it happens: applications, jobs, stages, tasks with what
 * they measured, executors, blocks. Mirrors SparkListener, TaskInfo, StageInfo, TaskMetrics. Programs
 * that name no listener have nothing of this.
 *
 * Each listener has a thread of its own, on which it is told everything in order: a job's start before
 * its stages', a stage's before its tasks', a task's start before its end, and the ends the other way
 * round, but that, as in Spark, the end of an attempt of a task may come after that of its stage where
 * this did not wait for it: a copy that was outrun, or whose executor is lost, ends when it notices; and
 * where a stage has failed since an output of a shuffle was lost, and was submitted again, what ran goes
 * on, and may succeed, and counts. No start comes after the end of the stage's attempt: of a copy that
 * begins when its task is done nobody is told. The end of the job comes after all.
 *
 * What an event points to is valid until the callback returns. Callbacks may take their time, for
 * nobody waits for them (but see `whole`), and may ask the context (job stats, metrics, executors), cancel its
 * jobs and kill executors, but neither make RDDs nor call actions, which are SPARK_EINVAL there, nor wait for
 * futures: the context is freed when the last callback has returned, and has no RDDs any more by then. What
 * happens to a listener can happen to no job.
 *
 * Times are nanoseconds since 1970, on a clock that does not jump while the context lives. Texts are
 * never NULL, ids -1 where there is none. */
#ifndef SPARK_LISTENER_H
#define SPARK_LISTENER_H

#include <spark/context.h>
#include <spark/error.h>
#include <spark/storage.h>

SPARK_BEGIN_DECLS

/* spark_property: a name and its value. */
typedef struct spark_property {
    const char *name, *value;
} spark_property;

/* spark_application: id: "local-<ms>-<hex>", of this context alone. master: "local[2]". */
typedef struct spark_application {
    const char *id, *name, *user, *host, *master;
    int64_t start_time, end_time; /* end_time 0: it runs */
} spark_application;

/* spark_environment: what it runs on, by Spark's names where it has some: properties: how the context
 * is configured; runtime: compiler, version; system: the machine. */
typedef struct spark_environment {
    const spark_property *properties, *runtime, *system;
    size_t n_properties, n_runtime, n_system;
} spark_environment;

/* spark_executor_event: one comes, or goes for a reason. memory: of its store, 0: no limit is known. */
typedef struct spark_executor_event {
    const char *id, *host, *reason;
    int threads;
    uint64_t memory;
    int64_t time;
} spark_executor_event;

/* spark_rdd_info: an RDD in a stage. Spark: RDDInfo. operation: "map"; site: "wc.c:14"; scope: the RDD
 * whose call made this one as well, or itself: those of one call share it. parents: RDDs, over shuffles
 * too. */
typedef struct spark_rdd_info {
    int id, scope;
    const char *name, *class_name, *operation, *site; /* name: "" where it was given none */
    spark_level level;
    int partitions;
    const int *parents;
    size_t n_parents;
} spark_rdd_info;

/* spark_accumulable: a named accumulator of numbers, as text: value: what the tasks of the stage
 * have added to it, so far; update: of a task: what it has added; of a stage "". What
 * spark_count_hardware counts is told of stages in the same way, with ids from 2^40 on. */
typedef struct spark_accumulable {
    int64_t id;
    const char *name, *value, *update;
} spark_accumulable;

/* spark_rdd_rows: rows that the tasks of a stage which succeeded have made of an RDD, and read of
 * it from the cache. An RDD whose partitions are each one of its parents' (union, prune_partitions) is
 * not counted. ns: what making them has taken, where metrics are kept: without what stands above,
 * of all tasks together. What a source does before and between its batches is measured; of what steps do to
 * batches, the first ones of a task and one of 16 from then on, which stand for all. */
typedef struct spark_rdd_rows {
    int rdd;
    int64_t made, cached, ns;
} spark_rdd_rows;

/* spark_hot_partition, spark_hot_key: of a shuffle, and how much of it that holds. Keys are printed
 * as their type is, and cut; of a sort they are what it orders by; partition: that it is in. */
typedef struct spark_hot_partition {
    int partition;
    int64_t rows, bytes;
} spark_hot_partition;
typedef struct spark_hot_key {
    char key[112];
    int partition;
    int64_t rows;
} spark_hot_key;

/* spark_shuffle_profile: of what the tasks of a stage have written for a shuffle, combined as it
 * was, each map partition once: exact, but for keys: one that is in the list has been written
 * `rows` times at least and rows + key_error times at most, any other key_error times at most; that
 * is 0 where there are few, and else at most rows / (k + 1), k being the number of keys asked for,
 * or 64 where that is less, and what was written of keys of more than 1 KiB. hot: by bytes; keys:
 * by rows; most first. counts_keys: they were asked for, and there are such: not where elements are
 * dealt out (repartition). */
typedef struct spark_shuffle_profile {
    int partitions;
    int64_t rows, bytes, median_rows, median_bytes; /* medians: of partitions */
    const spark_hot_partition *hot;
    size_t n_hot;
    bool counts_keys;
    const spark_hot_key *keys;
    size_t n_keys;
    int64_t key_error;
} spark_shuffle_profile;

/* spark_stage_info: one attempt of a stage. name: "map at wc.c:14". parents: stages whose output it
 * reads, those that are skipped as well. rdds: that it computes or reads from the cache, its last one
 * first; not those above cached ones that are all there. failure: "": there was none. */
typedef struct spark_stage_info {
    int id, attempt, job;
    const char *name;
    bool is_result;  /* of the action; else it writes a shuffle */
    int shuffle;     /* the shuffle it writes, or -1 */
    int tasks;
    const int *parents;
    size_t n_parents;
    const spark_rdd_info *rdds;
    size_t n_rdds;
    int64_t submission_time, completion_time; /* 0: not yet */
    const char *failure;
    const spark_accumulable *accumulables; /* when it has ended, and so of all attempts: */
    size_t n_accumulables;
    const spark_rdd_rows *rows; /* by RDD, where metrics are kept (spark/metrics.h) */
    size_t n_rows;
    int64_t end_ns; /* what those tasks have taken beside that: to write a shuffle, or for the action */
    const spark_shuffle_profile *written; /* where shuffles are profiled; else NULL */
} spark_stage_info;

/* spark_sql_operator: a node of a query's plan. depth: 0 is the root's; a node stands before those below it,
 * of depth + 1. name: Spark's ("HashAggregate"); text: the whole line. metric: an id of its own in the
 * context; rows: how many came out of it in the attempts of tasks that counted, when the execution has
 * ended, or -1: not known. */
typedef struct spark_sql_operator {
    int depth;
    const char *name, *text;
    int64_t metric, rows;
} spark_sql_operator;

/* spark_sql_execution: an action on what a statement of SQL gave, or on an RDD made of that. text: the
 * statement; plan: in print. Jobs carry its id as the property "spark.sql.execution.id". failure: "": it
 * has not failed. Spark: SparkListenerSQLExecutionStart, -End. */
typedef struct spark_sql_execution {
    int64_t id;
    const char *action, *site; /* "collect", "report.c:17" */
    const char *description;   /* that jobs were given, or "" */
    const char *text, *plan;
    const spark_sql_operator *operators;
    size_t n_operators;
    int64_t start_time, end_time; /* end_time 0: it runs */
    spark_status status;
    const char *failure;
} spark_sql_execution;

/* spark_job_info: a job. stages: those that are known at its start, its last one first; what is not
 * submitted by the end was skipped. properties: group, description, tags, pool and the
 * execution of SQL by Spark's names.
 * failure: of one that has failed; "": it has not. */
typedef struct spark_job_info {
    int id;
    const char *action, *site; /* "collect", "wc.c:17" */
    const spark_stage_info *stages;
    size_t n_stages;
    const spark_property *properties;
    size_t n_properties;
    int64_t execution; /* of SQL, or -1 */
    int64_t submission_time, completion_time;
    spark_status status;
    const char *failure;
} spark_job_info;

typedef enum spark_task_end_reason {
    SPARK_TASK_RUNNING = 0,   /* it has not ended */
    SPARK_TASK_SUCCESS,
    SPARK_TASK_FAILED,        /* Spark: ExceptionFailure */
    SPARK_TASK_FETCH_FAILED,  /* an output of a shuffle was gone */
    SPARK_TASK_KILLED,        /* its job has ended, or another attempt was faster */
    SPARK_TASK_EXECUTOR_LOST
} spark_task_end_reason;

/* spark_task_metrics: what an attempt has taken, read and written; bytes are those of rows and what they
 * point to, of files as they are on disk. Spark: TaskMetrics. There is no serialisation and no garbage
 * collector here, so these are not mentioned. */
typedef struct spark_task_metrics {
    int64_t run_ns;    /* from its start to its end */
    int64_t cpu_ns;    /* of its thread */
    int64_t queue_ns;  /* from the submission of its stage to its start */
    int64_t result_bytes;
    int64_t input_bytes, input_rows;   /* of files, and of cached blocks; bytes of a file whose reading was
                                          stopped before its end are not known, and not counted */
    int64_t output_bytes, output_rows; /* to files */
    int64_t cached_reads;              /* partitions that were read from the cache */
    int64_t shuffle_read_local_bytes, shuffle_read_remote_bytes; /* remote: from another executor. Of rows that
                                          point to something their share of what was written with them */
    int64_t shuffle_read_local_blocks, shuffle_read_remote_blocks, shuffle_read_rows;
    int64_t shuffle_write_bytes, shuffle_write_rows;
    int64_t memory_spilled_bytes, disk_spilled_bytes; /* as they were in memory, and on disk */
    int64_t peak_memory_bytes; /* of windows in which it gathered rows for a shuffle; nothing else is counted */
    int64_t cached_blocks, evicted_blocks, cache_bytes_written, cache_bytes_read; /* as in spark_job_stats */
    int64_t cycles, instructions, cache_misses, page_faults; /* of its thread, outside the kernel, where
                                             they are counted (spark_count_hardware); else 0 */
} spark_task_metrics;

/* spark_task_info: an attempt of a task. id: unique in the context. index: in its stage attempt's
 * stage; partition: of the RDD; locality: Spark's word. error and what follows: of one that has not
 * succeeded. */
typedef struct spark_task_info {
    int64_t id;
    int job, stage, stage_attempt, index, partition, attempt;
    bool is_result, speculative;
    char executor[16];
    int worker; /* the thread of the executor, from 0; -1: one of the program's */
    const char *locality;
    int64_t launch_time, finish_time; /* finish_time 0: it runs */
    spark_task_end_reason reason;
    spark_status status;
    const char *error, *operation, *site; /* message; where it was written */
    int lost_shuffle; /* of SPARK_TASK_FETCH_FAILED; else -1 */
    const spark_accumulable *accumulables; /* that it has added to, when it has ended */
    size_t n_accumulables;
    const spark_task_metrics *metrics; /* NULL: it runs */
} spark_task_info;

/* spark_block_event: a cached block has come, moved or gone (level SPARK_DEFAULT_LEVEL). */
typedef struct spark_block_event {
    int rdd, partition;
    const char *executor;
    bool in_memory, on_disk;
    spark_level level; /* that the RDD has */
    uint64_t memory_bytes, disk_bytes;
    int64_t time;
} spark_block_event;

/* spark_listener: callbacks that are NULL are not called; more may come with later versions, so that
 * members are to be named. capacity: how many events may wait (0: 10,000); what happens when so many do
 * is counted, and left out: of tasks and blocks only, the ends of tasks with their starts. whole:
 * nothing is left out: tasks wait before they go on, so that such a callback must be quick, and ask the
 * context nothing. task_failed: instead of task_end, of attempts that did not succeed; so nothing is done
 * for all the others. brief: the metrics of tasks are not wanted, and NULL, which halves what an end
 * costs. prompt: an action returns once its end has been told. missed: before the next event, how many were left out. close: after the last event,
 * when the context is freed; also where the listener could not be added. */
typedef struct spark_listener {
    void *env;
    size_t capacity;
    bool whole;
    bool brief;
    bool prompt;
    void (*application_start)(void *env, const spark_application *application);
    void (*application_end)(void *env, const spark_application *application);
    void (*environment_update)(void *env, const spark_environment *environment);
    void (*executor_added)(void *env, const spark_executor_event *executor);
    void (*executor_removed)(void *env, const spark_executor_event *executor);
    void (*job_start)(void *env, const spark_job_info *job);
    void (*job_end)(void *env, const spark_job_info *job);
    void (*stage_submitted)(void *env, const spark_stage_info *stage, const spark_job_info *job);
    void (*stage_completed)(void *env, const spark_stage_info *stage);
    void (*task_start)(void *env, const spark_task_info *task);
    void (*task_end)(void *env, const spark_task_info *task);
    void (*task_failed)(void *env, const spark_task_info *task);
    void (*block_updated)(void *env, const spark_block_event *block);
    void (*unpersist_rdd)(void *env, int rdd);
    void (*sql_start)(void *env, const spark_sql_execution *execution);
    void (*sql_end)(void *env, const spark_sql_execution *execution);
    void (*missed)(void *env, int64_t events);
    void (*idle)(void *env); /* all that has happened so far was told; then every tick_ms (0: not again) */
    int tick_ms;
    void (*close)(void *env);
} spark_listener;

/* spark_add_listener: from now on; executors that are there and the application are told first; of jobs
 * that run already, nothing, or what follows. The listener, which is copied, stays as long as the context
 * does; its callbacks may not free that (which does nothing there). A context has at most 64, with those of
 * spark/observe.h and spark/metrics.h. SPARK_EINVAL: no context, or no listener; SPARK_ENOMEM: no memory, no
 * thread, or that many are there. Spark: addSparkListener. */
spark_status spark_add_listener(spark_context *sc, const spark_listener *listener);

/* spark_listeners_wait: until all listeners were told all that had happened before the call. From a
 * callback it returns at once. Spark: waitUntilEmpty of its bus. spark_listeners_missed: how many events
 * were left out, over all listeners. */
void spark_listeners_wait(spark_context *sc);
int64_t spark_listeners_missed(spark_context *sc);

SPARK_END_DECLS

#endif
