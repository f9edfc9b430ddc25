/* SPDX-License-Identifier: Apache-2.0 */
/* GROUP BY x, x - 1, f(x, y), y: what is computed from other keys is none: rows with the same x and y have the same of
 * it. It is computed for each group, above. Not from numbers of which different ones are equal, zeros of two signs. */
#include "base/small.h"

#include "sql/plan/rules.h"

/* exact: equal values are the same in every respect. */
static bool exact(const spk_sql_type *t)
{
    switch (t->kind) {
    case SPK_SQL_FLOAT:
    case SPK_SQL_DOUBLE:
    case SPK_SQL_ARRAY:
    case SPK_SQL_MAP:
    case SPK_SQL_STRUCT:
        return false;
    default:
        return true;
    }
}

/* naming: whether all columns of an expression are keys. */
typedef struct naming {
    const spk_plan *plan;
    bool all;
} naming;

static void look_up(void *arg, const spk_sql_expr *column)
{
    naming *m = arg;
    bool found = false;
    for (size_t k = 0; k < m->plan->n_exprs && !found; k++) {
        const spk_sql_expr *key = m->plan->exprs[k];
        found = key->kind == SPK_SQL_COLUMN && key->column == column->column && exact(key->type);
    }
    m->all = m->all && found;
}

/* depends: key k is computed from others, which are columns; or is one of them once more. */
static bool depends(const spk_plan *plan, size_t k)
{
    const spk_sql_expr *key = plan->exprs[k];
    naming m = { plan, true };
    if (key->kind == SPK_SQL_COLUMN) {
        bool twice = false;
        for (size_t i = 0; i < k && !twice; i++)
            twice = plan->exprs[i]->kind == SPK_SQL_COLUMN && plan->exprs[i]->column == key->column;
        return twice;
    }
    if (!key->deterministic)
        return false;
    spk_expr_columns(key, look_up, &m);
    return m.all;
}

/* without: the aggregation by the other keys, and above it all that it was asked for. */
static spk_plan *without(spk_analyzer *a, spk_plan *plan)
{
    spk_plan *made = spk_plan_new(a, SPK_PLAN_AGGREGATE, plan->in[0], NULL);
    spk_replacement *by = NULL;
    spk_sql_expr **exprs = NULL;
    size_t n_by = 0, n = 0;
    if (!made)
        return NULL;
    made->out = NULL;
    made->n_out = 0;
    for (size_t i = 0; i < plan->n_out; i++) {
        spk_sql_expr *column = spk_attr_column(a, &plan->out[i], SPK_SQL_NOWHERE);
        const bool key = i < plan->n_exprs, gone = key && depends(plan, i);
        if (key && !gone)
            SPK_ADD(a, made->exprs, made->n_exprs, plan->exprs[i]);
        if (!gone)
            spk_plan_out(a, made, plan->out[i]);
        if (key && !gone && plan->exprs[i]->kind == SPK_SQL_COLUMN)
            SPK_ADD(a, by, n_by, (spk_replacement) { plan->exprs[i]->column, column });
        SPK_ADD(a, exprs, n, gone ? plan->exprs[i] : column);
    }
    for (size_t i = 0; i < plan->n_exprs && !spk_sql_failed(a->error); i++)
        if (depends(plan, i))
            exprs[i] = spk_expr_replace(a, exprs[i], by, n_by);
    made->aggs = plan->aggs;
    made->n_aggs = plan->n_aggs;
    return spk_sql_failed(a->error) ? NULL : spk_plan_project(a, made, exprs, plan->out, n);
}

spk_plan *spk_dependants(spk_analyzer *a, spk_plan *plan)
{
    size_t n = 0;
    for (size_t i = 0; plan && i < plan->n_in; i++)
        plan->in[i] = spk_dependants(a, plan->in[i]);
    if (!plan || spk_sql_failed(a->error))
        return NULL;
    for (size_t i = 0; plan->kind == SPK_PLAN_AGGREGATE && i < plan->n_exprs; i++)
        n += depends(plan, i);
    return n > 0 && n < plan->n_exprs ? without(a, plan) : plan;
}
