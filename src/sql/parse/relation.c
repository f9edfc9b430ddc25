/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in FROM: tables, queries, VALUES, functions, and their joins. */
#include "base/small.h"

#include "sql/parse/parser.h"

static void alias(spk_parser *p, spk_ast_relation *r)
{
    const bool as = spk_accept(p, "AS");
    if (!as && (!spk_alias_ahead(p, true) || spk_pivot_ahead(p)))
        return;
    if (as && spk_at(p, "(") && r->kind == SPK_REL_FUNCTION) {
        spk_names(p, &r->columns, &r->n_columns);
        return;
    }
    r->alias = spk_name(p);
    if (spk_at(p, "("))
        spk_names(p, &r->columns, &r->n_columns);
}

void spk_sample(spk_parser *p, spk_ast_relation *r)
{
    if (!spk_is(p, "TABLESAMPLE") || !spk_is_sign(spk_peek(p, 1), "("))
        return;
    p->at += 2;
    r->sample = spk_value(p);
    r->sample_rows = spk_is(p, "ROWS");
    if (!spk_accept(p, "ROWS"))
        spk_expect(p, "PERCENT");
    spk_expect_sign(p, ")");
    if (spk_accept(p, "REPEATABLE")) {
        spk_expect_sign(p, "(");
        const spk_token *t = spk_peek(p, 0);
        if (t->kind == SPK_TOKEN_NUMBER) {
            p->at++;
            r->seeded = true;
            for (uint32_t i = 0; i < t->len && i < 18 && t->text[i] >= '0' && t->text[i] <= '9'; i++)
                r->seed = r->seed * 10 + (t->text[i] - '0');
        } else {
            spk_syntax(p);
        }
        spk_expect_sign(p, ")");
    }
}

static void values(spk_parser *p, spk_ast_relation *r)
{
    r->kind = SPK_REL_VALUES;
    p->at++;
    do
        spk_push(p, &r->rows, spk_expression(p));
    while (spk_accept_sign(p, ","));
}

static void table_or_function(spk_parser *p, spk_ast_relation *r)
{
    r->kind = SPK_REL_TABLE;
    const size_t start = p->at;
    r->name = spk_qualified(p);
    if (!spk_at(p, "("))
        return;
    p->at = start;
    r->kind = SPK_REL_FUNCTION;
    r->call = spk_primary(p);
}

/* primary: one relation with its alias. */
static spk_ast_relation *primary(spk_parser *p)
{
    spk_ast_relation *r = spk_new(p, sizeof *r);
    if (!r || !spk_deeper(p))
        return r;
    r->span.from = spk_from(p);
    if (spk_is(p, "LATERAL") && !spk_is_word(spk_peek(p, 1), "VIEW")) {
        p->at++;
        r->lateral = true;
    }
    if (spk_query_ahead(p, p->at)) {
        r->kind = SPK_REL_QUERY;
        r->query = spk_query_in(p);
    } else if (spk_at(p, "(")) {
        const bool lateral = r->lateral;
        p->at++;
        spk_ast_relation *inner = spk_relation(p);
        if (inner && !spk_at(p, ")")) { /* (a, b) */
            spk_syntax(p);
        }
        spk_expect_sign(p, ")");
        if (inner && inner->kind != SPK_REL_JOIN && !inner->alias)
            *r = *inner;
        else
            *r = (spk_ast_relation) { .kind = SPK_REL_JOIN, .left = inner, .span = r->span };
        r->lateral |= lateral;
    } else if (spk_is(p, "VALUES") && !spk_is_sign(spk_peek(p, 1), ",")
        && spk_peek(p, 1)->kind != SPK_TOKEN_END && !spk_is_sign(spk_peek(p, 1), ")")) {
        values(p, r);
    } else {
        table_or_function(p, r);
    }
    spk_sample(p, r);
    alias(p, r);
    spk_sample(p, r);
    r->span.to = spk_to(p);
    p->depth--;
    return r;
}

/* join_kind: past the words of a join; false: there is none. */
static bool join_kind(spk_parser *p, spk_ast_relation *join)
{
    const size_t start = p->at;
    static const struct {
        const char *word;
        spk_ast_join kind;
    } kinds[] = { { "INNER", SPK_AST_INNER }, { "CROSS", SPK_AST_CROSS }, { "SEMI", SPK_AST_SEMI },
        { "ANTI", SPK_AST_ANTI }, { "RIGHT", SPK_AST_RIGHT }, { "FULL", SPK_AST_FULL } };
    join->natural = spk_accept(p, "NATURAL");
    join->join = SPK_AST_INNER;
    if (spk_accept(p, "LEFT")) {
        join->join = SPK_AST_LEFT;
        if (spk_accept(p, "SEMI"))
            join->join = SPK_AST_SEMI;
        else if (spk_accept(p, "ANTI"))
            join->join = SPK_AST_ANTI;
    } else {
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
            if (spk_accept(p, kinds[i].word)) {
                join->join = kinds[i].kind;
                break;
            }
    }
    if (join->join == SPK_AST_LEFT || join->join == SPK_AST_RIGHT || join->join == SPK_AST_FULL)
        spk_accept(p, "OUTER");
    if (spk_accept(p, "JOIN"))
        return true;
    p->at = start;
    return false;
}

spk_ast_relation *spk_relation(spk_parser *p)
{
    return spk_joins(p, primary(p));
}

spk_ast_relation *spk_joins(spk_parser *p, spk_ast_relation *left)
{
    for (int links = 0; left; links++) {
        spk_ast_relation join;
        memset(&join, 0, sizeof join);
        if (spk_pivot_ahead(p) && links < SPK_SQL_DEPTH / 4) {
            left = spk_pivot(p, left);
            continue;
        }
        if (!join_kind(p, &join))
            return left;
        if (links == SPK_SQL_DEPTH * 4) {
            spk_syntax(p);
            return left;
        }
        spk_ast_relation *made = spk_new(p, sizeof *made);
        if (!made)
            return left;
        *made = join;
        made->kind = SPK_REL_JOIN;
        made->explicit_join = true;
        made->left = left;
        made->right = primary(p);
        made->lateral = made->right && made->right->lateral;
        if (spk_accept(p, "ON"))
            made->on = spk_expression(p);
        else if (spk_is(p, "USING") && spk_is_sign(spk_peek(p, 1), "(")) {
            p->at++;
            spk_names(p, &made->using_names, &made->n_using);
        }
        made->span = (spk_sql_span) { left->span.from, spk_to(p) };
        left = made;
    }
    return left;
}
