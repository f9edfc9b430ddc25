/* SPDX-License-Identifier: Apache-2.0 */
/* The value of an accumulator of values: its parts put together in the order (job, stage,
 * partition, step), on the calling thread. Parts of jobs that have ended are put together for good. */
#include <stdlib.h>

#include <spark/shared.h>

#include "exec/accumulator.h"
#include "rdd/action.h"
#include "rdd/result.h"

/* reading: what there was when the reader came. */
typedef struct reading {
    spark_accumulator *a;
    spk_part_sum *parts;
    size_t n, driver, ended; /* parts; the first ones of the driver; those of jobs that have ended */
    spk_gathered *folded[2];
    bool done; /* the ended parts have been put together */
} reading;

static bool begin(reading *r, spark_accumulator *a)
{
    *r = (reading) { .a = a };
    pthread_mutex_lock(&a->lock);
    r->ended = spk_accumulator_settle(a);
    r->n = a->n_parts;
    r->parts = malloc((r->n + 1) * sizeof *r->parts);
    if (r->parts && r->n)
        memcpy(r->parts, a->parts, r->n * sizeof *r->parts);
    memcpy(r->folded, a->folded, sizeof r->folded);
    a->readers += r->parts != NULL;
    pthread_mutex_unlock(&a->lock);
    while (r->parts && r->driver < r->ended && r->parts[r->driver].job == SPK_DRIVER_JOB)
        r->driver++;
    return r->parts != NULL;
}

/* end: made: what the ended parts have been put together to; the last reader leaves it for the next
 * one. */
static void end(reading *r, spk_gathered *made[2])
{
    spark_accumulator *a = r->a;
    pthread_mutex_lock(&a->lock);
    if (--a->readers == 0 && r->done) {
        for (size_t i = 0; i < r->ended; i++)
            spk_gathered_free(r->parts[i].gathered);
        spk_accumulator_forget(a, r->ended);
        memcpy(a->folded, made, sizeof a->folded);
        memcpy(made, r->folded, sizeof r->folded);
    }
    pthread_mutex_unlock(&a->lock);
    spk_gathered_free(made[0]);
    spk_gathered_free(made[1]);
    free(r->parts);
}

static bool append(spk_rows *all, const spk_gathered *from)
{
    bool good = true;
    for (const spk_run *run = from ? from->rows.first : NULL; good && run; run = run->next)
        good = spk_rows_append(all, run->rows, (size_t)run->n);
    return good;
}

static bool append_parts(spk_rows *all, const reading *r, size_t from, size_t to)
{
    bool good = true;
    for (size_t i = from; good && i < to; i++)
        good = append(all, r->parts[i].gathered);
    return good;
}

static spark_status join_rows(const reading *r, spark_array *result, spk_failure *failure)
{
    const spark_accumulator *a = r->a;
    spk_rows all;
    spk_rows_init(&all, &a->sc->heap, a->layout);
    if (append(&all, r->folded[0]) && append_parts(&all, r, 0, r->driver)
        && append(&all, r->folded[1]) && append_parts(&all, r, r->driver, r->n))
        return spk_result_rows(a->sc, &all, result, failure);
    spk_rows_fini(&all);
    return spk_failure_nomem(failure, "accumulator", NULL);
}

/* combine: what was gathered into a total. False: the task has failed. */
static bool combine(
    spark_task *task, const spark_accumulator *a, spk_gathered *total, const spk_gathered *from)
{
    void *acc = total->acc;
    if (from)
        a->combine.run(task, 1, &acc, from->acc, a->layout->size, NULL);
    if (!spk_gathered_own(total, a->layout))
        spk_task_nomem(task);
    return !spk_task_failed(task);
}

/* merged: a copy of one with parts put to it. NULL: the task has failed. */
static spk_gathered *merged(
    spark_task *task, const reading *r, const spk_gathered *one, size_t from, size_t to)
{
    spk_gathered *total = spk_gathered_copy(r->a, one);
    bool good = total != NULL;
    if (!total)
        spk_task_nomem(task);
    for (size_t i = from; good && i < to; i++)
        good = combine(task, r->a, total, r->parts[i].gathered);
    if (good)
        return total;
    spk_gathered_free(total);
    return NULL;
}

/* merge: made: as end wants it. */
static spk_gathered *merge(spark_task *task, reading *r, spk_gathered *made[2])
{
    const bool on_driver = r->folded[0] || r->driver > 0, jobs = r->folded[1] || r->ended > r->driver;
    if (on_driver && !(made[0] = merged(task, r, r->folded[0], 0, r->driver)))
        return NULL;
    if (jobs && !(made[1] = merged(task, r, r->folded[1], r->driver, r->ended)))
        return NULL;
    r->done = true;
    spk_gathered *first = merged(task, r, on_driver ? made[0] : made[1], 0, 0), *total = NULL;
    if (first && (!on_driver || !jobs || combine(task, r->a, first, made[1])))
        total = merged(task, r, first, r->ended, r->n);
    spk_gathered_free(first);
    return total;
}

static spark_status merge_values(
    reading *r, spk_gathered *made[2], spark_array *result, spk_failure *failure)
{
    const spark_accumulator *a = r->a;
    spark_task *task = spk_task_new(a->sc);
    if (!task)
        return spk_failure_nomem(failure, "accumulator", NULL);
    spk_task_begin(task, SPK_DRIVER_JOB, -1, -1, 0);
    spk_task_end_is(task, "accumulator", a->name, NULL);
    spk_gathered *total = merge(task, r, made);
    spark_status status = task->failure.code;
    *failure = task->failure;
    if (total)
        status = spk_result_one(a->sc, a->layout, total->acc, result, failure);
    spk_gathered_free(total);
    spk_task_end(task);
    spk_task_free(task);
    return status;
}

static spark_status get(spark_accumulator *a, spark_array *result, spk_failure *failure)
{
    reading r;
    spk_gathered *made[2] = { NULL, NULL };
    if (!begin(&r, a))
        return spk_failure_nomem(failure, "accumulator", NULL);
    const spark_status status = a->kind == SPK_COLLECTION ? join_rows(&r, result, failure)
                                                          : merge_values(&r, made, result, failure);
    end(&r, made);
    return status;
}

spark_status spark_accumulator_get(
    const spark_accumulator *accumulator, const spark_type *want, spark_array *result)
{
    spk_failure failure;
    spark_accumulator *a;
    char text[400];
    if (!accumulator || !result)
        return spk_raisef(SPARK_EINVAL, "accumulator", NULL, "there is no accumulator or no place");
    memcpy(&a, &accumulator, sizeof a);
    *result = (spark_array) { NULL, NULL, 0, NULL };
    if (a->kind != SPK_COLLECTION && a->kind != SPK_OF_USER)
        return spk_raisef(SPARK_ETYPE, "accumulator", NULL, "accumulator \"%s\" is a sum", a->name);
    if (want && spk_type_differ(want, a->layout->type, text, sizeof text) != SPARK_OK)
        return spk_raisef(
            SPARK_ETYPE, "accumulator", NULL, "accumulator \"%s\": %s", a->name, text);
    return spk_action_end(get(a, result, &failure), &failure, "accumulator", NULL);
}
