/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that read files: what those of lines, of whole files and of object files share. */
#ifndef SPK_RDD_SOURCE_FILES_RDD_H
#define SPK_RDD_SOURCE_FILES_RDD_H

#include "io/files.h"
#include "rdd/verb.h"
#include "storage/spill.h"

typedef struct spk_files_rdd {
    spark_rdd rdd;
    char *spec;       /* what they are named by (spk_files_list); NULL: there are none, or: */
    int fd;           /* a descriptor that was not read yet; -1: none */
    int given;        /* the one it is a copy of */
    spk_failure lost; /* code not SPARK_OK: why it cannot be read any more */
    int asked;        /* partitions */
    spk_files files;  /* once it is prepared */
} spk_files_rdd;

/* spk_files_rdd_check: what is wrong with a path, or a number of partitions. */
void spk_files_rdd_check(spk_verb *v, const char *path, int partitions);
/* spk_files_rdd_make: a node of `size` bytes, which begins with spk_files_rdd, that reads what path
 * names; *made tells whether it is one. NULL: nothing, or what the caller says. */
spark_rdd *spk_files_rdd_make(spk_verb *v, const spk_class *class, size_t size,
    const spk_layout *layout, const char *path, int partitions, bool *made);

/* spk_fd_name: "standard input", "file descriptor 3": returns text. */
const char *spk_fd_name(int fd, char *text, size_t size);

/* spk_watch_of: of a task that reads: whether it is over. */
static inline bool spk_reader_over(void *task)
{
    return spk_task_over(task);
}
static inline spk_watch spk_watch_of(spark_task *task)
{
    return (spk_watch) { spk_reader_over, task };
}

/* spk_split_reads: bytes of a split that are read from the disk, where that is known; else 0. */
static inline int64_t spk_split_reads(const spk_split *split)
{
    return (int64_t)(split->end == SPK_TO_END ? split->file->packed : split->end - split->start);
}

/* spk_writable_directory: the first of the local directories that can be written, or the last one; in
 * `path`, which it returns. */
const char *spk_writable_directory(const char *asked, char path[SPK_PATH]);

/* spk_files_rdd_list: finds the files, once. streams: reads those to their ends as well; else they are
 * refused. spk_files_rdd_release: of spk_class. */
spark_status spk_files_rdd_list(spark_rdd *rdd, bool streams, spk_failure *failure);
void spk_files_rdd_release(spark_rdd *rdd);

#endif
