/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of the system that the library makes for files and threads: as the functions of the
 * same name, unless a fault plan says that they fail (base/faults.h). */
#ifndef SPK_BASE_SYS_H
#define SPK_BASE_SYS_H

#include "base/cold.h"
#include <dirent.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

struct spk_place;

SPK_COLD int spk_open(const char *path, int flags, mode_t mode);
SPK_COLD int spk_openat(int directory, const char *path, int flags);
SPK_COLD int spk_mkdir(const char *path, mode_t mode);
SPK_COLD char *spk_mkdtemp(char *pattern);
SPK_COLD int spk_mkostemp(char *pattern, int flags);
SPK_COLD int spk_pipe2(int fds[2], int flags);
SPK_COLD int spk_flock(int fd, int operation);
DIR *spk_opendir(const char *path);
SPK_COLD struct dirent *spk_readdir(DIR *stream);
SPK_COLD int spk_stat(const char *path, struct stat *info);
SPK_COLD int spk_fstat(int fd, struct stat *info);
SPK_COLD ssize_t spk_read(int fd, void *to, size_t n);
SPK_COLD ssize_t spk_pread(int fd, void *to, size_t n, off_t at);
SPK_COLD ssize_t spk_write(int fd, const void *from, size_t n);
SPK_COLD ssize_t spk_pwrite(int fd, const void *from, size_t n, off_t at);
SPK_COLD int spk_fsync(int fd);
SPK_COLD int spk_rename(const char *from, const char *to);
SPK_COLD int spk_exchange(const char *a, const char *b); /* renameat2: each gets the other's name */
SPK_COLD int spk_syncfs(int fd);
SPK_COLD int spk_close(int fd); /* of what was written */
SPK_COLD int spk_unlink(const char *path);
SPK_COLD int spk_unlinkat(int directory, const char *path, int flags);
SPK_COLD int spk_rmdir(const char *path);

/* spk_thread_start: pthread_create. place: where the calling thread is when it is nowhere; may be
 * NULL. */
SPK_COLD int spk_thread_start(struct spk_place *place, pthread_t *thread, const pthread_attr_t *attributes,
    void *(*run)(void *), void *argument);

#endif
