/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks, added up by stage and laid out by worker; and how much was cached when. */
#include <stdlib.h>
#include <string.h>

#include "listen/history.h"
#include "listen/samples.h"

enum { MESSAGE = 2000 };

/* keep_time: where there is no room, every second one is kept from then on. */
static void keep_time(spk_history *h, spk_past_stage *s, int64_t ns)
{
    if (s->done % s->each != 0)
        return;
    if (s->n_times == SPK_HISTORY_TIMES) {
        for (size_t i = 0; i < SPK_HISTORY_TIMES / 2; i++)
            s->times[i] = s->times[2 * i];
        s->n_times /= 2;
        s->each *= 2;
        if (s->done % s->each != 0)
            return;
    }
    if ((s->n_times & (s->n_times - 1)) == 0) {
        int64_t *times = realloc(s->times, (s->n_times ? s->n_times * 2 : 1) * sizeof *times);
        if (!times) {
            h->failed = true;
            return;
        }
        s->times = times;
    }
    s->times[s->n_times++] = ns;
}

static int compare_times(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int64_t spk_past_median(spk_past_stage *stage)
{
    if (stage->n_times == 0)
        return 0;
    qsort(stage->times, stage->n_times, sizeof *stage->times, compare_times);
    return stage->times[stage->n_times / 2];
}

static void add_to_stage(spk_history *h, spk_past_stage *s, const spark_task_info *t, int64_t ns)
{
    const spark_task_metrics *m = t->metrics;
    s->copies += t->speculative;
    if (t->reason == SPARK_TASK_FAILED)
        s->failed++;
    else if (t->reason == SPARK_TASK_FETCH_FAILED || t->reason == SPARK_TASK_EXECUTOR_LOST)
        s->lost++;
    else if (t->reason == SPARK_TASK_KILLED)
        s->killed++;
    spk_metrics_add(&s->sum, m);
    if (t->reason != SPARK_TASK_SUCCESS)
        return;
    keep_time(h, s, ns);
    s->done++;
    if (ns > s->longest) {
        s->longest = ns;
        s->longest_partition = t->partition;
    }
    const int64_t rows = m->input_rows + m->shuffle_read_rows;
    s->rows += rows;
    if (rows > s->largest) {
        s->largest = rows;
        s->largest_partition = t->partition;
    }
}

/* ---- tracks */

static spk_track *track_of(spk_history *h, const spark_task_info *t)
{
    for (size_t i = 0; i < h->n_tracks; i++)
        if (h->tracks[i].worker == t->worker
            && memcmp(h->tracks[i].executor, t->executor, sizeof t->executor) == 0)
            return &h->tracks[i];
    spk_track *track = h->n_tracks < 4096
        ? spk_history_push(h, &h->tracks, &h->n_tracks, &h->max_tracks, sizeof *h->tracks)
        : NULL;
    if (track) {
        memcpy(track->executor, t->executor, sizeof track->executor);
        track->worker = t->worker;
    }
    return track;
}

/* joined: b, which is later, becomes part of a. */
static void join(spk_span *a, const spk_span *b)
{
    a->to = b->to > a->to ? b->to : a->to;
    a->tasks += b->tasks;
    a->failed = a->failed || b->failed;
    if (b->longest > a->longest) {
        a->longest = b->longest;
        a->stage = b->stage;
    }
}

static bool fits(const spk_history *h, const spk_span *a, const spk_span *b)
{
    return b->to - a->from <= h->grain;
}

/* coarsen: until half of the room for spans is free. */
static void coarsen(spk_history *h)
{
    while (h->n_spans > SPK_HISTORY_SPANS / 2 && h->n_spans > h->n_tracks) {
        h->grain = h->grain ? h->grain * 2 : 1000;
        for (size_t i = 0; i < h->n_tracks; i++) {
            spk_track *t = &h->tracks[i];
            size_t n = 0;
            for (size_t k = 0; k < t->n; k++)
                if (n > 0 && fits(h, &t->spans[n - 1], &t->spans[k]))
                    join(&t->spans[n - 1], &t->spans[k]);
                else
                    t->spans[n++] = t->spans[k];
            h->n_spans -= t->n - n;
            t->n = n;
        }
    }
}

static void add_span(spk_history *h, const spark_task_info *t, int64_t ns)
{
    spk_track *track = track_of(h, t);
    if (!track)
        return;
    const spk_span span = { .from = t->launch_time,
        .to = t->finish_time,
        .stage = t->stage,
        .tasks = 1,
        .longest = ns,
        .failed = t->reason != SPARK_TASK_SUCCESS && t->reason != SPARK_TASK_KILLED };
    track->busy += ns;
    track->tasks++;
    if (track->n > 0 && fits(h, &track->spans[track->n - 1], &span)) {
        join(&track->spans[track->n - 1], &span);
        return;
    }
    spk_span *s = spk_history_push(h, &track->spans, &track->n, &track->max, sizeof *track->spans);
    if (!s)
        return;
    *s = span;
    if (++h->n_spans > SPK_HISTORY_SPANS)
        coarsen(h);
}

/* ---- failures */

static void add_failure(spk_history *h, const spark_task_info *t)
{
    for (size_t i = 0; i < h->n_failures; i++) {
        spk_past_failure *f = &h->failures[i];
        if (f->stage == t->stage && f->reason == t->reason
            && (t->reason != SPARK_TASK_FAILED || (f->site && strncmp(f->site, t->site, MESSAGE) == 0))) {
            f->count++;
            return;
        }
    }
    spk_past_failure *f = h->n_failures < SPK_HISTORY_FAILURES
        ? spk_history_push(h, &h->failures, &h->n_failures, &h->max_failures, sizeof *h->failures)
        : NULL;
    if (!f) {
        h->other_failures++;
        return;
    }
    f->reason = t->reason;
    f->stage = t->stage;
    f->partition = t->partition;
    f->count = 1;
    f->message = spk_history_copy(h, t->error, MESSAGE);
    f->site = spk_history_copy(h, t->site, MESSAGE);
}

void spk_history_task_end(spk_history *h, const spark_task_info *t)
{
    const int64_t ns = t->finish_time - t->launch_time;
    spk_past_stage *s = spk_history_stage(h, t->stage);
    spk_past_job *j = spk_history_job(h, t->job);
    spk_history_time(h, t->launch_time);
    spk_history_time(h, t->finish_time);
    h->all_tasks++;
    h->task_time += ns;
    h->copies += t->speculative;
    h->killed_tasks += t->reason == SPARK_TASK_KILLED;
    h->failed_tasks += t->reason == SPARK_TASK_FAILED;
    h->lost_tasks += t->reason == SPARK_TASK_FETCH_FAILED || t->reason == SPARK_TASK_EXECUTOR_LOST;
    if (s)
        add_to_stage(h, s, t, ns);
    else
        spk_metrics_add(&h->sum, t->metrics);
    if (j)
        j->task_time += ns;
    if (t->reason != SPARK_TASK_SUCCESS && t->reason != SPARK_TASK_KILLED)
        add_failure(h, t);
    add_span(h, t, ns);
}

void spk_history_add_up(spk_history *h)
{
    for (size_t i = 0; i < h->n_stages; i++)
        spk_metrics_add(&h->sum, &h->stages[i].sum);
}

/* ---- storage */

/* thin: of two points each, the one at which more was there. */
static void thin(spk_history *h)
{
    size_t n = 0;
    for (size_t i = 0; i + 1 < h->n_points; i += 2) {
        const spk_point *a = &h->points[i], *b = &h->points[i + 1];
        h->points[n++] = a->memory + a->disk > b->memory + b->disk ? *a : *b;
    }
    h->n_points = n;
}

void spk_history_point(spk_history *h, int64_t time)
{
    const uint64_t memory = h->blocks.memory, disk = h->blocks.disk;
    spk_point *last = h->n_points > 0 ? &h->points[h->n_points - 1] : NULL;
    spk_history_time(h, time);
    h->most_memory = memory > h->most_memory ? memory : h->most_memory;
    h->most_disk = disk > h->most_disk ? disk : h->most_disk;
    if ((!last && memory + disk == 0) || (last && last->memory == memory && last->disk == disk))
        return;
    if (h->n_points == SPK_HISTORY_POINTS)
        thin(h);
    spk_point *p = spk_history_push(h, &h->points, &h->n_points, &h->max_points, sizeof *h->points);
    if (p)
        *p = (spk_point) { time, memory, disk };
}
