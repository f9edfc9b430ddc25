/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of any struct type, read through its fields. */
#include <spark/row.h>

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool like(const char *a, const char *b)
{
    for (; *a && (*a == *b || (is_letter(*a) && (*a | 0x20) == (*b | 0x20))); a++)
        b++;
    return *a == *b;
}

const spark_field *spark_field_find(const spark_type *type, const char *name)
{
    const spark_field *found = NULL;
    if (!type || !name || (type->kind != SPARK_KIND_STRUCT && type->kind != SPARK_KIND_PAIR))
        return NULL;
    for (uint32_t i = 0; i < type->count; i++)
        if (strcmp(type->fields[i].name, name) == 0)
            return &type->fields[i];
    for (uint32_t i = 0; i < type->count; i++)
        if (like(type->fields[i].name, name)) {
            if (found)
                return NULL;
            found = &type->fields[i];
        }
    return found;
}

bool spark_field_nullable(const spark_field *field)
{
    return field && field->count == 0 && field->type->kind == SPARK_KIND_OPTIONAL;
}

const spark_type *spark_field_value_type(const spark_field *field)
{
    return spark_field_nullable(field) ? field->type->of : field ? field->type : NULL;
}

const void *spark_row_of(const spark_array *array, size_t i)
{
    if (!array || !array->items || i >= array->n)
        return NULL;
    return (const char *)array->items + i * array->type->size;
}

const void *spark_row_at(const void *row, const spark_field *field)
{
    if (!row || !field)
        return NULL;
    const char *at = (const char *)row + field->offset;
    if (!spark_field_nullable(field))
        return at;
    return *at ? at + field->type->of->align : NULL; /* where C puts the value behind the bool */
}

/* value_of: where the one value of such a kind is; NULL: it is absent, or another kind. */
static const void *value_of(const void *row, const spark_field *field, spark_kind kind)
{
    const void *at = spark_row_at(row, field);
    return at && field->count == 0 && spark_field_value_type(field)->kind == kind ? at : NULL;
}

bool spark_row_bool(const void *row, const spark_field *field, bool *out)
{
    const void *at = value_of(row, field, SPARK_KIND_BOOL);
    if (at)
        memcpy(out, at, sizeof *out);
    return at != NULL;
}

bool spark_row_date(const void *row, const spark_field *field, spark_date *out)
{
    const void *at = value_of(row, field, SPARK_KIND_DATE);
    if (at)
        memcpy(out, at, sizeof *out);
    return at != NULL;
}

bool spark_row_time(const void *row, const spark_field *field, spark_time *out)
{
    const void *at = value_of(row, field, SPARK_KIND_TIME);
    if (at)
        memcpy(out, at, sizeof *out);
    return at != NULL;
}

/* load: a number of the C type at `at`, converted. */
#define LOAD(T)                                                                                    \
    do {                                                                                           \
        T x_;                                                                                      \
        memcpy(&x_, at, sizeof x_);                                                                \
        *out = (__typeof__(*out))x_;                                                               \
        return true;                                                                               \
    } while (0)

static bool load_i64(spark_kind kind, const void *at, int64_t *out)
{
    uint64_t large;
    switch (kind) {
    case SPARK_KIND_I8:
        LOAD(int8_t);
    case SPARK_KIND_I16:
        LOAD(int16_t);
    case SPARK_KIND_I32:
        LOAD(int32_t);
    case SPARK_KIND_I64:
        LOAD(int64_t);
    case SPARK_KIND_U8:
        LOAD(uint8_t);
    case SPARK_KIND_U16:
        LOAD(uint16_t);
    case SPARK_KIND_U32:
        LOAD(uint32_t);
    case SPARK_KIND_U64:
        memcpy(&large, at, sizeof large);
        if (large > INT64_MAX)
            return false;
        *out = (int64_t)large;
        return true;
    default:
        return false;
    }
}

bool spark_row_i64(const void *row, const spark_field *field, int64_t *out)
{
    const void *at = spark_row_at(row, field);
    return at && field->count == 0 && load_i64(spark_field_value_type(field)->kind, at, out);
}

static bool load_f64(const spark_type *type, const void *at, double *out)
{
    int64_t whole;
    double unit = 1;
    switch (type->kind) {
    case SPARK_KIND_F32:
        LOAD(float);
    case SPARK_KIND_F64:
        LOAD(double);
    case SPARK_KIND_U64:
        LOAD(uint64_t);
    case SPARK_KIND_DECIMAL:
        memcpy(&whole, at, sizeof whole);
        for (int i = 0; i < type->scale; i++)
            unit *= 10;
        *out = (double)whole / unit;
        return true;
    default:
        if (!load_i64(type->kind, at, &whole))
            return false;
        *out = (double)whole;
        return true;
    }
}

bool spark_row_f64(const void *row, const spark_field *field, double *out)
{
    const void *at = spark_row_at(row, field);
    return at && field->count == 0 && load_f64(spark_field_value_type(field), at, out);
}

bool spark_row_str(const void *row, const spark_field *field, spark_str *out)
{
    const void *at = spark_row_at(row, field);
    const spark_kind kind = at ? spark_field_value_type(field)->kind : SPARK_KIND_BOOL;
    if (kind == SPARK_KIND_CHAR) {
        const size_t n = field->count > 0 ? field->count : 1;
        const char *end = memchr(at, '\0', n);
        *out = (spark_str) { at, end ? (size_t)(end - (const char *)at) : n };
        return true;
    }
    if ((kind != SPARK_KIND_STR && kind != SPARK_KIND_BYTES) || field->count > 0)
        return false;
    memcpy(out, at, sizeof *out);
    return true;
}
