/* SPDX-License-Identifier: Apache-2.0 */
/* Types drawn at random, and values of them that carry a number.
 *
 * code: the number a value carries, less than shape_codes of its type; all of the value follows from
 * it, so that whoever reads one sees whether every byte of it has come through. Functions of any
 * types then are functions of codes, and so is the plain loop they are compared with. */
#ifndef SHAPES_H
#define SHAPES_H

#include <stdatomic.h>

#include "oracle.h"

enum { SHAPE_CODES = 1 << 16, SHAPE_FIELDS = 5, SHAPE_LONG = 64 };

/* ---- memory of types and of values outside tasks, freed together */

typedef struct shape_block {
    struct shape_block *next;
    max_align_t bytes[];
} shape_block;
static shape_block *shape_blocks;

static inline void *shape_room(size_t size)
{
    shape_block *b = calloc(1, sizeof *b + size);
    assert_non_null(b);
    b->next = shape_blocks;
    shape_blocks = b;
    return b->bytes;
}

static inline void shape_free_all(void)
{
    while (shape_blocks) {
        shape_block *b = shape_blocks;
        shape_blocks = b->next;
        free(b);
    }
}

/* ---- types */

static inline const spark_type *shape_new(spark_type type)
{
    spark_type *t = shape_room(sizeof *t);
    memcpy(t, &type, sizeof type);
    return t;
}

static inline uint32_t shape_up(uint64_t n, uint32_t align)
{
    return (uint32_t)((n + align - 1) / align * align);
}

static inline const spark_type *shape_scalar(uint64_t *state)
{
    static const spark_type decimal
        = { NULL, SPARK_KIND_DECIMAL, 8, 8, 0, 18, 2, NULL, NULL, NULL };
    const spark_type *const all[] = { SPARK_TYPE(bool), SPARK_TYPE(char), SPARK_TYPE(int8_t),
        SPARK_TYPE(uint8_t), SPARK_TYPE(int16_t), SPARK_TYPE(uint16_t), SPARK_TYPE(int32_t),
        SPARK_TYPE(uint32_t), SPARK_TYPE(int64_t), SPARK_TYPE(uint64_t), SPARK_TYPE(float),
        SPARK_TYPE(double), SPARK_TYPE(spark_date), SPARK_TYPE(spark_time), &decimal };
    return all[oracle_below(state, LENGTH(all))];
}

static inline const spark_type *shape_blob(uint64_t *state)
{
    const uint32_t align = 1u << oracle_below(state, 7);
    const uint32_t size = shape_up(1 + oracle_below(state, 3 * align), align);
    return shape_new((spark_type) { .kind = SPARK_KIND_BLOB, .size = size, .align = align });
}

/* shape_array: `count` scalars in place, which may be more than a batch of 64 KiB. */
static inline const spark_type *shape_array(const spark_type *of, size_t count)
{
    spark_field *field = shape_room(sizeof *field);
    *field = (spark_field) { "items", of, 0, count };
    return shape_new((spark_type) { .kind = SPARK_KIND_STRUCT,
        .size = (uint32_t)(count * of->size),
        .align = of->align,
        .count = 1,
        .fields = field });
}

static inline const spark_type *shape_draw(uint64_t *state, int depth);

static inline const spark_type *shape_struct(uint64_t *state, int depth)
{
    static const char *const names[SHAPE_FIELDS] = { "a", "b", "c", "d", "e" };
    const uint32_t n = 1 + (uint32_t)oracle_below(state, SHAPE_FIELDS);
    spark_field *fields = shape_room(n * sizeof *fields);
    uint32_t size = 0, align = 1;
    for (uint32_t i = 0; i < n; i++) {
        const spark_type *of = shape_draw(state, depth + 1);
        const size_t count = oracle_below(state, 4) ? 0 : 1 + oracle_below(state, 4);
        size = shape_up(size, of->align);
        fields[i] = (spark_field) { names[i], of, size, count };
        size += (uint32_t)(count ? count : 1) * of->size;
        align = of->align > align ? of->align : align;
    }
    return shape_new((spark_type) { .kind = SPARK_KIND_STRUCT,
        .size = shape_up(size, align),
        .align = align,
        .count = n,
        .fields = fields });
}

static inline const spark_type *shape_pair(const spark_type *key, const spark_type *value)
{
    spark_field *fields = shape_room(2 * sizeof *fields);
    const uint32_t align = key->align > value->align ? key->align : value->align;
    fields[0] = (spark_field) { "key", key, 0, 0 };
    fields[1] = (spark_field) { "value", value, shape_up(key->size, value->align), 0 };
    return shape_new((spark_type) { .kind = SPARK_KIND_PAIR,
        .size = shape_up(fields[1].offset + value->size, align),
        .align = align,
        .count = 2,
        .fields = fields });
}

static inline const spark_type *shape_draw(uint64_t *state, int depth)
{
    static const size_t long_bytes[] = { 1000, 4096, 65528, 65536, 65544, 100000 };
    const uint64_t dice = oracle_below(state, depth > 2 ? 8 : 16);
    if (depth == 0 && oracle_below(state, 12) == 0) {
        const spark_type *of = shape_scalar(state);
        return shape_array(of, long_bytes[oracle_below(state, LENGTH(long_bytes))] / of->size);
    }
    if (dice < 5)
        return shape_scalar(state);
    if (dice < 7)
        return oracle_below(state, 3) ? SPARK_TYPE(spark_str) : SPARK_TYPE(spark_bytes);
    if (dice == 7)
        return shape_blob(state);
    if (dice < 10) {
        const spark_type *of = shape_draw(state, depth + 1);
        return shape_new((spark_type) { .kind = SPARK_KIND_LIST,
            .size = sizeof(spark_str),
            .align = (uint32_t)_Alignof(spark_str),
            .of = of });
    }
    if (dice < 12) {
        const spark_type *of = shape_draw(state, depth + 1);
        return shape_new((spark_type) { .kind = SPARK_KIND_OPTIONAL,
            .size = shape_up(of->align + of->size, of->align),
            .align = of->align,
            .of = of });
    }
    if (dice == 12)
        return shape_pair(shape_draw(state, depth + 1), shape_draw(state, depth + 1));
    return shape_struct(state, depth);
}

/* shape_print: "{i64 str[3] list{bool}}", as far as there is room. */
static inline void shape_print(const spark_type *t, char *text, size_t size)
{
    static const char *const kinds[] = { "?", "bool", "char", "i8", "i16", "i32", "i64", "u8",
        "u16", "u32", "u64", "f32", "f64", "decimal", "date", "time", "str", "bytes", "list",
        "optional", "pair", "struct", "blob" };
    size_t at = (size_t)snprintf(text, size, "%s", kinds[t->kind]);
    if (t->kind == SPARK_KIND_BLOB && at < size)
        snprintf(text + at, size - at, "%u/%u", t->size, t->align);
    if (t->of && at + 2 < size) {
        text[at++] = ' ';
        shape_print(t->of, text + at, size - at);
    }
    for (uint32_t i = 0; i < t->count && at + 2 < size; i++) {
        text[at++] = i ? ',' : '(';
        shape_print(t->fields[i].type, text + at, size - at);
        at += strlen(text + at);
        if (t->fields[i].count && at < size)
            at += (size_t)snprintf(text + at, size - at, "[%zu]", t->fields[i].count);
    }
    if (t->count && at + 2 < size)
        snprintf(text + at, size - at, ")");
}

/* ---- values */

/* shape_carrier: the member that carries the code of a struct: the first of those that can carry
 * most. */
static inline uint64_t shape_codes(const spark_type *t);

static inline const spark_field *shape_carrier(const spark_type *t)
{
    const spark_field *best = t->fields;
    for (uint32_t i = 1; i < t->count; i++)
        if (shape_codes(t->fields[i].type) > shape_codes(best->type))
            best = &t->fields[i];
    return best;
}

static inline uint64_t shape_codes(const spark_type *t)
{
    switch (t->kind) {
    case SPARK_KIND_BOOL:
        return 2;
    case SPARK_KIND_CHAR:
    case SPARK_KIND_I8:
    case SPARK_KIND_U8:
        return 256;
    case SPARK_KIND_LIST:
    case SPARK_KIND_OPTIONAL:
        return shape_codes(t->of);
    case SPARK_KIND_STRUCT:
    case SPARK_KIND_PAIR:
        return shape_codes(shape_carrier(t)->type);
    case SPARK_KIND_BLOB:
        return t->size == 1 ? 256 : SHAPE_CODES;
    default:
        return SHAPE_CODES;
    }
}

static inline bool shape_is_text(const spark_type *t)
{
    return t->kind == SPARK_KIND_STR || t->kind == SPARK_KIND_BYTES;
}

/* shape_text: what a string of this code says. */
static inline size_t shape_text(uint64_t code, char text[512])
{
    if (code == 0)
        return 0;
    const int digits = snprintf(text, 32, "%llu", (unsigned long long)code);
    const size_t n = (size_t)digits + code % 7 + (code % 61 == 5 ? 400 : 0);
    memset(text + digits, (int)('a' + code % 26), n - (size_t)digits);
    return n;
}

static inline void shape_put_scalar(const spark_type *t, uint64_t code, void *out)
{
    const int64_t x = (int64_t)code;
    const float f = (float)code;
    const double d = (double)code;
    unsigned char *bytes = out;
    if (t->kind == SPARK_KIND_F32)
        memcpy(out, &f, sizeof f);
    else if (t->kind == SPARK_KIND_F64)
        memcpy(out, &d, sizeof d);
    else if (t->kind == SPARK_KIND_BLOB)
        for (uint32_t i = 0; i < t->size; i++)
            bytes[i] = (unsigned char)(i < 2 ? code >> (8 * i) : code * 31 + i);
    else
        memcpy(out, &x, t->size);
}

static inline uint64_t shape_peek_scalar(const spark_type *t, const void *p)
{
    uint64_t x = 0;
    float f;
    double d;
    if (t->kind == SPARK_KIND_F32)
        return memcpy(&f, p, sizeof f), f >= 0 && f < SHAPE_CODES ? (uint64_t)f : 0;
    if (t->kind == SPARK_KIND_F64)
        return memcpy(&d, p, sizeof d), d >= 0 && d < SHAPE_CODES ? (uint64_t)d : 0;
    memcpy(&x, p, t->size < 2 ? t->size : 2);
    return x;
}

static inline size_t shape_list_length(uint64_t code)
{
    return code == 0 ? 0 : 1 + code % 3;
}

static inline bool shape_is_long(const spark_field *f)
{
    return f->count > SHAPE_LONG; /* scalars only, all alike */
}

/* shape_put: the value of a code. task: whose spark_alloc is used; NULL: memory of shape_room. False:
 * the task has no memory. */
static inline bool shape_put(spark_task *task, const spark_type *t, uint64_t code, void *out);

static inline bool shape_put_view(
    spark_task *task, const spark_type *t, uint64_t code, spark_str *out)
{
    char text[512];
    const bool is_text = shape_is_text(t);
    const size_t n = is_text ? shape_text(code, text) : shape_list_length(code);
    const size_t size = n * (is_text ? 1 : t->of->size);
    char *room = NULL;
    if (size) { /* the room of a test is aligned less than a list of blobs may want */
        room = task ? spark_alloc(task, size + 64) : shape_room(size + 64);
        if (!room)
            return false;
        room += -(uintptr_t)room & 63;
    }
    *out = (spark_str) { room, n };
    if (is_text && n)
        memcpy(room, text, n);
    for (size_t i = 0; !is_text && i < n; i++)
        if (!shape_put(task, t->of, (code + i) % shape_codes(t->of), room + i * t->of->size))
            return false;
    return true;
}

static inline bool shape_put_members(
    spark_task *task, const spark_type *t, uint64_t code, char *out)
{
    for (uint32_t i = 0; i < t->count; i++) {
        const spark_field *f = &t->fields[i];
        const uint64_t codes = shape_codes(f->type);
        for (size_t j = 0; j < (f->count ? f->count : 1); j++)
            if (!shape_put(task, f->type, (shape_is_long(f) ? code : code + j) % codes,
                    out + f->offset + j * f->type->size))
                return false;
    }
    return true;
}

static inline bool shape_put(spark_task *task, const spark_type *t, uint64_t code, void *out)
{
    bool present = code != 0;
    if (shape_is_text(t) || t->kind == SPARK_KIND_LIST) {
        spark_str view = { NULL, 0 };
        const bool good = shape_put_view(task, t, code, &view);
        memcpy(out, &view, sizeof view);
        return good;
    }
    if (t->kind == SPARK_KIND_OPTIONAL) {
        memcpy(out, &present, sizeof present);
        return !present || shape_put(task, t->of, code, (char *)out + t->of->align);
    }
    if (t->count)
        return shape_put_members(task, t, code, out);
    shape_put_scalar(t, code, out);
    return true;
}

/* shape_peek: the code, from what carries it. */
static inline uint64_t shape_peek(const spark_type *t, const void *p)
{
    spark_str view;
    if (t->count) {
        const spark_field *f = shape_carrier(t);
        return shape_peek(f->type, (const char *)p + f->offset);
    }
    if (t->kind == SPARK_KIND_OPTIONAL)
        return *(const unsigned char *)p ? shape_peek(t->of, (const char *)p + t->of->align) : 0;
    if (!shape_is_text(t) && t->kind != SPARK_KIND_LIST)
        return shape_peek_scalar(t, p);
    memcpy(&view, p, sizeof view);
    if (view.len == 0)
        return 0;
    if (t->kind == SPARK_KIND_LIST)
        return shape_peek(t->of, view.ptr);
    uint64_t code = 0;
    for (size_t i = 0; i < view.len && view.ptr[i] >= '0' && view.ptr[i] <= '9'; i++)
        code = code * 10 + (uint64_t)(view.ptr[i] - '0');
    return code;
}

/* shape_is: whether all of the value is what shape_put makes of the code. */
static inline bool shape_is(const spark_type *t, uint64_t code, const void *p);

static inline bool shape_is_view(const spark_type *t, uint64_t code, const spark_str *view)
{
    char text[512];
    if (shape_is_text(t)) {
        const size_t n = shape_text(code, text);
        return view->len == n && (n == 0 || memcmp(view->ptr, text, n) == 0);
    }
    if (view->len != shape_list_length(code))
        return false;
    for (size_t i = 0; i < view->len; i++)
        if (!shape_is(t->of, (code + i) % shape_codes(t->of), view->ptr + i * t->of->size))
            return false;
    return true;
}

static inline bool shape_are_members(const spark_type *t, uint64_t code, const char *p)
{
    for (uint32_t i = 0; i < t->count; i++) {
        const spark_field *f = &t->fields[i];
        const uint64_t codes = shape_codes(f->type);
        const size_t size = f->type->size, n = shape_is_long(f) ? 1 : f->count ? f->count : 1;
        for (size_t j = 0; j < n; j++)
            if (!shape_is(f->type, (code + j) % codes, p + f->offset + j * size))
                return false;
        if (shape_is_long(f)
            && memcmp(p + f->offset, p + f->offset + size, (f->count - 1) * size) != 0)
            return false;
    }
    return true;
}

static inline bool shape_is(const spark_type *t, uint64_t code, const void *p)
{
    unsigned char scalar[256];
    spark_str view;
    if (t->count)
        return shape_are_members(t, code, p);
    if (t->kind == SPARK_KIND_OPTIONAL)
        return *(const unsigned char *)p == (code != 0)
            && (code == 0 || shape_is(t->of, code, (const char *)p + t->of->align));
    if (shape_is_text(t) || t->kind == SPARK_KIND_LIST) {
        memcpy(&view, p, sizeof view);
        return shape_is_view(t, code, &view);
    }
    shape_put_scalar(t, code, scalar);
    return memcmp(scalar, p, t->size) == 0;
}

/* shape_get: the code of a value; one that is not whole, or not where its type may stand, is
 * counted. */
static atomic_int shape_broken, shape_misplaced;

static inline uint64_t shape_get(const spark_type *t, const void *p)
{
    if ((uintptr_t)p % t->align != 0) {
        atomic_fetch_add(&shape_misplaced, 1);
        return 0;
    }
    const uint64_t code = shape_peek(t, p) % shape_codes(t);
    if (!shape_is(t, code, p))
        atomic_fetch_add(&shape_broken, 1);
    return code;
}

/* shape_value: a value outside tasks. */
static inline void *shape_value(const spark_type *t, uint64_t code)
{
    char *p = shape_room(t->size + 64);
    p += -(uintptr_t)p & 63;
    shape_put(NULL, t, code, p);
    return p;
}

#endif
