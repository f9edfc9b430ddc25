/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a description makes sense. Descriptions written by the macros always do; those that
 * another language's binding fills in by hand may not, and everything behind this gate trusts
 * sizes, offsets and depth. Members in order, without overlap, bound the number of leaves by the
 * size of the value; `budget` bounds what lists of lists of structs could still blow up. */
#include "type/leaf.h"

enum { BUDGET = 1 << 16 };

typedef struct gate {
    char *text;
    size_t text_size;
    int budget;
} gate;

static bool no(gate *g, const spark_type *type, const char *why)
{
    char name[96];
    snprintf(g->text, g->text_size, "type %s: %s",
        type ? spk_type_name(type, name, sizeof name) : "(none)", why);
    return false;
}

SPK_COLD static bool valid(gate *g, const spark_type *type, unsigned depth);

static bool valid_members(gate *g, const spark_type *type, unsigned depth)
{
    uint64_t end = 0;
    if (type->count > 0 && !type->fields)
        return no(g, type, "no fields");
    if (type->kind == SPARK_KIND_PAIR && type->count != 2)
        return no(g, type, "a pair has two members");
    for (uint32_t i = 0; i < type->count; i++) {
        const spark_field *field = &type->fields[i];
        if (!valid(g, field->type, depth + 1))
            return false;
        const uint64_t n = field->count > 0 ? field->count : 1;
        if (field->offset < end)
            return no(g, type, "members that overlap or are out of order");
        if (field->offset > type->size || n > (type->size - field->offset) / field->type->size)
            return no(g, type, "a member outside the struct");
        if (type->kind == SPARK_KIND_PAIR && field->count > 0)
            return no(g, type, "an array as a member of a pair");
        end = field->offset + n * field->type->size;
    }
    return true;
}

static bool valid_optional(gate *g, const spark_type *type, unsigned depth)
{
    if (!valid(g, type->of, depth + 1))
        return false;
    if ((uint64_t)spk_optional_offset(type->of->align) + type->of->size > type->size)
        return no(g, type, "the value of the optional does not fit");
    return true;
}

static bool valid_shape(gate *g, const spark_type *type, unsigned depth)
{
    const uint32_t width = spk_kind_width(type->kind);
    switch (type->kind) {
    case SPARK_KIND_STR:
    case SPARK_KIND_BYTES:
        return type->size == sizeof(spark_str) || no(g, type, "size does not fit the kind");
    case SPARK_KIND_LIST:
        if (type->size != sizeof(spark_i64_list))
            return no(g, type, "size does not fit the kind");
        return valid(g, type->of, depth + 1);
    case SPARK_KIND_OPTIONAL:
        return valid_optional(g, type, depth);
    case SPARK_KIND_PAIR:
    case SPARK_KIND_STRUCT:
        return valid_members(g, type, depth);
    case SPARK_KIND_BLOB:
        return true;
    case SPARK_KIND_DECIMAL:
        if (type->scale < 0 || type->scale > type->precision || type->precision > 18)
            return no(g, type, "precision and scale of a decimal");
        return type->size == width || no(g, type, "size does not fit the kind");
    default:
        if (width == 0)
            return no(g, type, "unknown kind");
        return type->size == width || no(g, type, "size does not fit the kind");
    }
}

static SPK_COLD bool valid(gate *g, const spark_type *type, unsigned depth)
{
    if (!type)
        return no(g, type, "a description is missing");
    if (depth > SPK_TYPE_DEPTH)
        return no(g, type, "nested deeper than 120");
    if (--g->budget < 0)
        return no(g, type, "too large a description");
    if (type->align == 0 || type->align > 64 || (type->align & (type->align - 1)) != 0)
        return no(g, type, "alignment must be a power of two up to 64");
    if (type->size == 0 || type->size % type->align != 0)
        return no(g, type, "size must be a positive multiple of the alignment");
    return valid_shape(g, type, depth);
}

spark_status spk_description_check(const spark_type *type, char *text, size_t text_size)
{
    gate g = { text, text_size, BUDGET };
    return valid(&g, type, 0) ? SPARK_OK : SPARK_EINVAL;
}
