/* SPDX-License-Identifier: Apache-2.0 */
/* Steps that work on the whole partition: its rows are gathered, and the work is done at the end. */
#include "exec/drained.h"

static void free_rows(void *data)
{
    spk_rows_fini(data);
}

bool spk_rows_defer(spark_task *task, spk_rows *rows)
{
    spark_defer(task, free_rows, rows);
    return !spk_task_failed(task);
}

bool spk_drained_open(spk_pipe *pipe, spk_op *op)
{
    spark_task *task = pipe->task;
    spk_drained *state = spk_arena_alloc(spk_keep_of(task), sizeof *state, 16);
    if (!state) {
        spk_task_nomem(task);
        return false;
    }
    spk_rows_init(&state->rows, task->heap, op->rdd->deps[0].rdd->layout);
    op->state = state;
    return spk_rows_defer(task, &state->rows) && (state->arenas = spk_step_arenas(task)) != NULL;
}

void spk_drained_run(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    spk_drained *state = op->state;
    if (!spk_rows_append(&state->rows, batch->rows, batch->n))
        spk_task_nomem(pipe->task);
    batch->n = 0;
}
