/* SPDX-License-Identifier: Apache-2.0 */
/* Input paths: which files a path names, and how they are split. */
#ifndef SPK_IO_FILES_H
#define SPK_IO_FILES_H

#include "base/error.h"

typedef struct spk_file {
    char *path;
    uint64_t size;
} spk_file;

typedef struct spk_files {
    spk_file *at;
    size_t n;
} spk_files;

/* spk_files_list: the files that `spec` names (see spark_text_file), in bytewise order within each
 * of its comma parts. Nothing found, no right to look, no memory: *failure is filled and *files
 * empty. */
spark_status spk_files_list(const char *spec, spk_files *files, spk_failure *failure);
void spk_files_free(spk_files *files);

typedef struct spk_split {
    const spk_file *file;
    uint64_t start, end; /* bytes */
} spk_split;

typedef struct spk_splits {
    spk_split *at;
    size_t n;
} spk_splits;

/* spk_splits_make: as Hadoop's FileInputFormat does: goal = total / max(min, 1), pieces of
 * min(goal, 32 MiB), the last up to 1.1 of that; none for an empty file. */
spark_status spk_splits_make(
    const spk_files *files, int min_splits, spk_splits *splits, spk_failure *failure);
void spk_splits_free(spk_splits *splits);

/* spk_io_path: path without a leading "file:" or "file://". */
const char *spk_io_path(const char *path);

/* spk_io_failure: "WHAT PATH: why", `error` being an errno; SPARK_ENOMEM for ENOMEM, else
 * SPARK_EIO. */
spark_status spk_io_failure(spk_failure *failure, const char *what, const char *path, int error);

#endif
