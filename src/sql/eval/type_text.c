/* SPDX-License-Identifier: Apache-2.0 */
/* Types of SQL as text, and back. */
#include "base/small.h"

#include "sql/eval/type.h"

#include <stdio.h>

#include "sql/eval/text.h"

static const char *const units[] = { "YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND" };

static const char *const names[SPK_SQL_KINDS] = { "VOID", "BOOLEAN", "TINYINT", "SMALLINT", "INT",
    "BIGINT", "DECIMAL", "FLOAT", "DOUBLE", "STRING", "BINARY", "DATE", "TIMESTAMP",
    "TIMESTAMP_NTZ", "TIME", "INTERVAL", "INTERVAL", "ARRAY", "MAP", "STRUCT" };

static void put_word(spk_text *out, const char *word, bool lower)
{
    for (; *word; word++)
        spk_text_char(out, (char)(lower && *word >= 'A' && *word <= 'Z' ? *word | 0x20 : *word));
}

static void put_type(spk_text *out, const spk_sql_type *t, bool lower)
{
    char number[24];
    put_word(out, names[t->kind], lower);
    switch (t->kind) {
    case SPK_SQL_DECIMAL:
        snprintf(number, sizeof number, "(%d,%d)", t->precision, t->scale);
        spk_text_put(out, number);
        break;
    case SPK_SQL_TIME:
        snprintf(number, sizeof number, "(%d)", t->precision);
        spk_text_put(out, number);
        break;
    case SPK_SQL_INTERVAL_MONTHS:
    case SPK_SQL_INTERVAL_SECONDS:
        spk_text_char(out, ' ');
        put_word(out, units[t->precision], lower);
        if (t->scale != t->precision) {
            put_word(out, " TO ", lower);
            put_word(out, units[t->scale], lower);
        }
        break;
    case SPK_SQL_ARRAY:
        spk_text_char(out, '<');
        put_type(out, t->of, lower);
        spk_text_char(out, '>');
        break;
    case SPK_SQL_MAP:
        spk_text_char(out, '<');
        put_type(out, t->key, lower);
        spk_text_put(out, lower ? "," : ", ");
        put_type(out, t->of, lower);
        spk_text_char(out, '>');
        break;
    case SPK_SQL_STRUCT:
        spk_text_char(out, '<');
        for (uint32_t i = 0; i < t->n; i++) {
            spk_text_put(out, i == 0 ? "" : lower ? "," : ", ");
            spk_text_put(out, t->fields[i].name);
            spk_text_put(out, lower ? ":" : ": ");
            put_type(out, t->fields[i].type, lower);
            if (!lower && !t->fields[i].nullable)
                spk_text_put(out, " NOT NULL");
        }
        spk_text_char(out, '>');
        break;
    default:
        break;
    }
}

size_t spk_sql_type_print(const spk_sql_type *type, bool lower, char *text, size_t size)
{
    spk_text out = spk_text_in(text, size);
    put_type(&out, type, lower);
    return spk_text_end(&out);
}

const char *spk_sql_type_text(spk_arena *arena, const spk_sql_type *type)
{
    const size_t n = spk_sql_type_print(type, true, NULL, 0) + 1;
    char *text = spk_arena_alloc(arena, n, 1);
    if (text)
        (void)spk_sql_type_print(type, true, text, n);
    return text;
}

/* ---- reading ---- */

typedef struct reader {
    const char *p, *end;
    spk_arena *arena;
    int depth;
} reader;

static void blanks(reader *r)
{
    while (r->p < r->end && (unsigned char)*r->p <= ' ')
        r->p++;
}

static bool sign(reader *r, char c)
{
    blanks(r);
    if (r->p == r->end || *r->p != c)
        return false;
    r->p++;
    return true;
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || c == '_' || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static size_t word(reader *r, char *text, size_t size)
{
    size_t n = 0;
    blanks(r);
    for (; r->p < r->end && is_word(*r->p); r->p++)
        if (n + 1 < size)
            text[n++] = (char)(*r->p >= 'A' && *r->p <= 'Z' ? *r->p | 0x20 : *r->p);
    text[n] = '\0';
    return n;
}

static bool next_is(reader *r, const char *want)
{
    char text[24];
    const char *before = r->p;
    if (word(r, text, sizeof text) && strcmp(text, want) == 0)
        return true;
    r->p = before;
    return false;
}

static bool number(reader *r, int *out)
{
    int x = 0, n = 0;
    blanks(r);
    for (; r->p < r->end && *r->p >= '0' && *r->p <= '9' && n < 6; n++)
        x = x * 10 + (*r->p++ - '0');
    *out = x;
    return n > 0;
}

static const spk_sql_type *read_type(reader *r);

static const spk_sql_type *read_decimal(reader *r)
{
    int precision = 10, scale = 0;
    if (sign(r, '(')
        && (!number(r, &precision) || (sign(r, ',') && !number(r, &scale)) || !sign(r, ')')))
        return NULL;
    if (precision > SPK_SQL_DECIMAL_MAX || scale > precision)
        return NULL;
    return spk_sql_type_decimal(r->arena, precision, scale);
}

static bool read_unit(reader *r, spk_sql_unit *unit)
{
    char text[16];
    word(r, text, sizeof text);
    for (int i = 0; i <= SPK_SQL_SECOND; i++) {
        size_t k = 0;
        while (units[i][k] && (units[i][k] | 0x20) == text[k])
            k++;
        if (!units[i][k] && !text[k]) {
            *unit = (spk_sql_unit)i;
            return true;
        }
    }
    return false;
}

static const spk_sql_type *read_interval(reader *r)
{
    spk_sql_unit first, last;
    if (!read_unit(r, &first))
        return NULL;
    last = first;
    if (next_is(r, "to") && !read_unit(r, &last))
        return NULL;
    return last < first || (first <= SPK_SQL_MONTH) != (last <= SPK_SQL_MONTH)
        ? NULL
        : spk_sql_type_interval(r->arena, first, last);
}

static const spk_sql_type *read_timestamp(reader *r)
{
    const char *before = r->p;
    if (next_is(r, "without") && next_is(r, "time") && next_is(r, "zone"))
        return spk_sql_type_of(SPK_SQL_TIMESTAMP_NTZ);
    r->p = before;
    if (!(next_is(r, "with") && next_is(r, "local") && next_is(r, "time") && next_is(r, "zone")))
        r->p = before;
    return spk_sql_type_of(SPK_SQL_TIMESTAMP);
}

static const char *read_name(reader *r)
{
    blanks(r);
    const bool quoted = r->p < r->end && *r->p == '`';
    const char *from = r->p += quoted;
    while (r->p < r->end && (quoted ? *r->p != '`' : is_word(*r->p)))
        r->p++;
    const size_t n = (size_t)(r->p - from);
    r->p += quoted && r->p < r->end;
    char *name = n > 0 ? spk_arena_alloc(r->arena, n + 1, 1) : NULL;
    if (name) {
        memcpy(name, from, n);
        name[n] = '\0';
    }
    return name;
}

static const spk_sql_type *read_struct(reader *r)
{
    enum { MOST = 256 };
    spk_sql_field *fields
        = spk_arena_alloc(r->arena, MOST * sizeof *fields, _Alignof(spk_sql_field));
    size_t n = 0;
    if (!fields || !sign(r, '<'))
        return NULL;
    if (sign(r, '>'))
        return spk_sql_type_struct(r->arena, fields, 0);
    do {
        if (n == MOST)
            return NULL;
        fields[n] = (spk_sql_field) { .name = read_name(r), .nullable = true };
        sign(r, ':');
        fields[n].type = fields[n].name ? read_type(r) : NULL;
        if (!fields[n].type)
            return NULL;
        if (next_is(r, "not")) {
            if (!next_is(r, "null"))
                return NULL;
            fields[n].nullable = false;
        }
        n++;
    } while (sign(r, ','));
    return sign(r, '>') ? spk_sql_type_struct(r->arena, fields, n) : NULL;
}

static const spk_sql_type *read_map(reader *r)
{
    const spk_sql_type *key = sign(r, '<') ? read_type(r) : NULL;
    const spk_sql_type *of = key && sign(r, ',') ? read_type(r) : NULL;
    return of && sign(r, '>') ? spk_sql_type_map(r->arena, key, of, true) : NULL;
}

static const spk_sql_type *read_char(reader *r)
{
    int n;
    if (!sign(r, '(') || !number(r, &n) || !sign(r, ')'))
        return NULL;
    return spk_sql_type_of(SPK_SQL_STRING);
}

static const spk_sql_type *read_time(reader *r)
{
    int precision = 6;
    if (sign(r, '(') && (!number(r, &precision) || !sign(r, ')')))
        return NULL;
    return precision > 6 ? NULL : spk_sql_type_time(r->arena, precision);
}

static const spk_sql_type *read_type(reader *r)
{
    static const struct {
        const char *name;
        spk_sql_kind kind;
    } plain[] = { { "boolean", SPK_SQL_BOOLEAN }, { "tinyint", SPK_SQL_TINYINT },
        { "byte", SPK_SQL_TINYINT }, { "smallint", SPK_SQL_SMALLINT },
        { "short", SPK_SQL_SMALLINT }, { "int", SPK_SQL_INT }, { "integer", SPK_SQL_INT },
        { "bigint", SPK_SQL_BIGINT }, { "long", SPK_SQL_BIGINT }, { "float", SPK_SQL_FLOAT },
        { "real", SPK_SQL_FLOAT }, { "double", SPK_SQL_DOUBLE }, { "string", SPK_SQL_STRING },
        { "binary", SPK_SQL_BINARY }, { "date", SPK_SQL_DATE },
        { "timestamp_ntz", SPK_SQL_TIMESTAMP_NTZ }, { "timestamp_ltz", SPK_SQL_TIMESTAMP },
        { "void", SPK_SQL_VOID } };
    static const struct {
        const char *name;
        const spk_sql_type *(*read)(reader *);
    } others[] = { { "decimal", read_decimal }, { "dec", read_decimal },
        { "numeric", read_decimal }, { "interval", read_interval }, { "timestamp", read_timestamp },
        { "struct", read_struct }, { "map", read_map }, { "char", read_char },
        { "character", read_char }, { "varchar", read_char }, { "time", read_time } };
    char text[24];
    const spk_sql_type *found = NULL;
    word(r, text, sizeof text);
    if (r->depth == SPK_SQL_TYPE_DEPTH)
        return NULL;
    r->depth++;
    for (size_t i = 0; i < sizeof plain / sizeof *plain && !found; i++)
        if (strcmp(text, plain[i].name) == 0)
            found = spk_sql_type_of(plain[i].kind);
    for (size_t i = 0; i < sizeof others / sizeof *others && !found; i++)
        if (strcmp(text, others[i].name) == 0)
            found = others[i].read(r);
    if (strcmp(text, "array") == 0 && sign(r, '<')) {
        found = spk_sql_type_array(r->arena, read_type(r), true);
        if (!sign(r, '>'))
            found = NULL;
    }
    r->depth--;
    return found;
}

const spk_sql_type *spk_sql_type_parse(spk_arena *arena, const char *text, size_t n)
{
    reader r = { text, text + n, arena, 0 };
    const spk_sql_type *type = read_type(&r);
    blanks(&r);
    return r.p == r.end ? type : NULL;
}
