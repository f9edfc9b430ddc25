/* SPDX-License-Identifier: Apache-2.0 */
/* Cases of Spark's TaskSetManagerSuite and DAGSchedulerSuite that are about executors: which of them runs a task,
 * or is lost with it. (Which is left alone: exclusion_suites.c.) Seen from outside: Spark's
 * offer resources to a scheduler; here tasks wait for each other, and counters tell. */
#include "clusters.h"
#include "gate.h"

/* ---- where tasks run */

static void task_set_manager_suite__multiple_offers_with_no_preferences(void **state)
{
    (void)state;
    meeting m;
    spark_context *sc = cluster("local-cluster[2,1,512]", WAIT_FOR_EVER);
    assert_int_equal(oracle_count(spark_cache(one_each(sc, &m, 2))), 2);
    assert_int_equal(oracle_last_job(sc).local_tasks, 0);
    assert_int_equal(info_of(sc, "0").blocks, 1);
    assert_int_equal(info_of(sc, "1").blocks, 1);
    oracle_close(sc);
}

static void task_set_manager_suite__skip_unsatisfiable_locality_levels(void **state)
{
    (void)state;
    meeting m;
    spark_context *sc = cluster("local-cluster[2,1,512]", WAIT_FOR_EVER);
    spark_rdd *cached = spark_cache(one_each(sc, &m, 2));
    assert_int_equal(oracle_count(cached), 2);
    oracle_ok(spark_kill_executor(sc, "1", "host2 is gone"));
    assert_int_equal(oracle_count(cached), 2); /* with nobody to wait for */
    assert_int_equal(oracle_last_job(sc).local_tasks, 1);
    oracle_close(sc);
}

static void task_set_manager_suite__basic_delay_scheduling(void **state)
{
    (void)state;
    meeting m;
    spark_context *sc = cluster("local-cluster[4,1,512]", WAIT_FOR_EVER);
    spark_rdd *cached = spark_cache(one_each(sc, &m, 4));
    for (int round = 0; round < 3; round++) {
        assert_int_equal(oracle_count(cached), 4);
        assert_int_equal(oracle_last_job(sc).local_tasks, round ? 4 : 0);
        assert_int_equal(oracle_last_job(sc).remote_bytes, 0);
    }
    oracle_close(sc);
}

/* The executor that holds the block is busy with a task that ends when all others have begun elsewhere. */
static void task_set_manager_suite__delay_scheduling_with_fallback(void **state)
{
    (void)state;
    meeting m;
    const meeting_of at = &m;
    spark_context *sc = cluster("local-cluster[2,1,512]", 1);
    spark_rdd *cached = spark_cache(one_each(sc, &m, 2));
    assert_int_equal(oracle_count(cached), 2);
    spark_rdd *six[] = { cached, cached, cached };
    m.n = 6;
    atomic_store(&m.begun, 0);
    spark_rdd *waits = spark_map_partitions(spark_union_all(sc, 3, six), the_first_waits, SPARK_COPY(at));
    assert_int_equal(oracle_count(waits), 6);
    assert_true(oracle_last_job(sc).local_tasks < 6);
    assert_true(oracle_last_job(sc).remote_bytes > 0);
    oracle_close(sc);
}

static void task_set_manager_suite__delay_scheduling_with_failed_hosts(void **state)
{
    (void)state;
    meeting m;
    char id[16];
    spark_context *sc = cluster("local-cluster[3,1,512]", WAIT_FOR_EVER);
    spark_rdd *cached = spark_cache(one_each(sc, &m, 3));
    for (int i = 0; i < 6; i++) {
        assert_int_equal(oracle_count(cached), 3);
        snprintf(id, sizeof id, "%d", i);
        oracle_ok(spark_kill_executor(sc, id, NULL));
    }
    assert_int_equal(oracle_count(cached), 3);
    oracle_close(sc);
}

static void task_set_manager_suite__no_delay_for_tasks_without_preferences(void **state)
{
    (void)state;
    meeting m, free;
    spark_context *sc = cluster("local-cluster[2,1,512]", WAIT_FOR_EVER);
    spark_rdd *cached = spark_cache(one_each(sc, &m, 2));
    assert_int_equal(oracle_count(cached), 2);
    assert_int_equal(oracle_count(spark_union(one_each(sc, &free, 2), cached)), 4);
    assert_int_equal(oracle_last_job(sc).local_tasks, 2);
    oracle_close(sc);
}

static void task_set_manager_suite__new_executors_get_added_and_lost(void **state)
{
    (void)state;
    meeting m;
    spark_context *sc = cluster("local-cluster[2,1,512]", WAIT_FOR_EVER);
    spark_rdd *cached = spark_cache(one_each(sc, &m, 2));
    assert_int_equal(oracle_count(cached), 2);
    oracle_ok(spark_kill_executor(sc, "0", NULL));
    oracle_ok(spark_kill_executor(sc, "1", NULL));
    atomic_store(&m.begun, 0);
    assert_int_equal(oracle_count(cached), 2); /* by the two that came instead, at once */
    assert_int_equal(info_of(sc, "2").blocks, 1);
    assert_int_equal(info_of(sc, "3").blocks, 1);
    assert_int_equal(oracle_count(cached), 2);
    assert_int_equal(oracle_last_job(sc).local_tasks, 2);
    oracle_close(sc);
}

/* ---- failures */

static void task_set_manager_suite__repeated_failures_lead_to_task_set_abortion(void **state)
{
    (void)state;
    for (int most = 1; most <= 4; most++) {
        int64_t n;
        spark_context *sc = oracle_open_conf(
            &(spark_conf) { .master = "local-cluster[2,1,512]", .task_max_failures = most });
        assert_int_equal(spark_count(failing(spark_range(sc, 0, 1, 1, 1), -1), &n), SPARK_ETASK);
        assert_non_null(strstr(spark_last_error()->message, "the disk is full"));
        assert_int_equal(oracle_last_job(sc).failed_tasks, most);
        oracle_close(sc);
    }
}

static void task_set_manager_suite__executor_loss_makes_the_task_pending_again(void **state)
{
    (void)state;
    gate g;
    int64_t n;
    gate_init(&g);
    spark_context *sc = cluster("local-cluster[2,1,512]", WAIT_FOR_EVER);
    spark_future *job
        = spark_count_async(spark_filter(spark_range(sc, 0, 2, 1, 2), held, SPARK_COPY(g.state)));
    assert_true(gate_await(&g, 2));
    oracle_ok(spark_kill_executor(sc, "1", NULL));
    assert_true(gate_await(&g, 3)); /* elsewhere */
    gate_open(&g);
    oracle_ok(spark_future_count(job, &n));
    assert_int_equal(n, 2);
    assert_int_equal(oracle_last_job(sc).tasks, 2);
    assert_int_equal(oracle_last_job(sc).disowned_tasks, 1);
    assert_int_equal(oracle_last_job(sc).failed_tasks, 0);
    oracle_close(sc);
    gate_fini(&g);
}

static void task_set_manager_suite__abort_the_job_if_results_are_too_large(void **state)
{
    (void)state;
    spark_array all;
    spark_context *sc = oracle_open_conf(
        &(spark_conf) { .master = "local-cluster[2,1,512]", .max_result_bytes = 2 << 20 });
    assert_int_equal(spark_collect(spark_range(sc, 0, 100000, 1, 10), NULL, &all), SPARK_OK);
    spark_array_free(&all);
    assert_int_not_equal(spark_collect(spark_range(sc, 0, 1000000, 1, 10), NULL, &all), SPARK_OK);
    assert_non_null(strstr(spark_last_error()->message, "max_result_bytes"));
    assert_int_equal(oracle_count(spark_range(sc, 0, 1000000, 1, 10)), 1000000);
    oracle_close(sc);
}

/* ---- copies */

static spark_context *speculating(const spark_fault *faults, size_t n, int failures)
{
    return oracle_open_conf(&(spark_conf) { .master = "local-cluster[2,2,512]",
        .task_max_failures = failures,
        .speculation = { .on = true, .quantile = 0.5, .interval_ms = 1, .min_runtime_ms = 1 },
        .faults = faults,
        .n_faults = n });
}

static void task_set_manager_suite__other_attempts_end_when_one_succeeds(void **state)
{
    const spark_fault fault = { SPARK_FAULT_HANG, .partition = 3 };
    (void)state;
    spark_context *sc = speculating(&fault, 1, 4);
    accumulator n = spark_counter(sc, "n");
    assert_int_equal(oracle_count(spark_filter(spark_range(sc, 0, 100, 1, 5), counts, SPARK_COPY(n))), 100);
    assert_int_equal(spark_accumulator_value(n), 100);
    const spark_job_stats stats = oracle_last_job(sc);
    assert_int_equal(stats.tasks, 5);
    assert_true(stats.speculative_tasks >= 1);
    assert_true(stats.disowned_tasks >= 1);
    oracle_close(sc);
}

static void task_set_manager_suite__killed_copies_do_not_count_towards_aborting(void **state)
{
    const spark_fault fault = { SPARK_FAULT_HANG, .partition = 3 };
    (void)state;
    spark_context *sc = speculating(&fault, 1, 1); /* a single failure would be the end */
    for (int round = 0; round < 4; round++)
        assert_int_equal(oracle_count(spark_range(sc, 0, 100, 1, 5)), 100);
    oracle_close(sc);
}

/* held_attempts: those of partition 3. */
SPARK_FILTER(held_attempts, int64_t, gate_ref)
{
    (void)in;
    if (spark_task_partition(task) == 3)
        gate_wait(*env, task);
    return true;
}

static void task_set_manager_suite__a_copy_is_submitted_once(void **state)
{
    (void)state;
    gate g;
    int64_t n;
    gate_init(&g);
    spark_context *sc = speculating(NULL, 0, 4);
    spark_future *job
        = spark_count_async(spark_filter(spark_range(sc, 0, 5, 1, 5), held_attempts, SPARK_COPY(g.state)));
    assert_true(gate_await(&g, 2));
    nanosleep(&(struct timespec) { 0, 30000000 }, NULL); /* in which one could be made many times */
    assert_int_equal(gate_arrived(&g), 2);
    gate_open(&g);
    oracle_ok(spark_future_count(job, &n));
    assert_int_equal(n, 5);
    assert_int_equal(oracle_last_job(sc).tasks, 5);
    oracle_close(sc);
    gate_fini(&g);
}

/* Both attempts of a task go with their executors: it is run once more. */
static void task_set_manager_suite__loss_of_all_attempts_resubmits_the_task(void **state)
{
    (void)state;
    gate g;
    int64_t n;
    gate_init(&g);
    spark_context *sc = speculating(NULL, 0, 4);
    spark_future *job
        = spark_count_async(spark_filter(spark_range(sc, 0, 5, 1, 5), held_attempts, SPARK_COPY(g.state)));
    assert_true(gate_await(&g, 2));
    oracle_ok(spark_kill_executor(sc, "0", NULL));
    oracle_ok(spark_kill_executor(sc, "1", NULL));
    assert_true(gate_await(&g, 3));
    gate_open(&g);
    oracle_ok(spark_future_count(job, &n));
    assert_int_equal(n, 5);
    assert_int_equal(oracle_last_job(sc).failed_tasks, 0);
    oracle_close(sc);
    gate_fini(&g);
}

static void task_set_manager_suite__a_single_task_is_copied_after_a_threshold(void **state)
{
    const spark_fault fault = { SPARK_FAULT_HANG, .partition = 0 };
    (void)state;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .master = "local-cluster[2,2,512]",
        .speculation = { .on = true, .interval_ms = 1, .task_threshold_ms = 5 },
        .faults = &fault,
        .n_faults = 1 });
    assert_int_equal(oracle_count(spark_range(sc, 0, 10, 1, 1)), 10);
    assert_true(oracle_last_job(sc).speculative_tasks >= 1);
    oracle_close(sc);
}

/* ---- stages and lost executors */

/* What an executor has not published before it was lost is never published. */
static void dag_scheduler_suite__late_map_completions_are_ignored(void **state)
{
    (void)state;
    gate g;
    int64_t n;
    gate_init(&g);
    spark_context *sc = cluster("local-cluster[2,1,512]", WAIT_FOR_EVER);
    spark_rdd *waits = spark_filter(spark_range(sc, 0, 2, 1, 2), held, SPARK_COPY(g.state));
    spark_rdd *sums = spark_reduce_by_key(spark_map(waits, to_pair, NULL), add_up, NULL, 2);
    spark_future *job = spark_count_async(sums);
    assert_true(gate_await(&g, 2));
    oracle_ok(spark_kill_executor(sc, "0", "exec-hostA is lost"));
    assert_true(gate_await(&g, 3));
    gate_open(&g);
    oracle_ok(spark_future_count(job, &n));
    assert_int_equal(n, 2);
    assert_int_equal(info_of(sc, "0").outputs, 0);
    assert_int_equal(oracle_last_job(sc).tasks, 4);
    assert_int_equal(oracle_last_job(sc).lost_inputs, 0);
    oracle_close(sc);
    gate_fini(&g);
}

/* Outputs of all shuffles that lie on an executor go with it. */
static void dag_scheduler_suite__all_outputs_of_a_lost_executor_go(void **state)
{
    (void)state;
    meeting m;
    spark_context *sc = cluster("local-cluster[2,1,512]", WAIT_FOR_EVER);
    spark_rdd *once = spark_reduce_by_key(spark_map(one_each(sc, &m, 2), to_pair, NULL), add_up, NULL, 2);
    spark_rdd *twice = spark_partition_by(once, spark_hash_partitioner(sc, 3));
    assert_int_equal(oracle_count(twice), 2);
    const int64_t outputs = info_of(sc, "0").outputs;
    assert_true(outputs >= 1);
    oracle_ok(spark_kill_executor(sc, "0", NULL));
    assert_int_equal(info_of(sc, "0").outputs, 0);
    assert_int_equal(oracle_count(twice), 2);
    assert_true(oracle_last_job(sc).recomputed_partitions <= outputs);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(task_set_manager_suite__multiple_offers_with_no_preferences),
        oracle_test(task_set_manager_suite__skip_unsatisfiable_locality_levels),
        oracle_test(task_set_manager_suite__basic_delay_scheduling),
        oracle_test(task_set_manager_suite__delay_scheduling_with_fallback),
        oracle_test(task_set_manager_suite__delay_scheduling_with_failed_hosts),
        oracle_test(task_set_manager_suite__no_delay_for_tasks_without_preferences),
        oracle_test(task_set_manager_suite__new_executors_get_added_and_lost),
        oracle_test(task_set_manager_suite__repeated_failures_lead_to_task_set_abortion),
        oracle_test(task_set_manager_suite__executor_loss_makes_the_task_pending_again),
        oracle_test(task_set_manager_suite__abort_the_job_if_results_are_too_large),
        oracle_test(task_set_manager_suite__other_attempts_end_when_one_succeeds),
        oracle_test(task_set_manager_suite__killed_copies_do_not_count_towards_aborting),
        oracle_test(task_set_manager_suite__a_copy_is_submitted_once),
        oracle_test(task_set_manager_suite__loss_of_all_attempts_resubmits_the_task),
        oracle_test(task_set_manager_suite__a_single_task_is_copied_after_a_threshold),
        oracle_test(dag_scheduler_suite__late_map_completions_are_ignored),
        oracle_test(dag_scheduler_suite__all_outputs_of_a_lost_executor_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
