/* SPDX-License-Identifier: Apache-2.0 */
/* PIVOT (aggregates FOR columns IN (values)) and UNPIVOT (values FOR name IN (columns)) behind a relation. */
#include "base/small.h"

#include "sql/parse/parser.h"

bool spk_pivot_ahead(const spk_parser *p)
{
    const spk_token *next = spk_peek(p, 1);
    if (spk_is(p, "PIVOT"))
        return spk_is_sign(next, "(");
    return spk_is(p, "UNPIVOT")
        && (spk_is_sign(next, "(")
            || ((spk_is_word(next, "INCLUDE") || spk_is_word(next, "EXCLUDE")) && spk_is_word(spk_peek(p, 2), "NULLS")));
}

/* named: an expression and its alias, which FOR is none of. */
static spk_ast *named(spk_parser *p)
{
    const uint32_t from = spk_from(p);
    spk_ast *node = spk_expression(p);
    const bool as = spk_accept(p, "AS");
    if (!as && (spk_is(p, "FOR") || (!spk_is_name(p) && spk_peek(p, 0)->kind != SPK_TOKEN_STRING)))
        return node;
    spk_ast *alias = spk_node(p, SPK_AST_ALIAS, from);
    const char *name = spk_peek(p, 0)->kind == SPK_TOKEN_STRING ? spk_string(p) : spk_name(p);
    SPK_PUSH(p, alias->names, alias->n_names, name);
    spk_push(p, &alias->args, node);
    return spk_end(p, alias);
}

/* one_or_more: a, or (a, b). */
static void one_or_more(spk_parser *p, spk_ast_pivot *pivot)
{
    if (spk_at(p, "(")) {
        spk_names(p, &pivot->names, &pivot->n_names);
        return;
    }
    const char *name = spk_name(p);
    SPK_PUSH(p, pivot->names, pivot->n_names, name);
}

static void list(spk_parser *p, spk_ast_list *to)
{
    do
        spk_push(p, to, named(p));
    while (spk_accept_sign(p, ","));
}

spk_ast_relation *spk_pivot(spk_parser *p, spk_ast_relation *left)
{
    spk_ast_relation *r = spk_new(p, sizeof *r);
    spk_ast_pivot *pivot = spk_new(p, sizeof *pivot);
    if (!r || !pivot)
        return left;
    r->kind = SPK_REL_PIVOT;
    r->left = left;
    r->pivot = pivot;
    r->span.from = left->span.from;
    pivot->back = spk_is(p, "UNPIVOT");
    p->at++;
    if (pivot->back && !spk_at(p, "(")) {
        pivot->nulls = spk_is(p, "INCLUDE");
        p->at += 2;
    }
    spk_expect_sign(p, "(");
    if (!pivot->back)
        list(p, &pivot->aggregates);
    else
        one_or_more(p, pivot);
    spk_expect(p, "FOR");
    if (pivot->back)
        pivot->name = spk_name(p);
    else
        one_or_more(p, pivot);
    spk_expect(p, "IN");
    spk_expect_sign(p, "(");
    list(p, &pivot->values);
    spk_expect_sign(p, ")");
    spk_expect_sign(p, ")");
    if (spk_accept(p, "AS") || spk_alias_ahead(p, true)) {
        r->alias = spk_name(p);
        if (spk_at(p, "("))
            spk_names(p, &r->columns, &r->n_columns);
    }
    r->span.to = spk_to(p);
    return r;
}
