/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of the processor and the kernel, for each thread that runs tasks, where the system allows it
 * (perf_event_open). A bus has a table of these functions once a program has asked for it. */
#ifndef SPK_LISTEN_COUNTERS_H
#define SPK_LISTEN_COUNTERS_H

#include "exec/task.h"
#include <spark/listener.h>

#include "base/cold.h"

typedef struct spk_counters spk_counters;

/* SPK_COUNTER_ID: of the first one, where they are told as accumulators are. */
#define SPK_COUNTER_ID (INT64_C(1) << 40)
enum { SPK_COUNTERS = 4 };

/* spk_counting: start: an attempt begins on this thread; stop: it ends: what was counted meanwhile. name: as it is
 * told; figure: NULL: it is not counted. free: when no task runs any more. */
typedef struct spk_counting {
    void (*start)(spk_counters *counters, spark_task *task);
    void (*stop)(spk_counters *counters, spark_task *task, spark_task_metrics *metrics);
    const char *(*name)(const spk_counters *counters, int i);
    int64_t (*figure)(const spark_task_metrics *metrics, int i);
    void (*free)(spk_counters *counters);
} spk_counting;

#endif
