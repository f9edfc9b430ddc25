/* SPDX-License-Identifier: Apache-2.0 */
/* Executors: failure domains in one process. spark_conf.master says how many there are: one, "driver",
 * or those of local-cluster, "0", "1", ... Each has threads, an account of memory, the cached blocks that
 * its tasks made, and the outputs of shuffles that they wrote. What one holds, others read in place.
 *
 * An executor may be lost, whatever it runs: by spark_kill_executor or by a fault plan. What its
 * attempts were doing does not count, nor does it count as a failure of their tasks: others run those
 * again at once. Its blocks and outputs are gone; only what is missed is computed again, from lineage.
 * Another executor, with a new id and as many threads, comes in its place at once. Results are the same
 * bits. A task that 100 executors were lost under fails its job: it may be what ends them. */
#ifndef SPARK_EXECUTOR_H
#define SPARK_EXECUTOR_H

#include <spark/context.h>

SPARK_BEGIN_DECLS

typedef enum spark_executor_state { SPARK_EXECUTOR_ALIVE = 0, SPARK_EXECUTOR_LOST } spark_executor_state;

/* spark_executor_info: what is known of one. Of one that is lost there are no blocks and outputs any
 * more, but memory, as long as something that runs reads it, or a result array lies in it. */
typedef struct spark_executor_info {
    char id[16];
    spark_executor_state state;
    int threads;           /* that it was started with */
    int busy;              /* of them, run tasks */
    uint64_t memory_limit; /* 0: none; of "driver" that of the context */
    uint64_t memory_used;  /* of it; where there is one executor, all that the context uses */
    uint64_t cached_bytes; /* of its blocks */
    int64_t blocks, outputs;
    int64_t tasks_run;    /* attempts that succeeded */
    int64_t tasks_failed; /* attempts that failed */
    char reason[128];     /* why it was lost; "": it was not */
} spark_executor_info;

/* spark_executors: of those that are alive, in the order of their ids, and then of those that were lost,
 * the last one first (about 100 are remembered): `max` of them into infos. How many there are; 0 without
 * a context. Spark: getExecutorInfos, getExecutorMemoryStatus. */
size_t spark_executors(spark_context *sc, spark_executor_info *infos, size_t max);

/* spark_kill_executor: the executor of that id is lost, for the reason given (NULL: "killed"). When it
 * returns, nothing of it is found any more; attempts of it that are in a function run on until they
 * notice (spark_cancelled), and their actions wait for them. Also while nothing runs, and from inside a
 * task, its own executor as well. SPARK_EINVAL: none of that id is alive, or this is a fork;
 * SPARK_ENOMEM: it is the only one, and no other could be started, or 10,000 were lost since the oldest
 * of the jobs that run has begun: some kB are kept of each until that one ends. Spark: killExecutor,
 * which asks the cluster and does not wait. */
spark_status spark_kill_executor(spark_context *sc, const char *id, const char *reason);

SPARK_END_DECLS

#endif
