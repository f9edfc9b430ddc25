/* SPDX-License-Identifier: Apache-2.0 */
/* Runs on disk. Where a context has a memory limit, runs that are sealed while half of it is in use
 * are written to a file, which has no name, and read back a slice at a time. What is in a run never
 * depends on whether it is written.
 *
 * extent: where a slice of a run stands in the file. */
#ifndef SPK_STORAGE_SPILL_H
#define SPK_STORAGE_SPILL_H

#include "base/error.h"
#include "storage/run.h"

typedef struct spk_spill {
    const char *directory; /* the context's */
    pthread_mutex_t lock;  /* guards what follows */
    int fd;                /* -1: not opened yet */
    uint64_t end;          /* of the file */
    uint64_t written;      /* bytes, over all time */
} spk_spill;

struct spk_extent {
    uint64_t at;
    uint64_t checksum;
    uint32_t bytes, tail; /* tail: where what the rows point to begins */
};

/* spk_local_directory: what was asked for, or the usual places. */
const char *spk_local_directory(const char *asked);

void spk_spill_init(spk_spill *spill, const char *directory);
void spk_spill_fini(spk_spill *spill);

/* spk_spill_wanted: whether a run that has just been sealed should go to disk. */
bool spk_spill_wanted(spk_heap *heap);

/* spk_run_spill: *run, a sliced run of rows of a layout, is written and replaced by one that is on
 * disk. On failure it stays as it is. */
spark_status spk_run_spill(spk_run **run, spk_heap *heap, spk_spill *spill,
    const spk_layout *layout, spk_failure *failure);

/* spk_run_load: a slice of a run that is on disk, in a block of the heap: rows at its start, *hashes
 * behind them where the run carries some. */
spark_status spk_run_load(const spk_run *run, uint32_t slice, spk_heap *heap,
    const spk_layout *layout, char **block, size_t *capacity, uint64_t **hashes,
    spk_failure *failure);

#endif
