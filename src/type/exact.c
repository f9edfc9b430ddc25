/* SPDX-License-Identifier: Apache-2.0 */
/* Decimals to doubles by long arithmetic: digits * 10^exponent becomes a fraction of two integers,
 * of which schoolbook division finds 64 bits, and the remainder says whether there is more. Slow
 * (some microseconds) and obviously right, for the few numbers that the fast ways leave.
 *
 * 800 digits are enough: two neighbouring doubles and what lies in their middle differ within
 * 768. */
#include <string.h>

#include "type/number.h"

enum { WORDS = 104 }; /* 3328 bits: 800 digits need 2658, 5^1200 2787, and 64 to shift */

typedef struct big {
    size_t n; /* words in use; the highest is not 0 */
    uint32_t w[WORDS];
} big;

static void multiply_add(big *x, uint32_t factor, uint32_t carry)
{
    uint64_t sum = carry;
    for (size_t i = 0; i < x->n; i++) {
        sum += (uint64_t)x->w[i] * factor;
        x->w[i] = (uint32_t)sum;
        sum >>= 32;
    }
    if (sum > 0)
        x->w[x->n++] = (uint32_t)sum;
}

static void multiply_by_fives(big *x, int n)
{
    for (; n >= 13; n -= 13)
        multiply_add(x, UINT32_C(1220703125), 0);
    for (; n > 0; n--)
        multiply_add(x, 5, 0);
}

static int bits_of(const big *x)
{
    return (int)x->n * 32 - __builtin_clz(x->w[x->n - 1]);
}

static void shift_left(big *x, int bits)
{
    const size_t words = (size_t)bits / 32, n = x->n;
    memmove(x->w + words, x->w, n * sizeof x->w[0]);
    memset(x->w, 0, words * sizeof x->w[0]);
    x->n = n + words;
    multiply_add(x, UINT32_C(1) << (bits % 32), 0);
}

static bool at_least(const big *a, const big *b)
{
    if (a->n != b->n)
        return a->n > b->n;
    for (size_t i = a->n; i-- > 0;)
        if (a->w[i] != b->w[i])
            return a->w[i] > b->w[i];
    return true;
}

static void subtract(big *a, const big *b)
{
    uint64_t borrow = 0;
    for (size_t i = 0; i < a->n; i++) {
        const uint64_t take = (i < b->n ? b->w[i] : 0) + borrow;
        borrow = a->w[i] < take;
        a->w[i] = (uint32_t)(a->w[i] - take);
    }
    while (a->n > 0 && a->w[a->n - 1] == 0)
        a->n--;
}

/* divide: the first 64 bits of a / b, which must be of equal length in bits; what is left stays in
 * a. */
static uint64_t divide(big *a, const big *b)
{
    uint64_t quotient = 0;
    for (int i = 0; i < 64; i++) {
        if (i > 0)
            multiply_add(a, 2, 0);
        quotient <<= 1;
        if (at_least(a, b)) {
            subtract(a, b);
            quotient |= 1;
        }
    }
    return quotient;
}

/* round_to_double: x * 2^exponent, and a little more when `more`; to nearest, ties to even. x >
 * 0. */
static double round_to_double(uint64_t x, bool more, int exponent)
{
    const int lead = __builtin_clzll(x);
    x <<= lead;
    exponent += 63 - lead; /* of the leading bit */
    const bool normal = exponent >= -1022;
    const int drop = normal ? 11 : 11 - 1022 - exponent;
    double result;
    if (drop > 64)
        return 0;
    uint64_t bits = drop < 64 ? x >> drop : 0;
    const uint64_t rest = drop < 64 ? x & ((UINT64_C(1) << drop) - 1) : x;
    const uint64_t half = UINT64_C(1) << (drop - 1);
    bits += rest > half || (rest == half && (more || (bits & 1)));
    if (normal) /* adding lets a carry out of the mantissa into the exponent */
        bits += (uint64_t)(exponent + 1022) << 52;
    if (exponent > 1023 || bits > UINT64_C(0x7ff) << 52)
        bits = UINT64_C(0x7ff) << 52;
    memcpy(&result, &bits, sizeof result);
    return result;
}

double spk_parse_f64_exact(const char *digits, size_t n, int exponent)
{
    big a, b;
    int shift = exponent;
    a.n = 0;
    b.n = 1;
    b.w[0] = 1;
    for (size_t i = 0; i < n; i++)
        multiply_add(&a, 10, (uint32_t)(digits[i] - '0'));
    multiply_by_fives(exponent > 0 ? &a : &b, exponent > 0 ? exponent : -exponent);
    const int gap = bits_of(&a) - bits_of(&b);
    shift_left(gap > 0 ? &b : &a, gap > 0 ? gap : -gap);
    shift += gap - 63;
    const uint64_t quotient = divide(&a, &b);
    return round_to_double(quotient, a.n > 0, shift);
}
