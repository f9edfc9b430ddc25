/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs that the calling thread does alone: all that a scope starts which has been given an
 * spk_alone. */
#ifndef SPK_SCHEDULER_ALONE_H
#define SPK_SCHEDULER_ALONE_H

#include "scheduler/stage.h"

/* spk_alone: what such jobs run with. Hooks, so that programs that replay nothing do not link them.
 * again: a task of a stage is to be run (index -1: all that are unclaimed); next: runs one task,
 * with the scheduler's lock, which is given up meanwhile; false: there is none. */
struct spk_alone {
    spark_task *task;
    void (*again)(spk_stage *stage, int index);
    bool (*next)(spk_job *job);
    int most_failures; /* attempts of one task */
};

/* spk_alone_open: NULL: no memory. */
spk_alone *spk_alone_open(spark_context *sc);
void spk_alone_close(spk_alone *alone);

#endif
