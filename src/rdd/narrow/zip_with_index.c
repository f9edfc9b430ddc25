/* SPDX-License-Identifier: Apache-2.0 */
/* Elements with their numbers. For consecutive ones, what stands in the partitions before must be
 * known: a job counts them when the RDD is prepared. */
#include <stdlib.h>

#include <spark/transform.h>

#include "rdd/action.h"
#include "rdd/verb.h"

typedef struct index_rdd {
    spark_rdd rdd;
    int64_t *starts; /* of each partition; NULL: unique ids */
} index_rdd;

static void run_index(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const index_rdd *r = SPK_NODE(index_rdd, op->rdd);
    const spk_layout *pair = op->rdd->layout;
    const size_t in_size = pair->key->size;
    const spk_batch in = *batch;
    const int64_t n = spk_rdd_partitions(op->rdd);
    const int64_t first = r->starts ? r->starts[op->partition] + (int64_t)op->seen
                                    : op->partition + (int64_t)op->seen * n;
    const int64_t step = r->starts ? 1 : n;
    char *out = spk_pipe_alloc(pipe, in.n * pair->size + 1);
    *batch = (spk_batch) { out, out ? in.n : 0 };
    if (out)
        memset(out, 0, in.n * pair->size);
    for (size_t i = 0; i < batch->n; i++, out += pair->size) {
        const int64_t index = first + (int64_t)i * step;
        memcpy(out, in.rows + i * in_size, in_size);
        memcpy(out + pair->value_offset, &index, sizeof index);
    }
}

/* count: where each partition but the first begins. */
static spark_status count(spark_rdd *rdd, int64_t *starts, spk_failure *failure)
{
    spark_rdd *parent = rdd->deps[0].rdd;
    const int n = spk_rdd_partitions(parent) - 1;
    int64_t all;
    const spark_status status
        = spk_count_rows(rdd->operation, rdd->site, parent, n, starts + 1, &all, failure);
    for (int i = 0; status == SPARK_OK && i < n; i++)
        starts[i + 1] += starts[i];
    return status;
}

static spark_status zip_with_index_prepare(spark_rdd *rdd, spk_failure *failure)
{
    index_rdd *r = SPK_NODE(index_rdd, rdd);
    const int n = spk_rdd_partitions(rdd->deps[0].rdd);
    int64_t *starts = calloc((size_t)n + 1, sizeof *starts);
    if (!starts)
        return spk_failure_nomem(failure, NULL, NULL);
    const spark_status status = n > 1 ? count(rdd, starts, failure) : SPARK_OK;
    if (status != SPARK_OK) {
        free(starts);
        return status;
    }
    r->starts = starts;
    spk_rdd_partitions_set(rdd, n);
    return SPARK_OK;
}

static void zip_with_index_release(spark_rdd *rdd)
{
    free(SPK_NODE(index_rdd, rdd)->starts);
}

static spark_rdd *numbered(
    spark_site at, spark_rdd *rdd, const char *operation, const spk_class *class)
{
    spk_verb v;
    bool made;
    spk_verb_begin(&v, at, operation, NULL, 1, &rdd, NULL);
    const spk_layout *index = spk_verb_layout(&v, SPARK_TYPE(int64_t));
    const spk_layout *out = v.bad ? NULL : spk_verb_pair(&v, v.in, index);
    spark_rdd *parent = rdd;
    rdd = spk_verb_make(&v, class, sizeof(index_rdd), out, &made);
    if (made)
        rdd->planned = parent->planned;
    return rdd;
}

spark_rdd *spark_zip_with_index(spark_site at, spark_rdd *rdd)
{
    static const spk_class class = { .name = "ZippedWithIndexRDD",
        .run = run_index,
        .prepare = zip_with_index_prepare,
        .release = zip_with_index_release };
    return numbered(at, rdd, "zipWithIndex", &class);
}

spark_rdd *spark_zip_with_unique_id(spark_site at, spark_rdd *rdd)
{
    static const spk_class class = { .name = "MapPartitionsRDD", .run = run_index };
    return numbered(at, rdd, "zipWithUniqueId", &class);
}
