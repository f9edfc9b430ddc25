/* SPDX-License-Identifier: Apache-2.0 */
/* Result arrays: how what a job made becomes a spark_array, the caller's. */
#ifndef SPK_RDD_RESULT_H
#define SPK_RDD_RESULT_H

#include "storage/tape.h"

/* spk_result_tapes: a result array of what is on tapes (taken over), one after the other. The array is not
 * charged; more than spark_conf.max_result_bytes is an error. */
spark_status spk_result_tapes(spark_context *sc, const spk_layout *layout, spk_tape *tapes, size_t n,
    spark_array *result, spk_failure *failure);
/* spk_result_rows: of a rows list of the context's heap, which is taken over. */
spark_status spk_result_rows(
    spark_context *sc, spk_rows *list, spark_array *result, spk_failure *failure);
/* spk_result_too_large: says so; `bytes` and more. */
spark_status spk_result_too_large(
    const spark_context *sc, uint64_t bytes, uint64_t rows, spk_failure *failure);
/* spk_result_one: of a copy of one value. */
SPK_COLD spark_status spk_result_one(spark_context *sc, const spk_layout *layout, const void *value,
    spark_array *result, spk_failure *failure);

/* spk_result_index: makes pairs a map: of equal keys the last value stays, at the place of the
 * first; SPARK_FIND works on it. On failure the array is freed. */
SPK_COLD spark_status spk_result_index(
    spark_context *sc, const spk_layout *pair, spark_array *pairs, spk_failure *failure);

/* spk_result_context, _items: of an array that an action gave; NULL: of another. _reindex: after its
 * elements have changed places. */
spark_context *spk_result_context(const spark_array *array);
char *spk_result_items(const spark_array *array);
void spk_result_reindex(const spark_array *array);

#endif
