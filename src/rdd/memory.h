/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of RDDs from memory without running anything. */
#ifndef SPK_RDD_MEMORY_H
#define SPK_RDD_MEMORY_H

#include "plan/rdd.h"

/* spk_memory_count: how many elements an RDD of parallelize or range has; false: it is none of these. */
bool spk_memory_count(const spark_rdd *rdd, uint64_t *n);

#endif
