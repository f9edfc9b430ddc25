/* SPDX-License-Identifier: Apache-2.0 */
/* Emitters: what functions of the user hand elements to: a buffer that is pushed on when it is full. */
#ifndef SPK_EXEC_EMIT_H
#define SPK_EXEC_EMIT_H

#include "exec/step.h"

/* spk_out: what stands behind an emitter: an output buffer that is pushed on when it is full. */
struct spk_out {
    spark_emitter head;
    struct spk_out *outer; /* of those of the attempt that are open */
    spk_pipe *pipe;
    size_t next_op;
    char *buffer;
    size_t row_size, capacity;
    spk_arena *arenas[2]; /* what the function allocates; see spk_out_open */
    uint64_t old_row;
    size_t element; /* where in the buffer the element's begins */
    bool whole; /* what one element made is not passed on before all of it is there */
    spk_arena *outer_scratch;
    bool (*drain)(struct spk_out *out); /* where rows of a full buffer go; NULL: to the next step */
    struct spk_out *front;              /* one that drains into this one; NULL: there is none */
};

/* spk_out_open: an emitter for a step (or a source: op NULL, next 0) whose rows go to step `next`;
 * spk_out_close: what is left in it, as the last batch. arenas: two that belong to the step, in
 * which spark_alloc gets its memory while the emitter is open. */
bool spk_out_open(spk_out *out, spk_pipe *pipe, size_t next, size_t row_size, spk_arena *arenas);
void spk_out_close(spk_out *out, spk_batch *batch);

/* spk_source_open, _close: an emitter for rows a source makes by calling a function; close pushes
 * what is left. Both: false: nothing more is wanted. close only after open was true. */
bool spk_source_open(spk_out *out, spk_pipe *pipe, size_t row_size, spk_arena *arenas);
bool spk_source_close(spk_out *out);

/* An element of a step that may be bad: _begin: false: nothing more is wanted. Where it has turned out
 * to be bad, _end takes back what was emitted since. */
bool spk_element_begin(spk_out *out, const spk_op *op);
static inline void spk_element_end(spk_out *out)
{
    if (out->pipe->task->at.is_bad && !out->head.closed)
        out->head.next = out->buffer + out->element;
}

/* spk_emitter_room: makes room for one more row behind emitter->next; false: nothing more is
 * wanted. */
bool spk_emitter_room(spark_emitter *emitter);

/* spk_emitter_pass: pushes on what waits in the buffer; false: it still waits there. */
bool spk_emitter_pass(spark_emitter *emitter);

#endif
