/* SPDX-License-Identifier: Apache-2.0 */
/* A tape is written as blocks of a rows list fill, so its blocks are small beside the limit: what reads
 * needs two of them. */
#include "storage/tape.h"

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
    spk_disk_rows_init(&tape->front, &store->spill, layout, "drained rows");
    spk_rows_init(&tape->rows, store->heap, layout);
    tape->rows.largest = block_size(store->heap);
}

void spk_tape_fini(spk_tape *tape)
{
    if (!tape->store)
        return;
    spk_disk_rows_fini(&tape->front);
    spk_rows_fini(&tape->rows);
}

/* ---- writing */

static spark_status refused(
    const spk_tape *tape, const char *what, uint64_t bytes, spk_failure *failure)
{
    char text[300];
    return spk_failure_set(failure, SPARK_ENOMEM, NULL, NULL, "%s",
        spk_heap_refusal(tape->store->heap, what, bytes, text, sizeof text));
}

/* wind: all that is in memory goes to disk. */
static spark_status wind(spk_tape *tape, spk_failure *failure)
{
    spk_rows_clean(&tape->rows);
    const spark_status status = spk_disk_rows_write(&tape->front, &tape->rows, failure);
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
    spk_disk_rows_cut(&tape->front, n);
    spk_rows_cut(&tape->rows, n - tape->front.n_rows);
}

/* ---- reading */

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
    while (reader->next < tape->front.n && tape->front.at[reader->next].n == 0)
        reader->next++;
    if (reader->next < tape->front.n) {
        reader->block = spk_disk_rows_read(&tape->front, reader->next++, tape->store->heap, false, failure);
        if (!reader->block)
            return failure->code;
        *rows = reader->block->rows;
        *n = (size_t)reader->block->n;
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
