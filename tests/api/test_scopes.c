/* SPDX-License-Identifier: Apache-2.0 */
/* Scopes: what they own, and that memory comes back. A context keeps up to KEPT bytes mapped for
 * what comes next; more than that, or growth from round to round, is a leak. */
#include "oracle.h"

#include <pthread.h>

#define KEPT ((uint64_t)32 << 20)
#define LARGE (8 << 20) /* 64 MiB of int64_t */

SPARK_PAIR(i64_i64, int64_t, int64_t);
SPARK_MAP(increment, int64_t, int64_t)
{
    *out = *in + 1;
}
SPARK_MAP(to_pair, int64_t, i64_i64)
{
    *out = (i64_i64) { *in % 100, *in };
}

/* a job that shuffles and caches megabytes */
static void work(spark_context *sc)
{
    spark_rdd *pairs = spark_cache(spark_map(spark_range(sc, 0, 200000, 1, 4), to_pair, NULL));
    assert_int_equal(oracle_count(spark_group_by_key(pairs, 3)), 100);
    spark_array array;
    oracle_ok(spark_collect(spark_sort_by(pairs, NULL, 2), SPARK_TYPE(i64_i64), &array));
    assert_int_equal(array.n, 200000);
    spark_array_free(&array);
}

static void test_scope__gives_memory_back_at_its_end(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2) {
        spark_context *sc = oracle_open(threads);
        for (int i = 0; i < 8; i++) {
            spark_scope *scope = spark_scope_begin(sc);
            work(sc);
            assert_true(spark_memory_bytes(sc, NULL) >= 200000 * sizeof(i64_i64));
            spark_scope_end(scope);
            assert_true(spark_memory_bytes(sc, NULL) <= KEPT + (uint64_t)threads * (2u << 20));
        }
        oracle_close(sc);
    }
}

static void test_scope__with_one_thread_ends_where_it_began(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    uint64_t first = 0;
    for (int i = 0; i < 6; i++) {
        SPARK_SCOPED(sc);
        {
            SPARK_SCOPED(sc);
            work(sc);
        }
        if (i == 0)
            first = spark_memory_bytes(sc, NULL);
        assert_int_equal(spark_memory_bytes(sc, NULL), first);
    }
    oracle_close(sc);
}

static void test_scope__of_failed_jobs_gives_memory_back(void **state)
{
    (void)state;
    spark_fault fault = { SPARK_FAULT_TASK, SPARK_ANY, 1, 1, .attempt = SPARK_ANY };
    spark_context *sc
        = oracle_open_conf(&(spark_conf) { .threads = 1, .faults = &fault, .n_faults = 1 });
    uint64_t first = 0;
    for (int i = 0; i < 5; i++) {
        int64_t n;
        spark_scope *scope = spark_scope_begin(sc);
        spark_rdd *pairs = spark_map(spark_range(sc, 0, 100000, 1, 4), to_pair, NULL);
        oracle_fails(spark_count(spark_group_by_key(pairs, 3), &n), SPARK_ETASK, "Task 1 in stage");
        spark_scope_end(scope);
        if (i == 0)
            first = spark_memory_bytes(sc, NULL);
        assert_int_equal(spark_memory_bytes(sc, NULL), first);
    }
    oracle_close(sc);
}

static void test_scope__ends_the_scopes_inside_it(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    uint64_t first = 0;
    for (int i = 0; i < 4; i++) {
        spark_scope *outer = spark_scope_begin(sc);
        work(sc);
        (void)spark_scope_begin(sc);
        work(sc);
        (void)spark_scope_begin(sc);
        work(sc);
        spark_scope_end(outer);
        if (i == 0)
            first = spark_memory_bytes(sc, NULL);
        assert_int_equal(spark_memory_bytes(sc, NULL), first);
    }
    spark_scope_end(NULL);
    oracle_collects(spark_range(sc, 0, 3, 1, 1), "0 1 2");
    oracle_close(sc);
}

static int64_t leave_by(spark_context *sc, int way)
{
    for (int i = 0; i < 10; i++) {
        SPARK_SCOPED(sc);
        work(sc);
        if (way == 0)
            return i;
        if (way == 1)
            break;
        if (way == 2 && i < 2)
            continue;
        if (i == 3)
            return i;
    }
    return -1;
}

static void test_scoped__ends_by_return_break_and_continue(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    (void)leave_by(sc, 0);
    uint64_t before = spark_memory_bytes(sc, NULL);
    for (int way = 0; way < 4; way++) {
        leave_by(sc, way);
        assert_int_equal(spark_memory_bytes(sc, NULL), before);
    }
    oracle_close(sc);
}

static void test_replace__hands_out_what_a_loop_made(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_range(sc, 0, 3, 1, 2);
    uint64_t early = 0;
    for (int i = 0; i < 60; i++) {
        SPARK_SCOPED(sc);
        spark_rdd *next = spark_cache(spark_map(rdd, increment, NULL));
        assert_int_equal(oracle_count(next), 3);
        spark_rdd_replace(&rdd, next);
        assert_ptr_equal(rdd, next);
        if (i == 10)
            early = spark_memory_bytes(sc, NULL);
    }
    oracle_collects(rdd, "60 61 62");
    assert_true(spark_memory_bytes(sc, NULL) <= early + (1u << 20));
    /* Into an empty slot, and out of it. */
    spark_rdd *slot = NULL;
    {
        SPARK_SCOPED(sc);
        spark_rdd_replace(&slot, spark_range(sc, 0, 2, 1, 1));
    }
    oracle_close(sc);
}

static void test_replace__moves_to_the_scope_of_the_slot(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_scope *outer = spark_scope_begin(sc);
    spark_rdd *rdd = spark_range(sc, 0, 3, 1, 1);
    spark_scope *middle = spark_scope_begin(sc);
    spark_scope *inner = spark_scope_begin(sc);
    spark_rdd_replace(&rdd, spark_map(spark_map(rdd, increment, NULL), increment, NULL));
    spark_scope_end(inner);
    spark_scope_end(middle);
    oracle_collects(rdd, "2 3 4");
    spark_rdd_replace(&rdd, rdd);
    oracle_collects(rdd, "2 3 4");
    spark_rdd_replace(&rdd, NULL);
    assert_null(rdd);
    spark_scope_end(outer);
    oracle_close(sc);
}

static void test_release__gives_an_rdd_back_but_not_its_children(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = spark_cache(spark_range(sc, 0, LARGE, 1, 64));
    spark_rdd *child = spark_map(rdd, increment, NULL);
    oracle_count(rdd);
    assert_true(spark_memory_bytes(sc, NULL) >= LARGE * sizeof(int64_t));
    spark_rdd_release(rdd);
    assert_int_equal(oracle_count(child), LARGE);
    spark_rdd_release(child);
    assert_true(spark_memory_bytes(sc, NULL) <= KEPT + (2u << 20));
    spark_rdd_release(NULL);
    oracle_close(sc);
}

static void test_unpersist__gives_blocks_back(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = spark_cache(spark_range(sc, 0, LARGE, 1, 64));
    oracle_count(rdd);
    assert_true(spark_memory_bytes(sc, NULL) >= LARGE * sizeof(int64_t));
    assert_ptr_equal(spark_unpersist(rdd), rdd);
    assert_true(spark_memory_bytes(sc, NULL) <= KEPT + (2u << 20));
    assert_int_equal(oracle_count(rdd), LARGE);
    oracle_close(sc);
}

/* each thread has scopes of its own */
static void *in_a_thread(void *arg)
{
    spark_context *sc = arg;
    int64_t sum = 0;
    for (int i = 0; i < 20; i++) {
        SPARK_SCOPED(sc);
        int64_t n = 0;
        spark_rdd *rdd = spark_map(spark_range(sc, 0, 1000, 1, 4), to_pair, NULL);
        if (spark_count(spark_reduce_by_key(rdd, spark_op_sum, NULL, 3), &n) != SPARK_OK)
            return NULL;
        sum += n;
    }
    return sum == 2000 ? arg : NULL;
}

static void test_scope__belongs_to_a_thread(void **state)
{
    pthread_t threads[4];
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_scope *scope = spark_scope_begin(sc);
    spark_rdd *mine = spark_range(sc, 0, 3, 1, 1);
    for (size_t i = 0; i < LENGTH(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, in_a_thread, sc), 0);
    oracle_collects(mine, "0 1 2");
    for (size_t i = 0; i < LENGTH(threads); i++) {
        void *done = NULL;
        assert_int_equal(pthread_join(threads[i], &done), 0);
        assert_ptr_equal(done, sc);
    }
    oracle_collects(mine, "0 1 2");
    spark_scope_end(scope);
    oracle_close(sc);
}

static void test_context__several_live_at_once(void **state)
{
    (void)state;
    spark_context *a = oracle_open(2), *b = oracle_open(1), *c = oracle_open(8);
    spark_scope *in_a = spark_scope_begin(a);
    spark_rdd *ra = spark_range(a, 0, 2, 1, 2), *rb = spark_range(b, 5, 7, 1, 2);
    spark_scope *in_b = spark_scope_begin(b);
    spark_rdd *rc = spark_range(c, 8, 9, 1, 2);
    spark_scope_end(in_a);
    oracle_collects(rb, "5 6");
    spark_scope_end(in_b);
    oracle_collects(rb, "5 6");
    oracle_collects(rc, "8");
    ra = spark_range(a, 0, 2, 1, 2);
    assert_int_equal(spark_rdd_id(rc), 0);
    oracle_close(b);
    oracle_collects(ra, "0 1");
    oracle_collects(rc, "8");
    oracle_close(c);
    oracle_close(a);
    spark_context_free(NULL);
}

static void test_context__starts_and_stops_many_times(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        spark_context *sc = oracle_open(1 + i % 8);
        assert_int_equal(spark_context_threads(sc), 1 + i % 8);
        if (i % 3 == 0)
            oracle_collects(spark_range(sc, 0, 2, 1, 1), "0 1");
        oracle_close(sc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_scope__gives_memory_back_at_its_end),
        oracle_test(test_scope__with_one_thread_ends_where_it_began),
        oracle_test(test_scope__of_failed_jobs_gives_memory_back),
        oracle_test(test_scope__ends_the_scopes_inside_it),
        oracle_test(test_scoped__ends_by_return_break_and_continue),
        oracle_test(test_replace__hands_out_what_a_loop_made),
        oracle_test(test_replace__moves_to_the_scope_of_the_slot),
        oracle_test(test_release__gives_an_rdd_back_but_not_its_children),
        oracle_test(test_unpersist__gives_blocks_back),
        oracle_test(test_scope__belongs_to_a_thread),
        oracle_test(test_context__several_live_at_once),
        oracle_test(test_context__starts_and_stops_many_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
