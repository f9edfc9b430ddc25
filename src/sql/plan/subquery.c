/* SPDX-License-Identifier: Apache-2.0 */
/* Subqueries become joins. EXISTS and IN are a column that says whether there is a match (MARK), which
 * the optimiser makes a semi or anti join where a filter asks for it; a scalar subquery is a join that
 * allows one match (SINGLE).
 *
 * A subquery that names columns of the query around it is freed of them in one of two ways. Where they
 * stand in filters alone, with nothing above but projections and groups, the conditions move up into the
 * join, and what they compare becomes a column or a group (pull). Everything else goes by domain.c. */
#include "base/small.h"

#include "sql/plan/analyze.h"

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
    const bool marks = kind == SPK_PLAN_MARK || kind == SPK_PLAN_SEMI || kind == SPK_PLAN_ANTI;
    pulling p = { .a = a, .left = left, .kind = kind, .exists = n == 0 && marks };
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

/* ---- */

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
    return pulled || spk_sql_failed(a->error) ? pulled : spk_domain_join(a, kind, left, right, conditions, n, mark);
}
