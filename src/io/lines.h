/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a split: a line belongs to the split in which it begins; one that begins exactly at a
 * border to the earlier one (as Hadoop's LineRecordReader). Read with pread into one buffer, which
 * grows for a line that is longer. */
#ifndef SPK_IO_LINES_H
#define SPK_IO_LINES_H

#include <pthread.h>

#include <spark/type.h>

#include "base/error.h"
#include "base/heap.h"
#include "io/files.h"

typedef struct spk_lines {
    spk_heap *heap;
    spk_reader in;
    char *buffer;
    size_t capacity, usable; /* of the block, and how much of it is filled at most */
    size_t from, to;         /* unread bytes in the buffer */
    size_t newline;       /* one past the next \n in the buffer; to + 1: none; <= from: not known */
    uint64_t position;    /* in the file, of buffer[from] */
    uint64_t end;         /* of the split */
    bool eof, has_return; /* the file has ended; the buffer holds a \r */
} spk_lines;

/* spk_lines_open: those of a split, whose file must stay valid; one that is not plain text is refused
 * (io/form.h), whichever split it is. On failure *failure is filled and nothing is open. */
spark_status spk_lines_open(
    spk_lines *lines, spk_heap *heap, const spk_split *split, spk_failure *failure);
/* spk_lines_open_sized: the same with a first buffer of `size` bytes; for tests of its borders. */
SPK_COLD spark_status spk_lines_open_sized(spk_lines *lines, spk_heap *heap, const spk_split *split,
    size_t size, spk_failure *failure);

/* spk_lines_next: up to max lines; they are valid until the next call. 0: the end, or *failure is
 * filled (its code must be SPARK_OK before). */
size_t spk_lines_next(spk_lines *lines, spark_str *out, size_t max, spk_failure *failure);
void spk_lines_close(spk_lines *lines);

/* spk_line_memo: how many lines end in front of an offset of a file: those who ask for a line behind it go
 * on from there. Zeroed, but for the lock. */
typedef struct spk_line_memo {
    pthread_mutex_t lock;
    const spk_file *file;
    uint64_t offset;
    int64_t ends;
    bool feed; /* the byte before it is a \r */
} spk_line_memo;

/* spk_lines_number: which line of the whole file, from 1, line `row` (from 0) of the split is: reads
 * all that is before it, from where the memo (may be NULL) has come to. -1: it cannot be told any more. */
SPK_COLD int64_t spk_lines_number(
    spk_heap *heap, const spk_split *split, uint64_t row, spk_line_memo *memo);
/* spk_lines_at: the lines of n offsets of a file, in their order, each not below the one before: the file
 * is read once. 0: it cannot be told any more. */
SPK_COLD void spk_lines_at(spk_heap *heap, const spk_file *file, size_t n, const int64_t *offsets,
    int64_t *lines);
/* spk_line_at: the same of the byte at an offset of a file. */
SPK_COLD int64_t spk_line_at(spk_heap *heap, const spk_file *file, uint64_t offset);

#endif
