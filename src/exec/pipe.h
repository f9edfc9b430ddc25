/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room tell each other about pipes. */
#ifndef SPK_EXEC_PIPE_H
#define SPK_EXEC_PIPE_H

#include "exec/step.h"

bool spk_pipe_open(spk_pipe *pipe);
/* spk_pipe_finish: the end of the partition, step by step. */
void spk_pipe_finish(spk_pipe *pipe);

/* spk_task_on_new_stack: calls run(data) on another thread, whose stack is unused, and waits for it.
 * False: there is no thread; the task has failed. */
SPK_COLD bool spk_task_on_new_stack(spark_task *task, void (*run)(void *data), void *data);

/* spk_task_close_outs: nothing more is wanted of any emitter of the attempt. */
void spk_task_close_outs(spark_task *task);
/* spk_out_nudge: makes the open emitter flush at the next element, when its strings have grown. */
void spk_out_nudge(spark_task *task);
/* spk_check_begin: finds the thread's stack. spk_check_retire: poisons what the arena handed out,
 * and keeps it from being used again for a while; the arena is empty then. */
void spk_check_begin(spark_task *task);
void spk_check_retire(spark_task *task, spk_arena *arena);

#endif
