/* SPDX-License-Identifier: Apache-2.0 */
/* Aggregates of DISTINCT arguments: each list of such arguments is aggregated over the distinct rows of
 * keys and arguments, apart from the others, and what comes of it is joined by the keys. */
#include "base/small.h"

#include "sql/plan/analyze.h"

static bool same_arguments(const spk_plan_agg *x, const spk_plan_agg *y)
{
    if (x->aggregate->n != y->aggregate->n || (x->filter || y->filter ? !spk_expr_same(x->filter, y->filter) : false))
        return false;
    for (uint32_t i = 0; i < x->aggregate->n; i++)
        if (!spk_expr_same(x->aggregate->args[i], y->aggregate->args[i]))
            return false;
    return true;
}

typedef struct part {
    spk_plan *plan;
    size_t n_keys;
    size_t *which; /* aggregates of the whole that it computes */
    size_t n;
} part;

/* add_aggs: aggregates to a part, whose arguments are those columns; NULL: as they are. */
static void add_aggs(spk_analyzer *a, part *p, const spk_plan *whole, spk_sql_expr **args)
{
    for (size_t k = 0; k < p->n; k++) {
        spk_plan_agg agg = whole->aggs[p->which[k]];
        if (args) {
            spk_sql_aggregate *own = spk_arena_alloc(a->arena, sizeof *own, 16);
            if (!own) {
                spk_sql_nomem(a->error);
                return;
            }
            *own = *agg.aggregate;
            own->args = args;
            agg.aggregate = own;
            agg.distinct = false;
            agg.filter = NULL;
        }
        SPK_ADD(a, p->plan->aggs, p->plan->n_aggs, agg);
        spk_attr attr = whole->out[whole->n_exprs + p->which[k]];
        spk_plan_out(a, p->plan, attr);
    }
}

/* plain: the keys, and the aggregates without DISTINCT. */
static void plain(spk_analyzer *a, part *p, spk_plan *whole)
{
    p->plan = spk_plan_new(a, SPK_PLAN_AGGREGATE, whole->in[0], NULL);
    if (!p->plan)
        return;
    p->plan->n_out = 0;
    p->plan->out = NULL;
    for (size_t i = 0; i < whole->n_exprs; i++) {
        SPK_ADD(a, p->plan->exprs, p->plan->n_exprs, whole->exprs[i]);
        spk_plan_out(a, p->plan, whole->out[i]);
    }
    add_aggs(a, p, whole, NULL);
}

/* distinct_part: over the distinct rows of keys and arguments; its keys have attributes of their own unless
 * it is the only one. */
static void distinct_part(spk_analyzer *a, part *p, spk_plan *whole, bool alone)
{
    const spk_plan_agg *first = &whole->aggs[p->which[0]];
    spk_plan *in = alone ? whole->in[0] : spk_plan_copy(a, whole->in[0]);
    spk_sql_expr **exprs = NULL, **args = NULL, *filter = first->filter;
    spk_attr *attrs = NULL;
    size_t n = 0, m = 0, x = 0;
    if (filter)
        in = spk_plan_filter(a, in, &filter, 1);
    for (size_t i = 0; i < whole->n_exprs; i++) {
        SPK_ADD(a, exprs, n, whole->exprs[i]);
        SPK_ADD(a, attrs, m, spk_attr_new(a, whole->out[i].name, whole->out[i].type, whole->out[i].nullable));
    }
    for (uint32_t i = 0; i < first->aggregate->n; i++) {
        spk_sql_expr *e = first->aggregate->args[i];
        const spk_attr attr = spk_attr_new(a, "distinct", e->type, true);
        if (e->kind == SPK_SQL_CONSTANT) {
            SPK_ADD(a, args, x, e);
            continue;
        }
        SPK_ADD(a, exprs, n, e);
        SPK_ADD(a, attrs, m, attr);
        SPK_ADD(a, args, x, spk_attr_column(a, &attr, SPK_SQL_NOWHERE));
    }
    spk_plan *rows = in ? spk_plan_project(a, in, exprs, attrs, n < m ? n : m) : NULL;
    rows = rows ? spk_plan_distinct(a, rows) : NULL;
    p->plan = rows ? spk_plan_new(a, SPK_PLAN_AGGREGATE, rows, NULL) : NULL;
    if (!p->plan)
        return;
    p->plan->n_out = 0;
    p->plan->out = NULL;
    for (size_t i = 0; i < whole->n_exprs; i++) {
        SPK_ADD(a, p->plan->exprs, p->plan->n_exprs, spk_attr_column(a, &attrs[i], SPK_SQL_NOWHERE));
        spk_plan_out(a, p->plan, alone ? whole->out[i] : attrs[i]);
    }
    add_aggs(a, p, whole, args);
}

static spk_plan *joined(spk_analyzer *a, spk_plan *whole, spk_plan *plan, const part *p)
{
    spk_sql_expr **conditions = NULL;
    size_t n = 0;
    for (size_t i = 0; i < whole->n_exprs; i++) {
        spk_sql_expr *pair[] = { spk_attr_column(a, &whole->out[i], SPK_SQL_NOWHERE),
            spk_attr_column(a, &p->plan->out[i], SPK_SQL_NOWHERE) };
        SPK_ADD(a, conditions, n, spk_sql_call(&a->build, "<=>", pair, 2, SPK_SQL_NOWHERE));
    }
    return spk_sql_failed(a->error)
        ? NULL
        : spk_plan_join_of(a, whole->n_exprs ? SPK_PLAN_LEFT : SPK_PLAN_INNER, plan, p->plan, conditions, n, NULL);
}

spk_plan *spk_distincts(spk_analyzer *a, spk_plan *plan)
{
    part parts[16] = { { 0 } };
    size_t n = 1;
    bool any = false;
    if (!plan || spk_sql_failed(a->error))
        return NULL;
    for (size_t i = 0; i < plan->n_in; i++)
        if (!(plan->in[i] = spk_distincts(a, plan->in[i])))
            return NULL;
    for (size_t i = 0; plan->kind == SPK_PLAN_AGGREGATE && i < plan->n_aggs; i++)
        any |= plan->aggs[i].distinct;
    if (!any)
        return plan;
    for (size_t i = 0; i < plan->n_aggs; i++) {
        size_t k = 1;
        while (k < n && !same_arguments(&plan->aggs[parts[k].which[0]], &plan->aggs[i]))
            k++;
        if (!plan->aggs[i].distinct)
            k = 0;
        else if (k == n && n++ == 16) {
            spk_sql_unsupported(a->error, plan->span, "so many lists of DISTINCT arguments");
            return NULL;
        }
        SPK_ADD(a, parts[k].which, parts[k].n, i);
    }
    const bool alone = n == 2 && parts[0].n == 0 && !plan->aggs[parts[1].which[0]].filter;
    if (!alone)
        plain(a, &parts[0], plan);
    for (size_t k = 1; k < n; k++)
        distinct_part(a, &parts[k], plan, alone);
    spk_plan *made = alone ? parts[1].plan : parts[0].plan;
    for (size_t k = 1; k < n && !alone && made; k++)
        made = parts[k].plan ? joined(a, plan, made, &parts[k]) : NULL;
    if (!made || spk_sql_failed(a->error))
        return NULL;
    spk_sql_expr **exprs = NULL;
    size_t m = 0;
    for (size_t i = 0; i < plan->n_out; i++) {
        spk_attr column = plan->out[i];
        for (size_t k = 0; k < made->n_out; k++)
            if (made->out[k].id == column.id)
                column.nullable = made->out[k].nullable;
        spk_sql_expr *e = spk_attr_column(a, &column, SPK_SQL_NOWHERE);
        if (e && i >= plan->n_exprs && column.nullable && !plan->out[i].nullable) {
            spk_sql_expr *pair[] = { e, spk_empty_value(a, plan->aggs[i - plan->n_exprs].aggregate) };
            e = pair[1] ? spk_sql_call(&a->build, "coalesce", pair, 2, SPK_SQL_NOWHERE) : NULL;
        }
        SPK_ADD(a, exprs, m, e);
    }
    return spk_sql_failed(a->error) ? NULL : spk_plan_project(a, made, exprs, plan->out, m);
}
