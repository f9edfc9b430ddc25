/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs that are cancelled, by number, stage, group, tag, or all of them, while they run; what they
 * leave to others; and the pools of fair scheduling. */
#include "gate.h"

#include <stdatomic.h>

SPARK_PAIR(i64_i64, int64_t, int64_t);

SPARK_MAP(by_seven, int64_t, i64_i64)
{
    *out = (i64_i64) { *in % 7, *in };
}
SPARK_MAP(plus_one, int64_t, int64_t)
{
    *out = *in + 1;
}

/* job: an action on a thread of its own, which ends when it is cancelled or its gate opens. */
typedef struct job {
    spark_context *sc;
    spark_rdd *rdd;
    const char *group, *description, *pool;
    const char *tags[4];
    gate gate;
    pthread_t thread;
    spark_status status;
    char message[600];
    int number;  /* as the error has it */
    int arrived; /* tasks at the gate, once it has ended */
    int64_t n;
} job;

static void *run_job(void *arg)
{
    job *j = arg;
    SPARK_SCOPED(j->sc);
    j->status = SPARK_OK;
    if (j->group)
        j->status = spark_set_job_group(j->sc, j->group, j->description);
    for (int i = 0; i < 4 && j->tags[i] && j->status == SPARK_OK; i++)
        j->status = spark_add_job_tag(j->sc, j->tags[i]);
    if (j->pool && j->status == SPARK_OK)
        j->status = spark_set_scheduler_pool(j->sc, j->pool);
    if (j->status == SPARK_OK)
        j->status = spark_count(j->rdd, &j->n);
    if (j->status != SPARK_OK) {
        snprintf(j->message, sizeof j->message, "%s", spark_last_error()->message);
        j->number = spark_last_error()->job;
    }
    return NULL;
}

/* launch: what is set in *j stays; the RDD stands at the gate, if there is none yet. */
static void launch(job *j, spark_context *sc)
{
    j->sc = sc;
    j->n = j->number = -1;
    j->message[0] = 0;
    if (j->gate.state == NULL)
        gate_init(&j->gate);
    if (j->rdd == NULL)
        j->rdd = spark_filter(
            spark_range(sc, 0, 2, 1, 2), held_or_cancelled, SPARK_COPY(j->gate.state));
    assert_int_equal(pthread_create(&j->thread, NULL, run_job, j), 0);
}

static void started(job *j)
{
    assert_true(gate_await(&j->gate, 1));
}

static void join(job *j)
{
    pthread_join(j->thread, NULL);
    j->arrived = gate_arrived(&j->gate);
    gate_fini(&j->gate);
}

static void is_cancelled(job *j, const char *words)
{
    join(j);
    assert_int_equal(j->status, SPARK_ECANCELLED);
    if (strstr(j->message, words) == NULL)
        fail_msg("\"%s\" not in \"%s\"", words, j->message);
    /* The action, where it was called, and which job. */
    char begin[64];
    assert_memory_equal(j->message, "count at " TEST_FILE ":", sizeof("count at " TEST_FILE ":") - 1);
    snprintf(begin, sizeof begin, ": Job %d cancelled ", j->number);
    if (strstr(j->message, begin) == NULL)
        fail_msg("\"%s\" not in \"%s\"", begin, j->message);
    assert_int_equal(j->n, 0);
}

static void survives(job *j, int64_t n)
{
    gate_open(&j->gate);
    join(j);
    if (j->status != SPARK_OK)
        fail_msg("%s", j->message);
    assert_int_equal(j->n, n);
}

/* ---- ways to cancel */

static void test_cancel_job__ends_that_job_alone(void **state)
{
    (void)state;
    for (int check = 0; check < 2; check++) {
        spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 4, .check = check });
        job a = { .group = NULL }, b = { .group = NULL };
        launch(&a, sc);
        started(&a); /* job 0 */
        launch(&b, sc);
        started(&b); /* job 1 */
        spark_cancel_job(sc, 7, NULL);
        spark_cancel_job(sc, -1, NULL);
        spark_cancel_job(sc, 1, "because of the test");
        is_cancelled(&b, "cancelled because of the test");
        assert_int_equal(b.number, 1);
        survives(&a, 2);
        /* Jobs that have ended are not found any more. */
        spark_cancel_job(sc, 0, NULL);
        assert_int_equal(oracle_count(spark_range(sc, 0, 9, 1, 2)), 9);
        oracle_close(sc);
    }
}

static void test_cancel_all_jobs__ends_them_all(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(6), *other = oracle_open(2);
    job jobs[3] = { { .group = NULL } }, away = { .group = NULL };
    for (int i = 0; i < 3; i++) {
        launch(&jobs[i], sc);
        started(&jobs[i]);
    }
    launch(&away, other);
    started(&away);
    spark_cancel_all_jobs(sc);
    for (int i = 0; i < 3; i++)
        is_cancelled(&jobs[i], "as part of cancellation of all jobs");
    survives(&away, 2);
    assert_int_equal(oracle_count(spark_range(sc, 0, 9, 1, 2)), 9);
    oracle_close(sc);
    oracle_close(other);
}

static void test_cancel_stage__ends_the_jobs_that_use_it(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(4);
    job a = { .group = NULL }, b = { .group = NULL };
    launch(&a, sc);
    started(&a); /* stage 0 */
    launch(&b, sc);
    started(&b); /* stage 1 */
    spark_cancel_stage(sc, 99, NULL);
    spark_cancel_stage(sc, -1, NULL);
    spark_cancel_stage(sc, 0, NULL);
    is_cancelled(&a, "because Stage 0 was cancelled");
    survives(&b, 2);
    /* A stage of a shuffle: stage 2 fills it, 3 reads it. */
    job c = { .group = NULL };
    gate_init(&c.gate);
    gate_ref ref = c.gate.state;
    c.rdd = spark_reduce_by_key(
        spark_map(spark_filter(spark_range(sc, 0, 9, 1, 3), held_or_cancelled, SPARK_COPY(ref)),
            by_seven, NULL),
        spark_op_sum, NULL, 2);
    launch(&c, sc);
    started(&c);
    spark_cancel_stage(sc, 2, "it is slow");
    is_cancelled(&c, "because Stage 2 was cancelled: it is slow");
    oracle_close(sc);
}

/* What has been started in the background, and may not run yet, is cancelled too, with the reason. */
static void start_and_cancel(spark_context *sc, int how)
{
    static const char *const words[]
        = { "cancelled by its group", "cancelled by its tag", "cancellation of all jobs" };
    gate never;
    int64_t n;
    gate_init(&never);
    {
        SPARK_SCOPED(sc);
        oracle_ok(spark_set_job_group(sc, "G", NULL));
        oracle_ok(spark_add_job_tag(sc, "T"));
        spark_future *f = spark_count_async(
            spark_filter(spark_range(sc, 0, 2, 1, 2), held_or_cancelled, SPARK_COPY(never.state)));
        if (how == 0)
            spark_cancel_job_group(sc, "G", "by its group");
        else if (how == 1)
            spark_cancel_jobs_with_tag(sc, "T", "by its tag");
        else
            spark_cancel_all_jobs(sc);
        oracle_fails(spark_future_count(f, &n), SPARK_ECANCELLED, words[how]);
        /* Others of the group that start later are not meant. */
        assert_int_equal(oracle_count(spark_range(sc, 0, 3, 1, 2)), 3);
        oracle_ok(spark_future_count(spark_count_async(spark_range(sc, 0, 4, 1, 2)), &n));
        assert_int_equal(n, 4);
    }
    gate_fini(&never);
}

static void test_cancel__reaches_futures_that_have_just_started(void **state)
{
    (void)state;
    for (int how = 0; how < 3; how++)
        for (int round = 0; round < 30; round++) {
            spark_context *sc = oracle_open(2);
            start_and_cancel(sc, how);
            oracle_close(sc);
        }
}

/* ---- what runs */

static void test_active__jobs_and_stages_are_listed(void **state)
{
    (void)state;
    int ids[8];
    spark_context *sc = oracle_open(8);
    assert_int_equal(spark_active_jobs(sc, NULL, ids, 8), 0);
    assert_int_equal(oracle_count(spark_range(sc, 0, 9, 1, 2)), 9); /* job 0, stage 0 */
    job a = { .group = "A" }, b = { .group = "B" }, a2 = { .group = "A" };
    job *all[] = { &a, &b, &a2 };
    for (size_t i = 0; i < LENGTH(all); i++) {
        launch(all[i], sc);
        started(all[i]);
    }
    memset(ids, 0, sizeof ids);
    assert_int_equal(spark_active_jobs(sc, NULL, ids, 8), 3);
    assert_true(ids[0] == 1 && ids[1] == 2 && ids[2] == 3 && ids[3] == 0);
    assert_int_equal(spark_active_jobs(sc, "A", ids, 8), 2);
    assert_true(ids[0] == 1 && ids[1] == 3);
    ids[1] = -7;
    assert_int_equal(spark_active_jobs(sc, NULL, ids, 1), 3);
    assert_true(ids[0] == 1 && ids[1] == -7);
    assert_int_equal(spark_active_jobs(sc, "C", ids, 8), 0);
    assert_int_equal(spark_active_jobs(sc, NULL, NULL, 8), 3);
    assert_int_equal(spark_active_jobs(NULL, NULL, ids, 8), 0);
    assert_int_equal(spark_active_stages(sc, SPARK_ANY, ids, 8), 3);
    assert_true(ids[0] == 1 && ids[1] == 2 && ids[2] == 3);
    assert_int_equal(spark_active_stages(sc, 2, ids, 8), 1);
    assert_int_equal(ids[0], 2);
    assert_int_equal(spark_active_stages(sc, 0, ids, 8), 0);
    spark_job_stats stats;
    oracle_ok(spark_job_stats_get(sc, 2, &stats));
    assert_true(stats.job == 2 && stats.stages == 1 && stats.tasks == 0);
    /* They are what cancels them. */
    spark_cancel_stage(sc, 3, NULL);
    is_cancelled(&a2, "because Stage 3 was cancelled");
    spark_cancel_job(sc, 2, NULL);
    is_cancelled(&b, "cancelled");
    assert_int_equal(spark_active_jobs(sc, NULL, ids, 8), 1);
    survives(&a, 2);
    assert_int_equal(spark_active_jobs(sc, NULL, ids, 8), 0);
    assert_int_equal(spark_active_stages(sc, SPARK_ANY, ids, 8), 0);
    oracle_close(sc);
}

SPARK_MAP(job_and_stage, int64_t, int64_t)
{
    (void)in;
    *out = spark_task_job(task) * 100 + spark_task_stage(task);
}

static void test_active__tasks_know_their_job_and_stage(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd
        = spark_map(spark_repartition(spark_range(sc, 0, 3, 1, 1), 1), job_and_stage, NULL);
    oracle_collects(rdd, "1 1 1");
    oracle_collects(rdd, "103 103 103");
    oracle_close(sc);
}

static void says(const char *have, const char *want)
{
    if (have && want ? strcmp(have, want) != 0 : have != want)
        fail_msg("%s, not %s", have ? have : "NULL", want ? want : "NULL");
}

static void test_active__properties_can_be_read(void **state)
{
    (void)state;
    const spark_pool pools[] = { { "p", 1, 0 } };
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 1,
        .app_name = "of the test",
        .scheduler_mode = SPARK_FAIR,
        .pools = pools,
        .n_pools = 1 });
    says(spark_context_app_name(sc), "of the test");
    assert_int_equal(spark_context_default_parallelism(sc), 16);
    says(spark_job_group(sc), NULL);
    says(spark_job_tags(sc), NULL);
    oracle_ok(spark_set_job_group(sc, "outer", "what it is for"));
    {
        SPARK_SCOPED(sc);
        says(spark_job_group(sc), "outer");
        oracle_ok(spark_set_job_group(sc, "inner", NULL));
        oracle_ok(spark_add_job_tag(sc, "one"));
        oracle_ok(spark_add_job_tag(sc, "two"));
        oracle_ok(spark_set_scheduler_pool(sc, "p"));
        says(spark_job_group(sc), "inner");
        says(spark_job_description(sc), NULL);
        says(spark_job_tags(sc), "one,two");
        says(spark_scheduler_pool(sc), "p");
        oracle_ok(spark_clear_job_tags(sc));
        says(spark_job_tags(sc), NULL);
    }
    says(spark_job_group(sc), "outer");
    says(spark_job_description(sc), "what it is for");
    says(spark_job_group(NULL), NULL);
    oracle_close(sc);
    sc = oracle_open_conf(&(spark_conf) { .master = "local[3, 2]", .default_parallelism = 5 });
    assert_int_equal(spark_context_default_parallelism(sc), 5);
    assert_int_equal(spark_context_threads(sc), 3);
    says(spark_context_app_name(sc), "libspark");
    oracle_close(sc);
    says(spark_context_app_name(NULL), "");
    assert_int_equal(spark_context_default_parallelism(NULL), 0);
}

static void test_cancel_job_group__ends_the_jobs_of_the_group(void **state)
{
    (void)state;
    for (int future = 0; future < 2; future++) {
        spark_context *sc = oracle_open(8);
        job a = { .group = "A", .description = "the first" }, b = { .group = "B" },
            a2 = { .group = "A" }, none = { .group = NULL };
        job *all[] = { &a, &b, &a2, &none };
        for (size_t i = 0; i < LENGTH(all); i++) {
            launch(all[i], sc);
            started(all[i]);
        }
        spark_cancel_job_group(sc, "C", NULL);
        spark_cancel_job_group(sc, "", NULL);
        spark_cancel_job_group(sc, NULL, NULL);
        if (future)
            spark_cancel_job_group_and_future_jobs(sc, "A", NULL);
        else
            spark_cancel_job_group(sc, "A", NULL);
        is_cancelled(&a, "part of cancelled job group A");
        is_cancelled(&a2, "part of cancelled job group A");
        spark_cancel_job_group(sc, "B", "with a reason");
        is_cancelled(&b, "cancelled with a reason");
        survives(&none, 2);
        /* Later jobs of a group run, unless they were cancelled with it. */
        job late_a = { .group = "A" }, late_b = { .group = "B" };
        launch(&late_a, sc);
        launch(&late_b, sc);
        started(&late_b);
        if (future) {
            is_cancelled(&late_a, "part of cancelled job group A");
            assert_int_equal(late_a.arrived, 0);
        } else {
            survives(&late_a, 2);
        }
        survives(&late_b, 2);
        oracle_close(sc);
    }
}

static void test_cancel_job_group_and_future_jobs__remembers_the_last_groups(void **state)
{
    int64_t n;
    char name[16];
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_range(sc, 0, 5, 1, 2);
    spark_cancel_job_group_and_future_jobs(sc, NULL, NULL);
    for (int i = 0; i < 256; i++) {
        snprintf(name, sizeof name, "group %d", i);
        spark_cancel_job_group_and_future_jobs(sc, name, NULL);
    }
    for (int i = 0; i < 256; i += 85) {
        SPARK_SCOPED(sc);
        snprintf(name, sizeof name, "group %d", i);
        oracle_ok(spark_set_job_group(sc, name, NULL));
        oracle_fails(spark_count(rdd, &n), SPARK_ECANCELLED, name);
    }
    spark_cancel_job_group_and_future_jobs(sc, "one more", NULL);
    oracle_ok(spark_set_job_group(sc, "group 0", NULL));
    assert_int_equal(oracle_count(rdd), 5);
    oracle_ok(spark_set_job_group(sc, "group 1", NULL));
    oracle_fails(spark_count(rdd, &n), SPARK_ECANCELLED, "group 1");
    oracle_ok(spark_set_job_group(sc, "one more", NULL));
    oracle_fails(spark_count(rdd, &n), SPARK_ECANCELLED, "one more");
    oracle_ok(spark_clear_job_group(sc));
    assert_int_equal(oracle_count(rdd), 5);
    oracle_close(sc);
}

static void test_cancel_jobs_with_tag__ends_the_jobs_that_have_it(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(12);
    job one = { .tags = { "one" } }, two = { .tags = { "two" } },
        both = { .tags = { "one", "two", "one" } }, three = { .tags = { "two three", "twofold" } },
        none = { .group = "two" };
    job *all[] = { &one, &two, &both, &three, &none };
    for (size_t i = 0; i < LENGTH(all); i++) {
        launch(all[i], sc);
        started(all[i]);
    }
    spark_cancel_jobs_with_tag(sc, "tw", NULL);
    spark_cancel_jobs_with_tag(sc, "three", NULL);
    spark_cancel_jobs_with_tag(sc, ",", NULL);
    spark_cancel_jobs_with_tag(sc, "", NULL);
    spark_cancel_jobs_with_tag(sc, NULL, NULL);
    spark_cancel_jobs_with_tag(sc, "two", NULL);
    is_cancelled(&two, "part of cancelled job tag two");
    is_cancelled(&both, "part of cancelled job tag two");
    spark_cancel_jobs_with_tag(sc, "one", "one is enough");
    is_cancelled(&one, "cancelled one is enough");
    survives(&three, 2);
    survives(&none, 2);
    oracle_close(sc);
}

static void test_cancel__of_no_context_does_nothing(void **state)
{
    int64_t n;
    (void)state;
    spark_context *bad = oracle_open_conf(&(spark_conf) { .master = "nowhere" });
    spark_context *contexts[] = { NULL, bad };
    for (size_t i = 0; i < 2; i++) {
        spark_context *sc = contexts[i];
        spark_cancel_job(sc, 0, NULL);
        spark_cancel_stage(sc, 0, NULL);
        spark_cancel_job_group(sc, "A", NULL);
        spark_cancel_job_group_and_future_jobs(sc, "A", NULL);
        spark_cancel_jobs_with_tag(sc, "A", NULL);
        spark_cancel_all_jobs(sc);
        assert_int_equal(spark_set_job_group(sc, "A", NULL), SPARK_EINVAL);
        assert_int_equal(spark_clear_job_group(sc), SPARK_EINVAL);
        assert_int_equal(spark_set_job_description(sc, "A"), SPARK_EINVAL);
        assert_int_equal(spark_add_job_tag(sc, "A"), SPARK_EINVAL);
        assert_int_equal(spark_remove_job_tag(sc, "A"), SPARK_EINVAL);
        assert_int_equal(spark_clear_job_tags(sc), SPARK_EINVAL);
        assert_int_equal(spark_set_scheduler_pool(sc, "A"), SPARK_EINVAL);
    }
    oracle_fails(spark_count(spark_range(bad, 0, 1, 1, 1), &n), SPARK_EINVAL, "nowhere");
    oracle_close(bad);
}

/* ---- what jobs carry */

static void test_tags__are_texts_without_commas(void **state)
{
    static const char *const bad[] = { NULL, "", "a,b", ",", "a," };
    (void)state;
    spark_context *sc = oracle_open(2);
    for (size_t i = 0; i < LENGTH(bad); i++) {
        oracle_fails(spark_add_job_tag(sc, bad[i]), SPARK_EINVAL, "addJobTag");
        oracle_fails(spark_remove_job_tag(sc, bad[i]), SPARK_EINVAL, "removeJobTag");
    }
    oracle_ok(spark_remove_job_tag(sc, "never added"));
    oracle_ok(spark_clear_job_tags(sc));
    oracle_close(sc);
}

/* carries: whether a job this thread starts now has the group or tag: it is cancelled by it. */
static bool carries(spark_context *sc, const char *group, const char *tag)
{
    gate g;
    int64_t n = -1;
    gate_init(&g);
    gate_ref ref = g.state;
    SPARK_SCOPED(sc);
    spark_future *f = spark_count_async(
        spark_filter(spark_range(sc, 0, 1, 1, 1), held_or_cancelled, SPARK_COPY(ref)));
    assert_true(gate_await(&g, 1));
    if (group)
        spark_cancel_job_group(sc, group, NULL);
    else
        spark_cancel_jobs_with_tag(sc, tag, NULL);
    gate_open(&g);
    /* Whether it was marked is settled when cancel returns: the open gate comes too late. */
    const spark_status status = spark_future_count(f, &n);
    assert_true(status == SPARK_OK ? n == 1 : status == SPARK_ECANCELLED);
    gate_fini(&g);
    return status == SPARK_ECANCELLED;
}

static void test_tags__are_added_and_removed(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    assert_false(carries(sc, NULL, "one"));
    oracle_ok(spark_add_job_tag(sc, "one"));
    oracle_ok(spark_add_job_tag(sc, "two"));
    oracle_ok(spark_add_job_tag(sc, "one")); /* changes nothing */
    assert_true(carries(sc, NULL, "one"));
    assert_true(carries(sc, NULL, "two"));
    oracle_ok(spark_remove_job_tag(sc, "one"));
    assert_false(carries(sc, NULL, "one"));
    assert_true(carries(sc, NULL, "two"));
    oracle_ok(spark_remove_job_tag(sc, "two"));
    assert_false(carries(sc, NULL, "two"));
    oracle_ok(spark_add_job_tag(sc, "three"));
    oracle_ok(spark_add_job_tag(sc, "four"));
    assert_true(carries(sc, NULL, "three"));
    oracle_ok(spark_clear_job_tags(sc));
    assert_false(carries(sc, NULL, "three"));
    assert_false(carries(sc, NULL, "four"));
    oracle_close(sc);
}

static void test_groups__belong_to_scopes(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_ok(spark_set_job_group(sc, "outer", "for all"));
    oracle_ok(spark_add_job_tag(sc, "always"));
    assert_true(carries(sc, "outer", NULL));
    {
        SPARK_SCOPED(sc);
        assert_true(carries(sc, "outer", NULL)); /* inherited */
        oracle_ok(spark_set_job_group(sc, "inner", NULL));
        oracle_ok(spark_add_job_tag(sc, "now"));
        assert_false(carries(sc, "outer", NULL));
        assert_true(carries(sc, "inner", NULL));
        assert_true(carries(sc, NULL, "now"));
        assert_true(carries(sc, NULL, "always"));
        {
            SPARK_SCOPED(sc);
            oracle_ok(spark_clear_job_group(sc));
            assert_false(carries(sc, "inner", NULL));
            assert_false(carries(sc, "outer", NULL));
        }
        assert_true(carries(sc, "inner", NULL));
    }
    assert_true(carries(sc, "outer", NULL));
    assert_false(carries(sc, "inner", NULL));
    assert_false(carries(sc, NULL, "now"));
    assert_true(carries(sc, NULL, "always"));
    oracle_ok(spark_clear_job_group(sc));
    assert_false(carries(sc, "outer", NULL));
    oracle_close(sc);
}

/* JobCancellationSuite, inherited job group: a thread without scopes has what the context has. */
static void test_groups__of_the_context_hold_for_all_threads(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(8);
    oracle_ok(spark_set_job_group(sc, "everybody", NULL));
    job a = { .group = NULL }, b = { .group = "its own" };
    launch(&a, sc);
    started(&a);
    launch(&b, sc);
    started(&b);
    {
        /* What this thread sets in a scope is not for others. */
        SPARK_SCOPED(sc);
        oracle_ok(spark_set_job_group(sc, "mine", NULL));
        job c = { .group = NULL };
        launch(&c, sc);
        started(&c);
        spark_cancel_job_group(sc, "mine", NULL);
        survives(&c, 2);
    }
    spark_cancel_job_group(sc, "everybody", NULL);
    is_cancelled(&a, "group everybody");
    survives(&b, 2);
    oracle_close(sc);
}

/* ---- tasks */

static void test_cancel__leaves_tasks_that_have_not_begun(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 4; threads *= 2) {
        spark_context *sc = oracle_open(threads);
        job j = { .group = "G" };
        gate_init(&j.gate);
        gate_ref ref = j.gate.state;
        j.rdd = spark_filter(spark_range(sc, 0, 1000, 1, 1000), held_or_cancelled, SPARK_COPY(ref));
        launch(&j, sc);
        assert_true(gate_await(&j.gate, threads));
        spark_cancel_job_group(sc, "G", NULL);
        pthread_join(j.thread, NULL);
        assert_int_equal(j.status, SPARK_ECANCELLED);
        assert_int_equal(gate_arrived(&j.gate), threads);
        assert_int_equal(oracle_last_job(sc).tasks, 0);
        assert_int_equal(oracle_last_job(sc).failed_tasks, 0); /* nothing is tried again */
        gate_fini(&j.gate);
        oracle_close(sc);
    }
}

/* A function that never asks is left at the end of the batch. */
SPARK_MAP(tells_once, int64_t, int64_t, gate_ref)
{
    if (*in == 0)
        gate_wait(*env, NULL);
    *out = *in;
}
SPARK_FLAT_MAP(endless, int64_t, int64_t, gate_ref)
{
    gate_wait(*env, NULL);
    for (int64_t i = 0; spark_emit(out, i); i++)
        continue;
}

static void test_cancel__is_noticed_at_the_next_batch(void **state)
{
    static const int batches[] = { 1, 7, 1024 };
    (void)state;
    for (size_t b = 0; b < LENGTH(batches); b++)
        for (int kind = 0; kind < 2; kind++) {
            spark_context *sc
                = oracle_open_conf(&(spark_conf) { .threads = 2, .batch_rows = batches[b] });
            job j = { .group = "G" };
            gate_init(&j.gate);
            gate_ref ref = j.gate.state;
            spark_rdd *many = spark_range(sc, 0, INT64_MAX, 1, 1);
            j.rdd = kind ? spark_flat_map(spark_range(sc, 0, 1, 1, 1), endless, SPARK_COPY(ref))
                         : spark_map(spark_map(many, tells_once, SPARK_COPY(ref)), plus_one, NULL);
            launch(&j, sc);
            started(&j);
            gate_open(&j.gate);
            spark_cancel_job_group(sc, "G", NULL);
            is_cancelled(&j, "group G");
            oracle_close(sc);
        }
}

/* From inside a task, also of the job that is cancelled. */
typedef struct canceller {
    spark_context *sc;
    atomic_int *calls;
} canceller;
SPARK_MAP(cancels_all, int64_t, int64_t, canceller)
{
    if (atomic_fetch_add(env->calls, 1) == 0)
        spark_cancel_all_jobs(env->sc);
    *out = *in;
}

static void test_cancel__from_a_function_of_the_job(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2)
        for (int partitions = 1; partitions <= 100; partitions *= 10) {
            atomic_int calls = 0;
            int64_t n;
            spark_context *sc = oracle_open(threads);
            const canceller c = { sc, &calls };
            spark_rdd *rdd
                = spark_map(spark_range(sc, 0, 100000, 1, partitions), cancels_all, SPARK_COPY(c));
            oracle_fails(spark_count(rdd, &n), SPARK_ECANCELLED, "all jobs");
            if (threads == 1) /* the batch it stands in is finished, nothing else is begun */
                assert_true(atomic_load(&calls) <= 1024);
            assert_int_equal(oracle_count(rdd), 100000);
            oracle_close(sc);
        }
}

/* ---- what a cancelled job leaves behind */

/* JobCancellationSuite: a partition that was half computed is not in the cache. */
SPARK_MAP(half_way, int64_t, int64_t, gate_ref)
{
    if (*in % 100 == 50)
        gate_wait(*env, task);
    *out = *in;
}

static void test_cancel__caches_no_partition_that_is_not_complete(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 4; threads *= 2) {
        spark_array array;
        spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = threads, .batch_rows = 7 });
        job j = { .group = "G" };
        gate_init(&j.gate);
        gate_ref ref = j.gate.state;
        j.rdd = spark_cache(spark_map(spark_range(sc, 0, 1000, 1, 10), half_way, SPARK_COPY(ref)));
        launch(&j, sc);
        started(&j);
        spark_cancel_all_jobs(sc);
        pthread_join(j.thread, NULL);
        assert_int_equal(j.status, SPARK_ECANCELLED);
        assert_int_equal(spark_rdd_cached_partitions(j.rdd), 0);
        gate_open(&j.gate);
        for (int i = 0; i < 2; i++) {
            oracle_ok(spark_collect(j.rdd, SPARK_TYPE(int64_t), &array));
            assert_int_equal(array.n, 1000);
            for (int64_t k = 0; k < 1000; k++)
                assert_int_equal(SPARK_ITEMS(int64_t, &array)[k], k);
            spark_array_free(&array);
            assert_int_equal(spark_rdd_cached_partitions(j.rdd), 10);
        }
        gate_fini(&j.gate);
        oracle_close(sc);
    }
}

static void test_cancel__leaves_map_outputs_that_are_whole(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    atomic_int calls = 0;
    const canceller c = { sc, &calls };
    int64_t n;
    spark_rdd *sums = spark_reduce_by_key(
        spark_map(
            spark_map(spark_range(sc, 0, 7000, 1, 5), cancels_all, SPARK_COPY(c)), by_seven, NULL),
        spark_op_sum, NULL, 3);
    oracle_fails(spark_count(sums, &n), SPARK_ECANCELLED, "all jobs");
    spark_array array;
    oracle_ok(spark_collect(sums, SPARK_TYPE(i64_i64), &array));
    assert_int_equal(array.n, 7);
    for (size_t i = 0; i < 7; i++) {
        const i64_i64 *p = &SPARK_ITEMS(i64_i64, &array)[i];
        assert_int_equal(p->value, 1000 * p->key + 7 * (999 * 1000 / 2));
    }
    spark_array_free(&array);
    oracle_close(sc);
}

/* Sorting asks for a sample before the job: that is a job too. */
static void test_cancel__of_a_sample_does_not_spoil_the_sort(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 4; threads *= 2) {
        spark_context *sc = oracle_open(threads);
        job j = { .group = "G" };
        gate_init(&j.gate);
        gate_ref ref = j.gate.state;
        j.rdd = spark_sort_by(
            spark_filter(spark_range(sc, 100, 0, -1, 4), held_or_cancelled, SPARK_COPY(ref)), NULL,
            3);
        launch(&j, sc);
        started(&j);
        spark_cancel_job_group(sc, "G", NULL);
        pthread_join(j.thread, NULL);
        assert_int_equal(j.status, SPARK_ECANCELLED);
        gate_open(&j.gate);
        assert_int_equal(oracle_count(j.rdd), 100);
        spark_array array;
        oracle_ok(spark_first(j.rdd, NULL, &array));
        assert_int_equal(*SPARK_ITEMS(int64_t, &array), 1);
        spark_array_free(&array);
        gate_fini(&j.gate);
        oracle_close(sc);
    }
}

/* Two jobs that read one shuffle: the one that fills it is cancelled, or the one that waits. */
static void test_cancel__leaves_a_shared_shuffle_to_the_survivor(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2)
        for (int filler = 0; filler < 2; filler++) {
            spark_context *sc = oracle_open(threads);
            job a = { .group = "A" }, b = { .group = "B" };
            gate_init(&a.gate);
            gate_ref ref = a.gate.state;
            spark_rdd *sums = spark_reduce_by_key(
                spark_map(
                    spark_filter(spark_range(sc, 0, 700, 1, 6), held_or_cancelled, SPARK_COPY(ref)),
                    by_seven, NULL),
                spark_op_sum, NULL, 3);
            a.rdd = sums;
            b.rdd = spark_values(sums);
            launch(&a, sc);
            started(&a); /* it fills the shuffle */
            launch(&b, sc);
            spark_cancel_job_group(sc, filler ? "A" : "nobody", NULL);
            if (filler) {
                /* B takes over, whenever it comes. */
                pthread_join(a.thread, NULL);
                assert_int_equal(a.status, SPARK_ECANCELLED);
                gate_open(&a.gate);
                survives(&b, 7);
            } else {
                spark_cancel_job_group_and_future_jobs(sc, "B", NULL);
                is_cancelled(&b, "group B");
                gate_open(&a.gate);
                pthread_join(a.thread, NULL);
                assert_int_equal(a.status, SPARK_OK);
                assert_int_equal(a.n, 7);
            }
            spark_array array;
            oracle_ok(spark_collect(sums, SPARK_TYPE(i64_i64), &array));
            assert_int_equal(array.n, 7);
            for (size_t i = 0; i < 7; i++) {
                const i64_i64 *p = &SPARK_ITEMS(i64_i64, &array)[i];
                assert_int_equal(p->value, 100 * p->key + 7 * (99 * 100 / 2));
            }
            spark_array_free(&array);
            gate_fini(&a.gate);
            oracle_close(sc);
        }
}

/* No gates: cancelled at any moment. What ends well is right, what does not was cancelled. */
static void test_cancel__at_any_moment(void **state)
{
    enum { ROUNDS = 150, JOBS = 6 };
    int ends[2] = { 0, 0 };
    uint64_t seed = 99;
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 4) {
        spark_context *sc = oracle_open(threads);
        for (int round = 0; round < ROUNDS; round++) {
            SPARK_SCOPED(sc);
            spark_future *f[JOBS];
            spark_rdd *cached
                = spark_cache(spark_map(spark_range(sc, 0, 700 + round, 1, 5), by_seven, NULL));
            spark_rdd *sums = spark_reduce_by_key(cached, spark_op_sum, NULL, 3);
            spark_rdd *sorted = spark_sort_by_key(sums, NULL, 2);
            for (int i = 0; i < JOBS; i++)
                f[i] = spark_count_async(i % 3 == 2 ? sorted : i % 3 ? spark_values(sums) : sums);
            for (int i = 0; i < JOBS; i++)
                if (oracle_below(&seed, 2)) {
                    for (uint64_t k = oracle_below(&seed, 300); k > 0; k--)
                        (void)spark_future_is_completed(f[JOBS - 1 - i]);
                    spark_future_cancel(f[i]);
                }
            for (int i = 0; i < JOBS; i++) {
                int64_t n = -1;
                const spark_status status = spark_future_count(f[i], &n);
                if (status == SPARK_OK ? n != 7 : status != SPARK_ECANCELLED)
                    fail_msg("job %d of round %d: %s, %lld", i, round, spark_last_error()->message,
                        (long long)n);
                ends[status != SPARK_OK]++;
            }
            int64_t sum = 0;
            spark_array array;
            oracle_ok(spark_collect(sorted, SPARK_TYPE(i64_i64), &array));
            assert_int_equal(array.n, 7);
            for (size_t i = 0; i < 7; i++) {
                assert_int_equal(SPARK_ITEMS(i64_i64, &array)[i].key, i);
                sum += SPARK_ITEMS(i64_i64, &array)[i].value;
            }
            assert_int_equal(sum, (int64_t)(700 + round) * (699 + round) / 2);
            spark_array_free(&array);
            assert_int_equal(oracle_count(cached), 700 + round);
        }
        oracle_close(sc);
    }
    assert_true(ends[0] > 0);
}

/* ---- pools */

static void test_pools__of_a_bad_configuration_are_an_error(void **state)
{
    static const spark_pool bad[][1]
        = { { { NULL, 1, 0 } }, { { "a", -1, 0 } }, { { "a", 1, -1 } } };
    int64_t n;
    (void)state;
    for (size_t i = 0; i < LENGTH(bad); i++) {
        spark_context *sc = oracle_open_conf(&(spark_conf) {
            .threads = 2, .scheduler_mode = SPARK_FAIR, .pools = bad[i], .n_pools = 1 });
        oracle_fails(spark_count(spark_range(sc, 0, 1, 1, 1), &n), SPARK_EINVAL, "pool 0");
        oracle_close(sc);
    }
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 2, .n_pools = 1 });
    oracle_fails(spark_count(spark_range(sc, 0, 1, 1, 1), &n), SPARK_EINVAL, "pools is NULL");
    oracle_close(sc);
}

static void test_pools__change_no_result(void **state)
{
    static const spark_pool pools[] = { { "large", 3, 2 }, { "small", 0, 0 } };
    static const char *const names[] = { "large", "small", "unknown", NULL, "default", "large" };
    enum { JOBS = 24 };
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2)
        for (int faults = 0; faults < 2; faults++) {
            spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = threads,
                .scheduler_mode = SPARK_FAIR,
                .pools = pools,
                .n_pools = 2,
                .stage_max_attempts = 1000,
                .faults = oracle_random_faults,
                .n_faults = (size_t)faults });
            static job jobs[JOBS];
            for (int i = 0; i < JOBS; i++) {
                jobs[i] = (job) { .pool = names[i % (int)LENGTH(names)] };
                jobs[i].rdd = spark_reduce_by_key(
                    spark_map(spark_range(sc, 0, 100 + i, 1, 1 + i % 7), by_seven, NULL),
                    spark_op_sum, NULL, 3);
                launch(&jobs[i], sc);
            }
            for (int i = 0; i < JOBS; i++)
                survives(&jobs[i], 7);
            oracle_close(sc);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_cancel_job__ends_that_job_alone),
        oracle_test(test_cancel_all_jobs__ends_them_all),
        oracle_test(test_cancel_stage__ends_the_jobs_that_use_it),
        oracle_test(test_cancel__reaches_futures_that_have_just_started),
        oracle_test(test_active__jobs_and_stages_are_listed),
        oracle_test(test_active__tasks_know_their_job_and_stage),
        oracle_test(test_active__properties_can_be_read),
        oracle_test(test_cancel_job_group__ends_the_jobs_of_the_group),
        oracle_test(test_cancel_job_group_and_future_jobs__remembers_the_last_groups),
        oracle_test(test_cancel_jobs_with_tag__ends_the_jobs_that_have_it),
        oracle_test(test_cancel__of_no_context_does_nothing),
        oracle_test(test_tags__are_texts_without_commas),
        oracle_test(test_tags__are_added_and_removed),
        oracle_test(test_groups__belong_to_scopes),
        oracle_test(test_groups__of_the_context_hold_for_all_threads),
        oracle_test(test_cancel__leaves_tasks_that_have_not_begun),
        oracle_test(test_cancel__is_noticed_at_the_next_batch),
        oracle_test(test_cancel__from_a_function_of_the_job),
        oracle_test(test_cancel__caches_no_partition_that_is_not_complete),
        oracle_test(test_cancel__leaves_map_outputs_that_are_whole),
        oracle_test(test_cancel__of_a_sample_does_not_spoil_the_sort),
        oracle_test(test_cancel__leaves_a_shared_shuffle_to_the_survivor),
        oracle_test(test_cancel__at_any_moment),
        oracle_test(test_pools__of_a_bad_configuration_are_an_error),
        oracle_test(test_pools__change_no_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
