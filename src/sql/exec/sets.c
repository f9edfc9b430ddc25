/* SPDX-License-Identifier: Apache-2.0 */
/* Grouping sets: rows are aggregated by all keys first; the pairs of these and states, of which there may be far fewer,
 * then become one for each set, and are combined again. */
#include "base/small.h"

#include "sql/exec/build.h"
#include "sql/exec/partial.h"

static bool names(const spk_sql_expr *e, uint32_t id)
{
    return e->kind == SPK_SQL_COLUMN && e->column == id;
}

/* apart: an expression that the sets leave as it is. */
static bool apart(const spk_sql_expr *e, const spk_plan *keys)
{
    return !e || (e->deterministic && !spk_expr_touches(e, keys));
}

bool spk_by_sets(const spk_plan *plan)
{
    const spk_plan *expand = plan->n_in ? plan->in[0] : NULL;
    const spk_plan keys = { .out = plan->out, .n_out = plan->n_exprs };
    bool good = expand && expand->kind == SPK_PLAN_EXPAND && plan->n_exprs == expand->n_exprs + 1;
    for (size_t k = 0; good && k < plan->n_exprs; k++) {
        const uint32_t id = k < expand->n_exprs ? expand->exprs[k]->column : expand->out[expand->n_out - 1].id;
        good = names(plan->exprs[k], id) && plan->out[k].id == id;
    }
    for (size_t w = 0; good && w < plan->n_aggs; w++) {
        const spk_sql_aggregate *a = plan->aggs[w].aggregate;
        good = apart(plan->aggs[w].filter, &keys);
        for (uint32_t i = 0; good && i < a->n; i++)
            good = apart(a->args[i], &keys);
    }
    return good;
}

/* key_form: all keys but that of the set. */
static const spk_form *key_form(spk_query *q, const spk_plan *plan)
{
    spk_column *columns = NULL;
    size_t n = 0;
    for (size_t k = 0; k + 1 < plan->n_exprs; k++)
        SPK_ADD(&q->analyzer, columns, n, (spk_column) { plan->exprs[k]->type, plan->out[k].nullable });
    return spk_sql_failed(&q->error) ? NULL : spk_form_of(q, columns, n, NULL);
}

/* set_form: the pairs as an expansion makes them: its own column, the last of the keys, is behind all others. */
static const spk_form *set_form(spk_query *q, const spk_form *keys, const spk_form *states)
{
    const spk_form *pair = spk_form_pair(q, keys, states);
    if (!pair)
        return NULL;
    spk_slot *id = &pair->slots[keys->n - 1];
    const spk_slot own = *id;
    memmove(id, id + 1, states->n * sizeof own);
    pair->slots[pair->n - 1] = own;
    return pair;
}

/* above: a copy of an operator, over another. */
static spk_plan *above(spk_query *q, const spk_plan *plan, spk_plan *below)
{
    spk_plan *copy = spk_plan_new(&q->analyzer, plan->kind, below, NULL);
    if (!copy)
        return NULL;
    spk_plan **in = copy->in;
    *copy = *plan;
    copy->in = in;
    return copy;
}

spark_rdd *spk_exec_partial_sets(spk_query *q, const spk_partial *all)
{
    const spk_plan *sets = all->plan->in[0];
    const size_t n = sets->n_exprs;
    const spk_form *keys = key_form(q, all->plan), *out = keys ? set_form(q, all->keys, all->states) : NULL;
    const spk_form *pair = out ? spk_form_pair(q, keys, all->states) : NULL;
    spk_plan *plan = pair ? above(q, all->plan, sets->in[0]) : NULL;
    spk_plan *expand = plan ? above(q, sets, plan) : NULL;
    spk_sql_expr **exprs = NULL;
    size_t n_exprs = 0;
    for (size_t i = 0; i < all->n_exprs; i++)
        if (i != n)
            SPK_ADD(&q->analyzer, exprs, n_exprs, all->exprs[i]);
    if (!expand || spk_sql_failed(&q->error))
        return NULL;
    plan->n_exprs = n;
    spk_partial p = { plan, NULL, keys, all->states, exprs ? exprs : (spk_sql_expr *[]) { NULL }, n_exprs, all->first,
        all->filter };
    spark_rdd *rdd = spk_build(q, sets->in[0], &p.in);
    rdd = rdd ? spk_exec_partial(q, rdd, &p) : NULL;
    return rdd ? spk_exec_expand(q, rdd, expand, pair, out) : NULL;
}
