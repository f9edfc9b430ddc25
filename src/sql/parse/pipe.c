/* SPDX-License-Identifier: Apache-2.0 */
/* Pipes: query |> WHERE .. |> SELECT ..: each operator is a query over the one in front of it. */
#include "base/small.h"

#include "sql/parse/parser.h"

static spk_ast_query *new_query(spk_parser *p, const spk_ast_query *in)
{
    spk_ast_query *query = spk_new(p, sizeof *query);
    spk_ast_term *term = spk_new(p, sizeof *term);
    spk_ast_select *select = spk_new(p, sizeof *select);
    spk_ast_relation *from = spk_new(p, sizeof *from);
    if (!query || !term || !select || !from)
        return NULL;
    *from = (spk_ast_relation) { .kind = SPK_REL_QUERY, .query = (spk_ast_query *)(uintptr_t)in, .span = in->span };
    select->from = from;
    select->span = term->span = query->span = (spk_sql_span) { in->span.from, spk_to(p) };
    term->kind = SPK_TERM_SELECT;
    term->select = select;
    query->term = term;
    return query;
}

static spk_ast *star(spk_parser *p)
{
    return spk_node(p, SPK_AST_STAR, spk_from(p));
}

/* all: every column, which keeps the table it is of. */
static spk_ast_select *all(spk_parser *p, spk_ast_query *query)
{
    spk_ast_select *select = query->term->select;
    select->keep_names = true;
    spk_push(p, &select->items, star(p));
    return select;
}

static void items(spk_parser *p, spk_ast_select *select)
{
    do
        spk_push(p, &select->items, spk_item(p));
    while (spk_accept_sign(p, ","));
}

/* set: SET x = e, y = f: one query for each, so that the next one sees it. */
static spk_ast_query *set(spk_parser *p, spk_ast_query *in)
{
    do {
        spk_ast_query *query = new_query(p, in);
        if (!query)
            return NULL;
        spk_ast_select *select = all(p, query);
        spk_ast *alias = spk_node(p, SPK_AST_ALIAS, spk_from(p));
        const spk_ast *name = spk_qualified(p);
        if (name->args.n > 1)
            spk_wrong(p, "UNSUPPORTED_FEATURE.SET_PIPE_OPERATOR_WITH_DOT", name->span);
        const char *text = name->args.n ? name->args.at[0]->text : "";
        SPK_PUSH(p, alias->names, alias->n_names, text);
        spk_expect_sign(p, "=");
        spk_push(p, &alias->args, spk_expression(p));
        select->replaced = spk_end(p, alias);
        select->pipe = "SET";
        in = query;
    } while (spk_accept_sign(p, ","));
    return in;
}

static void drop(spk_parser *p, spk_ast_select *select)
{
    spk_ast *left_out = select->items.n ? select->items.at[0] : NULL;
    if (!left_out)
        return;
    left_out->span.from = select->span.from; /* it has no qualifier, which would begin where it does */
    do
        spk_push(p, &left_out->args, spk_qualified(p));
    while (spk_accept_sign(p, ","));
    left_out->n_names = 1; /* as EXCEPT has it */
    (void)spk_end(p, left_out);
}

/* aggregate: AGGREGATE [items] [GROUP BY items]: keys come first. */
static void aggregate(spk_parser *p, spk_ast_select *select)
{
    spk_ast_list aggregates = { NULL, 0 };
    if (!spk_is2(p, "GROUP", "BY"))
        do
            spk_push(p, &aggregates, spk_item(p));
        while (spk_accept_sign(p, ","));
    select->pipe = "AGGREGATE";
    if (spk_is2(p, "GROUP", "BY")) {
        p->at += 2;
        select->grouped = true;
        do {
            spk_ast_group group;
            memset(&group, 0, sizeof group);
            spk_ast *item = spk_item(p);
            group.expression = item->kind == SPK_AST_ALIAS ? item->args.at[0] : item;
            group.span = item->span;
            SPK_PUSH(p, select->groups, select->n_groups, group);
            spk_push(p, &select->items, item);
        } while (spk_accept_sign(p, ","));
    }
    for (size_t i = 0; i < aggregates.n; i++)
        spk_push(p, &select->items, aggregates.at[i]);
}

/* both: UNION, EXCEPT, INTERSECT with what stands behind. */
static spk_ast_query *both(spk_parser *p, spk_ast_query *in)
{
    spk_ast_query *query = new_query(p, in);
    spk_ast_term *left = spk_new(p, sizeof *left), *made = spk_new(p, sizeof *made);
    if (!query || !left || !made)
        return NULL;
    made->kind = spk_is(p, "UNION") ? SPK_TERM_UNION : spk_is(p, "INTERSECT") ? SPK_TERM_INTERSECT : SPK_TERM_EXCEPT;
    p->at++;
    made->all = spk_accept(p, "ALL");
    if (!made->all)
        spk_accept(p, "DISTINCT");
    *left = (spk_ast_term) { .kind = SPK_TERM_QUERY, .query = in, .span = in->span };
    made->left = left;
    made->right = spk_primary_term(p);
    made->span = (spk_sql_span) { in->span.from, spk_to(p) };
    query->term = made;
    return query;
}

static bool sorts(const spk_parser *p)
{
    return spk_is2(p, "ORDER", "BY") || spk_is2(p, "SORT", "BY") || spk_is2(p, "CLUSTER", "BY")
        || spk_is2(p, "DISTRIBUTE", "BY") || spk_is(p, "LIMIT") || spk_is(p, "OFFSET");
}

static void operation(spk_parser *p, spk_ast_query *query)
{
    spk_ast_select *select = query->term->select;
    if (spk_accept(p, "SELECT")) {
        select->pipe = "SELECT";
        if (spk_accept(p, "DISTINCT"))
            select->distinct = true;
        else
            spk_accept(p, "ALL");
        items(p, select);
    } else if (spk_accept(p, "EXTEND")) {
        all(p, query)->pipe = "EXTEND";
        items(p, select);
    } else if (spk_accept(p, "DROP")) {
        drop(p, all(p, query));
    } else if (spk_accept(p, "AS")) {
        (void)all(p, query);
        select->from->alias = spk_name(p);
    } else if (spk_accept(p, "WHERE")) {
        all(p, query)->pipe = "WHERE";
        select->where = spk_expression(p);
    } else if (spk_accept(p, "AGGREGATE")) {
        aggregate(p, select);
    } else if (sorts(p)) {
        (void)all(p, query);
        spk_query_tail(p, query);
    } else if (spk_is(p, "TABLESAMPLE")) {
        (void)all(p, query);
        spk_sample(p, select->from);
    } else {
        (void)all(p, query);
        spk_ast_relation *joined = spk_joins(p, select->from);
        if (joined == select->from)
            spk_syntax(p);
        select->from = joined;
    }
}

spk_ast_query *spk_piped(spk_parser *p, spk_ast_query *in)
{
    for (int links = 0; in && spk_at(p, "|>"); links++) {
        if (links == SPK_SQL_DEPTH / 4) {
            spk_syntax(p);
            return in;
        }
        p->at++;
        if (spk_is(p, "UNION") || spk_is(p, "EXCEPT") || spk_is(p, "MINUS") || spk_is(p, "INTERSECT")) {
            in = both(p, in);
        } else if (spk_accept(p, "SET")) {
            in = set(p, in);
        } else {
            spk_ast_query *query = new_query(p, in);
            if (query)
                operation(p, query);
            in = query;
        }
        if (in)
            in->span.to = spk_to(p);
    }
    return in ? in : &p->spare_query;
}
