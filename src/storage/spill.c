/* SPDX-License-Identifier: Apache-2.0 */
/* One file a context, unlinked when it is made, so that nothing is left behind however the process
 * ends. A slice is written as rows, hashes, and what the rows point to, with pointers as offsets, and
 * a checksum. Space of runs that are freed is given back by punching holes, where the system can. */
#include "storage/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "io/files.h"

enum { BUFFER = 1024 * 1024 };

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
    pthread_mutex_lock(&heap->lock);
    const bool wanted = heap->mapped - heap->cached > heap->limit / 2;
    pthread_mutex_unlock(&heap->lock);
    return wanted;
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

/* reserve: room for n bytes at *at. */
static spark_status reserve(spk_spill *spill, uint64_t n, uint64_t *at, spk_failure *failure)
{
    pthread_mutex_lock(&spill->lock);
    const spark_status status = open_file(spill, failure);
    if (status == SPARK_OK) {
        *at = spill->end;
        spill->end += n;
        spill->written += n;
    }
    pthread_mutex_unlock(&spill->lock);
    return status;
}

static spark_status write_at(
    const spk_spill *spill, const char *data, size_t n, uint64_t at, spk_failure *failure)
{
    while (n > 0) {
        const ssize_t done = pwrite(spill->fd, data, n, (off_t)at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return spk_io_failure(failure, "cannot write to a spill file in",
                spk_local_directory(spill->directory), done < 0 ? errno : ENOSPC);
        data += done;
        at += (uint64_t)done;
        n -= (size_t)done;
    }
    return SPARK_OK;
}

static size_t up(size_t n)
{
    return (n + 15) / 16 * 16;
}

/* measure: bytes of a slice on disk, at most. */
static size_t measure(const spk_run *run, uint32_t slice, const spk_layout *layout, size_t *tail)
{
    const size_t n = run->offsets[slice + 1] - run->offsets[slice], size = layout->size;
    const char *rows = run->rows + run->offsets[slice] * size;
    size_t bytes = *tail = up(n * size) + (run->hashes ? n * 8 : 0);
    for (size_t i = 0; layout->views && i < n; i++)
        bytes += spk_value_bytes(layout, rows + i * size);
    return up(bytes);
}

/* fill: the slice as it is on disk. Returns its bytes. */
static size_t fill(const spk_run *run, uint32_t slice, const spk_layout *layout, char *to,
    size_t tail, size_t most)
{
    const size_t n = run->offsets[slice + 1] - run->offsets[slice], size = layout->size;
    char *end = to + tail;
    memset(to, 0, most);
    memcpy(to, run->rows + run->offsets[slice] * size, n * size);
    if (run->hashes)
        memcpy(to + up(n * size), run->hashes + run->offsets[slice], n * 8);
    for (size_t i = 0; layout->views && i < n; i++)
        end = spk_value_pack(layout, to + i * size, end);
    if (layout->views)
        spk_rows_shift(layout, to, n, (ptrdiff_t)(0 - (uintptr_t)to), true);
    return (size_t)(end - to);
}

/* write_slices: through a buffer. */
static spark_status write_slices(const spk_run *run, spk_run *on_disk, spk_spill *spill,
    const spk_layout *layout, char *buffer, size_t capacity, uint64_t at, spk_failure *failure)
{
    size_t used = 0;
    spark_status status = SPARK_OK;
    for (uint32_t s = 0; s < run->slices && status == SPARK_OK; s++) {
        struct spk_extent *extent = &on_disk->extents[s];
        size_t tail;
        const size_t most = measure(run, s, layout, &tail);
        if (used + most > capacity) {
            status = write_at(spill, buffer, used, at, failure);
            at += used;
            used = 0;
        }
        const size_t bytes = run->offsets[s] < run->offsets[s + 1]
            ? fill(run, s, layout, buffer + used, tail, most)
            : 0;
        *extent = (struct spk_extent) { at + used, spk_hash_bytes(buffer + used, bytes),
            (uint32_t)bytes, (uint32_t)tail };
        used += bytes ? most : 0;
    }
    return status == SPARK_OK ? write_at(spill, buffer, used, at, failure) : status;
}

spark_status spk_run_spill(
    spk_run **run, spk_heap *heap, spk_spill *spill, const spk_layout *layout, spk_failure *failure)
{
    spk_run *old = *run;
    size_t total = 0, largest = BUFFER, capacity;
    uint64_t at = 0;
    for (uint32_t s = 0; s < old->slices; s++) {
        size_t tail;
        const size_t bytes = measure(old, s, layout, &tail);
        largest = bytes > largest ? bytes : largest;
        total += bytes;
    }
    if (largest > UINT32_MAX)
        return SPARK_OK; /* one huge row stays where it is */
    spk_run *fresh = spk_run_on_disk(heap, old);
    char *buffer = fresh ? spk_heap_alloc(heap, largest, &capacity) : NULL;
    if (!buffer) {
        spk_runs_free(heap, fresh);
        return SPARK_OK; /* it stays in memory; what needs more will say so */
    }
    spark_status status = reserve(spill, total, &at, failure);
    if (status == SPARK_OK)
        status = write_slices(old, fresh, spill, layout, buffer, largest, at, failure);
    spk_heap_free(heap, buffer, capacity);
    if (status != SPARK_OK) {
        spk_runs_free(heap, fresh);
        return status;
    }
    fresh->spill = spill;
    fresh->disk_at = at;
    fresh->disk_bytes = total;
    old->next = NULL;
    spk_runs_free(heap, old);
    *run = fresh;
    return SPARK_OK;
}

void spk_run_forget(const spk_run *run)
{
#ifdef FALLOC_FL_PUNCH_HOLE
    fallocate(run->spill->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)run->disk_at,
        (off_t)run->disk_bytes);
#else
    (void)run;
#endif
}

static spark_status read_extent(
    const spk_run *run, const struct spk_extent *extent, char *to, spk_failure *failure)
{
    size_t got = 0;
    while (got < extent->bytes) {
        const ssize_t some
            = pread(run->spill->fd, to + got, extent->bytes - got, (off_t)(extent->at + got));
        if (some < 0 && errno == EINTR)
            continue;
        if (some <= 0)
            return spk_io_failure(failure, "cannot read a spill file in",
                spk_local_directory(run->spill->directory), some < 0 ? errno : EIO);
        got += (size_t)some;
    }
    if (spk_hash_bytes(to, extent->bytes) != extent->checksum)
        return spk_failure_set(failure, SPARK_EIO, NULL, NULL,
            "a spill file in %s has changed on disk", spk_local_directory(run->spill->directory));
    return SPARK_OK;
}

spark_status spk_run_load(const spk_run *run, uint32_t slice, spk_heap *heap,
    const spk_layout *layout, char **block, size_t *capacity, uint64_t **hashes,
    spk_failure *failure)
{
    const struct spk_extent *extent = &run->extents[slice];
    const size_t n = run->offsets[slice + 1] - run->offsets[slice];
    *block = spk_heap_alloc(heap, extent->bytes + (size_t)16, capacity);
    if (!*block)
        return spk_failure_nomem(failure, NULL, NULL);
    const spark_status status = read_extent(run, extent, *block, failure);
    if (status != SPARK_OK) {
        spk_heap_free(heap, *block, *capacity);
        *block = NULL;
        return status;
    }
    *hashes = run->carries ? (uint64_t *)(void *)(*block + up(n * layout->size)) : NULL;
    if (layout->views)
        spk_rows_shift(layout, *block, n, (ptrdiff_t)(uintptr_t)*block, false);
    return SPARK_OK;
}
