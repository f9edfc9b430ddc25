/* SPDX-License-Identifier: Apache-2.0 */
/* Merge functions bound to their types: a built-in becomes the typed loop for the accumulator's
 * kind. */
#ifndef SPK_SHUFFLE_MERGE_H
#define SPK_SHUFFLE_MERGE_H

#include "plan/shuffle.h"

/* spk_merging_bind: SPARK_ETYPE with *failure filled when the function does not take accumulators
 * of layout acc and elements of layout in. env is the value of the bound environment. */
SPK_COLD spark_status spk_merging_bind(spk_merging *merging, const spark_merge_def *def,
    const void *env, const spk_layout *acc, const spk_layout *in, spk_failure *failure);

/* spk_sum_i64: adds int64_t, as spark_op_sum does, for accumulators of any type that are one. */
extern const spark_merge_def spk_sum_i64[1];

/* spk_merging_is_sum_i64: whether it adds int64_t. */
bool spk_merging_is_sum_i64(const spk_merging *merging);

#endif
