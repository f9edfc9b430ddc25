/* SPDX-License-Identifier: Apache-2.0 */
/* Wide operations on pairs: they shuffle, unless the RDD is partitioned as wanted already.
 * `partitions` 0 (a number computed as 0 asks for it too, in silence): Spark's default-partitioner
 * rule (the partitioner of the largest partitioned input where it is large enough, else
 * default_parallelism where that is set, else as many partitions as the largest input). Order
 * within a partition: by a part of the hash, then first occurrence; the same for any number of
 * threads, though Spark promises none. */
#ifndef SPARK_KEYED_H
#define SPARK_KEYED_H

#include <spark/rdd.h>

SPARK_BEGIN_DECLS

/* spark_partitioner_new: places keys by a function. Two are equal, so that joins between RDDs
 * placed by them need no shuffle, when function, count and the bytes of env are the same.
 * spark_hash_partitioner: places them by their hash; equal when the counts are. At least one
 * partition. Never NULL: what went wrong comes back from the verbs that are given it, and from
 * spark_partitioner_status. Spark: Partitioner, HashPartitioner. */
spark_partitioner *spark_partitioner_new(spark_site at, spark_context *sc, int partitions,
    const spark_partitioner_def *f, const spark_env *env);
spark_partitioner *spark_hash_partitioner(spark_site at, spark_context *sc, int partitions);
/* spark_range_partitioner: places keys by ranges of an order (NULL: natural) that hold about as
 * many pairs of rdd each; samples rdd with a job at the call. There may be fewer partitions than
 * asked for, where keys repeat; 1 for an empty rdd, and where 0 are asked for. Equal when the
 * bounds and directions are. Spark: RangePartitioner. spark_dense_partitioner: places integer keys
 * 0 to keys - 1 (keys: 1 to 2^40) by ranges of equal width; any other key fails the task. The
 * identity partitioner, for keys that are numbers of partitions, is spark_dense_partitioner(sc, n,
 * n). */
spark_partitioner *spark_range_partitioner(
    spark_site at, spark_rdd *rdd, const spark_order *order, int partitions);
spark_partitioner *spark_dense_partitioner(
    spark_site at, spark_context *sc, uint64_t keys, int partitions);
/* spark_partitioner_partitions: -1 for one that carries an error. spark_partitioner_get: where a
 * key goes: spark_partitioner_get(p, SPARK_VALUE(int64_t, &key)); -1 on failure. Spark:
 * numPartitions, getPartition. */
int spark_partitioner_partitions(const spark_partitioner *p);
int spark_partitioner_get(const spark_partitioner *p, const spark_type *type, const void *key);
bool spark_partitioner_equal(const spark_partitioner *a, const spark_partitioner *b);
spark_status spark_partitioner_status(const spark_partitioner *p);

/* spark_keyed_options: for the _with forms: a partitioner instead of a count. */
typedef struct spark_keyed_options {
    int partitions;                       /* 0: the default */
    const spark_partitioner *partitioner; /* NULL: by hash; overrides partitions */
} spark_keyed_options;

/* spark_reduce_by_key (wide): (k, v) with all values of k merged by f, on the map side first. f's
 * ACC and IN are the value type. Spark: reduceByKey. */
spark_rdd *spark_reduce_by_key(spark_site at, spark_rdd *rdd, const spark_merge_def *f,
    const spark_env *env, int partitions) SPARK_USE_RESULT_;
spark_rdd *spark_reduce_by_key_with(spark_site at, spark_rdd *rdd, const spark_merge_def *f,
    const spark_env *env, const spark_keyed_options *options) SPARK_USE_RESULT_;

/* spark_reduce_by_key_dense (wide): the same for integer keys 0 to k - 1: arrays instead of
 * hashing; rows in the order of the keys, for keys that occur. `dense` is a
 * spark_dense_partitioner, which the result has. */
spark_rdd *spark_reduce_by_key_dense(spark_site at, spark_rdd *rdd, const spark_merge_def *f,
    const spark_env *env, const spark_partitioner *dense) SPARK_USE_RESULT_;

/* spark_aggregate_by_key (wide): starts each key of each map partition with a copy of *zero, adds
 * values with `add` (ACC, V) and merges these with `combine` (ACC, ACC):
 * spark_aggregate_by_key(rdd, SPARK_ZERO(moments), add_value, combine, NULL, 0). How often zero is
 * used for a key depends on the data and must not matter. env is bound to both. Spark:
 * aggregateByKey.
 * What an accumulator points to is copied whenever a value has changed it: one that keeps all its
 * values takes quadratic time; group_by_key does not. */
spark_rdd *spark_aggregate_by_key(spark_site at, spark_rdd *rdd, const spark_type *acc,
    const void *zero, const spark_merge_def *add, const spark_merge_def *combine,
    const spark_env *env, int partitions) SPARK_USE_RESULT_;
spark_rdd *spark_aggregate_by_key_with(spark_site at, spark_rdd *rdd, const spark_type *acc,
    const void *zero, const spark_merge_def *add, const spark_merge_def *combine,
    const spark_env *env, const spark_keyed_options *options) SPARK_USE_RESULT_;

/* spark_fold_by_key (wide): the same where the accumulator is a value: spark_fold_by_key(rdd,
 * SPARK_VALUE(int64_t, &zero), f, NULL, 0). Spark: foldByKey. */
spark_rdd *spark_fold_by_key(spark_site at, spark_rdd *rdd, const spark_type *type,
    const void *zero, const spark_merge_def *f, const spark_env *env,
    int partitions) SPARK_USE_RESULT_;
spark_rdd *spark_fold_by_key_with(spark_site at, spark_rdd *rdd, const spark_type *type,
    const void *zero, const spark_merge_def *f, const spark_env *env,
    const spark_keyed_options *options) SPARK_USE_RESULT_;

/* spark_combine_by_key (wide): the general form: `create` (V, ACC) makes the accumulator of a key's
 * first value in a map partition, `add` (ACC, V) adds further ones, `combine` (ACC, ACC) merges
 * those of different map partitions. How often create runs for a key depends on the data. env is
 * bound to all three. Spark: combineByKey. */
spark_rdd *spark_combine_by_key(spark_site at, spark_rdd *rdd, const spark_map_def *create,
    const spark_merge_def *add, const spark_merge_def *combine, const spark_env *env,
    int partitions) SPARK_USE_RESULT_;
spark_rdd *spark_combine_by_key_with(spark_site at, spark_rdd *rdd, const spark_map_def *create,
    const spark_merge_def *add, const spark_merge_def *combine, const spark_env *env,
    const spark_keyed_options *options) SPARK_USE_RESULT_;

/* spark_group_by_key (wide): (k, list of its values), values in the order of the input. A group is
 * held in memory as one array; reduce_by_key and aggregate_by_key are not. Spark: groupByKey. */
spark_rdd *spark_group_by_key(spark_site at, spark_rdd *rdd, int partitions) SPARK_USE_RESULT_;
spark_rdd *spark_group_by_key_with(
    spark_site at, spark_rdd *rdd, const spark_keyed_options *options) SPARK_USE_RESULT_;

/* spark_group_map_by_key (wide): what f, a SPARK_GROUP, emits for each key; its values are read one
 * by one, where they lie, so no array of them is made. Drops the partitioner. Spark: groupByKey,
 * then flatMap over the iterator. */
spark_rdd *spark_group_map_by_key(spark_site at, spark_rdd *rdd, const spark_group_def *f,
    const spark_env *env, int partitions) SPARK_USE_RESULT_;
spark_rdd *spark_group_map_by_key_with(spark_site at, spark_rdd *rdd, const spark_group_def *f,
    const spark_env *env, const spark_keyed_options *options) SPARK_USE_RESULT_;

/* spark_group_by (wide): (f(x), list of such x). Spark: groupBy. */
spark_rdd *spark_group_by(spark_site at, spark_rdd *rdd, const spark_map_def *f,
    const spark_env *env, int partitions) SPARK_USE_RESULT_;
spark_rdd *spark_group_by_with(spark_site at, spark_rdd *rdd, const spark_map_def *f,
    const spark_env *env, const spark_keyed_options *options) SPARK_USE_RESULT_;

/* spark_cogroup (wide): (k, struct of a list for each RDD) for every key of any of 2 to 4 RDDs of
 * pairs; the struct reads as any struct of such lists:
 *
 *   SPARK_STRUCT(activity, (click_list, clicks), (buy_list, buys));
 *
 * Inputs that are placed alike are not shuffled. spark_group_with: the same with the default
 * partitioner. Spark: cogroup, groupWith. */
spark_rdd *spark_cogroup(
    spark_site at, size_t n, spark_rdd *const rdds[], int partitions) SPARK_USE_RESULT_;
spark_rdd *spark_cogroup_with(spark_site at, size_t n, spark_rdd *const rdds[],
    const spark_keyed_options *options) SPARK_USE_RESULT_;
spark_rdd *spark_group_with(spark_site at, size_t n, spark_rdd *const rdds[]) SPARK_USE_RESULT_;

/* spark_subtract_by_key (wide): the pairs of rdd whose key is no key of other; duplicates stay.
 * Placed as rdd is, or into as many partitions as it has. Spark: subtractByKey. spark_subtract: the
 * elements of rdd that are not in other. Spark: subtract. spark_intersection: the elements both
 * have, each once. Spark: intersection. A partitioner given to their _with forms places
 * elements. */
spark_rdd *spark_subtract_by_key(
    spark_site at, spark_rdd *rdd, spark_rdd *other, int partitions) SPARK_USE_RESULT_;
spark_rdd *spark_subtract_by_key_with(spark_site at, spark_rdd *rdd, spark_rdd *other,
    const spark_keyed_options *options) SPARK_USE_RESULT_;
spark_rdd *spark_subtract(
    spark_site at, spark_rdd *rdd, spark_rdd *other, int partitions) SPARK_USE_RESULT_;
spark_rdd *spark_intersection(
    spark_site at, spark_rdd *rdd, spark_rdd *other, int partitions) SPARK_USE_RESULT_;
spark_rdd *spark_subtract_with(spark_site at, spark_rdd *rdd, spark_rdd *other,
    const spark_keyed_options *options) SPARK_USE_RESULT_;
spark_rdd *spark_intersection_with(spark_site at, spark_rdd *rdd, spark_rdd *other,
    const spark_keyed_options *options) SPARK_USE_RESULT_;

/* spark_partition_by (wide): the pairs, placed by p; order of the input within a partition. Returns
 * rdd itself when it is placed so already. Spark: partitionBy. */
spark_rdd *spark_partition_by(
    spark_site at, spark_rdd *rdd, const spark_partitioner *p) SPARK_USE_RESULT_;

/* spark_assume_partitioner (narrow): the pairs of rdd as they lie, which you promise is where p
 * places them: as many partitions as p has (else SPARK_EINVAL from the action), each key in its
 * own. What wants them placed so then needs no shuffle: rows that a file for each partition brings,
 * or that spark_map_partitions made. A wrong promise gives wrong results; spark_conf.check asks p
 * for every key and fails the task that has another's. p may be another RDD's
 * (spark_rdd_partitioner). Spark: mapPartitions(preservesPartitioning), or a subclass. */
spark_rdd *spark_assume_partitioner(
    spark_site at, spark_rdd *rdd, const spark_partitioner *p) SPARK_USE_RESULT_;

/* spark_distinct (wide): each value once. Without a shuffle where rdd has a partitioner and the
 * count stays. Spark: distinct. */
spark_rdd *spark_distinct(spark_site at, spark_rdd *rdd, int partitions) SPARK_USE_RESULT_;

/* Joins (wide): a row for each pair of a left and a right value with equal keys: (k, (v, w)); outer
 * joins have optionals: left (k, (v, optional w)), right (k, (optional v, w)), full both. Sides
 * that are placed alike are not shuffled. Spark: join, leftOuterJoin, rightOuterJoin,
 * fullOuterJoin. */
spark_rdd *spark_join(
    spark_site at, spark_rdd *left, spark_rdd *right, int partitions) SPARK_USE_RESULT_;
spark_rdd *spark_left_outer_join(
    spark_site at, spark_rdd *left, spark_rdd *right, int partitions) SPARK_USE_RESULT_;
spark_rdd *spark_right_outer_join(
    spark_site at, spark_rdd *left, spark_rdd *right, int partitions) SPARK_USE_RESULT_;
spark_rdd *spark_full_outer_join(
    spark_site at, spark_rdd *left, spark_rdd *right, int partitions) SPARK_USE_RESULT_;

/* spark_join_map (wide): any of these joins, with rows made by SPARK_JOIN: no nested pairs, NULL
 * for an absent side. The fast form; its rows need not be pairs, so the result has no partitioner,
 * which that of the others has. */
typedef enum spark_join_kind {
    SPARK_INNER,
    SPARK_LEFT_OUTER,
    SPARK_RIGHT_OUTER,
    SPARK_FULL_OUTER
} spark_join_kind;
spark_rdd *spark_join_map(spark_site at, spark_rdd *left, spark_rdd *right, spark_join_kind kind,
    const spark_join_def *f, const spark_env *env, int partitions) SPARK_USE_RESULT_;
spark_rdd *spark_join_with(spark_site at, spark_rdd *left, spark_rdd *right, spark_join_kind kind,
    const spark_keyed_options *options) SPARK_USE_RESULT_;
spark_rdd *spark_join_map_with(spark_site at, spark_rdd *left, spark_rdd *right,
    spark_join_kind kind, const spark_join_def *f, const spark_env *env,
    const spark_keyed_options *options) SPARK_USE_RESULT_;

SPARK_END_DECLS

#ifndef SPARK_EXPLICIT_SITES
/* The verbs fill in their call site. */
#define spark_partitioner_new(...) spark_partitioner_new(SPARK_HERE, __VA_ARGS__)
#define spark_hash_partitioner(...) spark_hash_partitioner(SPARK_HERE, __VA_ARGS__)
#define spark_reduce_by_key(...) spark_reduce_by_key(SPARK_HERE, __VA_ARGS__)
#define spark_reduce_by_key_with(...) spark_reduce_by_key_with(SPARK_HERE, __VA_ARGS__)
#define spark_aggregate_by_key(...) spark_aggregate_by_key(SPARK_HERE, __VA_ARGS__)
#define spark_group_by_key(...) spark_group_by_key(SPARK_HERE, __VA_ARGS__)
#define spark_group_by_key_with(...) spark_group_by_key_with(SPARK_HERE, __VA_ARGS__)
#define spark_group_by(...) spark_group_by(SPARK_HERE, __VA_ARGS__)
#define spark_partition_by(...) spark_partition_by(SPARK_HERE, __VA_ARGS__)
#define spark_range_partitioner(...) spark_range_partitioner(SPARK_HERE, __VA_ARGS__)
#define spark_dense_partitioner(...) spark_dense_partitioner(SPARK_HERE, __VA_ARGS__)
#define spark_reduce_by_key_dense(...) spark_reduce_by_key_dense(SPARK_HERE, __VA_ARGS__)
#define spark_aggregate_by_key_with(...) spark_aggregate_by_key_with(SPARK_HERE, __VA_ARGS__)
#define spark_fold_by_key(...) spark_fold_by_key(SPARK_HERE, __VA_ARGS__)
#define spark_fold_by_key_with(...) spark_fold_by_key_with(SPARK_HERE, __VA_ARGS__)
#define spark_combine_by_key(...) spark_combine_by_key(SPARK_HERE, __VA_ARGS__)
#define spark_combine_by_key_with(...) spark_combine_by_key_with(SPARK_HERE, __VA_ARGS__)
#define spark_group_map_by_key(...) spark_group_map_by_key(SPARK_HERE, __VA_ARGS__)
#define spark_group_map_by_key_with(...) spark_group_map_by_key_with(SPARK_HERE, __VA_ARGS__)
#define spark_group_by_with(...) spark_group_by_with(SPARK_HERE, __VA_ARGS__)
#define spark_cogroup(...) spark_cogroup(SPARK_HERE, __VA_ARGS__)
#define spark_cogroup_with(...) spark_cogroup_with(SPARK_HERE, __VA_ARGS__)
#define spark_group_with(...) spark_group_with(SPARK_HERE, __VA_ARGS__)
#define spark_subtract_by_key(...) spark_subtract_by_key(SPARK_HERE, __VA_ARGS__)
#define spark_subtract_by_key_with(...) spark_subtract_by_key_with(SPARK_HERE, __VA_ARGS__)
#define spark_subtract(...) spark_subtract(SPARK_HERE, __VA_ARGS__)
#define spark_subtract_with(...) spark_subtract_with(SPARK_HERE, __VA_ARGS__)
#define spark_intersection_with(...) spark_intersection_with(SPARK_HERE, __VA_ARGS__)
#define spark_intersection(...) spark_intersection(SPARK_HERE, __VA_ARGS__)
#define spark_join_with(...) spark_join_with(SPARK_HERE, __VA_ARGS__)
#define spark_assume_partitioner(...) spark_assume_partitioner(SPARK_HERE, __VA_ARGS__)
#define spark_distinct(...) spark_distinct(SPARK_HERE, __VA_ARGS__)
#define spark_join(...) spark_join(SPARK_HERE, __VA_ARGS__)
#define spark_left_outer_join(...) spark_left_outer_join(SPARK_HERE, __VA_ARGS__)
#define spark_right_outer_join(...) spark_right_outer_join(SPARK_HERE, __VA_ARGS__)
#define spark_full_outer_join(...) spark_full_outer_join(SPARK_HERE, __VA_ARGS__)
#define spark_join_map(...) spark_join_map(SPARK_HERE, __VA_ARGS__)
#define spark_join_map_with(...) spark_join_map_with(SPARK_HERE, __VA_ARGS__)
#endif

#endif
