/* SPDX-License-Identifier: Apache-2.0 */
/* What spark_conf promises of threads: no more functions at once than `threads`, on stacks of
 * thread_stack_bytes, and what is ready runs where one is free: also for jobs of one task, which a
 * calling thread may run in a worker's place. */
#include <stdatomic.h>

#include "gate.h"

static atomic_int inside, most;

static void note_inside(void)
{
    const int now = atomic_fetch_add(&inside, 1) + 1;
    int seen = atomic_load(&most);
    while (now > seen && !atomic_compare_exchange_weak(&most, &seen, now))
        continue;
}

SPARK_MAP(crowded, int64_t, int64_t)
{
    note_inside();
    nanosleep(&(struct timespec) { 0, 300000 }, NULL);
    atomic_fetch_sub(&inside, 1);
    *out = *in;
}

typedef struct caller {
    spark_context *sc;
    int partitions;
    bool good;
    pthread_t thread;
} caller;

static void *call(void *argument)
{
    caller *c = argument;
    c->good = true;
    for (int i = 0; i < 40; i++) {
        SPARK_SCOPED(c->sc);
        int64_t n = 0;
        spark_rdd *rdd = spark_map(spark_range(c->sc, 0, 4, 1, c->partitions), crowded, NULL);
        c->good = c->good && spark_count(rdd, &n) == SPARK_OK && n == 4;
    }
    return NULL;
}

static void test_threads__bound_the_functions_of_all_jobs(void **state)
{
    enum { CALLERS = 5 };
    (void)state;
    for (int threads = 1; threads <= 4; threads++)
        for (int fair = 0; fair < 2; fair++) {
            caller c[CALLERS];
            spark_context *sc = spark_context_new(
                &(spark_conf) { .threads = threads, .scheduler_mode = fair ? SPARK_FAIR : 0 });
            atomic_store(&most, 0);
            for (int i = 0; i < CALLERS; i++) {
                c[i] = (caller) { .sc = sc, .partitions = i < 4 ? 1 : 4 };
                assert_int_equal(pthread_create(&c[i].thread, NULL, call, &c[i]), 0);
            }
            for (int i = 0; i < CALLERS; i++) {
                pthread_join(c[i].thread, NULL);
                assert_true(c[i].good);
            }
            assert_in_range(atomic_load(&most), 1, threads);
            spark_context_free(sc);
        }
}

/* ---- a slow stage of one task beside a chain of stages */

SPARK_PAIR(pair, int64_t, int64_t);
SPARK_MAP(waits, int64_t, pair, gate_ref)
{
    gate_wait(*env, NULL);
    *out = (pair) { *in, *in };
}
SPARK_MAP(passes, int64_t, pair)
{
    *out = (pair) { *in, *in };
}
SPARK_MAP(opens, int64_t, pair, gate_ref)
{
    gate g = { *env };
    gate_open(&g);
    *out = (pair) { *in, *in };
}

static spark_rdd *placed(spark_rdd *pairs, int partitions)
{
    return spark_values(
        spark_partition_by(pairs, spark_hash_partitioner(spark_rdd_context(pairs), partitions)));
}

/* The one task of the first stage goes on only when the last stage of the chain has begun. */
static void test_stages__that_become_ready_do_not_wait_for_one_that_runs(void **state)
{
    (void)state;
    for (int order = 0; order < 2; order++)
        for (int partitions = 1; partitions <= 2; partitions++) {
            gate g;
            int64_t n = 0;
            gate_init(&g);
            gate_ref ref = g.state;
            spark_context *sc = oracle_open(2);
            spark_rdd *slow
                = placed(spark_map(spark_range(sc, 0, 1, 1, 1), waits, SPARK_COPY(ref)), 1);
            spark_rdd *chain
                = placed(spark_map(spark_range(sc, 0, 2, 1, partitions), passes, NULL), partitions);
            chain = placed(spark_map(chain, passes, NULL), partitions);
            chain = placed(spark_map(chain, opens, SPARK_COPY(ref)), partitions);
            const time_t start = time(NULL);
            oracle_ok(spark_count(
                order ? spark_union(slow, chain) : spark_union(chain, slow), &n));
            assert_int_equal(n, 3);
            assert_true(time(NULL) - start < GATE_SECONDS); /* the gate has opened by itself else */
            oracle_close(sc);
            gate_fini(&g);
        }
}

/* ---- stacks */

static int deep(int n)
{
    volatile char frame[4096];
    frame[0] = (char)n;
    return n == 0 ? 0 : deep(n - 1) + 1 + (frame[0] & 0);
}

SPARK_MAP(recurses, int64_t, int64_t)
{
    *out = deep(4096) + *in; /* 16 MiB */
}

static void test_stacks__are_as_large_as_configured(void **state)
{
    (void)state;
    spark_context *sc
        = spark_context_new(&(spark_conf) { .threads = 2, .thread_stack_bytes = 64 << 20 });
    for (int partitions = 1; partitions <= 3; partitions++)
        for (int i = 0; i < 5; i++) {
            spark_array a;
            oracle_ok(spark_collect(spark_map(spark_range(sc, 0, 2, 1, partitions), recurses, NULL),
                SPARK_TYPE(int64_t), &a));
            assert_int_equal(SPARK_ITEMS(int64_t, &a)[1], 4097);
            spark_array_free(&a);
        }
    spark_context_free(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_threads__bound_the_functions_of_all_jobs),
        oracle_test(test_stages__that_become_ready_do_not_wait_for_one_that_runs),
        oracle_test(test_stacks__are_as_large_as_configured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
