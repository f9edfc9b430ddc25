/* SPDX-License-Identifier: Apache-2.0 */
/* What runs, and cancelling it: marks the running jobs that match; their callers notice, and return
 * when no attempt is in user code any more. */
#include "scheduler/stage.h"

#include <stdlib.h>

#include <spark/async.h>

/* match: what is looked for; one of the fields is set. */
typedef struct match {
    bool all;
    int job, stage; /* -1: not by these */
    const char *group, *tag;
    const spk_started *started;
} match;

static bool has_stage(const spk_job *job, int stage)
{
    for (size_t i = 0; i < job->n_stages; i++)
        if (job->stages[i]->id == stage)
            return true;
    return false;
}

static bool named(const spk_properties *p, const match *m)
{
    return m->all || (m->group && p->group && strcmp(p->group, m->group) == 0)
        || (m->tag && spk_properties_tagged(p, m->tag));
}

static bool matches(const spk_job *job, const match *m)
{
    return (m->job >= 0 && job->id == m->job) || (m->stage >= 0 && has_stage(job, m->stage))
        || (m->started && job->properties.started == m->started) || named(&job->properties, m);
}

void spk_job_cancel(spk_job *job, const char *reason)
{
    if (job->failure.code != SPARK_OK)
        return;
    spk_failure_set(&job->failure, SPARK_ECANCELLED, job->action->name, job->action->site,
        "%s at %s: Job %d cancelled %s", job->action->name, job->action->site, job->id, reason);
    job->failure.job = job->id;
    atomic_store(&job->cancelled, true);
    spk_job_changed(job);
}

/* cancel_matching: with the lock held. */
static void cancel_matching(struct spk_scheduler *scheduler, const match *m, const char *reason)
{
    for (spk_job *job = scheduler->active; job; job = job->next)
        if (matches(job, m))
            spk_job_cancel(job, reason);
    for (spk_started *s = scheduler->started; s; s = s->next)
        if ((s == m->started || named(s->properties, m)) && !atomic_load(&s->cancelled)) {
            snprintf(s->reason, sizeof s->reason, "%s", reason);
            atomic_store(&s->cancelled, true);
        }
}

static void cancel(spark_context *sc, const match *m, const char *reason)
{
    struct spk_scheduler *scheduler = sc && !sc->error ? sc->scheduler : NULL;
    if (!scheduler)
        return;
    pthread_mutex_lock(&scheduler->lock);
    cancel_matching(scheduler, m, reason);
    pthread_mutex_unlock(&scheduler->lock);
}

void spk_started_cancel(spark_context *sc, spk_started *started)
{
    const match m = { .job = -1, .stage = -1, .started = started };
    cancel(sc, &m, "through its future");
}

void spk_interrupt(spark_context *sc, const char *reason)
{
    struct spk_scheduler *scheduler = sc->scheduler;
    const match m = { .all = true };
    pthread_mutex_lock(&scheduler->lock);
    if (!scheduler->active && !scheduler->started)
        snprintf(scheduler->interrupted, sizeof scheduler->interrupted, "%s", reason);
    cancel_matching(scheduler, &m, reason);
    pthread_mutex_unlock(&scheduler->lock);
}

void spark_cancel_job(spark_context *sc, int job, const char *reason)
{
    const match m = { .job = job, .stage = -1 };
    cancel(sc, &m, reason ? reason : "");
}

void spark_cancel_stage(spark_context *sc, int stage, const char *reason)
{
    const match m = { .job = -1, .stage = stage };
    char text[400];
    snprintf(text, sizeof text, "because Stage %d was cancelled%s%s", stage, reason ? ": " : "",
        reason ? reason : "");
    cancel(sc, &m, text);
}

static void cancel_named(
    spark_context *sc, const match *m, const char *what, const char *name, const char *reason)
{
    char text[400];
    snprintf(text, sizeof text, "part of cancelled job %s %s", what, name);
    cancel(sc, m, reason ? reason : text);
}

void spark_cancel_job_group(spark_context *sc, const char *group, const char *reason)
{
    const match m = { .job = -1, .stage = -1, .group = group };
    if (group)
        cancel_named(sc, &m, "group", group, reason);
}

void spark_cancel_jobs_with_tag(spark_context *sc, const char *tag, const char *reason)
{
    const match m = { .job = -1, .stage = -1, .tag = tag };
    if (tag && *tag)
        cancel_named(sc, &m, "tag", tag, reason);
}

void spark_cancel_all_jobs(spark_context *sc)
{
    const match m = { .all = true };
    cancel(sc, &m, "as part of cancellation of all jobs");
}

/* remember: the group, in the place of the one remembered longest. Without memory it is only
 * cancelled now. */
static void remember(struct spk_scheduler *scheduler, const char *group)
{
    char *copy = strdup(group);
    pthread_mutex_lock(&scheduler->lock);
    for (unsigned i = 0; i < SPK_DEAD_GROUPS && scheduler->dead_groups[i] && copy; i++)
        if (strcmp(scheduler->dead_groups[i], group) == 0) {
            free(copy);
            copy = NULL;
        }
    char **slot = &scheduler->dead_groups[scheduler->n_dead_groups % SPK_DEAD_GROUPS];
    if (copy) {
        free(*slot);
        *slot = copy;
        scheduler->n_dead_groups++;
    }
    pthread_mutex_unlock(&scheduler->lock);
}

void spark_cancel_job_group_and_future_jobs(
    spark_context *sc, const char *group, const char *reason)
{
    if (!group || !sc || sc->error)
        return;
    remember(sc->scheduler, group);
    spark_cancel_job_group(sc, group, reason);
}

void spk_started_add(spark_context *sc, spk_started *started)
{
    pthread_mutex_lock(&sc->scheduler->lock);
    started->prev = NULL;
    started->next = sc->scheduler->started;
    if (started->next)
        started->next->prev = started;
    sc->scheduler->started = started;
    pthread_mutex_unlock(&sc->scheduler->lock);
}

void spk_started_remove(spark_context *sc, spk_started *started)
{
    pthread_mutex_lock(&sc->scheduler->lock);
    *(started->prev ? &started->prev->next : &sc->scheduler->started) = started->next;
    if (started->next)
        started->next->prev = started->prev;
    pthread_mutex_unlock(&sc->scheduler->lock);
}

/* cancel_admitted: for what was asked before the job began. */
static void cancel_admitted(spk_job *job)
{
    struct spk_scheduler *scheduler = job->scheduler;
    const spk_properties *p = &job->properties;
    char text[400];
    if (p->started && atomic_load(&p->started->cancelled))
        spk_job_cancel(job, p->started->reason);
    for (unsigned i = 0; p->group && i < SPK_DEAD_GROUPS && scheduler->dead_groups[i]; i++)
        if (strcmp(p->group, scheduler->dead_groups[i]) == 0) {
            snprintf(text, sizeof text, "part of cancelled job group %s", p->group);
            spk_job_cancel(job, text);
        }
    if (*scheduler->interrupted) {
        spk_job_cancel(job, scheduler->interrupted);
        *scheduler->interrupted = '\0';
    }
}

void spk_job_admit(spk_job *job)
{
    struct spk_scheduler *scheduler = job->scheduler;
    const spk_started *started = job->properties.started;
    job->next = scheduler->active;
    if (job->next)
        job->next->prev = job;
    scheduler->active = job;
    if (started && started->job)
        atomic_store(started->job, job->id);
    if (scheduler->sc->rearm)
        scheduler->sc->rearm();
    cancel_admitted(job);
}

void spk_job_leave(spk_job *job)
{
    *(job->prev ? &job->prev->next : &job->scheduler->active) = job->next;
    if (job->next)
        job->next->prev = job->prev;
}

/* ---- what runs */

/* ids: a list that is kept in order. */
typedef struct ids {
    int *at;
    size_t n, room;
} ids;

static void add_id(ids *list, int id)
{
    size_t at = list->n < list->room ? list->n : list->room;
    list->n++;
    for (; at > 0 && list->at[at - 1] > id; at--)
        if (at < list->room)
            list->at[at] = list->at[at - 1];
    if (at < list->room)
        list->at[at] = id;
}

static size_t list_active(spark_context *sc, const match *m, bool stages, int *at, size_t room)
{
    ids list = { at, 0, at ? room : 0 };
    struct spk_scheduler *scheduler = sc && !sc->error ? sc->scheduler : NULL;
    if (!scheduler)
        return 0;
    pthread_mutex_lock(&scheduler->lock);
    for (const spk_job *job = scheduler->active; job; job = job->next) {
        if (!matches(job, m))
            continue;
        for (size_t i = 0; i < job->n_stages && stages; i++)
            if (job->stages[i]->submitted && atomic_load(&job->stages[i]->remaining) > 0)
                add_id(&list, job->stages[i]->id);
        if (!stages)
            add_id(&list, job->id);
    }
    pthread_mutex_unlock(&scheduler->lock);
    return list.n;
}

size_t spark_active_jobs(spark_context *sc, const char *group, int *at, size_t room)
{
    const match m = { .all = !group, .job = -1, .stage = -1, .group = group };
    return list_active(sc, &m, false, at, room);
}

size_t spark_active_stages(spark_context *sc, int job, int *at, size_t room)
{
    const match m = { .all = job == SPARK_ANY, .job = job, .stage = -1 };
    return list_active(sc, &m, true, at, room);
}
