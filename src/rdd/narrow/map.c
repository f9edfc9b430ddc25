/* SPDX-License-Identifier: Apache-2.0 */
/* Steps that work element by element: map and its kin, filter, flat_map. Each runs the function's
 * own loop over the batch; pairs are read and written in place through the step argument. When a
 * function fails, the batch is run again one by one, to find the record. */
#include <spark/transform.h>

#include "rdd/narrow.h"
#include "rdd/verb.h"

typedef struct map_rdd {
    spark_rdd rdd;
    spark_map_def def;
    uint32_t in_offset, out_offset; /* of what the function reads and writes */
    uint32_t copy_from, copy_to,
        copy_size; /* what stays: the key of map_values, the element of key_by */
} map_rdd;

static size_t in_size(const spark_rdd *rdd)
{
    return rdd->deps[0].rdd->layout->size;
}

static void find_record(
    spk_pipe *pipe, const spk_op *op, const map_rdd *m, const char *in, size_t n, char *out)
{
    spark_task *task = pipe->task;
    const spk_failure first = task->failure;
    const size_t step = in_size(&m->rdd), out_step = m->rdd.layout->size;
    for (size_t i = 0; i < n && first.code != SPARK_EDEADLINE; i++) {
        task->failure.code = SPARK_OK;
        m->def.run(task, 1, in + i * step, step, out, out_step, m->rdd.env.value);
        if (spk_task_failed(task)) {
            task->failure = first;
            spk_locate(task, (int64_t)(op->seen + i));
            return;
        }
    }
    task->failure = first;
}

/* call_map: n elements; what stays of a pair is copied. */
static void call_map(
    spk_pipe *pipe, const spk_op *op, const map_rdd *m, const char *in, size_t n, char *out)
{
    const size_t step = in_size(op->rdd), out_step = op->rdd->layout->size;
    memset(out, 0, n * out_step);
    if (m->copy_size)
        for (size_t i = 0; i < n; i++)
            memcpy(out + i * out_step + m->copy_to, in + i * step + m->copy_from, m->copy_size);
    m->def.run(
        pipe->task, n, in + m->in_offset, step, out + m->out_offset, out_step, op->rdd->env.value);
}

static bool pieces_open(spk_pipe *pipe, spk_op *op)
{
    spk_pieces *pieces = spk_arena_alloc(spk_keep_of(pipe->task), sizeof *pieces, 16);
    if (!pieces) {
        spk_task_nomem(pipe->task);
        return false;
    }
    *pieces = (spk_pieces) { .single = pipe->task->at.single || op->bad };
    op->state = pieces;
    return true;
}

static void copy_nothing(spark_task *task, size_t n, const void *in, size_t in_step, void *out,
    size_t out_step, const void *env)
{
    (void)task, (void)n, (void)in, (void)in_step, (void)out, (void)out_step, (void)env;
}

/* map_open: what only copies members allocates nothing. */
static bool map_open(spk_pipe *pipe, spk_op *op)
{
    const map_rdd *m = (const map_rdd *)(const void *)op->rdd;
    if (!pieces_open(pipe, op))
        return false;
    if (m->def.path || m->def.run == copy_nothing)
        *(spk_pieces *)op->state = (spk_pieces) { .next = SIZE_MAX };
    return true;
}

/* push_some: rows that are done pass on. */
static bool push_some(spk_pipe *pipe, const spk_op *op, char *rows, size_t n)
{
    const spk_batch some = { rows, n };
    if (pipe->task->check.on && !spk_check_views(pipe, op, op->rdd->layout, some, "returned"))
        return false;
    return spk_pipe_push(pipe, (size_t)(op - pipe->ops) + 1, some);
}

/* map_pieces: a batch is worked off in pieces; once the function has taken a batch's bytes, that
 * memory is taken back, after what points to it, if anything can, has passed on. */
static void map_pieces(spk_pipe *pipe, spk_op *op, const map_rdd *m, spk_batch in, spk_batch *batch)
{
    spark_task *task = pipe->task;
    spk_pieces *pieces = op->state;
    const bool views = op->rdd->layout->views;
    const size_t step = in_size(op->rdd), out_step = op->rdd->layout->size;
    const spk_arena_mark mark = spk_arena_note(task->scratch);
    size_t from = 0, made = 0; /* rows: the first that has not passed on; all, but for bad ones */
    char *out = batch->rows;
    for (size_t done = 0, n; done < in.n; done += n) {
        const size_t before = task->scratch->bytes;
        n = spk_piece(pieces, in.n - done);
        spk_task_at(task, op, op->seen + done, in.rows + done * step);
        call_map(pipe, op, m, in.rows + done * step, n, out + made * out_step);
        if (spk_task_failed(task)) {
            op->seen += done; /* the attempt is over; this tells where */
            find_record(pipe, op, m, in.rows + done * step + m->in_offset, n,
                out + made * out_step + m->out_offset);
            return;
        }
        made += task->at.is_bad ? 0 : n;
        spk_piece_done(pieces, n, task->scratch->bytes - before, views ? 2 * SPK_FEW : SIZE_MAX);
        if (task->scratch->bytes - mark.bytes < SPK_BATCH_BYTES
            || (views && (done + n == in.n || !spk_pipe_may_push(pipe))))
            continue;
        if (views) {
            if (made > from && !push_some(pipe, op, out + from * out_step, made - from))
                return;
            from = made;
        }
        spk_arena_rewind(task->scratch, mark);
    }
    *batch = (spk_batch) { out + from * out_step, made - from };
}

static void run_map(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const map_rdd *m = SPK_NODE(map_rdd, op->rdd);
    const spk_batch in = *batch;
    char *out = spk_pipe_alloc(pipe, in.n * op->rdd->layout->size + 1);
    *batch = (spk_batch) { out, 0 };
    if (out)
        map_pieces(pipe, op, m, in, batch);
}

static const spk_class map_class = { .name = "MapPartitionsRDD",
    .open = map_open,
    .run = run_map,
    .one_to_one = true,
    .by_element = true };

static spark_rdd *new_map(
    spk_verb *v, const spark_map_def *f, const spk_layout *out, map_rdd **node)
{
    bool made;
    spark_rdd *rdd = spk_verb_make(v, &map_class, sizeof(map_rdd), out, &made);
    *node = made ? SPK_NODE(map_rdd, rdd) : NULL;
    if (made)
        (*node)->def = *f;
    return rdd;
}

spark_rdd *spark_map(spark_site at, spark_rdd *rdd, const spark_map_def *f, const spark_env *env)
{
    spk_verb v;
    map_rdd *node;
    const spk_function function = SPK_FUNCTION(f, f && f->run, f->in, f->out);
    spk_verb_begin(&v, at, "map", &function, 1, &rdd, env);
    spk_verb_want(&v, function.in, v.in);
    return new_map(&v, f, spk_verb_layout(&v, function.out), &node);
}

spark_rdd *spk_key_by(const char *operation, spark_site at, spark_rdd *rdd, const spark_map_def *f,
    const spark_env *env)
{
    spk_verb v;
    map_rdd *node;
    const spk_function function = SPK_FUNCTION(f, f && f->run, f->in, f->out);
    spk_verb_begin(&v, at, operation, &function, 1, &rdd, env);
    spk_verb_want(&v, function.in, v.in);
    const spk_layout *key = spk_verb_layout(&v, function.out);
    const spk_layout *out = spk_verb_pair(&v, key, v.in);
    rdd = new_map(&v, f, out, &node);
    if (node) {
        node->copy_to = out->value_offset;
        node->copy_size = v.in->size;
    }
    return rdd;
}

spark_rdd *spark_key_by(spark_site at, spark_rdd *rdd, const spark_map_def *f, const spark_env *env)
{
    return spk_key_by("keyBy", at, rdd, f, env);
}

spark_rdd *spark_map_values(
    spark_site at, spark_rdd *rdd, const spark_map_def *f, const spark_env *env)
{
    spk_verb v;
    map_rdd *node;
    const spk_function function = SPK_FUNCTION(f, f && f->run, f->in, f->out);
    spk_verb_begin(&v, at, "mapValues", &function, 1, &rdd, env);
    const spk_layout *out = spk_verb_values(&v, function.in, function.out);
    spark_rdd *parent = rdd;
    rdd = new_map(&v, f, out, &node);
    if (node) {
        node->in_offset = v.in->value_offset;
        node->out_offset = out->value_offset;
        node->copy_size = v.in->key->size;
        spk_rdd_partitioner_set(rdd, parent->partitioner);
    }
    return rdd;
}

static spark_rdd *side(spark_site at, spark_rdd *rdd, const char *operation, bool key)
{
    static const spark_map_def copy = { NULL, NULL, NULL, 0, copy_nothing, NULL };
    spk_verb v;
    map_rdd *node;
    spk_verb_begin(&v, at, operation, NULL, 1, &rdd, NULL);
    spk_verb_pairs(&v, v.in);
    const spk_layout *out = v.bad ? NULL : key ? v.in->key : v.in->value;
    rdd = new_map(&v, &copy, out, &node);
    if (node) {
        node->copy_from = key ? 0 : v.in->value_offset;
        node->copy_size = out->size;
    }
    return rdd;
}

spark_rdd *spark_keys(spark_site at, spark_rdd *rdd)
{
    return side(at, rdd, "keys", true);
}

spark_rdd *spark_values(spark_site at, spark_rdd *rdd)
{
    return side(at, rdd, "values", false);
}

/* ---- as */

static void run_as(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    (void)pipe, (void)op, (void)batch;
}

spark_rdd *spark_as(spark_site at, spark_rdd *rdd, const spark_type *type)
{
    static const spk_class class = { .name = "MapPartitionsRDD", .run = run_as };
    spk_verb v;
    bool made;
    spk_verb_begin(&v, at, "as", NULL, 1, &rdd, NULL);
    const spk_layout *out = spk_verb_layout(&v, type);
    if (out) {
        spark_type nameless = *type; /* names may differ, that is the point */
        nameless.name = NULL;
        spk_verb_want(&v, &nameless, v.in);
    }
    spark_rdd *parent = rdd;
    rdd = spk_verb_make(&v, &class, sizeof(spark_rdd), out, &made);
    if (made)
        spk_rdd_partitioner_set(rdd, parent->partitioner);
    return rdd;
}

/* ---- filter */

typedef struct filter_rdd {
    spark_rdd rdd;
    spark_filter_def def;
} filter_rdd;

static void find_filter_record(
    spk_pipe *pipe, const spk_op *op, const filter_rdd *f, const spk_batch *batch)
{
    spark_task *task = pipe->task;
    const spk_failure first = task->failure;
    const size_t size = op->rdd->layout->size;
    size_t i = 0;
    do {
        task->failure.code = SPARK_OK;
        f->def.run(task, 1, batch->rows + i * size, size, task->push.indexes, op->rdd->env.value);
    } while (!spk_task_failed(task) && ++i < batch->n);
    task->failure = first;
    if (i < batch->n)
        spk_locate(task, (int64_t)(op->seen + i));
}

static void gather(char *out, const char *in, size_t size, const uint32_t *keep, size_t n)
{
    if (size == 8) {
        size_t k = 0;
        for (; k + 4 <= n; k += 4, out += 32) {
            memcpy(out, in + keep[k] * (size_t)8, 8);
            memcpy(out + 8, in + keep[k + 1] * (size_t)8, 8);
            memcpy(out + 16, in + keep[k + 2] * (size_t)8, 8);
            memcpy(out + 24, in + keep[k + 3] * (size_t)8, 8);
        }
        for (; k < n; k++, out += 8)
            memcpy(out, in + keep[k] * (size_t)8, 8);
    } else if (size == 16) {
        for (size_t i = 0; i < n; i++)
            memcpy(out + i * 16, in + keep[i] * (size_t)16, 16);
    } else {
        for (size_t i = 0; i < n; i++)
            memcpy(out + i * size, in + keep[i] * size, size);
    }
}

/* run_some: up to batch_rows elements, for as many indexes there is room. */
static size_t run_some(spk_pipe *pipe, const spk_op *op, const char *rows, size_t n, char *out)
{
    const filter_rdd *f = SPK_NODE(filter_rdd, op->rdd);
    const size_t size = op->rdd->layout->size;
    uint32_t *keep = pipe->task->push.indexes;
    const size_t kept = f->def.run(pipe->task, n, rows, size, keep, op->rdd->env.value);
    gather(out, rows, size, keep, kept);
    return kept;
}

static void run_filter(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    spark_task *task = pipe->task;
    const size_t size = op->rdd->layout->size;
    char *out = spk_pipe_alloc(pipe, batch->n * size + 1);
    spk_pieces *pieces = op->state;
    const spk_arena_mark mark = spk_arena_note(task->scratch);
    size_t kept = 0;
    for (size_t i = 0, n; out && i < batch->n && !spk_task_failed(task); i += n) {
        const size_t before = task->scratch->bytes;
        n = spk_piece(pieces, batch->n - i);
        spk_task_at(task, op, op->seen + i, batch->rows + i * size);
        const size_t some = run_some(pipe, op, batch->rows + i * size, n, out + kept * size);
        kept += task->at.is_bad ? 0 : some;
        spk_piece_done(pieces, n, task->scratch->bytes - before, spk_task_batch(task));
        if (task->scratch->bytes - mark.bytes > SPK_BATCH_BYTES)
            spk_arena_rewind(task->scratch, mark);
    }
    if (spk_task_failed(task)) {
        if (out && task->failure.code != SPARK_EDEADLINE)
            find_filter_record(pipe, op, SPK_NODE(filter_rdd, op->rdd), batch);
        kept = 0;
    }
    *batch = (spk_batch) { out, kept };
}

spark_rdd *spark_filter(
    spark_site at, spark_rdd *rdd, const spark_filter_def *f, const spark_env *env)
{
    static const spk_class class
        = { .name = "MapPartitionsRDD", .open = pieces_open, .run = run_filter, .by_element = true };
    spk_verb v;
    bool made;
    const spk_function function = SPK_FUNCTION(f, f && f->run, f->in, NULL);
    spk_verb_begin(&v, at, "filter", &function, 1, &rdd, env);
    spk_verb_want(&v, function.in, v.in);
    spark_rdd *parent = rdd;
    rdd = spk_verb_make(&v, &class, sizeof(filter_rdd), v.in, &made);
    if (made) {
        SPK_NODE(filter_rdd, rdd)->def = *f;
        spk_rdd_partitioner_set(rdd, parent->partitioner);
    }
    return rdd;
}

/* ---- flat_map */

typedef struct flat_map_rdd {
    spark_rdd rdd;
    spark_flat_map_def def;
} flat_map_rdd;

static bool open_flat_map(spk_pipe *pipe, spk_op *op)
{
    op->state = spk_step_arenas(pipe->task);
    return op->state != NULL;
}

static void run_flat_map(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const flat_map_rdd *f = SPK_NODE(flat_map_rdd, op->rdd);
    spark_task *task = pipe->task;
    spk_out out;
    const spk_batch in = *batch;
    batch->n = 0;
    if (!spk_out_open(&out, pipe, (size_t)(op - pipe->ops) + 1, op->rdd->layout->size, op->state))
        return;
    const size_t piece = task->at.single || op->bad ? 1 : in.n, step = in_size(op->rdd);
    for (size_t i = 0; i < in.n && spk_element_begin(&out, op); i += piece) {
        spk_task_at(task, op, op->seen + i, in.rows + i * step);
        f->def.run(task, piece, in.rows + i * step, step, &out.head, op->rdd->env.value);
        spk_element_end(&out);
    }
    if (spk_task_failed(task) && task->op == op && out.head.rows > 0)
        spk_locate(task, (int64_t)(op->seen + out.head.rows - 1));
    spk_out_close(&out, batch);
}

static spark_rdd *flat_map(const char *operation, spark_site at, spark_rdd *rdd,
    const spark_flat_map_def *f, const spark_env *env)
{
    static const spk_class class = {
        .name = "MapPartitionsRDD", .open = open_flat_map, .run = run_flat_map, .by_element = true
    };
    spk_verb v;
    bool made;
    const spk_function function = SPK_FUNCTION(f, f && f->run, f->in, f->out);
    spk_verb_begin(&v, at, operation, &function, 1, &rdd, env);
    spk_verb_want(&v, function.in, v.in);
    const spk_layout *out = spk_verb_layout(&v, function.out);
    rdd = spk_verb_make(&v, &class, sizeof(flat_map_rdd), out, &made);
    if (made)
        SPK_NODE(flat_map_rdd, rdd)->def = *f;
    return rdd;
}

spark_rdd *spark_flat_map(
    spark_site at, spark_rdd *rdd, const spark_flat_map_def *f, const spark_env *env)
{
    return flat_map("flatMap", at, rdd, f, env);
}

spark_rdd *spark_filter_map(
    spark_site at, spark_rdd *rdd, const spark_flat_map_def *f, const spark_env *env)
{
    return flat_map("collect", at, rdd, f, env);
}
