/* SPDX-License-Identifier: Apache-2.0 */
/* Partitioners: hash, a user's function; and, inside the library, the position of an element. */
#ifndef SPK_PLAN_PARTITIONER_H
#define SPK_PLAN_PARTITIONER_H

#include "plan/rdd.h"

typedef enum spk_partitioner_kind {
    SPK_BY_HASH,
    SPK_BY_FUNCTION,
    SPK_BY_POSITION /* dealt out in turn */
} spk_partitioner_kind;

struct spark_partitioner {
    spk_object object;
    atomic_int refs;
    spk_partitioner_kind kind;
    int partitions;
    spark_context *sc;
    spark_site site;
    spark_partitioner_def def;
    spk_env env;
    size_t env_size;
};

/* spk_partitioner_hash: with one reference, which is the caller's. NULL: no memory. */
spark_partitioner *spk_partitioner_hash(spark_context *sc, int partitions, spark_site at);
void spk_partitioner_ref(spark_partitioner *partitioner);
void spk_partitioner_unref(spark_partitioner *partitioner);

/* spk_default_partitioner: where a wide operation on n inputs puts its rows: the one that was
 * asked for, or `partitions` by hash, or by Spark's default-partitioner rule. May have to list
 * files, to know how many partitions an input has. A new reference; NULL: *failure is filled. */
spark_partitioner *spk_default_partitioner(spark_context *sc, size_t n, spark_rdd *const *rdds,
    const spark_partitioner *asked, int partitions, spark_site at, spk_failure *failure);

#endif
