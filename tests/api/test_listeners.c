/* SPDX-License-Identifier: Apache-2.0 */
/* Listeners: the order of what they are told, whatever fails; that the figures are those of the job's
 * counters; what a slow one misses; that none can hold up or break a job. */
#include "support/watcher.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/listened.h"
#include "support/oracle.h"

SPARK_MAP(to_text, i64_pair, spark_str)
{
    *out = spark_str_format(task, "%lld", (long long)in->value);
}
SPARK_MAP(naps, int64_t, int64_t)
{
    (void)task;
    nanosleep(&(struct timespec) { 0, 2000000 }, NULL);
    *out = *in;
}

static spark_context *open_watched(const spark_conf *conf, watcher *w)
{
    spark_context *sc = spark_context_new(conf);
    const spark_listener listener = watcher_listener(w);
    oracle_ok(spark_add_listener(sc, &listener));
    return sc;
}

/* agree: what the watcher has added up, and what the job's counters say. */
static void agree(spark_context *sc, watcher *w, int job)
{
    spark_job_stats stats;
    spark_listeners_wait(sc);
    oracle_ok(spark_job_stats_get(sc, job, &stats));
    const watched_job *j = &w->jobs[stats.job];
    assert_true(j->begun && j->ended);
    assert_int_equal(j->done, stats.tasks);
    assert_int_equal(j->failed + j->fetch_failed, stats.failed_tasks + stats.lost_inputs);
    assert_int_equal(j->submitted, stats.stage_attempts);
    assert_int_equal(j->skipped, stats.skipped_stages);
    assert_int_equal(j->speculative > 0, stats.speculative_tasks > 0 && j->speculative > 0);
    if (stats.failed_tasks + stats.lost_inputs + stats.disowned_tasks == 0) {
        assert_int_equal(j->sum.shuffle_write_rows, stats.shuffle_rows);
        assert_int_equal(j->sum.shuffle_write_bytes, stats.shuffle_bytes);
        assert_int_equal(j->sum.disk_spilled_bytes, stats.spilled_bytes);
        assert_int_equal(j->sum.cached_reads, stats.cached_reads);
        assert_int_equal(j->sum.cached_blocks, stats.cached_blocks);
    }
}

static void tells_of_jobs_stages_and_tasks(void **state)
{
    (void)state;
    watcher *w = watcher_new();
    spark_context *sc = open_watched(&(spark_conf) { .threads = 3, .app_name = "watched" }, w);
    spark_rdd *sums = sums_of(sc, 7, 4);
    int64_t n;
    spark_set_job_description(sc, "sums");
    oracle_ok(spark_count(sums, &n));
    assert_int_equal(n, KEYS);
    agree(sc, w, SPARK_ANY);
    assert_string_equal(w->jobs[0].description, "sums");
    assert_int_equal(w->jobs[0].stages, 2);
    assert_int_equal(w->jobs[0].done, 11);
    assert_int_equal(w->jobs[0].sum.shuffle_read_rows, w->jobs[0].sum.shuffle_write_rows);
    assert_int_equal(w->jobs[0].sum.shuffle_read_local_blocks, 28);
    assert_int_equal(w->jobs[0].sum.shuffle_read_remote_blocks, 0);
    assert_true(w->jobs[0].sum.shuffle_read_local_bytes > 0);
    assert_int_equal(w->jobs[0].sum.shuffle_read_local_bytes, w->jobs[0].sum.shuffle_write_bytes);
    oracle_ok(spark_count(sums, &n)); /* the outputs are there */
    agree(sc, w, SPARK_ANY);
    assert_int_equal(w->jobs[1].skipped, 1);
    oracle_ok(spark_count(spark_empty_rdd(sc, SPARK_TYPE(int64_t)), &n));
    agree(sc, w, SPARK_ANY);
    assert_int_equal(w->executors, 1);
    spark_context_free(sc);
    watcher_over(w);
}

static void counts_what_is_read_and_written(void **state)
{
    (void)state;
    watcher *w = watcher_new();
    char dir[] = "/tmp/listeners-XXXXXX", path[64], command[80];
    int64_t n;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/out", dir);
    spark_context *sc = open_watched(&(spark_conf) { .threads = 2 }, w);
    spark_rdd *lines = spark_map(sums_of(sc, 5, 3), to_text, NULL);
    oracle_ok(spark_save_as_text_file(lines, path));
    agree(sc, w, SPARK_ANY);
    const int64_t written = w->jobs[0].sum.output_bytes;
    assert_int_equal(w->jobs[0].sum.output_rows, KEYS);
    assert_true(written > KEYS);
    spark_rdd *read = spark_cache(spark_text_file(sc, path, 1));
    oracle_ok(spark_count(read, &n));
    agree(sc, w, SPARK_ANY);
    assert_int_equal(w->jobs[1].sum.input_rows, KEYS);
    assert_int_equal(w->jobs[1].sum.input_bytes, written);
    oracle_ok(spark_count(read, &n));
    agree(sc, w, SPARK_ANY);
    assert_int_equal(w->jobs[2].sum.input_rows, KEYS);
    assert_true(w->jobs[2].sum.input_bytes >= written - KEYS);
    assert_int_equal(w->blocks_in, 3);
    spark_unpersist(read);
    spark_listeners_wait(sc);
    assert_int_equal(w->blocks_gone, 3);
    assert_int_equal(w->unpersisted, 1);
    spark_array lists;
    oracle_ok(spark_collect(spark_range(sc, 0, 100, 1, 2), SPARK_TYPE(int64_t), &lists));
    agree(sc, w, SPARK_ANY);
    assert_true(w->jobs[3].sum.result_bytes >= 800);
    spark_array_free(&lists);
    spark_context_free(sc);
    watcher_over(w);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

static void tells_of_failures(void **state)
{
    (void)state;
    watcher *w = watcher_new();
    spark_context *sc = open_watched(&(spark_conf) { .threads = 2, .task_max_failures = 3 }, w);
    spark_rdd *bad = spark_map(spark_range(sc, 0, 100, 1, 4), fails_at, SPARK_COPY((int64_t) { 60 }));
    int64_t n;
    assert_int_equal(spark_count(bad, &n), SPARK_ETASK);
    agree(sc, w, SPARK_ANY);
    assert_int_equal(w->jobs[0].failed, 3);
    assert_int_equal(w->jobs[0].status, SPARK_ETASK);
    assert_non_null(strstr(w->jobs[0].failure, "not 60"));
    oracle_ok(spark_count(spark_range(sc, 0, 100, 1, 4), &n));
    agree(sc, w, SPARK_ANY);
    spark_context_free(sc);
    watcher_over(w);
}

/* keeps_the_rules: under random faults, for masters, with speculation, and little memory. */
static void keeps_the_rules(void **state)
{
    (void)state;
    static const char *const masters[] = { "local[1]", "local[3]", "local-cluster[3,2,64]" };
    for (uint64_t seed = 1; seed <= 12; seed++) {
        const spark_fault plan[] = {
            { SPARK_FAULT_RANDOM, SPARK_ANYWHERE, .seed = seed, .rate = seed % 4 ? 0.05 : 0 },
            { SPARK_FAULT_SHUFFLE, .job = 1, .stage = SPARK_ANY, .partition = 1, .attempt = 0, .output = 2 },
            { SPARK_FAULT_EXECUTOR, .job = 2, .stage = SPARK_ANY, .partition = 2, .attempt = 0 },
        };
        watcher *w = watcher_new();
        spark_context *sc = open_watched(&(spark_conf) { .master = masters[seed % 3],
                                             .faults = plan,
                                             .n_faults = 3,
                                             .memory_bytes = seed % 2 ? 64 << 20 : 0,
                                             .task_max_failures = 20,
                                             .stage_max_attempts = 20,
                                             .speculation = { .on = seed % 5 == 0, .interval_ms = 1,
                                                 .min_runtime_ms = 1, .multiplier = 1.1 },
                                             .batch_rows = seed % 2 ? 7 : 0 },
            w);
        spark_rdd *sums = spark_cache(sums_of(sc, 6, 5));
        int64_t n;
        for (int round = 0; round < 4; round++) {
            SPARK_SCOPED(sc);
            oracle_ok(spark_count(round % 2 ? sums : spark_distinct(sums, 3), &n));
            agree(sc, w, SPARK_ANY);
        }
        spark_context_free(sc);
        watcher_over(w);
    }
}

SPARK_MAP(one_naps, int64_t, int64_t)
{
    (void)task;
    if (*in == 77)
        nanosleep(&(struct timespec) { 0, 5000000 }, NULL);
    *out = *in;
}

static void *runs_jobs(void *context)
{
    spark_context *sc = context;
    for (int round = 0; round < 160; round++) {
        SPARK_SCOPED(sc);
        int64_t n = 0;
        spark_rdd *pairs = spark_map(spark_map(spark_range(sc, 0, 2000, 1, 20), one_naps, NULL), to_pair, NULL);
        if (spark_count(spark_reduce_by_key(pairs, spark_op_sum, NULL, 6), &n) != SPARK_OK || n != KEYS)
            return "a job failed";
    }
    return NULL;
}

/* Copies of slow tasks often begin when their task is done, and its stage with it: nobody is told of these. */
static void copies_begin_while_their_stage_runs(void **state)
{
    (void)state;
    watcher *w = watcher_new();
    spark_context *sc = open_watched(&(spark_conf) { .master = "local-cluster[3,1,128]",
                                         .speculation = { .on = true, .interval_ms = 1, .min_runtime_ms = 1,
                                             .multiplier = 1.2, .quantile = 0.3 } },
        w);
    watcher *slow = watcher_new(); /* attempts wait for it before they begin */
    spark_listener listener = watcher_listener(slow);
    listener.whole = true;
    listener.capacity = 5;
    oracle_ok(spark_add_listener(sc, &listener));
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, runs_jobs, sc), 0);
    for (int i = 0; i < 3; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    for (int job = 0; job < 480; job++)
        agree(sc, w, job);
    spark_context_free(sc);
    watcher_over(w);
    watcher_over(slow);
}

static void a_slow_listener_misses_what_is_counted(void **state)
{
    (void)state;
    watcher *w = watcher_new();
    spark_context *sc = spark_context_new(&(spark_conf) { .threads = 2 });
    spark_listener listener = watcher_listener(w);
    int64_t n;
    w->lossy = true;
    w->sleep_us = 20;
    listener.capacity = 16;
    oracle_ok(spark_add_listener(sc, &listener));
    oracle_ok(spark_count(spark_range(sc, 0, 5000, 1, 5000), &n));
    const int64_t missed = spark_listeners_missed(sc);
    spark_listeners_wait(sc);
    assert_true(missed > 0);
    assert_int_equal(w->n_tasks + w->missed, 5000);
    spark_context_free(sc);
    watcher_over(w);
}

static void one_that_is_whole_misses_nothing(void **state)
{
    (void)state;
    watcher *w = watcher_new();
    spark_context *sc = spark_context_new(&(spark_conf) { .threads = 2 });
    spark_listener listener = watcher_listener(w);
    int64_t n;
    w->sleep_us = 1;
    listener.capacity = 16;
    listener.whole = true;
    oracle_ok(spark_add_listener(sc, &listener));
    oracle_ok(spark_count(spark_range(sc, 0, 2000, 1, 2000), &n));
    agree(sc, w, SPARK_ANY);
    assert_int_equal(w->n_tasks, 2000);
    assert_int_equal(spark_listeners_missed(sc), 0);
    spark_context_free(sc);
    watcher_over(w);
}

/* asks: callbacks may ask the context. */
static void asks(void *env, const spark_job_info *job)
{
    spark_context *sc = *(spark_context **)env;
    spark_job_stats stats;
    spark_executor_info executors[4];
    assert_int_equal(spark_job_stats_get(sc, job->id, &stats), SPARK_OK);
    spark_executors(sc, executors, 4);
    spark_listeners_wait(sc);
}

static void several_come_and_may_ask(void **state)
{
    (void)state;
    watcher *a = watcher_new(), *b = watcher_new();
    spark_context *sc = open_watched(&(spark_conf) { .master = "local-cluster[2,2,64]" }, a);
    const spark_listener asking = { .env = &sc, .job_end = asks };
    int64_t n;
    oracle_ok(spark_count(spark_range(sc, 0, 100, 1, 9), &n));
    oracle_ok(spark_add_listener(sc, &asking));
    const spark_listener second = watcher_listener(b);
    oracle_ok(spark_add_listener(sc, &second));
    for (int i = 0; i < 20; i++)
        oracle_ok(spark_count(spark_range(sc, 0, 100, 1, 9), &n));
    oracle_ok(spark_kill_executor(sc, "1", "for the test"));
    agree(sc, a, SPARK_ANY);
    agree(sc, b, SPARK_ANY);
    assert_int_equal(a->n_tasks, 9 * 21);
    assert_int_equal(b->n_tasks, 9 * 20);
    assert_int_equal(a->executors, 2);
    assert_int_equal(b->executors, 2);
    spark_context_free(sc);
    watcher_over(a);
    watcher_over(b);
}

/* acts: callbacks may run no jobs and make nothing, for the end of the context waits for them when it has nothing left. */
typedef struct acting {
    spark_context *sc;
    spark_rdd *rdd; /* NULL: the context may be ending */
    int told, refused, made;
} acting;

static void acts_on(spark_rdd *rdd, acting *a)
{
    int64_t n;
    a->refused += spark_count(rdd, &n) == SPARK_EINVAL
        && strstr(spark_last_error()->message, "an action inside a callback of a listener");
    a->refused += spark_future_count(spark_count_async(rdd), &n) == SPARK_EINVAL;
    a->refused += spark_replay(rdd, 0) == -1;
    a->refused += spark_save_as_text_file(rdd, "/nowhere/at/all") == SPARK_EINVAL;
    a->refused += spark_explain(rdd, stderr) == SPARK_EINVAL;
    a->made += spark_rdd_status(spark_map(rdd, naps, NULL)) == SPARK_OK;
}

static void acts(void *env, const spark_job_info *job)
{
    acting *a = env;
    (void)job;
    nanosleep(&(struct timespec) { 0, 3000000 }, NULL);
    a->told++;
    if (a->rdd)
        acts_on(a->rdd, a);
    a->made += spark_rdd_status(spark_range(a->sc, 0, 10, 1, 1)) == SPARK_OK;
    a->refused += strstr(spark_last_error()->message, "a transformation inside a callback of a listener") != NULL;
    spark_context_free(a->sc); /* does nothing */
}

static void callbacks_run_no_jobs(void **state)
{
    acting a = { .told = 0 };
    int64_t n;
    (void)state;
    a.sc = spark_context_new(&(spark_conf) { .threads = 2 });
    a.rdd = spark_map(spark_range(a.sc, 0, 3, 1, 2), naps, NULL);
    oracle_ok(spark_add_listener(a.sc, &(spark_listener) { .env = &a, .job_end = acts }));
    for (int i = 0; i < 3; i++)
        oracle_ok(spark_count(a.rdd, &n));
    spark_listeners_wait(a.sc);
    a.rdd = NULL;
    for (int i = 0; i < 5; i++)
        oracle_ok(spark_count(spark_range(a.sc, 0, 10, 1, 2), &n));
    spark_context_free(a.sc); /* most of these are told of now */
    assert_int_equal(a.told, 8);
    assert_int_equal(a.refused, 3 * 6 + 5);
    assert_int_equal(a.made, 0);
}

/* The first of all callbacks are no exception. */
static void begins(void *env, const spark_executor_event *executor)
{
    (void)executor;
    acts(env, NULL);
}

static void first_callbacks_run_no_jobs(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        acting a = { .told = 0 };
        a.sc = spark_context_new(&(spark_conf) { .threads = 1 });
        a.rdd = spark_range(a.sc, 0, 3, 1, 1);
        oracle_ok(spark_add_listener(a.sc, &(spark_listener) { .env = &a, .executor_added = begins }));
        spark_listeners_wait(a.sc);
        assert_int_equal(a.told, 1);
        assert_int_equal(a.refused, 6);
        assert_int_equal(a.made, 0);
        spark_context_free(a.sc);
    }
}

static void refuses_what_makes_no_sense(void **state)
{
    (void)state;
    watcher w = { .closed = 0 };
    const spark_listener listener = watcher_listener(&w);
    spark_context *sc = spark_context_new(&(spark_conf) { .master = "nonsense" });
    assert_int_equal(spark_add_listener(NULL, &listener), SPARK_EINVAL);
    assert_int_equal(spark_add_listener(sc, &listener), SPARK_EINVAL);
    assert_int_equal(spark_add_listener(sc, NULL), SPARK_EINVAL);
    assert_int_equal(w.closed, 2);
    spark_listeners_wait(sc);
    assert_int_equal(spark_listeners_missed(sc), 0);
    spark_context_free(sc);
    sc = spark_context_new(NULL);
    const spark_listener nothing = { .env = NULL };
    for (int i = 0; i < 64; i++)
        oracle_ok(spark_add_listener(sc, &nothing));
    assert_int_equal(spark_add_listener(sc, &listener), SPARK_ENOMEM);
    assert_non_null(strstr(spark_last_error()->message, "at most 64 listeners"));
    assert_int_equal(w.closed, 3);
    spark_context_free(sc);
}

static void a_child_of_fork_tells_nobody(void **state)
{
    (void)state;
    watcher *w = watcher_new();
    spark_context *sc = open_watched(&(spark_conf) { .threads = 1 }, w);
    int64_t n;
    oracle_ok(spark_count(spark_range(sc, 0, 10, 1, 1), &n));
    spark_listeners_wait(sc);
    const pid_t child = fork();
    if (child == 0) {
        alarm(20);
        const spark_status status = spark_count(spark_range(sc, 0, 10, 1, 1), &n);
        spark_listeners_wait(sc);
        spark_context_free(sc);
        _exit(status == SPARK_OK || status == SPARK_EINVAL ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    oracle_ok(spark_count(spark_range(sc, 0, 10, 1, 1), &n));
    agree(sc, w, SPARK_ANY);
    assert_int_equal(w->n_tasks, 2);
    spark_context_free(sc);
    watcher_over(w);
}

static void tells_of_cancelled_jobs(void **state)
{
    (void)state;
    watcher *w = watcher_new();
    spark_context *sc = open_watched(&(spark_conf) { .threads = 2 }, w);
    spark_future *f = spark_count_async(spark_map(spark_range(sc, 0, 100000, 1, 50), naps, NULL));
    while (spark_future_job(f) < 0)
        nanosleep(&(struct timespec) { 0, 1000000 }, NULL);
    spark_cancel_all_jobs(sc);
    assert_int_equal(spark_future_wait(f, -1), SPARK_ECANCELLED);
    agree(sc, w, SPARK_ANY);
    assert_int_equal(w->jobs[0].status, SPARK_ECANCELLED);
    spark_context_free(sc);
    watcher_over(w);
}

/* ---- progress, for a program that draws its own */

typedef struct drawn {
    int calls, ends, done, total;
    bool wrong;
} drawn;

static void draws(void *env, const spark_progress *stages, size_t n)
{
    drawn *d = env;
    d->calls++;
    d->ends += n == 0;
    for (size_t i = 0; i < n; i++) {
        const spark_progress *p = &stages[i];
        d->wrong |= p->done < d->done || p->done + p->running > p->total || !strstr(p->name, "count at ");
        d->wrong |= (p->done > 0 && p->seconds > 0) != (p->rate > 0) || (p->rate > 0 && p->left < 0) || p->failed != 0;
        d->done = p->done;
        d->total = p->total;
    }
}

static void progress_is_told(void **state)
{
    (void)state;
    drawn d = { .calls = 0 };
    spark_context *sc = spark_context_new(&(spark_conf) { .threads = 2 });
    const spark_progress_options options = { .interval_ms = 5, .delay_ms = -1, .to = draws, .env = &d };
    int64_t n;
    oracle_ok(spark_show_progress(sc, &options));
    oracle_ok(spark_count(spark_map(spark_range(sc, 0, 60, 1, 60), naps, NULL), &n));
    assert_int_equal(d.ends, 1); /* the action has returned, so that all has been told */
    assert_true(d.calls > 2);
    assert_int_equal(d.total, 60);
    assert_true(d.done > 0);
    assert_false(d.wrong);
    spark_context_free(sc);
    assert_int_equal(d.ends, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_of_jobs_stages_and_tasks),
        cmocka_unit_test(counts_what_is_read_and_written),
        cmocka_unit_test(tells_of_failures),
        cmocka_unit_test(keeps_the_rules),
        cmocka_unit_test(copies_begin_while_their_stage_runs),
        cmocka_unit_test(a_slow_listener_misses_what_is_counted),
        cmocka_unit_test(one_that_is_whole_misses_nothing),
        cmocka_unit_test(several_come_and_may_ask),
        cmocka_unit_test(callbacks_run_no_jobs),
        cmocka_unit_test(first_callbacks_run_no_jobs),
        cmocka_unit_test(refuses_what_makes_no_sense),
        cmocka_unit_test(a_child_of_fork_tells_nobody),
        cmocka_unit_test(tells_of_cancelled_jobs),
        cmocka_unit_test(progress_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
