/* SPDX-License-Identifier: Apache-2.0 */
/* Applications, jobs, stages, RDDs and executors as events tell of them. */
#include "listen/history.h"

#include <stdlib.h>
#include <string.h>

enum { NAME = 240, MESSAGE = 2000 };

void *spk_history_push(spk_history *h, void *array, size_t *n, size_t *max, size_t size)
{
    void *all; /* array: the address of a pointer to things of any kind */
    memcpy(&all, array, sizeof all);
    if (*n == *max) {
        const size_t more = *max ? *max * 2 : 8;
        all = realloc(all, more * size);
        if (!all) {
            h->failed = true;
            return NULL;
        }
        memcpy(array, &all, sizeof all);
        *max = more;
    }
    void *one = (char *)all + (*n)++ * size;
    memset(one, 0, size);
    return one;
}

#define PUSH(h, what) spk_history_push(h, &(h)->what, &(h)->n_##what, &(h)->max_##what, sizeof *(h)->what)

char *spk_history_copy(spk_history *h, const char *text, size_t most)
{
    const size_t length = strnlen(text, most);
    char *copy = malloc(length + 1);
    h->failed = h->failed || !copy;
    if (!copy)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

void spk_history_time(spk_history *h, int64_t time)
{
    if (time <= 0)
        return;
    if (h->first == 0 || time < h->first)
        h->first = time;
    if (time > h->last)
        h->last = time;
}

const char *spk_history_level(spark_level level)
{
    static const char *const names[] = { [SPARK_DEFAULT_LEVEL] = "NONE",
        [SPARK_MEMORY_ONLY] = "MEMORY_ONLY",
        [SPARK_MEMORY_AND_DISK] = "MEMORY_AND_DISK",
        [SPARK_MEMORY_ONLY_SER] = "MEMORY_ONLY_SER",
        [SPARK_MEMORY_AND_DISK_SER] = "MEMORY_AND_DISK_SER",
        [SPARK_DISK_ONLY] = "DISK_ONLY" };
    return names[level];
}

/* ---- finding and inserting, by id */

/* place: of the first of n things whose id, which it begins with, is not below. */
static size_t place(const void *all, size_t n, size_t size, int id)
{
    size_t low = 0, high = n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        int here;
        memcpy(&here, (const char *)all + middle * size, sizeof here);
        if (here < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

#define FIND(h, what, id)                                                                                   \
    const size_t i = place((h)->what, (h)->n_##what, sizeof *(h)->what, id);                                \
    return i < (h)->n_##what && (h)->what[i].id == (id) ? &(h)->what[i] : NULL

spk_past_stage *spk_history_stage(const spk_history *h, int id)
{
    FIND(h, stages, id);
}

spk_past_rdd *spk_history_rdd(const spk_history *h, int id)
{
    FIND(h, rdds, id);
}

spk_past_job *spk_history_job(const spk_history *h, int id)
{
    FIND(h, jobs, id);
}

/* inserted: the last of n things, which has just come, goes to where its id belongs. */
static void *inserted(void *all, size_t n, size_t size, int id)
{
    const size_t at = place(all, n - 1, size, id);
    char *one = (char *)all + at * size;
    memmove(one + size, one, (n - 1 - at) * size);
    memset(one, 0, size);
    memcpy(one, &id, sizeof id);
    return one;
}

static spk_past_rdd *hear_rdd(spk_history *h, const spark_rdd_info *info)
{
    spk_past_rdd *r = spk_history_rdd(h, info->id);
    if (!r) {
        if (h->n_rdds >= SPK_HISTORY_RDDS || !PUSH(h, rdds))
            return NULL;
        r = inserted(h->rdds, h->n_rdds, sizeof *r, info->id);
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
        s = inserted(h->stages, h->n_stages, sizeof *s, info->id);
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

static const char *property(const spark_job_info *job, const char *name)
{
    for (size_t i = 0; i < job->n_properties; i++)
        if (strcmp(job->properties[i].name, name) == 0)
            return job->properties[i].value;
    return "";
}

static void job_start(void *env, const spark_job_info *info)
{
    spk_history *h = env;
    h->all_jobs++;
    spk_history_time(h, info->submission_time);
    if (h->n_jobs >= SPK_HISTORY_STAGES || !PUSH(h, jobs))
        return;
    spk_past_job *j = inserted(h->jobs, h->n_jobs, sizeof *j, info->id);
    j->action = spk_history_copy(h, info->action, NAME);
    j->site = spk_history_copy(h, info->site, NAME);
    j->description = spk_history_copy(h, property(info, "spark.job.description"), NAME);
    j->submitted = info->submission_time;
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
        .missed = missed };
}

/* ---- the end */

static void free_stages(spk_history *h)
{
    for (size_t i = 0; i < h->n_stages; i++) {
        free(h->stages[i].name);
        free(h->stages[i].failure);
        free(h->stages[i].parents);
        free(h->stages[i].members);
        free(h->stages[i].times);
    }
    for (size_t i = 0; i < h->n_jobs; i++) {
        free(h->jobs[i].action);
        free(h->jobs[i].site);
        free(h->jobs[i].description);
        free(h->jobs[i].failure);
        free(h->jobs[i].stages);
    }
    for (size_t i = 0; i < h->n_rdds; i++) {
        free(h->rdds[i].name);
        free(h->rdds[i].class_name);
        free(h->rdds[i].operation);
        free(h->rdds[i].site);
    }
}

void spk_history_fini(spk_history *h)
{
    free_stages(h);
    for (size_t i = 0; i < h->n_tracks; i++)
        free(h->tracks[i].spans);
    for (size_t i = 0; i < h->n_failures; i++) {
        free(h->failures[i].message);
        free(h->failures[i].site);
    }
    for (size_t i = 0; i < h->n_executors; i++)
        free(h->executors[i].reason);
    free(h->name);
    free(h->master);
    free(h->host);
    free(h->id);
    free(h->stages);
    free(h->jobs);
    free(h->rdds);
    free(h->tracks);
    free(h->failures);
    free(h->executors);
    free(h->points);
    spk_block_table_fini(&h->blocks);
}
