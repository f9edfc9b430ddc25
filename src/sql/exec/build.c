/* SPDX-License-Identifier: Apache-2.0 */
/* Plans become RDDs, from the leaves up. */
#include "base/small.h"

#include <spark/keyed.h>
#include <spark/source.h>
#include <spark/transform.h>

#include "rdd/narrowed.h"
#include "rdd/verb.h"
#include "sql/exec/build.h"
#include "sql/exec/columns.h"

spark_rdd *spk_build_canonical(spk_query *q, spark_rdd *rdd, const spk_plan *plan, const spk_form **form)
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

/* normal: rows that are compared as wholes: of their members with floating point one zero and one NaN are left. */
static spark_rdd *normal(spk_query *q, spark_rdd *rdd, const spk_plan *plan, const spk_form *form)
{
    spk_analyzer *a = &q->analyzer;
    spk_sql_expr **exprs = NULL;
    size_t n = 0;
    bool any = false;
    for (size_t i = 0; rdd && i < plan->n_out; i++) {
        spk_sql_expr *column = spk_attr_column(a, &plan->out[i], SPK_SQL_NOWHERE);
        spk_sql_expr *one = spk_sql_normal(&a->build, column);
        any = any || one != column;
        SPK_ADD(a, exprs, n, one);
    }
    return spk_sql_failed(&q->error) ? NULL : any ? spk_exec_eval(q, rdd, plan, form, NULL, 0, exprs, n, form) : rdd;
}

/* ---- leaves */

/* narrowed: where files are read: only the members that are wanted. NULL: rows as they are. */
static spark_rdd *narrowed(spk_query *q, const spk_plan *plan)
{
    const uint32_t first = 0;
    const size_t n = plan->n_out ? plan->n_out : 1;
    const uint32_t *members = plan->n_out ? plan->members : &first; /* rows of nothing are counted all the same */
    spk_failure failure;
    if (!plan->rdd->class->reads || n >= plan->rdd->layout->type->count
        || spk_rdd_prepare(plan->rdd, &failure) != SPARK_OK)
        return NULL;
    spark_rdd *rdd = spk_csv_narrowed(q->analyzer.site, plan->rdd, n, members);
    return rdd ? rdd : spk_json_narrowed(q->analyzer.site, plan->rdd, n, members);
}

/* slot_of: where a column of a scan lies; false: SQL has no such type. */
static bool slot_of(const spk_plan *plan, size_t i, const spark_type *element, size_t member, spk_slot *slot)
{
    const bool row = element->kind == SPARK_KIND_STRUCT || element->kind == SPARK_KIND_PAIR;
    const spark_field *field = row ? &element->fields[member] : NULL;
    const spark_type *type = field ? field->type : element;
    const bool nullable = type->kind == SPARK_KIND_OPTIONAL;
    const uint32_t offset = field ? (uint32_t)field->offset : 0;
    *slot = (spk_slot) { plan->out[i].type, nullable, offset, offset + (nullable ? type->of->align : 0), type->size };
    return (!field || !field->count) && spk_sql_type_fits(plan->out[i].type, nullable ? type->of : type);
}

/* packed: of a table in the cache: filters and columns in the scan; exprs NULL: its columns. */
static spark_rdd *packed(spk_query *q, const spk_plan *scan, const spk_plan *filters, const spk_plan *project,
    const spk_form **form)
{
    spk_analyzer *a = &q->analyzer;
    spk_sql_expr **exprs = project ? project->exprs : NULL;
    size_t n = project ? project->n_exprs : 0;
    for (size_t i = 0; !project && i < scan->n_out; i++)
        SPK_ADD(a, exprs, n, spk_attr_column(a, &scan->out[i], SPK_SQL_NOWHERE));
    *form = spk_form_of_plan(q, project ? project : scan);
    if (!*form)
        return NULL;
    return spk_columns_scan(q, scan, filters ? filters->exprs : NULL, filters ? filters->n_exprs : 0, exprs, n, *form);
}

static spark_rdd *scan(spk_query *q, const spk_plan *plan, const spk_form **form)
{
    spk_form *made = spk_arena_alloc(&q->arena, sizeof *made, 16);
    spk_slot *slots = spk_arena_alloc(&q->arena, (plan->n_out + 1) * sizeof *slots, 16);
    if (!made || !slots) {
        spk_sql_nomem(&q->error);
        return NULL;
    }
    if (!plan->rdd->layout)
        return plan->rdd; /* it carries an error */
    if (plan->packed)
        return packed(q, plan, NULL, NULL, form);
    spark_rdd *part = narrowed(q, plan), *rdd = part ? part : plan->rdd;
    bool own = part != NULL && plan->n_out > 0; /* as rows are made elsewhere */
    for (size_t i = 0; i < plan->n_out; i++) {
        if (!slot_of(plan, i, rdd->layout->type, part ? i : plan->members[i], &slots[i])) {
            char text[200];
            (void)snprintf(text, sizeof text, "the type of column %s of %s", plan->out[i].name, plan->table);
            spk_sql_unsupported(&q->error, SPK_SQL_NOWHERE, spk_copy_text(&q->analyzer, text, strlen(text)));
            return NULL;
        }
        own = own && slots[i].nullable == plan->out[i].nullable
            && rdd->layout->type->fields[i].type == spk_sql_type_to(q->sc->types, plan->out[i].type, slots[i].nullable);
    }
    *made = (spk_form) { rdd->layout, slots, plan->n_out, own };
    *form = made;
    return rdd;
}

static spark_rdd *range(spk_query *q, const spk_plan *plan, const spk_form **form)
{
    spark_rdd *rdd = (spark_range)(q->analyzer.site, q->sc, plan->first, plan->last, plan->step, plan->parts);
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
    return (spark_parallelize)(q->analyzer.site, q->sc, (*form)->layout->type, plan->n_rows, rows, 1);
}

/* ---- operators of one input */

static spark_rdd *filter(spk_query *q, const spk_plan *plan, const spk_form **form)
{
    if (plan->in[0]->packed)
        return packed(q, plan->in[0], plan, NULL, form);
    spark_rdd *rdd = spk_build(q, plan->in[0], form);
    return rdd ? spk_exec_eval(q, rdd, plan->in[0], *form, plan->exprs, plan->n_exprs, NULL, 0, NULL) : NULL;
}

/* project: with the filter below it, in one step. */
static spark_rdd *project(spk_query *q, const spk_plan *plan, const spk_form **form)
{
    const spk_plan *below = plan->in[0], *filters = below->kind == SPK_PLAN_FILTER ? below : NULL;
    const spk_form *in;
    if ((filters ? below->in[0] : below)->packed)
        return packed(q, filters ? below->in[0] : below, filters, plan, form);
    spark_rdd *rdd = spk_build(q, filters ? below->in[0] : below, &in);
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
    spark_rdd *rdd = spk_build(q, plan->in[0], &in);
    *form = in;
    if (!rdd)
        return NULL;
    if (plan->kind == SPK_PLAN_LIMIT)
        return spk_exec_limit(q, rdd, plan);
    if (plan->kind == SPK_PLAN_SAMPLE)
        return (spark_sample)(q->analyzer.site, rdd, false, plan->fraction, (uint64_t)plan->seed);
    if (plan->kind == SPK_PLAN_DISTINCT || plan->kind == SPK_PLAN_SORT) {
        rdd = spk_build_canonical(q, rdd, plan->in[0], form);
        if (plan->kind == SPK_PLAN_DISTINCT)
            rdd = normal(q, rdd, plan->in[0], *form);
        if (!rdd)
            return NULL;
        if (plan->kind == SPK_PLAN_DISTINCT)
            return (spark_distinct)(q->analyzer.site, rdd, q->partitions);
        return spk_exec_sort(q, rdd, plan, *form, q->top == plan ? q->top_rows : UINT64_MAX);
    }
    *form = spk_form_of_plan(q, plan);
    if (!*form)
        return NULL;
    switch (plan->kind) {
    case SPK_PLAN_EXPAND:
        return spk_exec_expand(q, rdd, plan, in, *form);
    case SPK_PLAN_GENERATE:
        return spk_exec_generate(q, rdd, plan, in, *form);
    default:
        return spk_exec_window(q, rdd, plan, in, *form);
    }
}

/* ---- operators of two */

spark_rdd *spk_build_as(
    spk_query *q, spark_rdd *rdd, const spk_plan *side, const spk_form *in, const spk_form *out)
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
        sides[i] = *form ? spk_build(q, plan->in[i], &in) : NULL;
        if (sides[i] && in->layout != (*form)->layout)
            sides[i] = spk_build_as(q, sides[i], plan->in[i], in, *form);
        if (!sides[i])
            return NULL;
    }
    return (spark_union)(q->analyzer.site, sides[0], sides[1]);
}

static spark_rdd *build_any(spk_query *q, const spk_plan *plan, const spk_form **form)
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
        return spk_build_join(q, plan, form);
    case SPK_PLAN_UNION:
        return unite(q, plan, form);
    case SPK_PLAN_AGGREGATE:
        *form = spk_form_of_plan(q, plan);
        return *form ? spk_exec_aggregate(q, plan, *form) : NULL;
    default:
        return other(q, plan, form);
    }
}

/* again: the rows of an operator that the plan has twice. */
static spark_rdd *again(spk_query *q, const spk_plan *plan, const spk_form **form)
{
    for (size_t i = 0; i < q->n_built; i++)
        if (q->built[i].plan == plan) {
            *form = q->built[i].form;
            return q->built[i].rows;
        }
    return spk_build(q, plan, form);
}

spark_rdd *spk_build(spk_query *q, const spk_plan *plan, const spk_form **form)
{
    spark_rdd *rdd = plan && plan->same ? again(q, plan->same, form) : build_any(q, plan, form);
    if (rdd)
        SPK_ADD(&q->analyzer, q->built, q->n_built, (spk_built) { plan, rdd->id, rdd, *form });
    return rdd;
}

spark_rdd *spk_exec_build(spk_query *q, const spk_plan *plan, const spk_form **form)
{
    spk_strategies(&q->analyzer, (spk_plan *)(uintptr_t)plan);
    spk_common_subplans(&q->analyzer, (spk_plan *)(uintptr_t)plan);
    spark_rdd *rdd = spk_build(q, plan, form);
    return spk_build_canonical(q, rdd, plan, form);
}
