/* SPDX-License-Identifier: Apache-2.0 */
/* Properties of an RDD, and persistence. */
#include <stdlib.h>

#include "plan/partitioner.h"
#include "rdd/action.h"
#include "scheduler/lineage.h"

int spark_rdd_id(const spark_rdd *rdd)
{
    return rdd ? rdd->id : -1;
}

const char *spark_rdd_name(const spark_rdd *rdd)
{
    return rdd ? rdd->name : NULL;
}

spark_rdd *spark_rdd_set_name(spark_rdd *rdd, const char *name)
{
    if (!rdd || rdd->error)
        return rdd;
    if (!name) {
        free(rdd->name);
        rdd->name = NULL;
        return rdd;
    }
    const size_t size = strlen(name) + 1;
    char *copy = malloc(size);
    if (copy) { /* without memory the name stays what it was */
        memcpy(copy, name, size);
        free(rdd->name);
        rdd->name = copy;
    }
    return rdd;
}

const spark_type *spark_rdd_type(const spark_rdd *rdd)
{
    return rdd && rdd->layout ? rdd->layout->type : NULL;
}

spark_status spark_rdd_status(const spark_rdd *rdd)
{
    if (!rdd)
        return spk_raisef(SPARK_EINVAL, NULL, NULL, "the RDD is NULL");
    return rdd->error ? spk_raise(rdd->error) : SPARK_OK;
}

spark_context *spark_rdd_context(const spark_rdd *rdd)
{
    return rdd ? rdd->sc : NULL;
}

int spark_rdd_partitions(spark_site at, spark_rdd *rdd)
{
    spk_failure failure;
    if (spk_job_check(rdd, "getNumPartitions", at, &failure) != SPARK_OK) {
        spk_raise(&failure);
        return -1;
    }
    return spk_rdd_partitions(rdd);
}

const spark_partitioner *spark_rdd_partitioner(const spark_rdd *rdd)
{
    spark_rdd *node;
    const spark_partitioner *placed = NULL;
    spk_failure failure;
    memcpy(&node, &rdd, sizeof node);
    if (rdd && !rdd->error && spk_rdd_placed(node, &placed, &failure) != SPARK_OK)
        return spk_raise(&failure), NULL;
    return placed;
}

spark_rdd *spark_persist(spark_site at, spark_rdd *rdd, spark_level level)
{
    spark_rdd *bad = spk_rdd_broken(rdd, "persist", at);
    const int wanted = level == SPARK_DEFAULT_LEVEL ? SPARK_MEMORY_ONLY : (int)level;
    if (bad)
        return bad;
    if (wanted != SPARK_MEMORY_ONLY)
        return spk_rdd_errorf(
            rdd->sc, SPARK_EINVAL, "persist", NULL, at, "there is no storage level %d", (int)level);
    pthread_mutex_lock(&rdd->sc->plan_lock);
    if (!rdd->blocks)
        rdd->blocks = spk_blocks_new(rdd->sc);
    if (rdd->blocks)
        atomic_store_explicit(&rdd->level, wanted, memory_order_release);
    atomic_fetch_add(&rdd->sc->persist_epoch, 1);
    pthread_mutex_unlock(&rdd->sc->plan_lock);
    return rdd->blocks
        ? rdd
        : spk_rdd_errorf(rdd->sc, SPARK_ENOMEM, "persist", NULL, at, "out of memory");
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
    atomic_store(&rdd->level, 0);
    atomic_fetch_add(&rdd->sc->persist_epoch, 1);
    if (rdd->blocks)
        spk_blocks_clear(rdd->blocks);
    return rdd;
}

bool spark_rdd_is_persisted(const spark_rdd *rdd)
{
    return rdd && !rdd->error && atomic_load(&rdd->level) != 0;
}

int spark_rdd_cached_partitions(spark_rdd *rdd)
{
    return rdd && rdd->blocks ? spk_blocks_present(rdd->blocks) : 0;
}

uint64_t spark_rdd_cached_bytes(const spark_rdd *rdd)
{
    return rdd && rdd->blocks ? spk_blocks_bytes(rdd->blocks) : 0;
}

bool spark_drop_block(spark_rdd *rdd, int partition)
{
    return rdd && rdd->blocks && spk_blocks_drop(rdd->blocks, partition);
}

bool spark_drop_shuffle_output(spark_rdd *rdd, int output)
{
    bool dropped = false;
    if (!rdd || rdd->error)
        return false;
    pthread_mutex_lock(&rdd->sc->plan_lock);
    for (uint32_t i = 0; i < rdd->n_deps; i++)
        if (rdd->deps[i].shuffle && spk_shuffle_drop(rdd->deps[i].shuffle, output))
            dropped = true;
    pthread_mutex_unlock(&rdd->sc->plan_lock);
    return dropped;
}

static bool clean(spark_rdd *rdd)
{
    pthread_mutex_lock(&rdd->sc->plan_lock);
    const bool good = spk_shuffles_clean(rdd);
    pthread_mutex_unlock(&rdd->sc->plan_lock);
    return good;
}

spark_status spark_clean_shuffle_dependencies(spark_site at, spark_rdd *rdd)
{
    spk_failure failure;
    spark_status status = SPARK_OK;
    if (!rdd || rdd->error)
        status = rdd ? (failure = *rdd->error).code
                     : spk_failure_set(&failure, SPARK_EINVAL, "cleanShuffleDependencies", at,
                         "cleanShuffleDependencies at %s: the RDD is NULL", at);
    else
        status
            = clean(rdd) ? SPARK_OK : spk_failure_nomem(&failure, "cleanShuffleDependencies", at);
    return spk_action_end(status, &failure, "cleanShuffleDependencies", at);
}

/* dependencies: how many there are; the i-th in *dep. */
static size_t dependencies(const spark_rdd *rdd, size_t i, spk_dep *dep)
{
    if (!rdd || rdd->error)
        return 0;
    pthread_mutex_lock(&rdd->sc->plan_lock);
    const size_t n = rdd->n_deps;
    if (i < n)
        *dep = rdd->deps[i];
    pthread_mutex_unlock(&rdd->sc->plan_lock);
    return n;
}

size_t spark_rdd_n_dependencies(const spark_rdd *rdd)
{
    spk_dep dep;
    return dependencies(rdd, 0, &dep);
}

spark_rdd *spark_rdd_dependency(const spark_rdd *rdd, size_t i, bool *shuffle)
{
    spk_dep dep = { NULL, NULL };
    dependencies(rdd, i, &dep);
    if (shuffle)
        *shuffle = dep.shuffle != NULL;
    return dep.rdd;
}

spark_level spark_rdd_storage_level(const spark_rdd *rdd)
{
    return rdd && !rdd->error && atomic_load(&rdd->level) ? SPARK_MEMORY_ONLY : SPARK_DEFAULT_LEVEL;
}
