/* SPDX-License-Identifier: Apache-2.0 */
/* Futures: a thread of its own drives each; it runs the blocking action in a scope that carries what
 * the starting thread's jobs carry, and by which its jobs are cancelled. When the action has ended,
 * all that only it needed goes, and the thread is joined by whoever next starts a future or waits for
 * one, so that what is kept of many futures is their results. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <spark/async.h>

#include "base/deadline.h"
#include "base/signals.h"
#include "base/sys.h"
#include "plan/listening.h"
#include "plan/properties.h"
#include "rdd/action.h"
#include "scheduler/cancel.h"

typedef enum kind { COLLECT, COUNT, TAKE, FOREACH, FOREACH_PARTITION } kind;

/* action: what is to be done. */
typedef struct action {
    kind kind;
    const spark_type *want;
    size_t n; /* to take */
    spark_foreach_def each;
    spark_foreach_partition_def whole;
    const spark_env *given;
    size_t env_size;
} action;

/* running: what is needed until the action has ended. */
typedef struct running {
    action action;
    spark_rdd *rdd;
    spk_env env;
    spk_properties properties; /* of the thread that started it */
    spk_started started;
} running;

/* thread_state: of the thread that drives the action. Under the context's scope_lock, as the list of
 * those that have ended. */
typedef enum thread_state { NO_THREAD, RUNNING, ENDED } thread_state;

struct spark_future {
    spk_object object;
    spark_context *sc;
    spark_site site;
    kind kind;
    atomic_int job;
    pthread_t thread;
    thread_state state;
    bool awaited; /* somebody joins the thread; it need not be listed */
    spark_future *next_ended, *prev_ended;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t done;
    running *running; /* NULL: it has ended */
    bool completed;
    const spk_failure *failure; /* NULL: it went well; &spk_no_memory is not its own */
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
    const running *r = f->running;
    const spark_env bound = { .kind = SPARK_ENV_REF,
        .data = r->env.value,
        .size = spk_env_bytes(r->action.env_size) };
    const spark_env *env = r->env.value ? &bound : NULL;
    switch (f->kind) {
    case COLLECT:
        return spark_collect(f->site, r->rdd, r->action.want, &f->result);
    case COUNT:
        return spark_count(f->site, r->rdd, &f->count);
    case TAKE:
        return spark_take(f->site, r->rdd, r->action.n, r->action.want, &f->result);
    case FOREACH:
        return spark_foreach(f->site, r->rdd, &r->action.each, env);
    default:
        return spark_foreach_partition(f->site, r->rdd, &r->action.whole, env);
    }
}

/* end_running: what only the action needed goes. */
static void end_running(spark_future *f)
{
    running *r = f->running;
    if (!r)
        return;
    if (f->state != NO_THREAD)
        spk_started_remove(f->sc, &r->started);
    pthread_mutex_lock(&f->lock);
    f->running = NULL;
    pthread_mutex_unlock(&f->lock);
    spk_env_fini(&r->env);
    spk_properties_fini(&r->properties);
    spk_rdd_unref(r->rdd);
    free(r);
}

static const spk_failure *keep(const spk_failure *failure)
{
    spk_failure *copy = failure ? malloc(sizeof *copy) : NULL;
    if (copy)
        *copy = *failure;
    return copy || !failure ? copy : &spk_no_memory;
}

static void complete(spark_future *f, const spk_failure *failure)
{
    const spk_failure *kept = keep(failure);
    end_running(f);
    pthread_mutex_lock(&f->lock);
    f->failure = kept;
    f->completed = true;
    void (*callback)(spark_future *, void *) = f->callback;
    pthread_cond_broadcast(&f->done);
    pthread_mutex_unlock(&f->lock);
    if (callback)
        callback(f, f->data);
}

/* ---- threads */

static void list_ended(spark_future *f)
{
    spark_context *sc = f->sc;
    pthread_mutex_lock(&sc->scope_lock);
    f->thread = pthread_self(); /* who started it may not have come to write it down */
    f->state = ENDED;
    if (!f->awaited) {
        f->prev_ended = NULL;
        f->next_ended = sc->ended;
        if (f->next_ended)
            f->next_ended->prev_ended = f;
        sc->ended = f;
    }
    pthread_mutex_unlock(&sc->scope_lock);
}

/* unlist: with the lock held. */
static void unlist(spark_future *f)
{
    *(f->prev_ended ? &f->prev_ended->next_ended : &f->sc->ended) = f->next_ended;
    if (f->next_ended)
        f->next_ended->prev_ended = f->prev_ended;
    f->state = NO_THREAD;
}

/* join_ended: the threads of futures that have ended. */
static void join_ended(spark_context *sc)
{
    bool more = true;
    while (more) {
        pthread_mutex_lock(&sc->scope_lock);
        spark_future *f = sc->ended;
        const pthread_t thread = f ? f->thread : pthread_self();
        more = f != NULL;
        if (f)
            unlist(f);
        pthread_mutex_unlock(&sc->scope_lock);
        if (more)
            pthread_join(thread, NULL);
    }
}

static void join(spark_future *f)
{
    if (getpid() != f->sc->process)
        return; /* in a child of fork there is no such thread */
    pthread_mutex_lock(&f->sc->scope_lock);
    const bool joins = f->state != NO_THREAD;
    const pthread_t thread = joins ? f->thread : pthread_self();
    f->awaited = joins;
    if (f->state == ENDED)
        unlist(f);
    pthread_mutex_unlock(&f->sc->scope_lock);
    if (joins)
        pthread_join(thread, NULL);
}

static void *drive(void *argument)
{
    spark_future *f = argument;
    spk_failure failure;
    spark_scope *scope = spark_scope_begin(f->sc);
    running *r = f->running;
    if (!scope || !spk_properties_set(f->sc, &r->properties, &r->started)) {
        spk_failure_nomem(&failure, "future", f->site);
        spark_scope_end(scope);
        complete(f, &failure);
    } else {
        const bool good = act(f) == SPARK_OK;
        if (!good)
            failure = *spk_last_failure();
        spark_scope_end(scope);
        complete(f, good ? NULL : &failure);
    }
    list_ended(f);
    return NULL;
}

static bool start_thread(spark_future *f)
{
    sigset_t before;
    pthread_t thread;
    spk_signals_block(&before);
    f->state = RUNNING;
    const bool good = spk_thread_start(f->sc->place, &thread, NULL, drive, f) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_mutex_lock(&f->sc->scope_lock);
    if (good)
        f->thread = thread;
    else
        f->state = NO_THREAD;
    pthread_mutex_unlock(&f->sc->scope_lock);
    return good;
}

static void async_release(spk_object *object)
{
    spark_future *f = (spark_future *)(void *)object;
    join(f);
    spark_array_free(&f->result);
    if (f->failure != &spk_no_memory) {
        void *failure;
        memcpy(&failure, &f->failure, sizeof failure);
        free(failure);
    }
    pthread_cond_destroy(&f->done);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

/* ---- starting */

/* check: whether the action can be started: with the RDD, and env bound to *bound. */
static spark_status check(const char *name, spark_site at, spark_rdd *rdd, const action *a,
    spk_env *bound, spk_failure *failure)
{
    *bound = (spk_env) { NULL, NULL, NULL, NULL };
    if (spk_env_bind(bound, a->given, a->env_size, failure) != SPARK_OK) {
        spk_failure_at(failure, name, at);
        return failure->code;
    }
    if (spk_task_current())
        return spk_failure_set(failure, SPARK_EINVAL, name, at,
            "%s at %s: an action inside a function of a task (SPARK-5063)", name, at);
    if (!rdd || rdd->error || spk_told_here(rdd->sc))
        return spk_job_check(rdd, name, at, failure);
    return spk_env_check(bound, rdd, name, at, failure);
}

/* new_future: in the scope of the context; NULL: no memory. */
static spark_future *new_future(spark_context *sc, spark_site at, kind what)
{
    spark_future *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->sc = sc;
    f->site = at;
    f->kind = what;
    atomic_init(&f->job, -1);
    pthread_mutex_init(&f->lock, NULL);
    spk_deadline_cond_init(&f->done);
    spk_scope_add(sc, &f->object, async_release);
    return f;
}

/* set_running: takes env. */
static spark_status set_running(spark_future *f, const char *name, spark_rdd *rdd, const action *a,
    spk_env *env, spk_failure *failure)
{
    running *r = calloc(1, sizeof *r);
    if (!r || !spk_properties_now(f->sc, &r->properties)) {
        free(r);
        spk_env_fini(env);
        return spk_failure_nomem(failure, name, f->site);
    }
    r->action = *a;
    r->action.given = NULL;
    r->env = *env;
    r->rdd = rdd;
    spk_rdd_ref(rdd);
    r->started = (spk_started) { .properties = &r->properties, .job = &f->job };
    f->running = r;
    spk_started_add(f->sc, &r->started);
    if (start_thread(f))
        return SPARK_OK;
    spk_started_remove(f->sc, &r->started);
    return spk_failure_set(failure, SPARK_ENOMEM, name, f->site,
        "%s at %s: no thread could be started", name, f->site);
}

static spark_future *start(const char *name, spark_site at, spark_rdd *rdd, const action *a)
{
    spk_failure failure;
    spk_env env;
    spark_status status = check(name, at, rdd, a, &env, &failure);
    spark_context *sc = rdd ? rdd->sc : NULL;
    const bool scoped = sc && sc->root.sc; /* what stands for no context has no scope */
    spark_future *f = scoped ? new_future(sc, at, a->kind) : NULL;
    if (!f || status != SPARK_OK)
        spk_env_fini(&env);
    if (!f) {
        if (status != SPARK_OK)
            spk_raise(&failure);
        return hopeless(scoped || (status != SPARK_OK && failure.code == SPARK_ENOMEM) ? 0 : 1);
    }
    join_ended(sc);
    if (status == SPARK_OK)
        status = set_running(f, name, rdd, a, &env, &failure);
    if (status != SPARK_OK)
        complete(f, &failure);
    return f;
}

spark_future *spark_collect_async(spark_site at, spark_rdd *rdd, const spark_type *want)
{
    const action a = { .kind = COLLECT, .want = want };
    return start("collect", at, rdd, &a);
}

spark_future *spark_count_async(spark_site at, spark_rdd *rdd)
{
    const action a = { .kind = COUNT };
    return start("count", at, rdd, &a);
}

spark_future *spark_take_async(spark_site at, spark_rdd *rdd, size_t n, const spark_type *want)
{
    const action a = { .kind = TAKE, .n = n, .want = want };
    return start("take", at, rdd, &a);
}

spark_future *spark_foreach_async(
    spark_site at, spark_rdd *rdd, const spark_foreach_def *def, const spark_env *env)
{
    action a = { .kind = FOREACH, .given = env };
    if (def) {
        a.each = *def;
        a.env_size = def->env_size;
    }
    return start("foreach", at, rdd, &a);
}

spark_future *spark_foreach_partition_async(
    spark_site at, spark_rdd *rdd, const spark_foreach_partition_def *def, const spark_env *env)
{
    action a = { .kind = FOREACH_PARTITION, .given = env };
    if (def) {
        a.whole = *def;
        a.env_size = def->env_size;
    }
    return start("foreachPartition", at, rdd, &a);
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
    const spk_failure *failure = f->failure;
    pthread_mutex_unlock(&f->lock);
    join_ended(f->sc);
    if (!done)
        return spk_raisef(SPARK_ETIMEOUT, "future", f->site,
            "the action at %s still runs after %lld ms", f->site, (long long)timeout_ms);
    return failure ? spk_raise(failure) : SPARK_OK;
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
    pthread_mutex_lock(&f->lock);
    if (f->running)
        spk_started_cancel(f->sc, &f->running->started);
    pthread_mutex_unlock(&f->lock);
}

int spark_future_job(const spark_future *f)
{
    return f && !is_nothing(f) ? atomic_load(&f->job) : -1;
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
