/* SPDX-License-Identifier: Apache-2.0 */
/* Types of SQL and those of libspark. */
#include "base/small.h"

#include "sql/eval/type.h"

static const spk_sql_kind kinds[SPARK_KIND_BLOB + 1] = { [SPARK_KIND_BOOL] = SPK_SQL_BOOLEAN,
    [SPARK_KIND_CHAR] = SPK_SQL_STRING,
    [SPARK_KIND_I8] = SPK_SQL_TINYINT,
    [SPARK_KIND_I16] = SPK_SQL_SMALLINT,
    [SPARK_KIND_I32] = SPK_SQL_INT,
    [SPARK_KIND_I64] = SPK_SQL_BIGINT,
    [SPARK_KIND_U8] = SPK_SQL_SMALLINT,
    [SPARK_KIND_U16] = SPK_SQL_INT,
    [SPARK_KIND_U32] = SPK_SQL_BIGINT,
    [SPARK_KIND_F32] = SPK_SQL_FLOAT,
    [SPARK_KIND_F64] = SPK_SQL_DOUBLE,
    [SPARK_KIND_DATE] = SPK_SQL_DATE,
    [SPARK_KIND_TIME] = SPK_SQL_TIMESTAMP,
    [SPARK_KIND_STR] = SPK_SQL_STRING,
    [SPARK_KIND_BYTES] = SPK_SQL_BINARY,
    [SPARK_KIND_BLOB] = SPK_SQL_BINARY };

static const spk_sql_type *members(spk_arena *arena, const spark_type *type, const char **why)
{
    spk_sql_field *fields
        = spk_arena_alloc(arena, (type->count + 1) * sizeof *fields, _Alignof(spk_sql_field));
    if (!fields)
        return NULL;
    for (uint32_t i = 0; i < type->count; i++) {
        const spark_field *f = &type->fields[i];
        bool nullable = false;
        const spk_sql_type *of = spk_sql_type_from(arena, f->type, &nullable, why);
        if (of && f->count > 0 && f->type->kind != SPARK_KIND_CHAR) {
            of = spk_sql_type_array(arena, of, nullable);
            nullable = false;
        }
        if (!of)
            return NULL;
        fields[i] = (spk_sql_field) { .name = f->name, .type = of, .nullable = nullable };
    }
    return spk_sql_type_struct(arena, fields, type->count);
}

const spk_sql_type *spk_sql_type_from(
    spk_arena *arena, const spark_type *type, bool *nullable, const char **why)
{
    bool inner = false;
    const spk_sql_type *of;
    *nullable = false;
    *why = "no memory";
    switch (type->kind) {
    case SPARK_KIND_OPTIONAL:
        of = spk_sql_type_from(arena, type->of, &inner, why);
        *nullable = true;
        return of;
    case SPARK_KIND_LIST:
        of = spk_sql_type_from(arena, type->of, &inner, why);
        return of ? spk_sql_type_array(arena, of, inner) : NULL;
    case SPARK_KIND_PAIR:
    case SPARK_KIND_STRUCT:
        return members(arena, type, why);
    case SPARK_KIND_DECIMAL:
        return spk_sql_type_decimal(arena, type->precision, type->scale);
    case SPARK_KIND_U64:
        return spk_sql_type_decimal(arena, 20, 0);
    default:
        *why = "no type of SQL";
        return type->kind > SPARK_KIND_BLOB || kinds[type->kind] == SPK_SQL_VOID
            ? NULL
            : spk_sql_type_of(kinds[type->kind]);
    }
}

static bool slot_fits(const spk_sql_type *sql, bool nullable, const spark_type *type)
{
    if (nullable != (type->kind == SPARK_KIND_OPTIONAL))
        return false;
    return spk_sql_type_fits(sql, nullable ? type->of : type);
}

bool spk_sql_type_fits(const spk_sql_type *sql, const spark_type *type)
{
    switch (sql->kind) {
    case SPK_SQL_ARRAY:
        return type->kind == SPARK_KIND_LIST && slot_fits(sql->of, sql->contains_null, type->of);
    case SPK_SQL_MAP:
        return type->kind == SPARK_KIND_LIST && type->of->kind == SPARK_KIND_PAIR
            && type->of->size == spk_sql_entry_size(sql)
            && slot_fits(sql->key, false, type->of->fields[0].type)
            && slot_fits(sql->of, sql->contains_null, type->of->fields[1].type);
    case SPK_SQL_STRUCT:
        if ((type->kind != SPARK_KIND_STRUCT && type->kind != SPARK_KIND_PAIR)
            || type->count != sql->n || type->size != sql->size)
            return false;
        for (uint32_t i = 0; i < sql->n; i++)
            if (type->fields[i].count > 0 || type->fields[i].offset != sql->fields[i].offset
                || !slot_fits(sql->fields[i].type, sql->fields[i].nullable, type->fields[i].type))
                return false;
        return true;
    case SPK_SQL_DECIMAL:
        if (sql->size == sizeof(spk_sql_wide))
            return type->kind == SPARK_KIND_STRUCT && type->size == sql->size && type->count == 2;
        return type->kind == SPARK_KIND_DECIMAL && type->scale == sql->scale;
    case SPK_SQL_TIMESTAMP_NTZ:
        return type->kind == SPARK_KIND_TIME;
    case SPK_SQL_TIME:
    case SPK_SQL_INTERVAL_SECONDS:
        return type->kind == SPARK_KIND_I64;
    case SPK_SQL_INTERVAL_MONTHS:
        return type->kind == SPARK_KIND_I32;
    case SPK_SQL_VOID:
        return type->kind == SPARK_KIND_BOOL;
    default:
        return type->kind <= SPARK_KIND_BLOB && kinds[type->kind] == sql->kind
            && type->size == sql->size && type->kind != SPARK_KIND_U8
            && type->kind != SPARK_KIND_U16 && type->kind != SPARK_KIND_U32;
    }
}

static const spark_type *decimal_to(spk_types *types, const spk_sql_type *type)
{
    static const spark_type narrow[SPK_SQL_DECIMAL_LONG + 1] = {
#define SCALE(s)                                                                                   \
    [s] = { NULL, SPARK_KIND_DECIMAL, 8, 8, 0, SPK_SQL_DECIMAL_LONG, s, NULL, NULL, NULL }
        SCALE(0), SCALE(1), SCALE(2), SCALE(3), SCALE(4), SCALE(5), SCALE(6), SCALE(7), SCALE(8),
        SCALE(9), SCALE(10), SCALE(11), SCALE(12), SCALE(13), SCALE(14), SCALE(15), SCALE(16),
        SCALE(17), SCALE(18)
#undef SCALE
    };
    static const spark_type *const words[] = { &spark_type_of_int64_t, &spark_type_of_uint64_t };
    static const char *const names[] = { "high", "low" };
    return type->size == sizeof(spk_sql_wide) ? spk_types_struct(types, 2, words, names)
                                              : &narrow[type->scale];
}

static const spark_type *struct_to(spk_types *types, const spk_sql_type *type)
{
    enum { FEW = 32 };
    const spark_type *few[FEW], *made = NULL;
    const char *few_names[FEW];
    const spark_type **of = type->n <= FEW ? few : calloc(type->n, sizeof *of);
    const char **names = type->n <= FEW ? few_names : calloc(type->n, sizeof *names);
    bool good = of && names;
    for (uint32_t i = 0; good && i < type->n; i++) {
        names[i] = type->fields[i].name;
        of[i] = spk_sql_type_to(types, type->fields[i].type, type->fields[i].nullable);
        good = of[i] != NULL;
    }
    if (good)
        made = spk_types_struct(types, type->n, of, names);
    if (type->n > FEW) {
        free((void *)of);
        free((void *)names);
    }
    return made;
}

static const spark_type *list_to(spk_types *types, const spk_sql_type *type)
{
    const spark_type *of = spk_sql_type_to(types, type->of, type->contains_null);
    if (type->kind == SPK_SQL_MAP) {
        const spark_type *key = spk_sql_type_to(types, type->key, false);
        of = of && key ? spk_types_pair(types, key, of) : NULL;
    }
    return of ? spk_types_list(types, of) : NULL;
}

const spark_type *spk_sql_type_to(spk_types *types, const spk_sql_type *type, bool nullable)
{
    static const spark_type *const plain[SPK_SQL_KINDS] = { [SPK_SQL_VOID] = &spark_type_of_bool,
        [SPK_SQL_BOOLEAN] = &spark_type_of_bool,
        [SPK_SQL_TINYINT] = &spark_type_of_int8_t,
        [SPK_SQL_SMALLINT] = &spark_type_of_int16_t,
        [SPK_SQL_INT] = &spark_type_of_int32_t,
        [SPK_SQL_BIGINT] = &spark_type_of_int64_t,
        [SPK_SQL_FLOAT] = &spark_type_of_float,
        [SPK_SQL_DOUBLE] = &spark_type_of_double,
        [SPK_SQL_STRING] = &spark_type_of_spark_str,
        [SPK_SQL_BINARY] = &spark_type_of_spark_bytes,
        [SPK_SQL_DATE] = &spark_type_of_spark_date,
        [SPK_SQL_TIMESTAMP] = &spark_type_of_spark_time,
        [SPK_SQL_TIMESTAMP_NTZ] = &spark_type_of_spark_time,
        [SPK_SQL_TIME] = &spark_type_of_int64_t,
        [SPK_SQL_INTERVAL_MONTHS] = &spark_type_of_int32_t,
        [SPK_SQL_INTERVAL_SECONDS] = &spark_type_of_int64_t };
    const spark_type *made = type->kind == SPK_SQL_DECIMAL ? decimal_to(types, type)
        : type->kind == SPK_SQL_STRUCT                     ? struct_to(types, type)
        : plain[type->kind] == NULL                        ? list_to(types, type)
                                                           : plain[type->kind];
    return made && nullable ? spk_types_optional(types, made) : made;
}
