/* SPDX-License-Identifier: Apache-2.0 */
/* CSV: what the files of this format tell each other, and the nodes that read and write it.
 *
 * csv: options, compiled; column: where the values of a column of the file go in a row; plan: all columns
 * that are wanted, for the header of one file; record: a row in the file, which without multi_line is
 * a line; cell: the text of a column in a record, NULL where it is null whatever its type. */
#ifndef SPK_FORMAT_CSV_H
#define SPK_FORMAT_CSV_H

#include <spark/csv.h>

#include "base/arena.h"
#include "format/calendar.h"
#include "io/charset.h"

enum { SPK_CSV_SEP = 8, SPK_CSV_NAME = 128, SPK_NO_BYTE = -1, SPK_CSV_MOST_COLUMNS = 1 << 20 };

typedef struct spk_csv {
    char sep[SPK_CSV_SEP];
    size_t sep_n;
    int quote, escape, escape_escape, comment; /* bytes, or SPK_NO_BYTE */
    char line_sep[2];
    size_t line_sep_n; /* 0: any of \n \r\n \r */
    spark_str null_value, empty_value, nan_value, positive_inf, negative_inf, corrupt;
    spk_pattern date, time;
    bool has_date, has_time, plain_date; /* plain_date: yyyy-MM-dd */
    bool header, infer, prefer_date, multi_line, latin1, trim_front, trim_back, quote_all,
        escape_quotes;
    spark_flag enforce;
    spark_read_mode mode;
    spark_unescaped_quotes unescaped;
    double sampling;
    size_t max_columns, max_chars; /* max_chars: SIZE_MAX: any */
    int min_partitions;
    spk_charset charset; /* of what is to become UTF-8 before it is read */
    char *texts; /* what the texts above are kept in */
} spk_csv;

/* spk_csv_compile: SPARK_EINVAL with the option and what is wrong with it. writing: the defaults of
 * writing. spk_csv_free: also of a zeroed one. */
spark_status spk_csv_compile(
    spk_csv *csv, const spark_csv_options *options, bool writing, spk_failure *failure);
void spk_csv_free(spk_csv *csv);

/* spk_csv_is_whole: files are not split: quotes hold line ends, or one that is a sign twice begins in each of three. */
static inline bool spk_csv_is_whole(const spk_csv *csv)
{
    return csv->multi_line || (csv->line_sep_n == 2 && csv->line_sep[0] == csv->line_sep[1]);
}

typedef struct spk_csv_column {
    uint32_t at;     /* which column of the file */
    uint32_t offset; /* of the value in the row */
    int32_t present; /* of the bool of an optional; -1: it cannot be null */
    uint32_t count;  /* of an array of char; else 0 */
    uint32_t size;
    spark_kind kind;
    int precision, scale;
    const spark_field *field;
} spk_csv_column;

typedef struct spk_csv_plan {
    const spk_csv *csv;
    spk_csv_column *columns; /* in order of `at` */
    size_t n;
    size_t expected; /* columns of the file */
    int32_t corrupt; /* offset of the spark_str for malformed records; -1: none */
    int32_t corrupt_present;
    uint32_t row_size;
    uint64_t header_at; /* where the header is, which may stand behind comments and empty lines; 0 at first */
} spk_csv_plan;

/* spk_csv_fits: whether rows of the type can be read and written; SPARK_ETYPE names the member. */
spark_status spk_csv_fits(const spark_type *type, spk_failure *failure);
/* spk_csv_plan_make: for a file with these names of columns; names NULL: n columns by position, n 0: as
 * many as members. SPARK_EIO: a column is missing. */
spark_status spk_csv_plan_make(spk_csv_plan *plan, const spk_csv *csv, const spark_type *type,
    const char *path, const spark_str *names, size_t n, spk_failure *failure);
void spk_csv_plan_free(spk_csv_plan *plan);

/* ---- records ---- */

typedef struct spk_csv_record {
    const char *at; /* in the buffer, without the line end: */
    size_t n;
    uint32_t columns;
    bool bad;      /* malformed */
    int32_t wrong; /* the first column that cannot be read; -1 */
    int32_t null;  /* the first that must not be null; -1 */
} spk_csv_record;

/* spk_csv_cut: a record that is cut by the rules for quotes. columns NULL: all cells are wanted. */
typedef struct spk_csv_cut {
    const spk_csv *csv;
    const spk_csv_column *columns;
    size_t n;        /* of columns, or room in cells */
    spark_str *cells;
    spk_arena *texts; /* for values that are not as they stand in the file */
    size_t found;    /* columns of the record */
    size_t next;     /* of `columns`, that no cell was found for yet */
    spark_status status;
    const char *why, *where; /* what went wrong */
    bool incomplete;         /* the record goes on behind the end */
    const char *stop;        /* where the record ends, before the line end */
} spk_csv_cut;

/* spk_csv_cut_record: the record at p. ends: line ends between p and end, outside of quotes, end it;
 * else it is all there is. last: nothing follows behind end. Returns what is behind the record and its
 * line end; NULL: it is incomplete, or status says what went wrong. Cells that are missing are NULL. */
const char *spk_csv_cut_record(
    spk_csv_cut *cut, const char *p, const char *end, bool ends, bool last);

/* ---- a window of lines ---- */

enum { SPK_CSV_WINDOW = 32 * 1024 };

/* spk_csv_window: where lines end in some bytes, and separators stand. */
typedef struct spk_csv_window {
    const char *base;
    uint32_t *at;   /* positions of separators and line ends */
    uint32_t *ends; /* those in `at` that are line ends */
    uint8_t *odd;   /* of a line: it has a quote in it, or must be cut by the rules */
    size_t lines;
} spk_csv_window;

/* spk_csv_look: at n bytes, at most SPK_CSV_WINDOW; last: nothing is behind them. There are
 * SPK_CSV_SLACK readable bytes behind them. */
enum { SPK_CSV_SLACK = 64 };
void spk_csv_look(spk_csv_window *window, const spk_csv *csv, const char *p, size_t n, bool last);

/* ---- rows ---- */

typedef struct spk_csv_reader spk_csv_reader;

/* spk_csv_open: the rows of a split; plan NULL: none, but for spk_csv_names. all: every line of
 * the split is read, else those that begin in it. */
spark_status spk_csv_open(spk_csv_reader **reader, spk_heap *heap, const spk_csv *csv,
    const spk_csv_plan *plan, const spk_split *split, spk_failure *failure);
void spk_csv_close(spk_csv_reader *reader);
/* spk_csv_next: up to max rows, as the plan lays them out; they point into the reader until the next
 * call. 0: the end, or *failure is filled (its code must be SPARK_OK before). */
size_t spk_csv_next(spk_csv_reader *reader, char *rows, size_t max, spk_failure *failure);
/* spk_csv_row_at: the offset in the file of the record of row i of the last call. */
uint64_t spk_csv_row_at(const spk_csv_reader *reader, size_t i);
/* spk_csv_names: the cells of the first record, which the reader keeps; 0: there is none, or *failure
 * is filled. */
size_t spk_csv_names(spk_csv_reader *reader, const spark_str **names, spk_failure *failure);

/* spk_csv_utf8: a text as it stands in a file as UTF-8: itself, or in `texts`. */
spark_str spk_csv_utf8(const spk_csv *csv, spark_str s, spk_arena *texts, bool *nomem);

/* spk_csv_put_aside: what the reader does with malformed records instead of what the mode says: they are no
 * rows; put (NULL: nothing) is told of each: its offset in the file, its text, and why. False: reading
 * ends, with a failure code and no message. */
typedef struct spk_csv_aside {
    bool (*put)(void *to, uint64_t offset, spark_str record, const char *reason);
    void *to;
} spk_csv_aside;
void spk_csv_put_aside(spk_csv_reader *reader, const spk_csv_aside *aside);

/* spk_csv_why_not: what is wrong with a record that is bad, or has a null too many. */
typedef struct spk_csv_why {
    const char *cell; /* where, or NULL */
    char what[300], column[200]; /* column: what stands behind the place, or "" */
} spk_csv_why;
SPK_COLD spk_csv_why spk_csv_why_not(
    const spk_csv_plan *plan, const spk_csv_record *record, const spark_str *cells);

/* spk_csv_convert: the cells of n records, plan->n each, into zeroed rows; sets what is wrong in
 * records. False: nothing is. */
bool spk_csv_convert(const spk_csv_plan *plan, const spark_str *cells, size_t n,
    spk_csv_record *records, char *rows, spk_arena *texts, bool *nomem);
/* spk_csv_read_cell: whether the text is a value of the column; writes it to `row`. */
bool spk_csv_read_cell(
    const spk_csv *csv, const spk_csv_column *column, spark_str cell, char *row);

/* ---- inference ---- */

typedef enum spk_csv_guess {
    SPK_GUESS_NULL,
    SPK_GUESS_I32,
    SPK_GUESS_I64,
    SPK_GUESS_F64,
    SPK_GUESS_DATE,
    SPK_GUESS_TIME,
    SPK_GUESS_BOOL,
    SPK_GUESS_STR
} spk_csv_guess;

spk_csv_guess spk_csv_guess_of(const spk_csv *csv, spk_csv_guess so_far, spark_str cell);
spk_csv_guess spk_csv_guess_both(const spk_csv *csv, spk_csv_guess a, spk_csv_guess b);
const spark_type *spk_csv_guess_type(spk_csv_guess guess);

/* ---- writing ---- */

/* spk_csv_row_room: how many bytes a row takes at most. spk_csv_print: the row and a line end at `to`;
 * returns how many. spk_csv_print_header: the same for the names. */
size_t spk_csv_row_room(const spk_csv *csv, const spark_type *type, const char *row);
size_t spk_csv_print(const spk_csv *csv, const spark_type *type, const char *row, char *to);
size_t spk_csv_header_room(const spk_csv *csv, const spark_type *type);
size_t spk_csv_print_header(const spk_csv *csv, const spark_type *type, char *to);
/* spk_csv_print_date, _time: at most SPK_PATTERN_TEXT bytes. */
size_t spk_csv_print_date(const spk_csv *csv, int32_t days, char *to);
size_t spk_csv_print_time(const spk_csv *csv, int64_t micros, char *to);

#endif
