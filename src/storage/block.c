/* SPDX-License-Identifier: Apache-2.0 */
/* A block set is an array of slots under a lock, made when the first block is put. Two attempts may
 * compute one block; the first to put it wins, and both read the winner's. What a block has of
 * memory and disk is the business of the store it lies in (evict.c), under that one's lock.
 *
 * A set lives as long as its RDD and the last block of it that somebody holds. */
#include "storage/block.h"

#include <stdlib.h>

#include "storage/evict.h"

enum { WAS_PUT = 1, WAS_COUNTED = 2, IS_CLAIMED = 4 };

void spk_block_set_unref(spk_block_set *blocks)
{
    if (atomic_fetch_sub_explicit(&blocks->refs, 1, memory_order_acq_rel) != 1)
        return;
    while (blocks->tenants) {
        spk_tenant *tenant = blocks->tenants;
        blocks->tenants = tenant->next;
        free(tenant);
    }
    pthread_mutex_destroy(&blocks->lock);
    free(blocks->slots);
    free(blocks->marks);
    free(blocks);
}

static void enlist(spk_block_set *blocks, spark_context *sc)
{
    pthread_mutex_lock(&sc->scope_lock);
    blocks->next = sc->persisted;
    if (blocks->next)
        blocks->next->link = &blocks->next;
    sc->persisted = blocks;
    blocks->link = &sc->persisted;
    pthread_mutex_unlock(&sc->scope_lock);
}

static void delist(spk_block_set *blocks)
{
    if (!blocks->rdd)
        return;
    spark_context *sc = blocks->rdd->sc;
    pthread_mutex_lock(&sc->scope_lock);
    *blocks->link = blocks->next;
    if (blocks->next)
        blocks->next->link = blocks->link;
    pthread_mutex_unlock(&sc->scope_lock);
}

static void free_set(spk_held *held)
{
    spk_block_set *blocks = (spk_block_set *)(void *)held;
    delist(blocks);
    spk_blocks_clear(blocks);
    spk_block_set_unref(blocks);
}

spk_block_set *spk_blocks_new(spark_rdd *rdd, spark_level level)
{
    spk_block_set *blocks = calloc(1, sizeof *blocks);
    if (!blocks)
        return NULL;
    pthread_mutex_init(&blocks->lock, NULL);
    blocks->held.free = free_set;
    blocks->rdd = rdd;
    blocks->sc = rdd ? rdd->sc : NULL;
    blocks->id = rdd ? rdd->id : -1;
    atomic_init(&blocks->level, (int)level);
    atomic_init(&blocks->refs, 1);
    if (rdd)
        enlist(blocks, rdd->sc);
    return blocks;
}

void spk_blocks_free(spk_block_set *blocks)
{
    if (blocks)
        spk_held_free(&blocks->held);
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

spk_tenant *spk_tenant_of(spk_block_set *blocks, spk_store *store)
{
    pthread_mutex_lock(&blocks->lock);
    spk_tenant *tenant = blocks->tenants;
    while (tenant && tenant->store != store)
        tenant = tenant->next;
    if (!tenant && (tenant = calloc(1, sizeof *tenant))) {
        *tenant = (spk_tenant) { .next = blocks->tenants, .set = blocks, .store = store };
        blocks->tenants = tenant;
    }
    pthread_mutex_unlock(&blocks->lock);
    return tenant;
}

spk_block *spk_blocks_get(spk_block_set *blocks, int partition)
{
    pthread_mutex_lock(&blocks->lock);
    spk_block *block = blocks->slots ? blocks->slots[partition] : NULL;
    if (block)
        spk_block_pin(block);
    pthread_mutex_unlock(&blocks->lock);
    return block;
}

spk_block *spk_blocks_put(
    spk_block_set *blocks, int partitions, spk_block *block, bool *won, bool *first)
{
    spk_block *there = NULL;
    *won = *first = false;
    pthread_mutex_lock(&blocks->lock);
    if (atomic_load(&blocks->level) != 0 && !atomic_load(&block->tenant->store->lost)
        && make_slots(blocks, partitions)) {
        spk_block **slot = &blocks->slots[block->partition];
        *first = !(blocks->marks[block->partition] & WAS_PUT);
        *won = !*slot;
        if (*won) {
            *slot = block;
            atomic_fetch_add_explicit(&blocks->present, 1, memory_order_release);
            blocks->marks[block->partition] |= WAS_PUT;
            spk_block_is_put(block);
        } else {
            there = *slot;
            spk_block_pin(there);
        }
    }
    pthread_mutex_unlock(&blocks->lock);
    if (!there)
        return block;
    spk_block_unpin(block);
    return there;
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

/* ---- claims */

spk_claimed spk_blocks_claim(spk_block_set *blocks, int partition, int partitions)
{
    spk_claimed said = SPK_CLAIM_NONE;
    pthread_mutex_lock(&blocks->lock);
    if (make_slots(blocks, partitions)) {
        uint8_t *mark = &blocks->marks[partition];
        said = blocks->slots[partition] ? SPK_CLAIM_THERE
            : *mark & IS_CLAIMED        ? SPK_CLAIM_TAKEN
                                        : SPK_CLAIMED;
        *mark |= said == SPK_CLAIMED ? IS_CLAIMED : 0;
    }
    pthread_mutex_unlock(&blocks->lock);
    return said;
}

bool spk_blocks_await(spk_block_set *blocks, int partition, spk_parked *parked)
{
    pthread_mutex_lock(&blocks->lock);
    const bool taken = blocks->marks[partition] & IS_CLAIMED;
    if (taken) {
        parked->next = blocks->parked;
        blocks->parked = parked;
    }
    pthread_mutex_unlock(&blocks->lock);
    return taken;
}

spk_parked *spk_blocks_unclaim(spk_block_set *blocks, int partition)
{
    spk_parked *waiting = NULL;
    pthread_mutex_lock(&blocks->lock);
    blocks->marks[partition] &= (uint8_t)~IS_CLAIMED;
    for (spk_parked **link = &blocks->parked, *parked; (parked = *link);) {
        if (parked->partition != partition) {
            link = &parked->next;
            continue;
        }
        *link = parked->next;
        parked->next = waiting;
        waiting = parked;
    }
    pthread_mutex_unlock(&blocks->lock);
    return waiting;
}

void spk_blocks_impatient(spk_block_set *blocks, int64_t now, spk_parked **some)
{
    spk_parked *out = NULL, **end = &out;
    pthread_mutex_lock(&blocks->lock);
    for (spk_parked **link = &blocks->parked, *parked; (parked = *link);) {
        spk_parked *same = out;
        while (same && same->partition != parked->partition)
            same = same->next;
        if (parked->until == 0 || parked->until > now) {
            link = &parked->next;
        } else if (same) {
            parked->patience *= 2;
            parked->until = now + parked->patience;
            link = &parked->next;
        } else {
            *link = parked->next;
            parked->next = NULL;
            *end = parked;
            end = &parked->next;
        }
    }
    pthread_mutex_unlock(&blocks->lock);
    *end = *some;
    *some = out;
}

/* ---- dropping */

/* take: the block of a slot, which is empty then, if it is `that` (NULL: any). */
static spk_block *take(spk_block_set *blocks, int partition, const spk_block *that)
{
    spk_block *block = NULL;
    pthread_mutex_lock(&blocks->lock);
    if (blocks->slots && partition >= 0 && partition < blocks->n) {
        block = blocks->slots[partition];
        if (that && block != that)
            block = NULL;
        if (block)
            spk_slot_empty(blocks, partition);
    }
    pthread_mutex_unlock(&blocks->lock);
    return block;
}

bool spk_blocks_drop(spk_block_set *blocks, int partition)
{
    spk_block *block = take(blocks, partition, NULL);
    if (block)
        spk_block_is_dropped(block);
    return block != NULL;
}

void spk_blocks_lose(spk_block *block)
{
    if (take(block->tenant->set, block->partition, block))
        spk_block_is_dropped(block);
}

void spk_blocks_clear(spk_block_set *blocks)
{
    pthread_mutex_lock(&blocks->lock);
    const int n = blocks->n;
    for (int i = 0; i < n; i++)
        blocks->marks[i] &= IS_CLAIMED;
    pthread_mutex_unlock(&blocks->lock);
    spk_blocks_empty(blocks);
}

void spk_blocks_empty(spk_block_set *blocks)
{
    pthread_mutex_lock(&blocks->lock);
    const int n = blocks->n; /* which does not change once it is known */
    pthread_mutex_unlock(&blocks->lock);
    for (int i = 0; i < n; i++)
        spk_blocks_drop(blocks, i);
}

int spk_blocks_leave(spk_block_set *blocks, const spk_store *store)
{
    int left = 0;
    for (int i = 0;; i++) {
        spk_block *block = NULL;
        pthread_mutex_lock(&blocks->lock);
        const bool more = i < blocks->n;
        if (more && blocks->slots[i] && blocks->slots[i]->tenant->store == store) {
            block = blocks->slots[i];
            spk_slot_empty(blocks, i);
        }
        pthread_mutex_unlock(&blocks->lock);
        if (block)
            spk_block_is_dropped(block);
        left += block != NULL;
        if (!more)
            return left;
    }
}
