/* SPDX-License-Identifier: Apache-2.0 */
/* Aggregates that keep their values: collect_list, collect_set, listagg, percentiles, median, mode;
 * and approx_count_distinct, which keeps registers. */
#include "base/small.h"

#include <math.h>

#include "sql/eval/agg_list.h"
#include "sql/eval/decimal.h"
#include "sql/eval/hash.h"
#include "sql/eval/sorting.h"
#include "sql/eval/value_text.h"

enum {
    LIST = SPK_AGG_LIST,
    SET = SPK_AGG_SET,
    LISTAGG,
    LISTAGG_ASC,
    LISTAGG_DESC,
    PERCENTILE,
    PERCENTILE_DISC,
    PERCENTILE_DISC_DESC,
    PERCENTILE_APPROX,
    MEDIAN,
    MODE,
    MODE_DESC
};

static bool nomem(spk_sql_error *error)
{
    spk_sql_nomem(error);
    return false;
}

static const spk_sql_type *of(spk_sql_kind kind)
{
    return spk_sql_type_of(kind);
}

/* fractions: of percentiles: one, or an array of them. */
typedef struct fractions {
    double few[1];
    const double *at;
    size_t n;
    bool many;
    spark_str separator; /* of listagg */
} fractions;

static SPK_COLD bool bad_fraction(spk_sql_build *b, spk_sql_aggregate *a, double x)
{
    const spk_sql_function function = { .name = a->def->name };
    const spk_sql_expr call = {
        .kind = SPK_SQL_CALL, .function = &function, .name = a->name, .n = a->n, .args = a->args
    };
    const char *text = spk_sql_expr_quoted(b, &call);
    if (spk_sql_fail(b->error, "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", a->span)) {
        spk_sql_param(b->error, "currentValue", "%g", x);
        spk_sql_param(b->error, "exprName", "percentage");
        spk_sql_param(b->error, "sqlExpr", "%s", text);
        spk_sql_param(b->error, "valueRange", "[0.0, 1.0]");
    }
    return false;
}

/* read_fractions: the second argument, a number or an array of numbers. */
static SPK_COLD bool read_fractions(spk_sql_build *b, spk_sql_aggregate *a, fractions *p)
{
    const spk_sql_type *t = a->args[1]->type;
    const bool many = t->kind == SPK_SQL_ARRAY;
    const spk_sql_type *want
        = many ? spk_sql_type_array(b->arena, of(SPK_SQL_DOUBLE), false) : of(SPK_SQL_DOUBLE);
    a->args[1] = want ? spk_sql_coerce(b, a->args[1], want) : NULL;
    const spk_sql_expr *e = a->args[1] ? spk_agg_constant(b, a, 1, "percentage") : NULL;
    if (!e)
        return false;
    if (e->null) {
        spk_agg_unexpected(b, a, 1, "\"DOUBLE\"");
        return false;
    }
    p->many = many;
    p->n = many ? ((const spk_sql_array *)e->value)->n : 1;
    p->at = many ? (const double *)(const void *)((const spk_sql_array *)e->value)->at : e->value;
    for (size_t i = 0; i < p->n; i++)
        if (!(p->at[i] >= 0 && p->at[i] <= 1))
            return bad_fraction(b, a, p->at[i]);
    return true;
}

static SPK_COLD bool list_resolve(spk_sql_build *b, spk_sql_aggregate *a)
{
    const int v = a->def->variant;
    fractions *p = spk_arena_alloc(b->arena, sizeof *p, _Alignof(fractions));
    if (!p)
        return false;
    *p = (fractions) { .few = { 0.5 }, .n = 1 };
    p->at = p->few;
    a->parameter = p;
    if (v >= LISTAGG && v <= LISTAGG_DESC) {
        const bool keyed = v != LISTAGG && a->args[0]->type->kind == SPK_SQL_STRUCT;
        if (!keyed && !spk_agg_want(b, a, 0, 't'))
            return false;
        if (a->n == 2) {
            const spk_sql_expr *e
                = spk_agg_want(b, a, 1, 't') ? spk_agg_constant(b, a, 1, "delimiter") : NULL;
            if (!e)
                return false;
            if (!e->null)
                p->separator = *(const spark_str *)e->value;
        }
    } else if (v >= PERCENTILE && v <= PERCENTILE_APPROX && a->n > 1 && !read_fractions(b, a, p)) {
        return false;
    }
    const bool interpolated = v == MEDIAN || (v >= PERCENTILE && v <= PERCENTILE_DISC_DESC);
    if (interpolated && !spk_sql_is_interval(a->args[0]->type) && !spk_agg_want(b, a, 0, 'd'))
        return false;
    if (v == PERCENTILE_APPROX && !spk_sql_is_numeric(a->args[0]->type)
        && a->args[0]->type->kind < SPK_SQL_DATE && !spk_agg_want(b, a, 0, 'd'))
        return false;
    a->n = 1;
    const spk_sql_type *t = a->args[0]->type;
    const spk_sql_type *list = spk_sql_type_array(b->arena, t, false);
    const bool keyed = v >= LISTAGG_ASC && v <= LISTAGG_DESC && t->kind == SPK_SQL_STRUCT; /* the text comes last */
    a->type = v <= SET || p->many ? list : keyed ? t->fields[t->n - 1].type : t;
    a->nullable = v > SET;
    a->state = list
        ? spk_agg_state(b, 2, (const spk_sql_type *const[]) { of(SPK_SQL_BIGINT), list })
        : NULL;
    return a->type != NULL;
}

/* ---- finishing ---- */

static bool same(const spk_sql_type *t, const char *a, const char *b)
{
    return spk_sql_value_compare(t, a, b) == 0;
}

/* ordered: values that are sorted, or keys that are as far as is asked for. */
typedef struct ordered {
    const spk_sql_type *type;
    char *at;
    size_t n;
    bool keys;
    const void *(*nth)(const void *arg, size_t i); /* in place of `at`, or NULL */
    const void *arg;
} ordered;

static void settle(const ordered *o, size_t from, size_t to)
{
    if (o->keys && !o->nth)
        spk_sql_keys_settle((int64_t *)(void *)o->at, o->n, from, to);
}

/* value_at: what stands at a place that is settled. */
static void value_at(const ordered *o, size_t i, void *out)
{
    memcpy(out, o->nth ? o->nth(o->arg, i) : o->at + i * o->type->size, o->type->size);
    if (o->keys)
        spk_sql_key_value(o->type, out);
}

static double number_at(const ordered *o, size_t i)
{
    _Alignas(16) char value[16];
    const spk_sql_vector v = { value, 0, NULL };
    double x;
    value_at(o, i, value);
    memcpy(&x, value, sizeof x);
    return o->type->kind == SPK_SQL_DOUBLE ? x : (double)spk_sql_integer(o->type, &v, 0);
}

static void interpolate(const ordered *o, double p, void *out)
{
    const double place = (double)(o->n - 1) * p;
    const size_t low = (size_t)floor(place), high = (size_t)ceil(place);
    settle(o, low, high + 1);
    const double x = number_at(o, low), y = number_at(o, high);
    const double z = low == high || x == y ? x : x + (place - (double)low) * (y - x);
    if (o->type->kind == SPK_SQL_DOUBLE)
        *(double *)out = z;
    else if (o->type->size == 4)
        *(int32_t *)out = (int32_t)z;
    else
        *(int64_t *)out = (int64_t)z;
}

static void pick(const spk_sql_aggregate *a, const ordered *o, double p, void *out)
{
    if (a->def->variant == PERCENTILE || a->def->variant == MEDIAN) {
        interpolate(o, p, out);
        return;
    }
    const double place = ceil(p * (double)o->n);
    size_t i = place < 1 ? 0 : (size_t)place - 1;
    if (i >= o->n)
        i = o->n - 1;
    if (a->def->variant == PERCENTILE_DISC_DESC)
        i = o->n - 1 - i;
    settle(o, i, i + 1);
    value_at(o, i, out);
}

void spk_agg_list_plain(const spk_sql_type *t, char *at, size_t n)
{
    for (size_t i = 0; t->kind == SPK_SQL_DOUBLE && i < n; i++) {
        double *x = (double *)(void *)at + i;
        *x = *x == *x ? *x + 0.0 : (double)NAN;
    }
    for (size_t i = 0; t->kind == SPK_SQL_FLOAT && i < n; i++) {
        float *x = (float *)(void *)at + i;
        *x = *x == *x ? *x + 0.0f : NAN;
    }
}

static void most_frequent(const spk_sql_aggregate *a, const ordered *o, void *value)
{
    const spk_sql_type *t = o->type;
    size_t best = 0, most = 0;
    for (size_t i = 0, run = 0; i < o->n; i++) {
        run = i > 0 && same(t, o->at + i * t->size, o->at + (i - 1) * t->size) ? run + 1 : 1;
        if (run > most || (run == most && a->def->variant == MODE_DESC)) {
            most = run;
            best = i;
        }
    }
    value_at(o, best, value);
    spk_agg_list_plain(t, value, 1);
}

static bool pick_all(const spk_sql_aggregate *a, const ordered *o, void *value, spk_arena *arena)
{
    const fractions *p = a->parameter;
    if (!p->many) {
        pick(a, o, p->at[0], value);
        return true;
    }
    char *out = spk_arena_alloc(arena, p->n * o->type->size + 1, 16);
    for (size_t i = 0; out && i < p->n; i++)
        pick(a, o, p->at[i], out + i * o->type->size);
    *(spk_sql_array *)value = (spk_sql_array) { out, p->n };
    return out != NULL;
}

bool spk_agg_list_places(const spk_sql_aggregate *a, const void *(*nth)(const void *arg, size_t i), const void *arg,
    size_t n, void *value, spk_arena *arena)
{
    const spk_sql_type *t = a->args[0]->type;
    const ordered o = { .type = t, .n = n, .keys = spk_sql_keys(t, NULL, 0), .nth = nth, .arg = arg };
    return pick_all(a, &o, value, arena);
}

static bool finish_sorted(
    const spk_sql_aggregate *a, char *at, size_t n, void *value, bool *valid, spk_arena *arena)
{
    enum { FEW = 8 }; /* places, each of which is a walk over the values; more than so many: sorted first */
    const fractions *p = a->parameter;
    const spk_sql_type *t = a->args[0]->type;
    const bool mode = a->def->variant == MODE || a->def->variant == MODE_DESC;
    const ordered o = { .type = t, .at = at, .n = n, .keys = !mode && spk_sql_keys(t, at, n) };
    *valid = n > 0;
    if (n == 0)
        return true;
    if (!o.keys)
        spk_sql_sort(t, at, n);
    else if (p->n > FEW)
        settle(&o, 0, n);
    if (mode) {
        most_frequent(a, &o, value);
        return true;
    }
    return pick_all(a, &o, value, arena);
}

static bool finish_text(
    const spk_sql_aggregate *a, spk_sql_array list, void *value, bool *valid, spk_arena *arena)
{
    const spk_sql_type *t = a->args[0]->type;
    const spk_sql_field *last = t->kind == SPK_SQL_STRUCT ? &t->fields[t->n - 1] : NULL;
    const size_t from = last ? last->offset + spk_sql_slot_value(last->type, last->nullable) : 0;
    const fractions *p = a->parameter;
    spk_text out = spk_text_new(arena);
    spark_str s;
    for (size_t i = 0; i < list.n; i++) {
        if (i > 0)
            spk_text_bytes(&out, p->separator.ptr, p->separator.len);
        memcpy(&s, list.at + i * t->size + from, sizeof s);
        spk_text_bytes(&out, s.ptr, s.len);
    }
    *valid = list.n > 0;
    *(spark_str *)value = (spark_str) { out.at, out.n };
    return !out.failed;
}

static bool list_finish(const spk_sql_aggregate *a, const char *state, void *value, bool *valid,
    spk_arena *arena, spk_sql_error *error)
{
    spk_sql_array list = *SPK_AGG_AT(const spk_sql_array, a, state, 1);
    const spk_sql_type *t = a->args[0]->type;
    *valid = true;
    if (a->def->variant == LIST) {
        *(spk_sql_array *)value = list;
        return true;
    }
    if (a->def->variant == LISTAGG)
        return finish_text(a, list, value, valid, arena) || nomem(error);
    const bool text = a->def->variant == LISTAGG_ASC || a->def->variant == LISTAGG_DESC;
    char *own = spk_arena_alloc(arena, list.n * t->size + 1, 16);
    if (!own)
        return nomem(error);
    if (list.n > 0)
        memcpy(own, list.at, list.n * t->size);
    if (text) {
        spk_sql_sort(t, own, list.n);
        for (size_t i = 0; a->def->variant == LISTAGG_DESC && i < list.n / 2; i++)
            spk_sql_swap(own + i * t->size, own + (list.n - 1 - i) * t->size, t->size);
        return finish_text(a, (spk_sql_array) { own, list.n }, value, valid, arena) || nomem(error);
    }
    if (a->def->variant != SET)
        return finish_sorted(a, own, list.n, value, valid, arena) || nomem(error);
    *(spk_sql_array *)value = (spk_sql_array) { own, spk_agg_list_unique(t, own, list.n, arena) };
    return true;
}

spk_agg_slide spk_agg_list_slides(const spk_sql_aggregate *a)
{
    static const uint8_t slides[] = { [LIST] = SPK_AGG_SLIDES_LIST,
        [SET] = SPK_AGG_SLIDES_SET,
        [PERCENTILE] = SPK_AGG_SLIDES_PLACES,
        [PERCENTILE_APPROX] = SPK_AGG_SLIDES_PLACES,
        [MODE] = SPK_AGG_SLIDES_MOST,
        [MODE_DESC] = SPK_AGG_SLIDES_MOST_LAST };
    return a->def->finish == list_finish ? (spk_agg_slide)slides[a->def->variant] : SPK_AGG_SLIDES_NOT;
}

/* ---- approx_count_distinct: state { registers }, a byte each, of HyperLogLog ---- */

static SPK_COLD bool approx_resolve(spk_sql_build *b, spk_sql_aggregate *a)
{
    int *bits = spk_arena_alloc(b->arena, sizeof *bits, _Alignof(int));
    double error = 0.05;
    if (!bits)
        return false;
    if (a->n == 2) {
        const spk_sql_expr *e
            = spk_agg_want(b, a, 1, 'd') ? spk_agg_constant(b, a, 1, "relativeSD") : NULL;
        if (!e)
            return false;
        error = e->null ? error : *(const double *)e->value;
    }
    *bits = error > 0 ? (int)ceil(2 * log2(1.106 / error)) : 16;
    *bits = *bits < 9 ? 9 : *bits > 16 ? 16 : *bits; /* never fewer than 512 registers */
    a->n = 1;
    a->parameter = bits;
    a->type = of(SPK_SQL_BIGINT);
    a->nullable = false;
    a->state = spk_agg_state(b, 1, (const spk_sql_type *const[]) { of(SPK_SQL_BINARY) });
    return true;
}

static uint8_t *registers(const spk_sql_aggregate *a, char *state, spk_arena *arena)
{
    spark_str *s = SPK_AGG_AT(spark_str, a, state, 0);
    const size_t n = (size_t)1 << *(const int *)a->parameter;
    if (s->len == 0) {
        char *own = spk_arena_alloc(arena, n, 64);
        if (!own)
            return NULL;
        memset(own, 0, n);
        *s = (spark_str) { own, n };
    }
    return (uint8_t *)(uintptr_t)s->ptr;
}

static bool approx_update(spk_sql_agg_frame *f)
{
    const spk_sql_aggregate *a = f->aggregate;
    const int bits = *(const int *)a->parameter;
    SPK_EACH_STATE(f, i, state)
    {
        if (!spk_sql_valid(&f->args[0], i))
            continue;
        uint8_t *r = registers(a, state, f->arena);
        if (!r)
            return nomem(f->error);
        const uint64_t h
            = spk_sql_value_hash(a->args[0]->type, f->args[0].ptr + i * f->args[0].stride);
        const uint64_t rest = h << bits | UINT64_C(1) << (bits - 1);
        const uint8_t rank = (uint8_t)(__builtin_clzll(rest) + 1);
        uint8_t *one = &r[h >> (64 - bits)];
        *one = rank > *one ? rank : *one;
    }
    return true;
}

static bool approx_merge(const spk_sql_aggregate *a, char *into, const char *from, spk_arena *arena,
    spk_sql_error *error)
{
    const spark_str s = *SPK_AGG_AT(const spark_str, a, from, 0);
    uint8_t *r = s.len > 0 ? registers(a, into, arena) : NULL;
    if (s.len > 0 && !r)
        return nomem(error);
    for (size_t i = 0; i < s.len; i++)
        r[i] = (uint8_t)s.ptr[i] > r[i] ? (uint8_t)s.ptr[i] : r[i];
    return true;
}

static bool approx_finish(const spk_sql_aggregate *a, const char *state, void *value, bool *valid,
    spk_arena *arena, spk_sql_error *error)
{
    (void)arena, (void)error;
    const spark_str s = *SPK_AGG_AT(const spark_str, a, state, 0);
    const double m = (double)s.len;
    double sum = 0, zeros = 0;
    *valid = true;
    *(int64_t *)value = 0;
    if (s.len == 0)
        return true;
    for (size_t i = 0; i < s.len; i++) {
        sum += ldexp(1, -(uint8_t)s.ptr[i]);
        zeros += s.ptr[i] == 0;
    }
    double estimate = 0.7213 / (1 + 1.079 / m) * m * m / sum;
    if (estimate <= 2.5 * m && zeros > 0)
        estimate = m * log(m / zeros);
    *(int64_t *)value = (int64_t)llround(estimate);
    return true;
}

#define LIST_(keeps_)                                                                              \
    .resolve = list_resolve, .update = spk_agg_list_update, .merge = spk_agg_list_merge,           \
    .seal = spk_agg_list_seal, .finish = list_finish, .keeps = SPK_AGG_KEEPS_##keeps_

const spk_sql_agg_def spk_aggs_lists[] = {
    { .name = "collect_list", .least = 1, .most = 1, LIST_(ALL), .variant = LIST, .ordered = true },
    { .name = "array_agg",
        .least = 1,
        .most = 1,
        LIST_(ALL),
        .variant = LIST,
        .ordered = true,
        .printed = "collect_list" },
    { .name = "collect_set", .least = 1, .most = 1, LIST_(SOME), .variant = SET, .ordered = true },
    { .name = "listagg", .least = 1, .most = 2, LIST_(ALL), .variant = LISTAGG, .ordered = true },
    { .name = "string_agg", .least = 1, .most = 2, LIST_(ALL), .variant = LISTAGG, .ordered = true },
    { .name = "listagg asc", .least = 1, .most = 2, LIST_(ALL), .variant = LISTAGG_ASC },
    { .name = "listagg desc", .least = 1, .most = 2, LIST_(ALL), .variant = LISTAGG_DESC },
    { .name = "string_agg asc", .least = 1, .most = 2, LIST_(ALL), .variant = LISTAGG_ASC },
    { .name = "string_agg desc", .least = 1, .most = 2, LIST_(ALL), .variant = LISTAGG_DESC },
    { .name = "percentile_disc desc", .least = 2, .most = 2, LIST_(ALL), .variant = PERCENTILE_DISC_DESC },
    { .name = "mode asc", .least = 1, .most = 1, LIST_(ALL), .variant = MODE },
    { .name = "mode desc", .least = 1, .most = 1, LIST_(ALL), .variant = MODE_DESC },
    { .name = "percentile", .least = 2, .most = 2, LIST_(ALL), .variant = PERCENTILE },
    { .name = "percentile_cont", .least = 2, .most = 2, LIST_(ALL), .variant = PERCENTILE },
    { .name = "percentile_disc", .least = 2, .most = 2, LIST_(ALL), .variant = PERCENTILE_DISC },
    { .name = "percentile_approx", .least = 2, .most = 3, LIST_(ALL), .variant = PERCENTILE_APPROX },
    { .name = "approx_percentile", .least = 2, .most = 3, LIST_(ALL), .variant = PERCENTILE_APPROX },
    { .name = "median", .least = 1, .most = 1, LIST_(ALL), .variant = MEDIAN },
    { .name = "mode", .least = 1, .most = 2, LIST_(ALL), .variant = MODE },
    { .name = "approx_count_distinct",
        .least = 1,
        .most = 2,
        .resolve = approx_resolve,
        .update = approx_update,
        .merge = approx_merge,
        .finish = approx_finish },
    { 0 },
};
