/* SPDX-License-Identifier: Apache-2.0 */
/* Persistence: marks on nodes, and what is known of their blocks. The first mark of a context
 * brings what tasks need for it (exec/fill.c). */
#include <spark/storage.h>

#include <stdlib.h>

#include "base/list.h"
#include "exec/fill.h"
#include "plan/listening.h"
#include "rdd/action.h"
#include "scheduler/park.h"

static bool is_level(spark_level level)
{
    return level >= SPARK_MEMORY_ONLY && level <= SPARK_DISK_ONLY;
}

const char *spark_level_name(spark_level level)
{
    static const char *const names[] = { "NONE", "MEMORY_ONLY", "MEMORY_AND_DISK",
        "MEMORY_ONLY_SER", "MEMORY_AND_DISK_SER", "DISK_ONLY" };
    return is_level(level) ? names[level] : names[0];
}

/* mark: with the plan's lock held. */
static spark_status mark(spark_rdd *rdd, spark_level level)
{
    const int now = atomic_load(&rdd->level);
    if (now != 0)
        return now == (int)level ? SPARK_OK : SPARK_EINVAL;
    if (!rdd->blocks)
        rdd->blocks = spk_blocks_new(rdd, level);
    if (!rdd->blocks)
        return SPARK_ENOMEM;
    if (!rdd->sc->caching)
        rdd->sc->caching = &spk_cached_chains;
    atomic_store(&rdd->sc->parking, &spk_parked_tasks);
    atomic_store(&rdd->blocks->level, (int)level);
    atomic_store_explicit(&rdd->level, (int)level, memory_order_release);
    atomic_fetch_add(&rdd->sc->persist_epoch, 1);
    return SPARK_OK;
}

spark_rdd *spark_persist(spark_site at, spark_rdd *rdd, spark_level level)
{
    spark_rdd *bad = spk_rdd_broken(rdd, "persist", at);
    const spark_level wanted = level == SPARK_DEFAULT_LEVEL ? SPARK_MEMORY_ONLY : level;
    if (bad)
        return bad;
    if (!is_level(wanted))
        return spk_rdd_errorf(
            rdd->sc, SPARK_EINVAL, "persist", NULL, at, "there is no storage level %d", (int)level);
    pthread_mutex_lock(&rdd->sc->plan_lock);
    const spark_status status = mark(rdd, wanted);
    pthread_mutex_unlock(&rdd->sc->plan_lock);
    if (status == SPARK_EINVAL)
        return spk_rdd_errorf(rdd->sc, status, "persist", NULL, at,
            "Cannot change storage level of an RDD after it was already assigned a level: %s is "
            "wanted, it has %s; spark_unpersist it first",
            spark_level_name(wanted), spark_level_name(spark_rdd_storage_level(rdd)));
    return status == SPARK_OK
        ? rdd
        : spk_rdd_errorf(rdd->sc, status, "persist", NULL, at, "out of memory");
}

spark_rdd *spark_cache(spark_site at, spark_rdd *rdd)
{
    return spark_persist(at, rdd, SPARK_DEFAULT_LEVEL);
}

spark_rdd *spark_unpersist(spark_site at, spark_rdd *rdd)
{
    spark_rdd *bad = spk_rdd_broken(rdd, "unpersist", at);
    if (bad)
        return bad;
    pthread_mutex_lock(&rdd->sc->plan_lock);
    atomic_store(&rdd->level, 0);
    atomic_fetch_add(&rdd->sc->persist_epoch, 1);
    spk_block_set *blocks = rdd->blocks;
    if (blocks)
        atomic_store(&blocks->level, 0);
    pthread_mutex_unlock(&rdd->sc->plan_lock);
    if (blocks)
        spk_blocks_clear(blocks);
    const spk_listening *heard = blocks ? spk_heard_by(rdd->sc) : NULL;
    if (heard)
        heard->unpersisted(rdd);
    return rdd;
}

bool spark_rdd_is_persisted(const spark_rdd *rdd)
{
    return rdd && !rdd->error && atomic_load(&rdd->level) != 0;
}

spark_level spark_rdd_storage_level(const spark_rdd *rdd)
{
    return rdd && !rdd->error ? (spark_level)atomic_load(&rdd->level) : SPARK_DEFAULT_LEVEL;
}

/* ---- information */

/* tell: blocks: of the RDD, or NULL. */
static void tell(const spark_rdd *rdd, const spk_block_set *blocks, spark_storage_info *info)
{
    *info = (spark_storage_info) { .rdd = rdd->id,
        .name = rdd->name,
        .level = spark_rdd_storage_level(rdd),
        .partitions = spk_rdd_partitions(rdd) };
    if (!blocks)
        return;
    info->cached_partitions = spk_blocks_present(blocks);
    info->memory_partitions = atomic_load(&blocks->in_memory);
    info->disk_partitions = atomic_load(&blocks->on_disk);
    info->memory_bytes = atomic_load(&blocks->memory_bytes);
    info->disk_bytes = atomic_load(&blocks->disk_bytes);
}

spark_status spark_rdd_storage_info(const spark_rdd *rdd, spark_storage_info *info)
{
    const spark_status status = spark_rdd_status(rdd);
    if (!info)
        return spk_raisef(
            SPARK_EINVAL, "getStorageInfo", NULL, "there is no room for the information");
    *info = (spark_storage_info) { .rdd = -1, .partitions = -1 };
    if (status == SPARK_OK)
        tell(rdd, rdd->blocks, info);
    return status;
}

int spark_rdd_cached_partitions(spark_rdd *rdd)
{
    return rdd && rdd->blocks ? spk_blocks_present(rdd->blocks) : 0;
}

uint64_t spark_rdd_cached_bytes(const spark_rdd *rdd)
{
    return rdd && rdd->blocks ? atomic_load(&rdd->blocks->memory_bytes) : 0;
}

static int by_id(const void *a, const void *b)
{
    const spk_block_set *const *x = a, *const *y = b;
    const int left = (*x)->rdd->id, right = (*y)->rdd->id;
    return (left > right) - (left < right);
}

static bool has_blocks(const spk_block_set *blocks)
{
    return spk_blocks_present(blocks) > 0;
}

static bool is_held(const spk_block_set *blocks)
{
    return blocks->rdd->held && spark_rdd_is_persisted(blocks->rdd);
}

/* sets: those that are wanted, in the order of their RDDs, which stay as long as the scope's lock
 * is held, and it is. False: no memory. */
static bool sets(
    const spark_context *sc, bool (*wanted)(const spk_block_set *blocks), spk_list *list)
{
    for (spk_block_set *blocks = sc->persisted; blocks; blocks = blocks->next)
        if (wanted(blocks) && !spk_list_add(list, blocks))
            return false;
    if (list->n > 1)
        qsort(list->at, list->n, sizeof *list->at, by_id);
    return true;
}

static size_t no_memory(const char *operation)
{
    spk_raisef(SPARK_ENOMEM, operation, NULL, "%s: out of memory", operation);
    return 0;
}

size_t spark_storage_infos(spark_context *sc, spark_storage_info *infos, size_t max)
{
    spk_list list = { NULL, 0, 0 };
    if (!sc || sc->error)
        return 0;
    pthread_mutex_lock(&sc->scope_lock);
    const bool good = sets(sc, has_blocks, &list);
    const size_t n = list.n;
    for (size_t i = 0; good && infos && i < n && i < max; i++)
        tell(((const spk_block_set *)list.at[i])->rdd, list.at[i], &infos[i]);
    pthread_mutex_unlock(&sc->scope_lock);
    free(list.at);
    return good ? n : no_memory("getRDDStorageInfo");
}

size_t spark_persistent_rdds(spark_context *sc, spark_rdd **rdds, size_t max)
{
    spk_list list = { NULL, 0, 0 };
    if (!sc || sc->error)
        return 0;
    pthread_mutex_lock(&sc->scope_lock);
    const bool good = sets(sc, is_held, &list);
    const size_t n = list.n;
    for (size_t i = 0; good && rdds && i < n && i < max; i++)
        rdds[i] = ((const spk_block_set *)list.at[i])->rdd;
    pthread_mutex_unlock(&sc->scope_lock);
    free(list.at);
    return good ? n : no_memory("getPersistentRDDs");
}
