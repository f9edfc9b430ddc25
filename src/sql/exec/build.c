/* SPDX-License-Identifier: Apache-2.0 */
/* Plans become RDDs, from the leaves up. */
#include <spark/keyed.h>
#include <spark/source.h>
#include <spark/transform.h>

#include "rdd/verb.h"
#include "sql/exec/query.h"

static spark_rdd *build(spk_query *q, const spk_plan *plan, const spk_form **form);

/* canonical: rows as a struct of exactly the plan's columns. */
static spark_rdd *canonical(spk_query *q, spark_rdd *rdd, const spk_plan *plan, const spk_form **form)
{
    spk_analyzer *a = &q->analyzer;
    spk_sql_expr **exprs = NULL;
    size_t n = 0;
    if (!rdd || (*form)->own)
        return rdd;
    const spk_form *out = spk_form_of_plan(q, plan);
    for (size_t i = 0; i < plan->n_out; i++)
        SPK_ADD(a, exprs, n, spk_attr_column(a, &plan->out[i], SPK_SQL_NOWHERE));
    rdd = out ? spk_exec_eval(q, rdd, plan, *form, NULL, 0, exprs ? exprs : (spk_sql_expr *[]) { NULL }, n, out) : NULL;
    *form = out;
    return rdd;
}

/* ---- leaves */

static spark_rdd *scan(spk_query *q, const spk_plan *plan, const spk_form **form)
{
    spk_form *made = spk_arena_alloc(&q->arena, sizeof *made, 16);
    spk_slot *slots = spk_arena_alloc(&q->arena, (plan->n_out + 1) * sizeof *slots, 16);
    const spk_layout *layout = plan->rdd->layout;
    if (!made || !slots) {
        spk_sql_nomem(&q->error);
        return NULL;
    }
    if (!layout)
        return plan->rdd; /* it carries an error */
    const bool row = layout->type->kind == SPARK_KIND_STRUCT || layout->type->kind == SPARK_KIND_PAIR;
    for (size_t i = 0; i < plan->n_out; i++) {
        const spark_field *field = row ? &layout->type->fields[plan->members[i]] : NULL;
        const spark_type *type = field ? field->type : layout->type;
        const bool nullable = type->kind == SPARK_KIND_OPTIONAL;
        const uint32_t offset = field ? (uint32_t)field->offset : 0;
        if ((field && field->count) || !spk_sql_type_fits(plan->out[i].type, nullable ? type->of : type)) {
            char text[200];
            (void)snprintf(text, sizeof text, "the type of column %s of %s", plan->out[i].name, plan->table);
            spk_sql_unsupported(&q->error, SPK_SQL_NOWHERE, spk_copy_text(&q->analyzer, text, strlen(text)));
            return NULL;
        }
        slots[i] = (spk_slot) { plan->out[i].type, nullable, offset, offset + (nullable ? type->of->align : 0),
            type->size };
    }
    *made = (spk_form) { layout, slots, plan->n_out, false };
    *form = made;
    return plan->rdd;
}

static spark_rdd *range(spk_query *q, const spk_plan *plan, const spk_form **form)
{
    spark_rdd *rdd = (spark_range)("sql", q->sc, plan->first, plan->last, plan->step, plan->parts);
    spk_form *made = spk_arena_alloc(&q->arena, sizeof *made, 16);
    spk_slot *slot = spk_arena_alloc(&q->arena, sizeof *slot, 16);
    if (!made || !slot) {
        spk_sql_nomem(&q->error);
        return NULL;
    }
    *slot = (spk_slot) { spk_sql_type_of(SPK_SQL_BIGINT), false, 0, 0, 8 };
    *made = (spk_form) { rdd->layout, slot, plan->n_out ? 1 : 0, false };
    *form = made;
    return rdd;
}

/* values: constants, computed here. */
static spark_rdd *values(spk_query *q, const spk_plan *plan, const spk_form **form)
{
    spk_arena *arena = &q->arena;
    spk_sql_expr **exprs = NULL;
    size_t n = 0;
    *form = spk_form_of_plan(q, plan);
    for (size_t r = 0; r < plan->n_rows; r++)
        for (size_t c = 0; c < plan->n_out; c++)
            SPK_ADD(&q->analyzer, exprs, n, plan->rows[r][c]);
    const spk_sql_program *program = *form ? spk_program_of(q, exprs, n, NULL, 0) : NULL;
    spk_sql_run *run = program ? spk_sql_run_new(program, arena) : NULL;
    const size_t size = *form ? (*form)->layout->size : 1;
    char *rows = run ? spk_arena_alloc(arena, plan->n_rows * size + 64, 64) : NULL;
    if (!rows) {
        if (!spk_sql_failed(&q->error))
            spk_sql_nomem(&q->error);
        return NULL;
    }
    memset(rows, 0, plan->n_rows * size);
    spk_sql_run_begin(run, NULL, 1, 0, arena);
    for (size_t i = 0; i < n; i++) {
        const spk_slot *slot = &(*form)->slots[i % plan->n_out];
        spk_sql_vector v;
        if (!spk_sql_run_eval(run, (uint32_t)i, (spk_sql_rows) { NULL, 1 }, &v)) {
            q->error = *spk_sql_run_error(run);
            return NULL;
        }
        spk_sql_store(slot->type, &v, 0, slot->nullable, rows + i / plan->n_out * size + slot->offset);
    }
    return (spark_parallelize)("sql", q->sc, (*form)->layout->type, plan->n_rows, rows, 1);
}

/* ---- operators of one input */

static spark_rdd *filter(spk_query *q, const spk_plan *plan, const spk_form **form)
{
    spark_rdd *rdd = build(q, plan->in[0], form);
    return rdd ? spk_exec_eval(q, rdd, plan->in[0], *form, plan->exprs, plan->n_exprs, NULL, 0, NULL) : NULL;
}

/* project: with the filter below it, in one step. */
static spark_rdd *project(spk_query *q, const spk_plan *plan, const spk_form **form)
{
    const spk_plan *below = plan->in[0], *filters = below->kind == SPK_PLAN_FILTER ? below : NULL;
    const spk_form *in;
    spark_rdd *rdd = build(q, filters ? below->in[0] : below, &in);
    *form = rdd ? spk_form_of_plan(q, plan) : NULL;
    if (!*form)
        return NULL;
    return spk_exec_eval(q, rdd, filters ? below->in[0] : below, in, filters ? filters->exprs : NULL,
        filters ? filters->n_exprs : 0, plan->exprs ? plan->exprs : (spk_sql_expr *[]) { NULL }, plan->n_exprs, *form);
}

/* find_top: of LIMIT: the sort below it, of which no more rows than these are wanted. */
static void find_top(spk_query *q, const spk_plan *plan)
{
    const spk_plan *below = plan->in[0];
    while (below->kind == SPK_PLAN_PROJECT)
        below = below->in[0];
    if (below->kind != SPK_PLAN_SORT || plan->limit <= 0)
        return;
    q->top = below;
    q->top_rows = (uint64_t)plan->limit + (uint64_t)plan->offset;
}

static spark_rdd *other(spk_query *q, const spk_plan *plan, const spk_form **form)
{
    const spk_form *in;
    if (plan->kind == SPK_PLAN_LIMIT)
        find_top(q, plan);
    spark_rdd *rdd = build(q, plan->in[0], &in);
    *form = in;
    if (!rdd)
        return NULL;
    if (plan->kind == SPK_PLAN_LIMIT)
        return spk_exec_limit(q, rdd, plan);
    if (plan->kind == SPK_PLAN_SAMPLE)
        return (spark_sample)("sql", rdd, false, plan->fraction, (uint64_t)plan->seed);
    if (plan->kind == SPK_PLAN_DISTINCT || plan->kind == SPK_PLAN_SORT) {
        rdd = canonical(q, rdd, plan->in[0], form);
        if (!rdd)
            return NULL;
        if (plan->kind == SPK_PLAN_DISTINCT)
            return (spark_distinct)("sql", rdd, 0);
        return spk_exec_sort(q, rdd, plan, *form, q->top == plan ? q->top_rows : UINT64_MAX);
    }
    *form = spk_form_of_plan(q, plan);
    if (!*form)
        return NULL;
    switch (plan->kind) {
    case SPK_PLAN_AGGREGATE:
        return spk_exec_aggregate(q, rdd, plan, in, *form);
    case SPK_PLAN_EXPAND:
        return spk_exec_expand(q, rdd, plan, in, *form);
    case SPK_PLAN_GENERATE:
        return spk_exec_generate(q, rdd, plan, in, *form);
    default:
        return spk_exec_window(q, rdd, plan, in, *form);
    }
}

/* ---- operators of two */

/* as_out: a side's rows in the form of the result, by position. */
static spark_rdd *as_out(spk_query *q, spark_rdd *rdd, const spk_plan *side, const spk_form *in, const spk_form *out)
{
    spk_sql_expr **exprs = NULL;
    size_t n = 0;
    for (size_t i = 0; i < side->n_out; i++)
        SPK_ADD(&q->analyzer, exprs, n, spk_attr_column(&q->analyzer, &side->out[i], SPK_SQL_NOWHERE));
    return spk_exec_eval(q, rdd, side, in, NULL, 0, exprs ? exprs : (spk_sql_expr *[]) { NULL }, n, out);
}

static spark_rdd *unite(spk_query *q, const spk_plan *plan, const spk_form **form)
{
    spark_rdd *sides[2];
    *form = spk_form_of_plan(q, plan);
    for (size_t i = 0; i < 2; i++) {
        const spk_form *in;
        sides[i] = *form ? build(q, plan->in[i], &in) : NULL;
        if (sides[i] && in->layout != (*form)->layout)
            sides[i] = as_out(q, sides[i], plan->in[i], in, *form);
        if (!sides[i])
            return NULL;
    }
    return (spark_union)("sql", sides[0], sides[1]);
}

/* either: of what NOT IN asks, a = b OR (a = b) IS NULL, which alone stands there: a = b. */
static spk_sql_expr *either(const spk_plan *join)
{
    spk_sql_expr *e = join->n_exprs == 1 ? join->exprs[0] : NULL;
    const bool only = join->join == SPK_PLAN_ANTI || join->join == SPK_PLAN_SEMI || join->join == SPK_PLAN_MARK;
    if (!e || !only || e->kind != SPK_SQL_CALL || !e->function || e->n != 2 || strcmp(e->function->name, "or") != 0)
        return NULL;
    const spk_sql_expr *null = e->args[1];
    const bool asked = null->kind == SPK_SQL_CALL && null->function && null->n == 1
        && strcmp(null->function->name, "isnull") == 0 && spk_expr_same(e->args[0], null->args[0]);
    return asked ? e->args[0] : NULL;
}

/* equi_keys: conditions that compare a side with the other by = or <=> become keys. */
static void equi_keys(spk_query *q, spk_plan *join)
{
    spk_analyzer *a = &q->analyzer;
    spk_sql_expr **rest = NULL;
    size_t n = 0;
    for (size_t i = 0; i < join->n_exprs; i++) {
        spk_sql_expr *alone = either(join), *e = alone ? alone : join->exprs[i];
        const char *name = e->kind == SPK_SQL_CALL && e->function && e->n == 2 ? e->function->name : "";
        const bool safe = strcmp(name, "<=>") == 0;
        if ((safe || strcmp(name, "=") == 0) && spk_sql_type_same(e->args[0]->type, e->args[1]->type)) {
            const bool straight = spk_expr_within(e->args[0], join->in[0]) && spk_expr_within(e->args[1], join->in[1]);
            const bool turned = spk_expr_within(e->args[1], join->in[0]) && spk_expr_within(e->args[0], join->in[1]);
            if (straight || turned) {
                SPK_ADD(a, join->keys, join->n_keys, (spk_plan_key) { e->args[!straight], e->args[straight], safe });
                join->null_aware = alone && !safe;
                continue;
            }
        }
        SPK_ADD(a, rest, n, join->exprs[i]);
    }
    join->exprs = rest;
    join->n_exprs = n;
}

/* turned: the right side streams, the left one is the table; the columns then change places. */
static spark_rdd *turned(spk_query *q, const spk_plan *plan, const spk_form **form)
{
    spk_analyzer *a = &q->analyzer;
    spk_plan *left = spk_plan_join_of(a, SPK_PLAN_LEFT, plan->in[1], plan->in[0], plan->exprs, plan->n_exprs, NULL);
    spk_sql_expr **exprs = NULL;
    size_t n = 0;
    for (size_t i = 0; left && i < plan->n_out; i++)
        SPK_ADD(a, exprs, n, spk_attr_column(a, &plan->out[i], SPK_SQL_NOWHERE));
    spk_plan *project = left ? spk_plan_project(a, left, exprs, plan->out, n) : NULL;
    return project ? build(q, project, form) : NULL;
}

/* full: all of a left join, and the right rows that meet none, beside NULLs. */
static spark_rdd *full(spk_query *q, const spk_plan *plan, const spk_form **form)
{
    spk_analyzer *a = &q->analyzer;
    spk_plan *left = spk_plan_join_of(a, SPK_PLAN_LEFT, plan->in[0], plan->in[1], plan->exprs, plan->n_exprs, NULL);
    spk_plan *anti = spk_plan_join_of(a, SPK_PLAN_ANTI, spk_plan_copy(a, plan->in[1]), spk_plan_copy(a, plan->in[0]),
        plan->exprs, plan->n_exprs, NULL);
    spk_sql_expr **exprs = NULL;
    size_t n = 0;
    for (size_t i = 0; i < plan->n_out; i++) {
        const bool of_left = i < plan->in[0]->n_out;
        SPK_ADD(a, exprs, n,
            of_left ? spk_sql_constant(&a->build, plan->out[i].type, NULL, SPK_SQL_NOWHERE)
                    : spk_attr_column(a, &plan->in[1]->out[i - plan->in[0]->n_out], SPK_SQL_NOWHERE));
    }
    spk_plan *rest = anti ? spk_plan_project(a, anti, exprs, plan->out, n) : NULL;
    spk_plan *both = left && rest ? spk_plan_new(a, SPK_PLAN_UNION, left, rest) : NULL;
    if (!both)
        return NULL;
    both->out = plan->out;
    both->n_out = plan->n_out;
    return build(q, both, form);
}

static spark_rdd *join(spk_query *q, const spk_plan *plan, const spk_form **form)
{
    spk_plan own = *plan;
    const spk_form *in, *in2;
    if (plan->join == SPK_PLAN_RIGHT)
        return turned(q, plan, form);
    if (plan->join == SPK_PLAN_FULL)
        return full(q, plan, form);
    own.keys = NULL;
    own.n_keys = 0;
    equi_keys(q, &own);
    spark_rdd *left = build(q, plan->in[0], &in), *right = left ? build(q, plan->in[1], &in2) : NULL;
    right = right ? canonical(q, right, plan->in[1], &in2) : NULL; /* the table holds no more than it must */
    const bool as_left = plan->join == SPK_PLAN_SEMI || plan->join == SPK_PLAN_ANTI;
    *form = !right ? NULL : as_left ? in : spk_form_of_plan(q, plan);
    return *form ? spk_exec_join(q, left, right, &own, in, in2, *form) : NULL;
}

static spark_rdd *build(spk_query *q, const spk_plan *plan, const spk_form **form)
{
    if (!plan || spk_sql_failed(&q->error))
        return NULL;
    switch (plan->kind) {
    case SPK_PLAN_SCAN:
        return scan(q, plan, form);
    case SPK_PLAN_RANGE:
        return range(q, plan, form);
    case SPK_PLAN_ROWS:
        return values(q, plan, form);
    case SPK_PLAN_FILTER:
        return filter(q, plan, form);
    case SPK_PLAN_PROJECT:
        return project(q, plan, form);
    case SPK_PLAN_JOIN:
        return join(q, plan, form);
    case SPK_PLAN_UNION:
        return unite(q, plan, form);
    default:
        return other(q, plan, form);
    }
}

spark_rdd *spk_exec_build(spk_query *q, const spk_plan *plan, const spk_form **form)
{
    spark_rdd *rdd = build(q, plan, form);
    return canonical(q, rdd, plan, form);
}
