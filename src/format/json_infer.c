/* SPDX-License-Identifier: Apache-2.0 */
/* What types JSON records have. A record is checked before it is looked at, so that one that is no JSON
 * leaves no trace but that. */
#include "format/json_infer.h"

#include "format/value.h"

#include <stdlib.h>

typedef struct looker {
    spk_json_schema *schema;
    const spk_json *json;
    spk_json_scan scan;
    spk_failure *failure; /* its code is SPARK_OK as long as all goes well */
} looker;

/* ---- values ---- */

/* decimal_of: what java.math.BigDecimal makes of a number: how many digits, and how many of them behind
 * the point; false: it has an exponent that is beyond reason, or is no number. */
static bool decimal_of(spark_str s, int *precision, int *scale)
{
    const char *p = s.ptr, *end = p + s.len;
    int64_t digits = 0, behind = 0, e = 0;
    bool point = false, any = false;
    p += p < end && (*p == '-' || *p == '+');
    for (; p < end && (*p | 0x20) != 'e'; p++) {
        if (*p == '.' && !point) {
            point = true;
            continue;
        }
        if ((unsigned)(unsigned char)*p - '0' > 9)
            return false;
        any = true;
        digits += digits > 0 || *p != '0';
        behind += point;
    }
    if (p < end && !spk_text_i64_slow(p + 1 + (end - p > 1 && p[1] == '+'),
            (size_t)(end - p - 1) - (end - p > 1 && p[1] == '+'), &e))
        return false;
    if (!any || e > 1000 || e < -1000 || digits > 1000 || behind > 1000)
        return false;
    *precision = digits ? (int)digits : 1;
    *scale = (int)(behind - e);
    return true;
}

static spk_json_found number_of(const spk_json *json, const spk_json_token *t)
{
    spk_json_found found = { .kind = SPK_FOUND_DOUBLE };
    int64_t x;
    int precision, scale;
    if (json->primitives_as_string)
        return (spk_json_found) { .kind = SPK_FOUND_STR };
    if (t->whole && spk_text_i64_slow(t->text.ptr, t->text.len, &x))
        return (spk_json_found) { .kind = SPK_FOUND_LONG };
    if (t->named || (!t->whole && !json->prefers_decimal) || !decimal_of(t->text, &precision, &scale))
        return found;
    if (scale < 0) {
        precision -= scale;
        scale = 0;
    }
    spk_json_found_decimal(&found, precision > scale ? precision : scale, scale);
    return found;
}

/* LONGEST: strings that are longer are neither numbers nor times. */
enum { LONGEST = 200 };

static bool is_time(const spk_json *json, spark_str s)
{
    static const spk_csv_column column = { .present = -1, .kind = SPARK_KIND_TIME, .size = 8 };
    char copy[LONGEST + SPK_CSV_SLACK], row[16];
    memcpy(copy, s.ptr, s.len);
    return spk_csv_read_cell(&json->formats, &column, (spark_str) { copy, s.len }, row);
}

static spk_json_found string_of(const spk_json *json, const spk_json_token *t)
{
    spk_json_found found = { .kind = SPK_FOUND_STR };
    char copy[LONGEST];
    spark_str s = t->text;
    int precision, scale;
    if (s.len == 0)
        found.kind = SPK_FOUND_NOTHING;
    if (s.len == 0 || s.len > LONGEST || !(json->prefers_decimal || json->infer_timestamp))
        return found;
    if (t->escaped)
        s = (spark_str) { copy, spk_json_unescape(s, copy) };
    if (json->prefers_decimal && decimal_of(s, &precision, &scale) && scale >= 0 && scale <= precision
        && precision <= 38)
        spk_json_found_decimal(&found, precision, scale);
    else if (json->infer_timestamp && is_time(json, s))
        found.kind = SPK_FOUND_TIME;
    return found;
}

static void scalar(looker *l, spk_json_found *found)
{
    spk_json_token t = { .kind = SPARK_JSON_NULL };
    spk_json_found one = { .kind = SPK_FOUND_NOTHING };
    spk_json_scalar(&l->scan, &t);
    if (t.kind == SPARK_JSON_NUMBER)
        one = number_of(l->json, &t);
    else if (t.kind == SPARK_JSON_STRING)
        one = string_of(l->json, &t);
    else if (t.kind == SPARK_JSON_BOOL)
        one.kind = l->json->primitives_as_string ? SPK_FOUND_STR : SPK_FOUND_BOOL;
    spk_json_found_scalar(found, &one);
}

static void value(looker *l, spk_json_found *found, int level);

static void elements(looker *l, spk_json_found *found, int level)
{
    bool empty, more;
    spk_json_enter(&l->scan, &empty);
    for (more = !empty; more && l->failure->code == SPARK_OK; spk_json_more(&l->scan, ']', &more)) {
        if (!spk_json_found_element(l->schema, found, l->failure))
            return;
        value(l, found->of, level);
    }
}

static bool same(spark_str a, spark_str b)
{
    return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

/* named: the member that the name is of; before: the one in front of it. */
static spk_json_found_member *named(
    looker *l, spk_json_found *found, spk_json_found_member *before, const spk_json_token *t)
{
    spk_json_found_member **next = before ? &before->next : &found->first;
    spark_str name = t->text;
    char *text = NULL;
    if (!t->escaped && *next && same((*next)->name, name))
        return *next;
    if (t->escaped) {
        text = malloc(name.len);
        if (!text) {
            spk_failure_nomem(l->failure, NULL, NULL);
            return NULL;
        }
        name = (spark_str) { text, spk_json_unescape(name, text) };
    }
    spk_json_found_member *m = spk_json_found_named(l->schema, found, name, l->failure);
    free(text);
    if (m)
        *next = m;
    return m;
}

static void members(looker *l, spk_json_found *found, int level)
{
    spk_json_found_member *m = NULL;
    bool empty, more;
    spk_json_enter(&l->scan, &empty);
    for (more = !empty; more; spk_json_more(&l->scan, '}', &more)) {
        spk_json_token t;
        spk_json_name(&l->scan, &t);
        m = named(l, found, m, &t);
        if (!m)
            return;
        value(l, &m->type, level);
        if (l->failure->code != SPARK_OK)
            return;
    }
}

/* value: of a text that was checked, at most SPK_JSON_LEVELS deep. level: how many are around it. */
static void value(looker *l, spk_json_found *found, int level)
{
    const char c = *l->scan.p;
    if (c != '{' && c != '[') {
        scalar(l, found);
        return;
    }
    if (level == SPK_JSON_LEVELS)
        found->kind = SPK_FOUND_STR;
    else if (spk_json_found_becomes(found, c == '{' ? SPK_FOUND_OBJECT : SPK_FOUND_ARRAY)) {
        (c == '{' ? members : elements)(l, found, level + 1);
        return;
    }
    spk_json_skip(&l->scan);
}

/* ---- records ---- */

/* shape: how deep the objects of a record lie, and the deepest of its arrays, from 1 on; 0: there is none. */
typedef struct shape {
    unsigned objects, arrays;
} shape;

/* is_nothing: null and "", which have no type yet. Past the value. */
static bool is_nothing(spk_json_scan *s)
{
    spk_json_token t;
    spk_json_scalar(s, &t);
    return t.kind == SPARK_JSON_NULL || (t.kind == SPARK_JSON_STRING && t.text.len == 0);
}

/* fits: whether a value may stand there in a record of rows. Past it, or into an array; inside: whether it is. */
static bool fits(spk_json_scan *s, shape *seen, bool *inside)
{
    const unsigned level = s->depth + 1;
    bool empty;
    *inside = false;
    if (*s->p == '{') {
        spk_json_skip(s);
        seen->objects = seen->objects ? seen->objects : level;
        return seen->objects == level && seen->arrays < level;
    }
    if (*s->p != '[')
        return is_nothing(s);
    seen->arrays = seen->arrays > level ? seen->arrays : level;
    spk_json_enter(s, &empty);
    *inside = !empty;
    return seen->objects == 0 || seen->objects > seen->arrays;
}

/* is_of_rows: whether a record that was checked is a row, or an array of rows, or of such arrays: objects, equally
 * deep, and nothings, as Spark's types have it. Where it is not, what objects it has count for no type. */
static bool is_of_rows(spk_json_scan *s)
{
    shape seen = { 0, 0 };
    do {
        const char *at = s->p;
        bool inside, more = false;
        if (!fits(s, &seen, &inside)) {
            s->p = at;
            return spk_json_wrong(s, SPK_JSON_NO_ROW);
        }
        while (!inside && !more && s->depth > 0)
            spk_json_more(s, ']', &more);
    } while (s->depth > 0);
    return true;
}

/* rows: the types of those of a record. */
static void rows(looker *l)
{
    spk_json_scan *s = &l->scan;
    do {
        bool more = false, empty = true;
        if (*s->p == '[')
            spk_json_enter(s, &empty);
        else if (*s->p == '{')
            value(l, &l->schema->root, 0);
        else
            spk_json_skip(s);
        while (empty && !more && s->depth > 0 && l->failure->code == SPARK_OK)
            spk_json_more(s, ']', &more);
    } while (s->depth > 0 && l->failure->code == SPARK_OK);
}

spark_status spk_json_infer(
    spk_json_schema *schema, const spk_json *json, spark_str record, spk_failure *failure)
{
    spk_json_scan check = { .p = record.ptr, .end = record.ptr + record.len, .rules = json->rules };
    looker l = { .schema = schema, .json = json, .failure = failure };
    failure->code = SPARK_OK;
    schema->root.kind = SPK_FOUND_OBJECT;
    if (record.len == 0)
        return SPARK_OK;
    spk_json_blanks(&check);
    l.scan = check;
    if (check.p == check.end)
        return SPARK_OK;
    if (spk_json_skip(&check) && spk_json_ends(&check)) {
        check = l.scan;
        if (*check.p == '{' || is_of_rows(&check)) {
            rows(&l);
            return failure->code;
        }
    }
    schema->corrupt = true;
    if (json->formats.mode == SPARK_FAILFAST)
        return spk_failure_set(failure, SPARK_EIO, NULL, NULL, SPK_MALFORMED "%s, at byte %zu of a record",
            check.why, (size_t)(check.p - record.ptr) + 1);
    return SPARK_OK;
}
