/* SPDX-License-Identifier: Apache-2.0 */
/* SELECT: FROM and WHERE, then the aggregation, HAVING, windows, QUALIFY, the select list, DISTINCT and
 * ORDER BY, in the order in which they are computed. The expressions of all of them are bound first, for
 * what they take out (aggregates, windows, subqueries) stands below where they stand. */
#include "base/small.h"

#include "sql/plan/select.h"

/* ---- looking at trees before they are bound */

static bool has_aggregate(spk_analyzer *a, const spk_ast *ast)
{
    if (!ast || ast->kind == SPK_AST_SUBQUERY || ast->kind == SPK_AST_EXISTS)
        return false;
    if (ast->kind == SPK_AST_CALL && !ast->infix && !ast->window && spk_is_aggregate(a, ast->name))
        return true;
    for (size_t i = 0; i < ast->args.n; i++)
        if (has_aggregate(a, ast->args.at[i]))
            return true;
    return has_aggregate(a, ast->operand);
}

static bool has_subquery(const spk_ast *ast)
{
    if (!ast)
        return false;
    bool found = ast->kind == SPK_AST_SUBQUERY || ast->kind == SPK_AST_EXISTS || ast->kind == SPK_AST_IN_QUERY
        || has_subquery(ast->operand);
    for (size_t i = 0; i < ast->args.n && !found; i++)
        found = has_subquery(ast->args.at[i]);
    return found;
}

static const spk_ast *under_alias(const spk_ast *ast)
{
    return ast->kind == SPK_AST_ALIAS ? ast->args.at[0] : ast;
}

/* ordinal: of a literal integer; 0: it is none. */
static int64_t ordinal(const spk_ast *ast)
{
    int64_t n = 0;
    if (ast->kind != SPK_AST_NUMBER)
        return 0;
    const bool minus = ast->text[0] == '-';
    for (size_t i = minus; i < ast->text_len; i++) {
        if (ast->text[i] < '0' || ast->text[i] > '9' || n > 1000000)
            return 0;
        n = n * 10 + (ast->text[i] - '0');
    }
    return minus ? -n : n == 0 ? INT64_MAX : n;
}

/* ---- the select list */

void spk_select_add(selecting *s, const spk_ast *ast, spk_sql_expr *bound, const char *name)
{
    item made = { .ast = ast, .bound = bound, .name = name };
    SPK_ADD(s->a, s->items, s->n_items, made);
}

/* generator: explode(..) in the select list: its columns stand where it stands. */
static void generator(selecting *s, const spk_ast *ast, const spk_ast *call)
{
    const size_t before = s->in.scope.n;
    const char **names = ast->kind == SPK_AST_ALIAS ? ast->names : NULL;
    const size_t length = strlen(call->name);
    const bool outer = length > 6 && spk_names_same(call->name + length - 6, "_outer");
    s->in = spk_generate(s->a, s->in, call, outer, NULL, names, names ? ast->n_names : 0, s->in.scope.outer);
    for (size_t i = before; i < s->in.scope.n; i++) {
        s->in.scope.items[i].hidden = true;
        spk_select_add(s, NULL, spk_attr_column(s->a, &s->in.scope.items[i].attr, ast->span), s->in.scope.items[i].name);
    }
}

/* pipe_ordinal: |> AGGREGATE .. GROUP BY 2: the second column of the input. */
static bool pipe_ordinal(selecting *s, const spk_ast *ast)
{
    const int64_t place = s->select->pipe && strcmp(s->select->pipe, "AGGREGATE") == 0 ? ordinal(ast) : 0;
    int64_t k = 0;
    for (size_t i = 0; place > 0 && i < s->in.scope.n; i++) {
        const spk_scope_item *c = &s->in.scope.items[i];
        k += !c->hidden;
        if (k < place || c->hidden)
            continue;
        spk_select_add(s, NULL, spk_attr_column(s->a, &c->attr, ast->span), c->name);
        return true;
    }
    return false;
}

static void expand(selecting *s)
{
    const spk_ast_list *list = &s->select->items;
    for (size_t i = 0; i < list->n && !spk_sql_failed(s->a->error); i++) {
        const spk_ast *ast = list->at[i], *inner = under_alias(ast);
        if (ast->kind == SPK_AST_STAR)
            spk_select_star(s, ast);
        else if (inner->kind == SPK_AST_CALL && !inner->infix && spk_is_generator(inner->name))
            generator(s, ast, inner);
        else if (i < s->select->n_groups && pipe_ordinal(s, ast))
            continue;
        else
            spk_select_add(s, ast, NULL, ast->kind == SPK_AST_ALIAS ? ast->names[0] : NULL);
    }
}

/* lowered: an alias of a large expression becomes a column of what is below: where others name it, and others these in
 * turn, an expression would double with each of them. */
static void lowered(selecting *s, item *it)
{
    enum { LARGE = 200 };
    const spk_sql_expr *e = it->bound;
    if (spk_expr_size(e, LARGE) < LARGE || s->select->n_groups || s->select->group_all || s->bind.n_aggs
        || !e->deterministic || !spk_expr_within(e, s->in.plan))
        return;
    spk_sql_expr **exprs = NULL;
    spk_attr *attrs = NULL, attr = spk_attr_new(s->a, it->name, e->type, e->nullable);
    size_t n = 0, m = 0;
    for (size_t i = 0; i < s->in.plan->n_out; i++) {
        SPK_ADD(s->a, exprs, n, spk_attr_column(s->a, &s->in.plan->out[i], SPK_SQL_NOWHERE));
        SPK_ADD(s->a, attrs, m, s->in.plan->out[i]);
    }
    SPK_ADD(s->a, exprs, n, it->bound);
    SPK_ADD(s->a, attrs, m, attr);
    spk_plan *plan = spk_sql_failed(s->a->error) ? NULL : spk_plan_project(s->a, s->in.plan, exprs, attrs, n);
    if (!plan)
        return;
    s->in.plan = plan;
    it->bound = spk_attr_column(s->a, &attr, e->span);
}

static void bind_items(selecting *s)
{
    for (size_t i = 0; i < s->n_items; i++) {
        item *it = &s->items[i];
        if (!it->bound && it->ast)
            it->bound = spk_bind_expr(&s->bind, under_alias(it->ast));
        if (!it->bound)
            return;
        if (!it->name) {
            const spk_ast *ast = it->ast;
            it->name = spk_item_name(s, it);
            if (ast->kind == SPK_AST_NAME && ast->args.n > 1)
                SPK_ADD(s->a, s->bind.aliases, s->bind.n_aliases, (spk_alias) { it->name, it->bound, false });
        } else if (it->ast) {
            lowered(s, it);
            SPK_ADD(s->a, s->bind.aliases, s->bind.n_aliases, (spk_alias) { it->name, it->bound, true });
        }
    }
}

/* ---- GROUP BY */

/* bind_group: the subqueries of an expression are those of the same text elsewhere in the statement. */
static spk_sql_expr *bind_group(selecting *s, const spk_ast *ast)
{
    spk_sql_expr *e = spk_bind_expr(&s->group_bind, ast);
    if (e && has_subquery(ast)) {
        SPK_ADD(s->a, s->bind.grouped, s->bind.n_grouped, (spk_grouped) { ast->span, e });
        s->group_bind.grouped = s->bind.grouped;
        s->group_bind.n_grouped = s->bind.n_grouped;
    }
    return e;
}

/* name_alias: what the select list calls by the name that was not found, the first of that name, for the next try. */
static bool name_alias(selecting *s, const spk_sql_error *before)
{
    spk_bind *b = &s->group_bind;
    spk_sql_error *error = s->a->error;
    if (!error->n || strncmp(error->condition, "UNRESOLVED_COLUMN", 17) != 0)
        return false;
    for (size_t i = 0; i < s->n_items; i++) {
        const item *it = &s->items[i];
        if (!it->name || !it->ast || !spk_names_same(spk_print(s->a, "`%s`", it->name), error->parameters[0].value))
            continue;
        for (size_t k = 0; k < b->n_aliases; k++)
            if (spk_names_same(b->aliases[k].name, it->name))
                return false;
        *error = *before;
        spk_sql_expr *e = bind_group(s, under_alias(it->ast));
        SPK_ADD(s->a, b->aliases, b->n_aliases, (spk_alias) { it->name, e, true });
        return e != NULL;
    }
    return false;
}

/* group_expr: ordinals and aliases are items of the select list. */
static spk_sql_expr *group_expr(selecting *s, const spk_ast *ast)
{
    int64_t place = ordinal(ast);
    for (size_t i = 0; place && s->select->pipe && i < s->select->n_groups; i++)
        if (s->select->groups[i].expression == ast)
            place = (int64_t)i + 1; /* that item is the column which is meant */
    if (place) {
        const item *it = place > 0 && (uint64_t)place <= s->n_items ? &s->items[place - 1] : NULL;
        if (!it) {
            char index[24], size[24];
            (void)snprintf(index, sizeof index, "%lld", place == INT64_MAX ? 0LL : (long long)place);
            (void)snprintf(size, sizeof size, "%zu", s->n_items);
            spk_sql_fail2(s->a->error, "GROUP_BY_POS_OUT_OF_RANGE", ast->span, "index", index, "size", size);
            return NULL;
        }
        if (it->ast && has_aggregate(s->a, it->ast)) {
            char index[24];
            (void)snprintf(index, sizeof index, "%lld", (long long)place);
            const spk_ast *it_is = under_alias(it->ast);
            spk_sql_fail2(s->a->error, "GROUP_BY_POS_AGGREGATE", ast->span, "index", index, "aggExpr",
                spk_print(s->a, "%.*s", (int)(it_is->span.to - it_is->span.from), s->a->text + it_is->span.from));
            return NULL;
        }
        return it->bound ? it->bound : bind_group(s, under_alias(it->ast));
    }
    const spk_sql_error before = *s->a->error;
    spk_sql_expr *e;
    do
        e = bind_group(s, ast);
    while (!e && name_alias(s, &before));
    return e;
}

/* group_index: where the expression stands among those of GROUP BY, which it joins if it is new. */
static size_t group_index(selecting *s, const spk_ast *ast)
{
    spk_sql_expr *e = group_expr(s, ast);
    if (!e)
        return 0;
    for (size_t i = 0; i < s->n_groups; i++)
        if (spk_expr_same(s->groups[i], e))
            return i;
    SPK_ADD(s->a, s->groups, s->n_groups, e);
    return s->n_groups ? s->n_groups - 1 : 0;
}

enum { SETS_MAX = 4096, KEYS_MAX = 64 };
typedef struct set_list {
    uint64_t *at; /* bits of group indices */
    size_t n;
} set_list;

static uint64_t bits_of(selecting *s, const spk_ast_list *list)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < list->n; i++)
        bits |= (uint64_t)1 << (group_index(s, list->at[i]) % KEYS_MAX);
    return bits;
}

static void add_set(selecting *s, set_list *sets, uint64_t bits)
{
    if (sets->n < SETS_MAX)
        SPK_ADD(s->a, sets->at, sets->n, bits);
    else
        spk_sql_unsupported(s->a->error, s->select->span, "so many grouping sets");
}

static set_list sets_of(selecting *s, const spk_ast_group *group)
{
    set_list sets = { NULL, 0 };
    uint64_t elements[KEYS_MAX];
    const bool listed = group->kind != SPK_GROUP_ROLLUP && group->kind != SPK_GROUP_CUBE;
    const size_t n = group->n_sets;
    if (group->kind == SPK_GROUP_PLAIN) {
        add_set(s, &sets, (uint64_t)1 << (group_index(s, group->expression) % KEYS_MAX));
        return sets;
    }
    if (!listed && n > KEYS_MAX) {
        spk_sql_unsupported(s->a->error, s->select->span, "so many columns of grouping sets");
        return sets;
    }
    for (size_t i = 0; i < n && !listed; i++)
        elements[i] = bits_of(s, &group->sets[i]);
    if (group->kind == SPK_GROUP_ROLLUP) {
        for (size_t k = n + 1; k-- > 0;) {
            uint64_t bits = 0;
            for (size_t i = 0; i < k; i++)
                bits |= elements[i];
            add_set(s, &sets, bits);
        }
    } else if (group->kind == SPK_GROUP_CUBE) {
        for (uint64_t m = n < 13 ? (uint64_t)1 << n : SETS_MAX + 1; m-- > 0 && !spk_sql_failed(s->a->error);) {
            uint64_t bits = 0;
            for (size_t i = 0; i < n; i++)
                bits |= m >> (n - 1 - i) & 1 ? elements[i] : 0;
            add_set(s, &sets, bits);
        }
    } else {
        for (size_t i = 0; i < n && !spk_sql_failed(s->a->error); i++)
            add_set(s, &sets, bits_of(s, &group->sets[i]));
        for (size_t i = 0; i < group->n_nested; i++) {
            const set_list inner = sets_of(s, &group->nested[i]);
            for (size_t k = 0; k < inner.n; k++)
                add_set(s, &sets, inner.at[k]);
        }
    }
    return sets;
}

static void group_sets(selecting *s)
{
    set_list all = { NULL, 0 };
    add_set(s, &all, 0);
    for (size_t g = 0; g < s->select->n_groups; g++)
        for (size_t i = 0; i < s->select->groups[g].listed.n; i++)
            (void)group_index(s, s->select->groups[g].listed.at[i]);
    for (size_t g = 0; g < s->select->n_groups; g++) {
        const set_list one = sets_of(s, &s->select->groups[g]);
        set_list next = { NULL, 0 };
        for (size_t i = 0; i < all.n; i++)
            for (size_t k = 0; k < one.n; k++)
                add_set(s, &next, all.at[i] | one.at[k]);
        all = next;
    }
    if (s->n_groups > KEYS_MAX)
        spk_sql_unsupported(s->a->error, s->select->span, "so many columns of grouping sets");
    for (size_t i = 0; i < all.n && !spk_sql_failed(s->a->error); i++) {
        bool *kept = spk_arena_alloc(s->a->arena, s->n_groups + 1, 1);
        if (!kept) {
            spk_sql_nomem(s->a->error);
            return;
        }
        for (size_t k = 0; k < s->n_groups; k++)
            kept[k] = all.at[i] >> k & 1;
        SPK_ADD(s->a, s->sets, s->n_sets, kept);
    }
}

/* names_all: whether there is a column, or an item, that is called ALL. */
static bool names_all(const selecting *s)
{
    for (size_t i = 0; i < s->in.scope.n; i++)
        if (spk_names_same(s->in.scope.items[i].name, "all"))
            return true;
    for (size_t i = 0; i < s->n_items; i++)
        if (s->items[i].ast && s->items[i].name && spk_names_same(s->items[i].name, "all"))
            return true;
    return false;
}

static void groups(selecting *s)
{
    bool sets = false;
    for (size_t i = 0; i < s->select->n_groups; i++)
        sets |= s->select->groups[i].kind != SPK_GROUP_PLAIN;
    if (s->select->group_all && names_all(s)) {
        spk_ast part = { .kind = SPK_AST_NAME, .text = "all", .span = s->select->span }, *parts = &part;
        const spk_ast name = { .kind = SPK_AST_NAME, .span = s->select->span, .args = { &parts, 1 } };
        (void)group_index(s, &name);
    } else if (s->select->group_all) {
        for (size_t i = 0; i < s->n_items; i++)
            if (s->items[i].ast ? !has_aggregate(s->a, s->items[i].ast) : true) {
                spk_sql_expr *e = s->items[i].bound ? s->items[i].bound : bind_group(s, under_alias(s->items[i].ast));
                if (e)
                    SPK_ADD(s->a, s->groups, s->n_groups, e);
            }
    } else if (sets) {
        group_sets(s);
    } else {
        for (size_t i = 0; i < s->select->n_groups; i++)
            (void)group_index(s, s->select->groups[i].expression);
    }
    s->bind.groups = s->groups;
    s->bind.n_groups = s->n_groups;
    if (s->n_sets == 1 && s->n_groups == 0) {
        s->n_sets = 0; /* of nothing alone: all rows are one group, whose number needs no column */
        sets = false;
        s->bind.grouping_id = &s->grouping_id;
    }
    if (sets) {
        s->grouping_id = spk_attr_new(s->a, "spark_grouping_id", spk_sql_type_of(SPK_SQL_BIGINT), false);
        s->bind.grouping_id = &s->grouping_id;
    }
}

/* ---- ORDER BY */

/* column_instead: whether a cast that is called as its column stands beside that column, which is then meant. */
static bool column_instead(const selecting *s, const item *it)
{
    return it->ast && it->ast->kind == SPK_AST_CAST && spk_item_of_column(s, it->name);
}

/* shown_as: the item that is called so; NULL: none is, or *several are which are not the same column. */
static spk_sql_expr *shown_as(const selecting *s, const spk_ast *ast, bool *several)
{
    spk_sql_expr *found = NULL;
    bool named = false; /* which makes another column of the same one */
    *several = false;
    for (size_t i = 0; ast->kind == SPK_AST_NAME && ast->args.n == 1 && i < s->n_items; i++)
        if (spk_names_same(s->items[i].name, ast->args.at[0]->text) && !column_instead(s, &s->items[i])) {
            named |= s->items[i].ast && s->items[i].ast->kind == SPK_AST_ALIAS;
            *several |= found && (named || !spk_expr_same(found, s->items[i].bound));
            found = s->items[i].bound;
        }
    return *several ? NULL : found;
}

static spk_sql_expr *order_expr(selecting *s, const spk_ast *ast)
{
    const int64_t place = ordinal(ast);
    if (!place) {
        bool several;
        spk_sql_expr *shown = shown_as(s, ast, &several);
        if (shown)
            return shown;
        s->bind.aliases_first = !several; /* then a column of the input may be meant */
        spk_sql_expr *e = spk_bind_expr(&s->bind, ast);
        s->bind.aliases_first = false;
        return e;
    }
    if (place < 0 || (uint64_t)place > s->n_items) {
        char index[24], size[24];
        (void)snprintf(index, sizeof index, "%lld", place == INT64_MAX ? 0LL : (long long)place);
        (void)snprintf(size, sizeof size, "%zu", s->n_items);
        spk_sql_fail2(s->a->error, "ORDER_BY_POS_OUT_OF_RANGE", ast->span, "index", index, "size", size);
        return NULL;
    }
    return s->items[place - 1].bound;
}

static void bind_order(selecting *s)
{
    const spk_ast_query *q = s->query;
    if (!q)
        return;
    s->bind.clause = "ORDER BY";
    for (size_t i = 0; q->order_all && i < s->n_items; i++)
        SPK_ADD(s->a, s->sort, s->n_sort,
            (spk_plan_sort) { s->items[i].bound, q->order_all_descending, q->order_all_nulls_last });
    for (size_t i = 0; i < q->n_order && !spk_sql_failed(s->a->error); i++) {
        spk_sql_expr *e = order_expr(s, q->order[i].expression);
        SPK_ADD(s->a, s->sort, s->n_sort, (spk_plan_sort) { e, q->order[i].descending, q->order[i].nulls_last });
    }
}

/* ---- the plan */

/* canonical: a key of GROUP BY: maps with their entries in order. */
static spk_sql_expr *canonical(selecting *s, spk_sql_expr *e)
{
    return spk_has_map(e->type) ? spk_sql_call(&s->a->build, "map_sorted", &e, 1, e->span) : e;
}

/* aggregate: below it the input and its subqueries; keys keep the attribute of the column they are. */
static spk_plan *keys_project(selecting *s, spk_plan *in)
{
    spk_sql_expr **exprs = NULL;
    spk_attr *attrs = NULL;
    size_t n = 0, m = 0;
    for (size_t i = 0; i < in->n_out; i++) {
        SPK_ADD(s->a, exprs, n, spk_attr_column(s->a, &in->out[i], SPK_SQL_NOWHERE));
        SPK_ADD(s->a, attrs, m, in->out[i]);
    }
    for (size_t i = 0; i < s->n_groups; i++) {
        const spk_sql_expr *e = s->groups[i];
        const spk_attr attr = spk_attr_new(s->a, spk_expr_name(s->a, e), e->type, true);
        SPK_ADD(s->a, exprs, n, canonical(s, s->groups[i]));
        SPK_ADD(s->a, attrs, m, attr);
        SPK_ADD(s->a, s->group_attrs, s->n_group_attrs, attr);
    }
    spk_plan *plan = spk_plan_project(s->a, in, exprs, attrs, n < m ? n : m);
    spk_plan *made = plan ? spk_plan_new(s->a, SPK_PLAN_EXPAND, plan, NULL) : NULL;
    if (!made)
        return NULL;
    spk_plan_out(s->a, made, s->grouping_id);
    made->sets = s->sets;
    made->n_sets = s->n_sets;
    for (size_t i = 0; i < s->n_sets; i++) {
        int64_t id = 0;
        for (size_t k = 0; k < s->n_groups; k++)
            id = id << 1 | !s->sets[i][k];
        for (size_t k = 0; k < i; k++) /* the same set again is another group */
            if (memcmp(s->sets[k], s->sets[i], s->n_groups) == 0)
                id += (int64_t)1 << SPK_GROUPING_SHIFT;
        for (size_t k = 0; k < i; k++) /* nor is it one of more than 48 columns */
            if (made->set_ids[k] == id) {
                id += (int64_t)1 << SPK_GROUPING_SHIFT;
                k = SIZE_MAX; /* from the first on */
            }
        size_t count = i;
        SPK_ADD(s->a, made->set_ids, count, id);
    }
    for (size_t i = 0; i < s->n_groups; i++)
        SPK_ADD(s->a, made->exprs, made->n_exprs, spk_attr_column(s->a, &s->group_attrs[i], SPK_SQL_NOWHERE));
    return made;
}

static spk_plan *aggregate(selecting *s, spk_plan *in)
{
    spk_plan *below = s->n_sets ? keys_project(s, in) : in;
    spk_plan *plan = below ? spk_plan_new(s->a, SPK_PLAN_AGGREGATE, below, NULL) : NULL;
    if (!plan)
        return NULL;
    plan->n_out = 0;
    plan->out = NULL;
    for (size_t i = 0; i < s->n_groups; i++) {
        spk_sql_expr *e = canonical(s, s->groups[i]);
        if (!e)
            return NULL;
        if (s->n_sets) {
            e = spk_attr_column(s->a, &s->group_attrs[i], SPK_SQL_NOWHERE);
        } else {
            spk_attr attr = spk_attr_new(s->a, spk_expr_name(s->a, e), e->type, e->nullable);
            if (e->kind == SPK_SQL_COLUMN)
                attr.id = e->column;
            SPK_ADD(s->a, s->group_attrs, s->n_group_attrs, attr);
        }
        SPK_ADD(s->a, plan->exprs, plan->n_exprs, e);
        spk_plan_out(s->a, plan, s->group_attrs[i]);
    }
    if (s->n_sets) {
        SPK_ADD(s->a, plan->exprs, plan->n_exprs, spk_attr_column(s->a, &s->grouping_id, SPK_SQL_NOWHERE));
        spk_plan_out(s->a, plan, s->grouping_id);
    }
    for (size_t i = 0; i < s->bind.n_aggs; i++) {
        SPK_ADD(s->a, plan->aggs, plan->n_aggs, s->bind.aggs[i]);
        spk_plan_out(s->a, plan, s->bind.agg_attrs[i]);
    }
    return plan;
}

typedef struct checking {
    selecting *s;
    const spk_plan *below, *above;
    bool behind; /* of HAVING or ORDER BY: such a column is one that is not found */
    bool failed;
} checking;

static void check_column(void *arg, const spk_sql_expr *column)
{
    checking *c = arg;
    if (c->failed || !spk_plan_has(c->below, column->column) || spk_plan_has(c->above, column->column))
        return;
    c->failed = true;
    char name[300];
    (void)snprintf(name, sizeof name, "\"%s\"", column->name);
    if (c->behind)
        spk_unresolved_behind(c->s, column->span);
    else if (c->s->select->group_all)
        spk_sql_fail(c->s->a->error, "UNRESOLVED_ALL_IN_GROUP_BY", c->s->select->span);
    else if (c->s->select->grouped)
        spk_sql_fail2(c->s->a->error, "MISSING_AGGREGATION", column->span, "expression", name, "expressionAnyValue",
            spk_print(c->s->a, "\"any_value(%s)\"", column->name));
    else
        spk_sql_fail(c->s->a->error, "MISSING_GROUP_BY", column->span);
}

/* above_groups: an expression over the rows of the aggregation. */
static spk_sql_expr *above_groups(
    selecting *s, spk_sql_expr *e, const spk_plan *below, const spk_plan *plan, bool behind)
{
    spk_sql_expr **to = NULL;
    size_t n = 0;
    for (size_t i = 0; i < s->n_groups; i++)
        SPK_ADD(s->a, to, n, spk_attr_column(s->a, &s->group_attrs[i], SPK_SQL_NOWHERE));
    e = spk_expr_swap(s->a, e, s->groups, to, n);
    checking c = { s, below, plan, behind, false };
    spk_expr_columns(e, check_column, &c);
    return e;
}

static void regroup_list(
    selecting *s, spk_sql_expr **list, size_t n, const spk_plan *below, const spk_plan *plan, bool behind)
{
    for (size_t i = 0; i < n && !spk_sql_failed(s->a->error); i++)
        list[i] = above_groups(s, list[i], below, plan, behind);
}

static void regroup_use(selecting *s, spk_window_use *use, const spk_plan *below, const spk_plan *plan)
{
    regroup_list(s, use->function.args, use->function.n_args, below, plan, false);
    regroup_list(s, use->partition, use->n_partition, below, plan, false);
    if (use->function.filter)
        regroup_list(s, &use->function.filter, 1, below, plan, false);
    if (use->function.low)
        regroup_list(s, &use->function.low, 1, below, plan, false);
    if (use->function.high)
        regroup_list(s, &use->function.high, 1, below, plan, false);
    for (size_t i = 0; i < use->n_sort; i++)
        regroup_list(s, &use->sort[i].expression, 1, below, plan, false);
}

static void regroup(selecting *s, const spk_plan *below, const spk_plan *plan)
{
    for (size_t i = 0; i < s->n_items && !spk_sql_failed(s->a->error); i++)
        s->items[i].bound = above_groups(s, s->items[i].bound, below, plan, false);
    regroup_list(s, s->having, s->n_having, below, plan, true);
    regroup_list(s, s->qualify, s->n_qualify, below, plan, true);
    for (size_t i = 0; i < s->n_sort; i++)
        regroup_list(s, &s->sort[i].expression, 1, below, plan, true);
    for (size_t i = 0; i < s->bind.n_uses; i++)
        regroup_use(s, &s->bind.uses[i], below, plan);
    for (size_t i = 0; i < s->bind.after.n; i++)
        regroup_list(s, s->bind.after.at[i].conditions, s->bind.after.at[i].n_conditions, below, plan,
            false);
    /* a subquery above may name a column by which a set groups */
    spk_replacement *list = NULL;
    size_t n = 0;
    for (size_t i = 0; s->n_sets && i < s->n_groups; i++)
        if (s->groups[i]->kind == SPK_SQL_COLUMN)
            SPK_ADD(s->a, list, n,
                (spk_replacement) { s->groups[i]->column, spk_attr_column(s->a, &s->group_attrs[i], SPK_SQL_NOWHERE) });
    for (size_t i = 0; i < s->bind.after.n; i++)
        spk_plan_replace(s->a, s->bind.after.at[i].plan, list, n);
}

static bool same_window(const spk_plan *plan, const spk_window_use *use)
{
    if (plan->kind != SPK_PLAN_WINDOW || plan->n_partition != use->n_partition || plan->n_sort != use->n_sort)
        return false;
    for (size_t i = 0; i < use->n_partition; i++)
        if (!spk_expr_same(plan->partition[i], use->partition[i]))
            return false;
    for (size_t i = 0; i < use->n_sort; i++)
        if (!spk_expr_same(plan->sort[i].expression, use->sort[i].expression)
            || plan->sort[i].descending != use->sort[i].descending
            || plan->sort[i].nulls_last != use->sort[i].nulls_last)
            return false;
    return true;
}

/* windows: those of one kind side by side in one operator. */
static spk_plan *windows(selecting *s, spk_plan *plan)
{
    for (size_t i = 0; plan && i < s->bind.n_uses; i++) {
        const spk_window_use *use = &s->bind.uses[i];
        if (!same_window(plan, use)) {
            plan = spk_plan_new(s->a, SPK_PLAN_WINDOW, plan, NULL);
            if (!plan)
                return NULL;
            plan->partition = use->partition;
            plan->n_partition = use->n_partition;
            plan->sort = use->sort;
            plan->n_sort = use->n_sort;
        }
        SPK_ADD(s->a, plan->functions, plan->n_functions, use->function);
        spk_plan_out(s->a, plan, use->attr);
    }
    return plan;
}

typedef struct gone_column {
    const spk_plan *shown;
    const spk_sql_expr *column; /* the last one that is not shown */
} gone_column;

static void note_gone(void *arg, const spk_sql_expr *column)
{
    gone_column *gone = arg;
    if (!spk_plan_has(gone->shown, column->column))
        gone->column = column;
}

/* outputs: the select list; a column that is selected as it is keeps its attribute. */
static spk_plan *outputs(selecting *s, spk_plan *in, spk_sql_expr ***hidden, size_t *n_hidden)
{
    spk_sql_expr **exprs = NULL, **from = NULL, **to = NULL;
    spk_attr *attrs = NULL;
    size_t n = 0, m = 0, k = 0;
    for (size_t i = 0; i < s->n_items; i++) {
        item *it = &s->items[i];
        it->attr = spk_attr_new(s->a, it->name, it->bound->type, it->bound->nullable);
        if (it->bound->kind == SPK_SQL_COLUMN && spk_plan_has(in, it->bound->column))
            it->attr.id = it->bound->column; /* else it is of a query around this one */
        for (size_t x = 0; x < in->n_out; x++)
            if (in->out[x].id == it->attr.id)
                it->attr.nullable = in->out[x].nullable;
        SPK_ADD(s->a, exprs, n, it->bound);
        SPK_ADD(s->a, attrs, m, it->attr);
        SPK_ADD(s->a, from, k, it->bound);
        size_t same = k - 1;
        SPK_ADD(s->a, to, same, spk_attr_column(s->a, &it->attr, SPK_SQL_NOWHERE));
    }
    for (size_t i = 0; i < s->n_sort && !spk_sql_failed(s->a->error); i++) {
        spk_sql_expr *e = spk_expr_swap(s->a, s->sort[i].expression, from, to, k);
        const spk_plan shown = { .out = attrs, .n_out = m };
        if (e && !spk_expr_within(e, &shown)) {
            const spk_attr attr = spk_attr_new(s->a, "sort", e->type, true);
            if (s->select->distinct) {
                gone_column gone = { &shown, e };
                spk_expr_columns(e, note_gone, &gone);
                spk_unresolved_behind(s, gone.column->span);
                return NULL;
            }
            SPK_ADD(s->a, exprs, n, s->sort[i].expression);
            SPK_ADD(s->a, attrs, m, attr);
            e = spk_attr_column(s->a, &attr, SPK_SQL_NOWHERE);
            SPK_ADD(s->a, *hidden, *n_hidden, e);
        }
        s->sort[i].expression = e;
    }
    return spk_plan_project(s->a, in, exprs, attrs, n < m ? n : m);
}

static spk_plan *take_away(selecting *s, spk_plan *plan)
{
    spk_sql_expr **exprs = NULL;
    spk_attr *attrs = NULL;
    size_t n = 0, m = 0;
    for (size_t i = 0; i < s->n_items; i++) {
        SPK_ADD(s->a, exprs, n, spk_attr_column(s->a, &s->items[i].attr, SPK_SQL_NOWHERE));
        SPK_ADD(s->a, attrs, m, s->items[i].attr);
    }
    return spk_plan_project(s->a, plan, exprs, attrs, n < m ? n : m);
}

static spk_plan *plan_of(selecting *s)
{
    spk_analyzer *a = s->a;
    spk_sql_expr **hidden = NULL;
    size_t n_hidden = 0;
    spk_plan *plan = spk_attach(a, s->in.plan, &s->group_bind.before);
    plan = spk_attach(a, plan, &s->bind.before);
    if (plan && s->grouped) {
        const spk_plan *below = plan;
        plan = aggregate(s, plan);
        if (plan)
            regroup(s, below, plan);
    }
    plan = spk_attach(a, plan, &s->bind.after);
    if (plan)
        plan = spk_plan_filter(a, plan, s->having, s->n_having);
    plan = windows(s, plan);
    if (plan)
        plan = spk_plan_filter(a, plan, s->qualify, s->n_qualify);
    if (!plan || spk_sql_failed(a->error))
        return NULL;
    plan = outputs(s, plan, &hidden, &n_hidden);
    if (plan && s->select->distinct)
        plan = spk_no_maps(a, plan, s->select->span) ? spk_plan_distinct(a, plan) : NULL;
    if (plan && s->n_sort)
        plan = spk_sort_plan(a, plan, s->sort, s->n_sort, s->query->sort_only);
    return plan && n_hidden ? take_away(s, plan) : plan;
}

spk_plan *spk_one_row(spk_analyzer *a)
{
    spk_plan *plan = spk_plan_new(a, SPK_PLAN_ROWS, NULL, NULL);
    if (plan)
        SPK_ADD(a, plan->rows, plan->n_rows, NULL);
    return plan;
}

/* where_aggregates: the condition with aggregates, which failed, is bound once more to be shown. */
static void where_aggregates(selecting *s, spk_scope *scope)
{
    spk_bind b = { .a = s->a, .scope = scope, .clause = "SELECT", .aggregates = true, .windows = true };
    const spk_sql_span span = s->a->error->span;
    s->a->error->condition = NULL;
    const spk_sql_expr *e = spk_bind_expr(&b, s->select->where);
    if (e && b.n_aggs)
        spk_sql_fail2(s->a->error, "INVALID_WHERE_CONDITION", span, "condition", spk_sql_expr_quoted(&s->a->build, e),
            "expressionList", b.agg_attrs[0].name);
}

static void where(selecting *s, spk_scope *scope)
{
    spk_bind b = { .a = s->a, .scope = scope, .clause = "WHERE", .condition = true };
    spk_sql_expr **conjuncts = NULL;
    size_t n = 0;
    spk_bind_condition(&b, s->select->where, &conjuncts, &n, "filter");
    if (spk_sql_failed(s->a->error) && strcmp(s->a->error->condition, "INVALID_WHERE_CONDITION") == 0)
        where_aggregates(s, scope);
    s->in.plan = spk_attach(s->a, s->in.plan, &b.before);
    if (s->in.plan)
        s->in.plan = spk_plan_filter(s->a, s->in.plan, conjuncts, n);
}

/* pipe_allows: aggregates in |> AGGREGATE, and nowhere else. */
static void pipe_allows(selecting *s)
{
    const char *pipe = s->select->pipe;
    if (s->select->replaced && !s->replaced)
        spk_unresolved(s->a, &s->in.scope, spk_print(s->a, "`%s`", s->select->replaced->names[0]),
            s->select->replaced->span);
    else if (strcmp(pipe, "AGGREGATE") != 0 && s->bind.n_aggs)
        spk_sql_fail2(s->a->error, "PIPE_OPERATOR_CONTAINS_AGGREGATE_FUNCTION", s->select->span, "expr",
            s->bind.agg_attrs[0].name, "clause", pipe);
    for (size_t i = s->select->n_groups; strcmp(pipe, "AGGREGATE") == 0 && i < s->n_items; i++)
        if (s->items[i].ast && !has_aggregate(s->a, s->items[i].ast))
            spk_sql_fail1(s->a->error, "PIPE_OPERATOR_AGGREGATE_EXPRESSION_CONTAINS_NO_AGGREGATE_FUNCTION",
                s->select->span, "expr", s->items[i].name);
}

spk_rel spk_analyze_select(
    spk_analyzer *a, const spk_ast_select *select, spk_scope *outer, const spk_ast_query *order)
{
    selecting s;
    spk_rel rel = { NULL, { .outer = outer } };
    memset(&s, 0, sizeof s);
    s.a = a;
    s.select = select;
    s.query = order;
    s.in.scope.outer = outer;
    const spk_ast_select *around = a->hinted;
    spk_trailing_comma(a, select);
    spk_hints_warn(select);
    a->hinted = select->n_hints ? select : NULL;
    if (select->from)
        s.in = spk_analyze_relation(a, select->from, outer);
    else
        s.in.plan = spk_one_row(a);
    a->hinted = around;
    if (s.in.plan && select->where)
        where(&s, &s.in.scope);
    if (s.in.plan)
        spk_time_window(&s);
    if (!s.in.plan || spk_sql_failed(a->error))
        return rel;
    s.bind = (spk_bind) { .a = a, .scope = &s.in.scope, .clause = "SELECT", .aggregates = true, .windows = true,
        .named = select->windows, .n_named = select->n_windows };
    s.group_bind = (spk_bind) { .a = a, .scope = &s.in.scope, .clause = "GROUP BY" };
    expand(&s);
    s.in.scope.binder = &s.bind;
    if (!spk_sql_failed(a->error))
        groups(&s);
    bind_items(&s);
    if (select->having && !spk_sql_failed(a->error)) {
        s.bind.clause = "HAVING";
        s.bind.windows = false;
        spk_bind_condition(&s.bind, select->having, &s.having, &s.n_having, "having");
        s.bind.windows = true;
    }
    if (select->qualify && !spk_sql_failed(a->error))
        spk_bind_condition(&s.bind, select->qualify, &s.qualify, &s.n_qualify, "filter");
    if (!spk_sql_failed(a->error))
        bind_order(&s);
    s.grouped = select->grouped || select->having || s.bind.n_aggs;
    if (select->pipe && !spk_sql_failed(a->error))
        pipe_allows(&s);
    if (spk_sql_failed(a->error) || !(rel.plan = plan_of(&s)))
        return rel;
    for (size_t i = 0; i < s.n_items; i++) {
        const spk_scope_item made = { .table = s.items[i].table, .table2 = s.items[i].table2,
            .name = s.items[i].name, .attr = s.items[i].attr };
        SPK_ADD(a, rel.scope.items, rel.scope.n, made);
    }
    return rel;
}
