/* SPDX-License-Identifier: Apache-2.0 */
/* A plan in print: an operator a line, what it is made of below it. */
#include "sql/plan/analyze.h"

static const char *name_of(const spk_plan *plan)
{
    static const char *const names[] = { "Rows", "Range", "Scan", "Project", "Filter", "Join", "Aggregate", "Expand",
        "Sort", "Limit", "Distinct", "Union", "Window", "Generate", "Sample" };
    static const char *const joins[] = { "Join", "LeftJoin", "RightJoin", "FullJoin", "SemiJoin", "AntiJoin",
        "MarkJoin", "SingleJoin" };
    return plan->kind == SPK_PLAN_JOIN ? joins[plan->join] : names[plan->kind];
}

static void print_exprs(const char *what, spk_sql_expr *const *exprs, size_t n, FILE *file)
{
    char text[1000];
    for (size_t i = 0; i < n; i++) {
        (void)spk_sql_expr_print(exprs[i], text, sizeof text);
        (void)fprintf(file, "%s%s", i ? ", " : what, text);
    }
}

static void print(const spk_plan *plan, unsigned depth, FILE *file)
{
    (void)fprintf(file, "%*s%s", (int)(depth < 200 ? depth * 2 : 400), "", name_of(plan));
    if (plan->table)
        (void)fprintf(file, " %s", plan->table);
    print_exprs(" ", plan->exprs, plan->n_exprs, file);
    for (size_t i = 0; i < plan->n_aggs; i++)
        (void)fprintf(file, ", %s", plan->out[plan->n_exprs + i].name);
    for (size_t i = 0; i < plan->n_sort; i++) {
        print_exprs(i ? ", " : " by ", &plan->sort[i].expression, 1, file);
        (void)fputs(plan->sort[i].descending ? " DESC" : "", file);
    }
    if (plan->kind == SPK_PLAN_LIMIT)
        (void)fprintf(file, " %lld offset %lld", (long long)plan->limit, (long long)plan->offset);
    (void)fputs(" [", file);
    for (size_t i = 0; i < plan->n_out; i++) {
        char type[200];
        (void)spk_sql_type_print(plan->out[i].type, true, type, sizeof type);
        (void)fprintf(file, "%s%s#%u %s%s", i ? ", " : "", plan->out[i].name, plan->out[i].id, type,
            plan->out[i].nullable ? "" : "!");
    }
    (void)fputs("]\n", file);
    for (size_t i = 0; i < plan->n_in; i++)
        print(plan->in[i], depth + 1, file);
}

void spk_plan_print(const spk_plan *plan, FILE *file)
{
    print(plan, 0, file);
}
