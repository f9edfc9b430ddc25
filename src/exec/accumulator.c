/* SPDX-License-Identifier: Apache-2.0 */
/* Integers are merged at once, for their sum does not depend on the order. Floating point sums do:
 * they are kept as parts of (job, stage, partition, step) and added in that order; so are collections
 * and accumulators of the user's, so that the threads cannot be seen in it. When a value is read, parts
 * of jobs that have ended are folded, in order: nothing can come before them any more, so reading
 * costs what has come since, and gives the bits that adding all parts at once would. What the driver
 * adds is folded apart, since it stands before all jobs. */
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

spk_gathered *spk_gathered_copy(const spark_accumulator *a, const spk_gathered *from)
{
    spk_gathered *g = spk_gathered_new(a);
    if (!g || !from)
        return g;
    memcpy(g->acc, from->acc, a->layout->size);
    if (spk_gathered_own(g, a->layout))
        return g;
    spk_gathered_free(g);
    return NULL;
}

/* ---- accumulators */

static spark_accumulator *writable(const spark_accumulator *accumulator)
{
    spark_accumulator *p;
    memcpy(&p, &accumulator, sizeof p);
    return p;
}

static void accumulator_release(spk_object *object)
{
    spark_accumulator *accumulator = (spark_accumulator *)(void *)object;
    pthread_mutex_destroy(&accumulator->lock);
    for (size_t i = 0; i < accumulator->n_parts; i++)
        spk_gathered_free(accumulator->parts[i].gathered);
    spk_gathered_free(accumulator->folded[0]);
    spk_gathered_free(accumulator->folded[1]);
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
    accumulator->id = 1 + atomic_fetch_add(&sc->next_accumulator, 1);
    pthread_mutex_init(&accumulator->lock, NULL);
    spk_scope_add(sc, &accumulator->object, accumulator_release);
    return accumulator;
}

/* undo, give_up: an accumulator that could not be completed. */
static spark_accumulator *undo(spark_accumulator *a, const spk_failure *failure)
{
    if (spk_scope_take(&a->object))
        accumulator_release(&a->object);
    return spk_raise(failure), NULL;
}

static spark_accumulator *give_up(spark_accumulator *a, spark_site at)
{
    spk_failure failure;
    spk_failure_nomem(&failure, "accumulator", at);
    return undo(a, &failure);
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
    if (!a)
        return NULL;
    a->layout = a->in = layout;
    for (int i = 0; kind == SPK_COLLECTION && i < 2; i++)
        if (!(a->folded[i] = spk_gathered_new(a)))
            return give_up(a, at);
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
    if (!add || !combine || !add->run || !combine->run || spk_env_bytes(add->env_size)
        || spk_env_bytes(combine->env_size)
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
    if (add->in && !a->in)
        return undo(a, &failure);
    return keep_zero(a, zero) ? a : give_up(a, at);
}

const spark_accumulator *spark_counter(spark_site at, spark_context *sc, const char *name)
{
    return make(at, sc, name, SPK_SUM_I64);
}

const spark_accumulator *spark_float_counter(spark_site at, spark_context *sc, const char *name)
{
    return make(at, sc, name, SPK_SUM_F64);
}

const spark_accumulator *spark_accumulator_once(const spark_accumulator *accumulator)
{
    if (accumulator)
        writable(accumulator)->once = true;
    return accumulator;
}

const char *spark_accumulator_name(const spark_accumulator *accumulator)
{
    return accumulator ? accumulator->name : "";
}

/* ---- parts, with the lock held unless it says otherwise */

static int compare_parts(const void *left, const void *right)
{
    const spk_part_sum *a = left, *b = right;
    if (a->job != b->job)
        return a->job < b->job ? -1 : 1;
    if (a->stage != b->stage)
        return a->stage < b->stage ? -1 : 1;
    if (a->partition != b->partition)
        return a->partition < b->partition ? -1 : 1;
    if (a->step != b->step)
        return a->step < b->step ? -1 : 1;
    if (a->role != b->role)
        return a->role < b->role ? -1 : 1;
    return a->serial < b->serial ? -1 : a->serial > b->serial;
}

/* splice: the runs of a part behind those of another; nobody reads either. */
static void splice(spk_rows *to, spk_rows *from)
{
    if (!from->first)
        return;
    if (to->last)
        to->last->next = from->first;
    else
        to->first = from->first;
    to->last = from->last;
    to->row_end = from->row_end;
    to->tail = from->tail;
    to->n += from->n;
    to->bytes += from->bytes;
    spk_rows_init(from, from->heap, from->layout);
}

size_t spk_accumulator_settle(spark_accumulator *a)
{
    const int oldest = atomic_load_explicit(&a->sc->oldest_job, memory_order_acquire);
    size_t ended = 0;
    if (a->n_parts > 1)
        qsort(a->parts, a->n_parts, sizeof *a->parts, compare_parts);
    while (ended < a->n_parts && a->parts[ended].job < oldest)
        ended++;
    if (a->kind == SPK_OF_USER || (a->kind == SPK_COLLECTION && a->readers > 0))
        return ended;
    for (size_t i = 0; i < ended; i++) {
        spk_part_sum *part = &a->parts[i];
        a->sum += part->sum;
        if (part->gathered)
            splice(&a->folded[part->job != SPK_DRIVER_JOB]->rows, &part->gathered->rows);
        spk_gathered_free(part->gathered);
    }
    spk_accumulator_forget(a, ended);
    return 0;
}

void spk_accumulator_forget(spark_accumulator *a, size_t n)
{
    a->n_parts -= n;
    if (n > 0 && a->n_parts > 0)
        memmove(a->parts, a->parts + n, a->n_parts * sizeof *a->parts);
}

/* make_room: twice as much, unless enough of the parts are of jobs that have ended. */
static bool make_room(spark_accumulator *a)
{
    if (a->kind == SPK_SUM_F64)
        spk_accumulator_settle(a);
    if (a->n_parts + a->reserved < a->max_parts / 2)
        return true;
    const size_t most = a->max_parts ? a->max_parts * 2 : 16;
    spk_part_sum *parts = realloc(a->parts, most * sizeof *parts);
    if (!parts)
        return false;
    a->parts = parts;
    a->max_parts = most;
    return true;
}

bool spk_accumulator_reserve(spark_accumulator *a)
{
    if (a->kind == SPK_SUM_I64)
        return true;
    pthread_mutex_lock(&a->lock);
    const bool good = a->n_parts + a->reserved < a->max_parts || make_room(a);
    a->reserved += good;
    pthread_mutex_unlock(&a->lock);
    return good;
}

void spk_accumulator_unreserve(spark_accumulator *a)
{
    if (a->kind == SPK_SUM_I64)
        return;
    pthread_mutex_lock(&a->lock);
    a->reserved--;
    pthread_mutex_unlock(&a->lock);
}

void spk_accumulator_add_part(spark_accumulator *a, const spk_part_sum *part)
{
    pthread_mutex_lock(&a->lock);
    a->reserved--;
    if (a->kind == SPK_SUM_F64 && part->job == SPK_DRIVER_JOB) {
        a->driver += part->sum;
    } else {
        a->parts[a->n_parts] = *part;
        a->parts[a->n_parts++].serial = a->serial++;
    }
    pthread_mutex_unlock(&a->lock);
}

/* ---- what the program reads */

void spark_accumulator_reset(const spark_accumulator *accumulator)
{
    if (!accumulator)
        return;
    spark_accumulator *a = writable(accumulator);
    pthread_mutex_lock(&a->lock);
    for (size_t i = 0; i < a->n_parts; i++)
        spk_gathered_free(a->parts[i].gathered);
    a->n_parts = 0;
    for (int i = 0; i < 2; i++) {
        if (a->folded[i])
            spk_rows_fini(&a->folded[i]->rows);
        if (a->kind == SPK_OF_USER) {
            spk_gathered_free(a->folded[i]);
            a->folded[i] = NULL;
        }
    }
    a->sum = a->driver = 0;
    a->id = 1 + atomic_fetch_add(&a->sc->next_accumulator, 1); /* partitions count again */
    atomic_store(&a->i64, 0);
    atomic_store(&a->n, 0);
    pthread_mutex_unlock(&a->lock);
}

int64_t spark_accumulator_count(const spark_accumulator *accumulator)
{
    return accumulator ? atomic_load(&writable(accumulator)->n) : 0;
}

double spark_accumulator_f64(const spark_accumulator *accumulator)
{
    if (!accumulator)
        return 0;
    spark_accumulator *a = writable(accumulator);
    if (a->kind != SPK_SUM_F64)
        return (double)atomic_load(&a->i64);
    pthread_mutex_lock(&a->lock);
    spk_accumulator_settle(a);
    double sum = a->sum;
    for (size_t i = 0; i < a->n_parts; i++)
        sum += a->parts[i].sum;
    sum += a->driver;
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
