/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting: range partitions, each sorted; collect gives the whole order. The first action samples
 * the keys to find the ranges, so the input is computed twice unless it is cached. Equal keys keep
 * the order of the input (Spark does not promise that). The result may have fewer partitions than
 * asked for, where keys repeat; an empty input gives one. The sample holds what the order looks at:
 * up to 60 keys for each of the ranges (256, or as many as there are partitions), of texts the first
 * 16 KiB, fewer keys where they are long: 4 MiB and 1 KiB a range. Rows count the same wherever they lie. */
#ifndef SPARK_SORT_H
#define SPARK_SORT_H

#include <spark/rdd.h>

SPARK_BEGIN_DECLS

/* spark_sort_by (wide): by an order of the elements; NULL: their natural order. partitions 0: as
 * many as rdd has. A computed key: key_by, sort_by_key, values. Spark: sortBy. */
spark_rdd *spark_sort_by(
    spark_site at, spark_rdd *rdd, const spark_order *order, int partitions) SPARK_USE_RESULT_;

/* spark_sort_by_key (wide): pairs by key; order is one of the key type, NULL: ascending,
 * spark_order_desc: descending. Spark: sortByKey. */
spark_rdd *spark_sort_by_key(
    spark_site at, spark_rdd *rdd, const spark_order *order, int partitions) SPARK_USE_RESULT_;

/* spark_repartition_and_sort_within_partitions (wide): pairs placed by p and each partition sorted
 * by key; order as for spark_sort_by_key. Without a shuffle where rdd is placed so. Spark: the same
 * name. */
spark_rdd *spark_repartition_and_sort_within_partitions(spark_site at, spark_rdd *rdd,
    const spark_partitioner *p, const spark_order *order) SPARK_USE_RESULT_;

/* spark_filter_by_range (narrow): the pairs whose key is from *low to *high, both included, in the
 * natural order: spark_filter_by_range(rdd, SPARK_VALUE(int64_t, &low), SPARK_VALUE(int64_t,
 * &high)). Of an RDD that is placed by ranges of that order (by spark_sort_by_key, in either
 * direction, or a spark_range_partitioner), only the partitions between those of the two keys are
 * looked at; the result has these alone, and no partitioner. Spark: filterByRange. */
spark_rdd *spark_filter_by_range(spark_site at, spark_rdd *rdd, const spark_type *low_type,
    const void *low, const spark_type *high_type, const void *high) SPARK_USE_RESULT_;

SPARK_END_DECLS

#ifndef SPARK_EXPLICIT_SITES
/* The verbs fill in their call site. */
#define spark_sort_by(...) spark_sort_by(SPARK_HERE, __VA_ARGS__)
#define spark_repartition_and_sort_within_partitions(...)                                          \
    spark_repartition_and_sort_within_partitions(SPARK_HERE, __VA_ARGS__)
#define spark_filter_by_range(...) spark_filter_by_range(SPARK_HERE, __VA_ARGS__)
#define spark_sort_by_key(...) spark_sort_by_key(SPARK_HERE, __VA_ARGS__)
#endif

#endif
