/* SPDX-License-Identifier: Apache-2.0 */
/* Aggregates of the program: an accumulator that absorbs arguments, one that absorbs another, and a map
 * that makes the result. The accumulator is the state, a row as any: shuffled, spilled and cached. */
#include <spark/sql.h>

#include "sql/plan/user.h"

typedef struct user_merge {
    spk_user_base base;
    spk_sql_agg_def def;
    spark_merge_def add, merge;
    spark_map_def finish; /* run NULL: the accumulator is the result */
    const spark_type *type; /* of the accumulator */
    const char *zero;
    const spk_sql_type *acc;
    bool nullable;
} user_merge;

static const user_merge *of(const spk_sql_aggregate *a)
{
    return (const user_merge *)(const void *)((const char *)a->def - offsetof(user_merge, def));
}

static bool resolve(spk_sql_build *b, spk_sql_aggregate *a)
{
    const user_merge *u = of(a);
    spk_sql_function function = { .name = a->def->name };
    spk_sql_expr call = { .kind = SPK_SQL_CALL, .function = &function, .name = a->name, .n = a->n, .args = a->args,
        .span = a->span };
    const spk_sql_field field = { .name = "acc", .type = u->acc, .nullable = u->nullable };
    if (!spk_user_want(b, &call, &u->base.args))
        return false;
    a->type = u->base.type;
    a->nullable = u->base.nullable;
    a->state = spk_sql_type_struct(b->arena, &field, 1);
    return a->state != NULL;
}

static void init(const spk_sql_aggregate *a, char *state)
{
    memcpy(state, of(a)->zero, of(a)->type->size);
}

/* absorb: elements into their accumulators, or all into one. */
static void absorb(
    const user_merge *u, spark_task *task, const spk_sql_agg_frame *f, void *const *accs, const char *in, uint32_t n)
{
    const size_t step = u->add.in->size;
    if (f->states)
        u->add.run(task, n, accs, in, step, u->base.env.value);
    else if (u->add.fold)
        u->add.fold(task, n, f->state, in, step, u->base.env.value);
    else
        for (uint32_t k = 0; k < n; k++)
            u->add.run(task, 1, (void *const *)&f->state, in + k * step, step, u->base.env.value);
}

/* culprit: the row that fails by itself, after all have failed together; NULL: none does. */
static const char *culprit(
    const user_merge *u, spark_task *task, const spk_sql_agg_frame *f, void *const *accs, const char *in, uint32_t n)
{
    const spk_failure first = task->failure;
    const char *found = NULL;
    for (uint32_t k = 0; k < n && !found && first.code == SPARK_ETASK; k++) {
        task->failure.code = SPARK_OK;
        absorb(u, task, f, accs ? accs + k : NULL, in + k * u->add.in->size, 1);
        if (spk_task_failed(task))
            found = in + k * u->add.in->size;
    }
    task->failure = first;
    return found;
}

static bool update(spk_sql_agg_frame *f)
{
    const user_merge *u = of(f->aggregate);
    spk_user_call call;
    uint16_t *called = spk_arena_alloc(f->arena, (f->rows.n + 1) * sizeof *called, 2);
    char *in = spk_arena_alloc(f->arena, f->rows.n * u->add.in->size + 1, 16);
    void **accs = spk_arena_alloc(f->arena, (f->rows.n + 1) * sizeof *accs, 8);
    uint32_t n = 0;
    if (called && in && accs)
        n = spk_user_rows(&u->base.args, f->args, f->rows, called, in);
    spark_task *task = n ? spk_user_begin(&call, &u->base, f->arena) : NULL;
    if (!called || !in || !accs || (n && !task)) {
        spk_sql_nomem(f->error);
        return false;
    }
    if (!n)
        return true;
    for (uint32_t k = 0, c = 0; f->states && k < f->rows.n && c < n; k++)
        if (spk_sql_row(f->rows, k) == called[c])
            accs[c++] = f->states[k];
    absorb(u, task, f, accs, in, n);
    const char *row = spk_task_failed(task) ? culprit(u, task, f, f->states ? accs : NULL, in, n) : NULL;
    return spk_user_end(&call, &u->base, row, f->aggregate->span, f->error);
}

static bool merge(
    const spk_sql_aggregate *a, char *into, const char *from, spk_arena *arena, spk_sql_error *error)
{
    const user_merge *u = of(a);
    spk_user_call call;
    void *acc = into;
    spark_task *task = spk_user_begin(&call, &u->base, arena);
    if (!task) {
        spk_sql_nomem(error);
        return false;
    }
    u->merge.run(task, 1, &acc, from, u->type->size, u->base.env.value);
    return spk_user_end(&call, &u->base, NULL, a->span, error);
}

static bool finish(const spk_sql_aggregate *a, const char *state, void *value, bool *valid, spk_arena *arena,
    spk_sql_error *error)
{
    const user_merge *u = of(a);
    const size_t size = u->finish.run ? u->finish.out->size : u->type->size;
    const size_t at = spk_sql_slot_value(u->base.type, u->base.nullable);
    const char *out = state;
    bool good = true;
    if (u->finish.run) {
        spk_user_call call;
        char *made = spk_arena_alloc(arena, size + 1, 16);
        spark_task *task = made ? spk_user_begin(&call, &u->base, arena) : NULL;
        if (!task) {
            spk_sql_nomem(error);
            return false;
        }
        memset(made, 0, size);
        u->finish.run(task, 1, state, u->type->size, made, size, u->base.env.value);
        good = spk_user_end(&call, &u->base, NULL, a->span, error);
        out = made;
    }
    *valid = !u->base.nullable || *out;
    if (good && *valid)
        memcpy(value, out + at, u->base.type->size);
    return good;
}

/* keep_zero: a deep copy; NULL: all bytes zero. */
static void keep_zero(user_merge *u, const void *zero, spk_failure *failure)
{
    const spk_layout *layout = failure->code ? NULL : spk_layout_for(u->base.sc, u->type, failure);
    if (!layout)
        return;
    const size_t more = zero ? spk_value_bytes(layout, zero) : 0;
    char *copy = spk_arena_alloc(&u->base.arena, u->type->size, 16);
    char *rest = spk_arena_alloc(&u->base.arena, more + 1, 16);
    if (!copy || !rest) {
        spk_failure_nomem(failure, NULL, NULL);
        return;
    }
    memset(copy, 0, u->type->size);
    if (zero) {
        memcpy(copy, zero, u->type->size);
        (void)spk_value_pack(layout, copy, rest);
    }
    u->zero = copy;
}

/* fits: what one function takes or gives is what another one does. */
static void fits(const spark_type *want, const spark_type *have, const char *what, spk_failure *failure)
{
    char text[300];
    if (!failure->code && want && spk_type_differ(want, have, text, sizeof text) != SPARK_OK)
        spk_failure_set(failure, SPARK_ETYPE, NULL, NULL, "%s: %s", what, text);
}

static void complete(user_merge *u, const spark_merge_def *add, const spark_merge_def *both,
    const spark_map_def *result, const void *zero, spk_failure *failure)
{
    u->add = *add;
    u->merge = *both;
    if (result)
        u->finish = *result;
    fits(add->acc, u->type, add->name, failure);
    fits(both->acc, u->type, both->name, failure);
    fits(both->in, u->type, both->name, failure);
    fits(result ? result->in : NULL, u->type, result ? result->name : "", failure);
    u->acc = spk_user_type(&u->base, u->type, &u->nullable, failure);
    keep_zero(u, zero, failure);
    u->def = (spk_sql_agg_def) { .name = u->base.user.name,
        .least = (int8_t)u->base.args.n,
        .most = (int8_t)u->base.args.n,
        .ordered = true,
        .resolve = resolve,
        .init = init,
        .foreign = true,
        .update = update,
        .merge = merge,
        .finish = finish };
    u->base.user.aggregate = &u->def;
}

spark_status spark_register_aggregate(spark_site at, spark_context *sc, const char *name, const spark_type *acc,
    const void *zero, const spark_merge_def *add, const spark_merge_def *both, const spark_map_def *result,
    const spark_env *env)
{
    spk_failure failure;
    user_merge *u = spk_user_new(sizeof *u, sc, name, &failure);
    const bool usable = acc && add && add->run && both && both->run && (!result || result->run);
    size_t wanted = usable ? spk_env_join(add->env_size, both->env_size) : 0;
    if (usable && result)
        wanted = spk_env_join(wanted, result->env_size);
    if (u && !failure.code && !usable)
        spk_failure_set(&failure, SPARK_EINVAL, NULL, NULL, "the type or a function is NULL");
    if (u) {
        u->type = acc;
        spk_user_takes(&u->base, usable ? add->in : NULL, &failure);
        if (!failure.code && u->base.args.n > INT8_MAX)
            spk_failure_set(&failure, SPARK_EINVAL, NULL, NULL, "more than %d arguments", INT8_MAX);
        spk_user_gives(&u->base, !usable ? NULL : result ? result->out : acc, &failure);
        spk_user_binds(&u->base, env, wanted, &failure);
    }
    if (u && !failure.code)
        complete(u, add, both, result, zero, &failure);
    return spk_user_give(u ? &u->base : NULL, "registerAggregate", at, &failure);
}
