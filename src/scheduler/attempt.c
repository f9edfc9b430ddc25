/* SPDX-License-Identifier: Apache-2.0 */
/* One attempt, on a worker: compute, then publish once. All it makes hangs on the attempt until it
 * has won its task; an attempt that fails leaves nothing but finished cache blocks.
 *
 * However it ends, it commits before it tells so, which competes with being disowned: whoever disowns it
 * sees to the task, and it tells nobody. */
#include "exec/chain.h"
#include <stdlib.h>

#include "base/deadline.h"
#include "plan/listening.h"
#include "scheduler/alone.h"
#include "scheduler/park.h"
#include "shuffle/writer.h"

enum { MOST_LOSSES = 4 }; /* damaged blocks for each task of a stage that are no failures */

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
    const spk_origin *from = &task->fate.origin;
    char text[sizeof failure->file + 96], line[32] = "", record[48] = "";
    if (from->rdd)
        from->rdd->class->where(task->heap, from->rdd, from->partition,
            from->n == 1 ? (int64_t)from->row : -1, failure);
    if (failure->line > 0)
        snprintf(line, sizeof line, ":%lld", (long long)failure->line);
    if (failure->record >= 0)
        snprintf(record, sizeof record, "record %lld", (long long)failure->record);
    const int n = snprintf(text, sizeof text, " (%s%s%s%s)", failure->file, line,
        *failure->file && *record ? ", " : "", record);
    text[n - 1] = '\0'; /* what it says is not said twice */
    if (n > 3 && (!*line || !strstr(failure->message, text + 2))) {
        text[n - 1] = ')';
        spk_failure_end(failure, text);
    }
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

/* ended: for listeners. */
static void ended(spk_stage *stage, spark_task *task, spk_ending how)
{
    const spk_listening *heard = spk_heard_by(task->sc);
    if (heard && task->heard.id >= 0)
        heard->task_end(stage, task, how);
}

/* was_crowded: the limit of memory refused it something while others ran in the same heap. From now on
 * fewer do; alone, it may find what it needs. */
static bool was_crowded(const spark_task *task)
{
    return task->failure.code == SPARK_ENOMEM && task->executor
        && atomic_load_explicit(&task->heap->denied, memory_order_relaxed) != task->fate.denied
        && spk_pool_thin(task->executor, task->fate.thinned);
}

/* task_failed: an attempt that has found a damaged block is not to blame, as long as not all that is
 * written is damaged, nor is one that others left no memory for. */
static void task_failed(spk_stage *stage, spark_task *task, int index)
{
    spk_job *job = stage->job;
    struct spk_scheduler *scheduler = job->scheduler;
    const bool crowded = was_crowded(task);
    atomic_fetch_add(task->fate.lost_block ? &job->lost_inputs : &job->failed, 1);
    pthread_mutex_lock(&scheduler->lock);
    const bool lost
        = crowded || (task->fate.lost_block && ++stage->loss.blocks <= stage->set.n * MOST_LOSSES);
    const int failures = lost ? stage->failures[index] : ++stage->failures[index];
    const spk_alone *alone = job->properties.alone;
    const int most = alone ? alone->most_failures : scheduler->sc->task_max_failures;
    bool again = failures < most && (crowded || !task->fate.hopeless);
    if (again && !crowded)
        suspect(stage, index, &task->fate.origin);
    pthread_mutex_unlock(&scheduler->lock);
    const bool excludes = scheduler->sc->exclusion.on && !crowded;
    if ((!again || excludes) && !atomic_load(&job->cancelled))
        tell_place(task);
    ended(stage, task, SPK_END_TOLD);
    if (!again || excludes) {
        pthread_mutex_lock(&scheduler->lock);
        if (!again)
            give_up(stage, &task->failure, task->partition, failures);
        else
            again = !spk_exclude_failed(stage, task, index);
        pthread_mutex_unlock(&scheduler->lock);
    }
    if (again && !atomic_load(&job->cancelled))
        spk_stage_again(stage, index);
}

/* input_lost: met: the attempt of the stage when the task began. */
static void input_lost(spk_stage *stage, const spark_task *task, int index, int met)
{
    struct spk_scheduler *scheduler = stage->job->scheduler;
    atomic_fetch_add(&stage->job->lost_inputs, 1);
    pthread_mutex_lock(&scheduler->lock);
    stage->loss.tasks[stage->loss.n++] = index;
    stage->loss.now |= met == stage->attempt;
    stage->loss.shuffle = task->fate.lost;
    if (task->failure.code == SPARK_EIO)
        snprintf(stage->job->unread, sizeof stage->job->unread, "%.255s", task->failure.message);
    scheduler->lossy = true;
    spk_stage_note(stage);
    pthread_mutex_unlock(&scheduler->lock);
}

static inline bool is_lost(const spark_task *task)
{
    return task->executor && atomic_load_explicit(&task->executor->lost, memory_order_relaxed);
}

/* win: the task, for this attempt alone: it is not disowned, nor is its executor lost (which the commit
 * orders behind it: who has lost it waits for the commit, or is seen), and no copy of it was faster. */
static inline bool win(spk_stage *stage, spark_task *task, int index)
{
    uint8_t no = 0;
    if (!spk_task_commit(task) || is_lost(task))
        return false;
    if (stage->pace.times)
        return atomic_compare_exchange_strong(&stage->done[index], &no, 1);
    atomic_store_explicit(&stage->done[index], 1, memory_order_relaxed);
    return true;
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

/* Without a plan of faults nothing of it is called.
 *
 * disturb: what the plan has for an attempt that has done its work: it fails, or its executor is lost. */
static void disturb(spk_stage *stage, spark_task *task)
{
    spk_fault_moment(stage, task, SPARK_FAULT_AFTER);
    if (spk_task_unwanted(task) || !spk_fault_task(stage, task->partition, task->attempt))
        return;
    task->op = NULL;
    spk_task_fail(task, SPARK_ETASK, "injected fault");
}

/* compute_output: true: it is published. */
static bool compute_output(spk_stage *stage, spark_task *task, int index)
{
    spk_writer writer;
    spk_fault_in in;
    if (!spk_writer_open(&writer, task, stage->shuffle, false))
        return false;
    spk_sink sink = spk_writer_sink(&writer);
    if (stage->faults)
        sink = spk_fault_sink(stage, task, sink, &in);
    spk_chain_run(task, stage->rdd, task->partition, sink);
    spk_map_output *output = spk_writer_close(&writer);
    if (output && stage->faults)
        disturb(stage, task);
    if (output && !spk_task_failed(task) && win(stage, task, index)) {
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
    state->task = NULL;
    memcpy(job->results + (size_t)index * action->state_size, state, action->state_size);
    task->counts.result_bytes += (int64_t)action->state_size;
    job->published[index] = 1;
    spk_task_merge_deltas(task, 0, !action->counts_nothing);
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
    if (!action->begin || action->begin(state)) {
        spk_sink sink = { action->take, state };
        if (stage->faults)
            sink = spk_fault_sink(stage, task, sink, &in);
        spk_chain_run(task, stage->rdd, task->partition, sink);
        task->op = NULL;
        if (!spk_task_unwanted(task) && action->end)
            action->end(state);
    }
    if (stage->faults && !spk_task_unwanted(task))
        disturb(stage, task);
    if (!spk_task_unwanted(task) && win(stage, task, index) && give(stage, task, index, state))
        return true;
    if (action->discard)
        action->discard(state);
    return false;
}

static void add_counters(spk_job *job, const spark_task *task)
{
    if (task->counts.cached_reads)
        atomic_fetch_add(&job->cached_reads, task->counts.cached_reads);
    if (task->counts.cached_blocks)
        atomic_fetch_add(&job->cached_blocks, task->counts.cached_blocks);
    if (task->counts.remade_blocks)
        atomic_fetch_add(&job->remade, task->counts.remade_blocks);
    if (task->counts.shuffle_rows)
        atomic_fetch_add(&job->rows, task->counts.shuffle_rows);
    if (task->counts.shuffle_bytes)
        atomic_fetch_add(&job->bytes, task->counts.shuffle_bytes);
    if (task->counts.spilled_bytes)
        atomic_fetch_add(&job->spilled, task->counts.spilled_bytes);
    if (task->counts.evicted_blocks)
        atomic_fetch_add(&job->evicted, task->counts.evicted_blocks);
    if (task->counts.cache_bytes_written)
        atomic_fetch_add(&job->cache_written, task->counts.cache_bytes_written);
    if (task->counts.cache_bytes_read)
        atomic_fetch_add(&job->cache_read, task->counts.cache_bytes_read);
    if (task->counts.remote_bytes)
        atomic_fetch_add(&job->remote, task->counts.remote_bytes);
}

/* rest: the task of the worker is free for others. */
static inline void rest(spark_task *task)
{
    spk_task_rest(task);
    if (task->executor)
        spk_pool_committed(task->executor);
}

/* in_vain: the attempt does not count. What it has cached is there, or was. */
static void in_vain(spk_job *job, const spark_task *task)
{
    atomic_fetch_add(&job->disowned, 1);
    atomic_fetch_add(&job->cached_blocks, task->counts.cached_blocks);
    atomic_fetch_add(&job->remade, task->counts.remade_blocks);
}

/* await_disowner: who has disowned the attempt may still look at it, and take its claims: with the
 * pool's lock held, where a copy has won, or until the executor that is lost has been swept. */
static void await_disowner(spk_pool *pool, const spark_task *task)
{
    if (task->executor)
        spk_pool_await_disowner(pool, task->executor);
}

static void be_disowned(spk_stage *stage, spark_task *task)
{
    spk_job *job = stage->job;
    in_vain(job, task);
    ended(stage, task, is_lost(task) ? SPK_END_DISOWNED : SPK_END_OUTRUN);
    await_disowner(job->scheduler->pool, task);
    rest(task);
}

/* enter: false: the executor has been lost meanwhile, and another one will run the task; or a copy of the
 * attempt has won it. */
static bool enter(spk_stage *stage, spark_task *task, int index)
{
    spk_pool *pool = stage->job->scheduler->pool;
    if (stage->pace.times)
        atomic_store(&task->turn.began, spk_now());
    spk_task_enter(task, &stage->set, index);
    if (stage->pace.times) /* whoever wins meanwhile sees it run, or it sees that */
        atomic_thread_fence(memory_order_seq_cst);
    const bool done = atomic_load_explicit(&stage->done[index], memory_order_relaxed);
    if (!done && !is_lost(task))
        return true;
    if (!spk_task_commit(task))
        await_disowner(pool, task);
    else if (!done)
        spk_pool_retry(pool, &stage->set, index);
    rest(task);
    return false;
}

static void add_one(_Atomic int64_t *own)
{
    atomic_store_explicit(
        own, atomic_load_explicit(own, memory_order_relaxed) + 1, memory_order_relaxed);
}

/* next_attempt: its number, among those of the partition in this job; the last one there is stays. Only with
 * speculation is there more than one at a time. */
static int next_attempt(spk_stage *stage, int index)
{
    _Atomic uint8_t *next = &stage->attempts[stage->partitions[index]];
    uint8_t n = atomic_load_explicit(next, memory_order_relaxed);
    if (!stage->pace.times)
        atomic_store_explicit(next, (uint8_t)(n + (n < UINT8_MAX)), memory_order_relaxed);
    else
        while (!atomic_compare_exchange_weak(next, &n, (uint8_t)(n + (n < UINT8_MAX))))
            continue;
    return n;
}

/* tell: how the attempt has ended. */
static void tell(spk_stage *stage, spark_task *task, int index, int round, bool published)
{
    spk_job *job = stage->job;
    if (published || (spk_task_failed(task) && !task->fate.lost))
        add_one(published ? &task->turn.n_done : &task->turn.n_failed);
    if (!published && atomic_load(&stage->done[index])) { /* a copy was faster */
        in_vain(job, task);
        ended(stage, task, SPK_END_OUTRUN);
        return;
    }
    add_counters(job, task);
    if (published) {
        if (stage->pace.times)
            spk_speculate_won(stage, task, index);
        ended(stage, task, SPK_END_DONE);
        attempt_finish(stage);
    } else if (task->fate.lost) {
        ended(stage, task, SPK_END_TOLD);
        input_lost(stage, task, index, round);
    } else if (spk_task_failed(task)) {
        task_failed(stage, task, index);
    } else {
        ended(stage, task, SPK_END_TOLD);
    }
}

/* claim: the cached blocks that the attempt is to compute; false: another one computes some, for which
 * the task waits, on no worker. */
static bool claim(spk_stage *stage, spark_task *task, int index)
{
    const spk_parking *parking
        = atomic_load_explicit(&stage->job->scheduler->sc->parking, memory_order_acquire);
    if (!parking || stage->job->properties.alone)
        return true;
    task->partition = spk_stage_partition(stage, index);
    return parking->claim(stage, task, index);
}

/* name_end: what takes the rows, for messages. */
static inline void name_end(const spk_stage *stage, spark_task *task)
{
    const spk_action *action = stage->job->action;
    const spark_rdd *wide = stage->shuffle ? stage->shuffle->owner : NULL;
    if (wide)
        spk_task_end_is(task, wide->operation, wide->function, wide->site);
    else
        spk_task_end_is(task, action->name, action->function, action->site);
}

void spk_attempt_run(spk_task_set *set, spark_task *task, int index)
{
    spk_stage *stage = (spk_stage *)(void *)set;
    spk_job *job = stage->job;
    if (atomic_load_explicit(&job->cancelled, memory_order_relaxed) || !claim(stage, task, index))
        return;
    if (!enter(stage, task, index)) {
        spk_release(job->scheduler, task);
        return;
    }
    const int partition = spk_stage_partition(stage, index);
    const int attempt = next_attempt(stage, index);
    const int round = atomic_load(&stage->attempt);
    task->cancelled = &job->cancelled;
    spk_task_begin(task, job->id, stage->id, partition, attempt);
    task->place.stage = stage->position;
    const spk_listening *heard = spk_heard_by(task->sc);
    if (heard)
        heard->task_start(stage, task, index, round);
    name_end(stage, task);
    task->fate.denied = atomic_load_explicit(&task->heap->denied, memory_order_relaxed);
    task->fate.thinned = task->executor ? atomic_load(&task->executor->thinned) : 0;
    const spk_origin *suspects = atomic_load(&stage->suspects);
    if (job->properties.task_timeout_ms > 0) {
        task->limit.ms = job->properties.task_timeout_ms;
        task->limit.deadline = spk_clock_ms() + task->limit.ms;
    }
    task->fate.suspect = suspects ? suspects[index] : (spk_origin) { .rdd = NULL };
    if (stage->faults) {
        spk_fault_moment(stage, task, SPARK_FAULT_BEFORE);
        spk_fault_inputs(stage, task, partition, attempt);
    }
    const bool published = spk_task_unwanted(task) ? false
        : stage->shuffle                          ? compute_output(stage, task, index)
                                                  : compute_result(stage, task, index);
    spk_release(job->scheduler, task);
    spk_task_end(task);
    if (atomic_load_explicit(&job->overdue, memory_order_relaxed))
        spk_overdue_tell(stage, task);
    if (spk_task_phase(task) != SPK_COMMITTING && !spk_task_commit(task)) {
        be_disowned(stage, task);
        return;
    }
    if (!published && is_lost(task)) { /* it began when nobody saw it any more */
        in_vain(job, task);
        ended(stage, task, SPK_END_DISOWNED);
        spk_pool_retry(job->scheduler->pool, set, index);
        rest(task);
        return;
    }
    tell(stage, task, index, round, published);
    rest(task);
}
