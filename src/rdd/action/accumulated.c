/* SPDX-License-Identifier: Apache-2.0 */
/* The value of an accumulator of values: its parts put together in the order (job, stage,
 * partition), on the calling thread. */
#include <stdlib.h>

#include <spark/shared.h>

#include "exec/accumulator.h"
#include "rdd/action.h"
#include "rdd/result.h"

static spark_status join_rows(const spark_accumulator *a, const spk_part_sum *parts, size_t n,
    spark_array *result, spk_failure *failure)
{
    spk_rows all;
    bool good = true;
    spk_rows_init(&all, &a->sc->heap, a->layout);
    for (size_t i = 0; good && i < n; i++)
        for (const spk_run *run = parts[i].gathered ? parts[i].gathered->rows.first : NULL;
             good && run; run = run->next)
            good = spk_rows_append(&all, run->rows, (size_t)run->n);
    if (good)
        return spk_result_rows(a->sc, a->layout, &all, 1, result, failure);
    spk_rows_fini(&all);
    return spk_failure_nomem(failure, "accumulator", NULL);
}

static spark_status merge(const spark_accumulator *a, const spk_part_sum *parts, size_t n,
    spark_array *result, spk_failure *failure)
{
    spark_task *task = spk_task_new(a->sc);
    spk_gathered *total = spk_gathered_new(a);
    bool good = task && total;
    spark_status status = SPARK_OK;
    if (good) {
        spk_task_begin(task, -1, -1, -1, 0);
        spk_task_end_is(task, "accumulator", a->name, NULL);
        for (size_t i = 0; good && i < n; i++) {
            void *acc = total->acc;
            if (parts[i].gathered)
                a->combine.run(task, 1, &acc, parts[i].gathered->acc, a->layout->size, NULL);
            good = spk_gathered_own(total, a->layout);
            if (spk_task_failed(task))
                break;
        }
        status = task->failure.code;
        *failure = task->failure;
        if (good && status == SPARK_OK)
            status = spk_result_one(a->sc, a->layout, total->acc, result, failure);
        spk_task_end(task);
    }
    if (!good)
        status = spk_failure_nomem(failure, "accumulator", NULL);
    spk_gathered_free(total);
    spk_task_free(task);
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
    pthread_mutex_lock(&a->lock);
    spk_accumulator_sort(a);
    const size_t n = a->n_parts;
    spk_part_sum *parts = malloc((n + 1) * sizeof *parts);
    if (parts && n)
        memcpy(parts, a->parts, n * sizeof *parts);
    pthread_mutex_unlock(&a->lock);
    const spark_status status = !parts ? spk_failure_nomem(&failure, "accumulator", NULL)
        : a->kind == SPK_COLLECTION    ? join_rows(a, parts, n, result, &failure)
                                       : merge(a, parts, n, result, &failure);
    free(parts);
    return spk_action_end(status, &failure, "accumulator", NULL);
}
