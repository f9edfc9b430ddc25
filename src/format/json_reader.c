/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a split of JSON: each line is a record, or, with multi_line, the whole file is one, held in
 * memory, as it is where something else than line ends is between records. A record is an object, which is a
 * row, or an array of them. An array is checked to its end before its first row is made, so that rows need not
 * be held: what is no JSON, or has something else than objects in it, gives one malformed row, however many
 * stood before the place. */
#include "format/json_reader.h"

#include "format/value.h"
#include "io/form.h"
#include "io/lines.h"
#include "type/layout.h"

/* BUFFER: of lines, which are looked at twice while a cache near the processor holds them. */
enum { AT_ONCE = 256, BUFFER = 256 * 1024, BEYOND_END = 16 * 1024 };

struct spk_json_reader {
    spk_heap *heap;
    const spk_json *json;
    const spk_json_plan *plan;
    const spk_split *split;
    spk_lines lines;
    spark_str at[AT_ONCE]; /* lines of which no row was made yet */
    size_t got, next;
    uint64_t line;         /* of the split, next */
    char *content;         /* of a file that is not split */
    size_t content_n, content_capacity, taken; /* taken: bytes of it that were in records */
    size_t mark;           /* bytes in front of it that are no text */
    spk_arena texts;
    spk_json_guess *guesses;
    size_t guesses_capacity, own;
    spark_str record;
    spk_json_scan scan;    /* in the record */
    bool inside;           /* in an array of rows, at the next one */
    const char *row_at;    /* where the last row begins */
    const spk_csv_aside *aside; /* for malformed records; or NULL */
};

/* ---- failures ---- */

/* place: a byte of the record as line and column of the file, both from 1; line -1: it is not known. */
static void place(const spk_json_reader *r, const char *at, long long *line, size_t *column)
{
    const char *begin = r->content ? r->content : r->record.ptr;
    *line = r->content ? 1 : spk_lines_number(r->heap, r->split, r->line - 1, NULL);
    for (const char *p = begin; r->content && p < at; p++) {
        const bool end = *p == '\n' || (*p == '\r' && (p + 1 == at || p[1] != '\n'));
        *line += end;
        begin = end ? p + 1 : begin;
    }
    *column = (size_t)(at - begin) + 1;
}

/* explain: what is wrong with a record; behind: what is said of the member. */
enum { WHY = 200, BEHIND = 150 };
static void explain(const spk_json_outcome *o, char why[WHY], char behind[BEHIND])
{
    char name[100];
    const int most = o->value.len < 60 ? (int)o->value.len : 60;
    *behind = '\0';
    if (o->why)
        snprintf(why, WHY, "%s", o->why);
    else if (o->null)
        snprintf(why, WHY, "null where a %s must be", spk_type_name(o->type, name, sizeof name));
    else
        snprintf(why, WHY, "cannot read %.*s%s as %s", most, o->value.ptr,
            (size_t)most < o->value.len ? "..." : "", spk_type_name(o->type, name, sizeof name));
    if (o->field)
        snprintf(behind, BEHIND, ", member \"%.100s\"", o->field->name);
    for (char *p = why; *p; p++)
        *p = (unsigned char)*p < ' ' ? ' ' : *p;
}

/* blame: what is wrong with a record, and where. */
static void blame(const spk_json_reader *r, const spk_json_outcome *o, spk_failure *failure)
{
    char why[WHY], behind[BEHIND];
    long long line;
    size_t column;
    place(r, o->at, &line, &column);
    explain(o, why, behind);
    const bool fast = r->json->formats.mode == SPARK_FAILFAST;
    spk_failure_set(failure, SPARK_EIO, NULL, NULL, "%s%s: %s:%lld:%zu%s%s", fast ? SPK_MALFORMED : "", why,
        r->split->file->path, line, column, behind, fast ? SPK_MALFORMED_STATE : "");
    spk_failure_in(failure, r->split->file->path, line);
}

/* check_wide: the first bytes of a text in UTF-16 or UTF-32 without a mark: one of them is zero. */
static spark_status check_wide(const spk_json_reader *r, spark_str text, spk_failure *failure)
{
    if (text.len < 2 || (text.ptr[0] && text.ptr[1]))
        return SPARK_OK;
    return spk_failure_set(failure, SPARK_EIO, NULL, NULL,
        "%s is not UTF-8: it has zero bytes, as UTF-16 and UTF-32 have; the option encoding says so",
        r->split->file->path);
}

/* ---- rows ---- */

/* offset_of: of a byte of the record in the file. */
static uint64_t offset_of(const spk_json_reader *r, const char *p)
{
    return r->content ? (uint64_t)(p - r->content) + r->mark
                      : r->lines.position - (uint64_t)(r->lines.buffer + r->lines.from - p);
}

/* put_aside: a malformed record is none; it is no row. */
static void put_aside(
    const spk_json_reader *r, const spk_json_outcome *o, spark_str text, spk_failure *failure)
{
    char reason[WHY + BEHIND], behind[BEHIND];
    if (!r->aside->put)
        return;
    explain(o, reason, behind);
    strcat(reason, behind);
    if (!r->aside->put(r->aside->to, offset_of(r, text.ptr), text, reason))
        failure->code = SPARK_ETASK; /* the task knows why */
}

/* settle: what becomes of a row, whose text is given; how many rows it is. */
static size_t settle(const spk_json_reader *r, const spk_json_outcome *o, spark_str text, char *row,
    spk_failure *failure)
{
    const spark_read_mode mode = r->json->formats.mode;
    if (!o->nomem && !o->bad && !o->lost)
        return 1;
    if (o->nomem) {
        spk_failure_nomem(failure, NULL, NULL);
    } else if (r->aside) {
        put_aside(r, o, text, failure);
        return 0;
    } else if (mode == SPARK_DROPMALFORMED)
        return 0;
    else if (o->lost || mode == SPARK_FAILFAST)
        blame(r, o, failure);
    else
        spk_json_set_corrupt(r->plan, text, row);
    return failure->code == SPARK_OK;
}

/* broken: the record is no JSON from the place on that the scan is at. */
static size_t broken(const spk_json_reader *r, const spk_json_scan *scan, char *row, spk_failure *failure)
{
    spk_json_outcome o = { .at = scan->p, .why = scan->why };
    spk_json_bare_row(r->plan, row, &o);
    return settle(r, &o, r->record, row, failure);
}

/* next_element: the row of the element of an array that the scan is at. The array has been checked. */
static size_t next_element(spk_json_reader *r, char *row, spk_failure *failure)
{
    spk_json_scan *s = &r->scan;
    const spk_json_scan before = *s;
    spk_json_outcome o;
    memset(row, 0, r->plan->root->type->size);
    r->row_at = s->p;
    if (!spk_json_read(r->plan, r->guesses, s, row, &r->texts, &o) || o.lost) {
        *s = before;
        spk_json_skip(s);
    }
    const spark_str text = { before.p, (size_t)(s->p - before.p) };
    const size_t n = settle(r, &o, r->json->multi_line ? text : r->record, row, failure);
    spk_json_more(s, ']', &r->inside);
    return n;
}

/* are_objects: whether an array is one, to its end, and of objects alone. */
static bool are_objects(spk_json_scan *s)
{
    bool empty, more;
    if (!spk_json_enter(s, &empty))
        return false;
    for (more = !empty; more;) {
        const char *element = s->p;
        if (!spk_json_skip(s))
            return false;
        if (*element != '{') {
            s->p = element;
            return spk_json_wrong(s, SPK_JSON_NO_ROW);
        }
        if (!spk_json_more(s, ']', &more))
            return false;
    }
    return spk_json_ends(s);
}

static size_t begin_array(spk_json_reader *r, char *row, spk_failure *failure)
{
    spk_json_scan all = r->scan;
    bool empty;
    if (!are_objects(&all))
        return broken(r, &all, row, failure);
    spk_json_enter(&r->scan, &empty);
    r->inside = !empty;
    return 0;
}

/* begin_record: its row, where it is one; how many rows were made. */
static size_t begin_record(spk_json_reader *r, char *row, spk_failure *failure)
{
    spk_json_scan *s = &r->scan;
    spk_json_outcome o;
    *s = (spk_json_scan) { .p = r->record.ptr,
        .end = r->record.ptr + r->record.len,
        .limit = r->content ? r->content + r->content_n : r->lines.buffer + r->lines.to,
        .rules = r->json->rules };
    if (r->record.len == 0 || (spk_json_blanks(s), s->p == s->end))
        return 0;
    r->row_at = s->p;
    if (!r->plan) {
        memcpy(row, &r->record, sizeof r->record);
        return 1;
    }
    if (*s->p == '[')
        return begin_array(r, row, failure);
    memset(row, 0, r->plan->root->type->size);
    const bool whole = spk_json_read(r->plan, r->guesses, s, row, &r->texts, &o);
    if (whole && !o.lost && !spk_json_ends(s))
        return broken(r, s, row, failure);
    return settle(r, &o, r->record, row, failure);
}

/* next_piece: of a file that is not split. */
static bool next_piece(spk_json_reader *r)
{
    const spk_json *json = r->json;
    const char *p = r->content + r->taken;
    const size_t left = r->content_n - r->taken;
    if (left == 0)
        return false;
    const char *end = json->multi_line ? NULL : memmem(p, left, json->line_sep, json->line_sep_n);
    r->record = (spark_str) { p, end ? (size_t)(end - p) : left };
    r->taken += r->record.len + (end ? json->line_sep_n : 0);
    return true;
}

/* next_record: false: there is none left, or more must be read first, or *failure is filled. */
static bool next_record(spk_json_reader *r)
{
    if (r->json->whole)
        return next_piece(r);
    if (r->next == r->got)
        return false;
    r->record = r->at[r->next++];
    r->line++;
    return true;
}

static bool fetch(spk_json_reader *r, spk_failure *failure)
{
    r->next = 0;
    r->got = r->json->whole ? 0 : spk_lines_next(&r->lines, r->at, AT_ONCE, failure);
    if (r->got > 0 && r->line == 0 && r->split->start == 0
        && check_wide(r, r->at[0], failure) != SPARK_OK)
        return false;
    return r->got > 0;
}

size_t spk_json_next(spk_json_reader *r, char *rows, size_t max, spk_failure *failure)
{
    const size_t size = r->plan ? r->plan->root->type->size : sizeof(spark_str);
    size_t n = 0;
    spk_arena_reset(&r->texts);
    while (n < max && failure->code == SPARK_OK) {
        if (r->inside)
            n += next_element(r, rows + n * size, failure);
        else if (next_record(r))
            n += begin_record(r, rows + n * size, failure);
        else if (n > 0 || !fetch(r, failure)) /* what was gathered points to the lines that are there */
            break;
    }
    return failure->code == SPARK_OK ? n : 0;
}

void spk_json_put_aside(spk_json_reader *r, const spk_csv_aside *aside)
{
    r->aside = aside;
}

int64_t spk_json_line(const spk_json_reader *r)
{
    long long line;
    size_t column;
    place(r, r->row_at, &line, &column);
    return line;
}

uint64_t spk_json_byte(const spk_json_reader *r)
{
    const spk_lines *l = &r->lines;
    return r->content ? (uint64_t)(r->row_at - r->content)
                      : l->position - (uint64_t)(l->buffer + l->from - r->row_at);
}

/* ---- opening ---- */

/* recode: a content whose first bytes say that it is in UTF-16 or UTF-32 becomes UTF-8. */
static spark_status recode(spk_json_reader *r, spk_failure *failure)
{
    spk_decoder decoder = { .charset = spk_charset_marked(r->content, r->content_n) };
    size_t capacity, used;
    if (decoder.charset == SPK_UTF8)
        return SPARK_OK;
    const size_t room = r->content_n + r->content_n / 2 + 8; /* two bytes may become three */
    char *text = spk_heap_alloc(r->heap, room, &capacity);
    if (!text)
        return spk_failure_nomem(failure, NULL, NULL);
    const size_t n = spk_decode(&decoder, r->content, r->content_n, true, &used, text, room);
    spk_heap_free(r->heap, r->content, r->content_capacity);
    r->content = text;
    r->content_n = n;
    r->content_capacity = capacity;
    return SPARK_OK;
}

static spark_status open_whole(spk_json_reader *r, spk_failure *failure)
{
    const spk_file *file = r->split->file;
    if (spk_file_content(file, r->split->watch, r->heap, &r->content, &r->content_n,
            &r->content_capacity, failure)
        != SPARK_OK) {
        r->content = NULL;
        return failure->code;
    }
    if (r->json->multi_line && !r->json->encoded && recode(r, failure) != SPARK_OK)
        return failure->code;
    if (spk_form_check(file->path, r->content, r->content_n, failure) != SPARK_OK
        || check_wide(r, (spark_str) { r->content, r->content_n }, failure) != SPARK_OK)
        return failure->code;
    if (r->content_n >= 3 && memcmp(r->content, "\xEF\xBB\xBF", 3) == 0) {
        r->mark = 3;
        r->content_n -= 3;
        memmove(r->content, r->content + 3, r->content_n);
    }
    return SPARK_OK;
}

static spark_status begin(spk_json_reader *r, spk_failure *failure)
{
    const size_t n = r->plan ? r->plan->guesses * sizeof *r->guesses : 0;
    if (n > 0) {
        r->guesses = spk_heap_alloc(r->heap, n, &r->guesses_capacity);
        if (!r->guesses)
            return spk_failure_nomem(failure, NULL, NULL);
        memset(r->guesses, 0, n);
    }
    if (r->json->whole)
        return open_whole(r, failure);
    const uint64_t bytes = r->split->end - r->split->start;
    const size_t buffer = bytes < BUFFER ? (size_t)bytes + BEYOND_END : BUFFER;
    return spk_lines_open_sized(&r->lines, r->heap, r->split, buffer, failure);
}

spark_status spk_json_open(spk_json_reader **reader, spk_heap *heap, const spk_json *json,
    const spk_json_plan *plan, const spk_split *split, spk_failure *failure)
{
    size_t capacity;
    spk_json_reader *r = spk_heap_alloc(heap, sizeof *r, &capacity);
    if (!r)
        return spk_failure_nomem(failure, NULL, NULL);
    memset(r, 0, sizeof *r);
    r->heap = heap;
    r->json = json;
    r->plan = plan;
    r->split = split;
    r->own = capacity;
    spk_arena_init(&r->texts, heap);
    const spark_status status = begin(r, failure);
    *reader = r;
    if (status != SPARK_OK)
        spk_json_close(r);
    return status;
}

void spk_json_close(spk_json_reader *r)
{
    spk_arena_fini(&r->texts);
    if (r->lines.heap && r->lines.buffer)
        spk_lines_close(&r->lines);
    if (r->content)
        spk_heap_free(r->heap, r->content, r->content_capacity);
    if (r->guesses)
        spk_heap_free(r->heap, r->guesses, r->guesses_capacity);
    spk_heap_free(r->heap, r, r->own);
}
