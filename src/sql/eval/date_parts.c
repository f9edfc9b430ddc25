/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that take parts of dates, times and intervals. */
#include "sql/eval/date_units.h"

static const spk_sql_type *of(spk_sql_kind kind)
{
    return spk_sql_type_of(kind);
}

bool spk_word_same(const char *p, size_t n, const char *lower)
{
    size_t i = 0;
    for (; i < n && lower[i]; i++)
        if ((p[i] >= 'A' && p[i] <= 'Z' ? p[i] | 0x20 : p[i]) != lower[i])
            return false;
    return i == n && !lower[i];
}

spk_date_unit spk_unit_find(const spk_unit_word *words, const char *p, size_t n)
{
    for (; words->word; words++)
        if (spk_word_same(p, n, words->word))
            return words->what;
    return SPK_U_NONE;
}

/* of date_part and extract */
static const spk_unit_word part_words[] = { { "year", SPK_U_YEAR }, { "y", SPK_U_YEAR }, { "years", SPK_U_YEAR },
    { "yr", SPK_U_YEAR }, { "yrs", SPK_U_YEAR }, { "yearofweek", SPK_U_YEAROFWEEK }, { "quarter", SPK_U_QUARTER },
    { "qtr", SPK_U_QUARTER }, { "month", SPK_U_MONTH }, { "mon", SPK_U_MONTH }, { "mons", SPK_U_MONTH },
    { "months", SPK_U_MONTH }, { "week", SPK_U_WEEK }, { "w", SPK_U_WEEK }, { "weeks", SPK_U_WEEK },
    { "day", SPK_U_DAY }, { "d", SPK_U_DAY }, { "days", SPK_U_DAY }, { "dayofweek", SPK_U_DOW }, { "dow", SPK_U_DOW },
    { "dayofweek_iso", SPK_U_DOW_ISO }, { "dow_iso", SPK_U_DOW_ISO }, { "doy", SPK_U_DOY }, { "hour", SPK_U_HOUR },
    { "h", SPK_U_HOUR }, { "hours", SPK_U_HOUR }, { "hr", SPK_U_HOUR }, { "hrs", SPK_U_HOUR },
    { "minute", SPK_U_MINUTE }, { "m", SPK_U_MINUTE }, { "min", SPK_U_MINUTE }, { "mins", SPK_U_MINUTE },
    { "minutes", SPK_U_MINUTE }, { "second", SPK_U_SECOND }, { "s", SPK_U_SECOND }, { "sec", SPK_U_SECOND },
    { "seconds", SPK_U_SECOND }, { "secs", SPK_U_SECOND }, { NULL, SPK_U_NONE } };

static int64_t field_of_days(spk_date_unit what, int64_t days)
{
    const spk_day d = spk_day_of(days);
    int64_t year;
    switch (what) {
    case SPK_U_YEAR:
        return d.year;
    case SPK_U_QUARTER:
        return (d.month - 1) / 3 + 1;
    case SPK_U_MONTH:
        return d.month;
    case SPK_U_WEEK:
        return spk_iso_week(days, &year);
    case SPK_U_DAY:
        return d.day;
    case SPK_U_DOW:
        return (spk_weekday(days) + 1) % 7 + 1;
    case SPK_U_DOW_ISO:
        return spk_weekday(days) + 1;
    case SPK_U_WEEKDAY:
        return spk_weekday(days);
    case SPK_U_DOY:
        return days - spk_days_from(d.year, 1, 1) + 1;
    default:
        spk_iso_week(days, &year);
        return year;
    }
}

static int64_t field_of_rest(spk_date_unit what, int64_t rest)
{
    return what == SPK_U_HOUR        ? rest / 3600000000
        : what == SPK_U_MINUTE       ? rest / 60000000 % 60
        : what == SPK_U_WHOLE_SECOND ? rest / 1000000 % 60
                                 : rest % 60000000;
}

#define DAYS(name, what)                                                                           \
    static void name(spk_sql_frame *f)                                                             \
    {                                                                                              \
        SPK_EACH_ROW(f, i)                                                                         \
        SPK_SQL_OUT(int32_t, f, i) = (int32_t)field_of_days(what, I(0, i));                        \
    }
DAYS(year, SPK_U_YEAR)
DAYS(quarter, SPK_U_QUARTER)
DAYS(month, SPK_U_MONTH)
DAYS(day, SPK_U_DAY)
DAYS(dayofweek, SPK_U_DOW)
DAYS(weekday, SPK_U_WEEKDAY)
DAYS(dayofyear, SPK_U_DOY)
DAYS(weekofyear, SPK_U_WEEK)

#define CLOCK(name, what)                                                                          \
    static void name(spk_sql_frame *f)                                                             \
    {                                                                                              \
        SPK_EACH_ROW(f, i)                                                                         \
        SPK_SQL_OUT(int32_t, f, i)                                                                 \
            = (int32_t)field_of_rest(what, spk_floor_rest(spk_local(f, 0, i), SPK_MICROS_DAY));        \
    }
CLOCK(hour, SPK_U_HOUR)
CLOCK(minute, SPK_U_MINUTE)
CLOCK(second, SPK_U_WHOLE_SECOND)

static SPK_COLD bool resolve_clock(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = of(SPK_SQL_INT);
    return call->args[0]->type->kind == SPK_SQL_TIME || spk_sql_want(b, call, 0, 'T');
}

/* date_part: one unit of a date, time, or interval; the unit is a constant. */
static void part(spk_sql_frame *f)
{
    const spk_sql_type *t = f->expr->args[1]->type;
    const spark_str word = *(const spark_str *)f->expr->args[0]->value;
    const spk_date_unit what = spk_unit_find(part_words, word.ptr, word.len);
    SPK_EACH_ROW(f, i)
    {
        int64_t x;
        if (t->kind == SPK_SQL_INTERVAL_MONTHS) {
            x = what == SPK_U_YEAR ? I(1, i) / 12 : I(1, i) % 12;
        } else if (t->kind == SPK_SQL_INTERVAL_SECONDS) {
            x = what == SPK_U_DAY ? L(1, i) / SPK_MICROS_DAY
                              : field_of_rest(what, L(1, i) % SPK_MICROS_DAY);
            if (what == SPK_U_HOUR)
                x %= 24;
        } else {
            const int64_t at = spk_local(f, 1, i);
            x = what >= SPK_U_HOUR ? field_of_rest(what, spk_floor_rest(at, SPK_MICROS_DAY))
                               : field_of_days(what, spk_floor_div(at, SPK_MICROS_DAY));
        }
        if (f->expr->type->size == 1)
            SPK_SQL_OUT(int8_t, f, i) = (int8_t)x;
        else if (f->expr->type->size == 4)
            SPK_SQL_OUT(int32_t, f, i) = (int32_t)x;
        else
            SPK_SQL_OUT(int64_t, f, i) = x;
    }
}

static SPK_COLD bool invalid_part(spk_sql_build *b, const spk_sql_expr *call, spark_str word)
{
    const char *source = spk_sql_type_quoted(b, call->args[1]->type);
    if (spk_sql_fail(b->error, "INVALID_EXTRACT_FIELD", call->span)) {
        spk_sql_param(b->error, "expr", "%s", spk_sql_expr_quoted(b, call->args[1]));
        spk_sql_param(b->error, "field", "`%.*s`", (int)word.len, word.ptr);
    }
    (void)source;
    return false;
}

static SPK_COLD bool resolve_part(spk_sql_build *b, spk_sql_expr *call)
{
    if (!spk_sql_want(b, call, 0, 's'))
        return false;
    spk_sql_fold(b, &call->args[0]);
    const spk_sql_expr *e = call->args[0];
    if (!e || e->kind != SPK_SQL_CONSTANT || e->null) {
        call->type = of(SPK_SQL_DOUBLE);
        if (e && e->kind == SPK_SQL_CONSTANT)
            return spk_sql_rewrite(b, call, spk_sql_constant(b, call->type, NULL, call->span));
        spk_sql_fail3(b->error, "NON_FOLDABLE_ARGUMENT", call->span, "funcName", "`date_part`", "paramName", "`field`",
            "paramType", "\"STRING\"");
        return false;
    }
    const spark_str word = *(const spark_str *)e->value;
    const spk_date_unit what = spk_unit_find(part_words, word.ptr, word.len);
    const spk_sql_type *t = call->args[1]->type;
    if (what == SPK_U_NONE)
        return invalid_part(b, call, word);
    if (t->kind == SPK_SQL_INTERVAL_MONTHS || t->kind == SPK_SQL_INTERVAL_SECONDS) {
        const bool months = t->kind == SPK_SQL_INTERVAL_MONTHS;
        const bool good = months
            ? what == SPK_U_YEAR || what == SPK_U_MONTH
            : what == SPK_U_DAY || what == SPK_U_HOUR || what == SPK_U_MINUTE || what == SPK_U_SECOND;
        const int place = what == SPK_U_YEAR ? SPK_SQL_YEAR
            : what == SPK_U_MONTH            ? SPK_SQL_MONTH
            : what == SPK_U_DAY              ? SPK_SQL_DAY
            : what == SPK_U_HOUR             ? SPK_SQL_HOUR
            : what == SPK_U_MINUTE           ? SPK_SQL_MINUTE
                                         : SPK_SQL_SECOND;
        if (!good || place < t->precision || place > t->scale)
            return invalid_part(b, call, word);
        call->type = what == SPK_U_YEAR || what == SPK_U_DAY ? of(SPK_SQL_INT)
            : what == SPK_U_SECOND                       ? spk_sql_type_decimal(b->arena, 8, 6)
                                                     : of(SPK_SQL_TINYINT);
        return call->type != NULL;
    }
    if (what >= SPK_U_HOUR) {
        if (t->kind != SPK_SQL_TIME && !spk_sql_want(b, call, 1, 'T'))
            return false;
        call->type = what == SPK_U_SECOND ? spk_sql_type_decimal(b->arena, 8, 6) : of(SPK_SQL_INT);
        return call->type != NULL;
    }
    call->type = of(SPK_SQL_INT);
    return spk_sql_want(b, call, 1, 'D');
}

static void put_day_name(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    SPK_SQL_OUT(spark_str, f, i) = (spark_str) { spk_day_names[spk_weekday(I(0, i))], 3 };
}

static void put_month_name(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    SPK_SQL_OUT(spark_str, f, i)
        = (spark_str) { spk_month_names[spk_day_of(I(0, i)).month - 1], 3 };
}

const spk_sql_function spk_sql_date_parts[] = { SPK_F("year", "D:i", 1, 1, year),
    SPK_F("quarter", "D:i", 1, 1, quarter), SPK_F("month", "D:i", 1, 1, month),
    SPK_F("day", "D:i", 1, 1, day), SPK_F("dayofmonth", "D:i", 1, 1, day),
    SPK_F("dayofweek", "D:i", 1, 1, dayofweek), SPK_F("weekday", "D:i", 1, 1, weekday),
    SPK_F("dayofyear", "D:i", 1, 1, dayofyear), SPK_F("weekofyear", "D:i", 1, 1, weekofyear),
    SPK_R("hour", 1, 1, hour, resolve_clock), SPK_R("minute", 1, 1, minute, resolve_clock),
    SPK_R("second", 1, 1, second, resolve_clock), SPK_R("date_part", 2, 2, part, resolve_part),
    SPK_R("datepart", 2, 2, part, resolve_part), SPK_R("extract", 2, 2, part, resolve_part),
    SPK_F("dayname", "D:s", 1, 1, put_day_name), SPK_F("monthname", "D:s", 1, 1, put_month_name), { 0 } };
