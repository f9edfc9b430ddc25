/* SPDX-License-Identifier: Apache-2.0 */
/* glom: the elements of a partition, side by side, as one list. */
#include <stdio.h>

#include <spark/transform.h>

#include "rdd/verb.h"

static void free_rows(void *data)
{
    spk_rows_fini(data);
}

static bool glom_open(spk_pipe *pipe, spk_op *op)
{
    spark_task *task = pipe->task;
    spk_rows *rows = op->state = spk_arena_alloc(spk_keep_of(task), sizeof *rows, 16);
    if (!rows) {
        spk_task_nomem(task);
        return false;
    }
    spk_rows_init(rows, task->heap, op->rdd->deps[0].rdd->layout);
    spark_defer(task, free_rows, rows);
    return !spk_task_failed(task);
}

/* too_large: the list is one element, which must fit as such. */
static void too_large(spark_task *task, const spk_rows *rows, size_t more)
{
    char what[80], text[300];
    snprintf(what, sizeof what, "the list of the %llu elements of a partition, and more",
        (unsigned long long)(rows->n + more));
    spk_task_fail(task, SPARK_ENOMEM, "%s",
        spk_heap_refusal(task->heap, what, rows->bytes, text, sizeof text));
}

static void glom_run(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    if (!spk_rows_append(op->state, batch->rows, batch->n))
        too_large(pipe->task, op->state, batch->n);
    batch->n = 0;
}

static void glom_finish(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const spk_rows *rows = op->state;
    const size_t size = rows->layout->size;
    char *items = spk_pipe_alloc(pipe, (size_t)rows->n * size + 1), *to = items;
    spark_bytes *row = spk_pipe_alloc(pipe, sizeof *row);
    if (!items || !row)
        return;
    for (const spk_run *run = rows->first; run; run = run->next) {
        memcpy(to, run->rows, run->n * size);
        to += run->n * size;
    }
    *row = (spark_bytes) { items, (size_t)rows->n };
    *batch = (spk_batch) { (char *)row, 1 };
}

spark_rdd *spark_glom(spark_site at, spark_rdd *rdd)
{
    static const spk_class class = { .name = "MapPartitionsRDD",
        .open = glom_open,
        .run = glom_run,
        .finish = glom_finish };
    spk_verb v;
    bool made;
    spk_verb_begin(&v, at, "glom", NULL, 1, &rdd, NULL);
    const spark_type *list = v.bad ? NULL : spk_types_list(v.sc->types, v.in->type);
    if (!v.bad && !list)
        spk_verb_no_type(&v, 1, &v.in->type);
    return spk_verb_make(&v, &class, sizeof(spark_rdd), spk_verb_layout(&v, list), &made);
}
