/* SPDX-License-Identifier: Apache-2.0 */
/* A process that is killed leaves its files behind. Each local directory is therefore locked
 * (flock, which ends with the process however it ends), and who makes one removes those of the same
 * user that are not. Between making and locking, another may take a new directory for a dead one's:
 * who finds that it is locked or gone makes another. */
#include "io/local_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"
#include "io/files.h"
#include "io/output.h"

static const char prefix[] = "libspark-local-";
enum { DEPTH = 4, TRIES = 16, OPEN = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

/* remove_tree: what is below a directory, as deep as checkpoints go; takes the descriptor. */
static void remove_tree(int fd, int depth)
{
    DIR *dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return;
    }
    for (const struct dirent *e; (e = spk_readdir(dir)) != NULL;) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0
            || spk_unlinkat(fd, e->d_name, 0) == 0)
            continue;
        const int inner = depth > 0 ? spk_openat(fd, e->d_name, OPEN) : -1;
        if (inner >= 0)
            remove_tree(inner, depth - 1);
        spk_unlinkat(fd, e->d_name, AT_REMOVEDIR);
    }
    closedir(dir);
}

/* sweep_one: a directory of this user that nobody has locked. */
static void sweep_one(int parent, const char *name)
{
    struct stat is;
    const int fd = spk_openat(parent, name, OPEN);
    if (fd < 0)
        return;
    if (spk_fstat(fd, &is) != 0 || is.st_uid != geteuid() || spk_flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        return;
    }
    const int within = spk_openat(fd, ".", OPEN); /* the lock stays until the directory has gone */
    if (within >= 0)
        remove_tree(within, DEPTH);
    spk_unlinkat(parent, name, AT_REMOVEDIR);
    close(fd);
}

static void sweep(const char *path)
{
    DIR *dir = spk_opendir(path);
    if (!dir)
        return;
    for (const struct dirent *e; (e = spk_readdir(dir)) != NULL;)
        if (strncmp(e->d_name, prefix, sizeof prefix - 1) == 0)
            sweep_one(dirfd(dir), e->d_name);
    closedir(dir);
}

/* lock_it: -1 and errno; see swept. */
static int lock_it(const char *path)
{
    struct stat have, is;
    const int lock = spk_open(path, OPEN, 0);
    if (lock < 0)
        return -1;
    int error = 0;
    if (spk_flock(lock, LOCK_EX | LOCK_NB) != 0 || spk_fstat(lock, &have) != 0
        || spk_stat(path, &is) != 0)
        error = errno;
    else if (have.st_ino != is.st_ino || have.st_dev != is.st_dev)
        error = ENOENT;
    if (error == 0)
        return lock;
    close(lock);
    errno = error;
    return -1;
}

/* swept: it could not be locked because somebody else removes, or has removed, it. */
static bool swept(int error)
{
    return error == ENOENT || error == EWOULDBLOCK;
}

spark_status spk_local_dir_make(const char *parent, char **path, int *lock, spk_failure *failure)
{
    struct stat is;
    int error = spk_stat(parent, &is) == 0 ? EWOULDBLOCK : errno;
    if (error != EWOULDBLOCK) /* as for spilling: it is not made, for nobody would remove it */
        return spk_io_failure(failure, "cannot make a directory in", parent, error);
    sweep(parent);
    for (int i = 0; i < TRIES && swept(error); i++) {
        const spark_status status = spk_own_directory(parent, prefix, path, failure);
        if (status != SPARK_OK || (*lock = lock_it(*path)) >= 0)
            return status;
        error = errno;
        spk_own_directory_end(*path);
        *path = NULL;
    }
    return spk_io_failure(failure, "cannot lock a directory in", parent, error);
}

void spk_local_dir_end(char *path, int lock)
{
    if (!path)
        return;
    spk_own_directory_end(path);
    close(lock);
}
