/* SPDX-License-Identifier: Apache-2.0 */
/* Preparing RDDs (listing, sampling, counting, grouping) by several threads: once, waited for by who
 * needs it and by nobody else; failures are not remembered. */
#include <stdatomic.h>

#include "gate.h"

/* Groups at a gate, each partition by itself; how often it was asked. */
static atomic_int asked, bad_answers;

SPARK_COALESCER(groups_at_gate, gate_ref)
{
    (void)most;
    (void)bytes;
    atomic_fetch_add(&asked, 1);
    gate_wait(*env, NULL);
    for (int i = 0; i < n; i++)
        group_of[i] = i;
    return atomic_fetch_sub(&bad_answers, 1) > 0 ? -1 : n;
}

static spark_rdd *held_rdd(spark_context *sc, gate *g, int partitions)
{
    gate_ref ref = g->state;
    return spark_coalesce_by(
        spark_range(sc, 0, 100, 1, partitions), partitions, groups_at_gate, SPARK_COPY(ref));
}

/* counter: counts an RDD on a thread of its own. */
typedef struct counter {
    spark_rdd *rdd;
    int64_t n;
    spark_status status;
    char message[200];
    pthread_t thread;
} counter;

static void *count_it(void *argument)
{
    counter *c = argument;
    c->status = spark_count(c->rdd, &c->n);
    snprintf(c->message, sizeof c->message, "%s", spark_last_error()->message);
    return NULL;
}

static void count_beside(counter *c, spark_rdd *rdd)
{
    *c = (counter) { .rdd = rdd };
    assert_int_equal(pthread_create(&c->thread, NULL, count_it, c), 0);
}

static void counted(counter *c, int64_t n)
{
    pthread_join(c->thread, NULL);
    if (c->status != SPARK_OK)
        fail_msg("%s", c->message);
    assert_int_equal(c->n, n);
}

static void test_prepare__holds_up_nobody_else(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 4; threads *= 2) {
        gate g;
        counter c;
        gate_init(&g);
        spark_context *sc = oracle_open(threads);
        count_beside(&c, held_rdd(sc, &g, 4));
        assert_true(gate_await(&g, 1));
        /* What needs the plan: actions, new RDDs, caches, debug strings, other preparations. */
        spark_rdd *pairs = spark_zip_with_index(spark_range(sc, 0, 50, 1, 5));
        assert_int_equal(oracle_count(pairs), 50);
        assert_int_equal(oracle_count(spark_cache(spark_range(sc, 0, 10, 1, 3))), 10);
        assert_int_equal(spark_rdd_partitions(pairs), 5);
        assert_true(strlen(spark_to_debug_string(pairs)) > 10);
        assert_int_equal(oracle_count(spark_sort_by(spark_range(sc, 0, 30, 1, 3), NULL, 2)), 30);
        gate_open(&g);
        counted(&c, 100);
        oracle_close(sc);
        gate_fini(&g);
    }
}

static void test_prepare__is_done_once_for_all_who_need_it(void **state)
{
    enum { THREADS = 5 };
    (void)state;
    gate g;
    counter c[THREADS];
    gate_init(&g);
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = held_rdd(sc, &g, 7);
    atomic_store(&asked, 0);
    for (int i = 0; i < THREADS; i++)
        count_beside(&c[i], i % 2 ? rdd : spark_union(rdd, spark_keys(spark_zip_with_index(rdd))));
    assert_true(gate_await(&g, 1));
    nanosleep(&(struct timespec) { 0, 20000000 }, NULL); /* the others come to wait */
    gate_open(&g);
    for (int i = 0; i < THREADS; i++)
        counted(&c[i], i % 2 ? 100 : 200);
    assert_int_equal(atomic_load(&asked), 1);
    oracle_close(sc);
    gate_fini(&g);
}

static void test_prepare__that_fails_is_tried_again_by_who_waits(void **state)
{
    enum { THREADS = 4 };
    (void)state;
    gate g;
    counter c[THREADS];
    gate_init(&g);
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = held_rdd(sc, &g, 7);
    atomic_store(&asked, 0);
    atomic_store(&bad_answers, 2);
    for (int i = 0; i < THREADS; i++)
        count_beside(&c[i], rdd);
    assert_true(gate_await(&g, 1));
    nanosleep(&(struct timespec) { 0, 20000000 }, NULL);
    gate_open(&g);
    int failed = 0;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(c[i].thread, NULL);
        if (c[i].status == SPARK_OK) {
            assert_int_equal(c[i].n, 100);
            continue;
        }
        failed++;
        assert_int_equal(c[i].status, SPARK_EINVAL);
        /* Named by the RDD that could not be prepared. */
        assert_memory_equal(c[i].message, "coalesce(groups_at_gate) at ", 28);
        assert_non_null(strstr(c[i].message, "-1 groups"));
    }
    assert_int_equal(failed, 2);
    assert_int_equal(atomic_load(&asked), 3);
    assert_int_equal(oracle_count(rdd), 100);
    atomic_store(&bad_answers, 0);
    oracle_close(sc);
    gate_fini(&g);
}

/* Threads that begin at different ends of a web of RDDs, each of which runs jobs to be prepared. */
static void test_prepare__of_many_that_need_each_other_ends(void **state)
{
    enum { THREADS = 6, NODES = 12 };
    (void)state;
    for (int threads = 1; threads <= 4; threads *= 4)
        for (int round = 0; round < 5; round++) {
            spark_rdd *nodes[NODES];
            counter c[THREADS];
            spark_context *sc = oracle_open(threads);
            nodes[0] = spark_sort_by(spark_range(sc, 0, 40, 1, 3), NULL, 3);
            nodes[1] = spark_sort_by(spark_range(sc, 0, 40, 1, 2), NULL, 2);
            for (int i = 2; i < NODES; i++)
                nodes[i] = spark_sort_by(
                    spark_union(spark_keys(spark_zip_with_index(nodes[i - 1])),
                        spark_keys(spark_zip_with_index(nodes[i - 2]))),
                    NULL, 3);
            int64_t sizes[NODES] = { 40, 40 };
            for (int i = 2; i < NODES; i++)
                sizes[i] = sizes[i - 1] + sizes[i - 2];
            for (int i = 0; i < THREADS; i++)
                count_beside(&c[i], nodes[NODES - 1 - (i + round) % THREADS]);
            for (int i = 0; i < THREADS; i++)
                counted(&c[i], sizes[NODES - 1 - (i + round) % THREADS]);
            oracle_close(sc);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_prepare__holds_up_nobody_else),
        oracle_test(test_prepare__is_done_once_for_all_who_need_it),
        oracle_test(test_prepare__that_fails_is_tried_again_by_who_waits),
        oracle_test(test_prepare__of_many_that_need_each_other_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
