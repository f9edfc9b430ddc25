/* SPDX-License-Identifier: Apache-2.0 */
/* Calls: aggregates are taken out of the expression, lambdas get their variables, all else goes to the
 * table of functions. */
#include "base/small.h"

#include <strings.h>

#include "sql/eval/coerce.h"
#include "sql/plan/analyze.h"

static spk_sql_expr **list_of(spk_bind *b, size_t n)
{
    spk_sql_expr **list = spk_arena_alloc(b->a->arena, (n + 1) * sizeof *list, 8);
    if (!list)
        spk_sql_nomem(b->a->error);
    return list;
}

/* ---- functions of the program */

/* user_of: that of a name, which the statement keeps; NULL: there is none. */
static const spk_user *user_of(spk_analyzer *a, const char *name)
{
    spk_user *user = spk_user_find(a->catalog, name);
    if (user)
        a->calls(a, user);
    return spk_sql_failed(a->error) ? NULL : user;
}

bool spk_is_aggregate(spk_analyzer *a, const char *name)
{
    if (spk_sql_is_aggregate(name))
        return true;
    spk_user *user = spk_user_find(a->catalog, name);
    const bool is = user && user->aggregate;
    spk_user_unref(user);
    return is;
}

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
    spk_sql_expr **args = list_of(b, 2 * ast->n_order + 2);
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
    spk_sql_expr **list = list_of(b, n);
    for (size_t i = 0; list && i < n; i++)
        list[i] = i == 0 && (spk_names_same(name, "collect_set") || strncasecmp(name, "mode", 4) == 0)
            ? spk_sql_normal(&b->a->build, args[i])
            : args[i];
    if (list && n && ast->n_order && is_listagg(ast))
        list[0] = in_order(b, ast, args[0], args + n);
    args = list;
    if (!list || (n && !list[0]))
        return NULL;
    const spk_user *user = spk_sql_is_aggregate(name) ? NULL : user_of(b->a, name);
    if (user && user->aggregate)
        return spk_sql_aggregate_of(
            &b->a->build, user->aggregate, name, args, n, star, ast->ignore_nulls, ast->span);
    return spk_sql_aggregate_make(&b->a->build, name, args, n, star, ast->ignore_nulls, ast->span);
}

/* call: of SQL, or of the program. */
static spk_sql_expr *call_of(spk_bind *b, const spk_ast *ast, spk_sql_expr *const args[], size_t n)
{
    const spk_user *user = ast->infix || spk_sql_function_find(ast->name) ? NULL : user_of(b->a, ast->name);
    if (user && user->function)
        return spk_sql_call_of(&b->a->build, user->function, user->name, args, n, ast->span);
    return spk_sql_call(&b->a->build, ast->name, args, n, ast->span);
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

static bool has_star(const spk_ast *ast);
static spk_sql_expr **star_args(spk_bind *b, const spk_ast *ast, bool named, size_t *n);

/* ---- WITHIN GROUP */

static bool is_one_of(const char *name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (spk_names_same(names[i], name))
            return true;
    return false;
}

/* within_allowed: percentile_cont(p) and percentile_disc(p) want one order, mode() may have one,
 * listagg(x) may be ordered; no other function has any. */
static bool within_allowed(spk_bind *b, const spk_ast *ast)
{
    static const char *const fractions[] = { "percentile_cont", "percentile_disc" },
                             *const lists[] = { "listagg", "string_agg" };
    const bool fraction = is_one_of(ast->name, fractions, 2), mode = spk_names_same(ast->name, "mode");
    const char *condition = NULL;
    if (!fraction && !mode && (!ast->n_order || is_one_of(ast->name, lists, 2)))
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

/* args_of: those of an aggregate: stars are columns, but that of count(*). */
static bool args_of(spk_bind *b, const spk_ast *ast, spk_sql_expr ***args, size_t *n)
{
    if (!has_star(ast) || counts_rows(ast) || ast->n_order)
        return plain_args(b, ast, *args, n);
    *args = star_args(b, ast, false, n);
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
    if (!within_allowed(b, ast) || !(*args = list_of(b, ast->args.n + ast->n_order)))
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

static spk_sql_expr *aggregate(spk_bind *b, const spk_ast *ast)
{
    spk_sql_expr **args;
    size_t n;
    spk_plan_agg agg = { .distinct = ast->distinct };
    spk_bind *outer;
    if (of_outer(b, ast, &outer))
        return aggregate(outer, ast);
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
    spk_sql_expr **args = list_of(b, ast->args.n);
    *n = ast->args.n;
    b->in_aggregate = true;
    if (has_star(ast))
        args = star_args(b, ast, false, n);
    else if (args && !spk_bind_list(b, &ast->args, args))
        args = NULL;
    b->in_aggregate = inside;
    return args;
}

static spk_sql_expr *grouping(spk_bind *b, const spk_ast *ast)
{
    static const spk_sql_function names[] = { { .name = "grouping" }, { .name = "grouping_id" } };
    spk_sql_build *build = &b->a->build;
    const bool id = spk_names_same(ast->name, "grouping_id");
    if (!b->grouping_id) {
        spk_sql_fail(b->a->error, "UNSUPPORTED_GROUPING_EXPRESSION", ast->span);
        return NULL;
    }
    const int64_t mask = ((int64_t)1 << SPK_GROUPING_SHIFT) - 1;
    spk_sql_expr *masked[] = { spk_attr_column(b->a, b->grouping_id, ast->span),
        spk_sql_constant(build, spk_sql_type_of(SPK_SQL_BIGINT), &mask, ast->span) };
    spk_sql_expr *all = masked[1] ? spk_sql_call(build, "&", masked, 2, ast->span) : NULL;
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

/* ---- lambdas */

/* lambda_allowed: there is such a function, and names are not given twice. */
static bool lambda_allowed(spk_bind *b, const spk_ast *call, const spk_ast *ast)
{
    if (!spk_is_routine(call->name) && !user_of(b->a, call->name))
        (void)spk_sql_call(&b->a->build, call->name, NULL, 0, call->span);
    for (size_t i = 0; i < ast->n_names; i++)
        for (size_t k = 0; k < i; k++)
            if (spk_names_same(ast->names[i], ast->names[k]))
                spk_sql_fail2(b->a->error, "INVALID_LAMBDA_FUNCTION_CALL.DUPLICATE_ARG_NAMES", ast->span, "args",
                    ast->names[i], "caseSensitiveConfig", "\"spark.sql.caseSensitive\"");
    return !spk_sql_failed(b->a->error);
}

static spk_sql_expr *lambda(
    spk_bind *b, const spk_ast *call, spk_sql_expr *const *args, size_t n, const spk_ast *ast)
{
    const spk_sql_type *types[3];
    bool nullable[3];
    spk_lambda_env env[3];
    uint32_t numbers[3];
    if (!lambda_allowed(b, call, ast))
        return NULL;
    const size_t most = spk_sql_lambda_types(&b->a->build, call->name, args, n, n, types, nullable);
    if (ast->n_names > 3 || ast->n_names > most) {
        if (!spk_sql_failed(b->a->error))
            spk_sql_fail2(b->a->error, "INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH", ast->span, "expectedNumArgs",
                spk_print(b->a, "%zu", ast->n_names), "actualNumArgs", spk_print(b->a, "%zu", most));
        return NULL;
    }
    const spk_lambda_env *outside = b->lambdas;
    for (size_t i = 0; i < ast->n_names; i++) {
        numbers[i] = b->a->next_id++;
        spk_sql_expr *v = spk_sql_variable(&b->a->build, numbers[i], ast->names[i], types[i], nullable[i], ast->span);
        if (!v)
            return NULL;
        env[i] = (spk_lambda_env) { ast->names[i], v, b->lambdas };
        b->lambdas = &env[i];
    }
    spk_sql_expr *body = spk_bind_expr(b, ast->args.at[0]);
    b->lambdas = outside;
    return body ? spk_sql_lambda(&b->a->build, numbers, ast->n_names, body, ast->span) : NULL;
}

/* as_lambda: an argument that is none: where a function is wanted, one that always gives it. */
static spk_sql_expr *as_lambda(
    spk_bind *b, const spk_ast *call, spk_sql_expr *const *args, size_t n, const spk_ast *ast)
{
    const spk_sql_type *types[3];
    bool nullable[3];
    uint32_t numbers[3];
    spk_sql_expr *body = spk_bind_expr(b, ast);
    if (!body || n == 0 || call->infix || args[0]->type->kind < SPK_SQL_ARRAY)
        return body;
    size_t most = spk_sql_lambda_types(&b->a->build, call->name, args, n, n, types, nullable);
    if (most > 1 && n == 1 && args[0]->type->kind == SPK_SQL_ARRAY)
        most = 1; /* the place is not asked for */
    for (size_t i = 0; i < most; i++)
        numbers[i] = b->a->next_id++;
    return most && !spk_sql_failed(b->a->error) ? spk_sql_lambda(&b->a->build, numbers, most, body, ast->span) : body;
}

/* ---- other calls */

/* struct_call: named_struct, as it is called where it was struct(..). */
static spk_sql_expr *struct_call(spk_bind *b, spk_sql_expr **args, size_t n, spk_sql_span span)
{
    return spk_sql_call_of(&b->a->build, spk_sql_function_find("named_struct"), "struct", args, n, span);
}

spk_sql_expr *spk_bind_struct(spk_bind *b, const spk_ast *ast)
{
    spk_sql_build *build = &b->a->build;
    spk_sql_expr **args = list_of(b, ast->args.n * 2);
    size_t n = 0;
    for (size_t i = 0; args && i < ast->args.n; i++) {
        const spk_ast *arg = ast->args.at[i];
        char text[32];
        const char *name = text;
        (void)snprintf(text, sizeof text, "col%zu", i + 1);
        if (arg->kind == SPK_AST_ALIAS)
            name = arg->names[0];
        else if (arg->kind == SPK_AST_NAME)
            name = arg->args.at[arg->args.n - 1]->text;
        args[n++] = spk_sql_string(build, spk_copy_text(b->a, name, strlen(name)), strlen(name), arg->span);
        if (!(args[n++] = spk_bind_expr(b, arg)))
            return NULL;
    }
    if (!args || spk_sql_failed(b->a->error))
        return NULL;
    return ast->kind == SPK_AST_ROW ? spk_sql_call(build, "named_struct", args, n, ast->span)
                                    : struct_call(b, args, n, ast->span);
}

/* columns_of_star: those of the scope, or of its table that is named, beside the arguments before; how many match. */
static size_t columns_of_star(
    spk_bind *b, const spk_scope *scope, const spk_ast *star, bool named, spk_sql_expr ***args, size_t *n)
{
    const size_t from = star->args.n && !star->n_names ? 1 : 0;
    size_t found = 0;
    for (size_t k = 0; scope && k < scope->n; k++) {
        const spk_scope_item *item = &scope->items[k];
        bool wanted = !item->hidden;
        if (from)
            wanted = item->table && spk_names_same(item->table, star->args.at[0]->args.at[0]->text);
        found += wanted;
        for (size_t x = from; wanted && star->n_names && x < star->args.n; x++)
            wanted = !spk_names_same(star->args.at[x]->args.at[0]->text, item->name);
        if (wanted && named)
            SPK_ADD(b->a, *args, *n, spk_sql_string(&b->a->build, item->name, strlen(item->name), star->span));
        spk_attr attr = item->attr;
        attr.name = item->name;
        if (wanted)
            SPK_ADD(b->a, *args, *n, spk_attr_column(b->a, &attr, star->span));
    }
    return found;
}

/* has_star: f(*), f(t.*), f(a, *). */
static bool has_star(const spk_ast *ast)
{
    bool stars = ast->star;
    for (size_t i = 0; i < ast->args.n; i++)
        stars |= ast->args.at[i]->kind == SPK_AST_STAR;
    return stars;
}

/* star_args: the arguments of a call that has stars; named: with the names of their columns. */
static spk_sql_expr **star_args(spk_bind *b, const spk_ast *ast, bool named, size_t *n)
{
    spk_ast one = { .kind = SPK_AST_STAR, .span = ast->span }, *only = &one;
    const spk_ast_list list = ast->star ? (spk_ast_list) { &only, 1 } : ast->args;
    spk_sql_expr **args = NULL;
    *n = 0;
    for (size_t i = 0; i < list.n; i++) {
        const spk_ast *arg = list.at[i];
        if (arg->kind != SPK_AST_STAR) {
            spk_sql_expr *e = spk_bind_expr(b, arg);
            if (!e)
                return NULL;
            SPK_ADD(b->a, args, *n, e);
            continue;
        }
        const bool qualified = arg->args.n && !arg->n_names;
        size_t found = columns_of_star(b, b->scope, arg, named, &args, n);
        for (const spk_scope *s = b->scope; qualified && !found && s; s = s->outer)
            found = columns_of_star(b, s->outer, arg, named, &args, n);
        if (qualified && !found)
            spk_sql_fail2(b->a->error, "CANNOT_RESOLVE_STAR_EXPAND", arg->span, "targetString",
                arg->args.at[0]->args.at[0]->text, "columns", "");
    }
    if (spk_sql_failed(b->a->error))
        return NULL;
    return args ? args : list_of(b, 0);
}

static spk_sql_expr *plain(spk_bind *b, const spk_ast *ast)
{
    spk_sql_expr **args = list_of(b, ast->args.n);
    size_t n = ast->args.n;
    if (!args)
        return NULL;
    if (has_star(ast)) {
        const bool named = spk_names_same(ast->name, "struct") && (ast->star || n == 1);
        if (!(args = star_args(b, ast, named, &n)))
            return NULL;
        return named ? struct_call(b, args, n, ast->span) : call_of(b, ast, args, n);
    }
    for (size_t i = 0; i < n; i++) {
        const spk_ast *arg = ast->args.at[i];
        args[i] = arg->kind == SPK_AST_LAMBDA ? lambda(b, ast, args, i, arg) : as_lambda(b, ast, args, i, arg);
        if (!args[i])
            return NULL;
    }
    return call_of(b, ast, args, n);
}

/* chain: AND and OR of many: a tree that leans to the left, as Spark's, but no deeper than need be. */
static spk_sql_expr *chain(spk_bind *b, const spk_ast *ast, size_t from, size_t to)
{
    if (to - from == 1)
        return spk_bind_expr(b, ast->args.at[from]);
    const size_t middle = to - from > 64 ? from + (to - from) / 2 : to - 1;
    spk_sql_expr *args[] = { chain(b, ast, from, middle), NULL };
    if (args[0])
        args[1] = chain(b, ast, middle, to);
    const spk_sql_span span = { ast->args.at[from]->span.from, ast->args.at[to - 1]->span.to };
    return args[1] ? spk_sql_call(&b->a->build, ast->name, args, 2, span) : NULL;
}

/* whole_only: aggregates that have neither order nor frame in a window. */
static bool whole_only(spk_bind *b, const spk_ast *ast, const spk_window_use *use)
{
    static const char *const names[] = { "median", "percentile_cont", "percentile_disc" };
    if (!is_one_of(ast->name, names, 3) || (!use->n_sort && !use->function.framed))
        return true;
    spk_sql_fail1(
        b->a->error, "INVALID_WINDOW_SPEC_FOR_AGGREGATION_FUNC", ast->span, "aggFunc", ast->name);
    return false;
}

static bool is_window_function(const char *name)
{
    static const char *const names[] = { "row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile",
        "lag", "lead", "nth_value" };
    return is_one_of(name, names, sizeof names / sizeof names[0]);
}

bool spk_is_routine(const char *name)
{
    return spk_sql_function_find(name) || spk_sql_is_aggregate(name) || is_window_function(name)
        || spk_is_generator(name) || spk_names_same(name, "struct") || spk_names_same(name, "grouping")
        || spk_names_same(name, "grouping_id");
}

spk_sql_expr *spk_bind_call(spk_bind *b, const spk_ast *ast)
{
    const char *name = ast->name;
    if (ast->infix && (strcmp(name, "and") == 0 || strcmp(name, "or") == 0) && ast->args.n > 1)
        return chain(b, ast, 0, ast->args.n);
    if (ast->infix && strcmp(name, "not") == 0 && ast->args.at[0]->kind == SPK_AST_IN_QUERY)
        return spk_bind_subquery(b, ast->args.at[0], true);
    if (ast->infix && strcmp(name, "not") == 0) {
        b->negations++;
        spk_sql_expr *e = plain(b, ast);
        b->negations--;
        return e;
    }
    if (ast->window)
        return spk_bind_window(b, ast);
    if (spk_is_identifier(ast)) {
        const spk_ast *named = spk_identifier(b->a, ast);
        return named ? spk_bind_name(b, named) : NULL;
    }
    if (!ast->infix && (spk_names_same(name, "grouping") || spk_names_same(name, "grouping_id")))
        return grouping(b, ast);
    if (!ast->infix && spk_is_aggregate(b->a, name))
        return aggregate(b, ast);
    if (!ast->infix && is_window_function(name)) {
        spk_sql_fail1(b->a->error, "WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE", ast->span, "funcName",
            spk_print(b->a, "\"%s()\"", name));
        return NULL;
    }
    if (spk_names_same(name, "struct") && ast->args.n && !has_star(ast))
        return spk_bind_struct(b, ast);
    if (!ast->infix && spk_is_generator(name)) {
        spk_sql_fail1(b->a->error, "UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS", ast->span, "expression", name);
        return NULL;
    }
    if (!ast->infix && (ast->distinct || ast->n_order)) {
        spk_sql_fail2(b->a->error, "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX", ast->span, "prettyName",
            name, "syntax", ast->distinct ? "DISTINCT" : "ORDER BY");
        return NULL;
    }
    return plain(b, ast);
}

/* ---- windows */

static const spk_ast_window *named_window(spk_bind *b, const spk_ast_window *w)
{
    for (size_t i = 0; i < b->n_named; i++)
        if (spk_names_same(b->named[i].name, w->name))
            return &b->named[i];
    spk_sql_fail1(b->a->error, "MISSING_WINDOW_SPECIFICATION", w->span, "windowName", w->name);
    return NULL;
}

/* edge: of RANGE: the order key of the current row, moved by the offset. */
static spk_sql_expr *edge(spk_bind *b, const spk_window_use *use, spk_sql_expr *offset, bool following)
{
    const spk_plan_sort *key = &use->sort[0];
    const spk_sql_type *type = key->expression->type;
    if (spk_sql_is_numeric(type)) /* the offset has the key's type before they are added */
        offset = spk_sql_coerce(&b->a->build, offset, type);
    if (!offset)
        return NULL;
    spk_sql_expr *args[] = { key->expression, offset };
    const bool plus = following != key->descending;
    spk_sql_expr *e = spk_sql_call(&b->a->build, plus ? "+" : "-", args, 2, offset->span);
    return e ? spk_sql_coerce(&b->a->build, e, type) : NULL;
}

static bool specification(spk_bind *b, const spk_ast_window *w, spk_window_use *use)
{
    const bool named = w->name && w != b->named;
    const spk_ast_window *base = named ? named_window(b, w) : w;
    if (!base)
        return false;
    for (size_t i = 0; i < base->partition.n; i++) {
        spk_sql_expr *e = spk_bind_expr(b, base->partition.at[i]);
        if (!e)
            return false;
        SPK_ADD(b->a, use->partition, use->n_partition, e);
    }
    const spk_ast_window *ordered = base->n_order ? base : w;
    for (size_t i = 0; i < ordered->n_order; i++) {
        const spk_ast_sort *s = &ordered->order[i];
        spk_sql_expr *e = spk_bind_expr(b, s->expression);
        if (!e)
            return false;
        SPK_ADD(b->a, use->sort, use->n_sort, (spk_plan_sort) { e, s->descending, s->nulls_last });
    }
    spk_bind_frame(b, w->framed ? w : base, use);
    return !spk_sql_failed(b->a->error);
}

static bool wrong_number(spk_bind *b, const spk_ast *ast, size_t n, const char *wanted)
{
    spk_sql_fail3(b->a->error, "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", ast->span, "functionName",
        spk_print(b->a, "`%s`", ast->name), "expectedNum", wanted, "actualNum", spk_print(b->a, "%zu", n));
    return false;
}

/* result_of: the type of a ranking or value function. */
static bool result_of(spk_bind *b, const spk_ast *ast, spk_window_use *use, const spk_sql_type **type, bool *nullable)
{
    const char *name = use->function.name;
    const size_t n = use->function.n_args;
    *nullable = false;
    if (strcmp(name, "percent_rank") == 0 || strcmp(name, "cume_dist") == 0) {
        *type = spk_sql_type_of(SPK_SQL_DOUBLE);
    } else if (strcmp(name, "lag") == 0 || strcmp(name, "lead") == 0 || strcmp(name, "nth_value") == 0) {
        if (n < 1 || n > 3 || (n < 2 && *name == 'n'))
            return wrong_number(b, ast, n, *name == 'n' ? "2" : "[1, 2, 3]");
        *type = use->function.args[0]->type;
        *nullable = true;
        if (n == 3)
            use->function.args[2] = spk_sql_coerce(&b->a->build, use->function.args[2], *type);
        if (n > 1 && !spk_bind_constant(b, ast, use))
            return false;
        if (*name == 'l') {
            use->function.rows = true;
            use->function.from = SPK_BOUND_UNBOUNDED_PRECEDING;
            use->function.to = SPK_BOUND_UNBOUNDED_FOLLOWING;
        }
    } else {
        *type = spk_sql_type_of(SPK_SQL_INT);
        if (strcmp(name, "ntile") == 0 && n > 1)
            return wrong_number(b, ast, n, "1");
        if (strcmp(name, "ntile") == 0 && n == 1 && !spk_bind_constant(b, ast, use))
            return false;
    }
    return !spk_sql_failed(b->a->error);
}

static bool ranking(spk_bind *b, const spk_ast *ast, spk_window_use *use)
{
    spk_plan_function *f = &use->function;
    const size_t n = strlen(ast->name);
    char *name = spk_copy_text(b->a, ast->name, n);
    for (size_t i = 0; i < n; i++)
        name[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] | 0x20) : name[i];
    f->name = name;
    f->ignore_nulls = ast->ignore_nulls;
    f->n_args = ast->args.n;
    if (!(f->args = list_of(b, ast->args.n)) || !spk_bind_list(b, &ast->args, f->args))
        return false;
    if (use->n_sort == 0 && strcmp(name, "nth_value") != 0) {
        spk_sql_fail2(b->a->error, "WINDOW_FUNCTION_FRAME_NOT_ORDERED", ast->span, "wf_name", name, "windowSpec", "");
        return false;
    }
    return true;
}

spk_sql_expr *spk_bind_window(spk_bind *b, const spk_ast *ast)
{
    spk_window_use use;
    const spk_sql_type *type;
    bool nullable;
    spk_sql_expr **args = NULL;
    size_t n = 0;
    memset(&use, 0, sizeof use);
    if (!b->windows || b->in_aggregate || b->in_window) {
        if (b->in_window)
            spk_sql_fail(b->a->error, "NESTED_AGGREGATE_FUNCTION", ast->span);
        else
            spk_sql_fail1(b->a->error, "WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE", ast->span, "clauseName", b->clause);
        return NULL;
    }
    const spk_lambda_env *lambdas = b->lambdas;
    b->in_window = true;
    b->lambdas = NULL; /* of its rows they have no value */
    bool good = specification(b, ast->window, &use);
    const bool rank = is_window_function(ast->name);
    if (good && rank) {
        good = ranking(b, ast, &use) && result_of(b, ast, &use, &type, &nullable);
    } else if (good && spk_is_aggregate(b->a, ast->name)) {
        if (ast->distinct)
            spk_sql_fail1(b->a->error, "DISTINCT_WINDOW_FUNCTION_UNSUPPORTED", ast->span, "windowExpr", ast->name);
        char text[64];
        args = list_of(b, ast->args.n + ast->n_order);
        good = args && !spk_sql_failed(b->a->error) && within_allowed(b, ast) && whole_only(b, ast, &use)
            && args_of(b, ast, &args, &n)
            && (use.function.aggregate
                = make_aggregate(b, ordered_name(b, ast, text, sizeof text), args, n, ast, counts_rows(ast)));
        if (good && ast->filter)
            good = (use.function.filter = filter_of(b, ast)) != NULL;
        if (good) {
            use.function.args = use.function.aggregate->args;
            use.function.n_args = use.function.aggregate->n;
            type = use.function.aggregate->type;
            nullable = true;
        }
    } else if (good) {
        (void)within_allowed(b, ast);
        spk_sql_fail1(b->a->error, "UNSUPPORTED_EXPR_FOR_WINDOW", ast->span, "sqlExpr", ast->name);
        good = false;
    }
    b->in_window = false;
    b->lambdas = lambdas;
    spk_plan_function *f = &use.function;
    if (good && f->from_offset && !f->rows)
        good = (f->low = edge(b, &use, f->from_offset, f->from == SPK_BOUND_FOLLOWING)) != NULL;
    if (good && f->to_offset && !f->rows)
        good = (f->high = edge(b, &use, f->to_offset, f->to == SPK_BOUND_FOLLOWING)) != NULL;
    if (!good)
        return NULL;
    const char *name = spk_window_name(b, ast, rank ? f->args : args, rank ? f->n_args : n, &use);
    use.attr = spk_attr_new(b->a, name, type, nullable);
    SPK_ADD(b->a, b->uses, b->n_uses, use);
    return spk_attr_column(b->a, &use.attr, ast->span);
}
