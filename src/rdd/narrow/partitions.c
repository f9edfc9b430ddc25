/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of whole partitions: on an iterator, for which the partition is drained first, or as a
 * step and a finish with state, which streams. */
#include <spark/transform.h>

#include "exec/drained.h"
#include "rdd/verb.h"

/* keeps_keys: whether the result is to have the partitioner, which pairs with keys of another type
 * cannot have been placed by. */
static bool keeps_keys(
    spk_verb *v, const spk_layout *out, const spark_map_partitions_options *options)
{
    char text[400];
    if (v->bad || !options || !options->preserves_partitioning || !v->parents[0]->partitioner)
        return false;
    if (v->in->key && out->key
        && spk_type_differ(v->in->key->type, out->key->type, text, sizeof text) != SPARK_OK)
        spk_verb_fail(v, SPARK_ETYPE, "preserves_partitioning, but the keys are others: %s", text);
    return !v->bad;
}

/* ---- map_partitions */

typedef struct partitions_rdd {
    spark_rdd rdd;
    spark_partitions_def def;
} partitions_rdd;

static void call_partitions(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const partitions_rdd *p = SPK_NODE(partitions_rdd, op->rdd);
    spk_drained *state = op->state;
    spk_out out;
    state->reader = spk_tape_read(&state->tape);
    if (!spk_out_open(
            &out, pipe, (size_t)(op - pipe->ops) + 1, op->rdd->layout->size, state->arenas))
        return;
    spark_iterator in = spk_iterator_tape(pipe->task, &state->reader, &out.head);
    p->def.run(pipe->task, &in, &out.head, op->rdd->env.value);
    spk_out_close(&out, batch);
}

spark_rdd *spark_map_partitions_with(spark_site at, spark_rdd *rdd, const spark_partitions_def *f,
    const spark_env *env, const spark_map_partitions_options *options)
{
    static const spk_class class = { .name = "MapPartitionsRDD",
        .open = spk_drained_open,
        .run = spk_drained_run,
        .finish = call_partitions };
    spk_verb v;
    bool made;
    const spk_function function = SPK_FUNCTION(f, f && f->run, f->in, f->out);
    spk_verb_begin(&v, at, "mapPartitions", &function, 1, &rdd, env);
    spk_verb_want(&v, function.in, v.in);
    const spk_layout *out = spk_verb_layout(&v, function.out);
    const bool preserves = keeps_keys(&v, out, options);
    spark_rdd *parent = rdd;
    rdd = spk_verb_make(&v, &class, sizeof(partitions_rdd), out, &made);
    if (made) {
        SPK_NODE(partitions_rdd, rdd)->def = *f;
        if (preserves)
            spk_rdd_partitioner_set(rdd, parent->partitioner);
    }
    return rdd;
}

spark_rdd *spark_map_partitions(
    spark_site at, spark_rdd *rdd, const spark_partitions_def *f, const spark_env *env)
{
    return spark_map_partitions_with(at, rdd, f, env, NULL);
}

/* ---- map_stateful */

typedef struct stateful_rdd {
    spark_rdd rdd;
    spark_stateful_def def;
} stateful_rdd;

typedef struct stateful_state {
    void *users;
    spk_arena *arenas;
} stateful_state;

static bool open_stateful(spk_pipe *pipe, spk_op *op)
{
    const stateful_rdd *s = SPK_NODE(stateful_rdd, op->rdd);
    spark_task *task = pipe->task;
    stateful_state *state = spk_arena_alloc(spk_keep_of(task), sizeof *state, 16);
    if (state)
        state->users = spk_arena_alloc(spk_keep_of(task), s->def.state_size + 1, 64);
    if (!state || !state->users) {
        spk_task_nomem(task);
        return false;
    }
    memset(state->users, 0, s->def.state_size);
    state->arenas = spk_step_arenas(task);
    op->state = state;
    if (state->arenas && s->def.open) {
        spk_arena *scratch = task->scratch;
        task->op = op;
        task->current_partition = op->partition;
        task->scratch = spk_keep_of(task); /* the state is there to the end, and what it points to */
        s->def.open(task, state->users, op->rdd->env.value);
        task->scratch = scratch;
    }
    return !spk_task_failed(task);
}

static bool open_out(spk_out *out, spk_pipe *pipe, const spk_op *op)
{
    const stateful_state *state = op->state;
    return spk_out_open(
        out, pipe, (size_t)(op - pipe->ops) + 1, op->rdd->layout->size, state->arenas);
}

static void run_stateful(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const stateful_rdd *s = SPK_NODE(stateful_rdd, op->rdd);
    stateful_state *state = op->state;
    const spk_batch in = *batch;
    spk_out out;
    batch->n = 0;
    if (!open_out(&out, pipe, op))
        return;
    const size_t piece = pipe->task->at.single || op->bad ? 1 : in.n;
    const size_t step = op->rdd->deps[0].rdd->layout->size;
    for (size_t i = 0; i < in.n && spk_element_begin(&out, op); i += piece) {
        spk_task_at(pipe->task, op, op->seen + i, in.rows + i * step);
        s->def.each(pipe->task, state->users, piece, in.rows + i * step, step, &out.head,
            op->rdd->env.value);
        spk_element_end(&out);
    }
    if (spk_task_failed(pipe->task) && pipe->task->op == op && out.head.rows > 0)
        spk_locate(pipe->task, (int64_t)(op->seen + out.head.rows - 1));
    spk_out_close(&out, batch);
}

static void finish_stateful(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const stateful_rdd *s = SPK_NODE(stateful_rdd, op->rdd);
    stateful_state *state = op->state;
    spk_out out;
    if (!s->def.close || !open_out(&out, pipe, op))
        return;
    s->def.close(pipe->task, state->users, &out.head, op->rdd->env.value);
    spk_out_close(&out, batch);
}

spark_rdd *spark_map_stateful_with(spark_site at, spark_rdd *rdd, const spark_stateful_def *f,
    const spark_env *env, const spark_map_partitions_options *options)
{
    static const spk_class class = { .name = "MapPartitionsRDD",
        .open = open_stateful,
        .run = run_stateful,
        .finish = finish_stateful,
        .by_element = true };
    spk_verb v;
    bool made;
    const spk_function function = SPK_FUNCTION(f, f && f->each, f->in, f->out);
    spk_verb_begin(&v, at, "mapPartitions", &function, 1, &rdd, env);
    spk_verb_want(&v, function.in, v.in);
    const spk_layout *out = spk_verb_layout(&v, function.out);
    const bool preserves = keeps_keys(&v, out, options);
    spark_rdd *parent = rdd;
    rdd = spk_verb_make(&v, &class, sizeof(stateful_rdd), out, &made);
    if (made) {
        SPK_NODE(stateful_rdd, rdd)->def = *f;
        if (preserves)
            spk_rdd_partitioner_set(rdd, parent->partitioner);
    }
    return rdd;
}

spark_rdd *spark_map_stateful(
    spark_site at, spark_rdd *rdd, const spark_stateful_def *f, const spark_env *env)
{
    return spark_map_stateful_with(at, rdd, f, env, NULL);
}
