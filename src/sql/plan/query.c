/* SPDX-License-Identifier: Apache-2.0 */
/* Queries: WITH, set operations, ORDER BY and LIMIT around a SELECT. */
#include "base/small.h"

#include "sql/eval/coerce.h"
#include "sql/plan/analyze.h"

enum { QUERIES_DEEP = 120 };

static spk_rel nothing(spk_scope *outer)
{
    return (spk_rel) { NULL, { .outer = outer } };
}

/* ---- sorting */

static bool is_out(const spk_plan *plan, const spk_sql_expr *e)
{
    return e->kind == SPK_SQL_COLUMN && spk_plan_has(plan, e->column);
}

/* columns_of: a projection's lists that keep all of a plan's attributes. */
static void columns_of(spk_analyzer *a, const spk_plan *plan, spk_sql_expr ***exprs, spk_attr **attrs, size_t *n)
{
    size_t m = *n;
    for (size_t i = 0; i < plan->n_out; i++) {
        SPK_ADD(a, *exprs, *n, spk_attr_column(a, &plan->out[i], SPK_SQL_NOWHERE));
        SPK_ADD(a, *attrs, m, plan->out[i]);
    }
}

spk_plan *spk_sort_plan(spk_analyzer *a, spk_plan *plan, spk_plan_sort *sort, size_t n, bool local)
{
    spk_sql_expr **exprs = NULL, **kept = NULL;
    spk_attr *attrs = NULL, *shown = NULL;
    size_t count = 0, n_kept = 0;
    columns_of(a, plan, &exprs, &attrs, &count);
    columns_of(a, plan, &kept, &shown, &n_kept);
    for (size_t i = 0; i < n && !spk_sql_failed(a->error); i++) {
        spk_sql_expr *e = sort[i].expression;
        if (!e)
            return NULL;
        if (!spk_sql_is_ordered(e->type) && e->type->kind != SPK_SQL_VOID) {
            spk_sql_fail3(a->error, "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", e->span, "sqlExpr",
                spk_sql_expr_quoted(&a->build, e), "functionName", "`sortorder`", "dataType",
                spk_sql_type_quoted(&a->build, e->type));
            return NULL;
        }
        if (is_out(plan, e))
            continue;
        const spk_attr attr = spk_attr_new(a, "sort", e->type, true);
        size_t m = count;
        SPK_ADD(a, exprs, count, e);
        SPK_ADD(a, attrs, m, attr);
        sort[i].expression = spk_attr_column(a, &attr, SPK_SQL_NOWHERE);
    }
    const bool wider = count > n_kept;
    if (wider)
        plan = spk_plan_project(a, plan, exprs, attrs, count);
    spk_plan *made = plan ? spk_plan_new(a, SPK_PLAN_SORT, plan, NULL) : NULL;
    if (!made)
        return NULL;
    made->local = local;
    for (size_t i = 0; i < n; i++)
        SPK_ADD(a, made->sort, made->n_sort, sort[i]);
    return wider ? spk_plan_project(a, made, kept, shown, n_kept) : made;
}

/* order: ORDER BY over what is not a SELECT: names and ordinals of its columns. */
static spk_rel order(spk_analyzer *a, spk_rel rel, const spk_ast_query *q)
{
    spk_bind b = { .a = a, .scope = &rel.scope, .clause = "ORDER BY" };
    spk_plan_sort *sort = NULL;
    size_t n = 0;
    for (size_t i = 0; q->order_all && i < rel.scope.n; i++)
        SPK_ADD(a, sort, n,
            (spk_plan_sort) { spk_attr_column(a, &rel.scope.items[i].attr, SPK_SQL_NOWHERE), q->order_all_descending,
                q->order_all_nulls_last });
    for (size_t i = 0; i < q->n_order; i++) {
        const spk_ast *ast = q->order[i].expression;
        spk_sql_expr *e = spk_bind_expr(&b, ast);
        int64_t place = 0;
        if (ast->kind == SPK_AST_NUMBER && e && e->type->kind == SPK_SQL_INT) {
            int32_t value;
            memcpy(&value, e->value, sizeof value);
            place = value;
            if (place < 1 || (size_t)place > rel.scope.n) {
                char index[24], size[24];
                (void)snprintf(index, sizeof index, "%lld", (long long)place);
                (void)snprintf(size, sizeof size, "%zu", rel.scope.n);
                spk_sql_fail2(a->error, "ORDER_BY_POS_OUT_OF_RANGE", ast->span, "index", index, "size", size);
                break;
            }
            e = spk_attr_column(a, &rel.scope.items[place - 1].attr, ast->span);
        }
        SPK_ADD(a, sort, n, (spk_plan_sort) { e, q->order[i].descending, q->order[i].nulls_last });
    }
    if (spk_sql_failed(a->error))
        return nothing(rel.scope.outer);
    rel.plan = spk_sort_plan(a, rel.plan, sort, n, q->sort_only);
    return rel;
}

/* ---- LIMIT, OFFSET */

static bool constant_count(spk_analyzer *a, const spk_ast *ast, const char *name, int64_t *out)
{
    spk_bind b = { .a = a, .clause = name };
    spk_scope none = { .n = 0 };
    b.scope = &none;
    spk_sql_expr *e = spk_bind_expr(&b, ast);
    if (!e)
        return false;
    const char *what = NULL;
    if (!e->foldable && e->kind != SPK_SQL_CONSTANT) {
        what = "INVALID_LIMIT_LIKE_EXPRESSION.IS_UNFOLDABLE";
    } else if (!spk_sql_is_integral(e->type) && e->type->kind != SPK_SQL_VOID) {
        what = "INVALID_LIMIT_LIKE_EXPRESSION.DATA_TYPE";
    } else {
        e = spk_sql_coerce(&a->build, e, spk_sql_type_of(SPK_SQL_BIGINT));
        spk_sql_fold(&a->build, &e);
        if (!e)
            return false;
        if (e->kind != SPK_SQL_CONSTANT)
            what = "INVALID_LIMIT_LIKE_EXPRESSION.IS_UNFOLDABLE";
        else if (e->null)
            what = "INVALID_LIMIT_LIKE_EXPRESSION.IS_NULL";
        else if (memcpy(out, e->value, sizeof *out), *out < 0)
            what = "INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE";
    }
    if (what && e && spk_sql_fail(a->error, what, ast->span)) {
        spk_sql_param(a->error, "name", "%s", name);
        spk_sql_param(a->error, "expr", "%s", spk_sql_expr_quoted(&a->build, e));
        spk_sql_param(a->error, "dataType", "%s", spk_sql_type_quoted(&a->build, e->type));
        spk_sql_param(a->error, "v", "%lld", (long long)*out);
    }
    return !what;
}

static spk_rel limit(spk_analyzer *a, spk_rel rel, const spk_ast_query *q)
{
    int64_t most = -1, skipped = 0;
    if ((q->limit && !constant_count(a, q->limit, "limit", &most))
        || (q->offset && !constant_count(a, q->offset, "offset", &skipped)))
        return nothing(rel.scope.outer);
    rel.plan = spk_plan_limit(a, rel.plan, most, skipped);
    return rel;
}

/* ---- set operations */

static spk_rel analyze_term(
    spk_analyzer *a, const spk_ast_term *term, spk_scope *outer, const spk_ast_query *query);

static const char *set_name(const spk_ast_term *term)
{
    return term->kind == SPK_TERM_UNION ? "UNION" : term->kind == SPK_TERM_EXCEPT ? "EXCEPT" : "INTERSECT";
}

/* widen: a side's columns as the common types. */
static spk_plan *widen(spk_analyzer *a, const spk_rel *side, const spk_attr *attrs, size_t n, bool named)
{
    spk_sql_expr **exprs = NULL;
    spk_attr *out = NULL;
    size_t count = 0, m = 0;
    for (size_t i = 0; i < n; i++) {
        const spk_attr *from = &side->scope.items[i].attr;
        spk_sql_expr *e = spk_sql_coerce(&a->build, spk_attr_column(a, from, SPK_SQL_NOWHERE), attrs[i].type);
        SPK_ADD(a, exprs, count, e);
        SPK_ADD(a, out, m, named ? attrs[i] : spk_attr_new(a, attrs[i].name, attrs[i].type, attrs[i].nullable));
    }
    return spk_sql_failed(a->error) ? NULL : spk_plan_project(a, side->plan, exprs, out, n);
}

static bool count_columns(spk_analyzer *a, const spk_ast_term *term, const spk_rel *left, const spk_rel *right)
{
    char first[24], other[24];
    if (left->scope.n == right->scope.n)
        return true;
    (void)snprintf(first, sizeof first, "%zu", left->scope.n);
    (void)snprintf(other, sizeof other, "%zu", right->scope.n);
    spk_sql_fail3(a->error, "NUM_COLUMNS_MISMATCH", term->span, "operator", set_name(term), "firstNumColumns", first,
        "invalidNumColumns", other);
    spk_sql_param(a->error, "invalidOrdinalNum", "second");
    return false;
}

bool spk_has_map(const spk_sql_type *t)
{
    if (t->kind == SPK_SQL_MAP)
        return true;
    for (uint32_t i = 0; t->kind == SPK_SQL_STRUCT && i < t->n; i++)
        if (spk_has_map(t->fields[i].type))
            return true;
    return t->kind == SPK_SQL_ARRAY && spk_has_map(t->of);
}

bool spk_no_maps(spk_analyzer *a, const spk_plan *plan, spk_sql_span span)
{
    for (size_t i = 0; i < plan->n_out; i++)
        if (spk_has_map(plan->out[i].type)) {
            spk_sql_fail2(a->error, "UNSUPPORTED_FEATURE.SET_OPERATION_ON_MAP_TYPE", span, "colName",
                spk_print(a, "`%s`", plan->out[i].name), "dataType", spk_sql_type_quoted(&a->build, plan->out[i].type));
            return false;
        }
    return true;
}

/* numbered: beside each row, which of its equals it is. */
static spk_plan *numbered(spk_analyzer *a, spk_plan *in)
{
    spk_plan *window = in ? spk_plan_new(a, SPK_PLAN_WINDOW, in, NULL) : NULL;
    const spk_plan_function f = { .name = "row_number", .to = SPK_BOUND_UNBOUNDED_FOLLOWING };
    if (!window)
        return NULL;
    for (size_t i = 0; i < in->n_out; i++)
        SPK_ADD(a, window->partition, window->n_partition, spk_attr_column(a, &in->out[i], SPK_SQL_NOWHERE));
    SPK_ADD(a, window->functions, window->n_functions, f);
    spk_plan_out(a, window, spk_attr_new(a, "number", spk_sql_type_of(SPK_SQL_INT), false));
    return window;
}

/* by_join: INTERSECT and EXCEPT keep the left rows that have, or have not, an equal on the right; with ALL,
 * the first of equals meets the first, and so on. */
static spk_plan *by_join(spk_analyzer *a, const spk_ast_term *term, spk_plan *l, spk_plan *r)
{
    spk_sql_expr **conditions = NULL, **kept = NULL;
    size_t n = 0, m = 0;
    const spk_plan *left = l;
    l = term->all ? numbered(a, l) : spk_plan_distinct(a, l);
    r = term->all ? numbered(a, r) : r;
    for (size_t i = 0; l && r && i < l->n_out; i++) {
        spk_sql_expr *pair[] = { spk_attr_column(a, &l->out[i], SPK_SQL_NOWHERE),
            spk_attr_column(a, &r->out[i], SPK_SQL_NOWHERE) };
        SPK_ADD(a, conditions, n, spk_sql_call(&a->build, "<=>", pair, 2, SPK_SQL_NOWHERE));
    }
    for (size_t i = 0; i < left->n_out; i++)
        SPK_ADD(a, kept, m, spk_attr_column(a, &left->out[i], SPK_SQL_NOWHERE));
    if (spk_sql_failed(a->error))
        return NULL;
    spk_plan *join = spk_plan_join_of(
        a, term->kind == SPK_TERM_EXCEPT ? SPK_PLAN_ANTI : SPK_PLAN_SEMI, l, r, conditions, n, NULL);
    return join && term->all ? spk_plan_project(a, join, kept, left->out, m) : join;
}

/* union_of: distinct rows of both, widened ones, which need not be distinct before: of a chain of n unions all but the last
 * would be shuffled again and again. */
static spk_plan *union_of(spk_analyzer *a, spk_plan *l, spk_plan *r)
{
    spk_plan *const sides[] = { l, r };
    for (size_t i = 0; i < 2; i++)
        if (sides[i]->kind == SPK_PLAN_PROJECT && sides[i]->in[0]->kind == SPK_PLAN_DISTINCT)
            sides[i]->in[0] = sides[i]->in[0]->in[0];
    spk_plan *plan = spk_plan_new(a, SPK_PLAN_UNION, l, r);
    return plan ? spk_plan_distinct(a, plan) : NULL;
}

static spk_rel set_operation(spk_analyzer *a, const spk_ast_term *term, spk_scope *outer)
{
    spk_rel left = analyze_term(a, term->left, outer, NULL), right = nothing(outer), rel = nothing(outer);
    spk_attr *attrs = NULL;
    size_t n = 0;
    if (left.plan)
        right = analyze_term(a, term->right, outer, NULL);
    if (!right.plan || !count_columns(a, term, &left, &right))
        return rel;
    for (size_t i = 0; i < left.scope.n; i++) {
        const spk_scope_item *l = &left.scope.items[i], *r = &right.scope.items[i];
        const spk_sql_type *type = spk_sql_common(a->arena, l->attr.type, r->attr.type, true);
        if (!type) {
            char place[24];
            (void)snprintf(place, sizeof place, "%zu", i + 1);
            spk_sql_fail3(a->error, "INCOMPATIBLE_COLUMN_TYPE", term->span, "operator", set_name(term),
                "columnOrdinalNumber", place, "dataType1", spk_sql_type_quoted(&a->build, r->attr.type));
            spk_sql_param(a->error, "dataType2", "%s", spk_sql_type_quoted(&a->build, l->attr.type));
            return rel;
        }
        SPK_ADD(a, attrs, n, spk_attr_new(a, l->name, type, l->attr.nullable || r->attr.nullable));
        SPK_ADD(a, rel.scope.items, rel.scope.n, (spk_scope_item) { .name = l->name, .attr = attrs[n - 1] });
    }
    spk_plan *l = widen(a, &left, attrs, n, true), *r = widen(a, &right, attrs, n, false);
    if (!l || !r || ((term->kind != SPK_TERM_UNION || !term->all) && !spk_no_maps(a, l, term->span)))
        return rel;
    if (term->kind != SPK_TERM_UNION) {
        rel.plan = by_join(a, term, l, r);
        return rel;
    }
    rel.plan = term->all ? spk_plan_new(a, SPK_PLAN_UNION, l, r) : union_of(a, l, r);
    return rel;
}

static spk_rel analyze_term(
    spk_analyzer *a, const spk_ast_term *term, spk_scope *outer, const spk_ast_query *query)
{
    if (!term || spk_sql_failed(a->error))
        return nothing(outer);
    switch (term->kind) {
    case SPK_TERM_SELECT:
        return spk_analyze_select(a, term->select, outer, query);
    case SPK_TERM_RELATION:
        return spk_analyze_relation(a, term->relation, outer);
    case SPK_TERM_QUERY:
        return spk_analyze_query(a, term->query, outer);
    default:
        return set_operation(a, term, outer);
    }
}

spk_rel spk_analyze_term(spk_analyzer *a, const spk_ast_term *term, spk_scope *outer)
{
    return analyze_term(a, term, outer, NULL);
}

/* ---- */

/* ctes: each sees those before it. */
bool spk_push_ctes(spk_analyzer *a, const spk_ast_query *q)
{
    for (size_t i = 0; i < q->n_ctes; i++) {
        for (size_t k = 0; k < i; k++)
            if (spk_names_same(q->ctes[i].name, q->ctes[k].name)) {
                char name[100];
                (void)snprintf(name, sizeof name, "`%s`", q->ctes[i].name);
                spk_sql_fail1(a->error, "DUPLICATED_CTE_NAMES", q->span, "duplicateNames", name);
                return false;
            }
        spk_cte_env *env = spk_arena_alloc(a->arena, sizeof *env + 1, 8);
        if (!env) {
            spk_sql_nomem(a->error);
            return false;
        }
        bool *read = (bool *)(env + 1);
        *read = false;
        *env = (spk_cte_env) {
            .cte = &q->ctes[i], .inside = a->ctes, .next = a->ctes, .read = read, .recursive = q->recursive
        };
        a->ctes = env;
    }
    return true;
}

/* check_unread: what nobody names is not computed, but what is wrong with it is said. */
static void check_unread(spk_analyzer *a, const spk_cte_env *before, spk_scope *outer)
{
    for (const spk_cte_env *env = a->ctes; env != before && !spk_sql_failed(a->error); env = env->next)
        if (!*env->read && !env->recursive) {
            a->ctes = env->inside;
            (void)spk_analyze_query(a, env->cte->query, outer);
        }
}

/* rows_wanted: of SELECT .. FROM t LIMIT n: so many rows of t are enough; 0: all are wanted. */
static int64_t rows_wanted(const spk_ast_query *q)
{
    const spk_ast_select *s = q->term && q->term->kind == SPK_TERM_SELECT ? q->term->select : NULL;
    int64_t n = 0;
    if (!s || !q->limit || q->limit->kind != SPK_AST_NUMBER || q->offset || q->n_order || q->order_all || !s->from
        || s->from->kind != SPK_REL_TABLE || s->where || s->grouped || s->having || s->distinct || s->qualify)
        return 0;
    for (size_t i = 0; i < s->items.n; i++)
        if (s->items.at[i]->kind != SPK_AST_STAR && s->items.at[i]->kind != SPK_AST_NAME)
            return 0;
    for (size_t i = 0; i < q->limit->text_len && i < 9; i++) {
        if (q->limit->text[i] < '0' || q->limit->text[i] > '9')
            return 0;
        n = n * 10 + (q->limit->text[i] - '0');
    }
    return n;
}

spk_rel spk_analyze_query(spk_analyzer *a, const spk_ast_query *q, spk_scope *outer)
{
    const spk_cte_env *before = a->ctes;
    spk_rel rel = nothing(outer);
    if (!q || spk_sql_failed(a->error))
        return rel;
    if (++a->depth > QUERIES_DEEP) {
        spk_sql_unsupported(a->error, q->span, "queries nested so deep");
        return rel;
    }
    a->row_goal = rows_wanted(q);
    if (spk_push_ctes(a, q)) {
        const bool ordered = q->order_all || q->n_order;
        const bool select = q->term && q->term->kind == SPK_TERM_SELECT;
        rel = analyze_term(a, q->term, outer, ordered && select ? q : NULL);
        if (rel.plan && ordered && !select)
            rel = order(a, rel, q);
        if (rel.plan && (q->limit || q->offset))
            rel = limit(a, rel, q);
        check_unread(a, before, outer);
    }
    a->ctes = before;
    a->row_goal = 0;
    a->depth--;
    if (spk_sql_failed(a->error))
        rel.plan = NULL;
    return rel;
}
