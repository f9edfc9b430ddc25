/* SPDX-License-Identifier: Apache-2.0 */
/* Approximate actions: a job that ends after some time; what its finished partitions say is scaled
 * up, with bounds as Spark's evaluators give them. */
#include <math.h>
#include <stdlib.h>

#include <spark/keyed.h>
#include <spark/stats.h>
#include <spark/transform.h>

#include "base/quantile.h"
#include "rdd/action.h"
#include "rdd/numbers.h"
#include "rdd/result.h"
#include "shuffle/table.h"

/* check: 0 <= confidence <= 1. */
static spark_status check(
    spark_site at, const char *name, double confidence, const void *place, spk_failure *failure)
{
    if (!place)
        return spk_failure_set(failure, SPARK_EINVAL, name, at,
            "%s at %s: there is no place for the result", name, at);
    if (!(confidence >= 0 && confidence <= 1))
        return spk_failure_set(failure, SPARK_EINVAL, name, at,
            "%s at %s: a confidence of %g; it must be between 0 and 1", name, at, confidence);
    return SPARK_OK;
}

/* run: a timed job; states is room for as many as there are partitions; *done: how many finished. */
static spark_status approximate_run(spark_rdd *rdd, spk_action *action, int64_t timeout_ms,
    void *states, uint8_t *finished, int *done, spk_failure *failure)
{
    action->timed = true;
    action->timeout_ms = timeout_ms;
    action->done = finished;
    const spark_status status
        = spk_job_run(rdd, action, NULL, spk_rdd_partitions(rdd), states, failure);
    for (int i = 0; status == SPARK_OK && i < spk_rdd_partitions(rdd); i++)
        *done += finished[i];
    return status;
}

/* quantile: of what is left and right of the middle. */
static double factor(double confidence, int64_t n)
{
    const double p = (1 + confidence) / 2;
    if (p >= 1)
        return HUGE_VAL;
    return n > 100 ? spk_quantile_normal(p) : spk_quantile_t(p, (double)(n - 1));
}

/* count_of: a count of which a share p of the partitions has found n. */
static spark_bounded count_of(int64_t n, int done, int all, double confidence)
{
    const double found = (double)n, p = all ? (double)done / all : 1;
    if (done == all)
        return (spark_bounded) { found, 1, found, found, true };
    if (done == 0 || n == 0)
        return (spark_bounded) { 0, 0, 0, HUGE_VAL, false };
    const double rest = found * (1 - p) / p;
    const double high
        = confidence >= 1 ? HUGE_VAL : spk_quantile_poisson((1 + confidence) / 2, rest);
    const double low = confidence >= 1 ? 0 : spk_quantile_poisson((1 - confidence) / 2, rest);
    return (spark_bounded) { found + rest, confidence, found + low, found + high, false };
}

/* ---- count */

spark_status spark_count_approx(
    spark_site at, spark_rdd *rdd, int64_t timeout_ms, double confidence, spark_bounded *result)
{
    static const char *const name = "countApprox";
    spk_failure failure;
    int done = 0;
    int64_t n = 0;
    spk_counting *states = NULL;
    uint8_t *finished = NULL;
    spark_status status = spk_job_check(rdd, name, at, &failure);
    if (status == SPARK_OK)
        status = check(at, name, confidence, result, &failure);
    if (status == SPARK_OK) {
        spk_action action
            = { .name = name, .site = at, .state_size = sizeof *states, .take = spk_take_count };
        states = calloc((size_t)spk_rdd_partitions(rdd) + 1, sizeof *states);
        finished = calloc((size_t)spk_rdd_partitions(rdd) + 1, 1);
        status = states && finished
            ? approximate_run(rdd, &action, timeout_ms, states, finished, &done, &failure)
            : spk_failure_nomem(&failure, name, at);
    }
    for (int i = 0; status == SPARK_OK && i < spk_rdd_partitions(rdd); i++)
        n += finished[i] ? states[i].n : 0;
    if (result)
        *result = status == SPARK_OK ? count_of(n, done, spk_rdd_partitions(rdd), confidence)
                                     : (spark_bounded) { 0, 0, 0, 0, false };
    free(states);
    free(finished);
    return spk_action_end(status, &failure, name, at);
}

/* ---- sum and mean */

typedef struct moments {
    spk_state head;
    int64_t n;
    double mean, m2;
} moments;

static bool take_moments(void *state, spk_batch batch)
{
    moments *m = state;
    const spk_layout *layout = m->head.action->arg;
    for (size_t i = 0; i < batch.n; i++) {
        double x;
        spk_numbers(layout, batch.rows + i * layout->size, 1, &x);
        const double delta = x - m->mean;
        m->n++;
        m->mean += delta / (double)m->n;
        m->m2 += delta * (x - m->mean);
    }
    return true;
}

static void merge_moments(moments *a, const moments *b)
{
    const double delta = b->mean - a->mean, n = (double)a->n, k = (double)b->n;
    if (b->n == 0)
        return;
    a->m2 += b->m2 + delta * delta * n * k / (n + k);
    a->mean += delta * k / (n + k);
    a->n += b->n;
}

static spark_bounded mean_of(const moments *m, bool whole, double confidence)
{
    if (whole)
        return (spark_bounded) { m->mean, 1, m->mean, m->mean, true };
    if (m->n == 0)
        return (spark_bounded) { 0, 0, -HUGE_VAL, HUGE_VAL, false };
    if (m->n == 1)
        return (spark_bounded) { m->mean, confidence, -HUGE_VAL, HUGE_VAL, false };
    const double n = (double)m->n, stdev = sqrt(m->m2 / (n - 1) / n);
    const double width = factor(confidence, m->n) * stdev;
    return (spark_bounded) { m->mean, confidence, m->mean - width, m->mean + width, false };
}

static spark_bounded sum_of(const moments *m, int done, int all, double confidence)
{
    const double n = (double)m->n, p = all ? (double)done / all : 1;
    if (done == all)
        return (spark_bounded) { m->mean * n, 1, m->mean * n, m->mean * n, true };
    if (m->n == 0)
        return (spark_bounded) { 0, 0, -HUGE_VAL, HUGE_VAL, false };
    /* What is missing is estimated, and what there is added. */
    const double count = n * (1 - p) / p, there = m->mean * n, sum = there + m->mean * count;
    const double mean_variance = m->m2 / (n - 1) / n;
    if (m->n == 1 || isnan(mean_variance))
        return (spark_bounded) { sum, confidence, -HUGE_VAL, HUGE_VAL, false };
    const double count_variance = n * (1 - p) / (p * p);
    const double variance = mean_variance * count * count + count_variance * m->mean * m->mean
        + mean_variance * count_variance;
    const double width = factor(confidence, m->n) * sqrt(variance);
    return (spark_bounded) { sum, confidence, sum - width, sum + width, false };
}

static spark_status moments_approx(spark_site at, const char *name, spark_rdd *rdd,
    int64_t timeout_ms, double confidence, moments *total, int *done, const void *place)
{
    spk_failure failure;
    moments *states = NULL;
    uint8_t *finished = NULL;
    *total = (moments) { .n = 0 };
    spark_status status = spk_numbers_check(rdd, name, at, place, &failure);
    if (status == SPARK_OK)
        status = check(at, name, confidence, place, &failure);
    if (status == SPARK_OK) {
        spk_action action = { .name = name,
            .site = at,
            .state_size = sizeof *states,
            .arg = rdd->layout,
            .take = take_moments };
        states = calloc((size_t)spk_rdd_partitions(rdd) + 1, sizeof *states);
        finished = calloc((size_t)spk_rdd_partitions(rdd) + 1, 1);
        status = states && finished
            ? approximate_run(rdd, &action, timeout_ms, states, finished, done, &failure)
            : spk_failure_nomem(&failure, name, at);
    }
    for (int i = 0; status == SPARK_OK && i < spk_rdd_partitions(rdd); i++)
        if (finished[i])
            merge_moments(total, &states[i]);
    free(states);
    free(finished);
    return spk_action_end(status, &failure, name, at);
}

spark_status spark_mean_approx(
    spark_site at, spark_rdd *rdd, int64_t timeout_ms, double confidence, spark_bounded *result)
{
    moments m;
    int done = 0;
    const spark_status status
        = moments_approx(at, "meanApprox", rdd, timeout_ms, confidence, &m, &done, result);
    if (result)
        *result = mean_of(&m, status == SPARK_OK && done == spk_rdd_partitions(rdd), confidence);
    return status;
}

spark_status spark_sum_approx(
    spark_site at, spark_rdd *rdd, int64_t timeout_ms, double confidence, spark_bounded *result)
{
    moments m;
    int done = 0;
    const spark_status status
        = moments_approx(at, "sumApprox", rdd, timeout_ms, confidence, &m, &done, result);
    if (result)
        *result = sum_of(&m, done, status == SPARK_OK ? spk_rdd_partitions(rdd) : 1, confidence);
    return status;
}

/* ---- counts of keys and values */

typedef struct tallying {
    const spk_layout *layout, *key;
} tallying;

typedef struct tally {
    spk_state head;
    spk_table table; /* rows: key, count */
    spk_found found;
    bool open;
} tally;

static uint32_t count_at(const spk_layout *key)
{
    return spk_table_room(key->size, 8);
}

static bool begin_tally(spk_state *state)
{
    const tallying *how = state->action->arg;
    tally *t = (tally *)state;
    const uint32_t size = spk_table_room(count_at(how->key) + 8, how->key->align);
    t->open = spk_table_init(&t->table, state->task->heap, how->key, size, 0, false);
    if (!t->open)
        spk_task_nomem(state->task);
    return t->open && spk_found_open(state->task, &t->found);
}

static bool take_tally(void *state, spk_batch batch)
{
    static const uint64_t none = 0;
    tally *t = state;
    const tallying *how = t->head.action->arg;
    const uint32_t at = count_at(how->key);
    const spk_value_move move = { .to = at, .size = 8, .zero = &none };
    const size_t most = spk_task_batch(t->head.task), size = how->layout->size;
    for (size_t i = 0; i < batch.n; i += most) {
        const size_t n = batch.n - i < most ? batch.n - i : most;
        if (spk_table_find(&t->table, batch.rows + i * size, size, n, NULL, &move, UINT32_MAX,
                UINT64_MAX, &t->found)
            == SIZE_MAX) {
            spk_task_nomem(t->head.task);
            return false;
        }
        for (size_t k = 0; k < n; k++)
            ++*(uint64_t *)(void *)(spk_table_row(&t->table, t->found.rows[k]) + at);
    }
    return true;
}

static void free_tally(spk_state *state)
{
    tally *t = (tally *)state;
    if (t->open)
        spk_table_fini(&t->table);
    t->open = false;
}

/* add_up: all partitions' tables into the first one that is there. */
static bool add_up(tally *total, const tally *part, const spk_layout *key, spk_found *found)
{
    static const uint64_t none = 0;
    const uint32_t at = count_at(key);
    const spk_value_move move = { .to = at, .size = 8, .zero = &none };
    for (uint32_t row = 0; row < part->table.n; row++) {
        const char *from = spk_table_row(&part->table, row);
        if (spk_table_find(&total->table, from, part->table.row_size, 1, NULL, &move, UINT32_MAX,
                UINT64_MAX, found)
            == SIZE_MAX)
            return false;
        *(uint64_t *)(void *)(spk_table_row(&total->table, found->rows[0]) + at)
            += *(const uint64_t *)(const void *)(from + at);
    }
    return true;
}

/* as_pairs: (key, bounded count). */
static spark_status as_pairs(spark_rdd *rdd, const tally *total, const spk_layout *out, int done,
    double confidence, spark_array *result, spk_failure *failure)
{
    const spk_layout *key = out->key;
    spk_rows rows;
    bool good = true;
    char *row = calloc(1, out->size);
    spk_rows_init(&rows, &rdd->sc->heap, out);
    for (uint32_t i = 0; row && good && i < total->table.n; i++) {
        const char *from = spk_table_row(&total->table, i);
        const spark_bounded count = count_of(*(const int64_t *)(const void *)(from + count_at(key)),
            done, spk_rdd_partitions(rdd), confidence);
        memset(row, 0, out->size);
        memcpy(row, from, key->size);
        memcpy(row + out->value_offset, &count, sizeof count);
        good = spk_rows_append(&rows, row, 1);
    }
    good = good && row;
    free(row);
    if (good)
        return spk_result_rows(rdd->sc, &rows, result, failure);
    spk_rows_fini(&rows);
    return spk_failure_nomem(failure, NULL, NULL);
}

static spark_status merge_tallies(spark_rdd *rdd, tally *states, const uint8_t *finished,
    const spk_layout *out, int done, double confidence, spark_array *result, spk_failure *failure)
{
    spark_task *task = spk_task_new(rdd->sc);
    tally total = { .open = false };
    spk_found found;
    spark_status status = SPARK_OK;
    if (task)
        spk_task_begin(task, -1, -1, -1, 0);
    total.open = task
        && spk_table_init(&total.table, &rdd->sc->heap, out->key, count_at(out->key) + 8, 0, false);
    bool good = total.open && spk_found_open(task, &found);
    for (int i = 0; i < spk_rdd_partitions(rdd); i++) {
        if (!finished[i])
            continue;
        good = good && add_up(&total, &states[i], out->key, &found);
        free_tally(&states[i].head);
    }
    status = good ? as_pairs(rdd, &total, out, done, confidence, result, failure)
                  : spk_failure_nomem(failure, NULL, NULL);
    free_tally(&total.head);
    if (task)
        spk_task_end(task);
    spk_task_free(task);
    return status;
}

static spark_status counts_approx(spark_site at, const char *name, spark_rdd *rdd, bool by_key,
    int64_t timeout_ms, double confidence, spark_array *result)
{
    spk_failure failure;
    int done = 0;
    tally *states = NULL;
    uint8_t *finished = NULL;
    spark_status status = spk_action_begin(rdd, name, at, NULL, result, &failure);
    if (status == SPARK_OK)
        status = check(at, name, confidence, result, &failure);
    if (status == SPARK_OK && by_key && !rdd->layout->key)
        status = spk_failure_set(
            &failure, SPARK_ETYPE, name, at, "%s at %s: the RDD is not one of pairs", name, at);
    if (status != SPARK_OK)
        return spk_action_end(status, &failure, name, at);
    const tallying how = { rdd->layout, by_key ? rdd->layout->key : rdd->layout };
    const spark_type *pair
        = spk_types_pair(rdd->sc->types, how.key->type, SPARK_TYPE(spark_bounded));
    const spk_layout *out = pair ? spk_layout_for(rdd->sc, pair, &failure) : NULL;
    states = calloc((size_t)spk_rdd_partitions(rdd) + 1, sizeof *states);
    finished = calloc((size_t)spk_rdd_partitions(rdd) + 1, 1);
    if (out && states && finished) {
        spk_action action = { .name = name,
            .site = at,
            .state_size = sizeof *states,
            .arg = &how,
            .begin = begin_tally,
            .take = take_tally,
            .discard = free_tally };
        status = approximate_run(rdd, &action, timeout_ms, states, finished, &done, &failure);
        if (status == SPARK_OK)
            status = merge_tallies(rdd, states, finished, out, done, confidence, result, &failure);
    } else {
        status = spk_failure_nomem(&failure, name, at);
    }
    free(states);
    free(finished);
    return spk_action_end(status, &failure, name, at);
}

spark_status spark_count_by_key_approx(
    spark_site at, spark_rdd *rdd, int64_t timeout_ms, double confidence, spark_array *result)
{
    return counts_approx(at, "countByKeyApprox", rdd, true, timeout_ms, confidence, result);
}

spark_status spark_count_by_value_approx(
    spark_site at, spark_rdd *rdd, int64_t timeout_ms, double confidence, spark_array *result)
{
    return counts_approx(at, "countByValueApprox", rdd, false, timeout_ms, confidence, result);
}
