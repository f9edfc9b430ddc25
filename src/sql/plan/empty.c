/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions that are TRUE by now go; one that never is leaves no rows, and what is made of no rows is none, or less
 * than it was: a union is its other side, an outer join the side it keeps beside NULLs. */
#include "base/small.h"

#include "sql/plan/rules.h"

static bool is_never(const spk_sql_expr *e)
{
    return e->kind == SPK_SQL_CONSTANT && (e->null || !*(const bool *)e->value);
}

static bool is_none(const spk_plan *plan)
{
    return plan->kind == SPK_PLAN_ROWS && plan->n_rows == 0;
}

static spk_plan *none(spk_analyzer *a, const spk_plan *plan)
{
    spk_plan *made = spk_plan_new(a, SPK_PLAN_ROWS, NULL, NULL);
    for (size_t i = 0; made && i < plan->n_out; i++)
        spk_plan_out(a, made, plan->out[i]);
    return made;
}

/* filter: without what is TRUE. */
static spk_plan *filter(spk_analyzer *a, spk_plan *plan)
{
    size_t kept = 0;
    for (size_t i = 0; i < plan->n_exprs; i++) {
        if (is_never(plan->exprs[i]))
            return none(a, plan);
        if (plan->exprs[i]->kind != SPK_SQL_CONSTANT)
            plan->exprs[kept++] = plan->exprs[i];
    }
    plan->n_exprs = kept;
    return kept ? plan : plan->in[0];
}

/* other_side: of a union, under the names of its columns. */
static spk_plan *other_side(spk_analyzer *a, const spk_plan *plan, spk_plan *side)
{
    spk_sql_expr **exprs = NULL;
    size_t n = 0;
    for (size_t i = 0; i < plan->n_out; i++)
        SPK_ADD(a, exprs, n, spk_attr_column(a, &side->out[i], SPK_SQL_NOWHERE));
    return spk_plan_project(a, side, exprs, plan->out, n);
}

/* beside: the rows of a side of a join, with NULLs for the columns of the other, and FALSE for a mark. */
static spk_plan *beside(spk_analyzer *a, const spk_plan *plan, spk_plan *side)
{
    spk_sql_expr **exprs = NULL;
    size_t n = 0;
    for (size_t i = 0; i < plan->n_out; i++) {
        const spk_attr *attr = &plan->out[i];
        const bool mark = plan->join == SPK_PLAN_MARK && i + 1 == plan->n_out;
        SPK_ADD(a, exprs, n,
            mark                              ? spk_sql_boolean(&a->build, false, SPK_SQL_NOWHERE)
                : spk_plan_has(side, attr->id) ? spk_attr_column(a, attr, SPK_SQL_NOWHERE)
                                               : spk_sql_constant(&a->build, attr->type, NULL, SPK_SQL_NOWHERE));
    }
    return spk_plan_project(a, side, exprs, plan->out, n);
}

static spk_plan *join(spk_analyzer *a, spk_plan *plan)
{
    spk_plan *left = plan->in[0], *right = plan->in[1];
    bool never = false;
    for (size_t i = 0; i < plan->n_exprs; i++)
        never |= is_never(plan->exprs[i]);
    const bool none_left = is_none(left), none_right = is_none(right);
    switch (plan->join) {
    case SPK_PLAN_INNER:
    case SPK_PLAN_SEMI:
        return none_left || none_right || never ? none(a, plan) : plan;
    case SPK_PLAN_ANTI:
        return none_left ? none(a, plan) : none_right || never ? left : plan;
    case SPK_PLAN_RIGHT:
        return none_right ? none(a, plan) : none_left || never ? beside(a, plan, right) : plan;
    case SPK_PLAN_FULL:
        return none_left && none_right ? none(a, plan)
            : none_left                ? beside(a, plan, right)
            : none_right               ? beside(a, plan, left)
                                       : plan;
    default:
        return none_left ? none(a, plan) : none_right || never ? beside(a, plan, left) : plan;
    }
}

spk_plan *spk_emptiness(spk_analyzer *a, spk_plan *plan)
{
    for (size_t i = 0; plan && i < plan->n_in; i++)
        if (!(plan->in[i] = spk_emptiness(a, plan->in[i])))
            return NULL;
    if (!plan || spk_sql_failed(a->error))
        return NULL;
    const bool empty = plan->n_in == 1 && is_none(plan->in[0]);
    switch (plan->kind) {
    case SPK_PLAN_FILTER:
        return empty ? plan->in[0] : filter(a, plan);
    case SPK_PLAN_AGGREGATE:
        return empty && plan->n_exprs ? none(a, plan) : plan;
    case SPK_PLAN_UNION:
        if (is_none(plan->in[0]))
            return is_none(plan->in[1]) ? none(a, plan) : other_side(a, plan, plan->in[1]);
        return is_none(plan->in[1]) ? other_side(a, plan, plan->in[0]) : plan;
    case SPK_PLAN_JOIN:
        return join(a, plan);
    case SPK_PLAN_LIMIT:
        return empty || plan->limit == 0 ? none(a, plan) : plan;
    default:
        return empty ? none(a, plan) : plan;
    }
}
