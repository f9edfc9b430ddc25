/* SPDX-License-Identifier: Apache-2.0 */
/* A part of a file, read over HTTP as it comes. */
#ifndef SPK_REMOTE_RANGE_H
#define SPK_REMOTE_RANGE_H

#include "remote/curl.h"

/* spk_range_fs: ask: for the bytes from..end of a file, end SPARK_FS_NO_SIZE: to its end; true: the answer has begun
 * and has a status of 200 or 206. offset: an answer of status 200 begins at `from`; else at 0. */
typedef struct spk_range_fs {
    bool (*ask)(void *env, const char *path, uint64_t from, uint64_t end, spk_dialog *x,
        spark_fs_call *call);
    bool offset;
} spk_range_fs;

/* As open, read and close of spark_fs. Where an answer breaks off, the rest is asked for; behind `end` the
 * next bytes are, for the reader may be in the middle of a line. */
void *spk_range_open(const spk_curl *curl, const spk_range_fs *fs, void *env, const char *path,
    uint64_t offset, uint64_t end, const spark_fs_info *info, spark_fs_call *call);
int64_t spk_range_read(void *stream, void *to, size_t n, spark_fs_call *call);
void spk_range_close(void *stream);

/* spk_range_version: what tells whether a file is still the same: its ETag, else when it was changed; in `to`; or
 * NULL. */
const char *spk_range_version(const spk_dialog *x, char *to, size_t size);
/* spk_range_total: the size in Content-Range; false: it is not told. */
bool spk_range_total(const spk_dialog *x, uint64_t *from, uint64_t *total);

#endif
