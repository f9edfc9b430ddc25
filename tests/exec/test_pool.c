/* SPDX-License-Identifier: Apache-2.0 */
/* The pool: every task once, sets in the order of their jobs, retries first, and removing waits. */
#include "support/spark_test.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "exec/pool.h"

enum { MOST = 4096 };

/* gate: closed until it is opened. */
typedef struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool open;
    int waiting;
} gate;

static void gate_init(gate *g)
{
    *g = (gate) { .open = false };
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->changed, NULL);
}

static void gate_fini(gate *g)
{
    pthread_mutex_destroy(&g->lock);
    pthread_cond_destroy(&g->changed);
}

static void gate_pass(gate *g)
{
    pthread_mutex_lock(&g->lock);
    g->waiting++;
    pthread_cond_broadcast(&g->changed);
    while (!g->open)
        pthread_cond_wait(&g->changed, &g->lock);
    g->waiting--;
    pthread_mutex_unlock(&g->lock);
}

static void gate_open(gate *g)
{
    pthread_mutex_lock(&g->lock);
    g->open = true;
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
}

/* gate_await: until so many stand before it. */
static void gate_await(gate *g, int waiting)
{
    pthread_mutex_lock(&g->lock);
    while (g->waiting < waiting)
        pthread_cond_wait(&g->changed, &g->lock);
    pthread_mutex_unlock(&g->lock);
}

/* work: a set that writes down what runs, in the order it begins. */
typedef struct work {
    spk_task_set set; /* first */
    struct journal *journal;
    gate *gate; /* before each task, or NULL */
    int name;
    atomic_int *counts; /* of each task, or NULL */
    int again;          /* retries still to be asked for, from inside */
} work;

typedef struct journal {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    spk_pool *pool;
    int n;
    struct {
        int name, index;
    } entries[MOST];
} journal;

static void journal_init(journal *j, spk_pool *pool)
{
    j->n = 0;
    j->pool = pool;
    pthread_mutex_init(&j->lock, NULL);
    pthread_cond_init(&j->changed, NULL);
}

static void journal_fini(journal *j)
{
    pthread_mutex_destroy(&j->lock);
    pthread_cond_destroy(&j->changed);
}

/* journal_await: until n tasks are done. */
static void journal_await(journal *j, int n)
{
    pthread_mutex_lock(&j->lock);
    while (j->n < n)
        pthread_cond_wait(&j->changed, &j->lock);
    pthread_mutex_unlock(&j->lock);
}

static void run_work(spk_task_set *set, spark_task *task, int index)
{
    work *w = (work *)(void *)set;
    journal *j = w->journal;
    assert_non_null(task);
    if (w->gate)
        gate_pass(w->gate);
    if (w->counts)
        atomic_fetch_add(&w->counts[index], 1);
    pthread_mutex_lock(&j->lock);
    const bool again = w->again > 0;
    w->again -= again;
    if (j->n < MOST) {
        j->entries[j->n].name = w->name;
        j->entries[j->n].index = index;
    }
    pthread_mutex_unlock(&j->lock);
    if (again)
        spk_pool_retry(j->pool, set, index);
    pthread_mutex_lock(&j->lock);
    j->n++;
    pthread_cond_broadcast(&j->changed);
    pthread_mutex_unlock(&j->lock);
}

static work *new_work(journal *j, int name, int n, uint64_t order)
{
    work *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->set.n = n;
    w->set.order = order;
    w->set.run = run_work;
    w->set.retries = calloc((size_t)n + 1, sizeof *w->set.retries);
    assert_non_null(w->set.retries);
    w->journal = j;
    w->name = name;
    return w;
}

static void free_work(work *w)
{
    spk_pool_remove(w->journal->pool, &w->set);
    assert_int_equal(w->set.users, 0);
    free(w->set.retries);
    free(w);
}

static int open_context(void **state)
{
    *state = spark_context_new(&(spark_conf) { .threads = 1 });
    return 0;
}

static int close_context(void **state)
{
    spark_context_free(*state);
    return 0;
}

/* ---- every task once */

static void check_all_run(spark_context *sc, int threads, int n)
{
    static journal j;
    spk_pool *pool = spk_pool_new(sc, threads);
    assert_non_null(pool);
    assert_int_equal(spk_pool_threads(pool), threads);
    journal_init(&j, pool);
    work *w = new_work(&j, 1, n, 1);
    w->counts = calloc((size_t)n + 1, sizeof *w->counts);
    assert_non_null(w->counts);
    spk_pool_submit(pool, &w->set);
    journal_await(&j, n);
    for (int i = 0; i < n; i++)
        assert_int_equal(atomic_load(&w->counts[i]), 1);
    assert_int_equal(j.n, n);
    free(w->counts);
    free_work(w);
    spk_pool_free(pool);
    journal_fini(&j);
}

static void test_pool__runs_every_task_once(void **state)
{
    static const int counts[] = { 0, 1, 2, 15, 16, 17, 1000, 30000 };
    for (int threads = 1; threads <= 8; threads += threads == 1 ? 1 : 3)
        for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
            check_all_run(*state, threads, counts[i]);
}

static void test_pool__without_work_ends(void **state)
{
    for (int threads = 1; threads < 20; threads++)
        spk_pool_free(spk_pool_new(*state, threads));
    spk_pool_free(NULL);
}

static void test_pool__with_more_threads_than_tasks_runs_them_all_at_once(void **state)
{
    enum { THREADS = 16 };
    static journal j;
    spk_pool *pool = spk_pool_new(*state, THREADS);
    journal_init(&j, pool);
    for (int n = 1; n <= THREADS; n++) {
        gate g;
        gate_init(&g);
        j.n = 0;
        work *w = new_work(&j, n, n, 1);
        w->gate = &g;
        spk_pool_submit(pool, &w->set);
        gate_await(&g, n); /* all tasks stand before the gate: each has its thread */
        gate_open(&g);
        journal_await(&j, n);
        free_work(w);
        gate_fini(&g);
    }
    spk_pool_free(pool);
    journal_fini(&j);
}

static void test_pool__runs_sets_beside_each_other(void **state)
{
    static journal j;
    gate g;
    work *works[6];
    spk_pool *pool = spk_pool_new(*state, 6);
    journal_init(&j, pool);
    gate_init(&g);
    for (int i = 0; i < 6; i++) {
        works[i] = new_work(&j, i, 1, (uint64_t)i);
        works[i]->gate = &g;
        spk_pool_submit(pool, &works[i]->set);
    }
    gate_await(&g, 6);
    gate_open(&g);
    journal_await(&j, 6);
    for (int i = 0; i < 6; i++)
        free_work(works[i]);
    spk_pool_free(pool);
    journal_fini(&j);
    gate_fini(&g);
}

static void test_pool__misses_no_wakeup(void **state)
{
    static journal j;
    spk_pool *pool = spk_pool_new(*state, 4);
    journal_init(&j, pool);
    for (int round = 0; round < 3000; round++) {
        work *a = new_work(&j, 1, 1 + round % 3, 1), *b = new_work(&j, 2, 1 + round % 5, 2);
        j.n = 0;
        a->again = round % 2;
        spk_pool_submit(pool, &a->set);
        spk_pool_submit(pool, &b->set);
        journal_await(&j, 2 + round % 3 + round % 5 + round % 2);
        free_work(a);
        free_work(b);
    }
    spk_pool_free(pool);
    journal_fini(&j);
}

/* ---- order */

/* block: a set whose one task keeps the only worker until the gate opens. */
static work *block(journal *j, gate *g)
{
    work *w = new_work(j, -1, 1, 0);
    gate_init(g);
    w->gate = g;
    spk_pool_submit(j->pool, &w->set);
    gate_await(g, 1);
    return w;
}

static void unblock(work *w, gate *g, int n)
{
    gate_open(g);
    journal_await(w->journal, n + 1);
    free_work(w);
    gate_fini(g);
}

static void test_sets__are_run_in_the_order_of_their_jobs(void **state)
{
    static const uint64_t orders[] = { 7, 3, 5, 3, UINT64_C(1) << 40, 1, 5 };
    static const int expected[] = { 5, 1, 3, 2, 6, 0, 4 }; /* of equal ones, the first submitted */
    static journal j;
    gate g;
    work *works[7];
    spk_pool *pool = spk_pool_new(*state, 1);
    journal_init(&j, pool);
    work *blocker = block(&j, &g);
    for (int i = 0; i < 7; i++) {
        works[i] = new_work(&j, i, 20, orders[i]);
        spk_pool_submit(pool, &works[i]->set);
    }
    unblock(blocker, &g, 7 * 20);
    for (int i = 0; i < 7 * 20; i++) {
        assert_int_equal(j.entries[i + 1].name, expected[i / 20]);
        assert_int_equal(j.entries[i + 1].index, i % 20);
    }
    for (int i = 0; i < 7; i++)
        free_work(works[i]);
    spk_pool_free(pool);
    journal_fini(&j);
}

static void submit_first(spk_task_set *set, spark_task *task, int index);

static work *urgent;

static void submit_first(spk_task_set *set, spark_task *task, int index)
{
    if (index == 0)
        spk_pool_submit(((work *)(void *)set)->journal->pool, &urgent->set);
    run_work(set, task, index);
}

static void test_sets__that_come_later_go_before_those_of_later_jobs(void **state)
{
    static journal j;
    spk_pool *pool = spk_pool_new(*state, 1);
    journal_init(&j, pool);
    urgent = new_work(&j, 1, 5, 1);
    work *w = new_work(&j, 2, 2000, 2);
    w->set.run = submit_first;
    spk_pool_submit(pool, &w->set);
    journal_await(&j, 2005);
    int last = 0;
    for (int i = 0; i < 2005; i++)
        last = j.entries[i].name == 1 ? i : last;
    assert_true(last < 16 + 5); /* a worker ends what it has claimed: 16 tasks at most */
    free_work(w);
    free_work(urgent);
    spk_pool_free(pool);
    journal_fini(&j);
}

static void test_retries__go_before_tasks_that_never_ran(void **state)
{
    static journal j;
    spk_pool *pool = spk_pool_new(*state, 1);
    journal_init(&j, pool);
    work *w = new_work(&j, 1, 10, 1);
    w->again = 3;
    spk_pool_submit(pool, &w->set);
    journal_await(&j, 13);
    for (int i = 0; i < 13; i++) /* task 0 four times, then the others */
        assert_int_equal(j.entries[i].index, i < 4 ? 0 : i - 3);
    free_work(w);
    spk_pool_free(pool);
    journal_fini(&j);
}

static void test_retries__of_a_set_that_is_through_are_run(void **state)
{
    static journal j;
    spk_pool *pool = spk_pool_new(*state, 3);
    journal_init(&j, pool);
    work *w = new_work(&j, 1, 8, 1);
    w->counts = calloc(8, sizeof *w->counts);
    assert_non_null(w->counts);
    spk_pool_submit(pool, &w->set);
    journal_await(&j, 8);
    for (int i = 0; i < 8; i++)
        spk_pool_retry(pool, &w->set, i);
    journal_await(&j, 16);
    for (int i = 0; i < 8; i++)
        assert_int_equal(atomic_load(&w->counts[i]), 2);
    free(w->counts);
    free_work(w);
    spk_pool_free(pool);
    journal_fini(&j);
}

static void test_retries__of_earlier_jobs_go_before_later_jobs(void **state)
{
    static journal j;
    gate g;
    spk_pool *pool = spk_pool_new(*state, 1);
    journal_init(&j, pool);
    work *first = new_work(&j, 1, 1, 1), *second = new_work(&j, 2, 3, 2);
    spk_pool_submit(pool, &first->set);
    journal_await(&j, 1);
    work *blocker = block(&j, &g);
    spk_pool_submit(pool, &second->set);
    spk_pool_retry(pool, &first->set, 0);
    unblock(blocker, &g, 1 + 1 + 3);
    assert_int_equal(j.entries[2].name, 1);
    assert_int_equal(j.entries[3].name, 2);
    free_work(first);
    free_work(second);
    spk_pool_free(pool);
    journal_fini(&j);
}

/* ---- removing */

typedef struct removal {
    work *work;
    atomic_bool done;
} removal;

static void *remove_work(void *arg)
{
    removal *r = arg;
    spk_pool_remove(r->work->journal->pool, &r->work->set);
    atomic_store(&r->done, true);
    return NULL;
}

static void test_remove__waits_until_no_worker_is_inside(void **state)
{
    static journal j;
    gate g;
    pthread_t thread;
    spk_pool *pool = spk_pool_new(*state, 3);
    journal_init(&j, pool);
    gate_init(&g);
    work *w = new_work(&j, 1, 3, 1);
    w->gate = &g;
    removal r = { w, false };
    spk_pool_submit(pool, &w->set);
    gate_await(&g, 3);
    assert_int_equal(pthread_create(&thread, NULL, remove_work, &r), 0);
    nanosleep(&(struct timespec) { 0, 20000000 }, NULL);
    assert_false(atomic_load(&r.done));
    assert_int_equal(j.n, 0);
    gate_open(&g);
    pthread_join(thread, NULL);
    assert_int_equal(j.n, 3);
    free_work(w); /* removing again does nothing */
    spk_pool_free(pool);
    journal_fini(&j);
    gate_fini(&g);
}

static void test_remove__leaves_unclaimed_tasks_alone(void **state)
{
    static journal j;
    gate g;
    spk_pool *pool = spk_pool_new(*state, 1);
    journal_init(&j, pool);
    work *blocker = block(&j, &g);
    work *never = new_work(&j, 1, 100, 1), *other = new_work(&j, 2, 10, 2);
    spk_pool_submit(pool, &never->set);
    spk_pool_submit(pool, &other->set);
    spk_pool_remove(pool, &never->set);
    unblock(blocker, &g, 10);
    assert_int_equal(j.n, 11);
    for (int i = 1; i < 11; i++)
        assert_int_equal(j.entries[i].name, 2);
    free_work(never);
    free_work(other);
    spk_pool_free(pool);
    journal_fini(&j);
}

/* ---- threads of the pool */

typedef struct masks {
    spk_task_set set;
    gate *gate;
    bool blocked;
    spark_task *task;
} masks;

static void look_at_signals(spk_task_set *set, spark_task *task, int index)
{
    masks *m = (masks *)(void *)set;
    sigset_t now;
    (void)index;
    pthread_sigmask(SIG_SETMASK, NULL, &now);
    m->blocked = sigismember(&now, SIGINT) && sigismember(&now, SIGTERM);
    m->task = task;
    gate_open(m->gate);
}

static void test_workers__leave_signals_to_the_program(void **state)
{
    gate g;
    int retries[1];
    sigset_t before, after;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    spk_pool *pool = spk_pool_new(*state, 1);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    assert_int_equal(sigismember(&before, SIGINT), sigismember(&after, SIGINT));
    gate_init(&g);
    masks m = { .set = { .n = 1, .run = look_at_signals, .retries = retries }, .gate = &g };
    spk_pool_submit(pool, &m.set);
    gate_pass(&g);
    spk_pool_remove(pool, &m.set);
    assert_true(m.blocked);
    assert_ptr_equal(m.task->sc, *state);
    spk_pool_free(pool);
    gate_fini(&g);
}

#define pool_test(f) cmocka_unit_test_setup_teardown(f, open_context, close_context)

int main(void)
{
    const struct CMUnitTest tests[] = {
        pool_test(test_pool__runs_every_task_once),
        pool_test(test_pool__without_work_ends),
        pool_test(test_pool__with_more_threads_than_tasks_runs_them_all_at_once),
        pool_test(test_pool__runs_sets_beside_each_other),
        pool_test(test_pool__misses_no_wakeup),
        pool_test(test_sets__are_run_in_the_order_of_their_jobs),
        pool_test(test_sets__that_come_later_go_before_those_of_later_jobs),
        pool_test(test_retries__go_before_tasks_that_never_ran),
        pool_test(test_retries__of_a_set_that_is_through_are_run),
        pool_test(test_retries__of_earlier_jobs_go_before_later_jobs),
        pool_test(test_remove__waits_until_no_worker_is_inside),
        pool_test(test_remove__leaves_unclaimed_tasks_alone),
        pool_test(test_workers__leave_signals_to_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
