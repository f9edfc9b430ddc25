/* SPDX-License-Identifier: Apache-2.0 */
/* Spark's AccumulatorSuite. */
#include "oracle.h"

enum { KEYS = 1000 };
SPARK_PAIR(i64_pair, int64_t, int64_t);
SPARK_STRUCT(number_set, (bool, has, KEYS));
SPARK_STRUCT(tally, (int64_t, of, KEYS));
typedef const spark_accumulator *accumulator;
typedef struct three {
    accumulator set, list, map;
} three;

SPARK_MERGE(add_number, number_set, int64_t)
{
    acc->has[*in] = true;
}
SPARK_MERGE(unite, number_set, number_set)
{
    for (int i = 0; i < KEYS; i++)
        acc->has[i] |= in->has[i];
}
SPARK_MERGE(count_number, tally, int64_t)
{
    acc->of[*in]++;
}
SPARK_MERGE(add_tallies, tally, tally)
{
    for (int i = 0; i < KEYS; i++)
        acc->of[i] += in->of[i];
}
SPARK_FOREACH(to_all_three, int64_t, three)
{
    spark_accumulate_value(task, env->set, SPARK_VALUE(int64_t, in));
    spark_accumulate_value(task, env->list, SPARK_VALUE(int64_t, in));
    spark_accumulate_value(task, env->map, SPARK_VALUE(int64_t, in));
}

static void accumulator_suite__sets_lists_and_maps(void **state)
{
    /* Sets and maps are values of the user's own, with functions that add and merge. */
    (void)state;
    for (int threads = 1; threads <= 10; threads += 9) {
        spark_context *sc = oracle_open(threads);
        const three all = {
            spark_accumulator_new(sc, SPARK_ZERO(number_set), add_number, unite, "set"),
            spark_collection(sc, SPARK_TYPE(int64_t), "list"),
            spark_accumulator_new(sc, SPARK_ZERO(tally), count_number, add_tallies, "map"),
        };
        spark_rdd *once = spark_range(sc, 0, KEYS, 1, 0);
        oracle_ok(spark_foreach(spark_union(once, once), to_all_three, SPARK_COPY(all)));
        spark_array set, list, map;
        oracle_ok(spark_accumulator_get(all.set, SPARK_TYPE(number_set), &set));
        oracle_ok(spark_accumulator_get(all.list, SPARK_TYPE(int64_t), &list));
        oracle_ok(spark_accumulator_get(all.map, SPARK_TYPE(tally), &map));
        for (int i = 0; i < KEYS; i++) {
            assert_true(SPARK_ITEMS(number_set, &set)->has[i]);
            assert_int_equal(SPARK_ITEMS(tally, &map)->of[i], 2);
        }
        assert_int_equal(list.n, 2 * KEYS);
        for (size_t i = 0; i < list.n; i++)
            assert_int_equal(SPARK_ITEMS(int64_t, &list)[i], i % KEYS);
        spark_array_free(&set);
        spark_array_free(&list);
        spark_array_free(&map);
        oracle_close(sc);
    }
}

/* Each task of a stage adds `by`; the first attempt of those of even partitions fails, if so wanted,
 * or that of all. */
typedef struct metric {
    accumulator sum;
    int64_t by;
    int fails; /* 0: none, 1: all, 2: those of even partitions */
} metric;
SPARK_PARTITIONS(measure, i64_pair, i64_pair, metric)
{
    spark_accumulate(task, env->sum, env->by);
    for (const i64_pair *row; (row = spark_next(in)) != NULL;)
        spark_emit(out, *row);
    if (env->fails && spark_task_attempt(task) == 0 && spark_task_partition(task) % env->fails == 0)
        spark_fail(task, "the first attempt");
}
SPARK_MAP(to_pair, int64_t, i64_pair)
{
    *out = (i64_pair) { *in, 1 };
}

static void measures(int fails)
{
    spark_context *sc = oracle_open(4);
    metric a = { spark_counter(sc, "a"), 1, fails }, b = { spark_counter(sc, "b"), 10, fails },
           c = { spark_counter(sc, "c"), 100, fails };
    spark_rdd *rdd = spark_map_partitions(
        spark_map(spark_range(sc, 0, 100, 1, 10), to_pair, NULL), measure, SPARK_COPY(a));
    rdd = spark_map_partitions(
        spark_reduce_by_key(rdd, spark_op_sum, NULL, 10), measure, SPARK_COPY(b));
    rdd = spark_map_partitions(
        spark_reduce_by_key(rdd, spark_op_sum, NULL, 20), measure, SPARK_COPY(c));
    assert_int_equal(oracle_count(rdd), 100);
    const spark_job_stats stats = oracle_last_job(sc);
    assert_int_equal(stats.stages, 3);
    assert_int_equal(stats.tasks, 40);
    assert_int_equal(stats.failed_tasks, fails == 0 ? 0 : 40 / fails);
    assert_int_equal(spark_accumulator_value(a.sum), 10);
    assert_int_equal(spark_accumulator_value(b.sum), 100);
    assert_int_equal(spark_accumulator_value(c.sum), 2000);
    oracle_close(sc);
}

static void accumulator_suite__each_stage_counts_its_tasks(void **state)
{
    /* Metrics of tasks are the user's own counters. */
    (void)state;
    measures(0);
}

static void accumulator_suite__failed_attempts_count_nothing(void **state)
{
    (void)state;
    measures(1);
    measures(2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(accumulator_suite__sets_lists_and_maps),
        oracle_test(accumulator_suite__each_stage_counts_its_tasks),
        oracle_test(accumulator_suite__failed_attempts_count_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
