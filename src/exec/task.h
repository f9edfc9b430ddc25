/* SPDX-License-Identifier: Apache-2.0 */
/* How one task runs.
 *
 * attempt: one try to compute a partition; its state is the spark_task, which a worker recycles.
 * pipe: the steps a source pushes its batches through, and the sink at their end. level: the
 * memory of one push; pushes nest when a step's output fills up while the step still runs. */
#ifndef SPK_EXEC_TASK_H
#define SPK_EXEC_TASK_H

#include <spark/shared.h>

#include "base/arena.h"
#include "plan/shuffle.h"
#include "storage/block.h"

/* SPK_LEVELS: pushes nest so deep because of full buffers; SPK_CHAINS: chains run so deep inside each
 * other. */
enum { SPK_LEVELS = 256, SPK_CHAINS = 256, SPK_BATCH_BYTES = 64 * 1024 };

/* SPK_POISON: what memory of passed batches is filled with in check mode; SPK_QUARANTINE: how many
 * arenas of such memory are kept from being used again. */
enum { SPK_POISON = 0xdb, SPK_QUARANTINE = 64 };

struct spk_op {
    spark_rdd *rdd;
    int partition; /* of that RDD */
    void *state;   /* what open made of it, in the frame */
    uint64_t seen; /* elements of batches that are done */
};

/* spk_sink: the end of a pipe. take: false: no more. */
typedef struct spk_sink {
    bool (*take)(void *state, spk_batch batch);
    void *state;
} spk_sink;

typedef struct spk_defer {
    struct spk_defer *next;
    void (*cleanup)(void *data);
    void *data;
} spk_defer;

/* spk_frame: what lasts as long as one chain: the state of its steps, what their functions keep, and
 * what is to be done at its end. The outermost one lasts as long as the attempt. */
typedef struct spk_frame {
    spk_arena keep;
    spk_defer *defers;
} spk_frame;

/* spk_origin: rows of a source that were on their way when a function failed: n from `row` on. */
typedef struct spk_origin {
    const spark_rdd *rdd; /* NULL: not known, or of no interest */
    int partition;
    uint64_t row;
    size_t n;
} spk_origin;

struct spk_pipe {
    spark_task *task;
    spk_frame *frame;
    spk_op *ops;
    size_t n_ops;
    spk_sink sink;
    bool stopped;
    bool suspect;         /* the rows of task->suspect come from this source */
    spk_origin at;        /* the next row of the source; n is 0 */
    uint32_t run;         /* its number in the attempt, from 1 */
    uint32_t tally;       /* what updates of its steps hang on; see spk_tally */
    size_t first_delta;   /* none before it is of its steps */
};

typedef struct spk_level {
    spk_arena arenas[2];
    int current;
} spk_level;

/* spk_out: what stands behind an emitter: an output buffer that is pushed on when it is full. */
typedef struct spk_out {
    spark_emitter head;
    struct spk_out *outer; /* of those of the attempt that are open */
    spk_pipe *pipe;
    size_t next_op;
    char *buffer;
    size_t row_size, capacity;
    spk_arena *arenas[2]; /* what the function allocates; see spk_out_open */
    uint64_t old_row;
    spk_arena *outer_scratch;
    bool (*drain)(struct spk_out *out); /* where rows of a full buffer go; NULL: to the next step */
    struct spk_out *front;              /* one that drains into this one; NULL: there is none */
} spk_out;

/* spk_tally: a persisted partition that the attempt computes: updates of accumulators hang on it,
 * not on the attempt, and count once, whichever attempt is the first. */
typedef struct spk_tally {
    spark_rdd *rdd;
    int partition;
    int8_t counts; /* -1: nobody has asked yet */
} spk_tally;

/* spk_role: which function of a node adds; functions of one role are called in an order that does
 * not depend on the batches. */
typedef enum spk_role { SPK_MAIN, SPK_CREATE, SPK_PARTITIONER } spk_role;

/* spk_delta: what functions of one role of one node have added to one accumulator. */
typedef struct spk_delta {
    const spark_accumulator *accumulator;
    spark_rdd *rdd; /* the node; NULL: the end of the chain */
    uint32_t tally; /* number of the tally + 1; 0: it hangs on the attempt */
    uint32_t run;   /* of accumulators that count partitions once: the pipe; else 0 */
    int partition;  /* likewise: of the node */
    bool whole;     /* likewise: the partition was computed to its end */
    spk_role role;
    uint32_t next; /* of the same bucket, number + 1 */
    int64_t n;     /* additions */
    int64_t i64;
    double f64;
    struct spk_gathered *gathered;
} spk_delta;

typedef struct spk_walk {
    spark_rdd *rdd;
    int partition;
    bool fill;   /* persisted, and its block is missing */
    bool stored; /* checkpointed: what follows reads it, and its own step is not taken */
} spk_walk;

struct spark_task {
    spark_context *sc;
    spk_heap *heap;
    const atomic_bool *cancelled; /* of the job; may be NULL */
    spk_failure failure;          /* of the attempt; code SPARK_OK while it goes well */
    spk_shuffle *lost;            /* the attempt ended because an output of it is missing */
    const spk_op *failed_op;      /* whose function failed */
    spk_origin origin, suspect;   /* of the failure; of the last attempt's: pushed one by one */
    int job, stage, partition, attempt;
    const spk_op *op;                         /* whose function runs; NULL: that of the end: */
    const char *end_operation, *end_function; /* the action or shuffle that takes the rows */
    spark_site end_site;
    int current_partition;
    size_t batch_rows;      /* of what is pushed now; spk_task_batch is the most it can be */
    spk_arena *scratch;     /* where spark_alloc takes from */
    spk_frame base, *frame; /* of the chain whose steps run */
    const spk_pipe *pipe;   /* whose steps run; NULL: none has begun */
    uint32_t runs;          /* pipes that have begun */
    spk_out *outs;
    int depth;                                      /* levels in use */
    int nesting;                                    /* chains within chains */
    spk_level *levels[SPK_LEVELS + 2 * SPK_CHAINS]; /* made when they are first needed */
    bool drop_blocks;            /* a fault: cached blocks that the attempt would read are lost */
    struct spk_dropped *dropped; /* those that were dropped by it */
    spk_delta *deltas;
    uint32_t *delta_heads; /* buckets, max_deltas of them: number + 1 */
    size_t n_deltas, max_deltas, last_delta;
    size_t n_once; /* of accumulators that count partitions once */
    spk_role role;
    spk_tally *tallies;
    size_t n_tallies, max_tallies;
    spk_walk *walk;
    size_t n_walk, max_walk;
    uint32_t *keep_indexes; /* batch_rows of them, for filters */
    int64_t cached_reads, cached_blocks, remade_blocks, shuffle_rows, shuffle_bytes, spilled_bytes;
    bool check;
    const char *stack_top; /* of the thread; in check mode, as is what follows */
    spk_arena quarantine[SPK_QUARANTINE];
    unsigned quarantined;
};

/* spk_task_new: with everything a worker needs to run attempts. NULL: no memory. */
spark_task *spk_task_new(spark_context *sc);
void spk_task_free(spark_task *task);

/* spk_task_begin, _end: around an attempt; end runs what was deferred and forgets all state but the
 * failure and the deltas. */
void spk_task_begin(spark_task *task, int job, int stage, int partition, int attempt);
void spk_task_end(spark_task *task);

/* spk_task_current: the task this thread runs functions for, or NULL. */
spark_task *spk_task_current(void);

static inline bool spk_task_failed(const spark_task *task)
{
    return task->failure.code != SPARK_OK;
}
/* spk_task_unwanted: failed or cancelled. */
static inline bool spk_task_unwanted(const spark_task *task)
{
    return spk_task_failed(task)
        || (task->cancelled && atomic_load_explicit(task->cancelled, memory_order_relaxed));
}

/* spk_task_end_is: says what takes the rows in the end, for messages. */
static inline void spk_task_end_is(
    spark_task *task, const char *operation, const char *function, spark_site site)
{
    task->end_operation = operation;
    task->end_function = function;
    task->end_site = site;
}

/* spk_task_fail: as spark_fail, with a code. spk_task_nomem. The first failure stays. */
void spk_task_fail(spark_task *task, spark_status code, const char *format, ...)
    SPARK_FORMAT_(3, 4);
void spk_task_nomem(spark_task *task);
void spk_task_fail_with(spark_task *task, const spk_failure *failure);
/* spk_locate: the record at which a step failed, when it is known. */
static inline void spk_locate(spark_task *task, int64_t record)
{
    if (task->failure.record < 0)
        task->failure.record = record;
}

/* spk_task_merge_deltas: adds the accumulator updates since `from` to the accumulators and forgets
 * them: integers at once, others as a part of (job, stage, partition, step), to be added in order.
 * own: those that hang on the attempt count; the others go by their tallies. */
void spk_task_merge_deltas(spark_task *task, size_t from, bool own);
void spk_task_drop_deltas(spark_task *task, size_t from);
/* spk_task_tally: a new one, of which *tally is the number + 1. False: the task has failed. _untally:
 * forgets the last ones, of which no delta is left. _whole: the pipe has come to its end. */
bool spk_task_tally(spark_task *task, spark_rdd *rdd, int partition, uint32_t *tally);
void spk_task_untally(spark_task *task, uint32_t tally);
void spk_task_whole(spark_task *task, const spk_pipe *pipe);

static inline size_t spk_task_batch(const spark_task *task)
{
    return (size_t)task->sc->batch_rows;
}

/* spk_task_fit: how many values of this size a buffer beside a batch should hold: no more than a batch
 * has, nor than SPK_BATCH_BYTES of them, and one at least. */
static inline size_t spk_task_fit(const spark_task *task, size_t size)
{
    const size_t rows = spk_task_batch(task), fit = SPK_BATCH_BYTES / size;
    return fit < 1 ? 1 : fit < rows ? fit : rows;
}

static inline spk_arena *spk_keep_of(spark_task *task)
{
    return &task->frame->keep;
}

/* spk_frame_begin, _end: around a chain inside another; end runs what was deferred. */
void spk_frame_begin(spk_frame *frame, spark_task *task);
void spk_frame_end(spk_frame *frame, spark_task *task);

/* spk_pipe_may_push: whether a buffer that is full may be pushed on from inside a function. */
static inline bool spk_pipe_may_push(const spk_pipe *pipe)
{
    return pipe->task->depth < SPK_LEVELS;
}

/* spk_pipe_push: through the steps from `at` on to the sink; false: no more is wanted. */
bool spk_pipe_push(spk_pipe *pipe, size_t at, spk_batch batch);
static inline bool spk_push(spk_pipe *pipe, char *rows, size_t n)
{
    return n == 0 ? !pipe->stopped : spk_pipe_push(pipe, 0, (spk_batch) { rows, n });
}

/* spk_pipe_suspect_rows: up to `most`, but one where the attempt before has failed: so that the row
 * is known when it fails again. Borders of batches change no result. */
size_t spk_pipe_suspect_rows(const spk_pipe *pipe, size_t most);

/* spk_pipe_rows: how many rows of this size make a batch. */
static inline size_t spk_pipe_rows(const spk_pipe *pipe, size_t row_size)
{
    const size_t most = row_size ? SPK_BATCH_BYTES / row_size : SPK_BATCH_BYTES;
    const size_t asked = pipe->task->batch_rows;
    const size_t rows = pipe->suspect ? spk_pipe_suspect_rows(pipe, asked) : asked;
    return rows < most ? rows : most ? most : 1;
}

/* spk_pieces: how many elements a function gets in one call. What it allocates is known when it
 * returns: one that allocates gets them one by one, others twice as many with every call, up to
 * `most`; so that a batch is not worth more memory than a few elements, whatever they are. */
typedef struct spk_pieces {
    size_t next; /* 0: 1 */
    bool allocates;
} spk_pieces;
static inline size_t spk_piece(const spk_pieces *pieces, size_t left)
{
    const size_t n = pieces->allocates || !pieces->next ? 1 : pieces->next;
    return n < left ? n : left;
}
static inline void spk_piece_done(spk_pieces *pieces, size_t n, size_t allocated, size_t most)
{
    pieces->allocates = pieces->allocates || allocated > 0;
    if (pieces->next <= n)
        pieces->next = n * 2 < most ? n * 2 : most;
}

/* spk_pipe_alloc: memory of the push that runs. NULL: the task has failed. */
void *spk_pipe_alloc(spk_pipe *pipe, size_t size);

/* spk_out_open: an emitter for a step (or a source: op NULL, next 0) whose rows go to step `next`;
 * spk_out_close: what is left in it, as the last batch. arenas: two that belong to the step, in
 * which spark_alloc gets its memory while the emitter is open. */
bool spk_out_open(spk_out *out, spk_pipe *pipe, size_t next, size_t row_size, spk_arena *arenas);
void spk_out_close(spk_out *out, spk_batch *batch);

/* spk_source_open, _close: an emitter for rows a source makes by calling a function; close pushes
 * what is left. Both: false: nothing more is wanted. close only after open was true. */
bool spk_source_open(spk_out *out, spk_pipe *pipe, size_t row_size, spk_arena *arenas);
bool spk_source_close(spk_out *out);

/* spk_step_arenas: two arenas for spk_out_open that last as long as the attempt. NULL: it has
 * failed. */
spk_arena *spk_step_arenas(spark_task *task);

/* spk_emitter_room: makes room for one more row behind emitter->next; false: nothing more is
 * wanted. */
bool spk_emitter_room(spark_emitter *emitter);

/* spk_chain_run: computes a partition of rdd, up to a sink; fills blocks on the way. False when the
 * task has failed. */
bool spk_chain_run(spark_task *task, spark_rdd *rdd, int partition, spk_sink sink);

/* spk_chain_block: the partition as the block that is in memory, pinned: what a chain that begins
 * with it would push. NULL: run the chain. False: the task has failed. */
bool spk_chain_block(spark_task *task, spark_rdd *rdd, int partition, spk_block **block);

/* spk_chain_drain: the partition as a rows list. */
bool spk_chain_drain(spark_task *task, spark_rdd *rdd, int partition, spk_rows *rows);

/* spk_check_views: in check mode: whether every view of the rows may be read; fails the task. */
bool spk_check_views(
    spk_pipe *pipe, const spk_op *op, const spk_layout *layout, spk_batch batch, const char *verb);

#endif
