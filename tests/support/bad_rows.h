/* SPDX-License-Identifier: Apache-2.0 */
/* Malformed rows of a format under a policy for bad records: they are no rows, they are counted,
 * once, and put aside with their text, file and line, whatever splits, batches, attempts and modes
 * there are.
 *
 * The test says, before it includes this, BAD_FILE: the file's name, BAD_HEADER: its first lines,
 * as text, BAD_HEADERS: how many these are, BAD_FIRST: what the reason of the first bad row begins
 * with; and defines the functions that are declared here. */
#ifndef BAD_ROWS_H
#define BAD_ROWS_H

#include "file_test.h"

SPARK_STRUCT(sale, (spark_str, city), (int64_t, n), (spark_opt_f64, price));

enum { ROWS = 900 };

static bool is_bad(int i)
{
    return i % 13 == 5 || i % 50 == 1;
}

/* write_row: row i, malformed where is_bad says so: its n cannot be read where i % 13 is 5, else
 * its shape is wrong. */
static void write_row(FILE *to, int i);
static spark_rdd *read_sales(
    spark_context *sc, const char *path, int partitions, spark_read_mode mode);
/* wanted_of: what the reason and the text of a bad row begin with. */
static void wanted_of(int i, char reason[40], char record[40]);

/* make: a file with empty lines; returns how many rows are malformed. */
static int make(const char *path)
{
    FILE *to = fopen(path, "w");
    int n = 0;
    assert_non_null(to);
    fputs(BAD_HEADER, to);
    for (int i = 0; i < ROWS; i++) {
        n += is_bad(i);
        write_row(to, i);
        if (i % 40 == 0)
            fputs("\n", to);
    }
    assert_int_equal(fclose(to), 0);
    return n;
}

/* line_of: of row i, from 1. */
static int line_of(int i)
{
    return i + 1 + BAD_HEADERS + (i + 39) / 40;
}

static void check_aside(spark_rdd *sales, const char *path)
{
    spark_array bad;
    oracle_ok(spark_collect(spark_bad_records(sales), SPARK_TYPE(spark_bad_row), &bad));
    const spark_bad_row *row = SPARK_ITEMS(spark_bad_row, &bad);
    size_t at = 0;
    for (int i = 0; i < ROWS; i++) {
        char reason[40], record[40];
        if (!is_bad(i))
            continue;
        assert_true(at < bad.n);
        assert_int_equal(row[at].source.len, strlen(path));
        assert_memory_equal(row[at].source.ptr, path, strlen(path));
        assert_int_equal(row[at].position, line_of(i));
        wanted_of(i, reason, record);
        assert_true(row[at].reason.len > 0 && row[at].reason.len >= strlen(reason));
        assert_memory_equal(row[at].reason.ptr, reason, strlen(reason));
        assert_memory_equal(row[at].record.ptr, record, strlen(record));
        at++;
    }
    assert_int_equal(at, bad.n);
    spark_array_free(&bad);
}

static void test_bad_rows__rows_are_put_aside_with_their_lines(void **state)
{
    static const spark_read_mode modes[]
        = { SPARK_PERMISSIVE, SPARK_DROPMALFORMED, SPARK_FAILFAST };
    (void)state;
    const int bad = make(BAD_FILE);
    const bool packed = system("gzip -kf " BAD_FILE) == 0; /* NOLINT */
    for (size_t i = 0; i < LENGTH(oracle_confs); i++)
        for (int p = 1; p <= 9; p += 4) {
            spark_context *sc = oracle_open_conf(&oracle_confs[i]);
            const char *path = packed && p == 5 ? BAD_FILE ".gz" : BAD_FILE;
            spark_rdd *sales = spark_on_bad_records(read_sales(sc, path, p, modes[(size_t)p / 4]),
                &(spark_bad_policy) { .mode = SPARK_BAD_ASIDE, .max_ratio = 0.5 });
            int64_t records;
            assert_int_equal(oracle_count(sales), ROWS - bad);
            assert_int_equal(spark_bad_count(sales, &records), bad);
            assert_int_equal(records, ROWS);
            check_aside(sales, path);
            assert_int_equal(oracle_count(sales), ROWS - bad);
            assert_int_equal(spark_bad_count(sales, &records), bad);
            oracle_close(sc);
        }
}

static void test_bad_rows__dropped_rows_are_counted(void **state)
{
    (void)state;
    const int bad = make(BAD_FILE);
    spark_context *sc = oracle_open(2);
    int64_t records;
    spark_rdd *sales = read_sales(sc, BAD_FILE, 4, SPARK_DROPMALFORMED);
    assert_int_equal(oracle_count(sales), ROWS - bad);
    assert_int_equal(spark_bad_count(sales, &records), bad);
    assert_int_equal(records, ROWS);
    spark_rdd *late = spark_on_bad_records(sales, &(spark_bad_policy) { .mode = SPARK_BAD_SKIP });
    oracle_fails(spark_count(late, &records), SPARK_EINVAL, "has a policy already");
    oracle_close(sc);
}

static void test_bad_rows__faults_do_not_show(void **state)
{
    (void)state;
    const int bad = make(BAD_FILE);
    for (uint64_t seed = 1; seed <= 12; seed++) {
        const spark_fault faults[] = { { SPARK_FAULT_RANDOM, .rate = 0.3, .seed = seed } };
        spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 2, .memory_bytes = 64 << 20,
            .faults = faults, .n_faults = 1 });
        spark_rdd *sales = spark_on_bad_records(read_sales(sc, BAD_FILE, 7, SPARK_PERMISSIVE),
            &(spark_bad_policy) { .mode = SPARK_BAD_ASIDE });
        int64_t records;
        assert_int_equal(oracle_count(spark_distinct(sales, 3)), ROWS - bad);
        assert_int_equal(spark_bad_count(sales, &records), bad);
        assert_int_equal(records, ROWS);
        check_aside(sales, BAD_FILE);
        oracle_close(sc);
    }
}

static void test_bad_rows__too_many_end_the_job_at_once(void **state)
{
    (void)state;
    const int bad = make(BAD_FILE);
    int64_t n, records;
    spark_context *sc = oracle_open(1);
    spark_rdd *sales = spark_on_bad_records(read_sales(sc, BAD_FILE, 1, SPARK_PERMISSIVE),
        &(spark_bad_policy) { .mode = SPARK_BAD_ASIDE, .max_ratio = 0.05 });
    oracle_fails(spark_count(sales, &n), SPARK_ETASK, "of 900 records are bad (");
    const spark_error *error = spark_last_error();
    assert_non_null(strstr(error->message, "max_ratio is 0.05"));
    assert_non_null(strstr(error->message, "the first one of this partition: " BAD_FIRST));
    assert_string_equal(error->file, BAD_FILE);
    assert_int_equal(error->line, line_of(1));
    assert_int_equal(oracle_last_job(sc).failed_tasks, 1);
    assert_int_equal(spark_bad_count(sales, &records), bad);
    assert_int_equal(records, ROWS);
    check_aside(sales, BAD_FILE);
    oracle_fails(spark_count(sales, &n), SPARK_ETASK, "of 900 records are bad (");
    oracle_close(sc);
}

SPARK_MAP(no_852, sale, int64_t)
{
    if (in->n == 852)
        spark_fail(task, "not this one");
    *out = in->n;
}

static void test_bad_rows__a_failure_behind_finds_its_line(void **state)
{
    (void)state;
    make(BAD_FILE);
    int64_t n;
    spark_context *sc = oracle_open(2);
    spark_rdd *sales = spark_on_bad_records(read_sales(sc, BAD_FILE, 3, SPARK_PERMISSIVE),
        &(spark_bad_policy) { .mode = SPARK_BAD_SKIP });
    oracle_fails(spark_count(spark_map(sales, no_852, NULL), &n), SPARK_ETASK, "not this one");
    assert_int_equal(spark_last_error()->line, line_of(852));
    oracle_close(sc);
}

/* BAD_ROWS: the tests. */
#define BAD_ROWS \
    file_test(test_bad_rows__rows_are_put_aside_with_their_lines), \
    file_test(test_bad_rows__dropped_rows_are_counted), \
    file_test(test_bad_rows__faults_do_not_show), \
    file_test(test_bad_rows__too_many_end_the_job_at_once), \
    file_test(test_bad_rows__a_failure_behind_finds_its_line)

#endif
