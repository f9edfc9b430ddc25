/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of tasks, kept for quantiles: a column for each figure that is not always 0. */
#ifndef SPK_LISTEN_SAMPLES_H
#define SPK_LISTEN_SAMPLES_H

#include <spark/metrics.h>

#include "base/cold.h"

enum { SPK_FIGURES = sizeof(spark_task_metrics) / sizeof(int64_t) };

/* spk_samples: zeroed it is empty, but for `each`, which is 1: of so many tasks one is kept. has: which columns there
 * are, as bits. */
typedef struct spk_samples {
    int64_t *columns[SPK_FIGURES]; /* NULL: 0 everywhere */
    uint32_t has;
    size_t n, max;
    int64_t seen, each;
} spk_samples;

/* spk_samples_wanted: whether the next task is one of those that are kept; it has been seen then.
 * spk_samples_add: false: no memory. spk_samples_halve: of two that are kept one goes. */
static inline bool spk_samples_wanted(spk_samples *samples)
{
    return samples->seen++ % samples->each == 0;
}
bool spk_samples_add(spk_samples *samples, const spark_task_metrics *metrics);
SPK_COLD void spk_samples_halve(spk_samples *samples);
SPK_COLD void spk_samples_fini(spk_samples *samples);

/* spk_samples_copy: false: no memory; then *to holds nothing. spk_samples_quantiles: of samples, whose
 * columns are sorted, of at least one task. */
SPK_COLD bool spk_samples_copy(spk_samples *to, const spk_samples *from);
SPK_COLD void spk_samples_quantiles(
    spk_samples *samples, const double *at, size_t n, spark_task_metrics *values);

/* spk_metrics_add: of a task, or of several; of peaks the larger stays. spk_totals_add: with what became of the
 * attempts. */
void spk_metrics_add(spark_task_metrics *restrict sum, const spark_task_metrics *restrict more);
void spk_totals_add(spark_attempt_totals *to, const spark_attempt_totals *more);

#endif
