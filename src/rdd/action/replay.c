/* SPDX-License-Identifier: Apache-2.0 */
/* replay: a job of one partition that the calling thread does alone. A scope of its own carries
 * that to the jobs that preparing the RDD may need. A failed attempt is repeated, so rows are
 * printed by their number, each once. */
#include <stdlib.h>

#include <spark/action.h>
#include <spark/replay.h>

#include "plan/listening.h"
#include "plan/properties.h"
#include "rdd/action.h"
#include "scheduler/alone.h"

typedef struct replay {
    const spk_layout *layout;
    FILE *print;
    uint64_t most;
    int64_t rows, printed; /* of the attempt that runs; of all */
} replay;

typedef struct replaying {
    spk_state head;
    replay *of;
} replaying;

static bool begin_replay(spk_state *state)
{
    replaying *r = (replaying *)state;
    spark_task *task = state->task;
    memcpy(&r->of, state->action->arg, sizeof r->of);
    r->of->rows = 0;
    if (r->of->most < task->push.batch_rows)
        task->push.batch_rows = (size_t)r->of->most;
    return true;
}

static bool print_row(replay *r, spark_task *task, char *row)
{
    const spark_array one = { r->layout->type, row, 1, NULL };
    const spark_status status = spark_array_print(r->print, &one);
    if (status != SPARK_OK)
        spk_task_fail(
            task, status, "row %lld: %s", (long long)r->printed, spark_last_error()->message);
    else
        r->printed++;
    return status == SPARK_OK;
}

static bool take_replay(void *state, spk_batch batch)
{
    const replaying *s = state;
    replay *r = s->of;
    for (size_t i = 0; i < batch.n; i++) {
        if (r->print && r->rows == r->printed
            && !print_row(r, s->head.task, batch.rows + i * r->layout->size))
            return false;
        if ((uint64_t)++r->rows == r->most)
            return false;
    }
    return true;
}

static spark_status run(replay *r, spk_alone *alone, spark_rdd *rdd, int partition, spark_site at,
    spk_failure *failure)
{
    const spk_action action = { .name = "replay",
        .site = at,
        .state_size = sizeof(replaying),
        .arg = &r,
        .begin = begin_replay,
        .take = take_replay,
        .counts_nothing = true };
    replaying state;
    if (spk_job_check(rdd, "replay", at, failure) != SPARK_OK)
        return failure->code;
    if (partition < 0 || partition >= spk_rdd_partitions(rdd))
        return spk_failure_set(failure, SPARK_EINVAL, "replay", at,
            "replay at %s: Attempting to access a non-existent partition: %d of %d", at, partition,
            spk_rdd_partitions(rdd));
    r->layout = rdd->layout;
    alone->task->blocks.anew = rdd;
    return spk_job_run(rdd, &action, &partition, 1, &state, failure);
}

/* carry: jobs of this thread's innermost scope are done alone, in their own time. */
static bool carry(spark_context *sc, spk_alone *alone)
{
    spk_properties p;
    if (!spk_properties_now(sc, &p))
        return false;
    p.alone = alone;
    p.has_task_timeout = p.has_job_timeout = true;
    p.task_timeout_ms = p.job_timeout_ms = 0;
    const bool good = spk_properties_set(sc, &p, p.started);
    spk_properties_fini(&p);
    return good;
}

int64_t spark_replay_with(
    spark_site at, spark_rdd *rdd, int partition, const spark_replay_options *options)
{
    spk_failure failure;
    const char here = 0;
    replay r = { .print = options ? options->print : NULL,
        .most = options && options->max_rows ? options->max_rows : UINT64_MAX };
    if (!rdd || rdd->error || spk_task_current() || spk_told_here(rdd->sc)) {
        spk_job_check(rdd, "replay", at, &failure);
        return spk_raise(&failure), -1;
    }
    spark_scope *scope = spark_scope_begin(rdd->sc);
    spk_alone *alone = scope ? spk_alone_open(rdd->sc) : NULL;
    spark_status status = SPARK_OK;
    if (!alone || !carry(rdd->sc, alone)) {
        status = spk_failure_nomem(&failure, "replay", at);
    } else {
        alone->task->check.callers = &here; /* views of what the caller has on this stack are alive */
        status = run(&r, alone, rdd, partition, at, &failure);
    }
    spark_scope_end(scope);
    if (alone)
        spk_alone_close(alone);
    return spk_action_end(status, &failure, "replay", at) == SPARK_OK ? r.rows : -1;
}

int64_t spark_replay(spark_site at, spark_rdd *rdd, int partition)
{
    return spark_replay_with(at, rdd, partition, NULL);
}
