/* SPDX-License-Identifier: Apache-2.0 */
/* Reading texts by patterns. */

#include "base/small.h"

#include "sql/eval/date_pattern.h"

#include <string.h>

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

typedef struct fields {
    int64_t year, of_year;
    int month, day, hour, minute, second;
    int64_t nanos;
    int half; /* 0 AM, 1 PM, -1 */
    const spk_zone *zone;
    spk_zone own; /* the zone, where `fixed` */
    bool fixed;
    bool early; /* before Christ */
    bool has_month, has_day;
} fields;

static bool digits(
    const char *text, size_t size, size_t *at, size_t least, size_t most, int64_t *out)
{
    size_t n = 0;
    *out = 0;
    for (; n < most && *at + n < size && text[*at + n] >= '0' && text[*at + n] <= '9'; n++)
        *out = *out * 10 + (text[*at + n] - '0');
    if (n < least)
        return false;
    *at += n;
    return true;
}

static bool name_of(const char *const *names, int n, size_t count, const char *text, size_t size,
    size_t *at, int *which)
{
    for (int i = 0; i < n; i++) {
        const size_t len = count == 4 ? strlen(names[i]) : 3;
        if (size - *at < len)
            continue;
        size_t k = 0; /* any case */
        while (k < len && (text[*at + k] | 0x20) == (names[i][k] | 0x20))
            k++;
        if (k == len) {
            *at += len;
            *which = i;
            return true;
        }
    }
    return false;
}

/* source: the text, and how far it is read. */
typedef struct source {
    const char *text;
    size_t size;
    size_t *at;
    spk_zones *zones;
} source;

/* field: a letter, how often it stands there, and whether another number follows at once. */
typedef struct field {
    char letter;
    size_t count;
    bool adjacent;
} field;

static bool read_year(fields *f, const field *x, const source *s)
{
    const bool negative = *s->at < s->size && s->text[*s->at] == '-' && x->count != 2;
    const bool plus = *s->at < s->size && s->text[*s->at] == '+' && x->count >= 4;
    const size_t most = x->count == 2 || x->adjacent ? x->count
        : plus || x->count == 1                      ? 9
        : x->count >= 4                              ? x->count
                                                     : 9;
    int64_t year;
    *s->at += negative || plus;
    if (!digits(s->text, s->size, s->at, x->count, most, &year))
        return false;
    f->year = x->count == 2 ? 2000 + year : negative ? -year : year;
    return true;
}

static bool read_month(fields *f, const field *x, const source *s)
{
    int which = 0;
    int64_t month;
    if (x->count >= 3) {
        if (!name_of(spk_month_names, 12, x->count, s->text, s->size, s->at, &which))
            return false;
        month = which + 1;
    } else if (!digits(s->text, s->size, s->at, x->count, x->count == 1 && x->adjacent ? 1 : 2, &month)) {
        return false;
    }
    f->month = (int)month;
    f->has_month = true;
    return true;
}

/* read_two: numbers of one or two digits: days, hours, minutes, seconds. */
static bool read_two(fields *f, const field *x, const source *s)
{
    int64_t value;
    if (!digits(s->text, s->size, s->at, x->count, x->count == 1 && x->adjacent ? 1 : 2, &value))
        return false;
    switch (x->letter) {
    case 'd':
        f->day = (int)value;
        f->has_day = true;
        return true;
    case 'm':
        f->minute = (int)value;
        return true;
    case 's':
        f->second = (int)value;
        return true;
    default:
        f->hour = (x->letter == 'k' && value == 24) || (x->letter == 'h' && value == 12) ? 0 : (int)value;
        return (x->letter != 'h' && x->letter != 'K') || value <= 12;
    }
}

static bool read_fraction(fields *f, const field *x, const source *s)
{
    const size_t from = *s->at;
    if (!digits(s->text, s->size, s->at, 1, x->count < 9 ? x->count : 9, &f->nanos))
        return false;
    for (size_t k = *s->at - from; k < 9; k++)
        f->nanos *= 10;
    return true;
}

/* read_half: AM, PM; and AD, BC. */
static bool read_half(fields *f, const field *x, const source *s)
{
    if (s->size - *s->at < 2)
        return false;
    const char first = s->text[*s->at], second = s->text[*s->at + 1];
    if (x->letter == 'G') {
        if (second != 'D' && second != 'C')
            return false;
        f->early = first == 'B';
    } else {
        if ((second | 0x20) != 'm' || ((first | 0x20) != 'a' && (first | 0x20) != 'p'))
            return false;
        f->half = (first | 0x20) == 'p';
    }
    *s->at += 2;
    return true;
}

/* read_zone: as much as looks like one. */
static bool read_zone(fields *f, const source *s)
{
    size_t end = *s->at;
    while (end < s->size && end - *s->at < 40
        && (is_letter(s->text[end]) || strchr("+-:/_0123456789", s->text[end])))
        end++;
    for (; end > *s->at; end--)
        if ((f->zone = spk_zone_find(s->zones, s->text + *s->at, end - *s->at, &f->own)) != NULL) {
            f->fixed = f->zone == &f->own; /* fields are copied */
            *s->at = end;
            return true;
        }
    return false;
}

static bool read_field(fields *f, const field *x, const source *s)
{
    int64_t value;
    int which = 0;
    switch (x->letter) {
    case 'y':
    case 'u':
        return read_year(f, x, s);
    case 'M':
    case 'L':
        return read_month(f, x, s);
    case 'd':
    case 'H':
    case 'h':
    case 'k':
    case 'K':
    case 'm':
    case 's':
        return read_two(f, x, s);
    case 'S':
        return read_fraction(f, x, s);
    case 'D':
        return digits(s->text, s->size, s->at, x->count, 3, &f->of_year);
    case 'E':
        return name_of(spk_day_names, 7, x->count, s->text, s->size, s->at, &which);
    case 'G':
    case 'a':
        return read_half(f, x, s);
    case 'Q':
    case 'q':
        return digits(s->text, s->size, s->at, 1, 1, &value);
    default:
        return read_zone(f, s);
    }
}

typedef struct reading {
    const char *pattern, *text;
    size_t n, size;
    spk_zones *zones;
} reading;

/* read: the pattern from i to its end, or to the bracket that closes; *i: behind it. */
static bool read(const reading *r, size_t *i, size_t *at, fields *f, int depth)
{
    bool quoted = false, good = true;
    while (*i < r->n) {
        const char c = r->pattern[*i];
        if (c == '\'') {
            if (*i + 1 < r->n && r->pattern[*i + 1] == '\'') {
                good = good && *at < r->size && r->text[*at] == '\'';
                *at += good;
                *i += 2;
                continue;
            }
            quoted = !quoted;
            ++*i;
        } else if (!quoted && c == '[' && depth < 16) {
            fields tried = *f;
            size_t place = *at;
            ++*i;
            if (read(r, i, &place, &tried, depth + 1) && good) {
                *f = tried;
                *at = place;
            }
        } else if (!quoted && c == ']') {
            ++*i;
            return good;
        } else if (quoted || !is_letter(c)) {
            good = good && *at < r->size && r->text[*at] == c;
            *at += good;
            ++*i;
        } else {
            const size_t count = spk_date_run(r->pattern, r->n, *i);
            const char next = *i + count < r->n ? r->pattern[*i + count] : 0;
            const bool adjacent
                = next && is_letter(next) && strchr("yuMLdDHhkKmsS", next) && count > 1;
            const field x = { c, count, adjacent };
            const source s = { r->text, r->size, at, r->zones };
            good = good && read_field(f, &x, &s);
            *i += count;
        }
        if (!good && depth == 0)
            return false;
    }
    return good;
}

bool spk_date_parse(const char *pattern, size_t n, const char *text, size_t size,
    const spk_zone *zone, spk_zones *zones, int64_t *micros, size_t *at)
{
    const reading r = { pattern, text, n, size, zones };
    fields f = { .year = 1970, .month = 1, .day = 1, .half = -1, .zone = zone };
    size_t i = 0;
    *at = 0;
    if (!read(&r, &i, at, &f, 0) || *at != size)
        return false;
    if (f.half == 1 && f.hour < 12)
        f.hour += 12;
    const int64_t year = f.early ? 1 - f.year : f.year;
    *at = 0;
    if (f.month < 1 || f.month > 12 || f.day < 1 || f.day > spk_month_length(year, f.month)
        || f.hour > 23 || f.minute > 59 || f.second > 59 || f.of_year > 365 + spk_is_leap(year))
        return false;
    int64_t days = spk_days_from(year, f.month, f.day);
    if (f.of_year > 0)
        days = spk_days_from(year, 1, 1) + f.of_year - 1;
    const spk_day d = spk_day_of(days); /* month and day may stand beside the day of the year */
    if ((f.has_month && d.month != f.month) || (f.has_day && d.day != f.day))
        return false;
    const int64_t rest
        = ((int64_t)f.hour * 3600 + f.minute * 60 + f.second) * SPK_MICROS_SECOND + f.nanos / 1000;
    if (__builtin_mul_overflow(days, SPK_MICROS_DAY, micros) || __builtin_add_overflow(*micros, rest, micros))
        return false;
    *micros = spk_zone_moment(f.fixed ? &f.own : f.zone, *micros);
    return true;
}
