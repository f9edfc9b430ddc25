/* SPDX-License-Identifier: Apache-2.0 */
/* Names, aliases, and what is told from the words that stand ahead. */
#include "base/small.h"

#include "sql/parse/parser.h"

bool spk_is_name(const spk_parser *p)
{
    const spk_token_kind kind = spk_peek(p, 0)->kind;
    return kind == SPK_TOKEN_WORD || kind == SPK_TOKEN_QUOTED;
}

const char *spk_name(spk_parser *p)
{
    const spk_token *token = spk_peek(p, 0);
    if (!spk_is_name(p)) {
        spk_syntax(p);
        return "";
    }
    p->at++;
    if (token->kind == SPK_TOKEN_QUOTED && token->len == 0)
        spk_sql_fail2(p->error, "PARSE_SYNTAX_ERROR", token->span, "error", "'``'", "hint", "");
    return token->text;
}

static void part(spk_parser *p, spk_ast *name)
{
    spk_ast *node = spk_node(p, SPK_AST_NAME, spk_from(p));
    node->quoted = spk_peek(p, 0)->kind == SPK_TOKEN_QUOTED;
    node->text = spk_name(p);
    spk_push(p, &name->args, spk_end(p, node));
}

spk_ast *spk_qualified(spk_parser *p)
{
    spk_ast *name = spk_node(p, SPK_AST_NAME, spk_from(p));
    part(p, name);
    while (spk_at(p, ".")) {
        const spk_token_kind kind = spk_peek(p, 1)->kind;
        if (kind != SPK_TOKEN_WORD && kind != SPK_TOKEN_QUOTED)
            break;
        p->at++;
        part(p, name);
    }
    return spk_end(p, name);
}

void spk_names(spk_parser *p, const char ***names, size_t *n)
{
    spk_expect_sign(p, "(");
    do {
        const char *name = spk_name(p);
        SPK_PUSH(p, *names, *n, name);
    } while (spk_accept_sign(p, ","));
    spk_expect_sign(p, ")");
}

/* one_of: whether a word is one of those in a list with spaces around each. */
static bool one_of(const char *text, const char *list)
{
    char word[24] = " ";
    size_t n = 1;
    for (; *text && n < sizeof word - 2; text++)
        word[n++] = *text >= 'a' && *text <= 'z' ? (char)(*text - 32) : *text;
    if (*text)
        return false;
    word[n++] = ' ';
    word[n] = '\0';
    return strstr(list, word) != NULL;
}

static bool ends_item(const spk_token *t)
{
    return t->kind == SPK_TOKEN_END || spk_is_sign(t, ",") || spk_is_sign(t, ")");
}

bool spk_clause_ahead(const spk_parser *p)
{
    const spk_token *t = spk_peek(p, 0), *next = spk_peek(p, 1);
    if (t->kind != SPK_TOKEN_WORD)
        return false;
    if (one_of(t->text, " ORDER SORT CLUSTER DISTRIBUTE GROUP PARTITION "))
        return spk_is_word(next, "BY");
    if (one_of(t->text, " FROM WHERE HAVING LIMIT OFFSET QUALIFY "))
        return !ends_item(next);
    if (one_of(t->text, " UNION EXCEPT MINUS INTERSECT "))
        return next->kind == SPK_TOKEN_WORD || spk_is_sign(next, "(");
    if (spk_is_word(t, "LATERAL"))
        return spk_is_word(next, "VIEW");
    if (spk_is_word(t, "WINDOW"))
        return next->kind == SPK_TOKEN_WORD && spk_is_word(spk_peek(p, 2), "AS");
    return false;
}

bool spk_alias_ahead(const spk_parser *p, bool of_table)
{
    const spk_token *t = spk_peek(p, 0);
    if (t->kind == SPK_TOKEN_QUOTED)
        return true;
    if (t->kind != SPK_TOKEN_WORD || spk_clause_ahead(p))
        return false;
    if (!of_table)
        return true;
    if (one_of(t->text,
            " ANTI CROSS EXCEPT FULL INNER INTERSECT JOIN LATERAL LEFT MINUS NATURAL ON RIGHT SEMI UNION USING "
            " TABLESAMPLE PIVOT UNPIVOT "))
        return false;
    if (spk_is_word(t, "SET") || spk_is_word(t, "SELECT") || spk_is_word(t, "WHERE"))
        return !spk_is_word(t, "SELECT");
    return true;
}

/* begins_query: whether a query begins at that token, which is no parenthesis. */
static bool begins_query(const spk_parser *p, size_t at)
{
    const spk_token *t = &p->tokens[at < p->n ? at : p->n];
    const spk_token *next = &p->tokens[at + 1 < p->n ? at + 1 : p->n];
    const bool name = next->kind == SPK_TOKEN_WORD || next->kind == SPK_TOKEN_QUOTED;
    if (spk_is_word(t, "SELECT"))
        return !ends_item(next);
    if (spk_is_word(t, "WITH"))
        return name;
    if (spk_is_word(t, "FROM"))
        return name || spk_is_sign(next, "(");
    if (spk_is_word(t, "TABLE"))
        return name;
    return spk_is_word(t, "VALUES") && next->kind != SPK_TOKEN_END && !spk_is_sign(next, ",")
        && !spk_is_sign(next, ")") && !spk_is_sign(next, ".");
}

bool spk_query_ahead(const spk_parser *p, size_t at)
{
    for (; at < p->n && spk_is_sign(&p->tokens[at], "("); at++) {
        const size_t close = p->tokens[at].match, inner = at + 1;
        if (!close)
            return begins_query(p, inner);
        if (!spk_is_sign(&p->tokens[inner], "("))
            return begins_query(p, inner);
        const size_t behind = (size_t)p->tokens[inner].match + 1;
        if (behind == 1 || behind > close)
            return false;
        const spk_token *t = &p->tokens[behind];
        if (behind != close
            && !(t->kind == SPK_TOKEN_WORD
                && one_of(t->text, " UNION EXCEPT MINUS INTERSECT ORDER SORT LIMIT OFFSET ")))
            return false;
    }
    return false;
}

const char *spk_string(spk_parser *p)
{
    const spk_token *token = spk_peek(p, 0);
    if (token->kind != SPK_TOKEN_STRING) {
        spk_syntax(p);
        return "";
    }
    p->at++;
    return token->text;
}

/* skip_type: past a data type: a name, "(..)" or "<..>" behind it, and what else belongs to some. */
static void skip_type(spk_parser *p)
{
    if (!spk_is_name(p)) {
        spk_syntax(p);
        return;
    }
    const bool interval = spk_is(p, "INTERVAL"), timestamp = spk_is(p, "TIMESTAMP"),
               is_time = spk_is(p, "TIME");
    p->at++;
    if (interval) {
        if (spk_is_name(p) && one_of(spk_peek(p, 0)->text, " YEAR MONTH DAY HOUR MINUTE SECOND ")) {
            p->at++;
            if (spk_accept(p, "TO"))
                (void)spk_name(p);
        }
        return;
    }
    if (spk_at(p, "(") && spk_peek(p, 0)->match)
        p->at = (size_t)spk_peek(p, 0)->match + 1;
    if ((timestamp || is_time) && (spk_is2(p, "WITHOUT", "TIME") || spk_is2(p, "WITH", "TIME")))
        p->at += 3;
    if ((timestamp || is_time) && spk_is2(p, "WITH", "LOCAL"))
        p->at += 4;
    if (spk_at(p, "<>")) {
        p->at++;
        return;
    }
    if (!spk_at(p, "<"))
        return;
    int open = 0;
    do {
        const spk_token *t = spk_peek(p, 0);
        if (t->kind == SPK_TOKEN_END) {
            spk_syntax(p);
            return;
        }
        open += spk_is_sign(t, "<") - spk_is_sign(t, ">") - 2 * spk_is_sign(t, ">>")
            - 3 * spk_is_sign(t, ">>>");
        p->at++;
    } while (open > 0);
}

const char *spk_type_text(spk_parser *p)
{
    const uint32_t from = spk_from(p);
    skip_type(p);
    const uint32_t to = spk_to(p);
    return to > from ? spk_text(p, p->text + from, to - from) : "";
}
