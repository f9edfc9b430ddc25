/* SPDX-License-Identifier: Apache-2.0 */
/* A listener that writes down what becomes of each attempt of a task, and naive sums and quantiles of that. */
#ifndef RECORDER_H
#define RECORDER_H

#include <stdlib.h>
#include <string.h>

#include "oracle.h"

enum { RECORD_FIGURES = sizeof(spark_task_metrics) / sizeof(int64_t) };

typedef struct record {
    int job, stage, stage_attempt, attempt;
    bool speculative, process_local;
    char executor[16];
    spark_task_end_reason reason;
    int64_t launch_time;
    spark_task_metrics metrics;
} record;

typedef struct recorder {
    record *at;
    size_t n, max;
} recorder;

static inline void recorder_task_end(void *env, const spark_task_info *t)
{
    recorder *r = env;
    if (r->n == r->max) {
        r->max = r->max ? r->max * 2 : 64;
        r->at = realloc(r->at, r->max * sizeof *r->at);
        if (!r->at)
            abort();
    }
    record *one = &r->at[r->n++];
    *one = (record) { t->job, t->stage, t->stage_attempt, t->attempt, t->speculative,
        strcmp(t->locality, "PROCESS_LOCAL") == 0, "", t->reason, t->launch_time, *t->metrics };
    memcpy(one->executor, t->executor, sizeof one->executor);
}

/* recorder_listen: to be freed when the context was. */
static inline recorder *recorder_listen(spark_context *sc)
{
    recorder *r = calloc(1, sizeof *r);
    assert_non_null(r);
    const spark_listener listener = { .env = r, .whole = true, .task_end = recorder_task_end };
    oracle_ok(spark_add_listener(sc, &listener));
    return r;
}

static inline void recorder_free(recorder *r)
{
    free(r->at);
    free(r);
}

typedef bool recorder_wants(const record *one, const void *of);

static inline bool recorder_of_job(const record *one, const void *job)
{
    return one->job == ((const spark_job_metrics *)job)->id;
}
static inline bool recorder_of_stage(const record *one, const void *stage)
{
    const spark_stage_metrics *s = stage;
    return one->stage == s->id && one->stage_attempt == s->attempt;
}
static inline bool recorder_of_executor(const record *one, const void *executor)
{
    return strcmp(one->executor, ((const spark_executor_metrics *)executor)->id) == 0;
}

/* recorder_agrees: what was written down, with totals that were kept. */
static inline void recorder_agrees(
    const recorder *r, recorder_wants *wants, const void *of, const spark_attempt_totals *totals)
{
    int64_t ends[SPARK_TASK_EXECUTOR_LOST + 1] = { 0 }, retries = 0, copies = 0, near = 0, n = 0;
    int64_t sum[RECORD_FIGURES] = { 0 }, figures[RECORD_FIGURES], kept[RECORD_FIGURES];
    const size_t peak = offsetof(spark_task_metrics, peak_memory_bytes) / sizeof(int64_t);
    for (size_t i = 0; i < r->n; i++) {
        const record *one = &r->at[i];
        if (!wants(one, of))
            continue;
        n++;
        ends[one->reason]++;
        retries += one->attempt > 0 && !one->speculative;
        copies += one->speculative;
        near += one->process_local;
        memcpy(figures, &one->metrics, sizeof figures);
        for (size_t c = 0; c < RECORD_FIGURES; c++)
            sum[c] = c != peak ? sum[c] + figures[c] : figures[c] > sum[c] ? figures[c] : sum[c];
    }
    assert_int_equal(totals->succeeded, ends[SPARK_TASK_SUCCESS]);
    assert_int_equal(totals->failed, ends[SPARK_TASK_FAILED]);
    assert_int_equal(totals->fetch_failed, ends[SPARK_TASK_FETCH_FAILED]);
    assert_int_equal(totals->killed, ends[SPARK_TASK_KILLED]);
    assert_int_equal(totals->executor_lost, ends[SPARK_TASK_EXECUTOR_LOST]);
    assert_int_equal(totals->retries, retries);
    assert_int_equal(totals->speculative, copies);
    assert_int_equal(totals->process_local, near);
    assert_int_equal(totals->process_local + totals->node_local + totals->no_pref + totals->any, n);
    memcpy(kept, &totals->sum, sizeof kept);
    for (size_t c = 0; c < RECORD_FIGURES; c++)
        if (kept[c] != sum[c])
            fail_msg("figure %zu: %lld is kept, the sum is %lld", c, (long long)kept[c], (long long)sum[c]);
}

static inline int recorder_compare(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* recorder_quantile: of one figure of the tasks of a stage that succeeded, in Spark's way. */
static inline int64_t recorder_quantile(const recorder *r, const spark_stage_metrics *s, size_t figure, double at)
{
    int64_t *values = malloc((r->n + 1) * sizeof *values), figures[RECORD_FIGURES];
    size_t n = 0;
    assert_non_null(values);
    for (size_t i = 0; i < r->n; i++)
        if (recorder_of_stage(&r->at[i], s) && r->at[i].reason == SPARK_TASK_SUCCESS) {
            memcpy(figures, &r->at[i].metrics, sizeof figures);
            values[n++] = figures[figure];
        }
    assert_true(n > 0);
    qsort(values, n, sizeof *values, recorder_compare);
    const size_t index = (size_t)(at * (double)n);
    const int64_t value = values[index < n ? index : n - 1];
    free(values);
    return value;
}

#endif
