/* SPDX-License-Identifier: Apache-2.0 */
/* Rows placed anew and otherwise as they are: by a partitioner, in turn, sorted on arrival, or each
 * value once. */
#include <spark/keyed.h>
#include <spark/sort.h>
#include <spark/transform.h>

#include "plan/partitioner.h"
#include "rdd/keyed/keyed.h"
#include "shuffle/reduce.h"

static const char *name_of(const spark_partitioner *p)
{
    return p && p->kind == SPK_BY_FUNCTION ? p->def.name : NULL;
}

static void pass(spk_pipe *pipe, spk_input *input, const spk_keyed_rdd *k, int partition)
{
    (void)k, (void)partition;
    spk_reduce_pass(pipe, input);
}
static const spk_keyed_kind passed = { .read = pass, .ordered = true };

static void sort(spk_pipe *pipe, spk_input *input, const spk_keyed_rdd *k, int partition)
{
    (void)partition;
    spk_reduce_sort_by(pipe, input, k->ordering);
}
static const spk_keyed_kind sorted = { .read = sort, .ordered = true };

spark_rdd *spark_partition_by(spark_site at, spark_rdd *rdd, const spark_partitioner *p)
{
    spk_verb v;
    const spark_keyed_options options = { 0, p };
    const spk_function function = { .name = name_of(p), .usable = true };
    spk_verb_begin(&v, at, "partitionBy", &function, 1, &rdd, NULL);
    spk_verb_pairs(&v, v.in);
    if (!p)
        spk_verb_fail(&v, SPARK_EINVAL, "the partitioner is NULL");
    const spark_partitioner *placed = spk_verb_placed(&v, 0);
    if (!v.bad && spark_partitioner_equal(placed, p))
        return rdd;
    const spk_keyed k
        = { .kind = &passed, .key = v.bad ? NULL : v.in->key, .out = v.in, .options = &options };
    return spk_keyed_new(&v, &k);
}

spark_rdd *spark_repartition_and_sort_within_partitions(
    spark_site at, spark_rdd *rdd, const spark_partitioner *p, const spark_order *order)
{
    spk_verb v;
    spk_ordering ordering;
    spk_failure failure;
    const spark_keyed_options options = { 0, p };
    const spk_function function = { .name = name_of(p), .usable = true };
    spk_verb_begin(&v, at, "repartitionAndSortWithinPartitions", &function, 1, &rdd, NULL);
    spk_verb_pairs(&v, v.in);
    if (!p)
        spk_verb_fail(&v, SPARK_EINVAL, "the partitioner is NULL");
    if (!v.bad && spk_ordering_make(&ordering, v.sc->types, v.in->key, order, &failure) != SPARK_OK)
        spk_verb_fail(&v, failure.code, "%s", failure.message);
    if (!v.bad)
        ordering.layout = v.in; /* keys stand at the front of pairs */
    const spk_keyed k = { .kind = &sorted,
        .key = v.bad ? NULL : v.in->key,
        .out = v.in,
        .ordering = &ordering,
        .options = &options };
    return spk_keyed_new(&v, &k);
}

spark_rdd *spark_repartition(spark_site at, spark_rdd *rdd, int partitions)
{
    spk_verb v;
    spk_verb_begin(&v, at, "repartition", NULL, 1, &rdd, NULL);
    if (partitions < 1)
        spk_verb_fail(&v, SPARK_EINVAL, "%d partitions; there must be at least one", partitions);
    spark_partitioner *turns
        = v.bad ? NULL : spk_partitioner_of(v.sc, SPK_BY_POSITION, partitions, at);
    if (!turns)
        spk_verb_fail(&v, SPARK_ENOMEM, "out of memory");
    const spark_keyed_options options = { partitions, turns };
    const spk_keyed k
        = { .kind = &passed, .key = v.in, .out = v.in, .options = &options, .drop = true };
    rdd = spk_keyed_new(&v, &k);
    spk_partitioner_unref(turns);
    return rdd;
}

spark_rdd *spark_distinct(spark_site at, spark_rdd *rdd, int partitions)
{
    spk_verb v;
    spk_aggregator a = { 0 };
    spk_failure failure;
    spark_keyed_options options = { partitions, NULL };
    spk_verb_begin(&v, at, "distinct", NULL, 1, &rdd, NULL);
    const spark_partitioner *placed = spk_verb_placed(&v, 0);
    const bool stay = placed && (partitions == 0 || partitions == placed->partitions);
    if (stay) {
        options.partitioner = placed; /* equal elements have equal keys */
    } else if (!v.bad && partitions == 0) {
        options.partitions = spk_rdd_planned(rdd, &failure);
        if (options.partitions < 0)
            spk_verb_fail_with(&v, &failure);
    }
    if (!v.bad)
        a = (spk_aggregator) { .start = SPK_START_NONE, .key = v.in, .in = v.in, .out = v.in };
    const spk_keyed k = { .kind = &spk_keyed_combine,
        .key = a.key,
        .out = a.out,
        .aggregator = &a,
        .options = &options,
        .drop = true,
        .stay = stay };
    return spk_keyed_new(&v, &k);
}
