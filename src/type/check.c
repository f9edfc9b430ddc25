/* SPDX-License-Identifier: Apache-2.0 */
/* Whether memory of one description reads as another. The walk goes down both descriptions at once
 * and keeps the path, so that the first difference can be named where it is: "value.amount". */
#include <inttypes.h>

#include "type/leaf.h"

/* ---- names ---- */

static const char *const kind_names[]
    = { "?", "bool", "char", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32", "f64",
          "decimal", "date", "time", "str", "bytes", "list", "optional", "pair", "struct", "blob" };

static const char *kind_name(spark_kind kind)
{
    const unsigned k = (unsigned)kind;
    return kind_names[k < sizeof kind_names / sizeof kind_names[0] ? k : 0];
}

typedef struct text {
    char *at, *end; /* end: of the last byte, which is kept for the NUL */
} text;

static void add(text *t, const char *s)
{
    while (*s && t->at < t->end)
        *t->at++ = *s++;
    *t->at = '\0';
}

static void add_type(text *t, const spark_type *type, unsigned depth);

static void add_members(text *t, const spark_type *type, unsigned depth)
{
    char count[32];
    for (uint32_t i = 0; i < type->count && type->fields; i++) {
        add(t, i > 0 ? "," : "");
        add_type(t, type->fields[i].type, depth + 1);
        if (type->fields[i].count > 0) {
            snprintf(count, sizeof count, "[%zu]", type->fields[i].count);
            add(t, count);
        }
    }
}

/* add_shape: what the type is, whatever it is called. */
SPK_COLD static void add_shape(text *t, const spark_type *type, unsigned depth)
{
    char number[32];
    add(t, kind_name(type->kind));
    switch (type->kind) {
    case SPARK_KIND_DECIMAL:
        snprintf(number, sizeof number, "(%d,%d)", type->precision, type->scale);
        add(t, number);
        break;
    case SPARK_KIND_BLOB:
        snprintf(number, sizeof number, "(%" PRIu32 ")", type->size);
        add(t, number);
        break;
    case SPARK_KIND_LIST:
    case SPARK_KIND_OPTIONAL:
        add(t, "(");
        add_type(t, type->of, depth + 1);
        add(t, ")");
        break;
    case SPARK_KIND_PAIR:
    case SPARK_KIND_STRUCT:
        add(t, "(");
        add_members(t, type, depth);
        add(t, ")");
        break;
    default:
        break;
    }
}

static void add_type(text *t, const spark_type *type, unsigned depth)
{
    if (!type || depth > SPK_TYPE_DEPTH)
        add(t, type ? "..." : "any");
    else if (type->name && (spk_kind_width(type->kind) == 0 || type->kind == SPARK_KIND_BLOB)
        && type->kind != SPARK_KIND_STR && type->kind != SPARK_KIND_BYTES)
        add(t, type->name);
    else
        add_shape(t, type, depth);
}

const char *spk_type_name(const spark_type *type, char *buffer, size_t size)
{
    text t = { buffer, buffer + size - 1 };
    if (size == 0)
        return "";
    *buffer = '\0';
    add_type(&t, type, 0);
    return buffer;
}

/* ---- differences ---- */

typedef struct check {
    char path[160];
    char *out;
    size_t out_size;
} check;

/* enter: path becomes path.name or path[]; returns the length to go back to. */
static size_t enter(check *c, const char *name)
{
    const size_t n = strlen(c->path);
    const char *dot = n > 0 && name[0] != '[' ? "." : "";
    snprintf(c->path + n, sizeof c->path - n, "%s%s", dot, name);
    return n;
}

static bool differ(check *c, const char *what, const char *want, const char *have)
{
    snprintf(c->out, c->out_size, "%s%s%s%s wanted, %s found", c->path, *c->path ? ": " : "", what,
        want, have);
    return false;
}

static void place(const spark_type *type, uint64_t offset, bool nested, char *at, size_t size)
{
    text t = { at, at + size - 1 };
    char where[40];
    *at = '\0';
    if (type->kind == SPARK_KIND_DECIMAL || type->kind == SPARK_KIND_BLOB)
        add_shape(&t, type, 0);
    else
        add_type(&t, type, 0);
    snprintf(where, sizeof where, " at offset %" PRIu64, offset);
    add(&t, nested ? where : "");
}

static bool differ_types(
    check *c, const spark_type *want, uint64_t want_at, const spark_type *have, uint64_t have_at)
{
    char w[160], h[160];
    place(want, want_at, *c->path != 0, w, sizeof w);
    place(have, have_at, *c->path != 0, h, sizeof h);
    return differ(c, "", w, h);
}

static bool differ_numbers(check *c, const char *what, uint64_t want, uint64_t have)
{
    char w[24], h[24];
    snprintf(w, sizeof w, "%" PRIu64, want);
    snprintf(h, sizeof h, "%" PRIu64, have);
    return differ(c, what, w, h);
}

SPK_COLD static bool fits(check *c, const spark_type *want, uint64_t want_at,
    const spark_type *have, uint64_t have_at, unsigned depth);

static bool fits_field(check *c, const spark_type *want, uint64_t want_at, const spark_type *have,
    uint64_t have_at, uint32_t i, unsigned depth)
{
    const spark_field *w = &want->fields[i], *h = &have->fields[i];
    if (want->kind == SPARK_KIND_STRUCT && want->name && have->name && w->name && h->name
        && strcmp(w->name, h->name) != 0)
        return differ(c, "member ", w->name, h->name);
    const size_t back = enter(c, w->name ? w->name : "?");
    want_at += w->offset;
    have_at += h->offset;
    if (!w->type || !h->type)
        return differ(c, "", w->type ? "a type" : "none", h->type ? "a type" : "none");
    if (w->count != h->count)
        return differ_numbers(c, "array length ", w->count, h->count);
    if (w->offset != h->offset)
        return differ_types(c, w->type, want_at, h->type, have_at);
    if (!fits(c, w->type, want_at, h->type, have_at, depth + 1))
        return false;
    c->path[back] = '\0';
    return true;
}

static bool fits_members(check *c, const spark_type *want, uint64_t want_at, const spark_type *have,
    uint64_t have_at, unsigned depth)
{
    if (want->count != have->count)
        return differ_numbers(c, "number of members: ", want->count, have->count);
    for (uint32_t i = 0; i < want->count; i++)
        if (!fits_field(c, want, want_at, have, have_at, i, depth))
            return false;
    if (want->size != have->size)
        return differ_numbers(c, "size ", want->size, have->size);
    return true;
}

static bool fits_of(check *c, const spark_type *want, uint64_t want_at, const spark_type *have,
    uint64_t have_at, unsigned depth)
{
    const bool optional = want->kind == SPARK_KIND_OPTIONAL;
    const size_t back = enter(c, optional ? "value" : "[]");
    if (!want->of || !have->of)
        return differ(c, "", want->of ? "a type" : "none", have->of ? "a type" : "none");
    want_at = optional ? want_at + spk_optional_offset(want->of->align) : 0;
    have_at = optional ? have_at + spk_optional_offset(have->of->align) : 0;
    if (want_at != have_at)
        return differ_types(c, want->of, want_at, have->of, have_at);
    if (!fits(c, want->of, want_at, have->of, have_at, depth + 1))
        return false;
    c->path[back] = '\0';
    if (want->size != have->size)
        return differ_numbers(c, "size ", want->size, have->size);
    return true;
}

/* named: kinds that are structs of the program, whose names mean something. */
static bool named(const spark_type *type)
{
    return type->name && (type->kind == SPARK_KIND_STRUCT || type->kind == SPARK_KIND_BLOB);
}

static bool fits(check *c, const spark_type *want, uint64_t want_at, const spark_type *have,
    uint64_t have_at, unsigned depth)
{
    if (want == have)
        return true;
    if (depth > SPK_TYPE_DEPTH)
        return differ(c, "", "at most 32 levels", "more");
    if (want->kind != have->kind)
        return differ_types(c, want, want_at, have, have_at);
    if (named(want) && named(have) && strcmp(want->name, have->name) != 0)
        return differ(c, "", want->name, have->name);
    switch (want->kind) {
    case SPARK_KIND_STRUCT:
    case SPARK_KIND_PAIR:
        return fits_members(c, want, want_at, have, have_at, depth);
    case SPARK_KIND_LIST:
    case SPARK_KIND_OPTIONAL:
        return fits_of(c, want, want_at, have, have_at, depth);
    default:
        break;
    }
    if (want->size != have->size || want->precision != have->precision
        || want->scale != have->scale)
        return differ_types(c, want, want_at, have, have_at);
    return true;
}

spark_status spk_type_differ(
    const spark_type *want, const spark_type *have, char *out, size_t out_size)
{
    check c = { .out = out, .out_size = out_size };
    if (out_size > 0)
        *out = '\0';
    if (!want)
        return SPARK_OK;
    if (!have) {
        char name[128];
        differ(&c, "", spk_type_name(want, name, sizeof name), "no type");
        return SPARK_ETYPE;
    }
    return fits(&c, want, 0, have, 0, 0) ? SPARK_OK : SPARK_ETYPE;
}

spark_status spark_type_check(const spark_type *want, const spark_type *have)
{
    char difference[512];
    if (spk_type_differ(want, have, difference, sizeof difference) == SPARK_OK)
        return SPARK_OK;
    return spk_raisef(SPARK_ETYPE, "spark_type_check", NULL, "%s", difference);
}
