/* SPDX-License-Identifier: Apache-2.0 */
/* Values of a key merged into one: reduce_by_key and its kin are one aggregator each, differently
 * filled. */
#include <stdlib.h>

#include <spark/keyed.h>

#include "plan/partitioner.h"
#include "rdd/keyed/keyed.h"
#include "shuffle/merge.h"
#include "shuffle/reduce.h"

static void bind_merge(spk_verb *v, spk_merging *merging, const spark_merge_def *f,
    const spk_layout *acc, const spk_layout *in)
{
    spk_failure failure;
    const char *const function = v->function;
    v->function = f ? f->name : NULL; /* the one that does not fit */
    if (!v->bad && spk_merging_bind(merging, f, NULL, acc, in, &failure) != SPARK_OK)
        spk_verb_fail(v, failure.code, "%s", failure.message);
    v->function = function;
}

/* same_type: V merged into V. */
static spk_aggregator same_type(spk_verb *v, const spark_merge_def *f)
{
    spk_aggregator a = { 0 };
    spk_verb_pairs(v, v->in);
    if (v->bad)
        return a;
    a = (spk_aggregator) { .start = SPK_START_VALUE,
        .key = v->in->key,
        .in = v->in,
        .out = v->in,
        .value = v->in->value,
        .acc = v->in->value };
    bind_merge(v, &a.add, f, a.acc, a.acc);
    a.combine = a.add;
    return a;
}

static spark_rdd *reduce(const char *name, spark_site at, spark_rdd *rdd, const spark_merge_def *f,
    const spark_env *env, const spark_keyed_options *options, const spk_keyed_kind *kind)
{
    spk_verb v;
    const spk_function function = SPK_FUNCTION(f, f, NULL, NULL);
    spk_verb_begin(&v, at, name, &function, 1, &rdd, env);
    const spk_aggregator a = same_type(&v, f);
    if (kind->dense && options->partitioner && options->partitioner->error)
        spk_verb_fail_with(&v, options->partitioner->error);
    if (kind->dense && (!options->partitioner || options->partitioner->kind != SPK_BY_DENSE))
        spk_verb_fail(&v, SPARK_EINVAL, "the partitioner is not a dense one");
    const spk_keyed k
        = { .kind = kind, .key = a.key, .out = a.out, .aggregator = &a, .options = options };
    return spk_keyed_new(&v, &k);
}

spark_rdd *spark_reduce_by_key_with(spark_site at, spark_rdd *rdd, const spark_merge_def *f,
    const spark_env *env, const spark_keyed_options *options)
{
    return reduce("reduceByKey", at, rdd, f, env, options, &spk_keyed_combine);
}

spark_rdd *spark_reduce_by_key(
    spark_site at, spark_rdd *rdd, const spark_merge_def *f, const spark_env *env, int partitions)
{
    const spark_keyed_options options = { partitions, NULL };
    return spark_reduce_by_key_with(at, rdd, f, env, &options);
}

static void read_dense(spk_pipe *pipe, spk_input *input, const spk_keyed_rdd *k, int partition)
{
    spk_reduce_dense(pipe, input, &k->aggregator, k->target, partition);
}
static const spk_keyed_kind dense_kind = { .read = read_dense, .dense = true };

spark_rdd *spark_reduce_by_key_dense(spark_site at, spark_rdd *rdd, const spark_merge_def *f,
    const spark_env *env, const spark_partitioner *dense)
{
    const spark_keyed_options options = { 0, dense };
    return reduce("reduceByKeyDense", at, rdd, f, env, &options, &dense_kind);
}

/* other_type: V merged into ACC. */
static spk_aggregator other_type(spk_verb *v, spk_start start, const spk_layout *acc,
    const spark_merge_def *add, const spark_merge_def *combine)
{
    spk_aggregator a = { 0 };
    if (v->bad)
        return a;
    a = (spk_aggregator) {
        .start = start, .key = v->in->key, .in = v->in, .value = v->in->value, .acc = acc
    };
    a.out = spk_verb_pair(v, a.key, acc);
    bind_merge(v, &a.add, add, acc, v->in->value);
    bind_merge(v, &a.combine, combine, acc, acc);
    return a;
}

/* of_both: what a verb asks of two functions that share an environment. */
static spk_function of_both(const spark_merge_def *add, const spark_merge_def *combine)
{
    spk_function function = SPK_FUNCTION(add, add && combine, NULL, NULL);
    if (function.usable)
        function.env_size = spk_env_join(add->env_size, combine->env_size);
    return function;
}

static spark_rdd *aggregate(const char *operation, spark_site at, spark_rdd *rdd,
    const spark_type *acc, const void *zero, const spark_merge_def *add,
    const spark_merge_def *combine, const spark_env *env, const spark_keyed_options *options)
{
    spk_verb v;
    const spk_function function = of_both(add, combine);
    char *blank = NULL;
    spk_verb_begin(&v, at, operation, &function, 1, &rdd, env);
    spk_verb_pairs(&v, v.in);
    const spk_layout *layout = spk_verb_layout(&v, acc);
    const spk_aggregator a = other_type(&v, SPK_START_ZERO, layout, add, combine);
    if (!v.bad && !zero && !(zero = blank = calloc(1, layout->size)))
        spk_verb_fail(&v, SPARK_ENOMEM, "out of memory");
    const spk_keyed k = { .kind = &spk_keyed_combine,
        .key = a.key,
        .out = a.out,
        .aggregator = &a,
        .options = options,
        .zero = zero };
    rdd = spk_keyed_new(&v, &k);
    free(blank);
    return rdd;
}

spark_rdd *spark_aggregate_by_key_with(spark_site at, spark_rdd *rdd, const spark_type *acc,
    const void *zero, const spark_merge_def *add, const spark_merge_def *combine,
    const spark_env *env, const spark_keyed_options *options)
{
    return aggregate("aggregateByKey", at, rdd, acc, zero, add, combine, env, options);
}

spark_rdd *spark_aggregate_by_key(spark_site at, spark_rdd *rdd, const spark_type *acc,
    const void *zero, const spark_merge_def *add, const spark_merge_def *combine,
    const spark_env *env, int partitions)
{
    const spark_keyed_options options = { partitions, NULL };
    return spark_aggregate_by_key_with(at, rdd, acc, zero, add, combine, env, &options);
}

spark_rdd *spark_fold_by_key_with(spark_site at, spark_rdd *rdd, const spark_type *type,
    const void *zero, const spark_merge_def *f, const spark_env *env,
    const spark_keyed_options *options)
{
    return aggregate("foldByKey", at, rdd, type, zero, f, f, env, options);
}

spark_rdd *spark_fold_by_key(spark_site at, spark_rdd *rdd, const spark_type *type,
    const void *zero, const spark_merge_def *f, const spark_env *env, int partitions)
{
    const spark_keyed_options options = { partitions, NULL };
    return spark_fold_by_key_with(at, rdd, type, zero, f, env, &options);
}

spark_rdd *spark_combine_by_key_with(spark_site at, spark_rdd *rdd, const spark_map_def *create,
    const spark_merge_def *add, const spark_merge_def *combine, const spark_env *env,
    const spark_keyed_options *options)
{
    spk_verb v;
    const bool has = create && create->run;
    spk_function function = of_both(has ? add : NULL, combine);
    if (function.usable)
        function.env_size = spk_env_join(create->env_size, function.env_size);
    spk_verb_begin(&v, at, "combineByKey", &function, 1, &rdd, env);
    spk_verb_pairs(&v, v.in);
    v.function = has ? create->name : v.function; /* the one that does not fit */
    spk_verb_want(&v, has ? create->in : NULL, v.bad ? NULL : v.in->value);
    const spk_layout *acc = spk_verb_layout(&v, has ? create->out : NULL);
    v.function = function.name;
    spk_aggregator a = other_type(&v, SPK_START_CREATE, acc, add, combine);
    if (has)
        a.create = *create;
    const spk_keyed k = {
        .kind = &spk_keyed_combine, .key = a.key, .out = a.out, .aggregator = &a, .options = options
    };
    return spk_keyed_new(&v, &k);
}

spark_rdd *spark_combine_by_key(spark_site at, spark_rdd *rdd, const spark_map_def *create,
    const spark_merge_def *add, const spark_merge_def *combine, const spark_env *env,
    int partitions)
{
    const spark_keyed_options options = { partitions, NULL };
    return spark_combine_by_key_with(at, rdd, create, add, combine, env, &options);
}
