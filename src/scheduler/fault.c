/* SPDX-License-Identifier: Apache-2.0 */
/* The fault plan: which attempt fails or loses its inputs is a function of the plan and the
 * numbers of job, stage, partition and attempt, never of time or threads. */
#include "base/faults.h"
#include "scheduler/stage.h"

static bool here(const spark_fault *f, const spk_stage *stage, int partition, int attempt)
{
    return spk_fault_matches(f->job, stage->job->id) && spk_fault_matches(f->stage, stage->position)
        && spk_fault_matches(f->partition, partition) && spk_fault_matches(f->attempt, attempt);
}

/* drawn: kind tells the three coins apart. */
static bool drawn(
    const spark_fault *f, const spk_stage *stage, int partition, int attempt, unsigned kind)
{
    return f->kind == SPARK_FAULT_RANDOM
        && attempt + 1 < stage->job->scheduler->sc->task_max_failures
        && spk_fault_drawn(f, stage->job->id, stage->position, partition, attempt, kind);
}

bool spk_fault_task(const spk_stage *stage, int partition, int attempt)
{
    const spark_context *sc = stage->job->scheduler->sc;
    if (atomic_load_explicit(&sc->faults_off, memory_order_relaxed) || stage->job->properties.alone)
        return false;
    for (size_t i = 0; i < sc->n_faults; i++)
        if (sc->faults[i].kind == SPARK_FAULT_TASK
                ? here(&sc->faults[i], stage, partition, attempt)
                : drawn(&sc->faults[i], stage, partition, attempt, 0))
            return true;
    return false;
}

/* drop_outputs: of every shuffle the stage reads; `modulo`: output counts round. The list of
 * inputs may grow, under the scheduler's lock. */
static void drop_outputs(const spk_stage *stage, int output, bool modulo)
{
    pthread_mutex_lock(&stage->job->scheduler->lock);
    for (size_t i = 0; i < stage->n_inputs; i++) {
        spk_shuffle *shuffle = stage->inputs[i].shuffle;
        if (shuffle->maps > 0)
            spk_shuffle_drop(shuffle, modulo ? output % shuffle->maps : output);
    }
    pthread_mutex_unlock(&stage->job->scheduler->lock);
}

void spk_fault_inputs(const spk_stage *stage, spark_task *task, int partition, int attempt)
{
    const spark_context *sc = stage->job->scheduler->sc;
    if (atomic_load_explicit(&sc->faults_off, memory_order_relaxed))
        return;
    for (size_t i = 0; i < sc->n_faults; i++) {
        const spark_fault *f = &sc->faults[i];
        if ((f->kind == SPARK_FAULT_BLOCK && here(f, stage, partition, attempt))
            || drawn(f, stage, partition, attempt, 1))
            task->drop_blocks = true;
        if (f->kind == SPARK_FAULT_SHUFFLE && here(f, stage, partition, attempt))
            drop_outputs(stage, f->output, false);
        else if (attempt == 0 && drawn(f, stage, partition, attempt, 2))
            drop_outputs(stage, partition, true);
    }
}
