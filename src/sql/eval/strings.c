/* SPDX-License-Identifier: Apache-2.0 */
/* Functions on strings. Positions count code points, from 1. */
#include "sql/eval/compare.h"
#include "sql/eval/kernel.h"
#include "sql/eval/resolve.h"
#include "sql/eval/text.h"
#include "sql/eval/utf8.h"

#define S(a, i) SPK_SQL_ARG(spark_str, f, a, i)
#define I(a, i) SPK_SQL_ARG(int32_t, f, a, i)
#define OUT_S(i) SPK_SQL_OUT(spark_str, f, i)

static spark_str slice(spark_str s, size_t from, size_t to)
{
    return (spark_str) { s.ptr + from, to > from ? to - from : 0 };
}

/* give: what was put together becomes row i; false: no memory. */
static bool give(spk_sql_frame *f, uint32_t i, spk_text *t)
{
    if (t->failed) {
        spk_sql_no_room(f);
        return false;
    }
    OUT_S(i) = (spark_str) { t->at ? t->at : "", t->n };
    return true;
}

/* find: the first place of `what` at or behind `from`; SIZE_MAX: none. */
static size_t find(spark_str s, spark_str what, size_t from)
{
    if (what.len == 0)
        return from <= s.len ? from : SIZE_MAX;
    if (from >= s.len || s.len - from < what.len)
        return SIZE_MAX;
    const char *at = memmem(s.ptr + from, s.len - from, what.ptr, what.len);
    return at ? (size_t)(at - s.ptr) : SIZE_MAX;
}

/* ---- lengths ---- */

static void length(spk_sql_frame *f)
{
    const bool bytes = f->expr->args[0]->type->kind == SPK_SQL_BINARY;
    SPK_EACH_ROW(f, i)
    SPK_SQL_OUT(int32_t, f, i)
        = (int32_t)(bytes ? S(0, i).len : spk_utf8_count(S(0, i).ptr, S(0, i).len));
}

static void octet_length(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    SPK_SQL_OUT(int32_t, f, i) = (int32_t)S(0, i).len;
}

static void bit_length(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    SPK_SQL_OUT(int32_t, f, i) = (int32_t)(8 * S(0, i).len);
}

/* ---- case ---- */

static void change_case(spk_sql_frame *f, spk_case to)
{
    SPK_EACH_ROW(f, i)
    {
        const spark_str s = S(0, i);
        char *out = spk_sql_alloc(f, 3 * s.len + 1, 1);
        if (!out)
            return;
        OUT_S(i) = (spark_str) { out, spk_utf8_case(s, to, out) };
    }
}

static void upper(spk_sql_frame *f)
{
    change_case(f, SPK_UPPER);
}

static void lower(spk_sql_frame *f)
{
    change_case(f, SPK_LOWER);
}

static void initcap(spk_sql_frame *f)
{
    change_case(f, SPK_TITLE);
}

static void reverse(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spark_str s = S(0, i);
        char *out = spk_sql_alloc(f, s.len + 1, 1);
        if (!out)
            return;
        for (size_t k = 0, size; k < s.len; k += size) {
            size = spk_utf8_size(s.ptr + k, s.len - k);
            memcpy(out + s.len - k - size, s.ptr + k, size);
        }
        OUT_S(i) = (spark_str) { out, s.len };
    }
}

/* ---- pieces ---- */

/* piece: code points from pos (1 the first, 0 as 1, negative from the end), len of them. */
static spark_str piece(spark_str s, int64_t pos, int64_t len, bool bytes)
{
    const int64_t n = (int64_t)(bytes ? s.len : spk_utf8_count(s.ptr, s.len));
    int64_t from = pos > 0 ? pos - 1 : pos < 0 ? n + pos : 0;
    int64_t to = len > INT64_MAX / 2 ? INT64_MAX : from + len;
    if (to > n)
        to = n;
    if (from < 0)
        from = 0;
    if (from >= to)
        return (spark_str) { s.ptr, 0 };
    if (bytes)
        return slice(s, (size_t)from, (size_t)to);
    const size_t at = spk_utf8_at(s.ptr, s.len, (size_t)from);
    return slice(s, at, at + spk_utf8_at(s.ptr + at, s.len - at, (size_t)(to - from)));
}

static void substring(spk_sql_frame *f)
{
    const bool bytes = f->expr->type->kind == SPK_SQL_BINARY;
    SPK_EACH_ROW(f, i)
    OUT_S(i) = piece(S(0, i), I(1, i), f->n_args > 2 ? I(2, i) : INT64_MAX, bytes);
}

static void left(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    OUT_S(i) = piece(S(0, i), 1, I(1, i), f->expr->type->kind == SPK_SQL_BINARY);
}

static void right(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    OUT_S(i) = I(1, i) <= 0 ? (spark_str) { "", 0 }
                            : piece(S(0, i), -(int64_t)I(1, i), INT64_MAX, false);
}

static void substring_index(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spark_str s = S(0, i), by = S(1, i);
        int64_t count = I(2, i);
        size_t at = 0;
        if (count == 0 || by.len == 0) {
            OUT_S(i) = (spark_str) { "", 0 };
            continue;
        }
        OUT_S(i) = s;
        if (count > 0) {
            for (size_t from = 0;; from = at + 1) {
                at = find(s, by, from);
                if (at == SIZE_MAX)
                    break;
                if (--count == 0) {
                    OUT_S(i) = slice(s, 0, at);
                    break;
                }
            }
            continue;
        }
        for (at = s.len >= by.len ? s.len - by.len + 1 : 0; at-- > 0;)
            if (memcmp(s.ptr + at, by.ptr, by.len) == 0 && ++count == 0) {
                OUT_S(i) = slice(s, at + by.len, s.len);
                break;
            }
    }
}

/* ---- trimming ---- */

static bool among(spark_str set, const char *p, size_t n)
{
    for (size_t k = 0, size; k < set.len; k += size) {
        size = spk_utf8_size(set.ptr + k, set.len - k);
        if (size == n && memcmp(set.ptr + k, p, n) == 0)
            return true;
    }
    return false;
}

static spark_str trimmed(spark_str s, spark_str set, bool front, bool back)
{
    size_t size;
    while (front && s.len > 0 && among(set, s.ptr, size = spk_utf8_size(s.ptr, s.len)))
        s = slice(s, size, s.len);
    while (back && s.len > 0) {
        size_t at = s.len - 1;
        while (at > 0 && ((unsigned char)s.ptr[at] & 0xc0) == 0x80)
            at--;
        if (!among(set, s.ptr + at, s.len - at))
            break;
        s.len = at;
    }
    return s;
}

/* trim(s), and trim(set, s), which is TRIM(BOTH set FROM s); btrim(s, set) has them the other way
 * round. */
static void trim(spk_sql_frame *f)
{
    const char *name = f->expr->function->name;
    const bool front = *name != 'r', back = *name != 'l', turned = *name == 'b';
    SPK_EACH_ROW(f, i)
    {
        const spark_str set = f->n_args == 1 ? (spark_str) { " ", 1 } : S(turned ? 1 : 0, i);
        OUT_S(i) = trimmed(S(f->n_args == 1 || turned ? 0 : 1, i), set, front, back);
    }
}

/* ---- padding, repeating ---- */

static void pad(spk_sql_frame *f)
{
    const bool front = f->expr->function->name[0] == 'l', binary = f->expr->type->kind == SPK_SQL_BINARY;
    SPK_EACH_ROW(f, i)
    {
        const spark_str s = S(0, i), with = f->n_args > 2 ? S(2, i) : (spark_str) { binary ? "" : " ", 1 };
        const int64_t want = I(1, i) > 0 ? I(1, i) : 0;
        const int64_t have = (int64_t)(binary ? s.len : spk_utf8_count(s.ptr, s.len));
        if (have >= want || with.len == 0) {
            OUT_S(i) = slice(s, 0, binary ? (size_t)(want < have ? want : have) : spk_utf8_at(s.ptr, s.len, (size_t)want));
            continue;
        }
        const size_t more = (size_t)(want - have), each = binary ? with.len : spk_utf8_count(with.ptr, with.len);
        const size_t rest = binary ? more % each : spk_utf8_at(with.ptr, with.len, more % each);
        const size_t size = more / each * with.len + rest;
        char *out = spk_sql_alloc(f, s.len + size + 1, 1);
        if (!out)
            return;
        char *at = out + (front ? 0 : s.len);
        for (size_t k = 0; k < size; k += with.len)
            memcpy(at + k, with.ptr, size - k < with.len ? size - k : with.len);
        if (s.len > 0)
            memcpy(out + (front ? size : 0), s.ptr, s.len);
        OUT_S(i) = (spark_str) { out, s.len + size };
    }
}

static void repeat(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spark_str s = S(0, i);
        const size_t n = I(1, i) > 0 ? (size_t)I(1, i) : 0;
        char *out = spk_sql_alloc(f, s.len * n + 1, 1);
        if (!out)
            return;
        for (size_t k = 0; k < n && s.len > 0; k++)
            memcpy(out + k * s.len, s.ptr, s.len);
        OUT_S(i) = (spark_str) { out, s.len * n };
    }
}

static void space(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const size_t n = I(0, i) > 0 ? (size_t)I(0, i) : 0;
        char *out = spk_sql_alloc(f, n + 1, 1);
        if (!out)
            return;
        memset(out, ' ', n);
        OUT_S(i) = (spark_str) { out, n };
    }
}

/* ---- concat ---- */

static void concat(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        size_t n = 0;
        for (uint32_t a = 0; a < f->n_args; a++)
            n += S(a, i).len;
        char *out = spk_sql_alloc(f, n + 1, 1);
        if (!out)
            return;
        n = 0;
        for (uint32_t a = 0; a < f->n_args; a++) {
            const spark_str s = S(a, i);
            if (s.len > 0)
                memcpy(out + n, s.ptr, s.len);
            n += s.len;
        }
        OUT_S(i) = (spark_str) { out, n };
    }
}

static SPK_COLD bool resolve_concat(spk_sql_build *b, spk_sql_expr *call)
{
    bool binary = call->n > 0, array = call->n > 0;
    for (uint32_t i = 0; i < call->n; i++) {
        binary &= call->args[i]->type->kind == SPK_SQL_BINARY;
        array &= call->args[i]->type->kind == SPK_SQL_ARRAY
            || call->args[i]->type->kind == SPK_SQL_VOID;
    }
    if (array && call->n > 0 && call->args[0]->type->kind == SPK_SQL_ARRAY)
        return spk_sql_resolve_concat_arrays(b, call);
    call->type = spk_sql_type_of(binary ? SPK_SQL_BINARY : SPK_SQL_STRING);
    for (uint32_t i = 0; i < call->n; i++) {
        if (!spk_sql_is_atomic(call->args[i]->type) && call->args[i]->type->kind != SPK_SQL_VOID)
            return spk_sql_data_diff(b, call);
        call->args[i] = spk_sql_coerce(b, call->args[i], call->type);
        if (!call->args[i])
            return false;
    }
    call->kernel = concat;
    return true;
}

static void concat_ws(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        spk_text out = spk_text_new(f->arena);
        bool first = true;
        f->out_valid[i] = spk_sql_valid(&f->args[0], i);
        if (!f->out_valid[i])
            continue;
        const spark_str by = S(0, i);
        for (uint32_t a = 1; a < f->n_args; a++) {
            const spk_sql_type *t = f->expr->args[a]->type;
            if (!spk_sql_valid(&f->args[a], i))
                continue;
            const bool list = t->kind == SPK_SQL_ARRAY;
            const spk_sql_array all
                = list ? SPK_SQL_ARG(spk_sql_array, f, a, i) : (spk_sql_array) { NULL, 1 };
            for (size_t k = 0; k < all.n; k++) {
                const spark_str *s = list ? spk_sql_slot(t, all, k) : &S(a, i);
                if (!s)
                    continue;
                if (!first)
                    spk_text_bytes(&out, by.ptr, by.len);
                spk_text_bytes(&out, s->ptr, s->len);
                first = false;
            }
        }
        if (!give(f, i, &out))
            return;
    }
}

static SPK_COLD bool resolve_concat_ws(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = spk_sql_type_of(SPK_SQL_STRING);
    for (uint32_t i = 0; i < call->n; i++) {
        const spk_sql_type *t = call->args[i]->type;
        if (i > 0 && t->kind == SPK_SQL_ARRAY) {
            const spk_sql_type *want = spk_sql_type_array(b->arena, call->type, t->contains_null);
            call->args[i] = want ? spk_sql_coerce(b, call->args[i], want) : NULL;
            if (!call->args[i])
                return false;
        } else if (!spk_sql_want(b, call, i, 's')) {
            return false;
        }
    }
    call->nullable = call->args[0]->nullable;
    return true;
}

/* ---- finding, replacing ---- */

static int32_t place(spark_str s, size_t at)
{
    return at == SIZE_MAX ? 0 : (int32_t)spk_utf8_count(s.ptr, at) + 1;
}

static void instr(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    SPK_SQL_OUT(int32_t, f, i) = place(S(0, i), find(S(0, i), S(1, i), 0));
}

static void locate(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spark_str what = S(0, i), s = S(1, i);
        const int32_t from = f->n_args > 2 ? I(2, i) : 1;
        SPK_SQL_OUT(int32_t, f, i)
            = from < 1 ? 0 : place(s, find(s, what, spk_utf8_at(s.ptr, s.len, (size_t)from - 1)));
    }
}

static void replace(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spark_str s = S(0, i), what = S(1, i),
                        with = f->n_args > 2 ? S(2, i) : (spark_str) { "", 0 };
        size_t at = what.len == 0 ? SIZE_MAX : find(s, what, 0), from = 0;
        if (at == SIZE_MAX) {
            OUT_S(i) = s;
            continue;
        }
        spk_text out = spk_text_new(f->arena);
        for (; at != SIZE_MAX; at = find(s, what, from)) {
            spk_text_bytes(&out, s.ptr + from, at - from);
            spk_text_bytes(&out, with.ptr, with.len);
            from = at + what.len;
        }
        spk_text_bytes(&out, s.ptr + from, s.len - from);
        if (!give(f, i, &out))
            return;
    }
}

static void translate(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spark_str s = S(0, i), from = S(1, i), to = S(2, i);
        spk_text out = spk_text_new(f->arena);
        for (size_t k = 0, size; k < s.len; k += size) {
            size = spk_utf8_size(s.ptr + k, s.len - k);
            size_t at = 0, index = 0, step;
            for (; at < from.len; at += step, index++) {
                step = spk_utf8_size(from.ptr + at, from.len - at);
                if (step == size && memcmp(from.ptr + at, s.ptr + k, size) == 0)
                    break;
            }
            if (at >= from.len) {
                spk_text_bytes(&out, s.ptr + k, size);
                continue;
            }
            const size_t with = spk_utf8_at(to.ptr, to.len, index);
            if (with < to.len)
                spk_text_bytes(&out, to.ptr + with, spk_utf8_size(to.ptr + with, to.len - with));
        }
        if (!give(f, i, &out))
            return;
    }
}

static void overlay(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spark_str s = S(0, i), with = S(1, i);
        const int64_t pos = I(2, i);
        int64_t len = f->n_args > 3 ? I(3, i) : -1;
        if (len < 0)
            len = (int64_t)spk_utf8_count(with.ptr, with.len);
        const spark_str front = piece(s, 1, pos - 1, false),
                        back = piece(s, pos + len, INT64_MAX, false);
        spk_text out = spk_text_new(f->arena);
        spk_text_bytes(&out, front.ptr, front.len);
        spk_text_bytes(&out, with.ptr, with.len);
        spk_text_bytes(&out, back.ptr, back.len);
        if (!give(f, i, &out))
            return;
    }
}

static void split_part(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spark_str s = S(0, i), by = S(1, i);
        int64_t n = I(2, i), parts = 1;
        if (n == 0) {
            spk_sql_param(spk_sql_raise(f, "INVALID_INDEX_OF_ZERO"), "indexOf", "0");
            return;
        }
        for (size_t at = 0; by.len > 0 && (at = find(s, by, at)) != SIZE_MAX; at += by.len)
            parts++;
        n = n < 0 ? parts + n + 1 : n;
        if (n < 1 || n > parts) {
            OUT_S(i) = (spark_str) { "", 0 };
            continue;
        }
        size_t from = 0, to = by.len > 0 ? find(s, by, 0) : SIZE_MAX;
        for (; n > 1; n--) {
            from = to + by.len;
            to = find(s, by, from);
        }
        OUT_S(i) = slice(s, from, to == SIZE_MAX ? s.len : to);
    }
}

static void startswith(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    SPK_SQL_OUT(bool, f, i) = S(0, i).len >= S(1, i).len
        && (S(1, i).len == 0 || memcmp(S(0, i).ptr, S(1, i).ptr, S(1, i).len) == 0);
}

static void endswith(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spark_str s = S(0, i), end = S(1, i);
        SPK_SQL_OUT(bool, f, i) = s.len >= end.len
            && (end.len == 0 || memcmp(s.ptr + s.len - end.len, end.ptr, end.len) == 0);
    }
}

static void contains(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    SPK_SQL_OUT(bool, f, i) = find(S(0, i), S(1, i), 0) != SIZE_MAX;
}

static void find_in_set(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spark_str what = S(0, i), s = S(1, i);
        int32_t n = 1, found = 0;
        size_t from = 0;
        if (!memchr(what.len > 0 ? what.ptr : "x", ',', what.len > 0 ? what.len : 1))
            for (size_t at = 0; at <= s.len && found == 0; at++)
                if (at == s.len || s.ptr[at] == ',') {
                    if (at - from == what.len
                        && (what.len == 0 || memcmp(s.ptr + from, what.ptr, what.len) == 0))
                        found = n;
                    from = at + 1;
                    n++;
                }
        SPK_SQL_OUT(int32_t, f, i) = found;
    }
}

/* ---- others ---- */

static void ascii(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        size_t size;
        const spark_str s = S(0, i);
        const uint32_t c = s.len > 0 ? spk_utf8_read(s.ptr, s.len, &size) : 0;
        SPK_SQL_OUT(int32_t, f, i) = (int32_t)c;
    }
}

static void chr(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const int64_t n = SPK_SQL_ARG(int64_t, f, 0, i);
        char *out = spk_sql_alloc(f, 4, 1);
        if (!out)
            return;
        OUT_S(i) = (spark_str) { out, n < 0 ? 0 : spk_utf8_write((uint32_t)(n & 255), out) };
    }
}

static void elt(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        f->out_valid[i] = spk_sql_valid(&f->args[0], i);
        if (!f->out_valid[i])
            continue;
        const int32_t n = I(0, i);
        if (n < 1 || (uint32_t)n >= f->n_args) {
            spk_sql_error *e = spk_sql_raise(f, "INVALID_ARRAY_INDEX");
            spk_sql_param(e, "arraySize", "%u", f->n_args - 1);
            spk_sql_param(e, "indexValue", "%d", n);
            return;
        }
        f->out_valid[i] = spk_sql_valid(&f->args[n], i);
        if (f->out_valid[i])
            OUT_S(i) = S(n, i);
    }
}

static void levenshtein(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spark_str a = S(0, i), b = S(1, i);
        const size_t m = spk_utf8_count(b.ptr, b.len);
        uint32_t *row = spk_sql_alloc(f, 2 * (m + 1) * sizeof *row, 4),
                 *codes = row ? row + m + 1 : NULL;
        if (!row)
            return;
        size_t size, at = 0;
        for (size_t k = 0; k < m; k++, at += size)
            codes[k] = spk_utf8_read(b.ptr + at, b.len - at, &size);
        for (size_t k = 0; k <= m; k++)
            row[k] = (uint32_t)k;
        uint32_t line = 0;
        for (at = 0; at < a.len; at += size) {
            const uint32_t c = spk_utf8_read(a.ptr + at, a.len - at, &size);
            uint32_t corner = line++;
            if (line % 64 == 0 && spk_sql_stops(f))
                return;
            row[0] = line;
            for (size_t k = 1; k <= m; k++) {
                const uint32_t above = row[k], same = corner + (codes[k - 1] != c);
                const uint32_t step = (above < row[k - 1] ? above : row[k - 1]) + 1;
                corner = above;
                row[k] = same < step ? same : step;
            }
        }
        const int32_t d = (int32_t)row[m];
        SPK_SQL_OUT(int32_t, f, i) = f->n_args > 2 && d > I(2, i) ? -1 : d;
    }
}

static void soundex(spk_sql_frame *f)
{
    static const char codes[]
        = "01230127022455012623017202"; /* 7: H and W, which are passed over */
    SPK_EACH_ROW(f, i)
    {
        const spark_str s = S(0, i);
        OUT_S(i) = s;
        if (s.len == 0 || !((s.ptr[0] | 0x20) >= 'a' && (s.ptr[0] | 0x20) <= 'z'))
            continue;
        char *out = spk_sql_alloc(f, 4, 1);
        if (!out)
            return;
        size_t n = 1;
        out[0] = (char)(s.ptr[0] & ~0x20);
        char last = codes[out[0] - 'A'];
        for (size_t k = 1; k < s.len && n < 4; k++) {
            const char c = (char)(s.ptr[k] & ~0x20);
            if (c < 'A' || c > 'Z') {
                last = '0';
                continue;
            }
            const char code = codes[c - 'A'];
            if (code == '7')
                continue;
            if (code != '0' && code != last)
                out[n++] = code;
            last = code;
        }
        while (n < 4)
            out[n++] = '0';
        OUT_S(i) = (spark_str) { out, 4 };
    }
}

static void luhn(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spark_str s = S(0, i);
        int sum = 0;
        bool good = s.len > 0, twice = false;
        for (size_t k = s.len; k-- > 0 && good; twice = !twice) {
            int d = s.ptr[k] - '0';
            good = d >= 0 && d <= 9;
            d = twice ? 2 * d : d;
            sum += d > 9 ? d - 9 : d;
        }
        SPK_SQL_OUT(bool, f, i) = good && sum % 10 == 0;
    }
}

#define F(name_, signature_, least_, most_, kernel_)                                               \
    {                                                                                              \
        .name = name_, .signature = signature_, .least = least_, .most = most_, .kernel = kernel_  \
    }

const spk_sql_function spk_sql_strings[] = { F("length", "t:i", 1, 1, length),
    F("char_length", "t:i", 1, 1, length), F("character_length", "t:i", 1, 1, length),
    F("len", "t:i", 1, 1, length), F("octet_length", "t:i", 1, 1, octet_length),
    F("bit_length", "t:i", 1, 1, bit_length), F("upper", "s:s", 1, 1, upper),
    F("ucase", "s:s", 1, 1, upper), F("lower", "s:s", 1, 1, lower), F("lcase", "s:s", 1, 1, lower),
    F("initcap", "s:s", 1, 1, initcap), F("reverse_string", "s:s", 1, 1, reverse),
    F("substring", "tii:a", 2, 3, substring), F("substr", "tii:a", 2, 3, substring),
    F("mid", "tii:a", 2, 3, substring), F("left", "ti:a", 2, 2, left),
    F("right", "si:s", 2, 2, right), F("substring_index", "ssi:s", 3, 3, substring_index),
    F("trim", "ss:s", 1, 2, trim), F("ltrim", "ss:s", 1, 2, trim), F("rtrim", "ss:s", 1, 2, trim),
    F("btrim", "tt:a", 1, 2, trim), F("lpad", "tit:a", 2, 3, pad), F("rpad", "tit:a", 2, 3, pad),
    F("repeat", "si:s", 2, 2, repeat), F("space", "i:s", 1, 1, space),
    { .name = "concat", .least = 0, .most = -1, .resolve = resolve_concat },
    { .name = "||", .least = 2, .most = 2, .resolve = resolve_concat, .printed = "concat" },
    { .name = "concat_ws",
        .least = 1,
        .most = -1,
        .flags = SPK_SQL_NULL_AWARE,
        .resolve = resolve_concat_ws,
        .kernel = concat_ws },
    F("instr", "ss:i", 2, 2, instr), F("locate", "ssi:i", 2, 3, locate),
    F("position", "ssi:i", 2, 3, locate), F("replace", "sss:s", 2, 3, replace),
    F("translate", "sss:s", 3, 3, translate), F("overlay", "ttii:a", 3, 4, overlay),
    F("split_part", "ssi:s", 3, 3, split_part), F("startswith", "tt:b", 2, 2, startswith),
    F("endswith", "tt:b", 2, 2, endswith), F("contains", "tt:b", 2, 2, contains),
    F("find_in_set", "ss:i", 2, 2, find_in_set), F("ascii", "s:i", 1, 1, ascii),
    F("chr", "l:s", 1, 1, chr), F("char", "l:s", 1, 1, chr),
    { .name = "elt",
        .signature = "is:s",
        .least = 2,
        .most = -1,
        .flags = SPK_SQL_NULL_AWARE | SPK_SQL_GIVES_NULL,
        .kernel = elt },
    F("levenshtein", "ssi:i", 2, 3, levenshtein), F("soundex", "s:s", 1, 1, soundex),
    F("luhn_check", "s:b", 1, 1, luhn), { 0 } };
