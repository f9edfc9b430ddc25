/* SPDX-License-Identifier: Apache-2.0 */
/* Applications, jobs, stages, RDDs and executors as events tell of them. */
#include "listen/history.h"

#include <stdlib.h>
#include <string.h>

#include "listen/properties.h"

enum { NAME = 240, MESSAGE = 2000 };

#define PUSH(h, what) spk_history_push(h, &(h)->what, &(h)->n_##what, &(h)->max_##what, sizeof *(h)->what)

static spk_past_rdd *hear_rdd(spk_history *h, const spark_rdd_info *info)
{
    spk_past_rdd *r = spk_history_rdd(h, info->id);
    if (!r) {
        if (h->n_rdds >= SPK_HISTORY_RDDS || !PUSH(h, rdds))
            return NULL;
        r = spk_history_insert(h->rdds, h->n_rdds, sizeof *r, info->id);
        r->last_job = -1;
        r->class_name = spk_history_copy(h, info->class_name, NAME);
        r->operation = spk_history_copy(h, info->operation, NAME);
        r->site = spk_history_copy(h, info->site, NAME);
        r->name = spk_history_copy(h, info->name, NAME);
    }
    if (info->level != SPARK_DEFAULT_LEVEL)
        r->level = info->level;
    if (info->partitions > r->partitions)
        r->partitions = info->partitions;
    return r;
}

/* hear_members: the RDDs and the parents of a stage. */
static void hear_members(spk_history *h, spk_past_stage *s, const spark_stage_info *info)
{
    const size_t n = info->n_rdds < SPK_HISTORY_PARENTS ? info->n_rdds : SPK_HISTORY_PARENTS;
    const size_t parents = info->n_parents < SPK_HISTORY_PARENTS ? info->n_parents : SPK_HISTORY_PARENTS;
    spk_past_member *members = calloc(n + 1, sizeof *members);
    int *ids = calloc(parents + 1, sizeof *ids);
    if (!members || !ids) {
        h->failed = true;
        free(members);
        free(ids);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const spark_rdd_info *r = &info->rdds[i];
        members[i].rdd = r->id;
        for (size_t p = 0; p < r->n_parents && p < sizeof members->parents / sizeof *members->parents; p++)
            members[i].parents[members[i].n_parents++] = r->parents[p];
        hear_rdd(h, r);
    }
    for (size_t i = 0; i < parents; i++)
        ids[i] = info->parents[i];
    free(s->members);
    free(s->parents);
    s->members = members;
    s->parents = ids;
    s->n_members = (int)n;
    s->n_parents = (int)parents;
    s->more_members = (int)(info->n_rdds - n);
}

static spk_past_stage *hear_stage(spk_history *h, const spark_stage_info *info)
{
    spk_past_stage *s = spk_history_stage(h, info->id);
    if (!s) {
        if (h->n_stages >= SPK_HISTORY_STAGES || !PUSH(h, stages))
            return NULL;
        s = spk_history_insert(h->stages, h->n_stages, sizeof *s, info->id);
        s->job = info->job;
        s->shuffle = info->shuffle;
        s->is_result = info->is_result;
        s->tasks = info->tasks;
        s->each = 1;
        s->longest_partition = s->largest_partition = -1;
        s->name = spk_history_copy(h, info->name, NAME);
    }
    if (!s->members)
        hear_members(h, s, info);
    return s;
}

/* ---- events */

static void application_start(void *env, const spark_application *a)
{
    spk_history *h = env;
    h->name = spk_history_copy(h, a->name, NAME);
    h->master = spk_history_copy(h, a->master, NAME);
    h->host = spk_history_copy(h, a->host, NAME);
    h->id = spk_history_copy(h, a->id, NAME);
    h->start = a->start_time;
}

static void application_end(void *env, const spark_application *a)
{
    ((spk_history *)env)->end = a->end_time;
}

static void executor_added(void *env, const spark_executor_event *e)
{
    spk_history *h = env;
    spk_past_executor *x = h->n_executors < 1000 ? PUSH(h, executors) : NULL;
    if (!x)
        return;
    memcpy(x->id, e->id, strnlen(e->id, sizeof x->id - 1));
    x->threads = e->threads;
    x->added = e->time;
}

static void executor_removed(void *env, const spark_executor_event *e)
{
    spk_history *h = env;
    h->lost_executors++;
    spk_history_time(h, e->time);
    spk_block_table_drop(&h->blocks, -1, e->id);
    spk_history_point(h, e->time);
    for (size_t i = 0; i < h->n_executors; i++) {
        spk_past_executor *x = &h->executors[i];
        if (x->removed == 0 && strncmp(x->id, e->id, sizeof x->id - 1) == 0) {
            x->removed = e->time;
            x->reason = spk_history_copy(h, e->reason, NAME);
            return;
        }
    }
}

static void job_start(void *env, const spark_job_info *info)
{
    spk_history *h = env;
    h->all_jobs++;
    spk_history_time(h, info->submission_time);
    if (h->n_jobs >= SPK_HISTORY_STAGES || !PUSH(h, jobs))
        return;
    spk_past_job *j = spk_history_insert(h->jobs, h->n_jobs, sizeof *j, info->id);
    j->action = spk_history_copy(h, info->action, NAME);
    j->site = spk_history_copy(h, info->site, NAME);
    j->description = spk_history_copy(h, spk_job_property(info, "spark.job.description"), NAME);
    j->submitted = info->submission_time;
    spk_history_sql_job(h, info->execution);
    j->stages = calloc((info->n_stages < SPK_HISTORY_STAGES ? info->n_stages : SPK_HISTORY_STAGES) + 1,
        sizeof *j->stages);
    h->failed = h->failed || !j->stages;
    for (size_t i = 0; i < info->n_stages && i < SPK_HISTORY_STAGES && j->stages; i++) {
        j->stages[j->n_stages++] = info->stages[i].id;
        hear_stage(h, &info->stages[i]);
    }
}

/* add_stage: one that the job did not know of when it began. */
static void add_stage(spk_history *h, spk_past_job *j, int stage)
{
    for (int i = 0; i < j->n_stages; i++)
        if (j->stages[i] == stage)
            return;
    if (j->n_stages >= SPK_HISTORY_STAGES)
        return;
    int *more = realloc(j->stages, ((size_t)j->n_stages + 1) * sizeof *more);
    h->failed = h->failed || !more;
    if (!more)
        return;
    j->stages = more;
    more[j->n_stages++] = stage;
}

static void job_end(void *env, const spark_job_info *info)
{
    spk_history *h = env;
    spk_past_job *j = spk_history_job(h, info->id);
    spk_history_time(h, info->completion_time);
    if (!j)
        return;
    j->completed = info->completion_time;
    j->status = info->status;
    j->failure = spk_history_copy(h, info->failure, MESSAGE);
    for (int i = 0; i < j->n_stages; i++) {
        const spk_past_stage *s = spk_history_stage(h, j->stages[i]);
        j->skipped += s && (s->attempts == 0 || s->job != j->id);
    }
}

static void stage_submitted(void *env, const spark_stage_info *info, const spark_job_info *job)
{
    spk_history *h = env;
    spk_past_job *j = spk_history_job(h, job->id);
    spk_past_stage *s = hear_stage(h, info);
    h->all_stages += info->attempt == 0;
    spk_history_time(h, info->submission_time);
    if (!s)
        return;
    if (j)
        add_stage(h, j, s->id);
    if (info->attempt == 0 || s->n_members == 0)
        hear_members(h, s, info); /* as it is run, without what is above cached RDDs */
    s->job = job->id;
    s->attempts++;
    s->state = SPK_PAST_RUNS;
    if (s->submitted == 0)
        s->submitted = info->submission_time;
    if (info->tasks > s->tasks)
        s->tasks = info->tasks;
}

/* keep_profile: of what it has written for a shuffle. */
static void keep_profile(spk_history *h, spk_past_stage *s, const spark_shuffle_profile *p)
{
    const int n = p->n_keys < SPK_HISTORY_KEYS ? (int)p->n_keys : SPK_HISTORY_KEYS;
    spark_hot_key *keys = n > 0 ? malloc((size_t)n * sizeof *keys) : NULL;
    h->failed = h->failed || (n > 0 && !keys);
    s->written = *p;
    s->written.hot = NULL;
    s->written.keys = NULL;
    if (p->n_hot > 0)
        s->hot = p->hot[0];
    if (keys)
        memcpy(keys, p->keys, (size_t)n * sizeof *keys);
    free(s->keys);
    s->keys = keys;
    s->n_keys = keys ? n : 0;
}

/* credit: which RDDs of the stage have been read from the cache, and which were made anew. */
static void credit(spk_history *h, const spk_past_stage *s)
{
    for (int i = 0; i < s->n_members; i++) {
        spk_past_rdd *r = spk_history_rdd(h, s->members[i].rdd);
        if (!r)
            continue;
        if (r->level != SPARK_DEFAULT_LEVEL && s->sum.cached_reads > 0)
            r->reads++;
        if (r->level == SPARK_DEFAULT_LEVEL && s->sum.cached_reads == 0 && r->last_job != s->job) {
            r->computed++;
            r->last_job = s->job;
        }
    }
}

static void stage_completed(void *env, const spark_stage_info *info)
{
    spk_history *h = env;
    spk_past_stage *s = spk_history_stage(h, info->id);
    spk_history_time(h, info->completion_time);
    if (!s)
        return;
    s->completed = info->completion_time;
    s->ran += info->completion_time - info->submission_time;
    s->state = *info->failure ? SPK_PAST_FAILED : SPK_PAST_DONE;
    if (*info->failure) {
        free(s->failure);
        s->failure = spk_history_copy(h, info->failure, MESSAGE);
    }
    if (info->written)
        keep_profile(h, s, info->written);
    credit(h, s);
}

static void task_end(void *env, const spark_task_info *task)
{
    spk_history_task_end(env, task);
}

static void block_updated(void *env, const spark_block_event *b)
{
    spk_history *h = env;
    spk_past_rdd *r = spk_history_rdd(h, b->rdd);
    if (!spk_block_table_set(&h->blocks, b))
        h->failed = true;
    if (r && (b->in_memory || b->on_disk))
        r->stored = true;
    spk_history_point(h, b->time);
}

static void unpersist_rdd(void *env, int rdd)
{
    spk_history *h = env;
    spk_block_table_drop(&h->blocks, rdd, NULL);
    spk_history_point(h, h->last);
}

static void missed(void *env, int64_t events)
{
    (void)events;
    ((spk_history *)env)->failed = true;
}

spark_listener spk_history_listener(spk_history *history)
{
    return (spark_listener) { .env = history,
        .capacity = 16384,
        .whole = true,
        .application_start = application_start,
        .application_end = application_end,
        .executor_added = executor_added,
        .executor_removed = executor_removed,
        .job_start = job_start,
        .job_end = job_end,
        .stage_submitted = stage_submitted,
        .stage_completed = stage_completed,
        .task_end = task_end,
        .block_updated = block_updated,
        .unpersist_rdd = unpersist_rdd,
        .sql_start = spk_history_sql_start,
        .sql_end = spk_history_sql_end,
        .missed = missed };
}
