/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers to text. The shortest decimal that reads back as a double, and of these the closest,
 * comes from Raffaello Giulietti's Schubfach ("The Schubfach way to render doubles", 2020): scale
 * the double and the two ends of the interval that rounds to it by a power of ten, so that at most
 * two decimals of one length can lie in between, and look at these and at the ones a digit shorter.
 *
 * Written as a programmer would: 0.1, 12.5, 100000, 1e+30, 1e-07. */
#include <string.h>

#include "type/number.h"

size_t spk_print_u64(uint64_t x, char *text)
{
    char digits[20], *p = digits + sizeof digits;
    do {
        *--p = (char)('0' + x % 10);
        x /= 10;
    } while (x > 0);
    const size_t n = (size_t)(digits + sizeof digits - p);
    memcpy(text, p, n);
    return n;
}

size_t spk_print_i64(int64_t x, char *text)
{
    if (x >= 0)
        return spk_print_u64((uint64_t)x, text);
    *text = '-';
    return spk_print_u64(0 - (uint64_t)x, text + 1) + 1;
}

/* ---- the shortest decimal ---- */

typedef struct decimal {
    uint64_t digits;
    int exponent; /* of ten */
} decimal;

/* floor_log2_10: of 10^k; floor_log10_2: of 2^q, or of 3/4 * 2^q. */
static int floor_log2_10(int k)
{
    return (k * 1741647) >> 19;
}

static int floor_log10_2(int q, bool three_quarters)
{
    return (q * 1262611 - (three_quarters ? 524031 : 0)) >> 22;
}

/* power_above: as spk_power_of_ten, but rounded up: exact for 0 <= k <= 55. */
static spk_uint128 power_above(int k)
{
    spk_uint128 power = spk_power_of_ten(k);
    if (k < 0 || k > 55) {
        power.low++;
        power.high += power.low == 0;
    }
    return power;
}

/* scale: x * power / 2^128, rounded to odd: the last bit is set when anything was cut off, so that
 * comparisons with even numbers come out as with the exact product. */
static uint64_t scale(spk_uint128 power, uint64_t x)
{
    const spk_uint128 low = spk_multiply(power.low, x);
    spk_uint128 high = spk_multiply(power.high, x);
    high.low += low.high;
    high.high += high.low < low.high;
    return high.high | (high.low > 1);
}

/* shortest: of m * 2^q. narrow: the lower neighbour is half as far away as the upper one. */
static decimal shortest(uint64_t m, int q, bool narrow)
{
    const int k = floor_log10_2(q, narrow);
    const int h = q + floor_log2_10(-k) + 1;
    const spk_uint128 power = power_above(-k);
    const uint64_t odd = m & 1; /* the ends of the interval round to even m only */
    const uint64_t low = scale(power, (4 * m - 2 + narrow) << h) + odd;
    const uint64_t high = scale(power, (4 * m + 2) << h) - odd;
    const uint64_t x = scale(power, (4 * m) << h);
    const uint64_t s = x / 4;
    if (s >= 10) {
        const uint64_t t = s / 10;
        const bool down = low <= 40 * t, up = 40 * t + 40 <= high;
        if (down != up)
            return (decimal) { t + up, k + 1 };
    }
    const bool down = low <= 4 * s, up = 4 * s + 4 <= high;
    if (down != up)
        return (decimal) { s + up, k };
    const uint64_t middle = 4 * s + 2;
    return (decimal) { s + (x > middle || (x == middle && (s & 1))), k };
}

/* ---- its text ---- */

/* plain: digits and a point among them, or zeros around them: point is where it stands. */
static size_t plain(const char *digits, int n, int point, char *text)
{
    char *p = text;
    if (point <= 0) {
        *p++ = '0';
        *p++ = '.';
        for (; point < 0; point++)
            *p++ = '0';
        memcpy(p, digits, (size_t)n);
        return (size_t)(p + n - text);
    }
    for (int i = 0; i < n || i < point; i++) {
        if (i == point)
            *p++ = '.';
        *p++ = i < n ? digits[i] : '0';
    }
    return (size_t)(p - text);
}

static size_t scientific(const char *digits, int n, int exponent, char *text)
{
    char *p = text;
    *p++ = digits[0];
    if (n > 1) {
        *p++ = '.';
        memcpy(p, digits + 1, (size_t)n - 1);
        p += n - 1;
    }
    *p++ = 'e';
    *p++ = exponent < 0 ? '-' : '+';
    if (exponent < 0)
        exponent = -exponent;
    if (exponent < 10)
        *p++ = '0';
    return (size_t)(p - text) + spk_print_u64((uint64_t)exponent, p);
}

static size_t write_decimal(decimal d, char *text)
{
    char digits[SPK_NUMBER_TEXT];
    if (d.digits % 100000000 == 0) { /* only for speed */
        d.digits /= 100000000;
        d.exponent += 8;
    }
    while (d.digits % 10 == 0) {
        d.digits /= 10;
        d.exponent++;
    }
    const int n = (int)spk_print_u64(d.digits, digits);
    const int point = n + d.exponent;
    if (point > -4 && point <= 16)
        return plain(digits, n, point, text);
    return scientific(digits, n, point - 1, text);
}

/* print: a number of `bits` mantissa bits, exponent 0 meaning subnormal; bias: of m * 2^q. */
static size_t print(uint64_t m, int exponent, int bits, int bias, char *text)
{
    const bool narrow = m == 0 && exponent > 1;
    if (m == 0 && exponent == 0) {
        *text = '0';
        return 1;
    }
    if (exponent > 0)
        m |= UINT64_C(1) << bits;
    const int q = (exponent > 0 ? exponent : 1) - bias;
    if (q <= 0 && q >= -bits && (m & ((UINT64_C(1) << -q) - 1)) == 0)
        return write_decimal((decimal) { m >> -q, 0 }, text);
    return write_decimal(shortest(m, q, narrow), text);
}

static size_t not_finite(bool nan, bool negative, char *text)
{
    const char *word = nan ? "nan" : negative ? "-inf" : "inf";
    const size_t n = strlen(word);
    memcpy(text, word, n);
    return n;
}

size_t spk_print_f64(double x, char *text)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint64_t m = bits & ((UINT64_C(1) << 52) - 1);
    const int exponent = (int)(bits >> 52 & 0x7ff);
    const bool negative = bits >> 63;
    if (exponent == 0x7ff)
        return not_finite(m != 0, negative, text);
    if (negative)
        *text = '-';
    return negative + print(m, exponent, 52, 1075, text + negative);
}

size_t spk_print_f32(float x, char *text)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint32_t m = bits & ((UINT32_C(1) << 23) - 1);
    const int exponent = (int)(bits >> 23 & 0xff);
    const bool negative = bits >> 31;
    if (exponent == 0xff)
        return not_finite(m != 0, negative, text);
    if (negative)
        *text = '-';
    return negative + print(m, exponent, 23, 150, text + negative);
}
