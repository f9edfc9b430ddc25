/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic of decimals. What fits 128 bits on the way is computed there; the rest by words of 64
 * bits. */
#include "sql/eval/decimal.h"

#include "type/number.h"

spk_i128 spk_power10(int n)
{
    static const uint64_t low[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000,
        1000000000, 10000000000, 100000000000, 1000000000000, 10000000000000, 100000000000000,
        1000000000000000, 10000000000000000, 100000000000000000, 1000000000000000000,
        UINT64_C(10000000000000000000) };
    return n < 20 ? (spk_i128)low[n] : (spk_i128)low[19] * (spk_i128)low[n - 19];
}

/* ---- 256 bits ---- */

typedef struct big {
    uint64_t w[5]; /* the lowest first; the fifth for what a step carries over */
} big;

static big big_of(spk_u128 x)
{
    return (big) { { (uint64_t)x, (uint64_t)(x >> 64), 0, 0, 0 } };
}

static void big_multiply(big *x, uint64_t by)
{
    uint64_t carry = 0;
    for (int i = 0; i < 5; i++) {
        const spk_u128 product = (spk_u128)x->w[i] * by + carry;
        x->w[i] = (uint64_t)product;
        carry = (uint64_t)(product >> 64);
    }
}

static void big_add(big *x, const big *y)
{
    unsigned carry = 0;
    for (int i = 0; i < 5; i++) {
        const spk_u128 sum = (spk_u128)x->w[i] + y->w[i] + carry;
        x->w[i] = (uint64_t)sum;
        carry = (unsigned)(sum >> 64);
    }
}

static void big_power10(big *x, int n)
{
    for (; n >= 19; n -= 19)
        big_multiply(x, UINT64_C(10000000000000000000));
    if (n > 0)
        big_multiply(x, (uint64_t)spk_power10(n));
}

/* big_divide: x becomes the quotient; the remainder. Bit by bit: it is for numbers beyond 128 bits.
 * */
static spk_u128 big_divide(big *x, spk_u128 by)
{
    spk_u128 rest = 0;
    for (int word = 4; word >= 0; word--) {
        uint64_t quotient = 0;
        for (int bit = 63; bit >= 0; bit--) {
            const bool over = rest >> 127;
            rest = rest << 1 | (x->w[word] >> bit & 1);
            if (over || rest >= by) {
                rest -= by;
                quotient |= UINT64_C(1) << bit;
            }
        }
        x->w[word] = quotient;
    }
    return rest;
}

static bool big_fits(const big *x)
{
    return x->w[4] == 0 && x->w[3] == 0 && x->w[2] == 0 && x->w[1] >> 63 == 0;
}

static spk_u128 magnitude(spk_i128 x)
{
    return x < 0 ? -(spk_u128)x : (spk_u128)x;
}

/* finish: the quotient with its sign, rounded half up by the remainder; false: more than 38 digits.
 * */
static bool finish(big *quotient, spk_u128 rest, spk_u128 by, bool negative, spk_i128 *out)
{
    if (rest > 0 && rest >= by - rest) {
        const big one = big_of(1);
        big_add(quotient, &one);
    }
    if (!big_fits(quotient))
        return false;
    const spk_i128 x = (spk_i128)((spk_u128)quotient->w[1] << 64 | quotient->w[0]);
    *out = negative ? -x : x;
    return spk_decimal_fits(*out, SPK_SQL_DECIMAL_MAX);
}

static bool divide(spk_u128 x, int x_power, spk_u128 y, bool negative, spk_i128 *out)
{
    big quotient = big_of(x);
    big_power10(&quotient, x_power);
    const spk_u128 rest = big_divide(&quotient, y);
    return finish(&quotient, rest, y, negative, out);
}

bool spk_decimal_rescale(spk_i128 units, int from, int to, spk_i128 *out)
{
    if (from == to) {
        *out = units;
        return true;
    }
    if (to > from) {
        if (to - from > 38)
            return units == 0 ? (*out = 0, true) : false;
        return !__builtin_mul_overflow(units, spk_power10(to - from), out)
            && spk_decimal_fits(*out, SPK_SQL_DECIMAL_MAX);
    }
    if (from - to > 38) {
        *out = 0;
        return true;
    }
    const spk_i128 by = spk_power10(from - to);
    spk_i128 q, rest;
    if (units == (int64_t)units && by == (int64_t)by) {
        q = (int64_t)units / (int64_t)by;
        rest = (int64_t)units % (int64_t)by;
    } else {
        q = units / by;
        rest = units % by;
    }
    const spk_u128 size = magnitude(rest);
    if (size >= (spk_u128)by - size)
        q += units < 0 ? -1 : 1;
    *out = q;
    return true;
}

static bool sum(char op, spk_i128 x, int x_scale, spk_i128 y, int y_scale, int scale, spk_i128 *out)
{
    const int top = x_scale > y_scale ? x_scale : y_scale;
    spk_i128 a, b, z;
    if (!__builtin_mul_overflow(x, spk_power10(top - x_scale), &a)
        && !__builtin_mul_overflow(y, spk_power10(top - y_scale), &b)
        && !(op == '+' ? __builtin_add_overflow(a, b, &z) : __builtin_sub_overflow(a, b, &z)))
        return spk_decimal_rescale(z, top, scale, out)
            && spk_decimal_fits(*out, SPK_SQL_DECIMAL_MAX);
    /* by magnitudes of 256 bits */
    big p = big_of(magnitude(x)), q = big_of(magnitude(y));
    bool negative = x < 0;
    const bool other = op == '+' ? y < 0 : y > 0;
    big_power10(&p, top - x_scale);
    big_power10(&q, top - y_scale);
    if (negative == other) {
        big_add(&p, &q);
    } else {
        int i = 4;
        while (i > 0 && p.w[i] == q.w[i])
            i--;
        if (p.w[i] < q.w[i]) {
            const big swap = p;
            p = q;
            q = swap;
            negative = other;
        }
        unsigned borrow = 0;
        for (i = 0; i < 5; i++) {
            const spk_u128 d = (spk_u128)p.w[i] - q.w[i] - borrow;
            p.w[i] = (uint64_t)d;
            borrow = (unsigned)(d >> 64) & 1;
        }
    }
    const spk_u128 by = (spk_u128)spk_power10(top - scale);
    const spk_u128 rest = by > 1 ? big_divide(&p, by) : 0;
    return finish(&p, rest, by, negative, out);
}

static bool product(spk_i128 x, spk_i128 y, int scales, int scale, spk_i128 *out)
{
    spk_i128 z;
    if (!__builtin_mul_overflow(x, y, &z))
        return spk_decimal_rescale(z, scales, scale, out)
            && spk_decimal_fits(*out, SPK_SQL_DECIMAL_MAX);
    const spk_u128 a = magnitude(x), b = magnitude(y);
    big p = big_of(a), high = big_of(a);
    big_multiply(&p, (uint64_t)b);
    big_multiply(&high, (uint64_t)(b >> 64));
    memmove(high.w + 1, high.w, 4 * sizeof high.w[0]);
    high.w[0] = 0;
    big_add(&p, &high);
    spk_u128 rest = 0, by = 1;
    int more = scales - scale;
    for (; more > 38; more -= 38) /* digits far behind the one that is rounded */
        big_divide(&p, (spk_u128)spk_power10(38));
    if (more > 0) {
        by = (spk_u128)spk_power10(more);
        rest = big_divide(&p, by);
    }
    return finish(&p, rest, by, (x < 0) != (y < 0), out);
}

static bool quotient(spk_i128 x, int x_scale, spk_i128 y, int y_scale, int scale, spk_i128 *out)
{
    const int power = scale - x_scale + y_scale;
    const bool negative = (x < 0) != (y < 0);
    spk_u128 a = magnitude(x), b = magnitude(y);
    if (power < 0) {
        if (b > (spk_u128)spk_power10(38) / (spk_u128)spk_power10(-power))
            return *out = 0, true;
        return divide(a, 0, b * (spk_u128)spk_power10(-power), negative, out);
    }
    spk_i128 scaled;
    if (power <= 38 && !__builtin_mul_overflow((spk_i128)a, spk_power10(power), &scaled)) {
        const spk_u128 n = (spk_u128)scaled;
        const spk_u128 q
            = n >> 64 == 0 && b >> 64 == 0 ? (spk_u128)((uint64_t)n / (uint64_t)b) : n / b;
        const spk_u128 rest = n - q * b;
        const spk_i128 z = (spk_i128)(q + (rest > 0 && rest >= b - rest));
        *out = negative ? -z : z;
        return spk_decimal_fits(*out, SPK_SQL_DECIMAL_MAX);
    }
    return power <= 95 && divide(a, power, b, negative, out);
}

/* remainder_of: has x's sign. */
static bool remainder_of(spk_i128 x, int x_scale, spk_i128 y, int y_scale, int scale, spk_i128 *out)
{
    const int top = x_scale > y_scale ? x_scale : y_scale;
    big p = big_of(magnitude(x)), q = big_of(magnitude(y));
    big_power10(&p, top - x_scale);
    big_power10(&q, top - y_scale);
    if (!big_fits(&q)) { /* then x is not scaled up, and smaller */
        *out = x;
        return spk_decimal_rescale(x, x_scale, scale, out);
    }
    const spk_i128 rest = (spk_i128)big_divide(&p, (spk_u128)q.w[1] << 64 | q.w[0]);
    return spk_decimal_rescale(x < 0 ? -rest : rest, top, scale, out);
}

bool spk_decimal_op(
    char op, spk_i128 x, int x_scale, spk_i128 y, int y_scale, int scale, spk_i128 *out, bool *zero)
{
    *zero = y == 0 && op != '+' && op != '-' && op != '*';
    if (*zero)
        return false;
    switch (op) {
    case '+':
    case '-':
        return sum(op, x, x_scale, y, y_scale, scale, out);
    case '*':
        return product(x, y, x_scale + y_scale, scale, out);
    case '/':
        return quotient(x, x_scale, y, y_scale, scale, out);
    case 'd': {
        big p = big_of(magnitude(x)), q = big_of(magnitude(y));
        big_power10(&p, y_scale > x_scale ? y_scale - x_scale : 0);
        big_power10(&q, x_scale > y_scale ? x_scale - y_scale : 0);
        if (!big_fits(&q))
            return *out = 0, true;
        big_divide(&p, (spk_u128)q.w[1] << 64 | q.w[0]);
        return finish(&p, 0, 1, (x < 0) != (y < 0), out);
    }
    case 'p':
        if (!remainder_of(x, x_scale, y, y_scale, scale, out))
            return false;
        if (*out >= 0)
            return true;
        return spk_decimal_op('+', *out, scale, y, y_scale, scale, out, zero)
            && (*out < 0 || remainder_of(*out, scale, y, y_scale, scale, out));
    default:
        return remainder_of(x, x_scale, y, y_scale, scale, out);
    }
}

int spk_decimal_compare(spk_i128 x, int x_scale, spk_i128 y, int y_scale)
{
    spk_i128 a = x, b = y;
    if (x_scale < y_scale && __builtin_mul_overflow(x, spk_power10(y_scale - x_scale), &a))
        return x < 0 ? -1 : 1;
    if (y_scale < x_scale && __builtin_mul_overflow(y, spk_power10(x_scale - y_scale), &b))
        return y < 0 ? 1 : -1;
    return (a > b) - (a < b);
}

/* ---- text ---- */

size_t spk_decimal_print(spk_i128 units, int scale, char *text)
{
    char digits[48];
    int n = 0;
    size_t at = 0;
    spk_u128 x = magnitude(units);
    for (; x > UINT64_MAX; x /= 10)
        digits[n++] = (char)('0' + (int)(x % 10));
    for (uint64_t low = (uint64_t)x; low > 0; low /= 10)
        digits[n++] = (char)('0' + (int)(low % 10));
    while (n <= scale)
        digits[n++] = '0';
    if (units < 0)
        text[at++] = '-';
    while (n > 0) {
        if (n == scale)
            text[at++] = '.';
        text[at++] = digits[--n];
    }
    return at;
}

typedef struct number {
    spk_u128 digits; /* the first 38 */
    int n, exponent; /* digits that are in it; the value is digits * 10^exponent */
    int next;        /* the first digit that is not, or -1 */
    bool negative;
} number;

static bool read_number(const char *p, size_t size, number *x)
{
    const char *end = p + size;
    bool any = false, point = false;
    *x = (number) { 0, 0, 0, -1, false };
    if (p < end && (*p == '-' || *p == '+'))
        x->negative = *p++ == '-';
    for (; p < end && ((*p >= '0' && *p <= '9') || (*p == '.' && !point)); p++) {
        if (*p == '.') {
            point = true;
            continue;
        }
        any = true;
        if (x->n > 0 || *p != '0') {
            if (x->n < 38) {
                const uint64_t digit = (unsigned char)*p - UINT64_C(48);
                x->digits = x->digits * 10 + digit;
                x->n++;
            } else {
                x->next = x->next < 0 ? *p - '0' : x->next;
                x->exponent += x->exponent < INT32_MAX / 4;
            }
        }
        x->exponent -= point;
    }
    if (any && p < end && (*p == 'e' || *p == 'E')) {
        int exponent = 0;
        p++;
        const bool minus = p < end && *p == '-';
        p += p < end && (*p == '-' || *p == '+');
        for (any = false; p < end && *p >= '0' && *p <= '9'; p++, any = true)
            exponent = exponent < 100000000 ? exponent * 10 + (*p - '0') : exponent;
        x->exponent += minus ? -exponent : exponent;
    }
    return any && p == end;
}

int spk_decimal_parse(const char *p, size_t n, int scale, spk_i128 *out)
{
    number x;
    if (!read_number(p, n, &x))
        return 0;
    const int64_t power = (int64_t)x.exponent + scale;
    spk_i128 units = (spk_i128)x.digits;
    if (units == 0 || power < -39) {
        *out = 0;
        return 1;
    }
    if (power > 0) {
        if (power > 38 || __builtin_mul_overflow(units, spk_power10((int)power), &units))
            return -1;
    } else if (power < 0) {
        spk_decimal_rescale(units, (int)-power, 0, &units);
    } else if (x.next >= 5) {
        units++;
    }
    *out = x.negative ? -units : units;
    return spk_decimal_fits(units, SPK_SQL_DECIMAL_MAX) ? 1 : -1;
}

double spk_decimal_double(spk_i128 units, int scale)
{
    char text[SPK_DECIMAL_TEXT];
    double x = 0;
    if (units == (int64_t)units && (units < 0 ? -units : units) < (INT64_C(1) << 53)
        && scale <= 22) {
        static const double powers[] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
            1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
        return (double)(int64_t)units / powers[scale];
    }
    spk_parse_f64(text, spk_decimal_print(units, scale, text), &x);
    return x;
}

bool spk_decimal_of_double(double x, int scale, spk_i128 *out)
{
    char text[SPK_NUMBER_TEXT];
    if (x - x != 0)
        return false;
    return spk_decimal_parse(text, spk_print_f64(x, text), scale, out) == 1;
}
