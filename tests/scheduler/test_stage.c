/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting lineages into stages: each shuffle one stage, parents first, in linear time. */
#include "support/spark_test.h"

#include <stdlib.h>

#include "scheduler/stage.h"

SPARK_PAIR(i64_i64, int64_t, int64_t);
SPARK_MAP(to_pair, int64_t, i64_i64)
{
    *out = (i64_i64) { *in % 10, *in };
}
SPARK_MAP(turned, i64_i64, i64_i64)
{
    *out = (i64_i64) { in->value % 7, in->key };
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

static spark_rdd *pairs(spark_context *sc)
{
    return spark_map(spark_range(sc, 0, 100, 1, 3), to_pair, NULL);
}

static spark_rdd *reduced(spark_rdd *rdd)
{
    return spark_reduce_by_key(rdd, spark_op_sum, NULL, 4);
}

/* cut: a job on the RDD, cut into its stages. */
static void cut(spk_job *job, spark_rdd *rdd)
{
    spk_failure failure;
    assert_int_equal(spark_rdd_status(rdd), SPARK_OK);
    assert_int_equal(spk_rdd_prepare(rdd, &failure), SPARK_OK);
    *job = (spk_job) { .scheduler = rdd->sc->scheduler,
        .id = 5,
        .rdd = rdd,
        .n = spk_rdd_partitions(rdd) };
    pthread_mutex_lock(&job->scheduler->lock);
    job->result = spk_stage_make(job, NULL);
    pthread_mutex_unlock(&job->scheduler->lock);
    assert_non_null(job->result);
}

static void free_job(spk_job *job)
{
    for (size_t i = 0; i < job->n_stages; i++)
        spk_stage_free(job->stages[i]);
    free(job->stages);
    free(job->table);
}

/* check_stages: what holds for the stages of any job. */
static void check_stages(const spk_job *job, size_t n)
{
    assert_int_equal(job->n_stages, n);
    assert_ptr_equal(job->stages[n - 1], job->result);
    assert_null(job->result->shuffle);
    for (size_t i = 0; i < n; i++) {
        const spk_stage *stage = job->stages[i];
        assert_ptr_equal(stage->job, job);
        assert_int_equal(stage->position, i);
        assert_int_equal(stage->set.order >> 32, job->id);
        assert_true(i == 0 || stage->id > job->stages[i - 1]->id);
        assert_true(i == 0 || stage->set.order > job->stages[i - 1]->set.order);
        assert_int_equal(stage->room, stage->shuffle ? stage->shuffle->maps : job->n);
        assert_ptr_equal(stage->rdd, stage->shuffle ? stage->shuffle->parent : job->rdd);
        assert_false(stage->submitted || stage->fills || stage->ran);
        assert_ptr_equal(spk_stage_of(job, stage->shuffle), stage);
        for (size_t j = 0; j < i; j++)
            assert_ptr_not_equal(job->stages[j]->shuffle, stage->shuffle);
        for (size_t p = 0; p < stage->graph.n_inputs; p++) {
            const spk_shuffle *input = stage->graph.inputs[p].shuffle;
            size_t j = 0;
            assert_ptr_equal(stage->graph.inputs[p].reader, stage);
            while (j < i && job->stages[j]->shuffle != input)
                j++;
            assert_true(j < i); /* stands before */
            for (size_t q = 0; q < p; q++)
                assert_ptr_not_equal(stage->graph.inputs[q].shuffle, input);
        }
    }
}

/* expect_stages: cuts, checks and frees. */
static void expect_stages(spark_rdd *rdd, size_t n)
{
    spk_job job;
    cut(&job, rdd);
    check_stages(&job, n);
    free_job(&job);
}

static void test_cut__of_narrow_steps_is_one_stage(void **state)
{
    spark_rdd *rdd = pairs(*state);
    expect_stages(rdd, 1);
    for (int i = 0; i < 1000; i++)
        rdd = spark_map(rdd, turned, NULL);
    expect_stages(rdd, 1);
    expect_stages(spark_union(rdd, rdd), 1);
}

static void test_cut__makes_a_stage_for_each_shuffle(void **state)
{
    spark_rdd *rdd = pairs(*state);
    for (size_t i = 1; i < 200; i++) {
        rdd = spark_map(reduced(rdd), turned, NULL);
        if (i < 5 || i % 50 == 0)
            expect_stages(rdd, i + 1);
    }
}

static void test_cut__takes_a_shared_shuffle_once(void **state)
{
    spark_rdd *rdd = reduced(pairs(*state));
    expect_stages(spark_union(spark_map(rdd, turned, NULL), spark_map(rdd, turned, NULL)), 2);
    expect_stages(
        spark_union(reduced(spark_map(rdd, turned, NULL)), reduced(spark_map(rdd, turned, NULL))),
        4);
    expect_stages(spark_join(rdd, rdd, 0), 2); /* both sides are placed already */
    expect_stages(spark_join(rdd, rdd, 9), 4); /* neither is */
    expect_stages(spark_join(pairs(*state), rdd, 0), 3);
}

static void test_cut__of_a_ladder_of_narrow_diamonds_is_linear(void **state)
{
    spark_rdd *rdd = reduced(pairs(*state));
    for (int i = 0; i < 200; i++) /* placed alike, so that the partitions stay as many */
        rdd = spark_union(rdd, rdd);
    assert_int_equal(spark_rdd_partitions(rdd), 4);
    expect_stages(rdd, 2);
}

static void test_cut__of_a_ladder_of_wide_diamonds_is_linear(void **state)
{
    spark_rdd *rdd = reduced(pairs(*state));
    size_t shuffles = 1;
    for (int i = 0; i < 60; i++, shuffles += 2) {
        spark_rdd *left = reduced(spark_map(rdd, turned, NULL));
        spark_rdd *right = reduced(spark_map(rdd, turned, NULL));
        rdd = spark_union(spark_union(left, right), left);
    }
    expect_stages(rdd, shuffles + 1);
}

static void test_cut__of_many_parents_makes_all(void **state)
{
    enum { WIDE = 300 };
    spark_rdd *parents[WIDE];
    for (int i = 0; i < WIDE; i++)
        parents[i] = spark_map(reduced(pairs(*state)), turned, NULL);
    spk_job job;
    cut(&job, spark_union_all(*state, WIDE, parents));
    check_stages(&job, WIDE + 1);
    assert_int_equal(job.result->graph.n_inputs, WIDE);
    free_job(&job);
}

static void test_cut__stops_at_what_is_cached(void **state)
{
    spark_rdd *cached = spark_cache(reduced(pairs(*state)));
    spark_rdd *rdd = reduced(spark_map(cached, turned, NULL));
    int64_t n;
    expect_stages(rdd, 3);
    assert_int_equal(spark_count(cached, &n), SPARK_OK);
    expect_stages(rdd, 2);
    expect_stages(cached, 1);
    assert_true(spark_drop_block(cached, 2));
    expect_stages(rdd, 3);
    spark_unpersist(cached);
    expect_stages(rdd, 3);
}

/* Each shuffle of a chain that is complete hides those above it. */
static void test_cut__stops_above_what_is_complete(void **state)
{
    enum { CHAIN = 30 };
    spark_rdd *chain[CHAIN + 1] = { pairs(*state) };
    int64_t n;
    spk_job job;
    for (int i = 1; i <= CHAIN; i++)
        chain[i] = reduced(spark_map(chain[i - 1], turned, NULL));
    expect_stages(chain[CHAIN], CHAIN + 1);
    assert_int_equal(spark_count(chain[CHAIN / 2], &n), SPARK_OK);
    expect_stages(chain[CHAIN / 2], 2);
    expect_stages(chain[CHAIN], CHAIN / 2 + 2);
    /* The stage of what is complete is there, but not cut. */
    cut(&job, chain[CHAIN / 2]);
    assert_false(job.stages[0]->cut);
    assert_int_equal(job.stages[0]->graph.n_inputs, 0);
    assert_true(job.result->cut);
    free_job(&job);
    assert_int_equal(spark_clean_shuffle_dependencies(chain[CHAIN]), SPARK_OK);
    expect_stages(chain[CHAIN], CHAIN + 1);
}

static void test_make__gives_a_stage_that_is_there(void **state)
{
    spark_rdd *first = reduced(pairs(*state)), *other = reduced(pairs(*state));
    spk_failure failure;
    spk_job job;
    cut(&job, spark_map(first, turned, NULL));
    spk_shuffle *shuffle = first->deps[0].shuffle;
    assert_int_equal(job.n_stages, 2);
    assert_ptr_equal(spk_stage_make(&job, NULL), job.result);
    assert_ptr_equal(spk_stage_make(&job, shuffle), job.stages[0]);
    assert_int_equal(job.n_stages, 2);
    assert_int_equal(spk_rdd_prepare(other, &failure), SPARK_OK);
    const spk_stage *late = spk_stage_make(&job, other->deps[0].shuffle); /* after the result's */
    assert_int_equal(job.n_stages, 3);
    assert_int_equal(late->position, 2);
    assert_ptr_equal(job.stages[2], late);
    free_job(&job);
}

static void test_cut__of_no_partitions_has_a_result_stage(void **state)
{
    expect_stages(spark_empty_rdd(*state, SPARK_TYPE(i64_i64)), 1);
    expect_stages(reduced(spark_empty_rdd(*state, SPARK_TYPE(i64_i64))), 2);
}

#define stage_test(f) cmocka_unit_test_setup_teardown(f, open_context, close_context)

int main(void)
{
    const struct CMUnitTest tests[] = {
        stage_test(test_cut__of_narrow_steps_is_one_stage),
        stage_test(test_cut__makes_a_stage_for_each_shuffle),
        stage_test(test_cut__takes_a_shared_shuffle_once),
        stage_test(test_cut__of_a_ladder_of_narrow_diamonds_is_linear),
        stage_test(test_cut__of_a_ladder_of_wide_diamonds_is_linear),
        stage_test(test_cut__of_many_parents_makes_all),
        stage_test(test_cut__stops_at_what_is_cached),
        stage_test(test_cut__stops_above_what_is_complete),
        stage_test(test_make__gives_a_stage_that_is_there),
        stage_test(test_cut__of_no_partitions_has_a_result_stage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
