/* SPDX-License-Identifier: Apache-2.0 */
/* How part files come about: each attempt writes its part below _temporary; the one that wins renames
 * it; the job that fails leaves nothing. */
#include "rdd/save.h"

#include <stdlib.h>

#include "base/faults.h"
#include "io/files.h"
#include "rdd/action.h"

typedef struct saving {
    spk_output output;
    const spk_layout *layout;
    const spk_saver *saver;
    int parts;
} saving;

static bool fail(spk_save_state *s, const spk_failure *failure)
{
    spk_task_fail_with(s->head.task, failure);
    return false;
}

char *spk_save_room(spk_save_state *s, size_t n)
{
    spk_failure failure;
    char *at = spk_part_reserve(&s->part, n, &failure);
    if (!at)
        fail(s, &failure);
    return at;
}

/* write_row: the text of one element and a line end. */
static bool write_row(spk_save_state *s, const char *row)
{
    enum { GUESS = 256 };
    char *at = spk_save_room(s, GUESS);
    if (!at)
        return false;
    size_t length = spk_value_print(s->layout, row, at, GUESS - 1);
    if (length > GUESS - 1) {
        at = spk_save_room(s, length + 1);
        if (!at)
            return false;
        length = spk_value_print(s->layout, row, at, length);
    }
    at[length] = '\n';
    s->part.used += length + 1;
    return true;
}

bool spk_save_lines(void *state, spk_batch batch)
{
    spk_save_state *s = state;
    for (size_t i = 0; i < batch.n; i++)
        if (!write_row(s, batch.rows + i * s->layout->size))
            return false;
    return true;
}

static bool parts_begin(spk_state *state)
{
    spk_save_state *s = (spk_save_state *)state;
    const saving *to = state->action->arg;
    spk_failure failure;
    s->layout = to->layout;
    s->saver = to->saver;
    s->parts = to->parts;
    spk_rows_init(&s->rows, state->task->heap, to->layout);
    s->open = spk_part_open(&s->part, &to->output, state->task->heap, state->task->partition,
                  state->task->attempt, &failure)
        == SPARK_OK;
    if (!s->open)
        return fail(s, &failure);
    return !to->saver->start || to->saver->start(s);
}

static bool end(spk_state *state)
{
    spk_save_state *s = (spk_save_state *)state;
    const saving *to = state->action->arg;
    spk_failure failure;
    if (to->saver->end && !to->saver->end(s))
        return false;
    return spk_part_close(&s->part, &failure) == SPARK_OK || fail(s, &failure);
}

static bool publish(spk_state *state)
{
    spk_save_state *s = (spk_save_state *)state;
    spk_failure failure;
    if (spk_part_publish(&s->part, &failure) != SPARK_OK)
        return fail(s, &failure);
    s->open = false;
    return true;
}

static void parts_discard(spk_state *state)
{
    spk_save_state *s = (spk_save_state *)state;
    spk_rows_fini(&s->rows);
    if (s->open)
        spk_part_discard(&s->part);
    s->open = false;
}

spark_status spk_save_run(spark_site at, spark_rdd *rdd, const char *path, bool scratch,
    const spk_saver *saver, spk_failure *failure)
{
    saving to = { .layout = rdd->layout, .saver = saver, .parts = spk_rdd_partitions(rdd) };
    const spk_action action = { .name = saver->name,
        .site = at,
        .state_size = sizeof(spk_save_state),
        .arg = &to,
        .begin = parts_begin,
        .take = saver->take,
        .end = end,
        .publish = publish,
        .discard = parts_discard };
    SPK_AT(rdd->sc->place);
    spk_save_state *states = calloc((size_t)spk_rdd_partitions(rdd) + 1, sizeof *states);
    if (!states)
        return spk_failure_nomem(failure, action.name, at);
    spark_status status = spk_output_begin(&to.output, path, scratch, failure);
    if (status != SPARK_OK) {
        spk_failure_at(failure, action.name, at);
    } else {
        to.output.parts = to.parts;
        status = spk_job_run(rdd, &action, NULL, spk_rdd_partitions(rdd), states, failure);
        if (status != SPARK_OK)
            spk_output_abort(&to.output);
        else if ((status = spk_output_commit(&to.output, failure)) != SPARK_OK)
            spk_failure_at(failure, action.name, at);
    }
    free(states);
    return status;
}

/* wanted: a save, as it is told to whoever knows the path. */
typedef struct wanted {
    spark_site at;
    spark_rdd *rdd;
    const spk_saver *saver;
} wanted;

static spark_status save_here(void *state, const char *directory, spk_failure *failure)
{
    const wanted *w = state;
    return spk_save_run(w->at, w->rdd, directory, true, w->saver, failure);
}

spark_status spk_save_parts(spark_site at, spark_rdd *rdd, const char *path, const spk_saver *saver)
{
    wanted w = { at, rdd, saver };
    spk_failure failure;
    bool known = false;
    spark_status status = spk_action_check(rdd, saver->name, at, &failure);
    if (status == SPARK_OK && (!path || !*path))
        status = spk_failure_set(&failure, SPARK_EINVAL, saver->name, at,
            "%s at %s: the path is empty", saver->name, at);
    if (status == SPARK_OK && rdd->sc->elsewhere) {
        SPK_AT(rdd->sc->place);
        status = rdd->sc->elsewhere->save(
            rdd->sc->elsewhere, path, 0, save_here, &w, &known, &failure);
    }
    if (status == SPARK_OK && !known)
        status = spk_save_run(at, rdd, path, false, saver, &failure);
    return spk_action_end(status, &failure, saver->name, at);
}
