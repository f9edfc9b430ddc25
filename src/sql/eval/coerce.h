/* SPDX-License-Identifier: Apache-2.0 */
/* Which type several become, and what may be cast to what: Spark's ANSI mode. */
#ifndef SPK_SQL_EVAL_COERCE_H
#define SPK_SQL_EVAL_COERCE_H

#include "sql/eval/expr.h"

/* spk_sql_common: the least common type of two: of operators, CASE, COALESCE, IN, set operations.
 * strings: a STRING becomes what the other is (of integers BIGINT, of other numbers DOUBLE);
 * without
 * (greatest, least) it meets STRING alone. NULL: there is none, or no memory. */
const spk_sql_type *spk_sql_common(
    spk_arena *arena, const spk_sql_type *a, const spk_sql_type *b, bool strings);

/* spk_sql_common_of: of n expressions; NULL: none. Strings are looked at last, so that the order of
 * the others does not matter. */
const spk_sql_type *spk_sql_common_of(
    spk_sql_build *b, spk_sql_expr *const args[], size_t n, bool strings);

/* spk_sql_castable: whether CAST(from AS to) is allowed; TRY_CAST allows the same. implicit: what a
 * function's argument may be cast by. */
bool spk_sql_castable(const spk_sql_type *from, const spk_sql_type *to);
bool spk_sql_implicit(const spk_sql_type *from, const spk_sql_type *to);

/* spk_sql_cast_nullable: whether a cast may give NULL for a value. */
bool spk_sql_cast_fails(const spk_sql_type *from, const spk_sql_type *to);

/* spk_sql_cast_gives_null: whether it gives NULL for some values: NaN and infinities as decimals.
 * */
static inline bool spk_sql_cast_gives_null(const spk_sql_type *from, const spk_sql_type *to)
{
    return to->kind == SPK_SQL_DECIMAL
        && (from->kind == SPK_SQL_FLOAT || from->kind == SPK_SQL_DOUBLE);
}

/* spk_sql_decimal_of: the decimal that holds all values of an integral or decimal type; of a
 * literal, as
 * many digits as it has. */
const spk_sql_type *spk_sql_decimal_of(spk_arena *arena, const spk_sql_type *type);
const spk_sql_type *spk_sql_decimal_of_expr(spk_arena *arena, const spk_sql_expr *expr);

/* spk_sql_decimal_result: of +, -, *, /, % on decimals; op: that sign, or 'c': the common type. */
const spk_sql_type *spk_sql_decimal_result(
    spk_arena *arena, char op, const spk_sql_type *a, const spk_sql_type *b);
/* spk_sql_decimal_adjust: a decimal of these many digits, digits behind the point given up (not
 * fewer
 * than 6, or scale) where there would be more than 38. */
const spk_sql_type *spk_sql_decimal_adjust(spk_arena *arena, int precision, int scale);

#endif
