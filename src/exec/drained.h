/* SPDX-License-Identifier: Apache-2.0 */
/* Steps that work on the whole partition. */
#ifndef SPK_EXEC_DRAINED_H
#define SPK_EXEC_DRAINED_H

#include "exec/emit.h"

/* spk_drained: the state of a step that works on the whole partition: its rows, all of them when
 * `finish` is called. open and run are those of such a class. */
typedef struct spk_drained {
    spk_rows rows;
    spk_arena *arenas; /* for spk_out_open */
} spk_drained;
SPK_COLD bool spk_drained_open(spk_pipe *pipe, spk_op *op);
void spk_drained_run(spk_pipe *pipe, spk_op *op, spk_batch *batch);
/* spk_rows_defer: the list is freed when the attempt ends. False: it has failed. */
bool spk_rows_defer(spark_task *task, spk_rows *rows);

#endif
