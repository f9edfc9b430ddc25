/* SPDX-License-Identifier: Apache-2.0 */
/* Values from text, as Java reads them. Every text must have SPK_TEXT_SLACK readable bytes behind its
 * first one, whatever they are: digits are taken eight at a time. */
#ifndef SPK_FORMAT_VALUE_H
#define SPK_FORMAT_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* SPK_MALFORMED, SPK_MALFORMED_STATE: around what is wrong with a record where the mode is FAILFAST: Spark's condition
 * and its SQLSTATE. */
#define SPK_MALFORMED "[MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION] "
#define SPK_MALFORMED_STATE " SQLSTATE: 22023"

enum { SPK_TEXT_SLACK = 16 };

/* spk_text_bool: true, false, in any case. */
bool spk_text_bool(const char *p, size_t n, bool *out);
/* spk_text_u64: digits, perhaps behind a +. spk_text_f64: as Double.parseDouble, but for hexadecimal
 * numbers: blanks around it, a d or f behind it, NaN, Infinity; beyond the range: infinite. */
bool spk_text_u64(const char *p, size_t n, uint64_t *out);
bool spk_text_f64_slow(const char *p, size_t n, double *out);
/* spk_text_decimal: units of 10^-scale, rounded half up; false: no number, or more digits than the
 * precision. */
bool spk_text_decimal(const char *p, size_t n, int precision, int scale, int64_t *out);
bool spk_text_i64_slow(const char *p, size_t n, int64_t *out);

/* Loops over cells have these in them. */
#define SPK_TEXT_INLINE __attribute__((always_inline)) static inline

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define SPK_TEXT_WORDS 1
#else
#define SPK_TEXT_WORDS 0
#endif

/* spk_text_word: n digits, 1 to 8, in the low bytes of x, as a number; *bad is not 0 where one is no
 * digit. The digits come to stand at the high end of the word, zeros before them, and are added up in
 * pairs, then pairs of pairs (after Daniel Lemire, "Quickly parsing eight digits"). */
static inline uint64_t spk_text_word(uint64_t x, unsigned n, uint64_t *bad)
{
    const uint64_t zeros = UINT64_C(0x3030303030303030);
    x = n < 8 ? x << (64 - 8 * n) | zeros >> (8 * n) : x;
    x ^= zeros;
    *bad |= (x | (x + UINT64_C(0x7676767676767676))) & UINT64_C(0x8080808080808080);
    x = x * 10 + (x >> 8);
    x = ((x & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x000f424000000064)
            + ((x >> 16) & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x0000271000000001))
        >> 32;
    return (uint32_t)x;
}

/* spk_text_digits: n digits at p, 1 to 8. */
static inline uint64_t spk_text_digits(const char *p, unsigned n, uint64_t *bad)
{
    uint64_t x = 0;
    if (SPK_TEXT_WORDS) {
        memcpy(&x, p, sizeof x);
        return spk_text_word(x, n, bad);
    }
    for (unsigned i = 0; i < n; i++) {
        const unsigned d = (unsigned)(unsigned char)p[i] - '0';
        *bad |= d > 9;
        x = x * 10 + d;
    }
    return x;
}

/* spk_text_i64: a sign and digits, of at most 64 bits. */
SPK_TEXT_INLINE bool spk_text_i64(const char *p, size_t n, int64_t *out)
{
    uint64_t bad = 0, x;
    const size_t sign = n > 0 && *p == '-';
    const char *d = p + sign;
    const size_t left = n - sign;
    if (left - 1 < 8)
        x = spk_text_digits(d, (unsigned)left, &bad);
    else if (left - 1 < 16)
        x = spk_text_digits(d, (unsigned)left - 8, &bad) * 100000000
            + spk_text_digits(d + left - 8, 8, &bad);
    else
        return spk_text_i64_slow(p, n, out);
    if (bad)
        return spk_text_i64_slow(p, n, out);
    *out = sign ? -(int64_t)x : (int64_t)x;
    return true;
}

/* spk_text_f64: up to eight bytes of digits with a point among them are one exact division (Clinger, "How
 * to Read Floating Point Numbers Accurately"): the point is taken out of the word. */
SPK_TEXT_INLINE bool spk_text_f64(const char *p, size_t n, double *out)
{
    static const double powers[] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7 };
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    const size_t sign = n > 0 && *p == '-';
    const size_t left = n - sign;
    uint64_t bad = 0, x;
    if (!SPK_TEXT_WORDS || left - 1 > 7)
        return spk_text_f64_slow(p, n, out);
    memcpy(&x, p + sign, sizeof x);
    x &= UINT64_MAX >> (64 - 8 * left); /* what stands behind the text is anything */
    const uint64_t away = x ^ ones * '.', point = (away - ones) & ~away & tops;
    const unsigned at = point ? (unsigned)__builtin_ctzll(point) / 8 : 8;
    unsigned digits = (unsigned)left, behind = 0;
    if (at < left) {
        const uint64_t front = (UINT64_C(1) << 8 * at) - 1;
        x = (x & front) | (x >> 8 & ~front);
        behind = --digits - at;
        if (digits == 0)
            return spk_text_f64_slow(p, n, out);
    }
    x = spk_text_word(x, digits, &bad);
    if (bad)
        return spk_text_f64_slow(p, n, out);
    *out = (double)(int64_t)x / powers[behind];
    *out = sign ? -*out : *out;
    return true;
}

#endif
