/* SPDX-License-Identifier: Apache-2.0 */
/* The cleaner (Spark's ContextCleaner): outputs of shuffles, and cached blocks, that nobody will read go
 * by themselves.
 * Spark waits until the garbage collector finds a shuffle unreachable, which it never is in a loop
 * whose lineage grows. Here a sweep walks up from the RDDs that scopes hold and from the jobs that
 * run, and counts what stands in the way of each shuffle:
 *
 * barrier: a cached RDD with all its blocks, or a shuffle with all its outputs; what lies above it
 * is read again only after a loss; distance: the fewest barriers on the way to an output.
 *
 * Outputs at distance 0 are kept, for the next job reads them; so are those at distance 1, from
 * which what stands at distance 0 can be made again: without them a lost block of the last round of
 * a loop would cost all rounds. What is farther off goes. Within a job that has lost nothing,
 * outputs that it made itself and that its stages have read go at distance 1 as well. Cached blocks go
 * with what is farther off than what is kept. Where anything
 * was ever lost, one round more is kept. Whatever went and is missed all the same comes back from
 * its lineage, as after any loss.
 *
 * A walk costs as many steps as there are nodes near the RDDs held. It is paid for by what was made
 * since the last one, so that sweeping is never more than a share of the work. */
#include "scheduler/park.h"

#include <stdlib.h>

enum {
    KEPT = 1,       /* the distance that is kept; one more in a context that has lost something */
    FARTHEST = 3,   /* lists of a walk: distances up to KEPT + 1 */
    A_JOB = 32,     /* steps that a job pays for */
    A_STEP = 1024,  /* bytes made pay for one */
    MOST_SAVED = 8, /* walks that can be paid for in advance */
};

typedef struct sweep {
    struct spk_scheduler *scheduler;
    uint64_t mark;
    int kept;
    long long steps;
    spk_list at[FARTHEST]; /* nodes to be walked, by distance */
    bool good;
} sweep;

static void come_by(spk_shuffle *shuffle, uint64_t mark, int distance)
{
    if (shuffle->reached == mark && shuffle->distance <= distance)
        return;
    shuffle->reached = mark;
    shuffle->distance = distance;
}

static bool all_cached(const spark_rdd *rdd)
{
    return atomic_load(&rdd->level) != 0 && spk_rdd_partitions(rdd) > 0
        && spk_blocks_present(rdd->blocks) == spk_rdd_partitions(rdd);
}

/* walk_node: its edges, from a distance. */
static void walk_node(sweep *s, const spark_rdd *rdd, int distance)
{
    if (spk_rdd_stored(rdd))
        return;
    if (all_cached(rdd))
        distance++;
    for (uint32_t i = 0; i < rdd->n_deps && s->good; i++) {
        spk_shuffle *shuffle = rdd->deps[i].shuffle;
        if (shuffle)
            come_by(shuffle, s->mark, distance);
        const int next = distance + (shuffle && spk_shuffle_complete(shuffle));
        if (next <= s->kept)
            s->good = spk_list_add(&s->at[next], rdd->deps[i].rdd);
    }
}

static void walk(sweep *s)
{
    for (int distance = 0; distance <= s->kept; distance++)
        while (s->good && s->at[distance].n > 0) {
            spark_rdd *rdd = s->at[distance].at[--s->at[distance].n];
            s->steps++;
            if (rdd->mark == s->mark)
                continue;
            rdd->mark = s->mark;
            walk_node(s, rdd, distance);
        }
}

/* pin: what the stages of a job that are not through write and read; what those that are made is
 * young. */
static void pin(sweep *s, const spk_job *job)
{
    for (size_t i = 0; i < job->n_stages; i++) {
        const spk_stage *stage = job->stages[i];
        s->steps++;
        if (stage->shuffle && spk_shuffle_complete(stage->shuffle)) {
            if (stage->ran)
                stage->shuffle->young = s->mark;
            continue;
        }
        if (stage->shuffle)
            come_by(stage->shuffle, s->mark, 0);
        for (size_t p = 0; p < stage->graph.n_inputs; p++)
            come_by(stage->graph.inputs[p].shuffle, s->mark, 0);
    }
}

static void start(sweep *s)
{
    spark_context *sc = s->scheduler->sc;
    for (const spk_job *job = s->scheduler->active; job && s->good; job = job->next) {
        pin(s, job);
        s->good = spk_list_add(&s->at[0], job->rdd);
    }
    for (spark_rdd *rdd = sc->held; rdd && s->good; rdd = rdd->next_held)
        s->good = spk_list_add(&s->at[0], rdd);
}

static void drop(const sweep *s, struct spk_map_output **unused)
{
    for (spk_shuffle *shuffle = s->scheduler->sc->filled, *next; shuffle; shuffle = next) {
        next = shuffle->next_filled;
        const bool early = shuffle->young == s->mark && !s->scheduler->lossy;
        const int distance = shuffle->reached == s->mark ? shuffle->distance : FARTHEST;
        if (distance > (early ? 0 : s->kept)) {
            spk_shuffle_empty(shuffle, unused);
            spk_shuffle_emptied(shuffle);
        }
    }
}

/* sweep_now: with the scheduler's lock held; the other one keeps every RDD that is held, hence
 * all that it reaches, from being freed. */
static void sweep_now(struct spk_scheduler *scheduler, const spk_parking *parking,
    struct spk_map_output **unused, spk_list *sets)
{
    sweep s = { .scheduler = scheduler,
        .mark = ++scheduler->mark,
        .kept = scheduler->lossy ? KEPT + 1 : KEPT,
        .good = true };
    pthread_mutex_lock(&scheduler->sc->scope_lock);
    start(&s);
    walk(&s);
    if (s.good) /* else the next sweep sees to it */
        drop(&s, unused);
    if (s.good && parking)
        s.steps += (long long)parking->unread(scheduler->sc, s.mark, sets);
    pthread_mutex_unlock(&scheduler->sc->scope_lock);
    for (int i = 0; i < FARTHEST; i++)
        free(s.at[i].at);
    atomic_store(&scheduler->walk_cost, s.steps);
}

void spk_clean_made(struct spk_scheduler *scheduler, uint64_t bytes)
{
    atomic_fetch_add(&scheduler->walk_credit, (long long)(bytes / A_STEP) + 1);
}

void spk_clean(struct spk_scheduler *scheduler)
{
    struct spk_map_output *unused = NULL;
    spk_list sets = { NULL, 0, 0 };
    const spk_parking *parking
        = atomic_load_explicit(&scheduler->sc->parking, memory_order_acquire);
    if ((atomic_load_explicit(&scheduler->sc->n_filled, memory_order_relaxed) == 0 && !parking)
        || atomic_load(&scheduler->walk_credit) < atomic_load(&scheduler->walk_cost))
        return;
    pthread_mutex_lock(&scheduler->lock);
    sweep_now(scheduler, parking, &unused, &sets);
    const long long cost = atomic_load(&scheduler->walk_cost);
    const long long left = atomic_load(&scheduler->walk_credit) - cost;
    atomic_store(&scheduler->walk_credit, left < cost * MOST_SAVED ? left : cost * MOST_SAVED);
    pthread_mutex_unlock(&scheduler->lock);
    spk_map_output_free(unused);
    if (parking)
        parking->forget(&sets);
}

void spk_clean_job(const spk_job *job)
{
    atomic_fetch_add(&job->scheduler->walk_credit, A_JOB);
    spk_clean(job->scheduler);
}

void spk_clean_aborted(const spk_job *job)
{
    struct spk_scheduler *scheduler = job->scheduler;
    struct spk_map_output *unused = NULL;
    pthread_mutex_lock(&scheduler->lock);
    sweep s = { .scheduler = scheduler, .mark = ++scheduler->mark, .good = true };
    for (const spk_job *other = scheduler->active; other; other = other->next)
        pin(&s, other);
    for (size_t i = 0; i < job->n_stages; i++) {
        spk_stage *stage = job->stages[i];
        if (stage->shuffle && stage->ran && stage->shuffle->reached != s.mark
            && (job->failure.code == SPARK_ENOMEM || !spk_shuffle_complete(stage->shuffle)))
            spk_shuffle_empty(stage->shuffle, &unused);
    }
    pthread_mutex_unlock(&scheduler->lock);
    spk_map_output_free(unused);
}
