/* SPDX-License-Identifier: Apache-2.0 */
/* Losing an executor, whatever it runs: its attempts are disowned, which competes with their committing;
 * those that commit run no function of a task, and are waited for; then nothing new comes into being in
 * its store, and what lies there is dropped: cached blocks, and outputs of shuffles, which who needs them
 * finds missing, as after any loss. Only then are the tasks of the disowned attempts claimed again, by
 * others: they find what is left, and nothing that is about to go. Those whose functions do not return
 * keep their threads, and nobody else. */
#include "scheduler/park.h"

#include "plan/shuffle.h"

static void disown_all(const spk_executor *executor)
{
    for (int i = -1; i < executor->n; i++) {
        spark_task *task = spk_executor_task(executor, i);
        if (task)
            spk_task_disown(task, atomic_load(&task->turn.state));
    }
}

/* sweep_outputs: how many were dropped. */
static int64_t sweep_outputs(spark_context *sc, const spk_store *store)
{
    int64_t n = 0;
    pthread_mutex_lock(&sc->scope_lock);
    for (spk_shuffle *shuffle = sc->filled; shuffle; shuffle = shuffle->next_filled) {
        spk_shuffle_enter(shuffle);
        for (int m = 0; m < shuffle->maps; m++) {
            const spk_map_output *output = atomic_load(&shuffle->outputs[m]);
            n += output && output->store == store && spk_shuffle_drop(shuffle, m);
        }
        spk_shuffle_leave(shuffle);
    }
    pthread_mutex_unlock(&sc->scope_lock);
    return n;
}

/* forget_reclaimer: the executor of `local` has the heap of the context: the next one's store takes memory
 * back for it, from the first block that lies there. */
static void forget_reclaimer(spk_executor *executor)
{
    spk_store *store = &executor->store;
    pthread_mutex_lock(&store->lock); /* from now on it is seen to be lost */
    if (atomic_load(&store->heap->reclaimer) == store)
        atomic_store(&store->heap->reclaim, NULL);
    pthread_mutex_unlock(&store->lock);
}

/* too_many: the job fails: with the lock held. */
static void too_many(spk_stage *stage, int index, const spk_executor *executor)
{
    spk_job *job = stage->job;
    const spk_action *action = job->action;
    if (job->failure.code != SPARK_OK)
        return;
    spk_failure_set(&job->failure, SPARK_ETASK, action->name, action->site,
        "%s at %s: task %d of stage %d ran on %d executors that were lost, the last one because it was "
        "%s: it may be what ends them; Job aborted due to stage failure",
        action->name, action->site, index, stage->id, SPK_MOST_LOSSES, executor->reason);
    job->failure.job = job->id;
    job->failure.stage = stage->id;
    atomic_store(&job->cancelled, true);
    spk_job_changed(job);
}

/* claim_again: the task of an attempt that was disowned. */
static void claim_again(spk_stage *stage, int index, const spk_executor *executor)
{
    struct spk_scheduler *scheduler = stage->job->scheduler;
    pthread_mutex_lock(&scheduler->lock);
    const bool many = ++stage->killed[index] >= SPK_MOST_LOSSES;
    if (many)
        too_many(stage, index, executor);
    pthread_mutex_unlock(&scheduler->lock);
    if (!many && !atomic_load(&stage->done[index]) && !atomic_load(&stage->job->cancelled))
        spk_pool_retry(scheduler->pool, &stage->set, index);
}

/* claim_all_again: disowned attempts wait until their executor has been swept, so their stages are
 * there. */
static void claim_all_again(const spk_executor *executor)
{
    for (int i = -1; i < executor->n; i++) {
        spark_task *task = spk_executor_task(executor, i);
        if (!task || spk_task_phase(task) != SPK_DISOWNED)
            continue;
        spk_release(task->sc->scheduler, task);
        claim_again((spk_stage *)(void *)atomic_load(&task->turn.set), atomic_load(&task->turn.index), executor);
    }
}

SPK_COLD spark_status spk_lose_executor(
    struct spk_scheduler *scheduler, const char *name, const char *reason, spk_failure *failure)
{
    spk_pool *pool = scheduler->pool;
    spk_executor *executor = spk_pool_lose(pool, name, reason, failure);
    if (!executor)
        return failure->code;
    disown_all(executor);
    spk_pool_await_commits(pool, executor);
    const spk_parking *parking = atomic_load(&scheduler->sc->parking);
    const int64_t blocks = parking ? parking->leave(scheduler->sc, &executor->store) : 0;
    forget_reclaimer(executor);
    const int64_t outputs = sweep_outputs(scheduler->sc, &executor->store);
    pthread_mutex_lock(&scheduler->lock);
    scheduler->lossy |= blocks + outputs > 0;
    pthread_mutex_unlock(&scheduler->lock);
    disown_all(executor); /* those that began while they did not know yet */
    claim_all_again(executor);
    spk_pool_swept(pool, executor, atomic_load(&scheduler->next_job) - 1);
    return SPARK_OK;
}
