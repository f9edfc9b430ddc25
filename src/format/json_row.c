/* SPDX-License-Identifier: Apache-2.0 */
/* JSON objects as rows. A text is checked first, then walked along as deep as the type goes, which has at
 * most 32 levels; so what is in no member costs a count of brackets. */
#include "format/json_row.h"

#include "type/leaf.h"

typedef struct binder {
    const spk_csv *csv;
    spark_str text;
    spk_arena *texts;
    spk_json_outcome *outcome;
    const spark_field *field; /* the innermost member */
} binder;

static bool bind(binder *b, const spark_type *type, spark_json value, char *to);

/* wrong: the first value that has no place is what is told. */
static bool wrong(binder *b, const spark_type *type, spark_json value)
{
    spk_json_outcome *o = b->outcome;
    const bool null = value.kind == SPARK_JSON_NOTHING || value.kind == SPARK_JSON_NULL;
    if (!o->type) {
        o->at = value.text.ptr ? (size_t)(value.text.ptr - b->text.ptr) : 0;
        o->value = value.text;
        o->type = type;
        o->field = b->field;
        o->null = null;
    }
    o->bad |= !null;
    return false;
}

static bool nomem(binder *b)
{
    b->outcome->nomem = true;
    return false;
}

/* string_of: the text of a string, unescaped. */
static bool string_of(binder *b, spark_json value, spark_str *out)
{
    const spark_str raw = { value.text.ptr + 1, value.text.len - 2 };
    *out = raw;
    if (raw.len == 0 || !memchr(raw.ptr, '\\', raw.len))
        return true;
    char *text = spk_arena_alloc(b->texts, raw.len, 1);
    if (!text)
        return nomem(b);
    *out = (spark_str) { text, spk_json_unescape(raw, text) };
    return true;
}

/* takes: whether values of this kind of type are written so. */
static bool takes(spark_kind kind, spark_json value)
{
    switch (kind) {
    case SPARK_KIND_BOOL:
        return value.kind == SPARK_JSON_BOOL;
    case SPARK_KIND_CHAR:
    case SPARK_KIND_DATE:
    case SPARK_KIND_TIME:
        return value.kind == SPARK_JSON_STRING;
    case SPARK_KIND_F32:
    case SPARK_KIND_F64:
        return value.kind == SPARK_JSON_NUMBER || value.kind == SPARK_JSON_STRING;
    default:
        return value.kind == SPARK_JSON_NUMBER;
    }
}

static bool is_name(spark_str s)
{
    static const char *const names[] = { "NaN", "Infinity", "-Infinity" };
    for (size_t i = 0; i < 3; i++)
        if (s.len == strlen(names[i]) && memcmp(s.ptr, names[i], s.len) == 0)
            return true;
    return false;
}

/* scalar: as the column of a CSV file would be, from a copy: digits are read eight at a time. */
static bool scalar(
    binder *b, const spark_type *type, size_t count, spark_json value, char *to)
{
    enum { SHORT = 100 };
    char copy[SHORT + SPK_CSV_SLACK];
    spark_str s = value.text;
    if (!takes(type->kind, value))
        return wrong(b, type, value);
    if (value.kind == SPARK_JSON_STRING && !string_of(b, value, &s))
        return false;
    const bool named = type->kind == SPARK_KIND_F64 || type->kind == SPARK_KIND_F32;
    if (value.kind == SPARK_JSON_STRING && named && !is_name(s))
        return wrong(b, type, value);
    char *at = s.len <= SHORT ? copy : spk_arena_alloc(b->texts, s.len + SPK_CSV_SLACK, 1);
    if (!at)
        return nomem(b);
    memcpy(at, s.ptr, s.len);
    const spk_csv_column column = { .present = -1,
        .count = (uint32_t)count,
        .size = type->size,
        .kind = type->kind,
        .precision = type->precision,
        .scale = type->scale };
    return spk_csv_read_cell(b->csv, &column, (spark_str) { at, s.len }, to)
        || wrong(b, type, value);
}

static bool list(binder *b, const spark_type *type, spark_json value, char *to)
{
    const size_t size = type->of->size;
    spark_json rest = value, element;
    size_t n = 0;
    if (value.kind != SPARK_JSON_ARRAY)
        return wrong(b, type, value);
    while (spark_json_next(&rest, NULL, &element))
        n++;
    char *all = n < SIZE_MAX / (size + 1) ? spk_arena_alloc(b->texts, n * size + 1, 64) : NULL;
    if (!all)
        return nomem(b);
    memset(all, 0, n * size);
    rest = value;
    for (size_t i = 0; spark_json_next(&rest, NULL, &element); i++)
        if (!bind(b, type->of, element, all + i * size))
            return false;
    const spark_i64_list found = { (const int64_t *)(void *)all, n };
    memcpy(to, &found, sizeof found);
    return true;
}

static bool is_key(spark_str key, const char *name)
{
    if (!memchr(key.ptr, '\\', key.len))
        return strlen(name) == key.len && memcmp(key.ptr, name, key.len) == 0;
    return spk_json_is_named(key, name);
}

static bool is_corrupt(const binder *b, const spark_field *field)
{
    return strcmp(field->name, b->csv->corrupt.ptr) == 0;
}

/* member: the value of one; of an array of char all of it. */
static bool member(binder *b, const spark_field *field, spark_json value, char *row)
{
    char *to = row + field->offset;
    b->field = field;
    if (field->count == 0)
        return bind(b, field->type, value, to);
    memset(to, 0, field->count);
    return scalar(b, field->type, field->count, value, to);
}

/* field_of: the member of that name; most objects have them in the order of the last one, so the one
 * behind the last that was found is looked at first. */
static const spark_field *field_of(const spark_type *type, spark_str key, uint32_t *next)
{
    for (uint32_t i = 0; i < type->count; i++) {
        const uint32_t at = *next + i < type->count ? *next + i : *next + i - type->count;
        if (is_key(key, type->fields[at].name)) {
            *next = at + 1 < type->count ? at + 1 : 0;
            return &type->fields[at];
        }
    }
    return NULL;
}

static bool object(binder *b, const spark_type *type, spark_json value, char *row)
{
    uint64_t seen[16] = { 0 };
    spark_json rest = value, inner;
    spark_str key;
    uint32_t next = 0;
    if (value.kind != SPARK_JSON_OBJECT)
        return wrong(b, type, value);
    while (spark_json_next(&rest, &key, &inner)) {
        const spark_field *field = field_of(type, key, &next);
        const size_t at = field ? (size_t)(field - type->fields) : 0;
        if (!field)
            continue;
        if (!member(b, field, inner, row))
            return false;
        seen[at / 64] |= UINT64_C(1) << at % 64;
    }
    for (size_t i = 0; i < type->count; i++) {
        const spark_field *field = &type->fields[i];
        if (seen[i / 64] >> i % 64 & 1 || spark_field_nullable(field) || is_corrupt(b, field))
            continue;
        b->field = field;
        return wrong(b, field->type, (spark_json) { SPARK_JSON_NOTHING, { value.text.ptr, 0 } });
    }
    return true;
}

static bool optional(binder *b, const spark_type *type, spark_json value, char *to)
{
    const uint32_t offset = spk_optional_offset(type->of->align);
    memset(to, 0, type->size);
    if (value.kind == SPARK_JSON_NULL)
        return true;
    const bool good = bind(b, type->of, value, to + offset);
    if (!good) {
        memset(to, 0, type->size);
        b->outcome->bad = true;
    }
    to[0] = good;
    return !b->outcome->nomem;
}

static bool bind(binder *b, const spark_type *type, spark_json value, char *to)
{
    spark_str s = value.text;
    if (type->kind == SPARK_KIND_OPTIONAL)
        return optional(b, type, value, to);
    if (value.kind == SPARK_JSON_NULL)
        return wrong(b, type, value);
    switch (type->kind) {
    case SPARK_KIND_LIST:
        return list(b, type, value, to);
    case SPARK_KIND_STRUCT:
    case SPARK_KIND_PAIR:
        return object(b, type, value, to);
    case SPARK_KIND_STR:
    case SPARK_KIND_BYTES:
        if (value.kind == SPARK_JSON_STRING && !string_of(b, value, &s))
            return false;
        memcpy(to, &s, sizeof s);
        return true;
    default:
        return scalar(b, type, 0, value, to);
    }
}

/* set_corrupt: the text of a malformed one, where the type has a member for it. */
static void set_corrupt(const spk_csv *csv, const spark_type *type, spark_str text, char *row)
{
    for (uint32_t i = 0; i < type->count; i++) {
        const spark_field *field = &type->fields[i];
        if (strcmp(field->name, csv->corrupt.ptr) != 0
            || spark_field_value_type(field)->kind != SPARK_KIND_STR || field->count > 0)
            continue;
        char *to = row + field->offset;
        if (spark_field_nullable(field)) {
            *to = true;
            to += spk_optional_offset(field->type->of->align);
        }
        memcpy(to, &text, sizeof text);
    }
}

void spk_json_read(const spk_csv *csv, const spark_type *type, spark_str text, char *row,
    spk_arena *texts, spk_json_outcome *outcome)
{
    binder b = { .csv = csv, .text = text, .texts = texts, .outcome = outcome };
    spark_json value;
    spark_json_error error;
    *outcome = (spk_json_outcome) { .bad = false };
    if (!spark_json_parse(text, &value, &error) || value.kind != SPARK_JSON_OBJECT) {
        const bool json = value.kind != SPARK_JSON_NOTHING;
        outcome->bad = true;
        outcome->at = json ? 0 : error.at;
        outcome->why = json ? "a row must be an object" : error.why;
        for (uint32_t i = 0; i < type->count; i++)
            outcome->lost |= !spark_field_nullable(&type->fields[i]) && !is_corrupt(&b, &type->fields[i]);
    } else {
        outcome->lost = !object(&b, type, value, row);
    }
    if (outcome->bad && !outcome->lost)
        set_corrupt(csv, type, text, row);
}

/* ---- types ---- */

/* misfit: a member that no JSON goes into, however deep; NULL: there is none. */
static const char *misfit(const spark_type *type, size_t count)
{
    const char *found = NULL;
    if (type->kind == SPARK_KIND_BLOB)
        return "a blob";
    if (count > 0 && type->kind != SPARK_KIND_CHAR)
        return "a fixed array";
    if (type->kind == SPARK_KIND_LIST || type->kind == SPARK_KIND_OPTIONAL)
        return misfit(type->of, 0);
    if (type->kind != SPARK_KIND_STRUCT && type->kind != SPARK_KIND_PAIR)
        return NULL;
    for (uint32_t i = 0; i < type->count && !found; i++)
        found = misfit(type->fields[i].type, type->fields[i].count);
    return found || type->count <= 1024 ? found : "a struct of more than 1024 members";
}

spark_status spk_json_fits(const spark_type *type, spk_failure *failure)
{
    if (type->kind != SPARK_KIND_STRUCT && type->kind != SPARK_KIND_PAIR)
        return spk_failure_set(failure, SPARK_ETYPE, NULL, NULL, "rows must be structs or pairs");
    for (uint32_t i = 0; i < type->count; i++) {
        const char *found = misfit(type->fields[i].type, type->fields[i].count);
        if (found)
            return spk_failure_set(failure, SPARK_ETYPE, NULL, NULL,
                "member %s is or has %s, which no JSON is read into", type->fields[i].name, found);
    }
    return SPARK_OK;
}
