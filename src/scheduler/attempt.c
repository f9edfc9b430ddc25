/* SPDX-License-Identifier: Apache-2.0 */
/* One attempt, on a worker: compute, then publish once. All it makes hangs on the attempt until it
 * has won its task; an attempt that fails leaves nothing but finished cache blocks.
 *
 * However it ends, it commits before it tells so, which competes with being disowned: whoever disowns it
 * sees to the task, and it tells nobody. */
#include "exec/chain.h"
#include "scheduler/stage.h"

#include <stdlib.h>

#include "shuffle/writer.h"

/* finish: one task less; after the last one the job looks at the stage. */
static void attempt_finish(spk_stage *stage)
{
    if (atomic_fetch_sub(&stage->remaining, 1) != 1)
        return;
    struct spk_scheduler *scheduler = stage->job->scheduler;
    pthread_mutex_lock(&scheduler->lock);
    spk_stage_note(stage);
    pthread_mutex_unlock(&scheduler->lock);
}

/* tell_place: where in a file the function's element was, and which element it was, behind the
 * message. */
static void tell_place(spark_task *task)
{
    spk_failure *failure = &task->failure;
    const spk_origin *from = &task->origin;
    char text[sizeof failure->file + 96], line[32] = "", record[48] = "";
    if (from->rdd)
        from->rdd->class->where(task->heap, from->rdd, from->partition,
            from->n == 1 ? (int64_t)from->row : -1, failure);
    if (failure->line > 0)
        snprintf(line, sizeof line, ":%lld", (long long)failure->line);
    if (failure->record >= 0)
        snprintf(record, sizeof record, "record %lld", (long long)failure->record);
    snprintf(text, sizeof text, " (%s%s%s%s)", failure->file, line,
        *failure->file && *record ? ", " : "", record);
    if (*failure->file || *record)
        spk_failure_end(failure, text);
}

/* suspect: the next attempt is to take what was on its way one by one; with the lock held. */
static void suspect(spk_stage *stage, int index, const spk_origin *origin)
{
    spk_origin *suspects = atomic_load(&stage->suspects);
    if (origin->rdd && !suspects) {
        suspects = calloc((size_t)stage->set.n, sizeof *suspects);
        atomic_store(&stage->suspects, suspects);
    }
    if (suspects)
        suspects[index] = *origin;
}

/* give_up: the job fails with what this attempt failed with; with the lock held. */
static void give_up(spk_stage *stage, const spk_failure *failure, int partition, int failures)
{
    spk_job *job = stage->job;
    if (job->failure.code != SPARK_OK)
        return;
    job->failure = *failure;
    job->failure.job = job->id;
    job->failure.stage = stage->id;
    job->failure.partition = partition;
    char story[256];
    snprintf(story, sizeof story,
        "; Job aborted due to stage failure: Task %d in stage %d.%d failed %d times, most recent "
        "failure: Lost task %d.%d in stage %d.%d",
        partition, stage->id, stage->attempt, failures, partition, failures - 1, stage->id,
        stage->attempt);
    spk_failure_end(&job->failure, story);
    atomic_store(&job->cancelled, true);
    spk_job_changed(job);
}

static void task_failed(spk_stage *stage, spark_task *task, int index)
{
    spk_job *job = stage->job;
    struct spk_scheduler *scheduler = job->scheduler;
    atomic_fetch_add(&job->failed, 1);
    pthread_mutex_lock(&scheduler->lock);
    const int failures = ++stage->failures[index];
    bool again = failures < scheduler->sc->task_max_failures;
    if (again)
        suspect(stage, index, &task->origin);
    pthread_mutex_unlock(&scheduler->lock);
    const bool excludes = scheduler->sc->exclusion.on;
    if ((!again || excludes) && !atomic_load(&job->cancelled))
        tell_place(task);
    if (!again || excludes) {
        pthread_mutex_lock(&scheduler->lock);
        if (!again)
            give_up(stage, &task->failure, task->partition, failures);
        else
            again = !spk_exclude_failed(stage, task, index);
        pthread_mutex_unlock(&scheduler->lock);
    }
    if (again && !atomic_load(&job->cancelled))
        spk_pool_retry(scheduler->pool, &stage->set, index);
}

/* input_lost: met: the attempt of the stage when the task began. */
static void input_lost(spk_stage *stage, const spark_task *task, int index, int met)
{
    struct spk_scheduler *scheduler = stage->job->scheduler;
    atomic_fetch_add(&stage->job->lost_inputs, 1);
    pthread_mutex_lock(&scheduler->lock);
    stage->lost[stage->n_lost++] = index;
    stage->lost_now |= met == stage->attempt;
    stage->lost_shuffle = task->lost;
    if (task->failure.code == SPARK_EIO)
        snprintf(stage->job->unread, sizeof stage->job->unread, "%.255s", task->failure.message);
    scheduler->lossy = true;
    spk_stage_note(stage);
    pthread_mutex_unlock(&scheduler->lock);
}

/* win: the task, for this attempt alone: it is not disowned, and no copy of it was faster. */
static bool win(spk_stage *stage, spark_task *task, int index)
{
    uint8_t no = 0;
    return spk_task_commit(task) && atomic_compare_exchange_strong(&stage->done[index], &no, 1);
}

/* publish_output: the map output into its slot. */
static void publish_output(spk_stage *stage, spark_task *task, spk_map_output *output)
{
    spk_shuffle *shuffle = stage->shuffle;
    const int m = task->partition;
    const uint64_t bytes = output->bytes;
    spk_map_output *empty = NULL;
    if (!atomic_compare_exchange_strong(&shuffle->outputs[m], &empty, output)) {
        spk_map_output_free(output);
        return;
    }
    pthread_mutex_lock(&shuffle->lock);
    const bool again = shuffle->made[m], count = !shuffle->counted[m];
    shuffle->made[m] = shuffle->counted[m] = 1;
    pthread_mutex_unlock(&shuffle->lock);
    spk_clean_made(stage->job->scheduler, bytes);
    atomic_fetch_sub(&shuffle->missing, 1);
    if (again)
        atomic_fetch_add(&stage->job->remade, 1);
    spk_task_merge_deltas(task, 0, count);
}

/* compute_output: true: it is published. */
static bool compute_output(spk_stage *stage, spark_task *task, int index)
{
    spk_writer writer;
    spk_fault_in in;
    const spark_rdd *wide = stage->shuffle->owner;
    spk_task_end_is(task, wide->operation, wide->function, wide->site);
    if (!spk_writer_open(&writer, task, stage->shuffle, false))
        return false;
    spk_chain_run(task, stage->rdd, task->partition,
        spk_fault_sink(stage, task, spk_writer_sink(&writer), &in));
    spk_map_output *output = spk_writer_close(&writer);
    if (output)
        spk_fault_moment(stage, task, SPARK_FAULT_AFTER);
    if (output && spk_fault_task(stage, task->partition, task->attempt)) {
        task->op = NULL;
        spk_task_fail(task, SPARK_ETASK, "injected fault");
    } else if (output && win(stage, task, index)) {
        publish_output(stage, task, output);
        return true;
    }
    spk_map_output_free(output);
    return false;
}

/* give: the state of a task that is won; false: it could not be published. */
static bool give(spk_stage *stage, spark_task *task, int index, spk_state *state)
{
    spk_job *job = stage->job;
    const spk_action *action = job->action;
    if (action->publish && !action->publish(state)) {
        atomic_store(&stage->done[index], 0);
        return false;
    }
    memcpy(job->results + (size_t)index * action->state_size, state, action->state_size);
    job->published[index] = 1;
    spk_task_merge_deltas(task, 0, true);
    return true;
}

/* compute_result: true: it is published. */
static bool compute_result(spk_stage *stage, spark_task *task, int index)
{
    const spk_action *action = stage->job->action;
    spk_fault_in in;
    spk_state *state = spk_arena_alloc(spk_keep_of(task), action->state_size, 16);
    if (!state) {
        spk_task_nomem(task);
        return false;
    }
    memset(state, 0, action->state_size);
    *state = (spk_state) { task, action };
    spk_task_end_is(task, action->name, action->function, action->site);
    if (!action->begin || action->begin(state)) {
        spk_chain_run(task, stage->rdd, task->partition,
            spk_fault_sink(stage, task, (spk_sink) { action->take, state }, &in));
        task->op = NULL;
        if (!spk_task_unwanted(task) && action->end)
            action->end(state);
    }
    if (!spk_task_unwanted(task))
        spk_fault_moment(stage, task, SPARK_FAULT_AFTER);
    if (!spk_task_unwanted(task) && spk_fault_task(stage, task->partition, task->attempt))
        spk_task_fail(task, SPARK_ETASK, "injected fault");
    if (!spk_task_unwanted(task) && win(stage, task, index) && give(stage, task, index, state))
        return true;
    if (action->discard)
        action->discard(state);
    return false;
}

static void add_counters(spk_job *job, const spark_task *task)
{
    if (task->cached_reads)
        atomic_fetch_add(&job->cached_reads, task->cached_reads);
    if (task->cached_blocks)
        atomic_fetch_add(&job->cached_blocks, task->cached_blocks);
    if (task->remade_blocks)
        atomic_fetch_add(&job->remade, task->remade_blocks);
    if (task->shuffle_rows)
        atomic_fetch_add(&job->rows, task->shuffle_rows);
    if (task->shuffle_bytes)
        atomic_fetch_add(&job->bytes, task->shuffle_bytes);
    if (task->spilled_bytes)
        atomic_fetch_add(&job->spilled, task->spilled_bytes);
    if (task->remote_bytes)
        atomic_fetch_add(&job->remote, task->remote_bytes);
}

/* rest: the task of the worker is free for others. */
static void rest(spark_task *task)
{
    spk_task_rest(task);
    if (task->executor)
        spk_pool_committed(task->executor);
}

/* in_vain: the attempt does not count. What it has cached is there, or was. */
static void in_vain(spk_job *job, const spark_task *task)
{
    atomic_fetch_add(&job->disowned, 1);
    atomic_fetch_add(&job->cached_blocks, task->cached_blocks);
    atomic_fetch_add(&job->remade, task->remade_blocks);
}

/* await_swept: where its executor is lost, whoever has lost it still looks at the attempt. */
static void await_swept(spk_pool *pool, const spark_task *task)
{
    if (task->executor && atomic_load(&task->executor->lost))
        spk_pool_await_swept(pool, task->executor);
}

static void be_disowned(spk_job *job, spark_task *task)
{
    in_vain(job, task);
    await_swept(job->scheduler->pool, task);
    rest(task);
}

/* enter: false: the executor has been lost meanwhile, and another one will run the task; or a copy of the
 * attempt has won it. */
static bool enter(spk_stage *stage, spark_task *task, int index)
{
    spk_pool *pool = stage->job->scheduler->pool;
    if (stage->times)
        atomic_store(&task->began, spk_now());
    spk_task_enter(task, &stage->set, index);
    const bool done = atomic_load(&stage->done[index]);
    if (!done && (!task->executor || !atomic_load(&task->executor->lost)))
        return true;
    if (!spk_task_commit(task))
        await_swept(pool, task);
    else if (!done)
        spk_pool_retry(pool, &stage->set, index);
    rest(task);
    return false;
}

/* tell: how the attempt has ended. */
static void tell(spk_stage *stage, spark_task *task, int index, int round, bool published)
{
    spk_job *job = stage->job;
    if (task->executor && (published || spk_task_failed(task)))
        atomic_fetch_add_explicit(
            published ? &task->executor->done : &task->executor->failed, 1, memory_order_relaxed);
    if (!published && atomic_load(&stage->done[index])) { /* a copy was faster */
        in_vain(job, task);
        return;
    }
    add_counters(job, task);
    if (published) {
        if (stage->times)
            spk_speculate_won(stage, task, index);
        atomic_fetch_add_explicit(&job->tasks, 1, memory_order_relaxed);
        attempt_finish(stage);
    } else if (task->lost) {
        input_lost(stage, task, index, round);
    } else if (spk_task_failed(task)) {
        task_failed(stage, task, index);
    }
}


void spk_attempt_run(spk_task_set *set, spark_task *task, int index)
{
    spk_stage *stage = (spk_stage *)(void *)set;
    spk_job *job = stage->job;
    const bool faults = job->scheduler->sc->n_faults > 0;
    if (atomic_load_explicit(&job->cancelled, memory_order_relaxed) || !enter(stage, task, index))
        return;
    const int partition = spk_stage_partition(stage, index);
    const int attempt = atomic_fetch_add(&stage->attempts[index], 1);
    const int round = atomic_load(&stage->attempt);
    task->cancelled = &job->cancelled;
    spk_task_begin(task, job->id, stage->id, partition, attempt);
    task->place.stage = stage->position;
    const spk_origin *suspects = atomic_load(&stage->suspects);
    task->suspect = suspects ? suspects[index] : (spk_origin) { .rdd = NULL };
    if (faults) {
        spk_fault_moment(stage, task, SPARK_FAULT_BEFORE);
        spk_fault_inputs(stage, task, partition, attempt);
    }
    const bool published = spk_task_unwanted(task) ? false
        : stage->shuffle                          ? compute_output(stage, task, index)
                                                  : compute_result(stage, task, index);
    spk_task_end(task);
    if (spk_task_phase(task) != SPK_COMMITTING && !spk_task_commit(task)) {
        be_disowned(job, task);
        return;
    }
    tell(stage, task, index, round, published);
    rest(task);
}
