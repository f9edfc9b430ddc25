/* SPDX-License-Identifier: Apache-2.0 */
/* Futures: actions that run while their caller goes on. */
#include "blame.h"
#include "gate.h"

#include <stdatomic.h>

#define ROWS 1000

SPARK_PAIR(i64_i64, int64_t, int64_t);
typedef const spark_accumulator *counter;

SPARK_MAP(to_word, int64_t, spark_str)
{
    *out = spark_str_format(task, "word %lld", (long long)*in);
}
SPARK_MAP(fail_at, int64_t, int64_t, int64_t)
{
    if (*in == *env)
        spark_fail(task, "met %lld", (long long)*in);
    *out = *in;
}
SPARK_MAP(by_seven, int64_t, i64_i64)
{
    *out = (i64_i64) { *in % 7, *in };
}
SPARK_FOREACH(count_up, int64_t, counter)
{
    (void)in;
    spark_accumulate(task, *env, 1);
}
SPARK_FOREACH(no_env, int64_t)
{
    (void)in;
}
SPARK_FOREACH_PARTITION(count_partitions, int64_t, counter)
{
    spark_accumulate(task, *env, 1);
}
SPARK_FOREACH_PARTITION(add_env, int64_t, int64_t)
{
    if (*env != 7)
        spark_fail(task, "env is %lld", (long long)*env);
}

/* at_gate: an RDD of one element in each of n partitions, whose tasks wait at g. */
static spark_rdd *at_gate(spark_context *sc, gate *g, int n)
{
    gate_ref ref = g->state;
    return spark_filter(spark_range(sc, 0, n, 1, n), held, SPARK_COPY(ref));
}

static int64_t counted(spark_future *f)
{
    int64_t n = -1;
    oracle_ok(spark_future_count(f, &n));
    return n;
}

/* lists_numbers: from, from + 1, ... */
static void lists_numbers(spark_array *array, int64_t from, size_t n)
{
    assert_int_equal(array->n, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(SPARK_ITEMS(int64_t, array)[i], from + (int64_t)i);
    spark_array_free(array);
}

/* ---- AsyncRDDActionsSuite */

static void test_count_async__counts(void **state)
{
    (void)state;
    for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
        spark_context *sc = oracle_open_conf(&oracle_confs[c]);
        assert_int_equal(counted(spark_count_async(spark_empty_rdd(sc, SPARK_TYPE(int64_t)))), 0);
        for (size_t p = 0; p < LENGTH(oracle_partitions); p++) {
            spark_future *f = spark_count_async(spark_range(sc, 0, 10000, 1, oracle_partitions[p]));
            assert_int_equal(counted(f), 10000);
            assert_int_equal(counted(f), 10000); /* as often as one likes */
            assert_true(spark_future_is_completed(f));
            assert_int_equal(
                counted(spark_count_async(spark_range(sc, 0, 0, 1, oracle_partitions[p]))), 0);
        }
        oracle_close(sc);
    }
}

static void test_collect_async__gives_all_in_order(void **state)
{
    (void)state;
    for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
        spark_context *sc = oracle_open_conf(&oracle_confs[c]);
        for (size_t p = 0; p < LENGTH(oracle_partitions); p++) {
            const int partitions = oracle_partitions[p];
            spark_array array;
            spark_rdd *rdd = spark_range(sc, 0, ROWS, 1, partitions);
            spark_future *numbers = spark_collect_async(rdd, SPARK_TYPE(int64_t));
            spark_future *words = spark_collect_async(spark_map(rdd, to_word, NULL), NULL);
            spark_future *sums = spark_collect_async(
                spark_reduce_by_key(spark_map(rdd, by_seven, NULL), spark_op_sum, NULL, 3),
                SPARK_TYPE(i64_i64));
            oracle_ok(spark_future_get(numbers, &array));
            lists_numbers(&array, 0, ROWS);
            oracle_ok(spark_future_get(words, &array));
            assert_int_equal(array.n, ROWS);
            for (int i = 0; i < ROWS; i++) {
                char want[32];
                const int n = snprintf(want, sizeof want, "word %d", i);
                assert_true(spark_str_equal(
                    SPARK_ITEMS(spark_str, &array)[i], (spark_str) { want, (size_t)n }));
            }
            spark_array_free(&array);
            oracle_ok(spark_future_get(sums, &array));
            int64_t sum = 0;
            for (size_t i = 0; i < array.n; i++)
                sum += SPARK_ITEMS(i64_i64, &array)[i].value;
            assert_int_equal(array.n, 7);
            assert_int_equal(sum, ROWS * (ROWS - 1) / 2);
            spark_array_free(&array);
        }
        oracle_close(sc);
    }
}

static void test_collect_async__of_nothing_is_empty(void **state)
{
    spark_array array;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *none[] = { spark_empty_rdd(sc, SPARK_TYPE(int64_t)), spark_range(sc, 0, 0, 1, 3) };
    for (size_t i = 0; i < 2; i++) {
        oracle_ok(spark_future_get(spark_collect_async(none[i], NULL), &array));
        assert_int_equal(array.n, 0);
        assert_ptr_equal(array.type, SPARK_TYPE(int64_t));
        spark_array_free(&array);
        oracle_ok(spark_future_get(spark_take_async(none[i], 5, NULL), &array));
        assert_int_equal(array.n, 0);
        spark_array_free(&array);
    }
    oracle_close(sc);
}

static void test_take_async__gives_the_first_elements(void **state)
{
    static const size_t counts[] = { 0, 1, 999, 500, 3, ROWS, 5000, SIZE_MAX };
    (void)state;
    for (size_t c = 0; c < LENGTH(oracle_confs); c += 2) {
        spark_context *sc = oracle_open_conf(&oracle_confs[c]);
        for (size_t p = 0; p < LENGTH(oracle_partitions); p++) {
            spark_rdd *rdd = spark_range(sc, 0, ROWS, 1, oracle_partitions[p]);
            spark_future *f[LENGTH(counts)];
            for (size_t i = 0; i < LENGTH(counts); i++)
                f[i] = spark_take_async(rdd, counts[i], SPARK_TYPE(int64_t));
            for (size_t i = LENGTH(counts); i-- > 0;) {
                spark_array array;
                oracle_ok(spark_future_get(f[i], &array));
                lists_numbers(&array, 0, counts[i] < ROWS ? counts[i] : ROWS);
            }
        }
        oracle_close(sc);
    }
}

static void test_foreach_async__visits_everything_once(void **state)
{
    const int64_t seven = 7;
    (void)state;
    for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
        spark_context *sc = oracle_open_conf(&oracle_confs[c]);
        counter rows = spark_counter(sc, NULL), partitions = spark_counter(sc, NULL);
        spark_rdd *rdd = spark_range(sc, 1, 1001, 1, 9), *none = spark_range(sc, 0, 0, 1, 2);
        oracle_ok(spark_future_wait(spark_foreach_async(rdd, count_up, SPARK_COPY(rows)), -1));
        assert_int_equal(spark_accumulator_value(rows), 1000);
        oracle_ok(spark_future_wait(
            spark_foreach_partition_async(rdd, count_partitions, SPARK_COPY(partitions)), -1));
        assert_int_equal(spark_accumulator_value(partitions), 9);
        oracle_ok(spark_future_wait(spark_foreach_async(none, count_up, SPARK_COPY(rows)), -1));
        oracle_ok(spark_future_wait(
            spark_foreach_partition_async(none, count_partitions, SPARK_COPY(partitions)), -1));
        none = spark_empty_rdd(sc, SPARK_TYPE(int64_t));
        oracle_ok(spark_future_wait(spark_foreach_async(none, count_up, SPARK_COPY(rows)), -1));
        oracle_ok(spark_future_wait(
            spark_foreach_partition_async(none, count_partitions, SPARK_COPY(partitions)), -1));
        assert_int_equal(spark_accumulator_value(rows), 1000);
        assert_int_equal(spark_accumulator_value(partitions), 11);
        spark_broadcast *b = spark_broadcast_new(sc, SPARK_VALUE(int64_t, &seven));
        oracle_ok(
            spark_future_wait(spark_foreach_partition_async(rdd, add_env, SPARK_SHARED(b)), -1));
        oracle_close(sc);
    }
}

/* The environment and the definition are copied: what was given may go at once. */
static atomic_int destroyed;
static void destroy(void *data)
{
    atomic_fetch_add(&destroyed, 1);
    free(data);
}

static spark_future *started_with_locals(spark_rdd *rdd)
{
    spark_foreach_partition_def f = *add_env;
    int64_t seven = 7;
    spark_future *future = spark_foreach_partition_async(rdd, &f, SPARK_COPY(seven));
    memset(&f, 'z', sizeof f);
    seven = 0;
    return future;
}

static void test_foreach_async__keeps_what_it_was_given(void **state)
{
    gate g;
    (void)state;
    gate_init(&g);
    spark_context *sc = oracle_open(1);
    spark_future *first = spark_count_async(at_gate(sc, &g, 2)); /* keeps the worker */
    assert_true(gate_await(&g, 1));
    spark_future *f = started_with_locals(spark_range(sc, 0, 3, 1, 2));
    int64_t *seven = malloc(sizeof *seven);
    assert_non_null(seven);
    *seven = 7;
    atomic_store(&destroyed, 0);
    spark_scope *scope = spark_scope_begin(sc);
    spark_future *owner = spark_foreach_partition_async(
        spark_range(sc, 0, 3, 1, 2), add_env, SPARK_OWN(seven, destroy));
    assert_int_equal(spark_future_wait(owner, 0), SPARK_ETIMEOUT);
    assert_int_equal(atomic_load(&destroyed), 0);
    gate_open(&g);
    oracle_ok(spark_future_wait(f, -1));
    oracle_ok(spark_future_wait(owner, -1));
    spark_scope_end(scope);
    assert_int_equal(atomic_load(&destroyed), 1);
    assert_int_equal(counted(first), 2);
    /* Also where nothing is started. */
    seven = malloc(sizeof *seven);
    assert_non_null(seven);
    scope = spark_scope_begin(sc);
    assert_int_equal(
        spark_future_wait(
            spark_foreach_partition_async(broken(sc), add_env, SPARK_OWN(seven, destroy)), -1),
        SPARK_EINVAL);
    spark_scope_end(scope);
    assert_int_equal(atomic_load(&destroyed), 2);
    seven = malloc(sizeof *seven);
    assert_non_null(seven);
    assert_int_equal(
        spark_future_wait(
            spark_foreach_partition_async(NULL, add_env, SPARK_OWN(seven, destroy)), -1),
        SPARK_EINVAL);
    assert_int_equal(atomic_load(&destroyed), 3);
    oracle_close(sc);
    gate_fini(&g);
}

/* ---- waiting */

static void test_wait__ends_after_its_time(void **state)
{
    gate g;
    spark_array array = { SPARK_TYPE(int64_t), "x", 3, NULL };
    (void)state;
    gate_init(&g);
    spark_context *sc = oracle_open(2);
    spark_future *f = spark_collect_async(at_gate(sc, &g, 2), NULL);
    assert_true(gate_await(&g, 2));
    assert_false(spark_future_is_completed(f));
    oracle_fails(spark_future_wait(f, 0), SPARK_ETIMEOUT, "still runs");
    oracle_fails(spark_future_wait(f, 20), SPARK_ETIMEOUT, "still runs");
    oracle_fails(spark_future_wait(f, 1), SPARK_ETIMEOUT, "test_async.c:");
    assert_memory_equal(spark_last_error()->site, TEST_FILE ":", sizeof TEST_FILE);
    assert_false(spark_future_is_completed(f));
    gate_open(&g);
    oracle_ok(spark_future_wait(f, INT64_MAX));
    oracle_ok(spark_future_wait(f, 0));
    oracle_ok(spark_future_wait(f, -1));
    oracle_ok(spark_future_wait(f, INT64_MIN));
    assert_true(spark_future_is_completed(f));
    oracle_ok(spark_future_get(f, &array));
    lists_numbers(&array, 0, 2);
    oracle_close(sc);
    gate_fini(&g);
}

/* The caller goes on while the action runs: it opens the gate that the tasks stand at. */
static void test_futures__run_beside_their_caller_and_each_other(void **state)
{
    enum { N = 8 };
    gate g;
    spark_future *f[N];
    (void)state;
    gate_init(&g);
    spark_context *sc = oracle_open(N);
    for (int i = 0; i < N; i++)
        f[i] = spark_count_async(at_gate(sc, &g, 1));
    assert_true(gate_await(&g, N)); /* all of them at once */
    for (int i = 0; i < N; i++)
        assert_false(spark_future_is_completed(f[i]));
    gate_open(&g);
    for (int i = 0; i < N; i++)
        assert_int_equal(counted(f[i]), 1);
    oracle_close(sc);
    gate_fini(&g);
}

static void test_get__hands_the_elements_over_once(void **state)
{
    spark_array array, again = { SPARK_TYPE(int64_t), "x", 3, NULL };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_future *f[] = { spark_collect_async(spark_range(sc, 0, 5, 1, 2), NULL),
        spark_take_async(spark_range(sc, 0, 9, 1, 2), 5, NULL) };
    for (size_t i = 0; i < 2; i++) {
        oracle_ok(spark_future_get(f[i], &array));
        oracle_fails(spark_future_get(f[i], &again), SPARK_EINVAL, "taken before");
        assert_null(again.items);
        assert_int_equal(again.n, 0);
        oracle_ok(spark_future_wait(f[i], -1));
        lists_numbers(&array, 0, 5);
    }
    oracle_close(sc);
}

static void test_get__refuses_what_does_not_fit(void **state)
{
    spark_array array = { SPARK_TYPE(int64_t), "x", 3, NULL };
    int64_t n = 5;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_range(sc, 0, 5, 1, 2);
    oracle_fails(spark_future_get(spark_count_async(rdd), &array), SPARK_EINVAL, "has no elements");
    assert_null(array.items);
    oracle_fails(spark_future_get(spark_foreach_async(rdd, no_env, NULL), &array), SPARK_EINVAL,
        "has no elements");
    oracle_fails(spark_future_get(spark_collect_async(rdd, NULL), NULL), SPARK_EINVAL, "no place");
    oracle_fails(
        spark_future_count(spark_collect_async(rdd, NULL), &n), SPARK_EINVAL, "is no count");
    oracle_fails(spark_future_count(spark_count_async(rdd), NULL), SPARK_EINVAL, "no place");
    oracle_fails(spark_future_wait(NULL, 0), SPARK_EINVAL, "NULL");
    oracle_fails(spark_future_get(NULL, &array), SPARK_EINVAL, "NULL");
    oracle_fails(spark_future_count(NULL, &n), SPARK_EINVAL, "NULL");
    assert_true(spark_future_is_completed(NULL));
    assert_false(spark_future_on_complete(NULL, NULL, NULL));
    spark_future_cancel(NULL);
    /* The type is compared as the blocking action does. */
    oracle_fails(spark_future_get(spark_collect_async(rdd, SPARK_TYPE(double)), &array),
        SPARK_ETYPE, "collect at " TEST_FILE ":");
    oracle_fails(spark_future_get(spark_take_async(rdd, 2, SPARK_TYPE(spark_str)), &array),
        SPARK_ETYPE, "take at " TEST_FILE ":");
    oracle_close(sc);
}

/* ---- failures */

static void test_futures__bring_the_error_of_their_action(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2) {
        spark_array array = { SPARK_TYPE(int64_t), "x", 3, NULL };
        int64_t n = 5;
        spark_context *sc = oracle_open(threads);
        spark_rdd *rdd
            = spark_map(spark_range(sc, 0, 10, 1, 2), fail_at, SPARK_COPY((int64_t) { 7 }));
        spark_future *f[] = { spark_collect_async(rdd, NULL), spark_count_async(rdd),
            spark_take_async(rdd, 8, NULL), spark_foreach_async(rdd, no_env, NULL) };
        for (size_t i = 0; i < LENGTH(f); i++) {
            oracle_fails(spark_future_wait(f[i], -1), SPARK_ETASK, "met 7");
            oracle_fails(spark_future_get(f[i], &array), SPARK_ETASK, "met 7");
            assert_null(array.items);
            oracle_fails(spark_future_count(f[i], &n), SPARK_ETASK, "met 7");
            assert_int_equal(n, 0);
            assert_string_equal(spark_last_error()->operation, "map(fail_at)");
            assert_int_equal(spark_last_error()->partition, 1);
            assert_int_equal(spark_last_error()->record, 2);
            assert_true(spark_last_error()->job >= 0);
        }
        oracle_ok(spark_count(spark_range(sc, 0, 3, 1, 1), &n));
        oracle_close(sc);
    }
}

static void test_futures__that_cannot_start_say_so(void **state)
{
    spark_array array;
    const int64_t x = 1;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *bad = broken(sc), *rdd = spark_range(sc, 0, 5, 1, 1);
    spark_future *f[] = { spark_collect_async(bad, NULL), spark_count_async(bad),
        spark_take_async(bad, 1, NULL), spark_foreach_async(bad, no_env, NULL),
        spark_foreach_partition_async(bad, add_env, SPARK_COPY(x)) };
    for (size_t i = 0; i < LENGTH(f); i++) {
        assert_non_null(f[i]);
        oracle_fails(spark_future_wait(f[i], -1), SPARK_EINVAL, "range at ");
        assert_true(spark_future_is_completed(f[i]));
        spark_future_cancel(f[i]);
        oracle_fails(spark_future_get(f[i], &array), SPARK_EINVAL, "range at ");
    }
    spark_future *none[] = { spark_collect_async(NULL, NULL), spark_count_async(NULL),
        spark_take_async(NULL, 1, NULL), spark_foreach_async(NULL, no_env, NULL),
        spark_foreach_partition_async(NULL, add_env, SPARK_COPY(x)) };
    for (size_t i = 0; i < LENGTH(none); i++) {
        assert_non_null(none[i]);
        oracle_fails(spark_future_wait(none[i], -1), SPARK_EINVAL, "the RDD or the context is NULL");
        assert_true(spark_future_is_completed(none[i]));
        assert_false(spark_future_on_complete(none[i], NULL, NULL));
        spark_future_cancel(none[i]);
    }
    oracle_fails(spark_future_wait(spark_foreach_async(rdd, NULL, NULL), -1), SPARK_EINVAL,
        "foreach at " TEST_FILE);
    oracle_fails(spark_future_wait(spark_foreach_partition_async(rdd, NULL, NULL), -1),
        SPARK_EINVAL, "foreachPartition at " TEST_FILE);
    oracle_fails(spark_future_wait(spark_foreach_partition_async(rdd, add_env, NULL), -1),
        SPARK_EINVAL, "env of 8 bytes");
    oracle_fails(
        spark_future_wait(spark_foreach_async(spark_map(rdd, to_word, NULL), no_env, NULL), -1),
        SPARK_ETYPE, "foreach(no_env) at " TEST_FILE);
    oracle_close(sc);
}

/* Of a context that could not start, futures bring the error that actions bring. */
static void test_futures__of_a_context_that_could_not_start(void **state)
{
    const spark_conf confs[] = { { .master = "yarn" }, { .threads = -1 },
        { .threads = 1, .thread_stack_bytes = SIZE_MAX / 4 } };
    (void)state;
    for (size_t i = 0; i < LENGTH(confs); i++) {
        int64_t n;
        char message[400];
        spark_context *sc = spark_context_new(&confs[i]);
        spark_rdd *rdd = spark_range(sc, 0, 1, 1, 1);
        const spark_status status = spark_count(rdd, &n);
        snprintf(message, sizeof message, "%s", spark_last_error()->message);
        assert_int_equal(status, i < 2 ? SPARK_EINVAL : SPARK_ENOMEM);
        spark_future *f[] = { spark_collect_async(rdd, NULL), spark_count_async(rdd),
            spark_take_async(rdd, 1, NULL), spark_foreach_async(rdd, no_env, NULL) };
        for (size_t k = 0; k < LENGTH(f); k++) {
            assert_int_equal(spark_future_wait(f[k], -1), status);
            assert_string_equal(spark_last_error()->message, message);
            assert_true(spark_future_is_completed(f[k]));
            assert_int_equal(spark_future_job(f[k]), -1);
        }
        spark_context_free(sc);
    }
}

static void test_job__is_the_one_that_runs_or_ran(void **state)
{
    gate g;
    int id;
    (void)state;
    gate_init(&g);
    spark_context *sc = oracle_open(2);
    spark_future *f = spark_count_async(at_gate(sc, &g, 6));
    assert_true(gate_await(&g, 1));
    assert_int_equal(spark_active_jobs(sc, NULL, &id, 1), 1);
    assert_int_equal(spark_future_job(f), id);
    /* How far it is. */
    spark_job_stats stats;
    assert_int_equal(spark_job_stats_get(sc, id, &stats), SPARK_OK);
    assert_int_equal(stats.total_tasks, 6);
    assert_int_equal(stats.tasks, 0);
    gate_open(&g);
    assert_int_equal(counted(f), 6);
    assert_int_equal(spark_future_job(f), id);
    assert_int_equal(spark_job_stats_get(sc, id, &stats), SPARK_OK);
    assert_int_equal(stats.total_tasks, 6);
    assert_int_equal(stats.tasks, 6);
    /* A take has several jobs. */
    spark_array array;
    f = spark_take_async(spark_range(sc, 0, 40, 1, 40), 20, NULL);
    assert_int_equal(spark_future_get(f, &array), SPARK_OK);
    spark_array_free(&array);
    assert_int_equal(spark_future_job(f), oracle_last_job(sc).job);
    assert_true(spark_future_job(f) > id + 1);
    assert_int_equal(spark_future_job(NULL), -1);
    oracle_close(sc);
    gate_fini(&g);
}

static size_t address_space(void)
{
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%zu", &pages), 1);
    fclose(file);
    return pages;
}

/* A thread that is not joined keeps its stack: 8 MiB of addresses, 24 GB for all. */
static void test_futures__that_have_ended_keep_no_thread(void **state)
{
    enum { MANY = 3000 };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_range(sc, 0, 2, 1, 1);
    size_t before = 0;
    for (int i = 0; i < MANY; i++) {
        if (i == MANY / 10)
            before = address_space();
        assert_int_equal(counted(spark_count_async(rdd)), 2);
    }
    assert_true(address_space() < before + ((size_t)1 << 30) / 4096); /* which may be less than before */
    oracle_close(sc);
}

/* An action inside a function of a task. */
typedef spark_rdd *rdd_ref;
SPARK_MAP(starts_one, int64_t, int64_t, rdd_ref)
{
    const spark_status status = spark_future_wait(spark_count_async(*env), -1);
    *out = status == SPARK_EINVAL
        && strstr(spark_last_error()->message, "inside a function of a task") != NULL;
}

static void test_futures__are_not_for_functions_of_tasks(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    rdd_ref rdd = spark_range(sc, 0, 5, 1, 1);
    oracle_collects(spark_map(spark_range(sc, 0, 4, 1, 2), starts_one, SPARK_COPY(rdd)), "1 1 1 1");
    oracle_close(sc);
}

static void test_futures__survive_faults(void **state)
{
    (void)state;
    spark_context *sc = oracle_open_failing(2, true);
    spark_rdd *sums = spark_reduce_by_key(
        spark_map(spark_range(sc, 0, ROWS, 1, 5), by_seven, NULL), spark_op_sum, NULL, 3);
    spark_future *f[20];
    for (size_t i = 0; i < LENGTH(f); i++)
        f[i] = spark_count_async(sums);
    for (size_t i = 0; i < LENGTH(f); i++)
        assert_int_equal(counted(f[i]), 7);
    oracle_close(sc);
}

/* ---- callbacks */

typedef struct called {
    gate gate;
    spark_future *future;
    atomic_int times;
    spark_status status;
    bool completed;
} called;

static void note(spark_future *future, void *data)
{
    called *c = data;
    c->completed = spark_future_is_completed(future);
    c->status = spark_future_wait(future, 0);
    c->future = future;
    atomic_fetch_add(&c->times, 1);
    gate_wait(c->gate.state, NULL);
}

static void called_init(called *c)
{
    *c = (called) { .future = NULL };
    gate_init(&c->gate);
    gate_open(&c->gate);
}

static void test_on_complete__is_called_when_the_action_has_ended(void **state)
{
    gate g;
    called good, bad, late, refused;
    (void)state;
    gate_init(&g);
    called_init(&good);
    called_init(&bad);
    called_init(&late);
    called_init(&refused);
    spark_context *sc = oracle_open(2);
    spark_future *f = spark_count_async(at_gate(sc, &g, 1));
    spark_future *fails
        = spark_count_async(spark_map(at_gate(sc, &g, 1), fail_at, SPARK_COPY((int64_t) { 0 })));
    spark_future *other = spark_count_async(at_gate(sc, &g, 1));
    assert_true(spark_future_on_complete(f, note, &good));
    assert_true(spark_future_on_complete(fails, note, &bad));
    assert_false(spark_future_on_complete(f, note, &refused)); /* there is one */
    assert_false(spark_future_on_complete(other, NULL, NULL));
    assert_int_equal(atomic_load(&good.times), 0);
    gate_open(&g);
    assert_true(gate_await(&good.gate, 1));
    assert_true(gate_await(&bad.gate, 1));
    assert_int_equal(good.status, SPARK_OK);
    assert_int_equal(bad.status, SPARK_ETASK);
    assert_true(good.completed && bad.completed);
    assert_ptr_equal(good.future, f);
    assert_ptr_equal(bad.future, fails);
    /* On this thread, when it has ended already. */
    oracle_ok(spark_future_wait(other, -1));
    assert_true(spark_future_on_complete(other, note, &late));
    assert_int_equal(atomic_load(&late.times), 1);
    assert_false(spark_future_on_complete(other, note, &refused));
    oracle_close(sc);
    assert_int_equal(atomic_load(&good.times), 1);
    assert_int_equal(atomic_load(&bad.times), 1);
    assert_int_equal(atomic_load(&late.times), 1);
    assert_int_equal(atomic_load(&refused.times), 0);
    gate_fini(&good.gate);
    gate_fini(&bad.gate);
    gate_fini(&late.gate);
    gate_fini(&refused.gate);
    gate_fini(&g);
}

static void count_call(spark_future *future, void *data)
{
    (void)future;
    atomic_fetch_add((atomic_int *)data, 1);
}

/* Whoever comes first, completion or registration: it is called once. */
static void test_on_complete__is_called_once_however_close(void **state)
{
    enum { ROUNDS = 300 };
    atomic_int calls = 0;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_range(sc, 0, 3, 1, 1);
    for (int i = 0; i < ROUNDS; i++) {
        SPARK_SCOPED(sc);
        spark_future *f = spark_count_async(rdd);
        for (int k = 0; k < i; k++)
            if (spark_future_is_completed(f))
                break;
        assert_true(spark_future_on_complete(f, count_call, &calls));
    }
    assert_int_equal(atomic_load(&calls), ROUNDS);
    oracle_close(sc);
}

static void test_on_complete__of_one_that_could_not_start(void **state)
{
    atomic_int calls = 0;
    (void)state;
    spark_context *sc = oracle_open(2);
    assert_true(spark_future_on_complete(spark_count_async(broken(sc)), count_call, &calls));
    assert_int_equal(atomic_load(&calls), 1);
    oracle_close(sc);
}

/* ---- scopes */

static void *open_later(void *arg)
{
    gate *g = arg;
    gate_await(g, 1);
    gate_open(g);
    return NULL;
}

static void test_scope__waits_for_the_futures_it_has(void **state)
{
    gate g;
    pthread_t thread;
    atomic_int calls = 0;
    (void)state;
    gate_init(&g);
    spark_context *sc = oracle_open(2);
    assert_int_equal(pthread_create(&thread, NULL, open_later, &g), 0);
    {
        SPARK_SCOPED(sc);
        spark_future *f = spark_count_async(at_gate(sc, &g, 1));
        assert_true(spark_future_on_complete(f, count_call, &calls));
    }
    assert_int_equal(atomic_load(&calls), 1);
    assert_true(g.state->open);
    assert_int_equal(g.state->inside, 0);
    pthread_join(thread, NULL);
    /* The results of those that were never asked for go along (leaks are looked for). */
    for (int i = 0; i < 50; i++) {
        SPARK_SCOPED(sc);
        spark_rdd *rdd = spark_map(spark_range(sc, 0, ROWS, 1, 3), to_word, NULL);
        spark_future *f = spark_collect_async(rdd, NULL);
        if (i % 2)
            spark_future_cancel(f);
        if (i % 3 == 0)
            assert_int_not_equal(spark_future_wait(f, 0), SPARK_EINVAL);
    }
    assert_int_equal(oracle_count(spark_range(sc, 0, 5, 1, 2)), 5);
    oracle_close(sc);
    gate_fini(&g);
}

static void test_context__waits_for_the_futures_it_has(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2)
        for (int cancelled = 0; cancelled < 2; cancelled++) {
            atomic_int calls = 0;
            spark_context *sc = oracle_open(threads);
            for (int i = 0; i < 10; i++) {
                spark_future *f = spark_count_async(
                    spark_reduce_by_key(spark_map(spark_range(sc, 0, ROWS, 1, 3), by_seven, NULL),
                        spark_op_sum, NULL, 3));
                assert_true(spark_future_on_complete(f, count_call, &calls));
                if (cancelled)
                    spark_future_cancel(f);
            }
            oracle_close(sc);
            assert_int_equal(atomic_load(&calls), 10);
        }
}

static void test_futures__keep_their_rdd(void **state)
{
    gate g;
    (void)state;
    gate_init(&g);
    spark_context *sc = oracle_open(1);
    spark_future *first = spark_count_async(at_gate(sc, &g, 2)); /* keeps the worker */
    assert_true(gate_await(&g, 1));
    spark_rdd *rdd = spark_map(spark_range(sc, 0, 10, 1, 2), to_word, NULL);
    spark_future *f = spark_count_async(rdd);
    spark_rdd_release(rdd);
    gate_open(&g);
    assert_int_equal(counted(f), 10);
    assert_int_equal(counted(first), 2);
    oracle_close(sc);
    gate_fini(&g);
}

/* ---- many */

typedef struct crowd {
    spark_context *sc;
    spark_rdd *shared;
    spark_future *watched;
    int number, wrong;
} crowd;

static void *many_futures(void *arg)
{
    crowd *c = arg;
    for (int round = 0; round < 10; round++) {
        SPARK_SCOPED(c->sc);
        spark_future *f[8];
        for (int i = 0; i < 8; i++)
            f[i] = i % 2 ? spark_count_async(spark_range(c->sc, 0, 100 + i + c->number, 1, 3))
                         : spark_count_async(c->shared);
        for (int i = 0; i < 8; i++) {
            int64_t n = -1;
            if (spark_future_count(f[i], &n) != SPARK_OK || n != (i % 2 ? 100 + i + c->number : 7))
                c->wrong++;
        }
        int64_t n = -1;
        if (spark_future_count(c->watched, &n) != SPARK_OK || n != 1)
            c->wrong++;
    }
    return NULL;
}

static void test_futures__of_many_threads_at_once(void **state)
{
    enum { THREADS = 6 };
    pthread_t threads[THREADS];
    crowd crowds[THREADS];
    (void)state;
    for (int workers = 1; workers <= 8; workers *= 8) {
        gate g;
        gate_init(&g);
        spark_context *sc = oracle_open(workers);
        spark_rdd *shared = spark_reduce_by_key(
            spark_map(spark_range(sc, 0, ROWS, 1, 4), by_seven, NULL), spark_op_sum, NULL, 3);
        spark_future *watched = spark_count_async(at_gate(sc, &g, 1));
        for (int i = 0; i < THREADS; i++) {
            crowds[i] = (crowd) { sc, shared, watched, i, 0 };
            assert_int_equal(pthread_create(&threads[i], NULL, many_futures, &crowds[i]), 0);
        }
        gate_open(&g);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        for (int i = 0; i < THREADS; i++)
            assert_int_equal(crowds[i].wrong, 0);
        oracle_close(sc);
        gate_fini(&g);
    }
}

/* Several threads that want the elements of one future: one of them gets them. */
typedef struct taker {
    spark_future *future;
    spark_array array;
    spark_status status;
} taker;

static void *take_elements(void *arg)
{
    taker *t = arg;
    t->status = spark_future_get(t->future, &t->array);
    return NULL;
}

static void test_get__by_many_threads_gives_the_elements_to_one(void **state)
{
    enum { THREADS = 4 };
    (void)state;
    spark_context *sc = oracle_open(2);
    for (int round = 0; round < 20; round++) {
        SPARK_SCOPED(sc);
        gate g;
        pthread_t threads[THREADS];
        taker takers[THREADS];
        int got = 0;
        gate_init(&g);
        spark_future *f = spark_collect_async(at_gate(sc, &g, 2), NULL);
        for (int i = 0; i < THREADS; i++) {
            takers[i].future = f;
            assert_int_equal(pthread_create(&threads[i], NULL, take_elements, &takers[i]), 0);
        }
        gate_open(&g);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        for (int i = 0; i < THREADS; i++) {
            if (takers[i].status == SPARK_OK) {
                got++;
                lists_numbers(&takers[i].array, 0, 2);
            } else {
                assert_int_equal(takers[i].status, SPARK_EINVAL);
                assert_null(takers[i].array.items);
            }
        }
        assert_int_equal(got, 1);
        gate_fini(&g);
    }
    oracle_close(sc);
}

/* ---- cancelling through the future */

static void test_cancel__ends_the_action(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2) {
        gate g;
        spark_array array = { SPARK_TYPE(int64_t), "x", 3, NULL };
        gate_init(&g);
        gate_ref ref = g.state;
        spark_context *sc = oracle_open(threads);
        spark_future *f = spark_collect_async(
            spark_filter(spark_range(sc, 0, 20, 1, 20), held_or_cancelled, SPARK_COPY(ref)), NULL);
        assert_true(gate_await(&g, 1));
        spark_future_cancel(f);
        oracle_fails(spark_future_wait(f, -1), SPARK_ECANCELLED, "cancelled");
        assert_string_equal(spark_last_error()->operation, "collect");
        assert_memory_equal(spark_last_error()->message, "collect at ", 11);
        oracle_fails(spark_future_get(f, &array), SPARK_ECANCELLED, "cancelled");
        assert_null(array.items);
        spark_future_cancel(f);
        assert_true(gate_arrived(&g) <= threads + 1);
        assert_int_equal(oracle_last_job(sc).failed_tasks, 0);
        assert_int_equal(oracle_count(spark_range(sc, 0, 20, 1, 3)), 20);
        oracle_close(sc);
        gate_fini(&g);
    }
}

static void test_cancel__leaves_other_futures_alone(void **state)
{
    gate g;
    (void)state;
    gate_init(&g);
    spark_context *sc = oracle_open(2);
    gate_ref ref = g.state;
    spark_rdd *rdd = spark_filter(spark_range(sc, 0, 1, 1, 1), held_or_cancelled, SPARK_COPY(ref));
    spark_future *a = spark_count_async(rdd), *b = spark_count_async(rdd);
    assert_true(gate_await(&g, 2));
    spark_future_cancel(a);
    oracle_fails(spark_future_wait(a, -1), SPARK_ECANCELLED, "cancelled");
    assert_int_equal(spark_future_wait(b, 0), SPARK_ETIMEOUT);
    gate_open(&g);
    assert_int_equal(counted(b), 1);
    spark_future_cancel(b); /* too late */
    assert_int_equal(counted(b), 1);
    oracle_close(sc);
    gate_fini(&g);
}

static void test_cancel__before_the_action_begins(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    for (int i = 0; i < 200; i++) {
        SPARK_SCOPED(sc);
        int64_t n = -1;
        spark_future *f = spark_count_async(spark_range(sc, 0, 100, 1, 4));
        for (int k = 0; k < i && !spark_future_is_completed(f); k++)
            continue;
        spark_future_cancel(f);
        /* All or nothing. */
        const spark_status status = spark_future_count(f, &n);
        if (status == SPARK_OK)
            assert_int_equal(n, 100);
        else
            assert_int_equal(status, SPARK_ECANCELLED);
    }
    assert_int_equal(oracle_count(spark_range(sc, 0, 100, 1, 4)), 100);
    oracle_close(sc);
}

/* A take of several rounds ends between them as well. */
SPARK_FILTER(from_second, int64_t, gate_ref)
{
    if (spark_task_partition(task) > 0)
        gate_wait(*env, task);
    return false;
}

static void test_cancel__ends_a_take_of_several_jobs(void **state)
{
    gate g;
    spark_array array;
    (void)state;
    gate_init(&g);
    spark_context *sc = oracle_open(2);
    gate_ref ref = g.state;
    spark_future *f = spark_take_async(
        spark_filter(spark_range(sc, 0, 100, 1, 100), from_second, SPARK_COPY(ref)), 5, NULL);
    assert_true(gate_await(&g, 1));
    assert_int_equal(oracle_last_job(sc).job, 0); /* the first round is done */
    spark_future_cancel(f);
    oracle_fails(spark_future_get(f, &array), SPARK_ECANCELLED, "take at ");
    oracle_close(sc);
    gate_fini(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_count_async__counts),
        oracle_test(test_collect_async__gives_all_in_order),
        oracle_test(test_collect_async__of_nothing_is_empty),
        oracle_test(test_take_async__gives_the_first_elements),
        oracle_test(test_foreach_async__visits_everything_once),
        oracle_test(test_foreach_async__keeps_what_it_was_given),
        oracle_test(test_wait__ends_after_its_time),
        oracle_test(test_futures__run_beside_their_caller_and_each_other),
        oracle_test(test_get__hands_the_elements_over_once),
        oracle_test(test_get__refuses_what_does_not_fit),
        oracle_test(test_futures__bring_the_error_of_their_action),
        oracle_test(test_futures__that_cannot_start_say_so),
        oracle_test(test_futures__of_a_context_that_could_not_start),
        oracle_test(test_job__is_the_one_that_runs_or_ran),
        oracle_test(test_futures__that_have_ended_keep_no_thread),
        oracle_test(test_futures__are_not_for_functions_of_tasks),
        oracle_test(test_futures__survive_faults),
        oracle_test(test_on_complete__is_called_when_the_action_has_ended),
        oracle_test(test_on_complete__is_called_once_however_close),
        oracle_test(test_on_complete__of_one_that_could_not_start),
        oracle_test(test_scope__waits_for_the_futures_it_has),
        oracle_test(test_context__waits_for_the_futures_it_has),
        oracle_test(test_futures__keep_their_rdd),
        oracle_test(test_futures__of_many_threads_at_once),
        oracle_test(test_get__by_many_threads_gives_the_elements_to_one),
        oracle_test(test_cancel__ends_the_action),
        oracle_test(test_cancel__leaves_other_futures_alone),
        oracle_test(test_cancel__before_the_action_begins),
        oracle_test(test_cancel__ends_a_take_of_several_jobs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
