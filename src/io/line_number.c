/* SPDX-License-Identifier: Apache-2.0 */
/* The number of a line within its file, for messages. A split knows how many lines it has cut, not
 * how many came before it; so they are counted when somebody asks, which is after a failure: the
 * split is cut again as far as the line, then the line ends before that offset are counted, from
 * where the last one who asked has come to. */
#include "io/lines.h"

enum { PIECE = 1024 * 1024, AT_ONCE = 256 };

/* ends_in: line ends in n bytes; a \n that follows a \r, perhaps that of the piece before, is the
 * same end. */
static int64_t ends_in(const char *bytes, size_t n, bool *feed)
{
    int64_t ends = 0;
    for (size_t i = 0; i < n; i++) {
        ends += bytes[i] == '\r' || (bytes[i] == '\n' && !*feed);
        *feed = bytes[i] == '\r';
    }
    return ends;
}

/* recall: what is known of the file, or that nothing ends in front of its beginning. */
static spk_line_memo recall(spk_line_memo *memo, const spk_file *file, uint64_t offset)
{
    spk_line_memo known = { .file = file };
    if (!memo)
        return known;
    pthread_mutex_lock(&memo->lock);
    if (memo->file == file && memo->offset <= offset) {
        known.offset = memo->offset;
        known.ends = memo->ends;
        known.feed = memo->feed;
    }
    pthread_mutex_unlock(&memo->lock);
    return known;
}

static void remember(spk_line_memo *memo, const spk_line_memo *known)
{
    if (!memo)
        return;
    pthread_mutex_lock(&memo->lock);
    if (memo->file != known->file || memo->offset < known->offset) {
        memo->file = known->file;
        memo->offset = known->offset;
        memo->ends = known->ends;
        memo->feed = known->feed;
    }
    pthread_mutex_unlock(&memo->lock);
}

/* go_on: from what is known to an offset. */
static bool go_on(spk_reader *reader, uint64_t offset, char *buffer, spk_line_memo *known)
{
    spk_failure failure;
    while (known->offset < offset) {
        const uint64_t left = offset - known->offset;
        const size_t n = left < PIECE ? (size_t)left : PIECE;
        size_t got;
        if (spk_reader_read(reader, buffer, n, known->offset, &got, &failure) != SPARK_OK || got == 0)
            return false;
        known->ends += ends_in(buffer, got, &known->feed);
        known->offset += got;
    }
    return true;
}

/* ends_before: line ends before an offset; -1: the file cannot be read so far any more. */
static int64_t ends_before(
    spk_reader *reader, uint64_t offset, char *buffer, spk_line_memo *memo)
{
    spk_line_memo known = recall(memo, reader->file, offset);
    reader->to = offset;
    if (!go_on(reader, offset, buffer, &known))
        return -1;
    remember(memo, &known);
    return known.ends;
}

/* skip: past `row` lines; false: there are fewer. */
static bool skip(spk_lines *lines, uint64_t row)
{
    spark_str cut[AT_ONCE];
    spk_failure failure = { .code = SPARK_OK };
    while (row > 0) {
        const size_t n = spk_lines_next(lines, cut, row < AT_ONCE ? (size_t)row : AT_ONCE, &failure);
        if (n == 0)
            return false;
        row -= n;
    }
    return true;
}

int64_t spk_lines_number(
    spk_heap *heap, const spk_split *split, uint64_t row, spk_line_memo *memo)
{
    spk_failure failure;
    spk_lines lines;
    size_t capacity;
    int64_t ends = -1;
    if (split->start == 0)
        return (int64_t)row + 1;
    if (spk_lines_open(&lines, heap, split, &failure) != SPARK_OK)
        return -1;
    char *buffer = skip(&lines, row) ? spk_heap_alloc(heap, PIECE, &capacity) : NULL;
    if (buffer) {
        ends = ends_before(&lines.in, lines.position, buffer, memo);
        spk_heap_free(heap, buffer, capacity);
    }
    spk_lines_close(&lines);
    return ends < 0 ? -1 : ends + 1;
}

int64_t spk_line_at(spk_heap *heap, const spk_file *file, uint64_t offset)
{
    size_t capacity;
    int64_t ends = -1;
    spk_failure failure;
    spk_reader reader;
    if (spk_reader_open(&reader, file, offset, &failure) != SPARK_OK)
        return -1;
    char *buffer = spk_heap_alloc(heap, PIECE, &capacity);
    if (buffer) {
        ends = ends_before(&reader, offset, buffer, NULL);
        spk_heap_free(heap, buffer, capacity);
    }
    spk_reader_close(&reader);
    return ends < 0 ? -1 : ends + 1;
}

void spk_lines_at(spk_heap *heap, const spk_file *file, size_t n, const int64_t *offsets, int64_t *lines)
{
    size_t capacity;
    spk_failure failure;
    spk_reader reader;
    spk_line_memo known = { .file = file };
    bool good = spk_reader_open(&reader, file, SPK_TO_END, &failure) == SPARK_OK;
    if (!good)
        return;
    char *buffer = spk_heap_alloc(heap, PIECE, &capacity);
    for (size_t i = 0; i < n; i++) {
        good = good && buffer && go_on(&reader, (uint64_t)offsets[i], buffer, &known);
        lines[i] = good ? known.ends + 1 : 0;
    }
    if (buffer)
        spk_heap_free(heap, buffer, capacity);
    spk_reader_close(&reader);
}
