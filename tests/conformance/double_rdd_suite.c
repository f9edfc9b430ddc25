/* SPDX-License-Identifier: Apache-2.0 */
/* The cases of Spark's DoubleRDDSuite: sums and histograms. */
#include "suite.h"

#include <math.h>

#define NUMBERS(...)                                                                               \
    LENGTH(((const double[]) { __VA_ARGS__ })), (const double[])                                   \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define COUNTS(...)                                                                                \
    LENGTH(((const int64_t[]) { __VA_ARGS__ })), (const int64_t[])                                 \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static spark_rdd *doubles(spark_context *sc, size_t n, const double *x)
{
    return spark_parallelize(sc, SPARK_DATA(double, n, x), 2);
}

/* counts_are: between these edges; also in the mode for edges at even distances, where they are. */
static void counts_are(
    spark_rdd *rdd, size_t n_edges, const double *edges, size_t n, const int64_t *want)
{
    bool even = true;
    assert_int_equal(n_edges, n + 1);
    for (size_t i = 0; i < n; i++)
        even = even && edges[i + 1] - edges[i] == edges[1] - edges[0];
    even = even && isfinite(edges[0]) && isfinite(edges[n]);
    for (int mode = 0; mode < 1 + even; mode++) {
        int64_t counts[8];
        assert_true(n <= LENGTH(counts));
        memset(counts, 0x5a, sizeof counts);
        oracle_ok(spark_histogram_edges(rdd, n_edges, edges, mode, counts));
        for (size_t i = 0; i < n; i++)
            if (counts[i] != want[i])
                fail_msg("mode %d, bucket %zu: %lld", mode, i, (long long)counts[i]);
    }
}

/* buckets_are: what a number of buckets finds. */
static void buckets_are(spark_rdd *rdd, size_t buckets, size_t n_edges, const double *edges,
    size_t n, const int64_t *want)
{
    double found_edges[16];
    int64_t counts[16];
    size_t found = 0;
    assert_int_equal(n_edges, n + 1);
    oracle_ok(spark_histogram(rdd, buckets, found_edges, counts, &found));
    assert_int_equal(found, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(counts[i], want[i]);
    for (size_t i = 0; i <= n; i++)
        if (found_edges[i] != edges[i])
            fail_msg("edge %zu: %.17g", i, found_edges[i]);
}

/* ---- sums */

static void is_near(double have, double want)
{
    if (!(fabs(have - want) < 1e-9))
        fail_msg("%.17g instead of %.17g", have, want);
}

/* Of 0 to n - 1 the variance is (n^2 - 1) / 12, of a sample n (n + 1) / 12. */
static void double_rdd_suite__numbers_of_0_to_99_are_those_of_the_formulas(void **state)
{
    enum { N = 100 };
    static const double sum = N * (N - 1) / 2.0, mean = (N - 1) / 2.0;
    static const double variance = (N * N - 1) / 12.0, sample_variance = N * (N + 1) / 12.0;
    double x[N], y = NAN;
    for (int i = 0; i < N; i++)
        x[i] = (i * 37) % N;
    for (int partitions = 1; partitions <= 200; partitions = 3 * partitions + 1) {
        spark_rdd *rdd = spark_parallelize(*state, SPARK_DATA(double, N, x), partitions);
        const struct {
            spark_status (*f)(spark_site at, spark_rdd *rdd, double *y);
            double want;
        } cases[] = { { (spark_sum), sum }, { (spark_mean), mean }, { (spark_variance), variance },
            { (spark_stdev), sqrt(variance) }, { (spark_sample_variance), sample_variance },
            { (spark_sample_stdev), sqrt(sample_variance) } };
        for (size_t i = 0; i < LENGTH(cases); i++) {
            oracle_ok(cases[i].f(SPARK_HERE, rdd, &y));
            is_near(y, cases[i].want);
        }
        spark_stat_counter stats;
        oracle_ok(spark_stats(rdd, &stats));
        assert_int_equal(stats.count, N);
        is_near(stats.sum, sum);
        is_near(stats.mean, mean);
        is_near(stats.variance, variance);
        is_near(stats.stdev, sqrt(variance));
        is_near(stats.sample_variance, sample_variance);
        is_near(stats.sample_stdev, sqrt(sample_variance));
        assert_true(stats.min == 0 && stats.max == N - 1);
        spark_array least, most;
        oracle_ok(spark_min(rdd, NULL, SPARK_TYPE(double), &least));
        oracle_ok(spark_max(rdd, NULL, SPARK_TYPE(double), &most));
        oracle_lists(&least, "0");
        oracle_lists(&most, "99");
        spark_array_free(&least);
        spark_array_free(&most);
    }
}

/* ---- given edges */

static void double_rdd_suite__histogram_of_nothing_is_0(void **state)
{
    counts_are(doubles(*state, 0, NULL), NUMBERS(0, 10), COUNTS(0));
    counts_are(spark_empty_rdd(*state, SPARK_TYPE(double)), NUMBERS(0, 10), COUNTS(0));
}
static void double_rdd_suite__histogram_of_one_bucket_counts_all(void **state)
{
    spark_rdd *rdd = doubles(*state, NUMBERS(1, 2, 3, 4));
    counts_are(rdd, NUMBERS(0, 10), COUNTS(4));
    counts_are(rdd, NUMBERS(1, 4), COUNTS(4));
}
static void double_rdd_suite__histogram_of_two_buckets(void **state)
{
    spark_rdd *rdd = doubles(*state, NUMBERS(1, 2, 3, 5, 6));
    counts_are(rdd, NUMBERS(0, 5, 10), COUNTS(3, 2));
    counts_are(doubles(*state, NUMBERS(1, 2, 3, 5, 6, NAN)), NUMBERS(0, 5, 10), COUNTS(3, 2));
    counts_are(rdd, NUMBERS(0, 5, 11), COUNTS(3, 2));
}
static void double_rdd_suite__histogram_leaves_out_what_lies_outside(void **state)
{
    counts_are(doubles(*state, NUMBERS(-0.01, 0, 1, 2, 3, 5, 6, 11.0, 11.01)), NUMBERS(0, 5, 11),
        COUNTS(4, 3));
}
static void double_rdd_suite__histogram_of_what_all_lies_outside_is_0(void **state)
{
    spark_rdd *rdd = doubles(*state, NUMBERS(10.01, -0.01));
    counts_are(rdd, NUMBERS(0, 10), COUNTS(0));
    counts_are(rdd, NUMBERS(0, 5, 10), COUNTS(0, 0));
    counts_are(rdd, NUMBERS(0, 4, 10), COUNTS(0, 0));
}
static void double_rdd_suite__histogram_of_four_uneven_buckets(void **state)
{
    counts_are(doubles(*state, NUMBERS(-0.01, 0, 1, 2, 3, 5, 6, 11.01, 12.0, 199.0, 200.0, 200.1)),
        NUMBERS(0, 5, 11, 12, 200), COUNTS(4, 2, 1, 3));
    counts_are(
        doubles(*state, NUMBERS(-0.01, 0, 1, 2, 3, 5, 6, 11.01, 12.0, 199.0, 200.0, 200.1, NAN)),
        NUMBERS(0, 5, 11, 12, 200), COUNTS(4, 2, 1, 3));
}
static void double_rdd_suite__histogram_with_infinite_edges(void **state)
{
    counts_are(
        doubles(*state, NUMBERS(10.01, -0.01, NAN)), NUMBERS(-INFINITY, 0, INFINITY), COUNTS(1, 1));
}
/* NaN is the largest number: a last edge that leaves nothing out above. */
static void double_rdd_suite__histogram_with_nan_as_its_last_edge(void **state)
{
    counts_are(doubles(*state, NUMBERS(-0.01, 0, 1, 2, 3, 5, 6, 11.01, 12.0, 199.0, 200.0, 200.1)),
        NUMBERS(0, 5, 11, 12, 200, NAN), COUNTS(4, 2, 1, 2, 2));
    counts_are(
        doubles(*state, NUMBERS(-0.01, 0, 1, 2, 3, 5, 6, 11.01, 12.0, 199.0, 200.0, 200.1, NAN)),
        NUMBERS(0, 5, 11, 12, 200, NAN), COUNTS(4, 2, 1, 2, 3));
}
static void double_rdd_suite__histogram_without_a_bucket_is_refused(void **state)
{
    static const double edge[] = { 1.0 };
    int64_t counts[2];
    spark_rdd *rdd = doubles(*state, NUMBERS(1, 2));
    for (size_t n = 0; n < 2; n++)
        for (int even = 0; even < 2; even++)
            oracle_fails(
                spark_histogram_edges(rdd, n, edge, even, counts), SPARK_EINVAL, "histogram");
}

/* ---- a number of buckets */

static void double_rdd_suite__histogram_finds_its_buckets(void **state)
{
    spark_rdd *rdd = doubles(*state, NUMBERS(1, 2, 3, 4));
    buckets_are(rdd, 1, NUMBERS(1, 4), COUNTS(4));
    buckets_are(rdd, 2, NUMBERS(1, 2.5, 4), COUNTS(2, 2));
}
static void double_rdd_suite__histogram_of_2_numbers_in_10_buckets(void **state)
{
    buckets_are(doubles(*state, NUMBERS(1, 2)), 10,
        NUMBERS(1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2),
        COUNTS(1, 0, 0, 0, 0, 0, 0, 0, 0, 1));
}
static void double_rdd_suite__histogram_without_a_range_is_one_point(void **state)
{
    buckets_are(doubles(*state, NUMBERS(1)), 1, NUMBERS(1, 1), COUNTS(1));
    buckets_are(doubles(*state, NUMBERS(1, 1, 1, 1)), 1, NUMBERS(1, 1), COUNTS(4));
}
static void double_rdd_suite__histogram_of_6_to_99_in_8_buckets(void **state)
{
    buckets_are(spark_range(*state, 6, 100, 1, 2), 8,
        NUMBERS(6, 17.625, 29.25, 40.875, 52.5, 64.125, 75.75, 87.375, 99),
        COUNTS(12, 12, 11, 12, 12, 11, 12, 12));
}
/* 37 and 68 are edges and count above them, as in Spark since it computes buckets more precisely. */
static void double_rdd_suite__histogram_of_6_to_99_in_9_buckets_ends_at_99(void **state)
{
    static const int64_t want[] = { 11, 10, 10, 11, 10, 10, 11, 10, 11 };
    double edges[10];
    int64_t counts[9];
    size_t found = 0;
    oracle_ok(spark_histogram(spark_range(*state, 6, 100, 1, 2), 9, edges, counts, &found));
    assert_int_equal(found, 9);
    assert_true(edges[0] == 6 && edges[9] == 99);
    for (int i = 0; i < 9; i++)
        assert_int_equal(counts[i], want[i]);
}
static void double_rdd_suite__histogram_of_infinities_and_nothing_fails(void **state)
{
    spark_rdd *rdds[] = { doubles(*state, NUMBERS(1, INFINITY)), doubles(*state, NUMBERS(1, NAN)),
        doubles(*state, 0, NULL), spark_empty_rdd(*state, SPARK_TYPE(double)) };
    for (size_t i = 0; i < LENGTH(rdds); i++) {
        double edges[2];
        int64_t counts[1];
        size_t found;
        oracle_fails(spark_histogram(rdds[i], 1, edges, counts, &found), SPARK_EEMPTY, "histogram");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        suite_case(double_rdd_suite__numbers_of_0_to_99_are_those_of_the_formulas),
        suite_case(double_rdd_suite__histogram_of_nothing_is_0),
        suite_case(double_rdd_suite__histogram_of_one_bucket_counts_all),
        suite_case(double_rdd_suite__histogram_of_two_buckets),
        suite_case(double_rdd_suite__histogram_leaves_out_what_lies_outside),
        suite_case(double_rdd_suite__histogram_of_what_all_lies_outside_is_0),
        suite_case(double_rdd_suite__histogram_of_four_uneven_buckets),
        suite_case(double_rdd_suite__histogram_with_infinite_edges),
        suite_case(double_rdd_suite__histogram_with_nan_as_its_last_edge),
        suite_case(double_rdd_suite__histogram_without_a_bucket_is_refused),
        suite_case(double_rdd_suite__histogram_finds_its_buckets),
        suite_case(double_rdd_suite__histogram_of_2_numbers_in_10_buckets),
        suite_case(double_rdd_suite__histogram_without_a_range_is_one_point),
        suite_case(double_rdd_suite__histogram_of_6_to_99_in_8_buckets),
        suite_case(double_rdd_suite__histogram_of_6_to_99_in_9_buckets_ends_at_99),
        suite_case(double_rdd_suite__histogram_of_infinities_and_nothing_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
