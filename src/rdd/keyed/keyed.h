/* SPDX-License-Identifier: Apache-2.0 */
/* A wide operation on one RDD of pairs: one shuffle whose rows the reading task combines, groups,
 * sorts or passes on. */
#ifndef SPK_RDD_KEYED_KEYED_H
#define SPK_RDD_KEYED_KEYED_H

#include "plan/shuffle.h"
#include "rdd/verb.h"
#include "shuffle/input.h"

typedef struct spk_keyed_rdd {
    spark_rdd rdd;
    const struct spk_keyed_kind *kind;
    spk_aggregator aggregator;
    spark_group_def group;
    spk_ordering *ordering;
    spark_partitioner *target; /* where rows go; also the node's, unless it is dropped */
    spk_shuffle *own;          /* how a narrow dependency is written; else NULL */
    char *zero;
    size_t zero_capacity;
} spk_keyed_rdd;

/* spk_keyed_kind: what is made of the rows of a partition; each verb names its own, so that a program
 * links those it uses. spk_keyed_combine: into accumulators. */
typedef struct spk_keyed_kind {
    void (*read)(spk_pipe *pipe, spk_input *input, const spk_keyed_rdd *k, int partition);
    bool ordered; /* the order of the input is promised */
    bool dense;   /* the target is a dense partitioner */
} spk_keyed_kind;
extern const spk_keyed_kind spk_keyed_combine;

typedef struct spk_keyed {
    const spk_keyed_kind *kind;
    const spk_layout *key, *out;
    const spk_aggregator *aggregator; /* complete but for the functions' environments */
    const void *zero;                 /* of SPK_START_ZERO: an ACC, which the node copies */
    const spk_ordering *ordering;     /* copied, as is group; both may be NULL */
    const spark_group_def *group;
    const spark_keyed_options *options;
    bool drop; /* the result has no partitioner, once it is shuffled */
    bool lose; /* it has none in any case: its keys are others */
    bool stay; /* rows are placed by something else than the key; no shuffle */
} spk_keyed;
SPK_COLD spark_rdd *spk_keyed_new(spk_verb *v, const spk_keyed *k);

#endif
