/* SPDX-License-Identifier: Apache-2.0 */
/* foreach and foreach_partition: functions for their side effect. */
#include <stdlib.h>

#include <spark/action.h>

#include "exec/drained.h"
#include "rdd/action.h"

typedef struct visiting {
    const char *name;
    spark_foreach_def each;
    spark_foreach_partition_def whole; /* run is set in one of them */
    const void *env;
    const spk_layout *layout;
} visiting;

typedef struct visit_state {
    spk_state head;
    spk_pieces pieces;
    uint64_t seen;
    spk_tape tape;
} visit_state;

static bool foreach_take(void *state, spk_batch batch)
{
    visit_state *s = state;
    spark_task *task = s->head.task;
    const visiting *v = s->head.action->arg;
    const size_t size = v->layout->size;
    const spk_arena_mark mark = spk_arena_note(task->scratch);
    s->pieces.single = task->at.single;
    for (size_t i = 0, n; i < batch.n && !spk_task_failed(task); i += n) {
        const size_t before = task->scratch->bytes;
        n = spk_piece(&s->pieces, batch.n - i);
        spk_task_at(task, NULL, s->seen + i, batch.rows + i * size);
        v->each.run(task, n, batch.rows + i * size, size, v->env);
        spk_piece_done(&s->pieces, n, task->scratch->bytes - before, SIZE_MAX);
        if (task->scratch->bytes - mark.bytes > SPK_BATCH_BYTES)
            spk_arena_rewind(task->scratch, mark);
    }
    s->seen += batch.n;
    return !spk_task_failed(task);
}

static bool begin_whole(spk_state *state)
{
    const visiting *v = state->action->arg;
    spk_tape_init(&((visit_state *)state)->tape, state->task->store, v->layout);
    return true;
}

static bool take_whole(void *state, spk_batch batch)
{
    visit_state *s = state;
    return spk_drain(s->head.task, &s->tape, batch.rows, batch.n);
}

static void discard_whole(spk_state *state)
{
    spk_tape_fini(&((visit_state *)state)->tape);
}

static bool end_whole(spk_state *state)
{
    const visiting *v = state->action->arg;
    spk_tape_reader reader = spk_tape_read(&((visit_state *)state)->tape);
    spark_iterator in = spk_iterator_tape(state->task, &reader, NULL);
    v->whole.run(state->task, &in, v->env);
    spk_tape_reader_fini(&reader);
    discard_whole(state);
    return !spk_task_failed(state->task);
}

static spark_status foreach_run(
    spark_rdd *rdd, const visiting *v, const char *function, spark_site at, spk_failure *failure)
{
    const spk_action each = { .name = v->name,
        .function = function,
        .site = at,
        .state_size = sizeof(visit_state),
        .arg = v,
        .take = foreach_take };
    const spk_action whole = { .name = v->name,
        .function = function,
        .site = at,
        .state_size = sizeof(visit_state),
        .arg = v,
        .begin = begin_whole,
        .take = take_whole,
        .end = end_whole,
        .discard = discard_whole };
    visit_state *states = calloc((size_t)spk_rdd_partitions(rdd) + 1, sizeof *states);
    if (!states)
        return spk_failure_nomem(failure, v->name, at);
    const spark_status status
        = spk_job_run(rdd, v->each.run ? &each : &whole, NULL, spk_rdd_partitions(rdd), states,
            failure);
    free(states);
    return status;
}

/* visit: v is complete but for the environment and the layout. */
static spark_status visit(spark_site at, spark_rdd *rdd, visiting *v, const char *function,
    const spark_type *in, const spark_env *env, size_t env_size)
{
    spk_failure failure;
    spk_env bound;
    char text[400];
    spark_status status = spk_env_bind(&bound, env, env_size, &failure);
    if (status != SPARK_OK)
        spk_failure_at(&failure, v->name, at);
    if (status == SPARK_OK)
        status = spk_env_check(&bound, rdd, v->name, at, &failure);
    if (status == SPARK_OK)
        status = spk_action_check(rdd, v->name, at, &failure);
    if (status == SPARK_OK && !v->each.run && !v->whole.run)
        status = spk_failure_set(
            &failure, SPARK_EINVAL, v->name, at, "%s at %s: the function is NULL", v->name, at);
    else if (status == SPARK_OK && in
        && spk_type_differ(in, rdd->layout->type, text, sizeof text) != SPARK_OK)
        status = spk_failure_set(
            &failure, SPARK_ETYPE, v->name, at, "%s(%s) at %s: %s", v->name, function, at, text);
    if (status == SPARK_OK) {
        v->env = bound.value;
        v->layout = rdd->layout;
        status = foreach_run(rdd, v, function, at, &failure);
    }
    spk_env_fini(&bound);
    return spk_action_end(status, &failure, v->name, at);
}

spark_status spark_foreach(
    spark_site at, spark_rdd *rdd, const spark_foreach_def *f, const spark_env *env)
{
    visiting v = { .name = "foreach" };
    if (f)
        v.each = *f;
    return visit(at, rdd, &v, v.each.name, v.each.in, env, v.each.env_size);
}

spark_status spark_foreach_partition(
    spark_site at, spark_rdd *rdd, const spark_foreach_partition_def *f, const spark_env *env)
{
    visiting v = { .name = "foreachPartition" };
    if (f)
        v.whole = *f;
    return visit(at, rdd, &v, v.whole.name, v.whole.in, env, v.whole.env_size);
}
