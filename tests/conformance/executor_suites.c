/* SPDX-License-Identifier: Apache-2.0 */
/* Spark's DistributedSuite, and what its DAGSchedulerSuite, TaskSetManagerSuite and HealthTrackerSuite say
 * about executors, copies of tasks, places and exclusion, seen from outside. */
#include "support/spark_test.h"

#include <stdlib.h>
#include <string.h>

#include "support/oracle.h"

SPARK_PAIR(i64_pair, int64_t, int64_t);
typedef const spark_accumulator *accumulator;
typedef spark_context *context;

SPARK_MAP(to_pair, int64_t, i64_pair)
{
    *out = (i64_pair) { *in % 10, *in };
}
SPARK_MERGE(add_up, int64_t, int64_t)
{
    *acc += *in;
}
SPARK_FILTER(counts, int64_t, accumulator)
{
    (void)in;
    spark_accumulate(task, *env, 1);
    return true;
}
SPARK_FILTER(always_fails, int64_t)
{
    (void)in;
    spark_fail(task, "System.exit");
    return true;
}
/* crashes: System.exit(42) in Spark: a task of stage 0 ends its executor, on its first attempt. */
SPARK_FILTER(crashes, int64_t, context)
{
    if (*in == 150 && spark_task_attempt(task) == 0)
        spark_kill_executor(*env, spark_task_executor(task), "Command exited with code 42");
    return true;
}
SPARK_FILTER(always_crashes, int64_t, context)
{
    if (*in == 150)
        spark_kill_executor(*env, spark_task_executor(task), "Command exited with code 42");
    return true;
}
SPARK_FILTER(crashes_in_reduce, i64_pair, context)
{
    if (in->key == 3 && spark_task_attempt(task) == 0)
        spark_kill_executor(*env, spark_task_executor(task), "Command exited with code 42");
    return true;
}

static spark_context *cluster(void)
{
    return oracle_open_conf(&(spark_conf) { .master = "local-cluster[2,1,1024]" });
}

static spark_rdd *hundreds(spark_context *sc)
{
    return spark_range(sc, 0, 1000, 1, 10);
}

static int64_t total(spark_rdd *sums)
{
    spark_array array;
    int64_t sum = 0;
    oracle_ok(spark_collect(sums, NULL, &array));
    for (size_t i = 0; i < array.n; i++)
        sum += ((const i64_pair *)array.items)[i].value;
    spark_array_free(&array);
    return sum;
}

static void distributed_suite__local_cluster_format(void **state)
{
    static const char *const masters[] = { "local-cluster[2,1,1024]", "local-cluster[2 , 1 , 1024]",
        "local-cluster[2, 1, 1024]", "local-cluster[ 2, 1, 1024 ]" };
    (void)state;
    for (size_t i = 0; i < LENGTH(masters); i++) {
        spark_context *sc = oracle_open_conf(&(spark_conf) { .master = masters[i] });
        assert_int_equal(spark_executors(sc, NULL, 0), 2);
        assert_int_equal(oracle_count(hundreds(sc)), 1000);
        oracle_close(sc);
    }
}

static void distributed_suite__accumulators(void **state)
{
    (void)state;
    spark_context *sc = cluster();
    accumulator n = spark_counter(sc, "n");
    assert_int_equal(oracle_count(spark_filter(hundreds(sc), counts, SPARK_COPY(n))), 1000);
    assert_int_equal(spark_accumulator_value(n), 1000);
    oracle_close(sc);
}

static void distributed_suite__repeatedly_failing_task(void **state)
{
    (void)state;
    int64_t n;
    spark_context *sc = cluster();
    assert_int_equal(spark_count(spark_filter(hundreds(sc), always_fails, NULL), &n), SPARK_ETASK);
    assert_non_null(strstr(spark_last_error()->message, "failed 4 times"));
    oracle_close(sc);
}

static void distributed_suite__repeatedly_failing_task_that_crashes_jvm_does_not_hang(void **state)
{
    (void)state;
    int64_t n;
    spark_context *sc = cluster();
    assert_int_equal(
        spark_count(spark_filter(hundreds(sc), always_crashes, SPARK_COPY(sc)), &n), SPARK_ETASK);
    assert_non_null(strstr(spark_last_error()->message, "Command exited with code 42"));
    assert_int_equal(oracle_count(hundreds(sc)), 1000);
    oracle_close(sc);
}

static void distributed_suite__recover_from_node_failures(void **state)
{
    (void)state;
    spark_context *sc = cluster();
    spark_rdd *cached = spark_cache(spark_filter(hundreds(sc), crashes, SPARK_COPY(sc)));
    for (int i = 0; i < 3; i++)
        assert_int_equal(oracle_count(cached), 1000);
    oracle_close(sc);
}

static void distributed_suite__recover_from_node_failures_during_shuffle_map(void **state)
{
    (void)state;
    spark_context *sc = cluster();
    spark_rdd *pairs = spark_map(spark_filter(hundreds(sc), crashes, SPARK_COPY(sc)), to_pair, NULL);
    assert_int_equal(total(spark_reduce_by_key(pairs, add_up, NULL, 4)), 999 * 500);
    oracle_close(sc);
}

static void distributed_suite__recover_from_node_failures_during_shuffle_reduce(void **state)
{
    (void)state;
    spark_context *sc = cluster();
    spark_rdd *sums = spark_reduce_by_key(spark_map(hundreds(sc), to_pair, NULL), add_up, NULL, 4);
    assert_int_equal(total(spark_filter(sums, crashes_in_reduce, SPARK_COPY(sc))), 999 * 500);
    oracle_close(sc);
}

/* An executor that exits for a reason that has nothing to do with its tasks does not count. */
static void task_set_manager_suite__executor_loss_is_no_task_failure(void **state)
{
    const spark_fault fault
        = { SPARK_FAULT_EXECUTOR, .partition = 1, .attempt = SPARK_ANY, .when = SPARK_FAULT_AFTER };
    (void)state;
    int64_t n;
    spark_context *sc = oracle_open_conf(&(spark_conf) {
        .master = "local-cluster[2,1,512]", .task_max_failures = 1, .faults = &fault, .n_faults = 1 });
    assert_int_equal(spark_count(hundreds(sc), &n), SPARK_ETASK);
    assert_int_equal(oracle_last_job(sc).failed_tasks, 0);
    assert_true(oracle_last_job(sc).disowned_tasks >= 100);
    oracle_close(sc);
}

/* Outputs of an executor that was lost between jobs: only its tasks run again. */
static void dag_scheduler_suite__outputs_of_a_lost_executor_are_made_again(void **state)
{
    (void)state;
    spark_context *sc = cluster();
    spark_executor_info infos[2];
    spark_rdd *sums = spark_reduce_by_key(spark_map(hundreds(sc), to_pair, NULL), add_up, NULL, 4);
    assert_int_equal(total(sums), 999 * 500);
    assert_int_equal(spark_executors(sc, infos, 2), 2);
    oracle_ok(spark_kill_executor(sc, infos[0].id, "exec-hostA lost"));
    assert_int_equal(total(sums), 999 * 500);
    assert_int_equal(oracle_last_job(sc).recomputed_partitions, infos[0].outputs);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distributed_suite__local_cluster_format),
        cmocka_unit_test(distributed_suite__accumulators),
        cmocka_unit_test(distributed_suite__repeatedly_failing_task),
        cmocka_unit_test(distributed_suite__repeatedly_failing_task_that_crashes_jvm_does_not_hang),
        cmocka_unit_test(distributed_suite__recover_from_node_failures),
        cmocka_unit_test(distributed_suite__recover_from_node_failures_during_shuffle_map),
        cmocka_unit_test(distributed_suite__recover_from_node_failures_during_shuffle_reduce),
        cmocka_unit_test(task_set_manager_suite__executor_loss_is_no_task_failure),
        cmocka_unit_test(dag_scheduler_suite__outputs_of_a_lost_executor_are_made_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
