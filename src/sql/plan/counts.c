/* SPDX-License-Identifier: Apache-2.0 */
/* count(y) of x LEFT JOIN y, by what is of x alone, where y has far more rows than x: those of y are counted by the keys
 * of the join first, so that the join meets each of them once at most, and above it counts are summed. */
#include "base/small.h"

#include "sql/eval/agg.h"
#include "sql/plan/rules.h"

/* key_of: of a condition that compares the sides of a join: the column of the right one; NULL: it does not. */
static spk_sql_expr *key_of(const spk_sql_expr *e, const spk_plan *join, uint32_t *place)
{
    if (!spk_expr_is(e, "=") || !spk_sql_type_same(e->args[0]->type, e->args[1]->type))
        return NULL;
    *place = spk_expr_within(e->args[0], join->in[0]);
    return e->args[*place]->kind == SPK_SQL_COLUMN && spk_plan_has(join->in[1], e->args[*place]->column)
            && spk_expr_within(e->args[!*place], join->in[0])
        ? e->args[*place]
        : NULL;
}

/* is_count: of a column of the join's right side. */
static bool is_count(const spk_plan_agg *agg, const spk_plan *join)
{
    const spk_sql_aggregate *a = agg->aggregate;
    return !a->def->foreign && strcmp(a->def->name, "count") == 0 && a->n == 1 && !agg->distinct && !agg->filter
        && a->args[0]->kind == SPK_SQL_COLUMN && spk_plan_has(join->in[1], a->args[0]->column);
}

/* pays: whether the right side has many rows for each key, and most keys matter. */
static bool pays(const spk_plan *join)
{
    enum { TIMES = 4, LEAST_ROWS = 200000 };
    const spk_plan_size l = spk_size_of(join->in[0]), r = spk_size_of(join->in[1]);
    return r.rows >= LEAST_ROWS && r.rows >= TIMES * l.base && l.rows * 2 > l.base;
}

static bool fits(const spk_plan *plan)
{
    const spk_plan *join = plan->kind == SPK_PLAN_AGGREGATE && plan->n_aggs ? plan->in[0] : NULL;
    uint32_t place;
    if (!join || join->kind != SPK_PLAN_JOIN || join->join != SPK_PLAN_LEFT || !join->n_exprs)
        return false;
    bool good = true;
    for (size_t i = 0; i < join->n_exprs && good; i++)
        good = key_of(join->exprs[i], join, &place);
    for (size_t i = 0; i < plan->n_exprs && good; i++)
        good = spk_expr_within(plan->exprs[i], join->in[0]);
    for (size_t i = 0; i < plan->n_aggs && good; i++)
        good = is_count(&plan->aggs[i], join);
    return good && pays(join);
}

/* add: an aggregate of a column; its attribute. */
static spk_attr add(spk_analyzer *a, spk_plan *made, const char *name, spk_sql_expr *x)
{
    const spk_sql_aggregate *agg
        = x ? spk_sql_aggregate_make(&a->build, name, &x, 1, false, false, SPK_SQL_NOWHERE) : NULL;
    if (!agg)
        return (spk_attr) { 0 };
    const spk_attr attr = spk_attr_new(a, name, agg->type, agg->nullable);
    SPK_ADD(a, made->aggs, made->n_aggs, (spk_plan_agg) { .aggregate = agg });
    spk_plan_out(a, made, attr);
    return attr;
}

static spk_plan *grouped(spk_analyzer *a, spk_plan *in)
{
    spk_plan *made = in ? spk_plan_new(a, SPK_PLAN_AGGREGATE, in, NULL) : NULL;
    if (made) {
        made->out = NULL;
        made->n_out = 0;
    }
    return made;
}

/* counted: the join, of whose right side there is a row for each key. */
static spk_plan *counted(spk_analyzer *a, const spk_plan *plan)
{
    const spk_plan *join = plan->in[0];
    spk_plan *right = grouped(a, join->in[1]);
    spk_sql_expr **conditions = NULL;
    size_t n = 0;
    for (size_t i = 0; right && i < join->n_exprs; i++) {
        uint32_t place = 0;
        spk_sql_expr *key = key_of(join->exprs[i], join, &place);
        const spk_attr attr = spk_attr_new(a, "key", key->type, key->nullable);
        spk_sql_expr *pair[] = { join->exprs[i]->args[!place], spk_attr_column(a, &attr, SPK_SQL_NOWHERE) };
        SPK_ADD(a, right->exprs, right->n_exprs, key);
        spk_plan_out(a, right, attr);
        SPK_ADD(a, conditions, n, spk_sql_call(&a->build, "=", pair, 2, SPK_SQL_NOWHERE));
    }
    for (size_t i = 0; right && i < plan->n_aggs; i++)
        (void)add(a, right, "count", plan->aggs[i].aggregate->args[0]);
    return spk_sql_failed(a->error) ? NULL : spk_plan_join_of(a, SPK_PLAN_LEFT, join->in[0], right, conditions, n, NULL);
}

static spk_plan *rewritten(spk_analyzer *a, const spk_plan *plan)
{
    spk_plan *join = counted(a, plan), *made = grouped(a, join);
    spk_sql_expr **exprs = NULL;
    size_t n = 0;
    for (size_t i = 0; made && i < plan->n_exprs; i++) {
        SPK_ADD(a, made->exprs, made->n_exprs, plan->exprs[i]);
        spk_plan_out(a, made, plan->out[i]);
        SPK_ADD(a, exprs, n, spk_attr_column(a, &plan->out[i], SPK_SQL_NOWHERE));
    }
    for (size_t i = 0; made && i < plan->n_aggs; i++) {
        const spk_attr *counts = &join->out[join->n_out - plan->n_aggs + i];
        const spk_attr sum = add(a, made, "sum", spk_attr_column(a, counts, SPK_SQL_NOWHERE));
        spk_sql_expr *pair[] = { spk_attr_column(a, &sum, SPK_SQL_NOWHERE), spk_empty_value(a, plan->aggs[i].aggregate) };
        if (spk_sql_failed(a->error))
            return NULL;
        SPK_ADD(a, exprs, n, spk_sql_call(&a->build, "coalesce", pair, 2, SPK_SQL_NOWHERE));
    }
    return spk_sql_failed(a->error) ? NULL : spk_plan_project(a, made, exprs, plan->out, n);
}

spk_plan *spk_counts(spk_analyzer *a, spk_plan *plan)
{
    for (size_t i = 0; plan && i < plan->n_in; i++)
        plan->in[i] = spk_counts(a, plan->in[i]);
    if (!plan || spk_sql_failed(a->error))
        return NULL;
    return fits(plan) ? rewritten(a, plan) : plan;
}
