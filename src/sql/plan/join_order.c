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

static const uint32_t NO_INPUT = UINT32_MAX;

typedef struct ordering {
    spk_analyzer *a;
    spk_plan **inputs;
    spk_plan_size *sizes;
    size_t n;
    spk_sql_expr **conditions;
    size_t n_conditions;
    bool *used, *connected; /* inputs: joined already; compared with what is */
    uint32_t *of; /* of each attribute, the input that has it, or that has taken in the one that had it */
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

/* name_input: the columns of a plan are those of that input from now on. */
static void name_input(const ordering *o, const spk_plan *plan, size_t input)
{
    for (size_t i = 0; i < plan->n_out; i++)
        o->of[plan->out[i].id] = (uint32_t)input;
}

/* owner: the input that all columns of an expression are of; any: whether there are some. */
typedef struct owner {
    const ordering *o;
    uint32_t input;
    bool any;
} owner;

static void look_column(void *arg, const spk_sql_expr *column)
{
    owner *w = arg;
    const uint32_t input = w->o->of[column->column];
    w->input = w->any && w->input != input ? NO_INPUT : input;
    w->any = true;
}

static owner owner_of(const ordering *o, const spk_sql_expr *e)
{
    owner w = { o, NO_INPUT, false };
    spk_expr_columns(e, look_column, &w);
    return w;
}

/* ends: the inputs that the sides of a condition are of; NO_INPUT: it does not compare two of them. */
static void ends(const ordering *o, const spk_sql_expr *e, uint32_t end[2])
{
    for (size_t s = 0; s < 2; s++)
        end[s] = compares(e) ? owner_of(o, e->args[s]).input : NO_INPUT;
    if (end[0] == end[1] || end[0] == NO_INPUT || end[1] == NO_INPUT)
        end[0] = end[1] = NO_INPUT;
}

/* better: whether input i is to be joined before input k. */
static bool better(const ordering *o, size_t i, size_t k)
{
    const spk_plan_size *x = &o->sizes[i], *y = &o->sizes[k];
    const double kept = x->rows / x->base, other = y->rows / y->base;
    return kept != other ? kept < other : x->rows < y->rows;
}

/* connect: which inputs a condition compares with `made`, what has been joined. */
static void connect(const ordering *o, uint32_t made)
{
    memset(o->connected, 0, o->n);
    for (size_t i = 0; i < o->n_conditions; i++) {
        uint32_t end[2];
        ends(o, o->conditions[i], end);
        if (end[0] != NO_INPUT && (end[0] == made || end[1] == made))
            o->connected[end[end[0] == made]] = true;
    }
}

static size_t next_input(const ordering *o, size_t made)
{
    size_t best = SIZE_MAX;
    connect(o, (uint32_t)made);
    for (size_t i = 0; i < o->n; i++)
        if (!o->used[i]
            && (best == SIZE_MAX || (o->connected[i] && !o->connected[best])
                || (o->connected[i] == o->connected[best] && better(o, i, best))))
            best = i;
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

/* with_itself: whether two columns are the same one of two readings of a table. */
static bool with_itself(const ordering *o, uint32_t x, uint32_t y)
{
    uint32_t p = 0, q = 0;
    const size_t i = o->of[x], k = o->of[y];
    const spark_rdd *one = i != NO_INPUT ? source(o->inputs[i], x, &p) : NULL;
    return one && k != NO_INPUT && one == source(o->inputs[k], y, &q) && p == q;
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
        const size_t input = o->of[c->ids[i]];
        if (input != NO_INPUT && o->sizes[input].base < c->values[c->of[i]])
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

/* estimate: of inputs x and y, joined, which have these sizes. */
static spk_plan_size estimate(
    const ordering *o, classes *c, size_t x, spk_plan_size l, size_t y, spk_plan_size r, meeting *how)
{
    enum { SHARE = 4 };
    bool seen[CLASSES] = { false }, itself = true;
    double values = 1, filters = 1;
    *how = APART;
    for (size_t i = 0; i < o->n_conditions; i++) {
        const spk_sql_expr *e = o->conditions[i];
        uint32_t end[2];
        ends(o, e, end);
        if ((end[0] != x || end[1] != y) && (end[0] != y || end[1] != x))
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
    o->connected = spk_arena_alloc(o->a->arena, o->n + 1, 1);
    o->sizes = spk_arena_alloc(o->a->arena, (o->n + 1) * sizeof *o->sizes, 8);
    o->of = spk_arena_alloc(o->a->arena, (o->a->next_id + 1) * sizeof *o->of, 4);
    if (spk_sql_failed(o->a->error))
        return false;
    if (!o->used || !o->connected || !o->sizes || !o->of) {
        spk_sql_nomem(o->a->error);
        return false;
    }
    memset(o->used, 0, o->n);
    memset(o->of, 0xff, (o->a->next_id + 1) * sizeof *o->of); /* NO_INPUT */
    for (size_t i = 0; i < o->n; i++) {
        o->sizes[i] = spk_size_of(o->inputs[i]);
        name_input(o, o->inputs[i], i);
    }
    return true;
}

/* grows: whether the order of `first` and next_input has a step that may make many more rows than there were. */
static bool grows(ordering *o, classes *c, size_t first)
{
    enum { MANY = 1000 };
    spk_plan_size size = o->sizes[first];
    bool found = false;
    o->used[first] = true;
    for (size_t done = 1; done < o->n && !found; done++) {
        meeting how;
        const size_t i = next_input(o, first);
        size = estimate(o, c, first, size, i, o->sizes[i], &how);
        found = how == BY_OTHER && size.rows > MANY;
        o->used[i] = true;
        name_input(o, o->inputs[i], first);
    }
    memset(o->used, 0, o->n);
    for (size_t i = 0; i < o->n; i++)
        name_input(o, o->inputs[i], i);
    return found;
}

/* take_in: input y is joined to x, with all conditions that can be asked by then; the larger one is to the left. */
static bool take_in(ordering *o, size_t x, double rows, size_t y, double others)
{
    spk_plan *p = o->inputs[x], *q = o->inputs[y];
    spk_plan *join = spk_plan_join_of(o->a, SPK_PLAN_INNER, rows < others ? q : p, rows < others ? p : q, NULL, 0, NULL);
    if (!join)
        return false;
    name_input(o, q, x);
    for (size_t k = 0; k < o->n_conditions; k++) {
        const owner w = owner_of(o, o->conditions[k]);
        if (o->conditions[k] && (!w.any || w.input == x)) {
            SPK_ADD(o->a, join->exprs, join->n_exprs, o->conditions[k]);
            o->conditions[k] = NULL;
        }
    }
    o->inputs[x] = join;
    return true;
}

/* in_order: each input to what has been joined before. */
static spk_plan *in_order(ordering *o, size_t first)
{
    o->used[first] = true;
    for (size_t done = 1; done < o->n; done++) {
        const size_t i = next_input(o, first);
        o->used[i] = true;
        if (!take_in(o, first, 1, i, 0))
            return NULL;
    }
    return o->inputs[first];
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
                const spk_plan_size s = estimate(o, c, i, o->sizes[i], k, o->sizes[k], &how);
                const bool connected = how != APART;
                if (!found || (connected && !any) || (connected == any && s.rows < best.rows)) {
                    best = s;
                    x = i;
                    y = k;
                    any = connected;
                    found = true;
                }
            }
        if (!take_in(o, x, o->sizes[x].rows, y, o->sizes[y].rows))
            return NULL;
        o->sizes[x] = best;
        if (y != --o->n) {
            o->inputs[y] = o->inputs[o->n];
            o->sizes[y] = o->sizes[o->n];
            name_input(o, o->inputs[y], y);
        }
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
