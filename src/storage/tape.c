/* SPDX-License-Identifier: Apache-2.0 */
/* A tape is written as blocks of a rows list fill, so its blocks are small beside the limit: what reads
 * needs two of them. A block goes to disk from where it stands: its pointers are made offsets of what
 * will be one piece, rows before what they point to, so that nothing is copied, which would take memory
 * when there is none. */
#include "storage/tape.h"

#include "base/hash.h"

enum { LARGEST = 1024 * 1024, LEAST = 64 * 1024 };

/* block_size: of a tape in memory, which is also what goes to disk at once. */
static size_t block_size(const spk_heap *heap)
{
    const uint64_t share = heap->limit / 64;
    return heap->limit == 0 || share > LARGEST ? LARGEST : share > LEAST ? (size_t)share : LEAST;
}

void spk_tape_init(spk_tape *tape, spk_store *store, const spk_layout *layout)
{
    *tape = (spk_tape) { .store = store };
    spk_rows_init(&tape->rows, store->heap, layout);
    tape->rows.largest = block_size(store->heap);
}

void spk_tape_fini(spk_tape *tape)
{
    for (size_t i = 0; i < tape->n_stretches; i++)
        spk_spill_forget(&tape->store->spill, tape->stretches[i].at, tape->stretches[i].bytes);
    if (tape->store)
        spk_heap_free(tape->store->heap, tape->stretches, tape->capacity);
    if (tape->store)
        spk_rows_fini(&tape->rows);
    tape->stretches = NULL;
    tape->n_stretches = tape->capacity = 0;
}

/* ---- writing */

static size_t up(size_t n)
{
    return (n + 63) / 64 * 64;
}

static spark_status refused(
    const spk_tape *tape, const char *what, uint64_t bytes, spk_failure *failure)
{
    char text[300];
    return spk_failure_set(failure, SPARK_ENOMEM, NULL, NULL, "%s",
        spk_heap_refusal(tape->store->heap, what, bytes, text, sizeof text));
}

static spark_status more_stretches(spk_tape *tape, spk_failure *failure)
{
    if ((tape->n_stretches + 1) * sizeof *tape->stretches <= tape->capacity)
        return SPARK_OK;
    spk_heap *heap = tape->store->heap;
    size_t capacity;
    const size_t want = (tape->n_stretches * 2 + 8) * sizeof *tape->stretches;
    spk_stretch *larger = spk_heap_alloc(heap, want, &capacity);
    if (!larger)
        return refused(tape, "an index of drained rows", want, failure);
    if (tape->n_stretches > 0)
        memcpy(larger, tape->stretches, tape->n_stretches * sizeof *larger);
    spk_heap_free(heap, tape->stretches, tape->capacity);
    tape->stretches = larger;
    tape->capacity = capacity;
    return SPARK_OK;
}

static uint64_t checksum_of(const char *rows, size_t row_bytes, const char *tail, size_t tail_bytes)
{
    const uint64_t first = spk_hash_bytes(rows, row_bytes);
    return tail_bytes ? first * 31 + spk_hash_bytes(tail, tail_bytes) : first;
}

/* relocate: makes a block ready to leave: pointers become offsets. What the rows point to keeps its place
 * modulo 64, so that it stays aligned. */
static spk_stretch relocate(const spk_layout *layout, const spk_run *run, const char *tail)
{
    const size_t row_bytes = (size_t)run->n * layout->size;
    const size_t tail_bytes = (size_t)((const char *)run + run->capacity - tail);
    spk_stretch s = { .n = run->n, .use = run->n, .bytes = row_bytes, .tail_at = row_bytes };
    if (layout->views) {
        s.tail_at = up(row_bytes) + (uintptr_t)tail % 64;
        s.bytes = s.tail_at + tail_bytes;
        spk_rows_shift(layout, run->rows, (size_t)run->n,
            (ptrdiff_t)(s.tail_at - (uintptr_t)tail), true);
    }
    s.checksum = checksum_of(run->rows, row_bytes, tail, s.bytes - s.tail_at);
    return s;
}

/* write_run: tail: where what the rows point to begins; it goes on to the end of the block. */
static spark_status write_run(
    spk_tape *tape, const spk_run *run, const char *tail, spk_failure *failure)
{
    spk_spill *spill = &tape->store->spill;
    spark_status status = more_stretches(tape, failure);
    if (status != SPARK_OK)
        return status;
    spk_stretch s = relocate(tape->rows.layout, run, tail);
    status = spk_spill_reserve(spill, s.bytes, &s.at, failure);
    if (status != SPARK_OK)
        return status;
    tape->stretches[tape->n_stretches++] = s;
    tape->written += s.bytes;
    status = spk_spill_write(
        spill, run->rows, (size_t)run->n * tape->rows.layout->size, s.at, failure);
    if (status == SPARK_OK && s.bytes > s.tail_at)
        status = spk_spill_write(spill, tail, s.bytes - s.tail_at, s.at + s.tail_at, failure);
    return status;
}

/* wind: all that is in memory goes to disk. */
static spark_status wind(spk_tape *tape, spk_failure *failure)
{
    spark_status status = SPARK_OK;
    for (spk_run *run = tape->rows.first; run && status == SPARK_OK; run = run->next) {
        const char *tail = run == tape->rows.last ? tape->rows.tail : run->tail;
        if (run->n > 0)
            status = write_run(tape, run, tail, failure);
    }
    spk_rows_fini(&tape->rows);
    return status;
}

spark_status spk_tape_append(
    spk_tape *tape, const char *from, size_t n, spk_failure *failure)
{
    const size_t size = tape->rows.layout->size;
    spark_status status = SPARK_OK;
    if (tape->rows.bytes >= tape->rows.largest && spk_spill_wanted(tape->store->heap))
        status = wind(tape, failure);
    while (n > 0 && status == SPARK_OK) {
        const uint64_t before = tape->rows.n, bytes = tape->rows.bytes;
        const bool all = spk_rows_append(&tape->rows, from, n);
        const size_t done = (size_t)(tape->rows.n - before);
        tape->n += done;
        tape->bytes += tape->rows.bytes - bytes;
        from += done * size;
        n -= done;
        if (all)
            break;
        status = tape->rows.n > 0
            ? wind(tape, failure)
            : refused(tape, "one row", size + spk_value_bytes(tape->rows.layout, from), failure);
    }
    return status;
}

void spk_tape_cut(spk_tape *tape, uint64_t n)
{
    tape->n = n;
    for (size_t i = 0; i < tape->n_stretches; i++) {
        spk_stretch *s = &tape->stretches[i];
        s->use = s->n < n ? s->n : n;
        n -= s->use;
    }
    spk_rows_cut(&tape->rows, n);
}

/* ---- reading */

spark_status spk_stretch_load(const spk_tape *tape, const spk_stretch *s, spk_heap *heap,
    spk_run **run, spk_failure *failure)
{
    const spk_layout *layout = tape->rows.layout;
    const size_t row_bytes = (size_t)s->n * layout->size;
    char *tail;
    *run = spk_run_alloc(heap, (size_t)s->n, layout->size, s->bytes - row_bytes, 0, false, &tail);
    if (!*run)
        return refused(tape, "a piece of drained rows", s->bytes, failure);
    char *rows = (*run)->rows;
    spark_status status = spk_spill_read(&tape->store->spill, rows, s->bytes, s->at, failure);
    if (status == SPARK_OK
        && checksum_of(rows, row_bytes, rows + s->tail_at, s->bytes - s->tail_at) != s->checksum)
        status = spk_spill_changed(&tape->store->spill, s->at, failure);
    if (status != SPARK_OK) {
        spk_runs_free(heap, *run);
        *run = NULL;
        return status;
    }
    if (layout->views)
        spk_rows_shift(layout, rows, (size_t)s->n, (ptrdiff_t)(uintptr_t)rows, false);
    (*run)->bytes = s->bytes;
    (*run)->n = s->use;
    return SPARK_OK;
}

spk_tape_reader spk_tape_read(const spk_tape *tape)
{
    return (spk_tape_reader) { .tape = tape, .memory = tape->rows.first };
}

void spk_tape_reader_fini(spk_tape_reader *reader)
{
    spk_run *const runs[] = { reader->before, reader->block, reader->held };
    for (int i = 0; i < 3; i++)
        if (runs[i])
            spk_runs_free(reader->tape->store->heap, runs[i]);
    reader->before = reader->block = reader->held = NULL;
}

/* step: the block before the last one goes. */
static void step(spk_tape_reader *reader)
{
    spk_run *old = reader->before;
    reader->before = reader->block;
    reader->block = NULL;
    if (old && reader->hold) {
        old->next = reader->held;
        reader->held = old;
    } else if (old) {
        spk_runs_free(reader->tape->store->heap, old);
    }
}

spark_status spk_tape_next(
    spk_tape_reader *reader, const char **rows, size_t *n, spk_failure *failure)
{
    const spk_tape *tape = reader->tape;
    *n = 0;
    step(reader);
    if (reader->next < tape->n_stretches) {
        const spk_stretch *s = &tape->stretches[reader->next++];
        const spark_status status
            = spk_stretch_load(tape, s, tape->store->heap, &reader->block, failure);
        if (status != SPARK_OK)
            return status;
        *rows = reader->block->rows;
        *n = (size_t)s->use;
        return SPARK_OK;
    }
    while (reader->memory && reader->memory->n == 0)
        reader->memory = reader->memory->next;
    if (reader->memory) {
        *rows = reader->memory->rows;
        *n = (size_t)reader->memory->n;
        reader->memory = reader->memory->next;
    }
    return SPARK_OK;
}
