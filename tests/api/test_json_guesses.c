/* SPDX-License-Identifier: Apache-2.0 */
/* Objects whose members are named as in the object before are read in a way of their own: it must give what
 * reading each by itself gives, whatever stands where the usual values do. */
#include "file_test.h"

SPARK_OPTIONAL(opt_i32, int32_t);
SPARK_OPTIONAL(opt_bool, bool);
SPARK_OPTIONAL(opt_day, spark_date);
SPARK_STRUCT(kinds, (spark_opt_i64, a), (opt_i32, b), (spark_opt_f64, c), (spark_opt_str, d), (opt_bool, e),
    (opt_day, f), (spark_opt_str, _corrupt_record));

static const char *const values[] = { "1", "-1", "0", "-0", "00", "01", "-01", "1.5", "-0.25", "0.0", "1.", ".5", "-.5",
    "1.2.3", "1..2", "-", "--1", "+1", "1-", "1e5", "1E+5", "1e", "2147483648", "9223372036854775808",
    "123456789012345", "1234567890123456", "123456789012.25", "12345678901234.", "12345678901234.5", "1.23456789012345",
    "true", "false", "null", "tru", "truE", "True", "falsx", "fals", "alse", "xalse", "nul", "nulls", "nall", "trues",
    "\"\"", "\"a\"", "\"a,b\"", "\"a}b\"", "\"a\\\"b\"", "\"\\u00e9\"", "\"\xc3\xa9\"", "\"\xff\"", "\"tab\there\"", "\"a\"b",
    "\"a\" \"b\"", "\"a", "a\"", "\"2024-02-29\"", "\"2024-02-30\"", "\"1\"", "\"true\"",
    "\"sixteen bytes or\"", "\"a text that does not end within forty-eight bytes, nor\"",
    "\"a text of more than sixty-four bytes, which are all that are looked at at once\"", "NaN", "-INF", "'a'", "{}", "[]",
    "[1,2]", "{\"a\":1}", "{\"a\":{\"b\":\"}\"}}", " 1", "1 ", "\t1", "1\t", "  1", "", " ", ",", "1,", "1 2", "\x80", "\x01" };

/* put: a file in which each value stands for each member's once, before and behind an object that is as usual. */
static void put(const char *comma)
{
    static const char *const usual[] = { "1", "-2", "3.25", "\"text\"", "true", "\"2024-03-01\"", "17" };
    static const char names[] = "abcdefx";
    FILE *out = fopen("in.json", "w");
    assert_non_null(out);
    for (size_t v = 0; v < LENGTH(values); v++)
        for (size_t at = 0; at < 2 * LENGTH(usual); at++) {
            for (size_t i = 0; i < LENGTH(usual); i++)
                fprintf(out, "%s\"%c\":%s", i == 0 ? "{" : comma, names[i], 2 * i == at ? values[v] : usual[i]);
            fputs("}\n", out);
        }
    for (int i = 0; i < 100; i++) /* so that what is before does not end the file */
        fputs("{}\n", out);
    fclose(out);
}

/* read_as: its rows, as text; comments: nothing is guessed where they are allowed. */
static char *read_as(spark_context *sc, bool comments, spark_flag names)
{
    spark_array all;
    oracle_ok(spark_collect(
        spark_read_json(sc, "in.json", SPARK_TYPE(kinds),
            &(spark_json_options) { .allow_comments = comments, .min_partitions = 1, .allow_non_numeric_numbers = names }),
        NULL, &all));
    assert_int_equal(all.n, LENGTH(values) * 14 + 100);
    char *text = oracle_listing(&all, false);
    spark_array_free(&all);
    return text;
}

static void test_json_guesses__change_nothing(void **state)
{
    static const char *const commas[] = { ",", ", ", ",  ", " ,", ",\t" };
    (void)state;
    spark_context *sc = oracle_open(1);
    for (size_t i = 0; i < 2 * LENGTH(commas); i++) {
        const spark_flag names = i % 2 ? SPARK_OFF : SPARK_ON;
        put(commas[i / 2]);
        char *want = read_as(sc, true, names), *have = read_as(sc, false, names);
        assert_string_equal(have, want);
        free(want);
        free(have);
    }
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = { file_test(test_json_guesses__change_nothing) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
