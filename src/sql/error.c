/* SPDX-License-Identifier: Apache-2.0 */
/* Errors of statements: the first stays, and what it says is a text with the values put in. */
#include "base/small.h"

#include "sql/error.h"

#include <stdio.h>

#include "sql/conditions.h"

bool spk_sql_fail(spk_sql_error *error, const char *condition, spk_sql_span span)
{
    error->closed = error->condition != NULL; /* what follows belongs to another error */
    if (error->closed)
        return false;
    error->condition = condition;
    error->span = span;
    error->n = 0;
    error->used = 0;
    return true;
}

void spk_sql_param(spk_sql_error *error, const char *name, const char *format, ...)
{
    va_list args;
    if (error->closed || error->n >= SPK_SQL_PARAMETERS || error->used >= SPK_SQL_ERROR_BYTES - 1)
        return;
    char *at = error->bytes + error->used;
    const size_t room = SPK_SQL_ERROR_BYTES - error->used;
    va_start(args, format);
    const int n = vsnprintf(at, room, format, args);
    va_end(args);
    error->used += n < 0 ? 1 : (size_t)n < room ? (size_t)n + 1 : room;
    error->parameters[error->n++] = (spk_sql_parameter) { name, at };
}

void spk_sql_fail1(spk_sql_error *error, const char *condition, spk_sql_span span, const char *name,
    const char *value)
{
    if (spk_sql_fail(error, condition, span))
        spk_sql_param(error, name, "%s", value);
}

void spk_sql_fail2(spk_sql_error *error, const char *condition, spk_sql_span span, const char *name,
    const char *value, const char *name2, const char *value2)
{
    if (spk_sql_fail(error, condition, span)) {
        spk_sql_param(error, name, "%s", value);
        spk_sql_param(error, name2, "%s", value2);
    }
}

void spk_sql_fail3(spk_sql_error *error, const char *condition, spk_sql_span span, const char *name,
    const char *value, const char *name2, const char *value2, const char *name3, const char *value3)
{
    if (spk_sql_fail(error, condition, span)) {
        spk_sql_param(error, name, "%s", value);
        spk_sql_param(error, name2, "%s", value2);
        spk_sql_param(error, name3, "%s", value3);
    }
}

void spk_sql_nomem(spk_sql_error *error)
{
    if (spk_sql_fail(error, "OUT_OF_MEMORY", SPK_SQL_NOWHERE))
        error->nomem = true;
}

void spk_sql_unsupported(spk_sql_error *error, spk_sql_span span, const char *what)
{
    spk_sql_fail1(error, "UNSUPPORTED_FEATURE", span, "what", what);
}

const char *spk_sql_state(const char *condition)
{
    const spk_sql_condition *found = spk_sql_condition_of(condition);
    return found ? found->state : "XX000";
}

void spk_sql_line(const char *text, uint32_t at, uint32_t *line, uint32_t *position)
{
    *line = 1;
    *position = 1;
    for (uint32_t i = 0; i < at && text[i]; i++)
        if (text[i] == '\n') {
            ++*line;
            *position = 1;
        } else {
            ++*position;
        }
}

static const char *value_of(const spk_sql_error *error, const char *name, size_t len)
{
    for (size_t i = 0; i < error->n; i++)
        if (strlen(error->parameters[i].name) == len
            && memcmp(error->parameters[i].name, name, len) == 0)
            return error->parameters[i].value;
    return NULL;
}

static bool is_one_of(const char *name, size_t len, const char *const *names)
{
    while (*names && (strlen(*names) != len || memcmp(*names, name, len) != 0))
        names++;
    return *names != NULL;
}

/* by_default: what stands for a parameter that the error does not have: of expressions the piece of
 * the statement that it is about, so that no message shows the name of a parameter. */
static const char *by_default(
    const spk_sql_error *error, const char *sql, const char *name, size_t len, char *room, size_t size)
{
    static const char *const expressions[] = { "sqlExpr", "inputSql", "inputExpr", "expr", "expression", NULL };
    static const char *const root[] = { "docroot", NULL };
    const spk_sql_span span = error->span;
    if (is_one_of(name, len, root))
        return "https://spark.apache.org/docs/latest";
    if (!sql || span.from == UINT32_MAX || span.to <= span.from || !is_one_of(name, len, expressions))
        return "?";
    const size_t n = span.to - span.from;
    (void)snprintf(room, size, "\"%.*s\"", (int)(n < size - 3 ? n : size - 3), sql + span.from);
    return room;
}

/* parameter_end: the > of the <name> that begins here; NULL: none does. */
static const char *parameter_end(const char *text)
{
    if (text[0] != '<' || text[1] < 'a' || text[1] > 'z')
        return NULL;
    const char *at = text + 1;
    while ((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') || *at == '_')
        at++;
    return *at == '>' ? at : NULL;
}

/* fill: the text of the condition with the values in place of <their names>. */
static size_t fill(const spk_sql_error *error, const char *sql, const char *text, char *out, size_t size)
{
    size_t n = 0;
    char room[200];
    while (*text && n + 1 < size) {
        const char *end = parameter_end(text);
        if (!end) {
            out[n++] = *text++;
            continue;
        }
        const size_t len = (size_t)(end - text) - 1;
        const char *value = value_of(error, text + 1, len);
        if (!value)
            value = by_default(error, sql, text + 1, len, room, sizeof room);
        for (; *value && n + 1 < size; value++)
            out[n++] = *value;
        text = end + 1;
    }
    out[n] = '\0';
    return n;
}

void spk_sql_describe(const spk_sql_error *error, const char *text, char *out, size_t size)
{
    const spk_sql_condition *c = spk_sql_condition_of(error->condition);
    int n = snprintf(out, size, "[%s] ", error->condition);
    if (n < 0 || (size_t)n + 64 >= size)
        return;
    size_t at = (size_t)n + fill(error, text, c ? c->text : "", out + n, size - (size_t)n - 63);
    n = snprintf(out + at, size - at, " SQLSTATE: %s", c ? c->state : "XX000");
    at += n > 0 ? (size_t)n : 0;
    if (!text || error->span.from == UINT32_MAX || at >= size)
        return;
    uint32_t line, position;
    spk_sql_line(text, error->span.from, &line, &position);
    const uint32_t length = error->span.to > error->span.from ? error->span.to - error->span.from : 1;
    (void)snprintf(out + at, size - at, " (line %u, position %u to %u)", line, position,
        position + length - 1);
}
