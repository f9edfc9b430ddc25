/* SPDX-License-Identifier: Apache-2.0 */
/* Cases of Spark's HealthTrackerSuite, TaskSetExcludelistSuite and TaskSetManagerSuite that are about executors that
 * are left alone after failures. Theirs have clocks of their own: here a time is over when it has passed, and nothing
 * is asserted that a slow machine could break. */
#include "clusters.h"

static spark_context *excluding(spark_exclusion how, int failures)
{
    how.on = true;
    return oracle_open_conf(&(spark_conf) { .master = "local-cluster[2,1,512]",
        .locality_wait_ms = WAIT_FOR_EVER,
        .task_max_failures = failures,
        .exclusion = how });
}

/* works_with_both: two tasks that wait for each other run on two executors of one thread. */
static void works_with_both(spark_context *sc)
{
    meeting m;
    assert_int_equal(oracle_count(one_each(sc, &m, 2)), 2);
}

/* The executor that holds the block fails the task: it is run elsewhere though it would rather not. */
static void task_set_manager_suite__exclusion_goes_before_places(void **state)
{
    (void)state;
    meeting m;
    spark_context *sc = excluding((spark_exclusion) { .stage_tasks = 100 }, 4);
    spark_rdd *cached = spark_cache(one_each(sc, &m, 2));
    assert_int_equal(oracle_count(cached), 2);
    assert_int_equal(oracle_count(failing(cached, 1)), 2);
    assert_int_equal(oracle_last_job(sc).failed_tasks, 1);
    oracle_close(sc);
}

/* Outputs that are lost are no failures of who misses them. */
static void task_set_manager_suite__fetch_failures_exclude_nobody(void **state)
{
    const spark_fault fault = { SPARK_FAULT_SHUFFLE, .job = 0, .stage = 1, .partition = SPARK_ANY };
    (void)state;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .master = "local-cluster[2,1,512]",
        .task_max_failures = 1,
        .stage_max_attempts = 100,
        .exclusion = { .on = true, .stage_tasks = 1, .tasks = 1 },
        .faults = &fault,
        .n_faults = 1 });
    spark_rdd *sums = spark_reduce_by_key(spark_map(spark_range(sc, 0, 100, 1, 4), to_pair, NULL), add_up, NULL, 4);
    assert_int_equal(oracle_count(sums), KEYS);
    assert_true(oracle_last_job(sc).lost_inputs > 0);
    assert_int_equal(oracle_last_job(sc).failed_tasks, 0);
    works_with_both(sc);
    oracle_close(sc);
}

/* Stages that end well charge what failed in them: after two of one failure each, executor 1 is left alone. */
static void health_tracker_suite__excluded_after_a_few_failures_per_stage(void **state)
{
    (void)state;
    spark_context *sc = excluding((spark_exclusion) { .tasks = 2 }, 4);
    for (int stage = 0; stage < 2; stage++) {
        meeting m;
        spark_rdd *both = failing(one_each(sc, &m, 2), 1);
        assert_int_equal(oracle_count(spark_distinct(both, 1)), 2);
        assert_int_equal(oracle_last_job(sc).failed_tasks, 1);
    }
    const int64_t before = info_of(sc, "1").tasks_run + info_of(sc, "1").tasks_failed;
    assert_int_equal(oracle_count(failing(spark_range(sc, 0, 100, 1, 10), 1)), 100);
    assert_int_equal(oracle_last_job(sc).failed_tasks, 0);
    assert_int_equal(info_of(sc, "1").tasks_run + info_of(sc, "1").tasks_failed, before);
    oracle_close(sc);
}

static void health_tracker_suite__failed_task_sets_exclude_nobody(void **state)
{
    (void)state;
    spark_context *sc = excluding((spark_exclusion) { .tasks = 1 }, 1);
    for (int round = 0; round < 3; round++) {
        meeting m;
        int64_t n;
        assert_int_equal(spark_count(failing(one_each(sc, &m, 2), 1), &n), SPARK_ETASK);
        works_with_both(sc);
    }
    oracle_close(sc);
}

static void health_tracker_suite__handles_lost_executors(void **state)
{
    (void)state;
    meeting m;
    spark_context *sc = excluding((spark_exclusion) { .tasks = 1 }, 4);
    assert_int_equal(oracle_count(spark_distinct(failing(one_each(sc, &m, 2), 1), 1)), 2);
    oracle_ok(spark_kill_executor(sc, "1", "it was no good"));
    works_with_both(sc); /* the one that came instead has done nothing wrong */
    oracle_close(sc);
}

/* Two tasks that wait for each other are done when the time of the one that was left alone is over. */
static void health_tracker_suite__executors_come_back_with_time(void **state)
{
    (void)state;
    meeting m;
    spark_context *sc = excluding((spark_exclusion) { .tasks = 1, .timeout_ms = 20 }, 4);
    assert_int_equal(oracle_count(spark_distinct(failing(one_each(sc, &m, 2), 1), 1)), 2);
    works_with_both(sc);
    oracle_close(sc);
}

static void health_tracker_suite__checks_the_configuration(void **state)
{
    static const spark_exclusion wrong[]
        = { { .task_attempts = -1 }, { .stage_tasks = -1 }, { .tasks = -1 }, { .timeout_ms = -1 } };
    (void)state;
    for (size_t i = 0; i < LENGTH(wrong); i++) {
        int64_t n;
        spark_context *sc = oracle_open_conf(&(spark_conf) { .exclusion = wrong[i] });
        assert_int_equal(spark_count(spark_range(sc, 0, 10, 1, 1), &n), SPARK_EINVAL);
        assert_non_null(strstr(spark_last_error()->message, "spark_conf.exclusion"));
        oracle_close(sc);
    }
}

/* A task that failed on every executor can run nowhere: the job ends at once, however many attempts are left. */
static void task_set_excludelist_suite__a_task_that_can_run_nowhere_ends_the_job(void **state)
{
    (void)state;
    int64_t n;
    spark_context *sc = excluding((spark_exclusion) { .stage_tasks = 100 }, 100);
    assert_int_equal(spark_count(failing(spark_range(sc, 0, 1, 1, 1), -1), &n), SPARK_ETASK);
    assert_non_null(strstr(spark_last_error()->message, "cannot run anywhere"));
    assert_int_equal(oracle_last_job(sc).failed_tasks, 2);
    oracle_close(sc);
}

/* ---- failures in the course of time */

enum { TIMEOUT_MS = 50 };

static void wait_out(void)
{
    nanosleep(&(struct timespec) { 0, (TIMEOUT_MS + 10) * 1000000L }, NULL);
}

/* fails_at_home: on the executor that the first attempt of its partition ran on; *env: later ones take long. */
static atomic_int homes[2];
SPARK_FILTER(fails_at_home, int64_t, bool)
{
    (void)in;
    const int here = atoi(spark_task_executor(task)) + 1, partition = spark_task_partition(task);
    int home = 0;
    if (atomic_compare_exchange_strong(&homes[partition], &home, here) || home == here)
        spark_fail(task, "the disk is full");
    else if (*env)
        wait_out();
    return true;
}
static spark_rdd *failing_at_home(spark_rdd *two, bool slowly)
{
    for (int i = 0; i < 2; i++)
        atomic_store(&homes[i], 0);
    return spark_filter(two, fails_at_home, SPARK_COPY(slowly));
}

/* both_fail_once: two executors, a task each, in a stage that ends well, for each does the other's. */
static void both_fail_once(spark_context *sc, bool slowly)
{
    meeting m;
    assert_int_equal(oracle_count(failing_at_home(one_each(sc, &m, 2), slowly)), 2);
    assert_int_equal(oracle_last_job(sc).failed_tasks, 2);
}

/* Were older failures counted, both executors would be left alone now, and the job could run nowhere. */
static void health_tracker_suite__task_failures_expire_with_time(void **state)
{
    (void)state;
    spark_context *sc = excluding((spark_exclusion) { .tasks = 2, .timeout_ms = TIMEOUT_MS }, 4);
    for (int round = 0; round < 3; round++) {
        both_fail_once(sc, false);
        assert_int_equal(oracle_count(spark_range(sc, 0, 10, 1, 2)), 10);
        wait_out();
    }
    oracle_close(sc);
}

/* What failed when a long stage began is old when it ends. */
static void health_tracker_suite__task_failures_expire_within_long_task_sets(void **state)
{
    (void)state;
    spark_context *sc = excluding((spark_exclusion) { .tasks = 2, .timeout_ms = TIMEOUT_MS }, 4);
    both_fail_once(sc, true);
    both_fail_once(sc, false);
    assert_int_equal(oracle_count(spark_range(sc, 0, 10, 1, 2)), 10);
    oracle_close(sc);
}

/* Failures within the time add up, over stages; those from before a time of being left alone do not. */
static void health_tracker_suite__executors_that_came_back_begin_anew(void **state)
{
    (void)state;
    int64_t n;
    spark_context *sc = excluding((spark_exclusion) { .tasks = 2, .timeout_ms = 30 * 1000 }, 4);
    both_fail_once(sc, false);
    both_fail_once(sc, false);
    oracle_fails(spark_count(spark_range(sc, 0, 10, 1, 2), &n), SPARK_ETASK, "cannot run anywhere");
    oracle_close(sc);
    sc = excluding((spark_exclusion) { .tasks = 1, .timeout_ms = TIMEOUT_MS }, 4);
    both_fail_once(sc, false);
    wait_out();
    works_with_both(sc);
    assert_int_equal(oracle_count(spark_range(sc, 0, 10, 1, 2)), 10);
    oracle_close(sc);
}

/* ---- what counts within a stage */

/* Each of two tasks fails twice on its own executor, where it would be read; were these two failed tasks for an
 * executor, neither would be left for the stage. An executor that waits takes what another has failed: then that is
 * done after fewer failures, and proves nothing. */
static void task_set_excludelist_suite__attempts_of_the_same_task_count_once(void **state)
{
    (void)state;
    meeting m;
    int64_t failed = 0;
    spark_context *sc = excluding((spark_exclusion) { .task_attempts = 2, .stage_tasks = 2, .tasks = 1000 }, 4);
    spark_rdd *cached = spark_cache(one_each(sc, &m, 2));
    assert_int_equal(oracle_count(cached), 2);
    for (int round = 0; round < 200 && failed < 4; round++) {
        assert_int_equal(oracle_count(failing_at_home(cached, false)), 2);
        failed = oracle_last_job(sc).failed_tasks;
        assert_in_range(failed, 2, 4);
    }
    assert_int_equal(failed, 4);
    assert_true(atomic_load(&homes[0]) != atomic_load(&homes[1]));
    oracle_close(sc);
}

/* Two failed tasks of a stage leave their executor to other stages when it fails, and to none when it ends well. */
static void health_tracker_suite__a_stage_counts_only_when_it_ends_well(void **state)
{
    (void)state;
    meeting m;
    int64_t n;
    spark_context *sc = excluding((spark_exclusion) { .stage_tasks = 100, .tasks = 2 }, 2);
    spark_rdd *everywhere = failing(spark_range(sc, 0, 6, 1, 6), -1);
    assert_int_equal(spark_count(everywhere, &n), SPARK_ETASK);
    works_with_both(sc);
    spark_rdd *blocks = spark_cache(one_each(sc, &m, 2));
    assert_int_equal(oracle_count(blocks), 2);
    for (int round = 0; round < 2; round++)
        assert_int_equal(oracle_count(failing(blocks, 1)), 2);
    const spark_executor_info before = info_of(sc, "1");
    assert_int_equal(oracle_count(spark_range(sc, 0, 100, 1, 10)), 100);
    assert_int_equal(info_of(sc, "1").tasks_run, before.tasks_run);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(task_set_manager_suite__exclusion_goes_before_places),
        oracle_test(task_set_manager_suite__fetch_failures_exclude_nobody),
        oracle_test(health_tracker_suite__excluded_after_a_few_failures_per_stage),
        oracle_test(health_tracker_suite__failed_task_sets_exclude_nobody),
        oracle_test(health_tracker_suite__handles_lost_executors),
        oracle_test(health_tracker_suite__executors_come_back_with_time),
        oracle_test(health_tracker_suite__checks_the_configuration),
        oracle_test(task_set_excludelist_suite__a_task_that_can_run_nowhere_ends_the_job),
        oracle_test(health_tracker_suite__task_failures_expire_with_time),
        oracle_test(health_tracker_suite__task_failures_expire_within_long_task_sets),
        oracle_test(health_tracker_suite__executors_that_came_back_begin_anew),
        oracle_test(task_set_excludelist_suite__attempts_of_the_same_task_count_once),
        oracle_test(health_tracker_suite__a_stage_counts_only_when_it_ends_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
