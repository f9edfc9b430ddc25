/* SPDX-License-Identifier: Apache-2.0 */
/* Rows to arrays. Each array owns its buffers, so that a reader may keep a column and release the
 * others. A bitmap is made with the first null. */
#include <stdlib.h>

#include "sql/arrow/column.h"

typedef struct buffer {
    char *at;
    size_t n, room; /* bytes */
} buffer;

struct spk_arrow_builder {
    const spk_arrow_column *column;
    int64_t n, nulls;
    buffer valid, offsets, data;
    spk_arrow_builder *children;
};

static bool room(buffer *b, size_t more)
{
    enum { LEAST = 1024, ALIGN = 64 };
    if (more <= b->room - b->n)
        return true;
    size_t want = b->room ? b->room * 2 : LEAST;
    while (want < b->n + more)
        want *= 2;
    char *grown = aligned_alloc(ALIGN, want);
    if (!grown)
        return false;
    if (b->n)
        memcpy(grown, b->at, b->n);
    memset(grown + b->n, 0, want - b->n);
    free(b->at);
    b->at = grown;
    b->room = want;
    return true;
}

static bool put(buffer *b, const void *bytes, size_t n)
{
    if (!room(b, n))
        return false;
    if (n)
        memcpy(b->at + b->n, bytes, n);
    b->n += n;
    return true;
}

/* bits: for bits 0 to n - 1. */
static bool bits(buffer *b, int64_t n)
{
    const size_t bytes = ((size_t)n + 7) / 8;
    if (bytes > b->n && !room(b, bytes - b->n))
        return false;
    b->n = bytes > b->n ? bytes : b->n;
    return true;
}

static void set_bit(buffer *b, int64_t i)
{
    b->at[i >> 3] = (char)((unsigned char)b->at[i >> 3] | 1u << (i & 7));
}

/* mark: the next row is a value or a null. */
static bool mark(spk_arrow_builder *b, bool present)
{
    if (b->column->kind == SPK_ARROW_NULL || (present && !b->nulls)) {
        b->nulls += !present;
        b->n++;
        return true;
    }
    if (!bits(&b->valid, b->n + 1))
        return false;
    if (b->nulls == 0 && !present) {
        memset(b->valid.at, 0xff, (size_t)b->n / 8);
        for (int64_t i = b->n / 8 * 8; i < b->n; i++)
            set_bit(&b->valid, i);
    }
    if (present)
        set_bit(&b->valid, b->n);
    b->nulls += !present;
    b->n++;
    return true;
}

/* start_offsets: the 0 they begin with. */
static bool start_offsets(spk_arrow_builder *b)
{
    static const int32_t first = 0;
    return b->offsets.n || put(&b->offsets, &first, sizeof first);
}

static bool put_offset(spk_arrow_builder *b, int64_t offset)
{
    const int32_t small = (int32_t)offset;
    return offset <= INT32_MAX && start_offsets(b) && put(&b->offsets, &small, sizeof small);
}

static bool put_bytes(spk_arrow_builder *b, const char *bytes, size_t n)
{
    return n <= INT32_MAX && put(&b->data, bytes, n) && put_offset(b, (int64_t)b->data.n);
}

static bool add_null(spk_arrow_builder *b);

/* zero: a value for what is null: of the size that others have. */
static bool zero(spk_arrow_builder *b)
{
    static const char none[16];
    const spk_arrow_column *c = b->column;
    switch (c->kind) {
    case SPK_ARROW_NULL:
        return true;
    case SPK_ARROW_BOOL:
        return bits(&b->data, b->n + 1);
    case SPK_ARROW_FIXED:
        for (uint32_t i = 0; i < c->size; i += 16)
            if (!put(&b->data, none, c->size - i < 16 ? c->size - i : 16))
                return false;
        return true;
    case SPK_ARROW_LONG:
    case SPK_ARROW_WIDE:
        return put(&b->data, none, 16);
    case SPK_ARROW_BYTES:
    case SPK_ARROW_CHARS:
        return put_bytes(b, NULL, 0);
    case SPK_ARROW_LIST:
        return put_offset(b, b->children[0].n);
    case SPK_ARROW_ARRAY:
        for (uint32_t i = 0; i < c->count; i++)
            if (!add_null(&b->children[0]))
                return false;
        return true;
    default:
        for (uint32_t i = 0; i < c->n; i++)
            if (!add_null(&b->children[i]))
                return false;
        return true;
    }
}

static bool add_null(spk_arrow_builder *b)
{
    return zero(b) && mark(b, !b->column->nullable && b->column->kind != SPK_ARROW_NULL);
}

static bool add(spk_arrow_builder *b, const char *rows, size_t stride, size_t n);

/* add_value: one that is there. */
static bool add_value(spk_arrow_builder *b, const char *value)
{
    const spk_arrow_column *c = b->column;
    switch (c->kind) {
    case SPK_ARROW_BOOL:
        if (!bits(&b->data, b->n + 1))
            return false;
        if (*value)
            set_bit(&b->data, b->n);
        return true;
    case SPK_ARROW_FIXED:
        return put(&b->data, value, c->size);
    case SPK_ARROW_LONG: {
        int64_t halves[2];
        memcpy(&halves[0], value, sizeof halves[0]);
        halves[1] = halves[0] < 0 ? -1 : 0;
        return put(&b->data, halves, sizeof halves);
    }
    case SPK_ARROW_WIDE: {
        spk_sql_wide wide;
        memcpy(&wide, value, sizeof wide);
        return put(&b->data, &wide.low, 8) && put(&b->data, &wide.high, 8);
    }
    case SPK_ARROW_BYTES: {
        spark_str text;
        memcpy(&text, value, sizeof text);
        return put_bytes(b, text.ptr, text.len);
    }
    case SPK_ARROW_CHARS:
        return put_bytes(b, value, strnlen(value, c->size));
    case SPK_ARROW_LIST: {
        spk_sql_array list;
        memcpy(&list, value, sizeof list);
        return add(&b->children[0], list.at, c->size, list.n) && put_offset(b, b->children[0].n);
    }
    case SPK_ARROW_ARRAY:
        return add(&b->children[0], value, c->size, c->count);
    case SPK_ARROW_STRUCT:
        for (uint32_t i = 0; i < c->n; i++)
            if (!add(&b->children[i], value, 0, 1))
                return false;
        return true;
    default:
        return true;
    }
}

/* add_fixed: many numbers, none of them null. */
static bool add_fixed(spk_arrow_builder *b, const char *values, size_t stride, size_t n)
{
    const size_t size = b->column->size;
    if (n > SIZE_MAX / 2 / (size + 1) || !room(&b->data, n * size))
        return false;
    char *to = b->data.at + b->data.n;
    if (size == 8)
        for (size_t i = 0; i < n; i++)
            memcpy(to + i * 8, values + i * stride, 8);
    else if (size == 4)
        for (size_t i = 0; i < n; i++)
            memcpy(to + i * 4, values + i * stride, 4);
    else
        for (size_t i = 0; i < n; i++)
            memcpy(to + i * size, values + i * stride, size);
    b->data.n += n * size;
    b->n += (int64_t)n;
    return true;
}

static bool add(spk_arrow_builder *b, const char *rows, size_t stride, size_t n)
{
    const spk_arrow_column *c = b->column;
    if (c->kind == SPK_ARROW_FIXED && !c->nullable && !b->nulls)
        return add_fixed(b, rows + c->value, stride, n);
    if (c->kind == SPK_ARROW_STRUCT && !c->nullable && !b->nulls) {
        for (uint32_t i = 0; i < c->n; i++)
            if (!add(&b->children[i], rows + c->value, stride, n))
                return false;
        b->n += (int64_t)n;
        return true;
    }
    for (size_t i = 0; i < n; i++) {
        const char *row = rows + i * stride;
        if (c->kind == SPK_ARROW_NULL || (c->nullable && !row[c->offset])) {
            if (!add_null(b))
                return false;
        } else if (!add_value(b, row + c->value) || !mark(b, true)) {
            return false;
        }
    }
    return true;
}

/* ---- life */

static void empty(spk_arrow_builder *b)
{
    free(b->valid.at);
    free(b->offsets.at);
    free(b->data.at);
    b->valid = b->offsets = b->data = (buffer) { NULL, 0, 0 };
    b->n = b->nulls = 0;
    for (uint32_t i = 0; b->children && i < b->column->n; i++)
        empty(&b->children[i]);
}

static void close_builder(spk_arrow_builder *b)
{
    for (uint32_t i = 0; b->children && i < b->column->n; i++)
        close_builder(&b->children[i]);
    free(b->children);
}

static bool open_builder(spk_arrow_builder *b, const spk_arrow_column *column)
{
    b->column = column;
    b->children = calloc(column->n + 1, sizeof *b->children);
    for (uint32_t i = 0; b->children && i < column->n; i++)
        b->children[i].column = &column->children[i];
    for (uint32_t i = 0; b->children && i < column->n; i++)
        if (!open_builder(&b->children[i], &column->children[i]))
            return false;
    return b->children != NULL;
}

spk_arrow_builder *spk_arrow_builder_new(const spk_arrow_column *column)
{
    spk_arrow_builder *b = calloc(1, sizeof *b);
    if (b && !open_builder(b, column)) {
        spk_arrow_builder_free(b);
        return NULL;
    }
    return b;
}

void spk_arrow_builder_free(spk_arrow_builder *b)
{
    if (!b)
        return;
    empty(b);
    close_builder(b);
    free(b);
}

bool spk_arrow_add(spk_arrow_builder *builder, const char *rows, size_t stride, size_t n)
{
    return add(builder, rows, stride, n);
}

int64_t spk_arrow_count(const spk_arrow_builder *builder)
{
    return builder->n;
}

/* ---- arrays */

/* owned: what an array frees. */
typedef struct owned {
    const void *buffers[3];
    void *freed[3];
} owned;

static void release_array(struct ArrowArray *array)
{
    owned *o = array->private_data;
    for (int64_t i = 0; i < array->n_children; i++) {
        if (array->children[i] && array->children[i]->release)
            array->children[i]->release(array->children[i]);
        free(array->children[i]);
    }
    free(array->children);
    for (int i = 0; i < 3; i++)
        free(o->freed[i]);
    free(o);
    array->release = NULL;
}

static void give(owned *o, struct ArrowArray *out, buffer *b)
{
    o->freed[out->n_buffers] = b->at;
    o->buffers[out->n_buffers++] = b->at;
    *b = (buffer) { NULL, 0, 0 };
}

static bool has_offsets(spk_arrow_kind kind)
{
    return kind == SPK_ARROW_BYTES || kind == SPK_ARROW_CHARS || kind == SPK_ARROW_LIST;
}

static bool has_data(spk_arrow_kind kind)
{
    return kind != SPK_ARROW_NULL && kind != SPK_ARROW_LIST && kind != SPK_ARROW_ARRAY && kind != SPK_ARROW_STRUCT;
}

/* prepare: no buffer but the bitmap is NULL, for there are readers that want it so. */
static bool prepare(spk_arrow_builder *b)
{
    return (!has_offsets(b->column->kind) || start_offsets(b)) && (!has_data(b->column->kind) || room(&b->data, 1));
}

static bool finish(spk_arrow_builder *b, struct ArrowArray *out)
{
    const spk_arrow_column *c = b->column;
    owned *o = calloc(1, sizeof *o);
    memset(out, 0, sizeof *out);
    if (!o || !prepare(b)) {
        free(o);
        return false;
    }
    *out = (struct ArrowArray) { .length = b->n, .null_count = b->nulls, .buffers = o->buffers,
        .release = release_array, .private_data = o };
    if (c->kind != SPK_ARROW_NULL)
        give(o, out, &b->valid);
    if (has_offsets(c->kind))
        give(o, out, &b->offsets);
    if (has_data(c->kind))
        give(o, out, &b->data);
    b->n = b->nulls = 0;
    if (c->n && !(out->children = calloc(c->n, sizeof *out->children))) {
        release_array(out);
        return false;
    }
    for (uint32_t i = 0; i < c->n; i++) {
        out->n_children = i + 1;
        out->children[i] = malloc(sizeof *out->children[i]);
        if (!out->children[i] || !finish(&b->children[i], out->children[i])) {
            release_array(out);
            return false;
        }
    }
    return true;
}

bool spk_arrow_finish(spk_arrow_builder *builder, struct ArrowArray *out)
{
    if (finish(builder, out))
        return true;
    empty(builder);
    memset(out, 0, sizeof *out);
    return false;
}
