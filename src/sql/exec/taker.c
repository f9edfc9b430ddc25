/* SPDX-License-Identifier: Apache-2.0 */
/* Where columns go. */
#include "sql/exec/taker.h"

#include "sql/exec/move.h"

static const spk_taker *taker_of(const spk_pipe *pipe, const spk_op *op)
{
    const spk_taker *(*const all[])(const spark_rdd *)
        = { spk_partial_taker, spk_join_taker, spk_eval_taker, spk_window_limit_taker };
    const spark_rdd *next = op + 1 < pipe->ops + pipe->n_ops ? op[1].rdd : NULL;
    const spk_taker *taker = NULL;
    for (size_t i = 0; i < sizeof all / sizeof *all && next && !taker; i++)
        taker = all[i](next);
    return taker;
}

bool spk_onward_begin(spk_onward *o, spk_pipe *pipe, spk_op *op, const spk_form *form, spk_arena *arenas)
{
    o->pipe = pipe;
    o->op = op;
    o->form = form;
    o->taker = taker_of(pipe, op);
    if (o->taker)
        return o->taker->begin(pipe, op + 1);
    if (!o->buffer)
        o->buffer = spk_arena_alloc(spk_keep_of(pipe->task), SPK_SQL_BATCH * (size_t)form->layout->size, 64);
    if (!o->buffer) {
        spk_task_nomem(pipe->task);
        return false;
    }
    return spk_out_open(&o->out, pipe, (size_t)(op - pipe->ops) + 1, form->layout->size, arenas);
}

static bool store(const spk_onward *o, spk_vectors *c, char *out)
{
    const size_t size = o->form->layout->size;
    memset(out, 0, c->rows.n * size);
    for (size_t i = 0; i < o->form->n; i++) {
        const spk_sql_input *in = c->give(c, i, c->rows);
        if (!in)
            return false;
        const spk_sql_vector v = { in->ptr, in->stride, in->valid };
        spk_store_column(&o->form->slots[i], &v, c->rows, out, size);
    }
    return true;
}

/* emit: straight into the emitter where it has room. */
static bool emit(spk_onward *o, spk_vectors *c)
{
    const size_t size = o->form->layout->size, n = c->rows.n;
    spark_emitter *e = &o->out.head;
    bool more = true;
    if ((size_t)(e->end - e->next) < n * size && !e->closed)
        (void)spk_emitter_pass(e);
    if (e->closed)
        return false;
    const bool room = (size_t)(e->end - e->next) >= n * size;
    if (!store(o, c, room ? e->next : o->buffer))
        return false;
    if (room)
        e->next += n * size;
    for (uint32_t k = 0; !room && k < n && more; k++)
        more = spark_emit_(e, o->buffer + k * size, size);
    c->held = e->next != o->out.buffer;
    return more;
}

bool spk_onward_take(spk_onward *o, spk_vectors *c)
{
    if (c->rows.n == 0)
        return true;
    if (o->taker)
        o->op[1].seen += c->rows.n;
    return (o->taker ? o->taker->take(o->pipe, o->op + 1, c) : emit(o, c)) && !spk_task_failed(o->pipe->task);
}

void spk_onward_end(spk_onward *o, spk_batch *batch)
{
    spk_batch rest = { NULL, 0 };
    if (o->taker) {
        o->taker->end(o->pipe, o->op + 1);
        return;
    }
    spk_out_close(&o->out, &rest);
    if (batch)
        *batch = rest;
    else if (rest.n && !spk_task_failed(o->pipe->task))
        (void)spk_pipe_push(o->pipe, (size_t)(o->op - o->pipe->ops) + 1, rest);
}
