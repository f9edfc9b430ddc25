/* SPDX-License-Identifier: Apache-2.0 */
/* Partial aggregation: rows of a partition into states, by key, before these are shuffled. */
#ifndef SPK_SQL_EXEC_PARTIAL_H
#define SPK_SQL_EXEC_PARTIAL_H

#include "sql/exec/query.h"

/* spk_partial: what the step is made of. exprs: the keys, then for each aggregate its arguments and its filter:
 * first[w], filter[w] are their places behind the keys; filter -1: none. */
typedef struct spk_partial {
    const spk_plan *plan; /* AGGREGATE */
    const spk_form *in, *keys, *states;
    spk_sql_expr *const *exprs;
    size_t n_exprs;
    const size_t *first;
    const int64_t *filter;
} spk_partial;

/* spk_exec_partial: pairs of keys and states of the rows of rdd; only of aggregates for which spk_kept_known. */
spark_rdd *spk_exec_partial(spk_query *q, spark_rdd *rdd, const spk_partial *partial);

/* spk_by_sets: whether an aggregation is one by grouping sets, of arguments that the sets leave as they are.
 * spk_exec_partial_sets: of such a one, with what it aggregates: pairs that are still to be combined; in: NULL. */
bool spk_by_sets(const spk_plan *plan);
spark_rdd *spk_exec_partial_sets(spk_query *q, const spk_partial *all);

#endif
