/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions go down as far as what they name is there, and into joins; of an OR over several inputs, what it says of
 * each. Before that what all members of an OR have in common comes out of it. */
#include "base/small.h"

#include "sql/plan/rules.h"

/* ---- factors of OR */

static void disjuncts(spk_analyzer *a, spk_sql_expr *e, spk_sql_expr ***list, size_t *n)
{
    if (spk_expr_is(e, "or")) {
        for (uint32_t i = 0; i < e->n; i++)
            disjuncts(a, e->args[i], list, n);
        return;
    }
    SPK_ADD(a, *list, *n, e);
}

static spk_sql_expr *chain(spk_analyzer *a, const char *name, spk_sql_expr **list, size_t n)
{
    spk_sql_expr *e = list[0];
    for (size_t i = 1; i < n && e; i++) {
        spk_sql_expr *pair[] = { e, list[i] };
        e = spk_sql_call(&a->build, name, pair, 2, e->span);
    }
    return e;
}

static bool among(spk_sql_expr *e, spk_sql_expr **list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (spk_expr_same(e, list[i]))
            return true;
    return false;
}

/* factor: conjuncts of an OR that all its members have, and what is left of it. */
static void factor(spk_analyzer *a, spk_sql_expr *e, spk_sql_expr ***out, size_t *n_out)
{
    spk_sql_expr **members = NULL, **parts[64], **rest = NULL, **common = NULL;
    size_t n = 0, counts[64] = { 0 }, n_rest = 0, n_common = 0;
    disjuncts(a, e, &members, &n);
    if (n < 2 || n > 64) {
        SPK_ADD(a, *out, *n_out, e);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        parts[i] = NULL;
        spk_conjuncts(a, members[i], &parts[i], &counts[i]);
    }
    for (size_t k = 0; k < counts[0]; k++) {
        bool all = true;
        for (size_t i = 1; i < n && all; i++)
            all = among(parts[0][k], parts[i], counts[i]);
        if (all)
            SPK_ADD(a, common, n_common, parts[0][k]);
    }
    if (!n_common) {
        SPK_ADD(a, *out, *n_out, e);
        return;
    }
    for (size_t k = 0; k < n_common; k++)
        SPK_ADD(a, *out, *n_out, common[k]);
    for (size_t i = 0; i < n; i++) {
        spk_sql_expr **left = NULL;
        size_t m = 0;
        for (size_t k = 0; k < counts[i]; k++)
            if (!among(parts[i][k], common, n_common))
                SPK_ADD(a, left, m, parts[i][k]);
        if (!m)
            return; /* that member says no more than what is common */
        SPK_ADD(a, rest, n_rest, chain(a, "and", left, m));
    }
    spk_sql_expr *either = n_rest ? chain(a, "or", rest, n_rest) : NULL;
    if (either)
        SPK_ADD(a, *out, *n_out, either);
}

void spk_factors(spk_analyzer *a, spk_plan *plan)
{
    spk_sql_expr **out = NULL;
    size_t n = 0;
    for (size_t i = 0; i < plan->n_in; i++)
        spk_factors(a, plan->in[i]);
    if (plan->kind != SPK_PLAN_FILTER && plan->kind != SPK_PLAN_JOIN)
        return;
    for (size_t i = 0; i < plan->n_exprs; i++)
        factor(a, plan->exprs[i], &out, &n);
    plan->exprs = out;
    plan->n_exprs = n;
}

/* ---- pushdown */

typedef struct list {
    spk_sql_expr **at;
    size_t n;
} list;

static spk_plan *push(spk_analyzer *a, spk_plan *plan, list conditions);

static spk_plan *push_below(spk_analyzer *a, spk_plan *plan, list conditions)
{
    if (plan->n_in)
        plan->in[0] = push(a, plan->in[0], conditions);
    for (size_t i = 1; i < plan->n_in; i++)
        plan->in[i] = push(a, plan->in[i], (list) { NULL, 0 });
    return plan;
}

/* print_of: a number that expressions which are the same have in common, whichever way around their arguments stand. */
static uint64_t print_of(const spk_sql_expr *e)
{
    uint64_t own = e->kind, sum = 0;
    if (e->kind == SPK_SQL_COLUMN)
        own += (uint64_t)e->column << 8;
    else if (e->kind == SPK_SQL_CONSTANT && !e->null && spk_sql_is_numeric(e->type))
        memcpy(&own, e->value, e->type->size < sizeof own ? e->type->size : sizeof own);
    for (uint32_t i = 0; i < e->n; i++)
        sum += e->args[i] ? print_of(e->args[i]) : 1;
    return ((own ^ sum) + (uintptr_t)e->function) * UINT64_C(0x9e3779b97f4a7c15);
}

/* above: each condition once: an OR may have said of an input what another condition does. */
static spk_plan *above(spk_analyzer *a, spk_plan *plan, list conditions)
{
    size_t n = 0;
    uint64_t *prints = spk_arena_alloc(a->arena, (conditions.n + 1) * sizeof *prints, 8);
    if (!prints)
        spk_sql_nomem(a->error);
    for (size_t i = 0; prints && i < conditions.n; i++) {
        spk_sql_expr *e = conditions.at[i];
        size_t k = 0;
        prints[n] = print_of(e);
        while (k < n && (prints[k] != prints[n] || !spk_expr_same(e, conditions.at[k])))
            k++;
        if (k == n || !e->deterministic)
            conditions.at[n++] = e;
    }
    return plan && prints ? spk_plan_filter(a, plan, conditions.at, n) : NULL;
}

/* through: conditions on a projection's columns, as conditions on what it is made of. */
static spk_plan *through(spk_analyzer *a, spk_plan *plan, list conditions)
{
    spk_replacement *by = NULL;
    list down = { NULL, 0 }, stay = { NULL, 0 };
    size_t n = 0;
    bool deterministic = true;
    for (size_t i = 0; i < plan->n_out; i++) {
        deterministic &= plan->exprs[i]->deterministic;
        SPK_ADD(a, by, n, (spk_replacement) { plan->out[i].id, plan->exprs[i] });
    }
    for (size_t i = 0; i < conditions.n; i++)
        if (deterministic && conditions.at[i]->deterministic)
            SPK_ADD(a, down.at, down.n, spk_expr_replace(a, conditions.at[i], by, n));
        else
            SPK_ADD(a, stay.at, stay.n, conditions.at[i]);
    plan->in[0] = push(a, plan->in[0], down);
    return above(a, plan, stay);
}

/* over_keys: of an aggregation: conditions on keys that are columns. */
static spk_plan *over_keys(spk_analyzer *a, spk_plan *plan, list conditions)
{
    list down = { NULL, 0 }, stay = { NULL, 0 };
    spk_replacement *by = NULL;
    size_t n = 0;
    const spk_plan keys = { .out = plan->out, .n_out = plan->n_exprs };
    for (size_t i = 0; i < plan->n_exprs; i++)
        SPK_ADD(a, by, n, (spk_replacement) { plan->out[i].id, plan->exprs[i] });
    const bool sets = plan->in[0]->kind == SPK_PLAN_EXPAND;
    for (size_t i = 0; i < conditions.n; i++)
        if (plan->n_exprs && !sets && spk_expr_within(conditions.at[i], &keys) && conditions.at[i]->deterministic)
            SPK_ADD(a, down.at, down.n, spk_expr_replace(a, conditions.at[i], by, n));
        else
            SPK_ADD(a, stay.at, stay.n, conditions.at[i]);
    plan->in[0] = push(a, plan->in[0], down);
    return above(a, plan, stay);
}

/* implied: what an OR says of one side alone: the OR of what each member says of it; NULL: some say nothing. */
static spk_sql_expr *implied(spk_analyzer *a, spk_sql_expr *e, const spk_plan *side)
{
    spk_sql_expr **members = NULL, **all = NULL;
    size_t n = 0, m = 0;
    if (!spk_expr_is(e, "or") || !e->deterministic)
        return NULL;
    disjuncts(a, e, &members, &n);
    for (size_t i = 0; i < n && n <= 64; i++) {
        spk_sql_expr **parts = NULL, **own = NULL;
        size_t n_parts = 0, n_own = 0;
        spk_conjuncts(a, members[i], &parts, &n_parts);
        for (size_t k = 0; k < n_parts; k++)
            if (spk_expr_within(parts[k], side) && spk_expr_touches(parts[k], side))
                SPK_ADD(a, own, n_own, parts[k]);
        if (n_own == 0)
            return NULL;
        SPK_ADD(a, all, m, chain(a, "and", own, n_own));
    }
    return m == n && m > 0 && !spk_sql_failed(a->error) ? chain(a, "or", all, m) : NULL;
}

/* imply: of an inner join: what its conditions say of a side alone, beside them. */
static void imply(spk_analyzer *a, const spk_plan *plan, const list *on, list *sides)
{
    for (size_t i = 0; i < on->n; i++)
        for (size_t s = 0; s < 2; s++) {
            spk_sql_expr *e = implied(a, on->at[i], plan->in[s]);
            if (e)
                SPK_ADD(a, sides[s].at, sides[s].n, e);
        }
}

/* is_null_for: whether an expression is NULL where all columns of a side are. */
static bool is_null_for(const spk_sql_expr *e, const spk_plan *side)
{
    if (e->kind == SPK_SQL_COLUMN)
        return spk_plan_has(side, e->column);
    const bool strict = e->kind == SPK_SQL_CAST
        || (e->kind == SPK_SQL_CALL && e->function
            && !(e->function->flags & (SPK_SQL_NULL_AWARE | SPK_SQL_LAZY | SPK_SQL_NEVER_NULL)));
    for (uint32_t i = 0; strict && i < e->n; i++)
        if (is_null_for(e->args[i], side))
            return true;
    return false;
}

/* refuses: whether a condition is FALSE or NULL where all columns of a side are NULL. */
static bool refuses(const spk_sql_expr *e, const spk_plan *side)
{
    const bool both = spk_expr_is(e, "and");
    if (both || spk_expr_is(e, "or")) {
        bool all = true, any = false;
        for (uint32_t i = 0; i < e->n; i++) {
            const bool one = refuses(e->args[i], side);
            all &= one;
            any |= one;
        }
        return both ? any : all;
    }
    if (spk_expr_is(e, "isnotnull"))
        return is_null_for(e->args[0], side);
    return is_null_for(e, side);
}

/* narrow: an outer join whose rows of NULLs a condition above refuses does not add them. */
static void narrow(spk_analyzer *a, spk_plan *plan, const list *conditions)
{
    bool refused[2] = { false, false };
    for (size_t i = 0; i < conditions->n; i++)
        for (size_t s = 0; s < 2; s++)
            refused[s] |= conditions->at[i]->deterministic && refuses(conditions->at[i], plan->in[s]);
    const spk_plan_join was = plan->join;
    if (was == SPK_PLAN_FULL)
        plan->join = refused[0] && refused[1] ? SPK_PLAN_INNER
            : refused[0]                      ? SPK_PLAN_LEFT
            : refused[1]                      ? SPK_PLAN_RIGHT
                                              : was;
    else if ((was == SPK_PLAN_LEFT && refused[1]) || (was == SPK_PLAN_RIGHT && refused[0]))
        plan->join = SPK_PLAN_INNER;
    if (plan->join != was)
        spk_plan_refresh(a, plan);
}

static spk_plan *into_join(spk_analyzer *a, spk_plan *plan, list conditions)
{
    list sides[2] = { { NULL, 0 }, { NULL, 0 } }, stay = { NULL, 0 }, on = { NULL, 0 };
    narrow(a, plan, &conditions);
    const spk_plan_join kind = plan->join;
    const bool inner = kind == SPK_PLAN_INNER;
    const bool keeps_left = kind != SPK_PLAN_RIGHT && kind != SPK_PLAN_FULL; /* no row of it gets lost, or NULLs */
    for (size_t i = 0; i < conditions.n; i++) {
        spk_sql_expr *e = conditions.at[i];
        if (keeps_left && spk_expr_within(e, plan->in[0]) && e->deterministic)
            SPK_ADD(a, sides[0].at, sides[0].n, e);
        else if ((inner || kind == SPK_PLAN_RIGHT) && spk_expr_within(e, plan->in[1]) && e->deterministic)
            SPK_ADD(a, sides[1].at, sides[1].n, e);
        else if (inner)
            SPK_ADD(a, on.at, on.n, e);
        else
            SPK_ADD(a, stay.at, stay.n, e);
    }
    for (size_t i = 0; i < plan->n_exprs; i++) {
        spk_sql_expr *e = plan->exprs[i];
        const bool left = spk_expr_within(e, plan->in[0]), right = spk_expr_within(e, plan->in[1]);
        const bool to_left = left && !right && (inner || kind == SPK_PLAN_SEMI || kind == SPK_PLAN_RIGHT);
        if (to_left && e->deterministic)
            SPK_ADD(a, sides[0].at, sides[0].n, e);
        else if (right && !left && kind != SPK_PLAN_RIGHT && kind != SPK_PLAN_FULL && e->deterministic)
            SPK_ADD(a, sides[1].at, sides[1].n, e);
        else
            SPK_ADD(a, on.at, on.n, e);
    }
    if (inner)
        imply(a, plan, &on, sides);
    plan->exprs = on.at;
    plan->n_exprs = on.n;
    for (size_t i = 0; i < 2; i++)
        plan->in[i] = push(a, plan->in[i], sides[i]);
    return above(a, plan, stay);
}

static spk_plan *into_union(spk_analyzer *a, spk_plan *plan, list conditions)
{
    for (size_t s = 0; s < plan->n_in; s++) {
        spk_replacement *by = NULL;
        list down = { NULL, 0 };
        size_t n = 0;
        for (size_t i = 0; i < plan->n_out; i++)
            SPK_ADD(a, by, n,
                (spk_replacement) { plan->out[i].id, spk_attr_column(a, &plan->in[s]->out[i], SPK_SQL_NOWHERE) });
        for (size_t i = 0; i < conditions.n; i++)
            SPK_ADD(a, down.at, down.n, spk_expr_replace(a, conditions.at[i], by, n));
        plan->in[s] = push(a, plan->in[s], down);
    }
    return plan;
}

static spk_plan *push(spk_analyzer *a, spk_plan *plan, list conditions)
{
    if (!plan || spk_sql_failed(a->error))
        return NULL;
    switch (plan->kind) {
    case SPK_PLAN_FILTER: {
        list all = { NULL, 0 };
        for (size_t i = 0; i < plan->n_exprs; i++)
            SPK_ADD(a, all.at, all.n, plan->exprs[i]);
        for (size_t i = 0; i < conditions.n; i++)
            SPK_ADD(a, all.at, all.n, conditions.at[i]);
        return push(a, plan->in[0], all);
    }
    case SPK_PLAN_PROJECT:
        return through(a, plan, conditions);
    case SPK_PLAN_JOIN:
        return into_join(a, plan, conditions);
    case SPK_PLAN_AGGREGATE:
        return over_keys(a, plan, conditions);
    case SPK_PLAN_UNION:
        return into_union(a, plan, conditions);
    case SPK_PLAN_SORT:
    case SPK_PLAN_DISTINCT:
        return push_below(a, plan, conditions);
    default:
        return above(a, push_below(a, plan, (list) { NULL, 0 }), conditions);
    }
}

spk_plan *spk_push_down(spk_analyzer *a, spk_plan *plan)
{
    return push(a, plan, (list) { NULL, 0 });
}
