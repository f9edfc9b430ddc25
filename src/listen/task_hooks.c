/* SPDX-License-Identifier: Apache-2.0 */
/* Attempts of tasks, as workers begin and end them: who they are, what they have measured, and how they end. */
#include <string.h>
#include <time.h>

#include "listen/bus.h"

/* SHORT: attempts that take less time than this, in nanoseconds, are taken to have had a CPU all the time:
 * to ask for the time of a thread takes the system up to half a microsecond. */
enum { SHORT = 50000 };

static int64_t thread_time(void)
{
    struct timespec at;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

static const char *locality_of(const spk_stage *stage, const spark_task *task)
{
    return stage->job->scheduler->sc->executors < 2 ? "PROCESS_LOCAL"
        : !stage->places                            ? "NO_PREF"
                                                    : spk_place_word(stage, task);
}

/* who: all that is the same when the attempt begins and when it ends; for its end it is taken from its start, which
 * its thread has built last. */
static void who(const spk_stage *stage, const spark_task *task, spark_task_info *info)
{
    *info = (spark_task_info) { .id = task->heard.id,
        .job = task->job,
        .stage = task->stage,
        .stage_attempt = task->heard.round,
        .index = task->heard.index,
        .partition = task->partition,
        .attempt = task->attempt,
        .is_result = !stage->shuffle,
        .speculative = stage->pace.times && task->attempt > 0
            && (atomic_load(&stage->pace.copied[task->heard.index]) & SPK_COPIED),
        .worker = task->worker,
        .locality = locality_of(stage, task),
        .error = "",
        .operation = "",
        .site = "",
        .lost_shuffle = -1 };
    if (task->executor)
        memcpy(info->executor, task->executor->name, sizeof info->executor);
    else
        memcpy(info->executor, "driver", sizeof "driver");
}

static void await_room(spk_bus *bus)
{
    for (spk_listener_queue *q = atomic_load_explicit(&bus->queues, memory_order_acquire); q; q = q->next)
        if (q->listener.whole && atomic_load_explicit(&q->full, memory_order_relaxed))
            spk_queue_await_room(q);
}

/* tell_start: false: the attempt of the stage is over. */
static bool tell_start(spk_bus *bus, const spk_stage *stage, spark_task *task)
{
    const spk_heard_stage *heard = stage->heard;
    spk_event *event = spk_lane_next(task->heard.lane);
    event->kind = SPK_TASK_START;
    event->pads[0] = event->pads[1] = NULL;
    who(stage, task, &event->u.task.info);
    event->u.task.info.launch_time = task->heard.from + bus->since;
    return spk_lane_start(bus, task->heard.lane, &heard->open, task->heard.round);
}

/* tell_late: a start that comes while its stage ends, or is submitted again, which is done with the scheduler's
 * lock held: a copy whose task is done is told of to nobody; any other one is of the next attempt of the stage. */
static bool tell_late(spk_bus *bus, const spk_stage *stage, spark_task *task)
{
    pthread_mutex_t *lock = &stage->job->scheduler->lock;
    pthread_mutex_lock(lock);
    task->heard.round = atomic_load(&stage->attempt);
    const bool good = tell_start(bus, stage, task);
    pthread_mutex_unlock(lock);
    return good;
}

void spk_hooks_task_start(spk_stage *stage, spark_task *task, int index, int round)
{
    spk_bus *bus = spk_bus_here(task->sc);
    if (!bus || !stage->job->heard || !stage->heard)
        return;
    if (!task->heard.lane && !(task->heard.lane = spk_lane_new(bus))) {
        spk_bus_left_out(bus);
        return;
    }
    await_room(bus);
    task->heard.id = atomic_fetch_add_explicit(&bus->next_task, 1, memory_order_relaxed);
    task->heard.index = index;
    task->heard.round = round;
    if (task->worker < 0 || task->heard.cpu == 0)
        task->heard.cpu = thread_time();
    spk_attempt_counts(bus, task);
    task->heard.from = spk_now();
    spk_attempt_watches(bus, task);
    if (!tell_start(bus, stage, task) && !tell_late(bus, stage, task)) {
        task->heard.id = -1;
        spk_attempt_forgets(bus, task);
    }
}

/* used: of its thread's time. What a thread does between attempts is not worth asking for. */
static int64_t used(spark_task *task, int64_t run)
{
    const int64_t before = task->heard.cpu;
    int64_t cpu = run;
    if (run >= SHORT) {
        const int64_t now = thread_time();
        cpu = now - before < run ? now - before : run;
        task->heard.cpu = now;
    } else {
        task->heard.cpu = before + run;
    }
    return cpu > 0 ? cpu : 0;
}

static void measure(spark_task *task, const spk_stage *stage, int64_t now, spark_task_metrics *m)
{
    const spk_counts *c = &task->counts;
    const spk_heard_stage *heard = stage->heard;
    const int64_t run = now - task->heard.from;
    const int64_t queue = heard ? task->heard.from - atomic_load(&heard->submitted) : 0;
    const int64_t far = task->counts.remote_bytes < c->read_bytes ? task->counts.remote_bytes : c->read_bytes;
    *m = (spark_task_metrics) { .run_ns = run,
        .cpu_ns = used(task, run),
        .queue_ns = queue > 0 ? queue : 0,
        .result_bytes = c->result_bytes,
        .input_bytes = c->input_bytes,
        .input_rows = c->input_rows,
        .output_bytes = c->output_bytes,
        .output_rows = c->output_rows,
        .cached_reads = task->counts.cached_reads,
        .shuffle_read_local_bytes = c->read_bytes - far,
        .shuffle_read_remote_bytes = far,
        .shuffle_read_local_blocks = c->read_near,
        .shuffle_read_remote_blocks = c->read_far,
        .shuffle_read_rows = c->read_rows,
        .shuffle_write_bytes = task->counts.shuffle_bytes,
        .shuffle_write_rows = task->counts.shuffle_rows,
        .memory_spilled_bytes = task->counts.spilled_bytes,
        .disk_spilled_bytes = task->counts.spilled_bytes,
        .peak_memory_bytes = c->peak,
        .cached_blocks = task->counts.cached_blocks,
        .evicted_blocks = task->counts.evicted_blocks,
        .cache_bytes_written = task->counts.cache_bytes_written,
        .cache_bytes_read = task->counts.cache_bytes_read };
}

/* tell_failure: with the pad of its texts; without memory for it, in short. */
static spk_pad *tell_failure(const spark_task *task, spark_task_info *info)
{
    const spk_failure *failure = &task->failure;
    spk_pad *pad = spk_pad_new();
    info->status = failure->code;
    info->error = "out of memory for the message";
    if (!pad)
        return NULL;
    info->error = spk_pad_text(pad, failure->message);
    info->operation = spk_pad_text(pad, failure->operation);
    info->site = spk_pad_text(pad, failure->site);
    return pad;
}

static const char *why_killed(const spk_stage *stage)
{
    return atomic_load(&stage->job->overdue) ? "the job's time was up" : "Stage cancelled";
}

static spk_pad *tell_reason(
    const spk_stage *stage, const spark_task *task, spk_ending how, spark_task_info *info)
{
    if (how == SPK_END_DONE) {
        info->reason = SPARK_TASK_SUCCESS;
        return NULL;
    }
    if (how == SPK_END_TOLD && spk_task_failed(task)) {
        info->reason = task->fate.lost ? SPARK_TASK_FETCH_FAILED : SPARK_TASK_FAILED;
        info->lost_shuffle = task->fate.lost ? task->fate.lost->id : -1;
        return tell_failure(task, info);
    }
    spk_pad *pad = how == SPK_END_DISOWNED ? spk_pad_new() : NULL;
    info->reason = how == SPK_END_DISOWNED ? SPARK_TASK_EXECUTOR_LOST : SPARK_TASK_KILLED;
    info->status = SPARK_ECANCELLED;
    info->error = how == SPK_END_OUTRUN ? "another attempt succeeded"
        : how != SPK_END_DISOWNED       ? why_killed(stage)
        : pad && task->executor && atomic_load(&task->executor->lost) /* its reason was written before */
        ? spk_pad_text(pad, task->executor->reason)
        : "lost";
    return pad;
}

static void tell_end(spk_bus *bus, const spk_stage *stage, spark_task *task, spk_ending how)
{
    const int64_t now = spk_now();
    spk_event *event = spk_lane_next(task->heard.lane);
    spark_task_info *info = &event->u.task.info;
    event->kind = SPK_TASK_END;
    event->pads[0] = event->pads[1] = NULL;
    *info = spk_lane_last(task->heard.lane)->u.task.info;
    info->finish_time = now + bus->since;
    measure(task, stage, now, &event->u.task.metrics);
    spk_attempt_counted(bus, task, &event->u.task.metrics);
    event->pads[0] = tell_reason(stage, task, how, info);
    spk_attempt_tells(bus, stage, task, how == SPK_END_DONE, event);
    spk_lane_end(bus, task->heard.lane, info->reason != SPARK_TASK_SUCCESS);
}

void spk_hooks_task_end(spk_stage *stage, spark_task *task, spk_ending how)
{
    spk_bus *bus = spk_bus_here(task->sc);
    if (bus)
        tell_end(bus, stage, task, how);
    task->heard.id = -1;
    spk_attempt_forgets(task->sc->bus, task);
}
