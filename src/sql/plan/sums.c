/* SPDX-License-Identifier: Apache-2.0 */
/* sum(x + 1), sum(x + 2), .. of a small integer x are sum(x) and count(x), with what is added to them above. The small
 * integer and the constant are so far from the edges of INT that no addition overflows; of a single such sum nothing is
 * won. */
#include "base/small.h"

#include "sql/plan/rules.h"

/* shifted: of sum(CAST(x AS INT) + c): x, or NULL; *by: c. */
static spk_sql_expr *shifted(const spk_plan_agg *agg, const spk_sql_agg_def *sum, int64_t *by)
{
    enum { ROOM = 1 << 16 };
    const spk_sql_aggregate *a = agg->aggregate;
    if (a->def != sum || a->n != 1 || agg->distinct || agg->filter || a->type->kind != SPK_SQL_BIGINT)
        return NULL;
    const spk_sql_expr *e = a->args[0];
    while (e->kind == SPK_SQL_CAST && e->type->kind == SPK_SQL_BIGINT && e->args[0]->type->kind == SPK_SQL_INT)
        e = e->args[0];
    const bool minus = spk_expr_is(e, "-");
    if (e->type->kind != SPK_SQL_INT || e->n != 2 || (!minus && !spk_expr_is(e, "+")))
        return NULL;
    const bool turned = !minus && e->args[0]->kind == SPK_SQL_CONSTANT;
    const spk_sql_expr *c = e->args[!turned], *x = e->args[turned];
    if (c->kind != SPK_SQL_CONSTANT || c->null || c->type->kind != SPK_SQL_INT || x->kind != SPK_SQL_CAST)
        return NULL;
    const spk_sql_kind from = x->args[0]->type->kind;
    int32_t value;
    memcpy(&value, c->value, sizeof value);
    if ((from != SPK_SQL_SMALLINT && from != SPK_SQL_TINYINT) || value > INT32_MAX - ROOM || value < ROOM - INT32_MAX)
        return NULL;
    *by = minus ? -(int64_t)value : value;
    return x->args[0];
}

/* parts: the attributes of sum(x) and count(x), which are made at the first use. */
typedef struct parts {
    spk_sql_expr *x;
    spk_attr sum, count;
} parts;

static spk_attr add_agg(spk_analyzer *a, spk_plan *made, const char *name, spk_sql_expr *x)
{
    const spk_sql_aggregate *agg = spk_sql_aggregate_make(&a->build, name, &x, 1, false, false, SPK_SQL_NOWHERE);
    spk_attr attr = { 0 };
    if (!agg)
        return attr;
    attr = spk_attr_new(a, name, agg->type, agg->nullable);
    SPK_ADD(a, made->aggs, made->n_aggs, (spk_plan_agg) { .aggregate = agg });
    spk_plan_out(a, made, attr);
    return attr;
}

static spk_sql_expr *sum_of(spk_analyzer *a, const parts *p, int64_t by)
{
    spk_sql_expr *c = spk_sql_constant(&a->build, spk_sql_type_of(SPK_SQL_BIGINT), &by, SPK_SQL_NOWHERE);
    spk_sql_expr *factors[] = { spk_attr_column(a, &p->count, SPK_SQL_NOWHERE), c };
    spk_sql_expr *more = c ? spk_sql_call(&a->build, "*", factors, 2, SPK_SQL_NOWHERE) : NULL;
    spk_sql_expr *terms[] = { spk_attr_column(a, &p->sum, SPK_SQL_NOWHERE), more };
    return more ? spk_sql_call(&a->build, "+", terms, 2, SPK_SQL_NOWHERE) : NULL;
}

static spk_plan *rewritten(spk_analyzer *a, spk_plan *plan, const spk_sql_agg_def *sum)
{
    enum { COLUMNS = 8 };
    parts known[COLUMNS];
    size_t n_known = 0;
    spk_sql_expr **exprs = NULL;
    size_t n = 0;
    spk_plan *made = spk_plan_new(a, SPK_PLAN_AGGREGATE, plan->in[0], NULL);
    if (!made)
        return NULL;
    made->exprs = plan->exprs;
    made->n_exprs = plan->n_exprs;
    made->out = NULL;
    made->n_out = 0;
    for (size_t i = 0; i < plan->n_exprs; i++) {
        spk_plan_out(a, made, plan->out[i]);
        SPK_ADD(a, exprs, n, spk_attr_column(a, &plan->out[i], SPK_SQL_NOWHERE));
    }
    for (size_t i = 0; i < plan->n_aggs && !spk_sql_failed(a->error); i++) {
        int64_t by = 0;
        spk_sql_expr *x = shifted(&plan->aggs[i], sum, &by);
        size_t k = 0;
        while (x && k < n_known && !spk_expr_same(known[k].x, x))
            k++;
        if (!x || k == COLUMNS) {
            SPK_ADD(a, made->aggs, made->n_aggs, plan->aggs[i]);
            spk_plan_out(a, made, plan->out[plan->n_exprs + i]);
            SPK_ADD(a, exprs, n, spk_attr_column(a, &plan->out[plan->n_exprs + i], SPK_SQL_NOWHERE));
            continue;
        }
        if (k == n_known) {
            known[n_known].x = x;
            known[n_known].sum = add_agg(a, made, "sum", x);
            known[n_known++].count = add_agg(a, made, "count", x);
        }
        SPK_ADD(a, exprs, n, sum_of(a, &known[k], by));
    }
    return spk_sql_failed(a->error) ? NULL : spk_plan_project(a, made, exprs, plan->out, n);
}

spk_plan *spk_sums(spk_analyzer *a, spk_plan *plan)
{
    enum { WORTH = 3 }; /* sums of a kind */
    for (size_t i = 0; plan && i < plan->n_in; i++)
        plan->in[i] = spk_sums(a, plan->in[i]);
    if (!plan || spk_sql_failed(a->error))
        return NULL;
    if (plan->kind != SPK_PLAN_AGGREGATE || plan->n_aggs < WORTH)
        return plan;
    spk_sql_expr *one = spk_sql_boolean(&a->build, true, SPK_SQL_NOWHERE);
    one = one ? spk_sql_cast(&a->build, one, spk_sql_type_of(SPK_SQL_INT), false, SPK_SQL_NOWHERE) : NULL;
    const spk_sql_aggregate *sum
        = one ? spk_sql_aggregate_make(&a->build, "sum", &one, 1, false, false, SPK_SQL_NOWHERE) : NULL;
    size_t n = 0;
    int64_t by;
    for (size_t i = 0; sum && i < plan->n_aggs; i++)
        n += shifted(&plan->aggs[i], sum->def, &by) != NULL;
    return n < WORTH ? plan : rewritten(a, plan, sum->def);
}
