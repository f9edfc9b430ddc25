/* SPDX-License-Identifier: Apache-2.0 */
/* WHERE row_number() OVER (PARTITION BY .. ORDER BY ..) <= 2: no more than the first rows of each partition of the
 * window are wanted, so that the others need not be sorted (Spark's WindowGroupLimit). Of rank() the rows that are as
 * far in front, with all their equals. Functions beside it must not look behind a row. */
#include "base/small.h"

#include "sql/eval/kernel.h"
#include "sql/plan/rules.h"

enum { MOST = 1000 }; /* of more rows each it is no great matter which are left out */

/* whole: a constant that is a whole number; -1: it is none, or negative. */
static int64_t whole(const spk_sql_expr *e)
{
    if (e->kind != SPK_SQL_CONSTANT || e->null || !spk_sql_is_integral(e->type))
        return -1;
    const spk_sql_vector v = { e->value, 0, NULL };
    return spk_sql_integer(e->type, &v, 0);
}

/* first_rows: how many rows a condition leaves, if it compares that column with a number; -1: it does not. */
static int64_t first_rows(const spk_sql_expr *e, uint32_t column)
{
    static const char *const before[] = { "<=", "<", "=" }, *const behind[] = { ">=", ">", "=" };
    for (size_t i = 0; i < 3; i++)
        for (int turned = 0; turned < 2; turned++) {
            if (!spk_expr_is(e, turned ? behind[i] : before[i]))
                continue;
            const spk_sql_expr *x = e->args[turned], *n = e->args[!turned];
            if (x->kind == SPK_SQL_COLUMN && x->column == column && whole(n) >= 0)
                return whole(n) - (i == 1);
        }
    return -1;
}

static bool ranks(const spk_plan_function *f, const char *name)
{
    return f->name && strcmp(f->name, name) == 0;
}

/* limit: of a window below conditions. Of several functions the one that leaves fewest is as good as any other. */
static void limit(const spk_plan *filter, spk_plan *window)
{
    for (size_t i = 0; i < window->n_functions; i++)
        if (!ranks(&window->functions[i], "row_number") && !ranks(&window->functions[i], "rank")
            && !ranks(&window->functions[i], "dense_rank"))
            return;
    for (size_t i = 0; i < window->n_functions; i++)
        for (size_t k = 0; k < filter->n_exprs; k++) {
            const uint32_t column = window->out[window->n_out - window->n_functions + i].id;
            const int64_t n = first_rows(filter->exprs[k], column);
            if (n < 1 || n > MOST || (window->limit >= 0 && window->limit <= n)
                || ranks(&window->functions[i], "dense_rank"))
                continue;
            window->limit = n;
            window->with_ties = ranks(&window->functions[i], "rank");
        }
}

void spk_group_limits(spk_plan *plan)
{
    if (plan->kind == SPK_PLAN_FILTER && plan->in[0]->kind == SPK_PLAN_WINDOW && plan->in[0]->n_partition
        && plan->in[0]->n_sort)
        limit(plan, plan->in[0]);
    for (size_t i = 0; i < plan->n_in; i++)
        spk_group_limits(plan->in[i]);
}
