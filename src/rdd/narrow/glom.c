/* SPDX-License-Identifier: Apache-2.0 */
/* glom: the elements of a partition, side by side, as one list. */
#include <spark/transform.h>

#include "exec/drained.h"
#include "rdd/verb.h"

static void glom_finish(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const spk_drained *state = op->state;
    const size_t size = state->rows.layout->size;
    char *items = spk_pipe_alloc(pipe, (size_t)state->rows.n * size + 1), *to = items;
    spark_bytes *row = spk_pipe_alloc(pipe, sizeof *row);
    if (!items || !row)
        return;
    for (const spk_run *run = state->rows.first; run; run = run->next) {
        memcpy(to, run->rows, run->n * size);
        to += run->n * size;
    }
    *row = (spark_bytes) { items, (size_t)state->rows.n };
    *batch = (spk_batch) { (char *)row, 1 };
}

spark_rdd *spark_glom(spark_site at, spark_rdd *rdd)
{
    static const spk_class class = { .name = "MapPartitionsRDD",
        .open = spk_drained_open,
        .run = spk_drained_run,
        .finish = glom_finish };
    spk_verb v;
    bool made;
    spk_verb_begin(&v, at, "glom", NULL, 1, &rdd, NULL);
    const spark_type *list = v.bad ? NULL : spk_types_list(v.sc->types, v.in->type);
    if (!v.bad && !list)
        spk_verb_no_type(&v, 1, &v.in->type);
    return spk_verb_make(&v, &class, sizeof(spark_rdd), spk_verb_layout(&v, list), &made);
}
