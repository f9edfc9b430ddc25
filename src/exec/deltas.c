/* SPDX-License-Identifier: Apache-2.0 */
/* What an attempt adds to accumulators, until what it computes is published.
 *
 * Two steps of one chain run in turn, a batch each: were their updates put together as they come, a
 * float sum or a collection would show where batches end. So each role of each node has a delta of
 * its own, in which the updates stand in the order of its elements, and deltas are merged in the order
 * of the nodes: (job, stage, partition, step). A table finds the delta; the last one is tried first. */
#include <assert.h>
#include <stdlib.h>

#include "base/hash.h"
#include "exec/accumulator.h"
#include "plan/listening.h"

static spark_accumulator *writable(const spark_accumulator *accumulator)
{
    spark_accumulator *p;
    memcpy(&p, &accumulator, sizeof p);
    return p;
}

/* ---- tallies */

bool spk_task_tally(spark_task *task, spark_rdd *rdd, int partition, uint32_t *tally)
{
    if (task->sums.n_tallies == task->sums.max_tallies) {
        const size_t most = task->sums.max_tallies ? task->sums.max_tallies * 2 : 8;
        spk_tally *tallies = realloc(task->sums.tallies, most * sizeof *tallies);
        if (!tallies) {
            spk_task_nomem(task);
            return false;
        }
        task->sums.tallies = tallies;
        task->sums.max_tallies = most;
    }
    task->sums.tallies[task->sums.n_tallies++] = (spk_tally) { rdd, partition, -1 };
    *tally = (uint32_t)task->sums.n_tallies;
    return true;
}

void spk_task_untally(spark_task *task, uint32_t tally)
{
    task->sums.n_tallies = tally - 1;
}

void spk_task_whole(spark_task *task, const spk_pipe *pipe)
{
    for (size_t i = pipe->first_delta; task->sums.n_once > 0 && i < task->sums.n_deltas; i++)
        if (task->sums.deltas[i].run == pipe->run)
            task->sums.deltas[i].whole = true;
}

/* ---- partitions that count once */

/* find_once: the marks of the node for the accumulator; the list only grows. */
static spk_once *find_once(const spark_rdd *rdd, const spark_accumulator *a)
{
    spk_once *once = atomic_load_explicit(&rdd->once, memory_order_acquire);
    while (once && once->accumulator != a)
        once = once->next;
    return once;
}

/* make_once: so that merging, which comes after publishing, cannot fail. */
static bool make_once(spark_rdd *rdd, spark_accumulator *a)
{
    if (find_once(rdd, a))
        return true;
    const size_t n = (size_t)spk_rdd_partitions(rdd);
    spk_once *once = calloc(1, sizeof *once + n);
    if (!once)
        return false;
    pthread_mutex_lock(&a->lock);
    const bool there = find_once(rdd, a) != NULL;
    once->accumulator = a;
    once->next = atomic_load_explicit(&rdd->once, memory_order_acquire);
    while (!there && !atomic_compare_exchange_weak(&rdd->once, &once->next, once))
        ;
    pthread_mutex_unlock(&a->lock);
    if (there)
        free(once);
    return true;
}

/* take_once: whether it is the first time. */
static bool take_once(spark_accumulator *a, const spk_delta *delta)
{
    spk_once *once = find_once(delta->rdd, a);
    assert(once && delta->partition < spk_rdd_partitions(delta->rdd));
    pthread_mutex_lock(&a->lock);
    if (once->id != a->id) {
        memset(once->counted, 0, (size_t)spk_rdd_partitions(delta->rdd));
        once->id = a->id;
    }
    const bool first = !once->counted[delta->partition];
    once->counted[delta->partition] = 1;
    pthread_mutex_unlock(&a->lock);
    return first;
}

/* ---- the delta of a function */

static uint64_t hash_of(const spk_delta *key)
{
    const uint64_t who = (uint64_t)(uintptr_t)key->accumulator ^ (uint64_t)key->role << 60;
    const uint64_t what = (uint64_t)key->tally << 32 ^ key->run;
    return spk_hash_u64(spk_hash_u64(who) ^ (uint64_t)(uintptr_t)key->rdd ^ spk_hash_u64(what));
}

static uint32_t *bucket_of(spark_task *task, const spk_delta *key)
{
    return &task->sums.heads[hash_of(key) & (task->sums.max_deltas - 1)];
}

static bool same(const spk_delta *a, const spk_delta *b)
{
    return a->accumulator == b->accumulator && a->rdd == b->rdd && a->role == b->role
        && a->tally == b->tally && a->run == b->run;
}

/* enlist: newest first, so that the last deltas can be taken away again. */
static void enlist(spark_task *task, size_t i)
{
    uint32_t *head = bucket_of(task, &task->sums.deltas[i]);
    task->sums.deltas[i].next = *head;
    *head = (uint32_t)i + 1;
}

static bool grow(spark_task *task)
{
    const size_t most = task->sums.max_deltas ? task->sums.max_deltas * 2 : 8;
    spk_delta *deltas = realloc(task->sums.deltas, most * sizeof *deltas);
    if (deltas)
        task->sums.deltas = deltas;
    uint32_t *heads = deltas ? calloc(most, sizeof *heads) : NULL;
    if (!heads)
        return false;
    free(task->sums.heads);
    task->sums.heads = heads;
    task->sums.max_deltas = most;
    for (size_t i = 0; i < task->sums.n_deltas; i++)
        enlist(task, i);
    return true;
}

static spk_delta *make_delta(spark_task *task, const spk_delta *key)
{
    spark_accumulator *a = writable(key->accumulator);
    if ((task->sums.n_deltas == task->sums.max_deltas && !grow(task)) || (key->run && !make_once(key->rdd, a))
        || !spk_accumulator_reserve(a)) {
        spk_task_nomem(task);
        return NULL;
    }
    task->sums.deltas[task->sums.n_deltas] = *key;
    enlist(task, task->sums.n_deltas);
    task->sums.n_once += key->run > 0;
    task->sums.last = task->sums.n_deltas++;
    return &task->sums.deltas[task->sums.last];
}

/* delta_of: of the function that runs. NULL: the task has failed. */
static spk_delta *delta_of(spark_task *task, const spark_accumulator *a)
{
    const spk_op *op = task->op;
    const spk_pipe *pipe = task->push.pipe;
    spk_delta key = { .accumulator = a,
        .rdd = op ? op->rdd : NULL,
        .tally = pipe ? pipe->tally : 0,
        .role = task->sums.role };
    if (a->once && op && pipe) {
        key.run = pipe->run;
        key.partition = op->partition;
    }
    if (task->sums.last < task->sums.n_deltas && same(&task->sums.deltas[task->sums.last], &key))
        return &task->sums.deltas[task->sums.last];
    for (uint32_t i = task->sums.max_deltas ? *bucket_of(task, &key) : 0; i > 0;
         i = task->sums.deltas[i - 1].next)
        if (same(&task->sums.deltas[i - 1], &key)) {
            task->sums.last = i - 1;
            return &task->sums.deltas[i - 1];
        }
    return make_delta(task, &key);
}

/* ---- adding */

static void add(spark_task *task, const spark_accumulator *a, int64_t i64, double f64)
{
    spk_delta *delta = delta_of(task, a);
    if (!delta)
        return;
    delta->n++;
    delta->i64 = (int64_t)((uint64_t)delta->i64 + (uint64_t)i64);
    delta->f64 += f64;
}

/* gather: one value for an accumulator of values. False: no memory. */
static bool gather(spark_task *task, const spark_accumulator *a, spk_gathered *g, const void *value)
{
    if (a->kind == SPK_COLLECTION)
        return spk_rows_append(&g->rows, value, 1);
    void *acc = g->acc;
    a->add.run(task, 1, &acc, value, a->in ? a->in->size : 0, NULL);
    return spk_gathered_own(g, a->layout);
}

static void add_value(
    spark_task *task, const spark_accumulator *a, const spark_type *type, const void *value)
{
    char text[400];
    if (spk_task_failed(task))
        return;
    if (a->kind != SPK_COLLECTION && a->kind != SPK_OF_USER) {
        spk_task_fail(task, SPARK_ETYPE, "accumulator \"%s\" is a sum", a->name);
        return;
    }
    if (a->in && type != a->in->type
        && spk_type_differ(a->in->type, type, text, sizeof text) != SPARK_OK) {
        spk_task_fail(task, SPARK_ETYPE, "accumulator \"%s\": %s", a->name, text);
        return;
    }
    spk_delta *delta = delta_of(task, a);
    if (!delta)
        return;
    delta->n++;
    if (!delta->gathered)
        delta->gathered = spk_gathered_new(a);
    if (!delta->gathered || !gather(task, a, delta->gathered, value)) /* add may make deltas */
        spk_task_nomem(task);
}

/* ---- the end */

static bool counts(spark_task *task, const spk_delta *delta, bool own)
{
    if (delta->run)
        return delta->whole && take_once(writable(delta->accumulator), delta);
    if (delta->tally == 0)
        return own;
    spk_tally *t = &task->sums.tallies[delta->tally - 1];
    if (t->counts < 0)
        t->counts = spk_blocks_count_once(t->rdd->blocks, t->partition, spk_rdd_partitions(t->rdd));
    return t->counts;
}

/* place_of: whatever computes a partition that counts once, its updates have the place of that. */
static spk_part_sum place_of(const spark_task *task, const spk_delta *delta)
{
    const spk_tally *tally = delta->tally ? &task->sums.tallies[delta->tally - 1] : NULL;
    spk_part_sum part
        = { .job = task->job, .stage = task->stage, .partition = task->partition };
    if (delta->run) {
        part.stage = -1 - delta->rdd->id;
        part.partition = delta->partition;
    } else if (tally) {
        part.stage = -1 - tally->rdd->id;
        part.partition = tally->partition;
    }
    part.step = delta->rdd ? delta->rdd->ancestors : UINT32_MAX;
    part.role = delta->role;
    part.sum = delta->f64;
    part.gathered = delta->gathered;
    return part;
}

/* forget: the deltas from there on, which have been merged or dropped. */
static void forget(spark_task *task, size_t from)
{
    while (task->sums.n_deltas > from) {
        const spk_delta *delta = &task->sums.deltas[--task->sums.n_deltas];
        *bucket_of(task, delta) = delta->next;
        task->sums.n_once -= delta->run > 0;
    }
}

void spk_task_merge_deltas(spark_task *task, size_t from, bool own)
{
    for (size_t i = from; i < task->sums.n_deltas; i++) {
        const spk_delta *delta = &task->sums.deltas[i];
        spark_accumulator *a = writable(delta->accumulator);
        if (!counts(task, delta, own)) {
            spk_gathered_free(delta->gathered);
            spk_accumulator_unreserve(a);
            continue;
        }
        const spk_listening *heard = a->name ? spk_heard_by(a->sc) : NULL;
        if (heard)
            heard->accumulated(task, a, delta->i64, delta->f64);
        const spk_part_sum part = place_of(task, delta);
        atomic_fetch_add_explicit(&a->n, delta->n, memory_order_relaxed);
        if (a->kind == SPK_SUM_I64)
            atomic_fetch_add_explicit(&a->i64, delta->i64, memory_order_relaxed);
        else
            spk_accumulator_add_part(a, &part);
    }
    forget(task, from);
}

void spk_task_drop_deltas(spark_task *task, size_t from)
{
    for (size_t i = from; i < task->sums.n_deltas; i++) {
        spk_gathered_free(task->sums.deltas[i].gathered);
        spk_accumulator_unreserve(writable(task->sums.deltas[i].accumulator));
    }
    forget(task, from);
}

/* ---- what functions call */

/* on_driver: an addition without a task: a task of its own, which counts at once, before all others.
 */
static void on_driver(
    const spark_accumulator *a, int64_t i64, double f64, const spark_type *type, const void *value)
{
    spk_failure failure;
    spark_task *task = spk_task_new(a->sc);
    if (!task) {
        spk_failure_nomem(&failure, "accumulator", NULL);
        spk_raise(&failure);
        return;
    }
    spk_task_begin(task, SPK_DRIVER_JOB, -1, -1, 0);
    spk_task_end_is(task, "accumulator", a->name, NULL);
    if (value)
        add_value(task, a, type, value);
    else
        add(task, a, i64, f64);
    if (spk_task_failed(task)) {
        spk_task_drop_deltas(task, 0);
        spk_raise(&task->failure);
    } else {
        spk_task_merge_deltas(task, 0, true);
    }
    spk_task_end(task);
    spk_task_free(task);
}

void spark_accumulate(spark_task *task, const spark_accumulator *a, int64_t by)
{
    if (a && task)
        add(task, a, by, (double)by);
    else if (a)
        on_driver(a, by, (double)by, NULL, NULL);
}

void spark_accumulate_f64(spark_task *task, const spark_accumulator *a, double by)
{
    if (a && task)
        add(task, a, (int64_t)by, by);
    else if (a)
        on_driver(a, (int64_t)by, by, NULL, NULL);
}

void spark_accumulate_value(
    spark_task *task, const spark_accumulator *a, const spark_type *type, const void *value)
{
    if (a && task && value)
        add_value(task, a, type, value);
    else if (a && value)
        on_driver(a, 0, 0, type, value);
}
