/* SPDX-License-Identifier: Apache-2.0 */
/* A pipe gives each byte once, but a task may be tried again, another job may read the same lines,
 * and several tasks share them. So a stream is copied to disk before the first task, with a buffer as
 * all the memory it takes; from then on it is a file like others. */
#include "io/files.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"

enum { PIECE = 256 * 1024 };

/* named_once: for file systems where a file must have a name first. */
static int named_once(const char *directory)
{
    char path[4096];
    int fd = -1;
    errno = ENAMETOOLONG;
    if (snprintf(path, sizeof path, "%s/libspark-XXXXXX", directory) < (int)sizeof path)
        fd = spk_mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        spk_unlink(path);
    return fd;
}

int spk_unnamed_file(const char *directory, const char *what, spk_failure *failure)
{
    int fd = spk_open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL))
        fd = named_once(directory);
    if (fd < 0)
        spk_io_failure(failure, what, directory, errno);
    return fd;
}

/* read_some: waits where somebody has made the descriptor non-blocking. */
static ssize_t read_some(int fd, char *buffer)
{
    for (;;) {
        const ssize_t n = spk_read(fd, buffer, PIECE);
        struct pollfd ready = { .fd = fd, .events = POLLIN };
        if (n >= 0 || (errno != EINTR && errno != EAGAIN))
            return n;
        if (errno == EAGAIN)
            poll(&ready, 1, -1);
    }
}

/* write_all: 0, or an errno. */
static int write_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        const ssize_t some = spk_write(fd, bytes, n);
        if (some < 0 && errno != EINTR)
            return errno;
        bytes += some > 0 ? some : 0;
        n -= some > 0 ? (size_t)some : 0;
    }
    return 0;
}

static spark_status copy(int from, const char *name, const char *directory, int to, uint64_t *size,
    char *buffer, spk_failure *failure)
{
    for (*size = 0;;) {
        const ssize_t n = read_some(from, buffer);
        if (n < 0)
            return spk_io_failure(failure, "cannot read", name, errno);
        if (n == 0)
            return SPARK_OK;
        const int error = write_all(to, buffer, (size_t)n);
        if (error != 0)
            return spk_io_failure(
                failure, "cannot keep a stream in", directory, error);
        *size += (uint64_t)n;
    }
}

/* keep: all that is still to come, in an unnamed file. */
static spark_status keep(int from, const char *name, const char *directory, int *to,
    uint64_t *size, spk_failure *failure)
{
    *to = spk_unnamed_file(directory, "cannot keep a stream in", failure);
    if (*to < 0)
        return failure->code;
    char *buffer = malloc(PIECE);
    const spark_status status = buffer == NULL
        ? spk_failure_nomem(failure, NULL, NULL)
        : copy(from, name, directory, *to, size, buffer, failure);
    free(buffer);
    if (status != SPARK_OK) {
        close(*to);
        *to = -1;
    }
    return status;
}

spark_status spk_files_of_fd(int fd, const char *name, spk_files *files, spk_failure *failure)
{
    struct stat info;
    char *path = malloc(strlen(name) + 1);
    *files = (spk_files) { malloc(sizeof *files->at), 1 };
    spark_status status = SPARK_OK;
    if (path == NULL || files->at == NULL)
        status = spk_failure_nomem(failure, NULL, NULL);
    else if (spk_fstat(fd, &info) != 0)
        status = spk_io_failure(failure, "cannot look at", name, errno);
    if (status != SPARK_OK) {
        close(fd);
        free(path);
        free(files->at);
        *files = (spk_files) { NULL, 0 };
        return status;
    }
    /* A file that nothing has been read of yet need not be copied. */
    const bool whole = S_ISREG(info.st_mode) && info.st_size > 0 && info.st_blocks > 0
        && lseek(fd, 0, SEEK_CUR) == 0;
    memcpy(path, name, strlen(name) + 1);
    files->at[0] = (spk_file) {
        .path = path, .size = whole ? (uint64_t)info.st_size : 0, .fd = fd, .stream = !whole
    };
    return SPARK_OK;
}

/* spool: the stream is a file from then on. */
static spark_status spool(spk_file *file, const char *directory, spk_failure *failure)
{
    int to;
    if (directory == NULL)
        return spk_failure_set(failure, SPARK_EIO, NULL, NULL,
            "Not a file: %s is a stream; copy what it gives to a file first", file->path);
    spk_reader from;
    if (spk_reader_open(&from, file, SPK_TO_END, failure) != SPARK_OK)
        return failure->code;
    const spark_status status
        = keep(from.fd, file->path, directory, &to, &file->size, failure);
    close(from.fd);
    file->fd = status == SPARK_OK ? to : -1;
    file->stream = false;
    return status;
}

spark_status spk_files_spool(spk_files *files, const char *directory, spk_failure *failure)
{
    spark_status status = SPARK_OK;
    for (size_t i = 0; i < files->n && status == SPARK_OK; i++)
        if (files->at[i].stream)
            status = spool(&files->at[i], directory, failure);
    if (status != SPARK_OK)
        spk_files_free(files);
    return status;
}
