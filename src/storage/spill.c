/* SPDX-License-Identifier: Apache-2.0 */
/* One file a context, unlinked when it is made. Space that is free again is given back by punching
 * holes, where the system can. */
#include "storage/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/sys.h"
#include "io/files.h"

void spk_spill_init(spk_spill *spill, const char *directory)
{
    *spill = (spk_spill) { .directory = directory, .fd = -1 };
    pthread_mutex_init(&spill->lock, NULL);
}

void spk_spill_fini(spk_spill *spill)
{
    if (spill->fd >= 0)
        close(spill->fd);
    pthread_mutex_destroy(&spill->lock);
}

bool spk_spill_wanted(spk_heap *heap)
{
    if (heap->limit == 0)
        return false;
    const uint64_t stored = atomic_load_explicit(&heap->stored, memory_order_relaxed);
    const uint64_t kept = stored < heap->kept ? stored : heap->kept;
    pthread_mutex_lock(&heap->lock);
    const uint64_t used = heap->mapped - heap->cached;
    pthread_mutex_unlock(&heap->lock);
    return used > stored && used - stored > (heap->limit - kept) / 2;
}

const char *spk_local_directory(const char *asked)
{
    const char *set = getenv("TMPDIR");
    if (asked && *asked)
        return asked;
    return set && *set ? set : access("/var/tmp", W_OK) == 0 ? "/var/tmp" : "/tmp";
}

/* open_file: with the lock held. */
static spark_status open_file(spk_spill *spill, spk_failure *failure)
{
    if (spill->fd < 0)
        spill->fd = spk_unnamed_file(
            spk_local_directory(spill->directory), "cannot make a spill file in", failure);
    return spill->fd < 0 ? failure->code : SPARK_OK;
}

spark_status spk_spill_reserve(spk_spill *spill, uint64_t n, uint64_t *at, spk_failure *failure)
{
    pthread_mutex_lock(&spill->lock);
    const spark_status status = open_file(spill, failure);
    if (status == SPARK_OK) {
        *at = spill->end;
        spill->end += n;
    }
    pthread_mutex_unlock(&spill->lock);
    return status;
}

void spk_spill_forget(const spk_spill *spill, uint64_t at, uint64_t n)
{
#ifdef FALLOC_FL_PUNCH_HOLE
    fallocate(spill->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)n);
#else
    (void)spill, (void)at, (void)n;
#endif
}

spark_status spk_spill_write(
    const spk_spill *spill, const void *data, size_t n, uint64_t at, spk_failure *failure)
{
    for (const char *from = data; n > 0;) {
        const ssize_t done = spk_pwrite(spill->fd, from, n, (off_t)at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return spk_io_failure(failure, "cannot write to a spill file in",
                spk_local_directory(spill->directory), done < 0 ? errno : ENOSPC);
        from += done;
        at += (uint64_t)done;
        n -= (size_t)done;
    }
    return SPARK_OK;
}

spark_status spk_spill_read(
    const spk_spill *spill, void *to, size_t n, uint64_t at, spk_failure *failure)
{
    for (char *into = to; n > 0;) {
        const ssize_t got = spk_pread(spill->fd, into, n, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return spk_io_failure(failure, "cannot read a spill file in",
                spk_local_directory(spill->directory), got < 0 ? errno : EIO);
        into += got;
        at += (uint64_t)got;
        n -= (size_t)got;
    }
    return SPARK_OK;
}
