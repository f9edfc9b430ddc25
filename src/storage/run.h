/* SPDX-License-Identifier: Apache-2.0 */
/* Runs: what outlives a batch. A run is one immutable allocation: rows, and behind them all they
 * point to. Pointers are absolute, so rows are read in place; a run can still be written and sent
 * as bytes, since everything in it lies within `base` and `base + used`: relocating is one
 * addition a view.
 *
 * sliced run: rows sorted stably by slice, with an index, which is sparse where there are fewer rows
 * than slices: what a run takes is in proportion to its rows; rows list: runs without slices, in
 * order, to which rows are appended (collected results, cached blocks, drained inputs). */
#ifndef SPK_STORAGE_RUN_H
#define SPK_STORAGE_RUN_H

#include "base/heap.h"
#include "base/held.h"
#include "type/layout.h"

/* spk_slice_end: of a sparse index: a slice that has rows, and where they end. */
typedef struct spk_slice_end {
    uint32_t slice, end;
} spk_slice_end;

typedef struct spk_run {
    struct spk_run *next;
    size_t capacity; /* of the block the run stands at the head of */
    char *rows;
    uint64_t n;
    uint64_t bytes;    /* rows and what they point to */
    uint32_t slices;   /* 0: unsliced */
    uint32_t n_ends;   /* of a sparse index */
    uint32_t *offsets; /* of slices + 1; NULL: the index is sparse: */
    spk_slice_end *ends;
    uint64_t *hashes; /* of the rows, or NULL where they are cheap */

    struct spk_parcel *parcel; /* not NULL: the rows are in it, as those of `member`; see parcel.h */
    uint32_t member;
} spk_run;

/* spk_run_slice: where the rows of a slice are, from *from up to *to. */
static inline void spk_run_slice(
    const spk_run *run, uint32_t slice, uint32_t *from, uint32_t *to)
{
    if (run->offsets) {
        *from = run->offsets[slice];
        *to = run->offsets[slice + 1];
        return;
    }
    const spk_slice_end *ends = run->ends;
    uint32_t first = 0;
    for (uint32_t n = run->n_ends; n > 0;) { /* the first entry that is not before the slice */
        const uint32_t half = n / 2;
        const bool right = ends[first + half].slice < slice;
        first += right ? half + 1 : 0;
        n = right ? n - half - 1 : half;
    }
    *from = first > 0 ? ends[first - 1].end : 0;
    *to = first < run->n_ends && ends[first].slice == slice ? ends[first].end : *from;
}

/* spk_run_alloc: room for n rows of row_size, `bytes` bytes behind them (*tail), an index (sparse
 * for n < slices) and hashes as asked for. NULL: no memory. */
spk_run *spk_run_alloc(spk_heap *heap, size_t n, size_t row_size, size_t bytes, uint32_t slices,
    bool hashes, char **tail);

/* spk_runs_free: the whole list. */
void spk_runs_free(spk_heap *heap, spk_run *runs);

/* spk_map_output: what one map partition wrote for a shuffle. */
typedef struct spk_map_output {
    spk_held held; /* the shuffle's; a list of those it has dropped */
    const struct spk_store *store; /* it lies in; NULL: it is private */
    spk_heap *heap;
    spk_run *runs;
    uint64_t n, bytes;
} spk_map_output;
/* spk_map_output_new: empty. NULL: no memory. spk_map_output_free: NULL does nothing. */
spk_map_output *spk_map_output_new(spk_heap *heap);
void spk_map_output_free(spk_map_output *output);

/* spk_rows: a rows list being built or read. */
typedef struct spk_rows {
    spk_heap *heap;
    const spk_layout *layout;
    spk_run *first, *last;
    char *row_end, *tail; /* free room of the last run */
    uint64_t n, bytes;
} spk_rows;

void spk_rows_init(spk_rows *rows, spk_heap *heap, const spk_layout *layout);
/* spk_rows_append: deep copies. false: no memory; what was there stays. */
bool spk_rows_append(spk_rows *rows, const char *from, size_t n);
void spk_rows_fini(spk_rows *rows);
/* spk_rows_cut: only the first n stay. */
void spk_rows_cut(spk_rows *rows, uint64_t n);

#endif
