/* SPDX-License-Identifier: Apache-2.0 */
/* The scan of blocks, for the files it is made of: its filters (columns_filter.c), the rest (columns_scan.c). */
#ifndef SPK_SQL_EXEC_COLUMNS_SCAN_H
#define SPK_SQL_EXEC_COLUMNS_SCAN_H

#include "sql/exec/columns.h"
#include "sql/exec/taker.h"

enum { SPK_NO_COLUMN = -1, SPK_SEVERAL = -2 };

/* spk_scan_filter: a condition; column: the one it is about, or one of these. */
typedef struct spk_scan_filter {
    int32_t column;
    const uint32_t *columns; /* all of them */
    size_t n;
    bool monotone; /* a comparison with a constant: what holds for both ends holds between */
    const spark_str *text; /* it says that the column is this text; or NULL. differs: that it is another one */
    bool differs;
    bool texts; /* columns that it is about are */
} spk_scan_filter;

typedef struct spk_scan_rdd {
    spark_rdd rdd;
    spk_query *query;
    const spk_form *out;
    size_t n_columns; /* of the plan */
    const uint32_t *members;
    const spk_sql_type *const *types;
    const spk_sql_program *program;
    const spk_scan_filter *filters;
    size_t n_filters;
    bool sure; /* no row makes it fail */
    const struct spk_scan_column *columns; /* what comes out, as many as `out` has */
} spk_scan_rdd;

/* spk_scan_column: what comes out: a column as it is, or an expression of the program and the columns it names. */
typedef struct spk_scan_column {
    bool computed;
    uint32_t number;
    const uint32_t *columns;
    size_t n;
} spk_scan_column;

/* spk_verdict: what a block's codes say of a filter. */
typedef enum spk_verdict { SPK_ASK, SPK_BY_CODE, SPK_IN_RANGE, SPK_BY_TEXT, SPK_ALL } spk_verdict;

/* spk_code_range: values pass that are from `first` to first + span more than the block's least. */
typedef struct spk_code_range {
    uint64_t first, span;
} spk_code_range;

typedef struct spk_scan_state {
    spk_vectors columns; /* first: what is handed on */
    spk_sql_run *run, *codes; /* codes: asks about single values, which may fail */
    bool codes_failed;
    spk_arena *arenas, *scratch;
    spk_column_decoder *decoders;
    spk_sql_input *inputs, *code_inputs;
    bool *decoded; /* of the batch */
    uint8_t *passes; /* SPK_CODES_MAX bytes for each filter */
    uint8_t *verdicts;
    spk_code_range *ranges;
    bool *null_passes;
    uint16_t at[SPK_SQL_BATCH];
    uint16_t code_at[SPK_SQL_BATCH];
    uint64_t seen; /* number of the next row, as spk_row_number has it */
    size_t pace; /* rows of a batch; task->push.batch_rows is of blocks but while they are read */
    bool more;
    const spk_scan_rdd *r;
    uint32_t from; /* where in the block the batch begins */
    struct { /* of a column of blocks: what is beyond x is not wanted */
        bool is_set, descending;
        uint32_t column;
        int64_t x;
    } bound;
    spk_sql_input *given;
    bool *given_whole; /* for all rows that have passed */
    spk_onward onward;
} spk_scan_state;

/* spk_scan_codes: of a batch of a scan, how the values of column i are coded in its block: code k of `width` bytes for
 * each row of the batch at `codes`; equal codes are equal values, and the other way round; valid: as of vectors. codes
 * NULL: all rows have one value. ordered: a code is how much more than `least` a number is. How many codes there may
 * be; 0: it is not coded, or by more than `most`. */
typedef struct spk_scan_coded {
    const char *codes;
    uint32_t width;
    const uint8_t *valid;
    bool ordered;
    int64_t least;
} spk_scan_coded;
uint32_t spk_scan_codes(const spk_vectors *scan, size_t i, uint32_t most, spk_scan_coded *coded);

/* spk_scan_judge: what the block that is open says of filter f; false: no row passes. */
bool spk_scan_judge(const spk_scan_rdd *r, spk_scan_state *s, size_t f);
/* spk_scan_select: those of n rows from `from` on that pass all filters; false: the task has failed. */
bool spk_scan_select(const spk_scan_rdd *r, spk_scan_state *s, uint32_t from, uint32_t n, spk_sql_rows *rows);
/* spk_scan_need: a column of the batch, decoded for those rows at least. */
void spk_scan_need(spk_scan_state *s, size_t column, uint32_t from, uint32_t n, spk_sql_rows rows);

#endif
