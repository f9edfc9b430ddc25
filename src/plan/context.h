/* SPDX-License-Identifier: Apache-2.0 */
/* The context as the rooms see it: configuration, memory, types, ids and scopes; the scheduler
 * stays opaque to those above it. */
#ifndef SPK_PLAN_CONTEXT_H
#define SPK_PLAN_CONTEXT_H

#include <stdatomic.h>
#include <sys/types.h>

#include "base/heap.h"
#include "plan/object.h"
#include "type/layout.h"

struct spark_context {
    const spk_failure *error; /* NULL: a proper one; else what went wrong when it was made */
    spk_heap heap;
    spk_types *types;
    pthread_mutex_t scope_lock; /* guards the lists of all scopes of the context, and these: */
    struct spark_rdd *held;     /* RDDs that a scope holds: somebody can still name them */
    struct spk_shuffle *filled; /* shuffles that have, or had, outputs */
    atomic_int n_filled;
    spark_scope root;
    struct spark_rdd *graveyard; /* check mode: released RDDs, so that using one is an error */
    pthread_mutex_t plan_lock;   /* guards lineages: marks, edges, who prepares what */
    pthread_cond_t prepared;     /* some node is, or could not be */
    int preparing;               /* threads that walk lineages to prepare them; under plan_lock */
    pid_t process;              /* that made it: a child of fork has none of its threads */
    struct spark_future *ended; /* futures whose threads are to be joined; under scope_lock */
    void (*rearm)(void);        /* a job begins: signals cancel again; NULL: they never do */
    void (*leave_signals)(spark_context *sc);
    atomic_int next_rdd, next_shuffle;
    atomic_int oldest_job; /* none with a lower number runs any more */
    _Atomic uint64_t next_accumulator;
    atomic_uint persist_epoch; /* changes with every persist and unpersist */
    struct spk_store *store;   /* storage's: of the executor that shares the heap above */
    struct spk_block_set *persisted; /* of all RDDs that are, or were; under scope_lock */
    /* exec's: what tasks do with persisted RDDs; set with the first one, so that only programs with
     * such have it. */
    const struct spk_caching *caching;
    _Atomic(const struct spk_parking *) parking; /* likewise the scheduler's */
    double storage_fraction;
    struct spk_elsewhere *elsewhere; /* io's: file systems that were registered; set once; NULL: none */
    char *local_dir;
    char *checkpoint_dir;    /* of this context alone, in the one that was set; under plan_lock */
    char *local_checkpoints; /* the same for local ones: a local directory (io/local_dir.h), its lock */
    int local_lock;
    atomic_int marked;       /* nodes whose checkpoints wait to be written */
    /* write_marked: writes those above rdd, for an action; set with the first mark, so that only
     * programs with checkpoints have what writes them. */
    spark_status (*write_marked)(
        spark_rdd *rdd, const char *action, spark_site at, spk_failure *failure);
    struct spk_catalog *catalog; /* of SQL's views; belongs to the root scope; NULL: there is none */
    struct spk_cut *cuts;    /* edges that wait to go; under plan_lock */
    atomic_bool has_cuts;
    struct spk_scheduler *scheduler;
    _Atomic(const struct spk_listening *) listening; /* plan/listening.h; NULL: nobody does */
    struct spk_bus *bus;                             /* of the listeners */
    _Atomic(const struct spk_queries *) queries;     /* likewise; NULL: there is no SQL */
    char *app_name;
    int executors;           /* 0: one, "driver", which shares the heap above */
    uint64_t executor_bytes; /* the limit of each one's heap */
    int threads, default_parallelism, task_max_failures, stage_max_attempts, batch_rows;
    int limit_initial, limit_scale_up;
    bool check, fair, crash_reports;
    atomic_bool has_properties; /* some scope has, or had */
    struct spk_share **shares;  /* of fair scheduling */
    size_t n_shares;
    size_t stack_bytes;
    int64_t task_timeout_ms, job_timeout_ms; /* 0: none */
    uint64_t max_result_bytes; /* 0: no limit */
    spark_speculation speculation;
    spark_exclusion exclusion;
    int locality_wait_ms;
    spark_fault *faults;
    size_t n_faults;
    atomic_bool faults_off;
    struct spk_faults *plan; /* the part of them that is about calls */
    struct spk_place *place; /* of the program's threads; NULL: no call is to fail */
};

enum { SPK_DEFAULT_PARTITIONS = 16 };

/* Contexts that carry an error and nothing else, of no memory of their own. spk_context_none: what
 * verbs work on when they are given none. spk_context_no_memory: what could not be made. */
spark_context *spk_context_none(void);
spark_context *spk_context_no_memory(void);
bool spk_context_is_constant(const spark_context *sc);

#endif
