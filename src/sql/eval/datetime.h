/* SPDX-License-Identifier: Apache-2.0 */
/* Days and microseconds as fields of the Gregorian calendar, also before its time. */
#ifndef SPK_SQL_EVAL_DATETIME_H
#define SPK_SQL_EVAL_DATETIME_H

#include "sql/eval/text.h"
#include "sql/eval/type.h"

#define SPK_MICROS_DAY INT64_C(86400000000)
#define SPK_MICROS_SECOND INT64_C(1000000)

typedef struct spk_day {
    int64_t year;
    int month, day; /* from 1 */
} spk_day;

spk_day spk_day_of(int64_t days);
int64_t spk_days_from(int64_t year, int month, int day);
bool spk_is_leap(int64_t year);
int spk_month_length(int64_t year, int month);
/* spk_weekday: 0 Monday to 6 Sunday. */
int spk_weekday(int64_t days);
/* spk_add_months: the day clamped to the last of its month; false: beyond 32 bits of days. */
bool spk_add_months(int64_t days, int64_t months, int32_t *out);
/* spk_iso_week: of the year and its year. */
int spk_iso_week(int64_t days, int64_t *year);

static inline int64_t spk_floor_div(int64_t x, int64_t by)
{
    return x / by - (x % by != 0 && (x < 0) != (by < 0));
}
static inline int64_t spk_floor_rest(int64_t x, int64_t by)
{
    const int64_t rest = x % by;
    return rest != 0 && (rest < 0) != (by < 0) ? rest + by : rest;
}

/* As Spark casts them to text. */
void spk_put_date(spk_text *out, int64_t days);
void spk_put_timestamp(spk_text *out, int64_t micros); /* local time */
void spk_put_time(spk_text *out, int64_t nanos);
void spk_put_interval(spk_text *out, const spk_sql_type *type, int64_t value);

/* spk_read_zone: Z, UTC, GMT, UTC+1, +h[h][:mm[:ss]], +hhmm[ss]: seconds east; false: anything else. */
bool spk_read_zone(const char *p, size_t n, int32_t *zone);
/* spk_read_date: as CAST reads it: what follows a blank or T is not looked at. */
bool spk_read_date(const char *p, size_t n, int32_t *days);
/* spk_read_time: h[h]:m[m][:s[s][.fraction]] as nanoseconds of the day. */
bool spk_read_time(const char *p, size_t n, int64_t *nanos);
/* spk_read_interval: '1-2' or '1 02:03:04.5', also with INTERVAL and units around it, as the type
 * has it. */
bool spk_read_interval(const char *p, size_t n, const spk_sql_type *type, int64_t *value);

#endif
