/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of casts share. */
#ifndef SPK_SQL_EVAL_CAST_H
#define SPK_SQL_EVAL_CAST_H

#include "sql/eval/decimal.h"

/* spk_sql_cast_invalid: row i has text that is no value of the type: NULL, or CAST_INVALID_INPUT
 * and false. */
bool spk_sql_cast_invalid(spk_sql_frame *f, uint32_t i, const char *text, size_t n);

void spk_sql_cast_to_string(spk_sql_frame *f);
spk_sql_kernel *spk_sql_cast_from_string(const spk_sql_type *to);
/* spk_sql_cast_nested: arrays, maps, structs, member by member. */
void spk_sql_cast_nested(spk_sql_frame *f);

/* Numbers from text as Spark casts them: blanks around are not looked at. */
bool spk_sql_text_integer(const char *p, size_t n, int64_t least, int64_t most, int64_t *out);
bool spk_sql_text_double(const char *p, size_t n, double *out);
bool spk_sql_text_boolean(const char *p, size_t n, bool *out);

#endif
