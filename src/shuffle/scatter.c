/* SPDX-License-Identifier: Apache-2.0 */
/* Many rows go to a place in each of hundreds of slices, in memory that is in no cache: each line there would be
 * fetched to be written to, and often go back before it is full. So rows are gathered by eights in lines that stay
 * in the cache, and these are written as a whole, past the caches (software write-combining: Satish et al., "Fast sort
 * on CPUs and GPUs", 2010; Balkesen et al., "Main-memory hash joins on multi-core CPUs", 2013). */
#include "shuffle/scatter.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
    EIGHT = 8,
    PAYS = 256 * 1024,   /* bytes of rows: fewer may still be in a cache when they are read */
    MOST = 512 * 1024    /* bytes of lines, which must stay in one */
};

size_t spk_scatter_lines(size_t n, size_t size, uint32_t n_slices)
{
    const size_t bytes = (size_t)n_slices * size * EIGHT;
    return size % 8 == 0 && n * size >= PAYS && n >= (size_t)n_slices * EIGHT && bytes <= MOST ? bytes : 0;
}

/* copy: of a multiple of 8 bytes. */
static inline void copy(char *to, const char *from, size_t size)
{
#ifdef __SSE2__
    size_t i = 0;
    for (; i + 16 <= size; i += 16)
        _mm_storeu_si128((__m128i *)(void *)(to + i), _mm_loadu_si128((const __m128i *)(const void *)(from + i)));
    if (size & 8)
        memcpy(to + i, from + i, 8);
#else
    memcpy(to, from, size);
#endif
}

/* stream: whole lines, past the caches. */
static inline void stream(char *to, const char *from, size_t size)
{
#ifdef __SSE2__
    for (size_t i = 0; i < size; i += 16)
        _mm_stream_si128((__m128i *)(void *)(to + i), _mm_load_si128((const __m128i *)(const void *)(from + i)));
#else
    memcpy(to, from, size);
#endif
}

/* settle: what has been written past the caches is there for other threads. */
static inline void settle(void)
{
#ifdef __SSE2__
    _mm_sfence();
#endif
}

/* rest: the places up to `end` of a slice whose rows are in its lines; those before `from` are another's, or written. */
static void rest(char *to, const char *lines, size_t size, uint32_t from, uint32_t end)
{
    if (from < end)
        memcpy(to + from * size, lines + from % EIGHT * size, (end - from) * size);
}

static void combine(const spk_scatter *s, char *to, const char *rows, size_t n, size_t size)
{
    uint32_t *at = s->at;
    for (size_t i = 0; i < n; i++) {
        const uint32_t id = s->ids[i], place = at[id]++, first = place - place % EIGHT;
        char *lines = s->lines + id * size * EIGHT;
        copy(lines + place % EIGHT * size, rows + i * size, size);
        if (place % EIGHT < EIGHT - 1)
            continue;
        if (first >= s->starts[id])
            stream(to + first * size, lines, size * EIGHT);
        else
            rest(to, lines, size, s->starts[id], place + 1);
    }
    for (uint32_t id = 0; id < s->n_slices; id++) {
        const uint32_t first = at[id] - at[id] % EIGHT;
        rest(to, s->lines + id * size * EIGHT, size, first > s->starts[id] ? first : s->starts[id], at[id]);
    }
    settle();
}

void spk_scatter_rows(const spk_scatter *s, char *to, const char *rows, size_t n, size_t size)
{
    if (s->lines) {
        combine(s, to, rows, n, size);
        return;
    }
    uint32_t *at = s->at;
    if (size % 8)
        for (size_t i = 0; i < n; i++)
            memcpy(to + at[s->ids[i]]++ * size, rows + i * size, size);
    else
        for (size_t i = 0; i < n; i++)
            copy(to + at[s->ids[i]]++ * size, rows + i * size, size);
}
