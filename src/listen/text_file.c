/* SPDX-License-Identifier: Apache-2.0 */
#include "listen/text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/sys.h"

spk_text_file *spk_text_file_begin(const char *operation, const char *what, const char *path)
{
    if (!path || !*path) {
        spk_raisef(SPARK_EINVAL, operation, NULL, "%s: there is no path to write a %s to", operation, what);
        return NULL;
    }
    spk_text_file *file = calloc(1, sizeof *file);
    const size_t size = strlen(path) + 1;
    char *copy = malloc(size);
    const int fd = file && copy ? spk_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : -1;
    if (fd >= 0) {
        memcpy(copy, path, size);
        *file = (spk_text_file) { .what = what, .path = copy, .fd = fd };
        return file;
    }
    const int error = file && copy ? errno : ENOMEM;
    free(file);
    free(copy);
    spk_raisef(error == ENOMEM ? SPARK_ENOMEM : SPARK_EIO, operation, NULL, "%s: cannot write a %s to %.400s: %s",
        operation, what, path, strerror(error));
    return NULL;
}

void spk_text_file_warn(spk_text_file *file, int error)
{
    if (!file->broken)
        spk_warn("the %s %s is not complete: %s; the application goes on without it", file->what, file->path,
            strerror(error));
    file->broken = true;
}

void spk_text_file_flush(spk_text_file *file)
{
    size_t at = 0;
    if (file->out.failed)
        spk_text_file_warn(file, ENOMEM);
    while (at < file->out.n && !file->broken) {
        const ssize_t n = spk_write(file->fd, file->out.at + at, file->out.n - at);
        if (n > 0) {
            at += (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            const int error = n < 0 ? errno : ENOSPC;
            (void)!spk_ftruncate(file->fd, (off_t)file->size);
            spk_text_file_warn(file, error);
        }
    }
    file->size += (int64_t)at;
    file->out.n = 0;
}

void spk_text_file_free(spk_text_file *file)
{
    struct stat now;
    if (!file)
        return;
    if (spk_fstat(file->fd, &now) == 0 && now.st_nlink == 0)
        spk_text_file_warn(file, ENOENT); /* somebody has removed it */
    if (spk_close(file->fd) != 0)
        spk_text_file_warn(file, errno);
    spk_json_fini(&file->out);
    free(file->path);
    free(file);
}
