/* SPDX-License-Identifier: Apache-2.0 */
/* The stages that an action on an RDD would have, found without the scheduler. */
#ifndef SPK_RDD_NODE_EXPLAIN_PLAN_H
#define SPK_RDD_NODE_EXPLAIN_PLAN_H

#include "plan/shuffle.h"

/* spk_plan_stage: members: its RDDs, the last one first, over edges without a shuffle; parents:
 * stages, as indexes. live: of members (the first ones) that would be computed or read; those
 * above cached ones are not. */
typedef struct spk_plan_stage {
    const spk_shuffle *shuffle; /* that it fills; NULL: the result stage */
    spark_rdd *rdd;
    int number;
    bool needed, complete;
    spark_rdd **members;
    bool *live;
    size_t n_members, max_members;
    int *parents;
    bool *live_parents; /* of those: some RDD that reads it is live */
    size_t n_parents, max_parents;
} spk_plan_stage;

typedef struct spk_plan {
    spk_plan_stage *stages; /* the result stage first */
    size_t n, max;
    int *by_number; /* indexes of stages */
} spk_plan;

/* spk_plan_make: of a prepared RDD; under plan_lock. False: no memory. spk_plan_of: of a shuffle,
 * NULL: the result; by its index; -1: there is none. */
SPK_COLD bool spk_plan_make(spk_plan *plan, spark_rdd *rdd);
SPK_COLD int spk_plan_of(const spk_plan *plan, const spk_shuffle *shuffle);
SPK_COLD void spk_plan_fini(spk_plan *plan);

/* spk_plan_cached: all partitions of it are there. */
SPK_COLD bool spk_plan_cached(const spark_rdd *rdd);

#endif
