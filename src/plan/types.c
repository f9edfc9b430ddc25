/* SPDX-License-Identifier: Apache-2.0 */
/* Types made at run time, as the public header offers them: from the table of the context. */
#include "plan/context.h"

/* table_of: NULL, with an error raised, where there is none or an argument is missing. */
static spk_types *table_of(const spark_context *sc, const spark_type *a, const spark_type *b)
{
    if (!sc || sc->error) {
        spk_raise(sc ? sc->error : spk_context_none()->error);
        return NULL;
    }
    if (!a || !b) {
        spk_raisef(SPARK_EINVAL, "type", NULL, "a type is NULL");
        return NULL;
    }
    return sc->types;
}

/* made: says why there is no type. */
static const spark_type *made(
    const spark_type *type, size_t n, const spark_type *const members[])
{
    spk_failure failure;
    if (!type) {
        spk_types_refused(n, members, &failure);
        spk_failure_at(&failure, "type", NULL);
        spk_raise(&failure);
    }
    return type;
}

const spark_type *spark_type_pair(spark_context *sc, const spark_type *key, const spark_type *value)
{
    spk_types *types = table_of(sc, key, value);
    return types ? made(spk_types_pair(types, key, value), 2,
                       (const spark_type *[]) { key, value }) : NULL;
}

const spark_type *spark_type_optional(spark_context *sc, const spark_type *of)
{
    spk_types *types = table_of(sc, of, of);
    return types ? made(spk_types_optional(types, of), 1, &of) : NULL;
}

const spark_type *spark_type_list(spark_context *sc, const spark_type *of)
{
    spk_types *types = table_of(sc, of, of);
    return types ? made(spk_types_list(types, of), 1, &of) : NULL;
}
