/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors: the values of up to 1024 rows, wherever they lie. */
#ifndef SPK_SQL_EVAL_VECTOR_H
#define SPK_SQL_EVAL_VECTOR_H

#include "sql/eval/type.h"

enum { SPK_SQL_BATCH = 1024 };

/* spk_sql_vector: value i lies at ptr + i * stride; stride 0: one value for all rows. What lies
 * under
 * a NULL is not looked at. */
typedef struct spk_sql_vector {
    const char *ptr;
    size_t stride;
    const uint8_t *valid; /* byte i is 1: row i has a value, 0: it is NULL; NULL: all have one */
} spk_sql_vector;

/* spk_sql_input: a column as rows have it: the validity of row i is (valid[i * valid_stride] &
 * mask)
 * != 0, turned over where `inverted`: a present byte of an optional (mask 255), or a bit of a mask
 * of
 * nulls (inverted). */
typedef struct spk_sql_input {
    const char *ptr;
    size_t stride;
    const uint8_t *valid; /* NULL: no row is NULL */
    size_t valid_stride;
    uint8_t mask;
    bool inverted;
} spk_sql_input;

/* spk_sql_rows: which rows of a batch: n indices in ascending order, or the first n where at is
 * NULL. */
typedef struct spk_sql_rows {
    const uint16_t *at;
    uint32_t n;
} spk_sql_rows;

static inline uint32_t spk_sql_row(spk_sql_rows rows, uint32_t k)
{
    return rows.at ? rows.at[k] : k;
}

/* SPK_SQL_VALUE: value i of a vector of T. */
#define SPK_SQL_VALUE(T, v, i) (*(const T *)(const void *)((v)->ptr + (size_t)(i) * (v)->stride))

static inline bool spk_sql_valid(const spk_sql_vector *v, uint32_t i)
{
    return !v->valid || v->valid[i];
}

/* spk_sql_nulls, spk_sql_ones: SPK_SQL_BATCH bytes of 0 and of 1: the validity of constants. */
extern const uint8_t spk_sql_nulls[SPK_SQL_BATCH], spk_sql_ones[SPK_SQL_BATCH];

#endif
