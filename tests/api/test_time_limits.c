/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of time: a task that takes too long is an attempt that failed, a job that takes too long
 * fails and says what ran; both are noticed wherever a function can be left. Nothing here measures
 * time: functions would go on for ever, or for half a minute, if they were not stopped. Where a limit may be
 * over before what it is to end has begun, a try says so, and the next one has four times as much. */
#include "gate.h"
#include "seeds.h"

#include <stdatomic.h>

SPARK_PAIR(i64_i64, int64_t, int64_t);

/* Milliseconds. By SOON the workers have begun as a rule. */
enum { SOON = TESTS_ARE_SLOW ? 100 : 20, NEVER = 3600 * 1000 };

/* until_in_time: tries with ever more time; `try` says whether it was enough. */
#define until_in_time(try)                                                                         \
    for (int ms = SOON; !(try); ms *= 4)                                                           \
    assert_true(ms < NEVER)

static void nap(void)
{
    nanosleep(&(struct timespec) { .tv_nsec = 1000000 }, NULL);
}

/* is_late: the last action ended because of a limit. fails_late: and says so in these words. */
static void is_late(spark_status status)
{
    if (status != SPARK_EDEADLINE)
        fail_msg("%s: %s", spark_status_name(status), spark_last_error()->message);
}
static void fails_late(spark_status status, const char *words)
{
    is_late(status);
    if (strstr(spark_last_error()->message, words) == NULL)
        fail_msg("\"%s\" not in \"%s\"", words, spark_last_error()->message);
}

/* ---- tasks: functions that go on until they are stopped, each in its own way */

typedef atomic_int *counter;

SPARK_FILTER(asks, int64_t, counter)
{
    (void)in;
    atomic_fetch_add(*env, 1);
    while (!spark_cancelled(task))
        nap();
    return true;
}
SPARK_FLAT_MAP(emits, int64_t, int64_t, counter)
{
    atomic_fetch_add(*env, 1);
    while (spark_emit(out, *in))
        ;
}
SPARK_MAP(naps, int64_t, int64_t, counter) /* and lets batches end */
{
    atomic_fetch_add(*env, *in == 0);
    nap();
    *out = *in;
}
SPARK_PARTITIONS(reads, int64_t, int64_t, counter)
{
    const int64_t *x;
    atomic_fetch_add(*env, 1);
    while ((x = spark_next(in)) != NULL) {
        nap();
        spark_emit(out, *x);
    }
}
SPARK_STEP(steps, int64_t, int64_t, int64_t, counter)
{
    atomic_fetch_add(*env, *in == 0);
    nap();
    spark_emit(out, *state += *in);
}
SPARK_FINISH(steps, int64_t, int64_t, int64_t, counter)
{
    (void)state;
}

enum { ROWS = 30000 };

static spark_rdd *numbers(spark_context *sc)
{
    return spark_range(sc, 0, ROWS, 1, 1);
}
static spark_rdd *asking(spark_context *sc, counter n)
{
    return spark_filter(spark_range(sc, 0, 1, 1, 1), asks, SPARK_COPY(n));
}
static spark_rdd *emitting(spark_context *sc, counter n)
{
    return spark_flat_map(spark_range(sc, 0, 1, 1, 1), emits, SPARK_COPY(n));
}
static spark_rdd *napping(spark_context *sc, counter n)
{
    return spark_map(numbers(sc), naps, SPARK_COPY(n));
}
static spark_rdd *reading(spark_context *sc, counter n)
{
    return spark_map_partitions(numbers(sc), reads, SPARK_COPY(n));
}
static spark_rdd *stepping(spark_context *sc, counter n)
{
    return spark_map_stateful(numbers(sc), steps, SPARK_COPY(n));
}
static spark_rdd *behind_a_cache(spark_context *sc, counter n)
{
    return spark_cache(napping(sc, n));
}
static spark_rdd *in_front_of_a_shuffle(spark_context *sc, counter n)
{
    return spark_repartition(stepping(sc, n), 2);
}
static spark_rdd *in_a_coalesce(spark_context *sc, counter n)
{
    return spark_coalesce(spark_union(spark_range(sc, 0, 9, 1, 1), napping(sc, n)), 1);
}

static const struct {
    const char *says;
    spark_rdd *(*make)(spark_context *sc, counter n);
} shapes[] = { { "filter(asks) at " TEST_FILE, asking }, { " at " TEST_FILE, emitting } /* or in the count */,
    { "map(naps) at " TEST_FILE, napping }, { "mapPartitions(reads) at " TEST_FILE, reading },
    { "mapPartitions(steps) at " TEST_FILE, stepping },
    { "map(naps) at " TEST_FILE, behind_a_cache },
    { "mapPartitions(steps) at " TEST_FILE, in_front_of_a_shuffle },
    { "map(naps) at " TEST_FILE, in_a_coalesce } };

/* has_limit: the last error names it. */
static void has_limit(int ms)
{
    char words[64];
    snprintf(words, sizeof words, "took longer than its limit of %d ms", ms);
    assert_non_null(strstr(spark_last_error()->message, words));
}

/* late_task: false: an attempt was late before its function had begun. */
static bool late_task(size_t shape, int threads, int ms)
{
    atomic_int begun = 0;
    int64_t n;
    spark_context *sc = oracle_open_conf(&(spark_conf) {
        .threads = threads, .task_max_failures = 2, .task_timeout_ms = ms, .check = threads == 2 });
    const spark_status status = spark_count(shapes[shape].make(sc, &begun), &n);
    is_late(status);
    if (begun == 2)
        fails_late(status, shapes[shape].says);
    has_limit(ms);
    assert_non_null(strstr(spark_last_error()->message, "failed 2 times"));
    assert_in_range(begun, 0, 2);
    assert_int_equal(oracle_last_job(sc).failed_tasks, 2);
    oracle_ok(spark_set_task_timeout(sc, NEVER));
    assert_int_equal(oracle_count(numbers(sc)), ROWS); /* the context goes on */
    oracle_close(sc);
    return begun == 2;
}

static void test_a_task_that_takes_too_long__fails_and_is_tried_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(shapes); i++)
        for (int threads = 1; threads <= 2; threads++)
            until_in_time(late_task(i, threads, ms));
}

SPARK_MAP(slow_at_first, int64_t, int64_t)
{
    while (spark_task_attempt(task) == 0 && !spark_cancelled(task))
        nap();
    *out = *in;
}
typedef const spark_accumulator *sum;
SPARK_FILTER(count_in, int64_t, sum)
{
    spark_accumulate(task, *env, *in);
    return true;
}

/* quick_at_last: false: a quick attempt was late as well. */
static bool quick_at_last(int ms)
{
    spark_context *sc = oracle_open_conf(
        &(spark_conf) { .threads = 2, .task_max_failures = 100, .task_timeout_ms = ms });
    sum added = spark_counter(sc, "added");
    spark_rdd *rdd = spark_filter(spark_range(sc, 0, 10, 1, 4), count_in, SPARK_COPY(added));
    assert_int_equal(oracle_count(spark_map(rdd, slow_at_first, NULL)), 10);
    const int64_t failed = oracle_last_job(sc).failed_tasks;
    assert_true(failed >= 4);
    assert_int_equal(spark_accumulator_value(added), 45); /* of late attempts nothing counts */
    oracle_close(sc);
    return failed == 4;
}

static void test_an_attempt_that_is_quick_enough__takes_its_place(void **state)
{
    (void)state;
    until_in_time(quick_at_last(ms));
}

/* hanging: a context in which attempts of partition 1 hang. */
static spark_context *hanging(int attempt, int64_t task_ms, int64_t job_ms)
{
    const spark_fault fault = { SPARK_FAULT_HANG, .job = SPARK_ANY, .stage = SPARK_ANY, .partition = 1,
        .attempt = attempt };
    return oracle_open_conf(&(spark_conf) { .threads = 2, .task_max_failures = 3, .faults = &fault,
        .n_faults = 1, .task_timeout_ms = task_ms, .job_timeout_ms = job_ms });
}

/* of_four: what ends in a repartition. */
static spark_rdd *of_four(spark_context *sc)
{
    return spark_repartition(spark_range(sc, 0, 50, 1, 4), 3);
}

/* hangs_once: false: one that does not hang was late as well. */
static bool hangs_once(int ms)
{
    int64_t n;
    spark_context *sc = hanging(0, ms, 0);
    const spark_status status = spark_count(of_four(sc), &n);
    const bool in_time = status == SPARK_OK && oracle_last_job(sc).failed_tasks == 2; /* one of each stage */
    if (status != SPARK_OK)
        is_late(status);
    else
        assert_int_equal(n, 50);
    oracle_close(sc);
    return in_time;
}

/* hangs_for_ever, hanging_job: false: another one was late. */
static bool hangs_for_ever(int ms)
{
    int64_t n;
    spark_context *sc = hanging(SPARK_ANY, ms, 0);
    is_late(spark_count(of_four(sc), &n));
    has_limit(ms);
    assert_non_null(strstr(spark_last_error()->message, "failed 3 times"));
    const bool in_time = spark_last_error()->partition == 1;
    if (in_time)
        assert_non_null(strstr(spark_last_error()->message, "repartition at " TEST_FILE));
    oracle_close(sc);
    return in_time;
}

static bool hanging_job(int ms)
{
    int64_t n;
    spark_context *sc = hanging(0, 0, ms);
    fails_late(spark_count(spark_range(sc, 0, 50, 1, 4), &n), "count at " TEST_FILE);
    has_limit(ms);
    const bool in_time
        = strstr(spark_last_error()->message, "; running: task 1.0 in stage 0.0 in count at " TEST_FILE) != NULL;
    oracle_close(sc);
    return in_time;
}

static void test_an_attempt_that_a_plan_lets_hang__ends_with_its_time(void **state)
{
    (void)state;
    until_in_time(hangs_once(ms));
    until_in_time(hangs_for_ever(ms));
    until_in_time(hanging_job(ms));
}

/* ---- jobs */

/* late_job: false: its time was up before both threads had begun. */
static bool late_job(bool check, int ms)
{
    gate g;
    int64_t n;
    char words[96];
    gate_init(&g);
    spark_context *sc = oracle_open_conf(
        &(spark_conf) { .threads = 2, .job_timeout_ms = ms, .check = check });
    spark_rdd *rdd
        = spark_filter(spark_range(sc, 0, 9, 1, 9), held_or_cancelled, SPARK_COPY(g.state));
    fails_late(spark_count(rdd, &n), "count at " TEST_FILE);
    const spark_error *e = spark_last_error();
    assert_int_equal(e->job, 0);
    assert_true(gate_arrived(&g) <= 2); /* the others were not begun */
    const bool both = gate_arrived(&g) == 2;
    snprintf(words, sizeof words, ": Job 0 took longer than its limit of %d ms%s", ms,
        both ? "; running: " : "");
    const char *story = strstr(e->message, words);
    assert_non_null(story);
    for (int i = 0; both && i < 2; i++) {
        snprintf(words, sizeof words,
            "task %d.0 in stage 0.0 in filter(held_or_cancelled) at " TEST_FILE, i);
        assert_non_null(strstr(story, words));
    }
    assert_int_equal(n, 0);
    if (both)
        assert_int_equal(oracle_count(numbers(sc)), ROWS);
    gate_fini(&g);
    oracle_close(sc);
    return both;
}

static void test_a_job_that_takes_too_long__says_what_ran(void **state)
{
    (void)state;
    for (int check = 0; check < 2; check++)
        until_in_time(late_job(check, ms));
}

SPARK_FOREACH(waits, int64_t)
{
    (void)in;
    while (!spark_cancelled(task))
        nap();
}
SPARK_MERGE(adds_slowly, int64_t, int64_t)
{
    (void)task;
    nap();
    *acc += *in;
}
SPARK_MAP(mod_three, int64_t, i64_i64)
{
    *out = (i64_i64) { *in % 3, *in };
}

/* says_where: the job was late, and the last error has these words. */
static bool says_where(spark_status status, const char *words, const char *more)
{
    fails_late(status, "took longer than its limit of ");
    return strstr(spark_last_error()->message, words) && strstr(spark_last_error()->message, more);
}

static bool late_ends(int ms)
{
    int64_t n;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 6, .job_timeout_ms = ms });
    bool in_time = says_where(
        spark_foreach(spark_range(sc, 0, 6, 1, 6), waits, NULL), " in foreach(waits) at ", ", ...");
    spark_rdd *sums = spark_reduce_by_key(
        spark_map(numbers(sc), mod_three, NULL), adds_slowly, NULL, 2);
    in_time = in_time
        && says_where(spark_count(sums, &n), "; running: task 0.0 in stage ",
            " in reduceByKey(adds_slowly) at ");
    oracle_close(sc);
    return in_time;
}

static void test_a_job_that_takes_too_long__names_the_end_of_a_chain(void **state)
{
    (void)state;
    until_in_time(late_ends(ms));
}

typedef struct waiting {
    spark_context *sc;
    spark_rdd *rdd;
    spark_status status;
    int64_t n;
} waiting;

static void *count_it(void *argument)
{
    waiting *w = argument;
    w->status = spark_count(w->rdd, &w->n);
    return NULL;
}

static void test_a_job_that_waits_for_another__is_limited_as_well(void **state)
{
    (void)state;
    gate g;
    pthread_t thread;
    int64_t n;
    gate_init(&g);
    spark_context *sc = oracle_open(2);
    spark_rdd *held_up = spark_filter(spark_range(sc, 0, 4, 1, 2), held, SPARK_COPY(g.state));
    waiting w = { sc, spark_repartition(held_up, 2), SPARK_OK, 0 };
    assert_int_equal(pthread_create(&thread, NULL, count_it, &w), 0);
    assert_true(gate_await(&g, 1));
    for (int ms = SOON; ms < NEVER; ms *= 4) { /* until it has waited */
        SPARK_SCOPED(sc);
        assert_int_equal(spark_set_job_timeout(sc, ms), SPARK_OK);
        fails_late(spark_count(w.rdd, &n), "count at " TEST_FILE);
        if (strstr(spark_last_error()->message, "; it waited for what other jobs compute"))
            break;
    }
    assert_non_null(strstr(spark_last_error()->message, "; it waited for what other jobs compute"));
    gate_open(&g);
    pthread_join(thread, NULL);
    assert_int_equal(w.status, SPARK_OK); /* the one it waited for has no limit */
    assert_int_equal(w.n, 4);
    gate_fini(&g);
    oracle_close(sc);
}

static void test_a_timed_action__ends_as_ever_when_it_is_due_before_the_limit(void **state)
{
    (void)state;
    gate g;
    spark_bounded estimate;
    gate_init(&g);
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd
        = spark_filter(spark_range(sc, 0, 4, 1, 2), held_or_cancelled, SPARK_COPY(g.state));
    SPARK_SCOPED(sc);
    oracle_ok(spark_set_job_timeout(sc, NEVER));
    oracle_ok(spark_count_approx(rdd, SOON, 0.9, &estimate));
    oracle_ok(spark_set_job_timeout(sc, SOON));
    is_late(spark_count_approx(rdd, NEVER, 0.9, &estimate));
    has_limit(SOON);
    gate_fini(&g);
    oracle_close(sc);
}

/* ---- where limits hold */

/* scoped: false: a limit was over before the function it is to end had begun. */
static bool scoped(int ms)
{
    atomic_int begun = 0;
    int64_t n;
    spark_context *sc = oracle_open_conf(
        &(spark_conf) { .threads = 2, .task_max_failures = 1, .job_timeout_ms = ms });
    spark_rdd *slow = asking(sc, &begun);
    {
        SPARK_SCOPED(sc);
        oracle_ok(spark_set_job_timeout(sc, 0)); /* what the context says does not hold */
        oracle_ok(spark_set_task_timeout(sc, ms));
        fails_late(spark_count(slow, &n), "the attempt took longer");
        has_limit(ms);
        {
            SPARK_SCOPED(sc);
            oracle_ok(spark_set_task_timeout(sc, 0));
            oracle_ok(spark_set_job_timeout(sc, ms));
            fails_late(spark_count(slow, &n), "Job 1 took longer");
            has_limit(ms);
        }
        fails_late(spark_count(slow, &n), "the attempt took longer");
        has_limit(ms);
    }
    fails_late(spark_count(slow, &n), "Job 3 took longer");
    has_limit(ms);
    spark_future *f = spark_count_async(slow);
    spark_status status;
    while ((status = spark_future_wait(f, 1000)) == SPARK_ETIMEOUT)
        ;
    fails_late(status, "Job 4 took longer");
    has_limit(ms);
    assert_in_range(begun, 0, 5);
    oracle_close(sc);
    return begun == 5;
}

static void test_scopes__have_limits_of_their_own(void **state)
{
    (void)state;
    until_in_time(scoped(ms));
}

static void test_a_future__has_the_limits_of_the_scope_it_was_started_in(void **state)
{
    (void)state;
    atomic_int begun = 0;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 1, .task_max_failures = 1 });
    SPARK_SCOPED(sc);
    oracle_ok(spark_set_task_timeout(sc, SOON));
    spark_future *f = spark_count_async(asking(sc, &begun));
    oracle_ok(spark_set_task_timeout(sc, 0));
    fails_late(spark_future_wait(f, -1), "the attempt took longer");
    has_limit(SOON);
    oracle_close(sc);
}

static void test_limits_that_are_far_off__change_nothing(void **state)
{
    (void)state;
    const int64_t far[] = { 0, NEVER, INT64_MAX };
    for (size_t i = 0; i < LENGTH(far); i++) {
        spark_context *sc = oracle_open_conf(&(spark_conf) {
            .threads = 2, .task_timeout_ms = far[i], .job_timeout_ms = far[i] });
        assert_int_equal(oracle_count(spark_repartition(spark_range(sc, 0, ROWS, 1, 7), 3)), ROWS);
        assert_int_equal(oracle_count(spark_range(sc, 0, 5, 1, 1)), 5);
        oracle_close(sc);
    }
}

static void test_limits_below_zero__are_refused(void **state)
{
    (void)state;
    int64_t n;
    spark_context *sc = oracle_open(1);
    assert_int_equal(spark_set_task_timeout(sc, -1), SPARK_EINVAL);
    assert_non_null(strstr(spark_last_error()->message, "setTaskTimeout: -1 ms"));
    assert_int_equal(spark_set_job_timeout(sc, INT64_MIN), SPARK_EINVAL);
    assert_int_equal(spark_set_job_timeout(NULL, 1), SPARK_EINVAL);
    assert_int_equal(oracle_count(numbers(sc)), ROWS);
    oracle_close(sc);
    sc = spark_context_new(&(spark_conf) { .job_timeout_ms = -1 });
    assert_int_equal(spark_count(spark_range(sc, 0, 1, 1, 1), &n), SPARK_EINVAL);
    assert_non_null(strstr(spark_last_error()->message, "spark_conf.job_timeout_ms is negative"));
    spark_context_free(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_a_task_that_takes_too_long__fails_and_is_tried_again),
        oracle_test(test_an_attempt_that_is_quick_enough__takes_its_place),
        oracle_test(test_an_attempt_that_a_plan_lets_hang__ends_with_its_time),
        oracle_test(test_a_job_that_takes_too_long__says_what_ran),
        oracle_test(test_a_job_that_takes_too_long__names_the_end_of_a_chain),
        oracle_test(test_a_job_that_waits_for_another__is_limited_as_well),
        oracle_test(test_a_timed_action__ends_as_ever_when_it_is_due_before_the_limit),
        oracle_test(test_scopes__have_limits_of_their_own),
        oracle_test(test_a_future__has_the_limits_of_the_scope_it_was_started_in),
        oracle_test(test_limits_that_are_far_off__change_nothing),
        oracle_test(test_limits_below_zero__are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
