/* SPDX-License-Identifier: Apache-2.0 */
/* Cancelling by signals. A handler may do next to nothing, so it only posts a semaphore (the one
 * call of the kind that is safe there); a thread that waits for it cancels, as any thread may. What a
 * handler reaches has to be static, for signals are of the process: this and exec/crash are the
 * library's only such state, and programs that do not ask for it do not have it. */
#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>

#include <spark/async.h>

#include "base/sys.h"
#include "scheduler/stage.h"

enum { MOST_SIGNALS = 8, WATCHER_STACK = 256 * 1024 };

/* watched: a signal that some context wants. unanswered: how often it came since a job last began. */
typedef struct watched {
    atomic_int signal; /* 0: free */
    atomic_int unanswered;
    atomic_bool fresh; /* the thread has not seen it */
    int users;
    struct sigaction before;
} watched;

typedef struct watch {
    struct watch *next;
    spark_context *sc;
    watched *of;
} watch;

static struct {
    pthread_mutex_t changes; /* of what is watched, one after the other */
    pthread_mutex_t lock;    /* guards the list */
    watch *first;
    watched at[MOST_SIGNALS];
    bool ready; /* there is a semaphore */
    sem_t arrived;
    atomic_bool stop;
    pthread_t thread;
} spk_signal_state = { .changes = PTHREAD_MUTEX_INITIALIZER, .lock = PTHREAD_MUTEX_INITIALIZER };

static void on_signal(int signal)
{
    const int saved = errno;
    for (int i = 0; i < MOST_SIGNALS; i++) {
        watched *w = &spk_signal_state.at[i];
        if (atomic_load(&w->signal) != signal)
            continue;
        if (atomic_fetch_add(&w->unanswered, 1) == 0) {
            atomic_store(&w->fresh, true);
            sem_post(&spk_signal_state.arrived);
        } else { /* it did not help */
            sigaction(signal, &w->before, NULL);
            raise(signal);
        }
    }
    errno = saved;
}

static void rearm(void)
{
    for (int i = 0; i < MOST_SIGNALS; i++)
        atomic_store(&spk_signal_state.at[i].unanswered, 0);
}

/* ---- the thread */

static void describe(int signal, char *text, size_t size)
{
    static const struct {
        int signal;
        const char *name;
    } names[] = { { SIGINT, " (SIGINT)" }, { SIGTERM, " (SIGTERM)" }, { SIGHUP, " (SIGHUP)" },
        { SIGQUIT, " (SIGQUIT)" } };
    const char *name = "";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].signal == signal)
            name = names[i].name;
    snprintf(text, size, "by signal %d%s", signal, name);
}

static void cancel_watching(const watched *w)
{
    char reason[80];
    describe(atomic_load(&w->signal), reason, sizeof reason);
    pthread_mutex_lock(&spk_signal_state.lock);
    for (const watch *at = spk_signal_state.first; at; at = at->next)
        if (at->of == w)
            spk_interrupt(at->sc, reason);
    pthread_mutex_unlock(&spk_signal_state.lock);
}

static void *watch_signals(void *argument)
{
    while (!atomic_load(&spk_signal_state.stop)) {
        if (sem_wait(&spk_signal_state.arrived) != 0)
            continue;
        for (int i = 0; i < MOST_SIGNALS; i++)
            if (atomic_exchange(&spk_signal_state.at[i].fresh, false))
                cancel_watching(&spk_signal_state.at[i]);
    }
    return argument;
}

static bool start_watching(const spark_context *sc)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    if (!spk_signal_state.ready && sem_init(&spk_signal_state.arrived, 0, 0) != 0)
        return false;
    spk_signal_state.ready = true; /* for good: a handler may still be on its way to it */
    if (pthread_attr_init(&attributes) != 0)
        return false;
    atomic_store(&spk_signal_state.stop, false);
    pthread_attr_setstacksize(&attributes, WATCHER_STACK);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int refused = spk_thread_start(
        sc->place, &spk_signal_state.thread, &attributes, watch_signals, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return !refused;
}

static void stop_watching(void)
{
    atomic_store(&spk_signal_state.stop, true);
    sem_post(&spk_signal_state.arrived);
    pthread_join(spk_signal_state.thread, NULL);
}

/* ---- who watches what; `changes` is held */

static bool handle(watched *w, int signal)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    sigemptyset(&action.sa_mask);
    if (sigaction(signal, NULL, &w->before) != 0)
        return false;
    atomic_store(&w->unanswered, 0);
    atomic_store(&w->signal, signal);
    if (sigaction(signal, &action, NULL) == 0)
        return true;
    atomic_store(&w->signal, 0);
    return false;
}

/* unhandle: what was there before comes back, unless somebody has put something else there. */
static void unhandle(watched *w)
{
    struct sigaction now;
    const int signal = atomic_load(&w->signal);
    if (sigaction(signal, NULL, &now) == 0 && now.sa_handler == on_signal)
        sigaction(signal, &w->before, NULL);
    atomic_store(&w->signal, 0);
}

static watched *find_watched(int signal)
{
    watched *free = NULL;
    for (int i = MOST_SIGNALS; i-- > 0;) {
        watched *w = &spk_signal_state.at[i];
        if (atomic_load(&w->signal) == signal)
            return w;
        if (atomic_load(&w->signal) == 0)
            free = w;
    }
    return free;
}

static bool watches(const spark_context *sc, const watched *w)
{
    const watch *at = spk_signal_state.first;
    while (at && !(at->sc == sc && at->of == w))
        at = at->next;
    return at != NULL;
}

static void leave_signals(spark_context *sc)
{
    pthread_mutex_lock(&spk_signal_state.changes);
    for (watch **link = &spk_signal_state.first; *link;) {
        watch *at = *link;
        if (at->sc != sc) {
            link = &at->next;
            continue;
        }
        pthread_mutex_lock(&spk_signal_state.lock);
        *link = at->next;
        pthread_mutex_unlock(&spk_signal_state.lock);
        if (--at->of->users == 0)
            unhandle(at->of);
        free(at);
    }
    if (!spk_signal_state.first)
        stop_watching();
    pthread_mutex_unlock(&spk_signal_state.changes);
}

static spark_status add_watch(spark_context *sc, int signal, spk_failure *failure)
{
    static const char name[] = "cancelOnSignal";
    watched *w = find_watched(signal);
    const bool first = !spk_signal_state.first;
    if (w && watches(sc, w))
        return SPARK_OK;
    if (!w)
        return spk_failure_set(failure, SPARK_EINVAL, name, NULL,
            "%s: signal %d: %d other signals cancel jobs already, and no more can", name, signal,
            MOST_SIGNALS);
    watch *at = malloc(sizeof *at);
    if (!at || (first && !start_watching(sc))) {
        free(at);
        return spk_failure_nomem(failure, name, NULL);
    }
    if (w->users == 0 && !handle(w, signal)) {
        free(at);
        if (first)
            stop_watching();
        return spk_failure_set(failure, SPARK_EINVAL, name, NULL,
            "%s: signal %d is none, or none that can be handled", name, signal);
    }
    w->users++;
    *at = (watch) { NULL, sc, w };
    pthread_mutex_lock(&spk_signal_state.lock);
    at->next = spk_signal_state.first;
    spk_signal_state.first = at;
    pthread_mutex_unlock(&spk_signal_state.lock);
    pthread_mutex_lock(&sc->scheduler->lock);
    sc->rearm = rearm;
    sc->leave_signals = leave_signals;
    pthread_mutex_unlock(&sc->scheduler->lock);
    return SPARK_OK;
}

spark_status spark_cancel_on_signal(spark_context *sc, int signal)
{
    spk_failure failure;
    if (!sc || sc->error)
        return spk_raise(sc ? sc->error : &spk_of_nothing);
    if (signal <= 0)
        return spk_raisef(SPARK_EINVAL, "cancelOnSignal", NULL,
            "cancelOnSignal: signal %d is none, or none that can be handled", signal);
    pthread_mutex_lock(&spk_signal_state.changes);
    const spark_status status = add_watch(sc, signal, &failure);
    pthread_mutex_unlock(&spk_signal_state.changes);
    return status == SPARK_OK ? SPARK_OK : spk_raise(&failure);
}
