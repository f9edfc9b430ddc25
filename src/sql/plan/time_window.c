/* SPDX-License-Identifier: Apache-2.0 */
/* window(ts, '5 minutes') in SELECT and GROUP BY: a column `window` of the input, a struct of start and end, which no
 * star has; rows without a time are left out. Windows follow each other: those that overlap, and sessions, are not here. */
#include "base/small.h"

#include "sql/plan/bind_call.h"
#include "sql/plan/select.h"

static bool is_window(const spk_ast *ast)
{
    return ast->kind == SPK_AST_CALL && !ast->infix && !ast->window && spk_names_same(ast->name, "window");
}

static const spk_ast *find_in(const spk_ast_list *list);

static const spk_ast *find(const spk_ast *ast)
{
    if (!ast || ast->kind == SPK_AST_SUBQUERY || ast->kind == SPK_AST_EXISTS)
        return NULL;
    const spk_ast *found = is_window(ast) ? ast : find(ast->operand);
    return found ? found : find_in(&ast->args);
}

static const spk_ast *find_in(const spk_ast_list *list)
{
    const spk_ast *found = NULL;
    for (size_t i = 0; i < list->n && !found; i++)
        found = find(list->at[i]);
    return found;
}

static spk_sql_expr *refuse(spk_bind *b, const spk_ast *ast, const char *what)
{
    spk_sql_unsupported(b->a->error, ast->span, what);
    return NULL;
}

/* micros: an argument: a text of days and less. NULL: it is no such text. */
static spk_sql_expr *micros(spk_bind *b, const spk_ast *ast, int64_t *value)
{
    if (ast->kind != SPK_AST_STRING)
        return refuse(b, ast, "an argument of window() that is no string");
    spk_sql_expr *e = spk_sql_interval_sum(&b->a->build, NULL, 0, ast->text, ast->text_len, ast->span);
    if (e && e->type->kind != SPK_SQL_INTERVAL_SECONDS)
        return refuse(b, ast, "a window of months");
    if (e)
        memcpy(value, e->value, sizeof *value);
    return e;
}

static spk_sql_expr *call2(spk_sql_build *build, const char *name, spk_sql_expr *x, spk_sql_expr *y, spk_sql_span span)
{
    spk_sql_expr *args[] = { x, y };
    return x && y ? spk_sql_call(build, name, args, 2, span) : NULL;
}

static spk_sql_expr *call1(spk_sql_build *build, const char *name, spk_sql_expr *x, spk_sql_span span)
{
    return x ? spk_sql_call(build, name, &x, 1, span) : NULL;
}

/* made: the struct; *time: what it is of. NULL: the error is set. */
static spk_sql_expr *made(spk_bind *b, const spk_ast *ast, spk_sql_expr **time)
{
    spk_sql_build *build = &b->a->build;
    const spk_sql_span at = ast->span;
    const spk_sql_type *bigint = spk_sql_type_of(SPK_SQL_BIGINT);
    int64_t by = 0, slide, from = 0;
    if (ast->args.n < 2 || ast->args.n > 4)
        return refuse(b, ast, "window() of other than two to four arguments");
    spk_sql_expr *length = micros(b, ast->args.at[1], &by);
    slide = by;
    if (!length || (ast->args.n > 2 && !micros(b, ast->args.at[2], &slide))
        || (ast->args.n > 3 && !micros(b, ast->args.at[3], &from)) || !(*time = spk_bind_expr(b, ast->args.at[0])))
        return NULL;
    if (by <= 0 || slide != by)
        return refuse(b, ast, "windows that overlap, or are of no length");
    const spk_sql_kind kind = (*time)->type->kind;
    if (kind != SPK_SQL_TIMESTAMP && kind != SPK_SQL_DATE && kind != SPK_SQL_STRING)
        return refuse(b, ast, "window() of other than a TIMESTAMP");
    *time = spk_sql_cast(build, *time, spk_sql_type_of(SPK_SQL_TIMESTAMP), false, at);
    spk_sql_expr *now = call1(build, "unix_micros", *time, at);
    spk_sql_expr *rest = call2(build, "pmod", call2(build, "-", now, spk_sql_constant(build, bigint, &from, at), at),
        spk_sql_constant(build, bigint, &by, at), at);
    spk_sql_expr *start = call1(build, "timestamp_micros", call2(build, "-", now, rest, at), at);
    spk_sql_expr *fields[] = { spk_sql_string(build, "start", 5, at), start, spk_sql_string(build, "end", 3, at),
        call2(build, "+", start, length, at) };
    return fields[0] && fields[2] && fields[3] ? spk_sql_call(build, "named_struct", fields, 4, at) : NULL;
}

void spk_time_window(selecting *s)
{
    const spk_ast *call = find_in(&s->select->items);
    spk_analyzer *a = s->a;
    for (size_t i = 0; i < s->select->n_groups && !call; i++) {
        const spk_ast_group *group = &s->select->groups[i];
        call = find(group->expression);
        for (size_t k = 0; k < group->n_sets && !call; k++)
            call = find_in(&group->sets[k]);
    }
    if (!call)
        return;
    spk_bind b = { .a = a, .scope = &s->in.scope, .clause = "SELECT" };
    spk_sql_expr *time, *e = made(&b, call, &time), **exprs = NULL;
    spk_sql_expr *there = e ? call1(&a->build, "isnotnull", time, call->span) : NULL;
    spk_plan *in = there ? spk_plan_filter(a, s->in.plan, &there, 1) : NULL;
    spk_attr *attrs = NULL;
    size_t n = 0, m = 0;
    for (size_t i = 0; in && i < in->n_out; i++) {
        SPK_ADD(a, exprs, n, spk_attr_column(a, &in->out[i], call->span));
        SPK_ADD(a, attrs, m, in->out[i]);
    }
    if (!in)
        return;
    const spk_attr attr = spk_attr_new(a, "window", e->type, false);
    SPK_ADD(a, exprs, n, e);
    SPK_ADD(a, attrs, m, attr);
    SPK_ADD(a, s->in.scope.items, s->in.scope.n, (spk_scope_item) { .name = "window", .attr = attr, .window = e });
    s->in.plan = spk_sql_failed(a->error) ? NULL : spk_plan_project(a, in, exprs, attrs, n);
}

spk_sql_expr *spk_bind_time_window(spk_bind *b, const spk_ast *ast)
{
    spk_bind inner = { .a = b->a, .scope = b->scope, .clause = b->clause };
    spk_sql_expr *time, *e = made(&inner, ast, &time);
    for (size_t i = 0; e && i < b->scope->n; i++)
        if (b->scope->items[i].window && spk_expr_same(b->scope->items[i].window, e))
            return spk_attr_column(b->a, &b->scope->items[i].attr, ast->span);
    return e ? refuse(b, ast, "window() outside of SELECT and GROUP BY, or of several lengths") : NULL;
}
