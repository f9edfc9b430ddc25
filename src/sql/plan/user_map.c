/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of values: a map whose elements are the arguments of a call. Rows are gathered into these
 * structs, a batch at a time, so that the function's own loop runs over them. */
#include <spark/sql.h>

#include "sql/plan/user.h"

typedef struct user_map {
    spk_user_base base;
    spk_sql_function function;
    spark_map_def def;
} user_map;

static const user_map *of(const spk_sql_function *function)
{
    return (const user_map *)(const void *)((const char *)function - offsetof(user_map, function));
}

static bool resolve(spk_sql_build *b, spk_sql_expr *call)
{
    const user_map *u = of(call->function);
    if (!spk_user_want(b, call, &u->base.args))
        return false;
    call->type = u->base.type;
    call->nullable = u->base.nullable;
    for (uint32_t i = 0; i < call->n; i++)
        call->nullable |= call->args[i]->nullable && !u->base.args.at[i].nullable;
    call->foldable = false; /* it runs in tasks */
    return true;
}

/* scatter: results to the rows they are of. */
static void scatter(spk_sql_frame *f, const user_map *u, const char *out, const uint16_t *called, uint32_t n)
{
    const size_t step = u->def.out->size, size = u->base.type->size;
    const size_t value = spk_sql_slot_value(u->base.type, u->base.nullable);
    SPK_EACH_ROW(f, i)
    f->out_valid[i] = 0;
    for (uint32_t k = 0; k < n; k++) {
        const char *from = out + k * step;
        f->out_valid[called[k]] = !u->base.nullable || *from;
        if (f->out_valid[called[k]])
            memcpy(f->out + called[k] * size, from + value, size);
    }
}

static void kernel(spk_sql_frame *f)
{
    const user_map *u = of(f->expr->function);
    const size_t in_step = u->def.in->size, out_step = u->def.out->size;
    spk_sql_error error = { .condition = NULL };
    spk_user_call call;
    uint16_t *called = spk_sql_alloc(f, (f->rows.n + 1) * sizeof *called, 2);
    char *in = called ? spk_sql_alloc(f, f->rows.n * in_step + 1, 16) : NULL;
    char *out = in ? spk_sql_alloc(f, f->rows.n * out_step + 1, 16) : NULL;
    if (!out)
        return;
    const uint32_t n = spk_user_rows(&u->base.args, f->args, f->rows, called, in);
    memset(out, 0, n * out_step);
    spark_task *task = n ? spk_user_begin(&call, &u->base, f->arena) : NULL;
    if (n && !task) {
        spk_sql_nomem(&error);
        spk_sql_run_give(f, &error);
        return;
    }
    if (task)
        u->def.run(task, n, in, in_step, out, out_step, u->base.env.value);
    if (task && !spk_user_end(&call, &u->base, n == 1 ? in : NULL, f->expr->span, &error))
        spk_sql_run_give(f, &error);
    else
        scatter(f, u, out, called, n);
}

spark_status spark_register_function(spark_site at, spark_context *sc, const char *name, const spark_map_def *f,
    const spark_env *env)
{
    spk_failure failure;
    user_map *u = spk_user_new(sizeof *u, sc, name, &failure);
    if (u && !failure.code && (!f || !f->run))
        spk_failure_set(&failure, SPARK_EINVAL, NULL, NULL, "the function is NULL");
    if (u) {
        spk_user_takes(&u->base, f ? f->in : NULL, &failure);
        spk_user_gives(&u->base, f ? f->out : NULL, &failure);
        spk_user_binds(&u->base, env, f ? f->env_size : 0, &failure);
    }
    if (u && !failure.code) {
        u->def = *f;
        u->function = (spk_sql_function) { .name = u->base.user.name,
            .least = (int16_t)u->base.args.n,
            .most = (int16_t)u->base.args.n,
            .flags = SPK_SQL_NULL_AWARE | SPK_SQL_GIVES_NULL,
            .kernel = kernel,
            .resolve = resolve };
        u->base.user.function = &u->function;
    }
    return spk_user_give(u ? &u->base : NULL, "registerFunction", at, &failure);
}
