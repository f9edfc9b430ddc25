/* SPDX-License-Identifier: Apache-2.0 */
/* The spill file of a context with a memory limit: runs that are sealed while half of the limit is in
 * use go there, several in a parcel (storage/parcel.h). It has no name, so that nothing is left
 * behind however the process ends. */
#ifndef SPK_STORAGE_SPILL_H
#define SPK_STORAGE_SPILL_H

#include "base/error.h"
#include "storage/run.h"

typedef struct spk_spill {
    const char *directory; /* the context's */
    pthread_mutex_t lock;  /* guards what follows, and the states of parcels */
    int fd;                /* -1: not opened yet */
    uint64_t end;          /* of the file */
    struct spk_parcel *open;
    uint64_t open_bytes; /* in memory, of parcels that are open */
} spk_spill;

/* spk_local_directory: what was asked for, or the usual places. */
const char *spk_local_directory(const char *asked);

void spk_spill_init(spk_spill *spill, const char *directory);
void spk_spill_fini(spk_spill *spill);

/* spk_spill_wanted: whether a run that has just been sealed should go to disk: what is in use, cached
 * blocks aside, is more than half of what there is without those that are left alone (heap->kept). */
bool spk_spill_wanted(spk_heap *heap);

/* spk_spill_reserve: room for n bytes at *at. spk_spill_forget: it is free again. */
spark_status spk_spill_reserve(spk_spill *spill, uint64_t n, uint64_t *at, spk_failure *failure);
void spk_spill_forget(const spk_spill *spill, uint64_t at, uint64_t n);

spark_status spk_spill_write(
    const spk_spill *spill, const void *data, size_t n, uint64_t at, spk_failure *failure);
spark_status spk_spill_read(
    const spk_spill *spill, void *to, size_t n, uint64_t at, spk_failure *failure);

#endif
