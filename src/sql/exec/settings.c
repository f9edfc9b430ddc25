/* SPDX-License-Identifier: Apache-2.0 */
/* SET and RESET. A few keys change something. Others of Spark's say how libspark is and cannot be otherwise: they take
 * that value alone. All else is kept and shown. */
#include "base/small.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "sql/exec/result.h"
#include "sql/parse/parse.h"

static const char zone_key[] = "spark.sql.session.timeZone";
static const char table_key[] = "spark.sql.autoBroadcastJoinThreshold";
static const char parts_key[] = "spark.sql.shuffle.partitions";
static const char bloom_key[] = "spark.sql.optimizer.runtime.bloomFilter.enabled";

enum { PARTITIONS_MAX = 1000000 };

/* fixed: what cannot be set to anything else. */
static const struct {
    const char *key, *value;
} fixed[] = {
    { "spark.sql.ansi.enabled", "true" },
    { "spark.sql.ansi.doubleQuotedIdentifiers", "false" },
    { "spark.sql.ansi.enforceReservedKeywords", "false" },
    { "spark.sql.caseSensitive", "false" },
    { "spark.sql.crossJoin.enabled", "true" },
    { "spark.sql.decimalOperations.allowPrecisionLoss", "true" },
    { "spark.sql.groupByAliases", "true" },
    { "spark.sql.groupByOrdinal", "true" },
    { "spark.sql.mapKeyDedupPolicy", "EXCEPTION" },
    { "spark.sql.orderByOrdinal", "true" },
    { "spark.sql.parser.escapedStringLiterals", "false" },
    { "spark.sql.parser.quotedRegexColumnNames", "false" },
    { "spark.sql.storeAssignmentPolicy", "ANSI" },
    { "spark.sql.timestampType", "TIMESTAMP_LTZ" },
};

/* always: the one value of a key; NULL: it may have others. */
static const char *always(const char *key)
{
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        if (spk_names_same(key, fixed[i].key))
            return fixed[i].value;
    return NULL;
}

/* bytes_of: "10MB", "-1"; false: it is no size. */
static bool bytes_of(const char *text, double *bytes)
{
    static const char units[] = "bkmgt";
    char *end;
    errno = 0;
    *bytes = (double)strtoll(text, &end, 10);
    if (end == text || errno)
        return false;
    while (*end == ' ')
        end++;
    const char *unit = *end ? strchr(units, *end | 0x20) : units;
    if (!unit || !*unit)
        return false;
    *bytes *= (double)((uint64_t)1 << 10 * (unit - units));
    end += *end != '\0';
    end += *end != '\0' && (*end | 0x20) == 'b';
    return !*end;
}

static void set_threshold(spk_query *q, const spk_ast_statement *s, const char *value)
{
    double bytes;
    if (bytes_of(value, &bytes))
        atomic_store(&q->analyzer.catalog->table_bytes, bytes);
    else
        spk_sql_fail2(&q->error, "INVALID_CONF_VALUE.SIZE", s->span, "confName", table_key, "confValue", value);
}

static void set_partitions(spk_query *q, const spk_ast_statement *s, const char *value)
{
    char *end;
    const long n = strtol(value, &end, 10);
    if (*value && !*end && n > 0 && n <= PARTITIONS_MAX)
        atomic_store(&q->analyzer.catalog->partitions, (int)n);
    else
        spk_sql_fail2(&q->error, "INVALID_CONF_VALUE.REQUIREMENT", s->span, "confName", parts_key, "confValue", value);
}

static void set_blooms(spk_query *q, const spk_ast_statement *s, const char *value)
{
    const bool on = spk_names_same(value, "true");
    if (on || spk_names_same(value, "false"))
        atomic_store(&q->analyzer.catalog->blooms, on);
    else
        spk_sql_fail2(&q->error, "INVALID_CONF_VALUE.REQUIREMENT", s->span, "confName", bloom_key, "confValue", value);
}

/* interval_zone: "+05:30" of INTERVAL '05:30' HOUR TO MINUTE; NULL: it is none, or the error is set. */
static const char *interval_zone(spk_query *q, const char *text)
{
    enum { MOST = 18 * 3600 };
    size_t next = 0;
    spk_analyzer *a = &q->analyzer;
    const spk_ast_statement *s = spk_sql_parse(a->arena, spk_print(a, "SELECT %s", text), &next, &q->error);
    if (!s || s->kind != SPK_ST_QUERY || s->query->term->kind != SPK_TERM_SELECT)
        return NULL;
    spk_bind b = { .a = a, .clause = "SET" };
    const spk_ast_select *select = s->query->term->select;
    const spk_sql_expr *e = select->items.n == 1 ? spk_bind_expr(&b, select->items.at[0]) : NULL;
    if (!e || e->kind != SPK_SQL_CONSTANT || e->type->kind != SPK_SQL_INTERVAL_SECONDS || e->null)
        return NULL;
    const int64_t seconds = *(const int64_t *)e->value / SPK_MICROS_SECOND, east = seconds < 0 ? -seconds : seconds;
    if (east > MOST) {
        spk_sql_fail1(&q->error, "INVALID_INTERVAL_FORMAT.TIMEZONE_INTERVAL_OUT_OF_RANGE", s->span, "input", text);
        return NULL;
    }
    const char *id = spk_print(a, "%c%02d:%02d", seconds < 0 ? '-' : '+', (int)(east / 3600), (int)(east / 60 % 60));
    return east % 60 ? spk_print(a, "%s:%02d", id, (int)(east % 60)) : id;
}

/* zone_text: of SET TIME ZONE 'x', or LOCAL, or an interval of hours: what a zone is called; NULL: UTC. */
static const char *zone_text(spk_query *q, const char *text)
{
    while (*text == ' ')
        text++;
    const size_t n = strlen(text);
    if (spk_names_same(text, "LOCAL"))
        return NULL;
    if ((*text == '\'' || *text == '"') && n > 2)
        return spk_copy_text(&q->analyzer, text + 1, n - 2);
    const char *id = n > 9 && strncasecmp(text, "INTERVAL ", 9) == 0 ? interval_zone(q, text) : NULL;
    return id ? id : spk_copy_text(&q->analyzer, text, n);
}

static const char *zone_now(const spk_query *q)
{
    const spk_zone *zone = spk_catalog_zone(q->analyzer.catalog);
    return zone ? zone->id : "UTC";
}

/* set_zone: NULL: UTC. What is kept is what the zone is called. */
static const char *set_zone(spk_query *q, const spk_ast_statement *s, const char *id)
{
    if (!spk_sql_failed(&q->error) && !spk_catalog_zone_set(q->analyzer.catalog, id)
        && spk_sql_fail(&q->error, "INVALID_CONF_VALUE.TIME_ZONE", s->span)) {
        spk_sql_param(&q->error, "confName", "\"%s\"", zone_key);
        spk_sql_param(&q->error, "confValue", "%s%s", id, spk_zones_missing());
    }
    return zone_now(q);
}

/* applied: what the value of a key becomes, which now holds, unless it is an error. */
static const char *applied(spk_query *q, const spk_ast_statement *s, const char *key, const char *value)
{
    const char *only = always(key);
    if (only && !spk_names_same(value, only))
        spk_sql_unsupported(&q->error, s->span, spk_print(&q->analyzer, "%s=%s: it is always %s", key, value, only));
    else if (spk_names_same(key, table_key))
        set_threshold(q, s, value);
    else if (spk_names_same(key, parts_key))
        set_partitions(q, s, value);
    else if (spk_names_same(key, bloom_key))
        set_blooms(q, s, value);
    else if (spk_names_same(key, zone_key))
        return set_zone(q, s, zone_text(q, value));
    return value;
}

/* ---- what is set */

static int by_key(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* all: the keys that were set, in their order. */
static spark_rdd *all(spk_query *q, spark_site at, const char *const *names)
{
    spk_analyzer *a = &q->analyzer;
    const char **cells = NULL;
    size_t n = 0;
    pthread_mutex_lock(&a->catalog->lock);
    for (const spk_setting *s = a->catalog->settings; s; s = s->next) {
        SPK_ADD(a, cells, n, spk_copy_text(a, s->key, strlen(s->key)));
        SPK_ADD(a, cells, n, spk_copy_text(a, s->value, strlen(s->value)));
    }
    pthread_mutex_unlock(&a->catalog->lock);
    if (spk_sql_failed(&q->error))
        return NULL;
    if (n)
        qsort(cells, n / 2, 2 * sizeof *cells, by_key);
    return spk_rows_of_texts(q, at, names, 2, cells, n / 2);
}

static const char *value_of(spk_query *q, const char *key)
{
    const char *only = always(key);
    const char *found = only ? only : spk_names_same(key, zone_key) ? "UTC" : "<undefined>";
    pthread_mutex_lock(&q->analyzer.catalog->lock);
    for (const spk_setting *s = q->analyzer.catalog->settings; s; s = s->next)
        if (strcmp(s->key, key) == 0)
            found = spk_copy_text(&q->analyzer, s->value, strlen(s->value));
    pthread_mutex_unlock(&q->analyzer.catalog->lock);
    return found;
}

spark_rdd *spk_set(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    static const char *const names[] = { "key", "value" };
    static const char words[] = "TIME ZONE ";
    const char *cells[] = { s->key, s->value };
    if (!s->key || strcmp(s->key, "-v") == 0)
        return all(q, at, names);
    if (!s->value && strncasecmp(s->key, words, sizeof words - 1) == 0) {
        cells[0] = zone_key;
        cells[1] = set_zone(q, s, zone_text(q, s->key + sizeof words - 1));
    } else if (strchr(s->key, ' ')) {
        spk_sql_fail(&q->error, "INVALID_SET_SYNTAX", s->span);
    } else if (!s->value) {
        cells[1] = value_of(q, s->key);
        return spk_rows_of_texts(q, at, names, 2, cells, 1);
    } else {
        cells[1] = applied(q, s, s->key, s->value);
    }
    if (!spk_sql_failed(&q->error) && !spk_setting_set(q->analyzer.catalog, cells[0], cells[1]))
        spk_sql_nomem(&q->error);
    return spk_sql_failed(&q->error) ? NULL : spk_rows_of_texts(q, at, names, 2, cells, 1);
}

spark_rdd *spk_reset(spk_query *q, const spk_ast_statement *s)
{
    spk_catalog *catalog = q->analyzer.catalog;
    if (!s->key || spk_names_same(s->key, zone_key))
        (void)spk_catalog_zone_set(catalog, NULL);
    if (!s->key || spk_names_same(s->key, table_key))
        atomic_store(&catalog->table_bytes, SPK_TABLE_BYTES);
    if (!s->key || spk_names_same(s->key, parts_key))
        atomic_store(&catalog->partitions, 0);
    if (!s->key || spk_names_same(s->key, bloom_key))
        atomic_store(&catalog->blooms, true);
    (void)spk_setting_set(catalog, s->key, NULL);
    return q->done;
}
