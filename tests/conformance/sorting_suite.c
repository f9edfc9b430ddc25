/* SPDX-License-Identifier: Apache-2.0 */
/* Spark's SortingSuite. */
#include "oracle.h"

SPARK_PAIR(i64_pair, int64_t, int64_t);

SPARK_MAP(to_pair, int64_t, i64_pair)
{
    *out = (i64_pair) { *in, -*in };
}

static void sorting_suite__of_four_keys_in_two_partitions(void **state)
{
    static const i64_pair rows[] = { { 1, 0 }, { 2, 0 }, { 0, 0 }, { 3, 0 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_collects(
        spark_sort_by_key(spark_parallelize(sc, SPARK_DATA(i64_pair, 4, rows), 2), NULL, 0),
        "(0,0) (1,0) (2,0) (3,0)");
    oracle_close(sc);
}

enum { RANDOM_ROWS = 1000 };

static int by_key(const void *a, const void *b)
{
    const int64_t x = ((const i64_pair *)a)->key, y = ((const i64_pair *)b)->key;
    return (x > y) - (x < y);
}

static int by_key_descending(const void *a, const void *b)
{
    return by_key(b, a);
}

static void sorts_random_pairs(const spark_order *order, int partitions, int expected)
{
    static i64_pair rows[RANDOM_ROWS], want[RANDOM_ROWS];
    uint64_t seed = 42;
    for (int i = 0; i < RANDOM_ROWS; i++)
        rows[i] = want[i] = (i64_pair) { (int64_t)oracle_random(&seed), i };
    qsort(want, RANDOM_ROWS, sizeof *want, order == NULL ? by_key : by_key_descending);
    spark_context *sc = oracle_open(2);
    spark_rdd *sorted = spark_sort_by_key(
        spark_parallelize(sc, SPARK_DATA(i64_pair, RANDOM_ROWS, rows), 2), order, partitions);
    spark_array all;
    assert_int_equal(spark_rdd_partitions(sorted), expected);
    oracle_ok(spark_collect(sorted, SPARK_TYPE(i64_pair), &all));
    assert_int_equal(all.n, RANDOM_ROWS);
    assert_memory_equal(SPARK_ITEMS(i64_pair, &all), want, sizeof want);
    spark_array_free(&all);
    oracle_close(sc);
}

static void sorting_suite__of_1000_random_pairs(void **state)
{
    (void)state;
    sorts_random_pairs(NULL, 0, 2);
}

static void sorting_suite__of_1000_random_pairs_into_one_partition(void **state)
{
    (void)state;
    sorts_random_pairs(NULL, 1, 1);
}

static void sorting_suite__of_1000_random_pairs_into_20_partitions(void **state)
{
    (void)state;
    sorts_random_pairs(NULL, 20, 20);
}

static void sorting_suite__of_1000_random_pairs_when_descending(void **state)
{
    static const int partitions[] = { 1, 2, 20 };
    (void)state;
    for (size_t i = 0; i < LENGTH(partitions); i++)
        sorts_random_pairs(spark_order_desc, partitions[i], partitions[i]);
}

static void sorting_suite__of_more_partitions_than_elements(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    static const int64_t rows[] = { 7, 3, 9, 1, 0, 8, 2, 6, 4, 5 };
    spark_rdd *pairs = spark_map(
        spark_parallelize(sc, SPARK_DATA(int64_t, LENGTH(rows), rows), 30), to_pair, NULL);
    oracle_collects(spark_keys(spark_sort_by_key(pairs, NULL, 0)), "0 1 2 3 4 5 6 7 8 9");
    oracle_close(sc);
}

static void sorting_suite__of_an_empty_rdd(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *empty = spark_parallelize(sc, SPARK_DATA(i64_pair, 0, NULL), 2);
    assert_int_equal(spark_rdd_partitions(empty), 2);
    oracle_collects(spark_sort_by_key(empty, NULL, 0), "");
    oracle_close(sc);
}

/* Of 1 to 1000 in 4 partitions, each gets more than 180, and they follow one another. */
static void partitions_are_balanced(const spark_order *order, int64_t sign)
{
    spark_context *sc = oracle_open(2);
    spark_rdd *sorted
        = spark_sort_by_key(spark_map(spark_range(sc, 1, 1001, 1, 4), to_pair, NULL), order, 4);
    int64_t last = INT64_MIN, total = 0;
    assert_int_equal(spark_rdd_partitions(sorted), 4);
    for (int p = 0; p < 4; p++) {
        spark_array part;
        oracle_ok(spark_collect_partitions(sorted, 1, &p, SPARK_TYPE(i64_pair), &part));
        const i64_pair *row = SPARK_ITEMS(i64_pair, &part);
        assert_true(part.n > 180);
        total += (int64_t)part.n;
        for (size_t i = 0; i < part.n; i++) {
            assert_true(row[i].key * sign > last);
            last = row[i].key * sign;
        }
        spark_array_free(&part);
    }
    assert_int_equal(total, 1000);
    oracle_close(sc);
}

static void sorting_suite__partitions_are_balanced(void **state)
{
    (void)state;
    partitions_are_balanced(NULL, 1);
}

static void sorting_suite__partitions_are_balanced_when_descending(void **state)
{
    (void)state;
    partitions_are_balanced(spark_order_desc, -1);
}

/* How the pairs of 1 to n lie in their partitions before a range of them is taken. */
enum lie { ASCENDING, DESCENDING, MIXED };

/* Keys that jump, so that each of 10 partitions has keys from near 1 to near n. */
SPARK_MAP(mixed_pair, int64_t, i64_pair, int64_t)
{
    *out = (i64_pair) { *in * 301 % *env + 1, *in };
}

/* range_is: the keys from low to high, each once, in the order in which they lay. */
static void range_is(enum lie lie, int64_t n, int partitions, int64_t low, int64_t high)
{
    spark_context *sc = oracle_open(2);
    spark_rdd *pairs = spark_map(spark_range(sc, 0, n, 1, partitions), mixed_pair, SPARK_COPY(n));
    if (lie != MIXED)
        pairs = spark_sort_by_key(pairs, lie == ASCENDING ? NULL : spark_order_desc, partitions);
    spark_rdd *range = spark_keys(
        spark_filter_by_range(pairs, SPARK_VALUE(int64_t, &low), SPARK_VALUE(int64_t, &high)));
    spark_array array;
    oracle_ok(spark_collect(range, SPARK_TYPE(int64_t), &array));
    const int64_t *key = SPARK_ITEMS(int64_t, &array);
    bool *seen = calloc((size_t)n + 1, sizeof *seen);
    assert_non_null(seen);
    assert_int_equal(array.n, high - low + 1);
    for (size_t i = 0; i < array.n; i++) {
        assert_in_range(key[i], low, high);
        assert_false(seen[key[i]]);
        seen[key[i]] = true;
        if (lie != MIXED)
            assert_int_equal(key[i], lie == ASCENDING ? low + (int64_t)i : high - (int64_t)i);
    }
    free(seen);
    spark_array_free(&array);
    /* What a sort has placed is not looked at where the range is not. */
    if (lie == MIXED || partitions == 1)
        assert_int_equal(spark_rdd_partitions(range), partitions);
    else
        assert_true(spark_rdd_partitions(range) < spark_rdd_partitions(pairs));
    oracle_close(sc);
}

static void sorting_suite__range_of_ascending_keys(void **state)
{
    (void)state;
    range_is(ASCENDING, 100, 1, 20, 40);
    range_is(ASCENDING, 100, 10, 20, 40);
    range_is(ASCENDING, 1000, 10, 200, 800);
}

static void sorting_suite__range_of_descending_keys(void **state)
{
    (void)state;
    range_is(DESCENDING, 1000, 10, 200, 800);
    range_is(DESCENDING, 1000, 10, 250, 850);
}

static void sorting_suite__range_of_keys_that_are_not_sorted(void **state)
{
    (void)state;
    range_is(MIXED, 1000, 10, 200, 800);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(sorting_suite__of_four_keys_in_two_partitions),
        oracle_test(sorting_suite__of_1000_random_pairs),
        oracle_test(sorting_suite__of_1000_random_pairs_into_one_partition),
        oracle_test(sorting_suite__of_1000_random_pairs_into_20_partitions),
        oracle_test(sorting_suite__of_1000_random_pairs_when_descending),
        oracle_test(sorting_suite__of_more_partitions_than_elements),
        oracle_test(sorting_suite__of_an_empty_rdd),
        oracle_test(sorting_suite__partitions_are_balanced),
        oracle_test(sorting_suite__partitions_are_balanced_when_descending),
        oracle_test(sorting_suite__range_of_ascending_keys),
        oracle_test(sorting_suite__range_of_descending_keys),
        oracle_test(sorting_suite__range_of_keys_that_are_not_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
