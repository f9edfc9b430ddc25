/* SPDX-License-Identifier: Apache-2.0 */
/* Actions that hand elements over: collect, take, first; and count. */
#include <stdlib.h>

#include <spark/action.h>

#include "rdd/action.h"
#include "rdd/result.h"

/* ---- rows of a partition, all or the first few */

typedef struct collecting {
    spk_state head;
    spk_rows rows;
} collecting;

static bool begin_collect(spk_state *state)
{
    collecting *c = (collecting *)state;
    spk_rows_init(&c->rows, state->task->heap, state->action->arg);
    return true;
}

static bool take_all(void *state, spk_batch batch)
{
    collecting *c = state;
    if (spk_rows_append(&c->rows, batch.rows, batch.n))
        return true;
    spk_task_nomem(c->head.task);
    return false;
}

static void free_collect(spk_state *state)
{
    spk_rows_fini(&((collecting *)state)->rows);
}

/* collect_lists: runs such an action; its lists of rows, in order, become the caller's. */
static spark_status collect_lists(spark_rdd *rdd, const spk_action *action, const int *partitions,
    int n, spk_rows *lists, spk_failure *failure)
{
    collecting *parts = calloc((size_t)n + 1, sizeof *parts);
    if (!parts)
        return spk_failure_nomem(failure, action->name, action->site);
    const spark_status status = spk_job_run(rdd, action, partitions, n, parts, failure);
    for (int i = 0; status == SPARK_OK && i < n; i++)
        lists[i] = parts[i].rows;
    free(parts);
    return status;
}

static spark_status collect(spark_rdd *rdd, const spk_action *action, const int *partitions,
    size_t n, spark_array *result, spk_failure *failure)
{
    spk_rows *lists = malloc((n + 1) * sizeof *lists);
    if (!lists)
        return spk_failure_nomem(failure, action->name, action->site);
    spark_status status = collect_lists(rdd, action, partitions, (int)n, lists, failure);
    if (status == SPARK_OK)
        status = spk_result_rows(rdd->sc, rdd->layout, lists, n, result, failure);
    free(lists);
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

/* collecting_of: the action that gathers the rows of partitions. */
static spk_action collecting_of(const char *name, spark_site at, const spark_rdd *rdd)
{
    return (spk_action) { .name = name,
        .site = at,
        .state_size = sizeof(collecting),
        .arg = rdd->layout,
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
        const spk_action action = collecting_of(name, at, rdd);
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

spark_status spark_collect_partitions(spark_site at, spark_rdd *rdd, size_t n,
    const int *partitions, const spark_type *want, spark_array *result)
{
    return collect_some("runJob", at, rdd, true, n, partitions, want, result);
}

spark_status spk_collect_partition(const char *name, spark_site at, spark_rdd *rdd, int partition,
    spk_rows *rows, spk_failure *failure)
{
    collecting part;
    const spk_action action = collecting_of(name, at, rdd);
    const spark_status status = spk_job_run(rdd, &action, &partition, 1, &part, failure);
    if (status == SPARK_OK)
        *rows = part.rows;
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
    int64_t *counts = malloc(((size_t)spk_rdd_partitions(rdd) + 1) * sizeof *counts);
    if (!counts)
        return spk_action_end(spk_failure_nomem(&failure, "count", at), &failure, "count", at);
    status = spk_count_rows("count", at, rdd, spk_rdd_partitions(rdd), counts, &failure);
    for (int i = 0; status == SPARK_OK && i < spk_rdd_partitions(rdd); i++)
        *n += counts[i];
    free(counts);
    return spk_action_end(status, &failure, "count", at);
}

/* ---- take */

typedef struct taking {
    const spk_layout *layout;
    size_t wanted;
} taking;

static bool begin_take(spk_state *state)
{
    collecting *c = (collecting *)state;
    const taking *t = state->action->arg;
    spk_rows_init(&c->rows, state->task->heap, t->layout);
    /* Few are wanted: small batches, so that little beyond them is computed. */
    const size_t most = (size_t)state->task->sc->batch_rows;
    state->task->batch_rows = t->wanted < most ? t->wanted : most;
    return true;
}

static bool take_some(void *state, spk_batch batch)
{
    collecting *c = state;
    const taking *t = c->head.action->arg;
    spark_task *task = c->head.task;
    const size_t left = t->wanted - (size_t)c->rows.n, n = batch.n < left ? batch.n : left;
    if (!spk_rows_append(&c->rows, batch.rows, n)) {
        spk_task_nomem(task);
        return false;
    }
    if (task->batch_rows * 2 <= (size_t)task->sc->batch_rows)
        task->batch_rows *= 2;
    return c->rows.n < t->wanted;
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

spark_status spk_collect_heads(const char *name, spark_site at, spark_rdd *rdd, size_t wanted,
    int from, int n, spk_rows *lists, spk_failure *failure)
{
    const taking t = { rdd->layout, wanted };
    const spk_action action = { .name = name,
        .site = at,
        .state_size = sizeof(collecting),
        .arg = &t,
        .begin = begin_take,
        .take = take_some,
        .discard = free_collect };
    int *ids = malloc((size_t)n * sizeof *ids);
    if (!ids)
        return spk_failure_nomem(failure, name, at);
    for (int i = 0; i < n; i++)
        ids[i] = from + i;
    const spark_status status = collect_lists(rdd, &action, ids, n, lists, failure);
    free(ids);
    return status;
}

static spark_status collect_take(spark_rdd *rdd, spark_site at, const char *name, size_t wanted,
    spark_array *result, spk_failure *failure)
{
    const int all = spk_rdd_partitions(rdd);
    spk_rows *lists = malloc(((size_t)all + 1) * sizeof *lists);
    int64_t scanned = 0;
    size_t found = 0;
    spark_status status = SPARK_OK;
    if (!lists)
        return spk_failure_nomem(failure, name, at);
    while (status == SPARK_OK && found < wanted && scanned < all) {
        int64_t n = next_round(rdd->sc, scanned, (int64_t)found, (int64_t)(wanted - found));
        n = n < 1 ? 1 : n > all - scanned ? all - scanned : n;
        status = spk_collect_heads(
            name, at, rdd, wanted - found, (int)scanned, (int)n, lists + scanned, failure);
        for (int64_t i = scanned; status == SPARK_OK && i < scanned + n; i++) {
            /* A partition brings up to what was missing before the round: cut what is too much. */
            if (found + lists[i].n > wanted)
                spk_rows_cut(&lists[i], wanted - found);
            found += (size_t)lists[i].n;
        }
        if (status == SPARK_OK)
            scanned += n;
    }
    if (status == SPARK_OK)
        status = spk_result_rows(rdd->sc, rdd->layout, lists, (size_t)scanned, result, failure);
    else
        for (int64_t i = 0; i < scanned; i++)
            spk_rows_fini(&lists[i]);
    free(lists);
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
