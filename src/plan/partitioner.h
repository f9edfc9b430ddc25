/* SPDX-License-Identifier: Apache-2.0 */
/* Partitioners: by hash, by a user's function, by ranges of an order, by the key itself where keys
 * are 0 to k - 1 (dense); and, inside the library, by the position of an element. The range
 * partitioner of a sort is not known before the sort has been prepared. */
#ifndef SPK_PLAN_PARTITIONER_H
#define SPK_PLAN_PARTITIONER_H

#include "plan/ranges.h"
#include "plan/rdd.h"

typedef enum spk_partitioner_kind {
    SPK_BY_HASH,
    SPK_BY_FUNCTION,
    SPK_BY_RANGE,
    SPK_BY_DENSE,
    SPK_BY_POSITION /* dealt out in turn */
} spk_partitioner_kind;

struct spark_partitioner {
    spk_object object;
    atomic_int refs;
    spk_partitioner_kind kind;
    atomic_int partitions;    /* -1: not known yet */
    const spk_failure *error; /* NULL: a proper one; else what it carries instead */
    spark_context *sc;
    spark_site site;
    spark_partitioner_def def;
    spk_env env;
    size_t env_size;
    spk_ranges *ranges; /* by range; owned; filled when partitions are known */
    uint64_t keys;      /* dense */
};

static inline bool spk_partitioner_known(const spark_partitioner *p)
{
    return atomic_load_explicit(&p->partitions, memory_order_acquire) >= 0;
}

/* spk_partitioner_hash: with one reference, which is the caller's. NULL: no memory. */
SPK_COLD spark_partitioner *spk_partitioner_hash(spark_context *sc, int partitions, spark_site at);
void spk_partitioner_ref(spark_partitioner *partitioner);
void spk_partitioner_unref(spark_partitioner *partitioner);

/* spk_partitioner_of: with no more than a kind, in no scope; as spk_partitioner_hash otherwise. */
SPK_COLD spark_partitioner *spk_partitioner_of(
    spark_context *sc, spk_partitioner_kind kind, int partitions, spark_site at);
/* spk_partitioner_in_scope: a partitioner for the user, checked; or one that carries an error.
 * spk_partitioner_broken: such a one; raises the error. */
spark_partitioner *spk_partitioner_broken(spark_context *sc, const spk_failure *failure);
SPK_COLD spark_partitioner *spk_partitioner_in_scope(
    spark_site at, spark_context *sc, spk_partitioner_kind kind, int partitions);

/* spk_rdd_placed: the RDD's partitioner in *placed, or NULL, preparing the RDD where it is not
 * known yet. */
SPK_COLD spark_status spk_rdd_placed(spark_rdd *rdd, const spark_partitioner **placed,
    spk_failure *failure);

/* spk_default_partitioner: where a wide operation on n inputs puts its rows: the one that was
 * asked for, or `partitions` by hash, or by Spark's default-partitioner rule. May have to list
 * files, to know how many partitions an input has. A new reference; NULL: *failure is filled. */
SPK_COLD spark_partitioner *spk_default_partitioner(spark_context *sc, size_t n,
    spark_rdd *const *rdds, const spark_partitioner *asked, int partitions, spark_site at,
    spk_failure *failure);

#endif
