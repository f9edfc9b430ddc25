/* SPDX-License-Identifier: Apache-2.0 */
/* A block set is an array of slots under a lock, made when the first block is put. Two attempts may
 * compute one block; the first to put it wins, and both read the winner's. */
#include "storage/block.h"

#include <stdlib.h>

#include "plan/context.h"

enum { WAS_PUT = 1, WAS_COUNTED = 2 };

struct spk_block_set {
    spk_held held;
    spark_context *sc;
    spk_block_set *next, **link; /* in its list */
    pthread_mutex_t lock;
    int n;
    spk_block **slots;
    uint8_t *marks;
};

static void free_set(spk_held *held)
{
    spk_block_set *blocks = (spk_block_set *)(void *)held;
    pthread_mutex_lock(&blocks->sc->scope_lock);
    *blocks->link = blocks->next;
    if (blocks->next)
        blocks->next->link = blocks->link;
    pthread_mutex_unlock(&blocks->sc->scope_lock);
    spk_blocks_clear(blocks);
    pthread_mutex_destroy(&blocks->lock);
    free(blocks->slots);
    free(blocks->marks);
    free(blocks);
}

spk_block_set *spk_blocks_new(spark_context *sc)
{
    spk_block_set *blocks = calloc(1, sizeof *blocks);
    if (!blocks)
        return NULL;
    pthread_mutex_init(&blocks->lock, NULL);
    blocks->held.free = free_set;
    blocks->sc = sc;
    pthread_mutex_lock(&sc->scope_lock);
    blocks->next = sc->block_sets;
    if (blocks->next)
        blocks->next->link = &blocks->next;
    blocks->link = &sc->block_sets;
    sc->block_sets = blocks;
    pthread_mutex_unlock(&sc->scope_lock);
    return blocks;
}

void spk_blocks_free(spk_block_set *blocks)
{
    if (blocks)
        spk_held_free(&blocks->held);
}

void spk_block_unpin(spk_block *block)
{
    if (block && atomic_fetch_sub_explicit(&block->refs, 1, memory_order_acq_rel) == 1) {
        spk_rows_fini(&block->rows);
        free(block);
    }
}

/* make_slots: with the lock held. */
static bool make_slots(spk_block_set *blocks, int n)
{
    if (blocks->slots)
        return true;
    blocks->slots = calloc((size_t)n, sizeof *blocks->slots);
    blocks->marks = calloc((size_t)n, 1);
    if (!blocks->slots || !blocks->marks) {
        free(blocks->slots);
        free(blocks->marks);
        blocks->slots = NULL;
        blocks->marks = NULL;
        return false;
    }
    blocks->n = n;
    return true;
}

spk_block *spk_blocks_get(spk_block_set *blocks, int partition)
{
    pthread_mutex_lock(&blocks->lock);
    spk_block *block = blocks->slots ? blocks->slots[partition] : NULL;
    if (block)
        atomic_fetch_add_explicit(&block->refs, 1, memory_order_relaxed);
    pthread_mutex_unlock(&blocks->lock);
    return block;
}

spk_block *spk_blocks_put(spk_block_set *blocks, int partition, int partitions,
    const spk_store *store, spk_rows *rows, bool *won, bool *first)
{
    spk_block *block = calloc(1, sizeof *block);
    if (!block)
        return NULL;
    pthread_mutex_lock(&blocks->lock);
    if (atomic_load(&store->lost) || !make_slots(blocks, partitions)) {
        pthread_mutex_unlock(&blocks->lock);
        free(block);
        return NULL;
    }
    *first = !(blocks->marks[partition] & WAS_PUT);
    *won = blocks->slots[partition] == NULL;
    if (*won) {
        block->rows = *rows;
        block->store = store;
        atomic_init(&block->refs, 2);
        blocks->slots[partition] = block;
        blocks->marks[partition] |= WAS_PUT;
    } else {
        free(block);
        block = blocks->slots[partition];
        atomic_fetch_add_explicit(&block->refs, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&blocks->lock);
    if (*won)
        spk_rows_init(rows, rows->heap, rows->layout);
    else
        spk_rows_fini(rows);
    return block;
}

bool spk_blocks_count_once(spk_block_set *blocks, int partition, int partitions)
{
    pthread_mutex_lock(&blocks->lock);
    const bool made = make_slots(blocks, partitions);
    const bool once = !made || !(blocks->marks[partition] & WAS_COUNTED);
    if (made)
        blocks->marks[partition] |= WAS_COUNTED;
    pthread_mutex_unlock(&blocks->lock);
    return once;
}

bool spk_blocks_drop(spk_block_set *blocks, int partition)
{
    spk_block *block = NULL;
    pthread_mutex_lock(&blocks->lock);
    if (blocks->slots && partition >= 0 && partition < blocks->n) {
        block = blocks->slots[partition];
        blocks->slots[partition] = NULL;
    }
    pthread_mutex_unlock(&blocks->lock);
    spk_block_unpin(block);
    return block != NULL;
}

void spk_blocks_clear(spk_block_set *blocks)
{
    pthread_mutex_lock(&blocks->lock);
    const int n = blocks->n;
    for (int i = 0; i < n; i++)
        blocks->marks[i] = 0;
    pthread_mutex_unlock(&blocks->lock);
    for (int i = 0; i < n; i++)
        spk_blocks_drop(blocks, i);
}

/* lose: those of a set; they go in front of *list, to be unpinned. */
static void lose(spk_block_set *blocks, const spk_store *store, spk_block **list)
{
    pthread_mutex_lock(&blocks->lock);
    for (int i = 0; i < blocks->n; i++) {
        spk_block *block = blocks->slots[i];
        if (!block || block->store != store)
            continue;
        blocks->slots[i] = NULL;
        block->next_lost = *list;
        *list = block;
    }
    pthread_mutex_unlock(&blocks->lock);
}

int64_t spk_blocks_lose(spark_context *sc, const spk_store *store)
{
    spk_block *list = NULL;
    int64_t n = 0;
    pthread_mutex_lock(&sc->scope_lock);
    for (spk_block_set *blocks = sc->block_sets; blocks; blocks = blocks->next)
        lose(blocks, store, &list);
    pthread_mutex_unlock(&sc->scope_lock);
    for (spk_block *next; list; list = next, n++) {
        next = list->next_lost;
        spk_block_unpin(list);
    }
    return n;
}

void spk_blocks_visit(spark_context *sc, spk_blocks_visitor *visit, void *arg)
{
    pthread_mutex_lock(&sc->scope_lock);
    for (spk_block_set *blocks = sc->block_sets; blocks; blocks = blocks->next) {
        pthread_mutex_lock(&blocks->lock);
        for (int i = 0; i < blocks->n; i++)
            if (blocks->slots[i])
                visit(arg, blocks->slots[i]);
        pthread_mutex_unlock(&blocks->lock);
    }
    pthread_mutex_unlock(&sc->scope_lock);
}

const spk_store *spk_blocks_store(spk_block_set *blocks, int partition)
{
    pthread_mutex_lock(&blocks->lock);
    const spk_block *block = blocks->slots ? blocks->slots[partition] : NULL;
    const spk_store *store = block ? block->store : NULL;
    pthread_mutex_unlock(&blocks->lock);
    return store;
}

int spk_blocks_present(spk_block_set *blocks)
{
    int present = 0;
    pthread_mutex_lock(&blocks->lock);
    for (int i = 0; i < blocks->n; i++)
        present += blocks->slots[i] != NULL;
    pthread_mutex_unlock(&blocks->lock);
    return present;
}

uint64_t spk_blocks_bytes(spk_block_set *blocks)
{
    uint64_t bytes = 0;
    pthread_mutex_lock(&blocks->lock);
    for (int i = 0; i < blocks->n; i++)
        bytes += blocks->slots[i] ? blocks->slots[i]->rows.bytes : 0;
    pthread_mutex_unlock(&blocks->lock);
    return bytes;
}
