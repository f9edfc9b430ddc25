/* SPDX-License-Identifier: Apache-2.0 */
/* Excluding executors on failure (Spark's excludeOnFailure): an executor on which an attempt of a task
 * has failed runs it no more; one on which several tasks of a stage have failed, no task of that stage;
 * one that has collected failures in stages that ended well, within the time that it is then left alone
 * for, none of the context for that time. All are on one machine, so Spark's rules for nodes have no
 * meaning here. A task that can run nowhere ends its job, as soon as that is so. A stage remembers each
 * failure; few happen before it runs out of executors. */
#include "scheduler/stage.h"

#include <stdlib.h>

/* failed_on: attempts of the task (-1: tasks of the stage) that have failed on the executor. */
static int failed_on(const spk_stage *stage, int index, const spk_executor *executor)
{
    int n = 0;
    for (const spk_failed *f = stage->failed; f; f = f->next) {
        bool counts = f->executor == executor && (index < 0 || f->index == index);
        for (const spk_failed *g = f->next; g && index < 0 && counts; g = g->next)
            counts = g->index != f->index || g->executor != f->executor; /* a task counts once */
        n += counts;
    }
    return n;
}

/* may_run: index -1: whichever task of the stage. With the lock of exclusions held. */
static bool may_run(const spk_stage *stage, int index, const spk_executor *executor)
{
    const spark_exclusion *how = &stage->job->scheduler->sc->exclusion;
    return !atomic_load(&executor->lost) && executor->excluded_until <= spk_now()
        && failed_on(stage, -1, executor) < how->stage_tasks
        && (index < 0 || failed_on(stage, index, executor) < how->task_attempts);
}

bool spk_exclude_allows(const spk_stage *stage, int index, const spk_executor *executor)
{
    struct spk_scheduler *scheduler = stage->job->scheduler;
    pthread_mutex_lock(&scheduler->exclusions);
    const bool allows = may_run(stage, index, executor);
    pthread_mutex_unlock(&scheduler->exclusions);
    return allows;
}

/* seeking: for a living executor that may run a task. */
typedef struct seeking {
    const spk_stage *stage;
    int index;
    bool found;
} seeking;

static void seek(void *arg, const spk_executor *executor)
{
    seeking *s = arg;
    s->found = s->found || spk_exclude_allows(s->stage, s->index, executor);
}

static bool runs_somewhere(const spk_stage *stage, int index)
{
    seeking s = { .stage = stage, .index = index };
    spk_pool_visit(stage->job->scheduler->pool, seek, &s);
    return s.found;
}

/* stuck: a task of the stage that can run nowhere; -1: there is none that is known to. */
static int stuck(const spk_stage *stage)
{
    if (!runs_somewhere(stage, -1))
        return stage->failed ? stage->failed->index : 0;
    for (const spk_failed *f = stage->failed; f; f = f->next)
        if (!atomic_load(&stage->done[f->index]) && !runs_somewhere(stage, f->index))
            return f->index;
    return -1;
}

/* abort_stuck: the job fails, with what the attempt failed with, where there is one. */
static bool abort_stuck(spk_stage *stage, const spk_failure *failure)
{
    spk_job *job = stage->job;
    const int index = stuck(stage);
    char story[320];
    if (index < 0 || job->failure.code != SPARK_OK)
        return index >= 0;
    if (failure)
        job->failure = *failure;
    else
        spk_failure_set(&job->failure, SPARK_ETASK, job->action->name, job->action->site,
            "%s at %s: executors have failed tasks of other stages", job->action->name, job->action->site);
    job->failure.job = job->id;
    job->failure.stage = stage->id;
    job->failure.partition = spk_stage_partition(stage, index);
    snprintf(story, sizeof story,
        "; Job aborted due to stage failure: Aborting TaskSet %d.%d because task %d (partition %d) cannot "
        "run anywhere due to node and executor excludeOnFailure. ExcludeOnFailure behavior can be "
        "configured via spark_conf.exclusion",
        stage->id, stage->attempt, index, job->failure.partition);
    spk_failure_end(&job->failure, story);
    atomic_store(&job->cancelled, true);
    spk_job_changed(job);
    return true;
}

bool spk_exclude_failed(spk_stage *stage, const spark_task *task, int index)
{
    struct spk_scheduler *scheduler = stage->job->scheduler;
    spk_failed *f = task->executor ? malloc(sizeof *f) : NULL;
    if (f) { /* else the executor gets another chance */
        *f = (spk_failed) { NULL, task->executor, index, spk_now() };
        pthread_mutex_lock(&scheduler->exclusions);
        f->next = stage->failed;
        stage->failed = f;
        pthread_mutex_unlock(&scheduler->exclusions);
    }
    return abort_stuck(stage, &task->failure);
}

/* charge: the executor with a failure of a stage that has ended well; whether it is excluded now. As in Spark a
 * failure counts from when it happened, not from when its stage has ended, and for as long as one is excluded. */
static bool charge(spk_failed *f, const spark_exclusion *how)
{
    const int64_t now = spk_now(), timeout = (int64_t)how->timeout_ms * 1000000;
    spk_executor *executor = f->executor;
    int n = 0;
    f->next = executor->failed_tasks;
    executor->failed_tasks = f;
    for (spk_failed **at = &executor->failed_tasks; (f = *at);) {
        if (f->at + timeout > now) {
            n++;
            at = &f->next;
        } else {
            *at = f->next;
            free(f);
        }
    }
    if (n < how->tasks || executor->excluded_until > now)
        return false;
    executor->excluded_until = now + timeout;
    return true;
}

/* charge_all: a task counts once for each executor, with its last failure there, which comes first in the list. */
static bool charge_all(spk_stage *stage)
{
    struct spk_scheduler *scheduler = stage->job->scheduler;
    spk_failed *once = NULL, *other = NULL;
    bool excluded = false;
    pthread_mutex_lock(&scheduler->exclusions);
    for (spk_failed *f = stage->failed, *next; f; f = next) {
        bool counts = true;
        for (const spk_failed *g = once; g && counts; g = g->next)
            counts = g->index != f->index || g->executor != f->executor;
        spk_failed **to = counts ? &once : &other;
        next = f->next;
        f->next = *to;
        *to = f;
    }
    for (spk_failed *next; once; once = next) {
        next = once->next;
        excluded = charge(once, &scheduler->sc->exclusion) || excluded;
    }
    stage->failed = other;
    pthread_mutex_unlock(&scheduler->exclusions);
    return excluded;
}

SPK_COLD void spk_exclude_through(spk_stage *stage)
{
    if (!stage->failed || !charge_all(stage))
        return;
    const spk_job *ended = stage == stage->job->result ? stage->job : NULL; /* whatever it has running */
    for (spk_job *job = stage->job->scheduler->active; job; job = job->next)
        for (size_t i = 0; i < job->n_stages && job != ended; i++)
            if (job->stages[i]->submitted && !job->stages[i]->through && job->stages[i] != stage)
                abort_stuck(job->stages[i], NULL);
}

bool spk_exclude_begin(spk_stage *stage)
{
    spk_exclude_forget(stage);
    return !abort_stuck(stage, NULL);
}

void spk_exclude_forget(spk_stage *stage)
{
    for (spk_failed *f = stage->failed, *next; f; f = next) {
        next = f->next;
        free(f);
    }
    stage->failed = NULL;
}
