/* SPDX-License-Identifier: Apache-2.0 */
/* The pool: every task once, sets in the order of their jobs or by their shares, retries first,
 * what calling threads are lent, and removing waits. */
#include "support/spark_test.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "scheduler/stage.h"

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

/* ---- fair shares */

typedef struct wanted {
    const char *pool;
    int weight, min_share; /* weight 0: the pool is not in the configuration */
    int tasks, running;    /* of `threads` workers, when all have chosen */
} wanted;

/* shares_are: a pool whose workers are all busy with other work is given gated sets; as they come
 * free they choose, one task at a time, and stay there. */
static void shares_are(int threads, size_t n, const wanted *w)
{
    static journal j;
    spark_pool pools[4];
    size_t n_pools = 0;
    gate first, gates[4];
    work *works[4];
    for (size_t i = 0; i < n; i++)
        if (w[i].weight > 0)
            pools[n_pools++] = (spark_pool) { w[i].pool, w[i].weight, w[i].min_share };
    spark_context *sc = spark_context_new(&(spark_conf) {
        .threads = threads, .scheduler_mode = SPARK_FAIR, .pools = pools, .n_pools = n_pools });
    spk_pool *pool = sc->scheduler->pool; /* shares are of one pool */
    assert_int_equal(spk_pool_threads(pool), threads);
    journal_init(&j, pool);
    gate_init(&first);
    work *blocker = new_work(&j, -1, threads, 0);
    blocker->set.pool = "blocker";
    blocker->gate = &first;
    spk_pool_submit(pool, &blocker->set);
    gate_await(&first, threads);
    int all = threads, stand = 0;
    for (size_t i = 0; i < n; i++) {
        gate_init(&gates[i]);
        works[i] = new_work(&j, (int)i, w[i].tasks, i + 1);
        works[i]->gate = &gates[i];
        works[i]->set.pool = w[i].pool;
        spk_pool_submit(pool, &works[i]->set);
        all += w[i].tasks;
        stand += w[i].running;
    }
    assert_int_equal(stand, threads);
    gate_open(&first);
    /* All stand somewhere: more at one gate are fewer at another. */
    for (int now = 0; now < threads;) {
        now = 0;
        for (size_t i = 0; i < n; i++) {
            pthread_mutex_lock(&gates[i].lock);
            now += gates[i].waiting;
            pthread_mutex_unlock(&gates[i].lock);
        }
        nanosleep(&(struct timespec) { 0, 100000 }, NULL);
    }
    int have[4];
    for (size_t i = 0; i < n; i++) {
        pthread_mutex_lock(&gates[i].lock);
        have[i] = gates[i].waiting;
        pthread_mutex_unlock(&gates[i].lock);
    }
    for (size_t i = 0; i < n; i++)
        gate_open(&gates[i]);
    journal_await(&j, all);
    free_work(blocker);
    gate_fini(&first);
    for (size_t i = 0; i < n; i++) {
        free_work(works[i]);
        gate_fini(&gates[i]);
    }
    journal_fini(&j);
    spark_context_free(sc);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(have[i], w[i].running);
}

#define SHARES(threads, ...)                                                                       \
    do {                                                                                           \
        const wanted w[] = { __VA_ARGS__ };                                                        \
        shares_are(threads, sizeof w / sizeof w[0], w);                                            \
    } while (0)

static void test_shares__follow_the_weights(void **state)
{
    (void)state;
    SHARES(4, { "a", 1, 0, 20, 2 }, { "b", 1, 0, 20, 2 });
    SHARES(4, { "a", 1, 0, 20, 1 }, { "b", 3, 0, 20, 3 });
    SHARES(4, { "a", 3, 0, 20, 3 }, { "b", 1, 0, 20, 1 });
    SHARES(8, { "a", 1, 0, 20, 1 }, { "b", 2, 0, 20, 2 }, { "c", 5, 0, 20, 5 });
    /* Which set came first does not matter. */
    SHARES(8, { "z", 5, 0, 20, 5 }, { "y", 2, 0, 20, 2 }, { "x", 1, 0, 20, 1 });
}

static void test_shares__below_their_minimum_go_first(void **state)
{
    (void)state;
    SHARES(4, { "a", 9, 0, 20, 1 }, { "b", 1, 3, 20, 3 });
    SHARES(4, { "a", 1, 0, 20, 2 }, { "b", 1, 2, 20, 2 });
    SHARES(2, { "a", 100, 0, 20, 0 }, { "b", 1, 2, 20, 2 });
    /* Both below: by what part of it they have. */
    SHARES(3, { "a", 1, 2, 20, 1 }, { "b", 1, 4, 20, 2 });
    SHARES(6, { "a", 50, 2, 20, 2 }, { "b", 1, 4, 20, 4 });
}

static void test_shares__leave_what_others_do_not_want(void **state)
{
    (void)state;
    SHARES(6, { "a", 1, 0, 20, 5 }, { "b", 9, 5, 1, 1 });
    SHARES(5, { "a", 1, 5, 2, 2 }, { "b", 1, 0, 20, 3 });
}

static void test_shares__of_unknown_pools_have_weight_one(void **state)
{
    (void)state;
    SHARES(4, { "known", 3, 0, 20, 3 }, { "unknown", 0, 0, 20, 1 });
    SHARES(6, { "new", 0, 0, 20, 2 }, { "newer", 0, 0, 20, 2 }, { "newest", 0, 0, 20, 2 });
    SHARES(4, { NULL, 0, 0, 20, 2 }, { "other", 0, 0, 20, 2 });
}

static void test_shares__give_the_older_job_of_a_pool_the_way(void **state)
{
    (void)state;
    SHARES(4, { "a", 1, 0, 20, 2 }, { "a", 0, 0, 20, 0 }, { "b", 1, 0, 20, 2 });
    SHARES(4, { "a", 1, 0, 1, 1 }, { "a", 0, 0, 20, 1 }, { "b", 1, 0, 20, 2 });
    /* NULL is the pool "default". */
    SHARES(4, { "default", 0, 0, 1, 1 }, { NULL, 0, 0, 20, 1 }, { "other", 1, 0, 20, 2 });
}

static void test_shares__run_every_task_once(void **state)
{
    enum { SETS = 9, N = 400 };
    static journal j;
    static const char *const names[] = { NULL, "a", "b" };
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2) {
        work *works[SETS];
        spark_context *sc
            = spark_context_new(&(spark_conf) { .threads = threads, .scheduler_mode = SPARK_FAIR });
        spk_pool *pool = sc->scheduler->pool;
        journal_init(&j, pool);
        for (int i = 0; i < SETS; i++) {
            works[i] = new_work(&j, i, N, (uint64_t)i);
            works[i]->set.pool = names[i % 3];
            works[i]->again = i;
            works[i]->counts = calloc(N, sizeof *works[i]->counts);
            assert_non_null(works[i]->counts);
            spk_pool_submit(pool, &works[i]->set);
        }
        journal_await(&j, SETS * N + SETS * (SETS - 1) / 2);
        for (int i = 0; i < SETS; i++) {
            int sum = 0;
            for (int k = 0; k < N; k++) {
                assert_true(atomic_load(&works[i]->counts[k]) >= 1);
                sum += atomic_load(&works[i]->counts[k]);
            }
            assert_int_equal(sum, N + i);
            free(works[i]->counts);
            free_work(works[i]);
        }
        journal_fini(&j);
        spark_context_free(sc);
    }
}

/* ---- lending */

static spk_task_set lent_set; /* what is lent: nothing is queued of it */

/* lend_when_idle: workers that have just done something leave their set a moment later. */
static spark_task *lend_when_idle(spk_pool *pool)
{
    spark_task *task = NULL;
    for (int i = 0; i < 30000 && !(task = spk_pool_lend(pool, &lent_set)); i++)
        nanosleep(&(struct timespec) { 0, 1000000 }, NULL);
    assert_non_null(task);
    return task;
}

static void test_lend__gives_one_task_while_nothing_runs(void **state)
{
    for (int threads = 1; threads <= 4; threads++) {
        spk_pool *pool = spk_pool_new(*state, threads);
        spark_task *task = lend_when_idle(pool);
        assert_ptr_equal(task->sc, *state);
        assert_null(spk_pool_lend(pool, &lent_set)); /* to one thread at a time */
        spk_pool_lent(pool, &lent_set, task);
        assert_ptr_equal(lend_when_idle(pool), task);
        spk_pool_lent(pool, &lent_set, task);
        spk_pool_free(pool);
    }
}

static void test_lend__takes_the_place_of_a_worker(void **state)
{
    static journal j;
    enum { TASKS = 20 };
    for (int threads = 1; threads <= 4; threads++) {
        gate g;
        gate_init(&g);
        spk_pool *pool = spk_pool_new(*state, threads);
        journal_init(&j, pool);
        spark_task *task = lend_when_idle(pool);
        work *w = new_work(&j, 1, TASKS, 1);
        w->gate = &g;
        spk_pool_submit(pool, &w->set);
        gate_await(&g, threads - 1);
        for (int i = 0; i < 20; i++) { /* one thread stays out */
            nanosleep(&(struct timespec) { 0, 1000000 }, NULL);
            pthread_mutex_lock(&g.lock);
            assert_int_equal(g.waiting, threads - 1);
            pthread_mutex_unlock(&g.lock);
        }
        spk_pool_lent(pool, &lent_set, task);
        gate_await(&g, threads); /* and comes in then */
        gate_open(&g);
        journal_await(&j, TASKS);
        free_work(w);
        spk_pool_free(pool);
        journal_fini(&j);
        gate_fini(&g);
    }
}

static void test_lend__refuses_while_something_is_queued_or_runs(void **state)
{
    static journal j;
    gate g;
    spk_pool *pool = spk_pool_new(*state, 2);
    journal_init(&j, pool);
    spk_pool_lent(pool, &lent_set, lend_when_idle(pool));
    work *blocker = block(&j, &g);
    for (int i = 0; i < 100; i++)
        assert_null(spk_pool_lend(pool, &lent_set)); /* one of two workers is busy */
    gate_open(&g);
    journal_await(&j, 1);
    free_work(blocker);
    gate_fini(&g);
    spk_pool_lent(pool, &lent_set, lend_when_idle(pool));
    spk_pool_free(pool);
    journal_fini(&j);
}

static void lends_nothing(spark_context *sc)
{
    spk_pool *pool = spk_pool_new(sc, 1);
    for (int i = 0; i < 20; i++) {
        nanosleep(&(struct timespec) { 0, 1000000 }, NULL);
        assert_null(spk_pool_lend(pool, &lent_set));
    }
    spk_pool_free(pool);
    spark_context_free(sc);
}

static void test_lend__is_not_for_check_mode(void **state)
{
    (void)state;
    lends_nothing(spark_context_new(&(spark_conf) { .threads = 1, .check = true }));
}

/* on_small_stack: a thread that has less stack than the workers. */
static void *on_small_stack(void *argument)
{
    lends_nothing(argument);
    return NULL;
}

static void test_lend__wants_as_much_stack_as_a_worker_has(void **state)
{
    pthread_attr_t attributes;
    pthread_t thread;
    (void)state;
    for (size_t worker = 4 << 20; worker <= 64 << 20; worker *= 4) {
        spark_context *sc
            = spark_context_new(&(spark_conf) { .threads = 1, .thread_stack_bytes = worker });
        assert_int_equal(pthread_attr_init(&attributes), 0);
        assert_int_equal(pthread_attr_setstacksize(&attributes, worker / 2), 0);
        assert_int_equal(pthread_create(&thread, &attributes, on_small_stack, sc), 0);
        pthread_join(thread, NULL);
        pthread_attr_destroy(&attributes);
    }
}

/* Jobs of one task: on the calling thread where nothing else is to be done. */
typedef struct whereabouts {
    pthread_t caller;
    atomic_int *here, *there;
} whereabouts;
SPARK_MAP(notes_thread, int64_t, int64_t, whereabouts)
{
    atomic_fetch_add(pthread_equal(pthread_self(), env->caller) ? env->here : env->there, 1);
    *out = *in;
}
typedef spark_rdd *rdd_ref;
SPARK_MAP(acts, int64_t, int64_t, rdd_ref)
{
    int64_t n;
    *out = spark_count(*env, &n) == SPARK_EINVAL
        && strstr(spark_last_error()->message, "inside a function of a task") != NULL;
}
SPARK_MAP(fails_once, int64_t, int64_t, whereabouts)
{
    if (spark_task_attempt(task) == 0)
        spark_fail(task, "the first attempt");
    else
        notes_thread_(task, in, out, env);
}

static void test_lend__runs_jobs_of_one_task_on_the_calling_thread(void **state)
{
    atomic_int here = 0, there = 0;
    int64_t n = 0;
    spark_context *sc = *state;
    const whereabouts w = { pthread_self(), &here, &there };
    spark_rdd *one = spark_map(spark_range(sc, 0, 1, 1, 1), notes_thread, SPARK_COPY(w));
    for (int i = 0; i < 30000 && atomic_load(&here) == 0; i++) {
        assert_int_equal(spark_count(one, &n), SPARK_OK);
        assert_int_equal(n, 1);
        nanosleep(&(struct timespec) { 0, 1000000 }, NULL);
    }
    assert_true(atomic_load(&here) > 0);
    /* It is a task all the same; afterwards the thread is the caller's again. */
    rdd_ref range = spark_range(sc, 0, 3, 1, 1);
    for (int i = 0; i < 50; i++) {
        spark_array result;
        assert_int_equal(
            spark_collect(spark_map(range, acts, SPARK_COPY(range)), NULL, &result), SPARK_OK);
        for (size_t k = 0; k < 3; k++)
            assert_int_equal(SPARK_ITEMS(int64_t, &result)[k], 1);
        spark_array_free(&result);
        assert_int_equal(spark_count(range, &n), SPARK_OK);
        assert_int_equal(n, 3);
        /* What fails here is tried again, by the workers. */
        atomic_store(&here, 0);
        atomic_store(&there, 0);
        assert_int_equal(spark_count(spark_map(range, fails_once, SPARK_COPY(w)), &n), SPARK_OK);
        assert_int_equal(n, 3);
        assert_int_equal(atomic_load(&here), 0);
        assert_int_equal(atomic_load(&there), 3);
    }
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
        cmocka_unit_test(test_shares__follow_the_weights),
        cmocka_unit_test(test_shares__below_their_minimum_go_first),
        cmocka_unit_test(test_shares__leave_what_others_do_not_want),
        cmocka_unit_test(test_shares__of_unknown_pools_have_weight_one),
        cmocka_unit_test(test_shares__give_the_older_job_of_a_pool_the_way),
        cmocka_unit_test(test_shares__run_every_task_once),
        pool_test(test_lend__gives_one_task_while_nothing_runs),
        pool_test(test_lend__takes_the_place_of_a_worker),
        pool_test(test_lend__refuses_while_something_is_queued_or_runs),
        cmocka_unit_test(test_lend__is_not_for_check_mode),
        cmocka_unit_test(test_lend__wants_as_much_stack_as_a_worker_has),
        pool_test(test_lend__runs_jobs_of_one_task_on_the_calling_thread),
        pool_test(test_workers__leave_signals_to_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
