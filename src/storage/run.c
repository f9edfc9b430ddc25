/* SPDX-License-Identifier: Apache-2.0 */
/* Runs and rows lists. In a rows list rows grow from the front of a block and what they point to
 * from its back; the first block is as large as what it is made for, later ones double up to 1
 * MiB. */
#include "storage/run.h"

#include <stdlib.h>

#include "plan/shuffle.h"
#include "storage/parcel.h"

static size_t up(size_t n, size_t align)
{
    return (n + align - 1) / align * align;
}

spk_run *spk_run_alloc(spk_heap *heap, size_t n, size_t row_size, size_t bytes, uint32_t slices,
    bool hashes, char **tail)
{
    const size_t head = up(sizeof(spk_run), 64);
    const size_t row_bytes = up(n * row_size, 64), hash_bytes = hashes ? up(n * 8, 64) : 0;
    const bool sparse = n < slices;
    const size_t index_bytes = sparse ? up(n * sizeof(spk_slice_end), 64)
        : slices                      ? up((slices + (size_t)1) * 4, 64)
                                      : 0;
    size_t capacity;
    if (row_size && n > SIZE_MAX / 8 / row_size)
        return NULL;
    char *block
        = spk_heap_alloc(heap, head + row_bytes + hash_bytes + index_bytes + bytes, &capacity);
    if (!block)
        return NULL;
    spk_run *run = (spk_run *)(void *)block;
    *run = (spk_run) { .capacity = capacity, .rows = block + head, .n = n, .slices = slices };
    if (hashes)
        run->hashes = (uint64_t *)(void *)(block + head + row_bytes);
    if (sparse)
        run->ends = (spk_slice_end *)(void *)(block + head + row_bytes + hash_bytes);
    else if (slices)
        run->offsets = (uint32_t *)(void *)(block + head + row_bytes + hash_bytes);
    *tail = block + head + row_bytes + hash_bytes + index_bytes;
    return run;
}

void spk_runs_free(spk_heap *heap, spk_run *runs)
{
    while (runs) {
        spk_run *next = runs->next;
        if (runs->parcel)
            spk_parcel_leave(runs);
        spk_heap_free(heap, runs, runs->capacity);
        runs = next;
    }
}

static void free_output(spk_held *held)
{
    spk_map_output *output = (spk_map_output *)(void *)held;
    spk_runs_free(output->heap, output->runs);
    free(output);
}

spk_map_output *spk_map_output_new(spk_heap *heap)
{
    spk_map_output *output = calloc(1, sizeof *output);
    if (output) {
        output->held.free = free_output;
        output->heap = heap;
    }
    return output;
}

void spk_map_output_free(spk_map_output *output)
{
    if (output)
        spk_held_free(&output->held);
}

void spk_rows_init(spk_rows *rows, spk_heap *heap, const spk_layout *layout)
{
    *rows = (spk_rows) { .heap = heap, .layout = layout };
}

void spk_rows_fini(spk_rows *rows)
{
    spk_runs_free(rows->heap, rows->first);
    *rows = (spk_rows) { .heap = rows->heap,
        .layout = rows->layout,
        .largest = rows->largest,
        .timid = rows->timid,
        .clean = rows->clean };
}

spk_run *spk_run_for(spk_heap *heap, size_t row_bytes, size_t tail_bytes, bool timid)
{
    const size_t head = up(sizeof(spk_run), 64), size = head + up(row_bytes, 64) + tail_bytes;
    size_t capacity;
    char *block = timid ? spk_heap_try(heap, size, &capacity) : spk_heap_alloc(heap, size, &capacity);
    if (!block)
        return NULL;
    spk_run *run = (spk_run *)(void *)block;
    *run = (spk_run) { .capacity = capacity, .rows = block + head };
    return run;
}

void spk_rows_append_run(spk_rows *rows, spk_run *run)
{
    run->next = NULL;
    *(rows->last ? &rows->last->next : &rows->first) = run;
    rows->last = run;
    rows->row_end = rows->tail = run->rows;
    rows->n += run->n;
    rows->bytes += run->bytes;
}

uint64_t spk_rows_held(const spk_rows *rows)
{
    uint64_t bytes = 0;
    for (const spk_run *run = rows->first; run; run = run->next)
        bytes += run->capacity;
    return bytes;
}

/* move_run: all of `from` behind what `to` has, its tail up to *end. */
static void move_run(const spk_layout *layout, const spk_run *from, spk_run *to, char **end)
{
    char *rows = to->rows + to->n * layout->size;
    size_t bytes;
    const char *old = spk_rows_tail(from, layout, &bytes);
    char *tail = *end - bytes;
    memcpy(rows, from->rows, from->n * layout->size);
    memcpy(tail, old, bytes);
    if (layout->views)
        spk_rows_shift(
            layout, rows, from->n, (ptrdiff_t)((uintptr_t)tail - (uintptr_t)old), false);
    *end -= up(bytes, 64); /* tails end at multiples of 64, so that what is aligned stays so */
    memset(*end, 0, (size_t)(tail - *end));
    to->n += from->n;
}

/* has_gaps: whether a row may have bytes that belong to no value. */
static bool has_gaps(const spk_layout *layout)
{
    uint32_t end = 0;
    for (uint32_t i = 0; i < layout->n_leaves; i++) {
        const spk_leaf *leaf = &layout->leaves[i];
        if (leaf->offset != end || leaf->kind == SPARK_KIND_OPTIONAL
            || leaf->kind == SPARK_KIND_STRUCT || leaf->kind == SPARK_KIND_LIST)
            return true;
        end = leaf->offset + leaf->size;
    }
    return end != layout->size;
}

void spk_rows_clean(spk_rows *rows)
{
    if (!has_gaps(rows->layout))
        return;
    for (spk_run *run = rows->first; run; run = run->next)
        spk_rows_tidy(rows->layout, run->rows, run->n);
}

/* exact_run: room for a list of runs, and no more. NULL: no memory, or nothing is gained. */
static spk_run *exact_run(const spk_rows *rows, const spk_run *runs, size_t *tails)
{
    size_t row_bytes = 0, held = 0, tail;
    *tails = 0;
    for (const spk_run *run = runs; run; run = run->next) {
        row_bytes += run->n * rows->layout->size;
        spk_rows_tail(run, rows->layout, &tail);
        *tails += up(tail, 64);
        held += run->capacity;
    }
    spk_run *exact = spk_run_for(rows->heap, row_bytes, *tails, true);
    if (exact && exact->capacity >= held) {
        spk_heap_free(rows->heap, exact, exact->capacity);
        return NULL;
    }
    return exact;
}

void spk_rows_compact(spk_rows *rows, bool exact)
{
    const bool all = exact && rows->bytes <= SPK_ROWS_BLOCK;
    spk_run **link = &rows->first;
    size_t tails;
    while (!all && *link != rows->last)
        link = &(*link)->next;
    spk_run *old = *link, *moved = old ? exact_run(rows, old, &tails) : NULL;
    if (!moved)
        return;
    char *end = (char *)moved + moved->capacity;
    for (const spk_run *run = old; run; run = run->next) {
        move_run(rows->layout, run, moved, &end);
        rows->bytes -= run->bytes;
    }
    moved->bytes = moved->n * rows->layout->size + tails;
    rows->bytes += moved->bytes;
    *link = rows->last = moved;
    rows->row_end = rows->tail = moved->rows; /* nothing more goes in */
    spk_runs_free(rows->heap, old);
}

/* add_block: an open run with room for `need` bytes; the first one for as much as is wanted. */
static bool add_block(spk_rows *rows, size_t want, size_t need)
{
    size_t size = rows->last ? rows->last->capacity * 2 : want;
    size_t most = rows->last ? SPK_ROWS_BLOCK : want;
    if (rows->largest && rows->largest < most)
        most = rows->largest;
    if (size > most)
        size = most;
    if (size < need)
        size = need;
    spk_run *run = spk_run_for(rows->heap, size, 0, rows->timid);
    if (!run)
        return false;
    if (rows->layout->views && run->capacity < SPK_CHUNK)
        memset(run->rows, 0, (size_t)((char *)run + run->capacity - run->rows)); /* gaps may go to disk */
    if (rows->last) {
        rows->last->tail = rows->tail;
        rows->last->next = run;
    } else {
        rows->first = run;
    }
    rows->last = run;
    rows->row_end = run->rows;
    rows->tail = (char *)run + run->capacity;
    return true;
}

static bool append_plain(spk_rows *rows, const char *from, size_t n)
{
    const size_t size = rows->layout->size;
    while (n > 0) {
        size_t room = rows->last ? (size_t)(rows->tail - rows->row_end) / size : 0;
        if (room == 0) {
            if (!add_block(rows, n * size, size))
                return false;
            room = (size_t)(rows->tail - rows->row_end) / size;
        }
        const size_t part = n < room ? n : room;
        memcpy(rows->row_end, from, part * size);
        rows->row_end += part * size;
        rows->last->n += part;
        rows->last->bytes += part * size;
        rows->n += part;
        rows->bytes += part * size;
        from += part * size;
        n -= part;
    }
    return true;
}

static size_t deep_bytes(const spk_rows *rows, const char *from, size_t n)
{
    size_t bytes = n * rows->layout->size;
    for (size_t i = 0; i < n; i++)
        bytes += spk_value_bytes(rows->layout, from + i * rows->layout->size);
    return bytes;
}

bool spk_rows_append(spk_rows *rows, const char *from, size_t n)
{
    const size_t size = rows->layout->size;
    if (!rows->layout->views)
        return append_plain(rows, from, n);
    for (size_t i = 0; i < n; i++, from += size) {
        const size_t bytes = spk_value_bytes(rows->layout, from);
        if (!rows->last || (size_t)(rows->tail - rows->row_end) < size + bytes) {
            const size_t all = rows->last ? 0 : deep_bytes(rows, from, n - i);
            if (!add_block(rows, all, size + bytes))
                return false;
        }
        memcpy(rows->row_end, from, size);
        rows->tail -= bytes;
        if (rows->clean)
            memset(rows->tail, 0, bytes);
        spk_value_pack(rows->layout, rows->row_end, rows->tail);
        rows->row_end += size;
        rows->last->n++;
        rows->last->bytes += size + bytes;
        rows->n++;
        rows->bytes += size + bytes;
    }
    return true;
}

void spk_rows_cut(spk_rows *rows, uint64_t n)
{
    uint64_t kept = 0;
    for (spk_run *run = rows->first; run; run = run->next) {
        if (run->n > n - kept)
            run->n = n - kept;
        kept += run->n;
    }
    rows->n = kept;
}
