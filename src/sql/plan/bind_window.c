/* SPDX-License-Identifier: Apache-2.0 */
/* Calls over windows: what is computed becomes a column of the operator that does so. */
#include "base/small.h"

#include "sql/plan/bind_call.h"

const char *const spk_window_functions[] = { "row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile",
    "lag", "lead", "nth_value", NULL };

bool spk_is_window_function(const char *name)
{
    return spk_is_one_of(name, spk_window_functions, sizeof spk_window_functions / sizeof spk_window_functions[0] - 1);
}

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
    const char *name = spk_lower_name(b->a, ast->name);
    f->name = name;
    f->ignore_nulls = ast->ignore_nulls;
    f->n_args = ast->args.n;
    if (!(f->args = spk_exprs_new(b, ast->args.n)) || !spk_bind_list(b, &ast->args, f->args))
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
    const bool rank = spk_is_window_function(ast->name);
    if (good && rank) {
        good = ranking(b, ast, &use) && result_of(b, ast, &use, &type, &nullable);
    } else if (good && spk_is_aggregate(b->a, ast->name)) {
        good = spk_aggregate_over(b, ast, &use, &args, &n);
        if (good) {
            type = use.function.aggregate->type;
            nullable = true;
        }
    } else if (good) {
        (void)spk_within_allowed(b, ast);
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
