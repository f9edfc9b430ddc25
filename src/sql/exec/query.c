/* SPDX-License-Identifier: Apache-2.0 */
/* The statement's own memory, and the forms of rows in it. */
#include "base/small.h"

#include "sql/exec/query.h"

#include <spark/action.h>
#include <spark/source.h>
#include <stdlib.h>
#include <time.h>

#include "type/leaf.h"

static void use(spk_analyzer *a, spark_rdd *rdd)
{
    spk_query *q = (spk_query *)(void *)((char *)a - offsetof(spk_query, analyzer));
    const size_t before = q->n_used;
    SPK_ADD(a, q->used, q->n_used, rdd);
    if (q->n_used > before)
        spk_rdd_ref(rdd);
}

static void calls(spk_analyzer *a, spk_user *user)
{
    spk_query *q = (spk_query *)(void *)((char *)a - offsetof(spk_query, analyzer));
    const size_t before = q->n_users;
    SPK_ADD(a, q->users, q->n_users, user);
    if (q->n_users == before)
        spk_user_unref(user);
}

/* run: a plan's rows, now. */
static spark_rdd *run(spk_analyzer *a, spk_plan *plan, size_t *n)
{
    spk_query *q = (spk_query *)(void *)((char *)a - offsetof(spk_query, analyzer));
    const spk_form *form;
    spark_array rows;
    plan = spk_distincts(a, plan);
    plan = plan ? spk_optimize(a, plan) : NULL;
    const spk_plan *outer = q->plan;
    spark_rdd *rdd = plan ? spk_exec_build(q, plan, &form) : NULL;
    if (!rdd)
        return NULL;
    q->plan = plan; /* for whoever is told of the job */
    const spark_status status = (spark_collect)(q->analyzer.site, rdd, NULL, &rows);
    q->plan = outer;
    if (status != SPARK_OK) {
        q->failed = *spk_last_failure();
        q->has_failed = true;
        spk_sql_fail(&q->error, "UNSUPPORTED_FEATURE", SPK_SQL_NOWHERE); /* `failed` says what it was */
        return NULL;
    }
    *n = rows.n;
    rdd = (spark_parallelize)(q->analyzer.site, a->sc, rows.type, rows.n, rows.items, 1);
    spark_array_free(&rows);
    use(a, rdd);
    return rdd;
}

spk_query *spk_query_new(spark_context *sc, const char *text)
{
    spk_query *q = calloc(1, sizeof *q);
    if (!q)
        return NULL;
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    atomic_init(&q->refs, 1);
    spk_arena_init_small(&q->arena, &sc->heap);
    q->sc = sc;
    q->session = (spk_sql_session) { .now = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000,
        .zone_id = "UTC", .user = "spark", .catalog = "spark_catalog", .database = "default" };
    q->analyzer = (spk_analyzer) { .arena = &q->arena, .error = &q->error, .sc = sc,
        .build = { &q->arena, &q->error, &q->session }, .used = use, .calls = calls,
        .run = run, .site = "sql", .next_id = 1 };
    q->text = spk_copy_text(&q->analyzer, text, strlen(text));
    q->analyzer.text = q->text;
    q->analyzer.catalog = spk_catalog_of(sc);
    if (q->analyzer.catalog) {
        q->partitions = atomic_load(&q->analyzer.catalog->partitions);
        q->session.zones = &q->analyzer.catalog->zones;
        q->session.zone = spk_catalog_zone(q->analyzer.catalog);
        if (q->session.zone)
            q->session.zone_id = q->session.zone->id;
    }
    if (q->error.condition || !q->analyzer.catalog) {
        spk_query_unref(q);
        return NULL;
    }
    return q;
}

void spk_query_ref(spk_query *query)
{
    atomic_fetch_add(&query->refs, 1);
}

void spk_query_unref(spk_query *query)
{
    if (atomic_fetch_sub(&query->refs, 1) > 1)
        return;
    for (size_t i = 0; i < query->n_used; i++)
        spk_rdd_unref(query->used[i]);
    for (size_t i = 0; i < query->n_users; i++)
        spk_user_unref(query->users[i]);
    spk_arena_fini(&query->arena);
    free(query);
}

/* ---- forms */

static const spk_form *new_form(spk_query *q, const spk_column *columns, size_t n, const spark_type *type)
{
    spk_failure failure;
    spk_form *form = spk_arena_alloc(&q->arena, sizeof *form, 16);
    spk_slot *slots = spk_arena_alloc(&q->arena, (n + 1) * sizeof *slots, 16);
    if (!form || !slots) {
        spk_sql_nomem(&q->error);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        const uint32_t offset = (uint32_t)type->fields[i].offset;
        slots[i] = (spk_slot) { columns[i].type, columns[i].nullable, offset,
            offset + spk_sql_slot_value(columns[i].type, columns[i].nullable),
            spk_sql_slot_size(columns[i].type, columns[i].nullable) };
    }
    *form = (spk_form) { spk_layout_for(q->sc, type, &failure), slots, n, true };
    if (!form->layout) {
        spk_sql_nomem(&q->error);
        return NULL;
    }
    return form;
}

/* levels: how deep the type of a column is as libspark's, which has one for what may be NULL. */
static unsigned levels(const spk_sql_type *type, bool nullable)
{
    unsigned most = 0;
    for (uint32_t i = 0; type->kind == SPK_SQL_STRUCT && i < type->n; i++) {
        const unsigned field = levels(type->fields[i].type, type->fields[i].nullable);
        most = field > most ? field : most;
    }
    if (type->kind == SPK_SQL_ARRAY || type->kind == SPK_SQL_MAP)
        most = levels(type->of, type->contains_null);
    if (type->kind == SPK_SQL_MAP) { /* of pairs */
        const unsigned key = levels(type->key, false);
        most = 1 + (key > most ? key : most);
    }
    return most + 1 + nullable;
}

/* too_deep: whether a column is; the error is then set. What is made of columns (rows, pairs, lists of them, states of
 * aggregates) takes the levels that are left. */
static bool too_deep(spk_query *q, const spk_column *columns, size_t n)
{
    enum { LEVELS = 110 };
    _Static_assert(LEVELS + 10 == SPK_TYPE_DEPTH, "levels of libspark's types");
    for (size_t i = 0; i < n; i++)
        if (levels(columns[i].type, columns[i].nullable) > LEVELS) {
            spk_sql_unsupported(&q->error, SPK_SQL_NOWHERE,
                "a type of more than 110 levels, of which what may be NULL, and pairs of maps, are one more");
            return true;
        }
    return false;
}

const spk_form *spk_form_of(spk_query *q, const spk_column *columns, size_t n, const char *const *names)
{
    const size_t members = n ? n : 1;
    const spark_type **types = spk_arena_alloc(&q->arena, members * sizeof *types, 8);
    const char **own = spk_arena_alloc(&q->arena, members * sizeof *own, 8);
    if (!types || !own) {
        spk_sql_nomem(&q->error);
        return NULL;
    }
    if (too_deep(q, columns, n))
        return NULL;
    types[0] = SPARK_TYPE(bool); /* rows of nothing are counted all the same */
    own[0] = "nothing";
    for (size_t i = 0; i < n; i++) {
        types[i] = spk_sql_type_to(q->sc->types, columns[i].type, columns[i].nullable);
        own[i] = names ? names[i] : spk_print(&q->analyzer, "c%zu", i);
        if (!types[i]) {
            spk_sql_nomem(&q->error);
            return NULL;
        }
    }
    const spark_type *type = spk_types_struct(q->sc->types, members, types, own);
    if (!type) {
        spk_failure failure;
        if (spk_types_refused(members, types, &failure) == SPARK_ENOMEM)
            spk_sql_nomem(&q->error);
        else
            spk_sql_unsupported(&q->error, SPK_SQL_NOWHERE, "a row of such columns");
        return NULL;
    }
    return new_form(q, columns, n, type);
}

const spk_form *spk_form_of_plan(spk_query *q, const spk_plan *plan)
{
    spk_column *columns = spk_arena_alloc(&q->arena, (plan->n_out + 1) * sizeof *columns, 8);
    if (!columns) {
        spk_sql_nomem(&q->error);
        return NULL;
    }
    for (size_t i = 0; i < plan->n_out; i++)
        columns[i] = (spk_column) { plan->out[i].type, plan->out[i].nullable };
    return spk_form_of(q, columns, plan->n_out, NULL);
}

const spk_form *spk_form_pair(spk_query *q, const spk_form *key, const spk_form *value)
{
    spk_failure failure;
    const spark_type *type = spk_types_pair(q->sc->types, key->layout->type, value->layout->type);
    spk_form *form = spk_arena_alloc(&q->arena, sizeof *form, 16);
    spk_slot *slots = spk_arena_alloc(&q->arena, (key->n + value->n + 1) * sizeof *slots, 16);
    const spk_layout *layout = type ? spk_layout_for(q->sc, type, &failure) : NULL;
    if (!form || !slots || !layout) {
        spk_sql_nomem(&q->error);
        return NULL;
    }
    for (size_t i = 0; i < key->n; i++)
        slots[i] = key->slots[i];
    for (size_t i = 0; i < value->n; i++) {
        slots[key->n + i] = value->slots[i];
        slots[key->n + i].offset += layout->value_offset;
        slots[key->n + i].value += layout->value_offset;
    }
    *form = (spk_form) { layout, slots, key->n + value->n, false };
    return form;
}

void spk_form_inputs(const spk_form *form, const char *rows, spk_sql_input *inputs)
{
    const size_t size = form->layout->size;
    for (size_t i = 0; i < form->n; i++) {
        const spk_slot *s = &form->slots[i];
        inputs[i] = (spk_sql_input) { rows + s->value, size,
            s->nullable ? (const uint8_t *)rows + s->offset : NULL, size, 255, false };
    }
}

/* ---- failures */

void spk_query_task_fails(const spk_query *q, spark_task *task, const spk_sql_error *error)
{
    char text[640];
    if (error->nomem && spk_task_unwanted(task)) { /* which has ended it */
        spk_task_fail(task, SPARK_ECANCELLED, "the rows are not wanted any more");
        return;
    }
    if (error->nomem) {
        spk_task_nomem(task);
        return;
    }
    spk_sql_describe(error, q->text, text, sizeof text);
    spark_fail(task, "%s", text);
}

spark_status spk_query_fails(const spk_query *q, spk_failure *failure)
{
    char text[640];
    if (q->has_failed) {
        *failure = q->failed;
        return failure->code;
    }
    if (q->error.nomem)
        return spk_failure_set(failure, SPARK_ENOMEM, "sql", NULL, "%s",
            spk_heap_refusal(&q->sc->heap, "what the statement is compiled into", 0, text, sizeof text));
    spk_sql_describe(&q->error, q->text, text, sizeof text);
    return spk_failure_set(failure, SPARK_EINVAL, "sql", NULL, "%s", text);
}

/* ---- programs */

typedef struct placing {
    spk_query *q;
    const spk_plan *const *plans;
    size_t n;
} placing;

static int64_t place_of(const placing *p, uint32_t id)
{
    size_t before = 0;
    for (size_t i = 0; i < p->n; i++) {
        for (size_t k = 0; k < p->plans[i]->n_out; k++)
            if (p->plans[i]->out[k].id == id)
                return (int64_t)(before + k);
        before += p->plans[i]->n_out;
    }
    return -1;
}

static spk_sql_expr *placed(const placing *p, spk_sql_expr *e)
{
    if (!e || e->kind == SPK_SQL_CONSTANT || e->kind == SPK_SQL_VARIABLE)
        return e;
    spk_sql_expr *made = spk_arena_alloc(&p->q->arena, sizeof *made, 16);
    spk_sql_expr **args = spk_arena_alloc(&p->q->arena, (e->n + 1) * sizeof *args, 8);
    if (!made || !args) {
        spk_sql_nomem(&p->q->error);
        return NULL;
    }
    *made = *e;
    made->args = args;
    if (e->kind == SPK_SQL_COLUMN) {
        const int64_t place = place_of(p, e->column);
        if (place < 0) {
            spk_sql_fail1(&p->q->error, "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.CORRELATED_REFERENCE", e->span,
                "sqlExprs", e->name);
            return NULL;
        }
        made->column = (uint32_t)place;
    }
    for (uint32_t i = 0; i < e->n; i++)
        if (!(args[i] = placed(p, e->args[i])))
            return NULL;
    return made;
}

spk_sql_expr *spk_position(spk_query *q, spk_sql_expr *e, const spk_plan *const *plans, size_t n)
{
    const placing p = { q, plans, n };
    return placed(&p, e);
}

const spk_sql_program *spk_program_of(spk_query *q, spk_sql_expr *const *exprs, size_t n,
    const spk_plan *const *plans, size_t n_plans)
{
    spk_sql_expr **own = spk_arena_alloc(&q->arena, (n + 1) * sizeof *own, 8);
    if (!own) {
        spk_sql_nomem(&q->error);
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        if (!(own[i] = spk_position(q, exprs[i], plans, n_plans)))
            return NULL;
    return spk_sql_compile(&q->analyzer.build, own, n);
}
