/* SPDX-License-Identifier: Apache-2.0 */
/* Partitions that are drained: onto a tape, from which they are read when all rows are there. */
#ifndef SPK_EXEC_DRAINED_H
#define SPK_EXEC_DRAINED_H

#include "exec/emit.h"
#include "exec/iterator.h"
#include "storage/tape.h"

/* spk_drained: the state of a step that reads the whole partition, once all of its rows are on the tape,
 * when `finish` is called. open and run are those of such a class. */
typedef struct spk_drained {
    spk_tape tape;
    spk_tape_reader reader; /* for finish: what it has read stays until the chain ends */
    spk_arena *arenas;      /* for spk_out_open */
} spk_drained;
SPK_COLD bool spk_drained_open(spk_pipe *pipe, spk_op *op);
void spk_drained_run(spk_pipe *pipe, spk_op *op, spk_batch *batch);

/* spk_drain: appends to a tape. False: the task has failed. */
bool spk_drain(spark_task *task, spk_tape *tape, const char *rows, size_t n);

/* spk_chain_drain: a partition on a tape, which is the caller's. False: the task has failed. */
bool spk_chain_drain(spark_task *task, spark_rdd *rdd, int partition, spk_tape *tape);

/* spk_iterator_tape: over what a reader reads; both stay until the iterator is not used any more. What
 * was emitted through `out` has passed on before memory is taken back that it may point to. */
spark_iterator spk_iterator_tape(
    spark_task *task, spk_tape_reader *reader, spark_emitter *out);

#endif
