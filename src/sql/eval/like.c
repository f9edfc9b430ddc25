/* SPDX-License-Identifier: Apache-2.0 */
/* Each part is looked for behind the one before; the first stands at the begin and the last at the
 * end where
 * no % does. The leftmost place is always good enough, so nothing is tried twice. */
#include "sql/eval/like.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "sql/eval/utf8.h"

int spk_like_compile(spk_like *like, spk_arena *arena, spark_str pattern, spark_str escape)
{
    spk_like_part *parts
        = spk_arena_alloc(arena, (pattern.len + 1) * sizeof *parts, _Alignof(spk_like_part));
    char *bytes = spk_arena_alloc(arena, pattern.len + 1, 1);
    uint8_t *open = spk_arena_alloc(arena, pattern.len + 1, 1);
    size_t n = 0, at = 0;
    bool in = false;
    if (!parts || !bytes || !open)
        return SPK_LIKE_NOMEM;
    memset(open, 0, pattern.len + 1);
    *like = (spk_like) { .parts = parts };
    for (size_t k = 0, size; k < pattern.len; k += size) {
        size = spk_utf8_size(pattern.ptr + k, pattern.len - k);
        const bool escaped = escape.len == size && memcmp(pattern.ptr + k, escape.ptr, size) == 0;
        if (!escaped && pattern.ptr[k] == '%') {
            like->back = true;
            like->front |= n == 0;
            in = false;
            continue;
        }
        like->back = false;
        if (!in) {
            parts[n++] = (spk_like_part) { .bytes = bytes + at };
            in = true;
        }
        spk_like_part *part = &parts[n - 1];
        part->points++;
        if (!escaped && pattern.ptr[k] == '_') {
            open[at] = 1;
            part->open = open + (part->bytes - bytes);
            bytes[at++] = 0;
            part->n++;
            continue;
        }
        if (escaped) {
            k += size;
            if (k >= pattern.len)
                return SPK_LIKE_END;
            size = spk_utf8_size(pattern.ptr + k, pattern.len - k);
            const bool itself
                = escape.len == size && memcmp(pattern.ptr + k, escape.ptr, size) == 0;
            if (pattern.ptr[k] != '%' && pattern.ptr[k] != '_' && !itself)
                return SPK_LIKE_MIDDLE + (int)k;
        }
        memcpy(bytes + at, pattern.ptr + k, size);
        at += size;
        part->n += size;
    }
    like->n = n;
    return SPK_LIKE_GOOD;
}

/* match_at: whether the part stands at p; *end: behind it. */
static bool match_at(const spk_like_part *part, const char *p, const char *limit, const char **end)
{
    if (!part->open) {
        *end = p + part->n;
        return (size_t)(limit - p) >= part->n && memcmp(p, part->bytes, part->n) == 0;
    }
    for (size_t k = 0; k < part->n; k++) {
        if (p == limit)
            return false;
        if (part->open[k])
            p += spk_utf8_size(p, (size_t)(limit - p));
        else if (*p++ != part->bytes[k])
            return false;
    }
    *end = p;
    return true;
}

#ifdef __SSE2__
enum { LANES = 16, SHORT = 32 };

static inline __m128i equal(const char *p, __m128i byte)
{
    return _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), byte);
}

/* look: which of the LANES places from p on have the part's first byte and, as far behind, its middle and last ones. */
static inline unsigned look(const char *p, size_t n, __m128i first, __m128i middle, __m128i last)
{
    const __m128i ends = _mm_and_si128(equal(p, first), equal(p + n - 1, last));
    return (unsigned)_mm_movemask_epi8(_mm_and_si128(ends, equal(p + n / 2, middle)));
}

/* find_short: in a text of fewer than LANES places where the part may stand. */
static const char *find_short(const char *p, size_t size, const char *bytes, size_t n)
{
    char copy[SHORT + 2 * LANES] = { 0 };
    memcpy(copy, p, size);
    unsigned found
        = look(copy, n, _mm_set1_epi8(bytes[0]), _mm_set1_epi8(bytes[n / 2]), _mm_set1_epi8(bytes[n - 1]));
    for (found &= (1u << (size - n + 1)) - 1; found; found &= found - 1) {
        const char *at = p + __builtin_ctz(found);
        if (memcmp(at, bytes, n) == 0)
            return at;
    }
    return NULL;
}

/* find_bytes: as memmem, whose preparations cost more than a search in a short text. Where these bytes are there often
 * and the part is not, memmem goes on, so that it takes no more than linear time. */
static const char *find_bytes(const char *p, const char *limit, const char *bytes, size_t n)
{
    enum { TRIES = 64 };
    int64_t spare = (int64_t)(TRIES * n); /* bytes that may be compared; each that is passed by is one more */
    if (n >= 2 && n <= SHORT && (size_t)(limit - p) < n + LANES - 1)
        return find_short(p, (size_t)(limit - p), bytes, n);
    if (n < 2 || (size_t)(limit - p) < n + LANES - 1)
        return memmem(p, (size_t)(limit - p), bytes, n);
    const __m128i first = _mm_set1_epi8(bytes[0]), middle = _mm_set1_epi8(bytes[n / 2]);
    const __m128i last = _mm_set1_epi8(bytes[n - 1]);
    const char *const end = limit - n + 1 - LANES; /* the last place to look from; looked at twice where they overlap */
    for (; spare > 0; p = end - p < LANES && p < end ? end : p + LANES, spare += LANES) {
        if (p > end)
            return NULL;
        for (unsigned found = look(p, n, first, middle, last); found; found &= found - 1, spare -= (int64_t)n) {
            const char *at = p + __builtin_ctz(found);
            if (memcmp(at + 1, bytes + 1, n - 1) == 0)
                return at;
        }
    }
    return p > end ? NULL : memmem(p, (size_t)(limit - p), bytes, n);
}
#else
static const char *find_bytes(const char *p, const char *limit, const char *bytes, size_t n)
{
    return memmem(p, (size_t)(limit - p), bytes, n);
}
#endif

static bool find(const spk_like_part *part, const char *p, const char *limit, const char **end)
{
    if (!part->open) {
        const char *at = (size_t)(limit - p) >= part->n ? find_bytes(p, limit, part->bytes, part->n) : NULL;
        *end = at ? at + part->n : NULL;
        return at != NULL;
    }
    for (;; p += spk_utf8_size(p, (size_t)(limit - p))) {
        if (match_at(part, p, limit, end))
            return true;
        if (p == limit)
            return false;
    }
}

/* match_end: whether the part stands at the end of [p, limit). */
static bool match_end(const spk_like_part *part, const char *p, const char *limit)
{
    const char *at = limit, *end;
    if (!part->open)
        return (size_t)(limit - p) >= part->n && memcmp(limit - part->n, part->bytes, part->n) == 0;
    for (size_t k = 0; k < part->points; k++) {
        if (at == p)
            return false;
        at--;
        while (at > p && ((unsigned char)*at & 0xc0) == 0x80)
            at--;
    }
    return match_at(part, at, limit, &end) && end == limit;
}

bool spk_like_matches(const spk_like *like, spark_str s)
{
    const char *p = s.ptr, *limit = s.ptr + s.len, *end;
    size_t from = 0, to = like->n;
    if (like->n == 0)
        return like->front || s.len == 0;
    if (!like->front) {
        if (!match_at(&like->parts[from++], p, limit, &p))
            return false;
        if (from == to && !like->back)
            return p == limit;
    }
    if (!like->back && from < to) {
        if (!match_end(&like->parts[--to], p, limit))
            return false;
        end = limit;
        for (size_t k = 0; k < like->parts[to].points && like->parts[to].open; k++) {
            end--;
            while (end > p && ((unsigned char)*end & 0xc0) == 0x80)
                end--;
        }
        limit = like->parts[to].open ? end : limit - like->parts[to].n;
    }
    for (; from < to; from++)
        if (!find(&like->parts[from], p, limit, &p))
            return false;
    return true;
}

const char *spk_like_find(const spk_like *like, const char *p, const char *limit)
{
    const spk_like_part *part = &like->parts[0];
    return (size_t)(limit - p) >= part->n ? find_bytes(p, limit, part->bytes, part->n) : NULL;
}
