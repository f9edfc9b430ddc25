/* SPDX-License-Identifier: Apache-2.0 */
/* take_ordered and top: a heap of n for each partition, its largest element on top, and one more
 * for the merge. Of equal elements the one that came first is kept, so the position is the last
 * key. An element whose prefix is beyond that of the top is passed over without a look at the
 * rest. */
#include <stdlib.h>

#include <spark/action.h>

#include "rdd/action.h"
#include "rdd/result.h"

typedef struct topping {
    spk_ordering order;
    size_t n;
} topping;

typedef struct entry {
    uint64_t prefix, position;
    char *row; /* and, behind it, what it points to */
    size_t capacity;
} entry;

typedef struct top_state {
    spk_state head;
    spk_heap *heap;
    entry *entries;
    size_t n, max;
    uint64_t seen;
} top_state;

/* after: whether a stands behind b. */
static bool after(const topping *t, const entry *a, const entry *b)
{
    if (a->prefix != b->prefix)
        return a->prefix > b->prefix;
    const int order = t->order.exact ? 0 : spk_ordering_compare(&t->order, a->row, b->row);
    return order ? order > 0 : a->position > b->position;
}

static void sift_up(const topping *t, entry *at, size_t i)
{
    while (i > 0 && after(t, &at[i], &at[(i - 1) / 2])) {
        const entry e = at[i];
        at[i] = at[(i - 1) / 2];
        at[(i - 1) / 2] = e;
        i = (i - 1) / 2;
    }
}

static void sift_down(const topping *t, entry *at, size_t n, size_t i)
{
    for (;;) {
        size_t largest = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < n; child++)
            if (after(t, &at[child], &at[largest]))
                largest = child;
        if (largest == i)
            return;
        const entry e = at[i];
        at[i] = at[largest];
        at[largest] = e;
        i = largest;
    }
}

/* keep: a copy of the row into the entry's memory, which grows when it must. */
static bool keep(top_state *s, const topping *t, entry *e, const char *row)
{
    const spk_layout *layout = t->order.layout;
    const size_t head = ((size_t)layout->size + 15) / 16 * 16;
    const size_t need = head + spk_value_bytes(layout, row);
    if (need > e->capacity) {
        size_t capacity;
        char *room = spk_heap_alloc(s->heap, need, &capacity);
        if (!room)
            return false;
        spk_heap_free(s->heap, e->row, e->capacity);
        e->row = room;
        e->capacity = capacity;
    }
    memcpy(e->row, row, layout->size);
    spk_value_pack(layout, e->row, e->row + head);
    return true;
}

static bool grow(top_state *s, size_t most)
{
    size_t max = s->max ? s->max * 4 : 64;
    max = max < most ? max : most;
    entry *entries = realloc(s->entries, max * sizeof *entries);
    if (!entries)
        return false;
    memset(entries + s->max, 0, (max - s->max) * sizeof *entries);
    s->entries = entries;
    s->max = max;
    return true;
}

static bool offer(top_state *s, const topping *t, const char *row)
{
    char *borrowed;
    memcpy(&borrowed, &row, sizeof borrowed);
    entry e = { spk_ordering_prefix(&t->order, row), s->seen++, borrowed, 0 };
    if (s->n == t->n) {
        if (e.prefix > s->entries[0].prefix || !after(t, &s->entries[0], &e))
            return true;
        if (!keep(s, t, &s->entries[0], row))
            return false;
        s->entries[0].prefix = e.prefix;
        s->entries[0].position = e.position;
        sift_down(t, s->entries, s->n, 0);
        return true;
    }
    if (s->n == s->max && !grow(s, t->n))
        return false;
    entry *to = &s->entries[s->n];
    if (!keep(s, t, to, row))
        return false;
    to->prefix = e.prefix;
    to->position = e.position;
    sift_up(t, s->entries, s->n++);
    return true;
}

static bool top_begin(spk_state *state)
{
    ((top_state *)state)->heap = state->task->heap;
    return true;
}

static bool top_take(void *state, spk_batch batch)
{
    top_state *s = state;
    const topping *t = s->head.action->arg;
    for (size_t i = 0; i < batch.n; i++)
        if (!offer(s, t, batch.rows + i * t->order.layout->size)) {
            spk_task_nomem(s->head.task);
            return false;
        }
    return true;
}

/* sort: the heap becomes an ascending list. */
static void sort(top_state *s, const topping *t)
{
    for (size_t n = s->n; n > 1; n--) {
        const entry e = s->entries[0];
        s->entries[0] = s->entries[n - 1];
        s->entries[n - 1] = e;
        sift_down(t, s->entries, n - 1, 0);
    }
}

static bool end(spk_state *state)
{
    sort((top_state *)state, state->action->arg);
    return true;
}

static void top_discard(spk_state *state)
{
    top_state *s = (top_state *)state;
    for (size_t i = 0; i < s->max; i++)
        spk_heap_free(s->heap, s->entries[i].row, s->entries[i].capacity);
    free(s->entries);
    s->entries = NULL;
    s->n = s->max = 0;
}

static bool merge(top_state *total, const topping *t, const top_state *parts, int n)
{
    for (int p = 0; p < n; p++)
        for (size_t i = 0; i < parts[p].n; i++)
            if (!offer(total, t, parts[p].entries[i].row))
                return false;
    sort(total, t);
    return true;
}

static spark_status as_array(
    spark_rdd *rdd, top_state *total, spark_array *result, spk_failure *failure)
{
    spk_rows rows;
    spk_rows_init(&rows, &rdd->sc->heap, rdd->layout);
    for (size_t i = 0; i < total->n; i++)
        if (!spk_rows_append(&rows, total->entries[i].row, 1)) {
            spk_rows_fini(&rows);
            return spk_failure_nomem(failure, NULL, NULL);
        }
    return spk_result_rows(rdd->sc, rdd->layout, &rows, 1, result, failure);
}

static spark_status top_run(
    spark_rdd *rdd, const spk_action *action, spark_array *result, spk_failure *failure)
{
    const topping *t = action->arg;
    const int n = t->n > 0 ? spk_rdd_partitions(rdd) : 0;
    top_state *parts = calloc((size_t)n + 1, sizeof *parts);
    if (!parts)
        return spk_failure_nomem(failure, action->name, action->site);
    top_state *total = parts + n;
    total->heap = &rdd->sc->heap;
    spark_status status = n > 0 ? spk_job_run(rdd, action, NULL, n, parts, failure) : SPARK_OK;
    if (status == SPARK_OK) {
        status = merge(total, t, parts, n) ? as_array(rdd, total, result, failure)
                                           : spk_failure_nomem(failure, action->name, action->site);
        for (int i = 0; i < n; i++)
            top_discard(&parts[i].head);
    }
    top_discard(&total->head);
    free(parts);
    return status;
}

static spark_status take_ordered(spark_site at, const char *name, spark_rdd *rdd, size_t n,
    const spark_order *order, bool largest, const spark_type *want, spark_array *result)
{
    spk_failure failure;
    topping t = { .n = n };
    spark_status status = spk_action_begin(rdd, name, at, want, result, &failure);
    if (status == SPARK_OK) {
        status = spk_ordering_make(&t.order, rdd->sc->types, rdd->layout, order, &failure);
        if (status != SPARK_OK) {
            const spk_failure plain = failure;
            spk_failure_set(&failure, status, name, at, "%s at %s: %s", name, at, plain.message);
        }
    }
    if (status == SPARK_OK) {
        if (largest)
            spk_ordering_reverse(&t.order);
        const spk_action action = { .name = name,
            .site = at,
            .state_size = sizeof(top_state),
            .arg = &t,
            .begin = top_begin,
            .take = top_take,
            .end = end,
            .discard = top_discard };
        status = top_run(rdd, &action, result, &failure);
    }
    return spk_action_end(status, &failure, name, at);
}

spark_status spark_take_ordered(spark_site at, spark_rdd *rdd, size_t n, const spark_order *order,
    const spark_type *want, spark_array *result)
{
    return take_ordered(at, "takeOrdered", rdd, n, order, false, want, result);
}

spark_status spark_top(spark_site at, spark_rdd *rdd, size_t n, const spark_order *order,
    const spark_type *want, spark_array *result)
{
    return take_ordered(at, "top", rdd, n, order, true, want, result);
}

/* extreme: the first of an order, which must be there. */
static spark_status extreme(spark_site at, const char *name, spark_rdd *rdd,
    const spark_order *order, bool largest, const spark_type *want, spark_array *result)
{
    spk_failure failure;
    const spark_status status = take_ordered(at, name, rdd, 1, order, largest, want, result);
    if (status != SPARK_OK || result->n > 0)
        return status;
    spark_array_free(result);
    spk_failure_set(&failure, SPARK_EEMPTY, name, at, "%s at %s: empty collection", name, at);
    return spk_raise(&failure);
}

spark_status spark_max(spark_site at, spark_rdd *rdd, const spark_order *order,
    const spark_type *want, spark_array *result)
{
    return extreme(at, "max", rdd, order, true, want, result);
}

spark_status spark_min(spark_site at, spark_rdd *rdd, const spark_order *order,
    const spark_type *want, spark_array *result)
{
    return extreme(at, "min", rdd, order, false, want, result);
}
