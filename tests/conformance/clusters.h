/* SPDX-License-Identifier: Apache-2.0 */
/* What the cases about executors share: clusters, tasks of which each executor gets as many, and tasks that
 * fail on one of them. */
#ifndef CLUSTERS_H
#define CLUSTERS_H

#include "meeting.h"
#include "oracle.h"

#include <string.h>

enum { WAIT_FOR_EVER = 3600 * 1000, KEYS = 10 };

#include "sums.h"

typedef spark_context *context;

static inline spark_context *cluster(const char *master, int locality_wait_ms)
{
    return oracle_open_conf(&(spark_conf) { .master = master, .locality_wait_ms = locality_wait_ms });
}

/* one_each: n elements in n partitions, whose tasks run at once: each executor of as many threads gets as many. */
static inline spark_rdd *one_each(spark_context *sc, meeting *m, int n)
{
    const meeting_of at = m;
    m->n = n;
    atomic_store(&m->begun, 0);
    return spark_filter(spark_range(sc, 0, n, 1, n), meets, SPARK_COPY(at));
}

static inline spark_executor_info info_of(spark_context *sc, const char *id)
{
    spark_executor_info infos[64];
    const size_t n = spark_executors(sc, infos, LENGTH(infos));
    for (size_t i = 0; i < n && i < LENGTH(infos); i++)
        if (strcmp(infos[i].id, id) == 0)
            return infos[i];
    fail_msg("there is no executor %s", id);
    return infos[0];
}

/* fails_on: on this executor, at these attempts; -1: on all. */
typedef struct bad {
    int executor, attempts;
} bad;
SPARK_FILTER(fails_on, int64_t, bad)
{
    (void)in;
    if ((env->executor < 0 || atoi(spark_task_executor(task)) == env->executor)
        && spark_task_attempt(task) < env->attempts)
        spark_fail(task, "the disk is full");
    return true;
}

static inline spark_rdd *failing(spark_rdd *rdd, int executor)
{
    const bad here = { executor, 100 };
    return spark_filter(rdd, fails_on, SPARK_COPY(here));
}

#endif
