/* SPDX-License-Identifier: Apache-2.0 */
/* Dates, times and intervals from their parts and from numbers; now; zones. */

#include "sql/eval/date_units.h"

static const spk_sql_type *of(spk_sql_kind kind)
{
    return spk_sql_type_of(kind);
}

const spk_zone *spk_sql_zone_given(spk_sql_frame *f, uint32_t a, uint32_t i, spk_zone *own)
{
    const spark_str id = S(a, i);
    const spk_sql_session *session = f->expr->session;
    const spk_zone *zone = spk_zone_find(session ? session->zones : NULL, id.ptr, id.len, own);
    if (!zone)
        spk_sql_param(spk_sql_raise(f, "INVALID_TIMEZONE"), "timeZone", "%.*s%s",
            (int)(id.len < 200 ? id.len : 200), id.ptr, spk_zones_missing());
    return zone;
}

static void out_of_bounds(spk_sql_frame *f, const char *field, int least, int most, int64_t value)
{
    spk_sql_error *e = spk_sql_raise(f, "DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION");
    spk_sql_param(e, "rangeMessage", "Invalid value for %s (valid values %d - %d): %lld", field,
        least, most, (long long)value);
}

static bool good_date(spk_sql_frame *f, int32_t year, int32_t month, int32_t day)
{
    if (month < 1 || month > 12) {
        out_of_bounds(f, "MonthOfYear", 1, 12, month);
        return false;
    }
    if (day < 1 || day > 31) {
        spk_sql_error *e = spk_sql_raise(f, "DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION");
        spk_sql_param(
            e, "rangeMessage", "Invalid value for DayOfMonth (valid values 1 - 28/31): %d", day);
        return false;
    }
    if (day > spk_month_length(year, month)) {
        spk_sql_error *e = spk_sql_raise(f, "DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION");
        if (month == 2 && day == 29)
            spk_sql_param(
                e, "rangeMessage", "Invalid date 'February 29' as '%d' is not a leap year", year);
        else {
            char upper[16];
            size_t n = 0;
            for (const char *p = spk_month_names[month - 1]; *p; p++)
                upper[n++] = (char)(*p & ~0x20);
            spk_sql_param(e, "rangeMessage", "Invalid date '%.*s %d'", (int)n, upper, day);
        }
        return false;
    }
    return true;
}

static void make_date(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        if (!good_date(f, I(0, i), I(1, i), I(2, i)))
            return;
        SPK_SQL_OUT(int32_t, f, i) = (int32_t)spk_days_from(I(0, i), I(1, i), I(2, i));
    }
}

static void make_timestamp(spk_sql_frame *f)
{
    const bool attempt = strncmp(f->expr->function->name, "try_", 4) == 0;
    SPK_EACH_ROW(f, i)
    {
        const int64_t micros = (int64_t)spk_sql_units(
            f->expr->args[5]->type, f->args[5].ptr + i * f->args[5].stride);
        const int32_t hour = I(3, i), minute = I(4, i);
        spk_zone own;
        const spk_zone *zone = spk_sql_zone(f, f->expr->type);
        if (attempt
            && (I(1, i) < 1 || I(1, i) > 12 || I(2, i) < 1
                || I(2, i) > spk_month_length(I(0, i), I(1, i)) || hour < 0 || hour > 23
                || minute < 0 || minute > 59 || micros < 0 || micros > 60000000)) {
            f->out_valid[i] = 0;
            continue;
        }
        if (!good_date(f, I(0, i), I(1, i), I(2, i)))
            return;
        if (hour < 0 || hour > 23) {
            out_of_bounds(f, "HourOfDay", 0, 23, hour);
            return;
        }
        if (minute < 0 || minute > 59) {
            out_of_bounds(f, "MinuteOfHour", 0, 59, minute);
            return;
        }
        if (micros < 0 || micros > 60000000) {
            out_of_bounds(f, "SecondOfMinute", 0, 59, micros / 1000000);
            return;
        }
        if (f->n_args > 6 && !(zone = spk_sql_zone_given(f, 6, i, &own)))
            return;
        SPK_SQL_OUT(int64_t, f, i) = spk_zone_moment(zone,
            spk_days_from(I(0, i), I(1, i), I(2, i)) * SPK_MICROS_DAY
                + (hour * INT64_C(3600) + minute * 60) * SPK_MICROS_SECOND + micros);
    }
}

/* make_timestamp_of: of a date, a time and a zone; what is left out is midnight, the session's. */
static void make_timestamp_of(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        spk_zone own;
        const spk_zone *zone = spk_sql_zone(f, f->expr->type);
        int64_t micros;
        if (f->n_args > 2 && !(zone = spk_sql_zone_given(f, 2, i, &own)))
            return;
        const int64_t rest = f->n_args > 1 ? L(1, i) / 1000 : 0;
        if (__builtin_mul_overflow(I(0, i), SPK_MICROS_DAY, &micros)
            || __builtin_add_overflow(micros, rest, &micros)) {
            spk_sql_overflow(f, "long overflow", NULL);
            return;
        }
        SPK_SQL_OUT(int64_t, f, i) = spk_zone_moment(zone, micros);
    }
}

static SPK_COLD bool resolve_timestamp_of(spk_sql_build *b, spk_sql_expr *call)
{
    bool null = false;
    for (uint32_t i = 0; i < call->n; i++) {
        const spk_sql_kind kind = call->args[i]->type->kind;
        const spk_sql_kind wanted = i == 0 ? SPK_SQL_DATE : i == 1 ? SPK_SQL_TIME : SPK_SQL_STRING;
        null |= kind == SPK_SQL_VOID;
        if (kind != wanted && kind != SPK_SQL_VOID && !(i == 0 && kind == SPK_SQL_STRING)) {
            spk_sql_unexpected(b, call, i, i == 0 ? "\"DATE\"" : i == 1 ? "\"TIME\"" : "\"STRING\"");
            return false;
        }
    }
    if (null)
        return spk_sql_rewrite(b, call, spk_sql_constant(b, call->type, NULL, call->span));
    call->kernel = make_timestamp_of;
    return spk_sql_want(b, call, 0, 'D');
}

static SPK_COLD bool resolve_make_timestamp(spk_sql_build *b, spk_sql_expr *call)
{
    const spk_sql_type *seconds = spk_sql_type_decimal(b->arena, 16, 6);
    call->type
        = of(strstr(call->function->name, "ntz") ? SPK_SQL_TIMESTAMP_NTZ : SPK_SQL_TIMESTAMP);
    if (call->n <= 3)
        return resolve_timestamp_of(b, call);
    if (call->n < 6) {
        if (spk_sql_fail(b->error, "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", call->span)) {
            spk_sql_param(b->error, "functionName", "`%s`", call->function->name);
            spk_sql_param(b->error, "expectedNum", "[1, 2, 3, 6, 7]");
            spk_sql_param(b->error, "actualNum", "%u", call->n);
        }
        return false;
    }
    for (uint32_t i = 0; i < 5; i++)
        if (!spk_sql_want(b, call, i, 'i'))
            return false;
    call->args[5] = seconds ? spk_sql_coerce(b, call->args[5], seconds) : NULL;
    return call->args[5] && (call->n < 7 || spk_sql_want(b, call, 6, 's'));
}

static void make_months(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const int64_t x
            = (f->n_args > 0 ? (int64_t)I(0, i) * 12 : 0) + (f->n_args > 1 ? I(1, i) : 0);
        if (x != (int32_t)x) {
            spk_sql_overflow(f, "overflow", NULL);
            return;
        }
        SPK_SQL_OUT(int32_t, f, i) = (int32_t)x;
    }
}

static void make_seconds(spk_sql_frame *f)
{
    static const int64_t sizes[] = { SPK_MICROS_DAY, INT64_C(3600000000), 60000000 };
    SPK_EACH_ROW(f, i)
    {
        spk_i128 x = 0;
        for (uint32_t a = 0; a < f->n_args && a < 3; a++)
            x += (spk_i128)I(a, i) * sizes[a];
        if (f->n_args > 3)
            x += spk_sql_units(f->expr->args[3]->type, f->args[3].ptr + i * f->args[3].stride);
        if (x != (int64_t)x) {
            spk_sql_overflow(f, "overflow", NULL);
            return;
        }
        SPK_SQL_OUT(int64_t, f, i) = (int64_t)x;
    }
}

static SPK_COLD bool resolve_make_seconds(spk_sql_build *b, spk_sql_expr *call)
{
    const spk_sql_type *seconds = spk_sql_type_decimal(b->arena, 18, 6);
    call->type = of(SPK_SQL_INTERVAL_SECONDS);
    for (uint32_t i = 0; i < call->n && i < 3; i++)
        if (!spk_sql_want(b, call, i, 'i'))
            return false;
    if (call->n > 3)
        call->args[3] = seconds ? spk_sql_coerce(b, call->args[3], seconds) : NULL;
    return call->n < 4 || call->args[3];
}

/* ---- Unix times ---- */

static void whole(spk_sql_frame *f)
{
    SPK_UNARY_LOOP(f, int32_t, int32_t, out[i] = x);
}

static void stamp_by(spk_sql_frame *f)
{
    const int64_t by = f->expr->function->name[5] == 's'                         ? SPK_MICROS_SECOND
        : f->expr->function->name[6] == 'i' && f->expr->function->name[7] == 'l' ? 1000
                                                                                 : 1;
    SPK_EACH_ROW(f, i)
    SPK_SQL_OUT(int64_t, f, i) = spk_floor_div(L(0, i), by);
}

static void stamp_from(spk_sql_frame *f)
{
    const char *name = f->expr->function->name;
    const int64_t by = strstr(name, "millis") ? 1000 : 1;
    SPK_EACH_ROW(f, i)
    if (__builtin_mul_overflow(L(0, i), by, &SPK_SQL_OUT(int64_t, f, i))) {
        spk_sql_overflow(f, "overflow", NULL);
        return;
    }
}

/* seconds_from: of whole numbers and decimals: neither saturates nor rounds, as CAST does. */
static void seconds_from(spk_sql_frame *f)
{
    const spk_sql_type *t = f->expr->args[0]->type;
    SPK_EACH_ROW(f, i)
    {
        const bool decimal = t->kind == SPK_SQL_DECIMAL;
        spk_i128 x = decimal ? spk_sql_units(t, f->args[0].ptr + i * f->args[0].stride) : L(0, i);
        const int scale = decimal ? t->scale : 0;
        const spk_i128 by = spk_power10(scale > 6 ? scale - 6 : 6 - scale);
        if (scale > 6 && x % by != 0) {
            spk_sql_overflow(f, "Rounding necessary", NULL);
            return;
        }
        if (scale > 6)
            x /= by;
        else if (__builtin_mul_overflow(x, by, &x))
            x = INT64_MAX + (spk_i128)1;
        SPK_SQL_OUT(int64_t, f, i) = (int64_t)x;
        if (x == (int64_t)x)
            continue;
        spk_sql_error *e = spk_sql_raise(f, "DATETIME_OVERFLOW");
        if (decimal)
            spk_sql_param(e, "operation", "create a TIMESTAMP from seconds since the epoch");
        else
            spk_sql_param(e, "operation", "create a TIMESTAMP from %lldL seconds since the epoch", (long long)L(0, i));
        return;
    }
}

static SPK_COLD bool resolve_timestamp_seconds(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = of(SPK_SQL_TIMESTAMP);
    if (call->args[0]->type->kind == SPK_SQL_DECIMAL)
        return true;
    if (spk_sql_is_integral(call->args[0]->type))
        return spk_sql_want(b, call, 0, 'l');
    if (call->args[0]->type->kind == SPK_SQL_STRING || !spk_sql_is_numeric(call->args[0]->type))
        if (!spk_sql_want(b, call, 0, 'n'))
            return false;
    spk_sql_expr *cast = spk_sql_cast(b, call->args[0], call->type, false, call->span);
    if (cast)
        cast->implicit = true;
    return spk_sql_rewrite(b, call, cast);
}

static void shift_zone(spk_sql_frame *f)
{
    const bool from = f->expr->function->name[0] == 'f';
    SPK_EACH_ROW(f, i)
    {
        spk_zone own;
        const spk_zone *zone = spk_sql_zone_given(f, 1, i, &own);
        if (!zone)
            return;
        SPK_SQL_OUT(int64_t, f, i) = from ? spk_zone_local(zone, L(0, i)) : spk_zone_moment(zone, L(0, i));
    }
}

/* convert_zone: a clock's time in one zone, or the session's, as that of another. */
static void convert_zone(spk_sql_frame *f)
{
    const uint32_t to = f->n_args - 2;
    SPK_EACH_ROW(f, i)
    {
        spk_zone own[2];
        const spk_zone *from = to ? spk_sql_zone_given(f, 0, i, &own[0]) : f->expr->session->zone;
        const spk_zone *zone = spk_sql_run_failed(f->run) ? NULL : spk_sql_zone_given(f, to, i, &own[1]);
        if (!zone)
            return;
        SPK_SQL_OUT(int64_t, f, i) = spk_zone_local(zone, spk_zone_moment(from, L(to + 1, i)));
    }
}

static SPK_COLD bool resolve_convert(spk_sql_build *b, spk_sql_expr *call)
{
    const uint32_t last = call->n - 1;
    const spk_sql_kind kind = call->args[last]->type->kind;
    call->type = of(SPK_SQL_TIMESTAMP_NTZ);
    if (kind != SPK_SQL_STRING && kind != SPK_SQL_DATE && kind != SPK_SQL_TIMESTAMP && kind != SPK_SQL_TIMESTAMP_NTZ
        && kind != SPK_SQL_VOID) {
        spk_sql_unexpected(b, call, last, "\"TIMESTAMP_NTZ\"");
        return false;
    }
    for (uint32_t i = 0; i < last; i++)
        if (!spk_sql_want(b, call, i, 's'))
            return false;
    call->args[last] = spk_sql_coerce(b, call->args[last], call->type);
    return call->args[last] && call->session;
}

/* ---- now ---- */

static void now(spk_sql_frame *f)
{
    const int64_t t = f->expr->session->now, clock = spk_zone_local(f->expr->session->zone, t);
    SPK_EACH_ROW(f, i)
    {
        if (f->expr->type->kind == SPK_SQL_DATE)
            SPK_SQL_OUT(int32_t, f, i) = (int32_t)spk_floor_div(clock, SPK_MICROS_DAY);
        else if (f->expr->type->kind == SPK_SQL_TIME)
            SPK_SQL_OUT(int64_t, f, i) = spk_floor_rest(clock, SPK_MICROS_DAY) * 1000;
        else
            SPK_SQL_OUT(int64_t, f, i) = f->expr->type->kind == SPK_SQL_TIMESTAMP ? t : clock;
    }
}

static SPK_COLD bool resolve_now(spk_sql_build *b, spk_sql_expr *call)
{
    const char *name = call->function->name;
    (void)b;
    call->type = of(strcmp(name, "current_date") == 0 || strcmp(name, "curdate") == 0 ? SPK_SQL_DATE
            : strcmp(name, "localtimestamp") == 0 ? SPK_SQL_TIMESTAMP_NTZ
            : strcmp(name, "current_time") == 0   ? SPK_SQL_TIME
                                                  : SPK_SQL_TIMESTAMP);
    return call->session != NULL;
}

static void timezone_(spk_sql_frame *f)
{
    const char *id
        = f->expr->session && f->expr->session->zone_id ? f->expr->session->zone_id : "UTC";
    SPK_EACH_ROW(f, i)
    SPK_SQL_OUT(spark_str, f, i) = (spark_str) { id, strlen(id) };
}

const spk_sql_function spk_sql_date_makers[] = { SPK_F("make_date", "iii:D", 3, 3, make_date),
    SPK_RN("make_timestamp", 1, 7, make_timestamp, resolve_make_timestamp),
    SPK_RN("try_make_timestamp", 1, 7, make_timestamp, resolve_make_timestamp),
    SPK_RN("make_timestamp_ntz", 2, 6, make_timestamp, resolve_make_timestamp),
    SPK_RN("try_make_timestamp_ntz", 2, 6, make_timestamp, resolve_make_timestamp),
    SPK_RN("make_timestamp_ltz", 2, 7, make_timestamp, resolve_make_timestamp),
    SPK_RN("try_make_timestamp_ltz", 2, 7, make_timestamp, resolve_make_timestamp),
    SPK_F("make_ym_interval", "ii:M", 0, 2, make_months),
    SPK_R("make_dt_interval", 0, 4, make_seconds, resolve_make_seconds),
    SPK_F("unix_date", "D:i", 1, 1, whole), SPK_F("date_from_unix_date", "i:D", 1, 1, whole),
    SPK_F("unix_seconds", "T:l", 1, 1, stamp_by), SPK_F("unix_millis", "T:l", 1, 1, stamp_by),
    SPK_F("unix_micros", "T:l", 1, 1, stamp_by),
    SPK_R("timestamp_seconds", 1, 1, seconds_from, resolve_timestamp_seconds),
    SPK_F("timestamp_millis", "l:T", 1, 1, stamp_from), SPK_F("timestamp_micros", "l:T", 1, 1, stamp_from),
    SPK_F("from_utc_timestamp", "Ts:T", 2, 2, shift_zone),
    SPK_F("to_utc_timestamp", "Ts:T", 2, 2, shift_zone),
    SPK_R("convert_timezone", 2, 3, convert_zone, resolve_convert), SPK_R("current_date", 0, 0, now, resolve_now),
    SPK_R("curdate", 0, 0, now, resolve_now), SPK_R("current_timestamp", 0, 0, now, resolve_now),
    SPK_R("now", 0, 0, now, resolve_now), SPK_R("localtimestamp", 0, 0, now, resolve_now),
    SPK_R("current_time", 0, 1, now, resolve_now), SPK_F("current_timezone", ":s", 0, 0, timezone_), { 0 } };
