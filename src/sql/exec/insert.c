/* SPDX-License-Identifier: Apache-2.0 */
/* INSERT: a table is what is there, and the new rows. Its columns take what Spark's store assignment lets them take
 * (ANSI): no text for a number, and no value that does not fit. */
#include "base/small.h"

#include <spark/source.h>

#include "sql/exec/files.h"
#include "sql/exec/result.h"
#include "sql/parse/parse.h"

/* full_name: as messages call a table. */
static const char *full_name(spk_analyzer *a, const char *name)
{
    const char *dot = strchr(name, '.');
    return spk_print(a, "`spark_catalog`.`%.*s`.`%s`", dot ? (int)(dot - name) : 7, dot ? name : "default",
        dot ? dot + 1 : name);
}

/* ---- what a column takes */

static bool is_moment(spk_sql_kind kind)
{
    return kind == SPK_SQL_DATE || kind == SPK_SQL_TIMESTAMP || kind == SPK_SQL_TIMESTAMP_NTZ;
}

/* storing: of an assignment: the table, and the column, with the way into it, in messages. */
typedef struct storing {
    spk_analyzer *a;
    const char *table;
    spk_sql_span span;
} storing;

/* storable: whether values of a type may be stored as another; false: the error is set. */
static bool storable(const storing *s, const char *column, const spk_sql_type *from, const spk_sql_type *to)
{
    spk_analyzer *a = s->a;
    if (from->kind == SPK_SQL_VOID || spk_sql_type_same(from, to)
        || (spk_sql_is_numeric(from) && spk_sql_is_numeric(to))
        || (to->kind == SPK_SQL_STRING && spk_sql_is_atomic(from)) || (is_moment(from->kind) && is_moment(to->kind))
        || (spk_sql_is_interval(from) && from->kind == to->kind))
        return true;
    if (from->kind == to->kind && from->kind == SPK_SQL_ARRAY)
        return storable(s, spk_print(a, "%s.`element`", column), from->of, to->of);
    if (from->kind == to->kind && from->kind == SPK_SQL_MAP)
        return storable(s, spk_print(a, "%s.`key`", column), from->key, to->key)
            && storable(s, spk_print(a, "%s.`value`", column), from->of, to->of);
    bool good = from->kind == to->kind && from->kind == SPK_SQL_STRUCT && from->n == to->n;
    for (uint32_t i = 0; good && i < to->n; i++)
        good = storable(s, spk_print(a, "%s.`%s`", column, to->fields[i].name), from->fields[i].type,
            to->fields[i].type);
    if (!good && spk_sql_fail(a->error, "INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST", s->span)) {
        spk_sql_param(a->error, "tableName", "%s", full_name(a, s->table));
        spk_sql_param(a->error, "colName", "%s", column);
        spk_sql_param(a->error, "srcType", "%s", spk_sql_type_quoted(&a->build, from));
        spk_sql_param(a->error, "targetType", "%s", spk_sql_type_quoted(&a->build, to));
    }
    return good;
}

/* stored: a value as one of a column; what does not fit names the column when it runs. */
static spk_sql_expr *stored(const storing *s, spk_sql_expr *e, const char *column, const spk_sql_type *type)
{
    if (!e || spk_sql_type_equal(e->type, type)) /* also of what may be NULL inside */
        return e;
    if (!storable(s, spk_print(s->a, "`%s`", column), e->type, type))
        return NULL;
    e = spk_sql_cast(&s->a->build, e, type, false, s->span);
    if (e)
        e->name = spk_copy_text(s->a, column, strlen(column));
    return e;
}

/* ---- DEFAULT */

/* place: a tree of another text stands in this statement here. */
static void place(spk_ast *ast, spk_sql_span span)
{
    ast->span = span;
    for (size_t i = 0; i < ast->args.n; i++)
        place(ast->args.at[i], span);
    if (ast->operand)
        place(ast->operand, span);
}

/* default_of: the expression of a text; NULL: a literal NULL. */
static spk_ast *default_of(spk_analyzer *a, const char *value, spk_sql_span span)
{
    size_t next;
    const char *text = spk_print(a, "SELECT %s", value ? value : "NULL");
    const spk_ast_statement *s = spk_sql_parse(a->arena, text, &next, a->error);
    spk_ast *ast = s && s->query ? s->query->term->select->items.at[0] : NULL;
    if (ast)
        place(ast, span);
    return ast;
}

static spk_sql_expr *default_bound(spk_analyzer *a, const char *value, spk_sql_span span)
{
    const spk_scope none = { .n = 0 };
    spk_bind b = { .a = a, .scope = &none, .clause = "DEFAULT" };
    const spk_ast *ast = default_of(a, value, span);
    return ast ? spk_bind_expr(&b, ast) : NULL;
}

bool spk_defaults_fit(spk_query *q, const spk_ast_statement *s, const spk_view_column *columns)
{
    spk_analyzer *a = &q->analyzer;
    for (size_t i = 0; s->defaults && i < s->n_columns && !spk_sql_failed(a->error); i++) {
        const storing to = { a, s->columns[i], s->span };
        if (!s->defaults[i])
            continue;
        spk_sql_expr *e = default_bound(a, s->defaults[i], s->span);
        const bool constant = e && e->foldable;
        if (!a->error->nomem && (!constant || !stored(&to, e, s->columns[i], columns[i].type))) {
            *a->error = (spk_sql_error) { .condition = NULL };
            spk_sql_fail(a->error, constant ? "INVALID_DEFAULT_VALUE.DATA_TYPE" : "INVALID_DEFAULT_VALUE.NOT_CONSTANT",
                s->span);
            spk_sql_param(a->error, "statement", "CREATE TABLE");
            spk_sql_param(a->error, "colName", "`%s`", s->columns[i]);
            spk_sql_param(a->error, "defaultValue", "%s", s->defaults[i]);
            spk_sql_param(a->error, "expectedType", "%s", spk_sql_type_quoted(&a->build, columns[i].type));
            spk_sql_param(a->error, "actualType", "%s", constant ? spk_sql_type_quoted(&a->build, e->type) : "");
        }
    }
    return !spk_sql_failed(a->error);
}

/* target: which column of the table value i of a row is for; n_columns: none. */
static size_t target(const spk_ast_statement *s, const spk_view *view, size_t i)
{
    size_t k = 0;
    if (!s->n_columns || i >= s->n_columns)
        return s->n_columns || i > view->n_columns ? view->n_columns : i;
    while (k < view->n_columns && !spk_names_same(s->columns[i], view->columns[k].name))
        k++;
    return k;
}

static void put_defaults(spk_query *q, const spk_ast_statement *s, const spk_view *view, const spk_ast_list *row)
{
    for (size_t i = 0; i < row->n; i++) {
        const size_t k = target(s, view, i);
        spk_ast *made = NULL;
        if (row->at[i]->kind == SPK_AST_DEFAULT)
            made = default_of(&q->analyzer, k < view->n_columns ? view->columns[k].value : NULL, row->at[i]->span);
        if (made)
            row->at[i] = made;
    }
}

/* defaults: DEFAULT in the rows and in the select list becomes what the column has. */
static void defaults(spk_query *q, const spk_ast_statement *s, const spk_view *view)
{
    const spk_ast_term *term = s->query->term;
    if (term && term->kind == SPK_TERM_SELECT)
        put_defaults(q, s, view, &term->select->items);
    for (size_t i = 0; term && term->kind == SPK_TERM_RELATION && i < term->relation->rows.n; i++) {
        spk_ast **row = &term->relation->rows.at[i];
        put_defaults(q, s, view, (*row)->kind == SPK_AST_ROW ? &(*row)->args : &(spk_ast_list) { row, 1 });
    }
}

/* ---- INSERT */

/* columns_named: whether INSERT INTO t (..) names columns of the table, each once. */
static bool columns_named(spk_query *q, const spk_ast_statement *s, const spk_view *view)
{
    spk_analyzer *a = &q->analyzer;
    for (size_t i = 0; i < s->n_columns; i++) {
        const char *name = spk_print(a, "`%s`", s->columns[i]), *known = "";
        if (target(s, view, i) == view->n_columns) {
            for (size_t k = 0; k < view->n_columns && k < 5; k++)
                known = spk_print(a, "%s%s`%.60s`", known, k ? ", " : "", view->columns[k].name);
            spk_sql_fail2(
                a->error, "UNRESOLVED_COLUMN.WITH_SUGGESTION", s->span, "objectName", name, "proposal", known);
        }
        for (size_t k = 0; k < i; k++)
            if (spk_names_same(s->columns[i], s->columns[k]))
                spk_sql_fail1(a->error, "COLUMN_ALREADY_EXISTS", s->span, "columnName", name);
    }
    return !spk_sql_failed(a->error);
}

/* inserted: the query's columns as those of the table. */
static spk_plan *inserted(spk_query *q, const spk_ast_statement *s, const spk_view *view)
{
    spk_analyzer *a = &q->analyzer;
    const storing to = { a, view->name, s->span };
    const char **names = NULL;
    spk_sql_expr **exprs = NULL;
    spk_attr *attrs = NULL;
    size_t n = 0, m = 0;
    if (!columns_named(q, s, view))
        return NULL;
    defaults(q, s, view);
    spk_plan *plan = spk_query_plan(q, s->query, &names);
    if (!plan)
        return NULL;
    const size_t given = s->n_columns ? s->n_columns : view->n_columns;
    if (given != plan->n_out) {
        spk_sql_fail3(&q->error,
            plan->n_out > given ? "INSERT_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS"
                                : "INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS",
            s->span, "tableName", full_name(a, view->name), "tableColumns", spk_print(a, "%zu", given), "dataColumns",
            spk_print(a, "%zu", plan->n_out));
        return NULL;
    }
    for (size_t i = 0; i < view->n_columns; i++) {
        const spk_view_column *c = &view->columns[i];
        size_t from = 0;
        while (from < given && target(s, view, from) != i)
            from++;
        spk_sql_expr *e = from < given ? spk_attr_column(a, &plan->out[from], SPK_SQL_NOWHERE)
                                       : default_bound(a, c->value, s->span);
        SPK_ADD(a, exprs, n, stored(&to, e, c->name, c->type));
        SPK_ADD(a, attrs, m, spk_attr_new(a, c->name, c->type, c->nullable));
    }
    return spk_sql_failed(&q->error) ? NULL : spk_plan_project(a, plan, exprs, attrs, n);
}

/* table_of: with a reference; NULL: there is none that rows can be put into. */
static spk_view *table_of(spk_query *q, const spk_ast_statement *s)
{
    spk_view *view = spk_view_find(q->analyzer.catalog, spk_last_part(s->name));
    if (view && view->rdd)
        return view;
    spk_view_not_found(q, s->name);
    spk_view_unref(view);
    return NULL;
}

spark_rdd *spk_insert(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    spk_view *view = table_of(q, s);
    if (!view)
        return NULL;
    spk_plan *plan = inserted(q, s, view);
    if (plan && !s->overwrite) {
        spk_plan *old = spk_scan(&q->analyzer, view->rdd, view->columns, view->n_columns, view->name);
        spk_plan *both = old ? spk_plan_new(&q->analyzer, SPK_PLAN_UNION, old, plan) : NULL;
        for (size_t i = 0; both && i < both->n_out; i++)
            both->out[i].nullable |= plan->out[i].nullable;
        plan = both;
    }
    const spk_form *form = NULL;
    q->plan = plan;
    spark_rdd *failed = NULL, *rdd = plan ? spk_exec_build(q, plan, &form) : NULL;
    spark_rdd *kept = rdd ? spk_collected(q, at, rdd, &failed) : NULL;
    q->plan = NULL; /* which the statement's own result, of no rows, has nothing to do with */
    if (kept) {
        pthread_mutex_lock(&q->analyzer.catalog->lock);
        for (size_t i = 0; i < view->n_columns; i++)
            view->columns[i].nullable = form->slots[i].nullable;
        spk_view_rdd_set(view, kept);
        pthread_mutex_unlock(&q->analyzer.catalog->lock);
    }
    spk_view_unref(view);
    return kept ? q->done : failed;
}

spark_rdd *spk_truncate_table(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    spk_view *view = table_of(q, s);
    if (!view)
        return NULL;
    spark_rdd *none = view->rdd->layout ? (spark_parallelize)(at, q->sc, view->rdd->layout->type, 0, NULL, 1) : NULL;
    const bool made = none && spark_rdd_status(none) == SPARK_OK;
    if (!none)
        spk_view_not_found(q, s->name);
    if (made) {
        pthread_mutex_lock(&q->analyzer.catalog->lock);
        spk_view_rdd_set(view, none);
        pthread_mutex_unlock(&q->analyzer.catalog->lock);
    }
    spk_view_unref(view);
    return made ? q->done : none;
}
