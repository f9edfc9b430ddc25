/* SPDX-License-Identifier: Apache-2.0 */
/* Loops of kernels. */
#ifndef SPK_SQL_EVAL_KERNEL_H
#define SPK_SQL_EVAL_KERNEL_H

#include "sql/eval/function.h"

/* SPK_EACH_ROW: for each selected row, its index i; ends when the run has failed is the body's to do. */
#define SPK_EACH_ROW(f, i)                                                                         \
    for (uint32_t k_##i = 0, i;                                                                    \
         k_##i < (f)->rows.n && ((i = spk_sql_row((f)->rows, k_##i)), true); k_##i++)

/* SPK_AT_: value i of what lies at `at`, a stride apart. */
#define SPK_AT_(T, at, stride, i) (*(const T *)(const void *)((at) + (size_t)(i) * (stride)))

/* SPK_BINARY_LOOP: SET for each row, of x and y, into out[i]. Whole batches, and a constant y, have
 * loops of their own, which the compiler can make good use of. */
#define SPK_BINARY_LOOP(f, T, R, SET)                                                              \
    do {                                                                                           \
        const char *const p_ = (f)->args[0].ptr, *const q_ = (f)->args[1].ptr;                     \
        const size_t s_ = (f)->args[0].stride, t_ = (f)->args[1].stride;                           \
        R *restrict const out = (R *)(void *)(f)->out;                                             \
        const uint32_t n_ = (f)->rows.n;                                                           \
        const uint16_t *const at_ = (f)->rows.at;                                                  \
        if (at_) {                                                                                 \
            for (uint32_t k_ = 0; k_ < n_; k_++) {                                                 \
                const uint32_t i = at_[k_];                                                        \
                const T x = SPK_AT_(T, p_, s_, i), y = SPK_AT_(T, q_, t_, i);                      \
                SET;                                                                               \
            }                                                                                      \
        } else if (t_ == 0) {                                                                      \
            const T y = SPK_AT_(T, q_, 0, 0);                                                      \
            for (uint32_t i = 0; i < n_; i++) {                                                    \
                const T x = SPK_AT_(T, p_, s_, i);                                                 \
                SET;                                                                               \
            }                                                                                      \
        } else {                                                                                   \
            for (uint32_t i = 0; i < n_; i++) {                                                    \
                const T x = SPK_AT_(T, p_, s_, i), y = SPK_AT_(T, q_, t_, i);                      \
                SET;                                                                               \
            }                                                                                      \
        }                                                                                          \
    } while (0)

#define SPK_UNARY_LOOP(f, T, R, SET)                                                               \
    do {                                                                                           \
        const char *const p_ = (f)->args[0].ptr;                                                   \
        const size_t s_ = (f)->args[0].stride;                                                     \
        R *restrict const out = (R *)(void *)(f)->out;                                             \
        const uint32_t n_ = (f)->rows.n;                                                           \
        const uint16_t *const at_ = (f)->rows.at;                                                  \
        if (at_) {                                                                                 \
            for (uint32_t k_ = 0; k_ < n_; k_++) {                                                 \
                const uint32_t i = at_[k_];                                                        \
                const T x = SPK_AT_(T, p_, s_, i);                                                 \
                SET;                                                                               \
            }                                                                                      \
        } else {                                                                                   \
            for (uint32_t i = 0; i < n_; i++) {                                                    \
                const T x = SPK_AT_(T, p_, s_, i);                                                 \
                SET;                                                                               \
            }                                                                                      \
        }                                                                                          \
    } while (0)

/* spk_sql_integer: the value of an integral vector. */
static inline int64_t spk_sql_integer(const spk_sql_type *t, const spk_sql_vector *v, uint32_t i)
{
    switch (t->kind) {
    case SPK_SQL_TINYINT:
        return SPK_SQL_VALUE(int8_t, v, i);
    case SPK_SQL_SMALLINT:
        return SPK_SQL_VALUE(int16_t, v, i);
    case SPK_SQL_INT:
    case SPK_SQL_DATE:
    case SPK_SQL_INTERVAL_MONTHS:
        return SPK_SQL_VALUE(int32_t, v, i);
    default:
        return SPK_SQL_VALUE(int64_t, v, i);
    }
}

/* spk_sql_units: the units of a decimal. spk_sql_units_set: false: more digits than its precision.
 * */
static inline spk_i128 spk_sql_units(const spk_sql_type *t, const void *at)
{
    return t->size == 16 ? spk_sql_widen(*(const spk_sql_wide *)at) : *(const int64_t *)at;
}
static inline void spk_sql_units_set(const spk_sql_type *t, void *at, spk_i128 x)
{
    if (t->size == 16)
        *(spk_sql_wide *)at = spk_sql_wide_of(x);
    else
        *(int64_t *)at = (int64_t)x;
}

#endif
