/* SPDX-License-Identifier: Apache-2.0 */
/* The cases of Spark's ParallelCollectionSplitSuite: where parallelize and range cut. */
#include "suite.h"

static spark_rdd *one_to(spark_context *sc, int64_t last, int partitions)
{
    int64_t x[16];
    assert_in_range(last, 1, LENGTH(x));
    for (int64_t i = 0; i < last; i++)
        x[i] = i + 1;
    return spark_parallelize(sc, SPARK_DATA(int64_t, (size_t)last, x), partitions);
}

/* has_slices: of a range that ascends by 1, slice i is from[i] up to and without from[i + 1]. */
static void has_slices(spark_rdd *rdd, int n, const int64_t from[])
{
    spark_array parts;
    oracle_ok(spark_collect(spark_glom(rdd), SPARK_TYPE(spark_i64_list), &parts));
    assert_int_equal(parts.n, n);
    for (int i = 0; i < n; i++) {
        const spark_i64_list part = SPARK_ITEMS(spark_i64_list, &parts)[i];
        assert_int_equal(part.n, from[i + 1] - from[i]);
        for (size_t k = 0; k < part.n; k++)
            assert_int_equal(part.at[k], from[i] + (int64_t)k);
    }
    spark_array_free(&parts);
}

static void parallel_collection_split_suite__9_into_3_is_even(void **state)
{
    oracle_has_layout(one_to(*state, 9, 3), "1 2 3 | 4 5 6 | 7 8 9");
}
static void parallel_collection_split_suite__10_into_3_gives_the_last_one_more(void **state)
{
    oracle_has_layout(one_to(*state, 10, 3), "1 2 3 | 4 5 6 | 7 8 9 10");
}
static void parallel_collection_split_suite__range_until_100_into_3(void **state)
{
    static const int64_t from[] = { 0, 33, 66, 100 };
    has_slices(spark_range(*state, 0, 100, 1, 3), 3, from);
}
/* A range never has its end: up to 100 is until 101. */
static void parallel_collection_split_suite__range_up_to_100_into_3(void **state)
{
    static const int64_t from[] = { 0, 33, 67, 101 };
    has_slices(spark_range(*state, 0, 101, 1, 3), 3, from);
}
/* 0 asks for the default. */
static void parallel_collection_split_suite__negative_number_of_slices_is_refused(void **state)
{
    int64_t x[] = { 1, 2, 3 }, n;
    oracle_fails(spark_count(spark_parallelize(*state, SPARK_DATA(int64_t, 3, x), -5), &n),
        SPARK_EINVAL, "-5 partitions");
    oracle_fails(spark_count(spark_range(*state, 1, 4, 1, -5), &n), SPARK_EINVAL, "-5 partitions");
}
/* Ranges are always of int64_t; narrower numbers come from memory. */
static void parallel_collection_split_suite__all_kinds_are_cut_alike(void **state)
{
    static const int32_t narrow[] = { 1, 2, 3, 4, 5, 6, 7 };
    oracle_has_layout(spark_range(*state, 1, 8, 1, 4), "1 | 2 3 | 4 5 | 6 7");
    oracle_has_layout(
        spark_parallelize(*state, SPARK_DATA(int32_t, 7, narrow), 4), "1 | 2 3 | 4 5 | 6 7");
    oracle_has_layout(spark_parallelize(*state, SPARK_DATA(int32_t, 2, narrow), 4), " | 1 | | 2");
    oracle_has_layout(spark_range(*state, 1, 3, 1, 4), " | 1 | | 2");
}

/* slice_ends: the first and the last number of a partition, and how many there are. */
SPARK_STRUCT(ends, (int64_t, first), (int64_t, last), (int64_t, n));
static void ends_each(spark_task *task, void *state, size_t n, const void *in, size_t step,
    spark_emitter *out, const void *env)
{
    ends *e = state;
    (void)task, (void)env;
    if (e->n == 0)
        e->first = *(const int64_t *)in;
    e->last = *(const int64_t *)(const void *)((const char *)in + (n - 1) * step);
    e->n += (int64_t)n;
    out->rows += n;
}
static void ends_close(spark_task *task, void *state, spark_emitter *out, const void *env)
{
    (void)task, (void)env;
    spark_emit_(out, state, sizeof(ends));
}
static void parallel_collection_split_suite__1e8_numbers_into_40_do_not_overflow(void **state)
{
    enum { WIDTH = 2500000 };
    static const spark_stateful_def slice_ends = { "slice_ends", SPARK_TYPE(int64_t),
        SPARK_TYPE(ends), 0, sizeof(ends), NULL, ends_each, ends_close };
    spark_array a;
    spark_rdd *rdd = spark_range(*state, 0, 100000000, 1, 40);
    oracle_ok(spark_collect(spark_map_stateful(rdd, &slice_ends, NULL), SPARK_TYPE(ends), &a));
    assert_int_equal(a.n, 40);
    for (int64_t i = 0; i < 40; i++) {
        const ends e = SPARK_ITEMS(ends, &a)[i];
        assert_int_equal(e.first, i * WIDTH);
        assert_int_equal(e.last, (i + 1) * WIDTH - 1);
        assert_int_equal(e.n, WIDTH);
    }
    spark_array_free(&a);
}

/* is_cut: n slices, each of length / n or one more, that are one after the other what went in. */
static void is_cut(spark_rdd *rdd, size_t length, const int64_t *x, int n)
{
    spark_array parts;
    size_t at = 0;
    oracle_ok(spark_collect(spark_glom(rdd), SPARK_TYPE(spark_i64_list), &parts));
    assert_int_equal(parts.n, n);
    for (int i = 0; i < n; i++) {
        const spark_i64_list part = SPARK_ITEMS(spark_i64_list, &parts)[i];
        assert_in_range(part.n, length / (size_t)n, length / (size_t)n + 1);
        assert_true(at + part.n <= length);
        for (size_t k = 0; k < part.n; k++)
            assert_int_equal(part.at[k], x[at++]);
    }
    assert_int_equal(at, length);
    spark_array_free(&parts);
}
static void parallel_collection_split_suite__random_collections_are_cut_evenly(void **state)
{
    uint64_t seed = 5;
    for (int round = 0; round < 100; round++) {
        int64_t x[200];
        const size_t length = oracle_below(&seed, LENGTH(x) + 1);
        const int n = 1 + (int)oracle_below(&seed, 50);
        for (size_t i = 0; i < length; i++)
            x[i] = (int64_t)oracle_random(&seed);
        is_cut(spark_parallelize(*state, SPARK_DATA(int64_t, length, x), n), length, x, n);
    }
}
static void parallel_collection_split_suite__random_ranges_are_cut_evenly(void **state)
{
    uint64_t seed = 6;
    for (int round = 0; round < 200; round++) {
        int64_t x[1000];
        size_t length = 0;
        const int64_t start = (int64_t)oracle_below(&seed, 1000) - 500;
        const int64_t end = (int64_t)oracle_below(&seed, 1000) - 500;
        const int64_t step = (1 + (int64_t)oracle_below(&seed, 20)) * (start < end ? 1 : -1);
        const int n = 1 + (int)oracle_below(&seed, 50);
        for (int64_t i = start; step > 0 ? i < end : i > end; i += step)
            x[length++] = i;
        is_cut(spark_range(*state, start, end, step, n), length, x, n);
    }
}
static void parallel_collection_split_suite__empty_range_at_the_limit_has_empty_slices(void **state)
{
    static const int64_t at[] = { INT32_MAX, INT64_MAX };
    for (size_t i = 0; i < LENGTH(at); i++)
        oracle_has_layout(spark_range(*state, at[i], at[i], 1, 5), " | | | |");
}
/* There are no ranges of double; the numbers come from memory. */
static void parallel_collection_split_suite__doubles_from_1_into_3(void **state)
{
    double x[100];
    for (size_t length = 99; length <= 100; length++) {
        int64_t total = 0;
        int slices = 0;
        for (size_t i = 0; i < length; i++)
            x[i] = 1.0 + (double)i;
        spark_rdd *rdd = spark_parallelize(*state, SPARK_DATA(double, length, x), 3);
        spark_array parts;
        oracle_ok(spark_collect(spark_glom(rdd), SPARK_TYPE(spark_f64_list), &parts));
        for (; slices < (int)parts.n; slices++) {
            const spark_f64_list part = SPARK_ITEMS(spark_f64_list, &parts)[slices];
            for (size_t k = 0; k < part.n; k++)
                assert_true(part.at[k] == 1.0 + (double)total++);
        }
        spark_array_free(&parts);
        assert_int_equal(slices, 3);
        assert_int_equal(total, length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        suite_case(parallel_collection_split_suite__9_into_3_is_even),
        suite_case(parallel_collection_split_suite__10_into_3_gives_the_last_one_more),
        suite_case(parallel_collection_split_suite__range_until_100_into_3),
        suite_case(parallel_collection_split_suite__range_up_to_100_into_3),
        suite_case(parallel_collection_split_suite__negative_number_of_slices_is_refused),
        suite_case(parallel_collection_split_suite__all_kinds_are_cut_alike),
        suite_case(parallel_collection_split_suite__1e8_numbers_into_40_do_not_overflow),
        suite_case(parallel_collection_split_suite__random_collections_are_cut_evenly),
        suite_case(parallel_collection_split_suite__random_ranges_are_cut_evenly),
        suite_case(parallel_collection_split_suite__empty_range_at_the_limit_has_empty_slices),
        suite_case(parallel_collection_split_suite__doubles_from_1_into_3),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
