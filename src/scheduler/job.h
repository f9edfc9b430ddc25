/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs, stages and attempts.
 *
 * action: what a job does with the partitions of an RDD; state: what an attempt of it collects,
 * which becomes the partition's result when it is published. */
#ifndef SPK_SCHEDULER_JOB_H
#define SPK_SCHEDULER_JOB_H

#include "exec/pool.h"

typedef struct spk_action spk_action;

/* spk_state: the head of every action's state. States are moved as bytes. */
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

    /* timed: the job ends after timeout_ms with what is done: SPARK_OK, and done[i] says which
     * results there are (room for as many as partitions are asked for). */
    bool timed;
    int64_t timeout_ms;
    uint8_t *done;
};

/* spk_deadline: in ms from now (0 for less), on the clock of the conditions that
 * spk_deadline_cond_init makes. */
struct timespec spk_deadline(int64_t ms);
void spk_deadline_cond_init(pthread_cond_t *condition);

/* spk_scheduler_new: NULL: no thread could be started. */
struct spk_scheduler *spk_scheduler_new(spark_context *sc);
void spk_scheduler_free(struct spk_scheduler *scheduler);
int spk_scheduler_threads(const struct spk_scheduler *scheduler);

/* spk_job_run: runs the action on n partitions (NULL: 0 to n - 1) of a prepared RDD; results is
 * room for n states, which are the caller's when SPARK_OK comes back. Otherwise *failure is
 * filled, and whatever results there were are discarded. No attempt runs any more when it returns.
 */
spark_status spk_job_run(spark_rdd *rdd, const spk_action *action, const int *partitions, int n,
    void *results, spk_failure *failure);

/* spk_job_check: what every action asks first: is this a usable RDD, and not inside a task?
 * Prepares it. The failure names the action. */
spark_status spk_job_check(
    spark_rdd *rdd, const char *action, spark_site site, spk_failure *failure);

/* spk_shuffles_clean: drops the outputs of all shuffles above rdd, not beyond persisted RDDs. False:
 * no memory for the walk. Under plan_lock. */
bool spk_shuffles_clean(spark_rdd *rdd);

/* spk_find_marked: a node of the lineage that waits for its checkpoint and has none such below it,
 * with a reference, in *node; NULL: there is none. False: no memory for the walk. */
bool spk_find_marked(spark_rdd *rdd, spark_rdd **node);

/* spk_cut_lineages: takes the edges away that checkpoints have replaced, unless some job may be
 * walking along them: then the next call does. */
void spk_cut_lineages(spark_context *sc);

/* spk_started: an action in the background, from its start to its end: what cancels its group, its tag
 * or everything cancels also the jobs it has yet to start. properties: of these; cancelled: their
 * flag; reason: why it was set. */
typedef struct spk_started {
    struct spk_started *next;
    const struct spk_properties *properties;
    atomic_bool *cancelled;
    char reason[400];
} spk_started;
void spk_started_add(spark_context *sc, spk_started *started);
void spk_started_remove(spark_context *sc, spk_started *started);

/* spk_cancel_flagged: the running jobs that were started under this flag. */
void spk_cancel_flagged(spark_context *sc, const atomic_bool *flag);

#endif
