/* SPDX-License-Identifier: Apache-2.0 */
/* What has happened in a context, gathered for a report in bounded space: beyond the first
 * SPK_HISTORY_STAGES stages and as many jobs, and beyond a number of tasks, things are added up. All texts are
 * copies, cut to a length. Times are those of events. */
#ifndef SPK_LISTEN_HISTORY_H
#define SPK_LISTEN_HISTORY_H

#include <spark/listener.h>

#include "listen/block_table.h"

enum {
    SPK_HISTORY_STAGES = 2000,
    SPK_HISTORY_RDDS = 8000,
    SPK_HISTORY_SPANS = 3000, /* of all tracks */
    SPK_HISTORY_POINTS = 1024,
    SPK_HISTORY_FAILURES = 40,
    SPK_HISTORY_EXECUTIONS = 200,
    SPK_HISTORY_OPERATORS = 100, /* of each */
    SPK_HISTORY_TIMES = 2048,
    SPK_HISTORY_PARENTS = 48,
    SPK_HISTORY_KEYS = 3 /* of a shuffle */
};

/* spk_past_rdd: stored: it had a block; reads: stages that read some of its stage's blocks after it was stored;
 * computed: stages of different jobs that made it anew, as far as can be told. */
typedef struct spk_past_rdd {
    int id, partitions;
    spark_level level;
    bool stored;
    int reads, computed, last_job;
    char *name, *class_name, *operation, *site;
} spk_past_rdd;

/* spk_past_member: an RDD of a stage, with those of its parents that there was room for. */
typedef struct spk_past_member {
    int rdd, n_parents, parents[6];
} spk_past_member;

typedef enum spk_past_state { SPK_PAST_PENDING, SPK_PAST_RUNS, SPK_PAST_DONE, SPK_PAST_FAILED } spk_past_state;

/* spk_past_stage: sum: over all attempts of tasks. times: of tasks that succeeded, every `each`th of them.
 * largest: the most rows that one of them took in, and its partition; rows: all. */
typedef struct spk_past_stage {
    int id, job, attempts, tasks, shuffle;
    bool is_result;
    spk_past_state state;
    char *name, *failure;
    int n_parents, n_members, more_members;
    int *parents;
    spk_past_member *members;
    int64_t submitted, completed, ran; /* ran: completed - submitted, over all attempts */
    int64_t done, failed, killed, lost, copies;
    spark_task_metrics sum;
    int64_t *times, each;
    size_t n_times;
    int64_t longest, rows, largest;
    int longest_partition, largest_partition;
    spark_shuffle_profile written; /* where shuffles are profiled; of its lists the first: */
    spark_hot_partition hot;
    spark_hot_key *keys;
    int n_keys;
} spk_past_stage;

typedef struct spk_past_job {
    int id;
    char *action, *site, *description, *failure;
    spark_status status;
    int64_t submitted, completed; /* 0: it runs */
    int n_stages, *stages;        /* ids, its last one first */
    int skipped;                  /* of those */
    int64_t task_time;
} spk_past_job;

/* spk_span: tasks that ran one after the other on a track. */
typedef struct spk_span {
    int64_t from, to;
    int stage, tasks; /* stage: of the longest one */
    int64_t longest;
    bool failed;
} spk_span;

/* spk_track: a worker. */
typedef struct spk_track {
    char executor[16];
    int worker; /* -1: a thread of the program */
    spk_span *spans;
    size_t n, max;
    int64_t busy, tasks;
} spk_track;

typedef struct spk_past_failure {
    spark_task_end_reason reason;
    int stage, partition;
    int64_t count;
    char *message, *site;
} spk_past_failure;

typedef struct spk_past_executor {
    char id[16];
    int threads;
    int64_t added, removed; /* removed 0: it is there */
    char *reason;
} spk_past_executor;

/* spk_past_operator, spk_past_execution: of SQL. rows: -1: not known. */
typedef struct spk_past_operator {
    int depth;
    int64_t rows;
    char *text;
} spk_past_operator;

typedef struct spk_past_execution {
    int64_t id, started, ended; /* ended 0: it runs */
    char *text, *action, *site, *failure;
    spark_status status;
    spk_past_operator *operators;
    int n_operators, jobs;
} spk_past_execution;

typedef struct spk_point {
    int64_t time;
    uint64_t memory, disk;
} spk_point;

typedef struct spk_history {
    bool failed; /* there was no memory for all */
    char *name, *master, *host, *id;
    int64_t start, end, first, last; /* first, last: of anything */
    spk_past_rdd *rdds;     /* in the order of their ids; so are: */
    spk_past_stage *stages;
    spk_past_job *jobs;
    spk_track *tracks;      /* in the order in which they were first heard of; so are: */
    spk_past_failure *failures;
    spk_past_executor *executors;
    spk_point *points;
    spk_past_execution *executions;
    size_t n_rdds, max_rdds, n_stages, max_stages, n_jobs, max_jobs, n_tracks, max_tracks;
    size_t n_failures, max_failures, n_executors, max_executors, n_points, max_points;
    size_t n_executions, max_executions;
    size_t n_spans;
    int64_t grain;          /* tasks whose spans lie within so much time are one */
    int64_t all_jobs, all_stages, all_tasks, failed_tasks, lost_tasks, killed_tasks, copies, other_failures;
    int64_t lost_executors, task_time, all_executions;
    spark_task_metrics sum; /* of tasks of no stage that is here; added up: of all */
    spk_block_table blocks;
    uint64_t most_memory, most_disk;
} spk_history;

/* spk_history_listener: one whose env is a history; without close. */
SPK_COLD spark_listener spk_history_listener(spk_history *history);
SPK_COLD void spk_history_fini(spk_history *history);

/* spk_history_stage, _rdd, _job: NULL: it was not heard of, or there was no room. */
spk_past_stage *spk_history_stage(const spk_history *history, int id);
SPK_COLD spk_past_rdd *spk_history_rdd(const spk_history *history, int id);
spk_past_job *spk_history_job(const spk_history *history, int id);

/* spk_history_level: its name: "MEMORY_ONLY". */
SPK_COLD const char *spk_history_level(spark_level level);

/* spk_past_median: of the times of its tasks; they are sorted. 0: there are none. */
SPK_COLD int64_t spk_past_median(spk_past_stage *stage);

/* In history_sql.c: executions. */
SPK_COLD void spk_history_sql_start(void *env, const spark_sql_execution *execution);
SPK_COLD void spk_history_sql_end(void *env, const spark_sql_execution *execution);
SPK_COLD void spk_history_sql_job(spk_history *history, int64_t execution);
SPK_COLD void spk_history_sql_fini(spk_history *history);

/* In history_tasks.c: what becomes of a task that has ended, and of a block. spk_history_add_up: once, at the end.
 * spk_history_time: something has happened then. */
void spk_history_task_end(spk_history *history, const spark_task_info *task);
SPK_COLD void spk_history_add_up(spk_history *history);
SPK_COLD void spk_history_point(spk_history *history, int64_t time);
void spk_history_time(spk_history *history, int64_t time);

/* In history_store.c. spk_history_push: room for one more of `size` bytes, zeroed; NULL: no memory. spk_history_insert:
 * the last of n things, which has just come, goes to where its id belongs. spk_history_copy: of at most `most` bytes of a
 * text. */
SPK_COLD void *spk_history_push(spk_history *history, void *array, size_t *n, size_t *max, size_t size);
SPK_COLD void *spk_history_insert(void *all, size_t n, size_t size, int id);
SPK_COLD char *spk_history_copy(spk_history *history, const char *text, size_t most);

#endif
