/* SPDX-License-Identifier: Apache-2.0 */
/* Where tasks run when there are several executors: where their cached block is, or most of their shuffle
 * input; elsewhere when that takes too long; what is read from afar; and that the rest is dealt out evenly. */
#include "support/spark_test.h"

#include <stdlib.h>
#include <string.h>

#include "support/oracle.h"

enum { ROWS = 4000, PARTITIONS = 12, KEYS = 100, WAIT_FOR_EVER = 3600 * 1000 };

#include "support/meeting.h"
#include "support/sums.h"

SPARK_MAP(plus_one, int64_t, int64_t)
{
    *out = *in + 1;
}

static spark_context *cluster(const char *master, int wait)
{
    return oracle_open_conf(&(spark_conf) { .master = master, .locality_wait_ms = wait });
}

static spark_rdd *numbers(spark_context *sc)
{
    return spark_range(sc, 0, ROWS, 1, PARTITIONS);
}

/* With a wait that never ends, every task of a cached RDD runs where its block is. */
static void test_blocks__are_read_where_they_are(void **state)
{
    static const char *const masters[]
        = { "local-cluster[2,1,512]", "local-cluster[3,2,512]", "local-cluster[12,1,512]" };
    (void)state;
    for (size_t i = 0; i < LENGTH(masters); i++) {
        spark_context *sc = cluster(masters[i], WAIT_FOR_EVER);
        spark_rdd *cached = spark_cache(spark_map(numbers(sc), plus_one, NULL));
        assert_int_equal(oracle_count(cached), ROWS);
        assert_int_equal(oracle_last_job(sc).local_tasks, 0);
        for (int round = 0; round < 3; round++) {
            assert_int_equal(oracle_count(spark_map(cached, plus_one, NULL)), ROWS);
            const spark_job_stats stats = oracle_last_job(sc);
            assert_int_equal(stats.local_tasks, PARTITIONS);
            assert_int_equal(stats.remote_bytes, 0);
            assert_int_equal(stats.cached_reads, PARTITIONS);
        }
        /* Partitions of a union are those of its parents. */
        assert_int_equal(oracle_count(spark_union(cached, cached)), 2 * ROWS);
        assert_int_equal(oracle_last_job(sc).local_tasks, 2 * PARTITIONS);
        assert_int_equal(oracle_last_job(sc).remote_bytes, 0);
        oracle_close(sc);
    }
}

/* An executor of one thread whose first task takes until all others have begun: with no wait the other one takes
 * the rest. */
static void test_blocks__are_read_from_afar_without_a_wait(void **state)
{
    (void)state;
    for (int wait = -1; wait <= WAIT_FOR_EVER; wait += WAIT_FOR_EVER + 1) {
        meeting m = { .n = 2 }, *at = &m;
        spark_context *sc = cluster("local-cluster[2,1,512]", wait);
        spark_rdd *cached = spark_cache(spark_filter(spark_range(sc, 0, 2, 1, 2), meets, SPARK_COPY(at)));
        spark_rdd *both = spark_union_all(sc, 6, (spark_rdd *[]) { cached, cached, cached, cached, cached, cached });
        assert_int_equal(oracle_count(cached), 2); /* each executor has one */
        if (wait != WAIT_FOR_EVER) {
            m.n = PARTITIONS;
            atomic_store(&m.begun, 0);
            both = spark_map_partitions(both, the_first_waits, SPARK_COPY(at));
        }
        assert_int_equal(oracle_count(both), PARTITIONS);
        const spark_job_stats stats = oracle_last_job(sc);
        if (wait == WAIT_FOR_EVER) {
            assert_int_equal(stats.local_tasks, PARTITIONS);
            assert_int_equal(stats.remote_bytes, 0);
        } else {
            assert_true(stats.local_tasks < PARTITIONS);
            assert_true(stats.remote_bytes > 0);
        }
        oracle_close(sc);
    }
}

/* One output holds nearly all: the reduce tasks go where that is. */
static void test_shuffles__are_read_where_most_of_them_is(void **state)
{
    (void)state;
    spark_context *sc = cluster("local-cluster[4,1,512]", WAIT_FOR_EVER);
    spark_rdd *sums = spark_reduce_by_key(
        spark_map(spark_range(sc, 0, ROWS, 1, 1), to_pair, NULL), add_up, NULL, 5);
    assert_int_equal(oracle_count(sums), KEYS);
    assert_int_equal(oracle_last_job(sc).local_tasks, 5);
    assert_int_equal(oracle_last_job(sc).remote_bytes, 0);
    oracle_close(sc);
    /* Of many executors that hold little, none is wanted. */
    const spark_fault fault
        = { SPARK_FAULT_DELAY, .job = 0, .partition = SPARK_ANY, .delay_ms = 50 };
    sc = oracle_open_conf(&(spark_conf) { .master = "local-cluster[12,1,512]",
        .locality_wait_ms = WAIT_FOR_EVER,
        .faults = &fault,
        .n_faults = 1 });
    sums = spark_reduce_by_key(spark_map(numbers(sc), to_pair, NULL), add_up, NULL, 5);
    assert_int_equal(oracle_count(sums), KEYS);
    assert_true(oracle_last_job(sc).remote_bytes > 0);
    oracle_close(sc);
}

/* Where the executor is lost, nobody waits for it: with a wait that never ends this would hang. */
static void test_tasks__do_not_wait_for_the_lost(void **state)
{
    (void)state;
    spark_context *sc = cluster("local-cluster[3,1,512]", WAIT_FOR_EVER);
    spark_rdd *cached = spark_cache(numbers(sc));
    for (int i = 0; i < 9; i++) {
        char id[16];
        assert_int_equal(oracle_count(cached), ROWS);
        snprintf(id, sizeof id, "%d", i);
        oracle_ok(spark_kill_executor(sc, id, NULL));
    }
    oracle_close(sc);
    const spark_fault fault = { SPARK_FAULT_EXECUTOR, .job = 1, .stage = 0, .partition = 1 };
    sc = oracle_open_conf(&(spark_conf) { .master = "local-cluster[2,1,512]",
        .locality_wait_ms = WAIT_FOR_EVER,
        .faults = &fault,
        .n_faults = 1 });
    cached = spark_cache(numbers(sc));
    assert_int_equal(oracle_count(cached), ROWS);
    assert_int_equal(oracle_count(cached), ROWS);
    assert_int_equal(oracle_last_job(sc).disowned_tasks, 1);
    oracle_close(sc);
}

/* Fair shares and localities: every job gets done. */
static void test_shares__go_with_places(void **state)
{
    (void)state;
    spark_context *sc = oracle_open_conf(
        &(spark_conf) { .master = "local-cluster[3,2,512]", .scheduler_mode = SPARK_FAIR });
    spark_rdd *cached = spark_cache(numbers(sc));
    spark_future *futures[6];
    assert_int_equal(oracle_count(cached), ROWS);
    for (int i = 0; i < 6; i++)
        futures[i] = spark_count_async(spark_map(cached, plus_one, NULL));
    for (int i = 0; i < 6; i++) {
        int64_t n = 0;
        oracle_ok(spark_future_count(futures[i], &n));
        assert_int_equal(n, ROWS);
    }
    oracle_close(sc);
}

/* ---- dealing */

/* shape: threads are two more than an executor's share, so that it is never for want of one that a task
 * runs elsewhere. */
typedef struct shape {
    int executors, threads, tasks;
} shape;
static const shape shapes[] = { { 2, 3, 2 }, { 4, 4, 4 }, { 4, 4, 8 }, { 4, 4, 10 }, { 5, 3, 3 },
    { 3, 6, 11 } };

static spark_context *cluster_of(const shape *s, int wait)
{
    char master[64];
    snprintf(master, sizeof master, "local-cluster[%d,%d,512]", s->executors, s->threads);
    return cluster(master, wait);
}

/* computes: all partitions of what waits for m, at once. */
static void computes(spark_rdd *rdd, meeting *m, int n)
{
    m->n = n;
    atomic_store(&m->begun, 0);
    assert_int_equal(oracle_count(rdd), m->n);
}

/* spread: who lives holds as many blocks as another, but for one. Returns the id of the k-th of them. */
static void spread(spark_context *sc, const shape *s, int k, char id[16])
{
    spark_executor_info infos[64];
    const size_t n = spark_executors(sc, infos, LENGTH(infos));
    int64_t blocks = 0;
    assert_true(n >= (size_t)s->executors && n <= LENGTH(infos));
    for (int i = 0; i < s->executors; i++) {
        assert_int_equal(infos[i].state, SPARK_EXECUTOR_ALIVE);
        assert_true(infos[i].blocks >= s->tasks / s->executors);
        assert_true(infos[i].blocks <= (s->tasks + s->executors - 1) / s->executors);
        blocks += infos[i].blocks;
    }
    assert_int_equal(blocks, s->tasks);
    memcpy(id, infos[k].id, sizeof infos[k].id);
}

static void test_tasks__that_are_for_nobody_are_dealt_out_evenly(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(shapes); i++) {
        const shape *s = &shapes[i];
        meeting m, *at = &m;
        char id[16];
        spark_context *sc = cluster_of(s, i % 2 ? WAIT_FOR_EVER : -1);
        spark_rdd *range = spark_range(sc, 0, s->tasks, 1, s->tasks);
        computes(spark_cache(spark_filter(range, meets, SPARK_COPY(at))), &m, s->tasks);
        spread(sc, s, 0, id);
        oracle_close(sc);
    }
}

/* The blocks of a lost executor go where there are fewest: a cache that was even stays so. */
static void test_tasks__of_lost_executors_are_dealt_out_evenly(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(shapes); i++) {
        const shape *s = &shapes[i];
        meeting m, *at = &m;
        char id[16];
        spark_context *sc = cluster_of(s, WAIT_FOR_EVER);
        spark_rdd *range = spark_range(sc, 0, s->tasks, 1, s->tasks);
        spark_rdd *cached = spark_cache(range);
        spark_rdd *waits = spark_filter(cached, meets, SPARK_COPY(at));
        computes(waits, &m, s->tasks);
        for (int round = 0; round < 2 * s->executors; round++) {
            spread(sc, s, round % s->executors, id);
            oracle_ok(spark_kill_executor(sc, id, NULL));
            computes(waits, &m, s->tasks);
        }
        spread(sc, s, 0, id);
        oracle_close(sc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks__are_read_where_they_are),
        cmocka_unit_test(test_blocks__are_read_from_afar_without_a_wait),
        cmocka_unit_test(test_shuffles__are_read_where_most_of_them_is),
        cmocka_unit_test(test_tasks__do_not_wait_for_the_lost),
        cmocka_unit_test(test_shares__go_with_places),
        cmocka_unit_test(test_tasks__that_are_for_nobody_are_dealt_out_evenly),
        cmocka_unit_test(test_tasks__of_lost_executors_are_dealt_out_evenly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
