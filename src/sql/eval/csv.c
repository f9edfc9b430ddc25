/* SPDX-License-Identifier: Apache-2.0 */
/* from_csv, to_csv and schema_of_csv: one line of cells between separators. */
#include "base/small.h"

#include <string.h>

#include "sql/eval/json_options.h"
#include "sql/eval/slots.h"

/* next_cell: the cell at *at, without its quotes, and behind its separator; false: there is none left. */
static bool next_cell(spk_sql_frame *f, spark_str line, spark_str sep, size_t *at, spark_str *cell, bool *quoted)
{
    size_t i = *at, n = 0;
    if (i > line.len)
        return false;
    *quoted = i < line.len && line.ptr[i] == '"';
    if (*quoted) {
        char *text = spk_sql_alloc(f, line.len - i + 1, 1);
        if (!text)
            return false;
        for (i++; i < line.len && line.ptr[i] != '"'; i++) {
            if (line.ptr[i] == '\\' && i + 1 < line.len && (line.ptr[i + 1] == '"' || line.ptr[i + 1] == '\\'))
                i++;
            text[n++] = line.ptr[i];
        }
        i += i < line.len;
        *cell = (spark_str) { text, n };
    }
    const size_t from = i;
    while (i < line.len && (i + sep.len > line.len || memcmp(line.ptr + i, sep.ptr, sep.len) != 0))
        i++;
    if (!*quoted)
        *cell = (spark_str) { line.ptr + from, i - from };
    *at = i < line.len ? i + sep.len : line.len + 1;
    return true;
}

static spark_str trimmed(spark_str s)
{
    while (s.len > 0 && *s.ptr == ' ') {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 && s.ptr[s.len - 1] == ' ')
        s.len--;
    return s;
}

static void from_csv(spk_sql_frame *f)
{
    const spk_text_options options = spk_text_options_of(f->expr, 2);
    const spk_sql_type *type = f->expr->type;
    SPK_EACH_ROW(f, i)
    {
        const spark_str line = SPK_SQL_ARG(spark_str, f, 0, i);
        char *row = f->out + (size_t)i * type->size;
        size_t at = 0;
        bool good = line.len > 0;
        memset(row, 0, type->size);
        for (uint32_t k = 0; k < type->n; k++) {
            const spk_sql_field *field = &type->fields[k];
            spark_str cell;
            bool quoted;
            if (!next_cell(f, line, options.sep, &at, &cell, &quoted)) {
                good = false;
                break;
            }
            if (!quoted && cell.len == options.null_value.len
                && (cell.len == 0 || memcmp(cell.ptr, options.null_value.ptr, cell.len) == 0))
                continue;
            char *slot = row + field->offset;
            *slot = spk_text_to_value(f, &options, field->type,
                field->type->kind == SPK_SQL_STRING ? cell : trimmed(cell), slot + spk_sql_slot_value(field->type, true));
            good &= *slot;
        }
        if (options.failfast && (!good || at <= line.len))
            spk_text_malformed(f, type, row);
        if (spk_sql_run_failed(f->run))
            return;
    }
}

static SPK_COLD bool resolve_from_csv(spk_sql_build *b, spk_sql_expr *call)
{
    if (!spk_sql_want(b, call, 0, 's'))
        return false;
    const spk_sql_type *type = spk_schema_of(b, call, 1);
    if (!type || !spk_text_options_resolve(b, call, 2))
        return false;
    if (type->kind != SPK_SQL_STRUCT) {
        spk_sql_fail2(b->error, "INVALID_SCHEMA.NON_STRUCT_TYPE", call->span, "inputSchema",
            spk_sql_expr_quoted(b, call->args[1]), "dataType", spk_sql_type_quoted(b, type));
        return false;
    }
    spk_sql_field *fields = spk_arena_alloc(b->arena, (type->n + 1) * sizeof *fields, 16);
    for (uint32_t i = 0; fields && i < type->n; i++) {
        if (type->fields[i].type->kind >= SPK_SQL_ARRAY) {
            spk_sql_fail1(b->error, "UNSUPPORTED_DATATYPE", call->span, "typeName",
                spk_sql_type_quoted(b, type->fields[i].type));
            return false;
        }
        fields[i] = (spk_sql_field) { type->fields[i].name, type->fields[i].type, true, 0 };
    }
    call->type = fields ? spk_sql_type_struct(b->arena, fields, type->n) : NULL;
    if (!call->type)
        spk_sql_nomem(b->error);
    return call->type != NULL;
}

/* ---- to_csv ---- */

static bool needs_quotes(spark_str s, spark_str sep)
{
    if (s.len == 0 || *s.ptr == ' ' || s.ptr[s.len - 1] == ' ')
        return s.len == 0;
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '"' || s.ptr[i] == '\n' || s.ptr[i] == '\r'
            || (i + sep.len <= s.len && memcmp(s.ptr + i, sep.ptr, sep.len) == 0))
            return true;
    return false;
}

static void put_cell(spk_text *out, spark_str s, spark_str sep)
{
    if (!needs_quotes(s, sep)) {
        s = trimmed(s);
        spk_text_bytes(out, s.ptr, s.len);
        return;
    }
    spk_text_char(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '"')
            spk_text_char(out, '\\');
        spk_text_char(out, s.ptr[i]);
    }
    spk_text_char(out, '"');
}

static void to_csv(spk_sql_frame *f)
{
    const spk_text_options options = spk_text_options_of(f->expr, 1);
    const spk_sql_type *type = f->expr->args[0]->type;
    SPK_EACH_ROW(f, i)
    {
        const char *row = f->args[0].ptr + (size_t)i * f->args[0].stride;
        spk_text out = spk_text_new(f->arena);
        for (uint32_t k = 0; k < type->n; k++) {
            const void *value = spk_sql_member(type, row, k);
            const spk_sql_type *t = type->fields[k].type;
            spk_text text = spk_text_new(f->arena);
            if (k)
                spk_text_bytes(&out, options.sep.ptr, options.sep.len);
            if (!value || t->kind == SPK_SQL_VOID) {
                spk_text_bytes(&out, options.null_value.ptr, options.null_value.len);
                continue;
            }
            spk_value_to_text(f, &options, t, value, &text);
            put_cell(&out, (spark_str) { text.at ? text.at : "", text.n }, options.sep);
            out.failed |= text.failed;
        }
        if (out.failed)
            spk_sql_no_room(f);
        if (spk_sql_run_failed(f->run))
            return;
        SPK_SQL_OUT(spark_str, f, i) = (spark_str) { out.at ? out.at : "", out.n };
    }
}

static SPK_COLD bool resolve_to_csv(spk_sql_build *b, spk_sql_expr *call)
{
    const spk_sql_type *t = call->args[0]->type;
    call->type = spk_sql_type_of(SPK_SQL_STRING);
    if (!spk_text_options_resolve(b, call, 1))
        return false;
    if (t->kind != SPK_SQL_STRUCT) {
        spk_sql_unexpected(b, call, 0, "\"STRUCT\"");
        return false;
    }
    return true;
}

/* ---- schema_of_csv ---- */

static const char *type_of(spk_sql_frame *f, const spk_text_options *o, spark_str cell)
{
    static const struct {
        spk_sql_kind kind;
        const char *name;
    } tries[] = { { SPK_SQL_INT, "INT" }, { SPK_SQL_BIGINT, "BIGINT" }, { SPK_SQL_DOUBLE, "DOUBLE" },
        { SPK_SQL_BOOLEAN, "BOOLEAN" } };
    char value[16];
    for (size_t i = 0; cell.len > 0 && i < sizeof tries / sizeof tries[0]; i++)
        if (spk_text_to_value(f, o, spk_sql_type_of(tries[i].kind), cell, value))
            return tries[i].name;
    if (cell.len == 10 && spk_text_to_value(f, o, spk_sql_type_of(SPK_SQL_DATE), cell, value))
        return "DATE";
    if (cell.len > 10 && spk_text_to_value(f, o, spk_sql_type_of(SPK_SQL_TIMESTAMP), cell, value))
        return "TIMESTAMP";
    return "STRING";
}

static SPK_COLD void schema_of_csv(spk_sql_frame *f)
{
    const spk_text_options options = spk_text_options_of(f->expr, 1);
    SPK_EACH_ROW(f, i)
    {
        const spark_str line = SPK_SQL_ARG(spark_str, f, 0, i);
        spk_text out = spk_text_new(f->arena);
        spark_str cell;
        size_t at = 0;
        bool quoted;
        spk_text_put(&out, "STRUCT<");
        for (int k = 0; next_cell(f, line, options.sep, &at, &cell, &quoted); k++) {
            spk_text_put(&out, k ? ", _c" : "_c");
            spk_text_number(&out, k);
            spk_text_put(&out, ": ");
            spk_text_put(&out, type_of(f, &options, trimmed(cell)));
        }
        spk_text_char(&out, '>');
        if (out.failed)
            spk_sql_no_room(f);
        if (spk_sql_run_failed(f->run))
            return;
        SPK_SQL_OUT(spark_str, f, i) = (spark_str) { out.at, out.n };
    }
}

static SPK_COLD bool resolve_schema(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = spk_sql_type_of(SPK_SQL_STRING);
    return spk_sql_want(b, call, 0, 's') && spk_text_options_resolve(b, call, 1);
}

const spk_sql_function spk_sql_csvs[] = {
    { .name = "from_csv", .least = 2, .most = 3, .kernel = from_csv, .resolve = resolve_from_csv,
        .flags = SPK_SQL_GIVES_NULL },
    { .name = "to_csv", .least = 1, .most = 2, .kernel = to_csv, .resolve = resolve_to_csv },
    { .name = "schema_of_csv", .least = 1, .most = 2, .kernel = schema_of_csv, .resolve = resolve_schema }, { 0 } };
