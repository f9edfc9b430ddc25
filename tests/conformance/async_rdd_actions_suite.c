/* SPDX-License-Identifier: Apache-2.0 */
/* The cases of Spark's AsyncRDDActionsSuite. */
#include "gate.h"
#include "suite.h"

#include <stdatomic.h>

typedef const spark_accumulator *counter;

SPARK_FOREACH(count_up, int64_t, counter)
{
    (void)in;
    spark_accumulate(task, *env, 1);
}
SPARK_FOREACH_PARTITION(count_partition, int64_t, counter)
{
    spark_accumulate(task, *env, 1);
}
SPARK_MAP(fail_with, int64_t, int64_t)
{
    *out = *in;
    spark_fail(task, "injected failure");
}

static spark_rdd *nothing(spark_context *sc)
{
    return spark_empty_rdd(sc, SPARK_TYPE(int64_t));
}

static void async_rdd_actions_suite__count_async_counts(void **state)
{
    int64_t n = -1;
    oracle_ok(spark_future_count(spark_count_async(nothing(*state)), &n));
    assert_int_equal(n, 0);
    oracle_ok(spark_future_count(spark_count_async(spark_range(*state, 1, 10001, 1, 5)), &n));
    assert_int_equal(n, 10000);
}
static void async_rdd_actions_suite__collect_async_gives_all_in_order(void **state)
{
    spark_array a;
    oracle_ok(spark_future_get(spark_collect_async(nothing(*state), SPARK_TYPE(int64_t)), &a));
    assert_int_equal(a.n, 0);
    spark_array_free(&a);
    oracle_ok(spark_future_get(
        spark_collect_async(spark_range(*state, 1, 1001, 1, 3), SPARK_TYPE(int64_t)), &a));
    assert_int_equal(a.n, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(SPARK_ITEMS(int64_t, &a)[i], i + 1);
    spark_array_free(&a);
}
static void async_rdd_actions_suite__foreach_async_visits_all(void **state)
{
    counter rows = spark_counter(*state, NULL), none = spark_counter(*state, NULL);
    oracle_ok(
        spark_future_wait(spark_foreach_async(nothing(*state), count_up, SPARK_COPY(none)), -1));
    assert_int_equal(spark_accumulator_value(none), 0);
    oracle_ok(spark_future_wait(
        spark_foreach_async(spark_range(*state, 1, 1001, 1, 3), count_up, SPARK_COPY(rows)), -1));
    assert_int_equal(spark_accumulator_value(rows), 1000);
}
static void async_rdd_actions_suite__foreach_partition_async_visits_9(void **state)
{
    counter partitions = spark_counter(*state, NULL), none = spark_counter(*state, NULL);
    oracle_ok(spark_future_wait(
        spark_foreach_partition_async(nothing(*state), count_partition, SPARK_COPY(none)), -1));
    assert_int_equal(spark_accumulator_value(none), 0);
    oracle_ok(spark_future_wait(spark_foreach_partition_async(spark_range(*state, 1, 1001, 1, 9),
                                    count_partition, SPARK_COPY(partitions)),
        -1));
    assert_int_equal(spark_accumulator_value(partitions), 9);
}

/* One callback serves success and failure; the status is asked for behind it. */
typedef struct outcome {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int calls;
    bool completed;
} outcome;
static void note_outcome(spark_future *future, void *data)
{
    outcome *o = data;
    const bool completed = spark_future_is_completed(future);
    pthread_mutex_lock(&o->lock);
    o->calls++;
    o->completed = completed;
    pthread_cond_signal(&o->changed);
    pthread_mutex_unlock(&o->lock);
}
/* ends_as: the callback is called once, when the action has ended, and it has ended so. */
static void ends_as(spark_future *future, spark_status want)
{
    outcome o = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, false };
    assert_true(spark_future_on_complete(future, note_outcome, &o));
    pthread_mutex_lock(&o.lock);
    while (o.calls == 0)
        pthread_cond_wait(&o.changed, &o.lock);
    pthread_mutex_unlock(&o.lock);
    assert_int_equal(o.calls, 1);
    assert_true(o.completed);
    assert_int_equal(spark_future_wait(future, -1), want);
}
static void async_rdd_actions_suite__success_calls_back(void **state)
{
    ends_as(spark_count_async(spark_range(*state, 1, 101, 1, 4)), SPARK_OK);
}
static void async_rdd_actions_suite__failure_calls_back_and_comes_from_get(void **state)
{
    spark_array a;
    spark_future *future = spark_collect_async(
        spark_map(spark_range(*state, 1, 101, 1, 4), fail_with, NULL), SPARK_TYPE(int64_t));
    ends_as(future, SPARK_ETASK);
    oracle_fails(spark_future_get(future, &a), SPARK_ETASK, "injected failure");
}
/* The task stands at a gate instead of sleeping. */
static void async_rdd_actions_suite__waiting_20_ms_times_out(void **state)
{
    gate g;
    int64_t n = -1;
    gate_init(&g);
    gate_ref ref = g.state;
    spark_future *future
        = spark_count_async(spark_filter(spark_range(*state, 0, 1, 1, 1), held, SPARK_COPY(ref)));
    const spark_status status = spark_future_wait(future, 20);
    gate_open(&g);
    assert_int_equal(status, SPARK_ETIMEOUT);
    oracle_ok(spark_future_count(future, &n));
    assert_int_equal(n, 1);
    gate_fini(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        suite_case(async_rdd_actions_suite__count_async_counts),
        suite_case(async_rdd_actions_suite__collect_async_gives_all_in_order),
        suite_case(async_rdd_actions_suite__foreach_async_visits_all),
        suite_case(async_rdd_actions_suite__foreach_partition_async_visits_9),
        suite_case(async_rdd_actions_suite__success_calls_back),
        suite_case(async_rdd_actions_suite__failure_calls_back_and_comes_from_get),
        suite_case(async_rdd_actions_suite__waiting_20_ms_times_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
