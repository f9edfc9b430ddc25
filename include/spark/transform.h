/* SPDX-License-Identifier: Apache-2.0 */
/* Narrow transformations, element by element. They accept NULL and RDDs that carry an error, and
 * pass the error on. Types are compared at the call: what does not fit is an RDD with SPARK_ETYPE.
 * `env` is what SPARK_COPY and its kin make, or NULL. */
#ifndef SPARK_TRANSFORM_H
#define SPARK_TRANSFORM_H

#include <spark/rdd.h>

SPARK_BEGIN_DECLS

/* spark_map (narrow): f(x) for each x. Drops the partitioner; spark_map_values keeps it. Spark:
 * map. */
spark_rdd *spark_map(
    spark_site at, spark_rdd *rdd, const spark_map_def *f, const spark_env *env) SPARK_USE_RESULT_;

/* spark_filter (narrow): the elements f keeps, in order; keeps the partitioner. Spark: filter. */
spark_rdd *spark_filter(spark_site at, spark_rdd *rdd, const spark_filter_def *f,
    const spark_env *env) SPARK_USE_RESULT_;

/* spark_flat_map (narrow): what f emits for each element, in order. Spark: flatMap. */
spark_rdd *spark_flat_map(spark_site at, spark_rdd *rdd, const spark_flat_map_def *f,
    const spark_env *env) SPARK_USE_RESULT_;

/* spark_map_partitions (narrow): f runs once a partition, also for empty ones, on an iterator;
 * spark_task_partition tells which. Drops the partitioner unless preserves_partitioning. Spark:
 * mapPartitions, mapPartitionsWithIndex. */
spark_rdd *spark_map_partitions(spark_site at, spark_rdd *rdd, const spark_partitions_def *f,
    const spark_env *env) SPARK_USE_RESULT_;
typedef struct spark_map_partitions_options {
    bool preserves_partitioning; /* false; the keys f emits must be those it read (another type of
                                     keys is SPARK_ETYPE); what is no pair keeps it too */
} spark_map_partitions_options;
spark_rdd *spark_map_partitions_with(spark_site at, spark_rdd *rdd, const spark_partitions_def *f,
    const spark_env *env, const spark_map_partitions_options *options) SPARK_USE_RESULT_;

/* spark_map_stateful (narrow): mapPartitions as a step for each element and a finish, with state
 * between them: SPARK_STEP, SPARK_FINISH. Does not hold the partition in memory. */
spark_rdd *spark_map_stateful(spark_site at, spark_rdd *rdd, const spark_stateful_def *f,
    const spark_env *env) SPARK_USE_RESULT_;
spark_rdd *spark_map_stateful_with(spark_site at, spark_rdd *rdd, const spark_stateful_def *f,
    const spark_env *env, const spark_map_partitions_options *options) SPARK_USE_RESULT_;

/* spark_key_by (narrow): pairs (f(x), x). Spark: keyBy. */
spark_rdd *spark_key_by(
    spark_site at, spark_rdd *rdd, const spark_map_def *f, const spark_env *env) SPARK_USE_RESULT_;

/* spark_map_values (narrow): (k, f(v)) for each pair; keeps the partitioner. Spark: mapValues. */
spark_rdd *spark_map_values(
    spark_site at, spark_rdd *rdd, const spark_map_def *f, const spark_env *env) SPARK_USE_RESULT_;

/* spark_flat_map_values (narrow): (k, v) for each v that f emits for the value; keeps the
 * partitioner. Spark: flatMapValues. */
spark_rdd *spark_flat_map_values(spark_site at, spark_rdd *rdd, const spark_flat_map_def *f,
    const spark_env *env) SPARK_USE_RESULT_;

/* spark_filter_map (narrow): the results of a SPARK_FILTER_MAP function, for the elements that have
 * one. Spark: collect with a partial function. */
spark_rdd *spark_filter_map(spark_site at, spark_rdd *rdd, const spark_flat_map_def *f,
    const spark_env *env) SPARK_USE_RESULT_;

/* spark_keys, spark_values (narrow): one side of each pair. Spark: keys, values. */
spark_rdd *spark_keys(spark_site at, spark_rdd *rdd) SPARK_USE_RESULT_;
spark_rdd *spark_values(spark_site at, spark_rdd *rdd) SPARK_USE_RESULT_;

/* spark_union (narrow): all elements of a, then all of b, partitions appended; duplicates stay.
 * RDDs without partitions are left out; where all others have one equal partitioner, partition i is
 * the concatenation of theirs and the partitioner stays. spark_union_all: of n RDDs, at least one.
 * Spark: union. */
spark_rdd *spark_union(spark_site at, spark_rdd *a, spark_rdd *b) SPARK_USE_RESULT_;
spark_rdd *spark_union_all(
    spark_site at, spark_context *sc, size_t n, spark_rdd *const rdds[]) SPARK_USE_RESULT_;

/* spark_glom (narrow): one list of all elements for each partition. Spark: glom. */
spark_rdd *spark_glom(spark_site at, spark_rdd *rdd) SPARK_USE_RESULT_;

/* spark_zip (narrow): pairs of the i-th element of a and the i-th of b, partition by partition. A
 * different number of partitions is SPARK_EINVAL from the action, of elements in a partition
 * SPARK_ETASK. Spark: zip. */
spark_rdd *spark_zip(spark_site at, spark_rdd *a, spark_rdd *b) SPARK_USE_RESULT_;

/* spark_zip_partitions (narrow): f on partition i of a and of b; numbers of elements may differ,
 * numbers of partitions not. spark_zip_partitions_n: of 2 to 4 RDDs, as many as f takes. The
 * partitions are computed first, and held, on disk what does not fit in memory. Spark: zipPartitions. */
spark_rdd *spark_zip_partitions(spark_site at, spark_rdd *a, spark_rdd *b, const spark_zip_def *f,
    const spark_env *env) SPARK_USE_RESULT_;
spark_rdd *spark_zip_partitions_n(spark_site at, size_t n, spark_rdd *const rdds[],
    const spark_zip_def *f, const spark_env *env,
    const spark_map_partitions_options *options) SPARK_USE_RESULT_;

/* spark_zip_with_index (narrow): pairs (x, int64_t index), counted from 0 through the partitions in
 * order. The first action on it counts all partitions but the last with a job of its own (Spark
 * does so at the call). Spark: zipWithIndex. spark_zip_with_unique_id: (x, p + k * partitions) for
 * the k-th element of partition p, without a job. Spark: zipWithUniqueId. */
spark_rdd *spark_zip_with_index(spark_site at, spark_rdd *rdd) SPARK_USE_RESULT_;
spark_rdd *spark_zip_with_unique_id(spark_site at, spark_rdd *rdd) SPARK_USE_RESULT_;

/* spark_cartesian (narrow): a pair for each element of a and each of b. Partition i * (partitions
 * of b) + j has partition i of a with j of b, which is held; what of it is on disk is read
 * again for each element of a. More than 2^31 - 1 partitions are SPARK_EINVAL. Spark: cartesian. */
spark_rdd *spark_cartesian(spark_site at, spark_rdd *a, spark_rdd *b) SPARK_USE_RESULT_;

/* spark_coalesce (narrow): the same elements in at most `partitions` partitions (at least 1), each
 * the concatenation of neighbours; asking for more than there are changes nothing. Drops the
 * partitioner. Spark: coalesce. spark_repartition (wide): exactly `partitions`, evenly, by a
 * shuffle that deals elements out in turn. Spark: repartition, coalesce with shuffle. */
spark_rdd *spark_coalesce(spark_site at, spark_rdd *rdd, int partitions) SPARK_USE_RESULT_;
/* spark_coalesce_by (narrow): groups that a function makes, which need not be neighbours; a group
 * is its partitions in order. `partitions` is what the function is asked for; it may make as many
 * groups as there are partitions. Spark: coalesce with a PartitionCoalescer. */
spark_rdd *spark_coalesce_by(spark_site at, spark_rdd *rdd, int partitions,
    const spark_coalescer_def *f, const spark_env *env) SPARK_USE_RESULT_;
spark_rdd *spark_repartition(spark_site at, spark_rdd *rdd, int partitions) SPARK_USE_RESULT_;

/* spark_prune_partitions (narrow): the n partitions of rdd that are listed, in that order, as
 * partitions 0 to n - 1; nothing is computed for the others. Spark: PartitionPruningRDD. */
spark_rdd *spark_prune_partitions(
    spark_site at, spark_rdd *rdd, size_t n, const int *partitions) SPARK_USE_RESULT_;

/* spark_sample (narrow): each element with probability `fraction` (0 to 1, within 1e-6), or, with
 * replacement, a number of times that is Poisson distributed with that mean (0 to 1e9). The same
 * seed chooses the same elements. Keeps the partitioner. Spark: sample. */
spark_rdd *spark_sample(spark_site at, spark_rdd *rdd, bool with_replacement, double fraction,
    uint64_t seed) SPARK_USE_RESULT_;

/* spark_sample_by_key (narrow): the same for pairs with a rate for each key:
 * spark_sample_by_key(rdd, false, SPARK_DATA(rate, n, rates), seed), where rate is a pair of the
 * key and a double; more than 1 without replacement takes all, and of a key that is there twice the
 * last rate counts. A key without a rate fails the task. spark_sample_by_key_exact: exactly
 * ceil(rate * n) pairs of a key that has n (Spark: with 99.99 % confidence); the first action on it
 * counts the keys with a job of its own. Spark: sampleByKey, sampleByKeyExact. */
spark_rdd *spark_sample_by_key(spark_site at, spark_rdd *rdd, bool with_replacement,
    const spark_type *type, size_t n, const void *rates, uint64_t seed) SPARK_USE_RESULT_;
spark_rdd *spark_sample_by_key_exact(spark_site at, spark_rdd *rdd, bool with_replacement,
    const spark_type *type, size_t n, const void *rates, uint64_t seed) SPARK_USE_RESULT_;

/* spark_random_split (narrow): n disjoint RDDs, which together are the input, sized by weights
 * (none negative, not all 0), into parts[]; where that is NULL nothing is made, and
 * spark_last_error() says so. Spark: randomSplit. */
void spark_random_split(spark_site at, spark_rdd *rdd, size_t n, const double *weights,
    uint64_t seed, spark_rdd *parts[]);

SPARK_END_DECLS

#ifndef SPARK_EXPLICIT_SITES
/* The verbs fill in their call site. */
#define spark_map(...) spark_map(SPARK_HERE, __VA_ARGS__)
#define spark_filter(...) spark_filter(SPARK_HERE, __VA_ARGS__)
#define spark_flat_map(...) spark_flat_map(SPARK_HERE, __VA_ARGS__)
#define spark_map_partitions(...) spark_map_partitions(SPARK_HERE, __VA_ARGS__)
#define spark_map_partitions_with(...) spark_map_partitions_with(SPARK_HERE, __VA_ARGS__)
#define spark_map_stateful(...) spark_map_stateful(SPARK_HERE, __VA_ARGS__)
#define spark_map_stateful_with(...) spark_map_stateful_with(SPARK_HERE, __VA_ARGS__)
#define spark_key_by(...) spark_key_by(SPARK_HERE, __VA_ARGS__)
#define spark_map_values(...) spark_map_values(SPARK_HERE, __VA_ARGS__)
#define spark_flat_map_values(...) spark_flat_map_values(SPARK_HERE, __VA_ARGS__)
#define spark_filter_map(...) spark_filter_map(SPARK_HERE, __VA_ARGS__)
#define spark_glom(...) spark_glom(SPARK_HERE, __VA_ARGS__)
#define spark_zip(...) spark_zip(SPARK_HERE, __VA_ARGS__)
#define spark_zip_partitions(...) spark_zip_partitions(SPARK_HERE, __VA_ARGS__)
#define spark_zip_partitions_n(...) spark_zip_partitions_n(SPARK_HERE, __VA_ARGS__)
#define spark_zip_with_index(...) spark_zip_with_index(SPARK_HERE, __VA_ARGS__)
#define spark_zip_with_unique_id(...) spark_zip_with_unique_id(SPARK_HERE, __VA_ARGS__)
#define spark_cartesian(...) spark_cartesian(SPARK_HERE, __VA_ARGS__)
#define spark_coalesce(...) spark_coalesce(SPARK_HERE, __VA_ARGS__)
#define spark_prune_partitions(...) spark_prune_partitions(SPARK_HERE, __VA_ARGS__)
#define spark_coalesce_by(...) spark_coalesce_by(SPARK_HERE, __VA_ARGS__)
#define spark_repartition(...) spark_repartition(SPARK_HERE, __VA_ARGS__)
#define spark_sample(...) spark_sample(SPARK_HERE, __VA_ARGS__)
#define spark_sample_by_key(...) spark_sample_by_key(SPARK_HERE, __VA_ARGS__)
#define spark_sample_by_key_exact(...) spark_sample_by_key_exact(SPARK_HERE, __VA_ARGS__)
#define spark_random_split(...) spark_random_split(SPARK_HERE, __VA_ARGS__)
#define spark_keys(...) spark_keys(SPARK_HERE, __VA_ARGS__)
#define spark_values(...) spark_values(SPARK_HERE, __VA_ARGS__)
#define spark_union(...) spark_union(SPARK_HERE, __VA_ARGS__)
#define spark_union_all(...) spark_union_all(SPARK_HERE, __VA_ARGS__)
#endif

#endif
