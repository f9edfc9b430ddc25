/* SPDX-License-Identifier: Apache-2.0 */
/* From a node and a partition to a running pipe: the walk goes up the narrow parents, over an
 * explicit list, to a source or to a cached block. Persisted nodes whose block is missing cut the
 * way into phases: each phase runs into a block, the next one starts from it (fill.c). */
#include <stdlib.h>

#include "exec/chain.h"
#include "exec/fill.h"
#include "exec/pipe.h"
#include "plan/broadcast.h"
#include "plan/listening.h"

static bool note(spark_task *task, spk_walk node)
{
    if (task->walk.n == task->walk.max) {
        const size_t most = task->walk.max ? task->walk.max * 2 : 64;
        spk_walk *walk = realloc(task->walk.nodes, most * sizeof *walk);
        if (!walk) {
            spk_task_nomem(task);
            return false;
        }
        task->walk.nodes = walk;
        task->walk.max = most;
    }
    task->walk.nodes[task->walk.n++] = node;
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

/* walk_up: notes the nodes from rdd to the source; *block is the cached block the last one stands
 * for. */
static bool walk_up(spark_task *task, spark_rdd *rdd, int partition, spk_block **block)
{
    *block = NULL;
    for (;;) {
        int parent_partition = partition;
        spark_rdd *stored = spk_rdd_stored(rdd);
        const bool persisted
            = atomic_load_explicit(&rdd->level, memory_order_acquire) != 0 && rdd != task->blocks.anew;
        if (persisted && !task->sc->caching->find(task, rdd, partition, block))
            return false;
        if (!note(task, (spk_walk) { rdd, partition, persisted && !*block, stored != NULL })
            || (!stored && uses_destroyed(task, rdd)))
            return false;
        if (*block) {
            task->counts.cached_reads++;
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

/* make_pipe, run_source: static, for the way without blocks is to cost nothing for them. */
static bool make_pipe(
    spk_pipe *pipe, const spk_phase *p, uint32_t tally, size_t from, size_t to, spk_sink sink)
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
            pipe->ops[pipe->n_ops++] = (spk_op) { .rdd = walk[i].rdd, .partition = walk[i].partition };
    return spk_pipe_open(pipe);
}

/* count_input: of a source that reads files; of one that was stopped before its end nobody knows how many
 * bytes. */
SPK_COLD static void count_input(const spk_pipe *pipe, const spk_walk *source)
{
    const char *path;
    const spk_class *class = source->rdd->class;
    pipe->task->counts.input_rows += (int64_t)pipe->at.row;
    if (class->reads && !pipe->stopped)
        pipe->task->counts.input_bytes += class->reads(source->rdd, source->partition, &path);
}

static void run_source(spk_pipe *pipe, const spk_phase *p)
{
    const spk_walk *source = &p->walk[p->from];
    const spk_origin *suspect = &p->task->fate.suspect;
    pipe->at = (spk_origin) { source->rdd, source->partition, 0, 0 };
    spk_stopwatch *watch = p->task->heard.watch;
    spk_taken *taken = watch ? spk_stopwatch_turn(watch, &pipe->taken) : NULL;
    pipe->taker = taken;
    pipe->suspect = (suspect->rdd == source->rdd && suspect->partition == source->partition)
        || (p->task->at.single && source->rdd->class->where);
    if (p->source) {
        pipe->from_block = true;
        p->task->sc->caching->push(pipe, p->source);
        if (watch)
            spk_stopwatch_turn(watch, taken);
        return;
    }
    const spk_op op = { .rdd = source->rdd, .partition = source->partition };
    const spk_op *outer = p->task->op;
    const spk_pipe *outer_pipe = p->task->push.pipe;
    const int partition = p->task->current_partition;
    const struct spk_file *file = p->task->at.file;
    p->task->op = &op;
    p->task->push.pipe = pipe;
    p->task->at.file = NULL;
    p->task->current_partition = source->partition;
    source->rdd->class->produce(pipe, source->rdd, source->partition);
    if (source->rdd->class->where)
        count_input(pipe, source);
    p->task->op = outer;
    p->task->push.pipe = outer_pipe;
    p->task->current_partition = partition;
    p->task->at.file = file;
    if (watch)
        spk_stopwatch_turn(watch, taken);
}

bool spk_phase_pipe(spk_pipe *pipe, const spk_phase *phase, uint32_t tally, size_t from, size_t to,
    spk_sink sink)
{
    return make_pipe(pipe, phase, tally, from, to, sink);
}

void spk_phase_source(spk_pipe *pipe, const spk_phase *phase)
{
    run_source(pipe, phase);
}

static size_t next_fill(const spk_phase *p)
{
    size_t to = p->from;
    if (!p->source && p->walk[to].fill)
        return to;
    while (to > 0)
        if (p->walk[--to].fill)
            return to;
    return 0;
}

static void run_phases(spk_phase *p)
{
    spark_task *task = p->task;
    bool passed = false;
    while (!spk_task_unwanted(task) && !passed) {
        p->to = next_fill(p);
        if (p->walk[p->to].fill && !(p->source && p->from == p->to)) {
            task->sc->caching->fill(p, &passed);
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
    const size_t base = task->walk.n;
    spk_block *block = NULL;
    spk_frame own, *outer = task->frame;
    if (task->push.nesting++ > 0) { /* the outermost chain's lasts as long as the attempt */
        spk_frame_begin(&own, task);
        task->frame = &own;
    }
    if (walk_up(task, rdd, partition, &block)) {
        const size_t n = task->walk.n - base;
        spk_walk *walk = spk_arena_alloc(spk_keep_of(task), n * sizeof *walk, 16);
        if (walk) {
            memcpy(walk, task->walk.nodes + base, n * sizeof *walk);
            spk_phase p = { task, walk, block, n - 1, 0, sink, task->push.pipe ? task->push.pipe->tally : 0 };
            run_phases(&p);
            block = p.source;
        } else {
            spk_task_nomem(task);
        }
    }
    spk_block_unpin(block);
    task->walk.n = base;
    task->frame = outer;
    if (--task->push.nesting > 0)
        spk_frame_end(&own, task);
    return !spk_task_unwanted(task);
}

bool spk_chain_block(spark_task *task, spark_rdd *rdd, int partition, spk_block **block)
{
    const int64_t bytes = task->counts.input_bytes, rows = task->counts.input_rows, far = task->counts.remote_bytes;
    *block = NULL;
    if (atomic_load_explicit(&rdd->level, memory_order_acquire) == 0)
        return true;
    if (uses_destroyed(task, rdd) || !task->sc->caching->find(task, rdd, partition, block))
        return false;
    if (*block && !spk_block_in_memory(*block)) {
        spk_block_unpin(*block);
        *block = NULL;
        task->counts.input_bytes = bytes; /* the chain that reads it counts */
        task->counts.input_rows = rows;
        task->counts.remote_bytes = far;
    }
    task->counts.cached_reads += *block != NULL;
    if (*block && task->heard.id >= 0)
        spk_heard_by(task->sc)->took(task, rdd, (*block)->rows.n);
    return true;
}

/* ---- chains within chains
 *
 * An RDD may be made of thousands that are computed inside each other: zips, coalesces, and all
 * that is placed already. They take stack, and when half of it is gone, the next one goes on on the
 * stack of another thread, for which this one waits. So do their batches on the way out (pipe.c).
 * */

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
    const bool deep = task->push.nesting >= SPK_SHALLOW && spk_stack_short(task);
    return deep ? run_on_new_stack(task, rdd, partition, sink)
                : run_chain(task, rdd, partition, sink);
}
