/* SPDX-License-Identifier: Apache-2.0 */
/* Functions on numbers. */
#include <math.h>

#include "sql/eval/decimal.h"
#include "sql/eval/kernel.h"
#include "sql/eval/resolve.h"

#define D1(name, expression)                                                                       \
    static void name(spk_sql_frame *f)                                                             \
    {                                                                                              \
        SPK_UNARY_LOOP(f, double, double, out[i] = expression);                                    \
    }
#define D2(name, expression)                                                                       \
    static void name(spk_sql_frame *f)                                                             \
    {                                                                                              \
        SPK_BINARY_LOOP(f, double, double, out[i] = expression);                                   \
    }
/* LOG: NULL where the argument is not in the domain. */
#define LOG(name, domain, expression)                                                              \
    static void name(spk_sql_frame *f)                                                             \
    {                                                                                              \
        SPK_UNARY_LOOP(f, double, double, out[i] = expression; f->out_valid[i] = !(domain));       \
    }

D1(sqrt_, sqrt(x))

/* cube_root: the nearest double where the root is one: libraries are off by one in the last place.
 * */
static double cube_root(double x)
{
    const double r = cbrt(x), whole = rint(r);
    return whole * whole * whole == x ? whole : r;
}
D1(cbrt_, cube_root(x))
D1(exp_, exp(x))
D1(expm1_, expm1(x))
D1(sin_, sin(x))
D1(cos_, cos(x))
D1(tan_, tan(x))
D1(cot_, 1 / tan(x))
D1(sec_, 1 / cos(x))
D1(csc_, 1 / sin(x))
D1(asin_, asin(x))
D1(acos_, acos(x))
D1(atan_, atan(x))
D1(sinh_, sinh(x))
D1(cosh_, cosh(x))
D1(tanh_, tanh(x))
D1(asinh_, x == -__builtin_inf() ? x : asinh(x))
D1(acosh_, acosh(x))
D1(atanh_, 0.5 * (log1p(x) - log1p(-x)))
D1(degrees_, x *(180.0 / M_PI))
D1(radians_, x / 180.0 * M_PI)
D1(rint_, rint(x))
D1(sign_, x > 0 ? 1 : x < 0 ? -1 : x)
D2(pow_,
    y == 0                           ? 1
        : x == 1 && y != y           ? y
        : fabs(x) == 1 && y - y != 0 ? __builtin_nan("")
                                     : pow(x, y))
D2(atan2_, atan2(x + 0.0, y + 0.0))
D2(hypot_, hypot(x, y))
LOG(ln_, x <= 0, log(x))
LOG(log10_, x <= 0, log10(x))
LOG(log2_, x <= 0, log(x) / log(2.0))
LOG(log1p_, x <= -1, log1p(x))

static void log_base(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const double b = SPK_SQL_ARG(double, f, 0, i), x = SPK_SQL_ARG(double, f, 1, i);
        f->out_valid[i] = !(x <= 0 || b <= 0);
        SPK_SQL_OUT(double, f, i) = log(x) / log(b);
    }
}

static SPK_COLD bool resolve_log(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = spk_sql_type_of(SPK_SQL_DOUBLE);
    call->kernel = call->n == 1 ? ln_ : log_base;
    return spk_sql_want(b, call, 0, 'd') && (call->n == 1 || spk_sql_want(b, call, 1, 'd'));
}

static void pi_(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    SPK_SQL_OUT(double, f, i) = M_PI;
}

static void e_(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    SPK_SQL_OUT(double, f, i) = M_E;
}

static SPK_COLD bool resolve_sign(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = spk_sql_type_of(SPK_SQL_DOUBLE);
    if (spk_sql_is_interval(call->args[0]->type)) {
        const spk_sql_type *whole
            = spk_sql_type_of(call->args[0]->type->size == 4 ? SPK_SQL_INT : SPK_SQL_BIGINT);
        spk_sql_expr *cast = spk_sql_node(b, SPK_SQL_CAST, 1, call->span);
        if (!cast)
            return false;
        *cast->args = call->args[0];
        cast->type = whole;
        cast->implicit = true;
        cast->nullable = call->args[0]->nullable;
        cast->foldable = call->args[0]->foldable;
        cast->kernel = spk_sql_same;
        call->args[0] = cast;
    }
    return spk_sql_want(b, call, 0, 'd');
}

/* ---- round, bround, ceil, floor ---- */

enum { ROUND, BROUND, CEIL, FLOOR };

static int mode_of(const spk_sql_frame *f)
{
    const char *name = f->expr->function->name;
    return *name == 'r' ? ROUND : *name == 'b' ? BROUND : *name == 'c' ? CEIL : FLOOR;
}

/* rounded: units of 10^-from as units of 10^-to, to < from. */
static spk_i128 rounded(spk_i128 units, int digits, int mode)
{
    if (digits > 38)
        return 0;
    const spk_i128 by = spk_power10(digits), half = by / 2;
    spk_i128 q = units / by, rest = units % by;
    const spk_i128 size = rest < 0 ? -rest : rest;
    const int away = units < 0 ? -1 : 1;
    switch (mode) {
    case ROUND:
        return q + (size >= by - size ? away : 0);
    case BROUND:
        return q + (size > half || (size == half && by > 1 && (q & 1)) ? away : 0);
    case CEIL:
        return q + (rest > 0);
    default:
        return q - (rest < 0);
    }
}

static void round_decimal(spk_sql_frame *f)
{
    const spk_sql_type *from = f->expr->args[0]->type, *to = f->expr->type;
    const int digits = f->expr->n > 1 ? *(const int32_t *)f->expr->args[1]->value : 0;
    const int mode = mode_of(f);
    SPK_EACH_ROW(f, i)
    {
        spk_i128 x = spk_sql_units(from, f->args[0].ptr + i * f->args[0].stride);
        const int drop = from->scale - digits;
        if (drop > 0)
            x = rounded(x, drop, mode) * (digits < 0 && drop <= 38 ? spk_power10(-digits) : 1);
        else
            spk_decimal_rescale(x, from->scale, to->scale, &x);
        if (!spk_decimal_fits(x, to->precision)) {
            spk_sql_out_of_range(f, x, to->scale, to);
            return;
        }
        spk_sql_units_set(to, f->out + i * to->size, x);
    }
}

static void round_integer(spk_sql_frame *f)
{
    const spk_sql_type *t = f->expr->type;
    const int digits = f->expr->n > 1 ? *(const int32_t *)f->expr->args[1]->value : 0;
    SPK_EACH_ROW(f, i)
    {
        spk_i128 x = spk_sql_integer(t, &f->args[0], i);
        if (digits < 0)
            x = digits < -38 ? 0 : rounded(x, -digits, mode_of(f)) * spk_power10(-digits);
        const int64_t whole = (int64_t)x;
        const bool fits = t->size == 8 ? x == whole
            : t->size == 4             ? x == (int32_t)whole
            : t->size == 2             ? x == (int16_t)whole
                                       : x == (int8_t)whole;
        if (!fits) {
            spk_sql_overflow(f, "Overflow", NULL);
            return;
        }
        memcpy(f->out + i * t->size, &whole, t->size); /* the low bytes come first */
    }
}

static double round_double(double x, int digits, int mode)
{
    char text[SPK_DECIMAL_TEXT];
    spk_i128 units;
    if (x - x != 0)
        return x;
    if (x == 0)
        return 0; /* a decimal has no sign of zero */
    if (digits >= 0) {
        /* by the decimal text, as BigDecimal(d) has it; where that has too many digits nothing is behind
         * the point that is not noise */
        const int more = digits + 20 > 38 ? 38 : digits + 20;
        for (int scale = more; scale >= digits; scale--)
            if (spk_decimal_of_double(x, scale, &units)) {
                units = rounded(units, scale - digits, mode);
                return spk_decimal_double(units, digits);
            }
        return x;
    }
    (void)text;
    if (digits < -38 || !spk_decimal_of_double(x, 17, &units)) {
        if (digits < -38 || !spk_decimal_of_double(x, 0, &units))
            return digits < -308 ? 0 : x;
        return spk_decimal_double(rounded(units, -digits, mode), 0)
            * spk_decimal_double(spk_power10(-digits), 0);
    }
    units = 17 - digits > 38 ? 0 : rounded(units, 17 - digits, mode);
    return spk_decimal_double(units * spk_power10(-digits), 0);
}

static void round_floating(spk_sql_frame *f)
{
    const int digits = f->expr->n > 1 ? *(const int32_t *)f->expr->args[1]->value : 0;
    const bool narrow = f->expr->type->kind == SPK_SQL_FLOAT;
    SPK_EACH_ROW(f, i)
    {
        if (narrow) {
            const float x = SPK_SQL_ARG(float, f, 0, i);
            SPK_SQL_OUT(float, f, i) = (float)round_double((double)x, digits, mode_of(f));
        } else {
            SPK_SQL_OUT(double, f, i)
                = round_double(SPK_SQL_ARG(double, f, 0, i), digits, mode_of(f));
        }
    }
}

/* scale_argument: the second one, a constant; false: failed. */
static SPK_COLD bool scale_argument(spk_sql_build *b, spk_sql_expr *call, int *scale)
{
    *scale = 0;
    if (call->n == 1)
        return true;
    if (!spk_sql_want(b, call, 1, 'i'))
        return false;
    spk_sql_fold(b, &call->args[1]);
    const spk_sql_expr *e = call->args[1];
    const char *name = call->function->name;
    if (e && (*name == 'c' || *name == 'f') && (e->kind != SPK_SQL_CONSTANT || e->null)) {
        spk_sql_fail3(b->error, "NON_FOLDABLE_ARGUMENT", call->span, "funcName", *name == 'c' ? "`ceil`" : "`floor`",
            "paramName", "`scale`", "paramType", "\"INT\"");
        return false;
    }
    if (!e || e->kind != SPK_SQL_CONSTANT) {
        if (!spk_sql_failed(b->error)) {
            const char *text = spk_sql_expr_quoted(b, call), *input = spk_sql_expr_quoted(b, e);
            if (spk_sql_fail(b->error, "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", call->span)) {
                spk_sql_param(b->error, "inputExpr", "%s", input);
                spk_sql_param(b->error, "inputName", "`scale`");
                spk_sql_param(b->error, "inputType", "\"INT\"");
                spk_sql_param(b->error, "sqlExpr", "%s", text);
            }
        }
        return false;
    }
    *scale = e->null ? 0 : *(const int32_t *)e->value;
    return true;
}

static SPK_COLD const spk_sql_type *rounded_type(spk_sql_build *b, const spk_sql_type *t, int scale)
{
    const int front = t->precision - t->scale + 1;
    if (scale < 0)
        return spk_sql_type_decimal(b->arena,
            front > -scale + 1 ? (front < 38 ? front : 38) : (-scale + 1 < 38 ? -scale + 1 : 38),
            0);
    const int kept = scale < t->scale ? scale : t->scale;
    return spk_sql_type_decimal(b->arena, front + kept < 38 ? front + kept : 38, kept);
}

static SPK_COLD bool resolve_round(spk_sql_build *b, spk_sql_expr *call)
{
    int scale;
    if (!spk_sql_want(b, call, 0, 'n') || !scale_argument(b, call, &scale))
        return false;
    const spk_sql_type *t = call->args[0]->type;
    call->type = t;
    if (t->kind == SPK_SQL_DECIMAL) {
        call->type = rounded_type(b, t, scale);
        call->kernel = round_decimal;
    } else {
        call->kernel = spk_sql_is_integral(t) ? round_integer : round_floating;
    }
    return call->type != NULL;
}

static void whole_double(spk_sql_frame *f)
{
    const int mode = mode_of(f);
    SPK_EACH_ROW(f, i)
    {
        const double x = SPK_SQL_ARG(double, f, 0, i), y = mode == CEIL ? ceil(x) : floor(x);
        if (y != y) { /* as Java casts it */
            SPK_SQL_OUT(int64_t, f, i) = 0;
            continue;
        }
        if (!(y >= -9223372036854775808.0 && y < 9223372036854775808.0)) {
            spk_sql_overflow(f, "overflow", NULL);
            return;
        }
        SPK_SQL_OUT(int64_t, f, i) = (int64_t)y;
    }
}

static SPK_COLD bool resolve_ceil(spk_sql_build *b, spk_sql_expr *call)
{
    int scale;
    const spk_sql_type *t = call->args[0]->type;
    if (call->n == 2) { /* as a decimal */
        if (!spk_sql_want(b, call, 0, 'n') || !scale_argument(b, call, &scale))
            return false;
        t = spk_sql_decimal_of(b->arena, call->args[0]->type);
        call->args[0] = t ? spk_sql_coerce(b, call->args[0], t) : NULL;
        if (!call->args[0])
            return false;
        call->type = rounded_type(b, t, scale);
        call->kernel = round_decimal;
        return call->type != NULL;
    }
    if (t->kind == SPK_SQL_DECIMAL) {
        call->type = rounded_type(b, t, 0);
        call->kernel = round_decimal;
        return call->type != NULL;
    }
    call->type = spk_sql_type_of(SPK_SQL_BIGINT);
    if (spk_sql_is_integral(t)) {
        call->kernel = spk_sql_same;
        return spk_sql_want(b, call, 0, 'l');
    }
    call->kernel = whole_double;
    return spk_sql_want(b, call, 0, 'd');
}

/* ---- others ---- */

static void factorial(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const int32_t n = SPK_SQL_ARG(int32_t, f, 0, i);
        int64_t x = 1;
        for (int32_t k = 2; k <= n && n <= 20; k++)
            x *= k;
        SPK_SQL_OUT(int64_t, f, i) = x;
        f->out_valid[i] = n >= 0 && n <= 20;
    }
}

static void bit_count(spk_sql_frame *f)
{
    const spk_sql_type *t = f->expr->args[0]->type;
    SPK_EACH_ROW(f, i)
    SPK_SQL_OUT(int32_t, f, i) = t->kind == SPK_SQL_BOOLEAN
        ? SPK_SQL_ARG(bool, f, 0, i)
        : __builtin_popcountll((uint64_t)spk_sql_integer(t, &f->args[0], i));
}

static SPK_COLD bool resolve_bit_count(spk_sql_build *b, spk_sql_expr *call)
{
    const spk_sql_type *t = call->args[0]->type;
    call->type = spk_sql_type_of(SPK_SQL_INT);
    if (t->kind == SPK_SQL_BOOLEAN || spk_sql_is_integral(t))
        return true;
    if (t->kind == SPK_SQL_VOID)
        return spk_sql_want(b, call, 0, 'i');
    spk_sql_unexpected(b, call, 0, "(\"INTEGRAL\" or \"BOOLEAN\")");
    return false;
}

static void bit_get(spk_sql_frame *f)
{
    const spk_sql_type *t = f->expr->args[0]->type;
    SPK_EACH_ROW(f, i)
    {
        const int32_t at = SPK_SQL_ARG(int32_t, f, 1, i);
        if (at < 0 || at >= (int32_t)t->size * 8) {
            spk_sql_error *e = spk_sql_raise(f, "INVALID_PARAMETER_VALUE.BIT_POSITION_RANGE");
            spk_sql_param(e, "functionName", "`%s`", f->expr->function->name);
            spk_sql_param(e, "invalidValue", "%d", at);
            spk_sql_param(e, "lower", "0");
            spk_sql_param(e, "parameter", "`pos`");
            spk_sql_param(e, "upper", "%u", t->size * 8);
            return;
        }
        SPK_SQL_OUT(int8_t, f, i)
            = (int8_t)((uint64_t)spk_sql_integer(t, &f->args[0], i) >> at & 1);
    }
}

/* bucket_of: where the sizes are too far apart to say, the last one. */
static int64_t bucket_of(double part, int64_t n)
{
    return part >= 0 && part < 9223372036854775000.0 ? (int64_t)part + 1 : n;
}

static void width_bucket(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const double x = SPK_SQL_ARG(double, f, 0, i), low = SPK_SQL_ARG(double, f, 1, i);
        const double high = SPK_SQL_ARG(double, f, 2, i);
        const int64_t n = SPK_SQL_ARG(int64_t, f, 3, i);
        const double least = low < high ? low : high, most = low < high ? high : low;
        f->out_valid[i] = !(n <= 0 || n == INT64_MAX || x != x || low == high || low - low != 0
            || high - high != 0);
        if (!f->out_valid[i])
            continue;
        int64_t bucket = x < least ? 0
            : x >= most            ? n + 1
                                   : bucket_of((double)n * (x - least) / (most - least), n);
        if (low > high)
            bucket = x > most ? 0
                : x <= least  ? n + 1
                              : bucket_of((double)n * (most - x) / (most - least), n);
        SPK_SQL_OUT(int64_t, f, i) = bucket;
    }
}

#define F1(name_, kernel_)                                                                         \
    {                                                                                              \
        .name = name_, .signature = "d:d", .least = 1, .most = 1, .kernel = kernel_                \
    }
#define F1_UPPER(name_, kernel_)                                                                   \
    {                                                                                              \
        .name = name_, .signature = "d:d", .least = 1, .most = 1, .kernel = kernel_,               \
        .flags = SPK_SQL_UPPER                                                                     \
    }
#define FLOG(name_, kernel_)                                                                       \
    {                                                                                              \
        .name = name_, .signature = "d:d", .least = 1, .most = 1, .kernel = kernel_,               \
        .flags = SPK_SQL_GIVES_NULL                                                                \
    }
#define F2(name_, kernel_)                                                                         \
    {                                                                                              \
        .name = name_, .signature = "dd:d", .least = 2, .most = 2, .kernel = kernel_               \
    }

const spk_sql_function spk_sql_math[] = { F1_UPPER("sqrt", sqrt_), F1_UPPER("cbrt", cbrt_),
    F1_UPPER("exp", exp_), F1_UPPER("expm1", expm1_), F1_UPPER("sin", sin_), F1_UPPER("cos", cos_),
    F1_UPPER("tan", tan_), F1_UPPER("cot", cot_), F1_UPPER("sec", sec_), F1_UPPER("csc", csc_),
    F1_UPPER("asin", asin_), F1_UPPER("acos", acos_), F1_UPPER("atan", atan_),
    F1_UPPER("sinh", sinh_), F1_UPPER("cosh", cosh_), F1_UPPER("tanh", tanh_),
    F1_UPPER("asinh", asinh_), F1_UPPER("acosh", acosh_), F1_UPPER("atanh", atanh_),
    F1_UPPER("degrees", degrees_), F1_UPPER("radians", radians_), F1("rint", rint_),
    { .name = "sign", .least = 1, .most = 1, .kernel = sign_, .resolve = resolve_sign },
    { .name = "signum",
        .least = 1,
        .most = 1,
        .kernel = sign_,
        .resolve = resolve_sign,
        .flags = SPK_SQL_UPPER },
    F2("pow", pow_),
    { .name = "power",
        .signature = "dd:d",
        .least = 2,
        .most = 2,
        .kernel = pow_,
        .flags = SPK_SQL_UPPER },
    { .name = "atan2",
        .signature = "dd:d",
        .least = 2,
        .most = 2,
        .kernel = atan2_,
        .flags = SPK_SQL_UPPER },
    { .name = "hypot",
        .signature = "dd:d",
        .least = 2,
        .most = 2,
        .kernel = hypot_,
        .flags = SPK_SQL_UPPER },
    FLOG("ln", ln_),
    { .name = "log10",
        .signature = "d:d",
        .least = 1,
        .most = 1,
        .kernel = log10_,
        .flags = SPK_SQL_GIVES_NULL | SPK_SQL_UPPER },
    { .name = "log2",
        .signature = "d:d",
        .least = 1,
        .most = 1,
        .kernel = log2_,
        .flags = SPK_SQL_GIVES_NULL | SPK_SQL_UPPER },
    { .name = "log1p",
        .signature = "d:d",
        .least = 1,
        .most = 1,
        .kernel = log1p_,
        .flags = SPK_SQL_GIVES_NULL | SPK_SQL_UPPER },
    { .name = "log",
        .least = 1,
        .most = 2,
        .flags = SPK_SQL_GIVES_NULL | SPK_SQL_UPPER,
        .resolve = resolve_log },
    { .name = "pi", .signature = ":d", .kernel = pi_, .flags = SPK_SQL_UPPER },
    { .name = "e", .signature = ":d", .kernel = e_, .flags = SPK_SQL_UPPER },
    { .name = "round",
        .least = 1,
        .most = 2,
        .flags = SPK_SQL_GIVES_NULL,
        .resolve = resolve_round },
    { .name = "bround",
        .least = 1,
        .most = 2,
        .flags = SPK_SQL_GIVES_NULL,
        .resolve = resolve_round },
    { .name = "ceil", .least = 1, .most = 2, .flags = SPK_SQL_UPPER, .resolve = resolve_ceil },
    { .name = "ceiling", .least = 1, .most = 2, .resolve = resolve_ceil },
    { .name = "floor", .least = 1, .most = 2, .flags = SPK_SQL_UPPER, .resolve = resolve_ceil },
    { .name = "factorial",
        .signature = "i:l",
        .least = 1,
        .most = 1,
        .flags = SPK_SQL_GIVES_NULL,
        .kernel = factorial },
    { .name = "bit_count",
        .least = 1,
        .most = 1,
        .kernel = bit_count,
        .resolve = resolve_bit_count },
    { .name = "bit_get", .signature = "Ii:y", .least = 2, .most = 2, .kernel = bit_get },
    { .name = "getbit", .signature = "Ii:y", .least = 2, .most = 2, .kernel = bit_get },
    { .name = "width_bucket",
        .signature = "dddl:l",
        .least = 4,
        .most = 4,
        .flags = SPK_SQL_GIVES_NULL,
        .kernel = width_bucket },
    { 0 } };
