/* SPDX-License-Identifier: Apache-2.0 */
/* Stragglers (Spark's speculative execution): when most tasks of a stage are done, one that has run much
 * longer than they did is started once more, on another executor where there is one. Who is done first
 * wins the task, and disowns the other, which leaves no trace. The driver of the job looks, as it waits
 * anyway. */
#include "scheduler/park.h"

#include <stdlib.h>

/* slow: attempts that have run for longer than that; a few at a time. */
typedef struct slow {
    const spk_stage *stage;
    int64_t before; /* begun */
    int n, indexes[64];
} slow;

static int ascending(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* median: of the times that tasks of the stage took; 0: too few are done. */
static int64_t median(const spk_stage *stage)
{
    const double wanted = stage->job->scheduler->sc->speculation.quantile * stage->set.n;
    const int most = atomic_load(&stage->pace.n);
    int n = 0;
    if (most < 1 || most < (int)wanted)
        return 0;
    int64_t *times = malloc((size_t)most * sizeof *times), middle = 0;
    for (int i = 0; times && i < most; i++)
        if (atomic_load(&stage->pace.times[i]) > 0) /* else it is just being written */
            times[n++] = atomic_load(&stage->pace.times[i]);
    if (n > 0) {
        qsort(times, (size_t)n, sizeof *times, ascending);
        middle = n % 2 ? times[n / 2] : (times[n / 2 - 1] + times[n / 2]) / 2;
    }
    free(times);
    return middle;
}

static void find_slow(void *arg, const spk_executor *executor)
{
    slow *s = arg;
    for (int i = -1; i < executor->n && s->n < (int)(sizeof s->indexes / sizeof *s->indexes); i++) {
        const spark_task *task = spk_executor_task(executor, i);
        if (!task || spk_task_phase(task) != SPK_RUNNING || atomic_load(&task->turn.set) != &s->stage->set)
            continue;
        const int index = atomic_load(&task->turn.index);
        if (atomic_load(&task->turn.began) < s->before && !(s->stage->pace.copied[index] & SPK_COPIED))
            s->indexes[s->n++] = index;
    }
}

/* threshold: nanoseconds after which a task is slow; 0: that is not known (Spark's TaskSetManager,
 * checkSpeculatableTasks). */
static double threshold(const spk_stage *stage)
{
    const spark_context *sc = stage->job->scheduler->sc;
    const spark_speculation *how = &sc->speculation;
    const double middle = (double)median(stage) * how->multiplier;
    const double least = (double)how->min_runtime_ms * 1e6;
    if (middle > 0)
        return middle > least ? middle : least;
    return stage->set.n <= sc->threads ? (double)how->task_threshold_ms * 1e6 : 0;
}

static void look(spk_stage *stage)
{
    struct spk_scheduler *scheduler = stage->job->scheduler;
    const double longer = threshold(stage);
    if (longer <= 0)
        return;
    slow s = { .stage = stage, .before = spk_now() - (int64_t)longer };
    spk_pool_visit(scheduler->pool, find_slow, &s);
    for (int i = 0; i < s.n; i++) {
        if ((stage->pace.copied[s.indexes[i]] & SPK_COPIED) || atomic_load(&stage->done[s.indexes[i]]))
            continue;
        atomic_fetch_or(&stage->pace.copied[s.indexes[i]], SPK_COPIED);
        stage->job->stats.speculative_tasks++;
        spk_pool_retry(scheduler->pool, &stage->set, s.indexes[i]);
    }
}

void spk_speculate(spk_job *job)
{
    for (size_t i = 0; i < job->n_stages; i++) {
        spk_stage *stage = job->stages[i];
        if (stage->submitted && !stage->through && stage->pace.times)
            look(stage);
    }
    const spk_parking *parking = atomic_load(&job->scheduler->sc->parking);
    if (parking)
        parking->impatient(job->scheduler);
}

void spk_speculate_begin(spk_stage *stage)
{
    const size_t n = (size_t)stage->set.n;
    free(stage->pace.times);
    atomic_store(&stage->pace.n, 0);
    stage->pace.times = calloc(n + 1, sizeof *stage->pace.times + 1);
    stage->pace.copied = stage->pace.times ? (_Atomic uint8_t *)(stage->pace.times + n) : NULL;
}

/* ---- who was first */

typedef struct won {
    const spark_task *winner;
    int index;
    struct spk_claim *claims[2]; /* of others that were disowned; of a task two run at once, at most */
    int n;
} won;

static void disown_other(void *arg, const spk_executor *executor)
{
    won *w = arg;
    for (int i = -1; i < executor->n; i++) {
        spark_task *task = spk_executor_task(executor, i);
        if (!task || task == w->winner)
            continue;
        const uint64_t state = atomic_load(&task->turn.state);
        if (atomic_load(&task->turn.set) == atomic_load(&w->winner->turn.set)
            && atomic_load(&task->turn.index) == w->index
            && spk_task_disown(task, state) /* which counts attempts: it is the one that was seen */
            && w->n < 2)
            w->claims[w->n++] = atomic_exchange(&task->blocks.claims, NULL);
    }
}

void spk_speculate_won(spk_stage *stage, const spark_task *task, int index)
{
    struct spk_scheduler *scheduler = stage->job->scheduler;
    won w = { .winner = task, .index = index };
    const int at = atomic_fetch_add(&stage->pace.n, 1);
    if (at < stage->set.n) /* a task of which outputs were lost may be done again */
        atomic_store(&stage->pace.times[at], spk_now() - atomic_load(&task->turn.began));
    if (stage->pace.copied[index])
        spk_pool_visit(scheduler->pool, disown_other, &w);
    for (int i = 0; i < w.n; i++)
        if (w.claims[i])
            atomic_load(&scheduler->sc->parking)->release(scheduler, w.claims[i]);
}
