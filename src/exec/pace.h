/* SPDX-License-Identifier: Apache-2.0 */
/* How many rows make a batch: a task begins with few, and goes on with four times as many, or a quarter, as the last
 * ones were fast, for cancelling is noticed between batches. */
#ifndef SPK_EXEC_PACE_H
#define SPK_EXEC_PACE_H

#include "exec/task.h"

/* spk_task_pace: the batch before took so long. Called for each push of a source; a step whose elements are many rows
 * each keeps a pace of its own in task->push.batch_rows while it runs. */
void spk_task_pace(spark_task *task, int64_t ms);

#endif
