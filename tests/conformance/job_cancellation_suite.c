/* SPDX-License-Identifier: Apache-2.0 */
/* Spark's JobCancellationSuite. */
#include "gate.h"

SPARK_MAP(half_way, int64_t, int64_t, gate_ref)
{
    if (*in % 500 == 250)
        gate_wait(*env, task);
    *out = *in;
}

static void job_cancellation_suite__a_half_cached_partition_is_not_kept(void **state)
{
    gate g;
    (void)state;
    gate_init(&g);
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 2, .batch_rows = 10 });
    spark_rdd *rdd
        = spark_cache(spark_map(spark_range(sc, 0, 1000, 1, 2), half_way, SPARK_COPY(g.state)));
    spark_future *job = spark_count_async(rdd);
    assert_true(gate_await(&g, 2));
    spark_cancel_all_jobs(sc);
    assert_int_equal(spark_future_wait(job, -1), SPARK_ECANCELLED);
    assert_int_equal(spark_rdd_cached_partitions(rdd), 0);
    gate_open(&g);
    for (int i = 0; i < 2; i++)
        assert_int_equal(oracle_count(rdd), 1000);
    assert_int_equal(oracle_last_job(sc).cached_reads, 2);
    oracle_close(sc);
    gate_fini(&g);
}

static void job_cancellation_suite__later_jobs_of_a_cancelled_group(void **state)
{
    /* 256 groups are remembered; Spark's number is a setting. */
    gate g;
    int64_t n;
    char name[20];
    (void)state;
    gate_init(&g);
    spark_context *sc = oracle_open(4);
    spark_rdd *rdd = spark_range(sc, 0, 5, 1, 2);
    spark_rdd *waits = spark_filter(rdd, held_or_cancelled, SPARK_COPY(g.state));
    {
        SPARK_SCOPED(sc);
        oracle_ok(spark_set_job_group(sc, "bad", NULL));
        spark_future *running = spark_count_async(waits);
        assert_true(gate_await(&g, 1));
        spark_cancel_job_group_and_future_jobs(sc, "bad", "by the test");
        oracle_fails(spark_future_count(running, &n), SPARK_ECANCELLED, "cancelled by the test");
        oracle_fails(spark_count(rdd, &n), SPARK_ECANCELLED, "bad");
        oracle_ok(spark_set_job_group(sc, "good", NULL));
        assert_int_equal(oracle_count(rdd), 5);
    }
    assert_int_equal(oracle_count(rdd), 5);
    for (int i = 0; i < 255; i++) {
        snprintf(name, sizeof name, "group %d", i);
        spark_cancel_job_group_and_future_jobs(sc, name, NULL);
    }
    {
        SPARK_SCOPED(sc);
        oracle_ok(spark_set_job_group(sc, "bad", NULL));
        oracle_fails(spark_count(rdd, &n), SPARK_ECANCELLED, "bad");
        spark_cancel_job_group_and_future_jobs(sc, "the last", NULL);
        assert_int_equal(oracle_count(rdd), 5);
        oracle_ok(spark_set_job_group(sc, "group 0", NULL));
        oracle_fails(spark_count(rdd, &n), SPARK_ECANCELLED, "group 0");
    }
    gate_open(&g);
    oracle_close(sc);
    gate_fini(&g);
}

static spark_future *with_tags(spark_context *sc, gate *g, const char *one, const char *other)
{
    if (one)
        oracle_ok(spark_add_job_tag(sc, one));
    if (other)
        oracle_ok(spark_add_job_tag(sc, other));
    spark_future *job = spark_count_async(
        spark_filter(spark_range(sc, 0, 1, 1, 1), held_or_cancelled, SPARK_COPY(g->state)));
    oracle_ok(spark_clear_job_tags(sc));
    return job;
}

static void job_cancellation_suite__by_tag(void **state)
{
    gate g;
    int64_t n;
    (void)state;
    gate_init(&g);
    spark_context *sc = oracle_open(4);
    assert_int_equal(spark_add_job_tag(sc, NULL), SPARK_EINVAL);
    assert_int_equal(spark_add_job_tag(sc, ""), SPARK_EINVAL);
    assert_int_equal(spark_add_job_tag(sc, "one,two"), SPARK_EINVAL);
    spark_future *one = with_tags(sc, &g, "one", NULL), *two = with_tags(sc, &g, "two", "two"),
                 *both = with_tags(sc, &g, "one", "two");
    /* A tag that was added twice is removed at once. */
    oracle_ok(spark_add_job_tag(sc, "two"));
    oracle_ok(spark_add_job_tag(sc, "two"));
    oracle_ok(spark_remove_job_tag(sc, "two"));
    spark_future *none = with_tags(sc, &g, NULL, NULL);
    assert_true(gate_await(&g, 4));
    spark_cancel_jobs_with_tag(sc, "two", NULL);
    oracle_fails(spark_future_count(two, &n), SPARK_ECANCELLED, "two");
    oracle_fails(spark_future_count(both, &n), SPARK_ECANCELLED, "two");
    assert_false(spark_future_is_completed(one));
    assert_false(spark_future_is_completed(none));
    gate_open(&g);
    oracle_ok(spark_future_count(one, &n));
    assert_int_equal(n, 1);
    oracle_ok(spark_future_count(none, &n));
    assert_int_equal(n, 1);
    oracle_close(sc);
    gate_fini(&g);
}

typedef struct child {
    spark_rdd *rdd;
    spark_status status;
} child;
static void *count_it(void *arg)
{
    child *c = arg;
    int64_t n;
    c->status = spark_count(c->rdd, &n);
    return NULL;
}

static void job_cancellation_suite__a_group_holds_for_other_threads(void **state)
{
    /* That of the context does; that of a scope is its thread's alone. */
    (void)state;
    for (int scope = 0; scope < 2; scope++) {
        gate g;
        pthread_t thread;
        gate_init(&g);
        spark_context *sc = oracle_open(2);
        spark_scope *inner = scope ? spark_scope_begin(sc) : NULL;
        oracle_ok(spark_set_job_group(sc, "parent", NULL));
        child c
            = { spark_filter(spark_range(sc, 0, 1, 1, 1), held_or_cancelled, SPARK_COPY(g.state)),
                  SPARK_OK };
        assert_int_equal(pthread_create(&thread, NULL, count_it, &c), 0);
        assert_true(gate_await(&g, 1));
        spark_cancel_job_group(sc, "parent", NULL);
        if (scope)
            gate_open(&g);
        pthread_join(thread, NULL);
        assert_int_equal(c.status, scope ? SPARK_OK : SPARK_ECANCELLED);
        if (scope)
            spark_scope_end(inner);
        oracle_close(sc);
        gate_fini(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(job_cancellation_suite__a_half_cached_partition_is_not_kept),
        oracle_test(job_cancellation_suite__later_jobs_of_a_cancelled_group),
        oracle_test(job_cancellation_suite__by_tag),
        oracle_test(job_cancellation_suite__a_group_holds_for_other_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
