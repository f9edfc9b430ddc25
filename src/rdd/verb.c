/* SPDX-License-Identifier: Apache-2.0 */
/* What verbs have in common. */
#include "rdd/rdd.h"

#include <stdlib.h>

#include "plan/broadcast.h"
#include "plan/partitioner.h"
#include "shuffle/ranges.h"

void spk_verb_source(spk_verb *v, spark_site at, const char *operation, spark_context *sc)
{
    *v = (spk_verb) { .at = at, .operation = operation, .sc = sc ? sc : spk_context_none() };
    if (spk_task_current())
        spk_verb_fail(v, SPARK_EINVAL, "a transformation inside a function of a task (SPARK-5063)");
    else if (v->sc->error)
        spk_verb_fail_with(v, v->sc->error);
}

void spk_verb_begin(spk_verb *v, spark_site at, const char *operation, const char *function,
    size_t n, spark_rdd *const *parents, bool has_function, const spark_env *env, size_t env_size)
{
    spk_failure failure;
    *v = (spk_verb) {
        .at = at, .operation = operation, .function = function, .n = n, .parents = parents
    };
    for (size_t i = 0; i < n && !v->bad; i++)
        v->bad = spk_rdd_broken(parents[i], operation, at);
    v->sc = v->bad ? v->bad->sc : parents[0]->sc;
    v->in = v->bad ? NULL : parents[0]->layout;
    if (spk_env_bind(&v->env, env, has_function ? env_size : 0, &failure) != SPARK_OK)
        spk_verb_fail(v, failure.code, "%s", failure.message);
    if (spk_task_current())
        spk_verb_fail(v, SPARK_EINVAL, "a transformation inside a function of a task (SPARK-5063)");
    if (!v->bad && v->env.broadcast && v->env.broadcast->sc != v->sc)
        spk_verb_fail(v, SPARK_EINVAL, "the broadcast belongs to another context");
    if (!has_function)
        spk_verb_fail(v, SPARK_EINVAL, "the function is NULL");
}

void spk_verb_fail(spk_verb *v, spark_status code, const char *format, ...)
{
    char message[512];
    va_list args;
    if (v->bad)
        return;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    v->bad = spk_rdd_errorf(v->sc, code, v->operation, v->function, v->at, "%s", message);
}

void spk_verb_fail_with(spk_verb *v, const spk_failure *failure)
{
    if (!v->bad)
        v->bad = spk_rdd_error(v->sc, failure);
}

void spk_verb_want(spk_verb *v, const spark_type *want, const spk_layout *have)
{
    if (!v->bad && have)
        v->bad = spk_rdd_misfit(v->sc, v->operation, v->function, v->at, want, have->type);
}

void spk_verb_pairs(spk_verb *v, const spk_layout *have)
{
    char name[100];
    if (!v->bad && (!have->key || !have->value))
        spk_verb_fail(
            v, SPARK_ETYPE, "pairs wanted, %s found", spk_type_name(have->type, name, sizeof name));
}

const spk_layout *spk_verb_layout(spk_verb *v, const spark_type *type)
{
    spk_failure failure;
    if (v->bad)
        return NULL;
    if (!type) {
        spk_verb_fail(v, SPARK_EINVAL, "the function does not say what type it makes");
        return NULL;
    }
    const spk_layout *layout = spk_layout_for(v->sc, type, &failure);
    if (!layout)
        spk_verb_fail(v, failure.code, "%s", failure.message);
    return layout;
}

const spk_layout *spk_verb_pair(spk_verb *v, const spk_layout *key, const spk_layout *value)
{
    if (v->bad)
        return NULL;
    const spark_type *pair = spk_types_pair(v->sc->types, key->type, value->type);
    if (!pair)
        spk_verb_fail(v, SPARK_ENOMEM, "out of memory");
    return spk_verb_layout(v, pair);
}

const spk_layout *spk_verb_values(spk_verb *v, const spark_type *in, const spark_type *out)
{
    spk_verb_pairs(v, v->in);
    spk_verb_want(v, in, v->bad ? NULL : v->in->value);
    const spk_layout *value = spk_verb_layout(v, out);
    return v->bad ? NULL : spk_verb_pair(v, v->in->key, value);
}

spark_rdd *spk_verb_make(
    spk_verb *v, const spk_class *class, size_t size, const spk_layout *layout, bool *made)
{
    *made = false;
    if (v->bad) {
        spk_env_fini(&v->env);
        return v->bad;
    }
    const spk_rdd_args args = { v->at, v->operation, v->function, v->sc, class, size, layout, v->n,
        v->parents, &v->env };
    return spk_rdd_new(&args, made);
}

spark_rdd *spk_verb_undo(spk_verb *v, spark_rdd *node, const spk_failure *failure)
{
    char text[300];
    spk_failure named = *failure;
    if (!*failure->operation) {
        spk_rdd_describe(node, text, sizeof text);
        spk_failure_set(
            &named, failure->code, v->operation, v->at, "%s: %s", text, failure->message);
    }
    spark_rdd_release(node);
    return spk_rdd_error(v->sc, &named);
}

spark_rdd *spk_verb_path(spk_verb *v, spark_rdd *node, char **slot, const char *path)
{
    const size_t size = strlen(path) + 1;
    spk_failure failure;
    *slot = malloc(size);
    if (*slot) {
        memcpy(*slot, path, size);
        return spark_rdd_set_name(node, path);
    }
    spk_failure_nomem(&failure, NULL, NULL);
    return spk_verb_undo(v, node, &failure);
}

void spk_locate(spark_task *task, int64_t record)
{
    if (task->failure.record < 0)
        task->failure.record = record;
}

/* ---- steps on whole partitions */

static void free_rows(void *data)
{
    spk_rows_fini(data);
}

bool spk_rows_defer(spark_task *task, spk_rows *rows)
{
    spark_defer(task, free_rows, rows);
    return !spk_task_failed(task);
}

bool spk_drained_open(spk_pipe *pipe, spk_op *op)
{
    spark_task *task = pipe->task;
    spk_drained *state = spk_arena_alloc(spk_keep_of(task), sizeof *state, 16);
    if (!state) {
        spk_task_nomem(task);
        return false;
    }
    spk_rows_init(&state->rows, task->heap, op->rdd->deps[0].rdd->layout);
    op->state = state;
    return spk_rows_defer(task, &state->rows) && (state->arenas = spk_step_arenas(task)) != NULL;
}

void spk_drained_run(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    spk_drained *state = op->state;
    if (!spk_rows_append(&state->rows, batch->rows, batch->n))
        spk_task_nomem(pipe->task);
    batch->n = 0;
}

/* ---- values of nodes */

char *spk_value_keep(spark_rdd *rdd, const spk_layout *layout, const void *value, size_t *capacity)
{
    const size_t head = ((size_t)layout->size + 63) / 64 * 64;
    const size_t tail = value ? spk_value_bytes(layout, value) : 0;
    char *copy = spk_heap_alloc(&rdd->sc->heap, head + tail, capacity);
    if (!copy)
        return NULL;
    memset(copy, 0, layout->size);
    if (value) {
        memcpy(copy, value, layout->size);
        spk_value_pack(layout, copy, copy + head);
    }
    return copy;
}

/* ---- results */

typedef struct owner {
    spk_heap *heap;
    void *items;
    size_t capacity;
    spk_run *runs;
    spark_index index;
    void *slots;
    size_t slots_capacity;
} owner;

void spark_array_free(spark_array *array)
{
    owner *o = array ? array->owner : NULL;
    if (o) {
        spk_runs_free(o->heap, o->runs);
        spk_heap_free(o->heap, o->items, o->capacity);
        spk_heap_free(o->heap, o->slots, o->slots_capacity);
        free(o);
    }
    if (array)
        *array = (spark_array) { NULL, NULL, 0, NULL };
}

/* move_rows: the rows of a list to `to`; its runs stay for what the rows point to, else they go. */
static char *move_rows(owner *o, spk_rows *list, char *to)
{
    const size_t size = list->layout->size;
    for (const spk_run *run = list->first; run; run = run->next) {
        memcpy(to, run->rows, run->n * size);
        to += run->n * size;
    }
    if (list->layout->views && list->last) {
        list->last->next = o->runs;
        o->runs = list->first;
        list->first = list->last = NULL;
    }
    spk_rows_fini(list);
    return to;
}

spark_status spk_result_rows(spark_context *sc, const spk_layout *layout, spk_rows *lists, size_t n,
    spark_array *result, spk_failure *failure)
{
    uint64_t rows = 0;
    for (size_t i = 0; i < n; i++)
        rows += lists[i].n;
    owner *o = calloc(1, sizeof *o);
    if (o) {
        o->heap = &sc->heap;
        o->items = spk_heap_alloc(o->heap, rows * layout->size + 1, &o->capacity);
    }
    if (!o || !o->items) {
        free(o);
        for (size_t i = 0; i < n; i++)
            spk_rows_fini(&lists[i]);
        return spk_failure_nomem(failure, NULL, NULL);
    }
    char *to = o->items;
    for (size_t i = 0; i < n; i++)
        to = move_rows(o, &lists[i], to);
    *result = (spark_array) { layout->type, o->items, (size_t)rows, o };
    return SPARK_OK;
}

spark_status spk_result_one(spark_context *sc, const spk_layout *layout, const void *value,
    spark_array *result, spk_failure *failure)
{
    spk_rows rows;
    spk_rows_init(&rows, &sc->heap, layout);
    if (!spk_rows_append(&rows, value, 1)) {
        spk_rows_fini(&rows);
        return spk_failure_nomem(failure, NULL, NULL);
    }
    return spk_result_rows(sc, layout, &rows, 1, result, failure);
}

const spark_index *spark_array_index(const spark_array *array)
{
    const owner *o = array ? array->owner : NULL;
    return o && o->slots ? &o->index : NULL;
}

spark_status spk_result_index(
    spark_context *sc, const spk_layout *pair, spark_array *pairs, spk_failure *failure)
{
    owner *o = pairs->owner;
    uint32_t *slots = NULL;
    if (pairs->n < UINT32_MAX)
        o->slots = slots = spk_heap_alloc(
            &sc->heap, spk_index_slots(pairs->n) * sizeof *slots, &o->slots_capacity);
    if (!slots) {
        spark_array_free(pairs);
        return spk_failure_nomem(failure, NULL, NULL);
    }
    spk_index_make(&o->index, pair, o->items, pairs->n, slots);
    pairs->n = o->index.n;
    return SPARK_OK;
}

/* ---- numbers */

spark_status spk_numbers_check(
    spark_rdd *rdd, const char *name, spark_site at, const void *place, spk_failure *failure)
{
    char text[100];
    const spark_status status = spk_action_check(rdd, name, at, failure);
    if (status != SPARK_OK)
        return status;
    if (!place)
        return spk_failure_set(failure, SPARK_EINVAL, name, at,
            "%s at %s: there is no place for the result", name, at);
    const spark_kind kind = rdd->layout->type->kind;
    if (kind < SPARK_KIND_I8 || kind > SPARK_KIND_DECIMAL)
        return spk_failure_set(failure, SPARK_ETYPE, name, at, "%s at %s: numbers wanted, %s found",
            name, at, spk_type_name(rdd->layout->type, text, sizeof text));
    return SPARK_OK;
}

#define NUMBERS(T, scale)                                                                          \
    for (size_t i = 0; i < n; i++) {                                                               \
        T x;                                                                                       \
        memcpy(&x, rows + i * sizeof x, sizeof x);                                                 \
        out[i] = (double)x scale;                                                                  \
    }                                                                                              \
    break

void spk_numbers(const spk_layout *layout, const char *rows, size_t n, double *out)
{
    double unit = 1;
    switch (layout->type->kind) {
    case SPARK_KIND_I8:
        NUMBERS(int8_t, );
    case SPARK_KIND_I16:
        NUMBERS(int16_t, );
    case SPARK_KIND_I32:
        NUMBERS(int32_t, );
    case SPARK_KIND_I64:
        NUMBERS(int64_t, );
    case SPARK_KIND_U8:
        NUMBERS(uint8_t, );
    case SPARK_KIND_U16:
        NUMBERS(uint16_t, );
    case SPARK_KIND_U32:
        NUMBERS(uint32_t, );
    case SPARK_KIND_U64:
        NUMBERS(uint64_t, );
    case SPARK_KIND_F32:
        NUMBERS(float, );
    case SPARK_KIND_F64:
        NUMBERS(double, );
    default: /* a decimal */
        for (int i = 0; i < layout->type->scale; i++)
            unit *= 10;
        NUMBERS(int64_t, / unit);
    }
}

spark_status spk_env_check(
    const spk_env *env, const spark_rdd *rdd, const char *name, spark_site at, spk_failure *failure)
{
    if (!env->broadcast || !rdd || rdd->error || env->broadcast->sc == rdd->sc)
        return SPARK_OK;
    return spk_failure_set(failure, SPARK_EINVAL, name, at,
        "%s at %s: the broadcast belongs to another context", name, at);
}

static const spark_type *key_of_ranges(const spark_partitioner *p)
{
    return p->ranges->ordering.layout->key->type; /* of the pairs that were sampled */
}

void spk_verb_target(spk_verb *v, const spark_partitioner *asked, const spk_layout *key)
{
    char text[400];
    if (v->bad || !asked)
        return;
    if (asked->error)
        spk_verb_fail_with(v, asked->error);
    else if (asked->sc != v->sc)
        spk_verb_fail(v, SPARK_EINVAL, "the partitioner belongs to another context");
    else if (asked->kind == SPK_BY_FUNCTION && asked->def.key
        && spk_type_differ(asked->def.key, key->type, text, sizeof text) != SPARK_OK)
        spk_verb_fail(v, SPARK_ETYPE, "partitioner %s: key: %s", asked->def.name, text);
    else if (asked->kind == SPK_BY_DENSE
        && (key->type->kind < SPARK_KIND_I8 || key->type->kind > SPARK_KIND_TIME
            || key->type->kind == SPARK_KIND_F32 || key->type->kind == SPARK_KIND_F64))
        spk_verb_fail(v, SPARK_ETYPE, "a dense partitioner: integer keys wanted, %s found",
            spk_type_name(key->type, text, sizeof text));
    else if (asked->kind == SPK_BY_RANGE
        && spk_type_differ(key_of_ranges(asked), key->type, text, sizeof text) != SPARK_OK)
        spk_verb_fail(v, SPARK_ETYPE, "a range partitioner: key: %s", text);
}

const spark_partitioner *spk_verb_placed(spk_verb *v, size_t i)
{
    const spark_partitioner *placed = NULL;
    spk_failure failure;
    if (!v->bad && spk_rdd_placed(v->parents[i], &placed, &failure) != SPARK_OK)
        spk_verb_fail_with(v, &failure);
    return v->bad ? NULL : placed;
}

spark_status spk_action_begin(spark_rdd *rdd, const char *name, spark_site at,
    const spark_type *want, spark_array *result, spk_failure *failure)
{
    char text[400];
    if (!result)
        return spk_failure_set(failure, SPARK_EINVAL, name, at,
            "%s at %s: there is no place for the result", name, at);
    *result = (spark_array) { NULL, NULL, 0, NULL };
    if (rdd && !rdd->error && want
        && spk_type_differ(want, rdd->layout->type, text, sizeof text) != SPARK_OK)
        return spk_failure_set(
            failure, SPARK_ETYPE, name, at, "%s at %s: result: %s", name, at, text);
    return spk_action_check(rdd, name, at, failure);
}

spark_status spk_action_end(
    spark_status status, spk_failure *failure, const char *name, spark_site at)
{
    if (status == SPARK_OK)
        return SPARK_OK;
    if (!*failure->operation)
        spk_failure_at(failure, name, at);
    return spk_raise(failure);
}
