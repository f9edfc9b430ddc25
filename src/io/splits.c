/* SPDX-License-Identifier: Apache-2.0 */
/* How files are read: where they are split, by the arithmetic of Hadoop's FileInputFormat, and with
 * which calls, whether they have a name, a size, or neither. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/sys.h"
#include "io/files.h"

static const uint64_t LARGEST_SPLIT = 32u * 1024 * 1024;
static const double SPLIT_SLOP = 1.1; /* a rest of up to this many splits is not split again */

spark_status spk_reader_open(
    spk_reader *reader, const spk_file *file, uint64_t to, spk_failure *failure)
{
    *reader = (spk_reader) { .file = file, .fd = file->source ? -1 : file->fd, .to = to };
    while (!file->source && reader->fd < 0
        && (reader->fd = spk_open(file->path, O_RDONLY | O_CLOEXEC, 0)) < 0)
        if (errno != EINTR)
            return spk_io_failure(failure, "cannot open", file->path, errno);
    return SPARK_OK;
}

void spk_reader_close(spk_reader *reader)
{
    if (reader->stream)
        reader->file->source->close(reader->stream);
    if (reader->fd >= 0 && reader->fd != reader->file->fd)
        close(reader->fd);
    reader->stream = NULL;
    reader->fd = -1;
}

/* read_stream: where it is not where it should be, another one is begun. */
SPK_COLD static spark_status read_stream(
    spk_reader *r, char *to, size_t n, uint64_t offset, size_t *got, spk_failure *failure)
{
    const spk_source *source = r->file->source;
    if (r->stream && r->at != offset)
        spk_reader_close(r);
    if (!r->stream && !(r->stream = source->open(r->file, offset, r->to, r->watch, failure)))
        return failure->code;
    while (*got < n) {
        const size_t some = source->read(r->stream, to + *got, n - *got, failure);
        if (some == SIZE_MAX)
            return failure->code;
        if (some == 0)
            break;
        *got += some;
    }
    r->at = offset + *got;
    return SPARK_OK;
}

spark_status spk_reader_read(spk_reader *reader, char *to, size_t n, uint64_t offset, size_t *got,
    spk_failure *failure)
{
    *got = 0;
    if (reader->file->source)
        return read_stream(reader, to, n, offset, got, failure);
    while (*got < n) {
        const ssize_t some = reader->file->size == SPK_TO_END
            ? spk_read(reader->fd, to + *got, n - *got)
            : spk_pread(reader->fd, to + *got, n - *got, (off_t)(offset + *got));
        if (some < 0 && errno != EINTR)
            return spk_io_failure(failure, "cannot read", reader->file->path, errno);
        if (some == 0)
            break;
        *got += some > 0 ? (size_t)some : 0;
    }
    return SPARK_OK;
}

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
static spark_status fill(spk_reader *reader, spk_heap *heap, char **content, size_t *n,
    size_t *capacity, spk_failure *failure)
{
    const spk_file *file = reader->file;
    const bool sized = file->size != SPK_TO_END;
    size_t got;
    do {
        const size_t room = sized ? (size_t)file->size : *capacity - *n;
        if (spk_reader_read(reader, *content + *n, room, *n, &got, failure) != SPARK_OK)
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
    spk_reader reader;
    if (spk_reader_open(&reader, file, file->size, failure) != SPARK_OK)
        return failure->code;
    reader.watch = watch;
    *content = spk_heap_alloc(
        heap, file->size == SPK_TO_END ? FIRST : (size_t)file->size + 1, capacity);
    *n = 0;
    spark_status status = *content == NULL
        ? no_room(heap, file, failure)
        : fill(&reader, heap, content, n, capacity, failure);
    if (status != SPARK_OK && *content != NULL)
        spk_heap_free(heap, *content, *capacity);
    spk_reader_close(&reader);
    return status;
}

static uint64_t split_size(const spk_files *files, int min_splits)
{
    uint64_t total = 0;
    for (size_t i = 0; i < files->n; i++)
        total += files->at[i].size == SPK_TO_END ? 0 : files->at[i].size;
    const uint64_t goal = total / (uint64_t)(min_splits < 1 ? 1 : min_splits);
    return goal > LARGEST_SPLIT ? LARGEST_SPLIT : goal < 1 ? 1 : goal;
}

/* split_file: the splits of one file, written to `to` unless it is NULL; returns how many. */
static size_t split_file(const spk_file *file, uint64_t size, spk_split *to)
{
    size_t n = 0;
    if (file->size == SPK_TO_END) {
        if (to != NULL)
            *to = (spk_split) { file, 0, SPK_TO_END, NULL };
        return 1;
    }
    for (uint64_t start = 0; start < file->size; n++) {
        const uint64_t left = file->size - start;
        const uint64_t end = (double)left / (double)size > SPLIT_SLOP ? start + size : file->size;
        if (to != NULL)
            to[n] = (spk_split) { file, start, end, NULL };
        start = end;
    }
    return n;
}

SPK_COLD spark_status spk_splits_make(
    const spk_files *files, int min_splits, spk_splits *splits, spk_failure *failure)
{
    const uint64_t size = split_size(files, min_splits);
    size_t n = 0;
    *splits = (spk_splits) { NULL, 0 };
    for (size_t i = 0; i < files->n; i++) {
        const spk_file *file = &files->at[i];
        if (file->size != SPK_TO_END && file->size / size > INT_MAX)
            return spk_failure_set(failure, SPARK_EIO, NULL, NULL,
                "%s has %" PRIu64 " bytes: more partitions than there can be", file->path, file->size);
        n += split_file(file, size, NULL);
    }
    if (n == 0)
        return SPARK_OK;
    splits->at = n <= SIZE_MAX / sizeof *splits->at ? malloc(n * sizeof *splits->at) : NULL;
    if (splits->at == NULL)
        return spk_failure_nomem(failure, NULL, NULL);
    for (size_t i = 0; i < files->n; i++)
        splits->n += split_file(&files->at[i], size, splits->at + splits->n);
    return SPARK_OK;
}

void spk_splits_free(spk_splits *splits)
{
    free(splits->at);
    *splits = (spk_splits) { NULL, 0 };
}

spark_status spk_splits_whole(const spk_files *files, spk_splits *splits, spk_failure *failure)
{
    *splits = (spk_splits) { calloc(files->n + 1, sizeof *splits->at), files->n };
    if (!splits->at)
        return spk_failure_nomem(failure, NULL, NULL);
    for (size_t i = 0; i < files->n; i++)
        splits->at[i] = (spk_split) { &files->at[i], 0, files->at[i].size, NULL };
    return SPARK_OK;
}
