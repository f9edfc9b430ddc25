/* SPDX-License-Identifier: Apache-2.0 */
/* One thin layer under all I/O and all allocations, so that a fault plan reaches each call and none
 * can be forgotten: tests/arch holds that no other file makes these calls. A call that is struck is
 * not made; closing is made all the same, or the descriptor would be lost. */
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/faults.h"
#include "base/signals.h"

/* In parentheses a name is no macro. */
void *spk_malloc(size_t size)
{
    return spk_struck(SPARK_FAULT_ALLOC, NULL) ? NULL : (malloc)(size);
}

void *spk_calloc(size_t n, size_t size)
{
    return spk_struck(SPARK_FAULT_ALLOC, NULL) ? NULL : (calloc)(n, size);
}

void *spk_realloc(void *block, size_t size)
{
    return spk_struck(SPARK_FAULT_ALLOC, NULL) ? NULL : (realloc)(block, size);
}

/* Of memory from here, so that who frees it finds what an allocation has given. */
char *spk_strndup(const char *text, size_t n)
{
    n = strnlen(text, n);
    char *copy = spk_malloc(n + 1);
    if (copy) {
        memcpy(copy, text, n);
        copy[n] = 0;
    }
    return copy;
}

char *spk_strdup(const char *text)
{
    return spk_strndup(text, strlen(text));
}

int spk_open(const char *path, int flags, mode_t mode)
{
    return spk_struck(SPARK_FAULT_OPEN, NULL) ? -1 : open(path, flags, mode);
}

int spk_openat(int directory, const char *path, int flags)
{
    return spk_struck(SPARK_FAULT_OPEN, NULL) ? -1 : openat(directory, path, flags);
}

int spk_mkdir(const char *path, mode_t mode)
{
    return spk_struck(SPARK_FAULT_OPEN, NULL) ? -1 : mkdir(path, mode);
}

char *spk_mkdtemp(char *pattern)
{
    return spk_struck(SPARK_FAULT_OPEN, NULL) ? NULL : mkdtemp(pattern);
}

int spk_mkostemp(char *pattern, int flags)
{
    return spk_struck(SPARK_FAULT_OPEN, NULL) ? -1 : mkostemp(pattern, flags);
}

int spk_pipe2(int fds[2], int flags)
{
    return spk_struck(SPARK_FAULT_OPEN, NULL) ? -1 : pipe2(fds, flags);
}

int spk_flock(int fd, int operation)
{
    return spk_struck(SPARK_FAULT_OPEN, NULL) ? -1 : flock(fd, operation);
}

DIR *spk_opendir(const char *path)
{
    return spk_struck(SPARK_FAULT_OPEN, NULL) ? NULL : opendir(path);
}

struct dirent *spk_readdir(DIR *stream)
{
    return spk_struck(SPARK_FAULT_READ, NULL) ? NULL : readdir(stream);
}

int spk_stat(const char *path, struct stat *info)
{
    return spk_struck(SPARK_FAULT_READ, NULL) ? -1 : stat(path, info);
}

int spk_fstat(int fd, struct stat *info)
{
    return spk_struck(SPARK_FAULT_READ, NULL) ? -1 : fstat(fd, info);
}

ssize_t spk_read(int fd, void *to, size_t n)
{
    return spk_struck(SPARK_FAULT_READ, &n) ? -1 : read(fd, to, n);
}

ssize_t spk_pread(int fd, void *to, size_t n, off_t at)
{
    return spk_struck(SPARK_FAULT_READ, &n) ? -1 : pread(fd, to, n, at);
}

/* let: what a call has given while SIGXFSZ was held. */
static ssize_t let(const spk_held_signal *held, ssize_t given)
{
    spk_signal_let(held, given < 0 && errno == EFBIG);
    return given;
}

ssize_t spk_write(int fd, const void *from, size_t n)
{
    spk_held_signal held;
    if (spk_struck(SPARK_FAULT_WRITE, &n))
        return -1;
    spk_signal_hold(&held, SIGXFSZ);
    return let(&held, write(fd, from, n));
}

ssize_t spk_pwrite(int fd, const void *from, size_t n, off_t at)
{
    spk_held_signal held;
    if (spk_struck(SPARK_FAULT_WRITE, &n))
        return -1;
    spk_signal_hold(&held, SIGXFSZ);
    return let(&held, pwrite(fd, from, n, at));
}

int spk_fsync(int fd)
{
    return spk_struck(SPARK_FAULT_FSYNC, NULL) ? -1 : fsync(fd);
}

int spk_ftruncate(int fd, off_t size)
{
    spk_held_signal held;
    if (spk_struck(SPARK_FAULT_WRITE, NULL))
        return -1;
    spk_signal_hold(&held, SIGXFSZ);
    return (int)let(&held, ftruncate(fd, size));
}

int spk_rename(const char *from, const char *to)
{
    return spk_struck(SPARK_FAULT_RENAME, NULL) ? -1 : rename(from, to);
}

int spk_rename_exchange(const char *a, const char *b)
{
    return spk_struck(SPARK_FAULT_RENAME, NULL)
        ? -1
        : renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
}

int spk_syncfs(int fd)
{
    return spk_struck(SPARK_FAULT_FSYNC, NULL) ? -1 : syncfs(fd);
}

int spk_close(int fd)
{
    const bool struck = spk_struck(SPARK_FAULT_CLOSE, NULL);
    const int error = errno, closed = close(fd);
    if (!struck)
        return closed;
    errno = error;
    return -1;
}

int spk_unlink(const char *path)
{
    return spk_struck(SPARK_FAULT_REMOVE, NULL) ? -1 : unlink(path);
}

int spk_unlinkat(int directory, const char *path, int flags)
{
    return spk_struck(SPARK_FAULT_REMOVE, NULL) ? -1 : unlinkat(directory, path, flags);
}

int spk_rmdir(const char *path)
{
    return spk_struck(SPARK_FAULT_REMOVE, NULL) ? -1 : rmdir(path);
}

int spk_thread_start(spk_place *place, pthread_t *thread, const pthread_attr_t *attributes,
    void *(*run)(void *), void *argument)
{
    if (place ? spk_struck_at(place, SPARK_FAULT_THREAD, NULL)
              : spk_struck(SPARK_FAULT_THREAD, NULL))
        return errno;
    return pthread_create(thread, attributes, run, argument);
}
