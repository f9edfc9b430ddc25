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

static void sorts_random_pairs(int partitions, int expected)
{
    static i64_pair rows[RANDOM_ROWS], want[RANDOM_ROWS];
    uint64_t seed = 42;
    for (int i = 0; i < RANDOM_ROWS; i++)
        rows[i] = want[i] = (i64_pair) { (int64_t)oracle_random(&seed), i };
    qsort(want, RANDOM_ROWS, sizeof *want, by_key);
    spark_context *sc = oracle_open(2);
    spark_rdd *sorted = spark_sort_by_key(
        spark_parallelize(sc, SPARK_DATA(i64_pair, RANDOM_ROWS, rows), 2), NULL, partitions);
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
    sorts_random_pairs(0, 2);
}

static void sorting_suite__of_1000_random_pairs_into_one_partition(void **state)
{
    (void)state;
    sorts_random_pairs(1, 1);
}

static void sorting_suite__of_1000_random_pairs_into_20_partitions(void **state)
{
    (void)state;
    sorts_random_pairs(20, 20);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(sorting_suite__of_four_keys_in_two_partitions),
        oracle_test(sorting_suite__of_1000_random_pairs),
        oracle_test(sorting_suite__of_1000_random_pairs_into_one_partition),
        oracle_test(sorting_suite__of_1000_random_pairs_into_20_partitions),
        oracle_test(sorting_suite__of_more_partitions_than_elements),
        oracle_test(sorting_suite__of_an_empty_rdd),
        oracle_test(sorting_suite__partitions_are_balanced),
        oracle_test(sorting_suite__partitions_are_balanced_when_descending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
