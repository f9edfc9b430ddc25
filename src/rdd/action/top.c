/* SPDX-License-Identifier: Apache-2.0 */
/* take_ordered and top. Each task keeps its n smallest rows (shuffle/smallest.h) and adds them to
 * those of all tasks once it has them, so that never more than a few times n rows are held, however
 * many partitions there are, and the tasks that come later pass over what is behind n others already.
 * Of equal rows the one that comes first is kept, so the place is the last key. Very many are the
 * first rows of a stable sort, which are the same, and may be spilled. */
#include <stdlib.h>

#include <spark/action.h>
#include <spark/sort.h>

#include "rdd/action.h"
#include "rdd/result.h"
#include "shuffle/smallest.h"

/* MOST_KEPT: sorting 20 M integers takes as long as keeping this many of them, and less for more. */
enum { MOST_KEPT = 256 * 1024 };

typedef struct topping {
    spk_ordering order;
    spk_smallest_by by;
    spk_smallest_shared *all;
} topping;

typedef struct top_state {
    spk_state head;
    spk_smallest kept;
    uint64_t seen;
} top_state;

static bool top_begin(spk_state *state)
{
    const topping *t = state->action->arg;
    spk_smallest_init(&((top_state *)state)->kept, state->task->heap, &t->by);
    return true;
}

static bool top_take(void *state, spk_batch batch)
{
    enum { PIECE = 512 };
    top_state *s = state;
    const topping *t = s->head.action->arg;
    const int partition = s->head.task->partition;
    const size_t size = t->order.layout->size;
    uint64_t prefixes[PIECE];
    spk_smallest_bound(
        &s->kept, atomic_load_explicit(&t->all->bound, memory_order_relaxed));
    for (size_t from = 0, n; from < batch.n; from += n) {
        const char *rows = batch.rows + from * size;
        n = batch.n - from < PIECE ? batch.n - from : PIECE;
        spk_ordering_prefixes(&t->order, rows, size, n, prefixes);
        for (size_t i = 0; i < n; i++)
            if (prefixes[i] <= s->kept.bound
                && !spk_smallest_add(
                    &s->kept, prefixes[i], partition, s->seen + i, rows + i * size)) {
                spk_task_nomem(s->head.task);
                return false;
            }
        s->seen += n;
    }
    return true;
}

static bool top_publish(spk_state *state)
{
    const topping *t = state->action->arg;
    if (spk_smallest_publish(t->all, &((top_state *)state)->kept))
        return true;
    spk_task_nomem(state->task);
    return false;
}

static void top_discard(spk_state *state)
{
    spk_smallest_fini(&((top_state *)state)->kept);
}

static spark_status as_array(
    spark_rdd *rdd, spk_smallest *all, spark_array *result, spk_failure *failure)
{
    spk_rows rows;
    spk_rows_init(&rows, &rdd->sc->heap, rdd->layout);
    bool good = spk_smallest_cut(all);
    for (size_t i = 0; good && i < all->n; i++)
        good = spk_rows_append(&rows, spk_smallest_row(all, i), 1);
    if (good)
        return spk_result_rows(rdd->sc, &rows, result, failure);
    spk_rows_fini(&rows);
    char text[300];
    return spk_failure_set(failure, SPARK_ENOMEM, NULL, NULL, "%s",
        spk_heap_refusal(&rdd->sc->heap, "one more block", 0, text, sizeof text));
}

static spark_status top_run(
    spark_rdd *rdd, const spk_action *action, spark_array *result, spk_failure *failure)
{
    const topping *t = action->arg;
    const int n = t->by.n > 0 ? spk_rdd_partitions(rdd) : 0;
    top_state *parts = calloc((size_t)n + 1, sizeof *parts);
    if (!parts)
        return spk_failure_nomem(failure, action->name, action->site);
    spark_status status = n > 0 ? spk_job_run(rdd, action, NULL, n, parts, failure) : SPARK_OK;
    if (status == SPARK_OK)
        status = as_array(rdd, &t->all->all, result, failure);
    free(parts);
    return status;
}

/* reversed: of an order, with room for its keys. */
static const spark_order *reversed(const spark_order *order, spark_order *to, spark_order_key *keys)
{
    if (!order)
        return spark_order_desc;
    *to = (spark_order) { order->name, order->in, order->n, keys };
    for (size_t i = 0; i < order->n; i++) {
        keys[i] = order->keys[i];
        keys[i].descending = !keys[i].descending;
    }
    return to;
}

/* sort_and_take: order is one that fits. */
static spark_status sort_and_take(spark_site at, const char *name, spark_rdd *rdd, size_t n,
    const spark_order *order, bool largest, spark_array *result, spk_failure *failure)
{
    spark_order other;
    spark_order_key keys[SPK_ORDER_PARTS];
    const spark_order *by = largest ? reversed(order, &other, keys) : order;
    spark_scope *scope = spark_scope_begin(rdd->sc);
    spark_rdd *sorted = spark_sort_by(at, rdd, by, 0);
    const spark_status status = spk_take_as(name, at, sorted, n, NULL, result, failure);
    spark_scope_end(scope);
    return status;
}

static spark_status take_ordered(spark_site at, const char *name, spark_rdd *rdd, size_t n,
    const spark_order *order, bool largest, const spark_type *want, spark_array *result)
{
    spk_failure failure;
    spk_smallest_shared all;
    topping t = { .all = &all };
    spark_status status = spk_action_begin(rdd, name, at, want, result, &failure);
    if (status == SPARK_OK
        && (status = spk_ordering_make(&t.order, rdd->sc->types, rdd->layout, order, &failure))
            != SPARK_OK)
        spk_failure_at(&failure, name, at);
    if (status == SPARK_OK && n > MOST_KEPT) {
        status = sort_and_take(at, name, rdd, n, order, largest, result, &failure);
    } else if (status == SPARK_OK) {
        if (largest)
            spk_ordering_reverse(&t.order);
        t.by = (spk_smallest_by) { rdd->layout, &t.order, n, UINT64_MAX };
        const spk_action action = { .name = name,
            .site = at,
            .state_size = sizeof(top_state),
            .arg = &t,
            .begin = top_begin,
            .take = top_take,
            .publish = top_publish,
            .discard = top_discard };
        spk_smallest_shared_init(&all, &rdd->sc->heap, &t.by);
        status = top_run(rdd, &action, result, &failure);
        spk_smallest_shared_fini(&all);
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
