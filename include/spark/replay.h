/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at one partition: for debuggers, profilers, and whoever wants to know. Spark has no such
 * thing. */
#ifndef SPARK_REPLAY_H
#define SPARK_REPLAY_H

#include <spark/rdd.h>

SPARK_BEGIN_DECLS

/* spark_replay: computes one partition of the RDD on the calling thread, and returns how many rows
 * it has; -1 on failure, which spark_last_error tells, with the record. To be called where an
 * action could be, or from a debugger: gdb, valgrind and perf see a plain program of one thread.
 *
 * It begins with what is there: cached blocks, checkpoints and shuffle outputs above the RDD, but
 * no block of the RDD itself. Shuffle outputs that are missing are computed first, and so is what
 * finds out how many partitions there are (a sort's sample, the counts of zip_with_index), all of
 * it by this thread; such outputs, and blocks of persisted RDDs above, stay, as after any job.
 * Partitions inside each other (zip, coalesce) take a second thread's stack only when half of this
 * one's is gone, and this thread waits meanwhile; see spark_conf.thread_stack_bytes. What another
 * job is computing is waited for.
 *
 * A replay is a job with a number and figures (spark_job_stats_get). Its rows count in no
 * accumulator, no fault of spark_conf.faults happens in it, and time limits do not hold. A function
 * that fails is tried once more, element by element, so that the error names the record, and the
 * line where there is one; not those that take a whole partition, or merge. */
int64_t spark_replay(spark_site at, spark_rdd *rdd, int partition);

/* spark_replay_with: spark_replay_with(rdd, 3,
 *     &(spark_replay_options) { .print = stderr, .max_rows = 1 }). */
typedef struct spark_replay_options {
    FILE *print;     /* NULL: nowhere; else each row, as soon as it is there, flushed, in the form of
                        spark_show. SPARK_EIO where it cannot be written */
    size_t max_rows; /* 0: all; the replay ends after so many. Little beyond them is computed */
} spark_replay_options;
int64_t spark_replay_with(
    spark_site at, spark_rdd *rdd, int partition, const spark_replay_options *options);

SPARK_END_DECLS

#ifndef SPARK_EXPLICIT_SITES
/* The verbs fill in their call site. */
#define spark_replay(...) spark_replay(SPARK_HERE, __VA_ARGS__)
#define spark_replay_with(...) spark_replay_with(SPARK_HERE, __VA_ARGS__)
#endif

#endif
