/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting: a job samples the input when the RDD is prepared, its sample gives the ranges, and a
 * shuffle by range brings each to one task, which sorts it slice by slice.
 *
 * The sample is one over all partitions: the keys of the rows with the smallest lots (base/lots.h), so
 * rows count the same wherever they lie. Spark's RangePartitioner draws a reservoir from each
 * partition (sketch) and must sample again, in a second job, those that hold too much of the whole
 * for theirs; here none does. What is kept is keys, bounded in number and bytes, which depend on the
 * data and the ranges alone; seeds come from the shape of the lineage, never from ids or time. */
#include <stdlib.h>

#include <spark/keyed.h>
#include <spark/sort.h>

#include "base/hash.h"
#include "base/lots.h"
#include "plan/partitioner.h"
#include "rdd/action.h"
#include "rdd/keyed/sort_few.h"
#include "rdd/sorting.h"
#include "rdd/verb.h"
#include "shuffle/reduce.h"
#include "shuffle/smallest.h"
#include "type/leaf.h"

/* What a sample may hold: so much, and for each of the first ranges a little more. Nothing that depends on the budget,
 * for the ranges are what partitions hold; so few that it fits any, twice over (shuffle/smallest), beside the rest. */
enum { SAMPLE_BYTES = 4 * 1024 * 1024, RANGE_BYTES = 1024, MOST_RANGES = 2048 };

/* MOST_TEXT: bytes of a text in a sampled key. What a range begins with need not be a key of any row. */
enum { MOST_TEXT = 16 * 1024 };

typedef struct sort_rdd {
    spark_rdd rdd;
    spark_partitioner *target; /* by range; the node's own where it sorts by key */
    int asked;
    bool keeps; /* see spk_sort_keeps */
} sort_rdd;

static void sort_produce(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    spk_input input;
    if (!spk_input_open(&input, pipe->task, &rdd->deps[0], NULL, partition))
        return;
    spk_reduce_sort(pipe, &input);
    spk_input_close(&input);
}

/* ---- sampling */

typedef struct sample {
    spk_state head;
    spk_heap *heap;
    spk_lots *lots; /* and, behind them, room for a key */
    size_t capacity;
    uint64_t seen;
    int partition;
    spk_kept kept; /* rows that are not sampled, while they are few */
} sample;

/* sampling: what is sampled, and for whom; kept: the keys with the smallest lots of all tasks. */
typedef struct sampling {
    spark_rdd *parent;
    const char *operation;
    spark_site site;
    int asked;
    uint32_t slices;
    const spk_ordering *ordering, *keys;
    uint64_t seed;
    spk_smallest_shared *kept;
    spk_few *few;    /* of all partitions; NULL: no rows are kept */
    sample *samples; /* of each partition, where they are */
} sampling;

static bool begin_sample(spk_state *state)
{
    sample *s = (sample *)state;
    const sampling *how = state->action->arg;
    s->heap = state->task->heap;
    s->lots = spk_heap_alloc(s->heap, sizeof *s->lots + 64 + how->keys->layout->size, &s->capacity);
    if (!s->lots) {
        spk_task_nomem(state->task);
        return false;
    }
    spk_lots_init(s->lots, how->seed, (uint64_t)state->task->partition);
    s->partition = state->task->partition;
    if (how->few)
        spk_kept_open(&s->kept, how->few, state->task->store, how->parent->layout);
    return true;
}

static void end_sample(spk_state *state)
{
    sample *s = (sample *)state;
    if (s->lots)
        spk_heap_free(s->heap, s->lots, s->capacity);
    s->lots = NULL;
    spk_kept_close(&s->kept);
}

/* publish_sample: nothing is left to hand over but rows that are kept. */
static bool publish_sample(spk_state *state)
{
    if (!((sample *)state)->kept.few)
        end_sample(state);
    return true;
}

/* shorten: texts of a key, which is a shallow copy, but for those that somebody else compares. */
static void shorten(const spark_type *type, char *value)
{
    if (type->ops && type->ops->compare)
        return;
    if (type->kind == SPARK_KIND_STR) {
        spark_str *text = (spark_str *)(void *)value;
        text->len = text->len < MOST_TEXT ? text->len : MOST_TEXT;
    } else if (type->kind == SPARK_KIND_OPTIONAL && *value) {
        shorten(type->of, value + spk_optional_offset(type->of->align));
    } else if (type->kind == SPARK_KIND_STRUCT || type->kind == SPARK_KIND_PAIR) {
        for (uint32_t i = 0; i < type->count; i++)
            if (type->fields[i].count == 0)
                shorten(type->fields[i].type, value + type->fields[i].offset);
    }
}

/* keep_keys: of those rows of a batch whose lots are small enough. An attempt that fails has given
 * what its successor gives again. */
static bool keep_keys(sample *s, spk_batch batch, uint64_t end)
{
    const sampling *how = s->head.action->arg;
    spk_smallest *kept = &how->kept->all;
    char *key = (char *)s->lots + (sizeof *s->lots + 63) / 64 * 64;
    const size_t size = how->ordering->layout->size;
    bool good = true;
    while (good && s->lots->soonest < end) {
        const uint64_t at = s->lots->soonest, lot = spk_lots_draw(s->lots, kept->bound);
        if (lot > kept->bound)
            continue;
        spk_ordering_key(how->ordering, how->keys, batch.rows + (at - s->seen) * size, key);
        shorten(how->keys->layout->type, key);
        good = spk_smallest_add(kept, lot, s->partition, at, key);
    }
    return good;
}

/* draw: the sample of a batch. False: no memory. */
static bool draw(void *state, spk_batch batch)
{
    sample *s = state;
    const sampling *how = s->head.action->arg;
    const uint64_t end = s->seen + batch.n;
    bool good = true;
    if (s->lots->soonest < end) {
        pthread_mutex_lock(&how->kept->lock);
        good = keep_keys(s, batch, end);
        pthread_mutex_unlock(&how->kept->lock);
    }
    s->seen = end;
    return good;
}

static bool take_sample(void *state, spk_batch batch)
{
    sample *s = state;
    spark_task *task = s->head.task;
    spk_failure failure;
    if (s->kept.few && spk_kept_take(&s->kept, task, batch))
        return true;
    if (spk_task_failed(task))
        return false;
    if (s->kept.few && spk_kept_read(&s->kept, draw, s, &failure) != SPARK_OK) {
        spk_task_fail_with(task, &failure);
        return false;
    }
    spk_kept_close(&s->kept);
    if (draw(s, batch))
        return true;
    spk_task_nomem(task);
    return false;
}

/* ---- preparing */

/* make_ranges: of the keys that were kept, side by side. */
static bool make_ranges(const sampling *how, spk_ranges *ranges)
{
    spk_heap *heap = &how->parent->sc->heap;
    spk_smallest *kept = &how->kept->all;
    const size_t size = how->keys->layout->size;
    size_t capacity;
    if (!spk_smallest_cut(kept))
        return false;
    char *keys = spk_heap_alloc(heap, kept->n * size + 1, &capacity);
    if (!keys)
        return false;
    for (size_t i = 0; i < kept->n; i++)
        memcpy(keys + i * size, spk_smallest_row(kept, i), size);
    const bool good = spk_ranges_make(ranges, heap, keys, kept->n, how->asked, how->slices);
    spk_heap_free(heap, keys, capacity);
    return good;
}

/* count_kept: whether all rows have been kept, and are few; else those that have are sampled now. */
static spark_status count_kept(sampling *how, int n, spk_failure *failure)
{
    spark_status status = SPARK_OK;
    uint64_t bytes = 0;
    how->few->all = true;
    for (int i = 0; i < n; i++) {
        how->few->all = how->few->all && how->samples[i].kept.few;
        bytes += how->samples[i].kept.bytes;
    }
    how->few->all = how->few->all && bytes <= SPK_FEW_BYTES;
    for (int i = 0; i < n && !how->few->all && status == SPARK_OK; i++)
        if (how->samples[i].kept.few)
            status = spk_kept_read(&how->samples[i].kept, draw, &how->samples[i], failure);
    return status;
}

/* sample_parent: one job over all partitions of the input; rows that are kept stay in how->samples. */
static spark_status sample_parent(sampling *how, spk_failure *failure)
{
    const int n = spk_rdd_partitions(how->parent);
    const spk_action action = { .name = how->operation,
        .site = how->site,
        .state_size = sizeof(sample),
        .arg = how,
        .begin = begin_sample,
        .take = take_sample,
        .publish = publish_sample,
        .discard = end_sample };
    sample *states = calloc((size_t)n + 1, sizeof *states);
    if (!states)
        return spk_failure_nomem(failure, how->operation, how->site);
    const spark_status status = spk_job_run(how->parent, &action, NULL, n, states, failure);
    if (status == SPARK_OK && how->few) {
        how->samples = states;
        return count_kept(how, n, failure);
    }
    free(states);
    return status;
}

/* sample_size: as many keys for each slice as Spark takes, up to a million, three times over, in a
 * few megabytes. */
static spk_smallest_by sample_size(const sampling *how)
{
    const uint64_t ranges = (uint64_t)how->asked * how->slices, wanted = 20 * ranges;
    return (spk_smallest_by) { .layout = how->keys->layout,
        .n = 3 * (wanted < 1000000 ? wanted : 1000000),
        .bytes = SAMPLE_BYTES + RANGE_BYTES * (ranges < MOST_RANGES ? ranges : MOST_RANGES) };
}

/* find_ranges: fills the partitioner, whose ordering is there. */
SPK_COLD static spark_status find_ranges(
    sampling *how, spark_partitioner *target, spk_failure *failure)
{
    spk_smallest_shared kept;
    spk_ranges *ranges = target->ranges;
    spark_status status = SPARK_OK;
    how->ordering = &ranges->ordering;
    how->keys = &ranges->keys;
    how->seed = spk_hash_combine(UINT64_C(0x5eed), how->parent->ancestors + 1);
    how->kept = &kept;
    const spk_smallest_by by = sample_size(how);
    spk_smallest_shared_init(&kept, &how->parent->sc->heap, &by);
    if (how->asked > 1)
        status = sample_parent(how, failure);
    if (status == SPARK_OK && !make_ranges(how, ranges)) {
        char text[300];
        status = spk_failure_set(failure, SPARK_ENOMEM, NULL, NULL, "%s",
            spk_heap_refusal(&how->parent->sc->heap, "a block of what ranges are found in", 0, text, sizeof text));
        spk_failure_at(failure, how->operation, how->site);
    }
    spk_smallest_shared_fini(&kept);
    if (status == SPARK_OK)
        atomic_store_explicit(
            &target->partitions, (int)(ranges->n / how->slices), memory_order_release);
    return status;
}

/* settle: rows that were kept are sorted now, if the ranges are known, and go. */
static void settle(const sampling *how, bool good, spark_rdd *rdd, const spark_partitioner *target)
{
    const int n = spk_rdd_partitions(how->parent);
    if (good && how->few->all && n > 0)
        spk_few_sort(&how->samples[0].kept, sizeof *how->samples, n, rdd, &target->ranges->ordering);
    for (int i = 0; i < n; i++)
        end_sample(&how->samples[i].head);
    free(how->samples);
}

static spark_status sort_prepare(spark_rdd *rdd, spk_failure *failure)
{
    const sort_rdd *s = SPK_NODE(sort_rdd, rdd);
    sampling how = { .parent = rdd->deps[0].rdd,
        .operation = rdd->operation,
        .site = rdd->site,
        .asked = s->asked,
        .slices = spk_slices_for(s->asked) };
    spk_few few = { 0 };
    if (s->keeps)
        how.few = &few;
    const spark_status status
        = s->target->partitions >= 0 ? SPARK_OK : find_ranges(&how, s->target, failure);
    if (how.samples)
        settle(&how, status == SPARK_OK, rdd, s->target);
    if (status == SPARK_OK)
        spk_rdd_partitions_set(rdd, s->target->partitions);
    return status;
}

static void sort_release(spark_rdd *rdd)
{
    spk_partitioner_unref(SPK_NODE(sort_rdd, rdd)->target);
}

static const spk_class sort_class = {
    .name = "ShuffledRDD", .produce = sort_produce, .prepare = sort_prepare, .release = sort_release
};

/* new_target: a range partitioner of which nothing is known but the order. */
static spark_partitioner *new_target(
    spark_context *sc, spark_site at, const spk_ordering *ordering, const spk_layout *row)
{
    spark_partitioner *target = spk_partitioner_of(sc, SPK_BY_RANGE, -1, at);
    spk_ranges *ranges = calloc(1, sizeof *ranges);
    if (!target || !ranges) {
        spk_partitioner_unref(target);
        free(ranges);
        return NULL;
    }
    ranges->ordering = *ordering;
    ranges->ordering.layout = row; /* keys stand at the front of pairs */
    spk_ordering_keys(&ranges->ordering, sc->types, &ranges->keys);
    target->ranges = ranges;
    return target;
}

static spark_rdd *new_sort(spark_site at, spark_rdd *rdd, const char *operation,
    const spark_order *order, int partitions, bool by_key)
{
    spk_verb v;
    spk_ordering ordering;
    spk_failure failure;
    bool made;
    const spk_function function = { .name = order ? order->name : NULL, .usable = true };
    spk_verb_begin(&v, at, operation, &function, 1, &rdd, NULL);
    if (!v.bad && by_key)
        spk_verb_pairs(&v, v.in);
    if (partitions < 0)
        spk_verb_fail(&v, SPARK_EINVAL,
            "%d partitions; there must be at least one, or 0 for the default", partitions);
    if (!v.bad
        && spk_ordering_make(&ordering, v.sc->types, by_key ? v.in->key : v.in, order, &failure)
            != SPARK_OK)
        spk_verb_fail(&v, failure.code, "%s", failure.message);
    if (!v.bad && partitions == 0) {
        partitions = spk_rdd_planned(rdd, &failure);
        if (partitions < 0)
            spk_verb_fail_with(&v, &failure);
    }
    spark_rdd *parent = rdd;
    spark_partitioner *target = v.bad ? NULL : new_target(v.sc, at, &ordering, v.in);
    if (!target)
        spk_verb_fail(&v, SPARK_ENOMEM, "out of memory");
    rdd = spk_verb_make(&v, &sort_class, sizeof(sort_rdd), v.in, &made);
    if (!made) {
        spk_partitioner_unref(target);
        return rdd;
    }
    sort_rdd *s = SPK_NODE(sort_rdd, rdd);
    s->asked = partitions > 0 ? partitions : 1;
    rdd->planned = s->asked == 1 ? 1 : -1; /* where keys repeat there are fewer */
    s->target = target;
    if (by_key)
        spk_rdd_partitioner_set(rdd, target);
    spk_shuffle *shuffle = spk_shuffle_new(rdd, parent, NULL, parent->layout, parent->layout, NULL);
    if (!shuffle) {
        spk_failure_nomem(&failure, NULL, NULL);
        return spk_verb_undo(&v, rdd, &failure);
    }
    shuffle->slices = spk_slices_for(s->asked);
    shuffle->ranges = target->ranges;
    rdd->deps[0].shuffle = shuffle;
    return rdd;
}

spark_rdd *spark_sort_by(spark_site at, spark_rdd *rdd, const spark_order *order, int partitions)
{
    return new_sort(at, rdd, "sortBy", order, partitions, false);
}

spark_rdd *spark_sort_by_key(
    spark_site at, spark_rdd *rdd, const spark_order *order, int partitions)
{
    return new_sort(at, rdd, "sortByKey", order, partitions, true);
}

void spk_sort_keeps(spark_rdd *rdd)
{
    if (spark_rdd_status(rdd) == SPARK_OK)
        SPK_NODE(sort_rdd, rdd)->keeps = true;
}

/* ---- the partitioner alone */

static spark_status check_keys(spark_rdd *rdd, const spark_order *order, spark_site at,
    int partitions, spk_ordering *ordering, spk_failure *failure)
{
    static const char *const name = "rangePartitioner";
    const spark_status status = spk_action_check(rdd, name, at, failure);
    if (status != SPARK_OK)
        return status;
    if (!rdd->layout->key)
        return spk_failure_set(
            failure, SPARK_ETYPE, name, at, "%s at %s: the RDD is not one of pairs", name, at);
    if (partitions < 0)
        return spk_failure_set(failure, SPARK_EINVAL, name, at,
            "%s at %s: %d partitions; there cannot be less than none", name, at, partitions);
    if (spk_ordering_make(ordering, rdd->sc->types, rdd->layout->key, order, failure) != SPARK_OK)
        spk_failure_at(failure, name, at);
    else
        return SPARK_OK;
    return failure->code;
}

static void release_partitioner(spk_object *object)
{
    spk_partitioner_unref((spark_partitioner *)(void *)object);
}

spark_partitioner *spark_range_partitioner(
    spark_site at, spark_rdd *rdd, const spark_order *order, int partitions)
{
    spk_failure failure;
    spk_ordering ordering;
    spark_partitioner *target = NULL;
    spark_status status = check_keys(rdd, order, at, partitions, &ordering, &failure);
    if (status == SPARK_OK && !(target = new_target(rdd->sc, at, &ordering, rdd->layout)))
        status = spk_failure_nomem(&failure, "rangePartitioner", at);
    if (status == SPARK_OK) {
        sampling how = { .parent = rdd,
            .operation = "rangePartitioner",
            .site = at,
            .asked = partitions > 0 ? partitions : 1,
            .slices = 1 };
        status = find_ranges(&how, target, &failure);
    }
    if (status != SPARK_OK) {
        spk_partitioner_unref(target);
        return spk_partitioner_broken(rdd ? rdd->sc : NULL, &failure);
    }
    spk_scope_add(rdd->sc, &target->object, release_partitioner);
    return target;
}
