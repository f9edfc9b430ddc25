/* SPDX-License-Identifier: Apache-2.0 */
/* From what the scheduler does to events. All of it may run while others do the same; what is kept of a
 * job, a stage and an attempt hangs on them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listen/bus.h"
#include "plan/listening.h"

static spk_bus *bus_of(const spark_context *sc)
{
    return spk_bus_here(sc);
}

/* ---- jobs */

typedef struct heard_job {
    spk_pad *pad;
    spark_job_info info;
    spark_job_info *told; /* as it was when it began; in the pad */
    spk_execution *execution; /* of SQL, or NULL */
} heard_job;

static void put_property(spk_pad *pad, spark_job_info *info, const char *name, const char *value)
{
    spark_property *at;
    if (!value || !info->properties)
        return;
    memcpy(&at, &info->properties, sizeof at);
    at[info->n_properties++] = (spark_property) { name, spk_pad_text(pad, value) };
}

static void fill_properties(spk_pad *pad, spark_job_info *info, const spk_properties *p)
{
    enum { MOST = 5 }; /* with that of SQL */
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

static void put_execution(spk_pad *pad, spark_job_info *info)
{
    char id[32];
    snprintf(id, sizeof id, "%lld", (long long)info->execution);
    put_property(pad, info, "spark.sql.execution.id", id);
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

static heard_job *hear_job(spk_bus *bus, spk_job *job)
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
    heard->execution = spk_sql_job(bus, info);
    if (heard->execution)
        put_execution(pad, info);
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
    heard_job *heard = hear_job(bus, job);
    job->heard = heard;
    if (!heard) {
        spk_bus_left_out(bus);
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
    if (bus && heard->execution)
        spk_sql_job_over(bus, heard->execution, job);
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
        spk_bus_left_out(bus);
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
    atomic_store(&heard->open, heard->info.attempt);
}

static void stage_completed(spk_stage *stage, const char *why)
{
    spk_bus *bus = bus_of(stage->job->scheduler->sc);
    spk_heard_stage *heard = stage->heard;
    if (!bus || !heard || heard->info.submission_time == 0)
        return;
    atomic_store(&heard->open, -1); /* before the lanes are flushed */
    spk_pad *pad = spk_pad_new();
    spk_event event = { .kind = SPK_STAGE_COMPLETED, .pads = { heard->pad, pad } };
    event.u.stage.info = heard->info;
    event.u.stage.info.completion_time = spk_bus_now(bus);
    if (why)
        event.u.stage.info.failure = *why && pad ? spk_pad_text(pad, why) : "the job has ended";
    if (pad)
        spk_stage_tells(bus, heard, pad, &event.u.stage.info);
    spk_bus_post(bus, &event, true);
    spk_pad_unref(pad);
    heard->info.submission_time = 0;
}

/* ---- executors and blocks */

static void post_executor(const spk_executor *executor, spk_event_kind kind)
{
    spk_bus *bus = bus_of(executor->workers[0].task->sc);
    spk_pad *pad = bus ? spk_pad_new() : NULL;
    if (!bus)
        return;
    if (!pad) {
        spk_bus_left_out(bus);
        return;
    }
    spk_event event = { .kind = kind, .pads = { bus->pad, pad } };
    event.u.executor = spk_executor_event_of(bus, executor);
    event.u.executor.id = spk_pad_text(pad, executor->name);
    event.u.executor.reason = spk_pad_text(pad, executor->reason);
    if (spk_pad_whole(pad))
        spk_bus_post(bus, &event, true);
    else /* an event of nobody would be no better */
        spk_bus_left_out(bus);
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
    spk_sql_end(bus);
    bus->application.end_time = spk_bus_now(bus);
    event.u.application = bus->application;
    spk_bus_post(bus, &event, true);
    for (spk_listener_queue *q = atomic_load(&bus->queues); q; q = q->next)
        spk_queue_finish(q);
    for (spk_listener_queue *q = atomic_exchange(&bus->queues, NULL), *next; q; q = next) {
        next = q->next;
        spk_queue_end(q);
    }
    const spk_counting *counting = atomic_load(&bus->counting);
    if (counting)
        counting->free(atomic_load(&bus->counters));
    atomic_store(&sc->listening, NULL);
    sc->bus = NULL;
    spk_bus_free(bus);
}

const spk_listening spk_hooks = {
    .states = spk_sql_states,
    .stated = spk_sql_stated,
    .acts = spk_sql_acts,
    .acted = spk_sql_acted,
    .job_start = job_start,
    .job_end = job_end,
    .stage_submitted = stage_submitted,
    .stage_completed = stage_completed,
    .stage_freed = spk_heard_stage_free,
    .task_start = spk_hooks_task_start,
    .task_end = spk_hooks_task_end,
    .accumulated = spk_attempt_accumulated,
    .piped = spk_attempt_piped,
    .took = spk_attempt_took,
    .sealed = spk_attempt_sealed,
    .executor_added = executor_added,
    .executor_removed = executor_removed,
    .block_updated = block_updated,
    .unpersisted = unpersisted,
    .quiet = quiet,
    .end = end,
    .telling = spk_bus_tells_here,
};
