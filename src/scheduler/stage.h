/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the scheduler share: stages of a job, and how an attempt runs. */
#ifndef SPK_SCHEDULER_STAGE_H
#define SPK_SCHEDULER_STAGE_H

#include "base/list.h"
#include "plan/properties.h"
#include "scheduler/job.h"

typedef struct spk_stage spk_stage;
typedef struct spk_job spk_job;

enum { SPK_REMEMBERED_JOBS = 1024, SPK_DEAD_GROUPS = 256 };

struct spk_scheduler {
    spark_context *sc;
    spk_pool *pool;
    pthread_mutex_t lock; /* transitions of jobs, stages and shuffles; graph marks */
    pthread_cond_t changed;
    atomic_int next_job, next_stage;
    uint64_t mark;
    bool lossy;                         /* an input was lost once */
    atomic_llong walk_credit, walk_cost; /* of the cleaner: steps paid for; of its last walk */
    int walking;                        /* jobs whose threads may be walking lineages */
    spk_job *active;                    /* jobs that run */
    spk_job *oldest, *newest;           /* those that have a number, in its order */
    spk_started *started;               /* actions in the background */
    char *dead_groups[SPK_DEAD_GROUPS]; /* whose jobs are cancelled at once; a ring */
    unsigned n_dead_groups;
    spark_job_stats last;
    spark_job_stats stats[SPK_REMEMBERED_JOBS];
};

struct spk_stage {
    spk_task_set set; /* first, so that a set is its stage */
    spk_job *job;
    spark_rdd *rdd;
    spk_shuffle *shuffle; /* NULL: the result stage */
    int id, position;
    atomic_int attempt;    /* workers look at it too */
    bool submitted, owner; /* owner: shuffle->running is this stage */
    bool ran, needed, seen;
    atomic_int remaining;
    int *partitions;   /* of the tasks; NULL: task i is partition i */
    uint8_t *failures; /* of the tasks */
    uint8_t *attempts;
    _Atomic(spk_origin *) suspects; /* of the tasks: where the last attempt failed; or NULL */
    int *lost; /* tasks that wait for an input to be made again */
    int n_lost, room;
    bool lost_now;    /* one of them began in this attempt of the stage: it is a new loss */
    int losses, left; /* rounds that lost inputs and finished no task; tasks left at the last */
    spk_shuffle *lost_shuffle;
    size_t n_parents;
    spk_shuffle **parents;
};

struct spk_job {
    spk_job *next;          /* among the active ones */
    spk_job *older, *newer; /* among the numbered ones */
    struct spk_scheduler *scheduler;
    spk_properties properties;
    int id;
    const spk_action *action;
    spark_rdd *rdd;
    const int *partitions;
    int n;
    char *results;
    uint8_t *published;
    spk_stage **stages; /* parents first */
    size_t n_stages, max_stages;
    spk_stage *result;
    spk_stage *here; /* submitted, to be run by the driving thread, with `lent` */
    spark_task *lent;
    atomic_bool cancelled;
    spk_failure failure;
    spark_job_stats stats;
    atomic_llong tasks, failed, lost_inputs, remade, cached_reads, cached_blocks, rows, bytes,
        spilled;
};

/* spk_stage_make: the stage that fills a shuffle (NULL: the result stage), and all above it that
 * the job does not have yet, parents first. With the lock held. NULL: no memory. */
spk_stage *spk_stage_make(spk_job *job, spk_shuffle *shuffle);
void spk_stage_free(spk_stage *stage);

/* With the lock held: spk_job_admit: among the active jobs; one that is cancelled before it starts
 * fails. spk_job_leave: no longer among them. spk_job_cancel: it fails, unless it has. */
void spk_job_admit(spk_job *job);
void spk_job_leave(spk_job *job);
void spk_job_cancel(spk_job *job, const char *reason);

/* The cleaner; none of these with the lock held. spk_clean_made: an output of so many bytes.
 * spk_clean: drops what nobody will read, when the walk is paid for. spk_clean_job: at both ends of a
 * job. spk_clean_aborted: of a job that has failed, has left, and runs no task any more: what it
 * leaves half made goes, and all it made when memory was short. */
void spk_clean_made(struct spk_scheduler *scheduler, uint64_t bytes);
void spk_clean(struct spk_scheduler *scheduler);
void spk_clean_job(const spk_job *job);
void spk_clean_aborted(const spk_job *job);

/* spk_attempt_run: the `run` of every task set. */
void spk_attempt_run(spk_task_set *set, spark_task *task, int index);

/* spk_fault_task: whether the attempt is to fail; spk_fault_inputs: drops what the plan says: blocks
 * when the attempt comes to them. */
bool spk_fault_task(const spk_stage *stage, int partition, int attempt);
void spk_fault_inputs(const spk_stage *stage, spark_task *task, int partition, int attempt);

#endif
