/* SPDX-License-Identifier: Apache-2.0 */
/* foreach: the function for its side effect. */
#include "rdd/rdd.h"

#include <stdlib.h>

#include <spark/action.h>

typedef struct visiting {
    spark_foreach_def def;
    const void *env;
    size_t size;
} visiting;

static bool take(void *state, spk_batch batch)
{
    spk_state *s = state;
    const visiting *v = s->action->arg;
    v->def.run(s->task, batch.n, batch.rows, v->size, v->env);
    return !spk_task_failed(s->task);
}

static spark_status run(spark_rdd *rdd, const spark_foreach_def *f, const void *env, spark_site at,
    spk_failure *failure)
{
    const visiting v = { *f, env, rdd->layout->size };
    const spk_action action = { .name = "foreach",
        .function = f->name,
        .site = at,
        .state_size = sizeof(spk_state),
        .arg = &v,
        .take = take };
    spk_state *states = calloc((size_t)rdd->partitions + 1, sizeof *states);
    if (!states)
        return spk_failure_nomem(failure, "foreach", at);
    const spark_status status = spk_job_run(rdd, &action, NULL, rdd->partitions, states, failure);
    free(states);
    return status;
}

spark_status spark_foreach(
    spark_site at, spark_rdd *rdd, const spark_foreach_def *f, const spark_env *env)
{
    spk_failure failure;
    spk_env bound;
    char text[400];
    spark_status status = spk_env_bind(&bound, env, f ? f->env_size : 0, &failure);
    if (status == SPARK_OK)
        status = spk_env_check(&bound, rdd, "foreach", at, &failure);
    if (status == SPARK_OK)
        status = spk_job_check(rdd, "foreach", at, &failure);
    if (status == SPARK_OK && (!f || !f->run))
        status = spk_failure_set(
            &failure, SPARK_EINVAL, "foreach", at, "foreach at %s: the function is NULL", at);
    else if (status == SPARK_OK && f->in
        && spk_type_differ(f->in, rdd->layout->type, text, sizeof text) != SPARK_OK)
        status = spk_failure_set(
            &failure, SPARK_ETYPE, "foreach", at, "foreach(%s) at %s: %s", f->name, at, text);
    if (status == SPARK_OK)
        status = run(rdd, f, bound.value, at, &failure);
    spk_env_fini(&bound);
    return spk_action_end(status, &failure);
}
