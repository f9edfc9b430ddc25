/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SPK_SQL_EVAL_NUMBER_FORMAT_H
#define SPK_SQL_EVAL_NUMBER_FORMAT_H

#include "sql/eval/expr.h"

/* spk_sql_resolve_number_to_char: to_char of a number by a constant format. */
SPK_COLD bool spk_sql_resolve_number_to_char(spk_sql_build *b, spk_sql_expr *call);

#endif
