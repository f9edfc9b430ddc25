/* SPDX-License-Identifier: Apache-2.0 */
/* A plan in print: an operator a line, what it is made of below it. */
#include "base/small.h"

#include "sql/plan/analyze.h"

const char *spk_plan_name(const spk_plan *plan)
{
    static const char *const names[] = { "Rows", "Range", "Scan", "Project", "Filter", "Join", "Aggregate", "Expand",
        "Sort", "Limit", "Distinct", "Union", "Window", "Generate", "Sample" };
    return plan->packed ? "InMemoryTableScan" : names[plan->kind];
}

/* join_name: as Spark calls it. */
static const char *join_name(const spk_plan *plan)
{
    static const char *const hows[] = { "Join", "BroadcastHashJoin", "ShuffledHashJoin", "BroadcastHashJoin",
        "BloomFilter" };
    return plan->how == SPK_JOIN_TABLE && plan->n_keys == 0 ? "BroadcastNestedLoopJoin" : hows[plan->how];
}

static void print_join(const spk_plan *plan, FILE *file)
{
    static const char *const kinds[] = { "Inner", "LeftOuter", "RightOuter", "FullOuter", "LeftSemi", "LeftAnti",
        "ExistenceJoin", "LeftSingle" };
    char left[500], right[500];
    (void)fputs(join_name(plan), file);
    for (size_t i = 0; i < plan->n_keys; i++) {
        (void)spk_sql_expr_print(plan->keys[i].left, left, sizeof left);
        (void)spk_sql_expr_print(plan->keys[i].right, right, sizeof right);
        (void)fprintf(file, "%s(%s %s %s)", i ? ", " : " ", left, plan->keys[i].null_safe ? "<=>" : "=", right);
    }
    (void)fprintf(file, ", %s%s%s", kinds[plan->join], plan->null_aware ? " (null-aware)" : "",
        plan->how == SPK_JOIN_MARKED ? ", BuildLeft" : "");
}

static void print_exprs(const char *what, spk_sql_expr *const *exprs, size_t n, FILE *file)
{
    char text[1000];
    for (size_t i = 0; i < n; i++) {
        (void)spk_sql_expr_print_computed(exprs[i], text, sizeof text);
        (void)fprintf(file, "%s%s", i ? ", " : what, text);
    }
}

static void print_operator(const spk_plan *plan, FILE *file)
{
    if (plan->kind == SPK_PLAN_JOIN)
        print_join(plan, file);
    else
        (void)fputs(spk_plan_name(plan), file);
    if (plan->table)
        (void)fprintf(file, " %s", plan->table);
    print_exprs(plan->kind == SPK_PLAN_JOIN ? ", " : " ", plan->exprs, plan->n_exprs, file);
    for (size_t i = 0; i < plan->n_aggs; i++)
        (void)fprintf(file, ", %s", plan->out[plan->n_exprs + i].name);
    for (size_t i = 0; i < plan->n_sort; i++) {
        print_exprs(i ? ", " : " by ", &plan->sort[i].expression, 1, file);
        (void)fputs(plan->sort[i].descending ? " DESC" : "", file);
    }
    if (plan->kind == SPK_PLAN_WINDOW && plan->limit > 0)
        (void)fprintf(file, ", first %lld%s", (long long)plan->limit, plan->with_ties ? " with ties" : "");
    if (plan->kind == SPK_PLAN_LIMIT)
        (void)fprintf(file, " %lld offset %lld", (long long)plan->limit, (long long)plan->offset);
}

void spk_plan_print_line(const spk_plan *plan, FILE *file)
{
    if (plan->same) /* what it is made of stands where that operator does */
        (void)fprintf(file, "Reused%s", spk_plan_name(plan));
    else
        print_operator(plan, file);
    (void)fputs(" [", file);
    for (size_t i = 0; i < plan->n_out; i++) {
        char type[200];
        (void)spk_sql_type_print(plan->out[i].type, true, type, sizeof type);
        (void)fprintf(file, "%s%s#%u %s%s", i ? ", " : "", plan->out[i].name, plan->out[i].id, type,
            plan->out[i].nullable ? "" : "!");
    }
    (void)fputs("]", file);
}

static void print(const spk_plan *plan, unsigned depth, FILE *file)
{
    (void)fprintf(file, "%*s", (int)(depth < 200 ? depth * 2 : 400), "");
    spk_plan_print_line(plan, file);
    (void)fputs("\n", file);
    for (size_t i = 0; i < plan->n_in && !plan->same; i++)
        print(plan->in[i], depth + 1, file);
}

void spk_plan_print(const spk_plan *plan, FILE *file)
{
    print(plan, 0, file);
}

/* ---- EXPLAIN FORMATTED: as in Spark, numbers count from the leaves up */

/* size_of: how many operators are printed of a plan; the last number is its own. */
static unsigned size_of(const spk_plan *plan)
{
    unsigned n = 1;
    for (size_t i = 0; i < plan->n_in && !plan->same; i++)
        n += size_of(plan->in[i]);
    return n;
}

static void print_tree(const spk_plan *plan, unsigned depth, unsigned before, FILE *file)
{
    const int indent = (int)(depth < 200 ? depth * 3 : 600);
    (void)fprintf(file, "%*s%s%s%s (%u)\n", indent > 0 ? indent - 3 : 0, "", depth ? "+- " : "",
        plan->same ? "Reused" : "", plan->kind == SPK_PLAN_JOIN ? join_name(plan) : spk_plan_name(plan),
        before + size_of(plan));
    for (size_t i = 0; i < plan->n_in && !plan->same; i++) {
        print_tree(plan->in[i], depth + 1, before, file);
        before += size_of(plan->in[i]);
    }
}

static unsigned print_details(const spk_plan *plan, unsigned before, FILE *file)
{
    for (size_t i = 0; i < plan->n_in && !plan->same; i++)
        before = print_details(plan->in[i], before, file);
    (void)fprintf(file, "\n(%u) ", before + 1);
    spk_plan_print_line(plan, file);
    (void)fputs("\n", file);
    return before + 1;
}

void spk_plan_print_formatted(const spk_plan *plan, FILE *file)
{
    print_tree(plan, 0, 0, file);
    (void)print_details(plan, 0, file);
}
