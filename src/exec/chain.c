/* SPDX-License-Identifier: Apache-2.0 */
/* From a node and a partition to a running pipe: the walk goes up the narrow parents, over an
 * explicit list, to a source or to a cached block. Persisted nodes whose block is missing cut the
 * way into phases: each phase runs into a block, the next one starts from it. A block that finds
 * no memory is given up: what it holds is passed on, and the rest follows without caching. */
#include <stdlib.h>

#include "exec/chain.h"
#include "exec/pipe.h"
#include "plan/broadcast.h"
#include "storage/spill.h"

typedef struct phase {
    spark_task *task;
    const spk_walk *walk; /* [0] is the end of the chain, the last one its source */
    spk_block *source;    /* pinned; NULL: walk[from] produces */
    size_t from, to;      /* steps from `from` down to `to`; walk[to] is filled unless to is 0 */
    spk_sink sink;        /* of the whole chain */
    uint32_t tally;       /* likewise; phases that fill have one of their own */
} phase;

static bool note(spark_task *task, spk_walk node)
{
    if (task->n_walk == task->max_walk) {
        const size_t most = task->max_walk ? task->max_walk * 2 : 64;
        spk_walk *walk = realloc(task->walk, most * sizeof *walk);
        if (!walk) {
            spk_task_nomem(task);
            return false;
        }
        task->walk = walk;
        task->max_walk = most;
    }
    task->walk[task->n_walk++] = node;
    return true;
}

/* drop_block: an injected fault, once a block. False: the task has failed. */
typedef struct spk_dropped {
    struct spk_dropped *next;
    const spark_rdd *rdd;
    int partition;
} spk_dropped;

static bool drop_block(spark_task *task, spark_rdd *rdd, int partition)
{
    for (const spk_dropped *d = task->dropped; d; d = d->next)
        if (d->rdd == rdd && d->partition == partition)
            return true;
    spk_dropped *d = spk_arena_alloc(&task->base.keep, sizeof *d, 16);
    if (!d) {
        spk_task_nomem(task);
        return false;
    }
    *d = (spk_dropped) { task->dropped, rdd, partition };
    task->dropped = d;
    spk_blocks_drop(rdd->blocks, partition);
    return true;
}

static bool uses_destroyed(spark_task *task, const spark_rdd *rdd)
{
    if (!rdd->env.broadcast
        || !atomic_load_explicit(&rdd->env.broadcast->destroyed, memory_order_relaxed))
        return false;
    spk_task_fail(task, SPARK_EINVAL, "%s at %s uses a broadcast that was destroyed",
        rdd->operation, rdd->site);
    return true;
}

/* persisted_block: the block of a persisted node, pinned, where there is one; NULL also for others.
 * False: the task has failed. */
static bool persisted_block(spark_task *task, spark_rdd *rdd, int partition, spk_block **block)
{
    *block = NULL;
    if (task->drop_blocks && !drop_block(task, rdd, partition))
        return false;
    *block = spk_blocks_get(rdd->blocks, partition);
    if (*block && (*block)->store != task->store)
        task->remote_bytes += (int64_t)(*block)->rows.bytes;
    return true;
}

/* walk_up: notes the nodes from rdd to the source; *block is the cached block the last one stands
 * for. */
static bool walk_up(spark_task *task, spark_rdd *rdd, int partition, spk_block **block)
{
    *block = NULL;
    for (;;) {
        int parent_partition = partition;
        spark_rdd *stored = spk_rdd_stored(rdd);
        const bool persisted = atomic_load_explicit(&rdd->level, memory_order_acquire) != 0;
        if (persisted && !persisted_block(task, rdd, partition, block))
            return false;
        if (!note(task, (spk_walk) { rdd, partition, persisted && !*block, stored != NULL })
            || (!stored && uses_destroyed(task, rdd)))
            return false;
        if (*block) {
            task->cached_reads++;
            return true;
        }
        if (stored)
            rdd = stored;
        else if (rdd->class->choose)
            rdd = rdd->class->choose(rdd, partition, &parent_partition);
        else if (rdd->class->run)
            rdd = rdd->deps[0].rdd;
        else
            return true;
        partition = parent_partition;
    }
}

/* make_pipe: the steps below walk[from], down to walk[to]. */
static bool make_pipe(
    spk_pipe *pipe, const phase *p, uint32_t tally, size_t from, size_t to, spk_sink sink)
{
    spark_task *task = p->task;
    const spk_walk *walk = p->walk;
    *pipe = (spk_pipe) { .task = task, .frame = task->frame, .sink = sink, .tally = tally };
    if (from > to) {
        pipe->ops = spk_arena_alloc(spk_keep_of(task), (from - to) * sizeof *pipe->ops, 16);
        if (!pipe->ops) {
            spk_task_nomem(task);
            return false;
        }
    }
    for (size_t i = from; i-- > to;)
        if (walk[i].rdd->class->run && !walk[i].stored)
            pipe->ops[pipe->n_ops++] = (spk_op) { walk[i].rdd, walk[i].partition, NULL, 0 };
    return spk_pipe_open(pipe);
}

static void push_block(spk_pipe *pipe, const spk_rows *rows)
{
    const size_t size = rows->layout->size;
    for (const spk_run *run = rows->first; run; run = run->next)
        for (size_t i = 0, n; i < run->n; i += n) {
            const size_t batch = spk_pipe_rows(pipe, size);
            n = run->n - i < batch ? (size_t)(run->n - i) : batch;
            if (!spk_push(pipe, run->rows + i * size, n))
                return;
        }
}

static void run_source(spk_pipe *pipe, const phase *p)
{
    const spk_walk *source = &p->walk[p->from];
    const spk_origin *suspect = &p->task->suspect;
    pipe->at = (spk_origin) { source->rdd, source->partition, 0, 0 };
    pipe->suspect = suspect->rdd == source->rdd && suspect->partition == source->partition;
    if (p->source) {
        push_block(pipe, &p->source->rows);
        return;
    }
    const spk_op op = { source->rdd, source->partition, NULL, 0 };
    const spk_op *outer = p->task->op;
    const spk_pipe *outer_pipe = p->task->pipe;
    const int partition = p->task->current_partition;
    p->task->op = &op;
    p->task->pipe = pipe;
    p->task->current_partition = source->partition;
    source->rdd->class->produce(pipe, source->rdd, source->partition);
    p->task->op = outer;
    p->task->pipe = outer_pipe;
    p->task->current_partition = partition;
}

/* ---- filling a block */

typedef struct filler {
    phase *p;
    spk_rows rows;
    bool passing; /* no memory: straight on into `rest` */
    spk_pipe rest;
} filler;

static bool start_passing(filler *f)
{
    phase *p = f->p;
    if (!make_pipe(&f->rest, p, p->tally, p->to, 0, p->sink))
        return false;
    f->passing = true;
    push_block(&f->rest, &f->rows);
    spk_rows_fini(&f->rows);
    return true;
}

static bool fill(void *state, spk_batch batch)
{
    filler *f = state;
    if (!f->passing) {
        const uint64_t before = f->rows.n;
        if (!spk_spill_wanted(f->p->task->heap) && spk_rows_append(&f->rows, batch.rows, batch.n))
            return true;
        const size_t done = (size_t)(f->rows.n - before);
        if (!start_passing(f))
            return false;
        batch.rows += done * f->rows.layout->size;
        batch.n -= done;
    }
    return spk_push(&f->rest, batch.rows, batch.n);
}

/* keep: the full block goes into its slot; the next phase reads what is there. What was added on the
 * way counts now, even if the attempt fails later. */
static bool keep(filler *f, size_t first_delta)
{
    phase *p = f->p;
    spark_task *task = p->task;
    spark_rdd *rdd = p->walk[p->to].rdd;
    const int partition = p->walk[p->to].partition;
    bool won = false, first = true;
    spk_block *block = atomic_load(&rdd->level) == 0 /* unpersisted meanwhile */
        ? NULL
        : spk_blocks_put(rdd->blocks, partition, spk_rdd_partitions(rdd), task->store, &f->rows,
              &won, &first);
    if (!block)
        return start_passing(f);
    task->cached_blocks += won;
    task->remade_blocks += won && !first;
    spk_task_merge_deltas(task, first_delta, false);
    spk_block_unpin(p->source);
    p->source = block;
    p->from = p->to;
    return true;
}

/* run_into_block: one phase that ends at a persisted node. *passed: the chain has run to its end.
 */
static void run_into_block(phase *p, bool *passed)
{
    spark_task *task = p->task;
    const spk_walk *end = &p->walk[p->to];
    filler f = { .p = p };
    spk_pipe pipe;
    uint32_t tally;
    const size_t first_delta = task->n_deltas;
    if (!spk_task_tally(task, end->rdd, end->partition, &tally))
        return;
    spk_rows_init(&f.rows, task->heap, end->rdd->layout);
    const spk_sink sink = { fill, &f };
    if (make_pipe(&pipe, p, tally, p->from, p->to, sink)) {
        run_source(&pipe, p);
        spk_pipe_finish(&pipe);
    }
    if (!spk_task_unwanted(task) && !f.passing)
        keep(&f, first_delta);
    if (f.passing && !spk_task_unwanted(task))
        spk_pipe_finish(&f.rest);
    *passed = f.passing;
    if (task->n_deltas == first_delta)
        spk_task_untally(task, tally);
    spk_rows_fini(&f.rows);
}

static size_t next_fill(const phase *p)
{
    size_t to = p->from;
    if (!p->source && p->walk[to].fill)
        return to;
    while (to > 0)
        if (p->walk[--to].fill)
            return to;
    return 0;
}

static void run_phases(phase *p)
{
    spark_task *task = p->task;
    bool passed = false;
    while (!spk_task_unwanted(task) && !passed) {
        p->to = next_fill(p);
        if (p->walk[p->to].fill && !(p->source && p->from == p->to)) {
            run_into_block(p, &passed);
            continue;
        }
        spk_pipe pipe;
        if (make_pipe(&pipe, p, p->tally, p->from, 0, p->sink)) {
            run_source(&pipe, p);
            spk_pipe_finish(&pipe);
        }
        passed = true;
    }
}

static bool run_chain(spark_task *task, spark_rdd *rdd, int partition, spk_sink sink)
{
    const size_t base = task->n_walk;
    spk_block *block = NULL;
    spk_frame own, *outer = task->frame;
    if (task->nesting++ > 0) { /* the outermost chain's lasts as long as the attempt */
        spk_frame_begin(&own, task);
        task->frame = &own;
    }
    if (walk_up(task, rdd, partition, &block)) {
        const size_t n = task->n_walk - base;
        spk_walk *walk = spk_arena_alloc(spk_keep_of(task), n * sizeof *walk, 16);
        if (walk) {
            memcpy(walk, task->walk + base, n * sizeof *walk);
            phase p = { task, walk, block, n - 1, 0, sink, task->pipe ? task->pipe->tally : 0 };
            run_phases(&p);
            block = p.source;
        } else {
            spk_task_nomem(task);
        }
    }
    spk_block_unpin(block);
    task->n_walk = base;
    task->frame = outer;
    if (--task->nesting > 0)
        spk_frame_end(&own, task);
    return !spk_task_unwanted(task);
}

bool spk_chain_block(spark_task *task, spark_rdd *rdd, int partition, spk_block **block)
{
    *block = NULL;
    if (atomic_load_explicit(&rdd->level, memory_order_acquire) == 0)
        return true;
    if (uses_destroyed(task, rdd) || !persisted_block(task, rdd, partition, block))
        return false;
    task->cached_reads += *block != NULL;
    return true;
}

/* ---- chains within chains
 *
 * An RDD may be made of thousands that are computed inside each other: zips, coalesces, and all that
 * is placed already. They take stack, and when half of it is gone, the next one goes on on the
 * stack of another thread, for which this one waits. So do their batches on the way out (pipe.c). */

typedef struct deeper {
    spark_task *task;
    spark_rdd *rdd;
    int partition;
    spk_sink sink;
    bool more;
} deeper;

static void run_deeper(void *data)
{
    deeper *d = data;
    d->more = run_chain(d->task, d->rdd, d->partition, d->sink);
}

static bool run_on_new_stack(spark_task *task, spark_rdd *rdd, int partition, spk_sink sink)
{
    deeper d = { task, rdd, partition, sink, false };
    return spk_task_on_new_stack(task, run_deeper, &d) && d.more;
}

bool spk_chain_run(spark_task *task, spark_rdd *rdd, int partition, spk_sink sink)
{
    const bool deep = task->nesting >= SPK_SHALLOW && spk_stack_short(task);
    return deep ? run_on_new_stack(task, rdd, partition, sink)
                : run_chain(task, rdd, partition, sink);
}

typedef struct drain {
    spark_task *task;
    spk_rows *rows;
} drain;

static bool drain_take(void *state, spk_batch batch)
{
    drain *d = state;
    if (spk_rows_append(d->rows, batch.rows, batch.n))
        return true;
    spk_task_nomem(d->task);
    return false;
}

bool spk_chain_drain(spark_task *task, spark_rdd *rdd, int partition, spk_rows *rows)
{
    drain d = { task, rows };
    spk_rows_init(rows, task->heap, rdd->layout);
    const spk_sink sink = { drain_take, &d };
    if (spk_chain_run(task, rdd, partition, sink))
        return true;
    spk_rows_fini(rows);
    return false;
}
