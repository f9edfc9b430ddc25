/* SPDX-License-Identifier: Apache-2.0 */
/* Text to numbers. A decimal is read into a 64-bit integer and a power of ten; then, from fast to
 * slow: small ones are one exact multiplication or division of doubles (Clinger, "How to Read
 * Floating Point Numbers Accurately", 1990); nearly all others one 128-bit multiplication whose
 * error is too small to matter (Lemire, "Number Parsing at a Gigabyte per Second", 2021); what
 * stands too close to the middle of two doubles, and the subnormals, are divided out exactly. */
#include "type/number.h"

#include <string.h>

typedef struct decimal {
    uint64_t digits;   /* the first 19 significant ones */
    int64_t exponent;  /* of ten */
    bool more;         /* digits were dropped that are not all zero */
    const char *first; /* significant digit, to the end of the mantissa */
    const char *last;
} decimal;

static unsigned digit_of(char c)
{
    return (unsigned)(unsigned char)c - '0';
}

bool spk_parse_i64(const char *p, size_t n, int64_t *out)
{
    const char *end = p + n;
    const bool negative = n > 0 && *p == '-';
    uint64_t x = 0;
    if (n > 0 && (*p == '-' || *p == '+'))
        p++;
    if (p == end)
        return false;
    const uint64_t limit = (uint64_t)INT64_MAX + negative;
    for (; p < end; p++) {
        const unsigned d = digit_of(*p);
        if (d > 9 || x > limit / 10)
            return false;
        x = x * 10 + d;
        if (x > limit)
            return false;
    }
    *out = negative ? (int64_t)(0 - x) : (int64_t)x;
    return true;
}

/* ---- reading ---- */

typedef struct mantissa {
    uint64_t digits;
    int count, dropped; /* significant digits in `digits`; left out */
    bool any, more;
} mantissa;

static const char *read_digits(const char *p, const char *end, mantissa *m)
{
    for (; p < end && digit_of(*p) <= 9; p++) {
        const unsigned d = digit_of(*p);
        m->any = true;
        if (m->count == 19) {
            m->dropped += m->dropped < INT32_MAX;
            m->more |= d != 0;
        } else if (m->count > 0 || d != 0) {
            m->digits = m->digits * 10 + d;
            m->count++;
        }
    }
    return p;
}

/* read_exponent: "e-12"; NULL when no digit follows. Huge ones stop counting, but are read. */
static const char *read_exponent(const char *p, const char *end, int64_t *exponent)
{
    int64_t e = 0;
    p++;
    const bool negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    if (p == end)
        return NULL;
    for (; p < end && digit_of(*p) <= 9; p++)
        if (e < INT64_C(1) << 48)
            e = e * 10 + digit_of(*p);
    *exponent += negative ? -e : e;
    return p;
}

static bool read_decimal(const char *p, const char *end, decimal *out)
{
    mantissa m = { 0 };
    int64_t exponent = 0;
    out->first = p;
    p = read_digits(p, end, &m);
    exponent += m.dropped;
    if (p < end && *p == '.') {
        const char *point = ++p;
        const int dropped = m.dropped;
        p = read_digits(p, end, &m);
        exponent -= p - point - (m.dropped - dropped);
    }
    out->last = p;
    if (!m.any)
        return false;
    if (p < end && (*p | 0x20) == 'e')
        p = read_exponent(p, end, &exponent);
    out->digits = m.digits;
    out->exponent = exponent;
    out->more = m.more;
    return p == end;
}

/* ---- rounding ---- */

static double assemble(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* by_doubles: exact where both operands are, so that the one rounding is the right one. */
static bool by_doubles(const decimal *d, double *out)
{
    static const double powers[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    if (d->more || d->digits >> 53 || d->exponent < -22 || d->exponent > 22)
        return false;
    const double x = (double)d->digits;
    *out = d->exponent < 0 ? x / powers[-d->exponent] : x * powers[d->exponent];
    return true;
}

/* by_product: digits times the 128-bit power, rounded; false where the bits that were cut off the
 * power might decide. digits is not 0, k within the table. */
static bool by_product(uint64_t digits, int k, double *out)
{
    const int shift = __builtin_clzll(digits);
    const spk_uint128 power = spk_power_of_ten(k);
    int64_t exponent = ((217706 * k) >> 16) + 64 + 1023 - shift;
    digits <<= shift;
    spk_uint128 x = spk_multiply(digits, power.high);
    if ((x.high & 0x1ff) == 0x1ff && x.low + digits < digits) {
        const spk_uint128 y = spk_multiply(digits, power.low);
        x.low += y.high;
        x.high += x.low < y.high;
        if ((x.high & 0x1ff) == 0x1ff && x.low + 1 == 0 && y.low + digits < digits)
            return false;
    }
    const int top = (int)(x.high >> 63);
    uint64_t m = x.high >> (top + 9);
    exponent -= 1 - top;
    if (x.low == 0 && (x.high & 0x1ff) == 0 && (m & 3) == 1)
        return false;
    m = (m + (m & 1)) >> 1;
    exponent += (int)(m >> 53);
    m >>= m >> 53;
    if (exponent < 1 || exponent > 2046)
        return false;
    *out = assemble((uint64_t)exponent << 52 | (m & ((UINT64_C(1) << 52) - 1)));
    return true;
}

/* by_bracket: digits were dropped: where this and the next 19 digits give one double, it is it. */
static bool by_bracket(const decimal *d, double *out)
{
    double above;
    if (d->exponent < SPK_POWER_MIN + 3 || d->exponent > SPK_POWER_MAX - 3)
        return false;
    if (!by_product(d->digits, (int)d->exponent, out))
        return false;
    return !d->more || (by_product(d->digits + 1, (int)d->exponent, &above) && *out == above);
}

/* by_all_digits: gathers the significant digits for the exact way. Of more than it takes, it is
 * only of interest whether one is not zero. */
static double by_all_digits(const decimal *d)
{
    char digits[SPK_EXACT_DIGITS];
    size_t n = 0;
    int64_t exponent = d->exponent;
    int kept = 0;
    bool more = false;
    for (const char *p = d->first; p < d->last; p++) {
        if (*p == '.' || (n == 0 && *p == '0'))
            continue;
        if (n < SPK_EXACT_DIGITS - 1)
            digits[n++] = *p;
        else
            more |= *p != '0';
    }
    for (uint64_t x = d->digits; x > 0; x /= 10)
        kept++;
    exponent -= (int64_t)n - kept;
    if (more) {
        digits[n++] = '1';
        exponent--;
    }
    if (exponent + (int64_t)n > 400)
        return assemble(UINT64_C(0x7ff) << 52);
    if (exponent + (int64_t)n < -400)
        return 0;
    return spk_parse_f64_exact(digits, n, (int)exponent);
}

static double convert(const decimal *d)
{
    double x;
    if (d->digits == 0)
        return 0;
    if (by_doubles(d, &x) || by_bracket(d, &x))
        return x;
    return by_all_digits(d);
}

static bool is_word(const char *p, size_t n, const char *word)
{
    if (strlen(word) != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if ((p[i] | 0x20) != word[i])
            return false;
    return true;
}

bool spk_parse_f64(const char *p, size_t n, double *out)
{
    const uint64_t infinity = UINT64_C(0x7ff) << 52;
    const bool negative = n > 0 && *p == '-';
    const bool sign = n > 0 && (*p == '-' || *p == '+');
    const char *end = p + n;
    decimal d;
    double x;
    p += sign;
    n -= sign;
    if (is_word(p, n, "inf") || is_word(p, n, "infinity")) {
        x = assemble(infinity);
    } else if (is_word(p, n, "nan")) {
        x = assemble(infinity | UINT64_C(1) << 51);
    } else {
        if (!read_decimal(p, end, &d))
            return false;
        x = convert(&d);
        if (x == assemble(infinity))
            return false;
    }
    *out = negative ? -x : x;
    return true;
}
