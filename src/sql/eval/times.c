/* SPDX-License-Identifier: Apache-2.0 */
/* Functions on TIME: nanoseconds of the day. */

#include "sql/eval/date_units.h"

enum { NANOS_SECOND = 1000000000 };
#define NANOS_DAY INT64_C(86400000000000)

static const spk_unit_word time_words[] = { { "hour", SPK_U_HOUR }, { "minute", SPK_U_MINUTE },
    { "second", SPK_U_SECOND }, { "millisecond", SPK_U_MILLISECOND }, { "microsecond", SPK_U_MICROSECOND },
    { NULL, SPK_U_NONE } };
static const int64_t sizes[] = { [SPK_U_HOUR] = INT64_C(3600000000000),
    [SPK_U_MINUTE] = INT64_C(60000000000),
    [SPK_U_SECOND] = NANOS_SECOND,
    [SPK_U_MILLISECOND] = 1000000,
    [SPK_U_MICROSECOND] = 1000 };

static bool out_of_bounds(spk_sql_frame *f, const char *field, int most, int64_t value)
{
    spk_sql_error *e = spk_sql_raise(f, "DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION");
    spk_sql_param(e, "rangeMessage", "Invalid value for %s (valid values 0 - %d): %lld", field, most, (long long)value);
    return false;
}

static bool good_time(spk_sql_frame *f, int32_t hour, int32_t minute, int64_t micros)
{
    if (hour < 0 || hour > 23)
        return out_of_bounds(f, "HourOfDay", 23, hour);
    if (minute < 0 || minute > 59)
        return out_of_bounds(f, "MinuteOfHour", 59, minute);
    if (micros < 0 || micros >= 60000000)
        return out_of_bounds(f, "SecondOfMinute", 59, micros / 1000000);
    return true;
}

static void make_time(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const int64_t micros
            = (int64_t)spk_sql_units(f->expr->args[2]->type, f->args[2].ptr + i * f->args[2].stride);
        if (!good_time(f, I(0, i), I(1, i), micros))
            return;
        SPK_SQL_OUT(int64_t, f, i) = (I(0, i) * INT64_C(3600) + I(1, i) * 60) * NANOS_SECOND + micros * 1000;
    }
}

static SPK_COLD bool resolve_make_time(spk_sql_build *b, spk_sql_expr *call)
{
    const spk_sql_type *seconds = spk_sql_type_decimal(b->arena, 16, 6);
    call->type = spk_sql_type_of(SPK_SQL_TIME);
    call->args[2] = seconds ? spk_sql_coerce(b, call->args[2], seconds) : NULL;
    return call->args[2] && spk_sql_want(b, call, 0, 'i') && spk_sql_want(b, call, 1, 'i');
}

/* unit_of: of row i; SPK_U_NONE: there is none of that name, and the run has failed. */
static spk_date_unit unit_of(spk_sql_frame *f, uint32_t i)
{
    const spk_date_unit what = spk_unit_find(time_words, S(0, i).ptr, S(0, i).len);
    if (what == SPK_U_NONE) {
        spk_sql_error *e = spk_sql_raise(f, "INVALID_PARAMETER_VALUE.TIME_UNIT");
        spk_sql_param(e, "functionName", "`%s`", f->expr->function->name);
        spk_sql_param(e, "invalidValue", "'%.*s'", (int)(S(0, i).len < 100 ? S(0, i).len : 100), S(0, i).ptr);
        spk_sql_param(e, "parameter", "`unit`");
    }
    return what;
}

static void time_trunc(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spk_date_unit what = unit_of(f, i);
        if (what == SPK_U_NONE)
            return;
        SPK_SQL_OUT(int64_t, f, i) = L(1, i) - L(1, i) % sizes[what];
    }
}

static void time_diff(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spk_date_unit what = unit_of(f, i);
        if (what == SPK_U_NONE)
            return;
        SPK_SQL_OUT(int64_t, f, i) = (L(2, i) - L(1, i)) / sizes[what];
    }
}

/* want_time: argument i is a TIME, or a text that is cast to one. */
static SPK_COLD bool want_time(spk_sql_build *b, spk_sql_expr *call, uint32_t i)
{
    const spk_sql_kind kind = call->args[i]->type->kind;
    if (kind == SPK_SQL_TIME)
        return true;
    if (kind != SPK_SQL_STRING && kind != SPK_SQL_VOID) {
        spk_sql_unexpected(b, call, i, "\"TIME\"");
        return false;
    }
    call->args[i] = spk_sql_coerce(b, call->args[i], spk_sql_type_of(SPK_SQL_TIME));
    return call->args[i] != NULL;
}

static SPK_COLD bool resolve_trunc(spk_sql_build *b, spk_sql_expr *call)
{
    const bool good = spk_sql_want(b, call, 0, 's') && want_time(b, call, 1);
    call->type = good ? call->args[1]->type : NULL;
    return good;
}

static SPK_COLD bool resolve_diff(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = spk_sql_type_of(SPK_SQL_BIGINT);
    return spk_sql_want(b, call, 0, 's') && want_time(b, call, 1) && want_time(b, call, 2);
}

static void to_time(spk_sql_frame *f)
{
    const bool attempt = f->expr->function->name[1] == 'r';
    const spk_sql_session *s = f->expr->session;
    SPK_EACH_ROW(f, i)
    {
        int64_t nanos = 0, micros;
        size_t at;
        char bad;
        if (f->n_args > 1) {
            const char *wrong = spk_date_pattern_wrong(S(1, i).ptr, S(1, i).len, &bad);
            f->out_valid[i] = !wrong
                && spk_date_parse(S(1, i).ptr, S(1, i).len, S(0, i).ptr, S(0, i).len, NULL, s ? s->zones : NULL,
                    &micros, &at);
            nanos = f->out_valid[i] ? spk_floor_rest(micros, SPK_MICROS_DAY) * 1000 : 0;
        } else {
            f->out_valid[i] = spk_read_time(S(0, i).ptr, S(0, i).len, &nanos);
        }
        SPK_SQL_OUT(int64_t, f, i) = nanos;
        if (!f->out_valid[i] && !attempt) {
            spk_sql_error *e = spk_sql_raise(f, "CANNOT_PARSE_TIME");
            spk_sql_param(e, "input", "'%.*s'", (int)(S(0, i).len < 200 ? S(0, i).len : 200), S(0, i).ptr);
            spk_sql_param(e, "format", "%s%.*s%s", f->n_args > 1 ? "'" : "", f->n_args > 1 ? (int)S(1, i).len : 4,
                f->n_args > 1 ? S(1, i).ptr : "NULL", f->n_args > 1 ? "'" : "");
            return;
        }
    }
}

static SPK_COLD bool resolve_to_time(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = spk_sql_type_of(SPK_SQL_TIME);
    return spk_sql_want(b, call, 0, 's') && (call->n < 2 || spk_sql_want(b, call, 1, 's'));
}

/* ---- numbers ---- */

static int64_t unit_nanos(const spk_sql_frame *f)
{
    const char *name = f->expr->function->name;
    return strstr(name, "seconds") ? NANOS_SECOND : strstr(name, "millis") ? 1000000 : 1000;
}

static void time_from(spk_sql_frame *f)
{
    const spk_sql_type *t = f->expr->args[0]->type;
    const int64_t by = unit_nanos(f);
    SPK_EACH_ROW(f, i)
    {
        const void *at = f->args[0].ptr + i * f->args[0].stride;
        const spk_i128 nanos = t->kind == SPK_SQL_DECIMAL
            ? (t->scale <= 9 ? spk_sql_units(t, at) * spk_power10(9 - t->scale)
                             : spk_sql_units(t, at) / spk_power10(t->scale - 9))
            : (spk_i128)spk_sql_integer(t, &f->args[0], i) * by;
        if (nanos < 0 || nanos >= NANOS_DAY) {
            (void)out_of_bounds(f, by == NANOS_SECOND ? "SecondOfDay" : "NanoOfDay", 86399, (int64_t)(nanos / by));
            return;
        }
        SPK_SQL_OUT(int64_t, f, i) = (int64_t)nanos;
    }
}

static SPK_COLD bool resolve_from(spk_sql_build *b, spk_sql_expr *call)
{
    const spk_sql_type *t = call->args[0]->type;
    call->type = spk_sql_type_of(SPK_SQL_TIME);
    if (strstr(call->function->name, "seconds") && !spk_sql_is_integral(t) && t->kind != SPK_SQL_VOID) {
        const spk_sql_type *decimal = spk_sql_type_decimal(b->arena, 14, 6);
        if (!spk_sql_is_numeric(t)) {
            spk_sql_unexpected(b, call, 0, "\"NUMERIC\"");
            return false;
        }
        call->args[0] = decimal ? spk_sql_coerce(b, call->args[0], decimal) : NULL;
        return call->args[0] != NULL;
    }
    if (!spk_sql_is_integral(t) && t->kind != SPK_SQL_VOID) {
        spk_sql_unexpected(b, call, 0, "\"INTEGRAL\"");
        return false;
    }
    return spk_sql_want(b, call, 0, 'l');
}

static void time_to(spk_sql_frame *f)
{
    const int64_t by = f->expr->type->kind == SPK_SQL_DECIMAL ? 1000 : unit_nanos(f);
    SPK_EACH_ROW(f, i)
    SPK_SQL_OUT(int64_t, f, i) = L(0, i) / by;
}

static SPK_COLD bool resolve_to(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = strstr(call->function->name, "seconds") ? spk_sql_type_decimal(b->arena, 14, 6)
                                                         : spk_sql_type_of(SPK_SQL_BIGINT);
    if (!call->type)
        spk_sql_nomem(b->error);
    return call->type && want_time(b, call, 0);
}

const spk_sql_function spk_sql_times[] = { SPK_R("make_time", 3, 3, make_time, resolve_make_time),
    SPK_R("time_trunc", 2, 2, time_trunc, resolve_trunc), SPK_R("time_diff", 3, 3, time_diff, resolve_diff),
    SPK_R("to_time", 1, 2, to_time, resolve_to_time), SPK_RN("try_to_time", 1, 2, to_time, resolve_to_time),
    SPK_R("time_from_seconds", 1, 1, time_from, resolve_from),
    SPK_R("time_from_millis", 1, 1, time_from, resolve_from),
    SPK_R("time_from_micros", 1, 1, time_from, resolve_from), SPK_R("time_to_seconds", 1, 1, time_to, resolve_to),
    SPK_R("time_to_millis", 1, 1, time_to, resolve_to), SPK_R("time_to_micros", 1, 1, time_to, resolve_to), { 0 } };
