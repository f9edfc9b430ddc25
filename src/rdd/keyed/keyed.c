/* SPDX-License-Identifier: Apache-2.0 */
/* Wide operations on one RDD of pairs: all are one shuffle whose rows are combined, grouped, sorted
 * or passed on by the task that reads them. Where the input is placed as wanted, the dependency is
 * narrow and the task writes the partition for itself; everything after that is the same. */
#include "rdd/keyed/keyed.h"

#include <stdlib.h>

#include <spark/keyed.h>

#include "plan/partitioner.h"
#include "shuffle/reduce.h"

static void keyed_produce(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    spk_keyed_rdd *k = SPK_NODE(spk_keyed_rdd, rdd);
    spk_input input;
    if (!spk_input_open(&input, pipe->task, &rdd->deps[0], k->own, partition))
        return;
    k->kind->read(pipe, &input, k, partition);
    spk_input_close(&input);
}

static void combine(spk_pipe *pipe, spk_input *input, const spk_keyed_rdd *k, int partition)
{
    (void)partition;
    spk_reduce_combine(pipe, input, &k->aggregator);
}
const spk_keyed_kind spk_keyed_combine = { .read = combine };

static spark_status keyed_prepare(spark_rdd *rdd, spk_failure *failure)
{
    (void)failure;
    const spk_keyed_rdd *k = SPK_NODE(spk_keyed_rdd, rdd);
    spk_rdd_partitions_set(rdd, k->target->partitions);
    return SPARK_OK;
}

static void keyed_release(spark_rdd *rdd)
{
    spk_keyed_rdd *k = SPK_NODE(spk_keyed_rdd, rdd);
    spk_shuffle_free(k->own);
    spk_partitioner_unref(k->target);
    free(k->ordering);
    if (k->zero)
        spk_heap_free(&rdd->sc->heap, k->zero, k->zero_capacity);
}

static const spk_class shuffled = { .name = "ShuffledRDD",
    .produce = keyed_produce,
    .prepare = keyed_prepare,
    .release = keyed_release };
/* Where there is no shuffle, Spark's class is another. */
static const spk_class local = { .name = "MapPartitionsRDD",
    .produce = keyed_produce,
    .prepare = keyed_prepare,
    .release = keyed_release };

/* attach: the shuffle, wide or narrow, to a node that is filled otherwise. */
static bool attach(spk_keyed_rdd *k, const spk_keyed *r, bool wide)
{
    spark_rdd *rdd = &k->rdd, *parent = rdd->deps[0].rdd;
    const bool combine = r->aggregator != NULL;
    spk_shuffle *shuffle = spk_shuffle_new(rdd, parent, k->target,
        combine ? r->out : parent->layout, r->key, combine ? &k->aggregator : NULL);
    if (!shuffle)
        return false;
    if (r->kind->ordered)
        shuffle->slices = 1;
    enum { WINDOW_KEYS = 65536 };
    shuffle->raw = r->kind->dense && k->target->keys > WINDOW_KEYS;
    if (wide)
        rdd->deps[0].shuffle = shuffle;
    else
        k->own = shuffle;
    return true;
}

/* fill: what the node owns of the request. */
static bool fill(spk_keyed_rdd *k, const spk_keyed *r)
{
    k->kind = r->kind;
    if (r->group)
        k->group = *r->group;
    if (r->ordering) {
        k->ordering = malloc(sizeof *k->ordering);
        if (!k->ordering)
            return false;
        *k->ordering = *r->ordering;
    }
    if (!r->aggregator)
        return true;
    spk_aggregator *a = &k->aggregator;
    *a = *r->aggregator;
    if (a->add.def.op == SPARK_OP_USER)
        a->add.env = k->rdd.env.value;
    if (a->combine.def.op == SPARK_OP_USER)
        a->combine.env = k->rdd.env.value;
    a->create_env = k->rdd.env.value;
    if (a->start == SPK_START_NONE || a->start == SPK_START_VALUE)
        return true;
    k->zero = spk_value_keep(&k->rdd, a->acc, r->zero, &k->zero_capacity);
    a->zero = k->zero;
    return k->zero != NULL;
}

SPK_COLD spark_rdd *spk_keyed_new(spk_verb *v, const spk_keyed *r)
{
    static const spark_keyed_options none = { 0, NULL };
    const spark_keyed_options *o = r->options ? r->options : &none;
    spark_partitioner *target = NULL;
    spk_failure failure;
    bool made;
    if (!v->bad && o->partitions < 0)
        spk_verb_fail(v, SPARK_EINVAL,
            "%d partitions; there must be at least one, or 0 for the default", o->partitions);
    if (!r->stay)
        spk_verb_target(v, o->partitioner, r->key);
    const spark_partitioner *placed = spk_verb_placed(v, 0);
    if (!v->bad) {
        target = spk_default_partitioner(
            v->sc, 1, v->parents, o->partitioner, o->partitions, v->at, &failure);
        if (!target)
            spk_verb_fail_with(v, &failure);
    }
    const bool wide = !v->bad && !spark_partitioner_equal(placed, target);
    spark_rdd *rdd
        = spk_verb_make(v, wide ? &shuffled : &local, sizeof(spk_keyed_rdd), r->out, &made);
    if (made) {
        spk_keyed_rdd *k = SPK_NODE(spk_keyed_rdd, rdd);
        k->target = target;
        spk_partitioner_ref(target);
        if (!r->lose && !(r->drop && wide))
            spk_rdd_partitioner_set(rdd, target);
        rdd->planned = target->partitions;
        if (!fill(k, r) || !attach(k, r, wide)) {
            spk_failure_nomem(&failure, NULL, NULL);
            rdd = spk_verb_undo(v, rdd, &failure);
        }
    }
    spk_partitioner_unref(target);
    return rdd;
}
