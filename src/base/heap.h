/* SPDX-License-Identifier: Apache-2.0 */
/* The chunk heap: all data memory (buffers, tables, runs) of a context. Blocks are mapped from the
 * system in size classes, recycled, and charged to the context at their mapped size.
 *
 * class: one of the block sizes; cached: freed blocks kept for reuse; mapped: everything held from
 * the system, cached blocks included; limit: the most that may be mapped; high: the most that was
 * in use at once, of the time since the last spk_heap_settle and of some times before; stored: of
 * what is in use, what cached blocks hold, which goes when memory is wanted; kept: how much of that
 * is left to them as long as others can do with the rest, by going to disk. */
#ifndef SPK_BASE_HEAP_H
#define SPK_BASE_HEAP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cold.h"

enum { SPK_HEAP_CLASSES = 64, SPK_HEAP_RECENT = 4, SPK_CHUNK = 64 * 1024 };

struct spk_place;

typedef struct spk_heap {
    pthread_mutex_t lock;
    uint64_t limit; /* 0: none */
    uint64_t mapped, cached, peak;
    uint64_t refused; /* bytes of the block that was refused last, for messages; 0: none was */
    uint64_t high[SPK_HEAP_RECENT];
    unsigned newest;
    struct spk_place *place; /* of a fault plan: whose allocations fail; NULL: there is none */
    void *free_lists[SPK_HEAP_CLASSES];
    atomic_uint denied; /* blocks that the limit refused, and nothing could be reclaimed for */
    _Atomic uint64_t stored;
    /* Set anew when an executor that shares the heap is replaced, while others read them: */
    _Atomic uint64_t kept;  /* and reclaimer: set before reclaim */
    _Atomic uint64_t floor; /* what tasks may need at once to get on, at most five eighths of the limit */
    /* reclaim: frees at least that many stored bytes, or none: false. Called without the heap's
     * lock, where the limit would refuse a block: it takes locks of caches and of the spill file,
     * writes, waits for no other task and runs no function of the user. NULL: nothing is stored. */
    bool (*_Atomic reclaim)(void *reclaimer, uint64_t bytes);
    void *_Atomic reclaimer;
} spk_heap;

SPK_COLD void spk_heap_init(spk_heap *heap, uint64_t limit);
SPK_COLD void spk_heap_fini(spk_heap *heap); /* everything must have been given back */

/* spk_heap_alloc: at least `size` bytes, 64-byte aligned, not zeroed; *capacity is what there is
 * and what spk_heap_free wants back. NULL: the system or the limit says no. */
void *spk_heap_alloc(spk_heap *heap, size_t size, size_t *capacity);
/* spk_heap_try: the same, but nothing is reclaimed for it. */
void *spk_heap_try(spk_heap *heap, size_t size, size_t *capacity);
void spk_heap_free(spk_heap *heap, void *block, size_t capacity);

/* Blocks that are given to the program, as results are, and not charged from then on. _give: a block of
 * this heap becomes one. _given: a new one. _take_back: it is free again, in this heap or another. */
void spk_heap_give(spk_heap *heap, size_t capacity);
void *spk_heap_given(spk_heap *heap, size_t size, size_t *capacity);
void spk_heap_take_back(spk_heap *heap, void *block, size_t capacity);

/* spk_heap_used: bytes handed out, and the most that was ever mapped. */
uint64_t spk_heap_used(spk_heap *heap, uint64_t *peak);

/* spk_heap_free_bytes: how much may still be handed out; UINT64_MAX: there is no limit. */
uint64_t spk_heap_free_bytes(spk_heap *heap);

/* spk_heap_refusal: text that says what was refused, how much of it, and which limit was in the way, in
 * `text`, which it returns. bytes: 0: as many as the block had that was refused last. */
SPK_COLD const char *spk_heap_refusal(
    spk_heap *heap, const char *what, uint64_t bytes, char *text, size_t size);

/* spk_heap_settle: after each job: of the blocks that wait for reuse, gives those back to the
 * system that the last few jobs would not have needed. */
SPK_COLD void spk_heap_settle(spk_heap *heap);

/* spk_heap_trim: gives cached blocks back to the system. */
void spk_heap_trim(spk_heap *heap);

#endif
