/* SPDX-License-Identifier: Apache-2.0 */
/* Shared variables: broadcasts, which tasks read, and accumulators, which they add to. */
#ifndef SPARK_SHARED_H
#define SPARK_SHARED_H

#include <spark/context.h>
#include <spark/function.h>
#include <spark/index.h>

SPARK_BEGIN_DECLS

/* spark_broadcast_new: a deep copy of *value for tasks to read: spark_broadcast_new(sc,
 * SPARK_VALUE(centres, &c)), then SPARK_SHARED(b) as env. Lives until its scope ends and every RDD
 * that was given it is gone. NULL on failure; SPARK_SHARED(NULL) is an error of the verb. Spark:
 * broadcast. */
spark_broadcast *spark_broadcast_new(
    spark_site at, spark_context *sc, const spark_type *type, const void *value);

/* spark_broadcast_index: of a map, with its index: inside a function env is a spark_index. */
spark_broadcast *spark_broadcast_index(spark_site at, spark_context *sc, const spark_index *index);

/* spark_broadcast_destroy: nothing may use it any more: a verb that is given it, and any job of an
 * RDD that was, fails with SPARK_EINVAL. Its memory goes with the last such RDD. NULL does nothing.
 * Spark: destroy. */
void spark_broadcast_destroy(spark_broadcast *broadcast);

/* spark_broadcast_value: the value; valid while the broadcast lives. NULL once it is destroyed. */
const void *spark_broadcast_value(const spark_broadcast *broadcast);

/* spark_counter: an accumulator of int64_t, starting at 0. spark_float_counter: of double; added
 * in the order of jobs, stages, partitions and, in a partition, of the functions along the lineage,
 * each in the order of its elements: neither threads nor batches nor memory can be seen in the sum,
 * and reading it costs what has been added since. Updates count
 * once for each partition of a result and once for each map output or cached block, however often
 * it is computed again (Spark counts recomputed map outputs twice); those of failed attempts
 * never. How far beyond its last element a take reads is not defined, nor is what that adds. name
 * may be NULL. NULL on failure, which spark_accumulate ignores. Spark: longAccumulator,
 * doubleAccumulator. */
const spark_accumulator *spark_counter(spark_site at, spark_context *sc, const char *name);
const spark_accumulator *spark_float_counter(spark_site at, spark_context *sc, const char *name);

/* spark_accumulator_once: from now on each partition of an RDD counts once in it, however many jobs
 * read it, and returns it: spark_accumulator_once(spark_counter(sc, "bad lines")). What a function
 * given to a transformation adds counts the first time that a partition of the RDD it made was
 * computed to its end, by a task that succeeded: a sort that samples first, take in rounds, a
 * second action, lost blocks change nothing, and a take that stops inside a partition adds nothing
 * for it. Counts with every job as ever: what functions of actions add, and those that combine or
 * place rows of a shuffle. Of any kind of accumulator, to be called at once: later, what has been
 * added stays in it, and partitions that were computed before count once more. Reset makes
 * partitions count again. NULL is NULL. Spark has no such thing. */
const spark_accumulator *spark_accumulator_once(const spark_accumulator *accumulator);

/* spark_accumulate, spark_accumulate_f64: add, from inside a function, which gets the accumulator
 * as env:
 *
 *   typedef const spark_accumulator *counter;
 *   SPARK_FILTER(good, spark_str, counter)
 *   {
 *       if (in->len == 0)
 *           spark_accumulate(task, *env, 1);
 *       return in->len > 0;
 *   }
 *   counter empty = spark_counter(sc, "empty lines");
 *   lines = spark_filter(lines, good, SPARK_COPY(empty)); */
/* On the driver task is NULL: what is added there counts at once, and stands before what tasks add
 * (of a float counter, a sum of its own); what goes wrong (no memory) is in spark_last_error. */
void spark_accumulate(spark_task *task, const spark_accumulator *accumulator, int64_t by);
void spark_accumulate_f64(spark_task *task, const spark_accumulator *accumulator, double by);

/* spark_collection: an accumulator that gathers elements of a type. spark_accumulator_new: one of
 * the user's: starts from a copy of *zero in each attempt, `add` (ACC, IN) takes a value, `combine`
 * (ACC, ACC) merges what attempts have made, in the order of a float counter (those of jobs that
 * have ended once for all, when the value is read):
 *
 *   const spark_accumulator *seen
 *       = spark_accumulator_new(sc, SPARK_ZERO(id_set), add_id, merge_ids,
 *       "ids");
 *
 * spark_accumulate_value: adds to either, from inside a function: spark_accumulate_value(task,
 * *env, SPARK_VALUE(int64_t, in)). spark_accumulator_get: all elements, or the one value, in an
 * array of yours; a combine that fails is SPARK_ETASK there, and no error of the job. They count as
 * sums do. Spark: collectionAccumulator, register. */
const spark_accumulator *spark_collection(
    spark_site at, spark_context *sc, const spark_type *type, const char *name);
const spark_accumulator *spark_accumulator_new(spark_site at, spark_context *sc,
    const spark_type *type, const void *zero, const spark_merge_def *add,
    const spark_merge_def *combine, const char *name);
void spark_accumulate_value(spark_task *task, const spark_accumulator *accumulator,
    const spark_type *type, const void *value);
spark_status spark_accumulator_get(const spark_accumulator *accumulator, const spark_type *want,
    spark_array *result) SPARK_USE_RESULT_;

/* spark_accumulator_value, _f64: the sum so far, exact after the action returned; inside a task
 * what other attempts have published (Spark: an error). */
/* spark_accumulator_count: how many additions there were; spark_accumulator_reset: none, while no
 * job runs that adds. Spark: count, isZero, reset. */
int64_t spark_accumulator_count(const spark_accumulator *accumulator);
void spark_accumulator_reset(const spark_accumulator *accumulator);
int64_t spark_accumulator_value(const spark_accumulator *accumulator);
double spark_accumulator_f64(const spark_accumulator *accumulator);
const char *spark_accumulator_name(const spark_accumulator *accumulator);

SPARK_END_DECLS

#ifndef SPARK_EXPLICIT_SITES
/* The verbs fill in their call site. */
#define spark_broadcast_new(...) spark_broadcast_new(SPARK_HERE, __VA_ARGS__)
#define spark_broadcast_index(...) spark_broadcast_index(SPARK_HERE, __VA_ARGS__)
#define spark_collection(...) spark_collection(SPARK_HERE, __VA_ARGS__)
#define spark_accumulator_new(...) spark_accumulator_new(SPARK_HERE, __VA_ARGS__)
#define spark_counter(...) spark_counter(SPARK_HERE, __VA_ARGS__)
#define spark_float_counter(...) spark_float_counter(SPARK_HERE, __VA_ARGS__)
#endif

#endif
