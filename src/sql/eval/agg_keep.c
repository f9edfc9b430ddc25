/* SPDX-License-Identifier: Apache-2.0 */
/* Aggregates that keep one of their values: min, max, first, last, any_value, and of another column max_by and min_by. */
#include "sql/eval/agg_one.h"

static bool nomem(spk_sql_error *error)
{
    spk_sql_nomem(error);
    return false;
}

static const spk_sql_type *of(spk_sql_kind kind)
{
    return spk_sql_type_of(kind);
}

/* ---- min, max, first, last, any_value: state { seen, present, room, value } ----
 * room: how many bytes a string's own memory has, 0 where it is not its own. */

enum { MIN, MAX, FIRST, LAST };

static SPK_COLD bool keep_resolve(spk_sql_build *b, spk_sql_aggregate *a)
{
    const spk_sql_type *t = a->args[0]->type;
    if (a->def->variant <= MAX && !spk_sql_is_ordered(t)) {
        char name[16];
        spk_sql_function function = { .name = a->def->name };
        const spk_sql_expr call = {
            .kind = SPK_SQL_CALL, .function = &function, .name = a->name, .n = a->n, .args = a->args
        };
        snprintf(name, sizeof name, "`%s`", a->def->name);
        spk_sql_fail3(b->error, "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", a->span, "dataType",
            spk_sql_type_quoted(b, t), "functionName", name, "sqlExpr",
            spk_sql_expr_quoted(b, &call));
        return false;
    }
    if (a->n == 2) {
        const spk_sql_expr *flag
            = spk_agg_want(b, a, 1, 'b') ? spk_agg_constant(b, a, 1, "ignoreNulls") : NULL;
        if (!flag)
            return false;
        a->ignore_nulls = !flag->null && *(const bool *)flag->value;
        a->n = 1;
    }
    a->type = t;
    a->state = spk_agg_state(b, 4,
        (const spk_sql_type *const[]) { of(SPK_SQL_BOOLEAN), of(SPK_SQL_BOOLEAN), of(SPK_SQL_INT),
            t->kind == SPK_SQL_VOID ? of(SPK_SQL_BOOLEAN) : t });
    return true;
}

/* keep: the state's value becomes a copy of this one; NULL: none. */
static bool keep(
    const spk_sql_aggregate *a, char *state, size_t field, const void *value, spk_arena *arena)
{
    const spk_sql_type *t = a->state->fields[field].type;
    void *at = SPK_AGG_AT(char, a, state, field);
    int32_t *room = SPK_AGG_AT(int32_t, a, state, field - 1);
    *SPK_AGG_AT(bool, a, state, field - 2) = value != NULL;
    if (!value)
        return true;
    if (t->kind != SPK_SQL_STRING && t->kind != SPK_SQL_BINARY)
        return spk_sql_copy_value(t, value, at, arena);
    spark_str s = *(const spark_str *)value, *own = at;
    if (s.len > (size_t)*room || *room == 0) {
        size_t size = 16;
        while (size < s.len)
            size *= 2;
        own->ptr = size > INT32_MAX ? NULL : spk_arena_alloc(arena, size, 1);
        if (!own->ptr)
            return false;
        *room = (int32_t)size;
    }
    if (s.len > 0)
        memmove((char *)(uintptr_t)own->ptr, s.ptr, s.len);
    own->len = s.len;
    return true;
}

/* better: whether a value takes the place of the state's. */
static bool better(const spk_sql_aggregate *a, const char *state, const void *value)
{
    const bool seen = *SPK_AGG_AT(const bool, a, state, 0);
    if (a->def->variant == FIRST)
        return !seen && (value || !a->ignore_nulls);
    if (a->def->variant == LAST)
        return value || !a->ignore_nulls;
    if (!value)
        return false;
    if (!*SPK_AGG_AT(const bool, a, state, 1))
        return true;
    const int c = spk_sql_value_compare(a->type, value, SPK_AGG_AT(const char, a, state, 3));
    return a->def->variant == MIN ? c < 0 : c > 0;
}

/* EXTREME: numbers into one state, or each into its own: no copies, no calls. */
#define EXTREME(name, T, test)                                                                     \
    static void name##_each(spk_sql_agg_frame *f)                                                  \
    {                                                                                              \
        const spk_sql_aggregate *a = f->aggregate;                                                 \
        for (uint32_t k = 0; k < f->rows.n; k++) {                                                 \
            const uint32_t i = spk_sql_row(f->rows, k);                                            \
            const T x = SPK_SQL_VALUE(T, &f->args[0], i);                                          \
            T *at = SPK_AGG_AT(T, a, f->states[k], 3), best = *at;                                 \
            bool *any = SPK_AGG_AT(bool, a, f->states[k], 1);                                      \
            if (spk_sql_valid(&f->args[0], i) && (!*any || (test))) {                              \
                *at = x;                                                                           \
                *any = true;                                                                       \
            }                                                                                      \
        }                                                                                          \
    }                                                                                              \
    static void name(spk_sql_agg_frame *f)                                                         \
    {                                                                                              \
        const spk_sql_aggregate *a = f->aggregate;                                                 \
        if (f->states) {                                                                           \
            name##_each(f);                                                                        \
            return;                                                                                \
        }                                                                                          \
        T best = *SPK_AGG_AT(T, a, f->state, 3);                                                   \
        bool any = *SPK_AGG_AT(bool, a, f->state, 1);                                              \
        const bool all = f->rows.n > 0 && spk_agg_side_by_side(f, sizeof(T));                      \
        if (all) {                                                                                 \
            const bool least = a->def->variant == MIN;                                             \
            const T x = (T)spk_agg_extreme(f->args[0].ptr, sizeof(T), f->rows.n, least);           \
            best = !any || (test) ? x : best;                                                      \
            any = true;                                                                            \
        }                                                                                          \
        for (uint32_t k = 0; k < f->rows.n && !all; k++) {                                         \
            const uint32_t i = spk_sql_row(f->rows, k);                                            \
            const T x = SPK_SQL_VALUE(T, &f->args[0], i);                                          \
            if (spk_sql_valid(&f->args[0], i) && (!any || (test))) {                               \
                best = x;                                                                          \
                any = true;                                                                        \
            }                                                                                      \
        }                                                                                          \
        *SPK_AGG_AT(T, a, f->state, 3) = best;                                                     \
        *SPK_AGG_AT(bool, a, f->state, 1) = any;                                                   \
    }
EXTREME(min_i32, int32_t, x < best)
EXTREME(max_i32, int32_t, x > best)
EXTREME(min_i64, int64_t, x < best)
EXTREME(max_i64, int64_t, x > best)

static bool extreme(spk_sql_agg_frame *f)
{
    const spk_sql_type *t = f->aggregate->type;
    const bool least = f->aggregate->def->variant == MIN;
    if (f->aggregate->def->variant > MAX)
        return false;
    if (t->kind == SPK_SQL_INT || t->kind == SPK_SQL_DATE) {
        (least ? min_i32 : max_i32)(f);
        return true;
    }
    if (t->kind == SPK_SQL_BIGINT || t->kind == SPK_SQL_TIMESTAMP
        || (t->kind == SPK_SQL_DECIMAL && t->size == 8)) {
        (least ? min_i64 : max_i64)(f);
        return true;
    }
    return false;
}

static bool keep_update(spk_sql_agg_frame *f)
{
    const spk_sql_aggregate *a = f->aggregate;
    if (!f->states && !f->args[0].valid && f->args[0].stride == 0 && f->rows.n > 0)
        f->rows = (spk_sql_rows) { NULL, 1 }; /* all are one value */
    if (extreme(f))
        return true;
    SPK_EACH_STATE(f, i, state)
    {
        const void *value
            = spk_sql_valid(&f->args[0], i) ? f->args[0].ptr + i * f->args[0].stride : NULL;
        if (!better(a, state, value))
            continue;
        *SPK_AGG_AT(bool, a, state, 0) = true;
        if (!keep(a, state, 3, value, f->arena))
            return nomem(f->error);
    }
    return true;
}

static bool keep_merge(const spk_sql_aggregate *a, char *into, const char *from, spk_arena *arena,
    spk_sql_error *error)
{
    const void *value
        = *SPK_AGG_AT(const bool, a, from, 1) ? SPK_AGG_AT(const char, a, from, 3) : NULL;
    if (a->def->variant >= FIRST && !*SPK_AGG_AT(const bool, a, from, 0))
        return true;
    if (!better(a, into, value))
        return true;
    *SPK_AGG_AT(bool, a, into, 0) = true;
    return keep(a, into, 3, value, arena) || nomem(error);
}

static void keep_seal(const spk_sql_aggregate *a, char *state)
{
    *SPK_AGG_AT(int32_t, a, state, 2) = 0;
}

static bool keep_finish(const spk_sql_aggregate *a, const char *state, void *value, bool *valid,
    spk_arena *arena, spk_sql_error *error)
{
    (void)arena, (void)error;
    *valid = *SPK_AGG_AT(const bool, a, state, 1) && a->type->kind != SPK_SQL_VOID;
    if (*valid)
        memcpy(value, SPK_AGG_AT(const char, a, state, 3), a->type->size);
    return true;
}

/* ---- max_by, min_by: state { seen?, present, room, x, present, room, y } ---- */

static SPK_COLD bool by_resolve(spk_sql_build *b, spk_sql_aggregate *a)
{
    const spk_sql_type *x = a->args[0]->type, *y = a->args[1]->type;
    const spk_sql_type *flag = of(SPK_SQL_BOOLEAN), *room = of(SPK_SQL_INT);
    if (!spk_sql_is_ordered(y))
        return spk_agg_unexpected(b, a, 1, "\"ORDERED\"");
    a->type = x;
    a->state = spk_agg_state(b, 6,
        (const spk_sql_type *const[]) {
            flag, room, x->kind == SPK_SQL_VOID ? flag : x, flag, room, y });
    return true;
}

/* by_take: of several with the same y the last one, as in Spark. */
static bool by_take(const spk_sql_aggregate *a, char *state, const void *x, const void *y,
    spk_arena *arena, spk_sql_error *error)
{
    if (*SPK_AGG_AT(bool, a, state, 3)) {
        const int c
            = spk_sql_value_compare(a->args[1]->type, y, SPK_AGG_AT(const char, a, state, 5));
        if (a->def->variant == MIN ? c > 0 : c < 0)
            return true;
    }
    if (a->type->kind == SPK_SQL_VOID)
        x = NULL;
    return (keep(a, state, 2, x, arena) && keep(a, state, 5, y, arena)) || nomem(error);
}

static bool by_update(spk_sql_agg_frame *f)
{
    SPK_EACH_STATE(f, i, state)
    {
        if (!spk_sql_valid(&f->args[1], i))
            continue;
        const void *x
            = spk_sql_valid(&f->args[0], i) ? f->args[0].ptr + i * f->args[0].stride : NULL;
        if (!by_take(
                f->aggregate, state, x, f->args[1].ptr + i * f->args[1].stride, f->arena, f->error))
            return false;
    }
    return true;
}

static bool by_merge(const spk_sql_aggregate *a, char *into, const char *from, spk_arena *arena,
    spk_sql_error *error)
{
    if (!*SPK_AGG_AT(const bool, a, from, 3))
        return true;
    return by_take(a, into,
        *SPK_AGG_AT(const bool, a, from, 0) ? SPK_AGG_AT(const char, a, from, 2) : NULL,
        SPK_AGG_AT(const char, a, from, 5), arena, error);
}

static void by_seal(const spk_sql_aggregate *a, char *state)
{
    *SPK_AGG_AT(int32_t, a, state, 1) = 0;
    *SPK_AGG_AT(int32_t, a, state, 4) = 0;
}

static bool by_finish(const spk_sql_aggregate *a, const char *state, void *value, bool *valid,
    spk_arena *arena, spk_sql_error *error)
{
    (void)arena, (void)error;
    *valid = *SPK_AGG_AT(const bool, a, state, 0);
    if (*valid)
        memcpy(value, SPK_AGG_AT(const char, a, state, 2), a->type->size);
    return true;
}

#define KEEP_                                                                                      \
    .least = 1, .resolve = keep_resolve, .update = keep_update, .merge = keep_merge,               \
    .seal = keep_seal, .finish = keep_finish, .keeps = SPK_AGG_KEEPS_SOME
#define BY_                                                                                        \
    .least = 2, .most = 2, .resolve = by_resolve, .update = by_update, .merge = by_merge,          \
    .seal = by_seal, .finish = by_finish, .keeps = SPK_AGG_KEEPS_SOME

const spk_sql_agg_def spk_aggs_keep[] = {
    { .name = "min", .most = 1, KEEP_, .variant = MIN },
    { .name = "max", .most = 1, KEEP_, .variant = MAX },
    { .name = "first", .most = 2, KEEP_, .variant = FIRST, .ordered = true },
    { .name = "first_value", .most = 2, KEEP_, .variant = FIRST, .ordered = true },
    { .name = "any_value", .most = 2, KEEP_, .variant = FIRST, .ordered = true },
    { .name = "last", .most = 2, KEEP_, .variant = LAST, .ordered = true },
    { .name = "last_value", .most = 2, KEEP_, .variant = LAST, .ordered = true },
    { .name = "max_by", BY_, .variant = MAX, .ordered = true },
    { .name = "min_by", BY_, .variant = MIN, .ordered = true },
    { 0 },
};
