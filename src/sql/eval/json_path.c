/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that look into JSON texts: get_json_object and its paths, lengths and names, and the
 * types that a text has. */
#include <stdlib.h>
#include <string.h>

#include <spark/json.h>

#include "format/json.h"
#include "sql/eval/json_options.h"
#include "sql/eval/slots.h"
#include "sql/eval/value_text.h"
#include "type/number.h"

#define S(a, i) SPK_SQL_ARG(spark_str, f, a, i)

enum { STEPS = 64 };

/* step: of a path: a name, an index, or * (all). */
typedef struct step {
    enum { NAME, INDEX, ALL_ELEMENTS, ALL_MEMBERS } kind;
    spark_str name;
    size_t index;
} step;

typedef struct path {
    step at[STEPS];
    size_t n;
} path;

static bool read_name(path *p, spark_str name)
{
    if (p->n == STEPS || name.len == 0)
        return false;
    const bool all = name.len == 1 && *name.ptr == '*';
    p->at[p->n++] = (step) { .kind = all ? ALL_MEMBERS : NAME, .name = name };
    return true;
}

static bool read_bracket(path *p, const char **at, const char *end)
{
    const char *from = *at + 1, *q = from;
    if (p->n == STEPS || q == end)
        return false;
    if (*q == '\'') {
        while (++q < end && *q != '\'')
            ;
        if (q + 1 >= end || q[1] != ']' || !read_name(p, (spark_str) { from + 1, (size_t)(q - from) - 1 }))
            return false;
        *at = q + 2;
        return true;
    }
    step s = { .kind = INDEX };
    if (*q == '*') {
        s.kind = ALL_ELEMENTS;
        q++;
    } else {
        for (; q < end && *q >= '0' && *q <= '9' && q - from < 10; q++)
            s.index = s.index * 10 + (size_t)(*q - '0');
        if (q == from)
            return false;
    }
    if (q == end || *q != ']')
        return false;
    p->at[p->n++] = s;
    *at = q + 1;
    return true;
}

/* read_path: $, then .name, ['name'], [0], [*], .*; false: it is none. */
static bool read_path(path *p, spark_str text)
{
    const char *at = text.ptr, *end = text.ptr + text.len;
    p->n = 0;
    if (at == end || *at++ != '$')
        return false;
    while (at < end) {
        if (*at == '[') {
            if (!read_bracket(p, &at, end))
                return false;
            continue;
        }
        if (*at++ != '.')
            return false;
        const char *from = at;
        while (at < end && *at != '.' && *at != '[')
            at++;
        if (!read_name(p, (spark_str) { from, (size_t)(at - from) }))
            return false;
    }
    return true;
}

static bool is_named(spark_str key, spark_str name)
{
    if (key.len == name.len && !memchr(key.ptr, '\\', key.len))
        return memcmp(key.ptr, name.ptr, name.len) == 0;
    char text[256];
    if (name.len >= sizeof text)
        return false;
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    return spk_json_is_named(key, text);
}

void spk_json_compact(spk_text *out, spark_str text)
{
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.ptr[i];
        if (quoted) {
            spk_text_char(out, c);
            if (c == '\\' && i + 1 < text.len)
                spk_text_char(out, text.ptr[++i]);
            else
                quoted = c != '"';
        } else if (c == '-' || (c >= '0' && c <= '9')) {
            size_t n = i;
            bool whole = true;
            for (; n < text.len && strchr("+-.eE0123456789", text.ptr[n]); n++)
                whole = whole && !strchr(".eE", text.ptr[n]);
            double x;
            const spark_json v = { SPARK_JSON_NUMBER, { text.ptr + i, n - i } };
            if (whole || !spark_json_f64(v, &x))
                spk_text_bytes(out, text.ptr + i, n - i);
            else
                spk_sql_put_double(out, x);
            i = n - 1;
        } else if ((unsigned char)c > ' ') {
            spk_text_char(out, c);
            quoted = c == '"';
        }
    }
}

/* found: what a path leads to: values one after the other, in JSON, with commas. */
typedef struct found {
    spk_text out;
    size_t n;
    spark_json last;
} found;

static void give(found *to, spark_json v)
{
    if (to->n++)
        spk_text_char(&to->out, ',');
    spk_json_compact(&to->out, v.text);
    to->last = v;
}

static void follow(found *to, const path *p, size_t i, spark_json v)
{
    spark_json one;
    spark_str key;
    if (i == p->n) {
        give(to, v);
        return;
    }
    const step *s = &p->at[i];
    if (s->kind == NAME && v.kind == SPARK_JSON_OBJECT) {
        while (spark_json_next(&v, &key, &one))
            if (is_named(key, s->name)) {
                if (one.kind != SPARK_JSON_NULL)
                    follow(to, p, i + 1, one);
                return;
            }
    } else if (s->kind == INDEX && v.kind == SPARK_JSON_ARRAY) {
        one = spark_json_at(v, s->index);
        if (one.kind != SPARK_JSON_NOTHING && !(one.kind == SPARK_JSON_NULL && i + 1 < p->n))
            follow(to, p, i + 1, one);
    } else if ((s->kind == ALL_ELEMENTS && v.kind == SPARK_JSON_ARRAY)
        || (s->kind == ALL_MEMBERS && v.kind == SPARK_JSON_OBJECT)) {
        while (spark_json_next(&v, NULL, &one))
            follow(to, p, i + 1, one);
    }
}

static bool has_all(const path *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->at[i].kind == ALL_ELEMENTS || p->at[i].kind == ALL_MEMBERS)
            return true;
    return false;
}

/* result: one value as it is, a string without its quotes; several, or all of an array, as an array. */
static bool result(spk_sql_frame *f, const path *p, found *to, spark_str *out)
{
    if (to->n == 0 || (to->n == 1 && to->last.kind == SPARK_JSON_NULL && !has_all(p)))
        return false;
    if (to->n == 1 && to->last.kind == SPARK_JSON_STRING && !has_all(p)) {
        const spark_str raw = { to->last.text.ptr + 1, to->last.text.len - 2 };
        char *text = spk_sql_alloc(f, raw.len + 1, 1);
        *out = (spark_str) { text, text ? spk_json_unescape(raw, text) : 0 };
        return text != NULL;
    }
    if (to->n > 1) {
        char *text = spk_sql_alloc(f, to->out.n + 2, 1);
        if (!text)
            return false;
        text[0] = '[';
        memcpy(text + 1, to->out.at, to->out.n);
        text[to->out.n + 1] = ']';
        *out = (spark_str) { text, to->out.n + 2 };
        return true;
    }
    *out = (spark_str) { to->out.at ? to->out.at : "", to->out.n };
    return true;
}

static void get_json_object(spk_sql_frame *f)
{
    path p = { .n = 0 };
    spark_str last = { NULL, 0 };
    bool good = false;
    SPK_EACH_ROW(f, i)
    {
        spark_json v;
        found to = { .out = spk_text_new(f->arena) };
        if (!last.ptr || S(1, i).ptr != last.ptr || S(1, i).len != last.len) {
            last = S(1, i);
            good = read_path(&p, last);
        }
        f->out_valid[i] = 0;
        if (!good || !spark_json_parse(S(0, i), &v, NULL))
            continue;
        follow(&to, &p, 0, v);
        f->out_valid[i] = result(f, &p, &to, &SPK_SQL_OUT(spark_str, f, i));
        if (to.out.failed)
            spk_sql_no_room(f);
        if (spk_sql_run_failed(f->run))
            return;
    }
}

/* json_member: of an object, by its name: what json_tuple gives. */
static void json_member(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        path p = { .n = 1, .at = { { .kind = NAME, .name = S(1, i) } } };
        spark_json v;
        found to = { .out = spk_text_new(f->arena) };
        f->out_valid[i] = 0;
        if (!spark_json_parse(S(0, i), &v, NULL))
            continue;
        follow(&to, &p, 0, v);
        f->out_valid[i] = result(f, &p, &to, &SPK_SQL_OUT(spark_str, f, i));
        if (to.out.failed)
            spk_sql_no_room(f);
        if (spk_sql_run_failed(f->run))
            return;
    }
}

static void json_array_length(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        spark_json v, one;
        int32_t n = 0;
        f->out_valid[i] = spark_json_parse(S(0, i), &v, NULL) && v.kind == SPARK_JSON_ARRAY;
        while (f->out_valid[i] && spark_json_next(&v, NULL, &one))
            n++;
        SPK_SQL_OUT(int32_t, f, i) = n;
    }
}

static void json_object_keys(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        spark_json v, one;
        spark_str key;
        spk_slots slots = spk_slots_of(f->expr->type);
        f->out_valid[i] = spark_json_parse(S(0, i), &v, NULL) && v.kind == SPARK_JSON_OBJECT;
        while (f->out_valid[i] && spark_json_next(&v, &key, &one)) {
            char *text = spk_sql_alloc(f, key.len + 1, 1);
            if (!text)
                return;
            key = (spark_str) { text, spk_json_unescape(key, text) };
            if (!spk_slots_add(&slots, f, &key))
                return;
        }
        SPK_SQL_OUT(spk_sql_array, f, i) = spk_slots_end(&slots);
    }
}

/* resolve_text: the one argument must be a text: others are not cast. */
static SPK_COLD bool resolve_text(spk_sql_build *b, spk_sql_expr *call)
{
    const spk_sql_kind kind = call->args[0]->type->kind;
    call->type = strcmp(call->function->name, "json_array_length") == 0
        ? spk_sql_type_of(SPK_SQL_INT)
        : spk_sql_type_array(b->arena, spk_sql_type_of(SPK_SQL_STRING), true);
    if (kind != SPK_SQL_STRING && kind != SPK_SQL_VOID) {
        spk_sql_unexpected(b, call, 0, "\"STRING\"");
        return false;
    }
    return call->type && spk_sql_want(b, call, 0, 's');
}

/* ---- schema_of_json ---- */

/* put_schema: the type of a value as Spark infers it; of an array that of its elements together. */
static SPK_COLD void put_schema(spk_sql_frame *f, spk_text *out, spark_json v, int depth);

typedef struct member {
    spark_str name;
    spark_json value;
} member;

static int by_name(const void *a, const void *b)
{
    return spk_sql_str_compare(((const member *)a)->name, ((const member *)b)->name);
}

static void put_members(spk_sql_frame *f, spk_text *out, spark_json v, int depth)
{
    spark_json one, rest = v;
    size_t n = 0;
    while (spark_json_next(&rest, NULL, &one))
        n++;
    member *members = spk_sql_alloc(f, (n + 1) * sizeof *members, 16);
    for (size_t i = 0; members && spark_json_next(&v, &members[i].name, &members[i].value);)
        i++;
    if (!members)
        return;
    qsort(members, n, sizeof *members, by_name);
    spk_text_put(out, "STRUCT<");
    for (size_t i = 0; i < n; i++) {
        spk_text_put(out, i ? ", " : "");
        bool plain = members[i].name.len > 0;
        for (size_t k = 0; k < members[i].name.len; k++) {
            const char c = members[i].name.ptr[k];
            plain = plain && (((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || (k > 0 && c >= '0' && c <= '9'));
        }
        spk_text_put(out, plain ? "" : "`");
        spk_text_bytes(out, members[i].name.ptr, members[i].name.len);
        spk_text_put(out, plain ? ": " : "`: ");
        put_schema(f, out, members[i].value, depth + 1);
    }
    spk_text_char(out, '>');
}

static bool is_whole(spark_str number)
{
    for (size_t i = 0; i < number.len; i++)
        if (strchr(".eE", number.ptr[i]))
            return false;
    return number.len <= 38;
}

static void put_schema(spk_sql_frame *f, spk_text *out, spark_json v, int depth)
{
    spark_json one;
    int64_t whole;
    if (depth > SPK_SQL_TYPE_DEPTH) {
        spk_text_put(out, "STRING");
        return;
    }
    switch (v.kind) {
    case SPARK_JSON_BOOL:
        spk_text_put(out, "BOOLEAN");
        break;
    case SPARK_JSON_NUMBER:
        if (spark_json_i64(v, &whole)) {
            spk_text_put(out, "BIGINT");
        } else if (is_whole(v.text)) {
            spk_text_put(out, "DECIMAL(");
            spk_text_number(out, (int64_t)v.text.len - (*v.text.ptr == '-'));
            spk_text_put(out, ",0)");
        } else {
            spk_text_put(out, "DOUBLE");
        }
        break;
    case SPARK_JSON_ARRAY: {
        spark_json first = { .kind = SPARK_JSON_NULL };
        while (spark_json_next(&v, NULL, &one))
            if (first.kind == SPARK_JSON_NULL || (one.kind == SPARK_JSON_NUMBER && !spark_json_i64(one, &whole)))
                first = one;
            else if (one.kind != first.kind && one.kind != SPARK_JSON_NULL)
                first = (spark_json) { .kind = SPARK_JSON_STRING };
        spk_text_put(out, "ARRAY<");
        put_schema(f, out, first, depth + 1);
        spk_text_char(out, '>');
        break;
    }
    case SPARK_JSON_OBJECT:
        put_members(f, out, v, depth);
        break;
    default:
        spk_text_put(out, "STRING");
    }
}

static SPK_COLD void schema_of_json(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        spark_json v;
        spk_text out = spk_text_new(f->arena);
        if (!spark_json_parse(S(0, i), &v, NULL))
            v = (spark_json) { .kind = SPARK_JSON_NULL };
        put_schema(f, &out, v, 0);
        if (out.failed)
            spk_sql_no_room(f);
        if (spk_sql_run_failed(f->run))
            return;
        SPK_SQL_OUT(spark_str, f, i) = (spark_str) { out.at ? out.at : "", out.n };
    }
}

static SPK_COLD bool resolve_schema(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = spk_sql_type_of(SPK_SQL_STRING);
    if (!spk_sql_want(b, call, 0, 's'))
        return false;
    spk_sql_fold(b, &call->args[0]);
    if (call->args[0] && (call->args[0]->kind != SPK_SQL_CONSTANT || call->args[0]->null)) {
        spk_sql_fail2(b->error, "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", call->span, "inputName", "`json`",
            "inputType", "\"STRING\"");
        return false;
    }
    return call->args[0] != NULL;
}

const spk_sql_function spk_sql_json_paths[] = {
    { .name = "get_json_object", .signature = "ss:s", .least = 2, .most = 2, .kernel = get_json_object,
        .flags = SPK_SQL_GIVES_NULL },
    { .name = "json_member", .signature = "ss:s", .least = 2, .most = 2, .kernel = json_member,
        .flags = SPK_SQL_GIVES_NULL },
    { .name = "json_array_length", .least = 1, .most = 1, .kernel = json_array_length, .resolve = resolve_text,
        .flags = SPK_SQL_GIVES_NULL },
    { .name = "json_object_keys", .least = 1, .most = 1, .kernel = json_object_keys, .resolve = resolve_text,
        .flags = SPK_SQL_GIVES_NULL },
    { .name = "schema_of_json", .least = 1, .most = 1, .kernel = schema_of_json, .resolve = resolve_schema },
    { 0 } };
