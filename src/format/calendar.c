/* SPDX-License-Identifier: Apache-2.0 */
/* Dates and times from text and back. Days are counted from 1 March of the year 0, so that a leap day
 * ends its year, in eras of 400 years (after Howard Hinnant, "chrono-Compatible Low-Level Date
 * Algorithms"). What Spark casts follows its DateTimeUtils.stringToDate and stringToTimestamp; patterns
 * follow java.time.format.DateTimeFormatterBuilder, of which they take the letters that files have.
 * An optional part that does not fit is left out, and what it read is forgotten. */
#include "format/calendar.h"

enum { DAY = 86400 };

typedef struct moment {
    int64_t year;
    int month, day, hour, minute, second, micros, zone; /* zone: seconds east of UTC */
    int half;                                           /* of the day: 0 am, 1 pm, -1: not said */
} moment;

static const moment epoch = { .year = 1970, .month = 1, .day = 1, .half = -1 };

typedef struct reader {
    const char *p, *end;
} reader;

static bool is_digit(char c)
{
    return (unsigned)(unsigned char)c - '0' <= 9;
}

/* number: from `least` to `most` digits. */
static bool number(reader *r, int least, int most, int64_t *out)
{
    int64_t x = 0;
    int n = 0;
    for (; n < most && r->p < r->end && is_digit(*r->p); n++)
        x = x * 10 + (*r->p++ - '0');
    *out = x;
    return n >= least;
}

static bool small(reader *r, int least, int most, int *out)
{
    int64_t x;
    const bool good = number(r, least, most, &x);
    *out = (int)x;
    return good;
}

static bool sign(reader *r, char c)
{
    if (r->p == r->end || *r->p != c)
        return false;
    r->p++;
    return true;
}

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static bool is_date(const moment *m)
{
    static const char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    if (m->month < 1 || m->month > 12 || m->day < 1)
        return false;
    return m->day <= days[m->month - 1] + (m->month == 2 && is_leap(m->year));
}

static bool is_moment(const moment *m)
{
    return is_date(m) && m->hour < 24 && m->minute < 60 && m->second < 60 && m->zone <= 18 * 3600
        && m->zone >= -18 * 3600;
}

static int64_t days_of(const moment *m)
{
    enum { ERA = 146097, TO_MARCH_0 = 719468 };
    const int64_t year = m->year - (m->month <= 2);
    const int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
    const int64_t month = m->month > 2 ? m->month - 3 : m->month + 9;
    const int64_t of_year = (153 * month + 2) / 5 + m->day - 1;
    return era * ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - TO_MARCH_0;
}

static bool days_fit(const moment *m, int32_t *days)
{
    const int64_t all = days_of(m);
    if (all < INT32_MIN || all > INT32_MAX)
        return false;
    *days = (int32_t)all;
    return true;
}

/* micros_of: false: beyond 64 bits. */
static bool micros_of(const moment *m, int64_t *micros)
{
    const int64_t seconds
        = days_of(m) * DAY + m->hour * 3600 + m->minute * 60 + m->second - m->zone;
    const int64_t before = seconds < 0; /* from the second after, or the first of all would be beyond */
    return !__builtin_mul_overflow(seconds + before, INT64_C(1000000), micros)
        && !__builtin_add_overflow(*micros, m->micros - before * 1000000, micros);
}

/* ---- what Spark casts ---- */

static reader trimmed(const char *p, size_t n)
{
    reader r = { p, p + n };
    while (r.p < r.end && (unsigned char)*r.p <= ' ')
        r.p++;
    while (r.end > r.p && (unsigned char)r.end[-1] <= ' ')
        r.end--;
    return r;
}

/* cast_day: [+-]yyyy[-m[-d]]; most: digits of a year: 7 for dates, 6 for times; *whole: all three were there. */
static bool cast_day(reader *r, int most, moment *m, bool *whole)
{
    const bool negative = sign(r, '-');
    if (!negative)
        sign(r, '+');
    if (!number(r, 4, most, &m->year))
        return false;
    m->year = negative ? -m->year : m->year;
    if (sign(r, '-')) {
        if (!small(r, 1, 2, &m->month))
            return false;
        *whole = sign(r, '-');
        if (*whole && !small(r, 1, 2, &m->day))
            return false;
    }
    return is_date(m);
}

bool spk_cast_date(const char *p, size_t n, int32_t *days)
{
    moment m = epoch;
    reader r = trimmed(p, n);
    bool whole = false;
    if (!cast_day(&r, 7, &m, &whole))
        return false;
    /* Behind a whole date anything may follow, behind a blank or a T. */
    const bool more = whole && r.p < r.end && (*r.p == ' ' || *r.p == 'T');
    return (r.p == r.end || more) && days_fit(&m, days);
}

/* fraction: digits beyond the sixth are dropped. */
static bool fraction(reader *r, int most, int *micros)
{
    int unit = 100000, n = 0;
    *micros = 0;
    for (; n < most && r->p < r->end && is_digit(*r->p); n++, unit /= 10)
        *micros += unit * (*r->p++ - '0');
    return n > 0;
}

/* offset: +hh[:][mm[:ss]]; colon: there must be one, must be none, or either (-1). */
static bool offset(reader *r, int colon, bool minutes, int *zone)
{
    int hour, minute = 0;
    const bool west = r->p < r->end && *r->p == '-';
    if (!west && (r->p == r->end || *r->p != '+'))
        return false;
    r->p++;
    if (!small(r, colon < 0 ? 1 : 2, 2, &hour))
        return false;
    const bool more = colon == 1 || (colon < 0 && r->p < r->end && *r->p == ':');
    if (minutes && more && !sign(r, ':'))
        return false;
    if (minutes && (more || colon == 0 || (r->p < r->end && is_digit(*r->p)))
        && (!small(r, colon < 0 ? 1 : 2, 2, &minute) || minute > 59))
        return false;
    *zone = (hour * 60 + minute) * (west ? -60 : 60);
    return true;
}

/* word: these letters, and no others behind them. */
static bool word(reader *r, const char *text)
{
    const size_t n = strlen(text);
    if ((size_t)(r->end - r->p) < n || memcmp(r->p, text, n) != 0)
        return false;
    r->p += n;
    return true;
}

static bool cast_zone(reader *r, moment *m)
{
    sign(r, ' ');
    if (r->p == r->end || word(r, "Z") || word(r, "UTC") || word(r, "GMT"))
        return r->p == r->end || offset(r, -1, true, &m->zone);
    return offset(r, -1, true, &m->zone);
}

static bool cast_clock(reader *r, moment *m)
{
    if (!small(r, 1, 2, &m->hour))
        return false;
    if (sign(r, ':')) {
        if (!small(r, 1, 2, &m->minute))
            return false;
        if (sign(r, ':') && !small(r, 1, 2, &m->second))
            return false;
        if (sign(r, '.') && r->p < r->end && is_digit(*r->p))
            fraction(r, INT32_MAX, &m->micros);
    }
    return r->p == r->end || cast_zone(r, m);
}

bool spk_cast_time(const char *p, size_t n, int64_t *micros)
{
    moment m = epoch;
    reader r = trimmed(p, n);
    bool whole = false;
    if (!cast_day(&r, 6, &m, &whole))
        return false;
    if (r.p < r.end) {
        if (!whole)
            return false;
        if (*r.p != ' ' && *r.p != 'T')
            return false;
        r.p++;
        if (!cast_clock(&r, &m))
            return false;
    }
    return r.p == r.end && is_moment(&m) && micros_of(&m, micros);
}

/* ---- patterns ---- */

static spark_status refuse(spk_failure *failure, const char *text, const char *why)
{
    return spk_failure_set(failure, SPARK_EINVAL, NULL, NULL, "pattern \"%s\": %s", text, why);
}

static bool add(spk_pattern *pattern, char letter, char text, size_t count)
{
    if (pattern->n == SPK_PATTERN_ITEMS || count > 9)
        return false;
    pattern->items[pattern->n++] = (struct spk_pattern_item) { letter, text, (uint8_t)count };
    return true;
}

/* quoted: 'text', '' being a quote; NULL: it does not end, or is too long. */
static const char *quoted(spk_pattern *pattern, const char *p)
{
    if (p[1] == '\'')
        return add(pattern, 0, '\'', 1) ? p + 2 : NULL;
    for (p++; *p && (*p != '\'' || p[1] == '\''); p++) {
        p += *p == '\'';
        if (!add(pattern, 0, *p, 1))
            return NULL;
    }
    return *p ? p + 1 : NULL;
}

/* piece: the next item, or text in quotes. */
static const char *piece(spk_pattern *pattern, const char *p, int *depth)
{
    size_t n = 1;
    if (*p == '\'')
        return quoted(pattern, p);
    if (*p == '[' || *p == ']') {
        *depth += *p == '[' ? 1 : -1;
        return *depth >= 0 && add(pattern, *p, 0, 1) ? p + 1 : NULL;
    }
    if (strchr("yMdHhamsSXxZu", *p)) {
        while (p[n] == *p)
            n++;
        return add(pattern, *p == 'u' ? 'y' : *p, 0, n) ? p + n : NULL;
    }
    const bool letter = (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z');
    return !letter && !strchr("{}#", *p) && add(pattern, 0, *p, 1) ? p + 1 : NULL;
}

spark_status spk_pattern_compile(spk_pattern *pattern, const char *text, spk_failure *failure)
{
    int depth = 0;
    const char *p = text;
    pattern->n = 0;
    while (p && *p)
        p = piece(pattern, p, &depth);
    if (!p)
        return refuse(failure, text,
            "only the letters y M d H h a m s S X x Z, 'text' and [optional parts] are known, and at "
            "most 64 of them");
    return depth == 0 ? SPARK_OK : refuse(failure, text, "a [ has no ]");
}

static const char month_names[12][10] = { "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December" };

static bool read_month_name(reader *r, size_t count, int *month)
{
    for (int i = 0; i < 12; i++) {
        const size_t n = count > 3 ? strlen(month_names[i]) : 3;
        if ((size_t)(r->end - r->p) >= n && memcmp(r->p, month_names[i], n) == 0) {
            r->p += n;
            *month = i + 1;
            return true;
        }
    }
    return false;
}

static bool read_year(reader *r, int count, moment *m)
{
    if (count == 2) {
        const bool good = number(r, 2, 2, &m->year);
        m->year += 2000;
        return good;
    }
    const bool negative = sign(r, '-'), longer = !negative && count > 3 && sign(r, '+');
    const bool good = number(r, count + longer, count < 4 || longer ? 9 : count, &m->year);
    m->year = negative ? -m->year : m->year;
    return good;
}

static bool read_zone(reader *r, char letter, int count, moment *m)
{
    if (letter == 'X' && sign(r, 'Z'))
        return true;
    const int colon = letter == 'Z' ? 0 : count == 3;
    return offset(r, colon, letter == 'Z' || count > 1, &m->zone);
}

static bool read_half(reader *r, moment *m)
{
    if (r->end - r->p < 2 || (r->p[1] | 0x20) != 'm')
        return false;
    m->half = (*r->p | 0x20) == 'p' ? 1 : (*r->p | 0x20) == 'a' ? 0 : -1;
    r->p += 2;
    return m->half >= 0;
}

static bool read_item(reader *r, const struct spk_pattern_item *item, moment *m)
{
    const int count = item->count, least = count < 2 ? 1 : 2;
    switch (item->letter) {
    case 0:
        return sign(r, item->text);
    case 'y':
        return read_year(r, count, m);
    case 'M':
        return count > 2 ? read_month_name(r, (size_t)count, &m->month)
                         : small(r, least, 2, &m->month);
    case 'd':
        return small(r, least, 2, &m->day);
    case 'H':
    case 'h':
        return small(r, least, 2, &m->hour);
    case 'a':
        return read_half(r, m);
    case 'm':
        return small(r, least, 2, &m->minute);
    case 's':
        return small(r, least, 2, &m->second);
    case 'S':
        return fraction(r, count, &m->micros);
    default:
        return read_zone(r, item->letter, count, m);
    }
}

/* part_end: the item behind the ] of the part that begins at i. */
static size_t part_end(const spk_pattern *pattern, size_t i)
{
    int depth = 0;
    do {
        depth += pattern->items[i].letter == '[' ? 1 : pattern->items[i].letter == ']' ? -1 : 0;
        i++;
    } while (depth > 0);
    return i;
}

/* read_items: from one item to another; parts nest as deep as a pattern is long. */
static bool read_items(const spk_pattern *pattern, size_t from, size_t to, reader *r, moment *m)
{
    for (size_t i = from; i < to; i++) {
        if (pattern->items[i].letter == '[') {
            const size_t end = part_end(pattern, i);
            reader inside = *r;
            moment maybe = *m;
            if (read_items(pattern, i + 1, end - 1, &inside, &maybe)) {
                *r = inside;
                *m = maybe;
            }
            i = end - 1;
        } else if (!read_item(r, &pattern->items[i], m)) {
            return false;
        }
    }
    return true;
}

bool spk_pattern_read(const spk_pattern *pattern, const char *p, size_t n, int64_t *micros)
{
    reader r = { p, p + n };
    moment m = epoch;
    if (!read_items(pattern, 0, pattern->n, &r, &m) || r.p != r.end)
        return false;
    if (m.half >= 0) {
        if (m.hour < 1 || m.hour > 12)
            return false;
        m.hour = m.hour % 12 + 12 * m.half;
    }
    return is_moment(&m) && micros_of(&m, micros);
}

/* ---- printing ---- */

/* moment_of: days since 1970, and microseconds of the day. */
static moment moment_of(int64_t days, int64_t rest)
{
    enum { ERA = 146097, TO_MARCH_0 = 719468 };
    const int64_t from = days + TO_MARCH_0;
    const int64_t era = (from >= 0 ? from : from - (ERA - 1)) / ERA, d = from - era * ERA;
    const int64_t year = (d - d / 1460 + d / 36524 - d / 146096) / 365;
    const int64_t of_year = d - (365 * year + year / 4 - year / 100);
    const int64_t month = (5 * of_year + 2) / 153;
    return (moment) { .year = year + era * 400 + (month >= 10),
        .month = (int)(month < 10 ? month + 3 : month - 9),
        .day = (int)(of_year - (153 * month + 2) / 5 + 1),
        .hour = (int)(rest / 3600000000),
        .minute = (int)(rest / 60000000 % 60),
        .second = (int)(rest / 1000000 % 60),
        .micros = (int)(rest % 1000000) };
}

/* put: at most 24 bytes. */
static size_t put(char *text, int64_t x, int digits)
{
    char all[24];
    const int n = snprintf(all, sizeof all, "%s%0*lld", x < 0 ? "-" : "", digits,
        (long long)(x < 0 ? -x : x));
    memcpy(text, all, (size_t)n);
    return (size_t)n;
}

static size_t put_fraction(char *text, int micros, size_t count)
{
    char all[16];
    snprintf(all, sizeof all, "%06d000", micros);
    memcpy(text, all, count);
    return count;
}

static size_t put_text(char *text, const char *from, size_t n)
{
    memcpy(text, from, n);
    return n;
}

static size_t put_item(char *text, const struct spk_pattern_item *item, const moment *m)
{
    const int count = item->count;
    switch (item->letter) {
    case '[':
    case ']':
        return 0;
    case 'y':
        if (count == 2)
            return put(text, (m->year % 100 + 100) % 100, 2);
        *text = '+'; /* of years that are longer than the pattern, as Java does from four letters on */
        return count == 4 && m->year > 9999 ? 1 + put(text + 1, m->year, count) : put(text, m->year, count);
    case 'M':
        return count > 2 ? put_text(text, month_names[m->month - 1],
                               count > 3 ? strlen(month_names[m->month - 1]) : 3)
                         : put(text, m->month, count);
    case 'd':
        return put(text, m->day, count);
    case 'H':
        return put(text, m->hour, count);
    case 'h':
        return put(text, m->hour % 12 ? m->hour % 12 : 12, count);
    case 'a':
        return put_text(text, m->hour < 12 ? "AM" : "PM", 2);
    case 'm':
        return put(text, m->minute, count);
    case 's':
        return put(text, m->second, count);
    case 'S':
        return put_fraction(text, m->micros, (size_t)count);
    case 'X':
        return put_text(text, "Z", 1);
    case 'x':
    case 'Z':
        return item->letter == 'x' && count == 1 ? put_text(text, "+00", 3)
            : count == 3 && item->letter == 'x'  ? put_text(text, "+00:00", 6)
                                                 : put_text(text, "+0000", 5);
    default:
        *text = item->text;
        return 1;
    }
}

static size_t print_moment(const spk_pattern *pattern, moment m, char *text)
{
    size_t n = 0;
    for (size_t i = 0; i < pattern->n && n + 24 <= SPK_PATTERN_TEXT; i++)
        n += put_item(text + n, &pattern->items[i], &m);
    return n;
}

size_t spk_pattern_print(const spk_pattern *pattern, int64_t micros, char *text)
{
    const int64_t day = (int64_t)DAY * 1000000;
    const int64_t rest = micros % day, before = rest < 0;
    return print_moment(pattern, moment_of(micros / day - before, rest + before * day), text);
}

size_t spk_pattern_print_date(const spk_pattern *pattern, int32_t days, char *text)
{
    return print_moment(pattern, moment_of(days, 0), text);
}
