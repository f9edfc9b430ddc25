/* SPDX-License-Identifier: Apache-2.0 */
/* The lexer, after Spark's SqlBaseLexer.g4: the longest token wins. */
#include "base/small.h"

#include "sql/parse/lex.h"

#include <string.h>

enum { MANY = 4096 };

typedef struct lexer {
    spk_arena *arena, *large;
    const char *text;
    size_t at;
    spk_token *tokens;
    size_t n, room;
    uint32_t *open; /* parentheses that are open */
    size_t n_open, room_open;
    bool hint; /* one has begun */
    spk_sql_error *error;
} lexer;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

bool spk_sql_word_is(const char *text, const char *keyword)
{
    for (; *keyword; text++, keyword++)
        if (upper(*text) != *keyword)
            return false;
    return *text == '\0';
}

/* space: how many bytes of white space stand there, 0 for none. */
static size_t space(const char *s)
{
    const unsigned char *u = (const unsigned char *)s;
    if (*u == ' ' || (*u >= '\t' && *u <= '\r'))
        return 1;
    if (u[0] == 0xc2 && u[1] == 0xa0)
        return 2;
    if (u[0] == 0xe1 && u[1] == 0x9a && u[2] == 0x80)
        return 3;
    if (u[0] == 0xe2 && u[1] == 0x80
        && ((u[2] >= 0x80 && u[2] <= 0x8a) || u[2] == 0xa8 || u[2] == 0xaf))
        return 3;
    if (u[0] == 0xe2 && u[1] == 0x81 && u[2] == 0x9f)
        return 3;
    return u[0] == 0xe3 && u[1] == 0x80 && u[2] == 0x80 ? 3 : 0;
}

static spk_sql_span span_of(size_t from, size_t to)
{
    return (spk_sql_span) { (uint32_t)from, (uint32_t)to };
}

/* comment: past a bracketed one, which may hold others. */
static void comment(lexer *x)
{
    const size_t from = x->at;
    size_t depth = 0;
    do {
        const char *s = x->text + x->at;
        if (s[0] == '/' && s[1] == '*') {
            depth++;
            x->at += 2;
        } else if (s[0] == '*' && s[1] == '/') {
            depth--;
            x->at += 2;
        } else if (*s) {
            x->at++;
        } else {
            spk_sql_fail(x->error, "UNCLOSED_BRACKETED_COMMENT", span_of(from, x->at));
            return;
        }
    } while (depth);
}

/* hint_ahead: behind SELECT a comment that begins with a plus is none. */
static bool hint_ahead(const lexer *x)
{
    const spk_token *last = x->n ? &x->tokens[x->n - 1] : NULL;
    return x->text[x->at + 2] == '+' && last && last->kind == SPK_TOKEN_WORD && spk_sql_word_is(last->text, "SELECT");
}

static void skip(lexer *x)
{
    for (size_t n; !spk_sql_failed(x->error);) {
        const char *s = x->text + x->at;
        if ((n = space(s)) > 0) {
            x->at += n;
        } else if (s[0] == '-' && s[1] == '-') {
            while (x->text[x->at] && x->text[x->at] != '\n')
                x->at += x->text[x->at] == '\\' && x->text[x->at + 1] == '\n' ? 2 : 1;
        } else if (s[0] == '/' && s[1] == '*' && !hint_ahead(x)) {
            comment(x);
        } else {
            return;
        }
    }
}

/* grow: where there are many, the old ones go. */
static bool grow(lexer *x)
{
    const size_t room = x->room ? x->room * 2 : 64;
    spk_arena old = *x->large;
    spk_arena_init(x->large, x->arena->heap);
    spk_token *grown = spk_arena_alloc(room < MANY ? x->arena : x->large, room * sizeof *grown, 16);
    if (grown && x->n)
        memcpy(grown, x->tokens, x->n * sizeof *grown);
    spk_arena_fini(&old);
    if (!grown) {
        spk_sql_nomem(x->error);
        return false;
    }
    x->tokens = grown;
    x->room = room;
    return true;
}

static spk_token *push(lexer *x, spk_token_kind kind, size_t from)
{
    if (x->n == x->room && !grow(x))
        return NULL;
    x->tokens[x->n] = (spk_token) { .kind = kind, .span = span_of(from, x->at), .text = "" };
    return &x->tokens[x->n++];
}

static char *copy(lexer *x, const char *text, size_t n)
{
    char *made = spk_arena_alloc(x->arena, n + 1, 1);
    if (!made) {
        spk_sql_nomem(x->error);
        return NULL;
    }
    memcpy(made, text, n);
    made[n] = '\0';
    return made;
}

static void push_text(lexer *x, spk_token_kind kind, size_t from, const char *text, size_t n)
{
    char *made = copy(x, text, n);
    spk_token *token = made ? push(x, kind, from) : NULL;
    if (token) {
        token->text = made;
        token->len = (uint32_t)n;
    }
}

/* ---- strings */

static unsigned hex_digits(const char *s, size_t n, bool *good)
{
    unsigned value = 0;
    *good = true;
    for (size_t i = 0; i < n; i++) {
        const char c = upper(s[i]);
        if (!is_digit(c) && (c < 'A' || c > 'F')) {
            *good = false;
            return 0;
        }
        value = value << 4 | (unsigned)(is_digit(c) ? c - '0' : c - 'A' + 10);
    }
    return value;
}

static char *utf8(char *out, unsigned c)
{
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xc0 | c >> 6);
        *out++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *out++ = (char)(0xe0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    } else {
        *out++ = (char)(0xf0 | (c >> 18 & 7));
        *out++ = (char)(0x80 | (c >> 12 & 0x3f));
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    }
    return out;
}

/* escape: what stands behind a backslash at *s; moves *s past it. A result is never longer than what it is
 * written as. */
static char *escape(char *out, const char **s)
{
    const char *at = *s;
    bool good;
    const char c = *at++;
    if (c >= '0' && c <= '1' && at[0] >= '0' && at[0] <= '7' && at[1] >= '0' && at[1] <= '7') {
        *out++ = (char)((c - '0') * 64 + (at[0] - '0') * 8 + (at[1] - '0'));
        *s = at + 2;
        return out;
    }
    if (c == 'u' || c == 'U') {
        const size_t n = c == 'u' ? 4 : 8;
        const unsigned code = strnlen(at, n) == n ? hex_digits(at, n, &good) : (good = false, 0U);
        if (good) {
            *s = at + n;
            return utf8(out, code);
        }
    }
    *s = at;
    static const char from[] = "0nrtbZ", to[] = "\0\n\r\t\b\x1a";
    const char *known = c ? strchr(from, c) : NULL;
    if (c == '%' || c == '_')
        *out++ = '\\';
    *out++ = known ? to[known - from] : c;
    return out;
}

/* string: x->at is behind the quote. */
static void string(lexer *x, size_t from, bool raw)
{
    const char quote = x->text[x->at - 1];
    const char *s = x->text + x->at, *end = s;
    for (; *end; end++)
        if (*end == quote && (raw || end[1] != quote)) {
            break;
        } else if ((*end == quote || (*end == '\\' && !raw)) && end[1]) {
            end++;
        }
    if (!*end) {
        char text[2] = { quote, 0 };
        spk_sql_fail2(x->error, "PARSE_SYNTAX_ERROR", span_of(from, from + 1), "error", text, "hint", "");
        return;
    }
    char *made = spk_arena_alloc(x->arena, (size_t)(end - s) + 1, 1), *out = made;
    if (!made) {
        spk_sql_nomem(x->error);
        return;
    }
    while (s < end)
        if (*s == '\\' && !raw) {
            s++;
            out = escape(out, &s);
        } else {
            *out++ = *s;
            s += *s == quote ? 2 : 1;
        }
    *out = '\0';
    x->at = (size_t)(end - x->text) + 1;
    spk_token *token = push(x, SPK_TOKEN_STRING, from);
    if (token) {
        token->text = made;
        token->len = (uint32_t)(out - made);
    }
}

static void quoted(lexer *x, size_t from)
{
    const char *s = x->text + from + 1, *end = s;
    while (*end && (*end != '`' || end[1] == '`'))
        end += *end == '`' ? 2 : 1;
    if (!*end) {
        spk_sql_fail2(x->error, "PARSE_SYNTAX_ERROR", span_of(from, from + 1), "error", "'`'", "hint", "");
        return;
    }
    char *made = spk_arena_alloc(x->arena, (size_t)(end - s) + 1, 1), *out = made;
    if (!made) {
        spk_sql_nomem(x->error);
        return;
    }
    for (; s < end; s += *s == '`' ? 2 : 1)
        *out++ = *s;
    *out = '\0';
    x->at = (size_t)(end - x->text) + 1;
    spk_token *token = push(x, SPK_TOKEN_QUOTED, from);
    if (token) {
        token->text = made;
        token->len = (uint32_t)(out - made);
    }
}

/* ---- numbers and words */

static size_t digits(const char *s)
{
    size_t n = 0;
    while (is_digit(s[n]))
        n++;
    return n;
}

static size_t exponent(const char *s)
{
    const size_t sign = upper(s[0]) != 'E' ? 0 : s[1] == '+' || s[1] == '-' ? 2 : 1;
    const size_t n = sign ? digits(s + sign) : 0;
    return n ? sign + n : 0;
}

/* number: how long the number is that begins there, 0: none. */
static size_t number(const char *s)
{
    size_t n = digits(s);
    bool point = false;
    if (s[n] == '.') {
        const size_t fraction = digits(s + n + 1);
        if (n || fraction) {
            point = true;
            n += 1 + fraction;
        }
    }
    if (!n)
        return 0;
    n += exponent(s + n);
    const char c = upper(s[n]);
    if (c == 'B' && upper(s[n + 1]) == 'D' && !is_word(s[n + 2]))
        return n + 2;
    if ((c == 'D' || c == 'F') && !is_word(s[n + 1]))
        return n + 1;
    if (!point && (c == 'L' || c == 'S' || c == 'Y') && !is_word(s[n + 1]))
        return n + 1;
    return is_word(s[n]) ? 0 : n;
}

static void word(lexer *x)
{
    const size_t from = x->at;
    const char *s = x->text + from;
    size_t n = number(s);
    if (n) {
        x->at += n;
        push_text(x, SPK_TOKEN_NUMBER, from, s, n);
        return;
    }
    while (is_word(s[n]))
        n++;
    if (n == 1 && (*s | 0x20) == 'r' && (s[1] == '\'' || s[1] == '"')) {
        x->at += 2;
        string(x, from, true);
        return;
    }
    x->at += n;
    push_text(x, SPK_TOKEN_WORD, from, s, n);
}

/* ---- signs */

static void parenthesis(lexer *x, const spk_token *token)
{
    const uint32_t here = (uint32_t)(token - x->tokens);
    if (token->text[0] == '(') {
        if (x->n_open == x->room_open) {
            const size_t room = x->room_open ? x->room_open * 2 : 32;
            uint32_t *grown = spk_arena_alloc(x->arena, room * sizeof *grown, 4);
            if (!grown) {
                spk_sql_nomem(x->error);
                return;
            }
            if (x->n_open)
                memcpy(grown, x->open, x->n_open * sizeof *grown);
            x->open = grown;
            x->room_open = room;
        }
        x->open[x->n_open++] = here;
    } else if (x->n_open) {
        const uint32_t other = x->open[--x->n_open];
        x->tokens[here].match = other;
        x->tokens[other].match = here;
    }
}

/* hint_edge: where a hint begins or ends. */
static bool hint_edge(lexer *x)
{
    const char *s = x->text + x->at;
    const size_t from = x->at, n = x->hint ? 2 : 3;
    if (strncmp(s, x->hint ? "*/" : "/*+", n) != 0)
        return false;
    x->at += n;
    spk_token *token = push(x, SPK_TOKEN_SIGN, from);
    if (token) {
        token->text = x->hint ? "*/" : "/*+";
        token->len = (uint32_t)n;
    }
    x->hint = !x->hint;
    return true;
}

static void sign(lexer *x)
{
    static const char *const signs[] = { ">>>", "<=>", "||", "<=", "<>", ">=", "==", "!=", "!<", "!>",
        "<<", ">>", "->", "=>", "::", "|>", "(", ")", ",", ".", ";", "[", "]", "+", "-", "*", "/", "%",
        "&", "|", "^", "~", "=", "<", ">", "!", "?", ":", "{", "}" };
    const char *s = x->text + x->at;
    const size_t from = x->at;
    if (hint_edge(x))
        return;
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        const size_t n = strlen(signs[i]);
        if (strncmp(s, signs[i], n) != 0)
            continue;
        x->at += n;
        spk_token *token = push(x, SPK_TOKEN_SIGN, from);
        if (token) {
            const char *name = signs[i];
            token->text = strcmp(name, "==") == 0 ? "="
                : strcmp(name, "!=") == 0         ? "<>"
                : strcmp(name, "!<") == 0         ? ">="
                : strcmp(name, "!>") == 0         ? "<="
                                                  : name;
            token->len = (uint32_t)strlen(token->text);
            if (*name == '(' || *name == ')')
                parenthesis(x, token);
        }
        return;
    }
    char text[16];
    size_t n = 1;
    while (((unsigned char)s[n] & 0xc0) == 0x80 && n < 4)
        n++;
    text[0] = '\'';
    memcpy(text + 1, s, n);
    text[n + 1] = '\'';
    text[n + 2] = '\0';
    spk_sql_fail2(
        x->error, "PARSE_SYNTAX_ERROR", span_of(from, from + n), "error", text, "hint", "");
}

spk_token *spk_sql_lex(
    spk_arena *arena, spk_arena *large, const char *text, size_t *n, size_t *next, spk_sql_error *error)
{
    lexer x = { .arena = arena, .large = large, .text = text, .error = error };
    *n = 0;
    if (strnlen(text, UINT32_MAX) >= UINT32_MAX / 2) {
        spk_sql_unsupported(error, SPK_SQL_NOWHERE, "a text of more than 2 GiB");
        return NULL;
    }
    for (skip(&x); text[x.at] && (text[x.at] != ';' || x.n == 0) && !spk_sql_failed(error); skip(&x)) {
        const char c = text[x.at];
        if (c == ';') /* of a statement of nothing */
            x.at++;
        else if (c == '\'' || c == '"')
            { const size_t from = x.at++; string(&x, from, false); }
        else if (c == '`')
            quoted(&x, x.at);
        else if (is_word(c) || (c == '.' && is_digit(text[x.at + 1]) && number(text + x.at)))
            word(&x);
        else
            sign(&x);
    }
    *next = x.at + (text[x.at] == ';');
    if (spk_sql_failed(error) || !push(&x, SPK_TOKEN_END, x.at))
        return NULL;
    *n = x.n - 1;
    return x.tokens;
}
