/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/eval/zone.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"

enum { FILE_BYTES = 256 * 1024, HEADER = 44, MOST = 4000, DAY = 86400 };

static const char short_names[][2][32] = { { "ACT", "Australia/Darwin" }, { "AET", "Australia/Sydney" },
    { "AGT", "America/Argentina/Buenos_Aires" }, { "ART", "Africa/Cairo" }, { "AST", "America/Anchorage" },
    { "BET", "America/Sao_Paulo" }, { "BST", "Asia/Dhaka" }, { "CAT", "Africa/Harare" },
    { "CNT", "America/St_Johns" }, { "CST", "America/Chicago" }, { "CTT", "Asia/Shanghai" },
    { "EAT", "Africa/Addis_Ababa" }, { "ECT", "Europe/Paris" }, { "EST", "-05:00" }, { "HST", "-10:00" },
    { "IET", "America/Indiana/Indianapolis" }, { "IST", "Asia/Kolkata" }, { "JST", "Asia/Tokyo" },
    { "MIT", "Pacific/Apia" }, { "MST", "-07:00" }, { "NET", "Asia/Yerevan" }, { "NST", "Pacific/Auckland" },
    { "PLT", "Asia/Karachi" }, { "PNT", "America/Phoenix" }, { "PRT", "America/Puerto_Rico" },
    { "PST", "America/Los_Angeles" }, { "SST", "Pacific/Guadalcanal" }, { "VST", "Asia/Ho_Chi_Minh" } };

void spk_zones_init(spk_zones *zones, spk_heap *heap)
{
    pthread_mutex_init(&zones->lock, NULL);
    spk_arena_init(&zones->arena, heap);
    zones->first = NULL;
}

void spk_zones_fini(spk_zones *zones)
{
    spk_arena_fini(&zones->arena);
    pthread_mutex_destroy(&zones->lock);
}

/* ---- reading files ---- */

static int64_t big_endian(const unsigned char *p, int bytes)
{
    uint64_t x = p[0] & 0x80 ? UINT64_MAX : 0;
    for (int i = 0; i < bytes; i++)
        x = x << 8 | p[i];
    return (int64_t)x;
}

static const char *directory(void)
{
    const char *said = getenv("TZDIR");
    return said && *said == '/' ? said : "/usr/share/zoneinfo";
}

const char *spk_zones_missing(void)
{
    struct stat info;
    return spk_stat(directory(), &info) == 0
        ? ""
        : " (no files of time zones: install tzdata, or let TZDIR name their directory)";
}

/* read_file: the bytes of a zone's file, with a NUL behind them; NULL: it cannot be read. */
static unsigned char *read_file(const char *id, size_t *size)
{
    char path[512];
    if (snprintf(path, sizeof path, "%s/%s", directory(), id) >= (int)sizeof path)
        return NULL;
    const int fd = spk_open(path, O_RDONLY | O_CLOEXEC, 0);
    unsigned char *bytes = fd < 0 ? NULL : malloc(FILE_BYTES + 1);
    *size = 0;
    for (ssize_t got = 1; bytes && got > 0 && *size < FILE_BYTES;) {
        got = spk_read(fd, bytes + *size, FILE_BYTES - *size);
        if (got > 0)
            *size += (size_t)got;
        else if (got < 0)
            *size = 0;
    }
    if (fd >= 0)
        (void)close(fd);
    if (bytes)
        bytes[*size] = 0;
    return bytes;
}

typedef struct tzif {
    size_t transitions, types, letters; /* how many */
    const unsigned char *at, *which, *type, *names;
    const char *rule; /* behind it: a POSIX rule between newlines */
} tzif;

/* block: the counts of a header, and where what it counts lies; returns what is behind it, or NULL. */
static const unsigned char *block(const unsigned char *p, const unsigned char *end, int bytes, tzif *t)
{
    size_t counts[6];
    if (end - p < HEADER || memcmp(p, "TZif", 4) != 0)
        return NULL;
    for (int i = 0; i < 6; i++)
        counts[i] = (size_t)big_endian(p + 20 + (size_t)i * 4, 4);
    const size_t standard = counts[1], utc = counts[0], leaps = counts[2];
    *t = (tzif) { .transitions = counts[3], .types = counts[4], .letters = counts[5] };
    if (t->transitions > MOST || t->types > 256 || t->letters > 4096 || standard > 256 || utc > 256 || leaps > MOST)
        return NULL;
    const size_t all = t->transitions * ((size_t)bytes + 1) + t->types * 6 + t->letters
        + leaps * ((size_t)bytes + 4) + standard + utc;
    if ((size_t)(end - p) - HEADER < all || t->types == 0)
        return NULL;
    t->at = p + HEADER;
    t->which = t->at + t->transitions * (size_t)bytes;
    t->type = t->which + t->transitions;
    t->names = t->type + t->types * 6;
    return p + HEADER + all;
}

/* ---- POSIX rules: EST5EDT,M3.2.0,M11.1.0 ---- */

static const char *rule_name(const char *p, const char **name, size_t *n)
{
    const bool angle = *p == '<';
    const char *from = p += angle;
    while (*p && (angle ? *p != '>' : ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z')))
        p++;
    *name = from;
    *n = (size_t)(p - from);
    return p + (angle && *p == '>');
}

static const char *rule_number(const char *p, int *out)
{
    *out = 0;
    for (int i = 0; i < 3 && *p >= '0' && *p <= '9'; i++, p++)
        *out = *out * 10 + (*p - '0');
    return p;
}

/* rule_time: [+-]h[:m[:s]] in seconds. */
static const char *rule_time(const char *p, int32_t *seconds)
{
    int part[3] = { 0, 0, 0 };
    const bool negative = *p == '-';
    p += *p == '-' || *p == '+';
    p = rule_number(p, &part[0]);
    for (int i = 1; i < 3 && *p == ':'; i++)
        p = rule_number(p + 1, &part[i]);
    *seconds = (part[0] * 60 + part[1]) * 60 + part[2];
    if (negative)
        *seconds = -*seconds;
    return p;
}

static const char *rule_turn(const char *p, spk_zone_turn *turn)
{
    *turn = (spk_zone_turn) { .kind = '0', .seconds = 7200 };
    if (*p == 'M') {
        turn->kind = 'M';
        p = rule_number(p + 1, &turn->month);
        p = rule_number(p + (*p == '.'), &turn->week);
        p = rule_number(p + (*p == '.'), &turn->day);
        if (turn->month < 1 || turn->month > 12 || turn->week < 1 || turn->week > 5 || turn->day > 6)
            return NULL;
    } else {
        turn->kind = *p == 'J' ? 'J' : '0';
        p = rule_number(p + (*p == 'J'), &turn->day);
    }
    return *p == '/' ? rule_time(p + 1, &turn->seconds) : p;
}

static const char *keep(spk_arena *arena, const char *text, size_t n)
{
    char *copy = spk_arena_alloc(arena, n + 1, 1);
    if (!copy)
        return NULL;
    memcpy(copy, text, n);
    copy[n] = '\0';
    return copy;
}

/* rule: what holds behind the last transition; false: there is none that can be read. */
static bool rule(spk_zone *z, const char *p, spk_arena *arena)
{
    const char *name, *other;
    size_t n, m;
    int32_t west;
    p = rule_name(p, &name, &n);
    if (n == 0)
        return false;
    p = rule_time(p, &west);
    z->winter = -west;
    z->winter_name = keep(arena, name, n);
    z->turns = false;
    if (*p == '\n' || !*p) {
        z->summer = z->winter;
        z->summer_name = z->winter_name;
        return z->winter_name != NULL;
    }
    p = rule_name(p, &other, &m);
    z->summer = z->winter + 3600;
    if (*p != ',') {
        p = rule_time(p, &west);
        z->summer = -west;
    }
    z->summer_name = keep(arena, other, m);
    if (*p != ',' || !(p = rule_turn(p + 1, &z->begin)) || *p != ',' || !rule_turn(p + 1, &z->end))
        return false;
    z->turns = true;
    return z->winter_name && z->summer_name;
}

/* make: a zone from a file's bytes; NULL: they are none, or there is no memory. */
static spk_zone *make(spk_arena *arena, const char *id, const unsigned char *bytes, size_t size)
{
    tzif t;
    const unsigned char *end = bytes + size, *second = block(bytes, end, 4, &t);
    const unsigned char *behind = second && bytes[4] >= '2' ? block(second, end, 8, &t) : NULL;
    if (!behind)
        return NULL;
    spk_zone *z = spk_arena_alloc(arena, sizeof *z, 16);
    int64_t *at = spk_arena_alloc(arena, (t.transitions + 1) * sizeof *at, 8);
    int32_t *east = spk_arena_alloc(arena, (t.transitions + 1) * sizeof *east, 8);
    const char **names = spk_arena_alloc(arena, (t.transitions + 1) * sizeof *names, 8);
    const char *letters = keep(arena, (const char *)t.names, t.letters);
    if (!z || !at || !east || !names || !letters)
        return NULL;
    *z = (spk_zone) { .id = keep(arena, id, strlen(id)), .n = t.transitions, .at = at, .east = east, .names = names };
    if (!z->id)
        return NULL;
    for (size_t i = 0; i <= t.transitions; i++) {
        const size_t which = i ? t.which[i - 1] : 0;
        if (which >= t.types)
            return NULL;
        const size_t letter = t.type[which * 6 + 5];
        east[i] = (int32_t)big_endian(t.type + which * 6, 4);
        names[i] = letter < t.letters ? letters + letter : "";
        if (i)
            at[i - 1] = big_endian(t.at + (i - 1) * 8, 8);
        if (east[i] > 26 * 3600 || east[i] < -26 * 3600 || (i > 1 && at[i - 1] < at[i - 2]))
            return NULL;
    }
    if (*behind != '\n' || !rule(z, (const char *)behind + 1, arena)) {
        z->turns = false;
        z->winter = z->summer = east[z->n];
        z->winter_name = z->summer_name = names[z->n];
    }
    z->fixed = z->winter;
    return z;
}

/* is_safe: a path below the directory. */
static bool is_safe(const char *id, size_t n)
{
    if (n == 0 || n > 100 || *id == '/' || *id == '.')
        return false;
    for (size_t i = 0; i < n; i++)
        if (!((id[i] | 0x20) >= 'a' && (id[i] | 0x20) <= 'z') && !(id[i] >= '0' && id[i] <= '9') && id[i] != '_'
            && id[i] != '-' && id[i] != '+' && !(id[i] == '/' && i + 1 < n && id[i + 1] != '/'))
            return false;
    return true;
}

static const spk_zone *find_named(spk_zones *zones, const char *id)
{
    size_t size;
    const spk_zone *z = zones->first;
    while (z && strcmp(z->id, id) != 0)
        z = z->next;
    if (z)
        return z;
    unsigned char *bytes = read_file(id, &size);
    spk_zone *made = bytes ? make(&zones->arena, id, bytes, size) : NULL;
    free(bytes);
    if (made) {
        made->next = zones->first;
        zones->first = made;
    }
    return made;
}

const spk_zone *spk_zone_find(spk_zones *zones, const char *id, size_t n, spk_zone *own)
{
    char text[104];
    while (n > 0 && *id == ' ') {
        id++;
        n--;
    }
    while (n > 0 && id[n - 1] == ' ')
        n--;
    for (size_t i = 0; n == 3 && i < sizeof short_names / sizeof short_names[0]; i++)
        if (memcmp(id, short_names[i][0], 3) == 0) {
            id = short_names[i][1];
            n = strlen(id);
            break;
        }
    *own = (spk_zone) { .id = "" };
    if (spk_read_zone(id, n, &own->fixed))
        return own;
    if (!zones || !is_safe(id, n))
        return NULL;
    memcpy(text, id, n);
    text[n] = '\0';
    pthread_mutex_lock(&zones->lock);
    const spk_zone *found = find_named(zones, text);
    pthread_mutex_unlock(&zones->lock);
    return found;
}

const spk_zone *spk_zone_keep(spk_zones *zones, const char *id, size_t n)
{
    spk_zone own;
    const spk_zone *zone = spk_zone_find(zones, id, n, &own);
    if (zone != &own)
        return zone;
    pthread_mutex_lock(&zones->lock);
    for (zone = zones->first; zone && (strncmp(zone->id, id, n) != 0 || zone->id[n] != '\0');)
        zone = zone->next;
    spk_zone *kept = zone ? NULL : spk_arena_alloc(&zones->arena, sizeof *kept, 16);
    own.id = kept ? keep(&zones->arena, id, n) : NULL;
    if (own.id) {
        own.next = zones->first;
        *kept = own;
        zones->first = zone = kept;
    }
    pthread_mutex_unlock(&zones->lock);
    return zone;
}

/* ---- asking ---- */

/* turn_at: the second of the year, by the clock that is then in force, at which clocks turn. */
static int64_t turn_at(const spk_zone_turn *turn, int64_t year)
{
    const int64_t first = spk_days_from(year, 1, 1);
    int64_t day;
    if (turn->kind == 'M') {
        const int64_t month = spk_days_from(year, turn->month, 1);
        const int sunday = (spk_weekday(month) + 1) % 7; /* 0: it is a Sunday */
        int which = (turn->day - sunday + 7) % 7 + (turn->week - 1) * 7;
        if (which >= spk_month_length(year, turn->month))
            which -= 7;
        day = month + which;
    } else {
        day = first + turn->day - (turn->kind == 'J');
        if (turn->kind == 'J' && spk_is_leap(year) && turn->day >= 60)
            day++;
    }
    return day * DAY + turn->seconds;
}

static bool is_summer(const spk_zone *z, int64_t seconds)
{
    const int64_t year = spk_day_of(spk_floor_div(seconds + z->winter, DAY)).year;
    const int64_t begin = turn_at(&z->begin, year) - z->winter, end = turn_at(&z->end, year) - z->summer;
    return begin < end ? seconds >= begin && seconds < end : seconds >= begin || seconds < end;
}

/* before: how many transitions were there by then. */
static size_t before(const spk_zone *z, int64_t seconds)
{
    size_t low = 0, high = z->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (z->at[middle] <= seconds)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int32_t east_at(const spk_zone *z, int64_t seconds)
{
    if (z->n == 0 && !z->turns)
        return z->fixed;
    const size_t i = before(z, seconds);
    if (i < z->n)
        return z->east[i];
    return !z->turns ? z->winter : is_summer(z, seconds) ? z->summer : z->winter;
}

int32_t spk_zone_east(const spk_zone *zone, int64_t micros)
{
    return zone ? east_at(zone, spk_floor_div(micros, SPK_MICROS_SECOND)) : 0;
}

const char *spk_zone_name(const spk_zone *zone, int64_t micros)
{
    if (!zone || (zone->n == 0 && !zone->turns))
        return zone && zone->winter_name ? zone->winter_name : NULL;
    const int64_t seconds = spk_floor_div(micros, SPK_MICROS_SECOND);
    const size_t i = before(zone, seconds);
    if (i < zone->n)
        return zone->names[i];
    return zone->turns && is_summer(zone, seconds) ? zone->summer_name : zone->winter_name;
}

int64_t spk_zone_moment(const spk_zone *zone, int64_t local)
{
    if (!zone)
        return local;
    const int64_t seconds = spk_floor_div(local, SPK_MICROS_SECOND);
    const int64_t early = east_at(zone, seconds - DAY), late = east_at(zone, seconds + DAY);
    int64_t east = early;
    if (early != late && east_at(zone, seconds - early) != early && east_at(zone, seconds - late) == late)
        east = late;
    return (int64_t)((uint64_t)local - (uint64_t)(east * SPK_MICROS_SECOND));
}
