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
    const atomic_bool *flag;
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
        || (m->flag && job->properties.cancelled == m->flag) || named(&job->properties, m);
}

void spk_job_cancel(spk_job *job, const char *reason)
{
    if (job->failure.code != SPARK_OK)
        return;
    spk_failure_set(&job->failure, SPARK_ECANCELLED, job->action->name, job->action->site,
        "%s at %s: Job %d cancelled %s", job->action->name, job->action->site, job->id, reason);
    job->failure.job = job->id;
    atomic_store(&job->cancelled, true);
}

static void cancel(spark_context *sc, const match *m, const char *reason)
{
    struct spk_scheduler *scheduler = sc && !sc->error ? sc->scheduler : NULL;
    if (!scheduler)
        return;
    pthread_mutex_lock(&scheduler->lock);
    for (spk_job *job = scheduler->active; job; job = job->next)
        if (matches(job, m))
            spk_job_cancel(job, reason);
    for (spk_started *s = scheduler->started; s; s = s->next)
        if (named(s->properties, m) && !atomic_load(s->cancelled)) {
            snprintf(s->reason, sizeof s->reason, "%s", reason);
            atomic_store(s->cancelled, true);
        }
    pthread_cond_broadcast(&scheduler->changed);
    pthread_mutex_unlock(&scheduler->lock);
}

void spk_cancel_flagged(spark_context *sc, const atomic_bool *flag)
{
    const match m = { .job = -1, .stage = -1, .flag = flag };
    cancel(sc, &m, "through its future");
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
    started->next = sc->scheduler->started;
    sc->scheduler->started = started;
    pthread_mutex_unlock(&sc->scheduler->lock);
}

void spk_started_remove(spark_context *sc, spk_started *started)
{
    pthread_mutex_lock(&sc->scheduler->lock);
    spk_started **link = &sc->scheduler->started;
    while (*link && *link != started)
        link = &(*link)->next;
    if (*link)
        *link = started->next;
    pthread_mutex_unlock(&sc->scheduler->lock);
}

/* why: the reason for which the flag of a future was set. */
static const char *why(const struct spk_scheduler *scheduler, const atomic_bool *flag)
{
    for (const spk_started *s = scheduler->started; s; s = s->next)
        if (s->cancelled == flag && *s->reason)
            return s->reason;
    return "through its future";
}

void spk_job_admit(spk_job *job)
{
    struct spk_scheduler *scheduler = job->scheduler;
    const spk_properties *p = &job->properties;
    char text[400];
    job->next = scheduler->active;
    scheduler->active = job;
    if (p->cancelled && atomic_load(p->cancelled))
        spk_job_cancel(job, why(scheduler, p->cancelled));
    for (unsigned i = 0; p->group && i < SPK_DEAD_GROUPS && scheduler->dead_groups[i]; i++)
        if (strcmp(p->group, scheduler->dead_groups[i]) == 0) {
            snprintf(text, sizeof text, "part of cancelled job group %s", p->group);
            spk_job_cancel(job, text);
        }
}

void spk_job_leave(spk_job *job)
{
    spk_job **link = &job->scheduler->active;
    while (*link && *link != job)
        link = &(*link)->next;
    if (*link)
        *link = job->next;
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
