/* SPDX-License-Identifier: Apache-2.0 */
/* The reduce side: a partition of a shuffle, shard by shard, in the order (map partition, run,
 * position). A narrow dependency reads the same way: the task writes the partition into a private
 * output first. */
#ifndef SPK_SHUFFLE_INPUT_H
#define SPK_SHUFFLE_INPUT_H

#include "exec/task.h"
#include "storage/run.h"

typedef struct spk_segment {
    char *rows;             /* NULL: on disk, not loaded */
    const uint64_t *hashes; /* or NULL */
    size_t n;
    const spk_run *run; /* on disk: slice `slice` of it, of output `output` */
    uint32_t slice;
    int output;
    size_t capacity; /* of the block that was loaded */
} spk_segment;

typedef struct spk_shard {
    spk_heap *heap;
    spk_segment *segments;
    size_t n_segments, max_segments;
    uint64_t n, bytes; /* rows, and an estimate of all they hold, which depends on data alone */
} spk_shard;

typedef struct spk_input {
    spark_task *task;
    spk_shuffle *shuffle;
    spk_map_output **outputs;
    int n_outputs;
    spk_map_output *private;
    spk_block *block; /* what rows of `private` may point into; or NULL */
    uint32_t first, slices;
    bool reading;
    bool spilled; /* some of it is on disk */
} spk_input;

/* spk_input_open: false: the task has failed, or task->lost says which shuffle lacks an output. */
bool spk_input_open(
    spk_input *input, spark_task *task, const spk_dep *dep, spk_shuffle *as, int partition);
void spk_input_close(spk_input *input);

/* spk_input_shard: shard `slice` of the partition; false: no memory. Segments on disk are loaded by
 * spk_segment_load (false: the task has failed) and given up by spk_segment_unload, or all at once by
 * spk_shard_load, until the next shard. spk_shard_fini frees everything. */
bool spk_input_shard(const spk_input *input, uint32_t slice, spk_shard *shard);
bool spk_segment_load(const spk_input *input, spk_segment *segment);
void spk_segment_unload(const spk_input *input, spk_segment *segment);
bool spk_shard_load(const spk_input *input, spk_shard *shard);
void spk_shard_fini(spk_shard *shard);

/* spk_shard_copy: all rows of the shard, side by side (shallow), and their hashes where they carry
 * some, in a block of the heap. False: no memory. */
typedef struct spk_shard_rows {
    char *rows;
    uint64_t *hashes;
    size_t n, capacity;
} spk_shard_rows;
bool spk_shard_copy(
    const spk_shard *shard, spark_task *task, size_t row_size, bool hashes, spk_shard_rows *rows);

#endif
