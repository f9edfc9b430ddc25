/* SPDX-License-Identifier: Apache-2.0 */
/* The fault plan: what goes wrong, where, in a run that is to be disturbed (spark_conf.faults). Spark
 * has none: its tests kill processes. */
#ifndef SPARK_FAULT_H
#define SPARK_FAULT_H

#include <spark/base.h>

SPARK_BEGIN_DECLS

/* spark_fault: one line of a fault plan, for tests of your own programs: a fault happens where job,
 * stage, partition and attempt all match; SPARK_ANY matches everything. Jobs count from 0 in the
 * order they were started; a stage is named by its position in its job, parents first, so the result
 * stage of a job with one shuffle is 1, also where the stage before is skipped. Stages above a
 * shuffle whose outputs are all there do not exist; those that turn out to be needed because outputs
 * are lost come behind the result stage. Attempts count from 0 for each task; when a stage is
 * submitted again, for outputs that were lost after it had ended, its tasks count anew. */
typedef enum spark_fault_kind {
    SPARK_FAULT_TASK = 1, /* the attempt does all its work, then fails instead of publishing it */
    SPARK_FAULT_BLOCK,    /* before the attempt: the cached blocks it would read are dropped */
    SPARK_FAULT_SHUFFLE,  /* before the attempt: output `output` of each shuffle it reads is lost */
    SPARK_FAULT_RANDOM    /* anywhere: each of the three with probability `rate`, drawn from seed,
                             job, stage, partition and attempt; never on the last permitted
                             attempt */
} spark_fault_kind;

#define SPARK_ANY (-1)

typedef struct spark_fault {
    spark_fault_kind kind;
    int job, stage, partition, attempt;
    int output;  /* SPARK_FAULT_SHUFFLE: the map partition */
    double rate; /* SPARK_FAULT_RANDOM: 0 to 1 */
    uint64_t seed;
} spark_fault;

SPARK_END_DECLS

#endif
