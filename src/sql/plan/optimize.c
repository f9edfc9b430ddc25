/* SPDX-License-Identifier: Apache-2.0 */
/* The rules, in the order in which they run:
 *
 *   semi joins   a filter that asks for the mark of a subquery makes its join a semi or anti join
 *   factors      (a AND b) OR (a AND c) is a AND (b OR c): join keys inside ORs come out
 *   pushdown     conditions go down as far as what they name is there, and into joins; of an OR over several
 *                inputs, what it says of each (push_down.c)
 *   outer joins  become inner ones where a condition above refuses the NULLs they add (push_down.c)
 *   folding      what is constant is computed once; what fails is left to fail when it runs
 *   emptiness    conditions that are TRUE go, and what is made of no rows (empty.c)
 *   semi joins   go below inner joins, to the input that they are about
 *   join order   of inner joins (join_order.c)
 *   dependants   keys of a grouping that are computed from others are none (dependants.c)
 *   sums         of x plus constants are one sum and a count (sums.c)
 *   counts       of the large side of an outer join are made before it (counts.c)
 *   limits       of the rows of each partition of a window, where a condition is on their number (group_limit.c)
 *   pruning      columns that nobody asks for are not made; what the plan has twice keeps what either is asked for
 *                (prune.c)
 *   collapsing   a projection of a projection is one, where nothing is computed twice by that
 *   folding, emptiness   once more
 *   strategies   how joins are computed (strategy.c)
 *   common subplans   what the plan has twice is computed once (common.c)
 *
 * A plan is a tree here: operators are changed in place. */
#include "base/small.h"

#include "sql/plan/rules.h"

/* ---- semi joins */

/* by_subquery: whether a subquery may have added that join. */
static bool by_subquery(const spk_plan *plan)
{
    return plan->kind == SPK_PLAN_JOIN && (plan->join == SPK_PLAN_MARK || plan->join == SPK_PLAN_SINGLE
                                              || plan->join == SPK_PLAN_SEMI || plan->join == SPK_PLAN_ANTI);
}

/* mark_join: the join below, behind others that subqueries have added, whose mark that is. */
static spk_plan *mark_join(spk_plan *plan, uint32_t id)
{
    while (by_subquery(plan)) {
        if (plan->join == SPK_PLAN_MARK && plan->out[plan->n_out - 1].id == id)
            return plan;
        plan = plan->in[0];
    }
    return NULL;
}

static void refresh_down(spk_analyzer *a, spk_plan *plan)
{
    if (by_subquery(plan))
        refresh_down(a, plan->in[0]);
    spk_plan_refresh(a, plan);
}

static void semi_joins(spk_analyzer *a, spk_plan *plan)
{
    for (size_t i = 0; i < plan->n_in; i++)
        semi_joins(a, plan->in[i]);
    if (plan->kind != SPK_PLAN_FILTER)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < plan->n_exprs; i++) {
        spk_sql_expr *e = plan->exprs[i];
        const bool negated = spk_expr_is(e, "not");
        const spk_sql_expr *column = negated ? e->args[0] : e;
        spk_plan *join = column->kind == SPK_SQL_COLUMN ? mark_join(plan->in[0], column->column) : NULL;
        if (join)
            join->join = negated ? SPK_PLAN_ANTI : SPK_PLAN_SEMI;
        else
            plan->exprs[kept++] = e;
    }
    if (kept < plan->n_exprs)
        refresh_down(a, plan->in[0]);
    plan->n_exprs = kept;
    spk_plan_refresh(a, plan);
}

/* ---- semi joins, below inner ones */

typedef struct of_side {
    const spk_plan *right, *side;
    bool fits;
} of_side;

static void check_column(void *arg, const spk_sql_expr *column)
{
    of_side *o = arg;
    o->fits &= spk_plan_has(o->right, column->column) || spk_plan_has(o->side, column->column);
}

/* side_of: the input of the inner join below that holds all the semi join names of it; SIZE_MAX: there is none, or the
 * semi join leaves most of its rows, so that inner joins had better leave out some first. */
static size_t side_of(const spk_plan *plan)
{
    const spk_plan *below = plan->in[0];
    const spk_plan_size right = spk_size_of(plan->in[1]);
    if (plan->join == SPK_PLAN_SEMI && right.rows * 2 > right.base)
        return SIZE_MAX;
    if (below->kind != SPK_PLAN_JOIN || below->join != SPK_PLAN_INNER)
        return SIZE_MAX;
    for (size_t s = 0; s < 2; s++) {
        of_side o = { plan->in[1], below->in[s], true };
        for (size_t i = 0; i < plan->n_exprs && o.fits; i++)
            spk_expr_columns(plan->exprs[i], check_column, &o);
        if (o.fits && plan->n_exprs)
            return s;
    }
    return SIZE_MAX;
}

/* sink: what a semi or anti join leaves is less for the inner joins above. */
static spk_plan *sink(spk_analyzer *a, spk_plan *plan)
{
    const bool semi = plan->kind == SPK_PLAN_JOIN && (plan->join == SPK_PLAN_SEMI || plan->join == SPK_PLAN_ANTI);
    const size_t s = semi ? side_of(plan) : SIZE_MAX;
    if (s == SIZE_MAX) {
        for (size_t i = 0; i < plan->n_in; i++)
            plan->in[i] = sink(a, plan->in[i]);
        spk_plan_refresh(a, plan);
        return plan;
    }
    spk_plan *inner = plan->in[0];
    plan->in[0] = inner->in[s];
    inner->in[s] = plan;
    spk_plan_refresh(a, plan);
    inner->in[s] = sink(a, plan);
    inner->in[1 - s] = sink(a, inner->in[1 - s]);
    spk_plan_refresh(a, inner);
    return inner;
}

/* ---- collapsing */

typedef struct uses {
    uint32_t id;
    size_t n;
} uses;

static void count_uses(const spk_sql_expr *e, uses *u, size_t times)
{
    if (e->kind == SPK_SQL_COLUMN)
        u->n += e->column == u->id ? times : 0;
    for (uint32_t i = 0; i < e->n; i++)
        count_uses(e->args[i], u, e->kind == SPK_SQL_LAMBDA ? 2 : times); /* of a lambda: once an element */
}

/* collapses: whether the lower projection's expressions may stand in the upper one's: each is a column, or
 * has one place there. */
static bool collapses(const spk_plan *upper, const spk_plan *lower)
{
    for (size_t i = 0; i < lower->n_out; i++) {
        uses u = { lower->out[i].id, 0 };
        if (!lower->exprs[i]->deterministic)
            return false;
        if (lower->exprs[i]->kind == SPK_SQL_COLUMN || lower->exprs[i]->kind == SPK_SQL_CONSTANT)
            continue;
        for (size_t k = 0; k < upper->n_exprs && u.n < 2; k++)
            count_uses(upper->exprs[k], &u, 1);
        if (u.n > 1)
            return false;
    }
    return true;
}

static void collapse(spk_analyzer *a, spk_plan *plan)
{
    while (plan->kind == SPK_PLAN_PROJECT && plan->in[0]->kind == SPK_PLAN_PROJECT && !spk_sql_failed(a->error)
        && collapses(plan, plan->in[0])) {
        spk_replacement *by = NULL;
        size_t n = 0;
        for (size_t i = 0; i < plan->in[0]->n_out; i++)
            SPK_ADD(a, by, n, (spk_replacement) { plan->in[0]->out[i].id, plan->in[0]->exprs[i] });
        for (size_t i = 0; i < plan->n_exprs && !spk_sql_failed(a->error); i++)
            plan->exprs[i] = spk_expr_replace(a, plan->exprs[i], by, n);
        plan->in[0] = plan->in[0]->in[0];
    }
    for (size_t i = 0; i < plan->n_in && !spk_sql_failed(a->error); i++)
        collapse(a, plan->in[i]);
}

/* ---- folding */

static void fold(void *arg, spk_sql_expr **place)
{
    spk_analyzer *a = arg;
    if (*place && !spk_sql_failed(a->error))
        spk_sql_fold(&a->build, place);
}

static void fold_all(spk_analyzer *a, spk_plan *plan)
{
    if (plan->kind != SPK_PLAN_ROWS)
        spk_plan_each(plan, fold, a);
    for (size_t i = 0; i < plan->n_in; i++)
        fold_all(a, plan->in[i]);
}

/* constants: folding, and what follows from what is constant by then. */
static spk_plan *constants(spk_analyzer *a, spk_plan *plan)
{
    fold_all(a, plan);
    return spk_sql_failed(a->error) ? NULL : spk_emptiness(a, plan);
}

spk_plan *spk_optimize(spk_analyzer *a, spk_plan *plan)
{
    spk_sql_expr **exprs = NULL;
    spk_attr *out = NULL;
    size_t n = 0, m = 0;
    for (size_t i = 0; i < plan->n_out; i++) {
        SPK_ADD(a, exprs, n, spk_attr_column(a, &plan->out[i], SPK_SQL_NOWHERE));
        SPK_ADD(a, out, m, plan->out[i]);
    }
    semi_joins(a, plan);
    spk_factors(a, plan);
    plan = spk_push_down(a, plan);
    plan = plan && !spk_sql_failed(a->error) ? constants(a, plan) : NULL;
    plan = plan && !spk_sql_failed(a->error) ? sink(a, plan) : NULL;
    plan = spk_order_joins(a, plan);
    plan = plan && !spk_sql_failed(a->error) ? spk_dependants(a, plan) : NULL;
    plan = plan && !spk_sql_failed(a->error) ? spk_sums(a, plan) : NULL;
    plan = plan && !spk_sql_failed(a->error) ? spk_counts(a, plan) : NULL;
    if (!plan || spk_sql_failed(a->error))
        return NULL;
    spk_group_limits(plan);
    spk_prune_columns(a, plan, exprs, n);
    if (!spk_sql_failed(a->error))
        collapse(a, plan);
    plan = !spk_sql_failed(a->error) ? constants(a, plan) : NULL; /* collapsing has made others */
    if (!plan)
        return NULL;
    bool same = plan->n_out == n;
    for (size_t i = 0; same && i < n; i++)
        same = plan->out[i].id == out[i].id;
    if (spk_sql_failed(a->error))
        return NULL;
    return same ? plan : spk_plan_project(a, plan, exprs, out, n);
}
