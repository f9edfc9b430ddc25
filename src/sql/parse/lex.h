/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens: a statement cut into an array, with an END token behind the last. */
#ifndef SPK_SQL_PARSE_LEX_H
#define SPK_SQL_PARSE_LEX_H

#include "base/arena.h"
#include "sql/error.h"

typedef enum spk_token_kind {
    SPK_TOKEN_END,
    SPK_TOKEN_WORD,   /* an identifier or keyword as written */
    SPK_TOKEN_QUOTED, /* an identifier in back quotes; text: without them */
    SPK_TOKEN_STRING, /* text: the value */
    SPK_TOKEN_NUMBER, /* as written, with its suffix */
    SPK_TOKEN_SIGN    /* an operator, bracket or comma, as written; of != "<>", of == "=" */
} spk_token_kind;

typedef struct spk_token {
    spk_token_kind kind;
    spk_sql_span span;
    const char *text; /* NUL-terminated */
    uint32_t len;
    uint32_t match;   /* of an opening or closing parenthesis: the other one; else 0 */
} spk_token;

/* spk_sql_lex: the tokens of a text; *n without the END. NULL: *error. Statements end at the end
 * of the text or where a semicolon stands, at *next. large: an empty arena, which the tokens are in
 * where there are many; their texts are not. */
spk_token *spk_sql_lex(
    spk_arena *arena, spk_arena *large, const char *text, size_t *n, size_t *next, spk_sql_error *error);

/* spk_sql_word_is: whether a word is that keyword, which is given in capitals. */
bool spk_sql_word_is(const char *text, const char *keyword);

#endif
