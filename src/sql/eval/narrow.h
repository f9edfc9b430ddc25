/* SPDX-License-Identifier: Apache-2.0 */
/* Decimals whose type has more than 18 digits, computed in 64 bits as long as the values of a batch fit: sums,
 * differences and products in which no digit is given up. */
#ifndef SPK_SQL_EVAL_NARROW_H
#define SPK_SQL_EVAL_NARROW_H

#include "sql/eval/function.h"

/* spk_sql_narrow_op: how an expression of a wide decimal type is computed in 64 bits: '+' '-' '*', 'c' for a cast
 * that only adds digits in front; 0: it is not. */
char spk_sql_narrow_op(const spk_sql_expr *e);

/* spk_sql_narrow_run: the rows' values of 64-bit arguments, to out; false: one does not fit, and out means nothing. */
bool spk_sql_narrow_run(
    char op, const spk_sql_expr *e, const spk_sql_vector *args, spk_sql_rows rows, int64_t *out);

/* spk_sql_narrow_widen: of 64-bit values, to 128 bits. */
void spk_sql_narrow_widen(const spk_sql_vector *v, spk_sql_rows rows, spk_sql_wide *out);

#endif
