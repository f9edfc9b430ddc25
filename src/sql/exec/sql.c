/* SPDX-License-Identifier: Apache-2.0 */
/* The front door. */
#include "base/small.h"

#include <stdlib.h>

#include <spark/sql.h>

#include "rdd/verb.h"
#include "sql/eval/agg.h"
#include "sql/exec/result.h"
#include "sql/parse/lex.h"
#include "sql/parse/parse.h"

spk_plan *spk_query_plan(spk_query *q, const spk_ast_query *ast, const char ***names)
{
    spk_analyzer *a = &q->analyzer;
    spk_sql_expr **exprs = NULL;
    spk_attr *attrs = NULL;
    size_t n = 0, m = 0, k = 0;
    spk_rel rel = spk_analyze_query(a, ast, NULL);
    for (size_t i = 0; rel.plan && i < rel.scope.n; i++) {
        const spk_scope_item *item = &rel.scope.items[i];
        if (item->hidden)
            continue;
        spk_attr attr = item->attr;
        for (size_t x = 0; x < rel.plan->n_out; x++)
            if (rel.plan->out[x].id == attr.id)
                attr.nullable = rel.plan->out[x].nullable;
        SPK_ADD(a, exprs, n, spk_attr_column(a, &attr, SPK_SQL_NOWHERE));
        SPK_ADD(a, attrs, m, attr);
        SPK_ADD(a, *names, k, item->name);
    }
    bool same = rel.plan && rel.plan->n_out == n;
    for (size_t i = 0; same && i < n; i++)
        same = rel.plan->out[i].id == attrs[i].id;
    spk_plan *plan = rel.plan && !same ? spk_plan_project(a, rel.plan, exprs, attrs, n) : rel.plan;
    if (plan && q->before && !spk_sql_failed(&q->error))
        spk_plan_print(plan, q->before);
    plan = plan ? spk_distincts(a, plan) : NULL;
    return plan ? spk_optimize(a, plan) : NULL;
}

spark_rdd *spk_query_rows(spk_query *q, spark_site at, const spk_ast_query *ast)
{
    const char **names = NULL;
    const spk_form *form;
    const spk_plan *plan = spk_query_plan(q, ast, &names);
    q->plan = plan;
    spark_rdd *rdd = plan ? spk_exec_build(q, plan, &form) : NULL;
    if (!rdd || !rdd->layout)
        return rdd;
    return spk_result_new(q, at, rdd, form, names);
}

/* failed: what a statement without rows gives. */
static spark_rdd *failed(spk_query *q, spark_site at)
{
    spk_failure failure;
    spk_query_fails(q, &failure);
    spk_failure_at(&failure, "sql", at);
    return spk_rdd_error(q->sc, &failure);
}

/* widened: a number without a sign as the next type that holds it. */
static bool widened(const spark_type *type, const void *value, void *out)
{
    uint8_t a;
    uint16_t b;
    uint32_t c;
    uint64_t d;
    switch (type->kind) {
    case SPARK_KIND_U8:
        memcpy(&a, value, sizeof a);
        memcpy(out, &(int16_t) { a }, sizeof(int16_t));
        return true;
    case SPARK_KIND_U16:
        memcpy(&b, value, sizeof b);
        memcpy(out, &(int32_t) { b }, sizeof(int32_t));
        return true;
    case SPARK_KIND_U32:
        memcpy(&c, value, sizeof c);
        memcpy(out, &(int64_t) { c }, sizeof(int64_t));
        return true;
    case SPARK_KIND_U64:
        memcpy(&d, value, sizeof d);
        memcpy(out, &(spk_sql_wide) { 0, d }, sizeof(spk_sql_wide));
        return true;
    default:
        return false;
    }
}

static spk_sql_expr *bound(spk_query *q, const spark_sql_parameter *p)
{
    const spark_type *of = p->type && p->type->kind == SPARK_KIND_OPTIONAL ? p->type->of : p->type;
    const char *why = NULL, *value = p->value;
    bool nullable;
    const spk_sql_type *type
        = of ? spk_sql_type_from(&q->arena, of, &nullable, &why) : value ? NULL : spk_sql_type_of(SPK_SQL_VOID);
    if (value && of != p->type)
        value = *value ? value + of->align : NULL;
    char *copy = type ? spk_arena_alloc(&q->arena, type->size + 16, 16) : NULL;
    if (type && !copy) {
        spk_sql_nomem(&q->error);
        return NULL;
    }
    const bool no_sign = of && of->kind >= SPARK_KIND_U8 && of->kind <= SPARK_KIND_U64;
    const bool fits = type && (!of || no_sign || spk_sql_type_fits(type, of));
    if (!fits) {
        spk_sql_fail1(&q->error, "UNSUPPORTED_PARAMETER_TYPE", SPK_SQL_NOWHERE, "name", p->name ? p->name : "?");
        return NULL;
    }
    if (value && !widened(of, value, copy) && !spk_sql_copy_value(type, value, copy, &q->arena)) {
        spk_sql_nomem(&q->error);
        return NULL;
    }
    return spk_sql_constant(&q->analyzer.build, type, value ? copy : NULL, SPK_SQL_NOWHERE);
}

static bool bind_parameters(spk_query *q, size_t n, const spark_sql_parameter *parameters)
{
    spk_sql_binding *bindings = NULL;
    size_t m = 0;
    for (size_t i = 0; i < n && !spk_sql_failed(&q->error); i++)
        SPK_ADD(&q->analyzer, bindings, m, (spk_sql_binding) { parameters[i].name, bound(q, &parameters[i]) });
    q->analyzer.bindings = bindings;
    q->analyzer.n_bindings = m;
    return !spk_sql_failed(&q->error);
}

spark_rdd *spark_sql_with(
    spark_site at, spark_context *sc, const char *text, size_t n, const spark_sql_parameter *parameters)
{
    size_t next;
    const bool given = n == 0 || parameters;
    if (!sc || sc->error || !text || !given) {
        spk_verb v;
        bool made;
        spk_verb_source(&v, at, "sql", sc);
        if (!text)
            spk_verb_fail(&v, SPARK_EINVAL, "no text");
        else if (!given)
            spk_verb_fail(&v, SPARK_EINVAL, "%zu parameters, but they are NULL", n);
        return spk_verb_make(&v, NULL, 0, NULL, &made);
    }
    spk_query *q = spk_query_new(sc, text);
    if (!q)
        return spk_rdd_errorf(sc, SPARK_ENOMEM, "sql", NULL, at, "out of memory");
    q->analyzer.site = at;
    q->scope = spk_scope_of(sc);
    spark_scope *own = spark_scope_begin(sc); /* of RDDs that only the statement's result needs */
    spark_rdd *rdd = NULL;
    const spk_ast_statement *s = spk_sql_parse(&q->arena, q->text, &next, &q->error);
    if (s && !spk_sql_parse_blank(q->text + next))
        spk_sql_fail2(&q->error, "PARSE_SYNTAX_ERROR", (spk_sql_span) { (uint32_t)next, (uint32_t)next + 1 }, "error",
            "';'", "hint", "");
    if (s && !spk_sql_failed(&q->error) && bind_parameters(q, n, parameters))
        rdd = spk_statement_heard(q, at, s);
    if (!rdd || spk_sql_failed(&q->error))
        rdd = failed(q, at);
    if (own && rdd->object.scope == own)
        spk_scope_move(&rdd->object, q->scope);
    spark_scope_end(own);
    spk_query_unref(q);
    return rdd;
}

spark_rdd *spark_sql(spark_site at, spark_context *sc, const char *text)
{
    return (spark_sql_with)(at, sc, text, 0, NULL);
}

size_t spark_sql_next(const char *text)
{
    spk_heap heap;
    spk_arena arena, large;
    size_t n, next = 0;
    spk_sql_error error = { .condition = NULL };
    if (!text || spk_sql_parse_blank(text))
        return 0;
    spk_heap_init(&heap, UINT64_MAX);
    spk_arena_init(&arena, &heap);
    spk_arena_init(&large, &heap);
    if (!spk_sql_lex(&arena, &large, text, &n, &next, &error) || next == 0)
        next = strlen(text);
    spk_arena_fini(&large);
    spk_arena_fini(&arena);
    spk_heap_fini(&heap);
    return next;
}

/* ---- views */

spark_status spark_create_temp_view(spark_site at, spark_context *sc, const char *name, spark_rdd *rdd)
{
    spk_sql_error error = { .condition = NULL };
    if (!sc || !name || !rdd)
        return spk_raisef(SPARK_EINVAL, "createTempView", at, "the context, the name or the RDD is NULL");
    if (spark_rdd_status(rdd) != SPARK_OK)
        return spk_last_failure()->code;
    if (!*name || strchr(name, '.')) {
        char text[400];
        spk_sql_fail1(&error, "TEMP_VIEW_NAME_TOO_MANY_NAME_PARTS", SPK_SQL_NOWHERE, "actualName", *name ? name : "''");
        spk_sql_describe(&error, NULL, text, sizeof text);
        return spk_raisef(SPARK_EINVAL, "createTempView", at, "createTempView at %s: %s", at, text);
    }
    spk_catalog *catalog = spk_catalog_of(sc);
    spk_view *view = catalog ? spk_view_new(sc, name) : NULL;
    if (!view)
        return spk_raisef(SPARK_ENOMEM, "createTempView", at, "out of memory");
    view->temporary = true;
    const spk_result *result = spk_result_of(rdd);
    bool good = true;
    if (!result) {
        good = spk_columns_of(&view->arena, &error, spark_rdd_type(rdd), &view->columns, &view->n_columns,
            SPK_SQL_NOWHERE);
    } else { /* SQL's own types */
        struct {
            spk_arena *arena;
            spk_sql_error *error;
        } a = { &view->arena, &error };
        for (size_t i = 0; i < result->form->n; i++) {
            const spk_sql_type *type = spk_sql_type_copy(&view->arena, result->form->slots[i].type);
            const size_t n = strlen(result->names[i]) + 1;
            char *copy = spk_arena_alloc(&view->arena, n, 1);
            if (!copy || !type) {
                spk_sql_nomem(&error);
                break;
            }
            memcpy(copy, result->names[i], n);
            SPK_ADD(&a, view->columns, view->n_columns,
                (spk_view_column) { copy, type, result->form->slots[i].nullable, NULL });
        }
        good = !spk_sql_failed(&error);
    }
    if (!good) {
        char text[600];
        spk_sql_describe(&error, NULL, text, sizeof text);
        spk_view_unref(view);
        return spk_raisef(error.nomem ? SPARK_ENOMEM : SPARK_ETYPE, "createTempView", at,
            "createTempView(%.100s) at %s: %s", name, at, text);
    }
    spk_view_rdd_set(view, rdd);
    (void)spk_view_drop(catalog, name);
    spk_view_add(catalog, view, spk_scope_of(sc));
    return SPARK_OK;
}

bool spark_drop_temp_view(spark_context *sc, const char *name)
{
    spk_catalog *catalog = sc && name ? spk_catalog_of(sc) : NULL;
    return catalog && spk_view_drop(catalog, name);
}
