/* SPDX-License-Identifier: Apache-2.0 */
/* The types libspark knows by itself, and those that operations make at run time. A run-time type
 * is laid out as the C compiler lays out a struct of the same members: each at the next multiple of
 * its alignment, the whole padded to the largest one. It has no name, so that it equals any
 * described struct of its shape. */
#include <stdlib.h>

#include "type/intern.h"

/* ---- built in ---- */

#define BUILT_IN(T, kind)                                                                          \
    const spark_type spark_type_of_##T                                                             \
        = { #T, kind, (uint32_t)sizeof(T), (uint32_t) _Alignof(T), 0, 0, 0, NULL, NULL, NULL }
BUILT_IN(int8_t, SPARK_KIND_I8);
BUILT_IN(int16_t, SPARK_KIND_I16);
BUILT_IN(int32_t, SPARK_KIND_I32);
BUILT_IN(int64_t, SPARK_KIND_I64);
BUILT_IN(uint8_t, SPARK_KIND_U8);
BUILT_IN(uint16_t, SPARK_KIND_U16);
BUILT_IN(uint32_t, SPARK_KIND_U32);
BUILT_IN(uint64_t, SPARK_KIND_U64);
BUILT_IN(float, SPARK_KIND_F32);
BUILT_IN(double, SPARK_KIND_F64);
BUILT_IN(char, SPARK_KIND_CHAR);
BUILT_IN(spark_str, SPARK_KIND_STR);
BUILT_IN(spark_bytes, SPARK_KIND_BYTES);
BUILT_IN(spark_date, SPARK_KIND_DATE);
BUILT_IN(spark_time, SPARK_KIND_TIME);
const spark_type spark_type_of_bool
    = { "bool", SPARK_KIND_BOOL, (uint32_t)sizeof(bool), 1, 0, 0, 0, NULL, NULL, NULL };

/* ---- made at run time ---- */

typedef struct made {
    spk_type_node node;
    spark_type type;
    spark_field fields[];
} made;

static made *make(spark_kind kind, size_t n, size_t text)
{
    if (n > UINT32_MAX || text > SIZE_MAX / 2)
        return NULL;
    made *m = calloc(1, sizeof *m + n * sizeof(spark_field) + text);
    if (!m)
        return NULL;
    m->node.type = &m->type;
    m->type.kind = kind;
    m->type.align = 1;
    m->type.count = (uint32_t)n;
    m->type.fields = n > 0 ? m->fields : NULL;
    return m;
}

static uint64_t align_up(uint64_t at, uint64_t align)
{
    return (at + align - 1) & ~(align - 1);
}

/* lay_out: offsets and size from the types and counts of the fields; false: larger than 4 GiB. */
static bool lay_out(made *m)
{
    uint64_t at = 0;
    for (uint32_t i = 0; i < m->type.count; i++) {
        spark_field *field = &m->fields[i];
        const spark_type *type = field->type;
        const size_t n = field->count > 0 ? field->count : 1;
        at = align_up(at, type->align);
        if (n > UINT32_MAX || at + n * (uint64_t)type->size > UINT32_MAX - 64)
            return false;
        field->offset = (size_t)at;
        at += n * type->size;
        if (type->align > m->type.align)
            m->type.align = type->align;
    }
    m->type.size = (uint32_t)align_up(at, m->type.align);
    return true;
}

SPK_COLD static const spark_type *types_finish(spk_types *types, made *m)
{
    char text[8];
    const bool fits = m->type.kind == SPARK_KIND_LIST || m->type.kind == SPARK_KIND_OPTIONAL
        || m->type.kind == SPARK_KIND_DECIMAL || lay_out(m);
    if (!fits || spk_description_check(&m->type, text, sizeof text) != SPARK_OK) {
        free(m);
        return NULL;
    }
    return spk_types_intern(types, &m->node);
}

spark_status spk_types_refused(size_t n, const spark_type *const members[], spk_failure *failure)
{
    char text[300], name[100];
    uint64_t size = 0;
    for (size_t i = 0; i < n; i++) {
        const spark_type one = { .kind = SPARK_KIND_LIST,
            .size = (uint32_t)sizeof(spark_i64_list),
            .align = (uint32_t) _Alignof(spark_i64_list),
            .of = members[i] };
        if (!members[i] || spk_description_check(&one, text, sizeof text) != SPARK_OK)
            return spk_failure_set(failure, SPARK_EINVAL, NULL, NULL,
                "a type made of %s, whose members may be nested %d deep and no deeper: %s",
                members[i] ? spk_type_name(members[i], name, sizeof name) : "nothing",
                SPK_TYPE_DEPTH - 1, members[i] ? text : "a description is missing");
        size += members[i]->size + (uint64_t)members[i]->align;
    }
    if (size > UINT32_MAX - 64)
        return spk_failure_set(failure, SPARK_EINVAL, NULL, NULL,
            "a type of %llu bytes; at most 4 GiB", (unsigned long long)size);
    return spk_failure_nomem(failure, NULL, NULL);
}

const spark_type *spk_types_pair(spk_types *types, const spark_type *key, const spark_type *value)
{
    made *m = key && value ? make(SPARK_KIND_PAIR, 2, 0) : NULL;
    if (!m)
        return NULL;
    m->fields[0] = (spark_field) { "key", key, 0, 0 };
    m->fields[1] = (spark_field) { "value", value, 0, 0 };
    return types_finish(types, m);
}

const spark_type *spk_types_optional(spk_types *types, const spark_type *of)
{
    made *m = of ? make(SPARK_KIND_OPTIONAL, 0, 0) : NULL;
    if (!m)
        return NULL;
    const uint64_t size = align_up(spk_optional_offset(of->align) + (uint64_t)of->size, of->align);
    m->type.of = of;
    m->type.align = of->align;
    m->type.size = size <= UINT32_MAX ? (uint32_t)size : 0; /* 0 is refused */
    return types_finish(types, m);
}

const spark_type *spk_types_list(spk_types *types, const spark_type *of)
{
    made *m = of ? make(SPARK_KIND_LIST, 0, 0) : NULL;
    if (!m)
        return NULL;
    m->type.of = of;
    m->type.size = (uint32_t)sizeof(spark_i64_list);
    m->type.align = (uint32_t) _Alignof(spark_i64_list);
    return types_finish(types, m);
}

const spark_type *spk_types_decimal(spk_types *types, int precision, int scale)
{
    made *m = make(SPARK_KIND_DECIMAL, 0, 0);
    if (!m)
        return NULL;
    m->type.size = (uint32_t)sizeof(int64_t);
    m->type.align = (uint32_t) _Alignof(int64_t);
    m->type.precision = (int16_t)precision;
    m->type.scale = (int16_t)scale;
    return types_finish(types, m);
}

const spark_type *spk_types_array(spk_types *types, const spark_type *of, size_t count)
{
    made *m = of ? make(SPARK_KIND_STRUCT, 1, 0) : NULL;
    if (!m)
        return NULL;
    m->fields[0] = (spark_field) { "items", of, 0, count };
    return types_finish(types, m);
}

const spark_type *spk_types_struct(
    spk_types *types, size_t n, const spark_type *const members[], const char *const names[])
{
    size_t text = 0;
    for (size_t i = 0; i < n; i++) {
        if (!members[i] || !names[i])
            return NULL;
        text += strlen(names[i]) + 1;
    }
    made *m = make(SPARK_KIND_STRUCT, n, text);
    if (!m)
        return NULL;
    char *at = (char *)(void *)&m->fields[n];
    for (size_t i = 0; i < n; i++) {
        const size_t size = strlen(names[i]) + 1;
        memcpy(at, names[i], size);
        m->fields[i] = (spark_field) { at, members[i], 0, 0 };
        at += size;
    }
    return types_finish(types, m);
}
