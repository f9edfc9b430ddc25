/* SPDX-License-Identifier: Apache-2.0 */
/* Where tasks are to run, when there are several executors: on the one that holds the cached block they
 * begin with, or else most of their shuffle input, if that is a fifth of it (Spark's rules). Its workers
 * take these tasks first, then those that are for nobody; those of others when an executor has started
 * none of its own for the time that spark_conf.locality_wait_ms says, or at once when theirs is lost.
 *
 * What is for nobody, or for an executor that is lost, is dealt out evenly, as Spark's rounds of offers do:
 * where it runs, its cached block will be. Up to its share of all tasks an executor takes what it likes;
 * beyond that, only while none that has fewer could begin one at once. So nobody waits for one that is busy.
 *
 * list: the tasks that one executor is wanted for, in their order; the last list are those for nobody. A
 * list is only ever taken from at its front, under the pool's lock. load: how many tasks an executor was
 * given, those on its list among them. */
#include "scheduler/stage.h"

#include <stdlib.h>

#include "base/deadline.h"

/* FARTHEST: nodes that are walked up to find what a task begins with. MOST_SIDE: partitions of a
 * shuffle, on either side, beyond which nobody adds up who holds what. */
enum { FARTHEST = 256, MOST_SIDE = 1000 };

/* RETRY_EXCLUDED: in nanoseconds: when an executor that is excluded asks again. */
#define RETRY_EXCLUDED ((int64_t)1000000000)

/* LOOK_AGAIN: likewise: when one that has left a task to another looks whether that one has taken it. */
#define LOOK_AGAIN ((int64_t)999999)

/* SLACK: a share of so many tasks may be exceeded by one of them, so that few change hands one by one. */
enum { SLACK = 8 };

typedef struct place_list {
    const spk_executor *executor; /* NULL: of nobody */
    int from, to;                 /* in tasks */
} place_list;

typedef struct place_load {
    const spk_executor *executor;
    int n;
} place_load;

struct spk_places {
    place_list *lists;
    place_load *loads; /* of as many executors as live; a new one has the place of one that is lost */
    int n_lists, n_loads;
    int share; /* of all tasks, of each executor */
    int *tasks;
    uint8_t *words; /* of the tasks as they are taken from a list: where they run */
    int64_t wait, since; /* nanoseconds; since: when a task of its own was started last */
};

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
        sizeof *p + ((size_t)executors + 1) * (sizeof *p->lists + sizeof *p->loads)
            + (size_t)n * (sizeof *p->tasks + 1));
    if (!p)
        return NULL;
    p->lists = (place_list *)(void *)(p + 1);
    p->loads = (place_load *)(void *)(p->lists + executors + 1);
    p->tasks = (int *)(void *)(p->loads + executors + 1);
    p->words = (uint8_t *)(p->tasks + n);
    p->lists[0].to = executors; /* not more, whoever comes meanwhile */
    spk_pool_visit(pool, add_list, p);
    p->lists[0].to = 0;
    p->n_lists++;
    return p;
}

static void begin_loads(spk_places *p, int n)
{
    p->n_loads = p->n_lists - 1;
    p->share = p->n_loads > 0 ? n / p->n_loads : n;
    for (int i = 0; i < p->n_loads; i++)
        p->loads[i] = (place_load) { p->lists[i].executor, p->lists[i].to - p->lists[i].from };
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
        begin_loads(p, n);
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
        if (spk_task_phase(task) == SPK_RUNNING && atomic_load(&task->turn.set) == &stage->set
            && atomic_load(&task->turn.index) == index)
            return true;
    }
    return false;
}

static bool excludes(const spk_stage *stage)
{
    return stage->job->scheduler->sc->exclusion.on;
}

/* load_of: NULL: there are more executors than there were, so that nothing is known of it. */
static place_load *load_of(spk_places *p, const spk_executor *executor)
{
    place_load *of_lost = NULL;
    for (int i = 0; i < p->n_loads; i++) {
        if (p->loads[i].executor == executor)
            return &p->loads[i];
        if (!of_lost && atomic_load(&p->loads[i].executor->lost))
            of_lost = &p->loads[i];
    }
    if (of_lost)
        *of_lost = (place_load) { executor, 0 };
    return of_lost;
}

/* has_turn: whether the executor may have a task that is for nobody. False: it is left to another, which
 * has fewer and could begin one. */
static bool has_turn(spk_stage *stage, const spk_executor *executor, int64_t *more_in)
{
    spk_places *p = stage->places;
    const place_load *own = load_of(p, executor);
    if (!own || own->n < p->share)
        return true;
    const spk_executor *other = spk_pool_living(executor->pool);
    for (; other; other = other->next) {
        const bool could = other != executor && other->busy + other->lent < other->most
            && (!excludes(stage) || spk_exclude_allows(stage, -1, other));
        const place_load *load = could ? load_of(p, other) : NULL;
        if (load && load->n + p->share / SLACK < own->n) {
            stage->set.passed = true;
            *more_in = *more_in < LOOK_AGAIN ? *more_in : LOOK_AGAIN;
            return false;
        }
    }
    return true;
}

static void add_load(spk_places *p, const spk_executor *executor, int n)
{
    place_load *load = load_of(p, executor);
    if (load)
        load->n += n;
}

/* give: counts a task that was on no list, or that of a lost executor, or that runs once more. */
static int give(spk_places *p, const spk_executor *executor, int index)
{
    add_load(p, executor, 1);
    return index;
}

/* again: the last of those that are to be claimed again that the executor may run; -1: none. */
static int again(spk_stage *stage, const spk_executor *executor)
{
    spk_task_set *set = &stage->set;
    for (int i = set->n_retries; i-- > 0;) {
        const int index = set->retries[i];
        if ((stage->pace.copied && stage->pace.copied[index] && runs_on(stage, index, executor))
            || (excludes(stage) && !spk_exclude_allows(stage, index, executor)))
            continue;
        set->retries[i] = set->retries[--set->n_retries];
        return index;
    }
    return -1;
}

/* is_for_any: what is to be claimed again is so for whoever has the turn; a copy, or a task that some
 * may not run, for the first that may. */
static bool is_for_any(spk_stage *stage, const spk_executor *executor, int64_t *more_in)
{
    return stage->set.n_retries > 0
        && (stage->pace.copied || excludes(stage) || has_turn(stage, executor, more_in));
}

enum { ANYWHERE, LOCAL, AWAY }; /* it is for nobody; for this executor; for another one */

static int take(spk_stage *stage, place_list *list, uint8_t where)
{
    const int index = stage->places->tasks[list->from++];
    atomic_fetch_add(&stage->set.cursor, 1);
    stage->places->words[index] = where;
    return index;
}

const char *spk_place_word(const spk_stage *stage, const spark_task *task)
{
    static const char *const words[] = { "NO_PREF", "PROCESS_LOCAL", "ANY" };
    const int index = atomic_load(&task->turn.index);
    return stage->set.claim ? words[stage->places->words[index]] : words[ANYWHERE];
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
    const int own = list_of(p, executor),
              index = is_for_any(stage, executor, more_in) ? again(stage, executor) : -1;
    place_list *nobodys = &p->lists[p->n_lists - 1], *of_lost;
    if (index >= 0)
        return give(p, executor, index);
    if (p->lists[own].executor == executor && p->lists[own].from < p->lists[own].to) {
        p->since = spk_now();
        atomic_fetch_add(&stage->job->local, 1);
        return take(stage, &p->lists[own], LOCAL);
    }
    place_list *other = longest(stage, &of_lost);
    if (nobodys->from < nobodys->to)
        of_lost = nobodys;
    if (!other && !of_lost)
        return -1;
    if (of_lost)
        return has_turn(stage, executor, more_in)
            ? give(p, executor, take(stage, of_lost, of_lost == nobodys ? ANYWHERE : AWAY))
            : -1;
    const int64_t left = p->wait < 0 ? 0 : p->since + p->wait - spk_now();
    if (left <= 0) {
        add_load(p, other->executor, -1);
        add_load(p, executor, 1);
        return take(stage, other, AWAY);
    }
    *more_in = left < *more_in ? left : *more_in;
    return -1;
}
