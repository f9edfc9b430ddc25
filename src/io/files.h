/* SPDX-License-Identifier: Apache-2.0 */
/* Input paths: which files a path names, and how they are split. */
#ifndef SPK_IO_FILES_H
#define SPK_IO_FILES_H

#include "base/error.h"
#include "base/heap.h"

/* SPK_TO_END: the size of a file that does not say it, as those of /proc; such a file is read to its
 * end, and is not split. */
#define SPK_TO_END UINT64_MAX

typedef struct spk_reading spk_reading;

/* spk_file_class: how files are read whose bytes do not lie on a disk as they are: through a program. read:
 * n bytes from `offset` on, or what there is before the end, which is an error where it should not be;
 * a file without size is read in order. close: also after a failure, and in the middle. */
typedef struct spk_file_class {
    spark_status (*open)(spk_reading *reading, spk_failure *failure);
    spark_status (*read)(spk_reading *reading, char *to, size_t n, uint64_t offset, size_t *got,
        spk_failure *failure);
    void (*close)(spk_reading *reading);
} spk_file_class;

typedef struct spk_file {
    char *path;    /* for messages only, where fd is one */
    uint64_t size; /* in bytes, or SPK_TO_END */
    int fd;        /* open, to be read with pread; -1: it is opened by its path */
    bool stream;   /* a FIFO or a terminal; spk_files_spool makes a file of it */
    bool of_directory; /* it was the directory that was named */
    const spk_file_class *class; /* NULL: it is read as it is */
    const void *given;           /* to the class */
    uint64_t packed;             /* bytes on the disk, where the class unpacks them; else 0 */
} spk_file;

typedef struct spk_files {
    spk_file *at;
    size_t n;
} spk_files;

/* spk_files_list: the files that `spec` names (see spark_text_file), in bytewise order within each
 * of its comma parts; those whose suffix says that they are compressed (io/codec.h) are unpacked as they
 * are read, unless spk_files_raw is called. Nothing found, no right to look, no memory: *failure is filled and *files
 * empty. */
SPK_COLD spark_status spk_files_list(const char *spec, spk_files *files, spk_failure *failure);
/* spk_files_of_fd: what is still to come from a descriptor, which is taken over, on failure too. */
SPK_COLD spark_status spk_files_of_fd(int fd, const char *name, spk_files *files,
    spk_failure *failure);
/* spk_files_spool: reads the streams among them to their ends, into files in `directory`, which are
 * gone when *files is freed; NULL: a stream is an error. On failure *files is empty. */
SPK_COLD spark_status spk_files_spool(spk_files *files, const char *directory,
    spk_failure *failure);
SPK_COLD void spk_files_free(spk_files *files);
/* spk_files_raw: they are read as they lie on the disk, compressed or not. */
SPK_COLD void spk_files_raw(spk_files *files);

/* spk_unnamed_file: a new file in a directory, unlinked at once, so that nothing is left behind
 * however the process ends. -1: *failure is filled, and begins with `what`. */
SPK_COLD int spk_unnamed_file(const char *directory, const char *what, spk_failure *failure);

/* spk_watch: whether somebody still wants what is read; asked while a program makes one wait. */
typedef struct spk_watch {
    bool (*over)(void *state);
    void *state;
} spk_watch;

/* spk_reading: a file that is open. */
struct spk_reading {
    const spk_file *file;
    const spk_watch *watch; /* may be NULL */
    int fd;
    void *state; /* of the class */
};

/* spk_reading_open: on failure nothing is open, and close does nothing. spk_reading_next: n bytes from
 * `offset` on, or what there is before the end; those of a file without size must be asked for in order,
 * from 0. *got: how many, also of a failure. */
spark_status spk_reading_open(
    spk_reading *reading, const spk_file *file, const spk_watch *watch, spk_failure *failure);
spark_status spk_reading_next(spk_reading *reading, char *to, size_t n, uint64_t offset, size_t *got,
    spk_failure *failure);
void spk_reading_close(spk_reading *reading);
/* spk_reading_form: whether it holds plain text, by its first bytes where they can be read apart
 * (io/form.h); a class looks at them itself. */
spark_status spk_reading_form(const spk_reading *reading, spk_failure *failure);

/* spk_file_descriptor: one to read the bytes on the disk with, from their beginning, whoever reads them
 * meanwhile; -1 and errno. */
SPK_COLD int spk_file_descriptor(const spk_file *file);

/* spk_file_content: all of the file, in memory of the heap. */
spark_status spk_file_content(const spk_file *file, const spk_watch *watch, spk_heap *heap,
    char **content, size_t *n, size_t *capacity, spk_failure *failure);

typedef struct spk_split {
    const spk_file *file;
    uint64_t start, end; /* bytes; SPK_TO_END: to the end */
    const spk_watch *watch; /* of who reads it; may be NULL */
} spk_split;

typedef struct spk_splits {
    spk_split *at;
    size_t n;
} spk_splits;

/* spk_splits_make: as Hadoop's FileInputFormat does: goal = total / max(min, 1), pieces of
 * min(goal, 32 MiB), the last up to 1.1 of that; none for an empty file, one for a file without
 * size. */
SPK_COLD spark_status spk_splits_make(
    const spk_files *files, int min_splits, spk_splits *splits, spk_failure *failure);
SPK_COLD void spk_splits_free(spk_splits *splits);

/* spk_io_path: path without a leading "file:" or "file://". */
SPK_COLD const char *spk_io_path(const char *path);

/* spk_io_failure: "WHAT PATH: why", `error` being an errno; SPARK_ENOMEM for ENOMEM, else
 * SPARK_EIO. */
SPK_COLD spark_status spk_io_failure(spk_failure *failure, const char *what, const char *path,
    int error);

#endif
