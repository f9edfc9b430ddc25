/* SPDX-License-Identifier: Apache-2.0 */
/* Aggregation: rows become pairs of the keys and what the aggregates take; these are combined by key, on
 * the map side first; a last step turns states into results. A state is a row, so that it is shuffled,
 * spilled and cached as any row. */
#include <stdlib.h>

#include "rdd/growing.h"
#include "rdd/verb.h"
#include "shuffle/merge.h"
#include "sql/eval/agg.h"
#include "sql/exec/build.h"
#include "sql/exec/kept.h"
#include "sql/exec/move.h"

/* agg_env: what the three functions of the combination know. */
typedef struct agg_env {
    spk_query *query;
    const spk_plan *plan;
    const spk_form *values, *states;
    size_t *first;  /* the column of each aggregate's first argument */
    int64_t *filter; /* the column of its filter, or -1 */
} agg_env;

static void free_env(void *data)
{
    agg_env *env = data;
    spk_query_unref(env->query);
    free(env);
}

static void fails(spark_task *task, const agg_env *env, const spk_sql_error *error)
{
    spk_query_task_fails(env->query, task, error);
}

/* vectors: the arguments of an aggregate for n rows; false: no memory. */
static bool vectors(spark_task *task, const agg_env *env, size_t which, const char *in, size_t step, uint32_t n,
    spk_sql_vector *args)
{
    const spk_sql_aggregate *a = env->plan->aggs[which].aggregate;
    for (uint32_t i = 0; i < a->n; i++) {
        const spk_slot *slot = &env->values->slots[env->first[which] + i];
        uint8_t *valid = NULL;
        if (slot->nullable) {
            if (!(valid = spark_alloc(task, n)))
                return false;
            for (uint32_t k = 0; k < n; k++)
                valid[k] = (uint8_t)in[k * step + slot->offset];
        }
        args[i] = (spk_sql_vector) { in + slot->value, step, valid };
    }
    return true;
}

/* chosen: the rows that pass an aggregate's filter. */
static spk_sql_rows chosen(const agg_env *env, size_t which, const char *in, size_t step, uint32_t n, uint16_t *at)
{
    if (env->filter[which] < 0)
        return (spk_sql_rows) { NULL, n };
    const spk_slot *slot = &env->values->slots[env->filter[which]];
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++)
        if (spk_slot_present(slot, in + i * step) && in[i * step + slot->value])
            at[kept++] = (uint16_t)i;
    return (spk_sql_rows) { at, kept };
}

static void seal(const void *data, char *acc)
{
    const agg_env *env = data;
    for (size_t w = 0; w < env->plan->n_aggs; w++)
        spk_sql_agg_seal(env->plan->aggs[w].aggregate, acc + env->states->slots[w].value);
}

/* update: n rows, at most a batch, into their states, or all into one; states point to `arena`, and may have room
 * there. */
static void update(spark_task *task, const agg_env *env, void *const *acc, char *one, const char *in, size_t step,
    uint32_t n, spk_arena *arena)
{
    char *states[SPK_SQL_BATCH];
    uint16_t at[SPK_SQL_BATCH];
    for (size_t w = 0; w < env->plan->n_aggs; w++) {
        const spk_sql_aggregate *a = env->plan->aggs[w].aggregate;
        const uint32_t offset = env->states->slots[w].value;
        spk_sql_vector *args = spark_alloc(task, (a->n + 1) * sizeof *args);
        spk_sql_error error;
        spk_agg_error_open(&error);
        if (!args || !vectors(task, env, w, in, step, n, args))
            return;
        const spk_sql_rows rows = chosen(env, w, in, step, n, at);
        for (uint32_t k = 0; acc && k < rows.n; k++)
            states[k] = (char *)acc[spk_sql_row(rows, k)] + offset;
        spk_sql_agg_frame f = { .aggregate = a, .args = args, .rows = rows, .states = acc ? states : NULL,
            .state = one ? one + offset : NULL, .arena = arena, .error = &error };
        if (rows.n && !spk_sql_agg_update(&f)) {
            fails(task, env, &error);
            return;
        }
    }
}

/* update_sealed: the same, where states are copied next. */
static void update_sealed(spark_task *task, const agg_env *env, void *const *acc, char *one, const char *in,
    size_t step, uint32_t n)
{
    update(task, env, acc, one, in, step, n, task->scratch);
    for (uint32_t k = 0; acc && k < n; k++)
        seal(env, acc[k]);
    if (one)
        seal(env, one);
}

static void init(const agg_env *env, char *state)
{
    memset(state, 0, env->states->layout->size);
    for (size_t w = 0; w < env->plan->n_aggs; w++)
        spk_sql_agg_init(env->plan->aggs[w].aggregate, state + env->states->slots[w].value);
}

static void run_create(
    spark_task *task, size_t n, const void *in, size_t in_step, void *out, size_t out_step, const void *data)
{
    const agg_env *env = data;
    void *acc[SPK_SQL_BATCH];
    for (size_t i = 0; i < n && !spk_task_failed(task); i += SPK_SQL_BATCH) {
        const uint32_t m = (uint32_t)(n - i < SPK_SQL_BATCH ? n - i : SPK_SQL_BATCH);
        for (uint32_t k = 0; k < m; k++) {
            acc[k] = (char *)out + (i + k) * out_step;
            init(env, acc[k]);
        }
        update_sealed(task, env, acc, NULL, (const char *)in + i * in_step, in_step, m);
    }
}

static void run_add(spark_task *task, size_t n, void *const *acc, const void *in, size_t step, const void *data)
{
    for (size_t i = 0; i < n && !spk_task_failed(task); i += SPK_SQL_BATCH) {
        const uint32_t m = (uint32_t)(n - i < SPK_SQL_BATCH ? n - i : SPK_SQL_BATCH);
        update_sealed(task, data, acc + i, NULL, (const char *)in + i * step, step, m);
    }
}

static void fold_add(spark_task *task, size_t n, void *acc, const void *in, size_t step, const void *data)
{
    for (size_t i = 0; i < n && !spk_task_failed(task); i += SPK_SQL_BATCH) {
        const uint32_t m = (uint32_t)(n - i < SPK_SQL_BATCH ? n - i : SPK_SQL_BATCH);
        update_sealed(task, data, NULL, acc, (const char *)in + i * step, step, m);
    }
}

/* merge: n states, a step apart, each into its own or, accs NULL, all into one: an aggregate after the other. sealed:
 * they are copied next. */
static void merge(spark_task *task, const agg_env *env, void *const *accs, char *one, const char *from, size_t step,
    size_t n, spk_arena *arena, bool sealed)
{
    spk_sql_error error;
    spk_agg_error_open(&error);
    for (size_t w = 0; w < env->plan->n_aggs; w++) {
        const spk_sql_aggregate *a = env->plan->aggs[w].aggregate;
        const uint32_t offset = env->states->slots[w].value;
        for (size_t i = 0; i < n; i++) {
            char *into = (accs ? (char *)accs[i] : one) + offset;
            if (!spk_sql_agg_merge(a, into, from + i * step + offset, arena, &error)) {
                fails(task, env, &error);
                return;
            }
            if (sealed)
                spk_sql_agg_seal(a, into);
        }
    }
}

static void run_combine(spark_task *task, size_t n, void *const *acc, const void *in, size_t step, const void *data)
{
    const agg_env *env = data;
    merge(task, env, acc, NULL, in, step, n, task->scratch, env->states->layout->views);
}

static void fold_combine(spark_task *task, size_t n, void *acc, const void *in, size_t step, const void *data)
{
    const agg_env *env = data;
    merge(task, env, NULL, acc, in, step, n, task->scratch, env->states->layout->views);
}

/* take: see spk_growing. */
static void take(spark_task *task, const void *data, spk_growth how, char *acc, const char *value, size_t step,
    spk_arena *arena)
{
    void *const accs[1] = { acc };
    if (how == SPK_GROW_COMBINE) {
        merge(task, data, NULL, acc, value, step, 1, arena, false);
        return;
    }
    if (how == SPK_GROW_CREATE)
        init(data, acc);
    update(task, data, accs, NULL, value, step, 1, arena);
}

/* grows: merges keep what states point to: those of all aggregates but the program's own. */
static bool grows(const agg_env *env)
{
    bool all = env->states->layout->views;
    for (size_t w = 0; w < env->plan->n_aggs; w++)
        all = all && !env->plan->aggs[w].aggregate->def->foreign;
    return all;
}

static const struct spk_growing growing = { spk_growing_add, take, seal };

/* ---- results */

typedef struct finish_rdd {
    spark_rdd rdd;
    spk_query *query;
    const spk_plan *plan;
    const spk_form *keys, *states, *out;
    spk_mover mover; /* of keys, and of results that are states */
    const size_t *rest; /* aggregates of which results are made */
    size_t n_rest;
    uint32_t value_offset;
} finish_rdd;

static bool open_finish(spk_pipe *pipe, spk_op *op)
{
    op->state = spk_step_arenas(pipe->task);
    return op->state != NULL;
}

/* result_row: what the aggregates come to. */
static void result_row(const finish_rdd *r, spark_task *task, spk_arena *arena, const char *states, char *out)
{
    for (size_t i = 0; i < r->n_rest && !spk_task_failed(task); i++) {
        const size_t w = r->rest[i];
        const spk_slot *to = &r->out->slots[r->keys->n + w];
        spk_sql_error error;
        spk_agg_error_open(&error);
        bool valid = true;
        if (!spk_sql_agg_finish(r->plan->aggs[w].aggregate, states + r->states->slots[w].value, out + to->value,
                &valid, arena, &error))
            spk_query_task_fails(r->query, task, &error);
        if (to->nullable)
            out[to->offset] = valid;
        if (!valid)
            memset(out + to->value, 0, to->type->size);
    }
}

static void run_finish(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const finish_rdd *r = SPK_NODE(finish_rdd, op->rdd);
    const spk_batch in = *batch;
    const size_t size = r->out->layout->size, in_size = op->rdd->deps[0].rdd->layout->size;
    spk_arena *arena = op->state;
    spk_recycle(pipe->task, arena);
    char *out = spk_pipe_alloc(pipe, in.n * size + 1);
    *batch = (spk_batch) { out, out ? in.n : 0 };
    if (!out)
        return;
    memset(out, 0, in.n * size);
    spk_move_columns(&r->mover, in.rows, in_size, (spk_sql_rows) { NULL, (uint32_t)in.n }, out, size);
    for (size_t i = 0; i < in.n && r->n_rest; i++)
        result_row(r, pipe->task, arena, in.rows + i * in_size + r->value_offset, out + i * size);
}

static SPK_COLD void finish_empty(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const finish_rdd *r = SPK_NODE(finish_rdd, op->rdd);
    if (r->keys->n || op->seen || op->partition)
        return;
    char *out = spk_pipe_alloc(pipe, r->out->layout->size + 1);
    char *pair = spk_pipe_alloc(pipe, r->value_offset + r->states->layout->size + 64);
    const agg_env env = { r->query, r->plan, NULL, r->states, NULL, NULL };
    if (!out || !pair)
        return;
    memset(out, 0, r->out->layout->size);
    init(&env, pair + r->value_offset);
    spk_move_columns(&r->mover, pair, 0, (spk_sql_rows) { NULL, 1 }, out, 0);
    result_row(r, pipe->task, op->state, pair + r->value_offset, out);
    *batch = (spk_batch) { out, 1 };
}

static void release_finish(spark_rdd *rdd)
{
    if (SPK_NODE(finish_rdd, rdd)->query)
        spk_query_unref(SPK_NODE(finish_rdd, rdd)->query);
}

static SPK_COLD spark_rdd *finish(spk_query *q, spark_rdd *rdd, const finish_rdd *plain)
{
    static const spk_class class = { .name = "MapPartitionsRDD",
        .open = open_finish,
        .run = run_finish,
        .finish = finish_empty,
        .release = release_finish };
    spk_verb v;
    bool made;
    spk_verb_begin(&v, q->analyzer.site, "aggregate", NULL, 1, &rdd, NULL);
    rdd = spk_verb_make(&v, &class, sizeof(finish_rdd), plain->out->layout, &made);
    if (made) {
        finish_rdd *r = SPK_NODE(finish_rdd, rdd);
        SPK_NODE_FILL(finish_rdd, r, plain);
        r->query = q;
        spk_query_ref(q);
    }
    return rdd;
}

/* ---- making it */

typedef struct making {
    spk_query *q;
    spk_sql_expr **exprs; /* keys, then arguments and filters */
    size_t n;
    spk_column *keys, *values, *states;
    size_t n_keys, n_values, n_states;
} making;

/* guarded: an argument that is not computed for rows that a filter leaves out, for it may fail there. */
static SPK_COLD spk_sql_expr *guarded(spk_query *q, spk_sql_expr *arg, spk_sql_expr *filter)
{
    spk_sql_expr *args[] = { filter, arg };
    if (!filter || arg->kind == SPK_SQL_CONSTANT || arg->kind == SPK_SQL_COLUMN)
        return arg;
    return spk_sql_call(&q->analyzer.build, "case", args, 2, arg->span);
}

static SPK_COLD bool collect(making *m, const spk_plan *plan, agg_env *env)
{
    spk_analyzer *a = &m->q->analyzer;
    env->first = spk_arena_alloc(&m->q->arena, (plan->n_aggs + 1) * sizeof *env->first, 8);
    env->filter = spk_arena_alloc(&m->q->arena, (plan->n_aggs + 1) * sizeof *env->filter, 8);
    if (!env->first || !env->filter) {
        spk_sql_nomem(&m->q->error);
        return false;
    }
    for (size_t i = 0; i < plan->n_exprs; i++) {
        SPK_ADD(a, m->exprs, m->n, spk_sql_normal(&a->build, plan->exprs[i]));
        SPK_ADD(a, m->keys, m->n_keys, (spk_column) { plan->exprs[i]->type, plan->out[i].nullable });
    }
    for (size_t w = 0; w < plan->n_aggs; w++) {
        const spk_sql_aggregate *agg = plan->aggs[w].aggregate;
        env->first[w] = m->n_values;
        for (uint32_t i = 0; i < agg->n; i++) {
            SPK_ADD(a, m->exprs, m->n, guarded(m->q, agg->args[i], plan->aggs[w].filter));
            SPK_ADD(a, m->values, m->n_values, (spk_column) { agg->args[i]->type, true });
        }
        env->filter[w] = plan->aggs[w].filter ? (int64_t)m->n_values : -1;
        if (plan->aggs[w].filter) {
            SPK_ADD(a, m->exprs, m->n, plan->aggs[w].filter);
            SPK_ADD(a, m->values, m->n_values, (spk_column) { plan->aggs[w].filter->type, true });
        }
        SPK_ADD(a, m->states, m->n_states, (spk_column) { agg->state, false });
    }
    return !spk_sql_failed(&m->q->error);
}

static SPK_COLD spark_rdd *combine(spk_query *q, spark_rdd *pairs, const agg_env *env, int partitions)
{
    const spark_map_def create = { .name = "create", .in = env->values->layout->type,
        .out = env->states->layout->type, .run = run_create };
    const spark_merge_def add = { .name = "add", .acc = env->states->layout->type,
        .in = env->values->layout->type, .run = run_add, .fold = fold_add };
    const spark_merge_def both = { .name = "merge", .acc = env->states->layout->type,
        .in = env->states->layout->type, .run = run_combine, .fold = fold_combine };
    agg_env *own = malloc(sizeof *own);
    if (!own) {
        spk_sql_nomem(&q->error);
        return NULL;
    }
    *own = *env;
    spk_query_ref(q);
    const spark_env bound = { .kind = SPARK_ENV_OWN, .data = own, .size = sizeof *own, .destroy = free_env };
    spark_rdd *rdd = (spark_combine_by_key)(q->analyzer.site, pairs, &create, &add, &both, &bound, partitions);
    if (grows(env))
        spk_combined_growing(rdd, &growing);
    return rdd;
}

/* merged: states of the same keys, which were made before the shuffle; raw: nothing is left to be combined before they
 * are read. */
static SPK_COLD spark_rdd *merged(spk_query *q, spark_rdd *pairs, const agg_env *env, int partitions, bool raw)
{
    const spark_merge_def both = { .name = "merge", .acc = env->states->layout->type,
        .in = env->states->layout->type, .run = run_combine, .fold = fold_combine };
    agg_env *own = malloc(sizeof *own);
    if (!own) {
        spk_sql_nomem(&q->error);
        return NULL;
    }
    *own = *env;
    spk_query_ref(q);
    const spark_env bound = { .kind = SPARK_ENV_OWN, .data = own, .size = sizeof *own, .destroy = free_env };
    const bool counts = env->plan->n_aggs == 1 && spk_sql_agg_counts(env->plan->aggs[0].aggregate);
    spark_rdd *rdd
        = (spark_reduce_by_key)(q->analyzer.site, pairs, counts ? spk_sum_i64 : &both, &bound, partitions);
    if (grows(env))
        spk_combined_growing(rdd, &growing);
    spk_shuffle *shuffle = rdd && rdd->n_deps == 1 ? atomic_load(&rdd->deps[0].shuffle) : NULL;
    if (shuffle)
        shuffle->raw = raw;
    return rdd;
}

/* plan_results: keys, and states that are results, are moved; others are made. */
static SPK_COLD bool plan_results(spk_query *q, finish_rdd *r)
{
    spk_analyzer *a = &q->analyzer;
    size_t *rest = NULL;
    if (!spk_mover_make(q, r->keys->slots, r->out->slots, r->keys->n, &r->mover))
        return false;
    for (size_t w = 0; w < r->plan->n_aggs; w++) {
        const spk_slot *to = &r->out->slots[r->keys->n + w];
        const uint32_t from = r->value_offset + r->states->slots[w].value;
        if (!to->nullable && spk_sql_agg_counts(r->plan->aggs[w].aggregate))
            SPK_ADD(a, r->mover.at, r->mover.n, (spk_move) { from, to->value, sizeof(int64_t), 0 });
        else
            SPK_ADD(a, rest, r->n_rest, w);
    }
    r->rest = rest;
    return !spk_sql_failed(&q->error);
}

/* in_parts: whether states can be made before the shuffle. */
static SPK_COLD bool in_parts(const spk_plan *plan, const agg_env *env)
{
    bool all = !env->states->layout->views || !spk_by_sets(plan);
    for (size_t w = 0; w < plan->n_aggs; w++)
        all = all && spk_kept_known(plan->aggs[w].aggregate);
    return all;
}

/* partial: the pairs of keys and states, combined by key. */
static SPK_COLD spark_rdd *partial(
    spk_query *q, const spk_plan *plan, const making *m, const spk_form *keys, const agg_env *env)
{
    spk_partial p = { plan, NULL, keys, env->states, m->exprs ? m->exprs : (spk_sql_expr *[]) { NULL }, m->n,
        env->first, env->filter };
    const bool sets = spk_by_sets(plan);
    spark_rdd *rdd = sets ? spk_exec_partial_sets(q, &p) : spk_build(q, plan->in[0], &p.in);
    if (rdd && !sets)
        rdd = spk_exec_partial(q, rdd, &p);
    return rdd ? merged(q, rdd, env, plan->n_exprs ? q->partitions : 1, !sets) : NULL;
}

/* by_value: the rows become pairs of keys and arguments, which the shuffle combines. */
static SPK_COLD spark_rdd *by_value(
    spk_query *q, const spk_plan *plan, const making *m, const spk_form *keys, const agg_env *env)
{
    const spk_form *in = NULL, *pair = spk_form_pair(q, keys, env->values);
    spark_rdd *rdd = pair ? spk_build(q, plan->in[0], &in) : NULL;
    spark_rdd *pairs = rdd ? spk_exec_eval(q, rdd, plan->in[0], in, NULL, 0,
                           m->exprs ? m->exprs : (spk_sql_expr *[]) { NULL }, m->n, pair)
                           : NULL;
    return pairs ? combine(q, pairs, env, plan->n_exprs ? q->partitions : 1) : NULL;
}

SPK_COLD spark_rdd *spk_exec_aggregate(spk_query *q, const spk_plan *plan, const spk_form *out)
{
    making m = { .q = q };
    agg_env env = { .query = q, .plan = plan };
    if (!collect(&m, plan, &env))
        return NULL;
    const spk_form *keys = spk_form_of(q, m.keys, m.n_keys, NULL);
    env.values = spk_form_of(q, m.values, m.n_values, NULL);
    env.states = spk_form_of(q, m.states, m.n_states, NULL);
    if (!keys || !env.values || !env.states)
        return NULL;
    spark_rdd *combined = (in_parts(plan, &env) ? partial : by_value)(q, plan, &m, keys, &env);
    if (!combined)
        return NULL;
    finish_rdd plain = { .plan = plan, .keys = keys, .states = env.states, .out = out };
    if (combined->layout)
        plain.value_offset = combined->layout->value_offset;
    return plan_results(q, &plain) ? finish(q, combined, &plain) : NULL;
}
