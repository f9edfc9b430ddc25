/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs, stages and attempts.
 *
 * action: what a job does with the partitions of an RDD; state: what an attempt of it collects,
 * which becomes the partition's result when it is published. */
#ifndef SPK_SCHEDULER_JOB_H
#define SPK_SCHEDULER_JOB_H

#include "base/cold.h"
#include "exec/pool.h"

typedef struct spk_action spk_action;

/* spk_state: the head of every action's state. States are moved as bytes. task: NULL once it is a
 * partition's result, which outlives the executor it was made on. What it holds is of the task's heap, which it
 * keeps for that: an executor that was lost does not go before all that is freed, so what is kept longer than
 * an action is copied. There is one for each partition, so it is small. */
typedef struct spk_state {
    spark_task *task;
    const spk_action *action;
} spk_state;

struct spk_action {
    const char *name;     /* Spark's: "collect" */
    const char *function; /* of the user, or NULL */
    spark_site site;
    size_t state_size;
    const void *arg;
    bool (*begin)(spk_state *state); /* may be NULL; state is zeroed beyond its head */
    bool (*take)(void *state, spk_batch batch);
    bool (*end)(spk_state *state);     /* may be NULL; after the last batch */
    bool (*publish)(spk_state *state); /* may be NULL; once a partition */
    void (*discard)(spk_state *state); /* may be NULL; of an attempt that failed */

    bool counts_nothing; /* its results: what they add to accumulators */
    bool in_rounds;      /* more such jobs may follow, until spk_job_acted is called */

    /* timed: the job ends after timeout_ms with what is done: SPARK_OK, and done[i] says which
     * results there are (room for as many as partitions are asked for). */
    bool timed;
    int64_t timeout_ms;
    uint8_t *done;
};

/* spk_scheduler_new: NULL: no thread could be started. */
SPK_COLD struct spk_scheduler *spk_scheduler_new(spark_context *sc);
SPK_COLD void spk_scheduler_free(struct spk_scheduler *scheduler);
SPK_COLD int spk_scheduler_threads(const struct spk_scheduler *scheduler);

/* spk_executors_used: bytes in use in the heaps of executors; the most they ever had is added to *peak. */
SPK_COLD uint64_t spk_executors_used(struct spk_scheduler *scheduler, uint64_t *peak);

/* spk_job_run: runs the action on n partitions (NULL: 0 to n - 1) of a prepared RDD; results is
 * room for n states, which are the caller's when SPARK_OK comes back. Otherwise *failure is
 * filled, and whatever results there were are discarded. No attempt runs any more when it returns.
 */
SPK_COLD spark_status spk_job_run(spark_rdd *rdd, const spk_action *action, const int *partitions,
    int n, void *results, spk_failure *failure);

/* spk_job_acted: an action whose jobs come in rounds is over, for listeners. failure: NULL: it went well. */
SPK_COLD void spk_job_acted(spark_rdd *rdd, const spk_failure *failure);

/* spk_job_check: what every action asks first: is this a usable RDD, and not inside a task?
 * Prepares it. The failure names the action. */
SPK_COLD spark_status spk_job_check(
    spark_rdd *rdd, const char *action, spark_site site, spk_failure *failure);

#endif
