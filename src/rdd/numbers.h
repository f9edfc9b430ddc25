/* SPDX-License-Identifier: Apache-2.0 */
/* Elements that are numbers, of whatever kind, as doubles. */
#ifndef SPK_RDD_NUMBERS_H
#define SPK_RDD_NUMBERS_H

#include "scheduler/job.h"

/* spk_numbers_check: what every action on numbers asks first; place: where the result goes.
 * spk_numbers: n elements of such an RDD as doubles. */
spark_status spk_numbers_check(
    spark_rdd *rdd, const char *name, spark_site at, const void *place, spk_failure *failure);
void spk_numbers(const spk_layout *layout, const char *rows, size_t n, double *out);

#endif
