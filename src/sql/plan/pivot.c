/* SPDX-License-Identifier: Apache-2.0 */
/* PIVOT is an aggregation: each aggregate once for each value, with a filter; what neither it nor the
 * filters name are the groups. UNPIVOT is inline() of an array of structs, one for each column. Both are
 * made as trees of a query over the relation. */
#include "base/small.h"

#include "sql/plan/analyze.h"

enum { PIVOTS_DEEP = 6 };

static spk_ast *node(spk_analyzer *a, spk_ast_kind kind, spk_sql_span span)
{
    spk_ast *made = spk_arena_alloc(a->arena, sizeof *made, 16);
    if (!made) {
        spk_sql_nomem(a->error);
        return NULL;
    }
    *made = (spk_ast) { .kind = kind, .span = span, .text = "", .name = "" };
    return made;
}

static void push(spk_analyzer *a, spk_ast_list *list, spk_ast *one)
{
    SPK_ADD(a, list->at, list->n, one);
}

static spk_ast *name_of(spk_analyzer *a, const char *text, spk_sql_span span)
{
    spk_ast *part = node(a, SPK_AST_NAME, span), *name = node(a, SPK_AST_NAME, span);
    if (!part || !name)
        return NULL;
    part->text = text;
    part->text_len = strlen(text);
    part->quoted = true;
    push(a, &name->args, part);
    return name;
}

static spk_ast *text_of(spk_analyzer *a, const char *text, spk_sql_span span)
{
    spk_ast *made = node(a, SPK_AST_STRING, span);
    if (made) {
        made->text = text;
        made->text_len = strlen(text);
    }
    return made;
}

static spk_ast *call_of(spk_analyzer *a, const char *name, bool infix, spk_sql_span span, spk_ast *x, spk_ast *y)
{
    spk_ast *made = node(a, SPK_AST_CALL, span);
    if (!made)
        return NULL;
    made->name = name;
    made->infix = infix;
    if (x)
        push(a, &made->args, x);
    if (y)
        push(a, &made->args, y);
    return made;
}

static spk_ast *alias_of(spk_analyzer *a, spk_ast *of, const char *name)
{
    spk_ast *made = of ? node(a, SPK_AST_ALIAS, of->span) : NULL;
    if (!made)
        return NULL;
    SPK_ADD(a, made->names, made->n_names, name);
    push(a, &made->args, of);
    return made;
}

static const spk_ast *under(const spk_ast *ast)
{
    return ast->kind == SPK_AST_ALIAS ? ast->args.at[0] : ast;
}

/* names_column: whether the column is named somewhere in the tree. */
static bool names_column(const spk_ast *ast, const char *column)
{
    if (!ast)
        return false;
    if (ast->kind == SPK_AST_NAME)
        return ast->args.n && (!column || spk_names_same(ast->args.at[ast->args.n - 1]->text, column)
            || spk_names_same(ast->args.at[0]->text, column));
    for (size_t i = 0; i < ast->args.n; i++)
        if (names_column(ast->args.at[i], column))
            return true;
    return names_column(ast->operand, column) || names_column(ast->filter, column);
}

/* filtered: a copy in which aggregates have the filter. */
static spk_ast *filtered(spk_analyzer *a, const spk_ast *ast, spk_ast *filter)
{
    spk_ast *made = node(a, ast->kind, ast->span);
    if (!made)
        return NULL;
    *made = *ast;
    made->args = (spk_ast_list) { NULL, 0 };
    const bool aggregate = ast->kind == SPK_AST_CALL && !ast->infix && !ast->window && spk_sql_is_aggregate(ast->name);
    if (aggregate)
        made->filter = ast->filter ? call_of(a, "and", true, ast->span, ast->filter, filter) : filter;
    for (size_t i = 0; i < ast->args.n; i++)
        push(a, &made->args, aggregate ? ast->args.at[i] : filtered(a, ast->args.at[i], filter));
    return made;
}

static const char *label(spk_analyzer *a, const spk_ast *value)
{
    if (value->kind == SPK_AST_ALIAS)
        return value->names[0];
    if (value->kind == SPK_AST_STRING || value->kind == SPK_AST_NUMBER)
        return value->text;
    if (value->kind == SPK_AST_NULL)
        return "null";
    if (value->kind != SPK_AST_ROW)
        return spk_print(a, "%.*s", (int)(value->span.to - value->span.from), a->text + value->span.from);
    const char *all = "{";
    for (size_t i = 0; i < value->args.n; i++)
        all = spk_print(a, "%s%s%s", all, i ? ", " : "", label(a, value->args.at[i]));
    return spk_print(a, "%s}", all);
}

/* condition: the columns of FOR have that value. */
static spk_ast *condition(spk_analyzer *a, const spk_ast_relation *r, const spk_ast *value)
{
    const spk_ast_pivot *pivot = r->pivot;
    spk_ast *all = NULL;
    value = under(value);
    if (pivot->n_names > 1 && (value->kind != SPK_AST_ROW || value->args.n != pivot->n_names)) {
        spk_sql_fail2(a->error, "PIVOT_VALUE_DATA_TYPE_MISMATCH", r->span, "value", label(a, value), "pivotType",
            "a struct of the columns");
        return NULL;
    }
    for (size_t i = 0; i < pivot->n_names; i++) {
        spk_ast *one = pivot->n_names > 1 ? value->args.at[i] : (spk_ast *)(uintptr_t)value;
        if (names_column(one, NULL)) {
            spk_sql_fail1(a->error, "NON_LITERAL_PIVOT_VALUES", r->span, "expression", label(a, one));
            return NULL;
        }
        spk_ast *same = call_of(a, "<=>", true, r->span, name_of(a, pivot->names[i], r->span), one);
        all = all ? call_of(a, "and", true, r->span, all, same) : same;
    }
    return all;
}

/* pivoted: for one value, one aggregate: NULL where no row has the value. */
static spk_ast *pivoted(spk_analyzer *a, const spk_ast *aggregate, spk_ast *filter)
{
    spk_ast *count = call_of(a, "count", false, aggregate->span, NULL, NULL), *zero = node(a, SPK_AST_NUMBER, aggregate->span);
    spk_ast *made = call_of(a, "if", false, aggregate->span, NULL, NULL);
    if (!count || !zero || !made)
        return NULL;
    count->star = true;
    count->filter = filter;
    zero->text = "0";
    zero->text_len = 1;
    push(a, &made->args, call_of(a, ">", true, aggregate->span, count, zero));
    push(a, &made->args, filtered(a, aggregate, filter));
    push(a, &made->args, node(a, SPK_AST_NULL, aggregate->span));
    return made;
}

static bool is_free(const spk_ast_pivot *pivot, const char *column)
{
    for (size_t i = 0; !pivot->back && i < pivot->n_names; i++)
        if (spk_names_same(pivot->names[i], column))
            return false;
    for (size_t i = 0; i < pivot->aggregates.n; i++)
        if (names_column(under(pivot->aggregates.at[i]), column))
            return false;
    for (size_t i = 0; pivot->back && i < pivot->values.n; i++)
        if (names_column(under(pivot->values.at[i]), column))
            return false;
    return true;
}

/* plain_types: whether all aggregates are numbers or BOOLEAN; where one is not, Spark gives what they are without
 * rows to a value that is absent: a count of 0, an empty list. */
static bool plain_types(spk_analyzer *a, const spk_ast_pivot *pivot, const spk_scope *scope)
{
    for (size_t i = 0; i < pivot->aggregates.n; i++) {
        spk_bind b = { .a = a, .scope = scope, .clause = "SELECT", .aggregates = true };
        const spk_sql_expr *e = spk_bind_expr(&b, under(pivot->aggregates.at[i]));
        if (!e || e->type->kind < SPK_SQL_BOOLEAN || e->type->kind > SPK_SQL_DOUBLE)
            return false;
    }
    return true;
}

static void pivot_items(spk_analyzer *a, const spk_ast_relation *r, const spk_scope *scope, spk_ast_select *select)
{
    const bool guarded = plain_types(a, r->pivot, scope);
    const spk_ast_pivot *pivot = r->pivot;
    for (size_t v = 0; v < pivot->values.n && !spk_sql_failed(a->error); v++) {
        spk_ast *filter = condition(a, r, pivot->values.at[v]);
        const char *value = label(a, pivot->values.at[v]);
        for (size_t i = 0; filter && i < pivot->aggregates.n; i++) {
            const spk_ast *item = pivot->aggregates.at[i];
            const char *name = pivot->aggregates.n > 1 ? spk_print(a, "%s_%s", value, label(a, item)) : value;
            spk_ast *one = (guarded ? pivoted : filtered)(a, under(item), filter);
            push(a, &select->items, alias_of(a, one, name));
        }
    }
}

/* one_struct: of UNPIVOT: a row that a column, or several, become. */
static spk_ast *one_struct(spk_analyzer *a, const spk_ast_relation *r, const spk_ast *value)
{
    const spk_ast_pivot *pivot = r->pivot;
    const spk_ast *columns = under(value);
    const size_t n = columns->kind == SPK_AST_ROW ? columns->args.n : 1;
    spk_ast *made = call_of(a, "named_struct", false, r->span, text_of(a, pivot->name, r->span), NULL);
    if (!made)
        return NULL;
    const char *name = value->kind == SPK_AST_ALIAS ? value->names[0] : "";
    for (size_t i = 0; value->kind != SPK_AST_ALIAS && i < n; i++) {
        const spk_ast *c = columns->kind == SPK_AST_ROW ? columns->args.at[i] : columns;
        const char *last = c->kind == SPK_AST_NAME && c->args.n ? c->args.at[c->args.n - 1]->text : label(a, c);
        name = i ? spk_print(a, "%s_%s", name, last) : last;
    }
    push(a, &made->args, text_of(a, name, r->span));
    if (n != pivot->n_names)
        spk_sql_fail(a->error, "UNPIVOT_VALUE_SIZE_MISMATCH", r->span);
    for (size_t i = 0; i < n && i < pivot->n_names; i++) {
        push(a, &made->args, text_of(a, pivot->names[i], r->span));
        push(a, &made->args, columns->kind == SPK_AST_ROW ? columns->args.at[i] : (spk_ast *)(uintptr_t)columns);
    }
    return made;
}

static void unpivot_items(spk_analyzer *a, const spk_ast_relation *r, spk_ast_select *select)
{
    const spk_ast_pivot *pivot = r->pivot;
    spk_ast *array = call_of(a, "array", false, r->span, NULL, NULL);
    spk_ast_relation *view = spk_arena_alloc(a->arena, sizeof *view, 16);
    if (!array || !view) {
        spk_sql_nomem(a->error);
        return;
    }
    for (size_t i = 0; i < pivot->values.n; i++)
        push(a, &array->args, one_struct(a, r, pivot->values.at[i]));
    *view = (spk_ast_relation) { .kind = SPK_REL_VIEW, .span = r->span, .left = r->left, .alias = "unpivot",
        .call = call_of(a, "inline", false, r->span, array, NULL) };
    SPK_ADD(a, view->columns, view->n_columns, pivot->name);
    push(a, &select->items, name_of(a, pivot->name, r->span));
    for (size_t i = 0; i < pivot->n_names; i++) {
        SPK_ADD(a, view->columns, view->n_columns, pivot->names[i]);
        push(a, &select->items, name_of(a, pivot->names[i], r->span));
        spk_ast *there = call_of(a, "isnotnull", false, r->span, name_of(a, pivot->names[i], r->span), NULL);
        if (!pivot->nulls)
            select->where = select->where ? call_of(a, "or", true, r->span, select->where, there) : there;
    }
    select->from = view;
}

spk_rel spk_pivoted(spk_analyzer *a, const spk_ast_relation *r, spk_scope *outer)
{
    spk_ast_select *select = spk_arena_alloc(a->arena, sizeof *select, 16);
    if (++a->pivots > PIVOTS_DEEP) { /* each analyses what is in front of it twice */
        spk_sql_unsupported(a->error, r->span, "so many pivots of pivots");
        select = NULL;
    }
    spk_rel left = spk_analyze_relation(a, r->left, outer);
    a->pivots--;
    if (!select && !spk_sql_failed(a->error))
        spk_sql_nomem(a->error);
    if (!select || !left.plan)
        return (spk_rel) { NULL, { .outer = outer } };
    *select = (spk_ast_select) { .span = r->span, .from = r->left };
    for (size_t i = 0; i < left.scope.n; i++) {
        const char *column = left.scope.items[i].name;
        if (left.scope.items[i].hidden || !is_free(r->pivot, column))
            continue;
        const spk_ast_group group = { .expression = name_of(a, column, r->span), .span = r->span };
        push(a, &select->items, group.expression);
        if (!r->pivot->back)
            SPK_ADD(a, select->groups, select->n_groups, group);
    }
    select->grouped = select->n_groups > 0;
    if (r->pivot->back)
        unpivot_items(a, r, select);
    else
        pivot_items(a, r, &left.scope, select);
    if (spk_sql_failed(a->error))
        return (spk_rel) { NULL, { .outer = outer } };
    a->pivots++;
    spk_rel rel = spk_analyze_select(a, select, outer, NULL);
    a->pivots--;
    return rel;
}
