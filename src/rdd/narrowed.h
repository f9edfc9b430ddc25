/* SPDX-License-Identifier: Apache-2.0 */
/* Readers of files of which only some members are wanted: what is not is not made of their text. */
#ifndef SPK_RDD_NARROWED_H
#define SPK_RDD_NARROWED_H

#include "plan/rdd.h"

/* spk_csv_narrowed, spk_json_narrowed: an RDD of the rows of a prepared `rdd` that has only n of its members (at
 * least one), in this order; values of others are not looked at, as the readers' own types have it. NULL: it
 * reads no such files, or must be read whole: it is persisted or checkpointed, something is done with its bad
 * records, or its columns are not all in the files. */
SPK_COLD spark_rdd *spk_csv_narrowed(
    spark_site at, spark_rdd *rdd, size_t n, const uint32_t *members);
SPK_COLD spark_rdd *spk_json_narrowed(
    spark_site at, spark_rdd *rdd, size_t n, const uint32_t *members);

/* spk_may_narrow: what does not depend on the format. spk_narrow_type: the struct of these members. NULL: it
 * cannot be made. */
bool spk_may_narrow(const spark_rdd *rdd);
const spark_type *spk_narrow_type(const spark_rdd *rdd, size_t n, const uint32_t *members);

/* spk_narrowed: the head of such a node. whole: what it is a part of, a reference. */
typedef struct spk_narrowed {
    spark_rdd rdd;
    spark_rdd *whole;
} spk_narrowed;
spark_status spk_narrowed_prepare(spark_rdd *rdd, spk_failure *failure);
int64_t spk_narrowed_reads(const spark_rdd *rdd, int partition, const char **path);
void spk_narrowed_where(
    spk_heap *heap, const spark_rdd *rdd, int partition, int64_t row, spk_failure *failure);
void spk_narrowed_release(spark_rdd *rdd);

/* spk_narrowed_make: a node of `size` bytes; NULL: it cannot be made. */
spark_rdd *spk_narrowed_make(spark_site at, const spk_class *class, size_t size, spark_rdd *whole,
    size_t n, const uint32_t *members);

#endif
