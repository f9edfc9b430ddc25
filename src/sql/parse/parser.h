/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the parser share. A failure moves to the END token, where nothing is accepted
 * any more, so that every loop ends; nodes are never NULL, whatever has failed. */
#ifndef SPK_SQL_PARSE_PARSER_H
#define SPK_SQL_PARSE_PARSER_H

#include <string.h>

#include "sql/parse/lex.h"
#include "sql/parse/parse.h"

typedef struct spk_parser {
    spk_arena *arena;
    const char *text;
    spk_token *tokens;
    size_t n, at;
    spk_sql_error *error;
    unsigned depth;
    int64_t parameters; /* question marks so far */
    spk_ast spare;      /* what nodes are when there is no memory; */
    spk_ast_query spare_query;
    char none[1];
} spk_parser;

static inline const spk_token *spk_peek(const spk_parser *p, size_t ahead)
{
    return &p->tokens[p->at + ahead < p->n ? p->at + ahead : p->n];
}
static inline bool spk_is_word(const spk_token *t, const char *keyword)
{
    return t->kind == SPK_TOKEN_WORD && spk_sql_word_is(t->text, keyword);
}
static inline bool spk_is_sign(const spk_token *t, const char *sign)
{
    return t->kind == SPK_TOKEN_SIGN && strcmp(t->text, sign) == 0;
}
/* spk_is: whether the next token is that keyword; spk_at: that sign; spk_is2: two keywords. */
static inline bool spk_is(const spk_parser *p, const char *keyword)
{
    return spk_is_word(spk_peek(p, 0), keyword);
}
static inline bool spk_is2(const spk_parser *p, const char *a, const char *b)
{
    return spk_is(p, a) && spk_is_word(spk_peek(p, 1), b);
}
static inline bool spk_at(const spk_parser *p, const char *sign)
{
    return spk_is_sign(spk_peek(p, 0), sign);
}
bool spk_accept(spk_parser *p, const char *keyword);
bool spk_accept_sign(spk_parser *p, const char *sign);
void spk_expect(spk_parser *p, const char *keyword);
void spk_expect_sign(spk_parser *p, const char *sign);

/* spk_syntax: PARSE_SYNTAX_ERROR at the next token. spk_wrong: another error, at a span. */
void spk_syntax(spk_parser *p);
void spk_wrong(spk_parser *p, const char *condition, spk_sql_span span);
bool spk_deeper(spk_parser *p);

spk_ast *spk_node(spk_parser *p, spk_ast_kind kind, uint32_t from);
void *spk_new(spk_parser *p, size_t size);
/* spk_end: the node ends with the last token that was read. */
spk_ast *spk_end(spk_parser *p, spk_ast *node);
uint32_t spk_from(const spk_parser *p);
uint32_t spk_to(const spk_parser *p);
char *spk_text(spk_parser *p, const char *text, size_t n);
void spk_push(spk_parser *p, spk_ast_list *list, spk_ast *node);
void *spk_grow(spk_parser *p, void *at, size_t n, size_t size);
/* SPK_PUSH: a value onto an array of n. */
#define SPK_PUSH(p, array, n, value)                                                               \
    do {                                                                                           \
        void *grown_ = spk_grow(p, array, n, sizeof *(array));                                     \
        if (grown_) {                                                                              \
            (array) = grown_;                                                                      \
            (array)[(n)++] = (value);                                                              \
        }                                                                                          \
    } while (0)

spk_ast *spk_call(
    spk_parser *p, const char *name, bool infix, uint32_t from, spk_ast *a, spk_ast *b);

/* names.c */
bool spk_is_name(const spk_parser *p); /* a word or a quoted name */
const char *spk_name(spk_parser *p);
spk_ast *spk_qualified(spk_parser *p);
bool spk_clause_ahead(const spk_parser *p); /* a keyword that ends an item and begins a clause */
bool spk_alias_ahead(const spk_parser *p, bool of_table);
bool spk_query_ahead(const spk_parser *p, size_t at); /* that parenthesis holds a query */
void spk_names(spk_parser *p, const char ***names, size_t *n); /* (a, b) */
const char *spk_string(spk_parser *p);
const char *spk_type_text(spk_parser *p);

/* expression.c, primary.c, query.c */
spk_ast *spk_expression(spk_parser *p);
spk_ast *spk_value(spk_parser *p); /* down to the level of comparisons' operands */
spk_ast *spk_primary(spk_parser *p);
void spk_expressions(spk_parser *p, spk_ast_list *list);
void spk_sort_items(spk_parser *p, spk_ast_sort **items, size_t *n);
void spk_window(spk_parser *p, spk_ast_window *window);
spk_ast_query *spk_query(spk_parser *p);
spk_ast_query *spk_query_in(spk_parser *p); /* (query) */
spk_ast *spk_item(spk_parser *p);           /* expression [[AS] alias] */
spk_ast_relation *spk_relation(spk_parser *p);
/* spk_joins: JOIN .. behind a relation; it itself where there is none. spk_sample: TABLESAMPLE. */
spk_ast_relation *spk_joins(spk_parser *p, spk_ast_relation *left);
void spk_sample(spk_parser *p, spk_ast_relation *r);
bool spk_pivot_ahead(const spk_parser *p);
spk_ast_relation *spk_pivot(spk_parser *p, spk_ast_relation *left); /* pivot.c */
spk_ast_term *spk_primary_term(spk_parser *p); /* SELECT .., VALUES .., TABLE t, (query) */
void spk_query_tail(spk_parser *p, spk_ast_query *query); /* ORDER BY, LIMIT, .. */
/* spk_piped: a query, and the |> operators behind it (pipe.c). */
spk_ast_query *spk_piped(spk_parser *p, spk_ast_query *in);

#endif
