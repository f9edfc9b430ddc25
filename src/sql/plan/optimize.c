/* SPDX-License-Identifier: Apache-2.0 */
/* The rules, in the order in which they run:
 *
 *   semi joins   a filter that asks for the mark of a subquery makes its join a semi or anti join
 *   factors      (a AND b) OR (a AND c) is a AND (b OR c): join keys inside ORs come out
 *   pushdown     conditions go down as far as what they name is there, and into joins
 *   join order   of inner joins: the largest input streams, tables are made of the others, the smallest
 *                first, and no cross product while a condition connects something
 *   pruning      columns that nobody asks for are not made
 *   folding      what is constant is computed once; what fails is left to fail when it runs
 *
 * A plan is a tree here: operators are changed in place. */
#include "sql/eval/function.h"
#include "sql/plan/analyze.h"

/* ---- what all rules need */

static bool is_call(const spk_sql_expr *e, const char *name)
{
    return e && e->kind == SPK_SQL_CALL && e->function && strcmp(e->function->name, name) == 0;
}

/* refresh: the attributes of an operator that passes on those of its inputs. */
static void refresh(spk_analyzer *a, spk_plan *plan)
{
    spk_attr own[1] = { { 0 } };
    const spk_attr *tail = NULL;
    size_t n_tail = 0;
    switch (plan->kind) {
    case SPK_PLAN_FILTER:
    case SPK_PLAN_SORT:
    case SPK_PLAN_LIMIT:
    case SPK_PLAN_DISTINCT:
    case SPK_PLAN_SAMPLE:
        break;
    case SPK_PLAN_WINDOW:
        n_tail = plan->n_functions;
        tail = plan->out + (plan->n_out - n_tail);
        break;
    case SPK_PLAN_EXPAND:
        n_tail = 1;
        tail = plan->out + (plan->n_out - n_tail);
        break;
    case SPK_PLAN_GENERATE: /* what it makes is not below */
        while (n_tail < plan->n_out && !spk_plan_has(plan->in[0], plan->out[plan->n_out - 1 - n_tail].id))
            n_tail++;
        tail = plan->out + (plan->n_out - n_tail);
        break;
    case SPK_PLAN_JOIN:
        if (plan->join == SPK_PLAN_MARK) {
            own[0] = plan->out[plan->n_out - 1];
            tail = own;
            n_tail = 1;
        } else if (plan->join != SPK_PLAN_SEMI && plan->join != SPK_PLAN_ANTI) {
            tail = plan->in[1]->out;
            n_tail = plan->in[1]->n_out;
        }
        break;
    default:
        return;
    }
    spk_attr *out = NULL;
    size_t n = 0;
    const bool left = plan->kind == SPK_PLAN_JOIN && (plan->join == SPK_PLAN_RIGHT || plan->join == SPK_PLAN_FULL);
    const bool right = plan->kind == SPK_PLAN_JOIN
        && (plan->join == SPK_PLAN_LEFT || plan->join == SPK_PLAN_FULL || plan->join == SPK_PLAN_SINGLE);
    for (size_t i = 0; i < plan->in[0]->n_out; i++) {
        spk_attr attr = plan->in[0]->out[i];
        attr.nullable |= left;
        SPK_ADD(a, out, n, attr);
    }
    for (size_t i = 0; i < n_tail; i++) {
        spk_attr attr = tail[i];
        attr.nullable |= right;
        SPK_ADD(a, out, n, attr);
    }
    plan->out = out;
    plan->n_out = n;
}

/* ---- semi joins */

/* mark_join: the join below, behind others that subqueries have added, whose mark that is. */
static spk_plan *mark_join(spk_plan *plan, uint32_t id)
{
    while (plan->kind == SPK_PLAN_JOIN && (plan->join == SPK_PLAN_MARK || plan->join == SPK_PLAN_SINGLE
                                              || plan->join == SPK_PLAN_SEMI || plan->join == SPK_PLAN_ANTI)) {
        if (plan->join == SPK_PLAN_MARK && plan->out[plan->n_out - 1].id == id)
            return plan;
        plan = plan->in[0];
    }
    return NULL;
}

static void refresh_down(spk_analyzer *a, spk_plan *plan, const spk_plan *to)
{
    if (plan != to && plan->n_in)
        refresh_down(a, plan->in[0], to);
    refresh(a, plan);
}

static void semi_joins(spk_analyzer *a, spk_plan *plan)
{
    for (size_t i = 0; i < plan->n_in; i++)
        semi_joins(a, plan->in[i]);
    if (plan->kind != SPK_PLAN_FILTER)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < plan->n_exprs; i++) {
        spk_sql_expr *e = plan->exprs[i];
        const bool negated = is_call(e, "not");
        const spk_sql_expr *column = negated ? e->args[0] : e;
        spk_plan *join = column->kind == SPK_SQL_COLUMN ? mark_join(plan->in[0], column->column) : NULL;
        if (!join) {
            plan->exprs[kept++] = e;
            continue;
        }
        join->join = negated ? SPK_PLAN_ANTI : SPK_PLAN_SEMI;
        refresh_down(a, plan->in[0], join);
    }
    plan->n_exprs = kept;
    refresh(a, plan);
}

/* ---- factors of OR */

static void disjuncts(spk_analyzer *a, spk_sql_expr *e, spk_sql_expr ***list, size_t *n)
{
    if (is_call(e, "or")) {
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

static void factors(spk_analyzer *a, spk_plan *plan)
{
    spk_sql_expr **out = NULL;
    size_t n = 0;
    for (size_t i = 0; i < plan->n_in; i++)
        factors(a, plan->in[i]);
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

static spk_plan *above(spk_analyzer *a, spk_plan *plan, list conditions)
{
    return plan ? spk_plan_filter(a, plan, conditions.at, conditions.n) : NULL;
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

static spk_plan *into_join(spk_analyzer *a, spk_plan *plan, list conditions)
{
    list sides[2] = { { NULL, 0 }, { NULL, 0 } }, stay = { NULL, 0 }, on = { NULL, 0 };
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

/* ---- join order */

/* rows_of: a guess at how many rows a plan gives. */
static double rows_of(const spk_plan *plan)
{
    double n = plan->n_in ? rows_of(plan->in[0]) : 1;
    switch (plan->kind) {
    case SPK_PLAN_SCAN:
        return plan->fraction > 0 ? plan->fraction : 10000;
    case SPK_PLAN_ROWS:
        return (double)plan->n_rows;
    case SPK_PLAN_RANGE:
        return plan->step ? (double)(plan->last - plan->first) / (double)plan->step : 1;
    case SPK_PLAN_FILTER:
        for (size_t i = 0; i < plan->n_exprs; i++)
            n *= is_call(plan->exprs[i], "=") ? 0.05 : 0.3;
        return n < 1 ? 1 : n;
    case SPK_PLAN_JOIN: {
        const double m = rows_of(plan->in[1]);
        if (plan->join == SPK_PLAN_SEMI || plan->join == SPK_PLAN_ANTI)
            return n * 0.5;
        if (plan->join != SPK_PLAN_INNER)
            return n;
        return plan->n_exprs ? (n > m ? n : m) : n * m;
    }
    case SPK_PLAN_AGGREGATE:
        return plan->n_exprs ? n * 0.2 : 1;
    case SPK_PLAN_UNION:
        return n + rows_of(plan->in[1]);
    case SPK_PLAN_LIMIT:
        return plan->limit >= 0 && (double)plan->limit < n ? (double)plan->limit : n;
    default:
        return n;
    }
}

typedef struct ordering {
    spk_analyzer *a;
    spk_plan **inputs;
    size_t n;
    spk_sql_expr **conditions;
    size_t n_conditions;
    bool *used; /* inputs */
} ordering;

static spk_plan *order_joins(spk_analyzer *a, spk_plan *plan);

static void flatten(ordering *o, spk_plan *plan)
{
    if (plan->kind == SPK_PLAN_JOIN && plan->join == SPK_PLAN_INNER) {
        flatten(o, plan->in[0]);
        flatten(o, plan->in[1]);
        for (size_t i = 0; i < plan->n_exprs; i++)
            SPK_ADD(o->a, o->conditions, o->n_conditions, plan->exprs[i]);
        return;
    }
    SPK_ADD(o->a, o->inputs, o->n, order_joins(o->a, plan));
}

/* connects: whether some condition compares the plan with the input by =. */
static bool connects(const ordering *o, const spk_plan *plan, const spk_plan *input)
{
    for (size_t i = 0; i < o->n_conditions; i++) {
        const spk_sql_expr *e = o->conditions[i];
        if (!e || (!is_call(e, "=") && !is_call(e, "<=>")))
            continue;
        if ((spk_expr_within(e->args[0], plan) && spk_expr_within(e->args[1], input)
                && spk_expr_touches(e->args[0], plan) && spk_expr_touches(e->args[1], input))
            || (spk_expr_within(e->args[1], plan) && spk_expr_within(e->args[0], input)
                && spk_expr_touches(e->args[1], plan) && spk_expr_touches(e->args[0], input)))
            return true;
    }
    return false;
}

/* add: the input to the plan, with all conditions that can be asked by then. */
static spk_plan *add(ordering *o, spk_plan *plan, size_t i)
{
    spk_sql_expr **ready = NULL;
    size_t n = 0;
    spk_plan *join = spk_plan_join_of(o->a, SPK_PLAN_INNER, plan, o->inputs[i], NULL, 0, NULL);
    o->used[i] = true;
    for (size_t k = 0; join && k < o->n_conditions; k++)
        if (o->conditions[k] && spk_expr_within(o->conditions[k], join)) {
            SPK_ADD(o->a, ready, n, o->conditions[k]);
            o->conditions[k] = NULL;
        }
    if (join) {
        join->exprs = ready;
        join->n_exprs = n;
    }
    return join;
}

static spk_plan *reorder(spk_analyzer *a, spk_plan *plan)
{
    ordering o = { .a = a };
    flatten(&o, plan);
    o.used = spk_arena_alloc(a->arena, o.n + 1, 1);
    if (!o.used || spk_sql_failed(a->error)) {
        spk_sql_nomem(a->error);
        return NULL;
    }
    memset(o.used, 0, o.n);
    size_t first = 0;
    for (size_t i = 1; i < o.n; i++)
        if (rows_of(o.inputs[i]) > rows_of(o.inputs[first]))
            first = i;
    spk_plan *made = o.inputs[first];
    o.used[first] = true;
    for (size_t done = 1; made && done < o.n; done++) {
        size_t best = SIZE_MAX;
        bool connected = false;
        for (size_t i = 0; i < o.n; i++) {
            if (o.used[i])
                continue;
            const bool c = connects(&o, made, o.inputs[i]);
            if (best == SIZE_MAX || (c && !connected)
                || (c == connected && rows_of(o.inputs[i]) < rows_of(o.inputs[best]))) {
                best = i;
                connected = c;
            }
        }
        made = add(&o, made, best);
    }
    spk_sql_expr **left = NULL;
    size_t n = 0;
    for (size_t k = 0; k < o.n_conditions; k++)
        if (o.conditions[k])
            SPK_ADD(a, left, n, o.conditions[k]);
    return made ? spk_plan_filter(a, made, left, n) : NULL;
}

static spk_plan *order_joins(spk_analyzer *a, spk_plan *plan)
{
    if (!plan || spk_sql_failed(a->error))
        return NULL;
    if (plan->kind == SPK_PLAN_JOIN && plan->join == SPK_PLAN_INNER)
        return reorder(a, plan);
    for (size_t i = 0; i < plan->n_in; i++)
        if (!(plan->in[i] = order_joins(a, plan->in[i])))
            return NULL;
    refresh(a, plan);
    return plan;
}

/* ---- pruning */

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

/* prune: needed: what is asked of it from above; it grows by what the operator itself asks for. */
static void prune(spk_analyzer *a, spk_plan *plan, spk_columns needed)
{
    spk_columns own = { spk_arena_alloc(a->arena, (needed.words + 1) * 8, 8), needed.words };
    if (!own.bits) {
        spk_sql_nomem(a->error);
        return;
    }
    memcpy(own.bits, needed.bits, needed.words * 8);
    if (plan->kind == SPK_PLAN_UNION || plan->kind == SPK_PLAN_DISTINCT)
        for (size_t s = 0; s < plan->n_in; s++)
            for (size_t i = 0; i < plan->in[s]->n_out; i++)
                own.bits[plan->in[s]->out[i].id / 64] |= (uint64_t)1 << plan->in[s]->out[i].id % 64;
    if (plan->kind == SPK_PLAN_PROJECT || plan->kind == SPK_PLAN_SCAN)
        prune_columns(plan, &own);
    else if (plan->kind == SPK_PLAN_AGGREGATE)
        prune_aggregates(plan, &own);
    spk_plan_each(plan, need_place, &own);
    for (size_t i = 0; i < plan->n_in && !spk_sql_failed(a->error); i++)
        prune(a, plan->in[i], own);
    if (!spk_sql_failed(a->error))
        refresh(a, plan);
}

/* ---- folding */

static void fold(void *arg, spk_sql_expr **place)
{
    spk_analyzer *a = arg;
    if (*place && !spk_sql_failed(a->error))
        spk_sql_fold(&a->build, place);
}

static void fold_all(spk_analyzer *a, spk_plan *plan)
{
    if (plan->kind != SPK_PLAN_ROWS)
        spk_plan_each(plan, fold, a);
    for (size_t i = 0; i < plan->n_in; i++)
        fold_all(a, plan->in[i]);
}

spk_plan *spk_optimize(spk_analyzer *a, spk_plan *plan)
{
    spk_sql_expr **exprs = NULL;
    spk_attr *out = NULL;
    size_t n = 0, m = 0;
    for (size_t i = 0; i < plan->n_out; i++) {
        SPK_ADD(a, exprs, n, spk_attr_column(a, &plan->out[i], SPK_SQL_NOWHERE));
        SPK_ADD(a, out, m, plan->out[i]);
    }
    semi_joins(a, plan);
    factors(a, plan);
    plan = push(a, plan, (list) { NULL, 0 });
    plan = order_joins(a, plan);
    if (!plan || spk_sql_failed(a->error))
        return NULL;
    spk_columns needed = { NULL, a->next_id / 64 + 1 };
    needed.bits = spk_arena_alloc(a->arena, needed.words * 8, 8);
    if (!needed.bits) {
        spk_sql_nomem(a->error);
        return NULL;
    }
    memset(needed.bits, 0, needed.words * 8);
    for (size_t i = 0; i < n; i++)
        need(&needed, exprs[i]);
    prune(a, plan, needed);
    fold_all(a, plan);
    bool same = plan->n_out == n;
    for (size_t i = 0; same && i < n; i++)
        same = plan->out[i].id == out[i].id;
    if (spk_sql_failed(a->error))
        return NULL;
    return same ? plan : spk_plan_project(a, plan, exprs, out, n);
}
