/* SPDX-License-Identifier: Apache-2.0 */
/* Groups: the values of a key as a list, or read one by one. */
#include <spark/keyed.h>

#include "rdd/keyed/keyed.h"
#include "rdd/narrow.h"
#include "shuffle/reduce.h"

static void read_groups(spk_pipe *pipe, spk_input *input, const spk_keyed_rdd *k, int partition)
{
    (void)partition;
    spk_reduce_group(pipe, input, 1, k->rdd.layout);
}
static const spk_keyed_kind grouped = { .read = read_groups };

static void map_groups(spk_pipe *pipe, spk_input *input, const spk_keyed_rdd *k, int partition)
{
    (void)partition;
    spk_reduce_group_map(pipe, input, &k->group, k->rdd.env.value, k->rdd.layout);
}
static const spk_keyed_kind mapped = { .read = map_groups };

static spark_rdd *group(
    const char *operation, spark_site at, spark_rdd *rdd, const spark_keyed_options *options)
{
    spk_verb v;
    const spk_layout *out = NULL;
    spk_verb_begin(&v, at, operation, NULL, 1, &rdd, NULL);
    spk_verb_pairs(&v, v.in);
    if (!v.bad) {
        const spark_type *list = spk_types_list(v.sc->types, v.in->value->type);
        if (!list)
            spk_verb_no_type(&v, 1, &v.in->value->type);
        const spk_layout *values = spk_verb_layout(&v, list);
        out = spk_verb_pair(&v, v.in->key, values);
    }
    const spk_keyed k
        = { .kind = &grouped, .key = v.bad ? NULL : v.in->key, .out = out, .options = options };
    return spk_keyed_new(&v, &k);
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

spark_rdd *spark_group_by_with(spark_site at, spark_rdd *rdd, const spark_map_def *f,
    const spark_env *env, const spark_keyed_options *options)
{
    return group("groupBy", at, spk_key_by("groupBy", at, rdd, f, env), options);
}

spark_rdd *spark_group_by(
    spark_site at, spark_rdd *rdd, const spark_map_def *f, const spark_env *env, int partitions)
{
    const spark_keyed_options options = { partitions, NULL };
    return spark_group_by_with(at, rdd, f, env, &options);
}

spark_rdd *spark_group_map_by_key_with(spark_site at, spark_rdd *rdd, const spark_group_def *f,
    const spark_env *env, const spark_keyed_options *options)
{
    spk_verb v;
    const spk_function function = SPK_FUNCTION(f, f && f->run, NULL, f->out);
    spk_verb_begin(&v, at, "groupByKey", &function, 1, &rdd, env);
    spk_verb_pairs(&v, v.in);
    spk_verb_want(&v, function.usable ? f->key : NULL, v.bad ? NULL : v.in->key);
    spk_verb_want(&v, function.usable ? f->value : NULL, v.bad ? NULL : v.in->value);
    const spk_layout *out = spk_verb_layout(&v, function.out);
    const spk_keyed k = { .kind = &mapped,
        .key = v.bad ? NULL : v.in->key,
        .out = out,
        .group = f,
        .options = options,
        .lose = true };
    return spk_keyed_new(&v, &k);
}

spark_rdd *spark_group_map_by_key(
    spark_site at, spark_rdd *rdd, const spark_group_def *f, const spark_env *env, int partitions)
{
    const spark_keyed_options options = { partitions, NULL };
    return spark_group_map_by_key_with(at, rdd, f, env, &options);
}
