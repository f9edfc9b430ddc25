/* SPDX-License-Identifier: Apache-2.0 */
/* Wide operations on one RDD of pairs: all are one shuffle whose rows are combined, grouped or
 * passed on by the task that reads them. Where the input is placed as wanted, the dependency is
 * narrow and the task writes the partition for itself; everything after that is the same. */
#include "rdd/rdd.h"

#include <stdlib.h>

#include <spark/keyed.h>
#include <spark/transform.h>

#include "plan/partitioner.h"
#include "shuffle/merge.h"
#include "shuffle/reduce.h"

typedef enum what { COMBINE, GROUP, PASS } what;

typedef struct keyed_rdd {
    spark_rdd rdd;
    what what;
    spk_aggregator aggregator;
    spark_partitioner *target; /* where rows go; also the node's, unless it is dropped */
    spk_shuffle *own;          /* how a narrow dependency is written; else NULL */
    char *zero;
    size_t zero_capacity;
} keyed_rdd;

static void produce(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    keyed_rdd *k = (keyed_rdd *)(void *)rdd;
    spk_input input;
    if (!spk_input_open(&input, pipe->task, &rdd->deps[0], k->own, partition))
        return;
    if (k->what == COMBINE)
        spk_reduce_combine(pipe, &input, &k->aggregator);
    else if (k->what == GROUP)
        spk_reduce_group(pipe, &input, rdd->layout);
    else
        spk_reduce_pass(pipe, &input);
    spk_input_close(&input);
}

static spark_status prepare(spark_rdd *rdd, spk_failure *failure)
{
    (void)failure;
    const keyed_rdd *k = (const keyed_rdd *)(const void *)rdd;
    __atomic_store_n(&rdd->partitions, k->target->partitions, __ATOMIC_RELEASE);
    return SPARK_OK;
}

static void release(spark_rdd *rdd)
{
    keyed_rdd *k = (keyed_rdd *)(void *)rdd;
    spk_shuffle_free(k->own);
    spk_partitioner_unref(k->target);
    if (k->zero)
        spk_heap_free(&rdd->sc->heap, k->zero, k->zero_capacity);
}

static const spk_class shuffled
    = { .name = "ShuffledRDD", .produce = produce, .prepare = prepare, .release = release };
/* Where there is no shuffle, Spark's class is another. */
static const spk_class local
    = { .name = "MapPartitionsRDD", .produce = produce, .prepare = prepare, .release = release };

/* request: what a keyed verb is about, before the node exists. */
typedef struct request {
    what what;
    const spk_layout *key, *out;
    const spk_aggregator *aggregator; /* complete but for the functions' environments */
    const spark_keyed_options *options;
    bool drop;        /* the result has no partitioner, once it is shuffled */
    bool stay;        /* rows are placed by something else than r->key; no shuffle */
    const void *zero; /* ACC; copied into the node */
} request;

/* attach: the shuffle, wide or narrow, to a node that is filled otherwise. */
static bool attach(keyed_rdd *k, const request *r, bool wide)
{
    spark_rdd *rdd = &k->rdd, *parent = rdd->deps[0].rdd;
    const bool combine = r->what == COMBINE;
    spk_shuffle *shuffle = spk_shuffle_new(rdd, parent, k->target,
        combine ? r->out : parent->layout, r->key, combine ? &k->aggregator : NULL);
    if (!shuffle)
        return false;
    if (r->what == PASS)
        shuffle->slices = 1; /* the order of the input is promised */
    if (wide)
        rdd->deps[0].shuffle = shuffle;
    else
        k->own = shuffle;
    return true;
}

static bool copy_zero(keyed_rdd *k, const request *r)
{
    if (!r->zero)
        return true;
    k->zero = spk_value_keep(&k->rdd, k->aggregator.acc, r->zero, &k->zero_capacity);
    k->aggregator.zero = k->zero;
    return k->zero != NULL;
}

static spark_rdd *new_keyed(spk_verb *v, const request *r)
{
    static const spark_keyed_options none = { 0, NULL };
    const spark_keyed_options *o = r->options ? r->options : &none;
    spark_partitioner *target = NULL;
    spk_failure failure;
    bool made;
    if (!v->bad && o->partitions < 0)
        spk_verb_fail(v, SPARK_EINVAL,
            "%d partitions; there must be at least one, or 0 for the default", o->partitions);
    if (!r->stay)
        spk_verb_target(v, o->partitioner, r->key);
    if (!v->bad) {
        target = spk_default_partitioner(
            v->sc, 1, v->parents, o->partitioner, o->partitions, v->at, &failure);
        if (!target)
            spk_verb_fail_with(v, &failure);
    }
    const bool wide = !v->bad && !spark_partitioner_equal(v->parents[0]->partitioner, target);
    spark_rdd *rdd = spk_verb_make(v, wide ? &shuffled : &local, sizeof(keyed_rdd), r->out, &made);
    if (made) {
        keyed_rdd *k = (keyed_rdd *)(void *)rdd;
        k->what = r->what;
        if (r->aggregator)
            k->aggregator = *r->aggregator;
        k->aggregator.add.env
            = k->aggregator.add.def.op == SPARK_OP_USER ? rdd->env.value : k->aggregator.add.env;
        k->aggregator.combine.env = k->aggregator.combine.def.op == SPARK_OP_USER
            ? rdd->env.value
            : k->aggregator.combine.env;
        k->target = target;
        spk_partitioner_ref(target);
        spk_rdd_partitioner_set(rdd, r->drop && wide ? NULL : target);
        rdd->planned = target->partitions;
        if (!attach(k, r, wide) || !copy_zero(k, r)) {
            spk_failure_nomem(&failure, NULL, NULL);
            rdd = spk_verb_undo(v, rdd, &failure);
        }
    }
    spk_partitioner_unref(target);
    return rdd;
}

/* reduce_aggregator: V merged into V. */
static void bind_merge(spk_verb *v, spk_merging *merging, const spark_merge_def *f,
    const spk_layout *acc, const spk_layout *in)
{
    spk_failure failure;
    if (!v->bad && spk_merging_bind(merging, f, NULL, acc, in, &failure) != SPARK_OK)
        spk_verb_fail(v, failure.code, "%s", failure.message);
}

spark_rdd *spark_reduce_by_key_with(spark_site at, spark_rdd *rdd, const spark_merge_def *f,
    const spark_env *env, const spark_keyed_options *options)
{
    spk_verb v;
    spk_aggregator a = { 0 };
    const bool has = f != NULL;
    spk_verb_begin(
        &v, at, "reduceByKey", has ? f->name : NULL, 1, &rdd, has, env, has ? f->env_size : 0);
    if (!v.bad)
        spk_verb_pairs(&v, v.in);
    if (!v.bad) {
        a = (spk_aggregator) { .key = v.in->key,
            .in = v.in,
            .out = v.in,
            .acc = v.in->value,
            .in_offset = v.in->value_offset,
            .acc_offset = v.in->value_offset,
            .in_size = v.in->size };
        bind_merge(&v, &a.add, f, a.acc, a.acc);
        a.combine = a.add;
    }
    const request r
        = { .what = COMBINE, .key = a.key, .out = a.out, .aggregator = &a, .options = options };
    return new_keyed(&v, &r);
}

spark_rdd *spark_reduce_by_key(
    spark_site at, spark_rdd *rdd, const spark_merge_def *f, const spark_env *env, int partitions)
{
    const spark_keyed_options options = { partitions, NULL };
    return spark_reduce_by_key_with(at, rdd, f, env, &options);
}

spark_rdd *spark_aggregate_by_key(spark_site at, spark_rdd *rdd, const spark_type *acc,
    const void *zero, const spark_merge_def *add, const spark_merge_def *combine,
    const spark_env *env, int partitions)
{
    static const char zeros[1024];
    spk_verb v;
    spk_aggregator a = { 0 };
    const bool has = add && combine;
    const size_t env_size = !has ? 0 : add->env_size ? add->env_size : combine->env_size;
    const spark_keyed_options options = { partitions, NULL };
    spk_verb_begin(&v, at, "aggregateByKey", has ? add->name : NULL, 1, &rdd, has, env, env_size);
    if (!v.bad)
        spk_verb_pairs(&v, v.in);
    const spk_layout *acc_layout = spk_verb_layout(&v, acc);
    char *blank = NULL;
    if (!v.bad) {
        a = (spk_aggregator) { .key = v.in->key,
            .in = v.in,
            .acc = acc_layout,
            .in_offset = v.in->value_offset,
            .in_size = v.in->size };
        a.out = spk_verb_pair(&v, a.key, acc_layout);
        a.acc_offset = a.out ? a.out->value_offset : 0;
        bind_merge(&v, &a.add, add, acc_layout, v.in->value);
        bind_merge(&v, &a.combine, combine, acc_layout, acc_layout);
        if (!zero && acc_layout->size > sizeof zeros && !(blank = calloc(1, acc_layout->size)))
            spk_verb_fail(&v, SPARK_ENOMEM, "out of memory");
    }
    const request r = { .what = COMBINE,
        .key = a.key,
        .out = a.out,
        .aggregator = &a,
        .options = &options,
        .zero = zero ? zero
            : blank  ? blank
                     : zeros };
    rdd = new_keyed(&v, &r);
    free(blank);
    return rdd;
}

static spark_rdd *group(
    const char *operation, spark_site at, spark_rdd *rdd, const spark_keyed_options *options)
{
    spk_verb v;
    const spk_layout *out = NULL;
    spk_verb_begin(&v, at, operation, NULL, 1, &rdd, true, NULL, 0);
    if (!v.bad)
        spk_verb_pairs(&v, v.in);
    if (!v.bad) {
        const spark_type *list = spk_types_list(v.sc->types, v.in->value->type);
        if (!list)
            spk_verb_fail(&v, SPARK_ENOMEM, "out of memory");
        const spk_layout *values = spk_verb_layout(&v, list);
        out = spk_verb_pair(&v, v.in->key, values);
    }
    const request r
        = { .what = GROUP, .key = v.bad ? NULL : v.in->key, .out = out, .options = options };
    return new_keyed(&v, &r);
}

spark_rdd *spark_group_by_key_with(
    spark_site at, spark_rdd *rdd, const spark_keyed_options *options)
{
    return group("groupByKey", at, rdd, options);
}

spark_rdd *spark_group_by_key(spark_site at, spark_rdd *rdd, int partitions)
{
    const spark_keyed_options options = { partitions, NULL };
    return spark_group_by_key_with(at, rdd, &options);
}

spark_rdd *spark_group_by(
    spark_site at, spark_rdd *rdd, const spark_map_def *f, const spark_env *env, int partitions)
{
    const spark_keyed_options options = { partitions, NULL };
    return group("groupBy", at, spk_key_by("groupBy", at, rdd, f, env), &options);
}

spark_rdd *spark_partition_by(spark_site at, spark_rdd *rdd, const spark_partitioner *p)
{
    spk_verb v;
    const spark_keyed_options options = { 0, p };
    const char *name = p && p->kind == SPK_BY_FUNCTION ? p->def.name : NULL;
    spk_verb_begin(&v, at, "partitionBy", name, 1, &rdd, true, NULL, 0);
    if (!v.bad)
        spk_verb_pairs(&v, v.in);
    if (!p)
        spk_verb_fail(&v, SPARK_EINVAL, "the partitioner is NULL");
    if (!v.bad && spark_partitioner_equal(rdd->partitioner, p))
        return rdd;
    const request r
        = { .what = PASS, .key = v.bad ? NULL : v.in->key, .out = v.in, .options = &options };
    return new_keyed(&v, &r);
}

spark_rdd *spark_repartition(spark_site at, spark_rdd *rdd, int partitions)
{
    spk_verb v;
    spk_verb_begin(&v, at, "repartition", NULL, 1, &rdd, true, NULL, 0);
    if (partitions < 1)
        spk_verb_fail(&v, SPARK_EINVAL, "%d partitions; there must be at least one", partitions);
    spark_partitioner *turns = v.bad ? NULL : spk_partitioner_hash(v.sc, partitions, at);
    if (turns)
        turns->kind = SPK_BY_POSITION;
    else
        spk_verb_fail(&v, SPARK_ENOMEM, "out of memory");
    const spark_keyed_options options = { partitions, turns };
    const request r = { .what = PASS, .key = v.in, .out = v.in, .options = &options, .drop = true };
    rdd = new_keyed(&v, &r);
    spk_partitioner_unref(turns);
    return rdd;
}

spark_rdd *spark_distinct(spark_site at, spark_rdd *rdd, int partitions)
{
    spk_verb v;
    spk_aggregator a = { 0 };
    spk_failure failure;
    spark_keyed_options options = { partitions, NULL };
    spk_verb_begin(&v, at, "distinct", NULL, 1, &rdd, true, NULL, 0);
    const bool stay = !v.bad && rdd->partitioner
        && (partitions == 0 || partitions == rdd->partitioner->partitions);
    if (stay) {
        options.partitioner = rdd->partitioner; /* equal elements have equal keys */
    } else if (!v.bad && partitions == 0) {
        options.partitions = spk_rdd_planned(rdd, &failure);
        if (options.partitions < 0)
            spk_verb_fail_with(&v, &failure);
    }
    if (!v.bad)
        a = (spk_aggregator) { .key = v.in, .in = v.in, .out = v.in, .in_size = v.in->size };
    const request r = { .what = COMBINE,
        .key = a.key,
        .out = a.out,
        .aggregator = &a,
        .options = &options,
        .drop = true,
        .stay = stay };
    return new_keyed(&v, &r);
}
