/* SPDX-License-Identifier: Apache-2.0 */
/* Why not malloc: glibc keeps most of a large freed working set resident, and mapping, touching
 * and unmapping a 4 MiB table costs twenty times what reusing it does. Blocks of 32 KiB and more
 * are mapped in classes four to a doubling (32, 40, 48, 56, 64, 80, ... KiB), which wastes at most
 * a fifth, and kept in one list a class when freed; smaller ones come from malloc and are only
 * counted. Blocks are large, so one lock serves all threads. */
#include "base/heap.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { SMALL = 32 * 1024, KEEP_AT_LEAST = 32 * 1024 * 1024, HUGE_FROM = 2 * 1024 * 1024 };
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

static void unmap_cached(spk_heap *heap)
{
    for (unsigned i = 0; i < SPK_HEAP_CLASSES; i++) {
        const size_t base = (size_t)SMALL << (i / 4), capacity = base + i % 4 * (base / 4);
        while (heap->free_lists[i]) {
            void *block = heap->free_lists[i];
            heap->free_lists[i] = *(void **)block;
            munmap(block, capacity);
            heap->mapped -= capacity;
            heap->cached -= capacity;
        }
    }
}

void spk_heap_trim(spk_heap *heap)
{
    pthread_mutex_lock(&heap->lock);
    unmap_cached(heap);
    pthread_mutex_unlock(&heap->lock);
}

uint64_t spk_heap_used(spk_heap *heap, uint64_t *peak)
{
    pthread_mutex_lock(&heap->lock);
    const uint64_t used = heap->mapped - heap->cached;
    *peak = heap->peak;
    pthread_mutex_unlock(&heap->lock);
    return used;
}

void spk_heap_fini(spk_heap *heap)
{
    unmap_cached(heap);
    pthread_mutex_destroy(&heap->lock);
}

/* charge: counts bytes against the limit, giving cached blocks up for it. */
static bool charge(spk_heap *heap, uint64_t bytes)
{
    if (heap->limit && heap->mapped + bytes > heap->limit) {
        unmap_cached(heap);
        if (heap->mapped + bytes > heap->limit)
            return false;
    }
    heap->mapped += bytes;
    return true;
}

static void discharge(spk_heap *heap, uint64_t bytes)
{
    pthread_mutex_lock(&heap->lock);
    heap->mapped -= bytes;
    pthread_mutex_unlock(&heap->lock);
}

/* take: a cached block of the class, or room in the budget for a new one. */
static bool take(spk_heap *heap, unsigned class, size_t capacity, void **block)
{
    pthread_mutex_lock(&heap->lock);
    *block = class < SPK_HEAP_CLASSES ? heap->free_lists[class] : NULL;
    bool granted = true;
    if (*block) {
        heap->free_lists[class] = *(void **)*block;
        heap->cached -= capacity;
    } else {
        granted = charge(heap, capacity);
    }
    pthread_mutex_unlock(&heap->lock);
    return granted;
}

void *spk_heap_alloc(spk_heap *heap, size_t size, size_t *capacity)
{
    unsigned class = SPK_HEAP_CLASSES;
    void *block;
    if (size > SIZE_MAX / 4)
        return NULL;
    const bool small = size <= SMALL - 128; /* also when it has been rounded up */
    if (small)
        *capacity = (size + 127) & ~(size_t)127;
    else if (size <= LARGEST_CLASS)
        class = class_of(size, capacity);
    else
        *capacity = (size + 0xfffff) & ~(size_t)0xfffff;
    if (*capacity == 0)
        *capacity = 128;
    if (!take(heap, class, *capacity, &block) || block)
        return block;
    if (small)
        block = aligned_alloc(64, *capacity);
    else if ((block = mmap(
                  NULL, *capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
        == MAP_FAILED)
        block = NULL;
    else if (*capacity >= HUGE_FROM)
        madvise(block, *capacity, MADV_HUGEPAGE);
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
    const bool keep = class < SPK_HEAP_CLASSES
        && heap->cached + capacity
            <= (heap->mapped / 4 > KEEP_AT_LEAST ? heap->mapped / 4 : KEEP_AT_LEAST);
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
