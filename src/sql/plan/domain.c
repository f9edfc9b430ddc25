/* SPDX-License-Identifier: Apache-2.0 */
/* Correlated subqueries, where conditions cannot be pulled out: the distinct values of the outer columns that they name,
 * the domain, are joined to the subquery's own rows, and each operator keeps them apart (Neumann, Kemper: Unnesting
 * Arbitrary Queries, BTW 2015). */
#include "base/small.h"

#include "sql/plan/analyze.h"

typedef struct domain {
    spk_analyzer *a;
    const spk_plan *left;
    uint32_t *ids; /* attributes of the outer query that are named */
    size_t n;
} domain;

static void note_column(void *arg, const spk_sql_expr *column)
{
    domain *d = arg;
    if (!spk_plan_has(d->left, column->column))
        return;
    for (size_t i = 0; i < d->n; i++)
        if (d->ids[i] == column->column)
            return;
    SPK_ADD(d->a, d->ids, d->n, column->column);
}

static void note_place(void *arg, spk_sql_expr **place)
{
    spk_expr_columns(*place, note_column, arg);
}

static void note_plan(domain *d, spk_plan *plan)
{
    spk_plan_each(plan, note_place, d);
    for (size_t i = 0; i < plan->n_in; i++)
        note_plan(d, plan->in[i]);
}

static bool has_all(const domain *d, const spk_plan *plan)
{
    bool all = true;
    for (size_t i = 0; i < d->n && all; i++)
        all = spk_plan_has(plan, d->ids[i]);
    return all;
}

/* giver: the innermost part of the left side that has all of the columns, with the same values: above it are joins that
 * keep each row of that side, as those of other subqueries do, which need not be computed again. Where each further
 * subquery would copy a large plan, the values may be more, which are then computed in vain: joins of lateral subqueries
 * alone, or without conditions, or of their elements, have left them out. */
static const spk_plan *giver(const domain *d)
{
    enum { LARGE = 400 };
    const bool large = d->a->nodes > LARGE;
    const spk_plan *plan = d->left;
    for (;;) {
        const bool keeps = plan->kind == SPK_PLAN_PROJECT || (large && plan->kind == SPK_PLAN_GENERATE)
            || (plan->kind == SPK_PLAN_JOIN
                && (plan->join == SPK_PLAN_LEFT || plan->join == SPK_PLAN_SINGLE || plan->join == SPK_PLAN_MARK
                    || plan->keeps_left
                    || (large && plan->join == SPK_PLAN_INNER && (plan->keeps_right || plan->n_exprs == 0))));
        const bool right = plan->kind == SPK_PLAN_JOIN && plan->keeps_right && has_all(d, plan->in[1]);
        if (!right && (!keeps || !has_all(d, plan->in[0])))
            return plan;
        plan = plan->in[right];
    }
}

/* new_domain: the distinct values, as attributes of their own. */
static spk_plan *new_domain(domain *d, spk_attr **attrs)
{
    spk_sql_expr **exprs = NULL;
    size_t n = 0, m = 0;
    const spk_plan *left = giver(d);
    *attrs = NULL;
    for (size_t i = 0; i < d->n; i++)
        for (size_t k = 0; k < left->n_out; k++)
            if (left->out[k].id == d->ids[i]) {
                const spk_attr *from = &left->out[k];
                SPK_ADD(d->a, exprs, n, spk_attr_column(d->a, from, SPK_SQL_NOWHERE));
                SPK_ADD(d->a, *attrs, m, spk_attr_new(d->a, from->name, from->type, from->nullable));
                break;
            }
    spk_plan *copy = spk_plan_copy(d->a, left);
    spk_plan *plan = copy ? spk_plan_project(d->a, copy, exprs, *attrs, n < m ? n : m) : NULL;
    return plan ? spk_plan_distinct(d->a, plan) : NULL;
}

static spk_plan *spread(domain *d, spk_plan *plan, spk_attr **attrs);

/* over: the operator itself, on another input, with the domain's columns for the outer ones. */
static spk_plan *over(domain *d, const spk_plan *plan, spk_plan *in, const spk_attr *attrs)
{
    spk_replacement *list = NULL;
    size_t n = 0;
    spk_plan shallow = *plan;
    shallow.n_in = 0;
    spk_plan *made = in ? spk_plan_copy(d->a, &shallow) : NULL;
    if (!made)
        return NULL;
    SPK_ADD(d->a, made->in, made->n_in, in);
    for (size_t i = 0; i < d->n; i++)
        SPK_ADD(d->a, list, n, (spk_replacement) { d->ids[i], spk_attr_column(d->a, &attrs[i], SPK_SQL_NOWHERE) });
    made->n_in = 0; /* what is below has been seen to */
    spk_plan_replace(d->a, made, list, n);
    made->n_in = 1;
    return made;
}

static void add_domain(domain *d, spk_plan *plan, const spk_attr *attrs)
{
    for (size_t i = 0; i < d->n; i++)
        if (!spk_plan_has(plan, attrs[i].id))
            spk_plan_out(d->a, plan, attrs[i]);
}

/* same_domain: conditions that two instances agree. */
static void same_domain(domain *d, const spk_attr *x, const spk_attr *y, spk_sql_expr ***conditions, size_t *n)
{
    for (size_t i = 0; i < d->n; i++) {
        spk_sql_expr *pair[] = { spk_attr_column(d->a, &x[i], SPK_SQL_NOWHERE),
            spk_attr_column(d->a, &y[i], SPK_SQL_NOWHERE) };
        for (size_t k = 0; k < 2 && x[i].type->kind == SPK_SQL_MAP; k++) /* maps do not compare, lists do */
            pair[k] = spk_sql_call(&d->a->build, "map_entries", &pair[k], 1, SPK_SQL_NOWHERE);
        if (!pair[0] || !pair[1])
            return;
        SPK_ADD(d->a, *conditions, *n, spk_sql_call(&d->a->build, "<=>", pair, 2, SPK_SQL_NOWHERE));
    }
}

/* spread_aggregate: groups for each value of the domain; without keys of its own also for those that have
 * no rows. */
static spk_plan *spread_aggregate(domain *d, spk_plan *plan, spk_attr **attrs)
{
    spk_plan *in = spread(d, plan->in[0], attrs);
    spk_plan *made = over(d, plan, in, *attrs);
    if (!made)
        return NULL;
    const size_t keys = plan->n_exprs;
    spk_attr *out = NULL;
    size_t n = 0;
    for (size_t i = 0; i < keys; i++)
        SPK_ADD(d->a, out, n, made->out[i]);
    for (size_t i = 0; i < d->n; i++) {
        SPK_ADD(d->a, made->exprs, made->n_exprs, spk_attr_column(d->a, &(*attrs)[i], SPK_SQL_NOWHERE));
        SPK_ADD(d->a, out, n, (*attrs)[i]);
    }
    for (size_t i = 0; i < made->n_aggs; i++) {
        spk_attr attr = made->out[keys + i];
        if (keys == 0) /* what is there is renamed below */
            attr = spk_attr_new(d->a, attr.name, attr.type, attr.nullable);
        SPK_ADD(d->a, out, n, attr);
    }
    made->out = out;
    made->n_out = n;
    if (keys)
        return made;
    spk_attr *all;
    spk_sql_expr **conditions = NULL, **exprs = NULL;
    spk_attr *names = NULL;
    size_t m = 0, k = 0, x = 0;
    spk_plan *values = new_domain(d, &all);
    same_domain(d, all, *attrs, &conditions, &m);
    spk_plan *join = values ? spk_plan_join_of(d->a, SPK_PLAN_LEFT, values, made, conditions, m, NULL) : NULL;
    for (size_t i = 0; join && i < d->n; i++) {
        SPK_ADD(d->a, exprs, k, spk_attr_column(d->a, &all[i], SPK_SQL_NOWHERE));
        SPK_ADD(d->a, names, x, all[i]);
    }
    for (size_t i = 0; join && i < plan->n_aggs; i++) {
        spk_attr column = out[d->n + i];
        column.nullable = true;
        spk_sql_expr *e = spk_attr_column(d->a, &column, SPK_SQL_NOWHERE);
        spk_sql_expr *none = spk_empty_value(d->a, plan->aggs[i].aggregate);
        if (none && !none->null) {
            spk_sql_expr *pair[] = { e, none };
            e = spk_sql_call(&d->a->build, "coalesce", pair, 2, SPK_SQL_NOWHERE);
        }
        SPK_ADD(d->a, exprs, k, e);
        SPK_ADD(d->a, names, x, plan->out[i]);
    }
    *attrs = all;
    return join && !spk_sql_failed(d->a->error) ? spk_plan_project(d->a, join, exprs, names, k) : NULL;
}

static spk_plan *spread_join(domain *d, spk_plan *plan, spk_attr **attrs)
{
    const bool inner = plan->join == SPK_PLAN_INNER;
    const bool on_right = spk_plan_correlated(plan->in[1], d->left);
    const bool on_left = spk_plan_correlated(plan->in[0], d->left) || !inner || !on_right;
    spk_attr *right_attrs = NULL, *left_attrs = NULL;
    if (plan->join == SPK_PLAN_RIGHT || plan->join == SPK_PLAN_FULL) {
        spk_sql_unsupported(d->a->error, plan->span, "a right or full outer join in a correlated subquery");
        return NULL;
    }
    spk_plan *left = on_left ? spread(d, plan->in[0], &left_attrs) : plan->in[0];
    spk_plan *right = on_right ? spread(d, plan->in[1], &right_attrs) : plan->in[1];
    *attrs = left_attrs ? left_attrs : right_attrs;
    if (!left || !right)
        return NULL;
    spk_plan *named = over(d, plan, left, *attrs);
    if (!named)
        return NULL;
    spk_sql_expr **conditions = named->exprs;
    size_t n = named->n_exprs;
    if (left_attrs && right_attrs)
        same_domain(d, left_attrs, right_attrs, &conditions, &n);
    const spk_attr *mark = plan->join == SPK_PLAN_MARK ? &plan->out[plan->n_out - 1] : NULL;
    return spk_plan_join_of(d->a, plan->join, left, right, conditions, n, mark);
}

/* spread_limit: the first rows of each value of the domain. */
static spk_plan *spread_limit(domain *d, spk_plan *plan, spk_attr **attrs)
{
    spk_analyzer *a = d->a;
    const spk_plan *sorted = plan->in[0];
    while (sorted->kind == SPK_PLAN_PROJECT)
        sorted = sorted->in[0];
    spk_plan *in = spread(d, plan->in[0], attrs);
    spk_plan *window = in ? spk_plan_new(a, SPK_PLAN_WINDOW, in, NULL) : NULL;
    if (!window)
        return NULL;
    for (size_t i = 0; i < d->n; i++)
        SPK_ADD(a, window->partition, window->n_partition, spk_attr_column(a, &(*attrs)[i], SPK_SQL_NOWHERE));
    for (size_t i = 0; sorted->kind == SPK_PLAN_SORT && i < sorted->n_sort; i++)
        if (spk_expr_within(sorted->sort[i].expression, in))
            SPK_ADD(a, window->sort, window->n_sort, sorted->sort[i]);
    const spk_attr number = spk_attr_new(a, "row_number", spk_sql_type_of(SPK_SQL_INT), false);
    const spk_plan_function f = { .name = "row_number", .to = SPK_BOUND_UNBOUNDED_FOLLOWING };
    SPK_ADD(a, window->functions, window->n_functions, f);
    spk_plan_out(a, window, number);
    spk_sql_expr **exprs = NULL;
    size_t n = 0;
    const int64_t edges[] = { plan->offset, plan->limit < 0 ? -1 : plan->offset + plan->limit };
    for (size_t i = 0; i < 2; i++)
        if (edges[i] > 0 || (i == 1 && edges[i] == 0)) {
            spk_sql_expr *pair[] = { spk_attr_column(a, &number, SPK_SQL_NOWHERE),
                spk_sql_constant(&a->build, spk_sql_type_of(SPK_SQL_BIGINT), &edges[i], SPK_SQL_NOWHERE) };
            SPK_ADD(a, exprs, n, spk_sql_call(&a->build, i ? "<=" : ">", pair, 2, SPK_SQL_NOWHERE));
        }
    return spk_sql_failed(a->error) ? NULL : spk_plan_filter(a, window, exprs, n);
}

static spk_plan *spread_both(domain *d, spk_plan *plan, spk_attr **attrs)
{
    spk_attr *right_attrs;
    spk_plan *left = spread(d, plan->in[0], attrs), *right = left ? spread(d, plan->in[1], &right_attrs) : NULL;
    spk_plan *sides[2] = { left, right };
    for (size_t s = 0; right && s < 2; s++) { /* the domain stands in front, then the columns */
        spk_sql_expr **exprs = NULL;
        spk_attr *out = NULL;
        size_t n = 0, m = 0;
        const spk_attr *domain_attrs = s ? right_attrs : *attrs;
        for (size_t i = 0; i < d->n; i++) {
            SPK_ADD(d->a, exprs, n, spk_attr_column(d->a, &domain_attrs[i], SPK_SQL_NOWHERE));
            SPK_ADD(d->a, out, m, domain_attrs[i]);
        }
        for (size_t i = 0; i < plan->in[s]->n_out; i++) {
            SPK_ADD(d->a, exprs, n, spk_attr_column(d->a, &plan->in[s]->out[i], SPK_SQL_NOWHERE));
            SPK_ADD(d->a, out, m, plan->in[s]->out[i]);
        }
        sides[s] = spk_plan_project(d->a, sides[s], exprs, out, n < m ? n : m);
    }
    spk_plan *made = right && sides[1] ? spk_plan_new(d->a, plan->kind, sides[0], sides[1]) : NULL;
    if (!made)
        return NULL;
    for (size_t i = 0; i < plan->n_out; i++)
        made->out[d->n + i] = plan->out[i];
    return made;
}

/* spread: the plan's rows for each value of the domain, beside that value. */
static spk_plan *spread(domain *d, spk_plan *plan, spk_attr **attrs)
{
    spk_plan *in, *made;
    if (!plan || spk_sql_failed(d->a->error))
        return NULL;
    if (!spk_plan_correlated(plan, d->left)) {
        spk_plan *values = new_domain(d, attrs);
        return values ? spk_plan_join_of(d->a, SPK_PLAN_INNER, values, plan, NULL, 0, NULL) : NULL;
    }
    switch (plan->kind) {
    case SPK_PLAN_FILTER:
    case SPK_PLAN_DISTINCT:
    case SPK_PLAN_GENERATE:
        in = spread(d, plan->in[0], attrs);
        made = over(d, plan, in, *attrs);
        break;
    case SPK_PLAN_PROJECT:
        in = spread(d, plan->in[0], attrs);
        made = over(d, plan, in, *attrs);
        for (size_t i = 0; made && i < d->n; i++)
            SPK_ADD(d->a, made->exprs, made->n_exprs, spk_attr_column(d->a, &(*attrs)[i], SPK_SQL_NOWHERE));
        break;
    case SPK_PLAN_WINDOW:
        in = spread(d, plan->in[0], attrs);
        made = over(d, plan, in, *attrs);
        for (size_t i = 0; made && i < d->n; i++)
            SPK_ADD(d->a, made->partition, made->n_partition, spk_attr_column(d->a, &(*attrs)[i], SPK_SQL_NOWHERE));
        if (made && in) { /* what windows add stands behind the input */
            const spk_attr *own = plan->out + plan->in[0]->n_out;
            made->n_out = 0;
            made->out = NULL;
            for (size_t i = 0; i < in->n_out; i++)
                spk_plan_out(d->a, made, in->out[i]);
            for (size_t i = 0; i < plan->n_functions; i++)
                spk_plan_out(d->a, made, own[i]);
        }
        return made;
    case SPK_PLAN_SORT:
        return spread(d, plan->in[0], attrs);
    case SPK_PLAN_LIMIT:
        return spread_limit(d, plan, attrs);
    case SPK_PLAN_AGGREGATE:
        return spread_aggregate(d, plan, attrs);
    case SPK_PLAN_JOIN:
        return spread_join(d, plan, attrs);
    case SPK_PLAN_UNION:
        return spread_both(d, plan, attrs);
    default:
        spk_sql_unsupported(d->a->error, plan->span, "such a correlated subquery");
        return NULL;
    }
    if (made && plan->kind == SPK_PLAN_GENERATE) {
        const spk_attr *own = plan->out + plan->in[0]->n_out;
        const size_t n = plan->n_out - plan->in[0]->n_out;
        made->n_out = 0;
        made->out = NULL;
        for (size_t i = 0; i < in->n_out; i++)
            spk_plan_out(d->a, made, in->out[i]);
        for (size_t i = 0; i < n; i++)
            spk_plan_out(d->a, made, own[i]);
        return made;
    }
    if (made && plan->kind != SPK_PLAN_PROJECT) { /* all of the input */
        made->n_out = 0;
        made->out = NULL;
        for (size_t i = 0; i < in->n_out; i++)
            spk_plan_out(d->a, made, in->out[i]);
    }
    if (made)
        add_domain(d, made, *attrs);
    return made;
}

/* totals: one row, whatever there is. */
static bool totals(const spk_plan *plan)
{
    while (plan->kind == SPK_PLAN_PROJECT)
        plan = plan->in[0];
    return plan->kind == SPK_PLAN_AGGREGATE && plan->n_exprs == 0;
}

spk_plan *spk_domain_join(spk_analyzer *a, spk_plan_join kind, spk_plan *left, spk_plan *right,
    spk_sql_expr **conditions, size_t n, const spk_attr *mark)
{
    domain d = { .a = a, .left = left };
    spk_attr *attrs, *outer = NULL;
    size_t m = 0;
    note_plan(&d, right);
    spk_plan *in = spread(&d, right, &attrs);
    if (!in)
        return NULL;
    for (size_t i = 0; i < d.n; i++)
        for (size_t k = 0; k < left->n_out; k++)
            if (left->out[k].id == d.ids[i]) {
                SPK_ADD(a, outer, m, left->out[k]);
                break;
            }
    spk_sql_expr **all = NULL;
    size_t n_all = 0;
    for (size_t i = 0; i < n; i++)
        SPK_ADD(a, all, n_all, conditions[i]);
    same_domain(&d, outer, attrs, &all, &n_all);
    spk_plan *made = spk_sql_failed(a->error) ? NULL : spk_plan_join_of(a, kind, left, in, all, n_all, mark);
    if (made && made->kind == SPK_PLAN_JOIN && kind == SPK_PLAN_INNER && n == 0) {
        made->keeps_left = totals(right);
        made->keeps_right = true;
    }
    return made;
}
