/* SPDX-License-Identifier: Apache-2.0 */
/* CSV in the elements of an RDD: a step that makes rows of lines, each cut by the rules for quotes. What is
 * wrong with one is told by its number, of which the engine knows file and line. */
#include <stdlib.h>

#include <spark/csv.h>

#include "exec/bad.h"
#include "format/csv.h"
#include "rdd/action.h"
#include "rdd/verb.h"

enum { MOST_CELLS = 32 * 1024 };

typedef struct lines_rdd {
    spark_rdd rdd;
    spk_csv csv;
    spk_csv_plan plan; /* once it is prepared */
    char *header;      /* NULL: none */
    size_t header_n;
} lines_rdd;

/* ---- the header ---- */

/* is_skipped: lines of blanks, and comments. */
static bool is_skipped(const spk_csv *csv, spark_str line)
{
    size_t i = 0;
    if (line.len > 0 && (unsigned char)line.ptr[0] == csv->comment)
        return true;
    while (i < line.len && (unsigned char)line.ptr[i] <= ' ')
        i++;
    return i == line.len;
}

/* plan_of: for the names in a line. */
static spark_status plan_of(lines_rdd *l, spark_str line, spk_failure *failure)
{
    spark_rdd *rdd = &l->rdd;
    spk_arena texts;
    size_t capacity;
    const size_t most = line.len < l->csv.max_columns ? line.len + 1 : l->csv.max_columns;
    spark_str *cells = spk_heap_alloc(&rdd->sc->heap, most * sizeof *cells, &capacity);
    if (!cells)
        return spk_failure_nomem(failure, NULL, NULL);
    spk_arena_init(&texts, &rdd->sc->heap);
    spk_csv_cut cut = { .csv = &l->csv, .cells = cells, .n = most, .texts = &texts };
    spark_status status = SPARK_OK;
    if (!spk_csv_cut_record(&cut, line.ptr, line.ptr + line.len, false, true))
        status = cut.status == SPARK_ENOMEM
            ? spk_failure_nomem(failure, NULL, NULL)
            : spk_failure_set(failure, cut.status, NULL, NULL, "%s, in the header", cut.why);
    bool nomem = false;
    for (size_t i = 0; status == SPARK_OK && i < cut.found; i++)
        cells[i] = spk_csv_utf8(&l->csv, cells[i], &texts, &nomem);
    if (nomem)
        status = spk_failure_nomem(failure, NULL, NULL);
    if (status == SPARK_OK)
        status = spk_csv_plan_make(&l->plan, &l->csv, rdd->layout->type, "the lines",
            l->csv.enforce == SPARK_ON ? NULL : cells, cut.found, failure);
    spk_arena_fini(&texts);
    spk_heap_free(&rdd->sc->heap, cells, capacity);
    return status;
}

/* first_line: the first that is none to be skipped, among the first n; *n: how many there are of these. */
static spark_status first_line(lines_rdd *l, size_t *n, spk_failure *failure)
{
    spark_array lines;
    const spark_rdd *rdd = &l->rdd;
    const spark_status status = spk_take_as(rdd->operation, rdd->site, rdd->deps[0].rdd, *n,
        SPARK_TYPE(spark_str), &lines, failure);
    if (status != SPARK_OK)
        return status;
    const spark_str *line = SPARK_ITEMS(spark_str, &lines);
    for (size_t i = 0; i < lines.n && !l->header && failure->code == SPARK_OK; i++)
        if (!is_skipped(&l->csv, line[i])) {
            l->header = malloc(line[i].len + 1);
            l->header_n = line[i].len;
            if (!l->header)
                spk_failure_nomem(failure, NULL, NULL);
            else
                memcpy(l->header, line[i].ptr, line[i].len);
        }
    *n = lines.n;
    spark_array_free(&lines);
    return failure->code;
}

static spark_status find_header(lines_rdd *l, spk_failure *failure)
{
    enum { FIRST = 16 };
    failure->code = SPARK_OK;
    size_t want = FIRST, have = want;
    for (; !l->header && have == want; want *= FIRST) {
        have = want;
        if (first_line(l, &have, failure) != SPARK_OK || have < want)
            break;
    }
    return failure->code;
}

static spark_status csv_lines_prepare(spark_rdd *rdd, spk_failure *failure)
{
    lines_rdd *l = SPK_NODE(lines_rdd, rdd);
    spark_status status = l->csv.header && !l->header ? find_header(l, failure) : SPARK_OK;
    if (status == SPARK_OK && l->header)
        status = plan_of(l, (spark_str) { l->header, l->header_n }, failure);
    else if (status == SPARK_OK)
        status = spk_csv_plan_make(
            &l->plan, &l->csv, rdd->layout->type, "the lines", NULL, 0, failure);
    if (status == SPARK_OK)
        spk_rdd_partitions_set(rdd, spk_rdd_partitions(rdd->deps[0].rdd));
    else
        spk_csv_plan_free(&l->plan);
    return status;
}

/* ---- rows ---- */

/* piece: lines that are cut, and the rows that are made of them. */
typedef struct piece {
    spk_pipe *pipe;
    const spk_op *op;
    const lines_rdd *l;
    spk_csv_cut cut;
    spk_csv_record *records;
    spark_str *cells, *lines; /* lines: of the records */
    uint64_t *numbers;        /* likewise: in the partition */
    size_t n;
} piece;

static void *room(const piece *p, size_t n, size_t size)
{
    return spk_pipe_alloc(p->pipe, n * size + 1);
}

static void fail(const piece *p, uint64_t number, spark_status code, const char *why)
{
    spark_task *task = p->pipe->task;
    if (code == SPARK_ENOMEM)
        spk_task_nomem(task);
    else
        spk_task_fail(task, SPARK_ETASK, "%s", why);
    spk_locate(task, (int64_t)number);
}

/* loosen: values are read beyond the ends of their texts, where those of a line may not be read: all but
 * strings are copied. */
static bool loosen(const piece *p, spark_str *cells)
{
    const spk_csv_plan *plan = &p->l->plan;
    for (size_t c = 0; c < plan->n; c++) {
        const spk_csv_column *column = &plan->columns[c];
        if (!cells[c].ptr || column->kind == SPARK_KIND_STR || column->kind == SPARK_KIND_BYTES)
            continue;
        char *text = spk_arena_alloc(p->cut.texts, cells[c].len + SPK_CSV_SLACK, 1);
        if (!text)
            return false;
        memcpy(text, cells[c].ptr, cells[c].len);
        memset(text + cells[c].len, 0, SPK_CSV_SLACK);
        cells[c].ptr = text;
    }
    return true;
}

/* cut_line: false: the task has failed. */
static bool cut_line(piece *p, spark_str line, uint64_t number)
{
    const lines_rdd *l = p->l;
    if (is_skipped(&l->csv, line)
        || (l->header && line.len == l->header_n && memcmp(line.ptr, l->header, line.len) == 0))
        return true;
    p->cut.cells = p->cells + p->n * l->plan.n;
    if (!spk_csv_cut_record(&p->cut, line.ptr, line.ptr + line.len, false, true)) {
        fail(p, number, p->cut.status, p->cut.why ? p->cut.why : "a quote that is not closed");
        return false;
    }
    if (!loosen(p, p->cut.cells)) {
        fail(p, number, SPARK_ENOMEM, "");
        return false;
    }
    p->lines[p->n] = line;
    p->numbers[p->n] = number;
    p->records[p->n++] = (spk_csv_record) { line.ptr, line.len, (uint32_t)p->cut.found,
        p->cut.found != l->plan.expected, -1, -1 };
    return true;
}

/* settle: whether record i is a row; false as well: the task has failed. */
static bool settle(const piece *p, size_t i, char *row)
{
    const spk_csv_plan *plan = &p->l->plan;
    const spk_csv_record *record = &p->records[i];
    const spk_bad_head *bad = p->op->rdd->bad;
    const bool lost = record->null >= 0;
    char text[sizeof(spk_csv_why)];
    if (!record->bad && !lost)
        return true;
    bool nomem = false;
    const spark_str line = spk_csv_utf8(&p->l->csv, p->lines[i], p->cut.texts, &nomem);
    if (nomem) {
        fail(p, p->numbers[i], SPARK_ENOMEM, "");
        return false;
    }
    if (!bad && !lost && p->l->csv.mode == SPARK_PERMISSIVE) {
        if (plan->corrupt >= 0)
            memcpy(row + plan->corrupt, &line, sizeof line);
        if (plan->corrupt >= 0 && plan->corrupt_present >= 0)
            row[plan->corrupt_present] = true;
        return true;
    }
    const spk_csv_why why = spk_csv_why_not(plan, record, p->cells + i * plan->n);
    snprintf(text, sizeof text, "%s%s", why.what, why.column);
    if (bad)
        bad->put(p->pipe->task, p->op->bad, p->numbers[i], line, text);
    else
        fail(p, p->numbers[i], SPARK_ETASK, text);
    return false;
}

/* convert: the rows of a piece at `rows`; how many there are. */
static size_t convert(piece *p, char *rows)
{
    const spk_csv_plan *plan = &p->l->plan;
    const size_t size = plan->row_size;
    bool nomem = false;
    size_t kept = 0;
    memset(rows, 0, p->n * size);
    spk_csv_convert(plan, p->cells, p->n, p->records, rows, p->cut.texts, &nomem);
    if (nomem)
        spk_task_nomem(p->pipe->task);
    for (size_t i = 0; i < p->n && !spk_task_failed(p->pipe->task); i++)
        if (settle(p, i, rows + i * size)) {
            if (kept < i)
                memcpy(rows + kept * size, rows + i * size, size);
            kept++;
        }
    p->n = 0;
    return kept;
}

static void csv_lines_run(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const lines_rdd *l = SPK_NODE(lines_rdd, op->rdd);
    const spk_batch in = *batch;
    const size_t fit = MOST_CELLS / (l->plan.n + 1) + 1, most = in.n < fit ? in.n : fit;
    piece p = { .pipe = pipe, .op = op, .l = l };
    p.records = room(&p, most, sizeof *p.records);
    p.cells = room(&p, most * l->plan.n, sizeof *p.cells);
    p.lines = room(&p, most, sizeof *p.lines);
    p.numbers = room(&p, most, sizeof *p.numbers);
    char *rows = room(&p, in.n, l->plan.row_size);
    *batch = (spk_batch) { rows, 0 };
    if (!p.records || !p.cells || !p.lines || !p.numbers || !rows)
        return;
    spk_level *level = pipe->task->push.levels[pipe->task->push.depth - 1];
    p.cut = (spk_csv_cut) { .csv = &l->csv, .columns = l->plan.columns, .n = l->plan.n,
        .texts = &level->arenas[level->current] };
    for (size_t i = 0; i < in.n; i++) {
        spark_str line;
        memcpy(&line, in.rows + i * sizeof line, sizeof line);
        if (!cut_line(&p, line, op->seen + i))
            return;
        if (p.n == most || i + 1 == in.n)
            batch->n += convert(&p, rows + batch->n * l->plan.row_size);
        if (spk_task_failed(pipe->task))
            return;
    }
}

/* ---- making ---- */

static void csv_lines_release(spark_rdd *rdd)
{
    lines_rdd *l = SPK_NODE(lines_rdd, rdd);
    free(l->header);
    spk_csv_plan_free(&l->plan);
    spk_csv_free(&l->csv);
}

static void check(spk_verb *v, const spark_type *type, const spark_csv_options *o, spk_csv *csv)
{
    spk_failure failure;
    if (!type)
        spk_verb_fail(v, SPARK_EINVAL, "the type of the rows is NULL");
    if (o && o->multi_line)
        spk_verb_fail(v, SPARK_EINVAL, "multi_line is for files: an element is one record");
    if (!v->bad && (spk_csv_compile(csv, o, false, &failure) != SPARK_OK
                       || spk_csv_fits(type, &failure) != SPARK_OK))
        spk_verb_fail(v, failure.code, "%s", failure.message);
}

spark_rdd *spark_read_csv_lines(
    spark_site at, spark_rdd *lines, const spark_type *type, const spark_csv_options *options)
{
    static const spk_class class = { .name = "MapPartitionsRDD",
        .run = csv_lines_run,
        .by_element = true,
        .prepare = csv_lines_prepare,
        .release = csv_lines_release };
    spk_csv csv = { .texts = NULL };
    spk_failure failure;
    spk_verb v;
    bool made;
    spk_verb_begin(&v, at, "csvLines", NULL, 1, &lines, NULL);
    spk_verb_want(&v, SPARK_TYPE(spark_str), v.in);
    check(&v, type, options, &csv);
    const spk_layout *layout = v.bad ? NULL : spk_verb_layout(&v, type);
    spark_rdd *rdd = spk_verb_make(&v, &class, sizeof(lines_rdd), layout, &made);
    if (!made) {
        spk_csv_free(&csv);
        return rdd;
    }
    SPK_NODE(lines_rdd, rdd)->csv = csv;
    if (csv.mode != SPARK_DROPMALFORMED || spk_bad_imply(rdd))
        return rdd;
    spk_failure_nomem(&failure, NULL, NULL);
    return spk_verb_undo(&v, rdd, &failure);
}
