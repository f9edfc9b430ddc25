/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns of Java's DateTimeFormatter: "yyyy-MM-dd HH:mm:ss". Letters: y u M L d D E a H h k K m s
 * S Q q
 * n? V z O X x Z G, text in quotes, optional parts in brackets (reading). Week-based letters are
 * refused,
 * as Spark does. */
#ifndef SPK_SQL_EVAL_DATE_PATTERN_H
#define SPK_SQL_EVAL_DATE_PATTERN_H

#include "sql/eval/zone.h"

/* spk_date_pattern_wrong: the condition of what is wrong with a pattern, and its letter; NULL:
 * nothing. */
const char *spk_date_pattern_wrong(const char *pattern, size_t n, char *bad);

/* spk_date_run: how often the letter at i stands there. */
size_t spk_date_run(const char *pattern, size_t n, size_t i);

/* spk_date_format: a moment as clocks of the zone show it. */
void spk_date_format(spk_text *out, const char *pattern, size_t n, int64_t micros, const spk_zone *zone);

/* spk_date_parse: the whole text by the pattern: microseconds since 1970; without a zone in the text
 * it is local time of `zone`; zones: for names in the text, or NULL. False: *at says where it
 * stopped. */
bool spk_date_parse(const char *pattern, size_t n, const char *text, size_t size, const spk_zone *zone,
    spk_zones *zones, int64_t *micros, size_t *at);

extern const char *const spk_month_names[12],
    *const spk_day_names[7]; /* from January, from Monday */

#endif
