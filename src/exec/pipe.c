/* SPDX-License-Identifier: Apache-2.0 */
/* The loop that runs a task: a batch goes through the steps one after the other, without
 * recursion, so that a chain may have any length. Only a step whose output fills up while its
 * function still runs pushes the full buffer on from inside: that nests, at most SPK_LEVELS deep,
 * beyond which output is kept until the function returns.
 *
 * Memory of a push comes from its level: two arenas used in turn. When one has grown past a bound
 * between two steps, the batch is copied, deep, into the other, and the first is reset: so a
 * hundred thousand steps need no more memory than a few.
 *
 * A batch is bounded by bytes as well as by rows, whatever the clock says: where a step would make
 * wider rows of it than SPK_BATCH_BYTES, or a copy would take too much, it goes on in pieces, each
 * pushed from inside. A piece is never cut smaller again by the steps below that make rows as wide, so
 * this nests a few times at most. */
#include "exec/emit.h"

#include <assert.h>
#include <stdlib.h>

#include "base/deadline.h"
#include "exec/pipe.h"
#include "exec/pace.h"
#include "plan/listening.h"

enum { LEVEL_BYTES = 256 * 1024, FLUSH_BYTES = 64 * 1024 };

static bool push_inside(spk_pipe *pipe, size_t at, spk_batch batch);

void *spk_pipe_alloc(spk_pipe *pipe, size_t size)
{
    spark_task *task = pipe->task;
    spk_level *level = task->push.levels[task->push.depth - 1];
    void *p = spk_arena_alloc(&level->arenas[level->current], size, 64);
    if (!p)
        spk_task_nomem(task);
    return p;
}

/* push_apart: a batch that points to much goes on from step `at` in pieces that point to little. */
static void push_apart(spk_pipe *pipe, size_t at, const spk_layout *layout, spk_batch batch)
{
    while (batch.n > 0) {
        size_t n = 0, bytes = 0;
        do
            bytes += layout->size + spk_value_bytes(layout, batch.rows + n * layout->size);
        while (++n < batch.n && bytes < SPK_BATCH_BYTES);
        if (!push_inside(pipe, at, (spk_batch) { batch.rows, n }))
            return;
        batch.rows += n * layout->size;
        batch.n -= n;
    }
}

/* push_pieces: a batch of which step `at` would make too much goes on from there in equal pieces of
 * at most so many rows. */
static void push_pieces(spk_pipe *pipe, size_t at, size_t most, spk_batch batch)
{
    const size_t size = pipe->ops[at].rdd->deps[0].rdd->layout->size;
    size_t pieces = (batch.n + most - 1) / most;
    for (; pieces > 0; pieces--) {
        const size_t n = (batch.n + pieces - 1) / pieces;
        if (!push_inside(pipe, at, (spk_batch) { batch.rows, n }))
            return;
        batch.rows += n * size;
        batch.n -= n;
    }
}

/* compact: the batch, deep, into the level's other arena. Many rows may show the same memory: what
 * a copy would take too much for is pushed on apart, and *batch is empty. */
static bool compact(spk_pipe *pipe, size_t at, spk_batch *batch)
{
    spark_task *task = pipe->task;
    spk_level *level = task->push.levels[task->push.depth - 1];
    const spk_layout *layout = pipe->ops[at - 1].rdd->layout;
    const size_t size = layout->size;
    size_t strings = 0;
    for (size_t i = 0; layout->views && i < batch->n; i++)
        strings += spk_value_bytes(layout, batch->rows + i * size);
    if (strings > LEVEL_BYTES && batch->n > 1 && spk_pipe_may_push(pipe)) {
        push_apart(pipe, at, layout, *batch);
        batch->n = 0;
        return true;
    }
    spk_arena *to = &level->arenas[!level->current];
    char *rows = spk_arena_alloc(to, batch->n * size + 1, 64);
    char *tail = rows ? spk_arena_alloc(to, strings + 1, 16) : NULL;
    if (!tail) {
        spk_task_nomem(task);
        return false;
    }
    memcpy(rows, batch->rows, batch->n * size);
    for (size_t i = 0; layout->views && i < batch->n; i++)
        tail = spk_value_pack(layout, rows + i * size, tail);
    spk_arena_reset(&level->arenas[level->current]);
    level->current = !level->current;
    batch->rows = rows;
    return true;
}

/* add_level: false: no memory. */
static bool add_level(spark_task *task)
{
    if (task->push.n_levels == task->push.max_levels) {
        const int most = task->push.max_levels ? task->push.max_levels * 2 : 16;
        spk_level **levels = realloc(task->push.levels, (size_t)most * sizeof(spk_level *));
        if (!levels)
            return false;
        task->push.levels = levels;
        task->push.max_levels = most;
    }
    spk_level *level = calloc(1, sizeof *level);
    if (!level)
        return false;
    spk_arena_init(&level->arenas[0], task->heap);
    spk_arena_init(&level->arenas[1], task->heap);
    task->push.levels[task->push.n_levels++] = level;
    return true;
}

static bool enter(spark_task *task)
{
    if (task->push.depth == task->push.n_levels && !add_level(task)) {
        spk_task_nomem(task);
        return false;
    }
    task->push.levels[task->push.depth++]->current = 0;
    return true;
}

void spk_recycle(spark_task *task, spk_arena *arena)
{
    if (task->check.on)
        spk_check_retire(task, arena);
    else
        spk_arena_reset(arena);
}

static void leave(spark_task *task)
{
    assert(task->push.depth > 0);
    spk_level *level = task->push.levels[--task->push.depth];
    spk_recycle(task, &level->arenas[0]);
    spk_recycle(task, &level->arenas[1]);
}

/* deliver: to the sink. */
static void deliver(spk_pipe *pipe, spk_batch batch)
{
    spark_task *task = pipe->task;
    spk_level *level = task->push.levels[task->push.depth - 1];
    task->op = NULL;
    task->at.element = -1;
    task->current_partition = task->partition;
    task->scratch = &level->arenas[level->current];
    if (task->heard.watch)
        spk_stopwatch_turn(task->heard.watch, pipe->taker);
    pipe->delivered += batch.n;
    if (!pipe->sink.take(pipe->sink.state, batch))
        pipe->stopped = true;
    spk_task_late(task);
}

/* leave_off: nobody wants the rest; what ran is noted. */
static void leave_off(spark_task *task)
{
    if (!task->left.known)
        task->left.in = task->op ? task->op->rdd : NULL;
    task->left.known = true;
}

/* advance: the batch through the steps from `at` on. */
static void advance(spk_pipe *pipe, size_t at, spk_batch batch)
{
    spark_task *task = pipe->task;
    for (; at < pipe->n_ops && batch.n > 0 && !spk_task_unwanted(task); at++) {
        spk_op *op = &pipe->ops[at];
        spk_level *level = task->push.levels[task->push.depth - 1];
        if (level->arenas[level->current].bytes > LEVEL_BYTES && at > 0
            && (!compact(pipe, at, &batch) || batch.n == 0))
            return;
        const size_t n = batch.n, size = op->rdd->layout->size;
        if (n * size > SPK_BATCH_BYTES && n > 1 && spk_pipe_may_push(pipe)) {
            push_pieces(pipe, at, size < SPK_BATCH_BYTES ? SPK_BATCH_BYTES / size : 1, batch);
            return;
        }
        task->op = op;
        task->current_partition = op->partition;
        task->scratch = &level->arenas[level->current];
        if (task->heard.watch)
            spk_stopwatch_turn(task->heard.watch, &op->taken);
        op->rdd->class->run(pipe, op, &batch);
        op->seen += n;
        spk_task_late(task);
        if (task->check.on && !spk_task_failed(task)
            && !spk_check_views(pipe, op, op->rdd->layout, batch, "returned"))
            return;
    }
    if (spk_task_unwanted(task))
        leave_off(task);
    else if (batch.n > 0 && !pipe->stopped)
        deliver(pipe, batch);
}

void spk_task_pace(spark_task *task, int64_t ms)
{
    enum { FAST_MS = 8, SLOW_MS = 64 };
    const size_t most = spk_task_batch(task);
    if (ms > SLOW_MS)
        task->push.batch_rows = task->push.batch_rows > 4 ? task->push.batch_rows / 4 : 1;
    else if (ms <= FAST_MS && task->push.batch_rows < most)
        task->push.batch_rows = task->push.batch_rows * 4 < most ? task->push.batch_rows * 4 : most;
}

size_t spk_pipe_suspect_rows(const spk_pipe *pipe, size_t most)
{
    const spk_origin *s = &pipe->task->fate.suspect;
    const uint64_t row = pipe->at.row;
    if (pipe->task->at.single)
        return 1;
    if (row < s->row)
        return s->row - row < most ? (size_t)(s->row - row) : most;
    return row < s->row + s->n ? 1 : most;
}

/* same_rows: whether what the op takes is what the source has pushed, row by row. */
static bool same_rows(const spk_pipe *pipe, const spk_op *op)
{
    for (size_t i = 0; i < pipe->n_ops; i++) {
        if (&pipe->ops[i] == op)
            return true;
        if (!pipe->ops[i].rdd->class->one_to_one || pipe->ops[i].bad)
            return false;
    }
    return false;
}

/* note_origin: which rows of the source were on their way when a function failed. */
static void note_origin(const spk_pipe *pipe, size_t n)
{
    spark_task *task = pipe->task;
    if (task->fate.origin.rdd || task->failure.code != SPARK_ETASK || !pipe->at.rdd
        || !pipe->at.rdd->class->where)
        return;
    task->fate.origin = pipe->at;
    task->fate.origin.n = n;
    if (task->failure.record >= 0 && same_rows(pipe, task->fate.op)) {
        task->fate.origin.row = (uint64_t)task->failure.record;
        task->fate.origin.n = 1;
    }
}

/* push_inside: on from step `at`, in a level of its own. */
static bool push_here(spk_pipe *pipe, size_t at, spk_batch batch)
{
    spark_task *task = pipe->task;
    const spk_op *op = task->op, *at_op = task->at.op;
    const int64_t element = task->at.element;
    const int partition = task->current_partition;
    spk_arena *scratch = task->scratch;
    spk_frame *frame = task->frame;
    const spk_pipe *outer = task->push.pipe;
    spk_taken *taken = task->heard.watch ? task->heard.watch->owner : NULL;
    task->frame = pipe->frame;
    task->push.pipe = pipe;
    if (enter(task)) {
        advance(pipe, at, batch);
        leave(task);
    }
    if (task->heard.watch)
        spk_stopwatch_turn(task->heard.watch, taken);
    task->frame = frame;
    task->push.pipe = outer;
    task->op = op;
    task->at.op = at_op;
    task->at.element = element;
    task->current_partition = partition;
    task->scratch = scratch;
    if (spk_task_unwanted(task))
        pipe->stopped = true;
    return !pipe->stopped;
}

typedef struct pushing {
    spk_pipe *pipe;
    size_t at;
    spk_batch batch;
} pushing;

static void push_there(void *data)
{
    const pushing *p = data;
    push_here(p->pipe, p->at, p->batch);
}

/* push_inside: through the pipes of chains that are deep inside each other a batch goes out by as many
 * calls, on the stack of another thread where half of this one's is gone. */
static bool push_inside(spk_pipe *pipe, size_t at, spk_batch batch)
{
    pushing p = { pipe, at, batch };
    spark_task *task = pipe->task;
    if (task->push.nesting < SPK_SHALLOW || !spk_stack_short(task))
        return push_here(pipe, at, batch);
    if (!spk_task_on_new_stack(task, push_there, &p) || spk_task_unwanted(task))
        pipe->stopped = true;
    return !pipe->stopped;
}

bool spk_pipe_push(spk_pipe *pipe, size_t at, spk_batch batch)
{
    spark_task *task = pipe->task;
    assert(batch.n > 0 && at <= pipe->n_ops);
    if (pipe->stopped)
        return false;
    if (at > 0)
        return push_inside(pipe, at, batch);
    const int64_t start = spk_clock_ms();
    if (task->heard.watch)
        spk_stopwatch_push(task->heard.watch);
    const bool more = push_inside(pipe, 0, batch);
    if (task->heard.watch)
        spk_stopwatch_pushed(task->heard.watch);
    spk_task_pace(task, spk_clock_ms() - start);
    if (spk_task_failed(task))
        note_origin(pipe, batch.n);
    pipe->at.row += batch.n;
    return more;
}

bool spk_pipe_open(spk_pipe *pipe)
{
    spark_task *task = pipe->task;
    const spk_pipe *outer = task->push.pipe;
    const spk_op *outer_op = task->op;
    bool good = true;
    pipe->run = ++task->push.runs;
    pipe->first_delta = task->sums.n_deltas;
    task->push.pipe = pipe;
    for (size_t i = 0; good && i < pipe->n_ops; i++) {
        spk_op *op = &pipe->ops[i];
        const spk_class *class = op->rdd->class;
        good = (!op->rdd->bad || op->rdd->bad->open(task, op))
            && (!class->open || class->open(pipe, op));
        pipe->has_bad = pipe->has_bad || op->bad;
    }
    task->push.pipe = outer;
    task->op = outer_op;
    return good;
}

void spk_pipe_finish(spk_pipe *pipe)
{
    spark_task *task = pipe->task;
    const spk_pipe *outer = task->push.pipe;
    const spk_op *outer_op = task->op;
    task->push.pipe = pipe;
    for (size_t i = 0; i < pipe->n_ops && !pipe->stopped && !spk_task_unwanted(task); i++) {
        spk_op *op = &pipe->ops[i];
        if (!op->rdd->class->finish || !enter(task))
            continue;
        spk_arena *scratch = task->scratch;
        spk_batch batch = { NULL, 0 };
        task->op = op;
        task->current_partition = op->partition;
        task->scratch = &task->push.levels[task->push.depth - 1]->arenas[0];
        spk_taken *taken = task->heard.watch ? spk_stopwatch_end(task->heard.watch, &op->taken) : NULL;
        op->rdd->class->finish(pipe, op, &batch);
        spk_task_late(task);
        if (!task->check.on || spk_task_failed(task)
            || spk_check_views(pipe, op, op->rdd->layout, batch, "emitted"))
            advance(pipe, i + 1, batch);
        if (task->heard.watch)
            spk_stopwatch_ended(task->heard.watch, taken);
        task->scratch = scratch;
        leave(task);
    }
    task->push.pipe = outer;
    task->op = outer_op;
    if (!pipe->stopped)
        spk_task_whole(task, pipe);
    if (task->heard.id >= 0)
        spk_heard_by(task->sc)->piped(pipe);
    for (size_t i = 0; pipe->has_bad && i < pipe->n_ops; i++)
        if (pipe->ops[i].bad && !pipe->stopped && !spk_task_unwanted(task))
            pipe->ops[i].rdd->bad->end(task, &pipe->ops[i]);
    if (pipe->has_bad && spk_task_failed(task))
        note_origin(pipe, 0);
}

/* ---- emitters */

bool spk_out_open(spk_out *out, spk_pipe *pipe, size_t next, size_t row_size, spk_arena *arenas)
{
    spark_task *task = pipe->task;
    *out = (spk_out) { .outer = task->push.outs, .pipe = pipe, .next_op = next, .row_size = row_size };
    out->arenas[0] = &arenas[0];
    out->arenas[1] = &arenas[1];
    spk_recycle(task, &arenas[0]);
    spk_recycle(task, &arenas[1]);
    out->outer_scratch = task->scratch;
    out->capacity = spk_pipe_rows(pipe, row_size);
    out->buffer = spk_pipe_alloc(pipe, out->capacity * row_size + 1);
    if (!out->buffer)
        return false;
    out->head.next = out->buffer;
    out->head.end = out->buffer + out->capacity * row_size;
    out->head.closed = pipe->stopped || spk_task_unwanted(task);
    if (out->head.closed)
        out->head.end = out->head.next;
    task->push.outs = out;
    task->scratch = out->arenas[0];
    return true;
}

void spk_out_close(spk_out *out, spk_batch *batch)
{
    spark_task *task = out->pipe->task;
    assert(task->push.outs == out); /* they close in the reverse order */
    task->push.outs = out->outer;
    task->scratch = out->outer_scratch;
    batch->rows = out->buffer;
    batch->n = spk_task_failed(task) || out->pipe->stopped
        ? 0
        : (size_t)(out->head.next - out->buffer) / out->row_size;
}

bool spk_source_open(spk_out *out, spk_pipe *pipe, size_t row_size, spk_arena *arenas)
{
    if (!enter(pipe->task))
        return false;
    if (spk_out_open(out, pipe, 0, row_size, arenas))
        return true;
    leave(pipe->task);
    return false;
}

bool spk_source_close(spk_out *out)
{
    spk_pipe *pipe = out->pipe;
    spk_batch batch = { NULL, 0 };
    spk_out_close(out, &batch);
    const spk_op *op = pipe->task->op;
    if (pipe->task->check.on && op && !spk_task_failed(pipe->task))
        spk_check_views(pipe, op, op->rdd->layout, batch, "emitted");
    const bool more = spk_push(pipe, batch.rows, batch.n) && !spk_task_unwanted(pipe->task);
    leave(pipe->task);
    return more;
}

/* arenas_fini: deferred; frees what the function allocated. */
static void arenas_fini(void *data)
{
    spk_arena *arenas = data;
    spk_arena_fini(&arenas[0]);
    spk_arena_fini(&arenas[1]);
}

spk_arena *spk_step_arenas(spark_task *task)
{
    spk_arena *arenas = spk_arena_alloc(spk_keep_of(task), 2 * sizeof *arenas, 16);
    if (!arenas) {
        spk_task_nomem(task);
        return NULL;
    }
    spk_arena_init(&arenas[0], task->heap);
    spk_arena_init(&arenas[1], task->heap);
    spark_defer(task, arenas_fini, arenas);
    return spk_task_failed(task) ? NULL : arenas;
}

static void close_out(spk_out *out)
{
    out->head.closed = true;
    out->head.end = out->head.next;
}

void spk_task_close_outs(spark_task *task)
{
    for (spk_out *out = task->push.outs; out; out = out->outer)
        close_out(out);
}

/* retire: memory of elements before the current one is free once what they emitted has passed on:
 * the younger arena becomes the older one, which is emptied a flush later. */
static void retire(spk_out *out)
{
    spark_task *task = out->pipe->task;
    const uint64_t row = out->head.rows;
    if (out->arenas[1]->bytes > 0 && out->old_row < row)
        spk_recycle(task, out->arenas[1]);
    if (out->arenas[0]->bytes > FLUSH_BYTES && out->arenas[1]->bytes == 0) {
        spk_arena *young = out->arenas[0];
        out->arenas[0] = out->arenas[1];
        out->arenas[1] = young;
        out->old_row = row;
        task->scratch = out->arenas[0];
    }
}

/* enlarge: the buffer, which is empty, for the batches of now. */
static bool enlarge(spk_out *out)
{
    const size_t rows = spk_pipe_rows(out->pipe, out->row_size);
    char *larger = spk_pipe_alloc(out->pipe, rows * out->row_size + 1);
    if (!larger)
        return false;
    out->capacity = rows;
    out->buffer = out->head.next = larger;
    out->head.end = larger + rows * out->row_size;
    return true;
}

static bool flush(spk_out *out)
{
    spk_pipe *pipe = out->pipe;
    const spk_batch batch = { out->buffer, (size_t)(out->head.next - out->buffer) / out->row_size };
    out->head.next = out->buffer;
    out->head.end = out->buffer + out->capacity * out->row_size;
    if (pipe->task->check.on && pipe->task->op
        && !spk_check_views(pipe, pipe->task->op, pipe->task->op->rdd->layout, batch, "emitted"))
        return false;
    if (!spk_pipe_push(pipe, out->next_op, batch))
        return false;
    retire(out);
    return spk_pipe_rows(pipe, out->row_size) <= out->capacity || enlarge(out);
}

/* widen: no level is left to push on in: a buffer twice as large. */
static bool widen(spk_out *out)
{
    const size_t used = (size_t)(out->head.next - out->buffer);
    char *wider = spk_pipe_alloc(out->pipe, out->capacity * 2 * out->row_size + 1);
    if (!wider)
        return false;
    memcpy(wider, out->buffer, used);
    out->capacity *= 2;
    out->buffer = wider;
    out->head.next = wider + used;
    out->head.end = wider + out->capacity * out->row_size;
    return true;
}

static bool make_room(spk_out *out)
{
    if (out->drain)
        return out->drain(out);
    const size_t used = (size_t)(out->head.next - out->buffer);
    out->head.end = out->buffer + out->capacity * out->row_size;
    if (out->whole || !spk_pipe_may_push(out->pipe))
        return used < out->capacity * out->row_size || widen(out);
    return used == 0 || flush(out);
}

bool spk_element_begin(spk_out *out, const spk_op *op)
{
    out->whole = false;
    if (op->bad && out->head.next == out->head.end && !spk_emitter_room(&out->head))
        return false;
    out->whole = op->bad != NULL;
    out->element = (size_t)(out->head.next - out->buffer);
    return !out->head.closed;
}

bool spk_emitter_room(spark_emitter *emitter)
{
    spk_out *out = (spk_out *)(void *)emitter;
    if (!out->head.closed && (spk_task_over(out->pipe->task) || !make_room(out)))
        close_out(out);
    return !out->head.closed;
}

bool spk_emitter_pass(spark_emitter *emitter)
{
    spk_out *out = (spk_out *)(void *)emitter;
    if (out->head.closed || out->head.next == out->buffer)
        return true;
    if (out->drain || !spk_pipe_may_push(out->pipe))
        return false;
    if (!flush(out))
        close_out(out);
    return true;
}

bool spark_emit_room_(spark_emitter *emitter)
{
    return spk_emitter_room(emitter);
}

void spk_out_nudge(spark_task *task)
{
    spk_out *out = task->push.outs;
    if (!out || task->scratch != out->arenas[0] || out->arenas[0]->bytes <= FLUSH_BYTES)
        return;
    out->head.end = out->head.next;
    if (out->front)
        out->front->head.end = out->front->head.next;
}
