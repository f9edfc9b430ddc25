/* SPDX-License-Identifier: Apache-2.0 */
/* cogroup: for each key, the values of each input as lists. */
#include <spark/keyed.h>

#include "plan/partitioner.h"
#include "rdd/sides.h"
#include "rdd/verb.h"
#include "shuffle/reduce.h"

typedef struct cogroup_rdd {
    spark_rdd rdd;
    spk_sides sides;
} cogroup_rdd;

static void cogroup_produce(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    const cogroup_rdd *c = SPK_NODE(cogroup_rdd, rdd);
    spk_input inputs[SPK_MOST_SIDES];
    if (!spk_sides_open(pipe, rdd, &c->sides, partition, inputs))
        return;
    spk_reduce_group(pipe, inputs, rdd->n_deps, rdd->layout);
    spk_sides_close(rdd, inputs);
}

static spark_status cogroup_prepare(spark_rdd *rdd, spk_failure *failure)
{
    (void)failure;
    return spk_sides_prepare(rdd, &SPK_NODE(cogroup_rdd, rdd)->sides);
}

static void cogroup_release(spark_rdd *rdd)
{
    spk_sides_release(&SPK_NODE(cogroup_rdd, rdd)->sides);
}

static const spk_class class = { .name = "CoGroupedRDD",
    .produce = cogroup_produce,
    .prepare = cogroup_prepare,
    .release = cogroup_release };

/* check_inputs: pairs all, with keys of one type. */
static void check_inputs(spk_verb *v)
{
    char text[400];
    for (size_t i = 0; i < v->n && !v->bad; i++) {
        spk_verb_pairs(v, v->parents[i]->layout);
        if (!v->bad
            && spk_type_differ(
                   v->in->key->type, v->parents[i]->layout->key->type, text, sizeof text)
                != SPARK_OK)
            spk_verb_fail(v, SPARK_ETYPE, "key: %s", text);
    }
}

/* result_of: (K, struct of a list for each input). */
static const spk_layout *result_of(spk_verb *v)
{
    static const char *const names[SPK_MOST_SIDES] = { "_1", "_2", "_3", "_4" };
    const spark_type *lists[SPK_MOST_SIDES] = { NULL };
    const spark_type *all = NULL;
    for (size_t i = 0; i < v->n && !v->bad; i++)
        if (!(lists[i] = spk_types_list(v->sc->types, v->parents[i]->layout->value->type)))
            spk_verb_no_type(v, 1, &v->parents[i]->layout->value->type);
    if (!v->bad && !(all = spk_types_struct(v->sc->types, v->n, lists, names)))
        spk_verb_no_type(v, v->n, lists);
    const spk_layout *values = v->bad ? NULL : spk_verb_layout(v, all);
    return v->bad ? NULL : spk_verb_pair(v, v->in->key, values);
}

static spark_rdd *cogroup(const char *operation, spark_site at, size_t n, spark_rdd *const rdds[],
    const spark_keyed_options *options)
{
    spk_verb v;
    spk_failure failure;
    bool made;
    if (n == 0 || !rdds) {
        spk_verb_source(&v, at, operation, NULL);
        v.bad = spk_rdd_errorf(v.sc, SPARK_EINVAL, operation, NULL, at, "no RDD is given");
        return v.bad;
    }
    spk_verb_begin(&v, at, operation, NULL, n, rdds, NULL);
    if (!v.bad && (n < 2 || n > SPK_MOST_SIDES))
        spk_verb_fail(&v, SPARK_EINVAL, "%zu RDDs; there must be 2 to %d", n, SPK_MOST_SIDES);
    check_inputs(&v);
    const spk_layout *out = v.bad ? NULL : result_of(&v);
    const spk_layout *key = v.bad ? NULL : v.in->key;
    spark_partitioner *target = spk_sides_target(&v, options, key);
    spark_rdd *rdd = spk_verb_make(&v, &class, sizeof(cogroup_rdd), out, &made);
    if (made) {
        cogroup_rdd *c = SPK_NODE(cogroup_rdd, rdd);
        spk_sides_set(rdd, &c->sides, target);
        spk_rdd_partitioner_set(rdd, target);
        for (size_t i = 0; made && i < n; i++)
            made = spk_sides_attach(rdd, &c->sides, i, rdd->deps[i].rdd->layout, key, NULL, false);
        if (!made) {
            spk_failure_nomem(&failure, NULL, NULL);
            rdd = spk_verb_undo(&v, rdd, &failure);
        }
    }
    spk_partitioner_unref(target);
    return rdd;
}

spark_rdd *spark_cogroup_with(
    spark_site at, size_t n, spark_rdd *const rdds[], const spark_keyed_options *options)
{
    return cogroup("cogroup", at, n, rdds, options);
}

spark_rdd *spark_cogroup(spark_site at, size_t n, spark_rdd *const rdds[], int partitions)
{
    const spark_keyed_options options = { partitions, NULL };
    return cogroup("cogroup", at, n, rdds, &options);
}

spark_rdd *spark_group_with(spark_site at, size_t n, spark_rdd *const rdds[])
{
    return cogroup("groupWith", at, n, rdds, NULL);
}
