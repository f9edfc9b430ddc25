/* SPDX-License-Identifier: Apache-2.0 */
/* Elements with their numbers: zip_with_index, zip_with_unique_id. */
#include "layouts.h"

SPARK_PAIR(word_number, word, int64_t);
SPARK_PAIR(two, int64_t, int64_t);
SPARK_PAIR(byte_index, uint8_t, int64_t);
SPARK_PAIR(wide_index, wide, int64_t);

enum { ROWS = 150 };

static spark_rdd *build_index(spark_context *sc, int partitions, const void *arg)
{
    return spark_zip_with_index(input(words(sc, 0, *(const size_t *)arg, partitions)));
}
static void naive_index(layout *want, int partitions, const void *arg)
{
    const size_t n = *(const size_t *)arg;
    char text[64];
    for (int p = 0; p < partitions; p++) {
        layout_part(want);
        for (size_t i = slice(n, partitions, p); i < slice(n, partitions, p + 1); i++)
            LAYOUT_ROW(
                want, word_number, (const word_number) { word_of((int64_t)i, text), (int64_t)i });
    }
}

static spark_rdd *build_unique(spark_context *sc, int partitions, const void *arg)
{
    return spark_zip_with_unique_id(input(words(sc, 0, *(const size_t *)arg, partitions)));
}
static void naive_unique(layout *want, int partitions, const void *arg)
{
    const size_t n = *(const size_t *)arg;
    char text[64];
    for (int p = 0; p < partitions; p++) {
        const size_t from = slice(n, partitions, p);
        layout_part(want);
        for (size_t i = from; i < slice(n, partitions, p + 1); i++)
            LAYOUT_ROW(want, word_number,
                (const word_number) {
                    word_of((int64_t)i, text), p + (int64_t)(i - from) * partitions });
    }
}

/* Most partitions are empty, or shorter than they were. */
static spark_rdd *build_uneven(spark_context *sc, int partitions, const void *arg)
{
    const int64_t limit = 40;
    spark_rdd *rdd = spark_filter(
        spark_filter(spark_range(sc, 0, 100, 1, partitions), is_below, SPARK_COPY(limit)), is_even,
        NULL);
    rdd = spark_union(input(rdd), input(spark_range(sc, 0, 2, 1, partitions)));
    return arg ? spark_zip_with_index(rdd) : spark_zip_with_unique_id(rdd);
}
static void naive_uneven(layout *want, int partitions, const void *arg)
{
    int64_t index = 0;
    for (int p = 0; p < 2 * partitions; p++) {
        const size_t n = p < partitions ? 100 : 2;
        const int q = p % partitions;
        int64_t k = 0;
        layout_part(want);
        for (size_t i = slice(n, partitions, q); i < slice(n, partitions, q + 1); i++)
            if (p >= partitions || (i < 40 && i % 2 == 0)) {
                LAYOUT_ROW(
                    want, two, (const two) { (int64_t)i, arg ? index : p + k * 2 * partitions });
                index++;
                k++;
            }
    }
}

static void test_zip_with_index__counts_through_the_partitions(void **state)
{
    static const size_t lengths[] = { 0, 1, 5, ROWS };
    (void)state;
    for (size_t i = 0; i < LENGTH(lengths); i++)
        layout_compare(build_index, naive_index, &lengths[i]);
    layout_compare(build_uneven, naive_uneven, "index");
}

static void test_zip_with_unique_id__counts_in_steps_of_the_partitions(void **state)
{
    static const size_t lengths[] = { 0, 1, 5, ROWS };
    (void)state;
    for (size_t i = 0; i < LENGTH(lengths); i++)
        layout_compare(build_unique, naive_unique, &lengths[i]);
    layout_compare(build_uneven, naive_uneven, NULL);
}

static void test_zip_with_index__gives_the_cases_of_the_rdd_suite(void **state)
{
    (void)state;
    for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
        spark_context *sc = oracle_open_conf(&oracle_confs[c]);
        spark_rdd *indexed = spark_zip_with_index(spark_range(sc, 0, 10, 1, 2));
        assert_int_equal(oracle_count(spark_repartition(indexed, 4)), 10);
        oracle_holds(spark_repartition(indexed, 4),
            "(0,0) (1,1) (2,2) (3,3) (4,4) (5,5) (6,6) (7,7) (8,8) (9,9)");
        spark_rdd *ids = spark_zip_with_unique_id(spark_range(sc, 0, 10, 1, 3));
        assert_int_equal(oracle_count(spark_distinct(ids, 0)), 10);
        assert_int_equal(oracle_count(spark_distinct(spark_values(ids), 0)), 10);
        oracle_has_layout(ids, "(0,0) (1,3) (2,6) | (3,1) (4,4) (5,7) | (6,2) (7,5) (8,8) (9,11)");
        oracle_has_layout(spark_zip_with_index(spark_zip_with_index(spark_range(sc, 5, 8, 1, 2))),
            "((5,0),0) | ((6,1),1) ((7,2),2)");
        spark_rdd *none = spark_empty_rdd(sc, SPARK_TYPE(int64_t));
        assert_int_equal(spark_rdd_partitions(spark_zip_with_index(none)), 0);
        oracle_collects(spark_zip_with_index(none), "");
        assert_int_equal(spark_rdd_partitions(spark_zip_with_unique_id(none)), 0);
        oracle_collects(spark_zip_with_unique_id(none), "");
        oracle_close(sc);
    }
}

static void test_zip_with_index__makes_pairs_as_the_compiler_lays_them_out(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *n = spark_range(sc, 0, 3000, 1, 3);
    spark_array bytes, wides;
    oracle_ok(spark_collect(
        spark_zip_with_index(spark_map(n, to_byte, NULL)), SPARK_TYPE(byte_index), &bytes));
    oracle_ok(spark_collect(
        spark_zip_with_unique_id(spark_map(n, to_wide, NULL)), SPARK_TYPE(wide_index), &wides));
    for (int64_t i = 0; i < 3000; i++) {
        const byte_index *b = &SPARK_ITEMS(byte_index, &bytes)[i];
        const wide_index *w = &SPARK_ITEMS(wide_index, &wides)[i];
        assert_true(b->key == (uint8_t)i && b->value == i);
        assert_true(w->key.id == i && w->key.code[0] == 'a' + i % 26);
        assert_true(w->value == i / 1000 + i % 1000 * 3);
    }
    spark_array_free(&bytes);
    spark_array_free(&wides);
    oracle_close(sc);
}

static void test_zip_with_index__counts_all_partitions_but_the_last_once(void **state)
{
    (void)state;
    for (int partitions = 1; partitions < 6; partitions++) {
        spark_context *sc = oracle_open(2);
        counter calls = spark_counter(sc, "calls");
        spark_rdd *rdd
            = spark_map(spark_range(sc, 0, 60, 1, partitions), counted, SPARK_COPY(calls));
        /* Neither call runs a job; an id needs none either. */
        spark_rdd *ids = spark_zip_with_unique_id(rdd), *index = spark_zip_with_index(rdd);
        spark_rdd *grouped = spark_group_by_key(index, 0);
        assert_int_equal(spark_accumulator_value(calls), 0);
        assert_int_equal(oracle_count(ids), 60);
        assert_int_equal(last_job(sc), 0);
        assert_int_equal(spark_accumulator_value(calls), 60);
        /* The first action counts, but for one partition; its own job follows. */
        const int counting = partitions > 1;
        assert_int_equal(oracle_count(index), 60);
        assert_int_equal(last_job(sc), 1 + counting);
        const int64_t before_last = 60 - 60 / partitions;
        assert_int_equal(spark_accumulator_value(calls), 120 + before_last);
        if (counting) {
            spark_job_stats stats;
            oracle_ok(spark_job_stats_get(sc, 1, &stats));
            assert_int_equal(stats.tasks, partitions - 1);
        }
        /* No other one does. */
        assert_int_equal(oracle_count(index), 60);
        assert_int_equal(oracle_count(grouped), 60);
        assert_int_equal(spark_rdd_partitions(index), partitions);
        assert_int_equal(last_job(sc), 3 + counting);
        oracle_close(sc);
    }
}

static void test_zip_with_index__finds_counted_partitions_in_the_cache(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    counter calls = spark_counter(sc, "calls");
    spark_rdd *rdd
        = spark_cache(spark_map(spark_range(sc, 0, 40, 1, 4), counted, SPARK_COPY(calls)));
    spark_rdd *index = spark_zip_with_index(rdd);
    assert_int_equal(spark_rdd_partitions(index), 4);
    assert_int_equal(spark_rdd_cached_partitions(rdd), 3);
    assert_int_equal(oracle_count(index), 40);
    assert_int_equal(spark_accumulator_value(calls), 40);
    assert_int_equal(oracle_last_job(sc).cached_reads, 3);
    oracle_close(sc);
}

static spark_rdd *build_large(spark_context *sc, int partitions, const void *arg)
{
    spark_rdd *n = spark_range(sc, 0, 650000, 1, partitions);
    return arg ? spark_zip_with_index(n) : spark_zip_with_unique_id(n);
}

static void test_zip_with_index__goes_on_without_room_in_the_cache(void **state)
{
    (void)state;
    goes_on_without_room(build_large, "index");
    goes_on_without_room(build_large, NULL);
}

static bool poisoned;
SPARK_MAP(perhaps, int64_t, int64_t)
{
    if (__atomic_load_n(&poisoned, __ATOMIC_RELAXED) && *in == 3)
        spark_fail(task, "poisoned");
    *out = *in;
}

static void test_zip_with_index__whose_count_failed_counts_again(void **state)
{
    int64_t n;
    (void)state;
    spark_context *sc = oracle_open(2);
    poisoned = true;
    spark_rdd *rdd = spark_map(spark_range(sc, 0, 10, 1, 2), perhaps, NULL);
    const int line = __LINE__ - 1;
    spark_rdd *index = spark_zip_with_index(rdd);
    char site[300];
    snprintf(site, sizeof site, "map(perhaps) at %s:%d: poisoned", TEST_FILE, line);
    oracle_fails(spark_count(index, &n), SPARK_ETASK, site);
    assert_int_equal(spark_last_error()->record, 3);
    oracle_fails(spark_count(spark_keys(index), &n), SPARK_ETASK, site);
    assert_int_equal(spark_rdd_partitions(index), -1);
    poisoned = false;
    oracle_collects(index, "(0,0) (1,1) (2,2) (3,3) (4,4) (5,5) (6,6) (7,7) (8,8) (9,9)");
    oracle_close(sc);
}

static void *count_index(void *arg)
{
    int64_t n = -1;
    spark_status status = spark_count(arg, &n);
    return status == SPARK_OK && n == 1000 ? arg : NULL;
}

static void test_zip_with_index__counts_once_for_several_threads(void **state)
{
    enum { THREADS = 4 };
    (void)state;
    for (int round = 0; round < 20; round++) {
        spark_context *sc = oracle_open(2);
        spark_rdd *index = spark_zip_with_index(spark_range(sc, 0, 1000, 1, 8));
        pthread_t threads[THREADS];
        for (int i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, count_index, index), 0);
        for (int i = 0; i < THREADS; i++) {
            void *good = NULL;
            assert_int_equal(pthread_join(threads[i], &good), 0);
            assert_ptr_equal(good, index);
        }
        oracle_count(index);
        assert_int_equal(last_job(sc), THREADS + 1);
        oracle_close(sc);
    }
}

static void test_zip_with_index__drops_the_partitioner(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *pairs = spark_zip_with_index(words(sc, 0, 20, 3));
    spark_rdd *placed = spark_partition_by(pairs, spark_hash_partitioner(sc, 3));
    assert_non_null(spark_rdd_partitioner(placed));
    partitioned_as(spark_zip_with_index(placed), NULL);
    partitioned_as(spark_zip_with_unique_id(placed), NULL);
    /* As many partitions as before, for operations that ask before any job runs. */
    assert_int_equal(spark_rdd_partitions(spark_group_by_key(pairs, 0)), 3);
    spark_rdd *ids = spark_zip_with_unique_id(words(sc, 0, 20, 4));
    assert_int_equal(spark_rdd_partitions(spark_group_by_key(ids, 0)), 4);
    oracle_close(sc);
}

static void test_zip_with_index__refuses_what_is_wrong(void **state)
{
    spark_array array;
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *n = spark_range(sc, 0, 4, 1, 2);
    passes_on(spark_zip_with_index(broken(sc)));
    passes_on(spark_zip_with_unique_id(broken(sc)));
    oracle_fails(spark_collect(spark_zip_with_index(NULL), NULL, &array), SPARK_EINVAL, "NULL");
    oracle_fails(spark_collect(spark_zip_with_unique_id(NULL), NULL, &array), SPARK_EINVAL, "NULL");
    oracle_fails(spark_collect(spark_zip_with_index(n), SPARK_TYPE(word_number), &array),
        SPARK_ETYPE, "key: ");
    oracle_fails(spark_collect(spark_zip_with_unique_id(n), SPARK_TYPE(byte_index), &array),
        SPARK_ETYPE, "key: ");
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_zip_with_index__counts_through_the_partitions),
        oracle_test(test_zip_with_unique_id__counts_in_steps_of_the_partitions),
        oracle_test(test_zip_with_index__gives_the_cases_of_the_rdd_suite),
        oracle_test(test_zip_with_index__makes_pairs_as_the_compiler_lays_them_out),
        oracle_test(test_zip_with_index__counts_all_partitions_but_the_last_once),
        oracle_test(test_zip_with_index__finds_counted_partitions_in_the_cache),
        oracle_test(test_zip_with_index__goes_on_without_room_in_the_cache),
        oracle_test(test_zip_with_index__whose_count_failed_counts_again),
        oracle_test(test_zip_with_index__counts_once_for_several_threads),
        oracle_test(test_zip_with_index__drops_the_partitioner),
        oracle_test(test_zip_with_index__refuses_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
