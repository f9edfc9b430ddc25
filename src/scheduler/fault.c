/* SPDX-License-Identifier: Apache-2.0 */
/* The fault plan: which attempt fails or loses its inputs is a function of the plan and the
 * numbers of job, stage, partition and attempt, never of time or threads. */
#include "base/faults.h"
#include "scheduler/stage.h"

#include <time.h>

static bool here(const spark_fault *f, const spk_stage *stage, int partition, int attempt)
{
    return spk_fault_matches(f->job, stage->job->id) && spk_fault_matches(f->stage, stage->position)
        && spk_fault_matches(f->partition, partition) && spk_fault_matches(f->attempt, attempt);
}

/* drawn: a coin that falls the same way for the same numbers; kind tells the coins apart. */
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
    for (size_t i = 0; i < stage->graph.n_inputs; i++) {
        spk_shuffle *shuffle = stage->graph.inputs[i].shuffle;
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
            task->blocks.drop = true;
        if (f->kind == SPARK_FAULT_SHUFFLE && here(f, stage, partition, attempt))
            drop_outputs(stage, f->output, false);
        else if (attempt == 0 && drawn(f, stage, partition, attempt, 2))
            drop_outputs(stage, partition, true);
    }
}

/* lose_executor: that of the attempt. Where no other could be started, it goes on. */
static void lose_executor(const spk_stage *stage, const spark_task *task)
{
    spk_failure failure;
    if (task->executor && !spk_task_unwanted(task))
        spk_lose_executor(
            stage->job->scheduler, task->executor->name, "killed by the fault plan", &failure);
}

/* delay: the attempt, as long as it is wanted and in time; ms < 0: for ever. */
static void delay(spark_task *task, int ms)
{
    const struct timespec a_while = { 0, 1000000 };
    for (int passed = 0; (ms < 0 || passed < ms) && !spk_task_over(task); passed++)
        nanosleep(&a_while, NULL);
}

void spk_fault_moment(const spk_stage *stage, spark_task *task, spark_fault_when when)
{
    const spark_context *sc = stage->job->scheduler->sc;
    if (atomic_load_explicit(&sc->faults_off, memory_order_relaxed))
        return;
    for (size_t i = 0; i < sc->n_faults; i++) {
        const spark_fault *f = &sc->faults[i];
        const bool is_here = here(f, stage, task->partition, task->attempt);
        if (f->kind == SPARK_FAULT_EXECUTOR ? is_here && f->when == when
                                            : when == (spark_fault_when)(f->seed % 3)
                    && sc->executors > 1 && task->attempt == 0
                    && drawn(f, stage, task->partition, task->attempt, 3))
            lose_executor(stage, task);
        if (when == SPARK_FAULT_BEFORE && is_here && f->kind == SPARK_FAULT_DELAY)
            delay(task, f->delay_ms);
        else if (when == SPARK_FAULT_BEFORE && is_here && f->kind == SPARK_FAULT_HANG)
            delay(task, -1);
    }
}

static bool take_first(void *state, spk_batch batch)
{
    spk_fault_in *in = state;
    if (!in->over)
        spk_fault_moment(in->stage, in->task, SPARK_FAULT_WHILE);
    in->over = true;
    return in->sink.take(in->sink.state, batch);
}

spk_sink spk_fault_sink(const spk_stage *stage, spark_task *task, spk_sink sink, spk_fault_in *in)
{
    *in = (spk_fault_in) { sink, stage, task, false };
    return (spk_sink) { take_first, in };
}
