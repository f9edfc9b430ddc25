/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in merges: for each of sum, min and max a pair of loops (scattered accumulators, one
 * accumulator) for each numeric kind, and one by comparison for everything that has an order.
 * Integer sums wrap, so they are computed unsigned. */
#include "shuffle/merge.h"

#define IN(T, i) (*(const T *)(const void *)((const char *)in + (i)*step))

#define SUM_LOOPS(name, T, U)                                                                      \
    static void sum_##name##_run(spark_task *task, size_t n, void *const *acc, const void *in,     \
        size_t step, const void *env)                                                              \
    {                                                                                              \
        (void)task, (void)env;                                                                     \
        for (size_t i = 0; i < n; i++)                                                             \
            *(T *)acc[i] = (T)((U) * (T *)acc[i] + (U)IN(T, i));                                   \
    }                                                                                              \
    static void sum_##name##_fold(                                                                 \
        spark_task *task, size_t n, void *acc, const void *in, size_t step, const void *env)       \
    {                                                                                              \
        (void)task, (void)env;                                                                     \
        T sum = *(T *)acc;                                                                         \
        if (step == sizeof(T))                                                                     \
            for (size_t i = 0; i < n; i++)                                                         \
                sum = (T)((U)sum + (U)((const T *)in)[i]);                                         \
        else                                                                                       \
            for (size_t i = 0; i < n; i++)                                                         \
                sum = (T)((U)sum + (U)IN(T, i));                                                   \
        *(T *)acc = sum;                                                                           \
    }

SUM_LOOPS(i8, int8_t, uint32_t)
SUM_LOOPS(i16, int16_t, uint32_t)
SUM_LOOPS(i32, int32_t, uint32_t)
SUM_LOOPS(i64, int64_t, uint64_t)
SUM_LOOPS(u8, uint8_t, uint32_t)
SUM_LOOPS(u16, uint16_t, uint32_t)
SUM_LOOPS(f32, float, float)
SUM_LOOPS(f64, double, double)

/* least, greatest: env is the layout of the accumulator. */
static void extreme_run(size_t n, void *const *acc, const void *in, size_t step,
    const spk_layout *layout, bool greatest)
{
    for (size_t i = 0; i < n; i++) {
        const char *value = (const char *)in + i * step;
        const int order = spk_value_compare(layout, value, acc[i]);
        if (greatest ? order > 0 : order < 0)
            memcpy(acc[i], value, layout->size);
    }
}

static void extreme_fold(
    size_t n, void *acc, const void *in, size_t step, const spk_layout *layout, bool greatest)
{
    for (size_t i = 0; i < n; i++) {
        const char *value = (const char *)in + i * step;
        const int order = spk_value_compare(layout, value, acc);
        if (greatest ? order > 0 : order < 0)
            memcpy(acc, value, layout->size);
    }
}

static void min_run(
    spark_task *task, size_t n, void *const *acc, const void *in, size_t step, const void *env)
{
    (void)task;
    extreme_run(n, acc, in, step, env, false);
}

static void min_fold(
    spark_task *task, size_t n, void *acc, const void *in, size_t step, const void *env)
{
    (void)task;
    extreme_fold(n, acc, in, step, env, false);
}

static void max_run(
    spark_task *task, size_t n, void *const *acc, const void *in, size_t step, const void *env)
{
    (void)task;
    extreme_run(n, acc, in, step, env, true);
}

static void max_fold(
    spark_task *task, size_t n, void *acc, const void *in, size_t step, const void *env)
{
    (void)task;
    extreme_fold(n, acc, in, step, env, true);
}

static void first_run(
    spark_task *task, size_t n, void *const *acc, const void *in, size_t step, const void *env)
{
    (void)task, (void)n, (void)acc, (void)in, (void)step, (void)env;
}

static void first_fold(
    spark_task *task, size_t n, void *acc, const void *in, size_t step, const void *env)
{
    (void)task, (void)n, (void)acc, (void)in, (void)step, (void)env;
}

const spark_merge_def spark_op_sum[1] = { { "sum", NULL, NULL, 0, NULL, NULL, SPARK_OP_SUM } };
const spark_merge_def spark_op_min[1]
    = { { "min", NULL, NULL, 0, min_run, min_fold, SPARK_OP_MIN } };
const spark_merge_def spark_op_max[1]
    = { { "max", NULL, NULL, 0, max_run, max_fold, SPARK_OP_MAX } };
const spark_merge_def spark_op_first[1]
    = { { "first", NULL, NULL, 0, first_run, first_fold, SPARK_OP_FIRST } };

const spark_merge_def spk_sum_i64[1] = { { "sum", NULL, NULL, 0, sum_i64_run, sum_i64_fold, SPARK_OP_USER } };

static bool bind_sum(spark_merge_def *def, spark_kind kind)
{
#define USE(name) (def->run = sum_##name##_run, def->fold = sum_##name##_fold, true)
    switch (kind) {
    case SPARK_KIND_I8:
        return USE(i8);
    case SPARK_KIND_U8:
        return USE(u8);
    case SPARK_KIND_I16:
        return USE(i16);
    case SPARK_KIND_U16:
        return USE(u16);
    case SPARK_KIND_I32:
    case SPARK_KIND_U32:
        return USE(i32);
    case SPARK_KIND_I64:
    case SPARK_KIND_U64:
    case SPARK_KIND_DECIMAL:
        return USE(i64);
    case SPARK_KIND_F32:
        return USE(f32);
    case SPARK_KIND_F64:
        return USE(f64);
    default:
        return false;
    }
#undef USE
}

static spark_status differ(
    const char *what, const spark_type *want, const spk_layout *have, spk_failure *failure)
{
    char text[400];
    if (!want || spk_type_differ(want, have->type, text, sizeof text) == SPARK_OK)
        return SPARK_OK;
    return spk_failure_set(failure, SPARK_ETYPE, NULL, NULL, "%s: %s", what, text);
}

spark_status spk_merging_bind(spk_merging *merging, const spark_merge_def *def, const void *env,
    const spk_layout *acc, const spk_layout *in, spk_failure *failure)
{
    char name[100];
    merging->def = *def;
    merging->env = env;
    if (differ("accumulator", def->acc, acc, failure) != SPARK_OK
        || differ("input", def->in, in, failure) != SPARK_OK)
        return failure->code;
    if (def->op == SPARK_OP_USER)
        return def->run && def->fold
            ? SPARK_OK
            : spk_failure_set(failure, SPARK_EINVAL, NULL, NULL, "the merge function has no loops");
    if (differ("input", acc->type, in, failure) != SPARK_OK)
        return failure->code;
    merging->env = acc;
    if (def->op == SPARK_OP_SUM && !bind_sum(&merging->def, acc->type->kind))
        return spk_failure_set(failure, SPARK_ETYPE, NULL, NULL, "sum wants numbers, %s found",
            spk_type_name(acc->type, name, sizeof name));
    return SPARK_OK;
}

bool spk_merging_is_sum_i64(const spk_merging *merging)
{
    return merging->def.run == sum_i64_run;
}
