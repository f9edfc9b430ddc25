/* SPDX-License-Identifier: Apache-2.0 */
/* Values in one form, which GROUP BY and DISTINCT compare: maps whatever order they were put together in, one zero
 * and one NaN of floating point. */

#include <math.h>
#include <string.h>

#include "sql/eval/agg.h"
#include "sql/eval/slots.h"

typedef struct sorting {
    const spk_sql_type *map;
    spk_arena *arena;
    bool failed;
} sorting;

static int order(const sorting *s, const char *a, const char *b)
{
    return spk_sql_value_compare(s->map->key, a, b);
}

/* merge_sort: entries of a map by their keys. */
static void merge_sort(sorting *s, char *at, size_t n)
{
    const size_t size = spk_sql_entry_size(s->map);
    char *other = n > 1 ? spk_arena_alloc(s->arena, n * size, 16) : NULL, *from = at, *to = other;
    if (n < 2)
        return;
    if (!other) {
        s->failed = true;
        return;
    }
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t i = 0; i < n; i += 2 * width) {
            size_t left = i, right = i + width < n ? i + width : n;
            const size_t middle = right, end = i + 2 * width < n ? i + 2 * width : n;
            for (size_t k = i; k < end; k++) {
                const bool first = left < middle
                    && (right >= end || order(s, from + left * size, from + right * size) <= 0);
                memcpy(to + k * size, from + (first ? left++ : right++) * size, size);
            }
        }
        char *turned = from;
        from = to;
        to = turned;
    }
    if (from != at)
        memcpy(at, from, n * size);
}

static double one_zero(double x)
{
    return x < 0 || x > 0 ? x : isnan(x) ? (double)NAN : 0.0;
}

void spk_sql_one_zero(const spk_sql_type *type, void *value)
{
    double x;
    float narrow;
    if (type->kind == SPK_SQL_DOUBLE) {
        memcpy(&x, value, sizeof x);
        x = one_zero(x);
        memcpy(value, &x, sizeof x);
    } else if (type->kind == SPK_SQL_FLOAT) {
        memcpy(&narrow, value, sizeof narrow);
        narrow = (float)one_zero((double)narrow);
        memcpy(value, &narrow, sizeof narrow);
    }
}

/* normal: what is in a value, which is a copy that may be changed. */
static void normal(const spk_sql_type *type, char *value, spk_arena *arena, bool *failed)
{
    spk_sql_array a;
    spk_sql_one_zero(type, value);
    if (type->kind == SPK_SQL_STRUCT) {
        for (uint32_t i = 0; i < type->n; i++) {
            char *member = (char *)(uintptr_t)spk_sql_member(type, value, i);
            if (member)
                normal(type->fields[i].type, member, arena, failed);
        }
        return;
    }
    if (type->kind != SPK_SQL_ARRAY && type->kind != SPK_SQL_MAP)
        return;
    memcpy(&a, value, sizeof a);
    for (size_t i = 0; i < a.n; i++) {
        const void *at = NULL;
        if (type->kind == SPK_SQL_MAP)
            normal(type->key, (char *)(uintptr_t)spk_sql_entry(type, a, i, &at), arena, failed);
        else
            at = spk_sql_slot(type, a, i);
        if (at)
            normal(type->of, (char *)(uintptr_t)at, arena, failed);
    }
    if (type->kind == SPK_SQL_MAP) {
        sorting s = { type, arena, false };
        merge_sort(&s, (char *)(uintptr_t)a.at, a.n);
        *failed = *failed || s.failed;
    }
}

static void map_sorted(spk_sql_frame *f)
{
    const spk_sql_type *type = f->expr->type;
    SPK_EACH_ROW(f, i)
    {
        char *out = f->out + (size_t)i * type->size;
        bool failed = !spk_sql_copy_value(type, f->args[0].ptr + (size_t)i * f->args[0].stride, out, f->arena);
        if (!failed)
            normal(type, out, f->arena, &failed);
        if (failed) {
            spk_sql_no_room(f);
            return;
        }
    }
}

static void zeros(spk_sql_frame *f)
{
    const spk_sql_type *type = f->expr->type;
    SPK_EACH_ROW(f, i)
    {
        char *out = f->out + (size_t)i * type->size;
        memcpy(out, f->args[0].ptr + (size_t)i * f->args[0].stride, type->size);
        spk_sql_one_zero(type, out);
    }
}

static bool is_float(const spk_sql_type *type)
{
    return type->kind == SPK_SQL_DOUBLE || type->kind == SPK_SQL_FLOAT;
}

static bool has_float(const spk_sql_type *type)
{
    for (uint32_t i = 0; type->kind == SPK_SQL_STRUCT && i < type->n; i++)
        if (has_float(type->fields[i].type))
            return true;
    if (type->kind == SPK_SQL_MAP && has_float(type->key))
        return true;
    return is_float(type) || ((type->kind == SPK_SQL_ARRAY || type->kind == SPK_SQL_MAP) && has_float(type->of));
}

static SPK_COLD bool resolve(spk_sql_build *b, spk_sql_expr *call)
{
    (void)b;
    call->type = call->args[0]->type;
    call->kernel = is_float(call->type) ? zeros : map_sorted;
    return true;
}

SPK_COLD spk_sql_expr *spk_sql_normal(spk_sql_build *b, spk_sql_expr *e)
{
    return e && has_float(e->type) ? spk_sql_call(b, "map_sorted", &e, 1, e->span) : e;
}

const spk_sql_function spk_sql_maps[]
    = { { .name = "map_sorted", .least = 1, .most = 1, .kernel = map_sorted, .resolve = resolve }, { 0 } };
