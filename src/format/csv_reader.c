/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a split. Pieces of the file are read into a buffer; in a window of it lines are found
 * (csv_look), and cells of the columns that are wanted; records with quotes are cut by the rules
 * (csv_cut). Then cells become values, a column after the other (csv_convert).
 *
 * Without multi_line a line is a record, quotes or not, as Spark has it; so a file can be split at any
 * byte, as text is: a line belongs to the split in which it begins. A record that does not fit into
 * a window is found by itself, and the buffer grows for it. All that is kept of a batch points into the
 * buffer, so nothing is read while rows are gathered. */
#include "format/csv.h"
#include "format/value.h"
#include "io/form.h"
#include "type/layout.h"

enum {
    PIECE = 256 * 1024,
    BEYOND_END = 16 * 1024,  /* read past the split's end for the record that crosses it */
    MOST_ROWS = 256,        /* of a batch; */
    MOST_CELLS = 32 * 1024   /* fewer where rows are wide */
};

struct spk_csv_reader {
    spk_heap *heap;
    const spk_csv *csv;
    const spk_csv_plan *plan;
    spk_reader in;
    char *buffer;
    size_t capacity, from, to; /* unread bytes in the buffer */
    size_t own;                /* of the reader itself */
    size_t searched;           /* of them: no line end is in these */
    uint64_t position, end;    /* in the file, of buffer[from]; of the split */
    bool eof, header;          /* header: the next record is one */
    spk_csv_window window;
    size_t line;               /* of the window, next; its lines when it is used up */
    char *tables;              /* what the window and the batch are kept in */
    size_t tables_capacity;
    spk_csv_record *records;
    spark_str *cells;
    uint32_t *places; /* of the plan's columns in the file */
    bool in_order;    /* they are its first ones, without a gap */
    size_t most, n; /* rows of a batch; gathered so far */
    bool odd;       /* a gathered record is malformed */
    spk_arena texts;
    spk_csv_cut cut;
    const spk_csv_aside *aside; /* for malformed records; or NULL */
};

static size_t unread(const spk_csv_reader *r)
{
    return r->to - r->from;
}

static bool beyond_end(const spk_csv_reader *r)
{
    return r->position > r->end;
}

static void advance(spk_csv_reader *r, size_t n)
{
    r->from += n;
    r->position += n;
    r->searched = 0;
}

/* ---- the buffer ---- */

static spark_status make_room(spk_csv_reader *r, spk_failure *failure)
{
    const size_t kept = unread(r), usable = r->capacity - 2 * SPK_CSV_SLACK;
    if (kept < usable / 2) {
        memmove(r->buffer, r->buffer + r->from, kept);
    } else {
        size_t capacity;
        char text[300];
        char *bigger = spk_heap_alloc(r->heap, 2 * r->capacity, &capacity);
        if (!bigger)
            return spk_failure_set(failure, SPARK_ENOMEM, NULL, NULL, "%s: the row at byte %llu of %s",
                spk_heap_refusal(r->heap, "a row of a file", 2 * r->capacity, text, sizeof text),
                (unsigned long long)r->position, r->in.file->path);
        memcpy(bigger, r->buffer + r->from, kept);
        spk_heap_free(r->heap, r->buffer, r->capacity);
        r->buffer = bigger;
        r->capacity = capacity;
    }
    r->from = 0;
    r->to = kept;
    return SPARK_OK;
}

/* refill: more bytes behind those that are unread, or eof. */
static spark_status refill(spk_csv_reader *r, spk_failure *failure)
{
    const size_t searched = r->searched;
    if (make_room(r, failure) != SPARK_OK)
        return failure->code;
    const uint64_t offset = r->position + unread(r);
    size_t n = r->capacity - 2 * SPK_CSV_SLACK - r->to, got;
    if (offset <= r->end && n > BEYOND_END && n - BEYOND_END > r->end - offset)
        n = (size_t)(r->end - offset) + BEYOND_END;
    const spark_status status = spk_reader_read(&r->in, r->buffer + r->to, n, offset, &got, failure);
    r->to += got;
    r->eof = got < n;
    r->searched = searched;
    r->line = r->window.lines = 0;
    memset(r->buffer + r->to, 0, 2 * SPK_CSV_SLACK);
    if (status != SPARK_OK)
        return status;
    if (r->eof && offset + got < r->end && r->end != SPK_TO_END)
        return spk_failure_set(failure, SPARK_EIO, NULL, NULL,
            "%s shrank while it was read: it ends at byte %llu, not %llu or later", r->in.file->path,
            (unsigned long long)(offset + got), (unsigned long long)r->end);
    return SPARK_OK;
}

/* ---- failures ---- */

/* place: a byte of the file as line and column, both from 1; 0: it cannot be read any more. */
static void place(const spk_csv_reader *r, uint64_t offset, long long *line, long long *column)
{
    spk_reader again = { .file = r->in.file, .fd = r->in.fd, .to = offset, .watch = r->in.watch };
    spk_failure failure;
    char bytes[4096];
    uint64_t begin = 0;
    bool feed = false, known = true;
    *line = 1;
    for (uint64_t at = 0; at < offset && known;) {
        size_t got, n = offset - at < sizeof bytes ? (size_t)(offset - at) : sizeof bytes;
        known = spk_reader_read(&again, bytes, n, at, &got, &failure) == SPARK_OK && got > 0;
        for (size_t i = 0; i < got; i++) {
            const bool end = bytes[i] == '\r' || (bytes[i] == '\n' && !feed);
            *line += end;
            if (end || (bytes[i] == '\n' && feed))
                begin = at + i + 1;
            feed = bytes[i] == '\r';
        }
        at += got;
    }
    again.fd = -1; /* the other one's */
    spk_reader_close(&again);
    *line = known ? *line : 0;
    *column = known ? (long long)(offset - begin) + 1 : 0;
}

static uint64_t offset_of(const spk_csv_reader *r, const char *p)
{
    const char *unread_at = r->buffer + r->from;
    return p >= unread_at ? r->position + (uint64_t)(p - unread_at)
                          : r->position - (uint64_t)(unread_at - p);
}

static bool in_buffer(const spk_csv_reader *r, const char *p)
{
    return p >= r->buffer && p < r->buffer + r->to;
}

/* blame: a failure at p, in the words of `why`, and behind it what is said of the column. */
static spark_status blame(const spk_csv_reader *r, spark_status code, const char *why,
    const char *p, const char *behind, spk_failure *failure)
{
    long long line, column;
    place(r, offset_of(r, p), &line, &column);
    const bool fast = r->csv->mode == SPARK_FAILFAST;
    spk_failure_set(failure, code, NULL, NULL, "%s%s: %s:%lld:%lld%s%s", fast ? SPK_MALFORMED : "", why,
        r->in.file->path, line, column, behind, fast ? SPK_MALFORMED_STATE : "");
    spk_failure_in(failure, r->in.file->path, line > 0 ? line : -1);
    return code;
}

/* why_not: what is wrong with row i, in words. */
static spk_csv_why why_not(const spk_csv_reader *r, size_t i)
{
    return spk_csv_why_not(r->plan, &r->records[i], r->cells + i * r->plan->n);
}

static spark_status blame_row(const spk_csv_reader *r, size_t i, spk_failure *failure)
{
    const spk_csv_why why = why_not(r, i);
    const char *at = why.cell && in_buffer(r, why.cell) ? why.cell : r->records[i].at;
    return blame(r, SPARK_EIO, why.what, at, why.column, failure);
}

/* ---- records ---- */

/* is_skipped: lines of blanks, and comments. */
static bool is_skipped(const spk_csv *csv, const char *p, size_t n)
{
    if (n > 0 && (unsigned char)*p == csv->comment)
        return true;
    while (n > 0 && (unsigned char)*p <= ' ')
        p++, n--;
    return n == 0;
}

static void add_record(spk_csv_reader *r, const char *at, size_t n, size_t columns)
{
    const bool bad = r->plan && columns != r->plan->expected;
    r->records[r->n++] = (spk_csv_record) { at, n, (uint32_t)columns, bad, -1, -1 };
    r->odd |= bad;
}

/* trim_cells: blanks at the ends of values that are not quoted. */
static void trim_cells(const spk_csv *csv, spark_str *cells, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *p = cells[i].ptr, *q = p ? p + cells[i].len : NULL;
        while (csv->trim_front && q > p && (unsigned char)*p <= ' ')
            p++;
        while (csv->trim_back && q > p && (unsigned char)q[-1] <= ' ')
            q--;
        cells[i] = (spark_str) { q > p ? p : NULL, (size_t)(q - p) };
    }
}

/* cells_in_order: of a line whose columns are all wanted, as they stand. */
static void cells_in_order(
    spark_str *cell, size_t n, const uint32_t *seps, const char *base, const char *p, const char *end)
{
    for (size_t c = 0; c + 1 < n; c++) {
        const char *q = base + seps[c];
        *cell++ = (spark_str) { q > p ? p : NULL, (size_t)(q - p) };
        p = q + 1;
    }
    *cell = (spark_str) { end > p ? p : NULL, (size_t)(end - p) };
}

/* cells_by_place: of those that are wanted. */
static void cells_by_place(const spk_csv_reader *r, spark_str *cell, uint32_t fields,
    const uint32_t *seps, const char *begin, const char *end)
{
    const uint32_t *places = r->places;
    const char *base = r->window.base;
    for (size_t c = 0; c < r->plan->n; c++, cell++) {
        const uint32_t at = places[c];
        if (at >= fields) {
            *cell = (spark_str) { NULL, 0 };
            continue;
        }
        const char *p = at > 0 ? base + seps[at - 1] + 1 : begin;
        const char *q = at + 1 < fields ? base + seps[at] : end;
        *cell = (spark_str) { q > p ? p : NULL, (size_t)(q - p) };
    }
}

/* cells_of_line: line i of the window, which no quote is in, from `begin` to `end`. */
static bool cells_of_line(spk_csv_reader *r, size_t i, const char *begin, const char *end)
{
    const spk_csv_window *w = &r->window;
    const size_t n = r->plan->n;
    const uint32_t first = i > 0 ? w->ends[i - 1] + 1 : 0, fields = w->ends[i] - first + 1;
    spark_str *cells = r->cells + r->n * n;
    if (r->in_order && fields >= n) {
        const char *last = fields > n ? w->base + w->at[first + n - 1] : end;
        cells_in_order(cells, n, w->at + first, w->base, begin, last);
    } else {
        cells_by_place(r, cells, fields, w->at + first, begin, end);
    }
    if (r->csv->trim_front || r->csv->trim_back)
        trim_cells(r->csv, cells, n);
    add_record(r, begin, (size_t)(end - begin), fields);
    return fields <= r->csv->max_columns;
}

/* cut_record: by the rules; *behind: what follows it, NULL: it is incomplete, or *failure is filled. */
static spark_status cut_record(spk_csv_reader *r, const char *p, const char *end, bool ends,
    bool last, const char **behind, spk_failure *failure)
{
    r->cut.cells = r->cells + r->n * r->cut.n;
    *behind = spk_csv_cut_record(&r->cut, p, end, ends, last);
    if (*behind) {
        add_record(r, p, (size_t)(r->cut.stop - p), r->cut.found);
        return SPARK_OK;
    }
    if (r->cut.status == SPARK_OK)
        return SPARK_OK;
    if (r->cut.status == SPARK_ENOMEM)
        return spk_failure_nomem(failure, NULL, NULL);
    return blame(r, r->cut.status, r->cut.why, r->cut.where, "", failure);
}

/* take: the record at p that is a line, without its line end. */
static spark_status take(spk_csv_reader *r, const char *p, size_t n, spk_failure *failure)
{
    const char *behind;
    if (is_skipped(r->csv, p, n))
        return SPARK_OK;
    if (r->header) {
        r->header = false;
        return SPARK_OK;
    }
    return cut_record(r, p, p + n, false, true, &behind, failure);
}

/* line_of_window: where a line begins, and how long it is. */
static const char *line_of_window(const spk_csv_reader *r, size_t i, size_t *n)
{
    const spk_csv_window *w = &r->window;
    const char *begin = w->base + (i > 0 ? w->at[w->ends[i - 1]] + 1 : 0);
    const char *end = w->base + w->at[w->ends[i]];
    if (r->csv->line_sep_n == 2)
        end--;
    else if (r->csv->line_sep_n == 0 && *end == '\n' && end > begin && end[-1] == '\r')
        end--;
    *n = (size_t)(end - begin);
    return begin;
}

/* take_lines: records of the window, up to max in all; those behind the split's end are left. */
static spark_status take_lines(spk_csv_reader *r, size_t max, spk_failure *failure)
{
    const spk_csv_window *w = &r->window;
    const bool plain = r->plan && r->csv->max_chars == SIZE_MAX;
    while (r->line < w->lines && r->n < max && !beyond_end(r)) {
        size_t n;
        const size_t i = r->line++;
        const char *p = line_of_window(r, i, &n);
        advance(r, (size_t)(w->base + w->at[w->ends[i]] + 1 - (r->buffer + r->from)));
        const bool slow = w->odd[i] || !plain || r->header || n == 0 || (unsigned char)*p <= ' '
            || (unsigned char)*p == r->csv->comment;
        if (slow && take(r, p, n, failure) != SPARK_OK)
            return failure->code;
        if (!slow && !cells_of_line(r, i, p, p + n))
            return blame(r, SPARK_EIO, "a row has more columns than max_columns", p, "", failure);
    }
    return SPARK_OK;
}

/* end_of_line: of the line at `from`, which is not in a window; NULL: it is not known yet. */
static const char *end_of_line(spk_csv_reader *r, size_t *ends)
{
    const spk_csv *csv = r->csv;
    const char *begin = r->buffer + r->from, *end = r->buffer + r->to;
    for (const char *p = begin + r->searched; p < end; p++) {
        *ends = 1;
        if (csv->line_sep_n > 0) {
            *ends = csv->line_sep_n;
            if ((size_t)(end - p) >= *ends && memcmp(p, csv->line_sep, *ends) == 0)
                return p;
        } else if (*p == '\n') {
            return p;
        } else if (*p == '\r') {
            *ends += p + 1 < end && p[1] == '\n';
            return p + 1 < end || r->eof ? p : NULL;
        }
    }
    r->searched = unread(r) > 1 ? unread(r) - 1 : 0;
    *ends = 0;
    return r->eof && unread(r) > 0 ? end : NULL;
}

/* look: at the next window, or at one long line; *dry: more must be read first, or nothing is left. */
static spark_status look(spk_csv_reader *r, bool *dry, spk_failure *failure)
{
    const size_t n = unread(r) < SPK_CSV_WINDOW ? unread(r) : SPK_CSV_WINDOW;
    *dry = true;
    r->line = 0;
    if (r->searched < n)
        spk_csv_look(&r->window, r->csv, r->buffer + r->from, n, r->eof && n == unread(r));
    else
        r->window.lines = 0;
    *dry = r->window.lines == 0;
    if (!*dry)
        return SPARK_OK;
    size_t ends;
    const char *p = r->buffer + r->from, *end = end_of_line(r, &ends);
    if (!end)
        return SPARK_OK;
    *dry = false;
    advance(r, (size_t)(end - p) + ends);
    return take(r, p, (size_t)(end - p), failure);
}

/* look_inside: multi_line: the next record, wherever it ends. Comments and empty lines go first. */
static spark_status look_inside(spk_csv_reader *r, bool *dry, spk_failure *failure)
{
    const spk_csv *csv = r->csv;
    const char *p = r->buffer + r->from, *end = r->buffer + r->to, *behind;
    size_t ends;
    *dry = unread(r) == 0;
    if (*dry)
        return SPARK_OK;
    const char *text = p;
    while (csv->trim_front && text < end && *text != csv->sep[0] && *text != '\n' && *text != '\r'
        && (unsigned char)*text <= ' ')
        text++;
    if (csv->line_sep_n == 0 && text < end && (*text == '\n' || *text == '\r')) {
        advance(r, (size_t)(text - p) + 1);
        return SPARK_OK;
    }
    if ((unsigned char)*p == csv->comment) {
        const char *stop = end_of_line(r, &ends);
        *dry = stop == NULL;
        if (stop)
            advance(r, (size_t)(stop - p) + ends);
        return SPARK_OK;
    }
    if (cut_record(r, p, end, true, r->eof, &behind, failure) != SPARK_OK)
        return failure->code;
    *dry = behind == NULL;
    if (behind) {
        advance(r, (size_t)(behind - p));
        r->n -= r->header;
        r->header = false;
    }
    return SPARK_OK;
}

/* gather: up to max records and their cells. */
static spark_status gather(spk_csv_reader *r, size_t max, spk_failure *failure)
{
    spark_status status = SPARK_OK;
    bool dry = false;
    spk_arena_reset(&r->texts);
    r->n = 0;
    r->odd = false;
    while (status == SPARK_OK && r->n < max && !beyond_end(r)) {
        if (!r->csv->multi_line && r->line < r->window.lines) {
            status = take_lines(r, max, failure);
            continue;
        }
        status = r->csv->multi_line ? look_inside(r, &dry, failure) : look(r, &dry, failure);
        if (!dry || status != SPARK_OK)
            continue;
        if (r->n > 0 || r->eof)
            break;
        status = refill(r, failure);
    }
    return status;
}

/* ---- rows ---- */

/* text_of: a record as UTF-8. */
static spark_str text_of(spk_csv_reader *r, const spk_csv_record *record, bool *nomem)
{
    return spk_csv_utf8(r->csv, (spark_str) { record->at, record->n }, &r->texts, nomem);
}

/* put_aside: a malformed record, with where it is and what is wrong. */
static spark_status put_aside(spk_csv_reader *r, size_t i, spk_failure *failure)
{
    char reason[sizeof(spk_csv_why)];
    bool nomem = false;
    if (!r->aside->put)
        return SPARK_OK;
    const spk_csv_why why = why_not(r, i);
    const spark_str text = text_of(r, &r->records[i], &nomem);
    snprintf(reason, sizeof reason, "%s%s", why.what, why.column);
    if (nomem)
        return spk_failure_nomem(failure, NULL, NULL);
    return r->aside->put(r->aside->to, offset_of(r, r->records[i].at), text, reason)
        ? SPARK_OK
        : (failure->code = SPARK_ETASK); /* the task knows why */
}

/* settle: what becomes of malformed records; *n: the rows that are left. */
static spark_status settle(spk_csv_reader *r, char *rows, size_t *n, spk_failure *failure)
{
    const spk_csv_plan *plan = r->plan;
    const spark_read_mode mode = r->csv->mode;
    size_t kept = 0;
    for (size_t i = 0; i < r->n; i++) {
        const spk_csv_record *record = &r->records[i];
        char *row = rows + i * plan->row_size;
        const bool lost = record->null >= 0;
        if (r->aside && (record->bad || lost)) {
            if (put_aside(r, i, failure) != SPARK_OK)
                return failure->code;
            continue;
        }
        if (mode == SPARK_DROPMALFORMED && (record->bad || lost))
            continue;
        if (lost || (mode == SPARK_FAILFAST && record->bad))
            return blame_row(r, i, failure);
        if (record->bad && plan->corrupt >= 0) {
            bool nomem = false;
            const spark_str text = text_of(r, record, &nomem);
            if (nomem)
                return spk_failure_nomem(failure, NULL, NULL);
            memcpy(row + plan->corrupt, &text, sizeof text);
            if (plan->corrupt_present >= 0)
                row[plan->corrupt_present] = true;
        }
        r->records[kept] = *record;
        if (kept < i)
            memcpy(rows + kept * plan->row_size, row, plan->row_size);
        kept++;
    }
    *n = kept;
    return SPARK_OK;
}

size_t spk_csv_next(spk_csv_reader *r, char *rows, size_t max, spk_failure *failure)
{
    for (;;) {
        bool nomem = false;
        if (gather(r, max < r->most ? max : r->most, failure) != SPARK_OK || r->n == 0)
            return 0;
        size_t n = r->n;
        memset(rows, 0, n * r->plan->row_size);
        r->odd |= spk_csv_convert(r->plan, r->cells, n, r->records, rows, &r->texts, &nomem);
        if (nomem) {
            spk_failure_nomem(failure, NULL, NULL);
            return 0;
        }
        if (r->odd && settle(r, rows, &n, failure) != SPARK_OK)
            return 0;
        if (n > 0)
            return n;
    }
}

void spk_csv_put_aside(spk_csv_reader *r, const spk_csv_aside *aside)
{
    r->aside = aside;
}

uint64_t spk_csv_row_at(const spk_csv_reader *r, size_t i)
{
    return offset_of(r, r->records[i].at);
}

size_t spk_csv_names(spk_csv_reader *r, const spark_str **names, spk_failure *failure)
{
    *names = r->cells;
    const size_t n = gather(r, 1, failure) == SPARK_OK && r->n > 0 ? r->records[0].columns : 0;
    bool nomem = false;
    for (size_t i = 0; i < n; i++)
        r->cells[i] = spk_csv_utf8(r->csv, r->cells[i], &r->texts, &nomem);
    if (nomem)
        spk_failure_nomem(failure, NULL, NULL);
    return nomem ? 0 : n;
}

/* ---- opening ---- */

/* carve: the next `n` things of a block that is laid out twice: first to be counted. */
static void *carve(char *block, size_t *used, size_t n, size_t size)
{
    const size_t at = *used;
    *used = (at + n * size + 63) & ~(size_t)63;
    return block ? block + at : NULL;
}

/* names_of: how many columns a header may have: no more than the file has bytes, but for one. */
static size_t names_of(const spk_csv_reader *r)
{
    const uint64_t bytes = r->in.file->size;
    return bytes < r->csv->max_columns ? (size_t)bytes + 1 : r->csv->max_columns;
}

/* lay_out: the tables of a reader in a block, or NULL; returns how many bytes they take. */
static size_t lay_out(spk_csv_reader *r, char *block)
{
    const size_t columns = r->plan ? r->plan->n : names_of(r) + 1;
    size_t used = 0;
    r->most = columns * MOST_ROWS > MOST_CELLS ? MOST_CELLS / columns + 1 : MOST_ROWS;
    r->most = r->plan ? r->most : 1;
    r->records = carve(block, &used, r->most, sizeof *r->records);
    r->cells = carve(block, &used, r->most * columns + 1, sizeof *r->cells);
    r->places = carve(block, &used, columns + 1, sizeof *r->places);
    r->window.at = carve(block, &used, SPK_CSV_WINDOW + 64, sizeof *r->window.at);
    r->window.ends = carve(block, &used, SPK_CSV_WINDOW + 64, sizeof *r->window.ends);
    r->window.odd = carve(block, &used, SPK_CSV_WINDOW + 64, 1);
    return used;
}

/* skip_begun: the rest of the line that began in the split before. */
static spark_status skip_begun(spk_csv_reader *r, spk_failure *failure)
{
    while (!beyond_end(r)) {
        size_t ends;
        const char *p = r->buffer + r->from, *end = end_of_line(r, &ends);
        if (end) {
            advance(r, (size_t)(end - p) + ends);
            return SPARK_OK;
        }
        if (r->eof)
            return SPARK_OK;
        if (unread(r) > 1)
            advance(r, unread(r) - 1);
        if (refill(r, failure) != SPARK_OK)
            return failure->code;
    }
    return SPARK_OK;
}

/* skip_mark: the byte order mark at the start of a file. */
static spark_status skip_mark(spk_csv_reader *r, spk_failure *failure)
{
    while (unread(r) < 3 && !r->eof)
        if (refill(r, failure) != SPARK_OK)
            return failure->code;
    if (!r->csv->latin1 && unread(r) >= 3 && memcmp(r->buffer, "\xEF\xBB\xBF", 3) == 0) {
        advance(r, 3);
        if (beyond_end(r))
            r->end = r->position;
    }
    return SPARK_OK;
}

static spark_status begin(spk_csv_reader *r, bool first, spk_failure *failure)
{
    if (spk_form_look(&r->in, failure) != SPARK_OK)
        return failure->code;
    r->tables = spk_heap_alloc(r->heap, lay_out(r, NULL), &r->tables_capacity);
    r->buffer = spk_heap_alloc(r->heap, PIECE + 2 * SPK_CSV_SLACK, &r->capacity);
    if (!r->tables || !r->buffer)
        return spk_failure_nomem(failure, NULL, NULL);
    lay_out(r, r->tables);
    r->in_order = r->plan && r->plan->n > 0;
    for (size_t i = 0; r->plan && i < r->plan->n; i++) {
        r->places[i] = r->plan->columns[i].at;
        r->in_order &= r->places[i] == i;
    }
    r->cut = (spk_csv_cut) { .csv = r->csv,
        .columns = r->plan ? r->plan->columns : NULL,
        .n = r->plan ? r->plan->n : names_of(r),
        .texts = &r->texts };
    if (!first)
        return skip_begun(r, failure);
    if (r->in.file->source
        && (refill(r, failure) != SPARK_OK
            || spk_form_check(r->in.file->path, r->buffer, r->to, failure) != SPARK_OK))
        return failure->code;
    return skip_mark(r, failure);
}

spark_status spk_csv_open(spk_csv_reader **reader, spk_heap *heap, const spk_csv *csv,
    const spk_csv_plan *plan, const spk_split *split, spk_failure *failure)
{
    size_t capacity;
    spk_csv_reader *r = spk_heap_alloc(heap, sizeof *r, &capacity);
    if (!r)
        return spk_failure_nomem(failure, NULL, NULL);
    *r = (spk_csv_reader) { .heap = heap,
        .csv = csv,
        .plan = plan,
        .position = split->start - (split->start > 0 && csv->line_sep_n == 2), /* the border may be within one */
        .end = split->end,
        .header = csv->header && plan && (split->start == 0 || split->start < plan->header_at),
        .own = capacity };
    spk_arena_init(&r->texts, heap);
    const uint64_t to = !plan ? SPK_CSV_WINDOW
        : split->end > SPK_TO_END - BEYOND_END ? SPK_TO_END
                                               : split->end + BEYOND_END;
    spark_status status = spk_reader_open(&r->in, split->file, to, failure);
    r->in.watch = split->watch;
    if (status == SPARK_OK)
        status = begin(r, split->start == 0, failure);
    *reader = r;
    if (status != SPARK_OK)
        spk_csv_close(r);
    return status;
}

void spk_csv_close(spk_csv_reader *r)
{
    spk_arena_fini(&r->texts);
    if (r->buffer)
        spk_heap_free(r->heap, r->buffer, r->capacity);
    if (r->tables)
        spk_heap_free(r->heap, r->tables, r->tables_capacity);
    spk_reader_close(&r->in);
    spk_heap_free(r->heap, r, r->own);
}
