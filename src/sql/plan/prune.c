/* SPDX-License-Identifier: Apache-2.0 */
/* Columns that nobody asks for are not made. Of what the plan has twice (common.c) one is asked for what the other is as
 * well, so that they stay the same: first it is gone through what is asked of whom, until that does not grow, then
 * what is not asked for goes. */
#include "base/small.h"

#include "sql/plan/rules.h"

static void need(void *arg, const spk_sql_expr *column)
{
    spk_columns *set = arg;
    if (column->column / 64 < set->words)
        set->bits[column->column / 64] |= (uint64_t)1 << column->column % 64;
}

static void need_place(void *arg, spk_sql_expr **place)
{
    spk_expr_columns(*place, need, arg);
}

static void prune_columns(spk_plan *plan, const spk_columns *needed)
{
    size_t kept = 0;
    for (size_t i = 0; i < plan->n_out; i++) {
        if (!spk_columns_has(needed, plan->out[i].id))
            continue;
        if (plan->kind == SPK_PLAN_SCAN)
            plan->members[kept] = plan->members[i];
        else
            plan->exprs[kept] = plan->exprs[i];
        plan->out[kept++] = plan->out[i];
    }
    plan->n_out = kept;
    if (plan->kind == SPK_PLAN_PROJECT)
        plan->n_exprs = kept;
}

static void prune_aggregates(spk_plan *plan, const spk_columns *needed)
{
    size_t kept = 0;
    for (size_t i = 0; i < plan->n_aggs; i++)
        if (spk_columns_has(needed, plan->out[plan->n_exprs + i].id)) {
            plan->out[plan->n_exprs + kept] = plan->out[plan->n_exprs + i];
            plan->aggs[kept++] = plan->aggs[i];
        }
    plan->n_aggs = kept;
    plan->n_out = plan->n_exprs + kept;
}

/* asks: what an operator that is asked for `needed` asks for itself, added to own. */
static void asks(spk_plan *plan, const spk_columns *needed, spk_columns *own)
{
    if (plan->kind == SPK_PLAN_PROJECT || plan->kind == SPK_PLAN_AGGREGATE) {
        const size_t keys = plan->kind == SPK_PLAN_AGGREGATE ? plan->n_exprs : 0;
        for (size_t i = 0; i < plan->n_exprs; i++)
            if (keys || spk_columns_has(needed, plan->out[i].id))
                spk_expr_columns(plan->exprs[i], need, own);
        for (size_t i = 0; i < plan->n_aggs; i++) {
            const spk_plan_agg *agg = &plan->aggs[i];
            if (!spk_columns_has(needed, plan->out[keys + i].id))
                continue;
            for (uint32_t k = 0; k < agg->aggregate->n; k++)
                spk_expr_columns(agg->aggregate->args[k], need, own);
            spk_expr_columns(agg->filter, need, own);
        }
        return;
    }
    if (plan->kind == SPK_PLAN_UNION || plan->kind == SPK_PLAN_DISTINCT) /* by position: all of them */
        for (size_t s = 0; s < plan->n_in; s++)
            for (size_t i = 0; i < plan->in[s]->n_out; i++)
                own->bits[plan->in[s]->out[i].id / 64] |= (uint64_t)1 << plan->in[s]->out[i].id % 64;
    spk_plan_each(plan, need_place, own);
}

static bool copied(spk_analyzer *a, const spk_columns *set, spk_columns *copy)
{
    *copy = (spk_columns) { spk_arena_alloc(a->arena, (set->words + 1) * 8, 8), set->words };
    if (!copy->bits) {
        spk_sql_nomem(a->error);
        return false;
    }
    memcpy(copy->bits, set->bits, set->words * 8);
    return true;
}

/* translate: what of x is in a set, for y, which is the same. Whether that was new. */
static bool translate(const spk_plan *x, const uint64_t *from, const spk_plan *y, uint64_t *to)
{
    bool grown = false;
    for (size_t i = 0; i < x->n_out; i++) {
        const uint32_t p = x->out[i].id, q = y->out[i].id;
        const uint64_t bit = (uint64_t)1 << q % 64;
        if ((from[p / 64] >> p % 64 & 1) && !(to[q / 64] & bit)) {
            to[q / 64] |= bit;
            grown = true;
        }
    }
    return grown;
}

/* share: whether more is asked of what stands for others than was known. */
static bool share(spk_analyzer *a, spk_plan *plan, spk_columns needed)
{
    spk_columns own;
    bool grown = false;
    if (plan->same)
        return translate(plan, needed.bits, plan->same, plan->same->shared);
    if (plan->shared) { /* all that anybody asks of it */
        (void)translate(plan, needed.bits, plan, plan->shared);
        if (!copied(a, &needed, &own))
            return false;
        (void)translate(plan, plan->shared, plan, own.bits);
        needed = own;
    }
    if (!plan->n_in || !copied(a, &needed, &own))
        return false;
    asks(plan, &needed, &own);
    for (size_t i = 0; i < plan->n_in && !spk_sql_failed(a->error); i++)
        grown |= share(a, plan->in[i], own);
    return grown;
}

static void make_room(spk_analyzer *a, spk_plan *plan, size_t words)
{
    if (plan->same && !plan->same->shared) {
        uint64_t *bits = spk_arena_alloc(a->arena, (words + 1) * 8, 8);
        if (bits)
            memset(bits, 0, (words + 1) * 8);
        else
            spk_sql_nomem(a->error);
        plan->same->shared = bits;
    }
    for (size_t i = 0; i < plan->n_in && !plan->same && !spk_sql_failed(a->error); i++)
        make_room(a, plan->in[i], words);
}

/* prune: needed: what is asked of it from above. */
static void prune(spk_analyzer *a, spk_plan *plan, spk_columns needed)
{
    spk_columns own;
    if (plan->same || plan->shared) {
        if (!copied(a, &needed, &own))
            return;
        const spk_plan *one = plan->same ? plan->same : plan;
        (void)translate(one, one->shared, plan, own.bits);
        needed = own;
    }
    if (!copied(a, &needed, &own))
        return;
    plan->needed = needed.bits; /* joins leave out the others when it is decided how they are computed */
    plan->needed_words = needed.words;
    asks(plan, &needed, &own);
    if (plan->kind == SPK_PLAN_PROJECT || plan->kind == SPK_PLAN_SCAN)
        prune_columns(plan, &needed);
    else if (plan->kind == SPK_PLAN_AGGREGATE)
        prune_aggregates(plan, &needed);
    for (size_t i = 0; i < plan->n_in && !spk_sql_failed(a->error); i++)
        prune(a, plan->in[i], own);
    if (!spk_sql_failed(a->error))
        spk_plan_refresh(a, plan);
}

void spk_prune_columns(spk_analyzer *a, spk_plan *plan, spk_sql_expr *const *exprs, size_t n)
{
    spk_columns needed = { NULL, a->next_id / 64 + 1 };
    needed.bits = spk_arena_alloc(a->arena, needed.words * 8, 8);
    if (!needed.bits) {
        spk_sql_nomem(a->error);
        return;
    }
    memset(needed.bits, 0, needed.words * 8);
    for (size_t i = 0; i < n; i++)
        need(&needed, exprs[i]);
    spk_common_subplans(a, plan);
    if (!spk_sql_failed(a->error))
        make_room(a, plan, needed.words);
    while (!spk_sql_failed(a->error) && share(a, plan, needed))
        ;
    if (!spk_sql_failed(a->error))
        prune(a, plan, needed);
}
