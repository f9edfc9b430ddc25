/* SPDX-License-Identifier: Apache-2.0 */
/* combine_by_key, and reduce_by_key, with accumulators that grow. */
#ifndef SPK_RDD_GROWING_H
#define SPK_RDD_GROWING_H

#include "shuffle/growing.h"

/* spk_combined_growing: rdd, which spark_combine_by_key or spark_reduce_by_key has just made, combines by these functions
 * in place of those it was given; errors pass through. growing must stay. */
void spk_combined_growing(spark_rdd *rdd, const struct spk_growing *growing);

#endif
