/* SPDX-License-Identifier: Apache-2.0 */
/* Types that were found in JSON: how they join, as in a lattice: nothing, then what was met, then numbers among
 * each other, then a string; and what they are in the end. */
#include <stdlib.h>

#include "format/json_infer.h"

typedef struct spk_json_chunk {
    struct spk_json_chunk *next;
    size_t used, size;
    _Alignas(16) char bytes[];
} spk_json_chunk;

/* ---- memory ---- */

static void *take(spk_json_schema *schema, size_t size, spk_failure *failure)
{
    enum { LEAST = 4096, MOST = 256 * 1024 };
    spk_json_chunk *c = schema->chunks;
    size = (size + 15) & ~(size_t)15;
    if (!c || size > c->size - c->used) {
        size_t room = c && c->size < MOST ? 2 * c->size : c ? MOST : LEAST;
        room = room < size ? size : room;
        c = calloc(1, sizeof *c + room);
        if (!c) {
            spk_failure_nomem(failure, NULL, NULL);
            return NULL;
        }
        c->size = room;
        c->next = schema->chunks;
        schema->chunks = c;
    }
    c->used += size;
    return c->bytes + c->used - size;
}

void spk_json_schema_free(spk_json_schema *schema)
{
    while (schema->chunks) {
        spk_json_chunk *c = schema->chunks;
        schema->chunks = c->next;
        free(c);
    }
    *schema = (spk_json_schema) { .corrupt = false };
}

/* ---- members ---- */

/* order: of Java's strings, which have two code units for what is above U+FFFF, the first of them below
 * U+E000. */
static int order(spark_str a, spark_str b)
{
    const size_t n = a.len < b.len ? a.len : b.len;
    for (size_t i = 0; i < n; i++) {
        const unsigned char x = (unsigned char)a.ptr[i], y = (unsigned char)b.ptr[i];
        if (x != y)
            return x >= 0xee && y >= 0xee && (x >= 0xf0) != (y >= 0xf0) ? (x >= 0xf0 ? -1 : 1) : x < y ? -1 : 1;
    }
    return a.len < b.len ? -1 : a.len > b.len;
}

/* place_of: where the member of that name is, or would be. */
static size_t place_of(const spk_json_found *found, spark_str name, bool *there)
{
    size_t from = 0, to = found->n;
    *there = false;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        const int less = order(name, found->members[middle]->name);
        if (less == 0) {
            *there = true;
            return middle;
        }
        if (less < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return from;
}

/* make_room: for one more member at `at`. */
static bool make_room(spk_json_schema *schema, spk_json_found *found, size_t at, spk_failure *failure)
{
    if (found->n == found->capacity) {
        const size_t more = found->capacity ? 2 * found->capacity : 8;
        spk_json_found_member **bigger = take(schema, more * sizeof(spk_json_found_member *), failure);
        if (!bigger)
            return false;
        if (found->n > 0)
            memcpy(bigger, found->members, found->n * sizeof *bigger);
        found->members = bigger;
        found->capacity = more;
    }
    memmove(found->members + at + 1, found->members + at, (found->n - at) * sizeof *found->members);
    found->n++;
    return true;
}

spk_json_found_member *spk_json_found_named(
    spk_json_schema *schema, spk_json_found *found, spark_str name, spk_failure *failure)
{
    bool there;
    const size_t at = place_of(found, name, &there);
    if (there)
        return found->members[at];
    schema->names += name.len;
    if (++schema->members > SPK_JSON_MEMBERS || schema->names > SPK_JSON_NAMES) {
        spk_failure_set(failure, SPARK_EIO, NULL, NULL,
            "more than %d different members, or names of more than %d MiB: give the type of the rows, or "
            "see whether names are data",
            SPK_JSON_MEMBERS, SPK_JSON_NAMES >> 20);
        return NULL;
    }
    spk_json_found_member *m = take(schema, sizeof *m + name.len + 1, failure);
    if (!m || !make_room(schema, found, at, failure))
        return NULL;
    char *text = (char *)(m + 1);
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    *m = (spk_json_found_member) { .name = { text, name.len } };
    return found->members[at] = m;
}

/* ---- joining ---- */

void spk_json_found_decimal(spk_json_found *found, int precision, int scale)
{
    found->kind = precision > 38 ? SPK_FOUND_DOUBLE : SPK_FOUND_DECIMAL;
    found->precision = precision;
    found->scale = scale;
}

/* join_numbers: as Spark's findTightestCommonType and what stands behind it. A long has 20 digits. */
static void join_numbers(spk_json_found *a, const spk_json_found *b)
{
    enum { LONG = 20 };
    if (a->kind == SPK_FOUND_DOUBLE || b->kind == SPK_FOUND_DOUBLE) {
        a->kind = SPK_FOUND_DOUBLE;
        return;
    }
    if (a->kind == b->kind && a->kind == SPK_FOUND_LONG)
        return;
    const int p = a->kind == SPK_FOUND_LONG ? LONG : a->precision, s = a->kind == SPK_FOUND_LONG ? 0 : a->scale;
    const int q = b->kind == SPK_FOUND_LONG ? LONG : b->precision, t = b->kind == SPK_FOUND_LONG ? 0 : b->scale;
    const int range = p - s > q - t ? p - s : q - t, scale = s > t ? s : t;
    spk_json_found_decimal(a, range + scale, scale);
}

static bool is_number(spk_json_found_kind kind)
{
    return kind == SPK_FOUND_LONG || kind == SPK_FOUND_DECIMAL || kind == SPK_FOUND_DOUBLE;
}

void spk_json_found_scalar(spk_json_found *a, const spk_json_found *b)
{
    if (b->kind == SPK_FOUND_NOTHING)
        return;
    if (a->kind == SPK_FOUND_NOTHING)
        *a = *b;
    else if (is_number(a->kind) && is_number(b->kind))
        join_numbers(a, b);
    else if (a->kind != b->kind)
        a->kind = SPK_FOUND_STR;
}

bool spk_json_found_becomes(spk_json_found *a, spk_json_found_kind kind)
{
    if (a->kind == SPK_FOUND_NOTHING)
        a->kind = kind;
    else if (a->kind != kind)
        a->kind = SPK_FOUND_STR;
    return a->kind == kind;
}

spk_json_found *spk_json_found_element(
    spk_json_schema *schema, spk_json_found *found, spk_failure *failure)
{
    if (!found->of) {
        found->of = take(schema, sizeof *found->of, failure);
        if (found->of)
            *found->of = (spk_json_found) { .kind = SPK_FOUND_NOTHING };
    }
    return found->of;
}

/* join: at most SPK_JSON_LEVELS deep. */
static bool join(spk_json_schema *schema, spk_json_found *a, const spk_json_found *b, spk_failure *failure)
{
    if (b->kind != SPK_FOUND_ARRAY && b->kind != SPK_FOUND_OBJECT) {
        spk_json_found_scalar(a, b);
        return true;
    }
    if (!spk_json_found_becomes(a, b->kind))
        return true;
    if (b->kind == SPK_FOUND_ARRAY)
        return !b->of
            || (spk_json_found_element(schema, a, failure) && join(schema, a->of, b->of, failure));
    for (size_t i = 0; i < b->n; i++) {
        spk_json_found_member *m = spk_json_found_named(schema, a, b->members[i]->name, failure);
        if (!m || !join(schema, &m->type, &b->members[i]->type, failure))
            return false;
    }
    return true;
}

spark_status spk_json_schema_add(
    spk_json_schema *schema, const spk_json_schema *other, spk_failure *failure)
{
    failure->code = SPARK_OK;
    schema->root.kind = SPK_FOUND_OBJECT;
    schema->corrupt |= other->corrupt;
    if (other->root.kind == SPK_FOUND_OBJECT)
        join(schema, &schema->root, &other->root, failure);
    return failure->code;
}

/* ---- types ---- */

typedef struct maker {
    const spk_json *json;
    spk_types *types;
    spk_failure *failure;
} maker;

/* type_of: NULL: the member is left out, or *failure is filled. */
static const spark_type *type_of(const maker *m, const spk_json_found *found);

static const spark_type *refused(const maker *m, const spark_type *type)
{
    if (!type)
        spk_failure_nomem(m->failure, NULL, NULL);
    return type;
}

static const spark_type *list_of(const maker *m, const spk_json_found *found)
{
    static const spk_json_found nothing = { .kind = SPK_FOUND_NOTHING };
    const spark_type *of = type_of(m, found->of ? found->of : &nothing);
    if (!of || !refused(m, of = spk_types_optional(m->types, of)))
        return NULL;
    return refused(m, spk_types_list(m->types, of));
}

/* struct_of: of what has a name that C has as well. */
static const spark_type *struct_of(const maker *m, const spk_json_found *found)
{
    const spark_type **types = calloc(found->n + 1, sizeof *types), *type = NULL;
    const char **names = calloc(found->n + 1, sizeof *names);
    size_t n = 0;
    if (!types || !names)
        spk_failure_nomem(m->failure, NULL, NULL);
    for (size_t i = 0; i < found->n && m->failure->code == SPARK_OK; i++) {
        const spk_json_found_member *member = found->members[i];
        if (member->name.len == 0 || memchr(member->name.ptr, '\0', member->name.len))
            continue;
        const spark_type *of = type_of(m, &member->type);
        if (!of || !refused(m, of = spk_types_optional(m->types, of)))
            continue;
        types[n] = of;
        names[n++] = member->name.ptr;
    }
    if (n > 0 && m->failure->code == SPARK_OK) {
        type = spk_types_struct(m->types, n, types, names);
        if (!type)
            spk_types_refused(n, types, m->failure);
    }
    free(types);
    free(names);
    return type;
}

/* decimal_type: those of more digits than there are are doubles. */
static const spark_type *decimal_type(const maker *m, const spk_json_found *found)
{
    return found->precision > 18 ? SPARK_TYPE(double)
                                 : refused(m, spk_types_decimal(m->types, found->precision, found->scale));
}

static const spark_type *type_of(const maker *m, const spk_json_found *found)
{
    switch (found->kind) {
    case SPK_FOUND_NOTHING:
        return m->json->drop_all_null ? NULL : SPARK_TYPE(spark_str);
    case SPK_FOUND_BOOL:
        return SPARK_TYPE(bool);
    case SPK_FOUND_LONG:
        return SPARK_TYPE(int64_t);
    case SPK_FOUND_DECIMAL:
        return decimal_type(m, found);
    case SPK_FOUND_DOUBLE:
        return SPARK_TYPE(double);
    case SPK_FOUND_TIME:
        return SPARK_TYPE(spark_time);
    case SPK_FOUND_ARRAY:
        return list_of(m, found);
    case SPK_FOUND_OBJECT:
        return struct_of(m, found);
    default:
        return SPARK_TYPE(spark_str);
    }
}

const spark_type *spk_json_schema_type(
    spk_json_schema *schema, const spk_json *json, spk_types *types, spk_failure *failure)
{
    const maker m = { json, types, failure };
    failure->code = SPARK_OK;
    if (schema->corrupt && json->formats.mode == SPARK_PERMISSIVE) {
        bool there;
        place_of(&schema->root, json->formats.corrupt, &there);
        spk_json_found_member *corrupt
            = there ? NULL : spk_json_found_named(schema, &schema->root, json->formats.corrupt, failure);
        if (corrupt)
            corrupt->type.kind = SPK_FOUND_STR;
        else if (!there)
            return NULL;
    }
    const spark_type *type = struct_of(&m, &schema->root);
    if (!type && failure->code == SPARK_OK)
        spk_failure_set(failure, SPARK_EIO, NULL, NULL,
            "there is no object with a member to find types in; give the type of the rows");
    return type;
}
