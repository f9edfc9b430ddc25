/* SPDX-License-Identifier: Apache-2.0 */
/* Calendars, after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"; texts as Spark's
 * DateTimeUtils and IntervalUtils have them. */
#include "sql/eval/zone.h"

enum { ERA = 146097, TO_MARCH_0 = 719468 };

bool spk_is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int spk_month_length(int64_t year, int month)
{
    static const char lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    return lengths[month - 1] + (month == 2 && spk_is_leap(year));
}

int64_t spk_days_from(int64_t year, int month, int day)
{
    const int64_t y = year - (month <= 2);
    const int64_t era = spk_floor_div(y, 400), of_era = y - era * 400;
    const int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - TO_MARCH_0;
}

spk_day spk_day_of(int64_t days)
{
    days += TO_MARCH_0;
    const int64_t era = spk_floor_div(days, ERA), of_era = days - era * ERA;
    const int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    const int month = (int)((5 * of_year + 2) / 153);
    return (spk_day) { .year = year + era * 400 + (month >= 10),
        .month = month < 10 ? month + 3 : month - 9,
        .day = (int)(of_year - (153 * month + 2) / 5 + 1) };
}

int spk_weekday(int64_t days)
{
    return (int)spk_floor_rest(days + 3, 7);
}

bool spk_add_months(int64_t days, int64_t months, int32_t *out)
{
    const spk_day d = spk_day_of(days);
    const int64_t all = d.year * 12 + d.month - 1 + months;
    const int64_t year = spk_floor_div(all, 12);
    const int month = (int)spk_floor_rest(all, 12) + 1;
    const int last = spk_month_length(year, month);
    const int64_t sum = spk_days_from(year, month, d.day < last ? d.day : last);
    *out = (int32_t)sum;
    return sum == *out;
}

int spk_iso_week(int64_t days, int64_t *year)
{
    const int64_t thursday = days - spk_weekday(days) + 3;
    const spk_day d = spk_day_of(thursday);
    *year = d.year;
    return (int)((thursday - spk_days_from(d.year, 1, 1)) / 7) + 1;
}

/* ---- printing ---- */

void spk_put_date(spk_text *out, int64_t days)
{
    const spk_day d = spk_day_of(days);
    if (d.year > 9999)
        spk_text_char(out, '+');
    else if (d.year < 0)
        spk_text_char(out, '-');
    spk_text_digits_of(out, (uint64_t)(d.year < 0 ? -d.year : d.year), 4);
    spk_text_char(out, '-');
    spk_text_digits_of(out, (uint64_t)d.month, 2);
    spk_text_char(out, '-');
    spk_text_digits_of(out, (uint64_t)d.day, 2);
}

static void put_clock(spk_text *out, int64_t seconds)
{
    spk_text_digits_of(out, (uint64_t)(seconds / 3600), 2);
    spk_text_char(out, ':');
    spk_text_digits_of(out, (uint64_t)(seconds / 60 % 60), 2);
    spk_text_char(out, ':');
    spk_text_digits_of(out, (uint64_t)(seconds % 60), 2);
}

/* put_fraction: without zeros at the end, and without a point where there is nothing else. */
static void put_fraction(spk_text *out, int64_t fraction, int digits)
{
    if (fraction == 0)
        return;
    for (; fraction % 10 == 0; digits--)
        fraction /= 10;
    spk_text_char(out, '.');
    spk_text_digits_of(out, (uint64_t)fraction, digits);
}

void spk_put_timestamp(spk_text *out, int64_t micros)
{
    const int64_t days = spk_floor_div(micros, SPK_MICROS_DAY);
    const int64_t rest = spk_floor_rest(micros, SPK_MICROS_DAY);
    spk_put_date(out, days);
    spk_text_char(out, ' ');
    put_clock(out, rest / SPK_MICROS_SECOND);
    put_fraction(out, rest % SPK_MICROS_SECOND, 6);
}

void spk_put_time(spk_text *out, int64_t nanos)
{
    put_clock(out, nanos / 1000000000);
    put_fraction(out, nanos % 1000000000, 9);
}

static const char *const units[] = { "YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND" };

static void put_months(spk_text *out, const spk_sql_type *type, uint64_t x)
{
    if (type->precision == type->scale) {
        spk_text_digits_of(out, type->precision == SPK_SQL_YEAR ? x / 12 : x, 1);
        return;
    }
    spk_text_digits_of(out, x / 12, 1);
    spk_text_char(out, '-');
    spk_text_digits_of(out, x % 12, 1);
}

static void put_seconds(spk_text *out, const spk_sql_type *type, uint64_t x)
{
    static const uint64_t sizes[]
        = { UINT64_C(86400000000), UINT64_C(3600000000), 60000000, 1000000 };
    for (int unit = type->precision; unit <= type->scale; unit++) {
        const uint64_t size = sizes[unit - SPK_SQL_DAY];
        if (unit > type->precision)
            spk_text_char(out, unit == SPK_SQL_HOUR ? ' ' : ':');
        spk_text_digits_of(out, x / size, unit == SPK_SQL_DAY ? 1 : 2);
        x %= size;
    }
    if (type->scale == SPK_SQL_SECOND)
        put_fraction(out, (int64_t)x, 6);
}

void spk_put_interval(spk_text *out, const spk_sql_type *type, int64_t value)
{
    const uint64_t size = value < 0 ? -(uint64_t)value : (uint64_t)value;
    spk_text_put(out, "INTERVAL '");
    if (value < 0)
        spk_text_char(out, '-');
    if (type->kind == SPK_SQL_INTERVAL_MONTHS)
        put_months(out, type, size);
    else
        put_seconds(out, type, size);
    spk_text_put(out, "' ");
    spk_text_put(out, units[type->precision]);
    if (type->scale != type->precision) {
        spk_text_put(out, " TO ");
        spk_text_put(out, units[type->scale]);
    }
}

/* ---- reading ---- */

typedef struct reader {
    const char *p, *end;
} reader;

static reader trimmed(const char *p, size_t n)
{
    reader r = { p, p + n };
    while (r.p < r.end && (unsigned char)*r.p <= ' ')
        r.p++;
    while (r.end > r.p && (unsigned char)r.end[-1] <= ' ')
        r.end--;
    return r;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool take(reader *r, char c)
{
    if (r->p == r->end || *r->p != c)
        return false;
    r->p++;
    return true;
}

/* number: from `least` to `most` digits. */
static bool number(reader *r, int least, int most, int64_t *out)
{
    int64_t x = 0;
    int n = 0;
    for (; n < most && r->p < r->end && is_digit(*r->p); n++)
        x = x * 10 + (*r->p++ - '0');
    *out = x;
    return n >= least && (r->p == r->end || !is_digit(*r->p));
}

static bool read_day(reader *r, int64_t *days)
{
    int64_t year, month = 1, day = 1;
    const bool negative = take(r, '-');
    if (!negative)
        take(r, '+');
    if (!number(r, 4, 7, &year))
        return false;
    if (take(r, '-')) {
        if (!number(r, 1, 2, &month))
            return false;
        if (take(r, '-') && !number(r, 1, 2, &day))
            return false;
    }
    year = negative ? -year : year;
    if (month < 1 || month > 12 || day < 1 || day > spk_month_length(year, (int)month))
        return false;
    *days = spk_days_from(year, (int)month, (int)day);
    return true;
}

bool spk_read_date(const char *p, size_t n, int32_t *days)
{
    reader r = trimmed(p, n);
    int64_t x;
    const char *from = r.p;
    if (!read_day(&r, &x) || (r.p < r.end && *r.p != ' ' && *r.p != 'T'))
        return false;
    int dashes = 0; /* what follows a year or a month alone is no date */
    for (const char *at = from < r.end ? from + 1 : from; at < r.p; at++)
        dashes += *at == '-';
    if (dashes < 2 && r.p < r.end)
        return false;
    *days = (int32_t)x;
    return x == *days;
}

/* read_clock: h[h]:m[m][:s[s][.fraction]]; *nanos of the day. */
static bool read_clock(reader *r, int64_t *nanos)
{
    int64_t hour, minute, second = 0, fraction = 0;
    if (!number(r, 1, 2, &hour) || !take(r, ':') || !number(r, 1, 2, &minute))
        return false;
    if (take(r, ':')) {
        if (!number(r, 1, 2, &second))
            return false;
        if (take(r, '.')) {
            int n = 0;
            for (; r->p < r->end && is_digit(*r->p); r->p++, n++)
                fraction = n < 9 ? fraction * 10 + (*r->p - '0') : fraction;
            for (; n < 9; n++)
                fraction *= 10;
        }
    }
    *nanos = ((hour * 60 + minute) * 60 + second) * 1000000000 + fraction;
    return hour < 24 && minute < 60 && second < 60;
}

bool spk_read_time(const char *p, size_t n, int64_t *nanos)
{
    reader r = trimmed(p, n);
    take(&r, 'T');
    return read_clock(&r, nanos) && r.p == r.end;
}

static bool is_word(reader *r, const char *word)
{
    const size_t n = strlen(word);
    if ((size_t)(r->end - r->p) < n || memcmp(r->p, word, n) != 0)
        return false;
    r->p += n;
    return true;
}

bool spk_read_zone(const char *p, size_t n, int32_t *zone)
{
    reader r = trimmed(p, n);
    int64_t hour, minute = 0, second = 0;
    *zone = 0;
    if (r.p < r.end && (*r.p == 'Z' || *r.p == 'z'))
        return r.p + 1 == r.end;
    if (is_word(&r, "UTC") || is_word(&r, "GMT") || is_word(&r, "UT") || is_word(&r, "Etc/UTC"))
        if (r.p == r.end)
            return true;
    const bool negative = take(&r, '-');
    if (!negative && !take(&r, '+'))
        return false;
    const size_t left = (size_t)(r.end - r.p);
    if ((left == 4 || left == 6) && is_digit(r.p[1]) && is_digit(r.p[2])) { /* +hhmm, +hhmmss */
        int64_t all;
        if (!number(&r, (int)left, (int)left, &all))
            return false;
        hour = all / (left == 6 ? 10000 : 100);
        minute = all / (left == 6 ? 100 : 1) % 100;
        second = left == 6 ? all % 100 : 0;
    } else if (!number(&r, 1, 2, &hour) || (take(&r, ':') && !number(&r, 1, 2, &minute))
        || (take(&r, ':') && !number(&r, 1, 2, &second))) {
        return false;
    }
    const int64_t all = hour * 3600 + minute * 60 + second;
    *zone = (int32_t)(negative ? -all : all);
    return r.p == r.end && minute < 60 && second < 60 && all <= 18 * 3600;
}

/* clock_and_zone: what stands behind the day of a timestamp. */
static bool clock_and_zone(reader *r, spk_zones *zones, spk_zone *own, int64_t *nanos, const spk_zone **zone)
{
    if (!read_clock(r, nanos))
        return false;
    while (r->p < r->end && *r->p == ' ')
        r->p++;
    return r->p == r->end || (*zone = spk_zone_find(zones, r->p, (size_t)(r->end - r->p), own)) != NULL;
}

static bool moment(int64_t days, int64_t nanos, const spk_zone *zone, int64_t *micros)
{
    const int64_t before = days < 0; /* from the day after, or those of the first of all would be beyond */
    if (__builtin_mul_overflow(days + before, SPK_MICROS_DAY, micros)
        || __builtin_add_overflow(*micros, nanos / 1000 - before * SPK_MICROS_DAY, micros))
        return false;
    *micros = spk_zone_moment(zone, *micros);
    return true;
}

bool spk_read_timestamp(const char *p, size_t n, const spk_zone *zone, spk_zones *zones, int64_t *micros)
{
    spk_zone own;
    reader r = trimmed(p, n);
    int64_t days, nanos = 0;
    if (!read_day(&r, &days))
        return false;
    if (r.p < r.end && ((!take(&r, ' ') && !take(&r, 'T')) || !clock_and_zone(&r, zones, &own, &nanos, &zone)))
        return false;
    return moment(days, nanos, zone, micros);
}

bool spk_read_moment(
    const char *p, size_t n, const spk_zone *zone, spk_zones *zones, int64_t now, int64_t *micros)
{
    spk_zone own;
    reader r = trimmed(p, n);
    int64_t nanos = 0;
    if (spk_read_timestamp(p, n, zone, zones, micros))
        return true;
    (void)take(&r, 'T');
    if (r.end - r.p < 3 || !memchr(r.p, ':', 3) || !clock_and_zone(&r, zones, &own, &nanos, &zone))
        return false;
    return moment(spk_floor_div(spk_zone_local(zone, now), SPK_MICROS_DAY), nanos, zone, micros);
}

/* ---- intervals ---- */

static bool blank(reader *r)
{
    const char *from = r->p;
    while (r->p < r->end && *r->p == ' ')
        r->p++;
    return r->p > from;
}

static bool word(reader *r, const char *upper)
{
    const char *p = r->p;
    for (; *upper; upper++, p++)
        if (p == r->end || (*p >= 'a' && *p <= 'z' ? *p & ~0x20 : *p) != *upper)
            return false;
    r->p = p;
    return true;
}

/* read_units: the value of the fields from type's first to its last unit, without a sign. */
static bool read_units(reader *r, const spk_sql_type *type, uint64_t *value)
{
    static const uint64_t sizes[]
        = { 12, 1, UINT64_C(86400000000), UINT64_C(3600000000), 60000000, 1000000 };
    static const int limits[] = { 0, 11, 0, 23, 59, 59 };
    uint64_t sum = 0;
    for (int unit = type->precision; unit <= type->scale; unit++) {
        const bool first = unit == type->precision;
        int64_t x, fraction = 0;
        if (!first && !take(r, unit == SPK_SQL_MONTH ? '-' : unit == SPK_SQL_HOUR ? ' ' : ':'))
            return false;
        if (!number(r, 1, first ? 18 : 2, &x) || (!first && x > limits[unit]))
            return false;
        if (unit == SPK_SQL_SECOND && take(r, '.')) {
            int n = 0;
            for (; n < 9 && r->p < r->end && is_digit(*r->p); n++, r->p++)
                fraction = n < 6 ? fraction * 10 + (*r->p - '0') : fraction;
            for (; n < 6; n++)
                fraction *= 10;
        }
        uint64_t part;
        if (__builtin_mul_overflow((uint64_t)x, sizes[unit], &part)
            || __builtin_add_overflow(sum, part + (uint64_t)fraction, &sum))
            return false;
    }
    *value = sum;
    return true;
}

bool spk_read_interval(const char *p, size_t n, const spk_sql_type *type, int64_t *value)
{
    reader r = trimmed(p, n);
    uint64_t size;
    bool negative = false, quoted = false;
    if (word(&r, "INTERVAL")) {
        blank(&r);
        negative = take(&r, '-');
        if (!negative)
            take(&r, '+');
        if (!(quoted = take(&r, '\'')))
            return false;
    }
    const bool inner = take(&r, '-');
    if (!inner)
        take(&r, '+');
    negative = negative != inner;
    if (!read_units(&r, type, &size))
        return false;
    if (quoted) {
        if (!take(&r, '\'') || !blank(&r) || !word(&r, units[type->precision]))
            return false;
        if (type->precision != type->scale
            && !(blank(&r) && word(&r, "TO") && blank(&r) && word(&r, units[type->scale])))
            return false;
    }
    const uint64_t limit = type->kind == SPK_SQL_INTERVAL_MONTHS ? INT32_MAX : INT64_MAX;
    if (r.p != r.end || size > limit + negative)
        return false;
    *value = negative ? (int64_t)-size : (int64_t)size;
    return true;
}
