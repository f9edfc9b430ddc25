/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting, where the input may be computed for the sample alone. */
#ifndef SPK_RDD_SORTING_H
#define SPK_RDD_SORTING_H

#include "plan/rdd.h"

/* spk_sort_keeps: rdd, which spark_sort_by has just made, keeps what it samples while that is little, and shuffles
 * nothing then; errors pass through. */
void spk_sort_keeps(spark_rdd *rdd);

#endif
