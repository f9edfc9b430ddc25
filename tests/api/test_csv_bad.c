/* SPDX-License-Identifier: Apache-2.0 */
/* Malformed rows of CSV under a policy for bad records: they are no rows, they are counted, once, and put
 * aside with their text, file and line, whatever splits, batches, attempts and modes there are. */
#include "file_test.h"

SPARK_STRUCT(sale, (spark_str, city), (int64_t, n), (spark_opt_f64, price));

enum { ROWS = 900 };

static bool is_bad(int i)
{
    return i % 13 == 5 || i % 50 == 1;
}

/* make: a file with a header and empty lines; returns how many rows are malformed. */
static int make(const char *path)
{
    FILE *to = fopen(path, "w");
    int n = 0;
    assert_non_null(to);
    fputs("city,n,price\n", to);
    for (int i = 0; i < ROWS; i++) {
        n += is_bad(i);
        if (i % 13 == 5)
            fprintf(to, "\"C%d\",%dx,1.5\n", i, i);
        else if (i % 50 == 1)
            fprintf(to, i % 100 == 1 ? "C%d,%d\n" : "C%d,%d,1,2\n", i, i);
        else
            fprintf(to, i % 7 ? "C%d,%d,%d.5\n" : "\"C%d\",%d,\n", i, i, i);
        if (i % 40 == 0)
            fputs("\n", to);
    }
    assert_int_equal(fclose(to), 0);
    return n;
}

/* line_of: of row i, from 1. */
static int line_of(int i)
{
    return i + 2 + (i + 39) / 40;
}

static spark_rdd *read_sales(spark_context *sc, const char *path, int partitions, spark_read_mode mode)
{
    return spark_read_csv(sc, path, SPARK_TYPE(sale),
        &(spark_csv_options) { .header = true, .mode = mode, .min_partitions = partitions });
}

static void check_aside(spark_rdd *sales, const char *path)
{
    spark_array bad;
    oracle_ok(spark_collect(spark_bad_records(sales), SPARK_TYPE(spark_bad_row), &bad));
    const spark_bad_row *row = SPARK_ITEMS(spark_bad_row, &bad);
    size_t at = 0;
    for (int i = 0; i < ROWS; i++) {
        char want[40];
        if (!is_bad(i))
            continue;
        assert_true(at < bad.n);
        assert_int_equal(row[at].source.len, strlen(path));
        assert_memory_equal(row[at].source.ptr, path, strlen(path));
        assert_int_equal(row[at].position, line_of(i));
        snprintf(want, sizeof want, i % 13 == 5 ? "cannot read \"%dx\" as i64, column \"n\"" : "a row of", i);
        assert_true(row[at].reason.len >= strlen(want));
        assert_memory_equal(row[at].reason.ptr, want, strlen(want));
        snprintf(want, sizeof want, i % 13 == 5 ? "\"C%d\"," : "C%d,", i);
        assert_memory_equal(row[at].record.ptr, want, strlen(want));
        at++;
    }
    assert_int_equal(at, bad.n);
    spark_array_free(&bad);
}

static void test_csv_bad__rows_are_put_aside_with_their_lines(void **state)
{
    static const spark_read_mode modes[] = { SPARK_PERMISSIVE, SPARK_DROPMALFORMED, SPARK_FAILFAST };
    (void)state;
    const int bad = make("in.csv");
    const bool packed = system("gzip -kf in.csv") == 0; /* NOLINT */
    for (size_t i = 0; i < LENGTH(oracle_confs); i++)
        for (int p = 1; p <= 9; p += 4) {
            spark_context *sc = oracle_open_conf(&oracle_confs[i]);
            const char *path = packed && p == 5 ? "in.csv.gz" : "in.csv";
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

static void test_csv_bad__dropped_rows_are_counted(void **state)
{
    (void)state;
    const int bad = make("in.csv");
    spark_context *sc = oracle_open(2);
    int64_t records;
    spark_rdd *sales = read_sales(sc, "in.csv", 4, SPARK_DROPMALFORMED);
    assert_int_equal(oracle_count(sales), ROWS - bad);
    assert_int_equal(spark_bad_count(sales, &records), bad);
    assert_int_equal(records, ROWS);
    spark_rdd *late = spark_on_bad_records(sales, &(spark_bad_policy) { .mode = SPARK_BAD_SKIP });
    oracle_fails(spark_count(late, &records), SPARK_EINVAL, "has a policy already");
    oracle_close(sc);
}

static void test_csv_bad__faults_do_not_show(void **state)
{
    (void)state;
    const int bad = make("in.csv");
    for (uint64_t seed = 1; seed <= 12; seed++) {
        const spark_fault faults[] = { { SPARK_FAULT_RANDOM, .rate = 0.3, .seed = seed } };
        spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 2, .memory_bytes = 64 << 20,
            .faults = faults, .n_faults = 1 });
        spark_rdd *sales = spark_on_bad_records(read_sales(sc, "in.csv", 7, SPARK_PERMISSIVE),
            &(spark_bad_policy) { .mode = SPARK_BAD_ASIDE });
        int64_t records;
        assert_int_equal(oracle_count(spark_distinct(sales, 3)), ROWS - bad);
        assert_int_equal(spark_bad_count(sales, &records), bad);
        assert_int_equal(records, ROWS);
        check_aside(sales, "in.csv");
        oracle_close(sc);
    }
}

static void test_csv_bad__too_many_end_the_job_at_once(void **state)
{
    (void)state;
    const int bad = make("in.csv");
    int64_t n, records;
    spark_context *sc = oracle_open(1);
    spark_rdd *sales = spark_on_bad_records(read_sales(sc, "in.csv", 1, SPARK_PERMISSIVE),
        &(spark_bad_policy) { .mode = SPARK_BAD_ASIDE, .max_ratio = 0.05 });
    oracle_fails(spark_count(sales, &n), SPARK_ETASK, "of 900 records are bad (");
    const spark_error *error = spark_last_error();
    assert_non_null(strstr(error->message, "max_ratio is 0.05"));
    assert_non_null(strstr(error->message, "the first one of this partition: a row of 2 columns"));
    assert_string_equal(error->file, "in.csv");
    assert_int_equal(error->line, line_of(1));
    assert_int_equal(oracle_last_job(sc).failed_tasks, 1);
    assert_int_equal(spark_bad_count(sales, &records), bad);
    assert_int_equal(records, ROWS);
    check_aside(sales, "in.csv");
    oracle_fails(spark_count(sales, &n), SPARK_ETASK, "of 900 records are bad (");
    oracle_close(sc);
}

SPARK_MAP(no_852, sale, int64_t)
{
    if (in->n == 852)
        spark_fail(task, "not this one");
    *out = in->n;
}

static void test_csv_bad__a_failure_behind_finds_its_line(void **state)
{
    (void)state;
    make("in.csv");
    int64_t n;
    spark_context *sc = oracle_open(2);
    spark_rdd *sales = spark_on_bad_records(read_sales(sc, "in.csv", 3, SPARK_PERMISSIVE),
        &(spark_bad_policy) { .mode = SPARK_BAD_SKIP });
    oracle_fails(spark_count(spark_map(sales, no_852, NULL), &n), SPARK_ETASK, "not this one");
    assert_int_equal(spark_last_error()->line, line_of(852));
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        file_test(test_csv_bad__rows_are_put_aside_with_their_lines),
        file_test(test_csv_bad__dropped_rows_are_counted),
        file_test(test_csv_bad__faults_do_not_show),
        file_test(test_csv_bad__too_many_end_the_job_at_once),
        file_test(test_csv_bad__a_failure_behind_finds_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
