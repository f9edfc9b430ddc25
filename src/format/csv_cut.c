/* SPDX-License-Identifier: Apache-2.0 */
/* One record by the rules for quotes. They are those of the parser that Spark uses (univocity's
 * CsvParser), told by what it makes of input that it was given:
 *
 * - A value is quoted when its first byte is a quote, or, where leading blanks are ignored, the first
 *   behind those. Quotes inside other values are bytes like others.
 * - Within quotes an escape makes a quote of a quote, and an escape of the escape of escapes; before
 *   anything else it is itself.
 * - A closing quote ends the value where a separator, the end of the record, or blanks and one of these
 *   follow. Where something else does, unescaped_quote_handling says what the value is.
 * - A record that ends within quotes ends the value.
 *
 * It differs in one thing: two quotes are one quote, whatever escapes are (RFC 4180). There the other
 * parser sees a closing quote with a quote behind it. */
#include "format/csv.h"

/* cursor: where a record is read. */
typedef struct cursor {
    const char *p, *end;
    spk_csv_cut *cut;
    bool ends, last;
} cursor;

static bool is_sep(const spk_csv *csv, const char *p, const char *end)
{
    return *p == csv->sep[0]
        && (csv->sep_n == 1
            || ((size_t)(end - p) >= csv->sep_n && memcmp(p, csv->sep, csv->sep_n) == 0));
}

/* line_end: how many bytes of a line end stand at p < end. */
static size_t line_end(const cursor *c, const char *p)
{
    const spk_csv *csv = c->cut->csv;
    const size_t left = (size_t)(c->end - p);
    if (!c->ends)
        return 0;
    if (csv->line_sep_n > 0)
        return left >= csv->line_sep_n && memcmp(p, csv->line_sep, csv->line_sep_n) == 0
            ? csv->line_sep_n
            : 0;
    if (*p == '\r')
        return left > 1 && p[1] == '\n' ? 2 : 1;
    return *p == '\n';
}

/* known: whether what is at p can be told without more bytes: separators and line ends may go on. */
static bool known(const cursor *c, const char *p)
{
    return c->last || c->end - p >= SPK_CSV_SEP;
}

static bool fail(cursor *c, spark_status status, const char *why, const char *where)
{
    c->cut->status = status;
    c->cut->why = why;
    c->cut->where = where;
    return false;
}

/* more: false: the record goes on behind the end of what is known. */
static bool more(cursor *c)
{
    c->cut->incomplete = true;
    return false;
}

static bool is_blank(char c)
{
    return (unsigned char)c <= ' ' && c != '\n' && c != '\r';
}

/* put: the cell of the next column; p NULL: it is null. */
static bool put(cursor *c, const char *p, size_t n)
{
    spk_csv_cut *cut = c->cut;
    const spk_csv *csv = cut->csv;
    const size_t column = cut->found++;
    if (column >= csv->max_columns)
        return fail(c, SPARK_EIO, "a row has more columns than max_columns", c->p);
    if (n > csv->max_chars)
        return fail(c, SPARK_EIO, "a value is longer than max_chars_per_column", c->p);
    if (!cut->columns && column >= cut->n)
        return fail(c, SPARK_EIO, "a row has more columns than the file had bytes", c->p);
    if (!cut->columns) {
        cut->cells[column] = (spark_str) { p, n };
        return true;
    }
    for (; cut->next < cut->n && cut->columns[cut->next].at == column; cut->next++)
        cut->cells[cut->next] = (spark_str) { p, n };
    return true;
}

static bool put_plain(cursor *c, const char *p, const char *end)
{
    while (c->cut->csv->trim_back && end > p && is_blank(end[-1]))
        end--;
    return put(c, end > p ? p : NULL, (size_t)(end - p));
}

/* skip_plain: to the separator or the end of the record. */
static bool skip_plain(cursor *c)
{
    const spk_csv *csv = c->cut->csv;
    for (; c->p < c->end; c->p++) {
        if (*c->p != csv->sep[0] && !(c->ends && (csv->line_sep_n || *c->p == '\n' || *c->p == '\r')))
            continue;
        if (!known(c, c->p))
            return more(c);
        if (is_sep(csv, c->p, c->end) || line_end(c, c->p))
            return true;
    }
    return c->last || more(c);
}

static bool plain(cursor *c, const char *begin)
{
    return skip_plain(c) && put_plain(c, begin, c->p);
}

/* put_quoted: the value between quotes, unescaped; begin is behind the opening one. clean: nothing in
 * it is escaped. stop_quote: quotes that are not doubled are left. */
static bool put_quoted(cursor *c, const char *begin, const char *end, bool clean)
{
    const spk_csv *csv = c->cut->csv;
    if (begin == end)
        return put(c, csv->empty_value.ptr, csv->empty_value.len);
    if (clean)
        return put(c, begin, (size_t)(end - begin));
    char *text = spk_arena_alloc(c->cut->texts, (size_t)(end - begin) + SPK_CSV_SLACK, 1);
    size_t n = 0;
    if (!text)
        return fail(c, SPARK_ENOMEM, "out of memory", begin);
    for (const char *p = begin; p < end; p++) {
        const int byte = (unsigned char)*p, next = p + 1 < end ? (unsigned char)p[1] : SPK_NO_BYTE;
        const bool escaped = (byte == csv->escape && next == csv->quote)
            || (byte == csv->quote && next == csv->quote)
            || (byte == csv->escape_escape && next == csv->escape && next >= 0);
        p += escaped && next >= 0;
        text[n++] = *p;
    }
    return put(c, text, n);
}

/* inside: from behind an opening quote to the closing one, or the end. *clean: nothing is escaped. *open:
 * there is no closing quote. */
static bool inside(cursor *c, bool *clean, bool *open)
{
    const spk_csv *csv = c->cut->csv;
    for (*open = false; c->p < c->end; c->p++) {
        const int byte = (unsigned char)*c->p;
        if (byte != csv->quote && byte != csv->escape && byte != csv->escape_escape)
            continue;
        if (c->p + 1 == c->end && !c->last)
            return more(c);
        const int next = c->p + 1 < c->end ? (unsigned char)c->p[1] : SPK_NO_BYTE;
        if (next >= 0
            && ((next == csv->quote && (byte == csv->quote || byte == csv->escape))
                || (byte == csv->escape_escape && next == csv->escape))) {
            *clean = false;
            c->p++;
        } else if (byte == csv->quote) {
            return true;
        }
    }
    *open = true;
    return c->last || more(c);
}

/* at_end: whether the value ends at p: a separator, a line end, or nothing follows. */
static bool at_end(const cursor *c, const char *p)
{
    return p == c->end || is_sep(c->cut->csv, p, c->end) || line_end(c, p) > 0;
}

/* unescaped: a quoted value that goes on behind the quote that c->p is at. */
static bool unescaped(cursor *c, const char *begin)
{
    const spk_csv *csv = c->cut->csv;
    bool clean = true, open;
    switch (csv->unescaped) {
    case SPARK_RAISE_ERROR:
        return fail(c, SPARK_EIO, "a quote that is not escaped", c->p);
    case SPARK_SKIP_VALUE:
        return skip_plain(c) && put(c, NULL, 0);
    case SPARK_BACK_TO_DELIMITER:
        c->p = begin - 1;
        return plain(c, begin - 1);
    case SPARK_STOP_AT_CLOSING_QUOTE:
        do {
            c->p++;
            if (!inside(c, &clean, &open))
                return false;
        } while (!open && !at_end(c, c->p + 1));
        if (!put_quoted(c, begin, c->p, false))
            return false;
        c->p += !open;
        return true;
    default:
        return plain(c, begin - 1);
    }
}

/* quoted: the value whose opening quote c->p is at. */
static bool quoted(cursor *c)
{
    const char *begin = ++c->p;
    bool clean = true, open;
    if (!inside(c, &clean, &open))
        return false;
    if (open)
        return put_quoted(c, begin, c->p, clean);
    const char *behind = c->p + 1;
    while (behind < c->end && is_blank(*behind) && !is_sep(c->cut->csv, behind, c->end))
        behind++;
    if (!known(c, behind))
        return more(c);
    if (!at_end(c, behind))
        return unescaped(c, begin);
    if (!put_quoted(c, begin, c->p, clean))
        return false;
    c->p = behind;
    return true;
}

static bool value(cursor *c)
{
    const spk_csv *csv = c->cut->csv;
    const char *begin = c->p;
    while (csv->trim_front && c->p < c->end && is_blank(*c->p) && !is_sep(csv, c->p, c->end))
        c->p++;
    if (c->p < c->end && (unsigned char)*c->p == csv->quote)
        return quoted(c);
    begin = c->p;
    return plain(c, begin);
}

const char *spk_csv_cut_record(
    spk_csv_cut *cut, const char *p, const char *end, bool ends, bool last)
{
    cursor c = { p, end, cut, ends, last };
    cut->found = cut->next = 0;
    cut->status = SPARK_OK;
    cut->incomplete = false;
    memset(cut->cells, 0, cut->columns ? cut->n * sizeof *cut->cells : 0);
    for (;;) {
        if (!value(&c))
            return NULL;
        if (c.p == c.end || !is_sep(cut->csv, c.p, c.end))
            break;
        c.p += cut->csv->sep_n;
    }
    cut->stop = c.p;
    return c.p < c.end ? c.p + line_end(&c, c.p) : c.p;
}
