/* SPDX-License-Identifier: Apache-2.0 */
#include "base/small.h"

#include "sql/eval/date_pattern.h"

#include <string.h>

#include "sql/eval/zone.h"

const char *const spk_month_names[12] = { "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December" };
const char *const spk_day_names[7]
    = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday" };

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

size_t spk_date_run(const char *pattern, size_t n, size_t i)
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
        count = spk_date_run(pattern, n, i);
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

/* put_offset: +hh[:mm[:ss]]; colon: between them; minutes, seconds: also where they are 0, or, where they
 * are not said, only if not. */
static void put_offset(spk_text *out, int32_t east, int hour_digits, bool colon, bool minutes, bool seconds)
{
    const uint64_t size = (uint64_t)(east < 0 ? -(int64_t)east : east);
    spk_text_char(out, east < 0 ? '-' : '+');
    spk_text_digits_of(out, size / 3600, hour_digits);
    if (!minutes && size % 3600 / 60 == 0)
        return;
    if (colon)
        spk_text_char(out, ':');
    spk_text_digits_of(out, size / 60 % 60, 2);
    if (!seconds || size % 60 == 0)
        return;
    if (colon)
        spk_text_char(out, ':');
    spk_text_digits_of(out, size % 60, 2);
}

static void put_zone(spk_text *out, char letter, size_t count, int32_t east)
{
    if ((letter == 'X' || (letter == 'Z' && count == 5)) && east == 0) {
        spk_text_char(out, 'Z');
    } else if (letter == 'O' || (letter == 'Z' && count == 4)) {
        spk_text_put(out, "GMT");
        if (east != 0)
            put_offset(out, east, count == 4 ? 2 : 1, true, count == 4, true);
    } else if (letter == 'Z') {
        put_offset(out, east, 2, count == 5, true, count == 5);
    } else {
        put_offset(out, east, 2, count == 3 || count == 5, count > 1, count > 3);
    }
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

static void put_quarter(spk_text *out, int quarter, size_t count)
{
    static const char *const names[] = { "1st quarter", "2nd quarter", "3rd quarter", "4th quarter" };
    if (count == 4) {
        spk_text_put(out, names[quarter - 1]);
        return;
    }
    if (count == 3)
        spk_text_char(out, 'Q');
    spk_text_digits_of(out, (uint64_t)quarter, count == 3 ? 1 : (int)count);
}

static void put_zone_name(spk_text *out, char letter, int64_t micros, const spk_zone *zone)
{
    const char *name = letter == 'V' ? NULL : spk_zone_name(zone, micros);
    spk_text_put(out, name ? name : zone && zone->id && *zone->id ? zone->id : "UTC");
}

/* put_field: local: what clocks of the zone show then. */
static void put_field(
    spk_text *out, char letter, size_t count, int64_t micros, int64_t local, const spk_zone *zone)
{
    const int64_t days = spk_floor_div(local, SPK_MICROS_DAY);
    const int64_t rest = spk_floor_rest(local, SPK_MICROS_DAY);
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
        put_quarter(out, (d.month - 1) / 3 + 1, count);
        break;
    case 'G':
        spk_text_put(out, count == 4 ? (d.year > 0 ? "Anno Domini" : "Before Christ") : d.year > 0 ? "AD" : "BC");
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
        put_zone_name(out, letter, micros, zone);
        break;
    default:
        put_zone(out, letter, count, spk_zone_east(zone, micros));
    }
}

void spk_date_format(spk_text *out, const char *pattern, size_t n, int64_t micros, const spk_zone *zone)
{
    const int64_t local = spk_zone_local(zone, micros);
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
            const size_t count = spk_date_run(pattern, n, i);
            put_field(out, pattern[i], count, micros, local, zone);
            i += count;
        }
    }
}
