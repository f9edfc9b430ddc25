/* SPDX-License-Identifier: Apache-2.0 */
/* Zips: inputs with equal numbers of partitions, read side by side. zip streams its left side past
 * the right one, which is drained; zip_partitions drains all, for its function pulls. */
#include <spark/transform.h>

#include "exec/chain.h"
#include "exec/drained.h"
#include "rdd/verb.h"

typedef struct zip_rdd {
    spark_rdd rdd;
    spark_zip_def def; /* of zip_partitions */
} zip_rdd;

static spark_status zip_prepare(spark_rdd *rdd, spk_failure *failure)
{
    const int n = spk_rdd_partitions(rdd->deps[0].rdd);
    for (uint32_t i = 1; i < rdd->n_deps; i++)
        if (spk_rdd_partitions(rdd->deps[i].rdd) != n)
            return spk_failure_set(failure, SPARK_EINVAL, NULL, NULL,
                "Can't zip RDDs with unequal numbers of partitions: %d and %d", n,
                spk_rdd_partitions(rdd->deps[i].rdd));
    spk_rdd_partitions_set(rdd, n);
    return SPARK_OK;
}

/* ---- zip */

typedef struct zipping {
    spk_pipe *pipe;
    const spk_op *op;
    const spk_layout *pair;
    spk_tape_reader right;
    const char *at; /* of it: the next row, and how many lie side by side */
    size_t left_over;
    spark_task *task;
    char *rows; /* of the batch that is made */
    size_t max;
} zipping;

static void unequal(const zipping *z)
{
    z->task->op = z->op;
    spk_task_fail(
        z->task, SPARK_ETASK, "Can only zip RDDs with same number of elements in each partition");
}

/* more_right: whether the right side has another row. */
static bool more_right(zipping *z)
{
    spk_failure failure;
    if (z->left_over == 0
        && spk_tape_next(&z->right, &z->at, &z->left_over, &failure) != SPARK_OK) {
        z->task->op = z->op;
        spk_task_fail_with(z->task, &failure);
    }
    return z->left_over > 0 && !spk_task_unwanted(z->task);
}

/* pair_up: n rows of the left side with as many of the right one. */
static void pair_up(zipping *z, const char *left, size_t n)
{
    const spk_layout *pair = z->pair;
    const size_t size = pair->value->size;
    char *row = z->rows;
    memset(row, 0, n * pair->size);
    for (size_t i = 0; i < n; i++, row += pair->size) {
        memcpy(row, left + i * pair->key->size, pair->key->size);
        memcpy(row + pair->value_offset, z->at + i * size, size);
    }
    z->at += n * size;
    z->left_over -= n;
}

/* take_left: what is pushed never reaches from one piece of the right side into the next, which may
 * take the place of it. */
static bool take_left(void *state, spk_batch batch)
{
    zipping *z = state;
    for (size_t done = 0, n; done < batch.n; done += n) {
        if (!more_right(z)) {
            if (!spk_task_unwanted(z->task))
                unequal(z);
            return false;
        }
        n = batch.n - done < z->max ? batch.n - done : z->max;
        n = n < z->left_over ? n : z->left_over;
        pair_up(z, batch.rows + done * z->pair->key->size, n);
        if (!spk_push(z->pipe, z->rows, n))
            return false;
    }
    return true;
}

static void produce_zip(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    spark_task *task = pipe->task;
    zipping z = { .pipe = pipe,
        .op = task->op,
        .pair = rdd->layout,
        .task = task,
        .max = spk_task_fit(task, rdd->layout->size) };
    spk_tape tape;
    z.rows = spk_arena_alloc(spk_keep_of(task), z.max * rdd->layout->size, 64);
    if (!z.rows) {
        spk_task_nomem(task);
        return;
    }
    if (!spk_chain_drain(task, rdd->deps[1].rdd, partition, &tape))
        return;
    z.right = spk_tape_read(&tape);
    if (spk_chain_run(task, rdd->deps[0].rdd, partition, (spk_sink) { take_left, &z })
        && !pipe->stopped && more_right(&z))
        unequal(&z);
    spk_tape_reader_fini(&z.right);
    spk_tape_fini(&tape);
}

spark_rdd *spark_zip(spark_site at, spark_rdd *a, spark_rdd *b)
{
    static const spk_class class = {
        .name = "ZippedPartitionsRDD2", .produce = produce_zip, .prepare = zip_prepare
    };
    spark_rdd *parents[] = { a, b };
    spk_verb v;
    bool made;
    spk_verb_begin(&v, at, "zip", NULL, 2, parents, NULL);
    const spk_layout *out = v.bad ? NULL : spk_verb_pair(&v, v.in, b->layout);
    spark_rdd *rdd = spk_verb_make(&v, &class, sizeof(zip_rdd), out, &made);
    if (made)
        rdd->planned = a->planned;
    return rdd;
}

/* ---- zip_partitions */

static void produce_partitions(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    const zip_rdd *z = SPK_NODE(zip_rdd, rdd);
    spark_task *task = pipe->task;
    spk_tape tapes[4];
    spk_tape_reader readers[4];
    spark_iterator in[4], *const pointers[4] = { &in[0], &in[1], &in[2], &in[3] };
    spk_out out;
    uint32_t n = 0;
    spk_arena *arenas = spk_step_arenas(task);
    bool good = arenas != NULL;
    while (good && n < rdd->n_deps) {
        good = spk_chain_drain(task, rdd->deps[n].rdd, partition, &tapes[n]);
        readers[n] = spk_tape_read(&tapes[n]);
        n += good;
    }
    if (good && spk_source_open(&out, pipe, rdd->layout->size, arenas)) {
        for (uint32_t i = 0; i < n; i++)
            in[i] = spk_iterator_tape(task, &readers[i], &out.head);
        z->def.run(task, pointers, &out.head, rdd->env.value);
        spk_source_close(&out);
    }
    while (n-- > 0) {
        spk_tape_reader_fini(&readers[n]);
        spk_tape_fini(&tapes[n]);
    }
}

spark_rdd *spark_zip_partitions_n(spark_site at, size_t n, spark_rdd *const rdds[],
    const spark_zip_def *f, const spark_env *env, const spark_map_partitions_options *options)
{
    static const spk_class classes[] = {
        { .name = "ZippedPartitionsRDD2", .produce = produce_partitions, .prepare = zip_prepare },
        { .name = "ZippedPartitionsRDD3", .produce = produce_partitions, .prepare = zip_prepare },
        { .name = "ZippedPartitionsRDD4", .produce = produce_partitions, .prepare = zip_prepare },
    };
    spark_rdd *none[] = { NULL };
    spk_verb v;
    bool made;
    const spk_function function = SPK_FUNCTION(f, f && f->run, NULL, f->out);
    const size_t parents = n > 0 && rdds ? n : 1;
    spk_verb_begin(&v, at, "zipPartitions", &function, parents, n > 0 && rdds ? rdds : none, env);
    if (!v.bad && (f->n != n || n < 2 || n > 4))
        spk_verb_fail(&v, SPARK_EINVAL, "%zu RDDs for a function of %zu", n, f->n);
    for (size_t i = 0; i < n && !v.bad; i++)
        spk_verb_want(&v, f->in[i], rdds[i]->layout);
    const spk_layout *out = spk_verb_layout(&v, function.out);
    spark_rdd *rdd
        = spk_verb_make(&v, &classes[n >= 2 && n <= 4 ? n - 2 : 0], sizeof(zip_rdd), out, &made);
    if (made) {
        SPK_NODE(zip_rdd, rdd)->def = *f;
        rdd->planned = rdds[0]->planned;
        if (options && options->preserves_partitioning)
            spk_rdd_partitioner_set(rdd, rdds[0]->partitioner);
    }
    return rdd;
}

spark_rdd *spark_zip_partitions(
    spark_site at, spark_rdd *a, spark_rdd *b, const spark_zip_def *f, const spark_env *env)
{
    spark_rdd *both[] = { a, b };
    return spark_zip_partitions_n(at, 2, both, f, env, NULL);
}
