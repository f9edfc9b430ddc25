/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic of dates and timestamps. Clocks are those of the session's zone. */
#include <math.h>

#include "sql/eval/date_units.h"

static const spk_sql_type *of(spk_sql_kind kind)
{
    return spk_sql_type_of(kind);
}

/* of trunc and date_trunc */
static const spk_unit_word trunc_words[] = { { "year", SPK_U_YEAR }, { "yyyy", SPK_U_YEAR }, { "yy", SPK_U_YEAR },
    { "quarter", SPK_U_QUARTER }, { "month", SPK_U_MONTH }, { "mon", SPK_U_MONTH }, { "mm", SPK_U_MONTH },
    { "week", SPK_U_WEEK }, { "day", SPK_U_DAY }, { "dd", SPK_U_DAY }, { "hour", SPK_U_HOUR },
    { "minute", SPK_U_MINUTE }, { "second", SPK_U_SECOND }, { "millisecond", SPK_U_MILLISECOND },
    { "microsecond", SPK_U_MICROSECOND }, { NULL, SPK_U_NONE } };

/* of timestampadd and timestampdiff */
static const spk_unit_word add_words[] = { { "year", SPK_U_YEAR }, { "quarter", SPK_U_QUARTER },
    { "month", SPK_U_MONTH }, { "week", SPK_U_WEEK }, { "day", SPK_U_DAY }, { "dayofyear", SPK_U_DAY },
    { "hour", SPK_U_HOUR }, { "minute", SPK_U_MINUTE }, { "second", SPK_U_SECOND },
    { "millisecond", SPK_U_MILLISECOND }, { "microsecond", SPK_U_MICROSECOND }, { NULL, SPK_U_NONE } };
static SPK_COLD bool resolve_date_add(spk_sql_build *b, spk_sql_expr *call)
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
        const int64_t x = spk_local(f, 0, i), y = spk_local(f, 1, i);
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
                && (spk_word_same(s.ptr, s.len,
                        (const char[]) {
                            (char)(spk_day_names[k][0] | 0x20), spk_day_names[k][1], 0 })
                    || spk_word_same(s.ptr, s.len,
                        (const char[]) { (char)(spk_day_names[k][0] | 0x20), spk_day_names[k][1],
                            spk_day_names[k][2], 0 })
                    || (s.len == strlen(spk_day_names[k])
                        && spk_word_same(s.ptr + 1, s.len - 1, spk_day_names[k] + 1)
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
static int64_t truncated(spk_date_unit what, int64_t days)
{
    const spk_day d = spk_day_of(days);
    return what == SPK_U_YEAR   ? spk_days_from(d.year, 1, 1)
        : what == SPK_U_QUARTER ? spk_days_from(d.year, (d.month - 1) / 3 * 3 + 1, 1)
        : what == SPK_U_MONTH   ? days - d.day + 1
        : what == SPK_U_WEEK    ? days - spk_weekday(days)
                            : days;
}

static void trunc_(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spk_date_unit what = spk_unit_find(trunc_words, S(1, i).ptr, S(1, i).len);
        f->out_valid[i] = what != SPK_U_NONE && what <= SPK_U_WEEK;
        SPK_SQL_OUT(int32_t, f, i) = (int32_t)truncated(what, I(0, i));
    }
}

static void date_trunc(spk_sql_frame *f)
{
    static const int64_t sizes[] = { [SPK_U_HOUR] = INT64_C(3600000000),
        [SPK_U_MINUTE] = 60000000,
        [SPK_U_SECOND] = 1000000,
        [SPK_U_MILLISECOND] = 1000,
        [SPK_U_MICROSECOND] = 1 };
    SPK_EACH_ROW(f, i)
    {
        const spk_date_unit what = spk_unit_find(trunc_words, S(0, i).ptr, S(0, i).len);
        const int64_t at = spk_local(f, 1, i);
        f->out_valid[i] = what != SPK_U_NONE;
        if (what == SPK_U_NONE)
            continue;
        const int64_t begin = what >= SPK_U_HOUR
            ? spk_floor_div(at, sizes[what]) * sizes[what]
            : truncated(what, spk_floor_div(at, SPK_MICROS_DAY)) * SPK_MICROS_DAY;
        SPK_SQL_OUT(int64_t, f, i) = spk_zone_moment(spk_sql_zone(f, f->expr->type), begin);
    }
}

static SPK_COLD bool resolve_date_trunc(spk_sql_build *b, spk_sql_expr *call)
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
    static const int64_t sizes[] = { [SPK_U_WEEK] = 7 * SPK_MICROS_DAY,
        [SPK_U_DAY] = SPK_MICROS_DAY,
        [SPK_U_HOUR] = INT64_C(3600000000),
        [SPK_U_MINUTE] = 60000000,
        [SPK_U_SECOND] = 1000000,
        [SPK_U_MILLISECOND] = 1000,
        [SPK_U_MICROSECOND] = 1 };
    SPK_EACH_ROW(f, i)
    {
        const spk_date_unit what = spk_unit_find(add_words, S(0, i).ptr, S(0, i).len);
        const spk_zone *const zone = spk_sql_zone(f, f->expr->type);
        const int64_t n = L(1, i), at = spk_local(f, 2, i);
        int64_t out, by;
        bool bad;
        if (what == SPK_U_YEAR || what == SPK_U_QUARTER || what == SPK_U_MONTH) {
            const int64_t days = spk_floor_div(at, SPK_MICROS_DAY);
            int32_t moved = 0;
            bad = __builtin_mul_overflow(n,
                      what == SPK_U_YEAR          ? 12
                          : what == SPK_U_QUARTER ? 3
                                              : 1,
                      &by)
                || by > INT32_MAX || by < INT32_MIN || !spk_add_months(days, by, &moved)
                || __builtin_mul_overflow(moved, SPK_MICROS_DAY, &out)
                || __builtin_add_overflow(out, spk_floor_rest(at, SPK_MICROS_DAY), &out);
            out = bad ? 0 : spk_zone_moment(zone, out);
        } else if (what == SPK_U_WEEK || what == SPK_U_DAY) { /* of the calendar */
            bad = __builtin_mul_overflow(n, sizes[what], &by) || __builtin_add_overflow(at, by, &out);
            out = bad ? 0 : spk_zone_moment(zone, out);
        } else {
            bad = __builtin_mul_overflow(n, sizes[what], &by)
                || __builtin_add_overflow(L(2, i), by, &out);
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
    static const int64_t sizes[] = { [SPK_U_WEEK] = 7 * SPK_MICROS_DAY,
        [SPK_U_DAY] = SPK_MICROS_DAY,
        [SPK_U_HOUR] = INT64_C(3600000000),
        [SPK_U_MINUTE] = 60000000,
        [SPK_U_SECOND] = 1000000,
        [SPK_U_MILLISECOND] = 1000,
        [SPK_U_MICROSECOND] = 1 };
    SPK_EACH_ROW(f, i)
    {
        const spk_date_unit what = spk_unit_find(add_words, S(0, i).ptr, S(0, i).len);
        const int64_t x = spk_local(f, 1, i), y = spk_local(f, 2, i);
        if (what > SPK_U_MONTH) {
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
        SPK_SQL_OUT(int64_t, f, i) = months / (what == SPK_U_YEAR ? 12 : what == SPK_U_QUARTER ? 3 : 1);
    }
}

static SPK_COLD bool resolve_add(spk_sql_build *b, spk_sql_expr *call)
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
    if (spk_unit_find(add_words, word.ptr, word.len) == SPK_U_NONE) {
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

const spk_sql_function spk_sql_dates[] = { SPK_R("date_add_days", 2, 2, spk_sql_date_days, resolve_date_add),
    SPK_R("date_sub", 2, 2, spk_sql_date_days, resolve_date_add), SPK_R("date_add", 2, 3, NULL, resolve_add),
    SPK_R("dateadd", 2, 3, NULL, resolve_add), SPK_R("timestampadd", 3, 3, NULL, resolve_add),
    SPK_R("date_diff", 2, 3, NULL, resolve_add), SPK_R("datediff", 2, 3, NULL, resolve_add),
    SPK_R("timestampdiff", 3, 3, NULL, resolve_add), SPK_R("timediff", 3, 3, NULL, resolve_add), SPK_F("datediff_days", "DD:i", 2, 2, datediff),
    SPK_F("add_months", "Di:D", 2, 2, spk_sql_date_months),
    SPK_F("months_between", "TTb:d", 2, 3, months_between), SPK_F("last_day", "D:D", 1, 1, last_day),
    SPK_F("next_day", "Ds:D", 2, 2, next_day), SPK_FN("trunc", "Ds:D", 2, 2, trunc_),
    SPK_RN("date_trunc", 2, 2, date_trunc, resolve_date_trunc), { 0 } };
