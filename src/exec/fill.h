/* SPDX-License-Identifier: Apache-2.0 */
/* What a chain does at persisted RDDs: finds their blocks, reads them, fills those that are
 * missing. Contexts have it from the first spark_persist on (context.h). */
#ifndef SPK_EXEC_FILL_H
#define SPK_EXEC_FILL_H

#include "exec/phase.h"

typedef struct spk_caching {
    /* find: the block of a persisted node, pinned, or NULL. False: the task has failed. */
    bool (*find)(spark_task *task, spark_rdd *rdd, int partition, spk_block **block);
    /* push: all rows of the block that the phase begins with. */
    void (*push)(spk_pipe *pipe, spk_block *block);
    /* fill: one phase that ends at a persisted node; *passed: the chain has run to its end. */
    void (*fill)(spk_phase *phase, bool *passed);
} spk_caching;

/* spk_cached_chains: the only one. */
extern const spk_caching spk_cached_chains;

#endif
