/* SPDX-License-Identifier: Apache-2.0 */
/* What the items of a select list are called. */
#include "base/small.h"

#include "sql/plan/select.h"

const char *spk_item_name(selecting *s, const item *it)
{
    const spk_ast *ast = it->ast;
    const spk_sql_expr *e = it->bound;
    if (ast->kind == SPK_AST_CAST && ast->args.at[0]->kind == SPK_AST_NAME) {
        const spk_sql_expr *inner = e->args[0];
        if (inner->kind != SPK_SQL_CALL || strcmp(inner->function->name, ".") != 0) /* no field of a struct */
            ast = ast->args.at[0];
    }
    const char *last = ast->kind == SPK_AST_NAME ? ast->args.at[ast->args.n - 1]->text : NULL;
    const bool called = last && e->kind == SPK_SQL_CALL && e->n == 0 && spk_names_same(e->name, last);
    return last && !called ? last : spk_expr_name(s->a, e);
}

bool spk_item_of_column(const selecting *s, const char *name)
{
    for (size_t i = 0; i < s->n_items; i++)
        if (s->items[i].name && (!s->items[i].ast || s->items[i].ast->kind == SPK_AST_NAME)
            && spk_names_same(s->items[i].name, name))
            return true;
    return false;
}

void spk_trailing_comma(spk_analyzer *a, const spk_ast_select *select)
{
    const spk_ast_list *list = &select->items;
    const spk_ast *last = !select->from && list->n > 1 ? list->at[list->n - 1] : NULL;
    if (last && last->kind == SPK_AST_ALIAS)
        last = last->args.at[0];
    if (last && last->kind == SPK_AST_NAME && last->args.n == 1 && !last->args.at[0]->quoted
        && spk_names_same(last->args.at[0]->text, "from"))
        spk_sql_fail(a->error, "TRAILING_COMMA_IN_SELECT", last->span);
}
