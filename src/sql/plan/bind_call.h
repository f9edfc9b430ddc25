/* SPDX-License-Identifier: Apache-2.0 */
/* What the binders of calls share. */
#ifndef SPK_SQL_PLAN_BIND_CALL_H
#define SPK_SQL_PLAN_BIND_CALL_H

#include "sql/plan/analyze.h"

/* spk_exprs_new: room for n and one more; NULL: no memory, which is the statement's error. */
spk_sql_expr **spk_exprs_new(spk_bind *b, size_t n);
bool spk_is_one_of(const char *name, const char *const *names, size_t n);
/* spk_user_of: the function of the program of that name, which the statement keeps; NULL: there is none. */
const spk_user *spk_user_of(spk_analyzer *a, const char *name);

/* spk_has_star: f(*), f(t.*), f(a, *). spk_star_args: the arguments of such a call; named: with the names of their
 * columns. NULL: the error is set. */
bool spk_has_star(const spk_ast *ast);
spk_sql_expr **spk_star_args(spk_bind *b, const spk_ast *ast, bool named, size_t *n);

/* bind_aggregate.c. spk_within_allowed: whether the call may have the ORDER BY it has. spk_aggregate_over: one over a
 * window: false: the error is set. */
bool spk_within_allowed(spk_bind *b, const spk_ast *ast);
bool spk_aggregate_over(spk_bind *b, const spk_ast *ast, spk_window_use *use, spk_sql_expr ***args, size_t *n);
spk_sql_expr *spk_bind_aggregate(spk_bind *b, const spk_ast *ast);
spk_sql_expr *spk_bind_grouping(spk_bind *b, const spk_ast *ast);
/* spk_bind_time_window: the column of window(ts, ..), see time_window.c. */
spk_sql_expr *spk_bind_time_window(spk_bind *b, const spk_ast *ast);

/* bind_window.c */
bool spk_is_window_function(const char *name);
extern const char *const spk_window_functions[]; /* NULL ends them */

#endif
