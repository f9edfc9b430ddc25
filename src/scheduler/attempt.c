/* SPDX-License-Identifier: Apache-2.0 */
/* One attempt, on a worker: compute, then publish once. All it makes hangs on the attempt until it
 * has won the slot of its partition; an attempt that fails leaves nothing but finished cache
 * blocks. */
#include "exec/chain.h"
#include "scheduler/alone.h"
#include "scheduler/park.h"

#include <stdlib.h>

#include "base/deadline.h"
#include "shuffle/writer.h"

enum { MOST_LOSSES = 4 }; /* damaged blocks for each task of a stage that are no failures */

static int partition_of(const spk_stage *stage, int index)
{
    return stage->shuffle || !stage->job->partitions ? stage->partitions[index]
                                                     : stage->job->partitions[index];
}

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

/* task_failed: an attempt that has found a damaged block is not to blame, as long as not all that is
 * written is damaged. */
static void task_failed(spk_stage *stage, spark_task *task, int index)
{
    spk_job *job = stage->job;
    struct spk_scheduler *scheduler = job->scheduler;
    atomic_fetch_add(task->lost_block ? &job->lost_inputs : &job->failed, 1);
    pthread_mutex_lock(&scheduler->lock);
    const bool lost = task->lost_block && ++stage->lost_blocks <= stage->set.n * MOST_LOSSES;
    const int failures = lost ? stage->failures[index] : ++stage->failures[index];
    stage->attempts[index]++;
    const spk_alone *alone = job->properties.alone;
    const int most = alone ? alone->most_failures : scheduler->sc->task_max_failures;
    const bool again = failures < most && !task->hopeless;
    if (again)
        suspect(stage, index, &task->origin);
    pthread_mutex_unlock(&scheduler->lock);
    if (again && !atomic_load(&job->cancelled))
        spk_stage_again(stage, index);
    if (again)
        return;
    if (!atomic_load(&job->cancelled))
        tell_place(task);
    pthread_mutex_lock(&scheduler->lock);
    give_up(stage, &task->failure, task->partition, failures);
    pthread_mutex_unlock(&scheduler->lock);
}

/* input_lost: met: the attempt of the stage when the task began. */
static void input_lost(spk_stage *stage, const spark_task *task, int index, int met)
{
    struct spk_scheduler *scheduler = stage->job->scheduler;
    atomic_fetch_add(&stage->job->lost_inputs, 1);
    pthread_mutex_lock(&scheduler->lock);
    stage->lost[stage->n_lost++] = index;
    stage->lost_now |= met == stage->attempt;
    stage->attempts[index]++;
    stage->lost_shuffle = task->lost;
    if (task->failure.code == SPARK_EIO)
        snprintf(stage->job->unread, sizeof stage->job->unread, "%.255s", task->failure.message);
    scheduler->lossy = true;
    spk_stage_note(stage);
    pthread_mutex_unlock(&scheduler->lock);
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

static void compute_output(spk_stage *stage, spark_task *task)
{
    spk_writer writer;
    const spark_rdd *wide = stage->shuffle->owner;
    spk_task_end_is(task, wide->operation, wide->function, wide->site);
    if (!spk_writer_open(&writer, task, stage->shuffle, false))
        return;
    spk_chain_run(task, stage->rdd, task->partition, spk_writer_sink(&writer));
    spk_map_output *output = spk_writer_close(&writer);
    if (output && spk_fault_task(stage, task->partition, task->attempt)) {
        spk_map_output_free(output);
        task->op = NULL;
        spk_task_fail(task, SPARK_ETASK, "injected fault");
    } else if (output) {
        publish_output(stage, task, output);
    }
}

static void compute_result(spk_stage *stage, spark_task *task, int index)
{
    spk_job *job = stage->job;
    const spk_action *action = job->action;
    spk_state *state = spk_arena_alloc(spk_keep_of(task), action->state_size, 16);
    if (!state) {
        spk_task_nomem(task);
        return;
    }
    memset(state, 0, action->state_size);
    *state = (spk_state) { task, action };
    spk_task_end_is(task, action->name, action->function, action->site);
    if (!action->begin || action->begin(state)) {
        spk_chain_run(task, stage->rdd, task->partition, (spk_sink) { action->take, state });
        task->op = NULL;
        if (!spk_task_unwanted(task) && action->end)
            action->end(state);
    }
    if (!spk_task_unwanted(task) && spk_fault_task(stage, task->partition, task->attempt))
        spk_task_fail(task, SPARK_ETASK, "injected fault");
    if (!spk_task_unwanted(task) && action->publish)
        action->publish(state);
    if (spk_task_unwanted(task)) {
        if (action->discard)
            action->discard(state);
        return;
    }
    memcpy(job->results + (size_t)index * action->state_size, state, action->state_size);
    job->published[index] = 1;
    spk_task_merge_deltas(task, 0, !action->counts_nothing);
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
    if (task->evicted_blocks)
        atomic_fetch_add(&job->evicted, task->evicted_blocks);
    if (task->cache_bytes_written)
        atomic_fetch_add(&job->cache_written, task->cache_bytes_written);
    if (task->cache_bytes_read)
        atomic_fetch_add(&job->cache_read, task->cache_bytes_read);
}

void spk_attempt_run(spk_task_set *set, spark_task *task, int index)
{
    spk_stage *stage = (spk_stage *)(void *)set;
    spk_job *job = stage->job;
    if (atomic_load_explicit(&job->cancelled, memory_order_relaxed))
        return;
    const int partition = partition_of(stage, index);
    const int attempt = stage->attempts[index], round = atomic_load(&stage->attempt);
    task->cancelled = &job->cancelled;
    spk_task_begin(task, job->id, stage->id, partition, attempt);
    task->place.stage = stage->position;
    const spk_origin *suspects = atomic_load(&stage->suspects);
    if (job->properties.task_timeout_ms > 0) {
        task->limit_ms = job->properties.task_timeout_ms;
        task->deadline = spk_clock_ms() + task->limit_ms;
    }
    task->suspect = suspects ? suspects[index] : (spk_origin) { .rdd = NULL };
    const spk_parking *parking
        = atomic_load_explicit(&job->scheduler->sc->parking, memory_order_acquire);
    if (parking && !job->properties.alone && !parking->claim(stage, task, index)) {
        spk_task_end(task);
        return;
    }
    if (job->scheduler->sc->n_faults > 0 && !job->properties.alone)
        spk_fault_inputs(stage, task, partition, attempt);
    if (stage->shuffle)
        compute_output(stage, task);
    else
        compute_result(stage, task, index);
    if (parking)
        parking->release(job->scheduler, task);
    spk_task_end(task);
    add_counters(job, task);
    if (atomic_load_explicit(&job->overdue, memory_order_relaxed))
        spk_overdue_tell(stage, task);
    if (task->lost)
        input_lost(stage, task, index, round);
    else if (spk_task_failed(task))
        task_failed(stage, task, index);
    else if (!atomic_load_explicit(&job->cancelled, memory_order_relaxed)) {
        atomic_fetch_add_explicit(&job->tasks, 1, memory_order_relaxed);
        attempt_finish(stage);
    }
}
