/* SPDX-License-Identifier: Apache-2.0 */
/* The reduce side: a partition of a shuffle, shard by shard, in the order (map partition, run,
 * position). A narrow dependency reads the same way: the task writes the partition into a private
 * output first. */
#ifndef SPK_SHUFFLE_INPUT_H
#define SPK_SHUFFLE_INPUT_H

#include "exec/chain.h"
#include "exec/emit.h"
#include "storage/parcel.h"

/* spk_stored_slice: what a shard has of a parcel: the bytes of its slice on disk are from..to; block: these,
 * loaded, from the first segment that is wanted to the last; loads: how often they were. */
typedef struct spk_stored_slice {
    spk_parcel *parcel;
    bool pinned; /* it is in memory still */
    uint64_t from, to;
    char *block;
    size_t capacity, last; /* last: its last segment */
    unsigned loads;
} spk_stored_slice;

typedef struct spk_segment {
    char *rows;             /* NULL: on disk, not loaded */
    const uint64_t *hashes; /* or NULL */
    size_t n;
    uint64_t order; /* map partition, then run */
    uint32_t slot;  /* + 1, where it is on disk: */
    unsigned load;  /* the one that rows are of */
    char *alone;    /* where it is loaded apart from its slot: its block */
    size_t capacity;
    spk_extent extent;
} spk_segment;

typedef struct spk_shard {
    const struct spk_input *input;
    spk_segment *segments;
    size_t n_segments, max_segments;
    spk_stored_slice *slots; /* of the parcels of the input */
    uint32_t n_slots;
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
    spk_parcel **parcels; /* that some of it is in, and what was seen of their directories */
    spk_granule_seen **seen;
    uint32_t n_parcels;
    bool spilled; /* some of it is in parcels */
} spk_input;

/* spk_input_open: false: the task has failed, or task->lost says which shuffle lacks an output. */
SPK_COLD bool spk_input_open(
    spk_input *input, spark_task *task, const spk_dep *dep, spk_shuffle *as, int partition);
void spk_input_close(spk_input *input);

/* spk_input_adopt: an input that reads `output`, which becomes its own, as the one partition of a private
 * shuffle of so many slices. False: the task has failed. */
bool spk_input_adopt(spk_input *input, spark_task *task, spk_shuffle *shuffle,
    spk_map_output *output, uint32_t slices);

/* spk_input_shard: shard `slice` of the partition; false: the task has failed. Segments on disk are
 * loaded by spk_segment_load (false: the task has failed) and given up by spk_segment_unload, in their
 * order, or all at once by spk_shard_load, until the next shard. spk_shard_fini frees everything. */
bool spk_input_shard(const spk_input *input, uint32_t slice, spk_shard *shard);
bool spk_segment_load(spk_shard *shard, spk_segment *segment);
void spk_segment_unload(spk_shard *shard, spk_segment *segment);
/* spk_segment_goes: whether unloading it frees what it and those before it point to. */
static inline bool spk_segment_goes(const spk_shard *shard, const spk_segment *segment)
{
    return segment->alone
        || (segment->slot > 0 && segment == &shard->segments[shard->slots[segment->slot - 1].last]);
}
bool spk_shard_load(spk_shard *shard);
void spk_shard_fini(spk_shard *shard);

/* spk_shard_copy: all rows of the shard, side by side (shallow), and their hashes where they carry
 * some, in a block of the heap; what they point to stays loaded until the next shard. False: the task
 * has failed. */
typedef struct spk_shard_rows {
    char *rows;
    uint64_t *hashes;
    size_t n, capacity;
} spk_shard_rows;
bool spk_shard_copy(spk_shard *shard, bool hashes, spk_shard_rows *rows);

#endif
