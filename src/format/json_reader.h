/* SPDX-License-Identifier: Apache-2.0 */
/* JSON files: their options, compiled, and the rows or texts of a split. */
#ifndef SPK_FORMAT_JSON_READER_H
#define SPK_FORMAT_JSON_READER_H

#include "format/json_row.h"
#include "io/files.h"

typedef struct spk_json {
    spk_csv formats; /* of dates and times; mode, and the name of the member for malformed texts */
    unsigned rules;
    bool multi_line, primitives_as_string, prefers_decimal, infer_timestamp, drop_all_null;
    bool ignore_null;
    double sampling;
    int min_partitions;
    char line_sep[16];
    size_t line_sep_n; /* 0: any of \n \r\n \r */
    unsigned char guard; /* w: a byte of line_sep that strings have escaped only, so that it ends no line; 0: none;
                          * 128: all that is not ASCII */
    bool whole;        /* files are held in memory, and not split */
    spk_charset charset;
    bool encoded;      /* somebody has said so; else whole files are looked at */
} spk_json;

/* spk_json_compile: SPARK_EINVAL with the option and what is wrong with it.
 * spk_json_options_free: also of a zeroed one. */
spark_status spk_json_compile(
    spk_json *json, const spark_json_options *options, spk_failure *failure);
void spk_json_options_free(spk_json *json);

/* spk_json_guard: sets guard; SPARK_EINVAL: line_sep may be a part of an object. */
SPK_COLD spark_status spk_json_guard(spk_json *json, spk_failure *failure);

typedef struct spk_json_reader spk_json_reader;

/* spk_json_open: the rows of a split; plan NULL: the texts of its records, each a spark_str. Where
 * files are not split, it is a whole file; with multi_line there is one record in it. */
spark_status spk_json_open(spk_json_reader **reader, spk_heap *heap, const spk_json *json,
    const spk_json_plan *plan, const spk_split *split, spk_failure *failure);
void spk_json_close(spk_json_reader *reader);
/* spk_json_next: up to max rows; they point into the reader until the next call. 0: the end, or
 * *failure is filled (its code must be SPARK_OK before). */
size_t spk_json_next(spk_json_reader *reader, char *rows, size_t max, spk_failure *failure);
/* spk_json_put_aside: as spk_csv_put_aside; of elements of an array in a line, its offset and text is that of
 * the line. */
void spk_json_put_aside(spk_json_reader *reader, const spk_csv_aside *aside);
/* spk_json_line: the line of the file, from 1, that the last row of the last call begins in; -1:
 * it cannot be told any more. */
int64_t spk_json_line(const spk_json_reader *reader);
/* spk_json_byte: the byte of the file that it begins at. */
uint64_t spk_json_byte(const spk_json_reader *reader);

#endif
