/* SPDX-License-Identifier: Apache-2.0 */
/* Why pointers stay as they are: a block is written because memory is short, so writing may take
 * none, and others may be reading it. What the rows of a run point to is one stretch of memory,
 * hence so is what stands in the file, and one addition a view makes it right wherever it comes
 * back, as when a shared library is loaded at another address (Levine, "Linkers and Loaders", 2000,
 * chapter 8). */
#include "storage/disk_rows.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/faults.h"
#include "base/hash.h"

void spk_disk_rows_init(
    spk_disk_rows *rows, spk_spill *spill, const spk_layout *layout, const char *what)
{
    *rows = (spk_disk_rows) { .spill = spill, .layout = layout, .what = what };
}

static void forget(spk_disk_rows *rows, size_t from)
{
    for (; rows->n > from; rows->n--) {
        const spk_disk_run *piece = &rows->at[rows->n - 1];
        const uint64_t bytes = piece->row_bytes + piece->tail_bytes;
        spk_spill_forget(rows->spill, piece->at, bytes);
        rows->n_rows -= piece->n;
        rows->bytes -= bytes;
    }
}

void spk_disk_rows_fini(spk_disk_rows *rows)
{
    forget(rows, 0);
    free(rows->at);
    spk_disk_rows_init(rows, rows->spill, rows->layout, rows->what);
}

static bool widen(spk_disk_rows *rows)
{
    if (rows->n < rows->max)
        return true;
    const size_t max = rows->max ? rows->max * 2 : 4;
    spk_disk_run *at = realloc(rows->at, max * sizeof *at);
    if (!at)
        return false;
    rows->at = at;
    rows->max = max;
    return true;
}

static uint64_t checksum_of(const char *rows, size_t row_bytes, const char *tail, size_t tail_bytes)
{
    return spk_hash_combine(spk_hash_bytes(rows, row_bytes), spk_hash_bytes(tail, tail_bytes));
}

static spark_status write_run(spk_disk_rows *rows, const spk_run *run, spk_failure *failure)
{
    const size_t row_bytes = (size_t)run->n * rows->layout->size;
    size_t tail_bytes;
    const char *tail = spk_rows_tail(run, rows->layout, &tail_bytes);
    if (!widen(rows))
        return spk_failure_nomem(failure, NULL, NULL);
    spk_disk_run piece = { .n = run->n,
        .row_bytes = row_bytes,
        .tail_bytes = tail_bytes,
        .tail = (uint64_t)(uintptr_t)tail,
        .checksum = checksum_of(run->rows, row_bytes, tail, tail_bytes) };
    const uint64_t all = row_bytes + tail_bytes;
    spark_status status = spk_spill_reserve(rows->spill, all, &piece.at, failure);
    if (status != SPARK_OK)
        return status;
    status = spk_spill_write(rows->spill, run->rows, row_bytes, piece.at, failure);
    if (status == SPARK_OK)
        status = spk_spill_write(rows->spill, tail, tail_bytes, piece.at + row_bytes, failure);
    if (status != SPARK_OK) {
        spk_spill_forget(rows->spill, piece.at, all);
        return status;
    }
    rows->at[rows->n++] = piece;
    rows->n_rows += piece.n;
    rows->bytes += all;
    return SPARK_OK;
}

spark_status spk_disk_rows_write(spk_disk_rows *to, const spk_rows *rows, spk_failure *failure)
{
    const size_t before = to->n;
    spark_status status = SPARK_OK;
    for (const spk_run *run = rows->first; run && status == SPARK_OK; run = run->next)
        if (run->n > 0)
            status = write_run(to, run, failure);
    if (status != SPARK_OK)
        forget(to, before);
    return status;
}

void spk_disk_rows_cut(spk_disk_rows *rows, uint64_t n)
{
    rows->n_rows = 0;
    for (size_t i = 0; i < rows->n; i++) {
        spk_disk_run *piece = &rows->at[i];
        piece->n = piece->n < n - rows->n_rows ? piece->n : n - rows->n_rows;
        rows->n_rows += piece->n;
    }
}

/* load: the bytes of a piece into a run that has room for them. */
static spark_status load(
    const spk_disk_rows *rows, const spk_disk_run *piece, spk_run *run, spk_failure *failure)
{
    const spk_layout *layout = rows->layout;
    size_t tail_bytes;
    run->n = piece->row_bytes / layout->size;
    run->bytes = piece->row_bytes + piece->tail_bytes;
    char *tail = spk_rows_tail(run, layout, &tail_bytes);
    spark_status status
        = spk_spill_read(rows->spill, run->rows, piece->row_bytes, piece->at, failure);
    if (status == SPARK_OK)
        status = spk_spill_read(
            rows->spill, tail, tail_bytes, piece->at + piece->row_bytes, failure);
    if (status != SPARK_OK)
        return status;
    spk_corrupt(run->rows, piece->row_bytes);
    if (checksum_of(run->rows, piece->row_bytes, tail, tail_bytes) != piece->checksum)
        return spk_spill_changed(rows->spill, piece->at, failure);
    if (layout->views)
        spk_rows_shift(layout, run->rows, run->n,
            (ptrdiff_t)((uint64_t)(uintptr_t)tail - piece->tail), false);
    run->n = piece->n;
    return SPARK_OK;
}

spk_run *spk_disk_rows_read(
    const spk_disk_rows *rows, size_t i, spk_heap *heap, bool timid, spk_failure *failure)
{
    const spk_disk_run *piece = &rows->at[i];
    spk_run *run = spk_run_for(heap, piece->row_bytes, piece->tail_bytes, timid);
    char text[300], what[64];
    if (!run) {
        snprintf(what, sizeof what, "a piece of %s", rows->what);
        spk_failure_set(failure, SPARK_ENOMEM, NULL, NULL, "%s",
            spk_heap_refusal(heap, what, piece->row_bytes + piece->tail_bytes, text, sizeof text));
        return NULL;
    }
    if (load(rows, piece, run, failure) == SPARK_OK)
        return run;
    spk_heap_free(heap, run, run->capacity);
    return NULL;
}
