/* SPDX-License-Identifier: Apache-2.0 */
/* Actions: they run a job and wait for it, on the calling thread; not from inside a function of the
 * user (SPARK_EINVAL). Several threads may run jobs on one context at once. `want` is the type the
 * result must have, compared before the job runs; NULL: any, see result->type. An action that fails
 * leaves *result zeroed. */
#ifndef SPARK_ACTION_H
#define SPARK_ACTION_H

#include <spark/index.h>
#include <spark/rdd.h>

SPARK_BEGIN_DECLS

/* spark_collect: all elements, partitions in order; at most spark_conf.max_result_bytes, as of every
 * action. Spark: collect. */
spark_status spark_collect(
    spark_site at, spark_rdd *rdd, const spark_type *want, spark_array *result) SPARK_USE_RESULT_;

/* spark_collect_partitions: the elements of n of the partitions, in the order they are named; one
 * that does not exist is SPARK_EINVAL. Spark: runJob on partitions. */
spark_status spark_collect_partitions(spark_site at, spark_rdd *rdd, size_t n,
    const int *partitions, const spark_type *want, spark_array *result) SPARK_USE_RESULT_;

/* spark_count: how many elements. Spark: count. */
spark_status spark_count(spark_site at, spark_rdd *rdd, int64_t *n) SPARK_USE_RESULT_;

/* spark_reduce: all elements merged by f, in order within a partition, then the partitions in
 * order. One element in *result. SPARK_EEMPTY: "empty collection". Spark: reduce, which merges
 * partitions in the order they finish. */
spark_status spark_reduce(spark_site at, spark_rdd *rdd, const spark_merge_def *f,
    const spark_env *env, const spark_type *want, spark_array *result) SPARK_USE_RESULT_;

/* spark_fold: the same from a zero, which is used once for each partition and once more for the
 * merge of these: a sum from 10 over 2 partitions adds 30. Spark: fold. */
spark_status spark_fold(spark_site at, spark_rdd *rdd, const spark_type *type, const void *zero,
    const spark_merge_def *f, const spark_env *env, spark_array *result) SPARK_USE_RESULT_;

/* spark_aggregate: a fold with an accumulator of another type: `add` (ACC, T) within partitions,
 * `combine` (ACC, ACC) between them. Spark: aggregate. */
spark_status spark_aggregate(spark_site at, spark_rdd *rdd, const spark_type *acc, const void *zero,
    const spark_merge_def *add, const spark_merge_def *combine, const spark_env *env,
    spark_array *result) SPARK_USE_RESULT_;

/* spark_take: the first n elements, or all; computes only as many partitions as it needs, in
 * growing rounds, each a job. Spark: take. spark_first: one, or SPARK_EEMPTY. */
spark_status spark_take(spark_site at, spark_rdd *rdd, size_t n, const spark_type *want,
    spark_array *result) SPARK_USE_RESULT_;
spark_status spark_first(
    spark_site at, spark_rdd *rdd, const spark_type *want, spark_array *result) SPARK_USE_RESULT_;

/* spark_show: prints the first n elements, or all, to standard output, one a line, in the form of
 * spark_print: spark_show(counts, 20); of SQL as a table: spark_sql_show. SPARK_EIO: it cannot be written. Elsewhere, or another
 * order: spark_take, spark_take_ordered, and spark_array_print. Spark: take(n).foreach(println). */
spark_status spark_show(spark_site at, spark_rdd *rdd, size_t n) SPARK_USE_RESULT_;

/* spark_array_sort: sorts the elements of a result, where they lie, by an order (NULL: natural);
 * equal ones keep their order, and SPARK_FIND goes on finding. On the calling thread, with up to 32
 * bytes of data memory an element and as much again as the elements; 2^32 - 1 elements at most. On
 * failure (SPARK_ETYPE, SPARK_ENOMEM) the array is as it was. */
spark_status spark_array_sort(
    spark_site at, spark_array *array, const spark_order *order) SPARK_USE_RESULT_;

/* spark_take_ordered: the n smallest, ascending by order (NULL: natural); spark_top: the n
 * largest, descending. Of equal ones, those that come first. Each task holds twice n elements at
 * most, and all tasks together three times n more; beyond 262,144 the whole is sorted instead (see
 * spark_sort_by), which is faster then and spills. Spark: takeOrdered, top, which hold n for each
 * partition. */
spark_status spark_take_ordered(spark_site at, spark_rdd *rdd, size_t n, const spark_order *order,
    const spark_type *want, spark_array *result) SPARK_USE_RESULT_;
spark_status spark_top(spark_site at, spark_rdd *rdd, size_t n, const spark_order *order,
    const spark_type *want, spark_array *result) SPARK_USE_RESULT_;

/* spark_max, spark_min: the last and the first by order (NULL: natural; of equal ones, the one that
 * comes first). One element in *result. SPARK_EEMPTY. Spark: max, min. */
spark_status spark_max(spark_site at, spark_rdd *rdd, const spark_order *order,
    const spark_type *want, spark_array *result) SPARK_USE_RESULT_;
spark_status spark_min(spark_site at, spark_rdd *rdd, const spark_order *order,
    const spark_type *want, spark_array *result) SPARK_USE_RESULT_;

/* spark_is_empty: whether there is no element; looks at as few partitions as take(1). Spark:
 * isEmpty. */
spark_status spark_is_empty(spark_site at, spark_rdd *rdd, bool *empty) SPARK_USE_RESULT_;

/* spark_take_sample: n elements drawn at random, in random order; without replacement at most all
 * there are. n is at most 2,147,020,237, as in Spark. The same seed draws the same. Counts first, so it
 * takes two jobs or more. Spark: takeSample. */
spark_status spark_take_sample(spark_site at, spark_rdd *rdd, bool with_replacement, size_t n,
    uint64_t seed, const spark_type *want, spark_array *result) SPARK_USE_RESULT_;

/* spark_tree_reduce, spark_tree_aggregate: reduce and aggregate whose partitions are merged by
 * tasks, in about `depth` (1 or more; Spark's default is 2) levels, before the rest is merged by
 * the calling thread: for accumulators that are large or slow to merge. A level of n merges
 * partitions i, i + n, i + 2n, ... together, so what is merged must not depend on the order of
 * partitions. As in Spark the zero of tree_aggregate is used at every level. Spark: treeReduce,
 * treeAggregate. */
spark_status spark_tree_reduce(spark_site at, spark_rdd *rdd, const spark_merge_def *f,
    const spark_env *env, int depth, const spark_type *want, spark_array *result) SPARK_USE_RESULT_;
spark_status spark_tree_aggregate(spark_site at, spark_rdd *rdd, const spark_type *acc,
    const void *zero, const spark_merge_def *add, const spark_merge_def *combine,
    const spark_env *env, int depth, spark_array *result) SPARK_USE_RESULT_;

/* spark_lookup: the values of one key, in order: spark_lookup(rdd, SPARK_VALUE(int64_t, &id),
 * SPARK_TYPE(order), &result). Where the RDD has a partitioner, one task looks into one partition.
 * Spark: lookup. */
spark_status spark_lookup(spark_site at, spark_rdd *rdd, const spark_type *type, const void *key,
    const spark_type *want, spark_array *result) SPARK_USE_RESULT_;

/* spark_collect_as_map: the pairs as an array with an index (spark_array_index): each key once,
 * with the last of its values in the order of collect. Spark: collectAsMap.
 * spark_reduce_by_key_locally: reduce_by_key, then the same; SPARK_EEMPTY for an RDD without
 * partitions. Spark: reduceByKeyLocally. */
spark_status spark_collect_as_map(
    spark_site at, spark_rdd *rdd, const spark_type *want, spark_array *result) SPARK_USE_RESULT_;
spark_status spark_reduce_by_key_locally(spark_site at, spark_rdd *rdd, const spark_merge_def *f,
    const spark_env *env, const spark_type *want, spark_array *result) SPARK_USE_RESULT_;

/* spark_to_local_iterator: the elements one by one, a job a partition when it is reached, so that
 * no more than one partition is in memory, and none after the last element. Belongs to the scope;
 * NULL on failure, which spark_local_next accepts. SPARK_LOCAL_NEXT(T, it): the next element, valid
 * until the call after, or NULL at the end or on failure: then the status tells; that of NULL is the
 * thread's last error. Spark: toLocalIterator. */
typedef struct spark_local_iterator spark_local_iterator;
spark_local_iterator *spark_to_local_iterator(
    spark_site at, spark_rdd *rdd, const spark_type *want) SPARK_USE_RESULT_;
const void *spark_local_next_(spark_local_iterator *iterator);
#define SPARK_LOCAL_NEXT(T, iterator) ((const T *)spark_local_next_(iterator))
spark_status spark_local_iterator_status(const spark_local_iterator *iterator);

/* spark_foreach_partition: calls f once for each partition, also for empty ones; it reads the
 * elements from an iterator. Spark: foreachPartition. */
spark_status spark_foreach_partition(spark_site at, spark_rdd *rdd,
    const spark_foreach_partition_def *f, const spark_env *env) SPARK_USE_RESULT_;

/* spark_foreach: calls f for each element; in several threads at once, and again for the elements
 * of an attempt that is repeated. Spark: foreach. */
spark_status spark_foreach(spark_site at, spark_rdd *rdd, const spark_foreach_def *f,
    const spark_env *env) SPARK_USE_RESULT_;

/* spark_count_by_key: pairs (k, int64_t) for each key; spark_count_by_value: (x, int64_t) for each
 * value; in the order of a reduce_by_key. Spark: countByKey, countByValue. */
spark_status spark_count_by_key(
    spark_site at, spark_rdd *rdd, const spark_type *want, spark_array *result) SPARK_USE_RESULT_;
spark_status spark_count_by_value(
    spark_site at, spark_rdd *rdd, const spark_type *want, spark_array *result) SPARK_USE_RESULT_;

/* spark_save_as_text_file: writes directory `path` with one file part-00000, part-00001, ... a
 * partition, an element a line in the form of spark_print, and _SUCCESS at the end. A path that
 * exists is SPARK_EIO before any task runs. Files appear only when complete; a failed job leaves
 * none. Spark: saveAsTextFile. */
spark_status spark_save_as_text_file(
    spark_site at, spark_rdd *rdd, const char *path) SPARK_USE_RESULT_;

/* spark_save_as_object_file: the same layout of a directory, elements of any type as they lie in
 * memory, in blocks with checksums, for spark_object_file on a machine of this kind. An element
 * with all it points to takes 1 GiB at most (SPARK_EIO). Spark: saveAsObjectFile. */
spark_status spark_save_as_object_file(
    spark_site at, spark_rdd *rdd, const char *path) SPARK_USE_RESULT_;

SPARK_END_DECLS

#ifndef SPARK_EXPLICIT_SITES
/* The verbs fill in their call site. */
#define spark_collect(...) spark_collect(SPARK_HERE, __VA_ARGS__)
#define spark_collect_partitions(...) spark_collect_partitions(SPARK_HERE, __VA_ARGS__)
#define spark_count(...) spark_count(SPARK_HERE, __VA_ARGS__)
#define spark_reduce(...) spark_reduce(SPARK_HERE, __VA_ARGS__)
#define spark_fold(...) spark_fold(SPARK_HERE, __VA_ARGS__)
#define spark_aggregate(...) spark_aggregate(SPARK_HERE, __VA_ARGS__)
#define spark_take(...) spark_take(SPARK_HERE, __VA_ARGS__)
#define spark_first(...) spark_first(SPARK_HERE, __VA_ARGS__)
#define spark_show(...) spark_show(SPARK_HERE, __VA_ARGS__)
#define spark_array_sort(...) spark_array_sort(SPARK_HERE, __VA_ARGS__)
#define spark_take_ordered(...) spark_take_ordered(SPARK_HERE, __VA_ARGS__)
#define spark_top(...) spark_top(SPARK_HERE, __VA_ARGS__)
#define spark_max(...) spark_max(SPARK_HERE, __VA_ARGS__)
#define spark_min(...) spark_min(SPARK_HERE, __VA_ARGS__)
#define spark_is_empty(...) spark_is_empty(SPARK_HERE, __VA_ARGS__)
#define spark_take_sample(...) spark_take_sample(SPARK_HERE, __VA_ARGS__)
#define spark_tree_reduce(...) spark_tree_reduce(SPARK_HERE, __VA_ARGS__)
#define spark_tree_aggregate(...) spark_tree_aggregate(SPARK_HERE, __VA_ARGS__)
#define spark_lookup(...) spark_lookup(SPARK_HERE, __VA_ARGS__)
#define spark_collect_as_map(...) spark_collect_as_map(SPARK_HERE, __VA_ARGS__)
#define spark_reduce_by_key_locally(...) spark_reduce_by_key_locally(SPARK_HERE, __VA_ARGS__)
#define spark_to_local_iterator(...) spark_to_local_iterator(SPARK_HERE, __VA_ARGS__)
#define spark_foreach_partition(...) spark_foreach_partition(SPARK_HERE, __VA_ARGS__)
#define spark_foreach(...) spark_foreach(SPARK_HERE, __VA_ARGS__)
#define spark_count_by_key(...) spark_count_by_key(SPARK_HERE, __VA_ARGS__)
#define spark_count_by_value(...) spark_count_by_value(SPARK_HERE, __VA_ARGS__)
#define spark_save_as_object_file(...) spark_save_as_object_file(SPARK_HERE, __VA_ARGS__)
#define spark_save_as_text_file(...) spark_save_as_text_file(SPARK_HERE, __VA_ARGS__)
#endif

#endif
