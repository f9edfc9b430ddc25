/* SPDX-License-Identifier: Apache-2.0 */
/* Types made at run time, as the public header offers them: from the table of the context. */
#include <stdlib.h>

#include <spark/row.h>

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

static int by_text(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

/* check_names: they tell members apart; names are put in order. */
static spark_status check_names(const char **names, size_t n)
{
    qsort(names, n, sizeof *names, by_text);
    for (size_t i = 0; i < n; i++)
        if (!*names[i] || (i > 0 && strcmp(names[i - 1], names[i]) == 0))
            return spk_raisef(SPARK_EINVAL, "type", NULL,
                *names[i] ? "two members are named \"%s\"" : "a member has no name%s", names[i]);
    return SPARK_OK;
}

const spark_type *spark_type_struct(spark_context *sc, const spark_field *fields, size_t n)
{
    spk_types *types = table_of(sc, n > 0 && fields ? fields->type : NULL, SPARK_TYPE(bool));
    const spark_type **members = calloc(n + 1, sizeof *members), *type = NULL;
    const char **names = calloc(2 * n + 1, sizeof *names);
    bool good = types && members && names;
    if (types && !good)
        spk_raise(&spk_no_memory);
    for (size_t i = 0; good && i < n; i++) {
        good = fields[i].type && fields[i].name;
        if (!good)
            spk_raisef(SPARK_EINVAL, "type", NULL, "member %zu has no type or no name", i);
        members[i] = fields[i].type;
        names[i] = names[n + i] = fields[i].name;
    }
    if (good && check_names(names + n, n) == SPARK_OK)
        type = made(spk_types_struct(types, n, members, names), n, members);
    free(members);
    free(names);
    return type;
}
