/* SPDX-License-Identifier: Apache-2.0 */
/* Functions on arrays. */
#include "base/small.h"

#include "sql/eval/datetime.h"
#include "sql/eval/resolve.h"
#include "sql/eval/slots.h"
#include "sql/eval/text.h"
#include "sql/eval/value_text.h"

#define A(a, i) SPK_SQL_ARG(spk_sql_array, f, a, i)
#define OUT_A(i) SPK_SQL_OUT(spk_sql_array, f, i)

static const spk_sql_type *of(spk_sql_kind kind)
{
    return spk_sql_type_of(kind);
}

static const spk_sql_type *type_of(const spk_sql_frame *f, uint32_t a)
{
    return f->expr->args[a]->type;
}

static SPK_COLD bool want_array(spk_sql_build *b, spk_sql_expr *call, uint32_t i)
{
    if (call->args[i]->type->kind == SPK_SQL_ARRAY)
        return true;
    spk_sql_unexpected(b, call, i, "\"ARRAY\"");
    return false;
}

/* with_element: an array and a value: both become arrays of, and values of, their common type. */
static SPK_COLD bool with_element(spk_sql_build *b, spk_sql_expr *call, uint32_t value)
{
    if (!want_array(b, call, 0))
        return false;
    const spk_sql_type *t = call->args[0]->type;
    const spk_sql_type *common = spk_sql_common(b->arena, t->of, call->args[value]->type, false);
    if (!common) {
        const char *text = spk_sql_expr_quoted(b, call);
        const char *left = spk_sql_type_quoted(b, t),
                   *right = spk_sql_type_quoted(b, call->args[value]->type);
        if (spk_sql_fail(b->error, "DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES", call->span)) {
            spk_sql_param(b->error, "dataType", "\"ARRAY\"");
            spk_sql_param(b->error, "functionName", "`%s`", call->function->name);
            spk_sql_param(b->error, "leftType", "%s", left);
            spk_sql_param(b->error, "rightType", "%s", right);
            spk_sql_param(b->error, "sqlExpr", "%s", text);
        }
        return false;
    }
    const spk_sql_type *array = spk_sql_type_array(b->arena, common, t->contains_null);
    call->args[0] = array ? spk_sql_coerce(b, call->args[0], array) : NULL;
    call->args[value] = spk_sql_coerce(b, call->args[value], common);
    return call->args[0] && call->args[value];
}

/* ---- asking ---- */

static void array_contains(spk_sql_frame *f)
{
    const spk_sql_type *t = type_of(f, 0);
    SPK_EACH_ROW(f, i)
    {
        const spk_sql_array a = A(0, i);
        bool found = false, null = false;
        for (size_t j = 0; j < a.n && !found; j++) {
            const void *x = spk_sql_slot(t, a, j);
            null |= !x;
            found = x && spk_sql_value_equal(t->of, x, f->args[1].ptr + i * f->args[1].stride);
        }
        SPK_SQL_OUT(bool, f, i) = found;
        f->out_valid[i] = found || !null;
    }
}

static SPK_COLD bool resolve_contains(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = of(SPK_SQL_BOOLEAN);
    return with_element(b, call, 1);
}

static void array_position(spk_sql_frame *f)
{
    const spk_sql_type *t = type_of(f, 0);
    SPK_EACH_ROW(f, i)
    {
        const spk_sql_array a = A(0, i);
        int64_t at = 0;
        for (size_t j = 0; j < a.n && at == 0; j++) {
            const void *x = spk_sql_slot(t, a, j);
            if (x && spk_sql_value_equal(t->of, x, f->args[1].ptr + i * f->args[1].stride))
                at = (int64_t)j + 1;
        }
        SPK_SQL_OUT(int64_t, f, i) = at;
    }
}

static SPK_COLD bool resolve_position(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = of(SPK_SQL_BIGINT);
    return with_element(b, call, 1);
}

static void extreme(spk_sql_frame *f)
{
    const spk_sql_type *t = type_of(f, 0);
    const int sign = strcmp(f->expr->function->name, "array_max") == 0 ? 1 : -1;
    SPK_EACH_ROW(f, i)
    {
        const spk_sql_array a = A(0, i);
        const void *best = NULL;
        for (size_t j = 0; j < a.n; j++) {
            const void *x = spk_sql_slot(t, a, j);
            if (x && (!best || sign * spk_sql_value_compare(t->of, x, best) > 0))
                best = x;
        }
        f->out_valid[i] = best != NULL;
        if (best)
            memcpy(f->out + i * t->of->size, best, t->of->size);
    }
}

static SPK_COLD bool resolve_extreme(spk_sql_build *b, spk_sql_expr *call)
{
    if (!want_array(b, call, 0))
        return false;
    call->type = call->args[0]->type->of;
    return true;
}

/* ---- arrays from arrays ---- */

static SPK_COLD bool resolve_same(spk_sql_build *b, spk_sql_expr *call)
{
    if (!want_array(b, call, 0))
        return false;
    call->type = call->args[0]->type;
    return true;
}

/* one_zero: of arrays that hold each value once: which zero that is must not be asked. */
static spk_sql_array one_zero(const spk_slots *s)
{
    const spk_sql_array out = spk_slots_end(s);
    for (size_t i = 0; i < s->n; i++)
        spk_sql_one_zero(s->of, s->at + i * s->size + spk_sql_slot_value(s->of, s->nullable));
    return out;
}

static void array_distinct(spk_sql_frame *f)
{
    const spk_sql_type *t = type_of(f, 0);
    SPK_EACH_ROW(f, i)
    {
        const spk_sql_array a = A(0, i);
        spk_slots out = spk_slots_of(t);
        spk_seen seen = { .type = t->of };
        for (size_t j = 0; j < a.n; j++) {
            const void *x = spk_sql_slot(t, a, j);
            bool fresh;
            if (!spk_seen_add(&seen, f, x, &fresh) || (fresh && !spk_slots_add(&out, f, x)))
                return;
        }
        OUT_A(i) = one_zero(&out);
    }
}

static void put_join(spk_sql_frame *f)
{
    const spk_sql_type *t = type_of(f, 0);
    SPK_EACH_ROW(f, i)
    {
        const spk_sql_array a = A(0, i);
        const spark_str by = SPK_SQL_ARG(spark_str, f, 1, i);
        spk_text out = spk_text_new(f->arena);
        bool first = true;
        for (size_t j = 0; j < a.n; j++) {
            const spark_str *x = spk_sql_slot(t, a, j);
            if (!x && f->n_args > 2)
                x = &SPK_SQL_ARG(spark_str, f, 2, i);
            if (!x)
                continue;
            if (!first)
                spk_text_bytes(&out, by.ptr, by.len);
            spk_text_bytes(&out, x->ptr, x->len);
            first = false;
        }
        spk_text_end(&out);
        SPK_SQL_OUT(spark_str, f, i) = (spark_str) { out.at ? out.at : "", out.n };
    }
}

static SPK_COLD bool resolve_join(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = of(SPK_SQL_STRING);
    if (!want_array(b, call, 0))
        return false;
    const spk_sql_type *strings
        = spk_sql_type_array(b->arena, call->type, call->args[0]->type->contains_null);
    call->args[0] = strings ? spk_sql_coerce(b, call->args[0], strings) : NULL;
    return call->args[0] && spk_sql_want(b, call, 1, 's')
        && (call->n < 3 || spk_sql_want(b, call, 2, 's'));
}

/* order: of slots: NULLs first where `first`; a merge sort, so that equals stay as they are. */
static int order(const spk_sql_type *t, const char *x, const char *y, int sign, bool first)
{
    const bool a = !t->contains_null || *x, b = !t->contains_null || *y;
    const uint32_t at = spk_sql_slot_value(t->of, t->contains_null);
    if (!a || !b)
        return first ? (a != 0) - (b != 0) : (b != 0) - (a != 0);
    return sign * spk_sql_value_compare(t->of, x + at, y + at);
}

static void merge_sort(
    const spk_sql_type *t, char *at, char *spare, size_t n, size_t size, int sign, bool first)
{
    for (size_t step = 1; step < n; step *= 2) {
        for (size_t from = 0; from < n; from += 2 * step) {
            const size_t middle = from + step < n ? from + step : n,
                         to = from + 2 * step < n ? from + 2 * step : n;
            size_t x = from, y = middle;
            for (size_t k = from; k < to; k++) {
                const bool left = y >= to
                    || (x < middle && order(t, at + x * size, at + y * size, sign, first) <= 0);
                memcpy(spare + k * size, at + (left ? x++ : y++) * size, size);
            }
        }
        memcpy(at, spare, n * size);
    }
}

void spk_sql_sort_arrays(spk_sql_frame *f)
{
    const spk_sql_type *t = type_of(f, 0);
    const bool last = f->expr->function->name[0] == 'a'; /* array_sort: NULLs at the end */
    SPK_EACH_ROW(f, i)
    {
        const spk_sql_array a = A(0, i);
        const size_t size = spk_sql_slot_size(t->of, t->contains_null);
        const bool up = f->n_args < 2 || SPK_SQL_ARG(bool, f, 1, i);
        char *own = spk_sql_alloc(f, 2 * a.n * size + 1, 16);
        if (!own)
            return;
        if (a.n > 0)
            memcpy(own, a.at, a.n * size);
        merge_sort(t, own, own + a.n * size, a.n, size, up ? 1 : -1, !last && up);
        OUT_A(i) = (spk_sql_array) { own, a.n };
    }
}

static SPK_COLD bool resolve_sort(spk_sql_build *b, spk_sql_expr *call)
{
    if (!resolve_same(b, call))
        return false;
    return call->n < 2 || spk_sql_want(b, call, 1, 'b');
}

static void slice(spk_sql_frame *f)
{
    const spk_sql_type *t = type_of(f, 0);
    SPK_EACH_ROW(f, i)
    {
        const spk_sql_array a = A(0, i);
        const int64_t start = SPK_SQL_ARG(int32_t, f, 1, i), n = SPK_SQL_ARG(int32_t, f, 2, i);
        if (start == 0 || n < 0) {
            spk_sql_error *e = spk_sql_raise(
                f, start == 0 ? "INVALID_PARAMETER_VALUE.START" : "INVALID_PARAMETER_VALUE.LENGTH");
            spk_sql_param(e, "functionName", "`slice`");
            if (start == 0)
                spk_sql_param(e, "parameter", "`start`");
            else {
                spk_sql_param(e, "length", "%lld", (long long)n);
                spk_sql_param(e, "parameter", "`length`");
            }
            return;
        }
        int64_t from = start > 0 ? start - 1 : (int64_t)a.n + start;
        int64_t to = from + n;
        if (from < 0 || from >= (int64_t)a.n)
            from = to = 0;
        if (to > (int64_t)a.n)
            to = (int64_t)a.n;
        OUT_A(i)
            = (spk_sql_array) { a.at + (size_t)from * spk_sql_slot_size(t->of, t->contains_null),
                  (size_t)(to - from) };
    }
}

static SPK_COLD bool resolve_slice(spk_sql_build *b, spk_sql_expr *call)
{
    return resolve_same(b, call) && spk_sql_want(b, call, 1, 'i') && spk_sql_want(b, call, 2, 'i');
}

static void flatten(spk_sql_frame *f)
{
    const spk_sql_type *t = type_of(f, 0), *inner = t->of;
    SPK_EACH_ROW(f, i)
    {
        const spk_sql_array a = A(0, i);
        spk_slots out = spk_slots_of(f->expr->type);
        for (size_t j = 0; j < a.n && f->out_valid[i]; j++) {
            const spk_sql_array *x = spk_sql_slot(t, a, j);
            f->out_valid[i] = x != NULL;
            for (size_t k = 0; x && k < x->n; k++)
                if (!spk_slots_add(&out, f, spk_sql_slot(inner, *x, k)))
                    return;
        }
        OUT_A(i) = spk_slots_end(&out);
    }
}

static SPK_COLD bool resolve_flatten(spk_sql_build *b, spk_sql_expr *call)
{
    const spk_sql_type *t = call->args[0]->type;
    if (t->kind != SPK_SQL_ARRAY || t->of->kind != SPK_SQL_ARRAY) {
        spk_sql_unexpected(b, call, 0, "\"ARRAY\" of \"ARRAY\"");
        return false;
    }
    call->type = t->of;
    return true;
}

static void reverse_array(spk_sql_frame *f)
{
    const spk_sql_type *t = type_of(f, 0);
    SPK_EACH_ROW(f, i)
    {
        const spk_sql_array a = A(0, i);
        spk_slots out = spk_slots_of(t);
        for (size_t j = a.n; j-- > 0;)
            if (!spk_slots_add(&out, f, spk_sql_slot(t, a, j)))
                return;
        OUT_A(i) = spk_slots_end(&out);
    }
}

static SPK_COLD bool resolve_reverse(spk_sql_build *b, spk_sql_expr *call)
{
    if (call->args[0]->type->kind != SPK_SQL_ARRAY)
        return spk_sql_rewrite(
            b, call, spk_sql_call(b, "reverse_string", call->args, 1, call->span));
    call->kernel = reverse_array;
    return resolve_same(b, call);
}

static void array_repeat(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        f->out_valid[i] = spk_sql_valid(&f->args[1], i);
        if (!f->out_valid[i])
            continue;
        spk_slots out = spk_slots_of(f->expr->type);
        for (int32_t k = 0; k < SPK_SQL_ARG(int32_t, f, 1, i); k++)
            if (!spk_slots_add(&out, f, spk_sql_value_at(&f->args[0], i)))
                return;
        OUT_A(i) = spk_slots_end(&out);
    }
}

static SPK_COLD bool resolve_repeat(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = spk_sql_type_array(b->arena, call->args[0]->type, call->args[0]->nullable);
    call->nullable = call->args[1]->nullable;
    return call->type && spk_sql_want(b, call, 1, 'i');
}

/* change: array_remove, array_append, array_prepend, array_compact, array_insert. */
static void change(spk_sql_frame *f)
{
    const spk_sql_type *t = type_of(f, 0);
    const char kind = f->expr->function->name[6], second = f->expr->function->name[7];
    const uint32_t last = f->n_args - 1;
    SPK_EACH_ROW(f, i)
    {
        f->out_valid[i] = spk_sql_valid(&f->args[0], i)
            && (kind == 'a' || kind == 'p' || kind == 'c' || spk_sql_valid(&f->args[1], i));
        if (!f->out_valid[i])
            continue;
        const spk_sql_array a = A(0, i);
        const void *value = spk_sql_value_at(&f->args[last], i);
        spk_slots out = spk_slots_of(f->expr->type);
        int64_t place = -1;
        if (kind == 'i') {
            const int64_t pos = SPK_SQL_ARG(int32_t, f, 1, i);
            if (pos == 0) {
                spk_sql_raise(f, "INVALID_INDEX_OF_ZERO");
                return;
            }
            place = pos > 0 ? pos - 1 : (int64_t)a.n + pos + 1;
            for (; place < 0; place++)
                if (!spk_slots_add(&out, f, place == (pos + (int64_t)a.n + 1) ? value : NULL))
                    return;
            if (pos < 0 && pos + (int64_t)a.n + 1 < 0)
                place = -1;
        }
        if (kind == 'p' && !spk_slots_add(&out, f, value))
            return;
        for (size_t j = 0; j < a.n || (kind == 'i' && (int64_t)j <= place); j++) {
            const void *x = j < a.n ? spk_sql_slot(t, a, j) : NULL;
            if ((int64_t)j == place && !spk_slots_add(&out, f, value))
                return;
            if (j >= a.n && (int64_t)j >= place)
                break;
            if (kind == 'c' && !x)
                continue;
            if (kind == 'r' && second == 'e' && x && spk_sql_value_equal(t->of, x, value))
                continue;
            if (!spk_slots_add(&out, f, x))
                return;
        }
        if (kind == 'a' && !spk_slots_add(&out, f, value))
            return;
        OUT_A(i) = spk_slots_end(&out);
    }
}

static SPK_COLD bool resolve_change(spk_sql_build *b, spk_sql_expr *call)
{
    const char kind = call->function->name[6];
    if (kind == 'c') {
        call->type
            = resolve_same(b, call) ? spk_sql_type_array(b->arena, call->type->of, false) : NULL;
        return call->type != NULL;
    }
    if (!with_element(b, call, call->n - 1) || (kind == 'i' && !spk_sql_want(b, call, 1, 'i')))
        return false;
    const spk_sql_type *t = call->args[0]->type;
    const bool nullable
        = t->contains_null || (kind != 'r' && call->args[call->n - 1]->nullable) || kind == 'i';
    call->type = spk_sql_type_array(b->arena, t->of, nullable);
    call->nullable = call->args[0]->nullable || (kind == 'r' && call->args[1]->nullable);
    return call->type != NULL;
}

/* sets: array_union, _intersect, _except; each value once. */
static void sets(spk_sql_frame *f)
{
    const spk_sql_type *x = type_of(f, 0), *y = type_of(f, 1);
    const char kind = f->expr->function->name[6];
    SPK_EACH_ROW(f, i)
    {
        const spk_sql_array a = A(0, i), b = A(1, i);
        spk_slots out = spk_slots_of(f->expr->type);
        spk_seen other = { .type = y->of }, seen = { .type = x->of };
        bool fresh;
        for (size_t j = 0; j < b.n && kind != 'u'; j++)
            if (!spk_seen_add(&other, f, spk_sql_slot(y, b, j), &fresh))
                return;
        for (size_t j = 0; j < a.n + (kind == 'u' ? b.n : 0); j++) {
            const void *v = j < a.n ? spk_sql_slot(x, a, j) : spk_sql_slot(y, b, j - a.n);
            if (kind != 'u' && spk_seen_has(&other, v) != (kind == 'i'))
                continue;
            if (!spk_seen_add(&seen, f, v, &fresh) || (fresh && !spk_slots_add(&out, f, v)))
                return;
        }
        OUT_A(i) = one_zero(&out);
    }
}

static SPK_COLD bool same_arrays(spk_sql_build *b, spk_sql_expr *call)
{
    for (uint32_t i = 0; i < call->n; i++)
        if (call->args[i]->type->kind != SPK_SQL_VOID && !want_array(b, call, i))
            return false;
    const spk_sql_type *t = spk_sql_coerce_all(b, call, 0, 1, false);
    if (!t)
        return !spk_sql_failed(b->error) && spk_sql_data_diff(b, call);
    call->type = t;
    return true;
}

static void arrays_overlap(spk_sql_frame *f)
{
    const spk_sql_type *x = type_of(f, 0), *y = type_of(f, 1);
    SPK_EACH_ROW(f, i)
    {
        const spk_sql_array a = A(0, i), b = A(1, i);
        spk_seen seen = { .type = x->of };
        bool found = false, fresh, null = false;
        for (size_t j = 0; j < a.n; j++)
            if (!spk_seen_add(&seen, f, spk_sql_slot(x, a, j), &fresh))
                return;
        null = seen.null;
        for (size_t j = 0; j < b.n && !found; j++) {
            const void *v = spk_sql_slot(y, b, j);
            null |= !v;
            found = v && spk_seen_has(&seen, v);
        }
        SPK_SQL_OUT(bool, f, i) = found;
        f->out_valid[i] = found || !null || a.n == 0 || b.n == 0;
    }
}

static SPK_COLD bool resolve_overlap(spk_sql_build *b, spk_sql_expr *call)
{
    const bool good = same_arrays(b, call);
    call->type = of(SPK_SQL_BOOLEAN);
    return good;
}

static void concat_arrays(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        spk_slots out = spk_slots_of(f->expr->type);
        for (uint32_t k = 0; k < f->n_args; k++)
            for (size_t j = 0; j < A(k, i).n; j++)
                if (!spk_slots_add(&out, f, spk_sql_slot(type_of(f, k), A(k, i), j)))
                    return;
        OUT_A(i) = spk_slots_end(&out);
    }
}

SPK_COLD bool spk_sql_resolve_concat_arrays(spk_sql_build *b, spk_sql_expr *call)
{
    call->kernel = concat_arrays;
    return same_arrays(b, call);
}

static void arrays_zip(spk_sql_frame *f)
{
    const spk_sql_type *row = f->expr->type->of;
    SPK_EACH_ROW(f, i)
    {
        size_t n = 0;
        for (uint32_t k = 0; k < f->n_args; k++)
            n = A(k, i).n > n ? A(k, i).n : n;
        char *at = spk_sql_alloc(f, n * row->size + 1, 16);
        if (!at)
            return;
        memset(at, 0, n * row->size);
        for (size_t j = 0; j < n; j++)
            for (uint32_t k = 0; k < f->n_args; k++)
                spk_slot_put(row->fields[k].type, true,
                    j < A(k, i).n ? spk_sql_slot(type_of(f, k), A(k, i), j) : NULL,
                    at + j * row->size + row->fields[k].offset);
        OUT_A(i) = (spk_sql_array) { at, n };
    }
}

static SPK_COLD bool resolve_zip(spk_sql_build *b, spk_sql_expr *call)
{
    spk_sql_field *fields
        = spk_arena_alloc(b->arena, call->n * sizeof *fields, _Alignof(spk_sql_field));
    for (uint32_t i = 0; i < call->n; i++) {
        char name[16];
        size_t n = 0;
        if (!fields || !want_array(b, call, i))
            return false;
        for (uint32_t x = i, first = 1; first || x > 0; x /= 10, first = 0)
            n++;
        for (uint32_t x = i, k = 0; k < n; k++, x /= 10)
            name[n - 1 - k] = (char)('0' + x % 10);
        const spk_sql_expr *e = call->args[i];
        fields[i] = (spk_sql_field) { .name
            = e->kind == SPK_SQL_COLUMN ? e->name : spk_sql_keep(b, name, n),
            .type = e->type->of,
            .nullable = true };
    }
    const spk_sql_type *row = spk_sql_type_struct(b->arena, fields, call->n);
    call->type = row ? spk_sql_type_array(b->arena, row, false) : NULL;
    return call->type != NULL;
}

/* ---- sequence ---- */

enum { LONGEST = 100000000 };

static void too_long(spk_sql_frame *f, spk_i128 n)
{
    spk_sql_error *e = spk_sql_raise(f, "COLLECTION_SIZE_LIMIT_EXCEEDED.PARAMETER");
    spk_sql_param(e, "functionName", "`sequence`");
    spk_sql_param(e, "maxRoundedArrayLength", "2147483632");
    spk_sql_param(e, "numberOfElements", "%lld", (long long)(n > INT64_MAX ? INT64_MAX : n));
    spk_sql_param(e, "parameter", "`count`");
}

static bool put_step(spk_slots *out, spk_sql_frame *f, int64_t x)
{
    const int32_t i = (int32_t)x;
    const int16_t h = (int16_t)x;
    const int8_t y = (int8_t)x;
    const size_t size = out->of->size;
    return spk_slots_add(out, f,
        size == 8       ? (const void *)&x
            : size == 4 ? (const void *)&i
            : size == 2 ? (const void *)&h
                        : (const void *)&y);
}

/* moving: from the first element on, each by its number of steps: they do not add up what clocks turned for one. */
typedef struct moving {
    const spk_zone *zone;
    int64_t from, local, step, scale; /* local: what clocks show first */
    bool date;
} moving;

/* by_months, by_time: element k; false: out of range. Whole days are days of the calendar where there is a zone, what
 * is left is time that passes. */
static bool by_months(const moving *m, int64_t k, int64_t *x)
{
    int32_t moved;
    if (!spk_add_months(m->date ? m->from : spk_floor_div(m->local, SPK_MICROS_DAY), k * m->step, &moved))
        return false;
    *x = moved;
    if (m->date)
        return true;
    if (__builtin_mul_overflow(*x, SPK_MICROS_DAY, x)
        || __builtin_add_overflow(*x, spk_floor_rest(m->local, SPK_MICROS_DAY), x))
        return false;
    *x = spk_zone_moment(m->zone, *x);
    return true;
}

static bool by_time(const moving *m, int64_t k, int64_t *x)
{
    const int64_t days = m->zone ? m->step / SPK_MICROS_DAY * SPK_MICROS_DAY : 0;
    const spk_i128 local = m->local + (spk_i128)k * days, left = (spk_i128)k * (m->step - days) / m->scale;
    if (local != (int64_t)local)
        return false;
    const spk_i128 y = (days ? spk_zone_moment(m->zone, (int64_t)local) : m->from) + left;
    *x = (int64_t)y;
    return y == (int64_t)y;
}

static void sequence(spk_sql_frame *f)
{
    const spk_sql_type *t = type_of(f, 0), *by = f->n_args > 2 ? type_of(f, 2) : NULL;
    const spk_zone *zone = t->kind == SPK_SQL_TIMESTAMP && f->expr->session ? f->expr->session->zone : NULL;
    const int64_t scale = t->kind == SPK_SQL_DATE && by && by->kind == SPK_SQL_INTERVAL_SECONDS
        ? SPK_MICROS_DAY
        : 1;
    const bool months = by && by->kind == SPK_SQL_INTERVAL_MONTHS;
    SPK_EACH_ROW(f, i)
    {
        const int64_t from = spk_sql_integer(t, &f->args[0], i),
                      to = spk_sql_integer(t, &f->args[1], i);
        const int64_t whole
            = t->kind == SPK_SQL_TIMESTAMP || t->kind == SPK_SQL_TIMESTAMP_NTZ ? SPK_MICROS_DAY : 1;
        int64_t step = by ? spk_sql_integer(by, &f->args[2], i) : from <= to ? whole : -whole;
        spk_slots out = spk_slots_of(f->expr->type);
        if (step == 0 ? from != to : (step > 0) != (from <= to) && from != to) {
            spk_sql_error *e = spk_sql_raise(f, "_LEGACY_ERROR_TEMP_3247");
            spk_sql_param(e, "message", "Illegal sequence boundaries: %lld to %lld by %lld",
                (long long)from, (long long)to, (long long)step);
            return;
        }
        if (step == 0)
            step = 1;
        const spk_i128 size = months ? 0 : ((spk_i128)to - from) * scale / step + 1;
        if (size > LONGEST) {
            too_long(f, size);
            return;
        }
        const moving m = { zone, from, spk_zone_local(zone, from), step, scale, t->kind == SPK_SQL_DATE };
        for (int64_t k = 0, x; k < LONGEST && (months ? by_months(&m, k, &x) : by_time(&m, k, &x)); k++) {
            if (step > 0 ? x > to : x < to)
                break;
            if (!put_step(&out, f, x) || (k % 4096 == 0 && spk_sql_stops(f)))
                return;
        }
        OUT_A(i) = spk_slots_end(&out);
    }
}

static SPK_COLD bool resolve_sequence(spk_sql_build *b, spk_sql_expr *call)
{
    const spk_sql_type *t
        = spk_sql_common(b->arena, call->args[0]->type, call->args[1]->type, false);
    if (t && call->n > 2 && spk_sql_is_integral(t)) {
        t = spk_sql_common(b->arena, t, call->args[2]->type, false);
        if (t)
            call->args[2] = spk_sql_coerce(b, call->args[2], t);
    }
    const bool good = t
        && (spk_sql_is_integral(t) || t->kind == SPK_SQL_DATE || t->kind == SPK_SQL_TIMESTAMP
            || t->kind == SPK_SQL_TIMESTAMP_NTZ);
    if (!good) {
        const char *text = spk_sql_expr_quoted(b, call);
        if (spk_sql_fail(b->error, "DATATYPE_MISMATCH.SEQUENCE_WRONG_INPUT_TYPES", call->span)) {
            spk_sql_param(b->error, "functionName", "`sequence`");
            spk_sql_param(b->error, "intervalType",
                "(\"INTERVAL\" or \"INTERVAL YEAR TO MONTH\" or \"INTERVAL DAY TO SECOND\")");
            spk_sql_param(b->error, "sqlExpr", "%s", text);
            spk_sql_param(
                b->error, "startType", "(\"TIMESTAMP\" or \"TIMESTAMP_NTZ\" or \"DATE\")");
        }
        return false;
    }
    call->args[0] = spk_sql_coerce(b, call->args[0], t);
    call->args[1] = spk_sql_coerce(b, call->args[1], t);
    call->type = spk_sql_type_array(b->arena, t, false);
    return call->type && call->args[0] && call->args[1];
}

#define R(name_, least_, most_, kernel_, resolve_)                                                 \
    {                                                                                              \
        .name = name_, .least = least_, .most = most_, .kernel = kernel_, .resolve = resolve_      \
    }
#define RN(name_, least_, most_, kernel_, resolve_)                                                \
    {                                                                                              \
        .name = name_, .least = least_, .most = most_, .kernel = kernel_, .resolve = resolve_,     \
        .flags = SPK_SQL_GIVES_NULL                                                                \
    }
#define RA(name_, least_, most_, kernel_, resolve_)                                                \
    {                                                                                              \
        .name = name_, .least = least_, .most = most_, .kernel = kernel_, .resolve = resolve_,     \
        .flags = SPK_SQL_NULL_AWARE                                                                \
    }

const spk_sql_function spk_sql_arrays[] = { RN("array_contains", 2, 2, array_contains,
                                                resolve_contains),
    R("array_position", 2, 2, array_position, resolve_position),
    RN("array_max", 1, 1, extreme, resolve_extreme),
    RN("array_min", 1, 1, extreme, resolve_extreme),
    R("array_distinct", 1, 1, array_distinct, resolve_same),
    R("array_join", 2, 3, put_join, resolve_join), R("sort_array", 1, 2, spk_sql_sort_arrays, resolve_sort),
    R("slice", 3, 3, slice, resolve_slice),
    RN("flatten", 1, 1, flatten, resolve_flatten), R("reverse", 1, 1, NULL, resolve_reverse),
    RA("array_repeat", 2, 2, array_repeat, resolve_repeat),
    RA("array_remove", 2, 2, change, resolve_change),
    RA("array_append", 2, 2, change, resolve_change),
    RA("array_prepend", 2, 2, change, resolve_change),
    RA("array_compact", 1, 1, change, resolve_change),
    RA("array_insert", 3, 3, change, resolve_change), R("array_union", 2, 2, sets, same_arrays),
    R("array_intersect", 2, 2, sets, same_arrays), R("array_except", 2, 2, sets, same_arrays),
    RN("arrays_overlap", 2, 2, arrays_overlap, resolve_overlap),
    R("arrays_zip", 1, -1, arrays_zip, resolve_zip),
    R("sequence", 2, 3, sequence, resolve_sequence), { 0 } };
