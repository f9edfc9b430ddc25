/* SPDX-License-Identifier: Apache-2.0 */
/* JSON texts: what is accepted and what is not, by the cases of JSONTestSuite; and that walking along a text
 * finds what it was made of. */
#include <math.h>

#include "file_test.h"

static bool accepts(const char *text, size_t n)
{
    spark_json value;
    spark_json_error error = { 0, NULL };
    const bool good = spark_json_parse((spark_str) { text, n }, &value, &error);
    assert_int_equal(good, value.kind != SPARK_JSON_NOTHING);
    assert_int_equal(good, error.why == NULL);
    assert_true(error.at <= n);
    return good;
}

/* refused: those of the i_ cases that are: bytes that are no UTF-8, and byte order marks. Numbers beyond any
 * range are numbers; halves of surrogates in escapes are U+FFFD. */
static bool refused(const char *name)
{
    static const char *const parts[] = { "UTF-16", "utf16", "UTF-8_invalid", "UTF8_surrogate",
        "invalid_utf-8", "iso_latin", "lone_utf8", "not_in_unicode", "overlong", "truncated", "BOM" };
    for (size_t i = 0; i < LENGTH(parts); i++)
        if (strstr(name, parts[i]))
            return true;
    return name[0] == 'n';
}

static void test_json__the_suite_is_decided(void **state)
{
    (void)state;
    static char line[50000], name[200], hex[50000], bytes[25000];
    FILE *cases = fopen(JSON_CASES, "r");
    int n = 0;
    assert_non_null(cases);
    while (fgets(line, sizeof line, cases)) {
        if (line[0] == '#')
            continue;
        assert_int_equal(sscanf(line, "%199s %49999s", name, hex), 2);
        const size_t size = hex[0] == '-' ? 0 : strlen(hex) / 2;
        for (size_t i = 0; i < size; i++) {
            unsigned byte;
            assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
            bytes[i] = (char)byte;
        }
        if (accepts(bytes, size) == refused(name))
            fail_msg("%s", name);
        n++;
    }
    fclose(cases);
    assert_int_equal(n, 316);
}

static void test_json__depth_has_a_limit_and_needs_no_stack(void **state)
{
    (void)state;
    enum { MANY = 1000000 };
    char *text = malloc(2 * MANY + 1);
    assert_non_null(text);
    for (size_t n = 1; n <= MANY; n *= 10)
        for (int closed = 0; closed < 2; closed++) {
            memset(text, '[', n);
            memset(text + n, ']', n);
            assert_int_equal(accepts(text, closed ? 2 * n : n), closed && n <= SPARK_JSON_DEPTH);
        }
    for (size_t i = 0; i < MANY; i += 5)
        memcpy(text + i, "[{\"\":", 5);
    assert_false(accepts(text, MANY));
    free(text);
}

static void test_json__errors_name_the_byte(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t at;
        const char *why;
    } cases[] = { { "{\"a\":1,}", 7, "the name of a member is missing" },
        { "[1 2]", 3, "a comma or ] is missing" }, { "{\"a\" 1}", 5, "a colon is missing" },
        { "\"\xff\"", 1, "a byte that is no UTF-8" }, { "\"\\x\"", 1, "an escape that there is not" },
        { "", 0, "the text ends too early" }, { "[1,", 3, "the text ends too early" },
        { "1 x", 2, "more behind the value" }, { "nul", 0, "no value" } };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        spark_json value;
        spark_json_error error;
        assert_false(spark_json_parse(
            (spark_str) { cases[i].text, strlen(cases[i].text) }, &value, &error));
        assert_int_equal(error.at, cases[i].at);
        assert_string_equal(error.why, cases[i].why);
    }
}

/* ---- what is walked along ---- */

static spark_json parsed(const char *text)
{
    spark_json value;
    assert_true(spark_json_parse((spark_str) { text, strlen(text) }, &value, NULL));
    return value;
}

static void test_json__numbers_are_exact(void **state)
{
    (void)state;
    int64_t i = 5;
    double x = 5;
    bool b = false;
    assert_true(spark_json_i64(parsed("-9223372036854775808"), &i) && i == INT64_MIN);
    assert_true(spark_json_i64(parsed(" 9007199254740993 "), &i) && i == 9007199254740993);
    assert_false(spark_json_i64(parsed("9223372036854775808"), &i));
    assert_false(spark_json_i64(parsed("1.0"), &i));
    assert_false(spark_json_i64(parsed("\"1\""), &i));
    assert_true(spark_json_f64(parsed("0.1"), &x) && x == 0.1);
    assert_true(spark_json_f64(parsed("-1e999"), &x) && isinf(x) && x < 0);
    assert_true(spark_json_bool(parsed("true"), &b) && b);
    assert_false(spark_json_bool(parsed("null"), &b));
    spark_json none = spark_json_get(parsed("{\"a\":[1,{\"b\":2}]}"), "c");
    assert_int_equal(none.kind, SPARK_JSON_NOTHING);
    assert_false(spark_json_i64(spark_json_get(spark_json_at(none, 3), "x"), &i));
    const spark_json two
        = spark_json_get(spark_json_at(spark_json_get(parsed("{\"a\":[1,{\"\\u0062\":2}]}"), "a"), 1), "b");
    assert_true(spark_json_i64(two, &i) && i == 2);
}

/* pen: a text and what it means, in a form without blanks and escapes. */
typedef struct pen {
    oracle_text text, plain;
    uint64_t seed;
} pen;

static void both(pen *p, const char *s)
{
    oracle_append(&p->text, s, strlen(s));
    oracle_append(&p->plain, s, strlen(s));
}

static void blanks(pen *p)
{
    static const char *const some[] = { "", "", " ", "\n", "\t ", "\r\n" };
    const char *s = some[scratch_random(&p->seed) % LENGTH(some)];
    oracle_append(&p->text, s, strlen(s));
}

static void draw_string(pen *p)
{
    static const struct {
        const char *text, *plain;
    } signs[] = { { "a", "a" }, { "\\\"", "\"" }, { "\\\\", "\\" }, { "\\n", "\n" }, { "\\u00e9", "\xc3\xa9" },
        { "\xe6\xbc\xa2", "\xe6\xbc\xa2" }, { "\\ud83d\\ude00", "\xf0\x9f\x98\x80" }, { "]", "]" },
        { "}", "}" }, { ",", "," }, { "\\ud800", "\xef\xbf\xbd" }, { "\\/", "/" }, { "\\u0041", "A" } };
    both(p, "\"");
    for (uint32_t n = scratch_random(&p->seed) % 6; n > 0; n--) {
        const size_t i = scratch_random(&p->seed) % LENGTH(signs);
        oracle_append(&p->text, signs[i].text, strlen(signs[i].text));
        oracle_append(&p->plain, signs[i].plain, strlen(signs[i].plain));
    }
    both(p, "\"");
}

static void draw(pen *p, int depth)
{
    static const char *const scalars[] = { "0", "-1.5e+3", "true", "false", "null", "12", "-0" };
    const uint32_t kind = scratch_random(&p->seed) % (depth > 0 ? 4 : 2);
    const uint32_t n = kind > 1 ? scratch_random(&p->seed) % 5 : 0;
    blanks(p);
    if (kind == 0)
        both(p, scalars[scratch_random(&p->seed) % LENGTH(scalars)]);
    else if (kind == 1)
        draw_string(p);
    else
        both(p, kind == 2 ? "[" : "{");
    blanks(p);
    for (uint32_t i = 0; i < n; i++) {
        if (i > 0)
            both(p, ",");
        if (kind == 3) {
            blanks(p);
            draw_string(p);
            blanks(p);
            both(p, ":");
        }
        draw(p, depth - 1);
    }
    if (kind > 1)
        both(p, kind == 2 ? "]" : "}");
    blanks(p);
}

/* SPARK_MAP bodies have a task; walk prints the value as draw has drawn it. */
static void walk(spark_task *task, spark_json value, oracle_text *out)
{
    spark_str s, key;
    spark_json rest = value, inner;
    const bool object = value.kind == SPARK_JSON_OBJECT;
    if (value.kind == SPARK_JSON_STRING) {
        assert_true(spark_json_str(task, value, &s));
        oracle_append(out, "\"", 1);
        oracle_append(out, s.ptr, s.len);
        oracle_append(out, "\"", 1);
    } else if (object || value.kind == SPARK_JSON_ARRAY) {
        oracle_append(out, object ? "{" : "[", 1);
        for (int i = 0; spark_json_next(&rest, &key, &inner); i++) {
            oracle_append(out, ",", i > 0);
            if (object) {
                assert_true(spark_json_unescape(task, key, &s));
                oracle_append(out, "\"", 1);
                oracle_append(out, s.ptr, s.len);
                oracle_append(out, "\":", 2);
            }
            walk(task, inner, out);
        }
        oracle_append(out, object ? "}" : "]", 1);
    } else {
        oracle_append(out, value.text.ptr, value.text.len);
    }
}

SPARK_FOREACH(compare, spark_i64_list)
{
    for (size_t i = 0; i < in->n; i++) {
        pen p = { .seed = (uint64_t)in->at[i] };
        oracle_text have = { NULL, 0, 0 };
        spark_json value;
        draw(&p, 6);
        if (!spark_json_parse((spark_str) { p.text.bytes, p.text.length }, &value, NULL))
            spark_fail(task, "refused");
        walk(task, value, &have);
        if (have.length != p.plain.length || memcmp(have.bytes, p.plain.bytes, have.length) != 0)
            spark_fail(task, "another value");
        free(have.bytes);
        free(p.text.bytes);
        free(p.plain.bytes);
    }
}

static void test_json__a_walk_finds_what_was_written(void **state)
{
    (void)state;
    enum { TEXTS = 3000 };
    static int64_t seeds[TEXTS];
    for (int i = 0; i < TEXTS; i++)
        seeds[i] = i;
    const spark_i64_list list = { seeds, TEXTS };
    spark_context *sc = oracle_open(1);
    oracle_ok(spark_foreach(spark_parallelize(sc, SPARK_DATA(spark_i64_list, 1, &list), 1), compare, NULL));
    oracle_close(sc);
}

/* ---- rows ---- */

SPARK_STRUCT(place, (spark_str, city), (spark_opt_f64, lat));
SPARK_OPTIONAL(opt_place, place);
SPARK_LIST(places, place);
SPARK_OPTIONAL(opt_places, places);
SPARK_OPTIONAL(opt_day, spark_date);
SPARK_STRUCT(order, (int64_t, id), (char, code, 3), (opt_place, to), (opt_places, stops), (spark_opt_str, raw),
    (opt_day, day), (spark_opt_str, _corrupt_record));
SPARK_STRUCT(loose, (spark_opt_i64, id), (spark_opt_str, _corrupt_record));

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
}

static void test_json__objects_become_structs(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    put("{\"id\":9007199254740993,\"to\":{\"lat\":1.5,\"city\":\"K\\u00f6ln\",\"x\":[1]},\"code\":\"ab\"}\n"
        "\n \r\n"
        "{\"code\":\"\",\"raw\":{\"a\": [1, 2]},\"stops\":[{\"city\":\"A\"},{\"city\":\"B\",\"lat\":null}],"
        "\"day\":\"2024-02-29\",\"id\":1,\"id\":2}\n"
        "{\"id\":3,\"code\":\"x\",\"stops\":[],\"to\":{\"lat\":2},\"raw\":true}");
    oracle_collects(spark_read_json(sc, "in.json", SPARK_TYPE(order), NULL),
        "(9007199254740993,ab,(K\xc3\xb6ln,1.5),,,,) "
        "(2,,,[(A,),(B,)],{\"a\": [1, 2]},2024-02-29,) "
        "(3,x,,[],true,,{\"id\":3,\"code\":\"x\",\"stops\":[],\"to\":{\"lat\":2},\"raw\":true})");
    oracle_close(sc);
}

static void test_json__modes_say_what_becomes_of_malformed_lines(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    put("{\"id\":1}\n{\"id\":\"x\"}\n{\"id\":2\n[3]\n{\"id\":1.5}\n{\"id\":null}\n");
    oracle_collects(spark_read_json(sc, "in.json", SPARK_TYPE(loose), NULL),
        "(1,) (,{\"id\":\"x\"}) (,{\"id\":2) (,[3]) (,{\"id\":1.5}) (,)");
    oracle_collects(
        spark_read_json(sc, "in.json", SPARK_TYPE(loose), JSON(.mode = SPARK_DROPMALFORMED)), "(1,) (,)");
    fails(sc, SPARK_TYPE(loose), JSON(.mode = SPARK_FAILFAST), SPARK_EIO,
        "cannot read \"x\" as i64: in.json:2:7, member \"id\"");
    assert_int_equal(spark_last_error()->line, 2);
    put("{\"id\":1,\"code\":\"a\"}\n{\"id\":null,\"code\":\"a\"}\n");
    fails(sc, SPARK_TYPE(order), NULL, SPARK_EIO, "null where a i64 must be: in.json:2:7, member \"id\"");
    put("{\"id\":1,\"code\":\"a\"}\n{\"id\":1}\n");
    fails(sc, SPARK_TYPE(order), NULL, SPARK_EIO, "member \"code\"");
    put("{\"id\":1,\"code\":\"a\"}\n{\"id\":1,\n");
    fails(sc, SPARK_TYPE(order), NULL, SPARK_EIO, "the name of a member is missing: in.json:2:9");
    fails(sc, SPARK_TYPE(int64_t), NULL, SPARK_ETYPE, "rows must be structs or pairs");
    oracle_close(sc);
}

/* What Spark 4.3 makes of values that are no objects, where one stands alone between two rows, or is all of a
 * file: one malformed record, whatever objects are in it. corrupt: whether the type it finds says so. */
static void test_json__what_is_no_object_is_one_malformed_record(void **state)
{
    static const struct {
        const char *text;
        bool corrupt;
    } cases[] = { { "null", false }, { "[null]", false }, { "[{\"id\":1},null]", false },
        { "[null,{\"id\":1}]", false }, { "\"\"", false }, { "[\"\"]", false }, { "[{\"id\":1},\"\"]", false },
        { "[[{\"id\":1}]]", false }, { "[[],null]", false }, { "[[],[{\"id\":1}]]", false },
        { "[[[]],[{\"id\":1}]]", true }, { "[[{\"id\":1}],{\"id\":2}]", true }, { "[[{\"id\":1}],[[]]]", true },
        { "[[],1]", true }, { "1", true }, { "\"x\"", true }, { "true", true }, { "[1]", true },
        { "[{\"no\":1},2]", true }, { "[{\"no\":1},[]]", true }, { "[[],{\"no\":1}]", true }, { "[1,null]", true } };
    (void)state;
    spark_context *sc = oracle_open(1);
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char text[100], want[100];
        put(cases[i].text);
        snprintf(want, sizeof want, "(,%s)", cases[i].text);
        oracle_collects(spark_read_json(sc, "in.json", SPARK_TYPE(loose), JSON(.multi_line = true)), want);
        snprintf(text, sizeof text, "{\"id\":7}\n%s\n{\"id\":8}\n", cases[i].text);
        put(text);
        snprintf(want, sizeof want, "(7,) (,%s) (8,)", cases[i].text);
        oracle_collects(spark_read_json(sc, "in.json", SPARK_TYPE(loose), NULL), want);
        oracle_collects(
            spark_read_json(sc, "in.json", SPARK_TYPE(loose), JSON(.mode = SPARK_DROPMALFORMED)), "(7,) (8,)");
        fails(sc, SPARK_TYPE(loose), JSON(.mode = SPARK_FAILFAST), SPARK_EIO, "a row must be an object: in.json:2:");
        fails(sc, NULL, JSON(.mode = SPARK_FAILFAST), SPARK_EIO, "a row must be an object");
        const spark_type *found = spark_rdd_type(spark_read_json(sc, "in.json", NULL, NULL));
        assert_int_equal(found->count, 1 + cases[i].corrupt);
        assert_int_equal(spark_field_find(found, "_corrupt_record") != NULL, cases[i].corrupt);
    }
    put("{\"id\":7}\n\n  \n[]\n{\"id\":8}\n"); /* no record, or one without rows */
    oracle_collects(spark_read_json(sc, "in.json", SPARK_TYPE(loose), JSON(.mode = SPARK_FAILFAST)), "(7,) (8,)");
    oracle_close(sc);
}

enum { ROWS = 900 };

static spark_rdd *build_orders(spark_context *sc, int partitions, const void *arg)
{
    (void)arg;
    return spark_read_json(sc, "in.json", SPARK_TYPE(order),
        JSON(.mode = SPARK_DROPMALFORMED, .min_partitions = partitions));
}

static void write_orders(void)
{
    uint64_t seed = 3;
    FILE *out = fopen("in.json", "w");
    assert_non_null(out);
    for (int i = 0; i < ROWS; i++) {
        const uint32_t r = scratch_random(&seed);
        if (r % 9 == 0)
            fputs(r % 2 ? "\n" : "{\"id\":\n", out);
        fprintf(out, "{\"id\":%d,\"code\":\"a\",\"raw\":\"%0*d\\n\",\"stops\":[", i,
            (int)(r % 200 ? r % 30 : r % 40000), i);
        for (uint32_t k = 0; k < r % 4; k++)
            fprintf(out, "%s{\"city\":\"c%u\",\"lat\":%u}", k ? "," : "", k, k);
        fputs("]}\n", out);
    }
    fclose(out);
}

static void test_json__splits_threads_and_batches_change_nothing(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_array naive;
    write_orders();
    oracle_ok(spark_collect(build_orders(sc, 1, NULL), SPARK_TYPE(order), &naive));
    assert_int_equal(naive.n, ROWS);
    for (int i = 0; i < ROWS; i++)
        assert_int_equal(SPARK_ITEMS(order, &naive)[i].id, i);
    oracle_compare(build_orders, NULL, true, SPARK_TYPE(order), naive.n, naive.items);
    spark_array_free(&naive);
    oracle_close(sc);
}

SPARK_MAP(refuse_700, order, int64_t)
{
    if (in->id == 700)
        spark_fail(task, "not this one");
    *out = in->id;
}

static void test_json__a_failure_of_a_function_finds_its_line(void **state)
{
    (void)state;
    char line[60000];
    int64_t n, number = 0;
    write_orders();
    FILE *in = fopen("in.json", "r");
    do {
        assert_non_null(fgets(line, sizeof line, in));
        number++;
    } while (strncmp(line, "{\"id\":700,", 10) != 0);
    fclose(in);
    spark_context *sc = oracle_open(2);
    oracle_fails(spark_count(spark_map(build_orders(sc, 5, NULL), refuse_700, NULL), &n), SPARK_ETASK,
        "not this one");
    assert_int_equal(spark_last_error()->line, number);
    oracle_close(sc);
}

static void test_json__takes_null_for_what_is_not_wanted(void **state)
{
    (void)state;
    const spark_str text = { "{\"a\":[1,true]}", 14 };
    spark_json object, rest;
    int64_t n;
    assert_false(spark_json_parse((spark_str) { NULL, 0 }, &object, NULL));
    assert_int_equal(object.kind, SPARK_JSON_NOTHING);
    assert_true(spark_json_parse(text, NULL, NULL));
    assert_true(spark_json_parse(text, &object, NULL));
    assert_int_equal(spark_json_get(object, NULL).kind, SPARK_JSON_NOTHING);
    rest = object;
    assert_true(spark_json_next(&rest, NULL, NULL));
    assert_false(spark_json_next(&rest, NULL, NULL));
    assert_false(spark_json_next(NULL, NULL, NULL));
    rest = spark_json_get(object, "a");
    assert_false(spark_json_i64(spark_json_at(rest, 0), NULL) || spark_json_f64(spark_json_at(rest, 0), NULL)
        || spark_json_bool(spark_json_at(rest, 1), NULL));
    assert_true(spark_json_next(&rest, NULL, NULL));
    assert_false(spark_json_i64(spark_json_at(rest, 1), &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json__the_suite_is_decided),
        cmocka_unit_test(test_json__depth_has_a_limit_and_needs_no_stack),
        cmocka_unit_test(test_json__errors_name_the_byte),
        cmocka_unit_test(test_json__numbers_are_exact),
        cmocka_unit_test(test_json__takes_null_for_what_is_not_wanted),
        oracle_test(test_json__a_walk_finds_what_was_written),
        file_test(test_json__objects_become_structs),
        file_test(test_json__modes_say_what_becomes_of_malformed_lines),
        file_test(test_json__what_is_no_object_is_one_malformed_record),
        file_test(test_json__splits_threads_and_batches_change_nothing),
        file_test(test_json__a_failure_of_a_function_finds_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
