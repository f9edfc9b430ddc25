/* SPDX-License-Identifier: Apache-2.0 */
/* From what the scheduler does to events. All of it may run while others do the same; what is kept of a
 * job, a stage and an attempt hangs on them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "exec/accumulator.h"
#include "listen/bus.h"
#include "plan/listening.h"

/* SHORT: attempts that take less time than this, in nanoseconds, are taken to have had a CPU all the time:
 * to ask for the time of a thread takes the system up to half a microsecond. */
enum { SHORT = 50000 };

/* bus_of: NULL: in a child of fork, where nobody listens. */
static spk_bus *bus_of(const spark_context *sc)
{
    spk_bus *bus = sc->bus;
    return *bus->here ? bus : NULL;
}

/* left_out: an event for which there was no memory. */
static void left_out(spk_bus *bus)
{
    for (spk_listener_queue *q = atomic_load(&bus->queues); q; q = q->next) {
        pthread_mutex_lock(&q->lock);
        q->missed++;
        pthread_mutex_unlock(&q->lock);
    }
}

/* ---- jobs */

typedef struct heard_job {
    spk_pad *pad;
    spark_job_info info;
    spark_job_info *told; /* as it was when it began; in the pad */
} heard_job;

static void put_property(spk_pad *pad, spark_job_info *info, const char *name, const char *value)
{
    spark_property *at;
    if (!value)
        return;
    memcpy(&at, &info->properties, sizeof at);
    at[info->n_properties++] = (spark_property) { name, spk_pad_text(pad, value) };
}

static void fill_properties(spk_pad *pad, spark_job_info *info, const spk_properties *p)
{
    enum { MOST = 4 };
    info->properties = spk_pad_alloc(pad, MOST * sizeof *info->properties);
    if (!info->properties)
        return;
    char *tags = p->tags.live > 0 ? spk_tags_text(&p->tags) : NULL;
    put_property(pad, info, "spark.jobGroup.id", p->group);
    put_property(pad, info, "spark.job.description", p->description);
    put_property(pad, info, "spark.job.tags", tags);
    put_property(pad, info, "spark.scheduler.pool", p->pool);
    free(tags);
}

/* fill_stages: those that the job has by now, its last one first. */
static bool fill_stages(spk_pad *pad, spark_job_info *info, const spk_job *job)
{
    spark_stage_info *stages = spk_pad_alloc(pad, (job->n_stages + 1) * sizeof *stages);
    info->stages = stages;
    for (size_t i = job->n_stages; stages && i-- > 0;) {
        const spk_heard_stage *heard = spk_stage_hear(job->stages[i]);
        if (!heard)
            return false;
        stages[info->n_stages++] = heard->info;
    }
    return stages != NULL;
}

static const int *copy_ids(spk_pad *pad, const int *ids, size_t n)
{
    int *copy = n > 0 ? spk_pad_alloc(pad, n * sizeof *copy) : NULL;
    return copy ? memcpy(copy, ids, n * sizeof *copy) : NULL;
}

static const spark_rdd_info *copy_rdds(spk_pad *pad, const spark_rdd_info *rdds, size_t n)
{
    spark_rdd_info *copy = spk_pad_alloc(pad, n * sizeof *copy);
    for (size_t i = 0; i < n && copy; i++) {
        copy[i] = rdds[i];
        copy[i].name = spk_pad_text(pad, rdds[i].name);
        copy[i].site = spk_pad_text(pad, rdds[i].site);
        copy[i].parents = copy_ids(pad, rdds[i].parents, rdds[i].n_parents);
    }
    return copy;
}

/* copy_stages: from the pads of the stages, for an event refers to two pads at most. */
static bool copy_stages(spk_pad *pad, spark_job_info *info)
{
    spark_stage_info *stages;
    memcpy(&stages, &info->stages, sizeof stages);
    for (size_t i = 0; i < info->n_stages; i++) {
        stages[i].name = spk_pad_text(pad, stages[i].name);
        stages[i].parents = copy_ids(pad, stages[i].parents, stages[i].n_parents);
        stages[i].rdds = copy_rdds(pad, stages[i].rdds, stages[i].n_rdds);
        stages[i].failure = "";
    }
    return spk_pad_whole(pad);
}

static heard_job *hear_job(spk_job *job)
{
    heard_job *heard = calloc(1, sizeof *heard);
    spk_pad *pad = heard ? spk_pad_new() : NULL;
    if (!pad) {
        free(heard);
        return NULL;
    }
    spark_job_info *info = &heard->info;
    heard->pad = pad;
    info->id = job->id;
    info->action = job->action->name;
    info->site = spk_pad_text(pad, job->action->site);
    info->failure = "";
    fill_properties(pad, info, &job->properties);
    heard->told = spk_pad_alloc(pad, sizeof *heard->told);
    if (fill_stages(pad, info, job) && copy_stages(pad, info) && spk_pad_whole(pad))
        return heard;
    spk_pad_unref(pad);
    free(heard);
    return NULL;
}

static void post_job(spk_bus *bus, const heard_job *heard, spk_event_kind kind)
{
    spk_event event = { .kind = kind, .pads = { heard->pad } };
    event.u.job = heard->info;
    spk_bus_post(bus, &event, true);
}

static void job_start(spk_job *job)
{
    spk_bus *bus = bus_of(job->scheduler->sc);
    if (!bus)
        return;
    heard_job *heard = hear_job(job);
    job->heard = heard;
    if (!heard) {
        left_out(bus);
        return;
    }
    heard->info.submission_time = spk_bus_now(bus);
    *heard->told = heard->info;
    post_job(bus, heard, SPK_JOB_START);
}

static void job_end(spk_job *job)
{
    heard_job *heard = job->heard;
    spk_bus *bus = bus_of(job->scheduler->sc);
    job->heard = NULL;
    if (!heard)
        return;
    heard->info.completion_time = bus ? spk_bus_now(bus) : 0;
    heard->info.status = job->failure.code;
    if (job->failure.code != SPARK_OK)
        heard->info.failure = spk_pad_text(heard->pad, job->failure.message);
    if (bus)
        post_job(bus, heard, SPK_JOB_END);
    for (spk_listener_queue *q = bus ? atomic_load(&bus->queues) : NULL; q; q = q->next)
        if (q->listener.prompt)
            spk_queue_await_told(q);
    spk_pad_unref(heard->pad);
    free(heard);
}

/* ---- stages */

static void stage_submitted(spk_stage *stage, int tasks)
{
    spk_bus *bus = bus_of(stage->job->scheduler->sc);
    const heard_job *job = stage->job->heard;
    spk_heard_stage *heard = bus && job ? spk_stage_hear(stage) : NULL;
    if (!bus || !job)
        return;
    if (!heard) {
        left_out(bus);
        return;
    }
    const int64_t now = spk_now();
    atomic_store(&heard->submitted, now);
    heard->info.attempt = atomic_load(&stage->attempt);
    heard->info.tasks = tasks;
    heard->info.submission_time = now + bus->since;
    spk_event event = { .kind = SPK_STAGE_SUBMITTED, .pads = { heard->pad, job->pad } };
    event.u.stage.info = heard->info;
    event.u.stage.job = job->told;
    spk_bus_post(bus, &event, true);
}

static void stage_completed(spk_stage *stage, const char *why)
{
    spk_bus *bus = bus_of(stage->job->scheduler->sc);
    spk_heard_stage *heard = stage->heard;
    if (!bus || !heard || heard->info.submission_time == 0)
        return;
    spk_pad *pad = spk_pad_new();
    spk_event event = { .kind = SPK_STAGE_COMPLETED, .pads = { heard->pad, pad } };
    event.u.stage.info = heard->info;
    event.u.stage.info.completion_time = spk_bus_now(bus);
    if (why)
        event.u.stage.info.failure = *why && pad ? spk_pad_text(pad, why) : "the job has ended";
    if (pad)
        spk_stage_sums(heard, pad, &event.u.stage.info);
    spk_bus_post(bus, &event, true);
    spk_pad_unref(pad);
    heard->info.submission_time = 0;
}

/* ---- tasks */

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

/* who: all that is the same when the attempt begins and when it ends. */
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
        .speculative = stage->times && task->attempt > 0
            && (atomic_load(&stage->copied[task->heard.index]) & SPK_COPIED),
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
        if (q->listener.whole)
            spk_queue_await_room(q);
}

static void task_start(spk_stage *stage, spark_task *task, int index, int round)
{
    spk_bus *bus = bus_of(task->sc);
    spk_event event = { .kind = SPK_TASK_START };
    if (!bus || !stage->job->heard)
        return;
    await_room(bus);
    task->heard.id = atomic_fetch_add_explicit(&bus->next_task, 1, memory_order_relaxed);
    task->heard.index = index;
    task->heard.round = round;
    if (task->worker < 0 || task->heard.cpu == 0)
        task->heard.cpu = thread_time();
    task->heard.from = spk_now();
    who(stage, task, &event.u.task.info);
    event.u.task.info.launch_time = task->heard.from + bus->since;
    task->heard.told = spk_bus_post(bus, &event, false);
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
    const int64_t far = task->remote_bytes < c->read_bytes ? task->remote_bytes : c->read_bytes;
    *m = (spark_task_metrics) { .run_ns = run,
        .cpu_ns = used(task, run),
        .queue_ns = queue > 0 ? queue : 0,
        .result_bytes = c->result_bytes,
        .input_bytes = c->input_bytes,
        .input_rows = c->input_rows,
        .output_bytes = c->output_bytes,
        .output_rows = c->output_rows,
        .cached_reads = task->cached_reads,
        .shuffle_read_local_bytes = c->read_bytes - far,
        .shuffle_read_remote_bytes = far,
        .shuffle_read_local_blocks = c->read_near,
        .shuffle_read_remote_blocks = c->read_far,
        .shuffle_read_rows = c->read_rows,
        .shuffle_write_bytes = task->shuffle_bytes,
        .shuffle_write_rows = task->shuffle_rows,
        .memory_spilled_bytes = task->spilled_bytes,
        .disk_spilled_bytes = task->spilled_bytes,
        .peak_memory_bytes = c->peak,
        .cached_blocks = task->cached_blocks,
        .evicted_blocks = task->evicted_blocks,
        .cache_bytes_written = task->cache_bytes_written,
        .cache_bytes_read = task->cache_bytes_read };
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
        info->reason = task->lost ? SPARK_TASK_FETCH_FAILED : SPARK_TASK_FAILED;
        info->lost_shuffle = task->lost ? task->lost->id : -1;
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

static void task_end(spk_stage *stage, spark_task *task, spk_ending how)
{
    spk_bus *bus = bus_of(task->sc);
    spk_event event = { .kind = SPK_TASK_END };
    spark_task_info *info = &event.u.task.info;
    if (bus) {
        const int64_t now = spk_now();
        who(stage, task, info);
        info->launch_time = task->heard.from + bus->since;
        info->finish_time = now + bus->since;
        measure(task, stage, now, &event.u.task.metrics);
        event.pads[0] = tell_reason(stage, task, how, info);
        for (spk_listener_queue *q = atomic_load(&bus->queues); q; q = q->next)
            if (spk_queue_wants(q, SPK_TASK_END) && (task->heard.told >> q->number & 1))
                spk_queue_put(q, &event, true);
        spk_pad_unref(event.pads[0]);
    }
    task->heard.id = -1;
}

static void accumulated(spark_task *task, const spark_accumulator *a, int64_t i64, double f64)
{
    const spk_stage *stage = (const spk_stage *)(const void *)atomic_load(&task->set);
    if (task->heard.id < 0 || !stage->heard || (a->kind != SPK_SUM_I64 && a->kind != SPK_SUM_F64))
        return;
    char *name = a->name;
    const spk_heard_sum more = { (int64_t)a->id, i64, f64, a->kind == SPK_SUM_I64, name };
    spk_stage_sum(stage->heard, &more);
}

/* ---- executors and blocks */

static void post_executor(const spk_executor *executor, spk_event_kind kind)
{
    spk_bus *bus = bus_of(executor->workers[0].task->sc);
    spk_pad *pad = bus ? spk_pad_new() : NULL;
    if (!bus)
        return;
    if (!pad) {
        left_out(bus);
        return;
    }
    spk_event event = { .kind = kind, .pads = { bus->pad, pad } };
    event.u.executor = spk_executor_event_of(bus, executor);
    event.u.executor.id = spk_pad_text(pad, executor->name);
    event.u.executor.reason = spk_pad_text(pad, executor->reason);
    spk_bus_post(bus, &event, true);
    spk_pad_unref(pad);
}

static void executor_added(const spk_executor *executor)
{
    post_executor(executor, SPK_EXECUTOR_ADDED);
}

static void executor_removed(const spk_executor *executor)
{
    post_executor(executor, SPK_EXECUTOR_REMOVED);
}

static const char *owner_of(const spark_context *sc, const spk_store *store)
{
    if (store == sc->store || sc->executors == 0)
        return "driver";
    return ((const spk_executor *)(const void *)((const char *)store - offsetof(spk_executor, store)))->name;
}

static void block_updated(spark_context *sc, const spk_block_now *block)
{
    spk_bus *bus = bus_of(sc);
    if (!bus || atomic_load_explicit(&bus->quiet, memory_order_relaxed))
        return;
    spk_pad *pad = sc->executors > 0 ? spk_pad_new() : NULL;
    spk_event event = { .kind = SPK_BLOCK, .pads = { pad } };
    const char *owner = owner_of(sc, block->store);
    event.u.block = (spark_block_event) { .rdd = block->rdd,
        .partition = block->partition,
        .executor = pad ? spk_pad_text(pad, owner) : "driver",
        .in_memory = block->in_memory,
        .on_disk = block->on_disk,
        .level = block->in_memory || block->on_disk ? (spark_level)block->level : SPARK_DEFAULT_LEVEL,
        .memory_bytes = block->memory_bytes,
        .disk_bytes = block->disk_bytes,
        .time = spk_bus_now(bus) };
    spk_bus_post(bus, &event, false);
    spk_pad_unref(pad);
}

static void unpersisted(const spark_rdd *rdd)
{
    spk_bus *bus = bus_of(rdd->sc);
    spk_event event = { .kind = SPK_UNPERSIST };
    event.u.rdd = rdd->id;
    if (bus && !atomic_load(&bus->quiet))
        spk_bus_post(bus, &event, true);
}

/* ---- the end */

static void quiet(spark_context *sc)
{
    atomic_store(&sc->bus->quiet, true);
}

static void end(spark_context *sc)
{
    spk_bus *bus = sc->bus;
    spk_event event = { .kind = SPK_APPLICATION_END, .pads = { bus->pad } };
    bus->application.end_time = spk_bus_now(bus);
    event.u.application = bus->application;
    spk_bus_post(bus, &event, true);
    for (spk_listener_queue *q = atomic_load(&bus->queues), *next; q; q = next) {
        next = q->next;
        spk_queue_end(q);
    }
    atomic_store(&sc->listening, NULL);
    sc->bus = NULL;
    spk_bus_free(bus);
}

const spk_listening spk_hooks = {
    .job_start = job_start,
    .job_end = job_end,
    .stage_submitted = stage_submitted,
    .stage_completed = stage_completed,
    .stage_freed = spk_heard_stage_free,
    .task_start = task_start,
    .task_end = task_end,
    .accumulated = accumulated,
    .executor_added = executor_added,
    .executor_removed = executor_removed,
    .block_updated = block_updated,
    .unpersisted = unpersisted,
    .quiet = quiet,
    .end = end,
};
