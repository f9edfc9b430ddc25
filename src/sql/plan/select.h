/* SPDX-License-Identifier: Apache-2.0 */
/* A SELECT while it is analyzed. */
#ifndef SPK_SQL_PLAN_SELECT_H
#define SPK_SQL_PLAN_SELECT_H

#include "sql/plan/analyze.h"

typedef struct item {
    const spk_ast *ast; /* NULL: bound already */
    spk_sql_expr *bound;
    const char *name;
    spk_attr attr; /* of the output */
    const char *table, *table2; /* it keeps */
} item;

typedef struct selecting {
    spk_analyzer *a;
    const spk_ast_select *select;
    const spk_ast_query *query; /* whose ORDER BY it is; NULL: none */
    spk_rel in;
    spk_bind bind, group_bind;
    item *items;
    size_t n_items;
    spk_sql_expr **groups;
    spk_attr *group_attrs;
    size_t n_groups, n_group_attrs;
    bool **sets;
    size_t n_sets;
    spk_attr grouping_id;
    spk_sql_expr **having, **qualify;
    size_t n_having, n_qualify;
    spk_plan_sort *sort;
    size_t n_sort;
    bool grouped;
    bool replaced; /* the column of |> SET was there */
} selecting;

/* add: one item more: an expression to bind (ast), or one that is bound already. */
void spk_select_add(selecting *s, const spk_ast *ast, spk_sql_expr *bound, const char *name);
/* star: adds the columns of a star. */
void spk_select_star(selecting *s, const spk_ast *ast);

/* time_window.c: the column that window() is, if the select list or GROUP BY has one. */
void spk_time_window(selecting *s);

/* select_names.c: spk_item_name: a column is called as it is written, under a cast as well; all else as it is printed,
 * as current_date without parentheses. */
const char *spk_item_name(selecting *s, const item *it);
/* spk_item_of_column: whether a column of that name is an item as it is: it comes before a cast that is called so. */
bool spk_item_of_column(const selecting *s, const char *name);
/* spk_trailing_comma: SELECT a, FROM t is read as a and the column "from" that is called t. */
void spk_trailing_comma(spk_analyzer *a, const spk_ast_select *select);
/* unresolved.c: _behind: a column that is gone behind DISTINCT or the groups: with names of the select list. _star:
 * CANNOT_RESOLVE_STAR_EXPAND of name.*. */
SPK_COLD void spk_unresolved_behind(selecting *s, spk_sql_span span);
SPK_COLD void spk_unresolved_star(selecting *s, const spk_ast *star);

#endif
