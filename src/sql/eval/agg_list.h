/* SPDX-License-Identifier: Apache-2.0 */
/* States that are lists of values: { room, values }: values are without NULLs; room says for how many there is memory,
 * 0 where the memory is not the state's own. */
#ifndef SPK_SQL_EVAL_AGG_LIST_H
#define SPK_SQL_EVAL_AGG_LIST_H

#include "sql/eval/agg.h"

enum { SPK_AGG_LIST, SPK_AGG_SET }; /* variants: a set's values are made unique whenever it grows */

bool spk_agg_list_update(spk_sql_agg_frame *f);
bool spk_agg_list_merge(
    const spk_sql_aggregate *a, char *into, const char *from, spk_arena *arena, spk_sql_error *error);
void spk_agg_list_seal(const spk_sql_aggregate *a, char *state);

/* spk_agg_list_unique: the first of each of n values, in their order; how many there are. */
size_t spk_agg_list_unique(const spk_sql_type *t, char *at, size_t n, spk_arena *arena);

#endif
