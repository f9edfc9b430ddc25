/* SPDX-License-Identifier: Apache-2.0 */
/* States that are lists of values: how they grow. What runs once a row, or once a list. */
#include "sql/eval/agg_list.h"

#include "sql/eval/hash.h"

static bool same(const spk_sql_type *t, const char *a, const char *b)
{
    return spk_sql_value_compare(t, a, b) == 0;
}

/* unique: values that occur again are taken out; the first of each stays where it is. */
static size_t unique(const spk_sql_type *t, char *at, size_t n, uint32_t *table, size_t size)
{
    size_t kept = 0;
    memset(table, 0, size * sizeof *table);
    for (size_t i = 0; i < n; i++) {
        const char *value = at + i * t->size;
        size_t place = spk_sql_value_hash(t, value) & (size - 1);
        while (table[place] > 0 && !same(t, value, at + (table[place] - 1) * t->size))
            place = (place + 1) & (size - 1);
        if (table[place] > 0)
            continue;
        if (kept != i)
            memcpy(at + kept * t->size, value, t->size);
        table[place] = (uint32_t)++kept;
    }
    return kept;
}

size_t spk_agg_list_unique(const spk_sql_type *t, char *at, size_t n, spk_arena *arena)
{
    size_t size = 16;
    while (size < 2 * n)
        size *= 2;
    const spk_arena_mark mark = spk_arena_note(arena);
    uint32_t *table = n > UINT32_MAX / 4 ? NULL : spk_arena_alloc(arena, size * sizeof *table, 64);
    if (!table)
        return n;
    n = unique(t, at, n, table, size);
    spk_arena_rewind(arena, mark);
    return n;
}

/* reach: room for n more values. */
static bool reach(const spk_sql_aggregate *a, spk_sql_array *list, int64_t *room, size_t n, spk_arena *arena)
{
    const spk_sql_type *t = a->args[0]->type;
    const size_t least = list->n + n, size = list->n < 4 ? 8 : 2 * list->n, most = size > least ? size : least;
    char *fresh = spk_arena_alloc(arena, most * t->size, 16);
    if (!fresh)
        return false;
    if (list->n > 0)
        memcpy(fresh, list->at, list->n * t->size);
    list->at = fresh;
    *room = (int64_t)most;
    if (a->def->variant == SPK_AGG_SET && list->n > 16)
        list->n = spk_agg_list_unique(t, fresh, list->n, arena);
    return true;
}

/* flat: values point to nothing. */
static bool flat(const spk_sql_type *t)
{
    return t->kind < SPK_SQL_ARRAY && t->kind != SPK_SQL_STRING && t->kind != SPK_SQL_BINARY;
}

/* append: n values that lie side by side. */
static bool append(const spk_sql_aggregate *a, char *state, const char *values, size_t n, spk_arena *arena)
{
    const spk_sql_type *t = a->args[0]->type;
    int64_t *room = SPK_AGG_AT(int64_t, a, state, 0);
    spk_sql_array *list = SPK_AGG_AT(spk_sql_array, a, state, 1);
    if ((uint64_t)*room < list->n + n && !reach(a, list, room, n, arena))
        return false;
    char *to = (char *)(uintptr_t)list->at + list->n * t->size;
    list->n += n;
    if (!flat(t)) {
        for (size_t i = 0; i < n; i++)
            if (!spk_sql_copy_value(t, values + i * t->size, to + i * t->size, arena))
                return false;
    } else if (n == 1 && t->size == 8) { /* most often */
        memcpy(to, values, 8);
    } else {
        memcpy(to, values, n * t->size);
    }
    return true;
}

static bool nomem(spk_sql_error *error)
{
    spk_sql_nomem(error);
    return false;
}

bool spk_agg_list_update(spk_sql_agg_frame *f)
{
    SPK_EACH_STATE(f, i, state)
    if (spk_sql_valid(&f->args[0], i)
        && !append(f->aggregate, state, f->args[0].ptr + i * f->args[0].stride, 1, f->arena))
        return nomem(f->error);
    return true;
}

/* spk_agg_list_merge: a set goes on value by value: it shrinks before it grows. */
bool spk_agg_list_merge(
    const spk_sql_aggregate *a, char *into, const char *from, spk_arena *arena, spk_sql_error *error)
{
    const spk_sql_array list = *SPK_AGG_AT(const spk_sql_array, a, from, 1);
    const size_t n = a->def->variant == SPK_AGG_SET ? 1 : list.n;
    for (size_t i = 0; i < list.n; i += n)
        if (!append(a, into, list.at + i * a->args[0]->type->size, n, arena))
            return nomem(error);
    return true;
}

void spk_agg_list_seal(const spk_sql_aggregate *a, char *state)
{
    *SPK_AGG_AT(int64_t, a, state, 0) = 0;
}
