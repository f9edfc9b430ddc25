/* SPDX-License-Identifier: Apache-2.0 */
/* Tables in the cache: rows in blocks, each column by itself and as narrow as its values in the block allow.
 * A block is an element of an RDD, a list of 64-bit words that points nowhere but into itself, so that it is
 * kept, evicted, written, recomputed and counted as any cached element.
 *
 * coding: how the values of a column lie in a block. code: of a dictionary or a narrowed number: what is stored
 * instead of the value. */
#ifndef SPK_SQL_EXEC_COLUMNS_H
#define SPK_SQL_EXEC_COLUMNS_H

#include "sql/exec/query.h"

enum { SPK_BLOCK_ROWS = 32768, SPK_BLOCK_BYTES = 4 * 1024 * 1024, SPK_DICTIONARY = 256 };

typedef enum spk_coding {
    SPK_CODING_NARROW, /* numbers, dates, times: base + a code of `width` bytes, or 8 bytes as they are */
    SPK_CODING_PLAIN,  /* as they lie in memory */
    SPK_CODING_CODES,  /* texts: bytes that number those of a dictionary */
    SPK_CODING_TEXTS   /* texts: 32-bit ends, and the bytes */
} spk_coding;

/* spk_block_column: offsets are from the start of the block. */
typedef struct spk_block_column {
    uint8_t coding, width;
    uint16_t entries; /* of the dictionary */
    uint32_t nulls;   /* a byte a row: 1: it has a value; 0: all have one */
    uint32_t data;    /* codes, values, or ends */
    uint32_t ends;    /* of the dictionary's entries */
    uint32_t bytes;   /* of texts */
    uint32_t unused;
    int64_t base, least, most; /* of numbers that are not NULL */
} spk_block_column;

typedef struct spk_block_head {
    uint32_t rows, columns;
    spk_block_column at[];
} spk_block_head;

/* spk_columns_fit: whether such columns can be in blocks: no arrays, maps and structs. */
bool spk_columns_fit(const spk_form *form);
/* spk_columns_pack: blocks of the rows of rdd; their type. */
const spark_type *spk_columns_type(spark_context *sc);
spark_rdd *spk_columns_pack(spk_query *q, spark_rdd *rdd, const spk_form *form);

/* spk_columns_scan: rows of blocks: filters, then columns, as spk_exec_eval has them. */
spark_rdd *spk_columns_scan(spk_query *q, const spk_plan *scan, spk_sql_expr *const *filters,
    size_t n_filters, spk_sql_expr *const *exprs, size_t n, const spk_form *out);

/* spk_columns_bound: from now on the scan that runs as `op` need not give rows whose column i is beyond x: greater, or
 * where it is descending less; it passes over blocks of such rows. spk_columns_bounded: whether column i of what rdd
 * gives can be told so: that is a scan, and the column one of its blocks as it is, of whole numbers, dates or times. */
bool spk_columns_bounded(const spark_rdd *rdd, size_t i);
/* spk_columns_sure: whether such a scan cannot fail for what is in a row: so no one sees which rows it passes over. */
bool spk_columns_sure(const spark_rdd *rdd);
void spk_columns_bound(spk_op *op, size_t i, int64_t x, bool descending);

/* spk_block_encode: n rows of a form as a block, at most SPK_BLOCK_ROWS, to `block`, which has room for
 * spk_block_room; returns how many words it takes. */
size_t spk_block_room(const spk_form *form, const char *rows, size_t n);
size_t spk_block_encode(const spk_form *form, const char *rows, size_t n, uint64_t *block);
/* spk_column_is_whole: values of the type are numbers of such a kind. spk_column_whole: one as 64 bits; false: it does
 * not fit. */
bool spk_column_is_whole(const spk_sql_type *type);
bool spk_column_whole(const spk_sql_type *type, const char *at, int64_t *x);

/* spk_column_decoder: a column of a block that is being read. */
typedef struct spk_column_decoder {
    const spk_sql_type *type;
    const char *block;
    const spk_block_column *column;
    char *values;          /* of a batch, decoded */
    spark_str *dictionary; /* SPK_DICTIONARY */
} spk_column_decoder;

/* spk_column_decode_open: the column in another block. spk_column_decode: values of n rows from `from` on, those
 * that are chosen, by their place among these. */
void spk_column_decode_open(spk_column_decoder *d, const spk_block_head *head, uint32_t column);
void spk_column_decode(spk_column_decoder *d, uint32_t from, uint32_t n, spk_sql_rows chosen, spk_sql_input *input);
/* spk_column_decode_codes: how many codes there are that may occur; 0: the column has none, or more than `most`.
 * spk_column_decode_values: input is told those from `from` on, n at most, where there are no more than SPK_CODES_MAX. */
enum { SPK_CODES_MAX = 4096 };
uint32_t spk_column_decode_codes(const spk_column_decoder *d, uint32_t most);
void spk_column_decode_values(spk_column_decoder *d, uint32_t from, uint32_t n, spk_sql_input *input);

#endif
