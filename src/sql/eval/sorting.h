/* SPDX-License-Identifier: Apache-2.0 */
/* Values of one type brought into their order, in place: those that are equal cannot be told apart. */
#ifndef SPK_SQL_EVAL_SORTING_H
#define SPK_SQL_EVAL_SORTING_H

#include "base/arena.h"
#include "sql/eval/type.h"

void spk_sql_swap(char *a, char *b, size_t size);
void spk_sql_sort(const spk_sql_type *t, char *at, size_t n);

/* spk_sql_keys: n numbers of 8 bytes (DOUBLE, BIGINT, times) as integers of the same order, in place; false: values of
 * this type are no such numbers. spk_sql_key_value: one of them as what it was. */
bool spk_sql_keys(const spk_sql_type *t, char *at, size_t n);
void spk_sql_key_value(const spk_sql_type *t, char *at);
/* spk_sql_keys_settle: from then on, places from..to have what sorting all n would put there, and what stands before
 * and behind them belongs there, in any order. */
void spk_sql_keys_settle(int64_t *keys, size_t n, size_t from, size_t to);

#endif
