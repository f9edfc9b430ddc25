/* SPDX-License-Identifier: Apache-2.0 */
/* The table of operators on numbers, and bits. */
#include "sql/eval/decimal.h"
#include "sql/eval/kernel.h"
#include "sql/eval/resolve.h"

#define BITS(name, T, expression)                                                                  \
    static void name(spk_sql_frame *f)                                                             \
    {                                                                                              \
        SPK_BINARY_LOOP(f, T, T, out[i] = (T)(expression));                                        \
    }
#define BITS_ALL(T, suffix)                                                                        \
    BITS(and_##suffix, T, x &y)                                                                    \
    BITS(or_##suffix, T, x | y)                                                                    \
    BITS(xor_##suffix, T, x ^ y)
BITS_ALL(int8_t, i8)
BITS_ALL(int16_t, i16)
BITS_ALL(int32_t, i32)
BITS_ALL(int64_t, i64)

#define INVERT(name, T)                                                                            \
    static void name(spk_sql_frame *f)                                                             \
    {                                                                                              \
        SPK_UNARY_LOOP(f, T, T, out[i] = (T)~x);                                                   \
    }
INVERT(not_i8, int8_t)
INVERT(not_i16, int16_t)
INVERT(not_i32, int32_t)
INVERT(not_i64, int64_t)

SPK_COLD bool spk_sql_resolve_bits(spk_sql_build *b, spk_sql_expr *call)
{
    static spk_sql_kernel *const kernels[][4]
        = { { and_i8, and_i16, and_i32, and_i64 }, { or_i8, or_i16, or_i32, or_i64 },
              { xor_i8, xor_i16, xor_i32, xor_i64 }, { not_i8, not_i16, not_i32, not_i64 } };
    const char *name = call->function->name;
    const int op = *name == '&' ? 0 : *name == '|' ? 1 : *name == '^' ? 2 : 3;
    for (uint32_t i = 0; i < call->n; i++)
        if (call->args[i]->type->kind == SPK_SQL_VOID && call->n == 1)
            call->args[i] = spk_sql_coerce(b, call->args[i], spk_sql_type_of(SPK_SQL_INT));
    const spk_sql_type *x = call->args[0]->type, *common = x;
    if (call->n == 2) {
        common = spk_sql_common(b->arena, x, call->args[1]->type, true);
        if (!common)
            return spk_sql_diff_types(b, call);
        if (common->kind == SPK_SQL_VOID)
            common = spk_sql_type_of(SPK_SQL_INT);
        const spk_sql_kind p = x->kind, q = call->args[1]->type->kind;
        const bool cast = p == SPK_SQL_VOID || q == SPK_SQL_VOID || p == SPK_SQL_STRING
            || q == SPK_SQL_STRING || (p == SPK_SQL_DECIMAL && q == SPK_SQL_DOUBLE)
            || (p == SPK_SQL_DOUBLE && q == SPK_SQL_DECIMAL);
        if (!spk_sql_is_integral(common) && p != q && !cast)
            return spk_sql_diff_types(b, call);
        for (uint32_t i = 0; i < 2; i++)
            if (!(call->args[i] = spk_sql_coerce(b, call->args[i], common)))
                return false;
        if (!spk_sql_is_integral(common))
            return spk_sql_wrong_type(b, call, "\"INTEGRAL\"");
    } else if (x->kind == SPK_SQL_STRING) {
        common = spk_sql_type_of(SPK_SQL_BIGINT);
        call->args[0] = spk_sql_coerce(b, call->args[0], common);
    } else if (!spk_sql_is_integral(x)) {
        spk_sql_unexpected(b, call, 0, "\"INTEGRAL\"");
        return false;
    }
    call->type = common;
    call->kernel = kernels[op][common->kind - SPK_SQL_TINYINT];
    return call->args[0] != NULL;
}

#define SHIFT(name, T, U, bits, expression)                                                        \
    static void name(spk_sql_frame *f)                                                             \
    {                                                                                              \
        SPK_EACH_ROW(f, i)                                                                         \
        {                                                                                          \
            const T x = SPK_SQL_ARG(T, f, 0, i);                                                   \
            const unsigned by = (unsigned)SPK_SQL_ARG(int32_t, f, 1, i) & (bits - 1);              \
            SPK_SQL_OUT(T, f, i) = (T)(expression);                                                \
        }                                                                                          \
    }
SHIFT(left_i32, int32_t, uint32_t, 32, (uint32_t)x << by)
SHIFT(left_i64, int64_t, uint64_t, 64, (uint64_t)x << by)
SHIFT(right_i32, int32_t, uint32_t, 32, x >> by)
SHIFT(right_i64, int64_t, uint64_t, 64, x >> by)
SHIFT(unsigned_i32, int32_t, uint32_t, 32, (uint32_t)x >> by)
SHIFT(unsigned_i64, int64_t, uint64_t, 64, (uint64_t)x >> by)

static SPK_COLD bool resolve_shift(spk_sql_build *b, spk_sql_expr *call)
{
    static spk_sql_kernel *const kernels[][2]
        = { { left_i32, left_i64 }, { right_i32, right_i64 }, { unsigned_i32, unsigned_i64 } };
    const char *name = call->function->name;
    const int op = strcmp(name, "<<") == 0 || strcmp(name, "shiftleft") == 0 ? 0
        : strcmp(name, ">>") == 0 || strcmp(name, "shiftright") == 0         ? 1
                                                                             : 2;
    const spk_sql_kind x = call->args[0]->type->kind;
    const bool wide = x == SPK_SQL_BIGINT;
    if (!wide && !spk_sql_implicit(call->args[0]->type, spk_sql_type_of(SPK_SQL_INT))) {
        spk_sql_unexpected(b, call, 0, "(\"INT\" or \"BIGINT\")");
        return false;
    }
    if (!spk_sql_want(b, call, 0, wide ? 'l' : 'i') || !spk_sql_want(b, call, 1, 'i'))
        return false;
    call->type = call->args[0]->type;
    call->kernel = kernels[op][wide];
    return true;
}

static SPK_COLD bool resolve_try(spk_sql_build *b, spk_sql_expr *call)
{
    const char *name = call->function->name + 4;
    call->nullable = true;
    return *name == 'a'                 ? spk_sql_resolve_plus(b, call)
        : *name == 's'                  ? spk_sql_resolve_minus(b, call)
        : strcmp(name, "multiply") == 0 ? spk_sql_resolve_times(b, call)
        : *name == 'd'                  ? spk_sql_resolve_divide(b, call)
                                        : spk_sql_resolve_rest(b, call);
}

#define TWO .least = 2, .most = 2
#define OPERATOR TWO, .flags = SPK_SQL_INFIX

const spk_sql_function spk_sql_operators[] = {
    { .name = "+", OPERATOR, .resolve = spk_sql_resolve_plus },
    { .name = "-", OPERATOR, .resolve = spk_sql_resolve_minus },
    { .name = "*", OPERATOR, .resolve = spk_sql_resolve_times },
    { .name = "/", OPERATOR, .resolve = spk_sql_resolve_divide },
    { .name = "%", OPERATOR, .resolve = spk_sql_resolve_rest },
    { .name = "mod", OPERATOR, .resolve = spk_sql_resolve_rest, .printed = "%" },
    { .name = "div", OPERATOR, .resolve = spk_sql_resolve_div },
    { .name = "pmod", TWO, .resolve = spk_sql_resolve_rest },
    { .name = "u-", .least = 1, .most = 1, .resolve = spk_sql_resolve_sign },
    { .name = "u+", .least = 1, .most = 1, .resolve = spk_sql_resolve_sign },
    { .name = "negative", .least = 1, .most = 1, .resolve = spk_sql_resolve_sign },
    { .name = "positive", .least = 1, .most = 1, .resolve = spk_sql_resolve_sign },
    { .name = "abs", .least = 1, .most = 1, .resolve = spk_sql_resolve_sign },
    { .name = "&", OPERATOR, .resolve = spk_sql_resolve_bits },
    { .name = "|", OPERATOR, .resolve = spk_sql_resolve_bits },
    { .name = "^", OPERATOR, .resolve = spk_sql_resolve_bits },
    { .name = "~", .least = 1, .most = 1, .resolve = spk_sql_resolve_bits },
    { .name = "<<", OPERATOR, .resolve = resolve_shift },
    { .name = ">>", OPERATOR, .resolve = resolve_shift },
    { .name = ">>>", OPERATOR, .resolve = resolve_shift },
    { .name = "shiftleft", OPERATOR, .resolve = resolve_shift, .printed = "<<" },
    { .name = "shiftright", OPERATOR, .resolve = resolve_shift, .printed = ">>" },
    { .name = "shiftrightunsigned", OPERATOR, .resolve = resolve_shift, .printed = ">>>" },
    { .name = "try_add", TWO, .flags = SPK_SQL_GIVES_NULL, .resolve = resolve_try },
    { .name = "try_subtract", TWO, .flags = SPK_SQL_GIVES_NULL, .resolve = resolve_try },
    { .name = "try_multiply", TWO, .flags = SPK_SQL_GIVES_NULL, .resolve = resolve_try },
    { .name = "try_divide", TWO, .flags = SPK_SQL_GIVES_NULL, .resolve = resolve_try },
    { .name = "try_mod", TWO, .flags = SPK_SQL_GIVES_NULL, .resolve = resolve_try },
    { 0 },
};
