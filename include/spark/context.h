/* SPDX-License-Identifier: Apache-2.0 */
/* The context: threads, memory, scopes, counters. Mirrors SparkContext and SparkConf.
 *
 * Ownership. You free contexts and the arrays actions hand over; nothing else. Everything made in
 * between (RDDs, partitioners, broadcasts, accumulators) belongs to the innermost scope that the
 * calling thread has open on that context; the outermost scope is the context. */
#ifndef SPARK_CONTEXT_H
#define SPARK_CONTEXT_H

#include <spark/fault.h>
#include <spark/type.h>

SPARK_BEGIN_DECLS

/* spark_pool: a share of the threads in fair scheduling: jobs name theirs with
 * spark_set_scheduler_pool. The next thread is for a pool that has less than its min_share, else
 * for the one that has least for its weight, else for the first by name; within a pool older jobs
 * go first. Spark: the pools of its fair scheduler's file. */
typedef struct spark_pool {
    const char *name;
    int weight;    /* 0: 1 */
    int min_share; /* threads it gets before weights matter */
} spark_pool;
typedef enum spark_scheduler_mode { SPARK_FIFO = 0, SPARK_FAIR } spark_scheduler_mode;

/* spark_speculation: whether slow tasks get a copy: looked at every interval_ms, when `quantile` of the
 * tasks of a stage of two or more are done: of each that has run for longer than `multiplier` times their
 * median, and min_runtime_ms, one second attempt is started, on another executor where there is one. The
 * first that is done counts, and nothing of the other; an action still waits until that one has left the
 * function it is in (spark_cancelled). A task that waits for a cached block that another attempt computes goes
 * on without it after ten times min_runtime_ms, of those that wait for one block one at a time, each after twice
 * as long as the one before. A stage that is submitted again, for outputs that were lost, counts anew: where it
 * has one task, nothing can be compared, and that gets no copy, as in Spark, unless task_threshold_ms is set:
 * tasks of a stage with no more tasks than one executor has threads get a copy when they have run for that long
 * (spark.speculation.task.duration.threshold). The defaults are those of Spark 4. */
typedef struct spark_speculation {
    bool on;
    double quantile;    /* 0.9 */
    double multiplier;  /* 3 */
    int interval_ms;    /* 100 */
    int min_runtime_ms; /* 100 */
    int task_threshold_ms; /* none */
} spark_speculation;

/* spark_exclusion: which executors run no more tasks after failures (of tasks, not of executors): the one
 * on which task_attempts attempts of a task failed, not that task; where stage_tasks tasks of a stage
 * failed, none of that stage; where `tasks` of stages that ended well failed within timeout_ms, none at all for
 * that long. A task that can run nowhere then ends its job: with one executor, that is what a single failure does.
 * Spark: spark.excludeOnFailure; its rules for nodes have no meaning on one machine. */
typedef struct spark_exclusion {
    bool on;
    int task_attempts; /* 1 */
    int stage_tasks;   /* 2 */
    int tasks;         /* 2 */
    int timeout_ms;    /* 3,600,000: an hour */
} spark_exclusion;

/* spark_conf: every field may be zero; zero means what stands beside it. Strings and the fault plan
 * are copied. */
typedef struct spark_conf {
    const char *app_name;    /* "libspark" */
    const char *master;      /* "local[*]"; local, local[N], local[N,F], local[*,F]: N threads, F
                                attempts a task (Spark's plain local has one attempt; here 4);
                                local-cluster[E,C,M]: E executors (spark/executor.h) of C threads and
                                M MiB of data memory each; memory_bytes is then the driver's */
    int threads;             /* the CPUs this process may use (affinity, and the quotas of its control
                                group and those above, rounded up); at most 4096; overrides the number
                                in master, N or C. So many functions of jobs run at once, at most, over all
                                jobs of the context; fewer where memory_bytes is less than 32 MiB for
                                each. They run on as many worker threads, all signals blocked but
                                those of crashes; the only task that a job has to do may run on the
                                thread that called the action instead, in the place of a worker, if
                                that has thread_stack_bytes left. Merges of
                                results, and what finds out partitions (SPARK_COALESCER), run on
                                calling threads besides; each future has one of its own */
    int default_parallelism; /* unset: parallelize and range make 16 partitions, wide operations
                                follow their largest parent. Never derived from the threads, so
                                that answers do not depend on the machine */
    int task_max_failures;   /* 4: attempts of one task before its job fails. One to which memory was
                                refused while others ran beside it does not count: it runs again
                                with fewer beside it */
    int stage_max_attempts;  /* 4: consecutive attempts of a stage that lost its input */
    int64_t task_timeout_ms; /* no limit: how long an attempt of a task may take, in milliseconds; see
                                spark_set_task_timeout */
    int64_t job_timeout_ms;  /* no limit: the same of a job; see spark_set_job_timeout */
    uint64_t memory_bytes;   /* three quarters of what the process may have (but at least 64 MiB of it
                                stay free, or three quarters where it is little), which is the RAM, or
                                the smallest memory limit of its control group and those above,
                                versions 1 and 2: spark_memory_limit tells. All data memory (shuffle,
                                cache, tables, buffers) of the context, freed blocks that wait for
                                reuse included; what the process has beside it is at most 64 MiB, 40
                                bytes or so for each partition of a job (100 where it is cached), and
                                2 kB for each RDD that one that is alive goes back to.
                                Shuffle data beyond half of it (three eighths, where it is just enough for
                                the threads) goes to disk; cached partitions may take
                                three quarters, as long as it is not needed for tasks. 32 MiB a thread
                                are enough, whatever is sorted, combined, joined or grouped: one row,
                                one list of spark_group_by_key or spark_cogroup, and the rows of one key
                                on the smaller side of a join must fit, some 30 rows where what
                                is sorted by is 100 kB and more, and of longer texts than 16 KiB those
                                that begin with the same 16 KiB, or the job fails with
                                SPARK_ENOMEM and says what was too large. UINT64_MAX: no limit */
    double memory_storage_fraction; /* 0.5: how much of memory_bytes is left to cached partitions as
                                long as shuffle data can go to disk instead; beyond it they go when
                                tasks need memory. 0 to 1. Spark: spark.memory.storageFraction */
    uint64_t max_result_bytes; /* memory_bytes: what one action may hand over, elements and what they
                                  point to; more is SPARK_ENOMEM, which says how much. Results are not
                                  part of memory_bytes: until all is there, what does not fit in that
                                  goes to disk, and the array is yours. Spark:
                                  spark.driver.maxResultSize */
    const char *local_dir;   /* $TMPDIR, else /var/tmp: where that is written; several directories, up
                                to 16, with commas between them, are used in turn, and one that is full
                                or gone is left out. They must exist; blanks around a name are
                                not part of it. A tmpfs is memory: nothing is spilled there. Spark:
                                spark.local.dir */
    bool check;              /* finds views of dead memory and descriptions that do not fit; slow */
    int limit_initial_partitions; /* 1: partitions that the first job of a take or first scans;
                                     Spark: spark.rdd.limit.initialNumPartitions */
    int limit_scale_up_factor;    /* 4: how many times as many each further one scans, at most;
                                     Spark: spark.rdd.limit.scaleUpFactor */
    int batch_rows;            /* 1024, at most 65536: rows handed from function to function at
                                once, and no more of them than make 64 KiB, themselves or with
                                what functions allocate for them; results never depend on it */
    size_t thread_stack_bytes; /* 1 MiB: of each thread that runs functions. Partitions that are
                                computed inside each other (zips, coalesces, placed RDDs), however
                                deep, go on on the stack of another thread when half of one is
                                used; functions have the rest */
    spark_speculation speculation; /* off */
    spark_exclusion exclusion;     /* off */
    int locality_wait_ms; /* 3000: how long a task waits for the executor that holds its cached block, or
                             most of its shuffle input, before another one takes it (PROCESS_LOCAL, then
                             ANY in Spark's words; all are on one machine, so NODE_LOCAL is what every
                             other executor is); negative: not at all. Spark: spark.locality.wait */
    const spark_fault *faults;
    size_t n_faults;
    bool crash_reports; /* so does SPARK_CRASH_REPORTS in the environment, other than "" and "0": where a
                           function of this context ends the process by SIGSEGV, SIGBUS, SIGFPE, SIGILL
                           or SIGABRT (an overflow of its stack, a failed assert), standard error gets
                           a line that names the signal, the operation and where it was written, job,
                           stage, partition, attempt, and the record (its index in the partition, of
                           functions of single elements, and of iterators), and the file and line it was
                           read from, where no shuffle and no cache is between (of a compressed or remote
                           file, and beyond the first GiB, the byte; of whole files the name); then the
                           signal goes on to the handler that was there before. Functions get elements
                           one by one then, which costs some 5 ns a call, and files give rows one by one,
                           which costs some 100 ns a row. Handlers are of the process, while there
                           is such a context; those that the program installs later go before */
    spark_scheduler_mode scheduler_mode; /* SPARK_FIFO: older jobs first */
    const spark_pool *pools;             /* of SPARK_FAIR; others have weight 1 and no minimum */
    size_t n_pools;
} spark_conf;

/* spark_context_new: starts the threads. Never NULL: what went wrong (a bad master, no memory)
 * comes back from the first action. conf may be NULL. Any number of contexts may live at once.
 *
 * A child of fork has none of these threads: there an action that needs them fails with
 * SPARK_EINVAL, and freeing the context does nothing. Fork while no other thread uses the context,
 * whose locks may stay closed in the child otherwise; make contexts after forking. */
spark_context *spark_context_new(const spark_conf *conf);

/* spark_context_free: waits until no task runs, ends the threads and frees everything the context
 * owns. Arrays must be freed before. NULL does nothing. Not from inside a task. */
void spark_context_free(spark_context *sc);

/* spark_context_threads: how many worker threads run; less than asked for when the system refused.
 */
int spark_context_threads(const spark_context *sc);

/* As they were configured, with what stands for zero; 0 and "" without a context. Spark: appName,
 * defaultParallelism. */
const char *spark_context_app_name(const spark_context *sc);
int spark_context_default_parallelism(const spark_context *sc);

/* Scopes. spark_scope_end releases everything the thread made on this context since
 * spark_scope_begin, also where inner scopes were left open. begin gives NULL (harmless) without
 * memory: things then belong to the scope outside. What a scope has released must not be used
 * again: that is undefined, and an error in check mode (but for RDDs from which others that are
 * still held were made). */
spark_scope *spark_scope_begin(spark_context *sc);
void spark_scope_end(spark_scope *scope);
static inline void spark_scope_leave_(spark_scope **scope)
{
    spark_scope_end(*scope);
}

/* SPARK_SCOPED: as the first line of a loop body: a scope that ends with the block, also by break,
 * continue and return. */
#define SPARK_SCOPED(sc)                                                                           \
    spark_scope *SPARK_PASTE_(spark_scope_here_, __LINE__)                                         \
        __attribute__((cleanup(spark_scope_leave_), unused))                                       \
        = spark_scope_begin(sc)

/* spark_rdd_replace: releases *slot and puts `next` there, moved to the scope that *slot belonged
 * to: how a loop hands out what it made inside SPARK_SCOPED. A released RDD lives on while a
 * descendant does. What its shuffles wrote, and its cached blocks, go once no RDD that a scope holds would
 * read them again; of the last round they are kept, so that a lost block costs one partition and not all
 * rounds. spark_unpersist it first where its blocks are to go at once. */
void spark_rdd_replace(spark_rdd **slot, spark_rdd *next);

/* spark_rdd_release: gives an RDD back before its scope ends. NULL does nothing. */
void spark_rdd_release(spark_rdd *rdd);

/* spark_job_stats: counters of one job. Recomputed partitions are map outputs and cached blocks
 * that had been there, were lost and were made again; a partition of which both were lost counts twice. */
typedef struct spark_job_stats {
    int job;              /* its id */
    int stages;           /* of the job; none above a shuffle whose outputs all existed */
    int skipped_stages;   /* their output existed */
    int stage_attempts;   /* of those that ran: 1 each, more after a loss */
    int64_t tasks;        /* attempts that succeeded */
    int64_t total_tasks;  /* how many are to succeed in all, as far as is known now: of the stages
                             that have run or are to run; grows when outputs are lost */
    int64_t failed_tasks; /* attempts that failed, those too that others left no memory for */
    int64_t lost_inputs;  /* attempts ended because a map output was gone, or a cached block on disk
                             damaged */
    int64_t recomputed_partitions;
    int64_t cached_reads;  /* partitions read from the cache */
    int64_t cached_blocks; /* partitions put into the cache */
    int64_t shuffle_rows;  /* rows written by map sides */
    int64_t shuffle_bytes;
    int64_t spilled_bytes; /* written to disk for lack of memory */
    int64_t evicted_blocks;      /* cached partitions that left memory because its tasks wanted it */
    int64_t cache_bytes_written; /* of cached partitions, to disk */
    int64_t cache_bytes_read;    /* of cached partitions, from disk */
    int64_t remote_bytes;  /* of outputs and cached blocks, read from another executor */
    int64_t disowned_tasks; /* attempts whose executor was lost, or that a copy outran: they are no
                               failures, and nothing of them counts */
    int64_t speculative_tasks; /* copies of slow tasks that were started */
    int64_t local_tasks;   /* started on the executor that holds their input, where one does */
} spark_job_stats;

/* spark_job_stats_get: job SPARK_ANY: the job that ended last; one that runs: what it has done so
 * far. SPARK_EINVAL for a job that is unknown; the last 1024 jobs are remembered. */
spark_status spark_job_stats_get(spark_context *sc, int job, spark_job_stats *stats);

/* spark_memory_limit: the most data memory the context may have, in bytes: spark_conf.memory_bytes, or
 * what was chosen for it. 0: the context could not be made, or what the machine has is not known. */
uint64_t spark_memory_limit(const spark_context *sc);

/* spark_memory_bytes: data memory the context uses now, without freed blocks that it keeps for
 * reuse; peak (may be NULL): the most it has had from the system so far, with these. */
uint64_t spark_memory_bytes(const spark_context *sc, uint64_t *peak);

SPARK_END_DECLS

#endif
