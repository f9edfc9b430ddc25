/* SPDX-License-Identifier: Apache-2.0 */
/* CAST between numbers, booleans, times and intervals. A value that does not fit is an error, or
 * NULL
 * where the cast is TRY_CAST. Integers that only become wider have loops of their own. */
#include <math.h>

#include "sql/eval/cast.h"

#include "sql/eval/zone.h"
#include "sql/eval/kernel.h"
#include "sql/eval/resolve.h"
#include "sql/eval/value_text.h"

/* ---- failures ---- */

static void name_types(spk_sql_frame *f, spk_sql_error *e)
{
    char from[200], to[200];
    spk_sql_type_print(f->expr->args[0]->type, false, from, sizeof from);
    spk_sql_type_print(f->expr->type, false, to, sizeof to);
    spk_sql_param(e, "sourceType", "\"%s\"", from);
    spk_sql_param(e, "targetType", "\"%s\"", to);
}

bool spk_sql_cast_invalid(spk_sql_frame *f, uint32_t i, const char *text, size_t n)
{
    if (f->expr->attempt) {
        f->out_valid[i] = 0;
        return true;
    }
    spk_sql_error *e = spk_sql_raise(f, "CAST_INVALID_INPUT");
    spk_sql_param(e, "ansiConfig", "\"spark.sql.ansi.enabled\"");
    spk_sql_param_text(e, "expression", text, n);
    name_types(f, e);
    return false;
}

/* unstored: whether the value was to be stored in a column, which the error then names. */
static bool unstored(spk_sql_frame *f)
{
    if (!f->expr->name)
        return false;
    spk_sql_error *e = spk_sql_raise(f, "CAST_OVERFLOW_IN_TABLE_INSERT");
    spk_sql_param(e, "columnName", "`%s`", f->expr->name);
    name_types(f, e);
    return true;
}

/* overflow: a value that does not fit the type. */
static bool overflow(spk_sql_frame *f, uint32_t i)
{
    const spk_sql_type *from = f->expr->args[0]->type;
    char text[96];
    if (f->expr->attempt) {
        f->out_valid[i] = 0;
        return true;
    }
    if (unstored(f))
        return false;
    spk_text out = spk_text_in(text, sizeof text);
    spk_sql_put_value(&out, from, f->args[0].ptr + i * f->args[0].stride, 0);
    const char *suffix = from->kind == SPK_SQL_BIGINT ? "L"
        : from->kind == SPK_SQL_SMALLINT              ? "S"
        : from->kind == SPK_SQL_TINYINT               ? "Y"
        : from->kind == SPK_SQL_DECIMAL               ? "BD"
        : from->kind == SPK_SQL_DOUBLE                ? "D"
                                                      : "";
    if (text[0] != 'I' || from->kind >= SPK_SQL_INTERVAL_MONTHS)
        spk_text_put(&out, text[0] == 'N' || text[0] == '-' ? "" : suffix);
    spk_text_end(&out);
    spk_sql_error *e = spk_sql_raise(f, "CAST_OVERFLOW");
    spk_sql_param(e, "ansiConfig", "\"spark.sql.ansi.enabled\"");
    name_types(f, e);
    spk_sql_param(e, "value", "%s", text);
    return false;
}

static bool out_of_range(spk_sql_frame *f, uint32_t i, spk_i128 units, int scale)
{
    if (f->expr->attempt) {
        f->out_valid[i] = 0;
        return true;
    }
    if (!unstored(f))
        spk_sql_out_of_range(f, units, scale, f->expr->type);
    return false;
}

/* ---- to integers ---- */

#define WIDEN(name, T, R)                                                                          \
    static void name(spk_sql_frame *f)                                                             \
    {                                                                                              \
        SPK_UNARY_LOOP(f, T, R, out[i] = (R)x);                                                    \
    }
WIDEN(i8_i16, int8_t, int16_t)
WIDEN(i8_i32, int8_t, int32_t)
WIDEN(i8_i64, int8_t, int64_t)
WIDEN(i16_i32, int16_t, int32_t)
WIDEN(i16_i64, int16_t, int64_t)
WIDEN(i32_i64, int32_t, int64_t)
WIDEN(i16_f64, int16_t, double)
WIDEN(i32_f64, int32_t, double)
WIDEN(i64_f64, int64_t, double)
WIDEN(f32_f64, float, double)
WIDEN(f64_f32, double, float)

static bool store_integer(spk_sql_frame *f, uint32_t i, int64_t x)
{
    switch (f->expr->type->kind) {
    case SPK_SQL_TINYINT:
        SPK_SQL_OUT(int8_t, f, i) = (int8_t)x;
        return x == (int8_t)x;
    case SPK_SQL_SMALLINT:
        SPK_SQL_OUT(int16_t, f, i) = (int16_t)x;
        return x == (int16_t)x;
    case SPK_SQL_INT:
        SPK_SQL_OUT(int32_t, f, i) = (int32_t)x;
        return x == (int32_t)x;
    default:
        SPK_SQL_OUT(int64_t, f, i) = x;
        return true;
    }
}

static void integer_integer(spk_sql_frame *f)
{
    const spk_sql_type *from = f->expr->args[0]->type;
    SPK_EACH_ROW(f, i)
    if (!store_integer(f, i, spk_sql_integer(from, &f->args[0], i)) && !overflow(f, i))
        return;
}

/* to_i64: truncated; false: NaN, or beyond 64 bits. The largest number's nearest double, which is one more, is it. */
static bool to_i64(double x, int64_t *out)
{
    if (!(x >= -0x1p63 && x <= 0x1p63))
        return false;
    *out = x == 0x1p63 ? INT64_MAX : (int64_t)x;
    return true;
}

static void floating_integer(spk_sql_frame *f)
{
    const bool narrow = f->expr->args[0]->type->kind == SPK_SQL_FLOAT;
    SPK_EACH_ROW(f, i)
    {
        const double x
            = narrow ? (double)SPK_SQL_ARG(float, f, 0, i) : SPK_SQL_ARG(double, f, 0, i);
        int64_t y;
        if ((!to_i64(x, &y) || !store_integer(f, i, y)) && !overflow(f, i))
            return;
    }
}

static void decimal_integer(spk_sql_frame *f)
{
    const spk_sql_type *from = f->expr->args[0]->type;
    const spk_i128 by = spk_power10(from->scale);
    SPK_EACH_ROW(f, i)
    {
        const spk_i128 units = spk_sql_units(from, f->args[0].ptr + i * f->args[0].stride);
        const spk_i128 x
            = from->size == 8 && by == (int64_t)by ? (int64_t)units / (int64_t)by : units / by;
        if ((x != (int64_t)x || !store_integer(f, i, (int64_t)x)) && !overflow(f, i))
            return;
    }
}

static void timestamp_integer(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    if (!store_integer(f, i, spk_floor_div(SPK_SQL_ARG(int64_t, f, 0, i), SPK_MICROS_SECOND))
        && !overflow(f, i))
        return;
}

static int64_t unit_of(int unit)
{
    static const int64_t sizes[]
        = { 12, 1, INT64_C(86400000000), INT64_C(3600000000), 60000000, 1000000 };
    return sizes[unit];
}

static void interval_integer(spk_sql_frame *f)
{
    const spk_sql_type *from = f->expr->args[0]->type;
    SPK_EACH_ROW(f, i)
    if (!store_integer(f, i, spk_sql_integer(from, &f->args[0], i) / unit_of(from->scale))
        && !overflow(f, i))
        return;
}

static void clock_integer(spk_sql_frame *f) /* TIME: nanoseconds */
{
    SPK_EACH_ROW(f, i)
    if (!store_integer(f, i, SPK_SQL_ARG(int64_t, f, 0, i) / 1000000000) && !overflow(f, i))
        return;
}

static void boolean_number(spk_sql_frame *f)
{
    const spk_sql_type *to = f->expr->type;
    SPK_EACH_ROW(f, i)
    {
        const bool x = SPK_SQL_ARG(bool, f, 0, i);
        if (to->kind == SPK_SQL_FLOAT) {
            SPK_SQL_OUT(float, f, i) = x;
        } else if (to->kind == SPK_SQL_DOUBLE) {
            SPK_SQL_OUT(double, f, i) = x;
        } else if (to->kind == SPK_SQL_DECIMAL) {
            const spk_i128 units = x ? spk_power10(to->scale) : 0;
            spk_sql_units_set(to, f->out + i * to->size, units);
            if (!spk_decimal_fits(units, to->precision) && !out_of_range(f, i, x, 0))
                return;
        } else {
            store_integer(f, i, x);
        }
    }
}

/* ---- to floating numbers ---- */

static void number_floating(spk_sql_frame *f)
{
    const spk_sql_type *from = f->expr->args[0]->type;
    const bool narrow = f->expr->type->kind == SPK_SQL_FLOAT;
    SPK_EACH_ROW(f, i)
    {
        double x;
        if (from->kind == SPK_SQL_DECIMAL) {
            x = spk_decimal_double(
                spk_sql_units(from, f->args[0].ptr + i * f->args[0].stride), from->scale);
        } else if (from->kind == SPK_SQL_TIMESTAMP) {
            x = (double)SPK_SQL_ARG(int64_t, f, 0, i) / 1e6;
        } else {
            const int64_t whole = spk_sql_integer(from, &f->args[0], i);
            if (narrow)
                SPK_SQL_OUT(float, f, i) = (float)whole;
            x = (double)whole;
            if (narrow)
                continue;
        }
        if (narrow)
            SPK_SQL_OUT(float, f, i) = (float)x;
        else
            SPK_SQL_OUT(double, f, i) = x;
    }
}

/* ---- to decimals ---- */

static bool store_decimal(spk_sql_frame *f, uint32_t i, spk_i128 units, int scale)
{
    const spk_sql_type *to = f->expr->type;
    spk_i128 x;
    if (!spk_decimal_rescale(units, scale, to->scale, &x) || !spk_decimal_fits(x, to->precision))
        return out_of_range(f, i, units, scale);
    spk_sql_units_set(to, f->out + i * to->size, x);
    return true;
}

/* widen_decimal: more digits in front, perhaps, and no other scale. */
static void i64_i64(spk_sql_frame *f)
{
    SPK_UNARY_LOOP(f, int64_t, int64_t, out[i] = x);
}

static void i64_wide(spk_sql_frame *f)
{
    SPK_UNARY_LOOP(f, int64_t, spk_sql_wide, out[i] = spk_sql_wide_of(x));
}

static void number_decimal(spk_sql_frame *f)
{
    const spk_sql_type *from = f->expr->args[0]->type;
    const int scale = from->kind == SPK_SQL_DECIMAL ? from->scale
        : from->kind == SPK_SQL_TIMESTAMP           ? 6
                                                    : 0;
    SPK_EACH_ROW(f, i)
    {
        const spk_i128 units = from->kind == SPK_SQL_DECIMAL
            ? spk_sql_units(from, f->args[0].ptr + i * f->args[0].stride)
            : spk_sql_integer(from, &f->args[0], i);
        if (!store_decimal(f, i, units, scale))
            return;
    }
}

static void floating_decimal(spk_sql_frame *f)
{
    const bool narrow = f->expr->args[0]->type->kind == SPK_SQL_FLOAT;
    const spk_sql_type *to = f->expr->type;
    SPK_EACH_ROW(f, i)
    {
        const double x
            = narrow ? (double)SPK_SQL_ARG(float, f, 0, i) : SPK_SQL_ARG(double, f, 0, i);
        spk_i128 units;
        if (x - x != 0) {
            f->out_valid[i] = 0;
            continue;
        }
        if (spk_decimal_of_double(x, to->scale, &units) && spk_decimal_fits(units, to->precision)) {
            spk_sql_units_set(to, f->out + i * to->size, units);
            continue;
        }
        if (!spk_decimal_of_double(x, 0, &units))
            units = spk_power10(38);
        if (!out_of_range(f, i, units, 0))
            return;
    }
}

static void interval_decimal(spk_sql_frame *f)
{
    const spk_sql_type *from = f->expr->args[0]->type;
    const bool seconds = from->scale == SPK_SQL_SECOND;
    SPK_EACH_ROW(f, i)
    {
        const int64_t x = spk_sql_integer(from, &f->args[0], i);
        const bool good = seconds ? store_decimal(f, i, x, 6)
                                  : store_decimal(f, i, x / unit_of(from->scale), 0);
        if (!good)
            return;
    }
}

static void clock_decimal(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    if (!store_decimal(f, i, SPK_SQL_ARG(int64_t, f, 0, i), 9))
        return;
}

/* ---- to booleans, times, intervals ---- */

static void number_boolean(spk_sql_frame *f)
{
    const spk_sql_type *from = f->expr->args[0]->type;
    SPK_EACH_ROW(f, i)
    {
        const void *at = f->args[0].ptr + i * f->args[0].stride;
        SPK_SQL_OUT(bool, f, i) = from->kind == SPK_SQL_DOUBLE ? *(const double *)at != 0
            : from->kind == SPK_SQL_FLOAT                      ? *(const float *)at != 0
            : from->kind == SPK_SQL_DECIMAL                    ? spk_sql_units(from, at) != 0
                                            : spk_sql_integer(from, &f->args[0], i) != 0;
    }
}

static void number_timestamp(spk_sql_frame *f)
{
    const spk_sql_type *from = f->expr->args[0]->type;
    SPK_EACH_ROW(f, i)
    {
        const char *at = f->args[0].ptr + i * f->args[0].stride;
        spk_i128 micros;
        int64_t whole;
        if (from->kind == SPK_SQL_DOUBLE || from->kind == SPK_SQL_FLOAT) {
            const double x = from->kind == SPK_SQL_DOUBLE
                ? *(const double *)(const void *)at
                : (double)*(const float *)(const void *)at;
            if (x - x != 0 || !to_i64(x * 1e6, &whole)) {
                if (!overflow(f, i))
                    return;
                continue;
            }
            micros = whole;
        } else if (from->kind == SPK_SQL_DECIMAL) {
            const spk_i128 units = spk_sql_units(from, at);
            if (from->scale > 6)
                micros = units / spk_power10(from->scale - 6);
            else if (__builtin_mul_overflow(units, spk_power10(6 - from->scale), &micros))
                micros = (spk_i128)INT64_MAX + 1; /* as much too large */
        } else {
            micros = (spk_i128)spk_sql_integer(from, &f->args[0], i) * SPK_MICROS_SECOND;
            if (micros != (int64_t)micros) /* as TimeUnit saturates */
                micros = micros < 0 ? INT64_MIN : INT64_MAX;
        }
        if (micros != (int64_t)micros && !overflow(f, i))
            return;
        SPK_SQL_OUT(int64_t, f, i) = (int64_t)micros;
    }
}

/* time_time: dates, timestamps with and without zone. */
static void time_time(spk_sql_frame *f)
{
    const spk_sql_kind from = f->expr->args[0]->type->kind, to = f->expr->type->kind;
    const spk_zone *zone = f->expr->session ? f->expr->session->zone : NULL;
    SPK_EACH_ROW(f, i)
    {
        int64_t local;
        if (from == SPK_SQL_DATE) {
            if (__builtin_mul_overflow(SPK_SQL_ARG(int32_t, f, 0, i), SPK_MICROS_DAY, &local)) {
                spk_sql_overflow(f, "overflow", NULL);
                return;
            }
        } else {
            local = SPK_SQL_ARG(int64_t, f, 0, i);
            if (from == SPK_SQL_TIMESTAMP)
                local = spk_zone_local(zone, local);
        }
        if (to == SPK_SQL_DATE)
            SPK_SQL_OUT(int32_t, f, i) = (int32_t)spk_floor_div(local, SPK_MICROS_DAY);
        else if (to == SPK_SQL_TIME)
            SPK_SQL_OUT(int64_t, f, i) = spk_floor_rest(local, SPK_MICROS_DAY) * 1000;
        else
            SPK_SQL_OUT(int64_t, f, i)
                = to == SPK_SQL_TIMESTAMP ? spk_zone_moment(zone, local) : local;
    }
}

static void number_interval(spk_sql_frame *f)
{
    const spk_sql_type *from = f->expr->args[0]->type, *to = f->expr->type;
    SPK_EACH_ROW(f, i)
    {
        spk_i128 x;
        if (from->kind == SPK_SQL_DECIMAL) {
            const spk_i128 units = spk_sql_units(from, f->args[0].ptr + i * f->args[0].stride);
            if (to->scale == SPK_SQL_SECOND)
                spk_decimal_rescale(units, from->scale, 6, &x);
            else if (to->kind == SPK_SQL_INTERVAL_MONTHS)
                spk_decimal_rescale(units, from->scale, 0, &x), x *= unit_of(to->scale);
            else
                x = units / spk_power10(from->scale) * unit_of(to->scale);
        } else {
            x = (spk_i128)spk_sql_integer(from, &f->args[0], i) * unit_of(to->scale);
        }
        if (to->kind == SPK_SQL_INTERVAL_MONTHS ? x != (int32_t)x : x != (int64_t)x) {
            if (!overflow(f, i))
                return;
        } else if (to->kind == SPK_SQL_INTERVAL_MONTHS) {
            SPK_SQL_OUT(int32_t, f, i) = (int32_t)x;
        } else {
            SPK_SQL_OUT(int64_t, f, i) = (int64_t)x;
        }
    }
}

/* ---- which kernel ---- */

static spk_sql_kernel *widening(spk_sql_kind from, spk_sql_kind to)
{
    static const struct {
        spk_sql_kind from, to;
        spk_sql_kernel *kernel;
    } plain[] = { { SPK_SQL_TINYINT, SPK_SQL_SMALLINT, i8_i16 },
        { SPK_SQL_TINYINT, SPK_SQL_INT, i8_i32 }, { SPK_SQL_TINYINT, SPK_SQL_BIGINT, i8_i64 },
        { SPK_SQL_SMALLINT, SPK_SQL_INT, i16_i32 }, { SPK_SQL_SMALLINT, SPK_SQL_BIGINT, i16_i64 },
        { SPK_SQL_INT, SPK_SQL_BIGINT, i32_i64 }, { SPK_SQL_INT, SPK_SQL_DOUBLE, i32_f64 },
        { SPK_SQL_BIGINT, SPK_SQL_DOUBLE, i64_f64 }, { SPK_SQL_FLOAT, SPK_SQL_DOUBLE, f32_f64 },
        { SPK_SQL_DOUBLE, SPK_SQL_FLOAT, f64_f32 }, { SPK_SQL_SMALLINT, SPK_SQL_DOUBLE, i16_f64 } };
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (plain[i].from == from && plain[i].to == to)
            return plain[i].kernel;
    return NULL;
}

static spk_sql_kernel *to_decimal(const spk_sql_type *from, const spk_sql_type *to)
{
    if (from->kind == SPK_SQL_DECIMAL && from->scale == to->scale
        && to->precision >= from->precision) {
        if (from->size == to->size)
            return from->size == 8 ? i64_i64 : spk_sql_same;
        return i64_wide;
    }
    if (from->kind == SPK_SQL_FLOAT || from->kind == SPK_SQL_DOUBLE)
        return floating_decimal;
    if (spk_sql_is_interval(from))
        return interval_decimal;
    if (from->kind == SPK_SQL_TIME)
        return clock_decimal;
    return from->kind == SPK_SQL_BOOLEAN ? boolean_number : number_decimal;
}

static spk_sql_kernel *to_integer(const spk_sql_type *from)
{
    switch (from->kind) {
    case SPK_SQL_BOOLEAN:
        return boolean_number;
    case SPK_SQL_FLOAT:
    case SPK_SQL_DOUBLE:
        return floating_integer;
    case SPK_SQL_DECIMAL:
        return decimal_integer;
    case SPK_SQL_TIMESTAMP:
        return timestamp_integer;
    case SPK_SQL_INTERVAL_MONTHS:
    case SPK_SQL_INTERVAL_SECONDS:
        return interval_integer;
    case SPK_SQL_TIME:
        return clock_integer;
    default:
        return integer_integer;
    }
}

spk_sql_kernel *spk_sql_cast_kernel(const spk_sql_type *from, const spk_sql_type *to)
{
    spk_sql_kernel *wide = widening(from->kind, to->kind);
    if (wide)
        return wide;
    if (from->kind == SPK_SQL_VOID || (spk_sql_type_equal(from, to) && from->kind < SPK_SQL_ARRAY))
        return spk_sql_same;
    if (to->kind == SPK_SQL_STRING)
        return spk_sql_cast_to_string;
    if (from->kind == SPK_SQL_STRING)
        return spk_sql_cast_from_string(to);
    if (to->kind >= SPK_SQL_ARRAY)
        return spk_sql_cast_nested;
    if (spk_sql_is_integral(to))
        return to_integer(from);
    switch (to->kind) {
    case SPK_SQL_DECIMAL:
        return to_decimal(from, to);
    case SPK_SQL_FLOAT:
    case SPK_SQL_DOUBLE:
        return from->kind == SPK_SQL_BOOLEAN ? boolean_number : number_floating;
    case SPK_SQL_BOOLEAN:
        return number_boolean;
    case SPK_SQL_TIMESTAMP:
        return spk_sql_is_numeric(from) ? number_timestamp : time_time;
    case SPK_SQL_DATE:
    case SPK_SQL_TIMESTAMP_NTZ:
        return time_time;
    case SPK_SQL_TIME:
        return from->kind == SPK_SQL_TIME ? spk_sql_same : time_time;
    case SPK_SQL_INTERVAL_MONTHS:
    case SPK_SQL_INTERVAL_SECONDS:
        return spk_sql_is_interval(from) ? spk_sql_same : number_interval;
    default:
        return spk_sql_same;
    }
}
