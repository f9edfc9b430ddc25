/* SPDX-License-Identifier: Apache-2.0 */
/* A small front for tests: the text of an expression becomes a bound one. Columns: c0, c1, .. by
 * position
 * and by the names that the test gives. Not a parser of SQL: no queries, no names of any sort. */
#ifndef TEST_SQL_EXPR_TEXT_H
#define TEST_SQL_EXPR_TEXT_H

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sql/eval/program.h"

typedef struct text_column {
    const char *name;
    const spk_sql_type *type;
    bool nullable;
} text_column;

typedef struct text_front {
    spk_sql_build *b;
    const char *p;
    const text_column *columns;
    size_t n_columns;
    bool failed;
    uint32_t variables;
    struct {
        char name[32];
        uint32_t number;
        const spk_sql_type *type;
        bool nullable;
    } scope[8];
    size_t n_scope;
} text_front;

static spk_sql_expr *text_expr(text_front *t, int level);

static void text_blanks(text_front *t)
{
    while (isspace((unsigned char)*t->p))
        t->p++;
}

static bool text_sign(text_front *t, const char *sign)
{
    text_blanks(t);
    const size_t n = strlen(sign);
    if (strncmp(t->p, sign, n) != 0)
        return false;
    t->p += n;
    return true;
}

static bool text_is(text_front *t, const char *word)
{
    text_blanks(t);
    const size_t n = strlen(word);
    if (strncasecmp(t->p, word, n) != 0 || isalnum((unsigned char)t->p[n]) || t->p[n] == '_')
        return false;
    t->p += n;
    return true;
}

static spk_sql_span text_span(const text_front *t)
{
    (void)t;
    return (spk_sql_span) { 0, 1 };
}

/* text_string: between quotes; \ takes the next as it is, but for n, t, %, _. */
static char *text_string(text_front *t, size_t *n)
{
    const bool raw = (*t->p == 'r' || *t->p == 'R') && (t->p[1] == '\'' || t->p[1] == '"');
    t->p += raw;
    const char quote = *t->p++;
    char *out = spk_arena_alloc(t->b->arena, strlen(t->p) + 1, 1);
    for (*n = 0; *t->p && (*t->p != quote || t->p[1] == quote); t->p++) {
        t->p += *t->p == quote;
        if (*t->p == '\\' && !raw && t->p[1]) {
            t->p++;
            if (*t->p == '%' || *t->p == '_')
                out[(*n)++] = '\\';
            out[(*n)++] = (char)(*t->p == 'n' ? '\n'
                    : *t->p == 't'            ? '\t'
                    : *t->p == '0'            ? 0
                                              : *t->p);
        } else {
            out[(*n)++] = *t->p;
        }
    }
    t->failed |= *t->p != quote;
    t->p += *t->p == quote;
    out[*n] = '\0';
    return out;
}

static spk_sql_expr *text_fail(text_front *t)
{
    t->failed = true;
    return NULL;
}

static const spk_sql_type *text_type(text_front *t)
{
    text_blanks(t);
    const char *from = t->p;
    int depth = 0;
    for (; *t->p && !(depth == 0 && (*t->p == ')' || *t->p == ',')); t->p++)
        depth += (*t->p == '(' || *t->p == '<') - (*t->p == ')' || *t->p == '>');
    return spk_sql_type_parse(t->b->arena, from, (size_t)(t->p - from));
}

static spk_sql_expr *text_cast(text_front *t, bool attempt)
{
    spk_sql_expr *x = text_sign(t, "(") ? text_expr(t, 0) : NULL;
    if (!x || !text_is(t, "as"))
        return text_fail(t);
    const spk_sql_type *type = text_type(t);
    if (!type || !text_sign(t, ")"))
        return text_fail(t);
    return spk_sql_cast(t->b, x, type, attempt, text_span(t));
}

static spk_sql_expr *text_case(text_front *t)
{
    spk_sql_expr *args[64], *operand = NULL;
    size_t n = 0;
    if (!text_is(t, "when")) {
        operand = text_expr(t, 0);
        if (!operand || !text_is(t, "when"))
            return text_fail(t);
    }
    do {
        args[n] = text_expr(t, 0);
        if (operand && args[n]) {
            spk_sql_expr *both[] = { operand, args[n] };
            args[n] = spk_sql_call(t->b, "=", both, 2, text_span(t));
        }
        if (!args[n++] || !text_is(t, "then"))
            return text_fail(t);
        args[n] = text_expr(t, 0);
        if (!args[n++])
            return NULL;
    } while (text_is(t, "when") && n < 60);
    if (text_is(t, "else") && !(args[n++] = text_expr(t, 0)))
        return NULL;
    return text_is(t, "end") ? spk_sql_call(t->b, "case", args, n, text_span(t)) : text_fail(t);
}

static size_t text_name(text_front *t, char *name, size_t size)
{
    size_t n = 0;
    text_blanks(t);
    for (; isalnum((unsigned char)*t->p) || *t->p == '_'; t->p++)
        if (n + 1 < size)
            name[n++] = *t->p;
    name[n] = '\0';
    return n;
}

static spk_sql_expr *text_interval(text_front *t)
{
    char words[16][40];
    const char *parts[16];
    size_t n = 0, len = 0;
    char *text = NULL;
    text_blanks(t);
    bool minus = text_sign(t, "-");
    text_blanks(t);
    if (*t->p == '\'')
        text = text_string(t, &len);
    char first[16], last[16];
    if (text) {
        const char *before = t->p;
        text_name(t, first, sizeof first);
        static const char *const units
            = " year years month months week weeks day days hour hours minute "
              "minutes second seconds millisecond milliseconds microsecond microseconds ";
        char padded[24];
        snprintf(padded, sizeof padded, " %s ", first);
        for (char *c = padded; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        if (!first[0] || !strstr(units, padded)) {
            t->p = before;
            return spk_sql_interval_sum(t->b, NULL, 0, text, len, text_span(t));
        }
        strcpy(last, first);
        if (text_is(t, "to")) {
            text_name(t, last, sizeof last);
            return spk_sql_interval(t->b, text, len, first, last, text_span(t));
        }
        snprintf(words[0], sizeof words[0], "%s%s", minus ? "-" : "", text);
        parts[n++] = words[0];
        parts[n++] = strcpy(words[1], first);
        return spk_sql_interval_sum(t->b, parts, n, NULL, 0, text_span(t));
    }
    while (n < 14 && (isdigit((unsigned char)*t->p) || *t->p == '.')) {
        char *w = words[n];
        if (minus)
            *w++ = '-';
        while (isdigit((unsigned char)*t->p) || *t->p == '.')
            *w++ = *t->p++;
        *w = '\0';
        parts[n] = words[n];
        n++;
        if (!text_name(t, words[n], sizeof words[n]))
            return text_fail(t);
        parts[n] = words[n];
        n++;
        text_blanks(t);
        const char *before = t->p;
        minus = text_sign(t, "-");
        text_blanks(t);
        if (!isdigit((unsigned char)*t->p))
            t->p = before;
    }
    return n > 0 ? spk_sql_interval_sum(t->b, parts, n, NULL, 0, text_span(t)) : text_fail(t);
}

/* text_lambda: x -> body, (x, y) -> body: whether one begins here. */
static bool text_lambda_begins(const text_front *t)
{
    const char *p = t->p;
    while (isspace((unsigned char)*p))
        p++;
    if (*p == '(') {
        for (p++; isalnum((unsigned char)*p) || *p == '_' || *p == ',' || *p == ' '; p++)
            continue;
        if (*p++ != ')')
            return false;
    } else {
        if (!isalpha((unsigned char)*p))
            return false;
        while (isalnum((unsigned char)*p) || *p == '_')
            p++;
    }
    while (isspace((unsigned char)*p))
        p++;
    return p[0] == '-' && p[1] == '>';
}

static spk_sql_expr *text_lambda(
    text_front *t, const char *function, spk_sql_expr **args, size_t n_args, size_t which)
{
    const spk_sql_type *types[3];
    bool nullable[3];
    uint32_t numbers[3];
    const size_t scope = t->n_scope;
    const size_t most = spk_sql_lambda_types(t->b, function, args, n_args, which, types, nullable);
    size_t n = 0;
    const bool many = text_sign(t, "(");
    do {
        if (n == most || t->n_scope == 8)
            return text_fail(t);
        text_name(t, t->scope[t->n_scope].name, 32);
        t->scope[t->n_scope].number = numbers[n] = t->variables++;
        t->scope[t->n_scope].type = types[n];
        t->scope[t->n_scope++].nullable = nullable[n];
        n++;
    } while (many && text_sign(t, ","));
    if (many)
        text_sign(t, ")");
    if (!text_sign(t, "->"))
        return text_fail(t);
    spk_sql_expr *body = text_expr(t, 0);
    t->n_scope = scope;
    return body ? spk_sql_lambda(t->b, numbers, n, body, text_span(t)) : NULL;
}

static spk_sql_expr *text_call(text_front *t, const char *name)
{
    spk_sql_expr *args[64];
    size_t n = 0;
    if (!text_sign(t, ")"))
        do {
            if (n == 64)
                return text_fail(t);
            text_is(t, "distinct");
            args[n] = text_lambda_begins(t) ? text_lambda(t, name, args, n, n) : text_expr(t, 0);
            if (!args[n++])
                return NULL;
            if (strcasecmp(name, "extract") == 0 && text_is(t, "from")) {
                if (!(args[n++] = text_expr(t, 0)))
                    return NULL;
            }
        } while (text_sign(t, ","));
    else
        return spk_sql_call(t->b, name, args, 0, text_span(t));
    return text_sign(t, ")") ? spk_sql_call(t->b, name, args, n, text_span(t)) : text_fail(t);
}

static spk_sql_expr *text_word(text_front *t)
{
    char name[64];
    const char *before = t->p;
    text_name(t, name, sizeof name);
    text_blanks(t);
    if (*t->p == '\'' && strlen(name) < 16) {
        size_t n;
        if (strcasecmp(name, "r") == 0) {
            t->p = before;
            const char *text = text_string(t, &n);
            return spk_sql_string(t->b, text, n, text_span(t));
        }
        if (strcasecmp(name, "interval") == 0)
            return text_interval(t);
        const char *text = text_string(t, &n);
        return spk_sql_typed(t->b, name, text, n, text_span(t));
    }
    if (strcasecmp(name, "interval") == 0 && *t->p != '(')
        return text_interval(t);
    if (strcasecmp(name, "cast") == 0 || strcasecmp(name, "try_cast") == 0)
        return text_cast(t, name[0] == 't' || name[0] == 'T');
    if (strcasecmp(name, "case") == 0)
        return text_case(t);
    if (strcasecmp(name, "null") == 0)
        return spk_sql_constant(t->b, spk_sql_type_of(SPK_SQL_VOID), NULL, text_span(t));
    if (strcasecmp(name, "true") == 0 || strcasecmp(name, "false") == 0)
        return spk_sql_boolean(t->b, name[0] == 't' || name[0] == 'T', text_span(t));
    if (strcasecmp(name, "extract") == 0 && text_sign(t, "(")) {
        char unit[24];
        text_name(t, unit, sizeof unit);
        spk_sql_expr *args[2] = { spk_sql_string(t->b, unit, strlen(unit), text_span(t)), NULL };
        if (!text_is(t, "from") || !(args[1] = text_expr(t, 0)) || !text_sign(t, ")"))
            return text_fail(t);
        return spk_sql_call(t->b, "date_part", args, 2, text_span(t));
    }
    if (text_sign(t, "("))
        return text_call(t, name);
    for (size_t i = t->n_scope; i-- > 0;)
        if (strcmp(name, t->scope[i].name) == 0)
            return spk_sql_variable(t->b, t->scope[i].number, spk_arena_alloc(t->b->arena, 1, 1),
                t->scope[i].type, t->scope[i].nullable, text_span(t));
    for (size_t i = 0; i < t->n_columns; i++)
        if (strcasecmp(name, t->columns[i].name) == 0)
            return spk_sql_column(t->b, (uint32_t)i, t->columns[i].name, t->columns[i].type,
                t->columns[i].nullable, text_span(t));
    return text_fail(t);
}

static spk_sql_expr *text_primary(text_front *t)
{
    spk_sql_expr *x;
    text_blanks(t);
    if (text_sign(t, "(")) {
        x = text_expr(t, 0);
        return x && text_sign(t, ")") ? x : text_fail(t);
    }
    if (*t->p == '\'' || *t->p == '"') {
        size_t n;
        const char *text = text_string(t, &n);
        return spk_sql_string(t->b, text, n, text_span(t));
    }
    const char *p = t->p + (*t->p == '-');
    if (isdigit((unsigned char)*p) || (*p == '.' && isdigit((unsigned char)p[1]))) {
        while (isdigit((unsigned char)*p) || *p == '.')
            p++;
        if ((*p | 0x20) == 'e'
            && (isdigit((unsigned char)p[1])
                || ((p[1] == '-' || p[1] == '+') && isdigit((unsigned char)p[2]))))
            for (p += 2; isdigit((unsigned char)*p); p++)
                continue;
        if (strncasecmp(p, "bd", 2) == 0)
            p += 2;
        else if (*p && strchr("lLsSyYdDfF", *p))
            p++;
        x = spk_sql_number(t->b, t->p, (size_t)(p - t->p), text_span(t));
        t->p = p;
        return x;
    }
    if (*t->p == '-' || *t->p == '+' || *t->p == '~') {
        const char sign = *t->p++;
        x = text_expr(t, 20);
        return x ? spk_sql_call(t->b,
                   sign == '-'       ? "u-"
                       : sign == '+' ? "u+"
                                     : "~",
                   &x, 1, text_span(t))
                 : NULL;
    }
    return isalpha((unsigned char)*t->p) || *t->p == '_' ? text_word(t) : text_fail(t);
}

static spk_sql_expr *text_not(text_front *t, spk_sql_expr *x, bool not )
{
    return x && not ? spk_sql_call(t->b, "not", &x, 1, text_span(t)) : x;
}

/* text_suffix: [NOT] BETWEEN, IN, LIKE, IS ..: NULL, with *any false, when none stands here. */
static spk_sql_expr *text_suffix(text_front *t, spk_sql_expr *x, bool *any)
{
    const char *before = t->p;
    const bool not = text_is(t, "not");
    spk_sql_expr *args[64] = { x };
    size_t n = 1;
    *any = true;
    if (text_is(t, "between")) {
        if (!(args[1] = text_expr(t, 6)) || !text_is(t, "and") || !(args[2] = text_expr(t, 6)))
            return text_fail(t);
        return text_not(t, spk_sql_call(t->b, "between", args, 3, text_span(t)), not );
    }
    if (text_is(t, "in")) {
        if (!text_sign(t, "("))
            return text_fail(t);
        do
            args[n] = text_expr(t, 0);
        while (args[n++] && text_sign(t, ",") && n < 64);
        return args[n - 1] && text_sign(t, ")")
            ? text_not(t, spk_sql_call(t->b, "in", args, n, text_span(t)), not )
            : text_fail(t);
    }
    const char *name = text_is(t, "like") ? "like"
        : text_is(t, "ilike")             ? "ilike"
        : text_is(t, "rlike")             ? "rlike"
                                          : NULL;
    if (name) {
        args[1] = text_expr(t, 6);
        n = 2;
        if (args[1] && text_is(t, "escape"))
            args[n++] = text_expr(t, 6);
        return args[n - 1] ? text_not(t, spk_sql_call(t->b, name, args, n, text_span(t)), not )
                           : NULL;
    }
    if (!not &&text_is(t, "is")) {
        const bool no = text_is(t, "not");
        if (text_is(t, "null"))
            return spk_sql_call(t->b, no ? "isnotnull" : "isnull", args, 1, text_span(t));
        if (text_is(t, "distinct") && text_is(t, "from")) {
            args[1] = text_expr(t, 6);
            return args[1] ? text_not(t, spk_sql_call(t->b, "<=>", args, 2, text_span(t)), !no)
                           : NULL;
        }
        name = text_is(t, "true")   ? "istrue"
            : text_is(t, "false")   ? "isfalse"
            : text_is(t, "unknown") ? "isunknown"
                                    : NULL;
        return name ? text_not(t, spk_sql_call(t->b, name, args, 1, text_span(t)), no)
                    : text_fail(t);
    }
    t->p = before;
    *any = false;
    return NULL;
}

static spk_sql_expr *text_postfix(text_front *t, spk_sql_expr *x)
{
    while (x) {
        if (text_sign(t, "[")) {
            spk_sql_expr *args[] = { x, text_expr(t, 0) };
            x = args[1] && text_sign(t, "]") ? spk_sql_call(t->b, "[]", args, 2, text_span(t))
                                             : text_fail(t);
        } else if (*t->p == '.' && isalpha((unsigned char)t->p[1])) {
            char name[64];
            t->p++;
            text_name(t, name, sizeof name);
            spk_sql_expr *args[] = { x, spk_sql_string(t->b, name, strlen(name), text_span(t)) };
            x = spk_sql_call(t->b, ".", args, 2, text_span(t));
        } else if (text_sign(t, "::")) {
            char name[64];
            text_name(t, name, sizeof name);
            const spk_sql_type *type = spk_sql_type_parse(t->b->arena, name, strlen(name));
            x = type ? spk_sql_cast(t->b, x, type, false, text_span(t)) : text_fail(t);
        } else {
            break;
        }
    }
    return x;
}

static spk_sql_expr *text_expr(text_front *t, int level)
{
    static const struct {
        const char *sign;
        int level;
        bool word;
    } operators[]
        = { { "or", 1, true }, { "and", 2, true }, { "<=>", 5, false }, { "<<", 9, false },
              { ">>>", 9, false }, { ">>", 9, false }, { "<>", 5, false }, { "<=", 5, false },
              { ">=", 5, false }, { "!=", 5, false }, { "==", 5, false }, { "=", 5, false },
              { "<", 5, false }, { ">", 5, false }, { "||", 10, false }, { "|", 6, false },
              { "^", 7, false }, { "&", 8, false }, { "+", 10, false }, { "-", 10, false },
              { "*", 11, false }, { "/", 11, false }, { "%", 11, false }, { "div", 11, true } };
    spk_sql_expr *x;
    text_blanks(t);
    if (level <= 3 && text_is(t, "not")) {
        x = text_expr(t, 3);
        x = x ? spk_sql_call(t->b, "not", &x, 1, text_span(t)) : NULL;
    } else {
        x = text_postfix(t, text_primary(t));
    }
    while (x && !t->failed) {
        bool any = false;
        size_t i = 0;
        text_blanks(t);
        if (level <= 4) {
            spk_sql_expr *y = text_suffix(t, x, &any);
            if (any) {
                x = y;
                continue;
            }
        }
        const size_t n = sizeof operators / sizeof *operators;
        const char *before = t->p;
        for (; i < n
             && !(operators[i].word ? text_is(t, operators[i].sign)
                                    : text_sign(t, operators[i].sign));
             i++)
            continue;
        if (i == n)
            break;
        if (operators[i].level < level) {
            t->p = before;
            break;
        }
        spk_sql_expr *args[] = { x, text_expr(t, operators[i].level + 1) };
        x = args[1] ? spk_sql_call(t->b, operators[i].sign, args, 2, text_span(t)) : NULL;
    }
    return t->failed ? NULL : x;
}

#endif
