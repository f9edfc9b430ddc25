/* SPDX-License-Identifier: Apache-2.0 */
/* Unions. The plain one only renumbers partitions, so it adds nothing to a task, however deep
 * unions nest; where all inputs are placed alike, partition i is the concatenation of theirs. */
#include <stdlib.h>

#include <spark/transform.h>

#include "rdd/verb.h"

/* flat: the inputs of a union and of the unions among them, with the first partition of each: so a
 * task finds its input by one search, however many unions a loop has put on each other. Made when
 * a task first asks, so that the unions in between make none; persisted unions are inputs, and
 * when what is persisted changes (epoch) it is made anew. */
typedef struct flat_input {
    int first;
    spark_rdd *rdd;
} flat_input;

typedef struct flat {
    struct flat *older;
    unsigned epoch;
    size_t n, max;
    flat_input *at;
} flat;

typedef struct union_rdd {
    spark_rdd rdd;
    _Atomic(flat *) flat;
} union_rdd;

static void free_flat(flat *f)
{
    while (f) {
        flat *older = f->older;
        free(f->at);
        free(f);
        f = older;
    }
}

static void union_release(spark_rdd *rdd)
{
    free_flat(atomic_load(&SPK_NODE(union_rdd, rdd)->flat));
}

SPK_COLD static spark_rdd *choose(spark_rdd *rdd, int partition, int *parent_partition);

SPK_COLD static bool add_input(flat *f, int first, spark_rdd *rdd)
{
    if (f->n == f->max) {
        const size_t max = f->max ? f->max * 2 : 16;
        flat_input *at = realloc(f->at, max * sizeof *at);
        if (!at)
            return false;
        f->at = at;
        f->max = max;
    }
    f->at[f->n++] = (flat_input) { first, rdd };
    return true;
}

/* flatten: the inputs in order. Those still to be looked at stand, last one first, behind those
 * found. */
static bool flatten(flat *f, spark_rdd *rdd)
{
    flat todo = { 0 };
    int first = 0;
    bool good = add_input(&todo, 0, rdd);
    while (good && todo.n > 0) {
        spark_rdd *node = todo.at[--todo.n].rdd;
        const bool inner = node->class->choose == choose
            && (node == rdd || !(atomic_load(&node->level) || spk_rdd_stored(node)));
        for (uint32_t i = inner ? node->n_deps : 0; i-- > 0 && good;)
            good = add_input(&todo, 0, node->deps[i].rdd);
        if (inner)
            continue;
        good = good && add_input(f, first, node);
        first += spk_rdd_partitions(node);
    }
    free(todo.at);
    return good;
}

/* flat_of: made if need be; NULL: no memory. */
static flat *flat_of(spark_rdd *rdd)
{
    union_rdd *u = SPK_NODE(union_rdd, rdd);
    flat *now = atomic_load(&u->flat);
    const unsigned epoch = atomic_load(&rdd->sc->persist_epoch);
    if (now && now->epoch == epoch)
        return now;
    flat *f = calloc(1, sizeof *f);
    if (!f || !flatten(f, rdd)) {
        if (f)
            free_flat(f);
        return NULL;
    }
    f->epoch = epoch;
    f->older = now;
    if (!atomic_compare_exchange_strong(&u->flat, &now, f)) {
        f->older = NULL;
        free_flat(f);
        return atomic_load(&u->flat);
    }
    return f;
}

static spark_rdd *choose(spark_rdd *rdd, int partition, int *parent_partition)
{
    const flat *f = flat_of(rdd);
    uint32_t i = 0;
    if (f) {
        size_t low = 0, high = f->n;
        while (high - low > 1) {
            const size_t middle = low + (high - low) / 2;
            if (f->at[middle].first <= partition)
                low = middle;
            else
                high = middle;
        }
        *parent_partition = partition - f->at[low].first;
        return f->at[low].rdd;
    }
    while (partition >= spk_rdd_partitions(rdd->deps[i].rdd))
        partition -= spk_rdd_partitions(rdd->deps[i++].rdd);
    *parent_partition = partition;
    return rdd->deps[i].rdd;
}

static spark_status union_prepare(spark_rdd *rdd, spk_failure *failure)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < rdd->n_deps; i++)
        sum += spk_rdd_partitions(rdd->deps[i].rdd);
    if (sum > INT32_MAX)
        return spk_failure_set(
            failure, SPARK_EINVAL, NULL, NULL, "more than %d partitions", INT32_MAX);
    spk_rdd_partitions_set(rdd, (int)sum);
    return SPARK_OK;
}

static bool pass(void *state, spk_batch batch)
{
    spk_pipe *pipe = state;
    return spk_push(pipe, batch.rows, batch.n);
}

static void union_produce(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    for (uint32_t i = 0; i < rdd->n_deps && !pipe->stopped; i++)
        if (!spk_chain_run(pipe->task, rdd->deps[i].rdd, partition, (spk_sink) { pass, pipe }))
            return;
}

static spark_status prepare_aware(spark_rdd *rdd, spk_failure *failure)
{
    (void)failure;
    spk_rdd_partitions_set(rdd, rdd->partitioner->partitions);
    return SPARK_OK;
}

/* common: the partitioner all parents have, or NULL. */
static const spark_partitioner *common(spk_verb *v)
{
    const spark_partitioner *first = v->n > 0 ? spk_verb_placed(v, 0) : NULL;
    for (size_t i = 1; i < v->n && first; i++) {
        const spark_partitioner *other = spk_verb_placed(v, i);
        if (!other || !spark_partitioner_equal(first, other))
            first = NULL;
    }
    return first;
}

static int planned(size_t n, spark_rdd *const *rdds)
{
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (rdds[i]->planned < 0)
            return -1;
        sum += rdds[i]->planned;
    }
    return sum > INT32_MAX ? -1 : (int)sum;
}

SPK_COLD spark_rdd *spark_union_all(spark_site at, spark_context *sc, size_t n, spark_rdd *const rdds[])
{
    static const spk_class plain = {
        .name = "UnionRDD", .choose = choose, .prepare = union_prepare, .release = union_release
    };
    static const spk_class aware = {
        .name = "PartitionerAwareUnionRDD", .produce = union_produce, .prepare = prepare_aware
    };
    spk_verb v;
    bool made;
    size_t kept = 0;
    spark_rdd **parents = malloc((n + 1) * sizeof *parents);
    if (n == 0 || !rdds) {
        spk_verb_source(&v, at, "union", sc);
        spk_verb_fail(&v, SPARK_EINVAL, "no RDD is given");
        free(parents);
        return spk_verb_make(&v, &plain, sizeof(spark_rdd), NULL, &made);
    }
    spk_verb_begin(&v, at, "union", NULL, n, rdds, NULL);
    if (!parents)
        spk_verb_fail(&v, SPARK_ENOMEM, "out of memory");
    for (size_t i = 0; i < n && !v.bad; i++) {
        spk_verb_want(&v, v.in->type, rdds[i]->layout);
        if (rdds[i]->planned != 0)
            parents[kept++] = rdds[i];
    }
    if (kept == 0 && !v.bad)
        parents[kept++] = rdds[0];
    v.n = kept;
    v.parents = parents;
    const spark_partitioner *same = v.bad ? NULL : common(&v);
    spark_rdd *rdd = spk_verb_make(&v, same ? &aware : &plain, sizeof(union_rdd), v.in, &made);
    if (made) {
        spk_rdd_partitioner_set(rdd, same);
        rdd->planned = same ? same->partitions : planned(kept, parents);
    }
    free(parents);
    return rdd;
}

spark_rdd *spark_union(spark_site at, spark_rdd *a, spark_rdd *b)
{
    spark_rdd *both[] = { a, b };
    return spark_union_all(at, NULL, 2, both);
}
