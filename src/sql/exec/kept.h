/* SPDX-License-Identifier: Apache-2.0 */
/* What states keep of the values of rows, in memory they point to: how much that is at most goes by the rows alone, so
 * that a window which ends where it fills ends at the same row whatever the batches are. */
#ifndef SPK_SQL_EXEC_KEPT_H
#define SPK_SQL_EXEC_KEPT_H

#include "sql/exec/partial.h"

typedef struct spk_kept {
    uint32_t each;       /* bytes of any row; 0 and no texts: states point to nothing */
    const size_t *texts; /* arguments whose bytes count as well */
    size_t n_texts;
    bool drops; /* states may have come to keep less than that: all but lists */
    bool any;
} spk_kept;

/* spk_kept_known: whether what an aggregate keeps is known like this. spk_kept_of: of those of a partial aggregation;
 * false: the query's error. */
bool spk_kept_known(const spk_sql_aggregate *a);
SPK_COLD bool spk_kept_of(spk_query *q, const spk_partial *p, spk_kept *kept);

/* spk_kept_reach: takes what rows at the positions from..to add off *left; ends behind the row that leaves nothing.
 * Returns where. */
uint32_t spk_kept_reach(const spk_kept *kept, const spk_sql_vector *args, spk_sql_rows rows, uint32_t from, uint32_t to,
    uint64_t *left);

#endif
