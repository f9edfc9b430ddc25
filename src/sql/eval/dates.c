/* SPDX-License-Identifier: Apache-2.0 */
/* Functions on dates and timestamps. Clocks are those of the session's zone. */
#include <math.h>
#include <stdio.h>

#include "sql/eval/date_pattern.h"
#include "sql/eval/datetime.h"
#include "sql/eval/decimal.h"
#include "sql/eval/kernel.h"
#include "sql/eval/resolve.h"

#define S(a, i) SPK_SQL_ARG(spark_str, f, a, i)
#define I(a, i) SPK_SQL_ARG(int32_t, f, a, i)
#define L(a, i) SPK_SQL_ARG(int64_t, f, a, i)

static const spk_sql_type *of(spk_sql_kind kind)
{
    return spk_sql_type_of(kind);
}

static int64_t zone_of(const spk_sql_frame *f)
{
    return (f->expr->session ? f->expr->session->zone : 0) * SPK_MICROS_SECOND;
}

/* ---- fields ---- */

typedef enum unit {
    U_NONE,
    U_YEAR,
    U_QUARTER,
    U_MONTH,
    U_WEEK,
    U_DAY,
    U_DOW,
    U_DOW_ISO,
    U_WEEKDAY,
    U_DOY,
    U_YEAROFWEEK,
    U_HOUR,
    U_MINUTE,
    U_SECOND,
    U_WHOLE_SECOND,
    U_MILLISECOND,
    U_MICROSECOND
} unit;

static bool same(const char *p, size_t n, const char *lower)
{
    size_t i = 0;
    for (; i < n && lower[i]; i++)
        if ((p[i] >= 'A' && p[i] <= 'Z' ? p[i] | 0x20 : p[i]) != lower[i])
            return false;
    return i == n && !lower[i];
}

typedef struct unit_word {
    const char *word;
    unit what;
} unit_word;

static unit find_unit(const unit_word *words, const char *p, size_t n)
{
    for (; words->word; words++)
        if (same(p, n, words->word))
            return words->what;
    return U_NONE;
}

/* of date_part and extract */
static const unit_word part_words[] = { { "year", U_YEAR }, { "y", U_YEAR }, { "years", U_YEAR },
    { "yr", U_YEAR }, { "yrs", U_YEAR }, { "yearofweek", U_YEAROFWEEK }, { "quarter", U_QUARTER },
    { "qtr", U_QUARTER }, { "month", U_MONTH }, { "mon", U_MONTH }, { "mons", U_MONTH },
    { "months", U_MONTH }, { "week", U_WEEK }, { "w", U_WEEK }, { "weeks", U_WEEK },
    { "day", U_DAY }, { "d", U_DAY }, { "days", U_DAY }, { "dayofweek", U_DOW }, { "dow", U_DOW },
    { "dayofweek_iso", U_DOW_ISO }, { "dow_iso", U_DOW_ISO }, { "doy", U_DOY }, { "hour", U_HOUR },
    { "h", U_HOUR }, { "hours", U_HOUR }, { "hr", U_HOUR }, { "hrs", U_HOUR },
    { "minute", U_MINUTE }, { "m", U_MINUTE }, { "min", U_MINUTE }, { "mins", U_MINUTE },
    { "minutes", U_MINUTE }, { "second", U_SECOND }, { "s", U_SECOND }, { "sec", U_SECOND },
    { "seconds", U_SECOND }, { "secs", U_SECOND }, { NULL, U_NONE } };

/* of trunc and date_trunc */
static const unit_word trunc_words[] = { { "year", U_YEAR }, { "yyyy", U_YEAR }, { "yy", U_YEAR },
    { "quarter", U_QUARTER }, { "month", U_MONTH }, { "mon", U_MONTH }, { "mm", U_MONTH },
    { "week", U_WEEK }, { "day", U_DAY }, { "dd", U_DAY }, { "hour", U_HOUR },
    { "minute", U_MINUTE }, { "second", U_SECOND }, { "millisecond", U_MILLISECOND },
    { "microsecond", U_MICROSECOND }, { NULL, U_NONE } };

/* of timestampadd and timestampdiff */
static const unit_word add_words[] = { { "year", U_YEAR }, { "quarter", U_QUARTER },
    { "month", U_MONTH }, { "week", U_WEEK }, { "day", U_DAY }, { "dayofyear", U_DAY },
    { "hour", U_HOUR }, { "minute", U_MINUTE }, { "second", U_SECOND },
    { "millisecond", U_MILLISECOND }, { "microsecond", U_MICROSECOND }, { NULL, U_NONE } };

static int64_t field_of_days(unit what, int64_t days)
{
    const spk_day d = spk_day_of(days);
    int64_t year;
    switch (what) {
    case U_YEAR:
        return d.year;
    case U_QUARTER:
        return (d.month - 1) / 3 + 1;
    case U_MONTH:
        return d.month;
    case U_WEEK:
        return spk_iso_week(days, &year);
    case U_DAY:
        return d.day;
    case U_DOW:
        return (spk_weekday(days) + 1) % 7 + 1;
    case U_DOW_ISO:
        return spk_weekday(days) + 1;
    case U_WEEKDAY:
        return spk_weekday(days);
    case U_DOY:
        return days - spk_days_from(d.year, 1, 1) + 1;
    default:
        spk_iso_week(days, &year);
        return year;
    }
}

static int64_t field_of_rest(unit what, int64_t rest)
{
    return what == U_HOUR        ? rest / 3600000000
        : what == U_MINUTE       ? rest / 60000000 % 60
        : what == U_WHOLE_SECOND ? rest / 1000000 % 60
                                 : rest % 60000000;
}

/* local: microseconds that clocks show; of a TIME those of the day. */
static int64_t local(const spk_sql_frame *f, uint32_t a, uint32_t i)
{
    const spk_sql_kind kind = f->expr->args[a]->type->kind;
    if (kind == SPK_SQL_TIME)
        return L(a, i) / 1000;
    if (kind == SPK_SQL_DATE)
        return (int64_t)I(a, i) * SPK_MICROS_DAY;
    return (int64_t)((uint64_t)L(a, i) + (uint64_t)(kind == SPK_SQL_TIMESTAMP ? zone_of(f) : 0));
}

#define DAYS(name, what)                                                                           \
    static void name(spk_sql_frame *f)                                                             \
    {                                                                                              \
        SPK_EACH_ROW(f, i)                                                                         \
        SPK_SQL_OUT(int32_t, f, i) = (int32_t)field_of_days(what, I(0, i));                        \
    }
DAYS(year, U_YEAR)
DAYS(quarter, U_QUARTER)
DAYS(month, U_MONTH)
DAYS(day, U_DAY)
DAYS(dayofweek, U_DOW)
DAYS(weekday, U_WEEKDAY)
DAYS(dayofyear, U_DOY)
DAYS(weekofyear, U_WEEK)

#define CLOCK(name, what)                                                                          \
    static void name(spk_sql_frame *f)                                                             \
    {                                                                                              \
        SPK_EACH_ROW(f, i)                                                                         \
        SPK_SQL_OUT(int32_t, f, i)                                                                 \
            = (int32_t)field_of_rest(what, spk_floor_rest(local(f, 0, i), SPK_MICROS_DAY));        \
    }
CLOCK(hour, U_HOUR)
CLOCK(minute, U_MINUTE)
CLOCK(second, U_WHOLE_SECOND)

static bool resolve_clock(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = of(SPK_SQL_INT);
    return call->args[0]->type->kind == SPK_SQL_TIME || spk_sql_want(b, call, 0, 'T');
}

/* date_part: one unit of a date, time, or interval; the unit is a constant. */
static void part(spk_sql_frame *f)
{
    const spk_sql_type *t = f->expr->args[1]->type;
    const spark_str word = *(const spark_str *)f->expr->args[0]->value;
    const unit what = find_unit(part_words, word.ptr, word.len);
    SPK_EACH_ROW(f, i)
    {
        int64_t x;
        if (t->kind == SPK_SQL_INTERVAL_MONTHS) {
            x = what == U_YEAR ? I(1, i) / 12 : I(1, i) % 12;
        } else if (t->kind == SPK_SQL_INTERVAL_SECONDS) {
            x = what == U_DAY ? L(1, i) / SPK_MICROS_DAY
                              : field_of_rest(what, L(1, i) % SPK_MICROS_DAY);
            if (what == U_HOUR)
                x %= 24;
        } else {
            const int64_t at = local(f, 1, i);
            x = what >= U_HOUR ? field_of_rest(what, spk_floor_rest(at, SPK_MICROS_DAY))
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

static bool invalid_part(spk_sql_build *b, const spk_sql_expr *call, spark_str word)
{
    const char *source = spk_sql_type_quoted(b, call->args[1]->type);
    if (spk_sql_fail(b->error, "INVALID_EXTRACT_FIELD", call->span)) {
        spk_sql_param(b->error, "expr", "%s", spk_sql_expr_quoted(b, call->args[1]));
        spk_sql_param(b->error, "field", "`%.*s`", (int)word.len, word.ptr);
    }
    (void)source;
    return false;
}

static bool resolve_part(spk_sql_build *b, spk_sql_expr *call)
{
    if (!spk_sql_want(b, call, 0, 's'))
        return false;
    spk_sql_fold(b, &call->args[0]);
    const spk_sql_expr *e = call->args[0];
    if (!e || e->kind != SPK_SQL_CONSTANT || e->null) {
        call->type = of(SPK_SQL_DOUBLE);
        if (e && e->kind == SPK_SQL_CONSTANT)
            return spk_sql_rewrite(b, call, spk_sql_constant(b, call->type, NULL, call->span));
        spk_sql_unsupported(b->error, call->span, "date_part of a field that is no constant");
        return false;
    }
    const spark_str word = *(const spark_str *)e->value;
    const unit what = find_unit(part_words, word.ptr, word.len);
    const spk_sql_type *t = call->args[1]->type;
    if (what == U_NONE)
        return invalid_part(b, call, word);
    if (t->kind == SPK_SQL_INTERVAL_MONTHS || t->kind == SPK_SQL_INTERVAL_SECONDS) {
        const bool months = t->kind == SPK_SQL_INTERVAL_MONTHS;
        const bool good = months
            ? what == U_YEAR || what == U_MONTH
            : what == U_DAY || what == U_HOUR || what == U_MINUTE || what == U_SECOND;
        const int place = what == U_YEAR ? SPK_SQL_YEAR
            : what == U_MONTH            ? SPK_SQL_MONTH
            : what == U_DAY              ? SPK_SQL_DAY
            : what == U_HOUR             ? SPK_SQL_HOUR
            : what == U_MINUTE           ? SPK_SQL_MINUTE
                                         : SPK_SQL_SECOND;
        if (!good || place < t->precision || place > t->scale)
            return invalid_part(b, call, word);
        call->type = what == U_YEAR || what == U_DAY ? of(SPK_SQL_INT)
            : what == U_SECOND                       ? spk_sql_type_decimal(b->arena, 8, 6)
                                                     : of(SPK_SQL_TINYINT);
        return call->type != NULL;
    }
    if (what >= U_HOUR) {
        if (t->kind != SPK_SQL_TIME && !spk_sql_want(b, call, 1, 'T'))
            return false;
        call->type = what == U_SECOND ? spk_sql_type_decimal(b->arena, 8, 6) : of(SPK_SQL_INT);
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

/* ---- arithmetic ---- */

static bool resolve_date_add(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = of(SPK_SQL_DATE);
    const spk_sql_kind k = call->args[1]->type->kind;
    if (k != SPK_SQL_TINYINT && k != SPK_SQL_SMALLINT && k != SPK_SQL_INT && k != SPK_SQL_VOID
        && k != SPK_SQL_STRING) {
        spk_sql_unexpected(b, call, 1, "(\"INT\" or \"SMALLINT\" or \"TINYINT\")");
        return false;
    }
    return spk_sql_want(b, call, 0, 'D')
        && (k == SPK_SQL_TINYINT || k == SPK_SQL_SMALLINT || spk_sql_want(b, call, 1, 'i'));
}

static void datediff(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    SPK_SQL_OUT(int32_t, f, i) = (int32_t)((uint32_t)I(0, i) - (uint32_t)I(1, i));
}

static void months_between(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const bool rounds = f->n_args < 3 || SPK_SQL_ARG(bool, f, 2, i);
        const int64_t x = local(f, 0, i), y = local(f, 1, i);
        const int64_t p = spk_floor_div(x, SPK_MICROS_DAY), q = spk_floor_div(y, SPK_MICROS_DAY);
        const spk_day a = spk_day_of(p), b = spk_day_of(q);
        const double months = (double)((a.year - b.year) * 12 + a.month - b.month);
        const bool ends = a.day == spk_month_length(a.year, a.month)
            && b.day == spk_month_length(b.year, b.month);
        double out = months;
        if (a.day != b.day && !ends) {
            const int64_t seconds = (a.day - b.day) * INT64_C(86400)
                + spk_floor_rest(x, SPK_MICROS_DAY) / SPK_MICROS_SECOND
                - spk_floor_rest(y, SPK_MICROS_DAY) / SPK_MICROS_SECOND;
            out = months + (double)seconds / (31 * 86400.0);
            if (rounds)
                out = round(out * 1e8) / 1e8;
        }
        SPK_SQL_OUT(double, f, i) = out;
    }
}

static void last_day(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spk_day d = spk_day_of(I(0, i));
        SPK_SQL_OUT(int32_t, f, i) = I(0, i) - d.day + spk_month_length(d.year, d.month);
    }
}

static void next_day(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spark_str s = S(1, i);
        int which = -1;
        for (int k = 0; k < 7; k++)
            if (s.len >= 2
                && (same(s.ptr, s.len,
                        (const char[]) {
                            (char)(spk_day_names[k][0] | 0x20), spk_day_names[k][1], 0 })
                    || same(s.ptr, s.len,
                        (const char[]) { (char)(spk_day_names[k][0] | 0x20), spk_day_names[k][1],
                            spk_day_names[k][2], 0 })
                    || (s.len == strlen(spk_day_names[k])
                        && same(s.ptr + 1, s.len - 1, spk_day_names[k] + 1)
                        && (s.ptr[0] | 0x20) == (spk_day_names[k][0] | 0x20))))
                which = k;
        if (which < 0) {
            spk_sql_param(spk_sql_raise(f, "ILLEGAL_DAY_OF_WEEK"), "string", "%.*s",
                (int)(s.len < 200 ? s.len : 200), s.ptr);
            return;
        }
        SPK_SQL_OUT(int32_t, f, i)
            = I(0, i) + 1 + (int)spk_floor_rest(which - spk_weekday(I(0, i)) - 1, 7);
    }
}

/* truncated: days to the begin of a unit of days. */
static int64_t truncated(unit what, int64_t days)
{
    const spk_day d = spk_day_of(days);
    return what == U_YEAR   ? spk_days_from(d.year, 1, 1)
        : what == U_QUARTER ? spk_days_from(d.year, (d.month - 1) / 3 * 3 + 1, 1)
        : what == U_MONTH   ? days - d.day + 1
        : what == U_WEEK    ? days - spk_weekday(days)
                            : days;
}

static void trunc_(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const unit what = find_unit(trunc_words, S(1, i).ptr, S(1, i).len);
        f->out_valid[i] = what != U_NONE && what <= U_WEEK;
        SPK_SQL_OUT(int32_t, f, i) = (int32_t)truncated(what, I(0, i));
    }
}

static void date_trunc(spk_sql_frame *f)
{
    static const int64_t sizes[] = { [U_HOUR] = INT64_C(3600000000),
        [U_MINUTE] = 60000000,
        [U_SECOND] = 1000000,
        [U_MILLISECOND] = 1000,
        [U_MICROSECOND] = 1 };
    SPK_EACH_ROW(f, i)
    {
        const unit what = find_unit(trunc_words, S(0, i).ptr, S(0, i).len);
        const int64_t zone = f->expr->type->kind == SPK_SQL_TIMESTAMP ? zone_of(f) : 0;
        const int64_t at = local(f, 1, i);
        f->out_valid[i] = what != U_NONE;
        if (what == U_NONE)
            continue;
        const int64_t begin = what >= U_HOUR
            ? spk_floor_div(at, sizes[what]) * sizes[what]
            : truncated(what, spk_floor_div(at, SPK_MICROS_DAY)) * SPK_MICROS_DAY;
        SPK_SQL_OUT(int64_t, f, i) = begin - zone;
    }
}

static bool resolve_date_trunc(spk_sql_build *b, spk_sql_expr *call)
{
    if (!spk_sql_want(b, call, 0, 's') || !spk_sql_want(b, call, 1, 'T'))
        return false;
    if (call->args[1]->type->kind == SPK_SQL_TIMESTAMP_NTZ
        && !(call->args[1] = spk_sql_coerce(b, call->args[1], of(SPK_SQL_TIMESTAMP))))
        return false;
    call->type = of(SPK_SQL_TIMESTAMP);
    return true;
}

static void timestampadd(spk_sql_frame *f)
{
    static const int64_t sizes[] = { [U_WEEK] = 7 * SPK_MICROS_DAY,
        [U_DAY] = SPK_MICROS_DAY,
        [U_HOUR] = INT64_C(3600000000),
        [U_MINUTE] = 60000000,
        [U_SECOND] = 1000000,
        [U_MILLISECOND] = 1000,
        [U_MICROSECOND] = 1 };
    SPK_EACH_ROW(f, i)
    {
        const unit what = find_unit(add_words, S(0, i).ptr, S(0, i).len);
        const int64_t n = L(1, i), zone = f->expr->type->kind == SPK_SQL_TIMESTAMP ? zone_of(f) : 0;
        const int64_t at = local(f, 2, i);
        int64_t out, by;
        bool bad;
        if (what == U_YEAR || what == U_QUARTER || what == U_MONTH) {
            const int64_t days = spk_floor_div(at, SPK_MICROS_DAY);
            int32_t moved = 0;
            bad = __builtin_mul_overflow(n,
                      what == U_YEAR          ? 12
                          : what == U_QUARTER ? 3
                                              : 1,
                      &by)
                || by > INT32_MAX || by < INT32_MIN || !spk_add_months(days, by, &moved)
                || __builtin_mul_overflow(moved, SPK_MICROS_DAY, &out)
                || __builtin_add_overflow(out, spk_floor_rest(at, SPK_MICROS_DAY) - zone, &out);
        } else {
            bad = __builtin_mul_overflow(n, sizes[what], &by)
                || __builtin_add_overflow(at - zone, by, &out);
        }
        if (bad) {
            spk_sql_error *e = spk_sql_raise(f, "DATETIME_OVERFLOW");
            spk_sql_param(e, "operation", "add %lld %.*s to the timestamp", (long long)n,
                (int)S(0, i).len, S(0, i).ptr);
            return;
        }
        SPK_SQL_OUT(int64_t, f, i) = out;
    }
}

static void timestampdiff(spk_sql_frame *f)
{
    static const int64_t sizes[] = { [U_WEEK] = 7 * SPK_MICROS_DAY,
        [U_DAY] = SPK_MICROS_DAY,
        [U_HOUR] = INT64_C(3600000000),
        [U_MINUTE] = 60000000,
        [U_SECOND] = 1000000,
        [U_MILLISECOND] = 1000,
        [U_MICROSECOND] = 1 };
    SPK_EACH_ROW(f, i)
    {
        const unit what = find_unit(add_words, S(0, i).ptr, S(0, i).len);
        const int64_t x = local(f, 1, i), y = local(f, 2, i);
        if (what > U_MONTH) {
            SPK_SQL_OUT(int64_t, f, i) = (int64_t)((uint64_t)y - (uint64_t)x) / sizes[what];
            continue;
        }
        const int64_t p = spk_floor_div(x, SPK_MICROS_DAY), q = spk_floor_div(y, SPK_MICROS_DAY);
        const spk_day a = spk_day_of(p), b = spk_day_of(q);
        int64_t months = (b.year - a.year) * 12 + b.month - a.month;
        const int64_t in_a = a.day * SPK_MICROS_DAY + spk_floor_rest(x, SPK_MICROS_DAY);
        const int64_t in_b = b.day * SPK_MICROS_DAY + spk_floor_rest(y, SPK_MICROS_DAY);
        if (months > 0 && in_b < in_a)
            months--;
        else if (months < 0 && in_b > in_a)
            months++;
        SPK_SQL_OUT(int64_t, f, i) = months / (what == U_YEAR ? 12 : what == U_QUARTER ? 3 : 1);
    }
}

static bool resolve_add(spk_sql_build *b, spk_sql_expr *call)
{
    const bool diff = strstr(call->function->name, "diff") != NULL;
    if (call->n == 2)
        return spk_sql_rewrite(b, call,
            spk_sql_call(b, diff ? "datediff_days" : "date_add_days", call->args, 2, call->span));
    if (!spk_sql_want(b, call, 0, 's') || !spk_sql_want(b, call, 2, 'T')
        || !spk_sql_want(b, call, 1, diff ? 'T' : 'l'))
        return false;
    spk_sql_fold(b, &call->args[0]);
    const spk_sql_expr *e = call->args[0];
    const spark_str word = e && e->kind == SPK_SQL_CONSTANT && !e->null
        ? *(const spark_str *)e->value
        : (spark_str) { "", 0 };
    if (find_unit(add_words, word.ptr, word.len) == U_NONE) {
        if (spk_sql_fail(b->error, "INVALID_PARAMETER_VALUE.DATETIME_UNIT", call->span)) {
            spk_sql_param(b->error, "functionName", "`%s`", call->name);
            spk_sql_param(b->error, "invalidValue", "'%.*s'", (int)word.len, word.ptr);
            spk_sql_param(b->error, "parameter", "`unit`");
        }
        return false;
    }
    call->type = diff ? of(SPK_SQL_BIGINT) : call->args[2]->type;
    call->kernel = diff ? timestampdiff : timestampadd;
    return true;
}

/* ---- text ---- */

/* pattern_good: whether row i's pattern may be used; false: failed. */
static bool pattern_good(spk_sql_frame *f, spark_str p)
{
    char bad;
    const char *wrong = spk_date_pattern_wrong(p.ptr, p.len, &bad);
    if (!wrong)
        return true;
    spk_sql_error *e = spk_sql_raise(f, wrong);
    if (!strstr(wrong, "RECOGNITION"))
        spk_sql_param(e, "c", "'%c'", bad);
    spk_sql_param(e, "config", "\"spark.sql.legacy.timeParserPolicy\"");
    spk_sql_param(e, "docroot", "https://spark.apache.org/docs/latest");
    spk_sql_param(e, "pattern", "'%.*s'", (int)(p.len < 200 ? p.len : 200), p.ptr);
    return false;
}

static void date_format(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        spk_text out = spk_text_new(f->arena);
        if (!pattern_good(f, S(1, i)))
            return;
        const spk_sql_session *s = f->expr->session;
        spk_date_format(
            &out, S(1, i).ptr, S(1, i).len, local(f, 0, i), s ? s->zone : 0, s ? s->zone_id : NULL);
        spk_text_end(&out);
        SPK_SQL_OUT(spark_str, f, i) = (spark_str) { out.at ? out.at : "", out.n };
    }
}

/* resolve_to_char: of dates and timestamps alone; formats of numbers are not there. */
static bool resolve_to_char(spk_sql_build *b, spk_sql_expr *call)
{
    const spk_sql_kind kind = call->args[0]->type->kind;
    call->type = of(SPK_SQL_STRING);
    if (kind != SPK_SQL_DATE && kind != SPK_SQL_TIMESTAMP && kind != SPK_SQL_TIMESTAMP_NTZ) {
        spk_sql_unsupported(b->error, call->span, "to_char of anything but dates and timestamps");
        return false;
    }
    return spk_sql_want(b, call, 0, 'T') && spk_sql_want(b, call, 1, 's');
}

/* parse: text by a pattern; *micros since 1970. Returns false where the kernel ends; *valid. */
static bool parse(spk_sql_frame *f, spark_str s, spark_str p, bool ntz, const char *instead,
    int64_t *micros, bool *valid)
{
    size_t at;
    if (!pattern_good(f, p))
        return false;
    *valid = spk_date_parse(p.ptr, p.len, s.ptr, s.len,
        ntz ? 0 : (int32_t)(zone_of(f) / SPK_MICROS_SECOND), micros, &at);
    if (*valid || strncmp(f->expr->function->name, "try_", 4) == 0)
        return true;
    spk_sql_error *e = spk_sql_raise(f, "CANNOT_PARSE_TIMESTAMP");
    spk_sql_param(e, "func", "`%s`", instead);
    spk_sql_param(e, "message",
        at > 0 && at < s.len && at > p.len - 1
            ? "Text '%.*s' could not be parsed, unparsed text found at index %zu"
            : "Text '%.*s' could not be parsed at index %zu",
        (int)(s.len < 200 ? s.len : 200), s.ptr, at);
    return false;
}

static void to_date(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        int64_t micros = 0;
        bool valid;
        if (!parse(f, S(0, i), S(1, i), true, "try_to_date", &micros, &valid))
            return;
        f->out_valid[i] = valid;
        SPK_SQL_OUT(int32_t, f, i) = (int32_t)spk_floor_div(micros, SPK_MICROS_DAY);
    }
}

static void to_timestamp(spk_sql_frame *f)
{
    const bool seconds = f->expr->type->kind == SPK_SQL_BIGINT;
    SPK_EACH_ROW(f, i)
    {
        int64_t micros = 0;
        bool valid;
        if (!parse(f, S(0, i), S(1, i), f->expr->type->kind == SPK_SQL_TIMESTAMP_NTZ,
                "try_to_timestamp", &micros, &valid))
            return;
        f->out_valid[i] = valid;
        SPK_SQL_OUT(int64_t, f, i) = seconds ? spk_floor_div(micros, SPK_MICROS_SECOND) : micros;
    }
}

/* resolve_to: to_date, to_timestamp and try_..: without a pattern a cast. */
static bool resolve_to(spk_sql_build *b, spk_sql_expr *call)
{
    const char *name = call->function->name;
    const bool attempt = strncmp(name, "try_", 4) == 0, date = strstr(name, "date") != NULL;
    const spk_sql_type *to = of(date ? SPK_SQL_DATE
            : strstr(name, "ntz")    ? SPK_SQL_TIMESTAMP_NTZ
                                     : SPK_SQL_TIMESTAMP);
    call->type = to;
    if (call->n == 1 || call->args[0]->type->kind != SPK_SQL_STRING) {
        spk_sql_expr *x = call->args[0];
        if (!spk_sql_castable(x->type, to)) {
            spk_sql_unexpected(b, call, 0, date ? "\"DATE\"" : "\"TIMESTAMP\"");
            return false;
        }
        spk_sql_expr *cast = spk_sql_cast(b, x, to, attempt, call->span);
        if (cast)
            cast->implicit = true;
        return spk_sql_rewrite(b, call, cast);
    }
    call->kernel = date ? to_date : to_timestamp;
    return spk_sql_want(b, call, 0, 's') && spk_sql_want(b, call, 1, 's');
}

static void stamp_seconds(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    SPK_SQL_OUT(int64_t, f, i) = L(0, i) / SPK_MICROS_SECOND; /* truncated, as Spark does here */
}

static void now_seconds(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    SPK_SQL_OUT(int64_t, f, i) = spk_floor_div(f->expr->session->now, SPK_MICROS_SECOND);
}

static bool resolve_unix(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = of(SPK_SQL_BIGINT);
    if (call->n == 0) {
        call->kernel = now_seconds;
        return true;
    }
    if (call->args[0]->type->kind != SPK_SQL_STRING) {
        call->kernel = stamp_seconds;
        call->args[0] = spk_sql_coerce(b, call->args[0], of(SPK_SQL_TIMESTAMP));
        call->n = 1;
        return call->args[0] != NULL;
    }
    call->kernel = to_timestamp;
    if (call->n == 1) {
        spk_sql_expr **args = spk_arena_alloc(b->arena, 2 * sizeof *args, _Alignof(spk_sql_expr *));
        if (!args)
            return false;
        args[0] = call->args[0];
        args[1] = spk_sql_string(b, "yyyy-MM-dd HH:mm:ss", 19, call->span);
        call->args = args;
        call->n = 2;
        return args[1] != NULL;
    }
    return spk_sql_want(b, call, 1, 's');
}

static void from_unixtime(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spark_str p = f->n_args > 1 ? S(1, i) : (spark_str) { "yyyy-MM-dd HH:mm:ss", 19 };
        const spk_sql_session *s = f->expr->session;
        spk_text out = spk_text_new(f->arena);
        int64_t micros;
        if (!pattern_good(f, p))
            return;
        if (__builtin_mul_overflow(L(0, i), SPK_MICROS_SECOND, &micros))
            micros = L(0, i) < 0 ? INT64_MIN / 2 : INT64_MAX / 2;
        spk_date_format(
            &out, p.ptr, p.len, micros + zone_of(f), s ? s->zone : 0, s ? s->zone_id : NULL);
        spk_text_end(&out);
        SPK_SQL_OUT(spark_str, f, i) = (spark_str) { out.at ? out.at : "", out.n };
    }
}

/* ---- making ---- */

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
    const int64_t own = f->expr->type->kind == SPK_SQL_TIMESTAMP ? zone_of(f) : 0;
    SPK_EACH_ROW(f, i)
    {
        const int64_t micros = (int64_t)spk_sql_units(
            f->expr->args[5]->type, f->args[5].ptr + i * f->args[5].stride);
        const int32_t hour = I(3, i), minute = I(4, i);
        int64_t zone = own;
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
        if (f->n_args > 6) {
            int32_t east;
            if (!spk_read_zone(S(6, i).ptr, S(6, i).len, &east)) {
                spk_sql_param(spk_sql_raise(f, "INVALID_TIMEZONE"), "timeZone", "%.*s",
                    (int)S(6, i).len, S(6, i).ptr);
                return;
            }
            zone = east * SPK_MICROS_SECOND;
        }
        SPK_SQL_OUT(int64_t, f, i) = spk_days_from(I(0, i), I(1, i), I(2, i)) * SPK_MICROS_DAY
            + (hour * INT64_C(3600) + minute * 60) * SPK_MICROS_SECOND + micros - zone;
    }
}

/* make_timestamp_of: of a date, a time and a zone; what is left out is midnight, the session's. */
static void make_timestamp_of(spk_sql_frame *f)
{
    const int64_t own = f->expr->type->kind == SPK_SQL_TIMESTAMP ? zone_of(f) : 0;
    SPK_EACH_ROW(f, i)
    {
        int32_t east = (int32_t)(own / SPK_MICROS_SECOND);
        int64_t micros;
        if (f->n_args > 2 && !spk_read_zone(S(2, i).ptr, S(2, i).len, &east)) {
            spk_sql_param(spk_sql_raise(f, "INVALID_TIMEZONE"), "timeZone", "%.*s",
                (int)(S(2, i).len < 200 ? S(2, i).len : 200), S(2, i).ptr);
            return;
        }
        const int64_t rest = (f->n_args > 1 ? L(1, i) / 1000 : 0) - east * SPK_MICROS_SECOND;
        if (__builtin_mul_overflow(I(0, i), SPK_MICROS_DAY, &micros)
            || __builtin_add_overflow(micros, rest, &micros)) {
            spk_sql_overflow(f, "long overflow", NULL);
            return;
        }
        SPK_SQL_OUT(int64_t, f, i) = micros;
    }
}

static bool resolve_timestamp_of(spk_sql_build *b, spk_sql_expr *call)
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

static bool resolve_make_timestamp(spk_sql_build *b, spk_sql_expr *call)
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

static bool resolve_make_seconds(spk_sql_build *b, spk_sql_expr *call)
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

static bool resolve_timestamp_seconds(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = of(SPK_SQL_TIMESTAMP);
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
        int32_t east;
        if (!spk_read_zone(S(1, i).ptr, S(1, i).len, &east)) {
            spk_sql_param(spk_sql_raise(f, "INVALID_TIMEZONE"), "timeZone", "%.*s",
                (int)S(1, i).len, S(1, i).ptr);
            return;
        }
        SPK_SQL_OUT(int64_t, f, i) = L(0, i) + (from ? east : -east) * SPK_MICROS_SECOND;
    }
}

/* ---- now ---- */

static void now(spk_sql_frame *f)
{
    const int64_t t = f->expr->session->now, clock = t + zone_of(f);
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

static bool resolve_now(spk_sql_build *b, spk_sql_expr *call)
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

#define F(name_, signature_, least_, most_, kernel_)                                               \
    {                                                                                              \
        .name = name_, .signature = signature_, .least = least_, .most = most_, .kernel = kernel_  \
    }
#define R(name_, least_, most_, kernel_, resolve_)                                                 \
    {                                                                                              \
        .name = name_, .least = least_, .most = most_, .kernel = kernel_, .resolve = resolve_      \
    }
#define RN(name_, least_, most_, kernel_, resolve_)                                                \
    {                                                                                              \
        .name = name_, .least = least_, .most = most_, .kernel = kernel_, .resolve = resolve_,     \
        .flags = SPK_SQL_GIVES_NULL                                                                \
    }
#define FN(name_, signature_, least_, most_, kernel_)                                              \
    {                                                                                              \
        .name = name_, .signature = signature_, .least = least_, .most = most_, .kernel = kernel_, \
        .flags = SPK_SQL_GIVES_NULL                                                                \
    }

const spk_sql_function spk_sql_dates[] = { F("year", "D:i", 1, 1, year),
    F("quarter", "D:i", 1, 1, quarter), F("month", "D:i", 1, 1, month), F("day", "D:i", 1, 1, day),
    F("dayofmonth", "D:i", 1, 1, day), F("dayofweek", "D:i", 1, 1, dayofweek),
    F("weekday", "D:i", 1, 1, weekday), F("dayofyear", "D:i", 1, 1, dayofyear),
    F("weekofyear", "D:i", 1, 1, weekofyear), R("hour", 1, 1, hour, resolve_clock),
    R("minute", 1, 1, minute, resolve_clock), R("second", 1, 1, second, resolve_clock),
    R("date_part", 2, 2, part, resolve_part), R("datepart", 2, 2, part, resolve_part),
    R("extract", 2, 2, part, resolve_part), F("dayname", "D:s", 1, 1, put_day_name),
    F("monthname", "D:s", 1, 1, put_month_name),
    R("date_add_days", 2, 2, spk_sql_date_days, resolve_date_add),
    R("date_sub", 2, 2, spk_sql_date_days, resolve_date_add),
    R("date_add", 2, 3, NULL, resolve_add), R("dateadd", 2, 3, NULL, resolve_add),
    R("timestampadd", 3, 3, NULL, resolve_add), R("date_diff", 2, 3, NULL, resolve_add),
    R("datediff", 2, 3, NULL, resolve_add), R("timestampdiff", 3, 3, NULL, resolve_add),
    F("datediff_days", "DD:i", 2, 2, datediff), F("add_months", "Di:D", 2, 2, spk_sql_date_months),
    F("months_between", "TTb:d", 2, 3, months_between), F("last_day", "D:D", 1, 1, last_day),
    F("next_day", "Ds:D", 2, 2, next_day), FN("trunc", "Ds:D", 2, 2, trunc_),
    RN("date_trunc", 2, 2, date_trunc, resolve_date_trunc),
    F("date_format", "Ts:s", 2, 2, date_format), R("to_char", 2, 2, date_format, resolve_to_char),
    R("to_varchar", 2, 2, date_format, resolve_to_char), RN("to_date", 1, 2, NULL, resolve_to),
    RN("try_to_date", 1, 2, NULL, resolve_to), RN("to_timestamp", 1, 2, NULL, resolve_to),
    RN("try_to_timestamp", 1, 2, NULL, resolve_to), RN("to_timestamp_ntz", 1, 2, NULL, resolve_to),
    RN("to_timestamp_ltz", 1, 2, NULL, resolve_to), RN("unix_timestamp", 0, 2, NULL, resolve_unix),
    RN("to_unix_timestamp", 1, 2, NULL, resolve_unix),
    F("from_unixtime", "ls:s", 1, 2, from_unixtime), F("make_date", "iii:D", 3, 3, make_date),
    RN("make_timestamp", 1, 7, make_timestamp, resolve_make_timestamp),
    RN("try_make_timestamp", 1, 7, make_timestamp, resolve_make_timestamp),
    RN("make_timestamp_ntz", 6, 6, make_timestamp, resolve_make_timestamp),
    RN("make_timestamp_ltz", 6, 7, make_timestamp, resolve_make_timestamp),
    F("make_ym_interval", "ii:M", 0, 2, make_months),
    R("make_dt_interval", 0, 4, make_seconds, resolve_make_seconds),
    F("unix_date", "D:i", 1, 1, whole), F("date_from_unix_date", "i:D", 1, 1, whole),
    F("unix_seconds", "T:l", 1, 1, stamp_by), F("unix_millis", "T:l", 1, 1, stamp_by),
    F("unix_micros", "T:l", 1, 1, stamp_by),
    R("timestamp_seconds", 1, 1, NULL, resolve_timestamp_seconds),
    F("timestamp_millis", "l:T", 1, 1, stamp_from), F("timestamp_micros", "l:T", 1, 1, stamp_from),
    F("from_utc_timestamp", "Ts:T", 2, 2, shift_zone),
    F("to_utc_timestamp", "Ts:T", 2, 2, shift_zone), R("current_date", 0, 0, now, resolve_now),
    R("curdate", 0, 0, now, resolve_now), R("current_timestamp", 0, 0, now, resolve_now),
    R("now", 0, 0, now, resolve_now), R("localtimestamp", 0, 0, now, resolve_now),
    R("current_time", 0, 1, now, resolve_now), F("current_timezone", ":s", 0, 0, timezone_),
    { 0 } };
