/* SPDX-License-Identifier: Apache-2.0 */
/* Actions that hand elements over: collect, take, first; and count. */
#include <stdlib.h>

#include <spark/action.h>

#include "exec/drained.h"
#include "rdd/action.h"
#include "rdd/result.h"

/* ---- rows of a partition, all or the first few */

typedef struct collecting {
    spk_state head;
    spk_tape tape;
    uint64_t counted; /* bytes of it */
} collecting;

/* gathering: what the partitions of one job are collected for. */
typedef struct gathering {
    const spk_layout *layout;
    size_t wanted;          /* rows of each partition */
    uint64_t most;          /* bytes of all of them */
    _Atomic uint64_t bytes; /* that have been collected so far */
    bool scan;              /* it is wanted to stop early */
} gathering;

static bool begin_collect(spk_state *state)
{
    collecting *c = (collecting *)state;
    const gathering *g = state->action->arg;
    spk_tape_init(&c->tape, state->task->store, g->layout);
    /* Few are wanted: small batches, so that little beyond them is computed. */
    const size_t most = (size_t)state->task->sc->batch_rows;
    if (g->scan)
        state->task->push.batch_rows = g->wanted < most ? g->wanted : most;
    return true;
}

static gathering *gathering_of(const collecting *c)
{
    gathering *g;
    memcpy(&g, &c->head.action->arg, sizeof g);
    return g;
}

/* count: what has been collected by all tasks; trying again makes it no smaller. */
static bool count(collecting *c)
{
    gathering *g = gathering_of(c);
    spark_task *task = c->head.task;
    const uint64_t more = c->tape.bytes - c->counted;
    const uint64_t all = atomic_fetch_add_explicit(&g->bytes, more, memory_order_relaxed) + more;
    spk_failure failure;
    c->counted += more;
    task->counts.result_bytes += (int64_t)more;
    if (all <= g->most)
        return true;
    spk_result_too_large(task->sc, all, c->tape.n, &failure);
    task->fate.hopeless = true;
    spk_task_fail_with(task, &failure);
    return false;
}

static bool take_all(void *state, spk_batch batch)
{
    collecting *c = state;
    return spk_drain(c->head.task, &c->tape, batch.rows, batch.n) && count(c);
}

static void free_collect(spk_state *state)
{
    collecting *c = (collecting *)state;
    atomic_fetch_sub_explicit(&gathering_of(c)->bytes, c->counted, memory_order_relaxed);
    spk_tape_fini(&c->tape);
}

/* collect_tapes: runs such an action; its tapes, in order, become the caller's. */
static spark_status collect_tapes(spark_rdd *rdd, const spk_action *action, const int *partitions,
    int n, spk_tape *tapes, spk_failure *failure)
{
    collecting *parts = calloc((size_t)n + 1, sizeof *parts);
    if (!parts)
        return spk_failure_nomem(failure, action->name, action->site);
    const spark_status status = spk_job_run(rdd, action, partitions, n, parts, failure);
    for (int i = 0; status == SPARK_OK && i < n; i++)
        tapes[i] = parts[i].tape;
    free(parts);
    return status;
}

static spark_status collect(spark_rdd *rdd, const spk_action *action, const int *partitions,
    size_t n, spark_array *result, spk_failure *failure)
{
    spk_tape *tapes = malloc((n + 1) * sizeof *tapes);
    if (!tapes)
        return spk_failure_nomem(failure, action->name, action->site);
    spark_status status = collect_tapes(rdd, action, partitions, (int)n, tapes, failure);
    if (status == SPARK_OK)
        status = spk_result_tapes(rdd->sc, rdd->layout, tapes, n, result, failure);
    free(tapes);
    return status;
}

/* check_partitions: that they exist. */
static spark_status check_partitions(spark_rdd *rdd, const char *name, spark_site at, size_t n,
    const int *partitions, spk_failure *failure)
{
    if (n > 0 && !partitions)
        return spk_failure_set(failure, SPARK_EINVAL, name, at,
            "%s at %s: there is no list of the %zu partitions", name, at, n);
    for (size_t i = 0; i < n; i++)
        if (partitions[i] < 0 || partitions[i] >= spk_rdd_partitions(rdd))
            return spk_failure_set(failure, SPARK_EINVAL, name, at,
                "%s at %s: Attempting to access a non-existent partition: %d of %d", name, at,
                partitions[i], spk_rdd_partitions(rdd));
    return n <= INT32_MAX ? SPARK_OK
                          : spk_failure_set(failure, SPARK_EINVAL, name, at,
                              "%s at %s: %zu partitions are too many", name, at, n);
}

static uint64_t most_of(const spark_context *sc)
{
    return sc->max_result_bytes ? sc->max_result_bytes : UINT64_MAX;
}

/* collecting_of: the action that gathers the rows of partitions. */
static spk_action collecting_of(const char *name, spark_site at, const gathering *g)
{
    return (spk_action) { .name = name,
        .site = at,
        .state_size = sizeof(collecting),
        .arg = g,
        .begin = begin_collect,
        .take = take_all,
        .discard = free_collect };
}

/* collect_some: some: of the n partitions; else of all. */
static spark_status collect_some(const char *name, spark_site at, spark_rdd *rdd, bool some,
    size_t n, const int *partitions, const spark_type *want, spark_array *result)
{
    spk_failure failure;
    spark_status status = spk_action_begin(rdd, name, at, want, result, &failure);
    if (status == SPARK_OK && some)
        status = check_partitions(rdd, name, at, n, partitions, &failure);
    if (status == SPARK_OK) {
        gathering g = { .layout = rdd->layout, .most = most_of(rdd->sc) };
        const spk_action action = collecting_of(name, at, &g);
        status = collect(rdd, &action, some ? partitions : NULL,
            some ? n : (size_t)spk_rdd_partitions(rdd), result, &failure);
    }
    return spk_action_end(status, &failure, name, at);
}

spark_status spk_collect_as(
    const char *name, spark_site at, spark_rdd *rdd, const spark_type *want, spark_array *result)
{
    return collect_some(name, at, rdd, false, 0, NULL, want, result);
}

spark_status spk_collect_tapes(
    const char *name, spark_site at, spark_rdd *rdd, spk_tape **tapes, int *n, spk_failure *failure)
{
    *tapes = NULL;
    *n = 0;
    spark_status status = spk_action_check(rdd, name, at, failure);
    if (status == SPARK_OK) {
        gathering g = { .layout = rdd->layout, .most = most_of(rdd->sc) };
        const spk_action action = collecting_of(name, at, &g);
        const int partitions = spk_rdd_partitions(rdd);
        *tapes = calloc((size_t)partitions + 1, sizeof **tapes);
        status = *tapes ? collect_tapes(rdd, &action, NULL, partitions, *tapes, failure)
                        : spk_failure_nomem(failure, name, at);
        *n = status == SPARK_OK ? partitions : 0;
    }
    if (status != SPARK_OK) {
        free(*tapes);
        *tapes = NULL;
    }
    return spk_action_end(status, failure, name, at);
}

void spk_tapes_free(spk_tape *tapes, int n)
{
    for (int i = 0; i < n; i++)
        spk_tape_fini(&tapes[i]);
    free(tapes);
}

spark_status spark_collect_partitions(spark_site at, spark_rdd *rdd, size_t n,
    const int *partitions, const spark_type *want, spark_array *result)
{
    return collect_some("runJob", at, rdd, true, n, partitions, want, result);
}

spark_status spk_collect_partition(const char *name, spark_site at, spark_rdd *rdd, int partition,
    spk_tape *tape, spk_failure *failure)
{
    collecting part;
    gathering g = { .layout = rdd->layout, .most = UINT64_MAX };
    const spk_action action = collecting_of(name, at, &g);
    const spark_status status = spk_job_run(rdd, &action, &partition, 1, &part, failure);
    if (status == SPARK_OK)
        *tape = part.tape;
    return status;
}

spark_status spark_collect(
    spark_site at, spark_rdd *rdd, const spark_type *want, spark_array *result)
{
    return spk_collect_as("collect", at, rdd, want, result);
}

/* ---- count */

spark_status spark_count(spark_site at, spark_rdd *rdd, int64_t *n)
{
    spk_failure failure;
    spark_status status = spk_action_check(rdd, "count", at, &failure);
    if (!n)
        return spk_raisef(
            SPARK_EINVAL, "count", at, "count at %s: there is no place for the result", at);
    *n = 0;
    if (status != SPARK_OK)
        return spk_action_end(status, &failure, "count", at);
    status = spk_count_rows("count", at, rdd, spk_rdd_partitions(rdd), NULL, n, &failure);
    return spk_action_end(status, &failure, "count", at);
}

/* ---- take */

static bool take_some(void *state, spk_batch batch)
{
    collecting *c = state;
    const size_t wanted = gathering_of(c)->wanted;
    spark_task *task = c->head.task;
    const size_t left = wanted - (size_t)c->tape.n, n = batch.n < left ? batch.n : left;
    if (!spk_drain(task, &c->tape, batch.rows, n) || !count(c))
        return false;
    if (task->push.batch_rows * 2 <= (size_t)task->sc->batch_rows)
        task->push.batch_rows *= 2;
    return c->tape.n < wanted;
}

/* next_round: how many partitions to scan next (Spark's rule). */
static int64_t next_round(const spark_context *sc, int64_t scanned, int64_t found, int64_t left)
{
    const int64_t most = scanned * sc->limit_scale_up;
    if (scanned == 0)
        return sc->limit_initial;
    if (found == 0)
        return most;
    const double guess = 1.5 * (double)left * (double)scanned / (double)found;
    const int64_t more = (int64_t)guess + (guess > (double)(int64_t)guess);
    return more < most ? more : most;
}

/* collect_heads: the first rows, at most `wanted` of each, of n partitions from `from` on. */
static spark_status collect_heads(const char *name, spark_site at, spark_rdd *rdd, size_t wanted,
    int from, int n, spk_tape *tapes, spk_failure *failure)
{
    gathering g
        = { .layout = rdd->layout, .wanted = wanted, .most = most_of(rdd->sc), .scan = true };
    spk_action action = collecting_of(name, at, &g);
    action.take = take_some;
    action.in_rounds = true;
    int *ids = malloc((size_t)n * sizeof *ids);
    if (!ids)
        return spk_failure_nomem(failure, name, at);
    for (int i = 0; i < n; i++)
        ids[i] = from + i;
    const spark_status status = collect_tapes(rdd, &action, ids, n, tapes, failure);
    free(ids);
    return status;
}

static spark_status collect_take(spark_rdd *rdd, spark_site at, const char *name, size_t wanted,
    spark_array *result, spk_failure *failure)
{
    const int all = spk_rdd_partitions(rdd);
    spk_tape *tapes = malloc(((size_t)all + 1) * sizeof *tapes);
    int64_t scanned = 0;
    size_t found = 0;
    spark_status status = SPARK_OK;
    if (!tapes)
        return spk_failure_nomem(failure, name, at);
    while (status == SPARK_OK && found < wanted && scanned < all) {
        int64_t n = next_round(rdd->sc, scanned, (int64_t)found, (int64_t)(wanted - found));
        n = n < 1 ? 1 : n > all - scanned ? all - scanned : n;
        status = collect_heads(
            name, at, rdd, wanted - found, (int)scanned, (int)n, tapes + scanned, failure);
        for (int64_t i = scanned; status == SPARK_OK && i < scanned + n; i++) {
            /* A partition brings up to what was missing before the round: cut what is too much. */
            if (found + tapes[i].n > wanted)
                spk_tape_cut(&tapes[i], wanted - found);
            found += (size_t)tapes[i].n;
        }
        if (status == SPARK_OK)
            scanned += n;
    }
    if (status == SPARK_OK)
        status = spk_result_tapes(rdd->sc, rdd->layout, tapes, (size_t)scanned, result, failure);
    else
        for (int64_t i = 0; i < scanned; i++)
            spk_tape_fini(&tapes[i]);
    free(tapes);
    spk_job_acted(rdd, status == SPARK_OK ? NULL : failure);
    return status;
}

spark_status spk_take_as(const char *name, spark_site at, spark_rdd *rdd, size_t n,
    const spark_type *want, spark_array *result, spk_failure *failure)
{
    const spark_status status = spk_action_begin(rdd, name, at, want, result, failure);
    return status == SPARK_OK ? collect_take(rdd, at, name, n, result, failure) : status;
}

spark_status spark_take(
    spark_site at, spark_rdd *rdd, size_t n, const spark_type *want, spark_array *result)
{
    spk_failure failure;
    const spark_status status = spk_take_as("take", at, rdd, n, want, result, &failure);
    return spk_action_end(status, &failure, "take", at);
}

spark_status spark_first(spark_site at, spark_rdd *rdd, const spark_type *want, spark_array *result)
{
    spk_failure failure;
    spark_status status = spk_action_begin(rdd, "first", at, want, result, &failure);
    if (status == SPARK_OK)
        status = collect_take(rdd, at, "first", 1, result, &failure);
    if (status == SPARK_OK && result->n == 0) {
        spark_array_free(result);
        status = spk_failure_set(
            &failure, SPARK_EEMPTY, "first", at, "first at %s: empty collection", at);
    }
    return spk_action_end(status, &failure, "first", at);
}

spark_status spark_is_empty(spark_site at, spark_rdd *rdd, bool *empty)
{
    spk_failure failure;
    spark_array result;
    if (!empty)
        return spk_raisef(
            SPARK_EINVAL, "isEmpty", at, "isEmpty at %s: there is no place for the result", at);
    *empty = true;
    spark_status status = spk_action_begin(rdd, "isEmpty", at, NULL, &result, &failure);
    if (status == SPARK_OK)
        status = collect_take(rdd, at, "isEmpty", 1, &result, &failure);
    if (status == SPARK_OK) {
        *empty = result.n == 0;
        spark_array_free(&result);
    }
    return spk_action_end(status, &failure, "isEmpty", at);
}
