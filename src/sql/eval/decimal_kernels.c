/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels of decimals: in 64 bits where both operands and the result have at most 18 digits. */
#include "sql/eval/decimal.h"
#include "sql/eval/kernel.h"

void spk_sql_out_of_range(spk_sql_frame *f, spk_i128 units, int scale, const spk_sql_type *type)
{
    char text[SPK_DECIMAL_TEXT];
    const size_t n = spk_decimal_print(units, scale, text);
    spk_sql_error *e = spk_sql_raise(f, "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION");
    spk_sql_param(e, "config", "\"spark.sql.ansi.enabled\"");
    spk_sql_param(e, "precision", "%d", type->precision);
    spk_sql_param(e, "scale", "%d", type->scale);
    spk_sql_param(e, "value", "%.*s", (int)n, text);
}

/* failed: what row i of an operation comes to; false: the kernel ends. */
static bool failed(spk_sql_frame *f, char op, bool zero, uint32_t i, spk_i128 x, spk_i128 y)
{
    const spk_sql_expr *e = f->expr;
    if (strncmp(e->function->name, "try_", 4) == 0) {
        f->out_valid[i] = 0;
        return true;
    }
    if (zero) {
        spk_sql_by_zero(f, op == '%' || op == 'p');
        return false;
    }
    if (op == 'd') {
        spk_sql_overflow(f, "Overflow in integral divide", "try_divide");
        return false;
    }
    /* the exact value, where there is one */
    spk_i128 exact = 0;
    const int s1 = e->args[0]->type->scale, s2 = e->args[1]->type->scale;
    const int scale = op == '*' ? s1 + s2 : s1 > s2 ? s1 : s2;
    bool none;
    if (op == '/' || !spk_decimal_op(op, x, s1, y, s2, scale, &exact, &none)) {
        if (!spk_decimal_op(op, x, s1, y, s2, e->type->scale, &exact, &none) && exact == 0)
            exact = x;
        spk_sql_out_of_range(f, exact, e->type->scale, e->type);
    } else {
        spk_sql_out_of_range(f, exact, scale, e->type);
    }
    return false;
}

static void wide(spk_sql_frame *f, char op)
{
    const spk_sql_type *a = f->expr->args[0]->type, *b = f->expr->args[1]->type, *t = f->expr->type;
    const int scale = op == 'd' ? 0 : t->scale;
    const int precision = op == 'd' ? SPK_SQL_DECIMAL_MAX : t->precision;
    SPK_EACH_ROW(f, i)
    {
        const spk_i128 x = spk_sql_units(a, f->args[0].ptr + i * f->args[0].stride);
        const spk_i128 y = spk_sql_units(b, f->args[1].ptr + i * f->args[1].stride);
        spk_i128 z = 0;
        bool zero;
        const bool good = spk_decimal_op(op, x, a->scale, y, b->scale, scale, &z, &zero)
            && spk_decimal_fits(z, precision) && (op != 'd' || z == (int64_t)z);
        if (!good) {
            if (!failed(f, op, zero, i, x, y))
                return;
        } else if (op == 'd') {
            SPK_SQL_OUT(int64_t, f, i) = (int64_t)z;
        } else {
            spk_sql_units_set(t, f->out + i * t->size, z);
        }
    }
}

static bool is_narrow(const spk_sql_frame *f)
{
    return !spk_sql_is_wide(f->expr->args[0]->type) && !spk_sql_is_wide(f->expr->args[1]->type)
        && !spk_sql_is_wide(f->expr->type);
}

/* Narrow sums and products cannot overflow: their declared digits hold every value. */
static void add(spk_sql_frame *f)
{
    const spk_sql_type *a = f->expr->args[0]->type, *b = f->expr->args[1]->type, *t = f->expr->type;
    if (!is_narrow(f) || t->scale < a->scale || t->scale < b->scale) {
        wide(f, '+');
        return;
    }
    const int64_t p = (int64_t)spk_power10(t->scale - a->scale);
    const int64_t q = (int64_t)spk_power10(t->scale - b->scale);
    if (p == 1 && q == 1)
        SPK_BINARY_LOOP(f, int64_t, int64_t, out[i] = x + y);
    else
        SPK_BINARY_LOOP(f, int64_t, int64_t, out[i] = x * p + y * q);
}

static void subtract(spk_sql_frame *f)
{
    const spk_sql_type *a = f->expr->args[0]->type, *b = f->expr->args[1]->type, *t = f->expr->type;
    if (!is_narrow(f) || t->scale < a->scale || t->scale < b->scale) {
        wide(f, '-');
        return;
    }
    const int64_t p = (int64_t)spk_power10(t->scale - a->scale);
    const int64_t q = (int64_t)spk_power10(t->scale - b->scale);
    if (p == 1 && q == 1)
        SPK_BINARY_LOOP(f, int64_t, int64_t, out[i] = x - y);
    else
        SPK_BINARY_LOOP(f, int64_t, int64_t, out[i] = x * p - y * q);
}

/* multiply: of narrow factors into a wide product: one multiplication, no check, as no digit is
 * given up. */
static void multiply(spk_sql_frame *f)
{
    const spk_sql_type *a = f->expr->args[0]->type, *b = f->expr->args[1]->type, *t = f->expr->type;
    const bool exact = t->scale == a->scale + b->scale && a->precision + b->precision < 38;
    if (spk_sql_is_wide(a) || spk_sql_is_wide(b) || !exact)
        wide(f, '*');
    else if (spk_sql_is_wide(t))
        SPK_BINARY_LOOP(f, int64_t, spk_sql_wide, out[i] = spk_sql_wide_of((spk_i128)x * y));
    else
        SPK_BINARY_LOOP(f, int64_t, int64_t, out[i] = x * y);
}

static void divide(spk_sql_frame *f)
{
    wide(f, '/');
}

static void rest(spk_sql_frame *f)
{
    wide(f, '%');
}

static void pmod(spk_sql_frame *f)
{
    wide(f, 'p');
}

static void whole_quotient(spk_sql_frame *f)
{
    wide(f, 'd');
}

static void negative(spk_sql_frame *f)
{
    const spk_sql_type *t = f->expr->type;
    SPK_EACH_ROW(f, i)
    spk_sql_units_set(
        t, f->out + i * t->size, -spk_sql_units(t, f->args[0].ptr + i * f->args[0].stride));
}

static void absolute(spk_sql_frame *f)
{
    const spk_sql_type *t = f->expr->type;
    SPK_EACH_ROW(f, i)
    {
        const spk_i128 x = spk_sql_units(t, f->args[0].ptr + i * f->args[0].stride);
        spk_sql_units_set(t, f->out + i * t->size, x < 0 ? -x : x);
    }
}

spk_sql_kernel *spk_sql_decimal_kernel(char op)
{
    switch (op) {
    case '+':
        return add;
    case '-':
        return subtract;
    case '*':
        return multiply;
    case '/':
        return divide;
    case '%':
        return rest;
    case 'p':
        return pmod;
    case 'd':
        return whole_quotient;
    case 'n':
        return negative;
    default:
        return absolute;
    }
}
