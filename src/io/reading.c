/* SPDX-License-Identifier: Apache-2.0 */
/* How files are read, whether they have a name, a size, or neither, or are read through something. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/sys.h"
#include "io/files.h"
#include "io/form.h"

int spk_file_descriptor(const spk_file *file)
{
    char own[40];
    const char *path = file->path;
    int fd;
    if (file->fd >= 0) {
        snprintf(own, sizeof own, "/proc/self/fd/%d", file->fd);
        path = own;
    }
    do
        fd = spk_open(path, O_RDONLY | O_CLOEXEC, 0);
    while (fd < 0 && errno == EINTR);
    return fd;
}

spark_status spk_reading_open(
    spk_reading *reading, const spk_file *file, const spk_watch *watch, spk_failure *failure)
{
    *reading = (spk_reading) { .file = file, .watch = watch, .fd = file->fd };
    if (file->class)
        return file->class->open(reading, failure);
    if (reading->fd < 0 && (reading->fd = spk_file_descriptor(file)) < 0)
        return spk_io_failure(failure, "cannot open", file->path, errno);
    return SPARK_OK;
}

spark_status spk_reading_next(spk_reading *reading, char *to, size_t n, uint64_t offset, size_t *got,
    spk_failure *failure)
{
    const spk_file *file = reading->file;
    *got = 0;
    if (file->class)
        return file->class->read(reading, to, n, offset, got, failure);
    while (*got < n) {
        const ssize_t some = file->size == SPK_TO_END
            ? spk_read(reading->fd, to + *got, n - *got)
            : spk_pread(reading->fd, to + *got, n - *got, (off_t)(offset + *got));
        if (some < 0 && errno != EINTR)
            return spk_io_failure(failure, "cannot read", file->path, errno);
        if (some == 0)
            break;
        *got += some > 0 ? (size_t)some : 0;
    }
    return SPARK_OK;
}

void spk_reading_close(spk_reading *reading)
{
    if (!reading->file)
        return;
    if (reading->file->class)
        reading->file->class->close(reading);
    else if (reading->fd >= 0 && reading->fd != reading->file->fd)
        close(reading->fd);
    reading->fd = -1;
}

spark_status spk_reading_form(const spk_reading *reading, spk_failure *failure)
{
    char head[SPK_FORM_BYTES];
    ssize_t n;
    if (reading->file->class)
        return SPARK_OK;
    do
        n = spk_pread(reading->fd, head, sizeof head, 0);
    while (n < 0 && errno == EINTR);
    return n <= 0 ? SPARK_OK : spk_form_check(reading->file->path, head, (size_t)n, failure);
}

/* ---- the whole of a file ---- */

/* double_it: room for as much again. */
static bool double_it(spk_heap *heap, char **content, size_t n, size_t *capacity)
{
    size_t larger;
    char *copy = spk_heap_alloc(heap, 2 * *capacity, &larger);
    if (copy == NULL)
        return false;
    memcpy(copy, *content, n);
    spk_heap_free(heap, *content, *capacity);
    *content = copy;
    *capacity = larger;
    return true;
}

/* fill: all there is; a file that says its size must have as much. */
static spark_status fill(spk_reading *reading, spk_heap *heap, char **content, size_t *n,
    size_t *capacity, spk_failure *failure)
{
    const spk_file *file = reading->file;
    const bool sized = file->size != SPK_TO_END;
    size_t got;
    do {
        const size_t room = sized ? (size_t)file->size : *capacity - *n;
        if (spk_reading_next(reading, *content + *n, room, *n, &got, failure) != SPARK_OK)
            return failure->code;
        *n += got;
        if (sized && got < room)
            return spk_failure_set(failure, SPARK_EIO, NULL, NULL,
                "%s shrank while it was read: it ends at byte %zu, not %zu", file->path, got, room);
        if (!sized && got == room && !double_it(heap, content, *n, capacity))
            return spk_failure_set(failure, SPARK_ENOMEM, NULL, NULL,
                "out of memory: %s is longer than %zu bytes", file->path, *n);
    } while (!sized && got > 0);
    return SPARK_OK;
}

static spark_status no_room(spk_heap *heap, const spk_file *file, spk_failure *failure)
{
    char what[400], text[600];
    snprintf(what, sizeof what, "the content of %s", file->path);
    return spk_failure_set(failure, SPARK_ENOMEM, NULL, NULL, "%s",
        spk_heap_refusal(heap, what, file->size == SPK_TO_END ? 0 : file->size, text, sizeof text));
}

spark_status spk_file_content(const spk_file *file, const spk_watch *watch, spk_heap *heap,
    char **content, size_t *n, size_t *capacity, spk_failure *failure)
{
    enum { FIRST = 64 * 1024 };
    spk_reading reading;
    if (spk_reading_open(&reading, file, watch, failure) != SPARK_OK)
        return failure->code;
    *content = spk_heap_alloc(
        heap, file->size == SPK_TO_END ? FIRST : (size_t)file->size + 1, capacity);
    *n = 0;
    spark_status status = *content == NULL
        ? no_room(heap, file, failure)
        : fill(&reading, heap, content, n, capacity, failure);
    if (status != SPARK_OK && *content != NULL)
        spk_heap_free(heap, *content, *capacity);
    spk_reading_close(&reading);
    return status;
}
