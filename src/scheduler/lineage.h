/* SPDX-License-Identifier: Apache-2.0 */
/* Walks over lineages for others than stages. */
#ifndef SPK_SCHEDULER_LINEAGE_H
#define SPK_SCHEDULER_LINEAGE_H

#include "base/cold.h"
#include "plan/rdd.h"

/* spk_shuffles_clean: drops the outputs of all shuffles above rdd, not beyond persisted RDDs. False:
 * no memory for the walk. Under plan_lock. */
SPK_COLD bool spk_shuffles_clean(spark_rdd *rdd);

/* spk_find_marked: a node of the lineage that waits for its checkpoint and has none such below it,
 * with a reference, in *node; NULL: there is none. False: no memory for the walk. */
SPK_COLD bool spk_find_marked(spark_rdd *rdd, spark_rdd **node);

/* spk_cut_lineages: takes the edges away that checkpoints have replaced, unless some job or some
 * preparation may be walking along them: then the next call does. */
SPK_COLD void spk_cut_lineages(spark_context *sc);

#endif
