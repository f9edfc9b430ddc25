/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions as Spark prints them (toPrettySQL): casts that nobody wrote are left out, strings
 * stand
 * without quotes. */
#include "base/small.h"

#include <stdlib.h>

#include "sql/eval/function.h"
#include "sql/eval/text.h"

static void put(spk_text *out, const spk_sql_expr *e, int depth);

static void put_list(spk_text *out, const spk_sql_expr *e, uint32_t from, int depth)
{
    spk_text_char(out, '(');
    for (uint32_t i = from; i < e->n; i++) {
        spk_text_put(out, i > from ? ", " : "");
        put(out, e->args[i], depth);
    }
    spk_text_char(out, ')');
}

static void put_value(spk_text *out, const spk_sql_type *type, const void *value, const struct spk_zone *zone)
{
    char few[256];
    const size_t n = spk_sql_value_print(type, value, zone, few, sizeof few);
    if (n < sizeof few) {
        spk_text_bytes(out, few, n);
        return;
    }
    char *many = malloc(n + 1);
    if (many)
        spk_text_bytes(out, many, spk_sql_value_print(type, value, zone, many, n + 1));
    free(many);
}

static void put_constant(spk_text *out, const spk_sql_expr *e)
{
    const struct spk_zone *zone = e->session ? e->session->zone : NULL;
    if (e->text && !out->computed) {
        spk_text_put(out, e->text);
        return;
    }
    if (e->null) {
        spk_text_put(out, "NULL");
        return;
    }
    const spark_str *s = e->value;
    switch (e->type->kind) {
    case SPK_SQL_STRING:
        spk_text_bytes(out, s->ptr, s->len);
        return;
    case SPK_SQL_BINARY:
        spk_text_put(out, "X'");
        for (size_t i = 0; i < s->len; i++) {
            spk_text_char(out, "0123456789ABCDEF"[(unsigned char)s->ptr[i] >> 4]);
            spk_text_char(out, "0123456789ABCDEF"[s->ptr[i] & 15]);
        }
        spk_text_char(out, '\'');
        return;
    case SPK_SQL_DATE:
    case SPK_SQL_TIMESTAMP:
    case SPK_SQL_TIMESTAMP_NTZ:
    case SPK_SQL_TIME:
        spk_text_put(out,
            e->type->kind == SPK_SQL_DATE            ? "DATE '"
                : e->type->kind == SPK_SQL_TIMESTAMP ? "TIMESTAMP '"
                : e->type->kind == SPK_SQL_TIME      ? "TIME '"
                                                     : "TIMESTAMP_NTZ '");
        put_value(out, e->type, e->value, zone);
        spk_text_char(out, '\'');
        return;
    default:
        put_value(out, e->type, e->value, zone);
    }
}

static void put_case(spk_text *out, const spk_sql_expr *e, int depth)
{
    spk_text_put(out, "CASE");
    for (uint32_t i = 0; i + 1 < e->n; i += 2) {
        spk_text_put(out, " WHEN ");
        put(out, e->args[i], depth);
        spk_text_put(out, " THEN ");
        put(out, e->args[i + 1], depth);
    }
    if (e->n % 2 == 1) {
        spk_text_put(out, " ELSE ");
        put(out, e->args[e->n - 1], depth);
    }
    spk_text_put(out, " END");
}

/* put_form: a template: %0 and %1 are arguments, %* a list from the second on. */
static void put_form(spk_text *out, const spk_sql_expr *e, const char *form, int depth)
{
    for (; *form; form++) {
        if (*form != '%' || (form[1] != '*' && (form[1] < '0' || form[1] > '9'))) {
            spk_text_char(out, *form);
            continue;
        }
        form++;
        if (*form == '*')
            put_list(out, e, 1, depth);
        else if ((uint32_t)(*form - '0') < e->n)
            put(out, e->args[*form - '0'], depth);
    }
}

static const char *form_of(const spk_sql_expr *e)
{
    static const struct {
        const char *name, *form;
    } forms[] = { { "in", "(%0 IN %*)" }, { "isnull", "(%0 IS NULL)" },
        { "isnotnull", "(%0 IS NOT NULL)" }, { "istrue", "(%0 IS TRUE)" },
        { "isfalse", "(%0 IS FALSE)" }, { "isunknown", "(%0 IS UNKNOWN)" }, { "[]", "%0[%1]" },
        { ".", "%0.%1" }, { "u-", "(- %0)" }, { "u+", "(+ %0)" }, { "~", "~%0" },
        { "like", "%0 LIKE %1" }, { "<>", "(NOT (%0 = %1))" }, { "!=", "(NOT (%0 = %1))" },
        { "boolean", "%0" }, { "tinyint", "%0" }, { "smallint", "%0" }, { "int", "%0" },
        { "bigint", "%0" }, { "float", "%0" }, { "double", "%0" }, { "decimal", "%0" },
        { "string", "%0" }, { "binary", "%0" }, { "date", "%0" }, { "timestamp", "%0" },
        { "not", "(NOT %0)" }, { "!", "(NOT %0)" } };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (strcmp(e->function->name, forms[i].name) == 0)
            return forms[i].form;
    return NULL;
}

/* form_of_moved: of a time and an interval or a number of days: other expressions of Spark's, which
 * print
 * themselves in other ways. NULL: it is none. */
static const char *form_of_moved(const spk_sql_expr *e)
{
    const char sign = *e->function->name;
    if (e->n != 2 || (sign != '+' && sign != '-') || e->function->name[1])
        return NULL;
    const spk_sql_kind x = e->args[0]->type->kind, y = e->args[1]->type->kind;
    if (x != SPK_SQL_DATE && x != SPK_SQL_TIMESTAMP && x != SPK_SQL_TIMESTAMP_NTZ)
        return NULL;
    if (y == SPK_SQL_INTERVAL_MONTHS || y == SPK_SQL_INTERVAL_SECONDS)
        return sign == '+' ? "%0 + %1" : "%0 - %1";
    if (x == SPK_SQL_DATE && y >= SPK_SQL_TINYINT && y <= SPK_SQL_INT)
        return sign == '+' ? "date_add(%0, %1)" : "date_sub(%0, %1)";
    return NULL;
}

static void put_call(spk_text *out, const spk_sql_expr *e, int depth)
{
    const spk_sql_function *f = e->function;
    const char *name = f->printed ? f->printed : e->name;
    const char *form = strcmp(f->name, ".") == 0 && e->args[0]->type->kind == SPK_SQL_MAP ? "%0[%1]" : form_of(e);
    if (strcmp(f->name, "case") == 0) {
        put_case(out, e, depth);
        return;
    }
    if (form) {
        put_form(out, e, form, depth);
        if (e->n == 3 && strcmp(f->name, "like") == 0)
            put_form(out, e, " ESCAPE '%2'", depth);
        return;
    }
    const char *moved = form_of_moved(e);
    if (moved) {
        put_form(out, e, moved, depth);
        return;
    }
    if ((f->flags & SPK_SQL_INFIX) && e->n == 2) {
        spk_text_char(out, '(');
        put(out, e->args[0], depth);
        spk_text_char(out, ' ');
        spk_text_put(out, name);
        spk_text_char(out, ' ');
        put(out, e->args[1], depth);
        spk_text_char(out, ')');
        return;
    }
    const bool parens = strcmp(f->name, "if") == 0;
    spk_text_put(out, parens ? "(" : "");
    for (; *name; name++)
        spk_text_char(out,
            (char)(*name >= 'a' && *name <= 'z' && (f->flags & SPK_SQL_UPPER) ? *name - 32
                    : *name >= 'A' && *name <= 'Z' && !(f->flags & SPK_SQL_UPPER) && !f->printed
                    ? *name + 32
                    : *name));
    put_list(out, e, 0, depth);
    spk_text_put(out, parens ? ")" : "");
}

static void put_cast(spk_text *out, const spk_sql_expr *e, int depth)
{
    char name[512];
    if (e->implicit) {
        put(out, e->args[0], depth);
        return;
    }
    spk_text_put(out, e->attempt ? "TRY_CAST(" : "CAST(");
    put(out, e->args[0], depth);
    spk_text_put(out, " AS ");
    spk_sql_type_print(e->type, false, name, sizeof name);
    spk_text_put(out, name);
    spk_text_char(out, ')');
}

static void put(spk_text *out, const spk_sql_expr *e, int depth)
{
    if (depth > 1000) {
        spk_text_put(out, "...");
        return;
    }
    switch (e->kind) {
    case SPK_SQL_CONSTANT:
        put_constant(out, e);
        break;
    case SPK_SQL_COLUMN:
    case SPK_SQL_VARIABLE:
        spk_text_put(out, e->kind == SPK_SQL_VARIABLE ? "namedlambdavariable()" : e->name);
        if (out->computed && e->kind == SPK_SQL_COLUMN) {
            spk_text_char(out, '#');
            spk_text_number(out, e->column);
        }
        break;
    case SPK_SQL_CAST:
        put_cast(out, e, depth + 1);
        break;
    case SPK_SQL_LAMBDA:
        spk_text_put(out, "lambdafunction(");
        put(out, e->args[0], depth + 1);
        for (uint32_t i = 0; i < e->n_variables; i++)
            spk_text_put(out, ", namedlambdavariable()");
        spk_text_char(out, ')');
        break;
    case SPK_SQL_CALL:
        if (e->shown && out->computed) {
            put(out, e->args[0], depth + 1);
        } else if (e->shown) {
            spk_sql_expr as_written = *e;
            as_written.args = e->shown;
            as_written.n = e->n_shown;
            put_call(out, &as_written, depth + 1);
        } else {
            put_call(out, e, depth + 1);
        }
    }
}

size_t spk_sql_expr_print(const spk_sql_expr *expr, char *text, size_t size)
{
    spk_text out = spk_text_in(text, size);
    put(&out, expr, 0);
    return spk_text_end(&out);
}

size_t spk_sql_expr_print_computed(const spk_sql_expr *expr, char *text, size_t size)
{
    spk_text out = spk_text_in(text, size);
    out.computed = true;
    put(&out, expr, 0);
    return spk_text_end(&out);
}
