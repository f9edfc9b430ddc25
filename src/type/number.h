/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as text, without a locale and without rounding twice. */
#ifndef SPK_TYPE_NUMBER_H
#define SPK_TYPE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SPK_NUMBER_TEXT = 32 }; /* room for any number that these print */

/* spk_parse_i64, spk_parse_f64: all n bytes as a number; false, and *out unchanged, when they are
 * anything else. A number beyond the range of the type is none; one below the smallest double is
 * 0. */
bool spk_parse_i64(const char *p, size_t n, int64_t *out);
bool spk_parse_f64(const char *p, size_t n, double *out);

/* spk_print_...: write no NUL; return the length. Doubles and floats: the shortest text that reads
 * back as the same number, and of these the closest. */
size_t spk_print_u64(uint64_t x, char *text);
size_t spk_print_i64(int64_t x, char *text);
size_t spk_print_f64(double x, char *text);
size_t spk_print_f32(float x, char *text);

/* spk_uint128: two words; __int128 without the pedantic warnings. */
typedef struct spk_uint128 {
    uint64_t high, low;
} spk_uint128;

static inline spk_uint128 spk_multiply(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 u128;
    const u128 product = (u128)a * b;
    return (spk_uint128) { (uint64_t)(product >> 64), (uint64_t)product };
}

enum { SPK_POWER_MIN = -351, SPK_POWER_MAX = 350 };

/* spk_power_of_ten: the first 128 bits of 10^k, the highest one set; the rest is cut off. */
spk_uint128 spk_power_of_ten(int k);

/* spk_parse_f64_exact: digits * 10^exponent, correctly rounded, for any number of digits: the slow
 * way. digits are n characters '0' to '9' of which the first is not '0', n <= SPK_EXACT_DIGITS. */
enum { SPK_EXACT_DIGITS = 800 };
double spk_parse_f64_exact(const char *digits, size_t n, int exponent);

#endif
