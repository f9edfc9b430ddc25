/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of aggregates share: a definition has a function for each step of a state's life.
 * */
#ifndef SPK_SQL_EVAL_AGG_H
#define SPK_SQL_EVAL_AGG_H

#include "sql/eval/aggregate.h"
#include "sql/eval/compare.h"
#include "sql/eval/kernel.h"
#include "sql/eval/resolve.h"

/* spk_agg_keeps: what a state that points to memory keeps there: all values of its argument, one or some of those of its
 * arguments, or something else. */
typedef enum spk_agg_keeps { SPK_AGG_KEEPS_OTHER, SPK_AGG_KEEPS_ALL, SPK_AGG_KEEPS_SOME } spk_agg_keeps;

struct spk_sql_agg_def {
    const char *name;   /* lower case */
    int8_t least, most; /* arguments */
    bool ordered;
    uint8_t keeps; /* an spk_agg_keeps */
    bool foreign; /* what a state points to need not be in the arena */
    /* resolve: casts a->args, sets type, nullable, state (by spk_agg_state), perhaps parameter and
     * def's
     * variant; false: failed. */
    bool (*resolve)(spk_sql_build *b, spk_sql_aggregate *a);
    void (*init)(const spk_sql_aggregate *a, char *state); /* NULL: zeros */
    bool (*update)(spk_sql_agg_frame *f);
    bool (*merge)(const spk_sql_aggregate *a, char *into, const char *from, spk_arena *arena,
        spk_sql_error *error);
    void (*seal)(const spk_sql_aggregate *a, char *state); /* NULL: nothing to do */
    bool (*finish)(const spk_sql_aggregate *a, const char *state, void *value, bool *valid,
        spk_arena *arena, spk_sql_error *error);
    int variant; /* of functions that several names share */
    const char *printed;
};

extern const spk_sql_agg_def spk_aggs_plain[], spk_aggs_sum[], spk_aggs_keep[], spk_aggs_moments[], spk_aggs_lists[],
    spk_aggs_histogram[];

/* spk_agg_error_open: nothing is wrong yet. What it would say is left as it is: that is a kilobyte, and some states are
 * merged, and finished, one by one. */
static inline void spk_agg_error_open(spk_sql_error *error)
{
    error->condition = NULL;
    error->nomem = error->closed = false;
    error->n = error->used = 0;
}

/* spk_agg_state: a STRUCT of n fields, none nullable, in this order. NULL: no memory. */
const spk_sql_type *spk_agg_state(spk_sql_build *b, size_t n, const spk_sql_type *const types[]);
/* SPK_AGG_AT: field i of a state, as T. */
static inline void *spk_agg_at(const spk_sql_aggregate *a, const char *state, size_t i)
{
    return (char *)(uintptr_t)state + a->state->fields[i].offset;
}
#define SPK_AGG_AT(T, a, at, i) ((T *)spk_agg_at(a, at, i))

/* SPK_EACH_STATE: for each selected row its index and its state. */
#define SPK_EACH_STATE(f, i, state_)                                                               \
    for (uint32_t k_ = 0, i; k_ < (f)->rows.n && ((i = spk_sql_row((f)->rows, k_)), true); k_++)   \
        for (char *state_ = (f)->states ? (f)->states[k_] : (f)->state, *once_ = state_; once_;    \
             once_ = NULL)

/* spk_agg_want: casts argument i to what the letter says (see spk_sql_want). */
bool spk_agg_want(spk_sql_build *b, spk_sql_aggregate *a, size_t i, char letter);
bool spk_agg_unexpected(
    spk_sql_build *b, const spk_sql_aggregate *a, size_t i, const char *required);
/* spk_agg_constant: argument i as a constant (folded); NULL: NON_FOLDABLE_INPUT. */
const spk_sql_expr *spk_agg_constant(
    spk_sql_build *b, spk_sql_aggregate *a, size_t i, const char *name);
/* spk_agg_overflow: ARITHMETIC_OVERFLOW; false. */
SPK_COLD bool spk_agg_overflow(
    const spk_sql_aggregate *a, spk_sql_error *error, const char *instead);

/* spk_agg_valid: whether no argument of row i is NULL. */
static inline bool spk_agg_valid(const spk_sql_agg_frame *f, uint32_t i)
{
    for (uint32_t k = 0; k < f->aggregate->n; k++)
        if (!spk_sql_valid(&f->args[k], i))
            return false;
    return true;
}

/* spk_sql_copy_value: a deep copy: *to, which is `type->size` bytes, points to the arena. False: no
 * memory. */
bool spk_sql_copy_value(const spk_sql_type *type, const void *from, void *to, spk_arena *arena);

#endif
