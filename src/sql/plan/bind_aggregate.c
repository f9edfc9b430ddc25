/* SPDX-License-Identifier: Apache-2.0 */
/* Aggregates are taken out of the expression that has them, and become columns of what is grouped; so do grouping(c) and
 * grouping_id(). */
#include "base/small.h"

#include <strings.h>

#include "sql/eval/coerce.h"
#include "sql/plan/bind_call.h"

static bool is_listagg(const spk_ast *ast)
{
    return spk_names_same(ast->name, "listagg") || spk_names_same(ast->name, "string_agg");
}

/* in_order: what listagg lists: texts in their own order, or each behind the keys it is ordered by. */
static spk_sql_expr *in_order(spk_bind *b, const spk_ast *ast, spk_sql_expr *x, spk_sql_expr *const *keys)
{
    spk_sql_build *build = &b->a->build;
    const spk_sql_type *text = spk_sql_type_of(SPK_SQL_STRING);
    const bool own = ast->n_order == 1 && spk_expr_same(keys[0], x),
               cast = ast->n_order == 1 && x->kind == SPK_SQL_CAST && spk_expr_same(keys[0], x->args[0]);
    spk_sql_expr **args = spk_exprs_new(b, 2 * ast->n_order + 2);
    size_t n = 0;
    if (!args || (own && (x->type->kind == SPK_SQL_STRING || x->type->kind == SPK_SQL_BINARY)))
        return x;
    bool plain = own || cast || !ast->distinct;
    for (size_t i = 0; i < ast->n_order; i++) {
        plain = plain && ast->order[i].descending == ast->order[0].descending
            && ast->order[i].nulls_last == ast->order[i].descending;
        args[n++] = spk_sql_string(build, "", 0, ast->span);
        args[n++] = keys[i];
    }
    if (!plain) {
        spk_sql_unsupported(b->a->error, ast->span, "such an order of listagg");
        return NULL;
    }
    if (x->type->kind != SPK_SQL_BINARY && !spk_sql_implicit(x->type, text)) {
        spk_sql_fail3(b->a->error, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", ast->span, "requiredType",
            "(\"STRING\" or \"BINARY\")", "inputSql", spk_sql_expr_quoted(build, x), "inputType",
            spk_sql_type_quoted(build, x->type));
        spk_sql_param(b->a->error, "paramIndex", "first");
        return NULL;
    }
    args[n++] = spk_sql_string(build, "", 0, ast->span);
    args[n++] = x->type->kind == SPK_SQL_BINARY ? x : spk_sql_coerce(build, x, text);
    spk_sql_expr *made = args[n - 1] ? spk_sql_call(build, "named_struct", args, n, ast->span) : NULL;
    if (!made || !x->nullable)
        return made;
    spk_sql_expr *either[] = { spk_sql_call(build, "isnull", &x, 1, ast->span),
        spk_sql_constant(build, made->type, NULL, ast->span), made };
    return either[0] && either[1] ? spk_sql_call(build, "if", either, 3, ast->span) : NULL;
}

/* make_aggregate: that of a name. Of values that are counted as one, which is kept must not be asked. The keys
 * of an order of listagg stand behind its arguments. */
static const spk_sql_aggregate *make_aggregate(spk_bind *b, const char *name, spk_sql_expr *const args[], size_t n,
    const spk_ast *ast, bool star)
{
    spk_sql_expr **list = spk_exprs_new(b, n);
    for (size_t i = 0; list && i < n; i++)
        list[i] = i == 0 && (spk_names_same(name, "collect_set") || strncasecmp(name, "mode", 4) == 0)
            ? spk_sql_normal(&b->a->build, args[i])
            : args[i];
    if (list && n && ast->n_order && is_listagg(ast))
        list[0] = in_order(b, ast, args[0], args + n);
    args = list;
    if (!list || (n && !list[0]))
        return NULL;
    const spk_user *user = spk_sql_is_aggregate(name) ? NULL : spk_user_of(b->a, name);
    if (user && user->aggregate)
        return spk_sql_aggregate_of(
            &b->a->build, user->aggregate, name, args, n, star, ast->ignore_nulls, ast->span);
    return spk_sql_aggregate_make(&b->a->build, name, args, n, star, ast->ignore_nulls, ast->span);
}

/* ---- aggregates */

static bool same_agg(const spk_plan_agg *x, const spk_plan_agg *y)
{
    if (x->aggregate->def != y->aggregate->def || x->distinct != y->distinct
        || x->aggregate->n != y->aggregate->n || x->aggregate->ignore_nulls != y->aggregate->ignore_nulls
        || !spk_names_same(x->aggregate->name, y->aggregate->name)
        || (x->filter || y->filter ? !spk_expr_same(x->filter, y->filter) : false))
        return false;
    if (x->aggregate->parameter != y->aggregate->parameter)
        return false; /* other fractions of a percentile */
    for (uint32_t i = 0; i < x->aggregate->n; i++)
        if (!spk_expr_same(x->aggregate->args[i], y->aggregate->args[i]))
            return false;
    return true;
}

static bool aggregate_allowed(spk_bind *b, const spk_ast *ast)
{
    if (b->in_aggregate) {
        spk_sql_fail(b->a->error, "NESTED_AGGREGATE_FUNCTION", ast->span);
        return false;
    }
    if (b->aggregates)
        return true;
    const char *text = spk_print(b->a, "%.*s", (int)(ast->span.to - ast->span.from), b->a->text + ast->span.from);
    if (strcmp(b->clause, "VALUES") == 0)
        spk_sql_fail1(b->a->error, "INVALID_INLINE_TABLE.CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE", ast->span, "expr",
            text);
    else if (strcmp(b->clause, "GROUP BY") == 0)
        spk_sql_fail1(b->a->error, "GROUP_BY_AGGREGATE", ast->span, "sqlExpr", text);
    else if (strcmp(b->clause, "WHERE") == 0)
        spk_sql_fail2(b->a->error, "INVALID_WHERE_CONDITION", ast->span, "condition", text, "expressionList", text);
    else
        spk_sql_fail2(b->a->error, "UNSUPPORTED_EXPR_FOR_OPERATOR", ast->span, "invalidExprSqls", text, "operator",
            strcmp(b->clause, "JOIN") == 0 ? "Join" : "Aggregate");
    return false;
}

/* from_the_end: a percentile in descending order. */
static spk_sql_expr *from_the_end(spk_bind *b, spk_sql_expr *p)
{
    spk_sql_build *build = &b->a->build;
    spk_sql_expr *pair[] = { spk_sql_number(build, "1.0D", 4, p->span),
        spk_sql_coerce(build, p, spk_sql_type_of(SPK_SQL_DOUBLE)) };
    spk_sql_expr *e = pair[0] && pair[1] ? spk_sql_call(build, "-", pair, 2, p->span) : NULL;
    spk_sql_fold(build, &e);
    if (e && e->kind == SPK_SQL_CONSTANT)
        e->text = spk_expr_name(b->a, p); /* it is called as it was written */
    return e;
}

/* ---- WITHIN GROUP */

/* percentile_cont(p) and percentile_disc(p) want one order, mode() may have one,
 * listagg(x) may be ordered; no other function has any. */
bool spk_within_allowed(spk_bind *b, const spk_ast *ast)
{
    static const char *const fractions[] = { "percentile_cont", "percentile_disc" },
                             *const lists[] = { "listagg", "string_agg" };
    const bool fraction = spk_is_one_of(ast->name, fractions, 2), mode = spk_names_same(ast->name, "mode");
    const char *condition = NULL;
    if (!fraction && !mode && (!ast->n_order || spk_is_one_of(ast->name, lists, 2)))
        return true;
    if (!fraction && !mode)
        condition = "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX";
    else if (ast->distinct)
        condition = "INVALID_WITHIN_GROUP_EXPRESSION.DISTINCT_UNSUPPORTED";
    else if (!ast->n_order && (fraction || (ast->args.n == 0 && !ast->star)))
        condition = "INVALID_WITHIN_GROUP_EXPRESSION.WITHIN_GROUP_MISSING";
    else if (ast->n_order > 1 || (mode && ast->n_order && ast->args.n))
        condition = "INVALID_WITHIN_GROUP_EXPRESSION.WRONG_NUM_ORDERINGS";
    else
        return true;
    if (spk_sql_fail(b->a->error, condition, ast->span)) {
        spk_sql_param(b->a->error, "funcName", "`%s`", ast->name);
        spk_sql_param(b->a->error, "prettyName", "`%s`", ast->name);
        spk_sql_param(b->a->error, "expectedNum", "%d", mode && ast->args.n ? 0 : 1);
        spk_sql_param(b->a->error, "actualNum", "%zu", (size_t)ast->n_order);
        spk_sql_param(b->a->error, "syntax", "WITHIN GROUP (ORDER BY ...)");
    }
    return false;
}

/* ordered_name: the aggregate that a function with WITHIN GROUP is; text has room for it. */
static const char *ordered_name(spk_bind *b, const spk_ast *ast, char *text, size_t size)
{
    if (!ast->n_order || spk_names_same(ast->name, "percentile_cont"))
        return ast->name;
    if (spk_names_same(ast->name, "percentile_disc") && !ast->order[0].descending)
        return ast->name;
    (void)snprintf(text, size, "%s %s", ast->name, ast->order[0].descending ? "desc" : "asc");
    return spk_copy_text(b->a, text, strlen(text));
}

/* plain_args: those of an aggregate without stars: percentile_cont(p) WITHIN GROUP (ORDER BY x) is
 * percentile(x, p). */
static bool plain_args(spk_bind *b, const spk_ast *ast, spk_sql_expr **args, size_t *n)
{
    const bool list = is_listagg(ast);
    size_t at = 0;
    for (size_t i = 0; !list && i < ast->n_order; i++)
        if (!(args[at++] = spk_bind_expr(b, ast->order[i].expression)))
            return false;
    if (!spk_bind_list(b, &ast->args, args + at))
        return false;
    *n = at + ast->args.n;
    for (size_t i = 0; list && i < ast->n_order; i++) /* behind them */
        if (!(args[*n + i] = spk_bind_expr(b, ast->order[i].expression)))
            return false;
    if (ast->n_order && ast->order[0].descending && spk_names_same(ast->name, "percentile_cont") && ast->args.n == 1)
        return (args[at] = from_the_end(b, args[at])) != NULL;
    return true;
}

static bool counts_rows(const spk_ast *ast)
{
    return ast->star && !ast->distinct && spk_names_same(ast->name, "count");
}

/* counts_table: count(t.*), which would be of rows without NULLs. The error is then set. */
static bool counts_table(spk_bind *b, const spk_ast *ast)
{
    const spk_ast *star = ast->args.n == 1 ? ast->args.at[0] : NULL;
    const char *table = star && star->args.n && !star->n_names && spk_names_same(ast->name, "count")
        ? star->args.at[0]->args.at[0]->text
        : NULL;
    for (size_t i = 0; table && i < b->scope->n; i++)
        if (b->scope->items[i].table && spk_names_same(b->scope->items[i].table, table)) {
            spk_sql_fail1(b->a->error, "INVALID_USAGE_OF_STAR_WITH_TABLE_IDENTIFIER_IN_COUNT", star->span, "tableName",
                spk_print(b->a, "`%s`", table));
            return true;
        }
    return false;
}

/* args_of: those of an aggregate: stars are columns, but that of count(*). */
static bool args_of(spk_bind *b, const spk_ast *ast, spk_sql_expr ***args, size_t *n)
{
    if (!spk_has_star(ast) || counts_rows(ast) || ast->n_order)
        return plain_args(b, ast, *args, n);
    *args = counts_table(b, ast) ? NULL : spk_star_args(b, ast, false, n);
    return *args != NULL;
}

/* filter_of: FILTER (WHERE ..) of an aggregate. */
static spk_sql_expr *filter_of(spk_bind *b, const spk_ast *ast)
{
    spk_sql_expr *e = spk_bind_expr(b, ast->filter);
    if (!e || e->type->kind == SPK_SQL_BOOLEAN)
        return e;
    spk_sql_fail1(b->a->error, "INVALID_AGGREGATE_FILTER.NOT_BOOLEAN", ast->filter->span, "filterExpr",
        spk_sql_expr_quoted(&b->a->build, e));
    return NULL;
}

/* aggregate_of: bound, its *given arguments in the rows below the aggregation. */
static const spk_sql_aggregate *aggregate_of(
    spk_bind *b, const spk_ast *ast, spk_sql_expr ***args, size_t *given, spk_sql_expr **filter)
{
    const bool inside = b->in_aggregate;
    const spk_lambda_env *lambdas = b->lambdas;
    char text[64];
    *given = 0;
    *filter = NULL;
    if (!spk_within_allowed(b, ast) || !(*args = spk_exprs_new(b, ast->args.n + ast->n_order)))
        return NULL;
    b->in_aggregate = true;
    b->lambdas = NULL; /* of its rows they have no value */
    bool good = args_of(b, ast, args, given);
    if (good && ast->filter)
        good = (*filter = filter_of(b, ast)) != NULL;
    b->in_aggregate = inside;
    b->lambdas = lambdas;
    if (!good)
        return NULL;
    return make_aggregate(
        b, ordered_name(b, ast, text, sizeof text), *args, *given, ast, counts_rows(ast));
}

/* naming: which queries the columns in an expression belong to. */
typedef struct naming {
    const spk_scope *own, *around; /* around: of a query around this one */
    bool mixed;                    /* of several */
    bool inside;                   /* of this query */
} naming;

static void note_names(naming *n, const spk_ast *ast)
{
    if (!ast || (ast->kind == SPK_AST_NAME && ast->args.n == 0)) /* the unit of an interval */
        return;
    if (ast->kind == SPK_AST_NAME) {
        const spk_scope *scope = spk_name_scope(n->own, ast);
        n->inside = n->inside || scope == n->own;
        if (scope && scope != n->own) {
            n->mixed = n->mixed || (n->around && n->around != scope);
            n->around = scope;
        }
        return;
    }
    for (size_t i = 0; i < ast->args.n; i++)
        note_names(n, ast->args.at[i]);
    note_names(n, ast->operand);
    note_names(n, ast->filter);
}

/* of_outer: in WHERE of a subquery: an aggregate of the query around it; b: that query's. False: none. */
static bool of_outer(spk_bind *b, const spk_ast *ast, spk_bind **outer)
{
    naming n = { .own = b->scope };
    if (b->aggregates || strcmp(b->clause, "WHERE") != 0 || !b->scope)
        return false;
    note_names(&n, ast);
    if (!n.around || n.mixed || !n.around->binder)
        return false;
    if (n.inside) {
        spk_sql_fail1(b->a->error, "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.AGGREGATE_FUNCTION_MIXED_OUTER_LOCAL_REFERENCES",
            ast->span, "function", ast->name);
        return false;
    }
    *outer = n.around->binder;
    return true;
}

spk_sql_expr *spk_bind_aggregate(spk_bind *b, const spk_ast *ast)
{
    spk_sql_expr **args;
    size_t n;
    spk_plan_agg agg = { .distinct = ast->distinct };
    spk_bind *outer;
    if (of_outer(b, ast, &outer))
        return spk_bind_aggregate(outer, ast);
    if (!aggregate_allowed(b, ast) || !(agg.aggregate = aggregate_of(b, ast, &args, &n, &agg.filter)))
        return NULL;
    for (size_t i = 0; i < b->n_aggs; i++)
        if (same_agg(&b->aggs[i], &agg) && agg.aggregate->def)
            return spk_attr_column(b->a, &b->agg_attrs[i], ast->span);
    const spk_attr attr = spk_attr_new(b->a, spk_aggregate_name(b, ast, args, n, agg.filter), agg.aggregate->type,
        agg.aggregate->nullable);
    SPK_ADD(b->a, b->aggs, b->n_aggs, agg);
    SPK_ADD(b->a, b->agg_attrs, b->n_agg_attrs, attr);
    return spk_attr_column(b->a, &attr, ast->span);
}

/* whole_only: aggregates that have neither order nor frame in a window. */
static bool whole_only(spk_bind *b, const spk_ast *ast, const spk_window_use *use)
{
    static const char *const names[] = { "median", "percentile_cont", "percentile_disc" };
    if (!spk_is_one_of(ast->name, names, 3) || (!use->n_sort && !use->function.framed))
        return true;
    spk_sql_fail1(
        b->a->error, "INVALID_WINDOW_SPEC_FOR_AGGREGATION_FUNC", ast->span, "aggFunc", ast->name);
    return false;
}

bool spk_aggregate_over(
    spk_bind *b, const spk_ast *ast, spk_window_use *use, spk_sql_expr ***args, size_t *n)
{
    spk_plan_function *f = &use->function;
    char text[64];
    if (ast->distinct)
        spk_sql_fail1(b->a->error, "DISTINCT_WINDOW_FUNCTION_UNSUPPORTED", ast->span, "windowExpr", ast->name);
    *args = spk_exprs_new(b, ast->args.n + ast->n_order);
    if (!*args || spk_sql_failed(b->a->error) || !spk_within_allowed(b, ast) || !whole_only(b, ast, use)
        || !args_of(b, ast, args, n))
        return false;
    f->aggregate = make_aggregate(b, ordered_name(b, ast, text, sizeof text), *args, *n, ast, counts_rows(ast));
    if (!f->aggregate || (ast->filter && !(f->filter = filter_of(b, ast))))
        return false;
    f->args = f->aggregate->args;
    f->n_args = f->aggregate->n;
    return true;
}

/* ---- grouping(c), grouping_id() */

/* grouped_text: the columns of GROUP BY, as errors name them. */
static const char *grouped_text(spk_bind *b)
{
    const char *text = "";
    for (size_t i = 0; i < b->n_groups && i < 8; i++)
        text = spk_print(b->a, "%s%s%s", text, i ? ", " : "", spk_sql_expr_quoted(&b->a->build, b->groups[i]));
    return text;
}

/* grouping_args: its arguments, in the rows below the aggregation. */
static spk_sql_expr **grouping_args(spk_bind *b, const spk_ast *ast, size_t *n)
{
    const bool inside = b->in_aggregate;
    spk_sql_expr **args = spk_exprs_new(b, ast->args.n);
    *n = ast->args.n;
    b->in_aggregate = true;
    if (spk_has_star(ast))
        args = spk_star_args(b, ast, false, n);
    else if (args && !spk_bind_list(b, &ast->args, args))
        args = NULL;
    b->in_aggregate = inside;
    return args;
}

spk_sql_expr *spk_bind_grouping(spk_bind *b, const spk_ast *ast)
{
    static const spk_sql_function names[] = { { .name = "grouping" }, { .name = "grouping_id" } };
    spk_sql_build *build = &b->a->build;
    const bool id = spk_names_same(ast->name, "grouping_id");
    if (!b->grouping_id) {
        spk_sql_fail(b->a->error, "UNSUPPORTED_GROUPING_EXPRESSION", ast->span);
        return NULL;
    }
    const int64_t none = 0, mask = ((int64_t)1 << SPK_GROUPING_SHIFT) - 1;
    spk_sql_expr *masked[] = { b->grouping_id->type ? spk_attr_column(b->a, b->grouping_id, ast->span) : NULL,
        spk_sql_constant(build, spk_sql_type_of(SPK_SQL_BIGINT), &mask, ast->span) };
    spk_sql_expr *all = !b->grouping_id->type
        ? spk_sql_constant(build, spk_sql_type_of(SPK_SQL_BIGINT), &none, ast->span)
        : masked[1] ? spk_sql_call(build, "&", masked, 2, ast->span) : NULL;
    spk_sql_expr *sum = NULL;
    size_t n = 0;
    spk_sql_expr **args = grouping_args(b, ast, &n);
    if (id && ast->args.n == 0 && !ast->star)
        return spk_called(b->a, &names[1], args, 0, all);
    if (args && !id && n != 1)
        spk_sql_fail3(b->a->error, "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", ast->span, "functionName", "`grouping`",
            "expectedNum", "1", "actualNum", spk_print(b->a, "%zu", n));
    for (size_t i = 0; args && i < n && !spk_sql_failed(b->a->error); i++) {
        size_t k = 0;
        while (k < b->n_groups && !spk_expr_same(b->groups[k], args[i]))
            k++;
        if (k == b->n_groups) {
            spk_sql_fail2(b->a->error,
                id ? "GROUPING_ID_COLUMN_MISMATCH" : "GROUPING_COLUMN_MISMATCH", ast->span,
                id ? "groupingIdColumn" : "grouping", spk_sql_expr_quoted(build, args[i]),
                id ? "groupByColumns" : "groupingColumns", grouped_text(b));
            return NULL;
        }
        char shift[24], one[4] = "1L";
        (void)snprintf(shift, sizeof shift, "%zu", b->n_groups - 1 - k);
        spk_sql_expr *by[] = { all, spk_sql_number(build, shift, strlen(shift), ast->span) };
        spk_sql_expr *bit[] = { spk_sql_call(build, "shiftright", by, 2, ast->span),
            spk_sql_number(build, one, 2, ast->span) };
        spk_sql_expr *value = bit[0] ? spk_sql_call(build, "&", bit, 2, ast->span) : NULL;
        if (sum && value) {
            spk_sql_expr *twice[] = { sum, spk_sql_number(build, one, 2, ast->span) };
            spk_sql_expr *plus[] = { spk_sql_call(build, "shiftleft", twice, 2, ast->span), value };
            value = plus[0] ? spk_sql_call(build, "+", plus, 2, ast->span) : NULL;
        }
        if (!value)
            return NULL;
        sum = value;
    }
    if (spk_sql_failed(b->a->error))
        return NULL;
    if (!id && sum)
        sum = spk_sql_cast(build, sum, spk_sql_type_of(SPK_SQL_TINYINT), false, ast->span);
    return spk_called(b->a, &names[id], args, n, sum);
}
