/* SPDX-License-Identifier: Apache-2.0 */
/* filter_by_range: a filter by the natural order of keys; where a sort has placed the pairs by that
 * order, only the partitions that can have such keys are looked at. */
#include <spark/sort.h>

#include "plan/partitioner.h"
#include "rdd/narrow.h"
#include "rdd/verb.h"
#include "shuffle/ranges.h"

/* prune: the partitions between those of two keys, whichever of them comes first. */
static spark_rdd *prune(spark_site at, spark_rdd *rdd, const void *low, const void *high)
{
    const spk_ranges *ranges = rdd->partitioner->ranges;
    const size_t size = rdd->layout->key->size;
    uint32_t from, to;
    spk_ranges_find(ranges, low, size, 1, &from);
    spk_ranges_find(ranges, high, size, 1, &to);
    from /= ranges->slices;
    to /= ranges->slices;
    return spk_prune("filterByRange", at, rdd, (int)(from < to ? from : to),
        (int)(from < to ? to - from : from - to) + 1);
}

/* ---- filtering */

typedef struct range_rdd {
    spark_rdd rdd;
    const spk_layout *key;
    char *low, *high;
    size_t low_capacity, high_capacity;
} range_rdd;

static void filter_by_range_run(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const range_rdd *r = SPK_NODE(range_rdd, op->rdd);
    const size_t size = op->rdd->layout->size;
    const spk_batch in = *batch;
    char *to = batch->rows = spk_pipe_alloc(pipe, in.n * size + 1);
    batch->n = 0;
    for (size_t i = 0; to && i < in.n; i++) {
        const char *row = in.rows + i * size;
        if (spk_value_compare(r->key, row, r->low) >= 0
            && spk_value_compare(r->key, row, r->high) <= 0)
            memcpy(to + batch->n++ * size, row, size);
    }
}

static void filter_by_range_release(spark_rdd *rdd)
{
    range_rdd *r = SPK_NODE(range_rdd, rdd);
    spk_heap_free(&rdd->sc->heap, r->low, r->low_capacity);
    spk_heap_free(&rdd->sc->heap, r->high, r->high_capacity);
}

/* by_natural_order: whether the ranges are those of the keys' own order, in either direction. */
static bool by_natural_order(const spk_ranges *ranges, const spk_layout *key, spk_verb *v)
{
    const spark_order *const directions[] = { NULL, spark_order_desc };
    spk_failure failure;
    for (int i = 0; i < 2; i++) {
        spk_ranges natural = { .n = 0 };
        if (spk_ordering_make(&natural.ordering, v->sc->types, key, directions[i], &failure)
                == SPARK_OK
            && spk_ranges_same_order(ranges, &natural))
            return true;
    }
    return false;
}

spark_rdd *spark_filter_by_range(spark_site at, spark_rdd *rdd, const spark_type *low_type,
    const void *low, const spark_type *high_type, const void *high)
{
    static const spk_class class = {
        .name = "MapPartitionsRDD", .run = filter_by_range_run, .release = filter_by_range_release
    };
    spk_verb v;
    spk_failure failure;
    char text[400];
    bool made;
    spk_verb_begin(&v, at, "filterByRange", NULL, 1, &rdd, NULL);
    spk_verb_pairs(&v, v.in);
    const spk_layout *key = v.bad ? NULL : v.in->key;
    if (!v.bad && (!low || !high))
        spk_verb_fail(&v, SPARK_EINVAL, "a key is NULL");
    if (!v.bad
        && (spk_type_differ(low_type, key->type, text, sizeof text) != SPARK_OK
            || spk_type_differ(high_type, key->type, text, sizeof text) != SPARK_OK))
        spk_verb_fail(&v, SPARK_ETYPE, "key: %s", text);
    const spark_partitioner *placed = spk_verb_placed(&v, 0);
    spark_rdd *parent = rdd;
    const bool prunes = !v.bad && placed && placed->kind == SPK_BY_RANGE
        && by_natural_order(placed->ranges, key, &v);
    if (prunes)
        parent = prune(at, rdd, low, high);
    v.parents = &parent;
    rdd = spk_verb_make(&v, &class, sizeof(range_rdd), v.in, &made);
    if (!made)
        return rdd;
    range_rdd *r = SPK_NODE(range_rdd, rdd);
    r->key = key;
    r->low = spk_value_keep(rdd, key, low, &r->low_capacity);
    r->high = r->low ? spk_value_keep(rdd, key, high, &r->high_capacity) : NULL;
    if (!prunes)
        spk_rdd_partitioner_set(rdd, placed);
    if (r->high)
        return rdd;
    spk_failure_nomem(&failure, NULL, NULL);
    return spk_verb_undo(&v, rdd, &failure);
}
