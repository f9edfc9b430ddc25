/* SPDX-License-Identifier: Apache-2.0 */
/* What actions have in common. */
#include "rdd/action.h"

#include <stdlib.h>

#include "plan/broadcast.h"
#include "plan/listening.h"
#include "scheduler/lineage.h"

spark_status spk_action_check(spark_rdd *rdd, const char *name, spark_site at, spk_failure *failure)
{
    if (rdd && !rdd->error && !spk_task_current() && !spk_told_here(rdd->sc)) {
        spark_context *sc = rdd->sc;
        if (atomic_load_explicit(&sc->marked, memory_order_acquire) > 0
            && sc->write_marked(rdd, name, at, failure) != SPARK_OK)
            return failure->code;
        if (atomic_load_explicit(&sc->has_cuts, memory_order_relaxed))
            spk_cut_lineages(sc);
    }
    return spk_job_check(rdd, name, at, failure);
}

spark_status spk_action_begin(spark_rdd *rdd, const char *name, spark_site at,
    const spark_type *want, spark_array *result, spk_failure *failure)
{
    char text[400];
    if (!result)
        return spk_failure_set(failure, SPARK_EINVAL, name, at,
            "%s at %s: there is no place for the result", name, at);
    *result = (spark_array) { NULL, NULL, 0, NULL };
    if (rdd && !rdd->error && want
        && spk_type_differ(want, rdd->layout->type, text, sizeof text) != SPARK_OK)
        return spk_failure_set(
            failure, SPARK_ETYPE, name, at, "%s at %s: result: %s", name, at, text);
    return spk_action_check(rdd, name, at, failure);
}

spark_status spk_action_end(
    spark_status status, spk_failure *failure, const char *name, spark_site at)
{
    if (status == SPARK_OK)
        return SPARK_OK;
    if (!*failure->operation)
        spk_failure_at(failure, name, at);
    return spk_raise(failure);
}

spark_status spk_env_check(
    const spk_env *env, const spark_rdd *rdd, const char *name, spark_site at, spk_failure *failure)
{
    if (!env->broadcast || !rdd || rdd->error || env->broadcast->sc == rdd->sc)
        return SPARK_OK;
    return spk_failure_set(failure, SPARK_EINVAL, name, at,
        "%s at %s: the broadcast belongs to another context", name, at);
}

/* ---- counting */

bool spk_take_count(void *state, spk_batch batch)
{
    ((spk_counting *)state)->n += (int64_t)batch.n;
    return true;
}

spark_status spk_count_rows(const char *name, spark_site at, spark_rdd *rdd, int n, int64_t *counts,
    int64_t *all, spk_failure *failure)
{
    const spk_action action
        = { .name = name, .site = at, .state_size = sizeof(spk_counting), .take = spk_take_count };
    spk_counting *parts = calloc((size_t)n + 1, sizeof *parts);
    if (!parts)
        return spk_failure_nomem(failure, name, at);
    const spark_status status = spk_job_run(rdd, &action, NULL, n, parts, failure);
    *all = 0;
    for (int i = 0; status == SPARK_OK && i < n; i++) {
        *all += parts[i].n;
        if (counts)
            counts[i] = parts[i].n;
    }
    free(parts);
    return status;
}
