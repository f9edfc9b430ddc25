/* SPDX-License-Identifier: Apache-2.0 */
/* Finds separators and line ends, 64 bytes at a time: one bit a byte, of which each is a position. A
 * line with a quote in it is only marked: it is cut by the rules, all others need no more than their
 * positions (after Geoff Langdale and Daniel Lemire, "Parsing Gigabytes of JSON per Second", without
 * its parts for nesting). Without SSE2, and where separators or line ends have several bytes, the same
 * by bytes. */
#include "format/csv.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* found: what a window holds so far. */
typedef struct found {
    spk_csv_window *window;
    uint32_t *at;
} found;

static void mark(found *f, uint32_t position, bool line)
{
    if (line)
        f->window->ends[f->window->lines++] = (uint32_t)(f->at - f->window->at);
    *f->at++ = position;
}

/* line_end: the bytes of a line end at p; 0: none. A \r\n is one, whose place is that of the \n. */
static size_t line_end(const spk_csv *csv, const char *p, const char *end, bool last)
{
    const size_t left = (size_t)(end - p);
    if (csv->line_sep_n > 0)
        return left >= csv->line_sep_n && memcmp(p, csv->line_sep, csv->line_sep_n) == 0
            ? csv->line_sep_n
            : 0;
    if (*p == '\n')
        return 1;
    return *p == '\r' && (left > 1 || last) && (left == 1 || p[1] != '\n');
}

static void look_by_bytes(
    spk_csv_window *window, const spk_csv *csv, const char *p, size_t n, bool last)
{
    found f = { window, window->at };
    const bool rules = csv->sep_n > 1;
    window->odd[0] = rules;
    for (size_t i = 0; i < n; i++) {
        const size_t ends = line_end(csv, p + i, p + n, last);
        if (ends > 0) {
            i += ends - 1;
            mark(&f, (uint32_t)i, true);
            window->odd[window->lines] = rules;
        } else if (p[i] == csv->sep[0] && !rules) {
            mark(&f, (uint32_t)i, false);
        } else if ((unsigned char)p[i] == csv->quote) {
            window->odd[window->lines] = true;
        }
    }
}

#ifdef __SSE2__
enum { BLOCK = 64 };

/* signs: what is looked for, each in all bytes of a register. */
typedef struct signs {
    __m128i sep, line, back, quote;
    bool returns; /* \r ends lines as well */
} signs;

/* bits: a bit for each byte of a block, the first byte's lowest. */
typedef struct bits {
    uint64_t both, lines, quotes, returns;
} bits;

static uint64_t equal(const char *block, __m128i sign)
{
    uint64_t all = 0;
    for (int i = BLOCK - 16; i >= 0; i -= 16) {
        const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(block + i));
        all = all << 16 | (uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, sign));
    }
    return all;
}

static inline bits look(const char *block, const signs *s)
{
    bits b = { 0, 0, 0, 0 };
    __m128i odd = _mm_setzero_si128();
    for (int i = BLOCK - 16; i >= 0; i -= 16) {
        const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(block + i));
        const __m128i line = _mm_cmpeq_epi8(bytes, s->line), sep = _mm_cmpeq_epi8(bytes, s->sep);
        odd = _mm_or_si128(odd,
            _mm_or_si128(_mm_cmpeq_epi8(bytes, s->quote), _mm_cmpeq_epi8(bytes, s->back)));
        b.lines = b.lines << 16 | (uint16_t)_mm_movemask_epi8(line);
        b.both = b.both << 16 | (uint16_t)_mm_movemask_epi8(_mm_or_si128(line, sep));
    }
    if (_mm_movemask_epi8(odd) != 0) {
        b.quotes = equal(block, s->quote);
        b.returns = s->returns ? equal(block, s->back) : 0;
    }
    return b;
}

/* count: bits that are set (Hacker's Delight, 5-1): the builtin is a call of a function of the compiler's
 * where the processor is not known to have an instruction for it. */
static inline uint32_t count(uint64_t x)
{
    x -= x >> 1 & UINT64_C(0x5555555555555555);
    x = (x & UINT64_C(0x3333333333333333)) + (x >> 2 & UINT64_C(0x3333333333333333));
    x = (x + (x >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (uint32_t)(x * UINT64_C(0x0101010101010101) >> 56);
}

/* add_returns: a \r that no \n follows is a line end; where the block ends, the byte behind it
 * tells, and where nothing is known to be there, `unknown` is the bit of the last byte. */
static void add_returns(bits *b, const char *block, uint64_t unknown)
{
    const uint64_t feeds = b->lines >> 1 | (uint64_t)(block[BLOCK] == '\n') << (BLOCK - 1);
    const uint64_t alone = b->returns & ~feeds & ~unknown;
    b->lines |= alone;
    b->both |= alone;
}

/* add_positions: of the bits of a block. As many as blocks of most files have are written without a
 * branch, which the processor could not foresee: up to AT_ONCE words more than there are. */
enum { AT_ONCE = 12 };
static inline uint32_t *add_positions(uint32_t *to, uint64_t all, uint32_t base)
{
    uint32_t *next = to + count(all);
    do {
        for (int i = 0; i < AT_ONCE; i++) {
            *to++ = base + (uint32_t)__builtin_ctzll(all | UINT64_C(1) << 63);
            all &= all - 1;
        }
    } while (all);
    return next;
}

static inline void add_lines(spk_csv_window *w, bits b, uint32_t before)
{
    for (uint64_t left = b.lines; left; left &= left - 1) {
        const uint64_t below = (left & -left) - 1;
        w->ends[w->lines] = before + count(b.both & below);
        w->odd[++w->lines] = false;
    }
}

/* add_quotes: marks the lines that the quotes of a block are in; first: the line it begins in. */
static void add_quotes(spk_csv_window *w, bits b, size_t first)
{
    for (uint64_t left = b.quotes; left; left &= left - 1) {
        const uint64_t below = (left & -left) - 1;
        w->odd[first + count(b.lines & below)] = true;
    }
}

static void look_by_blocks(
    spk_csv_window *window, const spk_csv *csv, const char *p, size_t n, bool last)
{
    const signs s = { _mm_set1_epi8(csv->sep[0]),
        _mm_set1_epi8(csv->line_sep_n ? csv->line_sep[0] : '\n'),
        _mm_set1_epi8(csv->line_sep_n ? csv->line_sep[0] : '\r'),
        _mm_set1_epi8((char)(csv->quote >= 0 ? csv->quote : csv->sep[0])), !csv->line_sep_n };
    uint32_t *at = window->at;
    window->odd[0] = false;
    for (size_t i = 0; i < n; i += BLOCK) {
        const uint64_t mine = n - i >= BLOCK ? ~UINT64_C(0) : ~(~UINT64_C(0) << (n - i));
        const uint64_t unknown = n - i <= BLOCK && !last ? mine & ~(mine >> 1) : 0;
        const size_t first = window->lines;
        bits b = look(p + i, &s);
        if (b.returns)
            add_returns(&b, p + i, unknown);
        b.both &= mine;
        b.lines &= mine;
        add_lines(window, b, (uint32_t)(at - window->at));
        if (b.quotes && csv->quote >= 0) {
            b.quotes &= mine;
            add_quotes(window, b, first);
        }
        at = add_positions(at, b.both, (uint32_t)i);
    }
}
#endif

void spk_csv_look(spk_csv_window *window, const spk_csv *csv, const char *p, size_t n, bool last)
{
    window->base = p;
    window->lines = 0;
#ifdef __SSE2__
    if (csv->sep_n == 1 && csv->line_sep_n < 2) {
        look_by_blocks(window, csv, p, n, last);
        return;
    }
#endif
    look_by_bytes(window, csv, p, n, last);
}
