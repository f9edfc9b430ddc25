/* SPDX-License-Identifier: Apache-2.0 */
/* Making attributes, operators and texts in the arena of a statement. */
#include "base/small.h"

#include <stdarg.h>
#include <strings.h>

#include "sql/plan/analyze.h"

enum { NODES_MAX = 100000 };

void *spk_plan_grow(spk_arena *arena, spk_sql_error *error, void *at, size_t n, size_t size)
{
    if (n & (n - 1))
        return at;
    void *grown = spk_arena_alloc(arena, (n ? n * 2 : 1) * size, 16);
    if (!grown) {
        spk_sql_nomem(error);
        return NULL;
    }
    if (n)
        memcpy(grown, at, n * size);
    return grown;
}

char *spk_copy_text(spk_analyzer *a, const char *text, size_t n)
{
    char *copy = spk_arena_alloc(a->arena, n + 1, 1);
    if (!copy) {
        spk_sql_nomem(a->error);
        return a->none;
    }
    memcpy(copy, text, n);
    copy[n] = '\0';
    return copy;
}

const char *spk_lower_name(spk_analyzer *a, const char *name)
{
    char *own = spk_copy_text(a, name, strlen(name));
    for (char *c = own; *c; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c | 0x20) : *c;
    return own;
}

char *spk_print(spk_analyzer *a, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return spk_copy_text(a, text, n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

char *spk_expr_name(spk_analyzer *a, const spk_sql_expr *e)
{
    char text[2048];
    const size_t n = spk_sql_expr_print(e, text, sizeof text);
    return spk_copy_text(a, text, n < sizeof text ? n : sizeof text - 1);
}

bool spk_names_same(const char *a, const char *b)
{
    return strcasecmp(a, b) == 0;
}

spk_attr spk_attr_new(spk_analyzer *a, const char *name, const spk_sql_type *type, bool nullable)
{
    return (spk_attr) { a->next_id++, name, type, nullable };
}

spk_sql_expr *spk_attr_column(spk_analyzer *a, const spk_attr *attr, spk_sql_span span)
{
    return spk_sql_column(&a->build, attr->id, attr->name, attr->type, attr->nullable, span);
}

void spk_plan_out(spk_analyzer *a, spk_plan *plan, spk_attr attr)
{
    SPK_ADD(a, plan->out, plan->n_out, attr);
}

bool spk_plan_counted(spk_analyzer *a)
{
    if (++a->nodes <= NODES_MAX)
        return true;
    spk_sql_unsupported(a->error, SPK_SQL_NOWHERE, "a plan of so many operators");
    return false;
}

/* spk_plan_new: with the attributes of the first input. */
spk_plan *spk_plan_new(spk_analyzer *a, spk_plan_kind kind, spk_plan *in, spk_plan *in2)
{
    if (spk_sql_failed(a->error))
        return NULL;
    if (!spk_plan_counted(a))
        return NULL;
    spk_plan *plan = spk_arena_alloc(a->arena, sizeof *plan, 16);
    if (!plan) {
        spk_sql_nomem(a->error);
        return NULL;
    }
    memset(plan, 0, sizeof *plan);
    plan->kind = kind;
    plan->limit = -1;
    plan->span = SPK_SQL_NOWHERE;
    if (in)
        SPK_ADD(a, plan->in, plan->n_in, in);
    if (in2)
        SPK_ADD(a, plan->in, plan->n_in, in2);
    for (size_t i = 0; in && i < in->n_out; i++)
        spk_plan_out(a, plan, in->out[i]);
    return plan;
}

spk_plan *spk_plan_filter(spk_analyzer *a, spk_plan *in, spk_sql_expr **exprs, size_t n)
{
    if (n == 0)
        return in;
    spk_plan *plan = spk_plan_new(a, SPK_PLAN_FILTER, in, NULL);
    for (size_t i = 0; plan && i < n; i++)
        SPK_ADD(a, plan->exprs, plan->n_exprs, exprs[i]);
    return plan;
}

spk_plan *spk_plan_limit(spk_analyzer *a, spk_plan *in, int64_t limit, int64_t offset)
{
    spk_plan *plan = spk_plan_new(a, SPK_PLAN_LIMIT, in, NULL);
    if (plan) {
        plan->limit = limit;
        plan->offset = offset;
    }
    return plan;
}

spk_plan *spk_plan_distinct(spk_analyzer *a, spk_plan *in)
{
    return spk_plan_new(a, SPK_PLAN_DISTINCT, in, NULL);
}

static void make_nullable(spk_plan *plan, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        plan->out[i].nullable = true;
}

spk_plan *spk_plan_join_of(spk_analyzer *a, spk_plan_join kind, spk_plan *left, spk_plan *right,
    spk_sql_expr **exprs, size_t n, const spk_attr *mark)
{
    spk_plan *plan = left && right ? spk_plan_new(a, SPK_PLAN_JOIN, left, right) : NULL;
    if (!plan)
        return NULL;
    plan->join = kind;
    if (kind == SPK_PLAN_MARK)
        spk_plan_out(a, plan, *mark);
    else if (kind != SPK_PLAN_SEMI && kind != SPK_PLAN_ANTI)
        for (size_t i = 0; i < right->n_out; i++)
            spk_plan_out(a, plan, right->out[i]);
    if (kind == SPK_PLAN_RIGHT || kind == SPK_PLAN_FULL)
        make_nullable(plan, 0, left->n_out);
    if (kind == SPK_PLAN_LEFT || kind == SPK_PLAN_FULL || kind == SPK_PLAN_SINGLE)
        make_nullable(plan, left->n_out, plan->n_out);
    for (size_t i = 0; i < n; i++)
        SPK_ADD(a, plan->exprs, plan->n_exprs, exprs[i]);
    return plan;
}

spk_plan *spk_plan_project(
    spk_analyzer *a, spk_plan *in, spk_sql_expr **exprs, const spk_attr *attrs, size_t n)
{
    spk_plan *plan = in ? spk_plan_new(a, SPK_PLAN_PROJECT, in, NULL) : NULL;
    if (!plan)
        return NULL;
    plan->n_out = 0;
    plan->out = NULL;
    for (size_t i = 0; i < n; i++) {
        SPK_ADD(a, plan->exprs, plan->n_exprs, exprs[i]);
        spk_plan_out(a, plan, attrs[i]);
    }
    return plan;
}

/* generated: how many columns it makes; they are the last ones. */
static size_t generated(const spk_plan *plan)
{
    const spk_sql_type *type = plan->exprs[0]->type;
    const bool rows = plan->inline_rows && type->kind == SPK_SQL_ARRAY;
    return plan->position + (rows ? type->of->n : type->kind == SPK_SQL_MAP ? 2U : 1U);
}

void spk_plan_refresh(spk_analyzer *a, spk_plan *plan)
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
    case SPK_PLAN_GENERATE:
        n_tail = generated(plan);
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
