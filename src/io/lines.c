/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts a split of a text file into lines.
 *
 * A buffer is filled with pread and cut in place: lines are views into it, so nothing is copied but
 * the unfinished line at its end, which moves to the front before the next filling. Text with \n
 * alone, nearly all there is, is searched 64 bytes at a time where the machine can, else with a
 * memchr a line. Each filling is searched once for a \r; only if there is one do its lines go
 * through the slower cut that knows \r\n and \r. A \r that is the last byte known waits for the
 * next one, which may be its \n.
 *
 * Borders work without any communication between splits: each reads every line that starts at or
 * before its end, and all but the first begin by dropping the rest of the line they start in.
 * That line is never kept in memory, and it is given up once it passes the end, so that a file of
 * one huge line costs each split no more than its own bytes. */
#include "io/lines.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "io/form.h"

enum {
    BUFFER_SIZE = 1024 * 1024,
    BEYOND_END = 16 * 1024 /* read past the split's end for the line that crosses it */
};

static size_t unread(const spk_lines *lines)
{
    return lines->to - lines->from;
}

static bool beyond_end(const spk_lines *lines)
{
    return lines->position > lines->end;
}

static void advance(spk_lines *lines, size_t n)
{
    lines->from += n;
    lines->position += n;
}

/* starts: how many of the unread bytes may begin a line of this split. */
static size_t starts(const spk_lines *lines)
{
    uint64_t left = lines->end - lines->position;
    return left >= unread(lines) ? unread(lines) : (size_t)left + 1;
}

#ifdef __SSE2__
enum { BLOCK = 64 };

/* newlines_in: a bit for each byte of a block that is \n, the first byte's lowest. */
static uint64_t newlines_in(const char *block)
{
    const __m128i newline = _mm_set1_epi8('\n');
    uint64_t ends = 0;
    for (int i = BLOCK - 16; i >= 0; i -= 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(block + i));
        ends = ends << 16 | (uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, newline));
    }
    return ends;
}

/* cut_blocks: the lines that end in whole blocks before border; *at moves behind the last of
 * them. */
static size_t cut_blocks(const char **at, const char *border, spark_str *out, size_t max)
{
    const char *line = *at;
    size_t n = 0;
    for (const char *block = line; border - block >= BLOCK && max - n >= BLOCK; block += BLOCK)
        for (uint64_t ends = newlines_in(block); ends != 0; ends &= ends - 1) {
            const char *newline = block + __builtin_ctzll(ends);
            out[n++] = (spark_str) { line, (size_t)(newline - line) };
            line = newline + 1;
        }
    *at = line;
    return n;
}
#else
static size_t cut_blocks(const char **at, const char *border, spark_str *out, size_t max)
{
    (void)at, (void)border, (void)out, (void)max;
    return 0;
}
#endif

static size_t cut_at_newlines(spk_lines *lines, spark_str *out, size_t max)
{
    const char *const begin = lines->buffer + lines->from, *const stop = lines->buffer + lines->to;
    const char *const border = begin + starts(lines);
    const char *at = begin;
    size_t n = cut_blocks(&at, border, out, max);
    while (n < max && at < border) {
        const char *newline = memchr(at, '\n', (size_t)(stop - at));
        if (newline == NULL)
            break;
        out[n++] = (spark_str) { at, (size_t)(newline - at) };
        at = newline + 1;
    }
    advance(lines, (size_t)(at - begin));
    return n;
}

/* next_newline: the index of the next \n, or `to`. Remembered, or text with \r alone would be
 * searched to its end for every call. */
static size_t next_newline(spk_lines *lines, size_t at)
{
    if (lines->newline <= at) {
        const char *found = memchr(lines->buffer + at, '\n', lines->to - at);
        lines->newline = (found == NULL ? lines->to : (size_t)(found - lines->buffer)) + 1;
    }
    return lines->newline - 1;
}

/* cut_at_any: the same for \n, \r\n and \r. */
static size_t cut_at_any(spk_lines *lines, spark_str *out, size_t max)
{
    const size_t begin = lines->from, border = begin + starts(lines);
    size_t at = begin, n = 0;
    while (n < max && at < border) {
        size_t length = next_newline(lines, at) - at;
        const char *line = lines->buffer + at;
        const char *feed = memchr(line, '\r', length);
        if (feed != NULL)
            length = (size_t)(feed - line);
        size_t next = at + length + 1;
        if (next > lines->to || (feed != NULL && next == lines->to && !lines->eof))
            break;
        if (feed != NULL && next < lines->to && feed[1] == '\n')
            next++;
        out[n++] = (spark_str) { line, length };
        at = next;
    }
    advance(lines, at - begin);
    return n;
}

static size_t cut(spk_lines *lines, spark_str *out, size_t max)
{
    if (beyond_end(lines))
        return 0;
    size_t n = (lines->has_return ? cut_at_any : cut_at_newlines)(lines, out, max);
    if (n < max && lines->eof && unread(lines) > 0 && !beyond_end(lines)) {
        out[n++] = (spark_str) { lines->buffer + lines->from, unread(lines) };
        advance(lines, unread(lines));
    }
    return n;
}

/* too_long: a line of more than `kept` bytes finds no buffer; 0: no line does. */
static spark_status too_long(
    const spk_lines *lines, size_t kept, size_t usable, spk_failure *failure)
{
    char what[400], text[600];
    if (kept > 0)
        snprintf(what, sizeof what,
            "the line at offset %llu of %s is longer than %zu bytes; its buffer",
            (unsigned long long)lines->position, lines->in.file->path, kept);
    else
        snprintf(what, sizeof what, "the read buffer of %s", lines->in.file->path);
    return spk_failure_set(failure, SPARK_ENOMEM, NULL, NULL, "%s",
        spk_heap_refusal(lines->heap, what, usable, text, sizeof text));
}

/* make_room: moves the unread bytes to the front; a buffer that is full of them is doubled. */
static spark_status make_room(spk_lines *lines, spk_failure *failure)
{
    const size_t kept = unread(lines);
    const char *old = lines->buffer + lines->from;
    size_t usable = kept < lines->usable ? lines->usable : 2 * lines->usable;
    if (usable > lines->capacity) {
        size_t capacity;
        char *bigger = spk_heap_alloc(lines->heap, usable, &capacity);
        if (bigger == NULL)
            return too_long(lines, kept, usable, failure);
        memcpy(bigger, old, kept);
        spk_heap_free(lines->heap, lines->buffer, lines->capacity);
        lines->buffer = bigger;
        lines->capacity = capacity;
    } else if (kept > 0) {
        memmove(lines->buffer, old, kept);
    }
    lines->usable = usable;
    lines->from = 0;
    lines->to = kept;
    return SPARK_OK;
}

/* read_up_to: n more bytes into the buffer, or what there is before the file ends. */
static spark_status read_up_to(spk_lines *lines, size_t n, spk_failure *failure)
{
    const uint64_t offset = lines->position + unread(lines);
    size_t got;
    const spark_status status
        = spk_reader_read(&lines->in, lines->buffer + lines->to, n, offset, &got, failure);
    lines->to += got;
    lines->eof = got < n;
    if (status != SPARK_OK)
        return status;
    if (lines->eof && offset + got < lines->end && lines->end != SPK_TO_END)
        return spk_failure_set(failure, SPARK_EIO, NULL, NULL,
            "%s shrank while it was read: it ends at byte %llu, not %llu or later",
            lines->in.file->path, (unsigned long long)(offset + got),
            (unsigned long long)lines->end);
    return SPARK_OK;
}

static spark_status refill(spk_lines *lines, spk_failure *failure)
{
    spark_status status = make_room(lines, failure);
    if (status != SPARK_OK)
        return status;
    const uint64_t offset = lines->position + unread(lines);
    size_t n = lines->usable - lines->to;
    if (offset <= lines->end && n > BEYOND_END && n - BEYOND_END > lines->end - offset)
        n = (size_t)(lines->end - offset) + BEYOND_END;
    status = read_up_to(lines, n, failure);
    lines->newline = 0;
    lines->has_return = memchr(lines->buffer, '\r', lines->to) != NULL;
    return status;
}

/* skip_line: to behind the first line end at or after the position, or beyond the split. The last
 * byte known is kept: it may be a \r whose \n is yet to come. */
static spark_status skip_line(spk_lines *lines, spk_failure *failure)
{
    spark_str line;
    while (!beyond_end(lines) && cut(lines, &line, 1) == 0 && !lines->eof) {
        if (unread(lines) > 1)
            advance(lines, unread(lines) - 1);
        if (refill(lines, failure) != SPARK_OK)
            return failure->code;
    }
    return SPARK_OK;
}

/* skip_mark: past the UTF-8 byte order mark, which belongs to the first line but is not part of
 * it: a split that ends within the mark still has that line. */
static spark_status skip_mark(spk_lines *lines, spk_failure *failure)
{
    while (unread(lines) < 3 && !lines->eof)
        if (refill(lines, failure) != SPARK_OK)
            return failure->code;
    if (unread(lines) >= 3 && memcmp(lines->buffer + lines->from, "\xEF\xBB\xBF", 3) == 0) {
        advance(lines, 3);
        if (beyond_end(lines))
            lines->end = lines->position;
    }
    return SPARK_OK;
}

static spark_status begin(spk_lines *lines, size_t size, spk_failure *failure)
{
    if (spk_form_look(&lines->in, failure) != SPARK_OK)
        return failure->code;
    lines->buffer = spk_heap_alloc(lines->heap, size, &lines->capacity);
    lines->usable = size;
    if (lines->buffer == NULL)
        return too_long(lines, 0, size, failure);
    if (lines->position > 0)
        return skip_line(lines, failure);
    if (lines->in.file->source
        && (refill(lines, failure) != SPARK_OK
            || spk_form_check(lines->in.file->path, lines->buffer, lines->to, failure) != SPARK_OK))
        return failure->code;
    return skip_mark(lines, failure);
}

spark_status spk_lines_open_sized(spk_lines *lines, spk_heap *heap, const spk_split *split,
    size_t size, spk_failure *failure)
{
    *lines = (spk_lines) {
        .heap = heap, .position = split->start, .end = split->end
    };
    const uint64_t to = split->end > SPK_TO_END - BEYOND_END ? SPK_TO_END : split->end + BEYOND_END;
    if (spk_reader_open(&lines->in, split->file, to, failure) != SPARK_OK)
        return failure->code;
    lines->in.watch = split->watch;
    const spark_status status = begin(lines, size, failure);
    if (status != SPARK_OK)
        spk_lines_close(lines);
    return status;
}

spark_status spk_lines_open(
    spk_lines *lines, spk_heap *heap, const spk_split *split, spk_failure *failure)
{
    const uint64_t start = split->start, end = split->end;
    size_t size = BUFFER_SIZE;
    if (start <= end && end - start < BUFFER_SIZE - BEYOND_END)
        size = (size_t)(end - start) + BEYOND_END;
    return spk_lines_open_sized(lines, heap, split, size, failure);
}

size_t spk_lines_next(spk_lines *lines, spark_str *out, size_t max, spk_failure *failure)
{
    if (max == 0)
        return 0;
    for (;;) {
        size_t n = cut(lines, out, max);
        if (n > 0 || lines->eof || beyond_end(lines))
            return n;
        if (refill(lines, failure) != SPARK_OK)
            return 0;
    }
}

void spk_lines_close(spk_lines *lines)
{
    if (lines->buffer != NULL)
        spk_heap_free(lines->heap, lines->buffer, lines->capacity);
    spk_reader_close(&lines->in);
    lines->buffer = NULL;
}
