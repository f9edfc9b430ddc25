/* SPDX-License-Identifier: Apache-2.0 */
/* The system lets go of a file's lock when the process ends, however it ends; so a lock that is held
 * says that a save goes on, and one that is free that it was interrupted. The file gets its name once
 * the lock is held, or somebody would find it without its owner. */
#include "io/save_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"

typedef struct lock_path {
    char path[PATH_MAX + 1];
} lock_path;

static lock_path inside(const char *directory, const char *name)
{
    lock_path p;
    snprintf(p.path, sizeof p.path, "%s/_temporary%s", directory, name);
    return p;
}

static int open_for(const char *path, int flags)
{
    int fd;
    do
        fd = spk_open(path, flags | O_CLOEXEC, 0666);
    while (fd < 0 && errno == EINTR);
    return fd;
}

int spk_save_lock_take(const char *directory, int *lock)
{
    const lock_path early = inside(directory, "/_lock-new"), late = inside(directory, "/_lock");
    *lock = open_for(early.path, O_RDWR | O_CREAT | O_EXCL);
    if (*lock < 0)
        return errno;
    if (spk_flock(*lock, LOCK_EX | LOCK_NB) == 0 && spk_rename(early.path, late.path) == 0)
        return 0;
    close(*lock);
    *lock = -1;
    spk_unlink(early.path);
    return 0;
}

int spk_save_lock_remove(const char *directory)
{
    return spk_unlink(inside(directory, "/_lock").path) == 0 || errno == ENOENT ? 0 : errno;
}

const char *spk_save_lock_tell(const char *directory)
{
    struct stat info;
    if (spk_stat(inside(directory, "").path, &info) != 0 || !S_ISDIR(info.st_mode))
        return "already exists: choose another one or remove it";
    const int lock = open_for(inside(directory, "/_lock").path, O_RDONLY);
    if (lock < 0)
        return "already exists and holds an unfinished save: remove it, if nobody writes there "
               "any more, or choose another one";
    const bool ended = spk_flock(lock, LOCK_SH | LOCK_NB) == 0;
    close(lock);
    return ended ? "already exists and holds an unfinished save, whose process has ended: remove "
                   "it, choose another one, or save with append or overwrite, which put it in order"
                 : "already exists, and a save into it goes on: choose another one";
}
