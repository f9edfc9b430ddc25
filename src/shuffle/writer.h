/* SPDX-License-Identifier: Apache-2.0 */
/* The map side: the sink of a task that writes for a shuffle.
 *
 * window: rows collected before they are sealed into a run, whose end is decided by the data alone:
 * 65,536 keys or 4 MiB; raw window: one that does not combine, because combining did not shrink the
 * data; private output: what a narrow side of a join or group writes for its own task, and what a task
 * makes of a shard that it splits. */
#ifndef SPK_SHUFFLE_WRITER_H
#define SPK_SHUFFLE_WRITER_H

#include "shuffle/combine.h"
#include "shuffle/dense_window.h"
#include "storage/run.h"

/* spk_parting: how a shard is split: by the hash, `level` times after the slice; or by an order, where a
 * bound has a slice of its own: 2 i + 1 is what equals bound i, 2 i what is before it. */
typedef struct spk_parting {
    unsigned level;
    const struct spk_ranges *ranges; /* or NULL */
} spk_parting;

typedef struct spk_writer {
    spark_task *task;
    const spk_shuffle *shuffle;
    const spk_parting *parting; /* not NULL: rows come as they were written before */
    const uint64_t *given;      /* hashes of the rows that come, where they are known */
    size_t window_bytes;
    uint32_t partitions, slices, total; /* total: slices of all partitions */
    bool private;                       /* rows are of one partition, which is not told apart */
    bool combining, carry;              /* carry: runs hold hashes */
    bool borrow; /* what rows point to stays as long as the output: of a private one, raw */
    uint64_t window_rows;
    bool judged; /* the window's first keys have been, or need not be */
    uint32_t turn; /* of rows that are dealt out: the partition of the next one */
    bool has_combiner;
    spk_combiner combiner;
    bool early; /* the slices of such rows are looked for as they come, while they are near */
    bool may_be_dense, has_dense; /* once there are rows enough, a place for each key */
    spk_dense_window dense;
    struct { /* the window of rows as they come */
        char *rows;
        uint64_t *hashes;
        size_t n, max, capacity, hashes_capacity;
        uint64_t string_bytes;
        spk_arena strings;
        int left; /* such windows until combining is tried again */
    } raw;
    struct { /* of a window that is sealed: the slice of each row; what a slice has, where it ends; see scatter.h */
        uint32_t *ids, *counts;
        char *lines;
        size_t ids_capacity, counts_capacity, lines_capacity;
    } places;
    spk_map_output *output;
    spk_run **tail;
    uint32_t n_runs;
} spk_writer;

/* spk_writer_open: private: all rows are of one partition. False: the task has failed. */
SPK_COLD bool spk_writer_open(
    spk_writer *writer, spark_task *task, const spk_shuffle *shuffle, bool private);
/* spk_writer_split: a private one, for rows of a shard that are split into so many slices. They come by
 * spk_writer_put, with their hashes or NULL. */
bool spk_writer_split(spk_writer *writer, spark_task *task, const spk_shuffle *shuffle,
    uint32_t slices, const spk_parting *parting);
bool spk_writer_put(spk_writer *writer, char *rows, size_t n, const uint64_t *hashes);
spk_sink spk_writer_sink(spk_writer *writer);
/* spk_writer_close: seals what is left; the output, or NULL when the task has failed. */
spk_map_output *spk_writer_close(spk_writer *writer);
/* spk_writer_discard: instead of close. */
void spk_writer_discard(spk_writer *writer);

/* spk_partition_of: where a partitioner puts one key. False: the task has failed. */
bool spk_partition_of(spark_task *task, const spark_partitioner *partitioner, const spk_layout *key,
    const void *value, int *partition);

#endif
