/* SPDX-License-Identifier: Apache-2.0 */
/* Parcels: runs on their way to disk and there.
 *
 * parcel: runs of one shuffle, its members, gathered in memory until there are enough of them, then
 * written together, slice after slice: what a reader of one slice wants lies side by side; extent: the
 * rows of one member in one slice; directory: the extents, ordered by slice, which is on disk as well;
 * granule: a few entries of the directory, of which memory keeps the first slice and a checksum.
 *
 * So what stays in memory of n bytes that were written does not depend on how many slices and how many
 * runs they are, but for a head a run. What is in a run never depends on whether it is in a parcel. */
#ifndef SPK_STORAGE_PARCEL_H
#define SPK_STORAGE_PARCEL_H

#include <stdatomic.h>

#include "base/cold.h"
#include "storage/spill.h"

enum { SPK_GRANULE = 32 };

typedef struct spk_parcel spk_parcel;

/* spk_extent: as it is in the directory. bytes: rows, hashes where runs carry some, and what the rows
 * point to, with pointers as offsets from the rows; at: where that begins in the file. */
typedef struct spk_extent {
    uint32_t slice, member, n, bytes;
    uint64_t at, checksum;
} spk_extent;

typedef struct spk_member {
    spk_run *run;                            /* in memory; NULL: not any more */
    _Atomic(const spk_map_output *) output;  /* that the run is of; NULL: the run has gone */
    int map;                                 /* which one that is */
    uint32_t position;                       /* among the runs of the output */
    double row_bytes;                        /* of a row with all it points to, on average */
} spk_member;

/* spk_parcel_place: what a run is of. Runs of equal keys may share a parcel. */
typedef struct spk_parcel_place {
    spk_spill *spill;
    spk_heap *heap;
    const spk_layout *layout;
    uint64_t key;
    const spk_map_output *output;
    int map;
    uint32_t position;
} spk_parcel_place;

/* spk_parcel_add: *run, sliced, goes into a parcel and is replaced by its head; where there is no
 * memory for that, or it is huge, it stays as it is. *written: bytes that went to disk by that. On
 * failure *run is to be freed all the same. */
SPK_COLD spark_status spk_parcel_add(
    const spk_parcel_place *place, spk_run **run, uint64_t *written, spk_failure *failure);

/* spk_parcel_leave: the head of a run is about to go. */
SPK_COLD void spk_parcel_leave(spk_run *run);

/* spk_parcel_slice: calls visit for each member's rows in a slice: from memory (run is not NULL, the
 * rows begin at extent->at), with *pinned set, and then nothing of it goes before spk_parcel_unpin; or
 * as they are on disk. seen: of one reader, zero at first, to be freed. visit: false: stop; it must not
 * come back to parcels. */
typedef struct spk_granule_seen {
    uint64_t which; /* + 1 */
    spk_extent extents[SPK_GRANULE];
} spk_granule_seen;
typedef bool spk_parcel_visit(
    void *arg, const spk_member *member, const spk_extent *extent, const spk_run *run);
SPK_COLD spark_status spk_parcel_slice(spk_parcel *parcel, uint32_t slice,
    spk_granule_seen **seen, bool *pinned, spk_parcel_visit *visit, void *arg,
    spk_failure *failure);
SPK_COLD void spk_parcel_unpin(spk_parcel *parcel);

/* spk_parcel_read: bytes of the file. spk_extent_open: makes an extent that was read to `rows` usable;
 * *hashes: those that it carries, or NULL. */
SPK_COLD spark_status spk_parcel_read(
    const spk_parcel *parcel, uint64_t at, size_t n, void *to, spk_failure *failure);
SPK_COLD spark_status spk_extent_open(const spk_parcel *parcel, const spk_extent *extent, char *rows,
    uint64_t **hashes, spk_failure *failure);

/* spk_parcel_member: of one that was written; NULL: there are no more. */
SPK_COLD const spk_member *spk_parcel_member(const spk_parcel *parcel, uint32_t i);

#endif
