/* SPDX-License-Identifier: Apache-2.0 */
/* Common subplans are computed once: an operator that is the same as an earlier one, but for the numbers of its
 * columns, takes that one's rows. That is so for what keeps its rows or has shuffled them: joins, groups, distinct
 * rows, windows, limits; not for a sort, for how many of its rows are wanted is not its own. A query's common table
 * expressions are where it comes from.
 *
 * They are found before columns are pruned, which then keeps for one what the other needs, and once more when it is
 * decided how joins are computed, which may have copied some. */
#include "base/small.h"

#include "sql/plan/rules.h"

typedef struct candidate {
    spk_plan *plan;
    uint64_t hash;
} candidate;

typedef struct finding {
    spk_analyzer *a;
    candidate *before;
    size_t n;
    uint32_t *to; /* of each attribute of one plan, that of the other; 0: none yet */
} finding;

static uint64_t mix(uint64_t h, uint64_t x)
{
    return (h ^ x) * UINT64_C(0x9fb21c651e98df25) + (h >> 29);
}

/* hash: what the same plans have in common, quickly. */
static uint64_t hash(const spk_plan *plan)
{
    if (plan->same)
        return hash(plan->same);
    uint64_t h = mix(mix(mix((uint64_t)plan->kind, plan->n_out), plan->n_exprs), plan->n_aggs);
    h = mix(mix(mix(h, (uint64_t)plan->join), (uint64_t)plan->how), (uint64_t)(uintptr_t)plan->rdd);
    for (size_t i = 0; i < plan->n_in; i++)
        h = mix(h, hash(plan->in[i]));
    return h;
}

static bool same_exprs(const finding *f, spk_sql_expr *const *x, spk_sql_expr *const *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((x[i] || y[i]) && !spk_expr_same_as(f->to, x[i], y[i]))
            return false;
    return true;
}

static bool same_aggs(const finding *f, const spk_plan *x, const spk_plan *y)
{
    for (size_t i = 0; i < x->n_aggs; i++) {
        const spk_plan_agg *p = &x->aggs[i], *q = &y->aggs[i];
        const spk_sql_aggregate *s = p->aggregate, *t = q->aggregate;
        if (s->def != t->def || s->n != t->n || s->ignore_nulls != t->ignore_nulls || p->distinct != q->distinct
            || !spk_sql_type_same(s->type, t->type) || !same_exprs(f, s->args, t->args, s->n)
            || !same_exprs(f, &p->filter, &q->filter, 1))
            return false;
    }
    return true;
}

static bool same_sort(const finding *f, const spk_plan *x, const spk_plan *y)
{
    for (size_t i = 0; i < x->n_sort; i++)
        if (x->sort[i].descending != y->sort[i].descending || x->sort[i].nulls_last != y->sort[i].nulls_last
            || !same_exprs(f, &x->sort[i].expression, &y->sort[i].expression, 1))
            return false;
    return true;
}

static bool same_function(const finding *f, const spk_plan_function *p, const spk_plan_function *q)
{
    if (!p->name != !q->name || (p->name && strcmp(p->name, q->name) != 0) || !p->aggregate != !q->aggregate)
        return false;
    if (p->aggregate
        && (p->aggregate->def != q->aggregate->def || p->aggregate->n != q->aggregate->n
            || !same_exprs(f, p->aggregate->args, q->aggregate->args, p->aggregate->n)))
        return false;
    return p->n_args == q->n_args && p->ignore_nulls == q->ignore_nulls && p->framed == q->framed && p->rows == q->rows
        && p->from == q->from && p->to == q->to && same_exprs(f, p->args, q->args, p->n_args)
        && same_exprs(f, &p->filter, &q->filter, 1) && same_exprs(f, &p->from_offset, &q->from_offset, 1)
        && same_exprs(f, &p->to_offset, &q->to_offset, 1) && same_exprs(f, &p->low, &q->low, 1)
        && same_exprs(f, &p->high, &q->high, 1);
}

static bool same_window(const finding *f, const spk_plan *x, const spk_plan *y)
{
    for (size_t i = 0; i < x->n_functions; i++)
        if (!same_function(f, &x->functions[i], &y->functions[i]))
            return false;
    return same_exprs(f, x->partition, y->partition, x->n_partition);
}

static bool same_keys(const finding *f, const spk_plan *x, const spk_plan *y)
{
    for (size_t i = 0; i < x->n_keys; i++)
        if (x->keys[i].null_safe != y->keys[i].null_safe || !same_exprs(f, &x->keys[i].left, &y->keys[i].left, 1)
            || !same_exprs(f, &x->keys[i].right, &y->keys[i].right, 1))
            return false;
    return true;
}

static bool same_sets(const spk_plan *x, const spk_plan *y)
{
    for (size_t s = 0; s < x->n_sets; s++)
        if (x->set_ids[s] != y->set_ids[s] || memcmp(x->sets[s], y->sets[s], x->n_exprs * sizeof *x->sets[s]) != 0)
            return false;
    return true;
}

/* same_leaf: constants, and what is read. */
static bool same_leaf(const finding *f, const spk_plan *x, const spk_plan *y)
{
    for (size_t i = 0; i < x->n_rows; i++)
        if (!same_exprs(f, x->rows[i], y->rows[i], x->n_out))
            return false;
    for (size_t i = 0; x->members && i < x->n_out; i++)
        if (x->members[i] != y->members[i])
            return false;
    return x->rdd == y->rdd && x->packed == y->packed && x->first == y->first && x->last == y->last
        && x->step == y->step && x->parts == y->parts;
}

static bool same_shape(const spk_plan *x, const spk_plan *y)
{
    return x->kind == y->kind && x->n_out == y->n_out && x->n_in == y->n_in && x->n_exprs == y->n_exprs
        && x->n_rows == y->n_rows && x->join == y->join && x->how == y->how && x->n_keys == y->n_keys
        && x->null_aware == y->null_aware && x->n_aggs == y->n_aggs && x->n_sets == y->n_sets && x->n_sort == y->n_sort
        && x->local == y->local && x->limit == y->limit && x->offset == y->offset && x->with_ties == y->with_ties
        && x->n_functions == y->n_functions
        && x->n_partition == y->n_partition && x->outer == y->outer && x->position == y->position
        && x->inline_rows == y->inline_rows && !x->members == !y->members;
}

/* same: whether y gives the rows of x, in the same columns; what is found of their columns stays in f->to. */
static bool same(finding *f, const spk_plan *x, const spk_plan *y)
{
    const spk_plan *one = x->same ? x->same : x, *other = y->same ? y->same : y;
    if (one == other && x->n_out == y->n_out) {
        for (size_t i = 0; i < x->n_out; i++)
            f->to[x->out[i].id] = y->out[i].id;
        return true;
    }
    if (!same_shape(x, y) || x->kind == SPK_PLAN_SAMPLE)
        return false;
    for (size_t i = 0; i < x->n_in; i++)
        if (!same(f, x->in[i], y->in[i]))
            return false;
    if (!same_leaf(f, x, y) || !same_exprs(f, x->exprs, y->exprs, x->n_exprs) || !same_keys(f, x, y)
        || !same_aggs(f, x, y) || !same_sort(f, x, y) || !same_window(f, x, y) || !same_sets(x, y))
        return false;
    for (size_t i = 0; i < x->n_out; i++) {
        const spk_attr *p = &x->out[i], *q = &y->out[i];
        uint32_t *to = &f->to[p->id];
        if (!spk_sql_type_same(p->type, q->type) || p->nullable != q->nullable)
            return false;
        const bool passed = *to == q->id;
        bool own = true; /* not of an input, where it would have to be the same */
        for (size_t k = 0; k < x->n_in && own; k++)
            own = !spk_plan_has(x->in[k], p->id);
        if (!passed && !own)
            return false;
        *to = q->id;
    }
    return true;
}

static bool worth(const spk_plan *plan)
{
    return plan->kind == SPK_PLAN_JOIN || plan->kind == SPK_PLAN_AGGREGATE || plan->kind == SPK_PLAN_DISTINCT
        || plan->kind == SPK_PLAN_WINDOW || plan->kind == SPK_PLAN_LIMIT;
}

static void mark(spk_analyzer *a, spk_plan *plan, spk_plan *same_one)
{
    size_t n = 0;
    plan->twins = NULL;
    for (size_t i = 0; i < plan->n_out; i++)
        SPK_ADD(a, plan->twins, n, (spk_twin) { plan->out[i], same_one->out[i].id });
    plan->n_twins = n;
    plan->same = same_one;
}

void spk_common_columns(spk_analyzer *a, spk_plan *plan)
{
    plan->out = NULL;
    plan->n_out = 0;
    for (size_t i = 0; i < plan->same->n_out; i++)
        for (size_t k = 0; k < plan->n_twins; k++)
            if (plan->twins[k].id == plan->same->out[i].id) {
                spk_attr attr = plan->twins[k].attr;
                attr.nullable = plan->same->out[i].nullable;
                spk_plan_out(a, plan, attr);
                break;
            }
}

static void find(finding *f, spk_plan *plan)
{
    if (spk_sql_failed(f->a->error) || plan->same)
        return;
    if (worth(plan)) {
        const uint64_t h = hash(plan);
        for (size_t i = 0; i < f->n && !plan->same; i++) {
            if (f->before[i].hash != h)
                continue;
            memset(f->to, 0, f->a->next_id * sizeof *f->to);
            if (same(f, plan, f->before[i].plan))
                mark(f->a, plan, f->before[i].plan);
        }
        if (plan->same)
            return;
        SPK_ADD(f->a, f->before, f->n, (candidate) { plan, h });
    }
    for (size_t i = 0; i < plan->n_in; i++)
        find(f, plan->in[i]);
}

void spk_common_subplans(spk_analyzer *a, spk_plan *plan)
{
    finding f = { .a = a };
    if (!plan || spk_sql_failed(a->error))
        return;
    f.to = spk_arena_alloc(a->arena, (a->next_id + 1) * sizeof *f.to, 8);
    if (!f.to) {
        spk_sql_nomem(a->error);
        return;
    }
    find(&f, plan);
}
