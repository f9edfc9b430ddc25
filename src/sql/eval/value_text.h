/* SPDX-License-Identifier: Apache-2.0 */
/* Values as text, put together with other text. */
#ifndef SPK_SQL_EVAL_VALUE_TEXT_H
#define SPK_SQL_EVAL_VALUE_TEXT_H

#include "sql/eval/text.h"
#include "sql/eval/type.h"

/* spk_sql_put_value: a value that is not NULL. spk_sql_put_floating: the shortest digits of a
 * number as
 * Java's Double.toString arranges them. */
void spk_sql_put_value(spk_text *out, const spk_sql_type *type, const void *value, int32_t zone);
void spk_sql_put_floating(spk_text *out, const char *text, size_t n);

#endif
