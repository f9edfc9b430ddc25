/* SPDX-License-Identifier: Apache-2.0 */
/* sum and avg. Sums of decimals, and of integers of 64 bits, are 128 bits wide, those of smaller integers 64, so that only
 * the whole sum can overflow, in any order. */
#include <math.h>

#include "sql/eval/agg_one.h"
#include "sql/eval/decimal.h"

static const spk_sql_type *of(spk_sql_kind kind)
{
    return spk_sql_type_of(kind);
}

static SPK_COLD const spk_sql_type *wide_type(spk_sql_build *b)
{
    const spk_sql_type *t = spk_sql_type_decimal(b->arena, SPK_SQL_DECIMAL_MAX, 0);
    if (!t)
        spk_sql_nomem(b->error);
    return t;
}

/* The state is { n, sum }: of doubles, and for averages of integers, a double, of others 64 or 128 bits */

enum { SUM, TRY_SUM, AVG, TRY_AVG };

static bool is_double(const spk_sql_aggregate *a)
{
    return a->state->fields[1].type->kind == SPK_SQL_DOUBLE;
}

/* is_short: sums of integers of up to 32 bits. */
static bool is_short(const spk_sql_aggregate *a)
{
    return a->state->fields[1].type->kind == SPK_SQL_BIGINT;
}

static SPK_COLD bool sum_resolve(spk_sql_build *b, spk_sql_aggregate *a)
{
    const bool avg = a->def->variant >= AVG;
    const spk_sql_type *t = a->args[0]->type;
    if (t->kind == SPK_SQL_STRING || t->kind == SPK_SQL_VOID || t->kind == SPK_SQL_TIMESTAMP)
        a->args[0] = spk_sql_coerce(b, a->args[0], of(SPK_SQL_DOUBLE));
    if (!a->args[0])
        return false;
    t = a->args[0]->type;
    if (!spk_sql_is_numeric(t) && !spk_sql_is_interval(t))
        return spk_agg_unexpected(b, a, 0,
            avg ? "(\"NUMERIC\" or \"INTERVAL DAY TO SECOND\" or \"INTERVAL YEAR TO MONTH\")"
                : "(\"NUMERIC\" or \"INTERVAL DAY TO SECOND\" or \"INTERVAL YEAR TO MONTH\")");
    const bool floating
        = t->kind == SPK_SQL_FLOAT || t->kind == SPK_SQL_DOUBLE || (avg && spk_sql_is_integral(t));
    if (t->kind == SPK_SQL_DECIMAL)
        a->type = spk_sql_type_decimal(b->arena,
            t->precision + (avg ? 4 : 10) < 38 ? t->precision + (avg ? 4 : 10) : 38,
            avg ? (t->scale + 4 < 38 ? t->scale + 4 : 38) : t->scale);
    else if (spk_sql_is_interval(t))
        a->type = avg ? of(t->kind) : t;
    else
        a->type = of(floating ? SPK_SQL_DOUBLE : SPK_SQL_BIGINT);
    if (floating && !(spk_sql_is_integral(t) && t->size <= 4))
        a->args[0] = spk_sql_coerce(b, a->args[0], of(SPK_SQL_DOUBLE));
    a->state = spk_agg_state(b, 2,
        (const spk_sql_type *const[]) { of(SPK_SQL_BIGINT),
            floating ? of(SPK_SQL_DOUBLE) : t->size <= 4 ? of(SPK_SQL_BIGINT) : wide_type(b) });
    return a->args[0] && a->type;
}

/* sum_one: all rows into one state, in their order. */
static void sum_one(const spk_sql_agg_frame *f)
{
    const spk_sql_vector v = f->args[0];
    double *const total = SPK_AGG_AT(double, f->aggregate, f->state, 1), sum = *total;
    int64_t n = 0;
    SPK_EACH_ROW(f, i)
    if (!v.valid || v.valid[i]) {
        sum += SPK_SQL_VALUE(double, &v, i);
        n++;
    }
    *total = sum;
    *SPK_AGG_AT(int64_t, f->aggregate, f->state, 0) += n;
}

static bool sum_doubles(spk_sql_agg_frame *f)
{
    const spk_sql_aggregate *a = f->aggregate;
    const spk_sql_vector *v = &f->args[0];
    if (!f->states) {
        sum_one(f);
        return true;
    }
    SPK_EACH_STATE(f, i, state)
    {
        if (v->valid && !v->valid[i])
            continue;
        ++*SPK_AGG_AT(int64_t, a, state, 0);
        *SPK_AGG_AT(double, a, state, 1) += SPK_SQL_VALUE(double, v, i);
    }
    return true;
}

/* TOTAL: a batch of numbers of less than 64 bits into one state: their sum cannot overflow. */
#define TOTAL(T)                                                                                   \
    do {                                                                                           \
        for (uint32_t k_ = 0; k_ < f->rows.n; k_++) {                                              \
            const uint32_t i_ = spk_sql_row(f->rows, k_);                                          \
            const bool valid_ = !v.valid || v.valid[i_];                                           \
            total += valid_ ? SPK_SQL_VALUE(T, &v, i_) : 0;                                        \
            many += valid_;                                                                        \
        }                                                                                          \
    } while (0)

static void total_of(const spk_sql_agg_frame *f, size_t size, int64_t *n, int64_t *sum)
{
    const spk_sql_vector v = f->args[0];
    int64_t total = 0, many = 0;
    if (spk_agg_side_by_side(f, size)) {
        total = spk_agg_total(v.ptr, size, f->rows.n);
        many = f->rows.n;
    } else if (size == 1)
        TOTAL(int8_t);
    else if (size == 2)
        TOTAL(int16_t);
    else
        TOTAL(int32_t);
    *n = many;
    *sum = total;
}

/* halves: a batch of 64-bit numbers into one state: the sums of their halves cannot overflow. */
static void halves(const spk_sql_agg_frame *f, int64_t *n, spk_i128 *sum)
{
    const spk_sql_vector *v = &f->args[0];
    int64_t high = 0, low = 0, many = 0;
    if (!v->valid && !f->rows.at && v->stride == sizeof(int64_t)) {
        const int64_t *x = (const int64_t *)(const void *)v->ptr;
        for (uint32_t i = 0; i < f->rows.n; i++) {
            high += x[i] >> 32;
            low += (uint32_t)x[i];
        }
        many = f->rows.n;
    } else if (!v->valid && f->rows.at) {
        const char *x = v->ptr;
        const size_t stride = v->stride;
        for (uint32_t k = 0; k < f->rows.n; k++) {
            const int64_t y = SPK_AT_(int64_t, x, stride, f->rows.at[k]);
            high += y >> 32;
            low += (uint32_t)y;
        }
        many = f->rows.n;
    } else {
        SPK_EACH_ROW(f, i)
        {
            const bool valid = spk_sql_valid(v, i);
            const int64_t x = valid ? SPK_SQL_VALUE(int64_t, v, i) : 0;
            high += x >> 32;
            low += (uint32_t)x;
            many += valid;
        }
    }
    *n += many;
    *sum += (spk_i128)high * ((int64_t)1 << 32) + low;
}

static bool attempted(const spk_sql_aggregate *a)
{
    return a->def->variant == TRY_SUM || a->def->variant == TRY_AVG;
}

static bool overflows(const spk_sql_aggregate *a, spk_sql_error *error)
{
    return spk_agg_overflow(a, error, a->def->variant >= AVG ? "try_avg" : "try_sum");
}

/* add_wide: n is negative where a sum that may fail has failed: it stays so. */
static bool add_wide(const spk_sql_aggregate *a, char *state, spk_i128 x, int64_t n)
{
    spk_sql_wide *sum = SPK_AGG_AT(spk_sql_wide, a, state, 1);
    int64_t *count = SPK_AGG_AT(int64_t, a, state, 0);
    spk_i128 all = 0;
    if (*count < 0)
        return true;
    const bool good = n >= 0 && !__builtin_add_overflow(spk_sql_widen(*sum), x, &all);
    *count = good ? *count + n : -1;
    if (good)
        *sum = spk_sql_wide_of(all);
    return good || attempted(a);
}

/* add_small: 64-bit numbers, each into its state. */
static bool add_small(const spk_sql_agg_frame *f)
{
    const spk_sql_aggregate *a = f->aggregate;
    const spk_sql_vector v = f->args[0];
    const uint32_t many = a->state->fields[0].offset, total = a->state->fields[1].offset;
    for (uint32_t k = 0; k < f->rows.n; k++) {
        const uint32_t i = spk_sql_row(f->rows, k);
        int64_t *n = (int64_t *)(void *)(f->states[k] + many);
        spk_sql_wide *sum = (spk_sql_wide *)(void *)(f->states[k] + total);
        spk_i128 all;
        if ((v.valid && !v.valid[i]) || *n < 0)
            continue;
        const bool over = __builtin_add_overflow(spk_sql_widen(*sum), SPK_SQL_VALUE(int64_t, &v, i), &all);
        if (over && !attempted(a))
            return false;
        *n = over ? -1 : *n + 1;
        if (!over)
            *sum = spk_sql_wide_of(all);
    }
    return true;
}

/* add_short: the same of a sum of 64 bits; false: it is too large. */
static inline bool add_short(int64_t *count, int64_t *sum, int64_t x, int64_t n)
{
    if (*count < 0)
        return true;
    const bool good = n >= 0 && !__builtin_add_overflow(*sum, x, sum);
    *count = good ? *count + n : -1;
    return good;
}

/* EACH: integers of type T, each into the sum of its state. */
#define EACH(T, ADD)                                                                                                  \
    for (uint32_t k = 0; k < f->rows.n; k++) {                                                                        \
        const uint32_t i = spk_sql_row(f->rows, k);                                                                   \
        int64_t *const count = (int64_t *)(void *)(f->states[k] + many);                                              \
        char *const sum = f->states[k] + total;                                                                       \
        const T x = SPK_SQL_VALUE(T, &v, i);                                                                          \
        if (!v.valid || v.valid[i])                                                                                   \
            ADD;                                                                                                      \
    }
#define ADD_SHORT good &= add_short(count, (int64_t *)(void *)sum, x, 1)
#define ADD_DOUBLE (++*count, *(double *)(void *)sum += x)

/* each_integer: false: a sum of 64 bits is too large. */
static bool each_integer(const spk_sql_agg_frame *f, size_t size)
{
    const spk_sql_vector v = f->args[0];
    const uint32_t many = f->aggregate->state->fields[0].offset, total = f->aggregate->state->fields[1].offset;
    bool good = true;
    if (is_double(f->aggregate)) {
        if (size == 4)
            EACH(int32_t, ADD_DOUBLE)
        else if (size == 2)
            EACH(int16_t, ADD_DOUBLE)
        else
            EACH(int8_t, ADD_DOUBLE)
    } else if (size == 4) {
        EACH(int32_t, ADD_SHORT)
    } else if (size == 2) {
        EACH(int16_t, ADD_SHORT)
    } else {
        EACH(int8_t, ADD_SHORT)
    }
    return good;
}

/* all_integers: a batch into one sum. Into a double at once, where the sums in between are whole numbers that it holds,
 * which gives what adding one by one does. False: a sum of 64 bits is too large. */
static bool all_integers(const spk_sql_agg_frame *f, size_t size)
{
    const spk_sql_aggregate *a = f->aggregate;
    int64_t *const count = SPK_AGG_AT(int64_t, a, f->state, 0);
    const bool same = !f->args[0].valid && f->args[0].stride == 0; /* one value for all rows */
    spk_sql_agg_frame one = *f;
    one.rows.n = same && f->rows.n > 0 ? 1 : f->rows.n;
    int64_t n, sum;
    total_of(&one, size, &n, &sum);
    if (same)
        n = f->rows.n, sum *= n;
    if (!is_double(a))
        return add_short(count, SPK_AGG_AT(int64_t, a, f->state, 1), sum, n);
    double *const total = SPK_AGG_AT(double, a, f->state, 1);
    *count += n;
    if (fabs(*total) < (double)((int64_t)1 << 52)) {
        *total += (double)sum;
        return true;
    }
    SPK_EACH_ROW(f, i)
    *total += spk_sql_valid(&f->args[0], i) ? (double)spk_sql_integer(a->args[0]->type, &f->args[0], i) : 0;
    return true;
}

/* sum_small: 64-bit numbers. */
static bool sum_small(const spk_sql_agg_frame *f)
{
    const spk_sql_aggregate *a = f->aggregate;
    if (!f->states) {
        int64_t n = 0;
        spk_i128 sum = 0;
        halves(f, &n, &sum);
        return add_wide(a, f->state, sum, n) || overflows(a, f->error);
    }
    return add_small(f) || overflows(a, f->error);
}

static bool sum_update(spk_sql_agg_frame *f)
{
    const spk_sql_aggregate *a = f->aggregate;
    const spk_sql_type *t = a->args[0]->type;
    if (t->size <= 4)
        return (f->states ? each_integer : all_integers)(f, t->size) || attempted(a)
            || overflows(a, f->error);
    if (is_double(a))
        return sum_doubles(f);
    if (t->size == 8 || f->narrow)
        return sum_small(f);
    SPK_EACH_STATE(f, i, state)
    {
        if (!spk_sql_valid(&f->args[0], i))
            continue;
        if (!add_wide(a, state, spk_sql_units(t, f->args[0].ptr + i * f->args[0].stride), 1))
            return overflows(a, f->error);
    }
    return true;
}

bool spk_sql_agg_same_state(const spk_sql_aggregate *a, const spk_sql_aggregate *b)
{
    return a->def->update == sum_update && b->def->update == sum_update && a->n == 1 && b->n == 1
        && attempted(a) == attempted(b) && spk_sql_type_same(a->state, b->state);
}

bool spk_sql_agg_takes_narrow(const spk_sql_aggregate *a)
{
    return a->def->update == sum_update;
}

static bool sum_merge(const spk_sql_aggregate *a, char *into, const char *from, spk_arena *arena,
    spk_sql_error *error)
{
    (void)arena;
    const int64_t n = *SPK_AGG_AT(const int64_t, a, from, 0);
    if (is_double(a)) {
        if (n > 0) /* a state of nothing adds nothing, not even a zero's sign */
            *SPK_AGG_AT(double, a, into, 1) += *SPK_AGG_AT(const double, a, from, 1);
        *SPK_AGG_AT(int64_t, a, into, 0) += n;
        return true;
    }
    int64_t *const count = SPK_AGG_AT(int64_t, a, into, 0), *const sum = SPK_AGG_AT(int64_t, a, into, 1);
    const bool good = is_short(a)
        ? add_short(count, sum, *SPK_AGG_AT(const int64_t, a, from, 1), n) || attempted(a)
        : add_wide(a, into, spk_sql_widen(*SPK_AGG_AT(const spk_sql_wide, a, from, 1)), n);
    return good
        || overflows(a, error);
}

static bool sum_finish(const spk_sql_aggregate *a, const char *state, void *value, bool *valid,
    spk_arena *arena, spk_sql_error *error)
{
    (void)arena;
    const bool attempt = attempted(a), avg = a->def->variant >= AVG;
    const int64_t n = *SPK_AGG_AT(const int64_t, a, state, 0);
    *valid = n > 0;
    if (n <= 0)
        return true;
    if (is_double(a)) {
        *(double *)value = *SPK_AGG_AT(const double, a, state, 1) / (avg ? (double)n : 1);
        return true;
    }
    const spk_sql_type *t = a->args[0]->type;
    spk_i128 sum = is_short(a) ? *SPK_AGG_AT(const int64_t, a, state, 1)
                               : spk_sql_widen(*SPK_AGG_AT(const spk_sql_wide, a, state, 1));
    const int scale = t->kind == SPK_SQL_DECIMAL ? t->scale : 0;
    bool zero, good = true;
    if (avg && (a->type->kind == SPK_SQL_INTERVAL_MONTHS ? sum != (int32_t)sum
            : spk_sql_is_interval(a->type)               ? sum != (int64_t)sum
                                                         : false)) {
        *valid = false;
        return attempt || overflows(a, error);
    }
    if (avg)
        good = spk_decimal_op('/', sum, scale, n, 0,
            a->type->kind == SPK_SQL_DECIMAL ? a->type->scale : 0, &sum, &zero);
    if (a->type->kind == SPK_SQL_DECIMAL) {
        if (good && spk_decimal_fits(sum, a->type->precision)) {
            spk_sql_units_set(a->type, value, sum);
            return true;
        }
        *valid = false;
        return attempt || overflows(a, error);
    }
    const bool months = a->type->kind == SPK_SQL_INTERVAL_MONTHS;
    const int32_t small = (int32_t)sum;
    const int64_t large = (int64_t)sum;
    if (months ? sum != small : sum != large) {
        *valid = false;
        return attempt || overflows(a, error);
    }
    memcpy(value, months ? (const void *)&small : (const void *)&large, a->type->size);
    return true;
}

#define SUM_                                                                                       \
    .least = 1, .most = 1, .resolve = sum_resolve, .update = sum_update, .merge = sum_merge,       \
    .finish = sum_finish

const spk_sql_agg_def spk_aggs_sum[] = {
    { .name = "sum", SUM_, .variant = SUM },
    { .name = "try_sum", SUM_, .variant = TRY_SUM },
    { .name = "avg", SUM_, .variant = AVG },
    { .name = "mean", SUM_, .variant = AVG },
    { .name = "try_avg", SUM_, .variant = TRY_AVG },
    { 0 },
};
