/* SPDX-License-Identifier: Apache-2.0 */
/* Result arrays. What an array owns beside its items: the runs its rows point into, and the table of
 * a map. */
#include "rdd/result.h"

#include <stdlib.h>

#include "plan/context.h"
#include "rdd/map_index.h"

/* kept: runs of one executor. */
typedef struct kept {
    spk_heap *heap;
    spk_run *runs;
} kept;

typedef struct owner {
    spark_context *sc;
    void *items;
    size_t capacity;
    kept *kept; /* for each executor that has computed some */
    size_t n_kept;
    spark_index index;
    void *slots;
    size_t slots_capacity;
} owner;

void spark_array_free(spark_array *array)
{
    owner *o = array ? array->owner : NULL;
    if (o) {
        spk_heap *heap = &o->sc->heap;
        for (size_t i = 0; i < o->n_kept; i++)
            spk_runs_free(o->kept[i].heap, o->kept[i].runs);
        free(o->kept);
        spk_heap_free(heap, o->items, o->capacity);
        spk_heap_free(heap, o->slots, o->slots_capacity);
        free(o);
    }
    if (array)
        *array = (spark_array) { NULL, NULL, 0, NULL };
}

/* kept_of: where runs of a heap are kept. NULL: no memory. */
static kept *kept_of(owner *o, spk_heap *heap)
{
    for (size_t i = 0; i < o->n_kept; i++)
        if (o->kept[i].heap == heap)
            return &o->kept[i];
    kept *more = realloc(o->kept, (o->n_kept + 1) * sizeof *more);
    if (!more)
        return NULL;
    o->kept = more;
    more[o->n_kept] = (kept) { heap, NULL };
    return &more[o->n_kept++];
}

/* move_rows: the rows of a list to *to; its runs stay for what the rows point to, else they go. False:
 * no memory. */
static bool move_rows(owner *o, spk_rows *list, char **to)
{
    const size_t size = list->layout->size;
    const bool keep = list->layout->views && list->last;
    kept *k = keep ? kept_of(o, list->heap) : NULL;
    for (const spk_run *run = list->first; run; run = run->next) {
        memcpy(*to, run->rows, run->n * size);
        *to += run->n * size;
    }
    if (k) {
        list->last->next = k->runs;
        k->runs = list->first;
        list->first = list->last = NULL;
    }
    spk_rows_fini(list);
    return k || !keep;
}

spark_status spk_result_rows(spark_context *sc, const spk_layout *layout, spk_rows *lists, size_t n,
    spark_array *result, spk_failure *failure)
{
    uint64_t rows = 0;
    for (size_t i = 0; i < n; i++)
        rows += lists[i].n;
    owner *o = calloc(1, sizeof *o);
    if (o) {
        o->sc = sc;
        o->items = spk_heap_alloc(&sc->heap, rows * layout->size + 1, &o->capacity);
    }
    if (!o || !o->items) {
        free(o);
        for (size_t i = 0; i < n; i++)
            spk_rows_fini(&lists[i]);
        return spk_failure_nomem(failure, NULL, NULL);
    }
    char *to = o->items;
    bool good = true;
    for (size_t i = 0; i < n; i++)
        good = move_rows(o, &lists[i], &to) && good;
    *result = (spark_array) { layout->type, o->items, (size_t)rows, o };
    if (good)
        return SPARK_OK;
    spark_array_free(result);
    return spk_failure_nomem(failure, NULL, NULL);
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
