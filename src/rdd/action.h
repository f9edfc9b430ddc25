/* SPDX-License-Identifier: Apache-2.0 */
/* How an action is written: begin (is this an RDD of the wanted type, is there a place for the
 * result), run a job, end. */
#ifndef SPK_RDD_ACTION_H
#define SPK_RDD_ACTION_H

#include "scheduler/job.h"
#include "storage/tape.h"

/* spk_action_check: spk_job_check for an action, which writes the checkpoints first that wait above
 * rdd. */
SPK_COLD spark_status spk_action_check(
    spark_rdd *rdd, const char *name, spark_site at, spk_failure *failure);

/* spk_action_begin: the checks of every action; want may be NULL; result is zeroed, NULL refused.
 */
SPK_COLD spark_status spk_action_begin(spark_rdd *rdd, const char *name, spark_site at,
    const spark_type *want, spark_array *result, spk_failure *failure);
/* spk_action_end: raises *failure, if there is one; one without an operation is the action's. */
SPK_COLD spark_status spk_action_end(
    spark_status status, spk_failure *failure, const char *name, spark_site at);

/* spk_env_check: that the broadcast in env, if there is one, is of the RDD's context. */
SPK_COLD spark_status spk_env_check(const spk_env *env, const spark_rdd *rdd, const char *name,
    spark_site at, spk_failure *failure);

/* spk_collect_as: collect, under the name of the action it is for. */
SPK_COLD spark_status spk_collect_as(
    const char *name, spark_site at, spark_rdd *rdd, const spark_type *want, spark_array *result);

/* spk_collect_tapes: the same, a tape for each partition; they and the list, of malloc, become the caller's. */
SPK_COLD spark_status spk_collect_tapes(const char *name, spark_site at, spark_rdd *rdd, spk_tape **tapes,
    int *n, spk_failure *failure);
SPK_COLD void spk_tapes_free(spk_tape *tapes, int n);

/* spk_take_as: take, under the name of the action it is for, which raises the failure: the first n of
 * the RDD, not of each partition. */
SPK_COLD spark_status spk_take_as(const char *name, spark_site at, spark_rdd *rdd, size_t n,
    const spark_type *want, spark_array *result, spk_failure *failure);

/* spk_collect_partition: one partition on a tape, which becomes the caller's. */
spark_status spk_collect_partition(const char *name, spark_site at, spark_rdd *rdd, int partition,
    spk_tape *tape, spk_failure *failure);

/* spk_counting: the state of an action that counts rows, which spk_take_count takes. */
typedef struct spk_counting {
    spk_state head;
    int64_t n;
} spk_counting;
bool spk_take_count(void *state, spk_batch batch);

/* spk_count_rows: how many rows the first n partitions have, and each of them; counts may be NULL. */
spark_status spk_count_rows(const char *name, spark_site at, spark_rdd *rdd, int n, int64_t *counts,
    int64_t *all, spk_failure *failure);

#endif
