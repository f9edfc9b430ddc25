/* SPDX-License-Identifier: Apache-2.0 */
/* Aggregates: a state a group, changed by rows, merged, and turned into the result.
 *
 * A state is a row: a STRUCT type with fields, so that it can be shuffled, spilled and stored as
 * any
 * row. It is made by init, and what it points to lies in the arena that update and merge are
 * given, or in the rows themselves. Before a state is copied (by its layout) or its arena ends,
 * seal is called.
 *
 * DISTINCT and FILTER are the caller's. Rows where an argument is NULL are skipped as the function
 * says; the caller passes all. */
#ifndef SPK_SQL_EVAL_AGGREGATE_H
#define SPK_SQL_EVAL_AGGREGATE_H

#include "sql/eval/function.h"

typedef struct spk_sql_aggregate spk_sql_aggregate;
typedef struct spk_sql_agg_def spk_sql_agg_def;

/* spk_sql_aggregate: an aggregate on arguments of known types. */
struct spk_sql_aggregate {
    const spk_sql_agg_def *def;
    const char *name; /* as printed */
    uint32_t n;
    spk_sql_expr **args; /* cast; what update takes; constant ones (a percentile) stay among them */
    const spk_sql_type *type; /* of the result */
    bool nullable;
    bool ignore_nulls;
    bool ordered;              /* the result depends on the order of rows: collect_list, first */
    const spk_sql_type *state; /* STRUCT */
    spk_sql_span span;
    const void *parameter; /* of the function */
};

struct spk_sql_agg_frame;
typedef struct spk_sql_agg_frame {
    const spk_sql_aggregate *aggregate;
    const spk_sql_vector *args;
    spk_sql_rows rows;
    char *const *states; /* of the k-th of the rows; NULL: all of them into `state` */
    char *state;
    bool narrow; /* the argument is a decimal of 128 bits, and its values have 64 each (spk_sql_run_narrow) */
    spk_arena *arena;
    spk_sql_error *error;
} spk_sql_agg_frame;

/* spk_sql_agg_takes_narrow: whether its argument may be so. */
bool spk_sql_agg_takes_narrow(const spk_sql_aggregate *a);
/* spk_sql_agg_same_state: whether of the same rows and the same argument both keep the same: a sum and an average. */
bool spk_sql_agg_same_state(const spk_sql_aggregate *a, const spk_sql_aggregate *b);

/* spk_sql_agg_counts: whether its state is one int64_t, which is the result, and adds up. */
bool spk_sql_agg_counts(const spk_sql_aggregate *a);

/* spk_sql_is_aggregate: whether there is an aggregate of that name. spk_sql_aggregate_at: the name of the i-th; NULL
 * beyond the last. */
const char *spk_sql_aggregate_at(size_t i);
bool spk_sql_is_aggregate(const char *name);

/* spk_sql_aggregate_make: the aggregate of that name; n 0 with star: count(*). NULL: b->error.
 * ignore_nulls: IGNORE NULLS of first, last, any_value. */
const spk_sql_aggregate *spk_sql_aggregate_make(spk_sql_build *b, const char *name,
    spk_sql_expr *const args[], size_t n, bool star, bool ignore_nulls, spk_sql_span span);

/* spk_sql_aggregate_of: the same, of one that is given. */
const spk_sql_aggregate *spk_sql_aggregate_of(spk_sql_build *b, const spk_sql_agg_def *def,
    const char *name, spk_sql_expr *const args[], size_t n, bool star, bool ignore_nulls,
    spk_sql_span span);

void spk_sql_agg_init(const spk_sql_aggregate *a, char *state);
/* spk_sql_agg_update: takes in rows of a batch. spk_sql_agg_merge: `from` into `into`; for
 * `ordered` ones rows
 * of from come after. False: f->error. */
bool spk_sql_agg_update(spk_sql_agg_frame *f);
bool spk_sql_agg_merge(const spk_sql_aggregate *a, char *into, const char *from, spk_arena *arena,
    spk_sql_error *error);
void spk_sql_agg_seal(const spk_sql_aggregate *a, char *state);
/* spk_sql_agg_finish: the result to `value`, as it lies in memory; *valid false: NULL. What it
 * points to lies in the
 * arena or in the state. */
bool spk_sql_agg_finish(const spk_sql_aggregate *a, const char *state, void *value, bool *valid,
    spk_arena *arena, spk_sql_error *error);

#endif
