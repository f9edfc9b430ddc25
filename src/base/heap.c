/* SPDX-License-Identifier: Apache-2.0 */
/* Why not malloc: glibc keeps most of a large freed working set resident, and mapping, touching
 * and unmapping a 4 MiB table costs twenty times what reusing it does. Blocks of 32 KiB and more
 * are mapped in classes four to a doubling (32, 40, 48, 56, 64, 80, ... KiB), which wastes at most
 * a fifth, and kept in one list a class when freed; smaller ones come from malloc and are only
 * counted. Blocks are large, so one lock serves all threads.
 *
 * What is kept: freed blocks stay while what is mapped is no more than what was in use at once
 * lately, which costs no memory that was not needed anyway, and a quarter more than what is in use now: beside
 * tables that are cached, jobs of some megabytes each would otherwise map theirs anew again and again. When a block
 * of another class must be mapped beyond that, kept ones go back first, and one of them becomes it: its pages are
 * there, and touching new ones costs more than to move them. When jobs have become smaller, so do the rest.
 *
 * No huge pages are asked for: a program runs most jobs once, and where a hypervisor has to find the
 * memory, the first touch of a huge page costs 2 to 7 times as much as that of its small ones. */
#include "base/heap.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/faults.h"

enum { SMALL = 32 * 1024, SLACK = 32 * 1024 * 1024 };
#define LARGEST_CLASS ((size_t)SMALL << 15)

/* class_of: the smallest class that holds size; *capacity its size. */
static unsigned class_of(size_t size, size_t *capacity)
{
    unsigned doubling = 0;
    while (((size_t)SMALL << doubling) * 2 < size)
        doubling++;
    const size_t base = (size_t)SMALL << doubling, quarter = base / 4;
    const size_t steps = size <= base ? 0 : (size - base + quarter - 1) / quarter;
    *capacity = base + steps * quarter;
    return doubling * 4 + (unsigned)steps;
}

void spk_heap_init(spk_heap *heap, uint64_t limit)
{
    *heap = (spk_heap) { .limit = limit };
    pthread_mutex_init(&heap->lock, NULL);
}

static size_t class_size(unsigned class)
{
    const size_t base = (size_t)SMALL << (class / 4);
    return base + class % 4 * (base / 4);
}

/* enough: the class of the smallest cached block of so many bytes; SPK_HEAP_CLASSES: there is none. */
static unsigned enough(const spk_heap *heap, uint64_t bytes)
{
    size_t capacity;
    unsigned class = bytes <= LARGEST_CLASS ? class_of((size_t)bytes, &capacity) : SPK_HEAP_CLASSES;
    while (class < SPK_HEAP_CLASSES && !heap->free_lists[class])
        class++;
    return class;
}

/* give_up: takes at least `bytes` of cached blocks out, if there are so many: one that is enough, or the
 * largest; they are to be unmapped without the lock. */
static void *give_up(spk_heap *heap, uint64_t bytes)
{
    void *victims = NULL;
    uint64_t found = 0;
    const unsigned one = enough(heap, bytes);
    for (unsigned class = one < SPK_HEAP_CLASSES ? one + 1 : one; class -- > 0 && found < bytes;) {
        const size_t capacity = class_size(class);
        for (void **block; found < bytes && (block = heap->free_lists[class]); found += capacity) {
            heap->free_lists[class] = block[0];
            block[0] = victims;
            block[1] = (void *)capacity;
            victims = block;
        }
    }
    heap->mapped -= found;
    heap->cached -= found;
    return victims;
}

/* better: of two sizes the one to make a block of that capacity from: the smallest that has it, else the largest. */
static bool better(size_t size, size_t than, size_t capacity)
{
    return size >= capacity ? than < capacity || size < than : size > than;
}

/* recycle: one of the victims as a block of another size; NULL: there is none. */
static void *recycle(void **victims, size_t capacity)
{
    void **best = NULL;
    for (void **link = victims; *link; link = *link)
        if (!best || better((size_t)((void **)*link)[1], (size_t)((void **)*best)[1], capacity))
            best = link;
    if (!best || capacity < SMALL)
        return NULL;
    void **block = *best, *next = block[0];
    void *moved = mremap(block, (size_t)block[1], capacity, MREMAP_MAYMOVE);
    if (moved == MAP_FAILED)
        return NULL;
    *best = next;
    return moved;
}

static void unmap(void *victims)
{
    while (victims) {
        void **block = victims;
        victims = block[0];
        munmap(block, (size_t)block[1]);
    }
}

/* recent: the most that was in use lately. */
static uint64_t recent(const spk_heap *heap)
{
    uint64_t most = 0;
    for (unsigned i = 0; i < SPK_HEAP_RECENT; i++)
        most = heap->high[i] > most ? heap->high[i] : most;
    return most;
}

/* with_slack: how much may be mapped where so much is in use: a quarter more, and never too little for small jobs. */
static uint64_t with_slack(uint64_t in_use)
{
    return in_use + (in_use / 4 > SLACK ? in_use / 4 : SLACK);
}

void spk_heap_settle(spk_heap *heap)
{
    pthread_mutex_lock(&heap->lock);
    const uint64_t in_use = heap->mapped - heap->cached, high = recent(heap), roomy = with_slack(in_use);
    const uint64_t most = high > roomy ? high : roomy;
    void *victims = heap->mapped > most ? give_up(heap, heap->mapped - most) : NULL;
    heap->newest = (heap->newest + 1) % SPK_HEAP_RECENT;
    heap->high[heap->newest] = heap->mapped - heap->cached;
    pthread_mutex_unlock(&heap->lock);
    unmap(victims);
}

void spk_heap_trim(spk_heap *heap)
{
    pthread_mutex_lock(&heap->lock);
    void *victims = give_up(heap, UINT64_MAX);
    pthread_mutex_unlock(&heap->lock);
    unmap(victims);
}

uint64_t spk_heap_used(spk_heap *heap, uint64_t *peak)
{
    pthread_mutex_lock(&heap->lock);
    const uint64_t used = heap->mapped - heap->cached;
    *peak = heap->peak;
    pthread_mutex_unlock(&heap->lock);
    return used;
}

uint64_t spk_heap_free_bytes(spk_heap *heap)
{
    uint64_t peak;
    const uint64_t used = spk_heap_used(heap, &peak);
    return !heap->limit ? UINT64_MAX : used < heap->limit ? heap->limit - used : 0;
}

const char *spk_heap_refusal(
    spk_heap *heap, const char *what, uint64_t bytes, char *text, size_t size)
{
    pthread_mutex_lock(&heap->lock);
    const unsigned long long used = heap->mapped - heap->cached;
    const unsigned long long wanted = bytes ? bytes : heap->refused;
    pthread_mutex_unlock(&heap->lock);
    if (wanted == 0)
        snprintf(text, size, "out of memory");
    else if (heap->limit)
        snprintf(text, size,
            "out of memory: %s takes %llu bytes; spark_conf.memory_bytes is %llu, of which %llu are in "
            "use",
            what, wanted, (unsigned long long)heap->limit, used);
    else
        snprintf(text, size, "out of memory: %s takes %llu bytes", what, wanted);
    return text;
}

void spk_heap_fini(spk_heap *heap)
{
    unmap(give_up(heap, UINT64_MAX));
    pthread_mutex_destroy(&heap->lock);
}

static void discharge(spk_heap *heap, uint64_t bytes)
{
    pthread_mutex_lock(&heap->lock);
    heap->mapped -= bytes;
    pthread_mutex_unlock(&heap->lock);
}

/* make_room: for a block that must be mapped. */
static void *make_room(spk_heap *heap, uint64_t capacity)
{
    const uint64_t after = heap->mapped + capacity, in_use = after - heap->cached;
    const uint64_t high = recent(heap), most = with_slack(high > in_use ? high : in_use);
    const uint64_t limit = heap->limit && heap->limit < most ? heap->limit : most;
    return after > limit ? give_up(heap, after - limit) : NULL;
}

/* take: a cached block of the class, or room in the budget for a new one, for which *victims are to go. */
static bool heap_take(
    spk_heap *heap, unsigned class, size_t capacity, void **block, void **victims)
{
    *victims = NULL;
    pthread_mutex_lock(&heap->lock);
    *block = class < SPK_HEAP_CLASSES ? heap->free_lists[class] : NULL;
    bool granted = true;
    if (*block) {
        heap->free_lists[class] = *(void **)*block;
        heap->cached -= capacity;
    } else {
        *victims = make_room(heap, capacity);
        granted = !heap->limit || heap->mapped + capacity <= heap->limit;
        heap->mapped += granted ? capacity : 0;
        heap->refused = granted ? heap->refused : capacity;
    }
    const uint64_t in_use = heap->mapped - heap->cached;
    if (in_use > heap->high[heap->newest])
        heap->high[heap->newest] = in_use;
    pthread_mutex_unlock(&heap->lock);
    return granted;
}

/* measure: the class of a block, or SPK_HEAP_CLASSES for those that are not kept, and its capacity. */
static unsigned measure(size_t size, size_t *capacity)
{
    if (size <= SMALL - 128) { /* also when it has been rounded up */
        *capacity = size ? (size + 127) & ~(size_t)127 : 128;
        return SPK_HEAP_CLASSES;
    }
    if (size <= LARGEST_CLASS)
        return class_of(size, capacity);
    *capacity = (size + 0xfffff) & ~(size_t)0xfffff;
    return SPK_HEAP_CLASSES;
}

static void *from_system(size_t capacity)
{
    if (capacity < SMALL)
        return aligned_alloc(64, capacity);
    void *block
        = mmap(NULL, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return block == MAP_FAILED ? NULL : block;
}

/* alloc: *refused: the limit has said no. */
static void *alloc(spk_heap *heap, size_t size, size_t *capacity, bool *refused)
{
    void *block = NULL, *victims;
    *refused = false;
    if (size > SIZE_MAX / 4 || (heap->place && spk_struck_at(heap->place, SPARK_FAULT_ALLOC, NULL)))
        return NULL;
    const unsigned class = measure(size, capacity);
    *refused = !heap_take(heap, class, *capacity, &block, &victims);
    const bool cached = block != NULL;
    if (!*refused && !cached)
        block = recycle(&victims, *capacity);
    unmap(victims);
    if (*refused || cached)
        return block;
    if (!block)
        block = from_system(*capacity);
    if (!block) {
        discharge(heap, *capacity);
        return NULL;
    }
    pthread_mutex_lock(&heap->lock);
    if (heap->mapped > heap->peak)
        heap->peak = heap->mapped;
    pthread_mutex_unlock(&heap->lock);
    return block;
}

void *spk_heap_try(spk_heap *heap, size_t size, size_t *capacity)
{
    bool refused;
    return alloc(heap, size, capacity, &refused);
}

void *spk_heap_alloc(spk_heap *heap, size_t size, size_t *capacity)
{
    bool refused;
    void *block = alloc(heap, size, capacity, &refused);
    while (refused && *capacity <= heap->limit) { /* what was reclaimed may have gone to others */
        bool (*reclaim)(void *, uint64_t) = atomic_load_explicit(&heap->reclaim, memory_order_acquire);
        const uint64_t left = spk_heap_free_bytes(heap);
        if (!reclaim || (left < *capacity && !reclaim(atomic_load(&heap->reclaimer), *capacity - left)))
            break;
        block = alloc(heap, size, capacity, &refused);
    }
    if (refused)
        atomic_fetch_add_explicit(&heap->denied, 1, memory_order_relaxed);
    return block;
}

void spk_heap_free(spk_heap *heap, void *block, size_t capacity)
{
    if (!block)
        return;
    if (capacity < SMALL) {
        free(block);
        discharge(heap, capacity);
        return;
    }
    size_t same;
    const unsigned class = capacity <= LARGEST_CLASS ? class_of(capacity, &same) : SPK_HEAP_CLASSES;
    pthread_mutex_lock(&heap->lock);
    const bool keep = class < SPK_HEAP_CLASSES;
    if (keep) {
        *(void **)block = heap->free_lists[class];
        heap->free_lists[class] = block;
        heap->cached += capacity;
    } else {
        heap->mapped -= capacity;
    }
    pthread_mutex_unlock(&heap->lock);
    if (!keep)
        munmap(block, capacity);
}

/* ---- blocks of the program */

void spk_heap_give(spk_heap *heap, size_t capacity)
{
    discharge(heap, capacity);
}

void *spk_heap_given(spk_heap *heap, size_t size, size_t *capacity)
{
    if (size > SIZE_MAX / 4)
        return NULL;
    const unsigned class = measure(size, capacity);
    void **block = NULL;
    pthread_mutex_lock(&heap->lock);
    if (class < SPK_HEAP_CLASSES && (block = heap->free_lists[class])) {
        heap->free_lists[class] = block[0];
        heap->cached -= *capacity;
        heap->mapped -= *capacity;
    }
    pthread_mutex_unlock(&heap->lock);
    return block ? block : from_system(*capacity);
}

/* spk_heap_take_back: a block is kept where one of the heap would be, if the limit has room for it. */
void spk_heap_take_back(spk_heap *heap, void *block, size_t capacity)
{
    size_t same;
    if (!block)
        return;
    if (capacity < SMALL) {
        free(block);
        return;
    }
    pthread_mutex_lock(&heap->lock);
    const uint64_t after = heap->mapped + capacity;
    const bool keep = capacity <= LARGEST_CLASS && class_of(capacity, &same) < SPK_HEAP_CLASSES
        && (heap->limit == 0 || after <= heap->limit);
    if (keep) {
        heap->mapped = after;
        heap->peak = after > heap->peak ? after : heap->peak;
    }
    pthread_mutex_unlock(&heap->lock);
    if (keep)
        spk_heap_free(heap, block, capacity);
    else
        munmap(block, capacity);
}
