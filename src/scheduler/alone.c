/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that drives a job does its tasks too, one after the other: a stage that would go to
 * the workers goes on a list of the job, and the driver takes a task from it whenever it has
 * nothing to decide. Stages, losses and missing outputs are looked at as ever, so this needs no
 * rules of its own. */
#include "scheduler/alone.h"

#include <stdlib.h>

static bool has_task(const spk_task_set *set)
{
    return set->n_retries > 0 || atomic_load(&set->cursor) < set->n;
}

static int take_task(spk_task_set *set)
{
    return set->n_retries > 0 ? set->retries[--set->n_retries] : atomic_fetch_add(&set->cursor, 1);
}

static void again(spk_stage *stage, int index)
{
    spk_job *job = stage->job;
    if (index >= 0)
        stage->set.retries[stage->set.n_retries++] = index;
    if (stage->has_turn)
        return;
    stage->has_turn = true;
    stage->next_turn = job->first_turn;
    job->first_turn = stage;
}

static bool next(spk_job *job)
{
    spk_stage *stage = job->first_turn;
    while (stage && !has_task(&stage->set)) {
        stage->has_turn = false;
        job->first_turn = stage = stage->next_turn;
    }
    if (!stage)
        return false;
    const int index = take_task(&stage->set);
    pthread_mutex_unlock(&job->scheduler->lock);
    spk_attempt_run(&stage->set, job->properties.alone->task, index);
    pthread_mutex_lock(&job->scheduler->lock);
    return true;
}

spk_alone *spk_alone_open(spark_context *sc)
{
    enum { ONCE_MORE = 2 }; /* to find the record */
    spk_alone *alone = calloc(1, sizeof *alone);
    spark_task *task = spk_task_new(sc);
    if (!alone || !task) {
        free(alone);
        spk_task_free(task);
        return NULL;
    }
    *alone = (spk_alone) { task, again, next, ONCE_MORE };
    return alone;
}

void spk_alone_close(spk_alone *alone)
{
    spk_task_free(alone->task);
    free(alone);
}
