/* SPDX-License-Identifier: Apache-2.0 */
/* An RDD whose rows lie where a partitioner would put them already: no more than that is said, so
 * that what comes later need not shuffle. Check mode asks the partitioner for every key. */
#include <spark/keyed.h>

#include "plan/partitioner.h"
#include "rdd/verb.h"
#include "shuffle/writer.h"

static void look(spk_pipe *pipe, const spk_op *op, const char *row, size_t i)
{
    char key[80];
    int place;
    const spk_layout *layout = op->rdd->layout->key;
    if (!spk_partition_of(pipe->task, op->rdd->partitioner, layout, row, &place)) {
        spk_locate(pipe->task, (int64_t)(op->seen + i));
        return;
    }
    if (place == op->partition)
        return;
    const size_t n = spk_value_print(layout, row, key, sizeof key - 1);
    key[n < sizeof key ? n : sizeof key - 1] = '\0';
    spk_task_fail(pipe->task, SPARK_ETASK, "the key %s is in partition %d, and its place is %d",
        key, op->partition, place);
    spk_locate(pipe->task, (int64_t)(op->seen + i));
}

static void run_assumed(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    for (size_t i = 0; pipe->task->check.on && i < batch->n && !spk_task_failed(pipe->task); i++)
        look(pipe, op, batch->rows + i * op->rdd->layout->size, i);
}

static spark_status assume_prepare(spark_rdd *rdd, spk_failure *failure)
{
    const int have = spk_rdd_partitions(rdd->deps[0].rdd), want = rdd->partitioner->partitions;
    if (have != want) {
        spk_failure_set(failure, SPARK_EINVAL, NULL, NULL,
            "there are %d partitions, and the partitioner has %d", have, want);
        spk_rdd_blame(rdd, failure);
        return SPARK_EINVAL;
    }
    spk_rdd_partitions_set(rdd, have);
    return SPARK_OK;
}

spark_rdd *spark_assume_partitioner(spark_site at, spark_rdd *rdd, const spark_partitioner *p)
{
    static const spk_class class
        = { .name = "MapPartitionsRDD", .run = run_assumed, .prepare = assume_prepare };
    spk_verb v;
    bool made;
    spk_verb_begin(&v, at, "assumePartitioner", NULL, 1, &rdd, NULL);
    spk_verb_pairs(&v, v.in);
    if (!p)
        spk_verb_fail(&v, SPARK_EINVAL, "the partitioner is NULL");
    spk_verb_target(&v, p, v.bad ? NULL : v.in->key);
    if (!v.bad && spark_partitioner_partitions(p) < 0)
        spk_verb_fail(&v, SPARK_EINVAL, "the partitioner is of a sort that has not been prepared");
    rdd = spk_verb_make(&v, &class, sizeof(spark_rdd), v.in, &made);
    if (made) {
        spk_rdd_partitioner_set(rdd, p);
        rdd->planned = p->partitions;
    }
    return rdd;
}
