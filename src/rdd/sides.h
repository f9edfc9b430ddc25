/* SPDX-License-Identifier: Apache-2.0 */
/* Sides: inputs that one task reads side by side, each placed by `target`: by a shuffle, or as it
 * is. Part of a node. */
#ifndef SPK_RDD_SIDES_H
#define SPK_RDD_SIDES_H

#include "rdd/verb.h"
#include "shuffle/input.h"

enum { SPK_MOST_SIDES = 4 };
typedef struct spk_sides {
    spark_partitioner *target;
    spk_shuffle *own[SPK_MOST_SIDES]; /* of narrow sides: how they are written */
} spk_sides;
/* spk_sides_target: the partitioner for all parents, or NULL when the verb has failed; a reference
 * of the caller's. */
SPK_COLD spark_partitioner *spk_sides_target(
    spk_verb *v, const spark_keyed_options *options, const spk_layout *key);
/* spk_sides_set: the target (a reference is taken) and planned partitions of a node that was made.
 * spk_sides_attach: side i as rows (row: what is written), combined by aggregator where that is not
 * NULL; elements: the key is the whole element, which partitioners of RDDs know nothing of. False: no
 * memory. */
SPK_COLD void spk_sides_set(spark_rdd *rdd, spk_sides *sides, spark_partitioner *target);
SPK_COLD bool spk_sides_attach(spark_rdd *rdd, spk_sides *sides, size_t i, const spk_layout *row,
    const spk_layout *key, const spk_aggregator *aggregator, bool elements);
void spk_sides_release(spk_sides *sides);
spark_status spk_sides_prepare(spark_rdd *rdd, const spk_sides *sides);
/* spk_sides_open: an input for each side. False: the task has failed, none is open. */
bool spk_sides_open(
    spk_pipe *pipe, spark_rdd *rdd, const spk_sides *sides, int partition, spk_input *inputs);
void spk_sides_close(const spark_rdd *rdd, spk_input *inputs);

#endif
