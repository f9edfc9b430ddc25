/* SPDX-License-Identifier: Apache-2.0 */
/* Rows as CSV. What is quoted, and how, follows the writer that Spark uses (univocity's CsvWriter): a
 * value is quoted where reading it would give something else; blanks at its ends go first, unless they
 * are to stay; within quotes, quotes are escaped, and so are escapes. */
#include "format/csv.h"
#include "format/json_print.h"
#include "type/layout.h"
#include "type/number.h"

enum { SCALAR_ROOM = SPK_PATTERN_TEXT };

/* sink: where text goes; NULL: it is only counted. */
typedef struct sink {
    char *to;
    size_t n;
} sink;

static void put(sink *s, const char *p, size_t n)
{
    memcpy(s->to + s->n, p, n);
    s->n += n;
}

static void put_byte(sink *s, int byte)
{
    s->to[s->n++] = (char)byte;
}

static bool is_blank(char c)
{
    return (unsigned char)c <= ' ';
}

static spark_str trim(const spk_csv *csv, spark_str s)
{
    while (csv->trim_front && s.len > 0 && is_blank(*s.ptr))
        s.ptr++, s.len--;
    while (csv->trim_back && s.len > 0 && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

static bool has(spark_str s, int byte)
{
    return byte >= 0 && s.len > 0 && memchr(s.ptr, byte, s.len);
}

/* must_quote: a value that is read as another one without quotes. */
static bool must_quote(const spk_csv *csv, spark_str s)
{
    if (csv->quote < 0 || s.len == 0)
        return false;
    if (csv->quote_all || (unsigned char)*s.ptr == csv->comment || (unsigned char)*s.ptr == csv->quote)
        return true;
    if (has(s, (unsigned char)csv->sep[0]) || has(s, '\n') || has(s, '\r')
        || (csv->line_sep_n > 0 && has(s, (unsigned char)csv->line_sep[0])))
        return true;
    return csv->escape_quotes && has(s, csv->quote);
}

static void put_quoted(sink *out, const spk_csv *csv, spark_str s)
{
    put_byte(out, csv->quote);
    for (size_t i = 0; i < s.len; i++) {
        const int byte = (unsigned char)s.ptr[i];
        if (byte == csv->quote)
            put_byte(out, csv->escape >= 0 ? csv->escape : csv->quote);
        else if (byte == csv->escape && csv->escape_escape >= 0)
            put_byte(out, csv->escape_escape);
        put_byte(out, byte);
    }
    put_byte(out, csv->quote);
}

static void put_text(sink *out, const spk_csv *csv, spark_str s)
{
    s = trim(csv, s);
    if (s.len == 0)
        put(out, csv->empty_value.ptr, csv->empty_value.len);
    else if (must_quote(csv, s))
        put_quoted(out, csv, s);
    else
        put(out, s.ptr, s.len);
}

/* ---- values ---- */

size_t spk_csv_print_time(const spk_csv *csv, int64_t micros, char *to)
{
    static const char *const millis = "yyyy-MM-dd'T'HH:mm:ss.SSSXXX";
    static const char *const all = "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX";
    spk_pattern pattern;
    spk_failure failure;
    if (csv->has_time)
        return spk_pattern_print(&csv->time, micros, to);
    spk_pattern_compile(&pattern, micros % 1000 == 0 ? millis : all, &failure);
    return spk_pattern_print(&pattern, micros, to);
}

size_t spk_csv_print_date(const spk_csv *csv, int32_t days, char *to)
{
    if (csv->has_date)
        return spk_pattern_print_date(&csv->date, days, to);
    const bool far = days >= 2932897; /* from the year 10000 on with a sign, as Java has it */
    if (far)
        *to = '+';
    return far + spark_print(SPARK_TYPE(spark_date), &days, to + far, SCALAR_ROOM - 1);
}

static size_t print_double(double x, char *to)
{
    const char *name = x != x ? "NaN" : x > 0 ? "Infinity" : "-Infinity";
    if (x - x == 0)
        return spk_json_print_f64(x, to);
    memcpy(to, name, strlen(name));
    return strlen(name);
}

static size_t print_float(float x, char *to)
{
    return x - x == 0 ? spk_json_print_f32(x, to) : print_double((double)x, to);
}

/* scalar: a value that is no string, as text. */
static size_t scalar(const spk_csv *csv, const spark_type *type, const char *value, char *to)
{
    double x;
    float y;
    int64_t micros;
    int32_t days;
    switch (type->kind) {
    case SPARK_KIND_F64:
        memcpy(&x, value, sizeof x);
        return print_double(x, to);
    case SPARK_KIND_F32:
        memcpy(&y, value, sizeof y);
        return print_float(y, to);
    case SPARK_KIND_TIME:
        memcpy(&micros, value, sizeof micros);
        return spk_csv_print_time(csv, micros, to);
    case SPARK_KIND_DATE:
        memcpy(&days, value, sizeof days);
        return spk_csv_print_date(csv, days, to);
    default:
        return spark_print(type, value, to, SCALAR_ROOM);
    }
}

/* text_of: the value of a member as text, in `room` where it is no string; ptr NULL: it is absent. */
static spark_str text_of(
    const spk_csv *csv, const spark_field *field, const char *row, char room[SCALAR_ROOM])
{
    const spark_type *type = spark_field_value_type(field);
    const char *value = spark_row_at(row, field);
    spark_str s = { NULL, 0 };
    if (!value)
        return s;
    if (type->kind == SPARK_KIND_STR || type->kind == SPARK_KIND_BYTES) {
        memcpy(&s, value, sizeof s);
        s.ptr = s.ptr ? s.ptr : "";
        return s;
    }
    if (type->kind == SPARK_KIND_CHAR && field->count > 0)
        return (spark_str) { value, strnlen(value, field->count) };
    return (spark_str) { room, scalar(csv, type, value, room) };
}

static void put_line_end(sink *out, const spk_csv *csv)
{
    if (csv->line_sep_n > 0)
        put(out, csv->line_sep, csv->line_sep_n);
    else
        put_byte(out, '\n');
}

size_t spk_csv_row_room(const spk_csv *csv, const spark_type *type, const char *row)
{
    char room[SCALAR_ROOM];
    size_t n = 2;
    for (uint32_t i = 0; i < type->count; i++)
        n += 2 * text_of(csv, &type->fields[i], row, room).len + csv->null_value.len
            + csv->empty_value.len + SPK_CSV_SEP + 2;
    return n;
}

size_t spk_csv_print(const spk_csv *csv, const spark_type *type, const char *row, char *to)
{
    char room[SCALAR_ROOM];
    sink out = { to, 0 };
    for (uint32_t i = 0; i < type->count; i++) {
        const spark_str s = text_of(csv, &type->fields[i], row, room);
        if (i > 0)
            put(&out, csv->sep, csv->sep_n);
        if (s.ptr)
            put_text(&out, csv, s);
        else
            put(&out, csv->null_value.ptr, csv->null_value.len);
    }
    if (out.n == 0) /* an empty line is no row */
        put(&out, csv->empty_value.ptr, csv->empty_value.len);
    put_line_end(&out, csv);
    return out.n;
}

size_t spk_csv_header_room(const spk_csv *csv, const spark_type *type)
{
    size_t n = 2;
    for (uint32_t i = 0; i < type->count; i++)
        n += 2 * strlen(type->fields[i].name) + csv->empty_value.len + SPK_CSV_SEP + 2;
    return n;
}

size_t spk_csv_print_header(const spk_csv *csv, const spark_type *type, char *to)
{
    sink out = { to, 0 };
    for (uint32_t i = 0; i < type->count; i++) {
        if (i > 0)
            put(&out, csv->sep, csv->sep_n);
        put_text(&out, csv, (spark_str) { type->fields[i].name, strlen(type->fields[i].name) });
    }
    put_line_end(&out, csv);
    return out.n;
}
