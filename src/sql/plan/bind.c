/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions with their types: names are looked up, everything else is a call. */
#include "base/small.h"

#include "sql/eval/coerce.h"
#include "sql/eval/function.h"
#include "sql/plan/analyze.h"

static spk_sql_expr *literal(spk_bind *b, const spk_ast *ast)
{
    spk_sql_build *build = &b->a->build;
    switch (ast->kind) {
    case SPK_AST_NULL:
        return spk_sql_constant(build, spk_sql_type_of(SPK_SQL_VOID), NULL, ast->span);
    case SPK_AST_TRUE:
    case SPK_AST_FALSE:
        return spk_sql_boolean(build, ast->kind == SPK_AST_TRUE, ast->span);
    case SPK_AST_NUMBER:
        return spk_sql_number(build, ast->text, ast->text_len, ast->span);
    case SPK_AST_STRING:
        return spk_sql_string(build, ast->text, ast->text_len, ast->span);
    default:
        return spk_sql_typed(build, ast->name, ast->text, ast->text_len, ast->span);
    }
}

static spk_sql_expr *interval(spk_bind *b, const spk_ast *ast)
{
    spk_sql_build *build = &b->a->build;
    const char **parts = NULL;
    size_t n = 0;
    if (ast->args.n == 0)
        return spk_sql_interval_sum(build, NULL, 0, ast->text, ast->text_len, ast->span);
    if (ast->name2) {
        const spk_ast *value = ast->args.at[0];
        return spk_sql_interval(build, value->text, value->text_len, ast->args.at[1]->text, ast->name2, ast->span);
    }
    for (size_t i = 0; i < ast->args.n; i++)
        SPK_ADD(b->a, parts, n, ast->args.at[i]->text);
    return spk_sql_interval_sum(build, parts, n, NULL, 0, ast->span);
}

static spk_sql_expr *cast(spk_bind *b, const spk_ast *ast)
{
    spk_sql_expr *arg = spk_bind_expr(b, ast->args.at[0]);
    if (!arg)
        return NULL;
    const spk_sql_type *type = spk_sql_type_parse(b->a->arena, ast->text, strlen(ast->text));
    if (!type) {
        char name[200];
        (void)snprintf(name, sizeof name, "\"%s\"", ast->text);
        for (char *c = name; *c; c++)
            *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c;
        spk_sql_fail1(b->a->error, "UNSUPPORTED_DATATYPE", ast->span, "typeName", name);
        return NULL;
    }
    return spk_sql_cast(&b->a->build, arg, type, ast->attempt, ast->span);
}

static spk_sql_expr *case_of(spk_bind *b, const spk_ast *ast)
{
    spk_sql_expr **args = NULL;
    size_t n = 0;
    for (size_t i = 0; i < ast->args.n; i++) {
        spk_sql_expr *arg = spk_bind_expr(b, ast->args.at[i]);
        if (ast->operand && i % 2 == 0 && i + 1 < ast->args.n) {
            spk_sql_expr *pair[] = { spk_bind_expr(b, ast->operand), arg };
            arg = pair[0] && arg ? spk_sql_call(&b->a->build, "=", pair, 2, ast->args.at[i]->span) : NULL;
        }
        if (!arg)
            return NULL;
        SPK_ADD(b->a, args, n, arg);
    }
    return spk_sql_call(&b->a->build, "case", args, n, ast->span);
}

bool spk_bind_list(spk_bind *b, const spk_ast_list *list, spk_sql_expr **out)
{
    for (size_t i = 0; i < list->n; i++)
        if (!(out[i] = spk_bind_expr(b, list->at[i])))
            return false;
    return true;
}

static spk_sql_expr *parameter(spk_bind *b, const spk_ast *ast)
{
    const spk_analyzer *a = b->a;
    for (size_t i = 0; i < a->n_bindings; i++)
        if (ast->text[0] ? a->bindings[i].name && spk_names_same(a->bindings[i].name, ast->text)
                         : !a->bindings[i].name && (int64_t)i == ast->number)
            return a->bindings[i].value;
    char name[100];
    if (ast->text[0])
        (void)snprintf(name, sizeof name, "%s", ast->text);
    else
        (void)snprintf(name, sizeof name, "_%u", ast->span.from);
    spk_sql_fail1(a->error, "UNBOUND_SQL_PARAMETER", ast->span, "name", name);
    return NULL;
}

static spk_sql_expr *in_list(spk_bind *b, const spk_ast *ast)
{
    spk_sql_build *build = &b->a->build;
    const size_t n = ast->args.n + ast->n_literals;
    spk_sql_expr **args = spk_arena_alloc(b->a->arena, n * sizeof *args, 8);
    if (!args) {
        spk_sql_nomem(b->a->error);
        return NULL;
    }
    if (!spk_bind_list(b, &ast->args, args))
        return NULL;
    for (size_t i = 0; i < ast->n_literals; i++) {
        const spk_ast_literal *l = &ast->literals[i];
        args[ast->args.n + i] = l->number ? spk_sql_number(build, l->text, l->len, l->span)
                                          : spk_sql_string(build, l->text, l->len, l->span);
        if (!args[ast->args.n + i])
            return NULL;
    }
    return spk_sql_call(build, "in", args, n, ast->span);
}

static spk_sql_expr *star(spk_bind *b, const spk_ast *ast)
{
    spk_sql_fail2(b->a->error, "INVALID_USAGE_OF_STAR_OR_REGEX", ast->span, "elem", "'*'", "prettyName", "expression");
    return NULL;
}

spk_sql_expr *spk_bind_grouped(const spk_bind *b, const spk_ast *ast)
{
    const char *text = b->a->text;
    for (size_t i = 0; i < b->n_grouped; i++) {
        const spk_sql_span at = b->grouped[i].span;
        const size_t n = at.to - at.from;
        if (n && n == (size_t)(ast->span.to - ast->span.from)
            && memcmp(text + at.from, text + ast->span.from, n) == 0)
            return b->grouped[i].bound;
    }
    return NULL;
}

spk_sql_expr *spk_bind_expr(spk_bind *b, const spk_ast *ast)
{
    if (!ast || spk_sql_failed(b->a->error))
        return NULL;
    spk_sql_expr *grouped = spk_bind_grouped(b, ast);
    if (grouped)
        return grouped;
    switch (ast->kind) {
    case SPK_AST_NULL:
    case SPK_AST_TRUE:
    case SPK_AST_FALSE:
    case SPK_AST_NUMBER:
    case SPK_AST_STRING:
    case SPK_AST_TYPED:
        return literal(b, ast);
    case SPK_AST_INTERVAL:
        return interval(b, ast);
    case SPK_AST_NAME:
        return spk_bind_name(b, ast);
    case SPK_AST_STAR:
        return star(b, ast);
    case SPK_AST_PARAMETER:
        return parameter(b, ast);
    case SPK_AST_CALL:
        return spk_bind_call(b, ast);
    case SPK_AST_CAST:
        return cast(b, ast);
    case SPK_AST_CASE:
        return case_of(b, ast);
    case SPK_AST_IN:
        return in_list(b, ast);
    case SPK_AST_IN_QUERY:
    case SPK_AST_EXISTS:
    case SPK_AST_SUBQUERY:
        return spk_bind_subquery(b, ast, false);
    case SPK_AST_ROW:
        return spk_bind_struct(b, ast);
    case SPK_AST_ALIAS:
    case SPK_AST_NAMED:
        return spk_bind_expr(b, ast->args.at[0]);
    default:
        spk_sql_fail2(b->a->error, "PARSE_SYNTAX_ERROR", ast->span, "error", "'->'", "hint", "");
        return NULL;
    }
}

void spk_conjuncts(spk_analyzer *a, spk_sql_expr *e, spk_sql_expr ***list, size_t *n)
{
    if (e && e->kind == SPK_SQL_CALL && e->function && strcmp(e->function->name, "and") == 0) {
        for (uint32_t i = 0; i < e->n; i++)
            spk_conjuncts(a, e->args[i], list, n);
        return;
    }
    if (e)
        SPK_ADD(a, *list, *n, e);
}

void spk_bind_condition(
    spk_bind *b, const spk_ast *ast, spk_sql_expr ***conjuncts, size_t *n, const char *operation)
{
    spk_sql_expr *e = spk_bind_expr(b, ast);
    if (!e)
        return;
    if (e->type->kind == SPK_SQL_VOID)
        e = spk_sql_coerce(&b->a->build, e, spk_sql_type_of(SPK_SQL_BOOLEAN));
    if (e && e->type->kind != SPK_SQL_BOOLEAN && strcmp(operation, "having") == 0)
        e = spk_sql_cast(&b->a->build, e, spk_sql_type_of(SPK_SQL_BOOLEAN), false, ast->span);
    if (!e)
        return;
    if (e->type->kind != SPK_SQL_BOOLEAN) {
        spk_sql_fail3(b->a->error,
            strcmp(operation, "join") == 0 ? "JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE"
                                           : "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN",
            ast->span, "sqlExpr", spk_sql_expr_quoted(&b->a->build, e), "filter",
            spk_sql_expr_quoted(&b->a->build, e), "type", spk_sql_type_quoted(&b->a->build, e->type));
        spk_sql_param(b->a->error, "joinCondition", "%s", spk_sql_expr_quoted(&b->a->build, e));
        spk_sql_param(b->a->error, "conditionType", "%s", spk_sql_type_quoted(&b->a->build, e->type));
        return;
    }
    spk_conjuncts(b->a, e, conjuncts, n);
}
