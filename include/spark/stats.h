/* SPDX-License-Identifier: Apache-2.0 */
/* Actions on numbers: RDDs of any integer, floating point or decimal type, taken as double. An RDD
 * of anything else is SPARK_ETYPE. Spark: DoubleRDDFunctions. */
#ifndef SPARK_STATS_H
#define SPARK_STATS_H

#include <spark/keyed.h>

SPARK_BEGIN_DECLS

/* spark_stats: everything at once, in one pass. variance and stdev are those of the population,
 * sample_ ones divide by count - 1. Of no element: count and sum 0, mean 0, the others NaN, min
 * infinite, max -infinite; SPARK_EEMPTY for an RDD without partitions. Spark: stats. */
typedef struct spark_stat_counter {
    int64_t count;
    double mean, sum;
    double variance, stdev;
    double sample_variance, sample_stdev;
    double min, max;
} spark_stat_counter;
spark_status spark_stats(
    spark_site at, spark_rdd *rdd, spark_stat_counter *stats) SPARK_USE_RESULT_;

/* One of these numbers each; the sum of nothing is 0. Spark: sum, mean, variance, stdev,
 * sampleVariance, sampleStdev. */
spark_status spark_sum(spark_site at, spark_rdd *rdd, double *sum) SPARK_USE_RESULT_;
spark_status spark_mean(spark_site at, spark_rdd *rdd, double *mean) SPARK_USE_RESULT_;
spark_status spark_variance(spark_site at, spark_rdd *rdd, double *variance) SPARK_USE_RESULT_;
spark_status spark_stdev(spark_site at, spark_rdd *rdd, double *stdev) SPARK_USE_RESULT_;
spark_status spark_sample_variance(
    spark_site at, spark_rdd *rdd, double *variance) SPARK_USE_RESULT_;
spark_status spark_sample_stdev(spark_site at, spark_rdd *rdd, double *stdev) SPARK_USE_RESULT_;

/* spark_histogram: counts in `buckets` equal buckets from the smallest number to the largest, each
 * without its right edge, the last with it. edges has room for buckets + 1 and at least 2, counts
 * for buckets and at least 1; *found: how many there are: 1 when all numbers are equal. Needs two
 * jobs. SPARK_EEMPTY for an empty RDD or one with NaN or infinities. spark_histogram_edges: between
 * given ascending edges, n_edges - 1 counts; what lies outside is left out. even: the edges are
 * evenly spaced, which is faster (and leaves NaN out). Spark: histogram. */
spark_status spark_histogram(spark_site at, spark_rdd *rdd, size_t buckets, double *edges,
    int64_t *counts, size_t *found) SPARK_USE_RESULT_;
spark_status spark_histogram_edges(spark_site at, spark_rdd *rdd, size_t n_edges,
    const double *edges, bool even, int64_t *counts) SPARK_USE_RESULT_;

/* spark_count_approx_distinct: about how many different elements (of any type) there are, with a
 * relative standard deviation of about relative_sd (at least 0.0003, by key
 * 0.0011; 0.05: 512 bytes a partition).
 * spark_count_approx_distinct_by_key: (k, int64_t), about how many different values k has. The
 * _with forms take the precision itself: 2^p registers of a byte (p 4 to 24, by key to 20), for a
 * relative standard deviation of about 1.054 / sqrt(2^p); sp, the sparse precision (0, or p to 32),
 * changes nothing here. Spark: countApproxDistinct, countApproxDistinctByKey; the estimate is
 * Ertl's, not HyperLogLog++'s. Each task that runs holds such registers, and the action as many
 * once more. */
spark_status spark_count_approx_distinct(
    spark_site at, spark_rdd *rdd, double relative_sd, int64_t *n) SPARK_USE_RESULT_;
spark_status spark_count_approx_distinct_with(
    spark_site at, spark_rdd *rdd, int p, int sp, int64_t *n) SPARK_USE_RESULT_;
spark_rdd *spark_count_approx_distinct_by_key(
    spark_site at, spark_rdd *rdd, double relative_sd, int partitions) SPARK_USE_RESULT_;
spark_rdd *spark_count_approx_distinct_by_key_with(spark_site at, spark_rdd *rdd, int p, int sp,
    const spark_keyed_options *options) SPARK_USE_RESULT_;

/* spark_bounded: an estimate and bounds that hold with a confidence of 0 to 1. final: all
 * partitions were counted, so the estimate is the number itself. Spark: BoundedDouble. */
SPARK_STRUCT(spark_bounded, (double, mean), (double, confidence), (double, low), (double, high),
    (bool, final));

/* Approximate actions: what the partitions say that are done after timeout_ms, scaled up. Unlike
 * Spark's, the job is cancelled then, for no function runs after an action has returned. A
 * confidence that is not 0 to 1 is SPARK_EINVAL; a timeout of 0 or less is over at once; where
 * nothing is done the mean and the confidence are 0 and the bounds infinite (counts: from 0). The
 * partitions that are done are taken for a fair sample of all: that they come first is not known.
 * spark_count_by_key_approx,
 * spark_count_by_value_approx: pairs (k, spark_bounded) in *result. Spark: countApprox, sumApprox,
 * meanApprox, countByKeyApprox, countByValueApprox. */
spark_status spark_count_approx(spark_site at, spark_rdd *rdd, int64_t timeout_ms,
    double confidence, spark_bounded *result) SPARK_USE_RESULT_;
spark_status spark_sum_approx(spark_site at, spark_rdd *rdd, int64_t timeout_ms, double confidence,
    spark_bounded *result) SPARK_USE_RESULT_;
spark_status spark_mean_approx(spark_site at, spark_rdd *rdd, int64_t timeout_ms, double confidence,
    spark_bounded *result) SPARK_USE_RESULT_;
spark_status spark_count_by_key_approx(spark_site at, spark_rdd *rdd, int64_t timeout_ms,
    double confidence, spark_array *result) SPARK_USE_RESULT_;
spark_status spark_count_by_value_approx(spark_site at, spark_rdd *rdd, int64_t timeout_ms,
    double confidence, spark_array *result) SPARK_USE_RESULT_;

SPARK_END_DECLS

#ifndef SPARK_EXPLICIT_SITES
/* The verbs fill in their call site. */
#define spark_stats(...) spark_stats(SPARK_HERE, __VA_ARGS__)
#define spark_sum(...) spark_sum(SPARK_HERE, __VA_ARGS__)
#define spark_mean(...) spark_mean(SPARK_HERE, __VA_ARGS__)
#define spark_variance(...) spark_variance(SPARK_HERE, __VA_ARGS__)
#define spark_stdev(...) spark_stdev(SPARK_HERE, __VA_ARGS__)
#define spark_sample_variance(...) spark_sample_variance(SPARK_HERE, __VA_ARGS__)
#define spark_sample_stdev(...) spark_sample_stdev(SPARK_HERE, __VA_ARGS__)
#define spark_histogram(...) spark_histogram(SPARK_HERE, __VA_ARGS__)
#define spark_histogram_edges(...) spark_histogram_edges(SPARK_HERE, __VA_ARGS__)
#define spark_count_approx(...) spark_count_approx(SPARK_HERE, __VA_ARGS__)
#define spark_sum_approx(...) spark_sum_approx(SPARK_HERE, __VA_ARGS__)
#define spark_mean_approx(...) spark_mean_approx(SPARK_HERE, __VA_ARGS__)
#define spark_count_by_key_approx(...) spark_count_by_key_approx(SPARK_HERE, __VA_ARGS__)
#define spark_count_by_value_approx(...) spark_count_by_value_approx(SPARK_HERE, __VA_ARGS__)
#define spark_count_approx_distinct(...) spark_count_approx_distinct(SPARK_HERE, __VA_ARGS__)
#define spark_count_approx_distinct_with(...)                                                      \
    spark_count_approx_distinct_with(SPARK_HERE, __VA_ARGS__)
#define spark_count_approx_distinct_by_key_with(...)                                               \
    spark_count_approx_distinct_by_key_with(SPARK_HERE, __VA_ARGS__)
#define spark_count_approx_distinct_by_key(...)                                                    \
    spark_count_approx_distinct_by_key(SPARK_HERE, __VA_ARGS__)
#endif

#endif
