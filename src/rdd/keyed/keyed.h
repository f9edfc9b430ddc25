/* SPDX-License-Identifier: Apache-2.0 */
/* A wide operation on one RDD of pairs: one shuffle whose rows the reading task combines, groups,
 * sorts or passes on. */
#ifndef SPK_RDD_KEYED_KEYED_H
#define SPK_RDD_KEYED_KEYED_H

#include "rdd/verb.h"

typedef enum spk_keyed_kind {
    SPK_KEYED_COMBINE,
    SPK_KEYED_COMBINE_DENSE,
    SPK_KEYED_GROUP,
    SPK_KEYED_GROUP_MAP,
    SPK_KEYED_PASS,
    SPK_KEYED_SORT
} spk_keyed_kind;
typedef struct spk_keyed {
    spk_keyed_kind kind;
    const spk_layout *key, *out;
    const spk_aggregator *aggregator; /* complete but for the functions' environments */
    const void *zero;                 /* of SPK_START_ZERO: an ACC, which the node copies */
    const spk_ordering *ordering;     /* of SPK_KEYED_SORT */
    const spark_group_def *group;     /* of SPK_KEYED_GROUP_MAP */
    const spark_keyed_options *options;
    bool drop; /* the result has no partitioner, once it is shuffled */
    bool lose; /* it has none in any case: its keys are others */
    bool stay; /* rows are placed by something else than the key; no shuffle */
} spk_keyed;
spark_rdd *spk_keyed_new(spk_verb *v, const spk_keyed *k);

#endif
