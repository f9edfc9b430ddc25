/* SPDX-License-Identifier: Apache-2.0 */
/* Where rows are placed, in corners: keys hashed generically, descriptions of one shape, sorts that
 * have fewer partitions than asked for, dense keys for any number of slices. */
#include "support/oracle.h"

SPARK_PAIR(i32_i64, int32_t, int64_t);
SPARK_PAIR(i16_i64, int16_t, int64_t);
SPARK_PAIR(f64_i64, double, int64_t);
SPARK_PAIR(point, int32_t, int64_t);
SPARK_PAIR(point_i64, point, int64_t);
SPARK_STRUCT(one_u32, (uint32_t, u));
SPARK_PAIR(one_u32_i64, one_u32, int64_t);
SPARK_ORDER(by_value, i32_i64, (desc, value));
SPARK_GROUP(first_key, int32_t, int64_t, int64_t)
{
    spark_emit(out, *key);
}
SPARK_MAP(same_pair, i32_i64, i32_i64)
{
    *out = *in;
}

/* Rows of 8 bytes whose keys are hashed generically lose their hashes. */
static void test_distinct__of_rows_of_eight_bytes(void **state)
{
    double d[1000];
    (void)state;
    for (int i = 0; i < 1000; i++)
        d[i] = i % 100 / 4.0;
    for (int p = 1; p < 6; p++)
        for (int round = 0; round < 3; round++) {
            spark_context *sc = oracle_open(1);
            spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(double, 1000, d), p);
            for (int again = 0; again < 3; again++)
                assert_int_equal(oracle_count(spark_distinct(rdd, 3)), 100);
            oracle_close(sc);
        }
}

static void test_subtract__takes_signed_zeros_and_nans_as_one_value_each(void **state)
{
    const double nan = strtod("nan", NULL);
    double a[] = { 0.0, nan, 1, -0.0, -nan, 2 }, b[] = { -0.0, -nan, 5 };
    f64_i64 pairs[] = { { 0.0, 1 }, { nan, 2 }, { 1, 3 } }, gone[] = { { -0.0, 4 }, { -nan, 5 } };
    (void)state;
    for (int p = 1; p < 5; p++) {
        spark_context *sc = oracle_open(2);
        spark_rdd *left = spark_parallelize(sc, SPARK_DATA(double, 6, a), p);
        spark_rdd *right = spark_parallelize(sc, SPARK_DATA(double, 3, b), p);
        oracle_holds(spark_subtract(left, right, 3), "1 2");
        assert_int_equal(oracle_count(spark_intersection(left, right, 3)), 2);
        oracle_holds(spark_subtract_by_key(spark_parallelize(sc, SPARK_DATA(f64_i64, 3, pairs), p),
                         spark_parallelize(sc, SPARK_DATA(f64_i64, 2, gone), p), 0),
            "(1,3)");
        oracle_close(sc);
    }
}

/* a right side placed by key, of another description of the same shape, is taken as placed by
 * element. */
static void test_subtract__of_a_placed_side_of_another_description(void **state)
{
    i32_i64 d[100];
    const int64_t zero = 0;
    (void)state;
    for (int i = 0; i < 100; i++)
        d[i] = (i32_i64) { i % 50, i };
    spark_context *sc = oracle_open(2);
    spark_rdd *left = spark_parallelize(sc, SPARK_DATA(i32_i64, 100, d), 4);
    spark_rdd *right = spark_fold_by_key(spark_parallelize(sc, SPARK_DATA(i32_i64, 50, d), 4),
        SPARK_VALUE(int64_t, &zero), spark_op_sum, NULL, 4);
    assert_int_equal(oracle_count(spark_intersection(left, right, 4)), 50);
    assert_int_equal(oracle_count(spark_subtract(left, right, 0)), 50);
    oracle_close(sc);
}

/* leaks the partitioner (leak sanitizer); see nomem_job.txt for the crash of the same line. */
static void test_group_map_by_key__of_placed_rows(void **state)
{
    i32_i64 d[] = { { 1, 1 } };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, 1, d), 2);
    rdd = spark_partition_by(rdd, spark_hash_partitioner(sc, 3));
    rdd = spark_group_map_by_key(rdd, first_key, NULL, 0);
    assert_null(spark_rdd_partitioner(rdd));
    assert_int_equal(oracle_count(rdd), 1);
    assert_int_equal(oracle_last_job(sc).stages, 2);
    oracle_close(sc);
}

/* the default count after a sort is what was asked for, not what is there. */
static void test_default_partitioner__counts_the_partitions_a_sort_has(void **state)
{
    i32_i64 d[99];
    (void)state;
    for (int i = 0; i < 99; i++)
        d[i] = (i32_i64) { i % 3, i };
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, 99, d), 2);
    spark_rdd *sorted = spark_sort_by_key(rdd, NULL, 30);
    const int n = spark_rdd_partitions(sorted);
    assert_true(n <= 4);
    assert_int_equal(spark_rdd_partitions(spark_reduce_by_key(
                         spark_map(sorted, same_pair, NULL), spark_op_sum, NULL, 0)),
        n);
    assert_int_equal(spark_rdd_partitions(spark_union(sorted, rdd)), n + 2);
    assert_int_equal(
        spark_rdd_partitions(spark_reduce_by_key(spark_union(sorted, rdd), spark_op_sum, NULL, 0)),
        n + 2);
    oracle_close(sc);
}

static void test_range_partitioner__takes_keys_of_the_same_shape(void **state)
{
    point_i64 p[20];
    (void)state;
    for (int i = 0; i < 20; i++)
        p[i] = (point_i64) { { i, i }, i };
    spark_context *sc = oracle_open(2);
    spark_rdd *a = spark_parallelize(sc, SPARK_DATA(point_i64, 20, p), 3);
    spark_rdd *b = spark_as(a,
        spark_type_pair(sc, spark_type_pair(sc, SPARK_TYPE(int32_t), SPARK_TYPE(int64_t)),
            SPARK_TYPE(int64_t)));
    const spark_keyed_options by = { 0, spark_range_partitioner(a, NULL, 3) };
    assert_int_equal(oracle_count(spark_reduce_by_key_with(b, spark_op_sum, NULL, &by)), 20);
    oracle_close(sc);
}

static void test_range_partitioner__names_itself_where_the_order_does_not_fit(void **state)
{
    i32_i64 d[] = { { 1, 1 } };
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(i32_i64, 1, d), 2);
    assert_not_made(spark_range_partitioner(rdd, by_value, 2));
    assert_non_null(strstr(spark_last_error()->message, "rangePartitioner at "));
    oracle_close(sc);
}

static void test_dense_partitioner__takes_any_integers(void **state)
{
    i16_i64 d[] = { { 1, 1 } };
    one_u32_i64 u[] = { { { 3000000000u }, 1 } };
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(one_u32_i64, 1, u), 1);
    assert_int_equal(
        spark_rdd_status(spark_partition_by(rdd, spark_dense_partitioner(sc, 4000000000u, 2))),
        SPARK_ETYPE);
    assert_non_null(strstr(spark_last_error()->message, "integer keys wanted, one_u32 found"));
    rdd = spark_parallelize(sc, SPARK_DATA(i16_i64, 1, d), 1);
    assert_int_equal(oracle_count(spark_reduce_by_key_dense(
                         rdd, spark_op_sum, NULL, spark_dense_partitioner(sc, 10, 2))),
        1);
    oracle_close(sc);
}

/* keys of 3/4 * 2^40 into 4: the last partition gets none. */
SPARK_MAP(spread, int64_t, point_i64)
{
    *out = (point_i64) { { 0, 0 }, *in << 30 };
}
SPARK_KEY(wide_key, point_i64, int64_t, value);
static void test_dense_partitioner__cuts_ranges_of_equal_width_of_many_keys(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd
        = spark_key_by(spark_map(spark_range(sc, 0, 768, 1, 2), spread, NULL), wide_key, NULL);
    rdd = spark_partition_by(rdd, spark_dense_partitioner(sc, (uint64_t)768 << 30, 4));
    spark_array parts;
    oracle_ok(spark_collect(spark_glom(spark_keys(rdd)), NULL, &parts));
    for (size_t i = 0; i < parts.n; i++)
        print_message(
            "partition %d: %d keys\n", (int)i, (int)((const spark_bytes *)parts.items)[i].len);
    const size_t last = ((const spark_bytes *)parts.items)[3].len;
    spark_array_free(&parts);
    assert_in_range(last, 190, 194);
    oracle_close(sc);
}

/* inputs without partitions: Spark gives none, and so do cogroup, distinct, subtract_by_key. */
static void test_subtract__of_no_partitions_has_none(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *none = spark_empty_rdd(sc, SPARK_TYPE(i32_i64));
    assert_int_equal(spark_rdd_partitions(spark_subtract_by_key(none, none, 0)), 0);
    assert_int_equal(spark_rdd_partitions(spark_intersection(none, none, 0)), 0);
    assert_int_equal(spark_rdd_partitions(spark_subtract(none, none, 0)), 0);
    oracle_close(sc);
}

/* a dense partitioner places keys otherwise for another number of slices. The last line writes
 * outside of its array. */
SPARK_PAIR(i64_i64, int64_t, int64_t);
SPARK_MAP(to_hundredth, int64_t, i64_i64)
{
    *out = (i64_i64) { *in * 100, 1 };
}
static void test_dense_partitioner__places_alike_for_all_operations(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_map(spark_range(sc, 0, 100000, 1, 2), to_hundredth, NULL);
    const spark_partitioner *p = spark_dense_partitioner(sc, 10000000, 3);
    spark_rdd *placed = spark_partition_by(rdd, p);
    spark_rdd *sums = spark_reduce_by_key_dense(rdd, spark_op_sum, NULL, p);
    assert_int_equal(oracle_count(spark_join(placed, sums, 0)), 100000);
    assert_int_equal(oracle_count(spark_subtract_by_key(placed, sums, 0)), 0);
    assert_int_equal(
        oracle_count(spark_reduce_by_key_dense(placed, spark_op_sum, NULL, p)), 100000);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_distinct__of_rows_of_eight_bytes),
        oracle_test(test_subtract__takes_signed_zeros_and_nans_as_one_value_each),
        oracle_test(test_subtract__of_a_placed_side_of_another_description),
        oracle_test(test_group_map_by_key__of_placed_rows),
        oracle_test(test_default_partitioner__counts_the_partitions_a_sort_has),
        oracle_test(test_range_partitioner__takes_keys_of_the_same_shape),
        oracle_test(test_range_partitioner__names_itself_where_the_order_does_not_fit),
        oracle_test(test_dense_partitioner__takes_any_integers),
        oracle_test(test_dense_partitioner__cuts_ranges_of_equal_width_of_many_keys),
        oracle_test(test_subtract__of_no_partitions_has_none),
        oracle_test(test_dense_partitioner__places_alike_for_all_operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
