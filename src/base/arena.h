/* SPDX-License-Identifier: Apache-2.0 */
/* Arenas: memory that is freed all at once, from chunks of the heap. */
#ifndef SPK_BASE_ARENA_H
#define SPK_BASE_ARENA_H

#include "base/heap.h"

typedef struct spk_arena_chunk spk_arena_chunk;

typedef struct spk_arena {
    spk_heap *heap;
    spk_arena_chunk *chunks; /* newest first */
    char *next, *end;
    size_t bytes; /* handed out since the last reset */
    bool small;   /* the first chunk is */
} spk_arena;

/* spk_arena_init: chunks from SPK_CHUNK on. _init_small: from 4 KiB on, of what there may be thousands. */
void spk_arena_init(spk_arena *arena, spk_heap *heap);
void spk_arena_init_small(spk_arena *arena, spk_heap *heap);
void spk_arena_fini(spk_arena *arena);

/* spk_arena_reset: forgets everything, keeps one chunk. */
void spk_arena_reset(spk_arena *arena);

void *spk_arena_grow_(spk_arena *arena, size_t size);

/* spk_arena_alloc: aligned to `align` (a power of two, at most 64). NULL: no memory. */
static inline void *spk_arena_alloc(spk_arena *arena, size_t size, size_t align)
{
    uintptr_t at = ((uintptr_t)arena->next + align - 1) & ~(uintptr_t)(align - 1);
    if (at > (uintptr_t)arena->end || size > (uintptr_t)arena->end - at || !arena->next)
        return spk_arena_grow_(arena, size);
    char *p = arena->next + (at - (uintptr_t)arena->next);
    arena->next = p + size;
    arena->bytes += size;
    return p;
}

/* spk_arena_note, _rewind: frees what was handed out since the mark. No reset in between. */
typedef struct spk_arena_mark {
    spk_arena_chunk *chunk;
    char *next;
    size_t bytes;
} spk_arena_mark;
static inline spk_arena_mark spk_arena_note(const spk_arena *arena)
{
    return (spk_arena_mark) { arena->chunks, arena->next, arena->bytes };
}
void spk_arena_rewind(spk_arena *arena, spk_arena_mark mark);

/* spk_arena_fill: overwrites everything handed out since the last reset. */
void spk_arena_fill(spk_arena *arena, int byte);

/* spk_arena_owns: whether p points into memory of the arena. */
bool spk_arena_owns(const spk_arena *arena, const void *p);

#endif
