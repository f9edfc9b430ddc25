/* SPDX-License-Identifier: Apache-2.0 */
/* Output directories, in Hadoop's layout: attempts write below _temporary, a finished part is
 * renamed to its place, _SUCCESS comes last. */
#ifndef SPK_IO_OUTPUT_H
#define SPK_IO_OUTPUT_H

#include "base/error.h"
#include "base/heap.h"

typedef struct spk_output {
    char *path;
    bool scratch; /* it need not outlive the process: nothing is synced */
    int lock;     /* held as long as this process writes; -1: none */
    int parts;    /* how many there may be, by the one who makes it; 0: not known */
} spk_output;

/* spk_output_begin: makes the directory; one that exists is refused, and if it holds an unfinished
 * save, the failure says so, and whether its process still lives. What leads to it is made as
 * well, and stays. */
SPK_COLD spark_status spk_output_begin(
    spk_output *output, const char *path, bool scratch, spk_failure *failure);
/* spk_output_commit: removes _temporary, writes _SUCCESS, syncs the directory. On failure it
 * aborts. */
SPK_COLD spark_status spk_output_commit(spk_output *output, spk_failure *failure);
/* spk_output_abort: removes everything that was made. Best effort. Both end the output. */
SPK_COLD void spk_output_abort(spk_output *output);

/* spk_output_path: without a scheme and slashes at its end, to be freed; NULL: *failure is filled.
 * spk_output_mkdir: the directory, and what leads to it; 0, or an errno. */
SPK_COLD char *spk_output_path(const char *path, spk_failure *failure);
/* spk_output_place: the path of what is to be written on this machine: one with any other scheme is refused. */
SPK_COLD char *spk_output_place(const char *path, spk_failure *failure);
SPK_COLD int spk_output_mkdir(const char *path);

/* spk_output_remove: removes a committed output directory. Best effort. */
SPK_COLD void spk_output_remove(const char *path);

/* spk_own_directory: a new directory that nobody else has, below `parent`, which is made where need
 * be; its name begins with the prefix, of at most 24 signs. *path is the caller's, to be freed. */
SPK_COLD spark_status spk_own_directory(
    const char *parent, const char *prefix, char **path, spk_failure *failure);
/* spk_own_directory_end: frees the path, and removes the directory where it is empty. */
void spk_own_directory_end(char *path);

/* spk_part: one part file of one attempt, buffered. */
typedef struct spk_part spk_part;
/* spk_part_sink: who takes what is in a full buffer, and sets `used` to 0. */
typedef struct spk_part_sink {
    spark_status (*take)(spk_part *part, spk_failure *failure);
} spk_part_sink;

struct spk_part {
    const spk_output *output;
    spk_heap *heap;
    int partition, attempt, fd;
    char *buffer;
    size_t used, capacity;
    uint64_t written;    /* bytes, without those in the buffer */
    spk_part_sink *sink; /* NULL: the descriptor */
    const char *name;    /* with a sink: what is written, for messages */
};

SPK_COLD spark_status spk_part_open(spk_part *part, const spk_output *output, spk_heap *heap,
    int partition, int attempt, spk_failure *failure);
/* spk_part_reserve: room for n bytes at part->buffer + part->used; add what was used to `used`.
 * NULL: *failure is filled. */
char *spk_part_reserve(spk_part *part, size_t n, spk_failure *failure);
/* spk_part_flush: what is in the buffer goes to the file, or the sink. */
spark_status spk_part_flush(spk_part *part, spk_failure *failure);
/* spk_part_close: flushes, syncs and closes. spk_part_publish: renames to part-NNNNN.
 * spk_part_discard: closes and removes the attempt's file. After either the part is gone. */
SPK_COLD spark_status spk_part_close(spk_part *part, spk_failure *failure);
SPK_COLD spark_status spk_part_publish(spk_part *part, spk_failure *failure);
void spk_part_discard(spk_part *part);

#endif
