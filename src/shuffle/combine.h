/* SPDX-License-Identifier: Apache-2.0 */
/* Combining: rows into a table by key, values into accumulators.
 *
 * phase: ADD on the map side (values into accumulators), COMBINE on the reduce side (accumulators
 * into accumulators); it decides of what type the rows are that come in. */
#ifndef SPK_SHUFFLE_COMBINE_H
#define SPK_SHUFFLE_COMBINE_H

#include "shuffle/table.h"

typedef enum spk_phase { SPK_ADD, SPK_COMBINE } spk_phase;

typedef struct spk_combiner {
    spark_task *task;
    const spk_aggregator *aggregator;
    spk_start start;               /* of a new row; to COMBINE is to start from the ACC that comes */
    const spk_layout *row, *value; /* that come in: (K, V) to ADD, (K, ACC) to COMBINE; value or NULL */
    const spk_merging *merging;
    spk_table table;
    spk_value_move move;
    spk_summing fused; /* merged while probing */
    spk_found found;
    void **accs;
    char *gathered; /* values of hits, side by side; or one ACC as it was */
    size_t gathered_max;
    spk_arena scratch; /* what functions allocate for accumulators with views */
    size_t compact_at; /* accumulators that grow: bytes of the table from which it is compacted */
    void *block;       /* holds the arrays */
    size_t block_capacity;
} spk_combiner;

/* spk_combiner_open: false: the task has failed. borrow: what keys point to stays until the table is
 * cleared. */
SPK_COLD bool spk_combiner_open(spk_combiner *combiner, spark_task *task,
    const spk_aggregator *aggregator, spk_phase phase, bool borrow);
void spk_combiner_close(spk_combiner *combiner);

/* spk_combine_one: takes one row: 1; 0: the table is full, or holds bytes_limit; SIZE_MAX: as below. */
typedef size_t spk_combine_one(spk_combiner *combiner, const char *row, const uint64_t *hash,
    uint32_t limit, uint64_t bytes_limit);

/* spk_combiner_add: n rows, at most a batch. Returns how many were taken before the table held
 * `limit` rows or bytes_limit bytes; SIZE_MAX: the task has failed. hashes may be NULL. */
size_t spk_combiner_add(spk_combiner *combiner, const char *rows, size_t n, const uint64_t *hashes,
    uint32_t limit, uint64_t bytes_limit);

/* spk_aggregator_create: rows out (as many accumulators) made of n rows in, without combining. */
void spk_aggregator_create(
    const spk_aggregator *aggregator, spark_task *task, const char *in, size_t n, char *out);

#endif
