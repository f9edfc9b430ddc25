/* SPDX-License-Identifier: Apache-2.0 */
/* What resolving functions share: see function.h. */
#ifndef SPK_SQL_EVAL_RESOLVE_H
#define SPK_SQL_EVAL_RESOLVE_H

#include "sql/eval/coerce.h"
#include "sql/eval/function.h"

/* spk_sql_node: a node without type and arguments; NULL: the build has failed. */
spk_sql_expr *spk_sql_node(spk_sql_build *b, spk_sql_expr_kind kind, size_t n, spk_sql_span span);
/* spk_sql_keep: a copy of text in the arena, with a NUL; "" where there is no memory. */
const char *spk_sql_keep(spk_sql_build *b, const char *text, size_t n);

/* spk_sql_want: casts argument i to what the letter of a signature says, or fails with
 * UNEXPECTED_INPUT_TYPE. spk_sql_letter_type: the type it says. spk_sql_unexpected: that failure,
 * with
 * the required type in words. */
bool spk_sql_want(spk_sql_build *b, spk_sql_expr *call, size_t i, char letter);
const spk_sql_type *spk_sql_letter_type(char letter, const spk_sql_type *arg);
void spk_sql_unexpected(spk_sql_build *b, const spk_sql_expr *call, size_t i, const char *required);

/* spk_sql_diff_types: fails: BINARY_OP_DIFF_TYPES. spk_sql_wrong_type: BINARY_OP_WRONG_TYPE.
 * spk_sql_data_diff: DATA_DIFF_TYPES of all arguments. All return false. */
bool spk_sql_diff_types(spk_sql_build *b, const spk_sql_expr *call);
bool spk_sql_wrong_type(spk_sql_build *b, const spk_sql_expr *call, const char *wanted);
bool spk_sql_data_diff(spk_sql_build *b, const spk_sql_expr *call);

/* spk_sql_coerce_all: arguments from `from`, every `step`-th, to one type; NULL where there is none
 * (no
 * failure yet) . */
const spk_sql_type *spk_sql_coerce_all(
    spk_sql_build *b, spk_sql_expr *call, size_t from, size_t step, bool strings);

/* spk_sql_rewrite: the call is printed as it is, and computed as `made`, which becomes its only
 * argument
 * (the others are in `shown`). */
bool spk_sql_rewrite(spk_sql_build *b, spk_sql_expr *call, spk_sql_expr *made);

/* spk_sql_cast_kernel: how values of one type become those of another; NULL: not at all. */
spk_sql_kernel *spk_sql_cast_kernel(const spk_sql_type *from, const spk_sql_type *to);
/* spk_sql_cast_prepare: what the kernel of a cast keeps. */
const void *spk_sql_cast_prepare(spk_sql_build *b, const spk_sql_expr *cast);

/* Resolvers and kernels that several tables name. */
SPK_COLD bool spk_sql_resolve_plus(spk_sql_build *b, spk_sql_expr *call);
SPK_COLD bool spk_sql_resolve_minus(spk_sql_build *b, spk_sql_expr *call);
SPK_COLD bool spk_sql_resolve_times(spk_sql_build *b, spk_sql_expr *call);
SPK_COLD bool spk_sql_resolve_divide(spk_sql_build *b, spk_sql_expr *call);
SPK_COLD bool spk_sql_resolve_div(spk_sql_build *b, spk_sql_expr *call);
SPK_COLD bool spk_sql_resolve_rest(spk_sql_build *b, spk_sql_expr *call);
SPK_COLD bool spk_sql_resolve_sign(spk_sql_build *b, spk_sql_expr *call);
SPK_COLD bool spk_sql_resolve_bits(spk_sql_build *b, spk_sql_expr *call);
SPK_COLD bool spk_sql_resolve_compare(spk_sql_build *b, spk_sql_expr *call);
SPK_COLD bool spk_sql_resolve_date_sum(spk_sql_build *b, spk_sql_expr *call, bool minus);

bool spk_sql_resolve_concat_arrays(spk_sql_build *b, spk_sql_expr *call);

/* Kernels of date + days and date + months, or - where the function is called so. */
void spk_sql_date_days(spk_sql_frame *f);
void spk_sql_date_months(spk_sql_frame *f);

/* sort_array, and array_sort without a comparator. */
void spk_sql_sort_arrays(spk_sql_frame *f);

void spk_sql_format_number(spk_sql_frame *f);
bool spk_sql_resolve_format_number(spk_sql_build *b, spk_sql_expr *call);

/* The tables of functions, each ended by a NULL name. */
extern const spk_sql_function spk_sql_operators[], spk_sql_comparisons[], spk_sql_conditionals[],
    spk_sql_math[], spk_sql_strings[], spk_sql_codes[], spk_sql_dates[], spk_sql_date_parts[],
    spk_sql_date_texts[], spk_sql_date_makers[], spk_sql_times[], spk_sql_csvs[], spk_sql_maps[], spk_sql_utf8[], spk_sql_number_formats[], spk_sql_jsons[], spk_sql_json_paths[], spk_sql_collections[],
    spk_sql_arrays[], spk_sql_lambdas[], spk_sql_patterns[], spk_sql_binaries[], spk_sql_randoms[],
    spk_sql_urls[], spk_sql_others[];

#endif
