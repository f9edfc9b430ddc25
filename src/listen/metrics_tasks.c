/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks, added up by attempt of a stage, job and executor, and kept for quantiles. */
#include <string.h>

#include "listen/metrics.h"

void spk_metrics_lock(spk_metrics *k)
{
    if (k->locked)
        return;
    pthread_mutex_lock(&k->lock);
    k->locked = true;
    k->told = 0;
}

void spk_metrics_unlock(spk_metrics *k)
{
    if (!k->locked)
        return;
    k->locked = false;
    pthread_mutex_unlock(&k->lock);
}

/* ---- sums */

static void settle(spk_kept_executor *e)
{
    if (e->more.stage < 0)
        return;
    spk_totals_add(&e->m.attempts, &e->more.totals);
    if (e->more.of_stage)
        spk_totals_add(&e->more.of_stage->m.attempts, &e->more.totals);
    if (e->more.of_job)
        spk_totals_add(&e->more.of_job->m.attempts, &e->more.totals);
    e->more.totals = (spark_attempt_totals) { .running = 0 };
    e->more.stage = -1;
}

void spk_metrics_settle(spk_metrics *k, spk_kept_executor *executor)
{
    if (executor) {
        settle(executor);
        return;
    }
    for (spk_kept_executor *e = k->executors; e; e = e->next)
        settle(e);
    for (spk_kept_executor *e = k->lost; e; e = e->next)
        settle(e);
    settle(&k->other);
}

/* executor_of: the ones that are there come first. Ids fill what is left of their arrays with zeros. */
static spk_kept_executor *executor_of(spk_metrics *k, const spark_task_info *t)
{
    _Static_assert(sizeof k->executors->m.id == sizeof t->executor, "ids of executors");
    for (spk_kept_executor *e = k->executors; e; e = e->next)
        if (memcmp(e->m.id, t->executor, sizeof t->executor) == 0)
            return e;
    for (spk_kept_executor *e = k->lost; e; e = e->next)
        if (memcmp(e->m.id, t->executor, sizeof t->executor) == 0)
            return e;
    return &k->other;
}

/* place_of: whose sums a task adds to. */
static spk_kept_executor *place_of(spk_metrics *k, const spark_task_info *t)
{
    spk_kept_executor *e = executor_of(k, t);
    if (e->more.stage == t->stage && e->more.attempt == t->stage_attempt && e->more.job == t->job)
        return e;
    settle(e);
    e->more.stage = t->stage;
    e->more.attempt = t->stage_attempt;
    e->more.job = t->job;
    e->more.of_stage = spk_metrics_stage(k, t->stage, t->stage_attempt);
    e->more.of_job = spk_metrics_job(k, t->job);
    return e;
}

static void ended(spark_attempt_totals *totals, const spark_task_info *t)
{
    totals->running--;
    totals->succeeded += t->reason == SPARK_TASK_SUCCESS;
    totals->failed += t->reason == SPARK_TASK_FAILED;
    totals->fetch_failed += t->reason == SPARK_TASK_FETCH_FAILED;
    totals->executor_lost += t->reason == SPARK_TASK_EXECUTOR_LOST;
    totals->killed += t->reason == SPARK_TASK_KILLED;
    if (*t->locality == 'P')
        totals->process_local++;
    else if (strcmp(t->locality, "NODE_LOCAL") == 0)
        totals->node_local++;
    else if (*t->locality == 'N')
        totals->no_pref++;
    else
        totals->any++;
    totals->speculative += t->speculative;
    totals->retries += t->attempt > 0 && !t->speculative;
    spk_metrics_add(&totals->sum, t->metrics);
}

/* ---- samples */

/* make_room: for one sample more of a stage; false: that one is not wanted any more. */
static bool make_room(spk_metrics *k, spk_kept_stage *s)
{
    while (k->n_samples >= k->most.retained_tasks) {
        spk_kept_stage *first = k->sampled;
        if (first && first->samples.n > 0 && first != s) {
            k->n_samples -= (int64_t)first->samples.n;
            spk_samples_fini(&first->samples);
        }
        if (first && first != s) {
            k->sampled = first->later;
            continue;
        }
        const size_t before = s->samples.n;
        spk_samples_halve(&s->samples);
        k->n_samples -= (int64_t)(before - s->samples.n);
        return (s->samples.seen - 1) % s->samples.each == 0 && k->n_samples < k->most.retained_tasks;
    }
    return true;
}

static void sample(spk_metrics *k, spk_kept_stage *s, const spark_task_metrics *metrics)
{
    if (!spk_samples_wanted(&s->samples) || !make_room(k, s))
        return;
    if (spk_samples_add(&s->samples, metrics))
        k->n_samples++;
    else
        k->missed++;
}

/* ---- */

void spk_metrics_task_start(spk_metrics *k, const spark_task_info *t)
{
    spk_kept_executor *e = place_of(k, t);
    spk_kept_stage *s = e->more.of_stage;
    e->more.totals.running++;
    if (s && (s->m.first_launch_time == 0 || t->launch_time < s->m.first_launch_time))
        s->m.first_launch_time = t->launch_time;
}

void spk_metrics_task_end(spk_metrics *k, const spark_task_info *t)
{
    spk_kept_executor *e = place_of(k, t);
    ended(&e->more.totals, t);
    if (e->more.of_stage && t->reason == SPARK_TASK_SUCCESS)
        sample(k, e->more.of_stage, t->metrics);
}
