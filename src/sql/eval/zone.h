/* SPDX-License-Identifier: Apache-2.0 */
/* Time zones: fixed offsets, and those that have names, as the system's files (TZif, RFC 9636) have
 * them: /usr/share/zoneinfo, or what TZDIR names. A zone never changes once it is there.
 *
 * A moment is microseconds since 1970 in UTC; local ones are what clocks show. NULL as a zone is UTC. */
#ifndef SPK_SQL_EVAL_ZONE_H
#define SPK_SQL_EVAL_ZONE_H

#include <pthread.h>

#include "sql/eval/datetime.h"

/* spk_zone_turn: when clocks are turned in a year, as POSIX has it: Mm.w.d, Jn or n, and a time. */
typedef struct spk_zone_turn {
    char kind; /* 'M', 'J', '0' */
    int month, week, day;
    int32_t seconds;
} spk_zone_turn;

typedef struct spk_zone {
    const struct spk_zone *next;
    const char *id; /* "Europe/Paris", "+02:00" */
    int32_t fixed;  /* seconds east of UTC, where n is 0 and nothing turns */
    size_t n;       /* transitions: */
    const int64_t *at;       /* in seconds since 1970 */
    const int32_t *east;     /* n + 1: before the first, and from each on */
    const char *const *names; /* n + 1: "PST" */
    bool turns;     /* behind the last transition: summer from `begin` to `end` of each year */
    int32_t winter, summer;
    const char *winter_name, *summer_name;
    spk_zone_turn begin, end;
} spk_zone;

/* spk_zones: the named zones that were asked for so far. */
typedef struct spk_zones {
    pthread_mutex_t lock;
    spk_arena arena;
    const spk_zone *first;
} spk_zones;
void spk_zones_init(spk_zones *zones, spk_heap *heap);
void spk_zones_fini(spk_zones *zones);

/* spk_zone_find: a fixed offset, written into *own, which is then returned; or a name of the
 * system's, or one of Java's short ones (PST, JST), where zones is not NULL. NULL: there is none
 * of that name, or its file cannot be read. */
SPK_COLD const spk_zone *spk_zone_find(spk_zones *zones, const char *id, size_t n, spk_zone *own);

/* spk_zone_keep: the same, as long as `zones` lasts, also of fixed offsets. NULL: or no memory. */
const spk_zone *spk_zone_keep(spk_zones *zones, const char *id, size_t n);

/* spk_read_timestamp: a text as CAST reads it; without a zone in it, it is local time of `zone`;
 * zones: for names in the text, or NULL. */
bool spk_read_timestamp(const char *p, size_t n, const spk_zone *zone, spk_zones *zones, int64_t *micros);
/* spk_read_moment: the same, and a time alone, which is of the day of `now`. */
bool spk_read_moment(const char *p, size_t n, const spk_zone *zone, spk_zones *zones, int64_t now, int64_t *micros);

/* spk_zones_missing: for messages: "", or that the system has no files of zones. */
SPK_COLD const char *spk_zones_missing(void);

/* spk_zone_east: seconds east of UTC at a moment. spk_zone_name: "PST". */
int32_t spk_zone_east(const spk_zone *zone, int64_t micros);
const char *spk_zone_name(const spk_zone *zone, int64_t micros);

/* spk_zone_local: what clocks show at a moment. spk_zone_moment: when they show it: where they do so
 * twice, the first time; where they never do, as long after the gap began as they ask for. */
static inline int64_t spk_zone_local(const spk_zone *zone, int64_t micros)
{
    if (!zone)
        return micros;
    return (int64_t)((uint64_t)micros + (uint64_t)(spk_zone_east(zone, micros) * SPK_MICROS_SECOND));
}
int64_t spk_zone_moment(const spk_zone *zone, int64_t local);

#endif
