/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions with other columns, compared and looked through; plans likewise. Nodes may be shared, so
 * what changes is copied. */
#include "base/small.h"

#include "sql/eval/function.h"
#include "sql/plan/analyze.h"

static spk_sql_expr *copy_node(spk_analyzer *a, const spk_sql_expr *e)
{
    spk_sql_expr *copy = spk_arena_alloc(a->arena, sizeof *copy, 16);
    spk_sql_expr **args = spk_arena_alloc(a->arena, (e->n + 1) * sizeof *args, 8);
    if (!copy || !args) {
        spk_sql_nomem(a->error);
        return NULL;
    }
    *copy = *e;
    if (e->n)
        memcpy(args, e->args, e->n * sizeof *args);
    copy->args = args;
    return copy;
}

/* again: what follows from the arguments. */
static spk_sql_expr *again(spk_sql_expr *made, const spk_sql_expr *e)
{
    if (made == e)
        return made;
    made->foldable = made->deterministic;
    for (uint32_t i = 0; i < made->n; i++)
        made->foldable &= made->args[i] && made->args[i]->foldable;
    return made;
}

spk_sql_expr *spk_expr_replace(
    spk_analyzer *a, spk_sql_expr *e, const spk_replacement *list, size_t n)
{
    if (!e)
        return NULL;
    if (e->kind == SPK_SQL_COLUMN) {
        for (size_t i = 0; i < n; i++)
            if (list[i].id == e->column)
                return list[i].by;
        return e;
    }
    spk_sql_expr *made = e;
    for (uint32_t i = 0; i < e->n; i++) {
        spk_sql_expr *arg = spk_expr_replace(a, e->args[i], list, n);
        if (arg == e->args[i])
            continue;
        if (made == e && !(made = copy_node(a, e)))
            return NULL;
        made->args[i] = arg;
        if (arg && arg->nullable)
            made->nullable = true;
    }
    return again(made, e);
}

static bool same_constant(const spk_sql_expr *a, const spk_sql_expr *b)
{
    char left[256], right[256];
    if (a->null || b->null)
        return a->null == b->null;
    if (spk_sql_is_numeric(a->type))
        return memcmp(a->value, b->value, a->type->size) == 0;
    const size_t n = spk_sql_value_print(a->type, a->value, 0, left, sizeof left);
    const size_t m = spk_sql_value_print(b->type, b->value, 0, right, sizeof right);
    return n == m && n < sizeof left && memcmp(left, right, n) == 0;
}

/* commutes: a function of two arguments that may be turned around. */
static bool commutes(const spk_sql_expr *e)
{
    static const char *const names[] = { "+", "*", "=", "<=>", "and", "or", "&", "|", "^" };
    for (size_t i = 0; e->n == 2 && e->function && i < sizeof names / sizeof names[0]; i++)
        if (strcmp(e->function->name, names[i]) == 0)
            return true;
    return false;
}

/* alike: may be the same: looked at from outside. */
static bool alike(const spk_sql_expr *a, const spk_sql_expr *b)
{
    return a && b && a->kind == b->kind && a->n == b->n && a->function == b->function;
}

/* comparing: to: of each attribute of a, that of b; NULL: they are the same ones. lambdas: those around what is compared,
 * whose variables have numbers of their own. */
typedef struct lambdas {
    const spk_sql_expr *a, *b;
    const struct lambdas *outside;
} lambdas;
typedef struct comparing {
    const uint32_t *to;
    const lambdas *lambdas;
} comparing;

static bool same(const comparing *c, const spk_sql_expr *a, const spk_sql_expr *b);

static bool turned_around(const comparing *c, const spk_sql_expr *a, const spk_sql_expr *b)
{
    return a->n == 2 && alike(a->args[0], b->args[1]) && alike(a->args[1], b->args[0]) && commutes(a)
        && same(c, a->args[0], b->args[1]) && same(c, a->args[1], b->args[0]);
}

static bool same_variable(const comparing *c, uint32_t a, uint32_t b)
{
    for (const lambdas *l = c->lambdas; l; l = l->outside)
        for (uint32_t i = 0; i < l->a->n_variables; i++)
            if (l->a->variables[i] == a || l->b->variables[i] == b)
                return l->a->variables[i] == a && l->b->variables[i] == b;
    return a == b;
}

static bool same_lambda(const comparing *c, const spk_sql_expr *a, const spk_sql_expr *b)
{
    const lambdas inside = { a, b, c->lambdas };
    return a->n_variables == b->n_variables && same(&(comparing) { c->to, &inside }, a->args[0], b->args[0]);
}

static bool same(const comparing *c, const spk_sql_expr *a, const spk_sql_expr *b)
{
    if (a == b && !c->to)
        return true;
    if (!a || !b || a->kind != b->kind || a->n != b->n || !spk_sql_type_same(a->type, b->type))
        return false;
    if (a->kind == SPK_SQL_CONSTANT)
        return same_constant(a, b);
    if (a->kind == SPK_SQL_COLUMN)
        return (c->to ? c->to[a->column] : a->column) == b->column;
    if (a->kind == SPK_SQL_VARIABLE)
        return same_variable(c, a->column, b->column);
    if (a->kind == SPK_SQL_LAMBDA)
        return same_lambda(c, a, b);
    if (a->function != b->function || a->attempt != b->attempt || !a->deterministic)
        return false;
    for (uint32_t i = 0; i < a->n; i++)
        if (!same(c, a->args[i], b->args[i]))
            return turned_around(c, a, b);
    return true;
}

size_t spk_expr_size(const spk_sql_expr *e, size_t most)
{
    size_t size = 1;
    for (uint32_t i = 0; e && i < e->n && size < most; i++)
        size += spk_expr_size(e->args[i], most - size);
    return size;
}

bool spk_expr_same(const spk_sql_expr *a, const spk_sql_expr *b)
{
    return same(&(comparing) { NULL, NULL }, a, b);
}

bool spk_expr_same_as(const uint32_t *to, const spk_sql_expr *a, const spk_sql_expr *b)
{
    return same(&(comparing) { to, NULL }, a, b);
}

void spk_expr_columns(const spk_sql_expr *e, void (*visit)(void *arg, const spk_sql_expr *column),
    void *arg)
{
    if (!e)
        return;
    if (e->kind == SPK_SQL_COLUMN)
        visit(arg, e);
    for (uint32_t i = 0; i < e->n; i++)
        spk_expr_columns(e->args[i], visit, arg);
}

bool spk_plan_has(const spk_plan *plan, uint32_t id)
{
    for (size_t i = 0; i < plan->n_out; i++)
        if (plan->out[i].id == id)
            return true;
    return false;
}

typedef struct counting {
    const spk_plan *plan;
    size_t inside, outside;
} counting;

static void count_column(void *arg, const spk_sql_expr *column)
{
    counting *c = arg;
    if (spk_plan_has(c->plan, column->column))
        c->inside++;
    else
        c->outside++;
}

bool spk_expr_within(const spk_sql_expr *e, const spk_plan *plan)
{
    counting c = { plan, 0, 0 };
    spk_expr_columns(e, count_column, &c);
    return c.outside == 0;
}

bool spk_expr_touches(const spk_sql_expr *e, const spk_plan *plan)
{
    counting c = { plan, 0, 0 };
    spk_expr_columns(e, count_column, &c);
    return c.inside > 0;
}

/* ---- plans */

static void each_of(spk_sql_expr **list, size_t n, void (*visit)(void *, spk_sql_expr **), void *arg)
{
    for (size_t i = 0; i < n; i++)
        if (list[i])
            visit(arg, &list[i]);
}

static void each_function(
    spk_plan_function *f, void (*visit)(void *, spk_sql_expr **), void *arg)
{
    each_of(f->args, f->n_args, visit, arg);
    if (f->filter)
        visit(arg, &f->filter);
    if (f->low)
        visit(arg, &f->low);
    if (f->high)
        visit(arg, &f->high);
}

void spk_plan_each(spk_plan *plan, void (*visit)(void *arg, spk_sql_expr **place), void *arg)
{
    each_of(plan->exprs, plan->n_exprs, visit, arg);
    for (size_t i = 0; i < plan->n_rows; i++)
        each_of(plan->rows[i], plan->n_out, visit, arg);
    for (size_t i = 0; i < plan->n_keys; i++) {
        visit(arg, &plan->keys[i].left);
        visit(arg, &plan->keys[i].right);
    }
    for (size_t i = 0; i < plan->n_aggs; i++) {
        each_of(plan->aggs[i].aggregate->args, plan->aggs[i].aggregate->n, visit, arg);
        if (plan->aggs[i].filter)
            visit(arg, &plan->aggs[i].filter);
    }
    for (size_t i = 0; i < plan->n_sort; i++)
        visit(arg, &plan->sort[i].expression);
    for (size_t i = 0; i < plan->n_functions; i++)
        each_function(&plan->functions[i], visit, arg);
    each_of(plan->partition, plan->n_partition, visit, arg);
}

typedef struct replacing {
    spk_analyzer *a;
    const spk_replacement *list;
    size_t n;
} replacing;

static void replace_place(void *arg, spk_sql_expr **place)
{
    replacing *r = arg;
    *place = spk_expr_replace(r->a, *place, r->list, r->n);
}

void spk_plan_replace(spk_analyzer *a, spk_plan *plan, const spk_replacement *list, size_t n)
{
    replacing r = { a, list, n };
    if (!plan || n == 0)
        return;
    spk_plan_each(plan, replace_place, &r);
    for (size_t i = 0; i < plan->n_in; i++)
        spk_plan_replace(a, plan->in[i], list, n);
}

typedef struct looking {
    const spk_plan *outer;
    bool found;
} looking;

static void look_column(void *arg, const spk_sql_expr *column)
{
    looking *l = arg;
    l->found |= spk_plan_has(l->outer, column->column);
}

static void look_place(void *arg, spk_sql_expr **place)
{
    spk_expr_columns(*place, look_column, arg);
}

bool spk_plan_correlated(const spk_plan *plan, const spk_plan *outer)
{
    looking l = { outer, false };
    if (!plan || !outer)
        return false;
    spk_plan_each((spk_plan *)(uintptr_t)plan, look_place, &l);
    for (size_t i = 0; !l.found && i < plan->n_in; i++)
        l.found = spk_plan_correlated(plan->in[i], outer);
    return l.found;
}

spk_sql_expr *spk_expr_swap(spk_analyzer *a, spk_sql_expr *e, spk_sql_expr *const *from,
    spk_sql_expr *const *to, size_t n)
{
    if (!e)
        return NULL;
    for (size_t i = 0; i < n; i++)
        if (e->kind != SPK_SQL_CONSTANT && to[i] && spk_expr_same(e, from[i]))
            return to[i];
    spk_sql_expr *made = e;
    for (uint32_t i = 0; i < e->n; i++) {
        spk_sql_expr *arg = spk_expr_swap(a, e->args[i], from, to, n);
        if (arg == e->args[i])
            continue;
        if (made == e && !(made = copy_node(a, e)))
            return NULL;
        made->args[i] = arg;
        if (arg && arg->nullable)
            made->nullable = true;
    }
    return again(made, e);
}
