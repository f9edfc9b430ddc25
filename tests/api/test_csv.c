/* SPDX-License-Identifier: Apache-2.0 */
/* CSV files as rows: whatever is read does not depend on splits, threads, batches and faults; what is
 * wrong names its place; what is written is read again. */
#include <limits.h>

#include "file_test.h"

SPARK_STRUCT(trip, (spark_str, city), (int32_t, n), (spark_opt_f64, fare));
SPARK_STRUCT(texts, (spark_opt_str, a), (spark_opt_str, b), (spark_opt_str, c));
SPARK_STRUCT(numbers, (int64_t, id), (double, x));
SPARK_DECIMAL(money, 10, 2);
SPARK_STRUCT(kinds, (bool, yes), (char, code, 3), (int8_t, i8), (uint16_t, u16), (uint64_t, u64),
    (float, f), (money, m), (spark_date, day), (spark_time, at));
SPARK_OPTIONAL(opt_date, spark_date);
SPARK_OPTIONAL(opt_time, spark_time);
SPARK_STRUCT(days, (opt_date, day), (opt_time, at));
SPARK_STRUCT(coded, (char, code, 3), (int32_t, n));
SPARK_STRUCT(judged, (spark_opt_i32, a), (spark_opt_i32, b), (spark_opt_str, _corrupt_record));

#define CSV(...) &(spark_csv_options) { __VA_ARGS__ }

static void put(const char *path, const char *text)
{
    scratch_write(path, text, strlen(text));
}

/* lists: the rows, each with a line end behind it. */
static void lists(spark_rdd *rdd, const char *want)
{
    char *one_line = strdup(want), *at = one_line;
    assert_non_null(one_line);
    while ((at = strstr(at, ")\n")) != NULL)
        at[1] = at[2] ? ' ' : '\0';
    oracle_collects(rdd, one_line);
    free(one_line);
}

/* reads: the rows of a file in the text form. */
static void reads(
    spark_context *sc, const spark_type *type, const spark_csv_options *o, const char *want)
{
    lists(spark_read_csv(sc, "in.csv", type, o), want);
}

static void fails(spark_context *sc, const spark_type *type, const spark_csv_options *o,
    spark_status code, const char *words)
{
    int64_t n;
    oracle_fails(spark_count(spark_read_csv(sc, "in.csv", type, o), &n), code, words);
    const char *named = strstr(spark_last_error()->message, " at test_");
    assert_true(named && !strstr(named + 1, " at test_")); /* once */
}

static void test_csv__columns_are_found_by_their_names(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    put("in.csv", "fare,other,N,city\n2.5,x,1,Rome\n,y,2,Oslo\n");
    reads(sc, SPARK_TYPE(trip), CSV(.header = true), "(Rome,1,2.5)\n(Oslo,2,)\n");
    put("in.csv", "n,city\n7,Rome\n");
    reads(sc, SPARK_TYPE(trip), CSV(.header = true), "(Rome,7,)\n");
    put("in.csv", "n,town\n7,Rome\n");
    fails(sc, SPARK_TYPE(trip), CSV(.header = true), SPARK_EIO,
        "no column \"city\" in in.csv, which has n, town");
    fails(sc, SPARK_TYPE(trip), CSV(.header = true, .enforce_schema = SPARK_OFF), SPARK_EIO,
        "column 1 of in.csv is named \"n\", and the member \"city\"");
    put("in.csv", "Rome,7,1\nOslo,8,2\n");
    reads(sc, SPARK_TYPE(trip), NULL, "(Rome,7,1)\n(Oslo,8,2)\n");
    reads(sc, SPARK_TYPE(trip), CSV(.header = true, .enforce_schema = SPARK_ON), "(Oslo,8,2)\n");
    oracle_close(sc);
}

static void test_csv__each_file_has_a_header_of_its_own(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    put("a.csv", "city,n\nRome,1\n");
    put("b.csv", "n,fare,city\n2,3,Oslo\n");
    put("c.csv", "");
    lists(spark_read_csv(sc, "a.csv,b.csv,c.csv", SPARK_TYPE(trip), CSV(.header = true)),
        "(Rome,1,)\n(Oslo,2,3)\n");
    oracle_close(sc);
}

static void test_csv__quotes_are_read_by_the_rules(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    const spark_csv_options o = { .null_value = "\\N", .multi_line = true };
    put("in.csv", "1,\"\",\n\"a,b\",\"say \"\"hi\"\"\",\"\\\"\"\n"); /* RFC 4180, and Spark's escape */
    reads(sc, SPARK_TYPE(texts), &o, "(1,,)\n(a,b,say \"hi\",\")\n");
    put("in.csv", "\"x\ny\",2,3\r\n4,\"5\r\n\",6\r\n");
    reads(sc, SPARK_TYPE(texts), &o, "(x\ny,2,3)\n(4,5\r\n,6)\n");
    put("in.csv", "\"a\" ,\"b\"x,c\"d\"\n \"e\",\"f\n");
    reads(sc, SPARK_TYPE(texts), NULL, "(a,\"b\"x,c\"d\")\n( \"e\",f,)\n");
    put("in.csv", "\"b\"x,1,2\n");
    reads(sc, SPARK_TYPE(texts), CSV(.unescaped_quote_handling = SPARK_SKIP_VALUE), "(,1,2)\n");
    reads(sc, SPARK_TYPE(texts), CSV(.unescaped_quote_handling = SPARK_STOP_AT_CLOSING_QUOTE),
        "(b\"x,1,2,,)\n");
    fails(sc, SPARK_TYPE(texts), CSV(.unescaped_quote_handling = SPARK_RAISE_ERROR), SPARK_EIO,
        "a quote that is not escaped: in.csv:1:3");
    put("in.csv", "1,2,3\n  \n4,5,6\n");
    reads(sc, SPARK_TYPE(texts),
        CSV(.multi_line = true, .ignore_leading_white_space = SPARK_ON), "(1,2,3)\n(4,5,6)\n");
    put("in.csv", "'a;b';\"c\";d\n");
    reads(sc, SPARK_TYPE(texts), CSV(.sep = ";", .quote = "'"), "(a;b,\"c\",d)\n");
    reads(sc, SPARK_TYPE(texts), CSV(.sep = ";", .quote = ""), "('a,b',\"c\")\n");
    oracle_close(sc);
}

static void test_csv__lines_end_as_they_do(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    put("in.csv", "\xEF\xBB\xBF" "1,2\r\n3,4\r5,6\n\n  \n#7,8\n9,10");
    reads(sc, SPARK_TYPE(numbers), CSV(.comment = "#"), "(1,2)\n(3,4)\n(5,6)\n(9,10)\n");
    put("in.csv", "1,2;3,4;5,6");
    reads(sc, SPARK_TYPE(numbers), CSV(.line_sep = ";"), "(1,2)\n(3,4)\n(5,6)\n");
    put("in.csv", "1,2$$3,4$$");
    reads(sc, SPARK_TYPE(numbers), CSV(.line_sep = "$$"), "(1,2)\n(3,4)\n");
    put("in.csv", "1||2\n3||4\n");
    reads(sc, SPARK_TYPE(numbers), CSV(.sep = "||"), "(1,2)\n(3,4)\n");
    oracle_close(sc);
}

static void test_csv__values_are_read_by_their_types(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    put("in.csv",
        "true,ab,-128,65535,18446744073709551615,1.5,-1.005,2024-02-29,2024-02-29T10:11:12.5Z\n"
        "FALSE,abc,+7,0,0,-Infinity,2,1969-12-31,1969-12-31 23:59:59\n");
    reads(sc, SPARK_TYPE(kinds), NULL,
        "(true,ab,-128,65535,18446744073709551615,1.5,-1.01,2024-02-29,2024-02-29 10:11:12.5)\n"
        "(false,abc,7,0,0,-inf,2.00,1969-12-31,1969-12-31 23:59:59)\n");
    put("in.csv", "31/12/1999,1/2/2024 3PM\n30/02/1999,13/13/2024 1AM\n");
    reads(sc, SPARK_TYPE(days), CSV(.date_format = "dd/MM/yyyy", .timestamp_format = "d/M/yyyy ha"),
        "(1999-12-31,2024-02-01 15:00:00)\n(,)\n");
    put("in.csv", "K\xF6ln,1,\xFF\n");
    reads(sc, SPARK_TYPE(texts), CSV(.encoding = "ISO-8859-1"), "(K\xC3\xB6ln,1,\xC3\xBF)\n");
    oracle_close(sc);
}

/* All that is text: names, what is looked for, what is kept of rows that are none. */
static void test_csv__latin1_is_that_everywhere(void **state)
{
    (void)state;
    char have[400] = "";
    spark_context *sc = oracle_open(1);
    const spark_csv_options o = { .header = true, .encoding = "ISO-8859-1", .sep = "\xC2\xA7", .null_value = "\xC3\xA9\xC3\xA9",
        .empty_value = "\xC3\xBC" };
    put("in.csv", "Gr\xF6\xDF" "e\xA7" "b\n\xE9\xE9\xA7\"\"\n\xE9\xA7" "1\n");
    spark_rdd *rdd = spark_read_csv(sc, "in.csv", NULL, &o);
    FILE *out = fmemopen(have, sizeof have, "w");
    oracle_ok(spark_print_schema(out, spark_rdd_type(rdd)));
    fclose(out);
    assert_string_equal(have, "root\n |-- Gr\xC3\xB6\xC3\x9F" "e: string (nullable = true)\n |-- b: string (nullable = true)\n");
    lists(rdd, "(,\xC3\xBC)\n(\xC3\xA9,1)\n");
    put("in.csv", "a\xA7" "b\n3\xA7\xE9\n");
    reads(sc, SPARK_TYPE(judged), &o, "(3,,3\xC2\xA7\xC3\xA9)\n");
    lists(spark_read_csv_lines(spark_text_file(sc, "in.csv", 1), SPARK_TYPE(judged), &o), "(3,,3\xC2\xA7\xC3\xA9)\n");
    rdd = spark_on_bad_records(spark_read_csv(sc, "in.csv", SPARK_TYPE(judged), &o),
        &(spark_bad_policy) { .mode = SPARK_BAD_ASIDE });
    spark_array bad;
    oracle_ok(spark_collect(spark_bad_records(rdd), SPARK_TYPE(spark_bad_row), &bad));
    assert_int_equal(bad.n, 1);
    assert_true(spark_str_equal(SPARK_ITEMS(spark_bad_row, &bad)->record, SPARK_LIT("3\xC2\xA7\xC3\xA9")));
    spark_array_free(&bad);
    put("in.csv", "code\xA7n\nx\xE9\xA7" "7\n");
    reads(sc, SPARK_TYPE(coded), &o, "(x\xC3\xA9,7)\n");
    oracle_close(sc);
}

static void test_csv__modes_say_what_becomes_of_malformed_rows(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    put("in.csv", "1,2\n3,x\n4\n5,6,7\n8,9\n");
    reads(sc, SPARK_TYPE(judged), NULL, "(1,2,)\n(3,,3,x)\n(4,,4)\n(5,6,5,6,7)\n(8,9,)\n");
    reads(sc, SPARK_TYPE(judged), CSV(.mode = SPARK_DROPMALFORMED), "(1,2,)\n(8,9,)\n");
    fails(sc, SPARK_TYPE(judged), CSV(.mode = SPARK_FAILFAST), SPARK_EIO,
        "cannot read \"x\" as i32: in.csv:2:3, column \"b\"");
    assert_string_equal(spark_last_error()->file, "in.csv");
    assert_int_equal(spark_last_error()->line, 2);
    put("in.csv", "1,2\n4\n");
    fails(sc, SPARK_TYPE(judged), CSV(.mode = SPARK_FAILFAST), SPARK_EIO,
        "a row of 1 columns where there are 2: in.csv:2:1");
    put("in.csv", "1,2\n,4\n");
    fails(sc, SPARK_TYPE(numbers), NULL, SPARK_EIO,
        "null where a i64 must be: a member that may be null is SPARK_OPTIONAL: in.csv:2:1, column "
        "\"id\"");
    reads(sc, SPARK_TYPE(numbers), CSV(.mode = SPARK_DROPMALFORMED), "(1,2)\n");
    /* The place is that of the cell, and is told once. */
    put("in.csv", "1,2\n\"3\",\n");
    fails(sc, SPARK_TYPE(numbers), NULL, SPARK_EIO, "SPARK_OPTIONAL: in.csv:2:5, column ");
    assert_null(strstr(spark_last_error()->message, "(in.csv"));
    put("in.csv", "1,2\n\"a,\"\"\",x\n");
    fails(sc, SPARK_TYPE(judged), CSV(.mode = SPARK_FAILFAST), SPARK_EIO, "in.csv:2:1, column ");
    assert_null(strstr(spark_last_error()->message, "multi_line"));
    put("in.csv", "1,\"a\nb\"\n");
    fails(sc, SPARK_TYPE(judged), CSV(.mode = SPARK_FAILFAST), SPARK_EIO,
        "in.csv:1:3, column \"b\"; the quote is not closed on this line: .multi_line = true");
    oracle_close(sc);
}

static void test_csv__types_are_found_in_the_file(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    static const struct {
        const char *text, *type;
    } cases[] = { { "1\n-2147483648\n", "integer" }, { "1\n2147483648\n", "long" },
        { "1\n1.5\n", "double" }, { "1\nNaN\n", "double" }, { "2024-02-29\n", "date" },
        { "2024-02-29\n2024-02-29 10:00:00\n", "timestamp" }, { "2024-02-30\n", "string" },
        { "true\nFALSE\n", "boolean" }, { "1\ntrue\n", "string" }, { "x\n", "string" },
        { "\"\"\n", "string" }, { "9223372036854775808\n", "double" }, { "2024-02-29\n1\n", "string" },
        /* what Spark 4.3 finds in these */
        { "2024-5-7\n", "timestamp" }, { "2024-5-07\n", "timestamp" }, { "2024-05\n", "timestamp" },
        { "2024-1\n", "timestamp" }, { "2024-13\n", "string" }, { "2024-05-07T\n", "string" },
        { "2024-05-07Z\n", "string" }, { "2024-05-07T10\n", "timestamp" }, { "2024-5-7 1:2\n", "timestamp" },
        { "2024-05-07T10:11:12+02:00\n", "timestamp" }, { "2024-05-07T25:00:00\n", "string" },
        { "12024-05-07\n", "timestamp" }, { "+2024-05-07\n", "timestamp" }, { "02024-05-07\n", "timestamp" },
        { "-2024-05-07\n", "date" }, { "-2024-02-29\n", "date" }, { "-2023-02-29\n", "string" },
        { "-12024-05-07\n", "date" }, { "-0000-01-01\n", "timestamp" }, { "0000-01-01\n", "date" },
        { "024-01-01\n", "string" }, { "2024/05/07\n", "string" }, { "20240507\n", "integer" },
        { " 2024-05-07\n", "timestamp" }, { "2024-05-07 \n", "timestamp" }, { "99999999-1-1\n", "string" },
        { "2024-5-7\n2024\n", "timestamp" }, { "2024\n2024-5-7\n", "string" },
        { "2024-05-07\n2024\n", "timestamp" }, { "2024-05-07\n2024-5-7\n", "timestamp" },
        { "12\n2024-05-07\n", "string" }, { "00000000000000000000001\n", "integer" }, { "0x10\n", "string" },
        { "12345678901234567890.0\n", "double" }, { "1_000\n", "string" } };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char have[200] = "", want[200];
        put("in.csv", cases[i].text);
        spark_rdd *rdd = spark_read_csv(sc, "in.csv", NULL, CSV(.infer_schema = true));
        FILE *out = fmemopen(have, sizeof have, "w");
        oracle_ok(spark_print_schema(out, spark_rdd_type(rdd)));
        fclose(out);
        snprintf(want, sizeof want, "root\n |-- _c0: %s (nullable = true)\n", cases[i].type);
        assert_string_equal(have, want);
    }
    put("in.csv", "a,b,a,,A\n1,2,3,4,5\n");
    const spark_type *type = spark_rdd_type(spark_read_csv(sc, "in.csv", NULL, CSV(.header = true)));
    static const char *const names[] = { "a0", "b", "a2", "_c3", "A4" };
    assert_int_equal(type->count, 5);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(type->fields[i].name, names[i]);
    /* rows that are dropped later are looked at: as Spark does */
    put("in.csv", "a,b\n9223372036854775807,7,extra\n");
    for (int mode = SPARK_PERMISSIVE; mode <= SPARK_FAILFAST; mode++) {
        type = spark_rdd_type(spark_read_csv(sc, "in.csv", NULL,
            CSV(.header = true, .infer_schema = true, .mode = (spark_read_mode)mode)));
        assert_int_equal(type->fields[0].type->of->kind, SPARK_KIND_I64);
        assert_int_equal(type->fields[1].type->of->kind, SPARK_KIND_I32);
    }
    put("in.csv", "");
    fails(sc, NULL, NULL, SPARK_EIO, "there is no line to find columns in");
    put("in.csv", "1,2,\n");
    fails(sc, NULL, CSV(.infer_schema = true, .max_columns = 2), SPARK_EIO, "more columns than max_columns");
    int64_t n;
    oracle_fails(spark_count(spark_read_csv(sc, "nothing", NULL, NULL), &n), SPARK_EIO, "nothing");
    oracle_close(sc);
}

static void test_csv__rows_are_read_by_the_names_of_their_fields(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    put("in.csv", "city,n,fare,day\nRome,1,2.5,2024-02-29\n,,,\n");
    spark_rdd *rdd
        = spark_read_csv(sc, "in.csv", NULL, CSV(.header = true, .infer_schema = true));
    const spark_type *type = spark_rdd_type(rdd);
    spark_array all;
    spark_str city;
    int64_t n = 7;
    double fare;
    spark_date day;
    oracle_ok(spark_collect(rdd, type, &all));
    const void *row = spark_row_of(&all, 0);
    assert_true(spark_row_str(row, spark_field_find(type, "City"), &city));
    assert_true(spark_str_equal(city, SPARK_LIT("Rome")));
    assert_true(spark_row_f64(row, spark_field_find(type, "fare"), &fare) && fare == 2.5);
    assert_true(spark_row_f64(row, spark_field_find(type, "n"), &fare) && fare == 1);
    assert_true(spark_row_date(row, spark_field_find(type, "day"), &day) && day.days == 19782);
    assert_true(spark_row_i64(row, spark_field_find(type, "n"), &n) && n == 1);
    assert_false(spark_row_i64(row, spark_field_find(type, "fare"), &n));
    assert_false(spark_row_i64(spark_row_of(&all, 1), spark_field_find(type, "n"), &n));
    assert_null(spark_row_of(&all, 2));
    assert_null(spark_field_find(type, "none"));
    assert_false(spark_row_i64(row, NULL, &n));
    spark_array_free(&all);
    oracle_close(sc);
}

static void test_csv__struct_types_are_made_at_run_time(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_field fields[] = { { "city", SPARK_TYPE(spark_str), 0, 0 },
        { "n", SPARK_TYPE(int32_t), 0, 0 }, { "fare", SPARK_TYPE(spark_opt_f64), 0, 0 } };
    const spark_type *type = spark_type_struct(sc, fields, 3);
    oracle_ok(spark_type_check(SPARK_TYPE(trip), type));
    assert_ptr_equal(type, spark_type_struct(sc, fields, 3));
    fields[2].name = "n";
    assert_null(spark_type_struct(sc, fields, 3));
    assert_non_null(strstr(spark_last_error()->message, "two members are named \"n\""));
    fields[2].name = "";
    assert_null(spark_type_struct(sc, fields, 3));
    assert_null(spark_type_struct(sc, NULL, 1));
    put("in.csv", "Rome,1,2\n");
    spark_rdd *rows = spark_read_csv(sc, "in.csv", type, NULL);
    lists(spark_as(rows, SPARK_TYPE(trip)), "(Rome,1,2)\n");
    oracle_close(sc);
}

/* ---- splits ---- */

enum { ROWS = 600 };

/* write_rows: of all kinds: quoted, ragged, followed by blank lines, longer than a window. */
static void write_rows(const char *path, uint64_t seed, bool lines_in_quotes)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    for (int i = 0; i < ROWS; i++) {
        const uint32_t r = scratch_random(&seed);
        const int length = r % 100 == 0 ? (int)(scratch_random(&seed) % 70000) : (int)(r >> 8) % 40;
        fprintf(out, "%d,", i);
        if (r % 3 == 0)
            fprintf(out, "\"%0*d%s\"\"\"", length, i, lines_in_quotes ? "\r\n," : ",");
        else
            fprintf(out, "%0*d", length, i);
        fputs(r % 7 == 0 ? "" : r % 11 == 0 ? ",x,y" : ",z", out);
        fputs(r % 5 == 0 ? "\r\n" : r % 13 == 0 ? "\n\n" : "\n", out);
    }
    fclose(out);
}

static spark_rdd *build_rows(spark_context *sc, int partitions, const void *arg)
{
    spark_csv_options o = *(const spark_csv_options *)arg;
    o.min_partitions = partitions;
    return spark_read_csv(sc, "rows.csv", SPARK_TYPE(texts), &o);
}

static void rows_are_the_same(const spark_csv_options *o)
{
    spark_context *sc = oracle_open(1);
    spark_array naive;
    oracle_ok(spark_collect(build_rows(sc, 1, o), SPARK_TYPE(texts), &naive));
    assert_int_equal(naive.n, ROWS);
    const texts *row = SPARK_ITEMS(texts, &naive);
    for (size_t i = 0; i < naive.n; i++) {
        char number[24];
        snprintf(number, sizeof number, "%zu", i);
        assert_true(row[i].a.present && row[i].a.value.len == strlen(number));
        assert_memory_equal(row[i].a.value.ptr, number, strlen(number));
    }
    oracle_compare(build_rows, o, true, SPARK_TYPE(texts), naive.n, naive.items);
    spark_array_free(&naive);
    oracle_close(sc);
}

static void test_csv__splits_threads_and_batches_change_nothing(void **state)
{
    (void)state;
    write_rows("rows.csv", 5, false);
    rows_are_the_same(CSV(.header = false));
    write_rows("rows.csv", 6, true);
    rows_are_the_same(CSV(.multi_line = true));
}

/* A split may begin within a line end of two bytes, and within a row of them. */
static void test_csv__line_ends_of_two_bytes_may_be_split(void **state)
{
    static const char *const ends[] = { "\r\n", "|\n", "$$", "ab" };
    (void)state;
    for (size_t e = 0; e < LENGTH(ends); e++)
        for (int bare = 0; bare < 2; bare++) {
            char text[200];
            snprintf(text, sizeof text, "%s%s1,2%s3,4%s%s%s5,6%s%s7,8%s", bare ? "" : "id,x", bare ? "" : ends[e],
                ends[e], ends[e], ends[e], ends[e], ends[e], ends[e], bare ? "" : ends[e]);
            put("in.csv", text);
            for (int partitions = 1; partitions <= (int)strlen(text); partitions++) {
                spark_context *sc = oracle_open(1);
                reads(sc, SPARK_TYPE(numbers),
                    CSV(.header = !bare, .line_sep = ends[e], .min_partitions = partitions), "(1,2)\n(3,4)\n(5,6)\n(7,8)\n");
                oracle_close(sc);
            }
        }
}

static void test_csv__a_header_may_stand_behind_comments(void **state)
{
    (void)state;
    put("in.csv", "\n# what follows\n\n#\nid,x\n1,2\n3,4\n");
    for (int partitions = 1; partitions < 40; partitions++) {
        spark_context *sc = oracle_open(1);
        reads(sc, SPARK_TYPE(numbers),
            CSV(.header = true, .comment = "#", .min_partitions = partitions), "(1,2)\n(3,4)\n");
        oracle_close(sc);
    }
}

static void test_csv__values_may_be_longer_than_any_buffer(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    enum { LONG = 3000000 };
    for (int quoted = 0; quoted < 3; quoted++) {
        FILE *out = fopen("in.csv", "w");
        fprintf(out, "1,%s%0*d%s,3\n4,5,6\n", quoted ? "\"" : "", LONG, 7,
            quoted == 2 ? "\n\"" : quoted ? "\"" : "");
        fclose(out);
        spark_array all;
        oracle_ok(spark_collect(spark_read_csv(sc, "in.csv", SPARK_TYPE(texts),
                                    CSV(.multi_line = quoted == 2, .min_partitions = 40)),
            SPARK_TYPE(texts), &all));
        assert_int_equal(all.n, 2);
        const texts *row = SPARK_ITEMS(texts, &all);
        assert_int_equal(row[0].b.value.len, LONG + (quoted == 2));
        assert_true(spark_str_equal(row[0].c.value, SPARK_LIT("3")));
        assert_true(spark_str_equal(row[1].b.value, SPARK_LIT("5")));
        spark_array_free(&all);
    }
    put("in.csv", "1,2,3\n4,12345,6\n");
    fails(sc, SPARK_TYPE(texts), CSV(.max_chars_per_column = 4), SPARK_EIO,
        "a value is longer than max_chars_per_column: in.csv:2");
    put("in.csv", "1,2\n1,2,3\n");
    fails(sc, SPARK_TYPE(numbers), CSV(.max_columns = 2), SPARK_EIO,
        "a row has more columns than max_columns: in.csv:2");
    put("in.csv", "b,c\n1,2\n");
    for (int i = 0; i < 3; i++) { /* no more memory is asked for than the file has columns */
        static const int mosts[] = { INT_MAX, 1 << 21, 2 };
        spark_rdd *rdd = spark_read_csv(sc, "in.csv", NULL, CSV(.header = true, .max_columns = mosts[i]));
        assert_int_equal(oracle_count(rdd), 1);
        assert_int_equal(spark_rdd_type(rdd)->count, 2);
    }
    oracle_close(sc);
}

/* Names that occur twice, also when their positions stand behind them, as Spark has it. */
static void test_csv__names_that_occur_twice(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    put("in.csv", "a,A,,b,_c2\n1,2,3,4,5\n");
    fails(sc, NULL, CSV(.header = true), SPARK_EIO, "two columns of in.csv are named \"_c2\"");
    put("in.csv", "a,a0,a\n1,2,3\n");
    fails(sc, NULL, CSV(.header = true), SPARK_EIO, "two columns of in.csv are named \"a0\"");
    put("in.csv", "a,A,b\n1,2,3\n");
    spark_rdd *rdd = spark_read_csv(sc, "in.csv", NULL, CSV(.header = true));
    assert_string_equal(spark_rdd_type(rdd)->fields[0].name, "a0");
    assert_string_equal(spark_rdd_type(rdd)->fields[1].name, "A1");
    assert_string_equal(spark_rdd_type(rdd)->fields[2].name, "b");
    oracle_close(sc);
}

static void test_csv__flags_have_three_values(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    const spark_flag two = (spark_flag)2, less = (spark_flag)-2;
    put("in.csv", "1,2\n");
    fails(sc, SPARK_TYPE(numbers), CSV(.enforce_schema = two), SPARK_EINVAL, "option enforce_schema must be");
    fails(sc, SPARK_TYPE(numbers), CSV(.prefer_date = less), SPARK_EINVAL, "option prefer_date must be");
    fails(sc, SPARK_TYPE(numbers), CSV(.ignore_leading_white_space = two), SPARK_EINVAL, "option ignore_leading");
    fails(sc, SPARK_TYPE(numbers), CSV(.ignore_trailing_white_space = less), SPARK_EINVAL, "option ignore_trailing");
    fails(sc, SPARK_TYPE(numbers), CSV(.escape_quotes = two), SPARK_EINVAL, "option escape_quotes must be");
    oracle_close(sc);
}

SPARK_MAP(refuse_500, texts, int64_t)
{
    if (spark_str_equal(in->a.value, SPARK_LIT("500")))
        spark_fail(task, "not this one");
    *out = 1;
}

static void test_csv__a_failure_of_a_function_finds_its_line(void **state)
{
    (void)state;
    for (int partitions = 1; partitions < 30; partitions += 7) {
        spark_context *sc = oracle_open(2);
        FILE *out = fopen("in.csv", "w");
        for (int i = 0; i < 1000; i++)
            fprintf(out, "%s%d,\"x\",\n", i % 10 == 0 ? "\n#c\n" : "", i);
        fclose(out);
        int64_t n;
        spark_rdd *rdd = spark_read_csv(sc, "in.csv", SPARK_TYPE(texts),
            CSV(.comment = "#", .min_partitions = partitions));
        oracle_fails(spark_count(spark_map(rdd, refuse_500, NULL), &n), SPARK_ETASK, "not this one");
        assert_string_equal(spark_last_error()->file, "in.csv");
        assert_int_equal(spark_last_error()->line, 501 + 51 * 2);
        oracle_close(sc);
    }
}

/* ---- writing ---- */

/* random_text: of signs that mean something, and any others but NUL. */
static spark_opt_str random_text(uint64_t *seed, char *room, size_t size)
{
    static const char signs[] = "\"\\,\n\r;' \t#N\xC3";
    const size_t n = scratch_random(seed) % size;
    if (scratch_random(seed) % 8 == 0)
        return (spark_opt_str) { false, { NULL, 0 } };
    for (size_t i = 0; i < n; i++)
        room[i] = scratch_random(seed) % 3 ? signs[scratch_random(seed) % (sizeof signs - 1)]
                                           : (char)(scratch_random(seed) % 255 + 1);
    return (spark_opt_str) { true, { room, n } };
}

static void round_trip(const spark_csv_options *o, uint64_t seed)
{
    enum { N = 400, SIZE = 12 };
    static char room[N][3][SIZE];
    static texts rows[N];
    char path[32];
    spark_context *sc = oracle_open(2);
    for (size_t i = 0; i < N; i++)
        rows[i] = (texts) { random_text(&seed, room[i][0], SIZE), random_text(&seed, room[i][1], SIZE),
            random_text(&seed, room[i][2], SIZE) };
    rows[0].a = (spark_opt_str) { true, SPARK_LIT("1") };
    snprintf(path, sizeof path, "out%u", (unsigned)seed);
    spark_rdd *all = spark_parallelize(sc, SPARK_DATA_OF(texts, rows), 3);
    oracle_ok(spark_write_csv(all, path, o));
    spark_array back;
    oracle_ok(spark_collect(spark_read_csv(sc, path, SPARK_TYPE(texts), o), SPARK_TYPE(texts), &back));
    assert_int_equal(back.n, N);
    for (size_t i = 0; i < N; i++)
        if (!spark_equal(SPARK_TYPE(texts), &rows[i], &SPARK_ITEMS(texts, &back)[i]))
            fail_msg("row %zu is another one", i);
    spark_array_free(&back);
    oracle_close(sc);
}

static void test_csv__what_is_written_is_read_again(void **state)
{
    (void)state;
    spark_csv_options o = { .header = true,
        .null_value = "\\N no text is this",
        .multi_line = true,
        .ignore_leading_white_space = SPARK_OFF,
        .ignore_trailing_white_space = SPARK_OFF };
    round_trip(&o, 1);
    o.escape = "\"";
    round_trip(&o, 2);
    o.quote_all = true;
    o.sep = ";";
    round_trip(&o, 3);
    o.quote = "'";
    o.escape = NULL;
    o.comment = "#";
    round_trip(&o, 4);
    o.escape = "";
    round_trip(&o, 5);
}

/* read_part: the one file that was written. */
static size_t read_part(const char *directory, char *text, size_t size)
{
    char name[300];
    size_t n = 0;
    DIR *stream = opendir(directory);
    assert_non_null(stream);
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;)
        if (strncmp(entry->d_name, "part-00000-", 11) == 0) {
            snprintf(name, sizeof name, "%s/%s", directory, entry->d_name);
            n = scratch_read(name, text, size);
        }
    closedir(stream);
    return n;
}

static void test_csv__rows_are_written_as_Spark_writes_them(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    char text[400];
    put("in.csv", "true,ab,1,2,3,1.5,2.5,2024-02-29,2024-02-29T10:11:12.5Z\n");
    spark_rdd *rdd = spark_read_csv(sc, "in.csv", SPARK_TYPE(kinds), CSV(.min_partitions = 1));
    oracle_ok(spark_write_csv(rdd, "out", CSV(.header = true)));
    size_t n = read_part("out", text, sizeof text);
    const char *want = "yes,code,i8,u16,u64,f,m,day,at\n"
                       "true,ab,1,2,3,1.5,2.50,2024-02-29,2024-02-29T10:11:12.500Z\n";
    assert_int_equal(n, strlen(want));
    assert_memory_equal(text, want, n);
    put("in.csv", "\" a \",\"x\\\"y\",\n\"\",\"p,q\",r\n");
    oracle_ok(spark_write_csv(spark_read_csv(sc, "in.csv", SPARK_TYPE(texts), CSV(.null_value = "-", .min_partitions = 1)),
        "out2", NULL));
    n = read_part("out2", text, sizeof text);
    want = "a,\"x\\\"y\",\n\"\",\"p,q\",r\n";
    assert_int_equal(n, strlen(want));
    assert_memory_equal(text, want, n);
    put("in.csv", "a|b,c,|\n");
    oracle_ok(spark_write_csv(spark_read_csv(sc, "in.csv", SPARK_TYPE(texts), CSV(.min_partitions = 1)), "out4",
        CSV(.line_sep = "|")));
    n = read_part("out4", text, sizeof text);
    want = "\"a|b\",c,\"|\"|";
    assert_int_equal(n, strlen(want));
    assert_memory_equal(text, want, n);
    oracle_fails(spark_write_csv(rdd, "out", NULL), SPARK_EIO, "out");
    oracle_fails(spark_write_csv(spark_range(sc, 0, 3, 1, 1), "out3", NULL), SPARK_ETYPE,
        "rows must be structs or pairs, not i64");
    oracle_close(sc);
}

SPARK_STRUCT(ends, (spark_date, day), (spark_time, at));

static void test_csv__the_first_and_the_last_days_are_written(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    char text[400];
    const ends rows[] = { { { INT32_MIN }, { INT64_MIN } }, { { INT32_MAX }, { INT64_MAX } } };
    spark_rdd *rdd = spark_parallelize(sc, SPARK_TYPE(ends), 2, rows, 1);
    oracle_ok(spark_write_csv(rdd, "out", CSV(.date_format = "yyyy-MM-dd")));
    const size_t n = read_part("out", text, sizeof text);
    const char *want = "-5877641-06-23,-290308-12-21T19:59:05.224192Z\n"
                       "+5881580-07-11,+294247-01-10T04:00:54.775807Z\n";
    assert_int_equal(n, strlen(want));
    assert_memory_equal(text, want, n);
    spark_array back;
    oracle_ok(spark_collect(spark_read_csv(sc, "out", SPARK_TYPE(ends), NULL), NULL, &back));
    assert_int_equal(back.n, 2);
    for (size_t i = 0; i < 2; i++)
        assert_true(spark_equal(SPARK_TYPE(ends), &SPARK_ITEMS(ends, &back)[i], &rows[i]));
    spark_array_free(&back);
    oracle_close(sc);
}

/* Separators of no ASCII are looked for as they are, and a text that is empty is one in an array of char too. */
static void test_csv__separators_are_bytes_and_empty_texts_no_nulls(void **state)
{
    static const char *const separators[] = { ",", "\xc3\xa9", "\xc2\xa7", "\xff" };
    static const coded rows[] = { { "", 1 }, { "\xc3\xa9", 2 }, { "a\xff", 3 }, { ",", 4 }, { "\xc2\xa7", 5 } };
    (void)state;
    for (size_t i = 0; i < LENGTH(separators); i++) {
        spark_context *sc = oracle_open(1);
        spark_array back;
        char path[20];
        snprintf(path, sizeof path, "sep%zu", i);
        const spark_csv_options *o = CSV(.sep = separators[i]);
        oracle_ok(spark_write_csv(spark_parallelize(sc, SPARK_DATA_OF(coded, rows), 2), path, o));
        oracle_ok(spark_collect(spark_read_csv(sc, path, SPARK_TYPE(coded), o), NULL, &back));
        assert_int_equal(back.n, LENGTH(rows));
        for (size_t k = 0; k < LENGTH(rows); k++)
            assert_true(spark_equal(SPARK_TYPE(coded), &rows[k], &SPARK_ITEMS(coded, &back)[k]));
        spark_array_free(&back);
        oracle_close(sc);
    }
}

SPARK_STRUCT(with_list, (int64_t, id), (spark_i64_list, all));

static void test_csv__what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    put("in.csv", "1,2\n");
    const spark_type *type = SPARK_TYPE(numbers);
    fails(sc, SPARK_TYPE(with_list), NULL, SPARK_ETYPE, "member all is spark_i64_list");
    fails(sc, SPARK_TYPE(int64_t), NULL, SPARK_ETYPE, "rows must be structs or pairs");
    fails(sc, type, CSV(.sep = ""), SPARK_EINVAL, "option sep");
    fails(sc, type, CSV(.quote = "ab"), SPARK_EINVAL, "option quote must be one ASCII character");
    fails(sc, type, CSV(.sep = "\""), SPARK_EINVAL, "option sep begins as quote");
    fails(sc, type, CSV(.encoding = "KOI8-R"), SPARK_EINVAL, "option encoding must be UTF-8");
    fails(sc, type, CSV(.date_format = "QQQ"), SPARK_EINVAL, "pattern \"QQQ\"");
    fails(sc, type, CSV(.date_format = "[yyyy"), SPARK_EINVAL, "a [ has no ]");
    fails(sc, type, CSV(.sampling_ratio = 2), SPARK_EINVAL, "option sampling_ratio");
    fails(sc, type, CSV(.line_sep = ""), SPARK_EINVAL, "option line_sep");
    fails(sc, type, CSV(.line_sep = ","), SPARK_EINVAL, "option line_sep begins as sep");
    fails(sc, type, CSV(.comment = "\""), SPARK_EINVAL, "option comment is the quote");
    fails(sc, type, CSV(.escape = ","), SPARK_EINVAL, "option escape is what sep begins with");
    oracle_fails(spark_write_csv(spark_read_csv(sc, "in.csv", type, NULL), "s3://bucket/out", NULL), SPARK_EINVAL,
        "cannot write s3://bucket/out: no file system of its scheme is known: call spark_use_s3");
    oracle_fails(spark_save_as_text_file(spark_text_file(sc, "in.csv", 1), "nosuch://x/y"), SPARK_EINVAL, "its scheme");
    assert_int_not_equal(access("s3:", F_OK), 0);
    int64_t n;
    oracle_fails(spark_count(spark_read_csv(sc, "", type, NULL), &n), SPARK_EINVAL, "path is empty");
    oracle_fails(spark_count(spark_read_csv(sc, "none", type, NULL), &n), SPARK_EIO, "none");
    put("in.csv", "\x1f\x8b\x08 gzip");
    fails(sc, type, NULL, SPARK_EIO, "compressed by gzip");
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        file_test(test_csv__names_that_occur_twice),
        file_test(test_csv__flags_have_three_values),
        file_test(test_csv__columns_are_found_by_their_names),
        file_test(test_csv__each_file_has_a_header_of_its_own),
        file_test(test_csv__quotes_are_read_by_the_rules),
        file_test(test_csv__lines_end_as_they_do),
        file_test(test_csv__values_are_read_by_their_types),
        file_test(test_csv__latin1_is_that_everywhere),
        file_test(test_csv__modes_say_what_becomes_of_malformed_rows),
        file_test(test_csv__types_are_found_in_the_file),
        file_test(test_csv__rows_are_read_by_the_names_of_their_fields),
        file_test(test_csv__struct_types_are_made_at_run_time),
        file_test(test_csv__splits_threads_and_batches_change_nothing),
        file_test(test_csv__line_ends_of_two_bytes_may_be_split),
        file_test(test_csv__a_header_may_stand_behind_comments),
        file_test(test_csv__values_may_be_longer_than_any_buffer),
        file_test(test_csv__a_failure_of_a_function_finds_its_line),
        file_test(test_csv__what_is_written_is_read_again),
        file_test(test_csv__rows_are_written_as_Spark_writes_them),
        file_test(test_csv__the_first_and_the_last_days_are_written),
        file_test(test_csv__separators_are_bytes_and_empty_texts_no_nulls),
        file_test(test_csv__what_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
