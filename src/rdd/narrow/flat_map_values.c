/* SPDX-License-Identifier: Apache-2.0 */
/* flat_map_values: the function emits values into a buffer of its own, which is emptied into pairs
 * after each element, and whenever it is full. */
#include <spark/transform.h>

#include "rdd/verb.h"

typedef struct values_rdd {
    spark_rdd rdd;
    spark_flat_map_def def;
} values_rdd;

typedef struct values_out {
    spk_out out; /* what the function sees; first, since the engine hands it back as this */
    spk_out pairs;
    const spk_layout *pair;
    const char *key;
} values_out;

/* drain: the values emitted so far become pairs with the key. */
static bool drain(spk_out *out)
{
    values_out *v = (values_out *)(void *)out;
    const spk_layout *pair = v->pair;
    const size_t size = pair->value->size;
    spark_emitter *to = &v->pairs.head;
    for (const char *value = out->buffer; value < out->head.next; value += size) {
        if (to->next == to->end && !spk_emitter_room(to))
            break;
        memset(to->next, 0, pair->size);
        memcpy(to->next, v->key, pair->key->size);
        memcpy(to->next + pair->value_offset, value, size);
        to->next += pair->size;
    }
    out->head.next = out->buffer;
    out->head.end = out->buffer + out->capacity * size;
    out->head.closed = to->closed;
    return !to->closed;
}

static bool open_values(spk_pipe *pipe, spk_op *op)
{
    op->state = spk_step_arenas(pipe->task);
    return op->state != NULL;
}

static void run_values(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    enum { ROOM = 256 };
    const values_rdd *r = SPK_NODE(values_rdd, op->rdd);
    const spk_layout *in = op->rdd->deps[0].rdd->layout, *pair = op->rdd->layout;
    spark_task *task = pipe->task;
    const spk_batch rows = *batch;
    const size_t most = spk_pipe_rows(pipe, pair->value->size), n = most < ROOM ? most : ROOM;
    const size_t room = n * pair->value->size;
    values_out v = { .pair = pair };
    batch->n = 0;
    char *buffer = spk_pipe_alloc(pipe, room + 1);
    if (!buffer
        || !spk_out_open(
            &v.pairs, pipe, (size_t)(op - pipe->ops) + 1, op->rdd->layout->size, op->state))
        return;
    v.out = (spk_out) {
        .pipe = pipe, .row_size = pair->value->size, .capacity = n, .drain = drain
    };
    v.pairs.front = &v.out;
    v.out.buffer = v.out.head.next = buffer;
    v.out.head.end = buffer + room;
    for (size_t i = 0; i < rows.n && spk_element_begin(&v.pairs, op); i++) {
        v.key = rows.rows + i * in->size;
        v.pairs.head.rows++;
        spk_task_at(task, op, op->seen + i, v.key);
        r->def.run(task, 1, v.key + in->value_offset, in->size, &v.out.head, op->rdd->env.value);
        drain(&v.out);
        spk_element_end(&v.pairs);
    }
    if (spk_task_failed(task) && task->op == op && v.pairs.head.rows > 0)
        spk_locate(task, (int64_t)(op->seen + v.pairs.head.rows - 1));
    spk_out_close(&v.pairs, batch);
}

spark_rdd *spark_flat_map_values(
    spark_site at, spark_rdd *rdd, const spark_flat_map_def *f, const spark_env *env)
{
    static const spk_class class = {
        .name = "MapPartitionsRDD", .open = open_values, .run = run_values, .by_element = true
    };
    spk_verb v;
    bool made;
    const spk_function function = SPK_FUNCTION(f, f && f->run, f->in, f->out);
    spk_verb_begin(&v, at, "flatMapValues", &function, 1, &rdd, env);
    const spk_layout *out = spk_verb_values(&v, function.in, function.out);
    spark_rdd *parent = rdd;
    rdd = spk_verb_make(&v, &class, sizeof(values_rdd), out, &made);
    if (made) {
        SPK_NODE(values_rdd, rdd)->def = *f;
        spk_rdd_partitioner_set(rdd, parent->partitioner);
    }
    return rdd;
}
