/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the scheduler share: stages of a job, and how an attempt runs.
 *
 * noted: a stage to which something has happened, so that the driver of its job looks at it; what
 * nothing has happened to is never looked at, so a job of n stages takes n looks. input: a shuffle
 * that a stage reads; while the stage waits for it, the input hangs on the stage that fills it. */
#ifndef SPK_SCHEDULER_STAGE_H
#define SPK_SCHEDULER_STAGE_H

#include "base/cold.h"
#include "base/list.h"
#include "plan/properties.h"
#include "scheduler/cancel.h"
#include "scheduler/job.h"

typedef struct spk_stage spk_stage;
typedef struct spk_job spk_job;

enum { SPK_REMEMBERED_JOBS = 1024, SPK_DEAD_GROUPS = 256 };

/* SPK_MOST_LOSSES: executors that one task may lose before its job fails: it may be what kills them. */
enum { SPK_MOST_LOSSES = 100 };

/* SPK_COPIED: a second attempt of the task was started. SPK_IMPATIENT: it waits for no block any more. */
enum { SPK_COPIED = 1, SPK_IMPATIENT = 2 };

struct spk_scheduler {
    spark_context *sc;
    spk_pool *pool;
    pthread_mutex_t exclusions; /* failures of stages, and which executors are excluded; a leaf */
    pthread_mutex_t lock; /* transitions of jobs, stages and shuffles; graph marks */
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
    char interrupted[80]; /* why the next job is cancelled at once; "": it is not */
    spark_job_stats last;
    spark_job_stats stats[SPK_REMEMBERED_JOBS]; /* last: not cleared, for it is large; job is -1 */
};

typedef struct spk_stage_input {
    spk_shuffle *shuffle;
    spk_stage *reader;
    struct spk_stage_input *next; /* of those that wait for the same stage */
    bool waits;
} spk_stage_input;

struct spk_stage {
    spk_task_set set; /* first, so that a set is its stage */
    spk_job *job;
    spark_rdd *rdd;
    spk_shuffle *shuffle; /* NULL: the result stage */
    int id, position;
    atomic_int attempt; /* workers look at it too */
    bool cut;           /* inputs are known, and there is room for tasks */
    bool submitted;
    bool through;   /* its tasks are all done, and it is still submitted */
    bool fills;     /* shuffle->running is this stage */
    bool faults;    /* there is a plan of them */
    bool ran, noted;
    spk_stage *next_noted, *next_through;
    bool has_turn; /* the driver of a job that is done alone takes tasks of it */
    spk_stage *next_turn;
    int room;          /* for tasks */
    int *partitions;   /* of the tasks; what follows lies behind it */
    uint8_t *failures; /* of the tasks */
    uint8_t *killed;   /* executors that were lost under them */
    _Atomic uint8_t *attempts; /* of each of stage->partitions, however often it is submitted */
    _Atomic uint8_t *done; /* an attempt has won the task */
    spk_failed *failed;        /* attempts, with exclusion on failure; exclude.c's */
    struct spk_places *places; /* where there are several executors; or NULL */
    _Atomic(spk_origin *) suspects; /* of the tasks: where the last attempt failed; or NULL */
    struct {             /* with speculation */
        _Atomic int64_t *times;  /* what tasks took, in nanoseconds, as they were won */
        atomic_int n;
        _Atomic uint8_t *copied; /* of the tasks: 0, or who has a copy */
    } pace;
    struct {
        int *tasks; /* that wait for an input to be made again; behind partitions too */
        int n;
        spk_shuffle *shuffle;
        int blocks;       /* attempts that found one damaged; under the lock */
        bool now;         /* one of them began in this attempt of the stage: it is a new loss */
        int rounds, left; /* that lost inputs and finished no task; tasks left at the last */
    } loss;
    /* Written by every task: as far from what every task reads as a line of the caches is long, which
     * loss before it and graph behind it see to. */
    atomic_int remaining;
    struct {
        size_t n_inputs, n_seen; /* n_seen: of which it is known that they have a stage */
        spk_stage_input *inputs;
        size_t n_waits;                      /* inputs that it waits for */
        spk_stage_input *waiting;            /* inputs that wait for this stage */
        spk_stage *others;                   /* stages of other jobs that wait for this one */
        spk_stage *next_other, **other_link; /* among them; other_link NULL: it is none of them */
    } graph;
    void *heard;                          /* what listeners were told of it */
};

struct spk_job {
    spk_job *next, *prev;   /* among the active ones */
    spk_job *older, *newer; /* among the numbered ones */
    struct spk_scheduler *scheduler;
    pthread_cond_t changed; /* a stage was noted, or the job has failed */
    spk_properties properties;
    int id;
    const spk_action *action;
    spark_rdd *rdd;
    const int *partitions;
    int n;
    char *results;
    uint8_t *published;
    uint8_t few_published[16]; /* its room, for few partitions */
    spk_stage **stages; /* parents first */
    size_t n_stages, max_stages;
    spk_stage **table; /* of stages, by shuffle; NULL while they are few */
    size_t n_table;
    spk_stage *result;
    spk_stage *first_noted, *last_noted; /* to be looked at */
    spk_stage *first_through;            /* to be taken off the queue */
    spk_stage *first_turn;               /* of a job that is done alone: with tasks to run */
    spk_stage *held;                     /* of one task, submitted, but not queued yet */
    int busy;                            /* stages submitted and not through */
    int n_others;                        /* stages that wait for stages of other jobs */
    bool waits;                          /* the driver does, for `changed` */
    bool has_workers, forked;            /* it has asked whether they are in this process: yes, no */
    int64_t time_ms; /* how long it may take; INT64_MAX: for ever */
    bool is_limited; /* then it fails; else it is a timed action's */
    atomic_bool cancelled;
    atomic_bool overdue; /* it was cancelled because its time was up */
    int n_told;          /* attempts that have said what they were at then */
    spark_job_stats stats;
    atomic_llong failed, lost_inputs, remade, cached_reads, cached_blocks, rows, bytes,
        spilled, evicted, cache_written, cache_read, remote, disowned, local;
    void *heard; /* what listeners were told of it */
    /* Long texts, not cleared from here on: of failure, only the code is set while it is SPARK_OK. */
    spk_failure failure;
    char unread[256]; /* why an output that was there could not be read, the last time; or "" */
};

/* spk_stage_of: the stage that fills a shuffle (NULL: the result stage), if the job has it. */
SPK_COLD spk_stage *spk_stage_of(const spk_job *job, const spk_shuffle *shuffle);

/* With the lock held. spk_stage_make: spk_stage_of, made if need be, and all above it that the job
 * does not have yet and that lacks outputs, parents first. What is above a shuffle that is complete
 * is not made. NULL: no memory. spk_stage_cut: finds its inputs, and makes room for its tasks; false:
 * no memory. spk_stage_note: it is to be looked at. */
SPK_COLD spk_stage *spk_stage_make(spk_job *job, spk_shuffle *shuffle);
SPK_COLD bool spk_stage_cut(spk_stage *stage);
SPK_COLD void spk_stage_note(spk_stage *stage);
SPK_COLD void spk_stage_free(spk_stage *stage);

/* spk_stage_partition: of the stage's RDD, that a task computes. */
static inline int spk_stage_partition(const spk_stage *stage, int index)
{
    return stage->shuffle || !stage->job->partitions ? stage->partitions[index]
                                                     : stage->job->partitions[index];
}

/* spk_stage_complete: nothing is left to fill. Never of the result stage. */
static inline bool spk_stage_complete(const spk_stage *stage)
{
    return stage->shuffle && atomic_load(&stage->shuffle->missing) == 0;
}

/* spk_job_changed: wakes the driver; with the lock held. */
static inline void spk_job_changed(spk_job *job)
{
    if (job->waits)
        pthread_cond_signal(&job->changed);
}

/* With the lock held: spk_job_admit: among the active jobs; one that is cancelled before it starts
 * fails. spk_job_leave: no longer among them. spk_job_cancel: it fails, unless it has. */
SPK_COLD void spk_job_admit(spk_job *job);
SPK_COLD void spk_job_leave(spk_job *job);
SPK_COLD void spk_job_cancel(spk_job *job, const char *reason);

/* A job whose time is up. spk_job_overdue: fails it; with the lock held. spk_overdue_tell: an attempt of it
 * leaves; without. */
SPK_COLD void spk_job_overdue(spk_job *job);
SPK_COLD void spk_overdue_tell(spk_stage *stage, const spark_task *task);

/* The cleaner; none of these with the lock held. spk_clean_made: an output of so many bytes.
 * spk_clean: drops what nobody will read, when the walk is paid for. spk_clean_job: at both ends of a
 * job. spk_clean_aborted: of a job that has failed, has left, and runs no task any more: what it
 * leaves half made goes, and all it made when memory was short. */
SPK_COLD void spk_clean_made(struct spk_scheduler *scheduler, uint64_t bytes);
SPK_COLD void spk_clean(struct spk_scheduler *scheduler);
SPK_COLD void spk_clean_job(const spk_job *job);
SPK_COLD void spk_clean_aborted(const spk_job *job);

/* spk_stage_again: a task of it is to be run again. */
SPK_COLD void spk_stage_again(spk_stage *stage, int index);

/* spk_attempt_run: the `run` of every task set. */
void spk_attempt_run(spk_task_set *set, spark_task *task, int index);

/* spk_find_places: finds out where the tasks of a stage are to
 * run, which is about to be submitted; with the scheduler's lock held. spk_place_claim: the `claim` of
 * such a set. */
typedef struct spk_places spk_places;
SPK_COLD void spk_find_places(spk_stage *stage);
SPK_COLD int spk_place_claim(spk_task_set *set, const spk_executor *executor, int64_t *more_in);
/* spk_place_word: Spark's, for where the task of an attempt runs. */
SPK_COLD const char *spk_place_word(const spk_stage *stage, const spark_task *task);

/* Speculation, where it is on. spk_speculate_begin: before a stage is submitted; without memory it gets no
 * copies. spk_speculate: starts copies of the slow tasks of a job; both with the lock held.
 * spk_speculate_won: the attempt has won its task: no copy of it is wanted any more. */
SPK_COLD void spk_speculate_begin(spk_stage *stage);
SPK_COLD void spk_speculate(spk_job *job);
SPK_COLD void spk_speculate_won(spk_stage *stage, const spark_task *task, int index);

/* Exclusion on failure, where it is on. With the scheduler's lock held: spk_exclude_begin: before a stage
 * is submitted; false: its job has failed, for nobody may run it. spk_exclude_failed: an attempt has;
 * true: its job has, for a task can run nowhere. spk_exclude_through: the stage has ended well.
 * spk_exclude_forget: its failures. spk_exclude_allows: with the pool's lock, or none: whether the executor
 * may run the task, or, of -1, some task of the stage. */
SPK_COLD bool spk_exclude_begin(spk_stage *stage);
SPK_COLD bool spk_exclude_failed(spk_stage *stage, const spark_task *task, int index);
SPK_COLD void spk_exclude_through(spk_stage *stage);
SPK_COLD void spk_exclude_forget(spk_stage *stage);
SPK_COLD bool spk_exclude_allows(const spk_stage *stage, int index, const spk_executor *executor);

/* spk_lose_executor: of that name, for that reason; returns when nothing of it is left that could be
 * found: attempts, outputs, blocks. */
SPK_COLD spark_status spk_lose_executor(
    struct spk_scheduler *scheduler, const char *name, const char *reason, spk_failure *failure);

/* spk_fault_task: whether the attempt is to fail; spk_fault_inputs: drops what the plan says: blocks
 * when the attempt comes to them; spk_fault_moment: what is to happen to the attempt now;
 * spk_fault_sink: *in, before which it happens to the first rows. */
typedef struct spk_fault_in {
    spk_sink sink;
    const spk_stage *stage;
    spark_task *task;
    bool over;
} spk_fault_in;
SPK_COLD bool spk_fault_task(const spk_stage *stage, int partition, int attempt);
SPK_COLD void spk_fault_inputs(const spk_stage *stage, spark_task *task, int partition, int attempt);
SPK_COLD void spk_fault_moment(const spk_stage *stage, spark_task *task, spark_fault_when when);
SPK_COLD spk_sink spk_fault_sink(const spk_stage *stage, spark_task *task, spk_sink sink, spk_fault_in *in);

#endif
