/* SPDX-License-Identifier: Apache-2.0 */
/* Spark's FileSuite. */
#include "file_test.h"

SPARK_PAIR(i64_str, int64_t, spark_str);

SPARK_MAP(repeat_a, int64_t, i64_str)
{
    char *at = spark_alloc(task, (size_t)*in);
    if (at)
        *out = (i64_str) { *in, { memset(at, 'a', (size_t)*in), (size_t)*in } };
}
SPARK_MAP(number_in, spark_bytes, int64_t)
{
    const unsigned char *at = in->ptr;
    *out = 0;
    for (size_t i = 0; i < in->len; i++)
        *out = *out * 10 + at[i];
}

static void file_suite__text_files(void **state)
{
    char text[20];
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_ok(spark_save_as_text_file(spark_range(sc, 1, 5, 1, 1), "out"));
    const size_t n = scratch_read("out/part-00000", text, sizeof text);
    assert_int_equal(n, 8);
    assert_memory_equal(text, "1\n2\n3\n4\n", 8);
    assert_int_not_equal(access("out/part-00001", F_OK), 0);
    spark_rdd *back = spark_text_file(sc, "out", 0);
    assert_ptr_equal(spark_rdd_type(back), SPARK_TYPE(spark_str));
    oracle_collects(back, "1 2 3 4");
    oracle_close(sc);
}

static void file_suite__object_files(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *ints = spark_range(sc, 1, 11, 1, 3);
    oracle_ok(spark_save_as_object_file(ints, "ints"));
    oracle_collects(spark_object_file(sc, "ints", SPARK_TYPE(int64_t)), "1 2 3 4 5 6 7 8 9 10");
    oracle_ok(spark_save_as_object_file(
        spark_map(spark_range(sc, 1, 4, 1, 2), repeat_a, NULL), "tuples"));
    oracle_collects(spark_object_file(sc, "tuples", SPARK_TYPE(i64_str)), "(1,a) (2,aa) (3,aaa)");
    oracle_close(sc);
}

static void file_suite__binary_records(void **state)
{
    char bytes[60];
    int64_t n;
    (void)state;
    for (int i = 0; i < 60; i++)
        bytes[i] = (char)(i % 10);
    scratch_write("records", bytes, sizeof bytes);
    spark_context *sc = oracle_open(2);
    spark_rdd *records = spark_binary_records(sc, "records", 6);
    assert_int_equal(oracle_count(records), 10);
    oracle_collects(spark_map(records, number_in, NULL),
        "12345 678901 234567 890123 456789 12345 678901 234567 890123 456789");
    oracle_fails(spark_count(spark_binary_records(sc, "records", -1), &n), SPARK_EINVAL, "-1");
    oracle_close(sc);
}

static void file_suite__cached_lines(void **state)
{
    (void)state;
    scratch_write("lines", "Hello\nthere\nworld\n", 18);
    spark_context *sc = oracle_open(2);
    spark_rdd *lines = spark_cache(spark_text_file(sc, "lines", 0));
    for (int i = 0; i < 3; i++)
        assert_int_equal(oracle_count(lines), 3);
    assert_int_equal(oracle_last_job(sc).cached_reads, spark_rdd_partitions(lines));
    oracle_close(sc);
}

static void file_suite__refuses_directories_that_exist(void **state)
{
    char byte[4];
    (void)state;
    assert_int_equal(mkdir("empty", 0777), 0);
    assert_int_equal(mkdir("full", 0777), 0);
    scratch_write("full/mine", "x", 1);
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_range(sc, 1, 5, 1, 1);
    static const char *const paths[] = { "empty", "full" };
    for (int i = 0; i < 2; i++) {
        oracle_fails(spark_save_as_text_file(rdd, paths[i]), SPARK_EIO, "already exists");
        oracle_fails(spark_save_as_object_file(rdd, paths[i]), SPARK_EIO, "already exists");
        assert_int_equal(oracle_entries(paths[i]), 2 + i);
    }
    assert_int_equal(scratch_read("full/mine", byte, sizeof byte), 1);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        file_test(file_suite__text_files),
        file_test(file_suite__object_files),
        file_test(file_suite__binary_records),
        file_test(file_suite__cached_lines),
        file_test(file_suite__refuses_directories_that_exist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
