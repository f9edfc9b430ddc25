/* SPDX-License-Identifier: Apache-2.0 */
/* A listener that holds the rules every application must keep, whatever fails in it: what begins before
 * what, that nothing begins twice or ends without having begun; and that adds up what tasks have measured. */
#ifndef WATCHER_H
#define WATCHER_H

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "support/spark_test.h"

enum { WATCHED_JOBS = 512, WATCHED_STAGES = 4096, WATCHED_TASKS = 200000 };

typedef struct watched_job {
    bool begun, ended;
    spark_status status;
    int64_t done, failed, fetch_failed, killed, lost_executors, speculative, local;
    int stages, submitted, skipped;
    spark_task_metrics sum;
    char description[64], failure[256];
} watched_job;

typedef struct watched_stage {
    bool known, open;
    int job, attempt, attempts, tasks, done, running;
} watched_stage;

typedef struct watcher {
    watched_job jobs[WATCHED_JOBS];
    watched_stage stages[WATCHED_STAGES];
    uint8_t tasks[WATCHED_TASKS]; /* 1: runs; 2: has ended */
    int64_t n_tasks, missed, blocks_in, blocks_gone, unpersisted;
    int executors, applications, ends, environments, closed, idles;
    bool lossy; /* events may be left out */
    char id[64], wrong[256]; /* wrong: the first rule that was broken */
    void (*also)(struct watcher *w, const spark_task_info *task);
    int sleep_us; /* in each event of a task */
} watcher;

#define WATCHER_RULE(w, holds)                                                                     \
    do {                                                                                           \
        if (!(holds) && !*(w)->wrong)                                                              \
            snprintf((w)->wrong, sizeof(w)->wrong, "line %d: %s", __LINE__, #holds);               \
    } while (0)

static inline void watcher_start(void *env, const spark_application *a)
{
    watcher *w = env;
    w->applications++;
    WATCHER_RULE(w, a->start_time > 0 && a->end_time == 0 && strncmp(a->id, "local-", 6) == 0);
    WATCHER_RULE(w, *a->name && *a->user && *a->host && *a->master && !strchr(a->host, ':'));
    snprintf(w->id, sizeof w->id, "%s", a->id);
}

static inline void watcher_end(void *env, const spark_application *a)
{
    watcher *w = env;
    w->ends++;
    WATCHER_RULE(w, a->end_time >= a->start_time && strcmp(a->id, w->id) == 0);
    for (int i = 0; i < WATCHED_JOBS; i++)
        WATCHER_RULE(w, w->jobs[i].begun == w->jobs[i].ended);
    for (int i = 0; i < WATCHED_STAGES; i++)
        WATCHER_RULE(w, !w->stages[i].open && (w->lossy || w->stages[i].running == 0));
    for (int i = 0; i < WATCHED_TASKS; i++)
        WATCHER_RULE(w, w->tasks[i] != 1);
}

static inline void watcher_environment(void *env, const spark_environment *e)
{
    watcher *w = env;
    w->environments++;
    WATCHER_RULE(w, e->n_properties > 5 && e->n_runtime > 0 && e->n_system > 3);
}

static inline void watcher_executor(void *env, const spark_executor_event *e)
{
    watcher *w = env;
    w->executors++;
    WATCHER_RULE(w, *e->id && e->threads > 0 && e->time > 0 && !*e->reason);
}

static inline void watcher_removed(void *env, const spark_executor_event *e)
{
    watcher *w = env;
    w->executors--;
    WATCHER_RULE(w, *e->id && *e->reason && w->executors >= 0);
}

static inline watched_stage *watcher_stage(watcher *w, const spark_stage_info *s)
{
    WATCHER_RULE(w, s->id >= 0 && s->id < WATCHED_STAGES && strstr(s->name, " at "));
    WATCHER_RULE(w, s->n_rdds > 0 && s->is_result == (s->shuffle < 0));
    for (size_t i = 0; i < s->n_rdds; i++)
        WATCHER_RULE(w, s->rdds[i].id >= s->rdds[i].scope && *s->rdds[i].operation && *s->rdds[i].class_name);
    return &w->stages[s->id % WATCHED_STAGES];
}

static inline void watcher_job_start(void *env, const spark_job_info *j)
{
    watcher *w = env;
    watched_job *job = &w->jobs[j->id % WATCHED_JOBS];
    WATCHER_RULE(w, w->applications == 1 && !job->begun && j->submission_time > 0);
    WATCHER_RULE(w, !*j->failure && j->completion_time == 0);
    *job = (watched_job) { .begun = true, .stages = (int)j->n_stages };
    for (size_t i = 0; i < j->n_stages; i++) {
        watched_stage *s = watcher_stage(w, &j->stages[i]);
        WATCHER_RULE(w, !s->known && j->stages[i].job == j->id && j->stages[i].submission_time == 0);
        s->known = true;
        s->job = j->id;
        s->attempt = -1;
    }
    for (size_t i = 0; i < j->n_properties; i++)
        if (strcmp(j->properties[i].name, "spark.job.description") == 0)
            snprintf(job->description, sizeof job->description, "%s", j->properties[i].value);
}

static inline void watcher_job_end(void *env, const spark_job_info *j)
{
    watcher *w = env;
    watched_job *job = &w->jobs[j->id % WATCHED_JOBS];
    WATCHER_RULE(w, job->begun && !job->ended && j->completion_time >= j->submission_time);
    WATCHER_RULE(w, (j->status == SPARK_OK) == !*j->failure);
    job->ended = true;
    job->status = j->status;
    snprintf(job->failure, sizeof job->failure, "%s", j->failure);
    for (int i = 0; i < WATCHED_STAGES; i++)
        if (w->stages[i].known && w->stages[i].job == j->id) {
            WATCHER_RULE(w, !w->stages[i].open);
            job->skipped += w->stages[i].attempts == 0;
        }
}

static inline void watcher_submitted(void *env, const spark_stage_info *i, const spark_job_info *j)
{
    watcher *w = env;
    watched_stage *s = watcher_stage(w, i);
    WATCHER_RULE(w, j->id == i->job && w->jobs[i->job % WATCHED_JOBS].begun);
    WATCHER_RULE(w, !w->jobs[i->job % WATCHED_JOBS].ended);
    WATCHER_RULE(w, !s->open && i->attempt > s->attempt - (s->attempts == 0) && i->submission_time > 0);
    WATCHER_RULE(w, i->completion_time == 0 && !*i->failure);
    s->known = s->open = true;
    s->job = i->job;
    s->attempt = i->attempt;
    s->tasks = i->tasks;
    s->done = 0;
    s->attempts++;
    w->jobs[i->job % WATCHED_JOBS].submitted++;
}

static inline void watcher_completed(void *env, const spark_stage_info *i)
{
    watcher *w = env;
    watched_stage *s = watcher_stage(w, i);
    WATCHER_RULE(w, s->open && s->attempt == i->attempt && i->completion_time >= i->submission_time);
    WATCHER_RULE(w, *i->failure || s->attempts > 1 || w->lossy || s->done == s->tasks);
    s->open = false;
}

static inline void watcher_task_start(void *env, const spark_task_info *t)
{
    watcher *w = env;
    watched_stage *s = &w->stages[t->stage % WATCHED_STAGES];
    WATCHER_RULE(w, s->open && s->job == t->job && t->stage_attempt == s->attempt && !t->metrics);
    WATCHER_RULE(w, t->id >= 0 && t->id < WATCHED_TASKS && w->tasks[t->id] == 0 && *t->executor);
    WATCHER_RULE(w, t->launch_time > 0 && t->finish_time == 0 && t->reason == SPARK_TASK_RUNNING);
    w->tasks[t->id % WATCHED_TASKS] = 1;
    w->n_tasks++;
    s->running++;
    if (w->sleep_us > 0)
        nanosleep(&(struct timespec) { 0, w->sleep_us * 1000L }, NULL);
}

static inline void watcher_add(spark_task_metrics *to, const spark_task_metrics *m)
{
    to->run_ns += m->run_ns;
    to->cpu_ns += m->cpu_ns;
    to->input_bytes += m->input_bytes;
    to->input_rows += m->input_rows;
    to->output_bytes += m->output_bytes;
    to->output_rows += m->output_rows;
    to->cached_reads += m->cached_reads;
    to->cached_blocks += m->cached_blocks;
    to->shuffle_read_local_bytes += m->shuffle_read_local_bytes;
    to->shuffle_read_remote_bytes += m->shuffle_read_remote_bytes;
    to->shuffle_read_local_blocks += m->shuffle_read_local_blocks;
    to->shuffle_read_remote_blocks += m->shuffle_read_remote_blocks;
    to->shuffle_read_rows += m->shuffle_read_rows;
    to->shuffle_write_bytes += m->shuffle_write_bytes;
    to->shuffle_write_rows += m->shuffle_write_rows;
    to->disk_spilled_bytes += m->disk_spilled_bytes;
    to->result_bytes += m->result_bytes;
}

static inline void watcher_task_end(void *env, const spark_task_info *t)
{
    watcher *w = env;
    watched_job *job = &w->jobs[t->job % WATCHED_JOBS];
    watched_stage *s = &w->stages[t->stage % WATCHED_STAGES];
    WATCHER_RULE(w, w->tasks[t->id % WATCHED_TASKS] == 1 && t->metrics && !job->ended);
    WATCHER_RULE(w, t->finish_time >= t->launch_time && t->metrics->run_ns >= 0);
    WATCHER_RULE(w, t->metrics->cpu_ns >= 0 && t->metrics->cpu_ns <= t->metrics->run_ns);
    WATCHER_RULE(w, (t->reason == SPARK_TASK_SUCCESS) == !*t->error);
    w->tasks[t->id % WATCHED_TASKS] = 2;
    s->running--;
    s->done += t->reason == SPARK_TASK_SUCCESS;
    job->done += t->reason == SPARK_TASK_SUCCESS;
    job->failed += t->reason == SPARK_TASK_FAILED;
    job->fetch_failed += t->reason == SPARK_TASK_FETCH_FAILED;
    job->killed += t->reason == SPARK_TASK_KILLED;
    job->lost_executors += t->reason == SPARK_TASK_EXECUTOR_LOST;
    job->speculative += t->speculative;
    job->local += strcmp(t->locality, "PROCESS_LOCAL") == 0;
    if (t->reason == SPARK_TASK_SUCCESS)
        watcher_add(&job->sum, t->metrics);
    if (w->also)
        w->also(w, t);
}

static inline void watcher_block(void *env, const spark_block_event *b)
{
    watcher *w = env;
    const bool there = b->in_memory || b->on_disk;
    WATCHER_RULE(w, there == (b->level != SPARK_DEFAULT_LEVEL) && *b->executor);
    *(there ? &w->blocks_in : &w->blocks_gone) += 1;
}

static inline void watcher_unpersist(void *env, int rdd)
{
    watcher *w = env;
    WATCHER_RULE(w, rdd >= 0);
    w->unpersisted++;
}

static inline void watcher_missed(void *env, int64_t events)
{
    watcher *w = env;
    WATCHER_RULE(w, events > 0);
    w->missed += events;
}

static inline void watcher_idle(void *env)
{
    ((watcher *)env)->idles++;
}

static inline void watcher_close(void *env)
{
    ((watcher *)env)->closed++;
}

static inline spark_listener watcher_listener(watcher *w)
{
    return (spark_listener) { .env = w,
        .application_start = watcher_start,
        .application_end = watcher_end,
        .environment_update = watcher_environment,
        .executor_added = watcher_executor,
        .executor_removed = watcher_removed,
        .job_start = watcher_job_start,
        .job_end = watcher_job_end,
        .stage_submitted = watcher_submitted,
        .stage_completed = watcher_completed,
        .task_start = watcher_task_start,
        .task_end = watcher_task_end,
        .block_updated = watcher_block,
        .unpersist_rdd = watcher_unpersist,
        .missed = watcher_missed,
        .idle = watcher_idle,
        .close = watcher_close };
}

static inline watcher *watcher_new(void)
{
    watcher *w = calloc(1, sizeof *w);
    assert_non_null(w);
    return w;
}

/* watcher_over: after the context was freed. */
static inline void watcher_over(watcher *w)
{
    if (*w->wrong)
        fail_msg("a rule of the listener was broken: %s", w->wrong);
    assert_int_equal(w->applications, 1);
    assert_int_equal(w->ends, 1);
    assert_int_equal(w->environments, 1);
    assert_int_equal(w->closed, 1);
    free(w);
}

#endif
