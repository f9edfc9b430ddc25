/* SPDX-License-Identifier: Apache-2.0 */
#include "exec/drained.h"

#include "exec/chain.h"

bool spk_drain(spark_task *task, spk_tape *tape, const char *rows, size_t n)
{
    spk_failure failure;
    const uint64_t before = tape->front.bytes;
    const spark_status status = spk_tape_append(tape, rows, n, &failure);
    task->counts.spilled_bytes += (int64_t)(tape->front.bytes - before);
    if (status != SPARK_OK)
        spk_task_fail_with(task, &failure);
    return status == SPARK_OK;
}

/* ---- steps */

static void free_state(void *data)
{
    spk_drained *state = data;
    spk_tape_reader_fini(&state->reader);
    spk_tape_fini(&state->tape);
}

bool spk_drained_open(spk_pipe *pipe, spk_op *op)
{
    spark_task *task = pipe->task;
    spk_drained *state = spk_arena_alloc(spk_keep_of(task), sizeof *state, 16);
    if (!state) {
        spk_task_nomem(task);
        return false;
    }
    *state = (spk_drained) { .arenas = NULL };
    spk_tape_init(&state->tape, task->store, op->rdd->deps[0].rdd->layout);
    op->state = state;
    spark_defer(task, free_state, state);
    return !spk_task_failed(task) && (state->arenas = spk_step_arenas(task)) != NULL;
}

void spk_drained_run(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    spk_drained *state = op->state;
    spk_drain(pipe->task, &state->tape, batch->rows, batch->n);
    batch->n = 0;
}

/* ---- sources */

typedef struct draining {
    spark_task *task;
    spk_tape *tape;
} draining;

static bool take(void *state, spk_batch batch)
{
    draining *d = state;
    return spk_drain(d->task, d->tape, batch.rows, batch.n);
}

bool spk_chain_drain(spark_task *task, spark_rdd *rdd, int partition, spk_tape *tape)
{
    draining d = { task, tape };
    spk_tape_init(tape, task->store, rdd->layout);
    if (spk_chain_run(task, rdd, partition, (spk_sink) { take, &d }))
        return true;
    spk_tape_fini(tape);
    return false;
}

/* ---- reading */

static bool next_rows(spark_iterator *in)
{
    spk_failure failure;
    spk_tape_reader *reader;
    size_t n;
    memcpy(&reader, &in->source, sizeof reader);
    if (in->out && reader->before && reader->tape->rows.layout->views && !spk_emitter_pass(in->out))
        reader->hold = true; /* what still waits points there */
    if (spk_tape_next(reader, &in->at, &n, &failure) != SPARK_OK) {
        spk_task_fail_with(in->task, &failure);
        n = 0;
    }
    in->end = n > 0 ? in->at + n * in->size : in->at; /* of an empty partition NULL */
    return n > 0;
}

spark_iterator spk_iterator_tape(
    spark_task *task, spk_tape_reader *reader, spark_emitter *out)
{
    return (spark_iterator) { .size = reader->tape->rows.layout->size,
        .refill = next_rows,
        .source = reader,
        .out = out,
        .task = task };
}
