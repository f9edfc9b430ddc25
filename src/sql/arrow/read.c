/* SPDX-License-Identifier: Apache-2.0 */
/* Values of arrays as slots of rows. */
#include "sql/arrow/read.h"

#include "sql/eval/decimal.h"

/* ---- whether an array can be right */

static bool wrong(spk_failure *failure, const spk_arrow_in *in, const char *why)
{
    return spk_failure_set(failure, SPARK_EINVAL, NULL, NULL, "Arrow column \"%.100s\": %s", in->name, why) == SPARK_OK;
}

static const void *data_of(const struct ArrowArray *a, int which)
{
    return which < a->n_buffers ? a->buffers[which] : NULL;
}

static int64_t buffers_of(const spk_arrow_in *in)
{
    if (in->index_size)
        return 2;
    switch (in->how) {
    case SPK_READ_NULL:
        return 0;
    case SPK_READ_STRUCT:
    case SPK_READ_ARRAY:
        return 1;
    case SPK_READ_TEXT:
    case SPK_READ_LARGE:
    case SPK_READ_VIEW:
        return 3;
    default:
        return 2;
    }
}

static int64_t offset_at(const spk_arrow_in *in, const struct ArrowArray *a, int64_t i)
{
    const void *offsets = data_of(a, 1);
    if (in->how == SPK_READ_LARGE || in->how == SPK_READ_LARGE_LIST)
        return ((const int64_t *)offsets)[i];
    return ((const int32_t *)offsets)[i];
}

/* rising: the offsets of all values, up to `most`. */
static bool rising(const spk_arrow_in *in, const struct ArrowArray *a, int64_t most)
{
    const int64_t end = a->offset + a->length;
    if (a->length == 0)
        return true;
    if (!data_of(a, 1) || offset_at(in, a, a->offset) < 0 || offset_at(in, a, end) > most)
        return false;
    for (int64_t i = a->offset; i < end; i++)
        if (offset_at(in, a, i) > offset_at(in, a, i + 1))
            return false;
    return true;
}

static bool check(const spk_arrow_in *in, const struct ArrowArray *a, int64_t least, spk_failure *failure);

static bool check_list(const spk_arrow_in *in, const struct ArrowArray *a, spk_failure *failure)
{
    const struct ArrowArray *child = a->n_children == 1 && a->children ? a->children[0] : NULL;
    if (!child)
        return wrong(failure, in, "a list has one child");
    if (in->how == SPK_READ_ARRAY) {
        int64_t least;
        if (__builtin_mul_overflow(a->offset + a->length, in->width, &least))
            return wrong(failure, in, "it is too long");
        return check(&in->children[0], child, least, failure);
    }
    if (child->length < 0 || !rising(in, a, child->length))
        return wrong(failure, in, "its offsets fall, or end outside of its values");
    return check(&in->children[0], child, 0, failure);
}

static bool check(const spk_arrow_in *in, const struct ArrowArray *a, int64_t least, spk_failure *failure)
{
    static const int64_t most = INT64_MAX / 64;
    if (!a || a->length < 0 || a->offset < 0 || a->length > most || a->offset > most || a->length < least)
        return wrong(failure, in, "its length or offset cannot be right");
    const int64_t want = buffers_of(in);
    if (in->how == SPK_READ_VIEW && !in->index_size ? a->n_buffers < want : a->n_buffers != want)
        return wrong(failure, in, "its number of buffers is not that of its type");
    if (want > 0 && !a->buffers)
        return wrong(failure, in, "its buffers are missing");
    if (in->index_size) {
        spk_arrow_in values = *in;
        values.index_size = 0;
        if (a->length > 0 && !data_of(a, 1))
            return wrong(failure, in, "a buffer is missing");
        return a->dictionary ? check(&values, a->dictionary, 0, failure)
                             : wrong(failure, in, "its dictionary is missing");
    }
    switch (in->how) {
    case SPK_READ_NULL:
        return true;
    case SPK_READ_STRUCT:
        if (a->n_children != (int64_t)in->n || (in->n && !a->children))
            return wrong(failure, in, "its number of children is not that of its type");
        for (uint32_t i = 0; i < in->n; i++)
            if (!check(&in->children[i], a->children[i], a->offset + a->length, failure))
                return false;
        return true;
    case SPK_READ_LIST:
    case SPK_READ_LARGE_LIST:
    case SPK_READ_ARRAY:
        return check_list(in, a, failure);
    case SPK_READ_TEXT:
    case SPK_READ_LARGE:
        if (!rising(in, a, INT64_MAX))
            return wrong(failure, in, "its offsets fall, or are missing");
        return a->length == 0 || data_of(a, 2) || offset_at(in, a, a->offset + a->length) == 0
            || wrong(failure, in, "a buffer is missing");
    default:
        return a->length == 0 || data_of(a, 1) || wrong(failure, in, "a buffer is missing");
    }
}

bool spk_arrow_in_check(const spk_arrow_in *in, const struct ArrowArray *array, spk_failure *failure)
{
    return check(in, array, 0, failure);
}

/* ---- values */

typedef struct filling {
    spk_arena *arena;
    spk_failure *failure;
} filling;

static bool is_valid(const struct ArrowArray *a, int64_t i)
{
    const uint8_t *bits = a->null_count != 0 && a->n_buffers > 0 ? a->buffers[0] : NULL;
    return !bits || (bits[i >> 3] >> (i & 7) & 1);
}

static bool fails(const filling *f, const spk_arrow_in *in, const char *why)
{
    spk_failure_set(f->failure, SPARK_EINVAL, NULL, NULL, "Arrow column \"%.100s\": %s", in->name, why);
    return false;
}

static void *room(const filling *f, size_t size)
{
    void *p = spk_arena_alloc(f->arena, size ? size : 1, 16);
    if (!p)
        spk_failure_nomem(f->failure, NULL, NULL);
    return p;
}

static bool put_decimal(const filling *f, const spk_arrow_in *in, spk_i128 units, char *to)
{
    if (!spk_decimal_fits(units, in->type->precision))
        return fails(f, in, "a decimal has more digits than its type");
    if (in->type->size == sizeof(spk_sql_wide)) {
        const spk_sql_wide wide = spk_sql_wide_of(units);
        memcpy(to, &wide, sizeof wide);
    } else {
        const int64_t narrow = (int64_t)units;
        memcpy(to, &narrow, sizeof narrow);
    }
    return true;
}

static float half(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 1023;
    uint32_t bits = sign;
    float x;
    if (exponent == 31) {
        bits |= 0x7f800000u | fraction << 13;
    } else if (exponent) {
        bits |= (exponent + 112) << 23 | fraction << 13;
    } else { /* a multiple of 2^-24 */
        x = (float)fraction * 0x1p-24f;
        memcpy(&bits, &x, sizeof bits);
        bits |= sign;
    }
    memcpy(&x, &bits, sizeof x);
    return x;
}

static int64_t down(int64_t x, int64_t by)
{
    return x / by - (x % by < 0);
}

static bool scale(const filling *f, const spk_arrow_in *in, int64_t x, char *to)
{
    const int64_t day = INT64_C(86400000000000);
    if (in->factor < 0)
        x = down(x, -in->factor);
    else if (__builtin_mul_overflow(x, in->factor, &x))
        return fails(f, in, in->type->kind == SPK_SQL_TIME ? "a time is not of one day"
                                                           : "a time is too far from 1970 for microseconds");
    if (in->type->kind == SPK_SQL_TIME && (x < 0 || x >= day))
        return fails(f, in, "a time is not of one day");
    memcpy(to, &x, sizeof x);
    return true;
}

/* view: of Arrow's string views: up to 12 bytes in place, others in a buffer. */
static bool view(const filling *f, const spk_arrow_in *in, const struct ArrowArray *a, int64_t at, char *to)
{
    const char *v = (const char *)a->buffers[1] + at * 16;
    int32_t n, buffer, offset;
    memcpy(&n, v, 4);
    memcpy(&buffer, v + 8, 4);
    memcpy(&offset, v + 12, 4);
    spark_str text = { v + 4, (size_t)(n < 0 ? 0 : n) };
    if (n > 12) {
        const int64_t variadic = a->n_buffers - 3; /* the last buffer has their lengths */
        const int64_t *lengths = a->buffers[a->n_buffers - 1];
        if (buffer < 0 || buffer >= variadic || offset < 0 || !lengths || !a->buffers[2 + buffer]
            || offset + (int64_t)n > lengths[buffer])
            return fails(f, in, "a view is of no buffer");
        text.ptr = (const char *)a->buffers[2 + buffer] + offset;
    }
    memcpy(to, &text, sizeof text);
    return n >= 0 || fails(f, in, "a view has a negative length");
}

static bool slots_of(const filling *f, const spk_arrow_in *in, const struct ArrowArray *a, int64_t first, size_t n,
    char *slots, size_t stride);

static bool list(const filling *f, const spk_arrow_in *in, const struct ArrowArray *a, int64_t at, char *to)
{
    const spk_arrow_in *of = &in->children[0];
    const bool map = in->type->kind == SPK_SQL_MAP;
    const size_t size = map ? spk_sql_entry_size(in->type) : spk_sql_slot_size(of->type, of->nullable);
    const int64_t from = in->how == SPK_READ_ARRAY ? at * in->width : offset_at(in, a, at);
    const int64_t n = in->how == SPK_READ_ARRAY ? in->width : offset_at(in, a, at + 1) - from;
    spk_sql_array list = { NULL, (size_t)n };
    if (n == 0)
        return true;
    char *slots = (uint64_t)n > SIZE_MAX / 4 / size ? NULL : room(f, (size_t)n * size);
    if (!slots)
        return spk_failure_nomem(f->failure, NULL, NULL) == SPARK_OK;
    memset(slots, 0, (size_t)n * size);
    list.at = slots;
    memcpy(to, &list, sizeof list);
    const struct ArrowArray *child = a->children[0];
    if (!map)
        return slots_of(f, of, child, from, (size_t)n, slots, size);
    return slots_of(f, &of->children[0], child->children[0], child->offset + from, (size_t)n, slots, size)
        && slots_of(f, &of->children[1], child->children[1], child->offset + from, (size_t)n,
            slots + spk_sql_entry_value(in->type), size);
}

/* number: value `at` of data that is a number of another size or scale than the column's. */
static bool number(const filling *f, const spk_arrow_in *in, const char *data, int64_t at, char *to)
{
    switch (in->how) {
    case SPK_READ_U8: {
        const int16_t x = ((const uint8_t *)data)[at];
        memcpy(to, &x, sizeof x);
        return true;
    }
    case SPK_READ_U16: {
        uint16_t x;
        memcpy(&x, data + at * 2, 2);
        const int32_t wide = x;
        memcpy(to, &wide, sizeof wide);
        return true;
    }
    case SPK_READ_U32: {
        uint32_t x;
        memcpy(&x, data + at * 4, 4);
        const int64_t wide = x;
        memcpy(to, &wide, sizeof wide);
        return true;
    }
    case SPK_READ_U64: {
        uint64_t x;
        memcpy(&x, data + at * 8, 8);
        return put_decimal(f, in, (spk_i128)x, to);
    }
    case SPK_READ_HALF: {
        uint16_t x;
        memcpy(&x, data + at * 2, 2);
        const float y = half(x);
        memcpy(to, &y, sizeof y);
        return true;
    }
    case SPK_READ_I128: {
        uint64_t low;
        int64_t high;
        memcpy(&low, data + at * 16, 8);
        memcpy(&high, data + at * 16 + 8, 8);
        return put_decimal(f, in, (spk_i128)((spk_u128)(uint64_t)high << 64 | low), to);
    }
    case SPK_READ_I64: {
        int64_t x;
        memcpy(&x, data + at * 8, 8);
        return put_decimal(f, in, x, to);
    }
    case SPK_READ_I32: {
        int32_t x;
        memcpy(&x, data + at * 4, 4);
        return put_decimal(f, in, x, to);
    }
    case SPK_READ_SCALE: {
        int64_t x;
        memcpy(&x, data + at * 8, 8);
        return scale(f, in, x, to);
    }
    case SPK_READ_SCALE32: {
        int32_t x;
        memcpy(&x, data + at * 4, 4);
        return scale(f, in, x, to);
    }
    case SPK_READ_DAYS: {
        int64_t x;
        memcpy(&x, data + at * 8, 8);
        x = down(x, 86400000);
        const int32_t days = (int32_t)x;
        memcpy(to, &days, sizeof days);
        return days == x || fails(f, in, "a date is too far from 1970");
    }
    default:
        return true;
    }
}

/* value: number `at` of its buffers, which is there, to where it lies. */
static bool value(const filling *f, const spk_arrow_in *in, const struct ArrowArray *a, int64_t at, char *to)
{
    const char *data = data_of(a, 1);
    switch (in->how) {
    case SPK_READ_BIT:
        *to = (char)(((const uint8_t *)data)[at >> 3] >> (at & 7) & 1);
        return true;
    case SPK_READ_COPY:
        memcpy(to, data + at * in->type->size, in->type->size);
        return true;
    case SPK_READ_TEXT:
    case SPK_READ_LARGE: {
        const int64_t from = offset_at(in, a, at), end = offset_at(in, a, at + 1);
        const char *bytes = data_of(a, 2);
        const spark_str text = { bytes ? bytes + from : NULL, (size_t)(end - from) };
        memcpy(to, &text, sizeof text);
        return true;
    }
    case SPK_READ_VIEW:
        return view(f, in, a, at, to);
    case SPK_READ_BLOB: {
        const spark_str text = { data + at * in->width, (size_t)in->width };
        memcpy(to, &text, sizeof text);
        return true;
    }
    case SPK_READ_LIST:
    case SPK_READ_LARGE_LIST:
    case SPK_READ_ARRAY:
        return list(f, in, a, at, to);
    case SPK_READ_STRUCT:
        for (uint32_t i = 0; i < in->n; i++)
            if (!slots_of(f, &in->children[i], a->children[i], at, 1, to + in->type->fields[i].offset, 0))
                return false;
        return true;
    default:
        return number(f, in, data, at, to);
    }
}

static int64_t index_at(const spk_arrow_in *in, const struct ArrowArray *a, int64_t at)
{
    const char *data = data_of(a, 1);
    uint64_t x = 0;
    memcpy(&x, data + at * in->index_size, in->index_size);
    if (in->index_signed && in->index_size < 8 && x >> (in->index_size * 8 - 1))
        x |= UINT64_MAX << (in->index_size * 8);
    return (int64_t)x;
}

/* looked_up: of a dictionary: the value that the index is of. */
static bool looked_up(const filling *f, const spk_arrow_in *in, const struct ArrowArray *a, int64_t at, bool *present,
    char *to)
{
    const struct ArrowArray *values = a->dictionary;
    *present = is_valid(a, at);
    if (!*present)
        return true;
    const int64_t index = index_at(in, a, at);
    if (index < 0 || index >= values->length)
        return fails(f, in, "an index is not in its dictionary");
    *present = in->how != SPK_READ_NULL && is_valid(values, values->offset + index);
    return !*present || value(f, in, values, values->offset + index, to);
}

/* plain: whole columns of numbers, none of them null. */
static bool plain(const spk_arrow_in *in, const struct ArrowArray *a, int64_t from, size_t n, char *slots,
    size_t stride)
{
    const size_t size = in->type->size;
    const char *data = (const char *)data_of(a, 1) + (size_t)from * size;
    const size_t at = spk_sql_slot_value(in->type, in->nullable);
    for (size_t i = 0; in->nullable && i < n; i++)
        slots[i * stride] = 1;
    if (size == 8)
        for (size_t i = 0; i < n; i++)
            memcpy(slots + i * stride + at, data + i * 8, 8);
    else if (size == 4)
        for (size_t i = 0; i < n; i++)
            memcpy(slots + i * stride + at, data + i * 4, 4);
    else
        for (size_t i = 0; i < n; i++)
            memcpy(slots + i * stride + at, data + i * size, size);
    return true;
}

static bool slots_of(const filling *f, const spk_arrow_in *in, const struct ArrowArray *a, int64_t first, size_t n,
    char *slots, size_t stride)
{
    const int64_t from = a->offset + first;
    const size_t at = spk_sql_slot_value(in->type, in->nullable);
    if (n && in->how == SPK_READ_COPY && !in->index_size && (a->null_count == 0 || !data_of(a, 0)))
        return plain(in, a, from, n, slots, stride);
    for (size_t i = 0; i < n; i++) {
        char *slot = slots + i * stride;
        bool present = in->how != SPK_READ_NULL;
        if (in->index_size) {
            if (!looked_up(f, in, a, from + (int64_t)i, &present, slot + at))
                return false;
        } else if (present) {
            present = is_valid(a, from + (int64_t)i);
            if (present && !value(f, in, a, from + (int64_t)i, slot + at))
                return false;
        }
        if (in->nullable)
            *slot = present;
        else if (!present)
            return fails(f, in, "it has a null, and is declared without");
    }
    return true;
}

bool spk_arrow_in_fill(const spk_arrow_in *in, const struct ArrowArray *array, int64_t first, size_t n, char *slots,
    size_t stride, spk_arena *arena, spk_failure *failure)
{
    const filling f = { arena, failure };
    return slots_of(&f, in, array, first, n, slots, stride);
}
