/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/eval/agg_one.h"

/* TOTAL: as S, which holds the sum of a batch. */
#define TOTAL(T, S)                                                                                                   \
    do {                                                                                                              \
        const T *x_ = (const T *)(const void *)at;                                                                    \
        S sum_ = 0;                                                                                                   \
        for (uint32_t i_ = 0; i_ < n; i_++)                                                                           \
            sum_ += x_[i_];                                                                                           \
        return sum_;                                                                                                  \
    } while (0)

int64_t spk_agg_total(const char *at, size_t size, uint32_t n)
{
    if (size == 1)
        TOTAL(int8_t, int32_t);
    if (size == 2)
        TOTAL(int16_t, int32_t);
    TOTAL(int32_t, int64_t);
}

#define EXTREME(T, test)                                                                                              \
    do {                                                                                                              \
        const T *x_ = (const T *)(const void *)at;                                                                    \
        T best = x_[0];                                                                                               \
        for (uint32_t i_ = 1; i_ < n; i_++) {                                                                         \
            const T x = x_[i_];                                                                                       \
            best = (test) ? x : best;                                                                                 \
        }                                                                                                             \
        return best;                                                                                                  \
    } while (0)

int64_t spk_agg_extreme(const char *at, size_t size, uint32_t n, bool least)
{
    if (size == 4 && least)
        EXTREME(int32_t, x < best);
    if (size == 4)
        EXTREME(int32_t, x > best);
    if (least)
        EXTREME(int64_t, x < best);
    EXTREME(int64_t, x > best);
}
