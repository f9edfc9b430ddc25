/* SPDX-License-Identifier: Apache-2.0 */
/* Types of SQL: making, comparing, laying out. */
#include "base/small.h"

#include "sql/eval/type.h"

#define SCALAR(kind_, T, precision_, scale_)                                                       \
    [kind_] = { .kind = kind_,                                                                     \
        .precision = precision_,                                                                   \
        .scale = scale_,                                                                           \
        .size = (uint32_t)sizeof(T),                                                               \
        .align = (uint32_t) _Alignof(T) }

const spk_sql_type spk_sql_types[SPK_SQL_KINDS] = {
    [SPK_SQL_VOID] = { .kind = SPK_SQL_VOID, .size = 1, .align = 1 },
    SCALAR(SPK_SQL_BOOLEAN, bool, 0, 0),
    SCALAR(SPK_SQL_TINYINT, int8_t, 0, 0),
    SCALAR(SPK_SQL_SMALLINT, int16_t, 0, 0),
    SCALAR(SPK_SQL_INT, int32_t, 0, 0),
    SCALAR(SPK_SQL_BIGINT, int64_t, 0, 0),
    SCALAR(SPK_SQL_DECIMAL, int64_t, 10, 0),
    SCALAR(SPK_SQL_FLOAT, float, 0, 0),
    SCALAR(SPK_SQL_DOUBLE, double, 0, 0),
    SCALAR(SPK_SQL_STRING, spark_str, 0, 0),
    SCALAR(SPK_SQL_BINARY, spark_str, 0, 0),
    SCALAR(SPK_SQL_DATE, int32_t, 0, 0),
    SCALAR(SPK_SQL_TIMESTAMP, int64_t, 0, 0),
    SCALAR(SPK_SQL_TIMESTAMP_NTZ, int64_t, 0, 0),
    SCALAR(SPK_SQL_TIME, int64_t, 6, 0),
    SCALAR(SPK_SQL_INTERVAL_MONTHS, int32_t, SPK_SQL_YEAR, SPK_SQL_MONTH),
    SCALAR(SPK_SQL_INTERVAL_SECONDS, int64_t, SPK_SQL_DAY, SPK_SQL_SECOND),
};

static spk_sql_type *make(spk_arena *arena, spk_sql_kind kind)
{
    spk_sql_type *t = spk_arena_alloc(arena, sizeof *t, _Alignof(spk_sql_type));
    if (t)
        *t = spk_sql_types[kind];
    return t;
}

const spk_sql_type *spk_sql_type_decimal(spk_arena *arena, int precision, int scale)
{
    spk_sql_type *t = make(arena, SPK_SQL_DECIMAL);
    if (!t)
        return NULL;
    t->precision = (uint8_t)precision;
    t->scale = (uint8_t)scale;
    if (precision > SPK_SQL_DECIMAL_LONG)
        t->size = 16;
    return t;
}

const spk_sql_type *spk_sql_type_interval(spk_arena *arena, spk_sql_unit first, spk_sql_unit last)
{
    spk_sql_type *t
        = make(arena, first <= SPK_SQL_MONTH ? SPK_SQL_INTERVAL_MONTHS : SPK_SQL_INTERVAL_SECONDS);
    if (t) {
        t->precision = (uint8_t)first;
        t->scale = (uint8_t)last;
    }
    return t;
}

const spk_sql_type *spk_sql_type_time(spk_arena *arena, int precision)
{
    spk_sql_type *t = make(arena, SPK_SQL_TIME);
    if (t)
        t->precision = (uint8_t)precision;
    return t;
}

static spk_sql_type *make_list(spk_arena *arena, spk_sql_kind kind)
{
    spk_sql_type *t = spk_arena_alloc(arena, sizeof *t, _Alignof(spk_sql_type));
    if (t)
        *t = (spk_sql_type) { .kind = kind,
            .size = (uint32_t)sizeof(spk_sql_array),
            .align = (uint32_t) _Alignof(spk_sql_array) };
    return t;
}

const spk_sql_type *spk_sql_type_array(spk_arena *arena, const spk_sql_type *of, bool contains_null)
{
    spk_sql_type *t = of ? make_list(arena, SPK_SQL_ARRAY) : NULL;
    if (t) {
        t->of = of;
        t->contains_null = contains_null || of->kind == SPK_SQL_VOID;
    }
    return t;
}

const spk_sql_type *spk_sql_type_map(
    spk_arena *arena, const spk_sql_type *key, const spk_sql_type *of, bool contains_null)
{
    spk_sql_type *t = key && of ? make_list(arena, SPK_SQL_MAP) : NULL;
    if (t) {
        t->key = key;
        t->of = of;
        t->contains_null = contains_null || of->kind == SPK_SQL_VOID;
    }
    return t;
}

const spk_sql_type *spk_sql_type_struct(spk_arena *arena, const spk_sql_field *fields, size_t n)
{
    spk_sql_type *t = make_list(arena, SPK_SQL_STRUCT);
    spk_sql_field *own = spk_arena_alloc(arena, (n + 1) * sizeof *own, _Alignof(spk_sql_field));
    uint32_t at = 0, align = 1;
    if (!t || !own)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        const spk_sql_type *of = fields[i].type;
        own[i] = fields[i];
        own[i].nullable |= of->kind == SPK_SQL_VOID;
        at = (at + of->align - 1) & ~(of->align - 1);
        own[i].offset = at;
        at += spk_sql_slot_size(of, own[i].nullable);
        if (of->align > align)
            align = of->align;
    }
    t->n = (uint32_t)n;
    t->fields = own;
    t->size = (at + align - 1) & ~(align - 1);
    if (t->size == 0)
        t->size = 1;
    t->align = align;
    return t;
}

uint32_t spk_sql_entry_value(const spk_sql_type *map)
{
    return (map->key->size + map->of->align - 1) & ~(map->of->align - 1);
}

uint32_t spk_sql_entry_size(const spk_sql_type *map)
{
    const uint32_t align = map->key->align > map->of->align ? map->key->align : map->of->align;
    const uint32_t end = spk_sql_entry_value(map) + spk_sql_slot_size(map->of, map->contains_null);
    return (end + align - 1) & ~(align - 1);
}

static bool compare(const spk_sql_type *a, const spk_sql_type *b, bool all)
{
    if (a == b)
        return true;
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case SPK_SQL_DECIMAL:
    case SPK_SQL_TIME:
    case SPK_SQL_INTERVAL_MONTHS:
    case SPK_SQL_INTERVAL_SECONDS:
        return a->precision == b->precision && a->scale == b->scale;
    case SPK_SQL_MAP:
        if (!compare(a->key, b->key, all))
            return false;
        /* fallthrough */
    case SPK_SQL_ARRAY:
        return compare(a->of, b->of, all) && (!all || a->contains_null == b->contains_null);
    case SPK_SQL_STRUCT:
        if (a->n != b->n)
            return false;
        for (uint32_t i = 0; i < a->n; i++)
            if (!compare(a->fields[i].type, b->fields[i].type, all)
                || (all
                    && (a->fields[i].nullable != b->fields[i].nullable
                        || strcmp(a->fields[i].name, b->fields[i].name) != 0)))
                return false;
        return true;
    default:
        return true;
    }
}

static const char *copy_name(spk_arena *arena, const char *name)
{
    const size_t n = strlen(name) + 1;
    char *copy = spk_arena_alloc(arena, n, 1);
    return copy ? memcpy(copy, name, n) : NULL;
}

static const spk_sql_field *copy_fields(spk_arena *arena, const spk_sql_type *type)
{
    spk_sql_field *own = spk_arena_alloc(arena, (type->n + 1) * sizeof *own, _Alignof(spk_sql_field));
    for (uint32_t i = 0; own && i < type->n; i++) {
        own[i] = type->fields[i];
        own[i].name = copy_name(arena, own[i].name);
        own[i].type = spk_sql_type_copy(arena, own[i].type);
        if (!own[i].name || !own[i].type)
            return NULL;
    }
    return own;
}

const spk_sql_type *spk_sql_type_copy(spk_arena *arena, const spk_sql_type *type)
{
    if (type == &spk_sql_types[type->kind])
        return type;
    spk_sql_type *own = spk_arena_alloc(arena, sizeof *own, _Alignof(spk_sql_type));
    if (!own)
        return NULL;
    *own = *type;
    if ((type->key && !(own->key = spk_sql_type_copy(arena, type->key)))
        || (type->of && !(own->of = spk_sql_type_copy(arena, type->of)))
        || (type->fields && !(own->fields = copy_fields(arena, type))))
        return NULL;
    return own;
}

bool spk_sql_type_same(const spk_sql_type *a, const spk_sql_type *b)
{
    return compare(a, b, false);
}

bool spk_sql_type_equal(const spk_sql_type *a, const spk_sql_type *b)
{
    return compare(a, b, true);
}

bool spk_sql_is_ordered(const spk_sql_type *t)
{
    if (t->kind == SPK_SQL_MAP)
        return false;
    if (t->kind == SPK_SQL_ARRAY)
        return spk_sql_is_ordered(t->of);
    for (uint32_t i = 0; t->kind == SPK_SQL_STRUCT && i < t->n; i++)
        if (!spk_sql_is_ordered(t->fields[i].type))
            return false;
    return true;
}
