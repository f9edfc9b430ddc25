/* SPDX-License-Identifier: Apache-2.0 */
/* Listeners that are there already: the event log, which Spark's History Server reads, a report,
 * a trace of what ran when, the progress bar, and lines of a log. A program has those that it names. */
#ifndef SPARK_OBSERVE_H
#define SPARK_OBSERVE_H

#include <spark/listener.h>

SPARK_BEGIN_DECLS

/* spark_event_log: from now on what happens in the context is written to a file in the directory
 * (NULL: the environment's SPARK_EVENT_LOG_DIR; where that is unset or empty, nothing is,
 * which is fine), as Spark writes it: an unmodified History Server shows it, while the program
 * runs and afterwards. "file:" may stand in front; a directory that is not there is made, if
 * the one above it is. The file is called as the application's id, and ".inprogress" until the
 * context is freed.
 *
 * Nothing is left out: where the file cannot be written as fast as tasks end, tasks wait. Where
 * it cannot be written at all (a full disk), standard error gets one line, the file stays as
 * it is, readable to its last event, and the program goes on. SPARK_EIO: it could not be
 * begun. Blocks are always told of, without which the page of storage were empty (Spark: only
 * where spark.eventLog.logBlockUpdates.enabled is). A text is cut after 64 KiB, and what is no
 * UTF-8 in it becomes U+FFFD. Spark: EventLoggingListener; spark.eventLog.enabled,
 * spark.eventLog.dir. */
spark_status spark_event_log(spark_context *sc, const char *dir) SPARK_USE_RESULT_;

/* spark_report: when the context is freed, the file is a page about what has happened in it from
 * now on, which any browser shows, without a server and without anything from elsewhere: what
 * stands out, in words (rows that are in one partition, slow tasks, tiny tasks, spills, caches
 * that were not read), jobs as graphs of their stages, what each worker did when, the stages
 * with the median and the longest of their tasks, what was cached when, and what failed. It
 * stays below some megabytes whatever happens: of more than 2,000 jobs or stages the first are
 * gathered one by one, those that took longest are shown, and many short tasks are drawn as
 * one; sums are of all. Until the context is freed the file is empty. A text is cut after
 * 2,000 bytes or fewer; what may not stand in a page becomes U+FFFD. SPARK_EINVAL: no path.
 * SPARK_EIO: it cannot be begun; what fails later (a full disk) is one line on standard error.
 * Tasks wait where they end faster than they can be gathered. Spark has no such thing; its web
 * UI shows the same. */
spark_status spark_report(spark_context *sc, const char *path) SPARK_USE_RESULT_;

/* spark_trace: from now on what happens in the context is written to the file as Chrome trace
 * events (JSON), which Perfetto (ui.perfetto.dev) shows: a process for each executor with a
 * track for each of its workers, on which tasks stand with what they have measured; jobs and
 * stages as spans of process 1; retries, losses, spills and evictions as instants; cached
 * bytes and running tasks as counters. Times are microseconds since the application began.
 * If the program is killed, the file has whole
 * events, and lacks its closing brackets. Errors and waiting as of spark_report. */
spark_status spark_trace(spark_context *sc, const char *path) SPARK_USE_RESULT_;

/* spark_progress: of a stage that runs. execution: of SQL, or -1. done, running and failed count tasks; rate: tasks a
 * second, so far; left: how many seconds it will take at that rate; both negative where that
 * is not known. */
typedef struct spark_progress {
    int job, stage;
    int64_t execution;
    const char *name;
    int done, running, failed, total;
    double seconds, rate, left;
} spark_progress;

/* spark_progress_options: to: told every interval_ms (0: 200) of the stages that run, and have
 * done so for delay_ms (0: 500; negative: 0), in the order of their ids, and once with n 0
 * when none is left; on a thread of its own. NULL: a bar is drawn. */
typedef struct spark_progress_options {
    int interval_ms, delay_ms;
    void (*to)(void *env, const spark_progress *stages, size_t n);
    void *env;
} spark_progress_options;

/* spark_show_progress: a bar on standard error, where that is a terminal (else nothing happens),
 * as Spark draws it: "[Stage 0:======>        (5 + 2) / 10]", of up to three stages side by
 * side; of one alone with rate and time left where there is room. It is gone when no stage
 * runs. It is as wide as COLUMNS in the environment says, else as the terminal, else 80
 * characters. options may be NULL. Spark: spark.ui.showConsoleProgress. */
spark_status spark_show_progress(
    spark_context *sc, const spark_progress_options *options) SPARK_USE_RESULT_;

/* spark_log_level: as log4j has them; a level takes in those before it. */
typedef enum spark_log_level {
    SPARK_LOG_DEFAULT = 0, /* what the environment's SPARK_LOG_LEVEL says: ERROR, .., TRACE; or OFF */
    SPARK_LOG_OFF,
    SPARK_LOG_ERROR, /* jobs that have failed, executors that are lost */
    SPARK_LOG_WARN,  /* attempts of tasks that have failed, shuffle outputs that are lost */
    SPARK_LOG_INFO,  /* jobs, stages, executors, blocks, executions of SQL */
    SPARK_LOG_DEBUG, /* each task; how the context is configured */
    SPARK_LOG_TRACE  /* what each task has measured */
} spark_log_level;

/* spark_log_options: to: told of each line, on a thread of its own: when it happened (nanoseconds
 * since 1970), who says so, by the name of Spark's class ("DAGScheduler"), and what; NULL:
 * standard error gets it. */
typedef struct spark_log_options {
    spark_log_level level;
    void (*to)(void *env, spark_log_level level, int64_t time, const char *source, const char *message);
    void *env;
} spark_log_options;

/* spark_log: from now on what happens in the context is said in lines, in Spark's words where it
 * has some; without this function nothing is. options may be NULL: standard error, at the level
 * that SPARK_LOG_LEVEL says; where that is unset, empty or OFF nothing is said, which is fine.
 * A line on standard error is Spark's default layout, in local time:
 *
 *   24/11/30 17:04:05 INFO DAGScheduler: Job 0 finished: collect at wc.c:17, took 0.051623 s
 *
 * Whatever names, paths and messages hold, a line stays one: line ends in them are written as
 * \n, other control characters (those that terminals obey, and those that turn the direction of
 * writing) and what is no UTF-8 as U+FFFD; a text is cut after 2,000 bytes. No job waits for the
 * log: events it has no time for are left out, and how many is said; nor does one fail of it. What
 * happened last is said when the context is freed: a program that ends without that may lose it.
 * Tasks are said of at DEBUG (Spark: INFO), for most take microseconds here. SPARK_EINVAL: the
 * level is none. Spark: log4j, setLogLevel. */
spark_status spark_log(spark_context *sc, const spark_log_options *options) SPARK_USE_RESULT_;

SPARK_END_DECLS

#endif
