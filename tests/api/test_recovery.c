/* SPDX-License-Identifier: Apache-2.0 */
/* What is lost is made again, and only that: fault plans with exact counters, accumulators, jobs
 * that fail beside jobs that do not, and lineages that are long. */
#include "spark_test.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "slow.h"

enum { SLOW = TESTS_ARE_SLOW ? 10 : 1 };
enum { ROWS = 1200, MAPS = 4, REDUCES = 3, KEYS = 50 };

SPARK_PAIR(i64_pair, int64_t, int64_t);
typedef const spark_accumulator *accumulator;

/* ---- functions */

/* How often each partition was computed, in elements. */
static atomic_llong computed[16];

static void forget_computed(void)
{
    for (int i = 0; i < 16; i++)
        atomic_store(&computed[i], 0);
}

SPARK_MAP(to_pair, int64_t, i64_pair)
{
    atomic_fetch_add(&computed[spark_task_partition(task)], 1);
    *out = (i64_pair) { *in % KEYS, *in };
}
SPARK_MAP(plus_one, int64_t, int64_t)
{
    *out = *in + 1;
}
SPARK_FILTER(watched, int64_t)
{
    atomic_fetch_add(&computed[spark_task_partition(task)], 1);
    return *in >= 0;
}
SPARK_FILTER(fails_before, int64_t, int)
{
    (void)in;
    if (spark_task_attempt(task) < *env)
        spark_fail(task, "attempt %d", spark_task_attempt(task));
    return true;
}
SPARK_FILTER(fails_on, int64_t, int64_t)
{
    if (*in == *env)
        spark_fail(task, "%d is not liked", (int)*in);
    return true;
}
SPARK_FILTER(counts, int64_t, accumulator)
{
    (void)in;
    spark_accumulate(task, *env, 1);
    return true;
}
SPARK_FILTER(counts_pairs, i64_pair, accumulator)
{
    (void)in;
    spark_accumulate(task, *env, 1);
    return true;
}
SPARK_FILTER(adds_floats, int64_t, accumulator)
{
    spark_accumulate_f64(task, *env, 1.0 / (double)(*in + 1));
    return true;
}
SPARK_MERGE(add_up, int64_t, int64_t)
{
    *acc += *in;
}
SPARK_MAP(value_times_three, int64_t, int64_t)
{
    *out = *in * 3;
}

/* ---- checks */

static spark_job_stats stats_of(spark_context *sc)
{
    spark_job_stats stats;
    assert_int_equal(spark_job_stats_get(sc, SPARK_ANY, &stats), SPARK_OK);
    return stats;
}

static void expect(const char *what, int64_t is, int64_t wanted)
{
    if (is != wanted)
        fail_msg("%s: %lld, expected %lld", what, (long long)is, (long long)wanted);
}
#define EXPECT(stats, field, wanted) expect(#field, (stats).field, wanted)

static void ran(spark_status status)
{
    if (status != SPARK_OK)
        fail_msg("%s: %s", spark_status_name(status), spark_last_error()->message);
}

static int64_t count_of(spark_rdd *rdd)
{
    int64_t n = -1;
    ran(spark_count(rdd, &n));
    return n;
}

/* sums_are_right: KEYS keys with the sums of 0 to n - 1, `copies` times each. */
static void sums_are_right(spark_rdd *rdd, int64_t n, int64_t copies)
{
    spark_array all;
    int64_t sums[KEYS] = { 0 };
    ran(spark_collect(rdd, SPARK_TYPE(i64_pair), &all));
    const i64_pair *pairs = SPARK_ITEMS(i64_pair, &all);
    expect("keys", (int64_t)all.n, KEYS);
    for (int64_t i = 0; i < n; i++)
        sums[i % KEYS] += copies * i;
    for (size_t i = 0; i < all.n; i++) {
        assert_in_range(pairs[i].key, 0, KEYS - 1);
        expect("sum", pairs[i].value, sums[pairs[i].key]);
        sums[pairs[i].key] = -1;
    }
    spark_array_free(&all);
}

static spark_rdd *numbers(spark_context *sc)
{
    return spark_range(sc, 0, ROWS, 1, MAPS);
}

static spark_rdd *sums(spark_context *sc)
{
    return spark_reduce_by_key(spark_map(numbers(sc), to_pair, NULL), add_up, NULL, REDUCES);
}

static spark_context *context_with(int threads, const spark_fault *faults, size_t n)
{
    return spark_context_new(&(spark_conf) { .threads = threads, .faults = faults, .n_faults = n });
}

/* ---- tasks that fail */

static void test_recovery__each_attempt_that_fails_is_repeated(void **state)
{
    (void)state;
    for (int stage = 0; stage < 2; stage++)
        for (int p = 0; p < (stage ? REDUCES : MAPS); p++)
            for (int failures = 1; failures <= 3; failures++) {
                spark_fault faults[3];
                for (int a = 0; a < failures; a++)
                    faults[a] = (spark_fault) { .kind = SPARK_FAULT_TASK,
                        .job = SPARK_ANY,
                        .stage = stage,
                        .partition = p,
                        .attempt = a };
                spark_context *sc = context_with(1 + p % 2, faults, (size_t)failures);
                sums_are_right(sums(sc), ROWS, 1);
                const spark_job_stats stats = stats_of(sc);
                EXPECT(stats, stages, 2);
                EXPECT(stats, skipped_stages, 0);
                EXPECT(stats, stage_attempts, 2);
                EXPECT(stats, tasks, MAPS + REDUCES);
                EXPECT(stats, failed_tasks, failures);
                EXPECT(stats, lost_inputs, 0);
                EXPECT(stats, recomputed_partitions, 0);
                spark_context_free(sc);
            }
}

static void test_recovery__a_task_may_fail_as_often_as_configured(void **state)
{
    (void)state;
    for (int most = 1; most <= 7; most += 3)
        for (int threads = 1; threads <= 2; threads++) {
            const spark_fault fault = {
                .kind = SPARK_FAULT_TASK, .job = 0, .stage = 1, .partition = 2, .attempt = SPARK_ANY
            };
            spark_context *sc = spark_context_new(&(spark_conf) {
                .threads = threads, .faults = &fault, .n_faults = 1, .task_max_failures = most });
            spark_rdd *rdd = sums(sc);
            spark_array all;
            char text[100];
            assert_int_equal(spark_collect(rdd, NULL, &all), SPARK_ETASK);
            assert_null(all.items);
            const spark_error *error = spark_last_error();
            snprintf(text, sizeof text,
                "Task 2 in stage 1.0 failed %d times, most recent failure: "
                "Lost task 2.%d in stage 1.0",
                most, most - 1);
            assert_non_null(strstr(error->message, text));
            assert_int_equal(error->job, 0);
            assert_int_equal(error->stage, 1);
            assert_int_equal(error->partition, 2);
            assert_int_equal(error->attempt, most - 1);
            EXPECT(stats_of(sc), failed_tasks, most);
            /* The plan names job 0 only; the map outputs of the failed job are used. */
            sums_are_right(rdd, ROWS, 1);
            EXPECT(stats_of(sc), skipped_stages, 1);
            EXPECT(stats_of(sc), tasks, REDUCES);
            EXPECT(stats_of(sc), failed_tasks, 0);
            spark_context_free(sc);
        }
}

static void test_recovery__a_function_that_fails_three_times_then_succeeds(void **state)
{
    (void)state;
    spark_context *sc = context_with(2, NULL, 0);
    const int three = 3, four = 4;
    expect("count", count_of(spark_filter(numbers(sc), fails_before, SPARK_COPY(three))), ROWS);
    EXPECT(stats_of(sc), failed_tasks, 3 * MAPS);
    EXPECT(stats_of(sc), tasks, MAPS);
    int64_t n;
    assert_int_equal(
        spark_count(spark_filter(numbers(sc), fails_before, SPARK_COPY(four)), &n), SPARK_ETASK);
    assert_non_null(strstr(spark_last_error()->message, "attempt 3"));
    assert_non_null(strstr(spark_last_error()->operation, "filter(fails_before)"));
    assert_non_null(strstr(spark_last_error()->site, "test_recovery.c:"));
    spark_context_free(sc);
}

static void test_recovery__the_context_stays_usable_after_failed_jobs(void **state)
{
    (void)state;
    spark_context *sc = context_with(2, NULL, 0);
    spark_rdd *good = sums(sc);
    for (int i = 0; i < 40; i++) {
        SPARK_SCOPED(sc);
        const int64_t bad = i * 30;
        spark_array all;
        spark_rdd *broken
            = spark_map(spark_filter(numbers(sc), fails_on, SPARK_COPY(bad)), to_pair, NULL);
        if (i & 1)
            broken = spark_reduce_by_key(broken, add_up, NULL, 2);
        if (i & 2)
            broken = spark_cache(broken);
        assert_int_equal(spark_collect(broken, NULL, &all), SPARK_ETASK);
        expect("partition", spark_last_error()->partition, bad / (ROWS / MAPS));
        expect("record", spark_last_error()->record, bad % (ROWS / MAPS));
        expect("attempt", spark_last_error()->attempt, 3);
        sums_are_right(good, ROWS, 1);
    }
    spark_context_free(sc);
}

/* An endless function of a job that fails elsewhere is stopped by spark_emit. */
SPARK_FLAT_MAP(endless_or_failing, int64_t, int64_t)
{
    if (*in == 1)
        spark_fail(task, "one fails");
    for (int64_t i = 0; *in == 0; i++)
        if (!spark_emit(out, i))
            return;
}
SPARK_FILTER(none, int64_t)
{
    return *in < 0;
}

static void test_recovery__a_failed_job_stops_its_other_tasks(void **state)
{
    (void)state;
    spark_context *sc = context_with(2, NULL, 0);
    for (int i = 0; i < 10; i++) {
        int64_t n;
        assert_int_equal(spark_count(spark_filter(spark_flat_map(spark_range(sc, 0, 2, 1, 2),
                                                      endless_or_failing, NULL),
                                         none, NULL),
                             &n),
            SPARK_ETASK);
        expect("partition", spark_last_error()->partition, 1);
    }
    spark_context_free(sc);
}

/* ---- blocks that are lost */

static void test_recovery__only_the_dropped_block_is_computed_again(void **state)
{
    (void)state;
    spark_context *sc = context_with(2, NULL, 0);
    spark_rdd *kept = spark_cache(spark_filter(numbers(sc), watched, NULL));
    expect("count", count_of(kept), ROWS);
    EXPECT(stats_of(sc), cached_blocks, MAPS);
    EXPECT(stats_of(sc), cached_reads, 0);
    EXPECT(stats_of(sc), recomputed_partitions, 0);
    expect("count", count_of(kept), ROWS);
    EXPECT(stats_of(sc), cached_blocks, 0);
    EXPECT(stats_of(sc), cached_reads, MAPS);
    for (int p = 0; p < MAPS; p++) {
        assert_true(spark_drop_block(kept, p));
        assert_false(spark_drop_block(kept, p));
        expect("blocks", spark_rdd_cached_partitions(kept), MAPS - 1);
        forget_computed();
        expect("count", count_of(spark_map(kept, plus_one, NULL)), ROWS);
        const spark_job_stats stats = stats_of(sc);
        EXPECT(stats, recomputed_partitions, 1);
        EXPECT(stats, cached_blocks, 1);
        EXPECT(stats, cached_reads, MAPS - 1);
        EXPECT(stats, tasks, MAPS);
        EXPECT(stats, failed_tasks, 0);
        for (int i = 0; i < MAPS; i++)
            expect("computed", atomic_load(&computed[i]), i == p ? ROWS / MAPS : 0);
        expect("blocks", spark_rdd_cached_partitions(kept), MAPS);
    }
    assert_false(spark_drop_block(kept, MAPS));
    assert_false(spark_drop_block(kept, -1));
    spark_context_free(sc);
}

static void test_recovery__a_plan_drops_a_block_before_an_attempt(void **state)
{
    (void)state;
    for (int p = 0; p < MAPS; p++) {
        const spark_fault faults[] = {
            { .kind = SPARK_FAULT_BLOCK, .job = 1, .stage = 0, .partition = p, .attempt = 0 },
            { .kind = SPARK_FAULT_TASK, .job = 2, .stage = 0, .partition = p, .attempt = 0 },
            { .kind = SPARK_FAULT_BLOCK, .job = 2, .stage = 0, .partition = p, .attempt = 1 },
        };
        spark_context *sc = context_with(1 + p % 2, faults, 3);
        spark_rdd *kept = spark_cache(spark_filter(numbers(sc), watched, NULL));
        spark_rdd *above = spark_cache(spark_map(kept, plus_one, NULL));
        expect("count", count_of(above), ROWS);
        EXPECT(stats_of(sc), cached_blocks, 2 * MAPS);
        forget_computed();
        expect("count", count_of(above), ROWS);
        EXPECT(stats_of(sc), recomputed_partitions, 2); /* both on the way of the attempt */
        EXPECT(stats_of(sc), cached_reads, MAPS - 1);
        EXPECT(stats_of(sc), failed_tasks, 0);
        expect("count", count_of(above), ROWS);
        EXPECT(stats_of(sc), recomputed_partitions, 2);
        EXPECT(stats_of(sc), cached_reads, MAPS);
        EXPECT(stats_of(sc), failed_tasks, 1);
        for (int i = 0; i < MAPS; i++)
            expect("computed", atomic_load(&computed[i]), i == p ? 2 * (ROWS / MAPS) : 0);
        spark_context_free(sc);
    }
}

static void test_recovery__unpersist_forgets_the_blocks(void **state)
{
    (void)state;
    spark_context *sc = context_with(2, NULL, 0);
    spark_rdd *kept = spark_cache(spark_filter(numbers(sc), watched, NULL));
    expect("count", count_of(kept), ROWS);
    expect("blocks", spark_rdd_cached_partitions(kept), MAPS);
    (void)spark_unpersist(kept);
    assert_false(spark_rdd_is_persisted(kept));
    expect("blocks", spark_rdd_cached_partitions(kept), 0);
    forget_computed();
    expect("count", count_of(kept), ROWS);
    EXPECT(stats_of(sc), cached_blocks, 0);
    EXPECT(stats_of(sc), cached_reads, 0);
    EXPECT(stats_of(sc), recomputed_partitions, 0);
    expect("computed", atomic_load(&computed[0]), ROWS / MAPS);
    spark_context_free(sc);
}

/* ---- shuffle outputs that are lost */

static void test_recovery__a_second_job_skips_the_map_stage(void **state)
{
    (void)state;
    spark_context *sc = context_with(2, NULL, 0);
    spark_rdd *rdd = sums(sc);
    forget_computed();
    sums_are_right(rdd, ROWS, 1);
    EXPECT(stats_of(sc), skipped_stages, 0);
    for (int i = 0; i < 3; i++) {
        sums_are_right(
            i < 2 ? rdd : spark_map_values(rdd, value_times_three, NULL), ROWS, i < 2 ? 1 : 3);
        const spark_job_stats stats = stats_of(sc);
        EXPECT(stats, stages, 2);
        EXPECT(stats, skipped_stages, 1);
        EXPECT(stats, stage_attempts, 1);
        EXPECT(stats, tasks, REDUCES);
        EXPECT(stats, shuffle_rows, 0);
    }
    for (int i = 0; i < MAPS; i++)
        expect("computed", atomic_load(&computed[i]), ROWS / MAPS);
    /* Two shuffles, of which the lower one is there: the upper ones are not even looked at. */
    spark_rdd *twice
        = spark_reduce_by_key(spark_map(spark_values(rdd), to_pair, NULL), add_up, NULL, 2);
    const int64_t n = count_of(twice);
    EXPECT(stats_of(sc), stages, 3);
    EXPECT(stats_of(sc), skipped_stages, 1);
    expect("count", count_of(twice), n);
    EXPECT(stats_of(sc), stages, 2);
    EXPECT(stats_of(sc), skipped_stages, 1);
    spark_context_free(sc);
}

static void test_recovery__only_the_dropped_output_is_computed_again(void **state)
{
    (void)state;
    spark_context *sc = context_with(2, NULL, 0);
    spark_rdd *rdd = sums(sc);
    assert_false(spark_drop_shuffle_output(rdd, 0));
    sums_are_right(rdd, ROWS, 1);
    for (int m = 0; m < MAPS; m++) {
        assert_true(spark_drop_shuffle_output(rdd, m));
        assert_false(spark_drop_shuffle_output(rdd, m));
        forget_computed();
        sums_are_right(rdd, ROWS, 1);
        const spark_job_stats stats = stats_of(sc);
        EXPECT(stats, skipped_stages, 0);
        EXPECT(stats, stage_attempts, 2);
        EXPECT(stats, tasks, 1 + REDUCES);
        EXPECT(stats, recomputed_partitions, 1);
        EXPECT(stats, lost_inputs, 0);
        for (int i = 0; i < MAPS; i++)
            expect("computed", atomic_load(&computed[i]), i == m ? ROWS / MAPS : 0);
    }
    assert_false(spark_drop_shuffle_output(rdd, MAPS));
    assert_false(spark_drop_shuffle_output(rdd, -1));
    assert_false(spark_drop_shuffle_output(numbers(sc), 0));
    spark_context_free(sc);
}

static void test_recovery__cleaned_shuffles_are_computed_again(void **state)
{
    (void)state;
    spark_context *sc = context_with(2, NULL, 0);
    spark_rdd *rdd = sums(sc);
    spark_rdd *again = spark_map(spark_values(rdd), to_pair, NULL);
    spark_rdd *twice = spark_reduce_by_key(again, add_up, NULL, 2);
    spark_rdd *above = spark_union(twice, twice);
    const int64_t n = count_of(above);
    const uint64_t held = spark_memory_bytes(sc, NULL);
    assert_int_equal(spark_clean_shuffle_dependencies(above), SPARK_OK);
    assert_true(spark_memory_bytes(sc, NULL) < held);
    assert_false(spark_drop_shuffle_output(rdd, 0));
    assert_false(spark_drop_shuffle_output(twice, 0));
    expect("count", count_of(above), n);
    EXPECT(stats_of(sc), skipped_stages, 0);
    /* What is above a persisted RDD stays. */
    spark_cache(again);
    assert_int_equal(spark_clean_shuffle_dependencies(above), SPARK_OK);
    assert_false(spark_drop_shuffle_output(twice, 0));
    assert_true(spark_drop_shuffle_output(rdd, 0));
    /* The cache of the RDD itself keeps nothing above it. */
    expect("count", count_of(above), n);
    assert_int_equal(spark_clean_shuffle_dependencies(again), SPARK_OK);
    assert_false(spark_drop_shuffle_output(rdd, 1));
    assert_true(spark_drop_shuffle_output(twice, 0));
    /* Neither sources nor what never ran have any. */
    assert_int_equal(spark_clean_shuffle_dependencies(numbers(sc)), SPARK_OK);
    assert_int_equal(spark_clean_shuffle_dependencies(sums(sc)), SPARK_OK);
    assert_int_equal(spark_clean_shuffle_dependencies(NULL), SPARK_EINVAL);
    assert_non_null(strstr(spark_last_error()->message, "cleanShuffleDependencies at "));
    spark_context_free(sc);
}

static void test_recovery__an_output_lost_during_the_job(void **state)
{
    (void)state;
    for (int m = 0; m < MAPS; m++) {
        /* The last task of the only thread finds it missing: the counters are exact. */
        const spark_fault fault = { .kind = SPARK_FAULT_SHUFFLE,
            .job = 0,
            .stage = 1,
            .partition = REDUCES - 1,
            .attempt = 0,
            .output = m };
        spark_context *sc = context_with(1, &fault, 1);
        forget_computed();
        sums_are_right(sums(sc), ROWS, 1);
        spark_job_stats stats = stats_of(sc);
        EXPECT(stats, stages, 2);
        EXPECT(stats, stage_attempts, 4);
        EXPECT(stats, tasks, MAPS + REDUCES + 1);
        EXPECT(stats, failed_tasks, 0);
        EXPECT(stats, lost_inputs, 1);
        EXPECT(stats, recomputed_partitions, 1);
        for (int i = 0; i < MAPS; i++)
            expect("computed", atomic_load(&computed[i]), (i == m ? 2 : 1) * (ROWS / MAPS));
        spark_context_free(sc);
        /* Threads that read meanwhile. */
        sc = context_with(4,
            &(spark_fault) { .kind = SPARK_FAULT_SHUFFLE,
                .job = 0,
                .stage = 1,
                .partition = SPARK_ANY,
                .attempt = 0,
                .output = m },
            1);
        sums_are_right(sums(sc), ROWS, 1);
        stats = stats_of(sc);
        EXPECT(stats, failed_tasks, 0);
        assert_in_range(stats.recomputed_partitions, 1, REDUCES);
        spark_context_free(sc);
    }
}

static void test_recovery__outputs_of_two_shuffles_lost_at_once(void **state)
{
    (void)state;
    spark_context *sc = context_with(2, NULL, 0);
    spark_rdd *left = sums(sc), *right = sums(sc);
    spark_rdd *both = spark_join(spark_map_values(left, plus_one, NULL),
        spark_reduce_by_key(spark_map(spark_values(right), to_pair, NULL), add_up, NULL, 5), 5);
    const int64_t n = count_of(both);
    for (int m = 0; m < MAPS; m++) {
        assert_true(spark_drop_shuffle_output(left, m));
        assert_true(spark_drop_shuffle_output(right, MAPS - 1 - m));
        expect("count", count_of(both), n);
        /* The shuffles below them are all there, so that nobody looks further up. */
        EXPECT(stats_of(sc), skipped_stages, stats_of(sc).stages - 1);
        EXPECT(stats_of(sc), recomputed_partitions, 0);
        sums_are_right(left, ROWS, 1);
        EXPECT(stats_of(sc), recomputed_partitions, 1);
        sums_are_right(right, ROWS, 1);
        EXPECT(stats_of(sc), recomputed_partitions, 1);
    }
    spark_context_free(sc);
}

static void test_recovery__a_stage_is_attempted_as_often_as_configured(void **state)
{
    (void)state;
    for (int most = 1; most <= 5; most++) {
        const spark_fault fault = { .kind = SPARK_FAULT_SHUFFLE,
            .job = 0,
            .stage = 1,
            .partition = REDUCES - 1,
            .attempt = SPARK_ANY,
            .output = 1 };
        spark_context *sc = spark_context_new(&(spark_conf) { .threads = 1,
            .faults = &fault,
            .n_faults = 1,
            .stage_max_attempts = most == 5 ? 0 : most });
        spark_rdd *rdd = sums(sc);
        spark_array all;
        char text[100];
        const int attempts = most == 5 ? 4 : most;
        assert_int_equal(spark_collect(rdd, NULL, &all), SPARK_ETASK);
        snprintf(text, sizeof text, "failed the maximum allowable number of times: %d", attempts);
        assert_non_null(strstr(spark_last_error()->message, text));
        EXPECT(stats_of(sc), lost_inputs, attempts);
        const int64_t made = stats_of(sc).recomputed_partitions;
        assert_in_range(made, attempts - 1, attempts);
        sums_are_right(rdd, ROWS, 1);
        EXPECT(stats_of(sc), recomputed_partitions, attempts - made);
        EXPECT(stats_of(sc), lost_inputs, 0);
        spark_context_free(sc);
    }
}

static void test_recovery__a_shuffle_above_a_cached_rdd(void **state)
{
    (void)state;
    spark_context *sc = spark_context_new(&(spark_conf) { .threads = 1,
        .n_faults = 1,
        .faults = &(spark_fault) {
            .kind = SPARK_FAULT_BLOCK, .job = 4, .stage = 0, .partition = 1, .attempt = 0 } });
    spark_rdd *kept = spark_cache(sums(sc));
    sums_are_right(kept, ROWS, 1); /* job 0 */
    EXPECT(stats_of(sc), cached_blocks, REDUCES);
    sums_are_right(kept, ROWS, 1); /* job 1: the shuffle is not needed, not even skipped */
    EXPECT(stats_of(sc), stages, 1);
    EXPECT(stats_of(sc), skipped_stages, 0);
    EXPECT(stats_of(sc), cached_reads, REDUCES);
    assert_true(spark_drop_block(kept, 2));
    sums_are_right(kept, ROWS, 1); /* job 2: a block is lost, the shuffle is there */
    EXPECT(stats_of(sc), stages, 2);
    EXPECT(stats_of(sc), skipped_stages, 1);
    EXPECT(stats_of(sc), recomputed_partitions, 1);
    EXPECT(stats_of(sc), cached_reads, REDUCES - 1);
    assert_true(spark_drop_block(kept, 0));
    assert_true(spark_drop_shuffle_output(kept, 3));
    sums_are_right(kept, ROWS, 1); /* job 3: a block and an output of the shuffle */
    EXPECT(stats_of(sc), stages, 2);
    EXPECT(stats_of(sc), skipped_stages, 0);
    EXPECT(stats_of(sc), recomputed_partitions, 2);
    EXPECT(stats_of(sc), tasks, REDUCES + 1);
    assert_true(spark_drop_shuffle_output(kept, 0));
    sums_are_right(kept, ROWS, 1); /* job 4: the block goes when the task is about to read it */
    EXPECT(stats_of(sc), lost_inputs, 1);
    EXPECT(stats_of(sc), recomputed_partitions, 2);
    EXPECT(stats_of(sc), cached_blocks, 1);
    EXPECT(stats_of(sc), tasks, REDUCES + 1);
    EXPECT(stats_of(sc), stages, 2);
    spark_context_free(sc);
}

/* ---- accumulators */

static void test_recovery__accumulators_count_once(void **state)
{
    (void)state;
    double float_sum = 0;
    for (int seed = 0; seed < 40; seed++) {
        const spark_fault fault = { .kind = SPARK_FAULT_RANDOM,
            .job = SPARK_ANY,
            .stage = SPARK_ANY,
            .partition = SPARK_ANY,
            .attempt = SPARK_ANY,
            .rate = 0.3,
            .seed = (uint64_t)seed };
        spark_context *sc = spark_context_new(&(spark_conf) { .threads = 1 + seed % 4,
            .faults = &fault,
            .n_faults = seed > 0,
            .stage_max_attempts = 50 });
        accumulator source = spark_counter(sc, "source"), above = spark_counter(sc, "above");
        accumulator result = spark_counter(sc, "result");
        accumulator floats = spark_float_counter(sc, "floats");
        assert_string_equal(spark_accumulator_name(source), "source");
        spark_rdd *kept = spark_cache(spark_filter(numbers(sc), counts, SPARK_COPY(source)));
        spark_rdd *pairs = spark_map(spark_filter(spark_filter(kept, counts, SPARK_COPY(above)),
                                         adds_floats, SPARK_COPY(floats)),
            to_pair, NULL);
        spark_rdd *rdd = spark_filter(
            spark_reduce_by_key(pairs, add_up, NULL, REDUCES), counts_pairs, SPARK_COPY(result));
        for (int i = 1; i <= 4; i++) {
            sums_are_right(rdd, ROWS, 1);
            expect("counted in a cached RDD", spark_accumulator_value(source), ROWS);
            expect("counted above a shuffle", spark_accumulator_value(above), ROWS);
            expect("counted in results", spark_accumulator_value(result), i * KEYS);
            if (seed == 0)
                float_sum = spark_accumulator_f64(floats);
            assert_true(spark_accumulator_f64(floats) == float_sum);
            spark_drop_block(kept, seed % MAPS);
            spark_drop_shuffle_output(rdd, i % MAPS);
        }
        expect("count", count_of(kept), ROWS);
        expect("counted in a cached RDD", spark_accumulator_value(source), ROWS);
        spark_context_free(sc);
    }
}

static void test_recovery__failed_jobs_count_nothing_of_the_failed_task(void **state)
{
    (void)state;
    spark_context *sc = context_with(1, NULL, 0);
    accumulator count = spark_counter(sc, NULL);
    const int64_t bad = ROWS - 1; /* in the last partition */
    int64_t n;
    spark_rdd *rdd = spark_filter(numbers(sc), counts, SPARK_COPY(count));
    assert_int_equal(spark_count(spark_filter(rdd, fails_on, SPARK_COPY(bad)), &n), SPARK_ETASK);
    expect("counted", spark_accumulator_value(count), ROWS / MAPS * (MAPS - 1));
    spark_context_free(sc);
}

/* ---- many at once */

typedef struct user {
    pthread_t thread;
    spark_rdd *shared, *kept;
    spark_context *sc;
    int number, failed;
    const char *wrong;
} user;

static bool sums_match(spark_rdd *rdd, spark_status *status)
{
    spark_array all;
    int64_t total = 0;
    *status = spark_collect(rdd, SPARK_TYPE(i64_pair), &all);
    if (*status != SPARK_OK)
        return false;
    const i64_pair *pairs = SPARK_ITEMS(i64_pair, &all);
    for (size_t i = 0; i < all.n; i++)
        total += pairs[i].value;
    const bool match = all.n == KEYS && total == (int64_t)ROWS * (ROWS - 1) / 2;
    spark_array_free(&all);
    return match;
}

static void *use(void *argument)
{
    user *u = argument;
    for (int i = 0; i < 20 && !u->wrong; i++) {
        SPARK_SCOPED(u->sc);
        spark_status status;
        int64_t n = 0;
        if (!sums_match(u->shared, &status))
            u->wrong = "the shared shuffle";
        if (spark_count(spark_map(u->kept, plus_one, NULL), &n) != SPARK_OK || n != ROWS)
            u->wrong = "the cached RDD";
        if (!sums_match(spark_reduce_by_key(
                            spark_map(u->kept, to_pair, NULL), add_up, NULL, 1 + u->number % 4),
                &status))
            u->wrong = "a shuffle of its own";
        const int64_t bad = 7;
        if (i % 4 == u->number % 4) {
            if (spark_count(spark_filter(u->kept, fails_on, SPARK_COPY(bad)), &n) != SPARK_ETASK)
                u->wrong = "a job that must fail";
            u->failed++;
        }
        if (i % 7 == 3)
            spark_drop_block(u->kept, u->number % MAPS);
        if (i % 7 == 5)
            spark_drop_shuffle_output(u->shared, u->number % MAPS);
    }
    return NULL;
}

enum { USERS = 8 };

static void test_recovery__eight_threads_share_a_context(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 2) {
        user users[USERS];
        spark_context *sc
            = spark_context_new(&(spark_conf) { .threads = threads, .stage_max_attempts = 1000 });
        spark_rdd *shared = sums(sc);
        spark_rdd *kept = spark_cache(spark_filter(numbers(sc), watched, NULL));
        for (int i = 0; i < USERS; i++) {
            users[i] = (user) { .shared = shared, .kept = kept, .sc = sc, .number = i };
            assert_int_equal(pthread_create(&users[i].thread, NULL, use, &users[i]), 0);
        }
        for (int i = 0; i < USERS; i++)
            pthread_join(users[i].thread, NULL);
        for (int i = 0; i < USERS; i++) {
            if (users[i].wrong)
                fail_msg("user %d: %s: %s", i, users[i].wrong, spark_last_error()->message);
            assert_int_equal(users[i].failed, 5);
        }
        sums_are_right(shared, ROWS, 1);
        spark_context_free(sc);
    }
}

static void *collect_shared(void *argument)
{
    user *u = argument;
    spark_status status;
    if (!sums_match(u->shared, &status)) {
        u->failed = 1;
        if (status != SPARK_ETASK)
            u->wrong = "another error than a failed task";
    }
    return NULL;
}

static void test_recovery__a_shared_shuffle_is_computed_once(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        user users[USERS];
        spark_context *sc = context_with(1 + round % 4, NULL, 0);
        spark_rdd *shared = sums(sc);
        forget_computed();
        for (int i = 0; i < USERS; i++) {
            users[i] = (user) { .shared = shared };
            assert_int_equal(pthread_create(&users[i].thread, NULL, collect_shared, &users[i]), 0);
        }
        for (int i = 0; i < USERS; i++) {
            pthread_join(users[i].thread, NULL);
            assert_int_equal(users[i].failed, 0);
        }
        for (int i = 0; i < MAPS; i++)
            expect("computed", atomic_load(&computed[i]), ROWS / MAPS);
        spark_context_free(sc);
    }
}

static void test_recovery__jobs_take_over_the_shuffle_of_one_that_failed(void **state)
{
    enum { BAD = 4 };
    (void)state;
    for (int round = 0; round < 20; round++) {
        user users[USERS];
        spark_fault faults[BAD];
        int failed = 0;
        for (int i = 0; i < BAD; i++)
            faults[i] = (spark_fault) { .kind = SPARK_FAULT_TASK,
                .job = i,
                .stage = 0,
                .partition = round % MAPS,
                .attempt = SPARK_ANY };
        spark_context *sc = context_with(1 + round % 3, faults, BAD);
        spark_rdd *shared = sums(sc);
        for (int i = 0; i < USERS; i++) {
            users[i] = (user) { .shared = shared };
            assert_int_equal(pthread_create(&users[i].thread, NULL, collect_shared, &users[i]), 0);
        }
        for (int i = 0; i < USERS; i++) {
            pthread_join(users[i].thread, NULL);
            assert_null(users[i].wrong);
            failed += users[i].failed;
        }
        assert_in_range(failed, 1, BAD);
        sums_are_right(shared, ROWS, 1);
        EXPECT(stats_of(sc), skipped_stages, 1);
        spark_context_free(sc);
    }
}

/* ---- long lineages */

SPARK_MAP(lengthen, spark_str, spark_str)
{
    /* A string of its own each time, so that memory must not grow with the chain. */
    int64_t n = 0;
    if (!spark_str_to_i64(*in, &n))
        spark_fail(task, "no number");
    *out = spark_str_format(task, "%d", (int)n + 1);
}
SPARK_MAP(as_text, int64_t, spark_str)
{
    *out = spark_str_format(task, "%d", (int)*in);
}

static void test_recovery__a_hundred_thousand_maps(void **state)
{
    enum { LONG = 100000 };
    (void)state;
    spark_context *sc = context_with(2, NULL, 0);
    spark_rdd *rdd = spark_range(sc, 0, 10, 1, 2);
    spark_array all;
    for (int i = 0; i < LONG; i++)
        rdd = spark_map(rdd, plus_one, NULL);
    ran(spark_collect(rdd, SPARK_TYPE(int64_t), &all));
    assert_int_equal(all.n, 10);
    for (int i = 0; i < 10; i++)
        expect("value", SPARK_ITEMS(int64_t, &all)[i], i + LONG);
    spark_array_free(&all);
    expect("count", count_of(rdd), 10);
    spark_context_free(sc);
}

static void test_recovery__a_hundred_thousand_maps_of_strings(void **state)
{
    enum { LONG = 100000 };
    (void)state;
    spark_context *sc = context_with(2, NULL, 0);
    spark_rdd *rdd = spark_map(spark_range(sc, 0, 40, 1, 2), as_text, NULL);
    spark_array all;
    uint64_t peak;
    for (int i = 0; i < LONG; i++)
        rdd = spark_map(rdd, lengthen, NULL);
    ran(spark_collect(rdd, SPARK_TYPE(spark_str), &all));
    for (int i = 0; i < 40; i++) {
        char text[20];
        snprintf(text, sizeof text, "%d", i + LONG);
        assert_int_equal(SPARK_ITEMS(spark_str, &all)[i].len, strlen(text));
        assert_memory_equal(SPARK_ITEMS(spark_str, &all)[i].ptr, text, strlen(text));
    }
    spark_array_free(&all);
    spark_memory_bytes(sc, &peak);
    assert_in_range(peak, 1, 64 << 20);
    spark_context_free(sc);
}

/* The head is passed on with more than a batch of others behind it, which the next one drops. */
enum { BEHIND = 1500 };
SPARK_FLAT_MAP(overflows, int64_t, int64_t)
{
    if (*in < 0)
        return;
    spark_emit(out, *in + 1);
    for (int64_t i = 0; i < BEHIND; i++)
        if (!spark_emit(out, -1))
            return;
}

static void test_recovery__three_hundred_flat_maps_that_overflow(void **state)
{
    enum { DEEP = 300 };
    (void)state;
    for (int batch = 0; batch < 2; batch++) {
        spark_context *sc
            = spark_context_new(&(spark_conf) { .threads = 2, .batch_rows = batch ? 7 : 0 });
        spark_rdd *rdd = spark_range(sc, 0, 4, 1, 2);
        spark_array all;
        for (int i = 0; i < DEEP; i++)
            rdd = spark_flat_map(rdd, overflows, NULL);
        ran(spark_collect(rdd, SPARK_TYPE(int64_t), &all));
        assert_int_equal(all.n, 4 * (1 + BEHIND));
        for (size_t i = 0; i < all.n; i++)
            expect("value", SPARK_ITEMS(int64_t, &all)[i],
                i % (1 + BEHIND) ? -1 : (int64_t)i / (1 + BEHIND) + DEEP);
        spark_array_free(&all);
        spark_context_free(sc);
    }
}

static void test_recovery__twenty_thousand_unions(void **state)
{
    enum { LONG = 20000 / SLOW };
    (void)state;
    spark_context *sc = context_with(2, NULL, 0);
    spark_rdd *rdd = spark_range(sc, 0, 3, 1, 1);
    for (int i = 1; i <= LONG; i++)
        rdd = spark_union(rdd, spark_range(sc, 0, i % 5, 1, 1));
    expect("partitions", spark_rdd_partitions(rdd), LONG + 1);
    expect("count", count_of(rdd), 3 + LONG * 2);
    EXPECT(stats_of(sc), tasks, LONG + 1);
    spark_context_free(sc);
}

static void test_recovery__two_hundred_shuffles(void **state)
{
    enum { DEEP = 200 };
    (void)state;
    for (int faults = 0; faults < 2; faults++) {
        spark_context *sc = context_with(2,
            &(spark_fault) { .kind = SPARK_FAULT_RANDOM,
                .job = SPARK_ANY,
                .stage = SPARK_ANY,
                .partition = SPARK_ANY,
                .attempt = SPARK_ANY,
                .rate = 0.05,
                .seed = 5 },
            (size_t)faults);
        spark_rdd *rdd = sums(sc);
        for (int i = 0; i < DEEP; i++)
            rdd = spark_reduce_by_key(rdd, add_up, NULL, 2 + i % 2);
        sums_are_right(rdd, ROWS, 1);
        EXPECT(stats_of(sc), stages, DEEP + 2);
        sums_are_right(rdd, ROWS, 1);
        spark_context_free(sc);
    }
}

/* ---- what flat_map emits */

SPARK_FLAT_MAP(many, int64_t, int64_t, int64_t)
{
    for (int64_t i = 0; i < *env; i++)
        if (!spark_emit(out, *in + i))
            return;
}
SPARK_FLAT_MAP(endless, int64_t, spark_str)
{
    for (;;)
        if (!spark_emit(out, spark_str_format(task, "%d", (int)*in)))
            return;
}

static void test_recovery__fifty_million_elements_of_one(void **state)
{
    (void)state;
    spark_context *sc = context_with(1, NULL, 0);
    const int64_t n = 50000000 / SLOW;
    uint64_t peak;
    spark_rdd *rdd = spark_flat_map(spark_range(sc, 0, 1, 1, 1), many, SPARK_COPY(n));
    expect("count", count_of(spark_map(rdd, plus_one, NULL)), n);
    spark_memory_bytes(sc, &peak);
    assert_in_range(peak, 1, 4 << 20);
    spark_context_free(sc);
}

SPARK_FLAT_MAP(many_texts, int64_t, spark_str)
{
    for (int64_t i = 0; i < *in; i++)
        if (!spark_emit(out, spark_str_format(task, "%d and a text behind it", (int)i)))
            return;
}

/* What a function allocates lives until it is done with the element; no more than that. */
static void test_recovery__strings_of_one_element_live_until_it_is_done(void **state)
{
    (void)state;
    const int64_t n = 500000 / SLOW;
    spark_context *sc = context_with(1, NULL, 0);
    uint64_t peak;
    spark_rdd *rdd
        = spark_flat_map(spark_parallelize(sc, SPARK_DATA(int64_t, 1, &n), 1), many_texts, NULL);
    expect("count", count_of(rdd), n);
    spark_memory_bytes(sc, &peak);
    assert_in_range(peak, 1, (uint64_t)n * 40 + (4 << 20));
    spark_context_free(sc);
}

/* Of many elements, one after the other. */
static void test_recovery__strings_of_many_elements_do_not_pile_up(void **state)
{
    enum { ELEMENTS = 2000 / SLOW };
    (void)state;
    int64_t each[ELEMENTS];
    spark_context *sc = context_with(1, NULL, 0);
    uint64_t peak;
    for (int i = 0; i < ELEMENTS; i++)
        each[i] = 1000;
    spark_rdd *rdd = spark_flat_map(
        spark_parallelize(sc, SPARK_DATA(int64_t, ELEMENTS, each), 1), many_texts, NULL);
    expect("count", count_of(rdd), ELEMENTS * 1000);
    spark_memory_bytes(sc, &peak);
    assert_in_range(peak, 1, 4 << 20);
    spark_context_free(sc);
}

static void test_recovery__take_stops_an_endless_function(void **state)
{
    (void)state;
    spark_context *sc = context_with(2, NULL, 0);
    spark_rdd *rdd = spark_flat_map(spark_range(sc, 5, 7, 1, 2), endless, NULL);
    for (size_t n = 1; n <= 5000; n = n * 7 + 1) {
        spark_array some;
        uint64_t peak;
        ran(spark_take(rdd, n, SPARK_TYPE(spark_str), &some));
        assert_int_equal(some.n, n);
        for (size_t i = 0; i < n; i++)
            assert_true(spark_str_equal(SPARK_ITEMS(spark_str, &some)[i], SPARK_LIT("5")));
        spark_array_free(&some);
        spark_memory_bytes(sc, &peak);
        assert_in_range(peak, 1, 8 << 20);
    }
    spark_array one;
    ran(spark_first(rdd, SPARK_TYPE(spark_str), &one));
    spark_array_free(&one);
    spark_context_free(sc);
}

static int watch(void **state)
{
    (void)state;
    alarm(120 * SLOW);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recovery__each_attempt_that_fails_is_repeated),
        cmocka_unit_test(test_recovery__a_task_may_fail_as_often_as_configured),
        cmocka_unit_test(test_recovery__a_function_that_fails_three_times_then_succeeds),
        cmocka_unit_test(test_recovery__the_context_stays_usable_after_failed_jobs),
        cmocka_unit_test(test_recovery__a_failed_job_stops_its_other_tasks),
        cmocka_unit_test(test_recovery__only_the_dropped_block_is_computed_again),
        cmocka_unit_test(test_recovery__a_plan_drops_a_block_before_an_attempt),
        cmocka_unit_test(test_recovery__unpersist_forgets_the_blocks),
        cmocka_unit_test(test_recovery__a_second_job_skips_the_map_stage),
        cmocka_unit_test(test_recovery__only_the_dropped_output_is_computed_again),
        cmocka_unit_test(test_recovery__cleaned_shuffles_are_computed_again),
        cmocka_unit_test(test_recovery__an_output_lost_during_the_job),
        cmocka_unit_test(test_recovery__outputs_of_two_shuffles_lost_at_once),
        cmocka_unit_test(test_recovery__a_stage_is_attempted_as_often_as_configured),
        cmocka_unit_test(test_recovery__a_shuffle_above_a_cached_rdd),
        cmocka_unit_test(test_recovery__accumulators_count_once),
        cmocka_unit_test(test_recovery__failed_jobs_count_nothing_of_the_failed_task),
        cmocka_unit_test(test_recovery__eight_threads_share_a_context),
        cmocka_unit_test(test_recovery__a_shared_shuffle_is_computed_once),
        cmocka_unit_test(test_recovery__jobs_take_over_the_shuffle_of_one_that_failed),
        cmocka_unit_test(test_recovery__a_hundred_thousand_maps),
        cmocka_unit_test(test_recovery__a_hundred_thousand_maps_of_strings),
        cmocka_unit_test(test_recovery__three_hundred_flat_maps_that_overflow),
        cmocka_unit_test(test_recovery__twenty_thousand_unions),
        cmocka_unit_test(test_recovery__two_hundred_shuffles),
        cmocka_unit_test(test_recovery__fifty_million_elements_of_one),
        cmocka_unit_test(test_recovery__strings_of_one_element_live_until_it_is_done),
        cmocka_unit_test(test_recovery__strings_of_many_elements_do_not_pile_up),
        cmocka_unit_test(test_recovery__take_stops_an_endless_function),
    };
    return cmocka_run_group_tests(tests, watch, NULL);
}
