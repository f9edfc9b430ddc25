/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of a step. A step that keeps every second element, wherever batches end:
 *
 *   typedef struct second {
 *       bool odd;
 *   } second;
 *
 *   static bool second_open(spk_pipe *pipe, spk_op *op)
 *   {
 *       second *s = spk_arena_alloc(spk_keep_of(pipe->task), sizeof *s, 16);
 *       if (!s) {
 *           spk_task_nomem(pipe->task);          // a failure is noted, and comes back as false
 *           return false;
 *       }
 *       *s = (second) { .odd = false };
 *       op->state = s;                           // of this partition, this attempt
 *       return true;
 *   }
 *
 *   static void second_run(spk_pipe *pipe, spk_op *op, spk_batch *batch)
 *   {
 *       second *s = op->state;
 *       const size_t size = op->rdd->layout->size;
 *       char *out = spk_pipe_alloc(pipe, batch->n * size + 1);
 *       size_t kept = 0;
 *       for (size_t i = 0; out && i < batch->n; i++, s->odd = !s->odd)
 *           if (s->odd)
 *               memcpy(out + kept++ * size, batch->rows + i * size, size);
 *       *batch = (spk_batch) { out, kept };      // 0 rows: nothing goes on
 *   }
 *
 *   static const spk_class second_class
 *       = { .name = "MapPartitionsRDD", .open = second_open, .run = second_run };
 *
 * Batches. Any number of rows from 1 on: at most batch_rows from a source, more behind a step that makes
 * more (spk_task_batch bounds no array of yours); cut, before run is called, so that one row of the step's
 * type for each is SPK_BATCH_BYTES at most, or to one. What rows point to need not be bounded by you: where a batch is copied
 * between steps it goes on in pieces that point to little, also where its rows share much (lists that
 * overlap). Where they end depends on a clock: no result may. Rows are read-only, but for
 * those you have made. They and what they point to are valid until run returns, and what you
 * return may point to them: they stay until it has been consumed. Between two steps a batch may
 * be copied, deep, so an address means nothing.
 *
 * Memory. spk_pipe_alloc: until what was made of this batch has been consumed. spk_step_arenas: yours, for
 * emitters, emptied at each open. spk_keep_of: as long as the chain, which ends before the attempt
 * where it stands inside another (coalesce, zip): state, never rows of every batch. What is kept
 * from one batch to the next is copied into memory of yours: spk_rows_append (storage/run.h), or
 * spk_value_pack (type/layout.h; to spk_value_bytes bytes, aligned to 16) into an arena of yours
 * (spk_arena_init with task->heap, spark_defer to spk_arena_fini: it calls at the end of the chain, before what
 * spk_keep_of gave is gone, and at once where it finds no memory), emptied by spk_recycle, which poisons it in
 * check mode: at the beginning of run, when nothing points to it that was given out before. What holds much
 * is charged: it comes from task->heap, and may be refused.
 *
 * Three ways to give rows out:
 *   *batch          returned: where rows are few, about one for each that came in;
 *   spk_out_open    (exec/emit.h) where a function of the user emits, or rows may be many: the buffer is
 *                   pushed on when it is full; _close gives the rest as *batch. It goes to the next step,
 *                   (size_t)(op - pipe->ops) + 1; a row of your own is written as in rdd/narrow/sample.c:
 *                   spk_emitter_room where head.next == head.end, then to head.next, which moves on;
 *   spk_push        sources only: a batch of their own (spk_push_rows: many rows side by side), of
 *                   spk_pipe_rows rows; false: nobody wants more, return.
 * spk_pipe_push from inside run sends rows ahead of *batch: where they must go before memory is taken
 * back. It nests: ask spk_pipe_may_push, and keep the rows where it says no.
 *
 * Failing. spk_task_fail, spk_task_nomem, spk_locate for the record; then return, whatever *batch holds.
 * After a function of the user ask spk_task_failed. A call of a function that adds to accumulators
 * beside another one of the same node sets task->role, so that their updates stay apart.
 *
 * Hooks of spk_class, their thread and lock:
 *   open run finish produce   the attempt's thread, no lock; finish not after a failure or a stop
 *   choose                    any thread, no lock: a pure function of the node
 *   where                     a worker, after a failure, no lock; it may read files
 *   reads                     a calling thread, no lock; the node is prepared
 *   prepare                   a calling thread, parents first, as spk_rdd_prepare says
 *   release                   whoever drops the last reference, no lock */
#ifndef SPK_EXEC_STEP_H
#define SPK_EXEC_STEP_H

#include "exec/task.h"

/* SPK_LEVELS: pushes nest so deep because of full buffers, beyond those that chains inside each other
 * need; SPK_SHALLOW: levels that any stack has room for. */
enum { SPK_LEVELS = 256, SPK_SHALLOW = 8 };

/* spk_op: a step of a chain that runs. */
struct spk_op {
    spark_rdd *rdd;
    int partition; /* of that RDD */
    void *state;   /* what open made of it, in the frame */
    uint64_t seen; /* elements of batches that are done */
    spk_bad_part *bad; /* of an RDD with a policy for bad records; else NULL */
    spk_taken taken;   /* where that is asked for */
};

/* spk_sink: the end of a pipe. take: false: no more. */
typedef struct spk_sink {
    bool (*take)(void *state, spk_batch batch);
    void *state;
} spk_sink;

/* spk_pipe: the steps a source pushes its batches through, and the sink at their end. */
struct spk_pipe {
    spark_task *task;
    spk_frame *frame;
    spk_op *ops;
    size_t n_ops;
    spk_sink sink;
    bool stopped;
    bool suspect;         /* the rows of task->suspect come from this source; or crashes are reported, and it
                             reads files */
    spk_origin at;        /* the next row of the source; n is 0 */
    bool has_bad;         /* some step has a policy for bad records */
    bool from_block;      /* its source is a cached block */
    uint64_t within;      /* of such a source: how many more rows its rows, which are columns of many, hold than there are of
                             them; counted by the step that reads them */
    spk_taken taken;      /* by its source, where that is asked for */
    spk_taken *taker;     /* by whoever takes its rows: the source or step that runs the chain, or nobody's; likewise */
    uint64_t delivered;   /* rows, to the sink */
    uint32_t run;         /* its number in the attempt, from 1 */
    uint32_t tally;       /* what updates of its steps hang on; see spk_tally */
    size_t first_delta;   /* none before it is of its steps */
};

/* spk_level: the memory of one push; pushes nest when a step sends rows on while it still runs. */
struct spk_level {
    spk_arena arenas[2];
    int current;
};

/* spk_stack_short: whether less than half of the stack is left, which functions of the user need. */
bool spk_stack_short(spark_task *task);

/* spk_pipe_may_push: whether a buffer that is full may be pushed on from inside a function. */
static inline bool spk_pipe_may_push(const spk_pipe *pipe)
{
    spark_task *task = pipe->task;
    return task->push.depth < SPK_SHALLOW
        || (task->push.depth < SPK_LEVELS + 2 * task->push.nesting && !spk_stack_short(task));
}

/* spk_pipe_push: through the steps from `at` on to the sink; false: no more is wanted. */
bool spk_pipe_push(spk_pipe *pipe, size_t at, spk_batch batch);
static inline bool spk_push(spk_pipe *pipe, char *rows, size_t n)
{
    return n == 0 ? !pipe->stopped : spk_pipe_push(pipe, 0, (spk_batch) { rows, n });
}

/* spk_pipe_suspect_rows: up to `most`, but one where the attempt before has failed, or crashes are reported:
 * so that the row is known when it fails. Borders of batches change no result. */
size_t spk_pipe_suspect_rows(const spk_pipe *pipe, size_t most);

/* spk_pipe_rows: how many rows of this size make a batch. */
static inline size_t spk_pipe_rows(const spk_pipe *pipe, size_t row_size)
{
    const size_t most = row_size ? SPK_BATCH_BYTES / row_size : SPK_BATCH_BYTES;
    const size_t asked = pipe->task->push.batch_rows;
    const size_t rows = pipe->suspect ? spk_pipe_suspect_rows(pipe, asked) : asked;
    return rows < most ? rows : most ? most : 1;
}

/* spk_pieces: how many elements a function gets in one call. What it allocates is known when it
 * returns: one that allocates gets SPK_FEW at most, and one by one once that was much; others twice as
 * many with every call, up to `most`; so that a batch is not worth more memory than a few elements,
 * whatever they are. */
enum { SPK_FEW = 4 };
typedef struct spk_pieces {
    size_t next;  /* 0: 1 */
    size_t bytes; /* most that was allocated for each element of a call */
    bool single;  /* it gets one, always */
} spk_pieces;
static inline size_t spk_piece(const spk_pieces *pieces, size_t left)
{
    const bool one = pieces->single || !pieces->next || pieces->bytes > SPK_BATCH_BYTES / SPK_FEW;
    const size_t n = one ? 1 : pieces->next;
    return n < left ? n : left;
}
static inline void spk_piece_done(spk_pieces *pieces, size_t n, size_t allocated, size_t most)
{
    if (allocated > pieces->bytes * n)
        pieces->bytes = (allocated + n - 1) / n;
    if (pieces->next <= n)
        pieces->next = n * 2 < most ? n * 2 : most;
    if (pieces->bytes && pieces->next > SPK_FEW)
        pieces->next = SPK_FEW;
}

/* spk_pipe_alloc: memory of the push that runs. NULL: the task has failed. */
void *spk_pipe_alloc(spk_pipe *pipe, size_t size);

/* spk_step_arenas: two arenas for spk_out_open that last as long as the chain (its frame), as all
 * that spk_keep_of gives. NULL: the task has failed. */
spk_arena *spk_step_arenas(spark_task *task);

/* spk_recycle: empties an arena whose rows have passed on; in check mode its memory is poisoned, and not
 * used again for a while. */
void spk_recycle(spark_task *task, spk_arena *arena);

/* spk_check_views: in check mode: whether every view of the rows may be read; fails the task. */
SPK_COLD bool spk_check_views(
    spk_pipe *pipe, const spk_op *op, const spk_layout *layout, spk_batch batch, const char *verb);

#endif
