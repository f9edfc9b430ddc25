/* SPDX-License-Identifier: Apache-2.0 */
/* histogram_numeric: at most n bins of places and counts; where there is one more, the two nearest become
 * one (Ben-Haim and Tom-Tov, "A streaming parallel decision tree algorithm"), as Hive has it.
 *
 * State { room, bins: x and y in turn, seed }: of equal distances one is drawn by Java's Random. */

#include "base/small.h"

#include <math.h>

#include "sql/eval/agg.h"
#include "sql/eval/decimal.h"

enum { SEED = 31183, MOST_BINS = 1 << 20 };
#define MULTIPLIER UINT64_C(0x5DEECE66D)
#define MASK ((UINT64_C(1) << 48) - 1)

static const spk_sql_type *of(spk_sql_kind kind)
{
    return spk_sql_type_of(kind);
}

static uint32_t draw(uint64_t *seed, int bits)
{
    *seed = (*seed * MULTIPLIER + 11) & MASK;
    return (uint32_t)(*seed >> (48 - bits));
}

static double unit(uint64_t *seed)
{
    const uint64_t high = draw(seed, 26);
    return (double)((high << 27) + draw(seed, 27)) * 0x1p-53;
}

static SPK_COLD bool resolve(spk_sql_build *b, spk_sql_aggregate *a)
{
    const spk_sql_type *t = a->args[0]->type;
    const bool good = spk_sql_is_numeric(t) || t->kind == SPK_SQL_DATE || t->kind == SPK_SQL_TIMESTAMP
        || t->kind == SPK_SQL_TIMESTAMP_NTZ || spk_sql_is_interval(t) || t->kind == SPK_SQL_VOID;
    if (!good)
        return spk_agg_unexpected(b, a, 0,
            "(\"NUMERIC\" or \"DATE\" or \"TIMESTAMP\" or \"TIMESTAMP_NTZ\" or \"INTERVAL YEAR TO MONTH\" or "
            "\"INTERVAL DAY TO SECOND\")");
    if (!spk_agg_want(b, a, 1, 'i'))
        return false;
    const spk_sql_expr *n = spk_agg_constant(b, a, 1, "nb");
    if (!n)
        return false;
    if (n->null || *(const int32_t *)n->value < 2 || *(const int32_t *)n->value > MOST_BINS) {
        if (spk_sql_fail(b->error, "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", a->span)) {
            spk_sql_param(b->error, "exprName", "nb");
            spk_sql_param(b->error, "valueRange", "[2, %d]", MOST_BINS);
            spk_sql_param(b->error, "currentValue", "%d", n->null ? 0 : *(const int32_t *)n->value);
        }
        return false;
    }
    a->parameter = n->value;
    a->n = 1;
    if (t->kind == SPK_SQL_VOID) {
        a->args[0] = spk_sql_coerce(b, a->args[0], of(SPK_SQL_DOUBLE));
        t = of(SPK_SQL_DOUBLE);
    }
    const spk_sql_field fields[] = { { "x", t, true, 0 }, { "y", of(SPK_SQL_DOUBLE), true, 0 } };
    const spk_sql_type *bin = spk_sql_type_struct(b->arena, fields, 2),
                       *bins = spk_sql_type_array(b->arena, of(SPK_SQL_DOUBLE), false);
    a->type = bin ? spk_sql_type_array(b->arena, bin, true) : NULL;
    a->nullable = true;
    a->state = bins
        ? spk_agg_state(b, 3, (const spk_sql_type *const[]) { of(SPK_SQL_BIGINT), bins, of(SPK_SQL_BIGINT) })
        : NULL;
    return a->args[0] && a->type && a->state;
}

static void init(const spk_sql_aggregate *a, char *state)
{
    memset(state, 0, a->state->size);
    *SPK_AGG_AT(int64_t, a, state, 2) = (int64_t)((SEED ^ MULTIPLIER) & MASK);
}

/* trim: bins down to as many as there may be; at: 2 n numbers. */
static size_t trim(double *at, size_t n, size_t most, uint64_t *seed)
{
    while (n > most) {
        double least = at[2] - at[0];
        size_t place = 0;
        int count = 1;
        for (size_t i = 1; i + 1 < n; i++) {
            const double apart = at[2 * i + 2] - at[2 * i];
            if (apart < least) {
                least = apart;
                place = i;
                count = 1;
            } else if (apart == least && unit(seed) <= 1.0 / ++count) {
                place = i;
            }
        }
        double *bin = at + 2 * place;
        const double both = bin[1] + bin[3];
        bin[0] *= bin[1] / both;
        bin[0] += bin[2] / both * bin[3];
        bin[1] = both;
        memmove(bin + 2, bin + 4, (n - place - 2) * 2 * sizeof *bin);
        n--;
    }
    return n;
}

/* room_for: memory of the state's own for n bins; NULL: there is none. */
static double *room_for(const spk_sql_aggregate *a, char *state, size_t n, spk_arena *arena)
{
    int64_t *room = SPK_AGG_AT(int64_t, a, state, 0);
    spk_sql_array *bins = SPK_AGG_AT(spk_sql_array, a, state, 1);
    if ((int64_t)(2 * n) <= *room)
        return (double *)(uintptr_t)bins->at;
    const size_t size = n < 8 ? 16 : 3 * n;
    double *fresh = spk_arena_alloc(arena, size * sizeof *fresh, 16);
    if (!fresh)
        return NULL;
    if (bins->n)
        memcpy(fresh, bins->at, bins->n * sizeof *fresh);
    bins->at = (const char *)fresh;
    *room = (int64_t)size;
    return fresh;
}

static bool add(const spk_sql_aggregate *a, char *state, double x, spk_arena *arena)
{
    spk_sql_array *bins = SPK_AGG_AT(spk_sql_array, a, state, 1);
    size_t n = bins->n / 2, low = 0, high = n;
    double *at = room_for(a, state, n + 1, arena);
    if (!at)
        return false;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (at[2 * middle] < x)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < n && at[2 * low] == x) {
        at[2 * low + 1]++;
        return true;
    }
    memmove(at + 2 * low + 2, at + 2 * low, (n - low) * 2 * sizeof *at);
    at[2 * low] = x;
    at[2 * low + 1] = 1;
    uint64_t seed = (uint64_t)*SPK_AGG_AT(int64_t, a, state, 2);
    n = trim(at, n + 1, (size_t) * (const int32_t *)a->parameter, &seed);
    *SPK_AGG_AT(int64_t, a, state, 2) = (int64_t)seed;
    bins->n = 2 * n;
    return true;
}

static double number(const spk_sql_type *t, const spk_sql_vector *v, uint32_t i)
{
    if (t->kind == SPK_SQL_DOUBLE)
        return SPK_SQL_VALUE(double, v, i);
    if (t->kind == SPK_SQL_FLOAT)
        return (double)SPK_SQL_VALUE(float, v, i);
    if (t->kind == SPK_SQL_DECIMAL)
        return spk_decimal_double(spk_sql_units(t, v->ptr + (size_t)i * v->stride), t->scale);
    return (double)spk_sql_integer(t, v, i);
}

static bool update(spk_sql_agg_frame *f)
{
    const spk_sql_type *t = f->aggregate->args[0]->type;
    SPK_EACH_STATE(f, i, state)
    if (spk_sql_valid(&f->args[0], i) && !add(f->aggregate, state, number(t, &f->args[0], i), f->arena)) {
        spk_sql_nomem(f->error);
        return false;
    }
    return true;
}

static bool merge(
    const spk_sql_aggregate *a, char *into, const char *from, spk_arena *arena, spk_sql_error *error)
{
    const spk_sql_array other = *SPK_AGG_AT(const spk_sql_array, a, from, 1);
    spk_sql_array *bins = SPK_AGG_AT(spk_sql_array, a, into, 1);
    const size_t n = bins->n / 2, m = other.n / 2;
    const double *theirs = (const double *)(const void *)other.at;
    double *at = room_for(a, into, n + m + 1, arena);
    if (!at) {
        spk_sql_nomem(error);
        return false;
    }
    for (size_t i = n, k = m, place = n + m; k > 0;) { /* from the end */
        const bool mine = i > 0 && at[2 * i - 2] > theirs[2 * k - 2];
        const double x = mine ? at[2 * i - 2] : theirs[2 * k - 2], y = mine ? at[2 * i - 1] : theirs[2 * k - 1];
        i -= mine;
        k -= !mine;
        place--;
        at[2 * place] = x;
        at[2 * place + 1] = y;
    }
    uint64_t seed = (uint64_t)*SPK_AGG_AT(int64_t, a, into, 2);
    size_t all = 0;
    for (size_t i = 0; i < n + m; i++) /* those at the same place are one */
        if (all && at[2 * all - 2] == at[2 * i]) {
            at[2 * all - 1] += at[2 * i + 1];
        } else {
            at[2 * all] = at[2 * i];
            at[2 * all++ + 1] = at[2 * i + 1];
        }
    bins->n = 2 * trim(at, all, (size_t) * (const int32_t *)a->parameter, &seed);
    *SPK_AGG_AT(int64_t, a, into, 2) = (int64_t)seed;
    return true;
}

static void seal(const spk_sql_aggregate *a, char *state)
{
    *SPK_AGG_AT(int64_t, a, state, 0) = 0;
}

static void put_number(const spk_sql_type *t, double x, char *to)
{
    const float single = (float)x;
    spk_i128 units = 0;
    const int64_t whole = x >= 9.2e18 ? INT64_MAX : x <= -9.2e18 ? INT64_MIN : (int64_t)x;
    const int32_t word = (int32_t)whole;
    const int16_t half = (int16_t)whole;
    const int8_t byte = (int8_t)whole;
    if (t->kind == SPK_SQL_DECIMAL) {
        (void)spk_decimal_of_double(x, t->scale, &units);
        spk_sql_units_set(t, to, units);
    } else if (t->kind == SPK_SQL_DOUBLE) {
        memcpy(to, &x, sizeof x);
    } else if (t->kind == SPK_SQL_FLOAT) {
        memcpy(to, &single, sizeof single);
    } else {
        memcpy(to, t->size == 8 ? (const void *)&whole : t->size == 4 ? (const void *)&word
                : t->size == 2 ? (const void *)&half : (const void *)&byte, t->size);
    }
}

static bool finish(const spk_sql_aggregate *a, const char *state, void *value, bool *valid, spk_arena *arena,
    spk_sql_error *error)
{
    const spk_sql_array bins = *SPK_AGG_AT(const spk_sql_array, a, state, 1);
    const double *at = (const double *)(const void *)bins.at;
    const spk_sql_type *bin = a->type->of;
    const size_t size = spk_sql_slot_size(bin, true), n = bins.n / 2;
    char *out = spk_arena_alloc(arena, n * size + 1, 16);
    *valid = n > 0;
    if (!out) {
        spk_sql_nomem(error);
        return false;
    }
    memset(out, 0, n * size + 1);
    for (size_t i = 0; i < n; i++) {
        char *slot = out + i * size, *row = slot + spk_sql_slot_value(bin, true);
        *slot = 1;
        for (uint32_t k = 0; k < 2; k++) {
            const spk_sql_field *field = &bin->fields[k];
            row[field->offset] = 1;
            put_number(field->type, at[2 * i + k], row + field->offset + spk_sql_slot_value(field->type, true));
        }
    }
    const spk_sql_array made = { out, n };
    memcpy(value, &made, sizeof made);
    return true;
}

const spk_sql_agg_def spk_aggs_histogram[] = { { .name = "histogram_numeric", .least = 2, .most = 2,
                                                   .resolve = resolve, .init = init, .update = update,
                                                   .merge = merge, .seal = seal, .finish = finish },
    { 0 } };
