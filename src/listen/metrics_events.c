/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics as events tell of them. Ids are found by their last bits: they count up, so that those that are kept lie in
 * buckets of their own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listen/metrics.h"
#include "listen/properties.h"

/* cut: a text to its array, without half of a character at the end. */
static void cut(char *to, size_t size, const char *from)
{
    size_t n = strnlen(from, size);
    if (n == size) {
        n = size - 1;
        while (n > 0 && ((unsigned char)from[n] & 0xc0) == 0x80)
            n--;
    }
    memcpy(to, from, n);
    to[n] = '\0';
}
#define CUT(to, from) cut(to, sizeof(to), from)

static size_t bucket(int id)
{
    return (size_t)id % SPK_KEPT_BUCKETS;
}

spk_kept_stage *spk_metrics_stage(const spk_metrics *k, int id, int attempt)
{
    spk_kept_stage *s = id >= 0 ? k->stages[bucket(id)] : NULL;
    while (s && (s->m.id != id || (attempt != SPARK_ANY && s->m.attempt != attempt)))
        s = s->next;
    return s;
}

spk_kept_job *spk_metrics_job(const spk_metrics *k, int id)
{
    spk_kept_job *j = id >= 0 ? k->jobs[bucket(id)] : NULL;
    while (j && j->m.id != id)
        j = j->next;
    return j;
}

/* ---- what has ended goes */

static void free_stage(spk_metrics *k, spk_kept_stage *s)
{
    k->n_samples -= (int64_t)s->samples.n;
    spk_samples_fini(&s->samples);
    free(s->rows);
    free(s->written);
    free(s);
}

static void drop_stages(spk_metrics *k)
{
    while (k->n_stages > k->most.retained_stages) {
        spk_kept_stage *s = k->first_stage, **at = &k->stages[bucket(s->m.id)];
        while (*at != s)
            at = &(*at)->next;
        *at = s->next;
        if (k->sampled == s)
            k->sampled = s->later;
        k->first_stage = s->later;
        if (k->last_stage == s)
            k->last_stage = NULL;
        k->n_stages--;
        free_stage(k, s);
    }
}

static void drop_jobs(spk_metrics *k)
{
    while (k->n_jobs > k->most.retained_jobs) {
        spk_kept_job *j = k->first_job, **at = &k->jobs[bucket(j->m.id)];
        while (*at != j)
            at = &(*at)->next;
        *at = j->next;
        k->first_job = j->later;
        if (k->last_job == j)
            k->last_job = NULL;
        k->n_jobs--;
        free(j);
    }
}

static void drop_executors(spk_metrics *k)
{
    spk_kept_executor *e = k->lost, *last = NULL;
    for (int n = 0; e && n < k->most.retained_executors; n++) {
        last = e;
        e = e->next;
    }
    *(last ? &last->next : &k->lost) = NULL;
    for (spk_kept_executor *next; e; e = next) {
        next = e->next;
        free(e);
    }
}

/* ---- jobs */

static void job_start(void *env, const spark_job_info *info)
{
    spk_metrics *k = env;
    char name[256];
    spk_kept_job *j = calloc(1, sizeof *j);
    spk_metrics_lock(k);
    k->missed += !j;
    if (j) {
        snprintf(name, sizeof name, "%.60s at %.180s", info->action, info->site);
        j->m.id = info->id;
        j->m.submission_time = info->submission_time;
        j->m.stages = (int)info->n_stages;
        j->newest_stage = -1;
        for (size_t i = 0; i < info->n_stages; i++) {
            j->m.tasks += info->stages[i].tasks;
            if (info->stages[i].id > j->newest_stage)
                j->newest_stage = info->stages[i].id;
        }
        CUT(j->m.name, name);
        CUT(j->m.group, spk_job_property(info, "spark.jobGroup.id"));
        CUT(j->m.description, spk_job_property(info, "spark.job.description"));
        j->next = k->jobs[bucket(info->id)];
        k->jobs[bucket(info->id)] = j;
    }
    if (info->id > k->newest_job)
        k->newest_job = info->id;
    spk_metrics_unlock(k);
}

static void job_end(void *env, const spark_job_info *info)
{
    spk_metrics *k = env;
    spk_metrics_lock(k);
    spk_kept_job *j = spk_metrics_job(k, info->id);
    spk_metrics_settle(k, NULL);
    if (j && j->m.completion_time == 0) {
        j->m.state = info->status == SPARK_OK ? SPARK_RUN_SUCCEEDED : SPARK_RUN_FAILED;
        j->m.status = info->status;
        j->m.completion_time = info->completion_time;
        j->m.skipped_stages = j->m.stages - j->run;
        CUT(j->m.failure, info->failure);
        *(k->last_job ? &k->last_job->later : &k->first_job) = j;
        k->last_job = j;
        k->n_jobs++;
        drop_jobs(k);
    }
    spk_metrics_unlock(k);
}

/* ---- stages */

/* tell_job: that an attempt of a stage of it was submitted. */
static void tell_job(spk_metrics *k, const spark_stage_info *info)
{
    spk_kept_job *j = spk_metrics_job(k, info->job);
    if (!j)
        return;
    j->m.active_stages++;
    j->m.stage_attempts++;
    j->run += info->attempt == 0;
    j->m.stages += info->attempt == 0 && info->id > j->newest_stage;
}

static void stage_submitted(void *env, const spark_stage_info *info, const spark_job_info *job)
{
    spk_metrics *k = env;
    spk_kept_stage *s = calloc(1, sizeof *s);
    (void)job;
    spk_metrics_lock(k);
    tell_job(k, info);
    k->missed += !s;
    if (s) {
        s->m = (spark_stage_metrics) { .id = info->id,
            .attempt = info->attempt,
            .job = info->job,
            .rdd = info->n_rdds > 0 ? info->rdds[0].id : -1,
            .shuffle = info->shuffle,
            .is_result = info->is_result,
            .tasks = info->tasks,
            .submission_time = info->submission_time };
        CUT(s->m.name, info->name);
        s->samples.each = 1;
        s->next = k->stages[bucket(info->id)];
        k->stages[bucket(info->id)] = s;
    }
    spk_metrics_unlock(k);
}

/* keep_rows, keep_profile: of an attempt of a stage that has ended. */
static void keep_rows(spk_metrics *k, spk_kept_stage *s, const spark_stage_info *info)
{
    s->end_ns = info->end_ns;
    s->rows = info->n_rows > 0 ? malloc(info->n_rows * sizeof *s->rows) : NULL;
    if (!s->rows) {
        k->missed += info->n_rows > 0;
        return;
    }
    memcpy(s->rows, info->rows, info->n_rows * sizeof *s->rows);
    s->n_rows = info->n_rows;
}

static void keep_profile(spk_metrics *k, spk_kept_stage *s, const spark_shuffle_profile *from)
{
    const size_t hot = from ? from->n_hot * sizeof *from->hot : 0;
    const size_t keys = from ? from->n_keys * sizeof *from->keys : 0;
    char *room = from ? malloc(sizeof *from + hot + keys) : NULL;
    if (!room) {
        k->missed += from != NULL;
        return;
    }
    s->written = (spark_shuffle_profile *)(void *)room;
    *s->written = *from;
    s->written->hot = (spark_hot_partition *)(void *)(room + sizeof *from);
    s->written->keys = (spark_hot_key *)(void *)(room + sizeof *from + hot);
    if (hot)
        memcpy(room + sizeof *from, from->hot, hot);
    if (keys)
        memcpy(room + sizeof *from + hot, from->keys, keys);
}

static void stage_completed(void *env, const spark_stage_info *info)
{
    spk_metrics *k = env;
    const bool failed = *info->failure;
    spk_metrics_lock(k);
    spk_kept_stage *s = spk_metrics_stage(k, info->id, info->attempt);
    spk_kept_job *j = spk_metrics_job(k, info->job);
    spk_metrics_settle(k, NULL);
    if (j) {
        j->m.active_stages--;
        j->m.failed_stages += failed;
    }
    if (s && !s->ended) {
        s->ended = true;
        s->m.state = failed ? SPARK_RUN_FAILED : SPARK_RUN_SUCCEEDED;
        s->m.completion_time = info->completion_time;
        CUT(s->m.failure, info->failure);
        keep_rows(k, s, info);
        keep_profile(k, s, info->written);
        *(k->last_stage ? &k->last_stage->later : &k->first_stage) = s;
        k->last_stage = s;
        k->sampled = k->sampled ? k->sampled : s;
        k->n_stages++;
        drop_stages(k);
    }
    spk_metrics_unlock(k);
}

/* ---- tasks */

enum { AT_ONCE = 64 };

/* told: whoever asks meanwhile waits for as many tasks at most. */
static void told(spk_metrics *k)
{
    if (++k->told >= AT_ONCE)
        spk_metrics_unlock(k);
}

static void task_start(void *env, const spark_task_info *t)
{
    spk_metrics_lock(env);
    spk_metrics_task_start(env, t);
    told(env);
}

static void task_end(void *env, const spark_task_info *t)
{
    spk_metrics_lock(env);
    spk_metrics_task_end(env, t);
    told(env);
}

static void idle(void *env)
{
    spk_metrics_unlock(env);
}

/* ---- executors */

static void executor_added(void *env, const spark_executor_event *event)
{
    spk_metrics *k = env;
    spk_kept_executor *e = calloc(1, sizeof *e), **end = &k->executors;
    spk_metrics_lock(k);
    k->missed += !e;
    if (e) {
        e->m.threads = event->threads;
        e->m.memory = event->memory;
        e->m.added_time = event->time;
        e->more.stage = -1;
        CUT(e->m.id, event->id);
        while (*end)
            end = &(*end)->next;
        *end = e;
    }
    spk_metrics_unlock(k);
}

static void executor_removed(void *env, const spark_executor_event *event)
{
    spk_metrics *k = env;
    spk_kept_executor **at = &k->executors;
    spk_metrics_lock(k);
    while (*at && strcmp((*at)->m.id, event->id) != 0)
        at = &(*at)->next;
    spk_kept_executor *e = *at;
    if (e) {
        *at = e->next;
        spk_metrics_settle(k, e);
        e->m.removed_time = event->time;
        CUT(e->m.reason, event->reason);
        e->next = k->lost;
        k->lost = e;
        drop_executors(k);
    }
    spk_metrics_unlock(k);
}

/* ---- life */

static void missed(void *env, int64_t events)
{
    spk_metrics *k = env;
    spk_metrics_lock(k);
    k->missed += events;
    spk_metrics_unlock(k);
}

void spk_metrics_fini(spk_metrics *k)
{
    for (size_t b = 0; b < SPK_KEPT_BUCKETS; b++) {
        for (spk_kept_stage *s = k->stages[b], *next; s; s = next) {
            next = s->next;
            free_stage(k, s);
        }
        for (spk_kept_job *j = k->jobs[b], *next; j; j = next) {
            next = j->next;
            free(j);
        }
    }
    k->most.retained_executors = 0;
    drop_executors(k);
    k->lost = k->executors;
    drop_executors(k);
}

spark_listener spk_metrics_listener(spk_metrics *k)
{
    return (spark_listener) { .env = k,
        .capacity = 16384,
        .whole = true,
        .executor_added = executor_added,
        .executor_removed = executor_removed,
        .job_start = job_start,
        .job_end = job_end,
        .stage_submitted = stage_submitted,
        .stage_completed = stage_completed,
        .task_start = task_start,
        .task_end = task_end,
        .missed = missed,
        .idle = idle };
}
