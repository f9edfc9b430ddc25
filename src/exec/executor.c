/* SPDX-License-Identifier: Apache-2.0 */
/* The threads of an executor, and what they work in. */
#include "base/small.h"

#include "exec/executor.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/signals.h"
#include "base/sys.h"

static spark_task *new_task(spk_executor *executor, spark_context *sc)
{
    spark_task *task = spk_task_new_in(sc, &executor->store);
    if (task)
        task->executor = executor;
    return task;
}

/* start: one worker, with all signals blocked: they are the application's. */
static bool start(spk_worker *w, const spk_executor_spec *spec)
{
    pthread_attr_t attributes;
    sigset_t before;
    w->task = new_task(w->executor, spec->sc);
    if (w->task)
        w->task->worker = (int)(w - w->executor->workers);
    if (!w->task || pthread_attr_init(&attributes) != 0) {
        spk_task_free(w->task);
        return false;
    }
    spk_signals_block(&before);
    const int refused = pthread_attr_setstacksize(&attributes, spec->sc->stack_bytes)
        || spk_thread_start(spec->sc->place, &w->thread, &attributes, spec->work, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (refused)
        spk_task_free(w->task);
    return !refused;
}

enum { FLOOR = 16 * 1024 * 1024 };

/* How many attempts find the memory that each may need to get on (windows, a shard, the
 * buffers of a chain, all of them twice while they grow) in the half of the limit that is not for what
 * they leave behind. Less memory means fewer tasks at once; one may always run. What they leave behind goes to disk
 * while a quarter more than that is free, for parcels that are not written yet lie beside it: an eighth of the
 * limit. */
void spk_executor_share(spk_executor *executor)
{
    spk_heap *heap = executor->store.heap;
    const uint64_t half = heap->limit / 2, fit = half / FLOOR;
    executor->most = executor->n;
    if (heap->limit > 0 && fit < (uint64_t)executor->n)
        executor->most = fit > 0 ? (int)fit : 1;
    const uint64_t floor = (uint64_t)executor->most * (FLOOR + FLOOR / 4), most = half + half / 4;
    atomic_store_explicit(&heap->floor, floor < most ? floor : most, memory_order_relaxed);
}

SPK_COLD spk_executor *spk_executor_new(const spk_executor_spec *spec)
{
    spark_context *sc = spec->sc;
    spk_executor *executor = calloc(1, sizeof *executor);
    if (executor)
        executor->workers = calloc((size_t)spec->threads, sizeof *executor->workers);
    if (!executor || !executor->workers) {
        free(executor);
        return NULL;
    }
    executor->pool = spec->pool;
    if (spec->number < 0)
        memcpy(executor->name, "driver", sizeof "driver");
    else
        snprintf(executor->name, sizeof executor->name, "%d", spec->number);
    spk_heap_init(&executor->heap, sc->executor_bytes);
    executor->heap.place = sc->place;
    spk_store_init(
        &executor->store, sc->executors > 0 ? &executor->heap : &sc->heap, sc->local_dir);
    while (executor->n < spec->threads) {
        spk_worker *w = &executor->workers[executor->n];
        w->executor = executor;
        if (!start(w, spec))
            break;
        executor->n++;
        executor->running++;
    }
    executor->threads = executor->n;
    spk_executor_share(executor);
    if (executor->n > 0)
        return executor;
    spk_executor_free(executor);
    return NULL;
}

spark_task *spk_executor_spare(spk_executor *executor, spark_context *sc)
{
    if (!executor->spare)
        executor->spare = new_task(executor, sc);
    return executor->spare;
}

void spk_executor_count(const spk_executor *executor, int64_t *done, int64_t *failed)
{
    *done = executor->done;
    *failed = executor->failed;
    for (int i = -1; i < executor->n; i++) {
        const spark_task *task = spk_executor_task(executor, i);
        *done += task ? atomic_load_explicit(&task->turn.n_done, memory_order_relaxed) : 0;
        *failed += task ? atomic_load_explicit(&task->turn.n_failed, memory_order_relaxed) : 0;
    }
}

void spk_executor_stop(spk_executor *executor)
{
    for (int i = 0; i < executor->n; i++)
        pthread_join(executor->workers[i].thread, NULL);
    spk_executor_count(executor, &executor->done, &executor->failed);
    for (int i = -1; i < executor->n; i++)
        spk_task_free(spk_executor_task(executor, i));
    free(executor->workers);
    executor->workers = NULL;
    executor->n = 0;
    executor->spare = NULL;
}

bool spk_executor_empty(spk_executor *executor)
{
    uint64_t peak;
    const bool alone = executor->store.heap != &executor->heap;
    if (!alone)
        spk_heap_trim(&executor->heap);
    return spk_spill_close(&executor->store.spill)
        && (alone || spk_heap_used(&executor->heap, &peak) == 0);
}

void spk_executor_free(spk_executor *executor)
{
    spk_executor_stop(executor);
    spk_store_fini(&executor->store);
    spk_heap_fini(&executor->heap);
    for (spk_failed *f = executor->failed_tasks, *next; f; f = next) {
        next = f->next;
        free(f);
    }
    free(executor);
}

const char *spark_task_executor(const spark_task *task)
{
    return task->executor ? task->executor->name : "driver";
}
