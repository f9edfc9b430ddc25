/* SPDX-License-Identifier: Apache-2.0 */
/* Result arrays. What an array owns beside its items: the runs its rows point into, and the table of
 * a map. */
#include "rdd/result.h"

#include <stdlib.h>

#include "plan/context.h"
#include "rdd/map_index.h"

typedef struct owner {
    spark_context *sc;
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
        spk_heap *heap = &o->sc->heap;
        for (spk_run *run = o->runs, *next; run; run = next) {
            next = run->next;
            spk_heap_take_back(heap, run, run->capacity);
        }
        spk_heap_take_back(heap, o->items, o->capacity);
        spk_heap_take_back(heap, o->slots, o->slots_capacity);
        free(o);
    }
    if (array)
        *array = (spark_array) { NULL, NULL, 0, NULL };
}

/* own_run: what rows of the result point to. */
static void own_run(owner *o, spk_run *run, spk_heap *heap)
{
    spk_heap_give(heap, run->capacity);
    run->next = o->runs;
    o->runs = run;
}

/* move_memory: what is in memory of a tape, to `to`. */
static char *move_memory(owner *o, spk_tape *tape, char *to)
{
    const size_t size = tape->rows.layout->size;
    const bool views = tape->rows.layout->views != 0;
    spk_heap *heap = tape->rows.heap;
    for (spk_run *run = tape->rows.first, *next; run; run = next) {
        next = run->next;
        memcpy(to, run->rows, run->n * size);
        to += run->n * size;
        if (views)
            own_run(o, run, heap);
        else
            spk_heap_free(heap, run, run->capacity);
    }
    tape->rows.first = tape->rows.last = NULL;
    return to;
}

/* move_rows: the rows of a tape, to *to; what is on disk goes first. */
static spark_status move_rows(owner *o, spk_tape *tape, char **to, spk_failure *failure)
{
    const size_t size = tape->rows.layout->size;
    spk_heap *heap = tape->rows.heap;
    for (size_t i = 0; i < tape->front.n; i++) {
        spk_run *run = spk_disk_rows_read(&tape->front, i, heap, false, failure);
        if (!run)
            return failure->code;
        memcpy(*to, run->rows, run->n * size);
        *to += run->n * size;
        if (tape->rows.layout->views)
            own_run(o, run, heap);
        else
            spk_runs_free(heap, run);
    }
    *to = move_memory(o, tape, *to);
    return SPARK_OK;
}

spark_status spk_result_too_large(
    const spark_context *sc, uint64_t bytes, uint64_t rows, spk_failure *failure)
{
    return spk_failure_set(failure, SPARK_ENOMEM, NULL, NULL,
        "the result is too large: %llu bytes in %llu elements, and perhaps more; "
        "spark_conf.max_result_bytes is %llu%s",
        (unsigned long long)bytes, (unsigned long long)rows,
        (unsigned long long)sc->max_result_bytes,
        sc->max_result_bytes == sc->heap.limit ? ", as memory_bytes" : "");
}

/* start: an array with room for rows. */
static owner *start(spark_context *sc, const spk_layout *layout, uint64_t rows, spk_failure *failure)
{
    owner *o = calloc(1, sizeof *o);
    if (o) {
        o->sc = sc;
        o->items = spk_heap_given(&sc->heap, rows * layout->size + 1, &o->capacity);
    }
    if (o && o->items)
        return o;
    free(o);
    spk_failure_set(failure, SPARK_ENOMEM, NULL, NULL, "out of memory: the result takes %llu bytes",
        (unsigned long long)rows * layout->size);
    return NULL;
}

spark_status spk_result_tapes(spark_context *sc, const spk_layout *layout, spk_tape *tapes, size_t n,
    spark_array *result, spk_failure *failure)
{
    uint64_t rows = 0, bytes = 0;
    owner *o = NULL;
    for (size_t i = 0; i < n; i++) {
        rows += tapes[i].n;
        bytes += tapes[i].bytes;
    }
    spark_status status = sc->max_result_bytes && bytes > sc->max_result_bytes
        ? spk_result_too_large(sc, bytes, rows, failure)
        : SPARK_OK;
    if (status == SPARK_OK && !(o = start(sc, layout, rows, failure)))
        status = failure->code;
    char *to = o ? o->items : NULL;
    for (size_t i = 0; i < n; i++) {
        if (status == SPARK_OK)
            status = move_rows(o, &tapes[i], &to, failure);
        spk_tape_fini(&tapes[i]);
    }
    *result = (spark_array) { layout->type, o ? o->items : NULL, (size_t)rows, o };
    if (status != SPARK_OK)
        spark_array_free(result);
    return status;
}

spark_status spk_result_rows(
    spark_context *sc, spk_rows *list, spark_array *result, spk_failure *failure)
{
    spk_tape tape = { .store = sc->store, .rows = *list, .n = list->n, .bytes = list->bytes };
    return spk_result_tapes(sc, list->layout, &tape, 1, result, failure);
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
    return spk_result_rows(sc, &rows, result, failure);
}

spark_context *spk_result_context(const spark_array *array)
{
    const owner *o = array ? array->owner : NULL;
    return o ? o->sc : NULL;
}

char *spk_result_items(const spark_array *array)
{
    const owner *o = array->owner;
    return o->items;
}

void spk_result_reindex(const spark_array *array)
{
    owner *o = array->owner;
    spk_failure failure;
    if (o->slots) /* it was made before: the layout is there */
        spk_index_make(&o->index, spk_layout_of(o->sc->types, array->type, &failure), o->items, array->n,
            o->slots);
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
        o->slots = slots = spk_heap_given(
            &sc->heap, spk_index_slots(pairs->n) * sizeof *slots, &o->slots_capacity);
    if (!slots) {
        spark_array_free(pairs);
        return spk_failure_nomem(failure, NULL, NULL);
    }
    spk_index_make(&o->index, pair, o->items, pairs->n, slots);
    pairs->n = o->index.n;
    return SPARK_OK;
}
