/* SPDX-License-Identifier: Apache-2.0 */
/* Differences and intersections. Of the right side only the keys are shuffled, each once for a
 * window; so are both sides of an intersection. */
#include <spark/keyed.h>

#include "plan/partitioner.h"
#include "rdd/sides.h"
#include "rdd/verb.h"
#include "shuffle/reduce.h"

typedef struct sieve_rdd {
    spark_rdd rdd;
    spk_sides sides;
    spk_aggregator distinct[2]; /* of each side that is reduced to its keys */
    bool intersect;
} sieve_rdd;

static void subtract_produce(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    const sieve_rdd *s = SPK_NODE(sieve_rdd, rdd);
    spk_input inputs[2];
    if (!spk_sides_open(pipe, rdd, &s->sides, partition, inputs))
        return;
    if (s->intersect)
        spk_reduce_intersect(pipe, &inputs[0], &inputs[1]);
    else
        spk_reduce_subtract(pipe, &inputs[0], &inputs[1]);
    spk_sides_close(rdd, inputs);
}

static spark_status subtract_prepare(spark_rdd *rdd, spk_failure *failure)
{
    (void)failure;
    return spk_sides_prepare(rdd, &SPK_NODE(sieve_rdd, rdd)->sides);
}

static void subtract_release(spark_rdd *rdd)
{
    spk_sides_release(&SPK_NODE(sieve_rdd, rdd)->sides);
}

static const spk_class subtract_class = { .name = "SubtractedRDD",
    .produce = subtract_produce,
    .prepare = subtract_prepare,
    .release = subtract_release };
static const spk_class intersect_class = { .name = "MapPartitionsRDD",
    .produce = subtract_produce,
    .prepare = subtract_prepare,
    .release = subtract_release };

static void fill_distinct(spk_aggregator *a, const spk_layout *row, const spk_layout *key)
{
    *a = (spk_aggregator) { .start = SPK_START_NONE, .key = key, .in = row, .out = key };
}

/* new_sieve: target is taken over. by_key: keys of pairs, and the result is placed by them; else
 * elements. */
static spark_rdd *new_sieve(
    spk_verb *v, spark_partitioner *target, const spk_layout *key, bool intersect, bool by_key)
{
    spk_failure failure;
    bool made;
    spark_rdd *rdd = spk_verb_make(
        v, intersect ? &intersect_class : &subtract_class, sizeof(sieve_rdd), v->in, &made);
    if (made) {
        sieve_rdd *s = SPK_NODE(sieve_rdd, rdd);
        s->intersect = intersect;
        spk_sides_set(rdd, &s->sides, target);
        if (by_key)
            spk_rdd_partitioner_set(rdd, target);
        fill_distinct(&s->distinct[0], v->in, key);
        fill_distinct(&s->distinct[1], rdd->deps[1].rdd->layout, key);
        if (!spk_sides_attach(
                rdd, &s->sides, 0, v->in, key, intersect ? &s->distinct[0] : NULL, !by_key)
            || !spk_sides_attach(rdd, &s->sides, 1, key, key, &s->distinct[1], !by_key)) {
            spk_failure_nomem(&failure, NULL, NULL);
            rdd = spk_verb_undo(v, rdd, &failure);
        }
    }
    spk_partitioner_unref(target);
    return rdd;
}

/* left_target: where no other is asked for, the left side decides, never the right one. */
static spark_partitioner *left_target(
    spk_verb *v, const spark_keyed_options *options, const spk_layout *key, bool by_key)
{
    spark_keyed_options o = options ? *options : (spark_keyed_options) { 0, NULL };
    spk_failure failure;
    const spark_partitioner *placed = spk_verb_placed(v, 0);
    if (!v->bad && !o.partitioner && o.partitions == 0) {
        if (placed && by_key)
            o.partitioner = placed;
        else if (placed)
            o.partitions = placed->partitions;
        else if ((o.partitions = spk_rdd_planned(v->parents[0], &failure)) < 0)
            spk_verb_fail_with(v, &failure);
    }
    return spk_sides_target(v, &o, key);
}

spark_rdd *spark_subtract_by_key_with(
    spark_site at, spark_rdd *rdd, spark_rdd *other, const spark_keyed_options *options)
{
    spark_rdd *parents[] = { rdd, other };
    spk_verb v;
    char text[400];
    spk_verb_begin(&v, at, "subtractByKey", NULL, 2, parents, NULL);
    for (int i = 0; i < 2 && !v.bad; i++)
        spk_verb_pairs(&v, parents[i]->layout);
    const spk_layout *key = v.bad ? NULL : v.in->key;
    if (!v.bad
        && spk_type_differ(key->type, other->layout->key->type, text, sizeof text) != SPARK_OK)
        spk_verb_fail(&v, SPARK_ETYPE, "key: %s", text);
    return new_sieve(&v, left_target(&v, options, key, true), key, false, true);
}

spark_rdd *spark_subtract_by_key(spark_site at, spark_rdd *rdd, spark_rdd *other, int partitions)
{
    const spark_keyed_options options = { partitions, NULL };
    return spark_subtract_by_key_with(at, rdd, other, &options);
}

/* elements: a verb whose keys are the elements; partitioners of the inputs place something else. */
static spk_verb elements(spark_site at, const char *operation, spark_rdd *const *parents,
    const spark_keyed_options *options)
{
    spk_verb v;
    spk_verb_begin(&v, at, operation, NULL, 2, parents, NULL);
    spk_verb_want(&v, v.bad ? NULL : v.in->type, v.bad ? NULL : parents[1]->layout);
    if (options->partitions < 0)
        spk_verb_fail(&v, SPARK_EINVAL,
            "%d partitions; there must be at least one, or 0 for the default", options->partitions);
    spk_verb_target(&v, options->partitioner, v.in);
    return v;
}

/* place_elements: by the partitioner asked for, or by hash; where the inputs have a partitioner of
 * keys with as many partitions, that is still another one, for it looks at keys and not at elements. */
static spark_partitioner *place_elements(
    spk_verb *v, const spark_partitioner *asked, int partitions)
{
    spk_failure failure;
    if (v->bad)
        return NULL;
    spark_partitioner *target = asked
        ? spk_default_partitioner(v->sc, 0, NULL, asked, 0, v->at, &failure)
        : spk_partitioner_hash(v->sc, partitions, v->at);
    if (!target)
        spk_verb_fail(v, SPARK_ENOMEM, "out of memory");
    return target;
}

static int planned(spk_verb *v, size_t i)
{
    spk_failure failure;
    const spark_partitioner *placed = spk_verb_placed(v, i);
    const int n = v->bad ? -1
        : placed         ? placed->partitions
                         : spk_rdd_planned(v->parents[i], &failure);
    if (n < 0 && !v->bad)
        spk_verb_fail_with(v, &failure);
    return n;
}

static const spark_keyed_options no_options = { 0, NULL };

spark_rdd *spark_subtract_with(
    spark_site at, spark_rdd *rdd, spark_rdd *other, const spark_keyed_options *options)
{
    const spark_keyed_options *o = options ? options : &no_options;
    spark_rdd *parents[] = { rdd, other };
    spk_verb v = elements(at, "subtract", parents, o);
    int partitions = o->partitions;
    if (partitions == 0 && !o->partitioner)
        partitions = planned(&v, 0);
    return new_sieve(&v, place_elements(&v, o->partitioner, partitions), v.in, false, false);
}

spark_rdd *spark_intersection_with(
    spark_site at, spark_rdd *rdd, spark_rdd *other, const spark_keyed_options *options)
{
    const spark_keyed_options *o = options ? options : &no_options;
    spark_rdd *parents[] = { rdd, other };
    spk_verb v = elements(at, "intersection", parents, o);
    int partitions = o->partitions;
    if (partitions == 0 && !v.bad)
        partitions = v.sc->default_parallelism;
    if (partitions == 0 && !o->partitioner) {
        const int a = planned(&v, 0), b = planned(&v, 1);
        partitions = a > b ? a : b;
    }
    return new_sieve(&v, place_elements(&v, o->partitioner, partitions), v.in, true, false);
}

spark_rdd *spark_subtract(spark_site at, spark_rdd *rdd, spark_rdd *other, int partitions)
{
    const spark_keyed_options options = { partitions, NULL };
    return spark_subtract_with(at, rdd, other, &options);
}

spark_rdd *spark_intersection(spark_site at, spark_rdd *rdd, spark_rdd *other, int partitions)
{
    const spark_keyed_options options = { partitions, NULL };
    return spark_intersection_with(at, rdd, other, &options);
}
