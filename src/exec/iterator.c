/* SPDX-License-Identifier: Apache-2.0 */
/* Iterators over drained partitions and groups. */
#include "exec/iterator.h"

const void *spark_peek_(spark_iterator *in)
{
    if (spk_task_over(in->task))
        return NULL;
    return in->at != in->end || in->refill(in) ? in->at : NULL;
}

const void *spark_next_(spark_iterator *in)
{
    const void *row = spark_peek_(in);
    if (in->out)
        in->out->rows++;
    if (in->shown)
        memset(in->shown, SPK_POISON, in->size);
    if (!row)
        return NULL;
    in->at += in->size;
    if (!in->task->check.on)
        return row;
    in->shown = spk_arena_alloc(spk_keep_of(in->task), in->size, 64);
    if (!in->shown) {
        spk_task_nomem(in->task);
        return NULL;
    }
    return memcpy(in->shown, row, in->size);
}
