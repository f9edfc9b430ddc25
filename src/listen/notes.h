/* SPDX-License-Identifier: Apache-2.0 */
/* What is noted of an attempt while it runs, for its end; and what that adds to its stage. Without memory it
 * is left out. */
#ifndef SPK_LISTEN_NOTES_H
#define SPK_LISTEN_NOTES_H

#include "exec/pipe.h"
#include "listen/queue.h"

/* spk_heard_sum: what was added to an accumulator. */
typedef struct spk_heard_sum {
    int64_t id, i64;
    double f64;
    bool is_whole; /* the first of the two counts */
    const char *name;
} spk_heard_sum;

/* spk_heard_sums: by id; names are owned where `owns` says so. next: where the next one will be, if they come in the
 * order in which they came before. */
typedef struct spk_heard_sums {
    spk_heard_sum *at;
    size_t n, max, next;
    bool owns;
} spk_heard_sums;

/* spk_rows_table: by RDD. slots: indexes + 1, twice as many as there is room, or NULL where they are few. */
typedef struct spk_rows_table {
    spark_rdd_rows *at;
    int64_t end_ns; /* of the tasks, beside what making rows has taken */
    uint32_t *slots;
    size_t n, max;
} spk_rows_table;

/* spk_notes: profile: of what it has written for a shuffle; whoever has made it frees it. next: of those of a bus,
 * which has them until it ends: a worker's are used again. */
typedef struct spk_notes {
    struct spk_notes *next;
    spk_stopwatch watch;
    spk_heard_sums sums, counted; /* counted: by the processor: the stage alone is told of these */
    spk_rows_table rows;
    struct spk_profile *profile;
} spk_notes;

/* spk_notes_clear: nothing is noted any more. spk_notes_free: all of a list. spk_notes_pipe: the rows of a pipe that
 * has ended. */
void spk_notes_clear(spk_notes *notes);
SPK_COLD void spk_notes_free(spk_notes *list);
void spk_notes_pipe(spk_notes *notes, const spk_pipe *pipe);

/* spk_heard_sums_add: the sum so far; NULL: no memory. _tell: as texts in a pad; of: those of a stage, which `sums` are
 * added to: then they are the updates, and the values are of `of`. */
const spk_heard_sum *spk_heard_sums_add(spk_heard_sums *sums, const spk_heard_sum *more);
SPK_COLD spark_accumulable *spk_heard_sums_tell(const spk_heard_sums *sums, spk_heard_sums *of, spk_pad *pad);
SPK_COLD void spk_heard_sums_fini(spk_heard_sums *sums);

/* spk_rows_add. spk_rows_tell: those of a stage, in the order of their ids. */
void spk_rows_add(spk_rows_table *table, const spark_rdd_rows *more);
SPK_COLD spark_rdd_rows *spk_rows_tell(const spk_rows_table *table, spk_pad *pad);
SPK_COLD void spk_rows_table_fini(spk_rows_table *table);

#endif
