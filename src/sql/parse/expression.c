/* SPDX-License-Identifier: Apache-2.0 */
/* Operators by precedence: OR, AND, NOT, one suffix (IN, LIKE, BETWEEN, IS), comparisons, and the levels
 * of arithmetic by climbing. AND and OR are nodes of any number of arguments, so that a long chain is
 * not deep; of other operators a chain may have as many links as nesting may be deep, four times. */
#include "base/small.h"

#include "sql/parse/parser.h"

enum { COMPARISON = 1, TIGHTEST = 7, CHAIN = SPK_SQL_DEPTH * 4 };

/* level: of a binary operator, from the loosest; 0: it is none. */
static int level(const spk_token *t)
{
    static const struct {
        const char *sign;
        int level;
    } signs[] = { { "=", 1 }, { "<=>", 1 }, { "<>", 1 }, { "<", 1 }, { "<=", 1 }, { ">", 1 },
        { ">=", 1 }, { "|", 2 }, { "^", 3 }, { "&", 4 }, { "<<", 5 }, { ">>", 5 }, { ">>>", 5 },
        { "+", 6 }, { "-", 6 }, { "||", 6 }, { "*", 7 }, { "/", 7 }, { "%", 7 } };
    if (spk_is_word(t, "DIV"))
        return TIGHTEST;
    for (size_t i = 0; t->kind == SPK_TOKEN_SIGN && i < sizeof signs / sizeof signs[0]; i++)
        if (strcmp(t->text, signs[i].sign) == 0)
            return signs[i].level;
    return 0;
}

/* unary: - + ~ in front; a minus and a number are one literal. */
static spk_ast *unary(spk_parser *p)
{
    const uint32_t from = spk_from(p);
    const spk_token *next = spk_peek(p, 1);
    spk_ast *node;
    if (!spk_at(p, "-") && !spk_at(p, "+") && !spk_at(p, "~"))
        return spk_primary(p);
    if (!spk_deeper(p))
        return spk_node(p, SPK_AST_NULL, from);
    if (spk_at(p, "-") && next->kind == SPK_TOKEN_NUMBER && next->span.from == from + 1) {
        char *text = spk_text(p, p->text + from, next->len + 1U);
        p->at++;
        spk_ast *number = spk_primary(p);
        if (number->kind == SPK_AST_NUMBER) {
            number->text = text;
            number->text_len = next->len + 1U;
            number->span.from = from;
            node = number;
        } else {
            node = spk_end(p, spk_call(p, "u-", true, from, number, NULL));
        }
    } else {
        const char *name = spk_at(p, "-") ? "u-" : spk_at(p, "+") ? "u+" : "~";
        p->at++;
        node = spk_call(p, name, true, from, unary(p), NULL);
        spk_end(p, node);
    }
    p->depth--;
    return node;
}

static spk_ast *climb(spk_parser *p, int least)
{
    const uint32_t from = spk_from(p);
    spk_ast *left = unary(p);
    int links = 0;
    for (int l; (l = level(spk_peek(p, 0))) >= least && l > 0; links++) {
        const spk_token *t = spk_peek(p, 0);
        const char *name = t->kind == SPK_TOKEN_WORD ? "div" : t->text;
        if (links == CHAIN) {
            p->depth = SPK_SQL_DEPTH;
            (void)spk_deeper(p);
            return left;
        }
        p->at++;
        spk_ast *right = climb(p, l + 1);
        left = spk_end(p, spk_call(p, name, true, from, left, right));
    }
    return left;
}

spk_ast *spk_value(spk_parser *p)
{
    if (!spk_deeper(p))
        return spk_node(p, SPK_AST_NULL, spk_from(p));
    spk_ast *node = climb(p, COMPARISON);
    p->depth--;
    return node;
}

void spk_expressions(spk_parser *p, spk_ast_list *list)
{
    do
        spk_push(p, list, spk_expression(p));
    while (spk_accept_sign(p, ","));
}

static spk_ast *negate(spk_parser *p, bool negated, spk_ast *node)
{
    if (!negated)
        return node;
    spk_ast *made = spk_call(p, "not", true, node->span.from, node, NULL);
    made->negated = true;
    return spk_end(p, made);
}

/* literal_at: one of a list, and how many tokens it has with the one that ends it; 0: it is none. */
static size_t literal_at(const spk_parser *p, size_t at, spk_ast_literal *literal)
{
    const spk_token *first = &p->tokens[at];
    const bool minus
        = spk_is_sign(first, "-") && first[1].kind == SPK_TOKEN_NUMBER && first[1].span.from == first->span.to;
    const spk_token *value = first + minus;
    const bool number = value->kind == SPK_TOKEN_NUMBER;
    if (!number && value->kind != SPK_TOKEN_STRING)
        return 0;
    if (!spk_is_sign(value + 1, ",") && !spk_is_sign(value + 1, ")"))
        return 0;
    *literal = (spk_ast_literal) { number ? p->text + first->span.from : value->text, value->len + minus, number,
        { first->span.from, value->span.to } };
    return minus + 2U;
}

/* literals: a long list of nothing else, up to its parenthesis. False: it is another one. */
static bool literals(spk_parser *p, spk_ast *node)
{
    enum { LONG = 64 };
    const size_t begin = p->at, close = begin ? p->tokens[begin - 1].match : 0;
    spk_ast_literal one;
    size_t n = 0;
    if (close < begin + 2 * LONG)
        return false;
    for (size_t at = begin, some; at <= close; at += some, n++)
        if (!(some = literal_at(p, at, &one)))
            return false;
    spk_ast_literal *list = spk_new(p, n * sizeof *list);
    for (size_t at = begin, i = 0; list && i < n; i++)
        at += literal_at(p, at, &list[i]);
    node->literals = list;
    node->n_literals = list ? n : 0;
    p->at = list ? close : p->n;
    return true;
}

static spk_ast *in(spk_parser *p, spk_ast *left, bool negated)
{
    spk_ast *node;
    if (spk_query_ahead(p, p->at)) {
        node = spk_node(p, SPK_AST_IN_QUERY, left->span.from);
        if (left->kind == SPK_AST_ROW)
            node->args = left->args;
        else
            spk_push(p, &node->args, left);
        node->query = spk_query_in(p);
    } else {
        spk_expect_sign(p, "(");
        node = spk_node(p, SPK_AST_IN, left->span.from);
        spk_push(p, &node->args, left);
        if (spk_at(p, ")"))
            spk_wrong(p, "INVALID_SQL_SYNTAX.EMPTY_IN_PREDICATE", node->span);
        else if (!literals(p, node))
            spk_expressions(p, &node->args);
        spk_expect_sign(p, ")");
    }
    return negate(p, negated, spk_end(p, node));
}

/* like_any: LIKE ANY (a, b): or of likes; ALL: and of likes; NOT LIKE ANY: or of not likes. */
static spk_ast *like_any(spk_parser *p, const char *name, spk_ast *left, bool negated)
{
    const bool all = spk_is(p, "ALL");
    spk_ast *node = spk_call(p, all ? "and" : "or", true, left->span.from, NULL, NULL);
    p->at++;
    spk_expect_sign(p, "(");
    if (spk_at(p, ")"))
        spk_wrong(p, "_LEGACY_ERROR_TEMP_0064", node->span);
    do {
        spk_ast *pattern = spk_expression(p);
        spk_ast *one = spk_end(p, spk_call(p, name, true, left->span.from, left, pattern));
        spk_push(p, &node->args, negate(p, negated, one));
    } while (spk_accept_sign(p, ","));
    spk_expect_sign(p, ")");
    return node->args.n == 1 ? node->args.at[0] : spk_end(p, node);
}

static spk_ast *like(spk_parser *p, spk_ast *left, bool negated)
{
    const char *name = spk_is(p, "LIKE") ? "like" : spk_is(p, "ILIKE") ? "ilike" : "rlike";
    p->at++;
    const bool many = (spk_is(p, "ANY") || spk_is(p, "SOME") || spk_is(p, "ALL"))
        && spk_is_sign(spk_peek(p, 1), "(");
    if (many && strcmp(name, "rlike") != 0)
        return like_any(p, name, left, negated);
    spk_ast *node = spk_call(p, name, true, left->span.from, left, spk_value(p));
    if (strcmp(name, "rlike") != 0 && spk_accept(p, "ESCAPE")) {
        spk_ast *sign = spk_node(p, SPK_AST_STRING, spk_from(p));
        const uint32_t len = spk_peek(p, 0)->len;
        sign->text = spk_string(p);
        sign->text_len = len;
        spk_push(p, &node->args, spk_end(p, sign));
    }
    return negate(p, negated, spk_end(p, node));
}

static spk_ast *is(spk_parser *p, spk_ast *left)
{
    const uint32_t from = left->span.from;
    p->at++;
    const bool negated = spk_accept(p, "NOT") || spk_accept_sign(p, "!");
    if (spk_accept(p, "NULL"))
        return spk_end(p, spk_call(p, negated ? "isnotnull" : "isnull", true, from, left, NULL));
    if (spk_is(p, "TRUE") || spk_is(p, "FALSE") || spk_is(p, "UNKNOWN")) {
        const char *name = spk_is(p, "TRUE") ? "istrue" : spk_is(p, "FALSE") ? "isfalse" : "isunknown";
        p->at++;
        return negate(p, negated, spk_end(p, spk_call(p, name, true, from, left, NULL)));
    }
    spk_expect(p, "DISTINCT");
    spk_expect(p, "FROM");
    spk_ast *same = spk_call(p, "<=>", true, from, left, spk_value(p));
    return negate(p, !negated, spk_end(p, same));
}

/* suffix: one of those behind a value, or the value alone. */
static spk_ast *suffix(spk_parser *p)
{
    spk_ast *left = spk_value(p);
    const bool negated = (spk_is(p, "NOT") || spk_at(p, "!"))
        && (spk_is_word(spk_peek(p, 1), "IN") || spk_is_word(spk_peek(p, 1), "LIKE")
            || spk_is_word(spk_peek(p, 1), "ILIKE") || spk_is_word(spk_peek(p, 1), "RLIKE")
            || spk_is_word(spk_peek(p, 1), "REGEXP") || spk_is_word(spk_peek(p, 1), "BETWEEN"));
    p->at += negated;
    if (spk_is(p, "IN") && spk_is_sign(spk_peek(p, 1), "(")) {
        p->at++;
        return in(p, left, negated);
    }
    if (spk_is(p, "BETWEEN")) {
        p->at++;
        spk_ast *low = spk_value(p);
        spk_expect(p, "AND");
        spk_ast *node = spk_call(p, "between", true, left->span.from, left, low);
        spk_push(p, &node->args, spk_value(p));
        return negate(p, negated, spk_end(p, node));
    }
    if (spk_is(p, "LIKE") || spk_is(p, "ILIKE") || spk_is(p, "RLIKE") || spk_is(p, "REGEXP")) {
        const spk_token *next = spk_peek(p, 1); /* else it is an alias */
        if (negated || (next->kind != SPK_TOKEN_END && !spk_is_sign(next, ",") && !spk_is_sign(next, ")")))
            return like(p, left, negated);
    }
    if (spk_is(p, "IS")
        && (spk_is_word(spk_peek(p, 1), "NOT") || spk_is_sign(spk_peek(p, 1), "!")
            || spk_is_word(spk_peek(p, 1), "NULL")
            || spk_is_word(spk_peek(p, 1), "TRUE") || spk_is_word(spk_peek(p, 1), "FALSE")
            || spk_is_word(spk_peek(p, 1), "UNKNOWN") || spk_is_word(spk_peek(p, 1), "DISTINCT")))
        return is(p, left);
    return left;
}

static spk_ast *not_level(spk_parser *p)
{
    const uint32_t from = spk_from(p);
    if (spk_at(p, "!") || (spk_is(p, "NOT") && !spk_is_sign(spk_peek(p, 1), ".")
                           && !spk_is_sign(spk_peek(p, 1), ","))) {
        if (!spk_deeper(p))
            return spk_node(p, SPK_AST_NULL, from);
        p->at++;
        spk_ast *node = spk_call(p, "not", true, from, not_level(p), NULL);
        p->depth--;
        return spk_end(p, node);
    }
    if (spk_is(p, "EXISTS") && spk_query_ahead(p, p->at + 1)) {
        spk_ast *node = spk_node(p, SPK_AST_EXISTS, from);
        p->at++;
        node->query = spk_query_in(p);
        return spk_end(p, node);
    }
    return suffix(p);
}

/* chain: a, or an n-ary node of all that are joined by the keyword. */
static spk_ast *chain(spk_parser *p, const char *keyword, const char *name, spk_ast *(*next)(spk_parser *))
{
    const uint32_t from = spk_from(p);
    spk_ast *first = next(p);
    if (!spk_is(p, keyword))
        return first;
    spk_ast *node = spk_call(p, name, true, from, first, NULL);
    while (spk_accept(p, keyword))
        spk_push(p, &node->args, next(p));
    return spk_end(p, node);
}

static spk_ast *and_level(spk_parser *p)
{
    return chain(p, "AND", "and", not_level);
}

spk_ast *spk_expression(spk_parser *p)
{
    if (!spk_deeper(p))
        return spk_node(p, SPK_AST_NULL, spk_from(p));
    spk_ast *node = chain(p, "OR", "or", and_level);
    p->depth--;
    return node;
}
