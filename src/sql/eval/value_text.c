/* SPDX-License-Identifier: Apache-2.0 */
/* Values as CAST(.. AS STRING) prints them. */
#include "sql/eval/value_text.h"

#include "sql/eval/compare.h"
#include "sql/eval/datetime.h"
#include "sql/eval/decimal.h"
#include "sql/eval/kernel.h"
#include "type/number.h"

/* java_double: from the shortest text: digits and where the point stands, as Double.toString has
 * them. */
void spk_sql_put_floating(spk_text *out, const char *text, size_t n)
{
    char digits[SPK_NUMBER_TEXT];
    int many = 0, point = 0, exponent = 0;
    size_t i = 0;
    bool seen = false;
    if (i < n && text[i] == '-') {
        spk_text_char(out, '-');
        i++;
    }
    if (i < n && (text[i] == 'i' || text[i] == 'I' || text[i] == 'n' || text[i] == 'N')) {
        spk_text_put(out, text[i] == 'i' || text[i] == 'I' ? "Infinity" : "NaN");
        return;
    }
    for (; i < n && text[i] != 'e' && text[i] != 'E'; i++) {
        if (text[i] == '.') {
            seen = true;
        } else if (many > 0 || text[i] != '0') {
            digits[many++] = text[i];
            point += !seen;
        } else {
            point -= seen;
        }
    }
    if (i < n) {
        const bool minus = text[++i] == '-';
        for (i += text[i] == '-' || text[i] == '+'; i < n; i++)
            exponent = exponent * 10 + (text[i] - '0');
        point += minus ? -exponent : exponent;
    }
    while (many > 0 && digits[many - 1] == '0')
        many--;
    if (many == 0) {
        spk_text_put(out, "0.0");
        return;
    }
    if (point > -3 && point <= 7) {
        if (point <= 0)
            spk_text_put(out, "0.");
        for (int k = point; k < 0; k++)
            spk_text_char(out, '0');
        for (int k = 0; k < many || k < point; k++) {
            if (k == point && point > 0)
                spk_text_char(out, '.');
            spk_text_char(out, k < many ? digits[k] : '0');
        }
        if (point >= many)
            spk_text_put(out, ".0");
        return;
    }
    spk_text_char(out, digits[0]);
    spk_text_char(out, '.');
    spk_text_bytes(out, digits + 1, (size_t)many - 1);
    if (many == 1)
        spk_text_char(out, '0');
    spk_text_char(out, 'E');
    spk_text_number(out, point - 1);
}

static void put_slot(spk_text *out, const spk_sql_type *type, const void *value, int32_t zone)
{
    if (value)
        spk_sql_put_value(out, type, value, zone);
    else
        spk_text_put(out, "null");
}

static void put_array(spk_text *out, const spk_sql_type *type, spk_sql_array a, int32_t zone)
{
    spk_text_char(out, '[');
    for (size_t i = 0; i < a.n; i++) {
        spk_text_put(out, i > 0 ? ", " : "");
        put_slot(out, type->of, spk_sql_slot(type, a, i), zone);
    }
    spk_text_char(out, ']');
}

static void put_map(spk_text *out, const spk_sql_type *type, spk_sql_array a, int32_t zone)
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

static void put_struct(spk_text *out, const spk_sql_type *type, const char *row, int32_t zone)
{
    spk_text_char(out, '{');
    for (uint32_t i = 0; i < type->n; i++) {
        spk_text_put(out, i > 0 ? ", " : "");
        put_slot(out, type->fields[i].type, spk_sql_member(type, row, i), zone);
    }
    spk_text_char(out, '}');
}

void spk_sql_put_value(spk_text *out, const spk_sql_type *type, const void *value, int32_t zone)
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
        spk_sql_put_floating(out, text, spk_print_f32(*(const float *)value, text));
        break;
    case SPK_SQL_DOUBLE:
        spk_sql_put_floating(out, text, spk_print_f64(*(const double *)value, text));
        break;
    case SPK_SQL_STRING:
    case SPK_SQL_BINARY:
        spk_text_bytes(out, s->ptr, s->len);
        break;
    case SPK_SQL_DATE:
        spk_put_date(out, *(const int32_t *)value);
        break;
    case SPK_SQL_TIMESTAMP:
        spk_put_timestamp(
            out, (int64_t)(*(const uint64_t *)value + (uint64_t)(zone * SPK_MICROS_SECOND)));
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
    const spk_sql_type *type, const void *value, int32_t zone, char *text, size_t size)
{
    spk_text out = spk_text_in(text, size);
    spk_sql_put_value(&out, type, value, zone);
    return spk_text_end(&out);
}
