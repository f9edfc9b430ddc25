/* SPDX-License-Identifier: Apache-2.0 */
/* The text form of every kind, and what happens where it does not fit. */
#include "random_value.h"

#include <locale.h>
#include <time.h>

#define PRINTS(T, want, ...) expect_text(SPARK_TYPE(T), &(T) __VA_ARGS__, want)

SPARK_STRUCT(labelled, (char, code, 4), (int32_t, n, 2), (spark_str, s));
SPARK_DECIMAL(whole, 9, 0);
SPARK_DECIMAL(fine, 18, 18);
SPARK_LIST(invoice_pairs, word_count);

static void expect_text(const spark_type *type, const void *value, const char *want)
{
    char text[512] = { 0 };
    const size_t n = spark_print(type, value, text, sizeof text - 1);
    assert_string_equal(text, want);
    assert_int_equal(n, strlen(want));
}

static void test_print__integers_and_flags(void **state)
{
    (void)state;
    PRINTS(int8_t, "-128", { INT8_MIN });
    PRINTS(uint8_t, "255", { 255 });
    PRINTS(int16_t, "-32768", { INT16_MIN });
    PRINTS(uint16_t, "65535", { 65535 });
    PRINTS(int32_t, "-2147483648", { INT32_MIN });
    PRINTS(uint32_t, "4294967295", { UINT32_MAX });
    PRINTS(int64_t, "-9223372036854775808", { INT64_MIN });
    PRINTS(uint64_t, "18446744073709551615", { UINT64_MAX });
    PRINTS(char, "x", { 'x' });
    PRINTS(char, "", { '\0' });
    expect_text(&spark_type_of_bool, &(bool) { true }, "true");
    expect_text(&spark_type_of_bool, &(bool) { false }, "false");
}

static void test_print__doubles_and_floats(void **state)
{
    (void)state;
    PRINTS(double, "12.5", { 12.5 });
    PRINTS(double, "0.1", { 0.1 });
    PRINTS(float, "0.1", { 0.1f });
    PRINTS(float, "16777216", { 16777216.0f });
    PRINTS(float, "1e-45", { 1e-45f });
    PRINTS(float, "-inf", { -INFINITY });
}

static void test_print__decimals(void **state)
{
    (void)state;
    PRINTS(money, "12.50", { 1250 });
    PRINTS(money, "-0.05", { -5 });
    PRINTS(money, "0.00", { 0 });
    PRINTS(whole, "-7", { -7 });
    PRINTS(fine, "0.000000000000000001", { 1 });
    PRINTS(money, "-92233720368547758.08", { INT64_MIN });
}

static void test_print__dates_and_times(void **state)
{
    (void)state;
    PRINTS(spark_date, "1970-01-01", { 0 });
    PRINTS(spark_date, "1969-12-31", { -1 });
    PRINTS(spark_date, "2024-02-29", { 19782 });
    PRINTS(spark_date, "0000-03-01", { -719468 });
    PRINTS(spark_date, "-0001-12-31", { -719529 });
    PRINTS(spark_date, "5881580-07-11", { INT32_MAX });
    PRINTS(spark_date, "-5877641-06-23", { INT32_MIN });
    PRINTS(spark_time, "1970-01-01 00:00:00", { 0 });
    PRINTS(spark_time, "2024-01-02 03:04:05.123456", { 1704164645123456 });
    PRINTS(spark_time, "2024-01-02 03:04:05.12", { 1704164645120000 });
    PRINTS(spark_time, "1969-12-31 23:59:59.999999", { -1 });
    PRINTS(spark_time, "294247-01-10 04:00:54.775807", { INT64_MAX });
    PRINTS(spark_time, "-290308-12-21 19:59:05.224192", { INT64_MIN });
}

static void test_print__dates_as_gmtime_has_them(void **state)
{
    (void)state;
    for (int i = 0; i < 100000; i++) {
        char want[64];
        const spark_date date = { (int32_t)random_below(3600000) - 700000 };
        const time_t seconds = (time_t)date.days * 86400;
        struct tm tm;
        gmtime_r(&seconds, &tm);
        snprintf(want, sizeof want, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
        expect_text(SPARK_TYPE(spark_date), &date, want);
    }
}

static void test_print__structs_lists_and_optionals(void **state)
{
    const spark_str words[] = { SPARK_STR("a"), SPARK_STR(""), SPARK_STR("c d") };
    const word_count pairs[] = { { SPARK_STR("x"), 1 }, { SPARK_STR("y"), 2 } };
    (void)state;
    PRINTS(word_count, "(the,7)", { SPARK_STR("the"), 7 });
    PRINTS(labelled, "(EUR,[1,2],x)", { "EUR", { 1, 2 }, SPARK_STR("x") });
    PRINTS(labelled, "(ABCD,[0,0],)", { { 'A', 'B', 'C', 'D' }, { 0 }, { NULL, 0 } });
    PRINTS(spark_str_list, "[a,,c d]", { words, 3 });
    PRINTS(spark_str_list, "[]", { NULL, 0 });
    PRINTS(invoice_pairs, "[(x,1),(y,2)]", { pairs, 2 });
    PRINTS(spark_opt_i32, "", { false, 3 });
    PRINTS(spark_opt_i32, "3", { true, 3 });
    PRINTS(blob12, "010000000200000003000000", { { 1, 2, 3 } });
}

static void test_print__uses_overrides_at_any_depth(void **state)
{
    const modulo items[] = { { 6, 0 }, { 3, 0 } };
    (void)state;
    PRINTS(modulo, "<1>", { 5, 0 });
    PRINTS(modulo_list, "[<2>,<3>]", { items, 2 });
    PRINTS(opt_modulo, "<3>", { true, { 7, 0 } });
    PRINTS(modulo_pair, "(<0>,(k,1))", { { 4, 0 }, { SPARK_STR("k"), 1 } });
}

static void test_print__writes_no_more_than_fits(void **state)
{
    const modulo items[] = { { 6, 0 }, { 3, 0 } };
    const modulo_pair value = { { 4, 0 }, { SPARK_STR("key"), 123456 } };
    const modulo_list list = { items, 2 };
    const char want[] = "(<0>,(key,123456))";
    (void)state;
    assert_int_equal(spark_print(SPARK_TYPE(modulo_list), &list, NULL, 0), 9);
    for (size_t size = 0; size < sizeof want; size++) {
        char text[32];
        memset(text, '#', sizeof text);
        assert_int_equal(spark_print(SPARK_TYPE(modulo_pair), &value, text, size), sizeof want - 1);
        assert_int_equal(text[size], '#');
        /* an override that prints as snprintf ends with a NUL, in what is left to it */
        if (size > 4)
            assert_memory_equal(text, want, size);
    }
}

static void test_print__of_a_layout_is_that_of_its_type(void **state)
{
    for (size_t t = 0; t < N_TYPES; t++) {
        _Alignas(16) char value[MAX_SIZE], a[2048], b[2048];
        value_pool pool = { .n = 0 };
        random_row(all_types[t], value, &pool);
        const size_t n = spark_print(all_types[t], value, a, sizeof a);
        assert_true(n <= sizeof a);
        assert_int_equal(spk_value_print(layout_of(*state, all_types[t]), value, b, sizeof b), n);
        assert_memory_equal(a, b, n);
        pool_free(&pool);
    }
}

static void test_print__does_not_ask_the_locale(void **state)
{
    static const char *const names[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "de_DE" };
    double back = 0;
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (setlocale(LC_ALL, names[i]))
            break;
    PRINTS(double, "1234567.25", { 1234567.25 });
    assert_true(spark_str_to_f64(SPARK_LIT("1.5"), &back) && back == 1.5);
    setlocale(LC_ALL, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_print__integers_and_flags),
        cmocka_unit_test(test_print__doubles_and_floats),
        cmocka_unit_test(test_print__decimals),
        cmocka_unit_test(test_print__dates_and_times),
        cmocka_unit_test(test_print__dates_as_gmtime_has_them),
        cmocka_unit_test(test_print__structs_lists_and_optionals),
        cmocka_unit_test(test_print__uses_overrides_at_any_depth),
        cmocka_unit_test(test_print__writes_no_more_than_fits),
        cmocka_unit_test(test_print__of_a_layout_is_that_of_its_type),
        cmocka_unit_test(test_print__does_not_ask_the_locale),
    };
    return cmocka_run_group_tests(tests, make_types, free_types);
}
