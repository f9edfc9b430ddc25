/* SPDX-License-Identifier: Apache-2.0 */
/* Rows lists on disk: a piece is one run of a list, so that reading takes the memory of one run at
 * a time, however large the whole is.
 *
 * piece: the rows of a run and behind them all they point to, with a checksum. Pointers are written
 * as they were: who reads a piece elsewhere adds the difference. */
#ifndef SPK_STORAGE_DISK_ROWS_H
#define SPK_STORAGE_DISK_ROWS_H

#include "base/cold.h"
#include "storage/spill.h"

typedef struct spk_disk_run {
    uint64_t at; /* in the file */
    uint64_t n;  /* rows that count */
    uint64_t row_bytes, tail_bytes;
    uint64_t tail; /* the address of what the rows point to */
    uint64_t checksum;
} spk_disk_run;

typedef struct spk_disk_rows {
    spk_spill *spill;
    const spk_layout *layout;
    const char *what; /* they are, for messages: "a cached block" */
    spk_disk_run *at;
    size_t n, max;
    uint64_t n_rows, bytes; /* bytes: on disk */
} spk_disk_rows;

SPK_COLD void spk_disk_rows_init(
    spk_disk_rows *rows, spk_spill *spill, const spk_layout *layout, const char *what);
/* spk_disk_rows_fini: their place in the file is free again. */
SPK_COLD void spk_disk_rows_fini(spk_disk_rows *rows);

/* spk_disk_rows_write: all runs of a list, behind those that are there; the list stays as it is. No
 * data memory is needed. On failure nothing has been added. */
SPK_COLD spark_status spk_disk_rows_write(spk_disk_rows *to, const spk_rows *rows, spk_failure *failure);

/* spk_disk_rows_cut: only the first n count. */
SPK_COLD void spk_disk_rows_cut(spk_disk_rows *rows, uint64_t n);

/* spk_disk_rows_read: the i-th piece, as a run of the heap. timid: as in spk_rows. NULL: SPARK_EIO: it
 * cannot be read, or is not what was written; SPARK_ENOMEM. */
SPK_COLD spk_run *spk_disk_rows_read(
    const spk_disk_rows *rows, size_t i, spk_heap *heap, bool timid, spk_failure *failure);

#endif
