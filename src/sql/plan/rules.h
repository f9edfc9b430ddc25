/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the optimiser that have files of their own; optimize.c says what they do and in which order they run. A
 * rule gives the plan that takes the place of what it was given, which it changes in place, and NULL where the
 * error is set. */
#ifndef SPK_SQL_PLAN_RULES_H
#define SPK_SQL_PLAN_RULES_H

#include "sql/eval/function.h"
#include "sql/plan/analyze.h"

/* spk_expr_is: a call of the function or operator of that name. */
static inline bool spk_expr_is(const spk_sql_expr *e, const char *name)
{
    return e && e->kind == SPK_SQL_CALL && e->function && strcmp(e->function->name, name) == 0;
}

/* push_down.c */
void spk_factors(spk_analyzer *a, spk_plan *plan);
spk_plan *spk_push_down(spk_analyzer *a, spk_plan *plan);

/* prune.c: exprs: columns of the plan that are asked for. */
void spk_prune_columns(spk_analyzer *a, spk_plan *plan, spk_sql_expr *const *exprs, size_t n);

/* group_limit.c */
void spk_group_limits(spk_plan *plan);

/* dependants.c */
spk_plan *spk_dependants(spk_analyzer *a, spk_plan *plan);

/* sums.c */
spk_plan *spk_sums(spk_analyzer *a, spk_plan *plan);

/* counts.c */
spk_plan *spk_counts(spk_analyzer *a, spk_plan *plan);

/* empty.c */
spk_plan *spk_emptiness(spk_analyzer *a, spk_plan *plan);

#endif
