/* SPDX-License-Identifier: Apache-2.0 */
/* Calls: lambdas get their variables, stars become columns; what is no aggregate and no window goes to the table of
 * functions. */
#include "base/small.h"

#include "sql/plan/bind_call.h"

spk_sql_expr **spk_exprs_new(spk_bind *b, size_t n)
{
    spk_sql_expr **list = spk_arena_alloc(b->a->arena, (n + 1) * sizeof *list, 8);
    if (!list)
        spk_sql_nomem(b->a->error);
    return list;
}

bool spk_is_one_of(const char *name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (spk_names_same(names[i], name))
            return true;
    return false;
}

/* ---- functions of the program */

const spk_user *spk_user_of(spk_analyzer *a, const char *name)
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

/* call: of SQL, or of the program. */
static spk_sql_expr *call_of(spk_bind *b, const spk_ast *ast, spk_sql_expr *const args[], size_t n)
{
    const spk_user *user = ast->infix || spk_sql_function_find(ast->name) ? NULL : spk_user_of(b->a, ast->name);
    if (user && user->function)
        return spk_sql_call_of(&b->a->build, user->function, user->name, args, n, ast->span);
    return spk_sql_call(&b->a->build, ast->name, args, n, ast->span);
}

/* ---- lambdas */

/* lambda_allowed: there is such a function, and names are not given twice. */
static bool lambda_allowed(spk_bind *b, const spk_ast *call, const spk_ast *ast)
{
    if (!spk_is_routine(call->name) && !spk_user_of(b->a, call->name))
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
    spk_sql_expr **args = spk_exprs_new(b, ast->args.n * 2);
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
        bool wanted = !item->hidden && !item->window;
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

bool spk_has_star(const spk_ast *ast)
{
    bool stars = ast->star;
    for (size_t i = 0; i < ast->args.n; i++)
        stars |= ast->args.at[i]->kind == SPK_AST_STAR;
    return stars;
}

spk_sql_expr **spk_star_args(spk_bind *b, const spk_ast *ast, bool named, size_t *n)
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
    return args ? args : spk_exprs_new(b, 0);
}

static spk_sql_expr *plain(spk_bind *b, const spk_ast *ast)
{
    spk_sql_expr **args = spk_exprs_new(b, ast->args.n);
    size_t n = ast->args.n;
    if (!args)
        return NULL;
    if (spk_has_star(ast)) {
        const bool named = spk_names_same(ast->name, "struct") && (ast->star || n == 1);
        if (!(args = spk_star_args(b, ast, named, &n)))
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

bool spk_is_routine(const char *name)
{
    return spk_sql_function_find(name) || spk_sql_is_aggregate(name) || spk_is_window_function(name)
        || spk_is_generator(name) || spk_names_same(name, "struct") || spk_names_same(name, "grouping")
        || spk_names_same(name, "grouping_id") || spk_names_same(name, "window");
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
        return spk_bind_grouping(b, ast);
    if (!ast->infix && spk_is_aggregate(b->a, name))
        return spk_bind_aggregate(b, ast);
    if (!ast->infix && spk_names_same(name, "window"))
        return spk_bind_time_window(b, ast);
    if (!ast->infix && spk_is_window_function(name)) {
        spk_sql_fail1(b->a->error, "WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE", ast->span, "funcName",
            spk_print(b->a, "\"%s()\"", name));
        return NULL;
    }
    if (spk_names_same(name, "struct") && ast->args.n && !spk_has_star(ast))
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
