/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of RDDs of numbers, histograms and approximate counts, against naive answers and the
 * cases of Spark's suites. */
#include "actions.h"

#include <math.h>

#define ROWS 300

SPARK_PAIR(i64_i64, int64_t, int64_t);
SPARK_PAIR(str_i64, spark_str, int64_t);
SPARK_PAIR(str_str, spark_str, spark_str);
SPARK_DECIMAL(money, 18, 2);
SPARK_DECIMAL(whole, 9, 0);

static double numbers[ROWS];

static void fill(uint64_t seed)
{
    for (size_t i = 0; i < ROWS; i++)
        numbers[i] = (double)((int64_t)oracle_below(&seed, 200001) - 100000) / 64.0;
}

SPARK_FILTER(not_negative, double)
{
    return *in >= 0;
}
SPARK_FILTER(nothing, double)
{
    return *in != *in + 0 && *in == 0;
}
SPARK_MAP(to_word, int64_t, spark_str)
{
    *out = spark_str_format(task, "word %lld", (long long)*in);
}
SPARK_MAP(modulo, int64_t, int64_t, int64_t)
{
    *out = *in % *env;
}

static void close_to(double have, double want)
{
    if (isnan(want) ? !isnan(have)
                    : have != want && fabs(have - want) > 1e-9 * (fabs(want) + fabs(have)))
        fail_msg("%.17g wanted, %.17g found", want, have);
}

/* is: all numbers of an RDD, asked for at once and one by one. */
static void is(spark_rdd *rdd, const spark_stat_counter *want)
{
    static spark_status (*const ask[])(spark_site, spark_rdd *, double *) = { (spark_mean),
        (spark_variance), (spark_stdev), (spark_sample_variance), (spark_sample_stdev) };
    const double wanted[]
        = { want->mean, want->variance, want->stdev, want->sample_variance, want->sample_stdev };
    spark_stat_counter s;
    double x;
    memset(&s, 0x5a, sizeof s);
    oracle_ok(spark_stats(rdd, &s));
    assert_int_equal(s.count, want->count);
    close_to(s.mean, want->mean);
    close_to(s.sum, want->sum);
    close_to(s.variance, want->variance);
    close_to(s.stdev, want->stdev);
    close_to(s.sample_variance, want->sample_variance);
    close_to(s.sample_stdev, want->sample_stdev);
    close_to(s.min, want->min);
    close_to(s.max, want->max);
    for (size_t i = 0; i < LENGTH(ask); i++) {
        x = -12345;
        oracle_ok(ask[i]("here", rdd, &x));
        close_to(x, wanted[i]);
    }
    x = -12345;
    oracle_ok(spark_sum(rdd, &x));
    close_to(x, want->sum);
}

/* naive: in two passes. */
static spark_stat_counter naive(size_t n, const double *x)
{
    spark_stat_counter s = { .count = (int64_t)n, .min = INFINITY, .max = -INFINITY };
    double squares = 0;
    for (size_t i = 0; i < n; i++) {
        s.sum += x[i];
        s.min = x[i] < s.min ? x[i] : s.min;
        s.max = x[i] > s.max ? x[i] : s.max;
    }
    s.mean = n ? s.sum / (double)n : 0;
    for (size_t i = 0; i < n; i++)
        squares += (x[i] - s.mean) * (x[i] - s.mean);
    s.variance = n ? squares / (double)n : NAN;
    s.sample_variance = n > 1 ? squares / (double)(n - 1) : NAN;
    s.stdev = sqrt(s.variance);
    s.sample_stdev = sqrt(s.sample_variance);
    return s;
}

static void check_stats(spark_context *sc, int partitions)
{
    for (size_t n = 0; n <= ROWS; n = n < 3 ? n + 1 : n * 10) {
        const spark_stat_counter want = naive(n, numbers);
        is(spark_parallelize(sc, SPARK_DATA(double, n, numbers), partitions), &want);
    }
    /* Uneven partitions, some of them empty. */
    double few[ROWS];
    size_t n = 0;
    for (size_t i = 0; i < ROWS; i++)
        if (numbers[i] >= 0)
            few[n++] = numbers[i];
    const spark_stat_counter want = naive(n, few);
    is(spark_filter(spark_parallelize(sc, SPARK_DATA(double, ROWS, numbers), partitions),
           not_negative, NULL),
        &want);
}

static void test_stats__are_those_of_two_passes(void **state)
{
    (void)state;
    fill(1);
    each(check_stats);
}

static void test_stats__are_bit_identical(void **state)
{
    static double data[2000];
    uint64_t seed = 2;
    (void)state;
    for (size_t i = 0; i < LENGTH(data); i++)
        data[i] = (double)(int64_t)oracle_random(&seed) / 1e5;
    for (size_t p = 0; p < LENGTH(oracle_partitions); p++) {
        spark_stat_counter first;
        double first_sum = 0;
        for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
            spark_context *sc = oracle_open_conf(&oracle_confs[c]);
            spark_rdd *rdd = spark_parallelize(
                sc, SPARK_DATA(double, LENGTH(data), data), oracle_partitions[p]);
            spark_stat_counter s;
            double sum;
            oracle_ok(spark_stats(rdd, &s));
            oracle_ok(spark_sum(rdd, &sum));
            if (c == 0) {
                first = s;
                first_sum = sum;
            }
            assert_memory_equal(&s, &first, sizeof s);
            assert_memory_equal(&sum, &first_sum, sizeof sum);
            oracle_close(sc);
        }
    }
}

/* The numbers of every type are taken as double. */
#define CHECK_TYPE(T, ...)                                                                         \
    do {                                                                                           \
        const T data[] = { __VA_ARGS__ };                                                          \
        double x[LENGTH(data)];                                                                    \
        for (size_t i = 0; i < LENGTH(data); i++)                                                  \
            x[i] = (double)data[i];                                                                \
        const spark_stat_counter want = naive(LENGTH(data), x);                                    \
        is(spark_parallelize(sc, SPARK_DATA(T, LENGTH(data), data), 2), &want);                    \
        const double edges[] = { x[0], INFINITY };                                                 \
        int64_t count = 0, above = -1;                                                             \
        for (size_t i = 0; i < LENGTH(data); i++)                                                  \
            count += x[i] >= x[0];                                                                 \
        oracle_ok(                                                                                 \
            spark_histogram_edges(spark_parallelize(sc, SPARK_DATA(T, LENGTH(data), data), 2), 2,  \
                edges, false, &above));                                                            \
        assert_int_equal(above, count);                                                            \
    } while (0)

static void test_stats__take_numbers_of_any_type(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    CHECK_TYPE(int8_t, 0, -128, 127, 5);
    CHECK_TYPE(int16_t, 1, -32768, 32767);
    CHECK_TYPE(int32_t, -7, INT32_MIN, INT32_MAX, 3, 4);
    CHECK_TYPE(int64_t, 12, -5, INT64_C(1) << 53, 6);
    CHECK_TYPE(uint8_t, 100, 255, 0, 200);
    CHECK_TYPE(uint16_t, 9, 65535, 40000);
    CHECK_TYPE(uint32_t, 8, UINT32_MAX, 1);
    CHECK_TYPE(uint64_t, 8, UINT64_MAX, 1);
    CHECK_TYPE(float, 0.5f, -3.25f, 1e10f);
    CHECK_TYPE(double, 0.1, -3.25, 1e10);
    const money m[] = { { 1250 }, { -5 }, { 100000000001 } };
    const double mx[] = { 12.5, -0.05, 1000000000.01 };
    const spark_stat_counter want = naive(3, mx);
    is(spark_parallelize(sc, SPARK_DATA(money, 3, m), 2), &want);
    const whole w[] = { { 3 }, { -5 } };
    const double wx[] = { 3, -5 };
    const spark_stat_counter want_whole = naive(2, wx);
    is(spark_parallelize(sc, SPARK_DATA(whole, 2, w), 2), &want_whole);
    oracle_close(sc);
}

static void test_stats__of_partitions_without_elements(void **state)
{
    /* PartitioningSuite: only 2 and 4 survive, the first partitions are empty. */
    const double data[] = { -1, -1, -1, -1, 2, 4, -1, -1 };
    const spark_stat_counter want = { 2, 3, 6, 1, 1, 2, sqrt(2), 2, 4 };
    const spark_stat_counter none = { 0, 0, 0, NAN, NAN, NAN, NAN, INFINITY, -INFINITY };
    (void)state;
    for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
        spark_context *sc = oracle_open_conf(&oracle_confs[c]);
        spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(double, 8, data), 8);
        is(spark_filter(rdd, not_negative, NULL), &want);
        is(spark_filter(rdd, nothing, NULL), &none);
        oracle_close(sc);
    }
}

static void test_stats__of_no_partition_are_an_error(void **state)
{
    spark_stat_counter s;
    double x = 5;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *none = spark_empty_rdd(sc, SPARK_TYPE(double));
    blames(spark_stats(none, &s), SPARK_EEMPTY, "stats", "empty collection");
    blames(spark_mean(none, &x), SPARK_EEMPTY, "mean", "empty collection");
    blames(spark_variance(none, &x), SPARK_EEMPTY, "variance", "empty collection");
    blames(spark_stdev(none, &x), SPARK_EEMPTY, "stdev", "empty collection");
    blames(spark_sample_variance(none, &x), SPARK_EEMPTY, "sampleVariance", "empty collection");
    blames(spark_sample_stdev(none, &x), SPARK_EEMPTY, "sampleStdev", "empty collection");
    x = 5;
    oracle_ok(spark_sum(none, &x));
    assert_true(x == 0);
    oracle_close(sc);
}

static void check_not_finite(spark_context *sc, int partitions)
{
    const double with_nan[] = { 1, 2, NAN, 3 }, with_infinity[] = { 1, INFINITY, 3 };
    spark_stat_counter s;
    oracle_ok(spark_stats(spark_parallelize(sc, SPARK_DATA(double, 4, with_nan), partitions), &s));
    assert_int_equal(s.count, 4);
    assert_true(isnan(s.sum) && isnan(s.mean) && isnan(s.variance));
    assert_true(isnan(s.min) && isnan(s.max));
    oracle_ok(
        spark_stats(spark_parallelize(sc, SPARK_DATA(double, 3, with_infinity), partitions), &s));
    assert_int_equal(s.count, 3);
    assert_true(s.sum == INFINITY && s.max == INFINITY && s.min == 1);
}

static void test_stats__of_nan_and_infinity(void **state)
{
    (void)state;
    each(check_not_finite);
}

static void test_stats__lose_no_digits_to_a_large_mean(void **state)
{
    double data[100];
    (void)state;
    for (int i = 0; i < 100; i++)
        data[i] = 1e9 + i % 4;
    for (int p = 1; p <= 16; p *= 2) {
        double v;
        spark_context *sc = oracle_open(2);
        oracle_ok(spark_variance(spark_parallelize(sc, SPARK_DATA(double, 100, data), p), &v));
        assert_true(fabs(v - 1.25) < 1e-6);
        oracle_close(sc);
    }
}

static void test_stats__tell_what_is_wrong(void **state)
{
    static const struct {
        const char *name;
        spark_status (*ask)(spark_site, spark_rdd *, double *);
    } asks[] = { { "sum", (spark_sum) }, { "mean", (spark_mean) }, { "variance", (spark_variance) },
        { "stdev", (spark_stdev) }, { "sampleVariance", (spark_sample_variance) },
        { "sampleStdev", (spark_sample_stdev) } };
    const bool yes = true;
    double x;
    spark_stat_counter s;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *texts = spark_map(spark_range(sc, 0, 9, 1, 2), to_word, NULL);
    spark_rdd *flags = spark_parallelize(sc, SPARK_DATA(bool, 1, &yes), 1);
    for (size_t i = 0; i < LENGTH(asks); i++) {
        blames(asks[i].ask(SPARK_HERE, NULL, &x), SPARK_EINVAL, asks[i].name, "the RDD is NULL");
        blames(asks[i].ask(SPARK_HERE, texts, &x), SPARK_ETYPE, asks[i].name,
            "numbers wanted, str found");
        blames(asks[i].ask(SPARK_HERE, flags, &x), SPARK_ETYPE, asks[i].name,
            "numbers wanted, bool found");
        blames(asks[i].ask(SPARK_HERE, spark_range(sc, 0, 9, 1, 2), NULL), SPARK_EINVAL,
            asks[i].name, "no place");
        oracle_fails(asks[i].ask(SPARK_HERE, broken(sc), &x), SPARK_EINVAL, "range at ");
    }
    blames(spark_stats(NULL, &s), SPARK_EINVAL, "stats", "the RDD is NULL");
    blames(spark_stats(texts, &s), SPARK_ETYPE, "stats", "numbers wanted");
    blames(spark_stats(spark_range(sc, 0, 9, 1, 2), NULL), SPARK_EINVAL, "stats", "no place");
    no_job(sc);
    oracle_close(sc);
}

/* ---- histograms */

/* counts_are: of n numbers between edges, whatever the partitions. */
static void counts_are(size_t n, const double *data, size_t n_edges, const double *edges, bool even,
    const int64_t *want)
{
    for (size_t p = 0; p < LENGTH(oracle_partitions); p++) {
        int64_t counts[16];
        memset(counts, 0x5a, sizeof counts);
        spark_context *sc = oracle_open(2);
        oracle_ok(spark_histogram_edges(
            spark_parallelize(sc, SPARK_DATA(double, n, data), oracle_partitions[p]), n_edges,
            edges, even, counts));
        for (size_t i = 0; i + 1 < n_edges; i++)
            if (counts[i] != want[i])
                fail_msg("bucket %zu, %s: %lld wanted, %lld found", i, even ? "even" : "uneven",
                    (long long)want[i], (long long)counts[i]);
        oracle_close(sc);
    }
}

#define LIST(...)                                                                                  \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define HISTOGRAM(data_, edges_, even, want_)                                                      \
    do {                                                                                           \
        const double data[] = data_, edges[] = edges_;                                             \
        const int64_t want[] = want_;                                                              \
        assert_int_equal(LENGTH(want) + 1, LENGTH(edges));                                         \
        counts_are(LENGTH(data), data, LENGTH(edges), edges, even, want);                          \
    } while (0)

static void test_histogram_edges__gives_the_cases_of_spark(void **state)
{
    const double ten[] = { 0, 10 };
    const int64_t no[] = { 0 };
    (void)state;
    for (int even = 0; even < 2; even++) {
        int64_t count = 5;
        counts_are(0, NULL, 2, ten, even, no);
        spark_context *sc = oracle_open(2);
        oracle_ok(
            spark_histogram_edges(spark_empty_rdd(sc, SPARK_TYPE(double)), 2, ten, even, &count));
        assert_int_equal(count, 0);
        oracle_close(sc);
        HISTOGRAM(LIST(10.01, -0.01), LIST(0, 10), even, LIST(0));
        HISTOGRAM(LIST(1, 2, 3, 4), LIST(0, 10), even, LIST(4));
        HISTOGRAM(LIST(1, 2, 3, 4), LIST(1, 4), even, LIST(4));
        HISTOGRAM(LIST(10.01, -0.01), LIST(0, 4, 10), false, LIST(0, 0));
        HISTOGRAM(LIST(10.01, -0.01), LIST(0, 5, 10), even, LIST(0, 0));
        HISTOGRAM(LIST(1, 2, 3, 5, 6), LIST(0, 5, 10), even, LIST(3, 2));
        HISTOGRAM(LIST(1, 2, NAN, 3, 5, 6, NAN), LIST(0, 5, 10), even, LIST(3, 2));
        HISTOGRAM(LIST(-0.01, 0, 1, 2, 3, 5, 6, 10, 10.01), LIST(0, 5, 10), even, LIST(4, 3));
    }
    HISTOGRAM(LIST(1, 2, 3, 5, 6), LIST(0, 5, 11), false, LIST(3, 2));
    HISTOGRAM(LIST(-0.01, 0, 1, 2, 3, 5, 6, 11, 11.01), LIST(0, 5, 11), false, LIST(4, 3));
    HISTOGRAM(LIST(-0.01, 0, 1, 2, 3, 5, 6, 11.01, 12, 199, 200, 200.1), LIST(0, 5, 11, 12, 200),
        false, LIST(4, 2, 1, 3));
    HISTOGRAM(LIST(-0.01, 0, 1, 2, 3, 5, 6, 11.01, 12, 199, 200, 200.1, NAN),
        LIST(0, 5, 11, 12, 200), false, LIST(4, 2, 1, 3));
    HISTOGRAM(LIST(10.01, -0.01, NAN), LIST(-INFINITY, 0, INFINITY), false, LIST(1, 1));
    /* -0 stands below 0; NaN above everything. */
    HISTOGRAM(LIST(-0.0, 0.0), LIST(0, 1), false, LIST(1));
    HISTOGRAM(LIST(-0.0, 0.0), LIST(0, 1), true, LIST(2));
    HISTOGRAM(LIST(1, NAN, INFINITY), LIST(0, NAN), false, LIST(3));
}

/* Equal edges, and NaN as the last one: what Java's binary search makes of them. */
static void test_histogram_edges__may_be_equal(void **state)
{
    static const double data[] = { 1, 2, 2, 3 }, equal[] = { 1, 2, 2, 3 }, nan[] = { 0, 2, NAN };
    int64_t counts[3];
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(double, 4, data), 2);
    oracle_ok(spark_histogram_edges(rdd, 4, equal, false, counts));
    assert_true(counts[0] == 1 && counts[1] == 2 && counts[2] == 1);
    oracle_ok(spark_histogram_edges(rdd, 3, nan, false, counts));
    assert_true(counts[0] == 1 && counts[1] == 3);
    static const double down[] = { 3, 2, 1 };
    oracle_fails(spark_histogram_edges(rdd, 3, down, false, counts), SPARK_EINVAL, "2 after 3");
    oracle_close(sc);
}

static void check_histogram_edges(spark_context *sc, int partitions)
{
    enum { BUCKETS = 13 };
    double edges[2][BUCKETS + 1];
    int64_t want[BUCKETS], counts[BUCKETS];
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(double, ROWS, numbers), partitions);
    for (int i = 0; i <= BUCKETS; i++) {
        edges[0][i] = -1024 + i * 128;     /* exact, as are the numbers: both ways agree */
        edges[1][i] = -900 + i * i * 10.5; /* uneven */
    }
    for (int k = 0; k < 3; k++) {
        const double *e = edges[k == 2];
        memset(want, 0, sizeof want);
        for (size_t i = 0; i < ROWS; i++)
            for (int b = 0; b < BUCKETS; b++)
                want[b] += numbers[i] >= e[b]
                    && (b == BUCKETS - 1 ? numbers[i] <= e[b + 1] : numbers[i] < e[b + 1]);
        memset(counts, 0x5a, sizeof counts);
        oracle_ok(spark_histogram_edges(rdd, BUCKETS + 1, e, k == 1, counts));
        assert_memory_equal(counts, want, sizeof want);
    }
}

static void test_histogram_edges__counts_as_a_loop_does(void **state)
{
    (void)state;
    fill(3);
    each(check_histogram_edges);
}

/* buckets_are: of the histogram with so many buckets. */
static void buckets_are(size_t n, const double *data, size_t buckets, size_t n_found,
    const double *want_edges, const int64_t *want)
{
    for (size_t p = 0; p < LENGTH(oracle_partitions); p++) {
        double edges[32];
        int64_t counts[32];
        size_t found = 99;
        spark_context *sc = oracle_open(2);
        oracle_ok(spark_histogram(
            spark_parallelize(sc, SPARK_DATA(double, n, data), oracle_partitions[p]), buckets,
            edges, counts, &found));
        assert_int_equal(found, n_found);
        for (size_t i = 0; i <= n_found; i++)
            if (!(fabs(edges[i] - want_edges[i]) < 1e-9))
                fail_msg("edge %zu: %.17g wanted, %.17g found", i, want_edges[i], edges[i]);
        assert_true(edges[n_found] == want_edges[n_found]);
        for (size_t i = 0; i < n_found; i++)
            assert_int_equal(counts[i], want[i]);
        oracle_close(sc);
    }
}

#define BUCKETS(data_, buckets, edges_, want_)                                                     \
    do {                                                                                           \
        const double data[] = data_, edges[] = edges_;                                             \
        const int64_t want[] = want_;                                                              \
        buckets_are(LENGTH(data), data, buckets, LENGTH(want), edges, want);                       \
    } while (0)

static void test_histogram__gives_the_cases_of_spark(void **state)
{
    double many[94], marks[10];
    (void)state;
    BUCKETS(LIST(1, 2, 3, 4), 1, LIST(1, 4), LIST(4));
    BUCKETS(LIST(1, 2, 3, 4), 2, LIST(1, 2.5, 4), LIST(2, 2));
    BUCKETS(LIST(1, 1, 1, 1), 1, LIST(1, 1), LIST(4));
    BUCKETS(LIST(1), 1, LIST(1, 1), LIST(1));
    /* All are equal: one bucket, however many were asked for. */
    BUCKETS(LIST(1, 1, 1, 1), 5, LIST(1, 1), LIST(4));
    BUCKETS(LIST(-0.0, 0.0), 3, LIST(0, 0), LIST(2));
    for (int i = 0; i < 94; i++)
        many[i] = 6 + i;
    const int64_t eight[] = { 12, 12, 11, 12, 12, 11, 12, 12 };
    const int64_t nine[] = { 11, 10, 10, 11, 10, 10, 11, 10, 11 };
    for (int i = 0; i <= 8; i++)
        marks[i] = 6 + i * 11.625;
    buckets_are(94, many, 8, 8, marks, eight);
    for (int i = 0; i <= 9; i++)
        marks[i] = 6 + i * 93 / 9.0;
    marks[9] = 99;
    buckets_are(94, many, 9, 9, marks, nine);
}

static void check_histogram(spark_context *sc, int partitions)
{
    enum { MOST = 20 };
    double edges[MOST + 1];
    int64_t counts[MOST];
    size_t found;
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(double, ROWS, numbers), partitions);
    const spark_stat_counter s = naive(ROWS, numbers);
    for (size_t buckets = 1; buckets <= MOST; buckets += buckets < 3 ? 1 : 17) {
        int64_t sum = 0;
        oracle_ok(spark_histogram(rdd, buckets, edges, counts, &found));
        assert_int_equal(found, buckets);
        assert_true(edges[0] == s.min && edges[buckets] == s.max);
        for (size_t b = 0; b < buckets; b++) {
            int64_t want = 0;
            const double low = s.min + (double)b * (s.max - s.min) / (double)buckets;
            close_to(edges[b], low);
            for (size_t i = 0; i < ROWS; i++)
                want += numbers[i] >= edges[b]
                    && (b == buckets - 1 ? numbers[i] <= s.max : numbers[i] < edges[b + 1]);
            assert_int_equal(counts[b], want);
            sum += counts[b];
        }
        assert_int_equal(sum, ROWS);
    }
}

static void test_histogram__counts_as_a_loop_does(void **state)
{
    (void)state;
    fill(4);
    each(check_histogram);
}

static void test_histogram__tells_what_is_wrong(void **state)
{
    const double bad[][2] = { { 1, INFINITY }, { 1, NAN }, { -INFINITY, 1 }, { NAN, NAN } };
    const double data[] = { 1, 2 }, same[] = { 1, 1 }, edge[] = { 1 };
    double edges[3] = { 0 };
    int64_t counts[2] = { 0 };
    size_t found = 9;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(double, 2, data), 2);
    blames(spark_histogram(NULL, 1, edges, counts, &found), SPARK_EINVAL, "histogram",
        "the RDD is NULL");
    assert_int_equal(found, 0);
    blames(spark_histogram(rdd, 1, NULL, counts, &found), SPARK_EINVAL, "histogram", "no place");
    blames(spark_histogram(rdd, 1, edges, NULL, &found), SPARK_EINVAL, "histogram", "no place");
    blames(spark_histogram(rdd, 1, edges, counts, NULL), SPARK_EINVAL, "histogram", "no place");
    spark_rdd *texts = spark_map(spark_range(sc, 0, 9, 1, 2), to_word, NULL);
    blames(spark_histogram(texts, 1, edges, counts, &found), SPARK_ETYPE, "histogram",
        "numbers wanted, str found");
    blames(spark_histogram_edges(NULL, 2, data, false, counts), SPARK_EINVAL, "histogram",
        "the RDD is NULL");
    blames(spark_histogram_edges(rdd, 0, data, false, counts), SPARK_EINVAL, "histogram",
        "0 edges; there must be 2 or more");
    blames(spark_histogram_edges(rdd, 1, edge, true, counts), SPARK_EINVAL, "histogram",
        "1 edges; there must be 2 or more");
    blames(spark_histogram_edges(rdd, 2, NULL, false, counts), SPARK_EINVAL, "histogram", "edges");
    blames(spark_histogram_edges(rdd, 2, data, false, NULL), SPARK_EINVAL, "histogram", "no place");
    blames(spark_histogram_edges(texts, 2, data, false, counts), SPARK_ETYPE, "histogram",
        "numbers wanted, str found");
    no_job(sc);
    for (size_t i = 0; i < LENGTH(bad); i++) {
        found = 9;
        blames(spark_histogram(spark_parallelize(sc, SPARK_DATA(double, 2, bad[i]), 2), 1, edges,
                   counts, &found),
            SPARK_EEMPTY, "histogram", "NaN or infinities");
        assert_int_equal(found, 0);
    }
    blames(spark_histogram(
               spark_parallelize(sc, SPARK_DATA(double, 0, NULL), 2), 1, edges, counts, &found),
        SPARK_EEMPTY, "histogram", "empty");
    oracle_fails(spark_histogram(spark_empty_rdd(sc, SPARK_TYPE(double)), 1, edges, counts, &found),
        SPARK_EEMPTY, "empty");
    assert_int_equal(found, 0);
    blames(spark_histogram(rdd, 0, edges, counts, &found), SPARK_EINVAL, "histogram", "0 buckets");
    oracle_ok(spark_histogram(
        spark_parallelize(sc, SPARK_DATA(double, 2, same), 2), 0, edges, counts, &found));
    assert_int_equal(found, 1);
    assert_int_equal(counts[0], 2);
    oracle_close(sc);
}

/* ---- approximate counts */

static void test_count_approx_distinct__gives_the_cases_of_spark(void **state)
{
    static const double sds[] = { 0.02, 0.5, 0.066, 0.0165 };
    static const double errors[] = { 0.1, 0.22, 0.2, 0.1 };
    (void)state;
    /* Whatever partitions, threads and batches: one estimate. */
    for (size_t k = 0; k < LENGTH(sds); k++) {
        int64_t first = -1;
        for (size_t p = 0; p < LENGTH(oracle_partitions); p++)
            for (size_t c = 0; c < LENGTH(oracle_confs); c += k == 0 ? 1 : 4) {
                spark_context *sc = oracle_open_conf(&oracle_confs[c]);
                int64_t n = -1;
                spark_rdd *rdd = spark_map(spark_range(sc, 1, 5001, 1, oracle_partitions[p]),
                    modulo, SPARK_COPY((int64_t) { 1000 }));
                oracle_ok(spark_count_approx_distinct(rdd, sds[k], &n));
                if (!(fabs((double)n - 1000) / 1000 < errors[k]))
                    fail_msg("%lld for 1000 at %g", (long long)n, sds[k]);
                first = first < 0 ? n : first;
                assert_int_equal(n, first);
                oracle_close(sc);
            }
    }
}

static void test_count_approx_distinct__is_as_exact_as_asked_for(void **state)
{
    static const double sds[] = { 0.2, 0.05, 0.01, 0.0021 };
    (void)state;
    spark_context *sc = oracle_open(2);
    for (int64_t many = 1; many <= 100000; many *= 10)
        for (size_t k = 0; k < LENGTH(sds); k++) {
            int64_t n = -1;
            spark_rdd *rdd = spark_range(sc, 0, many, 1, 3);
            oracle_ok(spark_count_approx_distinct(rdd, sds[k], &n));
            /* Four standard deviations, and what is rounded; the numbers are fixed. */
            if (!(fabs((double)(n - many)) <= 4 * sds[k] * (double)many + 0.5))
                fail_msg("%lld for %lld at %g", (long long)n, (long long)many, sds[k]);
            /* Strings, each of them twice. */
            rdd = spark_map(spark_union(rdd, rdd), to_word, NULL);
            if (many <= 10000) {
                oracle_ok(spark_count_approx_distinct(rdd, sds[k], &n));
                if (!(fabs((double)(n - many)) <= 4 * sds[k] * (double)many + 0.5))
                    fail_msg("%lld for %lld texts at %g", (long long)n, (long long)many, sds[k]);
            }
        }
    oracle_close(sc);
}

static void test_count_approx_distinct__of_nothing_is_zero(void **state)
{
    int64_t n = 5;
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_ok(spark_count_approx_distinct(spark_empty_rdd(sc, SPARK_TYPE(spark_str)), 0.05, &n));
    assert_int_equal(n, 0);
    n = 5;
    oracle_ok(spark_count_approx_distinct(spark_range(sc, 0, 0, 1, 3), 0.05, &n));
    assert_int_equal(n, 0);
    oracle_close(sc);
}

static void test_count_approx_distinct__tells_what_is_wrong(void **state)
{
    static const double bad[] = { 0, -1, 0.00001, 0.0002, NAN };
    int64_t n = 5;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_range(sc, 0, 9, 1, 2);
    for (size_t i = 0; i < LENGTH(bad); i++) {
        n = 5;
        blames(spark_count_approx_distinct(rdd, bad[i], &n), SPARK_EINVAL, "countApproxDistinct",
            "relative standard deviation");
        assert_int_equal(n, 0);
    }
    static const struct {
        int p, sp;
        const char *words;
    } precisions[] = { { 3, 0, "a precision of 3; it must be 4 to 24" },
        { 25, 0, "a precision of 25" }, { -1, 0, "a precision of -1" },
        { 10, 33, "a sparse precision of 33; it must be 0, or 10, the precision, to 32" },
        { 10, 9, "a sparse precision of 9" }, { 10, -1, "a sparse precision of -1" } };
    for (size_t i = 0; i < LENGTH(precisions); i++)
        blames(spark_count_approx_distinct_with(rdd, precisions[i].p, precisions[i].sp, &n),
            SPARK_EINVAL, "countApproxDistinct", precisions[i].words);
    blames(spark_count_approx_distinct(NULL, 0.05, &n), SPARK_EINVAL, "countApproxDistinct",
        "the RDD is NULL");
    blames(spark_count_approx_distinct(rdd, 0.05, NULL), SPARK_EINVAL, "countApproxDistinct",
        "no place");
    no_job(sc);
    oracle_close(sc);
}

/* PairRDDFunctionsSuite: key i has i different values, each of them more than once. */
SPARK_FLAT_MAP(many_values, int64_t, i64_i64)
{
    for (int64_t k = 0; k < 3 * *in; k++)
        if (!spark_emit(out, (i64_i64) { *in, k % *in }))
            return;
}
SPARK_MAP(as_texts, i64_i64, str_str)
{
    out->key = spark_str_format(task, "key %lld", (long long)in->key);
    out->value = spark_str_format(task, "%lld", (long long)in->value);
}

static void test_count_approx_distinct_by_key__counts_the_values_of_each_key(void **state)
{
    enum { KEYS = 60 };
    (void)state;
    for (size_t p = 0; p < LENGTH(oracle_partitions); p++) {
        int64_t first[KEYS + 1];
        for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
            spark_array array;
            spark_context *sc = oracle_open_conf(&oracle_confs[c]);
            spark_rdd *pairs = spark_flat_map(
                spark_range(sc, 1, KEYS + 1, 1, oracle_partitions[p]), many_values, NULL);
            const spark_keyed_options five = { 5, NULL };
            spark_rdd *counts = c & 1
                ? spark_count_approx_distinct_by_key_with(pairs, 12, 16, &five)
                : spark_count_approx_distinct_by_key(pairs, 0.02, 5);
            assert_int_equal(spark_rdd_partitions(counts), 5);
            assert_non_null(spark_rdd_partitioner(counts));
            oracle_ok(spark_collect(counts, SPARK_TYPE(i64_i64), &array));
            const i64_i64 *x = SPARK_ITEMS(i64_i64, &array);
            assert_int_equal(array.n, KEYS);
            bool seen[KEYS + 1] = { false };
            for (size_t i = 0; i < KEYS; i++) {
                assert_true(x[i].key >= 1 && x[i].key <= KEYS && !seen[x[i].key]);
                seen[x[i].key] = true;
                if (!(fabs((double)(x[i].value - x[i].key)) <= 0.08 * (double)x[i].key + 0.5))
                    fail_msg("%lld for %lld", (long long)x[i].value, (long long)x[i].key);
                if (c == 0)
                    first[x[i].key] = x[i].value;
                assert_int_equal(x[i].value, first[x[i].key]);
            }
            spark_array_free(&array);
            if (c % 4 == 0) {
                counts
                    = spark_count_approx_distinct_by_key(spark_map(pairs, as_texts, NULL), 0.05, 0);
                assert_int_equal(spark_rdd_partitions(counts), oracle_partitions[p]);
                oracle_ok(spark_collect(counts, SPARK_TYPE(str_i64), &array));
                assert_int_equal(array.n, KEYS);
                for (size_t i = 0; i < KEYS; i++) {
                    const str_i64 *y = &SPARK_ITEMS(str_i64, &array)[i];
                    spark_str rest = y->key, word;
                    int64_t key = 0;
                    assert_true(
                        spark_str_next_word(&rest, &word) && spark_str_next_i64(&rest, &key));
                    assert_true(fabs((double)(y->value - key)) <= 0.2 * (double)key + 0.5);
                }
                spark_array_free(&array);
            }
            oracle_close(sc);
        }
    }
}

static void test_count_approx_distinct_by_key__tells_what_is_wrong(void **state)
{
    static const double bad[] = { 0, -1, 0.0009, NAN };
    const i64_i64 pair = { 1, 2 };
    int64_t n;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i64_i64, 1, &pair), 2);
    for (size_t i = 0; i < LENGTH(bad); i++)
        blames(spark_count(spark_count_approx_distinct_by_key(rdd, bad[i], 0), &n), SPARK_EINVAL,
            "countApproxDistinctByKey", "relative standard deviation");
    blames(spark_count(spark_count_approx_distinct_by_key_with(rdd, 21, 0, NULL), &n), SPARK_EINVAL,
        "countApproxDistinctByKey", "a precision of 21; it must be 4 to 20");
    blames(spark_count(spark_count_approx_distinct_by_key_with(rdd, 9, 8, NULL), &n), SPARK_EINVAL,
        "countApproxDistinctByKey", "a sparse precision of 8");
    blames(
        spark_count(spark_count_approx_distinct_by_key(spark_range(sc, 0, 1, 1, 1), 0.05, 0), &n),
        SPARK_ETYPE, "countApproxDistinctByKey", "pairs");
    oracle_fails(
        spark_count(spark_count_approx_distinct_by_key(NULL, 0.05, 0), &n), SPARK_EINVAL, "NULL");
    oracle_fails(spark_count(spark_count_approx_distinct_by_key(broken(sc), 0.05, 0), &n),
        SPARK_EINVAL, "range at ");
    assert_int_equal(oracle_count(spark_count_approx_distinct_by_key(
                         spark_empty_rdd(sc, SPARK_TYPE(i64_i64)), 0.05, 3)),
        0);
    oracle_close(sc);
}

/* Few registers: right on average, from a few values to many, but for being whole numbers. */
SPARK_MAP(in_key, int64_t, i64_i64, int64_t)
{
    *out = (i64_i64) { *in / *env, *in };
}

static void test_count_approx_distinct__is_right_on_average(void **state)
{
    static const int64_t sizes[] = { 4, 30, 300, 2000 };
    (void)state;
    spark_context *sc = oracle_open(2);
    for (int p = 4; p <= 6; p++)
        for (size_t i = 0; i < LENGTH(sizes); i++) {
            enum { KEYS = 2000 };
            spark_rdd *rdd = spark_map(
                spark_range(sc, 0, sizes[i] * KEYS, 1, 2), in_key, SPARK_COPY(sizes[i]));
            spark_rdd *counts = spark_values(
                spark_count_approx_distinct_by_key_with(rdd, p, 0, NULL));
            spark_stat_counter stats;
            oracle_ok(spark_stats(counts, &stats));
            assert_int_equal(stats.count, KEYS);
            const double n = (double)sizes[i], error = stats.stdev / n / sqrt(KEYS);
            assert_true(fabs(stats.mean / n - 1) < 4 * error + 0.005 + 0.4 / n);
            assert_true(stats.stdev / n < 1.12 * 1.04 / sqrt(1 << p));
        }
    oracle_close(sc);
}

/* What is held does not grow with the partitions, and is counted. */
static void test_states__are_charged_and_bounded(void **state)
{
    enum { BUCKETS = 100000 };
    double *edges = malloc((BUCKETS + 1) * sizeof *edges);
    int64_t *counts = malloc(BUCKETS * sizeof *counts), n = 0, sum = 0;
    size_t found;
    uint64_t peak;
    (void)state;
    assert_true(edges && counts);
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 2, .memory_bytes = 16000000 });
    spark_rdd *rdd = spark_range(sc, 0, 300000, 1, 300);
    oracle_ok(spark_histogram(rdd, BUCKETS, edges, counts, &found)); /* 800 kB a task */
    assert_int_equal(found, BUCKETS);
    for (size_t i = 0; i < BUCKETS; i++)
        sum += counts[i];
    assert_int_equal(sum, 300000);
    oracle_ok(spark_count_approx_distinct_with(rdd, 20, 0, &n)); /* 1 MiB a task */
    assert_in_range(n, 299000, 301000);
    spark_memory_bytes(sc, &peak);
    assert_in_range(peak, 2 << 20, 16 << 20);
    oracle_fails(spark_count_approx_distinct_with(rdd, 24, 0, &n), SPARK_ENOMEM,
        "an array of registers takes 16777216 bytes; spark_conf.memory_bytes is 16000000");
    oracle_fails(spark_histogram_edges(rdd, 2, (double[]) { 0, 1 }, false, NULL), SPARK_EINVAL,
        "no place");
    oracle_ok(spark_count(rdd, &n)); /* the context is as good as before */
    oracle_close(sc);
    free(edges);
    free(counts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_stats__are_those_of_two_passes),
        oracle_test(test_stats__are_bit_identical),
        oracle_test(test_stats__take_numbers_of_any_type),
        oracle_test(test_stats__of_partitions_without_elements),
        oracle_test(test_stats__of_no_partition_are_an_error),
        oracle_test(test_stats__of_nan_and_infinity),
        oracle_test(test_stats__lose_no_digits_to_a_large_mean),
        oracle_test(test_stats__tell_what_is_wrong),
        oracle_test(test_histogram_edges__may_be_equal),
        oracle_test(test_histogram_edges__gives_the_cases_of_spark),
        oracle_test(test_histogram_edges__counts_as_a_loop_does),
        oracle_test(test_histogram__gives_the_cases_of_spark),
        oracle_test(test_histogram__counts_as_a_loop_does),
        oracle_test(test_histogram__tells_what_is_wrong),
        oracle_test(test_count_approx_distinct__gives_the_cases_of_spark),
        oracle_test(test_count_approx_distinct__is_as_exact_as_asked_for),
        oracle_test(test_count_approx_distinct__of_nothing_is_zero),
        oracle_test(test_count_approx_distinct__tells_what_is_wrong),
        oracle_test(test_count_approx_distinct_by_key__counts_the_values_of_each_key),
        oracle_test(test_count_approx_distinct_by_key__tells_what_is_wrong),
        oracle_test(test_count_approx_distinct__is_right_on_average),
        oracle_test(test_states__are_charged_and_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
