/* SPDX-License-Identifier: Apache-2.0 */
/* Bump allocation: a chunk is filled front to back; what does not fit gets a chunk of its own
 * size, and the rest of the old one is given up. Chunks double up to 1 MiB, so that a large arena
 * has few. */
#include "base/arena.h"

#include <string.h>

struct spk_arena_chunk {
    spk_arena_chunk *older;
    size_t capacity;
};
enum { HEADER = 64, SMALL_CHUNK = 4096, LARGEST_STEP = 1024 * 1024 };

void spk_arena_init(spk_arena *arena, spk_heap *heap)
{
    *arena = (spk_arena) { .heap = heap };
}

void spk_arena_init_small(spk_arena *arena, spk_heap *heap)
{
    *arena = (spk_arena) { .heap = heap, .small = true };
}

static void open_chunk(spk_arena *arena)
{
    spk_arena_chunk *chunk = arena->chunks;
    arena->next = chunk ? (char *)chunk + HEADER : NULL;
    arena->end = chunk ? (char *)chunk + chunk->capacity : NULL;
}

static void free_chunks(spk_arena *arena, spk_arena_chunk *keep)
{
    for (spk_arena_chunk *chunk = arena->chunks, *older; chunk; chunk = older) {
        older = chunk->older;
        if (chunk != keep)
            spk_heap_free(arena->heap, chunk, chunk->capacity);
    }
    if (keep)
        keep->older = NULL;
    arena->chunks = keep;
    arena->bytes = 0;
    open_chunk(arena);
}

void spk_arena_fini(spk_arena *arena)
{
    free_chunks(arena, NULL);
}

void spk_arena_reset(spk_arena *arena)
{
    if (arena->chunks && arena->chunks->older == NULL) {
        arena->bytes = 0;
        open_chunk(arena);
    } else {
        spk_arena_chunk *keep = arena->chunks;
        free_chunks(arena, keep && keep->capacity <= LARGEST_STEP ? keep : NULL);
    }
}

void spk_arena_rewind(spk_arena *arena, spk_arena_mark mark)
{
    while (arena->chunks != mark.chunk) {
        spk_arena_chunk *older = arena->chunks->older;
        spk_heap_free(arena->heap, arena->chunks, arena->chunks->capacity);
        arena->chunks = older;
    }
    open_chunk(arena);
    arena->next = mark.next;
    arena->bytes = mark.bytes;
}

void *spk_arena_grow_(spk_arena *arena, size_t size)
{
    size_t step = arena->chunks ? arena->chunks->capacity * 2 : arena->small ? SMALL_CHUNK : SPK_CHUNK, capacity;
    if (step > LARGEST_STEP)
        step = LARGEST_STEP;
    if (size > SIZE_MAX / 4)
        return NULL;
    if (step < size + HEADER)
        step = size + HEADER;
    spk_arena_chunk *chunk = spk_heap_alloc(arena->heap, step, &capacity);
    if (!chunk)
        return NULL;
    chunk->older = arena->chunks;
    chunk->capacity = capacity;
    arena->chunks = chunk;
    open_chunk(arena);
    char *p = arena->next;
    arena->next = p + size;
    arena->bytes += size;
    return p;
}

bool spk_arena_owns(const spk_arena *arena, const void *p)
{
    const uintptr_t at = (uintptr_t)p;
    for (const spk_arena_chunk *chunk = arena->chunks; chunk; chunk = chunk->older)
        if (at >= (uintptr_t)chunk && at < (uintptr_t)chunk + chunk->capacity)
            return true;
    return false;
}

void spk_arena_fill(spk_arena *arena, int byte)
{
    for (spk_arena_chunk *chunk = arena->chunks; chunk; chunk = chunk->older) {
        char *from = (char *)chunk + HEADER;
        char *to = chunk == arena->chunks ? arena->next : (char *)chunk + chunk->capacity;
        memset(from, byte, (size_t)(to - from));
    }
}
