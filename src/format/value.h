/* SPDX-License-Identifier: Apache-2.0 */
/* Values from text, as Java reads them. Every text must have SPK_TEXT_SLACK readable bytes behind its
 * first one, whatever they are: digits are taken eight at a time. */
#ifndef SPK_FORMAT_VALUE_H
#define SPK_FORMAT_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

/* spk_text_digits: n digits, 1 to 8, as a number; *bad is not 0 where one is no digit. The digits come
 * to stand at the high end of a word, zeros before them, and are added up in pairs, then pairs of
 * pairs (after Daniel Lemire, "Quickly parsing eight digits"). Little-endian machines. */
static inline uint64_t spk_text_digits(const char *p, unsigned n, uint64_t *bad)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    const uint64_t zeros = UINT64_C(0x3030303030303030);
    uint64_t x;
    memcpy(&x, p, sizeof x);
    x = n < 8 ? x << (64 - 8 * n) | zeros >> (8 * n) : x;
    x ^= zeros;
    *bad |= (x | (x + UINT64_C(0x7676767676767676))) & UINT64_C(0x8080808080808080);
    x = x * 10 + (x >> 8);
    x = ((x & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x000f424000000064)
            + ((x >> 16) & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x0000271000000001))
        >> 32;
    return (uint32_t)x;
#else
    uint64_t x = 0;
    for (unsigned i = 0; i < n; i++) {
        const unsigned d = (unsigned)(unsigned char)p[i] - '0';
        *bad |= d > 9;
        x = x * 10 + d;
    }
    return x;
#endif
}

/* spk_text_i64: a sign and digits, of at most 64 bits. */
static inline bool spk_text_i64(const char *p, size_t n, int64_t *out)
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

/* spk_text_f64: what is short and plain is one exact division (Clinger, "How to Read Floating Point
 * Numbers Accurately"): both operands have at most 53 bits. */
static inline bool spk_text_f64(const char *p, size_t n, double *out)
{
    static const double powers[] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8 };
    static const uint64_t whole[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000 };
    const size_t sign = n > 0 && *p == '-';
    const char *d = p + sign;
    const size_t left = n - sign;
    size_t point = 0;
    uint64_t bad = 0, x, y = 0;
    while (point < left && point < 8 && d[point] != '.')
        point++;
    const size_t behind = point < left ? left - point - 1 : 0;
    if (point == 0 || (point < left && (d[point] != '.' || behind - 1 > 7)))
        return spk_text_f64_slow(p, n, out);
    x = spk_text_digits(d, (unsigned)point, &bad);
    if (behind > 0)
        y = spk_text_digits(d + point + 1, (unsigned)behind, &bad);
    x = x * whole[behind] + y;
    if (bad || x >> 53)
        return spk_text_f64_slow(p, n, out);
    *out = (double)x / powers[behind];
    *out = sign ? -*out : *out;
    return true;
}

#endif
