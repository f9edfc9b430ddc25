/* SPDX-License-Identifier: Apache-2.0 */
/* Futures: a thread of its own drives each; it runs the blocking action in a scope that carries what
 * the starting thread's jobs carry, and the flag by which its jobs are cancelled. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include <spark/async.h>

#include "plan/properties.h"
#include "rdd/action.h"

typedef enum kind { COLLECT, COUNT, TAKE, FOREACH, FOREACH_PARTITION } kind;

struct spark_future {
    spk_object object;
    spark_context *sc;
    spark_rdd *rdd;
    spark_site site;
    kind kind;
    const spark_type *want;
    size_t n; /* to take */
    spark_foreach_def each;
    spark_foreach_partition_def whole;
    const spark_env *given;
    spk_env env;
    size_t env_size;
    spk_properties properties; /* of the thread that started it */
    atomic_bool cancelled;
    spk_started among; /* the context's actions in the background */

    pthread_t thread;
    bool started;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t done;
    bool completed;
    spk_failure failure; /* code SPARK_OK: it went well */
    spark_array result;
    int64_t count;
    void (*callback)(spark_future *future, void *data);
    void *data;
};

/* Their addresses stand for a future that could not even be allocated, and for one that has no context
 * to belong to: there is nothing to look at in them. */
static const uint64_t nothing[2];

static bool is_nothing(const spark_future *f)
{
    const void *p = f;
    return p == &nothing[0] || p == &nothing[1];
}

static const spk_failure *why_nothing(const spark_future *f)
{
    const void *p = f;
    return p == &nothing[0] ? &spk_no_memory : &spk_of_nothing;
}

static spark_future *hopeless(int which)
{
    spark_future *f;
    const void *p = &nothing[which];
    memcpy(&f, &p, sizeof f);
    return f;
}

static spark_status act(spark_future *f)
{
    const spark_env bound = { .kind = SPARK_ENV_REF,
        .data = f->env.value,
        .size = spk_env_bytes(f->env_size) };
    const spark_env *env = f->env.value ? &bound : NULL;
    switch (f->kind) {
    case COLLECT:
        return spark_collect(f->site, f->rdd, f->want, &f->result);
    case COUNT:
        return spark_count(f->site, f->rdd, &f->count);
    case TAKE:
        return spark_take(f->site, f->rdd, f->n, f->want, &f->result);
    case FOREACH:
        return spark_foreach(f->site, f->rdd, &f->each, env);
    default:
        return spark_foreach_partition(f->site, f->rdd, &f->whole, env);
    }
}

static void complete(spark_future *f, const spk_failure *failure)
{
    spk_started_remove(f->sc, &f->among);
    pthread_mutex_lock(&f->lock);
    if (failure)
        f->failure = *failure;
    f->completed = true;
    void (*callback)(spark_future *, void *) = f->callback;
    pthread_cond_broadcast(&f->done);
    pthread_mutex_unlock(&f->lock);
    if (callback)
        callback(f, f->data);
}

static void *drive(void *argument)
{
    spark_future *f = argument;
    spk_failure failure;
    spark_scope *scope = spark_scope_begin(f->sc);
    if (!scope || !spk_properties_set(f->sc, &f->properties, &f->cancelled)) {
        spk_failure_nomem(&failure, "future", f->site);
        complete(f, &failure);
    } else {
        complete(f, act(f) == SPARK_OK ? NULL : spk_last_failure());
    }
    spark_scope_end(scope);
    return NULL;
}

static void async_release(spk_object *object)
{
    spark_future *f = (spark_future *)(void *)object;
    if (f->started)
        pthread_join(f->thread, NULL);
    spark_array_free(&f->result);
    spk_env_fini(&f->env);
    spk_properties_fini(&f->properties);
    spk_rdd_unref(f->rdd);
    pthread_cond_destroy(&f->done);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

static bool start_thread(spark_future *f)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    f->started = pthread_create(&f->thread, NULL, drive, f) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return f->started;
}

static void init_sync(spark_future *f)
{
    pthread_mutex_init(&f->lock, NULL);
    spk_deadline_cond_init(&f->done);
}

/* start: f says what is to be done. */
static spark_future *start(
    const char *name, spark_site at, spark_rdd *rdd, const spark_future *action)
{
    spk_failure failure;
    spark_future *f = malloc(sizeof *f);
    spk_env env = { NULL, NULL, NULL, NULL };
    spark_status status = spk_env_bind(&env, action->given, action->env_size, &failure);
    if (!f) {
        spk_env_fini(&env);
        return hopeless(0);
    }
    *f = *action;
    f->env = env;
    f->site = at;
    f->rdd = rdd;
    f->given = NULL;
    init_sync(f);
    if (spk_task_current())
        status = spk_failure_set(&failure, SPARK_EINVAL, name, at,
            "%s at %s: an action inside a function of a task (SPARK-5063)", name, at);
    else if (status == SPARK_OK && (!rdd || rdd->error))
        status = spk_job_check(rdd, name, at, &failure);
    else if (status == SPARK_OK)
        status = spk_env_check(&env, rdd, name, at, &failure);
    else
        spk_failure_at(&failure, name, at);
    f->sc = rdd && rdd->sc ? rdd->sc : NULL;
    if (!f->sc || f->sc->error) { /* no scope to belong to */
        if (status != SPARK_OK)
            spk_raise(&failure);
        spk_env_fini(&env);
        pthread_cond_destroy(&f->done);
        pthread_mutex_destroy(&f->lock);
        free(f);
        return hopeless(1);
    }
    spk_rdd_ref(rdd);
    if (status == SPARK_OK && !spk_properties_now(f->sc, &f->properties))
        status = spk_failure_nomem(&failure, name, at);
    spk_scope_add(f->sc, &f->object, async_release);
    f->among = (spk_started) { .properties = &f->properties, .cancelled = &f->cancelled };
    if (status == SPARK_OK)
        spk_started_add(f->sc, &f->among);
    if (status == SPARK_OK && !start_thread(f))
        status = spk_failure_set(
            &failure, SPARK_ENOMEM, name, at, "%s at %s: no thread could be started", name, at);
    if (status != SPARK_OK)
        complete(f, &failure);
    return f;
}

spark_future *spark_collect_async(spark_site at, spark_rdd *rdd, const spark_type *want)
{
    const spark_future f = { .kind = COLLECT, .want = want };
    return start("collect", at, rdd, &f);
}

spark_future *spark_count_async(spark_site at, spark_rdd *rdd)
{
    const spark_future f = { .kind = COUNT };
    return start("count", at, rdd, &f);
}

spark_future *spark_take_async(spark_site at, spark_rdd *rdd, size_t n, const spark_type *want)
{
    const spark_future f = { .kind = TAKE, .n = n, .want = want };
    return start("take", at, rdd, &f);
}

spark_future *spark_foreach_async(
    spark_site at, spark_rdd *rdd, const spark_foreach_def *def, const spark_env *env)
{
    spark_future f = { .kind = FOREACH, .given = env };
    if (def) {
        f.each = *def;
        f.env_size = def->env_size;
    }
    return start("foreach", at, rdd, &f);
}

spark_future *spark_foreach_partition_async(
    spark_site at, spark_rdd *rdd, const spark_foreach_partition_def *def, const spark_env *env)
{
    spark_future f = { .kind = FOREACH_PARTITION, .given = env };
    if (def) {
        f.whole = *def;
        f.env_size = def->env_size;
    }
    return start("foreachPartition", at, rdd, &f);
}

/* ---- waiting */

/* wait: with the lock held; false: the time is up. */
static bool wait(spark_future *f, int64_t timeout_ms)
{
    const struct timespec deadline = spk_deadline(timeout_ms);
    while (!f->completed) {
        if (timeout_ms < 0)
            pthread_cond_wait(&f->done, &f->lock);
        else if (pthread_cond_timedwait(&f->done, &f->lock, &deadline) == ETIMEDOUT)
            return f->completed;
    }
    return true;
}

static spark_status no_future(void)
{
    return spk_raisef(SPARK_EINVAL, "future", NULL, "the future is NULL");
}

spark_status spark_future_wait(spark_future *f, int64_t timeout_ms)
{
    if (!f)
        return no_future();
    if (is_nothing(f))
        return spk_raise(why_nothing(f));
    pthread_mutex_lock(&f->lock);
    const bool done = wait(f, timeout_ms);
    const spk_failure failure = f->failure;
    pthread_mutex_unlock(&f->lock);
    if (!done)
        return spk_raisef(SPARK_ETIMEOUT, "future", f->site,
            "the action at %s still runs after %lld ms", f->site, (long long)timeout_ms);
    return failure.code == SPARK_OK ? SPARK_OK : spk_raise(&failure);
}

spark_status spark_future_get(spark_future *f, spark_array *result)
{
    if (result)
        *result = (spark_array) { NULL, NULL, 0, NULL };
    const spark_status status = spark_future_wait(f, -1);
    if (status != SPARK_OK)
        return status;
    if (!result || (f->kind != COLLECT && f->kind != TAKE))
        return spk_raisef(SPARK_EINVAL, "future", f->site, "the action at %s %s", f->site,
            result ? "has no elements" : "was given no place for its elements");
    pthread_mutex_lock(&f->lock);
    *result = f->result;
    f->result = (spark_array) { NULL, NULL, 0, NULL };
    pthread_mutex_unlock(&f->lock);
    if (result->owner)
        return SPARK_OK;
    return spk_raisef(
        SPARK_EINVAL, "future", f->site, "the elements of %s were taken before", f->site);
}

spark_status spark_future_count(spark_future *f, int64_t *n)
{
    const spark_status status = spark_future_wait(f, -1);
    if (status == SPARK_OK && (!n || f->kind != COUNT))
        return spk_raisef(SPARK_EINVAL, "future", f->site, "the action at %s %s", f->site,
            n ? "is no count" : "was given no place for its number");
    if (n)
        *n = status == SPARK_OK ? f->count : 0;
    return status;
}

bool spark_future_is_completed(spark_future *f)
{
    if (!f || is_nothing(f))
        return true;
    pthread_mutex_lock(&f->lock);
    const bool completed = f->completed;
    pthread_mutex_unlock(&f->lock);
    return completed;
}

void spark_future_cancel(spark_future *f)
{
    if (!f || is_nothing(f))
        return;
    atomic_store(&f->cancelled, true);
    spk_cancel_flagged(f->sc, &f->cancelled);
}

bool spark_future_on_complete(
    spark_future *f, void (*callback)(spark_future *future, void *data), void *data)
{
    if (!f || !callback || is_nothing(f))
        return false;
    pthread_mutex_lock(&f->lock);
    const bool first = !f->callback, now = f->completed;
    if (first) {
        f->callback = callback;
        f->data = data;
    }
    pthread_mutex_unlock(&f->lock);
    if (first && now)
        callback(f, data);
    return first;
}
