/* SPDX-License-Identifier: Apache-2.0 */
/* What joins, cogroups and subtractions have in common. */
#include "rdd/sides.h"

#include "plan/partitioner.h"
#include "rdd/verb.h"

spark_partitioner *spk_sides_target(
    spk_verb *v, const spark_keyed_options *options, const spk_layout *key)
{
    static const spark_keyed_options none = { 0, NULL };
    const spark_keyed_options *o = options ? options : &none;
    spk_failure failure;
    spark_partitioner *target = NULL;
    if (!v->bad && o->partitions < 0)
        spk_verb_fail(v, SPARK_EINVAL,
            "%d partitions; there must be at least one, or 0 for the default", o->partitions);
    spk_verb_target(v, o->partitioner, key);
    for (size_t i = 0; i < v->n; i++)
        spk_verb_placed(v, i);
    if (!v->bad) {
        target = spk_default_partitioner(
            v->sc, v->n, v->parents, o->partitioner, o->partitions, v->at, &failure);
        if (!target)
            spk_verb_fail_with(v, &failure);
    }
    return target;
}

void spk_sides_set(spark_rdd *rdd, spk_sides *sides, spark_partitioner *target)
{
    sides->target = target;
    spk_partitioner_ref(target);
    rdd->planned = target->partitions;
}

bool spk_sides_attach(spark_rdd *rdd, spk_sides *sides, size_t i, const spk_layout *row,
    const spk_layout *key, const spk_aggregator *aggregator, bool elements)
{
    spk_dep *dep = &rdd->deps[i];
    spk_shuffle *shuffle = spk_shuffle_new(rdd, dep->rdd, sides->target, row, key, aggregator);
    if (!shuffle)
        return false;
    if (!elements && spark_partitioner_equal(dep->rdd->partitioner, sides->target))
        sides->own[i] = shuffle;
    else
        dep->shuffle = shuffle;
    return true;
}

void spk_sides_release(spk_sides *sides)
{
    for (size_t i = 0; i < SPK_MOST_SIDES; i++)
        spk_shuffle_free(sides->own[i]);
    spk_partitioner_unref(sides->target);
}

spark_status spk_sides_prepare(spark_rdd *rdd, const spk_sides *sides)
{
    spk_rdd_partitions_set(rdd, sides->target->partitions);
    return SPARK_OK;
}

bool spk_sides_open(
    spk_pipe *pipe, spark_rdd *rdd, const spk_sides *sides, int partition, spk_input *inputs)
{
    for (uint32_t i = 0; i < rdd->n_deps; i++)
        if (!spk_input_open(&inputs[i], pipe->task, &rdd->deps[i], sides->own[i], partition)) {
            while (i > 0)
                spk_input_close(&inputs[--i]);
            return false;
        }
    return true;
}

void spk_sides_close(const spark_rdd *rdd, spk_input *inputs)
{
    for (uint32_t i = 0; i < rdd->n_deps; i++)
        spk_input_close(&inputs[i]);
}
