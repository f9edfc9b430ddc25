/* SPDX-License-Identifier: Apache-2.0 */
/* Input paths: which files a path names, and how they are split. */
#ifndef SPK_IO_FILES_H
#define SPK_IO_FILES_H

#include "base/error.h"
#include "base/heap.h"

/* SPK_TO_END: the size of a file that does not say it, as those of /proc; such a file is read to its
 * end, and is not split. */
#define SPK_TO_END UINT64_MAX

typedef struct spk_source spk_source;
typedef struct spk_file {
    char *path;    /* for messages only, where fd is one or there is a source */
    uint64_t size; /* in bytes, or SPK_TO_END */
    int fd;        /* open, to be read with pread; -1: it is opened by its path */
    bool stream;   /* a FIFO or a terminal; spk_files_spool makes a file of it */
    bool of_directory; /* it was the directory that was named */
    const spk_source *source; /* NULL: of this machine */
    void *data;               /* the source's */
    uint64_t packed;          /* bytes on the disk of what the source unpacks; else 0 */
} spk_file;

/* spk_watch: whether nobody wants any more what is read; asked while there is nothing to read yet. */
typedef struct spk_watch {
    bool (*over)(void *state);
    void *state;
} spk_watch;

/* spk_source: how files are read that no descriptor gives, as those of other machines, or compressed ones:
 * in order, by streams, each of one thread. open: the bytes from `from` on (of a file without size: 0);
 * `to`: where the reader will end, as far as it knows, or SPK_TO_END; it may read on; watch: as long as
 * the stream, or NULL. NULL: *failure is filled. read: at most n bytes, and one at least; 0: the end;
 * SIZE_MAX: *failure is filled. release: of spk_file.data; may be NULL. */
struct spk_source {
    void *(*open)(const spk_file *file, uint64_t from, uint64_t to, const spk_watch *watch,
        spk_failure *failure);
    size_t (*read)(void *stream, char *to, size_t n, spk_failure *failure);
    void (*close)(void *stream);
    void (*release)(void *data);
    const spk_source *raw; /* the same, not unpacked; NULL: it unpacks nothing, or files of this machine */
};

/* SPK_NO_SCHEME: what is said of a path whose scheme nobody serves. */
#define SPK_NO_SCHEME "no file system of its scheme is known: call spark_use_s3(sc, NULL), _http or _webhdfs first"

typedef struct spk_files {
    spk_file *at;
    size_t n;
} spk_files;

/* spk_elsewhere: what knows files that are not of this machine. list: adds those that one part of a spec
 * names, between commas; *known: whether its scheme is known there. end: frees it. */
struct spk_listing;
typedef spark_status spk_save_local(void *state, const char *directory, spk_failure *failure);
typedef struct spk_elsewhere spk_elsewhere;
struct spk_elsewhere {
    spark_status (*list)(spk_elsewhere *elsewhere, const char *part, struct spk_listing *found,
        bool *known, spk_failure *failure);
    void (*end)(spk_elsewhere *elsewhere);
    /* save: what `run` writes to a directory of this machine, is sent to a path of a known scheme: all
     * its files appear, or none, and _SUCCESS last. mode: a spark_save_mode. */
    spark_status (*save)(spk_elsewhere *elsewhere, const char *path, int mode, spk_save_local *run,
        void *state, bool *known, spk_failure *failure);
};

/* spk_listing_add: takes over what the file holds, on failure too. */
spark_status spk_listing_add(
    struct spk_listing *found, const spk_file *file, spk_failure *failure);

/* spk_listing_entry: what becomes of a name in a directory that is read, here and elsewhere: the rule that
 * spark/source.h tells under "Directories". spk_listing_enter: before the names of a directory within one;
 * SPARK_EIO: there is no end of them. spk_listing_leave: behind them, on failure too. spk_listing_refuse:
 * SPARK_EIO for a directory that is not entered, in these words. */
#define SPK_IN_INPUT "is a directory within an input directory"
typedef enum spk_entry { SPK_ENTRY_HIDDEN, SPK_ENTRY_FILE, SPK_ENTRY_KEY, SPK_ENTRY_REFUSED } spk_entry;
SPK_COLD spk_entry spk_listing_entry(
    const struct spk_listing *found, const char *name, bool directory);
SPK_COLD spark_status spk_listing_enter(
    struct spk_listing *found, const char *path, spk_failure *failure);
SPK_COLD void spk_listing_leave(struct spk_listing *found);
SPK_COLD spark_status spk_listing_refuse(const char *path, spk_failure *failure);

/* spk_files_list: the files that `spec` names (see spark_text_file), in bytewise order within each
 * of its comma parts; those whose suffix says that they are compressed (io/codec.h) are unpacked as they
 * are read, unless spk_files_raw is called. elsewhere: may be NULL. Nothing found, no right to look, no memory: *failure is
 * filled and *files empty. */
SPK_COLD spark_status spk_files_list(
    const char *spec, spk_elsewhere *elsewhere, spk_files *files, spk_failure *failure);
/* spk_files_list_keyed: and of directories those that are in directories named key=value, however deep. */
SPK_COLD spark_status spk_files_list_keyed(
    const char *spec, spk_elsewhere *elsewhere, spk_files *files, spk_failure *failure);
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

/* spk_reader: a file while it is read, by one thread. */
typedef struct spk_reader {
    const spk_file *file;
    int fd;       /* the file's own or a new one; -1: none */
    void *stream; /* of its source, once something was read */
    uint64_t at;  /* the next byte that the stream gives */
    uint64_t to;  /* where it will end, as far as is known, or SPK_TO_END */
    const spk_watch *watch; /* of the streams that it opens, to be set behind spk_reader_open; or NULL */
} spk_reader;

/* spk_reader_open: to: see there. On failure nothing is open. */
SPK_COLD spark_status spk_reader_open(
    spk_reader *reader, const spk_file *file, uint64_t to, spk_failure *failure);
/* spk_reader_read: n bytes from `offset` on, or what there is before the end; those of a file without
 * size must be asked for in order, those of a source should be. *got: how many. */
spark_status spk_reader_read(spk_reader *reader, char *to, size_t n, uint64_t offset, size_t *got,
    spk_failure *failure);
void spk_reader_close(spk_reader *reader); /* once, or more often */

/* spk_file_content: all of the file, in memory of the heap. */
spark_status spk_file_content(const spk_file *file, const spk_watch *watch, spk_heap *heap,
    char **content, size_t *n, size_t *capacity, spk_failure *failure);

typedef struct spk_split {
    const spk_file *file;
    uint64_t start, end; /* bytes; SPK_TO_END: to the end */
    const spk_watch *watch; /* of who reads it, or NULL */
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
/* spk_splits_whole: one a file, where nobody knows where else than at its begin a record begins. */
SPK_COLD spark_status spk_splits_whole(
    const spk_files *files, spk_splits *splits, spk_failure *failure);
SPK_COLD void spk_splits_free(spk_splits *splits);

/* spk_io_path: path without a leading "file:" or "file://". */
SPK_COLD const char *spk_io_path(const char *path);

/* spk_io_failure: "WHAT PATH: why", `error` being an errno; SPARK_ENOMEM for ENOMEM, else
 * SPARK_EIO. */
SPK_COLD spark_status spk_io_failure(spk_failure *failure, const char *what, const char *path,
    int error);

#endif
