/* SPDX-License-Identifier: Apache-2.0 */
/* Cancelling by signals: what they reach, what they leave alone, and what comes back afterwards. */
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "gate.h"

static void send(int signal)
{
    assert_int_equal(kill(getpid(), signal), 0);
}

/* sender: sends a signal when so many tasks stand at the gate. */
typedef struct sender {
    gate *gate;
    int arrived, signal;
    pthread_t thread;
} sender;

static void *send_later(void *argument)
{
    const sender *s = argument;
    if (gate_await(s->gate, s->arrived))
        send(s->signal);
    return NULL;
}

static void send_at_gate(sender *s, gate *g, int arrived, int signal)
{
    *s = (sender) { .gate = g, .arrived = arrived, .signal = signal };
    assert_int_equal(pthread_create(&s->thread, NULL, send_later, s), 0);
}

static spark_rdd *at_gate(spark_context *sc, gate *g)
{
    gate_ref ref = g->state;
    return spark_filter(spark_range(sc, 0, 8, 1, 8), held_or_cancelled, SPARK_COPY(ref));
}

static void fine(spark_context *sc)
{
    assert_int_equal(oracle_count(spark_range(sc, 0, 100, 1, 4)), 100);
}

static void test_signal__ends_the_job_that_runs(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2) {
        spark_context *sc = oracle_open(threads);
        assert_int_equal(spark_cancel_on_signal(sc, SIGUSR1), SPARK_OK);
        assert_int_equal(spark_cancel_on_signal(sc, SIGUSR1), SPARK_OK); /* once is enough */
        for (int round = 0; round < 3; round++) {
            gate g;
            sender s;
            int64_t n;
            char text[40];
            gate_init(&g);
            send_at_gate(&s, &g, 1, SIGUSR1);
            snprintf(text, sizeof text, "cancelled by signal %d", SIGUSR1);
            oracle_fails(spark_count(at_gate(sc, &g), &n), SPARK_ECANCELLED, text);
            pthread_join(s.thread, NULL);
            gate_fini(&g);
            fine(sc);
        }
        oracle_close(sc);
    }
}

static void test_signal__has_a_name_where_it_is_usual(void **state)
{
    static const struct {
        int signal;
        const char *name;
    } usual[] = { { SIGINT, "(SIGINT)" }, { SIGTERM, "(SIGTERM)" }, { SIGHUP, "(SIGHUP)" } };
    (void)state;
    spark_context *sc = oracle_open(2);
    for (size_t i = 0; i < 3; i++) {
        gate g;
        sender s;
        int64_t n;
        assert_int_equal(spark_cancel_on_signal(sc, usual[i].signal), SPARK_OK);
        gate_init(&g);
        send_at_gate(&s, &g, 1, usual[i].signal);
        oracle_fails(spark_count(at_gate(sc, &g), &n), SPARK_ECANCELLED, usual[i].name);
        pthread_join(s.thread, NULL);
        gate_fini(&g);
    }
    oracle_close(sc);
}

static void test_signal__ends_futures_of_all_contexts_that_want_it(void **state)
{
    (void)state;
    gate g;
    gate_init(&g);
    spark_context *a = oracle_open(2), *b = oracle_open(2), *other = oracle_open(2);
    assert_int_equal(spark_cancel_on_signal(a, SIGUSR1), SPARK_OK);
    assert_int_equal(spark_cancel_on_signal(b, SIGUSR1), SPARK_OK);
    assert_int_equal(spark_cancel_on_signal(other, SIGUSR2), SPARK_OK);
    spark_future *of_a = spark_count_async(at_gate(a, &g));
    spark_future *of_b = spark_count_async(at_gate(b, &g));
    spark_future *of_other = spark_count_async(at_gate(other, &g));
    assert_true(gate_await(&g, 6));
    send(SIGUSR1);
    oracle_fails(spark_future_wait(of_a, -1), SPARK_ECANCELLED, "by signal");
    oracle_fails(spark_future_wait(of_b, -1), SPARK_ECANCELLED, "by signal");
    assert_int_equal(spark_future_wait(of_other, 0), SPARK_ETIMEOUT);
    gate_open(&g);
    int64_t n = 0;
    assert_int_equal(spark_future_count(of_other, &n), SPARK_OK);
    assert_int_equal(n, 8);
    fine(a);
    fine(b);
    oracle_close(a);
    oracle_close(b);
    oracle_close(other);
    gate_fini(&g);
}

/* wait_taken: until the thread of the signals has told the context. */
static spark_status next_job(spark_context *sc)
{
    int64_t n;
    spark_status status = SPARK_OK;
    for (int i = 0; i < 30000 && status == SPARK_OK; i++) {
        status = spark_count(spark_range(sc, 0, 10, 1, 2), &n);
        nanosleep(&(struct timespec) { 0, 1000000 }, NULL);
    }
    return status;
}

static void test_signal__between_jobs_ends_the_next_one(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    assert_int_equal(spark_cancel_on_signal(sc, SIGUSR1), SPARK_OK);
    for (int round = 0; round < 3; round++) {
        send(SIGUSR1);
        oracle_fails(next_job(sc), SPARK_ECANCELLED, "by signal");
        fine(sc);
    }
    oracle_close(sc);
}

static atomic_int handled;

static void note_signal(int signal)
{
    (void)signal;
    atomic_fetch_add(&handled, 1);
}

static void install(int signal)
{
    struct sigaction action = { .sa_handler = note_signal };
    sigemptyset(&action.sa_mask);
    assert_int_equal(sigaction(signal, &action, NULL), 0);
    atomic_store(&handled, 0);
}

static void test_signal__that_does_not_help_does_what_it_did_before(void **state)
{
    (void)state;
    install(SIGUSR2);
    spark_context *sc = oracle_open(2);
    assert_int_equal(spark_cancel_on_signal(sc, SIGUSR2), SPARK_OK);
    raise(SIGUSR2);
    assert_int_equal(atomic_load(&handled), 0);
    raise(SIGUSR2); /* no job has begun in between */
    assert_int_equal(atomic_load(&handled), 1);
    raise(SIGUSR2);
    assert_int_equal(atomic_load(&handled), 2);
    assert_int_equal(next_job(sc), SPARK_ECANCELLED);
    oracle_close(sc);
    raise(SIGUSR2);
    assert_int_equal(atomic_load(&handled), 3);
}

static void test_signal__is_answered_by_a_new_job(void **state)
{
    (void)state;
    install(SIGUSR2);
    spark_context *sc = oracle_open(2);
    assert_int_equal(spark_cancel_on_signal(sc, SIGUSR2), SPARK_OK);
    for (int i = 0; i < 5; i++) {
        raise(SIGUSR2);
        assert_int_equal(next_job(sc), SPARK_ECANCELLED);
        fine(sc);
    }
    assert_int_equal(atomic_load(&handled), 0);
    oracle_close(sc);
}

static void test_signal__is_given_back_by_the_last_context(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        install(SIGUSR2);
        spark_context *a = oracle_open(1), *b = oracle_open(1);
        assert_int_equal(spark_cancel_on_signal(a, SIGUSR2), SPARK_OK);
        assert_int_equal(spark_cancel_on_signal(b, SIGUSR2), SPARK_OK);
        oracle_close(a);
        raise(SIGUSR2);
        assert_int_equal(atomic_load(&handled), 0);
        assert_int_equal(next_job(b), SPARK_ECANCELLED);
        oracle_close(b);
        raise(SIGUSR2);
        assert_int_equal(atomic_load(&handled), 1);
        /* What somebody has put there meanwhile stays. */
        a = oracle_open(1);
        assert_int_equal(spark_cancel_on_signal(a, SIGUSR2), SPARK_OK);
        assert_true(signal(SIGUSR2, SIG_IGN) != SIG_ERR);
        oracle_close(a);
        assert_true(signal(SIGUSR2, SIG_DFL) == SIG_IGN);
    }
}

static void test_signal__must_be_one_that_can_be_handled(void **state)
{
    static const int none[] = { 0, -1, 1000, SIGKILL, SIGSTOP };
    static const int many[]
        = { SIGUSR1, SIGUSR2, SIGHUP, SIGTERM, SIGALRM, SIGURG, SIGWINCH, SIGIO };
    (void)state;
    spark_context *sc = oracle_open(1);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        oracle_fails(spark_cancel_on_signal(sc, none[i]), SPARK_EINVAL, "can be handled");
    for (size_t i = 0; i < sizeof many / sizeof *many; i++)
        assert_int_equal(spark_cancel_on_signal(sc, many[i]), SPARK_OK);
    oracle_fails(spark_cancel_on_signal(sc, SIGPIPE), SPARK_EINVAL, "8 other signals");
    fine(sc);
    oracle_close(sc);
    oracle_fails(spark_cancel_on_signal(NULL, SIGUSR1), SPARK_EINVAL, "NULL");
    sc = spark_context_new(&(spark_conf) { .master = "yarn" });
    oracle_fails(spark_cancel_on_signal(sc, SIGUSR1), SPARK_EINVAL, "yarn");
    spark_context_free(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_signal__ends_the_job_that_runs),
        oracle_test(test_signal__has_a_name_where_it_is_usual),
        oracle_test(test_signal__ends_futures_of_all_contexts_that_want_it),
        oracle_test(test_signal__between_jobs_ends_the_next_one),
        oracle_test(test_signal__that_does_not_help_does_what_it_did_before),
        oracle_test(test_signal__is_answered_by_a_new_job),
        oracle_test(test_signal__is_given_back_by_the_last_context),
        oracle_test(test_signal__must_be_one_that_can_be_handled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
