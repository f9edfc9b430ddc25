/* SPDX-License-Identifier: Apache-2.0 */
/* Joins become RDDs, in the way that is decided; right and full joins by a table are made of others. */
#include "base/small.h"

#include "sql/exec/build.h"

/* turned: the right side streams, the left one is the table; the columns then change places. */
static spark_rdd *turned(spk_query *q, const spk_plan *plan, const spk_form **form)
{
    spk_analyzer *a = &q->analyzer;
    spk_plan *left = spk_plan_join_of(a, SPK_PLAN_LEFT, plan->in[1], plan->in[0], plan->exprs, plan->n_exprs, NULL);
    spk_sql_expr **exprs = NULL;
    size_t n = 0;
    for (size_t i = 0; left && i < plan->n_out; i++)
        SPK_ADD(a, exprs, n, spk_attr_column(a, &plan->out[i], SPK_SQL_NOWHERE));
    if (left)
        left->how = SPK_JOIN_TABLE;
    spk_plan *project = left ? spk_plan_project(a, left, exprs, plan->out, n) : NULL;
    return project ? spk_build(q, project, form) : NULL;
}

/* full: all of a left join, and the right rows that meet none, beside NULLs. */
static spark_rdd *full(spk_query *q, const spk_plan *plan, const spk_form **form)
{
    spk_analyzer *a = &q->analyzer;
    spk_plan *left = spk_plan_join_of(a, SPK_PLAN_LEFT, plan->in[0], plan->in[1], plan->exprs, plan->n_exprs, NULL);
    spk_plan *anti = spk_plan_join_of(a, SPK_PLAN_ANTI, spk_plan_copy(a, plan->in[1]), spk_plan_copy(a, plan->in[0]),
        plan->exprs, plan->n_exprs, NULL);
    spk_sql_expr **exprs = NULL;
    size_t n = 0;
    for (size_t i = 0; i < plan->n_out; i++) {
        const bool of_left = i < plan->in[0]->n_out;
        SPK_ADD(a, exprs, n,
            of_left ? spk_sql_constant(&a->build, plan->out[i].type, NULL, SPK_SQL_NOWHERE)
                    : spk_attr_column(a, &plan->in[1]->out[i - plan->in[0]->n_out], SPK_SQL_NOWHERE));
    }
    spk_plan *rest = anti ? spk_plan_project(a, anti, exprs, plan->out, n) : NULL;
    spk_plan *both = left && rest ? spk_plan_new(a, SPK_PLAN_UNION, left, rest) : NULL;
    if (!both)
        return NULL;
    left->how = anti->how = SPK_JOIN_TABLE;
    both->out = plan->out;
    both->n_out = plan->n_out;
    return spk_build(q, both, form);
}

spark_rdd *spk_build_join(spk_query *q, const spk_plan *plan, const spk_form **form)
{
    const spk_form *in, *in2;
    if (plan->how != SPK_JOIN_SHUFFLED && plan->join == SPK_PLAN_RIGHT)
        return turned(q, plan, form);
    if (plan->how != SPK_JOIN_SHUFFLED && plan->join == SPK_PLAN_FULL)
        return full(q, plan, form);
    spark_rdd *left = spk_build(q, plan->in[0], &in), *right = left ? spk_build(q, plan->in[1], &in2) : NULL;
    if (!right)
        return NULL;
    if (plan->how == SPK_JOIN_SHUFFLED)
        return spk_exec_join_shuffled(q, left, right, plan, in, in2, form);
    if (plan->how == SPK_JOIN_MARKED) {
        left = spk_build_canonical(q, left, plan->in[0], &in);
        *form = in;
        return left ? spk_exec_join_marked(q, left, right, plan, in, in2) : NULL;
    }
    right = spk_build_canonical(q, right, plan->in[1], &in2); /* the table holds no more than it must */
    const bool as_left = plan->join == SPK_PLAN_SEMI || plan->join == SPK_PLAN_ANTI;
    *form = !right ? NULL : as_left ? in : spk_form_of_plan(q, plan);
    return *form ? spk_exec_join_table(q, left, right, plan, in, in2, *form) : NULL;
}
