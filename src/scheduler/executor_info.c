/* SPDX-License-Identifier: Apache-2.0 */
/* What programs see of executors, and how they end one. What each holds is counted when somebody asks,
 * so that nothing is paid for it before. */
#include <spark/executor.h>

#include <stdlib.h>
#include <unistd.h>

#include "plan/shuffle.h"
#include "scheduler/park.h"

/* listing: infos, and the stores they are of. */
typedef struct listing {
    spark_executor_info *infos;
    const spk_store **stores;
    size_t n, max;
} listing;

static void list(void *arg, const spk_executor *executor)
{
    listing *l = arg;
    uint64_t peak;
    if (l->n++ >= l->max)
        return;
    spark_executor_info *info = &l->infos[l->n - 1];
    l->stores[l->n - 1] = &executor->store;
    *info = (spark_executor_info) {
        .state = atomic_load(&executor->lost) ? SPARK_EXECUTOR_LOST : SPARK_EXECUTOR_ALIVE,
        .threads = executor->threads,
        .busy = executor->busy + executor->lent,
        .memory_limit = executor->store.heap->limit,
    };
    spk_executor_count(executor, &info->tasks_run, &info->tasks_failed);
    if (!executor->gone)
        info->memory_used = spk_heap_used(executor->store.heap, &peak);
    snprintf(info->id, sizeof info->id, "%s", executor->name);
    snprintf(info->reason, sizeof info->reason, "%s", executor->reason);
}

/* info_of: NULL: of a store that is not listed. */
static spark_executor_info *info_of(const listing *l, const spk_store *store)
{
    for (size_t i = 0; i < l->n && i < l->max; i++)
        if (l->stores[i] == store)
            return &l->infos[i];
    return NULL;
}

static void count_block(void *arg, const spk_block *block)
{
    spark_executor_info *info = info_of(arg, block->tenant->store);
    if (!info)
        return;
    info->blocks++;
    info->cached_bytes += spk_block_in_memory(block) ? block->rows.bytes : 0;
}

static void count_outputs(spark_context *sc, const listing *l)
{
    pthread_mutex_lock(&sc->scope_lock);
    for (spk_shuffle *shuffle = sc->filled; shuffle; shuffle = shuffle->next_filled) {
        spk_shuffle_enter(shuffle);
        for (int m = 0; m < shuffle->maps; m++) {
            const spk_map_output *output = atomic_load(&shuffle->outputs[m]);
            spark_executor_info *info = output ? info_of(l, output->store) : NULL;
            if (info)
                info->outputs++;
        }
        spk_shuffle_leave(shuffle);
    }
    pthread_mutex_unlock(&sc->scope_lock);
}

size_t spark_executors(spark_context *sc, spark_executor_info *infos, size_t max)
{
    listing l = { .infos = infos, .max = infos ? max : 0 };
    if (!sc || !sc->scheduler)
        return 0;
    l.stores = calloc(l.max + 1, sizeof *l.stores);
    if (!l.stores)
        l.max = 0;
    spk_pool_visit(sc->scheduler->pool, list, &l);
    const spk_parking *parking = atomic_load(&sc->parking);
    if (parking)
        parking->visit(sc, count_block, &l);
    count_outputs(sc, &l);
    free(l.stores);
    return l.n;
}

spark_status spark_kill_executor(spark_context *sc, const char *id, const char *reason)
{
    spk_failure failure;
    if (!sc || !id)
        return spk_raisef(SPARK_EINVAL, "killExecutor", NULL, "no context, or no id");
    if (sc->error)
        return spk_raise(sc->error);
    if (getpid() != sc->process)
        return spk_raisef(SPARK_EINVAL, "killExecutor", NULL,
            "the context belongs to process %ld, which this one is a fork of: its threads are not here",
            (long)sc->process);
    if (spk_lose_executor(sc->scheduler, id, reason ? reason : "killed", &failure) == SPARK_OK)
        return SPARK_OK;
    return spk_raise(&failure);
}
