/* SPDX-License-Identifier: Apache-2.0 */
/* The state of one attempt to compute a partition, which a worker recycles: who it is, how it
 * fails, what it counts. How steps run in it stands in exec/step.h. */
#ifndef SPK_EXEC_TASK_H
#define SPK_EXEC_TASK_H

#include <spark/shared.h>

#include "base/arena.h"
#include "base/faults.h"
#include "exec/stopwatch.h"
#include "plan/shuffle.h"
#include "storage/block.h"
#include "storage/store.h"

/* SPK_POISON: what memory of passed batches is filled with in check mode; SPK_QUARANTINE: how many
 * arenas of such memory are kept from being used again. */
enum { SPK_POISON = 0xdb, SPK_QUARANTINE = 64 };

typedef struct spk_level spk_level;
typedef struct spk_out spk_out;

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

/* spk_counts: what an attempt has read and written, beside what jobs count (below). peak: bytes of
 * windows at a time. */
typedef struct spk_counts {
    int64_t cached_reads, cached_blocks, remade_blocks, shuffle_rows, shuffle_bytes, spilled_bytes;
    int64_t remote_bytes; /* read from other executors */
    int64_t evicted_blocks, cache_bytes_written, cache_bytes_read;
    int64_t input_bytes, input_rows, output_bytes, output_rows;
    int64_t read_bytes, read_rows, read_near, read_far; /* of shuffles: near and far outputs */
    int64_t result_bytes, peak;
} spk_counts;

/* spk_heard: what listeners were told of the attempt that runs; of a worker also how much time its thread
 * had used by then. id -1: nothing. lane: where the events of this spark_task's attempts wait; NULL: none
 * has been told of. notes: what is to be told at its end; counters: of the thread it ran on last; watch: NULL: nobody
 * asks what steps take. */
typedef struct spk_heard {
    int64_t id, from, cpu;
    struct spk_lane *lane;
    int index, round;
    struct spk_notes *notes;
    struct spk_counter_set *counters;
    spk_stopwatch *watch;
} spk_heard;

typedef struct spk_walk {
    spark_rdd *rdd;
    int partition;
    bool fill;   /* persisted, and its block is missing */
    bool stored; /* checkpointed: what follows reads it, and its own step is not taken */
} spk_walk;

/* spk_attempt_phase: of an attempt. RUNNING may become COMMITTING, in which it runs no function of a task and
 * tells how it has ended, or DISOWNED: then it tells nobody, and nothing of it stays; never both. */
typedef enum spk_attempt_phase { SPK_AT_REST, SPK_RUNNING, SPK_COMMITTING, SPK_DISOWNED } spk_attempt_phase;

/* spk_turn: what the scheduler gave the worker. */
typedef struct spk_turn {
    _Atomic uint64_t state; /* the number of the attempt among the task's, and its phase */
    _Atomic(struct spk_task_set *) set; /* whose attempt it is, and of which task */
    atomic_int index;
    _Atomic int64_t n_done, n_failed; /* attempts; only its thread adds to them */
    _Atomic int64_t began;            /* in nanoseconds, where somebody wants to know */
} spk_turn;

/* spk_fate: how an attempt has failed, beside the failure itself. */
typedef struct spk_fate {
    spk_shuffle *lost;          /* the attempt ended because an output of it is missing */
    bool lost_block;            /* because a cached block turned out to be damaged */
    bool hopeless;              /* it would fail again */
    unsigned denied, thinned;   /* when it began: what its heap had refused, how often its executor was thinned */
    const spk_op *op;           /* whose function failed */
    spk_origin origin, suspect; /* of the failure; of the last attempt's: pushed one by one */
} spk_fate;

/* spk_pushing: the batches on their way. */
typedef struct spk_pushing {
    size_t batch_rows;    /* of what is pushed now; spk_task_batch is the most it can be */
    const spk_pipe *pipe; /* whose steps run; NULL: none has begun */
    uint32_t runs;        /* pipes that have begun */
    spk_out *outs;
    int depth;          /* levels in use */
    int nesting;        /* chains within chains */
    spk_level **levels; /* made when they are first needed */
    int n_levels, max_levels;
    const char *stack_low; /* end of the stack of the thread; NULL: not looked up yet */
    size_t stack_size;
    uint32_t *indexes; /* batch_rows of them, for filters */
} spk_pushing;

/* spk_block_turns: cached blocks that the attempt reads and makes. */
typedef struct spk_block_turns {
    bool drop;                          /* a fault: those that it would read are lost */
    _Atomic(struct spk_claim *) claims; /* the scheduler's: that nobody else computes meanwhile */
    void (*has_put)(spark_task *task, spk_block_set *blocks, int partition); /* likewise; or NULL */
    struct spk_dropped *dropped;        /* by the fault */
    const spark_rdd *anew;              /* whose blocks are neither read nor made; NULL: none */
} spk_block_turns;

/* spk_sums: what the attempt adds to accumulators. */
typedef struct spk_sums {
    spk_role role;
    spk_delta *deltas;
    uint32_t *heads; /* buckets, max_deltas of them: number + 1 */
    size_t n_deltas, max_deltas, last;
    size_t n_once; /* of accumulators that count partitions once */
    spk_tally *tallies;
    size_t n_tallies, max_tallies;
} spk_sums;

/* spk_at: the one element that a function has, where elements come one by one. */
typedef struct spk_at {
    bool single;      /* they do, and crashes are reported */
    bool is_bad;      /* the function has said so */
    const spk_op *op; /* of the call that runs: whose function, and */
    int64_t element;  /* which of its partition; -1: not known */
    const char *row;  /* that element */
    const struct spk_file *file; /* where the row on its way begins, of a source that says so; NULL: of none, */
    uint64_t byte;               /* SPK_UNKNOWN_BYTE */
} spk_at;

/* spk_checks: check mode's. */
typedef struct spk_checks {
    bool on;
    const char *callers;   /* the stack above it is alive; NULL: none of it is */
    const char *stack_top; /* of the thread */
    spk_arena quarantine[SPK_QUARANTINE];
    unsigned n;
} spk_checks;

struct spark_task {
    spark_context *sc;
    struct spk_executor *executor; /* NULL: a task of the driver */
    spk_store *store;              /* of the executor it runs on */
    spk_heap *heap;                /* of the store */
    int worker;                    /* of the executor; -1: a thread of the program */
    spk_turn turn;
    int job, stage, partition, attempt;
    const atomic_bool *cancelled; /* of the job; may be NULL */
    spk_failure failure;          /* of the attempt; code SPARK_OK while it goes well */
    spk_fate fate;
    struct {
        int64_t deadline, ms; /* when it is late, on spk_clock_ms (0: never); how long that is */
    } limit;
    struct { /* the action or shuffle that takes the rows */
        const char *operation, *function;
        spark_site site;
    } end;
    const spk_op *op; /* whose function runs; NULL: the end's */
    struct {          /* of a job that was stopped: whose function ran last, if that is known */
        const spark_rdd *in;
        bool known;
    } left;
    int current_partition;
    spk_arena *scratch;     /* where spark_alloc takes from */
    spk_frame base, *frame; /* of the chain whose steps run */
    spk_pushing push;
    spk_place place, *outer; /* for a plan's calls; where the thread was before */
    spk_block_turns blocks;
    spk_sums sums;
    struct { /* up the lineage, to a source or a block */
        spk_walk *nodes;
        size_t n, max;
    } walk;
    spk_counts counts;
    spk_heard heard;
    spk_at at;
    struct {
        char *stack;     /* where a handler runs; NULL: none yet */
        const char *low; /* the end of the thread's stack */
    } crash;
    spk_checks check;
};

/* spk_task_new_in: with everything a worker needs to run attempts, in a store. spk_task_new: in the
 * driver's. NULL: no memory. */
SPK_COLD spark_task *spk_task_new_in(spark_context *sc, spk_store *store);
static inline spark_task *spk_task_new(spark_context *sc)
{
    return spk_task_new_in(sc, sc->store);
}
SPK_COLD void spk_task_free(spark_task *task);
/* spk_task_trim: between attempts: gives back what memory is kept for the next one. */
SPK_COLD void spk_task_trim(spark_task *task);

/* spk_task_begin, _end: around an attempt; end runs what was deferred and forgets all state but the
 * failure and the deltas. */
void spk_task_begin(spark_task *task, int job, int stage, int partition, int attempt);
void spk_task_end(spark_task *task);

/* spk_task_current: the task this thread runs functions for, or NULL. spk_task_move: the attempt goes
 * on on this thread. */
spark_task *spk_task_current(void);
void spk_task_move(spark_task *task);

static inline bool spk_task_failed(const spark_task *task)
{
    return task->failure.code != SPARK_OK;
}

/* spk_task_phase. spk_task_enter: an attempt of the task begins; SPK_RUNNING. spk_task_commit: it commits,
 * unless it has been disowned. spk_task_disown: the attempt that was seen as `state`, if it still runs.
 * spk_task_rest: it is over. */
enum { SPK_PHASES = 4 };
static inline spk_attempt_phase spk_task_phase(const spark_task *task)
{
    return (spk_attempt_phase)(atomic_load(&task->turn.state) % SPK_PHASES);
}
static inline void spk_task_enter(spark_task *task, struct spk_task_set *set, int index)
{
    const uint64_t before = atomic_load_explicit(&task->turn.state, memory_order_relaxed);
    atomic_store_explicit(&task->turn.set, set, memory_order_relaxed);
    atomic_store_explicit(&task->turn.index, index, memory_order_relaxed);
    atomic_store_explicit(&task->turn.state, (before / SPK_PHASES + 1) * SPK_PHASES + SPK_RUNNING,
        memory_order_release);
}

static inline bool spk_task_from_running(spark_task *task, uint64_t state, spk_attempt_phase to)
{
    return state % SPK_PHASES == SPK_RUNNING
        && atomic_compare_exchange_strong(&task->turn.state, &state, state - SPK_RUNNING + to);
}

static inline bool spk_task_commit(spark_task *task)
{
    return spk_task_from_running(task, atomic_load(&task->turn.state), SPK_COMMITTING);
}

static inline bool spk_task_disown(spark_task *task, uint64_t state)
{
    return spk_task_from_running(task, state, SPK_DISOWNED);
}

/* spk_task_peak: so many bytes are in use at a time. */
static inline void spk_task_peak(spark_task *task, uint64_t bytes)
{
    if ((int64_t)bytes > task->counts.peak)
        task->counts.peak = (int64_t)bytes;
}

static inline void spk_task_rest(spark_task *task)
{
    const uint64_t state = atomic_load_explicit(&task->turn.state, memory_order_relaxed);
    atomic_store_explicit(&task->turn.state, state - state % SPK_PHASES, memory_order_release);
}

/* spk_task_unwanted: failed, cancelled or disowned. */
static inline bool spk_task_unwanted(const spark_task *task)
{
    return spk_task_failed(task)
        || (task->cancelled && atomic_load_explicit(task->cancelled, memory_order_relaxed))
        || atomic_load_explicit(&task->turn.state, memory_order_relaxed) % SPK_PHASES == SPK_DISOWNED;
}

/* spk_task_late: fails an attempt that has taken too long, in the name of what runs. spk_task_over:
 * unwanted, or too late by now. */
bool spk_task_late(spark_task *task);
static inline bool spk_task_over(spark_task *task)
{
    return (task->limit.deadline && spk_task_late(task)) || spk_task_unwanted(task);
}

/* spk_task_at: a function of op (NULL: of the end of the chain) is called with one element. */
static inline void spk_task_at(
    spark_task *task, const spk_op *op, uint64_t element, const char *row)
{
    task->at.op = op;
    task->at.element = (int64_t)element;
    task->at.row = row;
    task->at.is_bad = false;
}

/* spk_task_reads: by a source: the rows that it pushes next begin at this byte of a file. Where crashes are
 * reported it pushes one at a time. */
#define SPK_UNKNOWN_BYTE UINT64_MAX
static inline void spk_task_reads(spark_task *task, const struct spk_file *file, uint64_t byte)
{
    task->at.file = file;
    task->at.byte = byte;
}

/* spk_task_end_is: says what takes the rows in the end, for messages. */
static inline void spk_task_end_is(
    spark_task *task, const char *operation, const char *function, spark_site site)
{
    task->end.operation = operation;
    task->end.function = function;
    task->end.site = site;
}

/* spk_task_fail: as spark_fail, with a code. spk_task_nomem. The first failure stays. */
SPK_COLD void spk_task_fail(spark_task *task, spark_status code, const char *format, ...)
    SPARK_FORMAT_(3, 4);
SPK_COLD void spk_task_nomem(spark_task *task);
/* spk_task_alloc: a block of the heap for what is named so in the message. NULL: the task has failed. */
void *spk_task_alloc(spark_task *task, const char *what, size_t bytes, size_t *capacity);
SPK_COLD void spk_task_fail_with(spark_task *task, const spk_failure *failure);
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
SPK_COLD bool spk_task_tally(spark_task *task, spark_rdd *rdd, int partition, uint32_t *tally);
void spk_task_untally(spark_task *task, uint32_t tally);
void spk_task_whole(spark_task *task, const spk_pipe *pipe);

static inline size_t spk_task_batch(const spark_task *task)
{
    return (size_t)task->sc->batch_rows;
}

enum { SPK_BATCH_BYTES = 64 * 1024 };

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

#endif
