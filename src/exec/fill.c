/* SPDX-License-Identifier: Apache-2.0 */
/* A phase that ends at a persisted node runs into a block, and the next one starts from that. A
 * block that finds no memory goes on on disk, where its level has one, piece by piece; else it is
 * given up: what it holds is passed on, and the rest follows without caching (Spark's MemoryStore
 * unrolls a partition in the same way). */
#include "exec/fill.h"

#include <stdlib.h>

#include "exec/pipe.h"

/* ---- room: who allocates when memory is full is a task, and counts what has left */

static void count(spark_task *task, const spk_evicted *evicted)
{
    task->counts.evicted_blocks += evicted->blocks;
    task->counts.cache_bytes_written += evicted->written;
}

static bool reclaim(void *store, uint64_t bytes)
{
    spk_evicted evicted = { 0, 0 };
    spark_task *task = spk_task_current();
    const bool done = spk_store_evict(store, NULL, bytes, &evicted);
    if (task)
        count(task, &evicted);
    return done;
}

/* serve: the store's heap takes memory back from its blocks, from the first of them on; not for a store
 * that is lost, which another one may have followed in the same heap. */
static void serve(spk_store *store, double fraction)
{
    spk_heap *heap = store->heap;
    if (atomic_load_explicit(&heap->reclaim, memory_order_acquire) || heap->limit == 0)
        return;
    pthread_mutex_lock(&store->lock);
    if (!atomic_load_explicit(&heap->reclaim, memory_order_relaxed) && !atomic_load(&store->lost)) {
        atomic_store_explicit(&heap->kept, (uint64_t)((double)heap->limit * fraction),
            memory_order_relaxed);
        atomic_store(&heap->reclaimer, store);
        atomic_store_explicit(&heap->reclaim, reclaim, memory_order_release);
    }
    pthread_mutex_unlock(&store->lock);
}

/* ---- finding */

/* drop_block: an injected fault, once a block. False: the task has failed. */
typedef struct spk_dropped {
    struct spk_dropped *next;
    const spark_rdd *rdd;
    int partition;
} spk_dropped;

static bool drop_block(spark_task *task, spark_rdd *rdd, int partition)
{
    for (const spk_dropped *d = task->blocks.dropped; d; d = d->next)
        if (d->rdd == rdd && d->partition == partition)
            return true;
    spk_dropped *d = spk_arena_alloc(&task->base.keep, sizeof *d, 16);
    if (!d) {
        spk_task_nomem(task);
        return false;
    }
    *d = (spk_dropped) { task->blocks.dropped, rdd, partition };
    task->blocks.dropped = d;
    spk_blocks_drop(rdd->blocks, partition);
    return true;
}

static bool find(spark_task *task, spark_rdd *rdd, int partition, spk_block **block)
{
    *block = NULL;
    if (task->blocks.drop && !drop_block(task, rdd, partition))
        return false;
    *block = spk_blocks_get(rdd->blocks, partition);
    if (!*block)
        return true;
    const bool in_memory = spk_block_in_memory(*block);
    const uint64_t bytes = in_memory ? (*block)->rows.bytes : (*block)->disk_rows.bytes;
    task->counts.input_bytes += (int64_t)bytes;
    task->counts.input_rows += (int64_t)(in_memory ? (*block)->rows.n : (*block)->disk_rows.n_rows);
    if ((*block)->tenant->store != task->store)
        task->counts.remote_bytes += (int64_t)bytes;
    return true;
}

/* ---- reading */

static bool push_run(spk_pipe *pipe, const spk_run *run, size_t size)
{
    for (size_t i = 0, n; i < run->n; i += n) {
        const size_t batch = spk_pipe_rows(pipe, size);
        n = run->n - i < batch ? (size_t)(run->n - i) : batch;
        if (!spk_push(pipe, run->rows + i * size, n))
            return false;
    }
    return true;
}

static void push_rows(spk_pipe *pipe, const spk_rows *rows)
{
    for (const spk_run *run = rows->first; run; run = run->next)
        if (!push_run(pipe, run, rows->layout->size))
            return;
}

/* fail_reading: what is not on disk any more as it was written is no block: it is computed again,
 * by the next attempt, for this one may have passed on some of it. */
static void fail_reading(spark_task *task, spk_block *block, const spk_failure *failure)
{
    if (failure->code == SPARK_EIO) {
        spk_blocks_lose(block);
        task->fate.lost_block = true;
    }
    spk_task_fail_with(task, failure);
}

/* next_piece: into memory that is free, while the block is promoted; else into any. */
static spk_run *next_piece(
    spark_task *task, spk_block *block, size_t i, bool *promoting, spk_failure *failure)
{
    spk_heap *heap = *promoting ? block->tenant->store->heap : task->heap;
    spk_run *run = spk_disk_rows_read(&block->disk_rows, i, heap, *promoting, failure);
    if (!run && *promoting && failure->code == SPARK_ENOMEM) {
        *promoting = false;
        run = spk_disk_rows_read(&block->disk_rows, i, task->heap, false, failure);
    }
    if (run)
        task->counts.cache_bytes_read += (int64_t)run->bytes;
    else
        fail_reading(task, block, failure);
    return run;
}

static void push_pieces(spk_pipe *pipe, spk_block *block)
{
    spk_failure failure;
    spk_rows rows;
    const bool begun = spk_block_promote_begin(block);
    bool promoting = begun, more = true;
    spk_rows_init(&rows, block->tenant->store->heap, block->disk_rows.layout);
    for (size_t i = 0; i < block->disk_rows.n && more; i++) {
        spk_run *run = next_piece(pipe->task, block, i, &promoting, &failure);
        more = run && push_run(pipe, run, block->disk_rows.layout->size);
        if (run && promoting)
            spk_rows_append_run(&rows, run);
        else if (run)
            spk_heap_free(pipe->task->heap, run, run->capacity);
    }
    if (begun)
        spk_block_promote_end(block, &rows, promoting && more);
}

static void push_block(spk_pipe *pipe, spk_block *block)
{
    if (spk_block_in_memory(block))
        push_rows(pipe, &block->rows);
    else
        push_pieces(pipe, block);
}

/* ---- filling */

typedef struct filler {
    spk_phase *p;
    spk_block *block;
    size_t piece; /* bytes that go to disk together */
    bool to_disk;
    bool passing; /* no memory: straight on into `rest` */
    spk_pipe rest;
} filler;

/* pass_on: what was built: each run goes as soon as it has passed, for its memory may be wanted below. */
static void pass_on(filler *f)
{
    spk_rows rows;
    spk_block_take(f->block, &rows);
    while (rows.first && push_run(&f->rest, rows.first, rows.layout->size)) {
        spk_run *next = rows.first->next;
        spk_heap_free(rows.heap, rows.first, rows.first->capacity);
        rows.first = next;
    }
    spk_rows_fini(&rows);
}

static bool start_passing(filler *f)
{
    spk_phase *p = f->p;
    if (!spk_phase_pipe(&f->rest, p, p->tally, p->to, 0, p->sink))
        return false;
    f->passing = true;
    if (f->block)
        pass_on(f);
    return true;
}

/* written: after an attempt to write. */
static bool written(filler *f, uint64_t before, spark_status status, const spk_failure *failure)
{
    spark_task *task = f->p->task;
    task->counts.cache_bytes_written += (int64_t)(f->block->disk_rows.bytes - before);
    if (status != SPARK_OK)
        spk_task_fail_with(task, failure);
    return status == SPARK_OK;
}

static bool write_out(filler *f)
{
    spk_failure failure;
    const uint64_t before = f->block->disk_rows.bytes;
    const spark_status status = spk_block_write(f->block, &failure);
    return written(f, before, status, &failure);
}

static bool fill_disk(filler *f, spk_batch batch)
{
    spk_rows *rows = &f->block->rows;
    const uint64_t before = rows->n;
    if (!spk_rows_append(rows, batch.rows, batch.n)) {
        const size_t done = (size_t)(rows->n - before);
        if (!write_out(f))
            return false;
        if (!spk_rows_append(rows, batch.rows + done * rows->layout->size, batch.n - done)) {
            spk_task_nomem(f->p->task);
            return false;
        }
    }
    return rows->bytes < f->piece || write_out(f);
}

/* no_room: what was appended stays; `left` of the batch goes where all that follows goes. */
static bool no_room(filler *f, spk_batch left)
{
    f->to_disk = spk_level_has_disk(atomic_load(&f->block->tenant->set->level));
    if (f->to_disk)
        return write_out(f) && fill_disk(f, left);
    return start_passing(f) && spk_push(&f->rest, left.rows, left.n);
}

static bool fill(void *state, spk_batch batch)
{
    filler *f = state;
    spk_evicted evicted = { 0, 0 };
    if (f->passing)
        return spk_push(&f->rest, batch.rows, batch.n);
    if (f->to_disk)
        return fill_disk(f, batch);
    spk_rows *rows = &f->block->rows;
    const uint64_t before = rows->n;
    const bool appended = spk_rows_append(rows, batch.rows, batch.n);
    const bool good = spk_block_hold(f->block, &evicted) && appended;
    count(f->p->task, &evicted);
    if (good)
        return true;
    const size_t done = (size_t)(rows->n - before);
    return no_room(f, (spk_batch) { batch.rows + done * rows->layout->size, batch.n - done });
}

/* keep: the full block goes into its slot; the next phase reads what is there. What was added on
 * the way counts now, even if the attempt fails later. */
static bool keep(filler *f, size_t first_delta)
{
    spk_phase *p = f->p;
    spark_task *task = p->task;
    spark_rdd *rdd = p->walk[p->to].rdd;
    spk_failure failure;
    const uint64_t before = f->block->disk_rows.bytes;
    bool won, first;
    if (!written(f, before, spk_block_finish(f->block, &failure), &failure))
        return false;
    spk_block *block
        = spk_blocks_put(rdd->blocks, spk_rdd_partitions(rdd), f->block, &won, &first);
    const bool there = won || block != f->block;
    f->block = NULL;
    task->counts.cached_blocks += won;
    task->counts.remade_blocks += won && !first;
    if (there)
        spk_task_merge_deltas(task, first_delta, false);
    if (there && task->blocks.has_put)
        task->blocks.has_put(task, rdd->blocks, block->partition);
    spk_block_unpin(p->source);
    p->source = block;
    p->from = p->to;
    return true;
}

/* open_block: without memory for one the rows are passed on. */
static bool open_block(filler *f)
{
    spark_task *task = f->p->task;
    spark_rdd *rdd = f->p->walk[f->p->to].rdd;
    const uint64_t limit = task->heap->limit;
    serve(task->store, task->sc->storage_fraction);
    f->piece = limit > 0 && limit / 64 < SPK_ROWS_BLOCK ? (size_t)(limit / 64) : SPK_ROWS_BLOCK;
    f->block = spk_block_new(
        rdd->blocks, task->store, rdd->layout, f->p->walk[f->p->to].partition);
    if (!f->block)
        return start_passing(f);
    f->to_disk = !spk_level_has_memory(atomic_load(&rdd->blocks->level));
    f->block->rows.timid = !f->to_disk;
    return true;
}

static void fill_block(spk_phase *p, bool *passed)
{
    spark_task *task = p->task;
    const spk_walk *end = &p->walk[p->to];
    filler f = { .p = p };
    spk_pipe pipe;
    uint32_t tally;
    const size_t first_delta = task->sums.n_deltas;
    if (!spk_task_tally(task, end->rdd, end->partition, &tally))
        return;
    const spk_sink sink = { fill, &f };
    if (open_block(&f) && spk_phase_pipe(&pipe, p, tally, p->from, p->to, sink)) {
        spk_phase_source(&pipe, p);
        spk_pipe_finish(&pipe);
    }
    if (!spk_task_unwanted(task) && !f.passing)
        keep(&f, first_delta);
    if (f.passing && !spk_task_unwanted(task))
        spk_pipe_finish(&f.rest);
    *passed = f.passing;
    if (task->sums.n_deltas == first_delta)
        spk_task_untally(task, tally);
    spk_block_unpin(f.block);
}

const spk_caching spk_cached_chains = { .find = find, .push = push_block, .fill = fill_block };
