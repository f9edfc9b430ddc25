/* SPDX-License-Identifier: Apache-2.0 */
/* Dates and times as text: what Spark casts to them, and patterns of Java's DateTimeFormatter. Times
 * without a zone are in UTC; dates are of the Gregorian calendar, also before its time. */
#ifndef SPK_FORMAT_CALENDAR_H
#define SPK_FORMAT_CALENDAR_H

#include "base/error.h"
#include "format/value.h"

enum { SPK_PATTERN_ITEMS = 64, SPK_PATTERN_TEXT = 8 * SPK_PATTERN_ITEMS };

/* spk_cast_date, spk_cast_time: all n bytes as Spark's CAST reads them: yyyy[-m[-d]], of times a T or
 * a blank, h:m[:s[.fraction]] and a zone behind; a time may follow a date. False: anything else. */
bool spk_cast_date(const char *p, size_t n, int32_t *days);
bool spk_cast_time(const char *p, size_t n, int64_t *micros);
/* spk_iso_date: yyyy-MM-dd and nothing else; there must be 16 readable bytes at p. */
static inline bool spk_iso_date(const char *p, size_t n, int32_t *days)
{
    static const uint16_t before[]
        = { 0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365, 396, 424 };
    static const uint8_t lengths[] = { 0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0, 0, 0 };
    uint64_t bad = 0;
    if (n != 10 || p[4] != '-' || p[7] != '-')
        return false;
    const unsigned y = (unsigned)spk_text_digits(p, 4, &bad);
    const unsigned m = (unsigned)spk_text_digits(p + 5, 2, &bad) & 15;
    const unsigned d = (unsigned)spk_text_digits(p + 8, 2, &bad);
    const unsigned leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    if (bad || p[5] > '1' || d == 0 || d > lengths[m] + (m == 2 ? leap : 0))
        return false;
    const unsigned p_ = y + 399; /* whole years before, from the year -400 on: never negative */
    *days = (int32_t)(p_ * 365 + p_ / 4 - p_ / 100 + p_ / 400 + before[m] + (m > 2 ? leap : 0) + d)
        - 719528 - 146097 + 365;
    return true;
}

/* spk_pattern: a pattern, compiled. An item is a letter and how often it stands there, a byte of text
 * (letter 0), or the begin or end of an optional part: '[' ']'. */
typedef struct spk_pattern {
    size_t n;
    struct spk_pattern_item {
        char letter, text;
        uint8_t count;
    } items[SPK_PATTERN_ITEMS];
} spk_pattern;

/* spk_pattern_compile: SPARK_EINVAL, with what is wrong, where it has other letters than y M d H h a m s
 * S X x Z, or is too long. */
spark_status spk_pattern_compile(spk_pattern *pattern, const char *text, spk_failure *failure);
/* spk_pattern_read: all n bytes as the pattern has them. */
bool spk_pattern_read(const spk_pattern *pattern, const char *p, size_t n, int64_t *micros);
/* spk_pattern_print, _date: at most SPK_PATTERN_TEXT bytes; return how many. Days reach further than
 * microseconds do. */
size_t spk_pattern_print(const spk_pattern *pattern, int64_t micros, char *text);
size_t spk_pattern_print_date(const spk_pattern *pattern, int32_t days, char *text);

#endif
