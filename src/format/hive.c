/* SPDX-License-Identifier: Apache-2.0 */
/* Which characters are escaped is Spark's list (ExternalCatalogUtils), and the NUL, which no name may
 * hold. */
#include "format/hive.h"

#include <string.h>

#include "format/json_print.h"

enum { SCALAR_ROOM = 128 };

static bool is_odd(unsigned char c)
{
    return c < 0x20 || c == 0x7f || strchr("\"#%'*/:=?\\{[]^", c) != NULL;
}

bool spk_hive_fits(const spark_field *field)
{
    switch (spark_field_value_type(field)->kind) {
    case SPARK_KIND_LIST:
    case SPARK_KIND_OPTIONAL:
    case SPARK_KIND_PAIR:
    case SPARK_KIND_STRUCT:
    case SPARK_KIND_BLOB:
        return false;
    case SPARK_KIND_CHAR:
        return true;
    default:
        return field->count == 0;
    }
}

/* unquoted: n bytes without the quotes that JSON has around NaN and Infinity; how many those are. */
static size_t unquoted(char *text, size_t n)
{
    if (*text != '"')
        return n;
    memmove(text, text + 1, n - 2);
    return n - 2;
}

/* print_number: as Java does. */
static size_t print_number(const spark_type *type, const char *value, char *room)
{
    double x;
    float y;
    if (type->kind == SPARK_KIND_F32) {
        memcpy(&y, value, sizeof y);
        return unquoted(room, spk_json_print_f32(y, room));
    }
    memcpy(&x, value, sizeof x);
    return unquoted(room, spk_json_print_f64(x, room));
}

/* text_of: the value as Spark casts it to a string, in `room` where it is no text; of length 0: null. */
static spark_str text_of(const spark_field *field, const char *row, char room[SCALAR_ROOM])
{
    const spark_type *type = spark_field_value_type(field);
    const char *value = spark_row_at(row, field);
    spark_str s = { NULL, 0 };
    if (!value)
        return s;
    if (type->kind == SPARK_KIND_STR || type->kind == SPARK_KIND_BYTES) {
        memcpy(&s, value, sizeof s);
        return s;
    }
    if (type->kind == SPARK_KIND_CHAR && field->count > 0)
        return (spark_str) { value, strnlen(value, field->count) };
    if (type->kind == SPARK_KIND_F64 || type->kind == SPARK_KIND_F32)
        return (spark_str) { room, print_number(type, value, room) };
    return (spark_str) { room, spark_print(type, value, room, SCALAR_ROOM) };
}

/* escape: n bytes behind the `used` ones at `to`; how many there are then; 0: there is no room. */
static size_t escape(char *to, size_t used, size_t room, const char *p, size_t n)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)p[i];
        if (room - used < 4)
            return 0;
        if (!is_odd(c)) {
            to[used++] = (char)c;
            continue;
        }
        to[used++] = '%';
        to[used++] = digits[c >> 4];
        to[used++] = digits[c & 15];
    }
    return used;
}

size_t spk_hive_put(const spark_field *field, const char *row, char *to, size_t room)
{
    char scalar[SCALAR_ROOM];
    const spark_str s = text_of(field, row, scalar);
    size_t n = escape(to, 0, room, field->name, strlen(field->name));
    if (n == 0 || room - n < sizeof SPK_HIVE_NULL + 1)
        return 0;
    to[n++] = '=';
    if (s.len > 0)
        return escape(to, n, room, s.ptr, s.len);
    memcpy(to + n, SPK_HIVE_NULL, sizeof SPK_HIVE_NULL - 1);
    return n + sizeof SPK_HIVE_NULL - 1;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0'
        : c >= 'A' && c <= 'F'  ? c - 'A' + 10
        : c >= 'a' && c <= 'f'  ? c - 'a' + 10
                                : -1;
}

size_t spk_hive_read(const char *text, size_t n, char *to)
{
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        const bool escaped
            = text[i] == '%' && i + 2 < n && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0;
        to[used++] = escaped ? (char)(digit(text[i + 1]) << 4 | digit(text[i + 2])) : text[i];
        i += escaped ? 2 : 0;
    }
    return used;
}
