/* SPDX-License-Identifier: Apache-2.0 */
/* Variance, covariance, skewness, regression: counts, means and moments about them, after Welford,
 * merged
 * in pairs after Chan et al., as Spark's CentralMomentAgg and Covariance do. */
#include "base/small.h"

#include <math.h>

#include "sql/eval/agg.h"

/* ---- one argument: state { n, mean, m2, m3, m4 } ---- */

enum { STDDEV_SAMP, STDDEV_POP, VAR_SAMP, VAR_POP, SKEWNESS, KURTOSIS };

static SPK_COLD const spk_sql_type *doubles(spk_sql_build *b, size_t n)
{
    const spk_sql_type *types[8];
    for (size_t i = 0; i < n; i++)
        types[i] = spk_sql_type_of(SPK_SQL_DOUBLE);
    return spk_agg_state(b, n, types);
}

static SPK_COLD bool moments_resolve(spk_sql_build *b, spk_sql_aggregate *a)
{
    a->type = spk_sql_type_of(SPK_SQL_DOUBLE);
    a->state = doubles(b, 5);
    return spk_agg_want(b, a, 0, 'd');
}

static bool moments_update(spk_sql_agg_frame *f)
{
    SPK_EACH_STATE(f, i, state)
    {
        if (!spk_sql_valid(&f->args[0], i))
            continue;
        double *s = SPK_AGG_AT(double, f->aggregate, state, 0);
        const double x = SPK_SQL_VALUE(double, &f->args[0], i);
        const double n = s[0] + 1, delta = x - s[1], by_n = delta / n;
        const double m2 = s[2] + delta * (delta - by_n);
        const double d2 = delta * delta, n2 = by_n * by_n;
        const double m3 = s[3] - 3 * by_n * m2 + delta * (d2 - n2);
        const double m4 = s[4] - 4 * by_n * m3 - 6 * n2 * m2 + delta * (delta * d2 - by_n * n2);
        s[0] = n;
        s[1] += by_n;
        s[2] = m2;
        s[3] = m3;
        s[4] = m4;
    }
    return true;
}

static bool moments_merge(const spk_sql_aggregate *a, char *into, const char *from,
    spk_arena *arena, spk_sql_error *error)
{
    (void)arena, (void)error;
    double *s = SPK_AGG_AT(double, a, into, 0);
    const double *t = SPK_AGG_AT(const double, a, from, 0);
    const double n1 = s[0], n2 = t[0], n = n1 + n2;
    if (n2 == 0)
        return true;
    if (n1 == 0) {
        memcpy(s, t, 5 * sizeof *s);
        return true;
    }
    const double delta = t[1] - s[1], by_n = delta / n;
    const double m2 = s[2] + t[2] + delta * by_n * n1 * n2;
    const double m3 = s[3] + t[3] + by_n * by_n * delta * n1 * n2 * (n1 - n2)
        + 3 * by_n * (n1 * t[2] - n2 * s[2]);
    const double m4 = s[4] + t[4]
        + by_n * by_n * by_n * delta * n1 * n2 * (n1 * n1 - n1 * n2 + n2 * n2)
        + 6 * by_n * by_n * (n1 * n1 * t[2] + n2 * n2 * s[2]) + 4 * by_n * (n1 * t[3] - n2 * s[3]);
    s[0] = n;
    s[1] += by_n * n2;
    s[2] = m2;
    s[3] = m3;
    s[4] = m4;
    return true;
}

static bool moments_finish(const spk_sql_aggregate *a, const char *state, void *value, bool *valid,
    spk_arena *arena, spk_sql_error *error)
{
    (void)arena, (void)error;
    const double *s = SPK_AGG_AT(const double, a, state, 0);
    const double n = s[0];
    double x = 0;
    *valid = n > 0;
    switch (a->def->variant) {
    case STDDEV_SAMP:
    case VAR_SAMP:
        *valid = n > 1;
        x = s[2] / (n - 1);
        break;
    case STDDEV_POP:
    case VAR_POP:
        x = s[2] / n;
        break;
    case SKEWNESS:
        *valid = n > 0 && s[2] != 0;
        x = sqrt(n) * s[3] / sqrt(s[2] * s[2] * s[2]);
        break;
    default:
        *valid = n > 0 && s[2] != 0;
        x = n * s[4] / (s[2] * s[2]) - 3;
    }
    *(double *)value = a->def->variant <= STDDEV_POP ? sqrt(x) : x;
    return true;
}

/* ---- two: state { n, mean x, mean y, co, m2 x, m2 y }; regr_ functions take y first ---- */

enum {
    CORR,
    COVAR_SAMP,
    COVAR_POP,
    REGR_COUNT,
    REGR_AVGX,
    REGR_AVGY,
    REGR_SXX,
    REGR_SYY,
    REGR_SXY,
    REGR_SLOPE,
    REGR_INTERCEPT,
    REGR_R2
};

static SPK_COLD bool pair_resolve(spk_sql_build *b, spk_sql_aggregate *a)
{
    const bool count = a->def->variant == REGR_COUNT;
    a->type = spk_sql_type_of(count ? SPK_SQL_BIGINT : SPK_SQL_DOUBLE);
    a->nullable = !count;
    a->state = doubles(b, 6);
    return spk_agg_want(b, a, 0, 'd') && spk_agg_want(b, a, 1, 'd');
}

static bool pair_update(spk_sql_agg_frame *f)
{
    const bool turned = f->aggregate->def->variant >= REGR_COUNT;
    SPK_EACH_STATE(f, i, state)
    {
        if (!spk_agg_valid(f, i))
            continue;
        double *s = SPK_AGG_AT(double, f->aggregate, state, 0);
        const double x = SPK_SQL_VALUE(double, &f->args[turned], i);
        const double y = SPK_SQL_VALUE(double, &f->args[!turned], i);
        const double n = s[0] + 1, dx = x - s[1], dy = y - s[2];
        const double mx = s[1] + dx / n, my = s[2] + dy / n;
        s[0] = n;
        s[3] += dx * (y - my);
        s[4] += dx * (x - mx);
        s[5] += dy * (y - my);
        s[1] = mx;
        s[2] = my;
    }
    return true;
}

static bool pair_merge(const spk_sql_aggregate *a, char *into, const char *from, spk_arena *arena,
    spk_sql_error *error)
{
    (void)arena, (void)error;
    double *s = SPK_AGG_AT(double, a, into, 0);
    const double *t = SPK_AGG_AT(const double, a, from, 0);
    const double n1 = s[0], n2 = t[0], n = n1 + n2;
    if (n2 == 0)
        return true;
    if (n1 == 0) {
        memcpy(s, t, 6 * sizeof *s);
        return true;
    }
    const double dx = t[1] - s[1], dy = t[2] - s[2];
    s[0] = n;
    s[1] += dx / n * n2;
    s[2] += dy / n * n2;
    s[3] += t[3] + dx * dy / n * n1 * n2;
    s[4] += t[4] + dx * dx / n * n1 * n2;
    s[5] += t[5] + dy * dy / n * n1 * n2;
    return true;
}

static bool pair_finish(const spk_sql_aggregate *a, const char *state, void *value, bool *valid,
    spk_arena *arena, spk_sql_error *error)
{
    (void)arena, (void)error;
    const double *s = SPK_AGG_AT(const double, a, state, 0);
    const double n = s[0], sxy = s[3], sxx = s[4], syy = s[5];
    double x = 0;
    *valid = n > 0;
    switch (a->def->variant) {
    case CORR:
        *valid = n > 1;
        x = sxy / sqrt(sxx * syy);
        if (sxx == 0 || syy == 0) /* Spark 4: NULL */
            *valid = false;
        break;
    case COVAR_SAMP:
        *valid = n > 1;
        x = sxy / (n - 1);
        break;
    case COVAR_POP:
        x = sxy / n;
        break;
    case REGR_COUNT:
        *valid = true;
        *(int64_t *)value = (int64_t)n;
        return true;
    case REGR_AVGX:
        x = s[1];
        break;
    case REGR_AVGY:
        x = s[2];
        break;
    case REGR_SXX:
        x = sxx;
        break;
    case REGR_SYY:
        x = syy;
        break;
    case REGR_SXY:
        x = sxy;
        break;
    case REGR_SLOPE:
        *valid = n > 1 && sxx != 0;
        x = sxy / sxx;
        break;
    case REGR_INTERCEPT:
        *valid = n > 1 && sxx != 0;
        x = s[2] - sxy / sxx * s[1];
        break;
    default:
        *valid = n > 1 && sxx != 0;
        x = syy == 0 ? 1 : sxy / sqrt(sxx * syy);
        x = x * x;
    }
    *(double *)value = x;
    return true;
}

#define ONE(name_, variant_)                                                                       \
    {                                                                                              \
        .name = name_, .least = 1, .most = 1, .resolve = moments_resolve,                          \
        .update = moments_update, .merge = moments_merge, .finish = moments_finish,                \
        .variant = variant_                                                                        \
    }
#define TWO(name_, variant_)                                                                       \
    {                                                                                              \
        .name = name_, .least = 2, .most = 2, .resolve = pair_resolve, .update = pair_update,      \
        .merge = pair_merge, .finish = pair_finish, .variant = variant_                            \
    }

const spk_sql_agg_def spk_aggs_moments[] = { ONE("stddev", STDDEV_SAMP), ONE("std", STDDEV_SAMP),
    ONE("stddev_samp", STDDEV_SAMP), ONE("stddev_pop", STDDEV_POP), ONE("variance", VAR_SAMP),
    ONE("var_samp", VAR_SAMP), ONE("var_pop", VAR_POP), ONE("skewness", SKEWNESS),
    ONE("kurtosis", KURTOSIS), TWO("corr", CORR), TWO("covar_samp", COVAR_SAMP),
    TWO("covar_pop", COVAR_POP), TWO("regr_count", REGR_COUNT), TWO("regr_avgx", REGR_AVGX),
    TWO("regr_avgy", REGR_AVGY), TWO("regr_sxx", REGR_SXX), TWO("regr_syy", REGR_SYY),
    TWO("regr_sxy", REGR_SXY), TWO("regr_slope", REGR_SLOPE), TWO("regr_intercept", REGR_INTERCEPT),
    TWO("regr_r2", REGR_R2), { 0 } };
