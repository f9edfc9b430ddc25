/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/eval/date_pattern.h"

#include <string.h>

#include "sql/eval/datetime.h"

const char *const spk_month_names[12] = { "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December" };
const char *const spk_day_names[7]
    = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday" };

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* run: how often the letter at i stands there. */
static size_t run(const char *pattern, size_t n, size_t i)
{
    size_t k = i;
    while (k < n && pattern[k] == pattern[i])
        k++;
    return k - i;
}

/* longest: how often a letter may stand there; 0: it is no letter of patterns. */
static size_t longest(char letter)
{
    switch (letter) {
    case 'y':
        return 6;
    case 'G':
    case 'E':
    case 'M':
    case 'L':
    case 'Q':
    case 'q':
    case 'z':
        return 4;
    case 'D':
        return 3;
    case 'd':
    case 'H':
    case 'h':
    case 'k':
    case 'K':
    case 'm':
    case 's':
    case 'V':
        return 2;
    case 'S':
        return 9;
    case 'Z':
    case 'X':
    case 'x':
        return 5;
    case 'O':
        return 4;
    case 'a':
    case 'F':
        return 1;
    default:
        return 0;
    }
}

const char *spk_date_pattern_wrong(const char *pattern, size_t n, char *bad)
{
    bool quoted = false;
    for (size_t i = 0, count; i < n; i += count) {
        const char c = *bad = pattern[i];
        count = 1;
        if (c == '\'')
            quoted = !quoted;
        if (quoted || !is_letter(c))
            continue;
        count = run(pattern, n, i);
        if (strchr("ABnNp", c))
            return "INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER";
        if (strchr("ec", c))
            return "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_WEEK_BASED_PATTERN";
        if (strchr("CI", c) || (c == 'V' && count != 2) || (c == 'O' && count != 1 && count != 4)
            || (strchr("Xx", c) && count > 5))
            return "INVALID_DATETIME_PATTERN.WITH_SUGGESTION";
        if (strchr("qQ", c) && count > 4)
            return "INVALID_DATETIME_PATTERN.LENGTH";
        if (count > longest(c))
            return "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION";
    }
    return NULL;
}

/* ---- printing ---- */

static void put_name(spk_text *out, const char *name, size_t count)
{
    if (count >= 5)
        spk_text_char(out, *name);
    else
        spk_text_bytes(out, name, count == 4 ? strlen(name) : 3);
}

static void put_zone(spk_text *out, char letter, size_t count, int32_t zone)
{
    const int32_t size = zone < 0 ? -zone : zone;
    if (letter == 'X' && zone == 0) {
        spk_text_char(out, 'Z');
        return;
    }
    if (letter == 'O' || (letter == 'Z' && count == 4)) {
        spk_text_put(out, "GMT");
        if (zone == 0)
            return;
        spk_text_char(out, zone < 0 ? '-' : '+');
        spk_text_digits_of(out, (uint64_t)size / 3600, count == 4 ? 2 : 1);
        if (count == 4 || size % 3600 != 0) {
            spk_text_char(out, ':');
            spk_text_digits_of(out, (uint64_t)size / 60 % 60, 2);
        }
        return;
    }
    if (letter == 'Z' && count == 5 && zone == 0) {
        spk_text_char(out, 'Z');
        return;
    }
    const bool colon = letter == 'Z' ? count == 5 : count == 3 || count == 5;
    spk_text_char(out, zone < 0 ? '-' : '+');
    spk_text_digits_of(out, (uint64_t)size / 3600, 2);
    if (letter != 'Z' && count == 1 && size % 3600 == 0)
        return;
    if (colon)
        spk_text_char(out, ':');
    spk_text_digits_of(out, (uint64_t)size / 60 % 60, 2);
}

static void put_year(spk_text *out, int64_t year, size_t count)
{
    if (count == 2) {
        spk_text_digits_of(out, (uint64_t)spk_floor_rest(year, 100), 2);
        return;
    }
    if (year < 0)
        spk_text_char(out, '-');
    else if (count >= 4 && year > 9999)
        spk_text_char(out, '+');
    spk_text_digits_of(out, (uint64_t)(year < 0 ? -year : year), (int)count);
}

static void put_field(
    spk_text *out, char letter, size_t count, int64_t micros, int32_t zone, const char *zone_id)
{
    const int64_t days = spk_floor_div(micros, SPK_MICROS_DAY);
    const int64_t rest = spk_floor_rest(micros, SPK_MICROS_DAY);
    const spk_day d = spk_day_of(days);
    const int hour = (int)(rest / 3600000000);
    const int width = (int)count;
    switch (letter) {
    case 'y':
    case 'u':
        put_year(out, letter == 'y' && d.year <= 0 ? 1 - d.year : d.year, count);
        break;
    case 'M':
    case 'L':
        if (count >= 3)
            put_name(out, spk_month_names[d.month - 1], count);
        else
            spk_text_digits_of(out, (uint64_t)d.month, width);
        break;
    case 'd':
        spk_text_digits_of(out, (uint64_t)d.day, width);
        break;
    case 'D':
        spk_text_digits_of(out, (uint64_t)(days - spk_days_from(d.year, 1, 1) + 1), width);
        break;
    case 'F':
        spk_text_digits_of(out, (uint64_t)((d.day - 1) % 7 + 1), width);
        break;
    case 'E':
        put_name(out, spk_day_names[spk_weekday(days)], count);
        break;
    case 'Q':
    case 'q':
        if (count >= 3)
            spk_text_char(out, 'Q');
        spk_text_digits_of(out, (uint64_t)((d.month - 1) / 3 + 1), count >= 3 ? 1 : width);
        break;
    case 'G':
        spk_text_put(out, d.year > 0 ? "AD" : "BC");
        break;
    case 'a':
        spk_text_put(out, hour < 12 ? "AM" : "PM");
        break;
    case 'H':
        spk_text_digits_of(out, (uint64_t)hour, width);
        break;
    case 'k':
        spk_text_digits_of(out, (uint64_t)(hour == 0 ? 24 : hour), width);
        break;
    case 'K':
        spk_text_digits_of(out, (uint64_t)hour % 12, width);
        break;
    case 'h':
        spk_text_digits_of(out, (uint64_t)(hour % 12 == 0 ? 12 : hour % 12), width);
        break;
    case 'm':
        spk_text_digits_of(out, (uint64_t)(rest / 60000000 % 60), width);
        break;
    case 's':
        spk_text_digits_of(out, (uint64_t)(rest / 1000000 % 60), width);
        break;
    case 'S': {
        uint64_t fraction = (uint64_t)(rest % 1000000) * 1000;
        for (size_t k = count; k < 9; k++)
            fraction /= 10;
        spk_text_digits_of(out, fraction, width < 9 ? width : 9);
        break;
    }
    case 'V':
    case 'z':
        spk_text_put(out, zone_id ? zone_id : "UTC");
        break;
    default:
        put_zone(out, letter, count, zone);
    }
}

void spk_date_format(
    spk_text *out, const char *pattern, size_t n, int64_t micros, int32_t zone, const char *zone_id)
{
    bool quoted = false;
    for (size_t i = 0; i < n;) {
        if (pattern[i] == '\'') {
            if (i + 1 < n && pattern[i + 1] == '\'') {
                spk_text_char(out, '\'');
                i += 2;
                continue;
            }
            quoted = !quoted;
            i++;
        } else if (quoted || !is_letter(pattern[i])) {
            if (quoted || (pattern[i] != '[' && pattern[i] != ']'))
                spk_text_char(out, pattern[i]);
            i++;
        } else {
            const size_t count = run(pattern, n, i);
            put_field(out, pattern[i], count, micros, zone, zone_id);
            i += count;
        }
    }
}

/* ---- reading ---- */

typedef struct fields {
    int64_t year, of_year;
    int month, day, hour, minute, second;
    int64_t nanos;
    int half; /* 0 AM, 1 PM, -1 */
    int32_t zone;
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

static bool read_field(
    fields *f, char letter, size_t count, bool adjacent, const char *text, size_t size, size_t *at)
{
    int64_t x = 0;
    int which = 0;
    const size_t least = count, most = count > 1 || adjacent ? count : 19;
    switch (letter) {
    case 'y':
    case 'u': {
        const bool negative = *at < size && text[*at] == '-' && count != 2;
        const bool plus = *at < size && text[*at] == '+' && count >= 4;
        *at += negative || plus;
        if (!digits(text, size, at, least,
                count == 2 || adjacent   ? count
                    : plus || count == 1 ? 9
                    : count >= 4         ? count
                                         : 9,
                &x))
            return false;
        f->year = count == 2 ? 2000 + x : negative ? -x : x;
        return true;
    }
    case 'M':
    case 'L':
        if (count >= 3) {
            if (!name_of(spk_month_names, 12, count, text, size, at, &which))
                return false;
            f->month = which + 1;
            f->has_month = true;
            return true;
        }
        if (!digits(text, size, at, least, most > 2 ? 2 : most, &x))
            return false;
        f->month = (int)x;
        f->has_month = true;
        return true;
    case 'd':
        f->day = 0;
        if (!digits(text, size, at, least, most > 2 ? 2 : most, &x))
            return false;
        f->day = (int)x;
        f->has_day = true;
        return true;
    case 'D':
        if (!digits(text, size, at, least > 1 ? least : 1, 3, &x))
            return false;
        f->of_year = x;
        return true;
    case 'E':
        return name_of(spk_day_names, 7, count, text, size, at, &which);
    case 'G':
        if (size - *at < 2 || (text[*at + 1] != 'D' && text[*at + 1] != 'C'))
            return false;
        f->early = text[*at] == 'B';
        *at += 2;
        return true;
    case 'a':
        if (size - *at < 2 || (text[*at + 1] | 0x20) != 'm'
            || ((text[*at] | 0x20) != 'a' && (text[*at] | 0x20) != 'p'))
            return false;
        f->half = (text[*at] | 0x20) == 'p';
        *at += 2;
        return true;
    case 'H':
    case 'h':
    case 'k':
    case 'K':
        if (!digits(text, size, at, least, most > 2 ? 2 : most, &x))
            return false;
        f->hour = letter == 'k' && x == 24 ? 0 : letter == 'h' && x == 12 ? 0 : (int)x;
        return (letter != 'h' && letter != 'K') || x <= 12;
    case 'm':
        if (!digits(text, size, at, least, most > 2 ? 2 : most, &x))
            return false;
        f->minute = (int)x;
        return true;
    case 's':
        if (!digits(text, size, at, least, most > 2 ? 2 : most, &x))
            return false;
        f->second = (int)x;
        return true;
    case 'S': {
        const size_t from = *at;
        if (!digits(text, size, at, 0, count < 9 ? count : 9, &x))
            return false;
        for (size_t k = *at - from; k < 9; k++)
            x *= 10;
        f->nanos = x;
        return true;
    }
    case 'Q':
    case 'q':
        return digits(text, size, at, 1, 1, &x);
    default: { /* zones: as much as looks like one */
        size_t end = *at;
        while (end < size
            && (is_letter(text[end]) || is_letter((char)(text[end] ^ 0x40))
                || strchr("+-:/_0123456789", text[end])))
            end++;
        for (; end > *at; end--)
            if (spk_read_zone(text + *at, end - *at, &f->zone)) {
                *at = end;
                return true;
            }
        return false;
    }
    }
}

typedef struct reading {
    const char *pattern, *text;
    size_t n, size;
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
            const size_t count = run(r->pattern, r->n, *i);
            const char next = *i + count < r->n ? r->pattern[*i + count] : 0;
            const bool adjacent
                = next && is_letter(next) && strchr("yuMLdDHhkKmsS", next) && count > 1;
            good = good && read_field(f, c, count, adjacent, r->text, r->size, at);
            *i += count;
        }
        if (!good && depth == 0)
            return false;
    }
    return good;
}

bool spk_date_parse(const char *pattern, size_t n, const char *text, size_t size, int32_t zone,
    int64_t *micros, size_t *at)
{
    const reading r = { pattern, text, n, size };
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
        = ((int64_t)f.hour * 3600 + f.minute * 60 + f.second - f.zone) * SPK_MICROS_SECOND
        + f.nanos / 1000;
    return !__builtin_mul_overflow(days, SPK_MICROS_DAY, micros)
        && !__builtin_add_overflow(*micros, rest, micros);
}
