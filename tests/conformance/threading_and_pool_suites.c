/* SPDX-License-Identifier: Apache-2.0 */
/* Spark's PoolSuite, ThreadingSuite, SparkContextSuite and BroadcastSuite. */
#include "file_test.h"
#include "gate.h"
#include "suite.h"

#include <stdatomic.h>

SPARK_PAIR(i64_pair, int64_t, int64_t);

/* ---- pools: the order in which waiting tasks get threads */

enum { MOST_THREADS = 8, MOST_JOBS = 5 };

/* Each task notes the letter of its job when it starts, then stays, if it has to. */
static char started[64];
static atomic_int n_started;
typedef struct letter {
    char of;
    gate_ref stays;
} letter;
SPARK_FILTER(starts, int64_t, letter)
{
    started[atomic_fetch_add(&n_started, 1)] = env->of;
    gate_wait(env->stays, NULL);
    return true;
}

typedef struct blockers {
    gate_ref at[MOST_THREADS];
    int n;
} blockers;
SPARK_FILTER(blocks, int64_t, blockers)
{
    gate_wait(env->at[*in % env->n], NULL);
    return true;
}

/* in_queue: until the tasks of n stages run or wait. */
static void in_queue(spark_context *sc, size_t n)
{
    enum { LOOKS = 30000 };
    for (int i = 0; i < LOOKS; i++) {
        if (spark_active_stages(sc, SPARK_ANY, NULL, 0) == n)
            return;
        nanosleep(&(struct timespec) { 0, 1000000 }, NULL);
    }
    fail_msg("there are not %zu stages", n);
}

typedef struct queued {
    int tasks;
    const char *pool;
} queued;

/* start_in_order: all threads are held while jobs a, b, ... are queued; then threads are let go one
 * by one, each as soon as the one before has its task. Where there is one thread only, tasks do not
 * stay. */
static void start_in_order(spark_conf conf, size_t n, const queued *jobs, const char *want)
{
    gate holds[MOST_THREADS], stays;
    blockers all = { .n = conf.threads };
    spark_future *futures[MOST_JOBS];
    int64_t rows;
    gate_init(&stays);
    if (conf.threads == 1)
        gate_open(&stays);
    for (int i = 0; i < conf.threads; i++) {
        gate_init(&holds[i]);
        all.at[i] = holds[i].state;
    }
    memset(started, 0, sizeof started);
    atomic_store(&n_started, 0);
    spark_context *sc = oracle_open_conf(&conf);
    oracle_ok(spark_set_scheduler_pool(sc, "blockers"));
    /* A task that is alone may run on the thread that waits for it, and would hold no other. */
    const int blocking = conf.threads + (conf.threads == 1);
    spark_future *blocked = spark_count_async(
        spark_filter(spark_range(sc, 0, blocking, 1, blocking), blocks, SPARK_COPY(all)));
    for (int i = 0; i < conf.threads; i++)
        assert_true(gate_await(&holds[i], 1));
    for (size_t i = 0; i < n; i++) {
        const letter its = { (char)('a' + i), stays.state };
        oracle_ok(spark_set_scheduler_pool(sc, jobs[i].pool));
        futures[i] = spark_count_async(spark_filter(
            spark_range(sc, 0, jobs[i].tasks, 1, jobs[i].tasks), starts, SPARK_COPY(its)));
        in_queue(sc, i + 2);
    }
    assert_int_equal(atomic_load(&n_started), 0);
    for (int i = 0; i < conf.threads; i++) {
        gate_open(&holds[i]);
        assert_true(gate_await(&stays, i + 1));
    }
    gate_open(&stays);
    oracle_ok(spark_future_count(blocked, &rows));
    assert_int_equal(rows, blocking);
    for (size_t i = 0; i < n; i++) {
        oracle_ok(spark_future_count(futures[i], &rows));
        assert_int_equal(rows, jobs[i].tasks);
    }
    oracle_close(sc);
    gate_fini(&stays);
    for (int i = 0; i < conf.threads; i++)
        gate_fini(&holds[i]);
    /* Tasks that were left when all threads had one started in any order. */
    started[strlen(want)] = 0;
    assert_string_equal(started, want);
}

static void pool_suite__fifo_takes_older_jobs_first(void **state)
{
    static const queued jobs[] = { { 2, NULL }, { 2, NULL }, { 2, NULL } };
    (void)state;
    start_in_order((spark_conf) { .threads = 1 }, LENGTH(jobs), jobs, "aabbcc");
}

static void pool_suite__fifo_does_not_look_at_pools(void **state)
{
    static const spark_pool pools[] = { { "light", 1, 0 }, { "heavy", 9, 9 } };
    static const queued jobs[] = { { 2, "light" }, { 2, "heavy" }, { 2, "light" } };
    (void)state;
    start_in_order(
        (spark_conf) { .threads = 1, .pools = pools, .n_pools = 2 }, LENGTH(jobs), jobs, "aabbcc");
}

static void pool_suite__fair_fills_minimum_shares_first(void **state)
{
    /* By the part of its minimum that a pool has, then by weights; in a pool older jobs first. */
    static const spark_pool pools[] = { { "1", 1, 2 }, { "2", 1, 3 } };
    static const queued jobs[] = { { 1, "1" }, { 1, "1" }, { 2, "1" }, { 2, "2" }, { 2, "2" } };
    (void)state;
    start_in_order(
        (spark_conf) { .threads = 8, .scheduler_mode = SPARK_FAIR, .pools = pools, .n_pools = 2 },
        LENGTH(jobs), jobs, "addbecce");
}

static void pool_suite__fair_goes_by_weight(void **state)
{
    static const spark_pool pools[] = { { "a", 1, 0 }, { "b", 3, 0 } };
    static const queued jobs[] = { { 8, "a" }, { 8, "b" } };
    (void)state;
    start_in_order(
        (spark_conf) { .threads = 8, .scheduler_mode = SPARK_FAIR, .pools = pools, .n_pools = 2 },
        LENGTH(jobs), jobs, "abbbabbb");
}

/* ---- threads that share a context */

static void threading_suite__a_running_job_keeps_the_group_it_was_started_with(void **state)
{
    gate g;
    int64_t n;
    (void)state;
    gate_init(&g);
    spark_context *sc = oracle_open(2);
    {
        SPARK_SCOPED(sc);
        oracle_ok(spark_set_job_group(sc, "original", NULL));
        spark_future *job = spark_count_async(
            spark_filter(spark_range(sc, 0, 2, 1, 2), held_or_cancelled, SPARK_COPY(g.state)));
        oracle_ok(spark_set_job_group(sc, "modified", NULL));
        assert_true(gate_await(&g, 2));
        spark_cancel_job_group(sc, "modified", NULL);
        spark_cancel_job_group(sc, "original", NULL);
        oracle_fails(spark_future_count(job, &n), SPARK_ECANCELLED, "group original");
    }
    oracle_close(sc);
    gate_fini(&g);
}

static void threading_suite__two_jobs_run_at_the_same_time(void **state)
{
    /* The gate opens when all tasks of both stand there. */
    gate g;
    int64_t n;
    (void)state;
    gate_init(&g);
    spark_context *sc = oracle_open(4);
    spark_rdd *rdd = spark_filter(spark_range(sc, 0, 2, 1, 2), held, SPARK_COPY(g.state));
    spark_future *jobs[2] = { spark_count_async(rdd), spark_count_async(rdd) };
    assert_true(gate_await(&g, 4));
    gate_open(&g);
    for (int i = 0; i < 2; i++) {
        oracle_ok(spark_future_count(jobs[i], &n));
        assert_int_equal(n, 2);
    }
    oracle_close(sc);
    gate_fini(&g);
}

SPARK_MAP(by_seven, int64_t, i64_pair)
{
    *out = (i64_pair) { *in % 7, *in };
}

/* asker: a thread that asks one context several times, and for each question knows the answer. */
typedef struct asker {
    pthread_t thread;
    spark_context *sc;
    gate_ref start;
    int64_t number;
    int wrong; /* the question that was answered wrongly; -1: none */
    char message[800];
} asker;

static bool answers(spark_context *sc, int64_t rows)
{
    spark_rdd *rdd = spark_range(sc, 0, rows, 1, 1 + (int)(rows % 5));
    spark_array sums;
    int64_t n, all = 0;
    if (spark_count(rdd, &n) != SPARK_OK || n != rows)
        return false;
    rdd = spark_reduce_by_key(spark_map(rdd, by_seven, NULL), spark_op_sum, NULL, 3);
    if (spark_collect(rdd, SPARK_TYPE(i64_pair), &sums) != SPARK_OK)
        return false;
    for (size_t i = 0; i < sums.n; i++)
        all += SPARK_ITEMS(i64_pair, &sums)[i].value;
    const bool right = sums.n == 7 && all == rows * (rows - 1) / 2;
    spark_array_free(&sums);
    return right;
}

static void *ask(void *arg)
{
    enum { QUESTIONS = 10 };
    asker *a = arg;
    gate_wait(a->start, NULL);
    a->wrong = -1;
    for (int i = 0; i < QUESTIONS && a->wrong < 0; i++) {
        SPARK_SCOPED(a->sc);
        if (!answers(a->sc, 100 + 16 * i + a->number)) {
            a->wrong = i;
            snprintf(a->message, sizeof a->message, "%s", spark_last_error()->message);
        }
    }
    return NULL;
}

static void threading_suite__many_threads_get_their_own_answers(void **state)
{
    enum { THREADS = 16 };
    static asker askers[THREADS];
    gate start;
    (void)state;
    gate_init(&start);
    spark_context *sc = oracle_open(4);
    for (int i = 0; i < THREADS; i++) {
        askers[i].sc = sc;
        askers[i].start = start.state;
        askers[i].number = i;
        assert_int_equal(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
    }
    assert_true(gate_await(&start, THREADS));
    gate_open(&start);
    for (int i = 0; i < THREADS; i++)
        pthread_join(askers[i].thread, NULL);
    for (int i = 0; i < THREADS; i++)
        if (askers[i].wrong >= 0)
            fail_msg("thread %d, question %d: %s", i, askers[i].wrong, askers[i].message);
    oracle_close(sc);
    gate_fini(&start);
}

/* ---- the context */

static void spark_context_suite__cancelling_has_a_reason(void **state)
{
    static const char reason[] = "You shall not pass";
    (void)state;
    for (int stage = 0; stage < 2; stage++) {
        gate g;
        int64_t n;
        gate_init(&g);
        spark_context *sc = oracle_open(2);
        spark_future *job = spark_count_async(
            spark_filter(spark_range(sc, 0, 2, 1, 2), held_or_cancelled, SPARK_COPY(g.state)));
        assert_true(gate_await(&g, 1));
        if (stage)
            spark_cancel_stage(sc, 0, reason);
        else
            spark_cancel_job(sc, 0, reason);
        oracle_fails(spark_future_count(job, &n), SPARK_ECANCELLED, reason);
        assert_int_equal(spark_last_error()->job, 0);
        oracle_close(sc);
        gate_fini(&g);
    }
}

static void spark_context_suite__a_group_nobody_knows_can_be_cancelled(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_cancel_job_group(sc, "unknown", NULL);
    assert_int_equal(oracle_count(spark_range(sc, 0, 100, 1, 2)), 100);
    oracle_close(sc);
}

static void spark_context_suite__paths_with_commas_are_several(void **state)
{
    (void)state;
    assert_int_equal(mkdir("d1", 0777), 0);
    assert_int_equal(mkdir("d2", 0777), 0);
    scratch_write("d1/one", "uno", 3);
    scratch_write("d1/two", "due", 3);
    scratch_write("d2/three", "tre\n", 4);
    spark_context *sc = oracle_open(2);
    spark_rdd *texts = spark_whole_text_files(sc, "d1,d2", 0);
    oracle_collects(spark_keys(texts), "d1/one d1/two d2/three");
    oracle_collects(spark_values(texts), "uno due tre\n");
    spark_rdd *bytes = spark_binary_files(sc, "d1,d2", 0);
    oracle_collects(spark_keys(bytes), "d1/one d1/two d2/three");
    spark_array contents;
    oracle_ok(spark_collect(spark_values(bytes), SPARK_TYPE(spark_bytes), &contents));
    assert_int_equal(contents.n, 3);
    static const char *const want[] = { "uno", "due", "tre\n" };
    for (size_t i = 0; i < 3; i++) {
        const spark_bytes *have = &SPARK_ITEMS(spark_bytes, &contents)[i];
        assert_int_equal(have->len, strlen(want[i]));
        assert_memory_equal(have->ptr, want[i], have->len);
    }
    spark_array_free(&contents);
    oracle_close(sc);
}

/* ---- broadcasts */

SPARK_MAP(whole_value, int64_t, spark_bytes, spark_bytes)
{
    *out = *env;
}

static void broadcast_suite__random_bytes_arrive_as_they_are(void **state)
{
    enum { ARRAYS = 100, MOST = 10240, TASKS = 8 };
    static uint8_t bytes[MOST];
    uint64_t random = 42;
    spark_context *sc = *state;
    for (int a = 0; a < ARRAYS; a++) {
        SPARK_SCOPED(sc);
        spark_array values;
        const size_t n = oracle_below(&random, MOST + 1);
        for (size_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)oracle_random(&random);
        const spark_bytes value = { bytes, n };
        spark_broadcast *b = spark_broadcast_new(sc, SPARK_VALUE(spark_bytes, &value));
        assert_non_null(b);
        oracle_ok(spark_collect(
            spark_map(spark_range(sc, 0, TASKS, 1, TASKS), whole_value, SPARK_SHARED(b)),
            SPARK_TYPE(spark_bytes), &values));
        assert_int_equal(values.n, TASKS);
        for (size_t i = 0; i < TASKS; i++) {
            const spark_bytes *have = &SPARK_ITEMS(spark_bytes, &values)[i];
            assert_int_equal(have->len, n);
            assert_memory_equal(have->ptr, bytes, n);
        }
        spark_array_free(&values);
    }
}

SPARK_MAP(item_of, int64_t, int64_t, spark_i64_list)
{
    *out = env->at[(size_t)*in % env->n];
}

/* reader: a thread that collects an RDD of its own. */
typedef struct reader {
    pthread_t thread;
    spark_rdd *rdd;
    spark_status status;
    spark_array found;
} reader;
static void *read_all(void *arg)
{
    reader *r = arg;
    r->status = spark_collect(r->rdd, SPARK_TYPE(int64_t), &r->found);
    return NULL;
}

static void broadcast_suite__serves_several_rdds_and_threads(void **state)
{
    enum { READERS = 6, ITEMS = 1000, ROWS = 3000 };
    static int64_t items[ITEMS];
    static reader readers[READERS];
    uint64_t random = 7;
    spark_context *sc = *state;
    for (int i = 0; i < ITEMS; i++)
        items[i] = (int64_t)oracle_random(&random);
    const spark_i64_list list = { items, ITEMS };
    spark_broadcast *b = spark_broadcast_new(sc, SPARK_VALUE(spark_i64_list, &list));
    assert_non_null(b);
    for (int i = 0; i < READERS; i++) {
        readers[i].rdd
            = spark_map(spark_range(sc, i, i + ROWS, 1, 1 + i), item_of, SPARK_SHARED(b));
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_all, &readers[i]), 0);
    }
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i].thread, NULL);
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(readers[i].status, SPARK_OK);
        assert_int_equal(readers[i].found.n, ROWS);
        for (int k = 0; k < ROWS; k++)
            assert_true(SPARK_ITEMS(int64_t, &readers[i].found)[k] == items[(i + k) % ITEMS]);
        spark_array_free(&readers[i].found);
    }
}

static void broadcast_suite__destroyed_it_cannot_be_used(void **state)
{
    static const int64_t items[] = { 10, 20, 30 };
    const spark_i64_list list = { items, 3 };
    int64_t n;
    spark_context *sc = *state;
    spark_rdd *rdd = spark_range(sc, 0, 4, 1, 2);
    spark_broadcast *b = spark_broadcast_new(sc, SPARK_VALUE(spark_i64_list, &list));
    spark_rdd *mapped = spark_map(rdd, item_of, SPARK_SHARED(b));
    oracle_collects(mapped, "10 20 30 10");
    assert_non_null(spark_broadcast_value(b));
    spark_broadcast_destroy(b);
    assert_null(spark_broadcast_value(b));
    oracle_fails(spark_count(mapped, &n), SPARK_EINVAL, "broadcast that was destroyed");
    oracle_fails(spark_count(spark_map(rdd, item_of, SPARK_SHARED(b)), &n), SPARK_EINVAL,
        "broadcast that was destroyed");
    assert_int_equal(oracle_count(rdd), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(pool_suite__fifo_takes_older_jobs_first),
        oracle_test(pool_suite__fifo_does_not_look_at_pools),
        oracle_test(pool_suite__fair_fills_minimum_shares_first),
        oracle_test(pool_suite__fair_goes_by_weight),
        oracle_test(threading_suite__a_running_job_keeps_the_group_it_was_started_with),
        oracle_test(threading_suite__two_jobs_run_at_the_same_time),
        oracle_test(threading_suite__many_threads_get_their_own_answers),
        oracle_test(spark_context_suite__cancelling_has_a_reason),
        oracle_test(spark_context_suite__a_group_nobody_knows_can_be_cancelled),
        file_test(spark_context_suite__paths_with_commas_are_several),
        suite_case(broadcast_suite__random_bytes_arrive_as_they_are),
        suite_case(broadcast_suite__serves_several_rdds_and_threads),
        suite_case(broadcast_suite__destroyed_it_cannot_be_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
