/* SPDX-License-Identifier: Apache-2.0 */
/* The parser: recursive descent, precedence climbing for operators, at most SPK_SQL_DEPTH levels
 * deep. Keywords are words it looks at where they may stand; none is reserved. */
#ifndef SPK_SQL_PARSE_PARSE_H
#define SPK_SQL_PARSE_PARSE_H

#include "sql/parse/ast.h"

enum { SPK_SQL_DEPTH = 400 };

/* spk_sql_parse: the first statement of a text; *next: where the one behind it begins (the text's
 * length: there is none). NULL: *error. */
spk_ast_statement *spk_sql_parse(
    spk_arena *arena, const char *text, size_t *next, spk_sql_error *error);

/* spk_sql_parse_blank: whether nothing but white space, comments and semicolons is left of a text.
 * */
bool spk_sql_parse_blank(const char *text);

#endif
