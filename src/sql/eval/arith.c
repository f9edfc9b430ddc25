/* SPDX-License-Identifier: Apache-2.0 */
/* + - * / % div and signs, on numbers that are no decimals. Integers are checked: a loop notes that
 * a
 * row has overflowed, a second one finds it. */
#include "sql/eval/kernel.h"
#include "sql/eval/resolve.h"

#include <math.h>
#include <stdio.h>

#include "sql/eval/decimal.h"

static const char config[] = "\"spark.sql.ansi.enabled\"";

/* gives_null: try_add and its kin. */
static bool gives_null(const spk_sql_frame *f)
{
    return f->expr->kind == SPK_SQL_CALL && strncmp(f->expr->function->name, "try_", 4) == 0;
}

void spk_sql_overflow(spk_sql_frame *f, const char *message, const char *instead)
{
    const bool interval = spk_sql_is_interval(f->expr->type);
    spk_sql_error *e = spk_sql_raise(f,
        !interval     ? "ARITHMETIC_OVERFLOW"
            : instead ? "INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION"
                      : "INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION");
    if (interval && instead)
        spk_sql_param(e, "functionName", "`%s`", instead);
    else if (instead)
        spk_sql_param(
            e, "alternative", " Use '%s' to tolerate overflow and return NULL instead.", instead);
    else
        spk_sql_param(e, "alternative", "%s", "");
    spk_sql_param(e, "config", "%s", config);
    spk_sql_param(e, "message", "%s", message);
}

static void raise_binary(spk_sql_frame *f, const char *symbol, const char *instead, uint32_t i)
{
    const spk_sql_type *t = f->expr->type;
    if (t->kind == SPK_SQL_INT || t->kind == SPK_SQL_BIGINT || spk_sql_is_interval(t)) {
        spk_sql_overflow(f, "overflow", instead);
        return;
    }
    spk_sql_error *e = spk_sql_raise(f, "BINARY_ARITHMETIC_OVERFLOW");
    spk_sql_param(e, "functionName", "`%s`", instead);
    spk_sql_param(e, "symbol", "%s", symbol);
    spk_sql_param(e, "value1", "%lldS", (long long)spk_sql_integer(t, &f->args[0], i));
    spk_sql_param(e, "value2", "%lldS", (long long)spk_sql_integer(t, &f->args[1], i));
}

/* CHECKED: an operation on one integral type. The second loop runs in batches that overflow. */
#define CHECKED(name, T, builtin, symbol, instead)                                                 \
    static void name(spk_sql_frame *f)                                                             \
    {                                                                                              \
        bool bad = false;                                                                          \
        SPK_BINARY_LOOP(f, T, T, bad |= builtin(x, y, &out[i]));                                   \
        if (!bad)                                                                                  \
            return;                                                                                \
        SPK_EACH_ROW(f, i)                                                                         \
        {                                                                                          \
            T z;                                                                                   \
            if (!builtin(SPK_SQL_ARG(T, f, 0, i), SPK_SQL_ARG(T, f, 1, i), &z))                    \
                continue;                                                                          \
            if (!gives_null(f)) {                                                                  \
                raise_binary(f, symbol, instead, i);                                               \
                return;                                                                            \
            }                                                                                      \
            f->out_valid[i] = 0;                                                                   \
        }                                                                                          \
    }
#define CHECKED_ALL(T, suffix)                                                                     \
    CHECKED(add_##suffix, T, __builtin_add_overflow, "+", "try_add")                               \
    CHECKED(subtract_##suffix, T, __builtin_sub_overflow, "-", "try_subtract")                     \
    CHECKED(multiply_##suffix, T, __builtin_mul_overflow, "*", "try_multiply")
CHECKED_ALL(int8_t, i8)
CHECKED_ALL(int16_t, i16)
CHECKED_ALL(int32_t, i32)
CHECKED_ALL(int64_t, i64)

#define FLOATING(name, T, op)                                                                      \
    static void name(spk_sql_frame *f)                                                             \
    {                                                                                              \
        SPK_BINARY_LOOP(f, T, T, out[i] = x op y);                                                 \
    }
FLOATING(add_f32, float, +)
FLOATING(add_f64, double, +)
FLOATING(subtract_f32, float, -)
FLOATING(subtract_f64, double, -)
FLOATING(multiply_f32, float, *)
FLOATING(multiply_f64, double, *)

void spk_sql_by_zero(spk_sql_frame *f, bool remainder)
{
    spk_sql_error *e = spk_sql_raise(f,
        spk_sql_is_interval(f->expr->type) ? "INTERVAL_DIVIDED_BY_ZERO"
            : remainder                    ? "REMAINDER_BY_ZERO"
                                           : "DIVIDE_BY_ZERO");
    spk_sql_param(e, "config", "%s", config);
}

static void divide_f64(spk_sql_frame *f)
{
    const bool null = gives_null(f);
    SPK_EACH_ROW(f, i)
    {
        const double y = SPK_SQL_ARG(double, f, 1, i);
        if (y == 0 && null) {
            f->out_valid[i] = 0;
        } else if (y == 0) {
            spk_sql_by_zero(f, false);
            return;
        }
        SPK_SQL_OUT(double, f, i) = SPK_SQL_ARG(double, f, 0, i) / y;
    }
}

static void div_i64(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spk_sql_type *t = f->expr->args[0]->type;
        const int64_t x = spk_sql_integer(t, &f->args[0], i),
                      y = spk_sql_integer(t, &f->args[1], i);
        if (y == 0) {
            spk_sql_by_zero(f, false);
            return;
        }
        if (x == INT64_MIN && y == -1) {
            spk_sql_overflow(f, "Overflow in integral divide", "try_divide");
            return;
        }
        SPK_SQL_OUT(int64_t, f, i) = x / y;
    }
}

/* REST: %, and pmod, which takes the sign of nothing. */
#define REST(name, T, Wide, expression, test)                                                      \
    static void name(spk_sql_frame *f)                                                             \
    {                                                                                              \
        const bool null = gives_null(f);                                                           \
        SPK_EACH_ROW(f, i)                                                                         \
        {                                                                                          \
            const Wide x = SPK_SQL_ARG(T, f, 0, i), y = SPK_SQL_ARG(T, f, 1, i);                   \
            if (y == 0 && null) {                                                                  \
                f->out_valid[i] = 0;                                                               \
                continue;                                                                          \
            }                                                                                      \
            if (y == 0) {                                                                          \
                spk_sql_by_zero(f, true);                                                          \
                return;                                                                            \
            }                                                                                      \
            const Wide z = expression;                                                             \
            SPK_SQL_OUT(T, f, i) = (T)(test);                                                      \
        }                                                                                          \
    }
#define REST_INTEGER(T, suffix)                                                                    \
    REST(rest_##suffix, T, int64_t, y == -1 ? 0 : x % y, z)                                        \
    REST(pmod_##suffix, T, int64_t, y == -1 ? 0 : x % y,                                           \
        z >= 0 ? z : (int64_t)((spk_i128)z + y < 0 ? (spk_i128)z + y : ((spk_i128)z + y) % y))
REST_INTEGER(int8_t, i8)
REST_INTEGER(int16_t, i16)
REST_INTEGER(int32_t, i32)
REST_INTEGER(int64_t, i64)
REST(rest_f32, float, float, fmodf(x, y), z)
REST(rest_f64, double, double, fmod(x, y), z)
REST(pmod_f32, float, float, fmodf(x, y), z < 0 ? fmodf(z + y, y) : z)
REST(pmod_f64, double, double, fmod(x, y), z < 0 ? fmod(z + y, y) : z)

/* SIGNED: -x and abs(x). */
#define SIGNED(name, T, U, least, expression)                                                      \
    static void name(spk_sql_frame *f)                                                             \
    {                                                                                              \
        bool bad = false;                                                                          \
        SPK_UNARY_LOOP(f, T, T, bad |= x == least; out[i] = (T)(U)(expression));                   \
        if (bad)                                                                                   \
            spk_sql_overflow(f, "overflow", NULL);                                                 \
    }
#define SIGNED_BOTH(T, U, least, suffix)                                                           \
    SIGNED(negative_##suffix, T, U, least, 0 - (U)x)                                               \
    SIGNED(abs_##suffix, T, U, least, x < 0 ? 0 - (U)x : (U)x)
SIGNED_BOTH(int8_t, uint8_t, INT8_MIN, i8)
SIGNED_BOTH(int16_t, uint16_t, INT16_MIN, i16)
SIGNED_BOTH(int32_t, uint32_t, INT32_MIN, i32)
SIGNED_BOTH(int64_t, uint64_t, INT64_MIN, i64)

static void negative_f32(spk_sql_frame *f)
{
    SPK_UNARY_LOOP(f, float, float, out[i] = -x);
}

static void negative_f64(spk_sql_frame *f)
{
    SPK_UNARY_LOOP(f, double, double, out[i] = -x);
}

static void abs_f32(spk_sql_frame *f)
{
    SPK_UNARY_LOOP(f, float, float, out[i] = fabsf(x));
}

static void abs_f64(spk_sql_frame *f)
{
    SPK_UNARY_LOOP(f, double, double, out[i] = fabs(x));
}

void spk_sql_same(spk_sql_frame *f)
{
    const size_t size = f->expr->type->size;
    SPK_EACH_ROW(f, i)
    memcpy(f->out + i * size, f->args[0].ptr + i * f->args[0].stride, size);
}

/* ---- which kernel ---- */

#define ROW(op)                                                                                    \
    {                                                                                              \
        op##_i8, op##_i16, op##_i32, op##_i64, NULL, op##_f32, op##_f64                            \
    }
static spk_sql_kernel *const kernels[][7]
    = { ROW(add), ROW(subtract), ROW(multiply), ROW(rest), ROW(pmod), ROW(negative), ROW(abs) };
enum { ADD, SUBTRACT, MULTIPLY, REMAINDER, PMOD, NEGATIVE, ABS };

static spk_sql_kernel *kernel_of(int op, const spk_sql_type *t)
{
    if (t->kind == SPK_SQL_INTERVAL_MONTHS)
        return kernels[op][SPK_SQL_INT - SPK_SQL_TINYINT];
    if (t->kind == SPK_SQL_INTERVAL_SECONDS)
        return kernels[op][SPK_SQL_BIGINT - SPK_SQL_TINYINT];
    return t->kind >= SPK_SQL_TINYINT && t->kind <= SPK_SQL_DOUBLE
        ? kernels[op][t->kind - SPK_SQL_TINYINT]
        : NULL;
}

static const char numbers_or_intervals[]
    = "(\"NUMERIC\" or \"INTERVAL DAY TO SECOND\" or \"INTERVAL YEAR TO MONTH\" or \"INTERVAL\")";

/* operands: casts both to the type that the operation works on: the common one, or decimals each of
 * its
 * own. False: failed. */
static SPK_COLD bool operands(spk_sql_build *b, spk_sql_expr *call, bool *decimals, const char *wanted)
{
    const spk_sql_type *x = call->args[0]->type, *y = call->args[1]->type;
    *decimals = false;
    if (x->kind == SPK_SQL_STRING && y->kind == SPK_SQL_STRING)
        return spk_sql_wrong_type(b, call, wanted);
    const spk_sql_type *common = spk_sql_common(b->arena, x, y, true);
    if (!common)
        return spk_sql_diff_types(b, call);
    if (common->kind == SPK_SQL_VOID)
        common = spk_sql_type_of(SPK_SQL_DOUBLE);
    if (!spk_sql_is_numeric(common) && !spk_sql_is_interval(common)) {
        const bool strings = x->kind == SPK_SQL_STRING || y->kind == SPK_SQL_STRING;
        if (strings || spk_sql_type_same(x, y) || x->kind == SPK_SQL_VOID
            || y->kind == SPK_SQL_VOID) {
            call->args[0] = spk_sql_coerce(b, call->args[0], common);
            call->args[1] = spk_sql_coerce(b, call->args[1], common);
            return call->args[0] && call->args[1] && spk_sql_wrong_type(b, call, wanted);
        }
        return spk_sql_diff_types(b, call);
    }
    if (common->kind == SPK_SQL_DECIMAL) {
        *decimals = true;
        for (int i = 0; i < 2; i++) {
            const spk_sql_type *own = call->args[i]->type->kind == SPK_SQL_VOID
                ? call->args[1 - i]->type
                : spk_sql_decimal_of_expr(b->arena, call->args[i]);
            call->args[i] = own ? spk_sql_coerce(b, call->args[i], own) : NULL;
        }
    } else {
        call->args[0] = spk_sql_coerce(b, call->args[0], common);
        call->args[1] = spk_sql_coerce(b, call->args[1], common);
    }
    call->type = common;
    return call->args[0] && call->args[1];
}

/* arithmetic: + - * on numbers and intervals. */
static SPK_COLD bool arithmetic(spk_sql_build *b, spk_sql_expr *call, int op, char sign)
{
    bool decimals;
    if (!operands(b, call, &decimals, op == MULTIPLY ? "\"NUMERIC\"" : numbers_or_intervals))
        return false;
    if (op == MULTIPLY && spk_sql_is_interval(call->type))
        return spk_sql_wrong_type(b, call, "\"NUMERIC\"");
    call->kernel = decimals ? spk_sql_decimal_kernel(sign) : kernel_of(op, call->type);
    if (decimals) {
        call->type
            = spk_sql_decimal_result(b->arena, sign, call->args[0]->type, call->args[1]->type);
        call->nullable = call->args[0]->nullable || call->args[1]->nullable || true;
    }
    return call->type != NULL;
}

static bool has_time(const spk_sql_expr *call)
{
    for (uint32_t i = 0; i < call->n; i++)
        if ((call->args[i]->type->kind >= SPK_SQL_DATE
                && call->args[i]->type->kind <= SPK_SQL_INTERVAL_SECONDS))
            return true;
    return false;
}

SPK_COLD bool spk_sql_resolve_plus(spk_sql_build *b, spk_sql_expr *call)
{
    if (call->n == 1)
        return spk_sql_resolve_sign(b, call);
    return has_time(call) ? spk_sql_resolve_date_sum(b, call, false)
                          : arithmetic(b, call, ADD, '+');
}

SPK_COLD bool spk_sql_resolve_minus(spk_sql_build *b, spk_sql_expr *call)
{
    if (call->n == 1)
        return spk_sql_resolve_sign(b, call);
    return has_time(call) ? spk_sql_resolve_date_sum(b, call, true)
                          : arithmetic(b, call, SUBTRACT, '-');
}

SPK_COLD bool spk_sql_resolve_interval_sum(spk_sql_build *b, spk_sql_expr *call, bool minus)
{
    return arithmetic(b, call, minus ? SUBTRACT : ADD, minus ? '-' : '+');
}

SPK_COLD bool spk_sql_resolve_times(spk_sql_build *b, spk_sql_expr *call)
{
    for (int i = 0; i < 2; i++)
        if (spk_sql_is_interval(call->args[i]->type))
            return spk_sql_resolve_interval_times(b, call, (uint32_t)i);
    return arithmetic(b, call, MULTIPLY, '*');
}

SPK_COLD bool spk_sql_resolve_divide(spk_sql_build *b, spk_sql_expr *call)
{
    static const char wanted[] = "(\"DOUBLE\" or \"DECIMAL\")";
    bool decimals;
    call->nullable = true;
    if (spk_sql_is_interval(call->args[0]->type))
        return spk_sql_resolve_interval_divide(b, call);
    const spk_sql_kind x = call->args[0]->type->kind, y = call->args[1]->type->kind;
    if (x == SPK_SQL_STRING && y == SPK_SQL_STRING)
        return spk_sql_wrong_type(b, call, wanted);
    if (!operands(b, call, &decimals, wanted))
        return false;
    if (decimals) {
        call->kernel = spk_sql_decimal_kernel('/');
        call->type
            = spk_sql_decimal_result(b->arena, '/', call->args[0]->type, call->args[1]->type);
        return call->type != NULL;
    }
    if (spk_sql_is_interval(call->type))
        return spk_sql_wrong_type(b, call, wanted);
    call->type = spk_sql_type_of(SPK_SQL_DOUBLE);
    call->args[0] = spk_sql_coerce(b, call->args[0], call->type);
    call->args[1] = spk_sql_coerce(b, call->args[1], call->type);
    call->kernel = divide_f64;
    return call->args[0] && call->args[1];
}

SPK_COLD bool spk_sql_resolve_div(spk_sql_build *b, spk_sql_expr *call)
{
    static const char wanted[]
        = "(\"BIGINT\" or \"DECIMAL\" or \"INTERVAL YEAR TO MONTH\" or \"INTERVAL DAY TO SECOND\")";
    bool decimals;
    call->nullable = true;
    /* integers become BIGINT first, which messages show */
    for (int i = 0; i < 2; i++)
        if (spk_sql_is_integral(call->args[i]->type)
            && call->args[1 - i]->type->kind != SPK_SQL_DECIMAL
            && !(call->args[i] = spk_sql_coerce(b, call->args[i], spk_sql_type_of(SPK_SQL_BIGINT))))
            return false;
    if (spk_sql_type_same(call->args[0]->type, call->args[1]->type)
        && spk_sql_is_numeric(call->args[0]->type)
        && (call->args[0]->type->kind == SPK_SQL_DOUBLE
            || call->args[0]->type->kind == SPK_SQL_FLOAT))
        return spk_sql_wrong_type(b, call, wanted);
    const spk_sql_kind x = call->args[0]->type->kind, y = call->args[1]->type->kind;
    if ((x == SPK_SQL_DOUBLE && y == SPK_SQL_DECIMAL)
        || (x == SPK_SQL_DECIMAL && y == SPK_SQL_DOUBLE)) {
        spk_sql_expr **decimal = &call->args[x == SPK_SQL_DOUBLE];
        *decimal = spk_sql_coerce(b, *decimal, spk_sql_type_of(SPK_SQL_DOUBLE));
        return *decimal && spk_sql_wrong_type(b, call, wanted);
    }
    if (x == SPK_SQL_DOUBLE || y == SPK_SQL_DOUBLE || x == SPK_SQL_FLOAT || y == SPK_SQL_FLOAT)
        return spk_sql_diff_types(b, call);
    if (!operands(b, call, &decimals, wanted))
        return false;
    if (call->type->kind == SPK_SQL_DOUBLE) { /* two NULLs */
        call->args[0] = spk_sql_coerce(b, call->args[0], spk_sql_type_of(SPK_SQL_BIGINT));
        call->args[1] = spk_sql_coerce(b, call->args[1], spk_sql_type_of(SPK_SQL_BIGINT));
    }
    call->kernel = decimals ? spk_sql_decimal_kernel('d') : div_i64;
    call->type = spk_sql_type_of(SPK_SQL_BIGINT);
    return call->args[0] && call->args[1];
}

SPK_COLD bool spk_sql_resolve_rest(spk_sql_build *b, spk_sql_expr *call)
{
    const bool pmod = strcmp(call->function->name, "pmod") == 0;
    bool decimals;
    call->nullable = true;
    if (!operands(b, call, &decimals, "\"NUMERIC\""))
        return false;
    if (spk_sql_is_interval(call->type))
        return spk_sql_wrong_type(b, call, "\"NUMERIC\"");
    call->kernel = decimals ? spk_sql_decimal_kernel(pmod ? 'p' : '%')
                            : kernel_of(pmod ? PMOD : REMAINDER, call->type);
    if (decimals)
        call->type
            = spk_sql_decimal_result(b->arena, '%', call->args[0]->type, call->args[1]->type);
    return call->type != NULL;
}

/* sign: of u+, u- and abs. */
SPK_COLD bool spk_sql_resolve_sign(spk_sql_build *b, spk_sql_expr *call)
{
    const char *name = call->function->name;
    const int op = strcmp(name, "abs") == 0 ? ABS : NEGATIVE;
    const bool same
        = strcmp(name, "u+") == 0 || strcmp(name, "positive") == 0 || strcmp(name, "+") == 0;
    spk_sql_expr *x = call->args[0];
    if (x->type->kind == SPK_SQL_STRING || x->type->kind == SPK_SQL_VOID)
        x = call->args[0] = spk_sql_coerce(b, x, spk_sql_type_of(SPK_SQL_DOUBLE));
    if (!x)
        return false;
    if (!spk_sql_is_numeric(x->type) && !spk_sql_is_interval(x->type)) {
        spk_sql_unexpected(b, call, 0, numbers_or_intervals);
        return false;
    }
    call->type = x->type;
    call->nullable = x->nullable;
    call->kernel = same                    ? spk_sql_same
        : x->type->kind == SPK_SQL_DECIMAL ? spk_sql_decimal_kernel(op == ABS ? 'a' : 'n')
                                           : kernel_of(op, x->type);
    return true;
}
