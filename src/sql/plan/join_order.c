/* SPDX-License-Identifier: Apache-2.0 */
/* The order of inner joins: the largest input streams; of the others that a condition connects, the one that
 * leaves the fewest rows comes next (the smaller, where that is the same), and no cross product while
 * something is connected.
 *
 * Where large inputs meet by what is a key of neither, so that rows may become many more, the two that give the fewest
 * rows are joined first, be they inputs or what has been joined already, and so on. How many values a key has:
 * as many as the smallest table has rows that is compared by it, directly or through others; a column that is
 * compared with itself, in another reading of its table, is no key of that, and has a tenth of that. */
#include "base/small.h"

#include "sql/eval/function.h"
#include "sql/plan/analyze.h"

typedef struct ordering {
    spk_analyzer *a;
    spk_plan **inputs;
    spk_plan_size *sizes;
    size_t n;
    spk_sql_expr **conditions;
    size_t n_conditions;
    bool *used; /* inputs */
} ordering;

static bool compares(const spk_sql_expr *e)
{
    return e && e->kind == SPK_SQL_CALL && e->function && e->n == 2
        && (strcmp(e->function->name, "=") == 0 || strcmp(e->function->name, "<=>") == 0);
}

static void flatten(ordering *o, spk_plan *plan)
{
    if (plan->kind == SPK_PLAN_JOIN && plan->join == SPK_PLAN_INNER) {
        flatten(o, plan->in[0]);
        flatten(o, plan->in[1]);
        for (size_t i = 0; i < plan->n_exprs; i++)
            SPK_ADD(o->a, o->conditions, o->n_conditions, plan->exprs[i]);
        return;
    }
    SPK_ADD(o->a, o->inputs, o->n, spk_order_joins(o->a, plan));
}

/* across: whether x is of the plan and y of the input. */
static bool across(const spk_sql_expr *x, const spk_plan *plan, const spk_sql_expr *y, const spk_plan *input)
{
    return spk_expr_within(x, plan) && spk_expr_within(y, input) && spk_expr_touches(x, plan)
        && spk_expr_touches(y, input);
}

/* connects: whether some condition compares the plan with the input by =. */
static bool connects(const ordering *o, const spk_plan *plan, const spk_plan *input)
{
    for (size_t i = 0; i < o->n_conditions; i++) {
        const spk_sql_expr *e = o->conditions[i];
        if (compares(e)
            && (across(e->args[0], plan, e->args[1], input) || across(e->args[1], plan, e->args[0], input)))
            return true;
    }
    return false;
}

/* better: whether input i is to be joined before input k. */
static bool better(const ordering *o, size_t i, size_t k)
{
    const spk_plan_size *x = &o->sizes[i], *y = &o->sizes[k];
    const double kept = x->rows / x->base, other = y->rows / y->base;
    return kept != other ? kept < other : x->rows < y->rows;
}

static size_t next_input(const ordering *o, const spk_plan *made)
{
    size_t best = SIZE_MAX;
    bool connected = false;
    for (size_t i = 0; i < o->n; i++) {
        if (o->used[i])
            continue;
        const bool c = connects(o, made, o->inputs[i]);
        if (best == SIZE_MAX || (c && !connected) || (c == connected && better(o, i, best))) {
            best = i;
            connected = c;
        }
    }
    return best;
}

/* ---- how many rows */

enum { CLASSES = 64 };

/* classes: columns that must be equal have one number; values: how many each may have. */
typedef struct classes {
    uint32_t ids[CLASSES];
    size_t of[CLASSES];
    double values[CLASSES];
    bool itself[CLASSES]; /* a column that is compared with itself */
    size_t n;
} classes;

static const spk_sql_expr *column_in(const spk_sql_expr *e)
{
    while (e->kind == SPK_SQL_CAST)
        e = e->args[0];
    return e->kind == SPK_SQL_COLUMN ? e : NULL;
}

static size_t class_of(classes *c, uint32_t id)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->ids[i] == id)
            return c->of[i];
    if (c->n == CLASSES)
        return SIZE_MAX;
    c->ids[c->n] = id;
    c->of[c->n] = c->n;
    c->values[c->n] = 1e18;
    return c->n++;
}

/* source: the table, and the member of it, that a column is read from; NULL: it is computed. */
static const spark_rdd *source(const spk_plan *plan, uint32_t id, uint32_t *member)
{
    for (size_t i = 0; plan->kind == SPK_PLAN_SCAN && i < plan->n_out; i++)
        if (plan->out[i].id == id) {
            *member = plan->members ? plan->members[i] : (uint32_t)i;
            return plan->rdd;
        }
    if (plan->kind == SPK_PLAN_FILTER)
        return source(plan->in[0], id, member);
    for (size_t i = 0; plan->kind == SPK_PLAN_PROJECT && i < plan->n_out; i++)
        if (plan->out[i].id == id && plan->exprs[i]->kind == SPK_SQL_COLUMN)
            return source(plan->in[0], plan->exprs[i]->column, member);
    return NULL;
}

static size_t input_of(const ordering *o, uint32_t id)
{
    size_t i = 0;
    while (i < o->n && !spk_plan_has(o->inputs[i], id))
        i++;
    return i;
}

/* with_itself: whether two columns are the same one of two readings of a table. */
static bool with_itself(const ordering *o, uint32_t x, uint32_t y)
{
    uint32_t p = 0, q = 0;
    const size_t i = input_of(o, x), k = input_of(o, y);
    const spark_rdd *one = i < o->n ? source(o->inputs[i], x, &p) : NULL;
    return one && k < o->n && one == source(o->inputs[k], y, &q) && p == q;
}

static void classify(const ordering *o, classes *c)
{
    memset(c, 0, sizeof *c);
    for (size_t i = 0; i < o->n_conditions; i++) {
        const spk_sql_expr *e = o->conditions[i];
        const spk_sql_expr *x = compares(e) ? column_in(e->args[0]) : NULL, *y = x ? column_in(e->args[1]) : NULL;
        const size_t p = y ? class_of(c, x->column) : SIZE_MAX, q = y ? class_of(c, y->column) : SIZE_MAX;
        for (size_t k = 0; p != SIZE_MAX && q != SIZE_MAX && k < c->n; k++)
            if (c->of[k] == q)
                c->of[k] = p;
    }
    for (size_t i = 0; i < c->n; i++) {
        const size_t input = input_of(o, c->ids[i]);
        if (input < o->n && o->sizes[input].base < c->values[c->of[i]])
            c->values[c->of[i]] = o->sizes[input].base;
    }
    for (size_t i = 0; i < c->n; i++)
        for (size_t k = 0; k < i; k++)
            if (c->of[i] == c->of[k] && with_itself(o, c->ids[i], c->ids[k])) {
                c->itself[c->of[i]] = true;
                break;
            }
}

typedef enum meeting {
    APART,   /* nothing compares the two by = */
    BY_KEY,  /* a row meets few of one side at least */
    BY_OTHER /* what is compared is a key of neither */
} meeting;

/* estimate: of two plans, joined. */
static spk_plan_size estimate(const ordering *o, classes *c, const spk_plan *x, spk_plan_size l, const spk_plan *y,
    spk_plan_size r, meeting *how)
{
    enum { SHARE = 4 };
    bool seen[CLASSES] = { false }, itself = true;
    double values = 1, filters = 1;
    *how = APART;
    for (size_t i = 0; i < o->n_conditions; i++) {
        const spk_sql_expr *e = o->conditions[i];
        if (!compares(e)
            || (!across(e->args[0], x, e->args[1], y) && !across(e->args[1], x, e->args[0], y)))
            continue;
        const spk_sql_expr *p = column_in(e->args[0]);
        const size_t class = p && column_in(e->args[1]) ? class_of(c, p->column) : SIZE_MAX;
        *how = BY_KEY;
        if (class == SIZE_MAX)
            filters *= 0.1;
        else if (!seen[class])
            values *= c->values[class] > 1 ? c->values[class] : 1;
        if (class != SIZE_MAX)
            seen[class] = true;
        itself = itself && class != SIZE_MAX && c->itself[class];
    }
    const double least = l.base < r.base ? l.base : r.base; /* keys of several columns have no more values than that */
    const double most = itself ? least * 0.1 : least;
    if (values > most && *how != APART)
        values = most;
    if (*how != APART && filters == 1 && values < least / SHARE)
        *how = BY_OTHER;
    spk_plan_size s = { l.rows * r.rows / values * filters, 0, l.base > r.base ? l.base : r.base };
    s.rows = s.rows > 1 ? s.rows : 1;
    return s;
}

/* ---- */

static bool measure(ordering *o)
{
    o->used = spk_arena_alloc(o->a->arena, o->n + 1, 1);
    o->sizes = spk_arena_alloc(o->a->arena, (o->n + 1) * sizeof *o->sizes, 8);
    if (spk_sql_failed(o->a->error))
        return false;
    if (!o->used || !o->sizes) {
        spk_sql_nomem(o->a->error);
        return false;
    }
    memset(o->used, 0, o->n);
    for (size_t i = 0; i < o->n; i++)
        o->sizes[i] = spk_size_of(o->inputs[i]);
    return true;
}

/* grows: whether the order of `first` and next_input has a step that may make many more rows than there were. */
static bool grows(ordering *o, classes *c, size_t first)
{
    enum { MANY = 1000 };
    spk_plan made = { .kind = SPK_PLAN_JOIN }; /* what has been joined, as far as it matters: its columns */
    spk_plan_size size = o->sizes[first];
    bool found = false;
    for (size_t i = 0; i < o->inputs[first]->n_out; i++)
        spk_plan_out(o->a, &made, o->inputs[first]->out[i]);
    o->used[first] = true;
    for (size_t done = 1; done < o->n && !found && !spk_sql_failed(o->a->error); done++) {
        meeting how;
        const size_t i = next_input(o, &made);
        size = estimate(o, c, &made, size, o->inputs[i], o->sizes[i], &how);
        found = how == BY_OTHER && size.rows > MANY;
        o->used[i] = true;
        for (size_t k = 0; k < o->inputs[i]->n_out; k++)
            spk_plan_out(o->a, &made, o->inputs[i]->out[k]);
    }
    memset(o->used, 0, o->n);
    return found;
}

/* joined: two plans, with all conditions that can be asked by then; the larger one is to the left. */
static spk_plan *joined(ordering *o, spk_plan *x, double rows, spk_plan *y, double others)
{
    spk_sql_expr **ready = NULL;
    size_t n = 0;
    spk_plan *join = spk_plan_join_of(o->a, SPK_PLAN_INNER, rows < others ? y : x, rows < others ? x : y, NULL, 0, NULL);
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

/* in_order: each input to what has been joined before. */
static spk_plan *in_order(ordering *o, size_t first)
{
    spk_plan *made = o->inputs[first];
    o->used[first] = true;
    for (size_t done = 1; made && done < o->n; done++) {
        const size_t i = next_input(o, made);
        o->used[i] = true;
        made = joined(o, made, 1, o->inputs[i], 0);
    }
    return made;
}

/* fewest_first: the pair that gives the fewest rows, again and again. */
static spk_plan *fewest_first(ordering *o, classes *c)
{
    while (o->n > 1) {
        spk_plan_size best = { 0 };
        size_t x = 0, y = 1;
        bool any = false, found = false;
        for (size_t i = 0; i < o->n; i++)
            for (size_t k = i + 1; k < o->n; k++) {
                meeting how;
                const spk_plan_size s = estimate(o, c, o->inputs[i], o->sizes[i], o->inputs[k], o->sizes[k], &how);
                const bool connected = how != APART;
                if (!found || (connected && !any) || (connected == any && s.rows < best.rows)) {
                    best = s;
                    x = i;
                    y = k;
                    any = connected;
                    found = true;
                }
            }
        spk_plan *made = joined(o, o->inputs[x], o->sizes[x].rows, o->inputs[y], o->sizes[y].rows);
        if (!made)
            return NULL;
        o->inputs[x] = made;
        o->sizes[x] = best;
        o->n--;
        o->inputs[y] = o->inputs[o->n];
        o->sizes[y] = o->sizes[o->n];
    }
    return o->inputs[0];
}

static spk_plan *reorder(spk_analyzer *a, spk_plan *plan)
{
    ordering o = { .a = a };
    classes c;
    flatten(&o, plan);
    if (!measure(&o))
        return NULL;
    size_t first = 0;
    for (size_t i = 1; i < o.n; i++)
        if (o.sizes[i].rows > o.sizes[first].rows)
            first = i;
    classify(&o, &c);
    const bool many = o.n > 2 && o.n <= 32 && grows(&o, &c, first);
    spk_plan *made = spk_sql_failed(a->error) ? NULL : many ? fewest_first(&o, &c) : in_order(&o, first);
    spk_sql_expr **left = NULL;
    size_t n = 0;
    for (size_t k = 0; k < o.n_conditions; k++)
        if (o.conditions[k])
            SPK_ADD(a, left, n, o.conditions[k]);
    return made ? spk_plan_filter(a, made, left, n) : NULL;
}

spk_plan *spk_order_joins(spk_analyzer *a, spk_plan *plan)
{
    if (!plan || spk_sql_failed(a->error))
        return NULL;
    if (plan->kind == SPK_PLAN_JOIN && plan->join == SPK_PLAN_INNER)
        return reorder(a, plan);
    for (size_t i = 0; i < plan->n_in; i++)
        if (!(plan->in[i] = spk_order_joins(a, plan->in[i])))
            return NULL;
    spk_plan_refresh(a, plan);
    return plan;
}
