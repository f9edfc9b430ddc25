/* SPDX-License-Identifier: Apache-2.0 */
/* The cases of Spark's ZippedPartitionsSuite and PipedRDDSuite. */
#include "suite.h"

#include "io/scratch.h"

#include <spark/pipe.h>

static spark_rdd *four(spark_context *sc)
{
    return spark_range(sc, 1, 5, 1, 2);
}

/* ---- ZippedPartitionsSuite */

SPARK_ZIP_PARTITIONS_3(count_each, int64_t, spark_str, double, int64_t)
{
    int64_t n[3] = { 0, 0, 0 };
    while (spark_next(a) != NULL)
        n[0]++;
    while (spark_next(b) != NULL)
        n[1]++;
    while (spark_next(c) != NULL)
        n[2]++;
    for (int i = 0; i < 3; i++)
        spark_emit(out, n[i]);
}
static void zipped_partitions_suite__sizes_of_three_rdds_in_turn(void **state)
{
    static const spark_str words[] = { SPARK_STR("1"), SPARK_STR("2"), SPARK_STR("3"),
        SPARK_STR("4"), SPARK_STR("5"), SPARK_STR("6") };
    static const double reals[] = { 1, 2 };
    spark_rdd *rdds[]
        = { four(*state), spark_parallelize(*state, SPARK_DATA(spark_str, 6, words), 2),
              spark_parallelize(*state, SPARK_DATA(double, 2, reals), 2) };
    oracle_collects(spark_zip_partitions_n(3, rdds, count_each, NULL, NULL), "2 3 1 2 3 1");
}

/* ---- PipedRDDSuite */

SPARK_MAP(fail_with, int64_t, int64_t)
{
    *out = *in;
    spark_fail(task, "injected failure");
}
SPARK_MAP(with_line_below, int64_t, spark_str)
{
    *out = spark_str_format(task, "%lld_", (long long)*in);
}

static void piped_rdd_suite__cat_gives_the_text_of_1_to_4(void **state)
{
    spark_rdd *rdd = spark_pipe(four(*state), "cat");
    assert_ptr_equal(spark_rdd_type(rdd), SPARK_TYPE(spark_str));
    oracle_collects(rdd, "1 2 3 4");
}
static void piped_rdd_suite__failure_of_what_is_piped_comes_back(void **state)
{
    spark_array a;
    oracle_fails(
        spark_collect(spark_pipe(spark_map(four(*state), fail_with, NULL), "cat"), NULL, &a),
        SPARK_ETASK, "injected failure");
}
/* Context lines are an option; what is printed for an element is what a map makes of it. */
static void piped_rdd_suite__context_lines_come_before_each_partition(void **state)
{
    static const char *const context[] = { "0", "\001", NULL };
    spark_rdd *rdd = spark_pipe_with(spark_map(four(*state), with_line_below, NULL), "cat",
        &(spark_pipe_options) { .context = context });
    oracle_has_layout(rdd, "0 \001 1_ 2_ | 0 \001 3_ 4_");
}
static void piped_rdd_suite__program_runs_for_empty_partitions(void **state)
{
    static const spark_str x[] = { SPARK_STR("foo"), SPARK_STR("bing") };
    spark_rdd *rdd = spark_pipe(spark_parallelize(*state, SPARK_DATA(spark_str, 2, x), 8), "wc -c");
    oracle_holds(rdd, "0 0 0 0 0 0 4 5");
}
static void piped_rdd_suite__environment_reaches_each_program(void **state)
{
    static const char *const env[] = { "MY_TEST_ENV=LALALA", NULL };
    spark_rdd *rdd = spark_pipe_with(
        four(*state), "printenv MY_TEST_ENV", &(spark_pipe_options) { .env = env });
    oracle_has_layout(rdd, "LALALA | LALALA");
}
static void piped_rdd_suite__separate_directory_is_below_tasks(void **state)
{
    const spark_pipe_options apart = { .separate_dir = true };
    spark_array a;
    scratch_write("a_file", "x", 1);
    oracle_ok(spark_collect(spark_pipe_with(four(*state), "pwd", &apart), NULL, &a));
    assert_int_equal(a.n, 2);
    for (size_t i = 0; i < a.n; i++)
        assert_true(spark_str_find(SPARK_ITEMS(spark_str, &a)[i], SPARK_LIT("/tasks/")) > 0);
    spark_array_free(&a);
    oracle_holds(spark_pipe_with(four(*state), "ls", &apart), "a_file a_file");
    oracle_collects(spark_pipe_with(four(*state), "cat", &apart), "1 2 3 4");
}

static int enter(void **state)
{
    return scratch_enter(state) || suite_open(state);
}
static int leave(void **state)
{
    const int status = suite_close(state);
    return scratch_leave(state) || status;
}
#undef suite_case
#define suite_case(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        suite_case(zipped_partitions_suite__sizes_of_three_rdds_in_turn),
        suite_case(piped_rdd_suite__cat_gives_the_text_of_1_to_4),
        suite_case(piped_rdd_suite__failure_of_what_is_piped_comes_back),
        suite_case(piped_rdd_suite__context_lines_come_before_each_partition),
        suite_case(piped_rdd_suite__program_runs_for_empty_partitions),
        suite_case(piped_rdd_suite__environment_reaches_each_program),
        suite_case(piped_rdd_suite__separate_directory_is_below_tasks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
