/* SPDX-License-Identifier: Apache-2.0 */
/* One file a directory, made when it is first needed, unlinked at once. Each piece goes to the next one;
 * its room is asked for before it is written, so that a disk that is full is found when another can
 * still take over. A directory that is gone or full is left out, until all are. Space that is free again
 * is given back by punching holes, where the system can.
 *
 * A file system in memory is no place for what memory has no room for: it would take from the same
 * memory, uncharged, so it counts as a directory that cannot be used. */
#include "storage/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/signals.h"
#include "base/sys.h"
#include "io/files.h"

void spk_spill_init(spk_spill *spill, const char *directory)
{
    *spill = (spk_spill) { .directory = directory };
    for (int i = 0; i < SPK_SPILL_FILES; i++)
        spill->files[i].fd = -1;
    pthread_mutex_init(&spill->lock, NULL);
}

static void close_files(spk_spill *spill)
{
    for (int i = 0; i < SPK_SPILL_FILES; i++) {
        if (spill->files[i].fd >= 0)
            close(spill->files[i].fd);
        spill->files[i] = (spk_spill_file) { .fd = -1 };
    }
}

void spk_spill_fini(spk_spill *spill)
{
    close_files(spill);
    pthread_mutex_destroy(&spill->lock);
}

bool spk_spill_close(spk_spill *spill)
{
    pthread_mutex_lock(&spill->lock);
    const bool unused = atomic_load(&spill->used) == 0;
    if (unused)
        close_files(spill);
    pthread_mutex_unlock(&spill->lock);
    return unused;
}

bool spk_spill_wanted(spk_heap *heap)
{
    if (heap->limit == 0)
        return false;
    const uint64_t stored = atomic_load_explicit(&heap->stored, memory_order_relaxed);
    const uint64_t most = atomic_load_explicit(&heap->kept, memory_order_relaxed);
    const uint64_t kept = stored < most ? stored : most;
    pthread_mutex_lock(&heap->lock);
    const uint64_t used = heap->mapped - heap->cached;
    pthread_mutex_unlock(&heap->lock);
    if (used <= stored)
        return false;
    const uint64_t room = heap->limit - kept, tasks = used - stored;
    const uint64_t floor = atomic_load_explicit(&heap->floor, memory_order_relaxed);
    return tasks > room / 2 || tasks + floor > room;
}

static const char *usual_directory(void)
{
    const char *set = getenv("TMPDIR");
    return set && *set ? set : access("/var/tmp", W_OK) == 0 ? "/var/tmp" : "/tmp";
}

/* entry: the i-th part between commas that is not empty, without blanks around it; NULL: there is none. */
static const char *entry(const char *asked, unsigned i, size_t *n)
{
    static const char blanks[] = " \t\n";
    for (const char *at = asked; *at; at += strcspn(at, ",")) {
        at += *at == ',';
        at += strspn(at, blanks);
        for (*n = strcspn(at, ","); *n > 0 && strchr(blanks, at[*n - 1]);)
            --*n;
        if (*n > 0 && i-- == 0)
            return at;
    }
    return NULL;
}

bool spk_local_directory(const char *asked, unsigned i, char path[SPK_PATH])
{
    size_t n;
    const char *at = entry(asked && *asked ? asked : usual_directory(), i, &n);
    if (!at || n >= SPK_PATH)
        return false;
    memcpy(path, at, n);
    path[n] = '\0';
    return true;
}

spark_status spk_local_dir_check(const char *asked, spk_failure *failure)
{
    size_t n;
    if (!asked || !*asked)
        return SPARK_OK;
    if (!entry(asked, 0, &n))
        return spk_failure_set(
            failure, SPARK_EINVAL, NULL, NULL, "spark_conf.local_dir names no directory: \"%s\"", asked);
    if (entry(asked, SPK_SPILL_FILES, &n))
        return spk_failure_set(failure, SPARK_EINVAL, NULL, NULL,
            "spark_conf.local_dir names more than %d directories", SPK_SPILL_FILES);
    for (unsigned i = 0; entry(asked, i, &n); i++)
        if (n >= SPK_PATH)
            return spk_failure_set(failure, SPARK_EINVAL, NULL, NULL,
                "directory %u of spark_conf.local_dir has a name of %zu bytes; %d are the limit", i, n,
                SPK_PATH - 1);
    return SPARK_OK;
}

/* ---- files */

static uint64_t offset_of(uint64_t at)
{
    return at & ((UINT64_C(1) << SPK_SPILL_SHIFT) - 1);
}

static unsigned file_of(uint64_t at)
{
    return (unsigned)(at >> SPK_SPILL_SHIFT);
}

/* fails: of the i-th file. */
static spark_status fails(
    const spk_spill *spill, const char *what, unsigned i, int error, spk_failure *failure)
{
    char path[SPK_PATH] = "";
    spk_local_directory(spill->directory, i, path);
    return spk_io_failure(failure, what, path, error);
}

/* open_file: with the lock held. */
static spark_status open_file(spk_spill *spill, unsigned i, spk_failure *failure)
{
    spk_spill_file *file = &spill->files[i];
    char path[SPK_PATH];
    struct statfs is;
    if (file->fd >= 0)
        return SPARK_OK;
    spk_local_directory(spill->directory, i, path);
    const int fd = spk_unnamed_file(path, "cannot make a temporary file in", failure);
    if (fd < 0)
        return failure->code;
    if (fstatfs(fd, &is) == 0 && (is.f_type == TMPFS_MAGIC || is.f_type == RAMFS_MAGIC)) {
        close(fd);
        return spk_failure_set(failure, SPARK_EIO, NULL, NULL,
            "cannot make a temporary file in %s: it is in memory; name a directory on a disk in "
            "spark_conf.local_dir",
            path);
    }
    file->fd = fd;
    return SPARK_OK;
}

/* next_file: the next one that was not tried yet, open; those that are bad come last, for there may be
 * room again. -1: there is none any more, *failure is that of the last. With the lock held. */
static int next_file(spk_spill *spill, unsigned *tried, spk_failure *failure)
{
    char path[SPK_PATH];
    unsigned n = 0;
    while (n < SPK_SPILL_FILES && spk_local_directory(spill->directory, n, path))
        n++;
    for (unsigned k = 0; k < 2 * n; k++) {
        const unsigned i = spill->next++ % n;
        if ((*tried >> i & 1) || (k < n && spill->files[i].bad))
            continue;
        *tried |= 1U << i;
        spill->files[i].bad = open_file(spill, i, failure) != SPARK_OK;
        if (!spill->files[i].bad)
            return (int)i;
    }
    return -1;
}

/* make_room: on the disk, where the file system can tell. Returns an errno. */
static int make_room(int fd, uint64_t at, uint64_t n)
{
    spk_held_signal held;
    int error;
    spk_signal_hold(&held, SIGXFSZ);
    do
        error = n == 0 || fallocate(fd, 0, (off_t)at, (off_t)n) == 0 ? 0 : errno;
    while (error == EINTR);
    spk_signal_let(&held, error == EFBIG);
    return error == EOPNOTSUPP || error == ENOSYS || error == EINVAL ? 0 : error;
}

static void leave_out(spk_spill *spill, unsigned i)
{
    pthread_mutex_lock(&spill->lock);
    spill->files[i].bad = true;
    pthread_mutex_unlock(&spill->lock);
}

spark_status spk_spill_reserve(spk_spill *spill, uint64_t n, uint64_t *at, spk_failure *failure)
{
    unsigned tried = 0;
    spk_failure_set(failure, SPARK_EIO, NULL, NULL, "spark_conf.local_dir names no directory");
    for (;;) {
        pthread_mutex_lock(&spill->lock);
        const int i = next_file(spill, &tried, failure);
        if (i >= 0) {
            *at = spill->files[i].end;
            spill->files[i].end += n;
            atomic_fetch_add(&spill->used, n);
        }
        pthread_mutex_unlock(&spill->lock);
        if (i < 0)
            return failure->code;
        const int error = make_room(spill->files[i].fd, *at, n);
        *at |= (uint64_t)i << SPK_SPILL_SHIFT;
        if (!error)
            return SPARK_OK;
        fails(spill, "cannot write to a temporary file in", (unsigned)i, error, failure);
        leave_out(spill, (unsigned)i);
        atomic_fetch_sub(&spill->used, n);
    }
}

void spk_spill_forget(spk_spill *spill, uint64_t at, uint64_t n)
{
#ifdef FALLOC_FL_PUNCH_HOLE
    fallocate(spill->files[file_of(at)].fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
        (off_t)offset_of(at), (off_t)n);
#else
    (void)at;
#endif
    atomic_fetch_sub(&spill->used, n); /* last: then the file may go */
}

spark_status spk_spill_write(
    spk_spill *spill, const void *data, size_t n, uint64_t at, spk_failure *failure)
{
    const unsigned i = file_of(at);
    off_t to = (off_t)offset_of(at);
    for (const char *from = data; n > 0;) {
        const ssize_t done = spk_pwrite(spill->files[i].fd, from, n, to);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            fails(spill, "cannot write to a temporary file in", i, done < 0 ? errno : ENOSPC, failure);
            leave_out(spill, i);
            return failure->code;
        }
        from += done;
        to += done;
        n -= (size_t)done;
    }
    return SPARK_OK;
}

spark_status spk_spill_read(
    const spk_spill *spill, void *to, size_t n, uint64_t at, spk_failure *failure)
{
    const unsigned i = file_of(at);
    off_t from = (off_t)offset_of(at);
    for (char *into = to; n > 0;) {
        const ssize_t got = spk_pread(spill->files[i].fd, into, n, from);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return fails(
                spill, "cannot read a temporary file in", i, got < 0 ? errno : EIO, failure);
        into += got;
        from += got;
        n -= (size_t)got;
    }
    return SPARK_OK;
}

spark_status spk_spill_changed(const spk_spill *spill, uint64_t at, spk_failure *failure)
{
    char path[SPK_PATH] = "";
    spk_local_directory(spill->directory, file_of(at), path);
    return spk_failure_set(
        failure, SPARK_EIO, NULL, NULL, "a temporary file in %s has changed on disk", path);
}
