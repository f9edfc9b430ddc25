/* SPDX-License-Identifier: Apache-2.0 */
/* Aggregates by name, and what all of them share. */
#include "base/small.h"

#include <stdio.h>

#include "sql/eval/agg.h"

static const spk_sql_agg_def *const tables[] = { spk_aggs_plain, spk_aggs_sum, spk_aggs_keep,
    spk_aggs_moments, spk_aggs_lists, spk_aggs_histogram };

static bool same_name(const char *a, const char *lower)
{
    for (; *a && *lower; a++, lower++)
        if ((*a >= 'A' && *a <= 'Z' ? *a | 0x20 : *a) != *lower)
            return false;
    return *a == *lower;
}

static const spk_sql_agg_def *find(const char *name)
{
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        for (const spk_sql_agg_def *d = tables[i]; d->name; d++)
            if (same_name(name, d->name))
                return d;
    return NULL;
}

const char *spk_sql_aggregate_at(size_t i)
{
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (const spk_sql_agg_def *d = tables[t]; d->name; d++)
            if (i-- == 0)
                return d->name;
    return NULL;
}

bool spk_sql_is_aggregate(const char *name)
{
    return find(name) != NULL;
}

SPK_COLD const spk_sql_type *spk_agg_state(spk_sql_build *b, size_t n, const spk_sql_type *const types[])
{
    static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h" };
    spk_sql_field fields[8];
    for (size_t i = 0; i < n; i++)
        fields[i] = (spk_sql_field) { .name = names[i], .type = types[i] };
    const spk_sql_type *made = spk_sql_type_struct(b->arena, fields, n);
    if (!made)
        spk_sql_nomem(b->error);
    return made;
}

/* as_call: the aggregate as a call, for messages. */
static spk_sql_expr as_call(const spk_sql_aggregate *a, spk_sql_function *function)
{
    *function = (spk_sql_function) { .name = a->def->name, .printed = a->def->printed };
    return (spk_sql_expr) { .kind = SPK_SQL_CALL,
        .function = function,
        .name = a->name,
        .n = a->n,
        .args = a->args,
        .span = a->span };
}

SPK_COLD bool spk_agg_unexpected(
    spk_sql_build *b, const spk_sql_aggregate *a, size_t i, const char *required)
{
    spk_sql_function function;
    const spk_sql_expr call = as_call(a, &function);
    spk_sql_unexpected(b, &call, i, required);
    return false;
}

SPK_COLD bool spk_agg_want(spk_sql_build *b, spk_sql_aggregate *a, size_t i, char letter)
{
    spk_sql_function function;
    spk_sql_expr call = as_call(a, &function);
    return spk_sql_want(b, &call, i, letter);
}

SPK_COLD const spk_sql_expr *spk_agg_constant(
    spk_sql_build *b, spk_sql_aggregate *a, size_t i, const char *name)
{
    spk_sql_function function;
    const spk_sql_expr call = as_call(a, &function);
    spk_sql_fold(b, &a->args[i]);
    if (a->args[i] && a->args[i]->kind == SPK_SQL_CONSTANT)
        return a->args[i];
    if (spk_sql_failed(b->error))
        return NULL;
    const char *text = spk_sql_expr_quoted(b, &call);
    const char *input = spk_sql_expr_quoted(b, a->args[i]);
    const char *type = spk_sql_type_quoted(b, a->args[i]->type);
    if (spk_sql_fail(b->error, "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", a->span)) {
        spk_sql_param(b->error, "inputExpr", "%s", input);
        spk_sql_param(b->error, "inputName", "`%s`", name);
        spk_sql_param(b->error, "inputType", "%s", type);
        spk_sql_param(b->error, "sqlExpr", "%s", text);
    }
    return NULL;
}

bool spk_agg_overflow(const spk_sql_aggregate *a, spk_sql_error *error, const char *instead)
{
    if (!spk_sql_fail(error, "ARITHMETIC_OVERFLOW", a->span))
        return false;
    spk_sql_param(error, "alternative",
        instead ? " Use '%s' to tolerate overflow and return NULL instead." : "%s",
        instead ? instead : "");
    spk_sql_param(error, "config", "\"spark.sql.ansi.enabled\"");
    spk_sql_param(error, "message", a->type->kind == SPK_SQL_DECIMAL ? "Overflow in sum of decimals" : "overflow");
    return false;
}

static SPK_COLD bool wrong_number(
    spk_sql_build *b, const spk_sql_agg_def *d, const char *name, size_t n, spk_sql_span span)
{
    char want[32];
    if (d->most < 0)
        snprintf(want, sizeof want, "> %d", d->least - 1);
    else if (d->least == d->most)
        snprintf(want, sizeof want, "%d", d->least);
    else
        snprintf(want, sizeof want, "[%d, %d]", d->least, d->most);
    if (spk_sql_fail(b->error, "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", span)) {
        spk_sql_param(b->error, "actualNum", "%zu", n);
        spk_sql_param(b->error, "docroot", "https://spark.apache.org/docs/latest");
        spk_sql_param(b->error, "expectedNum", "%s", want);
        spk_sql_param(b->error, "functionName", "`%s`", name);
    }
    return false;
}

SPK_COLD const spk_sql_aggregate *spk_sql_aggregate_make(spk_sql_build *b, const char *name,
    spk_sql_expr *const args[], size_t n, bool star, bool ignore_nulls, spk_sql_span span)
{
    return spk_sql_aggregate_of(b, find(name), name, args, n, star, ignore_nulls, span);
}

SPK_COLD const spk_sql_aggregate *spk_sql_aggregate_of(spk_sql_build *b, const spk_sql_agg_def *def,
    const char *name, spk_sql_expr *const args[], size_t n, bool star, bool ignore_nulls,
    spk_sql_span span)
{
    if (spk_sql_failed(b->error))
        return NULL;
    if (!def || (star && def->least > 0 && strcmp(def->name, "count") != 0)) {
        spk_sql_unsupported(b->error, span, "this aggregate");
        return NULL;
    }
    if (!star && ((int)n < def->least || (def->most >= 0 && (int)n > def->most))) {
        wrong_number(b, def, name, n, span);
        return NULL;
    }
    spk_sql_aggregate *a = spk_arena_alloc(b->arena, sizeof *a, _Alignof(spk_sql_aggregate));
    spk_sql_expr **own = spk_arena_alloc(b->arena, (n + 1) * sizeof *own, _Alignof(spk_sql_expr *));
    if (!a || !own) {
        spk_sql_nomem(b->error);
        return NULL;
    }
    *a = (spk_sql_aggregate) { .def = def,
        .name = def->printed ? def->printed : spk_sql_keep(b, name, strlen(name)),
        .n = (uint32_t)n,
        .args = own,
        .nullable = true,
        .ignore_nulls = ignore_nulls,
        .ordered = def->ordered,
        .span = span };
    for (size_t i = 0; i < n; i++)
        if (!(own[i] = args[i]))
            return NULL;
    if (!def->resolve(b, a) || spk_sql_failed(b->error) || !a->state) {
        if (!spk_sql_failed(b->error))
            spk_sql_nomem(b->error);
        return NULL;
    }
    return a;
}

void spk_sql_agg_init(const spk_sql_aggregate *a, char *state)
{
    memset(state, 0, a->state->size);
    if (a->def->init)
        a->def->init(a, state);
}

bool spk_sql_agg_update(spk_sql_agg_frame *f)
{
    return f->aggregate->def->update(f);
}

bool spk_sql_agg_merge(const spk_sql_aggregate *a, char *into, const char *from, spk_arena *arena,
    spk_sql_error *error)
{
    return a->def->merge(a, into, from, arena, error);
}

void spk_sql_agg_seal(const spk_sql_aggregate *a, char *state)
{
    if (a->def->seal)
        a->def->seal(a, state);
}

bool spk_sql_agg_finish(const spk_sql_aggregate *a, const char *state, void *value, bool *valid,
    spk_arena *arena, spk_sql_error *error)
{
    return a->def->finish(a, state, value, valid, arena, error);
}

/* ---- copies ---- */

static bool copy_slot(
    const spk_sql_type *type, bool nullable, const char *from, char *to, spk_arena *arena)
{
    const uint32_t at = spk_sql_slot_value(type, nullable);
    if (nullable && !*from)
        return true;
    return spk_sql_copy_value(type, from + at, to + at, arena);
}

static bool copy_list(const spk_sql_type *type, spk_sql_array *a, spk_arena *arena)
{
    const bool map = type->kind == SPK_SQL_MAP;
    const size_t size
        = map ? spk_sql_entry_size(type) : spk_sql_slot_size(type->of, type->contains_null);
    char *own = spk_arena_alloc(arena, a->n * size + 1, 16);
    if (!own)
        return false;
    if (a->n > 0)
        memcpy(own, a->at, a->n * size);
    for (size_t i = 0; i < a->n; i++) {
        const char *from = a->at + i * size;
        char *to = own + i * size;
        const size_t value = map ? spk_sql_entry_value(type) : 0;
        if (map && !spk_sql_copy_value(type->key, from, to, arena))
            return false;
        if (!copy_slot(type->of, type->contains_null, from + value, to + value, arena))
            return false;
    }
    a->at = own;
    return true;
}

bool spk_sql_copy_value(const spk_sql_type *type, const void *from, void *to, spk_arena *arena)
{
    if (to != from)
        memcpy(to, from, type->size);
    switch (type->kind) {
    case SPK_SQL_STRING:
    case SPK_SQL_BINARY: {
        spark_str *s = to;
        char *own = spk_arena_alloc(arena, s->len + 1, 1);
        if (!own)
            return false;
        if (s->len > 0)
            memcpy(own, s->ptr, s->len);
        s->ptr = own;
        return true;
    }
    case SPK_SQL_ARRAY:
    case SPK_SQL_MAP:
        return copy_list(type, to, arena);
    case SPK_SQL_STRUCT:
        for (uint32_t i = 0; i < type->n; i++)
            if (!copy_slot(type->fields[i].type, type->fields[i].nullable,
                    (const char *)from + type->fields[i].offset,
                    (char *)to + type->fields[i].offset, arena))
                return false;
        return true;
    default:
        return true;
    }
}
