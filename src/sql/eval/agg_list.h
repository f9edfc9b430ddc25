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

/* spk_agg_slide: what a result over the values of a frame is made of: they themselves; the first of each; what stands
 * at places of their order; the one that is there most often, of several the first or the last one. */
typedef enum spk_agg_slide {
    SPK_AGG_SLIDES_NOT,
    SPK_AGG_SLIDES_LIST,
    SPK_AGG_SLIDES_SET,
    SPK_AGG_SLIDES_PLACES,
    SPK_AGG_SLIDES_MOST,
    SPK_AGG_SLIDES_MOST_LAST
} spk_agg_slide;
SPK_COLD spk_agg_slide spk_agg_list_slides(const spk_sql_aggregate *a);

/* spk_agg_list_places: the result of PLACES over n values, at least one, of which nth gives one by its place: as
 * spk_sql_keys has it, where the type has such keys. False: no memory. */
bool spk_agg_list_places(const spk_sql_aggregate *a, const void *(*nth)(const void *arg, size_t i), const void *arg,
    size_t n, void *value, spk_arena *arena);

/* spk_agg_list_plain: which of values that are equal stands for them all does not show: zeros have no sign, and NaN is
 * one. */
void spk_agg_list_plain(const spk_sql_type *t, char *at, size_t n);

#endif
