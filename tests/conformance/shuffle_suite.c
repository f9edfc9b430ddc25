/* SPDX-License-Identifier: Apache-2.0 */
/* Spark's ShuffleSuite. */
#include "oracle.h"

SPARK_PAIR(i64_pair, int64_t, int64_t);

SPARK_MAP(to_pair, int64_t, i64_pair)
{
    *out = (i64_pair) { *in, 1 };
}
SPARK_FLAT_MAP(hundred_copies, int64_t, i64_pair)
{
    (void)task;
    for (int i = 0; i < 100; i++)
        if (!spark_emit(out, (i64_pair) { *in, 1 }))
            return;
}

static void shuffle_suite__four_keys_over_201_partitions(void **state)
{
    /* Blocks are seen as the partitions they make. */
    static const i64_pair rows[] = { { 1, 1 }, { 2, 2 }, { 3, 3 }, { 4, 4 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *placed = spark_partition_by(
        spark_parallelize(sc, SPARK_DATA(i64_pair, 4, rows), 4), spark_hash_partitioner(sc, 201));
    assert_int_equal(spark_rdd_partitions(placed), 201);
    assert_int_equal(oracle_count(placed), 4);
    spark_array lists;
    int filled = 0;
    oracle_ok(spark_collect(spark_glom(spark_keys(placed)), SPARK_TYPE(spark_i64_list), &lists));
    assert_int_equal(lists.n, 201);
    for (size_t i = 0; i < lists.n; i++)
        filled += SPARK_ITEMS(spark_i64_list, &lists)[i].n > 0;
    spark_array_free(&lists);
    assert_in_range(filled, 1, 4);
    assert_int_equal(oracle_last_job(sc).shuffle_rows, 0);
    oracle_close(sc);
}

static void shuffle_suite__sort_by_key(void **state)
{
    static const i64_pair rows[] = { { 1, 11 }, { 3, 33 }, { 100, 100 }, { 2, 22 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_collects(
        spark_sort_by_key(spark_parallelize(sc, SPARK_DATA(i64_pair, 4, rows), 2), NULL, 0),
        "(1,11) (2,22) (3,33) (100,100)");
    oracle_close(sc);
}

static void shuffle_suite__subtract_by_key(void **state)
{
    static const i64_pair a[] = { { 1, 11 }, { 3, 33 }, { 2, 22 } }, b[] = { { 1, 1 }, { 2, 2 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_collects(spark_subtract_by_key(spark_parallelize(sc, SPARK_DATA(i64_pair, 3, a), 2),
                        spark_parallelize(sc, SPARK_DATA(i64_pair, 2, b), 2), 0),
        "(3,33)");
    oracle_close(sc);
}

static void shuffle_suite__a_lost_output_is_made_again(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *groups
        = spark_group_by_key(spark_map(spark_range(sc, 1, 11, 1, 2), to_pair, NULL), 0);
    assert_int_equal(oracle_count(groups), 10);
    assert_true(spark_drop_shuffle_output(groups, 0));
    assert_int_equal(oracle_count(groups), 10);
    assert_int_equal(oracle_last_job(sc).skipped_stages, 0);
    assert_int_equal(oracle_last_job(sc).recomputed_partitions, 1);
    assert_int_equal(oracle_count(groups), 10);
    assert_int_equal(oracle_last_job(sc).skipped_stages, 1);
    oracle_close(sc);
}

static void shuffle_suite__counts_the_rows_it_writes(void **state)
{
    /* Rows read are not counted here, but seen: they come out. */
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *numbers = spark_range(sc, 0, 10000, 1, 4);
    assert_int_equal(oracle_count(spark_group_by_key(spark_map(numbers, to_pair, NULL), 0)), 10000);
    assert_int_equal(oracle_last_job(sc).shuffle_rows, 10000);
    spark_array counts;
    oracle_ok(spark_count_by_key(
        spark_flat_map(numbers, hundred_copies, NULL), SPARK_TYPE(i64_pair), &counts));
    assert_int_equal(oracle_last_job(sc).shuffle_rows, 10000);
    assert_int_equal(counts.n, 10000);
    for (size_t i = 0; i < counts.n; i++)
        assert_int_equal(SPARK_ITEMS(i64_pair, &counts)[i].value, 100);
    spark_array_free(&counts);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(shuffle_suite__four_keys_over_201_partitions),
        oracle_test(shuffle_suite__sort_by_key),
        oracle_test(shuffle_suite__subtract_by_key),
        oracle_test(shuffle_suite__a_lost_output_is_made_again),
        oracle_test(shuffle_suite__counts_the_rows_it_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
