/* SPDX-License-Identifier: Apache-2.0 */
/* replay computes a partition on the calling thread alone, from what is there: the same rows as an
 * action, whatever the lineage, and nobody notices it afterwards. */
#include "file_test.h"
#include "gate.h"

#include <stdatomic.h>

SPARK_PAIR(i64_i64, int64_t, int64_t);

/* ---- who runs functions */

typedef struct watch {
    pthread_t caller;
    atomic_int calls, elsewhere; /* on other threads */
} watch;
typedef watch *watch_ref;

static void look(watch_ref w)
{
    atomic_fetch_add(&w->calls, 1);
    if (!pthread_equal(w->caller, pthread_self()))
        atomic_fetch_add(&w->elsewhere, 1);
}

SPARK_MAP(watched, int64_t, int64_t, watch_ref)
{
    look(*env);
    *out = *in;
}
SPARK_MAP(by_seven, int64_t, i64_i64)
{
    *out = (i64_i64) { (*in % 7 + 7) % 7, *in };
}
SPARK_FLAT_MAP(twice, int64_t, int64_t)
{
    for (int64_t i = 0; i <= *in % 3; i++)
        spark_emit(out, *in + i);
}
SPARK_FILTER(odd, int64_t)
{
    return *in % 2 != 0;
}
SPARK_MAP(as_text, int64_t, spark_str)
{
    *out = spark_str_format(task, "number %lld", (long long)*in);
}

/* ---- lineages: each from the numbers, which are watched */

enum { ROWS = 3000, PARTS = 5 };

static spark_rdd *numbers(spark_context *sc, watch_ref w)
{
    return spark_map(spark_range(sc, 0, ROWS, 1, PARTS), watched, SPARK_COPY(w));
}
static spark_rdd *pairs(spark_context *sc, watch_ref w)
{
    return spark_map(numbers(sc, w), by_seven, NULL);
}
static spark_rdd *narrow(spark_context *sc, watch_ref w)
{
    return spark_filter(spark_flat_map(numbers(sc, w), twice, NULL), odd, NULL);
}
static spark_rdd *texts(spark_context *sc, watch_ref w)
{
    return spark_map(numbers(sc, w), as_text, NULL);
}
static spark_rdd *summed(spark_context *sc, watch_ref w)
{
    return spark_reduce_by_key(pairs(sc, w), spark_op_sum, NULL, 3);
}
static spark_rdd *grouped(spark_context *sc, watch_ref w)
{
    return spark_group_by_key(pairs(sc, w), 4);
}
static spark_rdd *dealt(spark_context *sc, watch_ref w)
{
    return spark_repartition(texts(sc, w), 4);
}
static spark_rdd *sorted(spark_context *sc, watch_ref w) /* a job finds the partitions */
{
    return spark_sort_by_key(pairs(sc, w), NULL, 3);
}
static spark_rdd *indexed(spark_context *sc, watch_ref w) /* a job counts */
{
    return spark_zip_with_index(narrow(sc, w));
}
static spark_rdd *joined(spark_context *sc, watch_ref w) /* two shuffles, and one before */
{
    return spark_join(summed(sc, w), spark_reduce_by_key(pairs(sc, w), spark_op_max, NULL, 2), 5);
}
static spark_rdd *nested(spark_context *sc, watch_ref w)
{
    spark_rdd *all = spark_union(texts(sc, w), dealt(sc, w));
    return spark_zip_with_unique_id(spark_coalesce(all, 2));
}
static spark_rdd *cached(spark_context *sc, watch_ref w) /* above it, and itself */
{
    spark_rdd *middle = spark_cache(spark_repartition(spark_cache(narrow(sc, w)), 3));
    return spark_cache(spark_map(middle, by_seven, NULL));
}
static spark_rdd *chained(spark_context *sc, watch_ref w) /* many stages */
{
    spark_rdd *rdd = numbers(sc, w);
    for (int i = 0; i < 30; i++)
        rdd = spark_repartition(spark_map(rdd, watched, SPARK_COPY(w)), 1 + i % 4);
    return rdd;
}
static spark_rdd *with_empty_ones(spark_context *sc, watch_ref w)
{
    spark_rdd *few = spark_filter(spark_map(spark_range(sc, 0, 3, 1, 6), watched, SPARK_COPY(w)), odd, NULL);
    return spark_partition_by(spark_map(few, by_seven, NULL), spark_hash_partitioner(sc, 4));
}

typedef spark_rdd *lineage(spark_context *sc, watch_ref w);
static lineage *const lineages[] = { narrow, texts, summed, grouped, dealt, sorted, indexed, joined,
    nested, cached, chained, with_empty_ones };

/* printed_of: what a replay prints, which must have as many rows as it says. Free it. */
static char *printed_of(spark_rdd *rdd, int partition, size_t most)
{
    char *text = NULL;
    size_t size = 0, lines = 0;
    FILE *file = open_memstream(&text, &size);
    const int64_t n = spark_replay_with(
        rdd, partition, &(spark_replay_options) { .print = file, .max_rows = most });
    fclose(file);
    if (n < 0)
        fail_msg("%s", spark_last_error()->message);
    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    assert_int_equal(n, lines);
    return text;
}

/* collected: the same of an action. */
static char *collected(spark_rdd *rdd, int partition)
{
    char *text = NULL;
    size_t size = 0;
    spark_array rows;
    oracle_ok(spark_collect_partitions(rdd, 1, &partition, NULL, &rows));
    FILE *file = open_memstream(&text, &size);
    oracle_ok(spark_array_print(file, &rows));
    fclose(file);
    spark_array_free(&rows);
    return text;
}

static void compare(lineage *make, const spark_conf *conf)
{
    spark_context *sc = oracle_open_conf(conf);
    watch w = { .caller = pthread_self() }, of_jobs = { .caller = pthread_self() };
    spark_rdd *fresh = make(sc, &w), *used = make(sc, &of_jobs);
    const int parts = spark_rdd_partitions(used);
    assert_true(parts > 0);
    for (int p = parts - 1; p >= 0; p--) { /* of the fresh one, the first computes what is missing */
        char *want = collected(used, p), *have = printed_of(fresh, p, 0), *again = printed_of(used, p, 0);
        assert_string_equal(have, want);
        assert_string_equal(again, want);
        free(again);
        free(have);
        free(want);
    }
    assert_true(w.calls > 0);
    assert_int_equal(w.elsewhere, 0);
    oracle_close(sc);
}

static void test_a_replay__is_the_partition_on_this_thread(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(lineages); i++) {
        compare(lineages[i], &(spark_conf) { .threads = 2 });
        compare(lineages[i], &(spark_conf) { .threads = 2, .batch_rows = 7, .check = true });
        compare(lineages[i], &(spark_conf) { .threads = 1, .memory_bytes = 64 << 20, .crash_reports = true });
    }
}

static void test_a_replay__computes_only_what_is_missing(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    watch w = { .caller = pthread_self() };
    spark_rdd *rdd = summed(sc, &w);
    oracle_count(rdd);
    w.calls = w.elsewhere = 0;
    assert_int_equal(spark_replay(rdd, 1), 7 / 3);
    assert_int_equal(w.calls, 0); /* outputs are there */
    assert_true(spark_drop_shuffle_output(rdd, 3));
    assert_true(spark_replay(rdd, 2) > 0);
    assert_int_equal(w.calls, ROWS / PARTS);
    assert_int_equal(w.elsewhere, 0);
    const spark_job_stats stats = oracle_last_job(sc);
    assert_int_equal(stats.recomputed_partitions, 1);
    assert_int_equal(stats.tasks, 2);
    assert_int_equal(stats.lost_inputs, 0);
    assert_false(spark_drop_shuffle_output(rdd, 9));
    oracle_count(rdd);
    assert_int_equal(w.calls, ROWS / PARTS); /* what it made stays */
    oracle_close(sc);
}

static void test_a_replay__reads_blocks_above_but_not_its_own(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    watch above = { .caller = pthread_self() }, own = { .caller = pthread_self() };
    const watch_ref of_own = &own;
    spark_rdd *parent = spark_cache(numbers(sc, &above));
    spark_rdd *rdd = spark_cache(spark_map(parent, watched, SPARK_COPY(of_own)));
    oracle_count(rdd);
    above.calls = own.calls = own.elsewhere = 0;
    assert_int_equal(spark_replay(rdd, 0), ROWS / PARTS);
    assert_int_equal(above.calls, 0);
    assert_int_equal(own.calls, ROWS / PARTS);
    assert_int_equal(own.elsewhere, 0);
    spark_drop_block(rdd, 0);
    spark_drop_block(parent, 0);
    assert_int_equal(spark_replay(rdd, 0), ROWS / PARTS);
    assert_int_equal(spark_rdd_cached_partitions(rdd), PARTS - 1);
    assert_int_equal(spark_rdd_cached_partitions(parent), PARTS);
    oracle_close(sc);
}

static void test_max_rows__ends_a_replay_early(void **state)
{
    (void)state;
    const size_t most[] = { 1, 2, 17, ROWS / PARTS, ROWS / PARTS + 1 };
    for (size_t i = 0; i < LENGTH(most); i++) {
        spark_context *sc = oracle_open(2);
        watch w = { .caller = pthread_self() };
        spark_rdd *rdd = texts(sc, &w);
        char *text = printed_of(rdd, 1, most[i]);
        const size_t want = most[i] < ROWS / PARTS ? most[i] : ROWS / PARTS;
        assert_memory_equal(text, "number 600\n", 11);
        free(text);
        assert_int_equal(spark_replay_with(rdd, 1, &(spark_replay_options) { .max_rows = most[i] }), want);
        assert_true((size_t)w.calls <= 2 * (most[i] < 16 ? most[i] : 5 * most[i]));
        oracle_close(sc);
    }
}

/* ---- errors */

static void replay_fails(spark_rdd *rdd, int partition, spark_status code, const char *words)
{
    if (spark_replay(rdd, partition) >= 0)
        fail_msg("it succeeds");
    oracle_blames(spark_last_error()->code, code, words, "replay");
}

SPARK_MAP(to_number, spark_str, int64_t)
{
    if (!spark_str_to_i64(*in, out))
        spark_fail(task, "not a number");
}
SPARK_FILTER(not_empty, spark_str)
{
    return in->len > 0;
}

static void test_errors__name_record_and_line(void **state)
{
    (void)state;
    scratch_write("numbers", "1\n2\n\n4\nfive\n6\n", 15);
    for (int failures = 1; failures <= 4; failures++) {
        spark_context *sc
            = oracle_open_conf(&(spark_conf) { .threads = 2, .task_max_failures = failures });
        spark_rdd *text = spark_filter(spark_text_file(sc, "numbers", 1), not_empty, NULL);
        replay_fails(spark_map(text, to_number, NULL), 0, SPARK_ETASK, "map(to_number) at " TEST_FILE);
        const spark_error *e = spark_last_error();
        assert_int_equal(e->record, 3);
        assert_int_equal(e->line, 5);
        assert_non_null(strstr(e->message, ": not a number (numbers:5, record 3); "));
        assert_int_equal(oracle_last_job(sc).failed_tasks, 2);
        /* Rows before it are printed once. */
        char printed[100];
        FILE *file = fmemopen(printed, sizeof printed, "w");
        assert_int_equal(spark_replay_with(spark_map(spark_text_file(sc, "numbers", 1), to_number, NULL),
                             0, &(spark_replay_options) { .print = file }), -1);
        fclose(file);
        oracle_close(sc);
    }
}

static void test_what_makes_no_sense__is_an_error(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = spark_range(sc, 0, 10, 1, 2);
    replay_fails(rdd, 2, SPARK_EINVAL, "replay at " TEST_FILE);
    replay_fails(rdd, -1, SPARK_EINVAL, "non-existent partition: -1 of 2");
    replay_fails(spark_empty_rdd(sc, SPARK_TYPE(int64_t)), 0, SPARK_EINVAL, "partition: 0 of 0");
    replay_fails(NULL, 0, SPARK_EINVAL, "the RDD is NULL");
    replay_fails(spark_map(rdd, as_text, SPARK_SHARED(NULL)), 0, SPARK_EINVAL, "map(as_text)");
    replay_fails(spark_text_file(sc, "nowhere", 1), 0, SPARK_EIO, "nowhere");
    FILE *full = fopen("/dev/full", "w");
    if (full) {
        setvbuf(full, NULL, _IONBF, 0);
        assert_int_equal(
            spark_replay_with(rdd, 0, &(spark_replay_options) { .print = full }), -1);
        oracle_blames(spark_last_error()->code, SPARK_EIO, "row 0: spark_array_print: No space", "replay");
        fclose(full);
    }
    assert_int_equal(spark_replay(rdd, 1), 5); /* the context goes on */
    oracle_close(sc);
}

SPARK_MAP(replays, int64_t, int64_t, watch_ref)
{
    *out = spark_replay((spark_rdd *)(uintptr_t)*env, 0);
}

static void test_a_replay_inside_a_task__is_an_error(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    const watch_ref rdd = (watch_ref)(uintptr_t)spark_range(sc, 0, 10, 1, 2);
    oracle_collects(spark_map(spark_range(sc, 0, 1, 1, 1), replays, SPARK_COPY(rdd)), "-1");
    oracle_close(sc);
}

/* ---- nobody notices */

typedef const spark_accumulator *sum;
SPARK_FILTER(add, int64_t, sum)
{
    spark_accumulate(task, *env, *in);
    return true;
}

static void test_accumulators__count_no_replay(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    sum before = spark_counter(sc, "before the shuffle"), behind = spark_counter(sc, "behind it");
    spark_rdd *first = spark_filter(spark_range(sc, 0, 100, 1, 4), add, SPARK_COPY(before));
    spark_rdd *rdd = spark_filter(spark_repartition(first, 2), add, SPARK_COPY(behind));
    for (int i = 0; i < 3; i++)
        assert_true(spark_replay(rdd, i % 2) > 0);
    assert_int_equal(spark_accumulator_value(before), 4950); /* outputs, which stay, count once */
    assert_int_equal(spark_accumulator_value(behind), 0);
    oracle_count(rdd);
    assert_int_equal(spark_accumulator_value(before), 4950);
    assert_int_equal(spark_accumulator_value(behind), 4950);
    assert_int_equal(spark_replay(first, 1), 25);
    assert_int_equal(spark_accumulator_value(before), 4950);
    oracle_close(sc);
}

SPARK_MAP(slow, int64_t, int64_t)
{
    nanosleep(&(struct timespec) { .tv_nsec = 3000000 }, NULL);
    *out = *in + (spark_cancelled(task) ? 1000 : 0);
}

static void test_faults_and_time_limits__are_left_out(void **state)
{
    (void)state;
    const spark_fault fails = { .kind = SPARK_FAULT_TASK,
        .job = SPARK_ANY,
        .stage = SPARK_ANY,
        .partition = SPARK_ANY,
        .attempt = SPARK_ANY };
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 1,
        .faults = &fails, .n_faults = 1, .task_timeout_ms = 1, .job_timeout_ms = 1 });
    SPARK_SCOPED(sc);
    oracle_ok(spark_set_job_group(sc, "group", "text"));
    char *text = printed_of(spark_map(spark_range(sc, 0, 10, 1, 2), slow, NULL), 1, 0);
    assert_string_equal(text, "5\n6\n7\n8\n9\n");
    free(text);
    spark_job_stats stats = oracle_last_job(sc);
    assert_int_equal(stats.failed_tasks, 0);
    assert_string_equal(spark_job_group(sc), "group");
    int64_t n; /* a job has both: whichever comes first ends it */
    spark_status status = spark_count(spark_range(sc, 0, 10, 1, 2), &n);
    assert_true(status == SPARK_ETASK || status == SPARK_EDEADLINE);
    oracle_close(sc);
}

/* ---- beside others */

typedef struct beside {
    spark_rdd *rdd;
    int64_t n;
} beside;

static void *replay_it(void *argument)
{
    beside *b = argument;
    b->n = spark_replay(b->rdd, 0);
    return NULL;
}

static void test_what_another_job_computes__is_waited_for(void **state)
{
    (void)state;
    gate g;
    pthread_t thread;
    gate_init(&g);
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_repartition(
        spark_filter(spark_range(sc, 0, 8, 1, 2), held, SPARK_COPY(g.state)), 2);
    spark_future *f = spark_count_async(rdd);
    assert_true(gate_await(&g, 1));
    beside b = { rdd, 0 };
    assert_int_equal(pthread_create(&thread, NULL, replay_it, &b), 0);
    gate_open(&g);
    pthread_join(thread, NULL);
    oracle_ok(spark_future_wait(f, -1));
    assert_int_equal(b.n, 4);
    gate_fini(&g);
    oracle_close(sc);
}

static void test_replays_and_actions__of_many_threads(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    watch w = { .caller = pthread_self() };
    spark_rdd *rdd = joined(sc, &w);
    pthread_t threads[4];
    beside b[4];
    for (int i = 0; i < 4; i++) {
        b[i] = (beside) { rdd, 0 };
        assert_int_equal(pthread_create(&threads[i], NULL, replay_it, &b[i]), 0);
    }
    const int64_t all = oracle_count(rdd);
    int64_t sum_of = 0;
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int p = 0; p < spark_rdd_partitions(rdd); p++)
        sum_of += spark_replay(rdd, p);
    assert_int_equal(sum_of, all);
    for (int i = 0; i < 4; i++)
        assert_int_equal(b[i].n, spark_replay(rdd, 0));
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        file_test(test_a_replay__is_the_partition_on_this_thread),
        file_test(test_a_replay__computes_only_what_is_missing),
        file_test(test_a_replay__reads_blocks_above_but_not_its_own),
        file_test(test_max_rows__ends_a_replay_early),
        file_test(test_errors__name_record_and_line),
        file_test(test_what_makes_no_sense__is_an_error),
        file_test(test_a_replay_inside_a_task__is_an_error),
        file_test(test_accumulators__count_no_replay),
        file_test(test_faults_and_time_limits__are_left_out),
        file_test(test_what_another_job_computes__is_waited_for),
        file_test(test_replays_and_actions__of_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
