/* SPDX-License-Identifier: Apache-2.0 */
/* count, bool_and, bit_and and their kin. */
#include "sql/eval/agg_one.h"

static const spk_sql_type *of(spk_sql_kind kind)
{
    return spk_sql_type_of(kind);
}

/* ---- count ---- */

static SPK_COLD bool count_resolve(spk_sql_build *b, spk_sql_aggregate *a)
{
    a->type = of(SPK_SQL_BIGINT);
    a->nullable = false;
    a->state = spk_agg_state(b, 1, (const spk_sql_type *const[]) { a->type });
    return true;
}

static bool count_update(spk_sql_agg_frame *f)
{
    const spk_sql_aggregate *a = f->aggregate;
    bool plain = true;
    for (uint32_t k = 0; k < a->n; k++)
        plain &= f->args[k].valid == NULL;
    if (plain && !f->states) {
        *SPK_AGG_AT(int64_t, a, f->state, 0) += f->rows.n;
        return true;
    }
    SPK_EACH_STATE(f, i, state)
    *SPK_AGG_AT(int64_t, a, state, 0) += plain || spk_agg_valid(f, i);
    return true;
}

static bool count_if_update(spk_sql_agg_frame *f)
{
    SPK_EACH_STATE(f, i, state)
    *SPK_AGG_AT(int64_t, f->aggregate, state, 0)
        += spk_sql_valid(&f->args[0], i) && SPK_SQL_VALUE(bool, &f->args[0], i);
    return true;
}

static SPK_COLD bool count_if_resolve(spk_sql_build *b, spk_sql_aggregate *a)
{
    return spk_agg_want(b, a, 0, 'b') && count_resolve(b, a);
}

static bool count_merge(const spk_sql_aggregate *a, char *into, const char *from, spk_arena *arena,
    spk_sql_error *error)
{
    (void)arena, (void)error;
    *SPK_AGG_AT(int64_t, a, into, 0) += *SPK_AGG_AT(const int64_t, a, from, 0);
    return true;
}

static bool count_finish(const spk_sql_aggregate *a, const char *state, void *value, bool *valid,
    spk_arena *arena, spk_sql_error *error)
{
    (void)arena, (void)error;
    *valid = true;
    memcpy(value, SPK_AGG_AT(const int64_t, a, state, 0), sizeof(int64_t));
    return true;
}

bool spk_sql_agg_counts(const spk_sql_aggregate *a)
{
    return a->def->finish == count_finish;
}

/* ---- bool_and, bool_or, bit_and, bit_or, bit_xor: state { any, value } ---- */

enum { AND, OR, XOR };

static SPK_COLD bool bits_resolve(spk_sql_build *b, spk_sql_aggregate *a)
{
    const bool logic = a->def->name[0] != 'b' || a->def->name[1] == 'o';
    if (!spk_agg_want(b, a, 0, logic ? 'b' : 'I'))
        return false;
    a->type = a->args[0]->type;
    a->state = spk_agg_state(
        b, 2, (const spk_sql_type *const[]) { of(SPK_SQL_BOOLEAN), of(SPK_SQL_BIGINT) });
    return true;
}

static void bits_take(const spk_sql_aggregate *a, char *state, int64_t x)
{
    int64_t *all = SPK_AGG_AT(int64_t, a, state, 1);
    bool *any = SPK_AGG_AT(bool, a, state, 0);
    *all = !*any                 ? x
        : a->def->variant == AND ? *all & x
        : a->def->variant == OR  ? *all | x
                                 : *all ^ x;
    *any = true;
}

static bool bits_update(spk_sql_agg_frame *f)
{
    const spk_sql_type *t = f->aggregate->type;
    SPK_EACH_STATE(f, i, state)
    if (spk_sql_valid(&f->args[0], i))
        bits_take(f->aggregate, state,
            t->kind == SPK_SQL_BOOLEAN ? SPK_SQL_VALUE(bool, &f->args[0], i)
                                       : spk_sql_integer(t, &f->args[0], i));
    return true;
}

static bool bits_merge(const spk_sql_aggregate *a, char *into, const char *from, spk_arena *arena,
    spk_sql_error *error)
{
    (void)arena, (void)error;
    if (*SPK_AGG_AT(const bool, a, from, 0))
        bits_take(a, into, *SPK_AGG_AT(const int64_t, a, from, 1));
    return true;
}

static bool bits_finish(const spk_sql_aggregate *a, const char *state, void *value, bool *valid,
    spk_arena *arena, spk_sql_error *error)
{
    (void)arena, (void)error;
    const int64_t x = *SPK_AGG_AT(const int64_t, a, state, 1);
    const int32_t i = (int32_t)x;
    const int16_t h = (int16_t)x;
    const int8_t y = (int8_t)x;
    *valid = *SPK_AGG_AT(const bool, a, state, 0);
    const size_t size = a->type->size;
    memcpy(value,
        size == 8       ? (const void *)&x
            : size == 4 ? (const void *)&i
            : size == 2 ? (const void *)&h
                        : (const void *)&y,
        size);
    return true;
}

#define COUNT_ .merge = count_merge, .finish = count_finish
#define BITS_                                                                                      \
    .least = 1, .most = 1, .resolve = bits_resolve, .update = bits_update, .merge = bits_merge,    \
    .finish = bits_finish

const spk_sql_agg_def spk_aggs_plain[] = {
    { .name = "count",
        .least = 1,
        .most = -1,
        .resolve = count_resolve,
        .update = count_update,
        COUNT_ },
    { .name = "count_if",
        .least = 1,
        .most = 1,
        .resolve = count_if_resolve,
        .update = count_if_update,
        COUNT_ },
    { .name = "bool_and", BITS_, .variant = AND },
    { .name = "every", BITS_, .variant = AND },
    { .name = "bool_or", BITS_, .variant = OR },
    { .name = "some", BITS_, .variant = OR },
    { .name = "any", BITS_, .variant = OR },
    { .name = "bit_and", BITS_, .variant = AND },
    { .name = "bit_or", BITS_, .variant = OR },
    { .name = "bit_xor", BITS_, .variant = XOR },
    { 0 },
};
