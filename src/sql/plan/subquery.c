/* SPDX-License-Identifier: Apache-2.0 */
/* Subqueries become joins. EXISTS and IN are a column that says whether there is a match (MARK), which
 * the optimiser makes a semi or anti join where a filter asks for it; a scalar subquery is a join that
 * allows one match (SINGLE).
 *
 * A subquery that names columns of the query around it is freed of them in one of two ways. Where they
 * stand in filters alone, with nothing above but projections and groups, the conditions move up into the
 * join, and what they compare becomes a column or a group (pull). Everything else: the distinct values of
 * those columns, the domain, are joined to the subquery's own rows, and each operator keeps them apart
 * (Neumann, Kemper: Unnesting Arbitrary Queries, BTW 2015). */
#include "base/small.h"

#include "sql/eval/coerce.h"
#include "sql/eval/function.h"
#include "sql/plan/analyze.h"

/* ---- binding */

static spk_subqueries *list_of(spk_bind *b)
{
    return b->in_aggregate || !b->aggregates ? &b->before : &b->after;
}

/* conditions_of: x = y for each column; null_too: what is NULL counts as a match. */
static bool conditions_of(spk_bind *b, const spk_ast *ast, const spk_rel *rel, bool null_too, spk_subquery *sub)
{
    spk_analyzer *a = b->a;
    if (ast->args.n != rel->scope.n) {
        char n[24], m[24];
        (void)snprintf(n, sizeof n, "%zu", ast->args.n);
        (void)snprintf(m, sizeof m, "%zu", rel->scope.n);
        spk_sql_fail2(a->error, "DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH", ast->span, "leftLength", n,
            "rightLength", m);
        return false;
    }
    for (size_t i = 0; i < ast->args.n; i++) {
        spk_sql_expr *x = spk_bind_expr(b, ast->args.at[i]);
        if (!x)
            return false;
        spk_sql_expr *pair[] = { x, spk_attr_column(a, &rel->scope.items[i].attr, ast->span) };
        if (!spk_sql_common(a->arena, x->type, pair[1]->type, true)) {
            spk_sql_fail2(a->error, "DATATYPE_MISMATCH.IN_SUBQUERY_DATA_TYPE_MISMATCH", ast->span, "leftType",
                spk_sql_type_quoted(&a->build, x->type), "rightType", spk_sql_type_quoted(&a->build, pair[1]->type));
            return false;
        }
        spk_sql_expr *e = spk_sql_call(&a->build, "=", pair, 2, ast->span);
        if (e && null_too && e->nullable) {
            spk_sql_expr *either[] = { e, spk_sql_call(&a->build, "isnull", &e, 1, ast->span) };
            e = either[1] ? spk_sql_call(&a->build, "or", either, 2, ast->span) : NULL;
        }
        if (!e)
            return false;
        SPK_ADD(a, sub->conditions, sub->n_conditions, e);
        if (ast->args.n == 1)
            sub->attr.name = spk_print(a, "(%s IN (listquery()))", spk_expr_name(a, x));
    }
    return true;
}

/* three_valued: IN where FALSE and NULL are not the same: TRUE for a match, NULL where one may be meant. */
static spk_sql_expr *three_valued(spk_bind *b, const spk_ast *ast, bool negated)
{
    spk_sql_build *build = &b->a->build;
    const unsigned around = b->negations;
    b->negations = 0;
    spk_sql_expr *certain = spk_bind_subquery(b, ast, false);
    spk_sql_expr *not_possible = certain ? spk_bind_subquery(b, ast, true) : NULL;
    b->negations = around;
    if (!not_possible)
        return NULL;
    spk_sql_expr *args[] = { certain, spk_sql_boolean(build, true, ast->span), not_possible,
        spk_sql_boolean(build, false, ast->span),
        spk_sql_constant(build, spk_sql_type_of(SPK_SQL_BOOLEAN), NULL, ast->span) };
    spk_sql_expr *e = spk_sql_call(build, "case", args, 5, ast->span);
    return e && negated ? spk_sql_call(build, "not", &e, 1, ast->span) : e;
}

spk_sql_expr *spk_bind_subquery(spk_bind *b, const spk_ast *ast, bool negated)
{
    spk_analyzer *a = b->a;
    if (b->lambdas) {
        spk_sql_fail(a->error, "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.HIGHER_ORDER_FUNCTION", ast->span);
        return NULL;
    }
    if (b->negations && b->condition && ast->kind == SPK_AST_IN_QUERY)
        return three_valued(b, ast, negated);
    spk_scope around = b->scope ? *b->scope : (spk_scope) { .n = 0 };
    spk_scope *kept = spk_arena_alloc(a->arena, sizeof *kept, 8);
    if (!kept) {
        spk_sql_nomem(a->error);
        return NULL;
    }
    *kept = around;
    spk_rel rel = spk_analyze_query(a, ast->query, kept);
    spk_subquery sub = { .plan = rel.plan, .kind = SPK_PLAN_MARK };
    if (!rel.plan)
        return NULL;
    spk_subqueries *list = list_of(b);
    if (ast->kind == SPK_AST_SUBQUERY) {
        if (rel.scope.n != 1) {
            char n[24];
            (void)snprintf(n, sizeof n, "%zu", rel.scope.n);
            spk_sql_fail1(a->error, "INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN",
                ast->span, "number", n);
            return NULL;
        }
        sub.kind = SPK_PLAN_SINGLE;
        const spk_attr *from = &rel.scope.items[0].attr;
        sub.attr = spk_attr_new(a, "scalarsubquery()", from->type, true);
        spk_sql_expr *column = spk_attr_column(a, from, ast->span);
        sub.plan = spk_plan_project(a, rel.plan, &column, &sub.attr, 1);
    } else {
        sub.attr = spk_attr_new(a, ast->kind == SPK_AST_EXISTS ? "exists()" : "in", spk_sql_type_of(SPK_SQL_BOOLEAN),
            false);
        if (ast->kind == SPK_AST_IN_QUERY && !conditions_of(b, ast, &rel, negated, &sub))
            return NULL;
    }
    SPK_ADD(a, list->at, list->n, sub);
    spk_sql_expr *e = spk_attr_column(a, &sub.attr, ast->span);
    return e && negated ? spk_sql_call(&a->build, "not", &e, 1, ast->span) : e;
}

spk_plan *spk_attach(spk_analyzer *a, spk_plan *plan, const spk_subqueries *subqueries)
{
    for (size_t i = 0; plan && i < subqueries->n; i++) {
        const spk_subquery *s = &subqueries->at[i];
        plan = s->plan ? spk_join_correlated(
                   a, s->kind, plan, s->plan, s->conditions, s->n_conditions, &s->attr)
                       : NULL;
    }
    return plan;
}

/* ---- copies, and what is the same for both ways */

/* COPIES_EACH: copies of operators that count as a new one. */
enum { COPIES_EACH = 16 };

spk_plan *spk_plan_copy(spk_analyzer *a, const spk_plan *plan)
{
    if (++a->copies % COPIES_EACH == 0 && !spk_plan_counted(a))
        return NULL;
    spk_plan *copy = spk_arena_alloc(a->arena, sizeof *copy, 16);
    if (!copy || !plan) {
        spk_sql_nomem(a->error);
        return NULL;
    }
    *copy = *plan;
    copy->in = NULL;
    copy->n_in = 0;
    for (size_t i = 0; i < plan->n_in; i++)
        SPK_ADD(a, copy->in, copy->n_in, spk_plan_copy(a, plan->in[i]));
    copy->out = NULL;
    copy->n_out = 0;
    for (size_t i = 0; i < plan->n_out; i++)
        spk_plan_out(a, copy, plan->out[i]);
    size_t n_members = 0;
    copy->members = NULL;
    for (size_t i = 0; plan->members && i < plan->n_out; i++)
        SPK_ADD(a, copy->members, n_members, plan->members[i]);
    copy->exprs = NULL;
    copy->n_exprs = 0;
    for (size_t i = 0; i < plan->n_exprs; i++)
        SPK_ADD(a, copy->exprs, copy->n_exprs, plan->exprs[i]);
    copy->aggs = NULL;
    copy->n_aggs = 0;
    for (size_t i = 0; i < plan->n_aggs; i++) {
        spk_plan_agg agg = plan->aggs[i];
        spk_sql_aggregate *own = spk_arena_alloc(a->arena, sizeof *own, 16);
        spk_sql_expr **args = spk_arena_alloc(a->arena, (agg.aggregate->n + 1) * sizeof *args, 8);
        if (!own || !args) {
            spk_sql_nomem(a->error);
            return NULL;
        }
        *own = *agg.aggregate;
        if (own->n)
            memcpy(args, own->args, own->n * sizeof *args);
        own->args = args;
        agg.aggregate = own;
        SPK_ADD(a, copy->aggs, copy->n_aggs, agg);
    }
    copy->sort = NULL;
    copy->n_sort = 0;
    for (size_t i = 0; i < plan->n_sort; i++)
        SPK_ADD(a, copy->sort, copy->n_sort, plan->sort[i]);
    copy->partition = NULL;
    copy->n_partition = 0;
    for (size_t i = 0; i < plan->n_partition; i++)
        SPK_ADD(a, copy->partition, copy->n_partition, plan->partition[i]);
    copy->functions = NULL;
    copy->n_functions = 0;
    for (size_t i = 0; i < plan->n_functions; i++) {
        spk_plan_function f = plan->functions[i];
        spk_sql_expr **args = NULL;
        size_t n = 0;
        for (size_t k = 0; k < f.n_args; k++)
            SPK_ADD(a, args, n, f.args[k]);
        f.args = args;
        SPK_ADD(a, copy->functions, copy->n_functions, f);
    }
    return copy;
}

/* empty_value: what an aggregate gives over no rows. */
spk_sql_expr *spk_empty_value(spk_analyzer *a, const spk_sql_aggregate *agg)
{
    char *state = spk_arena_alloc(a->arena, agg->state->size + 64, 64);
    char *value = spk_arena_alloc(a->arena, agg->type->size + 64, 64);
    bool valid = false;
    if (!state || !value) {
        spk_sql_nomem(a->error);
        return NULL;
    }
    memset(state, 0, agg->state->size);
    spk_sql_agg_init(agg, state);
    if (!spk_sql_agg_finish(agg, state, value, &valid, a->arena, a->error))
        return NULL;
    return spk_sql_constant(&a->build, agg->type, valid ? value : NULL, agg->span);
}

static bool own_expr_touches(spk_sql_expr **list, size_t n, const spk_plan *left)
{
    for (size_t i = 0; i < n; i++)
        if (spk_expr_touches(list[i], left))
            return true;
    return false;
}

typedef struct touching {
    const spk_plan *left;
    bool found;
} touching;

static void touch(void *arg, spk_sql_expr **place)
{
    touching *t = arg;
    t->found |= spk_expr_touches(*place, t->left);
}

/* itself_touches: whether the operator itself, not what is below it, names the outer query. */
static bool itself_touches(const spk_plan *plan, const spk_plan *left)
{
    touching t = { left, false };
    spk_plan_each((spk_plan *)(uintptr_t)plan, touch, &t);
    return t.found;
}

/* ---- pulling conditions up */

typedef struct pulling {
    spk_analyzer *a;
    const spk_plan *left;
    spk_plan_join kind;
    bool exists; /* only whether there is a row matters */
    bool failed;
    spk_sql_expr **pulled;
    size_t n;
} pulling;

static spk_plan *pull(pulling *p, spk_plan *plan);

static spk_plan *pull_fails(pulling *p)
{
    p->failed = true;
    return NULL;
}

static spk_plan *pull_filter(pulling *p, const spk_plan *plan)
{
    spk_plan *in = pull(p, plan->in[0]);
    spk_sql_expr **kept = NULL;
    size_t n = 0;
    if (!in)
        return NULL;
    for (size_t i = 0; i < plan->n_exprs; i++)
        if (spk_expr_touches(plan->exprs[i], p->left))
            SPK_ADD(p->a, p->pulled, p->n, plan->exprs[i]);
        else
            SPK_ADD(p->a, kept, n, plan->exprs[i]);
    return spk_plan_filter(p->a, in, kept, n);
}

typedef struct passing {
    pulling *p;
    spk_plan *in, *to;
} passing;

static void pass(void *arg, const spk_sql_expr *column)
{
    passing *x = arg;
    if (spk_plan_has(x->to, column->column) || !spk_plan_has(x->in, column->column))
        return;
    for (size_t i = 0; i < x->in->n_out; i++)
        if (x->in->out[i].id == column->column) {
            SPK_ADD(x->p->a, x->to->exprs, x->to->n_exprs,
                spk_attr_column(x->p->a, &x->in->out[i], SPK_SQL_NOWHERE));
            spk_plan_out(x->p->a, x->to, x->in->out[i]);
            return;
        }
}

static spk_plan *pull_project(pulling *p, spk_plan *plan)
{
    if (own_expr_touches(plan->exprs, plan->n_exprs, p->left))
        return pull_fails(p);
    spk_plan *in = pull(p, plan->in[0]);
    spk_plan *made = in ? spk_plan_project(p->a, in, plan->exprs, plan->out, plan->n_out) : NULL;
    if (!made)
        return NULL;
    passing x = { p, in, made };
    for (size_t i = 0; i < p->n; i++)
        spk_expr_columns(p->pulled[i], pass, &x);
    return made;
}

/* group_by_condition: inner = outer: inner becomes a group. */
static bool group_by_condition(pulling *p, spk_plan *agg, const spk_plan *in, spk_sql_expr **place)
{
    spk_sql_expr *e = *place;
    if (e->kind != SPK_SQL_CALL || !e->function || e->n != 2
        || (strcmp(e->function->name, "=") != 0 && strcmp(e->function->name, "<=>") != 0))
        return spk_expr_within(e, agg);
    const bool first = spk_expr_within(e->args[0], in);
    spk_sql_expr *inner = e->args[!first], *outer = e->args[first];
    if (!spk_expr_within(inner, in) || spk_expr_touches(outer, in))
        return false;
    for (size_t i = 0; i < agg->n_exprs; i++)
        if (spk_expr_same(agg->exprs[i], inner))
            goto found;
    spk_attr attr = spk_attr_new(p->a, spk_expr_name(p->a, inner), inner->type, inner->nullable);
    if (inner->kind == SPK_SQL_COLUMN)
        attr.id = inner->column;
    /* keys stand before aggregates */
    SPK_ADD(p->a, agg->exprs, agg->n_exprs, inner);
    spk_plan_out(p->a, agg, attr);
    if (spk_sql_failed(p->a->error))
        return false;
    for (size_t i = agg->n_out - 1; i >= agg->n_exprs; i--)
        agg->out[i] = agg->out[i - 1];
    agg->out[agg->n_exprs - 1] = attr;
found:
    for (size_t i = 0; i < agg->n_exprs; i++)
        if (spk_expr_same(agg->exprs[i], inner)) {
            spk_sql_expr *pair[] = { spk_attr_column(p->a, &agg->out[i], e->span), outer };
            *place = spk_sql_call(&p->a->build, e->function->name, pair, 2, e->span);
            return *place != NULL;
        }
    return false;
}

static spk_plan *pull_aggregate(pulling *p, spk_plan *plan)
{
    if (itself_touches(plan, p->left) || (plan->n_exprs == 0 && p->kind != SPK_PLAN_SINGLE))
        return pull_fails(p);
    for (size_t i = 0; plan->n_exprs == 0 && i < plan->n_aggs; i++) {
        const spk_sql_expr *none = spk_empty_value(p->a, plan->aggs[i].aggregate);
        if (!none || !none->null)
            return pull_fails(p);
    }
    spk_plan *in = pull(p, plan->in[0]);
    if (!in)
        return NULL;
    spk_plan *made = spk_plan_copy(p->a, plan);
    if (!made)
        return NULL;
    made->in[0] = in;
    for (size_t i = 0; i < p->n; i++)
        if (!group_by_condition(p, made, in, &p->pulled[i]))
            return pull_fails(p);
    return made;
}

static spk_plan *pull_join(pulling *p, spk_plan *plan)
{
    const bool inner = plan->join == SPK_PLAN_INNER;
    if (plan->join == SPK_PLAN_RIGHT || plan->join == SPK_PLAN_FULL
        || (!inner
            && (itself_touches(plan, p->left) || spk_plan_correlated(plan->in[1], p->left))))
        return pull_fails(p);
    spk_plan *left = pull(p, plan->in[0]);
    spk_plan *right = left && inner ? pull(p, plan->in[1]) : plan->in[1];
    spk_sql_expr **kept = NULL;
    size_t n = 0;
    if (!left || !right)
        return NULL;
    for (size_t i = 0; i < plan->n_exprs; i++)
        if (spk_expr_touches(plan->exprs[i], p->left))
            SPK_ADD(p->a, p->pulled, p->n, plan->exprs[i]);
        else
            SPK_ADD(p->a, kept, n, plan->exprs[i]);
    const spk_attr *mark = plan->join == SPK_PLAN_MARK ? &plan->out[plan->n_out - 1] : NULL;
    return spk_plan_join_of(p->a, plan->join, left, right, kept, n, mark);
}

static spk_plan *pull(pulling *p, spk_plan *plan)
{
    if (p->failed || !plan || !spk_plan_correlated(plan, p->left))
        return plan;
    switch (plan->kind) {
    case SPK_PLAN_FILTER:
        return pull_filter(p, plan);
    case SPK_PLAN_PROJECT:
        return pull_project(p, plan);
    case SPK_PLAN_AGGREGATE:
        return pull_aggregate(p, plan);
    case SPK_PLAN_JOIN:
        return pull_join(p, plan);
    case SPK_PLAN_SORT:
        return itself_touches(plan, p->left) ? pull_fails(p) : pull(p, plan->in[0]);
    case SPK_PLAN_DISTINCT:
        return p->kind == SPK_PLAN_MARK || p->kind == SPK_PLAN_SEMI || p->kind == SPK_PLAN_ANTI
            ? pull(p, plan->in[0])
            : pull_fails(p);
    case SPK_PLAN_LIMIT:
        return p->exists && plan->limit != 0 && plan->offset == 0 ? pull(p, plan->in[0]) : pull_fails(p);
    default:
        return pull_fails(p);
    }
}

/* null_if_empty: whether the only column is NULL where the aggregation below has no rows. */
static bool null_if_empty(const spk_plan *plan, const spk_sql_expr *e)
{
    static const char *const strict[] = { "+", "-", "*", "/", "u-", "%" };
    if (e->kind == SPK_SQL_COLUMN) {
        for (size_t i = 0; plan->kind == SPK_PLAN_PROJECT && i < plan->n_out; i++)
            if (plan->out[i].id == e->column && plan->exprs[i]->kind != SPK_SQL_COLUMN)
                return null_if_empty(plan->in[0], plan->exprs[i]);
        return plan->kind != SPK_PLAN_PROJECT || null_if_empty(plan->in[0], e);
    }
    if (e->kind == SPK_SQL_CAST)
        return null_if_empty(plan, e->args[0]);
    for (size_t i = 0; e->kind == SPK_SQL_CALL && e->function && i < sizeof strict / sizeof strict[0]; i++)
        if (strcmp(e->function->name, strict[i]) == 0)
            for (uint32_t k = 0; k < e->n; k++)
                if (null_if_empty(plan, e->args[k]))
                    return true;
    return false;
}

/* simple_scalar: a scalar subquery that is no global aggregate, or one that gives NULL over no rows. */
static bool simple_scalar(const spk_plan *plan)
{
    const spk_plan *at = plan;
    while (at->kind == SPK_PLAN_PROJECT)
        at = at->in[0];
    if (at->kind == SPK_PLAN_FILTER) {
        const spk_plan *below = at;
        while (below->kind == SPK_PLAN_PROJECT || below->kind == SPK_PLAN_FILTER)
            below = below->in[0];
        return below->kind != SPK_PLAN_AGGREGATE || below->n_exprs > 0;
    }
    if (at->kind != SPK_PLAN_AGGREGATE || at->n_exprs > 0)
        return true;
    return plan->kind == SPK_PLAN_AGGREGATE || null_if_empty(plan->in[0], plan->exprs[0]);
}

static spk_plan *try_pull(spk_analyzer *a, spk_plan_join kind, spk_plan *left, spk_plan *right,
    spk_sql_expr **conditions, size_t n, const spk_attr *mark)
{
    pulling p = { .a = a, .left = left, .kind = kind, .exists = n == 0 && kind != SPK_PLAN_SINGLE };
    if (kind == SPK_PLAN_RIGHT || kind == SPK_PLAN_FULL || kind == SPK_PLAN_LEFT
        || (kind == SPK_PLAN_SINGLE && !simple_scalar(right)))
        return NULL;
    spk_plan *in = pull(&p, right);
    if (!in || p.failed)
        return NULL;
    for (size_t i = 0; i < n; i++)
        SPK_ADD(a, p.pulled, p.n, conditions[i]);
    return spk_plan_join_of(a, kind, left, in, p.pulled, p.n, mark);
}

/* ---- the domain */

typedef struct domain {
    spk_analyzer *a;
    const spk_plan *left;
    uint32_t *ids; /* attributes of the outer query that are named */
    size_t n;
} domain;

static void note_column(void *arg, const spk_sql_expr *column)
{
    domain *d = arg;
    if (!spk_plan_has(d->left, column->column))
        return;
    for (size_t i = 0; i < d->n; i++)
        if (d->ids[i] == column->column)
            return;
    SPK_ADD(d->a, d->ids, d->n, column->column);
}

static void note_place(void *arg, spk_sql_expr **place)
{
    spk_expr_columns(*place, note_column, arg);
}

static void note_plan(domain *d, spk_plan *plan)
{
    spk_plan_each(plan, note_place, d);
    for (size_t i = 0; i < plan->n_in; i++)
        note_plan(d, plan->in[i]);
}

/* giver: the innermost part of the left side that has all of the columns, with the same values: above it are joins that
 * keep each row of their left side, as those of other subqueries do, which need not be computed again. */
static const spk_plan *giver(const domain *d)
{
    const spk_plan *plan = d->left;
    for (;;) {
        const bool keeps = plan->kind == SPK_PLAN_PROJECT
            || (plan->kind == SPK_PLAN_JOIN
                && (plan->join == SPK_PLAN_LEFT || plan->join == SPK_PLAN_SINGLE || plan->join == SPK_PLAN_MARK
                    || plan->keeps_left));
        if (!keeps)
            return plan;
        for (size_t i = 0; i < d->n; i++)
            if (!spk_plan_has(plan->in[0], d->ids[i]))
                return plan;
        plan = plan->in[0];
    }
}

/* new_domain: the distinct values, as attributes of their own. */
static spk_plan *new_domain(domain *d, spk_attr **attrs)
{
    spk_sql_expr **exprs = NULL;
    size_t n = 0, m = 0;
    const spk_plan *left = giver(d);
    *attrs = NULL;
    for (size_t i = 0; i < d->n; i++)
        for (size_t k = 0; k < left->n_out; k++)
            if (left->out[k].id == d->ids[i]) {
                const spk_attr *from = &left->out[k];
                SPK_ADD(d->a, exprs, n, spk_attr_column(d->a, from, SPK_SQL_NOWHERE));
                SPK_ADD(d->a, *attrs, m, spk_attr_new(d->a, from->name, from->type, from->nullable));
                break;
            }
    spk_plan *copy = spk_plan_copy(d->a, left);
    spk_plan *plan = copy ? spk_plan_project(d->a, copy, exprs, *attrs, n < m ? n : m) : NULL;
    return plan ? spk_plan_distinct(d->a, plan) : NULL;
}

static spk_plan *spread(domain *d, spk_plan *plan, spk_attr **attrs);

/* over: the operator itself, on another input, with the domain's columns for the outer ones. */
static spk_plan *over(domain *d, const spk_plan *plan, spk_plan *in, const spk_attr *attrs)
{
    spk_replacement *list = NULL;
    size_t n = 0;
    spk_plan shallow = *plan;
    shallow.n_in = 0;
    spk_plan *made = in ? spk_plan_copy(d->a, &shallow) : NULL;
    if (!made)
        return NULL;
    SPK_ADD(d->a, made->in, made->n_in, in);
    for (size_t i = 0; i < d->n; i++)
        SPK_ADD(d->a, list, n, (spk_replacement) { d->ids[i], spk_attr_column(d->a, &attrs[i], SPK_SQL_NOWHERE) });
    made->n_in = 0; /* what is below has been seen to */
    spk_plan_replace(d->a, made, list, n);
    made->n_in = 1;
    return made;
}

static void add_domain(domain *d, spk_plan *plan, const spk_attr *attrs)
{
    for (size_t i = 0; i < d->n; i++)
        if (!spk_plan_has(plan, attrs[i].id))
            spk_plan_out(d->a, plan, attrs[i]);
}

/* same_domain: conditions that two instances agree. */
static void same_domain(domain *d, const spk_attr *x, const spk_attr *y, spk_sql_expr ***conditions, size_t *n)
{
    for (size_t i = 0; i < d->n; i++) {
        spk_sql_expr *pair[] = { spk_attr_column(d->a, &x[i], SPK_SQL_NOWHERE),
            spk_attr_column(d->a, &y[i], SPK_SQL_NOWHERE) };
        for (size_t k = 0; k < 2 && x[i].type->kind == SPK_SQL_MAP; k++) /* maps do not compare, lists do */
            pair[k] = spk_sql_call(&d->a->build, "map_entries", &pair[k], 1, SPK_SQL_NOWHERE);
        if (!pair[0] || !pair[1])
            return;
        SPK_ADD(d->a, *conditions, *n, spk_sql_call(&d->a->build, "<=>", pair, 2, SPK_SQL_NOWHERE));
    }
}

/* spread_aggregate: groups for each value of the domain; without keys of its own also for those that have
 * no rows. */
static spk_plan *spread_aggregate(domain *d, spk_plan *plan, spk_attr **attrs)
{
    spk_plan *in = spread(d, plan->in[0], attrs);
    spk_plan *made = over(d, plan, in, *attrs);
    if (!made)
        return NULL;
    const size_t keys = plan->n_exprs;
    spk_attr *out = NULL;
    size_t n = 0;
    for (size_t i = 0; i < keys; i++)
        SPK_ADD(d->a, out, n, made->out[i]);
    for (size_t i = 0; i < d->n; i++) {
        SPK_ADD(d->a, made->exprs, made->n_exprs, spk_attr_column(d->a, &(*attrs)[i], SPK_SQL_NOWHERE));
        SPK_ADD(d->a, out, n, (*attrs)[i]);
    }
    for (size_t i = 0; i < made->n_aggs; i++) {
        spk_attr attr = made->out[keys + i];
        if (keys == 0) /* what is there is renamed below */
            attr = spk_attr_new(d->a, attr.name, attr.type, attr.nullable);
        SPK_ADD(d->a, out, n, attr);
    }
    made->out = out;
    made->n_out = n;
    if (keys)
        return made;
    spk_attr *all;
    spk_sql_expr **conditions = NULL, **exprs = NULL;
    spk_attr *names = NULL;
    size_t m = 0, k = 0, x = 0;
    spk_plan *values = new_domain(d, &all);
    same_domain(d, all, *attrs, &conditions, &m);
    spk_plan *join = values ? spk_plan_join_of(d->a, SPK_PLAN_LEFT, values, made, conditions, m, NULL) : NULL;
    for (size_t i = 0; join && i < d->n; i++) {
        SPK_ADD(d->a, exprs, k, spk_attr_column(d->a, &all[i], SPK_SQL_NOWHERE));
        SPK_ADD(d->a, names, x, all[i]);
    }
    for (size_t i = 0; join && i < plan->n_aggs; i++) {
        spk_attr column = out[d->n + i];
        column.nullable = true;
        spk_sql_expr *e = spk_attr_column(d->a, &column, SPK_SQL_NOWHERE);
        spk_sql_expr *none = spk_empty_value(d->a, plan->aggs[i].aggregate);
        if (none && !none->null) {
            spk_sql_expr *pair[] = { e, none };
            e = spk_sql_call(&d->a->build, "coalesce", pair, 2, SPK_SQL_NOWHERE);
        }
        SPK_ADD(d->a, exprs, k, e);
        SPK_ADD(d->a, names, x, plan->out[i]);
    }
    *attrs = all;
    return join && !spk_sql_failed(d->a->error) ? spk_plan_project(d->a, join, exprs, names, k) : NULL;
}

static spk_plan *spread_join(domain *d, spk_plan *plan, spk_attr **attrs)
{
    const bool inner = plan->join == SPK_PLAN_INNER;
    const bool on_right = spk_plan_correlated(plan->in[1], d->left);
    const bool on_left = spk_plan_correlated(plan->in[0], d->left) || !inner || !on_right;
    spk_attr *right_attrs = NULL, *left_attrs = NULL;
    if (plan->join == SPK_PLAN_RIGHT || plan->join == SPK_PLAN_FULL) {
        spk_sql_unsupported(d->a->error, plan->span, "a right or full outer join in a correlated subquery");
        return NULL;
    }
    spk_plan *left = on_left ? spread(d, plan->in[0], &left_attrs) : plan->in[0];
    spk_plan *right = on_right ? spread(d, plan->in[1], &right_attrs) : plan->in[1];
    *attrs = left_attrs ? left_attrs : right_attrs;
    if (!left || !right)
        return NULL;
    spk_plan *named = over(d, plan, left, *attrs);
    if (!named)
        return NULL;
    spk_sql_expr **conditions = named->exprs;
    size_t n = named->n_exprs;
    if (left_attrs && right_attrs)
        same_domain(d, left_attrs, right_attrs, &conditions, &n);
    const spk_attr *mark = plan->join == SPK_PLAN_MARK ? &plan->out[plan->n_out - 1] : NULL;
    return spk_plan_join_of(d->a, plan->join, left, right, conditions, n, mark);
}

/* spread_limit: the first rows of each value of the domain. */
static spk_plan *spread_limit(domain *d, spk_plan *plan, spk_attr **attrs)
{
    spk_analyzer *a = d->a;
    const spk_plan *sorted = plan->in[0];
    while (sorted->kind == SPK_PLAN_PROJECT)
        sorted = sorted->in[0];
    spk_plan *in = spread(d, plan->in[0], attrs);
    spk_plan *window = in ? spk_plan_new(a, SPK_PLAN_WINDOW, in, NULL) : NULL;
    if (!window)
        return NULL;
    for (size_t i = 0; i < d->n; i++)
        SPK_ADD(a, window->partition, window->n_partition, spk_attr_column(a, &(*attrs)[i], SPK_SQL_NOWHERE));
    for (size_t i = 0; sorted->kind == SPK_PLAN_SORT && i < sorted->n_sort; i++)
        if (spk_expr_within(sorted->sort[i].expression, in))
            SPK_ADD(a, window->sort, window->n_sort, sorted->sort[i]);
    const spk_attr number = spk_attr_new(a, "row_number", spk_sql_type_of(SPK_SQL_INT), false);
    const spk_plan_function f = { .name = "row_number", .to = SPK_BOUND_UNBOUNDED_FOLLOWING };
    SPK_ADD(a, window->functions, window->n_functions, f);
    spk_plan_out(a, window, number);
    spk_sql_expr **exprs = NULL;
    size_t n = 0;
    const int64_t edges[] = { plan->offset, plan->limit < 0 ? -1 : plan->offset + plan->limit };
    for (size_t i = 0; i < 2; i++)
        if (edges[i] > 0 || (i == 1 && edges[i] == 0)) {
            spk_sql_expr *pair[] = { spk_attr_column(a, &number, SPK_SQL_NOWHERE),
                spk_sql_constant(&a->build, spk_sql_type_of(SPK_SQL_BIGINT), &edges[i], SPK_SQL_NOWHERE) };
            SPK_ADD(a, exprs, n, spk_sql_call(&a->build, i ? "<=" : ">", pair, 2, SPK_SQL_NOWHERE));
        }
    return spk_sql_failed(a->error) ? NULL : spk_plan_filter(a, window, exprs, n);
}

static spk_plan *spread_both(domain *d, spk_plan *plan, spk_attr **attrs)
{
    spk_attr *right_attrs;
    spk_plan *left = spread(d, plan->in[0], attrs), *right = left ? spread(d, plan->in[1], &right_attrs) : NULL;
    spk_plan *sides[2] = { left, right };
    for (size_t s = 0; right && s < 2; s++) { /* the domain stands in front, then the columns */
        spk_sql_expr **exprs = NULL;
        spk_attr *out = NULL;
        size_t n = 0, m = 0;
        const spk_attr *domain_attrs = s ? right_attrs : *attrs;
        for (size_t i = 0; i < d->n; i++) {
            SPK_ADD(d->a, exprs, n, spk_attr_column(d->a, &domain_attrs[i], SPK_SQL_NOWHERE));
            SPK_ADD(d->a, out, m, domain_attrs[i]);
        }
        for (size_t i = 0; i < plan->in[s]->n_out; i++) {
            SPK_ADD(d->a, exprs, n, spk_attr_column(d->a, &plan->in[s]->out[i], SPK_SQL_NOWHERE));
            SPK_ADD(d->a, out, m, plan->in[s]->out[i]);
        }
        sides[s] = spk_plan_project(d->a, sides[s], exprs, out, n < m ? n : m);
    }
    spk_plan *made = right && sides[1] ? spk_plan_new(d->a, plan->kind, sides[0], sides[1]) : NULL;
    if (!made)
        return NULL;
    for (size_t i = 0; i < plan->n_out; i++)
        made->out[d->n + i] = plan->out[i];
    return made;
}

/* spread: the plan's rows for each value of the domain, beside that value. */
static spk_plan *spread(domain *d, spk_plan *plan, spk_attr **attrs)
{
    spk_plan *in, *made;
    if (!plan || spk_sql_failed(d->a->error))
        return NULL;
    if (!spk_plan_correlated(plan, d->left)) {
        spk_plan *values = new_domain(d, attrs);
        return values ? spk_plan_join_of(d->a, SPK_PLAN_INNER, values, plan, NULL, 0, NULL) : NULL;
    }
    switch (plan->kind) {
    case SPK_PLAN_FILTER:
    case SPK_PLAN_DISTINCT:
    case SPK_PLAN_GENERATE:
        in = spread(d, plan->in[0], attrs);
        made = over(d, plan, in, *attrs);
        break;
    case SPK_PLAN_PROJECT:
        in = spread(d, plan->in[0], attrs);
        made = over(d, plan, in, *attrs);
        for (size_t i = 0; made && i < d->n; i++)
            SPK_ADD(d->a, made->exprs, made->n_exprs, spk_attr_column(d->a, &(*attrs)[i], SPK_SQL_NOWHERE));
        break;
    case SPK_PLAN_WINDOW:
        in = spread(d, plan->in[0], attrs);
        made = over(d, plan, in, *attrs);
        for (size_t i = 0; made && i < d->n; i++)
            SPK_ADD(d->a, made->partition, made->n_partition, spk_attr_column(d->a, &(*attrs)[i], SPK_SQL_NOWHERE));
        if (made && in) { /* what windows add stands behind the input */
            const spk_attr *own = plan->out + plan->in[0]->n_out;
            made->n_out = 0;
            made->out = NULL;
            for (size_t i = 0; i < in->n_out; i++)
                spk_plan_out(d->a, made, in->out[i]);
            for (size_t i = 0; i < plan->n_functions; i++)
                spk_plan_out(d->a, made, own[i]);
        }
        return made;
    case SPK_PLAN_SORT:
        return spread(d, plan->in[0], attrs);
    case SPK_PLAN_LIMIT:
        return spread_limit(d, plan, attrs);
    case SPK_PLAN_AGGREGATE:
        return spread_aggregate(d, plan, attrs);
    case SPK_PLAN_JOIN:
        return spread_join(d, plan, attrs);
    case SPK_PLAN_UNION:
        return spread_both(d, plan, attrs);
    default:
        spk_sql_unsupported(d->a->error, plan->span, "such a correlated subquery");
        return NULL;
    }
    if (made && plan->kind == SPK_PLAN_GENERATE) {
        const spk_attr *own = plan->out + plan->in[0]->n_out;
        const size_t n = plan->n_out - plan->in[0]->n_out;
        made->n_out = 0;
        made->out = NULL;
        for (size_t i = 0; i < in->n_out; i++)
            spk_plan_out(d->a, made, in->out[i]);
        for (size_t i = 0; i < n; i++)
            spk_plan_out(d->a, made, own[i]);
        return made;
    }
    if (made && plan->kind != SPK_PLAN_PROJECT) { /* all of the input */
        made->n_out = 0;
        made->out = NULL;
        for (size_t i = 0; i < in->n_out; i++)
            spk_plan_out(d->a, made, in->out[i]);
    }
    if (made)
        add_domain(d, made, *attrs);
    return made;
}

/* beside: expressions of the left side's columns alone, without rows of their own, stand beside these. */
static spk_plan *beside(spk_analyzer *a, const spk_plan *right, spk_plan *left)
{
    spk_sql_expr **exprs = NULL;
    spk_attr *attrs = NULL;
    size_t n = 0, m = 0;
    for (size_t i = 0; i < left->n_out; i++) {
        SPK_ADD(a, exprs, n, spk_attr_column(a, &left->out[i], SPK_SQL_NOWHERE));
        SPK_ADD(a, attrs, m, left->out[i]);
    }
    for (size_t i = 0; i < right->n_out; i++) {
        SPK_ADD(a, exprs, n, right->exprs[i]);
        SPK_ADD(a, attrs, m, right->out[i]);
    }
    return spk_sql_failed(a->error) ? NULL : spk_plan_project(a, left, exprs, attrs, n);
}

/* totals: one row, whatever there is. */
static bool totals(const spk_plan *plan)
{
    while (plan->kind == SPK_PLAN_PROJECT)
        plan = plan->in[0];
    return plan->kind == SPK_PLAN_AGGREGATE && plan->n_exprs == 0;
}

static bool one_row_made(const spk_plan *plan)
{
    return plan->kind == SPK_PLAN_PROJECT && plan->in[0]->kind == SPK_PLAN_ROWS && plan->in[0]->n_rows == 1
        && plan->in[0]->n_out == 0;
}

spk_plan *spk_join_correlated(spk_analyzer *a, spk_plan_join kind, spk_plan *left, spk_plan *right,
    spk_sql_expr **conditions, size_t n, const spk_attr *mark)
{
    if (!spk_plan_correlated(right, left))
        return spk_plan_join_of(a, kind, left, right, conditions, n, mark);
    if (kind == SPK_PLAN_INNER && n == 0 && one_row_made(right))
        return beside(a, right, left);
    spk_plan *pulled = try_pull(a, kind, left, right, conditions, n, mark);
    if (pulled || spk_sql_failed(a->error))
        return pulled;
    domain d = { .a = a, .left = left };
    spk_attr *attrs, *outer = NULL;
    size_t m = 0;
    note_plan(&d, right);
    spk_plan *in = spread(&d, right, &attrs);
    if (!in)
        return NULL;
    for (size_t i = 0; i < d.n; i++)
        for (size_t k = 0; k < left->n_out; k++)
            if (left->out[k].id == d.ids[i]) {
                SPK_ADD(a, outer, m, left->out[k]);
                break;
            }
    spk_sql_expr **all = NULL;
    size_t n_all = 0;
    for (size_t i = 0; i < n; i++)
        SPK_ADD(a, all, n_all, conditions[i]);
    same_domain(&d, outer, attrs, &all, &n_all);
    spk_plan *made = spk_sql_failed(a->error) ? NULL : spk_plan_join_of(a, kind, left, in, all, n_all, mark);
    if (made && made->kind == SPK_PLAN_JOIN)
        made->keeps_left = kind == SPK_PLAN_INNER && n == 0 && totals(right);
    return made;
}
