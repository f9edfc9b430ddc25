/* SPDX-License-Identifier: Apache-2.0 */
/* Tapes: rows that are written in order and read in order, any number of times: what is drained or
 * collected. While memory is ample they are a rows list; when it is not, what was written so far goes to
 * the disk (storage/disk_rows.h), and is read back a piece at a time. */
#ifndef SPK_STORAGE_TAPE_H
#define SPK_STORAGE_TAPE_H

#include "base/cold.h"
#include "storage/disk_rows.h"
#include "storage/store.h"

typedef struct spk_tape {
    spk_store *store;
    spk_disk_rows front;
    spk_rows rows;     /* its end, which is in memory */
    uint64_t n, bytes; /* of all rows */
} spk_tape;

SPK_COLD void spk_tape_init(spk_tape *tape, spk_store *store, const spk_layout *layout);
SPK_COLD void spk_tape_fini(spk_tape *tape);

/* spk_tape_append: deep copies. A failure says what was too large or which disk failed; the tape is to
 * be freed then. */
SPK_COLD spark_status spk_tape_append(
    spk_tape *tape, const char *from, size_t n, spk_failure *failure);

/* spk_tape_cut: only the first n rows stay. */
SPK_COLD void spk_tape_cut(spk_tape *tape, uint64_t n);

/* spk_tape_reader: a place on a tape, which must not be written any more. */
typedef struct spk_tape_reader {
    const spk_tape *tape;
    size_t next;             /* piece of its front */
    const spk_run *memory;   /* the next run that is in memory */
    spk_run *block, *before; /* of the last two pieces */
    bool hold;               /* what is read stays until the end */
    spk_run *held;
} spk_tape_reader;

/* spk_tape_read: at the beginning. spk_tape_next: the next rows, some that lie side by side: they and
 * what they point to stay until the call after the next; with `hold`, to the end. *n is 0 at the end. */
SPK_COLD spk_tape_reader spk_tape_read(const spk_tape *tape);
SPK_COLD spark_status spk_tape_next(
    spk_tape_reader *reader, const char **rows, size_t *n, spk_failure *failure);
SPK_COLD void spk_tape_reader_fini(spk_tape_reader *reader);

#endif
