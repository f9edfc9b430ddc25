/* SPDX-License-Identifier: Apache-2.0 */
/* Values of JSON that are no arrays and no objects, as members have them. */
#include <stdlib.h>

#include "base/base64.h"
#include "format/json_bind.h"

/* The first value that has no place is what is told. */
spk_json_result spk_json_misfit(
    spk_json_binder *b, const spk_json_node *node, const char *begin, bool null)
{
    spk_json_outcome *o = b->outcome;
    if (!o->type) {
        spk_json_scan rest = *b->scan;
        rest.p = begin;
        const bool good = !null && spk_json_skip(&rest);
        o->at = begin;
        o->value = (spark_str) { begin, good ? (size_t)(rest.p - begin) : 0 };
        o->type = node->type;
        o->field = b->field;
        o->null = null;
    }
    o->bad |= !null;
    return MISFIT;
}

spk_json_result spk_json_plain_text(
    spk_json_binder *b, const spk_json_token *token, spark_str *out)
{
    *out = token->text;
    if (!token->escaped)
        return FINE;
    char *text = spk_arena_alloc(b->texts, token->text.len, 1);
    if (!text)
        return spk_json_nomem(b);
    *out = (spark_str) { text, spk_json_unescape(token->text, text) };
    return FINE;
}

/* ---- scalars ---- */

/* is_name: of a double in quotes. */
static bool is_name(spark_str s)
{
    static const char *const names[] = { "NaN", "Infinity", "-Infinity", "+Infinity", "+INF", "-INF" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (s.len == strlen(names[i]) && memcmp(s.ptr, names[i], s.len) == 0)
            return true;
    return false;
}

static double named_double(spark_str s)
{
    if (s.ptr[0] == 'N')
        return __builtin_nan("");
    return s.ptr[0] == '-' ? -__builtin_inf() : __builtin_inf();
}

static bool is_zero(spark_str s)
{
    size_t i = s.len > 0 && *s.ptr == '-';
    while (i < s.len && s.ptr[i] == '0')
        i++;
    return i == s.len;
}

static bool is_float(spark_kind kind)
{
    return kind == SPARK_KIND_F64 || kind == SPARK_KIND_F32;
}

/* takes: whether values of this kind are written so. */
static bool takes(spark_kind kind, const spk_json_token *t)
{
    switch (kind) {
    case SPARK_KIND_BOOL:
        return t->kind == SPARK_JSON_BOOL;
    case SPARK_KIND_CHAR:
    case SPARK_KIND_DATE:
    case SPARK_KIND_BYTES:
        return t->kind == SPARK_JSON_STRING;
    case SPARK_KIND_TIME:
        return t->kind == SPARK_JSON_STRING || (t->kind == SPARK_JSON_NUMBER && t->whole);
    case SPARK_KIND_F32:
    case SPARK_KIND_F64:
        return t->kind == SPARK_JSON_NUMBER || t->kind == SPARK_JSON_STRING;
    case SPARK_KIND_DECIMAL:
        return (t->kind == SPARK_JSON_NUMBER && !t->named) || t->kind == SPARK_JSON_STRING;
    default:
        return t->kind == SPARK_JSON_NUMBER && t->whole;
    }
}

/* seconds: of a time that is a number. */
static bool seconds(const spark_str s, char *to)
{
    int64_t x;
    if (!spk_text_i64_slow(s.ptr, s.len, &x) || __builtin_mul_overflow(x, INT64_C(1000000), &x))
        return false;
    memcpy(to, &x, sizeof x);
    return true;
}

static bool bytes_of(spk_json_binder *b, spark_str s, char *to, bool *out_of_memory)
{
    char *text = spk_arena_alloc(b->texts, s.len / 4 * 3 + 3, 1);
    *out_of_memory = !text;
    const size_t n = text ? spk_base64_decode(s.ptr, s.len, text) : SIZE_MAX;
    const spark_bytes all = { text, n };
    if (n != SIZE_MAX)
        memcpy(to, &all, sizeof all);
    return n != SIZE_MAX;
}

/* convert: a text as the column of a CSV file would be, from a copy: digits are read eight at a time. */
static spk_json_result convert(spk_json_binder *b, const spk_json_node *node, const spk_json_token *t,
    const char *begin, char *to)
{
    enum { SHORT = 100 };
    char copy[SHORT + SPK_CSV_SLACK];
    const spark_kind kind = node->type->kind;
    spark_str s;
    if (!takes(kind, t))
        return spk_json_misfit(b, node, begin, false);
    if (spk_json_plain_text(b, t, &s) != FINE)
        return BROKEN;
    const bool by_name = is_float(kind) && is_name(s) && (t->named || b->plan->rules & SPK_JSON_NAN);
    const bool quoted = t->kind == SPARK_JSON_STRING && !(b->plan->rules & SPK_JSON_QUOTED_NUMBERS);
    if (is_float(kind) && quoted && !by_name)
        return spk_json_misfit(b, node, begin, false);
    if (is_float(kind) && t->whole && is_zero(s)) /* an integer, which has no negative zero */
        s = (spark_str) { "0", 1 };
    if (by_name) {
        const double x = named_double(s);
        const float y = (float)x;
        memcpy(to, kind == SPARK_KIND_F64 ? (const void *)&x : (const void *)&y, node->type->size);
        return FINE;
    }
    if (kind == SPARK_KIND_TIME && t->kind == SPARK_JSON_NUMBER)
        return seconds(s, to) ? FINE : spk_json_misfit(b, node, begin, false);
    if (kind == SPARK_KIND_BYTES) {
        bool out;
        if (bytes_of(b, s, to, &out))
            return FINE;
        return out ? spk_json_nomem(b) : spk_json_misfit(b, node, begin, false);
    }
    if (s.len == 0 && node->count == 0) /* which is null in a column of CSV */
        return spk_json_misfit(b, node, begin, false);
    char *at = s.len <= SHORT ? copy : spk_arena_alloc(b->texts, s.len + SPK_CSV_SLACK, 1);
    if (!at)
        return spk_json_nomem(b);
    memcpy(at, s.ptr, s.len);
    if (node->count > 0)
        memset(to, 0, node->count);
    if (!spk_csv_read_cell(b->plan->csv, &node->column, (spark_str) { at, s.len }, to))
        return spk_json_misfit(b, node, begin, false);
    return FINE;
}

/* quick: the kinds that most members are of, from where they stand. false: convert says. */
static inline bool quick(const spk_json_binder *b, const spk_json_node *node, const spk_json_token *t, char *to)
{
    const spark_str s = t->text;
    int64_t i;
    double x;
    int32_t days;
    if (b->scan->end - s.ptr < SPK_TEXT_SLACK || s.len == 0)
        return false;
    switch (node->type->kind) {
    case SPARK_KIND_I64:
        if (!t->whole || !spk_text_i64(s.ptr, s.len, &i))
            return false;
        memcpy(to, &i, sizeof i);
        return true;
    case SPARK_KIND_I32:
        if (!t->whole || !spk_text_i64(s.ptr, s.len, &i) || i != (int32_t)i)
            return false;
        memcpy(to, &(int32_t) { (int32_t)i }, sizeof(int32_t));
        return true;
    case SPARK_KIND_F64:
        if (t->kind != SPARK_JSON_NUMBER || t->named || !spk_text_f64(s.ptr, s.len, &x)
            || (x == 0 && t->whole))
            return false;
        memcpy(to, &x, sizeof x);
        return true;
    case SPARK_KIND_DATE:
        if (t->kind != SPARK_JSON_STRING || !b->plan->csv->plain_date || !spk_iso_date(s.ptr, s.len, &days))
            return false;
        memcpy(to, &days, sizeof days);
        return true;
    case SPARK_KIND_BOOL:
        *to = *s.ptr == 't';
        return t->kind == SPARK_JSON_BOOL;
    default:
        return false;
    }
}

spk_json_result spk_json_scalar_value(spk_json_binder *b, const spk_json_node *node, char *to)
{
    spk_json_scan *s = b->scan;
    const char *begin = s->p;
    spk_json_token t;
    if (s->p < s->end && (*s->p == '[' || *s->p == '{'))
        return spk_json_misfit(b, node, begin, false);
    if (!spk_json_scalar(s, &t))
        return BROKEN;
    return quick(b, node, &t, to) ? FINE : convert(b, node, &t, begin, to);
}

/* Any other value than a string is the text that it stands as. */
spk_json_result spk_json_string_value(spk_json_binder *b, char *to)
{
    spk_json_scan *s = b->scan;
    const char *begin = s->p;
    spark_str text;
    spk_json_token t;
    if (s->p < s->end && (*s->p == '[' || *s->p == '{')) {
        if (!spk_json_skip_inside(s))
            return BROKEN;
        text = (spark_str) { begin, (size_t)(s->p - begin) };
    } else if (!spk_json_scalar(s, &t)) {
        return BROKEN;
    } else if (spk_json_plain_text(b, &t, &text) != FINE) {
        return BROKEN;
    }
    memcpy(to, &text, sizeof text);
    return FINE;
}
