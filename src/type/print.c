/* SPDX-License-Identifier: Apache-2.0 */
/* Values as text, by a walk over their description. What does not fit any more is counted, so that
 * the caller learns in one call how much room the whole text needs. */
#include "type/leaf.h"
#include "type/number.h"

typedef struct sink {
    char *buffer;
    size_t size, length; /* length: of the whole text so far */
} sink;

static void put(sink *s, const void *text, size_t n)
{
    if (s->length < s->size) {
        const size_t room = s->size - s->length;
        const size_t fits = n < room ? n : room;
        if (fits > 0)
            memcpy(s->buffer + s->length, text, fits);
    }
    s->length += n;
}

static void put_char(sink *s, char c)
{
    put(s, &c, 1);
}

static void put_i64(sink *s, int64_t x)
{
    char text[SPK_NUMBER_TEXT];
    put(s, text, spk_print_i64(x, text));
}

/* put_padded: at least `width` digits. */
static void put_padded(sink *s, uint64_t x, size_t width)
{
    char text[SPK_NUMBER_TEXT];
    for (size_t n = spk_print_u64(x, text), i = n; i < width; i++)
        put_char(s, '0');
    put(s, text, spk_print_u64(x, text));
}

/* ---- scalars ---- */

static int64_t load_signed(const char *p, size_t size)
{
    int8_t i8;
    int16_t i16;
    int32_t i32;
    int64_t i64;
    switch (size) {
    case 1:
        memcpy(&i8, p, sizeof i8);
        return i8;
    case 2:
        memcpy(&i16, p, sizeof i16);
        return i16;
    case 4:
        memcpy(&i32, p, sizeof i32);
        return i32;
    default:
        memcpy(&i64, p, sizeof i64);
        return i64;
    }
}

static uint64_t load_unsigned(const char *p, size_t size)
{
    const uint64_t x = (uint64_t)load_signed(p, size);
    return size < 8 ? x & ((UINT64_C(1) << (8 * size)) - 1) : x;
}

static void put_unsigned(sink *s, uint64_t x)
{
    char text[SPK_NUMBER_TEXT];
    put(s, text, spk_print_u64(x, text));
}

static void put_f32(sink *s, const char *p)
{
    char text[SPK_NUMBER_TEXT];
    float x;
    memcpy(&x, p, sizeof x);
    put(s, text, spk_print_f32(x, text));
}

static void put_f64(sink *s, const char *p)
{
    char text[SPK_NUMBER_TEXT];
    double x;
    memcpy(&x, p, sizeof x);
    put(s, text, spk_print_f64(x, text));
}

static void put_decimal(sink *s, int64_t units, int scale)
{
    const uint64_t x = units < 0 ? 0 - (uint64_t)units : (uint64_t)units;
    uint64_t one = 1;
    for (int i = 0; i < scale; i++)
        one *= 10;
    if (units < 0)
        put_char(s, '-');
    put_unsigned(s, x / one);
    if (scale > 0) {
        put_char(s, '.');
        put_padded(s, x % one, (size_t)scale);
    }
}

/* put_date: days since 1970 as a date of the Gregorian calendar, also before its time. Counts from
 * 1 March of the year 0, so that a leap day ends its year, in eras of 400 years (after Howard
 * Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
static void put_date(sink *s, int64_t days)
{
    enum { ERA = 146097, TO_MARCH_0 = 719468 };
    days += TO_MARCH_0;
    const int64_t era = (days >= 0 ? days : days - (ERA - 1)) / ERA;
    const int64_t day = days - era * ERA;
    const int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    const int64_t of_year = day - (365 * year + year / 4 - year / 100);
    const int64_t month = (5 * of_year + 2) / 153; /* 0: March */
    const int64_t y = year + era * 400 + (month >= 10);
    if (y < 0)
        put_char(s, '-');
    put_padded(s, (uint64_t)(y < 0 ? -y : y), 4);
    put_char(s, '-');
    put_padded(s, (uint64_t)(month < 10 ? month + 3 : month - 9), 2);
    put_char(s, '-');
    put_padded(s, (uint64_t)(of_year - (153 * month + 2) / 5 + 1), 2);
}

static void put_time(sink *s, int64_t micros)
{
    const int64_t day = INT64_C(86400) * 1000000;
    const int64_t days = micros / day - (micros % day < 0);
    const uint64_t rest = (uint64_t)micros - (uint64_t)days * (uint64_t)day;
    const uint64_t seconds = rest / 1000000;
    uint64_t fraction = rest % 1000000;
    size_t digits = 6;
    put_date(s, days);
    put_char(s, ' ');
    put_padded(s, seconds / 3600, 2);
    put_char(s, ':');
    put_padded(s, seconds / 60 % 60, 2);
    put_char(s, ':');
    put_padded(s, seconds % 60, 2);
    if (fraction == 0)
        return;
    for (; fraction % 10 == 0; digits--)
        fraction /= 10;
    put_char(s, '.');
    put_padded(s, fraction, digits);
}

static void put_hex(sink *s, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        put_char(s, "0123456789abcdef"[(unsigned char)p[i] >> 4]);
        put_char(s, "0123456789abcdef"[(unsigned char)p[i] & 15]);
    }
}

/* ---- values ---- */

static void put_value(sink *s, const spark_type *type, const char *p);

static void put_items(sink *s, const spark_type *of, const char *p, size_t n)
{
    put_char(s, '[');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            put_char(s, ',');
        put_value(s, of, p + i * of->size);
    }
    put_char(s, ']');
}

static void put_list(sink *s, const spark_type *of, const char *p)
{
    spark_i64_list list;
    memcpy(&list, p, sizeof list);
    put_items(s, of, (const char *)list.at, list.n);
}

static void put_str(sink *s, const char *p)
{
    spark_str str;
    memcpy(&str, p, sizeof str);
    put(s, str.ptr, str.len);
}

static void put_members(sink *s, const spark_type *type, const char *p)
{
    put_char(s, '(');
    for (uint32_t i = 0; i < type->count; i++) {
        const spark_field *field = &type->fields[i];
        const char *at = p + field->offset;
        if (i > 0)
            put_char(s, ',');
        if (field->count == 0)
            put_value(s, field->type, at);
        else if (field->type->kind == SPARK_KIND_CHAR && !field->type->ops)
            put(s, at, strnlen(at, field->count));
        else
            put_items(s, field->type, at, field->count);
    }
    put_char(s, ')');
}

static void put_custom(sink *s, const spark_type *type, const char *p)
{
    const bool room = s->length < s->size;
    char none;
    s->length += type->ops->print(
        p, room ? s->buffer + s->length : &none, room ? s->size - s->length : 0);
}

static void put_value(sink *s, const spark_type *type, const char *p)
{
    if (type->ops && type->ops->print) {
        put_custom(s, type, p);
        return;
    }
    switch (type->kind) {
    case SPARK_KIND_BOOL:
        put(s, *p ? "true" : "false", *p ? 4 : 5);
        break;
    case SPARK_KIND_CHAR:
        put(s, p, *p != '\0');
        break;
    case SPARK_KIND_I8:
    case SPARK_KIND_I16:
    case SPARK_KIND_I32:
    case SPARK_KIND_I64:
        put_i64(s, load_signed(p, type->size));
        break;
    case SPARK_KIND_U8:
    case SPARK_KIND_U16:
    case SPARK_KIND_U32:
    case SPARK_KIND_U64:
        put_unsigned(s, load_unsigned(p, type->size));
        break;
    case SPARK_KIND_F32:
        put_f32(s, p);
        break;
    case SPARK_KIND_F64:
        put_f64(s, p);
        break;
    case SPARK_KIND_DECIMAL:
        put_decimal(s, load_signed(p, 8), type->scale);
        break;
    case SPARK_KIND_DATE:
        put_date(s, load_signed(p, 4));
        break;
    case SPARK_KIND_TIME:
        put_time(s, load_signed(p, 8));
        break;
    case SPARK_KIND_STR:
    case SPARK_KIND_BYTES:
        put_str(s, p);
        break;
    case SPARK_KIND_LIST:
        put_list(s, type->of, p);
        break;
    case SPARK_KIND_OPTIONAL:
        if (*p)
            put_value(s, type->of, p + spk_optional_offset(type->of->align));
        break;
    case SPARK_KIND_PAIR:
    case SPARK_KIND_STRUCT:
        put_members(s, type, p);
        break;
    case SPARK_KIND_BLOB:
        put_hex(s, p, type->size);
        break;
    }
}

size_t spark_print(const spark_type *type, const void *value, char *buffer, size_t size)
{
    sink s = { buffer, size, 0 };
    if (!type || !value)
        return 0;
    put_value(&s, type, value);
    return s.length;
}

size_t spk_value_print(const spk_layout *layout, const void *value, char *buffer, size_t size)
{
    return spark_print(layout->type, value, buffer, size);
}
