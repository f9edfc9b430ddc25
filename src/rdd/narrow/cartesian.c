/* SPDX-License-Identifier: Apache-2.0 */
/* cartesian: the right partition is drained, the left one streams past it; what goes on is a batch
 * of pairs at a time. */
#include <spark/transform.h>

#include "exec/chain.h"
#include "exec/drained.h"
#include "rdd/verb.h"

typedef struct crossing {
    spk_pipe *pipe;
    const spk_op *op;
    const spk_layout *pair;
    const spk_tape *right;
    char *rows; /* of the batch that is made */
    size_t n, max;
} crossing;

static bool push(crossing *c)
{
    const size_t n = c->n;
    c->n = 0;
    if (!spk_push(c->pipe, c->rows, n))
        return false;
    c->max = spk_pipe_rows(c->pipe, c->pair->size);
    return true;
}

/* cross_numbers: cross, where both have 8 bytes. */
static void cross_numbers(char *to, const char *left, const char *right, size_t n)
{
    uint64_t both[2];
    memcpy(both, left, 8);
    for (const char *const end = right + n * 8; right < end; right += 8, to += sizeof both) {
        memcpy(&both[1], right, 8);
        memcpy(to, both, sizeof both);
    }
}

/* cross: one left row with rows of the right side. */
static bool cross(crossing *c, const char *left, const char *right, size_t n)
{
    const spk_layout *pair = c->pair;
    const size_t left_size = pair->key->size, size = pair->value->size;
    while (n > 0) {
        const size_t some = n < c->max - c->n ? n : c->max - c->n;
        char *to = c->rows + c->n * pair->size;
        if (left_size == 8 && size == 8)
            cross_numbers(to, left, right, some);
        else
            for (size_t i = 0; i < some; i++, to += pair->size) {
                memcpy(to, left, left_size);
                memcpy(to + pair->value_offset, right + i * size, size);
            }
        c->n += some;
        right += some * size;
        n -= some;
        if (c->n == c->max && !push(c))
            return false;
    }
    return true;
}

/* cross_read: one left row with a right side that is on the disk, of which a piece goes before the next but
 * one comes. */
static bool cross_read(crossing *c, const char *left)
{
    spk_tape_reader reader = spk_tape_read(c->right);
    spk_failure failure;
    const char *rows;
    size_t n = 0;
    bool more = true;
    do {
        if (spk_tape_next(&reader, &rows, &n, &failure) != SPARK_OK) {
            c->pipe->task->op = c->op;
            spk_task_fail_with(c->pipe->task, &failure);
            more = false;
        } else if (n > 0) {
            more = cross(c, left, rows, n) && (!reader.block || c->n == 0 || push(c));
        }
    } while (more && n > 0);
    spk_tape_reader_fini(&reader);
    return more;
}

/* cross_all: one left row with the right side. */
static bool cross_all(crossing *c, const char *left)
{
    if (c->right->front.n_rows > 0)
        return cross_read(c, left);
    for (const spk_run *run = c->right->rows.first; run; run = run->next)
        if (!cross(c, left, run->rows, run->n))
            return false;
    return true;
}

static bool take_left(void *state, spk_batch batch)
{
    crossing *c = state;
    for (size_t i = 0; i < batch.n; i++)
        if (!cross_all(c, batch.rows + i * c->pair->key->size))
            return false;
    return c->n == 0 || push(c); /* the left rows go now */
}

static void cartesian_produce(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    spark_task *task = pipe->task;
    spark_rdd *left = rdd->deps[0].rdd, *right = rdd->deps[1].rdd;
    const spk_layout *pair = rdd->layout;
    crossing c = { .pipe = pipe, .op = task->op, .pair = pair, .max = spk_pipe_rows(pipe, pair->size) };
    spk_tape tape;
    const size_t bytes = SPK_BATCH_BYTES + (size_t)pair->size;
    c.rows = spk_arena_alloc(spk_keep_of(task), bytes, 64);
    if (!c.rows) {
        spk_task_nomem(task);
        return;
    }
    memset(c.rows, 0, bytes);
    if (!spk_chain_drain(task, right, partition % spk_rdd_partitions(right), &tape))
        return;
    c.right = &tape;
    if (tape.n > 0)
        spk_chain_run(
            task, left, partition / spk_rdd_partitions(right), (spk_sink) { take_left, &c });
    spk_tape_fini(&tape);
}

static bool cartesian_inner(
    const spark_rdd *rdd, int partition, int i, spark_rdd **parent, int *parent_partition)
{
    const int rights = spk_rdd_partitions(rdd->deps[1].rdd);
    if (i > 1)
        return false;
    *parent = rdd->deps[i].rdd;
    *parent_partition = i > 0 ? partition % rights : partition / rights;
    return true;
}

static spark_status cartesian_prepare(spark_rdd *rdd, spk_failure *failure)
{
    const int64_t n = (int64_t)spk_rdd_partitions(rdd->deps[0].rdd)
        * spk_rdd_partitions(rdd->deps[1].rdd);
    if (n > INT32_MAX)
        return spk_failure_set(failure, SPARK_EINVAL, NULL, NULL,
            "%lld partitions, and at most %d can be", (long long)n, INT32_MAX);
    spk_rdd_partitions_set(rdd, (int)n);
    return SPARK_OK;
}

spark_rdd *spark_cartesian(spark_site at, spark_rdd *a, spark_rdd *b)
{
    static const spk_class class = {
        .name = "CartesianRDD",
        .produce = cartesian_produce,
        .inner = cartesian_inner,
        .prepare = cartesian_prepare
    };
    spark_rdd *parents[] = { a, b };
    spk_verb v;
    bool made;
    spk_verb_begin(&v, at, "cartesian", NULL, 2, parents, NULL);
    const spk_layout *out = v.bad ? NULL : spk_verb_pair(&v, v.in, b->layout);
    spark_rdd *rdd = spk_verb_make(&v, &class, sizeof(spark_rdd), out, &made);
    if (made && a->planned >= 0 && b->planned >= 0 && (int64_t)a->planned * b->planned <= INT32_MAX)
        rdd->planned = a->planned * b->planned;
    return rdd;
}
