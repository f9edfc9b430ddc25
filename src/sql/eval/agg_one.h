/* SPDX-License-Identifier: Apache-2.0 */
/* Whole numbers of a batch into one state: of 1, 2, 4 or 8 bytes each, side by side, none of them NULL, n of them, which
 * is no more than a batch. Loops that are worth being made vectors of. */
#ifndef SPK_SQL_EVAL_AGG_ONE_H
#define SPK_SQL_EVAL_AGG_ONE_H

#include "sql/eval/agg.h"

/* spk_agg_side_by_side: whether the rows' values lie like that. */
static inline bool spk_agg_side_by_side(const spk_sql_agg_frame *f, size_t size)
{
    return !f->args[0].valid && !f->rows.at && f->args[0].stride == size;
}

/* spk_agg_total: of up to 4 bytes. spk_agg_extreme: of 4 or 8 bytes; at least one. */
int64_t spk_agg_total(const char *at, size_t size, uint32_t n);
int64_t spk_agg_extreme(const char *at, size_t size, uint32_t n, bool least);

#endif
