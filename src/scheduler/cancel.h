/* SPDX-License-Identifier: Apache-2.0 */
/* Cancelling what is not yet a job. */
#ifndef SPK_SCHEDULER_CANCEL_H
#define SPK_SCHEDULER_CANCEL_H

#include "base/cold.h"
#include "plan/properties.h"

/* spk_started: an action in the background, from its start to its end: what cancels its group, its tag
 * or everything cancels also the jobs it has yet to start. Its jobs know it by their properties. */
struct spk_started {
    spk_started *next, *prev;
    const spk_properties *properties; /* of its jobs */
    atomic_bool cancelled;
    atomic_int *job;  /* where the number of the job goes that it started last */
    char reason[400]; /* why it was cancelled */
};
SPK_COLD void spk_started_add(spark_context *sc, spk_started *started);
SPK_COLD void spk_started_remove(spark_context *sc, spk_started *started);

/* spk_started_cancel: its running job, and those it has yet to start. */
SPK_COLD void spk_started_cancel(spark_context *sc, spk_started *started);

/* spk_interrupt: all jobs that run and actions in the background; where there are none, the job that
 * starts next. */
SPK_COLD void spk_interrupt(spark_context *sc, const char *reason);

#endif
