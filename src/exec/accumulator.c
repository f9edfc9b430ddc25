/* SPDX-License-Identifier: Apache-2.0 */
/* Integers are merged at once, for their sum does not depend on the order. Floating point sums do:
 * they are kept as parts of (job, stage, partition) and added in that order whenever the value is
 * read, so that the threads cannot be seen in it. */
#include "exec/accumulator.h"

#include <stdlib.h>

static void release(spk_object *object)
{
    spark_accumulator *accumulator = (spark_accumulator *)(void *)object;
    pthread_mutex_destroy(&accumulator->lock);
    free(accumulator->parts);
    free(accumulator->name);
    free(accumulator);
}

static const spark_accumulator *make(
    spark_site at, spark_context *sc, const char *name, bool is_float)
{
    if (!sc)
        sc = spk_context_none();
    if (sc->error.code != SPARK_OK)
        return spk_raise(&sc->error), NULL;
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
    accumulator->is_float = is_float;
    accumulator->sc = sc;
    pthread_mutex_init(&accumulator->lock, NULL);
    spk_scope_add(sc, &accumulator->object, release);
    return accumulator;
}

const spark_accumulator *spark_counter(spark_site at, spark_context *sc, const char *name)
{
    return make(at, sc, name, false);
}

const spark_accumulator *spark_float_counter(spark_site at, spark_context *sc, const char *name)
{
    return make(at, sc, name, true);
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
    if (!a->is_float)
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
    *delta = (spk_delta) { accumulator, 0, 0 };
    return delta;
}

void spark_accumulate(spark_task *task, const spark_accumulator *accumulator, int64_t by)
{
    spk_delta *delta = accumulator && task ? delta_of(task, accumulator) : NULL;
    if (!delta)
        return;
    delta->i64 = (int64_t)((uint64_t)delta->i64 + (uint64_t)by);
    delta->f64 += (double)by;
}

void spark_accumulate_f64(spark_task *task, const spark_accumulator *accumulator, double by)
{
    spk_delta *delta = accumulator && task ? delta_of(task, accumulator) : NULL;
    if (!delta)
        return;
    delta->f64 += by;
    delta->i64 += (int64_t)by;
}

static void add_part(spark_accumulator *a, const spark_task *task, double sum)
{
    pthread_mutex_lock(&a->lock);
    a->parts[a->n_parts]
        = (spk_part_sum) { task->job, task->stage, task->partition, (uint32_t)a->n_parts, sum };
    a->n_parts++;
    a->reserved--;
    pthread_mutex_unlock(&a->lock);
}

void spk_task_merge_deltas(spark_task *task, size_t from)
{
    for (size_t i = from; i < task->n_deltas; i++) {
        const spk_delta *delta = &task->deltas[i];
        spark_accumulator *a = writable(delta->accumulator);
        if (a->is_float)
            add_part(a, task, delta->f64);
        else
            atomic_fetch_add_explicit(&a->i64, delta->i64, memory_order_relaxed);
    }
    task->n_deltas = from;
}

void spk_task_drop_deltas(spark_task *task, size_t from)
{
    for (size_t i = from; i < task->n_deltas; i++) {
        spark_accumulator *a = writable(task->deltas[i].accumulator);
        if (!a->is_float)
            continue;
        pthread_mutex_lock(&a->lock);
        a->reserved--;
        pthread_mutex_unlock(&a->lock);
    }
    task->n_deltas = from;
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

double spark_accumulator_f64(const spark_accumulator *accumulator)
{
    if (!accumulator)
        return 0;
    spark_accumulator *a = writable(accumulator);
    if (!a->is_float)
        return (double)atomic_load(&a->i64);
    pthread_mutex_lock(&a->lock);
    if (a->n_parts > 1)
        qsort(a->parts, a->n_parts, sizeof *a->parts, compare_parts);
    double sum = a->f64;
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
    return a->is_float ? (int64_t)spark_accumulator_f64(accumulator) : atomic_load(&a->i64);
}
