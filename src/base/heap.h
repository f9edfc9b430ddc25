/* SPDX-License-Identifier: Apache-2.0 */
/* The chunk heap: all data memory (buffers, tables, runs) of a context. Blocks are mapped from the
 * system in size classes, recycled, and charged to the context at their mapped size.
 *
 * class: one of the block sizes; cached: freed blocks kept for reuse; mapped: everything held from
 * the system, cached blocks included; limit: the most that may be mapped; high: the most that was in
 * use at once, of the time since the last spk_heap_settle and of some times before. */
#ifndef SPK_BASE_HEAP_H
#define SPK_BASE_HEAP_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cold.h"

enum { SPK_HEAP_CLASSES = 64, SPK_HEAP_RECENT = 4, SPK_CHUNK = 64 * 1024 };

typedef struct spk_heap {
    pthread_mutex_t lock;
    uint64_t limit; /* 0: none */
    uint64_t mapped, cached, peak;
    uint64_t high[SPK_HEAP_RECENT];
    unsigned newest;
    void *free_lists[SPK_HEAP_CLASSES];
} spk_heap;

SPK_COLD void spk_heap_init(spk_heap *heap, uint64_t limit);
SPK_COLD void spk_heap_fini(spk_heap *heap); /* everything must have been given back */

/* spk_heap_alloc: at least `size` bytes, 64-byte aligned, not zeroed; *capacity is what there is
 * and what spk_heap_free wants back. NULL: the system or the limit says no. */
void *spk_heap_alloc(spk_heap *heap, size_t size, size_t *capacity);
void spk_heap_free(spk_heap *heap, void *block, size_t capacity);

/* spk_heap_used: bytes handed out, and the most that was ever mapped. */
uint64_t spk_heap_used(spk_heap *heap, uint64_t *peak);

/* spk_heap_refusal: text that says what was refused, how much of it, and which limit was in the way, in
 * `text`, which it returns. */
SPK_COLD const char *spk_heap_refusal(
    spk_heap *heap, const char *what, uint64_t bytes, char *text, size_t size);

/* spk_heap_settle: after each job: of the blocks that wait for reuse, gives those back to the
 * system that the last few jobs would not have needed. */
SPK_COLD void spk_heap_settle(spk_heap *heap);

/* spk_heap_trim: gives cached blocks back to the system. */
void spk_heap_trim(spk_heap *heap);

#endif
