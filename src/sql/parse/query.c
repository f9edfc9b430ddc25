/* SPDX-License-Identifier: Apache-2.0 */
/* Queries: WITH, SELECT, set operations, ORDER BY, LIMIT. */
#include "base/small.h"

#include "sql/parse/parser.h"

/* spk_item: an expression and its alias, or a star and what it leaves out. */
spk_ast *spk_item(spk_parser *p)
{
    const uint32_t from = spk_from(p);
    spk_ast *node = spk_expression(p);
    const bool as = spk_accept(p, "AS");
    if (node->kind == SPK_AST_STAR && !as) {
        if (spk_is(p, "EXCEPT") && spk_is_sign(spk_peek(p, 1), "(") && !spk_query_ahead(p, p->at + 1)) {
            p->at += 2;
            do
                spk_push(p, &node->args, spk_qualified(p)); /* behind the qualifier, if there is one */
            while (spk_accept_sign(p, ","));
            node->n_names = 1; /* EXCEPT was said */
            spk_expect_sign(p, ")");
        }
        return node;
    }
    if (as && spk_at(p, "(")) {
        spk_ast *alias = spk_node(p, SPK_AST_ALIAS, from);
        spk_names(p, &alias->names, &alias->n_names);
        spk_push(p, &alias->args, node);
        return spk_end(p, alias);
    }
    if (!as && !spk_alias_ahead(p, false))
        return node;
    spk_ast *alias = spk_node(p, SPK_AST_ALIAS, from);
    const char *name = spk_name(p);
    SPK_PUSH(p, alias->names, alias->n_names, name);
    spk_push(p, &alias->args, node);
    return spk_end(p, alias);
}

void spk_sort_items(spk_parser *p, spk_ast_sort **items, size_t *n)
{
    do {
        spk_ast_sort item = { .expression = spk_expression(p) };
        item.descending = spk_accept(p, "DESC");
        if (!item.descending)
            spk_accept(p, "ASC");
        item.nulls_last = item.descending;
        if (spk_is2(p, "NULLS", "FIRST") || spk_is2(p, "NULLS", "LAST")) {
            item.nulls_last = spk_is_word(spk_peek(p, 1), "LAST");
            item.said = true;
            p->at += 2;
        }
        SPK_PUSH(p, *items, *n, item);
    } while (spk_accept_sign(p, ","));
}

static void bound(spk_parser *p, spk_ast_bound_kind *kind, spk_ast **offset)
{
    if (spk_is2(p, "UNBOUNDED", "PRECEDING") || spk_is2(p, "UNBOUNDED", "FOLLOWING")) {
        *kind = spk_is_word(spk_peek(p, 1), "PRECEDING") ? SPK_BOUND_UNBOUNDED_PRECEDING
                                                        : SPK_BOUND_UNBOUNDED_FOLLOWING;
        p->at += 2;
    } else if (spk_is2(p, "CURRENT", "ROW")) {
        *kind = SPK_BOUND_CURRENT;
        p->at += 2;
    } else {
        *offset = spk_value(p);
        *kind = spk_is(p, "PRECEDING") ? SPK_BOUND_PRECEDING : SPK_BOUND_FOLLOWING;
        if (!spk_accept(p, "PRECEDING"))
            spk_expect(p, "FOLLOWING");
    }
}

static void frame(spk_parser *p, spk_ast_window *window)
{
    window->framed = true;
    window->rows = spk_is(p, "ROWS");
    p->at++;
    if (spk_accept(p, "BETWEEN")) {
        bound(p, &window->from, &window->from_offset);
        spk_expect(p, "AND");
        bound(p, &window->to, &window->to_offset);
    } else {
        bound(p, &window->from, &window->from_offset);
        window->to = SPK_BOUND_CURRENT;
    }
}

void spk_window(spk_parser *p, spk_ast_window *window)
{
    window->span.from = spk_from(p);
    if (!spk_at(p, "(")) {
        window->name = spk_name(p);
        window->span.to = spk_to(p);
        return;
    }
    p->at++;
    if (spk_is_name(p) && spk_is_sign(spk_peek(p, 1), ")"))
        window->name = spk_name(p);
    if (spk_is2(p, "PARTITION", "BY") || spk_is2(p, "DISTRIBUTE", "BY") || spk_is2(p, "CLUSTER", "BY")) {
        p->at += 2;
        spk_expressions(p, &window->partition);
    }
    if (spk_is2(p, "ORDER", "BY") || spk_is2(p, "SORT", "BY")) {
        p->at += 2;
        spk_sort_items(p, &window->order, &window->n_order);
    }
    if (spk_is(p, "ROWS") || spk_is(p, "RANGE"))
        frame(p, window);
    spk_expect_sign(p, ")");
    window->span.to = spk_to(p);
}

/* ---- GROUP BY */

/* set: (a, b), () or a. */
static spk_ast_list set(spk_parser *p)
{
    spk_ast_list list = { NULL, 0 };
    if (!spk_at(p, "(") || spk_query_ahead(p, p->at)) {
        spk_push(p, &list, spk_expression(p));
        return list;
    }
    spk_ast *row = spk_is_sign(spk_peek(p, 1), ")") ? NULL : spk_expression(p);
    if (!row)
        p->at += 2;
    else if (row->kind == SPK_AST_ROW)
        list = row->args;
    else
        spk_push(p, &list, row);
    return list;
}

static void sets(spk_parser *p, spk_ast_group *group);

static bool makes_sets(const spk_parser *p)
{
    return ((spk_is(p, "ROLLUP") || spk_is(p, "CUBE")) && spk_is_sign(spk_peek(p, 1), "("))
        || (spk_is2(p, "GROUPING", "SETS") && spk_is_sign(spk_peek(p, 2), "("));
}

static void group_item(spk_parser *p, spk_ast_group *group)
{
    group->span.from = spk_from(p);
    if (makes_sets(p)) {
        group->kind = spk_is(p, "ROLLUP") ? SPK_GROUP_ROLLUP : spk_is(p, "CUBE") ? SPK_GROUP_CUBE : SPK_GROUP_SETS;
        p->at += group->kind == SPK_GROUP_SETS ? 2 : 1;
        if (spk_deeper(p))
            sets(p, group);
        p->depth--;
    } else {
        group->expression = spk_expression(p);
    }
    group->span.to = spk_to(p);
}

static void sets(spk_parser *p, spk_ast_group *group)
{
    spk_expect_sign(p, "(");
    do {
        if (group->kind == SPK_GROUP_SETS && makes_sets(p)) {
            spk_ast_group item;
            memset(&item, 0, sizeof item);
            group_item(p, &item);
            SPK_PUSH(p, group->nested, group->n_nested, item);
        } else {
            const spk_ast_list list = set(p);
            SPK_PUSH(p, group->sets, group->n_sets, list);
        }
    } while (spk_accept_sign(p, ","));
    spk_expect_sign(p, ")");
}

/* with_sets: GROUP BY a, b WITH ROLLUP, or GROUPING SETS (..) behind the list. */
static void with_sets(spk_parser *p, spk_ast_select *select)
{
    const bool rollup = spk_is2(p, "WITH", "ROLLUP"), cube = spk_is2(p, "WITH", "CUBE");
    spk_ast_group group;
    if (!rollup && !cube && !spk_is2(p, "GROUPING", "SETS"))
        return;
    memset(&group, 0, sizeof group);
    if (rollup || cube) {
        group.kind = rollup ? SPK_GROUP_ROLLUP : SPK_GROUP_CUBE;
        for (size_t i = 0; i < select->n_groups; i++) {
            spk_ast_list one = { NULL, 0 };
            if (select->groups[i].expression)
                spk_push(p, &one, select->groups[i].expression);
            SPK_PUSH(p, group.sets, group.n_sets, one);
        }
        p->at += 2;
        select->n_groups = 0;
        select->groups = NULL;
        SPK_PUSH(p, select->groups, select->n_groups, group);
        return;
    }
    for (size_t i = 0; i < select->n_groups; i++)
        if (select->groups[i].expression)
            spk_push(p, &group.listed, select->groups[i].expression);
    group_item(p, &group);
    select->n_groups = 0;
    select->groups = NULL;
    SPK_PUSH(p, select->groups, select->n_groups, group);
}

static void group_by(spk_parser *p, spk_ast_select *select)
{
    select->grouped = true;
    p->at += 2;
    if (spk_is(p, "ALL") && !spk_is_sign(spk_peek(p, 1), ",") && !spk_is_sign(spk_peek(p, 1), "(")) {
        p->at++;
        select->group_all = true;
        return;
    }
    do {
        spk_ast_group group;
        memset(&group, 0, sizeof group);
        group_item(p, &group);
        SPK_PUSH(p, select->groups, select->n_groups, group);
    } while (spk_accept_sign(p, ","));
    with_sets(p, select);
}

/* ---- SELECT */

static void lateral_views(spk_parser *p, spk_ast_select *select)
{
    while (spk_is2(p, "LATERAL", "VIEW")) {
        spk_ast_relation *view = spk_new(p, sizeof *view);
        if (!view)
            return;
        view->span.from = spk_from(p);
        view->kind = SPK_REL_VIEW;
        p->at += 2;
        view->outer = spk_accept(p, "OUTER");
        view->call = spk_primary(p);
        if (spk_is_name(p) && !spk_is(p, "AS") && !spk_clause_ahead(p))
            view->alias = spk_name(p);
        if (spk_accept(p, "AS") || (view->alias && spk_is_name(p) && !spk_clause_ahead(p)))
            do {
                const char *name = spk_name(p);
                SPK_PUSH(p, view->columns, view->n_columns, name);
            } while (spk_accept_sign(p, ","));
        view->left = select->from;
        view->span.to = spk_to(p);
        select->from = view;
    }
}

static void from(spk_parser *p, spk_ast_select *select)
{
    do {
        spk_ast_relation *right = spk_relation(p);
        if (!select->from) {
            select->from = right;
            continue;
        }
        spk_ast_relation *join = spk_new(p, sizeof *join);
        if (!join)
            return;
        *join = (spk_ast_relation) { .kind = SPK_REL_JOIN,
            .left = select->from,
            .right = right,
            .join = SPK_AST_INNER,
            .lateral = right && right->lateral,
            .span = { select->from->span.from, spk_to(p) } };
        select->from = join;
    } while (spk_accept_sign(p, ","));
    lateral_views(p, select);
}

static void windows(spk_parser *p, spk_ast_select *select)
{
    do {
        spk_ast_window window;
        memset(&window, 0, sizeof window);
        const char *name = spk_name(p);
        spk_expect(p, "AS");
        spk_window(p, &window);
        window.name = name;
        SPK_PUSH(p, select->windows, select->n_windows, window);
    } while (spk_accept_sign(p, ","));
}

static void clauses(spk_parser *p, spk_ast_select *select)
{
    if (!select->from && spk_accept(p, "FROM"))
        from(p, select);
    else
        lateral_views(p, select);
    if (spk_accept(p, "WHERE"))
        select->where = spk_expression(p);
    if (spk_is2(p, "GROUP", "BY"))
        group_by(p, select);
    if (spk_accept(p, "HAVING"))
        select->having = spk_expression(p);
    if (spk_accept(p, "QUALIFY"))
        select->qualify = spk_expression(p);
    if (spk_is(p, "WINDOW")) {
        p->at++;
        windows(p, select);
    }
}

/* hints: any number of them, each a name, and perhaps what it is about. */
static void hints(spk_parser *p, spk_ast_select *select)
{
    while (spk_accept_sign(p, "/*+")) {
        do {
            spk_ast_hint hint = { .name = spk_name(p) };
            if (spk_accept_sign(p, "(")) {
                do
                    spk_push(p, &hint.args, spk_primary(p));
                while (spk_accept_sign(p, ","));
                spk_expect_sign(p, ")");
            }
            SPK_PUSH(p, select->hints, select->n_hints, hint);
        } while (spk_accept_sign(p, ",") || spk_is_name(p));
        spk_expect_sign(p, "*/");
    }
}

static void select_items(spk_parser *p, spk_ast_select *select)
{
    spk_expect(p, "SELECT");
    hints(p, select);
    const spk_token *next = spk_peek(p, 1);
    if (spk_is(p, "DISTINCT") && !spk_is_sign(next, ",") && next->kind != SPK_TOKEN_END) {
        p->at++;
        select->distinct = true;
    } else if (spk_is(p, "ALL") && !spk_is_sign(next, ",") && next->kind != SPK_TOKEN_END) {
        p->at++;
    }
    do
        spk_push(p, &select->items, spk_item(p));
    while (spk_accept_sign(p, ","));
}

static spk_ast_term *new_term(spk_parser *p, spk_ast_term_kind kind, uint32_t from)
{
    spk_ast_term *term = spk_new(p, sizeof *term);
    if (term) {
        term->kind = kind;
        term->span = (spk_sql_span) { from, spk_to(p) };
    }
    return term;
}

static spk_ast_term *select_term(spk_parser *p)
{
    spk_ast_term *term = new_term(p, SPK_TERM_SELECT, spk_from(p));
    spk_ast_select *select = spk_new(p, sizeof *select);
    if (!term || !select)
        return NULL;
    select->span.from = spk_from(p);
    if (spk_accept(p, "FROM"))
        from(p, select);
    if (select->from && !spk_is(p, "SELECT")) { /* FROM t, FROM t |> .. */
        select->keep_names = true;
        spk_push(p, &select->items, spk_node(p, SPK_AST_STAR, spk_from(p)));
    } else {
        select_items(p, select);
        clauses(p, select);
    }
    select->span.to = term->span.to = spk_to(p);
    term->select = select;
    return term;
}

spk_ast_term *spk_primary_term(spk_parser *p)
{
    const uint32_t start = spk_from(p);
    if (spk_at(p, "(")) {
        spk_ast_term *term = new_term(p, SPK_TERM_QUERY, start);
        if (!term)
            return NULL;
        term->query = spk_query_in(p);
        term->span.to = spk_to(p);
        return term;
    }
    if (spk_is(p, "VALUES") || spk_is(p, "TABLE")) {
        spk_ast_term *term = new_term(p, SPK_TERM_RELATION, start);
        if (!term)
            return NULL;
        spk_accept(p, "TABLE");
        term->relation = spk_relation(p);
        term->span.to = spk_to(p);
        return term;
    }
    if (spk_is(p, "SELECT") || spk_is(p, "FROM"))
        return select_term(p);
    spk_syntax(p);
    return NULL;
}

static spk_ast_term *both(spk_parser *p, spk_ast_term_kind kind, spk_ast_term *left, bool all,
    spk_ast_term *right)
{
    if (!left || !right)
        return NULL;
    spk_ast_term *term = new_term(p, kind, left->span.from);
    if (term) {
        term->left = left;
        term->right = right;
        term->all = all;
    }
    return term;
}

static bool is_all(spk_parser *p)
{
    const bool all = spk_accept(p, "ALL");
    if (!all)
        spk_accept(p, "DISTINCT");
    return all;
}

static spk_ast_term *intersect_term(spk_parser *p)
{
    spk_ast_term *left = spk_primary_term(p);
    while (spk_is(p, "INTERSECT") && left) {
        p->at++;
        const bool all = is_all(p);
        left = both(p, SPK_TERM_INTERSECT, left, all, spk_primary_term(p));
    }
    return left;
}

/* term: a chain of set operations is a tree as deep as it is long. */
static spk_ast_term *term(spk_parser *p)
{
    spk_ast_term *left = intersect_term(p);
    for (int links = 0; left && (spk_is(p, "UNION") || spk_is(p, "EXCEPT") || spk_is(p, "MINUS")); links++) {
        const bool is_union = spk_is(p, "UNION");
        if (links == SPK_SQL_DEPTH * 4) {
            spk_syntax(p);
            return NULL;
        }
        p->at++;
        const bool all = is_all(p);
        left = both(p, is_union ? SPK_TERM_UNION : SPK_TERM_EXCEPT, left, all, intersect_term(p));
    }
    return left;
}

static void ctes(spk_parser *p, spk_ast_query *query)
{
    query->recursive = spk_accept(p, "RECURSIVE");
    do {
        spk_ast_cte cte;
        memset(&cte, 0, sizeof cte);
        cte.span.from = spk_from(p);
        cte.name = spk_name(p);
        if (spk_at(p, "(") && !spk_query_ahead(p, p->at))
            spk_names(p, &cte.columns, &cte.n_columns);
        if (spk_is2(p, "MAX", "RECURSION")) {
            p->at += 3;
            cte.levels = spk_primary(p);
        }
        spk_accept(p, "AS");
        cte.query = spk_query_in(p);
        cte.span.to = spk_to(p);
        SPK_PUSH(p, query->ctes, query->n_ctes, cte);
    } while (spk_accept_sign(p, ","));
}

static void order_by(spk_parser *p, spk_ast_query *query)
{
    query->sort_only = spk_is(p, "SORT");
    p->at += 2;
    const spk_token *next = spk_peek(p, 1);
    if (spk_is(p, "ALL") && !spk_is_sign(next, ",") && !spk_is_sign(next, ".")) {
        p->at++;
        query->order_all = true;
        query->order_all_descending = spk_accept(p, "DESC");
        spk_accept(p, "ASC");
        query->order_all_nulls_last = query->order_all_descending;
        if (spk_accept(p, "NULLS")) {
            query->order_all_nulls_last = spk_accept(p, "LAST");
            spk_accept(p, "FIRST");
        }
        return;
    }
    spk_sort_items(p, &query->order, &query->n_order);
}

void spk_query_tail(spk_parser *p, spk_ast_query *query)
{
    for (;;)
        if (spk_is2(p, "ORDER", "BY") || spk_is2(p, "SORT", "BY")) {
            order_by(p, query);
        } else if (spk_is2(p, "CLUSTER", "BY")) {
            p->at += 2;
            query->sort_only = true;
            spk_sort_items(p, &query->order, &query->n_order);
        } else if (spk_is2(p, "DISTRIBUTE", "BY")) {
            p->at += 2;
            spk_expressions(p, &query->distribute);
        } else {
            break;
        }
    if (spk_is(p, "WINDOW") && spk_clause_ahead(p) && query->term && query->term->kind == SPK_TERM_SELECT) {
        p->at++;
        windows(p, query->term->select);
    }
    if (spk_accept(p, "LIMIT")) {
        if (spk_is(p, "ALL") && !spk_is_sign(spk_peek(p, 1), "("))
            p->at++;
        else
            query->limit = spk_expression(p);
    }
    if (spk_accept(p, "OFFSET"))
        query->offset = spk_expression(p);
}

spk_ast_query *spk_query(spk_parser *p)
{
    spk_ast_query *query = spk_new(p, sizeof *query);
    if (!query || !spk_deeper(p))
        return query ? query : &p->spare_query;
    query->span.from = spk_from(p);
    if (spk_is(p, "WITH")) {
        p->at++;
        ctes(p, query);
    }
    query->term = term(p);
    spk_query_tail(p, query);
    query->span.to = spk_to(p);
    if (spk_at(p, "|>"))
        query = spk_piped(p, query);
    p->depth--;
    return query;
}

spk_ast_query *spk_query_in(spk_parser *p)
{
    spk_expect_sign(p, "(");
    spk_ast_query *query = spk_query(p);
    spk_expect_sign(p, ")");
    return query;
}
