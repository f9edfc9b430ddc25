/* SPDX-License-Identifier: Apache-2.0 */
/* coalesce without a shuffle: group i of n is the parents from i * P / n on (Spark's rule without
 * locality), one after the other. */
#include "rdd/rdd.h"

#include <spark/transform.h>

typedef struct coalesced_rdd {
    spark_rdd rdd;
    int asked;
} coalesced_rdd;

static bool pass(void *state, spk_batch batch)
{
    return spk_push(state, batch.rows, batch.n);
}

static void produce(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    spark_rdd *parent = rdd->deps[0].rdd;
    const int64_t parents = parent->partitions, n = rdd->partitions;
    const int64_t to = (partition + 1) * parents / n;
    for (int64_t p = partition * parents / n; p < to && !pipe->stopped; p++)
        if (!spk_chain_run(pipe->task, parent, (int)p, (spk_sink) { pass, pipe }))
            return;
}

static spark_status prepare(spark_rdd *rdd, spk_failure *failure)
{
    (void)failure;
    const int asked = ((coalesced_rdd *)(void *)rdd)->asked, have = rdd->deps[0].rdd->partitions;
    __atomic_store_n(&rdd->partitions, asked < have ? asked : have, __ATOMIC_RELEASE);
    return SPARK_OK;
}

spark_rdd *spark_coalesce(spark_site at, spark_rdd *rdd, int partitions)
{
    static const spk_class class = {
        .name = "CoalescedRDD", .produce = produce, .prepare = prepare
    };
    spk_verb v;
    bool made;
    spk_verb_begin(&v, at, "coalesce", NULL, 1, &rdd, true, NULL, 0);
    if (partitions < 1)
        spk_verb_fail(&v, SPARK_EINVAL, "%d partitions; there must be at least one", partitions);
    spark_rdd *parent = rdd;
    rdd = spk_verb_make(&v, &class, sizeof(coalesced_rdd), v.in, &made);
    if (made) {
        ((coalesced_rdd *)(void *)rdd)->asked = partitions;
        rdd->planned = parent->planned < partitions ? parent->planned : partitions;
    }
    return rdd;
}
