/* SPDX-License-Identifier: Apache-2.0 */
/* Decimals in 64 bits where their type has more. Overflow is looked for at the end of a batch, which is rare. */
#include "sql/eval/narrow.h"

#include "sql/eval/decimal.h"
#include "sql/eval/kernel.h"

enum { MOST_SCALED = 18 };

char spk_sql_narrow_op(const spk_sql_expr *e)
{
    if (e->type->kind != SPK_SQL_DECIMAL || !spk_sql_is_wide(e->type) || e->n < 1
        || e->args[0]->type->kind != SPK_SQL_DECIMAL)
        return 0;
    const int scale = e->type->scale, x = e->args[0]->type->scale;
    if (e->kind == SPK_SQL_CAST)
        return scale == x && e->type->precision >= e->args[0]->type->precision ? 'c' : 0;
    if (e->kind != SPK_SQL_CALL || e->n != 2 || e->args[1]->type->kind != SPK_SQL_DECIMAL)
        return 0;
    const int y = e->args[1]->type->scale;
    if (e->kernel == spk_sql_decimal_kernel('*'))
        return scale == x + y ? '*' : 0;
    const char op = e->kernel == spk_sql_decimal_kernel('+') ? '+' : e->kernel == spk_sql_decimal_kernel('-') ? '-' : 0;
    return scale >= x && scale >= y && scale - x <= MOST_SCALED && scale - y <= MOST_SCALED ? op : 0;
}

/* NARROW_LOOP: like SPK_BINARY_LOOP; over: whether any row has overflowed. */
#define NARROW_LOOP(SET)                                                                                              \
    do {                                                                                                              \
        const spk_sql_vector a_ = args[0], b_ = args[1];                                                              \
        if (rows.at)                                                                                                  \
            for (uint32_t k_ = 0; k_ < rows.n; k_++) {                                                                \
                const uint32_t i = rows.at[k_];                                                                       \
                const int64_t x = SPK_SQL_VALUE(int64_t, &a_, i), y = SPK_SQL_VALUE(int64_t, &b_, i);                 \
                SET;                                                                                                  \
            }                                                                                                         \
        else                                                                                                          \
            for (uint32_t i = 0; i < rows.n; i++) {                                                                   \
                const int64_t x = SPK_SQL_VALUE(int64_t, &a_, i), y = SPK_SQL_VALUE(int64_t, &b_, i);                 \
                SET;                                                                                                  \
            }                                                                                                         \
    } while (0)

/* scaled: units of both at one scale, then the sum; true: overflow. */
static inline bool scaled(char op, int64_t x, int64_t p, int64_t y, int64_t q, int64_t *out)
{
    int64_t u, v;
    const int over = (int)__builtin_mul_overflow(x, p, &u) | (int)__builtin_mul_overflow(y, q, &v);
    return over | (op == '+' ? __builtin_add_overflow(u, v, out) : __builtin_sub_overflow(u, v, out));
}

bool spk_sql_narrow_run(
    char op, const spk_sql_expr *e, const spk_sql_vector *args, spk_sql_rows rows, int64_t *restrict out)
{
    bool over = false;
    if (op == 'c') {
        for (uint32_t k = 0; k < rows.n; k++) {
            const uint32_t i = spk_sql_row(rows, k);
            out[i] = SPK_SQL_VALUE(int64_t, &args[0], i);
        }
        return true;
    }
    if (op == '*') {
        NARROW_LOOP(over |= __builtin_mul_overflow(x, y, &out[i]));
        return !over;
    }
    const int64_t p = (int64_t)spk_power10(e->type->scale - e->args[0]->type->scale);
    const int64_t q = (int64_t)spk_power10(e->type->scale - e->args[1]->type->scale);
    if (p != 1 || q != 1)
        NARROW_LOOP(over |= scaled(op, x, p, y, q, &out[i]));
    else if (op == '+')
        NARROW_LOOP(over |= __builtin_add_overflow(x, y, &out[i]));
    else
        NARROW_LOOP(over |= __builtin_sub_overflow(x, y, &out[i]));
    return !over;
}

void spk_sql_narrow_widen(const spk_sql_vector *v, spk_sql_rows rows, spk_sql_wide *restrict out)
{
    for (uint32_t k = 0; k < rows.n; k++) {
        const uint32_t i = spk_sql_row(rows, k);
        out[i] = spk_sql_wide_of(SPK_SQL_VALUE(int64_t, v, i));
    }
}
