/* SPDX-License-Identifier: Apache-2.0 */
/* as_named: rows as structs of the program's, member by member, found by name. */
#include <spark/rdd.h>
#include <spark/row.h>
#include <stdlib.h>

#include "rdd/verb.h"

/* member: one of the struct that is made. */
typedef struct member {
    const char *name;
    bool from_optional, to_optional;
    spark_kind from_kind, to_kind; /* where a number is widened; else the same */
    uint32_t from, from_value, to, to_value, size;
    int64_t most;          /* the most units of a decimal that has fewer digits than the one it is made from; else 0 */
    struct member *inner;  /* a struct whose members are found by name in turn; else NULL */
    uint32_t n_inner;
} member;

typedef struct named_rdd {
    spark_rdd rdd;
    member *members;
    uint32_t n;
} named_rdd;

/* widens: whether every value of one kind is one of the other; as Spark's upcast. */
static bool widens(spark_kind from, spark_kind to)
{
    const bool whole = from >= SPARK_KIND_I8 && from <= SPARK_KIND_I64;
    if (whole && to >= SPARK_KIND_I8 && to <= SPARK_KIND_I64)
        return from < to;
    return to == SPARK_KIND_F64 && (from == SPARK_KIND_F32 || (whole && from < SPARK_KIND_I64));
}

static void put_number(const member *m, const char *from, char *to)
{
    int64_t whole = 0;
    double x = 0;
    float f;
    int8_t a;
    int16_t b;
    int32_t c;
    switch (m->from_kind) {
    case SPARK_KIND_I8:
        memcpy(&a, from, sizeof a);
        x = (double)(whole = a);
        break;
    case SPARK_KIND_I16:
        memcpy(&b, from, sizeof b);
        x = (double)(whole = b);
        break;
    case SPARK_KIND_I32:
        memcpy(&c, from, sizeof c);
        x = (double)(whole = c);
        break;
    default:
        memcpy(&f, from, sizeof f);
        x = f;
        break;
    }
    b = (int16_t)whole;
    c = (int32_t)whole;
    const void *value = m->to_kind == SPARK_KIND_F64 ? (const void *)&x
        : m->to_kind == SPARK_KIND_I16               ? (const void *)&b
        : m->to_kind == SPARK_KIND_I32               ? (const void *)&c
                                                     : (const void *)&whole;
    memcpy(to, value, m->size);
}

/* fits: whether a decimal has no more digits than its member. */
static bool fits(const member *m, const char *from)
{
    int64_t units;
    memcpy(&units, from, sizeof units);
    return units >= -m->most && units <= m->most;
}

/* put: NULL, or the member that has no place for what there is. */
static const member *put(const member *m, const char *row, char *out)
{
    const bool present = !m->from_optional || row[m->from];
    if (m->to_optional)
        out[m->to] = present;
    if (!present)
        return m->to_optional ? NULL : m;
    if (m->most && !fits(m, row + m->from_value))
        return m;
    const member *bad = NULL;
    if (m->inner)
        for (uint32_t i = 0; i < m->n_inner && !bad; i++)
            bad = put(&m->inner[i], row + m->from_value, out + m->to_value);
    else if (m->from_kind != m->to_kind)
        put_number(m, row + m->from_value, out + m->to_value);
    else
        memcpy(out + m->to_value, row + m->from_value, m->size);
    return bad;
}

static void run(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const named_rdd *r = SPK_NODE(named_rdd, op->rdd);
    const size_t size = op->rdd->layout->size, in_size = op->rdd->deps[0].rdd->layout->size;
    const member *bad;
    char *out = spk_pipe_alloc(pipe, batch->n * size + 1);
    if (out)
        memset(out, 0, batch->n * size);
    for (size_t i = 0; out && i < batch->n; i++)
        for (uint32_t k = 0; k < r->n; k++)
            if ((bad = put(&r->members[k], batch->rows + i * in_size, out + i * size))) {
                spk_task_fail(pipe->task, SPARK_EINVAL,
                    bad->most ? "\"%s\" is null or has more digits than the member of that name"
                              : "\"%s\" is null, and the member of that name is no optional",
                    bad->name);
                spk_locate(pipe->task, (int64_t)(op->seen + i));
                return;
            }
    *batch = (spk_batch) { out, out ? batch->n : 0 };
}

static void free_members(member *members, uint32_t n)
{
    for (uint32_t i = 0; members && i < n; i++)
        free_members(members[i].inner, members[i].n_inner);
    free(members);
}

static void release(spark_rdd *rdd)
{
    free_members(SPK_NODE(named_rdd, rdd)->members, SPK_NODE(named_rdd, rdd)->n);
}

static bool has_members(const spark_type *type)
{
    return type->kind == SPARK_KIND_STRUCT || type->kind == SPARK_KIND_PAIR;
}

/* halves: whether it is a decimal of more than 18 digits, as rows of SQL have it. */
static bool halves(const spark_type *type)
{
    return type->kind == SPARK_KIND_STRUCT && !type->name && type->count == 2 && type->fields[0].type->kind == SPARK_KIND_I64
        && type->fields[1].type->kind == SPARK_KIND_U64 && strcmp(type->fields[0].name, "high") == 0
        && strcmp(type->fields[1].name, "low") == 0;
}

/* same_names: whether structs within two types of one layout have their members in the same order. */
static bool same_names(const spark_type *a, const spark_type *b)
{
    if (halves(b))
        return true;
    if (a->of)
        return same_names(a->of, b->of);
    for (uint32_t i = 0; has_members(a) && i < a->count; i++)
        if (strcasecmp(a->fields[i].name, b->fields[i].name) != 0 || !same_names(a->fields[i].type, b->fields[i].type))
            return false;
    return true;
}

static const char other_order[] = "structs in a list or an array have other members, or in another order";

static member *match_all(spk_verb *v, const spark_type *have, const spark_type *want);

/* convert: how a value of type a becomes one of type b, which is no other description of the same; NULL, or why not. */
static const char *convert(spk_verb *v, const spark_type *a, const spark_type *b, member *m, const char *difference)
{
    if (halves(a))
        return "a DECIMAL of more than 18 digits found, of which CAST(.. AS DECIMAL(18, scale)) makes one that fits";
    if (a->kind == SPARK_KIND_STRUCT && b->kind == SPARK_KIND_STRUCT) {
        m->n_inner = b->count;
        m->inner = match_all(v, a, b);
    } else if (a->kind == SPARK_KIND_DECIMAL && b->kind == SPARK_KIND_DECIMAL && a->scale == b->scale) {
        for (int i = 0; a->precision > b->precision && i < b->precision; i++)
            m->most = 10 * m->most + 9;
    } else if (widens(a->kind, b->kind)) {
        m->from_kind = a->kind;
        m->to_kind = b->kind;
    } else {
        return difference[0] ? difference : other_order;
    }
    return NULL;
}

/* match: the member of one struct that another one's is filled from. */
static void match(spk_verb *v, const spark_type *have, const spark_field *want, member *m)
{
    char text[300] = "", name[100];
    const spark_field *from = spark_field_find(have, want->name);
    if (!from) {
        spk_verb_fail(v, SPARK_ETYPE, "no member \"%s\" in %s", want->name, spk_type_name(have, name, sizeof name));
        return;
    }
    const spark_type *a = spark_field_value_type(from), *b = spark_field_value_type(want);
    *m = (member) { .name = want->name, .from_optional = spark_field_nullable(from),
        .to_optional = spark_field_nullable(want), .from = (uint32_t)from->offset, .to = (uint32_t)want->offset,
        .size = (uint32_t)(b->size * (want->count ? want->count : 1)) };
    m->from_value = m->from + (m->from_optional ? a->align : 0);
    m->to_value = m->to + (m->to_optional ? b->align : 0);
    spark_type nameless = *b;
    nameless.name = NULL;
    const bool alike = from->count == want->count && spk_type_differ(&nameless, a, text, sizeof text) == SPARK_OK;
    if (alike && same_names(b, a))
        return;
    const char *why = from->count != want->count ? "arrays of other lengths"
        : !from->count                          ? convert(v, a, b, m, text)
        : text[0]                               ? text
                                                : other_order;
    if (why && !v->bad)
        spk_verb_fail(v, SPARK_ETYPE, "member \"%s\": %s", want->name, why);
}

/* match_all: the members of a struct; NULL: v has failed. */
static member *match_all(spk_verb *v, const spark_type *have, const spark_type *want)
{
    if (v->bad)
        return NULL;
    member *members = calloc(want->count + 1, sizeof *members);
    if (!members)
        spk_verb_fail(v, SPARK_ENOMEM, "out of memory");
    for (uint32_t i = 0; !v->bad && i < want->count; i++)
        match(v, have, &want->fields[i], &members[i]);
    if (v->bad) {
        free_members(members, want->count);
        members = NULL;
    }
    return members;
}

spark_rdd *spark_as_named(spark_site at, spark_rdd *rdd, const spark_type *type)
{
    static const spk_class class
        = { .name = "MapPartitionsRDD", .run = run, .release = release, .one_to_one = true };
    spk_verb v;
    bool made;
    spk_verb_begin(&v, at, "as", NULL, 1, &rdd, NULL);
    const spk_layout *out = spk_verb_layout(&v, type);
    if (!v.bad && (!has_members(type) || !has_members(v.in->type)))
        spk_verb_fail(&v, SPARK_ETYPE, "as_named wants structs, for members are matched by name");
    member *members = match_all(&v, v.bad ? NULL : v.in->type, type);
    rdd = spk_verb_make(&v, &class, sizeof(named_rdd), out, &made);
    if (made) {
        SPK_NODE(named_rdd, rdd)->members = members;
        SPK_NODE(named_rdd, rdd)->n = type->count;
    } else {
        free_members(members, type->count);
    }
    return rdd;
}
