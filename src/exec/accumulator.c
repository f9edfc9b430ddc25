/* SPDX-License-Identifier: Apache-2.0 */
/* Integers are merged at once, for their sum does not depend on the order. Floating point sums do:
 * they are kept as parts of (job, stage, partition) and added in that order whenever the value is
 * read; so are collections and accumulators of the user's, so that the threads cannot be seen in it. */
#include "exec/accumulator.h"

#include <stdlib.h>

/* ---- what is gathered */

void spk_gathered_free(spk_gathered *g)
{
    if (!g)
        return;
    spk_rows_fini(&g->rows);
    spk_heap_free(g->views[0].heap, g->acc, g->capacity);
    spk_arena_fini(&g->views[0]);
    spk_arena_fini(&g->views[1]);
    free(g);
}

spk_gathered *spk_gathered_new(const spark_accumulator *a)
{
    spk_heap *heap = &a->sc->heap;
    spk_gathered *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    spk_rows_init(&g->rows, heap, a->layout);
    spk_arena_init(&g->views[0], heap);
    spk_arena_init(&g->views[1], heap);
    if (a->kind != SPK_OF_USER)
        return g;
    g->acc = spk_heap_alloc(heap, a->layout->size, &g->capacity);
    if (!g->acc) {
        spk_gathered_free(g);
        return NULL;
    }
    memcpy(g->acc, a->zero, a->layout->size);
    return g;
}

bool spk_gathered_own(spk_gathered *g, const spk_layout *layout)
{
    if (!layout->views)
        return true;
    char *room = spk_arena_alloc(&g->views[!g->current], spk_value_bytes(layout, g->acc) + 1, 16);
    if (!room)
        return false;
    spk_value_pack(layout, g->acc, room);
    spk_arena_reset(&g->views[g->current]);
    g->current = !g->current;
    return true;
}

/* ---- accumulators */

static void accumulator_release(spk_object *object)
{
    spark_accumulator *accumulator = (spark_accumulator *)(void *)object;
    pthread_mutex_destroy(&accumulator->lock);
    for (size_t i = 0; i < accumulator->n_parts; i++)
        spk_gathered_free(accumulator->parts[i].gathered);
    spk_heap_free(&accumulator->sc->heap, accumulator->zero, accumulator->zero_capacity);
    free(accumulator->parts);
    free(accumulator->name);
    free(accumulator);
}

static spark_accumulator *make(
    spark_site at, spark_context *sc, const char *name, spk_accumulator_kind kind)
{
    if (!sc)
        sc = spk_context_none();
    if (sc->error)
        return spk_raise(sc->error), NULL;
    const size_t length = name ? strlen(name) : 0;
    spark_accumulator *accumulator = calloc(1, sizeof *accumulator);
    if (accumulator)
        accumulator->name = malloc(length + 1);
    if (!accumulator || !accumulator->name) {
        spk_failure failure;
        free(accumulator);
        spk_failure_nomem(&failure, "accumulator", at);
        return spk_raise(&failure), NULL;
    }
    memcpy(accumulator->name, name ? name : "", length);
    accumulator->name[length] = 0;
    accumulator->kind = kind;
    accumulator->sc = sc;
    pthread_mutex_init(&accumulator->lock, NULL);
    spk_scope_add(sc, &accumulator->object, accumulator_release);
    return accumulator;
}

/* of_values: of elements or accumulators of a type. */
static spark_accumulator *of_values(spark_site at, spark_context *sc, const spark_type *type,
    const char *name, spk_accumulator_kind kind)
{
    spk_failure failure;
    const spk_layout *layout = NULL;
    if (sc && !sc->error && !type)
        return spk_raisef(SPARK_EINVAL, "accumulator", at, "accumulator at %s: no type", at), NULL;
    if (sc && !sc->error && !(layout = spk_layout_for(sc, type, &failure)))
        return spk_raise(&failure), NULL;
    spark_accumulator *a = make(at, sc, name, kind);
    if (a)
        a->layout = a->in = layout;
    return a;
}

const spark_accumulator *spark_collection(
    spark_site at, spark_context *sc, const spark_type *type, const char *name)
{
    return of_values(at, sc, type, name, SPK_COLLECTION);
}

/* keep_zero: a deep copy of the zero; NULL: all bytes zero. */
static bool keep_zero(spark_accumulator *a, const void *zero)
{
    const size_t head = ((size_t)a->layout->size + 63) / 64 * 64;
    a->zero = spk_heap_alloc(
        &a->sc->heap, head + (zero ? spk_value_bytes(a->layout, zero) : 0), &a->zero_capacity);
    if (!a->zero)
        return false;
    memset(a->zero, 0, a->layout->size);
    if (zero) {
        memcpy(a->zero, zero, a->layout->size);
        spk_value_pack(a->layout, a->zero, a->zero + head);
    }
    return true;
}

const spark_accumulator *spark_accumulator_new(spark_site at, spark_context *sc,
    const spark_type *type, const void *zero, const spark_merge_def *add,
    const spark_merge_def *combine, const char *name)
{
    spk_failure failure;
    char text[400];
    if (!add || !combine || !add->run || !combine->run || add->env_size || combine->env_size
        || (sc && type && add->acc && spk_type_differ(add->acc, type, text, sizeof text))
        || (sc && type && combine->acc && spk_type_differ(combine->acc, type, text, sizeof text))
        || (sc && type && combine->in && spk_type_differ(combine->in, type, text, sizeof text))) {
        spk_raisef(SPARK_EINVAL, "accumulator", at,
            "accumulator at %s: a function is missing, wants an environment or other types", at);
        return NULL;
    }
    spark_accumulator *a = of_values(at, sc, type, name, SPK_OF_USER);
    if (!a)
        return NULL;
    a->add = *add;
    a->combine = *combine;
    a->in = add->in ? spk_layout_for(sc, add->in, &failure) : NULL;
    if ((add->in && !a->in) || !keep_zero(a, zero)) {
        if (a->in || !add->in)
            spk_failure_nomem(&failure, "accumulator", at);
        if (spk_scope_take(&a->object))
            accumulator_release(&a->object);
        return spk_raise(&failure), NULL;
    }
    return a;
}

const spark_accumulator *spark_counter(spark_site at, spark_context *sc, const char *name)
{
    return make(at, sc, name, SPK_SUM_I64);
}

const spark_accumulator *spark_float_counter(spark_site at, spark_context *sc, const char *name)
{
    return make(at, sc, name, SPK_SUM_F64);
}

const char *spark_accumulator_name(const spark_accumulator *accumulator)
{
    return accumulator ? accumulator->name : "";
}

static spark_accumulator *writable(const spark_accumulator *accumulator)
{
    spark_accumulator *p;
    memcpy(&p, &accumulator, sizeof p);
    return p;
}

/* reserve: room for one part, so that merging, which comes after publishing, cannot fail. */
static bool reserve(spark_accumulator *a)
{
    bool good = true;
    if (a->kind == SPK_SUM_I64)
        return true;
    pthread_mutex_lock(&a->lock);
    if (a->n_parts + a->reserved == a->max_parts) {
        const size_t most = a->max_parts ? a->max_parts * 2 : 16;
        spk_part_sum *parts = realloc(a->parts, most * sizeof *parts);
        good = parts != NULL;
        if (good) {
            a->parts = parts;
            a->max_parts = most;
        }
    }
    a->reserved += good;
    pthread_mutex_unlock(&a->lock);
    return good;
}

static spk_delta *delta_of(spark_task *task, const spark_accumulator *accumulator)
{
    for (size_t i = task->n_deltas; i-- > task->delta_floor;)
        if (task->deltas[i].accumulator == accumulator)
            return &task->deltas[i];
    if (task->n_deltas == task->max_deltas) {
        const size_t most = task->max_deltas ? task->max_deltas * 2 : 8;
        spk_delta *deltas = realloc(task->deltas, most * sizeof *deltas);
        if (!deltas) {
            spk_task_nomem(task);
            return NULL;
        }
        task->deltas = deltas;
        task->max_deltas = most;
    }
    if (!reserve(writable(accumulator))) {
        spk_task_nomem(task);
        return NULL;
    }
    spk_delta *delta = &task->deltas[task->n_deltas++];
    *delta = (spk_delta) { .accumulator = accumulator };
    return delta;
}

static void add(spark_task *task, const spark_accumulator *a, int64_t i64, double f64)
{
    spk_delta *delta = delta_of(task, a);
    if (!delta)
        return;
    delta->n++;
    delta->i64 = (int64_t)((uint64_t)delta->i64 + (uint64_t)i64);
    delta->f64 += f64;
}

/* gather: one value for an accumulator of values. False: no memory. */
static bool gather(spark_task *task, spk_delta *delta, const void *value)
{
    const spark_accumulator *a = delta->accumulator;
    if (!delta->gathered && !(delta->gathered = spk_gathered_new(a)))
        return false;
    spk_gathered *g = delta->gathered;
    if (a->kind == SPK_COLLECTION)
        return spk_rows_append(&g->rows, value, 1);
    void *acc = g->acc;
    a->add.run(task, 1, &acc, value, a->in ? a->in->size : 0, NULL);
    return spk_gathered_own(g, a->layout);
}

static void add_value(
    spark_task *task, const spark_accumulator *a, const spark_type *type, const void *value)
{
    char text[400];
    if (spk_task_failed(task))
        return;
    if (a->kind != SPK_COLLECTION && a->kind != SPK_OF_USER) {
        spk_task_fail(task, SPARK_ETYPE, "accumulator \"%s\" is a sum", a->name);
        return;
    }
    if (a->in && type != a->in->type
        && spk_type_differ(a->in->type, type, text, sizeof text) != SPARK_OK) {
        spk_task_fail(task, SPARK_ETYPE, "accumulator \"%s\": %s", a->name, text);
        return;
    }
    spk_delta *delta = delta_of(task, a);
    if (delta && gather(task, delta, value))
        delta->n++;
    else if (delta)
        spk_task_nomem(task);
}

static void add_part(spark_accumulator *a, const spark_task *task, const spk_delta *delta)
{
    pthread_mutex_lock(&a->lock);
    a->parts[a->n_parts] = (spk_part_sum) { task->job, task->stage, task->partition,
        (uint32_t)a->n_parts, delta->f64, delta->gathered };
    a->n_parts++;
    a->reserved--;
    pthread_mutex_unlock(&a->lock);
}

void spk_task_merge_deltas(spark_task *task, size_t from)
{
    for (size_t i = from; i < task->n_deltas; i++) {
        const spk_delta *delta = &task->deltas[i];
        spark_accumulator *a = writable(delta->accumulator);
        atomic_fetch_add_explicit(&a->n, delta->n, memory_order_relaxed);
        if (a->kind == SPK_SUM_I64)
            atomic_fetch_add_explicit(&a->i64, delta->i64, memory_order_relaxed);
        else
            add_part(a, task, delta);
    }
    task->n_deltas = from;
}

void spk_task_drop_deltas(spark_task *task, size_t from)
{
    for (size_t i = from; i < task->n_deltas; i++) {
        spark_accumulator *a = writable(task->deltas[i].accumulator);
        spk_gathered_free(task->deltas[i].gathered);
        if (a->kind == SPK_SUM_I64)
            continue;
        pthread_mutex_lock(&a->lock);
        a->reserved--;
        pthread_mutex_unlock(&a->lock);
    }
    task->n_deltas = from;
}

/* on_driver: an addition without a task: a task of its own, which counts at once, before all others.
 */
static void on_driver(
    const spark_accumulator *a, int64_t i64, double f64, const spark_type *type, const void *value)
{
    spk_failure failure;
    spark_task *task = spk_task_new(a->sc);
    if (!task) {
        spk_failure_nomem(&failure, "accumulator", NULL);
        spk_raise(&failure);
        return;
    }
    spk_task_begin(task, -1, -1, -1, 0);
    spk_task_end_is(task, "accumulator", a->name, NULL);
    if (value)
        add_value(task, a, type, value);
    else
        add(task, a, i64, f64);
    if (spk_task_failed(task)) {
        spk_task_drop_deltas(task, 0);
        spk_raise(&task->failure);
    } else {
        spk_task_merge_deltas(task, 0);
    }
    spk_task_end(task);
    spk_task_free(task);
}

void spark_accumulate(spark_task *task, const spark_accumulator *a, int64_t by)
{
    if (a && task)
        add(task, a, by, (double)by);
    else if (a)
        on_driver(a, by, (double)by, NULL, NULL);
}

void spark_accumulate_f64(spark_task *task, const spark_accumulator *a, double by)
{
    if (a && task)
        add(task, a, (int64_t)by, by);
    else if (a)
        on_driver(a, (int64_t)by, by, NULL, NULL);
}

void spark_accumulate_value(
    spark_task *task, const spark_accumulator *a, const spark_type *type, const void *value)
{
    if (a && task && value)
        add_value(task, a, type, value);
    else if (a && value)
        on_driver(a, 0, 0, type, value);
}

void spark_accumulator_reset(const spark_accumulator *accumulator)
{
    if (!accumulator)
        return;
    spark_accumulator *a = writable(accumulator);
    pthread_mutex_lock(&a->lock);
    for (size_t i = 0; i < a->n_parts; i++)
        spk_gathered_free(a->parts[i].gathered);
    a->n_parts = 0;
    atomic_store(&a->i64, 0);
    atomic_store(&a->n, 0);
    pthread_mutex_unlock(&a->lock);
}

int64_t spark_accumulator_count(const spark_accumulator *accumulator)
{
    return accumulator ? atomic_load(&writable(accumulator)->n) : 0;
}

static int compare_parts(const void *left, const void *right)
{
    const spk_part_sum *a = left, *b = right;
    if (a->job != b->job)
        return a->job < b->job ? -1 : 1;
    if (a->stage != b->stage)
        return a->stage < b->stage ? -1 : 1;
    if (a->partition != b->partition)
        return a->partition < b->partition ? -1 : 1;
    return a->serial < b->serial ? -1 : a->serial > b->serial;
}

void spk_accumulator_sort(spark_accumulator *a)
{
    if (a->n_parts > 1)
        qsort(a->parts, a->n_parts, sizeof *a->parts, compare_parts);
}

double spark_accumulator_f64(const spark_accumulator *accumulator)
{
    if (!accumulator)
        return 0;
    spark_accumulator *a = writable(accumulator);
    if (a->kind != SPK_SUM_F64)
        return (double)atomic_load(&a->i64);
    pthread_mutex_lock(&a->lock);
    spk_accumulator_sort(a);
    double sum = 0;
    for (size_t i = 0; i < a->n_parts; i++)
        sum += a->parts[i].sum;
    pthread_mutex_unlock(&a->lock);
    return sum;
}

int64_t spark_accumulator_value(const spark_accumulator *accumulator)
{
    if (!accumulator)
        return 0;
    spark_accumulator *a = writable(accumulator);
    return a->kind == SPK_SUM_F64 ? (int64_t)spark_accumulator_f64(accumulator)
                                  : atomic_load(&a->i64);
}
