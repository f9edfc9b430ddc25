/* SPDX-License-Identifier: Apache-2.0 */
/* Unions. The plain one only renumbers partitions, so it adds nothing to a task, however deep unions
 * nest; where all inputs are placed alike, partition i is the concatenation of theirs. */
#include "rdd/rdd.h"

#include <stdlib.h>

#include <spark/transform.h>

static spark_rdd *choose(spark_rdd *rdd, int partition, int *parent_partition)
{
    uint32_t i = 0;
    while (partition >= rdd->deps[i].rdd->partitions)
        partition -= rdd->deps[i++].rdd->partitions;
    *parent_partition = partition;
    return rdd->deps[i].rdd;
}

static spark_status prepare(spark_rdd *rdd, spk_failure *failure)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < rdd->n_deps; i++)
        sum += rdd->deps[i].rdd->partitions;
    if (sum > INT32_MAX)
        return spk_failure_set(failure, SPARK_EINVAL, rdd->operation, rdd->site,
            "union at %s: more than %d partitions", rdd->site, INT32_MAX);
    __atomic_store_n(&rdd->partitions, (int)sum, __ATOMIC_RELEASE);
    return SPARK_OK;
}

static bool pass(void *state, spk_batch batch)
{
    spk_pipe *pipe = state;
    return spk_push(pipe, batch.rows, batch.n);
}

static void produce(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    for (uint32_t i = 0; i < rdd->n_deps && !pipe->stopped; i++)
        if (!spk_chain_run(pipe->task, rdd->deps[i].rdd, partition, (spk_sink) { pass, pipe }))
            return;
}

static spark_status prepare_aware(spark_rdd *rdd, spk_failure *failure)
{
    (void)failure;
    __atomic_store_n(&rdd->partitions, rdd->partitioner->partitions, __ATOMIC_RELEASE);
    return SPARK_OK;
}

/* common: the partitioner all n have, or NULL. */
static const spark_partitioner *common(size_t n, spark_rdd *const *rdds)
{
    const spark_partitioner *first = n > 0 ? rdds[0]->partitioner : NULL;
    for (size_t i = 1; i < n && first; i++)
        if (!rdds[i]->partitioner || !spark_partitioner_equal(first, rdds[i]->partitioner))
            first = NULL;
    return first;
}

static int planned(size_t n, spark_rdd *const *rdds)
{
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (rdds[i]->planned < 0)
            return -1;
        sum += rdds[i]->planned;
    }
    return sum > INT32_MAX ? -1 : (int)sum;
}

spark_rdd *spark_union_all(spark_site at, spark_context *sc, size_t n, spark_rdd *const rdds[])
{
    static const spk_class plain = { .name = "UnionRDD", .choose = choose, .prepare = prepare };
    static const spk_class aware
        = { .name = "PartitionerAwareUnionRDD", .produce = produce, .prepare = prepare_aware };
    spk_verb v;
    bool made;
    size_t kept = 0;
    spark_rdd **parents = malloc((n + 1) * sizeof *parents);
    if (n == 0 || !parents || !rdds) {
        spk_verb_source(&v, at, "union", !sc && n > 0 && rdds && rdds[0] ? rdds[0]->sc : sc);
        spk_verb_fail(&v, parents ? SPARK_EINVAL : SPARK_ENOMEM,
            parents ? "no RDD is given" : "out of memory");
        free(parents);
        return spk_verb_make(&v, &plain, sizeof(spark_rdd), NULL, &made);
    }
    spk_verb_begin(&v, at, "union", NULL, n, rdds, true, NULL, 0);
    for (size_t i = 0; i < n && !v.bad; i++) {
        spk_verb_want(&v, v.in->type, rdds[i]->layout);
        if (rdds[i]->planned != 0)
            parents[kept++] = rdds[i];
    }
    if (kept == 0 && !v.bad)
        parents[kept++] = rdds[0];
    v.n = kept;
    v.parents = parents;
    const spark_partitioner *same = v.bad ? NULL : common(kept, parents);
    spark_rdd *rdd = spk_verb_make(&v, same ? &aware : &plain, sizeof(spark_rdd), v.in, &made);
    if (made) {
        spk_rdd_partitioner_set(rdd, same);
        rdd->planned = same ? same->partitions : planned(kept, parents);
    }
    free(parents);
    return rdd;
}

spark_rdd *spark_union(spark_site at, spark_rdd *a, spark_rdd *b)
{
    spark_rdd *both[] = { a, b };
    return spark_union_all(at, NULL, 2, both);
}
