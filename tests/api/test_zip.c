/* SPDX-License-Identifier: Apache-2.0 */
/* zip: pairs of elements that stand at the same place. */
#include "layouts.h"

SPARK_PAIR(word_number, word, int64_t);
SPARK_PAIR(word_word, word, word);
SPARK_PAIR(byte_wide, uint8_t, wide);
SPARK_PAIR(two, int64_t, int64_t);
SPARK_PAIR(two_byte, two, uint8_t);

enum { ROWS = 150 };

static spark_rdd *zip_words_numbers(spark_context *sc, int partitions, const void *arg)
{
    const size_t n = *(const size_t *)arg;
    return spark_zip(input(words(sc, 0, n, partitions)),
        input(spark_range(sc, 1000, 1000 + (int64_t)n, 1, partitions)));
}
static void naive_words_numbers(layout *want, int partitions, const void *arg)
{
    const size_t n = *(const size_t *)arg;
    char text[64];
    for (int p = 0; p < partitions; p++) {
        layout_part(want);
        for (size_t i = slice(n, partitions, p); i < slice(n, partitions, p + 1); i++)
            LAYOUT_ROW(want, word_number,
                (const word_number) { word_of((int64_t)i, text), 1000 + (int64_t)i });
    }
}

static spark_rdd *zip_words_words(spark_context *sc, int partitions, const void *arg)
{
    const size_t n = *(const size_t *)arg;
    return spark_zip(input(words(sc, 0, n, partitions)), input(words(sc, 500, n, partitions)));
}
static void naive_words_words(layout *want, int partitions, const void *arg)
{
    const size_t n = *(const size_t *)arg;
    char left[64], right[64];
    for (int p = 0; p < partitions; p++) {
        layout_part(want);
        for (size_t i = slice(n, partitions, p); i < slice(n, partitions, p + 1); i++)
            LAYOUT_ROW(want, word_word,
                (const word_word) { word_of((int64_t)i, left), word_of(500 + (int64_t)i, right) });
    }
}

static void test_zip__pairs_elements_by_their_place(void **state)
{
    static const size_t sizes[] = { 0, 1, 5, ROWS };
    (void)state;
    for (size_t i = 0; i < LENGTH(sizes); i++)
        layout_compare(zip_words_numbers, naive_words_numbers, &sizes[i]);
    layout_compare(zip_words_words, naive_words_words, &sizes[LENGTH(sizes) - 1]);
}

static void test_zip__makes_pairs_as_the_compiler_lays_them_out(void **state)
{
    (void)state;
    for (int batch = 1; batch < 2000; batch = batch * 6 + 1) {
        spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 2, .batch_rows = batch });
        spark_rdd *n = spark_range(sc, 0, 3000, 1, 2);
        spark_rdd *bytes = spark_map(n, to_byte, NULL), *wides = spark_map(n, to_wide, NULL);
        spark_array array;
        oracle_ok(spark_collect(spark_zip(bytes, wides), SPARK_TYPE(byte_wide), &array));
        assert_int_equal(array.n, 3000);
        for (int64_t i = 0; i < 3000; i++) {
            const byte_wide *row = &SPARK_ITEMS(byte_wide, &array)[i];
            char text[16];
            snprintf(text, sizeof text, "%d", (int)i);
            assert_int_equal(row->key, (uint8_t)i);
            assert_int_equal(row->value.id, i);
            assert_int_equal(row->value.code[0], 'a' + i % 26);
            assert_true(spark_str_equal(row->value.text, (spark_str) { text, strlen(text) }));
        }
        spark_array_free(&array);
        oracle_ok(spark_collect(spark_zip(spark_zip(n, n), bytes), SPARK_TYPE(two_byte), &array));
        for (int64_t i = 0; i < 3000; i++) {
            const two_byte *row = &SPARK_ITEMS(two_byte, &array)[i];
            assert_true(row->key.key == i && row->key.value == i && row->value == (uint8_t)i);
        }
        spark_array_free(&array);
        /* What lies between the members does not matter to an element's identity. */
        assert_int_equal(oracle_count(spark_distinct(spark_zip(bytes, n), 0)), 3000);
        assert_int_equal(oracle_count(spark_distinct(spark_zip(bytes, bytes), 0)), 256);
        oracle_close(sc);
    }
}

static void test_zip__takes_what_other_operations_make(void **state)
{
    static const int64_t ten[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
    (void)state;
    for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
        spark_context *sc = oracle_open_conf(&oracle_confs[c]);
        spark_rdd *n = spark_range(sc, 0, 10, 1, 3), *p = numbers(sc, 10, ten, 3);
        oracle_has_layout(
            spark_zip(n, p), "(0,0) (1,1) (2,2) | (3,3) (4,4) (5,5) | (6,6) (7,7) (8,8) (9,9)");
        spark_rdd *even = spark_filter(n, is_even, NULL);
        oracle_has_layout(spark_zip(even, even), "(0,0) (2,2) | (4,4) | (6,6) (8,8)");
        spark_rdd *twice = spark_union(even, n);
        oracle_has_layout(spark_zip(twice, twice),
            "(0,0) (2,2) | (4,4) | (6,6) (8,8) | (0,0) (1,1) (2,2) | (3,3) (4,4) (5,5) | (6,6) "
            "(7,7) (8,8) (9,9)");
        spark_rdd *small = spark_coalesce(spark_range(sc, 0, 10, 1, 10), 3);
        oracle_has_layout(
            spark_zip(small, n), "(0,0) (1,1) (2,2) | (3,3) (4,4) (5,5) | (6,6) (7,7) (8,8) (9,9)");
        oracle_has_layout(spark_zip(n, spark_values(spark_zip(small, n))),
            "(0,0) (1,1) (2,2) | (3,3) (4,4) (5,5) | (6,6) (7,7) (8,8) (9,9)");
        /* After a shuffle, and between two. */
        spark_rdd *sums = spark_reduce_by_key(spark_key_by(n, same, NULL), spark_op_sum, NULL, 4);
        spark_rdd *both = spark_zip(spark_keys(sums), spark_values(sums));
        assert_int_equal(spark_rdd_partitions(both), 4);
        oracle_holds(both, "(0,0) (1,1) (2,2) (3,3) (4,4) (5,5) (6,6) (7,7) (8,8) (9,9)");
        oracle_holds(spark_reduce_by_key(both, spark_op_sum, NULL, 2),
            "(0,0) (1,1) (2,2) (3,3) (4,4) (5,5) (6,6) (7,7) (8,8) (9,9)");
        oracle_close(sc);
    }
}

static void test_zip__of_inputs_without_elements_or_partitions(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *none = spark_empty_rdd(sc, SPARK_TYPE(int64_t));
    assert_int_equal(spark_rdd_partitions(spark_zip(none, none)), 0);
    oracle_collects(spark_zip(none, none), "");
    spark_rdd *empty = spark_range(sc, 0, 0, 1, 3);
    assert_int_equal(spark_rdd_partitions(spark_zip(empty, empty)), 3);
    oracle_collects(spark_zip(empty, empty), "");
    spark_rdd *few = spark_range(sc, 0, 2, 1, 5);
    oracle_has_layout(spark_zip(few, few), " | | (0,0) | | (1,1)");
    oracle_close(sc);
}

static void test_zip__of_unequal_numbers_of_partitions_fails(void **state)
{
    spark_array array;
    (void)state;
    spark_context *sc = oracle_open(2);
    static const int64_t one_to_four[] = { 1, 2, 3, 4 };
    spark_rdd *rdd = spark_zip(numbers(sc, 4, one_to_four, 1), numbers(sc, 4, one_to_four, 2));
    const int line = __LINE__ - 1;
    char site[300];
    snprintf(site, sizeof site, "zip at %s:%d: Can't zip RDDs with unequal numbers of partitions",
        TEST_FILE, line);
    /* The call is no error yet. */
    assert_int_equal(spark_rdd_status(rdd), SPARK_OK);
    oracle_fails(spark_collect(rdd, NULL, &array), SPARK_EINVAL, site);
    assert_string_equal(spark_last_error()->operation, "zip");
    assert_int_equal(spark_rdd_partitions(rdd), -1);
    /* Also where it stands in the middle of a lineage, and against no partition at all. */
    oracle_fails(spark_collect(spark_keys(rdd), NULL, &array), SPARK_EINVAL, site);
    oracle_fails(spark_collect(spark_zip(spark_range(sc, 0, 0, 1, 1),
                                   spark_empty_rdd(sc, SPARK_TYPE(int64_t))),
                     NULL, &array),
        SPARK_EINVAL, "Can't zip RDDs with unequal numbers of partitions: 1 and 0");
    /* No job has run. */
    spark_job_stats stats;
    assert_int_equal(spark_job_stats_get(sc, SPARK_ANY, &stats), SPARK_EINVAL);
    oracle_close(sc);
}

static void zip_fails(spark_context *sc, spark_rdd *a, spark_rdd *b)
{
    spark_array array;
    int64_t n;
    oracle_fails(spark_collect(spark_zip(a, b), NULL, &array), SPARK_ETASK,
        "Can only zip RDDs with same number of elements in each partition");
    assert_int_equal(oracle_last_job(sc).failed_tasks >= 4, true);
    oracle_fails(spark_count(spark_cache(spark_zip(b, a)), &n), SPARK_ETASK,
        "Can only zip RDDs with same number of elements in each partition");
    oracle_fails(spark_count(spark_distinct(spark_zip(b, a), 0), &n), SPARK_ETASK,
        "Can only zip RDDs with same number of elements in each partition");
}

static void test_zip__of_unequal_numbers_of_elements_fails(void **state)
{
    static const int64_t five[] = { 1, 2, 3, 4, 5 };
    (void)state;
    static const int batches[] = { 1, 2, 7, 0 };
    for (size_t b = 0; b < LENGTH(batches); b++) {
        spark_context *sc
            = oracle_open_conf(&(spark_conf) { .threads = 2, .batch_rows = batches[b] });
        zip_fails(sc, numbers(sc, 4, five, 2), numbers(sc, 5, five, 2));
        zip_fails(sc, numbers(sc, 0, five, 1), numbers(sc, 1, five, 1));
        /* As many in all, but not in each partition: 1 2 | 3 and 1 | 2 3. */
        int64_t three = 4;
        spark_rdd *front = spark_filter(numbers(sc, 4, five, 2), is_below, SPARK_COPY(three));
        zip_fails(sc, front, numbers(sc, 3, five, 2));
        /* Around the ends of batches. */
        for (int64_t n = 1; n < 16; n++)
            zip_fails(sc, spark_range(sc, 0, n, 1, 1), spark_range(sc, 0, n + 1, 1, 1));
        /* The context goes on. */
        assert_int_equal(oracle_count(spark_zip(front, front)), 3);
        oracle_close(sc);
    }
}

static void test_zip__blames_itself_for_a_short_left_side(void **state)
{
    int64_t n;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_zip(spark_range(sc, 0, 9, 1, 2), spark_range(sc, 0, 10, 1, 2));
    const int line = __LINE__ - 1;
    char site[300];
    snprintf(site, sizeof site, "zip at %s:%d: Can only zip RDDs", TEST_FILE, line);
    oracle_fails(spark_count(rdd, &n), SPARK_ETASK, site);
    const spark_error *error = spark_last_error();
    assert_string_equal(error->operation, "zip");
    assert_int_equal(error->partition, 0);
    assert_int_equal(error->attempt, 3);
    oracle_close(sc);
}

static void test_zip__stops_when_enough_is_taken(void **state)
{
    static const size_t sizes[] = { 0, 1, 2, 9, 10, 11, 50, 99, 100 };
    (void)state;
    for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
        spark_context *sc = oracle_open_conf(&oracle_confs[c]);
        spark_rdd *rdd = spark_zip(words(sc, 0, 100, 3), spark_range(sc, 0, 100, 1, 3));
        spark_rdd *index = spark_zip_with_index(rdd), *ids = spark_zip_with_unique_id(rdd);
        for (size_t i = 0; i < LENGTH(sizes); i++) {
            takes_prefix(rdd, sizes[i]);
            takes_prefix(spark_zip(rdd, index), sizes[i]);
            takes_prefix(index, sizes[i]);
            takes_prefix(ids, sizes[i]);
        }
        oracle_close(sc);
    }
}

static void test_zip__reads_each_side_once(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads *= 8) {
        spark_context *sc = oracle_open_failing_once(threads);
        counter left = spark_counter(sc, "left"), right = spark_counter(sc, "right");
        spark_rdd *a = spark_map(spark_range(sc, 0, 100, 1, 4), counted, SPARK_COPY(left));
        spark_rdd *b = spark_map(spark_range(sc, 0, 100, 1, 4), counted, SPARK_COPY(right));
        spark_rdd *cached = spark_cache(b), *rdd = spark_zip(a, cached);
        for (int i = 1; i <= 3; i++) {
            assert_int_equal(oracle_count(rdd), 100);
            assert_int_equal(spark_accumulator_value(left), 100 * i);
            assert_int_equal(spark_accumulator_value(right), 100);
            assert_int_equal(spark_rdd_cached_partitions(cached), 4);
        }
        assert_true(spark_drop_block(cached, 2));
        assert_int_equal(oracle_count(rdd), 100);
        assert_int_equal(oracle_last_job(sc).recomputed_partitions, 1);
        oracle_close(sc);
    }
}

static void test_zip__of_many_elements_holds_one_side_only(void **state)
{
    uint64_t peak;
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *bytes = spark_map(spark_range(sc, 0, 2000000, 1, 1), to_byte, NULL);
    assert_int_equal(oracle_count(spark_zip(spark_range(sc, 0, 2000000, 1, 1), bytes)), 2000000);
    spark_memory_bytes(sc, &peak);
    assert_true(peak < 8u << 20);
    oracle_close(sc);
}

static void test_zip__drops_the_partitioner(void **state)
{
    spark_job_stats stats;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *placed = spark_partition_by(
        spark_key_by(spark_range(sc, 0, 20, 1, 3), same, NULL), spark_hash_partitioner(sc, 3));
    assert_non_null(spark_rdd_partitioner(placed));
    partitioned_as(spark_zip(placed, placed), NULL);
    /* As many partitions as the left side, for operations that ask before any job runs. */
    spark_rdd *grouped = spark_group_by_key(
        spark_zip(spark_range(sc, 0, 9, 1, 5), spark_range(sc, 0, 9, 1, 5)), 0);
    assert_int_equal(spark_rdd_partitions(grouped), 5);
    assert_int_equal(spark_job_stats_get(sc, SPARK_ANY, &stats), SPARK_EINVAL);
    oracle_close(sc);
}

static void test_zip__refuses_what_is_wrong(void **state)
{
    (void)state;
    refuses_sides(spark_zip, "zip", SPARK_TYPE(word_number));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_zip__pairs_elements_by_their_place),
        oracle_test(test_zip__makes_pairs_as_the_compiler_lays_them_out),
        oracle_test(test_zip__takes_what_other_operations_make),
        oracle_test(test_zip__of_inputs_without_elements_or_partitions),
        oracle_test(test_zip__of_unequal_numbers_of_partitions_fails),
        oracle_test(test_zip__of_unequal_numbers_of_elements_fails),
        oracle_test(test_zip__blames_itself_for_a_short_left_side),
        oracle_test(test_zip__stops_when_enough_is_taken),
        oracle_test(test_zip__reads_each_side_once),
        oracle_test(test_zip__of_many_elements_holds_one_side_only),
        oracle_test(test_zip__drops_the_partitioner),
        oracle_test(test_zip__refuses_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
