/* SPDX-License-Identifier: Apache-2.0 */
/* Columns up to the first exchange: a step that stands behind the scan of a cached table, or behind such a step, takes
 * batches as columns, in place of rows that were made only to be taken apart again. A column is computed when it is
 * asked for, for the rows it is asked for. Rows, and their order, are the same. */
#ifndef SPK_SQL_EXEC_TAKER_H
#define SPK_SQL_EXEC_TAKER_H

#include "exec/emit.h"
#include "sql/exec/query.h"

/* spk_vectors: a batch of n rows, of which `rows` count, as the columns of a form. */
typedef struct spk_vectors {
    /* give: column i for these rows, which are all or some of those that count (the same may come several times in a
     * row). NULL: the task has failed. What the column has at other rows means nothing, and nothing any more once it
     * is asked for others. */
    const spk_sql_input *(*give)(struct spk_vectors *c, size_t i, spk_sql_rows rows);
    uint32_t n;
    spk_sql_rows rows;
    bool held;        /* rows that wait somewhere may point to what was computed of earlier batches */
    uint64_t block;   /* the block of a cached table it is from; 0: of none */
} spk_vectors;

/* spk_taker: what such a step is called with by the one before it, while that runs: begin, then take for each batch,
 * then end. False: no more is wanted, or the task has failed. Its open has been called; its run is not, as long as
 * the step before hands it columns. */
typedef struct spk_taker {
    bool (*begin)(spk_pipe *pipe, spk_op *op);
    bool (*take)(spk_pipe *pipe, spk_op *op, spk_vectors *columns);
    void (*end)(spk_pipe *pipe, spk_op *op);
} spk_taker;

/* spk_partial_taker, ..: of a node, or NULL: it is another one, or wants rows. */
const spk_taker *spk_partial_taker(const spark_rdd *rdd);
const spk_taker *spk_join_taker(const spark_rdd *rdd);
const spk_taker *spk_eval_taker(const spark_rdd *rdd);
const spk_taker *spk_window_limit_taker(const spark_rdd *rdd);

/* spk_onward: where a step's columns go: to the step behind it, or as rows of a form into an emitter. */
typedef struct spk_onward {
    spk_pipe *pipe;
    spk_op *op; /* the step's own */
    const spk_form *form;
    const spk_taker *taker; /* of the next one; NULL: rows are emitted */
    spk_out out;
    char *buffer; /* rows of a batch, where the emitter has no room for all */
} spk_onward;

/* spk_onward_begin: arenas: for the emitter. spk_onward_take: false: no more is wanted, or the task has failed.
 * spk_onward_end: what waits is pushed; `batch`: or is left there, where the step's own run can return it. */
bool spk_onward_begin(spk_onward *o, spk_pipe *pipe, spk_op *op, const spk_form *form, spk_arena *arenas);
bool spk_onward_take(spk_onward *o, spk_vectors *columns);
void spk_onward_end(spk_onward *o, spk_batch *batch);

#endif
