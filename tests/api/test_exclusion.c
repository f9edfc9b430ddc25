/* SPDX-License-Identifier: Apache-2.0 */
/* Exclusion on failure: an executor on which a task, a stage, or several stages fail is left alone, and
 * what can run nowhere fails its job at once. */
#include "support/spark_test.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "support/oracle.h"

enum { ROWS = 1000, PARTITIONS = 8 };

/* Which partitions were begun on each executor, as bits: a function that fails is called again for the
 * element, so that calls say nothing. */
static atomic_uint begun_on[16];

static int begun(int executor)
{
    return __builtin_popcount(atomic_exchange(&begun_on[executor], 0));
}

/* bad: what fails, on which executor: -1: on each; partition -1: each. */
typedef struct bad {
    int executor, partition, attempts;
} bad;
static bad now;

SPARK_FILTER(fails_there, int64_t)
{
    const int executor = atoi(spark_task_executor(task)), partition = spark_task_partition(task);
    if (*in == (int64_t)partition * ROWS / PARTITIONS)
        atomic_fetch_or(&begun_on[executor % 16], 1u << partition);
    if ((now.executor < 0 || now.executor == executor)
        && (now.partition < 0 || now.partition == partition)
        && spark_task_attempt(task) < now.attempts)
        spark_fail(task, "the machine is bad");
    return true;
}

static spark_context *open_with(const char *master, spark_exclusion how, const spark_fault *faults)
{
    how.on = true;
    for (int i = 0; i < 16; i++)
        atomic_store(&begun_on[i], 0);
    return oracle_open_conf(&(spark_conf) { .master = master,
        .task_max_failures = 100,
        .exclusion = how,
        .faults = faults,
        .n_faults = faults != NULL });
}

static const spark_fault slow = { SPARK_FAULT_DELAY, SPARK_ANYWHERE, .delay_ms = 5 };

static spark_rdd *failing(spark_context *sc)
{
    return spark_filter(spark_range(sc, 0, ROWS, 1, PARTITIONS), fails_there, NULL);
}

static void expect_abort(spark_rdd *rdd)
{
    int64_t n;
    assert_int_equal(spark_count(rdd, &n), SPARK_ETASK);
    const char *message = spark_last_error()->message;
    assert_non_null(strstr(message, "the machine is bad"));
    assert_non_null(strstr(message, "cannot run anywhere due to node and executor excludeOnFailure"));
}

static void test_tasks__go_elsewhere_after_a_failure(void **state)
{
    (void)state;
    for (int bad_one = 0; bad_one < 3; bad_one++) {
        now = (bad) { bad_one, -1, 100 };
        spark_context *sc
            = open_with("local-cluster[3,1,512]", (spark_exclusion) { .stage_tasks = 100 }, &slow);
        assert_int_equal(oracle_count(failing(sc)), ROWS);
        const spark_job_stats stats = oracle_last_job(sc);
        assert_int_equal(stats.failed_tasks, begun(bad_one)); /* no task failed there twice */
        assert_true(stats.failed_tasks <= PARTITIONS);
        oracle_close(sc);
    }
}

static void test_stages__leave_an_executor_after_two_failed_tasks(void **state)
{
    (void)state;
    now = (bad) { 1, -1, 100 };
    spark_context *sc = open_with("local-cluster[3,1,512]", (spark_exclusion) { .tasks = 100 }, &slow);
    int rounds = 0;
    for (int round = 1; round <= 100 && rounds < 3; round++) {
        assert_int_equal(oracle_count(failing(sc)), ROWS);
        const int failed = (int)oracle_last_job(sc).failed_tasks;
        assert_int_equal(begun(1), failed);
        assert_in_range(failed, 0, 2); /* fewer where others have run all tasks before it was there */
        rounds += failed == 2;
    }
    assert_int_equal(rounds, 3);
    oracle_close(sc);
}

static void test_contexts__leave_an_executor_for_a_while(void **state)
{
    (void)state;
    now = (bad) { 1, -1, 100 };
    spark_context *sc = open_with("local-cluster[3,1,512]", (spark_exclusion) { .tasks = 2 }, &slow);
    /* Failures are charged when a stage has ended well, as that of the map side does. */
    int failed = 0, later = 0;
    for (int round = 1; round <= 100 && later < 3; round++) {
        later += failed >= 2;
        spark_rdd *distinct = spark_distinct(failing(sc), 3);
        assert_int_equal(oracle_count(distinct), ROWS);
        if (later)
            assert_int_equal(oracle_last_job(sc).failed_tasks, 0);
        failed += (int)oracle_last_job(sc).failed_tasks;
    }
    assert_int_equal(later, 3);
    assert_in_range(failed, 2, 3); /* one and, before that is charged, two of the next round */
    oracle_close(sc);
}

static void test_jobs__end_when_a_task_can_run_nowhere(void **state)
{
    static const char *const masters[]
        = { "local", "local[4]", "local-cluster[1,2,512]", "local-cluster[2,1,512]", "local-cluster[3,2,512]" };
    static const int executors[] = { 1, 1, 1, 2, 3 };
    (void)state;
    for (size_t i = 0; i < LENGTH(masters); i++) {
        now = (bad) { -1, 5, 100 };
        spark_context *sc = open_with(masters[i], (spark_exclusion) { .on = true }, NULL);
        expect_abort(failing(sc));
        assert_int_equal(oracle_last_job(sc).failed_tasks, executors[i]);
        now = (bad) { -1, 5, 0 };
        assert_int_equal(oracle_count(failing(sc)), ROWS); /* the context goes on */
        oracle_close(sc);
    }
}

static void test_jobs__end_when_every_executor_is_left(void **state)
{
    (void)state;
    now = (bad) { -1, -1, 100 };
    spark_context *sc = open_with("local-cluster[2,1,512]", (spark_exclusion) { .task_attempts = 3 }, NULL);
    expect_abort(failing(sc));
    oracle_close(sc);
}

static void test_exclusion__is_off_unless_asked_for(void **state)
{
    (void)state;
    now = (bad) { -1, 2, 3 };
    spark_context *sc = oracle_open_conf(&(spark_conf) { .master = "local-cluster[2,1,512]" });
    assert_int_equal(oracle_count(failing(sc)), ROWS);
    assert_int_equal(oracle_last_job(sc).failed_tasks, 3);
    oracle_close(sc);
    int64_t n;
    sc = spark_context_new(&(spark_conf) { .exclusion = { .tasks = -1 } });
    assert_int_equal(spark_count(spark_range(sc, 0, 10, 1, 1), &n), SPARK_EINVAL);
    spark_context_free(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tasks__go_elsewhere_after_a_failure),
        cmocka_unit_test(test_stages__leave_an_executor_after_two_failed_tasks),
        cmocka_unit_test(test_contexts__leave_an_executor_for_a_while),
        cmocka_unit_test(test_jobs__end_when_a_task_can_run_nowhere),
        cmocka_unit_test(test_jobs__end_when_every_executor_is_left),
        cmocka_unit_test(test_exclusion__is_off_unless_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
