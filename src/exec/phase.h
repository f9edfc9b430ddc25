/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room tell each other about chains: a chain that meets persisted RDDs runs
 * in phases. */
#ifndef SPK_EXEC_PHASE_H
#define SPK_EXEC_PHASE_H

#include "exec/step.h"

typedef struct spk_phase {
    spark_task *task;
    const spk_walk *walk; /* [0] is the end of the chain, the last one its source */
    spk_block *source;    /* pinned; NULL: walk[from] produces */
    size_t from, to;      /* steps from `from` down to `to`; walk[to] is filled unless to is 0 */
    spk_sink sink;        /* of the whole chain */
    uint32_t tally;       /* likewise; phases that fill have one of their own */
} spk_phase;

/* spk_phase_pipe: the steps below walk[from], down to walk[to]; false: the task has failed.
 * spk_phase_source: pushes all that the phase begins with through it. */
bool spk_phase_pipe(spk_pipe *pipe, const spk_phase *phase, uint32_t tally, size_t from, size_t to,
    spk_sink sink);
void spk_phase_source(spk_pipe *pipe, const spk_phase *phase);

#endif
