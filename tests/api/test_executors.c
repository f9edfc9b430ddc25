/* SPDX-License-Identifier: Apache-2.0 */
/* Executors: what masters make, what is listed, what is lost with one whatever it runs, that only that
 * is made again, and that answers are the same bytes. */
#include "support/spark_test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/oracle.h"

enum { ROWS = 1200, MAPS = 6, REDUCES = 4, KEYS = 50, MOST = 256 };

#include "support/sums.h"

typedef spark_context *context;

/* ---- what a run is compared with */

typedef struct answer {
    int64_t sums[KEYS];
} answer;

static answer sums_of(spark_rdd *sums)
{
    answer a = { { 0 } };
    spark_array array;
    oracle_ok(spark_collect(sums, NULL, &array));
    assert_int_equal(array.n, KEYS);
    for (size_t i = 0; i < array.n; i++) {
        const i64_pair *pair = (const i64_pair *)array.items + i;
        a.sums[pair->key] = pair->value;
    }
    spark_array_free(&array);
    return a;
}

static answer expected(void)
{
    answer a = { { 0 } };
    for (int64_t i = 0; i < ROWS; i++)
        a.sums[i % KEYS] += i;
    return a;
}

static void same(answer is)
{
    const answer want = expected();
    assert_memory_equal(&is, &want, sizeof want);
}

static spark_rdd *pairs_of(spark_context *sc)
{
    return spark_map(spark_range(sc, 0, ROWS, 1, MAPS), to_pair, NULL);
}

static spark_rdd *summed(spark_rdd *pairs)
{
    return spark_reduce_by_key(pairs, add_up, NULL, REDUCES);
}

static size_t list(spark_context *sc, spark_executor_info *infos)
{
    const size_t n = spark_executors(sc, infos, MOST);
    assert_true(n <= MOST);
    return n;
}

static size_t living(spark_context *sc)
{
    spark_executor_info infos[MOST];
    size_t living = 0;
    for (size_t i = 0, n = list(sc, infos); i < n; i++)
        living += infos[i].state == SPARK_EXECUTOR_ALIVE;
    return living;
}

static spark_executor_info info_of(spark_context *sc, const char *id)
{
    spark_executor_info infos[MOST];
    for (size_t i = 0, n = list(sc, infos); i < n; i++)
        if (strcmp(infos[i].id, id) == 0)
            return infos[i];
    fail_msg("there is no executor %s", id);
    return infos[0];
}

/* ---- masters */

static void test_masters__say_how_many_executors_there_are(void **state)
{
    static const struct {
        const char *master;
        size_t executors;
        int threads;
        uint64_t limit;
        const char *first, *last;
    } masters[] = { { "local[3]", 1, 3, 0, "driver", "driver" },
        { "local-cluster[1,2,512]", 1, 2, 512 << 20, "0", "0" },
        { "local-cluster[3, 2, 64]", 3, 2, 64 << 20, "0", "2" },
        { "local-cluster[12,1,1]", 12, 1, 1 << 20, "0", "11" } };
    (void)state;
    for (size_t i = 0; i < sizeof masters / sizeof *masters; i++) {
        spark_context *sc = oracle_open_conf(&(spark_conf) { .master = masters[i].master });
        spark_executor_info infos[MOST];
        const size_t n = list(sc, infos);
        assert_int_equal(n, masters[i].executors);
        assert_int_equal(spark_context_threads(sc), (int)n * masters[i].threads);
        assert_string_equal(infos[0].id, masters[i].first);
        assert_string_equal(infos[n - 1].id, masters[i].last);
        for (size_t e = 0; e < n; e++) {
            assert_int_equal(infos[e].state, SPARK_EXECUTOR_ALIVE);
            assert_int_equal(infos[e].threads, masters[i].threads);
            assert_int_equal(infos[e].memory_limit,
                masters[i].limit ? masters[i].limit : spark_memory_limit(sc));
            assert_string_equal(infos[e].reason, "");
        }
        assert_int_equal(spark_executors(sc, infos, 0), n);
        assert_int_equal(spark_executors(sc, NULL, 5), n);
        oracle_close(sc);
    }
    assert_int_equal(spark_executors(NULL, NULL, 0), 0);
}

static void test_masters__of_clusters_that_do_not_parse_are_errors(void **state)
{
    static const char *const bad[] = { "local-cluster", "local-cluster[2,1]", "local-cluster[2,1,64",
        "local-cluster[2,1,64]x", "local-cluster[0,1,64]", "local-cluster[2,0,64]",
        "local-cluster[2,1,0]", "local-cluster[*,1,64]", "local-cluster[2,*,64]",
        "local-cluster[2,1,64,5]", "local-cluster[4097,1,64]", "local-cluster[65,64,64]",
        "local-cluster[16777216,16777216,1]" };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t n;
        spark_context *sc = spark_context_new(&(spark_conf) { .master = bad[i] });
        assert_int_equal(spark_count(spark_range(sc, 0, 10, 1, 3), &n), SPARK_EINVAL);
        assert_non_null(strstr(spark_last_error()->message, "Could not parse Master URL"));
        assert_non_null(strstr(spark_last_error()->message, bad[i]));
        spark_context_free(sc);
    }
}

/* ---- losing what an executor holds, while nothing runs */

static void test_kill__loses_what_the_executor_held_and_nothing_else(void **state)
{
    static const char *const masters[] = { "local[2]", "local-cluster[1,2,512]", "local-cluster[2,1,512]",
        "local-cluster[3,2,512]", "local-cluster[5,1,512]" };
    (void)state;
    for (size_t i = 0; i < sizeof masters / sizeof *masters; i++) {
        spark_context *sc = oracle_open_conf(&(spark_conf) { .master = masters[i] });
        spark_rdd *sums = spark_cache(summed(pairs_of(sc)));
        same(sums_of(sums));
        const size_t executors = living(sc);
        spark_executor_info infos[MOST];
        list(sc, infos);
        int64_t blocks = 0, outputs = 0, run = 0;
        for (size_t e = 0; e < executors; e++) {
            blocks += infos[e].blocks;
            outputs += infos[e].outputs;
            run += infos[e].tasks_run;
            assert_int_equal(infos[e].cached_bytes > 0, infos[e].blocks > 0);
        }
        assert_int_equal(blocks, REDUCES);
        assert_int_equal(outputs, MAPS);
        assert_int_equal(run, MAPS + REDUCES);
        const spark_executor_info gone = infos[executors - 1];
        oracle_ok(spark_kill_executor(sc, gone.id, "the power is cut"));
        assert_int_equal(living(sc), executors);
        const spark_executor_info after = info_of(sc, gone.id);
        assert_int_equal(after.state, SPARK_EXECUTOR_LOST);
        assert_string_equal(after.reason, "the power is cut");
        assert_int_equal(after.blocks + after.outputs, 0);
        assert_int_equal(spark_kill_executor(sc, gone.id, NULL), SPARK_EINVAL);
        same(sums_of(sums));
        /* Its blocks, and its outputs where a block is missed. */
        const spark_job_stats stats = oracle_last_job(sc);
        assert_int_equal(
            stats.recomputed_partitions, gone.blocks > 0 ? gone.blocks + gone.outputs : 0);
        assert_int_equal(stats.cached_blocks, gone.blocks);
        assert_int_equal(stats.cached_reads, REDUCES - gone.blocks);
        assert_int_equal(stats.failed_tasks, 0);
        assert_int_equal(stats.disowned_tasks, 0);
        /* And once more, nothing. */
        same(sums_of(sums));
        assert_int_equal(oracle_last_job(sc).recomputed_partitions, 0);
        oracle_close(sc);
    }
}

static void test_kill__makes_exactly_the_lost_outputs_again(void **state)
{
    (void)state;
    for (int victim = 0; victim < 3; victim++) {
        char id[16];
        spark_context *sc = oracle_open_conf(&(spark_conf) { .master = "local-cluster[3,1,512]" });
        spark_rdd *sums = summed(pairs_of(sc));
        same(sums_of(sums));
        snprintf(id, sizeof id, "%d", victim);
        const int64_t outputs = info_of(sc, id).outputs;
        oracle_ok(spark_kill_executor(sc, id, NULL));
        same(sums_of(sums));
        const spark_job_stats stats = oracle_last_job(sc);
        assert_int_equal(stats.recomputed_partitions, outputs);
        assert_int_equal(stats.tasks, outputs + REDUCES);
        assert_int_equal(stats.failed_tasks, 0);
        oracle_close(sc);
    }
}

/* ---- while it runs */

typedef struct losing {
    const char *master;
    int stage, partition;
    spark_fault_when when;
} losing;

static void test_faults__lose_an_executor_at_any_time(void **state)
{
    static const char *const masters[] = { "local", "local[3]", "local-cluster[2,1,512]",
        "local-cluster[3,2,512]" };
    (void)state;
    for (int cached = 0; cached < 2; cached++)
        for (int i = 0; i < 4 * 2 * 3 * 2; i++) {
            const losing l = { masters[i % 4], i / 4 % 2, i / 24 * 3, (spark_fault_when)(i / 8 % 3) };
            const spark_fault fault = { SPARK_FAULT_EXECUTOR, .stage = l.stage, .partition = l.partition, .when = l.when };
            spark_context *sc = oracle_open_conf(
                &(spark_conf) { .master = l.master, .faults = &fault, .n_faults = 1 });
            accumulator n = spark_counter(sc, "n");
            spark_rdd *range = spark_range(sc, 0, ROWS, 1, MAPS);
            spark_rdd *pairs = spark_map(spark_filter(range, counts, SPARK_COPY(n)), to_pair, NULL);
            if (cached)
                pairs = spark_cache(pairs);
            same(sums_of(summed(pairs)));
            const spark_job_stats stats = oracle_last_job(sc);
            assert_int_equal(stats.failed_tasks, 0);
            assert_true(stats.disowned_tasks >= 1);
            assert_int_equal(spark_accumulator_value(n), ROWS);
            spark_executor_info infos[MOST];
            const size_t known = list(sc, infos);
            assert_int_equal(infos[known - 1].state, SPARK_EXECUTOR_LOST);
            assert_string_equal(infos[known - 1].reason, "killed by the fault plan");
            oracle_close(sc);
        }
}

static void test_faults__of_one_executor_lose_exactly_its_outputs(void **state)
{
    /* One thread: the result stage begins when all outputs lie in the only executor. */
    const spark_fault fault = { SPARK_FAULT_EXECUTOR, .stage = 1, .partition = 2, .when = SPARK_FAULT_WHILE };
    (void)state;
    spark_context *sc
        = oracle_open_conf(&(spark_conf) { .master = "local[1]", .faults = &fault, .n_faults = 1 });
    same(sums_of(summed(pairs_of(sc))));
    const spark_job_stats stats = oracle_last_job(sc);
    assert_int_equal(stats.recomputed_partitions, MAPS);
    assert_int_equal(stats.disowned_tasks, 1);
    assert_int_equal(stats.tasks, MAPS + MAPS + REDUCES);
    assert_in_range(stats.lost_inputs, 1, 2); /* of the two tasks that were left */
    assert_int_equal(stats.failed_tasks, 0);
    oracle_close(sc);
}

static void test_hangs__end_with_their_executor(void **state)
{
    const spark_fault faults[] = { { SPARK_FAULT_HANG, .job = 0, .stage = 0, .partition = 1 } };
    (void)state;
    for (int cluster = 0; cluster < 2; cluster++) {
        spark_context *sc
            = oracle_open_conf(&(spark_conf) { .master = cluster ? "local-cluster[2,1,512]" : "local[2]",
                .faults = faults,
                .n_faults = 1 });
        spark_array array;
        spark_future *future = spark_collect_async(summed(pairs_of(sc)), NULL);
        const char *victim = NULL;
        spark_executor_info infos[MOST];
        while (!victim) { /* until all but one task is done, and that one hangs */
            spark_job_stats stats;
            nanosleep(&(struct timespec) { 0, 1000000 }, NULL);
            if (spark_job_stats_get(sc, 0, &stats) != SPARK_OK || stats.tasks < MAPS - 1)
                continue;
            for (size_t i = 0, n = list(sc, infos); i < n; i++)
                if (infos[i].busy > 0)
                    victim = infos[i].id;
        }
        oracle_ok(spark_kill_executor(sc, victim, "it hangs"));
        oracle_ok(spark_future_get(future, &array));
        assert_int_equal(array.n, KEYS);
        spark_array_free(&array);
        assert_int_equal(oracle_last_job(sc).disowned_tasks, 1);
        oracle_close(sc);
    }
}

static void test_delays__change_nothing(void **state)
{
    const spark_fault fault = { SPARK_FAULT_DELAY, SPARK_ANYWHERE, .delay_ms = 5 };
    (void)state;
    spark_context *sc = oracle_open_conf(
        &(spark_conf) { .master = "local-cluster[2,2,512]", .faults = &fault, .n_faults = 1 });
    same(sums_of(summed(pairs_of(sc))));
    assert_int_equal(oracle_last_job(sc).tasks, MAPS + REDUCES);
    oracle_close(sc);
}

/* A function that kills the executor it runs on, which nobody else can see. */
SPARK_FILTER(kills_its_own, int64_t, context)
{
    if (*in == 700 && spark_task_attempt(task) == 0)
        spark_kill_executor(*env, spark_task_executor(task), "from inside");
    return true;
}

static void test_kill__is_called_from_inside_a_task(void **state)
{
    static const char *const masters[] = { "local", "local[2]", "local-cluster[2,1,512]",
        "local-cluster[2,2,512]" };
    (void)state;
    for (size_t i = 0; i < sizeof masters / sizeof *masters; i++) {
        spark_context *sc = oracle_open_conf(&(spark_conf) { .master = masters[i] });
        spark_rdd *range = spark_range(sc, 0, ROWS, 1, MAPS);
        same(sums_of(summed(spark_map(spark_filter(range, kills_its_own, SPARK_COPY(sc)), to_pair, NULL))));
        assert_true(oracle_last_job(sc).disowned_tasks >= 1);
        oracle_close(sc);
    }
}

/* ---- who takes over */

enum { SHARE = 2, EXECUTORS = 4 };

/* takeover: tasks wait until all have begun, those of the lost executor twice. */
typedef struct takeover {
    spark_context *sc;
    atomic_int begun, killed, ran[2 * EXECUTORS]; /* ran: by executor */
} takeover;
typedef takeover *takeover_of;

static void wait_for(const spark_task *task, const takeover *t, int begun)
{
    while (atomic_load(&t->begun) < begun && !spark_cancelled(task))
        nanosleep(&(struct timespec) { 0, 100000 }, NULL);
}

SPARK_FILTER(is_taken_over, int64_t, takeover_of)
{
    takeover *t = *env;
    const int all = SHARE * EXECUTORS;
    atomic_fetch_add(&t->ran[atoi(spark_task_executor(task))], 1);
    atomic_fetch_add(&t->begun, 1);
    wait_for(task, t, all);
    if (*in == 0 && atomic_exchange(&t->killed, 1) == 0)
        spark_kill_executor(t->sc, spark_task_executor(task), "while all its tasks run");
    wait_for(task, t, all + SHARE);
    return true;
}

/* The tasks of the one that is lost while all run are for the one that has none, though others have
 * threads to spare. */
static void test_kill__leaves_tasks_to_who_has_fewest(void **state)
{
    takeover t = { .sc = oracle_open_conf(&(spark_conf) { .master = "local-cluster[4,4,512]" }) };
    takeover *at = &t;
    (void)state;
    spark_rdd *range = spark_range(t.sc, 0, SHARE * EXECUTORS, 1, SHARE * EXECUTORS);
    assert_int_equal(oracle_count(spark_filter(range, is_taken_over, SPARK_COPY(at))),
        SHARE * EXECUTORS);
    assert_int_equal(oracle_last_job(t.sc).disowned_tasks, SHARE);
    for (int i = 0; i <= EXECUTORS; i++)
        assert_int_equal(atomic_load(&t.ran[i]), SHARE);
    oracle_close(t.sc);
}

/* ---- again and again */

typedef struct killer {
    spark_context *sc;
    atomic_bool stop;
    int kills;
} killer;

static void *kill_on(void *arg)
{
    killer *k = arg;
    while (!atomic_load(&k->stop)) {
        spark_executor_info infos[MOST];
        const size_t n = spark_executors(k->sc, infos, MOST);
        size_t alive = 0;
        while (alive < n && alive < MOST && infos[alive].state == SPARK_EXECUTOR_ALIVE)
            alive++;
        k->kills += spark_kill_executor(k->sc, infos[(size_t)k->kills % alive].id, "at random") == SPARK_OK;
        nanosleep(&(struct timespec) { 0, 3000000 }, NULL);
    }
    return NULL;
}

static void test_kills__from_other_threads_never_change_an_answer(void **state)
{
    static const char *const masters[] = { "local[2]", "local-cluster[2,1,512]", "local-cluster[4,2,512]" };
    (void)state;
    for (size_t i = 0; i < sizeof masters / sizeof *masters; i++) {
        pthread_t thread;
        spark_context *sc
            = oracle_open_conf(&(spark_conf) { .master = masters[i], .stage_max_attempts = 1000 });
        killer k = { .sc = sc };
        accumulator n = spark_counter(sc, "n");
        assert_int_equal(pthread_create(&thread, NULL, kill_on, &k), 0);
        for (int64_t round = 1; round <= 25; round++) {
            SPARK_SCOPED(sc);
            spark_rdd *range = spark_range(sc, 0, ROWS, 1, MAPS);
            spark_rdd *pairs = spark_map(spark_filter(range, counts, SPARK_COPY(n)), to_pair, NULL);
            same(sums_of(summed(round % 2 ? pairs : spark_cache(pairs))));
            assert_int_equal(spark_accumulator_value(n), ROWS * round);
        }
        atomic_store(&k.stop, true);
        pthread_join(thread, NULL);
        assert_true(k.kills > 0);
        oracle_close(sc);
    }
}

static void test_kills__cost_no_memory_that_stays(void **state)
{
    (void)state;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .master = "local-cluster[2,1,512]" });
    spark_rdd *sums = summed(pairs_of(sc));
    uint64_t used = 0;
    for (int i = 0; i < 300; i++) {
        char id[16];
        same(sums_of(sums));
        snprintf(id, sizeof id, "%d", i);
        oracle_ok(spark_kill_executor(sc, id, NULL));
        if (i == 20)
            used = spark_memory_bytes(sc, NULL);
    }
    assert_true(spark_memory_bytes(sc, NULL) <= used + 4 * 1024 * 1024); /* 300 have been killed */
    spark_executor_info infos[MOST];
    const size_t n = list(sc, infos);
    assert_true(n > 100 && n < 110);
    oracle_close(sc);
}

/* kills_others: one after the other, until no more may be lost; gives how many there were. */
SPARK_MAP(kills_others, int64_t, int64_t, context)
{
    char id[24];
    const int64_t own = atoi(spark_task_executor(task));
    spark_status status = SPARK_OK;
    *out = 0;
    for (int64_t i = 0; status == SPARK_OK; i++) {
        snprintf(id, sizeof id, "%lld", (long long)i);
        if (i != own && (status = spark_kill_executor(*env, id, NULL)) == SPARK_OK)
            ++*out;
    }
    if (status != SPARK_ENOMEM || !strstr(spark_last_error()->message, "no more can be lost until it has ended"))
        spark_fail(task, "%s", spark_last_error()->message);
}

static void test_kills__while_one_job_runs_have_a_limit(void **state)
{
    (void)state;
    if (TESTS_WATCH_THREADS) { /* ten thousand threads that are watched take minutes */
        skip();
        return;
    }
    spark_context *sc = oracle_open_conf(&(spark_conf) { .master = "local-cluster[2,1,512]" });
    spark_rdd *killed = spark_map(spark_range(sc, 0, 1, 1, 1), kills_others, SPARK_COPY(sc));
    spark_array array;
    oracle_ok(spark_collect(killed, SPARK_TYPE(int64_t), &array));
    assert_int_equal(array.n, 1);
    assert_int_equal(*SPARK_ITEMS(int64_t, &array), 10000);
    spark_array_free(&array);
    assert_int_equal(oracle_count(spark_range(sc, 0, 10, 1, 3)), 10); /* the next job forgets them */
    assert_int_equal(living(sc), 2);
    spark_executor_info infos[MOST];
    const size_t known = list(sc, infos);
    assert_true(known < 110);
    oracle_ok(spark_kill_executor(sc, infos[0].id, NULL));
    same(sums_of(summed(pairs_of(sc))));
    oracle_close(sc);
}

/* Every first attempt ends the executor it runs on, those that make outputs again among them. */
static void test_faults__of_all_first_attempts_heal(void **state)
{
    static const char *const masters[] = { "local[2]", "local-cluster[2,2,64]", "local-cluster[4,1,64]" };
    (void)state;
    for (size_t i = 0; i < 3 * sizeof masters / sizeof *masters; i++) {
        const spark_fault fault = { SPARK_FAULT_EXECUTOR, .job = SPARK_ANY, .stage = SPARK_ANY,
            .partition = SPARK_ANY, .attempt = 0, .when = (spark_fault_when)(i % 3) };
        spark_context *sc = oracle_open_conf(&(spark_conf) { .master = masters[i / 3], .faults = &fault,
            .n_faults = 1, .memory_bytes = 64 << 20, .stage_max_attempts = 16 });
        same(sums_of(summed(pairs_of(sc))));
        assert_true(oracle_last_job(sc).disowned_tasks >= MAPS);
        oracle_close(sc);
    }
}

/* watch: what the process has while tasks of a job run that each lose an executor: the most of the first
 * partitions, and of those after. */
enum { EARLY = 60, KILLS = TESTS_WATCH_THREADS ? 120 : 400 };
typedef struct watch {
    atomic_int mappings[2], threads[2], kb[2], files[2];
} watch;

static int lines_of(const char *path, const char *with, int *value)
{
    char line[512];
    int n = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        n++;
        if (with && strncmp(line, with, strlen(with)) == 0)
            *value = atoi(line + strlen(with));
    }
    fclose(file);
    return n;
}

static void at_most(atomic_int *most, int value)
{
    int before = atomic_load(most);
    while (before < value && !atomic_compare_exchange_weak(most, &before, value))
        continue;
}

typedef watch *watcher;
SPARK_MAP(watched, int64_t, i64_pair, watcher)
{
    const int late = *in >= EARLY;
    int kb = 0;
    at_most(&(*env)->mappings[late], lines_of("/proc/self/maps", NULL, NULL));
    at_most(&(*env)->threads[late], oracle_entries("/proc/self/task"));
    at_most(&(*env)->files[late], oracle_entries("/proc/self/fd"));
    lines_of("/proc/self/status", "VmRSS:", &kb);
    at_most(&(*env)->kb[late], kb);
    char *some = spark_alloc(task, 4 << 20);
    memset(some, 1, 4 << 20);
    *out = (i64_pair) { *in % KEYS, *in };
}

/* One job in whose stages several hundred executors are lost takes no more than one that loses some. */
static void test_kills__of_one_job_leave_nothing_behind(void **state)
{
    static const char *const masters[] = { "local[2]", "local-cluster[2,2,64]" };
    const spark_fault fault
        = { SPARK_FAULT_EXECUTOR, .job = 0, .stage = SPARK_ANY, .partition = SPARK_ANY, .attempt = 0,
              .when = SPARK_FAULT_AFTER };
    (void)state;
    for (size_t i = 0; i < sizeof masters / sizeof *masters; i++) {
        watch w;
        memset(&w, 0, sizeof w);
        spark_context *sc = oracle_open_conf(&(spark_conf) { .master = masters[i], .faults = &fault,
            .n_faults = 1, .memory_bytes = 64 << 20, .stage_max_attempts = 1000 });
        watcher at = &w;
        spark_rdd *range = spark_range(sc, 0, KILLS, 1, KILLS);
        assert_int_equal(oracle_count(spark_map(range, watched, SPARK_COPY(at))), KILLS);
        assert_true(oracle_last_job(sc).disowned_tasks >= KILLS);
        print_message("    %s: %d mappings, then %d; %d threads, %d; %d files, %d; %d kB, %d\n", masters[i], w.mappings[0],
            w.mappings[1], w.threads[0], w.threads[1], w.files[0], w.files[1], w.kb[0], w.kb[1]);
        assert_true(w.threads[1] <= w.threads[0] + 12);
        assert_true(w.mappings[1] <= w.mappings[0] + 64);
        assert_true(w.files[1] <= w.files[0] + 16);
        assert_true(w.kb[1] <= w.kb[0] + 64 * 1024);
        oracle_close(sc);
    }
}

/* A task that ends whatever it runs on. */
static void test_tasks__that_end_every_executor_fail_their_job(void **state)
{
    const spark_fault fault
        = { SPARK_FAULT_EXECUTOR, .partition = 3, .attempt = SPARK_ANY, .when = SPARK_FAULT_AFTER };
    (void)state;
    int64_t n;
    spark_context *sc = oracle_open_conf(
        &(spark_conf) { .master = "local-cluster[2,1,512]", .faults = &fault, .n_faults = 1 });
    spark_rdd *range = spark_range(sc, 0, ROWS, 1, MAPS);
    assert_int_equal(spark_count(range, &n), SPARK_ETASK);
    assert_non_null(strstr(spark_last_error()->message, "ran on 100 executors that were lost"));
    assert_int_equal(oracle_count(range), ROWS); /* the plan names job 0 */
    oracle_close(sc);
}

static void test_results__outlive_their_executor(void **state)
{
    (void)state;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .master = "local-cluster[2,1,512]" });
    spark_array array;
    const spark_str words[] = { SPARK_STR("a"), SPARK_STR("bc"), SPARK_STR("def"), SPARK_STR("ghij") };
    oracle_ok(spark_collect(spark_parallelize(sc, SPARK_DATA(spark_str, 4, words), 4), NULL, &array));
    for (int i = 0; i < 6; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d", i);
        oracle_ok(spark_kill_executor(sc, id, NULL));
        assert_int_equal(oracle_count(spark_range(sc, 0, 10, 1, 3)), 10);
    }
    for (size_t i = 0; i < 4; i++)
        assert_true(spark_str_equal(((const spark_str *)array.items)[i], words[i]));
    spark_array_free(&array);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_masters__say_how_many_executors_there_are),
        cmocka_unit_test(test_masters__of_clusters_that_do_not_parse_are_errors),
        cmocka_unit_test(test_kill__loses_what_the_executor_held_and_nothing_else),
        cmocka_unit_test(test_kill__makes_exactly_the_lost_outputs_again),
        cmocka_unit_test(test_faults__lose_an_executor_at_any_time),
        cmocka_unit_test(test_faults__of_one_executor_lose_exactly_its_outputs),
        cmocka_unit_test(test_hangs__end_with_their_executor),
        cmocka_unit_test(test_delays__change_nothing),
        cmocka_unit_test(test_kill__is_called_from_inside_a_task),
        cmocka_unit_test(test_kill__leaves_tasks_to_who_has_fewest),
        cmocka_unit_test(test_kills__from_other_threads_never_change_an_answer),
        cmocka_unit_test(test_kills__cost_no_memory_that_stays),
        cmocka_unit_test(test_kills__while_one_job_runs_have_a_limit),
        cmocka_unit_test(test_faults__of_all_first_attempts_heal),
        cmocka_unit_test(test_kills__of_one_job_leave_nothing_behind),
        cmocka_unit_test(test_tasks__that_end_every_executor_fail_their_job),
        cmocka_unit_test(test_results__outlive_their_executor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
