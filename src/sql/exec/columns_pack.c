/* SPDX-License-Identifier: Apache-2.0 */
/* A step that gathers rows and makes blocks of them: as many as a block has, or fewer, where they are large.
 * Where blocks end depends on the rows alone. */
#include "rdd/verb.h"
#include "sql/exec/columns.h"

typedef struct pack_rdd {
    spark_rdd rdd;
    spk_query *query;
    const spk_form *form;
} pack_rdd;

typedef struct pack_state {
    spk_heap *heap;
    char *rows;
    size_t capacity, n, bytes; /* bytes: of what they point to */
    spk_arena texts;
} pack_state;

/* words: a block as the element that it is. */
typedef struct words {
    const uint64_t *at;
    size_t n;
} words;

static void end_pack(void *data)
{
    pack_state *s = data;
    spk_heap_free(s->heap, s->rows, s->capacity);
    spk_arena_fini(&s->texts);
}

static bool open_pack(spk_pipe *pipe, spk_op *op)
{
    const pack_rdd *r = SPK_NODE(pack_rdd, op->rdd);
    pack_state *s = spk_arena_alloc(spk_keep_of(pipe->task), sizeof *s, 64);
    if (!s) {
        spk_task_nomem(pipe->task);
        return false;
    }
    *s = (pack_state) { .heap = pipe->task->heap };
    spk_arena_init(&s->texts, s->heap);
    s->rows = spk_heap_alloc(s->heap, (size_t)SPK_BLOCK_ROWS * r->form->layout->size, &s->capacity);
    spark_defer(pipe->task, end_pack, s);
    if (!s->rows)
        spk_task_nomem(pipe->task);
    op->state = s;
    return !spk_task_failed(pipe->task);
}

/* seal: what was gathered, as a block; false: the task has failed. */
static bool seal(spk_pipe *pipe, const pack_rdd *r, pack_state *s, words *out)
{
    const size_t room = spk_block_room(r->form, s->rows, s->n);
    uint64_t *block = room < UINT32_MAX ? spk_pipe_alloc(pipe, room + 64) : NULL;
    if (!block) {
        if (room >= UINT32_MAX)
            spk_task_nomem(pipe->task);
        return false;
    }
    *out = (words) { block, spk_block_encode(r->form, s->rows, s->n, block) };
    s->n = s->bytes = 0;
    spk_recycle(pipe->task, &s->texts);
    return true;
}

/* gather: a copy of a row; false: no memory. */
static bool gather(const spk_layout *layout, pack_state *s, const char *row)
{
    char *own = s->rows + s->n * layout->size;
    memcpy(own, row, layout->size);
    if (layout->views) {
        const size_t bytes = spk_value_bytes(layout, own);
        char *texts = bytes ? spk_arena_alloc(&s->texts, bytes, 8) : NULL;
        if (bytes && !texts)
            return false;
        if (bytes)
            (void)spk_value_pack(layout, own, texts);
        s->bytes += bytes;
    }
    s->n++;
    return true;
}

static void run_pack(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const pack_rdd *r = SPK_NODE(pack_rdd, op->rdd);
    pack_state *s = op->state;
    const spk_layout *layout = r->form->layout;
    words *out = spk_pipe_alloc(pipe, (batch->n + 1) * sizeof *out);
    size_t n = 0;
    for (size_t i = 0; out && i < batch->n; i++) {
        if (!gather(layout, s, batch->rows + i * layout->size)) {
            spk_task_nomem(pipe->task);
            break;
        }
        if ((s->n == SPK_BLOCK_ROWS || s->bytes + s->n * layout->size >= SPK_BLOCK_BYTES * (size_t)2)
            && !seal(pipe, r, s, &out[n++]))
            break;
    }
    *batch = (spk_batch) { (char *)out, spk_task_failed(pipe->task) ? 0 : n };
}

static void finish_pack(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    pack_state *s = op->state;
    words *out = s->n ? spk_pipe_alloc(pipe, sizeof *out) : NULL;
    if (out && seal(pipe, SPK_NODE(pack_rdd, op->rdd), s, out))
        *batch = (spk_batch) { (char *)out, 1 };
}

static void release_pack(spark_rdd *rdd)
{
    if (SPK_NODE(pack_rdd, rdd)->query)
        spk_query_unref(SPK_NODE(pack_rdd, rdd)->query);
}

const spark_type *spk_columns_type(spark_context *sc)
{
    return spk_types_list(sc->types, SPARK_TYPE(uint64_t));
}

spark_rdd *spk_columns_pack(spk_query *q, spark_rdd *rdd, const spk_form *form)
{
    static const spk_class class = { .name = "InMemoryRelation",
        .open = open_pack,
        .run = run_pack,
        .finish = finish_pack,
        .release = release_pack };
    spk_verb v;
    bool made;
    spk_verb_begin(&v, q->analyzer.site, "cache", NULL, 1, &rdd, NULL);
    const spark_type *type = spk_columns_type(q->sc);
    if (!type)
        spk_sql_nomem(&q->error);
    const spk_layout *layout = type ? spk_verb_layout(&v, type) : NULL;
    rdd = spk_verb_make(&v, &class, sizeof(pack_rdd), layout, &made);
    if (made) {
        SPK_NODE(pack_rdd, rdd)->form = form;
        SPK_NODE(pack_rdd, rdd)->query = q;
        spk_query_ref(q);
    }
    return rdd;
}
