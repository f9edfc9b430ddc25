/* SPDX-License-Identifier: Apache-2.0 */
/* JSON files: the types that are found in them, texts of several lines, what rules allow and what they do
 * not, and that what is written is read as it was. */
#include <math.h>

#include "file_test.h"

#define JSON(...) &(spark_json_options) { __VA_ARGS__ }

static void put(const char *text)
{
    scratch_write("in.json", text, strlen(text));
}

static void fails(spark_context *sc, const spark_type *type, const spark_json_options *o,
    spark_status code, const char *words)
{
    int64_t n;
    oracle_fails(spark_count(spark_read_json(sc, "in.json", type, o), &n), code, words);
    const char *named = strstr(spark_last_error()->message, " at test_");
    assert_true(named && !strstr(named + 1, " at test_")); /* once */
}

/* finds: the schema that is found in the text, without its first line. */
static void finds(spark_context *sc, const char *text, const spark_json_options *o, const char *want)
{
    char have[2000] = "";
    put(text);
    spark_rdd *rdd = spark_read_json(sc, "in.json", NULL, o);
    FILE *out = fmemopen(have, sizeof have, "w");
    assert_non_null(out);
    oracle_ok(spark_print_schema(out, spark_rdd_type(rdd)));
    fclose(out);
    assert_string_equal(have + strlen("root\n"), want);
}

static void test_json_files__types_are_found(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    static const struct {
        const char *text, *type;
    } cases[] = { { "{\"a\":1}\n{\"a\":9223372036854775807}", "long" }, { "{\"a\":1}\n{\"a\":1.5}", "double" },
        { "{\"a\":9223372036854775808}", "double" }, { "{\"a\":true}\n{\"a\":null}", "boolean" },
        { "{\"a\":true}\n{\"a\":1}", "string" }, { "{\"a\":null}", "string" }, { "{\"a\":\"\"}", "string" },
        { "{\"a\":\"\"}\n{\"a\":1}", "long" }, { "{\"a\":NaN}", "double" }, { "{\"a\":\"x\"}\n{\"a\":1}", "string" },
        { "{\"a\":{\"b\":1}}\n{\"a\":1}", "string" }, { "{\"a\":[1]}\n{\"a\":{}}", "string" },
        { "[{\"a\":1},{\"a\":2.5}]", "double" }, { "{\"a\":\"2024-02-29\"}", "string" } };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char want[100];
        snprintf(want, sizeof want, " |-- a: %s (nullable = true)\n", cases[i].type);
        finds(sc, cases[i].text, NULL, want);
    }
    finds(sc, "{\"z\":[{\"y\":[1,null]}],\"b\":{\"d\":{},\"c\":\"x\"}}\n{\"z\":[{\"x\":2.5}],\"a\":[]}\n", NULL,
        " |-- a: array (nullable = true)\n |    |-- element: string (containsNull = true)\n"
        " |-- b: struct (nullable = true)\n |    |-- c: string (nullable = true)\n"
        " |-- z: array (nullable = true)\n |    |-- element: struct (containsNull = true)\n"
        " |    |    |-- x: double (nullable = true)\n"
        " |    |    |-- y: array (nullable = true)\n"
        " |    |    |    |-- element: long (containsNull = true)\n");
    oracle_close(sc);
}

static void test_json_files__options_say_what_types_there_are(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    finds(sc, "{\"a\":1,\"b\":true,\"c\":\"x\"}", JSON(.primitives_as_string = true),
        " |-- a: string (nullable = true)\n |-- b: string (nullable = true)\n |-- c: string (nullable = true)\n");
    finds(sc, "{\"a\":1.25,\"b\":\"-0.5\",\"c\":\"0.05\"}\n{\"a\":1.5,\"b\":\"12\",\"c\":1e40}",
        JSON(.prefers_decimal = true),
        " |-- a: decimal(3,2) (nullable = true)\n |-- b: decimal(3,1) (nullable = true)\n"
        " |-- c: string (nullable = true)\n");
    finds(sc, "{\"a\":1.25}\n{\"a\":123456789012345678.5}", JSON(.prefers_decimal = true),
        " |-- a: double (nullable = true)\n");
    finds(sc, "{\"a\":\"2024-02-29 10:00:00\",\"b\":\"x\"}", JSON(.infer_timestamp = true),
        " |-- a: timestamp (nullable = true)\n |-- b: string (nullable = true)\n");
    finds(sc, "{\"a\":null,\"b\":[],\"c\":{\"d\":null},\"e\":1}", JSON(.drop_field_if_all_null = true),
        " |-- e: long (nullable = true)\n");
    finds(sc, "{\"a\":1}\n{\"a\":\n{\"a\":2}\n5", NULL,
        " |-- _corrupt_record: string (nullable = true)\n |-- a: long (nullable = true)\n");
    finds(sc, "{\"a\":1}\n{\"a\":\n{\"a\":2}\n5", JSON(.mode = SPARK_DROPMALFORMED),
        " |-- a: long (nullable = true)\n");
    fails(sc, NULL, JSON(.mode = SPARK_FAILFAST), SPARK_EIO, "the text ends too early");
    fails(sc, NULL, JSON(.mode = SPARK_FAILFAST), SPARK_EIO, " (in.json:2)");
    put("{}\n[]\nnull\n");
    fails(sc, NULL, NULL, SPARK_EIO, "there is no object with a member to find types in");
    assert_int_equal(remove("in.json") || mkdir("in.json", 0700), 0);
    fails(sc, NULL, NULL, SPARK_EIO, "there is no object with a member to find types in");
    assert_int_equal(rmdir("in.json"), 0);
    put("{\"a\":1}");
    fails(sc, NULL, JSON(.sampling_ratio = 2), SPARK_EINVAL, "sampling_ratio");
    fails(sc, NULL, JSON(.encoding = "KOI8-R"), SPARK_EINVAL, "encoding");
    fails(sc, NULL, JSON(.line_sep = ""), SPARK_EINVAL, "line_sep");
    finds(sc, "{\"\":1,\"a\\u0000\":2,\"\\u0061\":3}", NULL, " |-- a: long (nullable = true)\n");
    oracle_close(sc);
}

static void test_json_files__what_is_deep_is_a_string(void **state)
{
    (void)state;
    enum { DEEP = 100, KEPT = 12 };
    char text[10 * DEEP] = "", *at = text;
    spark_context *sc = oracle_open(1);
    for (int i = 0; i < DEEP; i++)
        at += sprintf(at, "{\"a\":");
    at += sprintf(at, "1");
    for (int i = 0; i < DEEP; i++)
        at += sprintf(at, "}");
    put(text);
    spark_rdd *rdd = spark_read_json(sc, "in.json", NULL, NULL);
    const spark_type *type = spark_rdd_type(rdd);
    spark_array all;
    spark_str s;
    oracle_ok(spark_collect(rdd, type, &all));
    const void *row = spark_row_of(&all, 0);
    for (int i = 0; i + 1 < KEPT; i++) {
        const spark_field *a = spark_field_find(type, "a");
        row = spark_row_at(row, a);
        type = spark_field_value_type(a);
    }
    assert_true(spark_row_str(row, spark_field_find(type, "a"), &s));
    assert_int_equal(s.len, (DEEP - KEPT) * 6 + 1);
    spark_array_free(&all);
    oracle_close(sc);
}

static void test_json_files__names_that_are_data_are_told(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    FILE *out = fopen("in.json", "w");
    assert_non_null(out);
    for (int i = 0; i < 9000; i++)
        fprintf(out, "{\"k%d\":%d}\n", i * 7919 % 9001, i);
    fclose(out);
    spark_rdd *rdd = spark_read_json(sc, "in.json", NULL, NULL);
    assert_int_equal(spark_rdd_type(rdd)->count, 9000);
    int64_t n;
    oracle_ok(spark_count(rdd, &n));
    assert_int_equal(n, 9000);
    out = fopen("in.json", "a");
    for (int i = 9001; i < 10100; i++)
        fprintf(out, "{\"k%d\":%d}\n", i, i);
    fclose(out);
    fails(sc, NULL, NULL, SPARK_EIO, "more than 10000 different members");
    oracle_close(sc);
}

SPARK_STRUCT(pair_of, (spark_opt_i64, a), (spark_opt_str, b));
SPARK_STRUCT(judged, (spark_opt_i64, a), (spark_opt_str, _corrupt_record));

static void reads(spark_context *sc, const spark_type *type, const char *text, const spark_json_options *o,
    const char *want)
{
    put(text);
    oracle_collects(spark_read_json(sc, "in.json", type, o), want);
}

static void test_json_files__rules_are_options(void **state)
{
    (void)state;
    static const spark_json_options lenient = { .allow_comments = true,
        .allow_unquoted_field_names = true,
        .allow_numeric_leading_zeros = true,
        .allow_backslash_escaping_any_character = true,
        .allow_unquoted_control_chars = true };
    static const struct {
        const char *text, *want;
        spark_json_options on, off;
    } cases[] = {
        { "/**/{\"a\"/*\"*/:/* c */1}// end", "(1,)", { .allow_comments = true }, { .multi_line = false } },
        { "{a:1,b$:2}", "(1,)", { .allow_unquoted_field_names = true }, { .multi_line = false } },
        { "{'a':1,'b':'\"\\''}", "(1,\"')", { .multi_line = false }, { .allow_single_quotes = SPARK_OFF } },
        { "{\"a\":-007}", "(-7,)", { .allow_numeric_leading_zeros = true }, { .multi_line = false } },
        { "{\"a\":2,\"b\":NaN}", "(2,NaN)", { .multi_line = false }, { .allow_non_numeric_numbers = SPARK_OFF } },
        { "{\"a\":3,\"b\":\"\\q\\n\"}", "(3,q\n)", { .allow_backslash_escaping_any_character = true },
            { .multi_line = false } },
        { "{\"a\":4,\"b\":\"\t\"}", "(4,\t)", { .allow_unquoted_control_chars = true }, { .multi_line = false } },
    };
    spark_context *sc = oracle_open(1);
    for (size_t i = 0; i < LENGTH(cases); i++) {
        reads(sc, SPARK_TYPE(pair_of), cases[i].text, &cases[i].on, cases[i].want);
        reads(sc, SPARK_TYPE(pair_of), cases[i].text, &lenient, cases[i].want);
        reads(sc, SPARK_TYPE(pair_of), cases[i].text, &cases[i].off, "(,)");
    }
    oracle_close(sc);
}

static void test_json_files__lines_and_files_may_be_arrays_of_rows(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    const spark_type *type = SPARK_TYPE(judged);
    reads(sc, type, "[{\"a\":1},{\"a\":2}]\n[]\n{\"a\":3}\n [ ] \n", NULL, "(1,) (2,) (3,)");
    reads(sc, type, "[{\"a\":1},{\"a\":2},]\n{\"a\":3}\n", NULL, "(,[{\"a\":1},{\"a\":2},]) (3,)");
    reads(sc, type, "[{\"a\":1},{\"a\":\"x\"}]", JSON(.mode = SPARK_DROPMALFORMED), "(1,)");
    reads(sc, type, "\n[\n{\"a\":1,\n\"b\":[\n]},\r\n{}\n]\n", JSON(.multi_line = true), "(1,) (,)");
    reads(sc, type, "{\n\"a\":1\n}\n", JSON(.multi_line = true), "(1,)");
    reads(sc, type, " \n", JSON(.multi_line = true), "");
    reads(sc, type, "\xef\xbb\xbf{\"a\":1}", JSON(.multi_line = true), "(1,)");
    reads(sc, type, "[{\"a\":1},{\"a\":\"x\"}]", JSON(.multi_line = true), "(1,) (,{\"a\":\"x\"})");
    put("[\n{\"a\":1},\n{\"a\" 2}\n]");
    fails(sc, type, JSON(.multi_line = true, .mode = SPARK_FAILFAST), SPARK_EIO, "a colon is missing: in.json:3:6");
    put("[\r\n{\"a\":1},\r\n{\"a\":\r\n\"x\"}]");
    fails(sc, type, JSON(.multi_line = true, .mode = SPARK_FAILFAST), SPARK_EIO,
        "cannot read \"x\" as i64: in.json:4:1, member \"a\"");
    put("{\"a\":\"\xff\"}");
    fails(sc, type, JSON(.mode = SPARK_FAILFAST), SPARK_EIO, "a byte that is no UTF-8: in.json:1:7");
    scratch_write("in.json", "{\0\"\0a\0\"\0:\0", 10);
    fails(sc, type, NULL, SPARK_EIO, "in.json is not UTF-8: it has zero bytes, as UTF-16");
    fails(sc, type, JSON(.multi_line = true, .mode = SPARK_FAILFAST), SPARK_EIO, "in.json:1:6"); /* by its zeros */
    scratch_write("in.json", "\xff\xfe{\0", 4);
    fails(sc, type, NULL, SPARK_EIO, "in.json is not plain text: it is in UTF-16");
    oracle_close(sc);
}

static void test_json_files__records_may_have_other_ends(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    const spark_type *type = SPARK_TYPE(judged);
    reads(sc, type, "{\"a\":1};\n{\"a\":\n2};\n;\n[{\"a\":3}];\n{\"a\":4}", JSON(.line_sep = ";\n"), "(1,) (2,) (3,) (4,)");
    reads(sc, type, "{\"a\":1}\n\n{\"a\":2\n}\n\n\n\n", JSON(.line_sep = "\n\n"), "(1,) (2,)");
    reads(sc, type, "{\"a\":1}|{\"a\":\"|{\"a\":2}|", JSON(.line_sep = "|"), "(1,) (,{\"a\":\") (2,)");
    reads(sc, type, "{\"a\":1}\r\n{\"a\":2}\n", JSON(.line_sep = "\r\n"), "(1,) (2,)");
    put("{\"a\":1}|\n{\"a\" 2}|");
    fails(sc, type, JSON(.line_sep = "|", .mode = SPARK_FAILFAST), SPARK_EIO, "a colon is missing: in.json:2:6");
    oracle_close(sc);
}

SPARK_STRUCT(scored, (int64_t, a), (int64_t, b));

SPARK_FILTER(refuse_third, scored)
{
    if (in->a == 3)
        spark_fail(task, "the third");
    return true;
}

static void test_json_files__a_failure_finds_the_line_of_its_element(void **state)
{
    (void)state;
    int64_t n;
    spark_context *sc = oracle_open(1);
    put("[\n{\"a\":1,\"b\":1},\n{\"a\":2,\"b\":\n1},{\"a\":3,\"b\":1}]");
    spark_rdd *rows = spark_read_json(sc, "in.json", SPARK_TYPE(scored), JSON(.multi_line = true));
    oracle_fails(spark_count(spark_filter(rows, refuse_third, NULL), &n), SPARK_ETASK, "the third");
    assert_int_equal(spark_last_error()->line, 4);
    put("\n[{\"a\":1,\"b\":1},{\"a\":2,\"b\":1}]\n[{\"a\":3,\"b\":1}]\n");
    rows = spark_read_json(sc, "in.json", SPARK_TYPE(scored), NULL);
    oracle_fails(spark_count(spark_filter(rows, refuse_third, NULL), &n), SPARK_ETASK, "the third");
    assert_int_equal(spark_last_error()->line, 3);
    oracle_close(sc);
}

/* ---- writing ---- */

SPARK_DECIMAL(tiny, 18, 9);
SPARK_OPTIONAL(opt_bytes, spark_bytes);
SPARK_OPTIONAL(opt_bool, bool);
SPARK_STRUCT(inner, (spark_opt_f64, x), (spark_opt_str, s));
SPARK_OPTIONAL(opt_inner, inner);
SPARK_LIST(inners, opt_inner);
SPARK_STRUCT(all_kinds, (int8_t, i8), (uint64_t, u64), (float, f), (double, d), (tiny, t), (char, code, 4),
    (spark_date, day), (spark_time, at), (spark_str, s), (opt_bytes, bytes), (opt_bool, yes), (opt_inner, in),
    (inners, all));

/* has: of the one file in a directory. */
static void has(const char *directory, const char *want)
{
    char have[4000], command[200];
    snprintf(command, sizeof command, "cat %s/part-00000-*.json", directory);
    FILE *in = popen(command, "r");
    assert_non_null(in);
    have[fread(have, 1, sizeof have - 1, in)] = '\0';
    assert_int_equal(pclose(in), 0);
    assert_string_equal(have, want);
}

static void test_json_files__values_are_written_as_spark_writes_them(void **state)
{
    (void)state;
    static const opt_inner some[] = { { true, { { true, 1e7 }, { true, SPARK_STR("\xff\xe6\xbc\xa2") } } },
        { false, { { false, 0 }, { false, { NULL, 0 } } } } };
    const all_kinds rows[] = {
        { -7, UINT64_MAX, 1.5f, 0.001, { 1 }, "ab", { 19782 }, { 1500 }, SPARK_STR("\"\\/\b\f\n\r\t\x01\x1f\x7f"),
            { true, { "hello", 5 } }, { true, true }, some[0], { some, 2 } },
        { 0, 0, -INFINITY, NAN, { -1500000000 }, "", { 0 }, { 0 }, { NULL, 0 }, { false, { NULL, 0 } },
            { false, false }, some[1], { NULL, 0 } },
    };
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA_OF(all_kinds, rows), 1);
    oracle_ok(spark_write_json(rdd, "out", NULL));
    has("out",
        "{\"i8\":-7,\"u64\":18446744073709551615,\"f\":1.5,\"d\":0.001,\"t\":1E-9,\"code\":\"ab\","
        "\"day\":\"2024-02-29\",\"at\":\"1970-01-01T00:00:00.001500Z\",\"s\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001F\x7f\","
        "\"bytes\":\"aGVsbG8=\",\"yes\":true,\"in\":{\"x\":1.0E7,\"s\":\"\xef\xbf\xbd\xe6\xbc\xa2\"},"
        "\"all\":[{\"x\":1.0E7,\"s\":\"\xef\xbf\xbd\xe6\xbc\xa2\"},null]}\n"
        "{\"i8\":0,\"u64\":0,\"f\":\"-Infinity\",\"d\":\"NaN\",\"t\":-1.500000000,\"code\":\"\","
        "\"day\":\"1970-01-01\",\"at\":\"1970-01-01T00:00:00.000Z\",\"s\":\"\",\"all\":[]}\n");
    oracle_ok(spark_write_json(spark_sample(rdd, false, 0, 1), "none", NULL));
    const pair_of pairs[] = { { { true, 1 }, { false, { NULL, 0 } } }, { { false, 0 }, { true, SPARK_STR("x") } } };
    oracle_ok(spark_write_json(spark_parallelize(sc, SPARK_DATA_OF(pair_of, pairs), 1), "nulls",
        JSON(.ignore_null_fields = SPARK_OFF, .line_sep = "|\n")));
    has("nulls", "{\"a\":1,\"b\":null}|\n{\"a\":null,\"b\":\"x\"}|\n");
    oracle_fails(spark_write_json(spark_range(sc, 0, 1, 1, 1), "no", NULL), SPARK_ETYPE, "structs or pairs");
    oracle_fails(spark_write_json(rdd, "out", NULL), SPARK_EIO, "out");
    oracle_close(sc);
}

static void test_json_files__what_is_written_is_read_as_it_was(void **state)
{
    (void)state;
    enum { ROWS = 500 };
    static all_kinds rows[ROWS];
    static opt_inner elements[ROWS][3];
    static char bytes[ROWS][40];
    uint64_t seed = 11;
    for (int i = 0; i < ROWS; i++) {
        size_t n = oracle_below(&seed, 30), used = 0;
        while (used < n) /* any signs but the halves of pairs */
            bytes[i][used++] = (char)oracle_below(&seed, 128);
        const spark_str text = { bytes[i], n };
        double x;
        do {
            const uint64_t bits = oracle_random(&seed);
            memcpy(&x, &bits, sizeof x);
        } while (x != x);
        for (int k = 0; k < 3; k++)
            elements[i][k] = oracle_below(&seed, 3)
                ? (opt_inner) { true, { { oracle_below(&seed, 2), 0 }, { true, text } } }
                : (opt_inner) { .present = false };
        rows[i] = (all_kinds) { .i8 = (int8_t)oracle_random(&seed), .u64 = oracle_random(&seed), .f = (float)i / 7,
            .d = x, .t = { (int64_t)oracle_below(&seed, 1000000000) - i },
            .day = { (int32_t)oracle_below(&seed, 40000) }, .at = { (int64_t)oracle_below(&seed, 1000000) * 1000001 },
            .s = text, .yes = { i % 3 > 0, i % 2 }, .bytes = { i % 2, { i % 2 ? bytes[i] : NULL, i % 2 ? n : 0 } },
            .all = { elements[i], oracle_below(&seed, 4) } };
    }
    spark_context *sc = oracle_open(2);
    spark_array all;
    oracle_ok(spark_write_json(spark_parallelize(sc, SPARK_DATA(all_kinds, ROWS, rows), 3), "out", NULL));
    oracle_ok(spark_collect(spark_read_json(sc, "out", SPARK_TYPE(all_kinds), NULL), SPARK_TYPE(all_kinds), &all));
    assert_int_equal(all.n, ROWS);
    for (size_t i = 0; i < ROWS; i++)
        assert_true(spark_equal(SPARK_TYPE(all_kinds), &rows[i], spark_row_of(&all, i)));
    spark_array_free(&all);
    oracle_close(sc);
}

SPARK_MAP(as_text, pair_of, spark_str)
{
    *out = spark_to_json(task, SPARK_VALUE(pair_of, in));
}

static void test_json_files__functions_make_texts(void **state)
{
    (void)state;
    const pair_of pairs[] = { { { true, 1 }, { true, SPARK_STR("\n") } }, { { false, 0 }, { false, { NULL, 0 } } } };
    spark_context *sc = oracle_open(1);
    oracle_collects(spark_map(spark_parallelize(sc, SPARK_DATA_OF(pair_of, pairs), 1), as_text, NULL),
        "{\"a\":1,\"b\":\"\\n\"} {}");
    oracle_close(sc);
}

/* ---- the same whatever the splits ---- */

static spark_rdd *build_found(spark_context *sc, int partitions, const void *arg)
{
    return spark_read_json(sc, "in.json", NULL,
        JSON(.min_partitions = partitions, .multi_line = *(const bool *)arg, .mode = SPARK_DROPMALFORMED));
}

static void test_json_files__splits_threads_and_faults_change_nothing(void **state)
{
    (void)state;
    for (int multi = 0; multi < 2; multi++) {
        uint64_t seed = 5;
        FILE *out = fopen("in.json", "w");
        assert_non_null(out);
        fputs(multi ? "[" : "", out);
        for (int i = 0; i < 700; i++) {
            fprintf(out, "%s{\"n\":%d,\"s\":[%d,null],\"t\":{\"x\":\"%0*d\"}%s}\n", multi && i > 0 ? "," : "", i, i,
                (int)oracle_below(&seed, i % 50 ? 20 : 9000), i, i % 7 ? "" : ",\"o\":1.5");
            if (i % 11 == 0 && !multi)
                fputs("[{\"n\":-1},{\"n\":-2,\"o\":null}]\n\n{\"n\":\n", out);
        }
        fputs(multi ? "]" : "", out);
        fclose(out);
        const bool whole = multi;
        spark_context *sc = oracle_open(1);
        spark_array naive;
        spark_rdd *rdd = build_found(sc, 1, &whole);
        oracle_ok(spark_collect(rdd, spark_rdd_type(rdd), &naive));
        assert_int_equal(naive.n, multi ? 700 : 700 + 2 * 64);
        oracle_compare(build_found, &whole, true, naive.type, naive.n, naive.items);
        spark_array_free(&naive);
        oracle_close(sc);
    }
}

SPARK_STRUCT(with_text, (spark_str, text), (int64_t, n));
SPARK_MAP(to_with_text, int64_t, with_text)
{
    static const char *const texts[] = { "", "|", "||", "a|b", "\xc2\xb6", "x\xc2\xb6\xf0\x9f\x98\x80y", "~", "}~{", "a b",
        ", ", "\\|\"", "\x1e" };
    const char *text = texts[*in % 12];
    *out = (with_text) { { text, strlen(text) }, *in };
}

/* Whatever ends lines is escaped in strings, so that what is written is read as it was; what may stand between
 * strings is refused. */
static void test_json_files__what_ends_lines(void **state)
{
    static const char *const good[] = { "||", "\x1e", "\xc2\xb6", "~\n", "a~", " ", "}|{", "\r", "\xf0\x9f\x98\x80" };
    static const char *const bad[] = { ",", "}", "}{", "true", "0", "abc", "\"", "\\", "eE" };
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rows = spark_map(spark_range(sc, 0, 36, 1, 2), to_with_text, NULL);
    char *want = oracle_layout(spark_coalesce(rows, 1));
    for (size_t i = 0; i < LENGTH(good); i++) {
        const spark_json_options o = { .line_sep = good[i], .min_partitions = 1,
            .save = { .mode = SPARK_SAVE_OVERWRITE } };
        oracle_ok(spark_write_json(rows, "out", &o));
        char *have = oracle_layout(spark_coalesce(spark_read_json(sc, "out", SPARK_TYPE(with_text), &o), 1));
        assert_string_equal(want, have);
        free(have);
    }
    free(want);
    for (size_t i = 0; i < LENGTH(bad); i++)
        oracle_fails(spark_write_json(rows, "bad", JSON(.line_sep = bad[i])), SPARK_EINVAL,
            "option line_sep may be a part of an object");
    assert_int_equal(access("bad", F_OK), -1);
    oracle_close(sc);
}

static void test_json_files__flags_have_three_values(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    put("{}");
    const spark_flag two = (spark_flag)2;
    fails(sc, SPARK_TYPE(with_text), JSON(.allow_single_quotes = two), SPARK_EINVAL, "option allow_single_quotes");
    fails(sc, SPARK_TYPE(with_text), JSON(.allow_non_numeric_numbers = two), SPARK_EINVAL, "option allow_non_numeric");
    fails(sc, SPARK_TYPE(with_text), JSON(.ignore_null_fields = two), SPARK_EINVAL, "option ignore_null_fields");
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        file_test(test_json_files__what_ends_lines),
        file_test(test_json_files__flags_have_three_values),
        file_test(test_json_files__types_are_found),
        file_test(test_json_files__options_say_what_types_there_are),
        file_test(test_json_files__what_is_deep_is_a_string),
        file_test(test_json_files__names_that_are_data_are_told),
        file_test(test_json_files__rules_are_options),
        file_test(test_json_files__lines_and_files_may_be_arrays_of_rows),
        file_test(test_json_files__records_may_have_other_ends),
        file_test(test_json_files__a_failure_finds_the_line_of_its_element),
        file_test(test_json_files__values_are_written_as_spark_writes_them),
        file_test(test_json_files__what_is_written_is_read_as_it_was),
        file_test(test_json_files__functions_make_texts),
        file_test(test_json_files__splits_threads_and_faults_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
