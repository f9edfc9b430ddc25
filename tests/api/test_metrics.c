/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics that are kept: they are the sums and quantiles of what tasks tell, whatever fails; they are there while
 * jobs run; and they are bounded. */
#include "support/gate.h"
#include "support/listened.h"
#include "support/recorder.h"

SPARK_FILTER(nothing, i64_pair)
{
    (void)in;
    return false;
}

static void agree_on_quantiles(spark_context *sc, const recorder *r, const spark_stage_metrics *s)
{
    static const double at[] = { 0, 0.05, 0.25, 0.5, 0.75, 0.95, 1 };
    spark_task_metrics values[LENGTH(at)];
    if (s->attempts.succeeded == 0) {
        assert_int_equal(spark_metrics_quantiles(sc, s->id, s->attempt, at, LENGTH(at), values), SPARK_EINVAL);
        return;
    }
    assert_int_equal(s->quantile_tasks, s->attempts.succeeded);
    assert_int_equal(s->quantile_each, 1);
    oracle_ok(spark_metrics_quantiles(sc, s->id, s->attempt, at, LENGTH(at), values));
    for (size_t i = 0; i < LENGTH(at); i++) {
        int64_t figures[RECORD_FIGURES];
        memcpy(figures, &values[i], sizeof figures);
        for (size_t c = 0; c < RECORD_FIGURES; c++)
            assert_int_equal(figures[c], recorder_quantile(r, s, c, at[i]));
    }
}

/* agree: all that is kept with what a recorder has heard, and with the counters of jobs. */
static void agree(spark_context *sc, const recorder *r)
{
    int jobs[64];
    spark_stage_attempt stages[512];
    spark_executor_metrics executors[128];
    spark_listeners_wait(sc);
    const size_t n_jobs = spark_metrics_jobs(sc, jobs, LENGTH(jobs));
    assert_in_range(n_jobs, 1, LENGTH(jobs));
    for (size_t i = 0; i < n_jobs; i++) {
        spark_job_metrics j;
        spark_job_stats stats;
        oracle_ok(spark_metrics_of_job(sc, jobs[i], &j));
        oracle_ok(spark_job_stats_get(sc, jobs[i], &stats));
        recorder_agrees(r, recorder_of_job, &j, &j.attempts);
        assert_int_equal(j.stages, stats.stages);
        assert_int_equal(j.skipped_stages, stats.skipped_stages);
        assert_int_equal(j.stage_attempts, stats.stage_attempts);
        assert_int_equal(j.attempts.succeeded, stats.tasks);
        assert_int_equal(j.attempts.failed + j.attempts.fetch_failed, stats.failed_tasks + stats.lost_inputs);
        assert_int_equal(j.active_stages + (int)j.attempts.running, 0);
        assert_true(j.completion_time >= j.submission_time);
        assert_int_equal(spark_metrics_stages(sc, jobs[i], NULL, 0), j.stage_attempts);
    }
    const size_t n_stages = spark_metrics_stages(sc, SPARK_ANY, stages, LENGTH(stages));
    assert_in_range(n_stages, 1, LENGTH(stages));
    for (size_t i = 0; i < n_stages; i++) {
        spark_stage_metrics s;
        oracle_ok(spark_metrics_of_stage(sc, stages[i].stage, stages[i].attempt, &s));
        assert_true(i == 0 || stages[i - 1].stage < s.id
            || (stages[i - 1].stage == s.id && stages[i - 1].attempt < s.attempt));
        recorder_agrees(r, recorder_of_stage, &s, &s.attempts);
        agree_on_quantiles(sc, r, &s);
        assert_int_equal(s.attempts.running, 0);
        assert_int_equal(s.state == SPARK_RUN_FAILED, *s.failure != '\0');
    }
    const size_t n_executors = spark_metrics_executors(sc, executors, LENGTH(executors));
    for (size_t i = 0; i < n_executors; i++)
        recorder_agrees(r, recorder_of_executor, &executors[i], &executors[i].attempts);
    assert_int_equal(spark_metrics_missed(sc), 0);
}

static void tell_of_jobs_stages_and_executors(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(3);
    recorder *r = recorder_listen(sc);
    int64_t n;
    spark_job_metrics j;
    spark_stage_metrics s;
    spark_executor_metrics e;
    oracle_ok(spark_keep_metrics(sc, NULL));
    assert_int_equal(spark_metrics_of_job(sc, SPARK_ANY, &j), SPARK_EINVAL);
    assert_int_equal(spark_metrics_jobs(sc, NULL, 0), 0);
    oracle_ok(spark_set_job_group(sc, "a group", "sums"));
    spark_rdd *sums = sums_of(sc, 7, 4);
    oracle_ok(spark_count(sums, &n));
    oracle_ok(spark_count(sums, &n)); /* the outputs are there */
    agree(sc, r);
    oracle_ok(spark_metrics_of_job(sc, 0, &j));
    assert_string_equal(j.group, "a group");
    assert_string_equal(j.description, "sums");
    assert_non_null(strstr(j.name, "count at test_metrics.c:"));
    assert_int_equal(j.state, SPARK_RUN_SUCCEEDED);
    assert_int_equal(j.tasks, 11);
    assert_int_equal(j.attempts.sum.shuffle_read_rows, j.attempts.sum.shuffle_write_rows);
    oracle_ok(spark_metrics_of_job(sc, SPARK_ANY, &j));
    assert_int_equal(j.id, 1);
    assert_int_equal(j.skipped_stages, 1);
    spark_stage_attempt of_first[2];
    assert_int_equal(spark_metrics_stages(sc, 0, of_first, 2), 2);
    oracle_ok(spark_metrics_of_stage(sc, of_first[0].stage, SPARK_ANY, &s));
    assert_int_equal(s.tasks, 7);
    assert_true(s.shuffle >= 0 && !s.is_result && s.first_launch_time >= s.submission_time);
    assert_non_null(strstr(s.name, "map at listened.h:"));
    oracle_ok(spark_metrics_of_stage(sc, of_first[1].stage, 0, &s));
    assert_true(s.shuffle == -1 && s.is_result);
    assert_int_equal(s.rdd, spark_rdd_id(sums));
    assert_int_equal(spark_metrics_executors(sc, &e, 1), 1);
    assert_string_equal(e.id, "driver");
    assert_int_equal(e.threads, 3);
    assert_int_equal(e.attempts.succeeded, 15);
    oracle_close(sc);
    recorder_free(r);
}

static void are_there_while_a_job_runs(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    gate g;
    gate_init(&g);
    spark_job_metrics j;
    spark_stage_metrics s;
    spark_stage_attempt stage;
    oracle_ok(spark_keep_metrics(sc, NULL));
    spark_future *f = spark_count_async(spark_filter(spark_range(sc, 0, 8, 1, 8), held, SPARK_COPY(g.state)));
    assert_true(gate_await(&g, 2));
    oracle_ok(spark_metrics_of_job(sc, spark_future_job(f), &j));
    assert_int_equal(j.state, SPARK_RUN_ACTIVE);
    assert_int_equal(j.active_stages, 1);
    assert_int_equal(j.attempts.running, 2);
    assert_int_equal(j.attempts.succeeded, 0);
    assert_int_equal(j.completion_time, 0);
    assert_int_equal(spark_metrics_stages(sc, j.id, &stage, 1), 1);
    oracle_ok(spark_metrics_of_stage(sc, stage.stage, stage.attempt, &s));
    assert_int_equal(s.state, SPARK_RUN_ACTIVE);
    assert_int_equal(s.attempts.running, 2);
    assert_true(s.first_launch_time > 0 && s.completion_time == 0);
    gate_open(&g);
    assert_int_equal(spark_future_wait(f, -1), SPARK_OK);
    oracle_ok(spark_metrics_of_stage(sc, stage.stage, stage.attempt, &s));
    assert_int_equal(s.state, SPARK_RUN_SUCCEEDED);
    assert_int_equal(s.attempts.succeeded, 8);
    oracle_close(sc);
    gate_fini(&g);
}

/* What began before is not counted when it ends. */
static void begin_in_the_middle_of_a_job(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_executor_metrics e;
    spark_job_metrics j;
    int64_t n;
    gate g;
    gate_init(&g);
    oracle_ok(spark_profile_shuffles(sc, 1, 0)); /* a bus without listeners */
    spark_future *f = spark_count_async(spark_filter(spark_range(sc, 0, 8, 1, 8), held, SPARK_COPY(g.state)));
    assert_true(gate_await(&g, 2));
    oracle_ok(spark_keep_metrics(sc, NULL));
    gate_open(&g);
    assert_int_equal(spark_future_wait(f, -1), SPARK_OK);
    assert_int_equal(spark_metrics_of_job(sc, 0, &j), SPARK_EINVAL);
    assert_int_equal(spark_metrics_executors(sc, &e, 1), 1);
    assert_int_equal(e.attempts.running, 0);
    assert_int_equal(e.attempts.succeeded, 6); /* those that began later */
    const int64_t before = e.attempts.succeeded;
    oracle_ok(spark_count(spark_range(sc, 0, 8, 1, 3), &n));
    assert_int_equal(spark_metrics_executors(sc, &e, 1), 1);
    assert_int_equal(e.attempts.succeeded, before + 3);
    oracle_close(sc);
    gate_fini(&g);
}

static void tell_of_failures(void **state)
{
    (void)state;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 2, .task_max_failures = 3 });
    recorder *r = recorder_listen(sc);
    spark_job_metrics j;
    spark_stage_metrics s;
    spark_stage_attempt stage;
    int64_t n;
    oracle_ok(spark_keep_metrics(sc, NULL));
    spark_rdd *bad = spark_map(spark_range(sc, 0, 100, 1, 4), fails_at, SPARK_COPY((int64_t) { 60 }));
    assert_int_equal(spark_count(bad, &n), SPARK_ETASK);
    agree(sc, r);
    oracle_ok(spark_metrics_of_job(sc, 0, &j));
    assert_int_equal(j.state, SPARK_RUN_FAILED);
    assert_int_equal(j.status, SPARK_ETASK);
    assert_non_null(strstr(j.failure, "not 60"));
    assert_int_equal(j.attempts.failed, 3);
    assert_int_equal(j.attempts.retries, 2);
    assert_int_equal(j.failed_stages, 1);
    assert_int_equal(spark_metrics_stages(sc, 0, &stage, 1), 1);
    oracle_ok(spark_metrics_of_stage(sc, stage.stage, SPARK_ANY, &s));
    assert_non_null(strstr(s.failure, "not 60"));
    oracle_close(sc);
    recorder_free(r);
}

/* add_up: under random faults, losses and copies, for masters, batches and little memory. */
static void add_up_whatever_fails(void **state)
{
    (void)state;
    static const char *const masters[] = { "local[1]", "local[3]", "local-cluster[3,2,64]" };
    for (uint64_t seed = 1; seed <= 12; seed++) {
        const spark_fault plan[] = {
            { SPARK_FAULT_RANDOM, SPARK_ANYWHERE, .seed = seed, .rate = seed % 4 ? 0.05 : 0 },
            { SPARK_FAULT_SHUFFLE, .job = 1, .stage = SPARK_ANY, .partition = 1, .attempt = 0, .output = 2 },
            { SPARK_FAULT_EXECUTOR, .job = 2, .stage = SPARK_ANY, .partition = 2, .attempt = 0 },
        };
        spark_context *sc = oracle_open_conf(&(spark_conf) { .master = masters[seed % 3],
            .faults = plan,
            .n_faults = 3,
            .memory_bytes = seed % 2 ? 64 << 20 : 0,
            .task_max_failures = 20,
            .stage_max_attempts = 20,
            .speculation = { .on = seed % 5 == 0, .interval_ms = 1, .min_runtime_ms = 1, .multiplier = 1.1 },
            .batch_rows = seed % 2 ? 7 : 0 });
        recorder *r = recorder_listen(sc);
        oracle_ok(spark_keep_metrics(sc, NULL));
        spark_rdd *sums = spark_cache(sums_of(sc, 6, 5));
        int64_t n;
        for (int round = 0; round < 4; round++) {
            SPARK_SCOPED(sc);
            oracle_ok(spark_count(round % 2 ? sums : spark_distinct(sums, 3), &n));
            agree(sc, r);
        }
        oracle_close(sc);
        recorder_free(r);
    }
}

static void are_bounded(void **state)
{
    (void)state;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .master = "local-cluster[2,1,64]" });
    const spark_metrics_options few = { .retained_jobs = 3, .retained_stages = 4, .retained_tasks = 100,
        .retained_executors = 2 };
    const double half = 0.5, above = 1.5;
    spark_task_metrics median;
    spark_stage_metrics s;
    spark_executor_metrics executors[8];
    int jobs[8];
    int64_t n;
    spark_stage_attempt stages[8];
    oracle_ok(spark_keep_metrics(sc, &few));
    for (int i = 0; i < 10; i++)
        oracle_ok(spark_count(spark_range(sc, 0, 100, 1, 30), &n));
    assert_int_equal(spark_metrics_jobs(sc, jobs, 8), 3);
    assert_int_equal(jobs[0], 7);
    assert_int_equal(jobs[2], 9);
    assert_int_equal(spark_metrics_stages(sc, SPARK_ANY, stages, 8), 4);
    assert_int_equal(spark_metrics_stages(sc, 9, stages + 7, 1), 1);
    assert_int_equal(stages[7].stage, stages[3].stage);
    for (int i = 0; i < 4; i++) { /* of 120 tasks 100 are kept at most: those of the first stage went */
        oracle_ok(spark_metrics_of_stage(sc, stages[i].stage, SPARK_ANY, &s));
        assert_int_equal(s.quantile_tasks, i == 0 ? 0 : 30);
        assert_int_equal(
            spark_metrics_quantiles(sc, s.id, SPARK_ANY, &half, 1, &median), i == 0 ? SPARK_EINVAL : SPARK_OK);
    }
    oracle_fails(spark_metrics_quantiles(sc, 0, 0, NULL, 1, &median), SPARK_EINVAL, "at and values must not be NULL");
    oracle_fails(spark_metrics_quantiles(sc, 0, 0, &above, 1, &median), SPARK_EINVAL, "must be from 0 to 1");
    oracle_fails(spark_metrics_quantiles(sc, 0, 0, &half, 1, &median), SPARK_EINVAL, "no such attempt of a stage");
    oracle_fails(spark_metrics_quantiles(sc, stages[0].stage, SPARK_ANY, &half, 1, &median), SPARK_EINVAL,
        "no task of the stage that is kept has succeeded");
    oracle_ok(spark_count(spark_range(sc, 0, 1000, 1, 1000), &n));
    assert_int_equal(spark_metrics_stages(sc, 10, stages, 1), 1);
    oracle_ok(spark_metrics_of_stage(sc, stages[0].stage, 0, &s));
    assert_int_equal(s.quantile_each, 16);
    assert_int_equal(s.quantile_tasks, 63); /* those that ended 0th, 16th, .. */
    oracle_ok(spark_metrics_quantiles(sc, s.id, 0, &half, 1, &median));
    assert_true(median.run_ns > 0 && median.run_ns <= s.attempts.sum.run_ns);
    for (int i = 0; i < 5; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d", i);
        oracle_ok(spark_kill_executor(sc, id, "for the test, at some length"));
    }
    assert_int_equal(spark_metrics_executors(sc, executors, 8), 4);
    assert_string_equal(executors[2].id, "4");
    assert_string_equal(executors[3].id, "3");
    assert_string_equal(executors[3].reason, "for the test, at some length");
    assert_true(executors[3].removed_time >= executors[3].added_time && executors[1].removed_time == 0);
    oracle_close(sc);
}

/* cached: rows of one RDD that were read from the cache. */
typedef struct cached {
    int rdd;
    int64_t rows;
} cached;
static void add_cached(void *env, const spark_stage_info *stage)
{
    cached *c = env;
    for (size_t i = 0; i < stage->n_rows; i++)
        c->rows += stage->rows[i].rdd == c->rdd ? stage->rows[i].cached : 0;
}

/* Blocks count once, and with their rows, wherever they lie, and whoever reads them: a chain, or a join, in place. */
static void count_what_the_cache_gives(void **state)
{
    static const spark_level levels[] = { SPARK_MEMORY_ONLY, SPARK_DISK_ONLY, SPARK_MEMORY_AND_DISK };
    (void)state;
    for (size_t i = 0; i < LENGTH(levels); i++) {
        cached c = { .rows = 0 };
        spark_job_metrics alone, joined;
        int64_t n;
        spark_context *sc = oracle_open(2);
        oracle_ok(spark_keep_metrics(sc, NULL));
        oracle_ok(spark_add_listener(sc, &(spark_listener) { .env = &c, .stage_completed = add_cached }));
        spark_rdd *numbers = spark_map(spark_range(sc, 0, ROWS, 1, 4), to_pair, NULL);
        spark_partitioner *three = spark_hash_partitioner(sc, 3);
        spark_rdd *placed = spark_persist(spark_partition_by(numbers, three), levels[i]);
        oracle_ok(spark_count(placed, &n));
        spark_listeners_wait(sc);
        c = (cached) { .rdd = spark_rdd_id(placed) };
        oracle_ok(spark_count(placed, &n));
        oracle_ok(spark_metrics_of_job(sc, SPARK_ANY, &alone));
        oracle_ok(spark_count(spark_join(placed, spark_filter(numbers, nothing, NULL), 0), &n));
        oracle_ok(spark_metrics_of_job(sc, SPARK_ANY, &joined));
        assert_int_equal(n, 0);
        assert_int_equal(alone.attempts.sum.input_rows, ROWS);
        assert_int_equal(joined.attempts.sum.input_rows, ROWS);
        assert_int_equal(alone.attempts.sum.input_bytes, ROWS * (int64_t)sizeof(i64_pair));
        assert_int_equal(joined.attempts.sum.input_bytes, alone.attempts.sum.input_bytes);
        assert_int_equal(joined.attempts.sum.cached_reads, 3);
        spark_listeners_wait(sc);
        assert_int_equal(c.rows, 2 * ROWS);
        oracle_close(sc);
    }
}

/* ask: from a function of a task, and from a callback. */
typedef spark_context *context_ref;
SPARK_FOREACH(ask, int64_t, context_ref)
{
    spark_job_metrics j;
    (void)in;
    if (spark_metrics_of_job(*env, spark_task_job(task), &j) != SPARK_OK || j.attempts.running < 1)
        spark_fail(task, "the job does not know of its task");
}
static void ask_of_job(void *env, const spark_job_info *job)
{
    spark_job_metrics j;
    assert_int_equal(spark_metrics_of_job(*(spark_context **)env, job->id, &j), SPARK_OK);
}

static void may_be_asked_for_anywhere(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    const spark_listener asking = { .env = &sc, .job_end = ask_of_job };
    oracle_ok(spark_add_listener(sc, &asking));
    oracle_ok(spark_keep_metrics(sc, NULL));
    for (int i = 0; i < 10; i++)
        oracle_ok(spark_foreach(spark_range(sc, 0, 20, 1, 10), ask, SPARK_COPY(sc)));
    oracle_close(sc);
}

static void refuse_what_makes_no_sense(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_job_metrics j;
    spark_stage_metrics s;
    spark_task_metrics m;
    const double parts[] = { 0.5, 1.5 }, nan = 0.0 / 0.0;
    int64_t n;
    assert_int_equal(spark_metrics_of_job(sc, 0, &j), SPARK_EINVAL);
    assert_int_equal(spark_metrics_of_stage(NULL, 0, 0, &s), SPARK_EINVAL);
    assert_int_equal(spark_metrics_jobs(sc, NULL, 0) + spark_metrics_stages(NULL, 0, NULL, 0), 0);
    assert_int_equal(spark_metrics_executors(sc, NULL, 0), 0);
    assert_int_equal(spark_metrics_missed(sc), 0);
    oracle_fails(spark_keep_metrics(sc, &(spark_metrics_options) { .retained_tasks = -1 }), SPARK_EINVAL, "negative");
    oracle_fails(spark_keep_metrics(NULL, NULL), SPARK_EINVAL, "no context");
    oracle_ok(spark_keep_metrics(sc, NULL));
    oracle_fails(spark_keep_metrics(sc, NULL), SPARK_EINVAL, "already");
    oracle_ok(spark_count(spark_range(sc, 0, 10, 1, 2), &n));
    assert_int_equal(spark_metrics_of_job(sc, 0, NULL), SPARK_EINVAL);
    assert_int_equal(spark_metrics_jobs(sc, NULL, 5), 1);
    assert_int_equal(spark_metrics_stages(sc, SPARK_ANY, NULL, 5), 1);
    assert_int_equal(spark_metrics_executors(sc, NULL, 5), 1);
    assert_int_equal(spark_metrics_hot_keys(sc, 0, NULL, 5) + spark_metrics_hot_partitions(sc, 0, NULL, 5), 0);
    assert_int_equal(spark_metrics_of_job(sc, 7, &j), SPARK_EINVAL);
    assert_int_equal(spark_metrics_of_job(sc, -7, &j), SPARK_EINVAL);
    assert_int_equal(spark_metrics_of_stage(sc, 0, 1, &s), SPARK_EINVAL);
    assert_int_equal(spark_metrics_quantiles(sc, 0, 0, parts, 1, &m), SPARK_OK);
    assert_int_equal(spark_metrics_quantiles(sc, 0, 0, parts, 0, NULL), SPARK_OK);
    assert_int_equal(spark_metrics_quantiles(sc, 0, 0, parts, 2, &m), SPARK_EINVAL);
    assert_int_equal(spark_metrics_quantiles(sc, 0, 0, &nan, 1, &m), SPARK_EINVAL);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(tell_of_jobs_stages_and_executors),
        oracle_test(are_there_while_a_job_runs),
        oracle_test(begin_in_the_middle_of_a_job),
        oracle_test(tell_of_failures),
        oracle_test(add_up_whatever_fails),
        oracle_test(are_bounded),
        oracle_test(count_what_the_cache_gives),
        oracle_test(may_be_asked_for_anywhere),
        oracle_test(refuse_what_makes_no_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
