/* SPDX-License-Identifier: Apache-2.0 */
/* save_as_text_file: each attempt writes its part below _temporary; the one that wins renames it.
 */
#include "rdd/rdd.h"

#include <stdlib.h>

#include <spark/action.h>

#include "io/output.h"

typedef struct saving {
    spk_output output;
    const spk_layout *layout;
} saving;

typedef struct save_state {
    spk_state head;
    spk_part part;
    bool open;
} save_state;

static bool fail(save_state *s, const spk_failure *failure)
{
    spk_task_fail_with(s->head.task, failure);
    return false;
}

static bool begin(spk_state *state)
{
    save_state *s = (save_state *)state;
    const saving *to = state->action->arg;
    spk_failure failure;
    s->open = spk_part_open(&s->part, &to->output, state->task->heap, state->task->partition,
                  state->task->attempt, &failure)
        == SPARK_OK;
    return s->open || fail(s, &failure);
}

/* write_row: the text of one element and a line end. */
static bool write_row(save_state *s, const spk_layout *layout, const char *row)
{
    enum { GUESS = 256 };
    spk_failure failure;
    char *at = spk_part_reserve(&s->part, GUESS, &failure);
    if (!at)
        return fail(s, &failure);
    size_t length = spk_value_print(layout, row, at, GUESS - 1);
    if (length > GUESS - 1) {
        at = spk_part_reserve(&s->part, length + 1, &failure);
        if (!at)
            return fail(s, &failure);
        length = spk_value_print(layout, row, at, length);
    }
    at[length] = '\n';
    s->part.used += length + 1;
    return true;
}

static bool take(void *state, spk_batch batch)
{
    save_state *s = state;
    const saving *to = s->head.action->arg;
    for (size_t i = 0; i < batch.n; i++)
        if (!write_row(s, to->layout, batch.rows + i * to->layout->size))
            return false;
    return true;
}

static bool end(spk_state *state)
{
    save_state *s = (save_state *)state;
    spk_failure failure;
    return spk_part_close(&s->part, &failure) == SPARK_OK || fail(s, &failure);
}

static bool publish(spk_state *state)
{
    save_state *s = (save_state *)state;
    spk_failure failure;
    if (spk_part_publish(&s->part, &failure) != SPARK_OK)
        return fail(s, &failure);
    s->open = false;
    return true;
}

static void discard(spk_state *state)
{
    save_state *s = (save_state *)state;
    if (s->open)
        spk_part_discard(&s->part);
    s->open = false;
}

static spark_status save(spark_rdd *rdd, const char *path, spark_site at, spk_failure *failure)
{
    saving to = { .layout = rdd->layout };
    const spk_action action = { .name = "saveAsTextFile",
        .site = at,
        .state_size = sizeof(save_state),
        .arg = &to,
        .begin = begin,
        .take = take,
        .end = end,
        .publish = publish,
        .discard = discard };
    save_state *states = calloc((size_t)rdd->partitions + 1, sizeof *states);
    if (!states)
        return spk_failure_nomem(failure, action.name, at);
    spark_status status = spk_output_begin(&to.output, path, failure);
    if (status != SPARK_OK) {
        spk_failure_at(failure, action.name, at);
    } else {
        status = spk_job_run(rdd, &action, NULL, rdd->partitions, states, failure);
        if (status != SPARK_OK)
            spk_output_abort(&to.output);
        else if ((status = spk_output_commit(&to.output, failure)) != SPARK_OK)
            spk_failure_at(failure, action.name, at);
    }
    free(states);
    return status;
}

spark_status spark_save_as_text_file(spark_site at, spark_rdd *rdd, const char *path)
{
    spk_failure failure;
    spark_status status = spk_job_check(rdd, "saveAsTextFile", at, &failure);
    if (status == SPARK_OK && (!path || !*path))
        status = spk_failure_set(&failure, SPARK_EINVAL, "saveAsTextFile", at,
            "saveAsTextFile at %s: the path is empty", at);
    if (status == SPARK_OK)
        status = save(rdd, path, at, &failure);
    return spk_action_end(status, &failure);
}
