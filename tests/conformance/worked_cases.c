/* SPDX-License-Identifier: Apache-2.0 */
/* What follows from Spark's algorithms where its suites have no case. */
#include "suite.h"

#include "io/scratch.h"

SPARK_PAIR(i64_i64, int64_t, int64_t);

static void worked_cases__fold_uses_its_zero_once_a_partition_and_once_more(void **state)
{
    const int64_t ten = 10;
    spark_array a;
    oracle_ok(spark_fold(
        spark_range(*state, 1, 5, 1, 2), SPARK_VALUE(int64_t, &ten), spark_op_sum, NULL, &a));
    assert_int_equal(suite_only(&a), 40);
}
static void worked_cases__reduce_by_key_locally_of_nothing(void **state)
{
    spark_array a;
    oracle_fails(spark_reduce_by_key_locally(spark_empty_rdd(*state, SPARK_TYPE(i64_i64)),
                     spark_op_sum, NULL, SPARK_TYPE(i64_i64), &a),
        SPARK_EEMPTY, "empty");
    oracle_ok(
        spark_reduce_by_key_locally(spark_parallelize(*state, SPARK_DATA(i64_i64, 0, NULL), 2),
            spark_op_sum, NULL, SPARK_TYPE(i64_i64), &a));
    assert_int_equal(a.n, 0);
    spark_array_free(&a);
}
/* A number of elements cannot be negative here; 0 is the least. */
static void worked_cases__take_of_none_runs_no_job(void **state)
{
    spark_array a;
    oracle_ok(spark_take(spark_range(*state, 1, 5, 1, 2), 0, SPARK_TYPE(int64_t), &a));
    assert_int_equal(a.n, 0);
    spark_array_free(&a);
    assert_int_equal(suite_jobs(*state), 0);
}
static void worked_cases__histogram_of_0_buckets_needs_equal_numbers(void **state)
{
    double edges[2] = { 0, 0 };
    int64_t counts[1] = { 0 };
    size_t found = 0;
    oracle_fails(spark_histogram(spark_range(*state, 1, 3, 1, 2), 0, edges, counts, &found),
        SPARK_EINVAL, "histogram");
    static const int64_t ones[] = { 1, 1 };
    oracle_ok(spark_histogram(
        spark_parallelize(*state, SPARK_DATA(int64_t, 2, ones), 2), 0, edges, counts, &found));
    assert_int_equal(found, 1);
    assert_true(edges[0] == 1 && edges[1] == 1);
    assert_int_equal(counts[0], 2);
}
static void worked_cases__text_of_11_bytes_and_2_partitions_has_3_splits(void **state)
{
    assert_int_equal(scratch_enter(NULL), 0);
    scratch_write("text", "ab\ncd\nef\ngh", 11);
    spark_rdd *rdd = spark_text_file(*state, "text", 2);
    const int partitions = spark_rdd_partitions(rdd);
    char *layout = oracle_layout(rdd);
    assert_int_equal(scratch_leave(NULL), 0);
    assert_int_equal(partitions, 3);
    assert_non_null(layout);
    /* Splits of 5, 5 and 1 bytes; a line belongs to the split in which, or at whose end, it begins. */
    assert_string_equal(layout, "ab cd | ef gh |");
    free(layout);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        suite_case(worked_cases__fold_uses_its_zero_once_a_partition_and_once_more),
        suite_case(worked_cases__reduce_by_key_locally_of_nothing),
        suite_case(worked_cases__take_of_none_runs_no_job),
        suite_case(worked_cases__histogram_of_0_buckets_needs_equal_numbers),
        suite_case(worked_cases__text_of_11_bytes_and_2_partitions_has_3_splits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
