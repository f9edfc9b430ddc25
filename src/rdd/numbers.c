/* SPDX-License-Identifier: Apache-2.0 */
/* Elements that are numbers, of whatever kind, as doubles. */
#include "rdd/numbers.h"

#include "rdd/action.h"

spark_status spk_numbers_check(
    spark_rdd *rdd, const char *name, spark_site at, const void *place, spk_failure *failure)
{
    char text[100];
    const spark_status status = spk_action_check(rdd, name, at, failure);
    if (status != SPARK_OK)
        return status;
    if (!place)
        return spk_failure_set(failure, SPARK_EINVAL, name, at,
            "%s at %s: there is no place for the result", name, at);
    const spark_kind kind = rdd->layout->type->kind;
    if (kind < SPARK_KIND_I8 || kind > SPARK_KIND_DECIMAL)
        return spk_failure_set(failure, SPARK_ETYPE, name, at, "%s at %s: numbers wanted, %s found",
            name, at, spk_type_name(rdd->layout->type, text, sizeof text));
    return SPARK_OK;
}

#define NUMBERS(T, scale)                                                                          \
    for (size_t i = 0; i < n; i++) {                                                               \
        T x;                                                                                       \
        memcpy(&x, rows + i * sizeof x, sizeof x);                                                 \
        out[i] = (double)x scale;                                                                  \
    }                                                                                              \
    break

void spk_numbers(const spk_layout *layout, const char *rows, size_t n, double *out)
{
    double unit = 1;
    switch (layout->type->kind) {
    case SPARK_KIND_I8:
        NUMBERS(int8_t, );
    case SPARK_KIND_I16:
        NUMBERS(int16_t, );
    case SPARK_KIND_I32:
        NUMBERS(int32_t, );
    case SPARK_KIND_I64:
        NUMBERS(int64_t, );
    case SPARK_KIND_U8:
        NUMBERS(uint8_t, );
    case SPARK_KIND_U16:
        NUMBERS(uint16_t, );
    case SPARK_KIND_U32:
        NUMBERS(uint32_t, );
    case SPARK_KIND_U64:
        NUMBERS(uint64_t, );
    case SPARK_KIND_F32:
        NUMBERS(float, );
    case SPARK_KIND_F64:
        NUMBERS(double, );
    default: /* a decimal */
        for (int i = 0; i < layout->type->scale; i++)
            unit *= 10;
        NUMBERS(int64_t, / unit);
    }
}
