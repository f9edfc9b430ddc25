/* SPDX-License-Identifier: Apache-2.0 */
/* Values as JSON: a walk over the type, once to see how much room is needed at most, once to write. What
 * has no form in JSON, bytes of strings that are no UTF-8, is U+FFFD, so that a text is always JSON. */
#include "format/json_print.h"

#include "base/base64.h"
#include "type/leaf.h"
#include "type/number.h"

enum { SCALAR_ROOM = 64, SHORT = 64 };

/* sink: where text goes. */
typedef struct sink {
    const spk_json *json;
    char *to;
    size_t n;
} sink;

static void put(sink *s, const char *p, size_t n)
{
    if (n > 0)
        memcpy(s->to + s->n, p, n);
    s->n += n;
}

static void put_byte(sink *s, char c)
{
    s->to[s->n++] = c;
}

/* ---- strings ---- */

/* escaped: the byte as it stands in a string, in `text`; how many bytes that is. */
static size_t escaped(unsigned char c, char text[6])
{
    static const char signs[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt", hex[] = "0123456789ABCDEF";
    const char *at = c ? strchr(signs, c) : NULL;
    text[0] = '\\';
    if (at) {
        text[1] = letters[at - signs];
        return 2;
    }
    memcpy(text + 1, "u00", 3);
    text[4] = hex[c >> 4];
    text[5] = hex[c & 15];
    return 6;
}

/* put_unit: a unit of UTF-16, escaped. */
static void put_unit(sink *s, uint32_t c)
{
    static const char hex[] = "0123456789ABCDEF";
    const char text[] = { '\\', 'u', hex[c >> 12], hex[c >> 8 & 15], hex[c >> 4 & 15], hex[c & 15] };
    put(s, text, sizeof text);
}

/* put_guarded: one sign where a byte of line_sep must be escaped; returns how many bytes it has. */
static size_t put_guarded(sink *s, const char *p, const char *end)
{
    const unsigned char c = (unsigned char)*p;
    char bytes[6];
    if (c < ' ' || c == '"' || c == '\\') {
        put(s, bytes, escaped(c, bytes));
        return 1;
    }
    if (c < 0x80) {
        if (c == s->json->guard)
            put_unit(s, c);
        else
            put_byte(s, (char)c);
        return 1;
    }
    const size_t n = spk_json_sign(p, (size_t)(end - p));
    if (s->json->guard < 0x80) {
        put(s, n ? p : "\xef\xbf\xbd", n ? n : 3);
        return n ? n : 1;
    }
    uint32_t x = n == 0 ? 0xfffd : n == 2 ? c & 0x1f : n == 3 ? c & 0x0f : c & 0x07;
    for (size_t i = 1; i < n; i++)
        x = x << 6 | ((unsigned char)p[i] & 0x3f);
    if (x >= 0x10000)
        put_unit(s, 0xd800 + ((x - 0x10000) >> 10));
    put_unit(s, x >= 0x10000 ? 0xdc00 + (x & 0x3ff) : x);
    return n ? n : 1;
}

static void put_string(sink *s, spark_str text)
{
    const char *p = text.len > 0 ? text.ptr : "", *end = p + text.len;
    put_byte(s, '"');
    while (s->json->guard && p < end)
        p += put_guarded(s, p, end);
    while (p < end) {
        char bytes[6];
        const char *odd = spk_json_plain(p, end, '"');
        put(s, p, (size_t)(odd - p));
        p = odd;
        if (p == end)
            break;
        if ((unsigned char)*p < 0x80) {
            put(s, bytes, escaped((unsigned char)*p++, bytes));
            continue;
        }
        const size_t n = spk_json_sign(p, (size_t)(end - p));
        put(s, n ? p : "\xef\xbf\xbd", n ? n : 3);
        p += n ? n : 1;
    }
    put_byte(s, '"');
}

/* string_room: of long ones exactly as much as they need, of short ones six times their size. */
static size_t string_room(const spk_json *json, spark_str text)
{
    size_t n = text.len;
    if (n <= SHORT || json->guard)
        return 6 * n + 2;
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char c = (unsigned char)text.ptr[i];
        n += c < ' ' ? 5 : c == '"' || c == '\\' ? 1 : c >= 0x80 ? 2 : 0;
    }
    return n + 2;
}

static spark_str text_of(const spark_type *type, size_t count, const char *value)
{
    spark_str s;
    if (type->kind == SPARK_KIND_CHAR)
        return (spark_str) { value, strnlen(value, count ? count : 1) };
    memcpy(&s, value, sizeof s);
    return s;
}

/* ---- numbers ---- */

/* number: 0.d1d2d3... times 10^point. */
typedef struct number {
    char digits[SPK_NUMBER_TEXT];
    int n, point;
    bool minus;
} number;

/* number_of: of a text as spk_print_f64 writes it. */
static number number_of(const char *text, size_t size)
{
    const char *p = text, *end = text + size;
    number x = { .n = 0, .minus = *p == '-' };
    int exponent = 0;
    bool behind = false;
    for (p += x.minus; p < end && *p != 'e'; p++) {
        if (*p == '.') {
            behind = true;
        } else if (x.n > 0 || *p != '0') {
            x.digits[x.n++] = *p;
            x.point += !behind;
        } else {
            x.point -= behind;
        }
    }
    if (p < end) {
        const bool down = *++p == '-';
        for (p++; p < end; p++)
            exponent = exponent * 10 + (*p - '0');
        x.point += down ? -exponent : exponent;
    }
    while (x.n > 1 && x.digits[x.n - 1] == '0')
        x.n--;
    if (x.n == 0) {
        x.digits[x.n++] = '0';
        x.point = 1;
    }
    return x;
}

/* two_digits: where one digit would do, Java takes the two that come closest, which are others than that
 * digit and a zero only next to the smallest number there is. */
static void two_digits(number *x, double value)
{
    char text[SPK_NUMBER_TEXT];
    const int size = snprintf(text, sizeof text, "%.1e", value < 0 ? -value : value);
    const char *e = strchr(text, 'e');
    if (x->n > 1 || size < 0 || !e)
        return;
    x->digits[0] = text[0];
    x->digits[1] = e[-1]; /* whatever the locale has as a point */
    x->n = e[-1] == '0' ? 1 : 2;
    int exponent = 0;
    for (const char *p = e + 2; *p; p++)
        exponent = exponent * 10 + (*p - '0');
    x->point = (e[1] == '-' ? -exponent : exponent) + 1;
}

/* as_java: as Double.toString: at least one digit behind the point, and an exponent from 10^7 on and below
 * 10^-3. */
static size_t as_java(const number *x, char *to)
{
    const bool plain = x->point > -3 && x->point <= 7;
    const int first = plain ? x->point : 1; /* how many digits stand before the point */
    size_t used = 0;
    if (x->minus)
        to[used++] = '-';
    if (first <= 0)
        to[used++] = '0';
    for (int i = 0; i < first; i++)
        to[used++] = i < x->n ? x->digits[i] : '0';
    to[used++] = '.';
    for (int i = first; i < 0; i++)
        to[used++] = '0';
    for (int i = first > 0 ? first : 0; i < x->n; i++)
        to[used++] = x->digits[i];
    if (first >= x->n)
        to[used++] = '0';
    if (plain)
        return used;
    to[used++] = 'E';
    return used + spk_print_i64(x->point - 1, to + used);
}

static size_t by_name(double x, char *to)
{
    const char *name = x != x ? "\"NaN\"" : x > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    memcpy(to, name, strlen(name));
    return strlen(name);
}

size_t spk_json_print_f64(double x, char *to)
{
    char text[SPK_NUMBER_TEXT];
    if (x - x != 0)
        return by_name(x, to);
    number n = number_of(text, spk_print_f64(x, text));
    if (x != 0 && x < 1e-300 && x > -1e-300)
        two_digits(&n, x);
    return as_java(&n, to);
}

size_t spk_json_print_f32(float x, char *to)
{
    char text[SPK_NUMBER_TEXT];
    if (x - x != 0)
        return by_name((double)x, to);
    number n = number_of(text, spk_print_f32(x, text));
    if (x != 0 && x < 1e-37f && x > -1e-37f)
        two_digits(&n, (double)x);
    return as_java(&n, to);
}

/* print_decimal: as java.math.BigDecimal: with an exponent below 10^-6. */
static size_t print_decimal(const spark_type *type, const char *value, char *to)
{
    int64_t units;
    char digits[SPK_NUMBER_TEXT];
    memcpy(&units, value, sizeof units);
    const uint64_t x = units < 0 ? 0 - (uint64_t)units : (uint64_t)units;
    const size_t n = spk_print_u64(x, digits);
    const int exponent = (int)n - 1 - type->scale;
    size_t used = 0;
    if (exponent >= -6 || type->scale == 0)
        return spark_print(type, value, to, SCALAR_ROOM);
    if (units < 0)
        to[used++] = '-';
    to[used++] = digits[0];
    if (n > 1) {
        to[used++] = '.';
        memcpy(to + used, digits + 1, n - 1);
        used += n - 1;
    }
    to[used++] = 'E';
    return used + spk_print_i64(exponent, to + used);
}

/* ---- scalars ---- */

static void put_calendar(sink *s, const spark_type *type, const char *value)
{
    char text[SPK_PATTERN_TEXT];
    int64_t micros;
    int32_t days;
    size_t n;
    if (type->kind == SPARK_KIND_DATE) {
        memcpy(&days, value, sizeof days);
        n = spk_csv_print_date(&s->json->formats, days, text);
    } else {
        memcpy(&micros, value, sizeof micros);
        n = spk_csv_print_time(&s->json->formats, micros, text);
    }
    put_string(s, (spark_str) { text, n });
}

static void put_bytes(sink *s, const char *value)
{
    spark_bytes bytes;
    memcpy(&bytes, value, sizeof bytes);
    put_byte(s, '"');
    s->n += spk_base64(bytes.ptr, bytes.len, s->to + s->n);
    put_byte(s, '"');
}

static void put_scalar(sink *s, const spark_type *type, size_t count, const char *value)
{
    double x;
    float y;
    switch (type->kind) {
    case SPARK_KIND_STR:
    case SPARK_KIND_CHAR:
        put_string(s, text_of(type, count, value));
        break;
    case SPARK_KIND_BYTES:
        put_bytes(s, value);
        break;
    case SPARK_KIND_DATE:
    case SPARK_KIND_TIME:
        put_calendar(s, type, value);
        break;
    case SPARK_KIND_F64:
        memcpy(&x, value, sizeof x);
        s->n += spk_json_print_f64(x, s->to + s->n);
        break;
    case SPARK_KIND_F32:
        memcpy(&y, value, sizeof y);
        s->n += spk_json_print_f32(y, s->to + s->n);
        break;
    case SPARK_KIND_DECIMAL:
        s->n += print_decimal(type, value, s->to + s->n);
        break;
    case SPARK_KIND_BLOB:
        put(s, "null", 4);
        break;
    default:
        s->n += spark_print(type, value, s->to + s->n, SCALAR_ROOM);
    }
}

/* ---- values ---- */

static void put_value(sink *s, const spark_type *type, size_t count, const char *value);

static void put_elements(sink *s, const spark_type *of, const char *at, size_t n)
{
    put_byte(s, '[');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            put_byte(s, ',');
        put_value(s, of, 0, at + i * of->size);
    }
    put_byte(s, ']');
}

static void put_members(sink *s, const spark_type *type, const char *row)
{
    bool any = false;
    put_byte(s, '{');
    for (uint32_t i = 0; i < type->count; i++) {
        const spark_field *f = &type->fields[i];
        if (f->count == 0 && f->type->kind == SPARK_KIND_OPTIONAL && !row[f->offset] && s->json->ignore_null)
            continue;
        if (any)
            put_byte(s, ',');
        any = true;
        put_string(s, (spark_str) { f->name, strlen(f->name) });
        put_byte(s, ':');
        put_value(s, f->type, f->count, row + f->offset);
    }
    put_byte(s, '}');
}

/* list_of: its elements. */
static spark_i64_list list_of(const char *value)
{
    spark_i64_list list;
    memcpy(&list, value, sizeof list);
    return list;
}

static void put_value(sink *s, const spark_type *type, size_t count, const char *value)
{
    for (; type->kind == SPARK_KIND_OPTIONAL && *value; type = type->of)
        value += spk_optional_offset(type->of->align);
    if (count > 0 && type->kind != SPARK_KIND_CHAR) {
        put_elements(s, type, value, count);
        return;
    }
    switch (type->kind) {
    case SPARK_KIND_OPTIONAL:
        put(s, "null", 4);
        break;
    case SPARK_KIND_LIST: {
        const spark_i64_list list = list_of(value);
        put_elements(s, type->of, (const char *)list.at, list.n);
        break;
    }
    case SPARK_KIND_STRUCT:
    case SPARK_KIND_PAIR:
        put_members(s, type, value);
        break;
    default:
        put_scalar(s, type, count, value);
    }
}

size_t spk_json_print(const spk_json *json, const spark_type *type, const void *value, char *to)
{
    sink s = { json, to, 0 };
    put_value(&s, type, 0, value);
    return s.n;
}

/* ---- room ---- */

static size_t room(const spk_json *json, const spark_type *type, size_t count, const char *value);

static size_t elements_room(const spk_json *json, const spark_type *of, const char *at, size_t n)
{
    size_t all = 2;
    for (size_t i = 0; i < n; i++)
        all += room(json, of, 0, at + i * of->size) + 1;
    return all;
}

static size_t members_room(const spk_json *json, const spark_type *type, const char *row)
{
    size_t all = 2;
    for (uint32_t i = 0; i < type->count; i++) {
        const spark_field *f = &type->fields[i];
        all += string_room(json, (spark_str) { f->name, strlen(f->name) }) + 2
            + room(json, f->type, f->count, row + f->offset);
    }
    return all;
}

static size_t room(const spk_json *json, const spark_type *type, size_t count, const char *value)
{
    spark_bytes bytes;
    for (; type->kind == SPARK_KIND_OPTIONAL && *value; type = type->of)
        value += spk_optional_offset(type->of->align);
    if (count > 0 && type->kind != SPARK_KIND_CHAR)
        return elements_room(json, type, value, count);
    switch (type->kind) {
    case SPARK_KIND_LIST: {
        const spark_i64_list list = list_of(value);
        return elements_room(json, type->of, (const char *)list.at, list.n);
    }
    case SPARK_KIND_STRUCT:
    case SPARK_KIND_PAIR:
        return members_room(json, type, value);
    case SPARK_KIND_STR:
    case SPARK_KIND_CHAR:
        return string_room(json, text_of(type, count, value));
    case SPARK_KIND_BYTES:
        memcpy(&bytes, value, sizeof bytes);
        return bytes.len / 3 * 4 + 6;
    case SPARK_KIND_DATE:
    case SPARK_KIND_TIME:
        return json->formats.has_date || json->formats.has_time ? 6 * SPK_PATTERN_TEXT : SCALAR_ROOM;
    default:
        return SCALAR_ROOM;
    }
}

size_t spk_json_room(const spk_json *json, const spark_type *type, const void *value)
{
    return room(json, type, 0, value);
}
