/* SPDX-License-Identifier: Apache-2.0 */
/* Some partitions of an RDD: a renumbering, nothing is computed for the others. */
#include <stdlib.h>

#include <spark/transform.h>

#include "rdd/narrow.h"
#include "rdd/verb.h"

typedef struct pruned_rdd {
    spark_rdd rdd;
    int first, n;
    int *kept; /* NULL: those from first on */
} pruned_rdd;

static spark_rdd *choose(spark_rdd *rdd, int partition, int *parent_partition)
{
    const pruned_rdd *p = SPK_NODE(pruned_rdd, rdd);
    *parent_partition = p->kept ? p->kept[partition] : p->first + partition;
    return rdd->deps[0].rdd;
}

static spark_status prune_prepare(spark_rdd *rdd, spk_failure *failure)
{
    const pruned_rdd *p = SPK_NODE(pruned_rdd, rdd);
    const int have = spk_rdd_partitions(rdd->deps[0].rdd);
    for (int i = 0; p->kept && i < p->n; i++)
        if (p->kept[i] < 0 || p->kept[i] >= have)
            return spk_failure_set(failure, SPARK_EINVAL, NULL, NULL,
                "Attempting to access a non-existent partition: %d of %d", p->kept[i], have);
    spk_rdd_partitions_set(rdd, p->n);
    return SPARK_OK;
}

static void prune_release(spark_rdd *rdd)
{
    free(SPK_NODE(pruned_rdd, rdd)->kept);
}

static const spk_class pruned_class = { .name = "PartitionPruningRDD",
    .choose = choose,
    .prepare = prune_prepare,
    .release = prune_release };

spark_rdd *spk_prune(const char *operation, spark_site at, spark_rdd *rdd, int first, int n)
{
    spk_verb v;
    bool made;
    spk_verb_begin(&v, at, operation, NULL, 1, &rdd, NULL);
    rdd = spk_verb_make(&v, &pruned_class, sizeof(pruned_rdd), v.in, &made);
    if (made) {
        pruned_rdd *p = SPK_NODE(pruned_rdd, rdd);
        p->first = first;
        p->n = n;
        rdd->planned = n;
    }
    return rdd;
}

spark_rdd *spark_prune_partitions(spark_site at, spark_rdd *rdd, size_t n, const int *partitions)
{
    spk_verb v;
    spk_failure failure;
    bool made;
    spk_verb_begin(&v, at, "prunePartitions", NULL, 1, &rdd, NULL);
    if (n > INT32_MAX || (n > 0 && !partitions))
        spk_verb_fail(&v, SPARK_EINVAL, "there is no list of the %zu partitions", n);
    rdd = spk_verb_make(&v, &pruned_class, sizeof(pruned_rdd), v.in, &made);
    if (!made)
        return rdd;
    pruned_rdd *p = SPK_NODE(pruned_rdd, rdd);
    p->kept = malloc((n + 1) * sizeof *p->kept);
    if (!p->kept) {
        spk_failure_nomem(&failure, NULL, NULL);
        return spk_verb_undo(&v, rdd, &failure);
    }
    if (n > 0)
        memcpy(p->kept, partitions, n * sizeof *p->kept);
    p->n = (int)n;
    rdd->planned = p->n;
    return rdd;
}
