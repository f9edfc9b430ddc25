/* SPDX-License-Identifier: Apache-2.0 */
/* Columns that are not found, with the nearest names that there are. */
#include "base/small.h"

#include "sql/eval/text.h"
#include "sql/plan/select.h"

/* same_table: whether all columns are of one, so that its name says nothing. */
static bool same_table(const spk_scope *scope)
{
    const char *table = NULL;
    for (size_t i = 0, n = 0; i < scope->n; i++) {
        const char *other = scope->items[i].table;
        if (scope->items[i].hidden)
            continue;
        if (n++ && (!other || !table ? other != table : !spk_names_same(other, table)))
            return false;
        table = other;
    }
    return true;
}

/* nearest: the k-th by the distance of its name, then by its place; *last, *at: those of the one before. NULL: there
 * are no more. */
static const spk_scope_item *nearest(const spk_scope *scope, const char *wanted, int k, size_t *last, size_t *at)
{
    size_t best = SIZE_MAX, index = 0;
    for (size_t i = 0; scope && i < scope->n; i++) {
        const size_t d = spk_name_distance(scope->items[i].name, wanted);
        const bool behind = k == 0 || d > *last || (d == *last && i > *at);
        if (behind && d < best && !scope->items[i].hidden) {
            best = d;
            index = i;
        }
    }
    *last = best;
    *at = index;
    return best == SIZE_MAX ? NULL : &scope->items[index];
}

static void put_name(spk_text *out, const char *name)
{
    spk_text_char(out, '`');
    spk_text_put(out, name);
    spk_text_char(out, '`');
}

void spk_unresolved(spk_analyzer *a, const spk_scope *scope, const char *name, spk_sql_span span)
{
    const char *wanted = name + 1; /* the last part */
    for (const char *dot = name; (dot = strstr(dot, "`.`")) != NULL; dot++)
        wanted = dot + 3;
    const bool alone = wanted == name + 1 && scope && same_table(scope);
    wanted = spk_print(a, "%.*s", (int)strlen(wanted) - 1, wanted);
    spk_text out = spk_text_new(a->arena);
    const spk_scope_item *column;
    size_t last = 0, at = 0;
    for (int k = 0; k < 5 && (column = nearest(scope, wanted, k, &last, &at)); k++) {
        spk_text_put(&out, k ? ", " : "");
        if (column->table && !alone) {
            put_name(&out, column->table);
            spk_text_char(&out, '.');
        }
        put_name(&out, column->name);
    }
    if (spk_text_end(&out) && !out.failed)
        spk_sql_fail2(a->error, "UNRESOLVED_COLUMN.WITH_SUGGESTION", span, "objectName", name, "proposal", out.at);
    else
        spk_sql_fail1(a->error, "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", span, "objectName", name);
}

void spk_unresolved_at(spk_analyzer *a, const spk_scope *scope, spk_sql_span span)
{
    spk_text out = spk_text_new(a->arena);
    spk_text_char(&out, '`');
    for (uint32_t i = span.from; i < span.to; i++)
        if (a->text[i] == '.')
            spk_text_put(&out, "`.`");
        else if (a->text[i] != '`')
            spk_text_char(&out, a->text[i]);
    spk_text_char(&out, '`');
    spk_text_end(&out);
    spk_unresolved(a, scope, out.failed ? "``" : out.at, span);
}

void spk_unresolved_behind(selecting *s, spk_sql_span span)
{
    spk_scope shown = { .outer = NULL };
    for (size_t i = 0; i < s->n_items; i++) {
        const item *it = &s->items[i];
        spk_scope_item made = { .name = it->name };
        for (size_t k = 0; it->bound && it->bound->kind == SPK_SQL_COLUMN && k < s->in.scope.n; k++) {
            const spk_scope_item *c = &s->in.scope.items[k];
            if (c->attr.id == it->bound->column && spk_names_same(c->name, it->name))
                made.table = c->table;
        }
        SPK_ADD(s->a, shown.items, shown.n, made);
    }
    spk_unresolved_at(s->a, &shown, span);
}

void spk_unresolved_star(selecting *s, const spk_ast *star)
{
    const spk_ast *name = star->args.at[0];
    spk_text what = spk_text_new(s->a->arena), columns = spk_text_new(s->a->arena);
    for (size_t i = 0; i < name->args.n; i++) {
        spk_text_put(&what, i ? "." : "");
        put_name(&what, name->args.at[i]->text);
    }
    for (size_t i = 0; i < s->in.scope.n; i++) {
        if (s->in.scope.items[i].hidden)
            continue;
        spk_text_put(&columns, columns.n ? ", " : "");
        put_name(&columns, s->in.scope.items[i].name);
    }
    spk_text_end(&what);
    spk_text_end(&columns);
    spk_sql_fail2(s->a->error, "CANNOT_RESOLVE_STAR_EXPAND", star->span, "targetString", what.failed ? "" : what.at,
        "columns", columns.failed ? "" : columns.at);
}
