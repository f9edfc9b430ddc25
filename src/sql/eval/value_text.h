/* SPDX-License-Identifier: Apache-2.0 */
/* Values as text, put together with other text. */
#ifndef SPK_SQL_EVAL_VALUE_TEXT_H
#define SPK_SQL_EVAL_VALUE_TEXT_H

#include "sql/eval/zone.h"

/* spk_sql_put_value: a value that is not NULL. spk_sql_put_double, _float: as Java's toString. */
void spk_sql_put_value(spk_text *out, const spk_sql_type *type, const void *value, const spk_zone *zone);
void spk_sql_put_double(spk_text *out, double x);
void spk_sql_put_float(spk_text *out, float x);

#endif
