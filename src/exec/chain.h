/* SPDX-License-Identifier: Apache-2.0 */
/* Chains: from a node and a partition to a sink. A source may run the chains of its parents inside its
 * own, however deep; each has a frame: what its steps keep goes when it ends. */
#ifndef SPK_EXEC_CHAIN_H
#define SPK_EXEC_CHAIN_H

#include "exec/step.h"

/* spk_chain_run: computes a partition of rdd, up to a sink; fills blocks on the way. False when the
 * task has failed. */
bool spk_chain_run(spark_task *task, spark_rdd *rdd, int partition, spk_sink sink);

/* spk_chain_block: the partition as the block that is in memory, pinned: what a chain that begins
 * with it would push. NULL: run the chain. False: the task has failed. */
SPK_COLD bool spk_chain_block(spark_task *task, spark_rdd *rdd, int partition, spk_block **block);

#endif
