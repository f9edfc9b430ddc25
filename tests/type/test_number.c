/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and text, against the C library under the C locale and, for the powers, long
 * arithmetic. */
#include "random_value.h"

#include <inttypes.h>

#include "type/number.h"

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double double_of(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint32_t float_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* ---- reading ---- */

static void check_parse(const char *text)
{
    double mine = 42;
    const double theirs = strtod(text, NULL);
    const bool fits = spk_parse_f64(text, strlen(text), &mine);
    if (fits == isinf(theirs) || (fits && bits_of(mine) != bits_of(theirs)))
        fail_msg("%s: %a, not %a", text, mine, theirs);
}

static void test_parse_f64__is_strtod_on_random_decimals(void **state)
{
    char text[64];
    (void)state;
    for (int i = 0; i < 1000000; i++) {
        const int exponent = (int)random_below(700) - 360;
        const uint64_t digits = random_u64() >> random_below(64);
        snprintf(text, sizeof text, "%" PRIu64 "e%d", digits, exponent);
        check_parse(text);
    }
}

static void test_parse_f64__is_strtod_on_printed_doubles(void **state)
{
    char text[64];
    (void)state;
    for (int i = 0; i < 1000000; i++) {
        const double x = double_of(random_u64());
        if (!isfinite(x))
            continue;
        snprintf(text, sizeof text, "%.*g", (int)random_below(20) + 1, x);
        check_parse(text);
    }
}

/* check_middle: the middle of x and the next double, exactly, and a hair above and below it. */
static void check_middle(double x)
{
    char text[1200];
    const long double middle = ((long double)x + (long double)nextafter(x, INFINITY)) / 2;
    const int n = snprintf(text, sizeof text - 1, "%.*Lf", 1090, middle);
    check_parse(text);
    text[n] = '1';
    text[n + 1] = '\0';
    check_parse(text);
    text[n] = '\0';
    char *last = text + n - 1;
    while (*last == '0' || *last == '.')
        *last-- = '0';
    --*last;
    if (strchr(text, '.'))
        check_parse(text);
}

static void test_parse_f64__rounds_middles_to_even(void **state)
{
    (void)state;
    for (int i = 0; i < 3000; i++) {
        const uint64_t exponent = random_below(1020 + 60);
        check_middle(double_of(exponent << 52 | random_u64() >> 12));
    }
    for (uint64_t i = 0; i < 500; i++) {
        check_middle(double_of(i));
        check_middle(double_of((UINT64_C(1) << 52) - 250 + i));
    }
}

static void test_parse_f64__reads_what_is_hard(void **state)
{
    static const char *const hard[] = { "0", "-0", "0e999999999999", "1e-999999999999", "4.9e-324",
        "2.4703282292062327208e-324", "2.4703282292062328e-324", "1.7976931348623157e308",
        "1.7976931348623158e308", "1.7976931348623159e308", "2.2250738585072011e-308",
        "2.2250738585072014e-308", "9007199254740993", "9007199254740993.0000000000000000000001",
        "9007199254740992.99999999999999999999", "8.5e22", "9.5e22", "1e23", "8.589973e9",
        "0.000000000000000000000000000000000000000000000000000000000000000000001", "1e22", "1e-22",
        "123456789012345678901234567890", "18446744073709551616e-20", "6.631236846766476e-316",
        "3.2378839133029012895883524125015321748630094231e-319", "1448997445238699", "+1.5e+3",
        "500e-2", ".5", "5.", "1e0", "1E5", "179769313486231580793728971405301e276",
        "7.0420557077594588669468784357561207962098443483187940792729600000e+59", "1e308", "1e309",
        "-1.7e+309", "100000000000000000000000e-340" };
    (void)state;
    for (size_t i = 0; i < sizeof hard / sizeof hard[0]; i++)
        check_parse(hard[i]);
}

static void test_parse_f64__reads_thousands_of_digits(void **state)
{
    static char text[5000];
    (void)state;
    memset(text, '9', sizeof text - 10);
    strcpy(text + sizeof text - 10, "e-4700");
    check_parse(text);
    memset(text, '0', sizeof text - 10);
    text[1] = '.';
    memcpy(text + 4000, "25", 2);
    strcpy(text + sizeof text - 10, "e3990");
    check_parse(text);
    snprintf(text, sizeof text, "9007199254740993.%01500d1", 0);
    check_parse(text);
    snprintf(text, sizeof text, "9007199254740993.%01500d0", 0);
    check_parse(text);
}

static void test_parse_f64__refuses_what_is_no_number(void **state)
{
    static const char *const wrong[] = { "", "-", "+", ".", "e5", ".e5", "1e", "1e+", "1 ", " 1",
        "0x10", "1,5", "--1", "+-1", "1.2.3", "1e5.0", "infi", "in", "nano", "nan(1)", "i", "1f",
        "infinityy", "1e400", "-1e400" };
    double x = 7;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(spk_parse_f64(wrong[i], strlen(wrong[i]), &x));
    assert_false(spk_parse_f64("1\0", 2, &x));
    assert_true(x == 7);
}

static void test_parse_f64__knows_inf_and_nan(void **state)
{
    double x;
    (void)state;
    assert_true(spk_parse_f64("InF", 3, &x) && x == INFINITY);
    assert_true(spk_parse_f64("-Infinity", 9, &x) && x == -INFINITY);
    assert_true(spk_parse_f64("NaN", 3, &x) && isnan(x));
    assert_true(spk_parse_f64("-nan", 4, &x) && isnan(x));
}

static void test_parse_f64__stops_at_the_end(void **state)
{
    double x;
    (void)state;
    assert_true(spk_parse_f64("1.25e17", 4, &x) && x == 1.25);
    assert_true(spk_parse_f64("1.25e17", 6, &x) && x == 12.5);
}

static void test_parse_i64__takes_the_whole_range(void **state)
{
    int64_t x = 7;
    (void)state;
    assert_true(spk_parse_i64("9223372036854775807", 19, &x) && x == INT64_MAX);
    assert_true(spk_parse_i64("-9223372036854775808", 20, &x) && x == INT64_MIN);
    assert_true(spk_parse_i64("+0012", 5, &x) && x == 12);
    assert_true(spk_parse_i64("-0", 2, &x) && x == 0);
    static const char *const wrong[] = { "", "-", "+", "9223372036854775808",
        "-9223372036854775809", "92233720368547758070", "1a", " 1", "1.0", "+-1",
        "99999999999999999999999999" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(spk_parse_i64(wrong[i], strlen(wrong[i]), &x));
    assert_true(x == 0);
}

/* ---- printing ---- */

/* fewest: the digits that the C library needs until its text reads back. */
static int fewest_digits(double x, bool single)
{
    char text[64];
    for (int n = 1; n < 17; n++) {
        snprintf(text, sizeof text, "%.*e", n - 1, x);
        if (single ? strtof(text, NULL) == (float)x : strtod(text, NULL) == x)
            return n;
    }
    return 17;
}

/* significant: how many digits a text has between its outer zeros. */
static int significant(const char *text)
{
    int n = 0, zeros = 0;
    for (; *text && *text != 'e'; text++) {
        if (*text == '.' || *text == '-')
            continue;
        zeros = *text == '0' ? zeros + 1 : 0;
        n += n > 0 || *text != '0';
    }
    return n > zeros ? n - zeros : 0;
}

static void check_print(double x)
{
    char text[SPK_NUMBER_TEXT + 1] = { 0 };
    double back;
    const size_t n = spk_print_f64(x, text);
    text[n] = '\0';
    assert_true(n < 26);
    if (bits_of(strtod(text, NULL)) != bits_of(x))
        fail_msg("%a printed as %s", x, text);
    assert_true(spk_parse_f64(text, n, &back) && bits_of(back) == bits_of(x));
    if (significant(text) > fewest_digits(x, false))
        fail_msg("%.17g printed as %s", x, text);
}

static void test_print_f64__reads_back_and_is_shortest(void **state)
{
    (void)state;
    for (int i = 0; i < 200000; i++) {
        const double x = double_of(random_u64());
        if (isfinite(x))
            check_print(x);
    }
    for (int i = 0; i < 200000; i++) {
        check_print((double)(int64_t)(random_u64() >> random_below(60)));
        check_print((double)random_below(1000000) / 100);
    }
}

static void test_print_f64__is_closest_of_the_shortest(void **state)
{
    (void)state;
    for (int i = 0; i < 200000; i++) {
        char mine[SPK_NUMBER_TEXT + 1] = { 0 }, theirs[64];
        const double x = (double)random_u64() / (double)(random_u64() | 1);
        mine[spk_print_f64(x, mine)] = '\0';
        snprintf(theirs, sizeof theirs, "%.*e", fewest_digits(x, false) - 1, x);
        if (significant(mine) == significant(theirs))
            assert_true(strtold(mine, NULL) == strtold(theirs, NULL));
    }
}

static void test_print_f64__at_every_power_of_two(void **state)
{
    (void)state;
    for (uint64_t exponent = 0; exponent < 2047; exponent++) {
        for (uint64_t m = 0; m < 3; m++) {
            check_print(double_of((exponent << 52) + m));
            check_print(double_of(((exponent + 1) << 52) - 1 - m));
        }
    }
    for (uint64_t i = 1; i < 2000; i++)
        check_print(double_of(i));
}

static void test_print_f32__reads_back_and_is_shortest(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < UINT64_C(1) << 32; i += 9973) {
        char text[SPK_NUMBER_TEXT + 1] = { 0 };
        const uint32_t bits = (uint32_t)i;
        float x;
        memcpy(&x, &bits, sizeof x);
        if (!isfinite(x))
            continue;
        text[spk_print_f32(x, text)] = '\0';
        if (float_bits(strtof(text, NULL)) != bits)
            fail_msg("%a printed as %s", (double)x, text);
        if (significant(text) > fewest_digits((double)x, true))
            fail_msg("%.9g printed as %s", (double)x, text);
    }
}

static void expect_f64(double x, const char *want)
{
    char text[SPK_NUMBER_TEXT + 1] = { 0 };
    text[spk_print_f64(x, text)] = '\0';
    assert_string_equal(text, want);
}

static void test_print_f64__looks_like_this(void **state)
{
    (void)state;
    expect_f64(0, "0");
    expect_f64(-0.0, "-0");
    expect_f64(1, "1");
    expect_f64(-1.5, "-1.5");
    expect_f64(0.1, "0.1");
    expect_f64(100000, "100000");
    expect_f64(1234567.25, "1234567.25");
    expect_f64(9007199254740993.0, "9007199254740992");
    expect_f64(1e15, "1000000000000000");
    expect_f64(1e16, "1e+16");
    expect_f64(1e30, "1e+30");
    expect_f64(1.25e-7, "1.25e-07");
    expect_f64(0.0001, "0.0001");
    expect_f64(0.00001, "1e-05");
    expect_f64(5e-324, "5e-324");
    expect_f64(1.7976931348623157e308, "1.7976931348623157e+308");
    expect_f64(NAN, "nan");
    expect_f64(-NAN, "nan");
    expect_f64(INFINITY, "inf");
    expect_f64(-INFINITY, "-inf");
    expect_f64(1.0 / 3, "0.3333333333333333");
}

static void test_print_integers__at_their_ends(void **state)
{
    char text[SPK_NUMBER_TEXT];
    (void)state;
    assert_int_equal(spk_print_i64(INT64_MIN, text), 20);
    assert_memory_equal(text, "-9223372036854775808", 20);
    assert_int_equal(spk_print_u64(UINT64_MAX, text), 20);
    assert_memory_equal(text, "18446744073709551615", 20);
    assert_int_equal(spk_print_i64(0, text), 1);
    assert_memory_equal(text, "0", 1);
}

/* ---- powers ---- */

/* check_power: by 10^k = 2^k * 5^k in 1200 bits; for k < 0 the true power times 5^-k is a power of
 * two, so that the first 128 bits must give less, and those plus one more, than it. */
enum { WORDS = 40 };

static void big_multiply(uint32_t *x, uint32_t factor)
{
    uint64_t carry = 0;
    for (int i = 0; i < WORDS; i++) {
        carry += (uint64_t)x[i] * factor;
        x[i] = (uint32_t)carry;
        carry >>= 32;
    }
    assert_true(carry == 0);
}

static int big_bits(const uint32_t *x)
{
    int n = WORDS;
    while (n > 0 && x[n - 1] == 0)
        n--;
    return n == 0 ? 0 : 32 * n - __builtin_clz(x[n - 1]);
}

static void big_from(uint32_t *x, spk_uint128 v, bool more)
{
    memset(x, 0, WORDS * sizeof *x);
    v.low += more;
    v.high += more && v.low == 0;
    x[0] = (uint32_t)v.low;
    x[1] = (uint32_t)(v.low >> 32);
    x[2] = (uint32_t)v.high;
    x[3] = (uint32_t)(v.high >> 32);
}

static bool big_is_power_of_two(const uint32_t *x)
{
    int n = 0;
    for (int i = 0; i < WORDS; i++)
        n += __builtin_popcount(x[i]);
    return n == 1;
}

static void test_power_of_ten__is_the_first_128_bits_up_from_one(void **state)
{
    uint32_t x[WORDS] = { 1 };
    (void)state;
    for (int k = 0; k <= 340; k++, big_multiply(x, 5)) {
        const spk_uint128 power = spk_power_of_ten(k);
        const int bits = big_bits(x);
        for (int i = 0; i < 128; i++) {
            const int at = bits - 1 - i;
            const bool want = at >= 0 && (x[at / 32] >> (at % 32) & 1);
            const uint64_t word = i < 64 ? power.high : power.low;
            assert_int_equal(word >> (63 - i % 64) & 1, want);
        }
    }
}

static void test_power_of_ten__is_the_first_128_bits_below_one(void **state)
{
    uint32_t x[WORDS], y[WORDS];
    (void)state;
    for (int k = -1; k >= -345; k--) {
        big_from(x, spk_power_of_ten(k), false);
        big_from(y, spk_power_of_ten(k), true);
        for (int i = k; i < 0; i++) {
            big_multiply(x, 5);
            big_multiply(y, 5);
        }
        assert_false(big_is_power_of_two(x));
        assert_int_equal(big_bits(y), big_bits(x) + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_f64__is_strtod_on_random_decimals),
        cmocka_unit_test(test_parse_f64__is_strtod_on_printed_doubles),
        cmocka_unit_test(test_parse_f64__rounds_middles_to_even),
        cmocka_unit_test(test_parse_f64__reads_what_is_hard),
        cmocka_unit_test(test_parse_f64__reads_thousands_of_digits),
        cmocka_unit_test(test_parse_f64__refuses_what_is_no_number),
        cmocka_unit_test(test_parse_f64__knows_inf_and_nan),
        cmocka_unit_test(test_parse_f64__stops_at_the_end),
        cmocka_unit_test(test_parse_i64__takes_the_whole_range),
        cmocka_unit_test(test_print_f64__reads_back_and_is_shortest),
        cmocka_unit_test(test_print_f64__is_closest_of_the_shortest),
        cmocka_unit_test(test_print_f64__at_every_power_of_two),
        cmocka_unit_test(test_print_f32__reads_back_and_is_shortest),
        cmocka_unit_test(test_print_f64__looks_like_this),
        cmocka_unit_test(test_print_integers__at_their_ends),
        cmocka_unit_test(test_power_of_ten__is_the_first_128_bits_up_from_one),
        cmocka_unit_test(test_power_of_ten__is_the_first_128_bits_below_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
