/* SPDX-License-Identifier: Apache-2.0 */
/* Values as CAST(.. AS STRING) prints them. */
#include "sql/eval/value_text.h"

#include "format/json_print.h"
#include "sql/eval/compare.h"
#include "sql/eval/zone.h"
#include "sql/eval/decimal.h"
#include "sql/eval/kernel.h"
#include "type/number.h"

static bool by_name(spk_text *out, bool finite, bool nan, bool minus)
{
    if (!finite)
        spk_text_put(out, nan ? "NaN" : minus ? "-Infinity" : "Infinity");
    return !finite;
}

void spk_sql_put_double(spk_text *out, double x)
{
    char text[SPK_NUMBER_TEXT];
    if (!by_name(out, x - x == 0, x != x, x < 0))
        spk_text_bytes(out, text, spk_json_print_f64(x, text));
}

void spk_sql_put_float(spk_text *out, float x)
{
    char text[SPK_NUMBER_TEXT];
    if (!by_name(out, x - x == 0, x != x, x < 0))
        spk_text_bytes(out, text, spk_json_print_f32(x, text));
}

static void put_slot(spk_text *out, const spk_sql_type *type, const void *value, const spk_zone *zone)
{
    if (value)
        spk_sql_put_value(out, type, value, zone);
    else
        spk_text_put(out, out->shown ? "NULL" : "null");
}

/* put_hex: [1F 20]. */
static void put_hex(spk_text *out, const char *p, size_t n)
{
    static const char digits[] = "0123456789ABCDEF";
    spk_text_char(out, '[');
    for (size_t i = 0; i < n; i++) {
        spk_text_put(out, i > 0 ? " " : "");
        spk_text_char(out, digits[(unsigned char)p[i] >> 4]);
        spk_text_char(out, digits[(unsigned char)p[i] & 15]);
    }
    spk_text_char(out, ']');
}

static void put_array(spk_text *out, const spk_sql_type *type, spk_sql_array a, const spk_zone *zone)
{
    spk_text_char(out, '[');
    for (size_t i = 0; i < a.n; i++) {
        spk_text_put(out, i > 0 ? ", " : "");
        put_slot(out, type->of, spk_sql_slot(type, a, i), zone);
    }
    spk_text_char(out, ']');
}

static void put_map(spk_text *out, const spk_sql_type *type, spk_sql_array a, const spk_zone *zone)
{
    spk_text_char(out, '{');
    for (size_t i = 0; i < a.n; i++) {
        const void *value, *key = spk_sql_entry(type, a, i, &value);
        spk_text_put(out, i > 0 ? ", " : "");
        spk_sql_put_value(out, type->key, key, zone);
        spk_text_put(out, " -> ");
        put_slot(out, type->of, value, zone);
    }
    spk_text_char(out, '}');
}

static void put_struct(spk_text *out, const spk_sql_type *type, const char *row, const spk_zone *zone)
{
    spk_text_char(out, '{');
    for (uint32_t i = 0; i < type->n; i++) {
        spk_text_put(out, i > 0 ? ", " : "");
        put_slot(out, type->fields[i].type, spk_sql_member(type, row, i), zone);
    }
    spk_text_char(out, '}');
}

void spk_sql_put_value(spk_text *out, const spk_sql_type *type, const void *value, const spk_zone *zone)
{
    char text[SPK_DECIMAL_TEXT];
    const spark_str *s = value;
    switch (type->kind) {
    case SPK_SQL_VOID:
        spk_text_put(out, "NULL");
        break;
    case SPK_SQL_BOOLEAN:
        spk_text_put(out, *(const bool *)value ? "true" : "false");
        break;
    case SPK_SQL_TINYINT:
        spk_text_number(out, *(const int8_t *)value);
        break;
    case SPK_SQL_SMALLINT:
        spk_text_number(out, *(const int16_t *)value);
        break;
    case SPK_SQL_INT:
        spk_text_number(out, *(const int32_t *)value);
        break;
    case SPK_SQL_BIGINT:
        spk_text_number(out, *(const int64_t *)value);
        break;
    case SPK_SQL_DECIMAL:
        spk_text_bytes(out, text, spk_decimal_print(spk_sql_units(type, value), type->scale, text));
        break;
    case SPK_SQL_FLOAT:
        spk_sql_put_float(out, *(const float *)value);
        break;
    case SPK_SQL_DOUBLE:
        spk_sql_put_double(out, *(const double *)value);
        break;
    case SPK_SQL_STRING:
    case SPK_SQL_BINARY:
        if (out->shown && type->kind == SPK_SQL_BINARY)
            put_hex(out, s->ptr, s->len);
        else
            spk_text_bytes(out, s->ptr, s->len);
        break;
    case SPK_SQL_DATE:
        spk_put_date(out, *(const int32_t *)value);
        break;
    case SPK_SQL_TIMESTAMP:
        spk_put_timestamp(out, spk_zone_local(zone, *(const int64_t *)value));
        break;
    case SPK_SQL_TIMESTAMP_NTZ:
        spk_put_timestamp(out, *(const int64_t *)value);
        break;
    case SPK_SQL_TIME:
        spk_put_time(out, *(const int64_t *)value);
        break;
    case SPK_SQL_INTERVAL_MONTHS:
        spk_put_interval(out, type, *(const int32_t *)value);
        break;
    case SPK_SQL_INTERVAL_SECONDS:
        spk_put_interval(out, type, *(const int64_t *)value);
        break;
    case SPK_SQL_ARRAY:
        put_array(out, type, *(const spk_sql_array *)value, zone);
        break;
    case SPK_SQL_MAP:
        put_map(out, type, *(const spk_sql_array *)value, zone);
        break;
    case SPK_SQL_STRUCT:
        put_struct(out, type, value, zone);
    }
}

size_t spk_sql_value_print(
    const spk_sql_type *type, const void *value, const spk_zone *zone, char *text, size_t size)
{
    spk_text out = spk_text_in(text, size);
    spk_sql_put_value(&out, type, value, zone);
    return spk_text_end(&out);
}
