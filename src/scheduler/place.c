/* SPDX-License-Identifier: Apache-2.0 */
/* Where tasks are to run, when there are several executors: on the one that holds the cached block they
 * begin with, or else most of their shuffle input, if that is a fifth of it (Spark's rules). Its workers
 * take these tasks first, then those that are for nobody; those of others when an executor has started
 * none of its own for the time that spark_conf.locality_wait_ms says, or at once when theirs is lost.
 *
 * list: the tasks that one executor is wanted for, in their order; the last list are those for nobody. A
 * list is only ever taken from at its front, under the pool's lock. */
#include "scheduler/stage.h"

#include <stdlib.h>

#include "base/deadline.h"

/* FARTHEST: nodes that are walked up to find what a task begins with. MOST_SIDE: partitions of a
 * shuffle, on either side, beyond which nobody adds up who holds what. */
enum { FARTHEST = 256, MOST_SIDE = 1000 };

/* RETRY_EXCLUDED: in nanoseconds: when an executor that is excluded asks again. */
#define RETRY_EXCLUDED ((int64_t)1000000000)

typedef struct place_list {
    const spk_executor *executor; /* NULL: of nobody */
    int from, to;                 /* in tasks */
} place_list;

struct spk_places {
    place_list *lists;
    int n_lists;
    int *tasks;
    int64_t wait, since; /* nanoseconds; since: when a task of its own was started last */
};

int64_t spk_now(void)
{
    const struct timespec at = spk_deadline(0);
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

static const spk_executor *executor_of(const spk_store *store)
{
    return store ? (const spk_executor *)(const void *)((const char *)store
               - offsetof(spk_executor, store))
                 : NULL;
}

/* ---- who holds most */

/* holding: executors, and how much of something each has. */
typedef struct holding {
    struct {
        const spk_store *store;
        uint64_t bytes;
    } * of;
    int n, max;
    uint64_t all;
} holding;

static void hold(holding *h, const spk_store *store, uint64_t bytes)
{
    int i = 0;
    while (i < h->n && h->of[i].store != store)
        i++;
    if (i == h->max)
        return;
    if (i == h->n) {
        h->of[h->n].store = store;
        h->of[h->n++].bytes = 0;
    }
    h->of[i].bytes += bytes;
    h->all += bytes;
}

/* share_of: bytes of an output that are for a partition; of what has gone to disk an equal share. */
static uint64_t share_of(const spk_map_output *output, const spk_shuffle *shuffle, int partition)
{
    const uint32_t first = (uint32_t)partition * shuffle->slices;
    uint64_t bytes = 0;
    for (const spk_run *run = output->runs; run; run = run->next) {
        uint64_t n = 0;
        if (run->parcel || run->n == 0)
            return output->bytes / (uint64_t)shuffle->partitioner->partitions;
        for (uint32_t s = 0, from, to; s < shuffle->slices; s++) {
            spk_run_slice(run, first + s, &from, &to);
            n += to - from;
        }
        bytes += run->bytes / run->n * n;
    }
    return bytes;
}

static void hold_outputs(holding *h, spk_shuffle *shuffle, int partition)
{
    if (shuffle->maps > MOST_SIDE || !shuffle->partitioner || shuffle->ranges
        || shuffle->partitioner->partitions > MOST_SIDE)
        return;
    spk_shuffle_enter(shuffle);
    for (int m = 0; m < shuffle->maps; m++) {
        const spk_map_output *output = atomic_load(&shuffle->outputs[m]);
        if (output)
            hold(h, output->store, share_of(output, shuffle, partition));
    }
    spk_shuffle_leave(shuffle);
}

/* most: who has most, if it is a fifth of all. */
static const spk_store *most(const holding *h)
{
    int best = 0;
    for (int i = 1; i < h->n; i++)
        if (h->of[i].bytes > h->of[best].bytes)
            best = i;
    return h->n > 0 && h->of[best].bytes > 0 && h->of[best].bytes >= h->all / 5 ? h->of[best].store
                                                                               : NULL;
}

/* wanted_store: where what the task begins with is; NULL: nowhere, or everywhere. */
static const spk_store *wanted_store(spark_rdd *rdd, int partition, holding *h)
{
    for (int steps = 0; steps < FARTHEST && !spk_rdd_stored(rdd); steps++) {
        const spk_store *store
            = atomic_load(&rdd->level) != 0 ? spk_blocks_store(rdd->blocks, partition) : NULL;
        if (store)
            return store;
        if (rdd->class->choose) {
            rdd = rdd->class->choose(rdd, partition, &partition);
        } else if (rdd->class->run) {
            rdd = rdd->deps[0].rdd;
        } else {
            h->n = 0;
            h->all = 0;
            for (uint32_t i = 0; i < rdd->n_deps; i++)
                if (rdd->deps[i].shuffle)
                    hold_outputs(h, rdd->deps[i].shuffle, partition);
            return most(h);
        }
    }
    return NULL;
}

/* ---- lists */

static int list_of(spk_places *p, const spk_executor *executor)
{
    int i = 0;
    while (i < p->n_lists - 1 && p->lists[i].executor != executor)
        i++;
    return i;
}

/* sort_tasks: the tasks by their lists, of which to[] has the number for each. */
static void sort_tasks(spk_places *p, const int *to, int n)
{
    for (int i = 0; i < n; i++)
        p->lists[to[i]].to++;
    for (int l = 0, at = 0; l < p->n_lists; l++) {
        p->lists[l].from = at;
        at += p->lists[l].to;
        p->lists[l].to = p->lists[l].from;
    }
    for (int i = 0; i < n; i++)
        p->tasks[p->lists[to[i]].to++] = i;
}

static void add_list(void *arg, const spk_executor *executor)
{
    spk_places *p = arg;
    if (!atomic_load(&executor->lost) && p->n_lists < p->lists[0].to)
        p->lists[p->n_lists++].executor = executor;
}

static void count_list(void *arg, const spk_executor *executor)
{
    int *n = arg;
    *n += !atomic_load(&executor->lost);
}

static spk_places *new_places(spk_pool *pool, int n)
{
    int executors = 0;
    spk_pool_visit(pool, count_list, &executors);
    spk_places *p = calloc(1,
        sizeof *p + ((size_t)executors + 1) * sizeof *p->lists + (size_t)n * sizeof *p->tasks);
    if (!p)
        return NULL;
    p->lists = (place_list *)(void *)(p + 1);
    p->tasks = (int *)(void *)(p->lists + executors + 1);
    p->lists[0].to = executors; /* not more, whoever comes meanwhile */
    spk_pool_visit(pool, add_list, p);
    p->lists[0].to = 0;
    p->n_lists++;
    return p;
}

void spk_find_places(spk_stage *stage)
{
    struct spk_scheduler *scheduler = stage->job->scheduler;
    const int n = stage->set.n;
    free(stage->places);
    stage->set.claim = NULL;
    spk_places *p = stage->places = new_places(scheduler->pool, n);
    int *to = p ? malloc((size_t)n * sizeof *to + 1) : NULL;
    holding h = { .max = p ? p->n_lists : 0 };
    if (p)
        h.of = calloc((size_t)p->n_lists, sizeof *h.of);
    for (int i = 0; to && h.of && i < n; i++)
        to[i] = list_of(
            p, executor_of(wanted_store(stage->rdd, spk_stage_partition(stage, i), &h)));
    if (to && h.of) { /* without memory every executor is as good as another */
        sort_tasks(p, to, n);
        p->wait = (int64_t)scheduler->sc->locality_wait_ms * 1000000;
        p->since = spk_now();
        stage->set.claim = spk_place_claim;
    }
    free(h.of);
    free(to);
}

/* ---- claiming */

/* runs_on: whether an attempt of the task runs on the executor: a copy is for another one. */
static bool runs_on(const spk_stage *stage, int index, const spk_executor *executor)
{
    for (int i = 0; i < executor->n; i++) {
        const spark_task *task = spk_executor_task(executor, i);
        if (spk_task_phase(task) == SPK_RUNNING && atomic_load(&task->set) == &stage->set
            && atomic_load(&task->index) == index)
            return true;
    }
    return false;
}

static bool excludes(const spk_stage *stage)
{
    return stage->job->scheduler->sc->exclusion.on;
}

/* again: the last of those that are to be claimed again that the executor may run; -1: none. */
static int again(spk_stage *stage, const spk_executor *executor)
{
    spk_task_set *set = &stage->set;
    for (int i = set->n_retries; i-- > 0;) {
        const int index = set->retries[i];
        if ((stage->copied && stage->copied[index] && runs_on(stage, index, executor))
            || (excludes(stage) && !spk_exclude_allows(stage, index, executor)))
            continue;
        set->retries[i] = set->retries[--set->n_retries];
        return index;
    }
    return -1;
}

static int take(spk_stage *stage, place_list *list)
{
    atomic_fetch_add(&stage->set.cursor, 1);
    return stage->places->tasks[list->from++];
}

/* longest: the list of another executor that has most left. *of_lost: one whose executor is lost,
 * or excluded. */
static place_list *longest(const spk_stage *stage, place_list **of_lost)
{
    const spk_places *p = stage->places;
    place_list *best = NULL;
    *of_lost = NULL;
    for (int i = 0; i < p->n_lists - 1; i++) {
        place_list *list = &p->lists[i];
        if (list->from == list->to)
            continue;
        if (atomic_load(&list->executor->lost)
            || (excludes(stage) && !spk_exclude_allows(stage, -1, list->executor)))
            *of_lost = list;
        if (!best || list->to - list->from > best->to - best->from)
            best = list;
    }
    return best;
}

int spk_place_claim(spk_task_set *set, const spk_executor *executor, int64_t *more_in)
{
    spk_stage *stage = (spk_stage *)(void *)set;
    spk_places *p = stage->places;
    if (excludes(stage) && !spk_exclude_allows(stage, -1, executor)) {
        *more_in = *more_in < RETRY_EXCLUDED ? *more_in : RETRY_EXCLUDED;
        return -1;
    }
    const int index = again(stage, executor), own = list_of(p, executor);
    place_list *nobodys = &p->lists[p->n_lists - 1], *of_lost;
    if (index >= 0)
        return index;
    if (p->lists[own].executor == executor && p->lists[own].from < p->lists[own].to) {
        p->since = spk_now();
        atomic_fetch_add(&stage->job->local, 1);
        return take(stage, &p->lists[own]);
    }
    if (nobodys->from < nobodys->to)
        return take(stage, nobodys);
    place_list *other = longest(stage, &of_lost);
    if (of_lost || !other)
        return other ? take(stage, of_lost) : -1;
    const int64_t left = p->wait < 0 ? 0 : p->since + p->wait - spk_now();
    if (left <= 0)
        return take(stage, other);
    *more_in = left < *more_in ? left : *more_in;
    return -1;
}
