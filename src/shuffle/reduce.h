/* SPDX-License-Identifier: Apache-2.0 */
/* What is made of the shards of a partition: combined rows, groups, or the rows as they are. Each
 * pushes its batches into a pipe and stops when nothing more is wanted. */
#ifndef SPK_SHUFFLE_REDUCE_H
#define SPK_SHUFFLE_REDUCE_H

#include "shuffle/input.h"

/* spk_reduce_combine: (K, ACC) for each key; rows come in as they were written. */
void spk_reduce_combine(spk_pipe *pipe, spk_input *input, const spk_aggregator *aggregator);

/* spk_reduce_dense: the same for keys placed by a dense partitioner, into arrays instead of tables;
 * rows go on in the order of the keys. */
void spk_reduce_dense(spk_pipe *pipe, spk_input *input, const spk_aggregator *aggregator,
    const spark_partitioner *dense, int partition);

/* spk_reduce_group: (K, list of V) for each key of the one input; of n inputs, up to 4: (K, lists
 * side by side). Keys in the order of their first occurrence, input after input. */
void spk_reduce_group(spk_pipe *pipe, spk_input *inputs, size_t n, const spk_layout *out);

/* spk_reduce_group_map: f called for each key, with an iterator over its values. */
void spk_reduce_group_map(spk_pipe *pipe, spk_input *input, const spark_group_def *f,
    const void *env, const spk_layout *out);

/* spk_reduce_subtract: the rows of left whose key is no row of right, whose rows are keys.
 * spk_reduce_intersect: the rows of left, which are keys, that right has too, each once. */
void spk_reduce_subtract(spk_pipe *pipe, spk_input *left, spk_input *right);
void spk_reduce_intersect(spk_pipe *pipe, spk_input *left, spk_input *right);

/* spk_reduce_pass: the rows, in order. */
void spk_reduce_pass(spk_pipe *pipe, spk_input *input);

/* spk_reduce_sort_by: the rows of a partition of one slice, sorted. */
void spk_reduce_sort_by(spk_pipe *pipe, spk_input *input, const spk_ordering *ordering);

/* spk_push_rows: rows that stand side by side, in batches. spk_push_shard: those of a shard. */
bool spk_push_rows(spk_pipe *pipe, char *rows, size_t n, size_t size);
bool spk_push_shard(spk_pipe *pipe, spk_shard *shard);

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
