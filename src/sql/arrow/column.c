/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of types, and their schemas. */
#include "base/small.h"

#include "sql/arrow/column.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- columns of libspark's types */

static spk_arrow_column plain(spk_arrow_kind kind, const char *format, uint32_t size)
{
    spk_arrow_column c = { .kind = kind, .size = size };
    (void)snprintf(c.format, sizeof c.format, "%s", format);
    return c;
}

static bool children(spk_arena *arena, spk_arrow_column *c, uint32_t n)
{
    c->children = spk_arena_alloc(arena, (n + 1) * sizeof *c->children, 16);
    if (!c->children)
        return false;
    memset(c->children, 0, (n + 1) * sizeof *c->children);
    c->n = n;
    return true;
}

static spk_arrow_column decimal(spk_arrow_kind kind, int precision, int scale)
{
    spk_arrow_column c = plain(kind, "", 8);
    (void)snprintf(c.format, sizeof c.format, "d:%d,%d", precision, scale);
    return c;
}

static bool of_type(spk_arena *arena, const spark_type *type, spk_arrow_column *c);

/* place: a value of a type at `offset` of a row, under a name. */
static bool place(spk_arena *arena, const spark_type *type, const char *name, uint32_t offset, spk_arrow_column *c)
{
    const bool nullable = type->kind == SPARK_KIND_OPTIONAL;
    if (!of_type(arena, nullable ? type->of : type, c))
        return false;
    c->name = name;
    c->nullable |= nullable; /* of an optional of an optional */
    c->offset = offset;
    c->value += offset + (nullable ? type->of->align : 0);
    return true;
}

/* member: also arrays of a fixed length. */
static bool member(spk_arena *arena, const spark_field *field, spk_arrow_column *c)
{
    const uint32_t offset = (uint32_t)field->offset, count = (uint32_t)field->count;
    if (count == 0)
        return place(arena, field->type, field->name, offset, c);
    *c = field->type->kind == SPARK_KIND_CHAR ? plain(SPK_ARROW_CHARS, "u", count)
                                              : plain(SPK_ARROW_ARRAY, "", field->type->size);
    c->name = field->name;
    c->value = offset;
    c->count = count;
    if (c->kind == SPK_ARROW_CHARS)
        return true;
    (void)snprintf(c->format, sizeof c->format, "+w:%u", count);
    return children(arena, c, 1) && place(arena, field->type, "item", 0, &c->children[0]);
}

static bool members(spk_arena *arena, const spark_type *type, spk_arrow_column *c)
{
    *c = plain(SPK_ARROW_STRUCT, "+s", type->size);
    if (!children(arena, c, type->count))
        return false;
    for (uint32_t i = 0; i < type->count; i++)
        if (!member(arena, &type->fields[i], &c->children[i]))
            return false;
    return true;
}

static bool of_type(spk_arena *arena, const spark_type *type, spk_arrow_column *c)
{
    static const char formats[SPARK_KIND_BLOB + 1] = { [SPARK_KIND_CHAR] = 'c', [SPARK_KIND_I8] = 'c',
        [SPARK_KIND_I16] = 's', [SPARK_KIND_I32] = 'i', [SPARK_KIND_I64] = 'l', [SPARK_KIND_U8] = 'C',
        [SPARK_KIND_U16] = 'S', [SPARK_KIND_U32] = 'I', [SPARK_KIND_U64] = 'L', [SPARK_KIND_F32] = 'f',
        [SPARK_KIND_F64] = 'g' };
    switch (type->kind) {
    case SPARK_KIND_BOOL:
        *c = plain(SPK_ARROW_BOOL, "b", 1);
        return true;
    case SPARK_KIND_DATE:
        *c = plain(SPK_ARROW_FIXED, "tdD", 4);
        return true;
    case SPARK_KIND_TIME:
        *c = plain(SPK_ARROW_FIXED, "tsu:UTC", 8);
        return true;
    case SPARK_KIND_DECIMAL:
        *c = decimal(SPK_ARROW_LONG, type->precision, type->scale);
        return true;
    case SPARK_KIND_STR:
    case SPARK_KIND_BYTES:
        *c = plain(SPK_ARROW_BYTES, type->kind == SPARK_KIND_STR ? "u" : "z", 0);
        return true;
    case SPARK_KIND_OPTIONAL: /* of an optional: either may be absent */
        if (!place(arena, type->of, NULL, type->align, c))
            return false;
        c->nullable = true;
        return true;
    case SPARK_KIND_LIST:
        *c = plain(SPK_ARROW_LIST, "+l", type->of->size);
        return children(arena, c, 1) && place(arena, type->of, "item", 0, &c->children[0]);
    case SPARK_KIND_PAIR:
    case SPARK_KIND_STRUCT:
        return members(arena, type, c);
    default:
        break;
    }
    if (type->kind < SPARK_KIND_BLOB && formats[type->kind]) {
        const char format[] = { formats[type->kind], '\0' };
        *c = plain(SPK_ARROW_FIXED, format, type->size);
    } else {
        *c = plain(SPK_ARROW_FIXED, "", type->size);
        (void)snprintf(c->format, sizeof c->format, "w:%u", type->size);
    }
    return true;
}

static spk_arrow_column *root(spk_arena *arena, uint32_t n)
{
    spk_arrow_column *c = spk_arena_alloc(arena, sizeof *c, 16);
    if (!c)
        return NULL;
    *c = plain(SPK_ARROW_STRUCT, "+s", 0);
    return children(arena, c, n) ? c : NULL;
}

const spk_arrow_column *spk_arrow_of_type(spk_arena *arena, const spark_type *type)
{
    const bool struct_like = type->kind == SPARK_KIND_STRUCT || type->kind == SPARK_KIND_PAIR;
    spk_arrow_column *c = root(arena, 1);
    if (!c || !(struct_like ? members(arena, type, c) : place(arena, type, "value", 0, &c->children[0])))
        return NULL;
    return c;
}

/* ---- columns of SQL's types */

static bool of_sql(spk_arena *arena, const spk_sql_type *type, spk_arrow_column *c);

static bool place_sql(spk_arena *arena, const spk_sql_type *type, bool nullable, const char *name, uint32_t offset,
    spk_arrow_column *c)
{
    if (!of_sql(arena, type, c))
        return false;
    c->name = name;
    c->nullable = nullable;
    c->offset = offset;
    c->value = offset + spk_sql_slot_value(type, nullable);
    return true;
}

static bool list_sql(spk_arena *arena, const spk_sql_type *type, spk_arrow_column *c)
{
    if (type->kind == SPK_SQL_ARRAY) {
        *c = plain(SPK_ARROW_LIST, "+l", spk_sql_slot_size(type->of, type->contains_null));
        return children(arena, c, 1) && place_sql(arena, type->of, type->contains_null, "item", 0, &c->children[0]);
    }
    *c = plain(SPK_ARROW_LIST, "+m", spk_sql_entry_size(type));
    if (!children(arena, c, 1))
        return false;
    spk_arrow_column *entry = &c->children[0];
    *entry = plain(SPK_ARROW_STRUCT, "+s", c->size);
    entry->name = "entries";
    return children(arena, entry, 2) && place_sql(arena, type->key, false, "key", 0, &entry->children[0])
        && place_sql(arena, type->of, type->contains_null, "value", spk_sql_entry_value(type), &entry->children[1]);
}

static bool of_sql(spk_arena *arena, const spk_sql_type *type, spk_arrow_column *c)
{
    static const char *const formats[SPK_SQL_KINDS] = { [SPK_SQL_TINYINT] = "c", [SPK_SQL_SMALLINT] = "s",
        [SPK_SQL_INT] = "i", [SPK_SQL_BIGINT] = "l", [SPK_SQL_FLOAT] = "f", [SPK_SQL_DOUBLE] = "g",
        [SPK_SQL_DATE] = "tdD", [SPK_SQL_TIMESTAMP] = "tsu:UTC", [SPK_SQL_TIMESTAMP_NTZ] = "tsu:",
        [SPK_SQL_TIME] = "ttn", [SPK_SQL_INTERVAL_MONTHS] = "tiM", [SPK_SQL_INTERVAL_SECONDS] = "tDu" };
    switch (type->kind) {
    case SPK_SQL_VOID:
        *c = plain(SPK_ARROW_NULL, "n", 0);
        return true;
    case SPK_SQL_BOOLEAN:
        *c = plain(SPK_ARROW_BOOL, "b", 1);
        return true;
    case SPK_SQL_DECIMAL:
        *c = decimal(type->size == 8 ? SPK_ARROW_LONG : SPK_ARROW_WIDE, type->precision, type->scale);
        return true;
    case SPK_SQL_STRING:
    case SPK_SQL_BINARY:
        *c = plain(SPK_ARROW_BYTES, type->kind == SPK_SQL_STRING ? "u" : "z", 0);
        return true;
    case SPK_SQL_ARRAY:
    case SPK_SQL_MAP:
        return list_sql(arena, type, c);
    case SPK_SQL_STRUCT:
        *c = plain(SPK_ARROW_STRUCT, "+s", type->size);
        if (!children(arena, c, type->n))
            return false;
        for (uint32_t i = 0; i < type->n; i++)
            if (!place_sql(arena, type->fields[i].type, type->fields[i].nullable, type->fields[i].name,
                    type->fields[i].offset, &c->children[i]))
                return false;
        return true;
    default:
        *c = plain(SPK_ARROW_FIXED, formats[type->kind], type->size);
        return true;
    }
}

const spk_arrow_column *spk_arrow_of_sql(spk_arena *arena, const spk_arrow_slot *slots, size_t n)
{
    spk_arrow_column *c = root(arena, (uint32_t)n);
    for (size_t i = 0; c && i < n; i++) {
        if (!of_sql(arena, slots[i].type, &c->children[i]))
            return NULL;
        c->children[i].name = slots[i].name;
        c->children[i].nullable = slots[i].nullable;
        c->children[i].offset = slots[i].offset;
        c->children[i].value = slots[i].value;
    }
    return c;
}

/* ---- schemas */

static void release_schema(struct ArrowSchema *schema)
{
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (schema->children[i] && schema->children[i]->release)
            schema->children[i]->release(schema->children[i]);
        free(schema->children[i]);
    }
    free(schema->children);
    free(schema->private_data);
    schema->release = NULL;
}

bool spk_arrow_schema(const spk_arrow_column *column, struct ArrowSchema *out)
{
    const char *name = column->name ? column->name : "";
    const size_t n = strlen(name) + 1, m = strlen(column->format) + 1;
    char *text = malloc(n + m);
    memset(out, 0, sizeof *out);
    if (!text)
        return false;
    memcpy(text, name, n);
    memcpy(text + n, column->format, m);
    *out = (struct ArrowSchema) { .format = text + n, .name = text, .release = release_schema, .private_data = text,
        .flags = column->nullable || column->kind == SPK_ARROW_NULL ? ARROW_FLAG_NULLABLE : 0 };
    if (column->n && !(out->children = calloc(column->n, sizeof *out->children))) {
        release_schema(out);
        return false;
    }
    for (uint32_t i = 0; i < column->n; i++) {
        out->n_children = i + 1;
        out->children[i] = malloc(sizeof *out->children[i]);
        if (!out->children[i] || !spk_arrow_schema(&column->children[i], out->children[i])) {
            release_schema(out);
            return false;
        }
    }
    return true;
}
