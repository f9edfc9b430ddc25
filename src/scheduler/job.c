/* SPDX-License-Identifier: Apache-2.0 */
/* A job is driven by the thread that called the action: it cuts stages, submits those whose
 * parents' outputs are all there, waits for a change, and looks again. A shuffle that another job
 * is filling is waited for; when that job fails, whoever still needs the rest takes over. Lost
 * outputs need no case of their own: a shuffle that lacks outputs again makes its stage needed
 * again, for these alone.
 *
 * Locks: the scheduler's lock guards stages, jobs and who fills which shuffle. No user code runs
 * under it. */
#include "scheduler/stage.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

struct timespec spk_deadline(int64_t ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    if (ms <= 0)
        return at;
    at.tv_sec += (time_t)(ms / 1000);
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

void spk_deadline_cond_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

struct spk_scheduler *spk_scheduler_new(spark_context *sc)
{
    struct spk_scheduler *scheduler = calloc(1, sizeof *scheduler);
    if (!scheduler)
        return NULL;
    scheduler->sc = sc;
    scheduler->last.job = -1;
    for (int i = 0; i < SPK_REMEMBERED_JOBS; i++)
        scheduler->stats[i].job = -1;
    pthread_mutex_init(&scheduler->lock, NULL);
    spk_deadline_cond_init(&scheduler->changed);
    scheduler->pool = spk_pool_new(sc, sc->threads);
    if (scheduler->pool)
        return scheduler;
    spk_scheduler_free(scheduler);
    return NULL;
}

void spk_scheduler_free(struct spk_scheduler *scheduler)
{
    if (!scheduler)
        return;
    spk_pool_free(scheduler->pool);
    for (unsigned i = 0; i < SPK_DEAD_GROUPS; i++)
        free(scheduler->dead_groups[i]);
    pthread_cond_destroy(&scheduler->changed);
    pthread_mutex_destroy(&scheduler->lock);
    free(scheduler);
}

int spk_scheduler_threads(const struct spk_scheduler *scheduler)
{
    return spk_pool_threads(scheduler->pool);
}

/* ---- submitting */

static spk_stage *stage_of(const spk_job *job, const spk_shuffle *shuffle)
{
    for (size_t i = 0; i < job->n_stages; i++)
        if (job->stages[i]->shuffle == shuffle)
            return job->stages[i];
    return NULL;
}

/* parents_ready: all its inputs are there; stages of those that are not become needed. */
static bool parents_ready(const spk_job *job, const spk_stage *stage)
{
    bool ready = true;
    for (size_t i = 0; i < stage->n_parents; i++)
        if (atomic_load(&stage->parents[i]->missing) > 0) {
            ready = false;
            stage_of(job, stage->parents[i])->needed = true;
        }
    return ready;
}

static int fill_tasks(spk_stage *stage)
{
    int n = 0;
    if (!stage->shuffle) {
        for (int i = 0; i < stage->job->n; i++)
            stage->partitions[n++] = i;
        return n;
    }
    for (int m = 0; m < stage->shuffle->maps; m++)
        if (!atomic_load(&stage->shuffle->outputs[m]))
            stage->partitions[n++] = m;
    return n;
}

static void submit(spk_stage *stage)
{
    spk_job *job = stage->job;
    if (stage->shuffle) {
        spk_shuffle_filling(stage->shuffle);
        stage->shuffle->running = stage;
        stage->owner = true;
    }
    stage->submitted = stage->ran = true;
    stage->set.n = fill_tasks(stage);
    atomic_store(&stage->set.cursor, 0);
    atomic_store(&stage->remaining, stage->set.n);
    stage->left = stage->set.n;
    stage->losses = 0;
    for (int i = 0; i < stage->set.n; i++)
        stage->failures[i] = stage->attempts[i] = 0;
    free(atomic_exchange(&stage->suspects, NULL));
    job->stats.stage_attempts++;
    stage->set.pool = job->properties.pool;
    if (stage->set.n == 1 && !job->action->timed && spk_pool_lend(job->scheduler->pool, &job->lent))
        job->here = stage;
    else if (stage->set.n > 0)
        spk_pool_submit(job->scheduler->pool, &stage->set);
}

/* run_here: the one task of a stage, on the thread that drives the job and has nothing else to do:
 * two changes of thread cost more than most such tasks. Repeated attempts are the workers'. The
 * lock is given up meanwhile. */
static void run_here(spk_job *job)
{
    spk_stage *stage = job->here;
    spk_pool *pool = job->scheduler->pool;
    job->here = NULL;
    atomic_store(&stage->set.cursor, 1);
    pthread_mutex_unlock(&job->scheduler->lock);
    spk_attempt_run(&stage->set, job->lent, 0);
    spk_pool_lent(pool);
    if (atomic_load(&stage->remaining) > 0)
        spk_pool_submit(pool, &stage->set);
    pthread_mutex_lock(&job->scheduler->lock);
}

/* resume: tasks that lost an input are claimed again, once it is there. */
static void resume(spk_stage *stage)
{
    const int n = stage->n_lost;
    if (stage->lost_now) {
        stage->attempt++;
        stage->job->stats.stage_attempts++;
    }
    stage->n_lost = 0;
    stage->lost_now = false;
    for (int i = 0; i < n; i++)
        spk_pool_retry(stage->job->scheduler->pool, &stage->set, stage->lost[i]);
}

static void fail_job(spk_job *job, const spk_failure *failure, const spk_stage *stage)
{
    job->failure = *failure;
    job->failure.job = job->id;
    job->failure.stage = stage ? stage->id : -1;
    atomic_store(&job->cancelled, true);
}

static void abort_job(spk_job *job, const spk_stage *stage)
{
    spk_failure failure;
    spk_failure_set(&failure, SPARK_ETASK, job->action->name, job->action->site,
        "outputs of shuffle %d were lost again and again; Job aborted due to stage failure: stage "
        "%d has failed the maximum allowable number of times: %d",
        stage->lost_shuffle->id, stage->id, job->scheduler->sc->stage_max_attempts);
    spk_failure_at(&failure, job->action->name, job->action->site);
    fail_job(job, &failure, stage);
}

static void no_memory(spk_job *job)
{
    spk_failure failure;
    spk_failure_nomem(&failure, job->action->name, job->action->site);
    fail_job(job, &failure, NULL);
}

/* adopt_lost: a shuffle above a cached RDD is no parent until a block of it is lost. */
static bool adopt_lost(spk_job *job, spk_stage *stage)
{
    for (size_t i = 0; i < stage->n_parents; i++)
        if (stage->parents[i] == stage->lost_shuffle)
            return true;
    spk_shuffle **parents
        = realloc(stage->parents, (stage->n_parents + 1) * sizeof *stage->parents);
    if (!parents)
        return false;
    stage->parents = parents;
    if (!spk_stage_make(job, stage->lost_shuffle))
        return false;
    parents[stage->n_parents++] = stage->lost_shuffle;
    return true;
}

/* unsubmit: a map stage whose tasks are all done is off the queue; its shuffle is free for others.
 * The lock is given up meanwhile. */
static void unsubmit(spk_stage *stage)
{
    struct spk_scheduler *scheduler = stage->job->scheduler;
    pthread_mutex_unlock(&scheduler->lock);
    spk_pool_remove(scheduler->pool, &stage->set);
    spk_clean(scheduler);
    pthread_mutex_lock(&scheduler->lock);
    stage->submitted = false;
    stage->n_lost = 0;
    stage->lost_now = false;
    stage->set.n_retries = 0;
    if (stage->owner) {
        stage->shuffle->running = NULL;
        stage->owner = false;
        pthread_cond_broadcast(&scheduler->changed);
    }
}

/* step: looks at one needed stage. */
static void step(spk_job *job, spk_stage *stage)
{
    if (stage->n_lost > 0 && !adopt_lost(job, stage)) {
        no_memory(job);
        return;
    }
    const bool ready = parents_ready(job, stage);
    if (stage->submitted) {
        if (stage->n_lost == 0 || !ready)
            return;
        const int left = atomic_load(&stage->remaining);
        if (stage->lost_now) { /* else it is a late report of a loss that was counted */
            stage->losses = left < stage->left ? 1 : stage->losses + 1;
            stage->left = left;
        }
        if (stage->losses >= job->scheduler->sc->stage_max_attempts)
            abort_job(job, stage);
        else
            resume(stage);
    } else if (ready && (!stage->shuffle || !stage->shuffle->running)) {
        submit(stage);
    }
}

/* retire: map stages that are through. True: the lock was given up, look again. */
static bool retire(spk_job *job)
{
    for (size_t i = 0; i < job->n_stages; i++) {
        spk_stage *stage = job->stages[i];
        if (stage->shuffle && stage->submitted && atomic_load(&stage->remaining) == 0) {
            unsubmit(stage);
            return true;
        }
    }
    return false;
}

/* look: from the result stage up, every stage that is needed, once. */
static void look(spk_job *job)
{
    for (size_t i = 0; i < job->n_stages; i++)
        job->stages[i]->needed = job->stages[i]->seen = false;
    job->result->needed = true;
    for (bool more = true; more;) {
        more = false;
        for (size_t i = job->n_stages; i-- > 0 && job->failure.code == SPARK_OK;) {
            spk_stage *stage = job->stages[i];
            if (!stage->needed || stage->seen)
                continue;
            stage->seen = more = true;
            step(job, stage);
        }
    }
}

static bool finished(const spk_job *job)
{
    return job->failure.code != SPARK_OK
        || (job->result->submitted && atomic_load(&job->result->remaining) == 0);
}

/* wait: for a change; false: the time of a timed job is up. */
static bool wait(spk_job *job, const struct timespec *deadline)
{
    struct spk_scheduler *scheduler = job->scheduler;
    if (!job->action->timed)
        pthread_cond_wait(&scheduler->changed, &scheduler->lock);
    else if (pthread_cond_timedwait(&scheduler->changed, &scheduler->lock, deadline) == ETIMEDOUT)
        return false;
    return true;
}

static void drive(spk_job *job)
{
    struct spk_scheduler *scheduler = job->scheduler;
    struct timespec deadline = { 0, 0 };
    if (job->action->timed)
        deadline = spk_deadline(job->action->timeout_ms);
    pthread_mutex_lock(&scheduler->lock);
    scheduler->walking++;
    spk_job_admit(job);
    if (job->failure.code == SPARK_OK && !(job->result = spk_stage_make(job, NULL)))
        no_memory(job);
    for (bool more = true; more && !finished(job);) {
        look(job);
        if (job->here)
            run_here(job);
        else if (!finished(job) && !retire(job))
            more = wait(job, &deadline);
    }
    atomic_store(&job->cancelled, true); /* what still runs is not wanted any more */
    spk_job_leave(job);
    pthread_mutex_unlock(&scheduler->lock);
    for (size_t i = 0; i < job->n_stages; i++)
        if (job->stages[i]->submitted)
            spk_pool_remove(scheduler->pool, &job->stages[i]->set);
}

/* ---- the ends of a job */

/* stats_now: with the lock held, or of a job that has ended. */
static spark_job_stats stats_now(const spk_job *job)
{
    spark_job_stats s = job->stats;
    s.job = job->id;
    s.stages = (int)job->n_stages;
    for (size_t i = 0; i < job->n_stages; i++)
        s.skipped_stages += !job->stages[i]->ran;
    s.tasks = atomic_load(&job->tasks);
    s.failed_tasks = atomic_load(&job->failed);
    s.lost_inputs = atomic_load(&job->lost_inputs);
    s.recomputed_partitions = atomic_load(&job->remade);
    s.cached_reads = atomic_load(&job->cached_reads);
    s.cached_blocks = atomic_load(&job->cached_blocks);
    s.shuffle_rows = atomic_load(&job->rows);
    s.shuffle_bytes = atomic_load(&job->bytes);
    s.spilled_bytes = atomic_load(&job->spilled);
    return s;
}

static void write_stats(const spk_job *job)
{
    struct spk_scheduler *scheduler = job->scheduler;
    pthread_mutex_lock(&scheduler->lock);
    scheduler->last = stats_now(job);
    scheduler->stats[job->id % SPK_REMEMBERED_JOBS] = scheduler->last;
    pthread_mutex_unlock(&scheduler->lock);
}

static void free_stages(spk_job *job)
{
    struct spk_scheduler *scheduler = job->scheduler;
    pthread_mutex_lock(&scheduler->lock);
    for (size_t i = 0; i < job->n_stages; i++)
        if (job->stages[i]->owner)
            job->stages[i]->shuffle->running = NULL;
    scheduler->walking -= job->n > 0;
    pthread_cond_broadcast(&scheduler->changed);
    pthread_mutex_unlock(&scheduler->lock);
    for (size_t i = 0; i < job->n_stages; i++)
        spk_stage_free(job->stages[i]);
    free(job->stages);
}

static void discard_results(spk_job *job)
{
    for (int i = 0; i < job->n && job->action->discard; i++)
        if (job->published[i])
            job->action->discard(
                (spk_state *)(void *)(job->results + (size_t)i * job->action->state_size));
}

/* number: the next one, among those that run. */
static void number(spk_job *job)
{
    struct spk_scheduler *scheduler = job->scheduler;
    pthread_mutex_lock(&scheduler->lock);
    job->id = atomic_fetch_add(&scheduler->next_job, 1);
    job->older = scheduler->newest;
    *(job->older ? &job->older->newer : &scheduler->oldest) = job;
    scheduler->newest = job;
    atomic_store(&scheduler->sc->oldest_job, scheduler->oldest->id);
    pthread_mutex_unlock(&scheduler->lock);
}

/* unnumber: nothing of it runs any more. */
static void unnumber(spk_job *job)
{
    struct spk_scheduler *scheduler = job->scheduler;
    pthread_mutex_lock(&scheduler->lock);
    *(job->older ? &job->older->newer : &scheduler->oldest) = job->newer;
    *(job->newer ? &job->newer->older : &scheduler->newest) = job->older;
    atomic_store(&scheduler->sc->oldest_job,
        scheduler->oldest ? scheduler->oldest->id : atomic_load(&scheduler->next_job));
    pthread_mutex_unlock(&scheduler->lock);
}

spark_status spk_job_run(spark_rdd *rdd, const spk_action *action, const int *partitions, int n,
    void *results, spk_failure *failure)
{
    struct spk_scheduler *scheduler = rdd->sc->scheduler;
    spk_job job = { .scheduler = scheduler,
        .action = action,
        .rdd = rdd,
        .partitions = partitions,
        .n = n,
        .results = results };
    job.published = calloc((size_t)n + 1, 1);
    number(&job);
    if (!job.published || !spk_properties_now(rdd->sc, &job.properties)) {
        unnumber(&job);
        free(job.published);
        return spk_failure_nomem(failure, action->name, action->site);
    }
    spk_rdd_ref(rdd);
    spk_clean_job(&job);
    if (n > 0)
        drive(&job);
    unnumber(&job);
    write_stats(&job);
    if (job.failure.code != SPARK_OK)
        spk_clean_aborted(&job);
    free_stages(&job);
    spk_clean_job(&job);
    if (job.failure.code != SPARK_OK)
        discard_results(&job);
    else if (action->timed)
        memcpy(action->done, job.published, (size_t)n);
    spk_properties_fini(&job.properties);
    free(job.published);
    spk_rdd_unref(rdd);
    spk_heap_settle(&scheduler->sc->heap);
    if (job.failure.code != SPARK_OK)
        *failure = job.failure;
    return job.failure.code;
}

spark_status spk_job_check(
    spark_rdd *rdd, const char *action, spark_site site, spk_failure *failure)
{
    if (spk_task_current())
        return spk_failure_set(failure, SPARK_EINVAL, action, site,
            "%s at %s: an action or transformation inside a function of a task (SPARK-5063): "
            "collect or broadcast what the function needs before",
            action, site);
    if (!rdd)
        return spk_failure_set(
            failure, SPARK_EINVAL, action, site, "%s at %s: the RDD is NULL", action, site);
    if (rdd->error) {
        *failure = *rdd->error;
        return failure->code;
    }
    return spk_rdd_prepare(rdd, failure);
}

spark_status spark_job_stats_get(spark_context *sc, int job, spark_job_stats *stats)
{
    if (!sc || !sc->scheduler || !stats)
        return spk_raisef(SPARK_EINVAL, "jobStats", NULL, "no context");
    struct spk_scheduler *scheduler = sc->scheduler;
    pthread_mutex_lock(&scheduler->lock);
    *stats = job == SPARK_ANY ? scheduler->last
        : job >= 0            ? scheduler->stats[job % SPK_REMEMBERED_JOBS]
                              : (spark_job_stats) { .job = -1 };
    for (const spk_job *j = scheduler->active; j && job != SPARK_ANY; j = j->next)
        if (j->id == job)
            *stats = stats_now(j);
    pthread_mutex_unlock(&scheduler->lock);
    if (stats->job < 0 || (job != SPARK_ANY && stats->job != job)) {
        *stats = (spark_job_stats) { .job = -1 };
        return spk_raisef(SPARK_EINVAL, "jobStats", NULL, "job %d is not known", job);
    }
    return SPARK_OK;
}
