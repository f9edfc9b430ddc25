/* SPDX-License-Identifier: Apache-2.0 */
/* Literals: numbers, typed ones, intervals. */
#include "base/small.h"

#include "sql/eval/cast.h"
#include "sql/eval/kernel.h"
#include "sql/eval/resolve.h"
#include "sql/eval/zone.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <strings.h>

/* ---- numbers ---- */

static SPK_COLD spk_sql_expr *out_of_type(spk_sql_build *b, const char *digits, size_t n, const char *type,
    const char *least, const char *most, spk_sql_span span)
{
    if (spk_sql_fail(b->error, "INVALID_NUMERIC_LITERAL_RANGE", span)) {
        spk_sql_param(b->error, "maxValue", "%s", most);
        spk_sql_param(b->error, "minValue", "%s", least);
        spk_sql_param(b->error, "rawStrippedQualifier", "%.*s", (int)n, digits);
        spk_sql_param(b->error, "typeName", "%s", type);
    }
    return NULL;
}

static SPK_COLD spk_sql_expr *integer(
    spk_sql_build *b, const char *text, size_t n, char suffix, spk_sql_span span)
{
    int64_t x;
    const bool small = suffix == 'y' || suffix == 's';
    const int64_t most = suffix == 'y' ? INT8_MAX : suffix == 's' ? INT16_MAX : INT64_MAX;
    if (!spk_sql_text_integer(text, n, -most - 1, most, &x)) {
        if (suffix == 'y')
            return out_of_type(b, text, n, "tinyint", "-128", "127", span);
        if (small)
            return out_of_type(b, text, n, "smallint", "-32768", "32767", span);
        return out_of_type(
            b, text, n, "bigint", "-9223372036854775808", "9223372036854775807", span);
    }
    const int8_t y = (int8_t)x;
    const int16_t h = (int16_t)x;
    const int32_t i = (int32_t)x;
    if (suffix == 'y')
        return spk_sql_constant(b, spk_sql_type_of(SPK_SQL_TINYINT), &y, span);
    if (suffix == 's')
        return spk_sql_constant(b, spk_sql_type_of(SPK_SQL_SMALLINT), &h, span);
    if (suffix == 'l' || x != i)
        return spk_sql_constant(b, spk_sql_type_of(SPK_SQL_BIGINT), &x, span);
    return spk_sql_constant(b, spk_sql_type_of(SPK_SQL_INT), &i, span);
}

static SPK_COLD spk_sql_expr *decimal(spk_sql_build *b, const char *text, size_t n, spk_sql_span span)
{
    int digits = 0, scale = 0, exponent = 0;
    bool point = false;
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '.') {
            point = true;
        } else if (text[i] >= '0' && text[i] <= '9') {
            digits += digits > 0 || text[i] != '0';
            scale += point;
        } else if ((text[i] | 0x20) == 'e') {
            const bool minus = i + 1 < n && text[i + 1] == '-';
            for (i += i + 1 < n && (minus || text[i + 1] == '+') ? 2 : 1; i < n && exponent < 10000;
                 i++)
                exponent = exponent * 10 + (text[i] - '0');
            exponent = minus ? -exponent : exponent;
            break;
        }
    }
    scale -= exponent;
    if (scale < 0) {
        digits -= scale;
        scale = 0;
    }
    const int precision = digits > scale ? digits : scale;
    spk_i128 units;
    if (precision > SPK_SQL_DECIMAL_MAX || spk_decimal_parse(text, n, scale, &units) != 1) {
        char number[16];
        snprintf(number, sizeof number, "%d", precision);
        spk_sql_fail2(b->error, "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", span, "maxPrecision",
            "38", "precision", number);
        return NULL;
    }
    const spk_sql_type *type = spk_sql_type_decimal(b->arena, precision > 0 ? precision : 1, scale);
    if (!type) {
        spk_sql_nomem(b->error);
        return NULL;
    }
    spk_sql_wide value;
    spk_sql_units_set(type, &value, units);
    return spk_sql_constant(b, type, &value, span);
}

static SPK_COLD spk_sql_expr *floating(
    spk_sql_build *b, const char *text, size_t n, bool narrow, spk_sql_span span)
{
    double x;
    if (!spk_sql_text_double(text, n, &x) || !(fabs(x) <= (narrow ? FLT_MAX : DBL_MAX)))
        return narrow ? out_of_type(
                   b, text, n, "float", "-3.4028234663852886E+38", "3.4028234663852886E+38", span)
                      : out_of_type(b, text, n, "double", "-1.7976931348623157E+308",
                          "1.7976931348623157E+308", span);
    const float y = (float)x;
    return narrow ? spk_sql_constant(b, spk_sql_type_of(SPK_SQL_FLOAT), &y, span)
                  : spk_sql_constant(b, spk_sql_type_of(SPK_SQL_DOUBLE), &x, span);
}

SPK_COLD spk_sql_expr *spk_sql_number(spk_sql_build *b, const char *text, size_t n, spk_sql_span span)
{
    bool point = false, exponent = false;
    const char last = n > 0 ? (char)(text[n - 1] | 0x20) : 0;
    for (size_t i = 0; i < n; i++) {
        point |= text[i] == '.';
        exponent |= (text[i] | 0x20) == 'e';
    }
    if (n > 2 && last == 'd' && (text[n - 2] | 0x20) == 'b')
        return decimal(b, text, n - 2, span);
    if (last == 'd' || last == 'f')
        return floating(b, text, n - 1, last == 'f', span);
    if (last == 'l' || last == 's' || last == 'y')
        return integer(b, text, n - 1, last, span);
    if (exponent)
        return floating(b, text, n, false, span);
    int64_t x;
    if (point || !spk_sql_text_integer(text, n, INT64_MIN, INT64_MAX, &x))
        return decimal(b, text, n, span);
    return integer(b, text, n, 0, span);
}

/* ---- DATE '..' and its kin ---- */

static bool is_name(const char *a, const char *upper)
{
    for (; *a && *upper; a++, upper++)
        if ((*a >= 'a' && *a <= 'z' ? *a & ~0x20 : *a) != *upper)
            return false;
    return *a == *upper;
}

static SPK_COLD spk_sql_expr *bad_literal(
    spk_sql_build *b, const char *kind, const char *text, size_t n, spk_sql_span span)
{
    char value[300], type[64];
    size_t i = 0;
    snprintf(value, sizeof value, "'%.*s'", (int)n, text);
    type[i++] = '"';
    for (; *kind && i < sizeof type - 2; kind++)
        type[i++] = (char)(*kind >= 'a' && *kind <= 'z' ? *kind & ~0x20 : *kind);
    type[i++] = '"';
    type[i] = '\0';
    spk_sql_fail2(b->error, "INVALID_TYPED_LITERAL", span, "value", value, "valueType", type);
    return NULL;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'                  ? c - '0'
        : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                 : -1;
}

static SPK_COLD spk_sql_expr *hexadecimal(spk_sql_build *b, const char *text, size_t n, spk_sql_span span)
{
    char *own = spk_arena_alloc(b->arena, n + 1, 1);
    size_t m = 0, i = 0;
    int high = 0;
    if (!own) {
        spk_sql_nomem(b->error);
        return NULL;
    }
    for (bool half = n % 2 == 1; i < n; i++, half = !half) {
        const int d = hex_digit(text[i]);
        if (d < 0)
            return bad_literal(b, "X", text, n, span);
        if (half)
            own[m++] = (char)(high << 4 | d);
        high = half ? 0 : d;
    }
    const spark_str s = { own, m };
    return spk_sql_constant(b, spk_sql_type_of(SPK_SQL_BINARY), &s, span);
}

/* special: words for moments, perhaps with a zone behind them: 'epoch', 'now', 'today', 'tomorrow UTC'. */
static SPK_COLD bool special(spk_sql_build *b, const spk_zone *zone, const char *text, size_t n, int64_t *micros)
{
    static const char *const words[] = { "epoch", "now", "today", "yesterday", "tomorrow" };
    const int64_t now = b->session ? b->session->now : 0;
    spk_zone own;
    for (; n > 0 && (unsigned char)*text <= ' '; n--)
        text++;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const size_t size = strlen(words[i]);
        if (n < size || strncasecmp(text, words[i], size) != 0)
            continue;
        const char *at = text + size;
        while (at < text + n && *at == ' ')
            at++;
        if (at < text + n
            && !(zone = spk_zone_find(b->session ? b->session->zones : NULL, at, n - (size_t)(at - text), &own)))
            return false;
        const int64_t day = spk_floor_div(spk_zone_local(zone, now), SPK_MICROS_DAY) + (i == 4) - (i == 3);
        *micros = i == 0 ? 0 : i == 1 ? now : spk_zone_moment(zone, day * SPK_MICROS_DAY);
        return true;
    }
    return false;
}

SPK_COLD spk_sql_expr *spk_sql_typed(
    spk_sql_build *b, const char *kind, const char *text, size_t n, spk_sql_span span)
{
    const spk_sql_session *session = b->session;
    const spk_zone *zone = session ? session->zone : NULL;
    spk_zones *zones = session ? session->zones : NULL;
    int64_t x;
    int32_t days;
    if (is_name(kind, "X"))
        return hexadecimal(b, text, n, span);
    if (is_name(kind, "DATE") && special(b, zone, text, n, &x))
        days = x == 0 ? 0 : (int32_t)spk_floor_div(spk_zone_local(zone, x), SPK_MICROS_DAY);
    else if (is_name(kind, "DATE") && !spk_read_date(text, n, &days))
        return bad_literal(b, kind, text, n, span);
    if (is_name(kind, "DATE"))
        return spk_sql_constant(b, spk_sql_type_of(SPK_SQL_DATE), &days, span);
    if (is_name(kind, "TIMESTAMP") || is_name(kind, "TIMESTAMP_LTZ"))
        return special(b, zone, text, n, &x)
                || (b->session ? spk_read_moment(text, n, zone, zones, b->session->now, &x)
                               : spk_read_timestamp(text, n, zone, zones, &x))
            ? spk_sql_constant(b, spk_sql_type_of(SPK_SQL_TIMESTAMP), &x, span)
            : bad_literal(b, kind, text, n, span);
    if (is_name(kind, "TIMESTAMP_NTZ"))
        return spk_read_timestamp(text, n, NULL, zones, &x)
            ? spk_sql_constant(b, spk_sql_type_of(SPK_SQL_TIMESTAMP_NTZ), &x, span)
            : bad_literal(b, kind, text, n, span);
    if (is_name(kind, "TIME"))
        return spk_read_time(text, n, &x)
            ? spk_sql_constant(b, spk_sql_type_of(SPK_SQL_TIME), &x, span)
            : bad_literal(b, kind, text, n, span);
    char value[64];
    snprintf(value, sizeof value, "\"%s\"", kind);
    spk_sql_fail2(b->error, "UNSUPPORTED_TYPED_LITERAL", span, "supportedTypes",
        "\"DATE\", \"TIMESTAMP_NTZ\", \"TIMESTAMP_LTZ\", \"TIMESTAMP\", \"INTERVAL\", \"X\", "
        "\"TIME\"",
        "unsupportedType", value);
    return NULL;
}

/* ---- intervals ---- */

typedef struct unit_name {
    const char *name;
    int64_t months, micros;
    spk_sql_unit unit;
} unit_name;

static const unit_name *unit_of(const char *text, size_t n)
{
    static const unit_name units[] = { { "year", 12, 0, SPK_SQL_YEAR },
        { "month", 1, 0, SPK_SQL_MONTH }, { "week", 0, 7 * SPK_MICROS_DAY, SPK_SQL_DAY },
        { "day", 0, SPK_MICROS_DAY, SPK_SQL_DAY }, { "hour", 0, INT64_C(3600000000), SPK_SQL_HOUR },
        { "minute", 0, 60000000, SPK_SQL_MINUTE }, { "second", 0, 1000000, SPK_SQL_SECOND },
        { "millisecond", 0, 1000, SPK_SQL_SECOND }, { "microsecond", 0, 1, SPK_SQL_SECOND } };
    char lower[16];
    if (n == 0 || n >= sizeof lower)
        return NULL;
    for (size_t i = 0; i < n; i++)
        lower[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] | 0x20 : text[i]);
    if (lower[n - 1] == 's')
        n--;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strlen(units[i].name) == n && memcmp(units[i].name, lower, n) == 0)
            return &units[i];
    return NULL;
}

static SPK_COLD spk_sql_expr *interval_constant(
    spk_sql_build *b, const spk_sql_type *type, int64_t value, spk_sql_span span)
{
    const int32_t months = (int32_t)value;
    return spk_sql_constant(b, type,
        type && type->kind == SPK_SQL_INTERVAL_MONTHS ? (const void *)&months : &value, span);
}

static SPK_COLD spk_sql_expr *bad_interval(spk_sql_build *b, const char *text, size_t n, spk_sql_span span)
{
    return bad_literal(b, "INTERVAL", text, n, span);
}

SPK_COLD spk_sql_expr *spk_sql_interval(spk_sql_build *b, const char *text, size_t n, const char *first,
    const char *last, spk_sql_span span)
{
    const unit_name *from = unit_of(first, strlen(first)), *to = unit_of(last, strlen(last));
    int64_t value;
    if (!from || !to || from->unit > to->unit || (from->months > 0) != (to->months > 0))
        return bad_interval(b, text, n, span);
    const spk_sql_type *type = spk_sql_type_interval(b->arena, from->unit, to->unit);
    if (!type) {
        spk_sql_nomem(b->error);
        return NULL;
    }
    if (from->unit == to->unit) {
        const char *parts[2] = { spk_sql_keep(b, text, n), first };
        return spk_sql_interval_sum(b, parts, 2, NULL, 0, span);
    }
    if (!spk_read_interval(text, n, type, &value)) {
        const bool seconds = type->kind == SPK_SQL_INTERVAL_SECONDS;
        if (spk_sql_fail(b->error,
                seconds ? "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING_WITH_NOTICE"
                        : "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING",
                span))
            spk_sql_param(b->error, "input", "%.*s", (int)(n < 200 ? n : 200), text);
        return NULL;
    }
    return interval_constant(b, type, value, span);
}

/* amount: a number with a fraction, which only seconds may have: in units of 10^-9. */
static bool amount(const char *p, size_t n, int64_t *whole, int64_t *nanos, bool *negative)
{
    const char *end = p + n;
    int digits = 0;
    bool any = false;
    *whole = *nanos = 0;
    *negative = false;
    while (p < end && *p == ' ')
        p++;
    while (end > p && end[-1] == ' ')
        end--;
    if (p < end && (*p == '-' || *p == '+'))
        *negative = *p++ == '-';
    for (; p < end && *p >= '0' && *p <= '9'; p++, any = true)
        if (__builtin_mul_overflow(*whole, 10, whole)
            || __builtin_add_overflow(*whole, *p - '0', whole))
            return false;
    if (p < end && *p == '.')
        for (p++; p < end && *p >= '0' && *p <= '9' && digits < 9; p++, digits++, any = true)
            *nanos = *nanos * 10 + (*p - '0');
    for (; digits < 9; digits++)
        *nanos *= 10;
    return any && p == end;
}

typedef struct sum {
    int64_t months, micros;
    spk_sql_unit first, last;
    bool any, has_months, has_micros;
} sum;

static bool add(sum *s, const char *value, size_t n, const unit_name *unit, bool minus)
{
    int64_t whole, nanos, part;
    bool negative;
    if (!unit || !amount(value, n, &whole, &nanos, &negative)
        || (nanos != 0 && unit->unit != SPK_SQL_SECOND))
        return false;
    const bool months = unit->months > 0;
    if (__builtin_mul_overflow(whole, months ? unit->months : unit->micros, &part)
        || __builtin_add_overflow(part, nanos * unit->micros / 1000000000, &part))
        return false;
    part = negative != minus ? -part : part;
    int64_t *total = months ? &s->months : &s->micros;
    if (__builtin_add_overflow(*total, part, total))
        return false;
    s->has_months |= months;
    s->has_micros |= !months;
    if (!s->any || unit->unit < s->first)
        s->first = unit->unit;
    if (!s->any || unit->unit > s->last)
        s->last = unit->unit;
    s->any = true;
    return true;
}

/* from_text: "1 day -2 hours", "interval 3 years". */
static bool from_text(sum *s, const char *p, size_t n)
{
    const char *end = p + n;
    bool minus = false;
    while (p < end && (unsigned char)*p <= ' ')
        p++;
    if (end - p > 8 && (p[0] | 0x20) == 'i' && (p[7] | 0x20) == 'l')
        p += 8;
    for (;;) {
        while (p < end && (unsigned char)*p <= ' ')
            p++;
        if (p == end)
            return s->any;
        minus = *p == '-';
        if (*p == '-' || *p == '+')
            p++;
        while (p < end && (unsigned char)*p <= ' ')
            p++;
        const char *value = p;
        while (p < end && ((*p >= '0' && *p <= '9') || *p == '.'))
            p++;
        const size_t digits = (size_t)(p - value);
        while (p < end && (unsigned char)*p <= ' ')
            p++;
        const char *unit = p;
        while (p < end && (*p | 0x20) >= 'a' && (*p | 0x20) <= 'z')
            p++;
        if (digits == 0 || !add(s, value, digits, unit_of(unit, (size_t)(p - unit)), minus))
            return false;
        if (p < end && (unsigned char)*p > ' ' && *p != '-' && *p != '+')
            return false;
    }
}

SPK_COLD spk_sql_expr *spk_sql_interval_sum(spk_sql_build *b, const char *const *parts, size_t n_parts,
    const char *text, size_t n, spk_sql_span span)
{
    sum s = { 0 };
    bool good = true;
    for (size_t i = 0; i + 1 < n_parts && good; i += 2)
        good = add(
            &s, parts[i], strlen(parts[i]), unit_of(parts[i + 1], strlen(parts[i + 1])), false);
    if (n_parts == 0)
        good = from_text(&s, text, n);
    if (good && s.has_months && s.has_micros) {
        spk_sql_fail1(b->error, "_LEGACY_ERROR_TEMP_0029", span, "literal", "an interval of months and days");
        return NULL;
    }
    if (!good || !s.any || s.months != (int32_t)s.months)
        return bad_interval(b, text ? text : parts[0], text ? n : strlen(parts[0]), span);
    const spk_sql_type *type = spk_sql_type_interval(b->arena, s.first, s.last);
    if (!type)
        spk_sql_nomem(b->error);
    return interval_constant(b, type, s.has_months ? s.months : s.micros, span);
}
