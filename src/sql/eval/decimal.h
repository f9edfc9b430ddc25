/* SPDX-License-Identifier: Apache-2.0 */
/* Decimals: 128-bit units, whose products and quotients may have 256 bits on the way. */
#ifndef SPK_SQL_EVAL_DECIMAL_H
#define SPK_SQL_EVAL_DECIMAL_H

#include "sql/eval/function.h"

/* spk_power10: 10^n, 0 <= n <= 38. */
spk_i128 spk_power10(int n);

/* spk_decimal_rescale: units of 10^-from as units of 10^-to, rounded half up (away from zero);
 * false:
 * more than 38 digits. */
bool spk_decimal_rescale(spk_i128 units, int from, int to, spk_i128 *out);
/* spk_decimal_fits: not more digits than that. */
static inline bool spk_decimal_fits(spk_i128 units, int precision)
{
    const spk_i128 limit = spk_power10(precision);
    return units < limit && units > -limit;
}

/* spk_decimal_op: + - * / % p(mod) d(iv) of units with these scales, as units of `scale`, rounded
 * half up.
 * *zero: divided by zero. False: that, or more than 38 digits. */
bool spk_decimal_op(char op, spk_i128 x, int x_scale, spk_i128 y, int y_scale, int scale,
    spk_i128 *out, bool *zero);

int spk_decimal_compare(spk_i128 x, int x_scale, spk_i128 y, int y_scale);

/* spk_decimal_print: plain, with scale digits behind the point; room for 44 bytes. */
enum { SPK_DECIMAL_TEXT = 44 };
size_t spk_decimal_print(spk_i128 units, int scale, char *text);
/* spk_decimal_parse: [+-]digits[.digits][e[+-]digits] as Java's BigDecimal, rounded half up to the
 * scale.
 * 0: no number; -1: a number with more than 38 digits; 1: good. */
int spk_decimal_parse(const char *p, size_t n, int scale, spk_i128 *out);
double spk_decimal_double(spk_i128 units, int scale);
/* spk_decimal_of_double: of the shortest text that reads back as x; false: not finite, or too
 * large. */
bool spk_decimal_of_double(double x, int scale, spk_i128 *out);

/* spk_sql_decimal_kernel: + - * / % p d, n(egative), a(bs). */
spk_sql_kernel *spk_sql_decimal_kernel(char op);

/* Failures that kernels share. instead: the try_ function, or NULL. */
SPK_COLD void spk_sql_overflow(spk_sql_frame *f, const char *message, const char *instead);
SPK_COLD void spk_sql_by_zero(spk_sql_frame *f, bool remainder);
/* spk_sql_out_of_range: NUMERIC_VALUE_OUT_OF_RANGE of a decimal that is too large for the type. */
SPK_COLD void spk_sql_out_of_range(
    spk_sql_frame *f, spk_i128 units, int scale, const spk_sql_type *type);

/* spk_sql_same: the argument, as it is. */
void spk_sql_same(spk_sql_frame *f);

bool spk_sql_resolve_interval_sum(spk_sql_build *b, spk_sql_expr *call, bool minus);
bool spk_sql_resolve_interval_times(spk_sql_build *b, spk_sql_expr *call, uint32_t interval);
bool spk_sql_resolve_interval_divide(spk_sql_build *b, spk_sql_expr *call);

#endif
