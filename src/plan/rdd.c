/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes: making, counting references, preparing. Lineages may be a hundred thousand nodes long, so
 * nothing here recurses along them: freeing goes over a list through the nodes, preparing over an
 * explicit stack. */
#include "plan/rdd.h"

#include <assert.h>
#include <stdlib.h>

#include "base/faults.h"
#include "base/list.h"
#include "plan/broadcast.h"
#include "plan/partitioner.h"
#include "plan/shuffle.h"

static const spk_class broken = { .name = "RDD" };

/* What is returned when there is not even memory for a node: never counted, never freed. */
static const spark_rdd sentinels[2] = {
    { .class = &broken,
        .id = -1,
        .site = "",
        .operation = "",
        .error = &spk_no_memory,
        .n_partitions = -1,
        .planned = -1 },
    { .class = &broken,
        .id = -1,
        .site = "",
        .operation = "",
        .error = &spk_of_nothing,
        .n_partitions = -1,
        .planned = -1 },
};

static bool is_sentinel(const spark_rdd *rdd)
{
    return rdd == &sentinels[0] || rdd == &sentinels[1];
}

static spark_rdd *sentinel_for(spark_status code)
{
    spark_rdd *rdd;
    const spark_rdd *p = &sentinels[code != SPARK_ENOMEM];
    memcpy(&rdd, &p, sizeof rdd); /* never written: ref and unref know it */
    return rdd;
}

void spk_rdd_ref(spark_rdd *rdd)
{
    if (!is_sentinel(rdd))
        atomic_fetch_add_explicit(&rdd->refs, 1, memory_order_relaxed);
}

/* drop_reference: true when it was the last. */
static bool drop_reference(spark_rdd *rdd)
{
    return !is_sentinel(rdd) && atomic_fetch_sub_explicit(&rdd->refs, 1, memory_order_acq_rel) == 1;
}

static void free_error(spark_rdd *node)
{
    void *error;
    memcpy(&error, &node->error, sizeof error);
    free(error);
}

static const char *describe(
    const char *operation, const char *function, spark_site at, char *text, size_t size);

static void free_once(spark_rdd *node)
{
    for (spk_once *once = atomic_load(&node->once), *next; once; once = next) {
        next = once->next;
        free(once);
    }
}

/* keep_tombstone: in check mode a released node stays, as one that carries an error. */
static bool keep_tombstone(spark_rdd *node)
{
    char what[256];
    spk_failure *error = malloc(sizeof *error);
    if (!error)
        return false;
    describe(node->operation, node->function, node->site, what, sizeof what);
    spk_failure_set(error, SPARK_EINVAL, node->operation, node->site,
        "RDD %d, %s, was used after it was released, by itself or with its scope", node->id, what);
    spark_context *sc = node->sc;
    *node = (spark_rdd) { .class = &broken,
        .sc = sc,
        .id = node->id,
        .site = node->site,
        .operation = node->operation,
        .error = error,
        .n_partitions = -1,
        .planned = -1 };
    pthread_mutex_lock(&sc->scope_lock);
    node->next_free = sc->graveyard;
    sc->graveyard = node;
    pthread_mutex_unlock(&sc->scope_lock);
    return true;
}

void spk_rdd_bury(spark_context *sc)
{
    while (sc->graveyard) {
        spark_rdd *node = sc->graveyard;
        sc->graveyard = node->next_free;
        free_error(node);
        free(node);
    }
}

/* hold: a scope holds the node. let_go: no more. */
static void hold(spark_rdd *rdd)
{
    spark_context *sc = rdd->sc;
    pthread_mutex_lock(&sc->scope_lock);
    rdd->next_held = sc->held;
    if (sc->held)
        sc->held->held = &rdd->next_held;
    sc->held = rdd;
    rdd->held = &sc->held;
    pthread_mutex_unlock(&sc->scope_lock);
}

static void let_go(spark_rdd *rdd)
{
    if (!rdd->held)
        return;
    pthread_mutex_lock(&rdd->sc->scope_lock);
    *rdd->held = rdd->next_held;
    if (rdd->next_held)
        rdd->next_held->held = rdd->held;
    rdd->held = NULL;
    pthread_mutex_unlock(&rdd->sc->scope_lock);
}

void spk_rdd_unref(spark_rdd *rdd)
{
    if (!rdd || !drop_reference(rdd))
        return;
    rdd->next_free = NULL;
    for (spark_rdd *list = rdd; list;) {
        spark_rdd *node = list;
        list = node->next_free;
        let_go(node); /* one that was made in no scope */
        if (node->class->release)
            node->class->release(node);
        if (spk_checkpoint_waits(node))
            atomic_fetch_sub(&node->sc->marked, 1);
        for (uint32_t i = 0; i < node->n_deps; i++) {
            spk_dep *dep = &node->deps[i];
            spk_shuffle_free(dep->shuffle);
            if (dep->rdd && drop_reference(dep->rdd)) {
                dep->rdd->next_free = list;
                list = dep->rdd;
            }
        }
        free_once(node);
        if (node->bad)
            node->bad->release(node->bad);
        spk_held_free((spk_held *)(void *)node->blocks);
        spk_partitioner_unref(node->partitioner);
        spk_env_fini(&node->env);
        free(node->deps);
        free(node->name);
        if (!node->error && node->sc->check && keep_tombstone(node))
            continue;
        free_error(node);
        free(node);
    }
}

static void rdd_release(spk_object *object)
{
    spark_rdd *rdd = (spark_rdd *)(void *)object;
    let_go(rdd);
    spk_rdd_unref(rdd);
}

void spark_rdd_release(spark_rdd *rdd)
{
    if (rdd && !is_sentinel(rdd) && spk_scope_take(&rdd->object))
        rdd_release(&rdd->object);
}

void spark_rdd_replace(spark_rdd **slot, spark_rdd *next)
{
    spark_rdd *old = slot ? *slot : next;
    if (old == next)
        return;
    if (old && next && !is_sentinel(old) && !is_sentinel(next) && old->object.scope)
        spk_scope_move(&next->object, old->object.scope);
    else if (next && !is_sentinel(next) && next->sc)
        spk_scope_move(&next->object, &next->sc->root);
    *slot = next;
    spark_rdd_release(old);
}

static const char *describe(
    const char *operation, const char *function, spark_site at, char *text, size_t size)
{
    snprintf(text, size, "%s%s%s%s%s%s", operation, function ? "(" : "", function ? function : "",
        function ? ")" : "", at && *at ? " at " : "", at ? at : "");
    return text;
}

const char *spk_rdd_describe(const spark_rdd *rdd, char *text, size_t size)
{
    return describe(rdd->operation, rdd->function, rdd->site, text, size);
}

spark_rdd *spk_rdd_reader(spark_rdd *rdd, int *partition)
{
    for (; (rdd->class->run || rdd->class->choose) && !spk_rdd_stored(rdd);) {
        int parent_partition = *partition;
        rdd = rdd->class->choose ? rdd->class->choose(rdd, *partition, &parent_partition)
                                 : rdd->deps[0].rdd;
        *partition = parent_partition;
    }
    return spk_rdd_stored(rdd) ? NULL : rdd;
}

int64_t spk_rdd_reads(spark_rdd *rdd, int partition, const char **path)
{
    *path = NULL;
    rdd = spk_rdd_reader(rdd, &partition);
    return rdd && rdd->class->reads ? rdd->class->reads(rdd, partition, path) : -1;
}

void spk_rdd_blame(const spark_rdd *rdd, spk_failure *failure)
{
    char what[200];
    const spk_failure plain = *failure;
    spk_rdd_describe(rdd, what, sizeof what);
    spk_failure_set(failure, plain.code, rdd->operation, rdd->site, "%s: ", what);
    spk_failure_append(failure, plain.message);
}

static spark_rdd *homeless(const spk_failure *failure)
{
    spk_failure raised = *failure;
    raised.homeless = true;
    spk_raise(&raised);
    return sentinel_for(failure->code);
}

const spk_failure *spk_rdd_why(const spark_rdd *rdd)
{
    const spk_failure *last = spk_last_failure();
    return is_sentinel(rdd) && last->homeless && last->code == rdd->error->code ? last : rdd->error;
}

spark_rdd *spk_rdd_error(spark_context *sc, const spk_failure *failure)
{
    if (!sc || spk_context_is_constant(sc))
        return homeless(failure);
    spark_rdd *rdd = calloc(1, sizeof *rdd);
    spk_failure *error = malloc(sizeof *error);
    if (!rdd || !error) {
        free(rdd);
        free(error);
        return sentinel_for(SPARK_ENOMEM);
    }
    *error = *failure;
    rdd->class = &broken;
    rdd->sc = sc;
    rdd->id = -1;
    rdd->n_partitions = rdd->planned = -1;
    rdd->site = error->site;
    rdd->operation = error->operation;
    rdd->error = error;
    atomic_init(&rdd->refs, 1);
    spk_scope_add(sc, &rdd->object, rdd_release);
    return rdd;
}

spark_rdd *spk_rdd_errorf(spark_context *sc, spark_status code, const char *operation,
    const char *function, spark_site at, const char *format, ...)
{
    char what[256], name[96], message[512];
    spk_failure failure;
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    spk_failure_set(&failure, code, describe(operation, function, NULL, name, sizeof name), at,
        "%s: %s", describe(operation, function, at, what, sizeof what), message);
    return spk_rdd_error(sc, &failure);
}

spark_rdd *spk_rdd_broken(spark_rdd *rdd, const char *operation, spark_site at)
{
    if (!rdd)
        return spk_rdd_errorf(
            spk_context_none(), SPARK_EINVAL, operation, NULL, at, "the RDD is NULL");
    return rdd->error ? rdd : NULL;
}

spark_rdd *spk_rdd_misfit(spark_context *sc, const char *operation, const char *function,
    spark_site at, const spark_type *want, const spark_type *have)
{
    char text[400];
    if (!want || spk_type_differ(want, have, text, sizeof text) == SPARK_OK)
        return NULL;
    return spk_rdd_errorf(sc, SPARK_ETYPE, operation, function, at, "%s", text);
}

/* fill: the node proper; false: no memory. */
static bool fill(spark_rdd *rdd, const spk_rdd_args *args, spark_context *sc)
{
    rdd->class = args->class;
    rdd->sc = sc;
    rdd->site = args->at ? args->at : "";
    rdd->operation = args->operation;
    rdd->function = args->function;
    rdd->layout = args->layout;
    rdd->n_partitions = rdd->planned = -1;
    atomic_init(&rdd->refs, 1);
    if (args->n_parents > 0 && !(rdd->deps = calloc(args->n_parents, sizeof *rdd->deps)))
        return false;
    for (size_t i = 0; i < args->n_parents; i++) {
        spark_rdd *parent = args->parents[i];
        rdd->deps[i].rdd = parent;
        spk_rdd_ref(parent);
        if (parent->ancestors + 1 > rdd->ancestors)
            rdd->ancestors = parent->ancestors + 1;
    }
    rdd->n_deps = (uint32_t)args->n_parents;
    if (args->n_parents == 1 && !args->class->prepare)
        rdd->planned = args->parents[0]->planned;
    if (args->env)
        rdd->env = *args->env;
    return true;
}

spark_rdd *spk_rdd_new(const spk_rdd_args *args, bool *made)
{
    spark_context *sc = args->sc;
    spark_rdd *bad = NULL, *rdd;
    *made = false;
    for (size_t i = 0; i < args->n_parents && !bad; i++) {
        bad = spk_rdd_broken(args->parents[i], args->operation, args->at);
        if (!bad && sc && args->parents[i]->sc != sc)
            bad = spk_rdd_errorf(sc, SPARK_EINVAL, args->operation, args->function, args->at,
                "the RDDs belong to different contexts");
        else if (!bad)
            sc = args->parents[i]->sc;
    }
    if (!bad && !sc)
        sc = spk_context_none();
    if (!bad && sc->error)
        bad = spk_rdd_error(sc, sc->error);
    SPK_AT(sc ? sc->place : NULL);
    rdd = bad ? NULL : calloc(1, args->size);
    if (rdd && fill(rdd, args, sc)) {
        rdd->id = atomic_fetch_add_explicit(&sc->next_rdd, 1, memory_order_relaxed);
        hold(rdd);
        spk_scope_add(sc, &rdd->object, rdd_release);
        *made = true;
        return rdd;
    }
    free(rdd);
    if (args->env)
        spk_env_fini(args->env);
    return bad ? bad : sentinel_for(SPARK_ENOMEM);
}

void spk_rdd_partitioner_set(spark_rdd *rdd, const spark_partitioner *partitioner)
{
    spark_partitioner *p;
    memcpy(&p, &partitioner, sizeof p);
    if (p)
        spk_partitioner_ref(p);
    rdd->partitioner = p;
}

/* ---- preparing: a node is prepared by one thread, without the lock, for that may run jobs or a
 * function of the user; others that need it wait. Who prepares a node waits for none, and parents go
 * first, so nobody waits in a circle. A failure is that thread's alone: others try again. */

/* prepare_one: failures that do not name an operation are the node's. */
static spark_status prepare_one(spark_rdd *rdd, spk_failure *failure)
{
    spark_status status = SPARK_OK;
    for (uint32_t i = 0; i < rdd->n_deps && status == SPARK_OK; i++)
        if (rdd->deps[i].shuffle)
            status = spk_shuffle_prepare(rdd->deps[i].shuffle, failure);
    if (status == SPARK_OK && rdd->class->prepare)
        status = rdd->class->prepare(rdd, failure);
    else if (status == SPARK_OK)
        spk_rdd_partitions_set(rdd, spk_rdd_partitions(rdd->deps[0].rdd));
    assert(status != SPARK_OK || spk_rdd_is_prepared(rdd));
    if (status != SPARK_OK && !*failure->operation)
        spk_rdd_blame(rdd, failure);
    return status;
}

/* add_parents: those that are to be prepared before the node. False: no memory. */
static bool add_parents(spk_list *stack, const spark_rdd *node)
{
    bool good = true;
    for (uint32_t i = 0; i < node->n_deps && good; i++)
        if (!spk_rdd_is_prepared(node->deps[i].rdd))
            good = spk_list_add(stack, node->deps[i].rdd);
    return good;
}

/* prepare_top: one step with the node on top, and the lock held, which is given up meanwhile. */
static spark_status prepare_top(spk_list *stack, spk_failure *failure)
{
    spark_rdd *node = stack->at[stack->n - 1];
    spark_context *sc = node->sc;
    const size_t before = stack->n;
    if (spk_rdd_is_prepared(node)) {
        stack->n--;
        return SPARK_OK;
    }
    if (node->prepares) {
        pthread_cond_wait(&sc->prepared, &sc->plan_lock);
        return SPARK_OK;
    }
    if (!add_parents(stack, node))
        return spk_failure_nomem(failure, node->operation, node->site);
    if (stack->n > before)
        return SPARK_OK;
    node->prepares = true;
    pthread_mutex_unlock(&sc->plan_lock);
    const spark_status status = prepare_one(node, failure);
    pthread_mutex_lock(&sc->plan_lock);
    node->prepares = false;
    pthread_cond_broadcast(&sc->prepared);
    stack->n--;
    return status;
}

spark_status spk_rdd_prepare(spark_rdd *rdd, spk_failure *failure)
{
    spark_context *sc = rdd->sc;
    spk_list stack = { NULL, 0, 0 };
    spark_status status = SPARK_OK;
    if (spk_rdd_is_prepared(rdd))
        return SPARK_OK;
    SPK_AT(rdd->sc->place);
    if (!spk_list_add(&stack, rdd))
        return spk_failure_nomem(failure, rdd->operation, rdd->site);
    pthread_mutex_lock(&sc->plan_lock);
    sc->preparing++;
    while (status == SPARK_OK && stack.n > 0)
        status = prepare_top(&stack, failure);
    sc->preparing--;
    pthread_mutex_unlock(&sc->plan_lock);
    free(stack.at);
    return status;
}

int spk_rdd_planned(spark_rdd *rdd, spk_failure *failure)
{
    int planned = atomic_load_explicit(&rdd->planned, memory_order_relaxed);
    if (planned < 0 && spk_rdd_prepare(rdd, failure) == SPARK_OK) {
        planned = spk_rdd_partitions(rdd);
        atomic_store_explicit(&rdd->planned, planned, memory_order_relaxed);
    }
    return planned;
}

const spk_layout *spk_layout_for(spark_context *sc, const spark_type *type, spk_failure *failure)
{
    return spk_layout_of(sc->types, type, failure);
}

char *spk_value_keep(spark_rdd *rdd, const spk_layout *layout, const void *value, size_t *capacity)
{
    const size_t head = ((size_t)layout->size + 63) / 64 * 64;
    const size_t tail = value ? spk_value_bytes(layout, value) : 0;
    char *copy = spk_heap_alloc(&rdd->sc->heap, head + tail, capacity);
    if (!copy)
        return NULL;
    memset(copy, 0, layout->size);
    if (value) {
        memcpy(copy, value, layout->size);
        spk_value_pack(layout, copy, copy + head);
    }
    return copy;
}
