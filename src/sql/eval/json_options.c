/* SPDX-License-Identifier: Apache-2.0 */
#include "base/small.h"

#include "sql/eval/json_options.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sql/eval/cast.h"
#include "sql/eval/compare.h"
#include "sql/eval/value_text.h"

static spark_str option(const spk_sql_expr *map, const char *name);
static bool says(spark_str s, const char *word);

SPK_COLD bool spk_text_options_resolve(spk_sql_build *b, spk_sql_expr *call, uint32_t i)
{
    if (i >= call->n)
        return true;
    const spk_sql_type *t = call->args[i]->type;
    if (t->kind != SPK_SQL_MAP) {
        spk_sql_fail(b->error, "INVALID_OPTIONS.NON_MAP_FUNCTION", call->span);
        return false;
    }
    if (t->key->kind != SPK_SQL_STRING || (t->of->kind != SPK_SQL_STRING && t->of->kind != SPK_SQL_VOID)) {
        spk_sql_fail1(b->error, "INVALID_OPTIONS.NON_STRING_TYPE", call->span, "mapType", spk_sql_type_quoted(b, t));
        return false;
    }
    spk_sql_fold(b, &call->args[i]);
    if (!call->args[i] || call->args[i]->kind != SPK_SQL_CONSTANT || call->args[i]->null) {
        spk_sql_fail(b->error, "INVALID_OPTIONS.NON_MAP_FUNCTION", call->span);
        return false;
    }
    const char *name = call->function->name;
    if (strncmp(name, "from_", 5) == 0 && says(option(call->args[i], "mode"), "DROPMALFORMED")) {
        char quoted[20];
        snprintf(quoted, sizeof quoted, "`%s`", name);
        spk_sql_fail2(b->error, "PARSE_MODE_UNSUPPORTED", call->span, "funcName", quoted, "mode", "DROPMALFORMED");
        return false;
    }
    return true;
}

static spark_str option(const spk_sql_expr *map, const char *name)
{
    const spk_sql_array a = *(const spk_sql_array *)map->value;
    for (size_t i = 0; map->type->of->kind == SPK_SQL_STRING && i < a.n; i++) {
        const void *value, *key = spk_sql_entry(map->type, a, i, &value);
        const spark_str k = *(const spark_str *)key;
        if (value && k.len == strlen(name) && strncasecmp(k.ptr, name, k.len) == 0)
            return *(const spark_str *)value;
    }
    return (spark_str) { NULL, 0 };
}

static bool says(spark_str s, const char *word)
{
    return s.len == strlen(word) && strncasecmp(s.ptr, word, s.len) == 0;
}

spk_text_options spk_text_options_of(const spk_sql_expr *call, uint32_t i)
{
    spk_text_options o = { .sep = { ",", 1 }, .null_value = { "", 0 } };
    if (i >= call->n || call->args[i]->kind != SPK_SQL_CONSTANT || call->args[i]->null
        || call->args[i]->type->of->kind != SPK_SQL_STRING)
        return o;
    const spk_sql_expr *map = call->args[i];
    o.date = option(map, "dateFormat");
    o.timestamp = option(map, "timestampFormat");
    o.time = option(map, "timeFormat");
    o.failfast = says(option(map, "mode"), "FAILFAST");
    o.keep_nulls = says(option(map, "ignoreNullFields"), "false");
    const spark_str sep = option(map, "sep"), other = option(map, "delimiter"), null = option(map, "nullValue");
    if (sep.len > 0 || other.len > 0)
        o.sep = sep.len > 0 ? sep : other;
    if (null.ptr)
        o.null_value = null;
    return o;
}

SPK_COLD const spk_sql_type *spk_schema_of(spk_sql_build *b, spk_sql_expr *call, uint32_t i)
{
    spk_sql_fold(b, &call->args[i]);
    const spk_sql_expr *e = call->args[i];
    if (!e)
        return NULL;
    if (e->kind != SPK_SQL_CONSTANT || e->null || e->type->kind != SPK_SQL_STRING) {
        spk_sql_fail1(b->error, "INVALID_SCHEMA.NON_STRING_LITERAL", call->span, "inputSchema",
            spk_sql_expr_quoted(b, e));
        return NULL;
    }
    const spark_str text = *(const spark_str *)e->value;
    const spk_sql_type *type = spk_sql_type_parse(b->arena, text.ptr, text.len);
    char *whole = type ? NULL : spk_arena_alloc(b->arena, text.len + 10, 1);
    if (!whole)
        return type;
    memcpy(whole, "struct<", 7);
    memcpy(whole + 7, text.ptr, text.len);
    whole[7 + text.len] = '>';
    type = spk_sql_type_parse(b->arena, whole, text.len + 8);
    if (!type && text.len > 0 && text.len < 100 && !memchr(text.ptr, ' ', text.len)) { /* one word: a type */
        char name[104];
        const int n = snprintf(name, sizeof name, "\"%.*s\"", (int)text.len, text.ptr);
        for (int k = 0; k < n; k++)
            name[k] = name[k] >= 'a' && name[k] <= 'z' ? (char)(name[k] - 32) : name[k];
        spk_sql_fail1(b->error, "UNSUPPORTED_DATATYPE", call->span, "typeName", name);
    } else if (!type)
        spk_sql_fail2(b->error, "PARSE_SYNTAX_ERROR", call->span, "error", spk_sql_expr_quoted(b, e), "hint", "");
    return type;
}

/* ---- what is malformed ---- */

/* put_row: as Spark's rows print themselves. */
static void put_row(const spk_sql_frame *f, const spk_sql_type *type, const void *row, spk_text *out)
{
    const uint32_t n = type->kind == SPK_SQL_STRUCT ? type->n : 1;
    for (uint32_t i = 0; i < n; i++) {
        const void *value = row ? spk_sql_member(type, row, i) : NULL;
        spk_text_char(out, i ? ',' : '[');
        if (!value)
            spk_text_put(out, "null");
        else if (type->fields[i].type->kind == SPK_SQL_STRUCT)
            put_row(f, type->fields[i].type, value, out);
        else
            spk_sql_put_value(out, type->fields[i].type, value, f->expr->session ? f->expr->session->zone : NULL);
    }
    spk_text_char(out, ']');
}

void spk_text_refused(spk_sql_frame *f, const char *condition, spark_str text)
{
    spk_sql_error *e = spk_sql_raise(f, condition);
    spk_sql_param(e, "badRecord", "%.*s", (int)(text.len < 200 ? text.len : 200), text.ptr);
    spk_sql_param(e, "failFastMode", "FAILFAST");
}

void spk_text_malformed(spk_sql_frame *f, const spk_sql_type *type, const void *row)
{
    spk_text out = spk_text_new(f->arena);
    put_row(f, type, row, &out);
    if (out.failed)
        spk_sql_no_room(f);
    else
        spk_text_refused(f, "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", (spark_str) { out.at, out.n });
}

/* ---- values ---- */

static bool by_pattern(spk_sql_frame *f, spark_str pattern, spark_str text, bool zoned, int64_t *micros)
{
    char bad;
    size_t at;
    const spk_sql_session *s = f->expr->session;
    const char *wrong = spk_date_pattern_wrong(pattern.ptr, pattern.len, &bad);
    if (wrong) {
        spk_sql_error *e = spk_sql_raise(f, wrong);
        spk_sql_param(e, "config", "\"spark.sql.legacy.timeParserPolicy\"");
        spk_sql_param(e, "pattern", "'%.*s'", (int)(pattern.len < 200 ? pattern.len : 200), pattern.ptr);
        return false;
    }
    return spk_date_parse(pattern.ptr, pattern.len, text.ptr, text.len, zoned && s ? s->zone : NULL,
        s ? s->zones : NULL, micros, &at);
}

static bool time_value(
    spk_sql_frame *f, const spk_text_options *o, const spk_sql_type *type, spark_str text, void *to)
{
    const spk_sql_session *s = f->expr->session;
    int64_t x;
    int32_t days;
    switch (type->kind) {
    case SPK_SQL_DATE:
        if (o->date.ptr ? !by_pattern(f, o->date, text, false, &x) : !spk_read_date(text.ptr, text.len, &days))
            return false;
        if (o->date.ptr)
            days = (int32_t)spk_floor_div(x, SPK_MICROS_DAY);
        memcpy(to, &days, sizeof days);
        return true;
    case SPK_SQL_TIME:
        if (o->time.ptr ? !by_pattern(f, o->time, text, false, &x) : !spk_read_time(text.ptr, text.len, &x))
            return false;
        if (o->time.ptr)
            x = spk_floor_rest(x, SPK_MICROS_DAY) * 1000;
        break;
    default: {
        const bool zoned = type->kind == SPK_SQL_TIMESTAMP;
        if (o->timestamp.ptr ? !by_pattern(f, o->timestamp, text, zoned, &x)
                             : !spk_read_timestamp(text.ptr, text.len, zoned && s ? s->zone : NULL,
                                   s ? s->zones : NULL, &x))
            return false;
    }
    }
    memcpy(to, &x, sizeof x);
    return true;
}

static bool integer_value(const spk_sql_type *type, spark_str text, void *to)
{
    static const int64_t most[] = { INT8_MAX, INT16_MAX, INT32_MAX, INT64_MAX };
    const int64_t limit = most[type->kind - SPK_SQL_TINYINT];
    int64_t x;
    if (!spk_sql_text_integer(text.ptr, text.len, -limit - 1, limit, &x))
        return false;
    const int8_t a = (int8_t)x;
    const int16_t b = (int16_t)x;
    const int32_t c = (int32_t)x;
    memcpy(to, type->size == 1 ? (const void *)&a : type->size == 2 ? (const void *)&b
            : type->size == 4 ? (const void *)&c : (const void *)&x, type->size);
    return true;
}

bool spk_text_to_value(
    spk_sql_frame *f, const spk_text_options *options, const spk_sql_type *type, spark_str text, void *to)
{
    double x;
    int64_t wide;
    spk_i128 units = 0;
    switch (type->kind) {
    case SPK_SQL_BOOLEAN: {
        const bool yes = says(text, "true");
        memcpy(to, &yes, 1);
        return yes || says(text, "false");
    }
    case SPK_SQL_TINYINT:
    case SPK_SQL_SMALLINT:
    case SPK_SQL_INT:
    case SPK_SQL_BIGINT:
        return integer_value(type, text, to);
    case SPK_SQL_FLOAT:
    case SPK_SQL_DOUBLE: {
        if (!spk_sql_text_double(text.ptr, text.len, &x))
            return false;
        const float y = (float)x;
        memcpy(to, type->kind == SPK_SQL_FLOAT ? (const void *)&y : (const void *)&x, type->size);
        return true;
    }
    case SPK_SQL_DECIMAL:
        if (spk_decimal_parse(text.ptr, text.len, type->scale, &units) != 1 || !spk_decimal_fits(units, type->precision))
            return false;
        spk_sql_units_set(type, to, units);
        return true;
    case SPK_SQL_STRING:
    case SPK_SQL_BINARY:
        memcpy(to, &text, sizeof text);
        return true;
    case SPK_SQL_INTERVAL_MONTHS:
    case SPK_SQL_INTERVAL_SECONDS: {
        if (!spk_read_interval(text.ptr, text.len, type, &wide))
            return false;
        const int32_t months = (int32_t)wide;
        memcpy(to, type->size == 4 ? (const void *)&months : (const void *)&wide, type->size);
        return true;
    }
    case SPK_SQL_DATE:
    case SPK_SQL_TIME:
    case SPK_SQL_TIMESTAMP:
    case SPK_SQL_TIMESTAMP_NTZ:
        return time_value(f, options, type, text, to);
    default:
        return false;
    }
}

void spk_value_to_text(
    spk_sql_frame *f, const spk_text_options *options, const spk_sql_type *type, const void *value, spk_text *out)
{
    static const char moment[] = "yyyy-MM-dd'T'HH:mm:ss.SSSXXX", plain[] = "yyyy-MM-dd'T'HH:mm:ss.SSS";
    const spk_zone *zone = f->expr->session ? f->expr->session->zone : NULL;
    if (type->kind == SPK_SQL_TIMESTAMP || type->kind == SPK_SQL_TIMESTAMP_NTZ) {
        const bool zoned = type->kind == SPK_SQL_TIMESTAMP;
        const spark_str p = options->timestamp.ptr ? options->timestamp
            : zoned                                ? (spark_str) { moment, sizeof moment - 1 }
                                                   : (spark_str) { plain, sizeof plain - 1 };
        spk_date_format(out, p.ptr, p.len, *(const int64_t *)value, zoned ? zone : NULL);
    } else if (type->kind == SPK_SQL_DATE && options->date.ptr) {
        spk_date_format(out, options->date.ptr, options->date.len, *(const int32_t *)value * SPK_MICROS_DAY, NULL);
    } else if (type->kind == SPK_SQL_TIME && options->time.ptr) {
        spk_date_format(out, options->time.ptr, options->time.len, *(const int64_t *)value / 1000, NULL);
    } else {
        spk_sql_put_value(out, type, value, zone);
    }
}
