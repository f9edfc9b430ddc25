/* SPDX-License-Identifier: Apache-2.0 */
/* reduce, fold, aggregate: an accumulator for each partition, merged by the calling thread in the
 * order of the partitions. Strings and lists an accumulator points to are copied after every piece of
 * a batch, and what the merges have allocated is dropped then; pieces are small where that is much. */
#include <math.h>
#include <stdlib.h>

#include <spark/action.h>

#include "rdd/action.h"
#include "rdd/result.h"
#include "rdd/verb.h"
#include "shuffle/merge.h"

typedef struct folding {
    const spk_layout *acc;
    const void *zero; /* NULL: the first element is the accumulator */
    spk_merging add, combine;
} folding;

typedef struct fold_state {
    spk_state head;
    char *acc; /* allocated; NULL until there is one */
    size_t capacity;
    bool filled;
    spk_arena views[2], scratch;
    int current;
    size_t piece; /* rows merged before the next copy */
} fold_state;

static bool fold_begin(spk_state *state)
{
    fold_state *f = (fold_state *)state;
    const folding *how = state->action->arg;
    spk_arena_init(&f->views[0], state->task->heap);
    spk_arena_init(&f->views[1], state->task->heap);
    spk_arena_init(&f->scratch, state->task->heap);
    f->piece = 16;
    f->acc = spk_heap_alloc(state->task->heap, how->acc->size + 1, &f->capacity);
    if (!f->acc) {
        spk_task_nomem(state->task);
        return false;
    }
    if (how->zero)
        memcpy(f->acc, how->zero, how->acc->size);
    f->filled = how->zero != NULL;
    return true;
}

/* own: copies what the accumulator points to into the arena that is not in use, and swaps. */
static bool own(fold_state *f, spark_task *task, const spk_layout *acc)
{
    if (!acc->views)
        return true;
    spk_arena *to = &f->views[!f->current];
    char *room = spk_arena_alloc(to, spk_value_bytes(acc, f->acc) + 1, 16);
    if (!room) {
        spk_task_nomem(task);
        return false;
    }
    spk_value_pack(acc, f->acc, room);
    spk_arena_reset(&f->views[f->current]);
    f->current = !f->current;
    return true;
}

static bool fold_batch(fold_state *f, spark_task *task, const folding *how,
    const spk_merging *merging, const char *rows, size_t n, size_t step)
{
    enum { SCRATCH_BYTES = 64 * 1024 };
    spk_arena *outer = task->scratch;
    if (!f->filled && n > 0) {
        memcpy(f->acc, rows, how->acc->size);
        f->filled = true;
        rows += step;
        n--;
    }
    bool good = n > 0 || own(f, task, how->acc);
    task->scratch = &f->scratch;
    while (good && n > 0) {
        const size_t some = n < f->piece ? n : f->piece;
        merging->def.fold(task, some, f->acc, rows, step, merging->env);
        good = !spk_task_failed(task) && own(f, task, how->acc);
        if (f->scratch.bytes < SCRATCH_BYTES)
            f->piece = some < f->piece ? f->piece : f->piece * 2;
        else if (f->piece > 1)
            f->piece /= 2;
        spk_arena_reset(&f->scratch);
        rows += some * step;
        n -= some;
    }
    task->scratch = outer;
    return good;
}

static bool fold_take(void *state, spk_batch batch)
{
    fold_state *f = state;
    const folding *how = f->head.action->arg;
    return fold_batch(f, f->head.task, how, &how->add, batch.rows, batch.n,
        how->add.def.in ? how->add.def.in->size : how->acc->size);
}

static void fold_discard(spk_state *state)
{
    fold_state *f = (fold_state *)state;
    if (f->acc)
        spk_heap_free(f->views[0].heap, f->acc, f->capacity);
    spk_arena_fini(&f->views[0]);
    spk_arena_fini(&f->views[1]);
    spk_arena_fini(&f->scratch);
}

/* absorb: one accumulator of the level before, first merged into a zero, where there is one. */
static bool absorb(fold_state *to, spark_task *task, const folding *how, const fold_state *from)
{
    const spk_action zeroed = { .arg = how };
    fold_state start = { .head = { task, &zeroed } };
    bool good = true;
    if (!from->filled)
        return true;
    if (!how->zero)
        return fold_batch(to, task, how, &how->combine, from->acc, 1, how->acc->size);
    good = fold_begin(&start.head)
        && fold_batch(&start, task, how, &how->combine, from->acc, 1, how->acc->size)
        && fold_batch(to, task, how, &how->combine, start.acc, 1, how->acc->size);
    if (start.acc)
        fold_discard(&start.head);
    return good;
}

/* merge_parts: all partitions' accumulators, on the calling thread. */
static spark_status merge_parts(spark_rdd *rdd, const spk_action *action, fold_state *parts, int n,
    bool tree, bool *empty, spark_array *result, spk_failure *failure)
{
    const folding *how = action->arg;
    spark_task *task = spk_task_new(rdd->sc);
    fold_state total = { .head = { task, action } };
    if (!task)
        return spk_failure_nomem(failure, action->name, action->site);
    spk_task_begin(task, -1, -1, -1, 0);
    spk_task_end_is(task, action->name, action->function, action->site);
    bool good = fold_begin(&total.head);
    for (int i = 0; good && i < n; i++)
        if (tree)
            good = absorb(&total, task, how, &parts[i]);
        else if (parts[i].filled)
            good = fold_batch(&total, task, how, &how->combine, parts[i].acc, 1, how->acc->size);
    *empty = !total.filled;
    spark_status status = task->failure.code;
    if (status != SPARK_OK)
        *failure = task->failure;
    else if (total.filled)
        status = spk_result_one(rdd->sc, how->acc, total.acc, result, failure);
    if (good || total.acc)
        fold_discard(&total.head);
    spk_task_end(task);
    spk_task_free(task);
    return status;
}

typedef struct request {
    spark_site at;
    const char *name;
    spark_rdd *rdd;
    const spark_type *want, *acc;
    const void *zero;
    const spark_merge_def *add, *combine;
    const spark_env *env;
    bool from_zero;
    bool tree;
    int depth; /* of a tree; else 0 */
} request;

/* ---- trees */

/* tree_rdd: partition p makes one row of the accumulators p, p + n, p + 2n, ... of the level
 * before. It lives as long as the job of its level. */
typedef struct tree_rdd {
    spark_rdd rdd;
    const folding *how;
    fold_state *parts;
    int n_parts;
} tree_rdd;

static void produce_level(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    const tree_rdd *t = SPK_NODE(tree_rdd, rdd);
    const folding plain = { t->how->acc, NULL, t->how->add, t->how->combine };
    const spk_action action = { .arg = &plain };
    fold_state total = { .head = { pipe->task, &action } };
    bool good = fold_begin(&total.head);
    for (int i = partition; good && i < t->n_parts; i += spk_rdd_partitions(rdd))
        good = absorb(&total, pipe->task, t->how, &t->parts[i]);
    if (good && total.filled)
        spk_push(pipe, total.acc, 1);
    if (total.acc)
        fold_discard(&total.head);
}

/* merge_level: n accumulators to `fewer`, by a job. *parts is replaced. */
static spark_status merge_level(const request *r, const spk_action *action, fold_state **parts,
    int n, int fewer, spk_failure *failure)
{
    static const spk_class class = { .name = "ShuffledRDD", .produce = produce_level };
    const folding *how = action->arg;
    const folding level = { how->acc, NULL, how->combine, how->combine };
    spk_action merge = *action;
    spk_verb v;
    bool made;
    fold_state *merged = calloc((size_t)fewer + 1, sizeof *merged);
    if (!merged)
        return spk_failure_nomem(failure, action->name, action->site);
    merge.arg = &level;
    spk_verb_source(&v, action->site, action->name, r->rdd->sc);
    spark_rdd *rdd = spk_verb_make(&v, &class, sizeof(tree_rdd), how->acc, &made);
    spark_status status = made ? SPARK_OK : (*failure = *rdd->error, failure->code);
    if (made) {
        tree_rdd *t = SPK_NODE(tree_rdd, rdd);
        t->how = how;
        t->parts = *parts;
        t->n_parts = n;
        rdd->planned = fewer;
        spk_rdd_partitions_set(rdd, rdd->planned);
        status = spk_job_run(rdd, &merge, NULL, fewer, merged, failure);
        spark_rdd_release(rdd);
    }
    if (status != SPARK_OK) {
        free(merged);
        return status;
    }
    for (int i = 0; i < n; i++)
        fold_discard(&(*parts)[i].head);
    free(*parts);
    *parts = merged;
    return SPARK_OK;
}

/* merge_levels: Spark's rule: down by `scale` while that saves more than it costs. */
static spark_status merge_levels(
    const request *r, const spk_action *action, fold_state **parts, int *n, spk_failure *failure)
{
    spark_status status = SPARK_OK;
    const double root = ceil(pow(*n, 1.0 / r->depth) - 1e-9);
    const int scale = root > 2 ? (int)root : 2;
    while (status == SPARK_OK && *n > scale + (*n + scale - 1) / scale) {
        status = merge_level(r, action, parts, *n, *n / scale, failure);
        *n = status == SPARK_OK ? *n / scale : *n;
    }
    return status;
}

static spark_status fold_run(const request *r, const spk_action *action, bool *empty,
    spark_array *result, spk_failure *failure)
{
    spark_rdd *rdd = r->rdd;
    int n = spk_rdd_partitions(rdd);
    fold_state *parts = calloc((size_t)n + 1, sizeof *parts);
    if (!parts)
        return spk_failure_nomem(failure, action->name, action->site);
    spark_status status = spk_job_run(rdd, action, NULL, n, parts, failure);
    if (status == SPARK_OK) {
        if (r->depth > 0)
            status = merge_levels(r, action, &parts, &n, failure);
        if (status == SPARK_OK)
            status = merge_parts(rdd, action, parts, n, r->depth > 0, empty, result, failure);
        for (int i = 0; i < n; i++)
            fold_discard(&parts[i].head);
    }
    free(parts);
    return status;
}

/* bind: both merges; a failure names the action. */
static spark_status bind(spark_rdd *rdd, const char *name, spark_site at, folding *how,
    const spark_merge_def *add, const spark_merge_def *combine, const void *env,
    spk_failure *failure)
{
    if (!add || !combine)
        return spk_failure_set(
            failure, SPARK_EINVAL, name, at, "%s at %s: the function is NULL", name, at);
    const spark_merge_def *wrong = NULL;
    if (spk_merging_bind(&how->add, add, env, how->acc, rdd->layout, failure) != SPARK_OK)
        wrong = add;
    else if (spk_merging_bind(&how->combine, combine, env, how->acc, how->acc, failure) != SPARK_OK)
        wrong = combine;
    if (wrong) {
        const spk_failure plain = *failure;
        return spk_failure_set(
            failure, plain.code, name, at, "%s(%s) at %s: %s", name, wrong->name, at, plain.message);
    }
    how->add.def.in = rdd->layout->type;
    return SPARK_OK;
}

static spark_status fold(const request *r, spark_array *result)
{
    spk_failure failure;
    spk_env env = { NULL, NULL, NULL, NULL };
    folding how = { .zero = r->zero };
    bool empty = false;
    char *blank = NULL;
    const bool has = r->add && r->combine;
    const size_t env_size = has ? spk_env_join(r->add->env_size, r->combine->env_size) : 0;
    spark_status status = spk_env_bind(&env, r->env, env_size, &failure);
    if (status != SPARK_OK)
        spk_failure_at(&failure, r->name, r->at);
    if (status == SPARK_OK)
        status = spk_env_check(&env, r->rdd, r->name, r->at, &failure);
    if (status == SPARK_OK && r->tree && r->depth < 1)
        status = spk_failure_set(&failure, SPARK_EINVAL, r->name, r->at,
            "%s at %s: a depth of %d; it must be 1 or more", r->name, r->at, r->depth);
    if (status == SPARK_OK)
        status = spk_action_begin(r->rdd, r->name, r->at, r->want, result, &failure);
    else if (result)
        *result = (spark_array) { NULL, NULL, 0, NULL };
    if (status == SPARK_OK && r->from_zero && !r->acc && !r->want)
        status = spk_failure_set(&failure, SPARK_EINVAL, r->name, r->at,
            "%s at %s: the type of zero is NULL", r->name, r->at);
    if (status == SPARK_OK) {
        how.acc = r->acc ? spk_layout_for(r->rdd->sc, r->acc, &failure) : r->rdd->layout;
        status = how.acc
            ? bind(r->rdd, r->name, r->at, &how, r->add, r->combine, env.value, &failure)
            : failure.code;
    }
    if (status == SPARK_OK && r->from_zero && !r->zero) {
        how.zero = blank = calloc(1, how.acc->size);
        if (!blank)
            status = spk_failure_nomem(&failure, r->name, r->at);
    }
    if (status == SPARK_OK) {
        const spk_action action = { .name = r->name,
            .function = r->add->name,
            .site = r->at,
            .state_size = sizeof(fold_state),
            .arg = &how,
            .begin = fold_begin,
            .take = fold_take,
            .discard = fold_discard };
        status = fold_run(r, &action, &empty, result, &failure);
    }
    if (status == SPARK_OK && empty)
        status = spk_failure_set(
            &failure, SPARK_EEMPTY, r->name, r->at, "%s at %s: empty collection", r->name, r->at);
    free(blank);
    spk_env_fini(&env);
    return spk_action_end(status, &failure, r->name, r->at);
}

spark_status spark_reduce(spark_site at, spark_rdd *rdd, const spark_merge_def *f,
    const spark_env *env, const spark_type *want, spark_array *result)
{
    const request r = { at, "reduce", rdd, want, NULL, NULL, f, f, env, false, false, 0 };
    return fold(&r, result);
}

spark_status spark_fold(spark_site at, spark_rdd *rdd, const spark_type *type, const void *zero,
    const spark_merge_def *f, const spark_env *env, spark_array *result)
{
    const request r = { at, "fold", rdd, type, NULL, zero, f, f, env, true, false, 0 };
    return fold(&r, result);
}

spark_status spark_aggregate(spark_site at, spark_rdd *rdd, const spark_type *acc, const void *zero,
    const spark_merge_def *add, const spark_merge_def *combine, const spark_env *env,
    spark_array *result)
{
    const request r = { at, "aggregate", rdd, NULL, acc, zero, add, combine, env, true, false, 0 };
    return fold(&r, result);
}

spark_status spark_tree_reduce(spark_site at, spark_rdd *rdd, const spark_merge_def *f,
    const spark_env *env, int depth, const spark_type *want, spark_array *result)
{
    const request r = { at, "treeReduce", rdd, want, NULL, NULL, f, f, env, false, true, depth };
    return fold(&r, result);
}

spark_status spark_tree_aggregate(spark_site at, spark_rdd *rdd, const spark_type *acc,
    const void *zero, const spark_merge_def *add, const spark_merge_def *combine,
    const spark_env *env, int depth, spark_array *result)
{
    const request r
        = { at, "treeAggregate", rdd, NULL, acc, zero, add, combine, env, true, true, depth };
    return fold(&r, result);
}
