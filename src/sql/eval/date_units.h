/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of functions on dates and times share: units by their words, and local times. */
#ifndef SPK_SQL_EVAL_DATE_UNITS_H
#define SPK_SQL_EVAL_DATE_UNITS_H

#include "sql/eval/date_pattern.h"
#include "sql/eval/decimal.h"
#include "sql/eval/kernel.h"
#include "sql/eval/resolve.h"
#include "sql/eval/zone.h"

#define S(a, i) SPK_SQL_ARG(spark_str, f, a, i)
#define I(a, i) SPK_SQL_ARG(int32_t, f, a, i)
#define L(a, i) SPK_SQL_ARG(int64_t, f, a, i)

typedef enum spk_date_unit {
    SPK_U_NONE,
    SPK_U_YEAR,
    SPK_U_QUARTER,
    SPK_U_MONTH,
    SPK_U_WEEK,
    SPK_U_DAY,
    SPK_U_DOW,
    SPK_U_DOW_ISO,
    SPK_U_WEEKDAY,
    SPK_U_DOY,
    SPK_U_YEAROFWEEK,
    SPK_U_HOUR,
    SPK_U_MINUTE,
    SPK_U_SECOND,
    SPK_U_WHOLE_SECOND,
    SPK_U_MILLISECOND,
    SPK_U_MICROSECOND
} spk_date_unit;

typedef struct spk_unit_word {
    const char *word;
    spk_date_unit what;
} spk_unit_word;

/* spk_word_same: in any case. spk_unit_find: in a list that ends with a NULL word. */
bool spk_word_same(const char *p, size_t n, const char *lower);
spk_date_unit spk_unit_find(const spk_unit_word *words, const char *p, size_t n);

/* spk_sql_zone: of the session; of values without a zone: NULL. */
static inline const spk_zone *spk_sql_zone(const spk_sql_frame *f, const spk_sql_type *type)
{
    return type->kind == SPK_SQL_TIMESTAMP && f->expr->session ? f->expr->session->zone : NULL;
}
/* spk_sql_zone_given: the zone of argument a in row i; NULL: the run has failed. */
const spk_zone *spk_sql_zone_given(spk_sql_frame *f, uint32_t a, uint32_t i, spk_zone *own);

/* spk_local: microseconds that clocks show; of a TIME those of the day. */
static inline int64_t spk_local(const spk_sql_frame *f, uint32_t a, uint32_t i)
{
    const spk_sql_type *type = f->expr->args[a]->type;
    if (type->kind == SPK_SQL_TIME)
        return L(a, i) / 1000;
    if (type->kind == SPK_SQL_DATE)
        return (int64_t)((uint64_t)I(a, i) * (uint64_t)SPK_MICROS_DAY);
    return spk_zone_local(spk_sql_zone(f, type), L(a, i));
}

/* Entries of tables of functions: with a signature, or a resolver; N: may give NULL. */
#define SPK_F(name_, signature_, least_, most_, kernel_)                                           \
    {                                                                                              \
        .name = name_, .signature = signature_, .least = least_, .most = most_, .kernel = kernel_  \
    }
#define SPK_R(name_, least_, most_, kernel_, resolve_)                                             \
    {                                                                                              \
        .name = name_, .least = least_, .most = most_, .kernel = kernel_, .resolve = resolve_      \
    }
#define SPK_RN(name_, least_, most_, kernel_, resolve_)                                            \
    {                                                                                              \
        .name = name_, .least = least_, .most = most_, .kernel = kernel_, .resolve = resolve_,     \
        .flags = SPK_SQL_GIVES_NULL                                                                \
    }
#define SPK_FN(name_, signature_, least_, most_, kernel_)                                          \
    {                                                                                              \
        .name = name_, .signature = signature_, .least = least_, .most = most_, .kernel = kernel_, \
        .flags = SPK_SQL_GIVES_NULL                                                                \
    }

#endif
