/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting: a job samples the input when the RDD is prepared, its sample gives the ranges, and a
 * shuffle by range brings each to one task, which sorts it slice by slice. The sample is drawn by
 * Vitter's reservoir with geometric skips (Li's algorithm L), so that it costs nothing to speak
 * of; its seeds come from the shape of the lineage, never from ids or time. */
#include <math.h>
#include <stdlib.h>

#include <spark/keyed.h>
#include <spark/sort.h>

#include "base/hash.h"
#include "base/random.h"
#include "plan/partitioner.h"
#include "rdd/action.h"
#include "rdd/verb.h"
#include "shuffle/ranges.h"
#include "shuffle/reduce.h"

typedef struct sort_rdd {
    spark_rdd rdd;
    spark_partitioner *target; /* by range; the node's own where it sorts by key */
    int asked;
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

typedef struct sampling {
    const spk_layout *layout;
    uint64_t seed;
    size_t quota;
} sampling;

typedef struct sample {
    spk_state head;
    spk_rows rows;      /* all that were chosen, also those replaced later */
    const char **slots; /* the reservoir */
    size_t n, quota;
    uint64_t seen, next; /* rows; the next one to choose */
    spk_random random;
    double w;
} sample;

static void skip(sample *s)
{
    s->w *= exp(log(spk_random_unit(&s->random)) / (double)s->quota);
    const double gap = floor(log(spk_random_unit(&s->random)) / log1p(-s->w));
    s->next += gap < 1e18 ? (uint64_t)gap + 1 : UINT64_MAX / 4;
}

static bool begin_sample(spk_state *state)
{
    sample *s = (sample *)state;
    const sampling *how = state->action->arg;
    spk_rows_init(&s->rows, state->task->heap, how->layout);
    s->quota = how->quota;
    s->w = 1;
    s->random = spk_random_of(how->seed, (uint64_t)state->task->partition);
    s->slots = malloc(s->quota * sizeof *s->slots);
    if (!s->slots)
        spk_task_nomem(state->task);
    return s->slots != NULL;
}

/* choose: keeps a row in the reservoir. */
static bool choose(sample *s, const char *row)
{
    if (!spk_rows_append(&s->rows, row, 1)) {
        spk_task_nomem(s->head.task);
        return false;
    }
    const char *kept = s->rows.row_end - s->rows.layout->size;
    if (s->n < s->quota)
        s->slots[s->n++] = kept;
    else
        s->slots[spk_random_below(&s->random, s->quota)] = kept;
    return true;
}

static bool take_sample(void *state, spk_batch batch)
{
    sample *s = state;
    const spk_layout *layout = s->rows.layout;
    for (uint64_t i = 0; i < batch.n; s->seen++, i++) {
        if (s->n == s->quota) {
            const uint64_t gap = s->next - s->seen;
            if (gap >= batch.n - i) {
                s->seen += batch.n - i;
                return true;
            }
            i += gap;
            s->seen = s->next;
        }
        if (!choose(s, batch.rows + i * layout->size))
            return false;
        if (s->n == s->quota) {
            if (s->next == 0)
                s->next = s->seen;
            skip(s);
        }
    }
    return true;
}

static void free_sample(spk_state *state)
{
    sample *s = (sample *)state;
    spk_rows_fini(&s->rows);
    free(s->slots);
}

/* ---- preparing */

static size_t collect_candidates(sample *samples, int n, spk_candidate *candidates)
{
    size_t found = 0;
    for (int p = 0; p < n; p++)
        for (size_t i = 0; i < samples[p].n; i++)
            candidates[found++] = (spk_candidate) { samples[p].slots[i],
                (double)samples[p].seen / (double)samples[p].n };
    return found;
}

static bool make_ranges(
    spark_rdd *parent, spk_ranges *ranges, int asked, uint32_t slices, sample *samples, int n)
{
    size_t most = 1;
    for (int p = 0; p < n; p++)
        most += samples[p].n;
    spk_candidate *candidates = malloc(most * sizeof *candidates);
    const size_t found = candidates ? collect_candidates(samples, n, candidates) : 0;
    const bool good = candidates
        && spk_ranges_make(ranges, &parent->sc->heap, candidates, found, asked, slices);
    free(candidates);
    return good;
}

/* sampled: what is sampled, and for whom. */
typedef struct sampled {
    spark_rdd *parent;
    const char *operation;
    spark_site site;
    int asked;
    uint32_t slices;
} sampled;

/* sample_parent: one job over all partitions of the input. */
static spark_status sample_parent(const sampled *w, sample *samples, spk_failure *failure)
{
    const int n = spk_rdd_partitions(w->parent);
    const double wanted = 20.0 * w->slices * w->asked;
    const double size = wanted < 1e6 ? wanted : 1e6;
    const sampling how = { w->parent->layout,
        spk_hash_combine(UINT64_C(0x5eed), w->parent->ancestors + 1), (size_t)(3 * size / n) + 1 };
    const spk_action action = { .name = w->operation,
        .site = w->site,
        .state_size = sizeof(sample),
        .arg = &how,
        .begin = begin_sample,
        .take = take_sample,
        .discard = free_sample };
    return spk_job_run(w->parent, &action, NULL, n, samples, failure);
}

/* find_ranges: fills the partitioner, whose ordering is there. */
static spark_status find_ranges(const sampled *w, spark_partitioner *target, spk_failure *failure)
{
    const int n = w->asked > 1 ? spk_rdd_partitions(w->parent) : 0;
    sample *samples = calloc((size_t)n + 1, sizeof *samples);
    spark_status status = SPARK_OK;
    if (!samples)
        return spk_failure_nomem(failure, w->operation, w->site);
    if (n > 0)
        status = sample_parent(w, samples, failure);
    if (status == SPARK_OK) {
        if (make_ranges(w->parent, target->ranges, w->asked, w->slices, samples, n))
            atomic_store_explicit(&target->partitions, (int)(target->ranges->n / w->slices),
                memory_order_release);
        else
            status = spk_failure_nomem(failure, w->operation, w->site);
        for (int p = 0; p < n; p++)
            free_sample(&samples[p].head);
    }
    free(samples);
    return status;
}

static spark_status sort_prepare(spark_rdd *rdd, spk_failure *failure)
{
    const sort_rdd *s = SPK_NODE(sort_rdd, rdd);
    const sampled w
        = { rdd->deps[0].rdd, rdd->operation, rdd->site, s->asked, spk_slices_for(s->asked) };
    const spark_status status
        = spk_partitioner_known(s->target) ? SPARK_OK : find_ranges(&w, s->target, failure);
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
        const sampled w = { rdd, "rangePartitioner", at, partitions > 0 ? partitions : 1, 1 };
        status = find_ranges(&w, target, &failure);
    }
    if (status != SPARK_OK) {
        spk_partitioner_unref(target);
        return spk_partitioner_broken(rdd ? rdd->sc : NULL, &failure);
    }
    spk_scope_add(rdd->sc, &target->object, release_partitioner);
    return target;
}
