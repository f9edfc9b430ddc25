/* SPDX-License-Identifier: Apache-2.0 */
/* Analysis: trees of a statement become plans: names are looked up, types found, aggregates,
 * windows and subqueries taken out of expressions.
 *
 * Functions give NULL where something has failed, and take NULL: the error is the analyzer's. */
#ifndef SPK_SQL_PLAN_ANALYZE_H
#define SPK_SQL_PLAN_ANALYZE_H

#include "sql/eval/function.h"
#include "sql/plan/catalog.h"
#include "sql/plan/plan.h"

/* spk_cte_env: the common table expressions that a query sees, the nearest first. */
typedef struct spk_cte_env {
    const spk_ast_cte *cte;
    const struct spk_cte_env *inside; /* what its own query sees */
    const struct spk_cte_env *next;
    bool *read;         /* becomes true where a query names it */
    bool recursive;     /* its query may name it */
    spark_rdd *level;   /* of one that is being computed: the rows of the last round, */
    const spk_view_column *columns; /* and their columns */
    size_t n_columns;
} spk_cte_env;

typedef struct spk_sql_binding {
    const char *name; /* NULL: by position */
    spk_sql_expr *value;
} spk_sql_binding;

typedef struct spk_analyzer {
    spk_arena *arena;
    spk_sql_error *error;
    spk_sql_build build;
    spark_context *sc;
    spk_catalog *catalog;
    const char *text;
    spark_site site; /* of the call of the program whose statement it is */
    uint32_t next_id;
    unsigned depth, pivots;
    size_t nodes;
    size_t copies; /* of operators, made for the values subqueries are evaluated for */
    const spk_cte_env *ctes;
    const spk_ast_select *hinted; /* whose relations are analysed: its hints are about them; NULL: it has none */
    const spk_sql_binding *bindings;
    size_t n_bindings;
    const char *defines; /* CREATE VIEW: its name, which it may not read; NULL: another statement */
    const char *way;     /* the views from there to what is read */
    int64_t row_goal; /* how many rows of the table that is analysed next are enough; 0: all are wanted */
    char none[1]; /* a text where there is no memory for one */
    /* used: keeps an RDD as long as the statement. */
    void (*used)(struct spk_analyzer *a, spark_rdd *rdd);
    /* calls: keeps a function of the program, with the caller's reference, as long as the statement. */
    void (*calls)(struct spk_analyzer *a, spk_user *user);
    /* run: the rows of a plan, computed now; *n: how many. NULL: the error is set. */
    spark_rdd *(*run)(struct spk_analyzer *a, spk_plan *plan, size_t *n);
} spk_analyzer;

/* spk_subquery: one that stands in an expression: to be joined to the operator's input. */
typedef struct spk_subquery {
    spk_plan_join kind;    /* MARK or SINGLE */
    spk_plan *plan;
    spk_sql_expr **conditions; /* IN: x = y */
    size_t n_conditions;
    spk_attr attr;         /* what takes its place */
    bool negated;
} spk_subquery;

typedef struct spk_subqueries {
    spk_subquery *at;
    size_t n;
} spk_subqueries;

typedef struct spk_window_use {
    spk_plan_function function;
    spk_sql_expr **partition;
    size_t n_partition;
    spk_plan_sort *sort;
    size_t n_sort;
    spk_attr attr;
} spk_window_use;

typedef struct spk_lambda_env {
    const char *name;
    spk_sql_expr *variable;
    const struct spk_lambda_env *next;
} spk_lambda_env;

/* The bits of grouping_id() in the column that tells grouping sets apart; above them counts how
 * often the same set stands before. */
enum { SPK_GROUPING_SHIFT = 48 };

typedef struct spk_alias {
    const char *name;
    spk_sql_expr *value;
    bool made; /* AS name: a column of its own */
} spk_alias;

typedef struct spk_generator {
    const spk_ast *call;
    const char **names;
    size_t n_names;
} spk_generator;

/* spk_grouped: an expression of GROUP BY, by its text. */
typedef struct spk_grouped {
    spk_sql_span span;
    spk_sql_expr *bound;
} spk_grouped;

/* spk_bind: what an expression may use, and what is taken out of it. */
typedef struct spk_bind spk_bind;
struct spk_bind {
    spk_analyzer *a;
    const spk_scope *scope;
    const char *clause;      /* as messages call it: "WHERE" */
    bool aggregates, windows; /* they are allowed */
    bool in_aggregate, in_window;
    spk_plan_agg *aggs; /* with their attributes */
    spk_attr *agg_attrs;
    size_t n_aggs, n_agg_attrs;
    spk_window_use *uses;
    size_t n_uses;
    const spk_ast_window *named; /* WINDOW w AS .. */
    size_t n_named;
    spk_subqueries before, after; /* to be joined below, and above the aggregation */
    spk_alias *aliases;      /* of the select list so far, for names that are not found */
    size_t n_aliases;
    bool aliases_first;
    const spk_lambda_env *lambdas;
    spk_attr *grouping_id;
    spk_grouped *grouped; /* of GROUP BY: what has subqueries, and would have others where it stands again */
    size_t n_grouped;
    spk_sql_expr **groups; /* bound */
    size_t n_groups;
    bool condition; /* the expression is a filter's: IN may be FALSE where it is NULL, unless */
    unsigned negations; /* something around it turns FALSE over */
};

/* bind.c, bind_call.c: an expression with its types. */
spk_sql_expr *spk_bind_expr(spk_bind *b, const spk_ast *ast);
/* spk_bind_grouped: of an expression that stands in b->grouped; NULL: it does not. */
spk_sql_expr *spk_bind_grouped(const spk_bind *b, const spk_ast *ast);
spk_sql_expr *spk_bind_call(spk_bind *b, const spk_ast *ast);
spk_sql_expr *spk_bind_window(spk_bind *b, const spk_ast *ast);
/* spk_bind_frame: of a window (bind_frame.c). spk_bind_constant: the argument of ntile, nth_value, lag or lead that
 * must be constant; false: it is not. */
void spk_bind_frame(spk_bind *b, const spk_ast_window *w, spk_window_use *use);
bool spk_bind_constant(spk_bind *b, const spk_ast *ast, spk_window_use *use);
spk_sql_expr *spk_bind_subquery(spk_bind *b, const spk_ast *ast, bool negated);
spk_sql_expr *spk_bind_name(spk_bind *b, const spk_ast *ast);
/* spk_identifier: of IDENTIFIER(a constant text): the name that it is; NULL: the error is set. _is_: of a call. */
const spk_ast *spk_identifier(spk_analyzer *a, const spk_ast *call);
bool spk_is_identifier(const spk_ast *call);
/* spk_bind_struct: struct(a AS x, b), and (a, b): fields are named by their columns, or col1, col2. */
spk_sql_expr *spk_bind_struct(spk_bind *b, const spk_ast *ast);
/* spk_bind_whole: an offset that is an integer, with the sign of its side; false: it is none. */
bool spk_bind_whole(spk_bind *b, const spk_sql_expr *offset, bool preceding, int64_t *out);
/* call_name.c: names of columns that are an aggregate, or a window function, of these arguments. */
const char *spk_aggregate_name(
    spk_bind *b, const spk_ast *ast, spk_sql_expr *const *args, size_t n, const spk_sql_expr *filter);
const char *spk_window_name(
    spk_bind *b, const spk_ast *ast, spk_sql_expr *const *args, size_t n, const spk_window_use *use);
/* spk_called: the expression, printed as a call of that function on those arguments. */
spk_sql_expr *spk_called(
    spk_analyzer *a, const spk_sql_function *function, spk_sql_expr **args, size_t n, const spk_sql_expr *made);
/* spk_name_scope: the scope, from the innermost on, that has a column of that name; NULL: none. */
const spk_scope *spk_name_scope(const spk_scope *scope, const spk_ast *name);
/* spk_is_aggregate: of SQL, or of the program. spk_is_routine: whether SQL has a function so called. */
bool spk_is_aggregate(spk_analyzer *a, const char *name);
bool spk_is_routine(const char *name);
bool spk_bind_list(spk_bind *b, const spk_ast_list *list, spk_sql_expr **out);
/* spk_bind_condition: of WHERE, HAVING, ON: must be BOOLEAN; appended to conjuncts, AND by AND. */
void spk_bind_condition(
    spk_bind *b, const spk_ast *ast, spk_sql_expr ***conjuncts, size_t *n, const char *operation);
void spk_conjuncts(spk_analyzer *a, spk_sql_expr *e, spk_sql_expr ***list, size_t *n);

/* query.c, select.c, relation.c */
spk_rel spk_analyze_query(spk_analyzer *a, const spk_ast_query *query, spk_scope *outer);
spk_rel spk_analyze_select(
    spk_analyzer *a, const spk_ast_select *select, spk_scope *outer, const spk_ast_query *order);
/* spk_pivoted: PIVOT and UNPIVOT (pivot.c), without the alias. */
spk_rel spk_pivoted(spk_analyzer *a, const spk_ast_relation *r, spk_scope *outer);
/* spk_push_ctes: those of a query, each of which sees those before it. */
bool spk_push_ctes(spk_analyzer *a, const spk_ast_query *q);
bool spk_names_in(const spk_analyzer *a, spk_sql_span span, const char *name);
/* spk_recursive: a common table expression whose query names it (recursive.c). */
spk_rel spk_recursive(spk_analyzer *a, spk_cte_env *env, spk_scope *outer);
spk_rel spk_analyze_term(spk_analyzer *a, const spk_ast_term *term, spk_scope *outer);
spk_rel spk_analyze_relation(spk_analyzer *a, const spk_ast_relation *r, spk_scope *outer);
/* spk_generate: rows of a generator (explode, ..) beside those of the input. */
spk_plan *spk_scan(spk_analyzer *a, spark_rdd *rdd, const spk_view_column *columns, size_t n,
    const char *name);
/* spk_columns_of: the columns of elements of a type: members of a struct, or "value". */
bool spk_columns_of(spk_arena *arena, spk_sql_error *error, const spark_type *type,
    spk_view_column **columns, size_t *n, spk_sql_span span);
bool spk_is_generator(const char *name);
spk_rel spk_generate(spk_analyzer *a, spk_rel in, const spk_ast *call, bool outer,
    const char *table, const char **names, size_t n_names, spk_scope *outer_scope);
/* spk_attach: joins subqueries to a plan. */
spk_plan *spk_attach(spk_analyzer *a, spk_plan *plan, const spk_subqueries *subqueries);
/* spk_join_correlated: a join whose right side names attributes of the left one: what it says about
 * them becomes conditions of the join. */
spk_plan *spk_join_correlated(spk_analyzer *a, spk_plan_join kind, spk_plan *left, spk_plan *right,
    spk_sql_expr **conditions, size_t n, const spk_attr *mark);
/* spk_domain_join: the same, by the domain of the outer columns that are named (domain.c). */
spk_plan *spk_domain_join(spk_analyzer *a, spk_plan_join kind, spk_plan *left, spk_plan *right,
    spk_sql_expr **conditions, size_t n, const spk_attr *mark);

spk_plan *spk_one_row(spk_analyzer *a);
/* spk_sort_plan: sorted by expressions over the plan's rows; those that are no attribute of it are
 * computed and taken away again. */
spk_plan *spk_sort_plan(spk_analyzer *a, spk_plan *plan, spk_plan_sort *sort, size_t n, bool local);

/* make.c: plans and attributes. */
spk_attr spk_attr_new(spk_analyzer *a, const char *name, const spk_sql_type *type, bool nullable);
spk_sql_expr *spk_attr_column(spk_analyzer *a, const spk_attr *attr, spk_sql_span span);
/* spk_plan_counted: one operator more; false: there are too many, and an error says so. */
bool spk_plan_counted(spk_analyzer *a);
spk_plan *spk_plan_new(spk_analyzer *a, spk_plan_kind kind, spk_plan *in, spk_plan *in2);
spk_plan *spk_plan_filter(spk_analyzer *a, spk_plan *in, spk_sql_expr **exprs, size_t n);
spk_plan *spk_plan_limit(spk_analyzer *a, spk_plan *in, int64_t limit, int64_t offset);
spk_plan *spk_plan_distinct(spk_analyzer *a, spk_plan *in);
spk_plan *spk_plan_join_of(spk_analyzer *a, spk_plan_join kind, spk_plan *left, spk_plan *right,
    spk_sql_expr **exprs, size_t n, const spk_attr *mark);
void spk_plan_out(spk_analyzer *a, spk_plan *plan, spk_attr attr);
spk_plan *spk_plan_copy(spk_analyzer *a, const spk_plan *plan); /* deep, but for expressions */
/* spk_plan_project: each expression as an attribute: that of the column where it is one and keep.
 * */
spk_plan *spk_plan_project(
    spk_analyzer *a, spk_plan *in, spk_sql_expr **exprs, const spk_attr *attrs, size_t n);
/* spk_name_distance: how many letters differ, without case; of the first 64. */
size_t spk_name_distance(const char *a, const char *b);
/* spk_file_fails: the last error, of reading a file, as the statement's: PATH_NOT_FOUND, or what
 * it is. */
SPK_COLD void spk_file_fails(spk_analyzer *a, const char *path, spk_sql_span span);
/* unresolved.c: UNRESOLVED_COLUMN of `a name`.`as shown`, or of the name that stands there in the text, with the
 * nearest ones of a scope, or of none (NULL). */
SPK_COLD void spk_unresolved(spk_analyzer *a, const spk_scope *scope, const char *name, spk_sql_span span);
SPK_COLD void spk_unresolved_at(spk_analyzer *a, const spk_scope *scope, spk_sql_span span);
/* spk_table_not_found: TABLE_OR_VIEW_NOT_FOUND of a name, with the nearest one that there is. */
SPK_COLD void spk_table_not_found(spk_analyzer *a, const spk_ast *name);
char *spk_print(spk_analyzer *a, const char *format, ...) SPARK_FORMAT_(2, 3);
char *spk_copy_text(spk_analyzer *a, const char *text, size_t n);
const char *spk_lower_name(spk_analyzer *a, const char *name); /* a copy; of ASCII */
char *spk_expr_name(spk_analyzer *a, const spk_sql_expr *e); /* its name as an output column */
bool spk_names_same(const char *a, const char *b);           /* without case */

/* rewrite.c: expressions and plans with other columns. */
typedef struct spk_replacement {
    uint32_t id;
    spk_sql_expr *by;
} spk_replacement;
spk_sql_expr *spk_expr_replace(
    spk_analyzer *a, spk_sql_expr *e, const spk_replacement *list, size_t n);
/* spk_expr_swap: whatever is the same as from[i] becomes to[i]. */
spk_sql_expr *spk_expr_swap(spk_analyzer *a, spk_sql_expr *e, spk_sql_expr *const *from,
    spk_sql_expr *const *to, size_t n);
bool spk_expr_same(const spk_sql_expr *a, const spk_sql_expr *b);
/* spk_expr_same_as: whether b is the same as a with other columns: to[x] is b's for x. */
bool spk_expr_same_as(const uint32_t *to, const spk_sql_expr *a, const spk_sql_expr *b);
/* spk_expr_columns: calls visit for every column. */
void spk_expr_columns(const spk_sql_expr *e, void (*visit)(void *arg, const spk_sql_expr *column),
    void *arg);
/* spk_expr_size: how many nodes there are, shared ones each time; at least `most`: so many or more. */
size_t spk_expr_size(const spk_sql_expr *e, size_t most);
bool spk_expr_within(const spk_sql_expr *e, const spk_plan *plan); /* all columns are */
bool spk_expr_touches(const spk_sql_expr *e, const spk_plan *plan); /* some are */
bool spk_plan_has(const spk_plan *plan, uint32_t id);
void spk_plan_replace(spk_analyzer *a, spk_plan *plan, const spk_replacement *list, size_t n);
/* spk_plan_free_columns: whether something in the plan names an attribute that nothing below
 * makes. */
bool spk_plan_correlated(const spk_plan *plan, const spk_plan *outer);
/* spk_plan_each: every expression that stands in this operator itself, by its place. */
void spk_plan_each(spk_plan *plan, void (*visit)(void *arg, spk_sql_expr **place), void *arg);

/* query.c: spk_has_map: a type that is a map or holds some. spk_no_maps: whether rows may be compared with each other,
 * which Spark refuses of such columns; false: the error is set. */
bool spk_has_map(const spk_sql_type *type);
bool spk_no_maps(spk_analyzer *a, const spk_plan *plan, spk_sql_span span);

/* spk_empty_value: what an aggregate gives over no rows. */
spk_sql_expr *spk_empty_value(spk_analyzer *a, const spk_sql_aggregate *agg);

/* distinct.c: no aggregate of DISTINCT arguments is left. */
spk_plan *spk_distincts(spk_analyzer *a, spk_plan *plan);

/* optimize.c */
spk_plan *spk_optimize(spk_analyzer *a, spk_plan *plan);

/* join_order.c: inner joins in another order. NULL: the error is set. */
spk_plan *spk_order_joins(spk_analyzer *a, spk_plan *plan);
/* spk_plan_refresh: the attributes of an operator that passes on those of its inputs. */
void spk_plan_refresh(spk_analyzer *a, spk_plan *plan);

/* statistics.c: a guess at what a plan gives. rows, bytes: of the rows as they lie in memory; base: how many
 * rows its largest table has, before filters: as many values as a key of it may have. */
typedef struct spk_plan_size {
    double rows, bytes, base;
} spk_plan_size;
spk_plan_size spk_size_of(const spk_plan *plan);

/* strategy.c: how the joins of a plan are computed; what is decided stays. */
void spk_strategies(spk_analyzer *a, spk_plan *plan);

/* common.c: operators whose rows are those of an earlier one are marked. spk_common_columns: such a one's attributes are
 * those that the other has by now. */
void spk_common_subplans(spk_analyzer *a, spk_plan *plan);
void spk_common_columns(spk_analyzer *a, spk_plan *plan);

/* hint.c: spk_hints_warn: of those that nobody knows. spk_hint: a relation of that name, as the hints of its SELECT say.
 * spk_hint_of: what is said of a side of a join. */
void spk_hints_warn(const spk_ast_select *select);
void spk_hint(spk_analyzer *a, spk_plan *plan, const char *name);
spk_plan_hint spk_hint_of(const spk_plan *plan);

/* describe.c: a plan as EXPLAIN prints it. _formatted: EXPLAIN FORMATTED: names and numbers, then a line for each. */
void spk_plan_print(const spk_plan *plan, FILE *file);
void spk_plan_print_formatted(const spk_plan *plan, FILE *file);
/* spk_plan_print_line: of one operator, without its end. spk_plan_name: how that begins. */
void spk_plan_print_line(const spk_plan *plan, FILE *file);
const char *spk_plan_name(const spk_plan *plan);

#endif
