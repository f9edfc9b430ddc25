/* SPDX-License-Identifier: Apache-2.0 */
/* What other families make of the narrow ones, under the name of the operation it is for. */
#ifndef SPK_RDD_NARROW_H
#define SPK_RDD_NARROW_H

#include <spark/transform.h>

/* spk_key_by: key_by. */
spark_rdd *spk_key_by(const char *operation, spark_site at, spark_rdd *rdd, const spark_map_def *f,
    const spark_env *env);

/* spk_prune: n partitions of rdd, from `first` on. */
spark_rdd *spk_prune(const char *operation, spark_site at, spark_rdd *rdd, int first, int n);

#endif
