/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks in a store: one region of memory for them and for all that tasks need, as in Spark's
 * unified memory manager (SPARK-10000). Blocks take what is free, up to three quarters of the
 * limit, and those that are being built three eighths of it together; tasks take back what blocks hold, but
 * send what they can do without to disk before that is less than heap->kept (see spk_spill_wanted).
 *
 * Idle blocks are a list, in the order in which they were last read; a block that is read is not in
 * it. A set that wants room passes over its own: how far the list begins with them is remembered,
 * so that each is passed once, however many there are.
 *
 * A victim is taken off the list under the lock, written without it, and given up under the lock if
 * nobody has begun to read it meanwhile. Order of locks: the set's, the store's, the heap's. */
#include "storage/evict.h"

#include <stdlib.h>

#include "plan/listening.h"

static spk_store *store_of(const spk_block *block)
{
    return block->tenant->store;
}

/* ---- the list; with the lock held */

static void enlist(spk_block *block)
{
    spk_store *store = store_of(block);
    block->older = store->newest;
    block->newer = NULL;
    *(store->newest ? &store->newest->newer : &store->oldest) = block;
    store->newest = block;
    store->idle += block->held;
    block->tenant->idle += block->held;
    block->idle = true;
}

static void delist(spk_block *block)
{
    spk_store *store = store_of(block);
    if (!block->idle)
        return;
    if (block->tenant->skip == block)
        block->tenant->skip = block->older;
    *(block->older ? &block->older->newer : &store->oldest) = block->newer;
    *(block->newer ? &block->newer->older : &store->newest) = block->older;
    store->idle -= block->held;
    block->tenant->idle -= block->held;
    block->idle = false;
}

/* oldest: the one to go next. */
static spk_block *oldest(const spk_store *store, spk_tenant *own)
{
    spk_block *block = own && own->skip ? own->skip->newer : store->oldest;
    for (; own && block && block->tenant == own; block = block->newer)
        own->skip = block;
    return block;
}

/* ---- what is known of a set; with the store's lock held */

/* tell: listeners: where the block is; there: in its slot. */
SPK_COLD static void tell(const spk_block *block, bool there)
{
    const spk_block_set *set = block->tenant->set;
    const spk_listening *heard = set->sc ? spk_heard_by(set->sc) : NULL;
    if (!heard)
        return;
    const bool memory = there && block->memory, disk = there && block->disk;
    const spk_block_now now = { set->id, block->partition, store_of(block), memory, disk,
        atomic_load(&set->level), memory ? block->rows.bytes : 0, disk ? block->disk_rows.bytes : 0 };
    heard->block_updated(set->sc, &now);
}

static void count(const spk_block *block, int sign)
{
    spk_block_set *set = block->tenant->set;
    const uint64_t by = (uint64_t)(int64_t)sign;
    if (block->memory) {
        atomic_fetch_add(&set->in_memory, sign);
        atomic_fetch_add(&set->memory_bytes, by * block->rows.bytes);
    }
    if (block->disk) {
        atomic_fetch_add(&set->on_disk, sign);
        atomic_fetch_add(&set->disk_bytes, by * block->disk_rows.bytes);
    }
    if (sign > 0)
        tell(block, true);
}

/* ---- life of a block */

/* charge: what the block holds changes by so much; with the lock held. */
static void charge(spk_block *block, int64_t bytes)
{
    spk_store *store = store_of(block);
    block->held += (uint64_t)bytes;
    store->building += block->building ? (uint64_t)bytes : 0;
    atomic_fetch_add(&store->heap->stored, (uint64_t)bytes);
}

/* empty: gives up the rows; nobody else knows the block, or *rows were taken from it. */
static void empty(spk_block *block)
{
    spk_store *store = store_of(block);
    pthread_mutex_lock(&store->lock);
    charge(block, -(int64_t)block->held);
    block->building = false;
    block->seen = NULL;
    pthread_mutex_unlock(&store->lock);
    spk_rows_fini(&block->rows);
}

static void free_block(spk_block *block)
{
    spk_block_set *set = block->tenant->set;
    empty(block);
    spk_disk_rows_fini(&block->disk_rows);
    free(block);
    spk_block_set_unref(set);
}

static void unpin(spk_block *block)
{
    spk_store *store = store_of(block);
    pthread_mutex_lock(&store->lock);
    if (--block->pins == 0 && block->put && block->held > 0 && !block->leaving)
        enlist(block);
    const bool last = --block->refs == 0;
    pthread_mutex_unlock(&store->lock);
    if (last)
        free_block(block);
}

void spk_block_pin(spk_block *block)
{
    spk_store *store = store_of(block);
    pthread_mutex_lock(&store->lock);
    block->refs++;
    block->pins++;
    delist(block);
    pthread_mutex_unlock(&store->lock);
}

void spk_block_is_put(spk_block *block)
{
    spk_store *store = store_of(block);
    pthread_mutex_lock(&store->lock);
    block->refs++;
    block->put = true;
    count(block, 1);
    pthread_mutex_unlock(&store->lock);
}

void spk_block_is_dropped(spk_block *block)
{
    spk_store *store = store_of(block);
    pthread_mutex_lock(&store->lock);
    block->put = false;
    count(block, -1);
    tell(block, false);
    delist(block);
    const bool last = --block->refs == 0;
    pthread_mutex_unlock(&store->lock);
    if (last)
        free_block(block);
}

/* ---- room */

/* excess: how much must go before blocks may hold so much more, after which `left` bytes of the
 * heap are free; UINT64_MAX: that would not help. With the lock held. */
static uint64_t excess(const spk_store *store, uint64_t more, uint64_t left)
{
    const uint64_t limit = store->heap->limit, most = limit - limit / 4, spare = limit / 8;
    const uint64_t stored = atomic_load_explicit(&store->heap->stored, memory_order_relaxed) + more;
    const uint64_t above = stored > most ? stored - most : 0;
    const uint64_t lacks = left < spare ? spare - left : 0;
    if (store->building + more > limit / 8 * 3)
        return UINT64_MAX;
    return above > lacks ? above : lacks;
}

/* hold: charges so much more to a block that is being built. */
static bool hold(spk_block *block, uint64_t more, spk_evicted *evicted)
{
    spk_store *store = store_of(block);
    uint64_t lacking = 0;
    pthread_mutex_lock(&store->lock);
    if (store->heap->limit)
        lacking = excess(store, more, spk_heap_free_bytes(store->heap));
    charge(block, (int64_t)more);
    pthread_mutex_unlock(&store->lock);
    return lacking == 0
        || (lacking < UINT64_MAX && spk_store_evict(store, block->tenant, lacking, evicted));
}

/* ---- building */

spk_block *spk_block_new(
    spk_block_set *blocks, spk_store *store, const spk_layout *layout, int partition)
{
    spk_tenant *tenant = spk_tenant_of(blocks, store);
    spk_block *block = tenant ? calloc(1, sizeof *block) : NULL;
    if (!block)
        return NULL;
    *block = (spk_block) { .unpin = unpin,
        .tenant = tenant,
        .partition = partition,
        .refs = 1,
        .pins = 1,
        .building = true };
    atomic_init(&block->memory, true);
    atomic_fetch_add(&blocks->refs, 1);
    spk_rows_init(&block->rows, store->heap, layout);
    block->rows.timid = true;
    block->rows.clean = spk_level_has_disk(atomic_load(&blocks->level));
    spk_disk_rows_init(&block->disk_rows, &store->spill, layout, "a cached block");
    return block;
}

bool spk_block_hold(spk_block *block, spk_evicted *evicted)
{
    uint64_t more = 0;
    const spk_run *run = block->seen ? block->seen->next : block->rows.first;
    for (; run; block->seen = run, run = run->next)
        more += run->capacity;
    return more == 0 || hold(block, more, evicted);
}

spark_status spk_block_write(spk_block *block, spk_failure *failure)
{
    spk_rows_clean(&block->rows);
    const spark_status status = spk_disk_rows_write(&block->disk_rows, &block->rows, failure);
    atomic_store(&block->memory, false);
    block->disk = true;
    empty(block);
    block->rows.timid = false;
    return status;
}

void spk_block_take(spk_block *block, spk_rows *rows)
{
    *rows = block->rows;
    spk_rows_init(&block->rows, rows->heap, rows->layout);
    empty(block);
}

/* compact: a smaller copy; what the block holds changes. */
static void compact(spk_block *block, bool exact)
{
    spk_store *store = store_of(block);
    spk_rows_compact(&block->rows, exact);
    const uint64_t held = spk_rows_held(&block->rows);
    pthread_mutex_lock(&store->lock);
    charge(block, (int64_t)(held - block->held));
    pthread_mutex_unlock(&store->lock);
}

spark_status spk_block_finish(spk_block *block, spk_failure *failure)
{
    spk_store *store = store_of(block);
    const int level = atomic_load(&block->tenant->set->level);
    if (block->disk || level == SPARK_DISK_ONLY)
        return spk_block_write(block, failure);
    if (block->rows.clean) /* it may be written while others read it */
        spk_rows_clean(&block->rows);
    if (spk_level_is_exact(level) || spk_rows_slack(&block->rows) > block->held / 8)
        compact(block, spk_level_is_exact(level));
    pthread_mutex_lock(&store->lock);
    store->building -= block->held;
    block->building = false;
    pthread_mutex_unlock(&store->lock);
    return SPARK_OK;
}

/* ---- promoting */

bool spk_block_promote_begin(spk_block *block)
{
    spk_store *store = store_of(block);
    const uint64_t bytes = block->disk_rows.bytes + block->disk_rows.n * sizeof(spk_run);
    bool room = false;
    pthread_mutex_lock(&store->lock);
    if (block->put && !block->memory && !block->promoting
        && spk_level_has_memory(atomic_load(&block->tenant->set->level))) {
        const uint64_t left = spk_heap_free_bytes(store->heap);
        room = store->heap->limit == 0 || (left > bytes && excess(store, bytes, left - bytes) == 0);
        block->promoting = block->building = room;
        charge(block, room ? (int64_t)bytes : 0);
    }
    pthread_mutex_unlock(&store->lock);
    return room;
}

void spk_block_promote_end(spk_block *block, spk_rows *rows, bool whole)
{
    spk_store *store = store_of(block);
    spk_heap *heap = rows->heap;
    const uint64_t held = whole ? spk_rows_held(rows) : 0;
    pthread_mutex_lock(&store->lock);
    charge(block, (int64_t)(held - block->held));
    store->building -= held;
    block->building = block->promoting = false;
    if (whole) {
        if (block->put)
            count(block, -1);
        block->rows = *rows;
        atomic_store_explicit(&block->memory, true, memory_order_release);
        if (block->put)
            count(block, 1);
        spk_rows_init(rows, heap, block->rows.layout);
    }
    pthread_mutex_unlock(&store->lock);
    spk_rows_fini(rows);
}

/* ---- evicting */

/* choose: victims, off the list, as one linked by `newer`; NULL: not enough is idle. */
static spk_block *choose(spk_store *store, spk_tenant *own, uint64_t bytes)
{
    spk_block *victims = NULL, **end = &victims;
    pthread_mutex_lock(&store->lock);
    if (store->idle - (own ? own->idle : 0) >= bytes)
        for (uint64_t found = 0; found < bytes;) {
            spk_block *block = oldest(store, own);
            found += block->held;
            delist(block);
            block->leaving = true;
            block->refs++;
            block->newer = NULL;
            *end = block;
            end = &block->newer;
        }
    pthread_mutex_unlock(&store->lock);
    return victims;
}

/* write: to disk, where its level has one. False: it is not there. */
static bool write(spk_block *block, spk_evicted *evicted)
{
    spk_failure failure;
    if (block->disk)
        return true;
    if (!spk_level_has_disk(atomic_load(&block->tenant->set->level))
        || spk_disk_rows_write(&block->disk_rows, &block->rows, &failure) != SPARK_OK)
        return false;
    evicted->written += (int64_t)block->disk_rows.bytes;
    return true;
}

/* give_up: one that nobody has begun to read: its rows, for *rows; where it is on no disk, its slot
 * as well. With both locks held. */
static void give_up(spk_block *block, bool written, spk_rows *rows)
{
    spk_block_set *set = block->tenant->set;
    count(block, -1);
    if (written) {
        *rows = block->rows;
        spk_rows_init(&block->rows, rows->heap, rows->layout);
        charge(block, -(int64_t)block->held);
        atomic_store(&block->memory, false);
        block->disk = true;
        count(block, 1);
    } else {
        spk_slot_empty(set, block->partition);
        tell(block, false);
        block->put = false;
        block->refs--;
    }
}

/* finish: true: its memory is free. */
static bool finish(spk_block *block, bool written)
{
    spk_store *store = store_of(block);
    spk_block_set *set = block->tenant->set;
    spk_rows rows;
    spk_rows_init(&rows, store->heap, block->disk_rows.layout);
    pthread_mutex_lock(&set->lock);
    pthread_mutex_lock(&store->lock);
    block->leaving = false;
    const bool goes = block->put && block->pins == 0;
    if (goes) {
        give_up(block, written, &rows);
    } else if (written && !block->disk) {
        if (block->put)
            count(block, -1);
        block->disk = true;
        if (block->put)
            count(block, 1);
    }
    const bool last = --block->refs == 0;
    pthread_mutex_unlock(&store->lock);
    pthread_mutex_unlock(&set->lock);
    spk_rows_fini(&rows);
    if (last)
        free_block(block);
    return goes || last;
}

bool spk_store_evict(
    spk_store *store, spk_tenant *own, uint64_t bytes, spk_evicted *evicted)
{
    spk_evicted none = { 0, 0 };
    uint64_t found = 0;
    if (!evicted)
        evicted = &none;
    for (spk_block *victim = choose(store, own, bytes), *next; victim; victim = next) {
        const uint64_t held = victim->held;
        next = victim->newer;
        if (finish(victim, write(victim, evicted))) {
            found += held;
            evicted->blocks++;
        }
    }
    return found >= bytes;
}
