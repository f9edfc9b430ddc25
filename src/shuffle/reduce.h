/* SPDX-License-Identifier: Apache-2.0 */
/* What is made of the shards of a partition: combined rows, groups, or the rows as they are. Each
 * pushes its batches into a pipe and stops when nothing more is wanted. */
#ifndef SPK_SHUFFLE_REDUCE_H
#define SPK_SHUFFLE_REDUCE_H

#include "shuffle/input.h"

/* spk_reduce_combine: (K, ACC) for each key; rows come in as they were written. */
void spk_reduce_combine(spk_pipe *pipe, spk_input *input, const spk_aggregator *aggregator);

/* spk_reduce_group: (K, list of V) for each key. */
void spk_reduce_group(spk_pipe *pipe, spk_input *input, const spk_layout *out);

/* spk_reduce_pass: the rows, in order. */
void spk_reduce_pass(spk_pipe *pipe, spk_input *input);

/* spk_reduce_sort: the rows of each shard in the order of the ranges, shard after shard. */
void spk_reduce_sort(spk_pipe *pipe, spk_input *input);

/* spk_reduce_join: f called for the matches of two inputs. */
typedef struct spk_joining {
    spark_join_def def;
    const void *env;
    spark_join_kind kind;
    const spk_layout *key, *left, *right, *out; /* left, right: rows (K, V), (K, W) */
    uint32_t left_value, right_value;           /* offsets */
} spk_joining;
void spk_reduce_join(spk_pipe *pipe, spk_input *left, spk_input *right, const spk_joining *joining);

#endif
