/* SPDX-License-Identifier: Apache-2.0 */
/* The spill files of a store with a memory limit, one in each local directory: runs that are sealed while
 * half of the limit is in use go there, several in a parcel (storage/parcel.h), and tapes (storage/tape.h).
 * They have no names, so that nothing is left behind however the process ends. */
#ifndef SPK_STORAGE_SPILL_H
#define SPK_STORAGE_SPILL_H

#include <stdatomic.h>

#include "base/cold.h"
#include "base/error.h"
#include "storage/run.h"

/* spk_spill_file: in one of the directories. Places in it carry its number in their upper bits. */
enum { SPK_SPILL_FILES = 16, SPK_SPILL_SHIFT = 48 };
typedef struct spk_spill_file {
    int fd;       /* -1: not opened yet */
    bool bad;     /* full or gone: left out while there are others */
    uint64_t end;
} spk_spill_file;

typedef struct spk_spill {
    const char *directory; /* the context's, perhaps several with commas */
    pthread_mutex_t lock;  /* guards what follows, and the states of parcels */
    unsigned next;         /* file: they are used in turn */
    _Atomic uint64_t used; /* bytes that are reserved */
    spk_spill_file files[SPK_SPILL_FILES];
    struct spk_parcel *open;
    uint64_t open_bytes; /* in memory, of parcels that are open */
} spk_spill;

/* spk_local_directory: the i-th one of what was asked for, which has commas between them, and perhaps
 * blanks, or the usual place; in `path`. False: there is none. */
enum { SPK_PATH = 4096 };
SPK_COLD bool spk_local_directory(const char *asked, unsigned i, char path[SPK_PATH]);
/* spk_local_dir_check: whether what was asked for can be used: SPARK_EINVAL. */
SPK_COLD spark_status spk_local_dir_check(const char *asked, spk_failure *failure);

SPK_COLD void spk_spill_init(spk_spill *spill, const char *directory);
SPK_COLD void spk_spill_fini(spk_spill *spill);
/* spk_spill_close: gives up its files, if nothing stands in them. False: something does. */
SPK_COLD bool spk_spill_close(spk_spill *spill);

/* spk_spill_wanted: whether a run that has just been sealed should go to disk: what is in use, cached
 * blocks aside, is more than half of what there is without those that are left alone (heap->kept), or
 * leaves less than what tasks may each still need (heap->floor). */
SPK_COLD bool spk_spill_wanted(spk_heap *heap);

/* spk_spill_reserve: room for n bytes at *at, in the next file that has it; the failure is that of the
 * last one. spk_spill_forget: it is free again. */
SPK_COLD spark_status spk_spill_reserve(spk_spill *spill, uint64_t n, uint64_t *at, spk_failure *failure);
SPK_COLD void spk_spill_forget(spk_spill *spill, uint64_t at, uint64_t n);

/* spk_spill_write: where that fails, the next try finds room in another file. */
SPK_COLD spark_status spk_spill_write(
    spk_spill *spill, const void *data, size_t n, uint64_t at, spk_failure *failure);
SPK_COLD spark_status spk_spill_read(
    const spk_spill *spill, void *to, size_t n, uint64_t at, spk_failure *failure);
/* spk_spill_changed: what was read there is not what was written. */
SPK_COLD spark_status spk_spill_changed(const spk_spill *spill, uint64_t at, spk_failure *failure);

#endif
