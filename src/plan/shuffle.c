/* SPDX-License-Identifier: Apache-2.0 */
/* The description of a shuffle and the slots its outputs are published in. */
#include "plan/shuffle.h"

#include <stdlib.h>

uint32_t spk_slices_for(int partitions)
{
    uint32_t slices = 1;
    while ((uint64_t)slices * (uint64_t)(partitions > 0 ? partitions : 1) < 256)
        slices *= 2;
    return slices;
}

#define READ(T)                                                                                    \
    {                                                                                              \
        T x;                                                                                       \
        memcpy(&x, row, sizeof x);                                                                 \
        return (uint64_t)x;                                                                        \
    }

uint64_t spk_dense_key(const spk_layout *key, const void *row)
{
    switch (key->type->kind) {
    case SPARK_KIND_I8:
        READ(int8_t)
    case SPARK_KIND_U8:
        READ(uint8_t)
    case SPARK_KIND_I16:
        READ(int16_t)
    case SPARK_KIND_U16:
        READ(uint16_t)
    case SPARK_KIND_I32:
    case SPARK_KIND_DATE:
        READ(int32_t)
    case SPARK_KIND_U32:
        READ(uint32_t)
    default:
        READ(uint64_t)
    }
}

#define WRITE(T)                                                                                   \
    {                                                                                              \
        const T small = (T)value;                                                                  \
        memcpy(row, &small, sizeof small);                                                         \
        break;                                                                                     \
    }

void spk_dense_key_put(const spk_layout *key, void *row, uint64_t value)
{
    switch (key->size) {
    case 1:
        WRITE(uint8_t)
    case 2:
        WRITE(uint16_t)
    case 4:
        WRITE(uint32_t)
    default:
        WRITE(uint64_t)
    }
}

static uint64_t dense_slices(const spark_partitioner *p)
{
    return (uint64_t)p->partitions * spk_slices_for(p->partitions);
}

int spk_dense_shift(const spark_partitioner *p)
{
    return __builtin_clzll(dense_slices(p));
}

uint64_t spk_dense_scale(const spark_partitioner *p)
{
    return (dense_slices(p) << spk_dense_shift(p)) / p->keys;
}

uint64_t spk_dense_first(const spark_partitioner *p, uint64_t slice)
{
    const uint64_t scale = spk_dense_scale(p);
    if (slice >= dense_slices(p))
        return p->keys;
    const uint64_t from = slice << spk_dense_shift(p), first = from / scale + (from % scale != 0);
    return first < p->keys ? first : p->keys;
}

/* free_outputs: a list. What an output is, only the storage room knows; its head says how it goes. */
static void free_outputs(struct spk_map_output *list)
{
    spk_held_free((spk_held *)(void *)list);
}

static void prepend(struct spk_map_output **list, struct spk_map_output *output)
{
    ((spk_held *)(void *)output)->next = (spk_held *)(void *)*list;
    *list = output;
}

spk_shuffle *spk_shuffle_new(spark_rdd *owner, spark_rdd *parent, spark_partitioner *partitioner,
    const spk_layout *row, const spk_layout *key, const spk_aggregator *aggregator)
{
    spk_shuffle *shuffle = calloc(1, sizeof *shuffle);
    if (!shuffle)
        return NULL;
    shuffle->id = atomic_fetch_add_explicit(&owner->sc->next_shuffle, 1, memory_order_relaxed);
    shuffle->parent = parent;
    shuffle->owner = owner;
    shuffle->partitioner = partitioner;
    shuffle->row = row;
    shuffle->key = key;
    shuffle->aggregator = aggregator;
    shuffle->slices = partitioner ? spk_slices_for(partitioner->partitions) : 1;
    atomic_init(&shuffle->maps, -1);
    pthread_mutex_init(&shuffle->lock, NULL);
    return shuffle;
}

spark_status spk_shuffle_prepare(spk_shuffle *shuffle, spk_failure *failure)
{
    if (shuffle->maps >= 0)
        return SPARK_OK;
    const size_t maps = (size_t)spk_rdd_partitions(shuffle->parent);
    shuffle->outputs = calloc(maps ? maps : 1, sizeof *shuffle->outputs);
    shuffle->counted = calloc(maps ? maps : 1, 1);
    shuffle->made = calloc(maps ? maps : 1, 1);
    if (!shuffle->outputs || !shuffle->counted || !shuffle->made) {
        free(shuffle->outputs);
        free(shuffle->counted);
        free(shuffle->made);
        shuffle->outputs = NULL;
        shuffle->counted = shuffle->made = NULL;
        return spk_failure_nomem(failure, NULL, NULL);
    }
    atomic_init(&shuffle->missing, (int)maps);
    atomic_store(&shuffle->maps, (int)maps);
    return SPARK_OK;
}

void spk_shuffle_filling(spk_shuffle *shuffle)
{
    spark_context *sc = shuffle->owner->sc;
    pthread_mutex_lock(&sc->scope_lock);
    if (!shuffle->filled) {
        shuffle->next_filled = sc->filled;
        if (sc->filled)
            sc->filled->filled = &shuffle->next_filled;
        sc->filled = shuffle;
        shuffle->filled = &sc->filled;
        atomic_fetch_add(&sc->n_filled, 1);
    }
    pthread_mutex_unlock(&sc->scope_lock);
}

void spk_shuffle_emptied(spk_shuffle *shuffle)
{
    if (!shuffle->filled)
        return;
    *shuffle->filled = shuffle->next_filled;
    if (shuffle->next_filled)
        shuffle->next_filled->filled = shuffle->filled;
    shuffle->filled = NULL;
    atomic_fetch_sub(&shuffle->owner->sc->n_filled, 1);
}

void spk_shuffle_free(spk_shuffle *shuffle)
{
    if (!shuffle)
        return;
    if (shuffle->maps >= 0) { /* else it is of no job yet */
        pthread_mutex_lock(&shuffle->owner->sc->scope_lock);
        spk_shuffle_emptied(shuffle);
        pthread_mutex_unlock(&shuffle->owner->sc->scope_lock);
    }
    for (int m = 0; m < shuffle->maps; m++)
        free_outputs(atomic_load(&shuffle->outputs[m]));
    free_outputs(shuffle->dropped);
    pthread_mutex_destroy(&shuffle->lock);
    free(shuffle->outputs);
    free(shuffle->counted);
    free(shuffle->made);
    free(shuffle);
}

/* take_out: the output of m; it goes among the dropped ones while there are readers, else in front
 * of *list. */
static bool take_out(spk_shuffle *shuffle, int m, struct spk_map_output **list)
{
    struct spk_map_output *output = atomic_exchange(&shuffle->outputs[m], NULL);
    if (!output)
        return false;
    atomic_fetch_add(&shuffle->missing, 1);
    pthread_mutex_lock(&shuffle->lock);
    const bool read = atomic_load(&shuffle->readers) > 0;
    prepend(read ? &shuffle->dropped : list, output);
    pthread_mutex_unlock(&shuffle->lock);
    return true;
}

void spk_shuffle_enter(spk_shuffle *shuffle)
{
    atomic_fetch_add(&shuffle->readers, 1);
}

void spk_shuffle_leave(spk_shuffle *shuffle)
{
    struct spk_map_output *unused = NULL;
    if (atomic_fetch_sub(&shuffle->readers, 1) != 1)
        return;
    pthread_mutex_lock(&shuffle->lock);
    if (atomic_load(&shuffle->readers) == 0) {
        unused = shuffle->dropped;
        shuffle->dropped = NULL;
    }
    pthread_mutex_unlock(&shuffle->lock);
    free_outputs(unused);
}

bool spk_shuffle_drop(spk_shuffle *shuffle, int m)
{
    struct spk_map_output *unused = NULL;
    if (shuffle->maps < 0 || m < 0 || m >= shuffle->maps)
        return false;
    const bool was = take_out(shuffle, m, &unused);
    free_outputs(unused);
    return was;
}

void spk_shuffle_empty(spk_shuffle *shuffle, struct spk_map_output **list)
{
    for (int m = 0; m < shuffle->maps; m++)
        take_out(shuffle, m, list);
}
