/* SPDX-License-Identifier: Apache-2.0 */
/* Names of columns: those of the query itself, then aliases of its select list, then those of queries
 * around it; what stands behind a column's name are fields of structs. */
#include "base/small.h"

#include "sql/plan/analyze.h"

/* fields: parts from `from` on are fields of the expression. */
static spk_sql_expr *fields(spk_bind *b, spk_sql_expr *e, const spk_ast *name, size_t from)
{
    spk_sql_build *build = &b->a->build;
    for (size_t i = from; e && i < name->args.n; i++) {
        const spk_ast *part = name->args.at[i];
        spk_sql_expr *args[] = { e, spk_sql_string(build, part->text, strlen(part->text), part->span) };
        e = args[1] ? spk_sql_call(build, ".", args, 2, name->span) : NULL;
    }
    return e;
}

typedef struct match {
    const spk_scope_item *item;
    size_t used; /* parts of the name */
    size_t n;    /* of columns that match as well */
} match;

static size_t matches(const spk_scope_item *item, const spk_ast *name)
{
    spk_ast *const *p = name->args.at;
    const size_t n = name->args.n;
    if (n >= 3 && item->table2 && item->table && spk_names_same(item->table2, p[0]->text)
        && spk_names_same(item->table, p[1]->text) && spk_names_same(item->name, p[2]->text))
        return 3;
    if (n >= 2 && item->table && spk_names_same(item->table, p[0]->text)
        && spk_names_same(item->name, p[1]->text))
        return 2;
    if (!item->hidden && spk_names_same(item->name, p[0]->text))
        return 1;
    return 0;
}

/* look: in one scope; a match by more parts wins over one by fewer, and then over one that is hidden. */
static match look(const spk_scope *scope, const spk_ast *name)
{
    match found = { NULL, 0, 0 };
    for (size_t i = 0; i < scope->n; i++) {
        const spk_scope_item *item = &scope->items[i];
        const size_t used = matches(item, name);
        if (used == 0 || used < found.used || (used == found.used && item->hidden > found.item->hidden))
            continue;
        if (used > found.used || item->hidden < found.item->hidden)
            found = (match) { item, used, 1 };
        else if (found.item->attr.id != item->attr.id)
            found.n++;
    }
    return found;
}

const spk_scope *spk_name_scope(const spk_scope *scope, const spk_ast *name)
{
    while (scope && !look(scope, name).item)
        scope = scope->outer;
    return scope;
}

static void show_name(const spk_ast *name, char *text, size_t size)
{
    size_t at = 0;
    for (size_t i = 0; i < name->args.n && at < size; i++) {
        const int n = snprintf(text + at, size - at, "%s`%s`", i ? "." : "", name->args.at[i]->text);
        at += n > 0 ? (size_t)n : 0;
    }
}

static void ambiguous(spk_bind *b, const spk_scope *scope, const spk_ast *name, size_t used)
{
    char text[200], names[600] = "[";
    size_t at = 1;
    show_name(name, text, sizeof text);
    for (size_t i = 0; i < scope->n && at + 100 < sizeof names; i++)
        if (matches(&scope->items[i], name) == used) {
            const spk_scope_item *item = &scope->items[i];
            const int n = item->table
                ? snprintf(names + at, sizeof names - at, "%s`%s`.`%s`", at > 1 ? ", " : "", item->table, item->name)
                : snprintf(names + at, sizeof names - at, "%s`%s`", at > 1 ? ", " : "", item->name);
            at += n > 0 ? (size_t)n : 0;
        }
    if (at + 1 < sizeof names) {
        names[at] = ']';
        names[at + 1] = '\0';
    }
    spk_sql_fail2(b->a->error, "AMBIGUOUS_REFERENCE", name->span, "name", text, "referenceNames", names);
}

/* of_alias: what stands in the select list under a name; *n: how many such expressions. */
static spk_sql_expr *of_alias(const spk_bind *b, const char *name, size_t *n)
{
    spk_sql_expr *found = NULL;
    *n = 0;
    for (size_t i = b->n_aliases; i-- > 0;)
        if (b->aliases[i].name && b->aliases[i].value && spk_names_same(b->aliases[i].name, name)
            && (!found || b->aliases[i].made || !spk_expr_same(found, b->aliases[i].value))) {
            found = found ? found : b->aliases[i].value;
            ++*n;
        }
    return found;
}

/* twice: several things have that name: HAVING and other items cannot mean one of them; ORDER BY finds none. */
static void twice(spk_bind *b, const spk_ast *name, size_t n)
{
    const char *said = spk_print(b->a, "`%s`", name->args.at[0]->text);
    if (strcmp(b->clause, "SELECT") == 0)
        spk_sql_fail2(b->a->error, "AMBIGUOUS_LATERAL_COLUMN_ALIAS", name->span, "name", said, "n",
            spk_print(b->a, "%zu", n));
    else if (strcmp(b->clause, "HAVING") == 0)
        spk_sql_fail2(b->a->error, "AMBIGUOUS_REFERENCE", name->span, "name", said, "referenceNames",
            spk_print(b->a, "[%s, %s]", said, said));
    else
        spk_sql_fail2(b->a->error, "UNRESOLVED_COLUMN.WITH_SUGGESTION", name->span, "objectName", said, "proposal",
            spk_print(b->a, "%s, %s", said, said));
}

static spk_sql_expr *of_scope(spk_bind *b, const spk_scope *scope, const spk_ast *name)
{
    const match found = look(scope, name);
    if (!found.item)
        return NULL;
    if (found.n > 1) {
        ambiguous(b, scope, name, found.used);
        return NULL;
    }
    spk_attr attr = found.item->attr;
    attr.name = name->args.at[found.used - 1]->text; /* as it is called here: t(x) is none of the attribute's */
    return fields(b, spk_attr_column(b->a, &attr, name->span), name, found.used);
}

static bool needs_no_parentheses(const char *name)
{
    static const char *const names[] = { "current_date", "current_timestamp", "localtimestamp", "current_user",
        "current_catalog", "current_database", "current_time", "user", "session_user" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (spk_names_same(names[i], name))
            return true;
    return false;
}

/* add_part: bytes of a part of a name, in which two backquotes are one. */
static void add_part(spk_analyzer *a, spk_ast *name, const char *text, size_t n, bool quoted)
{
    spk_ast *part = spk_arena_alloc(a->arena, sizeof *part, 16);
    char *own = spk_copy_text(a, text, n);
    size_t kept = 0;
    if (!part) {
        spk_sql_nomem(a->error);
        return;
    }
    for (size_t i = 0; own != a->none && i < n; i++, kept++) {
        own[kept] = own[i];
        i += quoted && own[i] == '`';
    }
    own[own == a->none ? 0 : kept] = '\0';
    *part = (spk_ast) { .kind = SPK_AST_NAME, .text = own, .span = name->span, .quoted = quoted };
    SPK_ADD(a, name->args.at, name->args.n, part);
}

bool spk_is_identifier(const spk_ast *call)
{
    return call->kind == SPK_AST_CALL && !call->infix && call->args.n == 1 && spk_names_same(call->name, "identifier");
}

const spk_ast *spk_identifier(spk_analyzer *a, const spk_ast *call)
{
    spk_bind b = { .a = a, .clause = "FROM" };
    spk_sql_expr *e = spk_bind_expr(&b, call->args.at[0]);
    spk_ast *name = spk_arena_alloc(a->arena, sizeof *name, 16);
    spk_sql_fold(&a->build, &e);
    if (!e || !name)
        return NULL;
    *name = (spk_ast) { .kind = SPK_AST_NAME, .span = call->span };
    const bool good = e->kind == SPK_SQL_CONSTANT && !e->null && e->type->kind == SPK_SQL_STRING;
    const spark_str *text = good ? e->value : NULL;
    const char *at = text ? text->ptr : "", *end = at + (text ? text->len : 0);
    while (at < end) {
        const bool quoted = *at == '`';
        const char *from = at += quoted;
        while (at < end && (quoted ? *at != '`' || (at + 1 < end && at[1] == '`' && ++at) : *at != '.'))
            at++;
        if (at == from || (quoted && at == end))
            break;
        add_part(a, name, from, (size_t)(at - from), quoted);
        at += quoted;
        if (at == end)
            return spk_sql_failed(a->error) ? NULL : name;
        if (*at++ != '.')
            break;
    }
    spk_sql_fail2(a->error, "NOT_A_CONSTANT_STRING", call->span, "name", "IDENTIFIER", "expr",
        spk_sql_expr_quoted(&a->build, e));
    return NULL;
}

/* LARGEST_ALIAS: nodes of an expression whose alias is named: aliases of aliases may double it with each. */
enum { LARGEST_ALIAS = 1 << 17 };

static spk_sql_expr *by_alias(spk_bind *b, spk_sql_expr *value, const spk_ast *name)
{
    if (spk_expr_size(value, LARGEST_ALIAS) < LARGEST_ALIAS)
        return fields(b, value, name, 1);
    spk_sql_unsupported(b->a->error, name->span, "an alias of so large an expression");
    return NULL;
}

spk_sql_expr *spk_bind_name(spk_bind *b, const spk_ast *name)
{
    spk_analyzer *a = b->a;
    const char *first = name->args.at[0]->text;
    size_t same;
    spk_sql_expr *found, *alias = of_alias(b, first, &same);
    if (name->args.n > 2 && spk_names_same(first, "spark_catalog")) {
        spk_ast rest = *name;
        rest.args = (spk_ast_list) { name->args.at + 1, name->args.n - 1 };
        return spk_bind_name(b, &rest);
    }
    for (const spk_lambda_env *l = b->lambdas; l; l = l->next)
        if (spk_names_same(l->name, first))
            return fields(b, l->variable, name, 1);
    if (b->aliases_first && !b->in_aggregate && same == 1
        && (name->args.n == 1 || alias->type->kind >= SPK_SQL_ARRAY))
        return by_alias(b, alias, name);
    if (b->scope && (found = of_scope(b, b->scope, name)))
        return found;
    if (spk_sql_failed(a->error))
        return NULL;
    if (same > 1)
        twice(b, name, same);
    if (alias)
        return same > 1 ? NULL : by_alias(b, alias, name);
    for (const spk_scope *s = b->scope ? b->scope->outer : NULL; s && !spk_sql_failed(a->error); s = s->outer)
        if ((found = of_scope(b, s, name)))
            return found;
    if (spk_sql_failed(a->error))
        return NULL;
    if (name->args.n == 1 && !name->args.at[0]->quoted && needs_no_parentheses(first))
        return spk_sql_call(&a->build, first, NULL, 0, name->span);
    if (name->args.n == 1 && b->grouping_id && spk_names_same(first, "grouping__id")) {
        const spk_ast call = { .kind = SPK_AST_CALL, .name = "grouping_id", .span = name->span };
        return spk_bind_call(b, &call);
    }
    char text[200];
    show_name(name, text, sizeof text);
    spk_unresolved(a, b->scope, text, name->span);
    return NULL;
}
