/* SPDX-License-Identifier: Apache-2.0 */
/* More cases of Spark's AsyncRDDActionsSuite, FileSuite, AccumulatorSuite and DAGSchedulerSuite; and the
 * modes of its CSVSuite for malformed records, which a policy for bad records stands for. */
#include "file_test.h"
#include "oracle.h"

#include <stdatomic.h>

SPARK_PAIR(i64_pair, int64_t, int64_t);
typedef const spark_accumulator *accumulator;

static void async_rdd_actions_suite__take_async_gives_the_first(void **state)
{
    static const int partitions[] = { 1, 2, 100, 1000 };
    static const size_t wanted[] = { 0, 1, 3, 500, 501, 999, 1000 };
    enum { ROWS = 999 };
    (void)state;
    spark_context *sc = oracle_open(4);
    for (size_t p = 0; p < LENGTH(partitions); p++) {
        spark_rdd *rdd = spark_range(sc, 1, 1 + ROWS, 1, partitions[p]);
        for (size_t w = 0; w < LENGTH(wanted); w++) {
            spark_array found;
            oracle_ok(
                spark_future_get(spark_take_async(rdd, wanted[w], SPARK_TYPE(int64_t)), &found));
            assert_int_equal(found.n, wanted[w] < ROWS ? wanted[w] : ROWS);
            for (size_t i = 0; i < found.n; i++)
                assert_int_equal(SPARK_ITEMS(int64_t, &found)[i], 1 + i);
            spark_array_free(&found);
        }
    }
    oracle_close(sc);
}

/* ---- files */

static void file_suite__binary_files_are_in_as_many_partitions_as_asked_for(void **state)
{
    enum { FILES = 8 };
    (void)state;
    assert_int_equal(mkdir("files", 0777), 0);
    for (int i = 0; i < FILES; i++) {
        char path[16], bytes[FILES];
        snprintf(path, sizeof path, "files/%d", i);
        memset(bytes, 'a' + i, sizeof bytes);
        scratch_write(path, bytes, (size_t)i);
    }
    spark_context *sc = oracle_open(2);
    for (int least = 1; least <= FILES; least *= 2) {
        spark_rdd *files = spark_binary_files(sc, "files", least);
        assert_int_equal(spark_rdd_partitions(files), least);
        spark_array found;
        oracle_ok(spark_collect(spark_values(files), SPARK_TYPE(spark_bytes), &found));
        assert_int_equal(found.n, FILES);
        for (size_t i = 0; i < FILES; i++) {
            const spark_bytes *have = &SPARK_ITEMS(spark_bytes, &found)[i];
            assert_int_equal(have->len, i);
            for (size_t k = 0; k < i; k++)
                assert_int_equal(((const char *)have->ptr)[k], 'a' + i);
        }
        spark_array_free(&found);
    }
    oracle_close(sc);
}

static void file_suite__partitions_without_lines_are_read_back(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_ok(spark_save_as_text_file(spark_range(sc, 0, 0, 1, 1), "none"));
    assert_int_equal(access("none/part-00000", F_OK), 0);
    assert_int_equal(oracle_count(spark_text_file(sc, "none", 0)), 0);
    oracle_ok(spark_save_as_text_file(spark_range(sc, 0, 2, 1, 5), "two"));
    assert_int_equal(access("two/part-00004", F_OK), 0);
    assert_int_equal(oracle_count(spark_text_file(sc, "two", 0)), 2);
    oracle_collects(spark_text_file(sc, "two", 0), "0 1");
    oracle_close(sc);
}

/* two_files: directory of that name with part-00000 and part-00001, as an RDD of some kind. */
enum { KINDS = 5 };
static spark_rdd *two_files(spark_context *sc, const char *directory, int kind)
{
    if (kind == 0) {
        oracle_ok(spark_save_as_object_file(spark_range(sc, 0, 9, 1, 2), directory));
        return spark_object_file(sc, directory, SPARK_TYPE(int64_t));
    }
    oracle_ok(spark_save_as_text_file(spark_range(sc, 0, 2, 1, 2), directory));
    return kind == 1 ? spark_text_file(sc, directory, 2)
        : kind == 2  ? spark_whole_text_files(sc, directory, 2)
        : kind == 3  ? spark_binary_files(sc, directory, 2)
                     : spark_binary_records(sc, directory, 2);
}

static void file_suite__a_file_that_goes_is_missed(void **state)
{
    /* It was there when the partitions were counted. */
    char directory[16], file[40];
    int64_t n;
    (void)state;
    spark_context *sc = oracle_open(2);
    for (int kind = 0; kind < KINDS; kind++) {
        snprintf(directory, sizeof directory, "files-%d", kind);
        snprintf(file, sizeof file, "%s/part-00001", directory);
        spark_rdd *rdd = two_files(sc, directory, kind);
        assert_int_equal(spark_rdd_partitions(rdd), 2);
        assert_int_equal(unlink(file), 0);
        oracle_fails(spark_count(rdd, &n), SPARK_EIO, file);
    }
    oracle_close(sc);
}

/* ---- accumulators */

enum { ROWS = 100, PARTS = 4 };

/* One counts all elements, the other those of all partitions but the first. */
typedef struct counters {
    accumulator all, beyond;
} counters;
SPARK_MAP(counted, int64_t, int64_t, counters)
{
    spark_accumulate(task, env->all, 1);
    if (spark_task_partition(task) > 0)
        spark_accumulate(task, env->beyond, 1);
    *out = *in;
}

static spark_rdd *counting(spark_context *sc, counters *counts)
{
    *counts = (counters) { spark_counter(sc, "all"), spark_counter(sc, "beyond") };
    return spark_map(spark_range(sc, 0, ROWS, 1, PARTS), counted, SPARK_COPY(*counts));
}

static void accumulator_suite__nothing_counts_before_an_action(void **state)
{
    counters counts;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = counting(sc, &counts);
    assert_int_equal(spark_rdd_partitions(rdd), PARTS);
    assert_int_equal(spark_accumulator_value(counts.all), 0);
    for (int i = 1; i <= 2; i++) {
        assert_int_equal(oracle_count(rdd), ROWS);
        assert_int_equal(spark_accumulator_value(counts.all), i * ROWS);
        assert_int_equal(spark_accumulator_value(counts.beyond), i * (ROWS - ROWS / PARTS));
    }
    oracle_close(sc);
}

static void accumulator_suite__what_is_cached_counts_once(void **state)
{
    counters counts;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_cache(counting(sc, &counts));
    assert_int_equal(spark_accumulator_value(counts.all), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(oracle_count(rdd), ROWS);
        assert_int_equal(spark_accumulator_value(counts.all), ROWS);
    }
    assert_int_equal(oracle_last_job(sc).cached_reads, PARTS);
    oracle_close(sc);
}

static void accumulator_suite__a_take_counts_its_partitions_alone(void **state)
{
    /* How far the first partition is computed is not laid down. */
    counters counts;
    spark_array found;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = counting(sc, &counts);
    oracle_ok(spark_take(rdd, 3, SPARK_TYPE(int64_t), &found));
    oracle_lists(&found, "0 1 2");
    spark_array_free(&found);
    assert_in_range(spark_accumulator_value(counts.all), 3, ROWS / PARTS);
    assert_int_equal(spark_accumulator_value(counts.beyond), 0);
    oracle_close(sc);
}

/* ---- stages */

static atomic_int maps_run;
SPARK_PARTITIONS(by_ten, int64_t, i64_pair)
{
    atomic_fetch_add(&maps_run, 1);
    for (const int64_t *x; (x = spark_next(in)) != NULL;)
        spark_emit(out, (i64_pair) { *x % 10, 1 });
}
SPARK_MAP(parity, i64_pair, i64_pair)
{
    *out = (i64_pair) { in->key % 2, in->value };
}
SPARK_MAP(half, i64_pair, i64_pair)
{
    *out = (i64_pair) { in->key / 5, in->value };
}

static void dag_scheduler_suite__a_shared_parent_is_one_stage(void **state)
{
    /* Two reductions of one shuffle are joined where they are: one stage fills the shuffle, two
     * read it and fill their own, the last one reads these. */
    enum { MAPS = 5, MIDDLE = 3, JOINED = 2 };
    (void)state;
    for (int threads = 1; threads <= 4; threads += 3) {
        spark_context *sc = oracle_open(threads);
        atomic_store(&maps_run, 0);
        spark_rdd *shared = spark_reduce_by_key(
            spark_map_partitions(spark_range(sc, 0, 195, 1, MAPS), by_ten, NULL), spark_op_sum,
            NULL, MIDDLE);
        spark_rdd *joined = spark_join(
            spark_reduce_by_key(spark_map(shared, parity, NULL), spark_op_sum, NULL, JOINED),
            spark_reduce_by_key(spark_map(shared, half, NULL), spark_op_sum, NULL, JOINED), JOINED);
        oracle_holds(joined, "(0,(98,100)) (1,(97,95))");
        spark_job_stats stats = oracle_last_job(sc);
        assert_int_equal(stats.stages, 4);
        assert_int_equal(stats.skipped_stages, 0);
        assert_int_equal(stats.stage_attempts, 4);
        assert_int_equal(stats.tasks, MAPS + 2 * MIDDLE + JOINED);
        assert_int_equal(atomic_load(&maps_run), MAPS);
        /* All that is upstream is there the next time. */
        assert_int_equal(oracle_count(joined), 2);
        stats = oracle_last_job(sc);
        assert_int_equal(stats.skipped_stages, stats.stages - 1);
        assert_int_equal(stats.tasks, JOINED);
        assert_int_equal(atomic_load(&maps_run), MAPS);
        oracle_close(sc);
    }
}

SPARK_STRUCT(total, (int64_t, of));
SPARK_MERGE(add_to_total, total, int64_t)
{
    acc->of += *in;
}
SPARK_MERGE(never_combines, total, total)
{
    spark_fail(task, "totals do not combine");
}
typedef struct good_and_bad {
    accumulator good, bad;
} good_and_bad;
SPARK_FOREACH(to_both, int64_t, good_and_bad)
{
    spark_accumulate(task, env->good, *in);
    spark_accumulate_value(task, env->bad, SPARK_VALUE(int64_t, in));
}

static void dag_scheduler_suite__an_accumulator_that_misbehaves_harms_no_job(void **state)
{
    spark_array array;
    (void)state;
    spark_context *sc = oracle_open(2);
    const good_and_bad both = { spark_counter(sc, "good"),
        spark_accumulator_new(sc, SPARK_ZERO(total), add_to_total, never_combines, "bad") };
    spark_rdd *rdd = spark_range(sc, 0, 10, 1, 3);
    oracle_ok(spark_foreach(rdd, to_both, SPARK_COPY(both)));
    oracle_fails(spark_accumulator_get(both.bad, SPARK_TYPE(total), &array), SPARK_ETASK,
        "totals do not combine");
    assert_int_equal(array.n, 0);
    assert_int_equal(spark_accumulator_value(both.good), 45);
    assert_int_equal(oracle_last_job(sc).failed_tasks, 0);
    assert_int_equal(oracle_count(rdd), 10);
    oracle_close(sc);
}

/* Spark's cars.csv: a record has five fields; the last one has two too few. */
static const char cars[] = "2012,Tesla,S,No comment,\n"
                           "1997,Ford,E350,Go get one now they are going fast,\n"
                           "2015,Chevy,Volt\n";
SPARK_MAP(to_year, spark_str, int64_t)
{
    spark_str rest = *in, field;
    int fields = 0;
    for (; rest.ptr && spark_str_split(&rest, ',', &field); fields++)
        if (fields == 0 && !spark_str_to_i64(field, out))
            spark_bad_record(task, "no year");
    if (fields != 5)
        spark_bad_record(task, "%d fields", fields);
}

static void csv_suite__malformed_records_by_mode(void **state)
{
    int64_t n;
    (void)state;
    scratch_write("cars.csv", cars, sizeof cars - 1);
    spark_context *sc = oracle_open(2);
    spark_rdd *lines = spark_text_file(sc, "cars.csv", 2);
    /* FAILFAST: "Malformed records are detected in record parsing". */
    oracle_fails(spark_count(spark_map(lines, to_year, NULL), &n), SPARK_ETASK,
        "bad record: 3 fields (cars.csv:3, record ");
    /* DROPMALFORMED: two cars are left. */
    spark_rdd *dropped = spark_on_bad_records(
        spark_map(lines, to_year, NULL), &(spark_bad_policy) { .mode = SPARK_BAD_SKIP });
    oracle_collects(dropped, "2012 1997");
    /* PERMISSIVE: the corrupt record is kept, in a place of its own. */
    spark_rdd *apart = spark_on_bad_records(
        spark_map(lines, to_year, NULL), &(spark_bad_policy) { .mode = SPARK_BAD_ASIDE });
    oracle_collects(apart, "2012 1997");
    oracle_collects(spark_bad_records(apart), "(cars.csv,3,2015,Chevy,Volt,3 fields)");
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(async_rdd_actions_suite__take_async_gives_the_first),
        file_test(file_suite__binary_files_are_in_as_many_partitions_as_asked_for),
        file_test(file_suite__partitions_without_lines_are_read_back),
        file_test(file_suite__a_file_that_goes_is_missed),
        file_test(csv_suite__malformed_records_by_mode),
        oracle_test(accumulator_suite__nothing_counts_before_an_action),
        oracle_test(accumulator_suite__what_is_cached_counts_once),
        oracle_test(accumulator_suite__a_take_counts_its_partitions_alone),
        oracle_test(dag_scheduler_suite__a_shared_parent_is_one_stage),
        oracle_test(dag_scheduler_suite__an_accumulator_that_misbehaves_harms_no_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
