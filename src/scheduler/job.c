/* SPDX-License-Identifier: Apache-2.0 */
/* A job is driven by the thread that called the action: it cuts stages, submits those whose inputs
 * are all there, and waits until something happens to one. What happens (the last task of a stage is
 * done, a task has lost an input, an input is there again) is noted, and only noted stages are looked
 * at: an input that is waited for hangs on the stage that fills it, so that a job of n stages costs n
 * looks. A shuffle that another job is filling is waited for; when that job fails, whoever still
 * needs the rest takes over. Lost outputs need no case of their own: a stage that is to be submitted,
 * or whose tasks have lost an input, waits for what lacks outputs, and that fills these alone.
 *
 * Locks: the scheduler's lock guards stages, jobs and who fills which shuffle. No user code runs
 * under it. */
#include "scheduler/alone.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/faults.h"
#include "plan/listening.h"

struct spk_scheduler *spk_scheduler_new(spark_context *sc)
{
    struct spk_scheduler *scheduler = malloc(sizeof *scheduler);
    if (!scheduler)
        return NULL;
    memset(scheduler, 0, offsetof(struct spk_scheduler, stats));
    scheduler->sc = sc;
    scheduler->last.job = -1;
    for (int i = 0; i < SPK_REMEMBERED_JOBS; i++)
        scheduler->stats[i].job = -1;
    pthread_mutex_init(&scheduler->lock, NULL);
    pthread_mutex_init(&scheduler->exclusions, NULL);
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
    pthread_mutex_destroy(&scheduler->exclusions);
    pthread_mutex_destroy(&scheduler->lock);
    free(scheduler);
}

int spk_scheduler_threads(const struct spk_scheduler *scheduler)
{
    return spk_pool_threads(scheduler->pool);
}

typedef struct usage {
    uint64_t used, peak;
} usage;

static void add_usage(void *arg, const spk_executor *executor)
{
    usage *u = arg;
    uint64_t peak = 0;
    if (!executor->gone)
        u->used += spk_heap_used(executor->store.heap, &peak);
    u->peak += peak;
}

uint64_t spk_executors_used(struct spk_scheduler *scheduler, uint64_t *peak)
{
    usage u = { 0, *peak };
    spk_pool_visit(scheduler->pool, add_usage, &u);
    *peak = u.peak;
    return u.used;
}

/* ---- submitting */

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

static void fail_job(spk_job *job, const spk_failure *failure, const spk_stage *stage)
{
    job->failure = *failure;
    job->failure.job = job->id;
    job->failure.stage = stage ? stage->id : -1;
    atomic_store(&job->cancelled, true);
}

/* has_workers: whether they live in this process: a child of fork has none. The job fails then. Asked
 * only before workers are needed: the system takes its time to answer. */
static bool has_workers(spk_job *job)
{
    const spark_context *sc = job->scheduler->sc;
    spk_failure failure;
    if (job->has_workers || getpid() == sc->process)
        return job->has_workers = true;
    spk_failure_set(&failure, SPARK_EINVAL, job->action->name, job->action->site,
        "%s at %s: the context belongs to process %ld, which this one is a fork of: its threads "
        "are not here",
        job->action->name, job->action->site, (long)sc->process);
    fail_job(job, &failure, NULL);
    job->forked = true;
    return false;
}

static void queue(spk_job *job, spk_stage *stage)
{
    const spk_alone *alone = job->properties.alone;
    if (alone)
        alone->again(stage, -1);
    else if (has_workers(job))
        spk_pool_submit(job->scheduler->pool, &stage->set);
}

void spk_stage_again(spk_stage *stage, int index)
{
    const spk_alone *alone = stage->job->properties.alone;
    if (alone)
        alone->again(stage, index);
    else
        spk_pool_retry(stage->job->scheduler->pool, &stage->set, index);
}

/* queue_held: the stage that was held back, since others run beside it. */
static void queue_held(spk_job *job)
{
    if (job->held)
        queue(job, job->held);
    job->held = NULL;
}

/* ---- what listeners are told; with the lock held */

static void submitted(spk_stage *stage, int tasks)
{
    const spk_listening *heard = spk_heard_by(stage->job->scheduler->sc);
    if (heard)
        heard->stage_submitted(stage, tasks);
}

static void completed(spk_stage *stage, const char *why)
{
    const spk_listening *heard = spk_heard_by(stage->job->scheduler->sc);
    if (heard)
        heard->stage_completed(stage, why);
}

/* lost_why: what Spark says of an attempt that lost its input. */
static const char *lost_why(const spk_stage *stage)
{
    const char *why = stage->job->unread;
    return *why ? why : "an output of a shuffle is lost";
}

/* submit: a stage of one task is held back until all that is noted has been looked at: if nothing
 * else runs then, this thread may take it. */
static void submit(spk_stage *stage)
{
    spk_job *job = stage->job;
    assert(stage->cut && !stage->submitted && stage->graph.n_waits == 0 && !stage->graph.other_link);
    if (stage->shuffle) {
        spk_shuffle_filling(stage->shuffle);
        stage->shuffle->running = stage;
        stage->fills = true;
    }
    if (stage->ran) {
        job->stats.tasks += stage->set.n - atomic_load(&stage->remaining);
        atomic_fetch_add(&stage->attempt, 1);
    }
    stage->submitted = stage->ran = true;
    stage->set.n = fill_tasks(stage);
    atomic_store(&stage->set.cursor, 0);
    atomic_store(&stage->remaining, stage->set.n);
    stage->loss.left = stage->set.n;
    stage->loss.rounds = 0;
    stage->loss.blocks = 0;
    for (int i = 0; i < stage->set.n; i++) {
        stage->failures[i] = stage->killed[i] = 0;
        atomic_store_explicit(&stage->done[i], 0, memory_order_relaxed);
    }
    free(atomic_exchange(&stage->suspects, NULL));
    stage->faults = job->scheduler->sc->n_faults > 0 && !job->properties.alone;
    if (job->scheduler->sc->executors > 1)
        spk_find_places(stage);
    if (job->scheduler->sc->speculation.on)
        spk_speculate_begin(stage);
    if (job->scheduler->sc->exclusion.on && !spk_exclude_begin(stage))
        return;
    job->stats.stage_attempts++;
    job->stats.total_tasks += stage->set.n;
    submitted(stage, stage->set.n);
    stage->set.pool = job->properties.pool;
    queue_held(job);
    if (stage->set.n == 0) {
        spk_stage_note(stage);
    } else if (stage->set.n == 1 && job->busy == 0 && job->time_ms == INT64_MAX
        && !job->properties.alone && job->scheduler->sc->speculation.task_threshold_ms == 0) {
        job->held = stage;
    } else {
        queue(job, stage);
    }
    job->busy++;
}

/* run_held: the only task that the job has, on the thread that drives it and has nothing else to do
 * before it is done: two changes of thread cost more than most such tasks. Repeated attempts are the
 * workers'. The lock is given up meanwhile. */
static void run_held(spk_job *job)
{
    spk_stage *stage = job->held;
    spk_pool *pool = job->scheduler->pool;
    const bool alone = job->busy == 1 && job->n_others == 0;
    spark_task *task = alone ? spk_pool_lend(pool, &stage->set) : NULL;
    if (!task) {
        queue_held(job);
        return;
    }
    job->held = NULL;
    atomic_store(&stage->set.cursor, 1);
    pthread_mutex_unlock(&job->scheduler->lock);
    spk_attempt_run(&stage->set, task, 0);
    spk_pool_lent(pool, &stage->set, task);
    pthread_mutex_lock(&job->scheduler->lock);
}

/* resume: tasks that lost an input are claimed again, once it is there. */
static void resume(spk_stage *stage)
{
    const int n = stage->loss.n;
    if (stage->loss.now) {
        completed(stage, lost_why(stage));
        stage->attempt++;
        submitted(stage, n);
        stage->job->stats.stage_attempts++;
    }
    stage->loss.n = 0;
    stage->loss.now = false;
    for (int i = 0; i < n; i++)
        spk_stage_again(stage, stage->loss.tasks[i]);
}

static void abort_job(spk_job *job, const spk_stage *stage)
{
    spk_failure failure;
    const char *why = job->unread;
    spk_failure_set(&failure, *why ? SPARK_EIO : SPARK_ETASK, job->action->name, job->action->site,
        "outputs of shuffle %d were lost again and again%s%s; Job aborted due to stage failure: stage "
        "%d has failed the maximum allowable number of times: %d",
        stage->loss.shuffle->id, *why ? ": " : "", why, stage->id, job->scheduler->sc->stage_max_attempts);
    spk_failure_at(&failure, job->action->name, job->action->site);
    fail_job(job, &failure, stage);
}

static void no_memory(spk_job *job)
{
    spk_failure failure;
    spk_failure_nomem(&failure, job->action->name, job->action->site);
    fail_job(job, &failure, NULL);
}

/* adopt_lost: a shuffle above a cached RDD is no input until a block of it is lost. */
static bool adopt_lost(spk_stage *stage)
{
    assert(stage->graph.n_waits == 0); /* nobody points to the inputs */
    for (size_t i = 0; i < stage->graph.n_inputs; i++)
        if (stage->graph.inputs[i].shuffle == stage->loss.shuffle)
            return true;
    spk_stage_input *inputs = realloc(stage->graph.inputs, (stage->graph.n_inputs + 1) * sizeof *inputs);
    if (!inputs)
        return false;
    stage->graph.inputs = inputs;
    inputs[stage->graph.n_inputs++]
        = (spk_stage_input) { .shuffle = stage->loss.shuffle, .reader = stage };
    return true;
}

/* inputs_ready: they are all there. The stage waits for those that are not, whose stages are
 * looked at. */
static bool inputs_ready(spk_stage *stage)
{
    for (size_t i = 0; i < stage->graph.n_inputs; i++) {
        spk_stage_input *input = &stage->graph.inputs[i];
        if (atomic_load(&input->shuffle->missing) == 0)
            continue;
        spk_stage *filling = spk_stage_make(stage->job, input->shuffle);
        if (!filling) {
            no_memory(stage->job);
            return false;
        }
        assert(!input->waits);
        input->waits = true;
        input->next = filling->graph.waiting;
        filling->graph.waiting = input;
        stage->graph.n_waits++;
        spk_stage_note(filling);
    }
    return stage->graph.n_waits == 0;
}

/* let_others: stages of other jobs that wait for this one are looked at. */
static void let_others(spk_stage *stage)
{
    while (stage->graph.others) {
        spk_stage *other = stage->graph.others;
        stage->graph.others = other->graph.next_other;
        other->graph.other_link = NULL;
        other->job->n_others--;
        spk_stage_note(other);
    }
}

/* await_other: the stage waits for one of another job, which fills the same shuffle. */
static void await_other(spk_stage *stage, spk_stage *other)
{
    assert(other->job != stage->job && other->shuffle == stage->shuffle);
    if (stage->graph.other_link)
        return;
    stage->graph.next_other = other->graph.others;
    stage->graph.other_link = &other->graph.others;
    if (other->graph.others)
        other->graph.others->graph.other_link = &stage->graph.next_other;
    other->graph.others = stage;
    stage->job->n_others++;
}

static void forget_other(spk_stage *stage)
{
    if (!stage->graph.other_link)
        return;
    *stage->graph.other_link = stage->graph.next_other;
    if (stage->graph.next_other)
        stage->graph.next_other->graph.other_link = stage->graph.other_link;
    stage->graph.other_link = NULL;
    stage->job->n_others--;
}

/* filled: the outputs are all there: who waits for them goes on. */
static void filled(spk_stage *stage)
{
    while (stage->graph.waiting) {
        spk_stage_input *input = stage->graph.waiting;
        stage->graph.waiting = input->next;
        input->waits = false;
        if (--input->reader->graph.n_waits == 0)
            spk_stage_note(input->reader);
    }
    let_others(stage);
}

/* is_through: all its tasks are done; it is taken off the queue when nothing is more urgent. */
static void is_through(spk_stage *stage)
{
    spk_job *job = stage->job;
    if (spk_stage_complete(stage))
        filled(stage);
    if (stage->through)
        return;
    stage->through = true;
    completed(stage, NULL);
    if (job->scheduler->sc->exclusion.on)
        spk_exclude_through(stage);
    job->busy--;
    stage->next_through = job->first_through;
    job->first_through = stage;
}

/* retire: takes a stage that is through off the queue; its shuffle is free for others. The lock is
 * given up meanwhile. Outputs that were lost again are made again if somebody waits. */
static void retire(spk_job *job)
{
    spk_stage *stage = job->first_through;
    job->first_through = stage->next_through;
    pthread_mutex_unlock(&job->scheduler->lock);
    spk_pool_remove(job->scheduler->pool, &stage->set);
    spk_clean(job->scheduler);
    pthread_mutex_lock(&job->scheduler->lock);
    stage->submitted = stage->through = false;
    stage->loss.n = 0;
    stage->loss.now = false;
    stage->set.n_retries = 0;
    stage->shuffle->running = NULL;
    stage->fills = false;
    let_others(stage);
    if (stage->graph.waiting)
        spk_stage_note(stage);
}

/* look_again: tasks have lost an input. */
static void look_again(spk_job *job, spk_stage *stage)
{
    if (!adopt_lost(stage)) {
        no_memory(job);
        return;
    }
    if (!inputs_ready(stage))
        return;
    const int left = atomic_load(&stage->remaining);
    if (stage->loss.now) { /* else it is a late report of a loss that was counted */
        stage->loss.rounds = left < stage->loss.left ? 1 : stage->loss.rounds + 1;
        stage->loss.left = left;
    }
    if (stage->loss.rounds >= job->scheduler->sc->stage_max_attempts)
        abort_job(job, stage);
    else
        resume(stage);
}

/* look: at a stage that was noted. */
static void look(spk_job *job, spk_stage *stage)
{
    if (stage->graph.n_waits > 0)
        return;
    if (stage->submitted) {
        if (atomic_load(&stage->remaining) == 0)
            is_through(stage);
        else if (stage->loss.n > 0)
            look_again(job, stage);
    } else if (spk_stage_complete(stage)) {
        filled(stage);
    } else if (stage->shuffle && !stage->graph.waiting) {
        return; /* nobody needs it */
    } else if (!spk_stage_cut(stage)) {
        no_memory(job);
    } else if (inputs_ready(stage)) {
        if (stage->shuffle && stage->shuffle->running)
            await_other(stage, stage->shuffle->running);
        else
            submit(stage);
    }
}

static spk_stage *take_noted(spk_job *job)
{
    spk_stage *stage = job->first_noted;
    if (stage) {
        job->first_noted = stage->next_noted;
        stage->noted = false;
    }
    return stage;
}

static bool finished(const spk_job *job)
{
    return job->failure.code != SPARK_OK
        || (job->result->submitted && atomic_load(&job->result->remaining) == 0);
}

static bool is_before(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

/* wait: for a change, or until it is time to look for slow tasks; false: the time of the job is up. */
static bool wait(spk_job *job, const struct timespec *deadline)
{
    const spark_speculation *speculation = &job->scheduler->sc->speculation;
    pthread_mutex_t *lock = &job->scheduler->lock;
    struct timespec until = *deadline;
    bool timed = job->time_ms < INT64_MAX, looks = false;
    if (speculation->on) {
        const struct timespec next = spk_deadline(speculation->interval_ms);
        looks = !timed || is_before(&next, &until);
        until = looks ? next : until;
        timed = true;
    }
    job->waits = true;
    const int status = timed ? pthread_cond_timedwait(&job->changed, lock, &until)
                             : pthread_cond_wait(&job->changed, lock);
    job->waits = false;
    if (status == ETIMEDOUT && looks)
        spk_speculate(job);
    return status != ETIMEDOUT || looks;
}

static void start(spk_job *job)
{
    spk_job_admit(job);
    if (job->failure.code != SPARK_OK)
        return;
    job->result = spk_stage_make(job, NULL);
    if (job->result)
        spk_stage_note(job->result);
    else
        no_memory(job);
}

/* begun, over: a job, for listeners. */
static void begun(spk_job *job)
{
    const spk_listening *heard = spk_heard_by(job->scheduler->sc);
    if (heard)
        heard->job_start(job);
}

static void over(spk_job *job)
{
    const spk_listening *heard = spk_heard_by(job->scheduler->sc);
    if (heard)
        heard->job_end(job);
}

/* does_one: a task of a job that its driver does alone. */
static bool does_one(spk_job *job)
{
    return job->properties.alone && job->properties.alone->next(job);
}

/* complete_rest: for listeners: what has not ended when the job has, or just so. */
static void complete_rest(spk_job *job)
{
    if (!spk_heard_by(job->scheduler->sc))
        return;
    for (size_t i = 0; i < job->n_stages; i++) {
        spk_stage *stage = job->stages[i];
        if (stage->submitted && !stage->through)
            completed(stage, atomic_load(&stage->remaining) == 0 ? NULL : job->failure.message);
    }
}

static void drive(spk_job *job)
{
    struct spk_scheduler *scheduler = job->scheduler;
    struct timespec deadline = { 0, 0 };
    if (job->time_ms < INT64_MAX)
        deadline = spk_deadline(job->time_ms);
    pthread_mutex_lock(&scheduler->lock);
    scheduler->walking++;
    start(job);
    begun(job);
    for (bool more = true; more && !finished(job);) {
        spk_stage *stage = take_noted(job);
        if (stage)
            look(job, stage);
        else if (job->first_through)
            retire(job);
        else if (job->held)
            run_held(job);
        else if (!does_one(job) && has_workers(job))
            more = wait(job, &deadline);
        if (!more && job->is_limited && !finished(job))
            spk_job_overdue(job);
    }
    if (scheduler->sc->exclusion.on && job->failure.code == SPARK_OK && finished(job))
        spk_exclude_through(job->result);
    atomic_store(&job->cancelled, true); /* what still runs is not wanted any more */
    spk_job_leave(job);
    pthread_mutex_unlock(&scheduler->lock);
    for (size_t i = 0; i < job->n_stages; i++)
        if (job->stages[i]->submitted && !job->forked)
            spk_pool_remove(scheduler->pool, &job->stages[i]->set);
    complete_rest(job);
}

/* ---- the ends of a job */

/* stats_now: with the lock held, or of a job that has ended. */
static spark_job_stats stats_now(const spk_job *job)
{
    spark_job_stats s = job->stats;
    s.job = job->id;
    s.stages = (int)job->n_stages;
    for (size_t i = 0; i < job->n_stages; i++) {
        const spk_stage *stage = job->stages[i];
        s.skipped_stages += !stage->ran;
        s.tasks += stage->ran ? stage->set.n - atomic_load(&stage->remaining) : 0;
        if (!stage->ran)
            s.total_tasks += stage->shuffle ? atomic_load(&stage->shuffle->missing) : job->n;
    }
    s.failed_tasks = atomic_load(&job->failed);
    s.lost_inputs = atomic_load(&job->lost_inputs);
    s.recomputed_partitions = atomic_load(&job->remade);
    s.cached_reads = atomic_load(&job->cached_reads);
    s.cached_blocks = atomic_load(&job->cached_blocks);
    s.shuffle_rows = atomic_load(&job->rows);
    s.shuffle_bytes = atomic_load(&job->bytes);
    s.spilled_bytes = atomic_load(&job->spilled);
    s.evicted_blocks = atomic_load(&job->evicted);
    s.cache_bytes_written = atomic_load(&job->cache_written);
    s.cache_bytes_read = atomic_load(&job->cache_read);
    s.remote_bytes = atomic_load(&job->remote);
    s.disowned_tasks = atomic_load(&job->disowned);
    s.local_tasks = atomic_load(&job->local);
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
    for (size_t i = 0; i < job->n_stages; i++) {
        spk_stage *stage = job->stages[i];
        if (stage->fills)
            stage->shuffle->running = NULL;
        forget_other(stage);
        let_others(stage);
    }
    scheduler->walking -= job->n > 0;
    pthread_mutex_unlock(&scheduler->lock);
    for (size_t i = 0; i < job->n_stages; i++)
        spk_stage_free(job->stages[i]);
    free(job->stages);
    free(job->table);
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

static void forget_published(spk_job *job)
{
    if (job->published != job->few_published)
        free(job->published);
}

/* sooner: a limit that a clock can be asked for. */
static int64_t sooner(int64_t ms)
{
    const int64_t ages = (int64_t)1 << 48;
    return ms < ages ? ms : ages;
}

/* set_time: how long it may take: until its result is wanted as it is, or it fails. */
static void set_time(spk_job *job)
{
    const spark_context *sc = job->scheduler->sc;
    spk_properties *p = &job->properties;
    p->job_timeout_ms = sooner(p->has_job_timeout ? p->job_timeout_ms : sc->job_timeout_ms);
    p->task_timeout_ms = sooner(p->has_task_timeout ? p->task_timeout_ms : sc->task_timeout_ms);
    job->time_ms = job->action->timed ? job->action->timeout_ms : INT64_MAX;
    job->is_limited = p->job_timeout_ms > 0 && p->job_timeout_ms < job->time_ms;
    if (job->is_limited)
        job->time_ms = p->job_timeout_ms;
}

spark_status spk_job_run(spark_rdd *rdd, const spk_action *action, const int *partitions, int n,
    void *results, spk_failure *failure)
{
    struct spk_scheduler *scheduler = rdd->sc->scheduler;
    spk_job job;
    SPK_AT(rdd->sc->place);
    memset(&job, 0, offsetof(spk_job, failure));
    job.failure.code = SPARK_OK;
    job.unread[0] = '\0';
    job.scheduler = scheduler;
    job.action = action;
    job.rdd = rdd;
    job.partitions = partitions;
    job.n = n;
    job.results = results;
    job.changed = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    job.published = job.few_published;
    if ((size_t)n > sizeof job.few_published)
        job.published = calloc((size_t)n, 1);
    number(&job);
    if (!job.published || !spk_properties_now(rdd->sc, &job.properties)) {
        unnumber(&job);
        forget_published(&job);
        return spk_failure_nomem(failure, action->name, action->site);
    }
    spk_rdd_ref(rdd);
    set_time(&job);
    if (job.time_ms < INT64_MAX || scheduler->sc->speculation.on)
        spk_deadline_cond_init(&job.changed);
    spk_clean_job(&job);
    if (n > 0)
        drive(&job);
    else
        begun(&job);
    unnumber(&job);
    write_stats(&job);
    over(&job);
    if (job.failure.code != SPARK_OK)
        spk_clean_aborted(&job);
    free_stages(&job);
    spk_clean_job(&job);
    if (job.failure.code != SPARK_OK)
        discard_results(&job);
    else if (action->timed)
        memcpy(action->done, job.published, (size_t)n);
    pthread_cond_destroy(&job.changed);
    spk_properties_fini(&job.properties);
    forget_published(&job);
    spk_rdd_unref(rdd);
    if (!job.forked) /* a worker of the parent may have held the pool's lock */
        spk_pool_settle(scheduler->pool, atomic_load(&scheduler->sc->oldest_job));
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
        *failure = *spk_rdd_why(rdd);
        return failure->code;
    }
    if (spk_told_here(rdd->sc))
        return spk_failure_set(failure, SPARK_EINVAL, action, site, "%s at %s: an action inside a callback of a listener",
            action, site);
    const spk_listening *heard = spk_heard_by(rdd->sc);
    if (heard)
        heard->acts(rdd, action, site);
    const spark_status status = spk_rdd_prepare(rdd, failure);
    if (heard)
        heard->acted(rdd, false, status == SPARK_OK ? NULL : failure);
    return status;
}

void spk_job_acted(spark_rdd *rdd, const spk_failure *failure)
{
    const spk_listening *heard = spk_heard_by(rdd->sc);
    if (heard)
        heard->acted(rdd, true, failure);
}

spark_status spark_job_stats_get(spark_context *sc, int job, spark_job_stats *stats)
{
    if (!sc || !stats)
        return spk_raisef(SPARK_EINVAL, "jobStats", NULL, "no context, or nowhere to put them");
    if (sc->error)
        return spk_raise(sc->error);
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
