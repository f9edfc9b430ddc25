/* SPDX-License-Identifier: Apache-2.0 */
/* Another RDD in the place of a node's edges. */
#ifndef SPK_RDD_REPLACE_H
#define SPK_RDD_REPLACE_H

#include "plan/rdd.h"

/* spk_rdd_replace: from here on `reader`, which gives the same rows, stands for what rdd is made of, if its checkpoint
 * is still in `state`. Takes `cut`, of malloc, and both references; false: nothing, for it is in another one. */
SPK_COLD bool spk_rdd_replace(spark_rdd *rdd, int state, spk_cut *cut, spark_rdd *reader);

/* spk_rdd_reader_of: a node of `size` bytes that is to give the rows of rdd; it is in no scope. NULL: no
 * memory. */
SPK_COLD spark_rdd *spk_rdd_reader_of(
    const spark_rdd *rdd, const spk_class *class, size_t size, const char *operation, spark_site at);

#endif
