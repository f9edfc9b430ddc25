/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of slow tasks: who gets one, that the first one that is done counts, and that the other leaves no
 * trace: hanging attempts show it, for they end only when a copy has won. */
#include "support/spark_test.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "support/file_test.h"
#include "support/oracle.h"

enum { ROWS = 2000, PARTITIONS = 10, KEYS = 7 };

#include "support/sums.h"

static const char *const masters[] = { "local[2]", "local[4]", "local-cluster[2,1,512]",
    "local-cluster[3,2,512]" };

static spark_context *open_hanging(const char *master, const spark_fault *faults, size_t n)
{
    return oracle_open_conf(&(spark_conf) { .master = master,
        .speculation = { .on = true, .quantile = 0.5, .interval_ms = 5, .min_runtime_ms = 5 },
        .faults = faults,
        .n_faults = n });
}

static void test_copies__save_a_stage_from_what_hangs(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(masters); i++)
        for (int stage = 0; stage < 2; stage++) {
            const spark_fault fault = { SPARK_FAULT_HANG, .stage = stage, .partition = 3 };
            spark_context *sc = open_hanging(masters[i], &fault, 1);
            accumulator n = spark_counter(sc, "n");
            spark_rdd *range = spark_range(sc, 0, ROWS, 1, PARTITIONS);
            spark_rdd *pairs = spark_map(spark_filter(range, counts, SPARK_COPY(n)), to_pair, NULL);
            spark_array array;
            oracle_ok(spark_collect(
                spark_reduce_by_key(pairs, add_up, NULL, PARTITIONS), NULL, &array));
            int64_t sum = 0;
            for (size_t k = 0; k < array.n; k++)
                sum += ((const i64_pair *)array.items)[k].value;
            spark_array_free(&array);
            assert_int_equal(sum, (int64_t)ROWS * (ROWS - 1) / 2);
            assert_int_equal(spark_accumulator_value(n), ROWS);
            const spark_job_stats stats = oracle_last_job(sc);
            assert_true(stats.speculative_tasks >= 1);
            assert_true(stats.disowned_tasks >= 1);
            assert_int_equal(stats.tasks, 2 * PARTITIONS);
            assert_int_equal(stats.failed_tasks, 0);
            assert_int_equal(stats.shuffle_rows, PARTITIONS * KEYS);
            oracle_close(sc);
        }
}

/* files_in: hidden ones too. */
static int files_in(const char *path)
{
    int n = 0;
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (const struct dirent *e; (e = readdir(dir));)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(dir);
    return n;
}

static void test_copies__leave_no_file_behind(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(masters); i++) {
        const spark_fault fault = { SPARK_FAULT_HANG, .partition = 2 };
        spark_context *sc = open_hanging(masters[i], &fault, 1);
        char path[32];
        snprintf(path, sizeof path, "copies-%zu", i);
        oracle_ok(spark_save_as_object_file(spark_range(sc, 0, ROWS, 1, PARTITIONS), path));
        assert_true(oracle_last_job(sc).speculative_tasks >= 1);
        assert_int_equal(files_in(path), PARTITIONS + 1); /* and _SUCCESS */
        assert_int_equal(oracle_count(spark_object_file(sc, path, SPARK_TYPE(int64_t))), ROWS);
        oracle_close(sc);
    }
}

static void test_copies__that_fail_do_not_hurt_what_is_won(void **state)
{
    /* The first attempt is slow and then done; its copy fails. */
    const spark_fault faults[] = { { SPARK_FAULT_DELAY, .partition = 3, .delay_ms = 200 },
        { SPARK_FAULT_TASK, .partition = 3, .attempt = 1 } };
    (void)state;
    for (size_t i = 0; i < LENGTH(masters); i++) {
        spark_context *sc = open_hanging(masters[i], faults, 2);
        assert_int_equal(oracle_count(spark_range(sc, 0, ROWS, 1, PARTITIONS)), ROWS);
        assert_int_equal(oracle_last_job(sc).tasks, PARTITIONS);
        oracle_close(sc);
    }
}

static void test_copies__are_not_made_of_what_nobody_can_compare(void **state)
{
    const spark_fault fault = { SPARK_FAULT_DELAY, SPARK_ANYWHERE, .delay_ms = 30 };
    (void)state;
    for (int partitions = 1; partitions <= 2; partitions++) {
        /* A single task; and tasks that are all as slow, but for what a busy machine makes of it. */
        spark_context *sc = oracle_open_conf(&(spark_conf) { .master = "local[2]",
            .speculation = { .on = true, .quantile = 0.5, .multiplier = 1000, .interval_ms = 5, .min_runtime_ms = 5 },
            .faults = &fault,
            .n_faults = 1 });
        assert_int_equal(oracle_count(spark_range(sc, 0, ROWS, 1, partitions)), ROWS);
        assert_int_equal(oracle_last_job(sc).speculative_tasks, 0);
        oracle_close(sc);
    }
}

/* A single task that hangs, of a stage and of one that is submitted again for it. */
static void test_copies__are_made_after_a_threshold(void **state)
{
    const spark_fault hang = { SPARK_FAULT_HANG, .partition = SPARK_ANY };
    (void)state;
    for (size_t i = 0; i < LENGTH(masters); i++)
        for (int partitions = 1; partitions <= 2; partitions++) {
            spark_context *sc = oracle_open_conf(&(spark_conf) { .master = masters[i],
                .speculation = { .on = true, .interval_ms = 5, .task_threshold_ms = 10 },
                .faults = &hang, .n_faults = 1 });
            const int slots = (int)strtol(strchr(masters[i], ',') ? strchr(masters[i], ',') + 1
                                                                   : strchr(masters[i], '[') + 1,
                NULL, 10);
            if (partitions <= slots && partitions < spark_context_threads(sc)) {
                assert_int_equal(oracle_count(spark_range(sc, 0, ROWS, 1, partitions)), ROWS);
                assert_int_equal(oracle_last_job(sc).speculative_tasks, partitions);
                assert_int_equal(oracle_last_job(sc).failed_tasks, 0);
            }
            oracle_close(sc);
        }
}

static void test_copies__and_losses_go_together(void **state)
{
    const spark_fault faults[] = { { SPARK_FAULT_HANG, .partition = 1 },
        { SPARK_FAULT_EXECUTOR, .partition = 1, .attempt = 1, .when = SPARK_FAULT_AFTER },
        { SPARK_FAULT_EXECUTOR, .partition = 4, .when = SPARK_FAULT_WHILE } };
    (void)state;
    for (size_t i = 0; i < LENGTH(masters); i++) {
        spark_context *sc = open_hanging(masters[i], faults, 3);
        accumulator n = spark_counter(sc, "n");
        spark_rdd *range = spark_range(sc, 0, ROWS, 1, PARTITIONS);
        assert_int_equal(oracle_count(spark_filter(range, counts, SPARK_COPY(n))), ROWS);
        assert_int_equal(spark_accumulator_value(n), ROWS);
        assert_int_equal(oracle_last_job(sc).failed_tasks, 0);
        oracle_close(sc);
    }
}

/* All tasks need the block that the first one computes, and that one hangs: no task is done, with which it
 * could be compared. */
static void test_tasks__do_not_wait_for_ever_for_a_block_of_one_that_hangs(void **state)
{
    const spark_fault fault = { SPARK_FAULT_HANG, .partition = 0 };
    (void)state;
    for (size_t i = 0; i < LENGTH(masters); i++) {
        spark_context *sc = open_hanging(masters[i], &fault, 1);
        spark_rdd *one = spark_cache(spark_range(sc, 0, 100, 1, 1));
        spark_rdd *pairs = spark_cartesian(one, spark_range(sc, 0, 20, 1, PARTITIONS));
        assert_int_equal(oracle_count(pairs), 2000);
        const spark_job_stats stats = oracle_last_job(sc);
        assert_int_equal(stats.tasks, PARTITIONS);
        assert_int_equal(stats.cached_blocks, 1);
        assert_int_equal(spark_rdd_cached_partitions(one), 1);
        oracle_close(sc);
    }
}

static void test_speculation__checks_its_numbers(void **state)
{
    static const spark_speculation bad[] = { { .quantile = 1.5 }, { .quantile = -0.1 },
        { .multiplier = -1 }, { .interval_ms = -1 }, { .min_runtime_ms = -1 }, { .task_threshold_ms = -1 } };
    (void)state;
    for (size_t i = 0; i < LENGTH(bad); i++) {
        int64_t n;
        spark_context *sc = spark_context_new(&(spark_conf) { .speculation = bad[i] });
        assert_int_equal(spark_count(spark_range(sc, 0, 10, 1, 1), &n), SPARK_EINVAL);
        assert_non_null(strstr(spark_last_error()->message, "spark_conf.speculation"));
        spark_context_free(sc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copies__save_a_stage_from_what_hangs),
        file_test(test_copies__leave_no_file_behind),
        cmocka_unit_test(test_copies__that_fail_do_not_hurt_what_is_won),
        cmocka_unit_test(test_copies__are_not_made_of_what_nobody_can_compare),
        cmocka_unit_test(test_copies__are_made_after_a_threshold),
        cmocka_unit_test(test_copies__and_losses_go_together),
        cmocka_unit_test(test_tasks__do_not_wait_for_ever_for_a_block_of_one_that_hangs),
        cmocka_unit_test(test_speculation__checks_its_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
