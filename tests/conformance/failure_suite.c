/* SPDX-License-Identifier: Apache-2.0 */
/* Spark's FailureSuite and DistributedSuite, as far as one process has them. */
#include "oracle.h"

#include <stdatomic.h>

SPARK_PAIR(i64_pair, int64_t, int64_t);
SPARK_PAIR(blob_pair, int64_t, spark_bytes);
SPARK_PAIR(group_size, int64_t, int64_t);
typedef const spark_accumulator *accumulator;

static atomic_int runs;

SPARK_PARTITIONS(square_or_fail, int64_t, int64_t)
{
    atomic_fetch_add(&runs, 1);
    if (spark_task_partition(task) == 0 && spark_task_attempt(task) == 0)
        spark_fail(task, "once");
    for (const int64_t *x; (x = spark_next(in)) != NULL;)
        spark_emit(out, *x * *x);
}
SPARK_MAP(to_pair, int64_t, i64_pair)
{
    *out = (i64_pair) { *in % 3, *in };
}
SPARK_PARTITIONS(first_reduce_fails, i64_pair, i64_pair)
{
    atomic_fetch_add(&runs, 1);
    if (spark_task_partition(task) == 0 && spark_task_attempt(task) == 0)
        spark_fail(task, "once");
    for (const i64_pair *row; (row = spark_next(in)) != NULL;)
        spark_emit(out, *row);
}
SPARK_MAP(fails_always, int64_t, i64_pair)
{
    spark_fail(task, "division of %d by zero", (int)*in);
    *out = (i64_pair) { 0, 0 };
}
SPARK_FOREACH(adds, int64_t, accumulator)
{
    spark_accumulate(task, *env, *in);
}
SPARK_MAP(to_blob, int64_t, blob_pair)
{
    const size_t n = 10000;
    char *at = spark_alloc(task, n);
    if (at) {
        memset(at, (int)(*in & 0x7f), n);
        *out = (blob_pair) { *in % 16, { at, n } };
    }
}
SPARK_GROUP(size_of_group, int64_t, spark_bytes, group_size)
{
    int64_t n = 0;
    for (const spark_bytes *one; (one = spark_next(in)) != NULL; n++)
        if (one->len != 10000 || ((const char *)one->ptr)[9999] % 16 != *key)
            spark_fail(task, "a value of another group");
    spark_emit(out, (group_size) { *key, n });
}

static void failure_suite__a_task_that_fails_once(void **state)
{
    /* A function of partitions: one of elements is called again for the element that fails. */
    (void)state;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .master = "local[1,2]" });
    atomic_store(&runs, 0);
    oracle_collects(
        spark_map_partitions(spark_range(sc, 1, 4, 1, 3), square_or_fail, NULL), "1 4 9");
    assert_int_equal(atomic_load(&runs), 4);
    assert_int_equal(oracle_last_job(sc).failed_tasks, 1);
    oracle_close(sc);
}

static void failure_suite__a_reduce_task_that_fails_once(void **state)
{
    (void)state;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .master = "local[1,2]" });
    atomic_store(&runs, 0);
    spark_rdd *sums = spark_reduce_by_key(
        spark_map(spark_range(sc, 1, 4, 1, 3), to_pair, NULL), spark_op_sum, NULL, 3);
    oracle_holds(spark_map_partitions(sums, first_reduce_fails, NULL), "(0,3) (1,1) (2,2)");
    assert_int_equal(atomic_load(&runs), 4);
    assert_int_equal(oracle_last_job(sc).tasks, 6);
    oracle_close(sc);
}

static void failure_suite__a_map_stage_that_always_fails(void **state)
{
    int64_t n;
    (void)state;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .master = "local[1,2]" });
    spark_rdd *groups
        = spark_group_by_key(spark_map(spark_range(sc, 1, 4, 1, 3), fails_always, NULL), 3);
    for (int i = 0; i < 2; i++) {
        oracle_fails(spark_count(groups, &n), SPARK_ETASK, "failed 2 times");
        assert_non_null(strstr(spark_last_error()->message, "by zero"));
        assert_int_equal(spark_last_error()->job, i);
    }
    oracle_close(sc);
}

static void failure_suite__tasks_that_fail_four_times(void **state)
{
    /* A real division by zero would end the process: the function says so instead. */
    int64_t n;
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_fails(spark_count(spark_map(spark_range(sc, 1, 11, 1, 10), fails_always, NULL), &n),
        SPARK_ETASK, "failed 4 times");
    assert_int_equal(oracle_count(spark_range(sc, 1, 11, 1, 10)), 10);
    oracle_close(sc);
}

static void failure_suite__accumulates_over_10_tasks(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    accumulator sum = spark_counter(sc, "sum");
    oracle_ok(spark_foreach(spark_range(sc, 1, 11, 1, 10), adds, SPARK_COPY(sum)));
    assert_int_equal(spark_accumulator_value(sum), 55);
    oracle_close(sc);
}

static void failure_suite__caches_at_every_level(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    for (int level = SPARK_DEFAULT_LEVEL; level <= SPARK_DISK_ONLY; level++) {
        spark_rdd *rdd = spark_persist(spark_range(sc, 1, 1001, 1, 10), (spark_level)level);
        for (int i = 0; i < 3; i++)
            assert_int_equal(oracle_count(rdd), 1000);
        assert_int_equal(oracle_last_job(sc).cached_reads, 10);
        assert_int_equal(spark_rdd_cached_partitions(rdd), 10);
    }
    oracle_close(sc);
}

enum { MANY = 4000000 };

static int caches_with_little_memory(int partitions)
{
    spark_context *sc
        = oracle_open_conf(&(spark_conf) { .threads = 1, .memory_bytes = (uint64_t)32 << 20 });
    spark_rdd *rdd = spark_cache(spark_range(sc, 0, MANY, 1, partitions));
    for (int i = 0; i < 3; i++)
        assert_int_equal(oracle_count(rdd), MANY);
    const int cached = spark_rdd_cached_partitions(rdd);
    oracle_close(sc);
    return cached;
}

static void failure_suite__caches_what_fits(void **state)
{
    (void)state;
    assert_int_equal(caches_with_little_memory(1), 0);
    assert_in_range(caches_with_little_memory(20), 1, 19);
}

static void failure_suite__groups_larger_than_memory(void **state)
{
    (void)state;
    spark_context *sc
        = oracle_open_conf(&(spark_conf) { .threads = 1, .memory_bytes = (uint64_t)32 << 20 });
    spark_rdd *blobs = spark_map(spark_range(sc, 0, 2000, 1, 4), to_blob, NULL);
    spark_array sizes;
    oracle_ok(spark_collect(
        spark_group_map_by_key(blobs, size_of_group, NULL, 3), SPARK_TYPE(group_size), &sizes));
    assert_true(oracle_last_job(sc).spilled_bytes > 0);
    assert_int_equal(sizes.n, 16);
    for (size_t i = 0; i < sizes.n; i++)
        assert_int_equal(SPARK_ITEMS(group_size, &sizes)[i].value, 125);
    spark_array_free(&sizes);
    oracle_close(sc);
}

static void failure_suite__survives_what_is_lost(void **state)
{
    /* No worker can die alone: its blocks and outputs are lost, and its tasks fail. */
    (void)state;
    for (int times = 1; times <= 3; times++)
        for (int stage = 0; stage < 2; stage++) {
            spark_fault plan[6];
            for (int i = 0; i < times; i++) {
                plan[2 * i] = (spark_fault) { .kind = SPARK_FAULT_TASK,
                    .job = SPARK_ANY,
                    .stage = stage,
                    .partition = 1,
                    .attempt = i };
                plan[2 * i + 1] = (spark_fault) { .kind = SPARK_FAULT_SHUFFLE,
                    .job = SPARK_ANY,
                    .stage = 1,
                    .partition = 2,
                    .attempt = i,
                    .output = i };
            }
            spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 2,
                .stage_max_attempts = 100,
                .faults = plan,
                .n_faults = 2 * (size_t)times });
            spark_rdd *rdd = spark_cache(spark_map(spark_range(sc, 1, 11, 1, 10), to_pair, NULL));
            spark_rdd *sums = spark_reduce_by_key(rdd, spark_op_sum, NULL, 3);
            for (int i = 0; i < 3; i++) {
                oracle_holds(sums, "(0,18) (1,22) (2,15)");
                assert_true(oracle_last_job(sc).lost_inputs > 0);
                spark_drop_block(rdd, i);
            }
            oracle_close(sc);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(failure_suite__a_task_that_fails_once),
        oracle_test(failure_suite__a_reduce_task_that_fails_once),
        oracle_test(failure_suite__a_map_stage_that_always_fails),
        oracle_test(failure_suite__tasks_that_fail_four_times),
        oracle_test(failure_suite__accumulates_over_10_tasks),
        oracle_test(failure_suite__caches_at_every_level),
        oracle_test(failure_suite__caches_what_fits),
        oracle_test(failure_suite__groups_larger_than_memory),
        oracle_test(failure_suite__survives_what_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
