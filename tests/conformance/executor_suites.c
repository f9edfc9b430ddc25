/* SPDX-License-Identifier: Apache-2.0 */
/* Spark's DistributedSuite, and what its DAGSchedulerSuite, TaskSetManagerSuite and HealthTrackerSuite say
 * about executors, copies of tasks, places and exclusion, seen from outside. */
#include "support/spark_test.h"

#include <stdlib.h>
#include <string.h>

#include "support/oracle.h"

enum { KEYS = 10 };

#include "support/sums.h"

typedef spark_context *context;

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

/* crashes_thrice: every task ends its executor, attempt after attempt, but for the fourth. */
SPARK_FILTER(crashes_thrice, int64_t, context)
{
    if (*in % 100 == 50 && spark_task_attempt(task) < 3)
        spark_kill_executor(*env, spark_task_executor(task), "Command exited with code 42");
    return true;
}
SPARK_FILTER(crashes_thrice_in_reduce, i64_pair, context)
{
    if (in->key % 4 == 3 && spark_task_attempt(task) < 3)
        spark_kill_executor(*env, spark_task_executor(task), "Command exited with code 42");
    return true;
}

static spark_context *often_lost(void)
{
    return oracle_open_conf(&(spark_conf) { .master = "local-cluster[2,1,1024]", .stage_max_attempts = 1000 });
}

static void distributed_suite__recover_from_repeated_node_failures_during_shuffle_map(void **state)
{
    (void)state;
    spark_context *sc = often_lost();
    spark_rdd *pairs = spark_map(spark_filter(hundreds(sc), crashes_thrice, SPARK_COPY(sc)), to_pair, NULL);
    assert_int_equal(total(spark_reduce_by_key(pairs, add_up, NULL, 4)), 999 * 500);
    assert_true(oracle_last_job(sc).disowned_tasks >= 3);
    assert_int_equal(oracle_last_job(sc).failed_tasks, 0);
    oracle_close(sc);
}

static void distributed_suite__recover_from_repeated_node_failures_during_shuffle_reduce(void **state)
{
    (void)state;
    spark_context *sc = often_lost();
    spark_rdd *sums = spark_reduce_by_key(spark_map(hundreds(sc), to_pair, NULL), add_up, NULL, 4);
    assert_int_equal(total(spark_filter(sums, crashes_thrice_in_reduce, SPARK_COPY(sc))), 999 * 500);
    assert_true(oracle_last_job(sc).disowned_tasks >= 1); /* attempts that miss lost outputs count as well */
    oracle_close(sc);
}

static void distributed_suite__simple_group_by_key(void **state)
{
    (void)state;
    spark_context *sc = cluster();
    spark_rdd *grouped = spark_group_by_key(spark_map(spark_range(sc, 0, 20, 1, 5), to_pair, NULL), 5);
    oracle_holds(grouped, "(0,[0,10]) (1,[1,11]) (2,[2,12]) (3,[3,13]) (4,[4,14]) (5,[5,15]) (6,[6,16]) "
                          "(7,[7,17]) (8,[8,18]) (9,[9,19])");
    oracle_close(sc);
}

/* Blocks of every level are there when they are asked for again, wherever they are, and after a loss. */
static void distributed_suite__caching_at_every_level(void **state)
{
    (void)state;
    for (int level = SPARK_MEMORY_ONLY; level <= SPARK_DISK_ONLY; level++) {
        spark_context *sc = cluster();
        spark_rdd *cached = spark_persist(hundreds(sc), (spark_level)level);
        for (int round = 0; round < 3; round++)
            assert_int_equal(oracle_count(cached), 1000);
        assert_int_equal(spark_rdd_cached_partitions(cached), 10);
        assert_int_equal(oracle_last_job(sc).cached_reads, 10);
        oracle_ok(spark_kill_executor(sc, "0", NULL));
        assert_int_equal(oracle_count(cached), 1000);
        assert_int_equal(spark_rdd_cached_partitions(cached), 10);
        oracle_close(sc);
    }
}

static void distributed_suite__unpersist_rdds(void **state)
{
    (void)state;
    spark_context *sc = cluster();
    spark_rdd *cached = spark_persist(hundreds(sc), SPARK_MEMORY_AND_DISK);
    assert_int_equal(oracle_count(cached), 1000);
    assert_int_equal(spark_rdd_cached_partitions(cached), 10);
    (void)spark_unpersist(cached);
    spark_executor_info infos[2];
    assert_int_equal(spark_executors(sc, infos, 2), 2);
    assert_int_equal(infos[0].blocks + infos[1].blocks, 0);
    assert_int_equal(spark_persistent_rdds(sc, NULL, 0), 0);
    assert_int_equal(oracle_count(cached), 1000);
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
        cmocka_unit_test(distributed_suite__recover_from_repeated_node_failures_during_shuffle_map),
        cmocka_unit_test(distributed_suite__recover_from_repeated_node_failures_during_shuffle_reduce),
        cmocka_unit_test(distributed_suite__simple_group_by_key),
        cmocka_unit_test(distributed_suite__caching_at_every_level),
        cmocka_unit_test(distributed_suite__unpersist_rdds),
        cmocka_unit_test(task_set_manager_suite__executor_loss_is_no_task_failure),
        cmocka_unit_test(dag_scheduler_suite__outputs_of_a_lost_executor_are_made_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
