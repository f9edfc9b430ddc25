/* SPDX-License-Identifier: Apache-2.0 */
/* from_json and to_json: as Spark's JacksonParser and JacksonGenerator. A value that does not fit its
 * member is NULL; a text that is no JSON gives a struct of NULLs, or NULL where an array or map is
 * wanted. */
#include <string.h>

#include <spark/json.h>

#include "base/base64.h"
#include "format/json.h"
#include "format/json_scan.h"
#include "sql/eval/json_options.h"
#include "sql/eval/slots.h"

/* ---- from_json ---- */

typedef struct reader {
    spk_sql_frame *f;
    const spk_text_options *options;
    bool misfit; /* a member of a struct is none */
} reader;

/* fit: PRESENT: the value is there; NOTHING: it is null; MISFIT: it is of another kind. */
typedef enum fit { PRESENT, NOTHING, MISFIT } fit;

static fit read_value(reader *r, const spk_sql_type *type, spark_json v, void *to);

static bool plain_text(reader *r, spark_str raw, spark_str *out)
{
    *out = raw;
    if (raw.len == 0 || !memchr(raw.ptr, '\\', raw.len))
        return true;
    char *text = spk_sql_alloc(r->f, raw.len, 1);
    if (!text)
        return false;
    *out = (spark_str) { text, spk_json_unescape(raw, text) };
    return true;
}

static spark_str inside(spark_json string)
{
    return (spark_str) { string.text.ptr + 1, string.text.len - 2 };
}

static fit read_scalar(reader *r, const spk_sql_type *type, spark_json v, void *to)
{
    spark_str text = v.text;
    const bool string = v.kind == SPARK_JSON_STRING;
    int64_t seconds;
    if (string && !plain_text(r, inside(v), &text))
        return MISFIT;
    if (type->kind == SPK_SQL_STRING && (v.kind == SPARK_JSON_ARRAY || v.kind == SPARK_JSON_OBJECT)) {
        spk_text compact = spk_text_new(r->f->arena);
        spk_json_compact(&compact, text);
        if (compact.failed)
            spk_sql_no_room(r->f);
        text = (spark_str) { compact.at ? compact.at : "", compact.n };
    }
    if (type->kind == SPK_SQL_STRING) {
        memcpy(to, &text, sizeof text);
        return PRESENT;
    }
    if (type->kind == SPK_SQL_BOOLEAN ? v.kind != SPARK_JSON_BOOL : !string && v.kind != SPARK_JSON_NUMBER)
        return MISFIT;
    if (type->kind == SPK_SQL_TIMESTAMP && !string) {
        if (!spark_json_i64(v, &seconds) || __builtin_mul_overflow(seconds, SPK_MICROS_SECOND, &seconds))
            return MISFIT;
        memcpy(to, &seconds, sizeof seconds);
        return PRESENT;
    }
    if (spk_sql_is_integral(type) && (string || !spark_json_i64(v, &seconds)))
        return MISFIT;
    if ((type->kind == SPK_SQL_FLOAT || type->kind == SPK_SQL_DOUBLE) && string
        && !(text.len > 2 && (text.ptr[text.len - 1] == 'N' || text.ptr[text.len - 1] == 'F'
                || text.ptr[text.len - 1] == 'y')))
        return MISFIT; /* only NaN, +INF, Infinity */
    if (!string && type->kind > SPK_SQL_STRING)
        return MISFIT;
    return spk_text_to_value(r->f, r->options, type, text, to) ? PRESENT : MISFIT;
}

static fit read_array(reader *r, const spk_sql_type *type, spark_json v, void *to)
{
    spk_slots slots = spk_slots_of(type);
    char *element = spk_sql_alloc(r->f, type->of->size + 1U, 16);
    spark_json one;
    bool misfit = !element;
    while (element && !misfit && spark_json_next(&v, NULL, &one)) {
        const fit how = read_value(r, type->of, one, element);
        misfit = how == MISFIT || !spk_slots_add(&slots, r->f, how == PRESENT ? element : NULL);
    }
    const spk_sql_array a = spk_slots_end(&slots);
    memcpy(to, &a, sizeof a);
    return misfit ? MISFIT : PRESENT;
}

static fit read_map(reader *r, const spk_sql_type *type, spark_json v, void *to)
{
    const size_t size = spk_sql_entry_size(type);
    size_t n = 0;
    spark_json one, rest = v;
    spark_str name;
    if (type->key->kind != SPK_SQL_STRING)
        return MISFIT;
    while (spark_json_next(&rest, NULL, &one))
        n++;
    char *at = spk_sql_alloc(r->f, n * size + 1, 16), *value = spk_sql_alloc(r->f, type->of->size + 1U, 16);
    spk_sql_array a = { at, 0 };
    while (at && value && spark_json_next(&v, &name, &one)) {
        char *entry = at + a.n++ * size;
        const fit how = read_value(r, type->of, one, value);
        if (how == MISFIT || !plain_text(r, name, &name))
            return MISFIT;
        memset(entry, 0, size);
        memcpy(entry, &name, sizeof name);
        spk_slot_put(type->of, type->contains_null, how == PRESENT ? value : NULL, entry + spk_sql_entry_value(type));
    }
    memcpy(to, &a, sizeof a);
    return at && value ? PRESENT : MISFIT;
}

static fit read_struct(reader *r, const spk_sql_type *type, spark_json v, void *to)
{
    spark_json one;
    spark_str name;
    memset(to, 0, type->size);
    while (spark_json_next(&v, &name, &one))
        for (uint32_t i = 0; i < type->n; i++) {
            const spk_sql_field *f = &type->fields[i];
            char *slot = (char *)to + f->offset;
            if (!spk_json_is_named(name, f->name))
                continue;
            const fit how = read_value(r, f->type, one, slot + spk_sql_slot_value(f->type, f->nullable));
            r->misfit |= how == MISFIT;
            if (f->nullable)
                *slot = how == PRESENT;
        }
    return PRESENT;
}

static fit read_value(reader *r, const spk_sql_type *type, spark_json v, void *to)
{
    if (v.kind == SPARK_JSON_NULL || type->kind == SPK_SQL_VOID)
        return NOTHING;
    switch (type->kind) {
    case SPK_SQL_STRUCT:
        return v.kind == SPARK_JSON_OBJECT ? read_struct(r, type, v, to) : MISFIT;
    case SPK_SQL_MAP:
        return v.kind == SPARK_JSON_OBJECT ? read_map(r, type, v, to) : MISFIT;
    case SPK_SQL_ARRAY:
        return v.kind == SPARK_JSON_ARRAY ? read_array(r, type, v, to) : MISFIT;
    default:
        return read_scalar(r, type, v, to);
    }
}

/* one_struct: an array of structs is wanted, and an object is there: it is the only element. */
static fit one_struct(reader *r, const spk_sql_type *type, spark_json v, void *to)
{
    spk_slots slots = spk_slots_of(type);
    char *element = spk_sql_alloc(r->f, type->of->size + 1U, 16);
    if (!element || read_struct(r, type->of, v, element) == MISFIT || !spk_slots_add(&slots, r->f, element))
        return MISFIT;
    const spk_sql_array a = spk_slots_end(&slots);
    memcpy(to, &a, sizeof a);
    return PRESENT;
}

/* begins: the first byte that is not blank; 0: there is none. */
static char begins(spark_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] > ' ')
            return s.ptr[i];
    return '\0';
}

static void from_json(spk_sql_frame *f)
{
    const spk_text_options options = spk_text_options_of(f->expr, 2);
    const spk_sql_type *type = f->expr->type;
    reader r = { .f = f, .options = &options };
    SPK_EACH_ROW(f, i)
    {
        const spark_str text = SPK_SQL_ARG(spark_str, f, 0, i);
        spark_json v;
        char *out = f->out + (size_t)i * type->size;
        const bool good = spark_json_parse(text, &v, NULL), blank = !begins(text);
        r.misfit = false;
        fit how = !good                                                         ? MISFIT
            : type->kind == SPK_SQL_ARRAY && type->of->kind == SPK_SQL_STRUCT && v.kind == SPARK_JSON_OBJECT
            ? one_struct(&r, type, v, out)
            : read_value(&r, type, v, out);
        if (spk_sql_run_failed(f->run))
            return;
        if (blank)
            how = NOTHING;
        if ((how == MISFIT || r.misfit) && !blank && options.failfast) {
            if (type->kind == SPK_SQL_STRUCT && begins(text) == '[')
                spk_text_refused(f, "MALFORMED_RECORD_IN_PARSING.CANNOT_PARSE_JSON_ARRAYS_AS_STRUCTS", text);
            else
                spk_text_malformed(f, type, how == PRESENT && type->kind == SPK_SQL_STRUCT ? out : NULL);
            return;
        }
        if (type->kind == SPK_SQL_STRUCT && (how == MISFIT || (how == NOTHING && !blank))) {
            memset(out, 0, type->size);
            how = PRESENT;
        }
        f->out_valid[i] = how == PRESENT;
    }
}

/* nullable_all: the type with all that is in it nullable. NULL: no memory. */
static SPK_COLD const spk_sql_type *nullable_all(spk_sql_build *b, const spk_sql_type *t)
{
    if (t->kind == SPK_SQL_ARRAY || t->kind == SPK_SQL_MAP) {
        const spk_sql_type *of = nullable_all(b, t->of);
        if (!of)
            return NULL;
        return t->kind == SPK_SQL_ARRAY ? spk_sql_type_array(b->arena, of, true)
                                        : spk_sql_type_map(b->arena, t->key, of, true);
    }
    if (t->kind != SPK_SQL_STRUCT)
        return t;
    spk_sql_field *fields = spk_arena_alloc(b->arena, (t->n + 1) * sizeof *fields, 16);
    for (uint32_t i = 0; fields && i < t->n; i++) {
        fields[i] = (spk_sql_field) { t->fields[i].name, nullable_all(b, t->fields[i].type), true, 0 };
        if (!fields[i].type)
            return NULL;
    }
    return fields ? spk_sql_type_struct(b->arena, fields, t->n) : NULL;
}

static SPK_COLD bool resolve_from_json(spk_sql_build *b, spk_sql_expr *call)
{
    if (!spk_sql_want(b, call, 0, 's'))
        return false;
    const spk_sql_type *type = spk_schema_of(b, call, 1);
    if (!type || !spk_text_options_resolve(b, call, 2))
        return false;
    if (type->kind != SPK_SQL_STRUCT && type->kind != SPK_SQL_ARRAY && type->kind != SPK_SQL_MAP) {
        spk_sql_fail1(b->error, "DATATYPE_MISMATCH.INVALID_JSON_SCHEMA", call->span, "schema",
            spk_sql_type_quoted(b, type));
        return false;
    }
    call->type = nullable_all(b, type);
    if (!call->type)
        spk_sql_nomem(b->error);
    return call->type != NULL;
}

/* ---- to_json ---- */

static void put_string(spk_text *out, spark_str s)
{
    static const char signs[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt", hex[] = "0123456789ABCDEF";
    spk_text_char(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        const unsigned char c = (unsigned char)s.ptr[i];
        const char *at = c ? strchr(signs, c) : NULL;
        if (c >= ' ' && !at) {
            spk_text_char(out, (char)c);
            continue;
        }
        spk_text_char(out, '\\');
        if (at) {
            spk_text_char(out, letters[at - signs]);
        } else {
            spk_text_put(out, "u00");
            spk_text_char(out, hex[c >> 4]);
            spk_text_char(out, hex[c & 15]);
        }
    }
    spk_text_char(out, '"');
}

static void put_base64(spk_text *out, spark_str s)
{
    char text[SPK_BASE64_BYTES(300)];
    spk_text_char(out, '"');
    for (size_t i = 0; i < s.len; i += 300) {
        const size_t n = spk_base64(s.ptr + i, s.len - i < 300 ? s.len - i : 300, text);
        spk_text_bytes(out, text, n);
    }
    spk_text_char(out, '"');
}

static void put_json(spk_sql_frame *f, const spk_text_options *o, const spk_sql_type *type, const void *value,
    spk_text *out);

static void put_struct(
    spk_sql_frame *f, const spk_text_options *o, const spk_sql_type *type, const char *row, spk_text *out)
{
    bool any = false;
    spk_text_char(out, '{');
    for (uint32_t i = 0; i < type->n; i++) {
        const void *value = spk_sql_member(type, row, i);
        if (!value && !o->keep_nulls)
            continue;
        spk_text_put(out, any ? "," : "");
        put_string(out, (spark_str) { type->fields[i].name, strlen(type->fields[i].name) });
        spk_text_char(out, ':');
        put_json(f, o, type->fields[i].type, value, out);
        any = true;
    }
    spk_text_char(out, '}');
}

static void put_map(
    spk_sql_frame *f, const spk_text_options *o, const spk_sql_type *type, spk_sql_array a, spk_text *out)
{
    spk_text_char(out, '{');
    for (size_t i = 0; i < a.n; i++) {
        const void *value, *key = spk_sql_entry(type, a, i, &value);
        spk_text name = spk_text_new(f->arena);
        if (type->key->kind == SPK_SQL_STRUCT) { /* as Java prints rows of numbers */
            spk_text_char(&name, '[');
            for (uint32_t k = 0; k < type->key->n; k++) {
                const void *member = spk_sql_member(type->key, key, k);
                spk_text_put(&name, k ? "," : "");
                if (member)
                    spk_value_to_text(f, o, type->key->fields[k].type, member, &name);
                else
                    spk_text_put(&name, "null");
            }
            spk_text_char(&name, ']');
        } else {
            spk_value_to_text(f, o, type->key, key, &name);
        }
        spk_text_put(out, i ? "," : "");
        put_string(out, (spark_str) { name.at ? name.at : "", name.n });
        spk_text_char(out, ':');
        put_json(f, o, type->of, value, out);
    }
    spk_text_char(out, '}');
}

static void put_json(
    spk_sql_frame *f, const spk_text_options *o, const spk_sql_type *type, const void *value, spk_text *out)
{
    if (!value || type->kind == SPK_SQL_VOID) {
        spk_text_put(out, "null");
        return;
    }
    spk_text text = spk_text_new(f->arena);
    switch (type->kind) {
    case SPK_SQL_STRUCT:
        put_struct(f, o, type, value, out);
        return;
    case SPK_SQL_MAP:
        put_map(f, o, type, *(const spk_sql_array *)value, out);
        return;
    case SPK_SQL_ARRAY: {
        const spk_sql_array a = *(const spk_sql_array *)value;
        spk_text_char(out, '[');
        for (size_t i = 0; i < a.n; i++) {
            spk_text_put(out, i ? "," : "");
            put_json(f, o, type->of, spk_sql_slot(type, a, i), out);
        }
        spk_text_char(out, ']');
        return;
    }
    case SPK_SQL_STRING:
        put_string(out, *(const spark_str *)value);
        return;
    case SPK_SQL_BINARY:
        put_base64(out, *(const spark_str *)value);
        return;
    default:
        spk_value_to_text(f, o, type, value, &text);
        if (type->kind < SPK_SQL_STRING
            && !(text.n > 0 && (text.at[0] == 'N' || text.at[0] == 'I' || (text.n > 1 && text.at[1] == 'I'))))
            spk_text_bytes(out, text.at, text.n); /* NaN and Infinity stand in quotes */
        else
            put_string(out, (spark_str) { text.at ? text.at : "", text.n });
        out->failed |= text.failed;
    }
}

static void to_json(spk_sql_frame *f)
{
    const spk_text_options options = spk_text_options_of(f->expr, 1);
    const spk_sql_type *type = f->expr->args[0]->type;
    SPK_EACH_ROW(f, i)
    {
        spk_text out = spk_text_new(f->arena);
        put_json(f, &options, type, f->args[0].ptr + (size_t)i * f->args[0].stride, &out);
        SPK_SQL_OUT(spark_str, f, i) = (spark_str) { out.at ? out.at : "", out.n };
        if (out.failed)
            spk_sql_no_room(f); /* there was no memory: the run says so */
        if (spk_sql_run_failed(f->run))
            return;
    }
}

static SPK_COLD bool resolve_to_json(spk_sql_build *b, spk_sql_expr *call)
{
    const spk_sql_kind kind = call->args[0]->type->kind;
    call->type = spk_sql_type_of(SPK_SQL_STRING);
    if (!spk_text_options_resolve(b, call, 1))
        return false;
    if (kind != SPK_SQL_STRUCT && kind != SPK_SQL_MAP && kind != SPK_SQL_ARRAY) {
        const char *type = spk_sql_type_quoted(b, call->args[0]->type), *text = spk_sql_expr_quoted(b, call);
        spk_sql_fail2(b->error, "DATATYPE_MISMATCH.INVALID_JSON_SCHEMA", call->span, "schema", type, "sqlExpr", text);
        return false;
    }
    return true;
}

const spk_sql_function spk_sql_jsons[] = {
    { .name = "from_json", .least = 2, .most = 3, .kernel = from_json, .resolve = resolve_from_json,
        .flags = SPK_SQL_GIVES_NULL },
    { .name = "to_json", .least = 1, .most = 2, .kernel = to_json, .resolve = resolve_to_json }, { 0 } };
