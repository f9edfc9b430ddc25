/* SPDX-License-Identifier: Apache-2.0 */
/* Questions about what is kept: copies, made with the lock held. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "listen/metrics.h"

spark_status spark_metrics_of_job(spark_context *sc, int job, spark_job_metrics *metrics)
{
    spk_metrics *k = metrics ? spk_metrics_enter(sc) : NULL;
    if (!k)
        return SPARK_EINVAL;
    const spk_kept_job *j = spk_metrics_job(k, job == SPARK_ANY ? k->newest_job : job);
    if (j)
        *metrics = j->m;
    spk_metrics_leave(k);
    return j ? SPARK_OK : SPARK_EINVAL;
}

spark_status spark_metrics_of_stage(spark_context *sc, int stage, int attempt, spark_stage_metrics *metrics)
{
    spk_metrics *k = metrics ? spk_metrics_enter(sc) : NULL;
    if (!k)
        return SPARK_EINVAL;
    const spk_kept_stage *s = spk_metrics_stage(k, stage, attempt);
    if (s) {
        *metrics = s->m;
        metrics->quantile_tasks = (int64_t)s->samples.n;
        metrics->quantile_each = s->samples.each;
    }
    spk_metrics_leave(k);
    return s ? SPARK_OK : SPARK_EINVAL;
}

/* ---- lists */

static int by_id(const void *a, const void *b)
{
    const spark_stage_attempt *x = a, *y = b;
    const int d = (x->stage > y->stage) - (x->stage < y->stage);
    return d ? d : (x->attempt > y->attempt) - (x->attempt < y->attempt);
}

static size_t no_memory(const char *operation)
{
    spk_failure failure;
    spk_failure_nomem(&failure, operation, NULL);
    spk_raise(&failure);
    return 0;
}

/* give: the first of n ids of this size, in order; frees them. all NULL: there was no memory for them. */
static size_t give(const char *operation, void *all, size_t n, size_t size,
    int (*compare)(const void *, const void *), void *ids, size_t room)
{
    if (!all)
        return no_memory(operation);
    qsort(all, n, size, compare);
    if (ids && n > 0 && room > 0)
        memcpy(ids, all, (n < room ? n : room) * size);
    free(all);
    return n;
}

/* list_stages: those of a job, or of all; NULL: no memory. */
static spark_stage_attempt *list_stages(const spk_metrics *k, int job, size_t *n)
{
    size_t most = 0;
    *n = 0;
    for (size_t b = 0; b < SPK_KEPT_BUCKETS; b++)
        for (const spk_kept_stage *s = k->stages[b]; s; s = s->next)
            most++;
    spark_stage_attempt *all = malloc((most + 1) * sizeof *all);
    for (size_t b = 0; all && b < SPK_KEPT_BUCKETS; b++)
        for (const spk_kept_stage *s = k->stages[b]; s; s = s->next)
            if (job == SPARK_ANY || s->m.job == job)
                all[(*n)++] = (spark_stage_attempt) { s->m.id, s->m.attempt };
    return all;
}

size_t spark_metrics_stages(spark_context *sc, int job, spark_stage_attempt *ids, size_t room)
{
    size_t n;
    spk_metrics *k = spk_metrics_enter(sc);
    if (!k)
        return 0;
    spark_stage_attempt *all = list_stages(k, job, &n);
    spk_metrics_leave(k);
    return give("metricsStages", all, n, sizeof *all, by_id, ids, room);
}

static int by_number(const void *a, const void *b)
{
    const int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

size_t spark_metrics_jobs(spark_context *sc, int *ids, size_t room)
{
    size_t most = 0, n = 0;
    spk_metrics *k = spk_metrics_enter(sc);
    if (!k)
        return 0;
    for (size_t b = 0; b < SPK_KEPT_BUCKETS; b++)
        for (const spk_kept_job *j = k->jobs[b]; j; j = j->next)
            most++;
    int *all = malloc((most + 1) * sizeof *all);
    for (size_t b = 0; all && b < SPK_KEPT_BUCKETS; b++)
        for (const spk_kept_job *j = k->jobs[b]; j; j = j->next)
            all[n++] = j->m.id;
    spk_metrics_leave(k);
    return give("metricsJobs", all, n, sizeof *all, by_number, ids, room);
}

size_t spark_metrics_executors(spark_context *sc, spark_executor_metrics *metrics, size_t room)
{
    size_t n = 0;
    spk_metrics *k = spk_metrics_enter(sc);
    if (!k)
        return 0;
    const spk_kept_executor *const lists[] = { k->executors, k->lost };
    for (int i = 0; i < 2; i++)
        for (const spk_kept_executor *e = lists[i]; e; e = e->next, n++)
            if (metrics && n < room)
                metrics[n] = e->m;
    spk_metrics_leave(k);
    return n;
}

int64_t spark_metrics_missed(spark_context *sc)
{
    spk_metrics *k = spk_metrics_enter(sc);
    const int64_t missed = k ? k->missed : 0;
    if (k)
        spk_metrics_leave(k);
    return missed;
}

/* ---- shuffles */

/* profile_of: of the last attempt that has one; NULL: none has. */
static const spark_shuffle_profile *profile_of(const spk_metrics *k, int stage)
{
    const spk_kept_stage *s = spk_metrics_stage(k, stage, SPARK_ANY);
    while (s && (s->m.id != stage || !s->written))
        s = s->next;
    return s ? s->written : NULL;
}

spark_status spark_metrics_of_shuffle(spark_context *sc, int stage, spark_shuffle_profile *profile)
{
    spk_metrics *k = profile ? spk_metrics_enter(sc) : NULL;
    if (!k)
        return SPARK_EINVAL;
    const spark_shuffle_profile *p = profile_of(k, stage);
    if (p) {
        *profile = *p;
        profile->hot = NULL;
        profile->keys = NULL;
    }
    spk_metrics_leave(k);
    return p ? SPARK_OK : SPARK_EINVAL;
}

/* copy_hot: keys, or partitions. */
static size_t copy_hot(spark_context *sc, int stage, bool keys, void *to, size_t room)
{
    spk_metrics *k = spk_metrics_enter(sc);
    if (!k)
        return 0;
    const spark_shuffle_profile *p = profile_of(k, stage);
    const size_t n = !p ? 0 : keys ? p->n_keys : p->n_hot, some = !to ? 0 : n < room ? n : room;
    if (some > 0 && keys)
        memcpy(to, p->keys, some * sizeof *p->keys);
    else if (some > 0)
        memcpy(to, p->hot, some * sizeof *p->hot);
    spk_metrics_leave(k);
    return n;
}

size_t spark_metrics_hot_partitions(spark_context *sc, int stage, spark_hot_partition *hot, size_t room)
{
    return copy_hot(sc, stage, false, hot, room);
}

size_t spark_metrics_hot_keys(spark_context *sc, int stage, spark_hot_key *hot, size_t room)
{
    return copy_hot(sc, stage, true, hot, room);
}

/* ---- quantiles */

static bool are_parts(const double *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(at[i] >= 0 && at[i] <= 1))
            return false;
    return true;
}

static spark_status no_quantiles(const char *why)
{
    return spk_raisef(SPARK_EINVAL, "metricsQuantiles", NULL, "metricsQuantiles: %s", why);
}

spark_status spark_metrics_quantiles(
    spark_context *sc, int stage, int attempt, const double *at, size_t n, spark_task_metrics *values)
{
    spk_samples copy;
    if (n > 0 && !(at && values))
        return no_quantiles("at and values must not be NULL");
    if (!are_parts(at, n))
        return no_quantiles("quantiles must be from 0 to 1");
    spk_metrics *k = spk_metrics_enter(sc);
    if (!k)
        return no_quantiles("nothing is kept: spark_keep_metrics(sc, ..) comes before the jobs");
    const spk_kept_stage *s = spk_metrics_stage(k, stage, attempt);
    const bool any = s && s->samples.n > 0, good = any && spk_samples_copy(&copy, &s->samples);
    spk_metrics_leave(k);
    if (!any)
        return no_quantiles(s ? "no task of the stage that is kept has succeeded"
                              : "there is no such attempt of a stage, or it is not kept any more");
    if (!good) {
        no_memory("metricsQuantiles");
        return SPARK_ENOMEM;
    }
    spk_samples_quantiles(&copy, at, n, values);
    spk_samples_fini(&copy);
    return SPARK_OK;
}
