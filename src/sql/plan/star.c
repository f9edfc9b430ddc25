/* SPDX-License-Identifier: Apache-2.0 */
/* The columns of *, t.* and s.* (the fields of a struct), without those that EXCEPT names. */
#include "base/small.h"

#include "sql/plan/select.h"

/* path: a name behind EXCEPT, of which `from` parts are those of a column; what follows are fields. */
typedef struct path {
    const spk_ast *name;
    size_t from;
} path;

typedef struct paths {
    path *at;
    size_t n;
    bool whole; /* the column itself is left out */
} paths;

/* left_out: what EXCEPT says about a column; from: its first name; met: those names that meet one. */
static paths left_out(selecting *s, const spk_ast *star, size_t from, const char *table, const char *column, bool *met)
{
    paths found = { NULL, 0, false };
    for (size_t i = from; star->n_names && i < star->args.n; i++) {
        const spk_ast *name = star->args.at[i];
        spk_ast *const *part = name->args.at;
        const size_t used = spk_names_same(part[0]->text, column) ? 1
            : name->args.n > 1 && table && spk_names_same(part[0]->text, table) && spk_names_same(part[1]->text, column)
            ? 2
            : 0;
        if (!used)
            continue;
        if (met)
            met[i] = true;
        if (found.whole || (found.n && used == name->args.n))
            spk_sql_fail1(s->a->error, "EXCEPT_OVERLAPPING_COLUMNS", star->span, "columns", column);
        if (used == name->args.n)
            found.whole = true;
        else
            SPK_ADD(s->a, found.at, found.n, (path) { name, used });
    }
    return found;
}

/* without: a struct without those fields. */
static spk_sql_expr *without(selecting *s, spk_sql_expr *e, const paths *gone, spk_sql_span span)
{
    spk_sql_build *build = &s->a->build;
    spk_sql_expr **args = NULL;
    size_t n = 0, met = 0;
    if (gone->n == 0)
        return e;
    for (uint32_t i = 0; e->type->kind == SPK_SQL_STRUCT && i < e->type->n; i++) {
        const char *name = e->type->fields[i].name;
        paths inner = { NULL, 0, false };
        for (size_t k = 0; k < gone->n; k++) {
            const path *p = &gone->at[k];
            if (!spk_names_same(p->name->args.at[p->from]->text, name))
                continue;
            met++;
            if (p->from + 1 == p->name->args.n)
                inner.whole = true;
            else
                SPK_ADD(s->a, inner.at, inner.n, (path) { p->name, p->from + 1 });
        }
        if (inner.whole && inner.n)
            spk_sql_fail1(s->a->error, "EXCEPT_OVERLAPPING_COLUMNS", span, "columns", name);
        if (inner.whole)
            continue;
        spk_sql_expr *pair[] = { e, spk_sql_string(build, name, strlen(name), span) };
        spk_sql_expr *field = spk_sql_call(build, ".", pair, 2, span);
        SPK_ADD(s->a, args, n, pair[1]);
        SPK_ADD(s->a, args, n, field ? without(s, field, &inner, span) : NULL);
    }
    if (met < gone->n)
        spk_unresolved_at(s->a, NULL, gone->at[0].name->span);
    if (!spk_sql_failed(s->a->error) && n == 0)
        spk_sql_unsupported(s->a->error, span, "a struct without fields");
    if (spk_sql_failed(s->a->error))
        return NULL;
    spk_sql_expr *made = spk_sql_call(build, "named_struct", args, n, span);
    if (!made || !e->nullable)
        return made;
    spk_sql_expr *either[] = { spk_sql_call(build, "isnull", &e, 1, span),
        spk_sql_constant(build, made->type, NULL, span), made };
    return either[0] && either[1] ? spk_sql_call(build, "if", either, 3, span) : NULL;
}

/* names_met: every name behind EXCEPT must be one of the columns. */
static void names_met(selecting *s, const spk_ast *star, size_t from, const bool *met)
{
    for (size_t i = from; star->n_names && i < star->args.n; i++)
        if (!met[i])
            spk_unresolved_at(s->a, &s->in.scope, star->args.at[i]->span);
}

static bool *new_flags(selecting *s, size_t n)
{
    bool *flags = spk_arena_alloc(s->a->arena, n + 1, 1);
    if (flags)
        memset(flags, 0, n + 1);
    else
        spk_sql_nomem(s->a->error);
    return flags;
}

/* struct_star: s.*: the fields of a struct. */
static void struct_star(selecting *s, const spk_ast *star)
{
    const bool known = spk_name_scope(&s->in.scope, star->args.at[0]) != NULL;
    spk_sql_expr *e = known ? spk_bind_name(&s->bind, star->args.at[0]) : NULL;
    bool *met = new_flags(s, star->args.n);
    if (!known || (e && e->type->kind != SPK_SQL_STRUCT))
        spk_unresolved_star(s, star);
    if (!e || !met || spk_sql_failed(s->a->error))
        return;
    for (uint32_t i = 0; i < e->type->n; i++) {
        const char *name = e->type->fields[i].name;
        const paths gone = left_out(s, star, 1, NULL, name, met);
        spk_sql_expr *args[] = { e, spk_sql_string(&s->a->build, name, strlen(name), star->span) };
        if (gone.whole)
            continue;
        spk_sql_expr *field = spk_sql_call(&s->a->build, ".", args, 2, star->span);
        spk_select_add(s, NULL, field ? without(s, field, &gone, star->span) : NULL, name);
    }
    names_met(s, star, 1, met);
}

/* star_around: t.*, where t is a table of a query around this one; how many columns it has. */
static size_t star_around(selecting *s, const spk_ast *ast, const spk_scope *scope, const spk_ast *name)
{
    size_t found = 0;
    for (size_t i = 0; i < scope->n; i++) {
        const spk_scope_item *c = &scope->items[i];
        if (!c->table || name->args.n > 1 || !spk_names_same(c->table, name->args.at[0]->text))
            continue;
        found++;
        if (!left_out(s, ast, 1, c->table, c->name, NULL).whole)
            spk_select_add(s, NULL, spk_attr_column(s->a, &c->attr, ast->span), c->name);
    }
    return found;
}

/* star_column: one of the columns of a star. */
static void star_column(selecting *s, const spk_ast *ast, size_t from, const spk_scope_item *c, bool *met)
{
    const paths gone = left_out(s, ast, from, c->table, c->name, met);
    const spk_ast *by = s->select->replaced;
    if (gone.whole)
        return;
    if (by && spk_names_same(by->names[0], c->name)) {
        spk_select_add(s, by, NULL, c->name);
        s->replaced = true;
        return;
    }
    spk_sql_expr *column = spk_attr_column(s->a, &c->attr, ast->span);
    spk_select_add(s, NULL, column ? without(s, column, &gone, ast->span) : NULL, c->name);
    if (s->select->keep_names && s->n_items) {
        s->items[s->n_items - 1].table = c->table;
        s->items[s->n_items - 1].table2 = c->table2;
    }
}

void spk_select_star(selecting *s, const spk_ast *ast)
{
    const bool qualified = ast->args.n && (!ast->n_names || ast->args.at[0]->span.from == ast->span.from);
    const spk_ast *name = qualified ? ast->args.at[0] : NULL;
    bool *met = new_flags(s, ast->args.n);
    size_t found = 0;
    for (size_t i = 0; met && i < s->in.scope.n; i++) {
        const spk_scope_item *c = &s->in.scope.items[i];
        if (name ? !c->table || !spk_names_same(c->table, name->args.at[name->args.n - 1]->text)
                 : c->hidden || c->window)
            continue;
        found++;
        star_column(s, ast, qualified, c, met);
    }
    if (met && (found || !qualified))
        names_met(s, ast, qualified, met);
    for (const spk_scope *around = s->in.scope.outer; qualified && !found && around; around = around->outer)
        found = star_around(s, ast, around, name);
    if (qualified && !found)
        struct_star(s, ast);
}
