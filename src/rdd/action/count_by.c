/* SPDX-License-Identifier: Apache-2.0 */
/* count_by_key and count_by_value: pairs with a one, added by key, collected. They are made of
 * verbs, in a scope of their own. */
#include <spark/action.h>
#include <spark/keyed.h>
#include <spark/transform.h>

#include "rdd/action.h"
#include "rdd/verb.h"

static void one_run(spark_task *task, size_t n, const void *in, size_t in_step, void *out,
    size_t out_step, const void *env)
{
    (void)task, (void)in, (void)in_step, (void)env;
    for (size_t i = 0; i < n; i++)
        *(int64_t *)(void *)((char *)out + i * out_step) = 1;
}

/* itself_run: env is the size of the element. */
static void itself_run(spark_task *task, size_t n, const void *in, size_t in_step, void *out,
    size_t out_step, const void *env)
{
    const size_t size = *(const size_t *)env;
    (void)task;
    for (size_t i = 0; i < n; i++)
        memcpy((char *)out + i * out_step, (const char *)in + i * in_step, size);
}

static spark_status count_pairs(
    const char *name, spark_site at, spark_rdd *pairs, const spark_type *want, spark_array *result)
{
    static const spark_map_def one = { "one", NULL, &spark_type_of_int64_t, 0, one_run, NULL };
    spark_rdd *ones = spark_map_values(at, pairs, &one, NULL);
    spark_rdd *counts = spark_reduce_by_key(at, ones, spark_op_sum, NULL, 0);
    return spk_collect_as(name, at, counts, want, result);
}

spark_status spark_count_by_key(
    spark_site at, spark_rdd *rdd, const spark_type *want, spark_array *result)
{
    spk_verb v;
    spark_scope *scope = spark_scope_begin(rdd ? rdd->sc : NULL);
    spk_verb_begin(&v, at, "countByKey", NULL, 1, &rdd, NULL);
    spk_verb_pairs(&v, v.in);
    const spark_status status = count_pairs("countByKey", at, v.bad ? v.bad : rdd, want, result);
    spark_scope_end(scope);
    return status;
}

spark_status spark_count_by_value(
    spark_site at, spark_rdd *rdd, const spark_type *want, spark_array *result)
{
    spark_scope *scope = spark_scope_begin(rdd ? rdd->sc : NULL);
    const spark_type *type = spark_rdd_type(rdd);
    const size_t size = type ? type->size : 0;
    const spark_map_def itself = { "itself", NULL, type, sizeof size, itself_run, NULL };
    const spark_env env = { .data = &size, .size = sizeof size };
    spark_rdd *pairs = type ? spark_key_by(at, rdd, &itself, &env) : rdd;
    const spark_status status = count_pairs("countByValue", at, pairs, want, result);
    spark_scope_end(scope);
    return status;
}
