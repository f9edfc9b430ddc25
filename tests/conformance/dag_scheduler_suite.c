/* SPDX-License-Identifier: Apache-2.0 */
/* Spark's DAGSchedulerSuite, seen from outside: the counters of jobs, and their errors. */
#include "gate.h"

#include <stdatomic.h>

SPARK_PAIR(i64_pair, int64_t, int64_t);

static atomic_int maps_run, reduces_run;

SPARK_PARTITIONS(number_of_partition, int64_t, i64_pair)
{
    atomic_fetch_add(&maps_run, 1);
    for (const int64_t *x; (x = spark_next(in)) != NULL;)
        spark_emit(out, (i64_pair) { *x, 42 + *x });
}
SPARK_MAP(plus_one, int64_t, int64_t)
{
    *out = *in + 1;
}
SPARK_MAP(to_pair, int64_t, i64_pair)
{
    *out = (i64_pair) { *in, *in };
}
SPARK_MAP(fails, int64_t, i64_pair)
{
    spark_fail(task, "trouble with %d", (int)*in);
    *out = (i64_pair) { 0, 0 };
}
SPARK_PARTITIONS(count_reduces, i64_pair, i64_pair)
{
    atomic_fetch_add(&reduces_run, 1);
    for (const i64_pair *row; (row = spark_next(in)) != NULL;)
        spark_emit(out, *row);
}
SPARK_PARTITIONER(by_key, int64_t)
{
    return (uint32_t)*key % partitions;
}

/* One element and so one pair in each of `maps` partitions; pair k is in partition k % reduces. */
static spark_rdd *shuffled(spark_context *sc, int maps, int reduces)
{
    return spark_partition_by(
        spark_map_partitions(spark_range(sc, 0, maps, 1, maps), number_of_partition, NULL),
        spark_partitioner_new(sc, reduces, by_key, NULL));
}

static spark_context *open_with(spark_fault fault)
{
    return oracle_open_conf(&(spark_conf) { .threads = 1, .faults = &fault, .n_faults = 1 });
}

static void dag_scheduler_suite__a_cached_rdd_cuts_the_stages_before_it(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *b = shuffled(sc, 2, 2);
    spark_rdd *c = spark_cache(spark_map_values(b, plus_one, NULL));
    spark_rdd *d = spark_partition_by(c, spark_hash_partitioner(sc, 1));
    assert_int_equal(oracle_count(d), 2);
    assert_int_equal(oracle_last_job(sc).stages, 3);
    assert_true(spark_drop_shuffle_output(b, 0)); /* which nobody needs */
    oracle_collects(spark_map_values(c, plus_one, NULL), "(0,44) (1,45)");
    assert_int_equal(oracle_last_job(sc).stages, 1);
    assert_int_equal(oracle_last_job(sc).stage_attempts, 1);
    assert_int_equal(oracle_last_job(sc).tasks, 2);
    oracle_close(sc);
}

static void dag_scheduler_suite__a_cancelled_job_tells_why(void **state)
{
    int64_t n;
    gate g;
    (void)state;
    gate_init(&g);
    spark_context *sc = oracle_open(2);
    spark_future *job = spark_count_async(
        spark_filter(spark_range(sc, 0, 4, 1, 2), held_or_cancelled, SPARK_COPY(g.state)));
    assert_true(gate_await(&g, 1));
    spark_cancel_job(sc, 0, "because the test wants it");
    oracle_fails(
        spark_future_count(job, &n), SPARK_ECANCELLED, "Job 0 cancelled because the test wants it");
    oracle_close(sc);
    gate_fini(&g);
}

static void dag_scheduler_suite__a_lost_output_costs_one_map_and_one_reduce(void **state)
{
    (void)state;
    spark_context *sc = open_with((spark_fault) { .kind = SPARK_FAULT_SHUFFLE,
        .job = 0,
        .stage = 1,
        .partition = 1,
        .attempt = 0,
        .output = 1 });
    oracle_collects(shuffled(sc, 2, 2), "(0,42) (1,43)");
    const spark_job_stats stats = oracle_last_job(sc);
    assert_int_equal(stats.lost_inputs, 1);
    assert_int_equal(stats.recomputed_partitions, 1);
    assert_int_equal(stats.tasks, 2 + 1 + 1 + 1);
    assert_int_equal(stats.stage_attempts, 4);
    assert_int_equal(stats.failed_tasks, 0);
    oracle_close(sc);
}

/* One output goes, of which all 8 reduce tasks read; those that run before it is back see it, and
 * may tell so when it is. It may even be back before the one that dropped it looks. */
static void lose_one_of_many(int threads)
{
    const spark_fault fault = {
        .kind = SPARK_FAULT_SHUFFLE, .job = 0, .stage = 1, .partition = 0, .attempt = 0, .output = 1
    };
    spark_context *sc = oracle_open_conf(&(spark_conf) {
        .threads = threads, .faults = &fault, .n_faults = 1, .stage_max_attempts = 2 });
    oracle_collects(shuffled(sc, 8, 8), "(0,42) (1,43) (2,44) (3,45) (4,46) (5,47) (6,48) (7,49)");
    const spark_job_stats stats = oracle_last_job(sc);
    assert_in_range(stats.lost_inputs, threads == 1, 8);
    assert_int_equal(stats.recomputed_partitions, 1);
    assert_int_equal(stats.stage_attempts, stats.lost_inputs > 0 ? 4 : 3);
    assert_int_equal(stats.tasks, 8 + 1 + 8);
    oracle_close(sc);
}

static void dag_scheduler_suite__many_lost_inputs_are_one_failure_of_the_stage(void **state)
{
    (void)state;
    lose_one_of_many(1);
    for (int i = 0; i < 200; i++)
        lose_one_of_many(8);
}

static void dag_scheduler_suite__four_failures_in_a_row_are_the_end(void **state)
{
    int64_t n;
    (void)state;
    spark_context *sc = open_with((spark_fault) { .kind = SPARK_FAULT_SHUFFLE,
        .job = 0,
        .stage = 1,
        .partition = 1,
        .attempt = SPARK_ANY,
        .output = 0 });
    spark_rdd *rdd = shuffled(sc, 2, 2);
    oracle_fails(spark_count(rdd, &n), SPARK_ETASK, "stage 1 has failed the maximum");
    assert_int_equal(oracle_last_job(sc).lost_inputs, 4);
    oracle_collects(rdd, "(0,42) (1,43)");
    oracle_close(sc);
}

static void dag_scheduler_suite__a_second_loss_while_the_first_is_repaired(void **state)
{
    /* Two tasks lose an input each, at about the same time. */
    (void)state;
    const spark_fault plan[] = {
        { .kind = SPARK_FAULT_SHUFFLE, .job = 0, .stage = 1, .partition = 0, .output = 0 },
        { .kind = SPARK_FAULT_SHUFFLE, .job = 0, .stage = 1, .partition = 1, .output = 1 },
    };
    for (int i = 0; i < 20; i++) {
        spark_context *sc = oracle_open_conf(
            &(spark_conf) { .threads = 1 + i % 2, .faults = plan, .n_faults = 2 });
        atomic_store(&maps_run, 0);
        oracle_collects(shuffled(sc, 2, 2), "(0,42) (1,43)");
        const spark_job_stats stats = oracle_last_job(sc);
        assert_int_equal(stats.recomputed_partitions, 2);
        assert_int_equal(stats.failed_tasks, 0);
        assert_int_equal(atomic_load(&maps_run), 4);
        oracle_close(sc);
    }
}

static void dag_scheduler_suite__no_reduce_task_runs_after_a_failed_map_stage(void **state)
{
    int64_t n;
    (void)state;
    spark_context *sc = oracle_open(2);
    atomic_store(&reduces_run, 0);
    oracle_fails(
        spark_count(spark_map_partitions(
                        spark_reduce_by_key(spark_map(spark_range(sc, 0, 4, 1, 2), fails, NULL),
                            spark_op_sum, NULL, 2),
                        count_reduces, NULL),
            &n),
        SPARK_ETASK, "in stage 0.0");
    assert_int_equal(atomic_load(&reduces_run), 0);
    assert_int_equal(oracle_last_job(sc).tasks, 0);
    assert_int_equal(oracle_last_job(sc).stage_attempts, 1);
    oracle_close(sc);
}

static void dag_scheduler_suite__a_shared_map_stage_is_skipped_until_its_output_is_lost(
    void **state)
{
    /* Stages count from 0 in each job: the skipped one is 0. */
    (void)state;
    spark_context *sc = open_with((spark_fault) { .kind = SPARK_FAULT_SHUFFLE,
        .job = 2,
        .stage = 1,
        .partition = 0,
        .attempt = 0,
        .output = 0 });
    spark_rdd *shared = shuffled(sc, 2, 2);
    assert_int_equal(oracle_count(shared), 2);
    for (int lost = 0; lost < 2; lost++) {
        oracle_collects(spark_map_values(shared, plus_one, NULL), "(0,43) (1,44)");
        const spark_job_stats stats = oracle_last_job(sc);
        assert_int_equal(stats.job, 1 + lost);
        assert_int_equal(stats.stages, 2);
        assert_int_equal(stats.recomputed_partitions, lost);
        assert_in_range(stats.lost_inputs, lost, 2 * lost);
        assert_int_equal(stats.tasks, 2 + lost);
    }
    oracle_close(sc);
}

static void dag_scheduler_suite__two_of_three_lost_maps_run_again_before_the_reduce(void **state)
{
    /* Spark loses them with an executor; here they are dropped. */
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = shuffled(sc, 3, 1);
    oracle_collects(rdd, "(0,42) (1,43) (2,44)");
    assert_true(spark_drop_shuffle_output(rdd, 0));
    assert_true(spark_drop_shuffle_output(rdd, 2));
    atomic_store(&maps_run, 0);
    oracle_collects(rdd, "(0,42) (1,43) (2,44)");
    assert_int_equal(atomic_load(&maps_run), 2);
    assert_int_equal(oracle_last_job(sc).recomputed_partitions, 2);
    assert_int_equal(oracle_last_job(sc).tasks, 3);
    oracle_close(sc);
}

static void dag_scheduler_suite__a_failed_stage_ends_both_jobs_that_use_it(void **state)
{
    gate shared, sibling;
    int64_t n;
    (void)state;
    gate_init(&shared);
    gate_init(&sibling);
    spark_context *sc = oracle_open(4);
    spark_rdd *bad = spark_reduce_by_key(
        spark_map(
            spark_filter(spark_range(sc, 0, 1, 1, 1), held, SPARK_COPY(shared.state)), fails, NULL),
        spark_op_sum, NULL, 1);
    spark_rdd *other = spark_map(
        spark_filter(spark_range(sc, 0, 1, 1, 1), held_or_cancelled, SPARK_COPY(sibling.state)),
        to_pair, NULL);
    spark_rdd *both = spark_join(bad, spark_reduce_by_key(other, spark_op_sum, NULL, 2), 3);
    spark_future *first = spark_count_async(bad);
    assert_true(gate_await(&shared, 1));
    spark_future *second = spark_count_async(both);
    /* The stage that only the second job needs is never let go: it is cancelled. */
    assert_true(gate_await(&sibling, 1));
    gate_open(&shared);
    oracle_fails(spark_future_count(first, &n), SPARK_ETASK, "trouble with 0");
    oracle_fails(spark_future_count(second, &n), SPARK_ETASK, "trouble with 0");
    assert_false(sibling.state->open);
    assert_int_equal(gate_arrived(&sibling), 1);
    assert_int_equal(oracle_count(spark_range(sc, 0, 9, 1, 4)), 9);
    oracle_close(sc);
    gate_fini(&shared);
    gate_fini(&sibling);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(dag_scheduler_suite__a_cached_rdd_cuts_the_stages_before_it),
        oracle_test(dag_scheduler_suite__a_cancelled_job_tells_why),
        oracle_test(dag_scheduler_suite__a_lost_output_costs_one_map_and_one_reduce),
        oracle_test(dag_scheduler_suite__many_lost_inputs_are_one_failure_of_the_stage),
        oracle_test(dag_scheduler_suite__four_failures_in_a_row_are_the_end),
        oracle_test(dag_scheduler_suite__a_second_loss_while_the_first_is_repaired),
        oracle_test(dag_scheduler_suite__no_reduce_task_runs_after_a_failed_map_stage),
        oracle_test(dag_scheduler_suite__a_shared_map_stage_is_skipped_until_its_output_is_lost),
        oracle_test(dag_scheduler_suite__two_of_three_lost_maps_run_again_before_the_reduce),
        oracle_test(dag_scheduler_suite__a_failed_stage_ends_both_jobs_that_use_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
