/* SPDX-License-Identifier: Apache-2.0 */
/* The columns of an input that expressions name. */
#include "sql/exec/naming.h"

static SPK_COLD void name_column(void *arg, const spk_sql_expr *column)
{
    spk_naming *m = arg;
    uint32_t i = 0;
    while (i < m->plan->n_out && m->plan->out[i].id != column->column)
        i++;
    for (size_t k = 0; k < m->n; k++)
        if (m->columns[k] == i)
            return;
    if (i < m->plan->n_out)
        SPK_ADD(m->a, m->columns, m->n, i);
}

SPK_COLD void spk_names_of(spk_naming *m, const spk_sql_expr *expr)
{
    spk_expr_columns(expr, name_column, m);
}
