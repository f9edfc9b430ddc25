/* SPDX-License-Identifier: Apache-2.0 */
/* Actions whose result is a map. */
#include <spark/action.h>
#include <spark/keyed.h>

#include "rdd/action.h"
#include "rdd/result.h"
#include "rdd/verb.h"

static spark_status as_map(
    const char *name, spark_site at, spark_rdd *rdd, const spark_type *want, spark_array *result)
{
    spk_verb v;
    spk_failure failure;
    if (!rdd)
        return spk_collect_as(name, at, NULL, want, result);
    spk_verb_begin(&v, at, name, NULL, 1, &rdd, NULL);
    spk_verb_pairs(&v, v.in);
    spark_status status = spk_collect_as(name, at, v.bad ? v.bad : rdd, want, result);
    if (status == SPARK_OK
        && (status = spk_result_index(rdd->sc, rdd->layout, result, &failure)) != SPARK_OK)
        spk_raise(&failure);
    return status;
}

spark_status spark_collect_as_map(
    spark_site at, spark_rdd *rdd, const spark_type *want, spark_array *result)
{
    spark_scope *scope = spark_scope_begin(rdd ? rdd->sc : NULL);
    const spark_status status = as_map("collectAsMap", at, rdd, want, result);
    spark_scope_end(scope);
    return status;
}

spark_status spark_reduce_by_key_locally(spark_site at, spark_rdd *rdd, const spark_merge_def *f,
    const spark_env *env, const spark_type *want, spark_array *result)
{
    static const char *const name = "reduceByKeyLocally";
    spark_scope *scope = spark_scope_begin(rdd ? rdd->sc : NULL);
    spark_rdd *reduced = spark_reduce_by_key(at, rdd, f, env, 0);
    spk_failure failure;
    spark_status status = spk_action_begin(reduced, name, at, want, result, &failure);
    if (status == SPARK_OK && spk_rdd_partitions(rdd) == 0)
        status = spk_failure_set(
            &failure, SPARK_EEMPTY, name, at, "%s at %s: empty collection", name, at);
    status = status == SPARK_OK ? as_map(name, at, reduced, want, result)
                                : spk_action_end(status, &failure, name, at);
    spark_scope_end(scope);
    return status;
}
