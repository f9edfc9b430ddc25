/* SPDX-License-Identifier: Apache-2.0 */
/* Narrow transformations, element by element. They accept NULL and RDDs that carry an error, and
 * pass the error on. Types are compared at the call: what does not fit is an RDD with SPARK_ETYPE.
 * `env` is what SPARK_COPY and its kin make, or NULL. */
#ifndef SPARK_TRANSFORM_H
#define SPARK_TRANSFORM_H

#include <spark/rdd.h>

SPARK_BEGIN_DECLS

/* spark_map: f(x) for each x. Drops the partitioner; spark_map_values keeps it. Spark: map. */
spark_rdd *spark_map(
    spark_site at, spark_rdd *rdd, const spark_map_def *f, const spark_env *env) SPARK_USE_RESULT_;

/* spark_filter: the elements f keeps, in order; keeps the partitioner. Spark: filter. */
spark_rdd *spark_filter(spark_site at, spark_rdd *rdd, const spark_filter_def *f,
    const spark_env *env) SPARK_USE_RESULT_;

/* spark_flat_map: what f emits for each element, in order. Spark: flatMap. */
spark_rdd *spark_flat_map(spark_site at, spark_rdd *rdd, const spark_flat_map_def *f,
    const spark_env *env) SPARK_USE_RESULT_;

/* spark_map_partitions: f runs once a partition, also for empty ones, on an iterator;
 * spark_task_partition tells which. Drops the partitioner unless preserves_partitioning. Spark:
 * mapPartitions, mapPartitionsWithIndex. */
spark_rdd *spark_map_partitions(spark_site at, spark_rdd *rdd, const spark_partitions_def *f,
    const spark_env *env) SPARK_USE_RESULT_;
typedef struct spark_map_partitions_options {
    bool preserves_partitioning; /* false; the keys f emits must be those it read */
} spark_map_partitions_options;
spark_rdd *spark_map_partitions_with(spark_site at, spark_rdd *rdd, const spark_partitions_def *f,
    const spark_env *env, const spark_map_partitions_options *options) SPARK_USE_RESULT_;

/* spark_map_stateful: mapPartitions as a step for each element and a finish, with state between
 * them: SPARK_STEP, SPARK_FINISH. Does not hold the partition in memory. */
spark_rdd *spark_map_stateful(spark_site at, spark_rdd *rdd, const spark_stateful_def *f,
    const spark_env *env) SPARK_USE_RESULT_;

/* spark_key_by: pairs (f(x), x). Spark: keyBy. */
spark_rdd *spark_key_by(
    spark_site at, spark_rdd *rdd, const spark_map_def *f, const spark_env *env) SPARK_USE_RESULT_;

/* spark_map_values: (k, f(v)) for each pair; keeps the partitioner. Spark: mapValues. */
spark_rdd *spark_map_values(
    spark_site at, spark_rdd *rdd, const spark_map_def *f, const spark_env *env) SPARK_USE_RESULT_;

/* spark_keys, spark_values: one side of each pair. Spark: keys, values. */
spark_rdd *spark_keys(spark_site at, spark_rdd *rdd) SPARK_USE_RESULT_;
spark_rdd *spark_values(spark_site at, spark_rdd *rdd) SPARK_USE_RESULT_;

/* spark_union: all elements of a, then all of b, partitions appended; duplicates stay. RDDs
 * without partitions are left out; where all others have one equal partitioner, partition i is the
 * concatenation of theirs and the partitioner stays. spark_union_all: of n RDDs, at least one.
 * Spark: union. */
spark_rdd *spark_union(spark_site at, spark_rdd *a, spark_rdd *b) SPARK_USE_RESULT_;
spark_rdd *spark_union_all(
    spark_site at, spark_context *sc, size_t n, spark_rdd *const rdds[]) SPARK_USE_RESULT_;

SPARK_END_DECLS

#ifndef SPARK_EXPLICIT_SITES
/* The verbs fill in their call site. */
#define spark_map(...) spark_map(SPARK_HERE, __VA_ARGS__)
#define spark_filter(...) spark_filter(SPARK_HERE, __VA_ARGS__)
#define spark_flat_map(...) spark_flat_map(SPARK_HERE, __VA_ARGS__)
#define spark_map_partitions(...) spark_map_partitions(SPARK_HERE, __VA_ARGS__)
#define spark_map_partitions_with(...) spark_map_partitions_with(SPARK_HERE, __VA_ARGS__)
#define spark_map_stateful(...) spark_map_stateful(SPARK_HERE, __VA_ARGS__)
#define spark_key_by(...) spark_key_by(SPARK_HERE, __VA_ARGS__)
#define spark_map_values(...) spark_map_values(SPARK_HERE, __VA_ARGS__)
#define spark_keys(...) spark_keys(SPARK_HERE, __VA_ARGS__)
#define spark_values(...) spark_values(SPARK_HERE, __VA_ARGS__)
#define spark_union(...) spark_union(SPARK_HERE, __VA_ARGS__)
#define spark_union_all(...) spark_union_all(SPARK_HERE, __VA_ARGS__)
#endif

#endif
